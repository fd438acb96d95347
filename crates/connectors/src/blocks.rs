//! Stretches of a large file's records that any thread can decode.
//!
//! One thread inflates and finds the records, as for every file; what follows is more work and needs no order. Where a
//! stretch ends depends on the text alone.

use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use crate::decode::Header;
use crate::delimited::Rows;
use crate::frames::{Broken, Content, Frames};
use crate::json::Member;
use crate::lines::Lines;
use crate::result_table::Names;

/// Bytes of text that a stretch has, not counting the rest of its last record.
pub(crate) const BLOCK_BYTES: u64 = 4 << 20;

/// A stretch of a source of any kind of text.
pub(crate) enum Stretch {
    Json(Block),
    Columns(Arc<Header>, Rows),
    Lines(Lines),
}

impl Stretch {
    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Stretch::Json(block) => block.bytes(),
            Stretch::Columns(_, rows) => rows.bytes(),
            Stretch::Lines(lines) => lines.bytes(),
        }
    }
}

/// Records with their text.
#[derive(Default)]
pub(crate) struct Block {
    text: Vec<u8>,
    members: Vec<Member>,
    frames: Vec<BlockFrame>,
}

struct BlockFrame {
    record: u64,
    offset: u64,
    line: u64,
    text: Range<usize>,
    content: Kept,
}

enum Kept {
    /// The members among those of the block.
    Object(Range<usize>),
    Row(Names),
    Broken(Broken),
}

/// A record of a block.
pub(crate) struct Framed<'b> {
    pub(crate) record: u64,
    pub(crate) offset: u64,
    pub(crate) line: u64,
    pub(crate) bytes: &'b [u8],
    pub(crate) content: Content<'b>,
}

impl Block {
    /// The next records of a text; None at its end.
    pub(crate) fn read(frames: &mut Frames<impl Read>) -> Option<Block> {
        let mut block = Block::default();
        let until = frames.consumed() + BLOCK_BYTES;
        while let Some(frame) = frames.next() {
            let (record, offset) = (frame.record, frame.offset);
            let start = block.text.len();
            block.text.extend_from_slice(frame.bytes);
            let content = match frame.content {
                Content::Object(members) => {
                    let first = block.members.len();
                    block.members.extend_from_slice(members);
                    Kept::Object(first..block.members.len())
                }
                Content::Row(names) => Kept::Row(names),
                Content::Broken(why) => Kept::Broken(why),
            };
            let text = start..block.text.len();
            block.frames.push(BlockFrame { record, offset, line: frames.line_of(offset), text, content });
            if frames.consumed() >= until {
                break;
            }
        }
        (!block.frames.is_empty()).then_some(block)
    }

    pub(crate) fn frames(&self) -> impl Iterator<Item = Framed<'_>> {
        self.frames.iter().map(|frame| Framed {
            record: frame.record,
            offset: frame.offset,
            line: frame.line,
            bytes: self.text.get(frame.text.clone()).unwrap_or_default(),
            content: match &frame.content {
                Kept::Object(members) => Content::Object(self.members.get(members.clone()).unwrap_or_default()),
                Kept::Row(names) => Content::Row(Names::clone(names)),
                Kept::Broken(why) => Content::Broken(*why),
            },
        })
    }

    /// Bytes of memory.
    fn bytes(&self) -> usize {
        self.text.len() + self.members.len() * size_of::<Member>()
    }
}

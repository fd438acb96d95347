//! Binary formats as text: each record becomes a line of JSON, so that everything behind reads them like any other log.
//!
//! Memory is bounded by a block of the format. What a decoder cannot read of one block is a line that is no JSON: it is
//! counted as unreadable and its neighbours survive. Decoders are foreign code that may panic on damaged bytes; that stays
//! the file's matter.

mod avro;
mod evtx;
mod parquet;

use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::held::Held;
use super::open::HashHandle;
use super::{Content, Input};
use crate::options::SizeLimits;

/// Gives the records of a binary format, a block at a time.
trait Blocks {
    /// Appends the lines of the next block; false at the end.
    fn next(&mut self, out: &mut Vec<u8>) -> Result<bool, String>;
}

/// The text of a source that holds JSON, or records that can be written as JSON; the reason when it cannot be opened.
///
/// `file` is the file whose plain bytes `reader` gives, when there is one.
pub(crate) fn json_text<'r>(
    content: Content,
    reader: Box<dyn Read + 'r>,
    file: Option<&Input>,
    hash: &HashHandle,
    limits: &SizeLimits,
) -> Result<Box<dyn Read + 'r>, String> {
    // Of what is read from elsewhere than the hashed stream.
    let mut size = 0;
    let blocks: Box<dyn Blocks + 'r> = match content {
        Content::Avro => Box::new(guarded(|| avro::Records::open(reader))?),
        Content::Evtx => Box::new(evtx::Chunks::new(reader)),
        Content::Parquet => Box::new(match file {
            Some(Input::File(path)) => {
                let file = File::open(path).map_err(|error| error.to_string())?;
                size = file.metadata().map_or(0, |metadata| metadata.len());
                guarded(|| parquet::Groups::open(file))?
            }
            _ => {
                let held = Held::of(reader)?;
                size = held.length();
                match held {
                    Held::Memory(bytes) => guarded(|| parquet::Groups::open(bytes))?,
                    Held::File(file, _) => guarded(|| parquet::Groups::open(file))?,
                }
            }
        }),
        _ => return Ok(reader),
    };
    let measure = Measure { given: 0, size, hash: hash.clone(), limits: *limits };
    Ok(Box::new(Lines { blocks, waiting: Vec::new(), at: 0, failed: None, ended: false, measure }))
}

/// What a decoder gives; a panic in it is an error.
fn guarded<T>(decode: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| Err("the file is damaged".to_owned()))
}

/// Text may be so much larger than the bytes it was made from, and no more.
struct Measure {
    given: u64,
    size: u64,
    hash: HashHandle,
    limits: SizeLimits,
}

impl Measure {
    fn check(&mut self, more: usize) -> Result<(), String> {
        self.given += more as u64;
        if self.given <= self.limits.inflated_free {
            return Ok(());
        }
        match self.given > self.limits.inflated(self.size.max(self.hash.length())) {
            true => Err(format!("more than {} times its size as text", self.limits.inflation)),
            false => Ok(()),
        }
    }
}

/// Blocks as one stream of text.
struct Lines<'r> {
    blocks: Box<dyn Blocks + 'r>,
    waiting: Vec<u8>,
    at: usize,
    /// Given once what came before it was read.
    failed: Option<String>,
    ended: bool,
    measure: Measure,
}

impl Read for Lines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.waiting.len() {
            if let Some(reason) = self.failed.take() {
                self.ended = true;
                return Err(io::Error::other(reason));
            }
            if self.ended {
                return Ok(0);
            }
            self.waiting.clear();
            self.at = 0;
            match guarded(|| self.blocks.next(&mut self.waiting)) {
                Ok(more) => self.ended = !more,
                Err(reason) => self.failed = Some(reason),
            }
            if let Err(reason) = self.measure.check(self.waiting.len()) {
                self.waiting.clear();
                self.failed = Some(reason);
            }
        }
        let ready = self.waiting.get(self.at..).unwrap_or_default();
        let count = ready.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), ready.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}

/// True for the names of a file that Event Hubs captured: the records are in `Body`.
fn is_capture<'n>(names: impl Iterator<Item = &'n str>) -> bool {
    const BESIDE: &[&str] = &["SequenceNumber", "Offset", "EnqueuedTimeUtc"];
    let (mut body, mut beside) = (false, 0);
    for name in names {
        body |= name == "Body";
        beside += usize::from(BESIDE.contains(&name));
    }
    body && beside == BESIDE.len()
}

/// A captured event's body as it stands, when it is text that may hold JSON.
fn push_body(body: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(body);
    out.push(b'\n');
}

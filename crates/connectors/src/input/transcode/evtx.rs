//! Windows event logs: chunks of 64 KB behind a header, each readable by itself.

use std::io::Read;
use std::sync::Arc;

use evtx::{EvtxChunkData, ParserSettings};

use super::Blocks;

const HEADER_BYTES: u64 = 4096;
const CHUNK_BYTES: usize = 64 << 10;

pub(super) struct Chunks<'r> {
    reader: Box<dyn Read + 'r>,
    settings: Arc<ParserSettings>,
    started: bool,
    number: u64,
}

impl<'r> Chunks<'r> {
    pub(super) fn new(reader: Box<dyn Read + 'r>) -> Chunks<'r> {
        let settings = Arc::new(ParserSettings::new().num_threads(1).indent(false));
        Chunks { reader, settings, started: false, number: 0 }
    }

    /// The next chunk's bytes; fewer than a chunk at the end.
    fn chunk(&mut self) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::with_capacity(CHUNK_BYTES);
        let read = self.reader.by_ref().take(CHUNK_BYTES as u64).read_to_end(&mut bytes);
        read.map_err(|error| error.to_string())?;
        Ok(bytes)
    }
}

impl Blocks for Chunks<'_> {
    fn next(&mut self, out: &mut Vec<u8>) -> Result<bool, String> {
        if !self.started {
            self.started = true;
            let mut header = Vec::new();
            let read = self.reader.by_ref().take(HEADER_BYTES).read_to_end(&mut header);
            read.map_err(|error| error.to_string())?;
        }
        let bytes = self.chunk()?;
        let whole = bytes.len() == CHUNK_BYTES;
        // Chunks that were never written are zeros.
        if bytes.iter().any(|byte| *byte != 0) {
            let number = self.number;
            let settings = Arc::clone(&self.settings);
            let decoded = super::guarded(|| lines(bytes, settings));
            match decoded {
                Ok(lines) => out.extend_from_slice(&lines),
                Err(reason) => unreadable(&format!("chunk {number}: {reason}"), out),
            }
        }
        self.number += 1;
        Ok(whole)
    }
}

fn lines(bytes: Vec<u8>, settings: Arc<ParserSettings>) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut data = EvtxChunkData::new(bytes, false).map_err(|error| error.to_string())?;
    let mut chunk = data.parse(settings).map_err(|error| error.to_string())?;
    for record in chunk.iter() {
        match record.and_then(|record| record.into_json_bytes()) {
            Ok(record) => {
                out.extend(record.data.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }));
                out.push(b'\n');
            }
            Err(error) => unreadable(&error.to_string(), &mut out),
        }
    }
    Ok(out)
}

/// A line that is no JSON stands for what could not be read.
fn unreadable(reason: &str, out: &mut Vec<u8>) {
    let reason: String = reason.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect();
    out.extend_from_slice(format!("unreadable event: {reason}\n").as_bytes());
}

//! The file that keeps what one source file gave: its messages in order, behind the identity of the file.
//!
//! The last bytes are a hash of all before. It is checked before the first message is given, so that an entry gives all
//! its messages or none.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::rows;
use crate::decode::Decoded;
use crate::report::SourceReport;
use crate::sources::Maps;

const MAGIC: &[u8; 8] = b"TWROWS1\n";
const HASH_BYTES: u64 = 32;
/// Bytes that wait in memory before an entry goes to disk.
const BUFFER_BYTES: usize = 1 << 20;
/// Bytes of one message.
const MESSAGE_MAX: u64 = 1 << 30;

const START: u8 = b'S';
const ROWS: u8 = b'R';
const END: u8 = b'E';
/// The last message: whether times asked for would leave out members.
const CLOSE: u8 = b'C';

/// What an entry says, in order.
pub(crate) enum Kept {
    Start { plausible_max: i64 },
    Rows(Box<Decoded>),
    End(Box<SourceReport>),
}

/// An entry being written.
pub(super) struct Writer {
    file: NamedTempFile,
    buffer: Vec<u8>,
    hash: Sha256,
    pub(super) bytes: u64,
}

impl Writer {
    pub(super) fn new(folder: &Path, identity: &str) -> io::Result<Writer> {
        let file = tempfile::Builder::new().prefix(super::GROWING).suffix(super::EXTENSION).tempfile_in(folder)?;
        let mut writer = Writer { file, buffer: Vec::new(), hash: Sha256::new(), bytes: 0 };
        writer.put(MAGIC)?;
        writer.put(&(identity.len() as u64).to_le_bytes())?;
        writer.put(identity.as_bytes())?;
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER_BYTES {
            self.file.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    fn message(&mut self, tag: u8, bytes: &[u8]) -> io::Result<()> {
        self.put(&[tag])?;
        self.put(&(bytes.len() as u64).to_le_bytes())?;
        self.put(bytes)
    }

    pub(super) fn start(&mut self, plausible_max: i64) -> io::Result<()> {
        self.message(START, &plausible_max.to_le_bytes())
    }

    /// Rows in the form of [`rows::written`].
    pub(super) fn rows(&mut self, written: &[u8]) -> io::Result<()> {
        self.message(ROWS, written)
    }

    pub(super) fn end(&mut self, report: &SourceReport) -> io::Result<()> {
        self.message(END, &serde_json::to_vec(report)?)
    }

    /// Puts the entry in its place, at once for all who look.
    pub(super) fn finish(mut self, path: &Path, has_dates: bool) -> io::Result<u64> {
        self.message(CLOSE, &[u8::from(has_dates)])?;
        let hash = self.hash.finalize();
        self.buffer.extend_from_slice(&hash);
        self.file.write_all(&self.buffer)?;
        self.file.persist(path).map_err(|error| error.error)?;
        Ok(self.bytes + HASH_BYTES)
    }
}

/// An entry whose bytes are what was written.
pub(super) struct Reader {
    file: BufReader<File>,
    pub(super) has_dates: bool,
}

/// What lies where an entry may lie.
pub(super) enum Opened {
    /// Nothing, or an entry of the file as it was before.
    Nothing,
    Damaged,
    Entry(Box<Reader>),
}

/// Opens an entry and checks that all of it is there.
pub(super) fn open(path: &Path, identity: &str) -> Opened {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Opened::Nothing,
        Err(_) => Opened::Damaged,
        Ok(file) => checked(file, identity).unwrap_or(Opened::Damaged),
    }
}

fn checked(mut file: File, identity: &str) -> Option<Opened> {
    let length = file.metadata().ok()?.len();
    let mut head = [0; 16];
    file.read_exact(&mut head).ok()?;
    let (magic, size) = head.split_first_chunk::<8>()?;
    let size = u64::from_le_bytes(size.try_into().ok()?);
    if magic != MAGIC || size > length {
        return None;
    }
    let mut known = vec![0; usize::try_from(size).ok()?];
    file.read_exact(&mut known).ok()?;
    if known != identity.as_bytes() {
        return Some(Opened::Nothing);
    }
    file.seek(SeekFrom::Start(0)).ok()?;
    let mut hash = Sha256::new();
    let mut left = length.checked_sub(HASH_BYTES)?;
    let mut buffer = vec![0; usize::try_from(length.min(256 << 10)).ok()?];
    let mut last = 0;
    while left > 0 {
        let wanted = usize::try_from(left.min(buffer.len() as u64)).ok()?;
        let part = buffer.get_mut(..wanted)?;
        file.read_exact(part).ok()?;
        last = *part.last()?;
        hash.update(&*part);
        left -= wanted as u64;
    }
    let mut expected = [0; HASH_BYTES as usize];
    file.read_exact(&mut expected).ok()?;
    if hash.finalize()[..] != expected {
        return None;
    }
    file.seek(SeekFrom::Start(16 + size)).ok()?;
    let capacity = usize::try_from(length.min(256 << 10)).ok()?;
    Some(Opened::Entry(Box::new(Reader { file: BufReader::with_capacity(capacity, file), has_dates: last == 1 })))
}

impl Reader {
    /// The next message; None at the end. An error is impossible for an entry that this program wrote.
    pub(super) fn next(&mut self, maps: &Maps) -> io::Result<Option<Kept>> {
        let damaged = || io::Error::other("a kept message cannot be read");
        let mut head = [0; 9];
        self.file.read_exact(&mut head)?;
        let [tag, length @ ..] = head;
        let length = u64::from_le_bytes(length);
        if length > MESSAGE_MAX {
            return Err(damaged());
        }
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| damaged())?];
        self.file.read_exact(&mut bytes)?;
        match tag {
            START => {
                let ticks = bytes.as_slice().try_into().map_err(|_| damaged())?;
                Ok(Some(Kept::Start { plausible_max: i64::from_le_bytes(ticks) }))
            }
            ROWS => Ok(Some(Kept::Rows(Box::new(rows::read(&bytes, maps).ok_or_else(damaged)?)))),
            END => Ok(Some(Kept::End(Box::new(serde_json::from_slice(&bytes)?)))),
            CLOSE => Ok(None),
            _ => Err(damaged()),
        }
    }
}

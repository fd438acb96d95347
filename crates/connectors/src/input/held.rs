//! Bytes that cannot be sought in where they lie (in an archive, compressed, from standard input or an object store), made
//! to be: few in memory, many in a file that nobody else sees. How many come is limited where they come from.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, Write};

use bytes::Bytes;

/// Held in memory up to this size.
const MEMORY_MAX: u64 = 16 << 20;

pub(crate) enum Held {
    Memory(Bytes),
    File(File, u64),
}

impl Held {
    /// Reads to the end; the reason when that cannot be.
    pub(crate) fn of(reader: impl Read) -> Result<Held, String> {
        hold(reader).map_err(|error| error.to_string())
    }

    pub(crate) fn length(&self) -> u64 {
        match self {
            Held::Memory(bytes) => bytes.len() as u64,
            Held::File(_, length) => *length,
        }
    }

    pub(crate) fn sought(self) -> Box<dyn Sought> {
        match self {
            Held::Memory(bytes) => Box::new(Cursor::new(bytes)),
            Held::File(file, _) => Box::new(BufReader::new(file)),
        }
    }
}

pub(crate) trait Sought: Read + Seek {}

impl<T: Read + Seek> Sought for T {}

fn hold(mut reader: impl Read) -> io::Result<Held> {
    let mut memory = Vec::new();
    reader.by_ref().take(MEMORY_MAX + 1).read_to_end(&mut memory)?;
    if memory.len() as u64 <= MEMORY_MAX {
        return Ok(Held::Memory(memory.into()));
    }
    let mut file = tempfile::tempfile()?;
    file.write_all(&memory)?;
    let length = memory.len() as u64 + io::copy(&mut reader, &mut file)?;
    file.rewind()?;
    Ok(Held::File(file, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_bytes_are_in_memory_and_many_in_a_file() {
        for length in [5, MEMORY_MAX + 5] {
            let held = Held::of(io::repeat(b'x').take(length)).unwrap();
            assert_eq!((held.length(), matches!(held, Held::Memory(_))), (length, length == 5));
            let mut sought = held.sought();
            sought.seek(io::SeekFrom::End(-2)).unwrap();
            let mut rest = String::new();
            sought.read_to_string(&mut rest).unwrap();
            assert_eq!(rest, "xx");
        }
    }
}

//! What has to be sought in and cannot be: copied to a temporary file that nobody else sees.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// The bytes as a file, at its beginning.
pub(crate) fn spooled(mut reader: impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut reader, &mut file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

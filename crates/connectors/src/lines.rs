//! Text as lines: one record a line, blank ones passed over.

use std::io::{BufRead, BufReader, Read};

/// A line of text, with where it lies.
pub(crate) struct TextLine {
    /// Bytes after inflating, from 0.
    pub(crate) offset: u64,
    /// From 1.
    pub(crate) number: u64,
    pub(crate) bytes: Vec<u8>,
    /// The line goes on beyond the limit; what comes is no part of it.
    pub(crate) cut: bool,
}

/// Bytes read, and why reading ended before the text did.
pub(crate) type LinesEnd = (u64, Option<String>);

/// Gives every line that is not blank with its record's number, until told to stop. Of a line over the limit the rest is
/// passed over.
pub(crate) fn text_lines(
    reader: impl Read,
    record_bytes: usize,
    visit: &mut dyn FnMut(u64, &TextLine) -> bool,
) -> LinesEnd {
    let mut reader = BufReader::with_capacity(256 << 10, reader);
    let mut line = TextLine { offset: 0, number: 0, bytes: Vec::new(), cut: false };
    let (mut offset, mut record) = (0, 0);
    loop {
        line.bytes.clear();
        let read = (&mut reader).take(record_bytes as u64).read_until(b'\n', &mut line.bytes);
        let count = match read {
            Ok(count) => count as u64,
            Err(error) => return (offset, Some(error.to_string())),
        };
        if count == 0 {
            return (offset, None);
        }
        (line.offset, line.number, line.cut) = (offset, line.number + 1, false);
        offset += count;
        if line.bytes.last() != Some(&b'\n') && count == record_bytes as u64 {
            match rest_of_line(&mut reader) {
                Ok(rest) => {
                    line.cut = rest > 0;
                    offset += rest;
                }
                Err(error) => return (offset, Some(error.to_string())),
            }
        }
        if !line.bytes.trim_ascii().is_empty() {
            if !visit(record, &line) {
                return (offset, None);
            }
            record += 1;
        }
    }
}

/// Passes over what is left of a line; its length.
fn rest_of_line(reader: &mut impl BufRead) -> std::io::Result<u64> {
    let mut passed = 0;
    loop {
        let ready = reader.fill_buf()?;
        if ready.is_empty() {
            return Ok(passed);
        }
        let end = memchr::memchr(b'\n', ready);
        let length = end.map_or(ready.len(), |at| at + 1);
        reader.consume(length);
        passed += length as u64;
        if end.is_some() {
            return Ok(passed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_places_and_long_ones_end() {
        let mut found = Vec::new();
        let text = format!("a\n\n{}\nb", "x".repeat(50));
        let end = text_lines(text.as_bytes(), 10, &mut |record, line| {
            found.push((record, line.offset, line.number, line.bytes.trim_ascii().len(), line.cut));
            true
        });
        assert_eq!(found, [(0, 0, 1, 1, false), (1, 3, 3, 10, true), (2, 54, 4, 1, false)]);
        assert_eq!(end, (text.len() as u64, None));
    }
}

//! Text as lines: one record a line, blank ones passed over.

use std::io::{BufRead, BufReader, Read};
use std::ops::Range;

/// A line of text, with where it lies.
pub(crate) struct TextLine<'t> {
    /// Bytes after inflating, from 0.
    pub(crate) offset: u64,
    /// From 1.
    pub(crate) number: u64,
    pub(crate) bytes: &'t [u8],
    /// The line goes on beyond the limit; what comes is no part of it.
    pub(crate) cut: bool,
}

/// Lines that are not blank, read with bounded memory. Of a line over the limit the rest is passed over.
pub(crate) struct TextLines<R> {
    reader: BufReader<R>,
    record_bytes: usize,
    text: Vec<u8>,
    offset: u64,
    number: u64,
    record: u64,
    ended: bool,
    /// Why reading ended before the text did.
    pub(crate) stopped: Option<String>,
}

impl<R: Read> TextLines<R> {
    pub(crate) fn new(reader: R, record_bytes: usize) -> TextLines<R> {
        TextLines {
            reader: BufReader::with_capacity(256 << 10, reader),
            record_bytes,
            text: Vec::new(),
            offset: 0,
            number: 0,
            record: 0,
            ended: false,
            stopped: None,
        }
    }

    /// Bytes of text up to the end of the last line.
    pub(crate) fn bytes(&self) -> u64 {
        self.offset
    }

    /// The next line with the number of its record.
    pub(crate) fn next(&mut self) -> Option<(u64, TextLine<'_>)> {
        let (offset, cut) = loop {
            let offset = self.offset;
            let cut = self.read()?;
            if !self.text.trim_ascii().is_empty() {
                break (offset, cut);
            }
        };
        self.record += 1;
        Some((self.record - 1, TextLine { offset, number: self.number, bytes: &self.text, cut }))
    }

    /// Reads a line into `text`, and says whether it was cut; None at the end.
    fn read(&mut self) -> Option<bool> {
        if self.ended {
            return None;
        }
        self.text.clear();
        let read = (&mut self.reader).take(self.record_bytes as u64).read_until(b'\n', &mut self.text);
        let count = match read {
            Ok(0) => return self.end(None),
            Ok(count) => count,
            Err(error) => return self.end(Some(error.to_string())),
        };
        self.number += 1;
        self.offset += count as u64;
        if self.text.last() == Some(&b'\n') || count < self.record_bytes {
            return Some(false);
        }
        match rest_of_line(&mut self.reader) {
            Ok(rest) => {
                self.offset += rest;
                Some(rest > 0)
            }
            Err(error) => self.end(Some(error.to_string())),
        }
    }

    fn end(&mut self, stopped: Option<String>) -> Option<bool> {
        (self.stopped, self.ended) = (stopped, true);
        None
    }
}

/// Lines with their text, for whoever decodes them.
#[derive(Default)]
pub(crate) struct Lines {
    text: Vec<u8>,
    places: Vec<Placed>,
}

struct Placed {
    record: u64,
    offset: u64,
    number: u64,
    text: Range<usize>,
    cut: bool,
}

impl Lines {
    /// The next lines of a text, about so many bytes; None at its end.
    pub(crate) fn read(lines: &mut TextLines<impl Read>, bytes: u64) -> Option<Lines> {
        let mut stretch = Lines::default();
        let until = lines.bytes() + bytes;
        while let Some((record, line)) = lines.next() {
            let start = stretch.text.len();
            stretch.text.extend_from_slice(line.bytes);
            let (offset, number, cut) = (line.offset, line.number, line.cut);
            stretch.places.push(Placed { record, offset, number, text: start..stretch.text.len(), cut });
            if lines.bytes() >= until {
                break;
            }
        }
        (!stretch.places.is_empty()).then_some(stretch)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, TextLine<'_>)> {
        self.places.iter().map(|place| {
            let bytes = self.text.get(place.text.clone()).unwrap_or_default();
            (place.record, TextLine { offset: place.offset, number: place.number, bytes, cut: place.cut })
        })
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len() + self.places.len() * size_of::<Placed>()
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
        let text = format!("a\n\n{}\nb", "x".repeat(50));
        let expected = [(0, 0, 1, 1, false), (1, 3, 3, 10, true), (2, 54, 4, 1, false)];
        for stretch in [1, 1_000] {
            let mut lines = TextLines::new(text.as_bytes(), 10);
            let mut found = Vec::new();
            while let Some(stretch) = Lines::read(&mut lines, stretch) {
                let shown = |(record, line): (u64, TextLine<'_>)| {
                    (record, line.offset, line.number, line.bytes.trim_ascii().len(), line.cut)
                };
                found.extend(stretch.iter().map(shown));
            }
            assert_eq!(found, expected);
            assert_eq!((lines.bytes(), lines.stopped), (text.len() as u64, None));
        }
    }
}

//! UTF-16 text, as Windows PowerShell writes it, to UTF-8.

use std::io::Read;

pub(crate) struct Utf16Reader<R> {
    inner: R,
    big_endian: bool,
    started: bool,
    raw: Vec<u8>,
    /// A high surrogate that waits for its other half.
    high: Option<u16>,
    out: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> Utf16Reader<R> {
    pub(crate) fn new(inner: R, big_endian: bool) -> Utf16Reader<R> {
        Utf16Reader {
            inner,
            big_endian,
            started: false,
            raw: Vec::new(),
            high: None,
            out: Vec::new(),
            given: 0,
            ended: false,
        }
    }

    fn refill(&mut self) -> std::io::Result<()> {
        self.out.clear();
        self.given = 0;
        let kept = self.raw.len();
        self.raw.resize(kept + (32 << 10), 0);
        let read = self.inner.read(self.raw.get_mut(kept..).unwrap_or_default())?;
        self.raw.truncate(kept + read);
        self.ended = read == 0;
        let whole = self.raw.len() & !1;
        let units: Vec<u16> = self
            .raw
            .get(..whole)
            .unwrap_or_default()
            .chunks_exact(2)
            .map(|pair| {
                if self.big_endian {
                    u16::from_be_bytes([pair[0], pair[1]])
                } else {
                    u16::from_le_bytes([pair[0], pair[1]])
                }
            })
            .collect();
        self.raw.drain(..whole);
        let mut units = self.high.take().into_iter().chain(units).collect::<Vec<_>>();
        if !self.ended && units.last().is_some_and(|unit| (0xD800..0xDC00).contains(unit)) {
            self.high = units.pop();
        }
        for character in char::decode_utf16(units) {
            let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
            if !std::mem::replace(&mut self.started, true) && character == '\u{feff}' {
                continue;
            }
            self.out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf16Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.given == self.out.len() && !self.ended {
            self.refill()?;
        }
        let ready = self.out.get(self.given..).unwrap_or_default();
        let count = ready.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), ready.get(..count)) {
            to.copy_from_slice(from);
        }
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct OneByte<'a>(&'a [u8]);

    impl Read for OneByte<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            buffer[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    #[test]
    fn both_orders_split_anywhere() {
        let text = "{\"a\":\"ż😀\"}";
        for big in [false, true] {
            let bytes: Vec<u8> = std::iter::once(0xFEFF)
                .chain(text.encode_utf16())
                .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
                .collect();
            let mut read = String::new();
            Utf16Reader::new(OneByte(&bytes), big).read_to_string(&mut read).unwrap();
            assert_eq!(read, text);
        }
    }
}

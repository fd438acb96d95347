//! What a file holds, by its first bytes. Names and extensions say nothing here.

/// Bytes looked at.
pub(crate) const SNIFF_BYTES: usize = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Empty,
    Json,
    /// Lines of text: columns separated by a character, or no known format.
    Text,
    Parquet,
    Zip,
    Tar,
    SevenZip,
    Avro,
    /// A Windows event log.
    Evtx,
    Orc,
    /// Bytes of no known format.
    Binary,
}

impl Content {
    pub(crate) fn is_archive(self) -> bool {
        matches!(self, Content::Zip | Content::Tar | Content::SevenZip)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrapping {
    Gzip,
    Zstd,
    Xz,
    Bzip2,
    Utf16 { big_endian: bool },
}

/// A compression or encoding around the content.
pub(crate) fn wrapping(head: &[u8]) -> Option<Wrapping> {
    match head {
        [0x1F, 0x8B, 8, ..] => Some(Wrapping::Gzip),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Some(Wrapping::Zstd),
        [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Some(Wrapping::Xz),
        // The size of its blocks, then the mark of a block or of an empty stream's end.
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Some(Wrapping::Bzip2),
        [0xFF, 0xFE, ..] => Some(Wrapping::Utf16 { big_endian: false }),
        [0xFE, 0xFF, ..] => Some(Wrapping::Utf16 { big_endian: true }),
        [b'{' | b'[' | b'"', 0, second, 0, ..] if *second != 0 => Some(Wrapping::Utf16 { big_endian: false }),
        [0, b'{' | b'[' | b'"', 0, second, ..] if *second != 0 => Some(Wrapping::Utf16 { big_endian: true }),
        _ => None,
    }
}

pub(crate) fn content(head: &[u8]) -> Content {
    match head {
        [] => return Content::Empty,
        [b'P', b'A', b'R', b'1', ..] => return Content::Parquet,
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => return Content::Zip,
        [b'7', b'z', 0xBC, 0xAF, 0x27, 0x1C, ..] => return Content::SevenZip,
        [b'E', b'l', b'f', b'F', b'i', b'l', b'e', 0, ..] => return Content::Evtx,
        [b'O', b'b', b'j', 1, ..] => return Content::Avro,
        [b'O', b'R', b'C', ..] => return Content::Orc,
        _ => {}
    }
    if head.get(257..262) == Some(b"ustar") {
        return Content::Tar;
    }
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let text = text.trim_ascii_start();
    if text.is_empty() {
        // Blanks as far as was looked: something may follow.
        return if head.len() < SNIFF_BYTES { Content::Empty } else { Content::Json };
    }
    if starts_json(text) || text.split(|byte| *byte == b'\n').any(starts_record) {
        return Content::Json;
    }
    let control = text.iter().filter(|byte| **byte < 0x20 && !matches!(**byte, b'\n' | b'\r' | b'\t' | 0x1B)).count();
    if control * 20 > text.len() { Content::Binary } else { Content::Text }
}

/// True for what begins as an object, or as a list of objects or lists.
fn starts_json(text: &[u8]) -> bool {
    let second = text.get(1..).unwrap_or_default().trim_ascii_start().first();
    match text.first() {
        Some(b'{') => matches!(second, None | Some(b'"' | b'}')),
        Some(b'[') => matches!(second, None | Some(b'{' | b'[' | b']')),
        _ => false,
    }
}

/// True for a line that is a record among lines of something else.
fn starts_record(line: &[u8]) -> bool {
    line.starts_with(b"{\"") && line.trim_ascii_end().ends_with(b"}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents() {
        for (head, expected) in [
            (&b"{\"a\":1}"[..], Content::Json),
            (b"\xEF\xBB\xBF  [\n {", Content::Json),
            (b"[2023-01-01] started", Content::Text),
            (b"noise\n{\"a\":1}\n", Content::Json),
            (b"a,b\n1,2\n", Content::Text),
            (b"TimeGenerated,Properties\n1,\"{\"\"a\"\":1}\"\n", Content::Text),
            (b"PAR1....", Content::Parquet),
            (b"PK\x03\x04", Content::Zip),
            (b"7z\xBC\xAF\x27\x1C\0\x04", Content::SevenZip),
            (b"ElfFile\0\0\0", Content::Evtx),
            (b"Obj\x01\x04", Content::Avro),
            (b"", Content::Empty),
            (b" \n ", Content::Empty),
            (b"\x01\x02\x03\x04\x05", Content::Binary),
        ] {
            assert_eq!(content(head), expected, "{}", String::from_utf8_lossy(head));
        }
        assert_eq!(wrapping(&[0x1F, 0x8B, 8, 0]), Some(Wrapping::Gzip));
        assert_eq!(wrapping(b"{\0\"\0"), Some(Wrapping::Utf16 { big_endian: false }));
    }
}

//! Whether JSON text from outside is canonical as it stands, so that it need not be read and written again.
//!
//! The check may say no to canonical text (rare escapes, very long numbers, very many keys), never yes to other text: it
//! reads the whole text by JSON's grammar and by what [`Dynamic::write_canonical`](super::Dynamic::write_canonical)
//! writes.

/// The first byte of the private prefix in UTF-8; other characters that share it are left to the reader as well.
const PRIVATE_FIRST_BYTE: u8 = 0xEE;

/// Deeper text is left to the reader.
const DEPTH_MAX: usize = 64;
/// Bags with more keys are left to the reader, which finds duplicates by hash.
const KEYS_MAX: usize = 64;
/// A double keeps every decimal of so many digits.
const REAL_DIGITS_MAX: usize = 15;

/// Whether reading a text as JSON and writing it as canonical text gives the same bytes.
pub fn is_canonical_json(text: &str) -> bool {
    let mut check = Check { bytes: text.as_bytes(), at: 0, open: Vec::new(), keys: Vec::new() };
    check.document().is_some() && check.at == text.len()
}

/// Bytes up to the next quote, backslash or control character, eight at a time.
pub fn plain_len(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // The high bit of each byte that is zero; a byte above a found one may be marked wrongly.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..at + 8).and_then(|chunk| <[u8; 8]>::try_from(chunk).ok()) {
        let word = u64::from_le_bytes(chunk);
        let quote = zero(word ^ (ONES * 0x22));
        let backslash = zero(word ^ (ONES * 0x5c));
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let found = quote | backslash | control;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or(&[]);
    at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).unwrap_or(rest.len())
}

struct Check<'a> {
    bytes: &'a [u8],
    at: usize,
    /// For each open array None, for each open bag its first key in `keys`.
    open: Vec<Option<usize>>,
    /// Keys of the open bags as written, without quotes.
    keys: Vec<&'a [u8]>,
}

/// Every method gives None where the text is not canonical, or not known to be.
impl<'a> Check<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn document(&mut self) -> Option<()> {
        loop {
            match self.peek()? {
                b'"' => drop(self.string()?),
                b'-' | b'0'..=b'9' => self.number()?,
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                b'{' => {
                    self.at += 1;
                    if self.peek()? != b'}' {
                        self.open(Some(self.keys.len()))?;
                        self.key()?;
                        continue;
                    }
                    self.at += 1;
                }
                b'[' => {
                    self.at += 1;
                    if self.peek()? != b']' {
                        self.open(None)?;
                        continue;
                    }
                    self.at += 1;
                }
                _ => return None,
            }
            if !self.close()? {
                return Some(());
            }
        }
    }

    fn open(&mut self, first_key: Option<usize>) -> Option<()> {
        self.open.push(first_key);
        (self.open.len() <= DEPTH_MAX).then_some(())
    }

    /// After a value: passes closing brackets up to the next value; false when nothing is open.
    fn close(&mut self) -> Option<bool> {
        while let Some(first_key) = self.open.last().copied() {
            match (self.peek()?, first_key) {
                (b',', None) => {
                    self.at += 1;
                    return Some(true);
                }
                (b',', Some(_)) => {
                    self.at += 1;
                    self.key()?;
                    return Some(true);
                }
                (b']', None) => {}
                (b'}', Some(first_key)) => self.keys.truncate(first_key),
                _ => return None,
            }
            self.at += 1;
            self.open.pop();
        }
        Some(false)
    }

    /// A key that the bag has not had yet, and the colon.
    fn key(&mut self) -> Option<()> {
        let key = self.string()?;
        let known = self.keys.get(self.open.last().copied()??..)?;
        if known.len() >= KEYS_MAX || known.contains(&key) {
            return None;
        }
        self.keys.push(key);
        if self.peek()? != b':' {
            return None;
        }
        self.at += 1;
        Some(())
    }

    /// The inside of a string. Only escapes that are written the same way.
    fn string(&mut self) -> Option<&'a [u8]> {
        if self.peek()? != b'"' {
            return None;
        }
        self.at += 1;
        let start = self.at;
        if self.peek()? == PRIVATE_FIRST_BYTE {
            return None;
        }
        loop {
            self.at += plain_len(self.bytes.get(self.at..)?);
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return self.bytes.get(start..self.at - 1);
                }
                b'\\' if matches!(self.bytes.get(self.at + 1)?, b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't') => {
                    self.at += 2;
                }
                _ => return None,
            }
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        if !self.bytes.get(self.at..)?.starts_with(word) {
            return None;
        }
        self.at += word.len();
        Some(())
    }

    fn digits(&mut self) -> &'a [u8] {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    /// A long of at most 18 digits, or a decimal that is written back as it is.
    fn number(&mut self) -> Option<()> {
        let negative = self.peek()? == b'-';
        if negative {
            self.at += 1;
        }
        let whole = self.digits();
        let zero = *whole.first()? == b'0';
        if zero && whole.len() > 1 {
            return None;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            return None;
        }
        if self.peek() != Some(b'.') {
            return (whole.len() <= 18 && !(zero && negative)).then_some(());
        }
        self.at += 1;
        let fraction = self.digits();
        let (first, last) = (*fraction.first()?, *fraction.last()?);
        let ends_well = last != b'0' || fraction.len() == 1;
        // Small numbers may be written with an exponent, and zero has no sign.
        let large = !zero || first != b'0';
        let exponent = matches!(self.peek(), Some(b'e' | b'E'));
        (ends_well && large && !exponent && whole.len() + fraction.len() <= REAL_DIGITS_MAX).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dynamic;
    use crate::dynamic::arbitrary;
    use proptest::prelude::*;

    #[test]
    fn what_logs_hold_is_known_to_be_canonical() {
        for text in [
            r#"{"$id":"1","Name":"x","Location":{"Longitude":4.9,"Asn":-1136,"n":null},"a":[1,2.0,true,[],{}]}"#,
            r#""a\"b\\c\n""#,
            "[0.5,-10.25,0,123456789012345678]",
            "{}",
        ] {
            assert!(is_canonical_json(text), "{text}");
        }
    }

    #[test]
    fn other_text_is_not() {
        for text in [
            "",
            " 1",
            "1 ",
            "[1, 2]",
            r#"{"a" :1}"#,
            r#"{"a":1,"a":2}"#,
            "01",
            "-0",
            "1.50",
            "1e5",
            "0.00001",
            "-0.0",
            r#""\u0041""#,
            r#""\/""#,
            "\"\u{E000}x\"",
            "[1,]",
            "{\"a\"}",
            "[1",
            "\"a",
            "1]",
            "tru",
            "1.0e5",
            "1.",
            "1234567890123456.5",
            "1234567890123456789",
            "{\"a\":1,}",
            "[}",
            "{]",
        ] {
            assert!(!is_canonical_json(text), "{text}");
        }
        assert!(!is_canonical_json(&"[".repeat(5_000)));
        assert_eq!(super::super::PRIVATE_PREFIX.to_string().as_bytes().first(), Some(&PRIVATE_FIRST_BYTE));
    }

    proptest! {
        #[test]
        fn yes_means_the_same_bytes(value in arbitrary::value(), cut in 0usize..40, extra in "[\\[\\]{}\",:0-9.a-ent\\\\ -]{0,3}") {
            let text = value.to_display_json();
            for text in [text.clone(), {
                let at = text.char_indices().map(|(i, _)| i).chain([text.len()]).nth(cut).unwrap_or(text.len());
                format!("{}{extra}{}", &text[..at], &text[at..])
            }] {
                if is_canonical_json(&text) {
                    let read = Dynamic::parse_json(&text).map(|value| value.to_canonical());
                    prop_assert_eq!(read.as_deref(), Some(text.as_str()));
                }
            }
        }

        #[test]
        fn numbers(whole in "-?[0-9]{1,17}", fraction in "(\\.[0-9]{1,16})?") {
            let text = format!("{whole}{fraction}");
            if is_canonical_json(&text) {
                prop_assert_eq!(Dynamic::parse_json(&text).map(|value| value.to_canonical()), Some(text));
            }
        }

        #[test]
        fn plain_length(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let expected = bytes.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f)).unwrap_or(bytes.len());
            prop_assert_eq!(plain_len(&bytes), expected);
        }
    }
}

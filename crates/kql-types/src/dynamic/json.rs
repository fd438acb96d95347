//! The JSON reader.
//!
//! Strict JSON, one pass, no recursion beyond [`DEPTH_MAX`]. Strings without escapes are copied in one piece. A
//! number with a point or an exponent is a real, another one a long, or a real where 64 bits do not hold it.

use std::collections::HashMap;

use super::{Dynamic, PRIVATE_PREFIX};

/// Deeper documents are refused.
pub const DEPTH_MAX: usize = 1_000;

/// From this many keys on, a bag finds duplicates by hash.
const KEYS_LINEAR_MAX: usize = 16;

/// Why a text is not a dynamic value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonError {
    /// Not JSON; the byte where reading stopped.
    Invalid(usize),
    /// Nested more than [`DEPTH_MAX`] deep.
    TooDeep,
}

impl Dynamic {
    /// Reads canonical text: JSON with the private prefix. None when it is not JSON.
    pub fn parse(text: &str) -> Option<Dynamic> {
        Dynamic::parse_checked(text, Strings::Canonical).ok()
    }

    /// Reads JSON from outside: a private prefix at the start of a string is data. None when it is not JSON or
    /// deeper than [`DEPTH_MAX`]. Of duplicate keys the last value wins, at the place of the first.
    pub fn parse_json(text: &str) -> Option<Dynamic> {
        Dynamic::parse_json_checked(text).ok()
    }

    /// As [`Dynamic::parse_json`], with the reason of a refusal.
    pub fn parse_json_checked(text: &str) -> Result<Dynamic, JsonError> {
        Dynamic::parse_checked(text, Strings::Plain)
    }

    fn parse_checked(text: &str, strings: Strings) -> Result<Dynamic, JsonError> {
        let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, strings };
        let value = reader.value(0)?;
        reader.blanks();
        if reader.at < reader.bytes.len() { Err(reader.invalid()) } else { Ok(value) }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Strings {
    Canonical,
    Plain,
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    strings: Strings,
}

impl Reader<'_> {
    fn invalid(&self) -> JsonError {
        JsonError::Invalid(self.at)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.peek() != Some(byte) {
            return Err(self.invalid());
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Dynamic, JsonError> {
        self.blanks();
        match self.peek() {
            Some(b'{') => self.bag(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => {
                let text = self.string()?;
                if self.strings == Strings::Canonical
                    && let Some(body) = text.strip_prefix(PRIVATE_PREFIX)
                {
                    return Dynamic::from_private(body).ok_or_else(|| self.invalid());
                }
                Ok(Dynamic::String(text))
            }
            Some(b't') => self.word("true", Dynamic::Bool(true)),
            Some(b'f') => self.word("false", Dynamic::Bool(false)),
            Some(b'n') => self.word("null", Dynamic::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.invalid()),
        }
    }

    fn word(&mut self, word: &str, value: Dynamic) -> Result<Dynamic, JsonError> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.invalid());
        }
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Result<Dynamic, JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let first = self.peek();
        if self.digits() == 0 || (first == Some(b'0') && self.at - start > 2) {
            return Err(self.invalid());
        }
        if first == Some(b'0') && self.bytes.get(self.at - 1) != Some(&b'0') {
            return Err(self.invalid());
        }
        let mut real = false;
        if self.peek() == Some(b'.') {
            real = true;
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.invalid());
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            real = true;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.invalid());
            }
        }
        let text = &self.text[start..self.at];
        if !real && let Ok(value) = text.parse() {
            return Ok(Dynamic::Long(value));
        }
        text.parse().map(Dynamic::Real).map_err(|_| self.invalid())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut out = String::new();
        let mut start = self.at;
        loop {
            match self.peek() {
                Some(b'"') => {
                    out.push_str(&self.text[start..self.at]);
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    out.push_str(&self.text[start..self.at]);
                    self.at += 1;
                    self.escape(&mut out)?;
                    start = self.at;
                }
                Some(0x20..) => self.at += 1,
                _ => return Err(self.invalid()),
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), JsonError> {
        let escaped = self.peek().ok_or_else(|| self.invalid())?;
        self.at += 1;
        out.push(match escaped {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.unicode()?,
            _ => return Err(self.invalid()),
        });
        Ok(())
    }

    /// The four digits after `\u`, and the second half of a pair; a half without its other half is U+FFFD.
    fn unicode(&mut self) -> Result<char, JsonError> {
        let first = self.hex4()?;
        if (0xD800..0xDC00).contains(&first)
            && self.bytes.get(self.at) == Some(&b'\\')
            && self.bytes.get(self.at + 1) == Some(&b'u')
        {
            let back = self.at;
            self.at += 2;
            let second = self.hex4()?;
            if (0xDC00..0xE000).contains(&second) {
                let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let digits = self.bytes.get(self.at..self.at + 4).ok_or_else(|| self.invalid())?;
        let code = digits.iter().try_fold(0, |sum, &digit| Some(sum * 16 + char::from(digit).to_digit(16)?));
        let code = code.ok_or_else(|| self.invalid())?;
        self.at += 4;
        Ok(code)
    }

    fn array(&mut self, depth: usize) -> Result<Dynamic, JsonError> {
        if depth >= DEPTH_MAX {
            return Err(JsonError::TooDeep);
        }
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Dynamic::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Dynamic::Array(items));
                }
                _ => return Err(self.invalid()),
            }
        }
    }

    fn bag(&mut self, depth: usize) -> Result<Dynamic, JsonError> {
        if depth >= DEPTH_MAX {
            return Err(JsonError::TooDeep);
        }
        self.at += 1;
        let mut bag = BagBuilder::default();
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Dynamic::Bag(Vec::new()));
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(self.invalid());
            }
            let key = self.string()?;
            self.blanks();
            self.expect(b':')?;
            let value = self.value(depth + 1)?;
            bag.set(key, value);
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Dynamic::Bag(bag.entries));
                }
                _ => return Err(self.invalid()),
            }
        }
    }
}

/// A bag in the making: a key set again keeps its place and takes the new value.
#[derive(Debug, Default)]
pub(super) struct BagBuilder {
    pub entries: Vec<(String, Dynamic)>,
    /// Places by key, once there are many.
    places: HashMap<String, usize>,
}

impl BagBuilder {
    pub fn set(&mut self, key: String, value: Dynamic) {
        let place = if self.entries.len() < KEYS_LINEAR_MAX {
            self.entries.iter().position(|(name, _)| *name == key)
        } else {
            if self.places.is_empty() {
                self.places = self.entries.iter().enumerate().map(|(index, (name, _))| (name.clone(), index)).collect();
            }
            self.places.get(&key).copied()
        };
        match place.and_then(|place| self.entries.get_mut(place)) {
            Some(entry) => entry.1 = value,
            None => {
                if !self.places.is_empty() {
                    self.places.insert(key.clone(), self.entries.len());
                }
                self.entries.push((key, value));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(Dynamic::parse_json(text).map(|value| value.to_canonical()).as_deref(), Some(expected), "{text}");
    }

    #[test]
    fn values() {
        check(" [ 1 , -2.50, 1e3, true , false, null ] ", "[1,-2.5,1000.0,true,false,null]");
        check(r#"{"a":1,"b":{"c":[]},"":{}}"#, r#"{"a":1,"b":{"c":[]},"":{}}"#);
        check(r#""\u00e9\ud83d\ude00\ud83d\n\/""#, "\"é😀\u{FFFD}\\n/\"");
        check("0", "0");
        check("-0.0", "-0.0");
        check("12345678901234567890", "12345678901234568000.0");
    }

    #[test]
    fn last_duplicate_wins_at_the_first_place() {
        check(r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#);
        let many: String = (0..40).map(|i| format!("\"k{i}\":0,")).collect();
        let text = format!("{{{many}\"k3\":1,\"k39\":2}}");
        let value = Dynamic::parse_json(&text);
        assert_eq!(value.as_ref().and_then(|v| v.as_bag()).map(<[_]>::len), Some(40));
        assert_eq!(value.as_ref().and_then(|v| v.get("k3")), Some(&Dynamic::Long(1)));
        assert_eq!(value.as_ref().and_then(|v| v.get("k39")), Some(&Dynamic::Long(2)));
    }

    #[test]
    fn not_json() {
        for text in [
            "",
            " ",
            "hello",
            "{",
            "}",
            "[1,]",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "01",
            "-",
            "1.",
            ".5",
            "+1",
            "1e",
            "nul",
            "\"abc",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\t\"",
            "[1] 2",
            "NaN",
            "{'a':1}",
            "-01",
        ] {
            assert_eq!(Dynamic::parse_json(text), None, "{text}");
        }
    }

    #[test]
    fn a_private_prefix_from_outside_is_data() {
        let value = Dynamic::parse_json("\"\u{E000}d2020\"");
        assert_eq!(value, Some(Dynamic::String("\u{E000}d2020".to_owned())));
        assert_eq!(value.map(|v| v.to_canonical()).as_deref(), Some("\"\u{E000}\u{E000}d2020\""));
    }

    #[test]
    fn depth() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Dynamic::parse_json_checked(&nested(DEPTH_MAX)).is_ok());
        assert_eq!(Dynamic::parse_json_checked(&nested(DEPTH_MAX + 1)), Err(JsonError::TooDeep));
        assert_eq!(Dynamic::parse_json_checked(&"{\"a\":".repeat(100_000)), Err(JsonError::TooDeep));
    }

    proptest! {
        #[test]
        fn any_text_is_safe(text in ".{0,40}") {
            let _ = Dynamic::parse_json(&text);
        }

        #[test]
        fn any_jsonlike_text_is_safe(text in "[\\[\\]{}\",:0-9a-fntrue\\\\ .eE+-]{0,40}") {
            if let Some(value) = Dynamic::parse_json(&text) {
                prop_assert_eq!(Dynamic::parse(&value.to_canonical()), Some(value));
            }
        }
    }
}

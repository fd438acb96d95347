//! The inside of a `dynamic(...)` literal: JSON where strings may have either quote and Kusto's own literals may
//! stand: `dynamic({"t": datetime(2020-01-01), 'd': 1.5h, "n": dynamic([real(1)])})`.

use super::Dynamic;
use super::json::{BagBuilder, DEPTH_MAX};
use crate::{datetime, guid, number, timespan};

impl Dynamic {
    /// Reads what stands between the parentheses of a `dynamic(...)` literal. None when it is not such a value.
    pub fn parse_literal(text: &str) -> Option<Dynamic> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(0)?;
        reader.blanks();
        (reader.at == text.len()).then_some(value)
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Blanks and comments.
    fn blanks(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with("//") {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    fn value(&mut self, depth: usize) -> Option<Dynamic> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.blanks();
        match self.peek()? {
            b'[' => self.array(depth),
            b'{' => self.bag(depth),
            b'"' | b'\'' | b'@' => self.string().map(Dynamic::String),
            b'h' | b'H' if matches!(self.text.as_bytes().get(self.at + 1), Some(b'"' | b'\'' | b'@')) => {
                self.at += 1;
                self.string().map(Dynamic::String)
            }
            b'-' | b'+' | b'.' | b'0'..=b'9' => self.number(),
            _ => self.word(depth),
        }
    }

    fn array(&mut self, depth: usize) -> Option<Dynamic> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.blanks();
            if self.take(b']') {
                return Some(Dynamic::Array(items));
            }
            items.push(self.value(depth + 1)?);
            self.blanks();
            if !self.take(b',') && self.peek() != Some(b']') {
                return None;
            }
        }
    }

    fn bag(&mut self, depth: usize) -> Option<Dynamic> {
        self.at += 1;
        let mut bag = BagBuilder::default();
        loop {
            self.blanks();
            if self.take(b'}') {
                return Some(Dynamic::Bag(bag.entries));
            }
            let key = self.string()?;
            self.blanks();
            if !self.take(b':') {
                return None;
            }
            let value = self.value(depth + 1)?;
            bag.set(key, value);
            self.blanks();
            if !self.take(b',') && self.peek() != Some(b'}') {
                return None;
            }
        }
    }

    /// A string in either quote, with escapes, or verbatim behind `@`.
    fn string(&mut self) -> Option<String> {
        let verbatim = self.take(b'@');
        let quote = self.peek().filter(|byte| matches!(byte, b'"' | b'\''))?;
        self.at += 1;
        let mut out = String::new();
        loop {
            let next = self.rest().chars().next()?;
            self.at += next.len_utf8();
            if next == char::from(quote) {
                if verbatim && self.take(quote) {
                    out.push(next);
                    continue;
                }
                return Some(out);
            }
            if next == '\\' && !verbatim {
                out.push(self.escape()?);
            } else {
                out.push(next);
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let escaped = self.rest().chars().next()?;
        self.at += escaped.len_utf8();
        Some(match escaped {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'a' => '\u{7}',
            'v' => '\u{b}',
            '0' => '\0',
            'u' => return self.unicode(),
            'x' => self.hex(2).and_then(char::from_u32)?,
            other => other,
        })
    }

    fn unicode(&mut self) -> Option<char> {
        let first = self.hex(4)?;
        if (0xD800..0xDC00).contains(&first) && self.rest().starts_with("\\u") {
            let back = self.at;
            self.at += 2;
            if let Some(second) = self.hex(4).filter(|code| (0xDC00..0xE000).contains(code)) {
                return char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00));
            }
            self.at = back;
        }
        Some(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self, count: usize) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + count)?;
        let code = u32::from_str_radix(digits, 16).ok()?;
        self.at += count;
        Some(code)
    }

    /// A number, or a timespan such as `1.5h`.
    fn number(&mut self) -> Option<Dynamic> {
        let rest = self.rest();
        let sign = usize::from(rest.starts_with(['-', '+']));
        let mut end = sign;
        let bytes = rest.as_bytes();
        while let Some(byte) = bytes.get(end) {
            let in_exponent = end > 0 && matches!(bytes[end - 1], b'e' | b'E') && matches!(byte, b'+' | b'-');
            if !(byte.is_ascii_alphanumeric() || *byte == b'.' || in_exponent) {
                break;
            }
            end += 1;
        }
        let text = &rest[..end];
        self.at += end;
        if let Some(value) = number::parse_long(text) {
            return Some(Dynamic::Long(value));
        }
        let is_number = text[sign..].bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
        if is_number {
            return number::parse_real(text).map(Dynamic::Real);
        }
        timespan::parse(text).map(Dynamic::TimeSpan)
    }

    /// `true`, `null`, `datetime(...)` and the like.
    fn word(&mut self, depth: usize) -> Option<Dynamic> {
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let word = &rest[..length];
        self.at += length;
        match word {
            "true" | "True" | "TRUE" => return Some(Dynamic::Bool(true)),
            "false" | "False" | "FALSE" => return Some(Dynamic::Bool(false)),
            "null" => return Some(Dynamic::Null),
            "" => return None,
            _ => {}
        }
        self.blanks();
        if !self.take(b'(') {
            return None;
        }
        if word == "dynamic" {
            let value = self.value(depth + 1)?;
            self.blanks();
            return self.take(b')').then_some(value);
        }
        let close = self.rest().find(')')?;
        let inside = self.rest()[..close].trim();
        self.at += close + 1;
        let inside = unquoted(inside);
        if inside == "null" {
            return Some(Dynamic::Null);
        }
        Some(match word {
            "datetime" | "date" => Dynamic::DateTime(datetime::parse(inside)?),
            "timespan" | "time" => Dynamic::TimeSpan(timespan::parse(inside)?),
            "guid" | "uuid" | "uniqueid" => Dynamic::Guid(guid::parse(inside)?),
            "decimal" => Dynamic::Decimal(number::parse_decimal(inside)?),
            "real" | "double" => Dynamic::Real(number::parse_real(inside)?),
            "int" | "long" => Dynamic::Long(number::parse_long(inside)?),
            "bool" | "boolean" => Dynamic::Bool(match inside {
                "true" | "1" => true,
                "false" | "0" => false,
                _ => return None,
            }),
            _ => return None,
        })
    }
}

/// Without the quotes around, if there are any.
fn unquoted(text: &str) -> &str {
    ['"', '\'']
        .iter()
        .find_map(|&quote| text.strip_prefix(quote).and_then(|inner| inner.strip_suffix(quote)))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::Dynamic;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = Dynamic::parse_literal(text).map(|value| value.to_display_json());
        assert_eq!(found.as_deref(), Some(expected), "{text}");
    }

    #[test]
    fn json_in_either_quote() {
        check("[1, 'two', \"3\", 4.0, -5, null, true]", r#"[1,"two","3",4.0,-5,null,true]"#);
        check("{'a': {\"b\": []}, }", r#"{"a":{"b":[]}}"#);
        check("{'Y10': dynamic({}), 'X8': dynamic([1])}", r#"{"Y10":{},"X8":[1]}"#);
        check(r"'it\'s\n'", r#""it's\n""#);
        check(r"[@'C:\dir']", r#"["C:\\dir"]"#);
        check("[1, // one\n 2]", "[1,2]");
        check("null", "null");
        check("'a'", "\"a\"");
        check("\"\\ud83d\\ude00\"", "\"😀\"");
    }

    #[test]
    fn kusto_literals() {
        check(
            "[datetime(2020-01-01), 1d, 1.5h, -2m]",
            r#"["2020-01-01T00:00:00.0000000Z","1.00:00:00","01:30:00","-00:02:00"]"#,
        );
        check(
            "[time(01:00:00), guid(0f8fad5b-d9cb-469f-a165-70867728950e)]",
            r#"["01:00:00","0f8fad5b-d9cb-469f-a165-70867728950e"]"#,
        );
        check("[long(1), real(1), int(null), bool(true), real(nan)]", r#"[1,1.0,null,true,"NaN"]"#);
        assert_eq!(Dynamic::parse_literal("datetime(2020-01-01)").map(|v| v.type_name()), Some("datetime"));
    }

    #[test]
    fn not_a_literal() {
        for text in ["", "[1", "{1:2}", "{'a'}", "[1 2]", "foo", "foo(1)", "1 2", "datetime(x)", "'a", "1d2", "["] {
            assert_eq!(Dynamic::parse_literal(text), None, "{text}");
        }
        assert_eq!(Dynamic::parse_literal(&"[".repeat(100_000)), None);
    }

    proptest! {
        #[test]
        fn json_is_a_literal(value in crate::dynamic::arbitrary::value()) {
            let text = value.to_display_json();
            prop_assert_eq!(Dynamic::parse_literal(&text), Dynamic::parse_json(&text), "{}", text);
        }

        #[test]
        fn any_text_is_safe(text in ".{0,40}") {
            let _ = Dynamic::parse_literal(&text);
        }
    }
}

//! JSON strings and plain text: taking escapes away, and writing them.

use std::borrow::Cow;

/// The text of a JSON string given without its quotes. A lone surrogate becomes U+FFFD.
pub(crate) fn unescape(inner: &str) -> Cow<'_, str> {
    match memchr::memchr(b'\\', inner.as_bytes()) {
        None => Cow::Borrowed(inner),
        Some(first) => {
            let mut out = String::with_capacity(inner.len());
            unescape_into(inner, first, &mut out);
            Cow::Owned(out)
        }
    }
}

fn unescape_into(inner: &str, first: usize, out: &mut String) {
    let mut from = 0;
    let mut next = Some(first);
    while let Some(at) = next {
        out.push_str(inner.get(from..at).unwrap_or_default());
        let (character, length) = escape_at(inner.as_bytes(), at);
        out.push(character);
        from = at + length;
        next = inner.as_bytes().get(from..).and_then(|rest| memchr::memchr(b'\\', rest)).map(|index| from + index);
    }
    out.push_str(inner.get(from..).unwrap_or_default());
}

/// The character an escape at `at` (its backslash) stands for, and the escape's length.
pub(crate) fn escape_at(bytes: &[u8], at: usize) -> (char, usize) {
    let character = match bytes.get(at + 1) {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'u') => {
            let Some(unit) = hex4(bytes, at + 2) else { return ('\u{fffd}', 2) };
            if (0xD800..0xDC00).contains(&unit)
                && bytes.get(at + 6) == Some(&b'\\')
                && bytes.get(at + 7) == Some(&b'u')
                && let Some(low) = hex4(bytes, at + 8)
                && (0xDC00..0xE000).contains(&low)
            {
                let code = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                return (char::from_u32(code).unwrap_or('\u{fffd}'), 12);
            }
            return (char::from_u32(unit).unwrap_or('\u{fffd}'), 6);
        }
        Some(&other) => other as char,
        None => return ('\u{fffd}', 1),
    };
    (character, 2)
}

fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = std::str::from_utf8(bytes.get(at..at + 4)?).ok()?;
    u32::from_str_radix(digits, 16).ok()
}

/// Writes one character inside a JSON string: only what must be escaped is.
pub(crate) fn push_escaped(character: char, out: &mut String) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        other if other < ' ' => {
            out.push_str("\\u00");
            for shift in [4, 0] {
                out.push(char::from_digit((other as u32 >> shift) & 0xF, 16).unwrap_or('0'));
            }
        }
        other => out.push(other),
    }
}

/// A text as a JSON string with its quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        push_escaped(character, &mut out);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_characters() {
        assert_eq!(unescape("plain"), "plain");
        assert_eq!(unescape(r"a\n\t\r\b\f\/\\\x"), "a\n\t\r\u{8}\u{c}/\\x");
        assert_eq!(unescape(r"\u017c\ud83d\ude00\ud83d-\udc00"), "ż😀\u{fffd}-\u{fffd}");
    }

    #[test]
    fn quoting_reverses_unescaping() {
        let text = "a\"b\\c\nd\u{1}ż😀";
        let json = quoted(text);
        assert_eq!(json, r#""a\"b\\c\nd\u0001ż😀""#);
        assert_eq!(unescape(&json[1..json.len() - 1]), text);
    }
}

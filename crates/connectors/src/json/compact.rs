//! Raw JSON as compact text: no space outside strings, escapes only where needed, keys and numbers as logged.
//!
//! What is compact already is borrowed, which is the usual case for logs written by machines.

use std::borrow::Cow;

use super::text::{escape_at, push_escaped};

/// The compact form of a valid JSON value.
pub(crate) fn compact(raw: &str) -> Cow<'_, str> {
    let bytes = raw.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => match plain_string_end(bytes, at + 1) {
                Some(end) => at = end,
                None => return Cow::Owned(rewrite(raw, at)),
            },
            b' ' | b'\n' | b'\r' | b'\t' => return Cow::Owned(rewrite(raw, at)),
            _ => at += 1,
        }
    }
    Cow::Borrowed(raw)
}

/// The end of a string whose escapes are all needed; None when it has one that is not.
fn plain_string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        match bytes.get(at + 1) {
            Some(b'"' | b'\\' | b'n' | b'r' | b't' | b'b' | b'f') => at += 2,
            _ => return None,
        }
    }
}

fn rewrite(raw: &str, start: usize) -> String {
    let bytes = raw.as_bytes();
    let mut out = String::with_capacity(raw.len());
    out.push_str(raw.get(..start).unwrap_or_default());
    let mut at = start;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = rewrite_string(raw, at, &mut out),
            b' ' | b'\n' | b'\r' | b'\t' => at += 1,
            _ => {
                // Outside strings valid JSON is ASCII.
                out.push(byte as char);
                at += 1;
            }
        }
    }
    out
}

/// Copies the string whose opening quote is at `start`, with only the needed escapes; gives its end.
pub(crate) fn rewrite_string(raw: &str, start: usize, out: &mut String) -> usize {
    let bytes = raw.as_bytes();
    out.push('"');
    let mut from = start + 1;
    loop {
        let Some(at) = bytes.get(from..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)).map(|index| from + index)
        else {
            out.push_str(raw.get(from..).unwrap_or_default());
            out.push('"');
            return bytes.len();
        };
        out.push_str(raw.get(from..at).unwrap_or_default());
        if bytes.get(at) == Some(&b'"') {
            out.push('"');
            return at + 1;
        }
        let (character, length) = escape_at(bytes, at);
        push_escaped(character, out);
        from = at + length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_text_is_borrowed() {
        for raw in [r#"{"a":[1,2.50],"b c":" x \" \\ \n"}"#, "null", "12"] {
            assert!(matches!(compact(raw), Cow::Borrowed(_)), "{raw}");
        }
    }

    #[test]
    fn space_goes_and_needless_escapes_go() {
        assert_eq!(compact("{ \"b\" : [ 1.0 ,\n\t2 ], \"a\":\" x \" }"), r#"{"b":[1.0,2],"a":" x "}"#);
        assert_eq!(compact(r#"{"a":"x\/y\u0026z\u0001\u017c","k":"\u0022"}"#), r#"{"a":"x/y&z\u0001ż","k":"\""}"#);
    }
}

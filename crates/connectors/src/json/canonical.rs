//! Raw JSON as canonical dynamic text: compact, the last of equal keys, numbers as Kusto prints them.
//!
//! The usual record needs nothing but the removal of space, so this first looks for anything that needs more (a number
//! that is not a plain integer, equal keys, the private prefix of `kql_types::dynamic`) and only then builds a value.

use std::borrow::Cow;

use kql_types::Dynamic;

use super::compact::compact;

/// The canonical form of a valid JSON value; None for the dynamic null.
pub(crate) fn canonical(raw: &str) -> Option<Cow<'_, str>> {
    if raw == "null" {
        return None;
    }
    let compacted = compact(raw);
    if plain(&compacted) {
        return Some(compacted);
    }
    rebuilt(&compacted).map(Cow::Owned)
}

/// True when compact JSON is canonical as it stands.
fn plain(text: &str) -> bool {
    numbers_are_plain(text.as_bytes()) && !text.contains('\u{e000}') && keys_are_unique(text)
}

/// True when every number is an integer of at most 18 digits, without a minus zero.
fn numbers_are_plain(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(bytes, at + 1),
            b'-' | b'0'..=b'9' => {
                let start = at;
                at += 1;
                while let Some(b'0'..=b'9') = bytes.get(at) {
                    at += 1;
                }
                let minus_zero = byte == b'-' && bytes.get(start + 1) == Some(&b'0');
                if let Some(b'.' | b'e' | b'E') = bytes.get(at) {
                    return false;
                }
                if at - start > 18 || minus_zero {
                    return false;
                }
            }
            _ => at += 1,
        }
    }
    true
}

fn string_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(index) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += index;
        if bytes.get(at) == Some(&b'"') {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

/// True when no object, at any depth, has a key twice.
fn keys_are_unique(text: &str) -> bool {
    let bytes = text.as_bytes();
    // Keys seen in each open container; a key is a string followed by a colon.
    let mut open: Vec<Vec<&str>> = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => open.push(Vec::new()),
            b'}' | b']' => {
                open.pop();
            }
            b'"' => {
                let end = string_end(bytes, at + 1);
                if bytes.get(end) == Some(&b':')
                    && let (Some(keys), Some(key)) = (open.last_mut(), text.get(at..end))
                {
                    if keys.len() > 64 || keys.contains(&key) {
                        return false;
                    }
                    keys.push(key);
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    true
}

/// Through a value: the slow way.
fn rebuilt(text: &str) -> Option<String> {
    match Dynamic::parse_json(text)? {
        Dynamic::Null => None,
        value => Some(value.to_canonical()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_records_are_borrowed() {
        let raw = r#"{"a":[1,-20,"x"],"b":{"a":true}}"#;
        assert!(matches!(canonical(raw), Some(Cow::Borrowed(text)) if text == raw));
        assert_eq!(canonical("null"), None);
    }

    #[test]
    fn what_needs_more_is_rebuilt_as_the_value_prints() {
        for raw in [
            r#"{"a":1,"b":2,"a":3}"#,
            "[1.50,1e3,-0,12345678901234567890]",
            "[\"\u{e000}x\",\"\\ue000y\"]",
            r#"{"k":{"z":1,"z":[2.0]}}"#,
        ] {
            let expected = Dynamic::parse_json(raw).unwrap().to_canonical();
            assert_eq!(canonical(raw).as_deref(), Some(expected.as_str()), "{raw}");
        }
        assert_eq!(canonical(r#"{"a":1,"b":2,"a":3}"#).as_deref(), Some(r#"{"a":3,"b":2}"#));
    }
}

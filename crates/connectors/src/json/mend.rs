//! Almost-JSON to JSON: what careless exporters and hands leave in a record that can still be read one way only.
//!
//! Commas before a closing bracket are dropped, control characters inside strings are escaped, bytes that are no UTF-8
//! become U+FFFD. Anything else stays broken.

use super::scan::{self, skip_space};
use super::text::push_escaped;

/// The one object that `bytes` holds, in strict JSON, and what was mended.
pub(crate) fn mended(bytes: &[u8], depth_max: usize) -> Option<(String, &'static str)> {
    let valid = std::str::from_utf8(bytes).is_ok();
    let text = String::from_utf8_lossy(bytes);
    let (out, commas, controls) = rewritten(&text)?;
    let what = match (commas, controls, valid) {
        (true, _, _) => "comma before a closing bracket",
        (_, true, _) => "control characters in a string",
        (_, _, false) => "invalid UTF-8",
        (false, false, true) => return None,
    };
    let end = scan::skip_value(out.as_bytes(), 0, depth_max).ok()?;
    let rest = out.get(end..)?;
    let separators = rest.bytes().all(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b',' | b']'));
    (out.starts_with('{') && separators).then(|| (out.get(..end).unwrap_or_default().to_owned(), what))
}

/// The text with commas before closing brackets gone and control characters in strings escaped.
fn rewritten(text: &str) -> Option<(String, bool, bool)> {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len() + 16);
    let (mut commas, mut controls) = (false, false);
    let mut in_string = false;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match (in_string, character) {
            (true, '\\') => {
                out.push(character);
                out.push(characters.next()?.1);
            }
            (true, control) if control < ' ' => {
                controls = true;
                push_escaped(control, &mut out);
            }
            (_, '"') => {
                in_string = !in_string;
                out.push(character);
            }
            (false, ',') if matches!(bytes.get(skip_space(bytes, at + 1)), Some(b'}' | b']')) => commas = true,
            _ => out.push(character),
        }
    }
    Some((out, commas, controls))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mend(text: &[u8]) -> Option<String> {
        mended(text, 100).map(|(text, _)| text)
    }

    #[test]
    fn what_can_be_read_one_way_is_mended() {
        assert_eq!(mend(b"{\"a\":[1,],\"b\":2, }\n").as_deref(), Some(r#"{"a":[1],"b":2 }"#));
        assert_eq!(mend(b"{\"a\":\"x\ty\"},").as_deref(), Some(r#"{"a":"x\ty"}"#));
        assert_eq!(mend(b"{\"a\":\",]\",}").as_deref(), Some(r#"{"a":",]"}"#));
    }

    #[test]
    fn what_is_broken_otherwise_stays_broken() {
        for text in
            ["{\"a\":1", "{\"a\":1} {\"b\":2,}", "{\"a\":1,,}", "{a:1,}", "[1,]", "{\"a\":\"x\",\"b", "{\"a\":1}"]
        {
            assert_eq!(mend(text.as_bytes()), None, "{text}");
        }
    }
}

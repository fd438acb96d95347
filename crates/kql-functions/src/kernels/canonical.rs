//! Takes canonical dynamic text apart without building a tree.
//!
//! Canonical text is compact JSON that some kernel has written, so that a value ends where its brackets, quotes or the
//! next comma say. On other text the result is a value cut short, never a panic.

use kql_types::dynamic::plain_len;

/// The elements of an array, each as canonical text; None when the text is no array.
pub fn array_items(text: &str) -> Option<Items<'_>> {
    let body = text.strip_prefix('[')?.strip_suffix(']')?;
    Some(Items { rest: body })
}

/// The entries of a bag: key with its quotes and escapes, and value; None when the text is no bag.
pub fn bag_entries(text: &str) -> Option<Entries<'_>> {
    let body = text.strip_prefix('{')?.strip_suffix('}')?;
    Some(Entries { rest: body })
}

/// See [`array_items`].
#[derive(Debug, Clone)]
pub struct Items<'a> {
    rest: &'a str,
}

impl Items<'_> {
    /// Whether nothing is left.
    pub fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// The byte of the whole `text` that is read next.
    pub fn offset_in(&self, text: &str) -> usize {
        text.len() - 1 - self.rest.len()
    }

    /// Goes on from a byte of the whole text that [`Items::offset_in`] gave; 0 is the start.
    pub fn skip_to(&mut self, offset: usize) {
        self.rest = self.rest.get(offset.saturating_sub(1)..).unwrap_or("");
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let (item, rest) = self.rest.split_at(value_len(self.rest));
        self.rest = after(rest, b',');
        Some(item)
    }
}

/// See [`bag_entries`].
#[derive(Debug, Clone)]
pub struct Entries<'a> {
    rest: &'a str,
}

impl Entries<'_> {
    /// Whether nothing is left.
    pub fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// The byte of the whole `text` that is read next.
    pub fn offset_in(&self, text: &str) -> usize {
        text.len() - 1 - self.rest.len()
    }

    /// Goes on from a byte of the whole text that [`Entries::offset_in`] gave; 0 is the start.
    pub fn skip_to(&mut self, offset: usize) {
        self.rest = self.rest.get(offset.saturating_sub(1)..).unwrap_or("");
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<(&'a str, &'a str)> {
        if self.rest.is_empty() {
            return None;
        }
        let (key, rest) = self.rest.split_at(value_len(self.rest));
        let rest = after(rest, b':');
        let (value, rest) = rest.split_at(value_len(rest));
        self.rest = after(rest, b',');
        Some((key, value))
    }
}

/// The text after an ASCII character at its start; nothing when it starts with another one.
#[inline]
fn after(text: &str, byte: u8) -> &str {
    match text.as_bytes().first() {
        Some(first) if *first == byte => text.get(1..).unwrap_or(""),
        _ => "",
    }
}

/// Bytes of the value at the start of the text.
fn value_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'"') => string_len(bytes),
        Some(b'[' | b'{') => nested_len(bytes),
        _ => bytes.iter().position(|byte| matches!(byte, b',' | b':' | b']' | b'}')).unwrap_or(bytes.len()),
    }
}

/// Bytes of the string at the start, both quotes included.
fn string_len(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(rest) = bytes.get(at..) {
        at += plain_len(rest);
        match bytes.get(at) {
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
            None => break,
        }
    }
    bytes.len()
}

/// Bytes of the array or bag at the start.
fn nested_len(bytes: &[u8]) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at += string_len(&bytes[at..]);
                continue;
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items() {
        let items = |text| array_items(text).unwrap().collect::<Vec<_>>();
        assert_eq!(items("[]"), [""; 0]);
        assert_eq!(items(r#"[1,"a,]\"b",{"k":[1,2]},[],null]"#), ["1", r#""a,]\"b""#, r#"{"k":[1,2]}"#, "[]", "null"]);
        assert!(array_items("1").is_none() && array_items("").is_none() && array_items("[").is_none());
    }

    #[test]
    fn entries() {
        let entries = |text| bag_entries(text).unwrap().collect::<Vec<_>>();
        assert_eq!(entries("{}"), []);
        assert_eq!(
            entries(r#"{"a":1,"b:c":{"x":"}"},"":[1]}"#),
            [(r#""a""#, "1"), (r#""b:c""#, r#"{"x":"}"}"#), (r#""""#, "[1]"),]
        );
    }

    #[test]
    fn broken_text_ends() {
        for text in [r#"["a"#, r#"["\"]"#, "[[1]", "[1}]", r#"["a\é]"#, "[,,]", "[}]"] {
            assert!(array_items(text).is_none_or(|items| items.count() < 10), "{text}");
        }
        assert!(bag_entries(r#"{"a"1}"#).is_some_and(|entries| entries.count() < 10));
    }
}

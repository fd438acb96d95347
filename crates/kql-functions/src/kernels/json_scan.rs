//! Finds values in JSON text by path without building a tree.
//!
//! Two scanners. [`find_canonical`] reads canonical text, where keys are unique and every byte is known to be right: it
//! stops at the match. [`find_raw`] reads what logs hold: it checks the whole text (a document cut short has no
//! fields) and takes the last of duplicate keys, as `parse_json` does.

use kql_types::Dynamic;
use kql_types::dynamic::{DEPTH_MAX, PRIVATE_PREFIX, plain_len, push_display_string};
use std::borrow::Cow;

use super::canonical::{array_items, bag_entries};

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Key {
        name: String,
        /// As it stands in canonical text: with quotes and escapes.
        quoted: String,
    },
    /// Negative counts from the end.
    Index(i64),
}

impl Step {
    pub fn key(name: &str) -> Step {
        let mut quoted = String::with_capacity(name.len() + 2);
        push_display_string(name, &mut quoted);
        Step::Key { name: name.to_owned(), quoted }
    }
}

/// The canonical text at a path of a canonical text; None when there is nothing.
pub fn find_canonical<'a>(text: &'a str, steps: &[Step]) -> Option<&'a str> {
    let mut value = text;
    for step in steps {
        value = match step {
            Step::Key { quoted, .. } => bag_entries(value)?.find(|(key, _)| key == quoted)?.1,
            Step::Index(index) if *index >= 0 => array_items(value)?.nth(usize::try_from(*index).ok()?)?,
            Step::Index(index) => {
                let count = array_items(value)?.count() as i64;
                array_items(value)?.nth(usize::try_from(index.checked_add(count)?).ok()?)?
            }
        };
    }
    Some(value)
}

/// The text at a path of any JSON text, as written there; None when there is nothing, and when the text is not JSON.
pub fn find_raw<'a>(text: &'a str, steps: &[Step]) -> Option<&'a str> {
    let mut scan = Scan { bytes: text.as_bytes(), at: 0, open: Vec::new() };
    let found = scan.value(steps)?;
    scan.blanks();
    if scan.at < text.len() {
        return None;
    }
    let (start, end) = found?;
    text.get(start..end)
}

/// The canonical text of one JSON value as written, which [`find_raw`] gave.
pub fn canonical(raw: &str) -> Cow<'_, str> {
    let bytes = raw.as_bytes();
    let plain = match bytes.first() {
        Some(b'"') => !raw.contains(['\\', PRIVATE_PREFIX]),
        Some(b't' | b'f' | b'n') => true,
        Some(b'0'..=b'9') => bytes.len() <= 18 && bytes.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if plain {
        return Cow::Borrowed(raw);
    }
    match Dynamic::parse_json(raw) {
        Some(value) => Cow::Owned(value.to_canonical()),
        None => Cow::Borrowed("null"),
    }
}

/// A place in the text: start and end.
type Place = (usize, usize);

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The closing brackets that the value being skipped waits for.
    open: Vec<u8>,
}

/// Every method gives None where the text is not JSON.
impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Reads a value to its end and finds the place at the path in it.
    fn value(&mut self, steps: &[Step]) -> Option<Option<Place>> {
        self.blanks();
        let Some((step, rest)) = steps.split_first() else {
            let start = self.at;
            self.skip()?;
            return Some(Some((start, self.at)));
        };
        match (step, self.peek()?) {
            (Step::Key { name, .. }, b'{') => self.bag(name, rest),
            (Step::Index(index), b'[') => self.array(*index, rest),
            _ => {
                self.skip()?;
                Some(None)
            }
        }
    }

    fn bag(&mut self, name: &str, rest: &[Step]) -> Option<Option<Place>> {
        let mut found = None;
        self.at += 1;
        self.blanks();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(found);
        }
        loop {
            self.blanks();
            let start = self.at;
            self.string()?;
            let key = self.bytes.get(start + 1..self.at - 1)?;
            self.blanks();
            if self.peek()? != b':' {
                return None;
            }
            self.at += 1;
            if key_is(key, name) {
                // The last of duplicate keys counts, also when the path leads to nothing in it.
                found = self.value(rest)?;
            } else {
                self.blanks();
                self.skip()?;
            }
            self.blanks();
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Some(found);
                }
                _ => return None,
            }
        }
    }

    fn array(&mut self, index: i64, rest: &[Step]) -> Option<Option<Place>> {
        let mut found = None;
        // For an index from the end the starts of all elements are kept.
        let mut starts = Vec::new();
        let mut count = 0;
        self.at += 1;
        self.blanks();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(found);
        }
        loop {
            self.blanks();
            if index < 0 {
                starts.push(self.at);
            }
            if count == index {
                found = self.value(rest)?;
            } else {
                self.skip()?;
            }
            count += 1;
            self.blanks();
            match self.peek()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    break;
                }
                _ => return None,
            }
        }
        if let Some(start) = usize::try_from(index.saturating_add(count)).ok().and_then(|place| starts.get(place)) {
            let end = self.at;
            self.at = *start;
            found = self.value(rest)?;
            self.at = end;
        }
        Some(found)
    }

    /// Passes over one value.
    fn skip(&mut self) -> Option<()> {
        self.open.clear();
        loop {
            match self.peek()? {
                b'"' => self.string()?,
                b'-' | b'0'..=b'9' => self.number()?,
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                b'{' => {
                    self.at += 1;
                    self.blanks();
                    if self.peek()? != b'}' {
                        self.push(b'}')?;
                        self.key()?;
                        continue;
                    }
                    self.at += 1;
                }
                b'[' => {
                    self.at += 1;
                    self.blanks();
                    if self.peek()? != b']' {
                        self.push(b']')?;
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

    /// After a value: passes closing brackets up to the next value of an open one; false when none is open.
    fn close(&mut self) -> Option<bool> {
        while let Some(closing) = self.open.last().copied() {
            self.blanks();
            match self.peek()? {
                b',' => {
                    self.at += 1;
                    self.blanks();
                    if closing == b'}' {
                        self.key()?;
                    }
                    return Some(true);
                }
                byte if byte == closing => {
                    self.at += 1;
                    self.open.pop();
                }
                _ => return None,
            }
        }
        Some(false)
    }

    fn push(&mut self, closing: u8) -> Option<()> {
        if self.open.len() >= DEPTH_MAX {
            return None;
        }
        self.open.push(closing);
        Some(())
    }

    /// A key, the colon and blanks.
    fn key(&mut self) -> Option<()> {
        self.string()?;
        self.blanks();
        if self.peek()? != b':' {
            return None;
        }
        self.at += 1;
        self.blanks();
        Some(())
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        if !self.bytes.get(self.at..)?.starts_with(word) {
            return None;
        }
        self.at += word.len();
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn number(&mut self) -> Option<()> {
        if self.peek()? == b'-' {
            self.at += 1;
        }
        if self.peek()? == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    /// A string with its quotes.
    fn string(&mut self) -> Option<()> {
        if self.peek()? != b'"' {
            return None;
        }
        self.at += 1;
        loop {
            self.at += plain_len(self.bytes.get(self.at..)?);
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        match self.bytes.get(self.at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
            b'u' => {
                let digits = self.bytes.get(self.at + 2..self.at + 6)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                self.at += 6;
            }
            _ => return None,
        }
        Some(())
    }
}

/// Whether a key as written (without quotes) has a name.
fn key_is(key: &[u8], name: &str) -> bool {
    if !key.contains(&b'\\') {
        return key == name.as_bytes();
    }
    let mut quoted = vec![b'"'];
    quoted.extend_from_slice(key);
    quoted.push(b'"');
    match std::str::from_utf8(&quoted).ok().and_then(Dynamic::parse_json) {
        Some(Dynamic::String(key)) => key == name,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn steps(path: &[&str]) -> Vec<Step> {
        path.iter().map(|step| step.parse().map_or_else(|_| Step::key(step), Step::Index)).collect()
    }

    /// What a full parser finds.
    fn reference(text: &str, steps: &[Step]) -> Option<Dynamic> {
        let mut value = Dynamic::parse_json(text)?;
        for step in steps {
            value = match step {
                Step::Key { name, .. } => value.get(name)?.clone(),
                Step::Index(index) => value.at(*index)?.clone(),
            };
        }
        Some(value)
    }

    #[test]
    fn raw_text() {
        let find = |text, path: &[&str]| find_raw(text, &steps(path)).map(|raw| canonical(raw).into_owned());
        let text = r#" { "a" : [ 1 , {"b\u0063": "x\"y"} , 2.50 ] , "d": {}, "e": 12345678901234567890 } "#;
        assert_eq!(find(text, &["a", "0"]).as_deref(), Some("1"));
        assert_eq!(find(text, &["a", "-1"]).as_deref(), Some("2.5"));
        assert_eq!(find(text, &["a", "1", "bc"]).as_deref(), Some(r#""x\"y""#));
        assert_eq!(find(text, &["a", "-2"]).as_deref(), Some(r#"{"bc":"x\"y"}"#));
        assert_eq!(find(text, &["e"]).as_deref(), Some("12345678901234568000.0"));
        assert_eq!(find(text, &["d", "x"]), None);
        assert_eq!(find(text, &["a", "3"]), None);
        assert_eq!(find(text, &["a", "-4"]), None);
        assert_eq!(find(text, &["a", "b"]), None);
    }

    #[test]
    fn the_last_of_duplicate_keys_counts() {
        let find = |text, path: &[&str]| find_raw(text, &steps(path));
        assert_eq!(find(r#"{"a":1,"a":2}"#, &["a"]), Some("2"));
        assert_eq!(find(r#"{"a":{"b":1},"a":{"c":2}}"#, &["a", "b"]), None);
    }

    #[test]
    fn a_document_cut_short_has_no_fields() {
        for text in [r#"{"a":1,"b":"#, r#"{"a":1"#, r#"{"a":1}x"#, r#"{"a":1,}"#, "plain text", "", r#"{"a":01}"#] {
            assert_eq!(find_raw(text, &steps(&["a"])), None, "{text}");
        }
        let deep = format!("{{\"a\":1,\"b\":{}}}", "[".repeat(5_000) + &"]".repeat(5_000));
        assert_eq!(find_raw(&deep, &steps(&["a"])), None);
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof!["[a-c]".prop_map(|key| Step::key(&key)), (-3i64..3).prop_map(Step::Index)]
    }

    fn any_json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            any::<i64>().prop_map(|n| n.to_string()),
            (-1e6f64..1e6).prop_map(|x| format!("{x:?}")),
            "[a-z\u{e9} ]{0,20}".prop_map(|s| format!("\"{s}\"")),
            Just(r#""a\"\\\n\u00e9""#.to_owned()),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[ {} ]", items.join(" , "))),
                prop::collection::vec(("[a-c]", inner), 0..5).prop_map(|entries| {
                    let entries: Vec<String> = entries.iter().map(|(k, v)| format!("\"{k}\" :{v}")).collect();
                    format!("{{{}}}", entries.join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn raw_agrees_with_the_full_parser(text in any_json(), path in prop::collection::vec(any_step(), 0..4)) {
            let found = find_raw(&text, &path).map(|raw| canonical(raw).into_owned());
            prop_assert_eq!(found, reference(&text, &path).map(|value| value.to_canonical()), "{}", text);
        }

        #[test]
        fn canonical_agrees_with_the_full_parser(text in any_json(), path in prop::collection::vec(any_step(), 0..4)) {
            let canonical = Dynamic::parse_json(&text).map(|value| value.to_canonical());
            let canonical = canonical.as_deref().unwrap_or("null");
            let expected = reference(&text, &path).map(|value| value.to_canonical());
            prop_assert_eq!(find_canonical(canonical, &path), expected.as_deref(), "{}", canonical);
        }

        #[test]
        fn broken_text_agrees_with_the_full_parser(
            text in any_json(),
            cut in 0usize..200,
            extra in "[\\[\\]{}\",:0-9a-fntrue\\\\ .eE+-]{0,3}",
            path in prop::collection::vec(any_step(), 0..3),
        ) {
            let at = text.char_indices().map(|(i, _)| i).chain([text.len()]).nth(cut).unwrap_or(text.len());
            let broken = format!("{}{extra}{}", &text[..at], &text[at..]);
            let found = find_raw(&broken, &path).map(|raw| canonical(raw).into_owned());
            prop_assert_eq!(found, reference(&broken, &path).map(|value| value.to_canonical()), "{}", broken);
        }
    }
}

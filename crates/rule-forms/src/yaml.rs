//! YAML as a small tree in which every value knows its line and column.
//!
//! Rule files are foreign data: numbers keep the text they were written with (`version: 1.10`), repeated keys keep
//! the first value, and a file of any depth or size ends in a tree or in an error with its place. Start at [`parse`].

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Location, Spanned};

/// Where something stands in its file; lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

impl Position {
    /// The first character of a file.
    pub const START: Position = Position { line: 1, column: 1 };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Why a text is not YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError {
    pub message: String,
    pub position: Option<Position>,
}

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub position: Position,
    /// Byte offset of the value in the text, where the parser knows it.
    pub offset: Option<usize>,
    pub kind: NodeKind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    Null,
    Bool(bool),
    /// A number, with the text as written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: String,
    pub key_position: Position,
    pub value: Node,
}

impl Entry {
    /// An entry that stands nowhere.
    pub fn made(key: impl Into<String>, value: Node) -> Entry {
        Entry { key: key.into(), key_position: Position::START, value }
    }
}

impl Node {
    /// A value that stands nowhere: made, not read.
    pub fn made(kind: NodeKind) -> Node {
        Node { position: Position::START, offset: None, kind }
    }

    /// A made text.
    pub fn of_text(text: impl Into<String>) -> Node {
        Node::made(NodeKind::Text(text.into()))
    }

    /// A made list.
    pub fn of_list(items: impl IntoIterator<Item = Node>) -> Node {
        Node::made(NodeKind::List(items.into_iter().collect()))
    }

    /// A made map.
    pub fn of_map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Node)>) -> Node {
        Node::made(NodeKind::Map(entries.into_iter().map(|(key, value)| Entry::made(key, value)).collect()))
    }

    /// Gives a map's key a value: the old one's place in the order, or the end. Anything else becomes a map.
    pub fn set(&mut self, key: &str, value: Node) {
        if !matches!(self.kind, NodeKind::Map(_)) {
            self.kind = NodeKind::Map(Vec::new());
        }
        if let NodeKind::Map(entries) = &mut self.kind {
            match entries.iter_mut().find(|entry| entry.key == key) {
                Some(entry) => entry.value = value,
                None => entries.push(Entry::made(key, value)),
            }
        }
    }

    /// The value of a key of a map.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The entries of a map; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            NodeKind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// A scalar as text: what was written, without quotes. Null and collections have none.
    pub fn text(&self) -> Option<String> {
        match &self.kind {
            NodeKind::Text(text) | NodeKind::Number(text) => Some(text.clone()),
            NodeKind::Bool(value) => Some(value.to_string()),
            _ => None,
        }
    }

    /// The items of a list; a single scalar counts as a list of one, null as an empty one.
    pub fn items(&self) -> Vec<&Node> {
        match &self.kind {
            NodeKind::List(items) => items.iter().collect(),
            NodeKind::Null | NodeKind::Map(_) => Vec::new(),
            _ => vec![self],
        }
    }

    /// The items of a list, whatever they are; a map counts as a list of one.
    pub fn items_of_maps(&self) -> Vec<&Node> {
        match &self.kind {
            NodeKind::List(items) => items.iter().collect(),
            NodeKind::Map(_) => vec![self],
            _ => Vec::new(),
        }
    }

    pub fn boolean(&self) -> Option<bool> {
        match &self.kind {
            NodeKind::Bool(value) => Some(*value),
            NodeKind::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            NodeKind::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// The kind of value in words, for messages.
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            NodeKind::Null => "nothing",
            NodeKind::Bool(_) => "a boolean",
            NodeKind::Number(_) => "a number",
            NodeKind::Text(_) => "text",
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "a map",
        }
    }
}

/// Reads one YAML document (the first of several).
pub fn parse(text: &str) -> Result<Node, YamlError> {
    let nothing = || Node { position: Position::default(), offset: None, kind: NodeKind::Null };
    Ok(parse_all(text)?.into_iter().next().unwrap_or_else(nothing))
}

/// Reads all documents of a text.
pub fn parse_all(text: &str) -> Result<Vec<Node>, YamlError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::FirstWins,
        with_snippet: false,
        strict_booleans: true,
    };
    let parsed: Result<Vec<Raw>, _> = serde_saphyr::from_str_multiple_with_options(text, options);
    match parsed {
        Ok(documents) => Ok(documents.into_iter().map(|raw| raw.into_node(text)).collect()),
        Err(error) => {
            let error = error.without_snippet();
            let position = error.location().map(position);
            let mut message = error.to_string();
            if let Some(cut) = message.find(" at line ") {
                message.truncate(cut);
            }
            Err(YamlError { message: message.lines().next().unwrap_or_default().to_string(), position })
        }
    }
}

fn position(location: Location) -> Position {
    let narrow = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    Position { line: narrow(location.line()), column: narrow(location.column()) }
}

/// What the deserializer hands over: numbers still lack the text they were written with.
struct Raw(Spanned<RawKind>);

enum RawKind {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Raw>),
    Map(Vec<(Spanned<String>, Raw)>),
}

impl Raw {
    fn into_node(self, source: &str) -> Node {
        let span = self.0.defined.span();
        let at = position(self.0.defined);
        let offset = span.byte_offset().and_then(|n| usize::try_from(n).ok());
        let written = || -> Option<String> {
            let start = offset?;
            let length = usize::try_from(span.byte_len()?).ok()?;
            Some(source.get(start..start.checked_add(length)?)?.trim().to_string())
        };
        let kind = match self.0.value {
            RawKind::Null => NodeKind::Null,
            RawKind::Bool(value) => NodeKind::Bool(value),
            RawKind::Number(printed) => NodeKind::Number(written().filter(|t| !t.is_empty()).unwrap_or(printed)),
            RawKind::Text(text) => NodeKind::Text(text),
            RawKind::List(items) => NodeKind::List(items.into_iter().map(|item| item.into_node(source)).collect()),
            RawKind::Map(entries) => NodeKind::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| Entry {
                        key_position: position(key.defined),
                        key: key.value,
                        value: value.into_node(source),
                    })
                    .collect(),
            ),
        };
        Node { position: at, offset, kind }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Raw)
    }
}

impl<'de> Deserialize<'de> for RawKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = RawKind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawKind, E> {
        Ok(RawKind::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawKind, E> {
        Ok(RawKind::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<RawKind, E> {
        Ok(RawKind::Number(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<RawKind, E> {
        Ok(RawKind::Number(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<RawKind, E> {
        Ok(RawKind::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<RawKind, E> {
        Ok(RawKind::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<RawKind, E> {
        Ok(RawKind::Text(value.to_string()))
    }

    fn visit_string<E>(self, value: String) -> Result<RawKind, E> {
        Ok(RawKind::Text(value))
    }

    fn visit_unit<E>(self) -> Result<RawKind, E> {
        Ok(RawKind::Null)
    }

    fn visit_none<E>(self) -> Result<RawKind, E> {
        Ok(RawKind::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<RawKind, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<RawKind, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(RawKind::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<RawKind, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(RawKind::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_place_and_their_spelling() {
        let node = parse("\u{feff}id: a1\nversion: 1.10\nquery: |\n  A\n  | take 1\nlist:\n  - x\n  - 007\n").unwrap();
        assert_eq!(node.get("version").unwrap().text().unwrap(), "1.10");
        assert_eq!(node.get("query").unwrap().text().unwrap(), "A\n| take 1\n");
        assert_eq!(node.get("list").unwrap().items()[1].text().unwrap(), "007");
        assert_eq!(node.get("list").unwrap().items()[1].position, Position { line: 8, column: 5 });
        assert_eq!(node.entries()[1].key_position, Position { line: 2, column: 1 });
        let query = node.get("query").unwrap();
        assert_eq!(query.position, Position { line: 4, column: 3 }, "a block's place is its first character");
    }

    #[test]
    fn broken_text_has_a_place() {
        let error = parse("a: 1\nb: [1, 2\nc: 3\n").unwrap_err();
        assert!(error.position.is_some(), "{error:?}");
        assert!(error.position.unwrap().line >= 2, "{error:?}");
    }

    #[test]
    fn repeated_keys_keep_the_first() {
        let node = parse("a: 1\na: 2\n").unwrap();
        assert_eq!(node.get("a").unwrap().text().unwrap(), "1");
    }
}

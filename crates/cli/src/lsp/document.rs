//! A document that is open in an editor: a query, or a rule file with queries in it.
//!
//! The protocol counts lines and UTF-16 units; queries count bytes from their own start.

use detections::library;
use detections::rule::QueryPlace;
use detections::yaml::Position;
use kql_syntax::Span;
use serde_json::{Value as Json, json};

/// An open document.
pub struct Document {
    /// Its name, for messages.
    name: String,
    text: String,
    is_query: bool,
}

/// A query of a document.
pub struct Query {
    pub text: String,
    /// None: the document is the query.
    place: Option<QueryPlace>,
}

impl Document {
    /// A document by its address and language: rule files are YAML, everything else is a query.
    pub fn new(uri: &str, language: &str, text: &str) -> Document {
        let lower = uri.to_ascii_lowercase();
        let is_rule = language.eq_ignore_ascii_case("yaml") || lower.ends_with(".yaml") || lower.ends_with(".yml");
        Document { name: uri.to_string(), text: text.to_string(), is_query: !is_rule }
    }

    pub fn set_text(&mut self, text: &str) {
        self.text = text.to_string();
    }

    pub fn queries(&self) -> Vec<Query> {
        if self.is_query {
            return vec![Query { text: self.text.clone(), place: None }];
        }
        let library = library::from_texts([(self.name.as_str(), self.text.as_str())]);
        library.rules.into_iter().map(|rule| Query { text: rule.query, place: Some(rule.place) }).collect()
    }

    /// What keeps a rule file from being read.
    pub fn broken(&self) -> Vec<(Position, String)> {
        if self.is_query {
            return Vec::new();
        }
        let library = library::from_texts([(self.name.as_str(), self.text.as_str())]);
        library.broken.into_iter().map(|file| (file.position.unwrap_or_default(), file.message)).collect()
    }

    /// The query that covers a byte offset of the document, and the offset in it.
    pub fn query_at(&self, offset: usize) -> Option<(Query, usize)> {
        self.queries().into_iter().find_map(|query| {
            let Some(place) = &query.place else { return Some((query, offset)) };
            let in_file = |at: usize| {
                let at = u32::try_from(at).ok()?;
                place.span_in_file(&query.text, Span { start: at, end: at }).map(|range| range.start)
            };
            if offset < in_file(0)? || offset > in_file(query.text.len())? {
                return None;
            }
            // Places in the file rise with those in the query.
            let boundaries: Vec<usize> = (0..=query.text.len()).filter(|at| query.text.is_char_boundary(*at)).collect();
            let behind = boundaries.partition_point(|at| in_file(*at).is_some_and(|place| place <= offset));
            let at = boundaries.get(behind.checked_sub(1)?).copied()?;
            Some((query, at))
        })
    }

    /// A part of a query as a range of the document.
    pub fn range(&self, query: &Query, span: Span) -> Json {
        let range = match &query.place {
            None => span.start as usize..span.end as usize,
            // A query whose lines the file does not keep (folded, quoted) is marked at its start.
            Some(place) => place.span_in_file(&query.text, span).unwrap_or_else(|| {
                let start = place.offset.unwrap_or(0);
                start..start
            }),
        };
        json!({"start": self.position(range.start), "end": self.position(range.end)})
    }

    /// The edit that puts another text in a query's place; None where nothing changes or the file does not keep the lines.
    pub fn replacement(&self, query: &Query, text: &str) -> Option<Json> {
        if text == query.text {
            return None;
        }
        let whole = Span { start: 0, end: u32::try_from(query.text.len()).ok()? };
        let Some(place) = &query.place else {
            return Some(json!({"range": self.range(query, whole), "newText": text}));
        };
        place.span_in_file(&query.text, whole)?;
        if text.trim_end() == query.text.trim_end() {
            return None;
        }
        let whole = Span { start: 0, end: u32::try_from(query.text.trim_end().len()).ok()? };
        let indent = " ".repeat(place.start.column.saturating_sub(1) as usize);
        let lines: Vec<String> = text
            .trim_end()
            .lines()
            .enumerate()
            .map(
                |(index, line)| {
                    if index == 0 || line.is_empty() { line.to_string() } else { format!("{indent}{line}") }
                },
            )
            .collect();
        Some(json!({"range": self.range(query, whole), "newText": lines.join("\n")}))
    }

    /// The byte offset of a place of the protocol; one behind the end of a line is its end.
    pub fn offset(&self, position: &Json) -> Option<usize> {
        let line = usize::try_from(position["line"].as_u64()?).ok()?;
        let units = usize::try_from(position["character"].as_u64()?).ok()?;
        let mut start = 0;
        for (index, content) in self.text.split_inclusive('\n').enumerate() {
            if index == line {
                return Some(start + within(content.trim_end_matches(['\n', '\r']), units));
            }
            start += content.len();
        }
        Some(self.text.len())
    }

    fn position(&self, offset: usize) -> Json {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = self.text.get(..offset).unwrap_or_default();
        let line = before.matches('\n').count();
        let units = before.rsplit('\n').next().unwrap_or_default().encode_utf16().count();
        json!({"line": line, "character": units})
    }
}

/// The byte offset of so many UTF-16 units in a line.
fn within(line: &str, units: usize) -> usize {
    let mut seen = 0;
    for (offset, c) in line.char_indices() {
        if seen >= units {
            return offset;
        }
        seen += c.len_utf16();
    }
    line.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_lines_and_utf16_units() {
        let document = Document::new("file:///q.kql", "kusto", "a😀ż\r\nsecond");
        let at = |line: u64, character: u64| document.offset(&json!({"line": line, "character": character})).unwrap();
        assert_eq!((at(0, 1), at(0, 3), at(0, 4), at(0, 99)), (1, 5, 7, 7));
        assert_eq!(at(1, 2), 11);
        assert_eq!(document.position(5), json!({"line": 0, "character": 3}));
        assert_eq!(document.position(11), json!({"line": 1, "character": 2}));
        assert_eq!(at(7, 0), document.text.len());
    }
}

//! `{{StartTimeISO}}` and `{{EndTimeISO}}` in hunting queries: replaced by times before anything is parsed.
//!
//! Places in the filled text are mapped back to the text of the file, so that a diagnostic points at what the author
//! wrote. Start at [`fill`].

use kql_types::Span;
use kql_types::datetime;

/// A query with its placeholders filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilledQuery {
    pub text: String,
    edits: Vec<Edit>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Edit {
    /// Byte range in the original text.
    original: std::ops::Range<usize>,
    /// Byte range in the filled text.
    filled: std::ops::Range<usize>,
}

/// Whether the query has a placeholder for a time.
pub fn has_time_placeholder(query: &str) -> bool {
    next_placeholder(query, 0).is_some()
}

/// Replaces both placeholders, spelled in any case and with any blanks inside the braces, by ISO 8601 times. Any other
/// text in double braces stays as it is: in a rule it is what an attacker might have written.
pub fn fill(query: &str, start: i64, end: i64) -> FilledQuery {
    let mut text = String::with_capacity(query.len() + 64);
    let mut edits = Vec::new();
    let mut done = 0;
    while let Some((range, placeholder)) = next_placeholder(query, done) {
        text.push_str(query.get(done..range.start).unwrap_or_default());
        let from = text.len();
        text.push_str(&datetime::format(match placeholder {
            Placeholder::StartTime => start,
            Placeholder::EndTime => end,
        }));
        edits.push(Edit { original: range.clone(), filled: from..text.len() });
        done = range.end;
    }
    text.push_str(query.get(done..).unwrap_or_default());
    FilledQuery { text, edits }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placeholder {
    StartTime,
    EndTime,
}

fn next_placeholder(query: &str, from: usize) -> Option<(std::ops::Range<usize>, Placeholder)> {
    let mut at = from;
    loop {
        let open = at + query.get(at..)?.find("{{")?;
        let inner = query.get(open + 2..)?;
        let length = inner.find("}}")?;
        let name = inner.get(..length)?.trim();
        let range = open..open + 2 + length + 2;
        if name.eq_ignore_ascii_case("StartTimeISO") {
            return Some((range, Placeholder::StartTime));
        }
        if name.eq_ignore_ascii_case("EndTimeISO") {
            return Some((range, Placeholder::EndTime));
        }
        at = open + 2;
    }
}

impl FilledQuery {
    /// The place in the original text of a place in the filled one.
    pub fn original_span(&self, span: Span) -> Span {
        let start = self.original_offset(span.start as usize, Side::Start);
        let end = self.original_offset(span.end as usize, Side::End);
        Span { start: start as u32, end: end.max(start) as u32 }
    }

    fn original_offset(&self, offset: usize, side: Side) -> usize {
        let mut shift = 0_isize;
        for edit in &self.edits {
            if offset <= edit.filled.start {
                break;
            }
            if offset < edit.filled.end {
                return if side == Side::Start { edit.original.start } else { edit.original.end };
            }
            shift = edit.original.end as isize - edit.filled.end as isize;
        }
        offset.saturating_add_signed(shift)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Start,
    End,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_filled_and_places_map_back() {
        let query =
            "let a = todatetime('{{StartTimeISO}}'); let b = todatetime('{{ endtimeiso }}'); T | where x == '{{x}}'";
        let start = datetime::parse("2024-03-01").unwrap();
        let filled = fill(query, start, start + datetime::TICKS_PER_DAY);
        assert!(filled.text.contains("todatetime('2024-03-01T00:00:00.0000000Z')"), "{}", filled.text);
        assert!(filled.text.contains("todatetime('2024-03-02T00:00:00.0000000Z')"), "{}", filled.text);
        assert!(filled.text.ends_with("'{{x}}'"));
        for word in ["T | where", "let b"] {
            let at = filled.text.find(word).unwrap() as u32;
            let back = filled.original_span(Span { start: at, end: at + word.len() as u32 });
            assert_eq!(&query[back.start as usize..back.end as usize], word);
        }
    }

    #[test]
    fn queries_without_placeholders_stay() {
        assert!(!has_time_placeholder("T | where a == '{{config}}'"));
        assert!(!has_time_placeholder("T | where a == '{{StartTimeISO'"));
        assert_eq!(fill("T", 0, 1).text, "T");
    }
}

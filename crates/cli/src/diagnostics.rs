//! Diagnostics for people: the line, the place, what to do.
//!
//! A query inside a rule file is shown where it stands in that file. Start at [`render`].

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use detections::rule::AnalyticsRule;
use kql_types::{Diagnostic, Severity};

use crate::terminal::safe_lines;

/// The text that diagnostics point into.
pub struct Source<'a> {
    pub name: &'a str,
    pub text: &'a str,
    pub rule: Option<&'a AnalyticsRule>,
}

impl<'a> Source<'a> {
    /// A query that is a text of its own.
    pub fn of_query(name: &'a str, text: &'a str) -> Source<'a> {
        Source { name, text, rule: None }
    }

    /// The query of a rule.
    pub fn of_rule(rule: &'a AnalyticsRule) -> Source<'a> {
        Source { name: &rule.place.file, text: &rule.query, rule: Some(rule) }
    }
}

/// Renders diagnostics one after the other, each with its own lines of the source.
pub fn render(diagnostics: &[Diagnostic], source: &Source<'_>, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&render_one(diagnostic, source, &renderer));
        out.push('\n');
    }
    out
}

fn render_one(diagnostic: &Diagnostic, source: &Source<'_>, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Suggestion => Level::HELP,
        Severity::Information => Level::INFO,
    };
    let message = safe_lines(&diagnostic.message);
    let (text, range, first_line) = located(diagnostic, source);
    let snippet =
        Snippet::source(text).path(source.name).line_start(first_line).annotation(AnnotationKind::Primary.span(range));
    let mut group: Group<'_> = level.primary_title(message).id(diagnostic.code).element(snippet);
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(safe_lines(help)));
    }
    renderer.render(&[group]).to_string()
}

/// The text to show, the range to mark in it, and the number of its first line.
fn located<'a>(diagnostic: &Diagnostic, source: &Source<'a>) -> (&'a str, std::ops::Range<usize>, usize) {
    if let Some(rule) = source.rule {
        if let Some(range) = rule.place.span_in_file(&rule.query, diagnostic.span) {
            return (&rule.place.text, clipped(&rule.place.text, range), 1);
        }
        let range = diagnostic.span.start as usize..diagnostic.span.end as usize;
        return (&rule.query, clipped(&rule.query, range), rule.place.start.line.max(1) as usize);
    }
    let range = diagnostic.span.start as usize..diagnostic.span.end as usize;
    (source.text, clipped(source.text, range), 1)
}

/// A range within the text, on character boundaries, ordered.
fn clipped(text: &str, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let boundary = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = boundary(range.start);
    start..boundary(range.end).max(start)
}

/// Line and column of a byte offset, both from 1; columns in characters.
pub fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// A byte offset as the official parser counts: UTF-16 units.
pub fn utf16_offset(text: &str, offset: usize) -> usize {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use kql_types::Span;

    use super::*;

    #[test]
    fn a_diagnostic_points_at_its_place() {
        let text = "AWSCloudTrail\n| where Żeton == 1";
        let at = text.find("Żeton").unwrap() as u32;
        let diagnostic =
            Diagnostic::error("KS142", Span::new(at, at + 6), "no column `Żeton`").with_help("did you mean `Token`?");
        let shown = render(&[diagnostic], &Source::of_query("query.kql", text), false);
        assert!(shown.contains("error[KS142]: no column `Żeton`"), "{shown}");
        assert!(shown.contains("query.kql:2:9"), "{shown}");
        assert!(shown.contains("^^^^^"), "{shown}");
        assert!(shown.contains("did you mean"), "{shown}");
    }

    #[test]
    fn places_beyond_the_text_do_no_harm() {
        let diagnostic = Diagnostic::error("KS006", Span::new(90, 95), "unexpected end");
        assert!(render(&[diagnostic], &Source::of_query("q", "T |"), false).contains("unexpected end"));
    }

    #[test]
    fn offsets_count_as_the_official_parser_does() {
        let text = "a😀ż|";
        assert_eq!(utf16_offset(text, text.find('|').unwrap()), 4);
        assert_eq!(line_and_column("ab\nżx", 5), (2, 2));
    }
}

//! One rule as the checks see it: its file, its query, what binding said, and a place to put findings.

use kql_syntax::Token;
use kql_types::Span;

use super::LintContext;
use super::codes::{self, LintCode};
use super::facts::{CLOCK, Facts};
use crate::placeholders::{self, FilledQuery};
use crate::rule::AnalyticsRule;
use crate::yaml::{self, Node, Position};
use engine::{Checked, QueryOptions};

/// A change of a file that mends a finding: byte ranges of the file with their new text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    pub edits: Vec<(std::ops::Range<usize>, String)>,
}

/// Something worth saying about a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub code: &'static LintCode,
    pub file: String,
    /// The rule's id; empty for a file that holds none.
    pub rule_id: String,
    pub rule_name: String,
    /// Lines and columns from 1, the end behind the last character.
    pub start: Position,
    pub end: Position,
    pub message: String,
    pub fix: Option<Fix>,
    /// The text at the place, blanks folded: what a baseline knows the finding by.
    pub excerpt: String,
}

/// A rule with all that its checks read.
pub struct Subject<'a> {
    pub rule: &'a AnalyticsRule,
    pub context: &'a LintContext<'a>,
    /// The file as YAML; None for a bare query and for Sigma.
    pub document: Option<Node>,
    pub filled: FilledQuery,
    pub checked: Checked,
    /// Tokens of the query as the file has it, without blanks and comments.
    pub tokens: Vec<Token>,
}

impl<'a> Subject<'a> {
    /// Parses and binds a rule's query.
    pub fn of(rule: &'a AnalyticsRule, context: &'a LintContext<'a>) -> Subject<'a> {
        let day = kql_types::datetime::TICKS_PER_DAY;
        let filled = placeholders::fill(&rule.query, CLOCK - day, CLOCK);
        let checked = context.engine.check(&filled.text, &QueryOptions::at(CLOCK));
        let is_yaml = !matches!(crate::library::extension(&rule.place.file).as_str(), "kql" | "csl" | "kusto");
        // A Sigma rule has fields of its own: what is asked of Sentinel's does not apply.
        let document = if is_yaml { yaml::parse(&rule.place.text).ok() } else { None };
        let document = document.filter(|document| !sigma::document::is_sigma(document));
        let (mut tokens, _) = kql_syntax::lex(&rule.query);
        tokens.retain(|token| !token.kind.is_trivia());
        Subject { rule, context, document, filled, checked, tokens }
    }

    /// What is known of the columns of the query, when it binds.
    pub fn facts(&self) -> Option<Facts<'_>> {
        self.checked.bound.as_ref().map(Facts::of)
    }

    /// A finding at a place of the bound query.
    pub fn at_bound(&self, code: &str, span: Span, message: impl Into<String>) -> Option<Finding> {
        self.at_query(code, self.filled.original_span(span), message)
    }

    /// A finding at a place of the query as the file has it.
    pub fn at_query(&self, code: &str, span: Span, message: impl Into<String>) -> Option<Finding> {
        let place = &self.rule.place;
        let excerpt = self.rule.query.get(span.start as usize..span.end as usize).unwrap_or_default();
        let (start, end) = match place.span_in_file(&self.rule.query, span) {
            Some(range) => (position_of(&place.text, range.start), position_of(&place.text, range.end)),
            None => (place.start, place.start),
        };
        self.finding(code, start, end, message.into(), excerpt)
    }

    /// A finding at a value or key of the file.
    pub fn at_position(&self, code: &str, position: Position, message: impl Into<String>) -> Option<Finding> {
        let message = message.into();
        self.finding(code, position, position, message.clone(), &message)
    }

    /// A finding at a field of the file, or at its start.
    pub fn at_field(&self, code: &str, field: &str, message: impl Into<String>) -> Option<Finding> {
        let entries = self.document.as_ref().map(Node::entries).unwrap_or_default();
        let place = entries.iter().find(|entry| entry.key == field).map(|entry| entry.key_position);
        self.at_position(code, place.unwrap_or(Position::START), message)
    }

    fn finding(&self, code: &str, start: Position, end: Position, message: String, excerpt: &str) -> Option<Finding> {
        let excerpt = excerpt.split_whitespace().collect::<Vec<_>>().join(" ");
        Some(Finding::of_rule(codes::find(code)?, self.rule, (start, end), message, excerpt))
    }

    /// A change of the query's text as a change of the file; None where the file's form hides the query's lines.
    pub fn fix(&self, span: Span, text: &str) -> Option<Fix> {
        let range = self.rule.place.span_in_file(&self.rule.query, span)?;
        Some(Fix { edits: vec![(range, text.to_string())] })
    }

    /// The text of a token of the query.
    pub fn text(&self, token: Token) -> &str {
        token.text(&self.rule.query)
    }
}

impl Finding {
    /// A finding between two places of a rule's file.
    pub(super) fn of_rule(
        code: &'static LintCode,
        rule: &AnalyticsRule,
        (start, end): (Position, Position),
        message: String,
        excerpt: String,
    ) -> Finding {
        Finding {
            code,
            file: rule.place.file.clone(),
            rule_id: rule.id.clone(),
            rule_name: rule.name.clone(),
            start,
            end,
            message,
            fix: None,
            excerpt,
        }
    }

    /// The same finding with a way to mend it.
    #[must_use]
    pub fn with_fix(self, fix: Option<Fix>) -> Finding {
        Finding { fix, ..self }
    }
}

/// Line and column of a byte offset.
pub fn position_of(text: &str, offset: usize) -> Position {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Position { line: line as u32, column: column as u32 }
}

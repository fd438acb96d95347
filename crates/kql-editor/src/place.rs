//! Where in a query an offset lies: in which pipeline, behind which operator, and what may stand there.
//!
//! Read from the tokens alone, for a text that is being typed rarely parses. Brackets nest: each opens a frame, and a
//! frame with a pipe or an operator at its start is a pipeline of its own.

use kql_functions::FormKind;
use kql_syntax::{Span, SyntaxKind, Token};

/// What may stand at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expects {
    /// Inside a comment or a literal, or a new name.
    Nothing,
    /// The start of a statement.
    Statement,
    /// A table, or an operator that makes one.
    Table,
    /// The name of an operator, behind a pipe.
    Operator,
    /// The name of a plugin.
    Plugin,
    /// A column, a function, a literal.
    Value,
    /// Something between values, or a word of the operator.
    Infix,
}

/// A bracket that is open at the place, or the whole text.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// Index of the opening bracket; None for the text itself.
    pub opener: Option<usize>,
    /// Index of the first token of the statement or expression.
    pub start: usize,
    /// Where the statement begins that the start belongs to: before its `let`.
    pub statement: usize,
    pub pipes: Vec<usize>,
}

/// A place in a text.
pub struct Place<'t> {
    pub text: &'t str,
    /// Without blanks and comments, up to the word at the place.
    pub before: Vec<Token>,
    /// The word that is being typed; empty when there is none.
    pub word: Span,
    /// Open frames, outermost first.
    pub frames: Vec<Frame>,
    pub expects: Expects,
    /// The operator that the place belongs to, as written.
    pub operator: Option<&'t str>,
}

impl<'t> Place<'t> {
    /// The place at a byte offset.
    pub fn at(text: &'t str, offset: usize) -> Place<'t> {
        let offset = offset.min(text.len()) as u32;
        let (all, _) = kql_syntax::lex(text);
        let inside = |token: &&Token| token.span.start < offset && offset <= token.span.end;
        let word = all.iter().find(inside).filter(|token| is_word(token.text(text))).map(|token| token.span);
        let word = whole_word(text, word.unwrap_or(Span { start: offset, end: offset }));
        let literal = all.iter().find(inside).is_some_and(|token| match token.kind {
            SyntaxKind::Comment | SyntaxKind::Directive => true,
            SyntaxKind::StringLiteral => {
                // Behind the closing quote the literal is over.
                let own = token.text(text);
                offset < token.span.end || own.len() < 2 || !own.ends_with(['"', '\'', '`'])
            }
            SyntaxKind::LongLiteral | SyntaxKind::RealLiteral | SyntaxKind::TimeSpanLiteral => true,
            _ => false,
        });
        let before: Vec<Token> = all
            .into_iter()
            .filter(|token| !matches!(token.kind, SyntaxKind::Whitespace | SyntaxKind::Comment | SyntaxKind::End))
            .take_while(|token| token.span.end <= word.start)
            .collect();
        let frames = frames(text, &before);
        let mut place = Place { text, before, word, frames, expects: Expects::Nothing, operator: None };
        if !literal {
            place.look();
        }
        place
    }

    /// The text of a token before the place.
    pub fn token(&self, index: usize) -> &'t str {
        self.before.get(index).map_or("", |token| token.text(self.text))
    }

    /// Index of the innermost frame that is a pipeline: call brackets belong to the pipeline around them.
    pub fn pipeline(&self) -> usize {
        let own = |frame: &Frame| {
            let Some(opener) = frame.opener else { return true };
            if !frame.pipes.is_empty() || is_operator(self.token(frame.start)) {
                return true;
            }
            match self.token(opener) {
                "{" => true,
                "(" => opener.checked_sub(1).is_none_or(|before| takes_table(self.token(before))),
                _ => false,
            }
        };
        self.frames.iter().rposition(own).unwrap_or(0)
    }

    fn look(&mut self) {
        let index = self.pipeline();
        let Some(frame) = self.frames.get(index).cloned() else { return };
        let last = self.before.len().checked_sub(1);
        let last_text = last.map_or("", |last| self.token(last));
        if last_text == "." {
            return;
        }
        let nested = index + 1 < self.frames.len();
        let first = frame.pipes.last().map_or(frame.start, |pipe| pipe + 1);
        if first >= self.before.len() {
            let at_pipe = !frame.pipes.is_empty();
            let block = frame.opener.is_none_or(|opener| self.token(opener) == "{") && frame.start == frame.statement;
            self.expects = match (at_pipe, block) {
                (true, _) => Expects::Operator,
                (false, true) => Expects::Statement,
                (false, false) => Expects::Table,
            };
            return;
        }
        let operator = self.token(first);
        if frame.pipes.is_empty() && !is_operator(operator) {
            // Behind the name of a table only a pipe may follow; in a `let` it may be a value.
            let value = frame.start != frame.statement || nested;
            self.expects = match value {
                true if ends_value(&self.before, self.text) && !nested => Expects::Infix,
                true => Expects::Value,
                false => Expects::Nothing,
            };
            return;
        }
        self.operator = Some(operator);
        self.expects = self.within(operator, first, nested);
    }

    /// What may stand behind an operator.
    fn within(&self, operator: &str, first: usize, nested: bool) -> Expects {
        let last = self.before.len().saturating_sub(1);
        let words = |word: &str| (first..=last).any(|index| self.token(index) == word);
        match operator {
            "evaluate" if last == first => return Expects::Plugin,
            "as" | "render" | "getschema" | "consume" | "count" => return Expects::Nothing,
            "join" | "lookup" if !words("on") && !nested => return Expects::Table,
            "union" if !nested => return Expects::Table,
            "search" | "find" if matches!(self.token(last), "(" | ",") && words("in") && nested => {
                return Expects::Table;
            }
            _ => {}
        }
        if ends_value(&self.before, self.text) && last != first { Expects::Infix } else { Expects::Value }
    }
}

/// The frames that are open behind these tokens.
fn frames(text: &str, tokens: &[Token]) -> Vec<Frame> {
    let mut frames = vec![Frame::default()];
    for (index, token) in tokens.iter().enumerate() {
        let spelled = token.text(text);
        match spelled {
            "(" | "[" | "{" => {
                frames.push(Frame { opener: Some(index), start: index + 1, statement: index + 1, pipes: Vec::new() });
            }
            ")" | "]" | "}" if frames.len() > 1 => {
                frames.pop();
            }
            _ => {}
        }
        let Some(frame) = frames.last_mut() else { continue };
        match spelled {
            ";" => (frame.start, frame.statement, frame.pipes) = (index + 1, index + 1, Vec::new()),
            "|" => frame.pipes.push(index),
            "=" if frame.pipes.is_empty()
                && index == frame.statement + 2
                && tokens.get(frame.statement).is_some_and(|token| token.text(text) == "let") =>
            {
                frame.start = index + 1;
            }
            _ => {}
        }
    }
    frames
}

/// Names of operators have hyphens, and are one word only when they are complete: behind a pipe, `project-r` is a word.
fn whole_word(text: &str, word: Span) -> Span {
    let before = text.get(..word.start as usize).unwrap_or_default();
    let rest = before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '-' || c == '_');
    let behind_pipe = rest.len() < before.len() && rest.trim_end().ends_with('|');
    let start = if behind_pipe { u32::try_from(rest.len()).unwrap_or(word.start) } else { word.start };
    Span { start, end: word.end }
}

/// A name, or a keyword that could become one.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$')
}

/// Whether a word begins an operator of a pipeline.
pub fn is_operator(word: &str) -> bool {
    matches!(word, "order" | "limit" | "filter" | "mvexpand" | "mvapply")
        || [FormKind::Operator, FormKind::GraphOperator].iter().any(|kind| kql_functions::form(*kind, word).is_some())
}

/// Whether an operator begins a pipeline, so that its rows do not come from the left.
pub fn is_source(word: &str) -> bool {
    matches!(word, "print" | "range" | "datatable" | "externaldata" | "find" | "union" | "search" | "macro-expand")
}

/// Whether a bracket behind this word holds a table.
fn takes_table(word: &str) -> bool {
    matches!(
        word,
        "join"
            | "lookup"
            | "union"
            | "on"
            | "="
            | "("
            | ","
            | "toscalar"
            | "materialize"
            | "as"
            | "kind"
            | "innerunique"
            | "inner"
            | "leftouter"
            | "rightouter"
            | "fullouter"
            | "leftanti"
            | "rightanti"
            | "leftsemi"
            | "rightsemi"
            | "anti"
            | "leftantisemi"
    )
}

/// Whether the last token ends a value, so that an operator between values may follow.
fn ends_value(tokens: &[Token], text: &str) -> bool {
    tokens.last().is_some_and(|token| match token.kind {
        SyntaxKind::Identifier
        | SyntaxKind::StringLiteral
        | SyntaxKind::BoolLiteral
        | SyntaxKind::LongLiteral
        | SyntaxKind::IntLiteral
        | SyntaxKind::RealLiteral
        | SyntaxKind::DecimalLiteral
        | SyntaxKind::DateTimeLiteral
        | SyntaxKind::TimeSpanLiteral
        | SyntaxKind::GuidLiteral => true,
        _ => matches!(token.text(text), ")" | "]"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What may stand at the `^` of a text.
    fn expects(text: &str) -> Expects {
        let offset = text.find('^').unwrap();
        Place::at(&text.replace('^', ""), offset).expects
    }

    #[test]
    fn places_of_a_pipeline() {
        assert_eq!(expects("^"), Expects::Statement);
        assert_eq!(expects("let a = 1; Sig^"), Expects::Statement);
        assert_eq!(expects("let a = Sig^"), Expects::Table);
        assert_eq!(expects("SigninLogs | wh^"), Expects::Operator);
        assert_eq!(expects("SigninLogs | where ^"), Expects::Value);
        assert_eq!(expects("SigninLogs | where strlen(^"), Expects::Value);
        assert_eq!(expects("SigninLogs | where UserId ^"), Expects::Infix);
        assert_eq!(expects("SigninLogs | where UserId == 'a^'"), Expects::Nothing);
        assert_eq!(expects("SigninLogs // where ^"), Expects::Nothing);
        assert_eq!(expects("SigninLogs | evaluate bag^"), Expects::Plugin);
        assert_eq!(expects("SigninLogs | join kind=inner (Aud^"), Expects::Table);
        assert_eq!(expects("SigninLogs | join kind=inner (AuditLogs | wh^"), Expects::Operator);
        assert_eq!(expects("SigninLogs | join (AuditLogs) on ^"), Expects::Value);
        assert_eq!(expects("union Sig^"), Expects::Table);
        assert_eq!(expects("let f = (a:long) { ^"), Expects::Statement);
        assert_eq!(expects("let f = (a:long) { SigninLogs | where ^ }"), Expects::Value);
        assert_eq!(expects("SigninLogs | mv-apply x = Y on (where ^"), Expects::Value);
    }
}

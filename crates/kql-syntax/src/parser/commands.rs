//! Management commands (`.create function ...`, `.show tables | ...`): read over so that a text of commands gets a
//! verdict and a tree, without a meaning.
//!
//! A function's body ends its command; a query may follow. Function bodies and the queries after `<|` and `|` are parsed as such; the rest is a run of tokens with balanced
//! brackets.

use super::Parser;
use crate::ast::{Name, Statement, StatementKind};
use crate::diagnostics;
use crate::kind::SyntaxKind::{self, *};
use crate::lexer;

const VERBS: &[&str] = &[
    "add",
    "alter",
    "alter-merge",
    "append",
    "attach",
    "cancel",
    "clear",
    "create",
    "create-merge",
    "create-or-alter",
    "delete",
    "detach",
    "disable",
    "drop",
    "enable",
    "execute",
    "export",
    "ingest",
    "merge",
    "move",
    "purge",
    "rebuild",
    "remove",
    "rename",
    "replace",
    "save",
    "seal",
    "set",
    "set-or-append",
    "set-or-replace",
    "show",
    "undelete",
    "undo",
    "update",
];

impl Parser<'_> {
    /// A dot with a word right after it.
    pub(super) fn is_command(&self) -> bool {
        self.at(Dot) && (self.nth(1) == Identifier || self.nth(1).is_keyword()) && self.joined(1)
    }

    pub(super) fn commands(&mut self) -> Vec<Statement> {
        let mut list = Vec::new();
        while self.is_command() {
            let start = self.position;
            let name = self.verb();
            self.command_body(&name.text);
            self.node(Command, start);
            list.push(Statement { kind: StatementKind::Command(name), span: self.span_from(start) });
            self.eat(Semicolon);
        }
        list
    }

    /// The dot and the verb, which may have hyphens.
    fn verb(&mut self) -> Name {
        self.bump();
        let start = self.position;
        self.bump();
        while self.at(Minus) && self.joined(0) && self.joined(1) {
            self.bump();
            self.bump();
        }
        let span = self.span_from(start);
        let text = self.slice(span).to_owned();
        if !VERBS.contains(&text.as_str()) {
            self.errors.push(diagnostics::missing_command(span));
        }
        Name { text, span, bracketed: false }
    }

    fn command_body(&mut self, verb: &str) {
        let mut function = false;
        while !self.at_end() && !self.at(Semicolon) && !self.starts_next_command() {
            match self.kind() {
                Bar => {
                    self.bump();
                    self.piped_operator();
                }
                LessBar if verb == "ingest" => self.raw_data(),
                LessBar => {
                    self.bump();
                    self.statements();
                    return;
                }
                OpenBrace if function => {
                    self.function_body();
                    return;
                }
                OpenParen if function && self.previous() != WithKw => {
                    self.parameter_list();
                }
                OpenParen | OpenBracket | OpenBrace => {
                    let close = match self.kind() {
                        OpenParen => CloseParen,
                        OpenBracket => CloseBracket,
                        _ => CloseBrace,
                    };
                    let inside = self.nth_span(0).end;
                    self.bump();
                    self.skip_to_closing_bracket();
                    if verb == "ingest" {
                        self.forget_lexical_errors(inside, self.nth_span(0).start);
                    }
                    self.expect(close);
                }
                CloseParen | CloseBracket | CloseBrace => return,
                _ => {
                    function |= self.nth_text(0) == "function";
                    self.bump();
                }
            }
        }
    }

    fn previous(&self) -> SyntaxKind {
        self.position.checked_sub(1).and_then(|i| self.tokens.get(i)).map_or(End, |t| t.kind)
    }

    /// A command on a new line ends the one before it.
    fn starts_next_command(&self) -> bool {
        let between = crate::ast::Span::new(self.missing_node_span().end, self.nth_span(0).start);
        self.is_command() && self.slice(between).contains(lexer::is_line_break)
    }

    /// The rows after `.ingest inline into table T <|` are no KQL.
    fn raw_data(&mut self) {
        let start = self.position;
        let from = self.nth_span(0).end;
        while !self.at_end() {
            self.bump();
        }
        self.node(Skipped, start);
        self.forget_lexical_errors(from, u32::MAX);
    }

    fn forget_lexical_errors(&mut self, from: u32, to: u32) {
        self.errors.retain(|e| !(matches!(e.code, "KS001" | "KS002") && (from..=to).contains(&e.span.start)));
    }
}

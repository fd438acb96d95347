//! Names: plain words, keywords that may be names, `['bracketed']`, `{braced}` and patterns with `*`.

use super::{Parsed, Parser};
use crate::ast::{Expr, ExprKind, Name};
use crate::diagnostics;
use crate::kind::NameUse;
use crate::kind::SyntaxKind::{self, *};

impl Parser<'_> {
    pub(super) fn is_word(kind: SyntaxKind) -> bool {
        kind == Identifier || kind.name_use() == NameUse::Always
    }

    /// Words that may be a name where one is declared.
    pub(super) fn is_declarable(kind: SyntaxKind) -> bool {
        kind == Identifier || kind.name_use() != NameUse::Never
    }

    fn bracketed_length(&self, ahead: usize) -> Option<usize> {
        if self.nth(ahead) != OpenBracket {
            return None;
        }
        let strings = (0..).take_while(|i| self.nth(ahead + 1 + i) == StringLiteral).count();
        (strings > 0 && self.nth(ahead + 1 + strings) == CloseBracket).then_some(strings + 2)
    }

    /// `{name}`, `{name[0]}`: a parameter that a client fills in. No spaces inside.
    fn braced_length(&self, ahead: usize) -> Option<usize> {
        if self.nth(ahead) != OpenBrace {
            return None;
        }
        let mut at = ahead + 1;
        if !(self.nth(at) == Identifier || self.nth(at).is_keyword()) || !self.joined(at) {
            return None;
        }
        at += 1;
        if self.nth(at) == OpenBracket && self.joined(at) {
            at += 1;
            if self.nth(at) == Minus && self.joined(at) {
                at += 1;
            }
            if self.nth(at) != LongLiteral || !self.joined(at) {
                return None;
            }
            at += 1;
            if self.nth(at) != CloseBracket || !self.joined(at) {
                return None;
            }
            at += 1;
        }
        (self.nth(at) == CloseBrace && self.joined(at)).then_some(at + 1 - ahead)
    }

    /// How many tokens from there are a name; `declared` allows more keywords.
    pub(super) fn name_length(&self, ahead: usize, declared: bool) -> Option<usize> {
        match self.nth(ahead) {
            OpenBracket => self.bracketed_length(ahead),
            OpenBrace => self.braced_length(ahead),
            kind if Self::is_word(kind) || (declared && Self::is_declarable(kind)) => Some(1),
            _ => None,
        }
    }

    /// A name where it is used.
    pub(super) fn name(&mut self) -> Parsed<Name> {
        let length = self.name_length(0, false)?;
        Some(self.take_name(length))
    }

    /// A name where it is declared: `extend to = 1` and `datatable (has:bool)` are fine.
    pub(super) fn declared_name(&mut self) -> Parsed<Name> {
        let length = self.name_length(0, true)?;
        Some(self.take_name(length))
    }

    fn take_name(&mut self, length: usize) -> Name {
        let start = self.position;
        let (text, bracketed, node) = match self.kind() {
            OpenBracket => {
                let text: String = (1..length - 1).map(|i| self.literal_text(self.nth_span(i)).0).collect();
                (text, true, BracketedName)
            }
            OpenBrace => ((1..length - 1).map(|i| self.nth_text(i)).collect(), false, BracedName),
            _ => (self.nth_text(0).to_owned(), false, NameNode),
        };
        self.position += length;
        self.node(node, start);
        Name { text, span: self.span_from(start), bracketed }
    }

    pub(super) fn name_or_missing(&mut self) -> Name {
        match self.name() {
            Some(name) => name,
            None => self.missing_name(),
        }
    }

    pub(super) fn name_expression(&mut self) -> Parsed<Expr> {
        let name = self.name()?;
        let span = name.span;
        Some(Expr { kind: ExprKind::Name(name), span })
    }

    pub(super) fn declared_name_expression(&mut self) -> Parsed<Expr> {
        let name = self.declared_name()?;
        let span = name.span;
        Some(Expr { kind: ExprKind::Name(name), span })
    }

    pub(super) fn missing_name_expression(&mut self) -> Expr {
        let span = self.missing_name().span;
        Expr { kind: ExprKind::Missing, span }
    }

    /// `*`, `a*`, `*a*b`: only the first token may have a space before it.
    pub(super) fn wildcard_length(&self, ahead: usize) -> Option<usize> {
        let mut at = ahead;
        if self.nth(at) == Star {
            at += 1;
        } else if Self::is_declarable(self.nth(at)) && self.nth(at + 1) == Star && self.joined(at + 1) {
            at += 2;
        } else {
            return None;
        }
        while (matches!(self.nth(at), LongLiteral | Star) || Self::is_declarable(self.nth(at))) && self.joined(at) {
            at += 1;
        }
        Some(at - ahead)
    }

    /// A pattern of names: `*` alone is [`ExprKind::Star`].
    pub(super) fn wildcard(&mut self) -> Parsed<Expr> {
        let length = self.wildcard_length(0)?;
        let start = self.position;
        self.position += length;
        self.node(WildcardName, start);
        let span = self.span_from(start);
        let text = self.slice(span);
        let kind = if text == "*" { ExprKind::Star } else { ExprKind::Wildcard(text.to_owned()) };
        Some(Expr { kind, span })
    }

    /// `[a*]`.
    pub(super) fn bracketed_wildcard(&mut self) -> Parsed<Expr> {
        if !self.at(OpenBracket) {
            return None;
        }
        self.wildcard_length(1)?;
        let start = self.position;
        self.bump();
        let inner = self.wildcard()?;
        self.expect(CloseBracket);
        self.node(BracketedName, start);
        Some(Expr { kind: inner.kind, span: self.span_from(start) })
    }

    /// A keyword followed by what only follows a name: the name was meant, but needs brackets.
    pub(super) fn keyword_as_name(&mut self) -> Parsed<Expr> {
        if !self.kind().is_keyword() || !follows_a_name(self.nth(1)) {
            return None;
        }
        let start = self.position;
        let span = self.nth_span(0);
        self.errors.push(diagnostics::name_needs_brackets(self.nth_text(0), span));
        let name = self.bump_as_name();
        self.node(NameNode, start);
        Some(Expr { kind: ExprKind::Name(name), span })
    }

    /// `a-b` and keywords left of `=`: read as the name that was meant.
    pub(super) fn dashed_name_length(&self) -> Option<usize> {
        if !(self.at(Identifier) || self.kind().is_keyword()) {
            return None;
        }
        let mut at = 1;
        while (matches!(self.nth(at), Identifier | Minus) || self.nth(at).is_keyword()) && self.joined(at) {
            at += 1;
        }
        (self.nth(at) == Equal).then_some(at)
    }

    pub(super) fn dashed_name(&mut self, length: usize) -> Name {
        let start = self.position;
        self.position += length;
        self.node(NameNode, start);
        let span = self.span_from(start);
        let text = self.slice(span).to_owned();
        self.errors.push(diagnostics::name_needs_brackets(&text, span));
        Name { text, span, bracketed: false }
    }
}

fn follows_a_name(kind: SyntaxKind) -> bool {
    super::infix::follows_operand(kind)
        || matches!(kind, CloseParen | CloseBracket | CloseBrace | Dot | Comma | Colon | Bar)
}

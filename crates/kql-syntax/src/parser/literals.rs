//! Literals: strings, numbers with an optional sign, typed literals, `dynamic(...)` with its JSON, `typeof(...)`.

use super::lists::ListRules;
use super::{Parsed, Parser, expr};
use crate::ast::{ColumnDecl, Expr, ExprKind, Literal, Span, TypeOfItem};
use crate::diagnostics;
use crate::kind::SyntaxKind::{self, *};

impl Parser<'_> {
    /// A literal where only literals may stand: rows of a `datatable`, defaults of parameters.
    pub(super) fn literal(&mut self) -> Parsed<Expr> {
        match self.kind() {
            Plus | Minus => self.signed_literal(),
            TypeofKw => self.type_of(),
            OpenBrace => self.name_expression(),
            _ => self.unsigned_literal(),
        }
    }

    /// Whether a literal token stands there.
    pub(super) fn is_literal(&self, ahead: usize) -> bool {
        matches!(
            self.nth(ahead),
            StringLiteral
                | BoolLiteral
                | LongLiteral
                | IntLiteral
                | RealLiteral
                | DecimalLiteral
                | DateTimeLiteral
                | TimeSpanLiteral
                | GuidLiteral
                | RawGuid
        )
    }

    /// A literal that starts an expression: a sign is not part of it.
    pub(super) fn unsigned_literal(&mut self) -> Parsed<Expr> {
        let start = self.position;
        let span = self.nth_span(0);
        let text = self.slice(span);
        let value = match self.kind() {
            StringLiteral => return self.string_literal(),
            DynamicKw => return self.dynamic_literal(),
            BoolLiteral => Literal::Bool(inner_text(text).unwrap_or(text).to_owned()),
            LongLiteral if inner_text(text).is_none() => Literal::Long(text.to_owned()),
            RealLiteral if inner_text(text).is_none() => Literal::Real(text.to_owned()),
            TimeSpanLiteral if inner_text(text).is_none() => Literal::TimeSpan(text.to_owned()),
            LongLiteral | RealLiteral | TimeSpanLiteral | IntLiteral | DecimalLiteral | DateTimeLiteral
            | GuidLiteral => typed(text),
            RawGuid => {
                self.errors.push(diagnostics::raw_guid(span));
                Literal::Typed { type_name: "guid".to_owned(), text: text.to_owned() }
            }
            _ => return None,
        };
        self.bump();
        Some(self.finish(SyntaxKind::Literal, start, ExprKind::Literal(value)))
    }

    /// Adjoining strings are one string: `"a" 'b'` is `"ab"`.
    pub(super) fn string_literal(&mut self) -> Parsed<Expr> {
        if !self.at(StringLiteral) {
            return None;
        }
        let start = self.position;
        let span = self.bump();
        let (mut value, mut hidden) = self.literal_text(span);
        while self.at(StringLiteral) {
            let span = self.bump();
            let (more, more_hidden) = self.literal_text(span);
            value.push_str(&more);
            hidden |= more_hidden;
        }
        Some(self.finish(SyntaxKind::Literal, start, ExprKind::Literal(Literal::String { value, hidden })))
    }

    /// `-1`, `+2.5h`: only directly before a number.
    fn signed_literal(&mut self) -> Parsed<Expr> {
        let number = self.nth_text(1);
        let is_number = matches!(self.nth(1), LongLiteral | RealLiteral | TimeSpanLiteral)
            && number.starts_with(|c: char| c.is_ascii_digit());
        if !is_number || !self.joined(1) {
            return None;
        }
        let start = self.position;
        self.bump();
        let kind = self.kind();
        self.bump();
        let text = self.slice(self.span_from(start)).to_owned();
        let value = match kind {
            LongLiteral => Literal::Long(text),
            RealLiteral => Literal::Real(text),
            _ => Literal::TimeSpan(text),
        };
        Some(self.finish(SyntaxKind::Literal, start, ExprKind::Literal(value)))
    }

    /// `dynamic(...)`: the raw text inside; its JSON is checked here.
    pub(super) fn dynamic_literal(&mut self) -> Parsed<Expr> {
        if !self.at(DynamicKw) || self.nth(1) != OpenParen {
            return None;
        }
        let start = self.position;
        self.bump();
        let open = self.bump();
        if self.json_value().is_none() {
            self.missing("json value");
        }
        let close = self.expect(CloseParen);
        let end = close.map_or_else(|| self.span_from(start).end, |c| c.start);
        let inside = self.slice(Span::new(open.end, end.max(open.end))).trim().to_owned();
        Some(self.finish(DynamicLiteral, start, ExprKind::Literal(Literal::Dynamic(inside))))
    }

    fn json_value(&mut self) -> Parsed<()> {
        if !self.enter() {
            return Some(());
        }
        let found = self.json_value_here();
        self.leave();
        found
    }

    fn json_value_here(&mut self) -> Parsed<()> {
        let start = self.position;
        match self.kind() {
            LongLiteral | RealLiteral | BoolLiteral | DateTimeLiteral | TimeSpanLiteral | GuidLiteral
            | DecimalLiteral => {
                self.bump();
                self.node(SyntaxKind::Literal, start);
            }
            RawGuid => {
                self.unsigned_literal()?;
            }
            StringLiteral => {
                self.string_literal()?;
            }
            Minus if matches!(self.nth(1), LongLiteral | RealLiteral) => {
                self.bump();
                self.bump();
                self.node(SyntaxKind::Literal, start);
            }
            NullKw => {
                self.bump();
                self.node(SyntaxKind::Literal, start);
            }
            DynamicKw => {
                self.dynamic_literal()?;
            }
            OpenBracket => self.json_array(),
            OpenBrace => match self.name_length(0, false) {
                Some(_) => {
                    self.name()?;
                }
                None => self.json_object(),
            },
            _ => return None,
        }
        Some(())
    }

    fn json_array(&mut self) {
        let start = self.position;
        self.bump();
        self.comma_list(ListRules::COMMON, Self::json_value, |p| p.missing("json value"));
        self.expect(CloseBracket);
        self.node(JsonArray, start);
    }

    fn json_object(&mut self) {
        let start = self.position;
        self.bump();
        self.comma_list(ListRules::COMMON, Self::json_pair, |p| p.missing("json key:value pair"));
        self.expect(CloseBrace);
        self.node(JsonObject, start);
    }

    fn json_pair(&mut self) -> Parsed<()> {
        let start = self.position;
        match self.kind() {
            StringLiteral => {
                self.bump();
                self.expect(Colon);
                if self.json_value().is_none() {
                    self.missing("json value");
                }
            }
            Colon => {
                self.missing("string");
                self.bump();
                if self.json_value().is_none() {
                    self.missing("json value");
                }
            }
            _ => {
                let errors = self.errors.len();
                let at = self.missing_token_span();
                self.json_value()?;
                self.errors.insert(errors.min(self.errors.len()), diagnostics::missing_element("string", at));
                self.expected(&[":"]);
            }
        }
        self.node(JsonPair, start);
        Some(())
    }

    /// `typeof(long)`, `typeof(a:long, *)`.
    pub(super) fn type_of(&mut self) -> Parsed<Expr> {
        if !self.at(TypeofKw) || self.nth(1) != OpenParen {
            return None;
        }
        let start = self.position;
        self.bump();
        self.bump();
        let single = self.is_extended_type(0) || (self.at(Identifier) && self.nth(1) == CloseParen);
        let items = if single {
            vec![TypeOfItem::Type(self.take_type())]
        } else {
            self.comma_list(ListRules::COMMON, Self::type_of_item, |p| TypeOfItem::Type(p.missing_type()))
        };
        self.expect(CloseParen);
        Some(self.finish(TypeOf, start, ExprKind::TypeOf(items)))
    }

    fn type_of_item(&mut self) -> Parsed<TypeOfItem> {
        if self.at(Star) {
            let start = self.position;
            self.bump();
            self.node(StarExpression, start);
            return Some(TypeOfItem::Star);
        }
        self.column().map(|column: ColumnDecl| TypeOfItem::Column(column))
    }

    pub(super) fn star(&mut self) -> Parsed<Expr> {
        let start = self.position;
        let span = self.eat(Star)?;
        self.node(StarExpression, start);
        Some(expr(ExprKind::Star, span))
    }
}

/// The text between the parentheses of `word(...)`; None for a literal without them.
fn inner_text(literal: &str) -> Option<&str> {
    let (_, inside) = literal.split_once('(')?;
    Some(inside.strip_suffix(')').unwrap_or(inside).trim())
}

fn typed(literal: &str) -> Literal {
    let type_name = literal.split('(').next().unwrap_or("").trim().to_owned();
    let inside = inner_text(literal).unwrap_or("");
    let quoted = crate::lexer::is_one_string(inside);
    let text = if quoted { crate::lexer::string_value(inside).0 } else { inside.to_owned() };
    Literal::Typed { type_name, text }
}

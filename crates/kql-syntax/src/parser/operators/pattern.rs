//! `parse`, `parse-where` and `parse-kv`.

use super::super::parameters::{Parameter, Value};
use super::super::{Parsed, Parser};
use super::{Body, plain};
use crate::ast::{ExprKind, Literal, OperatorKind, ParsePart};
use crate::kind::SyntaxKind::*;

/// The properties of `parse-kv`.
const KV_PROPERTIES: &[Parameter] = &[
    ("pair_delimiter", Value::Any("string")),
    ("kv_delimiter", Value::Any("string")),
    ("regex", Value::Any("string")),
    ("quote", Value::Any("string")),
    ("escape", Value::Any("string")),
    ("greedy", Value::Any("boolean")),
];

impl Parser<'_> {
    pub(super) fn parse_operator(&mut self) -> Body {
        self.parse_with(false)
    }

    pub(super) fn parse_where(&mut self) -> Body {
        self.parse_with(true)
    }

    fn parse_with(&mut self, filter: bool) -> Body {
        let params = self
            .named_parameters(&[("kind", Value::Word(&["simple", "regex", "relaxed"])), ("flags", Value::Word(&[]))]);
        let expr = self.unnamed_or_missing();
        self.expect(WithKw);
        let mut parts = Vec::new();
        while let Some(part) = self.parse_part() {
            parts.push(part);
        }
        (OperatorKind::Parse { expr, parts, filter }, params)
    }

    fn parse_part(&mut self) -> Parsed<ParsePart> {
        if self.star().is_some() {
            return Some(ParsePart::Star);
        }
        if let Some(text) = self.string_literal() {
            return match text.kind {
                ExprKind::Literal(Literal::String { value, .. }) => Some(ParsePart::Text(value, text.span)),
                _ => None,
            };
        }
        let (name, ty) = self.optionally_typed_name(true)?;
        Some(ParsePart::Column { name, ty })
    }

    pub(super) fn parse_kv(&mut self) -> Body {
        let expr = self.unnamed_or_missing();
        self.expect(AsKw);
        let columns = self.row_schema();
        let with = self.with_own_properties(KV_PROPERTIES);
        plain(OperatorKind::ParseKv { expr, columns, with })
    }
}

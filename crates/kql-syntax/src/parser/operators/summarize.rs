//! `summarize` and `reduce`.

use super::super::Parser;
use super::super::lists::ListRules;
use super::super::parameters::{Equals, Names, Parameter, Value};
use super::Body;
use crate::ast::{Expr, ExprKind, OperatorKind};
use crate::kind::SyntaxKind::*;

/// The parameters of `reduce`.
const REDUCE: &[Parameter] = &[("threshold", Value::Any("number")), ("characters", Value::Any("string"))];

impl Parser<'_> {
    pub(super) fn summarize(&mut self) -> Body {
        let params = self.named_parameters(&[]);
        let aggregates = self.named_list(ListRules::until(|p| p.at(ByKw)));
        let by = self.by_clause();
        (OperatorKind::Summarize { aggregates, by }, params)
    }

    /// `by a, b`, with the old `bin=1h` at the end.
    fn by_clause(&mut self) -> Vec<Expr> {
        let start = self.position;
        if self.eat(ByKw).is_none() {
            return Vec::new();
        }
        let mut keys = self.comma_list(
            // The old `by a bin=1h`; a column named `bin` is fine when its value is no literal.
            ListRules::until(|p| p.is_old_bin() && p.is_literal(2)).one_or_more(),
            Self::named_expression,
            Self::missing_expression,
        );
        if self.is_old_bin() {
            let start = self.position;
            let name = self.bump_as_name();
            self.bump();
            let value = self.unnamed_or_missing();
            let kind = ExprKind::Named { names: vec![name], tuple: false, value: Box::new(value) };
            keys.push(self.finish(NamedExpression, start, kind));
        }
        self.node(ByClause, start);
        keys
    }

    fn is_old_bin(&self) -> bool {
        self.at(BinKw) && self.nth(1) == Equal
    }

    /// `reduce by Text with threshold=0.1, characters='-'`.
    pub(super) fn reduce(&mut self) -> Body {
        let params = self.parameters(REDUCE, Equals::Required);
        self.expect(ByKw);
        let by = self.named_or_missing();
        let start = self.position;
        let mut with = Vec::new();
        if self.eat(WithKw).is_some() {
            with = self.own_properties(REDUCE, Names::Known);
            self.node(WithClause, start);
        }
        (OperatorKind::Reduce { by, with }, params)
    }
}

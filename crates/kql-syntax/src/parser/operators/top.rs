//! `top`, `top-hitters` and `top-nested`.

use super::super::lists::ListRules;
use super::super::{Parsed, Parser};
use super::{Body, plain};
use crate::ast::{Expr, OperatorKind, OrderKey, TopNestedClause};
use crate::kind::SyntaxKind::{self, *};

impl Parser<'_> {
    pub(super) fn top(&mut self) -> Body {
        let params = self.named_parameters(&[]);
        let count = self.named_or_missing();
        self.expect(ByKw);
        (OperatorKind::Top { count, by: self.required_order_key() }, params)
    }

    fn required_order_key(&mut self) -> OrderKey {
        match self.order_key() {
            Some(key) => key,
            None => self.missing_order_key(),
        }
    }

    pub(super) fn top_hitters(&mut self) -> Body {
        let params = self.named_parameters(&[]);
        let count = self.named_or_missing();
        self.expect(OfKw);
        let of = self.named_or_missing();
        let by = self.eat(ByKw).map(|_| self.named_or_missing());
        (OperatorKind::TopHitters { count, of, by }, params)
    }

    /// `top-nested 2 of a by sum(x), top-nested of b by max(y)`: the first keyword is already taken.
    pub(super) fn top_nested(&mut self) -> Body {
        let mut first = Some(());
        let clauses = self.comma_list(
            ListRules::COMMON.one_or_more(),
            |p| {
                let start = p.position;
                let start = if first.take().is_some() {
                    start.saturating_sub(1)
                } else {
                    p.eat(TopNestedKw)?;
                    start
                };
                Some(p.top_nested_clause(start))
            },
            |p| {
                p.missing("clause");
                let missing = p.missing_here();
                let by = OrderKey { expr: missing.clone(), descending: None, nulls_first: None };
                TopNestedClause { count: None, expr: missing, with_others: None, by }
            },
        );
        plain(OperatorKind::TopNested(clauses))
    }

    fn top_nested_clause(&mut self, start: usize) -> TopNestedClause {
        let count = if self.at(OfKw) { None } else { self.named_expression() };
        self.expect(OfKw);
        let expr = self.named_or_missing();
        let with_others = self.with_others();
        self.expect(ByKw);
        let by = self.required_order_key();
        self.node(SyntaxKind::TopNestedClause, start);
        TopNestedClause { count, expr, with_others, by }
    }

    /// `with others = value`.
    fn with_others(&mut self) -> Parsed<Expr> {
        let start = self.position;
        self.eat(WithKw)?;
        self.expect(OthersKw);
        self.expect(Equal);
        let value = match self.literal() {
            Some(value) => value,
            None => self.unnamed_or_missing(),
        };
        self.node(WithClause, start);
        Some(value)
    }
}

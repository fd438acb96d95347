//! `make-series` and `range`.

use super::super::lists::ListRules;
use super::super::parameters::Value;
use super::super::{Parsed, Parser};
use super::{Body, plain};
use crate::ast::{Expr, MakeSeriesClause, OperatorKind};
use crate::kind::SyntaxKind::*;

impl Parser<'_> {
    pub(super) fn range(&mut self) -> Body {
        let name = self.name_or_missing();
        self.expect(FromKw);
        let from = self.unnamed_or_missing();
        self.expect(ToKw);
        let to = self.unnamed_or_missing();
        self.expect(StepKw);
        plain(OperatorKind::Range { name, from, to, step: self.unnamed_or_missing() })
    }

    pub(super) fn make_series(&mut self) -> Body {
        let params = self.named_parameters(&[("kind", Value::Word(&["nonempty"]))]);
        let rules = ListRules::until(|p| matches!(p.kind(), OnKw | FromKw | InKw)).one_or_more();
        let aggregates = self.comma_list(rules, Self::series_aggregate, |p| (p.missing_expression(), None));
        let start = self.position;
        self.expect(OnKw);
        let on = self.named_or_missing();
        self.node(OnClause, start);
        let mut clause =
            MakeSeriesClause { aggregates, on, from: None, to: None, step: None, in_range: false, by: Vec::new() };
        let start = self.position;
        if matches!(self.kind(), FromKw | ToKw | StepKw) {
            clause.from = self.eat(FromKw).map(|_| self.unnamed_or_missing());
            clause.to = self.eat(ToKw).map(|_| self.unnamed_or_missing());
            self.expect(StepKw);
            clause.step = Some(self.unnamed_or_missing());
        } else {
            self.series_in_range(&mut clause);
        }
        self.node(RangeClause, start);
        let start = self.position;
        if self.eat(ByKw).is_some() {
            clause.by = self.comma_list(ListRules::OPEN, Self::named_expression, Self::missing_expression);
            self.node(ByClause, start);
        }
        (OperatorKind::MakeSeries(clause), params)
    }

    /// `aggregate [default = value]`.
    fn series_aggregate(&mut self) -> Parsed<(Expr, Option<Expr>)> {
        let aggregate = self.named_expression()?;
        let start = self.position;
        let default = self.eat(DefaultKw).map(|_| {
            self.expect(Equal);
            let value = self.named_or_missing();
            self.node(DefaultClause, start);
            value
        });
        Some((aggregate, default))
    }

    /// The old form: `in range(from, to, step)`.
    fn series_in_range(&mut self, clause: &mut MakeSeriesClause) {
        clause.in_range = true;
        self.expect(InKw);
        self.expect(RangeKw);
        self.expect(OpenParen);
        let mut values = self.named_list(ListRules::COMMON).into_iter();
        clause.from = values.next();
        clause.to = values.next();
        clause.step = values.next();
        self.expect(CloseParen);
    }
}

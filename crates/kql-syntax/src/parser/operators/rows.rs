//! Operators that choose, order or count rows, and the small ones without a group.

use super::super::lists::ListRules;
use super::super::parameters::{Equals, Value};
use super::super::{Parsed, Parser};
use super::{Body, plain};
use crate::ast::{Expr, OperatorKind, OrderKey};
use crate::diagnostics;
use crate::kind::SyntaxKind::{self, *};

impl Parser<'_> {
    pub(super) fn as_operator(&mut self) -> Body {
        let params = self.named_parameters(&[]);
        (OperatorKind::As(self.name_or_missing()), params)
    }

    pub(super) fn assert_schema(&mut self) -> Body {
        plain(OperatorKind::AssertSchema(self.row_schema()))
    }

    pub(super) fn consume(&mut self) -> Body {
        let params = self.parameters(&[], Equals::Required);
        (OperatorKind::Consume, params)
    }

    /// `count` and the old `count as Name`.
    pub(super) fn count(&mut self) -> Body {
        plain(OperatorKind::Count { as_name: self.name_after(AsKw) })
    }

    pub(super) fn execute_and_cache(&mut self) -> Body {
        plain(OperatorKind::Other)
    }

    pub(super) fn getschema(&mut self) -> Body {
        let params = self.parameter_named("kind", Value::Word(&["csl"])).into_iter().collect();
        (OperatorKind::GetSchema, params)
    }

    pub(super) fn where_operator(&mut self) -> Body {
        let params = self.named_parameters(&[]);
        (OperatorKind::Where(self.named_or_missing()), params)
    }

    pub(super) fn take(&mut self) -> Body {
        let params = self.named_parameters(&[]);
        (OperatorKind::Take(self.named_or_missing()), params)
    }

    pub(super) fn sample(&mut self) -> Body {
        let params = self.named_parameters(&[]);
        (OperatorKind::Sample(self.named_or_missing()), params)
    }

    pub(super) fn sample_distinct(&mut self) -> Body {
        let params = self.named_parameters(&[]);
        let count = self.named_or_missing();
        self.expect(OfKw);
        (OperatorKind::SampleDistinct { count, of: self.named_or_missing() }, params)
    }

    pub(super) fn distinct(&mut self) -> Body {
        let params = self.named_parameters(&[]);
        let rules = ListRules::COMMON.one_or_more();
        let columns = self.comma_list(rules, Self::distinct_item, Self::missing_expression);
        (OperatorKind::Distinct(columns), params)
    }

    fn distinct_item(&mut self) -> Parsed<Expr> {
        self.star().or_else(|| self.named_expression())
    }

    pub(super) fn serialize(&mut self) -> Body {
        let params = self.named_parameters(&[]);
        (OperatorKind::Serialize(self.named_list(ListRules::COMMON)), params)
    }

    pub(super) fn sort(&mut self) -> Body {
        let params = self.parameters(&[], Equals::Required);
        self.expect(ByKw);
        let keys = self.order_keys(ListRules::COMMON.one_or_more());
        (OperatorKind::Sort(keys), params)
    }

    pub(in super::super) fn order_keys(&mut self, rules: ListRules) -> Vec<OrderKey> {
        self.comma_list(rules, Self::order_key, Self::missing_order_key)
    }

    pub(super) fn missing_order_key(&mut self) -> OrderKey {
        OrderKey { expr: self.missing_expression(), descending: None, nulls_first: None }
    }

    /// `expression [asc|desc] [nulls first|last]`.
    pub(super) fn order_key(&mut self) -> Parsed<OrderKey> {
        let start = self.position;
        let expr = self.named_expression()?;
        let descending = self.direction();
        let nulls_first = self.nulls();
        if descending.is_some() || nulls_first.is_some() {
            self.node(SyntaxKind::OrderKey, start);
        }
        Some(OrderKey { expr, descending, nulls_first })
    }

    pub(super) fn direction(&mut self) -> Option<bool> {
        let descending = match self.kind() {
            AscKw | GrannyAscKw => false,
            DescKw | GrannyDescKw => true,
            _ => return None,
        };
        self.bump();
        Some(descending)
    }

    fn nulls(&mut self) -> Option<bool> {
        self.eat(NullsKw)?;
        if self.eat(FirstKw).is_some() {
            return Some(true);
        }
        if self.eat(LastKw).is_none() {
            let span = self.missing_token_span();
            self.errors.push(diagnostics::missing_element("first or last", span));
        }
        Some(false)
    }

    pub(super) fn invoke(&mut self) -> Body {
        let call = match self.call_chain() {
            Some(call) => call,
            None => self.missing_expression(),
        };
        plain(OperatorKind::Invoke(call))
    }

    /// `evaluate plugin(...) : (schema)`.
    pub(super) fn evaluate(&mut self) -> Body {
        let params = self.parameters(&[], Equals::Required);
        let call = self.required_call();
        let mut schema = None;
        let mut schema_open = false;
        if self.eat(Colon).is_some() {
            let (columns, open) = self.row_schema_with(true);
            schema = Some(columns);
            schema_open = open;
        }
        (OperatorKind::Evaluate { call, schema, schema_open }, params)
    }
}

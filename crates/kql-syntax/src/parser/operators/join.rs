//! `join`, `lookup` and `union`.

use super::super::lists::ListRules;
use super::super::parameters::Value;
use super::super::{Parsed, Parser};
use super::Body;
use crate::ast::{Expr, JoinClause, OperatorKind};
use crate::kind::SyntaxKind::*;

const JOIN_KINDS: &[&str] = &[
    "inner",
    "fullouter",
    "innerunique",
    "leftanti",
    "leftantisemi",
    "anti",
    "leftouter",
    "leftsemi",
    "rightanti",
    "rightantisemi",
    "rightouter",
    "rightsemi",
];

impl Parser<'_> {
    pub(super) fn join(&mut self) -> Body {
        let params = self.named_parameters(&[("kind", Value::Word(JOIN_KINDS))]);
        let right = self.unnamed_or_missing();
        let on = self.on_clause();
        let condition = if on.is_none() { self.join_condition() } else { None };
        (OperatorKind::Join(JoinClause { right, on: on.unwrap_or_default(), condition }), params)
    }

    pub(super) fn lookup(&mut self) -> Body {
        let params = self.named_parameters(&[("kind", Value::Word(&["inner", "leftouter"]))]);
        let right = self.unnamed_or_missing();
        let on = match self.on_clause() {
            Some(on) => on,
            None => {
                self.missing("join on condition clause");
                Vec::new()
            }
        };
        (OperatorKind::Lookup(JoinClause { right, on, condition: None }), params)
    }

    /// `on a, $left.b == $right.c`.
    pub(super) fn on_clause(&mut self) -> Option<Vec<Expr>> {
        let start = self.position;
        self.eat(OnKw)?;
        let conditions = self.comma_list(ListRules::OPEN, Self::unnamed_expression, Self::missing_expression);
        self.node(OnClause, start);
        Some(conditions)
    }

    fn join_condition(&mut self) -> Option<Expr> {
        let start = self.position;
        self.eat(WhereKw)?;
        let condition = self.unnamed_or_missing();
        self.node(WhereClause, start);
        Some(condition)
    }

    pub(super) fn union(&mut self) -> Body {
        let own = [("kind", Value::Word(&["inner", "outer"])), ("best_effort", Value::Any("boolean"))];
        let params = self.named_parameters(&own);
        let rules = ListRules::COMMON.one_or_more();
        let tables = self.comma_list(rules, Self::union_item, Self::missing_expression);
        (OperatorKind::Union(tables), params)
    }

    /// A table, a pattern of table names, or a pipeline in parentheses.
    fn union_item(&mut self) -> Parsed<Expr> {
        if self.at(OpenParen) {
            return Some(self.parenthesised());
        }
        self.entity_pattern()
    }
}

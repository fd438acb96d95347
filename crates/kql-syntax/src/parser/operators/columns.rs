//! Operators that make, choose, rename or order columns.

use super::super::lists::ListRules;
use super::super::{Parsed, Parser};
use super::{Body, plain};
use crate::ast::{Expr, OperatorKind, OrderKey};
use crate::kind::SyntaxKind;

impl Parser<'_> {
    pub(super) fn extend(&mut self) -> Body {
        plain(OperatorKind::Extend(self.named_list(ListRules::COMMON.one_or_more())))
    }

    pub(super) fn print(&mut self) -> Body {
        plain(OperatorKind::Print(self.named_list(ListRules::COMMON.one_or_more())))
    }

    pub(super) fn project(&mut self) -> Body {
        plain(OperatorKind::Project(self.named_list(ListRules::COMMON)))
    }

    pub(super) fn project_rename(&mut self) -> Body {
        plain(OperatorKind::ProjectRename(self.named_list(ListRules::COMMON)))
    }

    pub(super) fn project_away(&mut self) -> Body {
        plain(OperatorKind::ProjectAway(self.column_patterns()))
    }

    pub(super) fn project_keep(&mut self) -> Body {
        plain(OperatorKind::ProjectKeep(self.column_patterns()))
    }

    /// Names, patterns and expressions that give lists of names.
    pub(super) fn project_by_names(&mut self) -> Body {
        let rules = ListRules::COMMON;
        let items = self.comma_list(rules, Self::unnamed_expression, Self::missing_expression);
        plain(OperatorKind::ProjectByNames(items))
    }

    fn column_patterns(&mut self) -> Vec<Expr> {
        self.comma_list(ListRules::COMMON, Self::column_pattern, Self::missing_expression)
    }

    /// A column name or a pattern with `*`.
    fn column_pattern(&mut self) -> Parsed<Expr> {
        self.wildcard().or_else(|| self.name_expression())
    }

    pub(super) fn project_reorder(&mut self) -> Body {
        let keys = self.comma_list(ListRules::COMMON, Self::reordered_column, Self::missing_order_key);
        plain(OperatorKind::ProjectReorder(keys))
    }

    fn reordered_column(&mut self) -> Parsed<OrderKey> {
        let start = self.position;
        let expr = self.column_pattern()?;
        let descending = self.direction();
        if descending.is_some() {
            self.node(SyntaxKind::OrderKey, start);
        }
        Some(OrderKey { expr, descending, nulls_first: None })
    }
}

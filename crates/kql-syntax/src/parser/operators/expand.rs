//! `mv-expand` and `mv-apply`.

use super::super::lists::ListRules;
use super::super::parameters::Value;
use super::super::{Parsed, Parser};
use super::Body;
use crate::ast::{Expr, ExprKind, MvItem, OperatorKind, TypeName, TypeOfItem};
use crate::kind::SyntaxKind::*;

impl Parser<'_> {
    pub(super) fn mv_expand(&mut self) -> Body {
        let params = self.named_parameters(&[("kind", Value::Word(&["bag", "array"]))]);
        let items = self.mv_items(ListRules::until(|p| p.at(LimitKw)));
        let limit = self.row_limit();
        (OperatorKind::MvExpand { items, limit }, params)
    }

    pub(super) fn mv_apply(&mut self) -> Body {
        let params = self.named_parameters(&[]);
        let items = self.mv_items(ListRules::until(|p| p.ends_mv_apply_items()));
        let limit = self.row_limit();
        let context_id = self.eat(IdKw).and_then(|_| match self.unnamed_or_missing().kind {
            ExprKind::Name(name) => Some(name),
            _ => None,
        });
        self.expect(OnKw);
        let subquery = self.parenthesised_subquery();
        (OperatorKind::MvApply { items, limit, context_id, subquery }, params)
    }

    /// The words of the next clause may also be names: `mv-apply id on (...)`, `mv-apply limit = x on (...)`.
    fn ends_mv_apply_items(&self) -> bool {
        matches!(self.kind(), LimitKw | IdKw | OnKw) && !matches!(self.nth(1), Comma | ToKw | Equal)
    }

    fn mv_items(&mut self, rules: ListRules) -> Vec<MvItem> {
        self.comma_list(rules.one_or_more(), Self::mv_item, |p| MvItem { expr: p.missing_expression(), to_type: None })
    }

    fn mv_item(&mut self) -> Parsed<MvItem> {
        let expr =
            if self.at(ToKw) && self.nth(1) == TypeofKw { self.missing_here() } else { self.named_expression()? };
        let to_type = self.target_type();
        Some(MvItem { expr, to_type })
    }

    /// `to typeof(long)`.
    fn target_type(&mut self) -> Option<TypeName> {
        let start = self.position;
        self.eat(ToKw)?;
        let Some(Expr { kind: ExprKind::TypeOf(items), span }) = self.type_of() else {
            self.missing("typeof");
            return None;
        };
        self.node(ToTypeClause, start);
        items.into_iter().next().map(|item| match item {
            TypeOfItem::Type(ty) => ty,
            TypeOfItem::Column(_) | TypeOfItem::Star => TypeName { text: self.slice(span).to_owned(), span },
        })
    }

    fn row_limit(&mut self) -> Option<Expr> {
        let start = self.position;
        self.eat(LimitKw)?;
        let limit = self.unnamed_or_missing();
        self.node(LimitClause, start);
        Some(limit)
    }
}

//! `in`, `!in`, `in~`, `has_any`, `has_all` over literals, dynamic arrays and tables.

use kql_syntax::ast::{self, InOp};
use kql_types::{Dynamic, ScalarType, Span, Value};

use super::types;
use super::{Bound, from_dynamic};
use crate::binder::{Binder, bool_expr, literal};
use crate::bound::{Expr, ExprKind};
use crate::scope::Table;

impl Binder<'_> {
    pub(super) fn bind_in(
        &mut self,
        op: InOp,
        op_span: Span,
        left: &ast::Expr,
        items: &[ast::Expr],
        span: Span,
    ) -> Expr {
        let value = if matches!(super::unwrapped(left).kind, ast::ExprKind::Star) {
            return self.any_column_in(op, op_span, items, span);
        } else {
            self.scalar(left)
        };
        let text = matches!(op, InOp::InCi | InOp::NotInCi | InOp::HasAny | InOp::HasAll);
        if text && !types::is_text(value.ty) {
            let mut list = vec![value.ty.name().to_string()];
            let (right, table) = self.list_items(items);
            if matches!(op, InOp::InCi | InOp::NotInCi) {
                self.error("KS107", left.span, "A value of type string or dynamic expected.");
                return Expr { ty: ScalarType::Bool, ..self.error_expr(span) };
            }
            if table.is_none() {
                list.extend(right.iter().map(|item| item.ty.name().to_string()));
            }
            let last = list.pop().unwrap_or_default();
            let message = format!(
                "The operator '{}' is not defined for the operand types {} and {last}.",
                op.symbol(),
                list.join(", ")
            );
            self.error("KS106", op_span, message);
            return Expr { ty: ScalarType::Bool, ..self.error_expr(span) };
        }
        let (list, table) = self.list_items(items);
        match table {
            Some(table) => self.in_table(op, value, table, span),
            None => {
                self.record_comparison(op.symbol(), &value, &list);
                self.in_list(op, value, list, span)
            }
        }
    }

    /// The right side: a table when it is one, else scalars with dynamic array literals spread out.
    fn list_items(&mut self, items: &[ast::Expr]) -> (Vec<Expr>, Option<Table>) {
        let mut list = Vec::new();
        for item in items {
            match self.bind(item) {
                Bound::Table(table) if items.len() == 1 => return (list, Some(table)),
                Bound::Scalar(expr) => match &expr.kind {
                    ExprKind::Literal(Value::Dynamic(Dynamic::Array(elements))) => {
                        list.extend(elements.iter().map(|element| literal(from_dynamic(element), expr.span)));
                    }
                    _ => list.push(expr),
                },
                Bound::Tuple(tuple) => {
                    let first = tuple.first(self, item.span);
                    list.push(first);
                }
                _ => self.error("KS108", item.span, "Scalar value expected."),
            }
        }
        (list, None)
    }

    fn in_table(&mut self, op: InOp, value: Expr, table: Table, span: Span) -> Expr {
        let rel = Box::new(table.rel);
        let value = Box::new(value);
        bool_expr(
            match op {
                InOp::HasAny | InOp::HasAll => ExprKind::HasRel { value, rel, all: op == InOp::HasAll },
                _ => ExprKind::InRel {
                    value,
                    rel,
                    case_insensitive: matches!(op, InOp::InCi | InOp::NotInCi),
                    negated: matches!(op, InOp::NotIn | InOp::NotInCi),
                },
            },
            span,
        )
    }

    fn in_list(&mut self, op: InOp, value: Expr, list: Vec<Expr>, span: Span) -> Expr {
        if matches!(op, InOp::HasAny | InOp::HasAll) {
            let mut args = vec![value];
            args.extend(list);
            return self.operator_call(op.symbol(), args, ScalarType::Bool, span);
        }
        let case_insensitive = matches!(op, InOp::InCi | InOp::NotInCi);
        let negated = matches!(op, InOp::NotIn | InOp::NotInCi);
        if list.iter().all(|item| matches!(item.kind, ExprKind::Literal(_)))
            && value.ty != ScalarType::Dynamic
            && list.iter().all(|item| !matches!(item.ty, ScalarType::Dynamic))
        {
            let items =
                list.into_iter().map(|item| if item.ty.is_number() { self.convert(item, value.ty) } else { item });
            let items = items.collect();
            return bool_expr(ExprKind::In { value: Box::new(value), items, case_insensitive, negated }, span);
        }
        let mut args = vec![value];
        args.extend(list);
        self.operator_call(op.symbol(), args, ScalarType::Bool, span)
    }

    /// `* in ("a", "b")`.
    fn any_column_in(&mut self, op: InOp, _op_span: Span, items: &[ast::Expr], span: Span) -> Expr {
        let columns = self.row.as_ref().map(|row| row.columns.clone()).unwrap_or_default();
        let (list, _) = self.list_items(items);
        let mut any = Vec::new();
        for column in columns.iter().filter(|column| types::is_text(column.ty)) {
            let value = crate::binder::column_expr(column, span);
            any.push(self.in_list(op, value, list.clone(), span));
        }
        bool_expr(ExprKind::Or(any), span)
    }
}

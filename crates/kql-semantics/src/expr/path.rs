//! Members and indexes: paths into dynamic values, `$left.x`, steps of `scan`, and `database('d').T`.
//!
//! `parse_json(x).a.b[0]` becomes one [`ExprKind::Path`] with three steps over the call.

use kql_syntax::ast::{self, Name};
use kql_types::{Dynamic, ScalarType, Span, Value};

use super::{Bound, Side};
use crate::binder::{Binder, column_expr};
use crate::bound::{Expr, ExprKind, PathStep};

impl Binder<'_> {
    pub(super) fn bind_member(&mut self, base: &ast::Expr, member: &Name, span: Span) -> Bound {
        match self.bind(base) {
            Bound::Scalar(base) => Bound::Scalar(self.member_of_value(base, member, span)),
            Bound::Tuple(tuple) => Bound::Scalar(self.member_of_tuple(tuple, member, span)),
            Bound::Side(side) => Bound::Scalar(self.member_of_side(side, member, span)),
            Bound::Step(step) => Bound::Scalar(self.member_of_step(step, member, span)),
            Bound::Entity(entity) => self.member_of_entity(&entity, member),
            Bound::Table(_) => {
                self.report_unknown_name(member);
                Bound::Scalar(self.error_expr(span))
            }
        }
    }

    fn member_of_value(&mut self, base: Expr, member: &Name, span: Span) -> Expr {
        match base.ty {
            ScalarType::Dynamic if member.bracketed && is_array(&base) => {
                self.error("KS141", member.span, "The expression must have one of the types: int or long.");
                self.error_expr(span)
            }
            ScalarType::Dynamic => with_step(base, PathStep::Key(member.text.clone()), span),
            ScalarType::Unknown => Expr { span, ..base },
            _ => {
                self.report_unknown_name(member);
                self.error_expr(span)
            }
        }
    }

    fn member_of_tuple(&mut self, tuple: super::Tuple, member: &Name, span: Span) -> Expr {
        match tuple.values.into_iter().find(|value| value.name == member.text) {
            Some(value) => Expr { span, ..value.expr },
            None => {
                self.report_unknown_name(member);
                self.error_expr(span)
            }
        }
    }

    fn member_of_side(&mut self, side: Side, member: &Name, span: Span) -> Expr {
        let row = match side {
            Side::Left => &mut self.row,
            Side::Right => &mut self.right_row,
        };
        if let Some(column) = row.as_ref().and_then(|row| row.find(&member.text)) {
            return column_expr(&column.clone(), span);
        }
        if row.as_ref().is_some_and(|row| row.open) {
            let column = self.new_column(member.text.as_str(), ScalarType::Unknown);
            let row = match side {
                Side::Left => &mut self.row,
                Side::Right => &mut self.right_row,
            };
            if let Some(row) = row {
                row.inferred.push(column.clone());
            }
            return column_expr(&column, span);
        }
        self.report_unknown_name(member);
        self.error_expr(span)
    }

    fn member_of_step(&mut self, step: usize, member: &Name, span: Span) -> Expr {
        match self.scan_columns.iter().find(|column| *column.name == *member.text) {
            Some(column) => Expr { kind: ExprKind::ScanState { step, column: column.id }, ty: column.ty, span },
            None => {
                self.report_unknown_name(member);
                self.error_expr(span)
            }
        }
    }

    pub(super) fn bind_index(&mut self, base: &ast::Expr, index: &ast::Expr, span: Span) -> Bound {
        // `["a b"]` and `[0]` are literals, so they are read before the base decides what they select.
        let bound_base = self.bind(base);
        let index_expr = self.plain_scalar(index);
        let base_expr = match bound_base {
            Bound::Scalar(expr) => expr,
            Bound::Tuple(tuple) => {
                return Bound::Scalar(match literal_index(&index_expr).and_then(|i| usize::try_from(i).ok()) {
                    Some(i) if i < tuple.values.len() => tuple.nth(self, i, span),
                    _ => Expr { kind: ExprKind::Error, ty: ScalarType::Unknown, span },
                });
            }
            other => return self.index_of_scope(other, &index_expr, index, span),
        };
        let bracket = Span::new(base.span.end.min(span.end), span.end);
        if let ExprKind::Column(id) = base_expr.kind
            && self.dynamic_texts.contains(&id)
        {
            let message = "The element access operator [] is not allowed in this context.";
            self.kindness("KS147", bracket, message, "the value is a string in one case and has no elements then");
        }
        Bound::Scalar(match (base_expr.ty, index_expr.ty) {
            (_, ScalarType::Unknown) | (ScalarType::Unknown, _) => self.error_expr(span),
            // What `split` gives is an array: only a number selects in it.
            (ScalarType::Dynamic, ScalarType::String) if is_array(&base_expr) => {
                self.error("KS141", index.span, "The expression must have one of the types: int or long.");
                self.error_expr(span)
            }
            (ScalarType::Dynamic, ScalarType::Int | ScalarType::Long | ScalarType::String | ScalarType::Dynamic) => {
                let step = step_of(index_expr);
                with_step(base_expr, step, span)
            }
            (ScalarType::Dynamic, _) => {
                let message = "The expression must have one of the types: int, long or string.";
                self.error("KS141", index.span, message);
                self.error_expr(span)
            }
            _ => {
                self.error("KS147", bracket, "The element access operator [] is not allowed in this context.");
                self.error_expr(span)
            }
        })
    }

    /// `$left["a b"]`, `database("d").["T"]`.
    fn index_of_scope(&mut self, base: Bound, index: &Expr, written: &ast::Expr, span: Span) -> Bound {
        let ExprKind::Literal(Value::String(text)) = &index.kind else {
            self.error("KS141", written.span, "The expression must have the type string.");
            return Bound::Scalar(self.error_expr(span));
        };
        let name = Name { text: text.clone(), span: written.span, bracketed: true };
        match base {
            Bound::Side(side) => Bound::Scalar(self.member_of_side(side, &name, span)),
            Bound::Step(step) => Bound::Scalar(self.member_of_step(step, &name, span)),
            Bound::Entity(entity) => self.member_of_entity(&entity, &name),
            _ => {
                self.error("KS147", span, "The element access operator [] is not allowed in this context.");
                Bound::Scalar(self.error_expr(span))
            }
        }
    }
}

fn is_array(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Call { function, .. }
        if matches!(function.name, "split" | "pack_array" | "extract_all" | "parse_csv" | "bag_keys"))
}

fn literal_index(expr: &Expr) -> Option<i64> {
    match &expr.kind {
        ExprKind::Literal(Value::Long(n)) => Some(*n),
        ExprKind::Literal(Value::Int(n)) => Some(i64::from(*n)),
        _ => None,
    }
}

fn step_of(index: Expr) -> PathStep {
    match &index.kind {
        ExprKind::Literal(Value::String(key)) => PathStep::Key(key.clone()),
        ExprKind::Literal(Value::Dynamic(Dynamic::String(key))) => PathStep::Key(key.clone()),
        ExprKind::Literal(Value::Dynamic(Dynamic::Long(n))) => PathStep::Index(*n),
        _ => match literal_index(&index) {
            Some(n) => PathStep::Index(n),
            None => PathStep::Computed(index),
        },
    }
}

/// Adds a step to a path, or starts one.
pub(crate) fn with_step(base: Expr, step: PathStep, span: Span) -> Expr {
    let kind = match base.kind {
        ExprKind::Path { base, mut steps } => {
            steps.push(step);
            ExprKind::Path { base, steps }
        }
        kind => ExprKind::Path { base: Box::new(Expr { kind, ty: base.ty, span: base.span }), steps: vec![step] },
    };
    Expr { kind, ty: ScalarType::Dynamic, span }
}

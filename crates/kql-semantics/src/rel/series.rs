//! `make-series`: a grouping whose aggregates become arrays over a regular axis.

use kql_syntax::ast::{self, MakeSeriesClause};
use kql_types::{ScalarType, Span, Value};

use super::items::Style;
use crate::binder::{Binder, Context, literal};
use crate::bound::{AggregateCall, BoundColumn, ColumnId, Expr, ExprKind, RelKind, SummarizeItem};
use crate::expr::types::{is_summable, promotes};
use crate::scope::Table;

impl Binder<'_> {
    pub(super) fn make_series(&mut self, input: Table, clause: &MakeSeriesClause, span: Span) -> Table {
        let (input, made) = self.with_row(input, |b, _| b.series_parts(clause, span));
        let Some((kind, columns)) = made else { return self.no_table(span) };
        let open = input.open;
        let kind = match kind {
            RelKind::MakeSeries { keys, aggregates, axis, axis_out, from, to, step, stop_inclusive, .. } => {
                RelKind::MakeSeries {
                    input: input.rel,
                    keys,
                    aggregates,
                    axis,
                    axis_out,
                    from,
                    to,
                    step,
                    stop_inclusive,
                }
            }
            other => other,
        };
        Table { open, ..Table::new(self.rel(kind, columns, false, span)) }
    }

    /// The node over an input that is put in afterwards.
    fn series_parts(&mut self, clause: &MakeSeriesClause, span: Span) -> Option<(RelKind, Vec<BoundColumn>)> {
        let mut grouping = self.group_keys(&clause.by);
        for (item, (_, key)) in clause.by.iter().zip(grouping.keys.clone()) {
            self.no_dynamic(&key, item.span);
        }
        let mut aggregates = Vec::new();
        for (written, default) in &clause.aggregates {
            self.series_aggregate(written, default.as_ref(), &mut grouping.projection, &mut aggregates, span);
        }
        let axis_written = match &clause.on.kind {
            ast::ExprKind::Named { value, .. } => value,
            _ => &clause.on,
        };
        let axis = self.scalar(axis_written);
        let axis_out = self.new_id();
        let place = Expr { kind: ExprKind::Column(axis_out), ty: ScalarType::Dynamic, span: clause.on.span };
        match &clause.on.kind {
            ast::ExprKind::Named { names, tuple, value } => {
                let bound = crate::expr::Bound::Scalar(place);
                self.add_named(names, *tuple, value, bound, &mut grouping.projection, Style::Project);
            }
            _ => {
                let name = self.name_of(&clause.on).unwrap_or_else(|| "Column1".to_string());
                grouping.projection.add(&name.as_str().into(), Some(&name), place, false, None);
            }
        }
        let bound = |b: &mut Self, end: &Option<ast::Expr>| {
            end.as_ref().map(|end| {
                let value = b.plain_scalar(end);
                b.series_bound(value, axis.ty, end.span)
            })
        };
        let from = bound(self, &clause.from);
        let to = bound(self, &clause.to);
        let step_written = clause.step.as_ref()?;
        let step = self.plain_scalar(step_written);
        let step = self.series_step(step, axis.ty, step_written.span);
        let columns = grouping
            .projection
            .columns
            .iter()
            .filter_map(|column| match column.expr.kind {
                ExprKind::Column(id) => Some(BoundColumn { id, name: column.name.clone(), ty: column.ty }),
                _ => None,
            })
            .collect();
        let kind = RelKind::MakeSeries {
            input: self.empty_rel(Vec::new(), span),
            keys: grouping.keys,
            aggregates,
            axis,
            axis_out,
            from,
            to,
            step,
            stop_inclusive: clause.in_range,
        };
        Some((kind, columns))
    }

    fn series_aggregate(
        &mut self,
        written: &ast::Expr,
        default: Option<&ast::Expr>,
        projection: &mut crate::projection::Projection,
        aggregates: &mut Vec<(ColumnId, AggregateCall, Expr)>,
        span: Span,
    ) {
        let value_written = match &written.kind {
            ast::ExprKind::Named { value, .. } => value,
            _ => written,
        };
        let outer = std::mem::take(&mut self.aggregates);
        let (value, name) = self.in_context(Context::Aggregate, |b| (b.scalar(value_written), b.name_of(written)));
        let mut items = std::mem::replace(&mut self.aggregates, outer);
        let default = match default {
            Some(default) => {
                let bound = self.plain_scalar(default);
                if !promotes(bound.ty, value.ty)
                    && bound.ty != ScalarType::Unknown
                    && value.ty != ScalarType::Unknown
                    && !(bound.ty.is_number() && value.ty.is_number())
                    && !matches!(bound.kind, ExprKind::Literal(Value::Null(_)))
                {
                    self.error("KS107", default.span, format!("A value of type {} expected.", value.ty));
                }
                match &bound.kind {
                    ExprKind::Literal(value_of) => match crate::constant::converted(value_of, value.ty) {
                        Some(converted) => literal(converted, default.span),
                        None => bound,
                    },
                    _ => bound,
                }
            }
            // Without a default a number is 0, and anything else null.
            None => literal(zero(value.ty), span),
        };
        let id = match value.kind {
            ExprKind::Column(id) => id,
            _ => self.new_id(),
        };
        let place = Expr { kind: ExprKind::Column(id), ty: ScalarType::Dynamic, span: written.span };
        match &written.kind {
            ast::ExprKind::Named { names, tuple, value } => {
                let bound = crate::expr::Bound::Scalar(place);
                self.add_named(names, *tuple, value, bound, projection, Style::Project);
            }
            _ => match name {
                Some(name) => {
                    projection.add(&name.as_str().into(), Some(&name), place, false, None);
                }
                None => projection.add_unnamed(place, false, &[]),
            },
        }
        match (items.pop(), &value.kind) {
            (Some(SummarizeItem::Aggregate { out, call }), ExprKind::Column(column))
                if items.is_empty() && out == *column =>
            {
                aggregates.push((out, call, default));
            }
            _ if matches!(value.kind, ExprKind::Error) || value.ty == ScalarType::Unknown => {}
            _ => self.unsupported("make-series over a computed aggregate", written.span),
        }
    }

    /// `from` and `to` have the type of the axis.
    fn series_bound(&mut self, value: Expr, axis: ScalarType, span: Span) -> Expr {
        let known = value.ty != ScalarType::Unknown && axis != ScalarType::Unknown;
        if known && !promotes(value.ty, axis) && !(value.ty.is_number() && axis.is_number()) {
            self.error("KS107", span, format!("A value of type {axis} expected."));
        }
        self.convert(value, axis)
    }

    /// The step of a datetime axis is a timespan, that of a number a number.
    fn series_step(&mut self, step: Expr, axis: ScalarType, span: Span) -> Expr {
        let fits = match axis {
            ScalarType::DateTime | ScalarType::TimeSpan => step.ty == ScalarType::TimeSpan,
            ScalarType::Unknown => true,
            _ => is_summable(axis) && step.ty.is_number(),
        };
        if !fits && step.ty != ScalarType::Unknown {
            let message = format!("The type '{}' is not an appropriate interval type for '{axis}'", step.ty);
            self.error("KS178", span, message);
        }
        if axis.is_number() { self.convert(step, axis) } else { step }
    }
}

fn zero(ty: ScalarType) -> Value {
    match ty {
        ScalarType::Int => Value::Int(0),
        ScalarType::Long => Value::Long(0),
        ScalarType::Real => Value::Real(0.0),
        ScalarType::Decimal => Value::Decimal("0".to_string()),
        other => Value::missing(other),
    }
}

//! `make-series`: a grouping whose aggregates become arrays over a regular axis.

use kql_syntax::ast::{self, MakeSeriesClause};
use kql_types::{ScalarType, Span, Value};

use super::items::Style;
use crate::binder::{Binder, Context, literal};
use crate::bound::{AggregateCall, BoundColumn, ColumnId, Expr, ExprKind, Rel, RelKind, SummarizeItem};
use crate::expr::types::{is_summable, promotes};
use crate::scope::Table;

/// A value of the series: an expression over aggregates.
struct SeriesValue {
    out: ColumnId,
    items: Vec<SummarizeItem>,
    expr: Expr,
    default: Expr,
}

impl SeriesValue {
    /// The value when it is one aggregate and nothing more.
    fn plain(&self) -> Option<(ColumnId, AggregateCall, Expr)> {
        match (self.items.as_slice(), &self.expr.kind) {
            ([SummarizeItem::Aggregate { out, call }], ExprKind::Column(column)) if out == column => {
                Some((self.out, call.clone(), self.default.clone()))
            }
            _ => None,
        }
    }
}

/// `from a to b step c`.
struct Bounds<'s> {
    from: Option<&'s Expr>,
    to: Option<&'s Expr>,
    step: &'s Expr,
    stop_inclusive: bool,
}

/// The outputs of an item of a grouping.
fn item_columns(item: &SummarizeItem, into: &mut Vec<BoundColumn>) {
    let mut add = |id: ColumnId, ty: ScalarType| into.push(BoundColumn { id, name: format!("${}", id.0).into(), ty });
    match item {
        SummarizeItem::Aggregate { out, call } => add(*out, call.ty),
        SummarizeItem::ArgExtreme { by, by_out, values, .. } => {
            add(*by_out, by.ty);
            values.iter().for_each(|(id, value)| add(*id, value.ty));
        }
        SummarizeItem::TakeAny { values } => values.iter().for_each(|(id, value)| add(*id, value.ty)),
    }
}

impl Binder<'_> {
    pub(super) fn make_series(&mut self, input: Table, clause: &MakeSeriesClause, span: Span) -> Table {
        let (input, made) = self.with_row(input, |b, _| b.series_parts(clause, span));
        let Some((kind, values, columns)) = made else { return self.no_table(span) };
        let open = input.open;
        let kind = match kind {
            RelKind::MakeSeries { mut keys, mut axis, axis_out, from, to, step, stop_inclusive, .. } => {
                let mut rel = input.rel;
                let aggregates = match values.iter().map(SeriesValue::plain).collect::<Option<Vec<_>>>() {
                    Some(aggregates) => aggregates,
                    None => {
                        let bounds = Bounds { from: from.as_ref(), to: to.as_ref(), step: &step, stop_inclusive };
                        self.binned_first(&mut rel, &mut keys, &mut axis, values, &bounds)
                    }
                };
                RelKind::MakeSeries { input: rel, keys, aggregates, axis, axis_out, from, to, step, stop_inclusive }
            }
            other => other,
        };
        Table { open, ..Table::new(self.rel(kind, columns, false, span)) }
    }

    /// Computes values that are more than an aggregate bin by bin before the series is made; of each bin then there is one
    /// row, and its value is the series'. Changes the input, the keys and the axis to those of the bins.
    fn binned_first(
        &mut self,
        input: &mut Rel,
        keys: &mut [(ColumnId, Expr)],
        axis: &mut Expr,
        values: Vec<SeriesValue>,
        bounds: &Bounds<'_>,
    ) -> Vec<(ColumnId, AggregateCall, Expr)> {
        let span = axis.span;
        let call = |name: &str, args: Vec<Expr>, ty: ScalarType| {
            let function = kql_functions::operator(name).or_else(|| kql_functions::function(name));
            let kind = function.map_or(ExprKind::Error, |function| ExprKind::Call { function, args });
            Expr { kind, ty, span }
        };
        let mut inside = Vec::new();
        if let Some(from) = bounds.from {
            inside.push(call(">=", vec![axis.clone(), from.clone()], ScalarType::Bool));
        }
        if let Some(to) = bounds.to {
            let before = if bounds.stop_inclusive { "<=" } else { "<" };
            inside.push(call(before, vec![axis.clone(), to.clone()], ScalarType::Bool));
        }
        let bin = match bounds.from {
            Some(from) => call("bin_at", vec![axis.clone(), bounds.step.clone(), from.clone()], axis.ty),
            None => call("bin", vec![axis.clone(), bounds.step.clone()], axis.ty),
        };
        let empty = self.empty_rel(Vec::new(), span);
        let whole = std::mem::replace(input, empty);
        let columns = whole.columns.clone();
        let predicate = crate::binder::bool_expr(ExprKind::And(inside), span);
        let filtered = self.rel(RelKind::Filter { input: whole, predicate }, columns, false, span);
        let mut grouped = Vec::new();
        let mut group = Vec::new();
        let mut place = |b: &mut Self, expr: &mut Expr, by: Expr| {
            let column = b.new_column(format!("${}", group.len()), expr.ty);
            group.push((column.id, by));
            *expr = crate::binder::column_expr(&column, expr.span);
            grouped.push(column);
        };
        for (_, key) in keys.iter_mut() {
            let by = key.clone();
            place(self, key, by);
        }
        place(self, axis, bin);
        let mut outputs: Vec<(ColumnId, Expr)> =
            grouped.iter().map(|column| (column.id, crate::binder::column_expr(column, span))).collect();
        let mut shown = grouped.clone();
        let mut items = Vec::new();
        let mut aggregates = Vec::new();
        let take_any = kql_functions::aggregate("take_any");
        for value in values {
            for item in &value.items {
                item_columns(item, &mut grouped);
            }
            items.extend(value.items);
            let column = self.new_column("$value", value.expr.ty);
            let read = crate::binder::column_expr(&column, span);
            if let Some(aggregate) = take_any {
                let call = AggregateCall { aggregate, ty: read.ty, args: vec![read], span };
                aggregates.push((value.out, call, value.default));
            }
            outputs.push((column.id, value.expr));
            shown.push(column);
        }
        let bins = self.rel(RelKind::Summarize { input: filtered, keys: group, items }, grouped, false, span);
        *input = self.rel(RelKind::Project { input: bins, exprs: outputs }, shown, false, span);
        aggregates
    }

    /// The node over an input that is put in afterwards, without its values.
    fn series_parts(
        &mut self,
        clause: &MakeSeriesClause,
        span: Span,
    ) -> Option<(RelKind, Vec<SeriesValue>, Vec<BoundColumn>)> {
        let mut grouping = self.group_keys(&clause.by);
        for (item, (_, key)) in clause.by.iter().zip(grouping.keys.clone()) {
            self.no_dynamic(&key, item.span);
        }
        let mut values = Vec::new();
        for (written, default) in &clause.aggregates {
            self.series_aggregate(written, default.as_ref(), &mut grouping.projection, &mut values, span);
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
            aggregates: Vec::new(),
            axis,
            axis_out,
            from,
            to,
            step,
            stop_inclusive: clause.in_range,
        };
        Some((kind, values, columns))
    }

    fn series_aggregate(
        &mut self,
        written: &ast::Expr,
        default: Option<&ast::Expr>,
        projection: &mut crate::projection::Projection,
        values: &mut Vec<SeriesValue>,
        span: Span,
    ) {
        let value_written = match &written.kind {
            ast::ExprKind::Named { value, .. } => value,
            _ => written,
        };
        let outer = std::mem::take(&mut self.aggregates);
        let (value, name) = self.in_context(Context::Aggregate, |b| (b.scalar(value_written), b.name_of(written)));
        let items = std::mem::replace(&mut self.aggregates, outer);
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
        let id = match (items.as_slice(), &value.kind) {
            ([SummarizeItem::Aggregate { out, .. }], ExprKind::Column(id)) if out == id => *id,
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
        if !matches!(value.kind, ExprKind::Error) && value.ty != ScalarType::Unknown {
            values.push(SeriesValue { out: id, items, expr: value, default });
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

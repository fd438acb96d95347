//! `make-series`: aggregated by key and bin, then gathered by key with the gaps filled.
//!
//! Bins count from `from`, or lie on the grid of `bin()` without it. Over no rows there is no series.

use std::sync::Arc;

use datafusion_common::ScalarValue;
use datafusion_expr::logical_plan::Aggregate;
use datafusion_expr::{Expr as PlanExpr, LogicalPlan, lit};
use kql_semantics::bound::{AggregateCall, ColumnId, Expr, Rel};
use kql_types::{ScalarType, Span};

use crate::error::{LowerError, LowerResult};
use crate::function::aggregate::KqlAggregate;
use crate::lower::{Lowered, Lowering, column, column_name, named, project_plan};
use kql_semantics::walk::{ColumnSet, columns_of};

/// A `make-series` as it was bound.
pub(super) struct Series<'s> {
    pub keys: &'s [(ColumnId, Expr)],
    pub aggregates: &'s [(ColumnId, AggregateCall, Expr)],
    pub axis: &'s Expr,
    pub axis_out: ColumnId,
    pub from: Option<&'s Expr>,
    pub to: Option<&'s Expr>,
    pub step: &'s Expr,
    pub stop_inclusive: bool,
    pub span: Span,
}

/// The bins as constants.
struct Grid {
    ty: ScalarType,
    origin: ScalarValue,
    step: ScalarValue,
    first: Option<i64>,
    last: Option<i64>,
}

impl Lowering<'_> {
    pub(super) fn lower_series(&mut self, input: &Rel, series: &Series<'_>) -> LowerResult<Lowered> {
        let mut wanted = ColumnSet::default();
        series.keys.iter().for_each(|(_, expr)| columns_of(expr, &mut wanted));
        for (_, call, _) in series.aggregates {
            call.args.iter().for_each(|arg| columns_of(arg, &mut wanted));
        }
        columns_of(series.axis, &mut wanted);
        let mut lowered = self.lower(input, &wanted)?;
        lowered = self.without_ghosts(lowered)?;
        let grid = self.grid(series)?;
        let axis = self.as_grid(series.axis, &lowered, grid.ty)?;
        lowered = self.clipped(lowered, &axis, series)?;
        let bin = self.fresh("i");
        let number = self.call_named(
            "$series_bin",
            vec![axis, PlanExpr::Literal(grid.origin.clone(), None), PlanExpr::Literal(grid.step.clone(), None)],
            vec![grid.ty; 3],
            ScalarType::Long,
            series.span,
        )?;
        let mut group: Vec<PlanExpr> = Vec::new();
        let mut outputs: Vec<PlanExpr> = Vec::new();
        for (id, expr) in series.keys {
            group.push(named(self.expr(&lowered, expr)?, &column_name(*id)));
            outputs.push(column(&column_name(*id)));
        }
        group.push(number.alias(&bin));
        outputs.push(column(&bin));
        let mut aggregates: Vec<PlanExpr> = Vec::new();
        let mut values: Vec<String> = Vec::new();
        for (_, call, _) in series.aggregates {
            let name = self.fresh("v");
            aggregates.push(self.aggregate_call(&lowered, call, None)?.0.alias(&name));
            outputs.push(column(&name));
            values.push(name);
        }
        let hidden = self.carry(&lowered, &mut group, &mut aggregates, &mut outputs);
        let plan = Aggregate::try_new(Arc::new(lowered.plan), group, aggregates)?;
        let plan = project_plan(LogicalPlan::Aggregate(plan), outputs)?;
        self.gathered(Lowered { plan, order: Vec::new(), hidden }, series, &grid, &bin, &values)
    }

    /// The values of each key's bins as arrays.
    fn gathered(
        &mut self,
        lowered: Lowered,
        series: &Series<'_>,
        grid: &Grid,
        bin: &str,
        values: &[String],
    ) -> LowerResult<Lowered> {
        let mut group: Vec<PlanExpr> = Vec::new();
        let mut outputs: Vec<PlanExpr> = Vec::new();
        for (id, _) in series.keys {
            group.push(column(&column_name(*id)));
            outputs.push(column(&column_name(*id)));
        }
        let mut aggregates: Vec<PlanExpr> = Vec::new();
        let long = |value: Option<i64>| Some(ScalarValue::Int64(value));
        for ((id, call, default), value) in series.aggregates.iter().zip(values) {
            let gap = self.constant(default)?;
            let constants = vec![None, None, Some(gap), long(grid.first), long(grid.last)];
            let types = vec![ScalarType::Long, call.ty, default.ty, ScalarType::Long, ScalarType::Long];
            let gather = self.internal_aggregate("$series", types, constants, series.span)?;
            aggregates.push(gather.call(vec![column(bin), column(value)], None).alias(column_name(*id)));
            outputs.push(column(&column_name(*id)));
        }
        let constants =
            vec![None, Some(grid.origin.clone()), Some(grid.step.clone()), long(grid.first), long(grid.last)];
        let step_type = if grid.ty == ScalarType::DateTime { ScalarType::TimeSpan } else { grid.ty };
        let types = vec![ScalarType::Long, grid.ty, step_type, ScalarType::Long, ScalarType::Long];
        let axis = self.internal_aggregate("$series_axis", types, constants, series.span)?;
        let axis_name = column_name(series.axis_out);
        aggregates.push(axis.call(vec![column(bin)], None).alias(&axis_name));
        outputs.push(column(&axis_name));
        let hidden = self.carry(&lowered, &mut group, &mut aggregates, &mut outputs);
        if group.is_empty() {
            // One group when there are rows, none when there are not.
            let name = self.fresh("n");
            group.push(lit(0i64).alias(name));
        }
        let plan = Aggregate::try_new(Arc::new(lowered.plan), group, aggregates)?;
        let plan = project_plan(LogicalPlan::Aggregate(plan), outputs)?;
        Ok(Lowered { plan, order: Vec::new(), hidden })
    }

    fn internal_aggregate(
        &self,
        name: &str,
        types: Vec<ScalarType>,
        constants: Vec<Option<ScalarValue>>,
        span: Span,
    ) -> LowerResult<KqlAggregate> {
        match kql_functions::aggregate(name) {
            Some(aggregate) => Ok(KqlAggregate::new(aggregate, types, constants, ScalarType::Dynamic)),
            None => Err(LowerError::unsupported("make-series", span)),
        }
    }

    fn grid(&mut self, series: &Series<'_>) -> LowerResult<Grid> {
        let ty = match series.axis.ty {
            ScalarType::Int => ScalarType::Long,
            other => other,
        };
        let step = self.grid_constant(series.step, ty)?;
        let from = series.from.map(|from| self.grid_constant(from, ty)).transpose()?;
        let to = series.to.map(|to| self.grid_constant(to, ty)).transpose()?;
        let origin = match &from {
            Some(from) => from.clone(),
            None if ty == ScalarType::Real => ScalarValue::Float64(Some(0.0)),
            None => ScalarValue::Int64(Some(0)),
        };
        let last = to.and_then(|to| last_bin(&origin, &to, &step, series.stop_inclusive));
        if last_is_missing(&step) {
            let message = "the step of make-series must be greater than 0".to_owned();
            return Err(LowerError::Constant { message, span: series.step.span });
        }
        Ok(Grid { ty, first: from.map(|_| 0), last, origin, step })
    }

    /// A bound or the step in the layout of the axis.
    fn grid_constant(&mut self, expr: &Expr, ty: ScalarType) -> LowerResult<ScalarValue> {
        let value = self.constant(expr)?;
        let wanted = if ty == ScalarType::Real { ScalarValue::Float64(None) } else { ScalarValue::Int64(None) };
        Ok(value.cast_to(&wanted.data_type())?)
    }

    fn as_grid(&mut self, axis: &Expr, lowered: &Lowered, ty: ScalarType) -> LowerResult<PlanExpr> {
        let value = self.expr(lowered, axis)?;
        if axis.ty == ty {
            return Ok(value);
        }
        Ok(PlanExpr::Cast(datafusion_expr::Cast::new(Box::new(value), crate::value::arrow_type(ty))))
    }

    /// Only rows whose place on the axis is inside.
    fn clipped(&mut self, lowered: Lowered, axis: &PlanExpr, series: &Series<'_>) -> LowerResult<Lowered> {
        let ty = if series.axis.ty == ScalarType::Int { ScalarType::Long } else { series.axis.ty };
        let mut inside = PlanExpr::IsNotNull(Box::new(axis.clone()));
        if let Some(from) = series.from {
            let from = PlanExpr::Literal(self.grid_constant(from, ty)?, None);
            inside = inside.and(axis.clone().gt_eq(from));
        }
        if let Some(to) = series.to {
            let to = PlanExpr::Literal(self.grid_constant(to, ty)?, None);
            let below = if series.stop_inclusive { axis.clone().lt_eq(to) } else { axis.clone().lt(to) };
            inside = inside.and(below);
        }
        self.filtered(lowered, inside)
    }
}

fn last_is_missing(step: &ScalarValue) -> bool {
    match step {
        ScalarValue::Int64(Some(step)) => *step <= 0,
        ScalarValue::Float64(Some(step)) => step.is_nan() || *step <= 0.0,
        _ => true,
    }
}

/// The number of the last bin that starts before `to`, or at it when it is included.
fn last_bin(origin: &ScalarValue, to: &ScalarValue, step: &ScalarValue, inclusive: bool) -> Option<i64> {
    match (origin, to, step) {
        (ScalarValue::Int64(Some(origin)), ScalarValue::Int64(Some(to)), ScalarValue::Int64(Some(step)))
            if *step > 0 =>
        {
            let span = to.checked_sub(*origin)?;
            let floor = span.div_euclid(*step);
            Some(if inclusive || span.rem_euclid(*step) != 0 { floor } else { floor - 1 })
        }
        (ScalarValue::Float64(Some(origin)), ScalarValue::Float64(Some(to)), ScalarValue::Float64(Some(step)))
            if *step > 0.0 =>
        {
            let bins = (to - origin) / step;
            let floor = bins.floor();
            let last = if inclusive || floor != bins { floor } else { floor - 1.0 };
            Some(last as i64)
        }
        _ => None,
    }
}

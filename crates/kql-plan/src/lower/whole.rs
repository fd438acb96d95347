//! Plugins and operators that see a whole table at once: their arguments as expressions and constants, their work as a
//! kernel.

use std::sync::Arc;

use datafusion_common::ScalarValue;
use datafusion_common::arrow::datatypes::DataType;
use datafusion_expr::{Expr as PlanExpr, lit, when};
use kql_functions::kernels::tabular::reduce::Reduce;
use kql_functions::kernels::tabular::schema_merge::SchemaMerge;
use kql_functions::kernels::tabular::segments::{Find, Segments};
use kql_functions::kernels::tabular::timeline::{
    ActiveUsers, ActivityCounts, RollingPercentile, SequenceDetect, SessionCount, SlidingWindowCounts, scaled,
};
use kql_functions::kernels::tabular::whole::{Narrow, RowsNear, WholeTable};
use kql_semantics::bound::{BoundColumn, Expr, ExprKind, PluginArg, Rel};
use kql_types::{ScalarType, Value};

use crate::error::{LowerError, LowerResult};
use crate::lower::plugin::to_text;
use crate::lower::sort::pass_all;
use crate::lower::{Lowered, Lowering, column, column_name};
use crate::node::{KqlNode, Op, Whole};
use crate::value::arrow_type;
use kql_semantics::walk::{ColumnSet, columns_of};

/// A plugin with its arguments.
#[derive(Clone, Copy)]
pub(super) struct Called<'p> {
    pub rel: &'p Rel,
    pub name: &'p str,
    pub input: &'p Rel,
    pub args: &'p [PluginArg],
}

impl Called<'_> {
    pub(super) fn unsupported(&self) -> LowerError {
        LowerError::unsupported(self.name, self.rel.span)
    }

    /// A scalar argument; a constant as a literal.
    fn expr(&self, place: usize) -> Option<Expr> {
        fn of(arg: &PluginArg, span: kql_types::Span) -> Option<Expr> {
            match arg {
                PluginArg::Expr(expr) => Some(expr.clone()),
                PluginArg::Value(value) => Some(Expr { ty: value.ty(), kind: ExprKind::Literal(value.clone()), span }),
                PluginArg::Named(_, inner) => of(inner, span),
                PluginArg::Rel(_) => None,
            }
        }
        of(self.args.get(place)?, self.rel.span)
    }

    pub(super) fn needed_expr(&self, place: usize) -> LowerResult<Expr> {
        self.expr(place).ok_or_else(|| self.unsupported())
    }

    pub(super) fn value(&self, place: usize) -> Option<Value> {
        match self.expr(place)?.kind {
            // `~` stands for the default.
            ExprKind::Literal(Value::String(text)) if text == "~" => None,
            ExprKind::Literal(value) => Some(value),
            _ => None,
        }
    }

    fn named(&self, name: &str) -> Option<Value> {
        self.args.iter().find_map(|arg| match arg {
            PluginArg::Named(own, inner) if own.eq_ignore_ascii_case(name) => match inner.as_ref() {
                PluginArg::Value(value) => Some(value.clone()),
                _ => None,
            },
            _ => None,
        })
    }

    /// How many constants follow one another from a place on.
    pub(super) fn constants_from(&self, from: usize) -> usize {
        let constant = |place: &usize| self.expr(*place).is_some_and(|expr| !matches!(expr.kind, ExprKind::Column(_)));
        (from..self.args.len()).take_while(constant).count()
    }

    pub(super) fn rest(&self, from: usize) -> Vec<Expr> {
        (from..self.args.len()).filter_map(|place| self.expr(place)).collect()
    }
}

impl Lowering<'_> {
    /// Lowers the plugins that see a whole table; None for others.
    pub(super) fn lower_whole_plugin(&mut self, called: &Called<'_>) -> LowerResult<Option<Lowered>> {
        Ok(Some(match called.name {
            "rows_near" => self.lower_rows_near(called)?,
            "narrow" => self.lower_narrow(called)?,
            "schema_merge" => {
                let preserve_order =
                    !matches!(called.named("PreserveOrder").or_else(|| called.value(0)), Some(Value::Bool(false)));
                let args = called.input.columns.iter().map(|bound| column_expr(bound, called.rel)).collect();
                self.replaced(called, args, "schema_merge", Arc::new(SchemaMerge { preserve_order }))?
            }
            "session_count" | "sliding_window_counts" | "activity_counts_metrics" | "active_users_count" => {
                self.lower_timeline(called)?
            }
            "rolling_percentile" => self.lower_rolling_percentile(called)?,
            "sequence_detect" => self.lower_sequence_detect(called)?,
            "basket" | "autocluster" | "autocluster_v2" => self.lower_segments(called)?,
            "diffpatterns" => self.lower_diffpatterns(called)?,
            _ => return self.lower_activity(called),
        }))
    }

    /// The operator over `args`; its columns take the place of the input's.
    pub(super) fn replaced(
        &mut self,
        called: &Called<'_>,
        args: Vec<Expr>,
        name: &'static str,
        table: Arc<dyn WholeTable>,
    ) -> LowerResult<Lowered> {
        let mut wanted = ColumnSet::default();
        args.iter().for_each(|arg| columns_of(arg, &mut wanted));
        let lowered = self.lower(called.input, &wanted)?;
        let lowered = self.without_ghosts(lowered)?;
        let mut own = Vec::with_capacity(args.len());
        for arg in &args {
            own.push(self.expr(&lowered, arg)?);
        }
        self.replaced_with(lowered, own, name, table, &called.rel.columns)
    }

    /// As [`Lowering::replaced`] over a plan.
    fn replaced_with(
        &mut self,
        lowered: Lowered,
        args: Vec<PlanExpr>,
        name: &'static str,
        table: Arc<dyn WholeTable>,
        columns: &[BoundColumn],
    ) -> LowerResult<Lowered> {
        let lowered = self.pinned(lowered)?;
        let added: Vec<(String, DataType)> =
            columns.iter().map(|bound| (column_name(bound.id), arrow_type(bound.ty))).collect();
        let hidden: Vec<&String> = lowered.hidden.names().collect();
        let pass = pass_all(&lowered)
            .into_iter()
            .filter(|(name, _, _)| hidden.contains(&name) && !added.iter().any(|(own, _)| own == name))
            .collect();
        let mut own: Vec<PlanExpr> = lowered.hidden.scope.iter().map(|scope| column(&scope.row)).collect();
        let whole = Whole { name, keys: own.len(), table };
        own.extend(args);
        let Lowered { plan, hidden, .. } = lowered;
        let plan = KqlNode::plan(Op::Whole(whole), Some(plan), pass, own, added)?;
        Ok(Lowered { plan, order: Vec::new(), hidden })
    }

    fn lower_rows_near(&mut self, called: &Called<'_>) -> LowerResult<Lowered> {
        let condition = called.needed_expr(0)?;
        let mut wanted: ColumnSet = called.input.columns.iter().map(|bound| bound.id).collect();
        columns_of(&condition, &mut wanted);
        let lowered = self.lower(called.input, &wanted)?;
        let lowered = self.without_ghosts(lowered)?;
        let before = self.count(&called.needed_expr(1)?)? as usize;
        let after = match called.expr(2) {
            Some(after) => self.count(&after)? as usize,
            None => before,
        };
        let holds = self.expr(&lowered, &condition)?;
        let lowered = self.pinned(lowered)?;
        let mut own: Vec<PlanExpr> = lowered.hidden.scope.iter().map(|scope| column(&scope.row)).collect();
        let whole = Whole { name: "rows_near", keys: own.len(), table: Arc::new(RowsNear { before, after }) };
        own.push(holds);
        let pass = pass_all(&lowered);
        let plan = KqlNode::plan(Op::Whole(whole), Some(lowered.plan.clone()), pass, own, Vec::new())?;
        Ok(Lowered { plan, ..lowered })
    }

    fn lower_narrow(&mut self, called: &Called<'_>) -> LowerResult<Lowered> {
        let mut args = Vec::with_capacity(called.input.columns.len());
        for bound in &called.input.columns {
            args.push(to_text(column_expr(bound, called.rel))?);
        }
        let names = called.input.columns.iter().map(|bound| bound.name.to_string()).collect();
        self.replaced(called, args, "narrow", Arc::new(Narrow { names }))
    }

    /// A constant in the units of the timeline.
    pub(super) fn on_timeline(&mut self, called: &Called<'_>, place: usize, timeline: ScalarType) -> LowerResult<i64> {
        let value = self.constant(&called.needed_expr(place)?)?;
        let real = timeline == ScalarType::Real;
        Ok(match value {
            ScalarValue::Int64(Some(value)) if real => scaled(value as f64),
            ScalarValue::Int64(Some(value)) => value,
            ScalarValue::Int32(Some(value)) if real => scaled(f64::from(value)),
            ScalarValue::Int32(Some(value)) => value.into(),
            ScalarValue::Float64(Some(value)) if real => scaled(value),
            ScalarValue::Float64(Some(value)) => value as i64,
            _ => return Err(called.unsupported()),
        })
    }

    /// Plugins over an id and a timeline: `f(id, timeline, start, end, ..., dimensions...)`.
    fn lower_timeline(&mut self, called: &Called<'_>) -> LowerResult<Lowered> {
        let (id, timeline) = (called.needed_expr(0)?, called.needed_expr(1)?);
        let ty = timeline.ty;
        let mut at = |place: usize| self.on_timeline(called, place, ty);
        let (start, end) = (at(2)?, at(3)?);
        let (name, table, dimensions): (_, Arc<dyn WholeTable>, _) = match called.name {
            "session_count" => {
                ("session_count", Arc::new(SessionCount { start, end, bin: at(4)?, lookback: at(5)? }), 6)
            }
            "sliding_window_counts" => {
                let table = SlidingWindowCounts { start, end, lookback: at(4)?, bin: at(5)? };
                ("sliding_window_counts", Arc::new(table), 6)
            }
            "activity_counts_metrics" => {
                ("activity_counts_metrics", Arc::new(ActivityCounts { start, end, step: at(4)? }), 5)
            }
            _ => {
                let (lookback, period, bin) = (at(4)?, at(5)?, at(7)?);
                let periods = self.count(&called.needed_expr(6)?)? as i64;
                let table = ActiveUsers { start, end, lookback, period, periods, bin };
                ("active_users_count", Arc::new(table), 8)
            }
        };
        let args = [id, timeline].into_iter().chain(called.rest(dimensions)).collect();
        self.replaced(called, args, name, table)
    }

    fn lower_rolling_percentile(&mut self, called: &Called<'_>) -> LowerResult<Lowered> {
        let (value, index, step) = (called.needed_expr(0)?, called.needed_expr(2)?, called.needed_expr(3)?);
        let percentile = match self.constant(&called.needed_expr(1)?)? {
            ScalarValue::Float64(Some(percentile)) => percentile,
            ScalarValue::Int64(Some(percentile)) => percentile as f64,
            ScalarValue::Int32(Some(percentile)) => f64::from(percentile),
            _ => return Err(called.unsupported()),
        };
        let bin = self.on_timeline(called, 3, index.ty)?;
        let bins = self.count(&called.needed_expr(4)?)?.max(1) as i64;
        let function = kql_functions::function("bin").ok_or_else(|| LowerError::bug("no bin"))?;
        let span = called.rel.span;
        let binned = Expr { ty: index.ty, kind: ExprKind::Call { function, args: vec![index, step] }, span };
        let args = [value, binned].into_iter().chain(called.rest(5)).collect();
        self.replaced(called, args, "rolling_percentile", Arc::new(RollingPercentile { percentile, bin, bins }))
    }

    fn lower_sequence_detect(&mut self, called: &Called<'_>) -> LowerResult<Lowered> {
        let timeline = called.needed_expr(0)?;
        let (step_span, whole_span) =
            (self.on_timeline(called, 1, timeline.ty)?, self.on_timeline(called, 2, timeline.ty)?);
        let (conditions, dimensions): (Vec<Expr>, Vec<Expr>) =
            called.rest(3).into_iter().partition(|expr| expr.ty == ScalarType::Bool);
        if conditions.is_empty() {
            return Err(called.unsupported());
        }
        let table = SequenceDetect { conditions: conditions.len(), step_span, whole_span };
        let args = std::iter::once(timeline).chain(conditions).chain(dimensions).collect();
        self.replaced(called, args, "sequence_detect", Arc::new(table))
    }

    /// The text of columns, then the columns; a column that does not take part has no text.
    fn segment_args(&self, called: &Called<'_>, columns: &[BoundColumn], apart: &[Expr]) -> LowerResult<Vec<Expr>> {
        let is_apart =
            |bound: &BoundColumn| apart.iter().any(|expr| matches!(expr.kind, ExprKind::Column(id) if id == bound.id));
        let mut args = Vec::with_capacity(columns.len() * 2);
        for bound in columns {
            if is_apart(bound) {
                let kind = ExprKind::Literal(Value::String(String::new()));
                args.push(Expr { kind, ty: ScalarType::String, span: called.rel.span });
            } else {
                args.push(to_text(column_expr(bound, called.rel))?);
            }
        }
        args.extend(columns.iter().map(|bound| column_expr(bound, called.rel)));
        Ok(args)
    }

    fn fraction(&mut self, called: &Called<'_>, place: usize, default: f64) -> f64 {
        match called.value(place) {
            Some(Value::Real(value)) => value,
            Some(Value::Long(value)) => value as f64,
            Some(Value::Int(value)) => f64::from(value),
            _ => default,
        }
    }

    /// `basket(threshold, weight, width, wildcards...)`, `autocluster(size weight, weight, seeds, wildcards...)`.
    fn lower_segments(&mut self, called: &Called<'_>) -> LowerResult<Lowered> {
        let basket = called.name == "basket";
        let first = self.fraction(called, 0, if basket { 0.05 } else { 0.5 });
        let third = self.fraction(called, 2, if basket { 5.0 } else { 25.0 }).max(1.0) as usize;
        let find = match basket {
            true => Find::Basket { threshold: first, width: third },
            false => Find::Autocluster { size_weight: first.clamp(0.0, 1.0), seeds: third },
        };
        let weight: Vec<Expr> =
            called.expr(1).into_iter().filter(|expr| matches!(expr.kind, ExprKind::Column(_))).collect();
        let columns = called.rel.columns.get(3..).unwrap_or_default();
        let mut args = self.segment_args(called, columns, &weight)?;
        let segments = Segments {
            find,
            columns: columns.len(),
            weighted: !weight.is_empty(),
            wildcards: wildcards(called, 3, columns),
        };
        args.extend(weight);
        self.replaced(called, args, if basket { "basket" } else { "autocluster" }, Arc::new(segments))
    }

    /// `diffpatterns(split, a, b, weight, threshold, width, wildcards...)`.
    fn lower_diffpatterns(&mut self, called: &Called<'_>) -> LowerResult<Lowered> {
        let split = called.needed_expr(0)?;
        let (Some(a), Some(b)) = (called.value(1), called.value(2)) else { return Err(called.unsupported()) };
        let weight: Vec<Expr> =
            called.expr(3).into_iter().filter(|expr| matches!(expr.kind, ExprKind::Column(_))).collect();
        let find = Find::Diff {
            threshold: self.fraction(called, 4, 0.05),
            width: self.fraction(called, 5, f64::from(u32::MAX)).max(1.0) as usize,
        };
        let columns = called.rel.columns.get(6..).unwrap_or_default();
        let apart: Vec<Expr> = weight.iter().cloned().chain([split.clone()]).collect();
        let mut args = self.segment_args(called, columns, &apart)?;
        let segments = Segments {
            find,
            columns: columns.len(),
            weighted: !weight.is_empty(),
            wildcards: wildcards(called, 6, columns),
        };
        args.extend(weight);
        let text = to_text(split)?;
        let mut wanted = ColumnSet::default();
        args.iter().chain([&text]).for_each(|arg| columns_of(arg, &mut wanted));
        let lowered = self.lower(called.input, &wanted)?;
        let lowered = self.without_ghosts(lowered)?;
        let mut own = Vec::with_capacity(args.len() + 1);
        for arg in &args {
            own.push(self.expr(&lowered, arg)?);
        }
        let text = self.expr(&lowered, &text)?;
        let side = |value: Value| PlanExpr::Literal(ScalarValue::Utf8View(Some(plain(&value))), None);
        let class =
            when(text.clone().eq(side(a)), lit(0_i64)).when(text.eq(side(b)), lit(1_i64)).otherwise(lit(2_i64))?;
        own.push(class);
        self.replaced_with(lowered, own, "diffpatterns", Arc::new(segments), &called.rel.columns)
    }

    /// `reduce by`.
    pub(super) fn lower_reduce(
        &mut self,
        rel: &Rel,
        input: &Rel,
        by: &Expr,
        options: &[(String, Value)],
    ) -> LowerResult<Lowered> {
        let option =
            |name: &str| options.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let threshold = match option("threshold") {
            Some(Value::Real(value)) => *value,
            Some(Value::Long(value)) => *value as f64,
            _ => 0.1,
        };
        let characters = match option("characters") {
            Some(Value::String(text)) => text.clone(),
            _ => String::new(),
        };
        let source = matches!(option("kind"), Some(Value::String(kind)) if kind == "source");
        let table = Arc::new(Reduce { threshold, characters, source });
        let called = Called { rel, name: "reduce", input, args: &[] };
        if !source {
            return self.replaced(&called, vec![by.clone()], "reduce", table);
        }
        let mut wanted: ColumnSet = input.columns.iter().map(|bound| bound.id).collect();
        columns_of(by, &mut wanted);
        let lowered = self.lower(input, &wanted)?;
        let lowered = self.without_ghosts(lowered)?;
        let text = self.expr(&lowered, by)?;
        let lowered = self.pinned(lowered)?;
        let mut own: Vec<PlanExpr> = lowered.hidden.scope.iter().map(|scope| column(&scope.row)).collect();
        let whole = Whole { name: "reduce", keys: own.len(), table };
        own.push(text);
        let pass = pass_all(&lowered);
        let added = rel.columns.last().map(|bound| (column_name(bound.id), arrow_type(bound.ty))).into_iter().collect();
        let plan = KqlNode::plan(Op::Whole(whole), Some(lowered.plan.clone()), pass, own, added)?;
        Ok(Lowered { plan, ..lowered })
    }
}

fn column_expr(bound: &BoundColumn, rel: &Rel) -> Expr {
    Expr { kind: ExprKind::Column(bound.id), ty: bound.ty, span: rel.span }
}

/// What stands for open columns: written from `place` on, the last one for all further text columns.
fn wildcards(called: &Called<'_>, place: usize, columns: &[BoundColumn]) -> Vec<Option<String>> {
    let written: Vec<Option<String>> = (place..called.args.len())
        .map(|place| match called.value(place) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        })
        .collect();
    let Some(last) = written.last().cloned() else { return Vec::new() };
    (0..columns.len()).map(|index| written.get(index).cloned().unwrap_or_else(|| last.clone())).collect()
}

/// A constant as `tostring` shows it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) | Value::Guid(text) | Value::Decimal(text) => text.clone(),
        Value::Long(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Bool(value) => if *value { "true" } else { "false" }.to_owned(),
        Value::Real(value) => kql_types::number::format_real(*value),
        Value::DateTime(ticks) => kql_types::datetime::format(*ticks),
        Value::TimeSpan(ticks) => kql_types::timespan::format(*ticks),
        Value::Dynamic(value) => value.to_text(),
        Value::Null(_) => String::new(),
    }
}

//! Plugins that compare windows of activity: `activity_engagement`, `activity_metrics`, `new_activity_metrics`,
//! `funnel_sequence_completion`.

use std::sync::Arc;

use kql_functions::kernels::tabular::activity::{
    ActivityEngagement, ActivityMetrics, FunnelCompletion, NewActivityMetrics, Window,
};
use kql_functions::kernels::tabular::whole::WholeTable;
use kql_semantics::bound::{Expr, ExprKind, JoinKind, PluginArg, Rel, RelKind};
use kql_types::{Dynamic, ScalarType, Value};

use crate::error::LowerResult;
use crate::lower::plugin::to_text;
use crate::lower::whole::Called;
use crate::lower::{Lowered, Lowering};

impl Lowering<'_> {
    /// `f(id, timeline [, start, end], windows..., dimensions...)`; None for other plugins.
    pub(super) fn lower_activity(&mut self, called: &Called<'_>) -> LowerResult<Option<Lowered>> {
        let windows = match called.name {
            "activity_engagement" => 2,
            "activity_metrics" | "new_activity_metrics" => 1,
            "funnel_sequence_completion" => return self.lower_funnel_completion(called).map(Some),
            _ => return Ok(None),
        };
        let (id, timeline) = (called.needed_expr(0)?, called.needed_expr(1)?);
        let ty = timeline.ty;
        let constants = called.constants_from(2);
        let (span, first) = match constants > windows {
            true => ((self.on_timeline(called, 2, ty)?, self.on_timeline(called, 3, ty)?), 4),
            false => ((i64::MIN / 4, i64::MAX / 4), 2),
        };
        let (name, table): (&'static str, Arc<dyn WholeTable>) = match called.name {
            "activity_engagement" => {
                let (inner, outer) = (self.on_timeline(called, first, ty)?, self.on_timeline(called, first + 1, ty)?);
                // Without a start, windows are counted from zero.
                let span = if first == 2 { (0, span.1) } else { span };
                ("activity_engagement", Arc::new(ActivityEngagement { span, inner, outer }))
            }
            "activity_metrics" => {
                let window = self.window(called, first, ty)?;
                let span = if first == 2 { (0, span.1) } else { span };
                ("activity_metrics", Arc::new(ActivityMetrics { span, window }))
            }
            _ => {
                let window = self.window(called, first, ty)?;
                let null = matches!(called.value(first + 1), Some(Value::Null(_)));
                let cohort = match constants > windows + 2 && !null {
                    true => Some(self.on_timeline(called, first + 1, ty)?),
                    false => None,
                };
                ("new_activity_metrics", Arc::new(NewActivityMetrics { span, window, cohort }))
            }
        };
        let dimensions = called.rest(first + windows);
        let columns = dimensions.into_iter().filter(|expr| matches!(expr.kind, ExprKind::Column(_)));
        let args: Vec<Expr> = [id.clone(), timeline].into_iter().chain(columns).collect();
        let known = called.args.iter().find_map(|arg| match arg {
            PluginArg::Rel(table) => Some(table),
            _ => None,
        });
        match known {
            Some(known) => {
                let input = without_known(called, known, &id);
                let input = input.ok_or_else(|| called.unsupported())?;
                let called = Called { input: &input, ..*called };
                self.replaced(&called, args, name, table).map(Some)
            }
            None => self.replaced(called, args, name, table).map(Some),
        }
    }

    fn window(&mut self, called: &Called<'_>, place: usize, timeline: ScalarType) -> LowerResult<Window> {
        match called.value(place) {
            Some(Value::String(name)) if timeline == ScalarType::DateTime => match name.as_str() {
                "week" => Ok(Window::Week),
                "month" => Ok(Window::Month),
                "year" => Ok(Window::Year),
                _ => Err(called.unsupported()),
            },
            _ => self.on_timeline(called, place, timeline).map(Window::Length),
        }
    }

    fn lower_funnel_completion(&mut self, called: &Called<'_>) -> LowerResult<Lowered> {
        let (id, timeline, state) = (called.needed_expr(0)?, called.needed_expr(1)?, called.needed_expr(5)?);
        let ty = timeline.ty;
        let span = (self.on_timeline(called, 2, ty)?, self.on_timeline(called, 3, ty)?);
        let bin = self.on_timeline(called, 4, ty)?;
        let (Some(Value::Dynamic(Dynamic::Array(sequence))), Some(Value::Dynamic(Dynamic::Array(periods)))) =
            (called.value(6), called.value(7))
        else {
            return Err(called.unsupported());
        };
        let periods = periods.iter().map(|period| match period {
            Dynamic::TimeSpan(ticks) | Dynamic::Long(ticks) => Ok(*ticks),
            Dynamic::String(text) => kql_types::timespan::parse(text).ok_or_else(|| called.unsupported()),
            _ => Err(called.unsupported()),
        });
        let table = FunnelCompletion {
            span,
            bin,
            sequence: sequence.iter().map(Dynamic::to_text).collect(),
            periods: periods.collect::<LowerResult<_>>()?,
        };
        let args = vec![id, timeline, to_text(state)?];
        self.replaced(called, args, "funnel_sequence_completion", Arc::new(table))
    }
}

/// The rows whose id a table of known ids does not have: by the column of the id's name, or the table's first.
fn without_known(called: &Called<'_>, known: &Rel, id: &Expr) -> Option<Rel> {
    let ExprKind::Column(own) = id.kind else { return None };
    let name = called.input.columns.iter().find(|column| column.id == own).map(|column| &column.name)?;
    let columns = &known.columns;
    let key = columns.iter().find(|column| column.name == *name).or_else(|| columns.first())?;
    let span = called.rel.span;
    let right = Expr { kind: ExprKind::Column(key.id), ty: key.ty, span };
    let kind = RelKind::Join {
        left: called.input.clone(),
        right: known.clone(),
        kind: JoinKind::LeftAnti,
        keys: vec![(id.clone(), right)],
        condition: None,
    };
    Some(Rel { kind: Box::new(kind), columns: called.input.columns.clone(), serialized: false, span })
}

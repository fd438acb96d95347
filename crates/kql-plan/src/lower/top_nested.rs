//! `top-nested`: the greatest groups, within each the greatest groups of the next key, and so on.
//!
//! Each level is an aggregation of its own over the whole input, by all keys up to its own; the levels are joined on the
//! keys they share. A level's aggregate can't be made of the next one's: think of `dcount`.

use std::sync::Arc;

use datafusion_common::{JoinType, NullEquality};
use datafusion_expr::logical_plan::{Join, JoinConstraint};
use datafusion_expr::{Expr as PlanExpr, LogicalPlan};
use kql_semantics::bound::{Expr, ExprKind, Rel, SortKey, TopNestedLevel};

use crate::error::{LowerError, LowerResult};
use crate::lower::rows::ascending;
use crate::lower::{Lowered, Lowering, column, column_name, named, project_plan};
use crate::node::OrderKey;
use kql_semantics::walk::{ColumnSet, columns_of};

impl Lowering<'_> {
    pub(super) fn lower_top_nested(&mut self, input: &Rel, levels: &[TopNestedLevel]) -> LowerResult<Lowered> {
        let mut all: Option<Lowered> = None;
        for depth in 0..levels.len() {
            let level = self.top_level(input, levels.get(..=depth).unwrap_or_default())?;
            all = Some(match all {
                None => level,
                Some(upper) => self.nest(upper, level, levels.get(..depth).unwrap_or_default())?,
            });
        }
        let Some(all) = all else { return Err(LowerError::bug("top-nested without levels")) };
        Ok(Lowered { order: levels.iter().flat_map(order_of).collect(), ..all })
    }

    /// The groups of the last of these levels: its greatest ones for each value of the keys above it.
    fn top_level(&mut self, input: &Rel, levels: &[TopNestedLevel]) -> LowerResult<Lowered> {
        let Some((level, above)) = levels.split_last() else { return Err(LowerError::bug("no level")) };
        let mut wanted = ColumnSet::default();
        levels.iter().for_each(|level| columns_of(&level.expr, &mut wanted));
        level.calls.iter().flat_map(|(_, call)| &call.args).for_each(|arg| columns_of(arg, &mut wanted));
        let lowered = self.lower(input, &wanted)?;
        let lowered = self.without_ghosts(lowered)?;
        let mut group: Vec<PlanExpr> = Vec::new();
        let mut outputs: Vec<PlanExpr> = Vec::new();
        for level in levels {
            let name = column_name(level.out);
            group.push(named(self.expr(&lowered, &level.expr)?, &name));
            outputs.push(column(&name));
        }
        let mut aggregates = Vec::with_capacity(level.calls.len());
        for (out, call) in &level.calls {
            aggregates.push(self.aggregate_call(&lowered, call, None)?.0.alias(column_name(*out)));
        }
        let hidden = self.carry(&lowered, &mut group, &mut aggregates, &mut outputs);
        let plan = self.aggregated(lowered, group, aggregates, false)?;
        let grouped = Lowered { plan, order: Vec::new(), hidden };
        outputs.push(named(self.expr(&grouped, &level.rank)?, &column_name(level.aggregate_out)));
        let grouped = Lowered { plan: project_plan(grouped.plan, outputs)?, order: Vec::new(), hidden: grouped.hidden };
        let Some(count) = &level.count else { return Ok(grouped) };
        let count = self.count(count)?;
        let rank = Expr { kind: ExprKind::Column(level.aggregate_out), ty: level.rank.ty, span: level.rank.span };
        let keys = [SortKey { expr: rank, descending: level.descending, nulls_first: !level.descending }];
        let (mut grouped, mut order) = self.order_keys(grouped, &keys)?;
        order.push(ascending(column_name(level.out)));
        grouped.order = order;
        let keys = above.iter().map(|level| column(&column_name(level.out))).collect();
        self.first_rows(grouped, keys, count, false)
    }

    /// Joins the levels above with the next one on the keys of `shared`, the levels above.
    fn nest(&mut self, upper: Lowered, level: Lowered, shared: &[TopNestedLevel]) -> LowerResult<Lowered> {
        let mut on: Vec<(PlanExpr, PlanExpr)> = Vec::new();
        let mut renamed: Vec<PlanExpr> = Vec::new();
        let mut names: Vec<String> = shared.iter().map(|level| column_name(level.out)).collect();
        names.extend(level.hidden.scope.iter().map(|scope| scope.row.clone()));
        for name in &names {
            let fresh = self.fresh("j");
            renamed.push(column(name).alias(&fresh));
            on.push((column(&fresh), column(name)));
        }
        let mut outputs: Vec<PlanExpr> =
            level.plan.schema().fields().iter().map(|field| column(field.name())).collect();
        for level in shared {
            let name = column_name(level.aggregate_out);
            renamed.push(column(&name));
            outputs.push(column(&name));
        }
        let upper = project_plan(upper.plan, renamed)?;
        let join = Join::try_new(
            Arc::new(upper),
            Arc::new(level.plan),
            on,
            None,
            JoinType::Inner,
            JoinConstraint::On,
            NullEquality::NullEqualsNull,
            false,
        )?;
        let plan = project_plan(LogicalPlan::Join(join), outputs)?;
        Ok(Lowered { plan, order: Vec::new(), hidden: level.hidden })
    }
}

/// Groups come by their aggregates, level by level.
fn order_of(level: &TopNestedLevel) -> [OrderKey; 2] {
    let rank = OrderKey {
        column: column_name(level.aggregate_out),
        descending: level.descending,
        nulls_first: !level.descending,
    };
    [rank, ascending(column_name(level.out))]
}

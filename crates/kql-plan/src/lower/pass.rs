//! Which columns a sub-pipeline reads of the rows it stands on.

use kql_semantics::bound::Rel;

use crate::walk::{ColumnSet, for_each_expr, for_each_input};

/// All columns that `subquery` mentions or that are needed of its result: a superset of what it reads.
pub(crate) fn columns_from(subquery: &Rel, _scope: u32, needed: &ColumnSet) -> ColumnSet {
    let mut columns = needed.clone();
    add(subquery, &mut columns);
    columns
}

fn add(rel: &Rel, into: &mut ColumnSet) {
    for_each_expr(rel, &mut |expr| crate::walk::columns_of(expr, into));
    for_each_input(rel, &mut |input| add(input, into));
}

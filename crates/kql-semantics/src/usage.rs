//! Which columns of which tables a query needs: liveness from the results down to the tables.

use std::collections::BTreeMap;

use foldhash::HashSet;

use crate::bound::{BoundResult, Expr, Rel, RelKind, TableUse};
use crate::parts::{self, Part};
use crate::walk::ColumnSet;

/// Every table read and the columns of it that matter, in the order of first use.
pub(crate) fn tables(results: &[BoundResult]) -> Vec<TableUse> {
    let mut usage = Usage::default();
    for result in results {
        let needed = all_columns(&result.rel);
        usage.rel(&result.rel, needed);
    }
    let mut used = usage.used;
    let table = |name: String| used.remove(&name).map(|columns| TableUse { name, columns: columns.order });
    usage.order.into_iter().filter_map(table).collect()
}

fn all_columns(rel: &Rel) -> ColumnSet {
    rel.columns.iter().map(|column| column.id).collect()
}

fn first_column(rel: &Rel) -> ColumnSet {
    rel.columns.first().map(|column| column.id).into_iter().collect()
}

#[derive(Default)]
struct Usage {
    used: BTreeMap<String, TableColumns>,
    order: Vec<String>,
    /// What sub-pipelines need of the rows that they are given, by scope.
    applied: BTreeMap<u32, ColumnSet>,
}

/// Columns of a table in the order of first use.
#[derive(Default)]
struct TableColumns {
    order: Vec<String>,
    known: HashSet<String>,
}

impl Usage {
    /// What an expression needs of its own rows; the queries inside it need their first column.
    fn reads(&mut self, expr: &Expr, needed: &mut ColumnSet) {
        parts::of_expr(expr, &mut |part| self.part(part, needed));
    }

    fn part(&mut self, part: Part<'_>, needed: &mut ColumnSet) {
        match part {
            Part::Column(id) => {
                needed.insert(*id);
            }
            Part::Expr(expr) => self.reads(expr, needed),
            Part::Subquery(rel) => self.rel(rel, first_column(rel)),
            Part::Argument(rel) => self.rel(rel, all_columns(rel)),
            Part::Input(_) | Part::Scope(_) => {}
        }
    }

    fn rel(&mut self, rel: &Rel, mut needed: ColumnSet) {
        match &*rel.kind {
            RelKind::Table { name, source } => {
                if !self.used.contains_key(name) {
                    self.order.push(name.clone());
                }
                let columns = self.used.entry(name.clone()).or_default();
                for (column, source) in rel.columns.iter().zip(source.iter()) {
                    if needed.contains(&column.id) && columns.known.insert(source.clone()) {
                        columns.order.push(source.clone());
                    }
                }
            }
            RelKind::Project { input, exprs } => {
                let mut below = HashSet::default();
                for (id, expr) in exprs {
                    if needed.contains(id) {
                        self.reads(expr, &mut below);
                    }
                }
                self.rel(input, below);
            }
            RelKind::Union { inputs } => {
                let wanted: Vec<bool> = rel.columns.iter().map(|column| needed.contains(&column.id)).collect();
                for input in inputs {
                    let below = input.columns.iter().zip(&wanted).filter(|(_, w)| **w).map(|(c, _)| c.id).collect();
                    self.rel(input, below);
                }
            }
            RelKind::Materialize { input, .. } => {
                let wanted: Vec<bool> = rel.columns.iter().map(|column| needed.contains(&column.id)).collect();
                let below = input.columns.iter().zip(&wanted).filter(|(_, w)| **w).map(|(c, _)| c.id).collect();
                self.rel(input, below);
            }
            RelKind::ApplyInput { scope } => self.applied.entry(*scope).or_default().extend(needed),
            RelKind::MvApply { input, scope, subquery, .. } | RelKind::Partition { input, scope, subquery, .. } => {
                parts::of_rel(rel, &mut |part| self.part(part, &mut needed));
                self.rel(subquery, needed.clone());
                needed.extend(self.applied.remove(scope).unwrap_or_default());
                self.rel(input, needed);
            }
            // Nothing passes through a grouping but what its expressions read.
            RelKind::Summarize { .. } => self.node(rel, HashSet::default()),
            RelKind::Plugin { input, .. } => {
                let below = input.as_ref().map(all_columns).unwrap_or_default();
                needed.extend(below);
                self.node(rel, needed);
            }
            _ => self.node(rel, needed),
        }
    }

    /// A node all of whose expressions count.
    fn node(&mut self, rel: &Rel, mut needed: ColumnSet) {
        parts::of_rel(rel, &mut |part| self.part(part, &mut needed));
        let mut inputs = Vec::new();
        parts::of_rel(rel, &mut |part| {
            if let Part::Input(input) = part {
                inputs.push(input);
            }
        });
        let last = inputs.pop();
        for input in inputs {
            self.rel(input, needed.clone());
        }
        if let Some(last) = last {
            self.rel(last, needed);
        }
    }
}

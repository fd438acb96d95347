//! Which columns of which tables a query needs: liveness from the results down to the tables.

use std::collections::{BTreeMap, HashSet};

use crate::bound::{BoundResult, ColumnId, Expr, Rel, RelKind, TableUse};
use crate::walk::{Visitor, visit_expr, visit_rel};

/// Every table read and the columns of it that matter, in the order of first use.
pub(crate) fn tables(results: &mut [BoundResult]) -> Vec<TableUse> {
    let mut usage = Usage { used: BTreeMap::new(), order: Vec::new() };
    for result in results {
        let needed = all_columns(&result.rel);
        usage.rel(&mut result.rel, needed);
    }
    let mut used = usage.used;
    usage.order.into_iter().filter_map(|name| used.remove(&name).map(|columns| TableUse { name, columns })).collect()
}

fn all_columns(rel: &Rel) -> HashSet<ColumnId> {
    rel.columns.iter().map(|column| column.id).collect()
}

fn first_column(rel: &Rel) -> HashSet<ColumnId> {
    rel.columns.first().map(|column| column.id).into_iter().collect()
}

struct Usage {
    used: BTreeMap<String, Vec<String>>,
    order: Vec<String>,
}

/// Collects ids without going into inputs; tables inside expressions are visited for their first column.
struct Reads<'a> {
    needed: &'a mut HashSet<ColumnId>,
    usage: &'a mut Usage,
}

impl Visitor for Reads<'_> {
    fn id(&mut self, id: &mut ColumnId) {
        self.needed.insert(*id);
    }
    fn rel(&mut self, _: &mut Rel) {}
    fn nested(&mut self, rel: &mut Rel) {
        let first = first_column(rel);
        self.usage.rel(rel, first);
    }
}

/// Goes into the inputs of a node.
struct Inputs<'a> {
    needed: &'a HashSet<ColumnId>,
    usage: &'a mut Usage,
}

impl Visitor for Inputs<'_> {
    fn id(&mut self, _: &mut ColumnId) {}
    fn rel(&mut self, rel: &mut Rel) {
        self.usage.rel(rel, self.needed.clone());
    }
    fn nested(&mut self, _: &mut Rel) {}
}

impl Usage {
    fn reads(&mut self, expr: &mut Expr, needed: &mut HashSet<ColumnId>) {
        visit_expr(expr, &mut Reads { needed, usage: self });
    }

    fn rel(&mut self, rel: &mut Rel, mut needed: HashSet<ColumnId>) {
        match &mut *rel.kind {
            RelKind::Table { name, source } => {
                if !self.used.contains_key(name) {
                    self.order.push(name.clone());
                }
                let columns = self.used.entry(name.clone()).or_default();
                for (column, source) in rel.columns.iter().zip(source) {
                    if needed.contains(&column.id) && !columns.contains(source) {
                        columns.push(source.clone());
                    }
                }
            }
            RelKind::Project { input, exprs } => {
                let mut below = HashSet::new();
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
            // Nothing passes through a grouping but what its expressions read.
            RelKind::Summarize { .. } => self.node(rel, HashSet::new()),
            RelKind::Plugin { input, .. } => {
                let below = input.as_ref().map(all_columns).unwrap_or_default();
                needed.extend(below);
                self.node(rel, needed);
            }
            _ => self.node(rel, needed),
        }
    }

    /// A node all of whose expressions count.
    fn node(&mut self, rel: &mut Rel, mut needed: HashSet<ColumnId>) {
        let columns = std::mem::take(&mut rel.columns);
        visit_rel(rel, &mut Reads { needed: &mut needed, usage: self });
        visit_rel(rel, &mut Inputs { needed: &needed, usage: self });
        rel.columns = columns;
    }
}

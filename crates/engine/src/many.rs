//! [`Engine::focused`]: many queries over one pass of each large table.
//!
//! A hunt asks hundreds of questions of the same files, and most begin with filters. One pass over a file evaluates the
//! filters of all queries and keeps, in memory, the rows that any of them lets through, with the columns that any of them
//! needs. The queries then run unchanged over these rows: each applies its own filters again, so what it gives is the
//! same. A table that some query reads without a filter, or of which too many rows would stay, is left in its files.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use kql_functions::Kind;
use kql_semantics::bound::{BoundColumn, BoundQuery, BoundResult, ColumnId, Expr, ExprKind, Rel, RelKind, TableUse};
use kql_semantics::walk::{ColumnSet, any_expr, columns_of, for_each_child_mut, for_each_input, for_each_nested};
use kql_types::{Column, ScalarType, Span, Value};

use crate::alternatives::any_of;
use crate::{AzureDialect, Engine, EngineError, QueryOptions, QueryOutput};

/// Fewer rows are read as fast by each query itself.
pub const ROWS_MIN: u64 = 200_000;
/// Fewer readers do not pay for keeping rows.
const READERS_MIN: usize = 3;
/// Rows of a table that may stay: one in so many.
const KEPT_SHARE: u64 = 8;

/// A query bound at two clocks. What the two have in common does not depend on the clock.
#[derive(Debug, Clone, Copy)]
pub struct Clocks<'a> {
    pub first: &'a BoundQuery,
    pub second: &'a BoundQuery,
}

/// A table that a query reads, with the filters that all its rows pass before anything but filters and columns computed
/// row by row.
struct Leaf<'a> {
    table: &'a str,
    columns: Vec<(ColumnId, &'a str, ScalarType)>,
    filters: Vec<&'a Expr>,
}

/// A filter, and the names of the columns that its ids stand for.
type Named = (Expr, HashMap<ColumnId, String>);

/// What the readers of one table ask of it.
#[derive(Default)]
struct Asked {
    readers: usize,
    /// Columns that any reader needs, by name.
    columns: BTreeMap<String, ScalarType>,
    /// The filters of each reader over column names; None when one has no filter.
    alternatives: Option<Vec<Vec<Named>>>,
}

impl Engine {
    /// Runs queries that share their scans. The results are those of [`Engine::run_bound`] on each.
    pub async fn run_many(&self, queries: &[(BoundQuery, QueryOptions)]) -> Vec<Result<QueryOutput, EngineError>> {
        let clocks: Vec<Clocks<'_>> = queries.iter().map(|(query, _)| Clocks { first: query, second: query }).collect();
        let provenance = queries.iter().any(|(_, options)| options.provenance);
        let memory = queries.iter().filter_map(|(_, options)| options.limits.memory).min();
        let engine = self.focused(&clocks, provenance, ROWS_MIN, memory).await;
        let mut outputs = Vec::with_capacity(queries.len());
        for (query, options) in queries {
            outputs.push(engine.run_bound(query, options).await);
        }
        outputs
    }

    /// [`Engine::run_many`], waited for.
    pub fn run_many_blocking(&self, queries: &[(BoundQuery, QueryOptions)]) -> Vec<Result<QueryOutput, EngineError>> {
        futures::executor::block_on(self.run_many(queries))
    }

    /// An engine for these queries alone, bound at any clocks: files with at least `rows_min` rows of a table are replaced
    /// by the rows that matter to the queries. With `provenance` the places of the rows are kept. No table whose rows would
    /// hold more than `memory` bytes is replaced.
    pub async fn focused(
        &self,
        queries: &[Clocks<'_>],
        provenance: bool,
        rows_min: u64,
        memory: Option<usize>,
    ) -> Engine {
        let mut data = None;
        for (table, asked) in self.asked(queries, rows_min) {
            let Some(query) = asked.query(&table, provenance) else { continue };
            let rows = self.data().row_count(&table).unwrap_or(0);
            let mut options = QueryOptions { azure_dialect: Some(AzureDialect::Raw), ..QueryOptions::at(0) };
            options.limits.memory = memory;
            options.limits.result_rows = Some(usize::try_from(rows / KEPT_SHARE).unwrap_or(usize::MAX));
            // Too many rows, or data that cannot be read: each query finds out by itself.
            let Ok(output) = self.run_bound(&query, &options).await else { continue };
            let Some(kept) = output.tables.into_iter().next() else { continue };
            let data = data.get_or_insert_with(|| scan::DataSet::clone(self.data()));
            if data.keep_only(&table, kept.columns, kept.batches).is_err() {
                return self.clone();
            }
        }
        match data {
            Some(data) => self.with_data(Arc::new(data)),
            None => self.clone(),
        }
    }

    /// [`Engine::focused`], waited for.
    pub fn focused_blocking(
        &self,
        queries: &[Clocks<'_>],
        provenance: bool,
        rows_min: u64,
        memory: Option<usize>,
    ) -> Engine {
        futures::executor::block_on(self.focused(queries, provenance, rows_min, memory))
    }

    fn asked(&self, queries: &[Clocks<'_>], rows_min: u64) -> BTreeMap<String, Asked> {
        let mut tables: BTreeMap<String, Asked> = BTreeMap::new();
        let large = |table: &str| self.data().rows_in_files(table) >= rows_min;
        for clocks in queries {
            if !clocks.first.tables.iter().any(|table| large(&table.name)) {
                continue;
            }
            let (first, second) = (leaves(clocks.first), leaves(clocks.second));
            let alike = first.len() == second.len() && first.iter().zip(&second).all(|(a, b)| a.table == b.table);
            for (index, leaf) in first.iter().enumerate().filter(|(_, leaf)| large(leaf.table)) {
                let other = second.get(index).filter(|_| alike);
                let asked = tables.entry(leaf.table.to_owned()).or_default();
                asked.add(leaf, other, clocks.first.tables.iter().find(|table| table.name == leaf.table));
            }
        }
        tables
    }
}

impl Asked {
    fn add(&mut self, leaf: &Leaf<'_>, other: Option<&Leaf<'_>>, used: Option<&TableUse>) {
        let first_reader = self.readers == 0;
        self.readers += 1;
        let names: HashMap<ColumnId, String> =
            leaf.columns.iter().map(|(id, name, _)| (*id, (*name).to_owned())).collect();
        let at_other_clock: HashSet<String> =
            other.into_iter().flat_map(|leaf| &leaf.filters).map(|filter| format!("{filter:?}")).collect();
        let usable =
            |filter: &&&Expr| at_other_clock.contains(&format!("{filter:?}")) && is_lasting(filter, leaf.table, &names);
        let filters: Vec<&Expr> = leaf.filters.iter().filter(usable).copied().collect();
        for filter in &filters {
            let mut ids = ColumnSet::default();
            columns_of(filter, &mut ids);
            self.need(leaf, |id, _| ids.contains(id));
        }
        self.need(leaf, |_, name| {
            name == "TimeGenerated" || used.is_none_or(|used| used.columns.iter().any(|c| c == name))
        });
        if filters.is_empty() {
            self.alternatives = None;
        } else if first_reader || self.alternatives.is_some() {
            let own = filters.into_iter().map(|filter| (filter.clone(), names.clone())).collect();
            self.alternatives.get_or_insert_default().push(own);
        }
    }

    fn need(&mut self, leaf: &Leaf<'_>, wanted: impl Fn(&ColumnId, &str) -> bool) {
        for (id, name, ty) in &leaf.columns {
            if wanted(id, name) {
                self.columns.insert((*name).to_owned(), *ty);
            }
        }
    }

    /// The pass over the table; None when it does not pay.
    fn query(self, table: &str, provenance: bool) -> Option<BoundQuery> {
        let alternatives = self.alternatives.filter(|_| self.readers >= READERS_MIN)?;
        let mut wanted: Vec<Column> = self.columns.into_iter().map(|(name, ty)| Column::new(&name, ty)).collect();
        wanted.push(Column::new(tables::INGESTION_COLUMN, ScalarType::DateTime));
        if provenance {
            wanted.push(Column::new(tables::SOURCE_COLUMN, ScalarType::Long));
        }
        let columns: Vec<BoundColumn> = wanted
            .iter()
            .zip(0..)
            .map(|(column, id)| BoundColumn { id: ColumnId(id), name: column.name.as_str().into(), ty: column.ty })
            .collect();
        let ids: HashMap<&str, ColumnId> = columns.iter().map(|column| (&*column.name, column.id)).collect();
        let mut seen = HashSet::new();
        let mut any = Vec::new();
        for filters in alternatives {
            let mut all = Vec::with_capacity(filters.len());
            for (mut filter, names) in filters {
                rename(&mut filter, &|id| names.get(&id).and_then(|name| ids.get(name.as_str())).copied())?;
                all.push(filter);
            }
            if seen.insert(format!("{all:?}")) {
                any.push(all);
            }
        }
        let span = Span::default();
        let source = wanted.iter().map(|column| column.name.clone()).collect();
        let kind = Box::new(RelKind::Table { name: table.to_owned(), source });
        let input = Rel { kind, columns: columns.clone(), serialized: false, span };
        let kind = Box::new(RelKind::Filter { input, predicate: any_of(any) });
        let rel = Rel { kind, columns, serialized: false, span };
        let used = TableUse { name: table.to_owned(), columns: wanted.into_iter().map(|column| column.name).collect() };
        Some(BoundQuery {
            results: vec![BoundResult { name: None, rel, render: None }],
            tables: vec![used],
            compared: Vec::new(),
            options: Vec::new(),
            unsupported: Vec::new(),
            absent: Vec::new(),
        })
    }
}

/// Gives the columns of an expression other ids; None when one is not known.
fn rename(expr: &mut Expr, new: &dyn Fn(ColumnId) -> Option<ColumnId>) -> Option<()> {
    // Equal filters written in different places are one.
    expr.span = Span::default();
    if let ExprKind::Column(id) = &mut expr.kind {
        *id = new(*id)?;
    }
    let mut done = Some(());
    for_each_child_mut(expr, &mut |child| done = done.and_then(|()| rename(child, new)));
    done
}

/// Whether a filter says the same of a row at every clock and in every spelling of status values.
fn is_lasting(filter: &Expr, table: &str, names: &HashMap<ColumnId, String>) -> bool {
    let breaks = |expr: &Expr| match &expr.kind {
        ExprKind::Column(id) => match names.get(id) {
            Some(name) => table == "AzureActivity" && name.starts_with("ActivityStatus"),
            None => true,
        },
        ExprKind::Literal(value) => matches!(value, Value::DateTime(_)),
        ExprKind::Call { function, .. } => function.kind == Kind::Volatile,
        ExprKind::InRel { .. }
        | ExprKind::HasRel { .. }
        | ExprKind::Scalar(_)
        | ExprKind::Window { .. }
        | ExprKind::IngestionTime
        | ExprKind::ScanState { .. }
        | ExprKind::Error => true,
        _ => false,
    };
    filter.ty == ScalarType::Bool && !any_expr(filter, &breaks)
}

fn leaves(query: &BoundQuery) -> Vec<Leaf<'_>> {
    let mut found = Vec::new();
    for result in &query.results {
        find(&result.rel, Vec::new(), &mut found);
    }
    found
}

fn find<'a>(rel: &'a Rel, mut filters: Vec<&'a Expr>, found: &mut Vec<Leaf<'a>>) {
    for_each_nested(rel, &mut |nested| find(nested, Vec::new(), found));
    match rel.kind.as_ref() {
        RelKind::Table { name, source } => {
            let columns = rel.columns.iter().zip(source.iter());
            let columns = columns.map(|(column, name)| (column.id, name.as_str(), column.ty)).collect();
            found.push(Leaf { table: name, columns, filters });
        }
        RelKind::Filter { input, predicate } => {
            conjuncts(predicate, &mut filters);
            find(input, filters, found);
        }
        // A window function sees rows that a filter above it does not let through.
        RelKind::Project { input, exprs } => {
            let is_window = |expr: &Expr| matches!(expr.kind, ExprKind::Window { .. });
            let kept = if exprs.iter().any(|(_, expr)| any_expr(expr, &is_window)) { Vec::new() } else { filters };
            find(input, kept, found);
        }
        RelKind::Sort { input, .. } | RelKind::Serialize { input } => find(input, filters, found),
        _ => for_each_input(rel, &mut |input| find(input, Vec::new(), found)),
    }
}

fn conjuncts<'a>(predicate: &'a Expr, into: &mut Vec<&'a Expr>) {
    match &predicate.kind {
        ExprKind::And(items) => items.iter().for_each(|item| conjuncts(item, into)),
        _ => into.push(predicate),
    }
}

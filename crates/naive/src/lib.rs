//! A second opinion: bound queries evaluated row by row over plain values, for tests of the engine.
//!
//! Written to be evidently right, not fast, and apart from the engine's kernels and plans: every operator is a loop over
//! rows, every function a line over values. What it does not know is [`NotDone`], never a guess. Where Kusto leaves a
//! choice (which row `take_any` takes, the order of `make_list`), the first row in the order of the tables counts; compare
//! with [`agree::difference`], which knows what stays open. Begin at [`evaluate`].

mod aggregate;
pub mod agree;
mod calendar;
mod expr;
mod function;
mod join;
mod parse;
mod rel;
mod text;
mod value;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use kql_semantics::bound::{BoundColumn, BoundQuery, ColumnId};
use kql_types::{Column, Value};

/// Something that this evaluator does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotDone(pub String);

impl fmt::Display for NotDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not done: {}", self.0)
    }
}

impl std::error::Error for NotDone {}

pub(crate) type Done<T> = Result<T, NotDone>;

pub(crate) fn not_done<T>(what: impl Into<String>) -> Done<T> {
    Err(NotDone(what.into()))
}

/// Rows of a table, of a watchlist (`_GetWatchlist(name)`) or of files (`externaldata(address ...)`), each as long as
/// `columns`. A table without rows has none.
pub trait Source {
    fn rows(&self, table: &str, columns: &[Column]) -> Vec<Vec<Value>>;
}

impl Source for witness::Rows {
    fn rows(&self, table: &str, columns: &[Column]) -> Vec<Vec<Value>> {
        let values: Vec<Vec<Value>> = columns.iter().map(|column| self.column(table, column)).collect();
        let count = values.first().map_or(0, Vec::len);
        (0..count).map(|row| values.iter().filter_map(|column| column.get(row).cloned()).collect()).collect()
    }
}

/// A table: rows are as long as the columns.
#[derive(Debug, Clone, Default)]
pub struct Table {
    pub columns: Vec<BoundColumn>,
    pub rows: Vec<Vec<Value>>,
}

impl Table {
    pub(crate) fn places(&self) -> HashMap<ColumnId, usize> {
        self.columns.iter().enumerate().map(|(place, column)| (column.id, place)).collect()
    }
}

/// A column behind the others: what `ingestion_time()` of a row is.
pub(crate) const INGESTION: ColumnId = ColumnId(u32::MAX);

/// What the evaluation of one query shares.
pub(crate) struct Context<'a> {
    pub source: &'a dyn Source,
    pub now: i64,
    /// Tables by [`kql_semantics::bound::RelKind::Materialize`] id.
    pub shared: RefCell<HashMap<u32, Rc<Table>>>,
    /// Tables inside expressions, by their place in memory: they do not depend on the row.
    pub nested: RefCell<HashMap<usize, Rc<Table>>>,
    /// What [`kql_semantics::bound::RelKind::ApplyInput`] of a scope stands for.
    pub scopes: RefCell<HashMap<u32, Rc<Table>>>,
}

/// The tables that a query gives when its clock is at `now` (ticks).
///
/// # Errors
/// [`NotDone`] for what this evaluator does not know.
pub fn evaluate(bound: &BoundQuery, source: &dyn Source, now: i64) -> Result<Vec<Table>, NotDone> {
    let context =
        Context { source, now, shared: RefCell::default(), nested: RefCell::default(), scopes: RefCell::default() };
    bound.results.iter().map(|result| context.pick(context.table(&result.rel)?, &result.rel)).collect()
}

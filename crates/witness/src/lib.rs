//! Rows shaped so that a query's own literals can match.
//!
//! For each way in which a query can see a row (a branch of each union, both sides of each join) its conditions are run
//! backwards into wishes for the columns of its tables, and rows are made that fulfil them together. Nothing but the
//! bound query decides them. Values that nothing asks for come from a small pool chosen by the kind of name, the same
//! in every table, so that joins meet. Begin at [`Rows::of`].

mod action;
mod condition;
mod pattern;
mod profile;
mod solve;
mod wish;

use std::collections::BTreeMap;

use kql_semantics::bound::{BoundQuery, Rel};
use kql_types::{Column, Dynamic, ScalarType, Value, datetime};

use profile::{Builder, Profile};
pub use profile::{Outside, OutsideSource};
use solve::{Root, Solver, Step};
pub use wish::text_of;
use wish::{Cell, Wish};

/// The name under which [`Rows::column`] gives what `ingestion_time()` of a row is.
pub const INGESTION_TIME: &str = "ingestion_time()";
/// Ways tried with each of the choices in a query.
const VARIANTS: usize = 3;
/// Rows of one table at most.
const ROWS_MAX: usize = 4_000;
/// Rows of one run in a series, before its burst.
const SERIES_ROWS: usize = 160;

/// From the clock back to the time of a row that nothing asks for: recent, and not at the edge of an hour.
const USUAL_AGE: i64 = 50 * 60 * datetime::TICKS_PER_SECOND;

/// The rows of each table, as values by column name. A column that is not there takes its default.
#[derive(Debug)]
pub struct Rows {
    now: i64,
    by_table: BTreeMap<String, Vec<Made>>,
    outside: Vec<Outside>,
}

/// One row: what it was made for, and the values that were asked for.
#[derive(Debug)]
struct Made {
    salt: usize,
    row: usize,
    time: i64,
    values: BTreeMap<String, Asked>,
}

#[derive(Debug)]
enum Asked {
    Wish(Box<Wish>),
    Document(Dynamic, Box<Wish>),
}

impl Rows {
    /// Rows for every way in which the query can see one when its clock is at `now` (ticks).
    pub fn of(bound: &BoundQuery, now: i64) -> Rows {
        let rels: Vec<&Rel> = bound.results.iter().map(|result| &result.rel).collect();
        let mut rows = Rows { now, by_table: BTreeMap::new(), outside: Vec::new() };
        for variant in 0..VARIANTS {
            let mut builder = Builder { variant, ..Builder::default() };
            let mut ways: Vec<Profile<'_>> = rels.iter().flat_map(|rel| builder.expand(rel)).collect();
            ways.append(&mut builder.beside);
            for way in &ways {
                rows.add(way, variant);
            }
            rows.outside = builder.outside;
        }
        rows
    }

    fn add(&mut self, way: &Profile<'_>, variant: usize) {
        let solver = Solver::solve(way, variant, variant, self.now - USUAL_AGE);
        for (leaf, table) in way.leaves.iter().enumerate() {
            let made = self.by_table.entry(table.to_string()).or_default();
            let count = if way.series { SERIES_ROWS + 80 } else { solver.rows() };
            let clock = solver.wishes.get(&(Root::Column(leaf, "TimeGenerated".into()), Vec::new()));
            let clock = clock.or_else(|| solver.wishes.get(&(Root::Column(leaf, "Timestamp".into()), Vec::new())));
            for row in 0..count {
                if made.len() >= ROWS_MAX {
                    return;
                }
                let time = match clock {
                    Some(wish) if way.series => series_time(wish, row, self.now),
                    Some(wish) => wish.moment(self.now - USUAL_AGE),
                    None if way.series => series_time(&Wish::default(), row, self.now),
                    None => self.now - USUAL_AGE,
                };
                let time = if way.series { time } else { time + row as i64 * datetime::TICKS_PER_SECOND };
                made.push(Made { salt: variant, row, time, values: asked(&solver, leaf, row, time, variant) });
            }
        }
    }

    /// Files, watchlists and other tables of the host that the query reads, once each.
    pub fn outside(&self) -> &[Outside] {
        &self.outside
    }

    /// The values of a column of a table, one for each of its rows.
    pub fn column(&self, table: &str, column: &Column) -> Vec<Value> {
        let rows = self.by_table.get(table).map(Vec::as_slice).unwrap_or_default();
        rows.iter().map(|made| cell(made, table, column)).collect()
    }
}

fn cell(made: &Made, table: &str, column: &Column) -> Value {
    let cell = Cell { name: &column.name, salt: made.salt, row: made.row, time: made.time };
    match made.values.get(&column.name) {
        Some(Asked::Document(document, whole)) => {
            let document = with_parts(document.clone(), whole, &cell);
            match column.ty {
                ScalarType::Dynamic => Value::Dynamic(document),
                _ => Value::String(document.to_display_json()),
            }
        }
        Some(Asked::Wish(wish)) if column.ty == ScalarType::DateTime && wish.equal.is_none() => {
            // The clock of the row was chosen by these wishes: rows after the first stay in step.
            let allowed =
                wish.after.is_none_or(|after| made.time > after) && wish.before.is_none_or(|before| made.time < before);
            Value::DateTime(if allowed { made.time + wish.later } else { wish.moment(made.time) })
        }
        Some(Asked::Wish(wish)) => wish.value(column.ty, &cell),
        None if column.name == "Type" => Value::String(table.to_string()),
        None if column.ty == ScalarType::Dynamic => {
            Value::Dynamic(Dynamic::Bag(vec![("name".into(), Wish::default().leaf(&cell))]))
        }
        None => Wish::default().value(column.ty, &cell),
    }
}

/// A document that also holds the texts that its column as a whole was asked for.
fn with_parts(document: Dynamic, whole: &Wish, cell: &Cell<'_>) -> Dynamic {
    let text = Wish::string(whole, &Cell { name: "", ..*cell });
    match document {
        Dynamic::Bag(mut items) if whole.has_parts() => {
            items.push(("text".into(), Dynamic::String(text)));
            Dynamic::Bag(items)
        }
        Dynamic::Array(mut items) if whole.has_parts() => {
            items.push(Dynamic::String(text));
            Dynamic::Array(items)
        }
        other => other,
    }
}

fn asked(solver: &Solver<'_, '_>, leaf: usize, row: usize, time: i64, salt: usize) -> BTreeMap<String, Asked> {
    let mut values = BTreeMap::new();
    for (root, path) in solver.wishes.keys() {
        let Root::Column(at, name) = root else { continue };
        if *at != leaf || values.contains_key(name) {
            continue;
        }
        let whole = solver.wishes.get(&(root.clone(), Vec::new())).cloned().unwrap_or_default();
        let paths = solver.paths_of(root);
        let value = if paths.is_empty() && path.is_empty() {
            Asked::Wish(Box::new(whole))
        } else {
            Asked::Document(document(&paths, &Cell { name, salt, row, time }), Box::new(whole))
        };
        values.insert(name.clone(), value);
    }
    values
}

/// A JSON document in which every path has the value that was asked for.
fn document(paths: &[(&[Step], &Wish)], cell: &Cell<'_>) -> Dynamic {
    let mut root = Dynamic::Null;
    for (path, wish) in paths {
        let name = path.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        });
        let leaf = wish.leaf(&Cell { name: name.unwrap_or(cell.name), ..*cell });
        place(&mut root, path, leaf);
    }
    root
}

fn place(node: &mut Dynamic, path: &[Step], leaf: Dynamic) {
    let Some((step, rest)) = path.split_first() else {
        if *node == Dynamic::Null {
            *node = leaf;
        }
        return;
    };
    match step {
        Step::Key(key) => {
            if !matches!(node, Dynamic::Bag(_)) {
                *node = Dynamic::Bag(Vec::new());
            }
            if let Dynamic::Bag(items) = node {
                if !items.iter().any(|(name, _)| name == key) {
                    items.push((key.clone(), Dynamic::Null));
                }
                if let Some((_, child)) = items.iter_mut().find(|(name, _)| name == key) {
                    place(child, rest, leaf);
                }
            }
        }
        Step::Index(index) => {
            if !matches!(node, Dynamic::Array(_)) {
                *node = Dynamic::Array(Vec::new());
            }
            if let Dynamic::Array(items) = node {
                while items.len() <= *index && items.len() < 16 {
                    items.push(Dynamic::Null);
                }
                if let Some(child) = items.get_mut(*index) {
                    place(child, rest, leaf);
                }
            }
        }
    }
}

/// Rows of a series lie evenly over the last two weeks or the window asked for; the last ones are a burst in it.
fn series_time(wish: &Wish, row: usize, now: i64) -> i64 {
    let day = datetime::TICKS_PER_DAY;
    let first = wish.after.unwrap_or(now - 14 * day);
    let last = wish.before.unwrap_or(now).min(now);
    let length = (last - first).max(1);
    if row < SERIES_ROWS {
        first + length / SERIES_ROWS as i64 * row as i64 + 1
    } else {
        last - length / 24 - (row - SERIES_ROWS) as i64
    }
}

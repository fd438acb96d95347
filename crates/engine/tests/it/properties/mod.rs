//! Answers against the plainest implementation one could write, over values that no recorded case has.
//!
//! Each property makes small tables by chance (from a fixed seed: the same ones every time), asks the engine, and works out
//! the same answer row by row. Begin at [`ask`].

mod dynamics;
mod joins;
mod numbers;
mod order;
mod words;

use std::sync::Arc;

use engine::{DataSet, Engine, QueryOptions, TableCatalog};
use kql_types::{Column, ScalarType, Value, datetime};
use proptest::test_runner::{Config, RngSeed};

pub type Row = Vec<Value>;

/// Tables for each property.
pub fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(0x7464), ..Config::default() }
}

/// A table: its name, columns and rows.
pub struct Table<'a>(pub &'a str, pub &'a [(&'a str, ScalarType)], pub Vec<Row>);

/// An engine over these tables.
pub fn engine(tables: Vec<Table<'_>>) -> Engine {
    let mut data = DataSet::new();
    for Table(name, columns, rows) in tables {
        let arrays = columns.iter().enumerate().map(|(index, (column, ty))| {
            let values: Vec<&Value> = rows.iter().map(|row| &row[index]).collect();
            (*column, kql_plan::value::array(*ty, &values).unwrap())
        });
        let batch = datafusion::arrow::record_batch::RecordBatch::try_from_iter(arrays).unwrap();
        let known = columns.iter().map(|(name, ty)| Column::new(*name, *ty)).collect();
        data.add_batches(name, known, vec![batch]).unwrap();
    }
    Engine::new(Arc::new(TableCatalog::new().with_data(&data)), Arc::new(data))
}

/// The rows of a query, on one partition or on two: that is no matter for what is asked, so half of the questions are put
/// to each.
pub fn ask(engine: &Engine, query: &str) -> Vec<Row> {
    let now = datetime::parse("2026-03-02").unwrap();
    let options = QueryOptions { partitions: Some(1 + query.len() % 2), ..QueryOptions::at(now) };
    let output = engine.run_blocking(query, &options).unwrap_or_else(|error| panic!("{query}\n  {error}"));
    output.tables[0].rows()
}

/// Rows as texts, in which NaN equals NaN and zero is zero.
pub fn shown(rows: &[Row]) -> Vec<String> {
    let cell = |value: &Value| match value {
        Value::Real(number) => format!("Real({})", number + 0.0),
        other => format!("{other:?}"),
    };
    rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(" | ")).collect()
}

/// Compares rows whose order is open.
pub fn assert_same_rows(found: &[Row], expected: &[Row], what: &str) {
    let sorted = |rows: &[Row]| {
        let mut rows = shown(rows);
        rows.sort_unstable();
        rows
    };
    assert_eq!(sorted(found), sorted(expected), "{what}");
}

/// A value, or the null of its type.
pub fn cell<T>(value: Option<T>, ty: ScalarType, make: impl Fn(T) -> Value) -> Value {
    value.map_or(Value::Null(ty), make)
}

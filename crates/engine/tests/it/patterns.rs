//! `union *` and `search` over all known tables read those with rows.

use std::sync::Arc;
use std::time::Instant;

use datafusion::arrow::array::{ArrayRef, StringViewArray};
use datafusion::arrow::record_batch::RecordBatch;
use engine::{DataSet, Engine, QueryOptions, TableCatalog};
use kql_types::{Column, ScalarType, Value, datetime};

fn options() -> QueryOptions {
    QueryOptions::at(datetime::parse("2026-01-07").unwrap())
}

/// All built-in tables, two of them with a row.
fn engine() -> Engine {
    let mut data = DataSet::new();
    for (table, column, text) in
        [("SigninLogs", "UserPrincipalName", "ann@example.com"), ("AuditLogs", "OperationName", "Add user ann")]
    {
        let values: ArrayRef = Arc::new(StringViewArray::from(vec![text]));
        let batch = RecordBatch::try_from_iter([(column, values)]).unwrap();
        data.add_batches(table, vec![Column::new(column, ScalarType::String)], vec![batch]).unwrap();
    }
    Engine::new(Arc::new(catalog().with_data(&data)), Arc::new(data))
}

fn catalog() -> TableCatalog {
    let schemas = tables::SchemaSet::builtin();
    let known: Vec<_> = schemas.names().into_iter().filter_map(|name| schemas.get(name).cloned()).collect();
    TableCatalog::new().with_schemas(known)
}

fn names(engine: &Engine, query: &str) -> Vec<String> {
    let output = engine.run_blocking(query, &options()).unwrap_or_else(|error| panic!("{query}\n  {error}"));
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => format!("{other:?}"),
    };
    output.tables[0].rows().iter().map(|row| row.iter().map(text).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn only_tables_with_rows_are_read() {
    let engine = engine();
    let started = Instant::now();
    let counted = "union withsource=T * | summarize n = count() by T | project T | sort by T asc";
    assert_eq!(names(&engine, counted), ["AuditLogs", "SigninLogs"]);
    assert_eq!(names(&engine, "search 'ann' | project $table | sort by $table asc"), ["AuditLogs", "SigninLogs"]);
    assert_eq!(names(&engine, "search in (Sign*, Security*) 'ann' | project $table"), ["SigninLogs"]);
    assert_eq!(names(&engine, "union withsource=T Audit* | project T, OperationName"), ["AuditLogs Add user ann"]);
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    let checked = engine.check("union * | project TimeGenerated", &options());
    let read: Vec<&str> = checked.bound.as_ref().unwrap().tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(read, ["AuditLogs", "SigninLogs"]);
}

#[test]
fn a_pattern_without_rows_is_empty_and_still_reads_a_table() {
    let engine = Engine::new(Arc::new(catalog()), Arc::default());
    for query in ["search 'ann'", "union Sec*, Sign* | take 3 | project TimeGenerated"] {
        let output = engine.run_blocking(query, &options()).unwrap_or_else(|error| panic!("{query}\n  {error}"));
        assert_eq!(output.tables[0].row_count(), 0, "{query}");
        let checked = engine.check(query, &options());
        assert!(!checked.bound.unwrap().tables.is_empty(), "{query} reads nothing");
    }
}

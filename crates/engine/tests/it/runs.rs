//! How a query is run: windows, places, limits, dialects, deep pipelines, the five detections.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::record_batch::RecordBatch;
use engine::{AzureDialect, DataSet, Engine, EngineError, Limits, QueryOptions, TableCatalog, Window};
use kql_types::{Column, ScalarType, Value, datetime};

fn at(text: &str) -> i64 {
    datetime::parse(text).unwrap()
}

fn batch(columns: &[Column], rows: &[Vec<Value>]) -> RecordBatch {
    let arrays = columns.iter().enumerate().map(|(index, column)| {
        let values: Vec<&Value> = rows.iter().map(|row| &row[index]).collect();
        (column.name.as_str(), kql_plan::value::array(column.ty, &values).unwrap())
    });
    RecordBatch::try_from_iter(arrays).unwrap()
}

/// Status events of an Azure subscription with the places of their records.
fn engine() -> Engine {
    let columns = vec![
        Column::new("TimeGenerated", ScalarType::DateTime),
        Column::new("Caller", ScalarType::String),
        Column::new("ActivityStatusValue", ScalarType::String),
        Column::new(tables::SOURCE_COLUMN, ScalarType::Long),
    ];
    let row = |time: Value, caller: &str, status: &str, place: u64| {
        let text = |text: &str| Value::String(text.to_owned());
        vec![time, text(caller), text(status), Value::Long(tables::pack_source(1, place))]
    };
    let time = |text: &str| Value::DateTime(at(text));
    let rows = [
        row(time("2026-01-01 01:00"), "ann", "Start", 0),
        row(time("2026-01-01 02:00"), "ann", "Success", 1),
        row(time("2026-01-02 02:00"), "bob", "Success", 2),
        row(Value::Null(ScalarType::DateTime), "eve", "Failure", 3),
    ];
    let mut data = DataSet::new();
    data.add_batches("AzureActivity", columns.clone(), vec![batch(&columns, &rows)]).unwrap();
    let catalog = TableCatalog::new().with_data(&data);
    Engine::new(Arc::new(catalog), Arc::new(data))
}

fn first_values(engine: &Engine, query: &str, options: &QueryOptions) -> Vec<Value> {
    let output = engine.run_blocking(query, options).unwrap_or_else(|error| panic!("{query}\n  {error}"));
    output.tables[0].rows().into_iter().map(|mut row| row.remove(0)).collect()
}

fn options() -> QueryOptions {
    QueryOptions::at(at("2026-01-03"))
}

#[test]
fn a_window_shows_what_lies_in_it_and_nothing_undated() {
    let engine = engine();
    assert_eq!(first_values(&engine, "AzureActivity | count", &options()), [Value::Long(4)]);
    let window = Window { from: at("2026-01-01 02:00"), to: at("2026-01-02 02:00"), fidelity: false };
    let clipped = QueryOptions { window: Some(window), ..options() };
    assert_eq!(first_values(&engine, "AzureActivity | count", &clipped), [Value::Long(2)]);
}

#[test]
fn statuses_are_shown_as_the_query_spells_them() {
    let engine = engine();
    let count = |query: &str| first_values(&engine, query, &options());
    assert_eq!(count("AzureActivity | where ActivityStatusValue == 'Succeeded' | count"), [Value::Long(2)]);
    assert_eq!(count("AzureActivity | where ActivityStatusValue =~ 'success' | count"), [Value::Long(2)]);
    assert_eq!(count("AzureActivity | where ActivityStatusValue in ('Started', 'Failed') | count"), [Value::Long(2)]);
    let both = "AzureActivity | where ActivityStatusValue has_any ('Success', 'Succeeded') | count";
    assert_eq!(count(both), [Value::Long(2)]);
    let checked = engine.check("AzureActivity | where ActivityStatusValue == 'Failed'", &options());
    assert_eq!(checked.azure_dialect, AzureDialect::Rest);
}

#[test]
fn places_of_records_go_through_every_operator() {
    let engine = engine();
    let options = QueryOptions { provenance: true, ..options() };
    let places = |query: &str| -> Vec<Vec<u64>> {
        let output = engine.run_blocking(query, &options).unwrap_or_else(|error| panic!("{query}\n  {error}"));
        let sources = output.tables[0].sources.as_ref().unwrap();
        sources.iter().map(|row| row.places.iter().map(|place| tables::unpack_source(*place).1).collect()).collect()
    };
    assert_eq!(places("AzureActivity | where Caller == 'bob' | project Caller"), [vec![2]]);
    assert_eq!(
        places("AzureActivity | summarize n = count() by Caller | sort by Caller asc"),
        [vec![0, 1], vec![2], vec![3]]
    );
    assert_eq!(
        places("AzureActivity | summarize arg_max(TimeGenerated, *) by Caller | where Caller == 'ann'"),
        [vec![0, 1]]
    );
    let joined = "AzureActivity | where ActivityStatusValue == 'Start' | project Caller \
                  | join kind=inner (AzureActivity | where ActivityStatusValue == 'Success') on Caller";
    assert_eq!(places(joined), [vec![0, 1]]);
    let expanded = "AzureActivity | where Caller == 'bob' | extend d = dynamic([1, 2]) | mv-expand d";
    assert_eq!(places(expanded), [vec![2], vec![2]]);
    let applied = "AzureActivity | where Caller == 'ann' | extend d = dynamic([1, 2]) \
                   | mv-apply d on (summarize s = sum(tolong(d)))";
    assert_eq!(places(applied), [vec![0], vec![1]]);
    assert_eq!(places("union AzureActivity, (print Caller = 'x') | where Caller == 'x'"), [Vec::<u64>::new()]);
}

#[test]
fn limits_end_a_query() {
    let engine = engine();
    let run = |query: &str, limits: Limits| engine.run_blocking(query, &QueryOptions { limits, ..options() });
    let rows = Limits { result_rows: Some(10), ..Limits::default() };
    assert!(matches!(run("range x from 1 to 11 step 1", rows.clone()), Err(EngineError::Limit(_))));
    assert!(run("range x from 1 to 10 step 1", rows).is_ok());
    let time = Limits { time: Some(Duration::from_millis(200)), ..Limits::default() };
    let endless = "range x from 1 to 100000000000 step 1 | summarize count() by x % 7";
    assert!(matches!(run(endless, time), Err(EngineError::Limit(_))));
    let memory = Limits { memory: Some(4 << 20), ..Limits::default() };
    let large = "range x from 1 to 2000000 step 1 | summarize make_list(x, 2000000)";
    assert!(matches!(run(large, memory), Err(EngineError::Limit(_))));
}

#[test]
fn a_pipeline_of_two_thousand_operators_runs() {
    let mut query = "range x from 1 to 3 step 1".to_owned();
    for number in 0..500 {
        query.push_str("\n| where x != 9000\n| where x < 9001\n| where x > 0");
        query.push_str(&format!("\n| extend x = x + {}", number % 2));
    }
    let sums = first_values(&engine(), &query, &options());
    assert_eq!(sums, [Value::Long(251), Value::Long(252), Value::Long(253)]);
}

#[test]
fn mistakes_and_gaps_are_told_apart() {
    let engine = engine();
    let run = |query: &str| engine.run_blocking(query, &options());
    assert!(matches!(run("AzureActivity | where Nonsense == 1"), Err(EngineError::Diagnostics(_))));
    assert!(matches!(run("print x = extract('(', 0, 'a')"), Err(EngineError::Diagnostics(_))));
    let code = "print x = 1 | evaluate python(typeof(*), 'result = df')";
    assert!(matches!(run(code), Err(EngineError::Unsupported { .. })));
}

#[test]
fn the_five_detections_run_on_empty_tables() {
    let Some(folder) = testing::shared("seeds") else { return };
    let schemas = tables::SchemaSet::builtin();
    let known: Vec<_> = schemas.names().into_iter().filter_map(|name| schemas.get(name).cloned()).collect();
    let engine = Engine::new(Arc::new(TableCatalog::new().with_schemas(known)), Arc::default());
    let mut run = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "kql") {
            let query = std::fs::read_to_string(&path).unwrap();
            let output = engine.run_blocking(&query, &options());
            let output = output.unwrap_or_else(|error| panic!("{}\n  {error}", path.display()));
            assert_eq!(output.tables[0].row_count(), 0, "{}", path.display());
            run += 1;
        }
    }
    assert_eq!(run, 5);
}

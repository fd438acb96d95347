//! Queries that share a scan give what each gives by itself.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use engine::{Clocks, Engine, QueryOptions, TableCatalog};
use kql_types::{Value, datetime};
use scan::DataSet;

const ROWS: i64 = 20_000;

fn engine(folder: &std::path::Path) -> Engine {
    let path = folder.join("T.parquet");
    let times = (0..ROWS).map(|row| 1_767_225_600_000_000 + row * 60_000_000);
    let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"));
    let names: ArrayRef =
        Arc::new((0..ROWS).map(|row| (row % 5 > 0).then(|| format!("n{}", row % 997))).collect::<StringArray>());
    let json: ArrayRef =
        Arc::new((0..ROWS).map(|row| Some(format!("{{\"a\": {}}}", row % 89))).collect::<StringArray>());
    let numbers: ArrayRef = Arc::new((0..ROWS).collect::<Int64Array>());
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("TimeGenerated", times, true),
        ("Name", names, true),
        ("Json", json, true),
        ("Number", numbers, true),
        ("Unused", Arc::new((0..ROWS).collect::<Int64Array>()) as ArrayRef, true),
    ]);
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), batch.as_ref().unwrap().schema(), None).unwrap();
    writer.write(&batch.unwrap()).unwrap();
    writer.close().unwrap();
    let mut data = DataSet::new();
    data.add_parquet_source("T", &path, 4).unwrap();
    Engine::new(Arc::new(TableCatalog::new().with_data(&data)), Arc::new(data))
}

fn options() -> QueryOptions {
    QueryOptions { provenance: true, ..QueryOptions::at(datetime::parse("2026-01-14").unwrap()) }
}

const QUERIES: [&str; 6] = [
    "T | where Name == 'n7' | project TimeGenerated, Number | sort by Number asc",
    "T | where TimeGenerated > ago(3d) | where Name in ('n1', 'n2') and Number % 2 == 0 | summarize count(), max(Number) by Name",
    "T | extend a = tolong(parse_json(Json).a) | where Name startswith 'n99' and a > 3 | summarize make_list(Number, 5) by a",
    "T | where Name == 'n7' | join kind=inner (T | where Name =~ 'N8' | project j = Json) on $left.Json == $right.j",
    "let n = toscalar(T | where Name == 'n9' | summarize min(Number)); T | where Name == 'n10' | where Number > n | count",
    "T | where Name has 'n11' | summarize arg_max(TimeGenerated, *)",
];

type Answer = (Vec<Vec<Value>>, Option<Vec<engine::RowSources>>);

fn all(engine: &Engine, options: &QueryOptions) -> Vec<Answer> {
    let run = |query: &&str| {
        let output = engine.run_blocking(query, options).unwrap_or_else(|error| panic!("{query}\n  {error}"));
        (output.tables[0].rows(), output.tables[0].sources.clone())
    };
    QUERIES.iter().map(run).collect()
}

#[test]
fn a_focused_engine_gives_the_same_rows_and_places() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let expected = all(&engine, &options());
    assert!(expected.iter().all(|(rows, _)| !rows.is_empty()));
    let later = QueryOptions::at(datetime::parse("2026-02-14").unwrap());
    let bound: Vec<_> = QUERIES
        .iter()
        .map(|query| (engine.check(query, &options()).bound.unwrap(), engine.check(query, &later).bound.unwrap()))
        .collect();
    let clocks: Vec<Clocks<'_>> = bound.iter().map(|(first, second)| Clocks { first, second }).collect();
    let focused = engine.focused_blocking(&clocks, true, 1, None);
    let kept = focused.data().row_count("T").unwrap();
    assert!(kept > 0 && kept < ROWS as u64 / 8, "{kept} rows are kept");
    assert_eq!(focused.data().rows_in_files("T"), 0);
    assert_eq!(all(&focused, &options()), expected);
}

#[test]
fn a_table_that_some_query_reads_whole_stays_in_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    for whole in [
        "T | summarize count() by Name",
        "T | where TimeGenerated > ago(1d)",
        "T | take 3 | where Name == 'n1'",
        "T | where Number > 5",
    ] {
        let mut queries: Vec<&str> = QUERIES.to_vec();
        queries.push(whole);
        let bound: Vec<_> = queries.iter().map(|query| engine.check(query, &options()).bound.unwrap()).collect();
        let later = QueryOptions::at(datetime::parse("2026-02-14").unwrap());
        let other: Vec<_> = queries.iter().map(|query| engine.check(query, &later).bound.unwrap()).collect();
        let clocks: Vec<Clocks<'_>> =
            bound.iter().zip(&other).map(|(first, second)| Clocks { first, second }).collect();
        let focused = engine.focused_blocking(&clocks, true, 1, None);
        assert_eq!(focused.data().rows_in_files("T"), ROWS as u64, "{whole}");
    }
}

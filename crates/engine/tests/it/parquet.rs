//! Parquet files read in place: types, nulls, pruning, places of rows.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int64Array, ListArray, StringArray, StructArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
};
use datafusion::arrow::datatypes::{DataType, Field, Int32Type};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use engine::{Engine, QueryOptions, QueryOutput, TableCatalog};
use kql_types::datetime;
use scan::DataSet;

/// Rows of the file, ten minutes apart from 2026-01-01 on, in groups of a hundred.
const ROWS: i64 = 1_000;
const GROUP_ROWS: usize = 100;
const START_MICROS: i64 = 1_767_225_600_000_000;
const STEP_MICROS: i64 = 600_000_000;

fn write(path: &Path, batch: &RecordBatch) {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(GROUP_ROWS)).build();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

fn times() -> TimestampMicrosecondArray {
    let values = (0..ROWS).map(|row| START_MICROS + row * STEP_MICROS);
    TimestampMicrosecondArray::from_iter_values(values).with_timezone("UTC")
}

fn events() -> RecordBatch {
    let computers: StringArray = (0..ROWS).map(|row| (row % 3 != 0).then(|| format!("host{}", row % 7))).collect();
    let kinds: DictionaryArray<Int32Type> = (0..ROWS).map(|row| if row % 2 == 0 { "even" } else { "odd" }).collect();
    let numbers: Int64Array = (0..ROWS).collect();
    let shares: Float64Array = (0..ROWS).map(|row| Some(row as f64 / 4.0)).collect();
    let flags: BooleanArray = (0..ROWS).map(|row| Some(row % 5 == 0)).collect();
    let millis: TimestampMillisecondArray =
        (0..ROWS).map(|row| Some((START_MICROS + row * STEP_MICROS) / 1_000)).collect();
    let nanos: TimestampNanosecondArray =
        (0..ROWS).map(|row| Some((START_MICROS + row * STEP_MICROS) * 1_000 + 150)).collect();
    let lists =
        ListArray::from_iter_primitive::<Int32Type, _, _>((0..ROWS).map(|row| Some(vec![Some(row as i32), None])));
    let inner: ArrayRef = Arc::new(StringArray::from_iter_values((0..ROWS).map(|row| format!("v{row}"))));
    let structs = StructArray::from(vec![(Arc::new(Field::new("name", DataType::Utf8, true)), inner)]);
    let json: StringArray = (0..ROWS).map(|row| Some(format!("{{ \"id\": {row} }}"))).collect();
    RecordBatch::try_from_iter_with_nullable([
        ("TimeGenerated", Arc::new(times()) as ArrayRef, true),
        ("Computer", Arc::new(computers), true),
        ("Kind", Arc::new(kinds), true),
        ("Number", Arc::new(numbers), true),
        ("Share", Arc::new(shares), true),
        ("Flag", Arc::new(flags), true),
        ("Millis", Arc::new(millis), true),
        ("Nanos", Arc::new(nanos), true),
        ("List", Arc::new(lists), true),
        ("Struct", Arc::new(structs), true),
        ("Json", Arc::new(json), true),
    ])
    .unwrap()
}

struct Fixture {
    engine: Engine,
    _folder: tempfile::TempDir,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.parquet");
    write(&path, &events());
    let mut data = DataSet::new();
    data.add_parquet_source("Events", &path, 3).unwrap();
    let catalog = TableCatalog::new().with_data(&data);
    Fixture { engine: Engine::new(Arc::new(catalog), Arc::new(data)), _folder: folder }
}

fn options() -> QueryOptions {
    QueryOptions::at(datetime::parse("2026-01-07 22:30:00").unwrap())
}

fn run(fixture: &Fixture, query: &str) -> QueryOutput {
    fixture.engine.run_blocking(query, &options()).unwrap_or_else(|error| panic!("{query}\n  {error}"))
}

/// The rows as text, values separated by blanks.
fn rows(output: &QueryOutput) -> Vec<String> {
    let table = output.tables.first().unwrap();
    let batches = &table.batches;
    assert!(batches.iter().all(|batch| batch.num_columns() == table.columns.len()));
    table.rows().iter().map(|row| row.iter().map(|value| format!("{value:?}")).collect::<Vec<_>>().join(" ")).collect()
}

/// Rows read of the one table of a query.
fn rows_read(output: &QueryOutput) -> u64 {
    output.statistics.rows_read.iter().map(|(_, rows)| *rows).sum()
}

#[test]
fn a_time_filter_reads_only_the_row_groups_it_needs() {
    let fixture = fixture();
    // Row 144 * d is midnight of day d + 1; the last row is at 22:30 on the seventh day.
    let cases = [
        ("Events | where TimeGenerated > ago(1d) | count", "Long(144)", 200),
        (
            "Events | where TimeGenerated between (datetime(2026-01-02) .. datetime(2026-01-02 01:00)) | count",
            "Long(7)",
            100,
        ),
        ("Events | where bin(TimeGenerated, 1d) == datetime(2026-01-03) | count", "Long(144)", 300),
        ("Events | where startofday(TimeGenerated) == datetime(2026-01-03) | count", "Long(144)", 300),
        ("Events | where TimeGenerated < datetime(2026-01-01 00:10:00.0000001) | count", "Long(2)", 100),
        ("Events | where Millis >= ago(2h) | count", "Long(13)", 100),
        ("Events | where Nanos < datetime(2026-01-01 00:10) | count", "Long(1)", 100),
        ("Events | where Number == 512 | count", "Long(1)", 100),
        ("Events | where TimeGenerated > now() | count", "Long(0)", 0),
        ("Events | count", "Long(1000)", 1_000),
    ];
    for (query, expected, read) in cases {
        let output = run(&fixture, query);
        assert_eq!(rows(&output), [expected], "{query}");
        assert!(rows_read(&output) <= read, "{query} read {} rows", rows_read(&output));
    }
}

#[test]
fn the_first_rows_by_time_read_only_the_row_groups_they_lie_in() {
    let fixture = fixture();
    let cases = [
        ("Events | top 5 by TimeGenerated | summarize count(), min(Number)", "Long(5) Long(995)", 100),
        ("Events | top 150 by TimeGenerated desc | summarize count(), min(Number)", "Long(150) Long(850)", 200),
        ("Events | top 3 by TimeGenerated asc | summarize count(), max(Number)", "Long(3) Long(2)", 100),
        ("Events | sort by TimeGenerated desc, Number asc | take 7 | summarize min(Number)", "Long(993)", 100),
        ("Events | project Number, Millis | top 5 by Millis | summarize min(Number)", "Long(995)", 100),
        ("Events | top 5000 by TimeGenerated | count", "Long(1000)", 1_000),
        // A filter may leave too few rows in the groups that would be read.
        ("Events | where Number < 10 | top 5 by TimeGenerated | summarize min(Number)", "Long(5)", 1_000),
    ];
    for (query, expected, read) in cases {
        let output = run(&fixture, query);
        assert_eq!(rows(&output), [expected], "{query}");
        assert!(rows_read(&output) <= read, "{query} read {} rows", rows_read(&output));
    }
}

#[test]
fn a_filter_never_loses_rows_to_pruning() {
    let fixture = fixture();
    for minutes in [0, 5, 10, 59, 143, 1_000, 5_000] {
        for op in ["<", "<=", ">", ">=", "=="] {
            let at = format!("datetime(2026-01-01) + {minutes}m");
            let pruned = rows(&run(&fixture, &format!("Events | where TimeGenerated {op} {at} | count")));
            let whole = format!("Events | where TimeGenerated + 0s {op} {at} | count");
            assert_eq!(pruned, rows(&run(&fixture, &whole)), "{op} {at}");
        }
    }
}

#[test]
fn the_window_clips_events_and_prunes() {
    let fixture = fixture();
    let at = |text: &str| datetime::parse(text).unwrap();
    let window = engine::Window { from: at("2026-01-02"), to: at("2026-01-02 00:30"), fidelity: false };
    let options = QueryOptions { window: Some(window), ..options() };
    let output = fixture.engine.run_blocking("Events | summarize n = count(), min(Number)", &options).unwrap();
    assert_eq!(rows(&output), ["Long(4) Long(144)"]);
    assert!(rows_read(&output) <= 100);
}

#[test]
fn columns_of_any_type_are_shown_as_kusto_types() {
    let fixture = fixture();
    let output = run(&fixture, "Events | where Number == 2 | project-away TimeGenerated");
    let types: Vec<String> =
        output.tables[0].columns.iter().map(|column| format!("{}:{}", column.name, column.ty)).collect();
    assert_eq!(
        types.join(" "),
        "Computer:string Kind:string Number:long Share:real Flag:bool Millis:datetime Nanos:datetime List:dynamic \
         Struct:dynamic Json:string"
    );
    let query = "Events | where Number == 3 | project Computer, empty = isempty(Computer), Kind, Share, Nanos, \
                 name = tostring(Struct.name), item = tolong(List[0]), id = tolong(parse_json(Json).id)";
    let expected = "String(\"\") Bool(true) String(\"odd\") Real(0.75)";
    let found = rows(&run(&fixture, query));
    assert!(found[0].starts_with(expected), "{found:?}");
    let nanos = datetime::parse("2026-01-01 00:30:00.0000001").unwrap();
    assert!(found[0].ends_with(&format!("DateTime({nanos}) String(\"v3\") Long(3) Long(3)")), "{found:?}");
}

#[test]
fn an_absent_string_is_empty_in_filters_too() {
    let fixture = fixture();
    assert_eq!(rows(&run(&fixture, "Events | where Computer == '' | count")), ["Long(334)"]);
    assert_eq!(rows(&run(&fixture, "Events | where isnotempty(Computer) | count")), ["Long(666)"]);
    assert_eq!(
        rows(&run(&fixture, "Events | where Computer != 'host1' | summarize countif(isnull(Computer))")),
        ["Long(0)"]
    );
}

#[test]
fn a_row_knows_its_place_in_the_file() {
    let fixture = fixture();
    let options = QueryOptions { provenance: true, ..options() };
    let query = "Events | where Number in (7, 950) | project Number | sort by Number asc";
    let output = fixture.engine.run_blocking(query, &options).unwrap();
    let places: Vec<Vec<i64>> =
        output.tables[0].sources.as_ref().unwrap().iter().map(|source| source.places.clone()).collect();
    assert_eq!(places, [vec![tables::pack_source(3, 7)], vec![tables::pack_source(3, 950)]]);
}

#[test]
fn files_with_other_columns_are_read_as_one_table() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("a.parquet"), folder.path().join("b.parquet"));
    write(&first, &events());
    let number: ArrayRef = Arc::new(StringArray::from_iter_values((0..ROWS).map(|row| (row + ROWS).to_string())));
    let other = RecordBatch::try_from_iter([("TimeGenerated", Arc::new(times()) as ArrayRef), ("Number", number)]);
    write(&second, &other.unwrap());
    let mut data = DataSet::new();
    data.add_parquet("Events", &first).unwrap();
    data.add_parquet("Events", &second).unwrap();
    let engine = Engine::new(Arc::new(TableCatalog::new().with_data(&data)), Arc::new(data));
    let query =
        "Events | summarize n = count(), max(Number), no = countif(isempty(Kind)), null = countif(isnull(Flag))";
    let output = engine.run_blocking(query, &options()).unwrap();
    assert_eq!(rows(&output), ["Long(2000) Long(1999) Long(1000) Long(1000)"]);
}

#[test]
fn a_file_that_is_no_parquet_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.parquet");
    std::fs::write(&path, b"PAR1 this is not a footer PAR1").unwrap();
    assert!(DataSet::new().add_parquet("Events", &path).is_err());
}

/// A wide column beside narrow ones, some of them null, so that filters run while the file is decoded.
fn wide_rows() -> RecordBatch {
    let codes: StringArray = (0..ROWS).map(|row| (row % 4 != 0).then(|| format!("{}", row % 50))).collect();
    let names: StringArray =
        (0..ROWS).map(|row| Some(["Run-Instances", "stopInstances", "", "reboot"][(row % 4) as usize])).collect();
    let numbers: Int64Array = (0..ROWS).map(|row| (row % 9 != 0).then_some(row % 20)).collect();
    let bodies: StringArray = (0..ROWS).map(|row| Some(format!("{row} {}", "text ".repeat(60)))).collect();
    RecordBatch::try_from_iter_with_nullable([
        ("TimeGenerated", Arc::new(times()) as ArrayRef, true),
        ("Code", Arc::new(codes), true),
        ("Name", Arc::new(names), true),
        ("Number", Arc::new(numbers), true),
        ("Body", Arc::new(bodies), true),
    ])
    .unwrap()
}

#[test]
fn reading_wide_columns_late_gives_the_rows_of_tables_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("a.parquet"), folder.path().join("b.parquet"));
    write(&path, &wide_rows());
    // The second file has neither Code nor Name.
    write(&other, &wide_rows().project(&[0, 3, 4]).unwrap());
    let (mut files, mut memory) = (DataSet::new(), DataSet::new());
    for path in [&path, &other] {
        files.add_parquet("Wide", path).unwrap();
        memory.add_parquet("Wide", path).unwrap();
    }
    let whole = Engine::new(Arc::new(TableCatalog::new().with_data(&memory)), Arc::new(memory));
    let engine = Engine::new(Arc::new(TableCatalog::new().with_data(&files)), Arc::new(files));
    let conditions = [
        "Code == '7'",
        "Code == ''",
        "Name =~ 'RUN-INSTANCES' and isempty(Code)",
        "Name has 'run' or Number == 3",
        "Name has_any ('run', 'reboot') and Number in (2, 3)",
        "Name startswith 'stop' and Number != 3",
        "Code in ('1', '3') and Body has '51'",
        "not(Name has 'run') and Code == '2'",
        "Number == long(null)",
    ];
    for condition in conditions {
        let late = run_with(&engine, &format!("Wide | where {condition} | project TimeGenerated, Name, Body"));
        // A column made of the filter's own keeps the filter above the scan.
        let above = format!("Wide | extend pass = iff({condition}, 1, 0) | where pass == 1");
        let above = run_with(&whole, &format!("{above} | project TimeGenerated, Name, Body"));
        assert_eq!(rows(&late), rows(&above), "{condition}");
        // Rows of which only narrow columns were decoded count as read; `==` leaves out groups.
        let all = rows_read(&late) == 2 * ROWS as u64;
        assert!(all || condition.contains("Code") || condition.contains("Number"), "{condition}");
    }
}

fn run_with(engine: &Engine, query: &str) -> QueryOutput {
    engine.run_blocking(query, &options()).unwrap_or_else(|error| panic!("{query}\n  {error}"))
}

//! Loads text as a file would be loaded, and shows rows as text.

use std::path::PathBuf;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampNanosecondType,
};
use arrow::record_batch::RecordBatch;
use connectors::{LoadOptions, Loaded, load};
use kql_types::{ScalarType, datetime};
use tables::TableSchema;

/// Loads files given as (name, bytes), from a folder of their own.
pub fn load_files(files: &[(&str, &[u8])]) -> Loaded {
    load_files_with(files, &LoadOptions::default())
}

pub fn load_files_with(files: &[(&str, &[u8])], options: &LoadOptions) -> Loaded {
    let folder = write_files(files);
    let loaded = load(&[folder.path().to_path_buf()], options).unwrap();
    check_account(&loaded);
    loaded
}

/// Every record of every source is accounted for, and every source says what was read.
#[track_caller]
pub fn check_account(loaded: &Loaded) {
    for source in &loaded.report.sources {
        assert!(source.adds_up(), "{source:#?}");
        let in_place = source.kinds.contains_key("rows in place");
        let read = source.sha256.len() == 64 || in_place || source.stopped.is_some();
        assert!(read, "no hash: {source:#?}");
        let (tables, kinds) = (source.tables.values().sum::<u64>(), source.kinds.values().sum::<u64>());
        assert_eq!((tables, kinds), (source.rows + source.duplicates, source.rows + source.duplicates), "{source:#?}");
        assert!(!source.format.is_empty() && !source.path.is_empty(), "{source:#?}");
        assert!(source.undated + source.implausible <= source.rows, "{source:#?}");
    }
    let rows: u64 = loaded.report.sources.iter().map(|source| source.rows).sum();
    let held: usize = loaded.tables.values().flatten().map(|batch| batch.num_rows()).sum();
    let in_place: u64 = loaded.parquet.iter().map(|file| file.rows).sum();
    assert_eq!(rows, held as u64 + in_place);
}

pub fn write_files(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path: PathBuf = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
}

/// One text a file.
pub fn load_text(text: &str) -> Loaded {
    load_files(&[("logs.json", text.as_bytes())])
}

/// The rows of a table, each as its non-empty cells `column=value` in the order of the columns; ids and places left out.
pub fn rows(loaded: &Loaded, table: &str) -> Vec<Vec<String>> {
    let batches = loaded.tables.get(table).map(Vec::as_slice).unwrap_or_default();
    batches.iter().flat_map(|batch| batch_rows(batch, &loaded.schemas[table])).collect()
}

/// The rows of a batch in the same form.
pub fn batch_rows(batch: &RecordBatch, schema: &TableSchema) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for row in 0..batch.num_rows() {
        let mut cells = Vec::new();
        for (index, field) in batch.schema().fields().iter().enumerate() {
            let name = field.name().as_str();
            let ty = schema.column(name).map_or(ScalarType::Long, |column| column.ty);
            let ty = if name == "__ingestion" { ScalarType::DateTime } else { ty };
            let value = cell(batch, index, row, ty);
            if name != "_ItemId" && name != "__source" && !value.is_empty() {
                cells.push(format!("{name}={value}"));
            }
        }
        rows.push(cells);
    }
    rows
}

/// The place and the event name of one row.
pub fn place_of(loaded: &Loaded, table: &str, row: usize) -> (i64, String) {
    let names = column(loaded, table, "EventName");
    let places = column(loaded, table, "__source");
    (places[row].parse().unwrap(), names[row].clone())
}

/// The values of one column, as text.
pub fn column(loaded: &Loaded, table: &str, name: &str) -> Vec<String> {
    let mut values = Vec::new();
    for batch in loaded.tables.get(table).map(Vec::as_slice).unwrap_or_default() {
        let index = batch.schema().index_of(name).unwrap();
        let ty = loaded.schemas[table].column(name).map_or(ScalarType::Long, |column| column.ty);
        values.extend((0..batch.num_rows()).map(|row| cell(batch, index, row, ty)));
    }
    values
}

fn cell(batch: &RecordBatch, column: usize, row: usize, ty: ScalarType) -> String {
    let column = batch.column(column);
    if column.is_null(row) {
        return String::new();
    }
    match column.data_type() {
        DataType::Utf8View => column.as_string_view().value(row).to_owned(),
        DataType::Boolean => column.as_boolean().value(row).to_string(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).to_string(),
        DataType::Int64 if ty == ScalarType::DateTime => {
            datetime::format(column.as_primitive::<Int64Type>().value(row))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            let value = column.as_primitive::<TimestampNanosecondType>().value(row);
            datetime::format(datetime::UNIX_EPOCH + value.div_euclid(100))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            datetime::format(datetime::UNIX_EPOCH + column.as_primitive::<TimestampMicrosecondType>().value(row) * 10)
        }
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        other => panic!("no cell of {other}"),
    }
}

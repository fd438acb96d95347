//! Loaded tables as a folder of Parquet files that later runs read in place.
//!
//! `TABLE.parquet` holds the rows; times are timestamps that other programs read, and the hidden columns keep ids,
//! delivery and places. The manifest keeps the schemas and the account of the sources, so that provenance stays.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, TimestampMicrosecondArray, TimestampNanosecondArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use kql_types::datetime::UNIX_EPOCH;
use kql_types::{Column, ScalarType};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde::{Deserialize, Serialize};
use tables::{INGESTION_COLUMN, TableSchema};

use crate::report::LoadReport;
use crate::{LoadError, Loaded, ParquetFile};

/// The name of the manifest; a folder that has it is a written load.
pub(crate) const MANIFEST: &str = "tidewatch-load.json";
const FORMAT: &str = "tidewatch-load/1";

#[derive(Serialize, Deserialize)]
struct Manifest {
    format: String,
    tables: BTreeMap<String, ManifestTable>,
    report: LoadReport,
}

#[derive(Serialize, Deserialize)]
struct ManifestTable {
    files: Vec<ManifestFile>,
    /// Names and types, in order.
    columns: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
struct ManifestFile {
    name: String,
    rows: u64,
    /// The number of the source that the file itself is; none when it has places of its own.
    source: Option<u32>,
}

/// Writes the tables to a folder, which is made if need be. Files of an earlier load there are replaced.
pub(crate) fn save(loaded: &Loaded, folder: &Path) -> Result<(), LoadError> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| LoadError::Io { path, source }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let mut tables: BTreeMap<String, ManifestTable> = BTreeMap::new();
    for (name, batches) in &loaded.tables {
        let Some(schema) = loaded.schemas.get(name) else { continue };
        let file = format!("{}.parquet", file_name(name));
        write_table(schema, batches, &folder.join(&file))?;
        let rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        let columns = schema.columns.iter().map(|c| (c.name.clone(), c.ty.name().to_owned())).collect();
        tables.insert(
            name.clone(),
            ManifestTable { files: vec![ManifestFile { name: file, rows, source: None }], columns },
        );
    }
    for (index, parquet) in loaded.parquet.iter().enumerate() {
        let file = format!("{}-{index}.parquet", file_name(&parquet.table));
        let target = folder.join(&file);
        fs::copy(&parquet.path, &target).map_err(failed(&parquet.path))?;
        let entry = tables
            .entry(parquet.table.clone())
            .or_insert_with(|| ManifestTable { files: Vec::new(), columns: Vec::new() });
        entry.files.push(ManifestFile { name: file, rows: parquet.rows, source: parquet.source });
    }
    let manifest = Manifest { format: FORMAT.to_owned(), tables, report: loaded.report.clone() };
    let path = folder.join(MANIFEST);
    let text = serde_json::to_string_pretty(&manifest).map_err(|error| LoadError::Bug(error.to_string()))?;
    fs::write(&path, text).map_err(failed(&path))
}

/// Table names come from logs: only what is harmless in a file name stays.
fn file_name(table: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '-' };
    table.chars().take(100).map(plain).collect()
}

/// Reads the manifest of a folder: its tables as files to be read in place, and its account.
pub(crate) fn load(folder: &Path) -> Result<Loaded, LoadError> {
    let path = folder.join(MANIFEST);
    let text = fs::read_to_string(&path).map_err(|source| LoadError::Io { path: path.clone(), source })?;
    let wrong = |reason: String| LoadError::Written { path: folder.to_path_buf(), reason };
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if manifest.format != FORMAT {
        return Err(wrong(format!("format {} where {FORMAT} was expected", manifest.format)));
    }
    let mut loaded = Loaded { report: manifest.report, ..Loaded::default() };
    for (name, table) in manifest.tables {
        for file in table.files {
            let relative = PathBuf::from(&file.name);
            if relative.components().count() != 1 || !folder.join(&relative).is_file() {
                return Err(wrong(format!("no file {}", file.name)));
            }
            let path = folder.join(relative);
            loaded.parquet.push(ParquetFile { table: name.clone(), path, rows: file.rows, source: file.source });
        }
        if !table.columns.is_empty() {
            let column =
                |(name, ty): (String, String)| Column::new(name, ScalarType::parse(&ty).unwrap_or(ScalarType::String));
            let columns = table.columns.into_iter().map(column).collect();
            loaded.schemas.insert(name.clone(), TableSchema::new(name, columns));
        }
    }
    Ok(loaded)
}

fn write_table(schema: &TableSchema, batches: &[RecordBatch], path: &Path) -> Result<(), LoadError> {
    let bug = |error: &dyn std::fmt::Display| LoadError::Bug(format!("{}: {error}", path.display()));
    let layout = tables::arrow_schema(schema);
    let written = written_schema(schema, &layout, batches);
    let file = File::create(path).map_err(|source| LoadError::Io { path: path.to_path_buf(), source })?;
    let level = ZstdLevel::try_new(1).map_err(|error| bug(&error))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(128 << 10))
        .build();
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&written), Some(properties)).map_err(|error| bug(&error))?;
    for batch in batches {
        let columns = batch.columns().iter().zip(written.fields()).map(|(column, field)| as_written(column, field));
        let batch = RecordBatch::try_new(Arc::clone(&written), columns.collect()).map_err(|error| bug(&error))?;
        writer.write(&batch).map_err(|error| bug(&error))?;
    }
    writer.close().map_err(|error| bug(&error))?;
    Ok(())
}

/// The columns as files hold them, with their Kusto types in the metadata.
fn written_schema(schema: &TableSchema, layout: &SchemaRef, batches: &[RecordBatch]) -> SchemaRef {
    let fields: Vec<Field> = layout
        .fields()
        .iter()
        .enumerate()
        .map(|(index, field)| {
            let hidden = if field.name() == INGESTION_COLUMN { ScalarType::DateTime } else { ScalarType::Long };
            let text = if *field.data_type() == DataType::Utf8View { ScalarType::String } else { hidden };
            let ty = schema.column(field.name()).map_or(text, |column| column.ty);
            let data_type = match ty {
                ScalarType::DateTime => DataType::Timestamp(unit_of(index, batches), Some(Arc::from("UTC"))),
                _ => field.data_type().clone(),
            };
            let metadata = [("kql.type".to_owned(), ty.name().to_owned())].into();
            Field::new(field.name(), data_type, field.is_nullable()).with_metadata(metadata)
        })
        .collect();
    Arc::new(Schema::new(fields))
}

/// Nanoseconds hold every tick of the years 1678 to 2262; a column with other times is written in microseconds.
fn unit_of(index: usize, batches: &[RecordBatch]) -> TimeUnit {
    let fits = |ticks: i64| (ticks - UNIX_EPOCH).checked_mul(100).is_some();
    let all = batches.iter().filter_map(|batch| batch.columns().get(index)?.as_primitive_opt::<Int64Type>());
    let mut all = all.flat_map(|column| column.iter().flatten());
    if all.all(fits) { TimeUnit::Nanosecond } else { TimeUnit::Microsecond }
}

fn as_written(column: &ArrayRef, field: &Field) -> ArrayRef {
    let DataType::Timestamp(unit, zone) = field.data_type() else { return Arc::clone(column) };
    let Some(ticks) = column.as_primitive_opt::<Int64Type>() else { return Arc::clone(column) };
    let since = |ticks: &Int64Array, scaled: fn(i64) -> i64| -> Vec<Option<i64>> {
        ticks.iter().map(|value| value.map(|value| scaled(value - UNIX_EPOCH))).collect()
    };
    match unit {
        TimeUnit::Nanosecond => {
            let values = since(ticks, |ticks| ticks.saturating_mul(100));
            Arc::new(TimestampNanosecondArray::from(values).with_timezone_opt(zone.clone()))
        }
        _ => {
            let values = since(ticks, |ticks| ticks.div_euclid(10));
            Arc::new(TimestampMicrosecondArray::from(values).with_timezone_opt(zone.clone()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_names_become_harmless_file_names() {
        assert_eq!(file_name("../../etc/x y"), "------etc-x-y");
        assert_eq!(file_name("AWSCloudTrail"), "AWSCloudTrail");
    }
}

//! Rows found again by their places, in memory and in the files of a load.

use std::collections::BTreeSet;
use std::fs::File;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampNanosecondType};
use arrow::record_batch::RecordBatch;
use kql_types::datetime::UNIX_EPOCH;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowPredicateFn, ParquetRecordBatchReaderBuilder, RowFilter};
use tables::{ITEM_ID_COLUMN, SOURCE_COLUMN};

use crate::{LoadError, Loaded, ParquetFile};

const TIME_COLUMN: &str = "TimeGenerated";

/// What a report says of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRow {
    /// Packed: see `tables::pack_source`.
    pub place: i64,
    pub table: String,
    /// `TimeGenerated`, in ticks.
    pub time: Option<i64>,
    pub item_id: Option<String>,
}

impl Loaded {
    /// The rows at these places, in one pass over the places of the rows of tables that may hold them. Files that are sources themselves are left
    /// out: their rows have no places of their own.
    ///
    /// # Errors
    /// When a file of the load cannot be read.
    pub fn rows_at(&self, places: &BTreeSet<i64>, may_hold: &dyn Fn(&str) -> bool) -> Result<Vec<FoundRow>, LoadError> {
        let mut found = Vec::new();
        if places.is_empty() {
            return Ok(found);
        }
        for (table, batches) in self.tables.iter().filter(|(table, _)| may_hold(table)) {
            for batch in batches {
                collect(table, batch, places, &mut found);
            }
        }
        for file in self.parquet.iter().filter(|file| file.source.is_none() && may_hold(&file.table)) {
            in_file(file, places, &mut found)?;
        }
        Ok(found)
    }
}

fn in_file(file: &ParquetFile, places: &BTreeSet<i64>, found: &mut Vec<FoundRow>) -> Result<(), LoadError> {
    let opened = File::open(&file.path).map_err(|source| LoadError::Io { path: file.path.clone(), source })?;
    let damaged =
        |error: &dyn std::error::Error| LoadError::Written { path: file.path.clone(), reason: error.to_string() };
    let reader = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(|error| damaged(&error))?;
    let schema = reader.parquet_schema();
    let wanted = ProjectionMask::columns(schema, [TIME_COLUMN, ITEM_ID_COLUMN, SOURCE_COLUMN]);
    let sources = ProjectionMask::columns(schema, [SOURCE_COLUMN]);
    let places_wanted = places.clone();
    let chosen = ArrowPredicateFn::new(sources, move |batch: RecordBatch| {
        let column = batch.columns().first().and_then(|column| column.as_primitive_opt::<Int64Type>());
        let chosen = column.map(|column| column.iter().map(|place| place.map(|p| places_wanted.contains(&p))));
        Ok(chosen.map_or_else(|| vec![false; batch.num_rows()].into(), |chosen| chosen.collect::<BooleanArray>()))
    });
    let reader = reader.with_projection(wanted).with_row_filter(RowFilter::new(vec![Box::new(chosen)])).build();
    for batch in reader.map_err(|error| damaged(&error))? {
        collect(&file.table, &batch.map_err(|error| damaged(&error))?, places, found);
    }
    Ok(())
}

fn collect(table: &str, batch: &RecordBatch, places: &BTreeSet<i64>, found: &mut Vec<FoundRow>) {
    let Some(sources) = batch.column_by_name(SOURCE_COLUMN).and_then(|c| c.as_primitive_opt::<Int64Type>()) else {
        return;
    };
    let times = batch.column_by_name(TIME_COLUMN);
    let ids = batch.column_by_name(ITEM_ID_COLUMN).and_then(|ids| ids.as_string_view_opt());
    for (row, place) in sources.values().iter().enumerate().filter(|(_, place)| places.contains(place)) {
        found.push(FoundRow {
            place: *place,
            table: table.to_owned(),
            time: times.and_then(|times| ticks(times, row)),
            item_id: ids.filter(|ids| ids.is_valid(row)).map(|ids| ids.value(row).to_owned()),
        });
    }
}

/// Ticks of a time as it lies in memory or in a file.
fn ticks(times: &ArrayRef, row: usize) -> Option<i64> {
    if times.is_null(row) {
        return None;
    }
    match times.data_type() {
        DataType::Int64 => Some(times.as_primitive::<Int64Type>().value(row)),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            Some(UNIX_EPOCH + times.as_primitive::<TimestampNanosecondType>().value(row).div_euclid(100))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            times.as_primitive::<TimestampMicrosecondType>().value(row).checked_mul(10)?.checked_add(UNIX_EPOCH)
        }
        _ => None,
    }
}

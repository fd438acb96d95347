//! From what the connectors loaded to data that queries run on: rows in memory, Parquet files in place, watchlists.
//!
//! The one builder of all commands. Start at [`data_of`].

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, StringViewArray};
use arrow::datatypes::{Field, Int64Type, Schema};
use arrow::record_batch::RecordBatch;
use connectors::Loaded;
use engine::{DataError, DataSet, TableCatalog};
use kql_types::{Column, Dynamic, ScalarType};
use tables::{INGESTION_COLUMN, SchemaSet};

/// Adds what was loaded to data.
///
/// # Errors
/// Rows that do not fit their table, files that cannot be read.
pub fn add_loaded(data: &mut DataSet, loaded: &Loaded, schemas: &SchemaSet) -> Result<(), DataError> {
    for (table, batches) in &loaded.tables {
        let Some(schema) = loaded.schemas.get(table).or_else(|| schemas.get(table)) else { continue };
        data.add_batches(table, tables::columns_in_memory(&schema.columns), batches.clone())?;
    }
    for file in &loaded.parquet {
        match file.source {
            Some(source) => data.add_parquet_source(&file.table, &file.path, source)?,
            None => data.add_parquet(&file.table, &file.path)?,
        }
    }
    Ok(())
}

/// Data of one load.
///
/// # Errors
/// See [`add_loaded`].
pub fn data_of(loaded: &Loaded, schemas: &SchemaSet) -> Result<DataSet, DataError> {
    let mut data = DataSet::new();
    add_loaded(&mut data, loaded, schemas)?;
    Ok(data)
}

/// The same rows, arrived so many ticks after their `TimeGenerated`.
pub(crate) fn arriving(mut loaded: Loaded, after: i64) -> Loaded {
    for batches in loaded.tables.values_mut() {
        for batch in batches {
            if let Some(moved) = arriving_batch(batch, after) {
                *batch = moved;
            }
        }
    }
    loaded
}

fn arriving_batch(batch: &RecordBatch, after: i64) -> Option<RecordBatch> {
    let (place, _) = batch.schema_ref().column_with_name(INGESTION_COLUMN)?;
    let times = batch.column_by_name("TimeGenerated")?.as_primitive_opt::<Int64Type>()?;
    let arrived: Int64Array = times.iter().map(|time| time.map(|time| time.saturating_add(after))).collect();
    let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
    *columns.get_mut(place)? = Arc::new(arrived);
    RecordBatch::try_new(batch.schema(), columns).ok()
}

/// The name under which the rows of a watchlist lie in the data.
pub fn watchlist_table(watchlist: &str) -> String {
    format!("_GetWatchlist({watchlist})")
}

/// Adds a watchlist: its columns and its rows, a text for each column.
///
/// # Errors
/// A watchlist of this name with other columns is there already.
pub fn add_watchlist(
    catalog: TableCatalog,
    data: &mut DataSet,
    name: &str,
    headers: &[String],
    rows: &[Vec<String>],
) -> Result<TableCatalog, String> {
    let (columns, batch) = watchlist_batch(headers, rows)?;
    data.add_batches(&watchlist_table(name), columns, vec![batch]).map_err(|e| e.to_string())?;
    Ok(catalog.with_watchlist(name, headers.to_vec()))
}

/// `_DTItemId`, `LastUpdatedTimeUTC`, `SearchKey`, `WatchlistItem`, then the watchlist's own columns. The search key is the
/// column of that name, else the first.
fn watchlist_batch(headers: &[String], rows: &[Vec<String>]) -> Result<(Vec<Column>, RecordBatch), String> {
    let key = headers.iter().position(|header| header == "SearchKey").unwrap_or(0);
    let cell = |row: &Vec<String>, index: usize| row.get(index).cloned().unwrap_or_default();
    let strings = |values: Vec<String>| -> ArrayRef { Arc::new(StringViewArray::from_iter_values(values)) };
    let items = rows.iter().map(|row| {
        let entries = headers.iter().zip(row).map(|(name, value)| (name.clone(), Dynamic::String(value.clone())));
        Dynamic::Bag(entries.collect()).to_canonical()
    });
    let mut columns = vec![
        Column::new("_DTItemId", ScalarType::String),
        Column::new("LastUpdatedTimeUTC", ScalarType::DateTime),
        Column::new("SearchKey", ScalarType::String),
        Column::new("WatchlistItem", ScalarType::Dynamic),
    ];
    let mut arrays: Vec<ArrayRef> = vec![
        strings((0..rows.len()).map(|index| index.to_string()).collect()),
        Arc::new(Int64Array::from(vec![None; rows.len()])),
        strings(rows.iter().map(|row| cell(row, key)).collect()),
        strings(items.collect()),
    ];
    for (index, header) in headers.iter().enumerate() {
        if !columns.iter().any(|column| column.name == *header) {
            columns.push(Column::new(header, ScalarType::String));
            arrays.push(strings(rows.iter().map(|row| cell(row, index)).collect()));
        }
    }
    let fields: Vec<Field> = columns
        .iter()
        .map(|column| Field::new(&column.name, tables::arrow_type(column.ty), column.ty != ScalarType::String))
        .collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|e| e.to_string())?;
    Ok((columns, batch))
}

#[cfg(test)]
mod tests {
    use arrow::array::Array;

    use super::*;

    #[test]
    fn rows_of_a_watchlist_have_the_common_columns_and_their_own() {
        let headers = ["ImageId", "Owner"].map(str::to_string);
        let rows = vec![vec!["ami-1".to_string(), "me".to_string()], vec!["ami-2".to_string(), String::new()]];
        let (columns, batch) = watchlist_batch(&headers, &rows).unwrap();
        let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["_DTItemId", "LastUpdatedTimeUTC", "SearchKey", "WatchlistItem", "ImageId", "Owner"]);
        assert_eq!(batch.num_rows(), 2);
        assert!(!batch.column(1).is_valid(0));
    }
}

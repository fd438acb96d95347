//! Watchlists from CSV files: each row with its own columns, and the ones every watchlist has.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use arrow::array::{ArrayRef, Int64Array, StringViewArray};
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;
use engine::{DataSet, TableCatalog};
use kql_types::{Column, Dynamic, ScalarType};

use crate::exit::Failure;

/// The name under which the rows of a watchlist lie in the data.
pub fn table_name(watchlist: &str) -> String {
    format!("_GetWatchlist({watchlist})")
}

/// Reads a CSV file as the watchlist of its name.
///
/// # Errors
/// A file that cannot be read or is not CSV.
pub fn add(catalog: TableCatalog, data: &mut DataSet, file: &Path) -> Result<TableCatalog> {
    let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let bytes = std::fs::read(file).map_err(|e| Failure::input(format!("{}: {e}", file.display())))?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let (headers, rows) = read_csv(text).map_err(|e| Failure::input(format!("{}: {e}", file.display())))?;
    let (columns, batch) = batch_of(&headers, &rows)?;
    data.add_batches(&table_name(&name), columns, vec![batch]).map_err(|e| Failure::input(e.to_string()))?;
    Ok(catalog.with_watchlist(name, headers))
}

fn read_csv(text: &str) -> Result<(Vec<String>, Vec<Vec<String>>), csv::Error> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::Headers).from_reader(text.as_bytes());
    let headers: Vec<String> = reader.headers()?.iter().map(str::to_string).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        rows.push((0..headers.len()).map(|i| record.get(i).unwrap_or_default().to_string()).collect());
    }
    Ok((headers, rows))
}

/// `_DTItemId`, `LastUpdatedTimeUTC`, `SearchKey`, `WatchlistItem`, then the file's own columns. The search key is the
/// column of that name, else the first.
fn batch_of(headers: &[String], rows: &[Vec<String>]) -> Result<(Vec<Column>, RecordBatch)> {
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
    Ok((columns, RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_the_common_columns_and_their_own() {
        let (headers, rows) = read_csv("ImageId, Owner\nami-1,me\nami-2\n").unwrap();
        let (columns, batch) = batch_of(&headers, &rows).unwrap();
        let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["_DTItemId", "LastUpdatedTimeUTC", "SearchKey", "WatchlistItem", "ImageId", "Owner"]);
        assert_eq!(batch.num_rows(), 2);
    }
}

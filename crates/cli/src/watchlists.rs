//! Watchlists from CSV files: each is named as its file. Those of the built-in rules are there where the user gives none.

use std::path::Path;

use anyhow::Result;
use detections::loaded_data;
use engine::{DataSet, TableCatalog};

use crate::builtin;
use crate::exit::Failure;

/// Reads a CSV file as the watchlist of its name.
///
/// # Errors
/// A file that cannot be read or is not CSV.
pub fn add(catalog: TableCatalog, data: &mut DataSet, file: &Path) -> Result<TableCatalog> {
    let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let unreadable = |reason: String| Failure::input(format!("{}: {reason}", file.display()));
    let bytes = std::fs::read(file).map_err(|e| unreadable(e.to_string()))?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let (headers, rows) = read_csv(text).map_err(|e| unreadable(e.to_string()))?;
    loaded_data::add_watchlist(catalog, data, &name, &headers, &rows).map_err(unreadable)
}

/// Adds the watchlists of the built-in rules that are not there yet.
///
/// # Errors
/// A text that is not CSV: never, as a test reads them all.
pub fn add_built_in(mut catalog: TableCatalog, data: &mut DataSet) -> Result<TableCatalog> {
    for (name, text) in builtin::watchlists() {
        if data.columns(&loaded_data::watchlist_table(name)).is_none() {
            let (headers, rows) = read_csv(text).map_err(|e| Failure::input(format!("{name}: {e}")))?;
            catalog = loaded_data::add_watchlist(catalog, data, name, &headers, &rows).map_err(Failure::input)?;
        }
    }
    Ok(catalog)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_watchlists_are_csv_with_a_key() {
        for (name, text) in builtin::watchlists() {
            let (headers, _) = read_csv(text).unwrap();
            assert_eq!(headers.first().map(String::as_str), Some("SearchKey"), "{name}");
        }
    }

    #[test]
    fn short_rows_are_filled_up() {
        let (headers, rows) = read_csv("ImageId, Owner\nami-1,me\nami-2\n").unwrap();
        assert_eq!(headers, ["ImageId", "Owner"]);
        assert_eq!(rows[1], ["ami-2", ""]);
    }
}

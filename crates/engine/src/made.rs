//! Made-up data in which a query finds something: what [`witness::Rows`] says, as tables and files of a run.
//!
//! Begin at [`Engine::with_witnesses`].

use std::io;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::error::DataFusionError;
use kql_semantics::bound::BoundQuery;
use kql_types::{Column, ScalarType, Value};
use scan::{DataError, DataSet};
use witness::{Outside, OutsideSource, Rows};

use crate::{Engine, ExternalFiles};

impl Engine {
    /// The same names over rows made for the query: its tables, its watchlists, and, written into `folder`, the files
    /// that stand for the addresses of its `externaldata`. What the query is to find is up to [`Rows::of`].
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn with_witnesses(&self, bound: &BoundQuery, rows: &Rows, folder: &Path) -> Result<Engine, DataError> {
        let mut data = DataSet::new();
        for used in &bound.tables {
            let Some(info) = self.catalog().table(&used.name) else { continue };
            let wanted = |column: &&Column| {
                (used.columns.contains(&column.name) || column.name == "TimeGenerated")
                    && column.ty != ScalarType::Unknown
            };
            let columns = info.columns.iter().filter(wanted).cloned().collect();
            add(&mut data, &used.name, columns, rows)?;
        }
        for outside in rows.outside() {
            match &outside.source {
                OutsideSource::Host => add(&mut data, &outside.name, outside.columns.clone(), rows)?,
                OutsideSource::External { addresses, options } => {
                    write(outside, addresses, options, rows, folder).map_err(|error| DataError(error.to_string()))?;
                }
            }
        }
        Ok(self.with_data(Arc::new(data)).with_external(ExternalFiles::new().with_folder(folder)))
    }
}

fn add(data: &mut DataSet, table: &str, columns: Vec<Column>, rows: &Rows) -> Result<(), DataError> {
    if columns.is_empty() {
        return Ok(());
    }
    let array = |column: &Column| -> Result<(String, ArrayRef), DataFusionError> {
        let values = rows.column(table, column);
        let values: Vec<&Value> = values.iter().collect();
        Ok((column.name.clone(), kql_plan::value::array(column.ty, &values)?))
    };
    let mut columns = columns;
    let arrays: Result<Vec<_>, _> = columns.iter().map(array).collect();
    let mut arrays = arrays.map_err(|error| DataError(error.to_string()))?;
    let ingestion = array(&Column::new(witness::INGESTION_TIME, ScalarType::DateTime));
    let (_, ingestion) = ingestion.map_err(|error| DataError(error.to_string()))?;
    columns.push(Column::new(tables::INGESTION_COLUMN, ScalarType::DateTime));
    arrays.push((tables::INGESTION_COLUMN.to_string(), ingestion));
    let batch = RecordBatch::try_from_iter(arrays).map_err(|error| DataError(error.to_string()))?;
    data.add_batches(table, columns, vec![batch])
}

/// Writes the file for each address, in the format that the query expects of it.
fn write(
    outside: &Outside,
    addresses: &[String],
    options: &[(String, Value)],
    rows: &Rows,
    folder: &Path,
) -> io::Result<()> {
    let option =
        |name: &str| options.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone());
    let json = matches!(option("format"), Some(Value::String(format)) if format.contains("json"));
    let headed = matches!(option("ignoreFirstRecord"), Some(Value::Bool(true)));
    let columns: Vec<Vec<Value>> = outside.columns.iter().map(|column| rows.column(&outside.name, column)).collect();
    let mut text = String::new();
    if headed {
        text.push_str(&outside.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(","));
        text.push('\n');
    }
    for row in 0..columns.first().map_or(0, Vec::len) {
        let cells = columns.iter().filter_map(|values| values.get(row)).map(witness::text_of);
        let cells: Vec<String> = cells.collect();
        text.push_str(&if json { json_line(outside, cells) } else { csv_line(&cells) });
        text.push('\n');
    }
    for place in addresses.iter().filter_map(|address| ExternalFiles::place(address)) {
        let path = folder.join(place);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        if !path.exists() {
            std::fs::write(&path, &text)?;
        }
    }
    Ok(())
}

fn csv_line(cells: &[String]) -> String {
    let quoted = |text: &String| match text.contains([',', '"', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.clone(),
    };
    cells.iter().map(quoted).collect::<Vec<_>>().join(",")
}

fn json_line(outside: &Outside, cells: Vec<String>) -> String {
    let entries = outside.columns.iter().zip(cells);
    let entries = entries.map(|(column, cell)| (column.name.clone(), serde_json::Value::String(cell)));
    serde_json::Value::Object(entries.collect()).to_string()
}

//! Parquet files that are read in place: which table each holds, how many rows, when.
//!
//! Only the footer is read here. The table is the one the file or its folder is named after, else the one whose columns
//! the file has.

use std::fs::File;
use std::path::Path;

use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use crate::sources::Maps;
use crate::sources::exported::names_in_path;

/// What a footer says.
#[derive(Debug)]
pub(crate) struct Footer {
    pub(crate) rows: u64,
    /// None when no table fits.
    pub(crate) table: Option<String>,
}

/// Reads the footer of a file; the reason when it is damaged.
pub(crate) fn footer(path: &Path, name: &str, maps: &Maps) -> Result<Footer, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    // The reader may panic on damaged bytes; that must stay this file's matter.
    let read = std::panic::catch_unwind(|| ParquetMetaDataReader::new().parse_and_finish(&file));
    let metadata = match read {
        Ok(Ok(metadata)) => metadata,
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err("the file is damaged".to_owned()),
    };
    let rows = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or_default();
    Ok(Footer { rows, table: table_of(&metadata, name, maps) })
}

fn table_of(metadata: &ParquetMetaData, path: &str, maps: &Maps) -> Option<String> {
    let schema = metadata.file_metadata().schema();
    let columns: Vec<&str> = schema.get_fields().iter().map(|field| field.name()).collect();
    let has_time = columns.contains(&"TimeGenerated");
    for name in names_in_path(path) {
        if let Some(spec) = maps.table(&name)
            && columns.iter().any(|column| spec.column(column).is_some())
        {
            return Some(name);
        }
        if name.ends_with("_CL") && has_time {
            return Some(name);
        }
    }
    maps.recognise(&columns).map(|spec| spec.name().to_owned())
}

//! Results of a query in every form a user can ask for.

mod chart;
mod kusto;
mod parquet;
mod table;
mod text;

use std::io::Write;

use anyhow::Result;
use engine::{EngineError, ResultTable};

use crate::args::QueryFormat;

pub use chart::render as chart;
pub use kusto::error_body;
pub use text::without_formula;

/// Writes the results. Several results of one query: one after the other; forms that hold a single table take the
/// first.
pub fn write(tables: &[ResultTable], format: QueryFormat, out: &mut dyn Write) -> Result<()> {
    match format {
        QueryFormat::Table => table::write(tables, out),
        QueryFormat::Json => text::write_json(tables, out),
        QueryFormat::Ndjson => text::write_ndjson(tables, out),
        QueryFormat::Csv => text::write_csv(tables, out),
        QueryFormat::Parquet => parquet::write(tables, out),
        QueryFormat::Kusto => kusto::write(tables, out),
    }
}

/// One line for an error that is not a diagnostic.
pub fn error_line(error: &EngineError) -> String {
    error.to_string()
}

//! Known tables as data: schemas, aliases, which tables are reference data, and the Arrow layout of their rows.
//!
//! Knows no sources: connectors fill these tables, the binder and the scan read them.

use kql_types::{Column, ScalarType};

/// How a run's window treats a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableRole {
    /// Clipped to the window on `TimeGenerated`.
    Events,
    /// Identities, watchlists, indicators: visible in every window unless fidelity is asked for.
    Reference,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TableSchema {
    pub name: String,
    /// In the order `getschema` prints, hidden ones (`_ItemId`, `_ResourceId`, ...) at the end.
    pub columns: Vec<Column>,
    pub role: TableRole,
    /// (alias, column): spellings that published rules use and the real table does not have.
    pub aliases: Vec<(String, String)>,
}

/// Hidden column with the packed place of the record a row came from: `source << 40 | record`, where `source` indexes
/// the list of sources (a file or an archive member) and `record` counts from 0 within it. Int64, never null.
pub const SOURCE_COLUMN: &str = "__source";
/// Hidden column with the ingestion time in ticks. Int64, null when unknown.
pub const INGESTION_COLUMN: &str = "__ingestion";
/// Visible hidden id of a row: GUID text derived from content and place.
pub const ITEM_ID_COLUMN: &str = "_ItemId";

/// Packs a place into the value of [`SOURCE_COLUMN`].
pub fn pack_source(source: u32, record: u64) -> i64 {
    (i64::from(source) << 40) | (record.min((1 << 40) - 1) as i64)
}

/// The inverse of [`pack_source`].
pub fn unpack_source(packed: i64) -> (u32, u64) {
    ((packed >> 40) as u32, (packed & ((1 << 40) - 1)) as u64)
}

/// The Arrow type of a Kusto type in rows held in memory (see `kql_types::ScalarType`).
pub fn arrow_type(ty: ScalarType) -> arrow::datatypes::DataType {
    use arrow::datatypes::DataType;
    match ty {
        ScalarType::Bool => DataType::Boolean,
        ScalarType::Int => DataType::Int32,
        ScalarType::Long | ScalarType::DateTime | ScalarType::TimeSpan => DataType::Int64,
        ScalarType::Real => DataType::Float64,
        ScalarType::Decimal => DataType::Decimal256(76, 38),
        ScalarType::Guid | ScalarType::String | ScalarType::Dynamic | ScalarType::Unknown => DataType::Utf8View,
    }
}

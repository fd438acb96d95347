//! The Arrow layout of a table's rows in memory, and the hidden columns every row carries.
//!
//! Rows hold all columns of the schema in order, then `_ItemId` (unless the schema has it), `__ingestion`, `__source`.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use kql_types::{Column, ScalarType};

use crate::TableSchema;

/// Hidden column with the packed place of the record a row came from: `source << 40 | record`, where `source` indexes
/// the list of sources (a file or an archive member) and `record` counts from 0 within it. Int64, never null.
pub const SOURCE_COLUMN: &str = "__source";
/// Hidden column with the ingestion time in ticks. Int64, null when unknown.
pub const INGESTION_COLUMN: &str = "__ingestion";
/// Visible hidden id of a row: GUID text derived from content and place.
pub const ITEM_ID_COLUMN: &str = "_ItemId";

const RECORD_BITS: u32 = 40;
const RECORD_MAX: u64 = (1 << RECORD_BITS) - 1;

/// Packs a place into the value of [`SOURCE_COLUMN`].
pub fn pack_source(source: u32, record: u64) -> i64 {
    (i64::from(source) << RECORD_BITS) | (record.min(RECORD_MAX) as i64)
}

/// The inverse of [`pack_source`].
pub fn unpack_source(packed: i64) -> (u32, u64) {
    ((packed >> RECORD_BITS) as u32, (packed as u64) & RECORD_MAX)
}

/// The Arrow type of a Kusto type in rows held in memory (see `kql_types::ScalarType`).
pub fn arrow_type(ty: ScalarType) -> DataType {
    match ty {
        ScalarType::Bool => DataType::Boolean,
        ScalarType::Int => DataType::Int32,
        ScalarType::Long | ScalarType::DateTime | ScalarType::TimeSpan => DataType::Int64,
        ScalarType::Real => DataType::Float64,
        ScalarType::Decimal => DataType::Decimal256(76, 38),
        ScalarType::Guid | ScalarType::String | ScalarType::Dynamic | ScalarType::Unknown => DataType::Utf8View,
    }
}

/// The columns of rows of a table in memory: those of its schema, then the hidden ones it lacks.
pub fn columns_in_memory(columns: &[Column]) -> Vec<Column> {
    let mut all = columns.to_vec();
    if !all.iter().any(|column| column.name == ITEM_ID_COLUMN) {
        all.push(Column::new(ITEM_ID_COLUMN, ScalarType::String));
    }
    all.push(Column::new(INGESTION_COLUMN, ScalarType::DateTime));
    all.push(Column::new(SOURCE_COLUMN, ScalarType::Long));
    all
}

/// The Arrow schema of rows of this table in memory: see [`columns_in_memory`].
/// Strings and places are not nullable, everything else is.
pub fn arrow_schema(table: &TableSchema) -> SchemaRef {
    let field = |column: Column| {
        let nullable = column.ty != ScalarType::String && column.name != SOURCE_COLUMN;
        Field::new(&column.name, arrow_type(column.ty), nullable)
    };
    Arc::new(Schema::new(columns_in_memory(&table.columns).into_iter().map(field).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_survive_packing() {
        for place in [(0, 0), (7, 12), (u32::MAX >> 9, (1 << 40) - 1)] {
            assert_eq!(unpack_source(pack_source(place.0, place.1)), place);
        }
    }

    #[test]
    fn hidden_columns_close_the_row() {
        let table =
            TableSchema::new("T_CL", vec![Column::new("A", ScalarType::String), Column::new("B", ScalarType::Real)]);
        let schema = arrow_schema(&table);
        let names: Vec<_> = schema.fields().iter().map(|f| (f.name().as_str(), f.is_nullable())).collect();
        assert_eq!(names, [("A", false), ("B", true), ("_ItemId", false), ("__ingestion", true), ("__source", false)]);
    }
}

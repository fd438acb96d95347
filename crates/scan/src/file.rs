//! [`FilePart`]: one Parquet file of a table, opened once: its columns as Kusto types, its footer, its span of times.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use datafusion::parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use datafusion::parquet::arrow::parquet_to_arrow_schema;
use datafusion::parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use kql_types::{Column, ScalarType};

use crate::DataError;
use crate::layout::ticks_of;

/// A Parquet file that can be read in place.
#[derive(Debug, Clone)]
pub(crate) struct FilePart {
    pub(crate) table: String,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) rows: u64,
    /// Visible columns with their Kusto types.
    pub(crate) columns: Vec<Column>,
    /// The file's columns as they are asked of the reader: strings as views.
    pub(crate) schema: SchemaRef,
    pub(crate) metadata: Arc<ParquetMetaData>,
    /// What the file is called in packed places, when it is itself a source of records.
    pub(crate) source: Option<u32>,
}

impl FilePart {
    pub(crate) fn open(table: &str, path: &Path, source: Option<u32>) -> Result<FilePart, DataError> {
        let fail = |error: &dyn std::fmt::Display| DataError(format!("{}: {error}", path.display()));
        let file = File::open(path).map_err(|error| fail(&error))?;
        let bytes = file.metadata().map_err(|error| fail(&error))?.len();
        // A damaged file must be an error of that file, whatever the reader does with it.
        let read = std::panic::catch_unwind(|| {
            ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Optional).parse_and_finish(&file)
        });
        let metadata = match read {
            Ok(Ok(metadata)) => metadata,
            Ok(Err(error)) => return Err(fail(&error)),
            Err(_) => return Err(fail(&"the file is damaged")),
        };
        let described = metadata.file_metadata();
        let schema = parquet_to_arrow_schema(described.schema_descr(), described.key_value_metadata())
            .map_err(|error| fail(&error))?;
        let rows = u64::try_from(described.num_rows()).unwrap_or(0);
        let loaded = schema.column_with_name(tables::SOURCE_COLUMN).is_some();
        let ty = |field: &Field| written_type(field).filter(|_| loaded).unwrap_or_else(|| kusto_type(field));
        let columns = schema.fields().iter().map(|field| Column::new(field.name(), ty(field))).collect();
        let schema = Arc::new(as_read(&schema));
        let (table, path, metadata) = (table.to_owned(), path.to_owned(), Arc::new(metadata));
        Ok(FilePart { table, path, bytes, rows, columns, schema, metadata, source })
    }

    /// For each row group: its rows, those of them without a value, and the least and greatest ticks of a time column.
    pub(crate) fn group_times(&self, column: &str) -> Option<Vec<GroupTimes>> {
        let field = self.schema.field_with_name(column).ok()?;
        let DataType::Timestamp(unit, _) = field.data_type() else { return None };
        let parquet = self.metadata.file_metadata().schema_descr();
        let converter = StatisticsConverter::try_new(column, &self.schema, parquet).ok()?;
        let groups = self.metadata.row_groups();
        let least = ticks_of(&converter.row_group_mins(groups.iter()).ok()?, *unit).ok()?;
        let most = ticks_of(&converter.row_group_maxes(groups.iter()).ok()?, *unit).ok()?;
        let nulls = converter.row_group_null_counts(groups.iter()).ok()?;
        let ends = least.iter().zip(most.iter()).zip(nulls.iter()).zip(groups);
        ends.map(|(((least, most), nulls), group)| {
            let rows = u64::try_from(group.num_rows()).ok()?;
            Some(GroupTimes { rows, nulls: nulls?, least: least?, most: most? })
        })
        .collect()
    }

    /// The least and greatest ticks of a time column, when the footer knows them for all rows that have a time.
    pub(crate) fn span(&self, column: &str) -> Option<(i64, i64)> {
        let field = self.schema.field_with_name(column).ok()?;
        let parquet = self.metadata.file_metadata().schema_descr();
        let converter = StatisticsConverter::try_new(column, &self.schema, parquet).ok()?;
        let groups = self.metadata.row_groups();
        let least = converter.row_group_mins(groups.iter()).ok()?;
        let most = converter.row_group_maxes(groups.iter()).ok()?;
        let DataType::Timestamp(unit, _) = field.data_type() else { return None };
        let ends = |array: &datafusion::arrow::array::ArrayRef| -> Option<Vec<i64>> {
            let ticks = ticks_of(array, *unit).ok()?;
            ticks.iter().collect::<Option<Vec<i64>>>()
        };
        Some((ends(&least)?.into_iter().min()?, ends(&most)?.into_iter().max()?))
    }
}

/// The Kusto type that the loader noted when it wrote the column: text may be dynamic, numbers may be lengths of time.
fn written_type(field: &Field) -> Option<ScalarType> {
    let ty = ScalarType::parse(field.metadata().get("kql.type")?)?;
    let fits = match field.data_type() {
        DataType::Timestamp(_, _) => ty == ScalarType::DateTime,
        DataType::Utf8 | DataType::LargeUtf8 => tables::arrow_type(ty) == DataType::Utf8View,
        data_type => *data_type == tables::arrow_type(ty),
    };
    fits.then_some(ty)
}

/// What a footer says of the times in a row group.
pub(crate) struct GroupTimes {
    pub(crate) rows: u64,
    pub(crate) nulls: u64,
    pub(crate) least: i64,
    pub(crate) most: i64,
}

/// The Kusto type that a column of a file has.
pub(crate) fn kusto_type(field: &Field) -> ScalarType {
    match field.data_type() {
        DataType::Boolean => ScalarType::Bool,
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => ScalarType::Int,
        DataType::UInt32 | DataType::Int64 | DataType::UInt64 => ScalarType::Long,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => ScalarType::Real,
        DataType::Decimal32(_, _)
        | DataType::Decimal64(_, _)
        | DataType::Decimal128(_, _)
        | DataType::Decimal256(_, _) => ScalarType::Decimal,
        DataType::Timestamp(_, _) | DataType::Date32 | DataType::Date64 => ScalarType::DateTime,
        DataType::Duration(_) | DataType::Time32(_) | DataType::Time64(_) => ScalarType::TimeSpan,
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(_, _)
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::Struct(_)
        | DataType::Map(_, _) => ScalarType::Dynamic,
        DataType::Dictionary(_, value) => kusto_type(&Field::new("value", value.as_ref().clone(), true)),
        _ => ScalarType::String,
    }
}

/// The schema that the reader is asked for: text of any kind as views, which need no copy later.
fn as_read(schema: &Schema) -> Schema {
    let fields: Fields = schema
        .fields()
        .iter()
        .map(|field| {
            let ty = match field.data_type() {
                DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
                DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
                other => other.clone(),
            };
            Field::new(field.name(), ty, true)
        })
        .collect();
    Schema::new(fields)
}

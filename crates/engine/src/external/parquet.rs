//! The rows of a Parquet file as the columns that `externaldata` declares: by name, a column that the file lacks is null.

use std::path::Path;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use kql_functions::kernels::tabular::convert::ColumnBuilder;
use kql_semantics::bound::BoundColumn;

use crate::EngineError;

/// Reads all rows. Values become the declared types by way of their text, as those of the text formats do.
///
/// # Errors
/// A file that is not Parquet; a column of lists, structures or bytes.
pub(super) fn read(bytes: Vec<u8>, columns: &[BoundColumn], file: &Path) -> Result<RecordBatch, EngineError> {
    let unreadable = |error: &dyn std::fmt::Display| EngineError::Data(format!("{}: {error}", file.display()));
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes))
        .and_then(ParquetRecordBatchReaderBuilder::build)
        .map_err(|error| unreadable(&error))?;
    let mut builders: Vec<ColumnBuilder> = columns.iter().map(|column| ColumnBuilder::new(column.ty, 0)).collect();
    let mut rows = 0;
    for batch in reader {
        let batch = batch.map_err(|error| unreadable(&error))?;
        rows += batch.num_rows();
        for (builder, column) in builders.iter_mut().zip(columns) {
            let Some(values) = batch.column_by_name(&column.name) else {
                (0..batch.num_rows()).for_each(|_| builder.append_missing());
                continue;
            };
            if values.data_type().is_nested() || matches!(values.data_type(), DataType::Binary | DataType::LargeBinary)
            {
                let name = format!("externaldata of a Parquet column of type {}", values.data_type());
                return Err(EngineError::Unsupported { name, span: None });
            }
            let texts = cast(values, &DataType::Utf8View).map_err(|error| unreadable(&error))?;
            let texts = texts.as_string_view();
            for row in 0..texts.len() {
                if texts.is_valid(row) {
                    builder.append_text(texts.value(row));
                } else {
                    builder.append_missing();
                }
            }
        }
    }
    super::read::batch_of(columns, builders, rows)
}

//! Parquet files that hold no table's rows, and those inside archives: their rows as records.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::json::writer::{LineDelimited, WriterBuilder};
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::reader::ChunkReader;
use std::sync::Arc;

use super::{Blocks, is_capture, push_body};

/// Rows decoded at a time: few, for a dictionary can make every one of them large.
const ROWS: usize = 16;

pub(super) struct Groups {
    reader: ParquetRecordBatchReader,
    capture: bool,
}

impl Groups {
    pub(super) fn open(file: impl ChunkReader + 'static) -> Result<Groups, String> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
        let capture = is_capture(builder.schema().fields().iter().map(|field| field.name().as_str()));
        let reader = builder.with_batch_size(ROWS).build().map_err(|error| error.to_string())?;
        Ok(Groups { reader, capture })
    }
}

impl Blocks for Groups {
    fn next(&mut self, out: &mut Vec<u8>) -> Result<bool, String> {
        let Some(batch) = self.reader.next() else { return Ok(false) };
        let batch = texts(&batch.map_err(|error| error.to_string())?)?;
        if self.capture
            && let Some(bodies) = batch.column_by_name("Body").and_then(|bodies| bodies.as_string_opt::<i32>())
        {
            for body in bodies.iter().flatten() {
                push_body(body.as_bytes(), out);
            }
            return Ok(true);
        }
        let mut writer = WriterBuilder::new().build::<_, LineDelimited>(&mut *out);
        writer.write(&batch).and_then(|()| writer.finish()).map_err(|error| error.to_string())?;
        Ok(true)
    }
}

/// Columns of bytes as texts: writers without a type for texts leave it out.
fn texts(batch: &RecordBatch) -> Result<RecordBatch, String> {
    let as_text = |column: &ArrayRef| -> Result<ArrayRef, String> {
        match column.data_type() {
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
                cast(column, &DataType::Utf8).map_err(|error| error.to_string())
            }
            _ => Ok(Arc::clone(column)),
        }
    };
    let columns = batch.columns().iter().map(as_text).collect::<Result<Vec<ArrayRef>, String>>()?;
    let schema = batch.schema();
    let fields = schema.fields().iter().zip(&columns);
    let fields = fields.map(|(field, column)| Field::new(field.name(), column.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<Field>>()));
    RecordBatch::try_new(schema, columns).map_err(|error| error.to_string())
}

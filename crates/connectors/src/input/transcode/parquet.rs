//! Parquet files that hold no table's rows, and those inside archives: their rows as records.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::json::writer::{LineDelimited, WriterBuilder};
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::file::reader::ChunkReader;
use std::sync::Arc;

use super::{Blocks, is_capture, push_body};

/// Rows decoded at a time: few, for a dictionary can make every one of them large.
const ROWS: usize = 16;

/// Text of rows that are written together.
const TEXT_MAX: usize = 4 << 20;

pub(super) struct Groups {
    reader: ParquetRecordBatchReader,
    capture: bool,
    /// Of the last batch: rows that are not yet given.
    left: Option<RecordBatch>,
}

impl Groups {
    pub(super) fn open(file: impl ChunkReader + 'static) -> Result<Groups, String> {
        let metadata =
            ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(|error| error.to_string())?;
        let capture = is_capture(metadata.schema().fields().iter().map(|field| field.name().as_str()));
        let metadata = with_views(&metadata).unwrap_or(metadata);
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
        let reader = builder.with_batch_size(ROWS).build().map_err(|error| error.to_string())?;
        Ok(Groups { reader, capture, left: None })
    }

    /// Rows that are next: all of a batch, one by one where they are large.
    fn rows(&mut self) -> Result<Option<RecordBatch>, String> {
        let batch = match self.left.take() {
            Some(left) => left,
            None => match self.reader.next() {
                Some(batch) => batch.map_err(|error| error.to_string())?,
                None => return Ok(None),
            },
        };
        let text: usize = batch.columns().iter().map(text_bytes).sum();
        let count = if text > TEXT_MAX { 1 } else { batch.num_rows() };
        if count < batch.num_rows() {
            self.left = Some(batch.slice(count, batch.num_rows() - count));
        }
        Ok(Some(batch.slice(0, count)))
    }
}

/// Texts as views of the page that they lie in: rows that show one value of a dictionary share it.
fn with_views(metadata: &ArrowReaderMetadata) -> Option<ArrowReaderMetadata> {
    let fields: Vec<Field> = metadata.schema().fields().iter().map(|field| view(field)).collect();
    let schema = Schema::new_with_metadata(fields, metadata.schema().metadata().clone());
    let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
    ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options).ok()
}

fn view(field: &Field) -> Field {
    let ty = match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| view(field)).collect()),
        DataType::List(item) => DataType::List(Arc::new(view(item))),
        other => other.clone(),
    };
    field.clone().with_data_type(ty)
}

/// About the bytes that a column's values take as text.
fn text_bytes(column: &ArrayRef) -> usize {
    let views = |views: &[u128]| views.iter().map(|view| *view as u32 as usize).sum();
    match column.data_type() {
        DataType::Utf8View => views(column.as_string_view().views()),
        DataType::BinaryView => views(column.as_binary_view().views()),
        DataType::Struct(_) => column.as_struct().columns().iter().map(text_bytes).sum(),
        DataType::List(_) => text_bytes(column.as_list::<i32>().values()),
        _ => column.get_array_memory_size(),
    }
}

impl Blocks for Groups {
    fn next(&mut self, out: &mut Vec<u8>) -> Result<bool, String> {
        let Some(batch) = self.rows()? else { return Ok(false) };
        let batch = texts(&batch)?;
        if self.capture
            && let Some(bodies) = batch.column_by_name("Body").and_then(|bodies| bodies.as_string_view_opt())
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
                cast(column, &DataType::Utf8View).map_err(|error| error.to_string())
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

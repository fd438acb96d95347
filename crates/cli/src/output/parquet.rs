//! A result as a Parquet file that other programs read: times as timestamps, timespans in ticks, dynamic as JSON text.

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow::array::{ArrayRef, AsArray, StringArray, StringBuilder, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, TimeUnit};
use arrow::record_batch::RecordBatch;
use engine::ResultTable;
use kql_types::{Column, Dynamic, ScalarType, datetime};
use parquet::arrow::ArrowWriter;

/// Writes the first result.
pub fn write(tables: &[ResultTable], out: &mut dyn Write) -> Result<()> {
    let table = tables.first().context("the query has no result")?;
    let fields: Vec<Field> = table.columns.iter().map(field).collect();
    let schema = Arc::new(Schema::new(fields));
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, Arc::clone(&schema), None)?;
    for batch in &table.batches {
        let columns = table.columns.iter().zip(batch.columns()).map(|(column, array)| converted(column, array));
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns.collect::<Result<_>>()?)?)?;
    }
    writer.close()?;
    out.write_all(&bytes)?;
    Ok(())
}

/// The column with its Kusto type in the metadata.
fn field(column: &Column) -> Field {
    let ty = match column.ty {
        ScalarType::DateTime => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC"))),
        ScalarType::Guid | ScalarType::String | ScalarType::Dynamic | ScalarType::Unknown => DataType::Utf8,
        other => tables::arrow_type(other),
    };
    let metadata = [("kql.type".to_string(), column.ty.name().to_string())].into();
    Field::new(&column.name, ty, true).with_metadata(metadata)
}

fn converted(column: &Column, array: &ArrayRef) -> Result<ArrayRef> {
    Ok(match column.ty {
        ScalarType::DateTime => {
            let ticks = array.as_primitive_opt::<Int64Type>().context("a datetime column is not in ticks")?;
            let micros: TimestampMicrosecondArray =
                ticks.iter().map(|t| t.map(|t| (t - datetime::UNIX_EPOCH).div_euclid(10))).collect();
            Arc::new(micros.with_timezone("UTC"))
        }
        ScalarType::Dynamic => {
            let mut builder = StringBuilder::new();
            let texts = array.as_string_view_opt().context("a dynamic column is not text")?;
            for text in texts.iter() {
                // Inside the engine, Kusto's scalars in a dynamic carry a private mark.
                builder.append_option(text.map(|text| match Dynamic::parse(text) {
                    Some(value) => value.to_display_json(),
                    None => text.to_string(),
                }));
            }
            Arc::new(builder.finish())
        }
        ScalarType::Guid | ScalarType::String | ScalarType::Unknown => {
            let texts = array.as_string_view_opt().context("a string column is not text")?;
            Arc::new(texts.iter().collect::<StringArray>())
        }
        _ => Arc::clone(array),
    })
}

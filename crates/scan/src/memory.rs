//! Rows in memory in a table's layout.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, new_null_array};
use datafusion::arrow::datatypes::{Field, Fields, Schema, SchemaRef};
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::{DataFusionError, Result};
use kql_functions::kernels::Args;
use kql_functions::kernels::parts::without_nulls;
use kql_types::{Column, ScalarType};

use crate::ScanColumn;

/// The Arrow schema of a scan: a nullable field for each column, under its plan name.
pub(crate) fn scan_schema(columns: &[ScanColumn]) -> SchemaRef {
    let fields: Fields =
        columns.iter().map(|column| Field::new(&column.plan_name, tables::arrow_type(column.ty), true)).collect();
    Arc::new(Schema::new(fields))
}

/// A batch with columns of known Kusto types as a scan shows it.
pub(crate) fn shown(
    batch: &RecordBatch,
    known: &[Column],
    wanted: &[ScanColumn],
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let rows = batch.num_rows();
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(wanted.len());
    for column in wanted {
        let found = known.iter().position(|candidate| candidate.name == column.name);
        arrays.push(match found.and_then(|at| batch.columns().get(at).zip(known.get(at))) {
            Some((array, known)) => converted(Arc::clone(array), known.ty, column.ty, rows)?,
            None => missing(column.ty, rows),
        });
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)?)
}

/// A column of cells that are not there.
pub(crate) fn missing(ty: ScalarType, rows: usize) -> ArrayRef {
    let nulls = new_null_array(&tables::arrow_type(ty), rows);
    if ty == ScalarType::String { non_null_strings(nulls) } else { nulls }
}

/// Strings without nulls.
pub(crate) fn non_null_strings(array: ArrayRef) -> ArrayRef {
    use datafusion::arrow::array::{Array, AsArray};
    if array.null_count() == 0 {
        return array;
    }
    Arc::new(without_nulls(array.as_string_view()))
}

/// A column of one Kusto type as another, by the function of the language that converts.
pub(crate) fn converted(array: ArrayRef, from: ScalarType, to: ScalarType, rows: usize) -> Result<ArrayRef> {
    if from == to || to == ScalarType::Unknown {
        return Ok(if to == ScalarType::String { non_null_strings(array) } else { array });
    }
    let name = match to {
        ScalarType::Bool => "tobool",
        ScalarType::Int => "toint",
        ScalarType::Long => "tolong",
        ScalarType::Real => "toreal",
        ScalarType::Decimal => "todecimal",
        ScalarType::DateTime => "todatetime",
        ScalarType::TimeSpan => "totimespan",
        ScalarType::Guid => "toguid",
        ScalarType::String | ScalarType::Unknown => "tostring",
        // A dynamic column of a table holds whatever was logged: text is read as JSON.
        ScalarType::Dynamic => "todynamic",
    };
    let Some(kernel) = kql_functions::function(name).and_then(|function| function.kernel) else {
        return Ok(missing(to, rows));
    };
    let args = Args { columns: &[array], constant: &[false], types: &[from], returns: to, rows };
    kernel(&args).map_err(|error| DataFusionError::Execution(error.0))
}

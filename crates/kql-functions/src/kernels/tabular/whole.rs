//! Operators that must see all rows of a table before they give any.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringViewArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::DataType;
use arrow::row::{OwnedRow, RowConverter, SortField};

use super::super::KernelError;

/// What such an operator gives.
#[derive(Debug, Default)]
pub struct Made {
    /// For each output row the input row that it stands for.
    pub rows: Vec<u32>,
    /// The columns that the operator adds.
    pub columns: Vec<ArrayRef>,
}

/// The work of such an operator over one table, or over one part of it.
pub trait WholeTable: Debug + Send + Sync {
    /// `columns` are the operator's expressions, all of `rows` rows, in the table's order. Over no rows it is not asked.
    ///
    /// # Errors
    /// A limit.
    fn make(&self, columns: &[ArrayRef], rows: usize) -> Result<Made, KernelError>;
}

/// A column by its place among the operator's expressions.
///
/// # Errors
/// When there are fewer: a mistake of whoever planned the operator.
pub(super) fn column(columns: &[ArrayRef], place: usize) -> Result<&ArrayRef, KernelError> {
    columns.get(place).ok_or_else(|| KernelError(format!("bug: an operator lacks expression {place}")))
}

/// Values of rows; None gives null, or `""` in a column of text.
pub(super) fn picked(
    values: &ArrayRef,
    rows: impl Iterator<Item = Option<u32>>,
    text: bool,
) -> Result<ArrayRef, KernelError> {
    let indices: UInt32Array = rows.collect();
    let taken = take(values, &indices, None).map_err(|error| KernelError(format!("bug: {error}")))?;
    match taken.as_string_view_opt() {
        Some(values) if text && values.null_count() > 0 => {
            let filled = values.iter().map(|value| Some(value.unwrap_or_default()));
            Ok(Arc::new(filled.collect::<StringViewArray>()))
        }
        _ => Ok(taken),
    }
}

/// Numbers rows by their values in some columns: equal values have one number, in the order of first appearance.
pub(super) fn numbered(columns: &[ArrayRef], rows: usize) -> Result<(Vec<usize>, usize), KernelError> {
    if columns.is_empty() {
        return Ok((vec![0; rows], usize::from(rows > 0)));
    }
    let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
    let failed = |error: arrow::error::ArrowError| KernelError(format!("bug: {error}"));
    let converter = RowConverter::new(fields).map_err(failed)?;
    let keys = converter.convert_columns(columns).map_err(failed)?;
    let mut known: HashMap<OwnedRow, usize> = HashMap::new();
    let mut numbers = Vec::with_capacity(rows);
    for key in &keys {
        let next = known.len();
        numbers.push(*known.entry(key.owned()).or_insert(next));
    }
    Ok((numbers, known.len()))
}

/// Whether the values of a column are kept as text.
pub(super) fn is_text(column: &ArrayRef) -> bool {
    *column.data_type() == DataType::Utf8View
}

/// `rows_near`: rows where the first expression holds, and those around them.
#[derive(Debug)]
pub struct RowsNear {
    pub before: usize,
    pub after: usize,
}

impl WholeTable for RowsNear {
    fn make(&self, columns: &[ArrayRef], rows: usize) -> Result<Made, KernelError> {
        let holds = column(columns, 0)?;
        let mut made = Made::default();
        let mut next = 0;
        for row in 0..rows {
            let hit = holds.as_boolean_opt().is_some_and(|holds| holds.is_valid(row) && holds.value(row));
            if hit {
                let end = row.saturating_add(self.after).saturating_add(1).min(rows);
                made.rows.extend((next.max(row.saturating_sub(self.before))..end).map(|row| row as u32));
                next = next.max(end);
            }
        }
        Ok(made)
    }
}

/// `narrow`: a row for each cell. The expressions are the columns as text.
#[derive(Debug)]
pub struct Narrow {
    pub names: Vec<String>,
}

impl WholeTable for Narrow {
    fn make(&self, columns: &[ArrayRef], rows: usize) -> Result<Made, KernelError> {
        let mut made = Made::default();
        let (mut numbers, mut names, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..rows {
            for (name, column) in self.names.iter().zip(columns) {
                let text = column.as_string_view_opt().filter(|column| column.is_valid(row));
                made.rows.push(row as u32);
                numbers.push(row as i64);
                names.push(name.as_str());
                values.push(text.map_or("", |column| column.value(row)));
            }
        }
        made.columns = vec![
            Arc::new(Int64Array::from(numbers)),
            Arc::new(StringViewArray::from_iter_values(names)),
            Arc::new(StringViewArray::from_iter_values(values)),
        ];
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::BooleanArray;

    #[test]
    fn rows_near_never_repeats_a_row() {
        let holds: ArrayRef = Arc::new(BooleanArray::from(vec![
            Some(false),
            Some(true),
            None,
            Some(true),
            Some(false),
            Some(false),
            Some(false),
            Some(true),
        ]));
        let near = |before, after| RowsNear { before, after }.make(std::slice::from_ref(&holds), 8).unwrap().rows;
        assert_eq!(near(1, 1), [0, 1, 2, 3, 4, 6, 7]);
        assert_eq!(near(0, 0), [1, 3, 7]);
        assert_eq!(near(9, 0), [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}

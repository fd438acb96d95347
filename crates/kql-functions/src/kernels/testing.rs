//! Calling a kernel on single values, for tests.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal256Array, Float64Array, Int32Array, Int64Array, StringViewArray,
};
use arrow::datatypes::{Decimal256Type, Float64Type, Int32Type, Int64Type};
use kql_types::ScalarType;

use super::{Args, KernelFn, KernelResult};

/// One value of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A null long, or a null of any type in results.
    Null,
    Bool(bool),
    Int(i32),
    Long(i64),
    Real(f64),
    /// As printed.
    Decimal(String),
    /// string; in results also dynamic and guid.
    Text(String),
    /// Canonical JSON; None is null.
    Dynamic(Option<String>),
    DateTime(i64),
    Guid(String),
}

impl Cell {
    pub fn dynamic(json: &str) -> Cell {
        Cell::Dynamic(Some(json.to_owned()))
    }

    fn column(&self) -> (ArrayRef, ScalarType) {
        match self {
            Cell::Null => (Arc::new(Int64Array::from(vec![None])), ScalarType::Long),
            Cell::Bool(value) => (Arc::new(BooleanArray::from(vec![*value])), ScalarType::Bool),
            Cell::Int(value) => (Arc::new(Int32Array::from(vec![*value])), ScalarType::Int),
            Cell::Long(value) => (Arc::new(Int64Array::from(vec![*value])), ScalarType::Long),
            Cell::DateTime(value) => (Arc::new(Int64Array::from(vec![*value])), ScalarType::DateTime),
            Cell::Real(value) => (Arc::new(Float64Array::from(vec![*value])), ScalarType::Real),
            Cell::Decimal(_) => (Arc::new(Decimal256Array::from(vec![None])), ScalarType::Decimal),
            Cell::Text(value) => (Arc::new(StringViewArray::from(vec![value.as_str()])), ScalarType::String),
            Cell::Guid(value) => (Arc::new(StringViewArray::from(vec![value.as_str()])), ScalarType::Guid),
            Cell::Dynamic(value) => (Arc::new(StringViewArray::from(vec![value.as_deref()])), ScalarType::Dynamic),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }
}

impl From<i64> for Cell {
    fn from(value: i64) -> Cell {
        Cell::Long(value)
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Cell {
        Cell::Real(value)
    }
}

/// Calls a kernel twice, with columns and with constants, which must agree.
pub fn try_call(kernel: KernelFn, cells: &[Cell], returns: ScalarType) -> KernelResult {
    let (columns, types): (Vec<ArrayRef>, Vec<ScalarType>) = cells.iter().map(Cell::column).unzip();
    let run = |constant: bool| {
        let flags = vec![constant; columns.len()];
        kernel(&Args { columns: &columns, constant: &flags, types: &types, returns, rows: 1 })
    };
    let result = run(false);
    assert_eq!(result, run(true), "a constant argument makes a difference");
    result
}

/// As [`try_call`], for calls that work: the value.
pub fn call(kernel: KernelFn, cells: &[Cell], returns: ScalarType) -> Cell {
    let array = try_call(kernel, cells, returns).unwrap();
    assert_eq!(array.len(), 1);
    if array.is_null(0) {
        assert_ne!(returns, ScalarType::String, "a string is never null");
        return Cell::Null;
    }
    match returns {
        ScalarType::Bool => Cell::Bool(array.as_boolean().value(0)),
        ScalarType::Int => Cell::Int(array.as_primitive::<Int32Type>().value(0)),
        ScalarType::Real => Cell::Real(array.as_primitive::<Float64Type>().value(0)),
        ScalarType::Decimal => {
            let mut out = String::new();
            super::printed::write_decimal(array.as_primitive::<Decimal256Type>().value(0), &mut out);
            Cell::Decimal(out)
        }
        ScalarType::Long | ScalarType::DateTime | ScalarType::TimeSpan => {
            Cell::Long(array.as_primitive::<Int64Type>().value(0))
        }
        ScalarType::String | ScalarType::Guid | ScalarType::Dynamic | ScalarType::Unknown => {
            Cell::Text(array.as_string_view().value(0).to_owned())
        }
    }
}

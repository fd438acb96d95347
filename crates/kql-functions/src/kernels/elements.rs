//! Columns of any type as elements of dynamic arrays.
//!
//! Lists, sets, series and bags are built as text, element by element, without a tree between.

use std::fmt::Write;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Decimal256Array, Float64Array, Int32Array, Int64Array, StringViewArray,
};
use arrow::datatypes::i256;
use kql_types::dynamic::{PRIVATE_PREFIX, push_json_string};
use kql_types::{Dynamic, ScalarType, datetime, number, timespan};

use super::KernelError;
use super::aggregate_distinct::{long_key, text_key, with_sorted_keys};
use super::aggregate_state::{bug, downcast};

/// A column that is written element by element.
#[derive(Debug, Clone, Copy)]
pub enum Elements<'a> {
    Bool(&'a BooleanArray),
    Int(&'a Int32Array),
    Long(&'a Int64Array),
    Real(&'a Float64Array),
    Decimal(&'a Decimal256Array),
    DateTime(&'a Int64Array),
    TimeSpan(&'a Int64Array),
    Guid(&'a StringViewArray),
    Text(&'a StringViewArray),
    Dynamic(&'a StringViewArray),
}

impl<'a> Elements<'a> {
    pub fn new(column: &'a ArrayRef, ty: ScalarType) -> Result<Elements<'a>, KernelError> {
        Ok(match ty {
            ScalarType::Bool => Elements::Bool(downcast(column)?),
            ScalarType::Int => Elements::Int(downcast(column)?),
            ScalarType::Long => Elements::Long(downcast(column)?),
            ScalarType::Real => Elements::Real(downcast(column)?),
            ScalarType::Decimal => Elements::Decimal(downcast(column)?),
            ScalarType::DateTime => Elements::DateTime(downcast(column)?),
            ScalarType::TimeSpan => Elements::TimeSpan(downcast(column)?),
            ScalarType::Guid => Elements::Guid(downcast(column)?),
            ScalarType::String => Elements::Text(downcast(column)?),
            ScalarType::Dynamic => Elements::Dynamic(downcast(column)?),
            ScalarType::Unknown => return Err(bug("a column of unknown type")),
        })
    }

    fn array(&self) -> &'a dyn Array {
        match self {
            Elements::Bool(array) => *array,
            Elements::Int(array) => *array,
            Elements::Long(array) | Elements::DateTime(array) | Elements::TimeSpan(array) => *array,
            Elements::Real(array) => *array,
            Elements::Decimal(array) => *array,
            Elements::Guid(array) | Elements::Text(array) | Elements::Dynamic(array) => *array,
        }
    }

    /// Whether the row has no value. A string always has one.
    pub fn is_null(&self, row: usize) -> bool {
        !matches!(self, Elements::Text(_)) && self.array().is_null(row)
    }

    /// The canonical text of a dynamic element; None for other types.
    pub fn dynamic(&self, row: usize) -> Option<&'a str> {
        match self {
            Elements::Dynamic(array) if array.is_valid(row) => Some(array.value(row)),
            _ => None,
        }
    }

    /// A key of the row's value; rows of equal values have equal keys.
    pub fn key(&self, row: usize) -> u128 {
        match self {
            Elements::Bool(array) => long_key(array.value(row).into()),
            Elements::Int(array) => long_key(array.value(row).into()),
            Elements::Long(array) | Elements::DateTime(array) | Elements::TimeSpan(array) => long_key(array.value(row)),
            Elements::Real(array) => long_key(real_bits(array.value(row))),
            Elements::Decimal(array) => {
                let mut digits = String::new();
                write_decimal(array.value(row), &mut digits);
                text_key(digits.as_bytes())
            }
            Elements::Guid(array) | Elements::Text(array) => text_key(text(array, row).as_bytes()),
            Elements::Dynamic(array) => element_key(text(array, row)),
        }
    }

    /// Appends the row's value as canonical text, `null` when it has none.
    pub fn write(&self, row: usize, out: &mut String) {
        if self.is_null(row) {
            out.push_str("null");
            return;
        }
        match self {
            Elements::Bool(array) => out.push_str(if array.value(row) { "true" } else { "false" }),
            Elements::Int(array) => drop(write!(out, "{}", array.value(row))),
            Elements::Long(array) => drop(write!(out, "{}", array.value(row))),
            Elements::Real(array) => write_real(array.value(row), out),
            Elements::Decimal(array) => write_private('m', out, |out| write_decimal(array.value(row), out)),
            Elements::DateTime(array) => {
                write_private('d', out, |out| datetime::format_into(array.value(row), out));
            }
            Elements::TimeSpan(array) => {
                write_private('t', out, |out| timespan::format_into(array.value(row), out));
            }
            Elements::Guid(array) => write_private('g', out, |out| out.push_str(array.value(row))),
            Elements::Text(array) => push_json_string(text(array, row), out),
            Elements::Dynamic(array) => out.push_str(array.value(row)),
        }
    }
}

fn text(array: &StringViewArray, row: usize) -> &str {
    if array.is_null(row) { "" } else { array.value(row) }
}

/// A key of an element given as canonical text.
pub fn element_key(text: &str) -> u128 {
    with_sorted_keys(text, |text| text_key(text.as_bytes()))
}

/// The key that [`Elements::key`] gives for a value of type `ty` whose canonical text is `item`.
pub fn item_key(item: &str, ty: ScalarType) -> u128 {
    if ty == ScalarType::Dynamic {
        return element_key(item);
    }
    if ty == ScalarType::String
        && let Some(text) = item.strip_prefix('"').and_then(|item| item.strip_suffix('"'))
        && !text.contains('\\')
        && !text.starts_with(PRIVATE_PREFIX)
    {
        return text_key(text.as_bytes());
    }
    match Dynamic::parse(item) {
        Some(Dynamic::Bool(value)) => long_key(value.into()),
        Some(Dynamic::Long(value) | Dynamic::DateTime(value) | Dynamic::TimeSpan(value)) => long_key(value),
        Some(Dynamic::Real(value)) => long_key(real_bits(value)),
        Some(Dynamic::Decimal(text) | Dynamic::Guid(text) | Dynamic::String(text)) => text_key(text.as_bytes()),
        _ => element_key(item),
    }
}

fn real_bits(value: f64) -> i64 {
    let canonical = if value == 0.0 {
        0.0
    } else if value.is_nan() {
        f64::NAN
    } else {
        value
    };
    canonical.to_bits() as i64
}

/// Appends a real as canonical text.
pub fn write_real(value: f64, out: &mut String) {
    if value.is_finite() {
        number::format_real_into(value, out);
    } else {
        write_private('r', out, |out| {
            out.push_str(if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            });
        });
    }
}

fn write_private(letter: char, out: &mut String, write: impl FnOnce(&mut String)) {
    out.push('"');
    out.push(PRIVATE_PREFIX);
    out.push(letter);
    write(out);
    out.push('"');
}

/// Appends a decimal held in units of 1e-38 as plain digits.
pub fn write_decimal(value: i256, out: &mut String) {
    let digits = value.to_string();
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits.as_str()),
    };
    let padded = format!("{digits:0>width$}", width = number::DECIMAL_SCALE + 1);
    let (whole, fraction) = padded.split_at(padded.len() - number::DECIMAL_SCALE);
    let fraction = fraction.trim_end_matches('0');
    out.push_str(sign);
    out.push_str(whole);
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn written(column: ArrayRef, ty: ScalarType) -> Vec<String> {
        let elements = Elements::new(&column, ty).unwrap();
        let write = |row| {
            let mut out = String::new();
            elements.write(row, &mut out);
            out
        };
        (0..column.len()).map(write).collect()
    }

    #[test]
    fn every_type_has_its_text() {
        let longs: ArrayRef = Arc::new(Int64Array::from(vec![Some(0), None]));
        assert_eq!(written(longs.clone(), ScalarType::Long), ["0", "null"]);
        assert_eq!(written(longs.clone(), ScalarType::TimeSpan), ["\"\u{E000}t00:00:00\"", "null"]);
        assert_eq!(written(longs, ScalarType::DateTime), ["\"\u{E000}d0001-01-01T00:00:00.0000000Z\"", "null"]);
        let reals: ArrayRef = Arc::new(Float64Array::from(vec![1.0, f64::NAN, f64::NEG_INFINITY]));
        assert_eq!(written(reals, ScalarType::Real), ["1.0", "\"\u{E000}rNaN\"", "\"\u{E000}r-Infinity\""]);
        let texts: ArrayRef = Arc::new(StringViewArray::from(vec![Some("a\"b"), None]));
        assert_eq!(written(texts.clone(), ScalarType::String), ["\"a\\\"b\"", "\"\""]);
        assert_eq!(written(texts, ScalarType::Guid), ["\"\u{E000}ga\"b\"", "null"]);
        let bools: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), None]));
        assert_eq!(written(bools, ScalarType::Bool), ["true", "null"]);
    }

    #[test]
    fn decimals_are_plain_digits() {
        let unit = i256::from_string(&format!("1{}", "0".repeat(38))).unwrap();
        let text = |value| {
            let mut out = String::new();
            write_decimal(value, &mut out);
            out
        };
        assert_eq!(text(unit), "1");
        assert_eq!(text(i256::from(-5) * unit / i256::from(2)), "-2.5");
        assert_eq!(text(i256::from(1)), format!("0.{}1", "0".repeat(37)));
        assert_eq!(text(i256::ZERO), "0");
    }

    #[test]
    fn keys_come_back_from_the_text() {
        let texts = ["plain", "with \"quotes\"", "\u{E000}odd", "", "back\\slash"];
        let unit = i256::from_string(&format!("1{}", "0".repeat(38))).unwrap();
        let columns: [(ArrayRef, ScalarType); 8] = [
            (Arc::new(StringViewArray::from_iter_values(texts)), ScalarType::String),
            (Arc::new(StringViewArray::from_iter_values(["0f8fad5b-d9cb-469f-a165-70867728950e"])), ScalarType::Guid),
            (Arc::new(Int64Array::from(vec![0, 1, i64::MIN])), ScalarType::Long),
            (Arc::new(Int64Array::from(vec![0, 1, 630_000_000_000_000_000])), ScalarType::DateTime),
            (Arc::new(Int64Array::from(vec![0, -1, i64::MAX])), ScalarType::TimeSpan),
            (Arc::new(Float64Array::from(vec![0.0, 1.5, 1e300, f64::NAN, f64::INFINITY])), ScalarType::Real),
            (Arc::new(BooleanArray::from(vec![true, false])), ScalarType::Bool),
            (
                Arc::new(
                    Decimal256Array::from(vec![unit, i256::from(3)])
                        .with_data_type(super::super::aggregate_state::DECIMAL),
                ),
                ScalarType::Decimal,
            ),
        ];
        for (column, ty) in &columns {
            let elements = Elements::new(column, *ty).unwrap();
            for (row, text) in written(column.clone(), *ty).iter().enumerate() {
                assert_eq!(item_key(text, *ty), elements.key(row), "{text}");
            }
        }
    }

    #[test]
    fn bags_with_other_key_order_are_one_element() {
        assert_eq!(element_key(r#"{"a":1,"b":2}"#), element_key(r#"{"b":2,"a":1}"#));
        assert_ne!(element_key("1"), element_key("2"));
    }
}

//! Values between the two worlds: a Kusto [`Value`] as an Arrow scalar or array, and a cell of an array as a value.
//!
//! The layout is that of `kql_types::ScalarType`; a decimal has scale 38.

use std::sync::Arc;

use datafusion_common::arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Decimal256Builder, Float64Builder, Int32Builder, Int64Builder,
    StringViewBuilder,
};
use datafusion_common::arrow::datatypes::{DataType, Decimal256Type, Float64Type, Int32Type, Int64Type, i256};
use datafusion_common::{Result, ScalarValue};
use kql_types::{Dynamic, ScalarType, Value};

/// Digits after the point of every decimal column.
pub const DECIMAL_SCALE: i8 = 38;
/// Digits in total of every decimal column.
pub const DECIMAL_PRECISION: u8 = 76;

/// The Arrow type of a Kusto type.
pub fn arrow_type(ty: ScalarType) -> DataType {
    match ty {
        ScalarType::Bool => DataType::Boolean,
        ScalarType::Int => DataType::Int32,
        ScalarType::Long | ScalarType::DateTime | ScalarType::TimeSpan => DataType::Int64,
        ScalarType::Real => DataType::Float64,
        ScalarType::Decimal => DataType::Decimal256(DECIMAL_PRECISION, DECIMAL_SCALE),
        ScalarType::Guid | ScalarType::String | ScalarType::Dynamic | ScalarType::Unknown => DataType::Utf8View,
    }
}

/// A value as an Arrow scalar of its type's layout. A null string is `""`.
pub fn scalar(value: &Value) -> ScalarValue {
    match value {
        Value::Null(ty) => null_scalar(*ty),
        Value::Bool(v) => ScalarValue::Boolean(Some(*v)),
        Value::Int(v) => ScalarValue::Int32(Some(*v)),
        Value::Long(v) | Value::DateTime(v) | Value::TimeSpan(v) => ScalarValue::Int64(Some(*v)),
        Value::Real(v) => ScalarValue::Float64(Some(*v)),
        Value::Decimal(text) => ScalarValue::Decimal256(decimal_from_text(text), DECIMAL_PRECISION, DECIMAL_SCALE),
        Value::Guid(v) | Value::String(v) => ScalarValue::Utf8View(Some(v.clone())),
        Value::Dynamic(v) => ScalarValue::Utf8View(dynamic_to_text(v)),
    }
}

/// The value of a missing cell of a type as an Arrow scalar: null, or `""` for string.
pub fn null_scalar(ty: ScalarType) -> ScalarValue {
    match ty {
        ScalarType::Bool => ScalarValue::Boolean(None),
        ScalarType::Int => ScalarValue::Int32(None),
        ScalarType::Long | ScalarType::DateTime | ScalarType::TimeSpan => ScalarValue::Int64(None),
        ScalarType::Real => ScalarValue::Float64(None),
        ScalarType::Decimal => ScalarValue::Decimal256(None, DECIMAL_PRECISION, DECIMAL_SCALE),
        ScalarType::String => ScalarValue::Utf8View(Some(String::new())),
        ScalarType::Guid | ScalarType::Dynamic | ScalarType::Unknown => ScalarValue::Utf8View(None),
    }
}

/// Values as a column of a type's layout; a value of another type is null.
///
/// # Errors
/// Never in practice: a decimal of too many digits is null.
pub fn array(ty: ScalarType, values: &[&Value]) -> Result<ArrayRef> {
    fn pick<T>(values: &[&Value], get: impl Fn(&Value) -> Option<T>) -> impl Iterator<Item = Option<T>> {
        values.iter().map(|value| get(value)).collect::<Vec<_>>().into_iter()
    }
    Ok(match ty {
        ScalarType::Bool => {
            let mut builder = BooleanBuilder::new();
            pick(values, |v| if let Value::Bool(b) = v { Some(*b) } else { None })
                .for_each(|v| builder.append_option(v));
            Arc::new(builder.finish())
        }
        ScalarType::Int => {
            let mut builder = Int32Builder::new();
            pick(values, |v| if let Value::Int(n) = v { Some(*n) } else { None })
                .for_each(|v| builder.append_option(v));
            Arc::new(builder.finish())
        }
        ScalarType::Long | ScalarType::DateTime | ScalarType::TimeSpan => {
            let mut builder = Int64Builder::new();
            pick(values, |v| match v {
                Value::Long(n) | Value::DateTime(n) | Value::TimeSpan(n) => Some(*n),
                Value::Int(n) => Some(i64::from(*n)),
                _ => None,
            })
            .for_each(|v| builder.append_option(v));
            Arc::new(builder.finish())
        }
        ScalarType::Real => {
            let mut builder = Float64Builder::new();
            pick(values, |v| if let Value::Real(n) = v { Some(*n) } else { None })
                .for_each(|v| builder.append_option(v));
            Arc::new(builder.finish())
        }
        ScalarType::Decimal => {
            let mut builder = Decimal256Builder::new()
                .with_precision_and_scale(DECIMAL_PRECISION, DECIMAL_SCALE)
                .map_err(|error| datafusion_common::DataFusionError::ArrowError(Box::new(error), None))?;
            pick(values, |v| if let Value::Decimal(t) = v { decimal_from_text(t) } else { None })
                .for_each(|v| builder.append_option(v));
            Arc::new(builder.finish())
        }
        ScalarType::String => {
            let mut builder = StringViewBuilder::new();
            pick(values, |v| if let Value::String(s) = v { Some(s.clone()) } else { None })
                .for_each(|v| builder.append_value(v.unwrap_or_default()));
            Arc::new(builder.finish())
        }
        ScalarType::Guid | ScalarType::Dynamic | ScalarType::Unknown => {
            let mut builder = StringViewBuilder::new();
            pick(values, |v| match v {
                Value::Guid(s) => Some(s.clone()),
                Value::Dynamic(d) => dynamic_to_text(d),
                _ => None,
            })
            .for_each(|v| builder.append_option(v));
            Arc::new(builder.finish())
        }
    })
}

/// The cell of a column in the layout of `ty`. A missing string is `""`.
pub fn value_at(column: &ArrayRef, ty: ScalarType, row: usize) -> Value {
    if column.is_null(row) {
        return Value::missing(ty);
    }
    match (ty, column.data_type()) {
        (ScalarType::Bool, DataType::Boolean) => Value::Bool(column.as_boolean().value(row)),
        (ScalarType::Int, DataType::Int32) => Value::Int(column.as_primitive::<Int32Type>().value(row)),
        (ScalarType::Long, DataType::Int64) => Value::Long(column.as_primitive::<Int64Type>().value(row)),
        (ScalarType::DateTime, DataType::Int64) => Value::DateTime(column.as_primitive::<Int64Type>().value(row)),
        (ScalarType::TimeSpan, DataType::Int64) => Value::TimeSpan(column.as_primitive::<Int64Type>().value(row)),
        (ScalarType::Real, DataType::Float64) => Value::Real(column.as_primitive::<Float64Type>().value(row)),
        (ScalarType::Decimal, DataType::Decimal256(_, _)) => {
            Value::Decimal(decimal_to_text(column.as_primitive::<Decimal256Type>().value(row)))
        }
        (ScalarType::Guid, DataType::Utf8View) => Value::Guid(column.as_string_view().value(row).to_owned()),
        (ScalarType::Dynamic, DataType::Utf8View) => {
            let text = column.as_string_view().value(row);
            Value::Dynamic(Dynamic::parse(text).unwrap_or_else(|| Dynamic::String(text.to_owned())))
        }
        (ScalarType::String | ScalarType::Unknown, DataType::Utf8View) => {
            Value::String(column.as_string_view().value(row).to_owned())
        }
        _ => Value::missing(ty),
    }
}

fn dynamic_to_text(value: &Dynamic) -> Option<String> {
    if value.is_null() { None } else { Some(value.to_canonical()) }
}

/// Reads plain decimal text into an integer of scale 38; digits beyond the scale are cut, too large is None.
pub fn decimal_from_text(text: &str) -> Option<i256> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let scale = DECIMAL_SCALE as usize;
    let kept: String = fraction.chars().take(scale).collect();
    let mut all = String::with_capacity(whole.len() + scale + 1);
    if negative {
        all.push('-');
    }
    all.push_str(whole);
    all.push_str(&kept);
    all.extend(std::iter::repeat_n('0', scale - kept.len()));
    i256::from_string(&all)
}

/// The plain decimal text of an integer of scale 38, without trailing zeros.
pub fn decimal_to_text(value: i256) -> String {
    let text = value.to_string();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.as_str()),
    };
    let scale = DECIMAL_SCALE as usize;
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_text_round_trips() {
        for text in ["0", "1", "-1", "0.1", "-0.00000000000000000000000000000000000001", "123456789.5", "1000"] {
            assert_eq!(decimal_from_text(text).map(decimal_to_text).as_deref(), Some(text));
        }
    }
}

//! Dynamic elements and pieces of text as columns of a type: `to typeof(T)`, the typed captures of `parse`.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Decimal256Array, Float64Builder, Int32Builder, Int64Builder, StringViewBuilder,
};
use arrow::datatypes::i256;
use kql_types::{Dynamic, ScalarType, datetime, guid, number, timespan};

use super::super::KernelError;
use super::super::aggregate_state::DECIMAL;

/// Builds a column of one type, value by value.
#[derive(Debug)]
pub enum ColumnBuilder {
    Bool(BooleanBuilder),
    Int(Int32Builder),
    Long(Int64Builder),
    Real(Float64Builder),
    Decimal(Vec<Option<i256>>),
    DateTime(Int64Builder),
    TimeSpan(Int64Builder),
    Guid(StringViewBuilder),
    Text(StringViewBuilder),
    Dynamic(StringViewBuilder),
}

impl ColumnBuilder {
    pub fn new(ty: ScalarType, rows: usize) -> ColumnBuilder {
        match ty {
            ScalarType::Bool => ColumnBuilder::Bool(BooleanBuilder::with_capacity(rows)),
            ScalarType::Int => ColumnBuilder::Int(Int32Builder::with_capacity(rows)),
            ScalarType::Long => ColumnBuilder::Long(Int64Builder::with_capacity(rows)),
            ScalarType::Real => ColumnBuilder::Real(Float64Builder::with_capacity(rows)),
            ScalarType::Decimal => ColumnBuilder::Decimal(Vec::with_capacity(rows)),
            ScalarType::DateTime => ColumnBuilder::DateTime(Int64Builder::with_capacity(rows)),
            ScalarType::TimeSpan => ColumnBuilder::TimeSpan(Int64Builder::with_capacity(rows)),
            ScalarType::Guid => ColumnBuilder::Guid(StringViewBuilder::with_capacity(rows)),
            ScalarType::String => ColumnBuilder::Text(StringViewBuilder::with_capacity(rows)),
            ScalarType::Dynamic | ScalarType::Unknown => ColumnBuilder::Dynamic(StringViewBuilder::with_capacity(rows)),
        }
    }

    /// Appends a missing value: null, or `""`.
    pub fn append_missing(&mut self) {
        match self {
            ColumnBuilder::Bool(builder) => builder.append_null(),
            ColumnBuilder::Int(builder) => builder.append_null(),
            ColumnBuilder::Long(builder) | ColumnBuilder::DateTime(builder) | ColumnBuilder::TimeSpan(builder) => {
                builder.append_null();
            }
            ColumnBuilder::Real(builder) => builder.append_null(),
            ColumnBuilder::Decimal(values) => values.push(None),
            ColumnBuilder::Guid(builder) | ColumnBuilder::Dynamic(builder) => builder.append_null(),
            ColumnBuilder::Text(builder) => builder.append_value(""),
        }
    }

    /// Appends a dynamic element given as canonical text, converted as `tolong(d)` and the like convert it; missing when
    /// it cannot be converted.
    pub fn append_element(&mut self, element: &str) {
        match self {
            ColumnBuilder::Dynamic(builder) if element != "null" => return builder.append_value(element),
            ColumnBuilder::Long(builder) => {
                if let Ok(value) = element.parse() {
                    return builder.append_value(value);
                }
            }
            _ => {}
        }
        match Dynamic::parse(element) {
            Some(value) => self.append_dynamic(&value),
            None => self.append_missing(),
        }
    }

    fn append_dynamic(&mut self, value: &Dynamic) {
        if let Dynamic::String(text) = value
            && !matches!(self, ColumnBuilder::Dynamic(_))
        {
            self.append_text(text);
            return;
        }
        match self {
            ColumnBuilder::Bool(builder) => builder.append_option(match value {
                Dynamic::Bool(value) => Some(*value),
                Dynamic::Long(value) => Some(*value != 0),
                Dynamic::Real(value) => Some(*value != 0.0),
                _ => None,
            }),
            ColumnBuilder::Int(builder) => {
                builder.append_option(whole(value).and_then(|value| i32::try_from(value).ok()));
            }
            ColumnBuilder::Long(builder) => builder.append_option(whole(value)),
            ColumnBuilder::Real(builder) => builder.append_option(match value {
                Dynamic::Bool(value) => Some(f64::from(u8::from(*value))),
                other => other.as_real(),
            }),
            ColumnBuilder::Decimal(values) => values.push(match value {
                Dynamic::Long(value) => decimal(&value.to_string()),
                Dynamic::Decimal(text) => decimal(text),
                Dynamic::Real(value) => number::parse_decimal(&value.to_string()).and_then(|text| decimal(&text)),
                _ => None,
            }),
            ColumnBuilder::DateTime(builder) => builder.append_option(match value {
                Dynamic::DateTime(ticks) => Some(*ticks),
                Dynamic::Long(ticks) => Some(*ticks).filter(|ticks| (datetime::MIN..=datetime::MAX).contains(ticks)),
                _ => None,
            }),
            ColumnBuilder::TimeSpan(builder) => builder.append_option(match value {
                Dynamic::TimeSpan(ticks) | Dynamic::Long(ticks) => Some(*ticks),
                _ => None,
            }),
            ColumnBuilder::Guid(builder) => builder.append_option(match value {
                Dynamic::Guid(text) => Some(text),
                _ => None,
            }),
            ColumnBuilder::Text(builder) => builder.append_value(value.to_text()),
            ColumnBuilder::Dynamic(builder) => {
                builder.append_option((!value.is_null()).then(|| value.to_canonical()));
            }
        }
    }

    /// Appends what a text says, read as `tolong(text)` and the like read it; whether it could be read. A text that
    /// cannot be read is missing.
    pub fn append_text(&mut self, text: &str) -> bool {
        match self {
            ColumnBuilder::Bool(builder) => append(text_to_bool(text), |value| builder.append_option(value)),
            ColumnBuilder::Int(builder) => append(number::parse_int(text), |value| builder.append_option(value)),
            ColumnBuilder::Long(builder) => append(number::parse_long(text), |value| builder.append_option(value)),
            ColumnBuilder::Real(builder) => append(number::parse_real(text), |value| builder.append_option(value)),
            ColumnBuilder::Decimal(values) => {
                append(number::parse_decimal(text).and_then(|text| decimal(&text)), |value| values.push(value))
            }
            ColumnBuilder::DateTime(builder) => append(datetime::parse(text), |value| builder.append_option(value)),
            ColumnBuilder::TimeSpan(builder) => append(timespan::parse(text), |value| builder.append_option(value)),
            ColumnBuilder::Guid(builder) => append(guid::parse(text), |value| builder.append_option(value)),
            ColumnBuilder::Text(builder) => {
                builder.append_value(text);
                true
            }
            ColumnBuilder::Dynamic(builder) => {
                let value = Dynamic::parse_json(text).unwrap_or_else(|| Dynamic::String(text.to_owned()));
                builder.append_option((!value.is_null()).then(|| value.to_canonical()));
                true
            }
        }
    }

    pub fn finish(self) -> Result<ArrayRef, KernelError> {
        Ok(match self {
            ColumnBuilder::Bool(mut builder) => Arc::new(builder.finish()),
            ColumnBuilder::Int(mut builder) => Arc::new(builder.finish()),
            ColumnBuilder::Long(mut builder)
            | ColumnBuilder::DateTime(mut builder)
            | ColumnBuilder::TimeSpan(mut builder) => Arc::new(builder.finish()),
            ColumnBuilder::Real(mut builder) => Arc::new(builder.finish()),
            ColumnBuilder::Decimal(values) => Arc::new(Decimal256Array::from(values).with_data_type(DECIMAL)),
            ColumnBuilder::Guid(mut builder)
            | ColumnBuilder::Text(mut builder)
            | ColumnBuilder::Dynamic(mut builder) => Arc::new(builder.finish()),
        })
    }
}

/// Whether [`ColumnBuilder::append_text`] can read a text as a value of the type.
pub fn reads_as(text: &str, ty: ScalarType) -> bool {
    match ty {
        ScalarType::Bool => text_to_bool(text).is_some(),
        ScalarType::Int => number::parse_int(text).is_some(),
        ScalarType::Long => number::parse_long(text).is_some(),
        ScalarType::Real => number::parse_real(text).is_some(),
        ScalarType::Decimal => number::parse_decimal(text).is_some(),
        ScalarType::DateTime => datetime::parse(text).is_some(),
        ScalarType::TimeSpan => timespan::parse(text).is_some(),
        ScalarType::Guid => guid::parse(text).is_some(),
        ScalarType::String | ScalarType::Dynamic | ScalarType::Unknown => true,
    }
}

fn append<T>(value: Option<T>, append: impl FnOnce(Option<T>)) -> bool {
    let read = value.is_some();
    append(value);
    read
}

fn whole(value: &Dynamic) -> Option<i64> {
    match value {
        Dynamic::Long(value) | Dynamic::DateTime(value) | Dynamic::TimeSpan(value) => Some(*value),
        Dynamic::Real(value) if value.is_finite() => Some(*value as i64),
        Dynamic::Bool(value) => Some((*value).into()),
        Dynamic::Decimal(text) => text.split('.').next()?.parse().ok(),
        _ => None,
    }
}

/// `true`, `false` in any case, or a whole number.
fn text_to_bool(text: &str) -> Option<bool> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        number::parse_long(text).map(|value| value != 0)
    }
}

/// Plain decimal digits in units of 1e-38.
fn decimal(text: &str) -> Option<i256> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut digits = String::with_capacity(whole.len() + number::DECIMAL_SCALE);
    digits.push_str(whole);
    digits.push_str(fraction.get(..fraction.len().min(number::DECIMAL_SCALE))?);
    digits.extend(std::iter::repeat_n('0', number::DECIMAL_SCALE.saturating_sub(fraction.len())));
    i256::from_string(&digits)
}

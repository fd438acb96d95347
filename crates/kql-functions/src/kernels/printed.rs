//! An argument of any type as text, printed as `tostring` prints it.

use std::fmt::Write;

use arrow::datatypes::{Decimal256Type, Float64Type, Int32Type, Int64Type, i256};
use kql_types::{Dynamic, ScalarType, datetime, number, timespan};

use super::access::{Booleans, Numbers, Text};
use super::dynamic_args::{Scalar, scalar};
use super::{Args, KernelError};

/// Digits after the point of a decimal.
const DECIMAL_SCALE: usize = 38;

/// An argument that prints. A null prints as nothing.
#[derive(Debug, Clone, Copy)]
pub enum Printed<'a> {
    Text(Text<'a>),
    Dynamic(Text<'a>),
    Bool(Booleans<'a>),
    Int(Numbers<'a, Int32Type>),
    Long(Numbers<'a, Int64Type>),
    Real(Numbers<'a, Float64Type>),
    Decimal(Numbers<'a, Decimal256Type>),
    DateTime(Numbers<'a, Int64Type>),
    TimeSpan(Numbers<'a, Int64Type>),
}

impl<'a> Args<'a> {
    /// An argument of any type, to be printed.
    pub fn printed(&self, index: usize) -> Result<Printed<'a>, KernelError> {
        Ok(match self.ty(index) {
            ScalarType::String | ScalarType::Guid => Printed::Text(self.text(index)?),
            ScalarType::Dynamic | ScalarType::Unknown => Printed::Dynamic(self.text(index)?),
            ScalarType::Bool => Printed::Bool(self.boolean(index)?),
            ScalarType::Int => Printed::Int(self.int(index)?),
            ScalarType::Long => Printed::Long(self.long(index)?),
            ScalarType::Real => Printed::Real(self.real(index)?),
            ScalarType::Decimal => Printed::Decimal(self.decimal(index)?),
            ScalarType::DateTime => Printed::DateTime(self.long(index)?),
            ScalarType::TimeSpan => Printed::TimeSpan(self.long(index)?),
        })
    }
}

impl<'a> Printed<'a> {
    /// The argument itself when it is text already.
    pub fn as_text(&self) -> Option<Text<'a>> {
        if let Printed::Text(text) = self { Some(*text) } else { None }
    }

    /// Appends the text of a row.
    pub fn write(&self, row: usize, out: &mut String) {
        match self {
            Printed::Text(text) => out.push_str(text.at(row)),
            Printed::Dynamic(text) => {
                if let Some(text) = text.opt(row) {
                    write_dynamic(text, out);
                }
            }
            Printed::Bool(values) => match values.opt(row) {
                Some(true) => out.push_str("True"),
                Some(false) => out.push_str("False"),
                None => {}
            },
            Printed::Int(values) => {
                if let Some(value) = values.opt(row) {
                    let _ = write!(out, "{value}");
                }
            }
            Printed::Long(values) => {
                if let Some(value) = values.opt(row) {
                    let _ = write!(out, "{value}");
                }
            }
            Printed::Real(values) => {
                if let Some(value) = values.opt(row) {
                    number::format_real_into(value, out);
                }
            }
            Printed::Decimal(values) => {
                if let Some(value) = values.opt(row) {
                    write_decimal(value, out);
                }
            }
            Printed::DateTime(values) => {
                if let Some(ticks) = values.opt(row) {
                    datetime::format_into(ticks, out);
                }
            }
            Printed::TimeSpan(values) => {
                if let Some(ticks) = values.opt(row) {
                    timespan::format_into(ticks, out);
                }
            }
        }
    }

    /// The text of a row, without copying when there is one.
    pub fn at<'b>(&self, row: usize, buffer: &'b mut String) -> &'b str
    where
        'a: 'b,
    {
        if let Printed::Text(text) = self {
            return text.at(row);
        }
        buffer.clear();
        self.write(row, buffer);
        buffer
    }
}

/// Appends the text of a canonical dynamic value. Arrays, bags and numbers print as they stand.
pub fn write_dynamic(canonical: &str, out: &mut String) {
    match canonical.as_bytes().first() {
        Some(b'"') => match scalar(canonical) {
            Scalar::Text(text) => out.push_str(&text),
            Scalar::Real(value) => number::format_real_into(value, out),
            Scalar::Other(value) => value.write_text(out),
            _ => {}
        },
        Some(b'[' | b'{') if canonical.contains(kql_types::dynamic::PRIVATE_PREFIX) => {
            if let Some(value) = Dynamic::parse(canonical) {
                value.write_text(out);
            }
        }
        // `tostring(dynamic(null))` is `""`.
        Some(b'n') | None => {}
        _ => out.push_str(canonical),
    }
}

/// Appends a decimal, given in units of 1e-38, without zeros at the end of its fraction.
pub fn write_decimal(units: i256, out: &mut String) {
    let digits = units.wrapping_abs().to_string();
    let digits = digits.trim_start_matches('-');
    if units < i256::ZERO {
        out.push('-');
    }
    let padded = format!("{digits:0>width$}", width = DECIMAL_SCALE + 1);
    let (whole, fraction) = padded.split_at(padded.len() - DECIMAL_SCALE);
    out.push_str(whole);
    let fraction = fraction.trim_end_matches('0');
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
}

/// Reads a decimal into units of 1e-38; None when it is none or out of range.
pub fn parse_decimal(text: &str) -> Option<i256> {
    decimal_units(&number::parse_decimal(text)?)
}

/// Plain decimal text (sign, digits, fraction) in units of 1e-38; digits beyond are cut.
pub fn decimal_units(plain: &str) -> Option<i256> {
    let (negative, digits) = plain.strip_prefix('-').map_or((false, plain), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut text = String::with_capacity(whole.len() + DECIMAL_SCALE + 1);
    if negative {
        text.push('-');
    }
    text.push_str(whole);
    let fraction = fraction.get(..DECIMAL_SCALE).unwrap_or(fraction);
    text.push_str(fraction);
    text.extend(std::iter::repeat_n('0', DECIMAL_SCALE - fraction.len()));
    i256::from_string(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, BooleanArray, Int64Array, StringViewArray};
    use std::sync::Arc;

    #[test]
    fn decimals_print_without_trailing_zeros() {
        let one = i256::from_string(&format!("1{}", "0".repeat(38))).unwrap();
        let print = |value| {
            let mut out = String::new();
            write_decimal(value, &mut out);
            out
        };
        assert_eq!(print(one), "1");
        assert_eq!(print(one / i256::from_i128(-8)), "-0.125");
        assert_eq!(print(i256::ZERO), "0");
    }

    #[test]
    fn each_type_prints_as_tostring_does() {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(BooleanArray::from(vec![Some(true), None])),
            Arc::new(StringViewArray::from(vec![Some("\"a\\nb\""), Some("[1,\"x\"]")])),
            Arc::new(Int64Array::from(vec![36_000_000_000, 0])),
        ];
        let args = Args {
            columns: &columns,
            constant: &[false; 3],
            types: &[ScalarType::Bool, ScalarType::Dynamic, ScalarType::TimeSpan],
            returns: ScalarType::String,
            rows: 2,
        };
        let print = |index, row| {
            let mut out = String::new();
            args.printed(index).unwrap().write(row, &mut out);
            out
        };
        assert_eq!([print(0, 0), print(0, 1)], ["True", ""]);
        assert_eq!([print(1, 0), print(1, 1)], ["a\nb", "[1,\"x\"]"]);
        assert_eq!([print(2, 0), print(2, 1)], ["01:00:00", "00:00:00"]);
    }
}

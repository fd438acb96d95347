//! Dynamic arguments: canonical text to values and back.
//!
//! Scalars are read without a tree where the first byte tells enough. [`Dynamics`] reads any argument as a dynamic
//! value, whatever its type: a string argument as a dynamic string, a long as a number.

use kql_types::dynamic::{CanonicalString, read_canonical_string};
use kql_types::{Dynamic, ScalarType, number};

use super::access::{Booleans, Numbers, Text};
use super::printed::write_decimal;
use super::{Args, KernelError, KernelResult};
use arrow::datatypes::{Decimal256Type, Float64Type, Int32Type, Int64Type};

/// An argument of any type, read as a dynamic value.
pub enum Dynamics<'a> {
    Bool(Booleans<'a>),
    Int(Numbers<'a, Int32Type>),
    Long(Numbers<'a, Int64Type>),
    Real(Numbers<'a, Float64Type>),
    Decimal(Numbers<'a, Decimal256Type>),
    DateTime(Numbers<'a, Int64Type>),
    TimeSpan(Numbers<'a, Int64Type>),
    Guid(Text<'a>),
    String(Text<'a>),
    Dynamic(Text<'a>),
    /// An argument that was left out.
    Absent,
}

impl<'a> Dynamics<'a> {
    /// The argument with an index; [`Dynamics::Absent`] when it was left out.
    pub fn of(args: &Args<'a>, index: usize) -> Result<Dynamics<'a>, KernelError> {
        if index >= args.count() {
            return Ok(Dynamics::Absent);
        }
        Ok(match args.ty(index) {
            ScalarType::Bool => Dynamics::Bool(args.boolean(index)?),
            ScalarType::Int => Dynamics::Int(args.int(index)?),
            ScalarType::Long => Dynamics::Long(args.long(index)?),
            ScalarType::Real => Dynamics::Real(args.real(index)?),
            ScalarType::Decimal => Dynamics::Decimal(args.decimal(index)?),
            ScalarType::DateTime => Dynamics::DateTime(args.long(index)?),
            ScalarType::TimeSpan => Dynamics::TimeSpan(args.long(index)?),
            ScalarType::Guid => Dynamics::Guid(args.text(index)?),
            ScalarType::String => Dynamics::String(args.text(index)?),
            // A column of unknown type is one that this run's data does not have: nulls in the layout of dynamic.
            ScalarType::Dynamic | ScalarType::Unknown => Dynamics::Dynamic(args.text(index)?),
        })
    }

    /// All arguments from an index on.
    pub fn from(args: &Args<'a>, start: usize) -> Result<Vec<Dynamics<'a>>, KernelError> {
        (start..args.count()).map(|index| Dynamics::of(args, index)).collect()
    }

    pub fn is_absent(&self) -> bool {
        matches!(self, Dynamics::Absent)
    }

    /// The value of a row.
    pub fn at(&self, row: usize) -> Dynamic {
        let value = match self {
            Dynamics::Bool(values) => values.opt(row).map(Dynamic::Bool),
            Dynamics::Int(values) => values.opt(row).map(|v| Dynamic::Long(i64::from(v))),
            Dynamics::Long(values) => values.opt(row).map(Dynamic::Long),
            Dynamics::Real(values) => values.opt(row).map(Dynamic::Real),
            Dynamics::Decimal(values) => values.opt(row).map(|v| {
                let mut text = String::new();
                write_decimal(v, &mut text);
                Dynamic::Decimal(text)
            }),
            Dynamics::DateTime(values) => values.opt(row).map(Dynamic::DateTime),
            Dynamics::TimeSpan(values) => values.opt(row).map(Dynamic::TimeSpan),
            Dynamics::Guid(texts) => texts.opt(row).map(|text| Dynamic::Guid(text.to_owned())),
            Dynamics::String(texts) => Some(Dynamic::String(texts.at(row).to_owned())),
            Dynamics::Dynamic(texts) => texts.opt(row).and_then(Dynamic::parse),
            Dynamics::Absent => None,
        };
        value.unwrap_or(Dynamic::Null)
    }

    /// Appends the canonical text of a row's value; `null` for a null.
    pub fn write(&self, row: usize, out: &mut String) {
        match self {
            Dynamics::Dynamic(texts) => out.push_str(texts.opt(row).unwrap_or("null")),
            Dynamics::String(texts) => kql_types::dynamic::push_json_string(texts.at(row), out),
            other => other.at(row).write_canonical(out),
        }
    }
}

impl Args<'_> {
    /// dynamic: one value a row, the dynamic null as null.
    pub fn to_dynamic_values(&self, mut f: impl FnMut(usize) -> Option<Dynamic>) -> KernelResult {
        self.to_dynamics(|row, out| {
            let value = f(row).filter(|value| !value.is_null())?;
            value.write_canonical(out);
            Some(())
        })
    }
}

/// What canonical text is, without reading more of it than a scalar.
pub enum Scalar<'a> {
    Null,
    Bool(bool),
    Long(i64),
    Real(f64),
    Text(std::borrow::Cow<'a, str>),
    /// datetime, timespan, guid or decimal.
    Other(Dynamic),
    Array,
    Bag,
}

/// Reads canonical text up to the depth of a scalar.
pub fn scalar(text: &str) -> Scalar<'_> {
    match text.as_bytes().first() {
        Some(b'[') => Scalar::Array,
        Some(b'{') => Scalar::Bag,
        Some(b't') => Scalar::Bool(true),
        Some(b'f') => Scalar::Bool(false),
        Some(b'"') => string_scalar(text),
        Some(b'-' | b'0'..=b'9') => {
            if text.bytes().any(|b| matches!(b, b'.' | b'e' | b'E')) {
                number::parse_real(text).map_or(Scalar::Null, Scalar::Real)
            } else {
                text.parse().map_or(Scalar::Null, Scalar::Long)
            }
        }
        _ => Scalar::Null,
    }
}

fn string_scalar(text: &str) -> Scalar<'_> {
    use std::borrow::Cow;
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or("");
    if !inner.contains(['\\', kql_types::dynamic::PRIVATE_PREFIX]) {
        return Scalar::Text(Cow::Borrowed(inner));
    }
    if !inner.contains('\\') {
        return match read_canonical_string(inner) {
            CanonicalString::Plain(text) => Scalar::Text(Cow::Borrowed(text)),
            CanonicalString::Scalar(value) => other_scalar(value),
        };
    }
    match Dynamic::parse(text) {
        Some(value) => other_scalar(value),
        None => Scalar::Null,
    }
}

fn other_scalar<'a>(value: Dynamic) -> Scalar<'a> {
    match value {
        Dynamic::String(text) => Scalar::Text(text.into()),
        Dynamic::Real(value) => Scalar::Real(value),
        other => Scalar::Other(other),
    }
}

//! Kusto's scalar types, values, columns, function signatures and diagnostics.
//!
//! Second stage of the pipeline: what the binder, the function registry and the edges share.
//! Knows nothing of Arrow or plans. Text forms of values live here as well (`datetime`, `timespan`,
//! `number`, `dynamic`), so that literals, kernels and output agree to the digit.

pub mod datetime;
pub mod diagnostic;
pub mod dynamic;
pub mod guid;
pub mod number;
pub mod signature;
pub mod timespan;
pub mod value;

use std::fmt;

pub use diagnostic::{Diagnostic, Severity};
pub use dynamic::Dynamic;
pub use kql_syntax::Span;
pub use signature::{Overload, Param, ParamType, ResultName, Return};
pub use value::Value;

/// A Kusto scalar type.
///
/// On Arrow: `Bool` Boolean, `Int` Int32, `Long` Int64, `Real` Float64, `Decimal` Decimal256(76, 38),
/// `DateTime` and `TimeSpan` Int64 (ticks of 100 ns; datetime since 0001-01-01), `Guid` Utf8View
/// (lower case, hyphens), `String` Utf8View without nulls, `Dynamic` Utf8View holding canonical JSON
/// (see [`dynamic`]) where SQL null is the dynamic null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScalarType {
    Bool,
    Int,
    Long,
    Real,
    Decimal,
    DateTime,
    TimeSpan,
    Guid,
    String,
    Dynamic,
    /// The type of something already reported as wrong: compatible with everything.
    Unknown,
}

impl ScalarType {
    /// The name Kusto prints: `long`, `datetime`...
    pub fn name(self) -> &'static str {
        match self {
            ScalarType::Bool => "bool",
            ScalarType::Int => "int",
            ScalarType::Long => "long",
            ScalarType::Real => "real",
            ScalarType::Decimal => "decimal",
            ScalarType::DateTime => "datetime",
            ScalarType::TimeSpan => "timespan",
            ScalarType::Guid => "guid",
            ScalarType::String => "string",
            ScalarType::Dynamic => "dynamic",
            ScalarType::Unknown => "unknown",
        }
    }

    /// Reads a type name with its aliases (`boolean`, `int32`, `int64`, `double`, `date`, `time`, `uuid`, ...).
    pub fn parse(name: &str) -> Option<ScalarType> {
        Some(match name {
            "bool" | "boolean" => ScalarType::Bool,
            "int" | "int8" | "int16" | "int32" | "uint8" | "uint16" | "uint" | "uint32" | "char" => ScalarType::Int,
            "long" | "int64" | "ulong" | "uint64" => ScalarType::Long,
            "real" | "double" | "float" => ScalarType::Real,
            "decimal" => ScalarType::Decimal,
            "datetime" | "date" => ScalarType::DateTime,
            "timespan" | "time" => ScalarType::TimeSpan,
            "guid" | "uuid" | "uniqueid" => ScalarType::Guid,
            "string" => ScalarType::String,
            "dynamic" => ScalarType::Dynamic,
            _ => return None,
        })
    }

    /// int, long, real or decimal.
    pub fn is_number(self) -> bool {
        matches!(self, ScalarType::Int | ScalarType::Long | ScalarType::Real | ScalarType::Decimal)
    }

    pub fn is_integer(self) -> bool {
        matches!(self, ScalarType::Int | ScalarType::Long)
    }
}

impl fmt::Display for ScalarType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A column of a table or of a result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Column {
    pub name: String,
    pub ty: ScalarType,
}

impl Column {
    pub fn new(name: impl Into<String>, ty: ScalarType) -> Column {
        Column { name: name.into(), ty }
    }
}

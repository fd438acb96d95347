//! A scalar value: what a literal means and what a cell of a result holds.

use crate::{Dynamic, ScalarType};

/// One value of a known type. A string is never null.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null(ScalarType),
    Bool(bool),
    Int(i32),
    Long(i64),
    Real(f64),
    /// Plain decimal text: optional sign, digits, optional fraction; no exponent.
    Decimal(String),
    /// Ticks of 100 ns since 0001-01-01T00:00:00Z.
    DateTime(i64),
    /// Ticks of 100 ns.
    TimeSpan(i64),
    /// Lower case with hyphens.
    Guid(String),
    String(String),
    Dynamic(Dynamic),
}

impl Value {
    pub fn ty(&self) -> ScalarType {
        match self {
            Value::Null(ty) => *ty,
            Value::Bool(_) => ScalarType::Bool,
            Value::Int(_) => ScalarType::Int,
            Value::Long(_) => ScalarType::Long,
            Value::Real(_) => ScalarType::Real,
            Value::Decimal(_) => ScalarType::Decimal,
            Value::DateTime(_) => ScalarType::DateTime,
            Value::TimeSpan(_) => ScalarType::TimeSpan,
            Value::Guid(_) => ScalarType::Guid,
            Value::String(_) => ScalarType::String,
            Value::Dynamic(_) => ScalarType::Dynamic,
        }
    }

    /// The value of a missing cell: null, or `""` for string.
    pub fn missing(ty: ScalarType) -> Value {
        match ty {
            ScalarType::String => Value::String(String::new()),
            other => Value::Null(other),
        }
    }
}

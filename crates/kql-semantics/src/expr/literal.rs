//! Literals: their text becomes a value of their type.

use kql_syntax::ast::Literal;
use kql_types::{Dynamic, ScalarType, Span, Value, datetime, guid, number, timespan};

use crate::binder::{Binder, literal};
use crate::bound::Expr;

impl Binder<'_> {
    pub(crate) fn bind_literal(&mut self, written: &Literal, span: Span) -> Expr {
        let value = match written {
            Literal::Bool(text) => typed_value(ScalarType::Bool, text),
            Literal::Long(text) => match number::parse_long(text) {
                Some(value) => Some(Value::Long(value)),
                None => number::parse_real(text).map(Value::Real),
            },
            Literal::Real(text) => number::parse_real(text).map(Value::Real),
            Literal::TimeSpan(text) => timespan::parse(text).map(Value::TimeSpan),
            Literal::String { value, .. } => Some(Value::String(value.clone())),
            Literal::Typed { type_name, text } => match ScalarType::parse(type_name) {
                Some(ScalarType::Dynamic) => Some(dynamic_value(text)),
                Some(ty) => typed_value(ty, text),
                None => None,
            },
            Literal::Dynamic(text) => Some(dynamic_value(text)),
            Literal::Null => Some(Value::Null(ScalarType::Dynamic)),
        };
        match value {
            Some(value) => literal(value, span),
            None => {
                self.error("KS004", span, "Malformed literal");
                self.error_expr(span)
            }
        }
    }
}

/// The value of `type(text)`. Text that is not of the type is null, as in the engine (`datetime(x)`); None where the
/// type has no such literal.
fn typed_value(ty: ScalarType, text: &str) -> Option<Value> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("null") {
        return Some(Value::missing(ty));
    }
    let value = match ty {
        ScalarType::Bool => match text.to_ascii_lowercase().as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            other => number::parse_long(other).map(|n| Value::Bool(n != 0)),
        },
        ScalarType::Int => number::parse_long(text).map(|n| Value::Int(n as i32)),
        ScalarType::Long => number::parse_long(text).map(Value::Long),
        ScalarType::Real => number::parse_real(text).map(Value::Real),
        ScalarType::Decimal => number::parse_decimal(text).map(Value::Decimal),
        ScalarType::DateTime => datetime::parse(text).map(Value::DateTime),
        ScalarType::TimeSpan => timespan::parse(text).map(Value::TimeSpan),
        ScalarType::Guid => guid::parse(text).map(Value::Guid),
        ScalarType::String => Some(Value::String(text.to_string())),
        ScalarType::Dynamic | ScalarType::Unknown => None,
    };
    Some(value.unwrap_or(Value::Null(ty)))
}

/// The value of `dynamic(text)`. Text that is no literal is a string.
fn dynamic_value(text: &str) -> Value {
    match Dynamic::parse_literal(text) {
        Some(Dynamic::Null) => Value::Null(ScalarType::Dynamic),
        Some(value) => Value::Dynamic(value),
        None if text.trim().is_empty() => Value::Null(ScalarType::Dynamic),
        None => Value::Dynamic(Dynamic::String(text.trim().to_string())),
    }
}

/// A literal of one type as a literal of another, where the conversion is silent.
pub(crate) fn converted(value: &Value, to: ScalarType) -> Option<Value> {
    Some(match (value, to) {
        (value, to) if value.ty() == to => value.clone(),
        (Value::Null(_), to) => Value::missing(to),
        (Value::Bool(b), ScalarType::Int) => Value::Int(i32::from(*b)),
        (Value::Bool(b), ScalarType::Long) => Value::Long(i64::from(*b)),
        (Value::Int(n), ScalarType::Long) => Value::Long(i64::from(*n)),
        (Value::Int(n), ScalarType::Real) => Value::Real(f64::from(*n)),
        (Value::Int(n), ScalarType::Decimal) => Value::Decimal(n.to_string()),
        (Value::Long(n), ScalarType::Real) => Value::Real(*n as f64),
        (Value::Long(n), ScalarType::Decimal) => Value::Decimal(n.to_string()),
        (Value::Long(n), ScalarType::Int) => Value::Int(i32::try_from(*n).ok()?),
        (value, ScalarType::Dynamic) => Value::Dynamic(as_dynamic(value)),
        _ => return None,
    })
}

pub(crate) fn as_dynamic(value: &Value) -> Dynamic {
    match value {
        Value::Null(_) => Dynamic::Null,
        Value::Bool(b) => Dynamic::Bool(*b),
        Value::Int(n) => Dynamic::Long(i64::from(*n)),
        Value::Long(n) => Dynamic::Long(*n),
        Value::Real(x) => Dynamic::Real(*x),
        Value::Decimal(text) => Dynamic::Decimal(text.clone()),
        Value::DateTime(ticks) => Dynamic::DateTime(*ticks),
        Value::TimeSpan(ticks) => Dynamic::TimeSpan(*ticks),
        Value::Guid(text) => Dynamic::Guid(text.clone()),
        Value::String(text) => Dynamic::String(text.clone()),
        Value::Dynamic(value) => value.clone(),
    }
}

/// An element of a dynamic literal as a value of its own, for `in (dynamic([...]))`.
pub(crate) fn from_dynamic(value: &Dynamic) -> Value {
    match value {
        Dynamic::Null => Value::Null(ScalarType::Dynamic),
        Dynamic::Bool(b) => Value::Bool(*b),
        Dynamic::Long(n) => Value::Long(*n),
        Dynamic::Real(x) => Value::Real(*x),
        Dynamic::Decimal(text) => Value::Decimal(text.clone()),
        Dynamic::DateTime(ticks) => Value::DateTime(*ticks),
        Dynamic::TimeSpan(ticks) => Value::TimeSpan(*ticks),
        Dynamic::Guid(text) => Value::Guid(text.clone()),
        Dynamic::String(text) => Value::String(text.clone()),
        other => Value::Dynamic(other.clone()),
    }
}

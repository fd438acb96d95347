//! Values compared, ordered, converted and told apart.

use std::cmp::Ordering;

use kql_types::{Dynamic, ScalarType, Value, datetime, number, timespan};

use crate::{Done, not_done};

pub fn is_null(value: &Value) -> bool {
    matches!(value, Value::Null(_) | Value::Dynamic(Dynamic::Null))
}

/// A dynamic scalar as the plain value that it is; anything else as it stands.
pub fn plain(value: &Value) -> Value {
    match value {
        Value::Dynamic(Dynamic::Null) => Value::Null(ScalarType::Dynamic),
        Value::Dynamic(Dynamic::Bool(value)) => Value::Bool(*value),
        Value::Dynamic(Dynamic::Long(value)) => Value::Long(*value),
        Value::Dynamic(Dynamic::Real(value)) => Value::Real(*value),
        Value::Dynamic(Dynamic::DateTime(value)) => Value::DateTime(*value),
        Value::Dynamic(Dynamic::TimeSpan(value)) => Value::TimeSpan(*value),
        Value::Dynamic(Dynamic::Guid(value)) => Value::Guid(value.clone()),
        Value::Dynamic(Dynamic::String(value)) => Value::String(value.clone()),
        other => other.clone(),
    }
}

/// A value as an element of a dynamic array or bag.
pub fn element(value: &Value) -> Dynamic {
    match value {
        Value::Null(_) => Dynamic::Null,
        Value::Bool(value) => Dynamic::Bool(*value),
        Value::Int(value) => Dynamic::Long(i64::from(*value)),
        Value::Long(value) => Dynamic::Long(*value),
        Value::Real(value) => Dynamic::Real(*value),
        Value::Decimal(value) => Dynamic::Decimal(value.clone()),
        Value::DateTime(value) => Dynamic::DateTime(*value),
        Value::TimeSpan(value) => Dynamic::TimeSpan(*value),
        Value::Guid(value) => Dynamic::Guid(value.clone()),
        Value::String(value) => Dynamic::String(value.clone()),
        Value::Dynamic(value) => value.clone(),
    }
}

/// What `tostring` gives; null is `""`. A bool prints as `True`, one inside a dynamic value as `true`.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null(_) => String::new(),
        Value::Bool(value) => if *value { "True" } else { "False" }.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Long(value) => value.to_string(),
        Value::Real(value) => number::format_real(*value),
        Value::Decimal(value) | Value::Guid(value) | Value::String(value) => value.clone(),
        Value::DateTime(value) => datetime::format(*value),
        Value::TimeSpan(value) => timespan::format(*value),
        Value::Dynamic(value) => value.to_text(),
    }
}

pub fn real(value: &Value) -> Option<f64> {
    match plain(value) {
        Value::Int(value) => Some(f64::from(value)),
        Value::Long(value) => Some(value as f64),
        Value::Real(value) => Some(value),
        Value::Decimal(value) => value.parse().ok(),
        _ => None,
    }
}

pub fn long(value: &Value) -> Option<i64> {
    match plain(value) {
        Value::Int(value) => Some(i64::from(value)),
        Value::Long(value) | Value::DateTime(value) | Value::TimeSpan(value) => Some(value),
        _ => None,
    }
}

pub fn truth(value: &Value) -> Option<bool> {
    match plain(value) {
        Value::Bool(value) => Some(value),
        _ => None,
    }
}

/// `==`: None where both are null, false where one is.
pub fn equal(left: &Value, right: &Value) -> Done<Option<bool>> {
    // A dynamic value equals a text when it prints as that, whatever the case of a bool.
    if let (Value::Dynamic(value), Value::String(text)) | (Value::String(text), Value::Dynamic(value)) = (left, right) {
        let printed = value.to_text();
        let flag = matches!(value, Dynamic::Bool(_)) && printed.eq_ignore_ascii_case(text);
        return Ok(Some(flag || printed == *text));
    }
    match (is_null(left), is_null(right)) {
        (true, true) => return Ok(None),
        (true, false) | (false, true) => return Ok(Some(false)),
        _ => {}
    }
    Ok(Some(match (plain(left), plain(right)) {
        (Value::Dynamic(left), Value::Dynamic(right)) => left.same(&right),
        (Value::Dynamic(_), _) | (_, Value::Dynamic(_)) => false,
        (Value::String(left), Value::String(right)) => left == right,
        (Value::Guid(left), Value::Guid(right)) => left == right,
        (Value::Guid(left), Value::String(right)) | (Value::String(right), Value::Guid(left)) => {
            left.eq_ignore_ascii_case(&right)
        }
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::DateTime(left), Value::DateTime(right)) | (Value::TimeSpan(left), Value::TimeSpan(right)) => {
            left == right
        }
        // A text beside a number: equal when it reads as that.
        (Value::String(text), number @ (Value::Int(_) | Value::Long(_) | Value::Real(_)))
        | (number @ (Value::Int(_) | Value::Long(_) | Value::Real(_)), Value::String(text)) => {
            number::parse_real(text.trim()).is_some_and(|read| real(&number) == Some(read))
        }
        (Value::Bool(flag), number) | (number, Value::Bool(flag)) if real(&number).is_some() => {
            real(&number) == Some(f64::from(u8::from(flag)))
        }
        (left, right) if real(&left).is_some() && real(&right).is_some() => {
            numbers(&left, &right) == Some(Ordering::Equal)
        }
        (left, right) => return not_done(format!("{} == {}", left.ty(), right.ty())),
    }))
}

/// Two numbers; None when one is none or NaN.
fn numbers(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(_) | Value::Long(_), Value::Int(_) | Value::Long(_)) => Some(long(left)?.cmp(&long(right)?)),
        _ => real(left)?.partial_cmp(&real(right)?),
    }
}

/// `<` and the like: None where a side is null.
pub fn order(left: &Value, right: &Value) -> Done<Option<Ordering>> {
    if is_null(left) || is_null(right) {
        return Ok(None);
    }
    Ok(match (plain(left), plain(right)) {
        (Value::String(left), Value::String(right)) | (Value::Guid(left), Value::Guid(right)) => Some(left.cmp(&right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(&right)),
        (Value::DateTime(left), Value::DateTime(right)) | (Value::TimeSpan(left), Value::TimeSpan(right)) => {
            Some(left.cmp(&right))
        }
        (left, right) if real(&left).is_some() && real(&right).is_some() => numbers(&left, &right),
        (left, right) => return not_done(format!("the order of {} and {}", left.ty(), right.ty())),
    })
}

/// A text that two values share exactly when grouping and joining see them as one.
pub fn key(value: &Value) -> String {
    match plain(value) {
        Value::Null(_) => "null".to_string(),
        Value::Dynamic(value) => format!("dynamic {}", value.to_canonical()),
        Value::Int(value) => format!("number {value}"),
        Value::Long(value) => format!("number {value}"),
        Value::Real(value) if value.fract() == 0.0 && value.abs() < 1e15 => format!("number {}", value as i64),
        Value::Real(value) => format!("number {value}"),
        Value::String(value) => format!("string {value}"),
        other => format!("{} {}", other.ty(), text(&other)),
    }
}

/// `toint(x)`, `todatetime(x)`, ... and the silent conversions.
pub fn convert(value: &Value, ty: ScalarType) -> Done<Value> {
    if value.ty() == ty && !is_null(value) {
        return Ok(value.clone());
    }
    if is_null(value) {
        return Ok(match ty {
            ScalarType::Dynamic => Value::Dynamic(Dynamic::Null),
            ty => Value::missing(ty),
        });
    }
    let made = match (ty, plain(value)) {
        (ScalarType::Dynamic, _) => Some(Value::Dynamic(element(value))),
        (ScalarType::String, _) => Some(Value::String(text(value))),
        (ScalarType::Bool, value) => to_bool(&value),
        (ScalarType::Int, value) => to_long(&value).and_then(|value| i32::try_from(value).ok()).map(Value::Int),
        (ScalarType::Long, value) => to_long(&value).map(Value::Long),
        (ScalarType::Real, Value::String(text)) => number::parse_real(text.trim()).map(Value::Real),
        (ScalarType::Real, Value::TimeSpan(_) | Value::DateTime(_)) => return not_done("a time as real"),
        (ScalarType::Real, Value::Bool(value)) => Some(Value::Real(f64::from(u8::from(value)))),
        (ScalarType::Real, value) => real(&value).map(Value::Real),
        (ScalarType::DateTime, Value::String(text)) => datetime::parse(&text).map(Value::DateTime),
        (ScalarType::DateTime, Value::DateTime(value)) => Some(Value::DateTime(value)),
        (ScalarType::DateTime, Value::Long(value)) => datetime::checked(value).map(Value::DateTime),
        (ScalarType::TimeSpan, Value::String(text)) => timespan::parse(&text).map(Value::TimeSpan),
        (ScalarType::TimeSpan, Value::TimeSpan(value)) => Some(Value::TimeSpan(value)),
        (ScalarType::Guid, Value::String(text)) => kql_types::guid::parse(&text).map(Value::Guid),
        (ScalarType::Guid, Value::Guid(text)) => Some(Value::Guid(text)),
        (ty, value) => return not_done(format!("{} to {ty}", value.ty())),
    };
    Ok(made.unwrap_or(Value::Null(ty)))
}

fn to_bool(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(value) => Some(Value::Bool(*value)),
        Value::String(text) => match text.trim().to_lowercase().as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            other => number::parse_long(other).map(|value| Value::Bool(value != 0)),
        },
        other => real(other).map(|value| Value::Bool(value != 0.0)),
    }
}

fn to_long(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(value) => Some(i64::from(*value)),
        Value::Int(value) => Some(i64::from(*value)),
        Value::Long(value) | Value::DateTime(value) | Value::TimeSpan(value) => Some(*value),
        Value::Real(value) if value.is_finite() && value.abs() < 9e18 => Some(value.trunc() as i64),
        // Of text only whole numbers: `toint("42.0")` is null, as recorded.
        Value::String(text) => number::parse_long(text.trim()),
        _ => None,
    }
}

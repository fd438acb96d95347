//! Cells of results as text and as JSON, the same in alerts, reports and query output.
//!
//! Values print as the service's REST answers do: datetimes with seven digits and `Z`, timespans and decimals as text,
//! not-a-number and infinities as text, dynamic values as JSON.

use kql_types::{Dynamic, Value, datetime, number, timespan};
use serde_json::{Map, Number};

/// What `tostring` gives: null is empty text.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null(_) => String::new(),
        Value::Bool(value) => if *value { "True" } else { "False" }.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Long(value) => value.to_string(),
        Value::Real(value) => number::format_real(*value),
        Value::Decimal(text) | Value::Guid(text) | Value::String(text) => text.clone(),
        Value::DateTime(ticks) => datetime::format(*ticks),
        Value::TimeSpan(ticks) => timespan::format(*ticks),
        Value::Dynamic(value) => value.to_text(),
    }
}

/// The value as JSON.
pub fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null(_) => serde_json::Value::Null,
        Value::Bool(value) => serde_json::Value::Bool(*value),
        Value::Int(value) => serde_json::Value::from(*value),
        Value::Long(value) => serde_json::Value::from(*value),
        Value::Real(value) => real(*value),
        Value::Decimal(_) | Value::Guid(_) | Value::String(_) | Value::DateTime(_) | Value::TimeSpan(_) => {
            serde_json::Value::String(text(value))
        }
        Value::Dynamic(value) => dynamic(value),
    }
}

fn real(value: f64) -> serde_json::Value {
    match Number::from_f64(value) {
        Some(number) => serde_json::Value::Number(number),
        None => serde_json::Value::String(number::format_real(value)),
    }
}

fn dynamic(value: &Dynamic) -> serde_json::Value {
    match value {
        Dynamic::Null => serde_json::Value::Null,
        Dynamic::Bool(value) => serde_json::Value::Bool(*value),
        Dynamic::Long(value) => serde_json::Value::from(*value),
        Dynamic::Real(value) => real(*value),
        Dynamic::Decimal(text) | Dynamic::Guid(text) | Dynamic::String(text) => serde_json::Value::String(text.clone()),
        Dynamic::DateTime(ticks) => serde_json::Value::String(datetime::format(*ticks)),
        Dynamic::TimeSpan(ticks) => serde_json::Value::String(timespan::format(*ticks)),
        Dynamic::Array(items) => serde_json::Value::Array(items.iter().map(dynamic).collect()),
        Dynamic::Bag(entries) => {
            let map: Map<_, _> = entries.iter().map(|(key, value)| (key.clone(), dynamic(value))).collect();
            serde_json::Value::Object(map)
        }
    }
}

/// Whether the cell says nothing: null, or empty text.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null(_) | Value::Dynamic(Dynamic::Null) => true,
        Value::String(text) | Value::Dynamic(Dynamic::String(text)) => text.is_empty(),
        _ => false,
    }
}

/// The texts a cell stands for: one, or one per item of a list of scalars.
pub fn texts(value: &Value) -> Vec<String> {
    let all = match value {
        Value::Dynamic(Dynamic::Array(items))
            if items.iter().all(|item| !matches!(item, Dynamic::Array(_) | Dynamic::Bag(_))) =>
        {
            items.iter().map(Dynamic::to_text).collect()
        }
        other => vec![text(other)],
    };
    all.into_iter().filter(|text| !text.trim().is_empty()).collect()
}

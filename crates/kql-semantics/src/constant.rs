//! Values of constant expressions that must be known while binding: cells of `datatable`, addresses, names.

use kql_types::{Dynamic, ScalarType, Value, datetime, guid, number, timespan};

use crate::bound::{Expr, ExprKind};
use crate::expr::as_dynamic;

/// The value of an expression made of literals by `strcat`, conversions and packing; None for others.
pub(crate) fn value(expr: &Expr) -> Option<Value> {
    match &expr.kind {
        ExprKind::Literal(value) => Some(value.clone()),
        ExprKind::Convert(inner) => converted(&value(inner)?, expr.ty),
        ExprKind::Call { function, args } => {
            let args: Vec<Value> = args.iter().map(value).collect::<Option<_>>()?;
            match function.name {
                "strcat" => Some(Value::String(args.iter().map(text).collect::<Option<Vec<_>>>()?.concat())),
                "tostring" => args.first().and_then(text).map(Value::String),
                "tolower" => args.first().and_then(text).map(|text| Value::String(text.to_lowercase())),
                "toupper" => args.first().and_then(text).map(|text| Value::String(text.to_uppercase())),
                "strcat_delim" => {
                    let texts = args.iter().map(text).collect::<Option<Vec<_>>>()?;
                    let (delimiter, parts) = texts.split_first()?;
                    Some(Value::String(parts.join(delimiter)))
                }
                "pack_array" => Some(Value::Dynamic(Dynamic::Array(args.iter().map(as_dynamic).collect()))),
                "todatetime" | "totimespan" | "tolong" | "toint" | "toreal" | "todouble" | "tobool" | "toguid"
                | "todecimal" => converted(args.first()?, expr.ty),
                _ => None,
            }
        }
        _ => None,
    }
}

fn text(value: &Value) -> Option<String> {
    Some(match value {
        Value::String(text) => text.clone(),
        Value::Long(n) => n.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Bool(b) => b.to_string(),
        Value::DateTime(ticks) => datetime::format(*ticks),
        Value::TimeSpan(ticks) => timespan::format(*ticks),
        Value::Real(x) => number::format_real(*x),
        Value::Guid(text) | Value::Decimal(text) => text.clone(),
        Value::Null(_) => String::new(),
        Value::Dynamic(value) => value.to_text(),
    })
}

/// A constant as a value of another type, as a cell of `datatable` becomes one: text is read, numbers convert.
pub(crate) fn converted(value: &Value, to: ScalarType) -> Option<Value> {
    if value.ty() == to {
        return Some(value.clone());
    }
    let null = Value::missing(to);
    Some(match (value, to) {
        (Value::Null(_), _) => null,
        (_, ScalarType::Unknown) => value.clone(),
        (_, ScalarType::Dynamic) => match as_dynamic(value) {
            Dynamic::Null => null,
            value => Value::Dynamic(value),
        },
        (_, ScalarType::String) => Value::String(text(value)?),
        (Value::String(s), ScalarType::DateTime) => datetime::parse(s).map_or(null, Value::DateTime),
        (Value::String(s), ScalarType::TimeSpan) => timespan::parse(s).map_or(null, Value::TimeSpan),
        (Value::String(s), ScalarType::Long) => number::parse_long(s).map_or(null, Value::Long),
        (Value::String(s), ScalarType::Int) => number::parse_int(s).map_or(null, Value::Int),
        (Value::String(s), ScalarType::Real) => number::parse_real(s).map_or(null, Value::Real),
        (Value::String(s), ScalarType::Decimal) => number::parse_decimal(s).map_or(null, Value::Decimal),
        (Value::String(s), ScalarType::Guid) => guid::parse(s).map_or(null, Value::Guid),
        (Value::String(s), ScalarType::Bool) => match s.to_ascii_lowercase().as_str() {
            "true" | "1" => Value::Bool(true),
            "false" | "0" => Value::Bool(false),
            _ => null,
        },
        (Value::Bool(b), ScalarType::Long) => Value::Long(i64::from(*b)),
        (Value::Bool(b), ScalarType::Int) => Value::Int(i32::from(*b)),
        (Value::Bool(b), ScalarType::Real) => Value::Real(f64::from(u8::from(*b))),
        (Value::Int(n), _) => from_long(i64::from(*n), to)?,
        (Value::Long(n), _) => from_long(*n, to)?,
        (Value::Real(x), ScalarType::Long) => Value::Long(*x as i64),
        (Value::Real(x), ScalarType::Int) => Value::Int(*x as i32),
        (Value::Real(x), ScalarType::Decimal) => number::parse_decimal(&number::format_real(*x)).map(Value::Decimal)?,
        (Value::Decimal(text), ScalarType::Real) => number::parse_real(text).map(Value::Real)?,
        _ => return None,
    })
}

fn from_long(n: i64, to: ScalarType) -> Option<Value> {
    Some(match to {
        ScalarType::Long => Value::Long(n),
        ScalarType::Int => Value::Int(i32::try_from(n).ok()?),
        ScalarType::Real => Value::Real(n as f64),
        ScalarType::Decimal => Value::Decimal(n.to_string()),
        ScalarType::Bool => Value::Bool(n != 0),
        ScalarType::DateTime => Value::DateTime(n),
        ScalarType::TimeSpan => Value::TimeSpan(n),
        _ => return None,
    })
}

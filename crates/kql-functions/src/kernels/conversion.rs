//! Conversions between types: `tostring`, `tolong`, `todatetime`, ..., and the silent ones.
//!
//! [`convert`] reads its first argument and makes the call's result type of it, so that one kernel serves all names.
//! What can not be converted is null. Begin there.

use std::borrow::Cow;
use std::fmt::Write;

use kql_types::dynamic::{is_canonical_json, push_json_string};
use kql_types::{Dynamic, ScalarType, datetime, guid, number, timespan};

use super::dynamic_args::{Dynamics, Scalar, scalar};
use super::parts::Parts;
use super::{Args, KernelError, KernelResult, decimal};

/// Converts the first argument to the type of the result. A string becomes a dynamic string: [`parse_json`] reads JSON.
pub fn convert(args: &Args<'_>) -> KernelResult {
    let from = args.ty(0);
    if from == args.returns && !args.constant.first().copied().unwrap_or(false) {
        return args.columns.first().cloned().ok_or_else(|| KernelError("bug: a conversion of nothing".into()));
    }
    match args.returns {
        ScalarType::String => to_string(args),
        ScalarType::Int => to_int(args),
        ScalarType::Long => to_long(args),
        ScalarType::Real => to_real(args),
        ScalarType::Bool => to_bool(args),
        ScalarType::DateTime => to_datetime(args),
        ScalarType::TimeSpan => to_timespan(args),
        ScalarType::Decimal => to_decimal(args),
        ScalarType::Guid => to_guid(args),
        ScalarType::Dynamic => to_dynamic(args),
        ScalarType::Unknown => Err(KernelError("bug: a conversion to an unknown type".into())),
    }
}

fn to_string(args: &Args<'_>) -> KernelResult {
    let value = args.printed(0)?;
    args.to_texts(|row, out| value.write(row, out))
}

fn to_int(args: &Args<'_>) -> KernelResult {
    match args.ty(0) {
        ScalarType::String => {
            let texts = args.text(0)?;
            args.to_ints(|row| number::parse_int(texts.at(row)))
        }
        ScalarType::Int => {
            let values = args.int(0)?;
            args.to_ints(|row| values.opt(row))
        }
        ScalarType::Dynamic => {
            let texts = args.text(0)?;
            let longs = Longs::of(args)?;
            args.to_ints(|row| match texts.opt(row).map(scalar) {
                Some(Scalar::Text(text)) => number::parse_int(&text),
                _ => longs.at(row).map(|value| value as i32),
            })
        }
        // `toint(2147483648)` keeps the low 32 bits: -2147483648.
        _ => {
            let longs = Longs::of(args)?;
            args.to_ints(|row| longs.at(row).map(|value| value as i32))
        }
    }
}

fn to_long(args: &Args<'_>) -> KernelResult {
    let longs = Longs::of(args)?;
    args.to_longs(|row| longs.at(row))
}

/// The first argument read as long.
struct Longs<'a> {
    source: Dynamics<'a>,
    /// A constant real beyond 64 bits is folded to the least long, a column saturates:
    /// `print tolong(1e30)` against `datatable(r:real)[1e30] | extend tolong(r)`.
    folded: bool,
}

impl<'a> Longs<'a> {
    fn of(args: &Args<'a>) -> Result<Longs<'a>, KernelError> {
        Ok(Longs { source: Dynamics::of(args, 0)?, folded: args.constant.first().copied().unwrap_or(false) })
    }

    fn at(&self, row: usize) -> Option<i64> {
        match &self.source {
            Dynamics::Bool(values) => values.opt(row).map(i64::from),
            Dynamics::Int(values) => values.opt(row).map(i64::from),
            Dynamics::Long(values) | Dynamics::DateTime(values) | Dynamics::TimeSpan(values) => values.opt(row),
            Dynamics::Real(values) => values.opt(row).and_then(|value| self.cut(value)),
            Dynamics::Decimal(values) => values.opt(row).map(decimal::to_long),
            Dynamics::String(texts) => number::parse_long(texts.at(row)),
            Dynamics::Dynamic(texts) => match scalar(texts.opt(row)?) {
                Scalar::Bool(value) => Some(i64::from(value)),
                Scalar::Long(value) => Some(value),
                Scalar::Real(value) => self.cut(value),
                Scalar::Text(text) => number::parse_long(&text),
                Scalar::Other(Dynamic::DateTime(ticks) | Dynamic::TimeSpan(ticks)) => Some(ticks),
                Scalar::Other(Dynamic::Decimal(text)) => decimal::parse(&text).map(decimal::to_long),
                Scalar::Other(_) | Scalar::Null | Scalar::Array | Scalar::Bag => None,
            },
            Dynamics::Guid(_) | Dynamics::Absent => None,
        }
    }

    fn cut(&self, value: f64) -> Option<i64> {
        const LIMIT: f64 = 9_223_372_036_854_775_808.0;
        if !value.is_finite() {
            return None;
        }
        if self.folded && value >= LIMIT {
            return Some(i64::MIN);
        }
        Some(value as i64)
    }
}

fn to_real(args: &Args<'_>) -> KernelResult {
    let source = Dynamics::of(args, 0)?;
    args.to_reals(|row| real_at(&source, row))
}

/// An argument's row read as real.
pub fn real_at(source: &Dynamics<'_>, row: usize) -> Option<f64> {
    match source {
        Dynamics::Bool(values) => values.opt(row).map(|value| f64::from(u8::from(value))),
        Dynamics::Int(values) => values.opt(row).map(f64::from),
        Dynamics::Long(values) | Dynamics::DateTime(values) | Dynamics::TimeSpan(values) => {
            values.opt(row).map(|value| value as f64)
        }
        Dynamics::Real(values) => values.opt(row),
        Dynamics::Decimal(values) => values.opt(row).map(decimal::to_real),
        Dynamics::String(texts) => number::parse_real(texts.at(row)),
        Dynamics::Dynamic(texts) => match scalar(texts.opt(row)?) {
            Scalar::Bool(value) => Some(f64::from(u8::from(value))),
            Scalar::Long(value) => Some(value as f64),
            Scalar::Real(value) => Some(value),
            Scalar::Text(text) => number::parse_real(&text),
            Scalar::Other(Dynamic::DateTime(ticks) | Dynamic::TimeSpan(ticks)) => Some(ticks as f64),
            Scalar::Other(value) => value.as_real(),
            Scalar::Null | Scalar::Array | Scalar::Bag => None,
        },
        Dynamics::Guid(_) | Dynamics::Absent => None,
    }
}

/// `true` and `false` in any case without blanks around, or a whole number.
pub fn parse_bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        return Some(true);
    }
    if text.eq_ignore_ascii_case("false") {
        return Some(false);
    }
    number::parse_long(text).map(|value| value != 0)
}

fn to_bool(args: &Args<'_>) -> KernelResult {
    let source = Dynamics::of(args, 0)?;
    args.to_bools(|row| bool_at(&source, row))
}

/// An argument's row read as bool.
pub fn bool_at(source: &Dynamics<'_>, row: usize) -> Option<bool> {
    match source {
        Dynamics::Bool(values) => values.opt(row),
        Dynamics::Int(values) => values.opt(row).map(|value| value != 0),
        Dynamics::Long(values) => values.opt(row).map(|value| value != 0),
        Dynamics::Real(values) => values.opt(row).map(|value| value != 0.0),
        Dynamics::Decimal(values) => values.opt(row).map(|value| value != arrow::datatypes::i256::ZERO),
        Dynamics::String(texts) => parse_bool(texts.at(row)),
        Dynamics::Dynamic(texts) => match scalar(texts.opt(row)?) {
            Scalar::Bool(value) => Some(value),
            Scalar::Long(value) => Some(value != 0),
            Scalar::Real(value) => Some(value != 0.0),
            Scalar::Text(text) => parse_bool(&text),
            Scalar::Other(_) | Scalar::Null | Scalar::Array | Scalar::Bag => None,
        },
        Dynamics::DateTime(_) | Dynamics::TimeSpan(_) | Dynamics::Guid(_) | Dynamics::Absent => None,
    }
}

fn to_datetime(args: &Args<'_>) -> KernelResult {
    let source = Dynamics::of(args, 0)?;
    args.to_longs(|row| datetime_at(&source, row))
}

/// An argument's row read as datetime; numbers are ticks.
pub fn datetime_at(source: &Dynamics<'_>, row: usize) -> Option<i64> {
    let ticks = match source {
        Dynamics::Int(values) => i64::from(values.opt(row)?),
        Dynamics::Long(values) | Dynamics::DateTime(values) => values.opt(row)?,
        Dynamics::Real(values) => values.opt(row).filter(|value| value.is_finite())? as i64,
        Dynamics::Decimal(values) => decimal::to_long(values.opt(row)?),
        Dynamics::String(texts) => datetime::parse(texts.at(row))?,
        Dynamics::Dynamic(texts) => match scalar(texts.opt(row)?) {
            Scalar::Long(ticks) => ticks,
            Scalar::Real(ticks) if ticks.is_finite() => ticks as i64,
            Scalar::Text(text) => datetime::parse(&text)?,
            Scalar::Other(Dynamic::DateTime(ticks)) => ticks,
            _ => return None,
        },
        _ => return None,
    };
    datetime::checked(ticks)
}

fn to_timespan(args: &Args<'_>) -> KernelResult {
    let source = Dynamics::of(args, 0)?;
    args.to_longs(|row| timespan_at(&source, row))
}

/// An argument's row read as timespan; numbers are ticks.
pub fn timespan_at(source: &Dynamics<'_>, row: usize) -> Option<i64> {
    match source {
        Dynamics::Int(values) => values.opt(row).map(i64::from),
        Dynamics::Long(values) | Dynamics::TimeSpan(values) => values.opt(row),
        Dynamics::Real(values) => values.opt(row).filter(|value| value.is_finite()).map(|value| value as i64),
        Dynamics::Decimal(values) => values.opt(row).map(decimal::to_long),
        Dynamics::String(texts) => timespan::parse(texts.at(row)),
        Dynamics::Dynamic(texts) => match scalar(texts.opt(row)?) {
            Scalar::Long(ticks) => Some(ticks),
            Scalar::Real(ticks) if ticks.is_finite() => Some(ticks as i64),
            Scalar::Text(text) => timespan::parse(&text),
            Scalar::Other(Dynamic::TimeSpan(ticks)) => Some(ticks),
            _ => None,
        },
        _ => None,
    }
}

fn to_decimal(args: &Args<'_>) -> KernelResult {
    let source = Dynamics::of(args, 0)?;
    args.to_decimals(|row| decimal_at(&source, row))
}

/// An argument's row read as decimal.
pub fn decimal_at(source: &Dynamics<'_>, row: usize) -> Option<arrow::datatypes::i256> {
    match source {
        Dynamics::Bool(values) => values.opt(row).map(|value| decimal::from_long(i64::from(value))),
        Dynamics::Int(values) => values.opt(row).map(|value| decimal::from_long(i64::from(value))),
        Dynamics::Long(values) | Dynamics::DateTime(values) | Dynamics::TimeSpan(values) => {
            values.opt(row).map(decimal::from_long)
        }
        Dynamics::Real(values) => values.opt(row).and_then(decimal::from_real),
        Dynamics::Decimal(values) => values.opt(row),
        Dynamics::String(texts) => decimal::parse(texts.at(row)),
        Dynamics::Dynamic(texts) => match scalar(texts.opt(row)?) {
            Scalar::Bool(value) => Some(decimal::from_long(i64::from(value))),
            Scalar::Long(value) => Some(decimal::from_long(value)),
            Scalar::Real(value) => decimal::from_real(value),
            Scalar::Text(text) => decimal::parse(&text),
            Scalar::Other(Dynamic::Decimal(text)) => decimal::parse(&text),
            Scalar::Other(_) | Scalar::Null | Scalar::Array | Scalar::Bag => None,
        },
        Dynamics::Guid(_) | Dynamics::Absent => None,
    }
}

fn to_guid(args: &Args<'_>) -> KernelResult {
    let source = Dynamics::of(args, 0)?;
    args.to_dynamics(|row, out| {
        let guid = match &source {
            Dynamics::String(texts) => guid::parse(texts.at(row))?,
            Dynamics::Guid(texts) => texts.opt(row)?.to_owned(),
            Dynamics::Dynamic(texts) => match scalar(texts.opt(row)?) {
                Scalar::Text(text) => guid::parse(&text)?,
                Scalar::Other(Dynamic::Guid(text)) => text,
                _ => return None,
            },
            _ => return None,
        };
        out.push_str(&guid);
        Some(())
    })
}

/// Any value as it is, as dynamic.
fn to_dynamic(args: &Args<'_>) -> KernelResult {
    let source = Dynamics::of(args, 0)?;
    args.to_dynamics(|row, out| {
        source.write(row, out);
        (out != "null").then_some(())
    })
}

/// `parse_json(text)`: JSON; text that is not JSON is a dynamic string, empty text is null. Other types as they are.
pub fn parse_json(args: &Args<'_>) -> KernelResult {
    if args.ty(0) != ScalarType::String {
        return to_dynamic_or_same(args);
    }
    let texts = args.text(0)?;
    Parts::collect(args, &texts, |row| {
        let text = texts.at(row);
        if text.is_empty() || text == "null" {
            return None;
        }
        // Most logs are written compactly: such text is shared as it stands.
        if is_canonical_json(text) {
            return Some(Cow::Borrowed(text));
        }
        let mut out = String::new();
        match Dynamic::parse_json(text) {
            Some(Dynamic::Null) => return None,
            Some(value) => value.write_canonical(&mut out),
            None => push_json_string(text, &mut out),
        }
        Some(Cow::Owned(out))
    })
}

fn to_dynamic_or_same(args: &Args<'_>) -> KernelResult {
    let constant = args.constant.first().copied().unwrap_or(false);
    match args.columns.first() {
        Some(column) if args.ty(0) == ScalarType::Dynamic && !constant => Ok(column.clone()),
        _ => to_dynamic(args),
    }
}

/// `gettype(value)`
pub fn gettype(args: &Args<'_>) -> KernelResult {
    if args.ty(0) != ScalarType::Dynamic {
        let name = args.ty(0).name();
        return args.to_texts(|_, out| out.push_str(name));
    }
    let texts = args.text(0)?;
    args.to_texts(|row, out| {
        out.push_str(match texts.opt(row).map(scalar) {
            None | Some(Scalar::Null) => "null",
            Some(Scalar::Bool(_)) => "bool",
            Some(Scalar::Long(_)) => "long",
            Some(Scalar::Real(_)) => "double",
            Some(Scalar::Text(_)) => "string",
            Some(Scalar::Other(value)) => value.type_name(),
            Some(Scalar::Array) => "array",
            Some(Scalar::Bag) => "dictionary",
        })
    })
}

/// `tohex(value, minLength)`: an int prints as 32 bits, a long as 64.
pub fn tohex(args: &Args<'_>) -> KernelResult {
    let width = args.long_or(1, 0)?;
    let width = |row| width.opt(row).unwrap_or(0).clamp(0, 64) as usize;
    if args.ty(0) == ScalarType::Int {
        let values = args.int(0)?;
        return args.to_texts(|row, out| {
            if let Some(value) = values.opt(row) {
                let _ = write!(out, "{value:0width$x}", width = width(row));
            }
        });
    }
    let longs = Longs::of(args)?;
    args.to_texts(|row, out| {
        if let Some(value) = longs.at(row) {
            let _ = write!(out, "{value:0width$x}", width = width(row));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType::{Bool, DateTime, Int, Long, Real, String, TimeSpan};

    fn to(cell: Cell, ty: ScalarType) -> Cell {
        call(convert, &[cell], ty)
    }

    #[test]
    fn whole_numbers() {
        assert_eq!(to(" 123 ".into(), Int), Cell::Int(123));
        assert_eq!(to("12.5".into(), Int), Cell::Null);
        assert_eq!(to((-2.9).into(), Long), Cell::Long(-2));
        assert_eq!(to(f64::INFINITY.into(), Long), Cell::Null);
        assert_eq!(to(2_147_483_648_i64.into(), Int), Cell::Int(i32::MIN));
        assert_eq!(to(Cell::Bool(true), Long), Cell::Long(1));
        assert_eq!(to(Cell::dynamic("1.9"), Int), Cell::Int(1));
        assert_eq!(to(Cell::dynamic("\"0x10\""), Long), Cell::Long(16));
        assert_eq!(to(Cell::dynamic("[1]"), Long), Cell::Null);
        assert_eq!(to(Cell::DateTime(0), Long), Cell::Long(0));
    }

    #[test]
    fn reals_and_bools() {
        assert_eq!(to("1e3".into(), Real), Cell::Real(1000.0));
        assert_eq!(to(Cell::dynamic("true"), Real), Cell::Real(1.0));
        assert_eq!(to("tRuE".into(), Bool), Cell::Bool(true));
        assert_eq!(to(" true".into(), Bool), Cell::Null);
        assert_eq!(to("-1".into(), Bool), Cell::Bool(true));
        assert_eq!(to("1.0".into(), Bool), Cell::Null);
        assert_eq!(to(Cell::dynamic("\"false\""), Bool), Cell::Bool(false));
    }

    #[test]
    fn text() {
        assert_eq!(to(Cell::Bool(true), String), "True".into());
        assert_eq!(to(Cell::dynamic("true"), String), "true".into());
        assert_eq!(to(Cell::dynamic("\"a\\nb\""), String), "a\nb".into());
        assert_eq!(to(Cell::Dynamic(None), String), "".into());
        assert_eq!(to(1.0.into(), String), "1.0".into());
        assert_eq!(to(Cell::dynamic("[\"\u{E000}t01:00:00\"]"), String), "[\"01:00:00\"]".into());
    }

    #[test]
    fn times() {
        let moment = datetime::parse("2024-02-29 10:30").unwrap();
        assert_eq!(to("2024-02-29 10:30".into(), DateTime), Cell::Long(moment));
        assert_eq!(to(Cell::Long(moment), DateTime), Cell::Long(moment));
        assert_eq!(to((-1).into(), DateTime), Cell::Null);
        assert_eq!(to("not a date".into(), DateTime), Cell::Null);
        assert_eq!(to("90s".into(), TimeSpan), Cell::Long(900_000_000));
        assert_eq!(to(Cell::dynamic("\"01:00:00\""), TimeSpan), Cell::Long(36_000_000_000));
    }

    #[test]
    fn json_and_dynamic() {
        let json = |text: &str| call(parse_json, &[text.into()], ScalarType::Dynamic);
        assert_eq!(json(r#"{"b": 1, "a": 2.50, "b": 3}"#), r#"{"b":3,"a":2.5}"#.into());
        assert_eq!(json("no JSON"), "\"no JSON\"".into());
        assert_eq!(json("null"), Cell::Null);
        assert_eq!(json(""), Cell::Null);
        // The silent conversion of a string does not read it.
        assert_eq!(to("[1]".into(), ScalarType::Dynamic), "\"[1]\"".into());
        assert_eq!(to(Cell::Long(5), ScalarType::Dynamic), "5".into());
        assert_eq!(call(gettype, &[Cell::dynamic("1.5")], String), "double".into());
        assert_eq!(call(gettype, &[Cell::Dynamic(None)], String), "null".into());
        assert_eq!(call(gettype, &[1.5.into()], String), "real".into());
        assert_eq!(call(tohex, &[Cell::Int(-256), 8.into()], String), "ffffff00".into());
        assert_eq!(call(tohex, &[Cell::Long(-256)], String), "ffffffffffffff00".into());
    }
}

//! Paths into dynamic values: `d.a[0]["b"]`.
//!
//! The base is a dynamic (canonical text) or a string, which is JSON as logged: `path(s, "a")` is
//! `parse_json(s).a` without the parsing. The result is what the call asks for: a dynamic, or the value at once as
//! string, long, real, bool, datetime or timespan, as `tostring(d.a)`, `tolong(d.a)`... would give it. Parts of the
//! text are shared with the source, not copied.

use std::borrow::Cow;

use kql_types::{Dynamic, ScalarType, datetime, number, timespan};

use super::access::Text;
use super::conversion::{convert, parse_bool};
use super::dynamic_args::{Dynamics, Scalar, scalar};
use super::json_scan::{Step, canonical, find_canonical, find_raw};
use super::parts::Parts;
use super::printed::write_dynamic;
use super::{Args, KernelError, KernelResult};

/// `path(base, step, ...)`: steps are keys (strings), places (whole numbers) or dynamic values of these.
pub fn path(args: &Args<'_>) -> KernelResult {
    let base = args.text(0)?;
    let form = if args.ty(0) == ScalarType::String { Form::Raw } else { Form::Canonical };
    let steps = Steps::of(args)?;
    let find = |row: usize| {
        let text = base.opt(row)?;
        if text.is_empty() {
            return None;
        }
        let found = form.find(text, &steps.at(row)?)?;
        if found == "null" { None } else { Some(found) }
    };
    emit(args, &base, matches!(steps, Steps::Constant(_)), find)
}

/// Makes the result of a call from the canonical text found in each row, a part of the row's text of `base` where it
/// is borrowed. With `alone`, that text says it all: a text that comes again is not searched again.
pub fn emit<'t>(
    args: &Args<'_>,
    base: &Text<'t>,
    alone: bool,
    find: impl Fn(usize) -> Option<Cow<'t, str>>,
) -> KernelResult {
    let text = |row: usize| Some(find(row).map_or(Cow::Borrowed(""), text_of));
    match args.returns {
        ScalarType::Dynamic if alone => Parts::collect_by_text(args, base, find),
        ScalarType::String if alone => Parts::collect_by_text(args, base, text),
        ScalarType::Dynamic => Parts::collect(args, base, find),
        ScalarType::String => Parts::collect(args, base, text),
        ScalarType::Long => args.to_longs(|row| long_of(&find(row)?)),
        ScalarType::Int => args.to_ints(|row| {
            let found = find(row)?;
            match scalar(&found) {
                Scalar::Text(text) => number::parse_int(&text),
                _ => long_of(&found).map(|value| value as i32),
            }
        }),
        ScalarType::Real => args.to_reals(|row| real_of(&find(row)?)),
        ScalarType::Bool => args.to_bools(|row| bool_of(&find(row)?)),
        ScalarType::DateTime => args.to_longs(|row| datetime_of(&find(row)?)),
        ScalarType::TimeSpan => args.to_longs(|row| timespan_of(&find(row)?)),
        _ => {
            let found = [Parts::collect(args, base, find)?];
            convert(&Args {
                columns: &found,
                constant: &[false],
                types: &[ScalarType::Dynamic],
                returns: args.returns,
                rows: args.rows,
            })
        }
    }
}

/// How the text of the base is written.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    Canonical,
    Raw,
}

impl Form {
    /// The canonical text at the path.
    pub fn find<'a>(self, text: &'a str, steps: &[Step]) -> Option<Cow<'a, str>> {
        match self {
            Form::Canonical => find_canonical(text, steps).map(Cow::Borrowed),
            Form::Raw if !super::switches::lazy_paths() => {
                find_canonical(&canonical(text), steps).map(|found| Cow::Owned(found.to_owned()))
            }
            Form::Raw => find_raw(text, steps).map(canonical),
        }
    }
}

/// The steps of a call: the same in all rows, or computed.
enum Steps<'a> {
    Constant(Vec<Step>),
    /// None in a row where a step is neither key nor place.
    Computed(Vec<Dynamics<'a>>),
}

impl<'a> Steps<'a> {
    fn of(args: &Args<'a>) -> Result<Steps<'a>, KernelError> {
        let sources = Dynamics::from(args, 1)?;
        if args.constant.iter().skip(1).all(|constant| *constant) {
            let steps: Option<Vec<Step>> = sources.iter().map(|source| step(&source.at(0))).collect();
            if let Some(steps) = steps {
                return Ok(Steps::Constant(steps));
            }
        }
        Ok(Steps::Computed(sources))
    }

    fn at(&self, row: usize) -> Option<Cow<'_, [Step]>> {
        match self {
            Steps::Constant(steps) => Some(Cow::Borrowed(steps)),
            Steps::Computed(sources) => {
                sources.iter().map(|source| step(&source.at(row))).collect::<Option<Vec<_>>>().map(Cow::Owned)
            }
        }
    }
}

fn step(value: &Dynamic) -> Option<Step> {
    match value {
        Dynamic::String(key) | Dynamic::Guid(key) => Some(Step::key(key)),
        Dynamic::Long(index) => Some(Step::Index(*index)),
        Dynamic::Real(index) if index.is_finite() => Some(Step::Index(*index as i64)),
        _ => None,
    }
}

/// What `tostring` gives for canonical text.
fn text_of(canonical: Cow<'_, str>) -> Cow<'_, str> {
    if let Cow::Borrowed(text) = canonical
        && let Scalar::Text(Cow::Borrowed(inner)) = scalar(text)
    {
        return Cow::Borrowed(inner);
    }
    let mut out = String::new();
    write_dynamic(&canonical, &mut out);
    Cow::Owned(out)
}

fn long_of(canonical: &str) -> Option<i64> {
    match scalar(canonical) {
        Scalar::Bool(value) => Some(i64::from(value)),
        Scalar::Long(value) => Some(value),
        Scalar::Real(value) if value.is_finite() => Some(value as i64),
        Scalar::Text(text) => number::parse_long(&text),
        Scalar::Other(Dynamic::DateTime(ticks) | Dynamic::TimeSpan(ticks)) => Some(ticks),
        _ => None,
    }
}

fn real_of(canonical: &str) -> Option<f64> {
    match scalar(canonical) {
        Scalar::Bool(value) => Some(f64::from(u8::from(value))),
        Scalar::Long(value) => Some(value as f64),
        Scalar::Real(value) => Some(value),
        Scalar::Text(text) => number::parse_real(&text),
        Scalar::Other(Dynamic::DateTime(ticks) | Dynamic::TimeSpan(ticks)) => Some(ticks as f64),
        Scalar::Other(value) => value.as_real(),
        _ => None,
    }
}

fn bool_of(canonical: &str) -> Option<bool> {
    match scalar(canonical) {
        Scalar::Bool(value) => Some(value),
        Scalar::Long(value) => Some(value != 0),
        Scalar::Real(value) => Some(value != 0.0),
        Scalar::Text(text) => parse_bool(&text),
        _ => None,
    }
}

fn datetime_of(canonical: &str) -> Option<i64> {
    let ticks = match scalar(canonical) {
        Scalar::Long(ticks) => ticks,
        Scalar::Text(text) => datetime::parse(&text)?,
        Scalar::Other(Dynamic::DateTime(ticks)) => ticks,
        _ => return None,
    };
    datetime::checked(ticks)
}

fn timespan_of(canonical: &str) -> Option<i64> {
    match scalar(canonical) {
        Scalar::Long(ticks) => Some(ticks),
        Scalar::Text(text) => timespan::parse(&text),
        Scalar::Other(Dynamic::TimeSpan(ticks)) => Some(ticks),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};

    const LOG: &str = r#"{"user": {"name": "somebody with a long name", "id": 7}, "tags": ["a", "b"], "ok": "True",
        "when": "2024-05-06T10:00:00Z", "score": 1.50, "note": "line\nbreak"}"#;

    #[test]
    fn raw_text() {
        let get = |steps: &[Cell], ty| call(path, &[&[Cell::from(LOG)], steps].concat(), ty);
        assert_eq!(get(&["user".into(), "name".into()], ScalarType::String), "somebody with a long name".into());
        assert_eq!(get(&["user".into(), "name".into()], ScalarType::Dynamic), "\"somebody with a long name\"".into());
        assert_eq!(get(&["user".into(), "id".into()], ScalarType::Long), Cell::Long(7));
        assert_eq!(get(&["tags".into(), Cell::Long(-1)], ScalarType::String), "b".into());
        assert_eq!(get(&["ok".into()], ScalarType::Bool), Cell::Bool(true));
        assert_eq!(get(&["score".into()], ScalarType::Real), Cell::Real(1.5));
        assert_eq!(get(&["score".into()], ScalarType::String), "1.5".into());
        assert_eq!(get(&["note".into()], ScalarType::String), "line\nbreak".into());
        assert_eq!(get(&["none".into()], ScalarType::String), "".into());
        assert_eq!(get(&["none".into()], ScalarType::Dynamic), Cell::Null);
        assert_eq!(get(&["tags".into()], ScalarType::Dynamic), r#"["a","b"]"#.into());
        assert_eq!(
            get(&["when".into()], ScalarType::DateTime),
            Cell::Long(datetime::parse("2024-05-06 10:00").unwrap())
        );
    }

    #[test]
    fn canonical_text_and_computed_steps() {
        let base = Cell::dynamic(r#"{"a":{"b":[1,2,{"c":"x"}]},"n":null}"#);
        let get = |steps: &[Cell], ty| call(path, &[std::slice::from_ref(&base), steps].concat(), ty);
        assert_eq!(get(&["a".into(), "b".into(), Cell::Long(0)], ScalarType::Dynamic), "1".into());
        assert_eq!(
            get(&["a".into(), Cell::dynamic("\"b\""), Cell::dynamic("-1"), "c".into()], ScalarType::String),
            "x".into()
        );
        assert_eq!(get(&["n".into()], ScalarType::Dynamic), Cell::Null);
        assert_eq!(get(&[Cell::Bool(true)], ScalarType::Dynamic), Cell::Null);
        assert_eq!(get(&[], ScalarType::String), r#"{"a":{"b":[1,2,{"c":"x"}]},"n":null}"#.into());
        assert_eq!(call(path, &[Cell::from("not JSON"), "a".into()], ScalarType::Dynamic), Cell::Null);
    }
}

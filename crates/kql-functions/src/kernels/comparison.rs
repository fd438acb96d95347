//! The operators `== != < <= > >=` and `around`.
//!
//! `==` is null only where both sides are; one null is false (`!=` true). The ordered ones are null where a side is.
//! NaN equals nothing and is neither less nor greater.

use std::cmp::Ordering;

use arrow::array::{Array, StringViewArray};
use kql_types::{Dynamic, ScalarType, guid};

use super::conversion::{bool_at, datetime_at, decimal_at, real_at, timespan_at};
use super::dynamic_args::{Dynamics, Scalar, scalar};
use super::printed::write_dynamic;
use super::{Args, KernelResult};

pub fn equal(args: &Args<'_>) -> KernelResult {
    equality(args, true)
}

pub fn not_equal(args: &Args<'_>) -> KernelResult {
    equality(args, false)
}

pub fn less(args: &Args<'_>) -> KernelResult {
    ordered(args, Ordering::is_lt)
}

pub fn less_or_equal(args: &Args<'_>) -> KernelResult {
    ordered(args, Ordering::is_le)
}

pub fn greater(args: &Args<'_>) -> KernelResult {
    ordered(args, Ordering::is_gt)
}

pub fn greater_or_equal(args: &Args<'_>) -> KernelResult {
    ordered(args, Ordering::is_ge)
}

/// `around(value, center, delta)`: both ends are included.
pub fn around(args: &Args<'_>) -> KernelResult {
    if matches!(args.ty(0), ScalarType::DateTime | ScalarType::TimeSpan) {
        let (value, center, delta) = (args.long(0)?, args.long(1)?, args.long(2)?);
        return args.to_bools(|row| {
            let distance = value.opt(row)?.checked_sub(center.opt(row)?)?.checked_abs()?;
            Some(distance <= delta.opt(row)?)
        });
    }
    let (value, center, delta) = (Dynamics::of(args, 0)?, Dynamics::of(args, 1)?, Dynamics::of(args, 2)?);
    args.to_bools(|row| {
        let (value, center, delta) = (real_at(&value, row)?, real_at(&center, row)?, real_at(&delta, row)?);
        Some(value >= center - delta && value <= center + delta)
    })
}

/// Whether two dynamic values are equal as JSON, given their canonical texts; None is the dynamic null.
pub fn dynamic_equals(left: Option<&str>, right: Option<&str>) -> bool {
    match (left, right) {
        (None, None) => true,
        (Some(left), Some(right)) if left == right => true,
        (Some(left), Some(right)) => match (scalar(left), scalar(right)) {
            (Scalar::Text(_), Scalar::Text(_)) => false,
            _ => match (Dynamic::parse(left), Dynamic::parse(right)) {
                (Some(left), Some(right)) => left.same(&right),
                _ => false,
            },
        },
        _ => false,
    }
}

fn equality(args: &Args<'_>, wanted: bool) -> KernelResult {
    let (left, right) = (args.ty(0), args.ty(1));
    if left == ScalarType::String && right == ScalarType::String {
        return text_equality(args, wanted);
    }
    let compare = equals(args)?;
    args.to_bools(|row| match compare(row) {
        Equality::BothNull => None,
        Equality::Is(equal) => Some(equal == wanted),
    })
}

/// Two strings, often a column and a constant.
fn text_equality(args: &Args<'_>, wanted: bool) -> KernelResult {
    let (left, right) = (args.text(0)?, args.text(1)?);
    let (column, constant) = match (left.constant(), right.constant()) {
        (None, Some(constant)) => (left, constant),
        (Some(constant), None) => (right, constant),
        _ => return args.to_flags(|row| (left.at(row) == right.at(row)) == wanted),
    };
    // Short texts lie in their view whole: one comparison of 128 bits.
    let needle = StringViewArray::from(vec![constant]);
    let array = column.array();
    if constant.len() <= 12
        && array.null_count() == 0
        && let Some(view) = needle.views().first()
    {
        let views = array.views();
        return args.to_flags(|row| views.get(row).is_some_and(|other| other == view) == wanted);
    }
    args.to_flags(|row| (column.at(row) == constant) == wanted)
}

/// What `==` finds in a row.
enum Equality {
    BothNull,
    Is(bool),
}

fn of_options<T>(left: Option<T>, right: Option<T>, equal: impl Fn(&T, &T) -> bool) -> Equality {
    match (left, right) {
        (None, None) => Equality::BothNull,
        (Some(left), Some(right)) => Equality::Is(equal(&left, &right)),
        _ => Equality::Is(false),
    }
}

type Comparer<'a, T> = Box<dyn Fn(usize) -> T + 'a>;

/// A function that compares the rows of the two arguments.
fn equals<'a>(args: &Args<'a>) -> Result<Comparer<'a, Equality>, super::KernelError> {
    use ScalarType::{Bool, DateTime, Decimal, Guid, String, TimeSpan};
    let types = (args.ty(0), args.ty(1));
    let (left, right) = (Dynamics::of(args, 0)?, Dynamics::of(args, 1)?);
    Ok(match types {
        (ScalarType::Dynamic, ScalarType::Dynamic) => {
            let (left, right) = (args.text(0)?, args.text(1)?);
            Box::new(move |row| match (left.opt(row), right.opt(row)) {
                (None, None) => Equality::BothNull,
                (left, right) => Equality::Is(dynamic_equals(left, right)),
            })
        }
        (ScalarType::Dynamic, String) => {
            let (left, right) = (args.text(0)?, args.text(1)?);
            Box::new(move |row| Equality::Is(dynamic_equals_text(left.opt(row), right.at(row))))
        }
        (String, ScalarType::Dynamic) => {
            let (left, right) = (args.text(0)?, args.text(1)?);
            Box::new(move |row| Equality::Is(dynamic_equals_text(right.opt(row), left.at(row))))
        }
        (Bool, _) | (_, Bool) => {
            Box::new(move |row| of_options(bool_at(&left, row), bool_at(&right, row), |a, b| a == b))
        }
        (DateTime, _) | (_, DateTime) => {
            Box::new(move |row| of_options(datetime_at(&left, row), datetime_at(&right, row), |a, b| a == b))
        }
        (TimeSpan, _) | (_, TimeSpan) => {
            Box::new(move |row| of_options(timespan_at(&left, row), timespan_at(&right, row), |a, b| a == b))
        }
        (Guid, _) | (_, Guid) => {
            Box::new(move |row| of_options(guid_at(&left, row), guid_at(&right, row), |a, b| a == b))
        }
        (Decimal, _) | (_, Decimal) => {
            Box::new(move |row| of_options(decimal_at(&left, row), decimal_at(&right, row), |a, b| a == b))
        }
        (String, _) | (_, String) => {
            let (left_text, right_text) = (args.printed(0)?, args.printed(1)?);
            let numbers = (Numbers::of(left), Numbers::of(right));
            Box::new(move |row| {
                let (mut a, mut b) = (std::string::String::new(), std::string::String::new());
                let same_number = || {
                    let (Some(a), Some(b)) = (numbers.0.at(row), numbers.1.at(row)) else { return false };
                    a.compare(&b) == Some(Ordering::Equal)
                };
                Equality::Is(left_text.at(row, &mut a) == right_text.at(row, &mut b) || same_number())
            })
        }
        _ => {
            let numbers = (Numbers::of(left), Numbers::of(right));
            Box::new(move |row| {
                of_options(numbers.0.at(row), numbers.1.at(row), |a, b| a.compare(b) == Some(Ordering::Equal))
            })
        }
    })
}

/// A dynamic value equals a text when it prints as that; a bool does in any case (`"True"` and `true`).
fn dynamic_equals_text(value: Option<&str>, text: &str) -> bool {
    let Some(canonical) = value else { return text.is_empty() };
    match scalar(canonical) {
        Scalar::Text(value) => value == text,
        Scalar::Bool(value) => text.eq_ignore_ascii_case(if value { "true" } else { "false" }),
        Scalar::Null => text.is_empty(),
        _ => {
            let mut printed = String::new();
            write_dynamic(canonical, &mut printed);
            printed == text
        }
    }
}

fn guid_at(source: &Dynamics<'_>, row: usize) -> Option<String> {
    match source {
        Dynamics::Guid(texts) => texts.opt(row).map(str::to_owned),
        Dynamics::String(texts) => guid::parse(texts.at(row)),
        other => match other.at(row) {
            Dynamic::Guid(text) => Some(text),
            Dynamic::String(text) => guid::parse(&text),
            _ => None,
        },
    }
}

/// int, long, real or a dynamic number, compared without loss.
struct Numbers<'a>(Dynamics<'a>);

enum Number {
    Long(i64),
    Real(f64),
}

impl Number {
    fn parse(text: &str) -> Option<Number> {
        match kql_types::number::parse_long(text) {
            Some(value) => Some(Number::Long(value)),
            None => kql_types::number::parse_real(text).map(Number::Real),
        }
    }

    /// None beside NaN.
    fn compare(&self, other: &Number) -> Option<Ordering> {
        match (self, other) {
            (Number::Long(a), Number::Long(b)) => Some(a.cmp(b)),
            (Number::Real(a), Number::Real(b)) => a.partial_cmp(b),
            (Number::Long(a), Number::Real(b)) if !b.is_nan() => Some(Dynamic::Long(*a).order(&Dynamic::Real(*b))),
            (Number::Real(a), Number::Long(b)) if !a.is_nan() => Some(Dynamic::Real(*a).order(&Dynamic::Long(*b))),
            _ => None,
        }
    }
}

impl<'a> Numbers<'a> {
    fn of(source: Dynamics<'a>) -> Numbers<'a> {
        Numbers(source)
    }

    fn at(&self, row: usize) -> Option<Number> {
        match &self.0 {
            Dynamics::Int(values) => values.opt(row).map(|value| Number::Long(i64::from(value))),
            Dynamics::Long(values) => values.opt(row).map(Number::Long),
            Dynamics::Real(values) => values.opt(row).map(Number::Real),
            // A text is the number that it is a text of: the service refuses to compare the two, but what a parser gives as
            // text with `column_ifexists("Code_d", "")` is a number there.
            Dynamics::String(texts) => Number::parse(texts.at(row)),
            Dynamics::Dynamic(texts) => match scalar(texts.opt(row)?) {
                Scalar::Long(value) => Some(Number::Long(value)),
                Scalar::Real(value) => Some(Number::Real(value)),
                Scalar::Bool(value) => Some(Number::Long(i64::from(value))),
                Scalar::Text(text) => Number::parse(&text),
                Scalar::Other(value) => value.as_real().map(Number::Real),
                Scalar::Null | Scalar::Array | Scalar::Bag => None,
            },
            other => real_at(other, row).map(Number::Real),
        }
    }
}

/// The order of the rows of the two arguments: None where a side is null, `Some(None)` beside NaN and between
/// values that have no order.
fn ordering<'a>(args: &Args<'a>) -> Result<Comparer<'a, Option<Option<Ordering>>>, super::KernelError> {
    use ScalarType::{Bool, DateTime, Decimal, Guid, String, TimeSpan};
    let types = (args.ty(0), args.ty(1));
    let (left, right) = (Dynamics::of(args, 0)?, Dynamics::of(args, 1)?);
    Ok(match types {
        (ScalarType::Dynamic, ScalarType::Dynamic) => Box::new(move |row| {
            let (a, b) = (left.at(row), right.at(row));
            if a.is_null() || b.is_null() {
                return None;
            }
            let numbers = a.as_real().is_some() && b.as_real().is_some();
            Some((numbers || std::mem::discriminant(&a) == std::mem::discriminant(&b)).then(|| a.order(&b)))
        }),
        (DateTime, _) | (_, DateTime) => {
            Box::new(move |row| Some(Some(datetime_at(&left, row)?.cmp(&datetime_at(&right, row)?))))
        }
        (TimeSpan, _) | (_, TimeSpan) => {
            Box::new(move |row| Some(Some(timespan_at(&left, row)?.cmp(&timespan_at(&right, row)?))))
        }
        (Bool, Bool) => Box::new(move |row| Some(Some(bool_at(&left, row)?.cmp(&bool_at(&right, row)?)))),
        (Decimal, _) | (_, Decimal) => {
            Box::new(move |row| Some(Some(decimal_at(&left, row)?.cmp(&decimal_at(&right, row)?))))
        }
        (Guid, _) | (_, Guid) => Box::new(move |row| Some(Some(guid_at(&left, row)?.cmp(&guid_at(&right, row)?)))),
        (String, _) | (_, String) => {
            let (left, right) = (args.printed(0)?, args.printed(1)?);
            Box::new(move |row| {
                let (mut a, mut b) = (std::string::String::new(), std::string::String::new());
                Some(Some(left.at(row, &mut a).cmp(right.at(row, &mut b))))
            })
        }
        _ => {
            let numbers = (Numbers::of(left), Numbers::of(right));
            Box::new(move |row| Some(numbers.0.at(row)?.compare(&numbers.1.at(row)?)))
        }
    })
}

fn ordered(args: &Args<'_>, holds: fn(Ordering) -> bool) -> KernelResult {
    match (args.ty(0), args.ty(1)) {
        (ScalarType::Long, ScalarType::Long)
        | (ScalarType::DateTime, ScalarType::DateTime)
        | (ScalarType::TimeSpan, ScalarType::TimeSpan) => {
            let (a, b) = (args.long(0)?, args.long(1)?);
            args.to_bools(|row| Some(holds(a.opt(row)?.cmp(&b.opt(row)?))))
        }
        (ScalarType::Real, ScalarType::Real) => {
            let (a, b) = (args.real(0)?, args.real(1)?);
            args.to_bools(|row| Some(a.opt(row)?.partial_cmp(&b.opt(row)?).is_some_and(holds)))
        }
        _ => {
            let order = ordering(args)?;
            args.to_bools(|row| order(row).map(|order| order.is_some_and(holds)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};

    fn two(kernel: crate::kernels::KernelFn, a: impl Into<Cell>, b: impl Into<Cell>) -> Cell {
        call(kernel, &[a.into(), b.into()], ScalarType::Bool)
    }

    const YES: Cell = Cell::Bool(true);
    const NO: Cell = Cell::Bool(false);

    #[test]
    fn nulls() {
        assert_eq!([two(equal, Cell::Null, 1), two(not_equal, Cell::Null, 1)], [NO, YES]);
        assert_eq!(
            [two(equal, Cell::Null, Cell::Null), two(not_equal, Cell::Null, Cell::Null)],
            [Cell::Null, Cell::Null]
        );
        assert_eq!([two(less, Cell::Null, 1), two(greater_or_equal, 1, Cell::Null)], [Cell::Null, Cell::Null]);
    }

    #[test]
    fn nan() {
        let nan = f64::NAN;
        assert_eq!([two(equal, nan, nan), two(not_equal, nan, nan), two(less, nan, 1.0)], [NO, YES, NO]);
        assert_eq!([two(greater, nan, 5.0), two(greater, f64::INFINITY, 1e308)], [NO, YES]);
    }

    #[test]
    fn numbers_of_different_types_compare_without_loss() {
        assert_eq!([two(equal, Cell::Int(2), 2.0), two(less, 1, 1.5)], [YES, YES]);
        assert_eq!(two(equal, 9_007_199_254_740_993_i64, 9_007_199_254_740_992.0), NO);
    }

    #[test]
    fn texts() {
        assert_eq!([two(equal, "abc", "abc"), two(equal, "abc", "ABC"), two(not_equal, "", "a")], [YES, NO, YES]);
        let long = "a text of more than twelve bytes";
        assert_eq!([two(equal, long, long), two(equal, long, "a text of more")], [YES, NO]);
    }

    #[test]
    fn dynamic_values_meet_all_types() {
        let text = Cell::dynamic("\"True\"");
        assert_eq!([two(equal, text.clone(), "True"), two(equal, text, Cell::Bool(true))], [YES, YES]);
        let flag = Cell::dynamic("true");
        assert_eq!([two(equal, flag.clone(), "True"), two(equal, flag, Cell::Bool(true))], [YES, YES]);
        assert_eq!([two(equal, Cell::dynamic("5"), 5), two(equal, Cell::dynamic("\"5\""), 5)], [YES, YES]);
        assert_eq!([two(greater, Cell::dynamic("1.5"), 1), two(equal, Cell::dynamic("[1]"), 1)], [YES, NO]);
        assert_eq!([two(equal, Cell::Dynamic(None), ""), two(not_equal, Cell::Dynamic(None), "")], [YES, NO]);
        assert_eq!(two(equal, Cell::dynamic(r#"{"a":1,"b":2}"#), Cell::dynamic(r#"{"b":2,"a":1.0}"#)), YES);
    }
}

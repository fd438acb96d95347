//! The operators `+ - * / %`.
//!
//! One dispatch for all: the types of the two sides choose the [`Sides`], the operator the formula. Longs wrap around;
//! whole numbers divided by zero, and times outside of their range, are null.

use arrow::datatypes::i256;
use kql_types::{Dynamic, ScalarType, datetime};

use super::conversion::{datetime_at, decimal_at, real_at, timespan_at};
use super::dynamic_args::Dynamics;
use super::{Args, KernelError, KernelResult, decimal};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

pub fn add(args: &Args<'_>) -> KernelResult {
    eval(Operator::Add, args)
}

pub fn subtract(args: &Args<'_>) -> KernelResult {
    eval(Operator::Subtract, args)
}

pub fn multiply(args: &Args<'_>) -> KernelResult {
    eval(Operator::Multiply, args)
}

pub fn divide(args: &Args<'_>) -> KernelResult {
    eval(Operator::Divide, args)
}

pub fn modulo(args: &Args<'_>) -> KernelResult {
    eval(Operator::Modulo, args)
}

/// What the two sides are computed as.
enum Sides {
    Long,
    Real,
    Decimal,
    Time,
    Dynamic,
}

fn sides(left: ScalarType, right: ScalarType) -> Sides {
    use ScalarType::{DateTime, Decimal, Dynamic, Real, TimeSpan};
    let any = |ty| left == ty || right == ty;
    if left == Dynamic && right == Dynamic {
        Sides::Dynamic
    } else if any(DateTime) || any(TimeSpan) {
        Sides::Time
    } else if any(Decimal) {
        Sides::Decimal
    } else if any(Real) {
        Sides::Real
    } else {
        Sides::Long
    }
}

fn eval(operator: Operator, args: &Args<'_>) -> KernelResult {
    match sides(args.ty(0), args.ty(1)) {
        Sides::Long => eval_long(operator, args),
        Sides::Real => eval_real(operator, args),
        Sides::Decimal => eval_decimal(operator, args),
        Sides::Time => eval_time(operator, args),
        Sides::Dynamic => eval_dynamic(operator, args),
    }
}

fn long_at(source: &Dynamics<'_>, row: usize) -> Option<i64> {
    match source {
        Dynamics::Int(values) => values.opt(row).map(i64::from),
        Dynamics::Long(values) => values.opt(row),
        other => match other.at(row) {
            Dynamic::Long(value) => Some(value),
            Dynamic::Real(value) if value.is_finite() => Some(value as i64),
            Dynamic::String(text) => kql_types::number::parse_long(&text),
            Dynamic::Bool(value) => Some(i64::from(value)),
            _ => None,
        },
    }
}

fn eval_long(operator: Operator, args: &Args<'_>) -> KernelResult {
    if args.ty(0) == ScalarType::Long && args.ty(1) == ScalarType::Long {
        let (a, b) = (args.long(0)?, args.long(1)?);
        return args.to_longs(|row| longs(operator, a.opt(row)?, b.opt(row)?));
    }
    let (a, b) = (Dynamics::of(args, 0)?, Dynamics::of(args, 1)?);
    args.to_longs(|row| longs(operator, long_at(&a, row)?, long_at(&b, row)?))
}

fn longs(operator: Operator, a: i64, b: i64) -> Option<i64> {
    match operator {
        Operator::Add => Some(a.wrapping_add(b)),
        Operator::Subtract => Some(a.wrapping_sub(b)),
        Operator::Multiply => Some(a.wrapping_mul(b)),
        Operator::Divide if b == 0 => None,
        Operator::Divide => Some(a.wrapping_div(b)),
        Operator::Modulo if b == 0 => None,
        // `print -7 % 3` is 2: never negative.
        Operator::Modulo => Some(a.wrapping_rem_euclid(b)),
    }
}

fn eval_real(operator: Operator, args: &Args<'_>) -> KernelResult {
    if args.ty(0) == ScalarType::Real && args.ty(1) == ScalarType::Real {
        let (a, b) = (args.real(0)?, args.real(1)?);
        return args.to_reals(|row| Some(reals(operator, a.opt(row)?, b.opt(row)?)));
    }
    let (a, b) = (Dynamics::of(args, 0)?, Dynamics::of(args, 1)?);
    args.to_reals(|row| Some(reals(operator, real_at(&a, row)?, real_at(&b, row)?)))
}

fn reals(operator: Operator, a: f64, b: f64) -> f64 {
    match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide => a / b,
        Operator::Modulo => a.rem_euclid(b),
    }
}

fn eval_decimal(operator: Operator, args: &Args<'_>) -> KernelResult {
    let (a, b) = (Dynamics::of(args, 0)?, Dynamics::of(args, 1)?);
    args.to_decimals(|row| decimals(operator, decimal_at(&a, row)?, decimal_at(&b, row)?))
}

fn decimals(operator: Operator, a: i256, b: i256) -> Option<i256> {
    match operator {
        Operator::Add => decimal::add(a, b),
        Operator::Subtract => decimal::subtract(a, b),
        Operator::Multiply => decimal::multiply(a, b),
        Operator::Divide => decimal::divide(a, b),
        Operator::Modulo => decimal::modulo(a, b),
    }
}

/// Datetimes and timespans, with each other and with numbers.
fn eval_time(operator: Operator, args: &Args<'_>) -> KernelResult {
    let (a, b) = (Dynamics::of(args, 0)?, Dynamics::of(args, 1)?);
    let is_time = |ty| matches!(ty, ScalarType::DateTime | ScalarType::TimeSpan | ScalarType::Dynamic);
    let both_times = is_time(args.ty(0)) && is_time(args.ty(1));
    let in_range =
        |ticks: i64| if args.returns == ScalarType::DateTime { datetime::checked(ticks) } else { Some(ticks) };
    if args.returns == ScalarType::Real {
        return args.to_reals(|row| Some(ticks_at(&a, row)? as f64 / ticks_at(&b, row)? as f64));
    }
    if both_times {
        return args.to_longs(|row| {
            let (a, b) = (ticks_at(&a, row)?, ticks_at(&b, row)?);
            let ticks = match operator {
                Operator::Add => a.checked_add(b),
                Operator::Subtract => a.checked_sub(b),
                Operator::Multiply => a.checked_mul(b),
                Operator::Divide => a.checked_div(b),
                Operator::Modulo => a.checked_rem_euclid(b),
            };
            ticks.and_then(in_range)
        });
    }
    let whole = |ty: ScalarType| ty.is_integer();
    if whole(args.ty(0)) || whole(args.ty(1)) {
        return args.to_longs(|row| {
            let (a, b) = (ticks_at(&a, row)?, ticks_at(&b, row)?);
            let ticks = match operator {
                Operator::Multiply => a.checked_mul(b),
                Operator::Divide => a.checked_div(b),
                Operator::Modulo => a.checked_rem_euclid(b),
                Operator::Add | Operator::Subtract => None,
            };
            ticks.and_then(in_range)
        });
    }
    args.to_longs(|row| {
        let ticks = reals(operator, real_at(&a, row)?, real_at(&b, row)?);
        if ticks.is_finite() && ticks.abs() < i64::MAX as f64 { in_range(ticks.round() as i64) } else { None }
    })
}

fn ticks_at(source: &Dynamics<'_>, row: usize) -> Option<i64> {
    match source {
        Dynamics::Dynamic(_) => timespan_at(source, row).or_else(|| datetime_at(source, row)),
        Dynamics::DateTime(values) | Dynamics::TimeSpan(values) => values.opt(row),
        other => long_at(other, row),
    }
}

/// Two dynamic values: by what they are in each row.
fn eval_dynamic(operator: Operator, args: &Args<'_>) -> KernelResult {
    let (a, b) = (Dynamics::of(args, 0)?, Dynamics::of(args, 1)?);
    if args.returns != ScalarType::Dynamic {
        return Err(KernelError("bug: arithmetic of two dynamic values is dynamic".into()));
    }
    args.to_dynamic_values(|row| dynamics(operator, &a.at(row), &b.at(row)))
}

fn dynamics(operator: Operator, a: &Dynamic, b: &Dynamic) -> Option<Dynamic> {
    use Dynamic::{DateTime, Long, TimeSpan};
    match (a, b) {
        (Long(a), Long(b)) => longs(operator, *a, *b).map(Long),
        (DateTime(a), DateTime(b)) if operator == Operator::Subtract => a.checked_sub(*b).map(TimeSpan),
        (DateTime(a), TimeSpan(b)) => match operator {
            Operator::Add => a.checked_add(*b).and_then(datetime::checked).map(DateTime),
            Operator::Subtract => a.checked_sub(*b).and_then(datetime::checked).map(DateTime),
            _ => None,
        },
        (TimeSpan(a), TimeSpan(b)) => match operator {
            Operator::Add => a.checked_add(*b).map(TimeSpan),
            Operator::Subtract => a.checked_sub(*b).map(TimeSpan),
            Operator::Divide => Some(Dynamic::Real(*a as f64 / *b as f64)),
            Operator::Modulo => a.checked_rem_euclid(*b).map(TimeSpan),
            Operator::Multiply => None,
        },
        _ => Some(Dynamic::Real(reals(operator, a.as_real()?, b.as_real()?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType::{DateTime, Long, Real};
    use proptest::prelude::*;

    fn two(kernel: crate::kernels::KernelFn, a: impl Into<Cell>, b: impl Into<Cell>, ty: ScalarType) -> Cell {
        call(kernel, &[a.into(), b.into()], ty)
    }

    #[test]
    fn whole_numbers() {
        assert_eq!(two(add, i64::MAX, 1, Long), Cell::Long(i64::MIN));
        assert_eq!(two(multiply, Cell::Int(i32::MAX), Cell::Int(2), Long), Cell::Long(4_294_967_294));
        assert_eq!(two(divide, -7, 2, Long), Cell::Long(-3));
        assert_eq!(two(divide, 1, 0, Long), Cell::Null);
        assert_eq!(two(divide, i64::MIN, -1, Long), Cell::Long(i64::MIN));
        assert_eq!(two(modulo, -7, 3, Long), Cell::Long(2));
        assert_eq!(two(modulo, 7, -3, Long), Cell::Long(1));
        assert_eq!(two(modulo, 7, 0, Long), Cell::Null);
        assert_eq!(two(add, Cell::Null, 1, Long), Cell::Null);
    }

    #[test]
    fn reals() {
        assert_eq!(two(divide, 1.0, 0.0, Real), Cell::Real(f64::INFINITY));
        assert_eq!(two(divide, 7, 2.0, Real), Cell::Real(3.5));
        assert_eq!(two(modulo, -7.5, 2, Real), Cell::Real(0.5));
    }

    #[test]
    fn times() {
        let last = Cell::DateTime(kql_types::datetime::MAX);
        assert_eq!(two(add, last, Cell::Long(1), DateTime), Cell::Null);
        assert_eq!(two(subtract, Cell::DateTime(5), Cell::DateTime(8), ScalarType::TimeSpan), Cell::Long(-3));
    }

    #[test]
    fn dynamic_values() {
        assert_eq!(two(add, Cell::dynamic("1"), 2, Long), Cell::Long(3));
        assert_eq!(two(add, Cell::dynamic("1"), Cell::dynamic("2.5"), ScalarType::Dynamic), "3.5".into());
        assert_eq!(two(add, Cell::dynamic("[]"), Cell::dynamic("2"), ScalarType::Dynamic), Cell::Null);
        assert_eq!(two(multiply, Cell::dynamic("\"x\""), 2, Long), Cell::Null);
    }

    proptest! {
        #[test]
        fn the_rest_is_never_negative(a: i64, b: i64) {
            prop_assert!(longs(Operator::Modulo, a, b).is_none_or(|rest| rest >= 0));
            prop_assert_eq!(longs(Operator::Modulo, a, b).is_none(), b == 0);
        }
    }
}

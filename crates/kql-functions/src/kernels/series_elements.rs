//! Series element by element: an element that is no number, or has none beside it, gives null.

use std::fmt::Write;

use super::elements::write_real;
use super::series::{Number, numbers};
use super::{Args, KernelResult};

/// Appends a number, null where there is none.
fn write_number(value: Option<Number>, out: &mut String) {
    match value {
        Some(Number::Long(value)) => {
            let _ = write!(out, "{value}");
        }
        Some(Number::Real(value)) => write_real(value, out),
        None => out.push_str("null"),
    }
}

fn unary(args: &Args<'_>, f: fn(Number) -> Number) -> KernelResult {
    let series = args.text(0)?;
    args.to_dynamics(|row, out| {
        out.push('[');
        for (index, number) in numbers(series.opt(row)?)?.into_iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            write_number(number.map(f), out);
        }
        out.push(']');
        Some(())
    })
}

/// Appends the element made of two; `write` is called where both are there.
fn binary(args: &Args<'_>, write: fn(Number, Number, &mut String)) -> KernelResult {
    let (left, right) = (args.text(0)?, args.text(1)?);
    args.to_dynamics(|row, out| {
        let (left, right) = (numbers(left.opt(row)?)?, numbers(right.opt(row)?)?);
        out.push('[');
        for index in 0..left.len().max(right.len()) {
            if index > 0 {
                out.push(',');
            }
            match (left.get(index).copied().flatten(), right.get(index).copied().flatten()) {
                (Some(left), Some(right)) => write(left, right, out),
                _ => out.push_str("null"),
            }
        }
        out.push(']');
        Some(())
    })
}

/// Whole numbers stay whole.
fn arithmetic(a: Number, b: Number, out: &mut String, long: fn(i64, i64) -> i64, real: fn(f64, f64) -> f64) {
    let value = match (a, b) {
        (Number::Long(a), Number::Long(b)) => Number::Long(long(a, b)),
        _ => Number::Real(real(a.real(), b.real())),
    };
    write_number(Some(value), out);
}

pub fn series_add(args: &Args<'_>) -> KernelResult {
    binary(args, |a, b, out| arithmetic(a, b, out, i64::wrapping_add, |a, b| a + b))
}

pub fn series_subtract(args: &Args<'_>) -> KernelResult {
    binary(args, |a, b, out| arithmetic(a, b, out, i64::wrapping_sub, |a, b| a - b))
}

pub fn series_multiply(args: &Args<'_>) -> KernelResult {
    binary(args, |a, b, out| arithmetic(a, b, out, i64::wrapping_mul, |a, b| a * b))
}

pub fn series_divide(args: &Args<'_>) -> KernelResult {
    binary(args, |a, b, out| write_real(a.real() / b.real(), out))
}

pub fn series_pow(args: &Args<'_>) -> KernelResult {
    binary(args, |a, b, out| write_real(a.real().powf(b.real()), out))
}

macro_rules! comparisons {
    ($($name:ident => $operator:tt;)*) => {
        $(pub fn $name(args: &Args<'_>) -> KernelResult {
            binary(args, |a, b, out| out.push_str(if a.real() $operator b.real() { "true" } else { "false" }))
        })*
    };
}

comparisons! {
    series_greater => >;
    series_greater_equals => >=;
    series_less => <;
    series_less_equals => <=;
    series_equals => ==;
    series_not_equals => !=;
}

macro_rules! real_functions {
    ($($name:ident => $f:expr;)*) => {
        $(pub fn $name(args: &Args<'_>) -> KernelResult {
            unary(args, |number| Number::Real($f(number.real())))
        })*
    };
}

real_functions! {
    series_exp => f64::exp;
    series_log => f64::ln;
    series_sin => f64::sin;
    series_cos => f64::cos;
    series_tan => f64::tan;
    series_asin => f64::asin;
    series_acos => f64::acos;
    series_atan => f64::atan;
    series_floor => f64::floor;
    series_ceiling => f64::ceil;
}

pub fn series_abs(args: &Args<'_>) -> KernelResult {
    unary(args, |number| match number {
        Number::Long(value) => Number::Long(value.wrapping_abs()),
        Number::Real(value) => Number::Real(value.abs()),
    })
}

pub fn series_sign(args: &Args<'_>) -> KernelResult {
    unary(args, |number| match number {
        Number::Long(value) => Number::Long(value.signum()),
        Number::Real(value) if value == 0.0 || value.is_nan() => Number::Real(value),
        Number::Real(value) => Number::Real(value.signum()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType::Dynamic;

    #[test]
    fn two_series() {
        let cells = [Cell::dynamic("[1,2,4.5,null]"), Cell::dynamic("[4,2,1]")];
        assert_eq!(call(series_add, &cells, Dynamic), "[5,4,5.5,null]".into());
        assert_eq!(call(series_divide, &cells, Dynamic), "[0.25,1.0,4.5,null]".into());
        assert_eq!(call(series_greater, &cells, Dynamic), "[false,false,true,null]".into());
        assert_eq!(call(series_add, &[cells[0].clone(), Cell::dynamic("7")], Dynamic), Cell::Null);
    }

    #[test]
    fn one_series() {
        let cells = [Cell::dynamic("[-1.5,1,\"x\"]")];
        assert_eq!(call(series_ceiling, &cells, Dynamic), "[-1.0,1.0,null]".into());
        assert_eq!(call(series_abs, &cells, Dynamic), "[1.5,1,null]".into());
        assert_eq!(call(series_sign, &cells, Dynamic), "[-1.0,1,null]".into());
    }
}

//! Numbers: sizes and signs, rounding, powers, angles, special functions, the greatest and least of several.

use std::cell::Cell;
use std::cmp::Ordering;
use std::hash::{BuildHasher, Hasher, RandomState};

use arrow::datatypes::i256;
use kql_types::ScalarType;

use super::dynamic_args::Dynamics;
use super::{Args, KernelError, KernelResult, decimal};

/// A function of one real.
fn real(args: &Args<'_>, f: fn(f64) -> f64) -> KernelResult {
    let value = args.real(0)?;
    args.to_reals(|row| value.opt(row).map(f))
}

macro_rules! real_functions {
    ($($name:ident => $f:expr;)*) => {
        $(pub fn $name(args: &Args<'_>) -> KernelResult {
            real(args, $f)
        })*
    };
}

real_functions! {
    sqrt => f64::sqrt;
    exp => f64::exp;
    exp2 => f64::exp2;
    exp10 => |x| 10_f64.powf(x);
    log => f64::ln;
    log2 => f64::log2;
    log10 => f64::log10;
    sin => f64::sin;
    cos => f64::cos;
    tan => f64::tan;
    cot => |x| 1.0 / x.tan();
    asin => f64::asin;
    acos => f64::acos;
    atan => f64::atan;
    degrees => |x| x * (180.0 / std::f64::consts::PI);
    radians => |x| x * (std::f64::consts::PI / 180.0);
    gamma => libm::tgamma;
    loggamma => libm::lgamma;
    erf => libm::erf;
    erfc => libm::erfc;
}

pub fn pow(args: &Args<'_>) -> KernelResult {
    let (base, exponent) = (args.real(0)?, args.real(1)?);
    args.to_reals(|row| Some(base.opt(row)?.powf(exponent.opt(row)?)))
}

pub fn atan2(args: &Args<'_>) -> KernelResult {
    let (y, x) = (args.real(0)?, args.real(1)?);
    args.to_reals(|row| Some(y.opt(row)?.atan2(x.opt(row)?)))
}

pub fn pi(args: &Args<'_>) -> KernelResult {
    args.to_reals(|_| std::f64::consts::PI)
}

/// A test of a real.
fn test(args: &Args<'_>, f: fn(f64) -> bool) -> KernelResult {
    let value = args.real(0)?;
    args.to_bools(|row| value.opt(row).map(f))
}

pub fn isnan(args: &Args<'_>) -> KernelResult {
    test(args, f64::is_nan)
}

pub fn isinf(args: &Args<'_>) -> KernelResult {
    test(args, f64::is_infinite)
}

pub fn isfinite(args: &Args<'_>) -> KernelResult {
    test(args, f64::is_finite)
}

pub fn abs(args: &Args<'_>) -> KernelResult {
    match args.ty(0) {
        ScalarType::Int => {
            let value = args.int(0)?;
            args.to_longs(|row| value.opt(row).map(|value| i64::from(value).abs()))
        }
        ScalarType::Real => real(args, f64::abs),
        ScalarType::Decimal => {
            let value = args.decimal(0)?;
            args.to_decimals(|row| value.opt(row).map(i256::wrapping_abs))
        }
        _ => {
            let value = args.long(0)?;
            args.to_longs(|row| value.opt(row).map(i64::wrapping_abs))
        }
    }
}

pub fn sign(args: &Args<'_>) -> KernelResult {
    let sign_of = |ordering: Ordering| f64::from(ordering as i8);
    match args.ty(0) {
        ScalarType::Int => {
            let value = args.int(0)?;
            args.to_reals(|row| value.opt(row).map(|value| sign_of(value.cmp(&0))))
        }
        ScalarType::Long => {
            let value = args.long(0)?;
            args.to_reals(|row| value.opt(row).map(|value| sign_of(value.cmp(&0))))
        }
        ScalarType::Decimal => {
            let value = args.decimal(0)?;
            args.to_reals(|row| value.opt(row).map(|value| sign_of(value.cmp(&i256::ZERO))))
        }
        _ => real(args, |value| if value == 0.0 || value.is_nan() { value } else { value.signum() }),
    }
}

/// `round(number, precision)`: halves go away from zero.
pub fn round(args: &Args<'_>) -> KernelResult {
    let precision = args.long_or(1, 0)?;
    if args.ty(0) == ScalarType::Decimal {
        let value = args.decimal(0)?;
        return args.to_decimals(|row| decimal::round(value.opt(row)?, precision.opt(row)?));
    }
    let value = args.real(0)?;
    args.to_reals(|row| {
        let (value, precision) = (value.opt(row)?, precision.opt(row)?);
        Some(round_real(value, precision))
    })
}

/// Rounds to a number of digits after the point, halves away from zero.
pub fn round_real(value: f64, precision: i64) -> f64 {
    if precision == 0 {
        return value.round();
    }
    let factor = 10_f64.powi(precision.unsigned_abs().min(308) as i32);
    let rounded = if precision > 0 { (value * factor).round() / factor } else { (value / factor).round() * factor };
    if rounded.is_finite() { rounded } else { value }
}

pub fn ceiling(args: &Args<'_>) -> KernelResult {
    if args.ty(0) == ScalarType::Decimal {
        let value = args.decimal(0)?;
        return args.to_decimals(|row| decimal::ceiling(value.opt(row)?));
    }
    real(args, f64::ceil)
}

pub fn max_of(args: &Args<'_>) -> KernelResult {
    extreme(args, Ordering::Greater)
}

pub fn min_of(args: &Args<'_>) -> KernelResult {
    extreme(args, Ordering::Less)
}

/// The argument that stands in `wanted` order to all others; nulls are left out.
fn extreme(args: &Args<'_>, wanted: Ordering) -> KernelResult {
    match args.returns {
        ScalarType::Int => {
            let columns = (0..args.count()).map(|i| args.int(i)).collect::<Result<Vec<_>, _>>()?;
            args.to_ints(|row| pick(columns.iter().filter_map(|c| c.opt(row)), wanted, Ord::cmp))
        }
        ScalarType::Long | ScalarType::DateTime | ScalarType::TimeSpan => {
            let columns = (0..args.count()).map(|i| args.long(i)).collect::<Result<Vec<_>, _>>()?;
            args.to_longs(|row| pick(columns.iter().filter_map(|c| c.opt(row)), wanted, Ord::cmp))
        }
        ScalarType::Real => {
            let columns = (0..args.count()).map(|i| args.real(i)).collect::<Result<Vec<_>, _>>()?;
            args.to_reals(|row| pick(columns.iter().filter_map(|c| c.opt(row)), wanted, real_order))
        }
        ScalarType::Decimal => {
            let columns = (0..args.count()).map(|i| args.decimal(i)).collect::<Result<Vec<_>, _>>()?;
            args.to_decimals(|row| pick(columns.iter().filter_map(|c| c.opt(row)), wanted, Ord::cmp))
        }
        ScalarType::Bool => {
            let columns = (0..args.count()).map(|i| args.boolean(i)).collect::<Result<Vec<_>, _>>()?;
            args.to_bools(|row| pick(columns.iter().filter_map(|c| c.opt(row)), wanted, Ord::cmp))
        }
        ScalarType::String | ScalarType::Guid => {
            let columns = (0..args.count()).map(|i| args.printed(i)).collect::<Result<Vec<_>, _>>()?;
            let best = |row| {
                let texts = columns.iter().map(|column| {
                    let mut text = String::new();
                    column.write(row, &mut text);
                    text
                });
                pick(texts.filter(|text| !text.is_empty()), wanted, Ord::cmp)
            };
            if args.returns == ScalarType::String {
                return args.to_texts(|row, out| out.push_str(&best(row).unwrap_or_default()));
            }
            args.to_dynamics(|row, out| {
                out.push_str(&best(row)?);
                Some(())
            })
        }
        ScalarType::Dynamic => {
            let columns = Dynamics::from(args, 0)?;
            args.to_dynamic_values(|row| {
                let values = columns.iter().map(|c| c.at(row)).filter(|value| !value.is_null());
                pick(values, wanted, kql_types::Dynamic::order)
            })
        }
        ScalarType::Unknown => Err(KernelError("bug: the greatest of an unknown type".into())),
    }
}

/// NaN before all numbers, so that any number wins over it in `max_of`.
fn real_order(a: &f64, b: &f64) -> Ordering {
    a.partial_cmp(b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

fn pick<T>(values: impl Iterator<Item = T>, wanted: Ordering, order: fn(&T, &T) -> Ordering) -> Option<T> {
    values.reduce(|best, value| if order(&value, &best) == wanted { value } else { best })
}

thread_local! {
    static RANDOM: Cell<u64> = Cell::new(RandomState::new().build_hasher().finish());
}

/// 64 random bits (splitmix64 from a seed of the thread).
fn random_bits() -> u64 {
    RANDOM.with(|state| {
        let next = state.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        state.set(next);
        let mixed = (next ^ (next >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    })
}

/// `rand()`: a real from 0 to 1, without 1; `rand(n)`: a whole number from 0 to n - 1.
pub fn rand(args: &Args<'_>) -> KernelResult {
    if args.count() == 0 {
        return args.to_reals(|_| (random_bits() >> 11) as f64 / (1_u64 << 53) as f64);
    }
    // Each row has its own value, also where the bound is constant.
    let bound = args.long(0)?;
    let columns = [];
    let per_row = Args { columns: &columns, constant: &[], types: &[], returns: args.returns, rows: args.rows };
    per_row.to_longs(|row| {
        let bound = u64::try_from(bound.opt(row)?).ok().filter(|bound| *bound > 0)?;
        i64::try_from(random_bits() % bound).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType::{Bool, Long, Real};

    #[test]
    fn rounds_halves_away_from_zero() {
        let rounded = |value: f64, digits: i64| call(round, &[value.into(), digits.into()], Real);
        assert_eq!([rounded(2.5, 0), rounded(-2.5, 0), rounded(3.25, 1)], [3.0, -3.0, 3.3].map(Cell::Real));
        assert_eq!([rounded(1234.0, -2), rounded(1e300, 300)], [1200.0, 1e300].map(Cell::Real));
    }

    #[test]
    fn sizes_and_signs() {
        assert_eq!(call(abs, &[Cell::Int(i32::MIN)], Long), Cell::Long(2_147_483_648));
        assert_eq!(call(sign, &[Cell::Long(-42)], Real), Cell::Real(-1.0));
        assert_eq!(call(isnan, &[f64::NAN.into()], Bool), Cell::Bool(true));
        assert_eq!(call(gamma, &[5.0.into()], Real), Cell::Real(24.0));
    }

    #[test]
    fn extremes_leave_out_nulls() {
        assert_eq!(call(max_of, &[1.into(), Cell::Null, 3.into()], Long), Cell::Long(3));
        assert_eq!(call(min_of, &[Cell::Null, Cell::Null], Long), Cell::Null);
        assert_eq!(call(max_of, &["b".into(), "a".into()], ScalarType::String), "b".into());
        assert_eq!(call(max_of, &[f64::NAN.into(), 1.0.into()], Real), Cell::Real(1.0));
    }
}

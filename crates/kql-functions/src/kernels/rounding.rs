//! Rounding down to multiples: `bin`, `floor`, `bin_at`.

use kql_types::{ScalarType, datetime};

use super::conversion::{decimal_at, real_at};
use super::dynamic_args::Dynamics;
use super::{Args, KernelResult, decimal};

/// `bin(value, roundTo)`
pub fn bin(args: &Args<'_>) -> KernelResult {
    match args.returns {
        ScalarType::Long | ScalarType::DateTime | ScalarType::TimeSpan => {
            let (value, size) = (Dynamics::of(args, 0)?, Dynamics::of(args, 1)?);
            let date = args.returns == ScalarType::DateTime;
            args.to_longs(|row| {
                let binned = bin_long(ticks(&value, row)?, ticks(&size, row)?)?;
                if date { datetime::checked(binned) } else { Some(binned) }
            })
        }
        ScalarType::Decimal => {
            let (value, size) = (Dynamics::of(args, 0)?, Dynamics::of(args, 1)?);
            args.to_decimals(|row| {
                let (value, size) = (decimal_at(&value, row)?, decimal_at(&size, row)?);
                size.is_positive().then(|| decimal::subtract(value, decimal::modulo(value, size)?)).flatten()
            })
        }
        _ => {
            let (value, size) = (Dynamics::of(args, 0)?, Dynamics::of(args, 1)?);
            args.to_reals(|row| bin_real(real_at(&value, row)?, real_at(&size, row)?))
        }
    }
}

/// `bin_at(value, binSize, fixedPoint)`
pub fn bin_at(args: &Args<'_>) -> KernelResult {
    let (value, size, point) = (Dynamics::of(args, 0)?, Dynamics::of(args, 1)?, Dynamics::of(args, 2)?);
    match args.returns {
        ScalarType::Long | ScalarType::DateTime | ScalarType::TimeSpan => {
            let date = args.returns == ScalarType::DateTime;
            args.to_longs(|row| {
                let (value, size, point) = (ticks(&value, row)?, ticks(&size, row)?, ticks(&point, row)?);
                let binned = bin_long(value.checked_sub(point)?, size)?.checked_add(point)?;
                if date { datetime::checked(binned) } else { Some(binned) }
            })
        }
        ScalarType::Decimal => args.to_decimals(|row| {
            let (value, size) = (decimal_at(&value, row)?, decimal_at(&size, row)?);
            let distance = decimal::subtract(value, decimal_at(&point, row)?)?;
            size.is_positive().then(|| decimal::subtract(value, decimal::modulo(distance, size)?)).flatten()
        }),
        _ => args.to_reals(|row| {
            let (value, size, point) = (real_at(&value, row)?, real_at(&size, row)?, real_at(&point, row)?);
            bin_real(value - point, size).map(|binned| binned + point)
        }),
    }
}

/// Whole numbers and ticks; a real is cut.
fn ticks(source: &Dynamics<'_>, row: usize) -> Option<i64> {
    match source {
        Dynamics::Int(values) => values.opt(row).map(i64::from),
        Dynamics::Long(values) | Dynamics::DateTime(values) | Dynamics::TimeSpan(values) => values.opt(row),
        other => real_at(other, row).filter(|value| value.is_finite()).map(|value| value as i64),
    }
}

/// Towards minus infinity; None for a size of zero or less.
pub fn bin_long(value: i64, size: i64) -> Option<i64> {
    if size <= 0 {
        return None;
    }
    value.checked_sub(value.rem_euclid(size))
}

/// Towards minus infinity; None for a size of zero or less.
pub fn bin_real(value: f64, size: f64) -> Option<f64> {
    if size > 0.0 { Some((value / size).floor() * size) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use proptest::prelude::*;

    #[test]
    fn multiples() {
        assert_eq!(call(bin, &[(-5).into(), 2.into()], ScalarType::Long), Cell::Long(-6));
        assert_eq!(call(bin, &[5.5.into(), 2.into()], ScalarType::Real), Cell::Real(4.0));
        assert_eq!(call(bin, &[5.into(), 0.into()], ScalarType::Long), Cell::Null);
        assert_eq!(call(bin_at, &[6.5.into(), 2.5.into(), 7.into()], ScalarType::Real), Cell::Real(4.5));
        assert_eq!(call(bin_at, &[1.into(), 24.into(), 12.into()], ScalarType::Long), Cell::Long(-12));
    }

    proptest! {
        #[test]
        fn a_multiple_is_near(value in -1_000_000_000i64..1_000_000_000, size in 1i64..1_000_000) {
            let binned = bin_long(value, size);
            prop_assert!(binned.is_some_and(|b| b <= value && value - b < size && b % size == 0));
        }
    }
}

//! The bits of whole numbers.

use super::{Args, KernelResult};

fn pairs(args: &Args<'_>, f: impl Fn(i64, i64) -> Option<i64>) -> KernelResult {
    let (a, b) = (args.long(0)?, args.long(1)?);
    args.to_longs(|row| f(a.opt(row)?, b.opt(row)?))
}

pub fn binary_and(args: &Args<'_>) -> KernelResult {
    pairs(args, |a, b| Some(a & b))
}

pub fn binary_or(args: &Args<'_>) -> KernelResult {
    pairs(args, |a, b| Some(a | b))
}

pub fn binary_xor(args: &Args<'_>) -> KernelResult {
    pairs(args, |a, b| Some(a ^ b))
}

/// A shift counts modulo 64; a negative one is null.
pub fn binary_shift_left(args: &Args<'_>) -> KernelResult {
    pairs(args, |a, b| u32::try_from(b.rem_euclid(64)).ok().filter(|_| b >= 0).map(|shift| a.wrapping_shl(shift)))
}

/// Keeps the sign. A shift counts modulo 64; a negative one is null.
pub fn binary_shift_right(args: &Args<'_>) -> KernelResult {
    pairs(args, |a, b| u32::try_from(b.rem_euclid(64)).ok().filter(|_| b >= 0).map(|shift| a.wrapping_shr(shift)))
}

pub fn binary_not(args: &Args<'_>) -> KernelResult {
    let a = args.long(0)?;
    args.to_longs(|row| a.opt(row).map(|a| !a))
}

pub fn bitset_count_ones(args: &Args<'_>) -> KernelResult {
    let a = args.long(0)?;
    args.to_longs(|row| a.opt(row).map(|a| i64::from(a.count_ones())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType::Long;

    #[test]
    fn bits() {
        assert_eq!(call(binary_xor, &[6.into(), 3.into()], Long), Cell::Long(5));
        assert_eq!(call(binary_not, &[0.into()], Long), Cell::Long(-1));
        assert_eq!(call(binary_shift_left, &[1.into(), 65.into()], Long), Cell::Long(2));
        assert_eq!(call(binary_shift_right, &[(-16).into(), 2.into()], Long), Cell::Long(-4));
        assert_eq!(call(binary_shift_left, &[1.into(), (-1).into()], Long), Cell::Null);
        assert_eq!(call(bitset_count_ones, &[42.into()], Long), Cell::Long(3));
    }
}

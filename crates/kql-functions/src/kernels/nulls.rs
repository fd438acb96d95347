//! Tests for null.

use super::{Args, KernelResult};

/// `isnull(value)`; false for every string.
pub fn isnull(args: &Args<'_>) -> KernelResult {
    args.to_flags(|row| args.is_null(0, row))
}

/// `isnotnull(value)`; true for every string.
pub fn isnotnull(args: &Args<'_>) -> KernelResult {
    args.to_flags(|row| !args.is_null(0, row))
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType::Bool;

    #[test]
    fn a_string_is_never_null() {
        assert_eq!(call(isnull, &["".into()], Bool), Cell::Bool(false));
        assert_eq!(call(isnull, &[Cell::Null], Bool), Cell::Bool(true));
        assert_eq!(call(isnotnull, &[Cell::Dynamic(None)], Bool), Cell::Bool(false));
    }
}

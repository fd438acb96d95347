//! Families of scalar functions and operators.

use crate::Function;

/// One slice per family.
pub static FAMILIES: &[&[Function]] = &[];

/// One slice per family of operators.
pub static OPERATORS: &[&[Function]] = &[];

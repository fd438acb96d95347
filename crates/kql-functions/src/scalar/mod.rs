//! Families of scalar functions and operators.

mod sketches;
mod window;

use crate::Function;

/// One slice per family.
pub static FAMILIES: &[&[Function]] = &[sketches::FAMILY, window::FAMILY];

/// One slice per family of operators.
pub static OPERATORS: &[&[Function]] = &[];

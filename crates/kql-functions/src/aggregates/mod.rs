//! Families of aggregate functions.

use crate::Aggregate;

/// One slice per family.
pub static FAMILIES: &[&[Aggregate]] = &[];

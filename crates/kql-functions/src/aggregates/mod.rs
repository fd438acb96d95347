//! Families of aggregate functions.
//!
//! A family file holds the entries; the kernels are in `kernels::aggregate_*`. `arg_max`, `arg_min` and `take_any`
//! give several columns at once: then their kernels give a struct, one field per output.

mod bits;
mod collections;
mod counts;
mod distinct;
mod extremes;
mod internal;
mod percentiles;
mod picks;
mod spread;
mod totals;

use kql_types::{Param, ParamType, ScalarType};

use crate::Aggregate;

pub use internal::INTERNAL;

/// One slice per family.
pub static FAMILIES: &[(&str, &[Aggregate])] = &[
    ("Bits", bits::FAMILY),
    ("Lists, sets and bags", collections::FAMILY),
    ("Counting", counts::FAMILY),
    ("Counting different values", distinct::FAMILY),
    ("Smallest and largest", extremes::FAMILY),
    ("Percentiles", percentiles::FAMILY),
    ("Rows and values", picks::FAMILY),
    ("Spread", spread::FAMILY),
    ("Sums and means", totals::FAMILY),
];

const ANY: Param = Param::new("expr", ParamType::Any);
const SUMMABLE: Param = Param::new("expr", ParamType::Summable);
const ORDERABLE: Param = Param::new("expr", ParamType::Orderable);
const PREDICATE: Param = Param::new("predicate", ParamType::Type(ScalarType::Bool));
const MAX_SIZE: Param = Param::new("maxSize", ParamType::Integer).optional().constant();
const ACCURACY: Param = Param::new("accuracy", ParamType::Integer).optional().constant();

//! Families of scalar functions and operators.

mod access;
mod arithmetic;
mod arrays;
mod bags;
mod comparison;
mod context;
mod control;
mod conversion;
mod datetime;
mod encoding;
mod geo;
mod geo_cells;
mod hash;
mod internal;
mod ip;
mod json;
mod math;
mod membership;
mod nulls;
mod parse;
mod regex;
mod rounding;
mod series_elements;
mod series_fill;
mod series_filters;
mod series_fit;
mod series_reduce;
mod series_season;
mod sets;
mod sketches;
mod string;
mod text_operators;
mod units;
mod window;

use crate::Function;

pub use internal::INTERNAL;

/// One slice per family.
pub static FAMILIES: &[&[Function]] = &[
    arrays::FAMILY,
    bags::FAMILY,
    context::FAMILY,
    control::FAMILY,
    conversion::FAMILY,
    datetime::FAMILY,
    encoding::FAMILY,
    geo::FAMILY,
    geo_cells::FAMILY,
    hash::FAMILY,
    ip::FAMILY,
    json::FAMILY,
    math::FAMILY,
    nulls::FAMILY,
    parse::FAMILY,
    regex::FAMILY,
    rounding::FAMILY,
    series_elements::FAMILY,
    series_fill::FAMILY,
    series_filters::FAMILY,
    series_fit::FAMILY,
    series_reduce::FAMILY,
    series_season::FAMILY,
    sets::FAMILY,
    sketches::FAMILY,
    string::FAMILY,
    units::FAMILY,
    window::FAMILY,
];

/// One slice per family of operators.
pub static OPERATORS: &[&[Function]] =
    &[access::OPERATORS, arithmetic::OPERATORS, comparison::OPERATORS, membership::OPERATORS, text_operators::FAMILY];

//! Families of scalar functions and operators.

mod context;
mod encoding;
mod geo;
mod geo_cells;
mod hash;
mod ip;
mod parse;
mod regex;
mod sketches;
mod string;
mod text_operators;
mod window;

use crate::Function;

/// One slice per family.
pub static FAMILIES: &[&[Function]] = &[
    context::FAMILY,
    encoding::FAMILY,
    geo::FAMILY,
    geo_cells::FAMILY,
    hash::FAMILY,
    ip::FAMILY,
    parse::FAMILY,
    regex::FAMILY,
    sketches::FAMILY,
    string::FAMILY,
    window::FAMILY,
];

/// One slice per family of operators.
pub static OPERATORS: &[&[Function]] = &[text_operators::FAMILY];

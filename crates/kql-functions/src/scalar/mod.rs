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
mod identity;
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

/// One slice per family, under its title in the reference.
pub static FAMILIES: &[(&str, &[Function])] = &[
    ("Arrays", arrays::FAMILY),
    ("Property bags", bags::FAMILY),
    ("Surroundings of a query", context::FAMILY),
    ("Choosing values", control::FAMILY),
    ("Conversion", conversion::FAMILY),
    ("Dates and times", datetime::FAMILY),
    ("Encoding and compression", encoding::FAMILY),
    ("Geography", geo::FAMILY),
    ("Cells of the globe", geo_cells::FAMILY),
    ("Hashes", hash::FAMILY),
    ("Identities of logs", identity::FAMILY),
    ("IP addresses", ip::FAMILY),
    ("JSON", json::FAMILY),
    ("Mathematics", math::FAMILY),
    ("Nulls and empty texts", nulls::FAMILY),
    ("Reading structured texts", parse::FAMILY),
    ("Regular expressions", regex::FAMILY),
    ("Rounding", rounding::FAMILY),
    ("Series: element by element", series_elements::FAMILY),
    ("Series: filling gaps", series_fill::FAMILY),
    ("Series: filters", series_filters::FAMILY),
    ("Series: fitting", series_fit::FAMILY),
    ("Series: summing up", series_reduce::FAMILY),
    ("Series: seasons and anomalies", series_season::FAMILY),
    ("Sets", sets::FAMILY),
    ("Sketches", sketches::FAMILY),
    ("Strings", string::FAMILY),
    ("Units", units::FAMILY),
    ("Neighbouring rows", window::FAMILY),
];

/// One slice per family of operators.
pub static OPERATORS: &[(&str, &[Function])] = &[
    ("Parts of dynamic values", access::OPERATORS),
    ("Arithmetic", arithmetic::OPERATORS),
    ("Comparison", comparison::OPERATORS),
    ("Membership", membership::OPERATORS),
    ("Text", text_operators::FAMILY),
];

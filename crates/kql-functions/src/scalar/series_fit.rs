//! Lines and polynomials fitted to series.

use kql_types::ScalarType::{Dynamic, Long, Real};
use kql_types::{Overload, ResultName, Return};

use crate::entry::{Entry, Function, dynamic, ex, integer, takes};
use crate::kernel;

const LINE: Return = Return::Columns(&[
    ("rsquare", Real),
    ("slope", Real),
    ("variance", Real),
    ("rvariance", Real),
    ("interception", Real),
    ("line_fit", Dynamic),
]);
const TWO_LINES: Return = Return::Columns(&[
    ("rsquare", Real),
    ("split_idx", Long),
    ("variance", Real),
    ("rvariance", Real),
    ("line_fit", Dynamic),
    ("right_rsquare", Real),
    ("right_slope", Real),
    ("right_interception", Real),
    ("right_variance", Real),
    ("right_rvariance", Real),
    ("left_rsquare", Real),
    ("left_slope", Real),
    ("left_interception", Real),
    ("left_variance", Real),
    ("left_rvariance", Real),
]);
const POLYNOMIAL: Return = Return::Columns(&[
    ("rsquare", Real),
    ("coefficients", Dynamic),
    ("variance", Real),
    ("rvariance", Real),
    ("poly_fit", Dynamic),
]);

pub static FAMILY: &[Function] = &[
    Function::new(Entry {
        name: "series_fit_line",
        summary: "Fits a line to a series.",
        details: "By least squares over the places 0, 1, 2, ... rsquare is from 0 to 1, the best fit.",
        overloads: &[Overload::new(&[dynamic("series")], LINE)],
        result_name: ResultName::None,
        examples: &[ex("print (r, slope) = series_fit_line(dynamic([1, 2, 3]))", "r:real,slope:real\n1.0,1.0")],
        kernel: kernel!(crate::kernels::series_fit::series_fit_line),
    }),
    Function::new(Entry {
        name: "series_fit_line_dynamic",
        summary: "Fits a line to a series, as a bag.",
        details: "",
        overloads: &[takes(&[dynamic("series")], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("print s = series_fit_line_dynamic(dynamic([1, 2, 3])).slope", "s:dynamic\n1.0")],
        kernel: kernel!(crate::kernels::series_fit::series_fit_line_dynamic),
    }),
    Function::new(Entry {
        name: "series_fit_2lines",
        summary: "Fits two lines to a series, cut where they fit best.",
        details: "",
        overloads: &[Overload::new(&[dynamic("series")], TWO_LINES)],
        result_name: ResultName::None,
        examples: &[ex("print (r, cut) = series_fit_2lines(dynamic([1, 1, 1, 5, 5, 5]))", "r:real,cut:long\n1.0,3")],
        kernel: kernel!(crate::kernels::series_fit::series_fit_2lines),
    }),
    Function::new(Entry {
        name: "series_fit_2lines_dynamic",
        summary: "Fits two lines to a series, as a bag.",
        details: "",
        overloads: &[takes(&[dynamic("series")], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("print s = series_fit_2lines_dynamic(dynamic([1, 1, 1, 5, 5, 5])).split_idx", "s:dynamic\n3")],
        kernel: kernel!(crate::kernels::series_fit::series_fit_2lines_dynamic),
    }),
    Function::new(Entry {
        name: "series_fit_poly",
        summary: "Fits a polynomial to a series.",
        details: "",
        overloads: &[
            Overload::new(&[dynamic("y"), dynamic("x").optional(), integer("degree").optional()], POLYNOMIAL),
            Overload::new(&[dynamic("y"), integer("degree")], POLYNOMIAL),
        ],
        result_name: ResultName::None,
        examples: &[ex(
            "print (r, c) = series_fit_poly(dynamic([0, 1, 4, 9]), 2) | project r = round(r, 6)",
            "r:real\n1.0",
        )],
        kernel: kernel!(crate::kernels::series_fit::series_fit_poly),
    }),
];

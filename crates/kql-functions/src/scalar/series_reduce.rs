//! Series (dynamic arrays of numbers) to numbers.

use kql_types::ScalarType::{Dynamic, Long, Real};
use kql_types::{Overload, ResultName, Return};

use crate::entry::{Entry, Function, any, boolean, dynamic, ex, real, takes};
use crate::kernel;

const STATS: Return = Return::Columns(&[
    ("min", Real),
    ("min_idx", Long),
    ("max", Real),
    ("max_idx", Long),
    ("avg", Real),
    ("stdev", Real),
    ("variance", Real),
]);

pub static FAMILY: &[Function] = &[
    Function::new(Entry {
        name: "series_sum",
        summary: "Adds the elements of a series.",
        details: "",
        overloads: &[takes(&[dynamic("series")], Real)],
        result_name: ResultName::None,
        examples: &[ex("print s = series_sum(dynamic([1, 2, 3]))", "s:real\n6.0")],
        kernel: kernel!(crate::kernels::series_reduce::series_sum),
    }),
    Function::new(Entry {
        name: "series_product",
        summary: "Multiplies the elements of a series.",
        details: "",
        overloads: &[takes(&[dynamic("series")], Real)],
        result_name: ResultName::None,
        examples: &[ex("print s = series_product(dynamic([1, 2, 3]))", "s:real\n6.0")],
        kernel: kernel!(crate::kernels::series_reduce::series_product),
    }),
    Function::new(Entry {
        name: "series_dot_product",
        summary: "Adds the products of two series.",
        details: "One of the two may be a number.",
        overloads: &[takes(&[any("series1"), any("series2")], Real)],
        result_name: ResultName::None,
        examples: &[ex("print s = series_dot_product(dynamic([1, 2]), dynamic([3, 4]))", "s:real\n11.0")],
        kernel: kernel!(crate::kernels::series_reduce::series_dot_product),
    }),
    Function::new(Entry {
        name: "series_magnitude",
        summary: "Gives the length of a series as a vector.",
        details: "",
        overloads: &[takes(&[dynamic("series")], Real)],
        result_name: ResultName::None,
        examples: &[ex("print s = series_magnitude(dynamic([3, 4]))", "s:real\n5.0")],
        kernel: kernel!(crate::kernels::series_reduce::series_magnitude),
    }),
    Function::new(Entry {
        name: "series_cosine_similarity",
        summary: "Gives the cosine of the angle between two series as vectors.",
        details: "",
        overloads: &[takes(
            &[dynamic("series1"), dynamic("series2"), real("magnitude1").optional(), real("magnitude2").optional()],
            Real,
        )],
        result_name: ResultName::None,
        examples: &[ex("print s = series_cosine_similarity(dynamic([1, 0]), dynamic([2, 0]))", "s:real\n1.0")],
        kernel: kernel!(crate::kernels::series_reduce::series_cosine_similarity),
    }),
    Function::new(Entry {
        name: "series_pearson_correlation",
        summary: "Gives the linear correlation of two series.",
        details: "",
        overloads: &[takes(&[dynamic("series1"), dynamic("series2")], Real)],
        result_name: ResultName::None,
        examples: &[ex("print s = series_pearson_correlation(dynamic([1, 2, 3]), dynamic([2, 4, 6]))", "s:real\n1.0")],
        kernel: kernel!(crate::kernels::series_reduce::series_pearson_correlation),
    }),
    Function::new(Entry {
        name: "series_stats",
        summary: "Gives least, greatest, average, deviation and variance of a series.",
        details: "Of a sample: the variance divides by the count less one.",
        overloads: &[Overload::new(&[dynamic("series"), boolean("ignoreNonfinite").optional()], STATS)],
        result_name: ResultName::None,
        examples: &[ex(
            "print (low, low_at, high) = series_stats(dynamic([3, 1, 2]))",
            "low:real,low_at:long,high:real\n1.0,1,3.0",
        )],
        kernel: kernel!(crate::kernels::series_reduce::series_stats),
    }),
    Function::new(Entry {
        name: "series_stats_dynamic",
        summary: "Gives least, greatest, average, deviation, variance, sum and length of a series as a bag.",
        details: "",
        overloads: &[takes(&[dynamic("series"), boolean("ignoreNonfinite").optional()], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("print m = series_stats_dynamic(dynamic([3, 1, 2])).avg", "m:dynamic\n2.0")],
        kernel: kernel!(crate::kernels::series_reduce::series_stats_dynamic),
    }),
];

//! Missing values of series.

use kql_types::ResultName;
use kql_types::ScalarType::Dynamic;

use crate::entry::{Entry, Function, any, boolean, dynamic, ex, takes};
use crate::kernel;

pub static FAMILY: &[Function] = &[
    Function::new(Entry {
        name: "series_fill_const",
        summary: "Replaces missing values by a constant.",
        details: "Null is missing, or the value given.",
        overloads: &[takes(&[dynamic("series"), any("constant"), any("missing").optional()], Dynamic)],
        result_name: ResultName::FirstArgument,
        examples: &[ex("print s = series_fill_const(dynamic([1, null]), 0)", "s:dynamic\n[1,0]")],
        kernel: kernel!(crate::kernels::series_fill::series_fill_const),
    }),
    Function::new(Entry {
        name: "series_fill_forward",
        summary: "Replaces missing values by the value before.",
        details: "Null is missing, or the value given.",
        overloads: &[takes(&[dynamic("series"), any("missing").optional()], Dynamic)],
        result_name: ResultName::FirstArgument,
        examples: &[ex("print s = series_fill_forward(dynamic([null, 1, null]))", "s:dynamic\n[null,1,1]")],
        kernel: kernel!(crate::kernels::series_fill::series_fill_forward),
    }),
    Function::new(Entry {
        name: "series_fill_backward",
        summary: "Replaces missing values by the value after.",
        details: "Null is missing, or the value given.",
        overloads: &[takes(&[dynamic("series"), any("missing").optional()], Dynamic)],
        result_name: ResultName::FirstArgument,
        examples: &[ex("print s = series_fill_backward(dynamic([null, 1, null]))", "s:dynamic\n[1,1,null]")],
        kernel: kernel!(crate::kernels::series_fill::series_fill_backward),
    }),
    Function::new(Entry {
        name: "series_fill_linear",
        summary: "Replaces missing values by those on the line between their neighbors.",
        details: "Of whole numbers the result is whole. The edges are filled with the nearest value unless fillEdges is false; a series without values with the constant (0).",
        overloads: &[takes(
            &[
                dynamic("series"),
                any("missing").optional(),
                boolean("fillEdges").optional(),
                any("constant").optional(),
            ],
            Dynamic,
        )],
        result_name: ResultName::FirstArgument,
        examples: &[ex(
            "print s = series_fill_linear(dynamic([null, 1.0, null, 3.0]))",
            "s:dynamic\n[1.0,1.0,2.0,3.0]",
        )],
        kernel: kernel!(crate::kernels::series_fill::series_fill_linear),
    }),
];

//! The operators `== != < <= > >=`.

use kql_types::ResultName;
use kql_types::ScalarType::Bool;

use crate::entry::{Entry, Function, any, ex, takes};
use crate::kernel;

pub static OPERATORS: &[Function] = &[
    Function::new(Entry {
        name: "==",
        summary: "Tells whether two values are equal.",
        details: "Strings by code points. A dynamic value equals a bool, a number or a text when it reads as that. Both null is null; one null is false.",
        overloads: &[takes(&[any("left"), any("right")], Bool)],
        result_name: ResultName::None,
        examples: &[
            ex("print b = dynamic({\"Flag\": \"True\"}).Flag == true", "b:bool\ntrue"),
            ex("print b = real(nan) == real(nan)", "b:bool\nfalse"),
        ],
        kernel: kernel!(crate::kernels::comparison::equal),
    }),
    Function::new(Entry {
        name: "!=",
        summary: "Tells whether two values differ.",
        details: "The opposite of `==`: one null is true, both null is null.",
        overloads: &[takes(&[any("left"), any("right")], Bool)],
        result_name: ResultName::None,
        examples: &[ex("print b = \"a\" != \"A\"", "b:bool\ntrue")],
        kernel: kernel!(crate::kernels::comparison::not_equal),
    }),
    Function::new(Entry {
        name: "<>",
        summary: "Tells whether two values differ: another spelling of `!=`.",
        details: "",
        overloads: &[takes(&[any("left"), any("right")], Bool)],
        result_name: ResultName::None,
        examples: &[ex("print b = 1 <> 2", "b:bool\ntrue")],
        kernel: kernel!(crate::kernels::comparison::not_equal),
    }),
    Function::new(Entry {
        name: "<",
        summary: "Tells whether the left value is less.",
        details: "Null when a side is null; false with NaN.",
        overloads: &[takes(&[any("left"), any("right")], Bool)],
        result_name: ResultName::None,
        examples: &[ex("print b = 1 < 1.5", "b:bool\ntrue")],
        kernel: kernel!(crate::kernels::comparison::less),
    }),
    Function::new(Entry {
        name: "<=",
        summary: "Tells whether the left value is less or equal.",
        details: "Null when a side is null; false with NaN.",
        overloads: &[takes(&[any("left"), any("right")], Bool)],
        result_name: ResultName::None,
        examples: &[ex("print b = 2 <= 2", "b:bool\ntrue")],
        kernel: kernel!(crate::kernels::comparison::less_or_equal),
    }),
    Function::new(Entry {
        name: ">",
        summary: "Tells whether the left value is greater.",
        details: "Null when a side is null; false with NaN.",
        overloads: &[takes(&[any("left"), any("right")], Bool)],
        result_name: ResultName::None,
        examples: &[ex("print b = real(+inf) > 1e308", "b:bool\ntrue")],
        kernel: kernel!(crate::kernels::comparison::greater),
    }),
    Function::new(Entry {
        name: ">=",
        summary: "Tells whether the left value is greater or equal.",
        details: "Null when a side is null; false with NaN.",
        overloads: &[takes(&[any("left"), any("right")], Bool)],
        result_name: ResultName::None,
        examples: &[ex("print b = datetime(2024-01-01) >= datetime(2023-12-31)", "b:bool\ntrue")],
        kernel: kernel!(crate::kernels::comparison::greater_or_equal),
    }),
];

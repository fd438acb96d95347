//! The operators `in`, `!in`, `in~`, `!in~`.

use kql_types::ResultName;
use kql_types::ScalarType::Bool;

use crate::entry::{Entry, Function, any, ex, takes};
use crate::kernel;

pub static OPERATORS: &[Function] = &[
    Function::new(Entry {
        name: "in",
        summary: "Tells whether a value is one of several.",
        details: "A dynamic array stands for its elements. A null is in no list.",
        overloads: &[takes(&[any("value"), any("item").repeat()], Bool)],
        result_name: ResultName::None,
        examples: &[
            ex("print b = 2 in (1, 2)", "b:bool\ntrue"),
            ex("print b = \"a\" in (dynamic([\"a\", \"b\"]))", "b:bool\ntrue"),
        ],
        kernel: kernel!(crate::kernels::membership::is_in),
    }),
    Function::new(Entry {
        name: "!in",
        summary: "Tells whether a value is none of several.",
        details: "",
        overloads: &[takes(&[any("value"), any("item").repeat()], Bool)],
        result_name: ResultName::None,
        examples: &[ex("print b = 2 !in (1, 2)", "b:bool\nfalse")],
        kernel: kernel!(crate::kernels::membership::not_in),
    }),
    Function::new(Entry {
        name: "in~",
        summary: "Tells whether a value is one of several, ignoring case.",
        details: "",
        overloads: &[takes(&[any("value"), any("item").repeat()], Bool)],
        result_name: ResultName::None,
        examples: &[ex("print b = \"A\" in~ (\"a\", \"b\")", "b:bool\ntrue")],
        kernel: kernel!(crate::kernels::membership::is_in_ignoring_case),
    }),
    Function::new(Entry {
        name: "!in~",
        summary: "Tells whether a value is none of several, ignoring case.",
        details: "",
        overloads: &[takes(&[any("value"), any("item").repeat()], Bool)],
        result_name: ResultName::None,
        examples: &[ex("print b = \"A\" !in~ (\"a\", \"b\")", "b:bool\nfalse")],
        kernel: kernel!(crate::kernels::membership::not_in_ignoring_case),
    }),
];

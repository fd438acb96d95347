//! Tests for null.

use kql_types::ResultName;
use kql_types::ScalarType::Bool;

use crate::entry::{Entry, Function, any, ex, takes};
use crate::kernel;

pub static FAMILY: &[Function] = &[
    Function::new(Entry {
        name: "isnull",
        summary: "Tells whether a value is null.",
        details: "A string is never null.",
        overloads: &[takes(&[any("value")], Bool)],
        result_name: ResultName::None,
        examples: &[
            ex("print b = isnull(toint(\"x\"))", "b:bool\ntrue"),
            ex("print b = isnull(\"\")", "b:bool\nfalse"),
        ],
        kernel: kernel!(crate::kernels::nulls::isnull),
    }),
    Function::new(Entry {
        name: "isnotnull",
        summary: "Tells whether a value is not null.",
        details: "A string is never null.",
        overloads: &[takes(&[any("value")], Bool)],
        result_name: ResultName::None,
        examples: &[ex("print b = isnotnull(42)", "b:bool\ntrue")],
        kernel: kernel!(crate::kernels::nulls::isnotnull),
    }),
    Function::new(Entry {
        name: "notnull",
        summary: "Tells whether a value is not null: the old name of `isnotnull`.",
        details: "",
        overloads: &[takes(&[any("value")], Bool)],
        result_name: ResultName::None,
        examples: &[ex("print b = notnull(42)", "b:bool\ntrue")],
        kernel: kernel!(crate::kernels::nulls::isnotnull),
    })
    .obsolete("isnotnull"),
];

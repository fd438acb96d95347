//! What has no name in a query: paths into dynamic values and silent conversions.

use kql_types::ResultName;
use kql_types::ScalarType::Dynamic;

use crate::entry::{Entry, Function, any, dynamic, ex, string, takes};
use crate::kernel;

pub static OPERATORS: &[Function] = &[
    Function::new(Entry {
        name: "path",
        summary: "Takes a part of a dynamic value: `.key` and `[index]`.",
        details: "Negative places count from the end. What is not there is null. Of a string it is the part of the JSON in it.",
        overloads: &[
            takes(&[dynamic("base"), any("step").repeat()], Dynamic),
            takes(&[string("json"), any("step").repeat()], Dynamic),
        ],
        result_name: ResultName::None,
        examples: &[
            ex("print v = dynamic({\"a\": [1, 2]}).a[-1]", "v:dynamic\n2"),
            ex("print v = parse_json('{\"user\": {\"name\": \"x\"}}').user[\"name\"]", "v:dynamic\n\"x\""),
        ],
        kernel: kernel!(crate::kernels::path::path),
    }),
    Function::new(Entry {
        name: "convert",
        summary: "Converts a value silently, as where types meet in `iff` and `coalesce`.",
        details: "A string becomes a dynamic string; `parse_json` is what reads JSON.",
        overloads: &[takes(&[any("value")], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("print n = coalesce(dynamic(null), 1)", "n:long\n1")],
        kernel: kernel!(crate::kernels::conversion::convert),
    }),
];

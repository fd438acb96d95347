//! JSON text.

use kql_types::ScalarType::String;
use kql_types::{Overload, ResultName, Return};

use crate::entry::{Entry, Function, any, ex, string, string_or_dynamic, takes};
use crate::kernel;

/// The type of the last argument when a type is given, as in `typeof(long)`; string otherwise.
const CONVERTED: Return = Return::Custom(|types| types.get(2).copied().unwrap_or(String));

pub static FAMILY: &[Function] = &[
    Function::new(Entry {
        name: "dynamic_to_json",
        summary: "Writes a dynamic value as JSON with sorted keys.",
        details: "Values that differ only in the order of keys give the same text.",
        overloads: &[takes(&[any("value")], String)],
        result_name: ResultName::None,
        examples: &[ex(
            "print s = dynamic_to_json(dynamic({\"b\": 1, \"a\": [true]}))",
            "s:string\n\"{\"\"a\"\":[true],\"\"b\"\":1}\"",
        )],
        kernel: kernel!(crate::kernels::json::dynamic_to_json),
    }),
    Function::new(Entry {
        name: "extract_json",
        summary: "Takes a value out of JSON text by a path.",
        details: "What is not there is `\"\"`, or null when a type is given.",
        overloads: &[Overload::new(
            &[string("jsonPath"), string_or_dynamic("dataSource"), any("typeLiteral").optional().constant()],
            CONVERTED,
        )],
        result_name: ResultName::None,
        examples: &[
            ex("print s = extract_json(\"$.a[0].b\", '{\"a\": [{\"b\": \"x\"}]}')", "s:string\n\"x\""),
            ex("print n = extract_json(\"$.n\", '{\"n\": 7}', typeof(long))", "n:long\n7"),
        ],
        kernel: kernel!(crate::kernels::json::extract_json),
    }),
    Function::new(Entry {
        name: "extractjson",
        summary: "Takes a value out of JSON text by a path: another name of `extract_json`.",
        details: "",
        overloads: &[Overload::new(
            &[string("jsonPath"), string_or_dynamic("dataSource"), any("typeLiteral").optional().constant()],
            CONVERTED,
        )],
        result_name: ResultName::None,
        examples: &[ex("print s = extractjson(\"$.a\", '{\"a\": \"x\"}')", "s:string\n\"x\"")],
        kernel: kernel!(crate::kernels::json::extract_json),
    }),
];

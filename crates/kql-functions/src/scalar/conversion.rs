//! Conversions between types: what text, number or time a value stands for.
//!
//! What can not be converted is null (or `""`), never an error.

use kql_types::ResultName;
use kql_types::ScalarType::{Bool, DateTime, Decimal, Dynamic, Guid, Int, Long, Real, String, TimeSpan};

use crate::entry::{Entry, Function, any, ex, integer, number, takes};
use crate::kernel;

pub static FAMILY: &[Function] = &[
    Function::new(Entry {
        name: "tostring",
        summary: "Writes a value as text.",
        details: "A null gives `\"\"`. Bools print `True` and `False`, inside of dynamic `true` and `false`; datetimes with seven digits and `Z`; a dynamic string without quotes.",
        overloads: &[takes(&[any("value")], String)],
        result_name: ResultName::FirstArgument,
        examples: &[
            ex("print s = tostring(1.50)", "s:string\n\"1.5\""),
            ex("print s = tostring(true)", "s:string\n\"True\""),
            ex("print s = tostring(dynamic({\"a\": [1, true]}))", "s:string\n\"{\"\"a\"\":[1,true]}\""),
        ],
        kernel: kernel!(crate::kernels::conversion::convert),
    }),
    Function::new(Entry {
        name: "toint",
        summary: "Reads an int.",
        details: "Text that is no int gives null, also `\"12.5\"`. Reals are cut towards zero; longs keep their low 32 bits; a bool is 1 or 0.",
        overloads: &[takes(&[any("value")], Int)],
        result_name: ResultName::FirstArgument,
        examples: &[ex("print i = toint(\"0x1f\")", "i:int\n31"), ex("print i = toint(-2.9)", "i:int\n-2")],
        kernel: kernel!(crate::kernels::conversion::convert),
    }),
    Function::new(Entry {
        name: "tolong",
        summary: "Reads a long.",
        details: "Text that is no long gives null. Reals are cut towards zero; datetimes and timespans give their ticks of 100 ns.",
        overloads: &[takes(&[any("value")], Long)],
        result_name: ResultName::FirstArgument,
        examples: &[ex("print n = tolong(\" 42 \")", "n:long\n42"), ex("print n = tolong(1h)", "n:long\n36000000000")],
        kernel: kernel!(crate::kernels::conversion::convert),
    }),
    Function::new(Entry {
        name: "toreal",
        summary: "Reads a real.",
        details: "Text that is no real gives null; `nan`, `inf` and `-inf` are reals.",
        overloads: &[takes(&[any("value")], Real)],
        result_name: ResultName::FirstArgument,
        examples: &[ex("print r = toreal(\"1e3\")", "r:real\n1000.0")],
        kernel: kernel!(crate::kernels::conversion::convert),
    }),
    Function::new(Entry {
        name: "todouble",
        summary: "Reads a real: another name of `toreal`.",
        details: "",
        overloads: &[takes(&[any("value")], Real)],
        result_name: ResultName::FirstArgument,
        examples: &[ex("print r = todouble(\"0.25\")", "r:real\n0.25")],
        kernel: kernel!(crate::kernels::conversion::convert),
    }),
    Function::new(Entry {
        name: "tobool",
        summary: "Reads a bool.",
        details: "`true` and `false` in any case, or a whole number, where all but 0 is true.",
        overloads: &[takes(&[any("value")], Bool)],
        result_name: ResultName::FirstArgument,
        examples: &[ex("print b = tobool(\"tRuE\")", "b:bool\ntrue"), ex("print b = tobool(\"yes\")", "b:bool\nnull")],
        kernel: kernel!(crate::kernels::conversion::convert),
    }),
    Function::new(Entry {
        name: "toboolean",
        summary: "Reads a bool: another name of `tobool`.",
        details: "",
        overloads: &[takes(&[any("value")], Bool)],
        result_name: ResultName::FirstArgument,
        examples: &[ex("print b = toboolean(\"0\")", "b:bool\nfalse")],
        kernel: kernel!(crate::kernels::conversion::convert),
    }),
    Function::new(Entry {
        name: "todatetime",
        summary: "Reads a datetime.",
        details: "ISO 8601, RFC 822 and RFC 850 texts, month before day in `12/31/2024`; no zone means UTC. A number is ticks of 100 ns since the year 1. Anything else gives null.",
        overloads: &[takes(&[any("value")], DateTime)],
        result_name: ResultName::FirstArgument,
        examples: &[
            ex("print t = todatetime(\"2024-02-29 10:30\")", "t:datetime\n2024-02-29T10:30:00.0000000Z"),
            ex("print t = todatetime(\"Sat, 8 Nov 2014 15:05:02 GMT\")", "t:datetime\n2014-11-08T15:05:02.0000000Z"),
        ],
        kernel: kernel!(crate::kernels::conversion::convert),
    }),
    Function::new(Entry {
        name: "totimespan",
        summary: "Reads a timespan.",
        details: "`[d.]hh:mm[:ss[.fffffff]]` or the form of a literal. A number is ticks of 100 ns.",
        overloads: &[takes(&[any("value")], TimeSpan)],
        result_name: ResultName::FirstArgument,
        examples: &[
            ex("print t = totimespan(\"1.02:03:04\")", "t:timespan\n1.02:03:04"),
            ex("print t = totimespan(\"90s\")", "t:timespan\n00:01:30"),
        ],
        kernel: kernel!(crate::kernels::conversion::convert),
    }),
    Function::new(Entry {
        name: "totime",
        summary: "Reads a timespan: the old name of `totimespan`.",
        details: "",
        overloads: &[takes(&[any("value")], TimeSpan)],
        result_name: ResultName::FirstArgument,
        examples: &[ex("print t = totime(\"2h\")", "t:timespan\n02:00:00")],
        kernel: kernel!(crate::kernels::conversion::convert),
    })
    .obsolete("totimespan"),
    Function::new(Entry {
        name: "todecimal",
        summary: "Reads a decimal.",
        details: "Exact, with up to 38 digits before and after the point.",
        overloads: &[takes(&[any("value")], Decimal)],
        result_name: ResultName::FirstArgument,
        examples: &[ex("print d = todecimal(\"1.10\")", "d:decimal\n1.1")],
        kernel: kernel!(crate::kernels::conversion::convert),
    }),
    Function::new(Entry {
        name: "toguid",
        summary: "Reads a guid.",
        details: "With or without hyphens and braces, in any case.",
        overloads: &[takes(&[any("value")], Guid)],
        result_name: ResultName::FirstArgument,
        examples: &[ex(
            "print g = toguid(\"{0F8FAD5B-D9CB-469F-A165-70867728950E}\")",
            "g:guid\n0f8fad5b-d9cb-469f-a165-70867728950e",
        )],
        kernel: kernel!(crate::kernels::conversion::convert),
    }),
    Function::new(Entry {
        name: "todynamic",
        summary: "Reads JSON: another name of `parse_json`.",
        details: "",
        overloads: &[takes(&[any("value")], Dynamic)],
        result_name: ResultName::FirstArgument,
        examples: &[ex("print d = todynamic(\"[1, 2]\")", "d:dynamic\n[1,2]")],
        kernel: kernel!(crate::kernels::conversion::parse_json),
    }),
    Function::new(Entry {
        name: "toobject",
        summary: "Reads JSON: an old name of `parse_json`.",
        details: "",
        overloads: &[takes(&[any("value")], Dynamic)],
        result_name: ResultName::FirstArgument,
        examples: &[ex("print d = toobject(\"[1]\")", "d:dynamic\n[1]")],
        kernel: kernel!(crate::kernels::conversion::parse_json),
    })
    .obsolete("todynamic"),
    Function::new(Entry {
        name: "parse_json",
        summary: "Reads JSON.",
        details: "Text that is not JSON becomes a dynamic string of that text. Of duplicate keys the last value counts.",
        overloads: &[takes(&[any("value")], Dynamic)],
        result_name: ResultName::FirstArgument,
        examples: &[
            ex("print d = parse_json('{\"a\": 1, \"b\": [true]}').b", "d:dynamic\n[true]"),
            ex("print d = parse_json(\"no JSON\")", "d:dynamic\n\"no JSON\""),
        ],
        kernel: kernel!(crate::kernels::conversion::parse_json),
    }),
    Function::new(Entry {
        name: "parsejson",
        summary: "Reads JSON: an old name of `parse_json`.",
        details: "",
        overloads: &[takes(&[any("value")], Dynamic)],
        result_name: ResultName::FirstArgument,
        examples: &[ex("print d = parsejson(\"[1]\")", "d:dynamic\n[1]")],
        kernel: kernel!(crate::kernels::conversion::parse_json),
    })
    .obsolete("parse_json"),
    Function::new(Entry {
        name: "gettype",
        summary: "Names the type of a value.",
        details: "For dynamic the type inside: `array`, `dictionary`, `null`, `string`, `long`, `double`, ...",
        overloads: &[takes(&[any("value")], String)],
        result_name: ResultName::PrefixAndFirstArgument("type"),
        examples: &[
            ex("print t = gettype(1.5)", "t:string\n\"real\""),
            ex("print t = gettype(dynamic([1]))", "t:string\n\"array\""),
        ],
        kernel: kernel!(crate::kernels::conversion::gettype),
    }),
    Function::new(Entry {
        name: "tohex",
        summary: "Writes a whole number in hexadecimal.",
        details: "Negative numbers print as the two's complement of 64 bits.",
        overloads: &[takes(&[number("value"), integer("minLength").optional()], String)],
        result_name: ResultName::FirstArgument,
        examples: &[
            ex("print h = tohex(256, 8)", "h:string\n\"00000100\""),
            ex("print h = tohex(-1)", "h:string\n\"ffffffffffffffff\""),
        ],
        kernel: kernel!(crate::kernels::conversion::tohex),
    }),
];

//! Scalar types.

use crate::entry::ex;
use crate::language::{Form, FormKind};

pub static FAMILY: &[Form] = &[
    Form {
        name: "bool",
        kind: FormKind::Type,
        syntax: &["true", "false", "bool(null)"],
        summary: "True, false, or null.",
        details: "",
        examples: &[ex("print a = true, b = bool(null)", "a:bool,b:bool\ntrue,null")],
    },
    Form {
        name: "int",
        kind: FormKind::Type,
        syntax: &["int(5)", "int(null)"],
        summary: "A whole number of 32 bits.",
        details: "Arithmetic gives long.",
        examples: &[ex("print a = int(7), b = int(7) / 2", "a:int,b:long\n7,3")],
    },
    Form {
        name: "long",
        kind: FormKind::Type,
        syntax: &["5", "-5", "0xff", "long(null)"],
        summary: "A whole number of 64 bits.",
        details: "Division cuts, `%` is never negative, and results that are too large wrap.",
        examples: &[ex("print a = 7 / 2, b = -7 % 3, c = 0xff", "a:long,b:long,c:long\n3,2,255")],
    },
    Form {
        name: "real",
        kind: FormKind::Type,
        syntax: &["1.5", "1e3", "real(nan)", "real(+inf)", "real(null)"],
        summary: "A number of 64 bits with a point.",
        details: "",
        examples: &[ex("print a = 1.5 * 2, b = 1.0 / 0", "a:real,b:real\n3.0,inf")],
    },
    Form {
        name: "decimal",
        kind: FormKind::Type,
        syntax: &["decimal(1.5)", "decimal(null)"],
        summary: "An exact decimal number of 34 digits.",
        details: "",
        examples: &[ex("print a = decimal(0.1) + decimal(0.2)", "a:decimal\n0.3")],
    },
    Form {
        name: "string",
        kind: FormKind::Type,
        syntax: &["'text'", "\"text\"", "@'c:\\dir'", "h'secret'", "```several lines```"],
        summary: "A text. It is never null: a missing one is `\"\"`.",
        details: "`h` hides the text in logs of queries. In `@` texts a backslash is a letter.",
        examples: &[ex(
            "print a = 'tab\\tstop', b = @'c:\\dir', c = isempty('')",
            "a:string,b:string,c:bool\n\"tab\\tstop\",\"c:\\\\dir\",true",
        )],
    },
    Form {
        name: "datetime",
        kind: FormKind::Type,
        syntax: &["datetime(2026-03-01)", "datetime(2026-03-01 10:15:00.5)", "datetime(null)"],
        summary: "A moment between the years 1 and 9999, in steps of 100 ns, in UTC.",
        details: "",
        examples: &[ex(
            "print a = datetime(2026-03-01 10:15), b = datetime(2026-03-01) + 36h",
            "a:datetime,b:datetime\n2026-03-01T10:15:00.0000000Z,2026-03-02T12:00:00.0000000Z",
        )],
    },
    Form {
        name: "timespan",
        kind: FormKind::Type,
        syntax: &["1d", "2.5h", "30m", "10s", "100ms", "5microsecond", "1tick", "time(1.02:03:04)"],
        summary: "A length of time in steps of 100 ns; may be negative.",
        details: "",
        examples: &[ex("print a = 90m, b = time(1.02:03:04) / 2", "a:timespan,b:timespan\n01:30:00,13:01:32")],
    },
    Form {
        name: "guid",
        kind: FormKind::Type,
        syntax: &["guid(74be27de-1e4e-49d9-b579-fe0b331d3642)", "guid(null)"],
        summary: "A number of 128 bits.",
        details: "",
        examples: &[ex(
            "print a = guid(74BE27DE-1E4E-49D9-B579-FE0B331D3642)",
            "a:guid\n74be27de-1e4e-49d9-b579-fe0b331d3642",
        )],
    },
    Form {
        name: "dynamic",
        kind: FormKind::Type,
        syntax: &["dynamic([1, 'a', {\"b\": 2}])", "dynamic(null)"],
        summary: "An array, a bag of named values, or any value of another type.",
        details: "A member is taken with `.` or `[...]`; one that is not there is null. An index may be negative.",
        examples: &[ex(
            "print d = dynamic({'a': [1, 2]}) | project x = d.a[-1], y = isnull(d.b)",
            "x:dynamic,y:bool\n2,true",
        )],
    },
];

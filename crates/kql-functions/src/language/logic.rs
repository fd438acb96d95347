//! Operators between values that are no entries of their own: ranges and logic.

use crate::entry::ex;
use crate::language::{Form, FormKind};

pub static FAMILY: &[Form] = &[
    Form {
        name: "between",
        kind: FormKind::ScalarOperator,
        syntax: &["VALUE between (LOW .. HIGH)"],
        summary: "Tells whether a value lies in a range, both ends included.",
        details: "Numbers, datetimes and timespans. After a datetime the high end may be a timespan: so long after the low end.",
        examples: &[
            ex("print a = 5 between (1 .. 5), b = 6 between (1 .. 5)", "a:bool,b:bool\ntrue,false"),
            ex("print a = datetime(2026-03-01 10:00) between (datetime(2026-03-01) .. 1d)", "a:bool\ntrue"),
        ],
    },
    Form {
        name: "!between",
        kind: FormKind::ScalarOperator,
        syntax: &["VALUE !between (LOW .. HIGH)"],
        summary: "Tells whether a value lies outside a range.",
        details: "",
        examples: &[ex("print a = 6 !between (1 .. 5)", "a:bool\ntrue")],
    },
    Form {
        name: "and",
        kind: FormKind::ScalarOperator,
        syntax: &["PREDICATE and PREDICATE"],
        summary: "True when both sides are.",
        details: "False when one side is false, even when the other is null; otherwise null when a side is null. Binds closer than `or`.",
        examples: &[ex("print a = true and false, b = true and true", "a:bool,b:bool\nfalse,true")],
    },
    Form {
        name: "or",
        kind: FormKind::ScalarOperator,
        syntax: &["PREDICATE or PREDICATE"],
        summary: "True when one of the sides is.",
        details: "True when one side is true, even when the other is null; otherwise null when a side is null.",
        examples: &[ex("print a = true or bool(null), b = false or false", "a:bool,b:bool\ntrue,false")],
    },
];

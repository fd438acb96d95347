//! Operators that take texts apart.

use crate::entry::ex;
use crate::language::{Form, FormKind};

pub static FAMILY: &[Form] = &[
    Form {
        name: "parse",
        kind: FormKind::Operator,
        syntax: &["T | parse [kind = simple | relaxed | regex] EXPRESSION with [*] TEXT NAME[: TYPE] ... [*]"],
        summary: "Takes columns out of a text between fixed texts.",
        details: "A text that does not match gives nulls and `\"\"`. `simple` wants all types to fit, `relaxed` leaves null what does not fit, `regex` takes the fixed texts for expressions.",
        examples: &[ex(
            "print Line = 'user=ann port=22 ok' | parse Line with 'user=' User ' port=' Port:long ' ' * | project User, Port",
            "User:string,Port:long\n\"ann\",22",
        )],
    },
    Form {
        name: "parse-where",
        kind: FormKind::Operator,
        syntax: &["T | parse-where [kind = simple | relaxed | regex] EXPRESSION with [*] TEXT NAME[: TYPE] ... [*]"],
        summary: "Like `parse`, and keeps only the rows that match.",
        details: "",
        examples: &[ex(
            "datatable(Line:string)['port=22', 'none'] | parse-where Line with 'port=' Port:long | project Port",
            "Port:long\n22",
        )],
    },
    Form {
        name: "parse-kv",
        kind: FormKind::Operator,
        syntax: &[
            "T | parse-kv EXPRESSION as (NAME: TYPE, ...) [with (pair_delimiter = TEXT, kv_delimiter = TEXT, quote = TEXT)]",
            "T | parse-kv EXPRESSION as (NAME: TYPE, ...) with (regex = TEXT)",
        ],
        summary: "Takes columns out of a text of keys and values.",
        details: "Keys that are not listed are left out; those that are missing give null or `\"\"`.",
        examples: &[ex(
            "print Line = 'src=10.0.0.1 dpt=22' | parse-kv Line as (src:string, dpt:long) with (pair_delimiter=' ', kv_delimiter='=') | project src, dpt",
            "src:string,dpt:long\n\"10.0.0.1\",22",
        )],
    },
];

//! Statements: what stands before the query, ended by `;`.

use crate::entry::ex;
use crate::language::{Form, FormKind};

pub static FAMILY: &[Form] = &[
    Form {
        name: "let",
        kind: FormKind::Statement,
        syntax: &["let NAME = EXPRESSION;", "let NAME = (PARAMETER: TYPE [= DEFAULT], ...) { BODY };"],
        summary: "Names a value, a table or a function.",
        details: "A table behind a `let` is computed where it is read; `materialize` computes it once.",
        examples: &[ex(
            "let Limit = 2; let Many = (n:long) { n > Limit }; print a = Many(3), b = Many(1)",
            "a:bool,b:bool\ntrue,false",
        )],
    },
    Form {
        name: "set",
        kind: FormKind::Statement,
        syntax: &["set OPTION [= VALUE];"],
        summary: "Sets an option of the query.",
        details: "`query_now` is what `now()` says; `query_take_max_records` cuts results; `query_bin_auto_size` and `query_bin_auto_at` are the bins of `bin_auto`; `query_datetimescope_column` with `query_datetimescope_from` and `query_datetimescope_to` cuts the tables that have the column. Options that only mean a cluster have no effect.",
        examples: &[
            ex("set notruncation; print x = 1", "x:long\n1"),
            ex(
                "set query_now = datetime(2024-05-06); print yesterday = ago(1d)",
                "yesterday:datetime\n2024-05-05T00:00:00.0000000Z",
            ),
            ex("set query_take_max_records = 2; range x from 1 to 9 step 1", "x:long\n1\n2"),
        ],
    },
    Form {
        name: "query parameters declaration",
        kind: FormKind::Statement,
        syntax: &["declare query_parameters (NAME: TYPE [= DEFAULT], ...);"],
        summary: "Declares values that are given from outside, with `--param NAME=VALUE`.",
        details: "",
        examples: &[ex(
            "declare query_parameters (Least:long = 2); datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | where Hits >= Least | count",
            "Count:long\n2",
        )],
    },
    Form {
        name: "pattern",
        kind: FormKind::Statement,
        syntax: &["declare pattern NAME [= (PARAMETER: TYPE, ...) { (VALUE, ...) = { BODY }; ... }];"],
        summary: "Maps tuples of texts to queries.",
        details: "",
        examples: &[ex(
            "declare pattern team = (Name:string) { ('red') = { print Lead = 'ann' }; ('blue') = { print Lead = 'bob' }; }; team('blue')",
            "Lead:string\n\"bob\"",
        )],
    },
    Form {
        name: "alias",
        kind: FormKind::Statement,
        syntax: &["alias database NAME = cluster(TEXT).database(TEXT);"],
        summary: "Gives a database another name.",
        details: "There are no other databases here.",
        examples: &[ex("alias database Other = cluster('c').database('d'); print x = 1", "x:long\n1")],
    },
    Form {
        name: "restrict",
        kind: FormKind::Statement,
        syntax: &["restrict access to (NAME, ...);"],
        summary: "Lets the rest of the query read only what is listed.",
        details: "A name may hold `*`; `database(NAME).*` lets everything through. Constants stay visible, and a view shows what it reads.",
        examples: &[ex(
            "let Few = () { range x from 1 to 3 step 1 }; restrict access to (Few); Few | count",
            "Count:long\n3",
        )],
    },
];

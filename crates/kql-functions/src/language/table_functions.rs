//! Functions that stand for tables, or take tables.

use crate::entry::ex;
use crate::language::{Form, FormKind};

pub static FAMILY: &[Form] = &[
    Form {
        name: "toscalar",
        kind: FormKind::TableFunction,
        syntax: &["toscalar(TABLE)"],
        summary: "The first value of a table, as a constant of the query.",
        details: "It is computed once, and cannot depend on the row.",
        examples: &[ex("print n = toscalar(range x from 4 to 9 step 1 | summarize max(x))", "n:long\n9")],
    },
    Form {
        name: "materialize",
        kind: FormKind::TableFunction,
        syntax: &["materialize(TABLE)"],
        summary: "Computes a table once, however often it is read.",
        details: "",
        examples: &[ex(
            "let A = materialize(range x from 1 to 3 step 1); A | where x < toscalar(A | summarize max(x)) | count",
            "Count:long\n2",
        )],
    },
    Form {
        name: "table",
        kind: FormKind::TableFunction,
        syntax: &["table(NAME)"],
        summary: "The table of this name, given as a text.",
        details: "The name must be made of constants.",
        examples: &[ex("table('SigninLogs') | count", "Count:long\n0")],
    },
    Form {
        name: "database",
        kind: FormKind::TableFunction,
        syntax: &["database(NAME).TABLE"],
        summary: "A table of another database.",
        details: "There is one database here; a name of another one is not done.",
        examples: &[ex("database('Logs').SigninLogs | count", "Count:long\n0")],
    },
    Form {
        name: "cluster",
        kind: FormKind::TableFunction,
        syntax: &["cluster(NAME).database(NAME).TABLE"],
        summary: "A table of another cluster.",
        details: "There are no clusters here.",
        examples: &[ex("cluster('other').database('Logs').SigninLogs | count", "Count:long\n0")],
    },
    Form {
        name: "workspace",
        kind: FormKind::TableFunction,
        syntax: &["workspace(NAME).TABLE"],
        summary: "A table of another workspace.",
        details: "All logs given are one workspace.",
        examples: &[ex("workspace('other').SigninLogs | count", "Count:long\n0")],
    },
    Form {
        name: "external_table",
        kind: FormKind::TableFunction,
        syntax: &["external_table(NAME [, MAPPING])"],
        summary: "A table defined outside the cluster.",
        details: "The table of that name is read.",
        examples: &[ex("external_table('SigninLogs') | count", "Count:long\n0")],
    },
    Form {
        name: "materialized_view",
        kind: FormKind::TableFunction,
        syntax: &["materialized_view(NAME [, MAXAGE])"],
        summary: "A view that a cluster keeps up to date.",
        details: "The table of that name is read.",
        examples: &[ex("materialized_view('SigninLogs') | count", "Count:long\n0")],
    },
    Form {
        name: "stored_query_result",
        kind: FormKind::TableFunction,
        syntax: &["stored_query_result(NAME)"],
        summary: "A result that a cluster keeps.",
        details: "",
        examples: &[],
    },
    Form {
        name: "FileProfile",
        kind: FormKind::TableFunction,
        syntax: &["T | invoke FileProfile([COLUMN [, LIMIT]])"],
        summary: "Adds what Microsoft knows of files by their hash: prevalence, signer, threat.",
        details: "Nobody knows it here: all columns are empty, and `ProfileAvailability` is `Missing`. A stored function of the name goes first.",
        examples: &[ex(
            "datatable(SHA1:string)['0a'] | invoke FileProfile(SHA1, 100) | project SHA1, GlobalPrevalence, ProfileAvailability",
            "SHA1:string,GlobalPrevalence:int,ProfileAvailability:string\n\"0a\",null,\"Missing\"",
        )],
    },
    Form {
        name: "_GetWatchlist",
        kind: FormKind::TableFunction,
        syntax: &["_GetWatchlist(NAME [, KEYS])"],
        summary: "The rows of a watchlist, with its key in `SearchKey`.",
        details: "Watchlists are CSV files of folders given with `--watchlists`. A watchlist that is not there is empty.",
        examples: &[ex("_GetWatchlist('admins') | count", "Count:long\n0")],
    },
];

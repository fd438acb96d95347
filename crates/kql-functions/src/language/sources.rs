//! Operators that start a pipeline, or read more tables into it.

use crate::entry::ex;
use crate::language::{Form, FormKind};

pub static FAMILY: &[Form] = &[
    Form {
        name: "print",
        kind: FormKind::Operator,
        syntax: &["print [NAME =] EXPRESSION, ..."],
        summary: "Makes one row from expressions.",
        details: "",
        examples: &[ex("print A = 1 + 2, B = strcat('a', 'b')", "A:long,B:string\n3,\"ab\"")],
    },
    Form {
        name: "range",
        kind: FormKind::Operator,
        syntax: &["range NAME from START to STOP step STEP"],
        summary: "Makes a column of values in equal steps.",
        details: "Numbers, datetimes and timespans. The last value is not beyond `STOP`.",
        examples: &[ex(
            "range Day from datetime(2026-03-01) to datetime(2026-03-02) step 1d",
            "Day:datetime\n2026-03-01T00:00:00.0000000Z\n2026-03-02T00:00:00.0000000Z",
        )],
    },
    Form {
        name: "datatable",
        kind: FormKind::Operator,
        syntax: &["datatable (NAME: TYPE, ...) [VALUE, ...]"],
        summary: "Writes a table down in the query.",
        details: "The values stand row by row.",
        examples: &[ex(
            "datatable(Id:long, Name:string)[1, 'ann', 2, 'bob']",
            "Id:long,Name:string\n1,\"ann\"\n2,\"bob\"",
        )],
    },
    Form {
        name: "externaldata",
        kind: FormKind::Operator,
        syntax: &["externaldata (NAME: TYPE, ...) [ADDRESS, ...] [with (PROPERTY = VALUE, ...)]"],
        summary: "Reads rows from files at addresses.",
        details: "Nothing is fetched: an address is answered by a file of a folder given with `--external`, `HOST/PATH` or the last part of the path in it, and has no rows without one. Formats are csv, tsv, tsve, psv, scsv, sohsv, txt, raw, json and multijson, also in gzip or as the first file of a zip archive, and parquet, whose columns go by name.",
        examples: &[ex(
            "externaldata(Ip:string)['https://feeds.example/addresses.txt'] with (format='txt') | count",
            "Count:long\n0",
        )],
    },
    Form {
        name: "find",
        kind: FormKind::Operator,
        syntax: &["find [in (TABLE, ...)] where PREDICATE [project COLUMN, ...]"],
        summary: "Looks for rows in several tables.",
        details: "The result tells the table in `source_`. Without a list of columns, those that the predicate names, and the rest packed into `pack_`.",
        examples: &[ex(
            "let A = datatable(Ip:string)['10.0.0.1', '10.0.0.2']; let B = datatable(Ip:string, Port:long)['10.0.0.1', 22]; find in (A, B) where Ip == '10.0.0.1' project Ip, Port | sort by source_ asc",
            "source_:string,Ip:string,Port:long\n\"A\",\"10.0.0.1\",null\n\"B\",\"10.0.0.1\",22",
        )],
    },
    Form {
        name: "search",
        kind: FormKind::Operator,
        syntax: &["search [kind = case_sensitive] [in (TABLE, ...)] PREDICATE", "T | search PREDICATE"],
        summary: "Looks for a text in all columns.",
        details: "A text alone matches as `has`, with `*` as prefix or suffix; `COLUMN: text` looks in one column. Of several tables, `$table` says which.",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | search 'bob'",
            "$table:string,User:string,Country:string,Hits:long\n\"search_arg0\",\"bob\",\"DE\",1",
        )],
    },
    Form {
        name: "union",
        kind: FormKind::Operator,
        syntax: &[
            "union [kind = inner | outer] [withsource = NAME] [isfuzzy = true] TABLE, ...",
            "T | union TABLE, ...",
        ],
        summary: "Puts the rows of tables together.",
        details: "Columns of one name and type become one; of one name and different types, one for each type. `kind=inner` keeps the columns that all have. With `isfuzzy=true` a table that does not exist is left out with a warning.",
        examples: &[ex(
            "let A = print x = 1, y = 'a'; let B = print x = 2, z = true; union withsource=From A, B | sort by x asc | project x, y, z",
            "x:long,y:string,z:bool\n1,\"a\",null\n2,\"\",true",
        )],
    },
    Form {
        name: "join",
        kind: FormKind::Operator,
        syntax: &["T | join [kind = KIND] (TABLE) on KEY, ..."],
        summary: "Puts rows of two tables side by side where keys are equal.",
        details: "Kinds: `innerunique` (unless said otherwise: one row of the left side for each key), `inner`, `leftouter`, `rightouter`, `fullouter`, `leftsemi`, `rightsemi`, `leftanti`, `rightanti`. A key is a name that both sides have or `$left.A == $right.B`. Null keys never match, and a column of the right side whose name is taken gets a `1`.",
        examples: &[ex(
            "let Owners = datatable(User:string, Team:string)['ann','red']; datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | join kind=leftouter (Owners) on User | sort by User asc, Hits asc",
            "User:string,Country:string,Hits:long,User1:string,Team:string\n\"ann\",\"DE\",2,\"ann\",\"red\"\n\"ann\",\"PL\",3,\"ann\",\"red\"\n\"bob\",\"DE\",1,\"\",\"\"",
        )],
    },
    Form {
        name: "lookup",
        kind: FormKind::Operator,
        syntax: &["T | lookup [kind = leftouter | inner] (TABLE) on KEY, ..."],
        summary: "Adds the columns of a small table to the rows of a large one.",
        details: "Like `join`, but the keys are not repeated, and `leftouter` unless said otherwise.",
        examples: &[ex(
            "let Owners = datatable(User:string, Team:string)['ann','red']; datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | lookup (Owners) on User | sort by User asc, Hits asc",
            "User:string,Country:string,Hits:long,Team:string\n\"ann\",\"DE\",2,\"red\"\n\"ann\",\"PL\",3,\"red\"\n\"bob\",\"DE\",1,\"\"",
        )],
    },
    Form {
        name: "macro-expand",
        kind: FormKind::Operator,
        syntax: &["macro-expand GROUP as SCOPE (QUERY)"],
        summary: "Runs a query for each member of an entity group and puts the rows together.",
        details: "All databases and clusters are the one that there is: each member reads the same tables.",
        examples: &[ex(
            "macro-expand entity_group [database('a'), database('b')] as D (D.SigninLogs | summarize Rows = count())",
            "Rows:long\n0\n0",
        )],
    },
    Form {
        name: "inline_external_table",
        kind: FormKind::Operator,
        syntax: &["inline_external_table (NAME: TYPE, ...) kind = KIND (ADDRESS, ...)"],
        summary: "Describes an external table in the query.",
        details: "Not available: it describes files in a service's storage. `externaldata` reads files of a folder.",
        examples: &[],
    },
];

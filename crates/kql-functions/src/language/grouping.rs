//! Operators that group, split and sample rows.

use crate::entry::ex;
use crate::language::{Form, FormKind};

pub static FAMILY: &[Form] = &[
    Form {
        name: "summarize",
        kind: FormKind::Operator,
        syntax: &["T | summarize [[NAME =] AGGREGATE, ...] [by [NAME =] EXPRESSION, ...]"],
        summary: "Groups rows and computes aggregates of each group.",
        details: "Without `by`, one group of all rows, which exists even when there are none. Without aggregates, the groups alone. A null is a group of its own.",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | summarize sum(Hits), Countries = dcount(Country) by User | sort by User asc",
            "User:string,sum_Hits:long,Countries:long\n\"ann\",5,2\n\"bob\",1,1",
        )],
    },
    Form {
        name: "make-series",
        kind: FormKind::Operator,
        syntax: &[
            "T | make-series [NAME =] AGGREGATE [default = VALUE], ... on AXIS [from START] [to STOP] step STEP [by COLUMN, ...]",
        ],
        summary: "Turns rows into arrays of values at equal steps, one row for each group.",
        details: "A step without rows gets the default (0 unless said otherwise). The end is not part of the series.",
        examples: &[ex(
            "datatable(T:datetime, Ip:string)[datetime(2026-03-01 01:10), 'a', datetime(2026-03-01 01:20), 'a', datetime(2026-03-01 03:00), 'a'] | make-series n = count() on T from datetime(2026-03-01 01:00) to datetime(2026-03-01 04:00) step 1h by Ip",
            "Ip:string,n:dynamic,T:dynamic\n\"a\",[2,0,1],[\"2026-03-01T01:00:00.0000000Z\",\"2026-03-01T02:00:00.0000000Z\",\"2026-03-01T03:00:00.0000000Z\"]",
        )],
    },
    Form {
        name: "mv-expand",
        kind: FormKind::Operator,
        syntax: &[
            "T | mv-expand [kind = bag | array] [with_itemindex = NAME] [NAME =] EXPRESSION [to typeof(TYPE)], ... [limit NUMBER]",
        ],
        summary: "Makes a row of each element of an array or bag.",
        details: "Several expressions are expanded side by side; the shorter is filled with nulls. An empty array gives one row with null.",
        examples: &[ex(
            "print User = 'ann', Roles = dynamic(['reader', 'owner']) | mv-expand Role = Roles to typeof(string) | project User, Role",
            "User:string,Role:string\n\"ann\",\"reader\"\n\"ann\",\"owner\"",
        )],
    },
    Form {
        name: "mv-apply",
        kind: FormKind::Operator,
        syntax: &["T | mv-apply [NAME =] EXPRESSION [to typeof(TYPE)], ... [limit NUMBER] on (SUBQUERY)"],
        summary: "Runs a subquery over the elements of an array, for each row.",
        details: "The rows of the subquery stand beside the row they came from; a row for which it gives none is gone.",
        examples: &[ex(
            "datatable(User:string, Scores:dynamic)['ann', dynamic([3, 9]), 'bob', dynamic([4])] | mv-apply S = Scores to typeof(long) on (summarize Best = max(S)) | project User, Best",
            "User:string,Best:long\n\"ann\",9\n\"bob\",4",
        )],
    },
    Form {
        name: "partition",
        kind: FormKind::Operator,
        syntax: &["T | partition [hint.strategy = native | shuffle | legacy] by COLUMN (SUBQUERY)"],
        summary: "Runs a subquery over the rows of each value of a column.",
        details: "",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | partition by User (top 1 by Hits) | project User, Hits | sort by User asc",
            "User:string,Hits:long\n\"ann\",3\n\"bob\",1",
        )],
    },
    Form {
        name: "top-nested",
        kind: FormKind::Operator,
        syntax: &["T | top-nested [NUMBER] of EXPRESSION [with others = VALUE] by AGGREGATE, top-nested ..."],
        summary: "The largest groups, and within each of them the largest groups of the next level.",
        details: "Each level gives two columns: the value, and what it was ranked by: an aggregate, or what is computed of several.",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | top-nested 1 of User by Total = sum(Hits), top-nested 1 of Country by Part = sum(Hits)",
            "User:string,Total:long,Country:string,Part:long\n\"ann\",5,\"PL\",3",
        )],
    },
    Form {
        name: "top-hitters",
        kind: FormKind::Operator,
        syntax: &["T | top-hitters NUMBER of EXPRESSION [by WEIGHT]"],
        summary: "The values that occur most often, or weigh most.",
        details: "Counted exactly here.",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | top-hitters 1 of User by Hits",
            "User:string,approximate_sum_Hits:long\n\"ann\",5",
        )],
    },
    Form {
        name: "fork",
        kind: FormKind::Operator,
        syntax: &["T | fork [NAME =] (SUBQUERY) ..."],
        summary: "Runs several pipelines over the same rows; each gives a result of its own.",
        details: "",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | fork (count) (where Hits > 2 | project User)",
            "User:string\n\"ann\"",
        )],
    },
    Form {
        name: "facet",
        kind: FormKind::Operator,
        syntax: &["T | facet by COLUMN, ... [with (SUBQUERY)]"],
        summary: "Gives a table of counts for each column that is listed.",
        details: "Each is a result of its own; `with` adds one of the rows themselves.",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | facet by Country",
            "Country:string,count_Country:long\n\"PL\",1\n\"DE\",2",
        )],
    },
    Form {
        name: "reduce",
        kind: FormKind::Operator,
        syntax: &["T | reduce [by EXPRESSION] [with threshold = NUMBER, characters = TEXT]"],
        summary: "Groups texts that look alike, and shows the pattern of each group.",
        details: "",
        examples: &[ex(
            "datatable(M:string)['disk 1 full', 'disk 2 full', 'disk 7 full'] | reduce by M | project Pattern, Count",
            "Pattern:string,Count:long\n\"disk * full\",3",
        )],
    },
    Form {
        name: "scan",
        kind: FormKind::Operator,
        syntax: &[
            "T | scan [with_match_id = NAME] [declare (NAME: TYPE = VALUE, ...)] with (step NAME [optional] [output = all | last | none]: CONDITION [=> COLUMN = VALUE, ...]; ...)",
        ],
        summary: "Looks for sequences in ordered rows, by steps that remember what came before.",
        details: "The rows must be serialized. A step names the state of an earlier step as `STEP.COLUMN`. An optional step may be left out of a sequence.",
        examples: &[ex(
            "datatable(T:long, Event:string)[1, 'login', 2, 'read', 3, 'logout', 4, 'read'] | sort by T asc | scan declare (Session:long = 0) with (step a: Event == 'login' => Session = T; step b: Event != 'login' => Session = a.Session;) | project T, Event, Session",
            "T:long,Event:string,Session:long\n1,\"login\",1\n2,\"read\",1\n3,\"logout\",1\n4,\"read\",1",
        )],
    },
    Form {
        name: "evaluate",
        kind: FormKind::Operator,
        syntax: &["T | evaluate PLUGIN(ARGUMENT, ...) [: (NAME: TYPE, ...)]"],
        summary: "Calls a plugin.",
        details: "Columns that depend on the data are known when they are written behind the call.",
        examples: &[ex(
            "print Bag = dynamic({'a': 1, 'b': 'x'}) | evaluate bag_unpack(Bag)",
            "a:long,b:string\n1,\"x\"",
        )],
    },
];

//! Operators that keep, change or order rows and columns.

use crate::entry::ex;
use crate::language::{Form, FormKind};

pub static FAMILY: &[Form] = &[
    Form {
        name: "where",
        kind: FormKind::Operator,
        syntax: &["T | where PREDICATE"],
        summary: "Keeps the rows for which a predicate is true.",
        details: "A row for which the predicate is null goes too. `filter` is another spelling.",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | where User == 'ann' and Hits > 2",
            "User:string,Country:string,Hits:long\n\"ann\",\"PL\",3",
        )],
    },
    Form {
        name: "project",
        kind: FormKind::Operator,
        syntax: &["T | project [NAME =] EXPRESSION, ..."],
        summary: "Gives exactly the columns that are listed, in that order.",
        details: "A call without a name of its own gets one: from the function and its first argument, or `Column1`.",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | project User, Twice = Hits * 2, strlen(Country)",
            "User:string,Twice:long,strlen_Country:long\n\"ann\",6,2\n\"bob\",2,2\n\"ann\",4,2",
        )],
    },
    Form {
        name: "project-away",
        kind: FormKind::Operator,
        syntax: &["T | project-away COLUMN, ..."],
        summary: "Leaves out the columns that are listed.",
        details: "A name may have wildcards: `project-away Raw*`. A column that does not exist is a mistake, a pattern without a match is none.",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | project-away C*",
            "User:string,Hits:long\n\"ann\",3\n\"bob\",1\n\"ann\",2",
        )],
    },
    Form {
        name: "project-keep",
        kind: FormKind::Operator,
        syntax: &["T | project-keep COLUMN, ..."],
        summary: "Keeps the columns that are listed, in the order of the table.",
        details: "A name may have wildcards. `project` instead gives them in the order of the list.",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | project-keep Hits, User",
            "User:string,Hits:long\n\"ann\",3\n\"bob\",1\n\"ann\",2",
        )],
    },
    Form {
        name: "project-rename",
        kind: FormKind::Operator,
        syntax: &["T | project-rename NEW = OLD, ..."],
        summary: "Gives columns another name, in their old place.",
        details: "",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | project-rename Account = User | take 1",
            "Account:string,Country:string,Hits:long\n\"ann\",\"PL\",3",
        )],
    },
    Form {
        name: "project-reorder",
        kind: FormKind::Operator,
        syntax: &["T | project-reorder COLUMN [asc | desc | granny-asc | granny-desc], ..."],
        summary: "Moves the columns that are listed to the front.",
        details: "The rest follows in its old order. With a wildcard, `asc` and `desc` order the matching columns by name; the `granny` forms read numbers in names as numbers.",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | project-reorder Hits | take 1",
            "Hits:long,User:string,Country:string\n3,\"ann\",\"PL\"",
        )],
    },
    Form {
        name: "project-by-names",
        kind: FormKind::Operator,
        syntax: &["T | project-by-names NAME, ..."],
        summary: "Gives columns by names that are computed: texts, arrays of texts, and patterns.",
        details: "",
        examples: &[ex("print A = 1, B = 2, C = 3 | project-by-names dynamic(['C', 'A'])", "C:long,A:long\n3,1")],
    },
    Form {
        name: "extend",
        kind: FormKind::Operator,
        syntax: &["T | extend [NAME =] EXPRESSION, ..."],
        summary: "Adds computed columns, or replaces columns of that name.",
        details: "The expressions see the columns as they were before: two columns of one `extend` do not see each other.",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | extend Many = Hits > 1 | project User, Many",
            "User:string,Many:bool\n\"ann\",true\n\"bob\",false\n\"ann\",true",
        )],
    },
    Form {
        name: "distinct",
        kind: FormKind::Operator,
        syntax: &["T | distinct COLUMN, ...", "T | distinct *"],
        summary: "Gives each combination of values once.",
        details: "The order of the rows is not defined.",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | distinct User | sort by User asc",
            "User:string\n\"ann\"\n\"bob\"",
        )],
    },
    Form {
        name: "count",
        kind: FormKind::Operator,
        syntax: &["T | count [as NAME]"],
        summary: "Counts the rows.",
        details: "One row with one column, `Count`.",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | count",
            "Count:long\n3",
        )],
    },
    Form {
        name: "take",
        kind: FormKind::Operator,
        syntax: &["T | take NUMBER"],
        summary: "Gives so many rows, whichever come first.",
        details: "`limit` is another spelling. Without an order of the rows it is not defined which.",
        examples: &[ex("range x from 1 to 9 step 1 | sort by x desc | take 2", "x:long\n9\n8")],
    },
    Form {
        name: "sample",
        kind: FormKind::Operator,
        syntax: &["T | sample NUMBER"],
        summary: "Gives so many rows by chance.",
        details: "Another choice on each run.",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | sample 2 | count",
            "Count:long\n2",
        )],
    },
    Form {
        name: "sample-distinct",
        kind: FormKind::Operator,
        syntax: &["T | sample-distinct NUMBER of EXPRESSION"],
        summary: "Gives so many different values of an expression.",
        details: "Fast rather than fair: the values seen first have the best chances.",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | sample-distinct 5 of User | count",
            "Count:long\n2",
        )],
    },
    Form {
        name: "sort",
        kind: FormKind::Operator,
        syntax: &["T | sort by EXPRESSION [asc | desc] [nulls first | nulls last], ..."],
        summary: "Orders the rows.",
        details: "Descending unless `asc` is said. Nulls are first when ascending and last when descending. `order` is another spelling. The rows are serialized afterwards: window functions may look at their neighbours.",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | sort by User asc, Hits desc",
            "User:string,Country:string,Hits:long\n\"ann\",\"PL\",3\n\"ann\",\"DE\",2\n\"bob\",\"DE\",1",
        )],
    },
    Form {
        name: "top",
        kind: FormKind::Operator,
        syntax: &["T | top NUMBER by EXPRESSION [asc | desc] [nulls first | nulls last], ..."],
        summary: "Gives the first rows of an order.",
        details: "Descending unless `asc` is said; nulls come last unless `nulls first` is said.",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | top 2 by Hits",
            "User:string,Country:string,Hits:long\n\"ann\",\"PL\",3\n\"ann\",\"DE\",2",
        )],
    },
    Form {
        name: "serialize",
        kind: FormKind::Operator,
        syntax: &["T | serialize [[NAME =] EXPRESSION, ...]"],
        summary: "Says that the order of the rows matters from here on, and may add columns.",
        details: "Functions such as `row_number` and `prev` need it, unless a `sort` or `top` stands before.",
        examples: &[ex("range x from 5 to 6 step 1 | serialize n = row_number()", "x:long,n:long\n5,1\n6,2")],
    },
    Form {
        name: "as",
        kind: FormKind::Operator,
        syntax: &["T | as NAME"],
        summary: "Gives a table a name, by which the rest of the statement can read it again.",
        details: "",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | as L | where Hits == toscalar(L | summarize max(Hits)) | project User, Hits",
            "User:string,Hits:long\n\"ann\",3",
        )],
    },
    Form {
        name: "consume",
        kind: FormKind::Operator,
        syntax: &["T | consume"],
        summary: "Reads all rows and gives none.",
        details: "For measuring. The columns stay.",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | consume | count",
            "Count:long\n0",
        )],
    },
    Form {
        name: "getschema",
        kind: FormKind::Operator,
        syntax: &["T | getschema"],
        summary: "Lists the columns with their places and types.",
        details: "",
        examples: &[ex(
            "print A = 1, B = 'x' | getschema",
            "ColumnName:string,ColumnOrdinal:long,DataType:string,ColumnType:string\n\"A\",0,\"System.Int64\",\"long\"\n\"B\",1,\"System.String\",\"string\"",
        )],
    },
    Form {
        name: "render",
        kind: FormKind::Operator,
        syntax: &["T | render KIND [with (PROPERTY = VALUE, ...)]"],
        summary: "Says how the result is to be drawn.",
        details: "The rows stay as they are; the choice travels with the result, and a text terminal shows rows.",
        examples: &[ex(
            "datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | summarize Hits = sum(Hits) by User | sort by User asc | render barchart",
            "User:string,Hits:long\n\"ann\",5\n\"bob\",1",
        )],
    },
    Form {
        name: "invoke",
        kind: FormKind::Operator,
        syntax: &["T | invoke FUNCTION(ARGUMENT, ...)"],
        summary: "Calls a function whose first parameter is a table with the rows so far.",
        details: "",
        examples: &[ex(
            "let Loud = (T:(Hits:long), least:long) { T | where Hits >= least }; datatable(User:string, Country:string, Hits:long)['ann','PL',3, 'bob','DE',1, 'ann','DE',2] | invoke Loud(3)",
            "User:string,Country:string,Hits:long\n\"ann\",\"PL\",3",
        )],
    },
];

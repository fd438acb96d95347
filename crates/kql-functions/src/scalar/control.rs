//! Choices, defaults, and what depends on the query rather than on its rows.
//!
//! The binder gives most of these their meaning; an entry that it does not know either is `unsupported: NAME`.

use kql_types::ScalarType::{Bool, DateTime};
use kql_types::{Overload, Param, ParamType, ResultName, Return};

use crate::entry::{Entry, Function, any, boolean, datetime, ex, number, string, takes, timespan};
use crate::kernel;

pub static FAMILY: &[Function] = &[
    Function::new(Entry {
        name: "now",
        summary: "Gives the time of the query.",
        details: "The same in all rows of a query.",
        overloads: &[takes(&[timespan("offset").optional()], DateTime)],
        result_name: ResultName::None,
        examples: &[ex("print b = now(-1h) < now()", "b:bool\ntrue")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "ago",
        summary: "Gives the time of the query less a timespan.",
        details: "",
        overloads: &[takes(&[timespan("timespan")], DateTime)],
        result_name: ResultName::None,
        examples: &[ex("print b = ago(1h) < now()", "b:bool\ntrue")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "iff",
        summary: "Chooses by a condition.",
        details: "A null condition is false.",
        overloads: &[Overload::new(
            &[boolean("if"), Param::new("then", ParamType::Common), Param::new("else", ParamType::Common)],
            Return::CommonNonDynamic,
        )],
        result_name: ResultName::None,
        examples: &[ex("print s = iff(1 > 2, \"yes\", \"no\")", "s:string\n\"no\"")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "iif",
        summary: "Chooses by a condition: another name of `iff`.",
        details: "",
        overloads: &[Overload::new(
            &[boolean("if"), Param::new("then", ParamType::Common), Param::new("else", ParamType::Common)],
            Return::CommonNonDynamic,
        )],
        result_name: ResultName::None,
        examples: &[ex("print s = iif(true, 1, 2)", "s:long\n1")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "case",
        summary: "Gives the value of the first condition that is true.",
        details: "Conditions and values in turn, then the value of the rest.",
        overloads: &[Overload::new(
            &[boolean("predicate"), Param::new("then", ParamType::Common), any("arg").repeat()],
            Return::CommonNonDynamic,
        )],
        result_name: ResultName::None,
        examples: &[ex("print s = case(3 < 2, \"small\", 3 < 5, \"medium\", \"large\")", "s:string\n\"medium\"")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "coalesce",
        summary: "Gives the first argument that is not null, or not empty for strings.",
        details: "",
        overloads: &[Overload::new(
            &[Param::new("arg", ParamType::Common), Param::new("arg", ParamType::Common).repeat()],
            Return::Common,
        )],
        result_name: ResultName::None,
        examples: &[ex("print n = coalesce(tolong(\"x\"), 5)", "n:long\n5")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "not",
        summary: "Turns a bool around.",
        details: "Null stays null.",
        overloads: &[takes(&[any("expr")], Bool)],
        result_name: ResultName::None,
        examples: &[ex("print b = not(false)", "b:bool\ntrue")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "column_ifexists",
        summary: "Gives a column, or a default where the table has no such column.",
        details: "",
        overloads: &[Overload::new(&[string("columnName").constant(), any("defaultValue")], Return::Argument(1))],
        result_name: ResultName::FirstArgumentValueIfColumn,
        examples: &[ex("print a = 1 | project b = column_ifexists(\"missing\", 7)", "b:long\n7")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "columnifexists",
        summary: "Gives a column, or a default: the old name of `column_ifexists`.",
        details: "",
        overloads: &[Overload::new(&[string("columnName").constant(), any("defaultValue")], Return::Argument(1))],
        result_name: ResultName::FirstArgumentValueIfColumn,
        examples: &[ex("print a = 1 | project b = columnifexists(\"a\", 7)", "b:long\n1")],
        kernel: None,
    })
    .obsolete("column_ifexists")
    .by_binder(),
    Function::new(Entry {
        name: "iscolumnexists",
        summary: "Tells whether a table has a column.",
        details: "",
        overloads: &[takes(&[string("columnName").constant()], Bool)],
        result_name: ResultName::None,
        examples: &[ex("print a = 1 | project b = iscolumnexists(\"a\")", "b:bool\ntrue")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "around",
        summary: "Tells whether a value lies within a distance of another.",
        details: "Both ends are included.",
        overloads: &[
            takes(&[number("value"), number("center"), number("delta")], Bool),
            takes(&[datetime("value"), datetime("center"), timespan("delta")], Bool),
            takes(&[timespan("value"), timespan("center"), timespan("delta")], Bool),
        ],
        result_name: ResultName::None,
        examples: &[ex("print b = around(10, 8, 2)", "b:bool\ntrue")],
        kernel: kernel!(crate::kernels::comparison::around),
    }),
];

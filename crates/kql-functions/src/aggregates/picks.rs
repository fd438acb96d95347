//! Aggregates that pick a row: `arg_max`, `arg_min`, `take_any`.
//!
//! The binder turns them into items of their own (`ArgExtreme`, `TakeAny`); with several arguments
//! their kernels give one struct column with a field per argument.

use kql_types::{Overload, Param, ParamType, ResultName, Return};

use super::{ANY, ORDERABLE, PREDICATE};
use crate::{Aggregate, Example, kernel};

const SAME: Return = Return::Argument(0);
const RETURNED: Param = Param::new("expr", ParamType::Any).repeat();
const EXTREME_DETAILS: &str = "The first argument decides, the others (or `*`, all columns) are given from that row. Rows \
                               where the first argument is null are chosen only if there are no others; among equals \
                               the first row wins.";
const ANY_DETAILS: &str = "The first row of the group in which the value is not null; with several arguments they all \
                           come from one row.";

pub static FAMILY: &[Aggregate] = &[
    Aggregate {
        name: "arg_max",
        summary: "Gives columns of the row where the first argument is greatest.",
        details: EXTREME_DETAILS,
        overloads: &[Overload::new(&[ORDERABLE, RETURNED], SAME)],
        result_name: ResultName::FirstArgument,
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:long, b:string)[1, \"x\", 3, \"y\", 2, \"z\"] | summarize arg_max(a, b)",
            result: "a:long,b:string\n3,\"y\"",
        }],
        kernel: kernel!(crate::kernels::aggregate_pick::arg_max),
    },
    Aggregate {
        name: "arg_min",
        summary: "Gives columns of the row where the first argument is least.",
        details: EXTREME_DETAILS,
        overloads: &[Overload::new(&[ORDERABLE, RETURNED], SAME)],
        result_name: ResultName::FirstArgument,
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:long, b:string)[2, \"x\", 1, \"y\", 3, \"z\"] | summarize arg_min(a, b)",
            result: "a:long,b:string\n1,\"y\"",
        }],
        kernel: kernel!(crate::kernels::aggregate_pick::arg_min),
    },
    Aggregate {
        name: "argmax",
        summary: "Gives columns of the row where the first argument is greatest: the old name of `arg_max`.",
        details: "The column of the first argument is named with the prefix `max_`, the others `max_NAME_OTHER`.",
        overloads: &[Overload::new(&[ORDERABLE, RETURNED], SAME)],
        result_name: ResultName::PrefixAndFirstArgument("max"),
        obsolete: Some("arg_max"),
        examples: &[Example {
            query: "datatable(a:long, b:string)[1, \"x\", 3, \"y\"] | summarize argmax(a, b)",
            result: "max_a:long,max_a_b:string\n3,\"y\"",
        }],
        kernel: kernel!(crate::kernels::aggregate_pick::arg_max),
    },
    Aggregate {
        name: "argmin",
        summary: "Gives columns of the row where the first argument is least: the old name of `arg_min`.",
        details: "The column of the first argument is named with the prefix `min_`, the others `min_NAME_OTHER`.",
        overloads: &[Overload::new(&[ORDERABLE, RETURNED], SAME)],
        result_name: ResultName::PrefixAndFirstArgument("min"),
        obsolete: Some("arg_min"),
        examples: &[Example {
            query: "datatable(a:long, b:string)[1, \"x\", 3, \"y\"] | summarize argmin(a, b)",
            result: "min_a:long,min_a_b:string\n1,\"x\"",
        }],
        kernel: kernel!(crate::kernels::aggregate_pick::arg_min),
    },
    Aggregate {
        name: "take_any",
        summary: "Gives the values of some row of each group.",
        details: ANY_DETAILS,
        overloads: &[Overload::new(&[ANY, RETURNED], SAME)],
        result_name: ResultName::FirstArgument,
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:long)[long(null), 2, 2] | summarize take_any(a)",
            result: "a:long\n2",
        }],
        kernel: kernel!(crate::kernels::aggregate_pick::take_any),
    },
    Aggregate {
        name: "take_anyif",
        summary: "Gives the value of some row of each group for which the predicate is true.",
        details: "No such row gives null.",
        overloads: &[Overload::new(&[ANY, PREDICATE], SAME)],
        result_name: ResultName::FirstArgument,
        obsolete: None,
        examples: &[Example { query: "datatable(a:long)[1, 2] | summarize take_anyif(a, a > 1)", result: "a:long\n2" }],
        kernel: kernel!(crate::kernels::aggregate_pick::take_anyif),
    },
    Aggregate {
        name: "any",
        summary: "Gives the values of some row of each group: the old name of `take_any`.",
        details: ANY_DETAILS,
        overloads: &[Overload::new(&[ANY, RETURNED], SAME)],
        result_name: ResultName::PrefixAndFirstArgument("any"),
        obsolete: Some("take_any"),
        examples: &[Example { query: "datatable(a:long)[2, 2] | summarize any(a)", result: "any_a:long\n2" }],
        kernel: kernel!(crate::kernels::aggregate_pick::take_any),
    },
    Aggregate {
        name: "anyif",
        summary: "Gives the value of some row for which the predicate is true: the old name of `take_anyif`.",
        details: "No such row gives null.",
        overloads: &[Overload::new(&[ANY, PREDICATE], SAME)],
        result_name: ResultName::PrefixAndFirstArgument("anyif"),
        obsolete: Some("take_anyif"),
        examples: &[Example {
            query: "datatable(a:long)[1, 2] | summarize anyif(a, a > 1)",
            result: "anyif_a:long\n2",
        }],
        kernel: kernel!(crate::kernels::aggregate_pick::take_anyif),
    },
];

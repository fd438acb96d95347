//! `count` and `countif`.

use kql_types::{Overload, Param, ParamType, ResultName, Return, ScalarType};

use super::PREDICATE;
use crate::{Aggregate, Example, kernel};

const LONG: Return = Return::Type(ScalarType::Long);
const EXPR: Param = Param::new("expr", ParamType::Any).optional();

pub static FAMILY: &[Aggregate] = &[
    Aggregate {
        name: "count",
        summary: "Counts the rows of each group.",
        details: "Rows count whatever they hold: `count(x)` counts rows where x is null as well.",
        overloads: &[Overload::new(&[EXPR], LONG)],
        result_name: ResultName::PrefixAndFirstArgument("count"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:long)[1, 2, long(null)] | summarize count()",
            result: "count_:long\n3",
        }],
        kernel: kernel!(crate::kernels::aggregate_count::count),
    },
    Aggregate {
        name: "cnt",
        summary: "Counts the rows of each group: the old name of `count`.",
        details: "",
        overloads: &[Overload::new(&[EXPR], LONG)],
        result_name: ResultName::PrefixAndFirstArgument("cnt"),
        obsolete: Some("count"),
        examples: &[Example { query: "datatable(a:long)[1, 2] | summarize cnt()", result: "cnt_:long\n2" }],
        kernel: kernel!(crate::kernels::aggregate_count::count),
    },
    Aggregate {
        name: "countif",
        summary: "Counts the rows of each group for which the predicate is true.",
        details: "A null predicate counts as false.",
        overloads: &[Overload::new(&[PREDICATE], LONG)],
        result_name: ResultName::PrefixAndFirstArgument("countif"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:long)[1, 2, 3] | summarize countif(a > 1)",
            result: "countif_:long\n2",
        }],
        kernel: kernel!(crate::kernels::aggregate_count::countif),
    },
];

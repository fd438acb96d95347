//! Least and greatest values.

use kql_types::{Overload, ResultName, Return};

use super::{ORDERABLE, PREDICATE};
use crate::{Aggregate, Example, kernel};

const SAME: Return = Return::Argument(0);

pub static FAMILY: &[Aggregate] = &[
    Aggregate {
        name: "min",
        summary: "Gives the least value of each group.",
        details: "Nulls are passed over; no values give null (`\"\"` for string). A NaN wins over every number.",
        overloads: &[Overload::new(&[ORDERABLE], SAME)],
        result_name: ResultName::PrefixAndFirstArgument("min"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:long)[3, long(null), 2] | summarize min(a)",
            result: "min_a:long\n2",
        }],
        kernel: kernel!(crate::kernels::aggregate_extreme::min),
    },
    Aggregate {
        name: "minif",
        summary: "Gives the least value of each group for which the predicate is true.",
        details: "No such values give null (`\"\"` for string).",
        overloads: &[Overload::new(&[ORDERABLE, PREDICATE], SAME)],
        result_name: ResultName::PrefixAndFirstArgument("minif"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:long)[1, 2, 3] | summarize minif(a, a > 1)",
            result: "minif_a:long\n2",
        }],
        kernel: kernel!(crate::kernels::aggregate_extreme::minif),
    },
    Aggregate {
        name: "max",
        summary: "Gives the greatest value of each group.",
        details: "Nulls are passed over; no values give null (`\"\"` for string). A NaN wins over every number.",
        overloads: &[Overload::new(&[ORDERABLE], SAME)],
        result_name: ResultName::PrefixAndFirstArgument("max"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(s:string)[\"b\", \"c\", \"a\"] | summarize max(s)",
            result: "max_s:string\n\"c\"",
        }],
        kernel: kernel!(crate::kernels::aggregate_extreme::max),
    },
    Aggregate {
        name: "maxif",
        summary: "Gives the greatest value of each group for which the predicate is true.",
        details: "No such values give null (`\"\"` for string).",
        overloads: &[Overload::new(&[ORDERABLE, PREDICATE], SAME)],
        result_name: ResultName::PrefixAndFirstArgument("maxif"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:long)[1, 2, 3] | summarize maxif(a, a < 3)",
            result: "maxif_a:long\n2",
        }],
        kernel: kernel!(crate::kernels::aggregate_extreme::maxif),
    },
];

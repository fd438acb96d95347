//! Sums and means.

use kql_types::{Overload, ResultName, Return, ScalarType};

use super::{PREDICATE, SUMMABLE};
use crate::{Aggregate, Example, kernel};

const SUM: Return = Return::Widened(0);
const MEAN: Return = Return::Custom(mean_type);

/// Integers average to real; the other types stay.
fn mean_type(types: &[ScalarType]) -> ScalarType {
    match types.first() {
        Some(ScalarType::Int | ScalarType::Long) | None => ScalarType::Real,
        Some(other) => *other,
    }
}

pub static FAMILY: &[Aggregate] = &[
    Aggregate {
        name: "sum",
        summary: "Adds up the values of each group.",
        details: "Nulls are passed over; no values give 0. Sums of int and long are long and wrap around.",
        overloads: &[Overload::new(&[SUMMABLE], SUM)],
        result_name: ResultName::PrefixAndFirstArgument("sum"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(g:string, a:int)[\"x\", 1, \"x\", 2, \"y\", 5] | summarize sum(a) by g | sort by g asc",
            result: "g:string,sum_a:long\n\"x\",3\n\"y\",5",
        }],
        kernel: kernel!(crate::kernels::aggregate_sum::sum),
    },
    Aggregate {
        name: "sumif",
        summary: "Adds up the values of each group for which the predicate is true.",
        details: "No such values give 0.",
        overloads: &[Overload::new(&[SUMMABLE, PREDICATE], SUM)],
        result_name: ResultName::PrefixAndFirstArgument("sumif"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:long)[1, 2, 3] | summarize sumif(a, a > 1)",
            result: "sumif_a:long\n5",
        }],
        kernel: kernel!(crate::kernels::aggregate_sum::sumif),
    },
    Aggregate {
        name: "avg",
        summary: "Gives the mean of the values of each group.",
        details: "Nulls are passed over; no values give NaN for numbers, null for other types. The mean of integers \
                  is their wrapping sum divided by their number.",
        overloads: &[Overload::new(&[SUMMABLE], MEAN)],
        result_name: ResultName::PrefixAndFirstArgument("avg"),
        obsolete: None,
        examples: &[Example { query: "datatable(a:long)[1, 2, 6] | summarize avg(a)", result: "avg_a:real\n3.0" }],
        kernel: kernel!(crate::kernels::aggregate_sum::avg),
    },
    Aggregate {
        name: "avgif",
        summary: "Gives the mean of the values of each group for which the predicate is true.",
        details: "No such values give NaN for numbers, null for other types.",
        overloads: &[Overload::new(&[SUMMABLE, PREDICATE], MEAN)],
        result_name: ResultName::PrefixAndFirstArgument("avgif"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:long)[1, 2, 6] | summarize avgif(a, a > 1)",
            result: "avgif_a:real\n4.0",
        }],
        kernel: kernel!(crate::kernels::aggregate_sum::avgif),
    },
];

//! Bitwise aggregates.

use kql_types::{Overload, Param, ParamType, ResultName, Return, ScalarType};

use crate::{Aggregate, Example, kernel};

const NUMBER: Param = Param::new("expr", ParamType::Integer);
const LONG: Return = Return::Type(ScalarType::Long);

macro_rules! bits {
    ($name:literal, $word:literal, $query:literal, $result:literal, $kernel:path $(,)?) => {
        Aggregate {
            name: $name,
            summary: concat!("Combines the integers of each group by bitwise ", $word, "."),
            details: "Nulls are passed over; no values give null.",
            overloads: &[Overload::new(&[NUMBER], LONG)],
            result_name: ResultName::FirstArgument,
            obsolete: None,
            examples: &[Example { query: $query, result: $result }],
            kernel: kernel!($kernel),
        }
    };
}

pub static FAMILY: &[Aggregate] = &[
    bits!(
        "binary_all_and",
        "AND",
        "datatable(a:long)[7, 14] | summarize r = binary_all_and(a)",
        "r:long\n6",
        crate::kernels::aggregate_bits::all_and
    ),
    bits!(
        "binary_all_or",
        "OR",
        "datatable(a:long)[1, 6] | summarize r = binary_all_or(a)",
        "r:long\n7",
        crate::kernels::aggregate_bits::all_or
    ),
    bits!(
        "binary_all_xor",
        "XOR",
        "datatable(a:long)[5, 6] | summarize r = binary_all_xor(a)",
        "r:long\n3",
        crate::kernels::aggregate_bits::all_xor
    ),
];

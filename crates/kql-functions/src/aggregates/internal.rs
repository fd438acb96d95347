//! Aggregates that queries cannot name: what the lowering of `make-series` is made of.
//!
//! Found by name like all others, so that a plan can be rebuilt, but listed nowhere.

use kql_types::{Overload, Param, ParamType, ResultName, Return, ScalarType};

use crate::{Aggregate, kernel};

const LONG: ParamType = ParamType::Type(ScalarType::Long);
const DYNAMIC: Return = Return::Type(ScalarType::Dynamic);
const BIN: Param = Param::new("bin", LONG);
const FIRST: Param = Param::new("first", LONG).constant();
const LAST: Param = Param::new("last", LONG).constant();

pub static INTERNAL: &[Aggregate] = &[
    Aggregate {
        name: "$series",
        summary: "Gathers values by bin to an array.",
        details: "From bin first to bin last, each the group's own when null; bins without a value get the default.",
        overloads: &[Overload::new(
            &[BIN, Param::new("value", ParamType::Any), Param::new("default", ParamType::Any).constant(), FIRST, LAST],
            DYNAMIC,
        )],
        result_name: ResultName::None,
        obsolete: None,
        examples: &[],
        kernel: kernel!(crate::kernels::aggregate_series::series),
    },
    Aggregate {
        name: "$series_axis",
        summary: "Gathers the starts of bins to an array.",
        details: "The start of a bin is origin + bin * step.",
        overloads: &[Overload::new(
            &[
                BIN,
                Param::new("origin", ParamType::Any).constant(),
                Param::new("step", ParamType::Any).constant(),
                FIRST,
                LAST,
            ],
            DYNAMIC,
        )],
        result_name: ResultName::None,
        obsolete: None,
        examples: &[],
        kernel: kernel!(crate::kernels::aggregate_series::series_axis),
    },
];

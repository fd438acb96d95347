//! Percentiles and the t-digest sketch.

use kql_types::{Overload, Param, ParamType, ResultName, Return, ScalarType};

use super::SUMMABLE;
use crate::{Aggregate, Example, kernel};

/// Percentiles of int are long.
const SAME: Return = Return::Widened(0);
const DYNAMIC: Return = Return::Type(ScalarType::Dynamic);
const WEIGHT: Param = Param::new("weight", ParamType::Integer);
const OPTIONAL_WEIGHT: Param = Param::new("weight", ParamType::Integer).optional();
const PERCENTILE: Param = Param::new("percentile", ParamType::Number).constant();
const PERCENTILES: Param = Param::new("percentile", ParamType::Number).constant().repeat();
const PERCENTILE_ARRAY: Param = Param::new("percentiles", ParamType::Type(ScalarType::Dynamic)).constant();
const SKETCH: Param = Param::new("tdigest", ParamType::Type(ScalarType::Dynamic));
const DETAILS: &str = "Nearest rank: the least value that has at least the given per cent of the values at or below it, \
                       so the result is always one of the values. Nulls are passed over; no values give null. Exact \
                       up to sixteen million values in a group, close above that.";
const COLUMNS: ResultName = ResultName::PrefixFirstArgumentAndValue("percentile");
const ARRAY: ResultName = ResultName::PrefixAndFirstArgument("percentiles");

pub static FAMILY: &[Aggregate] = &[
    Aggregate {
        name: "percentile",
        summary: "Gives the value below which the given per cent of the values of each group lie.",
        details: DETAILS,
        overloads: &[Overload::new(&[SUMMABLE, PERCENTILE], SAME)],
        result_name: COLUMNS,
        obsolete: None,
        examples: &[Example {
            query: "range x from 1 to 10 step 1 | summarize percentile(x, 90)",
            result: "percentile_x_90:long\n9",
        }],
        kernel: kernel!(crate::kernels::aggregate_percentile::percentile),
    },
    Aggregate {
        name: "percentiles",
        summary: "Gives several percentiles of each group, each in a column of its own.",
        details: DETAILS,
        overloads: &[Overload::new(&[SUMMABLE, PERCENTILE, PERCENTILES], SAME)],
        result_name: COLUMNS,
        obsolete: None,
        examples: &[Example {
            query: "range x from 1 to 10 step 1 | summarize percentiles(x, 10, 50)",
            result: "percentile_x_10:long,percentile_x_50:long\n1,5",
        }],
        kernel: kernel!(crate::kernels::aggregate_percentile::percentile),
    },
    Aggregate {
        name: "percentiles_array",
        summary: "Gives several percentiles of each group in one dynamic array.",
        details: DETAILS,
        overloads: &[
            Overload::new(&[SUMMABLE, PERCENTILE_ARRAY], DYNAMIC),
            Overload::new(&[SUMMABLE, PERCENTILE, PERCENTILES], DYNAMIC),
        ],
        result_name: ARRAY,
        obsolete: None,
        examples: &[Example {
            query: "range x from 1 to 10 step 1 | summarize p = percentiles_array(x, 10, 50) \
                    | project a = tolong(p[0]), b = tolong(p[1])",
            result: "a:long,b:long\n1,5",
        }],
        kernel: kernel!(crate::kernels::aggregate_percentile::percentiles_array),
    },
    Aggregate {
        name: "percentilew",
        summary: "Gives a percentile of values that stand for as many as their weight says.",
        details: DETAILS,
        overloads: &[Overload::new(&[SUMMABLE, WEIGHT, PERCENTILE], SAME)],
        result_name: COLUMNS,
        obsolete: None,
        examples: &[Example {
            query: "datatable(x:long, w:long)[10, 8, 20, 6, 30, 3] | summarize p = percentilew(x, w, 50)",
            result: "p:long\n20",
        }],
        kernel: kernel!(crate::kernels::aggregate_percentile::percentilew),
    },
    Aggregate {
        name: "percentilesw",
        summary: "Gives several weighted percentiles of each group, each in a column of its own.",
        details: DETAILS,
        overloads: &[Overload::new(&[SUMMABLE, WEIGHT, PERCENTILE, PERCENTILES], SAME)],
        result_name: COLUMNS,
        obsolete: None,
        examples: &[Example {
            query: "datatable(x:long, w:long)[10, 8, 20, 6, 30, 3] | summarize percentilesw(x, w, 50, 90)",
            result: "percentile_x_50:long,percentile_x_90:long\n20,30",
        }],
        kernel: kernel!(crate::kernels::aggregate_percentile::percentilew),
    },
    Aggregate {
        name: "percentilesw_array",
        summary: "Gives several weighted percentiles of each group in one dynamic array.",
        details: DETAILS,
        overloads: &[
            Overload::new(&[SUMMABLE, WEIGHT, PERCENTILE_ARRAY], DYNAMIC),
            Overload::new(&[SUMMABLE, WEIGHT, PERCENTILE, PERCENTILES], DYNAMIC),
        ],
        result_name: ARRAY,
        obsolete: None,
        examples: &[Example {
            query: "datatable(x:long, w:long)[10, 8, 20, 6, 30, 3] | summarize p = percentilesw_array(x, w, 50, 90) \
                    | project a = tolong(p[0]), b = tolong(p[1])",
            result: "a:long,b:long\n20,30",
        }],
        kernel: kernel!(crate::kernels::aggregate_percentile::percentilesw_array),
    },
    Aggregate {
        name: "tdigest",
        summary: "Builds a t-digest sketch of the values of each group.",
        details: "A dynamic value to keep and to merge with `tdigest_merge`; `percentile_tdigest` and `rank_tdigest` read \
                  it. No values give null.",
        overloads: &[Overload::new(&[SUMMABLE, OPTIONAL_WEIGHT], DYNAMIC)],
        result_name: ResultName::PrefixAndFirstArgument("tdigest"),
        obsolete: None,
        examples: &[Example {
            query: "range x from 1 to 10 step 1 | summarize t = tdigest(x) | project p = percentile_tdigest(t, 50, typeof(long))",
            result: "p:long\n5",
        }],
        kernel: kernel!(crate::kernels::aggregate_percentile::tdigest),
    },
    Aggregate {
        name: "tdigest_merge",
        summary: "Merges t-digest sketches of each group into one.",
        details: "",
        overloads: &[Overload::new(&[SKETCH], DYNAMIC)],
        result_name: ResultName::PrefixAndFirstArgument("merge_tdigests"),
        obsolete: None,
        examples: &[Example {
            query: "range x from 1 to 10 step 1 | summarize t = tdigest(x) by g = x % 2 | summarize m = tdigest_merge(t) \
                    | project p = percentile_tdigest(m, 50, typeof(long))",
            result: "p:long\n5",
        }],
        kernel: kernel!(crate::kernels::aggregate_percentile::tdigest_merge),
    },
    Aggregate {
        name: "merge_tdigest",
        summary: "Merges t-digest sketches of each group into one: another name of `tdigest_merge`.",
        details: "",
        overloads: &[Overload::new(&[SKETCH], DYNAMIC)],
        result_name: ResultName::PrefixAndFirstArgument("merge_tdigests"),
        obsolete: None,
        examples: &[Example {
            query: "range x from 1 to 10 step 1 | summarize t = tdigest(x) by g = x % 2 | summarize m = merge_tdigest(t) \
                    | project p = percentile_tdigest(m, 50, typeof(long))",
            result: "p:long\n5",
        }],
        kernel: kernel!(crate::kernels::aggregate_percentile::tdigest_merge),
    },
];

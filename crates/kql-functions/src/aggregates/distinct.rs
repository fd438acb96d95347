//! Numbers of distinct values, and the sketches behind them.

use kql_types::{Overload, Param, ParamType, ResultName, Return, ScalarType};

use super::{ACCURACY, ANY, PREDICATE};
use crate::{Aggregate, Example, kernel};

const LONG: Return = Return::Type(ScalarType::Long);
const DYNAMIC: Return = Return::Type(ScalarType::Dynamic);
const SKETCH: Param = Param::new("hll", ParamType::Type(ScalarType::Dynamic));

pub static FAMILY: &[Aggregate] = &[
    Aggregate {
        name: "dcount",
        summary: "Estimates the number of distinct values of each group.",
        details: "Nulls are passed over, `\"\"` is a value. Exact up to 1024 values; above that a HyperLogLog sketch \
                  whose relative error is about 1.6 % (accuracy 0), 0.8 % (1, the default), 0.4 % (2), 0.28 % (3) or \
                  0.2 % (4).",
        overloads: &[Overload::new(&[ANY, ACCURACY], LONG)],
        result_name: ResultName::PrefixAndFirstArgument("dcount"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:string)[\"x\", \"y\", \"x\"] | summarize dcount(a)",
            result: "dcount_a:long\n2",
        }],
        kernel: kernel!(crate::kernels::aggregate_distinct::dcount),
    },
    Aggregate {
        name: "dcountif",
        summary: "Estimates the number of distinct values of each group for which the predicate is true.",
        details: "As `dcount` over the rows where the predicate is true.",
        overloads: &[Overload::new(&[ANY, PREDICATE, ACCURACY], LONG)],
        result_name: ResultName::PrefixAndFirstArgument("dcountif"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:long)[1, 2, 2, 3] | summarize dcountif(a, a > 1)",
            result: "dcountif_a:long\n2",
        }],
        kernel: kernel!(crate::kernels::aggregate_distinct::dcountif),
    },
    Aggregate {
        name: "count_distinct",
        summary: "Counts the distinct values of each group exactly.",
        details: "Nulls are passed over. Memory grows with the number of distinct values.",
        overloads: &[Overload::new(&[ANY], LONG)],
        result_name: ResultName::PrefixAndFirstArgument("count_distinct"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:string)[\"x\", \"y\", \"x\"] | summarize count_distinct(a)",
            result: "count_distinct_a:long\n2",
        }],
        kernel: kernel!(crate::kernels::aggregate_distinct::count_distinct),
    },
    Aggregate {
        name: "count_distinctif",
        summary: "Counts the distinct values of each group for which the predicate is true, exactly.",
        details: "As `count_distinct` over the rows where the predicate is true.",
        overloads: &[Overload::new(&[ANY, PREDICATE], LONG)],
        result_name: ResultName::PrefixAndFirstArgument("count_distinctif"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:long)[1, 2, 2, 3] | summarize count_distinctif(a, a > 1)",
            result: "count_distinctif_a:long\n2",
        }],
        kernel: kernel!(crate::kernels::aggregate_distinct::count_distinctif),
    },
    Aggregate {
        name: "hll",
        summary: "Builds a HyperLogLog sketch of the distinct values of each group.",
        details: "A dynamic value to keep and to merge with `hll_merge`; `dcount_hll` reads the number out of it. \
                  No values give null.",
        overloads: &[Overload::new(&[ANY, ACCURACY], DYNAMIC)],
        result_name: ResultName::PrefixAndFirstArgument("hll"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:long)[1, 2, 2] | summarize h = hll(a) | project n = dcount_hll(h)",
            result: "n:long\n2",
        }],
        kernel: kernel!(crate::kernels::aggregate_distinct::hll),
    },
    Aggregate {
        name: "hll_if",
        summary: "Builds a HyperLogLog sketch of the values of each group for which the predicate is true.",
        details: "As `hll` over the rows where the predicate is true.",
        overloads: &[Overload::new(&[ANY, PREDICATE, ACCURACY], DYNAMIC)],
        result_name: ResultName::PrefixAndFirstArgument("hll_if"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:long)[1, 2, 2] | summarize h = hll_if(a, a > 1) | project n = dcount_hll(h)",
            result: "n:long\n1",
        }],
        kernel: kernel!(crate::kernels::aggregate_distinct::hll_if),
    },
    Aggregate {
        name: "hll_merge",
        summary: "Merges HyperLogLog sketches of each group into one.",
        details: "Sketches of different accuracy merge to the lower one.",
        overloads: &[Overload::new(&[SKETCH], DYNAMIC)],
        result_name: ResultName::PrefixAndFirstArgument("hll_merge"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(g:long, a:long)[1, 5, 2, 6, 2, 5] | summarize h = hll(a) by g | summarize m = hll_merge(h) \
                    | project n = dcount_hll(m)",
            result: "n:long\n2",
        }],
        kernel: kernel!(crate::kernels::aggregate_distinct::hll_merge),
    },
];

//! Functions over the sketches that `hll` and `tdigest` build.

use kql_types::{Overload, Param, ParamType, ResultName, Return, ScalarType};

use crate::{Example, Function, Kind, kernel};

const HLL: Param = Param::new("hll", ParamType::Type(ScalarType::Dynamic));
const MORE_HLL: Param = Param::new("hll", ParamType::Type(ScalarType::Dynamic)).repeat();
const DIGEST: Param = Param::new("tdigest", ParamType::Type(ScalarType::Dynamic));
const MORE_DIGESTS: Param = Param::new("tdigest", ParamType::Type(ScalarType::Dynamic)).repeat();
const PERCENTILE: Param = Param::new("percentile", ParamType::Number);
const PERCENTILES: Param = Param::new("percentiles", ParamType::Type(ScalarType::Dynamic));
/// `typeof(T)` stands as a null of type T.
const TYPE: Param = Param::new("typeLiteral", ParamType::Any).optional().constant();
const VALUE: Param = Param::new("value", ParamType::Summable);
const DYNAMIC: Return = Return::Type(ScalarType::Dynamic);
const BOOL: Return = Return::Type(ScalarType::Bool);

/// The type named by the third argument, dynamic without one.
fn asked_type(types: &[ScalarType]) -> ScalarType {
    types.get(2).copied().unwrap_or(ScalarType::Dynamic)
}

pub static FAMILY: &[Function] = &[
    Function {
        name: "dcount_hll",
        summary: "Reads the number of distinct values out of an `hll` sketch.",
        details: "Null for a null or a value that is no sketch.",
        overloads: &[Overload::new(&[HLL], Return::Type(ScalarType::Long))],
        result_name: ResultName::NameAndFirstArgument,
        kind: Kind::Scalar,
        obsolete: None,
        examples: &[Example {
            query: "range x from 1 to 5 step 1 | summarize h = hll(x) | project n = dcount_hll(h)",
            result: "n:long\n5",
        }],
        kernel: kernel!(crate::kernels::sketches::dcount_hll),
    },
    Function {
        name: "hll_merge",
        summary: "Merges `hll` sketches of one row into one.",
        details: "",
        overloads: &[Overload::new(&[HLL, MORE_HLL], DYNAMIC)],
        result_name: ResultName::PrefixOnly("hll_merged_result"),
        kind: Kind::Scalar,
        obsolete: None,
        examples: &[Example {
            query: "range x from 1 to 5 step 1 | summarize a = hll(x), b = hll(x + 3) | project n = dcount_hll(hll_merge(a, b))",
            result: "n:long\n8",
        }],
        kernel: kernel!(crate::kernels::sketches::hll_merge),
    },
    Function {
        name: "hll_isvalid",
        summary: "Tells whether a dynamic value is an `hll` sketch.",
        details: "",
        overloads: &[Overload::new(&[HLL], BOOL)],
        result_name: ResultName::None,
        kind: Kind::Scalar,
        obsolete: None,
        examples: &[Example { query: "print v = hll_isvalid(dynamic([1, 2]))", result: "v:bool\nfalse" }],
        kernel: kernel!(crate::kernels::sketches::hll_isvalid),
    },
    Function {
        name: "percentile_tdigest",
        summary: "Reads a percentile out of a `tdigest` sketch.",
        details: "The result is dynamic unless a type is given.",
        overloads: &[Overload::new(&[DIGEST, PERCENTILE, TYPE], Return::Custom(asked_type))],
        result_name: ResultName::NameAndFirstArgument,
        kind: Kind::Scalar,
        obsolete: None,
        examples: &[Example {
            query: "range x from 1 to 10 step 1 | summarize t = tdigest(x) | project p = percentile_tdigest(t, 90, typeof(long))",
            result: "p:long\n9",
        }],
        kernel: kernel!(crate::kernels::sketches::percentile_tdigest),
    },
    Function {
        name: "percentiles_array_tdigest",
        summary: "Reads several percentiles out of a `tdigest` sketch as a dynamic array.",
        details: "",
        overloads: &[Overload::new(&[DIGEST, PERCENTILES, TYPE], DYNAMIC)],
        result_name: ResultName::PrefixAndFirstArgument("percentile_tdigest"),
        kind: Kind::Scalar,
        obsolete: None,
        examples: &[Example {
            query: "range x from 1 to 10 step 1 | summarize t = tdigest(x) \
                    | project p = array_length(percentiles_array_tdigest(t, dynamic([10, 90])))",
            result: "p:long\n2",
        }],
        kernel: kernel!(crate::kernels::sketches::percentiles_array_tdigest),
    },
    Function {
        name: "rank_tdigest",
        summary: "Gives the approximate number of values of a `tdigest` sketch that are not greater than a value.",
        details: "",
        overloads: &[Overload::new(&[DIGEST, VALUE], Return::Type(ScalarType::Real))],
        result_name: ResultName::None,
        kind: Kind::Scalar,
        obsolete: None,
        examples: &[Example {
            query: "range x from 1 to 10 step 1 | summarize t = tdigest(x) | project r = rank_tdigest(t, 4)",
            result: "r:real\n4.0",
        }],
        kernel: kernel!(crate::kernels::sketches::rank_tdigest),
    },
    Function {
        name: "percentrank_tdigest",
        summary: "Gives the approximate per cent of the values of a `tdigest` sketch that are not greater than a value.",
        details: "",
        overloads: &[Overload::new(&[DIGEST, VALUE], Return::Type(ScalarType::Real))],
        result_name: ResultName::None,
        kind: Kind::Scalar,
        obsolete: None,
        examples: &[Example {
            query: "range x from 1 to 10 step 1 | summarize t = tdigest(x) | project r = percentrank_tdigest(t, 4)",
            result: "r:real\n40.0",
        }],
        kernel: kernel!(crate::kernels::sketches::percentrank_tdigest),
    },
    Function {
        name: "tdigest_merge",
        summary: "Merges `tdigest` sketches of one row into one.",
        details: "",
        overloads: &[Overload::new(&[DIGEST, MORE_DIGESTS], DYNAMIC)],
        result_name: ResultName::PrefixOnly("tdigests_merge_result"),
        kind: Kind::Scalar,
        obsolete: None,
        examples: &[Example {
            query: "range x from 1 to 10 step 1 | summarize a = tdigest(x), b = tdigest(x + 10) \
                    | project p = percentile_tdigest(tdigest_merge(a, b), 50, typeof(long))",
            result: "p:long\n10",
        }],
        kernel: kernel!(crate::kernels::sketches::tdigest_merge),
    },
    Function {
        name: "merge_tdigest",
        summary: "Merges `tdigest` sketches of one row into one: another name of `tdigest_merge`.",
        details: "",
        overloads: &[Overload::new(&[DIGEST, MORE_DIGESTS], DYNAMIC)],
        result_name: ResultName::PrefixOnly("tdigests_merge_result"),
        kind: Kind::Scalar,
        obsolete: None,
        examples: &[Example {
            query: "range x from 1 to 10 step 1 | summarize a = tdigest(x), b = tdigest(x + 10) \
                    | project p = percentile_tdigest(merge_tdigest(a, b), 50, typeof(long))",
            result: "p:long\n10",
        }],
        kernel: kernel!(crate::kernels::sketches::tdigest_merge),
    },
    Function {
        name: "tdigest_isvalid",
        summary: "Tells whether a dynamic value is a `tdigest` sketch.",
        details: "",
        overloads: &[Overload::new(&[DIGEST], BOOL)],
        result_name: ResultName::None,
        kind: Kind::Scalar,
        obsolete: None,
        examples: &[Example { query: "print v = tdigest_isvalid(dynamic([1, 2]))", result: "v:bool\nfalse" }],
        kernel: kernel!(crate::kernels::sketches::tdigest_isvalid),
    },
];

//! Kernels over Arrow columns.
//!
//! A kernel is total: bad data gives null (or `""`), never an error; an `Err` means a limit or a wrong constant
//! argument (a regex that does not compile). It gets arrays of equal length, or scalars for constant arguments, and
//! gives an array with `args.rows` rows. All arguments already have the types of the overload.
//! [`access`] reads arguments and makes results; [`cache`] keeps compiled patterns.

pub mod access;
pub mod aggregate_bag;
pub mod aggregate_bits;
pub mod aggregate_count;
pub mod aggregate_distinct;
pub mod aggregate_extreme;
pub mod aggregate_list;
pub mod aggregate_percentile;
pub mod aggregate_pick;
pub mod aggregate_schema;
pub mod aggregate_series;
pub mod aggregate_set;
pub mod aggregate_spread;
mod aggregate_state;
pub mod aggregate_sum;
#[cfg(test)]
mod aggregate_tests;
pub mod arithmetic;
pub mod array_sort;
pub mod arrays;
mod ascii_search;
pub mod bags;
pub mod bits;
pub mod budget;
pub mod cache;
pub mod canonical;
pub mod comparison;
pub mod context;
pub mod conversion;
pub mod datetime;
pub mod decimal;
mod digest;
pub mod distributions;
pub mod dynamic_args;
pub mod elements;
pub mod encoding;
pub mod geo;
pub mod geoip;
pub mod hash;
pub mod hyperloglog;
pub mod identity;
pub mod ip;
pub mod ip_address;
pub mod json;
pub mod json_scan;
pub mod math;
pub mod membership;
pub mod needles;
pub mod nulls;
pub mod parse;
pub mod parts;
pub mod path;
pub mod printed;
mod punycode;
pub mod regex;
pub mod rounding;
mod samples;
pub mod series;
pub mod series_decompose;
pub mod series_elements;
pub mod series_fill;
pub mod series_filters;
pub mod series_fit;
pub mod series_fourier;
pub mod series_outliers;
pub mod series_periods;
pub mod series_reduce;
pub mod sets;
pub mod sketches;
pub mod string;
pub mod switches;
pub mod tabular;
#[cfg(test)]
pub mod testing;
pub mod text_list;
pub mod text_match;
pub mod text_operators;
pub mod time_format;
pub mod time_zone;
pub mod units;
pub mod user_agent;
mod view_memo;
pub mod xml;

pub use arrow::array::ArrayRef;
use kql_types::ScalarType;

/// What a kernel refuses: a constant argument that can never work, or a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelError(pub String);

impl KernelError {
    /// How the text of a limit begins: neither a mistake nor a bug.
    pub const LIMIT: &'static str = "limit: ";

    /// A limit of the caller that the call would pass.
    pub fn limit(what: &str) -> KernelError {
        KernelError(format!("{}{what}", KernelError::LIMIT))
    }
}

pub type KernelResult = Result<ArrayRef, KernelError>;
pub type KernelFn = fn(&Args<'_>) -> KernelResult;

/// The arguments of one call over one batch.
pub struct Args<'a> {
    /// One entry per argument: an array of `rows` rows, or of one row when the argument is constant for the batch.
    pub columns: &'a [ArrayRef],
    /// Whether the argument of the same index is constant (its array has one row).
    pub constant: &'a [bool],
    /// Kusto types of the arguments.
    pub types: &'a [ScalarType],
    /// Kusto type of the result.
    pub returns: ScalarType,
    pub rows: usize,
}

/// Makes the state of one aggregate for the given argument types and result type.
pub type AggregateFn = fn(&AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError>;

/// How an aggregate is called: types after conversion, constant arguments known before the first row.
pub struct AggregateCall<'a> {
    pub types: &'a [ScalarType],
    pub returns: ScalarType,
    /// One-row arrays of the constant arguments, None for the others.
    pub constants: &'a [Option<ArrayRef>],
}

/// The state of one aggregate over all groups.
pub trait GroupState: Send + Sync + std::fmt::Debug {
    /// Adds rows: row `i` of the arguments belongs to group `groups[i]`; `total` groups exist so far.
    fn update(&mut self, args: &Args<'_>, groups: &[usize], total: usize) -> Result<(), KernelError>;

    /// Partial states of the first `count` groups as columns, removing these groups (the rest shifts down).
    /// The number and Arrow types of the columns are fixed: see [`GroupState::partial_types`].
    fn take_partial(&mut self, count: usize) -> Result<Vec<ArrayRef>, KernelError>;

    fn partial_types(&self) -> Vec<arrow::datatypes::DataType>;

    /// Adds partial states made by `take_partial`.
    fn merge(&mut self, partial: &[ArrayRef], groups: &[usize], total: usize) -> Result<(), KernelError>;

    /// Results of the first `count` groups, removing them. Groups never updated give the value of an empty group.
    fn take_final(&mut self, count: usize) -> KernelResult;

    /// Bytes held.
    fn size(&self) -> usize;
}

//! Functions that queries cannot name: what the lowering of operators is made of.
//!
//! Found by name like all others, so that a plan can be rebuilt, but listed nowhere.

use kql_types::{Overload, Param, ParamType, ResultName, Return, ScalarType};

use crate::{Function, Kind, kernel};

const AXIS: Param = Param::new("axis", ParamType::Any);
const ORIGIN: Param = Param::new("origin", ParamType::Any);
const STEP: Param = Param::new("step", ParamType::Any);

pub static INTERNAL: &[Function] = &[Function {
    name: "$series_bin",
    summary: "Gives the number of the bin that a value of the axis falls in.",
    details: "Axis, origin and step have one Arrow type: Int64 (ticks for datetime and timespan) or Float64.",
    overloads: &[Overload::new(&[AXIS, ORIGIN, STEP], Return::Type(ScalarType::Long))],
    result_name: ResultName::None,
    kind: Kind::Scalar,
    obsolete: None,
    examples: &[],
    kernel: kernel!(crate::kernels::aggregate_series::series_bin),
}];

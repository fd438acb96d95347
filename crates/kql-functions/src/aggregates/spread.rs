//! Standard deviation, variance, covariance.

use kql_types::{Overload, Param, ParamType, ResultName, Return, ScalarType};

use super::{PREDICATE, SUMMABLE};
use crate::{Aggregate, Example, kernel};

const REAL: Return = Return::Type(ScalarType::Real);
const SECOND: Param = Param::new("expr2", ParamType::Summable);

/// An entry over one column: name, whose `if` form has one more parameter.
macro_rules! spread {
    ($name:literal, $summary:literal, $params:expr, $query:literal, $result:literal, $kernel:path $(,)?) => {
        Aggregate {
            name: $name,
            summary: $summary,
            details: "Nulls are passed over. The sample forms divide by n - 1, the population forms (ending in p) by n; \
                      fewer than two values give 0.",
            overloads: &[Overload::new($params, REAL)],
            result_name: ResultName::PrefixAndFirstArgument($name),
            obsolete: None,
            examples: &[Example { query: $query, result: $result }],
            kernel: kernel!($kernel),
        }
    };
}

macro_rules! covariance {
    ($name:literal, $summary:literal, $params:expr, $query:literal, $result:literal, $kernel:path $(,)?) => {
        Aggregate {
            name: $name,
            summary: $summary,
            details: "Rows where either value is null are passed over. The sample forms divide by n - 1, the population \
                      forms by n.",
            overloads: &[Overload::new($params, REAL)],
            result_name: ResultName::PrefixAndTwoArguments($name),
            obsolete: None,
            examples: &[Example { query: $query, result: $result }],
            kernel: kernel!($kernel),
        }
    };
}

pub static FAMILY: &[Aggregate] = &[
    spread!(
        "stdev",
        "Gives the standard deviation of a sample.",
        &[SUMMABLE],
        "datatable(a:long)[1, 2, 3] | summarize stdev(a)",
        "stdev_a:real\n1.0",
        crate::kernels::aggregate_spread::stdev
    ),
    spread!(
        "stdevif",
        "Gives the standard deviation of a sample: the rows for which the predicate is true.",
        &[SUMMABLE, PREDICATE],
        "datatable(a:long)[1, 2, 3, 90] | summarize stdevif(a, a < 10)",
        "stdevif_a:real\n1.0",
        crate::kernels::aggregate_spread::stdevif
    ),
    spread!(
        "stdevp",
        "Gives the standard deviation of a whole population.",
        &[SUMMABLE],
        "datatable(a:long)[1, 3] | summarize stdevp(a)",
        "stdevp_a:real\n1.0",
        crate::kernels::aggregate_spread::stdevp
    ),
    spread!(
        "variance",
        "Gives the variance of a sample.",
        &[SUMMABLE],
        "datatable(a:long)[1, 3] | summarize variance(a)",
        "variance_a:real\n2.0",
        crate::kernels::aggregate_spread::variance
    ),
    spread!(
        "varianceif",
        "Gives the variance of a sample: the rows for which the predicate is true.",
        &[SUMMABLE, PREDICATE],
        "datatable(a:long)[1, 3, 90] | summarize varianceif(a, a < 10)",
        "varianceif_a:real\n2.0",
        crate::kernels::aggregate_spread::varianceif
    ),
    spread!(
        "variancep",
        "Gives the variance of a whole population.",
        &[SUMMABLE],
        "datatable(a:long)[1, 3] | summarize variancep(a)",
        "variancep_a:real\n1.0",
        crate::kernels::aggregate_spread::variancep
    ),
    spread!(
        "variancepif",
        "Gives the variance of a whole population: the rows for which the predicate is true.",
        &[SUMMABLE, PREDICATE],
        "datatable(a:long)[1, 3, 90] | summarize variancepif(a, a < 10)",
        "variancepif_a:real\n1.0",
        crate::kernels::aggregate_spread::variancepif
    ),
    covariance!(
        "covariance",
        "Gives the covariance of two columns of a sample.",
        &[SUMMABLE, SECOND],
        "datatable(x:long, y:long)[1, 2, 3, 6] | summarize covariance(x, y)",
        "covariance_x_y:real\n4.0",
        crate::kernels::aggregate_spread::covariance
    ),
    covariance!(
        "covarianceif",
        "Gives the covariance of two columns of a sample: the rows for which the predicate is true.",
        &[SUMMABLE, SECOND, PREDICATE],
        "datatable(x:long, y:long)[1, 2, 3, 6, 90, 1] | summarize covarianceif(x, y, x < 10)",
        "covarianceif_x_y:real\n4.0",
        crate::kernels::aggregate_spread::covarianceif
    ),
    covariance!(
        "covariancep",
        "Gives the covariance of two columns of a whole population.",
        &[SUMMABLE, SECOND],
        "datatable(x:long, y:long)[1, 2, 3, 6] | summarize covariancep(x, y)",
        "covariancep_x_y:real\n2.0",
        crate::kernels::aggregate_spread::covariancep
    ),
    covariance!(
        "covariancepif",
        "Gives the covariance of two columns of a whole population: the rows for which the predicate is true.",
        &[SUMMABLE, SECOND, PREDICATE],
        "datatable(x:long, y:long)[1, 2, 3, 6, 90, 1] | summarize covariancepif(x, y, x < 10)",
        "covariancepif_x_y:real\n2.0",
        crate::kernels::aggregate_spread::covariancepif
    ),
];

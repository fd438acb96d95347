//! Seasons, outliers and anomalies of series.

use kql_types::ScalarType::Dynamic;
use kql_types::{Overload, ResultName, Return};

use crate::entry::{Entry, Function, any, dynamic, ex, integer, real, string, takes};
use crate::kernel;

const PERIODS: Return = Return::Columns(&[("periods", Dynamic), ("scores", Dynamic)]);
const PARTS: Return =
    Return::Columns(&[("baseline", Dynamic), ("seasonal", Dynamic), ("trend", Dynamic), ("residual", Dynamic)]);
const FORECAST: Return =
    Return::Columns(&[("forecast", Dynamic), ("seasonal", Dynamic), ("trend", Dynamic), ("residual", Dynamic)]);
const ANOMALIES: Return = Return::Columns(&[("ad_flag", Dynamic), ("ad_score", Dynamic), ("baseline", Dynamic)]);

pub static FAMILY: &[Function] = &[
    Function::new(Entry {
        name: "series_outliers",
        summary: "Scores the elements of a series by how far they lie outside.",
        details: "Tukey's test; above 1.5 or below -1.5 an element is an outlier. kind is `ctukey` (default, percentiles 10 and 90) or `tukey` (25 and 75).",
        overloads: &[takes(
            &[
                dynamic("series"),
                string("kind").optional(),
                any("ignoreValue").optional(),
                real("minPercentile").optional(),
                real("maxPercentile").optional(),
            ],
            Dynamic,
        )],
        result_name: ResultName::FirstArgument,
        examples: &[ex("print s = series_outliers(dynamic([1, 1, 1, 1, 1]))", "s:dynamic\n[0.0,0.0,0.0,0.0,0.0]")],
        kernel: kernel!(crate::kernels::series_outliers::series_outliers),
    }),
    Function::new(Entry {
        name: "series_periods_detect",
        summary: "Finds the most significant periods of a series.",
        details: "",
        overloads: &[Overload::new(
            &[dynamic("series"), real("minPeriod"), real("maxPeriod"), integer("numPeriods")],
            PERIODS,
        )],
        result_name: ResultName::None,
        examples: &[ex(
            "print (p) = series_periods_detect(dynamic([1, 2, 1, 2, 1, 2, 1, 2]), 2, 4, 1) | project n = array_length(p)",
            "n:long\n1",
        )],
        kernel: kernel!(crate::kernels::series_periods::series_periods_detect),
    }),
    Function::new(Entry {
        name: "series_periods_validate",
        summary: "Scores given periods of a series.",
        details: "",
        overloads: &[Overload::new(&[dynamic("series"), real("period"), real("period").repeat()], PERIODS)],
        result_name: ResultName::None,
        examples: &[ex(
            "print (p) = series_periods_validate(dynamic([1, 2, 1, 2, 1, 2, 1, 2]), 2.0)",
            "p:dynamic\n[2.0]",
        )],
        kernel: kernel!(crate::kernels::series_periods::series_periods_validate),
    }),
    Function::new(Entry {
        name: "series_seasonal",
        summary: "Gives the seasonal part of a series.",
        details: "",
        overloads: &[takes(&[dynamic("series"), integer("period").optional()], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex(
            "print s = series_seasonal(dynamic([2, 5, 3, 4, 3, 2, 1, 2, 3, 4]), 2)",
            "s:dynamic\n[3.0,4.0,3.0,4.0,3.0,4.0,3.0,4.0,3.0,4.0]",
        )],
        kernel: kernel!(crate::kernels::series_decompose::series_seasonal),
    }),
    Function::new(Entry {
        name: "series_decompose",
        summary: "Takes a series apart into season, trend and rest.",
        details: "",
        overloads: &[Overload::new(
            &[
                dynamic("series"),
                integer("seasonality").optional(),
                string("trend").optional(),
                integer("testPoints").optional(),
                real("seasonalityThreshold").optional(),
            ],
            PARTS,
        )],
        result_name: ResultName::None,
        examples: &[ex(
            "print (b) = series_decompose(dynamic([1, 2, 1, 2, 1, 2, 1, 2])) | project n = array_length(b)",
            "n:long\n8",
        )],
        kernel: kernel!(crate::kernels::series_decompose::series_decompose),
    }),
    Function::new(Entry {
        name: "series_decompose_forecast",
        summary: "Continues a series by its season and trend.",
        details: "",
        overloads: &[Overload::new(
            &[
                dynamic("series"),
                integer("points"),
                integer("seasonality").optional(),
                string("trend").optional(),
                real("seasonalityThreshold").optional(),
            ],
            FORECAST,
        )],
        result_name: ResultName::None,
        examples: &[ex(
            "print (f) = series_decompose_forecast(dynamic([1, 2, 1, 2, 1, 2, 0, 0]), 2) | project n = array_length(f)",
            "n:long\n8",
        )],
        kernel: kernel!(crate::kernels::series_decompose::series_decompose_forecast),
    }),
    Function::new(Entry {
        name: "series_decompose_anomalies",
        summary: "Finds the elements of a series that do not follow its season and trend.",
        details: "",
        overloads: &[Overload::new(
            &[
                dynamic("series"),
                real("threshold").optional(),
                integer("seasonality").optional(),
                string("trend").optional(),
                integer("testPoints").optional(),
                string("method").optional(),
                real("seasonalityThreshold").optional(),
            ],
            ANOMALIES,
        )],
        result_name: ResultName::None,
        examples: &[ex(
            "print (f) = series_decompose_anomalies(dynamic([1, 2, 1, 2, 1, 2, 1, 2])) | project n = array_length(f)",
            "n:long\n8",
        )],
        kernel: kernel!(crate::kernels::series_decompose::series_decompose_anomalies),
    }),
];

//! Series taken apart: season (median of each phase), trend (average or line of the rest), residual.

use kql_types::Dynamic;

use super::access::{Numbers, Text};
use super::series::{median, reals, write_reals};
use super::series_fit::fit_line;
use super::series_outliers::{Fences, scores};
use super::series_periods::detect;
use super::{Args, KernelError, KernelResult};
use arrow::datatypes::Int64Type;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trend {
    Average,
    Line,
    None,
}

impl Trend {
    fn of(name: &str) -> Result<Trend, KernelError> {
        match name.to_ascii_lowercase().as_str() {
            "avg" => Ok(Trend::Average),
            "linefit" => Ok(Trend::Line),
            "none" => Ok(Trend::None),
            _ => Err(KernelError(format!("'{name}' is no trend: avg, linefit, none"))),
        }
    }
}

/// The parts of a series, all as long as it.
struct Parts {
    baseline: Vec<f64>,
    seasonal: Vec<f64>,
    trend: Vec<f64>,
    residual: Vec<Option<f64>>,
}

/// The season of given or, where `period` is negative, detected length: the median of each phase.
fn season(values: &[Option<f64>], learned: usize, period: i64, threshold: f64) -> Vec<f64> {
    let learning = values.get(..learned).unwrap_or(values);
    let period = match usize::try_from(period) {
        Ok(period) => period,
        Err(_) => {
            let known: Vec<f64> = learning.iter().map(|value| value.unwrap_or(0.0)).collect();
            let found = detect(&known, 0.0, known.len() as f64, 1);
            found.first().filter(|period| period.score >= threshold).map_or(0, |period| period.length)
        }
    };
    if period == 0 || period > learning.len().max(1) {
        return vec![0.0; values.len()];
    }
    let phase = |phase: usize| -> Vec<f64> { learning.iter().skip(phase).step_by(period).flatten().copied().collect() };
    let medians: Vec<f64> =
        (0..period).map(|start| Some(median(&phase(start))).filter(|m| !m.is_nan()).unwrap_or(0.0)).collect();
    (0..values.len()).map(|place| medians.get(place % period).copied().unwrap_or(0.0)).collect()
}

/// `learned` elements from the start teach season and trend, the rest is forecast.
fn decompose(values: &[Option<f64>], learned: usize, period: i64, threshold: f64, kind: Trend) -> Parts {
    let seasonal = season(values, learned, period, threshold);
    let rest: Vec<(f64, f64)> = values
        .iter()
        .zip(&seasonal)
        .take(learned)
        .enumerate()
        .filter_map(|(place, (value, season))| value.map(|value| (place as f64, value - season)))
        .collect();
    let trend: Vec<f64> = match kind {
        Trend::None => vec![0.0; values.len()],
        Trend::Average => {
            let average = rest.iter().map(|(_, value)| value).sum::<f64>() / rest.len() as f64;
            vec![average; values.len()]
        }
        Trend::Line => {
            let line = fit_line(&rest);
            (0..values.len()).map(|place| line.at(place as f64)).collect()
        }
    };
    let baseline: Vec<f64> = seasonal.iter().zip(&trend).map(|(season, trend)| season + trend).collect();
    let residual = values.iter().zip(&baseline).map(|(value, base)| value.map(|value| value - base)).collect();
    Parts { baseline, seasonal, trend, residual }
}

/// What the three functions have in common.
struct Call<'a> {
    series: Text<'a>,
    seasonality: super::access::Optional<Numbers<'a, Int64Type>, i64>,
    trend: Trend,
    test_points: super::access::Optional<Numbers<'a, Int64Type>, i64>,
    threshold: super::access::Optional<Numbers<'a, arrow::datatypes::Float64Type>, f64>,
}

impl Call<'_> {
    fn parts(&self, row: usize) -> Option<Parts> {
        let values = reals(self.series.opt(row)?)?;
        let left_out = usize::try_from(self.test_points.opt(row)?).unwrap_or(0);
        let learned = values.len().saturating_sub(left_out);
        Some(decompose(&values, learned, self.seasonality.opt(row)?, self.threshold.opt(row)?, self.trend))
    }
}

/// `series_seasonal(series, period)`
pub fn series_seasonal(args: &Args<'_>) -> KernelResult {
    let (series, period) = (args.text(0)?, args.long_or(1, -1)?);
    args.to_dynamics(|row, out| {
        let values = reals(series.opt(row)?)?;
        write_reals(&season(&values, values.len(), period.opt(row)?, 0.6), out);
        Some(())
    })
}

fn array(values: &[f64]) -> Dynamic {
    Dynamic::Array(values.iter().copied().map(Dynamic::Real).collect())
}

fn residuals(values: &[Option<f64>]) -> Dynamic {
    Dynamic::Array(values.iter().map(|value| value.map_or(Dynamic::Null, Dynamic::Real)).collect())
}

/// `series_decompose(series, seasonality, trend, test_points, threshold)`: baseline, seasonal, trend, residual.
pub fn series_decompose(args: &Args<'_>) -> KernelResult {
    let call = Call {
        series: args.text(0)?,
        seasonality: args.long_or(1, -1)?,
        trend: Trend::of(args.text_or(2, "avg")?.at(0))?,
        test_points: args.long_or(3, 0)?,
        threshold: args.real_or(4, 0.6)?,
    };
    args.to_dynamic_values(|row| {
        let parts = call.parts(row)?;
        Some(Dynamic::Array(vec![
            array(&parts.baseline),
            array(&parts.seasonal),
            array(&parts.trend),
            residuals(&parts.residual),
        ]))
    })
}

/// `series_decompose_forecast(series, points, seasonality, trend, threshold)`: forecast, seasonal, trend, residual.
pub fn series_decompose_forecast(args: &Args<'_>) -> KernelResult {
    let call = Call {
        series: args.text(0)?,
        test_points: args.long_or(1, 0)?,
        seasonality: args.long_or(2, -1)?,
        trend: Trend::of(args.text_or(3, "linefit")?.at(0))?,
        threshold: args.real_or(4, 0.6)?,
    };
    args.to_dynamic_values(|row| {
        let parts = call.parts(row)?;
        Some(Dynamic::Array(vec![
            array(&parts.baseline),
            array(&parts.seasonal),
            array(&parts.trend),
            residuals(&parts.residual),
        ]))
    })
}

/// `series_decompose_anomalies(series, threshold, seasonality, trend, test_points, method, seasonality_threshold)`:
/// flags, scores, baseline.
pub fn series_decompose_anomalies(args: &Args<'_>) -> KernelResult {
    let limit = args.real_or(1, 1.5)?;
    let call = Call {
        series: args.text(0)?,
        seasonality: args.long_or(2, -1)?,
        trend: Trend::of(args.text_or(3, "avg")?.at(0))?,
        test_points: args.long_or(4, 0)?,
        threshold: args.real_or(6, 0.6)?,
    };
    let method = args.text_or(5, "ctukey")?;
    let unknown = || KernelError(format!("'{}' is no method: ctukey, tukey", method.at(0)));
    let fences = Fences::of(method.at(0)).ok_or_else(unknown)?;
    args.to_dynamic_values(|row| {
        let parts = call.parts(row)?;
        let limit = limit.opt(row)?;
        let scores = scores(&parts.residual, fences);
        let flag = |score: &f64| Dynamic::Long(i64::from(*score > limit) - i64::from(*score < -limit));
        let flags = Dynamic::Array(scores.iter().map(flag).collect());
        Some(Dynamic::Array(vec![flags, array(&scores), array(&parts.baseline)]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType;

    fn dynamic(kernel: crate::kernels::KernelFn, cells: &[Cell]) -> Cell {
        call(kernel, cells, ScalarType::Dynamic)
    }

    #[test]
    fn seasons() {
        let forced = dynamic(series_seasonal, &[Cell::dynamic("[1,3,5,1,3,5,2,4,6]"), 3.into()]);
        assert_eq!(forced, "[1.0,3.0,5.0,1.0,3.0,5.0,1.0,3.0,5.0]".into());
        let mut text = String::new();
        write_reals(&(0..5).flat_map(|_| [2.0, 3.0, 4.0, 3.0, 2.0, 1.0]).collect::<Vec<_>>(), &mut text);
        assert_eq!(dynamic(series_seasonal, &[Cell::dynamic(&text)]), text.as_str().into());
        assert_eq!(dynamic(series_seasonal, &[Cell::dynamic("[1,2,9]")]), "[0.0,0.0,0.0]".into());
    }

    #[test]
    fn a_spike_is_an_anomaly() {
        let mut values: Vec<f64> = (0..40).map(|i| 10.0 + f64::from(i % 3)).collect();
        values[25] = 90.0;
        let mut text = String::new();
        write_reals(&values, &mut text);
        let result = dynamic(series_decompose_anomalies, &[Cell::dynamic(&text)]);
        let Cell::Text(result) = result else { unreachable!("an array") };
        let flags = kql_types::Dynamic::parse(&result).and_then(|r| r.at(0).cloned()).unwrap();
        let marked: Vec<usize> = flags
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
            .filter(|(_, f)| **f == Dynamic::Long(1))
            .map(|(i, _)| i)
            .collect();
        assert_eq!(marked, [25]);
    }

    #[test]
    fn a_trend_goes_on() {
        let cells = [Cell::dynamic("[1,2,3,4,0,0]"), 2.into(), 0.into()];
        let Cell::Text(result) = dynamic(series_decompose_forecast, &cells) else { unreachable!("an array") };
        let forecast = kql_types::Dynamic::parse(&result).and_then(|r| r.at(0).cloned()).unwrap();
        assert_eq!(forecast.to_canonical(), "[1.0,2.0,3.0,4.0,5.0,6.0]");
    }
}

//! How far the elements of a series lie outside: Tukey's fences.

use super::dynamic_args::Dynamics;
use super::series::{percentile, reals, write_series};
use super::{Args, KernelError, KernelResult};
use kql_types::Dynamic;

/// The percentiles (0 to 1) between which all is normal.
#[derive(Debug, Clone, Copy)]
pub struct Fences {
    pub low: f64,
    pub high: f64,
}

impl Fences {
    pub const CUSTOM: Fences = Fences { low: 0.1, high: 0.9 };
    pub const TUKEY: Fences = Fences { low: 0.25, high: 0.75 };

    /// The fences of a method's name.
    pub fn of(method: &str) -> Option<Fences> {
        match method.to_ascii_lowercase().as_str() {
            "ctukey" => Some(Fences::CUSTOM),
            "tukey" => Some(Fences::TUKEY),
            _ => None,
        }
    }
}

/// Scores: 0 between the fences, else the distance from the nearer fence in units of the distance between them.
/// What is missing scores 0.
pub fn scores(values: &[Option<f64>], fences: Fences) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().flatten().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (percentile(&sorted, fences.low), percentile(&sorted, fences.high));
    let score = |value: f64| {
        if value > high {
            (value - high) / (high - low)
        } else if value < low {
            (value - low) / (high - low)
        } else {
            0.0
        }
    };
    values.iter().map(|value| value.map_or(0.0, score)).collect()
}

/// `series_outliers(series, kind, ignore_value, min_percentile, max_percentile)`
pub fn series_outliers(args: &Args<'_>) -> KernelResult {
    let (series, kind) = (args.text(0)?, args.text_or(1, "ctukey")?);
    let ignore = Dynamics::of(args, 2)?;
    let (low, high) = (args.real_or(3, 10.0)?, args.real_or(4, 90.0)?);
    let unknown = || KernelError(format!("'{}' is no kind of outliers: ctukey, tukey", kind.at(0)));
    let method = Fences::of(kind.at(0)).ok_or_else(unknown)?;
    args.to_dynamics(|row, out| {
        let ignored = match ignore.at(row) {
            Dynamic::Null => None,
            value => value.as_real(),
        };
        let values: Vec<Option<f64>> =
            reals(series.opt(row)?)?.into_iter().map(|value| value.filter(|value| Some(*value) != ignored)).collect();
        let given =
            Fences { low: low.opt(row)?.clamp(2.0, 98.0) / 100.0, high: high.opt(row)?.clamp(2.0, 98.0) / 100.0 };
        let fences = if method.low == Fences::CUSTOM.low { given } else { method };
        write_series(scores(&values, fences).into_iter().map(Some), out);
        Some(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fences() {
        let values: Vec<Option<f64>> = (0..=10).map(|i| Some(f64::from(i))).chain([Some(30.0), None]).collect();
        let scores = scores(&values, Fences::TUKEY);
        assert_eq!(scores.len(), 13);
        assert!(scores[11] > 1.5 && scores[5] == 0.0 && scores[12] == 0.0 && scores[0] < 0.0 && scores[0] > -1.5);
    }

    #[test]
    fn a_constant_series_has_no_outlier() {
        assert_eq!(scores(&[Some(1.0); 4], Fences::CUSTOM), [0.0; 4]);
    }
}

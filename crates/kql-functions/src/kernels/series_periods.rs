//! Periods of series, by autocorrelation.
//!
//! The score of a period is the autocorrelation at that lag, corrected by half for the shorter overlap of long lags.
//! Kusto's exact score is not published; the order of periods and which ones pass a threshold agree in the cases seen.

use kql_types::Dynamic;

use super::series::{complete, mean};
use super::{Args, KernelResult};

/// Shorter periods are noise.
const PERIOD_MIN: usize = 4;
/// A period found must score at least this.
const SCORE_MIN: f64 = 0.6;

/// A period in elements and its score, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Period {
    pub length: usize,
    pub score: f64,
}

/// Autocorrelation by lag, up to a lag.
struct Correlation {
    centered: Vec<f64>,
    spread: f64,
}

impl Correlation {
    fn of(series: &[f64]) -> Correlation {
        let mean = mean(series);
        let centered: Vec<f64> = series.iter().map(|value| value - mean).collect();
        let spread = centered.iter().map(|value| value * value).sum();
        Correlation { centered, spread }
    }

    fn score(&self, lag: usize) -> f64 {
        let count = self.centered.len();
        if self.spread <= 0.0 || lag >= count {
            return 0.0;
        }
        let overlap: f64 = self.centered.iter().zip(self.centered.iter().skip(lag)).map(|(a, b)| a * b).sum();
        let correction = (count as f64 / (count - lag) as f64).sqrt();
        (overlap / self.spread * correction).clamp(0.0, 1.0)
    }
}

impl Correlation {
    /// The score of a period that is asked for: nothing for one that is too short or too long to be seen, or that noise
    /// would show as well (the usual bound for the autocorrelation of noise).
    fn validated(&self, period: f64) -> f64 {
        let count = self.centered.len() as f64;
        if !(PERIOD_MIN as f64..=count / 2.0).contains(&period) {
            return 0.0;
        }
        let score = self.score(period.round() as usize);
        if score < 1.96 / count.sqrt() { 0.0 } else { score }
    }
}

/// The best periods between two lengths, best first: peaks of the correlation that are no multiples of better ones.
pub fn detect(series: &[f64], shortest: f64, longest: f64, count: usize) -> Vec<Period> {
    let half = series.len() as f64 / 2.0;
    let first = (shortest.max(0.0).ceil() as usize).max(PERIOD_MIN);
    let last = longest.min(half).floor().max(0.0) as usize;
    let correlation = Correlation::of(series);
    let scores: Vec<f64> = (0..=last + 1).map(|lag| correlation.score(lag)).collect();
    let at = |lag: usize| scores.get(lag).copied().unwrap_or(0.0);
    // A peak needs a neighbor on either side within half of the series.
    let is_peak = |lag: &usize| {
        at(*lag) >= SCORE_MIN && at(*lag) > at(*lag - 1) && at(*lag) >= at(*lag + 1) && ((*lag + 1) as f64) <= half
    };
    let mut peaks: Vec<Period> =
        (first..=last).filter(is_peak).map(|length| Period { length, score: at(length) }).collect();
    peaks.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.length.cmp(&b.length)));
    let mut found: Vec<Period> = Vec::new();
    for peak in peaks {
        if found.len() < count && !found.iter().any(|better| is_multiple(peak.length, better.length)) {
            found.push(peak);
        }
    }
    found
}

/// A multiple, give or take one element for each repetition.
fn is_multiple(length: usize, of: usize) -> bool {
    let times = (length as f64 / of as f64).round();
    times >= 1.0 && (length as f64 - times * of as f64).abs() < times
}

/// Two arrays of a fixed length: periods and scores, filled with zeros.
fn write(periods: &[Period], count: usize) -> Dynamic {
    let column = |of: fn(&Period) -> f64| {
        let values = (0..count).map(|index| Dynamic::Real(periods.get(index).map_or(0.0, of)));
        Dynamic::Array(values.collect())
    };
    Dynamic::Array(vec![column(|period| period.length as f64), column(|period| period.score)])
}

/// `series_periods_detect(series, min_period, max_period, num_periods)`
pub fn series_periods_detect(args: &Args<'_>) -> KernelResult {
    let (series, count) = (args.text(0)?, args.long(3)?);
    let (shortest, longest) = (args.real(1)?, args.real(2)?);
    args.to_dynamic_values(|row| {
        let count = usize::try_from(count.opt(row)?).ok()?.min(1_000);
        let periods = detect(&complete(&series, row)?, shortest.opt(row)?, longest.opt(row)?, count);
        Some(write(&periods, count))
    })
}

/// `series_periods_validate(series, period, ...)`
pub fn series_periods_validate(args: &Args<'_>) -> KernelResult {
    let series = args.text(0)?;
    let periods = (1..args.count()).map(|index| args.real(index)).collect::<Result<Vec<_>, _>>()?;
    args.to_dynamic_values(|row| {
        let correlation = Correlation::of(&complete(&series, row)?);
        let mut lengths = Vec::with_capacity(periods.len());
        let mut scores = Vec::with_capacity(periods.len());
        for period in &periods {
            let period = period.opt(row)?;
            lengths.push(Dynamic::Real(period));
            scores.push(Dynamic::Real(correlation.validated(period)));
        }
        Some(Dynamic::Array(vec![Dynamic::Array(lengths), Dynamic::Array(scores)]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(period: usize, length: usize) -> Vec<f64> {
        (0..length).map(|i| [1.0, 5.0, 3.0, 8.0, 2.0, 4.0, 7.0][i % period]).collect()
    }

    #[test]
    fn a_repeated_pattern_is_found_once() {
        let found = detect(&wave(6, 60), 0.0, 50.0, 2);
        assert_eq!(found.iter().map(|period| period.length).collect::<Vec<_>>(), [6]);
        assert!(found[0].score > 0.9);
    }

    #[test]
    fn what_noise_would_show_is_no_period() {
        let correlation = Correlation::of(&wave(7, 70));
        assert!(correlation.validated(7.0) > 0.9);
        assert_eq!(correlation.validated(10.0), 0.0);
        assert_eq!((correlation.validated(3.0), correlation.validated(36.0)), (0.0, 0.0));
    }

    #[test]
    fn too_short_to_tell() {
        assert_eq!(detect(&wave(6, 12), 0.0, 12.0, 1), []);
        assert_eq!(detect(&[], 0.0, 50.0, 1), []);
        assert_eq!(detect(&[1.0; 30], 0.0, 50.0, 1), []);
    }
}

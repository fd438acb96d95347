//! Series to numbers: sums, products, similarity, statistics.

use kql_types::Dynamic;

use super::access::Text;
use super::series::{complete, mean, reals};
use super::{Args, KernelResult};

/// The numbers of a series, others left out; None when it is no array or has no number.
fn present(series: &Text<'_>, row: usize) -> Option<Vec<f64>> {
    let values: Vec<f64> = reals(series.opt(row)?)?.into_iter().flatten().collect();
    (!values.is_empty()).then_some(values)
}

fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(0.0, |sum, value| sum + value)
}

/// `series_sum(series)`, `array_sum(array)`
pub fn series_sum(args: &Args<'_>) -> KernelResult {
    let series = args.text(0)?;
    args.to_reals(|row| Some(sum(present(&series, row)?)))
}

/// `series_product(series)`
pub fn series_product(args: &Args<'_>) -> KernelResult {
    let series = args.text(0)?;
    args.to_reals(|row| Some(present(&series, row)?.into_iter().product::<f64>()))
}

/// `series_magnitude(series)`
pub fn series_magnitude(args: &Args<'_>) -> KernelResult {
    let series = args.text(0)?;
    args.to_reals(|row| Some(dot(&complete(&series, row)?, &complete(&series, row)?).sqrt()))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    sum(a.iter().zip(b).map(|(a, b)| a * b))
}

/// An argument that is a series or a number.
enum Factor<'a> {
    Series(Text<'a>),
    Number(super::dynamic_args::Dynamics<'a>),
}

impl<'a> Factor<'a> {
    fn of(args: &Args<'a>, index: usize) -> Result<Factor<'a>, super::KernelError> {
        Ok(match args.ty(index) {
            kql_types::ScalarType::Dynamic => Factor::Series(args.text(index)?),
            _ => Factor::Number(super::dynamic_args::Dynamics::of(args, index)?),
        })
    }

    /// The series, or the number alone.
    fn at(&self, row: usize) -> Option<Result<Vec<f64>, f64>> {
        match self {
            Factor::Series(series) => complete(series, row).map(Ok),
            Factor::Number(number) => super::conversion::real_at(number, row).map(Err),
        }
    }
}

/// `series_dot_product(series1, series2)`; one of the two may be a number.
pub fn series_dot_product(args: &Args<'_>) -> KernelResult {
    let (a, b) = (Factor::of(args, 0)?, Factor::of(args, 1)?);
    args.to_reals(|row| match (a.at(row)?, b.at(row)?) {
        (Ok(a), Ok(b)) => (a.len() == b.len()).then(|| dot(&a, &b)),
        (Ok(series), Err(factor)) | (Err(factor), Ok(series)) => Some(sum(series.iter().map(|value| value * factor))),
        (Err(a), Err(b)) => Some(a * b),
    })
}

/// `series_cosine_similarity(series1, series2, magnitude1, magnitude2)`
pub fn series_cosine_similarity(args: &Args<'_>) -> KernelResult {
    let (a, b) = (args.text(0)?, args.text(1)?);
    let (length_a, length_b) = (args.real_or(2, f64::NAN)?, args.real_or(3, f64::NAN)?);
    args.to_reals(|row| {
        let (a, b) = (complete(&a, row)?, complete(&b, row)?);
        if a.len() != b.len() {
            return None;
        }
        let length = |given: Option<f64>, series: &[f64]| match given {
            Some(length) if !length.is_nan() => length,
            _ => dot(series, series).sqrt(),
        };
        Some(dot(&a, &b) / (length(length_a.opt(row), &a) * length(length_b.opt(row), &b)))
    })
}

/// `series_pearson_correlation(series1, series2)`
pub fn series_pearson_correlation(args: &Args<'_>) -> KernelResult {
    let (a, b) = (args.text(0)?, args.text(1)?);
    args.to_reals(|row| {
        let (a, b) = (complete(&a, row)?, complete(&b, row)?);
        if a.len() != b.len() {
            return None;
        }
        let centered = |values: &[f64]| -> Vec<f64> {
            let mean = mean(values);
            values.iter().map(|value| value - mean).collect()
        };
        let (a, b) = (centered(&a), centered(&b));
        Some(dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt())
    })
}

/// What `series_stats` finds; of a sample, so that the variance divides by the count less one.
struct Stats {
    min: f64,
    min_place: i64,
    max: f64,
    max_place: i64,
    mean: f64,
    deviation: f64,
    variance: f64,
    sum: f64,
    length: i64,
}

/// None when a value is missing or not finite, unless these are to be left out.
fn stats(series: &Text<'_>, row: usize, leave_out: bool) -> Option<Stats> {
    let values = reals(series.opt(row)?)?;
    let finite: Vec<(usize, f64)> = values
        .iter()
        .enumerate()
        .filter_map(|(place, value)| value.filter(|value| value.is_finite()).map(|value| (place, value)))
        .collect();
    if finite.is_empty() || (!leave_out && finite.len() < values.len()) {
        return None;
    }
    let least = finite.iter().copied().reduce(|best, next| if next.1 < best.1 { next } else { best })?;
    let greatest = finite.iter().copied().reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    let count = finite.len() as f64;
    let sum = sum(finite.iter().map(|(_, value)| *value));
    let mean = sum / count;
    let squares = finite.iter().map(|(_, value)| (value - mean) * (value - mean)).sum::<f64>();
    let variance = if finite.len() > 1 { squares / (count - 1.0) } else { 0.0 };
    Some(Stats {
        min: least.1,
        min_place: least.0 as i64,
        max: greatest.1,
        max_place: greatest.0 as i64,
        mean,
        deviation: variance.sqrt(),
        variance,
        sum,
        length: values.len() as i64,
    })
}

/// `series_stats(series, ignore_nonfinite)`: seven values.
pub fn series_stats(args: &Args<'_>) -> KernelResult {
    let (series, leave_out) = (args.text(0)?, args.boolean_or(1, false)?);
    args.to_dynamic_values(|row| {
        let stats = stats(&series, row, leave_out.opt(row)?)?;
        Some(Dynamic::Array(vec![
            Dynamic::Real(stats.min),
            Dynamic::Long(stats.min_place),
            Dynamic::Real(stats.max),
            Dynamic::Long(stats.max_place),
            Dynamic::Real(stats.mean),
            Dynamic::Real(stats.deviation),
            Dynamic::Real(stats.variance),
        ]))
    })
}

/// `series_stats_dynamic(series, ignore_nonfinite)`: a bag.
pub fn series_stats_dynamic(args: &Args<'_>) -> KernelResult {
    let (series, leave_out) = (args.text(0)?, args.boolean_or(1, false)?);
    args.to_dynamic_values(|row| {
        let stats = stats(&series, row, leave_out.opt(row)?)?;
        let entry = |key: &str, value| (key.to_owned(), value);
        Some(Dynamic::Bag(vec![
            entry("min", Dynamic::Real(stats.min)),
            entry("min_idx", Dynamic::Long(stats.min_place)),
            entry("max", Dynamic::Real(stats.max)),
            entry("max_idx", Dynamic::Long(stats.max_place)),
            entry("avg", Dynamic::Real(stats.mean)),
            entry("stdev", Dynamic::Real(stats.deviation)),
            entry("variance", Dynamic::Real(stats.variance)),
            entry("sum", Dynamic::Real(stats.sum)),
            entry("len", Dynamic::Long(stats.length)),
        ]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType;

    fn real(kernel: crate::kernels::KernelFn, cells: &[Cell]) -> Cell {
        call(kernel, cells, ScalarType::Real)
    }

    #[test]
    fn sums() {
        assert_eq!(real(series_sum, &[Cell::dynamic("[1,null,3]")]), Cell::Real(4.0));
        assert_eq!(real(series_sum, &[Cell::dynamic("[]")]), Cell::Null);
        assert_eq!(real(series_sum, &[Cell::dynamic("{}")]), Cell::Null);
        assert_eq!(real(series_product, &[Cell::dynamic("[1,2,3,4]")]), Cell::Real(24.0));
        assert_eq!(real(series_dot_product, &[Cell::dynamic("[1,2]"), Cell::dynamic("[3,4]")]), Cell::Real(11.0));
        assert_eq!(real(series_dot_product, &[Cell::dynamic("[1,2]"), Cell::Long(2)]), Cell::Real(6.0));
        assert_eq!(real(series_magnitude, &[Cell::dynamic("[3,4]")]), Cell::Real(5.0));
    }

    #[test]
    fn statistics() {
        let stats = |json| call(series_stats, &[Cell::dynamic(json)], ScalarType::Dynamic);
        assert_eq!(stats("[1,5,3]"), "[1.0,0,5.0,1,3.0,2.0,4.0]".into());
        assert_eq!(stats("[1,null]"), Cell::Null);
        let left_out = call(series_stats, &[Cell::dynamic("[null,2]"), Cell::Bool(true)], ScalarType::Dynamic);
        assert_eq!(left_out, "[2.0,1,2.0,1,2.0,0.0,0.0]".into());
    }
}

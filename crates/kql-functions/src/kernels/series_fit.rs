//! Lines and polynomials fitted to series by least squares.

use kql_types::Dynamic;

use super::dynamic_args::Dynamics;
use super::series::{complete, mean, reals};
use super::{Args, KernelResult};

/// A line over the places 0, 1, 2, ... of a series.
#[derive(Debug, Clone)]
pub struct Line {
    pub rsquare: f64,
    pub slope: f64,
    /// Of a sample: divided by the count less one, as is the residual variance.
    pub variance: f64,
    pub residual_variance: f64,
    pub interception: f64,
}

impl Line {
    pub fn at(&self, place: f64) -> f64 {
        self.interception + self.slope * place
    }
}

fn squares(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().map(|value| value * value).sum()
}

/// Fits a line to points. NaN where there are fewer than two places.
pub fn fit_line(points: &[(f64, f64)]) -> Line {
    let count = points.len() as f64;
    let x_mean = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let y_mean = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let x_spread = squares(points.iter().map(|(x, _)| x - x_mean));
    let y_spread = squares(points.iter().map(|(_, y)| y - y_mean));
    let common: f64 = points.iter().map(|(x, y)| (x - x_mean) * (y - y_mean)).sum();
    let slope = common / x_spread;
    let interception = y_mean - slope * x_mean;
    let rest = squares(points.iter().map(|(x, y)| y - interception - slope * x));
    Line {
        rsquare: if y_spread == 0.0 { 1.0 } else { 1.0 - rest / y_spread },
        slope,
        variance: y_spread / (count - 1.0),
        residual_variance: rest / (count - 1.0),
        interception,
    }
}

/// The numbers of a series with their places.
fn points(values: &[Option<f64>]) -> Vec<(f64, f64)> {
    values.iter().enumerate().filter_map(|(place, value)| value.map(|value| (place as f64, value))).collect()
}

fn reals_of(values: impl IntoIterator<Item = f64>) -> Dynamic {
    Dynamic::Array(values.into_iter().map(Dynamic::Real).collect())
}

/// A result with names: an array of the values, or a bag.
fn fields(named: Vec<(&str, Dynamic)>, bag: bool) -> Dynamic {
    if bag {
        Dynamic::Bag(named.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    } else {
        Dynamic::Array(named.into_iter().map(|(_, value)| value).collect())
    }
}

fn line(args: &Args<'_>, bag: bool) -> KernelResult {
    let series = args.text(0)?;
    args.to_dynamic_values(|row| {
        let values = reals(series.opt(row)?)?;
        let line = fit_line(&points(&values));
        let named = vec![
            ("rsquare", Dynamic::Real(line.rsquare)),
            ("slope", Dynamic::Real(line.slope)),
            ("variance", Dynamic::Real(line.variance)),
            ("rvariance", Dynamic::Real(line.residual_variance)),
            ("interception", Dynamic::Real(line.interception)),
            ("line_fit", reals_of((0..values.len()).map(|place| line.at(place as f64)))),
        ];
        Some(fields(named, bag))
    })
}

/// `series_fit_line(series)`: six values.
pub fn series_fit_line(args: &Args<'_>) -> KernelResult {
    line(args, false)
}

/// `series_fit_line_dynamic(series)`: a bag.
pub fn series_fit_line_dynamic(args: &Args<'_>) -> KernelResult {
    line(args, true)
}

/// Two lines: the second begins at `split`.
struct TwoLines {
    split: usize,
    left: Line,
    right: Line,
    /// Sum of squares that the lines leave.
    rest: f64,
}

/// The sum of squares that a line leaves.
fn residue(line: &Line, points: &[(f64, f64)]) -> f64 {
    squares(points.iter().map(|(x, y)| y - line.at(*x)))
}

/// The cut that leaves least; both parts have two points at least.
fn fit_two_lines(points: &[(f64, f64)]) -> Option<TwoLines> {
    let mut best: Option<TwoLines> = None;
    for split in 2..points.len().saturating_sub(1) {
        let (left_points, right_points) = points.split_at(split);
        let (left, right) = (fit_line(left_points), fit_line(right_points));
        let rest = residue(&left, left_points) + residue(&right, right_points);
        if best.as_ref().is_none_or(|best| rest < best.rest) {
            best = Some(TwoLines { split, left, right, rest });
        }
    }
    best
}

fn two_lines(args: &Args<'_>, bag: bool) -> KernelResult {
    let series = args.text(0)?;
    args.to_dynamic_values(|row| {
        let values = reals(series.opt(row)?)?;
        let points = points(&values);
        let whole = fit_line(&points);
        let lines = fit_two_lines(&points)?;
        let count = points.len() as f64;
        let split_place = points.get(lines.split).map_or(0.0, |(place, _)| *place);
        let fit = (0..values.len()).map(|place| {
            let place = place as f64;
            if place < split_place { lines.left.at(place) } else { lines.right.at(place) }
        });
        let spread = whole.variance * (count - 1.0);
        let mut named = vec![
            ("rsquare", Dynamic::Real(if spread == 0.0 { 1.0 } else { 1.0 - lines.rest / spread })),
            ("split_idx", Dynamic::Long(split_place as i64)),
            ("variance", Dynamic::Real(whole.variance)),
            ("rvariance", Dynamic::Real(lines.rest / (count - 1.0))),
            ("line_fit", reals_of(fit)),
        ];
        // The interception of the right line is at its own start.
        let right_start = lines.right.at(split_place);
        named.extend([
            ("right_rsquare", Dynamic::Real(lines.right.rsquare)),
            ("right_slope", Dynamic::Real(lines.right.slope)),
            ("right_interception", Dynamic::Real(right_start)),
            ("right_variance", Dynamic::Real(lines.right.variance)),
            ("right_rvariance", Dynamic::Real(lines.right.residual_variance)),
            ("left_rsquare", Dynamic::Real(lines.left.rsquare)),
            ("left_slope", Dynamic::Real(lines.left.slope)),
            ("left_interception", Dynamic::Real(lines.left.interception)),
            ("left_variance", Dynamic::Real(lines.left.variance)),
            ("left_rvariance", Dynamic::Real(lines.left.residual_variance)),
        ]);
        Some(fields(named, bag))
    })
}

/// `series_fit_2lines(series)`: fifteen values.
pub fn series_fit_2lines(args: &Args<'_>) -> KernelResult {
    two_lines(args, false)
}

/// `series_fit_2lines_dynamic(series)`: a bag.
pub fn series_fit_2lines_dynamic(args: &Args<'_>) -> KernelResult {
    two_lines(args, true)
}

/// Polynomials of higher degree are refused.
const DEGREE_MAX: i64 = 30;

/// `series_fit_poly(y, x, degree)`, `series_fit_poly(y, degree)`: five values. Without `x` the places are 1, 2, 3, ...
pub fn series_fit_poly(args: &Args<'_>) -> KernelResult {
    let y = args.text(0)?;
    let second_is_degree = args.ty(1) == kql_types::ScalarType::Long;
    let x = if second_is_degree { Dynamics::Absent } else { Dynamics::of(args, 1)? };
    let degree = args.long_or(if second_is_degree { 1 } else { 2 }, 1)?;
    args.to_dynamic_values(|row| {
        let y = complete(&y, row)?;
        let x = match x.at(row) {
            Dynamic::Null => (1..=y.len()).map(|place| place as f64).collect(),
            x => x.as_array()?.iter().map(Dynamic::as_real).collect::<Option<Vec<f64>>>()?,
        };
        let degree = usize::try_from(degree.opt(row).filter(|degree| (1..=DEGREE_MAX).contains(degree))?).ok()?;
        if x.len() != y.len() || x.len() <= degree {
            return None;
        }
        let coefficients = fit_polynomial(&x, &y, degree)?;
        let value = |x: f64| coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient);
        let fit: Vec<f64> = x.iter().map(|x| value(*x)).collect();
        let average = mean(&y);
        let spread = squares(y.iter().map(|y| y - average));
        let rest = squares(y.iter().zip(&fit).map(|(y, fit)| y - fit));
        let count = y.len() as f64;
        Some(Dynamic::Array(vec![
            Dynamic::Real(if spread == 0.0 { 1.0 } else { 1.0 - rest / spread }),
            reals_of(coefficients),
            Dynamic::Real(spread / (count - 1.0)),
            Dynamic::Real(rest / (count - 1.0)),
            reals_of(fit),
        ]))
    })
}

/// Coefficients from the highest power down, by the normal equations over places scaled to -1 to 1.
fn fit_polynomial(x: &[f64], y: &[f64], degree: usize) -> Option<Vec<f64>> {
    let (low, high) = x.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
    let (center, scale) = (f64::midpoint(low, high), ((high - low) / 2.0).max(f64::MIN_POSITIVE));
    let size = degree + 1;
    let mut equations = vec![vec![0.0; size + 1]; size];
    for (x, y) in x.iter().zip(y) {
        let scaled = (x - center) / scale;
        let powers: Vec<f64> =
            (0..2 * size).scan(1.0, |power, _| Some(std::mem::replace(power, *power * scaled))).collect();
        for (row, equation) in equations.iter_mut().enumerate() {
            for (column, cell) in equation.iter_mut().enumerate() {
                *cell += if column < size { *powers.get(row + column)? } else { powers.get(row)? * y };
            }
        }
    }
    let scaled = solve(equations)?;
    // Back to powers of x: sum of c_k * ((x - center) / scale)^k, expanded.
    let mut plain = vec![0.0; size];
    let mut power = vec![1.0];
    for coefficient in scaled {
        for (place, term) in power.iter().enumerate() {
            *plain.get_mut(place)? += coefficient * term;
        }
        let mut next = vec![0.0; power.len() + 1];
        for (place, term) in power.iter().enumerate() {
            *next.get_mut(place)? -= term * center / scale;
            *next.get_mut(place + 1)? += term / scale;
        }
        power = next;
    }
    plain.reverse();
    Some(plain)
}

/// Solves linear equations (each a row of coefficients and the right side); None when there is no single solution.
fn solve(mut rows: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    let size = rows.len();
    for step in 0..size {
        let pivot = (step..size).max_by(|&a, &b| rows[a][step].abs().total_cmp(&rows[b][step].abs()))?;
        rows.swap(step, pivot);
        let pivot_row = rows.get(step)?.clone();
        let divisor = *pivot_row.get(step)?;
        if divisor.abs() < 1e-300 {
            return None;
        }
        for (index, row) in rows.iter_mut().enumerate() {
            if index != step {
                let factor = row.get(step)? / divisor;
                row.iter_mut().zip(&pivot_row).for_each(|(cell, pivot)| *cell -= factor * pivot);
            }
        }
    }
    rows.iter().enumerate().map(|(index, row)| Some(row.last()? / row.get(index)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }

    #[test]
    fn one_line() {
        let line = fit_line(&[(0.0, 1.0), (1.0, 2.0), (2.0, 4.0), (3.0, 8.0)]);
        near(line.slope, 2.3);
        near(line.interception, 0.3);
        near(line.rsquare, 0.92);
        assert!(fit_line(&[(0.0, 1.0)]).slope.is_nan());
    }

    #[test]
    fn two_lines() {
        let values = [1.0, 1.0, 1.0, 5.0, 5.0, 5.0];
        let points: Vec<(f64, f64)> = values.iter().enumerate().map(|(x, y)| (x as f64, *y)).collect();
        assert_eq!(fit_two_lines(&points).map(|lines| lines.split), Some(3));
        assert!(fit_two_lines(&points[..3]).is_none());
    }

    #[test]
    fn polynomials() {
        let x: Vec<f64> = (1..=8).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| 2.0 * x * x - 3.0 * x + 5.0).collect();
        let found = fit_polynomial(&x, &y, 2).unwrap_or_default();
        [2.0, -3.0, 5.0].iter().zip(&found).for_each(|(a, b)| near(*a, *b));
        assert_eq!(found.len(), 3);
    }
}

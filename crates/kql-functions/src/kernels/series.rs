//! Series: dynamic arrays of numbers, what all `series_*` kernels read and write.

use super::access::Text;
use super::canonical::array_items;
use super::dynamic_args::{Scalar, scalar};
use super::elements::write_real;

/// A number of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    Long(i64),
    Real(f64),
}

impl Number {
    pub fn real(self) -> f64 {
        match self {
            Number::Long(value) => value as f64,
            Number::Real(value) => value,
        }
    }
}

/// The elements of a series; None where one is no number. None when the text is no array.
pub fn numbers(text: &str) -> Option<Vec<Option<Number>>> {
    let number = |item| match scalar(item) {
        Scalar::Long(value) => Some(Number::Long(value)),
        Scalar::Real(value) => Some(Number::Real(value)),
        _ => None,
    };
    Some(array_items(text)?.map(number).collect())
}

/// The elements of a series as reals.
pub fn reals(text: &str) -> Option<Vec<Option<f64>>> {
    Some(numbers(text)?.into_iter().map(|number| number.map(Number::real)).collect())
}

/// The series of a row; None when it is no array or an element is no number.
pub fn complete(series: &Text<'_>, row: usize) -> Option<Vec<f64>> {
    reals(series.opt(row)?)?.into_iter().collect()
}

/// Appends an array of reals, null where there is none.
pub fn write_series(values: impl IntoIterator<Item = Option<f64>>, out: &mut String) {
    out.push('[');
    for (index, value) in values.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        match value {
            Some(value) => write_real(value, out),
            None => out.push_str("null"),
        }
    }
    out.push(']');
}

/// Appends an array of reals.
pub fn write_reals(values: &[f64], out: &mut String) {
    write_series(values.iter().copied().map(Some), out);
}

pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The value at a share (0 to 1) of the sorted values, on the line between neighbors. NaN when there is none.
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share * last as f64;
    let low = sorted.get(place.floor() as usize).copied().unwrap_or(f64::NAN);
    let high = sorted.get(place.ceil() as usize).copied().unwrap_or(low);
    low + (high - low) * place.fract()
}

/// NaN when there is none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    percentile(&sorted, 0.5)
}

//! Filters of series: finite and infinite impulse response.

use super::series::{complete, write_reals};
use super::{Args, KernelResult};

/// `series_fir(series, filter, normalize, center)`: what lies before the series counts as zero.
pub fn series_fir(args: &Args<'_>) -> KernelResult {
    let (series, filter) = (args.text(0)?, args.text(1)?);
    let normalize = if args.count() > 2 { Some(args.boolean(2)?) } else { None };
    let center = args.boolean_or(3, false)?;
    args.to_dynamics(|row, out| {
        let (series, mut filter) = (complete(&series, row)?, complete(&filter, row)?);
        let negative = filter.iter().any(|coefficient| *coefficient < 0.0);
        let normalize = match &normalize {
            Some(normalize) => normalize.opt(row)?,
            None => !negative,
        };
        if normalize {
            if negative {
                return None;
            }
            let sum: f64 = filter.iter().sum();
            filter.iter_mut().for_each(|coefficient| *coefficient /= sum);
        }
        let ahead = if center.opt(row)? { filter.len() / 2 } else { 0 };
        let at = |place: usize, back: usize| (place + ahead).checked_sub(back).and_then(|place| series.get(place));
        let value = |place: usize| {
            let terms =
                filter.iter().enumerate().filter_map(|(back, coefficient)| Some(at(place, back)? * coefficient));
            terms.fold(0.0, |sum, term| sum + term)
        };
        let filtered: Vec<f64> = (0..series.len()).map(value).collect();
        write_reals(&filtered, out);
        Some(())
    })
}

/// `series_iir(series, numerators, denominators)`
pub fn series_iir(args: &Args<'_>) -> KernelResult {
    let (series, numerators, denominators) = (args.text(0)?, args.text(1)?, args.text(2)?);
    args.to_dynamics(|row, out| {
        let series = complete(&series, row)?;
        let (numerators, denominators) = (complete(&numerators, row)?, complete(&denominators, row)?);
        let (first, feedback) = denominators.split_first()?;
        if *first == 0.0 {
            return None;
        }
        let mut filtered: Vec<f64> = Vec::with_capacity(series.len());
        for place in 0..series.len() {
            let back = |values: &[f64], steps: usize| place.checked_sub(steps).and_then(|at| values.get(at).copied());
            let mut value = 0.0;
            for (steps, coefficient) in numerators.iter().enumerate() {
                value += coefficient * back(&series, steps).unwrap_or(0.0);
            }
            for (steps, coefficient) in feedback.iter().enumerate() {
                value -= coefficient * back(&filtered, steps + 1).unwrap_or(0.0);
            }
            filtered.push(value / first);
        }
        write_reals(&filtered, out);
        Some(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType::Dynamic;

    #[test]
    fn finite() {
        let series = Cell::dynamic("[5,15,10,20]");
        let plain = [series.clone(), Cell::dynamic("[1,-1]"), Cell::Bool(false), Cell::Bool(false)];
        assert_eq!(call(series_fir, &plain, Dynamic), "[5.0,10.0,-5.0,10.0]".into());
        assert_eq!(call(series_fir, &plain[..2], Dynamic), "[5.0,10.0,-5.0,10.0]".into());
        let centered = [Cell::dynamic("[0,0,3,0,0]"), Cell::dynamic("[1,1,1]"), Cell::Bool(true), Cell::Bool(true)];
        assert_eq!(call(series_fir, &centered, Dynamic), "[0.0,1.0,1.0,1.0,0.0]".into());
        assert_eq!(call(series_fir, &[series, Cell::dynamic("[1,-1]"), Cell::Bool(true)], Dynamic), Cell::Null);
    }

    #[test]
    fn infinite() {
        let sums = [Cell::dynamic("[1,2,3]"), Cell::dynamic("[1]"), Cell::dynamic("[1,-1]")];
        assert_eq!(call(series_iir, &sums, Dynamic), "[1.0,3.0,6.0]".into());
    }
}

//! Missing values of series: an element is missing when it is null, or equal to the value given for that.

use kql_types::Dynamic;

use super::dynamic_args::Dynamics;
use super::{Args, KernelError, KernelResult};

/// The series of a call and what counts as missing in it.
struct Source<'a> {
    series: Dynamics<'a>,
    missing: Dynamics<'a>,
}

impl<'a> Source<'a> {
    fn of(args: &Args<'a>, missing: usize) -> Result<Source<'a>, KernelError> {
        Ok(Source { series: Dynamics::of(args, 0)?, missing: Dynamics::of(args, missing)? })
    }

    /// The elements of a row, None where one is missing.
    fn at(&self, row: usize) -> Option<Vec<Option<Dynamic>>> {
        let Dynamic::Array(items) = self.series.at(row) else { return None };
        let missing = self.missing.at(row);
        Some(items.into_iter().map(|item| Some(item).filter(|item| !item.same(&missing) && !item.is_null())).collect())
    }
}

fn filled(items: Vec<Option<Dynamic>>) -> Option<Dynamic> {
    Some(Dynamic::Array(items.into_iter().map(|item| item.unwrap_or(Dynamic::Null)).collect()))
}

/// `series_fill_const(series, constant, missing)`
pub fn series_fill_const(args: &Args<'_>) -> KernelResult {
    let (source, constant) = (Source::of(args, 2)?, Dynamics::of(args, 1)?);
    args.to_dynamic_values(|row| {
        let constant = constant.at(row);
        filled(source.at(row)?.into_iter().map(|item| item.or_else(|| Some(constant.clone()))).collect())
    })
}

/// Each missing element becomes the last one before it.
fn carry<'i>(items: impl Iterator<Item = &'i mut Option<Dynamic>>) {
    let mut last: Option<Dynamic> = None;
    for item in items {
        match item {
            Some(value) => last = Some(value.clone()),
            None => item.clone_from(&last),
        }
    }
}

/// `series_fill_forward(series, missing)`
pub fn series_fill_forward(args: &Args<'_>) -> KernelResult {
    let source = Source::of(args, 1)?;
    args.to_dynamic_values(|row| {
        let mut items = source.at(row)?;
        carry(items.iter_mut());
        filled(items)
    })
}

/// `series_fill_backward(series, missing)`
pub fn series_fill_backward(args: &Args<'_>) -> KernelResult {
    let source = Source::of(args, 1)?;
    args.to_dynamic_values(|row| {
        let mut items = source.at(row)?;
        carry(items.iter_mut().rev());
        filled(items)
    })
}

/// `series_fill_linear(series, missing, fill_edges, constant)`: of whole numbers the result is cut to whole numbers.
pub fn series_fill_linear(args: &Args<'_>) -> KernelResult {
    let (source, edges, constant) = (Source::of(args, 1)?, args.boolean_or(2, true)?, Dynamics::of(args, 3)?);
    args.to_dynamic_values(|row| {
        let mut items = source.at(row)?;
        // A series without values is filled whatever fill_edges says.
        if items.iter().all(Option::is_none) {
            let constant = if constant.is_absent() { Dynamic::Real(0.0) } else { constant.at(row) };
            return filled(items.into_iter().map(|_| Some(constant.clone())).collect());
        }
        let whole = items.iter().flatten().all(|item| matches!(item, Dynamic::Long(_)));
        interpolate(&mut items, whole);
        if edges.opt(row).unwrap_or(true) {
            carry(items.iter_mut());
            carry(items.iter_mut().rev());
        }
        filled(items)
    })
}

/// Fills the gaps between numbers.
fn interpolate(items: &mut [Option<Dynamic>], whole: bool) {
    let known: Vec<(usize, f64)> = items
        .iter()
        .enumerate()
        .filter_map(|(place, item)| item.as_ref().and_then(Dynamic::as_real).map(|value| (place, value)))
        .collect();
    for pair in known.windows(2) {
        let [(start, low), (end, high)] = pair else { continue };
        let step = (high - low) / (end - start) as f64;
        for place in start + 1..*end {
            let value = low + step * (place - start) as f64;
            if let Some(item) = items.get_mut(place) {
                *item = Some(if whole { Dynamic::Long(value as i64) } else { Dynamic::Real(value) });
            }
        }
    }
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
    fn neighbors() {
        let series = Cell::dynamic("[null,1,null,-1,3,null]");
        assert_eq!(dynamic(series_fill_forward, std::slice::from_ref(&series)), "[null,1,1,-1,3,3]".into());
        assert_eq!(dynamic(series_fill_backward, std::slice::from_ref(&series)), "[1,1,-1,-1,3,null]".into());
        assert_eq!(dynamic(series_fill_forward, &[series.clone(), (-1).into()]), "[null,1,1,1,3,3]".into());
        assert_eq!(dynamic(series_fill_const, &[series, 0.0.into()]), "[0.0,1,0.0,-1,3,0.0]".into());
    }

    #[test]
    fn lines() {
        let linear = |json| dynamic(series_fill_linear, &[Cell::dynamic(json)]);
        assert_eq!(linear("[null,111.0,null,36.0]"), "[111.0,111.0,73.5,36.0]".into());
        assert_eq!(linear("[111,null,36,null]"), "[111,73,36,36]".into());
        assert_eq!(linear("[null,null]"), "[0.0,0.0]".into());
        let cells = [Cell::dynamic("[null,1,null,3]"), Cell::dynamic("null"), Cell::Bool(false)];
        assert_eq!(dynamic(series_fill_linear, &cells), "[null,1,2,3]".into());
    }
}

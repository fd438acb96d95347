//! `basket`, `autocluster` and `diffpatterns`: segments of a table that share values.
//!
//! The expressions are the text of each column, then the columns themselves, then a weight if there is one, and for
//! `diffpatterns` the class of each row. Output: `SegmentId`, counts and percents, then the columns, where a segment
//! leaves those open that it does not fix.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, StringViewArray};
use arrow::datatypes::{DataType, Int32Type, Int64Type};

use super::super::KernelError;
use super::patterns::{Items, Pattern};
use super::whole::{Made, WholeTable, column, is_text, picked};

/// Segments that a plugin gives at most.
const SEGMENTS_MAX: usize = 1_000;

/// Which segments are looked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Find {
    /// All frequent patterns, those that say most first.
    Basket { threshold: f64, width: usize },
    /// A few patterns that together cover much: the weight of size against detail.
    Autocluster { size_weight: f64, seeds: usize },
    /// Patterns that are more frequent in one class than in the other.
    Diff { threshold: f64, width: usize },
}

/// The columns of such a plugin.
#[derive(Debug, Clone)]
pub struct Segments {
    pub find: Find,
    /// How many columns of the table take part.
    pub columns: usize,
    pub weighted: bool,
    /// What stands for an open column, by column; None: null, or `""`.
    pub wildcards: Vec<Option<String>>,
}

impl WholeTable for Segments {
    fn make(&self, columns: &[ArrayRef], rows: usize) -> Result<Made, KernelError> {
        let texts = columns.get(..self.columns).unwrap_or_default();
        let mut extra = self.columns * 2;
        let weights = match self.weighted {
            true => {
                extra += 1;
                Some(column(columns, extra - 1)?)
            }
            false => None,
        };
        let class = match self.find {
            Find::Diff { .. } => Some(column(columns, extra)?),
            _ => None,
        };
        let weight = |row: usize| {
            let weight = weights.map_or(1, |weights| whole(weights, row));
            match class.map(|class| whole(class, row)) {
                None | Some(0) => Some([weight, 0]),
                Some(1) => Some([0, weight]),
                Some(_) => None,
            }
        };
        let items = Items::of(texts, rows, &weight);
        let chosen = match self.find {
            Find::Basket { threshold, width } => basket(&items, threshold, width)?,
            Find::Autocluster { size_weight, seeds } => autocluster(&items, size_weight, seeds)?,
            Find::Diff { threshold, width } => different(&items, threshold, width)?,
        };
        self.shown(columns, &items, &chosen)
    }
}

fn whole(column: &ArrayRef, row: usize) -> i64 {
    if column.is_null(row) {
        return -1;
    }
    match column.data_type() {
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).into(),
        _ => -1,
    }
}

/// Ordered by how much they say: rows times columns.
fn basket(items: &Items, threshold: f64, width: usize) -> Result<Vec<Pattern>, KernelError> {
    let total = items.totals[0] as f64;
    let mut patterns = items.closed(width, &|counts| counts[0] as f64 >= threshold * total)?;
    patterns.sort_by_key(|pattern| std::cmp::Reverse(pattern.counts[0].saturating_mul(pattern.items.len() as i64)));
    Ok(patterns)
}

/// Patterns chosen one after another by size and detail over the rows that are still free.
fn autocluster(items: &Items, size_weight: f64, seeds: usize) -> Result<Vec<Pattern>, KernelError> {
    let total = items.totals[0].max(1) as f64;
    let least = (0.05 * total).max(1.0);
    let patterns = items.closed(usize::MAX, &|counts| counts[0] as f64 >= least)?;
    let widest = patterns.iter().map(|pattern| pattern.items.len()).max().unwrap_or(1) as f64;
    let mut free = vec![true; items.rows.len()];
    let mut chosen: Vec<Pattern> = Vec::new();
    while chosen.len() < seeds {
        let score = |pattern: &Pattern| {
            let rows: Vec<u32> =
                pattern.rows.iter().copied().filter(|row| free.get(*row as usize).copied().unwrap_or(false)).collect();
            let count = items.counts(&rows)[0] as f64;
            let detail = pattern.items.len() as f64 / widest;
            (count, (count / total).powf(size_weight) * detail.powf(1.0 - size_weight))
        };
        let best = patterns
            .iter()
            .map(|pattern| (pattern, score(pattern)))
            .filter(|(_, (count, _))| *count >= least)
            .max_by(|(_, (_, a)), (_, (_, b))| a.total_cmp(b));
        let Some((pattern, _)) = best else { break };
        for row in &pattern.rows {
            if let Some(free) = free.get_mut(*row as usize) {
                *free = false;
            }
        }
        chosen.push(pattern.clone());
    }
    Ok(chosen)
}

/// Patterns chosen one after another by the difference of their shares, over the rows that are still free.
fn different(items: &Items, threshold: f64, width: usize) -> Result<Vec<Pattern>, KernelError> {
    let totals = [items.totals[0].max(1) as f64, items.totals[1].max(1) as f64];
    let share = |counts: [i64; 2]| [counts[0] as f64 / totals[0], counts[1] as f64 / totals[1]];
    let enough = |counts: [i64; 2]| share(counts).iter().any(|share| *share >= threshold);
    let patterns = items.closed(width, &enough)?;
    let mut free = vec![true; items.rows.len()];
    let mut chosen: Vec<Pattern> = Vec::new();
    loop {
        let difference = |pattern: &Pattern| {
            let rows: Vec<u32> =
                pattern.rows.iter().copied().filter(|row| free.get(*row as usize).copied().unwrap_or(false)).collect();
            let [a, b] = share(items.counts(&rows));
            (a - b).abs()
        };
        let best = patterns
            .iter()
            .map(|pattern| (pattern, difference(pattern)))
            .filter(|(_, difference)| *difference >= threshold)
            .max_by(|(a, x), (b, y)| x.total_cmp(y).then(a.items.len().cmp(&b.items.len())));
        let Some((pattern, _)) = best else { break };
        for row in &pattern.rows {
            if let Some(free) = free.get_mut(*row as usize) {
                *free = false;
            }
        }
        chosen.push(pattern.clone());
    }
    let gap = |pattern: &Pattern| {
        let [a, b] = share(pattern.counts);
        (a - b).abs()
    };
    // Equal differences: what the first class has more of comes first.
    chosen.sort_by(|a, b| gap(b).total_cmp(&gap(a)).then(b.counts[0].cmp(&a.counts[0])));
    Ok(chosen)
}

impl Segments {
    fn shown(&self, columns: &[ArrayRef], items: &Items, chosen: &[Pattern]) -> Result<Made, KernelError> {
        let chosen = chosen.get(..SEGMENTS_MAX).unwrap_or(chosen);
        let longs = |values: Vec<i64>| -> ArrayRef { Arc::new(Int64Array::from(values)) };
        let reals = |values: Vec<f64>| -> ArrayRef { Arc::new(Float64Array::from(values)) };
        let percent = |class: usize| {
            let total = items.totals.get(class).copied().unwrap_or(0).max(1) as f64;
            let of = |pattern: &Pattern| pattern.counts.get(class).copied().unwrap_or(0) as f64 * 100.0 / total;
            chosen.iter().map(of).collect::<Vec<f64>>()
        };
        let mut output = vec![longs((0..chosen.len() as i64).collect())];
        match self.find {
            Find::Diff { .. } => {
                let round = |value: f64| (value * 100.0).round() / 100.0;
                let (a, b) = (percent(0), percent(1));
                output.push(longs(chosen.iter().map(|pattern| pattern.counts[0]).collect()));
                output.push(longs(chosen.iter().map(|pattern| pattern.counts[1]).collect()));
                output.push(reals(a.iter().map(|value| round(*value)).collect()));
                output.push(reals(b.iter().map(|value| round(*value)).collect()));
                output.push(reals(a.iter().zip(&b).map(|(a, b)| round((a - b).abs())).collect()));
            }
            _ => {
                output.push(longs(chosen.iter().map(|pattern| pattern.counts[0]).collect()));
                output.push(reals(percent(0)));
            }
        }
        for place in 0..self.columns {
            let values = column(columns, self.columns + place)?;
            let fixed = |pattern: &Pattern| {
                let mut own = pattern.items.iter().filter_map(|item| items.items.get(*item as usize));
                own.find(|(of, _)| *of == place).map(|(_, row)| *row)
            };
            let shown = picked(values, chosen.iter().map(fixed), is_text(values))?;
            output.push(match (self.wildcards.get(place).and_then(Option::as_ref), shown.as_string_view_opt()) {
                (Some(wildcard), Some(texts)) => {
                    let marked = chosen.iter().enumerate().map(|(row, pattern)| match fixed(pattern) {
                        Some(_) => texts.value(row),
                        None => wildcard.as_str(),
                    });
                    Arc::new(StringViewArray::from_iter_values(marked))
                }
                _ => shown,
            });
        }
        let first = |pattern: &Pattern| pattern.rows.first().and_then(|row| items.rows.get(*row as usize));
        let rows = chosen.iter().map(|pattern| first(pattern).map_or(0, |row| row.first)).collect();
        Ok(Made { rows, columns: output })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(values: &[&str]) -> ArrayRef {
        Arc::new(StringViewArray::from_iter_values(values))
    }

    #[test]
    fn basket_orders_by_rows_times_columns() {
        let a = text(&["x", "x", "x", "x", "y"]);
        let b = text(&["1", "1", "1", "2", "2"]);
        let segments = Segments {
            find: Find::Basket { threshold: 0.3, width: 5 },
            columns: 2,
            weighted: false,
            wildcards: vec![None, Some("*".to_owned())],
        };
        let made = segments.make(&[a.clone(), b.clone(), a, b], 5).unwrap();
        let counts = made.columns[1].as_primitive::<Int64Type>().values().to_vec();
        assert_eq!(counts, [3, 4, 2]);
        let second: Vec<&str> = made.columns[4].as_string_view().iter().flatten().collect();
        assert_eq!(second, ["1", "*", "2"]);
    }

    #[test]
    fn classes_that_differ_are_told_apart() {
        let a = text(&["x", "x", "x", "y", "y", "y"]);
        let class: ArrayRef = Arc::new(Int64Array::from(vec![0, 0, 0, 1, 1, 2]));
        let segments = Segments {
            find: Find::Diff { threshold: 0.05, width: 9 },
            columns: 1,
            weighted: false,
            wildcards: Vec::new(),
        };
        let made = segments.make(&[a.clone(), a, class], 6).unwrap();
        assert_eq!(made.columns[1].as_primitive::<Int64Type>().values().to_vec(), [3, 0]);
        assert_eq!(made.columns[2].as_primitive::<Int64Type>().values().to_vec(), [0, 2]);
    }
}

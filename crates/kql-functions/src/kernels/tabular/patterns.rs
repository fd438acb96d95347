//! Patterns that many rows share: combinations of column values, as `basket`, `autocluster` and `diffpatterns` find them.
//!
//! Only closed patterns count: one to which no value can be added without losing rows, since the smaller ones say less of
//! the same rows. They are enumerated by extending closures in the order of items, so that each comes once.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray};

use super::super::KernelError;

/// Patterns that one search may find.
const PATTERNS_MAX: usize = 200_000;

/// Rows as combinations of values, equal rows together.
pub(super) struct Items {
    /// Column of each item, and a row that has its value.
    pub items: Vec<(usize, u32)>,
    /// Items of each distinct row, sorted; its first row, and its weight in each class.
    pub rows: Vec<DistinctRow>,
    /// Weight of all rows in each class.
    pub totals: [i64; 2],
}

pub(super) struct DistinctRow {
    pub items: Vec<u32>,
    pub first: u32,
    pub weights: [i64; 2],
}

/// A set of columns with a value each, and the distinct rows that have them all.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    /// Sorted items.
    pub items: Vec<u32>,
    /// Indexes of distinct rows, sorted.
    pub rows: Vec<u32>,
    pub counts: [i64; 2],
}

impl Items {
    /// Items of the columns, given as text. Absent values (null, empty) are no items: in a result they would look like
    /// columns that the pattern leaves open.
    pub(super) fn of(texts: &[ArrayRef], rows: usize, weight: &dyn Fn(usize) -> Option<[i64; 2]>) -> Items {
        let mut known: HashMap<(usize, &str), u32> = HashMap::new();
        let mut items: Vec<(usize, u32)> = Vec::new();
        let mut distinct: HashMap<Vec<u32>, usize> = HashMap::new();
        let mut result: Vec<DistinctRow> = Vec::new();
        let mut totals = [0_i64; 2];
        for row in 0..rows {
            let Some(weights) = weight(row) else { continue };
            let mut own = Vec::with_capacity(texts.len());
            for (place, texts) in texts.iter().enumerate() {
                let Some(texts) = texts.as_string_view_opt() else { continue };
                if texts.is_null(row) || texts.value(row).is_empty() {
                    continue;
                }
                let item = *known.entry((place, texts.value(row))).or_insert_with(|| {
                    items.push((place, row as u32));
                    items.len() as u32 - 1
                });
                own.push(item);
            }
            own.sort_unstable();
            let at = *distinct.entry(own.clone()).or_insert_with(|| {
                result.push(DistinctRow { items: own, first: row as u32, weights: [0; 2] });
                result.len() - 1
            });
            totals = [totals[0].saturating_add(weights[0]), totals[1].saturating_add(weights[1])];
            if let Some(row) = result.get_mut(at) {
                row.weights = [row.weights[0].saturating_add(weights[0]), row.weights[1].saturating_add(weights[1])];
            }
        }
        Items { items, rows: result, totals }
    }

    /// The closed patterns that `enough` rows have; with more columns than `width` only the first ones are kept.
    pub(super) fn closed(&self, width: usize, enough: &dyn Fn([i64; 2]) -> bool) -> Result<Vec<Pattern>, KernelError> {
        let mut by_item: Vec<Vec<u32>> = vec![Vec::new(); self.items.len()];
        for (index, row) in self.rows.iter().enumerate() {
            for item in &row.items {
                if let Some(rows) = by_item.get_mut(*item as usize) {
                    rows.push(index as u32);
                }
            }
        }
        let frequent: Vec<(u32, &Vec<u32>)> = by_item
            .iter()
            .enumerate()
            .filter(|(_, rows)| enough(self.counts(rows)))
            .map(|(item, rows)| (item as u32, rows))
            .collect();
        let mut search = Search { items: self, frequent, enough, width, found: Vec::new() };
        let all: Vec<u32> = (0..self.rows.len() as u32).collect();
        let closure = search.closure(&all);
        search.extend(&closure, &all, None, 0)?;
        Ok(search.found)
    }

    pub(super) fn counts(&self, rows: &[u32]) -> [i64; 2] {
        let mut counts = [0_i64; 2];
        for row in rows {
            if let Some(row) = self.rows.get(*row as usize) {
                counts = [counts[0].saturating_add(row.weights[0]), counts[1].saturating_add(row.weights[1])];
            }
        }
        counts
    }
}

struct Search<'a> {
    items: &'a Items,
    frequent: Vec<(u32, &'a Vec<u32>)>,
    enough: &'a dyn Fn([i64; 2]) -> bool,
    width: usize,
    found: Vec<Pattern>,
}

impl Search<'_> {
    /// The items that all of these rows have.
    fn closure(&self, rows: &[u32]) -> Vec<u32> {
        let mut items: Option<Vec<u32>> = None;
        for row in rows {
            let Some(row) = self.items.rows.get(*row as usize) else { continue };
            match &mut items {
                None => items = Some(row.items.clone()),
                Some(items) => items.retain(|item| row.items.binary_search(item).is_ok()),
            }
        }
        items.unwrap_or_default()
    }

    fn extend(&mut self, closed: &[u32], rows: &[u32], core: Option<u32>, depth: usize) -> Result<(), KernelError> {
        if !closed.is_empty() {
            if self.found.len() >= PATTERNS_MAX {
                return Err(KernelError(format!("more than {PATTERNS_MAX} patterns: raise the threshold")));
            }
            let items = closed.iter().copied().take(self.width).collect();
            self.found.push(Pattern { items, rows: rows.to_vec(), counts: self.items.counts(rows) });
        }
        if depth >= self.width {
            return Ok(());
        }
        for place in 0..self.frequent.len() {
            let Some((item, having)) = self.frequent.get(place).copied() else { continue };
            if core.is_some_and(|core| item <= core) || closed.binary_search(&item).is_ok() {
                continue;
            }
            let narrower = common(rows, having);
            if narrower.is_empty() || !(self.enough)(self.items.counts(&narrower)) {
                continue;
            }
            let closure = self.closure(&narrower);
            // Found already by way of a smaller item.
            if closure.iter().any(|other| *other < item && closed.binary_search(other).is_err()) {
                continue;
            }
            self.extend(&closure, &narrower, Some(item), depth + 1)?;
        }
        Ok(())
    }
}

/// What two sorted lists share.
fn common(a: &[u32], b: &[u32]) -> Vec<u32> {
    let (mut i, mut j) = (0, 0);
    let mut both = Vec::new();
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        match x.cmp(y) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                both.push(*x);
                i += 1;
                j += 1;
            }
        }
    }
    both
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::StringViewArray;
    use std::sync::Arc;

    #[test]
    fn closed_patterns_are_those_that_cannot_grow() {
        let a: ArrayRef = Arc::new(StringViewArray::from(vec!["x", "x", "x", "y"]));
        let b: ArrayRef = Arc::new(StringViewArray::from(vec!["1", "1", "2", "1"]));
        let c: ArrayRef = Arc::new(StringViewArray::from(vec!["k", "k", "k", ""]));
        let items = Items::of(&[a, b, c], 4, &|_| Some([1, 0]));
        let mut found: Vec<(usize, i64)> = items
            .closed(5, &|counts| counts[0] >= 2)
            .unwrap()
            .into_iter()
            .map(|pattern| (pattern.items.len(), pattern.counts[0]))
            .collect();
        found.sort_unstable();
        // {x,k}: 3 rows, {x,1,k}: 2 rows, {1}: 3 rows.
        assert_eq!(found, [(1, 3), (2, 3), (3, 2)]);
    }
}

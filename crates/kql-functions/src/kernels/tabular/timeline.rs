//! Plugins that follow activity over time: rolling percentiles, sessions, sliding windows, active users, sequences.
//!
//! Times, bins and spans are numbers in one unit: ticks, or whatever the timeline column counts. Output rows come bin by
//! bin.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::compute::{SortOptions, sort_to_indices};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};

use super::super::KernelError;
use super::whole::{Made, WholeTable, column, is_text, numbered, picked};

/// Bins that one table may have.
pub(super) const BINS_MAX: i64 = 1_000_000;

/// The numbers of a timeline, scaled so that they are whole: reals count in millionths.
fn numbers(values: &ArrayRef) -> Vec<Option<i64>> {
    let each = 0..values.len();
    match values.data_type() {
        DataType::Int64 => {
            each.map(|row| values.is_valid(row).then(|| values.as_primitive::<Int64Type>().value(row))).collect()
        }
        DataType::Int32 => {
            each.map(|row| values.is_valid(row).then(|| values.as_primitive::<Int32Type>().value(row).into())).collect()
        }
        DataType::Float64 => each
            .map(|row| values.is_valid(row).then(|| scaled(values.as_primitive::<Float64Type>().value(row))))
            .collect(),
        _ => vec![None; values.len()],
    }
}

/// A real in millionths.
pub fn scaled(value: f64) -> i64 {
    (value * 1e6).round() as i64
}

/// Numbers as a column like `like`.
pub(super) fn column_like(values: Vec<i64>, like: &DataType) -> ArrayRef {
    match like {
        DataType::Float64 => {
            Arc::new(values.into_iter().map(|value| Some(value as f64 / 1e6)).collect::<Float64Array>())
        }
        DataType::Int32 => {
            Arc::new(values.into_iter().map(|value| i32::try_from(value).ok()).collect::<arrow::array::Int32Array>())
        }
        _ => Arc::new(Int64Array::from(values)),
    }
}

/// Rows that have a place on a timeline: number of the combination of dimensions, time, row.
pub(super) struct Rows {
    times: Vec<Option<i64>>,
    ids: Vec<usize>,
    dimensions: Vec<usize>,
}

impl Rows {
    /// Columns: id, timeline, dimensions.
    pub(super) fn of(columns: &[ArrayRef], rows: usize) -> Result<Rows, KernelError> {
        let id = column(columns, 0)?;
        let times = numbers(column(columns, 1)?);
        let (ids, _) = numbered(std::slice::from_ref(id), rows)?;
        let (dimensions, _) = numbered(columns.get(2..).unwrap_or_default(), rows)?;
        Ok(Rows { times, ids, dimensions })
    }

    /// Rows with a time, in its order.
    pub(super) fn in_order(&self) -> Vec<(i64, usize)> {
        let mut order: Vec<(i64, usize)> =
            self.times.iter().enumerate().filter_map(|(row, time)| time.map(|time| (time, row))).collect();
        order.sort_unstable();
        order
    }

    pub(super) fn key(&self, row: usize) -> (usize, usize) {
        (self.dimensions.get(row).copied().unwrap_or(0), self.ids.get(row).copied().unwrap_or(0))
    }

    fn dimension(&self, row: usize) -> usize {
        self.dimensions.get(row).copied().unwrap_or(0)
    }
}

/// Result rows: timeline value, a row that has the dimensions, counts.
#[derive(Default)]
struct Counts {
    times: Vec<i64>,
    rows: Vec<u32>,
    counts: Vec<Vec<i64>>,
}

impl Counts {
    fn push(&mut self, time: i64, row: usize, counts: &[i64]) {
        self.times.push(time);
        self.rows.push(row as u32);
        self.counts.resize(counts.len(), Vec::new());
        for (column, count) in self.counts.iter_mut().zip(counts) {
            column.push(*count);
        }
    }

    /// Columns: timeline, dimensions, counts.
    fn made(self, columns: &[ArrayRef], counts: usize) -> Result<Made, KernelError> {
        let mut output = vec![column_like(self.times, column(columns, 1)?.data_type())];
        for dimension in columns.get(2..).unwrap_or_default() {
            output.push(picked(dimension, self.rows.iter().map(|row| Some(*row)), is_text(dimension))?);
        }
        let mut given = self.counts;
        given.resize(counts, Vec::new());
        output.extend(given.into_iter().map(|values| Arc::new(Int64Array::from(values)) as ArrayRef));
        Ok(Made { rows: self.rows, columns: output })
    }
}

pub(super) fn floor(value: i64, origin: i64, step: i64) -> i64 {
    if step <= 0 { value } else { (value - origin).div_euclid(step) * step + origin }
}

/// `session_count(id, timeline, start, end, bin, lookback, dimensions...)`: a row opens a session when its id was not seen
/// within `lookback` before it.
#[derive(Debug)]
pub struct SessionCount {
    pub start: i64,
    pub end: i64,
    pub bin: i64,
    pub lookback: i64,
}

impl WholeTable for SessionCount {
    fn make(&self, columns: &[ArrayRef], rows: usize) -> Result<Made, KernelError> {
        let table = Rows::of(columns, rows)?;
        let mut last: HashMap<(usize, usize), i64> = HashMap::new();
        let mut bins: BTreeMap<(i64, usize), (usize, i64)> = BTreeMap::new();
        for (time, row) in table.in_order() {
            if time < self.start || time > self.end {
                continue;
            }
            let bin = floor(time, 0, self.bin);
            let entry = bins.entry((bin, table.dimension(row))).or_insert((row, 0));
            // `datatable(id:long, t:long)[1, 41, 1, 82]` with a lookback of 41 has two sessions.
            if last.insert(table.key(row), time).is_none_or(|before| time - before >= self.lookback) {
                entry.1 += 1;
            }
        }
        let mut counts = Counts::default();
        for ((bin, _), (row, sessions)) in bins {
            counts.push(bin, row, &[sessions]);
        }
        counts.made(columns, 1)
    }
}

/// `sliding_window_counts(id, timeline, start, end, lookback, bin, dimensions...)`: rows and ids of the last `lookback` at
/// each bin.
#[derive(Debug)]
pub struct SlidingWindowCounts {
    pub start: i64,
    pub end: i64,
    pub lookback: i64,
    pub bin: i64,
}

impl WholeTable for SlidingWindowCounts {
    fn make(&self, columns: &[ArrayRef], rows: usize) -> Result<Made, KernelError> {
        let table = Rows::of(columns, rows)?;
        let step = self.bin.max(1);
        let bins = (self.end - self.start).div_euclid(step);
        if bins > BINS_MAX {
            return Err(KernelError(format!("sliding_window_counts: more than {BINS_MAX} bins")));
        }
        let span = self.lookback.div_euclid(step).max(1);
        // Ids by dimensions and bin, and how many rows each has.
        let mut seen: BTreeMap<usize, (usize, BTreeMap<i64, Vec<usize>>)> = BTreeMap::new();
        for (time, row) in table.in_order() {
            let bin = (time - self.start).div_euclid(step);
            let (dimension, id) = table.key(row);
            seen.entry(dimension).or_insert_with(|| (row, BTreeMap::new())).1.entry(bin).or_default().push(id);
        }
        let mut counts = Counts::default();
        for bin in 0..=bins {
            for (row, by_bin) in seen.values() {
                let window = by_bin.range(bin - span + 1..=bin).flat_map(|(_, ids)| ids);
                let ids: Vec<&usize> = window.collect();
                if !ids.is_empty() {
                    let distinct: HashSet<&usize> = ids.iter().copied().collect();
                    counts.push(self.start + bin * step, *row, &[ids.len() as i64, distinct.len() as i64]);
                }
            }
        }
        counts.made(columns, 2)
    }
}

/// `activity_counts_metrics(id, timeline, start, end, step, dimensions...)`: rows, ids, ids never seen before, and all ids so
/// far.
#[derive(Debug)]
pub struct ActivityCounts {
    pub start: i64,
    pub end: i64,
    pub step: i64,
}

impl WholeTable for ActivityCounts {
    fn make(&self, columns: &[ArrayRef], rows: usize) -> Result<Made, KernelError> {
        let table = Rows::of(columns, rows)?;
        let mut bins: BTreeMap<(i64, usize), (usize, Vec<usize>)> = BTreeMap::new();
        for (time, row) in table.in_order() {
            if time >= self.start && time <= self.end {
                let (dimension, id) = table.key(row);
                let bin = floor(time, self.start, self.step);
                bins.entry((bin, dimension)).or_insert_with(|| (row, Vec::new())).1.push(id);
            }
        }
        let mut known: HashMap<usize, HashSet<usize>> = HashMap::new();
        let mut counts = Counts::default();
        for ((bin, dimension), (row, ids)) in bins {
            let distinct: HashSet<usize> = ids.iter().copied().collect();
            let all = known.entry(dimension).or_default();
            let new = distinct.iter().filter(|id| all.insert(**id)).count();
            counts.push(bin, row, &[ids.len() as i64, distinct.len() as i64, new as i64, all.len() as i64]);
        }
        counts.made(columns, 4)
    }
}

/// `active_users_count(id, timeline, start, end, lookback, period, periods, bin, dimensions...)`: ids that were there in at
/// least `periods` periods of the `lookback` before an appearance.
#[derive(Debug)]
pub struct ActiveUsers {
    pub start: i64,
    pub end: i64,
    pub lookback: i64,
    pub period: i64,
    pub periods: i64,
    pub bin: i64,
}

impl WholeTable for ActiveUsers {
    fn make(&self, columns: &[ArrayRef], rows: usize) -> Result<Made, KernelError> {
        let table = Rows::of(columns, rows)?;
        let mut times: HashMap<(usize, usize), Vec<i64>> = HashMap::new();
        let mut bins: BTreeMap<(i64, usize), (usize, HashSet<usize>)> = BTreeMap::new();
        for (time, row) in table.in_order() {
            let (dimension, id) = table.key(row);
            let before = times.entry((dimension, id)).or_default();
            before.push(time);
            if time < self.start || time > self.end {
                continue;
            }
            let oldest = time - self.lookback;
            let periods: BTreeSet<i64> = before
                .iter()
                .rev()
                // The look-back begins just after: eight days before a day, the same hour counts no more.
                .take_while(|seen| **seen > oldest)
                .map(|seen| floor(*seen, 0, self.period))
                .collect();
            if periods.len() as i64 >= self.periods {
                let bin = floor(time, self.start, self.bin);
                bins.entry((bin, dimension)).or_insert_with(|| (row, HashSet::new())).1.insert(id);
            }
        }
        let mut counts = Counts::default();
        for ((bin, _), (row, ids)) in bins {
            counts.push(bin, row, &[ids.len() as i64]);
        }
        counts.made(columns, 1)
    }
}

/// `rolling_percentile(value, percentile, index, bin, bins, dimensions...)`: the percentile of the values of each bin and
/// those before it. Columns: value, index as its bin, dimensions.
#[derive(Debug)]
pub struct RollingPercentile {
    pub percentile: f64,
    /// In the units of [`scaled`] for a real index.
    pub bin: i64,
    pub bins: i64,
}

impl WholeTable for RollingPercentile {
    fn make(&self, columns: &[ArrayRef], rows: usize) -> Result<Made, KernelError> {
        let values = column(columns, 0)?;
        let table = Rows::of(columns, rows)?;
        let options = SortOptions { descending: false, nulls_first: true };
        let sorted =
            sort_to_indices(values, Some(options), None).map_err(|error| KernelError(format!("bug: {error}")))?;
        let mut ranks = vec![0_usize; rows];
        for (rank, row) in sorted.values().iter().enumerate() {
            if let Some(slot) = ranks.get_mut(*row as usize) {
                *slot = rank;
            }
        }
        let mut bins: BTreeMap<(i64, usize), Vec<(usize, usize)>> = BTreeMap::new();
        for (time, row) in table.in_order() {
            if values.is_valid(row) {
                let rank = ranks.get(row).copied().unwrap_or(0);
                bins.entry((time, table.dimension(row))).or_default().push((rank, row));
            }
        }
        let mut times = Vec::new();
        let mut shown: Vec<u32> = Vec::new();
        let mut chosen: Vec<u32> = Vec::new();
        for ((bin, dimension), first) in &bins {
            let oldest = bin.saturating_sub(self.bin.saturating_mul(self.bins - 1));
            let mut window: Vec<(usize, usize)> = bins
                .range((oldest, 0)..=(*bin, usize::MAX))
                .filter(|((_, other), _)| other == dimension)
                .flat_map(|(_, rows)| rows.iter().copied())
                .collect();
            let place = (self.percentile / 100.0 * window.len() as f64).ceil().max(1.0) as usize - 1;
            let place = place.min(window.len().saturating_sub(1));
            let (_, (_, row), _) = window.select_nth_unstable(place);
            times.push(*bin);
            chosen.push(*row as u32);
            shown.push(first.first().map_or(0, |(_, row)| *row as u32));
        }
        let mut output = vec![column_like(times, column(columns, 1)?.data_type())];
        for dimension in columns.get(2..).unwrap_or_default() {
            output.push(picked(dimension, shown.iter().map(|row| Some(*row)), is_text(dimension))?);
        }
        output.push(picked(values, chosen.iter().map(|row| Some(*row)), false)?);
        Ok(Made { rows: shown, columns: output })
    }
}

/// `sequence_detect(timeline, step span, whole span, conditions..., dimensions...)`: rows that satisfy the conditions one
/// after another. Columns: timeline, conditions, dimensions.
#[derive(Debug)]
pub struct SequenceDetect {
    pub conditions: usize,
    pub step_span: i64,
    pub whole_span: i64,
}

/// Sequences that one table may have.
const SEQUENCES_MAX: usize = 1_000_000;

impl WholeTable for SequenceDetect {
    fn make(&self, columns: &[ArrayRef], rows: usize) -> Result<Made, KernelError> {
        let timeline = column(columns, 0)?;
        let times = numbers(timeline);
        let given = columns.get(1 + self.conditions..).unwrap_or_default();
        let (parts, _) = numbered(given, rows)?;
        let mut order: Vec<(usize, i64, usize)> = times
            .iter()
            .zip(&parts)
            .enumerate()
            .filter_map(|(row, (time, part))| time.map(|time| (*part, time, row)))
            .collect();
        order.sort_unstable();
        let holds = |step: usize, row: usize| {
            let condition = columns.get(1 + step).and_then(|column| column.as_boolean_opt());
            condition.is_some_and(|condition| condition.is_valid(row) && condition.value(row))
        };
        let mut found: Vec<Vec<(i64, usize)>> = Vec::new();
        for part in order.chunk_by(|a, b| a.0 == b.0) {
            self.of_part(part, &holds, &mut found)?;
        }
        let mut output = Vec::new();
        let first = |sequence: &Vec<(i64, usize)>| sequence.first().map_or(0, |(_, row)| *row as u32);
        for dimension in given {
            output.push(picked(dimension, found.iter().map(|sequence| Some(first(sequence))), is_text(dimension))?);
        }
        for step in 0..self.conditions {
            let at = found.iter().map(|sequence| sequence.get(step).map(|(_, row)| *row as u32));
            output.push(picked(timeline, at, false)?);
        }
        let spans = found.iter().map(|sequence| match (sequence.first(), sequence.last()) {
            (Some((from, _)), Some((to, _))) => to - from,
            _ => 0,
        });
        output.push(column_like(spans.collect(), timeline.data_type()));
        Ok(Made { rows: found.iter().map(first).collect(), columns: output })
    }
}

impl SequenceDetect {
    /// The sequences among rows in time order.
    fn of_part(
        &self,
        part: &[(usize, i64, usize)],
        holds: &dyn Fn(usize, usize) -> bool,
        found: &mut Vec<Vec<(i64, usize)>>,
    ) -> Result<(), KernelError> {
        let mut open: Vec<(usize, Vec<(i64, usize)>)> = Vec::new();
        for (begin, (_, time, row)) in part.iter().enumerate() {
            if holds(0, *row) {
                open.push((begin, vec![(*time, *row)]));
            }
        }
        for step in 1..self.conditions {
            let mut longer = Vec::new();
            for (place, sequence) in &open {
                let (Some((start, _)), Some((last, _))) = (sequence.first(), sequence.last()) else { continue };
                for (next, (_, time, row)) in part.iter().enumerate().skip(place + 1) {
                    if time - last > self.step_span || time - start > self.whole_span {
                        break;
                    }
                    if holds(step, *row) {
                        let mut sequence = sequence.clone();
                        sequence.push((*time, *row));
                        longer.push((next, sequence));
                    }
                }
                if longer.len() > SEQUENCES_MAX {
                    return Err(KernelError(format!("sequence_detect: more than {SEQUENCES_MAX} sequences")));
                }
            }
            open = longer;
        }
        found.extend(open.into_iter().map(|(_, sequence)| sequence));
        Ok(())
    }
}

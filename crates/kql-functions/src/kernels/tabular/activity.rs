//! Plugins that compare who was active in one window of time with who was in another: engagement, retention, cohorts,
//! funnels.
//!
//! Times and windows are numbers in one unit, as in [`super::timeline`]. Columns come in the order id, timeline, dimensions;
//! each combination of dimensions is counted apart. Begin at [`Window`].

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, StringViewArray};
use kql_types::datetime::{self, Civil, TICKS_PER_DAY};

use super::super::KernelError;
use super::timeline::{BINS_MAX, Rows, column_like, floor};
use super::whole::{Made, WholeTable, column, is_text, picked};

/// How time is cut into windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Of one length, from the start of the analysis on.
    Length(i64),
    /// From Sunday on.
    Week,
    Month,
    Year,
}

impl Window {
    /// The beginning of the window that a time is in.
    fn of(self, time: i64, start: i64) -> i64 {
        let civil = Civil::of(time);
        match self {
            Window::Length(length) => floor(time, start, length),
            Window::Week => {
                time - time.rem_euclid(TICKS_PER_DAY) - datetime::day_of_week(time).saturating_mul(TICKS_PER_DAY)
            }
            Window::Month => Civil { day: 1, ..civil }.ticks().unwrap_or(time),
            Window::Year => Civil { day: 1, month: 1, ..civil }.ticks().unwrap_or(time),
        }
    }
}

/// Who was seen in each window, and a row that shows its dimensions: by dimensions, then by window.
type Seen = BTreeMap<usize, (usize, BTreeMap<i64, BTreeSet<usize>>)>;

fn seen(table: &Rows, span: (i64, i64), window: Window) -> Seen {
    let mut seen = Seen::new();
    for (time, row) in table.in_order() {
        if time >= span.0 && time <= span.1 {
            let (dimension, id) = table.key(row);
            let (_, windows) = seen.entry(dimension).or_insert_with(|| (row, BTreeMap::new()));
            windows.entry(window.of(time, span.0)).or_default().insert(id);
        }
    }
    seen
}

/// Columns of a result: times like the timeline, dimensions, then counts and rates.
#[derive(Default)]
struct Output {
    times: Vec<Vec<i64>>,
    rows: Vec<u32>,
    counts: Vec<Vec<i64>>,
    rates: Vec<Vec<f64>>,
}

impl Output {
    fn with(times: usize, counts: usize, rates: usize) -> Output {
        Output {
            times: vec![Vec::new(); times],
            rows: Vec::new(),
            counts: vec![Vec::new(); counts],
            rates: vec![Vec::new(); rates],
        }
    }

    fn push(&mut self, row: usize, times: &[i64], counts: &[i64], rates: &[f64]) {
        self.rows.push(row as u32);
        self.times.iter_mut().zip(times).for_each(|(column, value)| column.push(*value));
        self.counts.iter_mut().zip(counts).for_each(|(column, value)| column.push(*value));
        self.rates.iter_mut().zip(rates).for_each(|(column, value)| column.push(*value));
    }

    fn made(self, columns: &[ArrayRef]) -> Result<Made, KernelError> {
        let like = column(columns, 1)?.data_type().clone();
        let mut output: Vec<ArrayRef> = self.times.into_iter().map(|times| column_like(times, &like)).collect();
        for dimension in columns.get(2..).unwrap_or_default() {
            output.push(picked(dimension, self.rows.iter().map(|row| Some(*row)), is_text(dimension))?);
        }
        output.extend(self.counts.into_iter().map(|values| Arc::new(Int64Array::from(values)) as ArrayRef));
        output.extend(self.rates.into_iter().map(|values| Arc::new(Float64Array::from(values)) as ArrayRef));
        Ok(Made { rows: self.rows, columns: output })
    }
}

/// `activity_engagement(id, timeline, start, end, inner, outer, dimensions...)`: ids of each inner window beside those of
/// the outer window that ends with it.
#[derive(Debug)]
pub struct ActivityEngagement {
    pub span: (i64, i64),
    pub inner: i64,
    pub outer: i64,
}

impl WholeTable for ActivityEngagement {
    fn make(&self, columns: &[ArrayRef], rows: usize) -> Result<Made, KernelError> {
        let table = Rows::of(columns, rows)?;
        let back = self.outer.div_euclid(self.inner.max(1)).clamp(1, BINS_MAX) - 1;
        let mut output = Output::with(1, 2, 1);
        for (row, windows) in seen(&table, self.span, Window::Length(self.inner)).values() {
            for (window, inner) in windows {
                let oldest = window.saturating_sub(back.saturating_mul(self.inner));
                let outer: HashSet<usize> =
                    windows.range(oldest..=*window).flat_map(|(_, ids)| ids.iter().copied()).collect();
                let counts = [inner.len() as i64, outer.len() as i64];
                output.push(*row, &[*window], &counts, &[inner.len() as f64 / outer.len() as f64]);
            }
        }
        output.made(columns)
    }
}

/// `activity_metrics(id, timeline, start, end, window, dimensions...)`: ids of each window, those that the window before did
/// not have, and how many of that window's ids stayed or left.
#[derive(Debug)]
pub struct ActivityMetrics {
    pub span: (i64, i64),
    pub window: Window,
}

impl WholeTable for ActivityMetrics {
    fn make(&self, columns: &[ArrayRef], rows: usize) -> Result<Made, KernelError> {
        let table = Rows::of(columns, rows)?;
        let none = BTreeSet::new();
        let mut output = Output::with(1, 2, 2);
        for (row, windows) in seen(&table, self.span, self.window).values() {
            for (window, ids) in windows {
                let before = windows.get(&self.window.of(window - 1, self.span.0)).unwrap_or(&none);
                let new = ids.difference(before).count();
                let retention = (ids.len() - new) as f64 / before.len() as f64;
                output.push(*row, &[*window], &[ids.len() as i64, new as i64], &[retention, 1.0 - retention]);
            }
        }
        output.made(columns)
    }
}

/// `new_activity_metrics(id, timeline, start, end, window [, cohort], dimensions...)`: the ids that were new in a window, and
/// how many of them each later window has.
#[derive(Debug)]
pub struct NewActivityMetrics {
    pub span: (i64, i64),
    pub window: Window,
    /// Only the cohort of the window that this time is in.
    pub cohort: Option<i64>,
}

impl WholeTable for NewActivityMetrics {
    fn make(&self, columns: &[ArrayRef], rows: usize) -> Result<Made, KernelError> {
        let table = Rows::of(columns, rows)?;
        let wanted = self.cohort.map(|time| self.window.of(time, self.span.0));
        let mut output = Output::with(2, 3, 2);
        for (row, windows) in seen(&table, self.span, self.window).values() {
            let mut known: BTreeSet<usize> = BTreeSet::new();
            for (from, ids) in windows {
                let new: BTreeSet<usize> = ids.difference(&known).copied().collect();
                known.extend(ids);
                if new.is_empty() || wanted.is_some_and(|wanted| wanted != *from) {
                    continue;
                }
                for (to, later) in windows.range(from..) {
                    let stayed = new.intersection(later).count();
                    let counts = [new.len() as i64, stayed as i64, (new.len() - stayed) as i64];
                    let retention = stayed as f64 / new.len() as f64;
                    output.push(*row, &[*from, *to], &counts, &[retention, 1.0 - retention]);
                }
            }
        }
        output.made(columns)
    }
}

/// `funnel_sequence_completion(id, timeline, start, end, bin, state, sequence, periods)`: for each period and state of the
/// sequence, the ids that came so far within the period. Columns: id, timeline, state as text.
#[derive(Debug)]
pub struct FunnelCompletion {
    pub span: (i64, i64),
    pub bin: i64,
    pub sequence: Vec<String>,
    pub periods: Vec<i64>,
}

/// The time of an event, and the places of its state in the sequence.
type Event = (i64, Vec<usize>);

impl FunnelCompletion {
    /// How many states of the sequence one id went through, in its order and within a period. Events come in the order of
    /// time; others may stand between.
    fn reached(&self, events: &[Event], period: i64) -> usize {
        let mut best = 0;
        for (begin, (first, states)) in events.iter().enumerate() {
            if !states.contains(&0) {
                continue;
            }
            let mut reached = 1;
            for (time, states) in events.get(begin + 1..).unwrap_or_default() {
                if time - first > period || reached == self.sequence.len() {
                    break;
                }
                reached += usize::from(states.contains(&reached));
            }
            best = best.max(reached);
        }
        best
    }
}

impl WholeTable for FunnelCompletion {
    fn make(&self, columns: &[ArrayRef], rows: usize) -> Result<Made, KernelError> {
        let states = column(columns, 2)?.as_string_view_opt();
        let table = Rows::of(columns.get(..2).unwrap_or_default(), rows)?;
        // Places in the sequence of each state: one state may stand there twice.
        let places = |row: usize| -> Vec<usize> {
            let state = states.filter(|states| states.is_valid(row)).map_or("", |states| states.value(row));
            self.sequence.iter().enumerate().filter(|(_, name)| *name == state).map(|(place, _)| place).collect()
        };
        let mut bins: BTreeMap<i64, BTreeMap<usize, Vec<Event>>> = BTreeMap::new();
        for (time, row) in table.in_order() {
            let places = places(row);
            if time >= self.span.0 && time < self.span.1 && !places.is_empty() {
                let ids = bins.entry(floor(time, self.span.0, self.bin)).or_default();
                ids.entry(table.key(row).1).or_default().push((time, places));
            }
        }
        let (mut times, mut names, mut periods, mut counts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (bin, ids) in &bins {
            for period in &self.periods {
                let reached: Vec<usize> = ids.values().map(|events| self.reached(events, *period)).collect();
                for (place, name) in self.sequence.iter().enumerate() {
                    times.push(*bin);
                    names.push(name.as_str());
                    periods.push(*period);
                    counts.push(reached.iter().filter(|reached| **reached > place).count() as i64);
                }
            }
        }
        let made = vec![0; times.len()];
        let output: Vec<ArrayRef> = vec![
            column_like(times, column(columns, 1)?.data_type()),
            Arc::new(StringViewArray::from_iter_values(names)),
            Arc::new(Int64Array::from(periods)),
            Arc::new(Int64Array::from(counts)),
        ];
        Ok(Made { rows: made, columns: output })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::{Float64Type, Int64Type};

    fn longs(values: &[i64]) -> ArrayRef {
        Arc::new(Int64Array::from(values.to_vec()))
    }

    fn column_of(made: &Made, place: usize) -> Vec<i64> {
        made.columns[place].as_primitive::<Int64Type>().values().to_vec()
    }

    fn rates(made: &Made, place: usize) -> Vec<f64> {
        made.columns[place].as_primitive::<Float64Type>().values().to_vec()
    }

    /// Ids 1 and 2 in the first window of ten, 2 and 3 in the second, 1 in the fourth.
    fn visits() -> Vec<ArrayRef> {
        vec![longs(&[1, 2, 1, 2, 3, 1]), longs(&[0, 3, 9, 10, 15, 30])]
    }

    #[test]
    fn metrics_compare_with_the_window_before() {
        let made = ActivityMetrics { span: (0, 39), window: Window::Length(10) }.make(&visits(), 6).unwrap();
        assert_eq!(column_of(&made, 0), [0, 10, 30]);
        assert_eq!(column_of(&made, 1), [2, 2, 1]);
        assert_eq!(column_of(&made, 2), [2, 1, 1], "who was not in the window just before is new");
        let retention = rates(&made, 3);
        assert!(retention[0].is_nan() && retention[2].is_nan(), "nobody was there to stay");
        assert_eq!((retention[1], rates(&made, 4)[1]), (0.5, 0.5));
    }

    #[test]
    fn cohorts_are_who_was_never_seen() {
        let plugin = |cohort| NewActivityMetrics { span: (0, 39), window: Window::Length(10), cohort };
        let made = plugin(None).make(&visits(), 6).unwrap();
        assert_eq!(column_of(&made, 0), [0, 0, 0, 10, 10]);
        assert_eq!(column_of(&made, 1), [0, 10, 30, 10, 30]);
        assert_eq!(column_of(&made, 2), [2, 2, 2, 1, 1]);
        assert_eq!(column_of(&made, 3), [2, 1, 1, 1, 0]);
        assert_eq!(column_of(&made, 4), [0, 1, 1, 0, 1]);
        assert_eq!(rates(&made, 5), [1.0, 0.5, 0.5, 1.0, 0.0]);
        assert_eq!(column_of(&plugin(Some(12)).make(&visits(), 6).unwrap(), 0), [10, 10]);
    }

    #[test]
    fn engagement_looks_back() {
        let made = ActivityEngagement { span: (0, 39), inner: 10, outer: 20 }.make(&visits(), 6).unwrap();
        assert_eq!(column_of(&made, 1), [2, 2, 1]);
        assert_eq!(column_of(&made, 2), [2, 3, 1]);
        assert_eq!(rates(&made, 3), [1.0, 2.0 / 3.0, 1.0]);
    }

    #[test]
    fn funnels_count_who_came_how_far() {
        let states: ArrayRef = Arc::new(StringViewArray::from(vec!["a", "b", "c", "a", "x", "b", "b", "a"]));
        let columns = [longs(&[1, 1, 1, 2, 2, 2, 3, 3]), longs(&[0, 2, 9, 0, 1, 8, 0, 1]), states];
        let sequence = vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let plugin = FunnelCompletion { span: (0, 100), bin: 100, sequence, periods: vec![2, 9] };
        let made = plugin.make(&columns, 8).unwrap();
        assert_eq!(column_of(&made, 2), [2, 2, 2, 9, 9, 9]);
        assert_eq!(column_of(&made, 3), [3, 1, 0, 3, 2, 1]);
    }

    #[test]
    fn windows_of_the_calendar() {
        let time = datetime::parse("2026-03-18 10:00").unwrap();
        let begins = |window: Window| datetime::format(window.of(time, 0));
        assert_eq!(begins(Window::Week), "2026-03-15T00:00:00.0000000Z");
        assert_eq!(begins(Window::Month), "2026-03-01T00:00:00.0000000Z");
        assert_eq!(begins(Window::Year), "2026-01-01T00:00:00.0000000Z");
    }
}

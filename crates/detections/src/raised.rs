//! Which rows of which runs become alerts: each row once, however many runs see it.
//!
//! Runs come oldest first. A row that a run with an overlapping window had already raised is counted, not raised again.
//! Start at [`Raised::take`].

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;

use engine::RowSources;
use kql_types::Column;

use crate::alert::{self, Alert, AlertRow};
use crate::rule::AnalyticsRule;
use crate::run_groups::{self, Stretch};
use crate::schedule::{Run, Schedule};

/// The alerts of a rule so far.
pub(crate) struct Raised<'a> {
    rule: &'a AnalyticsRule,
    pub schedule: Schedule,
    pub alerts: Vec<Alert>,
    /// Rows raised.
    pub rows: u64,
    /// Rows already raised, by their key.
    seen: HashMap<String, Seen>,
    /// The alert of the last runs that fired without rows, and the index of the last of them.
    on_nothing: Option<(usize, u64)>,
    /// A table was not loaded: that a result is small says nothing.
    blind: bool,
}

struct Seen {
    last_query_now: i64,
    alert: usize,
    sources: RowSources,
}

/// Whether all tables of a rule have rows at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TablesLoaded {
    All,
    NotAll,
}

impl<'a> Raised<'a> {
    pub fn new(rule: &'a AnalyticsRule, schedule: Schedule, loaded: TablesLoaded) -> Raised<'a> {
        let blind = rule.fires_on_nothing() && loaded == TablesLoaded::NotAll;
        Raised { rule, schedule, alerts: Vec::new(), rows: 0, seen: HashMap::new(), on_nothing: None, blind }
    }

    /// Whether a run with so many rows fires.
    pub fn fires(&self, rows: u64) -> bool {
        !self.blind && self.rule.fires(rows)
    }

    /// Whether the records behind these rows are needed: for rows to be raised, and where they decide if a row is new.
    pub fn wants_sources(&self, run: Run, rows: &[AlertRow]) -> bool {
        rows.iter().any(|row| {
            let key = alert::row_key(&row.values);
            self.is_new(&key, run, None)
                || self.seen.get(&key).is_some_and(|seen| seen.last_query_now == run.window_from)
        })
    }

    /// Takes the rows of neighbouring runs that fire and all have this result.
    pub fn take(&mut self, runs: Range<u64>, columns: &[Column], rows: Vec<AlertRow>) {
        let first = self.schedule.run(runs.start);
        let last_now = self.schedule.run(runs.end.saturating_sub(1)).query_now;
        let length = runs.end - runs.start;
        if rows.is_empty() {
            self.take_nothing(runs, columns);
            return;
        }
        let mut new_rows = Vec::new();
        let mut repeated: Vec<usize> = Vec::new();
        let mut repeated_rows = 0;
        for row in rows {
            let key = alert::row_key(&row.values);
            if self.is_new(&key, first, Some(&row.sources)) {
                new_rows.push(row);
            } else if let Some(seen) = self.seen.get_mut(&key) {
                seen.last_query_now = last_now;
                repeated.push(seen.alert);
                repeated_rows += 1;
            }
        }
        repeated.sort_unstable();
        repeated.dedup();
        for index in repeated {
            if let Some(alert) = self.alerts.get_mut(index) {
                alert.runs += length;
                alert.last_query_now = last_now;
            }
        }
        if !new_rows.is_empty() {
            self.raise(columns, new_rows, repeated_rows, first, length, last_now);
        }
    }

    /// A row is new unless a run whose window overlaps this one's had it. Where the windows only touch, the records
    /// behind the row decide.
    fn is_new(&self, key: &str, run: Run, sources: Option<&RowSources>) -> bool {
        let Some(seen) = self.seen.get(key) else { return true };
        match seen.last_query_now.cmp(&run.window_from) {
            Ordering::Greater => false,
            Ordering::Less => true,
            Ordering::Equal => sources.is_some_and(|sources| sources.places.is_empty() || *sources != seen.sources),
        }
    }

    fn raise(
        &mut self,
        columns: &[Column],
        rows: Vec<AlertRow>,
        repeated_rows: u64,
        run: Run,
        runs: u64,
        last_now: i64,
    ) {
        self.rows += rows.len() as u64;
        for mut alert in alert::alerts_of_run(self.rule, columns, rows, repeated_rows, run) {
            alert.runs = runs;
            alert.last_query_now = last_now;
            let index = self.alerts.len();
            for row in &alert.rows {
                let seen = Seen { last_query_now: last_now, alert: index, sources: row.sources.clone() };
                self.seen.insert(alert::row_key(&row.values), seen);
            }
            self.alerts.push(alert);
        }
    }

    /// Runs that fire because there is nothing: neighbouring ones are one alert.
    fn take_nothing(&mut self, runs: Range<u64>, columns: &[Column]) {
        let last_now = self.schedule.run(runs.end.saturating_sub(1)).query_now;
        let length = runs.end - runs.start;
        if let Some((index, last_run)) = self.on_nothing
            && last_run + 1 == runs.start
            && let Some(alert) = self.alerts.get_mut(index)
        {
            alert.runs += length;
            alert.last_query_now = last_now;
            alert.end_time = last_now;
            self.on_nothing = Some((index, runs.end - 1));
            return;
        }
        let index = self.alerts.len();
        for mut alert in alert::alerts_of_run(self.rule, columns, Vec::new(), 0, self.schedule.run(runs.start)) {
            alert.runs = length;
            alert.last_query_now = last_now;
            alert.end_time = last_now;
            self.alerts.push(alert);
        }
        self.on_nothing = Some((index, runs.end - 1));
    }

    /// Gives the rows of a single pass to the runs that see them; `rows` come with these runs. Returns how many runs
    /// saw rows and how many saw none.
    pub fn take_single_pass(&mut self, columns: &[Column], rows: &[(Range<u64>, AlertRow)]) -> (u64, u64) {
        let stretch = |index: &usize| rows.get(*index).map_or(0..0, |(stretch, _)| stretch.clone());
        let mut by_start: Vec<usize> = (0..rows.len()).collect();
        by_start.sort_by_key(|index| stretch(index).start);
        let mut next = 0;
        // Rows that some run saw and none has raised yet.
        let mut pending: Vec<usize> = Vec::new();
        let (mut with_rows, mut without) = (0, 0);
        let stretches = rows.iter().map(|(stretch, _)| Stretch { runs: stretch.clone(), counts: true });
        for group in run_groups::group(&self.schedule, stretches) {
            let length = group.runs.end - group.runs.start;
            *if group.visible == 0 { &mut without } else { &mut with_rows } += length;
            while let Some(index) = by_start.get(next).filter(|index| stretch(index).start <= group.runs.start) {
                pending.push(*index);
                next += 1;
            }
            pending.retain(|index| stretch(index).end > group.runs.start);
            if !self.fires(group.visible) {
                continue;
            }
            if group.visible == 0 {
                self.take_nothing(group.runs, columns);
            } else if !pending.is_empty() {
                pending.sort_unstable();
                let end = pending.iter().map(|index| stretch(index).end).max().unwrap_or(group.runs.end);
                let new: Vec<AlertRow> =
                    pending.drain(..).filter_map(|index| rows.get(index)).map(|(_, row)| row.clone()).collect();
                let repeated = group.visible.saturating_sub(new.len() as u64);
                let last_now = self.schedule.run(end.saturating_sub(1)).query_now;
                let first = self.schedule.run(group.runs.start);
                self.raise(columns, new, repeated, first, end - group.runs.start, last_now);
            }
        }
        (with_rows, without)
    }
}

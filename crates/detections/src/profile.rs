//! What is in the data, as the schedule and the states of rules need it: rows and times of each table.

use std::collections::BTreeMap;

use connectors::LoadReport;

use crate::schedule::TimeSpan;

/// The rows of one table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TableProfile {
    pub rows: u64,
    /// First and last plausible time.
    pub span: Option<TimeSpan>,
    /// Rows by hour (ticks of the hour's start); empty when not counted.
    pub hours: BTreeMap<i64, u64>,
}

/// All tables that have rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DataProfile {
    pub tables: BTreeMap<String, TableProfile>,
}

const HOUR: i64 = 3600 * kql_types::datetime::TICKS_PER_SECOND;

impl DataProfile {
    /// Takes what the connectors counted while loading.
    pub fn of_load(report: &LoadReport) -> DataProfile {
        let tables = report.tables.iter().map(|(name, table)| {
            let span = table.first.zip(table.last).map(|(first, last)| TimeSpan { first, last });
            (name.clone(), TableProfile { rows: table.rows, span, hours: table.hours.clone() })
        });
        DataProfile { tables: tables.collect() }
    }

    /// Adds the rows of another load.
    pub fn add(&mut self, other: DataProfile) {
        for (name, table) in other.tables {
            let known = self.tables.entry(name).or_default();
            known.rows += table.rows;
            known.span = match (known.span, table.span) {
                (Some(a), Some(b)) => Some(TimeSpan { first: a.first.min(b.first), last: a.last.max(b.last) }),
                (a, b) => a.or(b),
            };
            for (hour, rows) in table.hours {
                *known.hours.entry(hour).or_default() += rows;
            }
        }
    }

    /// First and last plausible time of the tables for which `counts` holds.
    pub fn span(&self, counts: impl Fn(&str) -> bool) -> Option<TimeSpan> {
        let spans = self.tables.iter().filter(|(name, _)| counts(name)).filter_map(|(_, table)| table.span);
        spans.reduce(|a, b| TimeSpan { first: a.first.min(b.first), last: a.last.max(b.last) })
    }

    pub fn rows(&self, table: &str) -> u64 {
        self.tables.get(table).map_or(0, |profile| profile.rows)
    }

    /// Whether a table has a row in a span of time. With hours counted it is exact to the hour at either end.
    pub fn has_rows_in(&self, table: &str, seen: TimeSpan) -> bool {
        let Some(profile) = self.tables.get(table) else { return false };
        let Some(span) = profile.span else { return false };
        if span.last < seen.first || span.first > seen.last {
            return false;
        }
        let inside = |time: i64| time >= seen.first && time <= seen.last;
        if profile.hours.is_empty() || inside(span.first) || inside(span.last) {
            return true;
        }
        profile.hours.range(seen.first.saturating_sub(HOUR - 1)..=seen.last).any(|(_, rows)| *rows > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_in_the_data_has_no_rows() {
        let hours = BTreeMap::from([(0, 5), (100 * HOUR, 5)]);
        let span = Some(TimeSpan { first: 10, last: 100 * HOUR + 7 });
        let tables = BTreeMap::from([("T".to_string(), TableProfile { rows: 10, span, hours })]);
        let profile = DataProfile { tables };
        let seen = |from: i64, to: i64| profile.has_rows_in("T", TimeSpan { first: from * HOUR, last: to * HOUR });
        assert!(seen(0, 1) && seen(0, 200) && seen(99, 100));
        assert!(!seen(50, 60) && !seen(101, 200));
        assert!(!profile.has_rows_in("U", TimeSpan { first: 0, last: HOUR }));
        assert_eq!(profile.span(|_| true), span);
    }
}

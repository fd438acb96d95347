//! When a rule runs, and which events each run sees: arithmetic over ticks, no clock.
//!
//! A schedule is a row of equally spaced moments that ends at the end of the data. The windows of the runs together
//! cover every event between the first and the last, so nothing in the data is left unread. Start at [`Schedule::new`].

use kql_types::datetime::TICKS_PER_SECOND;

use crate::rule::{AnalyticsRule, RuleKind};

/// A span of time with both ends, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeSpan {
    pub first: i64,
    pub last: i64,
}

/// How a hunt moves through the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Each rule on its own schedule; `from` and `to` bound the moments of the runs, not the events they see.
    Sweep { from: Option<i64>, to: Option<i64> },
    /// One run of each rule, as of a moment (default: the end of the data).
    Once { as_of: Option<i64> },
}

/// What one run of a query may see of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Events of the last so many ticks before the run.
    Period(i64),
    /// Everything up to the run: a hunting query with time filters of its own.
    Everything,
}

/// One run: its clock, and the window of events it sees. Both ends of the window are included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub query_now: i64,
    pub window_from: i64,
    /// Where the stretch of time begins that this run is about: the window, or the range of a hunting query that sees
    /// everything before.
    pub shown_from: i64,
}

/// Equally spaced runs, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// `query_now` of the last run.
    pub end: i64,
    pub step: i64,
    pub count: u64,
    pub reach: Reach,
}

/// The moment a run "at the end of the data" takes place: the first full second after the last event, so that a
/// strict `TimeGenerated < now()` sees it as well.
pub fn clock_after(last: i64) -> i64 {
    (last.max(0) / TICKS_PER_SECOND + 1) * TICKS_PER_SECOND
}

impl Schedule {
    /// The runs of a rule over data of this span. `range` is the length of a hunting query's range;
    /// `own_time_filter` says that a hunting query bounds its time itself.
    pub fn new(rule: &AnalyticsRule, mode: Mode, data: TimeSpan, range: i64, own_time_filter: bool) -> Schedule {
        let (step, reach) = match rule.kind {
            RuleKind::Scheduled | RuleKind::Nrt => (rule.query_frequency, Reach::Period(rule.query_period)),
            RuleKind::Hunting if own_time_filter => (range, Reach::Everything),
            RuleKind::Hunting => (range, Reach::Period(range)),
        };
        let step = step.max(TICKS_PER_SECOND);
        match mode {
            Mode::Once { as_of } => {
                Schedule { end: as_of.unwrap_or_else(|| clock_after(data.last)), step, count: 1, reach }
            }
            Mode::Sweep { from, to } => {
                let end = to.unwrap_or_else(|| clock_after(data.last));
                // A run before the first event sees nothing; with a frequency longer than the span one run remains.
                let oldest = from.unwrap_or(data.first).max(data.first);
                let count = if end < oldest { 0 } else { (end - oldest) / step + 1 };
                Schedule { end, step, count: count.max(0) as u64, reach }
            }
        }
    }

    /// The run with this index, 0 being the oldest.
    pub fn run(&self, index: u64) -> Run {
        let back = (self.count.saturating_sub(1)).saturating_sub(index) as i64;
        let query_now = self.end.saturating_sub(back.saturating_mul(self.step));
        let (window_from, shown_from) = match self.reach {
            Reach::Period(period) => {
                let from = query_now.saturating_sub(period).max(0);
                (from, from)
            }
            Reach::Everything => (0, query_now.saturating_sub(self.step).max(0)),
        };
        Run { query_now, window_from, shown_from }
    }

    /// The indexes of the runs with `low <= query_now <= high`, as a half-open range.
    pub fn runs_between(&self, low: i64, high: i64) -> std::ops::Range<u64> {
        let Some(newest) = self.count.checked_sub(1) else { return 0..0 };
        let oldest_now = self.run(0).query_now;
        if high < low || high < oldest_now || low > self.end {
            return 0..0;
        }
        let first = if low <= oldest_now { 0 } else { ((low - oldest_now) as u64).div_ceil(self.step as u64) };
        let last = if high >= self.end { newest } else { (high - oldest_now) as u64 / self.step as u64 };
        if first > last { 0..0 } else { first..last + 1 }
    }

    /// The span of events that the runs see together; None without runs.
    pub fn seen(&self) -> Option<TimeSpan> {
        (self.count > 0).then(|| TimeSpan { first: self.run(0).window_from, last: self.end })
    }
}

#[cfg(test)]
mod tests {
    use kql_types::datetime::TICKS_PER_DAY;

    use super::*;
    use crate::duration::parse;
    use crate::rule_file::{Expectation, FileContent, read};

    fn rule(frequency: &str, period: &str) -> AnalyticsRule {
        let text = format!("id: a\nname: a\nqueryFrequency: {frequency}\nqueryPeriod: {period}\nquery: T\n");
        match read("a.yaml", &text, Expectation::Rule) {
            FileContent::Rule(rule) => *rule,
            other => panic!("{other:?}"),
        }
    }

    const SWEEP: Mode = Mode::Sweep { from: None, to: None };

    fn day(n: i64) -> i64 {
        700_000 * TICKS_PER_DAY + n * TICKS_PER_DAY
    }

    /// Every event of the span is in the window of a run, and no run is superfluous.
    #[test]
    fn a_sweep_covers_every_event() {
        for (frequency, period) in
            [("1d", "1d"), ("1h", "14d"), ("5m", "5m"), ("1h", "2h"), ("7d", "7d"), ("14d", "14d")]
        {
            for span in [0, 1, 3_600, 86_399, 86_400, 86_401, 864_000] {
                let data = TimeSpan { first: day(0), last: day(0) + span * TICKS_PER_SECOND };
                let schedule = Schedule::new(&rule(frequency, period), SWEEP, data, TICKS_PER_DAY, false);
                let seen = schedule.seen().unwrap();
                assert!(seen.first <= data.first && seen.last > data.last, "{frequency} {period} {span}");
                let oldest = schedule.run(0);
                assert!(oldest.query_now >= data.first, "{frequency} {period} {span}: a run before the first event");
                for index in 1..schedule.count.min(500) {
                    let (a, b) = (schedule.run(index - 1), schedule.run(index));
                    assert!(b.window_from <= a.query_now, "a hole between runs");
                }
            }
        }
    }

    #[test]
    fn data_shorter_than_the_period_is_one_run() {
        let data = TimeSpan { first: day(0), last: day(0) + 7200 * TICKS_PER_SECOND };
        let schedule = Schedule::new(&rule("1d", "1d"), SWEEP, data, TICKS_PER_DAY, false);
        assert_eq!(schedule.count, 1);
    }

    #[test]
    fn runs_between_agrees_with_looking_at_each_run() {
        let data = TimeSpan { first: day(0), last: day(3) };
        let schedule = Schedule::new(&rule("1h", "4h"), SWEEP, data, TICKS_PER_DAY, false);
        let hour = parse("1h").unwrap();
        for low in [day(-1), day(0), day(1) + 7, day(2), day(3), day(4)] {
            for length in [0, 1, hour / 2, hour, 5 * hour, 1000 * hour] {
                let expected: Vec<u64> = (0..schedule.count)
                    .filter(|k| (low..=low + length).contains(&schedule.run(*k).query_now))
                    .collect();
                let got: Vec<u64> = schedule.runs_between(low, low + length).collect();
                assert_eq!(got, expected, "{low} {length}");
            }
        }
    }

    #[test]
    fn from_and_to_bound_the_runs_and_not_the_look_back() {
        let data = TimeSpan { first: day(0), last: day(30) };
        let mode = Mode::Sweep { from: Some(day(10)), to: Some(day(12)) };
        let schedule = Schedule::new(&rule("1d", "14d"), mode, data, TICKS_PER_DAY, false);
        let nows: Vec<i64> = (0..schedule.count).map(|k| schedule.run(k).query_now).collect();
        assert_eq!(nows, [day(10), day(11), day(12)]);
        assert_eq!(schedule.run(0).window_from, day(-4));
    }

    #[test]
    fn hunting_ranges_tile_the_span() {
        let FileContent::Rule(rule) = read("a.kql", "T", Expectation::Rule) else { panic!() };
        let data = TimeSpan { first: day(0), last: day(3) - 1 };
        let schedule = Schedule::new(&rule, SWEEP, data, TICKS_PER_DAY, false);
        assert_eq!(schedule.count, 4);
        assert_eq!(schedule.run(3).shown_from, schedule.run(2).query_now);
        let whole = Schedule::new(&rule, SWEEP, data, TICKS_PER_DAY, true);
        assert_eq!(whole.run(0).window_from, 0);
    }
}

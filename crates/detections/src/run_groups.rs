//! Which runs of a schedule see the same rows.
//!
//! Every row is visible to a contiguous stretch of runs. Between two neighbouring ends of such stretches nothing
//! changes, so these runs form a group. Start at [`group`].

use crate::query_shape::Leaf;
use crate::schedule::{Reach, Schedule};

/// Neighbouring runs that see the same rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunGroup {
    /// Indexes of runs.
    pub runs: std::ops::Range<u64>,
    /// Rows of events that these runs see.
    pub visible: u64,
    /// Groups of one epoch see the same reference data.
    pub epoch: u64,
}

/// What a row's own times say of the runs that see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowTimes {
    /// `TimeGenerated`.
    pub time: i64,
    /// The first and the last clock at which bounds on other times let it through.
    pub from: i64,
    pub until: i64,
}

/// The runs that see a row through this leaf.
pub fn runs_seeing(schedule: &Schedule, leaf: &Leaf, row: RowTimes) -> std::ops::Range<u64> {
    let (reach, newest) = match schedule.reach {
        _ if leaf.always_visible => (i64::MIN, i64::MAX),
        Reach::Period(period) => (period.saturating_neg(), 0),
        Reach::Everything => (i64::MIN, 0),
    };
    // now + low <= time <= now + high, and the window: now - period <= time <= now.
    let low = leaf.low.unwrap_or(i64::MIN).max(reach);
    let high = leaf.high.unwrap_or(newest).min(newest);
    if low > high {
        return 0..0;
    }
    let first = row.time.saturating_sub(high).max(row.from);
    let last = row.time.saturating_sub(low).min(row.until);
    schedule.runs_between(first, last)
}

/// The runs that see a row, and whether it counts as visible: reference data is no reason to run a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    pub runs: std::ops::Range<u64>,
    pub counts: bool,
}

/// Groups all runs of a schedule by the rows they see.
pub fn group(schedule: &Schedule, stretches: impl Iterator<Item = Stretch>) -> Vec<RunGroup> {
    // Where, how many more rows of events, whether reference data changes.
    let mut ends: Vec<(u64, i64, bool)> = Vec::new();
    for stretch in stretches.filter(|stretch| !stretch.runs.is_empty()) {
        let weight = i64::from(stretch.counts);
        ends.push((stretch.runs.start, weight, !stretch.counts));
        ends.push((stretch.runs.end, -weight, !stretch.counts));
    }
    ends.sort_unstable();
    let mut groups = Vec::new();
    let (mut start, mut visible, mut epoch) = (0_u64, 0_i64, 0_u64);
    let mut index = 0;
    while let Some((at, ..)) = ends.get(index) {
        let at = *at;
        if at > start {
            groups.push(RunGroup { runs: start..at, visible: visible.max(0) as u64, epoch });
            start = at;
        }
        let mut reference_changes = false;
        while let Some((_, change, reference)) = ends.get(index).filter(|(end, ..)| *end == at) {
            visible += change;
            reference_changes |= reference;
            index += 1;
        }
        epoch += u64::from(reference_changes);
    }
    if start < schedule.count {
        groups.push(RunGroup { runs: start..schedule.count, visible: 0, epoch });
    }
    groups
}

#[cfg(test)]
mod tests {
    use kql_types::datetime::TICKS_PER_DAY;

    use super::*;

    fn schedule() -> Schedule {
        Schedule { end: 100 * TICKS_PER_DAY, step: TICKS_PER_DAY, count: 30, reach: Reach::Period(2 * TICKS_PER_DAY) }
    }

    fn leaf(low: Option<i64>, high: Option<i64>) -> Leaf {
        Leaf { table: "T".to_string(), low, high, unfiltered: true, always_visible: false }
    }

    #[test]
    fn other_times_narrow_the_runs() {
        let schedule = schedule();
        let time = 90 * TICKS_PER_DAY - 3;
        let row = |from, until| runs_seeing(&schedule, &leaf(None, None), RowTimes { time, from, until });
        assert_eq!(row(i64::MIN, i64::MAX), 19..21);
        assert_eq!(row(91 * TICKS_PER_DAY, i64::MAX), 20..21);
        assert_eq!(row(i64::MIN, 90 * TICKS_PER_DAY), 19..20);
        assert!(row(99 * TICKS_PER_DAY, i64::MAX).is_empty());
    }

    #[test]
    fn reference_rows_are_bounded_by_the_query_alone() {
        let schedule = schedule();
        let seen = |low, high, time| {
            let leaf = Leaf { always_visible: true, ..leaf(low, high) };
            runs_seeing(&schedule, &leaf, RowTimes { time, from: i64::MIN, until: i64::MAX })
        };
        assert_eq!(seen(None, None, 0), 0..30);
        assert_eq!(seen(None, None, 500 * TICKS_PER_DAY), 0..30);
        assert_eq!(seen(Some(-5 * TICKS_PER_DAY), None, 80 * TICKS_PER_DAY), 0..15);
        assert_eq!(seen(None, Some(-TICKS_PER_DAY), 80 * TICKS_PER_DAY), 10..30);
        let one = Stretch { runs: 5..30, counts: false };
        let groups = group(&schedule, std::iter::once(one));
        assert_eq!(
            groups,
            [RunGroup { runs: 0..5, visible: 0, epoch: 0 }, RunGroup { runs: 5..30, visible: 0, epoch: 1 }]
        );
    }

    /// Groups and stretches agree with asking every run about every row.
    #[test]
    fn groups_agree_with_looking_at_each_run() {
        let schedule = schedule();
        let leaves = [
            leaf(None, None),
            leaf(Some(-TICKS_PER_DAY), None),
            leaf(Some(-TICKS_PER_DAY + 1), Some(-5)),
            leaf(Some(-9 * TICKS_PER_DAY), Some(TICKS_PER_DAY)),
            leaf(Some(5), None),
        ];
        let times = [60, 71, 72, 80, 80, 99, 100, 101].map(|day| day * TICKS_PER_DAY - 3).into_iter();
        let times: Vec<i64> = times.chain([85 * TICKS_PER_DAY]).collect();
        for leaf in &leaves {
            let groups = group(
                &schedule,
                times.iter().map(|time| {
                    let row = RowTimes { time: *time, from: i64::MIN, until: i64::MAX };
                    Stretch { runs: runs_seeing(&schedule, leaf, row), counts: true }
                }),
            );
            assert_eq!(groups.first().unwrap().runs.start, 0);
            assert_eq!(groups.last().unwrap().runs.end, schedule.count);
            for pair in groups.windows(2) {
                assert_eq!(pair[0].runs.end, pair[1].runs.start);
            }
            for group in groups {
                for index in group.runs {
                    let run = schedule.run(index);
                    let seen = times.iter().filter(|time| {
                        let distance = **time - run.query_now;
                        (-2 * TICKS_PER_DAY..=0).contains(&distance)
                            && leaf.low.is_none_or(|low| distance >= low)
                            && leaf.high.is_none_or(|high| distance <= high)
                    });
                    assert_eq!(seen.count() as u64, group.visible, "{leaf:?} run {index}");
                }
            }
        }
    }
}

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
    /// Rows of the leaves that these runs see.
    pub visible: u64,
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
    let reach = match schedule.reach {
        Reach::Period(period) => period.saturating_neg(),
        Reach::Everything => i64::MIN,
    };
    // now + low <= time <= now + high, and the window: now - period <= time <= now.
    let low = leaf.low.unwrap_or(i64::MIN).max(reach);
    let high = leaf.high.unwrap_or(0).min(0);
    if low > high {
        return 0..0;
    }
    let first = row.time.saturating_sub(high).max(row.from);
    let last = row.time.saturating_sub(low).min(row.until);
    schedule.runs_between(first, last)
}

/// Groups all runs of a schedule by the rows they see: `stretches` has the runs that see each row.
pub fn group(schedule: &Schedule, stretches: impl Iterator<Item = std::ops::Range<u64>>) -> Vec<RunGroup> {
    let mut ends: Vec<(u64, i64)> = Vec::new();
    for stretch in stretches.filter(|stretch| !stretch.is_empty()) {
        ends.push((stretch.start, 1));
        ends.push((stretch.end, -1));
    }
    ends.sort_unstable();
    let mut groups = Vec::new();
    let mut start = 0_u64;
    let mut visible = 0_i64;
    let mut index = 0;
    while let Some((at, _)) = ends.get(index) {
        let at = *at;
        if at > start {
            groups.push(RunGroup { runs: start..at, visible: visible.max(0) as u64 });
            start = at;
        }
        while let Some((_, change)) = ends.get(index).filter(|(end, _)| *end == at) {
            visible += change;
            index += 1;
        }
    }
    if start < schedule.count {
        groups.push(RunGroup { runs: start..schedule.count, visible: 0 });
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
        Leaf { table: "T".to_string(), low, high, unfiltered: true }
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
                    runs_seeing(&schedule, leaf, row)
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

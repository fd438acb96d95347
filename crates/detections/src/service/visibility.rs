//! Which rows the runs of a rule see, as the runs go by: a row enters once, leaves once, and is not looked at in between.
//!
//! A run sees a row when the run's clock lies in a stretch and the row had arrived when the run started. Both the clock and
//! the start only grow from run to run. Start at [`Sliding::advance`].

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use kql_types::Value;

use super::clock::ServiceRun;
use crate::query_shape::{CARRIED, Leaf};
use crate::rule::{AnalyticsRule, RuleKind};

/// A near-real-time run sees what arrived in so many ticks.
const MINUTE: i64 = 60 * kql_types::datetime::TICKS_PER_SECOND;

/// The runs that see a row: their clock lies between (both ends included), and the row has arrived when they start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visible {
    pub from: i64,
    pub until: i64,
    pub arrives: i64,
}

impl Visible {
    /// Seen by every run.
    pub const ALWAYS: Visible = Visible { from: i64::MIN, until: i64::MAX, arrives: i64::MIN };

    /// Whether a run sees it.
    pub fn to(self, run: &ServiceRun) -> bool {
        (self.from..=self.until).contains(&run.query_now) && self.arrives <= run.starts_at
    }

    /// Seen only by the runs that see both.
    pub fn and(self, other: Visible) -> Visible {
        Visible {
            from: self.from.max(other.from),
            until: self.until.min(other.until),
            arrives: self.arrives.max(other.arrives),
        }
    }

    /// What the columns of [`CARRIED`] say of the rows behind a result row, and whether any of them is an event; None where
    /// no run sees it.
    pub(crate) fn of_carried(rule: &AnalyticsRule, leaves: &[Leaf], carried: &[Value]) -> Option<(Visible, bool)> {
        let mut all = Visible::ALWAYS;
        let mut events = false;
        for row in carried.chunks(CARRIED) {
            let (visible, is_event) = of_row(rule, leaves, row)?;
            all = all.and(visible);
            events |= is_event;
        }
        (all.from <= all.until).then_some((all, events))
    }
}

fn of_row(rule: &AnalyticsRule, leaves: &[Leaf], carried: &[Value]) -> Option<(Visible, bool)> {
    let [Value::DateTime(time), Value::Long(leaf), from, until, arrived] = carried else { return None };
    let moment = |value: &Value| match value {
        Value::DateTime(ticks) => Some(*ticks),
        _ => None,
    };
    let leaf = leaves.get(usize::try_from(*leaf).ok()?)?;
    let mut visible =
        Visible { from: moment(from).unwrap_or(i64::MIN), until: moment(until).unwrap_or(i64::MAX), arrives: i64::MIN };
    let mut distance = |low: Option<i64>, high: Option<i64>| {
        // now + low <= time <= now + high
        visible.from = visible.from.max(high.map_or(i64::MIN, |high| time.saturating_sub(high)));
        visible.until = visible.until.min(low.map_or(i64::MAX, |low| time.saturating_sub(low)));
    };
    distance(leaf.low, leaf.high);
    if !leaf.always_visible {
        match rule.kind {
            RuleKind::Nrt => {
                if let Some(arrived) = moment(arrived) {
                    visible.from = visible.from.max(arrived);
                    visible.until = visible.until.min(arrived.saturating_add(MINUTE - 1));
                }
            }
            RuleKind::Scheduled | RuleKind::Hunting => {
                distance(Some(rule.query_period.saturating_neg()), Some(0));
                visible.arrives = moment(arrived).unwrap_or(i64::MIN);
            }
        }
    }
    Some((visible, !leaf.always_visible))
}

/// Rows, and which of them the last run saw.
#[derive(Debug, Clone, Default)]
pub struct Sliding {
    rows: Vec<Visible>,
    /// (first clock, row), the earliest last.
    waiting: Vec<(i64, usize)>,
    /// Rows whose stretch has begun and that have not arrived: (arrival, row), earliest first.
    late: BinaryHeap<Reverse<(i64, usize)>>,
    /// Visible rows: (last clock, row), earliest first.
    leaving: BinaryHeap<Reverse<(i64, usize)>>,
    visible: BTreeSet<usize>,
}

impl Sliding {
    pub fn new(rows: Vec<Visible>) -> Sliding {
        let mut waiting: Vec<(i64, usize)> = rows.iter().enumerate().map(|(row, v)| (v.from, row)).collect();
        waiting.sort_unstable_by(|a, b| b.cmp(a));
        Sliding { rows, waiting, ..Sliding::default() }
    }

    /// Goes on to a run that is not before the last one. Tells the rows that came and went; gives whether any did.
    pub fn advance(&mut self, run: &ServiceRun, mut told: impl FnMut(usize, bool)) -> bool {
        let mut changed = false;
        let mut entering: Vec<usize> = Vec::new();
        while let Some((from, row)) = self.waiting.last().copied().filter(|(from, _)| *from <= run.query_now) {
            self.waiting.pop();
            let arrives = self.rows.get(row).map_or(from, |row| row.arrives);
            if arrives <= run.starts_at {
                entering.push(row);
            } else {
                self.late.push(Reverse((arrives, row)));
            }
        }
        while let Some(Reverse((arrives, row))) = self.late.peek().copied()
            && arrives <= run.starts_at
        {
            self.late.pop();
            entering.push(row);
        }
        for row in entering {
            let until = self.rows.get(row).map_or(i64::MIN, |row| row.until);
            if until >= run.query_now {
                self.visible.insert(row);
                self.leaving.push(Reverse((until, row)));
                told(row, true);
                changed = true;
            }
        }
        while let Some(Reverse((until, row))) = self.leaving.peek().copied()
            && until < run.query_now
        {
            self.leaving.pop();
            self.visible.remove(&row);
            told(row, false);
            changed = true;
        }
        changed
    }

    /// The rows the last run saw, in their order.
    pub fn visible(&self) -> impl ExactSizeIterator<Item = usize> {
        self.visible.iter().copied()
    }
}

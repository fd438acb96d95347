//! The clock of one rule: its runs, suppression, retries, and when it switches itself off.
//!
//! A scheduled rule runs when it is created (or at its start time) and then every frequency. Each run starts five minutes after
//! its nominal time and looks at the window as of the nominal time. A near-real-time rule runs every minute, two minutes
//! behind, over what arrived in the past minute. Start at [`RuleClock::next_run`].

use kql_types::datetime::TICKS_PER_SECOND;

use crate::rule::{AnalyticsRule, RuleKind};

const MINUTE: i64 = 60 * TICKS_PER_SECOND;
/// A scheduled run starts so long after its nominal time.
const DELAY: i64 = 5 * MINUTE;
/// A near-real-time run is so far behind.
const NRT_DELAY: i64 = 2 * MINUTE;
/// The first wait before a run is tried again; each next one is twice as long.
const RETRY_WAIT: i64 = MINUTE;
/// Permanent failures of one kind in a row that switch a rule off. The service says "several"; the number is ours.
const PERMANENT_FAILURES_MAX: u32 = 5;

/// What a run may see of the tables, in ticks, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Events with `TimeGenerated` in the span, as far as they have arrived when the run starts.
    Generated { from: i64, to: i64 },
    /// Events that arrived in the span, whenever they happened.
    Arrived { from: i64, to: i64 },
}

/// One run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceRun {
    /// The nominal time: what `now()` is.
    pub query_now: i64,
    /// When the query really runs: rows that arrive later are not seen.
    pub starts_at: i64,
    pub seen: Seen,
}

/// Why a run failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// A timeout, a lost connection, anything unknown: tried again.
    Transient,
    /// A table, function or right that is missing.
    Missing,
    /// The query is refused or too heavy.
    Query,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Alerted,
    Silent,
    Failed(FailureKind),
}

/// The clock of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleClock {
    kind: RuleKind,
    frequency: i64,
    period: i64,
    /// None: suppression is off.
    suppression: Option<i64>,
    nominal: i64,
    /// The wait that a retry adds to the start of the nominal run.
    retry_after: i64,
    wait: i64,
    failures: Option<(FailureKind, u32)>,
    disabled: bool,
    /// Runs left out by suppression.
    pub suppressed: u64,
}

impl RuleClock {
    /// A rule that was created or enabled at a moment, or that starts at a later one.
    pub fn new(rule: &AnalyticsRule, created: i64, starts: Option<i64>) -> RuleClock {
        let frequency = if rule.kind == RuleKind::Nrt { MINUTE } else { rule.query_frequency.max(MINUTE) };
        RuleClock {
            kind: rule.kind,
            frequency,
            period: rule.query_period,
            suppression: rule.suppression_enabled.then_some(rule.suppression_duration),
            nominal: starts.unwrap_or(created).max(created),
            retry_after: 0,
            wait: RETRY_WAIT,
            failures: None,
            disabled: !rule.enabled,
            suppressed: 0,
        }
    }

    /// The next run; None when the rule is off.
    pub fn next_run(&self) -> Option<ServiceRun> {
        if self.disabled {
            return None;
        }
        let query_now = self.nominal;
        Some(match self.kind {
            RuleKind::Nrt => ServiceRun {
                query_now,
                starts_at: query_now + NRT_DELAY + self.retry_after,
                // The minute before belongs to the run before: its last tick is not seen twice.
                seen: Seen::Arrived { from: query_now - MINUTE + 1, to: query_now },
            },
            RuleKind::Scheduled | RuleKind::Hunting => ServiceRun {
                query_now,
                starts_at: query_now + DELAY + self.retry_after,
                seen: Seen::Generated { from: query_now - self.period, to: query_now },
            },
        })
    }

    /// Takes how the run of [`RuleClock::next_run`] ended and moves on.
    pub fn ended(&mut self, ended: Ended) {
        match ended {
            Ended::Alerted | Ended::Silent => {
                self.failures = None;
                self.advance();
                if let (Ended::Alerted, Some(duration)) = (ended, self.suppression) {
                    self.suppress(self.nominal - self.frequency + duration);
                }
            }
            Ended::Failed(FailureKind::Transient) => {
                // Tried again until the next schedule is due; never a reason to switch off.
                self.retry_after += self.wait;
                self.wait *= 2;
                if self.retry_after >= self.frequency {
                    self.advance();
                }
            }
            Ended::Failed(kind) => {
                let count = match self.failures {
                    Some((known, count)) if known == kind => count + 1,
                    _ => 1,
                };
                self.failures = Some((kind, count));
                self.disabled = count >= PERMANENT_FAILURES_MAX;
                self.advance();
            }
        }
    }

    fn advance(&mut self) {
        self.nominal += self.frequency;
        self.retry_after = 0;
        self.wait = RETRY_WAIT;
    }

    /// Leaves out the runs before a moment.
    fn suppress(&mut self, until: i64) {
        while self.nominal < until {
            self.nominal += self.frequency;
            self.suppressed += 1;
        }
    }

    /// Whether failures switched the rule off.
    pub fn is_disabled(&self) -> bool {
        self.disabled
    }

    /// The rule as the service shows it when it switched it off: a prefix to the name, the reason in the description.
    pub fn shown(&self, rule: &AnalyticsRule) -> (String, String) {
        match (self.disabled, self.failures) {
            (true, Some((kind, count))) => {
                let reason = match kind {
                    FailureKind::Transient => "it failed",
                    FailureKind::Missing => "a table, a function or a right is missing",
                    FailureKind::Query => "its query is refused or too heavy",
                };
                let description =
                    format!("{}\n\nThe rule was disabled after {count} failures: {reason}.", rule.description);
                (format!("AUTO DISABLED {}", rule.name), description)
            }
            _ => (rule.name.clone(), rule.description.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule_file::{Expectation, FileContent, read};

    const HOUR: i64 = 60 * MINUTE;
    const ZERO: i64 = 700_000 * 24 * HOUR;

    fn rule(fields: &str) -> AnalyticsRule {
        let text = format!("id: a\nname: n\ndescription: d\n{fields}\nquery: T\n");
        match read("a.yaml", &text, Expectation::Rule) {
            FileContent::Rule(rule) => *rule,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a1_first_run_is_at_once_or_at_the_start_time_then_every_frequency() {
        let rule = rule("queryFrequency: 1h\nqueryPeriod: 2h\ntriggerOperator: gt\ntriggerThreshold: 0");
        let mut clock = RuleClock::new(&rule, ZERO, None);
        let mut nows = Vec::new();
        for _ in 0..3 {
            nows.push(clock.next_run().unwrap().query_now - ZERO);
            clock.ended(Ended::Silent);
        }
        assert_eq!(nows, [0, HOUR, 2 * HOUR]);
        assert_eq!(RuleClock::new(&rule, ZERO, Some(ZERO + HOUR)).next_run().unwrap().query_now, ZERO + HOUR);
    }

    #[test]
    fn a1_a_run_starts_five_minutes_late_and_sees_the_window_of_its_nominal_time() {
        let rule = rule("queryFrequency: 1h\nqueryPeriod: 2h");
        let run = RuleClock::new(&rule, ZERO, None).next_run().unwrap();
        assert_eq!(run.starts_at - run.query_now, 5 * MINUTE);
        assert_eq!(run.seen, Seen::Generated { from: ZERO - 2 * HOUR, to: ZERO });
    }

    #[test]
    fn a3_after_an_alert_the_rule_rests_for_its_suppression() {
        let rule = rule("queryFrequency: 1h\nqueryPeriod: 1h\nsuppressionEnabled: true\nsuppressionDuration: 5h");
        let mut clock = RuleClock::new(&rule, ZERO, None);
        clock.ended(Ended::Alerted);
        assert_eq!(clock.next_run().unwrap().query_now, ZERO + 5 * HOUR);
        assert_eq!(clock.suppressed, 4);
        clock.ended(Ended::Silent);
        assert_eq!(clock.next_run().unwrap().query_now, ZERO + 6 * HOUR);
    }

    #[test]
    fn a3_suppression_shorter_than_the_frequency_changes_nothing() {
        let rule = rule("queryFrequency: 1h\nqueryPeriod: 1h\nsuppressionEnabled: true\nsuppressionDuration: 30m");
        let mut clock = RuleClock::new(&rule, ZERO, None);
        clock.ended(Ended::Alerted);
        assert_eq!((clock.next_run().unwrap().query_now, clock.suppressed), (ZERO + HOUR, 0));
    }

    #[test]
    fn a7_near_real_time_runs_every_minute_over_what_arrived() {
        let rule = rule("kind: NRT");
        let mut clock = RuleClock::new(&rule, ZERO, None);
        let first = clock.next_run().unwrap();
        clock.ended(Ended::Silent);
        let second = clock.next_run().unwrap();
        assert_eq!(first.starts_at - first.query_now, 2 * MINUTE);
        assert_eq!(second.query_now - first.query_now, MINUTE);
        let (Seen::Arrived { to, .. }, Seen::Arrived { from, .. }) = (first.seen, second.seen) else { panic!() };
        assert_eq!(from, to + 1, "no row is seen twice and none between");
    }

    #[test]
    fn a8_transient_failures_are_tried_again_with_growing_waits_and_never_disable() {
        let rule = rule("queryFrequency: 1h\nqueryPeriod: 1h");
        let mut clock = RuleClock::new(&rule, ZERO, None);
        let mut waits = Vec::new();
        while clock.next_run().unwrap().query_now == ZERO {
            waits.push((clock.next_run().unwrap().starts_at - ZERO - DELAY) / MINUTE);
            clock.ended(Ended::Failed(FailureKind::Transient));
        }
        assert_eq!(waits, [0, 1, 3, 7, 15, 31]);
        for _ in 0..100 {
            clock.ended(Ended::Failed(FailureKind::Transient));
        }
        assert!(!clock.is_disabled());
    }

    #[test]
    fn a8_permanent_failures_of_one_kind_in_a_row_disable() {
        let rule = rule("queryFrequency: 1h\nqueryPeriod: 1h");
        let mut clock = RuleClock::new(&rule, ZERO, None);
        for kind in [FailureKind::Missing, FailureKind::Missing, FailureKind::Query, FailureKind::Missing] {
            clock.ended(Ended::Failed(kind));
        }
        clock.ended(Ended::Silent);
        assert!(!clock.is_disabled(), "other kinds and a good run between start the count again");
        for _ in 0..PERMANENT_FAILURES_MAX {
            clock.ended(Ended::Failed(FailureKind::Missing));
        }
        assert!(clock.is_disabled() && clock.next_run().is_none());
        let (name, description) = clock.shown(&rule);
        assert_eq!(name, "AUTO DISABLED n");
        assert!(description.starts_with("d\n") && description.contains("missing"), "{description}");
    }
}

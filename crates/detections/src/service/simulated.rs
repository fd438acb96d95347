//! Years of made-up rules: what is kept from run to run must agree with a model that looks at every row at every run.
//!
//! Rows come late, the service crashes and starts again with what it wrote down, and its wall clock is set forward and back.

use std::collections::BTreeMap;

use super::clock::{Ended, FailureKind, RuleClock, Seen, ServiceRun};
use super::visibility::{Sliding, Visible};
use crate::rule::AnalyticsRule;
use crate::rule_file::{Expectation, FileContent, read};

const MINUTE: i64 = 60 * kql_types::datetime::TICKS_PER_SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const ZERO: i64 = 700_000 * DAY;

/// Numbers that look random and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: i64) -> i64 {
        (self.next() % limit.max(1) as u64) as i64
    }

    fn one_in(&mut self, count: i64) -> bool {
        self.below(count) == 0
    }

    fn of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len() as i64) as usize]
    }
}

#[derive(Debug, Clone, Copy)]
struct Event {
    time: i64,
    arrives: i64,
}

fn made_rule(numbers: &mut Numbers) -> AnalyticsRule {
    if numbers.one_in(40) {
        let text = "id: a\nname: n\nkind: NRT\nsuppressionEnabled: true\nsuppressionDuration: 30m\nquery: T\n";
        return rule_of(text);
    }
    let frequency = numbers.of(&["30m", "1h", "2h", "6h", "12h", "1d", "1d", "1d"]);
    let period = match frequency {
        "1d" => numbers.of(&["1d", "2d", "14d"]),
        "12h" => numbers.of(&["12h", "1d", "7d"]),
        "30m" => numbers.of(&["30m", "1h", "1d"]),
        _ => numbers.of(&["6h", "1d", "14d"]),
    };
    let operator = numbers.of(&["gt", "gt", "gt", "lt", "eq", "ne"]);
    let threshold = numbers.of(&["0", "0", "1", "3"]);
    let suppression = match numbers.one_in(4) {
        true => "suppressionEnabled: true\nsuppressionDuration: 5h\n",
        false => "",
    };
    rule_of(&format!(
        "id: a\nname: n\nqueryFrequency: {frequency}\nqueryPeriod: {period}\ntriggerOperator: {operator}\n\
         triggerThreshold: {threshold}\n{suppression}query: T\n"
    ))
}

fn rule_of(text: &str) -> AnalyticsRule {
    match read("a.yaml", text, Expectation::Rule) {
        FileContent::Rule(rule) => *rule,
        other => panic!("{other:?}"),
    }
}

/// Events in bursts and alone, some on the edges of windows; one in five is late, by up to two days.
fn made_events(numbers: &mut Numbers, days: i64) -> Vec<Event> {
    let count = numbers.below(3 * days) + 1;
    let mut time = ZERO;
    (0..count)
        .map(|_| {
            time = match numbers.below(4) {
                0 => time + numbers.below(10 * MINUTE),
                1 => ZERO + numbers.below(days * 24) * HOUR,
                _ => ZERO + numbers.below(days * DAY),
            };
            let late = if numbers.one_in(5) { numbers.below(2 * DAY) } else { numbers.below(8 * MINUTE) };
            Event { time, arrives: time + late }
        })
        .collect()
}

/// What befalls the service: at which moments runs really start, and which of them fail.
struct Weather {
    /// Down from, up again at.
    down: Vec<(i64, i64)>,
    /// The wall clock is off by so much from a moment on.
    steps: Vec<(i64, i64)>,
    fails: u64,
}

impl Weather {
    fn made(numbers: &mut Numbers, days: i64) -> Weather {
        let mut moment = |most: i64| {
            let at = ZERO + numbers.below(days * DAY);
            (at, numbers.below(most))
        };
        let down = (0..3).map(|_| moment(2 * DAY)).map(|(at, length)| (at, at + length)).collect();
        let steps = (0..2).map(|_| moment(3 * HOUR)).map(|(at, by)| (at, by - 90 * MINUTE)).collect();
        Weather { down, steps, fails: numbers.next() }
    }

    /// When a run starts that is due at a moment: not while the service is down or its clock says that it is too early, and never
    /// before a run that took place.
    fn start(&self, due: i64, before: i64) -> i64 {
        let mut start = due.max(before);
        for (at, by) in &self.steps {
            if start >= *at {
                start = (start - by).max(before).max(*at);
            }
        }
        for (from, until) in &self.down {
            if (*from..*until).contains(&start) {
                start = *until;
            }
        }
        start
    }

    /// One run in thirty fails for a while, one in forty for good, by its nominal time and the try alone.
    fn failure(&self, query_now: i64, attempt: u32) -> Option<FailureKind> {
        let mut numbers = Numbers(self.fails ^ query_now as u64 ^ u64::from(attempt) << 60);
        match numbers.below(120) {
            0..4 => Some(FailureKind::Transient),
            4..6 => Some(FailureKind::Query),
            6 => Some(FailureKind::Missing),
            _ => None,
        }
    }
}

/// The runs that alerted, each with the rows it saw.
type Alerts = Vec<(i64, Vec<usize>)>;

/// Goes through the span with the clock of a rule; `sees` gives the rows of a run.
fn go(
    rule: &AnalyticsRule,
    weather: &Weather,
    days: i64,
    mut sees: impl FnMut(&ServiceRun, bool) -> Vec<usize>,
) -> Alerts {
    let mut alerts: Alerts = Vec::new();
    let mut clock = RuleClock::new(rule, ZERO, None);
    let mut before = i64::MIN;
    let mut attempts: BTreeMap<i64, u32> = BTreeMap::new();
    while let Some(mut run) = clock.next_run().filter(|run| run.query_now <= ZERO + days * DAY) {
        run.starts_at = weather.start(run.starts_at, before);
        // The first start after a crash: the clock was written down, all else is gone.
        let crashed = weather.down.iter().any(|(_, until)| before < *until && run.starts_at >= *until);
        before = run.starts_at;
        let attempt = attempts.entry(run.query_now).or_default();
        *attempt += 1;
        if let Some(kind) = weather.failure(run.query_now, *attempt) {
            clock.ended(Ended::Failed(kind));
            continue;
        }
        let rows = sees(&run, crashed);
        let ended = if rule.fires(rows.len() as u64) { Ended::Alerted } else { Ended::Silent };
        if ended == Ended::Alerted {
            alerts.push((run.query_now, rows));
        }
        clock.ended(ended);
    }
    alerts
}

/// By definition: every row is looked at.
fn naive(run: &ServiceRun, events: &[Event]) -> Vec<usize> {
    let sees = |event: &Event| match run.seen {
        Seen::Generated { from, to } => (from..=to).contains(&event.time) && event.arrives <= run.starts_at,
        Seen::Arrived { from, to } => (from..=to).contains(&event.arrives),
    };
    events.iter().enumerate().filter(|(_, event)| sees(event)).map(|(row, _)| row).collect()
}

/// As the columns carried along say it, for a table that the query does not narrow.
fn visible(rule: &AnalyticsRule, event: &Event) -> Visible {
    use kql_types::{ScalarType, Value};
    let leaf = crate::query_shape::Leaf {
        table: "T".to_string(),
        low: None,
        high: None,
        unfiltered: true,
        always_visible: false,
    };
    let none = Value::Null(ScalarType::DateTime);
    let carried = [Value::DateTime(event.time), Value::Long(0), none.clone(), none, Value::DateTime(event.arrives)];
    Visible::of_carried(rule, &[leaf], &carried).unwrap().0
}

#[test]
fn a_hundred_thousand_rule_days_agree_with_looking_at_every_row_at_every_run() {
    const DAYS: i64 = 25;
    let started = std::time::Instant::now();
    let (mut rule_days, mut alerts, mut runs) = (0, 0, 0_u64);
    let mut numbers = Numbers(42);
    while rule_days < 100_000 {
        let rule = made_rule(&mut numbers);
        // A rule that runs every minute has as many runs in an hour as others in days.
        let days = if rule.kind == crate::rule::RuleKind::Nrt { 1 } else { DAYS };
        let events = made_events(&mut numbers, days);
        let weather = Weather::made(&mut numbers, days);
        let all: Vec<Visible> = events.iter().map(|event| visible(&rule, event)).collect();
        let mut sliding = Sliding::new(all.clone());
        let kept = go(&rule, &weather, days, |run, crashed| {
            if crashed {
                sliding = Sliding::new(all.clone());
            }
            sliding.advance(run, |_, _| {});
            runs += 1;
            sliding.visible().collect()
        });
        let expected = go(&rule, &weather, days, |run, _| naive(run, &events));
        assert_eq!(kept, expected, "{rule:?}\n{events:?}");
        rule_days += days;
        alerts += kept.len();
    }
    assert!(alerts > 100_000 && runs > 500_000, "{alerts} alerts in {runs} runs");
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[test]
fn rows_that_come_and_go_are_told_once_each() {
    let row = |from: i64, until: i64, arrives: i64| Visible { from, until, arrives };
    let mut sliding =
        Sliding::new(vec![row(10, 20, 0), row(15, 15, 0), row(10, 30, 27), row(10, 12, 99), Visible::ALWAYS]);
    let mut told = Vec::new();
    let mut at = |now: i64| {
        let run = ServiceRun { query_now: now, starts_at: now + 5, seen: Seen::Arrived { from: 0, to: 0 } };
        let changed = sliding.advance(&run, |row, enters| told.push((now, row, enters)));
        (changed, sliding.visible().collect::<Vec<_>>())
    };
    assert_eq!(at(5), (true, vec![4]));
    assert_eq!(at(10), (true, vec![0, 4]));
    assert_eq!(at(11), (false, vec![0, 4]));
    assert_eq!(at(16), (false, vec![0, 4]), "a stretch between two runs is seen by none");
    assert_eq!(at(22), (true, vec![2, 4]), "late, and seen while its stretch lasts");
    assert_eq!(at(31), (true, vec![4]));
    assert_eq!(at(200), (false, vec![4]), "too late for its stretch");
    assert_eq!(told, [(5, 4, true), (10, 0, true), (22, 2, true), (22, 0, false), (31, 2, false)]);
}

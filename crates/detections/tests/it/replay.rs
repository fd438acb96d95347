//! Rules replayed run after run over small tables.

use std::sync::atomic::AtomicBool;

use detections::alert::row_key;
use detections::hunt::HuntInput;
use detections::library::{self, RuleLibrary};
use detections::schedule::TimeSpan;
use detections::service::{Method, Replay, ReplayOptions, replay};
use tables::SchemaSet;

use crate::data::{Event, HOUR, MINUTE, World, day_zero, event, options, scheduled};

/// Events arrive a minute after they happen.
fn run(events: Vec<Event>, library: &RuleLibrary, hours: i64) -> Replay {
    let world = World::new(&[("A_CL", events)]);
    let options = options();
    let input = HuntInput {
        engine: &world.engine,
        library,
        profile: &world.profile,
        is_reference: &|table| table == "R_CL",
        options: &options,
        interrupted: &AtomicBool::new(false),
    };
    let span = TimeSpan { first: day_zero(), last: day_zero() + hours * HOUR };
    let kept = replay(input, &SchemaSet::builtin(), &ReplayOptions::over(span));
    let again = replay(input, &SchemaSet::builtin(), &ReplayOptions { rerun_all: true, ..ReplayOptions::over(span) });
    assert_eq!(alerts_of(&kept), alerts_of(&again), "what is kept from run to run changes nothing");
    kept
}

/// What was alerted when: the moment, the rows and the incident of each alert.
fn alerts_of(replay: &Replay) -> Vec<(Option<i64>, Vec<String>, Option<u32>)> {
    let rows = |alert: &detections::alert::Alert| {
        let mut rows: Vec<String> = alert.rows.iter().map(|row| row_key(&row.values)).collect();
        rows.sort_unstable();
        rows
    };
    replay.alerts.iter().map(|alert| (alert.made, rows(alert), alert.incident)).collect()
}

fn times(replay: &Replay) -> Vec<i64> {
    replay.alerts.iter().map(|alert| (alert.made.unwrap() - day_zero()) / MINUTE).collect()
}

#[test]
fn a1_windows_that_overlap_alert_twice_and_the_period_cuts_a_longer_look_back() {
    let events = vec![event(30 * MINUTE, "ann", "x", 1)];
    let twice = run(events.clone(), &scheduled("1h", "2h", "", "A_CL | where TimeGenerated > ago(14d)"), 5);
    assert_eq!(times(&twice), [65, 125]);
    assert_eq!((twice.rules[0].raised, twice.rules[0].doubled), (1, 1));
    let once = run(events, &scheduled("1h", "1h", "", "A_CL | where TimeGenerated > ago(14d)"), 5);
    assert_eq!((times(&once), once.rules[0].empty), (vec![65], 5));
}

#[test]
fn a1_the_window_clips_every_table_and_the_threshold_counts_this_run_alone() {
    let events = vec![event(30 * MINUTE, "ann", "x", 1), event(90 * MINUTE, "ann", "y", 1)];
    let both = "A_CL | where What == 'y' | join kind=inner (A_CL | where What == 'x') on Who";
    assert!(times(&run(events.clone(), &scheduled("1h", "1h", "", both), 4)).is_empty());
    assert_eq!(times(&run(events.clone(), &scheduled("1h", "2h", "", both), 4)), [125]);
    let two = "triggerOperator: gt\ntriggerThreshold: 1\n";
    assert!(times(&run(events.clone(), &scheduled("1h", "1h", two, "A_CL"), 4)).is_empty());
    assert_eq!(times(&run(events, &scheduled("1h", "2h", two, "A_CL"), 4)), [125]);
}

#[test]
fn a1_thresholds_of_less_and_none_fire_on_nothing() {
    let events = vec![event(30 * MINUTE, "ann", "x", 1)];
    let none = "triggerOperator: eq\ntriggerThreshold: 0\n";
    assert_eq!(times(&run(events.clone(), &scheduled("1h", "1h", none, "A_CL"), 3)), [5, 125, 185]);
    let few = "triggerOperator: lt\ntriggerThreshold: 1\n";
    assert_eq!(times(&run(events, &scheduled("1h", "1h", few, "A_CL"), 3)), [5, 125, 185]);
}

#[test]
fn a1_what_arrives_after_the_run_is_missed_unless_the_rule_looks_by_ingestion_time() {
    // The last minute before a nominal time arrives in time: the run starts five minutes later.
    let events = vec![event(HOUR - MINUTE / 2, "ann", "x", 1)];
    assert_eq!(times(&run(events, &scheduled("1h", "1h", "", "A_CL"), 3)), [65]);
    let late = vec![Event { arrives: 40 * MINUTE, ..event(30 * MINUTE, "ann", "x", 1) }];
    assert!(times(&run(late.clone(), &scheduled("1h", "1h", "", "A_CL"), 4)).is_empty());
    let remedy = "let delay = 1h; let look = 1h; A_CL | where TimeGenerated >= ago(delay + look) | where ingestion_time() > ago(look)";
    assert_eq!(times(&run(late, &scheduled("1h", "2h", "", remedy), 4)), [125]);
}

#[test]
fn a2_now_is_the_nominal_time_for_the_whole_run() {
    let events = vec![event(30 * MINUTE, "ann", "x", 1)];
    let query = "A_CL | extend Now = now(), Hour = ago(1h) | where Now - Hour == 1h | project TimeGenerated, Now";
    let found = run(events, &scheduled("1h", "1h", "", query), 2);
    let alert = &found.alerts[0];
    assert_eq!(alert.run.query_now - day_zero(), HOUR);
    assert_eq!(alert.rows[0].values[1], kql_types::Value::DateTime(day_zero() + HOUR));
}

#[test]
fn a3_an_alert_silences_its_rule_for_the_suppression() {
    let events = (0..8).map(|hour| event(hour * HOUR + 30 * MINUTE, "ann", "x", hour)).collect();
    let quiet = "suppressionEnabled: true\nsuppressionDuration: 3h\n";
    let found = run(events, &scheduled("1h", "1h", quiet, "A_CL"), 8);
    assert_eq!(times(&found), [65, 245, 425]);
    assert_eq!(found.rules[0].suppressed, 6);
}

#[test]
fn a7_near_real_time_rules_see_what_arrived_in_the_past_minute() {
    let events = vec![event(10 * MINUTE + MINUTE / 2, "ann", "x", 1)];
    let text = "id: n\nname: n\nkind: NRT\nseverity: High\nquery: |\n  A_CL\n";
    let found = run(events, &library::from_texts([("n.yaml", text)]), 1);
    // It arrives at 11:30 and is in the minute that ends at 12:00, which is asked for two minutes later.
    assert_eq!(times(&found), [14]);
}

#[test]
fn a12_later_rules_read_the_alerts_and_incidents_of_earlier_ones() {
    let events = vec![event(30 * MINUTE, "ann", "x", 1)];
    let first = "id: a1\nname: First\nseverity: High\nqueryFrequency: 1h\nqueryPeriod: 1h\nquery: |\n  A_CL\n";
    let rule = |id: &str, query: &str| {
        format!("id: {id}\nname: {id}\nseverity: High\nqueryFrequency: 1h\nqueryPeriod: 1h\nquery: |\n  {query}\n")
    };
    let alerts = rule("b2", "SecurityAlert | where AlertName == 'First' and ProviderName == 'ASI Scheduled Alerts'");
    let incidents = rule(
        "c3",
        "SecurityIncident | where Title == 'First' | summarize arg_max(LastModifiedTime, *) by IncidentNumber",
    );
    let texts = [("a.yaml", first), ("b.yaml", alerts.as_str()), ("c.yaml", incidents.as_str())];
    let world = World::with_builtin(&[("A_CL", events)]);
    let library = library::from_texts(texts);
    let options = options();
    let input = HuntInput {
        engine: &world.engine,
        library: &library,
        profile: &world.profile,
        is_reference: &|_| false,
        options: &options,
        interrupted: &AtomicBool::new(false),
    };
    let span = TimeSpan { first: day_zero(), last: day_zero() + 4 * HOUR };
    let found = replay(input, &SchemaSet::builtin(), &ReplayOptions::over(span));
    let minute = |alert: &detections::alert::Alert| (alert.made.unwrap() - day_zero()) / MINUTE;
    let seen: Vec<(i64, &str)> = found.alerts.iter().map(|alert| (minute(alert), alert.rule_name.as_str())).collect();
    // The first alert is written at 65 minutes; the runs as of two hours see it.
    assert_eq!(seen, [(65, "First"), (125, "b2"), (125, "c3")]);
    let incidents: Vec<Option<u32>> = found.alerts.iter().map(|alert| alert.incident).collect();
    assert_eq!(incidents, [Some(1), Some(2), Some(3)]);
}

/// Two days of events in bursts; every third is late, by up to a day and a half.
fn late_events() -> Vec<Event> {
    let who = ["ann", "bob", "eve"];
    let what = ["login", "create", "delete"];
    (0..70_i64)
        .map(|n| {
            let minute = (n * 47 + n / 7 * 13) % (2 * 24 * 60);
            let late = if n % 3 == 0 { (n * 31) % (36 * 60) } else { 1 };
            let e = event(minute * MINUTE, who[n as usize % 3], what[n as usize / 2 % 3], n % 11);
            Event { arrives: late * MINUTE, ..e }
        })
        .collect()
}

fn replayed(world: &World, library: &RuleLibrary, options: &ReplayOptions) -> Replay {
    let hunt = options_of_hunt();
    let input = HuntInput {
        engine: &world.engine,
        library,
        profile: &world.profile,
        is_reference: &|table| table == "R_CL",
        options: &hunt,
        interrupted: &AtomicBool::new(false),
    };
    replay(input, &SchemaSet::builtin(), options)
}

fn options_of_hunt() -> detections::hunt::HuntOptions {
    detections::hunt::HuntOptions { threads: 2, ..options() }
}

#[test]
fn what_is_kept_from_run_to_run_gives_what_every_run_gives() {
    let others = late_events().into_iter().step_by(2).map(|e| Event { time: e.time + 7 * MINUTE, ..e }).collect();
    let reference = late_events().into_iter().take(5).collect();
    let world = World::new(&[("A_CL", late_events()), ("B_CL", others), ("R_CL", reference)]);
    let span = TimeSpan { first: day_zero(), last: day_zero() + 50 * HOUR };
    let cases = [
        (Method::OnePass, "A_CL | where What == 'create' and Size > 3"),
        (Method::OnePass, "A_CL | where TimeGenerated > ago(2h) | where What == 'delete' | project Who, Size"),
        (Method::OnePass, "A_CL | where ingestion_time() > ago(1h) | where TimeGenerated > ago(5h)"),
        (Method::OnePass, "union A_CL, B_CL | where TimeGenerated >= ago(3h) | where Who == 'eve'"),
        (
            Method::OnePass,
            "A_CL | where What == 'create' | join kind=inner (B_CL | where What == 'delete') on Who | project TimeGenerated, Who, Size, Size1",
        ),
        (
            Method::OnePass,
            "A_CL | where TimeGenerated > ago(1h) | join kind=inner (B_CL | where TimeGenerated < ago(1h) | project Who, Old = TimeGenerated) on Who \
             | where Old > ago(4h) | project Who, Size, Old",
        ),
        (
            Method::OnePass,
            "A_CL | project Who, T = TimeGenerated | join kind=inner (R_CL | project Who, Size) on Who | where T > ago(90m)",
        ),
        (Method::Incremental, "A_CL | where What == 'create' | summarize Total = sum(Size), N = count() by Who"),
        (
            Method::Incremental,
            "let known = A_CL | where TimeGenerated < ago(1h) | summarize by Who, What;\n\
             A_CL | where TimeGenerated >= ago(1h) | join kind=leftanti known on Who, What | project TimeGenerated, Who",
        ),
        (Method::Incremental, "A_CL | join kind=innerunique (B_CL) on Who | project Who, Size, Size1"),
        (
            Method::ReRun,
            "A_CL | where What == 'delete' | summarize N = count(), Last = max(TimeGenerated) by Who | extend Age = now() - Last",
        ),
        (Method::ReRun, "A_CL | where TimeGenerated >= startofday(now()) | summarize N = count() by Who"),
    ];
    let schedules = [("1h", "1h"), ("30m", "12h"), ("6h", "1d")];
    let extras =
        ["", "triggerOperator: lt\ntriggerThreshold: 2\n", "suppressionEnabled: true\nsuppressionDuration: 4h\n"];
    let mut raised = 0;
    for (number, (method, query)) in cases.into_iter().enumerate() {
        for (turn, (frequency, period)) in schedules.into_iter().enumerate() {
            let extra = extras[(number + turn) % extras.len()];
            let library = scheduled(frequency, period, extra, query);
            let kept = replayed(&world, &library, &ReplayOptions::over(span));
            let again = replayed(&world, &library, &ReplayOptions { rerun_all: true, ..ReplayOptions::over(span) });
            assert_eq!(alerts_of(&kept), alerts_of(&again), "{query} {frequency} {period} {extra}");
            let (a, b) = (&kept.rules[0], &again.rules[0]);
            assert_eq!((a.runs, a.alerts, a.suppressed), (b.runs, b.alerts, b.suppressed));
            assert_eq!((a.raised, a.doubled), (b.raised, b.doubled));
            // Joins are done once only where that is less work than the joins of the runs.
            let joined = query.contains("kind=inner ") && period != "12h";
            assert!(a.method == method || joined, "{query} {frequency} {period}: {a:?}");
            assert!(a.method != Method::OnePass || a.executed == 1, "{query}: {a:?}");
            raised += a.raised;
        }
    }
    assert!(raised > 300, "{raised}");
}
#[test]
fn rows_without_a_known_arrival_come_late_by_the_delay_of_their_table() {
    let arrives = i64::MIN;
    let unknown = vec![Event { arrives, ..event(55 * MINUTE, "ann", "x", 1) }];
    let world = World::new(&[("A_CL", unknown)]);
    let span = TimeSpan { first: day_zero(), last: day_zero() + 4 * HOUR };
    let made = |minutes: i64, frequency: &str, period: &str, query: &str| {
        let delays = engine::ArrivalDelays { other: minutes * MINUTE, ..Default::default() };
        let options = ReplayOptions { delays: std::sync::Arc::new(delays), ..ReplayOptions::over(span) };
        let library = scheduled(frequency, period, "", query);
        let again = replayed(&world, &library, &ReplayOptions { rerun_all: true, ..options.clone() });
        let found = replayed(&world, &library, &options);
        assert_eq!(alerts_of(&found), alerts_of(&again));
        times(&found)
    };
    assert_eq!(made(3, "1h", "1h", "A_CL"), [65]);
    assert_eq!(made(11, "1h", "1h", "A_CL"), Vec::<i64>::new(), "the only run that could see it was six minutes early");
    assert_eq!(made(11, "1h", "2h", "A_CL"), [125]);
    let remedy = "A_CL | where TimeGenerated >= ago(2h) | where ingestion_time() > ago(1h)";
    assert_eq!(made(11, "1h", "2h", remedy), [125]);
}

#[test]
fn rules_go_on_until_what_was_late_is_read() {
    let late = vec![Event { arrives: 90 * MINUTE, ..event(3 * HOUR, "ann", "x", 1) }];
    let world = World::new(&[("A_CL", late)]);
    let span = TimeSpan { first: day_zero(), last: day_zero() + 3 * HOUR };
    let library = scheduled("1h", "4h", "", "A_CL");
    assert!(replayed(&world, &library, &ReplayOptions::over(span)).alerts.is_empty());
    let settle = Some(100 * MINUTE);
    let settled = replayed(&world, &library, &ReplayOptions { settle, ..ReplayOptions::over(span) });
    assert_eq!(times(&settled), [5 * 60 + 5]);
    let none = scheduled("1h", "1h", "triggerOperator: eq\ntriggerThreshold: 0\n", "A_CL");
    let quiet = replayed(&world, &none, &ReplayOptions { settle, ..ReplayOptions::over(span) });
    assert_eq!(quiet.rules[0].runs, 4, "nothing after the end says nothing");
}

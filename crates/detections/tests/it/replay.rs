//! Rules replayed run after run over small tables.

use std::sync::atomic::AtomicBool;

use detections::hunt::HuntInput;
use detections::library::{self, RuleLibrary};
use detections::schedule::TimeSpan;
use detections::service::{Replay, replay};
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
    replay(input, &SchemaSet::builtin(), span)
}

fn times(replay: &Replay) -> Vec<i64> {
    replay.alerts.iter().map(|(made, _)| (made - day_zero()) / MINUTE).collect()
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
    let (_, alert) = &found.alerts[0];
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
    let found = replay(input, &SchemaSet::builtin(), TimeSpan { first: day_zero(), last: day_zero() + 4 * HOUR });
    let seen: Vec<(i64, &str)> =
        found.alerts.iter().map(|(made, alert)| ((made - day_zero()) / MINUTE, alert.rule_name.as_str())).collect();
    // The first alert is written at 65 minutes; the runs as of two hours see it.
    assert_eq!(seen, [(65, "First"), (125, "b2"), (125, "c3")]);
    assert_eq!(found.incident_of, [Some(1), Some(2), Some(3)]);
}

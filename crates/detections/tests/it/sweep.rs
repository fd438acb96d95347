//! A sweep must find what running every run by itself finds, however it saves work.

use std::collections::BTreeSet;

use detections::alert::row_key;
use detections::library::RuleLibrary;
use detections::outcome::RuleState;
use detections::placeholders;
use detections::schedule::{Mode, Schedule};
use engine::{QueryOptions, Window};

use crate::data::{Event, HOUR, MINUTE, World, event, options, scheduled};

/// Ten days of events: bursts, lone events, events on the edges of windows, and a hole of four days.
fn events() -> Vec<Event> {
    let mut all = vec![
        event(0, "ann", "login", 1),
        event(5 * MINUTE, "ann", "create", 10),
        event(3 * HOUR, "bob", "create", 20),
        event(24 * HOUR, "eve", "create", 30),
        event(24 * HOUR + 1, "eve", "delete", 31),
        event(30 * HOUR, "ann", "create", 10),
        event(47 * HOUR + 59 * MINUTE, "eve", "create", 70),
        event(6 * 24 * HOUR, "bob", "delete", 90),
        event(7 * 24 * HOUR + 11 * MINUTE, "bob", "create", 20),
        event(9 * 24 * HOUR, "eve", "login", 5),
        event(9 * 24 * HOUR + 30 * MINUTE, "eve", "create", 7),
    ];
    all.extend((0..12).map(|n| event(7 * 24 * HOUR + n * 10 * MINUTE, "sys", "create", n)));
    all
}

fn world() -> World {
    let others = events().into_iter().step_by(2).map(|e| Event { what: "other", ..e }).collect();
    World::new(&[("A_CL", events()), ("B_CL", others), ("R_CL", events().into_iter().take(4).collect())])
}

/// The rows of every run that fires, each run by itself.
fn naive(world: &World, library: &RuleLibrary) -> (BTreeSet<String>, u64) {
    let rule = &library.rules[0];
    let options = options();
    let span = world.profile.span(|table| table != "R_CL").unwrap();
    let schedule = Schedule::new(rule, Mode::Sweep { from: None, to: None }, span, options.range, false);
    let mut rows = BTreeSet::new();
    let mut fired = 0;
    for index in 0..schedule.count {
        let run = schedule.run(index);
        let text = placeholders::fill(&rule.query, run.query_now - options.range, run.query_now).text;
        let window = Window { from: run.window_from, to: run.query_now, fidelity: false };
        let options = QueryOptions { window: Some(window), ..QueryOptions::at(run.query_now) };
        let output = world.engine.run_blocking(&text, &options).unwrap();
        let result = output.tables[0].rows();
        if rule.fires(result.len() as u64) {
            fired += 1;
            rows.extend(result.iter().map(|row| row_key(row)));
        }
    }
    (rows, fired)
}

/// Sweeps and compares with the naive way; returns how many queries the sweep ran.
fn agrees(world: &World, library: &RuleLibrary) -> u64 {
    let (expected, fired) = naive(world, library);
    let hunt = world.hunt(library, &options());
    let outcome = &hunt.outcomes[0];
    let query = &library.rules[0].query;
    assert!(matches!(outcome.state, RuleState::Fired | RuleState::Silent | RuleState::Partial), "{query}: {outcome:?}");
    let found: BTreeSet<String> =
        hunt.alerts.iter().flat_map(|alert| &alert.rows).map(|row| row_key(&row.values)).collect();
    assert_eq!(found, expected, "{query}");
    assert_eq!(fired > 0, outcome.state == RuleState::Fired, "{query}");
    let runs = outcome.runs;
    let answered = if runs.single_pass { 0 } else { runs.executed };
    assert_eq!(runs.scheduled, answered + runs.shared + runs.empty, "{query}: {runs:?}");
    for alert in &hunt.alerts {
        assert!(alert.runs >= 1 && alert.last_query_now >= alert.run.query_now, "{query}: {alert:?}");
        for row in &alert.rows {
            let all_from_events = ["R_CL", "count", "print"].iter().all(|word| !query.contains(word));
            assert!(!all_from_events || !row.sources.places.is_empty(), "{query}: no source records");
        }
    }
    runs.executed
}

#[test]
fn row_local_rules_take_one_pass() {
    let world = world();
    let queries = [
        "A_CL | where What == 'create' and Size > 15",
        "A_CL | where TimeGenerated > ago(1d) | where What == 'delete' | project Who, Size",
        "A_CL | where TimeGenerated between (ago(2h) .. ago(30m)) | extend Half = Size / 2 | project-away What",
        "union A_CL, B_CL | where TimeGenerated >= ago(3h) | where Who == 'eve' | sort by TimeGenerated desc",
        "let x = A_CL | where TimeGenerated > ago(1h) | where What == 'create' | project TimeGenerated, Who, Note = 'a';\n\
         let y = B_CL | where TimeGenerated > ago(90m) and TimeGenerated < ago(10m) | project TimeGenerated, Who, Note = 'b';\n\
         union isfuzzy=true x, y | sort by Who asc",
        "A_CL | where datetime(2026-03-02) <= TimeGenerated | where Size in (10, 20)",
        "A_CL | where ingestion_time() > ago(20m) and TimeGenerated > ago(2h)",
        "A_CL | extend Created = TimeGenerated - 30m | where Created between (ago(1h) .. now(-10m)) | project Who, Created",
        "R_CL | where TimeGenerated > ago(5h) | project Who, Size",
        "union A_CL, R_CL | where TimeGenerated > ago(1h) | project Who, Size",
        "union (A_CL | where bin(TimeGenerated, 1h) >= ago(2h)), (B_CL | where now(-15m) >= ingestion_time()) | where Size > 5",
    ];
    for query in queries {
        for (frequency, period) in [("1d", "1d"), ("1h", "4h"), ("1h", "1h"), ("2h", "1d")] {
            let executed = agrees(&world, &scheduled(frequency, period, "", query));
            assert_eq!(executed, 1, "{query} {frequency} {period}");
        }
    }
}

#[test]
fn rules_that_look_at_several_rows_share_runs() {
    let world = world();
    let queries = [
        "A_CL | where What == 'create' | summarize Total = sum(Size), N = count() by Who",
        "A_CL | where TimeGenerated > ago(3h) | summarize N = count() by Who | where N > 2",
        "A_CL | where What == 'create' | join kind=inner (A_CL | where What == 'delete') on Who | project Who, Size, Size1",
        "A_CL | where What == 'login' | join kind=leftanti (B_CL | where TimeGenerated > ago(1h)) on Who",
        "let known = A_CL | where TimeGenerated < ago(1h) | summarize by Who;\n\
         A_CL | where TimeGenerated >= ago(1h) | where Who !in (known) | project TimeGenerated, Who",
        "A_CL | where Who in ((R_CL | project Who)) | summarize max(Size) by Who",
        "A_CL | top 2 by Size desc",
        "R_CL | where TimeGenerated > ago(2h) | summarize count() by Who",
        "R_CL | where TimeGenerated between (ago(30h) .. ago(3h)) | summarize by Who",
        "A_CL | join kind=inner (R_CL | where TimeGenerated > ago(5h) | project Who, Old = Size) on Who | project Who, Old, Size",
        "A_CL | where What == 'create' | mv-expand Part = pack_array(Size, Size + 1) to typeof(long) | summarize count() by Part",
        "A_CL | mv-expand Part = pack_array(Who, What) to typeof(string) | where TimeGenerated > ago(2h) | project TimeGenerated, Part",
        "A_CL | join kind=inner (B_CL | project Who, Other = TimeGenerated, What) on Who | where TimeGenerated > ago(1h) and Other > ago(3h)",
        "A_CL | join kind=leftouter (B_CL | project Who, Other = TimeGenerated) on Who | where TimeGenerated between (ago(3h) .. ago(30m))",
    ];
    for query in queries {
        for (frequency, period) in [("1d", "1d"), ("1h", "4h"), ("30m", "1d")] {
            let library = scheduled(frequency, period, "", query);
            let executed = agrees(&world, &library);
            let scheduled = world.hunt(&library, &options()).outcomes[0].runs.scheduled;
            assert!(frequency == "1d" || executed < scheduled / 2, "{query}: {executed} of {scheduled}");
        }
    }
}

#[test]
fn a_clock_in_the_result_is_run_at_every_moment() {
    let world = world();
    let queries = [
        "A_CL | where What == 'delete' | extend Age = now() - TimeGenerated",
        "A_CL | where TimeGenerated >= startofday(now()) | summarize N = count() by Who",
        "A_CL | summarize N = count() by Who, At = bin(now(), 1h)",
        "A_CL | top 3 by Size desc | where TimeGenerated > ago(1h)",
        "A_CL | join kind=innerunique (B_CL) on Who | where TimeGenerated > ago(1h) | project Who, Size, Size1",
        "A_CL | join kind=fullouter (B_CL) on Who | where TimeGenerated > ago(1h) | project Who, Size, Size1",
        "A_CL | sort by TimeGenerated asc | where prev(Who) != Who | where TimeGenerated > ago(30m) | project Who, Size",
        "A_CL | sort by TimeGenerated asc | extend Before = prev(Size) | where TimeGenerated > ago(30m) | project Who, Before",
        "A_CL | sort by TimeGenerated asc | extend N = row_number() | where TimeGenerated between (ago(90m) .. ago(5m))",
        "union A_CL, (B_CL | sort by Size asc | extend N = row_cumsum(Size)) | where TimeGenerated > ago(20m)",
        "A_CL | mv-expand X = pack_array(1, 2) to typeof(long) | serialize N = row_number() | where TimeGenerated > ago(20m)",
        "A_CL | sort by Size asc | extend N = row_number() | mv-expand X = pack_array(1, 2) | where TimeGenerated > ago(20m)",
    ];
    for query in queries {
        agrees(&world, &scheduled("1h", "2h", "", query));
    }
}

#[test]
fn results_from_nothing_and_thresholds() {
    let world = world();
    agrees(&world, &scheduled("1h", "2h", "", "A_CL | summarize N = count()"));
    agrees(&world, &scheduled("1h", "2h", "", "print x = 1"));
    agrees(&world, &scheduled("1h", "2h", "", "A_CL | top-nested 1 of Who by sum(Size)"));
    agrees(&world, &scheduled("1h", "2h", "", "A_CL | project Who, Size | evaluate pivot(Who, sum(Size))"));
    agrees(
        &world,
        &scheduled("1h", "2h", "triggerOperator: gt\ntriggerThreshold: 3\n", "A_CL | where What == 'create'"),
    );
    agrees(
        &world,
        &scheduled("1h", "2h", "triggerOperator: lt\ntriggerThreshold: 2\n", "A_CL | where What == 'create'"),
    );
    agrees(
        &world,
        &scheduled("1h", "2h", "triggerOperator: eq\ntriggerThreshold: 1\n", "A_CL | where What == 'delete'"),
    );
    agrees(&world, &scheduled("1d", "1d", "triggerOperator: ne\ntriggerThreshold: 0\n", "A_CL | summarize by Who"));
    agrees(&world, &scheduled("1h", "2h", "", "R_CL | where What == 'create'"));
}

#[test]
fn overlapping_runs_raise_a_row_once_and_count() {
    let world = world();
    let library = scheduled("1h", "1d", "", "A_CL | where What == 'delete' | summarize by Who, TimeGenerated");
    let hunt = world.hunt(&library, &options());
    let rows: usize = hunt.alerts.iter().map(|alert| alert.rows.len()).sum();
    assert_eq!(rows, 2, "two deletions, each once");
    assert!(
        hunt.alerts.iter().all(|alert| alert.runs == 24),
        "{:?}",
        hunt.alerts.iter().map(|a| a.runs).collect::<Vec<_>>()
    );
}

#[test]
fn equal_rows_of_distant_days_are_two_alerts() {
    let world = world();
    // Ann creates on the first day and on the second, Bob on the first and on the eighth.
    let library = scheduled("1d", "1d", "", "A_CL | where What == 'create' and Who in ('ann', 'bob') | project Who");
    let hunt = world.hunt(&library, &options());
    let rows: usize = hunt.alerts.iter().map(|alert| alert.rows.len()).sum();
    assert_eq!(rows, 4);
}

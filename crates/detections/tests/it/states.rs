//! Every rule ends in exactly one state, and the state says what was there to be seen.

use detections::hunt::HuntOptions;
use detections::library;
use detections::outcome::RuleState;
use detections::rule::AlertSeverity;
use detections::schedule::Mode;
use detections::selection::Selection;
use kql_types::datetime::TICKS_PER_DAY;

use crate::data::{HOUR, World, day_zero, event, options, scheduled};

fn world() -> World {
    World::new(&[("A_CL", vec![event(0, "ann", "login", 1), event(2 * HOUR, "eve", "create", 2)])])
}

fn state_with(query: &str, extra: &str, options: &HuntOptions) -> (RuleState, String) {
    let hunt = world().hunt(&scheduled("1h", "1h", extra, query), options);
    assert_eq!(hunt.outcomes.len(), 1);
    (hunt.outcomes[0].state, hunt.outcomes[0].reason.clone())
}

fn state(query: &str) -> (RuleState, String) {
    state_with(query, "", &options())
}

#[test]
fn each_state_has_its_reason() {
    assert_eq!(state("A_CL | where Who == 'eve'"), (RuleState::Fired, String::new()));
    assert_eq!(state("A_CL | where Who == 'zoe'"), (RuleState::Silent, String::new()));
    let partial = state("union A_CL, B_CL | where Who == 'zoe'");
    assert_eq!(partial, (RuleState::Partial, "B_CL had no rows".to_string()));
    assert_eq!(state("B_CL"), (RuleState::NoData, "B_CL had no rows".to_string()));
    let (invalid, reason) = state("A_CL | where Whoo == 'x'");
    assert_eq!(invalid, RuleState::Invalid);
    assert!(reason.contains("Whoo"), "{reason}");
    assert_eq!(state_with("A_CL", "enabled: false\n", &options()).0, RuleState::Skipped);
}

#[test]
fn what_nobody_answers_makes_a_rule_partial() {
    let (state_of, reason) = state("A_CL | where geo_info_from_ip_address(Who).country == 'Ruritania'");
    assert_eq!(state_of, RuleState::Partial);
    assert!(reason.contains("geo_info_from_ip_address()"), "{reason}");
    let (state_of, reason) = state("A_CL | invoke FileProfile(Who) | where GlobalPrevalence < 100");
    assert_eq!(state_of, RuleState::Partial);
    assert!(reason.contains("FileProfile()"), "{reason}");
    assert_eq!(state("A_CL | invoke FileProfile(Who) | where isempty(Signer)").0, RuleState::Fired);
    // A function that is not called asks nobody.
    let uncalled = "let f = (ip:string) { geo_info_from_ip_address(ip) }; A_CL | where Who == 'zoe'";
    assert_eq!(state(uncalled).0, RuleState::Silent);
}

#[test]
fn rows_outside_all_windows_are_told_apart_from_no_rows() {
    let from = day_zero() + 10 * TICKS_PER_DAY;
    let options = HuntOptions { mode: Mode::Sweep { from: Some(from), to: Some(from + HOUR) }, ..options() };
    let (state, reason) = state_with("A_CL", "", &options);
    assert_eq!(state, RuleState::OutOfWindow);
    assert!(reason.contains("only outside the windows"), "{reason}");
}

#[test]
fn a_rule_that_fires_on_nothing_does_not_fire_on_a_table_that_was_not_loaded() {
    let nothing = "triggerOperator: eq\ntriggerThreshold: 0\n";
    assert_eq!(state_with("A_CL | where Who == 'zoe'", nothing, &options()).0, RuleState::Fired);
    assert_eq!(state_with("B_CL", nothing, &options()).0, RuleState::NoData);
    assert_eq!(state_with("union A_CL, B_CL | where Who == 'zoe'", nothing, &options()).0, RuleState::Partial);
}

#[test]
fn selections_skip_and_say_so() {
    let selection = Selection { tables: vec!["B_CL".to_string()], ..Selection::default() };
    assert_eq!(state_with("A_CL", "", &HuntOptions { selection, ..options() }).0, RuleState::Skipped);
    let selection = Selection { severities: vec![AlertSeverity::Low], ..Selection::default() };
    assert_eq!(state_with("A_CL", "", &HuntOptions { selection, ..options() }).0, RuleState::Skipped);
}

#[test]
fn no_rule_is_lost_or_counted_twice() {
    let good = "id: a\nname: a\nqueryFrequency: 1h\nquery: A_CL\n";
    let library = library::from_texts([
        ("a.yaml", good),
        ("b.yaml", good),
        ("c.yaml", "id: c\nname: c\nquery: B_CL\n"),
        ("d.yaml", "id: d\nname: [\nquery: x\n"),
        ("e.yaml", "name: something else\n"),
        ("f.kql", "A_CL | nonsense"),
    ]);
    let one = world().hunt(&library, &options());
    let two = world().hunt(&library, &HuntOptions { threads: 2, ..options() });
    let states: Vec<(&str, RuleState)> = one.outcomes.iter().map(|o| (o.file.as_str(), o.state)).collect();
    assert_eq!(
        states,
        [
            ("a.yaml", RuleState::Fired),
            ("b.yaml", RuleState::Skipped),
            ("c.yaml", RuleState::NoData),
            ("d.yaml", RuleState::Invalid),
            ("f.kql", RuleState::Invalid),
        ]
    );
    assert_eq!(one.alerts, two.alerts);
    let plain = |hunt: &detections::hunt::Hunt| -> Vec<_> {
        hunt.outcomes.iter().map(|o| (o.id.clone(), o.state, o.reason.clone(), o.runs, o.alerts)).collect()
    };
    assert_eq!(plain(&one), plain(&two));
}

#[test]
fn alerts_point_at_their_records() {
    let hunt = world().hunt(&scheduled("1h", "1h", "", "A_CL | where Who == 'eve' | project Who"), &options());
    let row = &hunt.alerts[0].rows[0];
    assert_eq!(row.sources.places, [tables::pack_source(0, 1)]);
    let hunt = world().hunt(&scheduled("1d", "1d", "", "A_CL | summarize N = count() by What"), &options());
    let places: Vec<_> = hunt.alerts[0].rows.iter().map(|row| row.sources.places.clone()).collect();
    assert_eq!(places.len(), 2);
    assert!(places.iter().all(|places| places.len() == 1), "{places:?}");
}

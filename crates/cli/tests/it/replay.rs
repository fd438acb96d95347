//! `tidewatch hunt --replay`: alerts and incidents as the service would have raised them.

use serde_json::Value as Json;

use crate::logs::{LAUNCH_RULE, launch, record, trail};
use crate::run::Folder;

/// Three launches between 10:00 and 15:00, and a rule that looks each hour at the past hours.
fn folder(period: &str, more: &str) -> Folder {
    let folder = Folder::new();
    let rule = LAUNCH_RULE
        .replace("queryFrequency: 1d", "queryFrequency: 1h")
        .replace("queryPeriod: 1d", &format!("queryPeriod: {period}"));
    folder.write("rules/launch.yaml", &(rule + more));
    let records = [
        record(1, "2026-03-01T10:00:00Z", "DescribeInstances", "ann"),
        launch(2, "2026-03-01T10:30:00Z", "mallory", "i-1"),
        launch(3, "2026-03-01T11:57:00Z", "mallory", "i-2"),
        launch(4, "2026-03-01T12:30:00Z", "mallory", "i-3"),
        record(5, "2026-03-01T15:00:00Z", "DescribeInstances", "ann"),
    ];
    folder.write("logs/trail.json", &trail(&records));
    folder
}

fn replay(folder: &Folder, more: &[&str]) -> Json {
    let mut args = vec!["hunt", "rules", "--logs", "logs", "--replay", "--format", "json"];
    args.extend(more);
    let run = folder.run(&args);
    assert_eq!(run.code, 1, "{}", run.err);
    run.json()
}

/// When each alert was made, and its rows, oldest first.
fn made(report: &Json) -> Vec<(String, usize)> {
    let alerts = report["alerts"].as_array().unwrap().iter().rev();
    alerts.map(|a| (a["made"].as_str().unwrap()[11..16].to_string(), a["rows"].as_array().unwrap().len())).collect()
}

#[test]
fn a_late_record_is_missed_where_the_period_equals_the_frequency() {
    let folder = folder("1h", "");
    let report = replay(&folder, &[]);
    assert_eq!(report["mode"]["kind"], "replay");
    assert_eq!(made(&report), [("11:05".to_string(), 1), ("13:05".to_string(), 1)]);
    let rule = &report["replay"]["rules"][0];
    assert_eq!((&rule["missed"], &rule["doubled"], &rule["rows"]), (&Json::from(1), &Json::from(0), &Json::from(2)));
    assert_eq!((&rule["method"], &rule["queries"]), (&Json::from("one-pass"), &Json::from(1)));
    assert_eq!(rule["period_equals_frequency"], true);
    assert_eq!(report["replay"]["methods"]["one-pass"], 1);
    let arrival = &report["replay"]["arrivals"][0];
    assert_eq!((&arrival["table"], &arrival["delay"]), (&Json::from("AWSCloudTrail"), &Json::from("00:10:00")));
    assert_eq!((&arrival["by_delay"], &arrival["from_evidence"]), (&Json::from(5), &Json::from(0)));
    let incidents = report["replay"]["incidents"].as_array().unwrap();
    assert_eq!(incidents.len(), 2);
    assert_eq!(incidents[0]["AlertIds"][0], report["alerts"][1]["id"]);
    assert_eq!(report["alerts"][0]["incident"], 2);
    assert_eq!(report["alerts"][0]["security_alert"]["TimeGenerated"], report["alerts"][0]["made"]);
    let soon = replay(&folder, &["--arrival", "AWSCloudTrail=1m"]);
    assert_eq!(made(&soon).len(), 3);
    assert_eq!(soon["replay"]["rules"][0]["missed"], 0);
}

#[test]
fn overlapping_windows_double_and_incidents_group() {
    let grouping = "incidentConfiguration:\n  createIncident: true\n  groupingConfiguration:\n    enabled: true\n    \
        lookbackDuration: 5h\n    matchingMethod: AnyAlert\n";
    let folder = folder("2h", grouping);
    let report = replay(&folder, &[]);
    let expected = [("11:05", 1), ("12:05", 1), ("13:05", 2), ("14:05", 1)];
    assert_eq!(made(&report), expected.map(|(time, rows)| (time.to_string(), rows)));
    let rule = &report["replay"]["rules"][0];
    assert_eq!((&rule["missed"], &rule["doubled"]), (&Json::from(0), &Json::from(2)));
    let incidents = report["replay"]["incidents"].as_array().unwrap();
    assert_eq!(incidents.len(), 4, "one row for the incident and one for each change");
    assert!(incidents.iter().all(|row| row["IncidentNumber"] == 1));
    assert_eq!(incidents[3]["AdditionalData"]["alertsCount"], 4);
}

#[test]
fn people_and_lines_are_told_the_same() {
    let folder = folder("1h", "suppressionEnabled: true\nsuppressionDuration: 2h\n");
    let text = folder.run(&["hunt", "rules", "--logs", "logs", "--replay"]).out;
    for part in [
        "replayed as the service runs it",
        "missed 1 rows that a sweep raises (period = frequency",
        "incident 2",
        "left out by suppression",
        "2 incidents",
        "00:10:00",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let lines = folder.run(&["hunt", "rules", "--logs", "logs", "--replay", "--format", "ndjson"]).lines();
    let kinds: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["rule", "alert", "alert", "arrival", "replay", "incident", "incident"]);
    assert_eq!(folder.run(&["hunt", "rules", "--logs", "logs", "--replay", "--once"]).code, 2);
    assert_eq!(folder.run(&["hunt", "rules", "--logs", "logs", "--replay", "--arrival", "x"]).code, 2);
}

//! `docs/real-logs.md` says what real logs hold and what the detections make of them: it stays true.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::run::Folder;

/// The numbers of a table of the page: first cell, then counts of records and rows.
fn counts(page: &str, is_row: impl Fn(&str) -> bool) -> BTreeMap<String, (u64, u64)> {
    let mut counts = BTreeMap::new();
    for line in page.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if let [name, records, rows, ..] = cells[..]
            && is_row(name)
        {
            counts.insert(name.to_string(), (records.parse().unwrap(), rows.parse().unwrap()));
        }
    }
    counts
}

/// The built-in detections that the published ones became.
const FIVE: [&str; 5] = [
    "compute-modification",
    "instance-creation",
    "instance-creation-after-alert",
    "rising-resource-creation",
    "run-command-after-rare-sign-in",
];

fn hunt(logs: &str) -> Option<Json> {
    let samples = testing::shared(&format!("samples/{logs}"))?.canonicalize().unwrap();
    let seeds = testing::shared("seeds")?.canonicalize().unwrap();
    let built_in = testing::workspace_root().join("rules").canonicalize().unwrap();
    let mut paths: Vec<_> = std::fs::read_dir(seeds).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    paths.extend(FIVE.map(|name| built_in.join(name)));
    let rules: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
    let logs = samples.to_str().unwrap();
    let run = Folder::new().run(&[&["hunt"], &rules[..], &["--logs", logs, "--format", "json"]].concat());
    Some(run.json())
}

fn page() -> String {
    std::fs::read_to_string(testing::workspace_root().join("docs/real-logs.md")).unwrap()
}

/// The state and the number of result rows of each rule, by file or folder.
fn states(report: &Json) -> BTreeMap<String, (String, u64)> {
    let name = |rule: &Json| {
        let file = rule["file"].as_str().unwrap();
        let mut parts = file.rsplit('/');
        let last = parts.next().unwrap();
        let name = if last == "rule.yaml" { parts.next().unwrap() } else { last };
        name.trim_end_matches(".yaml").to_string()
    };
    let rules = report["rules"].as_array().unwrap().iter();
    rules
        .map(|rule| (name(rule), (rule["state"].as_str().unwrap().to_string(), rule["rows"].as_u64().unwrap())))
        .collect()
}

#[test]
fn attack_logs_are_as_the_page_says() {
    let Some(report) = hunt("stratus-cloudtrail") else { return };
    let stated = counts(&page(), |name| name.starts_with("aws."));
    assert_eq!(stated.len(), 35);
    let sources = report["sources"].as_array().unwrap();
    let found: BTreeMap<String, (u64, u64)> = sources
        .iter()
        .map(|s| {
            let name = s["path"].as_str().unwrap().rsplit('/').next().unwrap().trim_end_matches(".json");
            (name.to_string(), (s["records"].as_u64().unwrap(), s["rows"].as_u64().unwrap()))
        })
        .collect();
    assert_eq!(found, stated);
    assert_eq!(report["summary"]["alerts"], 0);
    let states = states(&report);
    let of_state = |state: &str| -> BTreeSet<&str> {
        states.iter().filter(|(_, (found, _))| found == state).map(|(name, _)| name.as_str()).collect()
    };
    let partial = ["create-cloud-instance", "instance-creation", "instance-creation-after-alert"];
    assert_eq!(of_state("partial"), partial.into());
    assert_eq!(of_state("no-data").len(), 7, "{states:?}");
}

/// Rule, state and number of result rows.
type Expected<'a> = &'a [(&'a str, &'a str, u64)];

#[test]
fn single_events_are_as_the_page_says() {
    let stated = counts(&page(), |name| name.ends_with(".ndjson"));
    let expected: [(&str, Expected); 4] = [
        ("aws-cloudtrail.ndjson", &[("create-cloud-instance", "fired", 4), ("instance-creation", "fired", 2)]),
        (
            "azure-activity.ndjson",
            &[
                ("create-cloud-instance", "fired", 2),
                ("instance-creation", "fired", 2),
                ("modify-cloud-compute", "fired", 3),
                ("compute-modification", "fired", 3),
                ("run-command-ueba", "partial", 0),
                ("rising-resource-creation", "partial", 0),
            ],
        ),
        ("azure-entra.ndjson", &[("instance-creation", "no-data", 0)]),
        ("gcp-audit.ndjson", &[("instance-creation", "partial", 0), ("suspicious-vm-creation", "partial", 0)]),
    ];
    for (file, rules) in expected {
        let Some(report) = hunt(file) else { return };
        let source = &report["sources"][0];
        let found = (source["records"].as_u64().unwrap(), source["rows"].as_u64().unwrap());
        assert_eq!(Some(&found), stated.get(file), "{file}");
        let states = states(&report);
        for (rule, state, rows) in rules {
            assert_eq!(states.get(*rule), Some(&(state.to_string(), *rows)), "{file}: {rule}");
        }
        let fired = rules.iter().filter(|(_, state, _)| *state == "fired").count() as u64;
        assert_eq!(report["summary"]["states"]["fired"].as_u64(), Some(fired), "{file}: no other rule fires");
    }
}

#[test]
fn further_detections_find_what_attack_logs_hold() {
    let Some(samples) = testing::shared("samples/stratus-cloudtrail") else { return };
    let samples = samples.canonicalize().unwrap();
    let found = |technique: &str| -> BTreeSet<String> {
        let file = samples.join(format!("{technique}.json"));
        let report = Folder::new().run(&["hunt", "--logs", file.to_str().unwrap(), "--format", "json"]).json();
        let fired = states(&report).into_iter().filter(|(_, (state, _))| state == "fired");
        fired.map(|(name, _)| name).collect()
    };
    let shared = BTreeSet::from(["snapshot-shared-outside".to_string()]);
    for technique in ["ec2-share-ebs-snapshot", "ec2-share-ami", "rds-share-snapshot"] {
        assert_eq!(found(&format!("aws.exfiltration.{technique}")), shared, "{technique}");
    }
    let command = BTreeSet::from(["remote-command-unusual".to_string()]);
    for technique in ["aws.execution.ssm-send-command", "aws.execution.ssm-start-session"] {
        assert_eq!(found(technique), command, "{technique}");
    }
    // One denied launch is no series of them.
    assert_eq!(found("aws.execution.ec2-launch-unusual-instances"), BTreeSet::new());
}

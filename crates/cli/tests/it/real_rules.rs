//! A hunt over hundreds of published rules and real logs: nothing is lost, nothing counted twice, and the number of
//! threads changes no byte.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::Value as Json;

use crate::run::{Folder, Run};

/// One published rule in so many is hunted.
const EVERY: usize = 7;
/// At least so many rules.
const RULES_MIN: usize = 300;

/// Schedules as published rules have them: (frequency, period).
const SCHEDULES: [(&str, &str); 3] = [("1d", "1d"), ("1d", "7d"), ("12h", "1d")];

/// The rules of the corpus as files: YAML for analytic rules, plain queries for hunting. Returns the names by file.
fn write_rules(folder: &Folder, corpus: &std::path::Path) -> BTreeMap<String, String> {
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(corpus).unwrap()).read_to_string(&mut text).unwrap();
    let rules = text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let rules = rules.filter(|rule| matches!(rule["kind"].as_str(), Some("scheduled" | "nrt" | "hunting")));
    let mut written = BTreeMap::new();
    for (number, rule) in rules.step_by(EVERY).enumerate() {
        let (id, query) = (rule["id"].as_str().unwrap(), rule["query"].as_str().unwrap());
        let kind = rule["kind"].as_str().unwrap();
        let name = format!("{id} {kind}");
        let file = if kind == "hunting" {
            let file = format!("rules/Hunting Queries/{name}.kql");
            folder.write(&file, query);
            file
        } else {
            let (frequency, period) = SCHEDULES[number % SCHEDULES.len()];
            let when = match kind {
                "nrt" => "kind: NRT\n".to_string(),
                _ => format!(
                    "kind: Scheduled\nqueryFrequency: {frequency}\nqueryPeriod: {period}\ntriggerOperator: gt\ntriggerThreshold: 0\n"
                ),
            };
            let query: String = query.lines().map(|line| format!("    {line}\n")).collect();
            let file = format!("rules/Analytic Rules/{name}.yaml");
            folder.write(&file, &format!("id: {id}\nname: {name}\nseverity: Medium\n{when}query: |4\n{query}"));
            file
        };
        assert!(written.insert(file, name).is_none(), "{id} twice");
    }
    written
}

fn hunt(folder: &Folder, logs: &str, threads: &str) -> Run {
    folder.run(&["hunt", "rules", "--logs", logs, "--format", "json", "--time-limit", "20m", "--threads", threads])
}

#[test]
fn published_rules_over_real_logs_all_end_in_one_state() {
    let Some(corpus) = testing::shared("corpus/sentinel-open.jsonl.gz") else { return };
    let Some(logs) = testing::shared("samples") else { return };
    let logs = logs.canonicalize().unwrap();
    let folder = Folder::new();
    let written = write_rules(&folder, &corpus);
    assert!(written.len() >= RULES_MIN, "{} rules", written.len());
    let [one, two] = ["1", "2"].map(|threads| hunt(&folder, logs.to_str().unwrap(), threads));
    assert_eq!(one.code, two.code);
    assert!(one.out == two.out, "one and two threads give other bytes: {}", first_difference(&one.out, &two.out));
    let report = one.json();
    let rules = report["rules"].as_array().unwrap();
    let text = |rule: &Json, field: &str| rule[field].as_str().unwrap().to_string();
    let found: BTreeMap<String, String> = rules.iter().map(|rule| (text(rule, "file"), text(rule, "name"))).collect();
    assert_eq!(found.len(), rules.len(), "a rule was counted twice");
    assert_eq!(found, written, "a rule was lost");
    let mut states: BTreeMap<String, u64> = BTreeMap::new();
    rules.iter().for_each(|rule| *states.entry(text(rule, "state")).or_default() += 1);
    let summary = report["summary"]["states"].as_object().unwrap();
    for (state, count) in summary {
        assert_eq!(count.as_u64().unwrap(), states.get(state).copied().unwrap_or(0), "{state}");
    }
    assert_eq!(states.values().sum::<u64>(), written.len() as u64, "{states:?}");
    assert_eq!(report["summary"]["rules"].as_u64().unwrap(), written.len() as u64);
    // A limit would make the answer depend on the machine.
    let limited: Vec<&Json> = rules.iter().filter(|rule| text(rule, "reason").contains("limit")).collect();
    assert!(limited.is_empty(), "{limited:#?}");
    // The hunt was one: rules fired, and rules had tables and stayed silent.
    assert!(
        states.contains_key("fired") && states.contains_key("silent") && states.contains_key("no-data"),
        "{states:?}"
    );
    let alerts: u64 = rules.iter().map(|rule| rule["alerts"].as_u64().unwrap()).sum();
    assert_eq!(alerts, report["alerts"].as_array().unwrap().len() as u64);
}

fn first_difference(a: &str, b: &str) -> String {
    let line = a.lines().zip(b.lines()).enumerate().find(|(_, (a, b))| a != b);
    line.map_or("their lengths".to_string(), |(number, (a, b))| format!("line {}: {a} / {b}", number + 1))
}

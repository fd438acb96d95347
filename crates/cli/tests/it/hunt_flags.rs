//! The options of `tidewatch hunt` that choose rules, and its forms of output.

use serde_json::{Value as Json, json};

use crate::logs::{LAUNCH_RULE, folder_with_launches};
use crate::run::Folder;

const ALERT_RULE: &str = "id: 5a0c7e64-0000-4000-8000-0000000000aa
name: Alerts of the day
severity: High
kind: Scheduled
queryFrequency: 1d
queryPeriod: 1d
tactics: [InitialAccess]
relevantTechniques: [T1078]
query: |
  SigninLogs | where ResultType == '0'
";

const BOTH_RULE: &str = "id: 5a0c7e64-0000-4000-8000-0000000000bb
name: Both tables
severity: Low
kind: Scheduled
queryFrequency: 1d
queryPeriod: 1d
tactics: [Execution]
relevantTechniques: [T1078.004, T1651]
query: |
  union AWSCloudTrail, SigninLogs | where EventName == 'never'
";

fn folder() -> Folder {
    let folder = folder_with_launches();
    folder.write("rules/identity/alerts.yaml", ALERT_RULE);
    folder.write("rules/both.yaml", BOTH_RULE);
    folder
}

fn hunt(folder: &Folder, more: &[&str]) -> Json {
    let mut args = vec!["hunt", "rules", "--logs", "logs", "--format", "json"];
    args.extend(more);
    folder.run(&args).json()
}

/// The names of the rules that were run, and the reasons of those that were not.
fn kept(report: &Json) -> (Vec<&str>, Vec<&str>) {
    let rules = report["rules"].as_array().unwrap();
    let (skipped, kept): (Vec<&Json>, Vec<&Json>) = rules.iter().partition(|rule| rule["state"] == "skipped");
    let mut names: Vec<&str> = kept.iter().map(|rule| rule["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    let mut reasons: Vec<&str> = skipped.iter().map(|rule| rule["reason"].as_str().unwrap()).collect();
    reasons.dedup();
    (names, reasons)
}

#[test]
fn rules_are_chosen_by_severity_technique_table_and_id() {
    let folder = folder();
    let all = ["Alerts of the day", "Both tables", "Instance launched"];
    assert_eq!(kept(&hunt(&folder, &[])), (all.to_vec(), vec![]));
    let cases: [(&[&str], &[&str], &str); 12] = [
        (&["--severity", "high"], &["Alerts of the day"], "severity not asked for"),
        (&["--severity", "high,low"], &["Alerts of the day", "Both tables"], "severity not asked for"),
        (&["--technique", "T1078"], &["Alerts of the day", "Both tables"], "technique not asked for"),
        (&["--technique", "t1078.004"], &["Both tables"], "technique not asked for"),
        (&["--technique", "T1651,T1578"], &["Both tables", "Instance launched"], "technique not asked for"),
        (&["--table", "SigninLogs"], &["Alerts of the day", "Both tables"], "reads none of the tables asked for"),
        (&["--table", "awscloudtrail"], &["Both tables", "Instance launched"], "reads none of the tables asked for"),
        (&["--id", "5A0C7E64-0000-4000-8000-0000000000AA"], &["Alerts of the day"], "not among the ids asked for"),
        (
            &["--id", "instance launched", "--id", "identity/"],
            &["Alerts of the day", "Instance launched"],
            "not among the ids asked for",
        ),
        (&["--exclude", "both.yaml"], &["Alerts of the day", "Instance launched"], "excluded by `both.yaml`"),
        (&["--technique", "T1078", "--exclude", "Both tables"], &["Alerts of the day"], "excluded by `Both tables`"),
        (&["--severity", "informational"], &[], "severity not asked for"),
    ];
    for (options, names, reason) in cases {
        let report = hunt(&folder, options);
        let (found, reasons) = kept(&report);
        assert_eq!(found, names, "{options:?}");
        assert!(reasons.contains(&reason), "{options:?}: {reasons:?}");
        let states = report["summary"]["states"].as_object().unwrap();
        assert_eq!(states.values().map(|count| count.as_u64().unwrap()).sum::<u64>(), 3, "{options:?}");
        assert_eq!(states["skipped"].as_u64().unwrap() as usize, 3 - names.len(), "{options:?}");
    }
    let wrong = folder.run(&["hunt", "rules", "--logs", "logs", "--severity", "urgent"]);
    assert_eq!(wrong.code, 2, "{}", wrong.err);
}

#[test]
fn reference_tables_are_visible_in_every_window_unless_fidelity_is_asked_for() {
    let folder = folder_with_launches();
    let person = json!({
        "TimeGenerated": "2026-01-01T00:00:00Z", "AccountName": "mallory", "JobTitle": "Gardener", "Type": "IdentityInfo",
    });
    folder.write("logs/IdentityInfo.ndjson", &format!("{person}\n"));
    let query = "AWSCloudTrail | where EventName == 'RunInstances' and isempty(ErrorCode)\n\
        \x20 | join kind=inner (IdentityInfo | project AccountName, JobTitle) on $left.UserIdentityUserName == $right.AccountName\n\
        \x20 | project TimeGenerated, JobTitle";
    let (head, _) = LAUNCH_RULE.split_once("query:").unwrap();
    folder.write("rules/launch.yaml", &format!("{head}query: |\n  {query}\n"));
    let open = hunt(&folder, &[]);
    assert_eq!((&open["rules"][0]["state"], &open["summary"]["alerts"]), (&json!("fired"), &json!(2)), "{open}");
    assert_eq!(open["alerts"][0]["rows"][0]["values"]["JobTitle"], "Gardener");
    assert_eq!(open["reference_tables"], "visible in every window");
    let clipped = hunt(&folder, &["--fidelity"]);
    assert_eq!(clipped["summary"]["alerts"], 0);
    assert_eq!(clipped["rules"][0]["state"], "partial", "{}", clipped["rules"][0]);
    assert_eq!(clipped["reference_tables"], "clipped to the window");
}

#[test]
fn every_format_tells_the_same_alerts() {
    let folder = folder();
    let run = |format: &str| folder.run(&["hunt", "rules", "--logs", "logs", "--format", format]);
    let document = run("json").json();
    let ids: Vec<&Json> = document["alerts"].as_array().unwrap().iter().map(|alert| &alert["id"]).collect();
    assert_eq!(ids.len(), 2);
    let lines = run("ndjson").lines();
    let of_type = |kind: &str| lines.iter().filter(|line| line["type"] == kind).collect::<Vec<_>>();
    assert_eq!(of_type("alert").iter().map(|line| &line["id"]).collect::<Vec<_>>(), ids);
    assert_eq!(of_type("rule").len(), document["rules"].as_array().unwrap().len());
    let csv = run("csv");
    let rows: Vec<&str> = csv.out.lines().collect();
    assert!(rows[0].starts_with("start,end,severity,name,rule_id"), "{}", rows[0]);
    assert_eq!(rows.len(), 1 + ids.len());
    for (row, id) in rows[1..].iter().zip(&ids) {
        assert!(row.contains("Medium") && row.ends_with(id.as_str().unwrap()), "{row}");
        assert!(row.contains("logs/trail.json record "), "{row}");
    }
    let table = run("table");
    assert_eq!(table.code, 1);
    for text in ["Instance launched", "i-0bbb", "203.0.113.9", "T1578.002", "logs/trail.json record 3"] {
        assert!(table.out.contains(text), "{text} in {}", table.out);
    }
    assert_eq!(folder.run(&["hunt", "rules", "--logs", "logs", "--format", "xml"]).code, 2);
}

#[test]
fn strict_refuses_what_only_tidewatch_accepts() {
    let folder = folder_with_launches();
    // The real column is `AWSRegion`.
    folder.write("rules/launch.yaml", &LAUNCH_RULE.replace("Instance, UserAgent", "Instance, AwsRegion"));
    let kind = hunt(&folder, &[]);
    assert_eq!(kind["rules"][0]["state"], "fired", "{}", kind["rules"][0]);
    assert!(!kind["rules"][0]["diagnostics"].as_array().unwrap().is_empty(), "the kindness is told");
    let strict = folder.run(&["hunt", "rules", "--logs", "logs", "--format", "json", "--strict"]);
    assert_eq!((strict.code, &strict.json()["rules"][0]["state"]), (3, &json!("invalid")));
}

#[test]
fn functions_and_schemas_may_be_given() {
    let folder = folder_with_launches();
    folder.write(
        "functions.json",
        r#"{"Launches": {"params": "(who:string)", "body": "AWSCloudTrail | where UserIdentityUserName == who"}}"#,
    );
    folder.write("schemas.json", r#"{"Door_CL": {"TimeGenerated": "datetime", "Badge_s": "string"}}"#);
    folder.write(
        "logs/Door_CL.ndjson",
        "{\"TimeGenerated\": \"2026-03-01T09:00:00Z\", \"Badge_s\": \"77\", \"Type\": \"Door_CL\"}\n",
    );
    folder.write("rules/launch.yaml", &LAUNCH_RULE.replace("  AWSCloudTrail\n", "  Launches('mallory')\n"));
    folder.write("rules/door.kql", "Door_CL | where Badge_s == '77'");
    let report = hunt(&folder, &["--functions", "functions.json", "--schemas", "schemas.json"]);
    assert_eq!(report["summary"]["states"]["fired"], 2, "{}", report["rules"]);
    let without = hunt(&folder, &[]);
    let launch = without["rules"].as_array().unwrap().iter().find(|rule| rule["name"] == "Instance launched").unwrap();
    assert_eq!(launch["state"], "invalid");
}

#[test]
fn a_rule_that_would_run_for_hours_ends_at_its_limit() {
    let folder = folder_with_launches();
    let query = "range A from 1 to 300000 step 1 | extend K = 1\n\
        | join kind=inner (range B from 1 to 300000 step 1 | extend K = 1) on K | summarize count()";
    folder.write("rules/pairs.kql", query);
    let expanded =
        "AWSCloudTrail | mv-expand A = range(1, 100000) | mv-expand B = range(1, 100000) | summarize count()";
    folder.write("rules/expanded.kql", expanded);
    let started = std::time::Instant::now();
    let run = folder.run(&["hunt", "rules", "--logs", "logs", "--format", "json", "--time-limit", "2s"]);
    assert!(started.elapsed().as_secs() < 60, "ended after {:?}", started.elapsed());
    assert_eq!(run.code, 5, "{}", run.err);
    let rules = run.json()["rules"].as_array().unwrap().clone();
    for name in ["pairs", "expanded"] {
        let rule = rules.iter().find(|rule| rule["name"] == name).unwrap();
        assert_eq!(rule["state"], "failed", "{rule}");
        assert!(rule["reason"].as_str().unwrap().contains("longer than"), "{rule}");
    }
    let other = rules.iter().find(|rule| rule["name"] == "Instance launched").unwrap();
    assert_eq!(other["state"], "fired", "the other rules are judged");
}

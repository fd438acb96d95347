//! `tidewatch.yaml`: rules are chosen and changed without a change to their files.

use serde_json::{Value as Json, json};

use crate::logs::{LAUNCH_RULE, folder_with_launches};
use crate::run::Folder;

const ID: &str = "5a0c7e64-0000-4000-8000-000000000001";

fn folder(project: &str) -> Folder {
    let folder = folder_with_launches();
    folder.write("tidewatch.yaml", project);
    folder
}

fn hunt(folder: &Folder, more: &[&str]) -> (i32, Json) {
    let mut args = vec!["hunt", "rules", "--logs", "logs", "--format", "json"];
    args.extend(more);
    let run = folder.run(&args);
    assert!(run.code <= 1, "{}", run.err);
    (run.code, run.json())
}

fn instances(report: &Json) -> Vec<&str> {
    let rows = report["alerts"].as_array().unwrap().iter().flat_map(|alert| alert["rows"].as_array().unwrap());
    rows.map(|row| row["values"]["Instance"].as_str().unwrap()).collect()
}

#[test]
fn excluded_rows_raise_nothing_and_are_counted() {
    let excluding = |condition: &str| format!("rules:\n  {ID}:\n    exclude: {condition}\n    reason: known\n");
    let folder = folder(&excluding("Instance == 'i-0aaa'"));
    for mode in [&[][..], &["--replay"], &["--once", "--as-of", "2026-03-04T13:00:00Z"]] {
        let (_, report) = hunt(&folder, mode);
        assert_eq!(instances(&report), ["i-0bbb"], "{mode:?}");
        assert!(
            report["alerts"][0]["columns"].as_array().unwrap().iter().all(|c| c[0] != "excluded by tidewatch.yaml")
        );
        let query = report["alerts"][0]["query"].as_str().unwrap();
        assert!(!query.contains("i-0aaa"), "the rule's own text: {query}");
    }
    let (_, report) = hunt(&folder, &[]);
    let entry = &report["tuning"]["entries"][0];
    assert_eq!((&entry["standing"], &entry["suppressed_rows"]), (&json!("applied"), &json!(1)));
    assert_eq!(report["rules"][0]["suppressed_rows"], 1);
    let text = folder.run(&["hunt", "rules", "--logs", "logs"]).out;
    assert!(text.contains("Tuning") && text.contains("1 result rows suppressed"), "{text}");
    // A watchlist beside the project file.
    folder.write("watchlists/ci.csv", "Machine,Owner\ni-0bbb,build\ni-0ccc,build\n");
    folder.write("tidewatch.yaml", &excluding("Instance in ((_GetWatchlist('ci') | project Machine))"));
    assert_eq!(instances(&hunt(&folder, &[]).1), ["i-0aaa"]);
    assert_eq!(instances(&hunt(&folder, &["--replay"]).1), ["i-0aaa"]);
    // Both are excluded: the rule is silent.
    folder.write("tidewatch.yaml", &excluding("[Instance == 'i-0aaa', Instance == 'i-0bbb' // and no more]"));
    let (code, report) = hunt(&folder, &[]);
    assert_eq!((code, report["rules"][0]["state"].as_str().unwrap()), (0, "silent"));
    assert_eq!(report["tuning"]["suppressed_rows"], 2);
}

#[test]
fn severity_threshold_and_off_hold_until_their_day() {
    let changed = |lines: &str| {
        let folder = folder(&format!("rules:\n  Instance launched: {lines}\n"));
        hunt(&folder, &[]).1
    };
    assert_eq!(changed("{severity: High}")["alerts"][0]["severity"], "High");
    assert!(changed("{threshold: 1}")["alerts"].as_array().unwrap().is_empty());
    let off = changed("{enabled: false, reason: moved to another team}");
    assert_eq!(off["rules"][0]["state"], "skipped");
    assert_eq!(off["rules"][0]["reason"], "switched off by tidewatch.yaml: moved to another team");
    let over = changed("{enabled: false, until: 2020-01-01}");
    assert_eq!(over["rules"][0]["state"], "fired");
    assert_eq!(over["tuning"]["entries"][0]["standing"], "expired");
}

#[test]
fn entries_without_effect_are_told() {
    let project = format!("rules:\n  nobody: {{enabled: false}}\n  {ID}: {{exclude: Instance == 'i-9'}}\n");
    let folder = folder(&project);
    let (_, report) = hunt(&folder, &[]);
    let standings: Vec<&Json> =
        report["tuning"]["entries"].as_array().unwrap().iter().map(|entry| &entry["standing"]).collect();
    assert_eq!(standings, ["unused", "unused"]);
    folder.write("tidewatch.yaml", &format!("rules:\n  {ID}: {{exclude: Nothing == 1}}\n"));
    let (_, report) = hunt(&folder, &[]);
    let entry = &report["tuning"]["entries"][0];
    assert_eq!(entry["standing"], "invalid");
    assert!(entry["message"].as_str().unwrap().contains("Nothing"), "{entry}");
    assert_eq!(instances(&report).len(), 2, "the rule runs as its file says");
    folder.write("tidewatch.yaml", "rules:\n  a: {treshold: 1}\n");
    let run = folder.run(&["hunt", "rules", "--logs", "logs"]);
    assert_eq!(run.code, 4);
    assert!(run.err.contains("`treshold` is not known here"), "{}", run.err);
}

#[test]
fn sources_are_the_rules_where_none_are_given() {
    let folder = folder("sources: [rules]\nignore: {path: other}\n");
    folder.write("rules/other/second.yaml", &LAUNCH_RULE.replace(ID, "5a0c7e64-0000-4000-8000-000000000002"));
    let run = folder.run(&["hunt", "--logs", "logs", "--format", "json"]);
    let report = run.json();
    assert_eq!(report["rules_from"], "files");
    let reasons: Vec<&Json> = report["rules"].as_array().unwrap().iter().map(|rule| &rule["reason"]).collect();
    assert_eq!(reasons, ["", "ignored by tidewatch.yaml, by its path"]);
    folder.write("tidewatch.yaml", "sources: [rules]\nselect: {table: SigninLogs}\n");
    let report = folder.run(&["hunt", "--logs", "logs", "--format", "json"]).json();
    assert!(report["rules"].as_array().unwrap().iter().all(|rule| rule["state"] == "skipped"), "{report}");
}

#[test]
fn lint_test_and_explain_follow_the_project_file() {
    let folder = folder("ignore: {id: Instance launched}\n");
    assert_eq!(folder.run(&["lint", "rules", "--format", "json"]).json()["findings"], json!([]));
    folder.write("tidewatch.yaml", "ignore: {table: AWSCloudTrail}\n");
    assert_eq!(folder.run(&["lint", "rules", "--format", "json"]).json()["findings"], json!([]));
    folder.write("tidewatch.yaml", &format!("rules:\n  {ID}: {{exclude: Instance == 'i-0aaa'}}\n"));
    let text = folder.run(&["explain", "rules/launch.yaml", "--logs", "logs", "--whole"]).out;
    assert!(text.contains("where not("), "{text}");
    folder.write("tidewatch.yaml", &format!("rules:\n  {ID}: {{severity: High, until: 2020-01-01}}\n"));
    for args in [&["lint", "rules"][..], &["explain", "rules/launch.yaml", "--logs", "logs"], &["test", "rules"]] {
        assert!(folder.run(args).err.contains("has expired (severity High)"), "{args:?}");
    }
    folder.write("tidewatch.yaml", &format!("rules:\n  {ID}: {{exclude: Instance == 'i-0aaa'}}\n"));
    let test = "query_now: 2026-03-02T00:00:00Z\ncases:\n  - name: a known instance is silent\n    files: [logs]\n    \
        events:\n      - file: ../logs/trail.json\n    expect: {alerts: 0}\n";
    folder.write("rules/launch.test.yaml", test.replace("    files: [logs]\n", "").as_str());
    let run = folder.run(&["test", "rules"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    folder.write("tidewatch.yaml", "{}\n");
    assert_eq!(folder.run(&["test", "rules"]).code, 1, "without the exclusion it raises an alert");
}

#[test]
fn lint_and_explain_are_told_how_logs_are_read_and_tests_where_addresses_are() {
    let folder = folder_with_launches();
    for args in [
        &["lint", "rules", "--logs", "logs", "--source", "no such source"][..],
        &["explain", "rules/launch.yaml", "--logs", "logs", "--tz", "Nowhere/Atlantis"],
    ] {
        let run = folder.run(args);
        assert_eq!(run.code, 2, "{}", run.err);
        assert!(run.err.contains("--source") || run.err.contains("--tz"), "{}", run.err);
    }
    folder.write("rules/launch.test.yaml", "query_now: 2026-03-02T00:00:00Z\ncases:\n  - name: a\n    expect: none\n");
    let run = folder.run(&["test", "rules", "--geoip", "none.mmdb"]);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("none.mmdb"), "{}", run.out);
}

//! `tidewatch lint`: forms of output, fixes, baselines, git revisions, exit codes.

use std::process::Command;

use serde_json::Value as Json;

use crate::logs::{LAUNCH_RULE, launch, trail};
use crate::run::Folder;

const SLOPPY: &str = "id: 6f1d2c3b-0000-4000-8000-000000000001
name: Sloppy
description: d
severity: Low
kind: Scheduled
requiredDataConnectors: []
queryFrequency: 1h
queryPeriod: 1h
triggerOperator: gt
triggerThreshold: 0
tactics: [Impact]
version: 1.0.0
query: |
  AWSCloudTrail
  | where EventName has \"Delete\"
  | summarize makeset(EventName) by UserIdentityArn
";

#[test]
fn findings_have_places_and_an_exit_code() {
    let folder = Folder::new();
    folder.write("rules/sloppy.yaml", SLOPPY);
    let run = folder.run(&["lint", "rules"]);
    assert_eq!(run.code, 1, "{}{}", run.out, run.err);
    assert!(run.out.contains("rules/sloppy.yaml:15:11: warning TW303: "), "{}", run.out);
    assert!(run.out.contains("1 rule: 0 errors, "), "{}", run.out);
    assert_eq!(folder.run(&["lint", "rules", "--select", "TW303", "--fail-on", "error"]).code, 0);
    assert_eq!(
        folder.run(&["lint", "rules", "--select", "TW1", "--ignore", "TW107"]).out,
        "1 rule: 0 errors, 0 warnings, 0 notes\n"
    );
    assert_eq!(folder.run(&["lint", "rules", "--select", "XY1"]).code, 2);
    assert_eq!(folder.run(&["lint", "nowhere"]).code, 1, "a path that cannot be read is TW001");
    let page = folder.run(&["lint", "--explain", "tw303"]);
    assert!(page.code == 0 && page.out.starts_with("# TW303: "), "{}", page.out);
}

#[test]
fn fixes_are_written_and_the_file_is_clean_of_them() {
    let folder = Folder::new();
    let path = folder.write("sloppy.yaml", SLOPPY);
    let run = folder.run(&["lint", "sloppy.yaml", "--fix", "--select", "TW107", "--format", "json"]);
    assert_eq!((run.code, &run.json()["summary"]["fixed"]), (0, &Json::from(1)));
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(text, SLOPPY.replace("makeset", "make_set"));
}

#[test]
fn a_baseline_hides_old_findings() {
    let folder = Folder::new();
    folder.write("sloppy.yaml", SLOPPY);
    folder.run(&["lint", "sloppy.yaml", "--write-baseline", "known.json"]);
    let run = folder.run(&["lint", "sloppy.yaml", "--baseline", "known.json"]);
    assert_eq!(run.code, 0, "{}", run.out);
    folder.write("sloppy.yaml", &SLOPPY.replace("| where", "| where EventName has \"Create\"\n  | where"));
    let run = folder.run(&["lint", "sloppy.yaml", "--baseline", "known.json", "--format", "json"]);
    assert_eq!(run.code, 1);
    assert_eq!(run.json()["findings"].as_array().unwrap().len(), 1, "{}", run.out);
}

/// The parts of the SARIF schema that results use: required members, types, closed values, references into arrays.
fn assert_is_sarif(log: &Json) {
    assert_eq!(log["version"], "2.1.0");
    let runs = log["runs"].as_array().unwrap();
    for run in runs {
        let driver = &run["tool"]["driver"];
        assert!(driver["name"].is_string() && driver["semanticVersion"].is_string());
        let rules = driver["rules"].as_array().unwrap();
        let mut ids: Vec<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
        for rule in rules {
            for text in ["shortDescription", "fullDescription", "help"] {
                assert!(rule[text]["text"].as_str().is_some_and(|text| !text.is_empty()), "{rule}");
            }
            let level = rule["defaultConfiguration"]["level"].as_str().unwrap();
            assert!(["none", "note", "warning", "error"].contains(&level));
        }
        assert!(["utf16CodeUnits", "unicodeCodePoints"].contains(&run["columnKind"].as_str().unwrap()));
        for result in run["results"].as_array().unwrap() {
            assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()), "{result}");
            assert!(["none", "note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(ids[index], result["ruleId"].as_str().unwrap());
            for location in result["locations"].as_array().unwrap() {
                let place = &location["physicalLocation"];
                let uri = place["artifactLocation"]["uri"].as_str().unwrap();
                assert!(!uri.is_empty() && !uri.contains([' ', '\\', '#']), "{uri}");
                let number = |name: &str| place["region"][name].as_u64().unwrap();
                assert!(
                    number("startLine") >= 1 && number("startColumn") >= 1 && number("endLine") >= number("startLine")
                );
                assert!(number("endLine") > number("startLine") || number("endColumn") >= number("startColumn"));
            }
            assert!(result["partialFingerprints"].as_object().unwrap().values().all(Json::is_string));
            for fix in result["fixes"].as_array().into_iter().flatten() {
                for change in fix["artifactChanges"].as_array().unwrap() {
                    assert!(change["artifactLocation"]["uri"].is_string());
                    for replacement in change["replacements"].as_array().unwrap() {
                        assert!(replacement["deletedRegion"]["byteOffset"].is_u64());
                        assert!(replacement["deletedRegion"]["byteLength"].is_u64());
                        assert!(replacement["insertedContent"]["text"].is_string());
                    }
                }
            }
        }
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), rules.len());
    }
}

#[test]
fn sarif_and_annotations_say_the_same() {
    let folder = Folder::new();
    folder.write("my rules/sloppy.yaml", SLOPPY);
    folder.write("my rules/torn.yaml", "id: r9\nname: [\nquery: |\n  T\nqueryFrequency: 1h\n");
    let log = folder.run(&["lint", "my rules", "--format", "sarif"]).json();
    assert_is_sarif(&log);
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert!(results.iter().any(|result| result["ruleId"] == "TW001"), "{results:?}");
    assert!(results.iter().any(|result| result["fixes"].is_array()), "{results:?}");
    let lines = folder.run(&["lint", "my rules", "--format", "github"]).out;
    assert_eq!(lines.lines().count(), results.len());
    assert!(lines.contains("::error file=my rules/torn.yaml,line="), "{lines}");
}

#[test]
fn logs_show_what_never_occurs() {
    let folder = Folder::new();
    folder.write("rules/launch.yaml", &LAUNCH_RULE.replace("RunInstances", "runinstances").replace("=~", "=="));
    folder.write("logs/a.json", &trail(&[launch(1, "2026-02-01T05:05:05Z", "ann", "i-1")]));
    let without = folder.run(&["lint", "rules", "--format", "json", "--select", "TW301"]).json();
    assert_eq!(without["findings"].as_array().unwrap().len(), 0, "{without}");
    let with = folder.run(&["lint", "rules", "--logs", "logs", "--format", "json", "--select", "TW301"]).json();
    assert_eq!(with["findings"].as_array().unwrap().len(), 1, "{with}");
}

fn git(folder: &Folder, args: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"])
        .args(args)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn an_earlier_revision_is_asked_of_git() {
    let folder = Folder::new();
    folder.write("rules/sloppy.yaml", SLOPPY);
    git(&folder, &["init", "-q"]);
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "-q", "-m", "first"]);
    let codes = ["--select", "TW005,TW006", "--format", "json"];
    let lint = |more: &[&str]| folder.run(&[&["lint", "rules"], more, &codes[..]].concat());
    assert_eq!(lint(&["--since", "HEAD"]).json()["findings"], Json::Array(Vec::new()));
    folder.write("rules/sloppy.yaml", &SLOPPY.replace("Delete", "Remove"));
    assert_eq!(lint(&["--since", "HEAD"]).json()["findings"][0]["code"], "TW006");
    assert_eq!(lint(&["--since", "HEAD", "--fix"]).json()["summary"]["fixed"], 1);
    assert_eq!(lint(&["--since", "HEAD"]).json()["findings"], Json::Array(Vec::new()));
    assert_eq!(lint(&["--since", "nothing-like-it"]).code, 2);
}

/// The codes that the lint gives for a query in a rule, over logs.
fn codes_over(folder: &Folder, query: &str, rest: &str) -> Vec<String> {
    let head = SLOPPY.split("query: |").next().unwrap();
    let rule = format!("{}query: |\n  {query}\n{rest}", head.replace("1h", "1d"));
    folder.write("rules/one.yaml", &rule);
    let report = folder.run(&["lint", "rules", "--logs", "logs", "--format", "json"]).json();
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["code"].as_str().unwrap().to_string()).collect()
}

#[test]
fn columns_that_no_loaded_row_fills_are_told() {
    let folder = Folder::new();
    folder.write("logs/trail.json", &trail(&[launch(1, "2026-03-01T12:00:00Z", "mallory", "i-0aaa")]));
    let has = |query: &str| codes_over(&folder, query, "").contains(&"TW308".to_string());
    assert!(has("AWSCloudTrail | where ErrorMessage has \"denied\" | project TimeGenerated"));
    assert!(!has("AWSCloudTrail | where UserAgent has \"aws-cli\" | project TimeGenerated"));
}

#[test]
fn entities_for_which_one_alert_has_no_room_are_told() {
    const MAPPING: &str = "entityMappings:\n  - entityType: IP\n    fieldMappings:\n      - {identifier: Address, columnName: SourceIpAddress}\n";
    const QUERY: &str = "AWSCloudTrail | project TimeGenerated, SourceIpAddress";
    let from_so_many = |count: u32| {
        let folder = Folder::new();
        let records: Vec<Json> = (0..count)
            .map(|n| {
                let mut record = launch(n, "2026-03-01T12:00:00Z", "mallory", "i-0aaa");
                record["sourceIPAddress"] = Json::from(format!("198.18.{}.{}", n / 250, n % 250));
                record
            })
            .collect();
        folder.write("logs/trail.json", &trail(&records));
        folder
    };
    let has = |folder: &Folder, rest: &str| codes_over(folder, QUERY, rest).contains(&"TW408".to_string());
    let many = from_so_many(501);
    assert!(has(&many, MAPPING));
    assert!(!has(&many, &format!("{MAPPING}eventGroupingSettings:\n  aggregationKind: AlertPerResult\n")));
    assert!(!has(&from_so_many(500), MAPPING));
}

#[test]
fn places_of_an_array_that_have_meanings_are_no_first_elements() {
    let folder = Folder::new();
    folder.write("logs/trail.json", &trail(&[launch(1, "2026-03-01T12:00:00Z", "mallory", "i-0aaa")]));
    let has = |query: &str| codes_over(&folder, query, "").contains(&"TW306".to_string());
    let first =
        "AWSCloudTrail | extend Items = parse_json(ResponseElements).items | project TimeGenerated, A = Items[0]";
    assert!(has(first));
    assert!(!has(&format!("{first}, B = Items[1]")));
}

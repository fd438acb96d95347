//! `tidewatch coverage` and `tidewatch catalog`: layers, forms, differences of revisions, filters, feeds.

use std::process::Command;

use crate::logs::{LAUNCH_RULE, launch, trail};
use crate::run::Folder;

const TESTS: &str = "query_now: 2026-02-01T12:00:00Z
cases:
  - name: a launch
    events: [{emulate: aws.ec2-create-instance, at: -1h}]
    expect: {alerts: 1}
";

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("rules/launch.yaml", LAUNCH_RULE);
    folder.write("rules/launch.test.yaml", TESTS);
    let other = LAUNCH_RULE
        .replace("000000000001", "000000000002")
        .replace("Instance launched", "Virtual machine seen")
        .replace("AWSCloudTrail\n  | where EventName == 'RunInstances' and isempty(ErrorCode)", "AzureActivity")
        .replace("  | extend Instance = tostring(parse_json(ResponseElements).instancesSet.items[0].instanceId)\n", "")
        .replace("Actor = UserIdentityArn, SourceIP = SourceIpAddress, Instance, UserAgent", "Actor = Caller")
        .replace("T1578.002", "T1578.003")
        .replace("severity: Medium", "severity: Low");
    folder.write("rules/other.yaml", &other);
    folder.write("logs/run.json", &trail(&[launch(1, "2026-01-05T05:05:05Z", "ann", "i-1")]));
    folder
}

fn git(folder: &Folder, args: &[&str]) {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
    let output = Command::new("git").args(identity).args(args).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn three_layers_are_counted() {
    let folder = folder();
    let run = folder.run(&["coverage", "rules", "--logs", "logs", "--tests", "--format", "json"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    let json = run.json();
    assert_eq!(json["covered"], serde_json::json!({"rules": 2, "data": 1, "tested": 1}), "{json}");
    let layer = |name: &str| {
        let args = ["coverage", "rules", "--logs", "logs", "--tests", "--format", "navigator", "--layer", name];
        folder.run(&args).json()["techniques"].as_array().unwrap().len()
    };
    assert_eq!((layer("rules"), layer("data"), layer("tested")), (2, 1, 1));
    let untested = folder.run(&["coverage", "rules"]);
    assert!(untested.out.contains("| rules with passing tests | not looked at |"), "{}", untested.out);
    let page = folder.run(&["coverage", "rules", "--attack", "19", "--format", "html"]).out;
    assert!(page.starts_with("<!doctype html>") && page.contains("Stealth"), "{page}");
    let builtin = folder.run(&["coverage", "--format", "navigator", "--output", "layer.json"]);
    assert_eq!(builtin.code, 0, "{}", builtin.err);
    let layer: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("layer.json")).unwrap()).unwrap();
    assert_eq!(layer["versions"]["layer"], "4.5");
}

#[test]
fn two_revisions_are_compared() {
    let folder = folder();
    git(&folder, &["init", "-q"]);
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "-q", "-m", "first"]);
    assert!(folder.run(&["coverage", "rules", "--diff", "HEAD"]).out.contains("No technique"));
    std::fs::remove_file(folder.path().join("rules/other.yaml")).unwrap();
    folder.write("rules/launch.yaml", &LAUNCH_RULE.replace("[T1578.002]", "[T1578.002, T1496]"));
    let changes = folder.run(&["coverage", "rules", "--diff", "HEAD", "--format", "json"]).json();
    let shown: Vec<(&str, &str)> = changes["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| (change["id"].as_str().unwrap(), change["change"].as_str().unwrap()))
        .collect();
    assert_eq!(shown, [("T1496", "new"), ("T1578.003", "gone")]);
    git(&folder, &["add", "-A"]);
    git(&folder, &["commit", "-q", "-m", "second"]);
    let between = folder.run(&["coverage", "rules", "--diff", "HEAD~1..HEAD", "--format", "json"]).json();
    assert_eq!(between["changes"], changes["changes"]);
    assert_eq!(folder.run(&["coverage", "rules", "--diff", "nowhere"]).code, 2);
}

#[test]
fn a_catalog_is_filtered_and_written_in_every_form() {
    let folder = folder();
    let names = |filter: &[&str]| -> Vec<String> {
        let json = folder.run(&[&["catalog", "rules", "--format", "json"], filter].concat()).json();
        let rules = json["rules"].as_array().unwrap();
        rules.iter().map(|rule| rule["name"].as_str().unwrap().to_string()).collect()
    };
    let (launch, other) = ("Instance launched", "Virtual machine seen");
    assert_eq!(names(&[]), [launch, other]);
    assert_eq!(names(&["--severity", "low"]), [other]);
    assert_eq!(names(&["--table", "awscloudtrail"]), [launch]);
    assert_eq!(names(&["--technique", "T1578"]).len(), 2);
    assert_eq!(names(&["--tactic", "Stealth"]).len(), 2);
    assert!(names(&["--tactic", "Impact"]).is_empty());
    assert_eq!(names(&["--text", "LAUNCHED", "--kind", "scheduled", "--exclude", "other.yaml"]), [launch]);
    let table = folder.run(&["catalog", "rules"]).out;
    assert!(table.contains("2 rules: 1 Low, 1 Medium") && table.contains("AzureActivity"), "{table}");
    git(&folder, &["init", "-q"]);
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "-q", "-m", "first", "--date", "2026-01-02T03:04:05Z"]);
    let rss = folder.run(&["catalog", "rules", "--format", "rss", "--link", "https://example.org/rules"]).out;
    assert!(rss.contains("<rss version=\"2.0\">") && rss.matches("<item>").count() == 2, "{rss}");
    let atom = folder.run(&["catalog", "rules", "--format", "atom"]).out;
    assert!(atom.matches("<entry>").count() == 2 && atom.contains(other), "{atom}");
    let builtin = folder.run(&["catalog", "--format", "json"]).json();
    assert!(builtin["rules"].as_array().unwrap().len() >= 6);
    assert_eq!(folder.run(&["catalog", "nowhere"]).code, 4);
}

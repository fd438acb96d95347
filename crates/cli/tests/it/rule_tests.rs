//! `tidewatch test`: verdicts, forms of output, exit codes.

use serde_json::json;

use crate::logs::{LAUNCH_RULE, launch, trail};
use crate::run::Folder;

const TESTS: &str = "query_now: 2026-02-01T12:00:00Z
cases:
  - name: a launch
    events:
      - {file: run.json, at: -1h}
    expect:
      alerts: 1
      severity: Medium
      entities: [{type: IP, Address: 203.0.113.9}]
      rows: [{Instance: i-1, TimeGenerated: 2026-02-01T11:00:00Z}]
  - name: a dry run <is silent>
    like: a launch
    change: {set: {errorCode: Client.DryRunOperation}}
    expect: none
";

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("rules/launch.yaml", LAUNCH_RULE);
    folder.write("rules/launch.test.yaml", TESTS);
    folder.write("rules/run.json", &trail(&[launch(1, "2020-05-05T05:05:05Z", "ann", "i-1")]));
    folder
}

#[test]
fn cases_pass_in_every_form() {
    let folder = folder();
    let run = folder.run(&["test", "rules"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(run.out.contains("2 passed, 0 failed, 0 known gaps, 0 errors; 0 rules untested"), "{}", run.out);
    let tap = folder.run(&["test", "rules/launch.yaml", "--format", "tap"]).out;
    assert_eq!(
        tap,
        "TAP version 14\n1..2\nok 1 - Instance launched: a launch\nok 2 - Instance launched: a dry run <is silent>\n"
    );
    let junit = folder.run(&["test", "rules/launch.test.yaml", "--format", "junit"]).out;
    assert!(junit.contains("tests=\"2\" failures=\"0\"") && junit.contains("a dry run &lt;is silent&gt;"), "{junit}");
    let only = folder.run(&["test", "rules", "--only", "DRY", "--format", "json"]).json();
    assert_eq!(only["summary"]["passed"], 1);
    assert_eq!(only["rules"][0]["cases"][0]["name"], "a dry run <is silent>");
}

#[test]
fn failures_say_what_was_expected_and_what_came() {
    let folder = folder();
    let wrong = TESTS.replace("Instance: i-1", "Instance: i-2").replace("severity: Medium", "severity: High");
    folder.write("rules/launch.test.yaml", &wrong);
    let run = folder.run(&["test", "rules", "--format", "json"]);
    assert_eq!(run.code, 1);
    let case = &run.json()["rules"][0]["cases"][0];
    assert_eq!(case["verdict"], "failed");
    assert_eq!(case["details"][0], "severity: expected High, got Medium");
    assert!(case["details"][1].as_str().unwrap().contains("i-2"), "{case}");
    assert!(folder.run(&["test", "rules", "--format", "tap"]).out.contains("not ok 1 - "));
    assert!(folder.run(&["test", "rules", "--format", "junit"]).out.contains("<failure"));
}

#[test]
fn a_rule_without_tests_is_untested_and_a_closed_gap_is_told() {
    let folder = folder();
    folder.write("rules/other.yaml", &LAUNCH_RULE.replace("000000000001", "000000000002").replace("launched", "seen"));
    let run = folder.run(&["test", "rules", "--format", "json"]);
    assert_eq!((run.code, &run.json()["untested"][0]["name"]), (0, &json!("Instance seen")));
    let required = folder.run(&["test", "rules", "--require", "positive,negative"]);
    assert_eq!(required.code, 1, "{}", required.out);
    let one = folder.run(&["test", "rules/launch.yaml", "--require", "positive,negative"]);
    assert_eq!(one.code, 0, "{}", one.out);
    let gap = TESTS.replace("    expect: none", "    known_gap: not yet\n    expect: {alerts: 3}");
    folder.write("rules/launch.test.yaml", &gap);
    let run = folder.run(&["test", "rules", "--format", "json"]);
    assert_eq!((run.code, &run.json()["summary"]["known_gaps"]), (0, &json!(1)));
    folder.write(
        "rules/launch.test.yaml",
        &TESTS.replace("    expect: none", "    known_gap: not yet\n    expect: none"),
    );
    let closed = folder.run(&["test", "rules"]);
    assert_eq!(closed.code, 1);
    assert!(closed.out.contains("the known gap is closed: not yet"), "{}", closed.out);
}

#[test]
fn mistakes_in_a_test_have_their_place() {
    let folder = folder();
    folder.write("rules/launch.test.yaml", &TESTS.replace("alerts: 1", "alert: 1"));
    let run = folder.run(&["test", "rules"]);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("7:7: unknown field `alert`"), "{}", run.out);
    folder.write("rules/launch.test.yaml", &TESTS.replace("run.json", "gone.json"));
    assert!(folder.run(&["test", "rules"]).out.contains("gone.json"));
    assert_eq!(folder.run(&["test", "nowhere"]).code, 4);
}

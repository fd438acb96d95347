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

#[test]
fn a_case_that_finds_nothing_shows_the_step_that_lost_the_rows() {
    let folder = folder();
    let wrong = TESTS.replace("at: -1h}", "at: -1h, set: {errorCode: Client.DryRunOperation}}");
    folder.write("rules/launch.test.yaml", &wrong);
    let out = folder.run(&["test", "rules", "--only", "a launch"]).out;
    assert!(out.contains("where isempty(ErrorCode)  <- loses all"), "{out}");
    assert!(out.contains("nearest row fails `isempty(ErrorCode)`: ErrorCode = Client.DryRunOperation"), "{out}");
}

#[test]
fn lost_at_names_the_step_that_must_drop_the_row() {
    let folder = folder();
    let with = |expect: &str| {
        folder.write("rules/launch.test.yaml", &TESTS.replace("expect: none", &format!("expect: {expect}")));
        folder.run(&["test", "rules"])
    };
    let right = with("{alerts: 0, lost_at: isempty(ErrorCode)}");
    assert_eq!(right.code, 0, "{}", right.out);
    let other = with("{alerts: 0, lost_at: EventName == 'RunInstances'}");
    assert!(other.code == 1 && other.out.contains("drops no row"), "{}", other.out);
    let unknown = with("{alerts: 0, lost_at: Region == 'x'}");
    assert!(unknown.out.contains("is no step of the query"), "{}", unknown.out);
}

const GROUPED: &str = "incidentConfiguration:
  createIncident: true
  groupingConfiguration: {enabled: true, lookbackDuration: 1d, matchingMethod: AllEntities}
";

#[test]
fn late_records_incidents_and_watchlists() {
    let folder = folder();
    // An hour of period: what arrives after the run of its hour is never seen.
    let hourly = LAUNCH_RULE.replace("1d", "1h");
    folder.write("rules/launch.yaml", &format!("{hourly}{GROUPED}"));
    let late = |arrives: &str, incidents: u32| {
        let text = format!(
            "query_now: 2026-02-01T12:00:00Z\ncases:\n  - name: late\n    events:\n      - {{file: run.json, at: -10m, arrives: {arrives}}}\n    \
             schedule: {{from: -6h, to: +6h}}\n    expect: {{alerts: {incidents}, incidents: {incidents}}}\n"
        );
        folder.write("rules/launch.test.yaml", &text);
        let run = folder.run(&["test", "rules"]);
        assert_eq!(run.code, 0, "{arrives}: {}", run.out);
    };
    late("+5m", 1);
    late("+40m", 0);
    let listed = LAUNCH_RULE.replace(
        "  | where EventName",
        "  | where AWSRegion !in (_GetWatchlist('Known') | project Region)\n  | where EventName",
    );
    folder.write("rules/launch.yaml", &listed);
    let with = |region: &str| {
        let text = TESTS.replace("cases:", &format!("watchlists: {{Known: [{{Region: {region}}}]}}\ncases:"));
        folder.write("rules/launch.test.yaml", &text);
        folder.run(&["test", "rules"]).code
    };
    assert_eq!((with("nowhere-1"), with("eu-south-2")), (0, 1));
}

#[test]
fn update_writes_the_rows_that_came() {
    let folder = folder();
    let before =
        TESTS.replace("rows: [{Instance: i-1, TimeGenerated: 2026-02-01T11:00:00Z}]", "rows: [{Instance: wrong}]");
    let path = folder.write("rules/launch.test.yaml", &before);
    assert_eq!(folder.run(&["test", "rules"]).code, 1);
    let run = folder.run(&["test", "rules", "--update"]);
    assert_eq!(run.code, 0, "{}", run.out);
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains("      rows:\n        - {\"Instance\":\"i-1\"}\n  - name: a dry run"), "{text}");
    assert_eq!(text.lines().count(), before.lines().count() + 1);
}

#[test]
fn mutation_shows_conditions_that_no_case_tests() {
    let folder = folder();
    let all = folder.run(&["test", "rules", "--mutate", "--format", "json"]).json();
    let survived = |report: &serde_json::Value| -> Vec<String> {
        let list = report["rules"][0]["mutants"]["survived"].as_array().unwrap().clone();
        list.iter().map(|mutant| mutant["before"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(survived(&all), ["EventName == 'RunInstances'"], "the arm, and nothing else: {all}");
    // Without the near miss nothing shows that a dry run must be left out.
    let text: String = TESTS.split("  - name: a dry run").next().unwrap().to_string();
    folder.write("rules/launch.test.yaml", &text);
    let less = folder.run(&["test", "rules", "--mutate", "--format", "json"]).json();
    assert!(survived(&less).contains(&"isempty(ErrorCode)".to_string()), "{less}");
    assert_eq!(folder.run(&["test", "rules", "--mutate", "--require", "mutation"]).code, 1);
    let shown = folder.run(&["test", "rules", "--mutate"]).out;
    assert!(shown.contains("TW506 and arm: isempty(ErrorCode) -> true; missing: a near miss that fails"), "{shown}");
}

#[test]
fn rules_with_few_tests_and_rules_that_did_not_change() {
    let folder = folder();
    let few = folder.run(&["test", "rules", "--min-tests", "3"]);
    assert!(few.code == 1 && few.out.contains("no further test"), "{}", few.out);
    assert_eq!(folder.run(&["test", "rules", "--min-tests", "2"]).code, 0);
    let git = |args: &[&str]| {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
        let output =
            std::process::Command::new("git").args(identity).args(args).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "first"]);
    let passed =
        || folder.run(&["test", "rules", "--changed", "HEAD", "--format", "json"]).json()["summary"]["passed"].clone();
    assert_eq!(passed(), 0);
    folder.write("rules/launch.yaml", &LAUNCH_RULE.replace("was launched", "was started"));
    assert_eq!(passed(), 2);
    assert_eq!(folder.run(&["test", "rules", "--changed", "no-such-thing"]).code, 2);
}

#[test]
fn annotations_are_one_line_each() {
    let folder = folder();
    folder.write("rules/launch.test.yaml", &TESTS.replace("severity: Medium", "severity: High"));
    let out = folder.run(&["test", "rules", "--format", "github"]).out;
    assert_eq!(out.lines().count(), 1);
    assert!(
        out.starts_with(
            "::error file=rules/launch.test.yaml,title=Instance launched%3A a launch::severity: expected High"
        ),
        "{out}"
    );
}

#[test]
fn a_stock_reader_reads_the_junit_back() {
    use quick_xml::events::Event;
    let folder = folder();
    folder.write("rules/launch.test.yaml", &TESTS.replace("severity: Medium", "severity: High"));
    let junit = folder.run(&["test", "rules", "--format", "junit"]).out;
    let mut reader = quick_xml::Reader::from_str(&junit);
    let (mut suites, mut cases, mut failures, mut text) = (Vec::new(), Vec::new(), 0, String::new());
    loop {
        let event = reader.read_event().unwrap();
        if let Event::Start(tag) | Event::Empty(tag) = &event {
            let attribute = |name: &str| {
                let found = tag.attributes().map(Result::unwrap).find(|found| found.key.as_ref() == name);
                found
                    .map(|found| found.normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap().into_owned())
                    .unwrap_or_default()
            };
            match tag.name().as_ref() {
                "testsuite" => suites.push((attribute("name"), attribute("tests"), attribute("failures"))),
                "testcase" => cases.push((attribute("name"), attribute("classname"))),
                "failure" => failures += 1,
                _ => {}
            }
        }
        match event {
            Event::Text(content) => text.push_str(&content),
            Event::Eof => break,
            _ => {}
        }
    }
    let texts = |left: &str, right: &str| (left.to_string(), right.to_string());
    assert_eq!(suites, [("Instance launched".to_string(), "2".to_string(), "1".to_string())]);
    let file = "rules/launch.test.yaml";
    assert_eq!(cases, [texts("a launch", file), texts("a dry run <is silent>", file)]);
    assert!(failures == 1 && text.contains("severity: expected High, got Medium"), "{junit}");
}

#[test]
fn tests_inside_of_a_rule_file_run_like_those_beside_it() {
    let folder = folder();
    std::fs::remove_file(folder.path().join("rules/launch.test.yaml")).unwrap();
    let own: String = TESTS.lines().map(|line| format!("  {line}\n")).collect();
    folder.write("rules/launch.yaml", &format!("{LAUNCH_RULE}tests:\n{own}"));
    let run = folder.run(&["test", "rules", "--require", "positive,negative"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(run.out.contains("2 passed, 0 failed, 0 known gaps, 0 errors; 0 rules untested"), "{}", run.out);
    assert_eq!(folder.run(&["test", "rules/launch.yaml"]).code, 0);
    let wrong = own.replace("severity: Medium", "severity: High");
    folder.write("rules/launch.yaml", &format!("{LAUNCH_RULE}tests:\n{wrong}"));
    assert_eq!(folder.run(&["test", "rules"]).code, 1);
    folder.write("rules/launch.yaml", &format!("{LAUNCH_RULE}tests:\n  rule: other.yaml\n{own}"));
    assert!(folder.run(&["test", "rules"]).out.contains("are of that rule"));
}

#[test]
fn a_change_that_changes_no_row_is_equivalent() {
    let folder = folder();
    // Said twice: leaving out either half changes nothing.
    let twice = LAUNCH_RULE.replace("isempty(ErrorCode)", "isempty(ErrorCode) and isempty(ErrorCode)");
    folder.write("rules/launch.yaml", &twice);
    let report = folder.run(&["test", "rules", "--mutate", "--logs", "rules/run.json", "--format", "json"]).json();
    let mutants = &report["rules"][0]["mutants"];
    let before = |list: &serde_json::Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|mutant| mutant["before"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(before(&mutants["equivalent"]), ["isempty(ErrorCode)", "isempty(ErrorCode)"], "{mutants}");
    assert_eq!(before(&mutants["survived"]), ["EventName == 'RunInstances'"], "{mutants}");
}

#[test]
fn watching_runs_again_when_a_file_changes() {
    use std::io::{BufRead, BufReader};
    let folder = folder();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_tidewatch"))
        .args(["test", "rules", "--watch"])
        .current_dir(folder.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut until = |wanted: &str| lines.by_ref().find(|line| line.contains(wanted)).unwrap();
    until("2 passed, 0 failed");
    until("watching");
    folder.write("rules/launch.test.yaml", &TESTS.replace("severity: Medium", "severity: High"));
    until("1 passed, 1 failed");
    until("watching");
    folder.write("rules/launch.test.yaml", TESTS);
    until("2 passed, 0 failed");
    child.kill().unwrap();
    child.wait().unwrap();
}

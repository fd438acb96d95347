//! What others put into their repositories: the guides, the hook, the action, the template. Each is run by its own commands.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use crate::run::Folder;

const RULE: &str = "id: 5a0c7e64-0000-4000-8000-00000000000a\nname: Trail stopped\ndescription: The trail was stopped.\nseverity: High\n\
kind: NRT\ntactics: [DefenseEvasion]\nrelevantTechniques: [T1562.008]\nrequiredDataConnectors:\n  - connectorId: AWS\n    dataTypes: [AWSCloudTrail]\n\
query: |\n  AWSCloudTrail\n  | where EventName == \"StopLogging\"\n  | project TimeGenerated, Actor = UserIdentityArn\n\
entityMappings:\n  - entityType: Account\n    fieldMappings:\n      - identifier: FullName\n        columnName: Actor\n\
falsePositives: [Maintenance.]\nresponse: [Start it again.]\nversion: 1.0.0\n";
const TESTS: &str = "query_now: 2026-03-01T00:00:00Z\ncases:\n  - name: stopped\n    events:\n      - table: AWSCloudTrail\n        rows: [{TimeGenerated: -1s, EventName: StopLogging, \
UserIdentityArn: \"arn:aws:iam::1:user/eve\"}]\n    expect: {alerts: 1}\n  - name: started\n    like: stopped\n    change: {set: {EventName: StartLogging}}\n    expect: none\n";

fn project(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)
}

fn text(file: &str) -> String {
    std::fs::read_to_string(project(file)).unwrap()
}

fn yaml(file: &str) -> Json {
    serde_saphyr::from_str(&text(file)).unwrap()
}

/// Runs a script as GitHub and GitLab do: bash that ends at the first failure. (exit code, what was printed)
fn bash(folder: &Folder, script: &str, env: &[(String, String)]) -> (i32, String) {
    let binary = Path::new(env!("CARGO_BIN_EXE_tidewatch"));
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("bash")
        .args(["-e", "-o", "pipefail", "-c", script])
        .current_dir(folder.path())
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs(env.iter().cloned())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.code().unwrap_or(-1), text)
}

/// Runs the blocks of a guide in order. `sh exit=1` says how the last command ends; a `text` block behind it has lines
/// that must come.
fn follow(guide: &str) {
    let folder = Folder::new();
    let text = text(guide);
    let mut lines = text.lines();
    let mut printed = String::new();
    let mut blocks = 0;
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("```").filter(|kind| !kind.is_empty()) else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if let Some(options) = kind.strip_prefix("sh") {
            let expected = options.trim().strip_prefix("exit=").map_or(0, |code| code.parse().unwrap());
            let (code, out) = bash(&folder, &block.join("\n"), &[]);
            assert_eq!(code, expected, "{guide}:\n{}\n{out}", block.join("\n"));
            (printed, blocks) = (out, blocks + 1);
        } else if kind == "text" {
            for line in block {
                assert!(printed.contains(line), "{guide}: `{line}` is not in\n{printed}");
            }
        }
    }
    assert!(blocks > 5, "{guide} has only {blocks} blocks of commands");
}

#[test]
fn the_guide_of_detection_engineering_is_followed() {
    follow("docs/detection-engineering-guide.md");
}

#[test]
fn the_guide_of_incident_response_is_followed() {
    follow("docs/incident-response-guide.md");
}

fn rules(folder: &Folder, query: &str) {
    folder.write("rules/trail.yaml", &RULE.replace("StopLogging", query));
    folder.write("rules/trail.test.yaml", TESTS);
}

#[test]
fn hooks_pass_good_files_and_stop_bad_ones() {
    let hooks = yaml(".pre-commit-hooks.yaml");
    let hooks = hooks.as_array().unwrap();
    assert_eq!(hooks.len(), 4);
    for hook in hooks {
        let id = hook["id"].as_str().unwrap();
        assert_eq!(hook["language"], "system");
        let is_kql = id == "tidewatch-fmt";
        let files = if is_kql {
            "q.kql"
        } else if id == "tidewatch-test" {
            "rules/trail.yaml rules/trail.test.yaml"
        } else {
            "rules/trail.yaml"
        };
        let entry = format!("{} {files}", hook["entry"].as_str().unwrap());
        let folder = Folder::new();
        rules(&folder, "StopLogging");
        folder.write("q.kql", "T\n| where x == 1\n");
        let (code, out) = bash(&folder, &entry, &[]);
        assert_eq!(code, 0, "{entry}: {out}");
        // A column that is not there, and events that no longer match.
        folder.write("rules/trail.yaml", &RULE.replace("EventName ==", "EventNam =="));
        folder.write("q.kql", "T|where x==1");
        let before = std::fs::read_to_string(folder.path().join("q.kql")).unwrap();
        let (code, out) = bash(&folder, &entry, &[]);
        let changed = std::fs::read_to_string(folder.path().join("q.kql")).unwrap() != before;
        // A hook fails by its code, or by changing the file, which pre-commit sees.
        assert!(code != 0 || changed, "{entry}: {out}");
    }
}

/// The inputs of the action as its steps see them.
fn step_env(step: &Json, inputs: &[(&str, &str)]) -> Vec<(String, String)> {
    let Some(env) = step["env"].as_object() else { return Vec::new() };
    let value = |text: &str| {
        let name =
            text.trim_start_matches("${{").trim_end_matches("}}").trim().trim_start_matches("inputs.").to_string();
        inputs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string()).unwrap_or_default()
    };
    env.iter().map(|(key, text)| (key.clone(), value(text.as_str().unwrap()))).collect()
}

#[test]
fn the_action_lints_tests_and_hunts() {
    let action = yaml("action.yml");
    let steps = action["runs"]["steps"].as_array().unwrap();
    let declared = action["inputs"].as_object().unwrap();
    let codes = |query: &str, inputs: &[(&str, &str)]| -> Vec<i32> {
        let folder = Folder::new();
        rules(&folder, query);
        folder.write("logs/trail.json", r#"{"Records": [{"eventVersion": "1.09", "eventTime": "2026-03-01T12:00:00Z", "eventName": "StopLogging",
            "eventSource": "cloudtrail.amazonaws.com", "awsRegion": "eu-west-1", "eventID": "1", "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::1:user/eve"}}]}"#);
        let run = |step: &Json| {
            let (code, out) = bash(&folder, step["run"].as_str().unwrap(), &step_env(step, inputs));
            assert!(code < 2, "{}: {out}", step["name"]);
            code
        };
        let codes = steps.iter().map(run).collect();
        for file in ["tidewatch-lint.sarif", "tidewatch-tests.xml", "tidewatch-report.html"] {
            assert!(std::fs::metadata(folder.path().join(file)).unwrap().len() > 200, "{file}");
        }
        codes
    };
    for input in text("action.yml").split("inputs.").skip(1).filter_map(|rest| rest.split([' ', '}']).next()) {
        assert!(declared.contains_key(input), "{input} is no input of the action");
    }
    let good = [("rules", "rules"), ("require", "positive,negative"), ("logs", "logs"), ("fail-on", "high")];
    assert_eq!(codes("StopLogging", &good), [0, 0, 0, 1], "install, lint, test pass; the hunt finds one");
    assert_eq!(codes("DeleteTrail", &good), [0, 0, 1, 0], "the test fails, the hunt finds nothing");
}

#[test]
fn the_template_lints_and_tests() {
    let template = yaml("ci/gitlab.yml");
    let jobs: Vec<(&String, &Json)> =
        template.as_object().unwrap().iter().filter(|(_, job)| job["script"].is_array()).collect();
    assert_eq!(jobs.len(), 2);
    for (query, expected) in [("StopLogging", [0, 0]), ("DeleteTrail", [0, 1])] {
        let folder = Folder::new();
        rules(&folder, query);
        let variables: Vec<(String, String)> = template["variables"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_string()))
            .collect();
        let codes: Vec<i32> = jobs
            .iter()
            .map(|(_, job)| {
                let script: Vec<&str> =
                    job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
                bash(&folder, &script.join("\n"), &variables).0
            })
            .collect();
        assert_eq!(codes, expected);
    }
}

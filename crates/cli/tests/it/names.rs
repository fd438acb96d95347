//! `--functions` and `--schemas`: one meaning in `query`, `check` and `hunt`.

use serde_json::json;

use crate::logs::{LAUNCH_RULE, folder_with_launches};
use crate::run::Folder;

const PARSER: &str = "Function:
  Title: Launches of a user
ParserName: Launches
ParserParams:
  - Name: who
    Type: string
    Default: '*'
ParserQuery: |
  AWSCloudTrail
  | where EventName == 'RunInstances' and (who == '*' or UserIdentityUserName == who)
";

/// Launches by a function, in each of its forms, and a table of the user's own.
fn folder_with_names() -> Folder {
    let folder = folder_with_launches();
    let body = "AWSCloudTrail | where EventName == 'RunInstances' and (who == '*' or UserIdentityUserName == who)";
    folder.write("functions.json", &json!({"Launches": {"params": "who:string='*'", "body": body}}).to_string());
    folder.write("parsers/deep/launches.yaml", PARSER);
    folder.write(
        "bare/Launches.kql",
        ".create-or-alter function Launches(who:string='*') { AWSCloudTrail | where EventName == 'RunInstances' }",
    );
    folder.write("tables.json", &json!({"Owners_CL": {"TimeGenerated": "datetime", "Owner": "string"}}).to_string());
    let rule = LAUNCH_RULE.replace("AWSCloudTrail\n", "Launches('mallory')\n");
    folder.write(
        "named/rule.yaml",
        &rule.replace(
            "  | project",
            "  | join kind=leftanti Owners_CL on $left.UserIdentityArn == $right.Owner\n  | project",
        ),
    );
    folder
}

#[test]
fn functions_in_every_form_answer_queries() {
    let folder = folder_with_names();
    for functions in ["functions.json", "parsers", "parsers/deep/launches.yaml", "bare"] {
        let query = "Launches('mallory') | count";
        let run = folder.run(&["query", query, "--logs", "logs", "--functions", functions, "--format", "csv"]);
        assert_eq!(run.out, "Count\n3\n", "{functions}: {}", run.err);
    }
    let without = folder.run(&["query", "Launches('mallory') | count", "--logs", "logs"]);
    assert_eq!(without.code, 3, "{}", without.err);
    assert!(without.err.contains("Launches"), "{}", without.err);
}

#[test]
fn check_and_hunt_know_the_same_names() {
    let folder = folder_with_names();
    let names = ["--functions", "parsers", "--schemas", "tables.json"];
    let with = |args: &[&str]| folder.run(&[args, &names].concat());
    assert_eq!(folder.run(&["check", "named"]).code, 1);
    let checked = with(&["check", "named"]);
    assert_eq!(checked.code, 0, "{}", checked.out);
    let line = json!({"id": 1, "query": "Launches() | join Owners_CL on $left.UserIdentityArn == $right.Owner | project Owner"});
    let verdict = folder.run_with_input(&[&["check", "--jsonl"], &names[..]].concat(), &line.to_string()).lines();
    assert_eq!(verdict[0]["result"], json!([["Owner", "string"]]), "{verdict:?}");
    let queried = with(&["query", "Owners_CL | union (Launches()) | count", "--logs", "logs", "--format", "csv"]);
    assert_eq!(queried.out, "Count\n3\n", "{}", queried.err);
    let hunted = with(&["hunt", "named", "--logs", "logs", "--format", "json"]);
    let report = hunted.json();
    assert_eq!(report["alerts"].as_array().map(Vec::len), Some(2), "{report}");
}

#[test]
fn files_of_names_that_cannot_be_read_say_where() {
    let folder = Folder::new();
    folder.write("torn.json", "{\n  \"a\": ");
    for option in ["--functions", "--schemas"] {
        for (path, message) in [("torn.json", "line 2"), ("nowhere.json", "nowhere.json")] {
            let run = folder.run(&["query", "print 1", option, path]);
            assert_eq!(run.code, 4, "{option} {path}");
            assert!(run.err.contains(path) && run.err.contains(message), "{}", run.err);
        }
    }
}

//! `tidewatch check`: verdicts without data.

use serde_json::json;

use crate::logs::{LAUNCH_RULE, folder_with_launches};
use crate::run::Folder;

#[test]
fn one_verdict_a_line_in_order() {
    let folder = Folder::new();
    let requests = [
        json!({"id": "good", "query": "AWSCloudTrail | summarize n = count() by EventName"}),
        json!({"id": "column", "query": "SigninLogs | where 'ż😀' == Token and true | project Foo"}),
        json!({"id": "syntax", "query": "AWSCloudTrail | where ("}),
        json!({"id": 4, "query": "print x = 1, y = 'a'"}),
        json!({"id": "body", "query": "AWSCloudTrail | where EventName == name | project EventName", "params": "name:string='x'"}),
    ];
    let mut input: String = requests.iter().map(|request| format!("{request}\n")).collect();
    input.push_str("not json\n");
    let run = folder.run_with_input(&["check", "--jsonl"], &input);
    assert_eq!(run.code, 0, "{}", run.err);
    let verdicts = run.lines();
    assert_eq!(verdicts.len(), 6);
    let good = r#"{"id":"good","parse_ok":true,"diagnostics":[],"result":[["EventName","string"],["n","long"]]}"#;
    assert_eq!(run.out.lines().next(), Some(good));
    assert_eq!(verdicts[0]["id"], "good");
    assert_eq!(verdicts[0]["parse_ok"], true);
    assert_eq!(verdicts[0]["diagnostics"], json!([]));
    assert_eq!(verdicts[0]["result"], json!([["EventName", "string"], ["n", "long"]]));
    let mistake = &verdicts[1]["diagnostics"][0];
    let keys: Vec<&str> = mistake.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys[..5], ["code", "severity", "message", "start", "end"]);
    assert_eq!((&mistake["code"], &mistake["severity"]), (&json!("KS142"), &json!("Error")));
    assert_eq!((&mistake["start"], &mistake["end"]), (&json!(28), &json!(33)), "characters, not bytes");
    assert_eq!(verdicts[2]["parse_ok"], false);
    assert_eq!(verdicts[3]["id"], 4);
    assert_eq!(verdicts[3]["result"], json!([["x", "long"], ["y", "string"]]));
    assert_eq!(verdicts[4]["diagnostics"], json!([]), "the parameters of a function's body are known");
    assert!(verdicts[5]["error"].is_string());
}

#[test]
fn rules_are_shown_in_their_own_file() {
    let folder = folder_with_launches();
    let good = folder.run(&["check", "rules"]);
    assert_eq!(good.code, 0, "{}{}", good.out, good.err);
    assert!(good.out.contains("columns: TimeGenerated:datetime, Actor:string"), "{}", good.out);
    folder.write("rules/wrong.yaml", &LAUNCH_RULE.replace("isempty(ErrorCode)", "isempty(ErrorCod)"));
    folder.write("rules/torn.yaml", "id: a\nname: [\nquery: |\n  T\n");
    let wrong = folder.run(&["check", "rules"]);
    assert_eq!(wrong.code, 1);
    assert!(wrong.out.contains("rules/wrong.yaml:14:51"), "{}", wrong.out);
    assert!(wrong.out.contains("torn.yaml"), "{}", wrong.out);
    let lines = folder.run(&["check", "rules", "--format", "json"]).lines();
    assert!(lines.iter().any(|line| line["file"].as_str().is_some_and(|f| f.ends_with("wrong.yaml"))), "{lines:?}");
}

#[test]
fn strict_refuses_what_only_we_accept() {
    let folder = Folder::new();
    folder.write("a.kql", "AWSCloudTrail | project AwsRegion");
    assert_eq!(folder.run(&["check", "a.kql"]).code, 0);
    assert_eq!(folder.run(&["check", "a.kql", "--strict"]).code, 1);
}

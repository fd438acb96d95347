//! `tidewatch explain`: the steps of a rule over real logs.

use serde_json::json;

use crate::logs::{LAUNCH_RULE, folder_with_launches};

#[test]
fn a_silent_rule_shows_where_its_rows_are_lost() {
    let folder = folder_with_launches();
    folder.write(
        "rules/launch.yaml",
        &LAUNCH_RULE.replace("isempty(ErrorCode)", "isempty(ErrorCode) and AWSRegion == 'mars-1'"),
    );
    let run = folder.run(&["explain", "rules/launch.yaml", "--logs", "logs", "--whole", "--format", "json"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let report = run.json();
    let steps: Vec<_> =
        report["steps"].as_array().unwrap().iter().map(|s| json!([s["step"], s["rows_in"], s["rows_out"]])).collect();
    let expected = [
        json!(["AWSCloudTrail", null, 4]),
        json!(["where EventName == 'RunInstances'", 4, 3]),
        json!(["where isempty(ErrorCode)", 3, 2]),
        json!(["where AWSRegion == 'mars-1'", 2, 0]),
    ];
    assert_eq!(steps, expected);
    assert_eq!(report["steps"][3]["nearest_row"]["condition"], "AWSRegion == 'mars-1'");
    let table = folder.run(&["explain", "rules/launch.yaml", "--logs", "logs"]).out;
    assert!(
        table.contains("<- loses all") && table.contains("nearest row fails `AWSRegion == 'mars-1'`: AWSRegion = "),
        "{table}"
    );
}

#[test]
fn joins_and_unions_show_what_they_read() {
    let folder = folder_with_launches();
    folder.write(
        "q.kql",
        "let Bad = AWSCloudTrail | where isnotempty(ErrorCode);\nunion (AWSCloudTrail | where EventName startswith 'Describe'), Bad\n\
         | join kind=inner (AWSCloudTrail | where EventName == 'Nothing') on AwsEventId\n| summarize count() by EventName",
    );
    let report = folder.run(&["explain", "q.kql", "--logs", "logs", "--format", "json"]).json();
    let steps: Vec<_> =
        report["steps"].as_array().unwrap().iter().map(|s| json!([s["depth"], s["rows_out"]])).collect();
    let expected = [[2, 4], [2, 1], [2, 4], [2, 1], [1, 2], [1, 4], [1, 0], [0, 0], [0, 0]].map(|pair| json!(pair));
    assert_eq!(steps, expected, "{report}");
}

#[test]
fn a_rule_that_does_not_bind_says_why() {
    let folder = folder_with_launches();
    folder.write("q.kql", "AWSCloudTrail | where Nope == 1");
    let run = folder.run(&["explain", "q.kql", "--logs", "logs"]);
    assert!(run.code == 3 && run.out.contains("KS142"), "{}", run.out);
    assert_eq!(folder.run(&["explain", "none.kql", "--logs", "logs"]).code, 4);
}

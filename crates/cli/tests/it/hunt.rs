//! `tidewatch hunt`: from raw logs to alerts, states and exit codes.

use serde_json::{Value as Json, json};

use crate::logs::{LAUNCH_RULE, folder_with_launches, launch, record, trail};
use crate::run::Folder;

fn states(report: &Json) -> Vec<(String, String)> {
    let rules = report["rules"].as_array().unwrap();
    rules.iter().map(|r| (r["name"].as_str().unwrap().into(), r["state"].as_str().unwrap().into())).collect()
}

#[test]
fn raw_logs_become_alerts_with_their_records() {
    let folder = folder_with_launches();
    let run = folder.run(&["hunt", "rules", "--logs", "logs", "--format", "json"]);
    assert_eq!(run.code, 1, "{}", run.err);
    let report = run.json();
    assert_eq!(report["schema"], "tidewatch-hunt/1");
    assert_eq!(states(&report), [("Instance launched".to_string(), "fired".to_string())]);
    let alerts = report["alerts"].as_array().unwrap();
    assert_eq!(alerts.len(), 2, "two launches, three days apart");
    let newest = &alerts[0];
    assert_eq!(newest["severity"], "Medium");
    assert_eq!(newest["techniques"], json!(["T1578.002"]));
    assert_eq!(newest["start"], "2026-03-04T12:30:00.0000000Z");
    assert_eq!(newest["entities"], json!([{"Address": "203.0.113.9", "Type": "ip"}]));
    assert_eq!(newest["custom_details"]["Who"], json!(["arn:aws:iam::111122223333:user/mallory"]));
    let row = &newest["rows"][0];
    assert_eq!(row["values"]["Instance"], "i-0bbb");
    assert_eq!(row["sources"][0]["path"], "logs/trail.json");
    assert_eq!(row["sources"][0]["record"], 3);
    assert_eq!(row["sources"][0]["table"], "AWSCloudTrail");
    assert_eq!(row["sources"][0]["item_id"].as_str().unwrap().len(), 36);
    let table_row = &newest["security_alert"];
    assert_eq!(table_row["AlertName"], "Instance launched");
    assert_eq!(table_row["ProviderName"], "ASI Scheduled Alerts");
    assert!(table_row["Entities"].as_str().unwrap().contains("203.0.113.9"));
    assert_eq!(alerts[1]["rows"][0]["values"]["Instance"], "i-0aaa");
}

#[test]
fn the_published_detection_of_new_instances_runs_as_it_is() {
    let Some(seed) = testing::shared("seeds/create-cloud-instance.yaml") else { return };
    let folder = folder_with_launches();
    let seed = seed.canonicalize().unwrap();
    let seed = seed.to_str().unwrap();
    let run = folder.run(&["hunt", seed, "--logs", "logs", "--format", "json"]);
    assert_eq!(run.code, 1, "{}", run.err);
    let report = run.json();
    let alerts = report["alerts"].as_array().unwrap();
    let found: Vec<(&Json, &Json, &Json)> = alerts
        .iter()
        .map(|a| &a["rows"][0]["values"])
        .map(|row| (&row["InstanceIdentifier"], &row["Scope"], &row["AccountScope"]))
        .collect();
    let place = (&json!("eu-south-2"), &json!("111122223333"));
    assert_eq!(found, [(&json!("i-0bbb"), place.0, place.1), (&json!("i-0aaa"), place.0, place.1)]);
    assert_eq!(alerts[0]["rows"][0]["values"]["Actor"], "arn:aws:iam::111122223333:user/mallory");
    assert_eq!(alerts[0]["entities"], json!([{"Address": "203.0.113.9", "Type": "ip"}]));
    assert_eq!(alerts[0]["rows"][0]["sources"][0]["record"], 3);
    assert_eq!(report["rules"][0]["reason"], "AzureActivity had no rows");
    // Each condition has a near miss that stays silent.
    let silent = Folder::new();
    let mut refused = launch(1, "2026-03-01T12:00:00Z", "mallory", "i-1");
    refused["errorCode"] = json!("Client.DryRunOperation");
    let other = record(2, "2026-03-01T12:00:00Z", "StartInstances", "mallory");
    silent.write("logs/trail.json", &trail(&[refused, other]));
    let run = silent.run(&["hunt", seed, "--logs", "logs", "--format", "json"]);
    assert_eq!((run.code, &states(&run.json())[0].1), (0, &"partial".to_string()), "{}", run.err);
}

#[test]
fn states_are_told_apart_and_never_silent_zero() {
    let folder = folder_with_launches();
    folder.write("rules/silent.kql", "AWSCloudTrail | where EventName == 'DeleteTrail'");
    folder.write("rules/partial.kql", "union AWSCloudTrail, SigninLogs | where EventName == 'DeleteTrail'");
    folder.write("rules/nodata.kql", "SigninLogs | take 5");
    folder.write("rules/wrong.kql", "AWSCloudTrail | where EventNam == 'x'");
    folder.write("rules/torn.yaml", "id: x\nname: [\nquery: |\n  T\n");
    folder.write("rules/ignored.yaml", "name: a workflow\non: push\n");
    let run = folder.run(&["hunt", "rules", "--logs", "logs", "--format", "json"]);
    let report = run.json();
    let mut found = states(&report);
    found.sort();
    let expected = [
        ("Instance launched", "fired"),
        ("nodata", "no-data"),
        ("partial", "partial"),
        ("silent", "silent"),
        ("torn", "invalid"),
        ("wrong", "invalid"),
    ];
    assert_eq!(found, expected.map(|(name, state)| (name.to_string(), state.to_string())));
    let counts = report["summary"]["states"].as_object().unwrap();
    let sum: u64 = counts.values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(sum, report["summary"]["rules"].as_u64().unwrap());
    let shown = folder.run(&["hunt", "rules", "--logs", "logs"]);
    assert!(shown.out.contains("SigninLogs had no rows"), "{}", shown.out);
    assert!(shown.out.contains("1 fired, 1 silent, 1 partial, 1 no-data, 2 invalid"), "{}", shown.out);
}

#[test]
fn exit_codes() {
    let folder = folder_with_launches();
    folder.write("rules2/silent.kql", "AWSCloudTrail | where EventName == 'DeleteTrail'");
    folder.write("rules3/wrong.kql", "AWSCloudTrail | where EventNam == 'x'");
    let code = |args: &[&str]| folder.run(args).code;
    assert_eq!(code(&["hunt", "rules2", "--logs", "logs"]), 0);
    assert_eq!(code(&["hunt", "rules", "--logs", "logs"]), 1);
    assert_eq!(code(&["hunt", "rules", "--logs", "logs", "--fail-on", "high"]), 0);
    assert_eq!(code(&["hunt", "rules", "--logs", "logs", "--severity", "high"]), 0);
    assert_eq!(code(&["hunt", "rules"]), 2, "no logs named");
    assert_eq!(code(&["hunt", "rules", "--logs", "logs", "--from", "yesterday"]), 2);
    assert_eq!(code(&["hunt", "rules3", "--logs", "logs"]), 0);
    assert_eq!(code(&["hunt", "rules3", "--logs", "logs", "--strict"]), 3);
    assert_eq!(code(&["hunt", "rules", "rules3", "--logs", "logs", "--strict"]), 3, "the highest wins");
    assert_eq!(code(&["hunt", "rules", "--logs", "nowhere"]), 4);
    assert_eq!(code(&["hunt", "logs", "--logs", "logs"]), 4, "no rules in a folder of logs");
}

#[test]
fn runs_can_be_bounded_and_single() {
    let folder = folder_with_launches();
    let hunt = |more: &[&str]| {
        let mut args = vec!["hunt", "rules", "--logs", "logs", "--format", "json"];
        args.extend(more);
        folder.run(&args).json()
    };
    let instances = |report: &Json| -> Vec<String> {
        let alerts = report["alerts"].as_array().unwrap();
        alerts.iter().map(|a| a["rows"][0]["values"]["Instance"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(instances(&hunt(&["--once"])), ["i-0bbb"], "at the end of the data, one day back");
    assert_eq!(instances(&hunt(&["--once", "--as-of", "2026-03-01T12:00:01Z"])), ["i-0aaa"]);
    assert_eq!(instances(&hunt(&["--to", "2026-03-02"])), ["i-0aaa"]);
    assert_eq!(instances(&hunt(&["--from", "2026-03-03"])), ["i-0bbb"]);
    let look_back = hunt(&["--from", "2026-03-01T20:00:00Z", "--to", "2026-03-02T01:00:00Z"]);
    assert_eq!(instances(&look_back), ["i-0aaa"], "events before --from stay visible");
    let outside = hunt(&["--from", "2026-05-01", "--to", "2026-05-02"]);
    assert_eq!(outside["rules"][0]["state"], "out-of-window");
}

#[test]
fn hunting_placeholders_are_filled_from_the_span() {
    let folder = folder_with_launches();
    let query = "let starttime = todatetime('{{StartTimeISO}}'); let endtime = todatetime('{{EndTimeISO}}');\n\
        AWSCloudTrail | where TimeGenerated between (starttime .. endtime) | where EventName == 'RunInstances'\n\
        | summarize Launches = count(), From = min(starttime) by UserIdentityUserName";
    folder.write("hunting/launches.kql", query);
    let report = folder.run(&["hunt", "hunting", "--logs", "logs", "--format", "json"]).json();
    let alerts = report["alerts"].as_array().unwrap();
    assert_eq!(alerts.len(), 2, "{report}");
    assert_eq!(alerts[1]["rows"][0]["values"]["Launches"], 2);
    assert_eq!(alerts[1]["kind"], "Hunting");
    assert_eq!(alerts[1]["query_now"], "2026-03-01T12:30:01.0000000Z");
    let wide = folder.run(&["hunt", "hunting", "--logs", "logs", "--format", "json", "--range", "7d"]).json();
    assert_eq!(wide["alerts"][0]["rows"][0]["values"]["Launches"], 3);
}

#[test]
fn threads_do_not_change_a_byte() {
    let folder = folder_with_launches();
    for name in ["a", "b", "c", "d"] {
        let rule =
            LAUNCH_RULE.replace("000000000001", &format!("00000000000{name}")).replace("Instance launched", name);
        folder.write(&format!("rules/{name}.yaml"), &rule);
    }
    folder.write("rules/sum.kql", "AWSCloudTrail | summarize make_set(EventName), count() by UserIdentityArn");
    for format in ["json", "ndjson", "csv"] {
        let run =
            |threads: &str| folder.run(&["hunt", "rules", "--logs", "logs", "--format", format, "--threads", threads]);
        let (one, two) = (run("1"), run("2"));
        assert_eq!(one.out, two.out, "{format}");
        assert!(!one.out.is_empty());
    }
}

#[test]
fn lines_are_each_rule_with_its_alerts_behind_it() {
    let folder = folder_with_launches();
    folder.write("rules/a-none.kql", "AWSCloudTrail | where EventName == 'Nothing'");
    folder.write("rules/z-sum.kql", "AWSCloudTrail | summarize count() by UserIdentityArn");
    let run = folder.run(&["hunt", "rules", "--logs", "logs", "--format", "ndjson"]);
    let mut expected = Vec::new();
    let document = folder.run(&["hunt", "rules", "--logs", "logs", "--format", "json"]).json();
    for rule in document["rules"].as_array().unwrap() {
        expected.push(("rule", rule["file"].clone()));
        let alerts = document["alerts"].as_array().unwrap().iter();
        let own = alerts.filter(|alert| alert["rule"]["file"] == rule["file"]);
        expected.extend(own.map(|alert| ("alert", alert["id"].clone())));
    }
    let lines = run.lines();
    let got: Vec<(&str, Json)> = lines
        .iter()
        .map(|line| match line["type"].as_str().unwrap() {
            "rule" => ("rule", line["file"].clone()),
            _ => ("alert", line["id"].clone()),
        })
        .collect();
    assert_eq!(got, expected);
    assert!(got.iter().filter(|(kind, _)| *kind == "alert").count() >= 2, "{got:?}");
    // A reader that goes away ends the hunt without a complaint.
    let (_, err) = folder.run_with_closed_output(&["hunt", "rules", "--logs", "logs", "--format", "ndjson"]);
    assert_eq!(err, "");
}

#[test]
fn what_attackers_write_reaches_no_terminal_and_no_spreadsheet() {
    let folder = Folder::new();
    let mut evil = launch(1, "2026-03-01T12:00:00Z", "=cmd", "i-1");
    evil["userAgent"] = json!("curl\u{1b}[2J\u{1b}]0;owned\u{7}");
    folder.write("logs/trail.json", &trail(&[evil]));
    folder.write(
        "rules/launch.yaml",
        &LAUNCH_RULE.replace("Actor = UserIdentityArn", "Actor = strcat('=', UserIdentityArn)"),
    );
    let shown = folder.run(&["hunt", "rules", "--logs", "logs"]);
    assert!(!shown.out.contains('\u{1b}') && shown.out.contains("\\u{1b}"), "{}", shown.out);
    let query = "AWSCloudTrail | project UserAgent, F = strcat('=', EventName)";
    let table = folder.run(&["query", query, "--logs", "logs"]);
    assert!(!table.out.contains('\u{1b}'), "{}", table.out);
    let csv = folder.run(&["query", query, "--logs", "logs", "--format", "csv"]);
    assert!(csv.out.contains("'=RunInstances"), "{}", csv.out);
}

#[test]
fn without_rules_the_built_in_ones_run_and_it_is_said() {
    let folder = folder_with_launches();
    let run = folder.run(&["hunt", "--logs", "logs"]);
    assert!(run.out.contains("built in"), "{}{}", run.out, run.err);
    let report = folder.run(&["hunt", "--logs", "logs", "--format", "json"]).json();
    assert_eq!(report["rules_from"], "built-in");
}

#[test]
fn functions_and_watchlists_beside_the_rules_are_found() {
    let folder = folder_with_launches();
    folder.write(
        "repo/Parsers/Launches.yaml",
        "FunctionName: Launches\nFunctionQuery: |\n  AWSCloudTrail | where EventName == 'RunInstances'\n",
    );
    folder.write("repo/Watchlists/Allowed.csv", "UserName,Team\nann,ops\n");
    let query = "let allowed = _GetWatchlist('Allowed') | project UserName;\n\
        Launches | where UserIdentityUserName !in (allowed) | project UserIdentityUserName";
    folder.write("repo/Hunting/strangers.kql", query);
    let report = folder.run(&["hunt", "repo", "--logs", "logs", "--format", "json"]).json();
    assert_eq!(states(&report), [("strangers".to_string(), "fired".to_string())], "{}", report["rules"]);
    assert_eq!(report["library"]["functions"], 1);
    assert_eq!(report["library"]["watchlists"], 1);
}

#[test]
fn the_report_says_what_was_run() {
    let folder = folder_with_launches();
    let report = folder.run(&["hunt", "rules", "--logs", "logs", "--format", "json", "--threads", "2"]).json();
    assert_eq!(report["command_line"], json!(["hunt", "rules", "--logs", "logs", "--format", "json"]));
    assert_eq!((&report["rule_set_commit"], &report["attack_version"]), (&Json::Null, &json!("16")));
}

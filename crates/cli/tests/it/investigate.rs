//! `tidewatch pivot`, `timeline`, `iocs`, `hunt --baseline`: what follows after an alert.

use serde_json::{Value as Json, json};

use crate::logs::{LAUNCH_RULE, launch, record, trail};
use crate::run::{Folder, Run};

const ROLE: &str = "arn:aws:iam::111122223333:role/ops/Deploy";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/Deploy/eve@corp.example";

/// One person in three clouds, from one address written in three ways; somebody else beside.
fn three_clouds() -> Folder {
    let folder = Folder::new();
    let mut aws = launch(1, "2026-03-01T12:00:00Z", "x", "i-0aaa");
    aws["userIdentity"] = json!({"type": "AssumedRole", "arn": SESSION, "accountId": "111122223333",
        "accessKeyId": "ASIAEXAMPLE123456789"});
    let mut other = record(2, "2026-03-01T12:05:00Z", "GetCallerIdentity", "mallory");
    other["sourceIPAddress"] = json!("203.0.113.90");
    folder.write("logs/trail.json", &trail(&[aws, other]));
    let azure = json!([{"TimeGenerated": "2026-03-01T12:10:00Z", "Caller": "Eve@Corp.Example", "CallerIpAddress": "203.0.113.9:51000",
        "OperationNameValue": "Microsoft.Compute/virtualMachines/write", "ActivityStatusValue": "Success",
        "ResourceId": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm-1"}]);
    folder.write("azure/AzureActivity.json", &azure.to_string());
    let gcp = json!([{"TimeGenerated": "2026-03-01T12:20:00Z", "PrincipalEmail": "eve@corp.example", "MethodName": "v1.compute.instances.insert",
        "RequestMetadata": {"callerIp": "203.0.113.9", "callerSuppliedUserAgent": "curl hosted at cdn.evil.example"},
        "GCPResourceName": "projects/p/zones/z/instances/x", "ProjectId": "p"}]);
    folder.write("gcp/GCPAuditLogs.json", &gcp.to_string());
    // Rows with the table's own columns are loaded once, as tables.
    for table in ["azure/AzureActivity", "gcp/GCPAuditLogs"] {
        let (folder_name, name) = table.split_once('/').unwrap();
        let run = folder.run(&[
            "load",
            &format!("{table}.json"),
            "--table",
            name,
            "--output",
            &format!("logs/{folder_name}"),
        ]);
        assert_eq!(run.code, 0, "{}", run.err);
    }
    folder
}

fn events(run: &Run) -> Vec<(String, String, String)> {
    assert_eq!(run.code, 0, "{}", run.err);
    let text = |event: &Json, key: &str| event[key].as_str().unwrap().to_string();
    let events = run.json()["events"].as_array().unwrap().clone();
    events.iter().map(|event| (text(event, "table"), text(event, "role"), text(event, "action"))).collect()
}

fn seen(table: &str, role: &str, action: &str) -> (String, String, String) {
    (table.into(), role.into(), action.into())
}

#[test]
fn a_person_is_followed_through_all_clouds() {
    let folder = three_clouds();
    let pivot = |entity: &str| folder.run(&["pivot", entity, "--logs", "logs", "--format", "json"]);
    let vm = "Microsoft.Compute/virtualMachines/write";
    let all = |role: &str| {
        [
            seen("AWSCloudTrail", role, "RunInstances"),
            seen("AzureActivity", role, vm),
            seen("GCPAuditLogs", role, "v1.compute.instances.insert"),
        ]
    };
    assert_eq!(events(&pivot("EVE@corp.example")), all("actor"));
    assert_eq!(events(&pivot("203.0.113.9"))[1..], all("address")[1..]);
    assert_eq!(events(&pivot(ROLE)), [seen("AWSCloudTrail", "actor", "RunInstances")], "a role means its sessions");
    assert_eq!(events(&pivot("ASIAEXAMPLE123456789")), [seen("AWSCloudTrail", "key", "RunInstances")]);
    assert_eq!(events(&pivot("i-0aaa")), [seen("AWSCloudTrail", "target", "RunInstances")]);
    assert_eq!(events(&pivot("203.0.113.90")), [seen("AWSCloudTrail", "address", "GetCallerIdentity")]);
    let shown = folder.run(&["pivot", "eve@corp.example", "--logs", "logs"]);
    assert!(shown.out.contains("3 events (AWSCloudTrail 1, AzureActivity 1, GCPAuditLogs 1)"), "{}", shown.out);
    assert!(shown.out.contains("logs/trail.json record 0"), "{}", shown.out);
}

#[test]
fn times_narrow_what_is_shown() {
    let folder = three_clouds();
    let pivot = |args: &[&str]| {
        events(&folder.run(&[&["pivot", "eve@corp.example", "--logs", "logs", "--format", "json"], args].concat()))
            .len()
    };
    assert_eq!(pivot(&["--at", "2026-03-01T12:00:00Z", "--around", "10m"]), 2);
    assert_eq!(pivot(&["--around", "15m"]), 2, "before the last event");
    assert_eq!(pivot(&["--only-table", "GCPAuditLogs"]), 1);
    assert_eq!(folder.run(&["pivot", "eve@corp.example", "--logs", "logs", "--only-table", "Nowhere"]).code, 2);
    let timeline = folder.run(&["timeline", "--logs", "logs", "--format", "ndjson"]);
    let times: Vec<String> = timeline
        .out
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap()["time"].as_str().unwrap().into())
        .collect();
    assert!(times.len() == 4 && times.is_sorted(), "{times:?}");
    let two = ["--entity", "203.0.113.90", "--entity", "i-0aaa", "--from", "2026-03-01T12:01:00Z"];
    let csv = folder.run(&[&["timeline", "--logs", "logs", "--format", "csv"], &two[..]].concat());
    assert_eq!(csv.out.lines().count(), 2, "a heading and the one after --from: {}", csv.out);
}

#[test]
fn indicators_are_found_in_every_table_with_their_records() {
    let folder = three_clouds();
    folder.write("list.txt", "203[.]0[.]113[.]9  # seen elsewhere\nevil.example\nAKIANOTTHERE12345678\ni-0aaa\n");
    let run = folder.run(&["iocs", "list.txt", "--logs", "logs", "--format", "json"]);
    assert_eq!(run.code, 1, "{}", run.err);
    let report = run.json();
    let found: Vec<(&str, &str)> = report["matches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| (found["indicator"].as_str().unwrap(), found["event"]["table"].as_str().unwrap()))
        .collect();
    let expected = [
        ("203.0.113.9", "AzureActivity"),
        ("203.0.113.9", "GCPAuditLogs"),
        ("evil.example", "GCPAuditLogs"),
        ("i-0aaa", "AWSCloudTrail"),
    ];
    assert!(expected.iter().all(|pair| found.contains(pair)), "{found:?}");
    assert!(!report.to_string().contains("203.0.113.90\",\"table"), "another address");
    assert_eq!(report["not_found"], json!(["AKIANOTTHERE12345678"]));
    let last = report["matches"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["event"]["source"]["path"], &last["event"]["source"]["record"]),
        (&json!("logs/trail.json"), &json!(0))
    );
    assert_eq!(last["columns"], json!(["ResponseElements"]));
    folder.write("none.txt", "AKIANOTTHERE12345678\n");
    assert_eq!(folder.run(&["iocs", "none.txt", "--logs", "logs"]).code, 0);
    folder.write("empty.txt", "# nothing\n");
    assert_eq!(folder.run(&["iocs", "empty.txt", "--logs", "logs"]).code, 4);
}

#[test]
fn a_baseline_says_what_is_new_gone_and_still() {
    let folder = Folder::new();
    folder.write("rules/launch.yaml", LAUNCH_RULE);
    let first = launch(1, "2026-03-01T12:00:00Z", "mallory", "i-0aaa");
    let second = launch(2, "2026-03-03T12:00:00Z", "mallory", "i-0bbb");
    folder.write("logs/trail.json", &trail(&[first, second.clone()]));
    let earlier = folder.run(&["hunt", "rules", "--logs", "logs", "--format", "json"]);
    folder.write("monday.json", &earlier.out);
    let third = launch(3, "2026-03-05T12:00:00Z", "eve", "i-0ccc");
    folder.write("logs/trail.json", &trail(&[second, third]));
    let now = folder.run(&["hunt", "rules", "--logs", "logs", "--baseline", "monday.json", "--format", "json"]).json();
    let changes = &now["changes"];
    let instance = |id: &Json| {
        let alerts = now["alerts"].as_array().unwrap();
        alerts.iter().find(|alert| alert["id"] == *id).unwrap()["rows"][0]["values"]["Instance"].clone()
    };
    let of = |key: &str| changes[key].as_array().unwrap().iter().map(instance).collect::<Vec<_>>();
    assert_eq!((of("new"), of("still")), (vec![json!("i-0ccc")], vec![json!("i-0bbb")]));
    assert_eq!(changes["gone"][0]["id"], earlier.json()["alerts"][1]["id"]);
    assert_eq!(changes["gone"][0]["rule_state"], "fired");
    let shown = folder.run(&["hunt", "rules", "--logs", "logs", "--baseline", "monday.json"]);
    assert!(shown.out.contains("Since the baseline: 1 new, 1 still, 1 gone"), "{}", shown.out);
    folder.write("torn.json", "{");
    assert_eq!(folder.run(&["hunt", "rules", "--logs", "logs", "--baseline", "torn.json"]).code, 4);
}

#[test]
fn a_report_shows_what_its_entities_did() {
    let folder = three_clouds();
    folder.write("rules/launch.yaml", LAUNCH_RULE);
    let report = folder.run(&["hunt", "rules", "--logs", "logs", "--format", "json"]).json();
    let page = &report["entities"][0];
    let tables: Vec<&str> = page["events"].as_array().unwrap().iter().map(|e| e["table"].as_str().unwrap()).collect();
    assert_eq!(page["events_total"], json!(tables.len()));
    assert!(tables.contains(&"AzureActivity") && tables.contains(&"GCPAuditLogs"), "{page}");
}

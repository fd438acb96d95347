//! `tidewatch sources`: every record is told of, by file and by table.

use serde_json::{Value as Json, json};

use crate::logs::{folder_with_launches, record, trail};
use crate::run::Folder;

/// A cloud audit entry of the project `payments`.
fn gcp_entry(time: Option<&str>, insert_id: &str) -> Json {
    let mut entry = json!({
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "methodName": "v1.compute.instances.insert",
            "serviceName": "compute.googleapis.com",
            "authenticationInfo": {"principalEmail": "ann@example.com"},
            "requestMetadata": {"callerIp": "203.0.113.4"},
        },
        "logName": "projects/payments/logs/cloudaudit.googleapis.com%2Factivity",
        "resource": {"type": "gce_instance", "labels": {"project_id": "payments"}},
        "insertId": insert_id,
        "severity": "NOTICE",
    });
    if let Some(time) = time {
        entry["timestamp"] = json!(time);
        entry["receiveTimestamp"] = json!(time);
    }
    entry
}

fn azure_record() -> Json {
    json!({
        "time": "2026-03-01T10:00:00Z",
        "resourceId": "/SUBSCRIPTIONS/9D1B4C1E-0000-4000-8000-000000000001/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.COMPUTE/VIRTUALMACHINES/VM1",
        "operationName": "MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE",
        "category": "Administrative", "resultType": "Success", "callerIpAddress": "203.0.113.4", "correlationId": "c1",
        "tenantId": "72f988bf-0000-4000-8000-000000000002", "level": "Information",
    })
}

/// Three clouds; among the records a repeated one, one without a time, one that is torn.
fn folder_of_three_clouds() -> Folder {
    let folder = Folder::new();
    let at = Some("2026-03-01T10:00:00Z");
    let entries = [gcp_entry(at, "a1"), gcp_entry(at, "a1"), gcp_entry(None, "a2")];
    let lines: String = entries.iter().map(|entry| format!("{entry}\n")).collect();
    folder.write("logs/gcp.json", &format!("{lines}{{\"protoPayload\": torn\n"));
    folder.write("logs/azure.json", &format!("{}\n", azure_record()));
    let calls = [
        record(1, "2026-03-01T10:00:00Z", "DescribeInstances", "ann"),
        record(2, "2026-03-01T10:59:00Z", "DescribeInstances", "ann"),
        record(3, "2026-03-01T12:30:00Z", "DescribeInstances", "ann"),
    ];
    folder.write("logs/aws/trail.json", &trail(&calls));
    folder
}

#[test]
fn tables_tell_spans_gaps_and_whose_they_are() {
    let folder = folder_of_three_clouds();
    let run = folder.run(&["sources", "logs", "--format", "json"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let tables = &run.json()["tables"];
    let trail = &tables["AWSCloudTrail"];
    assert_eq!((&trail["rows"], &trail["undated"]), (&json!(3), &json!(0)));
    assert_eq!(trail["first"], "2026-03-01T10:00:00.0000000Z");
    assert_eq!(trail["last"], "2026-03-01T12:30:00.0000000Z");
    let gap = json!([{"from": "2026-03-01T10:59:00.0000000Z", "to": "2026-03-01T12:30:00.0000000Z"}]);
    assert_eq!(trail["gaps"], gap, "59 minutes are no gap, 91 are");
    assert_eq!(trail["seen"]["RecipientAccountId"], json!({"111122223333": 3}));
    assert_eq!(trail["seen"]["AWSRegion"], json!({"eu-south-2": 3}));
    assert_eq!(tables["GCPAuditLogs"]["seen"]["ProjectId"], json!({"payments": 2}));
    assert_eq!(tables["GCPAuditLogs"]["undated"], 1);
    let subscription = "9D1B4C1E-0000-4000-8000-000000000001";
    assert_eq!(tables["AzureActivity"]["seen"]["SubscriptionId"][subscription], 1);
}

#[test]
fn files_account_for_every_record() {
    let folder = folder_of_three_clouds();
    let report = folder.run(&["sources", "logs", "--format", "json"]).json();
    let sources = report["sources"].as_array().unwrap();
    let of = |name: &str| sources.iter().find(|source| source["path"].as_str().unwrap().ends_with(name)).unwrap();
    let gcp = of("gcp.json");
    assert_eq!(gcp["format"], "json");
    assert_eq!(gcp["kinds"], json!({"gcp-audit": 3}));
    let counts: Vec<u64> =
        ["records", "rows", "duplicates", "undated"].iter().map(|name| gcp[*name].as_u64().unwrap()).collect();
    assert_eq!(counts, [4, 2, 1, 1]);
    let (reason, tally) = gcp["unreadable"].as_object().unwrap().iter().next().unwrap();
    assert!(reason.starts_with("broken JSON"), "{reason}");
    assert_eq!((&tally["count"], &tally["first"]["line"]), (&json!(1), &json!(4)));
    assert_eq!(of("azure.json")["kinds"], json!({"azure-activity": 1}));
    assert_eq!(of("trail.json")["kinds"], json!({"aws-cloudtrail": 3}));
    let shown = folder.run(&["sources", "logs"]).out;
    for text in [
        "GCPAuditLogs: 2 rows",
        "AzureActivity: 1 row,",
        "1 duplicate removed",
        "1 row without a time",
        "line 4",
        "3 files",
    ] {
        assert!(shown.contains(text), "`{text}` is not in: {shown}");
    }
    assert!(!shown.contains("aws/trail.json") && folder.run(&["sources", "logs", "--all"]).out.contains("trail.json"));
}

#[test]
fn standard_input_and_globs_are_sources() {
    let folder = folder_of_three_clouds();
    let text = std::fs::read_to_string(folder.path().join("logs/azure.json")).unwrap();
    let piped = folder.run_with_input(&["sources", "-", "--format", "json"], &text).json();
    assert_eq!(piped["tables"]["AzureActivity"]["rows"], 1, "{piped}");
    let globbed = folder.run(&["sources", "logs/*.json", "--format", "json"]).json();
    assert_eq!(globbed["sources"].as_array().map(Vec::len), Some(2));
    let nowhere = folder.run(&["sources", "nowhere"]);
    assert_eq!(nowhere.code, 4);
    assert!(nowhere.err.contains("nowhere"), "{}", nowhere.err);
}

#[test]
fn files_of_no_known_kind_are_told() {
    let folder = folder_with_launches();
    folder.write("logs/odd.json", "{\"hello\": \"world\"}\n");
    let report = folder.run(&["sources", "logs", "--format", "json"]).json();
    for source in report["sources"].as_array().unwrap() {
        let sum = |field: &str| {
            source[field].as_object().unwrap().values().map(|t| t["count"].as_u64().unwrap()).sum::<u64>()
        };
        let counted = source["rows"].as_u64().unwrap() + source["duplicates"].as_u64().unwrap();
        assert_eq!(source["records"].as_u64().unwrap(), counted + sum("other") + sum("unreadable"), "{source}");
    }
    let shown = folder.run(&["sources", "logs"]);
    assert!(shown.out.contains("AWSCloudTrail: 4 rows"), "{}", shown.out);
    assert!(shown.out.contains("gap"), "three days without an event: {}", shown.out);
}

#[test]
fn a_table_and_a_source_can_be_asked_for_and_found_types_are_shown() {
    let folder = Folder::new();
    folder.write("odd.json", "{\"when\":\"2026-03-01T10:00:00Z\",\"n\":1}\n{\"n\":2.5,\"who\":\"ann\"}\n");
    let run = folder.run(&["sources", "odd.json", "--table", "Odd_CL"]);
    assert!(run.out.contains("TimeGenerated datetime, when datetime, n real, who string"), "{}", run.out);
    let run = folder.run(&[
        "query",
        "Odd_CL | summarize total = sum(n)",
        "--logs",
        "odd.json",
        "--table",
        "Odd_CL",
        "--format",
        "csv",
    ]);
    assert_eq!(run.out.trim(), "total\n3.5", "{}", run.err);
    folder.write("call.json", "{\"eventName\":\"A\",\"eventTime\":\"2026-03-01T10:00:00Z\"}\n");
    let run = folder.run(&["sources", "call.json", "--source", "aws-cloudtrail", "--format", "json"]);
    assert_eq!(run.json()["sources"][0]["tables"], json!({"AWSCloudTrail": 1}));
    for (args, said) in [
        (["sources", "call.json", "--source", "nobody"], "no such source"),
        (["sources", "call.json", "--table", "no name"], "not a name of a table"),
        (["sources", "call.json", "--tz", "Nowhere"], "is no zone"),
        (["sources", "call.json", "--from", "soon"], "is not a time"),
    ] {
        let run = folder.run(&args);
        assert!(run.code == 2 && run.err.contains(said), "{args:?}: {} {}", run.code, run.err);
    }
}

#[test]
fn addresses_that_cannot_be_read_say_what_to_do() {
    let folder = Folder::new();
    let run = |address: &str| {
        let run = folder.run(&["sources", address]);
        assert_eq!((run.code, run.out.as_str()), (4, ""), "{address}");
        run.err
    };
    assert!(run("s3://").contains("expected s3://BUCKET/PREFIX, az://ACCOUNT/CONTAINER/PREFIX"));
    assert!(run("https://example.com/logs.json").contains("pages of the web are not read"));
    if cfg!(not(feature = "cloud")) {
        let said = run("https://logs.blob.core.windows.net/insights/y=2026?sv=1&sig=secret");
        assert!(said.contains("az://logs/insights/y=2026: this build reads no object stores"), "{said}");
        assert!(said.contains("cargo build --release --features cloud") && !said.contains("secret"), "{said}");
    }
}

#[test]
fn files_outside_the_times_are_not_opened_and_counted() {
    let folder = Folder::new();
    for day in ["01", "09"] {
        let call = record(1, &format!("2026-03-{day}T10:00:00Z"), "DescribeInstances", "ann");
        folder.write(&format!("logs/2026/03/{day}/trail.json"), &trail(&[call]));
    }
    let run = folder.run(&["sources", "logs", "--from", "2026-03-08", "--format", "json"]);
    let document = run.json();
    assert_eq!(document["outside"], json!(1));
    assert_eq!(document["sources"].as_array().unwrap().len(), 1);
    let run = folder.run(&["sources", "logs", "--to", "2026-03-02"]);
    assert!(run.out.contains("1 file not opened"), "{}", run.out);
    let files = |args: &[&str]| {
        let run = folder.run(&[&["sources", "logs", "--format", "json"], args].concat());
        (run.json()["sources"].as_array().unwrap().len(), run.json()["outside"].clone())
    };
    assert_eq!(files(&["--since", "2026-03-08"]), (1, json!(1)));
    assert_eq!(files(&["--since", "3d", "--to", "2026-03-10"]), (1, json!(1)));
    assert_eq!(files(&["--since", "9d", "--to", "2026-03-10"]), (2, json!(0)));
    assert_eq!(files(&["--since", "1d"]), (0, json!(2)), "a length alone counts from the present");
    let run = folder.run(&["sources", "logs", "--since", "lately"]);
    assert!(run.code == 2 && run.err.contains("neither a length of time nor a time"), "{}", run.err);
    folder.write("rules/launch.yaml", crate::logs::LAUNCH_RULE);
    let hunt = |args: &[&str]| {
        let run = folder.run(&[&["hunt", "rules", "--logs", "logs", "--format", "json"], args].concat());
        run.json()["sources"].as_array().unwrap_or_else(|| panic!("{}", run.out)).len()
    };
    assert_eq!((hunt(&[]), hunt(&["--since", "2d", "--to", "2026-03-10"])), (2, 1));
}

//! `tidewatch emulate`: what it lists and writes; and each published test played, loaded and detected by the built-in rules.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::run::Folder;

const AT: &str = "2026-03-02T10:00:00Z";

/// Plays a test and hunts its events with the built-in rules: the folder names of the rules that fired, and their rows.
fn detected(name: &str, with: &[&str]) -> (BTreeSet<String>, String) {
    let folder = Folder::new();
    let mut args = vec!["emulate", name, "--at", AT, "--out", "events.json", "--ip", "203.0.113.99"];
    args.extend(with.iter().flat_map(|with| ["--set", *with]));
    let run = folder.run(&args);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    let hunt = folder.run(&["hunt", "--logs", "events.json", "--format", "json"]);
    assert!(hunt.code <= 1, "{}", hunt.err);
    let report: Json = hunt.json();
    let rules = report["rules"].as_array().unwrap();
    let fired: BTreeSet<String> = rules
        .iter()
        .filter(|rule| rule["state"] == "fired")
        .map(|rule| rule["file"].as_str().unwrap().split('/').rev().nth(1).unwrap().to_string())
        .collect();
    (fired, report["alerts"].to_string())
}

/// The test is detected by this rule, whose alert says where it came from; with the key condition changed the rule is silent.
fn accepts(name: &str, rule: &str, changed: &[&str]) {
    let (fired, alerts) = detected(name, &[]);
    assert!(fired.contains(rule), "{name}: {fired:?}");
    assert!(alerts.contains("203.0.113.99"), "{name}: {alerts}");
    let (fired, _) = detected(name, changed);
    assert!(!fired.contains(rule), "{name} with {changed:?}: {fired:?}");
}

#[test]
fn create_aws_ec2_instance_via_cli() {
    accepts("aws.ec2-create-instance", "instance-creation", &["error=Client.DryRunOperation"]);
}

#[test]
fn create_azure_virtual_machine_via_cli() {
    accepts("azure.vm-create", "instance-creation", &["error=Conflict"]);
    accepts("azure.vm-create", "instance-creation", &["error=Conflict", "form=rest"]);
    assert!(detected("azure.vm-create", &["form=rest"]).0.contains("instance-creation"));
}

#[test]
fn create_gcp_compute_engine_instance_via_gcloud_cli() {
    accepts("gcp.instance-create", "instance-creation", &["error=QUOTA_EXCEEDED"]);
}

#[test]
fn snapshot_then_create_instance_data_staging_pattern() {
    let (fired, alerts) = detected("aws.snapshot-then-instance", &["snapshot=snap-0abcdef"]);
    assert!(fired.contains("instance-creation") && alerts.contains("snap-0abcdef"), "{fired:?} {alerts}");
    let (_, alerts) = detected("aws.ec2-create-instance", &[]);
    assert!(!alerts.contains("snap-0"), "{alerts}");
}

#[test]
fn aws_create_and_share_ec2_snapshot_cross_account() {
    accepts("aws.ec2-snapshot-share", "snapshot-shared-outside", &["other_account=111122223333"]);
}

#[test]
fn azure_create_vm_snapshot_and_capture_vm_image() {
    accepts("azure.vm-snapshot-capture", "compute-modification", &["error=Conflict"]);
    assert!(detected("azure.vm-snapshot-capture", &["form=rest"]).0.contains("compute-modification"));
}

#[test]
fn aws_terminate_running_ec2_instance_evidence_destruction() {
    accepts("aws.ec2-run-terminate", "instance-creation", &["error=Client.UnauthorizedOperation"]);
}

#[test]
fn every_test_loads_without_a_record_left_over() {
    let folder = Folder::new();
    let list = folder.run(&["emulate", "--list", "--format", "json"]).json();
    let tests = list["tests"].as_array().unwrap();
    assert!(tests.len() > 60, "{}", tests.len());
    std::fs::create_dir(folder.path().join("all")).unwrap();
    for test in tests {
        let name = test["name"].as_str().unwrap();
        let run = folder.run(&["emulate", name, "--at", AT, "--out", &format!("all/{name}.json")]);
        assert_eq!(run.code, 0, "{name}: {}", run.err);
    }
    let sources = folder.run(&["sources", "all", "--format", "json"]).json();
    for source in sources["sources"].as_array().unwrap() {
        let whole = source["records"] == source["rows"] && source["undated"] == 0;
        assert!(whole && source["notes"] == json!([]), "{source}");
    }
    let tables: Vec<&str> = sources["tables"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(tables, ["AWSCloudTrail", "AuditLogs", "AzureActivity", "GCPAuditLogs"]);
}

#[test]
fn mistakes_say_what_is_known() {
    let folder = Folder::new();
    let unknown = folder.run(&["emulate", "aws.gpu-launch"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("aws.ec2-gpu-launch"), "{}", unknown.err);
    let parameter = folder.run(&["emulate", "aws.ec2-gpu-launch", "--set", "colour=red"]);
    assert!(parameter.code == 2 && parameter.err.contains("instance_type"), "{}", parameter.err);
    assert_eq!(folder.run(&["emulate", "aws.ec2-gpu-launch", "--at", "soon"]).code, 2);
    let shown = folder.run(&["emulate", "aws.ec2-gpu-launch", "--list"]).out;
    assert!(shown.contains("p4d.24xlarge") && shown.contains("RunInstances"), "{shown}");
    let relative = folder.run(&["emulate", "gcp.gpu-vm", "--at", "-2h", "--actor", "eve@quay.example"]);
    assert!(relative.out.lines().count() == 2 && relative.out.contains("eve@quay.example"), "{}", relative.out);
}

//! A compute instance is created: the published detection and the built-in one.

use serde_json::{Value as Json, json};

use super::harness::{Base, Found, List, Proof, Row, base, built_in, found, prove, published, silent};
use super::raw::{self, Operation};
use super::scene::{Form, Scene};

const NOW: &str = "2026-04-02T12:00:00Z";
const ARN: &str = "arn:aws:iam::000123456789:user/ida";
const WRITE: &str = "Microsoft.Compute/virtualMachines/write";

fn aws() -> Scene {
    Scene::new().with("trail", Form::Trail, raw::ec2(1, "2026-04-02T09:00:00Z", "ida", "DescribeInstances")).with(
        "trail",
        Form::Trail,
        raw::run_instances(2, "2026-04-02T09:30:00Z", "ida", &["i-0a1"]),
    )
}

fn operation() -> Operation<'static> {
    Operation {
        id: 1,
        time: "2026-04-02T10:00:00Z",
        caller: "mira.holt@tide.example",
        address: "198.51.100.78",
        name: WRITE,
        group: "rg-lab",
        resource: "Microsoft.Compute/virtualMachines/vm-lab-1",
        substatus: "Created",
    }
}

/// Something else in the same log, so that a silent rule had rows to look at.
fn other() -> Operation<'static> {
    Operation { id: 9, name: "Microsoft.Compute/virtualMachines/start/action", substatus: "OK", ..operation() }
}

fn azure() -> Scene {
    let created = operation();
    Scene::new()
        .with("activity", Form::Array, created.rest(1, "Started"))
        .with("activity", Form::Array, created.rest(2, "Accepted"))
        .with("activity", Form::Array, created.rest(3, "Succeeded"))
        .with("other", Form::Array, other().rest(1, "Succeeded"))
}

fn azure_diagnostic() -> Scene {
    let created = operation();
    Scene::new()
        .with("activity", Form::Lines, created.diagnostic(1, "Start"))
        .with("activity", Form::Lines, created.diagnostic(2, "Accept"))
        .with("activity", Form::Lines, created.diagnostic(3, "Success"))
        .with("other", Form::Lines, other().diagnostic(1, "Success"))
}

fn move_azure(scene: &mut Scene, time: &str) {
    scene.set_all("activity", "eventTimestamp", &json!(time));
}

fn ip(address: &str) -> Json {
    json!({"Address": address, "Type": "ip"})
}

#[test]
fn published_instance_creation() {
    let title = "Detect Create Cloud Instance in Microsoft Sentinel";
    let aws_row = Row {
        values: json!({
            "TimeGenerated": "2026-04-02T09:30:00.0000000Z", "CloudProvider": "AWS", "Actor": ARN, "SourceIP": "198.51.100.77",
            "InstanceIdentifier": "i-0a1", "Scope": "ap-southeast-3", "AccountScope": "000123456789", "Level": "",
        }),
        entities: json!([ip("198.51.100.77")]),
        sources: vec!["trail/1"],
        severity: "Medium",
        title,
    };
    let azure_row = Row {
        values: json!({
            "TimeGenerated": "2026-04-02T10:00:00.0000000Z", "CloudProvider": "Azure", "Actor": "mira.holt@tide.example",
            "SourceIP": "198.51.100.78", "InstanceIdentifier": "vm-lab-1", "Scope": "rg-lab",
            "AccountScope": raw::SUBSCRIPTION, "Level": "Informational",
        }),
        entities: json!([ip("198.51.100.78")]),
        sources: vec!["activity/2"],
        severity: "Medium",
        title,
    };
    let diagnostic_row = Row {
        values: json!({"CloudProvider": "Azure", "Actor": "mira.holt@tide.example", "InstanceIdentifier": "VM-LAB-1"}),
        ..azure_row.clone()
    };
    prove(&Proof {
        rule: published("create-cloud-instance"),
        now: NOW,
        bases: vec![
            base(aws(), vec![aws_row]),
            base(azure(), vec![azure_row]),
            base(azure_diagnostic(), vec![diagnostic_row]),
        ],
        found: vec![
            found("one second inside the day", 0, json!({}), |s| {
                s.set("trail/1/eventTime", json!("2026-04-01T12:00:01Z"))
            }),
            found("one second inside the day, Azure", 1, json!({}), |s| move_azure(s, "2026-04-01T12:00:01Z")),
            found("the first of two instances", 0, json!({"InstanceIdentifier": "i-0a1"}), |s| {
                let items = json!([{"instanceId": "i-0a1"}, {"instanceId": "i-0a2"}]);
                s.set("trail/1/responseElements/instancesSet/items", items);
            }),
        ],
        silent: vec![
            silent("TimeGenerated > ago(24h)", 1, |s| move_azure(s, "2026-04-01T12:00:00Z")),
            silent("OperationNameValue =~ \"MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE\"", 1, |s| {
                s.set_all("activity", "operationName/value", &json!("Microsoft.Compute/disks/write"));
            }),
            silent("ActivityStatusValue =~ \"Succeeded\"", 1, |s| s.set("activity/2/status/value", json!("Failed"))),
            silent("ActivityStatusValue =~ \"Succeeded\"", 2, |s| s.set("activity/2/resultType", json!("Failure"))),
            silent("TimeGenerated > ago(24h) #2", 0, |s| s.set("trail/1/eventTime", json!("2026-04-01T12:00:00Z"))),
            silent("EventName =~ \"RunInstances\"", 0, |s| s.set("trail/1/eventName", json!("StartInstances"))),
            silent("isempty(ErrorCode)", 0, |s| {
                s.field("trail/1", "errorCode", Some(json!("Client.DryRunOperation")));
            }),
            silent("window: before it", 0, |s| s.set("trail/1/eventTime", json!("2026-04-01T11:59:59Z"))),
            silent("window: before it", 1, |s| move_azure(s, "2026-04-01T11:59:59Z")),
            silent("window: after the clock", 0, |s| s.set("trail/1/eventTime", json!("2026-04-02T12:00:01Z"))),
            silent("window: after the clock", 1, |s| move_azure(s, "2026-04-02T12:00:01Z")),
        ],
        lists: vec![],
        implied: vec![],
    });
}

fn gcp() -> Scene {
    let insert = |id, time, name| raw::gcp_insert(id, time, "lab@tide.example", "198.51.100.79", name);
    let mut listed = insert(1, "2026-04-02T10:59:00Z", "gce-lab-1");
    listed["protoPayload"]["methodName"] = json!("v1.compute.instances.list");
    Scene::new().with("gcp", Form::Lines, insert(2, "2026-04-02T11:00:00Z", "gce-lab-1")).with(
        "gcp",
        Form::Lines,
        listed,
    )
}

/// A snapshot, then a launch that mounts it.
fn staged() -> Scene {
    let mut scene = aws();
    let mut snapshot = raw::ec2(3, "2026-04-02T08:00:00Z", "ida", "CreateSnapshot");
    snapshot["responseElements"] = json!({"snapshotId": "snap-0abc", "volumeId": "vol-1", "status": "pending"});
    scene.set(
        "trail/1/requestParameters/blockDeviceMapping",
        json!({"items": [{"deviceName": "/dev/sdf", "ebs": {"snapshotId": "snap-0abc"}}]}),
    );
    scene.push("trail", Form::Trail, snapshot);
    scene
}

/// The instance is still found, but it is not said to be made from a snapshot.
fn unstaged(breaks: &'static str, change: fn(&mut Scene)) -> Found {
    Found {
        name: breaks,
        base: 4,
        change,
        values: json!({"InstanceIdentifier": "i-0a1", "StagedFrom": ""}),
        breaks: Some(breaks),
    }
}

fn built_in_row(values: Json, actor: Json, address: &str, sources: Vec<&'static str>, title: &'static str) -> Row {
    Row { values, entities: json!([actor, ip(address)]), sources, severity: "Medium", title }
}

fn built_in_bases() -> Vec<Base> {
    let aws_row = |instance: &str, staged: &str, sources, title| {
        let values = json!({
            "TimeGenerated": "2026-04-02T09:30:00.0000000Z", "CloudProvider": "AWS", "Actor": ARN, "SourceIP": "198.51.100.77",
            "InstanceIdentifier": instance, "InstanceType": "g5.xlarge", "Scope": "ap-southeast-3",
            "AccountScope": "000123456789", "StagedFrom": staged,
        });
        built_in_row(values, json!({"FullName": ARN, "Type": "account"}), "198.51.100.77", sources, title)
    };
    let azure_row = |resource: &str, group: &str, title| {
        let values = json!({
            "TimeGenerated": "2026-04-02T10:00:00.0000000Z", "CloudProvider": "Azure", "Actor": "mira.holt@tide.example",
            "SourceIP": "198.51.100.78", "InstanceIdentifier": resource, "Scope": group, "StagedFrom": "",
        });
        let account = json!({"FullName": "mira.holt@tide.example", "Name": "mira.holt", "UPNSuffix": "tide.example", "Type": "account"});
        built_in_row(values, account, "198.51.100.78", vec!["activity/0", "activity/1", "activity/2"], title)
    };
    let gcp_row = built_in_row(
        json!({
            "TimeGenerated": "2026-04-02T11:00:00.0000000Z", "CloudProvider": "GCP", "Actor": "lab@tide.example",
            "SourceIP": "198.51.100.79", "InstanceIdentifier": "gce-lab-1", "InstanceType": "a2-highgpu-1g",
            "Scope": "us-west4-b", "AccountScope": "tide-lab", "StagedFrom": "",
        }),
        json!({"FullName": "lab@tide.example", "Name": "lab", "UPNSuffix": "tide.example", "Type": "account"}),
        "198.51.100.79",
        vec!["gcp/0"],
        "GCP instance gce-lab-1 created by lab@tide.example",
    );
    let title = "AWS instance i-0a1 created by arn:aws:iam::000123456789:user/ida";
    let mut several = staged();
    several.push("trail", Form::Trail, raw::run_instances(4, "2026-04-02T09:30:00Z", "ida", &["i-0b1", "i-0b2"]));
    let second = "AWS instance i-0b1 created by arn:aws:iam::000123456789:user/ida";
    let third = "AWS instance i-0b2 created by arn:aws:iam::000123456789:user/ida";
    vec![
        base(aws(), vec![aws_row("i-0a1", "", vec!["trail/1"], title)]),
        base(
            azure(),
            vec![azure_row("vm-lab-1", "rg-lab", "Azure instance vm-lab-1 created by mira.holt@tide.example")],
        ),
        base(
            azure_diagnostic(),
            vec![azure_row("VM-LAB-1", "RG-LAB", "Azure instance VM-LAB-1 created by mira.holt@tide.example")],
        ),
        base(gcp(), vec![gcp_row]),
        base(staged(), vec![aws_row("i-0a1", "[\"snap-0abc\"]", vec!["trail/1", "trail/2"], title)]),
        base(
            several,
            vec![
                aws_row("i-0a1", "[\"snap-0abc\"]", vec!["trail/1", "trail/2"], title),
                aws_row("i-0b1", "", vec!["trail/3"], second),
                aws_row("i-0b2", "", vec!["trail/3"], third),
            ],
        ),
    ]
}

#[test]
fn built_in_instance_creation() {
    let launches_silent = [
        silent("EventSource =~ \"ec2.amazonaws.com\"", 0, |s| {
            s.set("trail/1/eventSource", json!("lightsail.amazonaws.com"))
        }),
        silent("EventName =~ \"RunInstances\"", 0, |s| s.set("trail/1/eventName", json!("StartInstances"))),
        silent("isempty(ErrorCode)", 0, |s| {
            s.field("trail/1", "errorCode", Some(json!("Client.UnauthorizedOperation")));
        }),
        silent("expand Response.instancesSet.items", 0, |s| {
            s.set("trail/1/responseElements/instancesSet/items", json!([]));
        }),
        silent("isnotempty(InstanceIdentifier)", 0, |s| {
            s.set("trail/1/responseElements/instancesSet/items", json!([{"imageId": "ami-1"}]));
        }),
        silent("window: before it", 0, |s| s.set("trail/1/eventTime", json!("2026-04-01T11:59:59Z"))),
        silent("window: after the clock", 0, |s| s.set("trail/1/eventTime", json!("2026-04-02T12:00:01Z"))),
    ];
    let azure_silent = [
        silent("Succeeded > 0", 1, |s| s.set("activity/2/status/value", json!("Failed"))),
        silent("Succeeded > 0", 2, |s| s.set("activity/2/resultType", json!("Failure"))),
        silent("Created > 0", 1, |s| s.set_all("activity", "subStatus/value", &json!("OK"))),
        silent("ActivitySubstatusValue startswith \"Created\"", 1, |s| {
            s.set_all("activity", "subStatus/value", &json!("OK (not Created)"));
        }),
        silent("Updated == 0", 1, |s| {
            s.set_all("activity", "subStatus/value", &json!(""));
            s.set("activity/2/subStatus/value", json!("OK"));
        }),
        silent("ActivitySubstatusValue startswith \"OK\"", 2, |s| {
            s.set_all("activity", "resultSignature", &json!("Accepted."));
            s.set("activity/2/resultSignature", json!("Succeeded.OK"));
        }),
        silent("window: before it", 1, |s| move_azure(s, "2026-04-01T11:59:59Z")),
        silent("group: CorrelationId", 1, |s| {
            // The success belongs to another operation, which answered OK.
            s.set("activity/2/correlationId", json!("30000000-0000-4000-8000-000000000077"));
            s.set("activity/2/subStatus/value", json!("OK"));
        }),
        silent("group: tolower(ResourceId)", 1, |s| {
            let disk = format!(
                "/subscriptions/{}/resourceGroups/rg-lab/providers/Microsoft.Compute/disks/d",
                raw::SUBSCRIPTION
            );
            s.set("activity/2/resourceId", json!(disk));
            s.set("activity/2/subStatus/value", json!("OK"));
        }),
    ];
    let gcp_silent = [
        silent("ServiceName == \"compute.googleapis.com\"", 3, |s| {
            s.set("gcp/0/protoPayload/serviceName", json!("tpu.googleapis.com"));
        }),
        silent("MethodName endswith \"instances.insert\"", 3, |s| {
            s.set("gcp/0/protoPayload/methodName", json!("v1.compute.instances.setMetadata"));
        }),
        silent("isnotempty(Request.name)", 3, |s| s.set("gcp/0/protoPayload/request/name", json!(""))),
        silent("isempty(Status.code)", 3, |s| s.set("gcp/0/protoPayload/status", json!({"code": "7"}))),
        silent("tolong(Status.code) == 0", 3, |s| s.set("gcp/0/protoPayload/status/code", json!(7))),
        silent("PrincipalEmail !endswith \"@cloudservices.gserviceaccount.com\"", 3, |s| {
            let agent = json!("77@cloudservices.gserviceaccount.com");
            s.set("gcp/0/protoPayload/authenticationInfo/principalEmail", agent);
        }),
        silent("PrincipalEmail !endswith \"@compute-system.iam.gserviceaccount.com\"", 3, |s| {
            let agent = json!("service-77@compute-system.iam.gserviceaccount.com");
            s.set("gcp/0/protoPayload/authenticationInfo/principalEmail", agent);
        }),
        silent("window: after the clock", 3, |s| s.set("gcp/0/receiveTimestamp", json!("2026-04-02T12:00:01Z"))),
    ];
    prove(&Proof {
        rule: built_in("instance-creation"),
        now: NOW,
        bases: built_in_bases(),
        found: vec![
            found("no substatus at all", 1, json!({}), |s| s.set_all("activity", "subStatus/value", &json!(""))),
            found("no status of the call", 3, json!({}), |s| s.set("gcp/0/protoPayload/status", json!({}))),
            found("the beta interface", 3, json!({}), |s| {
                s.set("gcp/0/protoPayload/methodName", json!("beta.compute.instances.insert"));
            }),
            found("the type of the request where the answer has none", 0, json!({"InstanceType": "g5.xlarge"}), |s| {
                s.set("trail/1/responseElements/instancesSet/items", json!([{"instanceId": "i-0a1"}]));
            }),
            unstaged("EventSource =~ \"ec2.amazonaws.com\" #2", |s| s.set("trail/2/eventSource", json!("ebs.amazonaws.com"))),
            unstaged("EventName in~ (\"CreateSnapshot\", \"CreateSnapshots\", \"CopySnapshot\")", |s| {
                s.set("trail/2/eventName", json!("ModifySnapshotAttribute"));
            }),
            unstaged("isempty(ErrorCode) #2", |s| s.field("trail/2", "errorCode", Some(json!("Client.SnapshotLimit")))),
            unstaged("expand extract_all(@\"(snap-[0-9a-f]+)\", ResponseElements)", |s| {
                s.set("trail/2/responseElements", json!({"volumeId": "vol-1"}));
            }),
            unstaged("expand MountedSnapshots", |s| s.set("trail/1/requestParameters/blockDeviceMapping", json!({}))),
            unstaged("join on SnapshotId", |s| s.set("trail/2/responseElements/snapshotId", json!("snap-0abd"))),
            unstaged("join on Actor", |s| {
                s.set("trail/2/userIdentity/arn", json!("arn:aws:iam::000123456789:user/eve"));
            }),
            unstaged("SnapshotTime <= TimeGenerated", |s| s.set("trail/2/eventTime", json!("2026-04-02T09:30:01Z"))),
        ],
        silent: launches_silent.into_iter().chain(azure_silent).chain(gcp_silent).chain([
            silent(
                "UserIdentityInvokedBy !in~ (\"autoscaling.amazonaws.com\", \"ec2fleet.amazonaws.com\", \"spotfleet.amazonaws.com\")",
                0,
                |s| {
                    let service = json!({"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"});
                    s.set("trail/1/userIdentity", service);
                },
            ),
            silent(
                "OperationNameValue in~ (\"Microsoft.Compute/virtualMachines/write\", \"Microsoft.Compute/virtualMachineScaleSets/write\")",
                1,
                |s| s.set_all("activity", "operationName/value", &json!("Microsoft.Compute/disks/write")),
            ),
            silent("ActivityStatusValue in~ (\"Succeeded\", \"Success\")", 1, |s| {
                s.set("activity/2/status/value", json!("Failed"));
            }),
        ]).collect(),
        lists: vec![
            List {
                condition: "UserIdentityInvokedBy !in~ (\"autoscaling.amazonaws.com\", \"ec2fleet.amazonaws.com\", \"spotfleet.amazonaws.com\")",
                base: 0,
                put: |s, member| {
                    s.field("trail/1", "userIdentity", Some(json!({"type": "AWSService", "invokedBy": member})));
                },
                values: None,
            },
            List {
                condition: "EventName in~ (\"CreateSnapshot\", \"CreateSnapshots\", \"CopySnapshot\")",
                base: 4,
                put: |s, member| s.set("trail/2/eventName", json!(member)),
                values: Some(json!({"StagedFrom": "[\"snap-0abc\"]"})),
            },
            List {
                condition: "OperationNameValue in~ (\"Microsoft.Compute/virtualMachines/write\", \"Microsoft.Compute/virtualMachineScaleSets/write\")",
                base: 1,
                put: |s, member| s.set_all("activity", "operationName/value", &json!(member)),
                values: Some(json!({"InstanceIdentifier": "vm-lab-1"})),
            },
            List {
                condition: "ActivityStatusValue in~ (\"Succeeded\", \"Success\")",
                base: 1,
                put: |s, member| s.set("activity/2/status/value", json!(member)),
                values: Some(json!({"InstanceIdentifier": "vm-lab-1"})),
            },
        ],
        implied: vec![(
            "join on InstanceIdentifier",
            "the instances of either side are those of the same launches; of three launched, one is staged",
        )],
    });
}

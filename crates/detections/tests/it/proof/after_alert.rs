//! An instance is created from an address in a security alert: the published detection and the built-in one.

use serde_json::{Value as Json, json};

use super::harness::{Base, Found, List, Proof, Row, base, built_in, found, prove, published, silent};
use super::raw::{self, Operation};
use super::scene::{Form, Scene};

const NOW: &str = "2026-04-02T18:00:00Z";
const ACCOUNT: &str = "70000000-0000-4000-8000-000000000001";
const ALERT: &str = "80000000-0000-4000-8000-000000000001";
const ADDRESS: &str = "198.51.100.79";

/// An alert at 08:00 about Mira and an address, and Mira in the directory. Another alert is about nobody here.
fn alert() -> Scene {
    Scene::new()
        .with("alerts", Form::Lines, raw::security_alert(ALERT, "2026-04-02T08:00:00Z", ACCOUNT, ADDRESS))
        .with(
            "alerts",
            Form::Lines,
            raw::security_alert("80000000-0000-4000-8000-000000000002", "2026-04-02T08:30:00Z", "x", "203.0.113.1"),
        )
        .with("users", Form::Graph, raw::graph_user(ACCOUNT, "mira.holt@tide.example", "Analyst"))
}

fn gcp() -> Scene {
    let insert = |id, time, name| raw::gcp_insert(id, time, "lab@tide.example", ADDRESS, name);
    let mut listed = insert(1, "2026-04-02T10:59:00Z", "gce-lab-1");
    listed["protoPayload"]["methodName"] = json!("v1.compute.instances.list");
    alert().with("gcp", Form::Lines, insert(2, "2026-04-02T11:00:00Z", "gce-lab-1")).with("gcp", Form::Lines, listed)
}

fn aws() -> Scene {
    let mut launch = raw::run_instances(2, "2026-04-02T11:00:00Z", "ida", &["i-0a1"]);
    launch["sourceIPAddress"] = json!(ADDRESS);
    alert().with("trail", Form::Trail, launch).with(
        "trail",
        Form::Trail,
        raw::ec2(1, "2026-04-02T09:00:00Z", "ida", "DescribeInstances"),
    )
}

fn azure() -> Scene {
    let created = Operation {
        id: 1,
        time: "2026-04-02T11:00:00Z",
        caller: "mira.holt@tide.example",
        address: ADDRESS,
        name: "Microsoft.Compute/virtualMachines/write",
        group: "rg-lab",
        resource: "Microsoft.Compute/virtualMachines/vm-lab-1",
        substatus: "Created",
    };
    alert().with("activity", Form::Array, created.rest(3, "Succeeded")).with(
        "activity",
        Form::Array,
        created.rest(1, "Started"),
    )
}

/// Changes a text inside the `Entities` of the first alert.
fn entities(scene: &mut Scene, from: &str, to: &str) {
    let record = scene.record("alerts/0");
    let text = record["Entities"].as_str().unwrap();
    assert!(text.contains(from), "{text}");
    record["Entities"] = json!(text.replacen(from, to, 1));
}

fn address(scene: &mut Scene, address: &str) {
    scene.set("gcp/0/protoPayload/requestMetadata/callerIp", json!(address));
}

fn principal(scene: &mut Scene, principal: &str) {
    scene.set("gcp/0/protoPayload/authenticationInfo/principalEmail", json!(principal));
}

fn gcp_time(scene: &mut Scene, time: &str) {
    scene.set("gcp/0/receiveTimestamp", json!(time));
}

const PUBLISHED_PRODUCTS: &str = "ProductName in (\"Microsoft 365 Defender\", \"Azure Active Directory\", \"Microsoft Defender Advanced Threat Protection\", \"Microsoft Cloud App Security\", \"Azure Active Directory Identity Protection\", \"Microsoft Defender ATP\")";

#[test]
fn published_instance_after_alert() {
    let row = Row {
        values: json!({
            "AlertName": "Atypical travel", "ProductName": "Azure Active Directory Identity Protection",
            "AlertSeverity": "Medium", "EntityIp": ADDRESS, "AlertTime": "2026-04-02T00:00:00.0000000Z",
            "Tactics": "InitialAccess", "ProviderName": "IPC", "AccountObjectId": ACCOUNT, "SystemAlertIds": [ALERT],
            "GCPOperationTime": "2026-04-02T11:00:00.0000000Z", "VMName": "gce-lab-1", "VMStatus": "RUNNING",
            "MethodName": "v1.compute.instances.insert", "GCPUserUPN": "lab@tide.example", "ProjectId": "tide-lab",
            "GCPUserIp": ADDRESS, "GCPUserUA": "gcloud/480.0.0", "VMOperation": "insert", "VMType": "a2-highgpu-1g",
            "AccountUPN": "mira.holt@tide.example", "JobTitle": "Analyst", "TimeDiff": 0, "Name": "lab",
            "UPNSuffix": "tide.example",
        }),
        entities: json!([
            {"Address": ADDRESS, "Type": "ip"},
            {"FullName": "lab@tide.example", "Name": "lab", "UPNSuffix": "tide.example", "Type": "account"},
        ]),
        sources: vec!["alerts/0", "gcp/0", "users/0"],
        severity: "Medium",
        title: "IP address 198.51.100.79 Assocated with Atypical travel found in GCP VM creation event by lab@tide.example",
    };
    prove(&Proof {
        rule: published("suspicious-vm-creation"),
        now: NOW,
        bases: vec![base(gcp(), vec![row])],
        found: vec![
            found("the creation before the alert", 0, json!({"TimeDiff": 0}), |s| gcp_time(s, "2026-04-02T01:00:00Z")),
            found("the day before", 0, json!({"TimeDiff": 1}), |s| gcp_time(s, "2026-04-01T23:00:00Z")),
        ],
        silent: vec![
            silent(PUBLISHED_PRODUCTS, 0, |s| s.set("alerts/0/ProductName", json!("Azure Sentinel"))),
            silent("AlertSeverity has_any (\"Medium\", \"High\")", 0, |s| {
                s.set("alerts/0/AlertSeverity", json!("Low"))
            }),
            silent("expand Entities", 0, |s| s.set("alerts/0/Entities", json!("[]"))),
            silent("expand Entities #2", 0, |s| s.set("alerts/0/Entities", json!(""))),
            silent("Entity.Type == 'ip'", 0, |s| entities(s, "\"Type\":\"ip\"", "\"Type\":\"host\"")),
            silent("Entity.Type == 'account'", 0, |s| entities(s, "\"Type\":\"account\"", "\"Type\":\"mailbox\"")),
            silent("isnotempty(EntityIp)", 0, |s| entities(s, ADDRESS, "")),
            silent("ServiceName == \"compute.googleapis.com\"", 0, |s| {
                s.set("gcp/0/protoPayload/serviceName", json!("tpu.googleapis.com"));
            }),
            silent("MethodName endswith \"instances.insert\"", 0, |s| {
                s.set("gcp/0/protoPayload/methodName", json!("v1.compute.instances.insertTag"));
            }),
            silent("GCPUserUPN !has \"gserviceaccount.com\"", 0, |s| {
                principal(s, "bot@tide-lab.iam.gserviceaccount.com")
            }),
            silent("VMOperation == \"insert\"", 0, |s| {
                s.set("gcp/0/protoPayload/response/operationType", json!("delete"));
            }),
            silent("isnotempty(GCPUserIp)", 0, |s| address(s, "")),
            silent("GCPUserIp != \"private\"", 0, |s| {
                address(s, "private");
                entities(s, ADDRESS, "private");
            }),
            silent("join on $left.EntityIp == $right.GCPUserIp", 0, |s| address(s, "198.51.100.80")),
            silent("join on AccountObjectId", 0, |s| {
                s.set("users/0/id", json!("70000000-0000-4000-8000-000000000002"))
            }),
            silent("window: before it", 0, |s| gcp_time(s, "2026-04-01T17:59:59Z")),
            silent("window: before it", 0, |s| s.set("alerts/0/TimeGenerated", json!("2026-04-01T17:59:59Z"))),
            silent("window: after the clock", 0, |s| gcp_time(s, "2026-04-02T18:00:01Z")),
            silent("window: after the clock", 0, |s| s.set("alerts/0/TimeGenerated", json!("2026-04-02T18:00:01Z"))),
        ],
        lists: vec![
            List {
                condition: PUBLISHED_PRODUCTS,
                base: 0,
                put: |s, member| s.set("alerts/0/ProductName", json!(member)),
                values: Some(json!({"VMName": "gce-lab-1"})),
            },
            List {
                condition: "AlertSeverity has_any (\"Medium\", \"High\")",
                base: 0,
                put: |s, member| s.set("alerts/0/AlertSeverity", json!(member)),
                values: Some(json!({"VMName": "gce-lab-1"})),
            },
        ],
        implied: vec![],
    });
}

/// An account as an entity; an address-like name is taken apart.
fn account(name: &str) -> Json {
    match name.split_once('@') {
        Some((user, suffix)) => json!({"FullName": name, "Name": user, "UPNSuffix": suffix, "Type": "account"}),
        None => json!({"FullName": name, "Type": "account"}),
    }
}

fn row(cloud: &str, actor: &str, instance: &str, scope: &str, sources: Vec<&'static str>, title: &'static str) -> Row {
    Row {
        values: json!({
            "CreationTime": "2026-04-02T11:00:00.0000000Z", "AlertTime": "2026-04-02T08:00:00.0000000Z", "HoursAfterAlert": 3.0,
            "AlertName": "Atypical travel", "AlertSeverity": "Medium", "SystemAlertId": ALERT, "SourceIP": ADDRESS,
            "CloudProvider": cloud, "Actor": actor, "InstanceIdentifier": instance, "AccountScope": scope,
            "AccountObjectId": ACCOUNT, "AlertAccount": "mira.holt@tide.example", "JobTitle": "Analyst",
        }),
        entities: json!([{"Address": ADDRESS, "Type": "ip"}, account(actor)]),
        sources,
        severity: "Medium",
        title,
    }
}

/// The row is found, but nobody is known behind the alert.
fn unknown_account(breaks: &'static str, values: Json, change: fn(&mut Scene)) -> Found {
    Found { name: breaks, base: 0, change, values, breaks: Some(breaks) }
}

const ARN: &str = "arn:aws:iam::000123456789:user/ida";

fn bases() -> Vec<Base> {
    let gcp_row = row(
        "GCP",
        "lab@tide.example",
        "gce-lab-1",
        "tide-lab",
        vec!["alerts/0", "gcp/0", "users/0"],
        "Instance gce-lab-1 created from 198.51.100.79, named in Atypical travel",
    );
    let aws_row = row(
        "AWS",
        ARN,
        "i-0a1",
        "000123456789",
        vec!["alerts/0", "trail/0", "users/0"],
        "Instance i-0a1 created from 198.51.100.79, named in Atypical travel",
    );
    let azure_row = row(
        "Azure",
        "mira.holt@tide.example",
        "vm-lab-1",
        raw::SUBSCRIPTION,
        vec!["activity/0", "alerts/0", "users/0"],
        "Instance vm-lab-1 created from 198.51.100.79, named in Atypical travel",
    );
    vec![base(gcp(), vec![gcp_row]), base(aws(), vec![aws_row]), base(azure(), vec![azure_row])]
}

#[test]
fn built_in_instance_after_alert() {
    let alert_silent = [
        silent("ProductName in (Products)", 0, |s| s.set("alerts/0/ProductName", json!("Azure Sentinel"))),
        silent("AlertSeverity in (\"Medium\", \"High\")", 0, |s| s.set("alerts/0/AlertSeverity", json!("Low"))),
        silent("expand parse_json(Entities)", 0, |s| s.set("alerts/0/Entities", json!("[]"))),
        silent("EntityType == \"ip\"", 0, |s| entities(s, "\"Type\":\"ip\"", "\"Type\":\"host\"")),
        silent("isnotempty(Entity.Address)", 0, |s| entities(s, ADDRESS, "")),
        silent("expand Addresses", 0, |s| entities(s, "\"Address\"", "\"Place\"")),
        silent("join on $left.Address == $right.SourceIP", 0, |s| address(s, "198.51.100.80")),
        silent("CreationTime between ((AlertTime - 6h) .. (AlertTime + 24h))", 0, |s| {
            gcp_time(s, "2026-04-02T01:59:59Z")
        }),
        silent("CreationTime between ((AlertTime - 6h) .. (AlertTime + 24h))", 0, |s| {
            s.set("alerts/0/TimeGenerated", json!("2026-04-01T10:59:59Z"));
        }),
        silent("window: before it", 0, |s| s.set("alerts/0/TimeGenerated", json!("2026-03-31T17:59:59Z"))),
        silent("window: after the clock", 0, |s| s.set("alerts/0/TimeGenerated", json!("2026-04-02T18:00:01Z"))),
    ];
    let gcp_silent = [
        silent("ServiceName == \"compute.googleapis.com\"", 0, |s| {
            s.set("gcp/0/protoPayload/serviceName", json!("tpu.googleapis.com"));
        }),
        silent("MethodName endswith \"instances.insert\"", 0, |s| {
            s.set("gcp/0/protoPayload/methodName", json!("v1.compute.instances.insertTag"));
        }),
        silent("isnotempty(Request.name)", 0, |s| s.set("gcp/0/protoPayload/request/name", json!(""))),
        silent("isempty(Status.code)", 0, |s| s.set("gcp/0/protoPayload/status", json!({"code": "7"}))),
        silent("tolong(Status.code) == 0", 0, |s| s.set("gcp/0/protoPayload/status/code", json!(7))),
        silent("PrincipalEmail !endswith \"@cloudservices.gserviceaccount.com\"", 0, |s| {
            principal(s, "77@cloudservices.gserviceaccount.com");
        }),
        silent("PrincipalEmail !endswith \"@compute-system.iam.gserviceaccount.com\"", 0, |s| {
            principal(s, "service-77@compute-system.iam.gserviceaccount.com");
        }),
        silent("isnotempty(SourceIP)", 0, |s| address(s, "")),
        silent("window: after the clock", 0, |s| gcp_time(s, "2026-04-02T18:00:01Z")),
    ];
    let aws_silent = [
        silent("EventSource =~ \"ec2.amazonaws.com\"", 1, |s| {
            s.set("trail/0/eventSource", json!("lightsail.amazonaws.com"))
        }),
        silent("EventName =~ \"RunInstances\"", 1, |s| s.set("trail/0/eventName", json!("StartInstances"))),
        silent("isempty(ErrorCode)", 1, |s| s.field("trail/0", "errorCode", Some(json!("Client.DryRunOperation")))),
        silent("expand parse_json(ResponseElements).instancesSet.items", 1, |s| {
            s.set("trail/0/responseElements/instancesSet/items", json!([]));
        }),
        silent("isnotempty(InstanceIdentifier)", 1, |s| {
            s.set("trail/0/responseElements/instancesSet/items", json!([{"imageId": "ami-1"}]));
        }),
    ];
    let azure_silent = [
        silent("OperationNameValue =~ \"Microsoft.Compute/virtualMachines/write\"", 2, |s| {
            s.set_all("activity", "operationName/value", &json!("Microsoft.Compute/disks/write"));
        }),
        silent("ActivityStatusValue in~ (\"Succeeded\", \"Success\")", 2, |s| {
            s.set("activity/0/status/value", json!("Failed"));
        }),
        silent("not(ActivitySubstatusValue startswith \"OK\")", 2, |s| {
            s.set("activity/0/subStatus/value", json!("OK"))
        }),
    ];
    prove(&Proof {
        rule: built_in("instance-creation-after-alert"),
        now: NOW,
        bases: bases(),
        found: vec![
            found("six hours before the alert", 0, json!({"HoursAfterAlert": -6.0}), |s| {
                gcp_time(s, "2026-04-02T02:00:00Z")
            }),
            found("a day after the alert", 0, json!({"HoursAfterAlert": 24.0}), |s| {
                s.set("alerts/0/TimeGenerated", json!("2026-04-01T11:00:00Z"));
            }),
            found("a call that was granted has no code", 0, json!({}), |s| {
                s.set("gcp/0/protoPayload/status", json!({}))
            }),
            unknown_account("EntityType == \"account\"", json!({"AccountObjectId": "", "JobTitle": ""}), |s| {
                entities(s, "\"Type\":\"account\"", "\"Type\":\"mailbox\"");
            }),
            unknown_account("isnotempty(Entity.AadUserId)", json!({"AccountObjectId": "", "JobTitle": ""}), |s| {
                entities(s, ACCOUNT, "");
            }),
            unknown_account(
                "expand iff(array_length(AccountIds) > 0, AccountIds, dynamic([\"\"]))",
                json!({"AccountObjectId": "", "JobTitle": ""}),
                |s| entities(s, "AadUserId", "Sid"),
            ),
            unknown_account("isnotempty(AccountObjectId)", json!({"AccountObjectId": "", "AlertAccount": ""}), |s| {
                // Nobody's id in the alert must not meet a directory entry without one.
                entities(s, ACCOUNT, "");
                s.set("users/0/id", json!(""));
            }),
            unknown_account("join on AccountObjectId", json!({"AccountObjectId": ACCOUNT, "AlertAccount": ""}), |s| {
                s.set("users/0/id", json!("70000000-0000-4000-8000-000000000002"));
            }),
        ],
        silent: alert_silent.into_iter().chain(gcp_silent).chain(aws_silent).chain(azure_silent).collect(),
        lists: vec![
            List {
                condition: "ProductName in (Products)",
                base: 0,
                put: |s, member| s.set("alerts/0/ProductName", json!(member)),
                values: Some(json!({"InstanceIdentifier": "gce-lab-1"})),
            },
            List {
                condition: "AlertSeverity in (\"Medium\", \"High\")",
                base: 0,
                put: |s, member| s.set("alerts/0/AlertSeverity", json!(member)),
                values: Some(json!({"InstanceIdentifier": "gce-lab-1"})),
            },
            List {
                condition: "ActivityStatusValue in~ (\"Succeeded\", \"Success\")",
                base: 2,
                put: |s, member| s.set("activity/0/status/value", json!(member)),
                values: Some(json!({"InstanceIdentifier": "vm-lab-1"})),
            },
        ],
        implied: vec![],
    });
}

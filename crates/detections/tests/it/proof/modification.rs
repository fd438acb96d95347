//! Compute infrastructure is modified in a risky way: the published detection and the built-in one.

use serde_json::{Value as Json, json};

use super::harness::{Base, Found, List, NearMiss, Proof, Row, base, built_in, found, prove, published, silent};
use super::raw::{self, Operation};
use super::scene::{Form, Scene};

const NOW: &str = "2026-04-02T18:00:00Z";
const CALLER: &str = "mira.holt@tide.example";
const ADDRESS: &str = "198.51.100.60";
const DELETE: &str = "Microsoft.Compute/virtualMachines/delete";
const STOP: &str = "Microsoft.Compute/virtualMachines/deallocate/action";

fn operation(id: u32, name: &'static str, resource: &'static str) -> Operation<'static> {
    Operation {
        id,
        time: "2026-04-02T10:00:00Z",
        caller: CALLER,
        address: ADDRESS,
        name,
        group: "rg-lab",
        resource,
        substatus: "OK",
    }
}

const MACHINES: [&str; 3] = [
    "Microsoft.Compute/virtualMachines/vm-1",
    "Microsoft.Compute/virtualMachines/vm-2",
    "Microsoft.Compute/virtualMachines/vm-3",
];

/// One deletion, and an operation that is none of these.
fn one_deletion() -> Scene {
    let delete = operation(1, DELETE, MACHINES[0]);
    let other = operation(9, "Microsoft.Compute/virtualMachines/start/action", MACHINES[0]);
    Scene::new()
        .with("activity", Form::Array, delete.rest(1, "Accepted"))
        .with("activity", Form::Array, Operation { time: "2026-04-02T10:05:00Z", ..delete }.rest(2, "Succeeded"))
        .with("other", Form::Array, other.rest(1, "Succeeded"))
}

/// Five stops of three machines.
fn five_stops() -> Scene {
    let mut scene = Scene::new();
    for (number, machine) in (1_u32..).zip([0, 1, 2, 0, 1]) {
        scene.push("activity", Form::Array, operation(number, STOP, MACHINES[machine]).rest(1, "Succeeded"));
    }
    scene
}

fn id(group: &str, machine: usize) -> String {
    format!("/subscriptions/{}/resourceGroups/{group}/providers/{}", raw::SUBSCRIPTION, MACHINES[machine])
}

fn rename(scene: &mut Scene, operation: &str) {
    scene.set_all("activity", "operationName/value", &json!(operation));
}

/// Two of the five have another value.
fn two_differ(scene: &mut Scene, pointer: &str, value: Json) {
    for index in [0, 4] {
        scene.set(&format!("activity/{index}/{pointer}"), value.clone());
    }
}

/// Two of the five belong to another group or subscription.
fn two_elsewhere(scene: &mut Scene, from: &str, to: &str) {
    for index in [0, 4] {
        let record = scene.record(&format!("activity/{index}"));
        *record = serde_json::from_str(&record.to_string().replace(from, to)).unwrap();
    }
}

/// Near misses of one of the rules, and those of both.
fn near_misses(own: Vec<NearMiss>) -> Vec<NearMiss> {
    let both = [
        silent("window: after the clock", 0, |s| s.set("activity/1/eventTimestamp", json!("2026-04-02T18:00:01Z"))),
        silent("OperationCount >= 5", 1, |s| s.remove("activity/4")),
        silent("UniqueResources >= 3", 1, |s| s.set("activity/2/resourceId", json!(id("rg-lab", 0)))),
        silent("group: Caller", 1, |s| two_differ(s, "caller", json!("other@tide.example"))),
        silent("group: CallerIp", 1, |s| two_differ(s, "httpRequest/clientIpAddress", json!("198.51.100.61"))),
        silent("group: ResourceGroup", 1, |s| two_elsewhere(s, "rg-lab", "rg-other")),
        silent("group: SubscriptionId", 1, |s| {
            two_elsewhere(s, raw::SUBSCRIPTION, "6a1d7a52-0000-4f0e-9c39-0a4c8a1b2c3d")
        }),
    ];
    own.into_iter().chain(both).collect()
}

/// Each member of a list alone makes the five stops many changes.
fn five_with(condition: &'static str, put: fn(&mut Scene, &str)) -> List {
    List { condition, base: 1, put, values: Some(json!({"OperationCount": 5, "UniqueResources": 3})) }
}

fn put_status(scene: &mut Scene, member: &str) {
    scene.set_all("activity", "status/value", &json!(member));
}

const PUBLISHED_OPERATIONS: &str = "OperationNameValue has_any ( \"Microsoft.Compute/virtualMachines/write\", \"Microsoft.Compute/virtualMachines/delete\", \"Microsoft.Compute/snapshots/write\", \"Microsoft.Compute/snapshots/delete\", \"Microsoft.Compute/disks/write\", \"Microsoft.Compute/disks/delete\", \"Microsoft.Compute/virtualMachines/deallocate/action\", \"Microsoft.Compute/virtualMachines/generalize/action\", \"Microsoft.Compute/virtualMachines/capture/action\", \"Microsoft.Compute/virtualMachines/extensions/write\", \"Microsoft.Compute/virtualMachineScaleSets/write\", \"Microsoft.Compute/virtualMachineScaleSets/delete\", \"Microsoft.Compute/restorePointCollections/write\" )";

#[test]
fn published_modification() {
    let row = |values, sources| Row {
        values,
        entities: json!([{"Address": ADDRESS, "Type": "ip"}]),
        sources,
        severity: "High",
        title: "Detect Modify Cloud Compute Infrastructure in Microsoft Sentinel",
    };
    let deleted = row(
        json!({
            "FirstSeen": "2026-04-02T10:05:00.0000000Z", "LastSeen": "2026-04-02T10:05:00.0000000Z", "PrincipalName": CALLER,
            "CallerIp": ADDRESS, "ResourceGroup": "rg-lab", "SubscriptionId": raw::SUBSCRIPTION, "OperationCount": 1,
            "UniqueResources": 1, "OperationTypes": ["DELETE"], "TotalRiskScore": 3,
            "AlertReason": "Suspicious compute infrastructure modification", "Resources": [id("rg-lab", 0)],
        }),
        vec!["activity/1"],
    );
    let stopped = row(
        json!({
            "OperationCount": 5, "UniqueResources": 3, "OperationTypes": ["DEALLOCATE"], "TotalRiskScore": 0,
            "AlertReason": "Bulk modifications across multiple compute resources",
            "Resources": [id("rg-lab", 0), id("rg-lab", 1), id("rg-lab", 2)],
        }),
        vec!["activity/0", "activity/1", "activity/2", "activity/3", "activity/4"],
    );
    let kind = |name, kind: &str, score: u32, reason: &str, change| {
        found(name, 1, json!({"OperationTypes": [kind], "TotalRiskScore": score, "AlertReason": reason}), change)
    };
    let high = "High-risk compute operations: multiple delete/capture/generalize actions";
    let elevated = "Elevated compute modification activity with destructive operations";
    prove(&Proof {
        rule: published("modify-cloud-compute"),
        now: NOW,
        bases: vec![base(one_deletion(), vec![deleted]), base(five_stops(), vec![stopped])],
        found: vec![
            kind("deletions", "DELETE", 15, high, |s| rename(s, DELETE)),
            kind("captures", "CAPTURE", 15, high, |s| rename(s, "Microsoft.Compute/virtualMachines/capture/action")),
            kind("generalizations", "GENERALIZE", 15, high, |s| {
                rename(s, "Microsoft.Compute/virtualMachines/generalize/action");
            }),
            kind("writes", "CREATE_OR_MODIFY", 5, elevated, |s| rename(s, "Microsoft.Compute/virtualMachines/write")),
            // As published: a write of an extension is taken for a write before it can be an extension.
            kind("extensions", "CREATE_OR_MODIFY", 5, elevated, |s| {
                rename(s, "Microsoft.Compute/virtualMachines/extensions/write");
            }),
            found(
                "start and success of one operation count twice",
                0,
                json!({"OperationCount": 2, "TotalRiskScore": 6}),
                |s| {
                    s.set("activity/0/status/value", json!("Started"));
                },
            ),
            found("a day ago to the tick", 0, json!({}), |s| {
                s.set("activity/1/eventTimestamp", json!("2026-04-01T18:00:00Z"))
            }),
            found("other case", 0, json!({}), |s| {
                rename(s, "MICROSOFT.COMPUTE/VIRTUALMACHINES/DELETE");
                s.set_all("activity", "resourceProviderName/value", &json!("MICROSOFT.COMPUTE"));
            }),
        ],
        silent: near_misses(vec![
            silent("TimeGenerated >= ago(1d)", 0, |s| {
                s.set("activity/1/eventTimestamp", json!("2026-04-01T17:59:59Z"))
            }),
            silent("window: before it", 0, |s| s.set("activity/1/eventTimestamp", json!("2026-04-01T17:59:59Z"))),
            silent("ResourceProviderValue =~ \"Microsoft.Compute\"", 0, |s| {
                s.set("activity/1/resourceProviderName/value", json!("Microsoft.ClassicCompute"));
            }),
            silent(PUBLISHED_OPERATIONS, 0, |s| rename(s, "Microsoft.Compute/galleries/delete")),
            silent("ActivityStatusValue in~ (\"Succeeded\", \"Started\")", 0, |s| {
                s.set("activity/1/status/value", json!("Failed"));
            }),
            silent("TotalRiskScore >= 3", 0, |s| rename(s, "Microsoft.Compute/virtualMachines/write")),
        ]),
        lists: vec![
            five_with(PUBLISHED_OPERATIONS, rename),
            five_with("ActivityStatusValue in~ (\"Succeeded\", \"Started\")", put_status),
        ],
        implied: vec![],
    });
}

/// The deletion, and work of the same caller from another address two days before.
fn known_elsewhere() -> Scene {
    let before = Operation {
        time: "2026-03-31T10:00:00Z",
        address: "198.51.100.61",
        ..operation(8, "Microsoft.Compute/virtualMachines/start/action", MACHINES[0])
    };
    one_deletion().with("before", Form::Array, before.rest(1, "Succeeded"))
}

/// The deletion is found, but the address is not said to be new.
fn not_new(breaks: &'static str, change: fn(&mut Scene)) -> Found {
    Found {
        name: breaks,
        base: 2,
        change,
        values: json!({"NewAddress": false, "TotalRiskScore": 3}),
        breaks: Some(breaks),
    }
}

const OPERATIONS: &str = "OperationNameValue in~ ( \"Microsoft.Compute/virtualMachines/write\", \"Microsoft.Compute/virtualMachines/delete\", \"Microsoft.Compute/virtualMachines/deallocate/action\", \"Microsoft.Compute/virtualMachines/generalize/action\", \"Microsoft.Compute/virtualMachines/capture/action\", \"Microsoft.Compute/virtualMachines/extensions/write\", \"Microsoft.Compute/virtualMachines/extensions/delete\", \"Microsoft.Compute/virtualMachineScaleSets/write\", \"Microsoft.Compute/virtualMachineScaleSets/delete\", \"Microsoft.Compute/snapshots/write\", \"Microsoft.Compute/snapshots/delete\", \"Microsoft.Compute/disks/write\", \"Microsoft.Compute/disks/delete\", \"Microsoft.Compute/restorePointCollections/write\", \"Microsoft.Compute/restorePointCollections/delete\")";

fn built_in_rows() -> Vec<Base> {
    let row = |values, sources, title| Row {
        values,
        entities: json!([
            {"FullName": CALLER, "Name": "mira.holt", "UPNSuffix": "tide.example", "Type": "account"},
            {"Address": ADDRESS, "Type": "ip"},
        ]),
        sources,
        severity: "High",
        title,
    };
    let deleted = |new: bool, score: u32, sources| {
        let values = json!({
            "FirstSeen": "2026-04-02T10:05:00.0000000Z", "LastSeen": "2026-04-02T10:05:00.0000000Z", "Caller": CALLER,
            "CallerIp": ADDRESS, "NewAddress": new, "ResourceGroup": "rg-lab", "SubscriptionId": raw::SUBSCRIPTION,
            "OperationCount": 1, "UniqueResources": 1, "OperationTypes": ["DELETE"], "TotalRiskScore": score,
            "OutsideChangeWindow": 0, "AlertReason": "a destructive change", "Resources": [id("rg-lab", 0).to_lowercase()],
        });
        row(values, sources, "Compute in rg-lab modified by mira.holt@tide.example: a destructive change")
    };
    let stopped = row(
        json!({
            "OperationCount": 5, "UniqueResources": 3, "OperationTypes": ["DEALLOCATE"], "TotalRiskScore": 0,
            "AlertReason": "many resources changed",
        }),
        vec!["activity/0", "activity/1", "activity/2", "activity/3", "activity/4"],
        "Compute in rg-lab modified by mira.holt@tide.example: many resources changed",
    );
    vec![
        base(one_deletion(), vec![deleted(false, 3, vec!["activity/1"])]),
        base(five_stops(), vec![stopped]),
        base(known_elsewhere(), vec![deleted(true, 5, vec!["activity/1", "before/0"])]),
    ]
}

#[test]
fn built_in_modification() {
    let kind = |name, kind: &str, score: u32, reason: &str, change| {
        found(name, 1, json!({"OperationTypes": [kind], "TotalRiskScore": score, "AlertReason": reason}), change)
    };
    let several = "several deletions, captures or generalizations";
    prove(&Proof {
        rule: built_in("compute-modification"),
        now: NOW,
        bases: built_in_rows(),
        found: vec![
            kind("deletions", "DELETE", 15, several, |s| rename(s, DELETE)),
            kind("captures", "CAPTURE", 15, several, |s| rename(s, "Microsoft.Compute/virtualMachines/capture/action")),
            kind("extensions", "EXTENSION_CHANGE", 10, several, |s| {
                rename(s, "Microsoft.Compute/virtualMachines/extensions/write");
            }),
            kind("writes", "CREATE_OR_MODIFY", 5, "many changes, some of them destructive", |s| {
                rename(s, "Microsoft.Compute/virtualMachines/write");
            }),
            found(
                "an operation delivered twice counts once",
                0,
                json!({"OperationCount": 1, "TotalRiskScore": 3}),
                |s| {
                    s.repeat("activity/1", |copy| copy["eventDataId"] = json!("41111111-0000-4000-8000-000000000001"));
                },
            ),
            found("the address used before", 2, json!({"NewAddress": false, "TotalRiskScore": 3}), |s| {
                s.set("before/0/httpRequest/clientIpAddress", json!(ADDRESS));
            }),
            not_new("TimeGenerated <= ago(1d)", |s| s.set("before/0/eventTimestamp", json!("2026-04-02T09:00:00Z"))),
            not_new("isnotempty(CallerIpAddress)", |s| {
                s.set("before/0/httpRequest/clientIpAddress", json!(""));
                s.set("before/0/claims", json!({}));
            }),
            not_new("join on Caller", |s| s.set("before/0/caller", json!("other@tide.example"))),
        ],
        silent: near_misses(vec![
            silent("TimeGenerated > ago(1d)", 0, |s| s.set("activity/1/eventTimestamp", json!("2026-04-01T18:00:00Z"))),
            silent("window: before it", 0, |s| s.set("activity/1/eventTimestamp", json!("2026-03-19T17:59:59Z"))),
            silent(OPERATIONS, 0, |s| rename(s, "Microsoft.Compute/galleries/delete")),
            silent("ActivityStatusValue in~ (\"Succeeded\", \"Success\")", 0, |s| {
                s.set("activity/1/status/value", json!("Failed"));
            }),
            silent("OperationScore >= 3", 0, |s| rename(s, "Microsoft.Compute/virtualMachines/write")),
        ]),
        lists: vec![
            five_with(OPERATIONS, rename),
            five_with("ActivityStatusValue in~ (\"Succeeded\", \"Success\")", put_status),
        ],
        implied: vec![],
    });
}

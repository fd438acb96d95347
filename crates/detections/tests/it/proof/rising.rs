//! A caller makes more resources every day: the published hunting query and the built-in detection.

use serde_json::{Value as Json, json};

use super::harness::{Base, Found, List, Proof, Row, base, built_in, found, prove, published, silent};
use super::raw::{self, Operation};
use super::scene::{Form, Scene};

const NOW: &str = "2026-04-08T18:00:00Z";
const CALLER: &str = "mira.holt@tide.example";
const ADDRESS: &str = "198.51.100.50";
const WRITE: &str = "Microsoft.Network/networkSecurityGroups/write";
const RESOURCES: [&str; 4] = ["rg-edge-0", "rg-edge-1", "rg-edge-2", "rg-edge-3"];

/// Writes of a network security group `nsg-edge`: times, each with the number of the resource group.
fn writes(all: &[(&'static str, usize)]) -> Scene {
    let mut scene = Scene::new();
    for (number, (time, group)) in (1_u32..).zip(all) {
        let operation = Operation {
            id: number,
            time,
            caller: CALLER,
            address: ADDRESS,
            name: WRITE,
            group: RESOURCES[*group],
            resource: "Microsoft.Network/networkSecurityGroups/nsg-edge",
            substatus: "Created",
        };
        scene.push("activity", Form::Array, operation.rest(1, "Succeeded"));
    }
    let other = Operation {
        id: 99,
        time: "2026-04-08T12:00:00Z",
        caller: "steady@tide.example",
        address: ADDRESS,
        name: "Microsoft.Network/virtualNetworks/join/action",
        group: "rg-edge-0",
        resource: "Microsoft.Network/virtualNetworks/vnet",
        substatus: "OK",
    };
    scene.with("other", Form::Array, other.rest(1, "Succeeded"))
}

fn with_flow(scene: Scene) -> Scene {
    scene.with("flows", Form::Lines, raw::flow("2026-04-08T12:30:00Z", "nsg-edge", "192.0.2.9")).with(
        "flows",
        Form::Lines,
        raw::flow("2026-04-08T12:30:00Z", "nsg-else", "192.0.2.8"),
    )
}

fn with_topology(scene: Scene) -> Scene {
    scene.with("flows", Form::Lines, raw::topology("2026-04-08T12:30:00Z", "nsg-edge", "192.0.2.9"))
}

/// One on the sixth, one on the seventh, two on the eighth: the line rises by 0.26 a day.
fn rising() -> Scene {
    writes(&[
        ("2026-04-06T09:00:00Z", 0),
        ("2026-04-07T09:00:00Z", 0),
        ("2026-04-08T09:00:00Z", 0),
        ("2026-04-08T09:01:00Z", 1),
    ])
}

/// Rising by four on the seventh; the last day has one.
fn rising_before_the_last_day() -> Scene {
    writes(&[
        ("2026-04-01T09:00:00Z", 0),
        ("2026-04-07T09:00:00Z", 0),
        ("2026-04-07T09:01:00Z", 1),
        ("2026-04-07T09:02:00Z", 2),
        ("2026-04-07T09:03:00Z", 3),
        ("2026-04-08T09:00:00Z", 0),
    ])
}

fn moved(scene: &mut Scene, indexes: &[usize], field: &str, time: &str) {
    for index in indexes {
        scene.set(&format!("activity/{index}/{field}"), json!(time));
    }
}

fn set_some(scene: &mut Scene, indexes: &[usize], pointer: &str, value: &Json) {
    for index in indexes {
        scene.set(&format!("activity/{index}/{pointer}"), value.clone());
    }
}

fn rename_resource(scene: &mut Scene, indexes: &[usize]) {
    for index in indexes {
        let record = scene.record(&format!("activity/{index}"));
        *record = serde_json::from_str(&record.to_string().replace("nsg-edge", "nsg-other")).unwrap();
    }
}

/// The last write says nothing of itself; a copy of it that differs does.
fn context_elsewhere(scene: &mut Scene, change: fn(&mut Json)) {
    for index in [2, 3] {
        scene.set(&format!("activity/{index}/subStatus/value"), json!(""));
    }
    scene.repeat("activity/2", |copy| {
        copy["subStatus"]["value"] = json!("Created");
        copy["eventDataId"] = json!("4abcdef0-0000-4000-8000-000000000001");
        change(copy);
    });
}

/// The writes are found, but no traffic with them.
fn without_traffic(breaks: &'static str, base: usize, change: fn(&mut Scene)) -> Found {
    Found {
        name: breaks,
        base,
        change,
        values: json!({"Caller": CALLER, "NSG_Name": "", "ActivityCount": null}),
        breaks: Some(breaks),
    }
}

fn id(group: &str) -> String {
    format!(
        "/subscriptions/{}/resourceGroups/{group}/providers/Microsoft.Network/networkSecurityGroups/nsg-edge",
        raw::SUBSCRIPTION
    )
}

#[test]
fn published_rising_resources() {
    let row = |group: &str, traffic: Json, sources| {
        let mut values = json!({
            "Caller": CALLER, "Resource": "nsg-edge", "OperationNameValue": WRITE, "dResourceCount": "2",
            "EventSubmissionTimestamp": "2026-04-08T00:00:00.0000000Z", "CallerIpAddress": ADDRESS,
            "ActivityStatusValue": "Succeeded", "ResourceGroup": group, "ResourceId": id(group),
            "SubscriptionId": raw::SUBSCRIPTION, "AccountCustomEntity": CALLER, "IPCustomEntity": ADDRESS,
        });
        values.as_object_mut().unwrap().extend(traffic.as_object().unwrap().clone());
        Row {
            values,
            entities: json!([]),
            sources,
            severity: "Informational",
            title: "Anomalous Resource Creation and related Network Activity",
        }
    };
    let flow = json!({
        "NSG": "rg-edge/nsg-edge", "NSG_Name": "nsg-edge", "PublicIPs": ["192.0.2.9"], "ActivityCount": 1, "SchemaVersion": "2",
        "StartTimeUtc": "2026-04-08T12:30:00.0000000Z", "SrcIP": ["10.8.0.4"], "VMs": ["rg-edge/vm-9"],
    });
    let topology = json!({
        "NSG": "rg-edge/nsg-edge", "NSG_Name": "nsg-edge", "PublicIPs": ["192.0.2.9"], "ActivityCount": 1, "SchemaVersion": "1",
        "Name": ["nic-9"], "SubNet": "rg-edge/vnet/apps",
    });
    let all = |more: &[&'static str]| {
        let mut sources = vec!["activity/0", "activity/1", "activity/2", "activity/3"];
        sources.extend(more);
        sources
    };
    let two_rows = |traffic: &Json, more: &[&'static str]| {
        vec![row("rg-edge-0", traffic.clone(), all(more)), row("rg-edge-1", traffic.clone(), all(more))]
    };
    let before_last = Row {
        values: json!({"Caller": CALLER, "Resource": "nsg-edge", "dResourceCount": "1", "NSG_Name": ""}),
        sources: vec!["activity/0", "activity/1", "activity/2", "activity/3", "activity/4", "activity/5"],
        ..row("rg-edge-0", json!({}), vec![])
    };
    // On the seventh the line rose by four in one day: the run of that day finds them as well.
    prove(&Proof {
        rule: published("anomalous-resource-creation"),
        now: NOW,
        bases: vec![
            base(with_flow(rising()), two_rows(&flow, &["flows/0"])),
            base(with_topology(rising()), two_rows(&topology, &["flows/0"])),
            Base { earlier: 4, ..base(rising_before_the_last_day(), vec![before_last]) },
        ],
        found: vec![
            without_traffic("TimeGenerated between(starttime..endtime) #3", 0, |s| {
                s.set("flows/0/TimeGenerated", json!("2026-04-07T17:59:59Z"));
            }),
            without_traffic("isnotempty(FASchemaVersion_s)", 0, |s| s.set("flows/0/FASchemaVersion_s", json!(""))),
            without_traffic("isnotempty(DestPublicIPs_s)", 0, |s| s.set("flows/0/DestPublicIPs_s", json!(""))),
            without_traffic("TimeGenerated between(starttime..endtime) #4", 1, |s| {
                s.set("flows/0/TimeGenerated", json!("2026-04-07T17:59:59Z"));
            }),
            without_traffic("isempty(FASchemaVersion_s)", 1, |s| {
                s.field("flows/0", "FASchemaVersion_s", Some(json!("1")));
            }),
            found("only an address in front", 1, json!({"PublicIPs": ["192.0.2.10"]}), |s| {
                s.set("flows/0/PublicIPAddresses_s", json!(""));
                s.set("flows/0/PublicFrontendIPs_s", json!("192.0.2.10"));
            }),
            without_traffic("isnotempty(PublicFrontendIPs_s)", 1, |s| {
                s.set("flows/0/PublicIPAddresses_s", json!(""));
                s.set("flows/0/PublicFrontendIPs_s", json!(""));
            }),
            without_traffic("isnotempty(PublicIPAddresses_s)", 1, |s| s.set("flows/0/PublicIPAddresses_s", json!(""))),
            without_traffic("PublicFrontendIPs_s != \"null\"", 1, |s| {
                s.set("flows/0/PublicIPAddresses_s", json!("null"));
                s.set("flows/0/PublicFrontendIPs_s", json!("null"));
            }),
            without_traffic("PublicIPAddresses_s != \"null\"", 1, |s| {
                s.set("flows/0/PublicFrontendIPs_s", json!("null"));
                s.set("flows/0/PublicIPAddresses_s", json!("null"));
            }),
            without_traffic("join on $left.Resource == $right.NSG_Name", 0, |s| {
                s.set("flows/0/NSGList_s", json!("6a1d7a52/rg-edge/nsg-third"));
            }),
        ],
        silent: vec![
            silent("TimeGenerated >= startofday(ago(lookback))", 0, |s| {
                moved(s, &[0, 1], "eventTimestamp", "2026-03-31T23:59:59Z");
            }),
            silent("OperationNameValue endswith \"write\"", 0, |s| {
                s.set_all(
                    "activity",
                    "operationName/value",
                    &json!("Microsoft.Network/networkSecurityGroups/join/action"),
                );
            }),
            silent("ActivityStatusValue has \"Succeeded\"", 0, |s| {
                s.set_all("activity", "status/value", &json!("Failed"))
            }),
            silent("EventSubmissionTimestamp from startofday(ago(7d))", 0, |s| {
                moved(s, &[0, 1], "submissionTimestamp", "2026-03-31T23:59:59Z");
            }),
            silent("EventSubmissionTimestamp to now()", 0, |s| {
                moved(s, &[2, 3], "submissionTimestamp", "2026-04-09T00:30:00Z");
            }),
            silent("Slope > 0.2", 0, |s| s.remove("activity/3")),
            silent("TimeGenerated between(starttime..endtime)", 0, |s| {
                // Submitted on the last day, but generated before it began.
                moved(s, &[2, 3], "eventTimestamp", "2026-04-07T17:59:59Z");
            }),
            silent("OperationNameValue endswith \"write\" #2", 0, |s| {
                let other = json!("Microsoft.Network/networkSecurityGroups/join/action");
                set_some(s, &[2, 3], "operationName/value", &other);
            }),
            silent("ActivityStatusValue has \"Succeeded\" #2", 0, |s| {
                set_some(s, &[2, 3], "status/value", &json!("Accepted"));
            }),
            silent("EventSubmissionTimestamp from startofday(ago(1d))", 0, |s| {
                moved(s, &[2, 3], "submissionTimestamp", "2026-04-06T23:59:59Z");
            }),
            silent("EventSubmissionTimestamp to now() #2", 0, |s| {
                moved(s, &[2, 3], "submissionTimestamp", "2026-04-09T00:30:00Z");
            }),
            silent("Slope > 0.2 #2", 0, |s| {
                // As many in the evening of the day before as on the last.
                for place in ["activity/2", "activity/3"] {
                    s.repeat(place, |copy| {
                        copy["eventTimestamp"] = json!("2026-04-07T20:00:00Z");
                        copy["submissionTimestamp"] = json!("2026-04-07T20:00:00Z");
                    });
                }
            }),
            silent("join on Caller", 2, |s| set_some(s, &[0, 5], "caller", &json!("other@tide.example"))),
            silent("join on Resource", 2, |s| rename_resource(s, &[0, 5])),
            silent("join on OperationNameValue", 2, |s| {
                let rules = json!("Microsoft.Network/networkSecurityGroups/securityRules/write");
                set_some(s, &[0, 5], "operationName/value", &rules);
            }),
            silent("TimeGenerated between(starttime..endtime) #2", 0, |s| {
                // What says of itself how it ended was generated before the last day.
                context_elsewhere(s, |copy| copy["eventTimestamp"] = json!("2026-04-07T17:59:59Z"));
            }),
            silent("isnotempty(ActivitySubstatusValue)", 0, |s| {
                s.set_all("activity", "subStatus/value", &json!(""));
            }),
            silent("join on EventSubmissionTimestamp", 0, |s| {
                context_elsewhere(s, |copy| copy["submissionTimestamp"] = json!("2026-04-09T00:30:00Z"));
            }),
            silent("join on Caller #2", 0, |s| {
                context_elsewhere(s, |copy| copy["caller"] = json!("other@tide.example"));
            }),
            silent("join on Resource #2", 0, |s| {
                context_elsewhere(s, |copy| {
                    *copy = serde_json::from_str(&copy.to_string().replace("nsg-edge", "nsg-other")).unwrap();
                });
            }),
            silent("join on OperationNameValue #2", 0, |s| {
                context_elsewhere(s, |copy| {
                    copy["operationName"]["value"] =
                        json!("Microsoft.Network/networkSecurityGroups/securityRules/write");
                });
            }),
            silent("OperationNameValue endswith \"write\" #3", 0, |s| {
                context_elsewhere(s, |copy| {
                    copy["operationName"]["value"] = json!("Microsoft.Network/networkSecurityGroups/join/action");
                });
            }),
            silent("ActivityStatusValue has \"Succeeded\" #3", 0, |s| {
                context_elsewhere(s, |copy| copy["status"]["value"] = json!("Accepted"));
            }),
            silent("window: before it", 0, |s| moved(s, &[0, 1], "eventTimestamp", "2026-03-30T09:00:00Z")),
            silent("window: after the clock", 0, |s| moved(s, &[2, 3], "eventTimestamp", "2026-04-08T18:00:01Z")),
        ],
        lists: vec![],
        implied: vec![
            ("expand EventSubmissionTimestamp", "a series always has points"),
            ("expand dResourceCount", "a series always has points"),
        ],
    });
}

/// One on each of three days, three on the last.
fn created() -> Scene {
    with_flow(writes(&[
        ("2026-04-05T09:00:00Z", 0),
        ("2026-04-06T09:00:00Z", 0),
        ("2026-04-07T09:00:00Z", 0),
        ("2026-04-08T09:00:00Z", 0),
        ("2026-04-08T09:01:00Z", 1),
        ("2026-04-08T09:02:00Z", 2),
    ]))
}

fn no_flows(breaks: &'static str, change: fn(&mut Scene)) -> Found {
    Found { name: breaks, base: 0, change, values: json!({"LastDay": 3, "FlowRows": null}), breaks: Some(breaks) }
}

#[test]
fn built_in_rising_resources() {
    let row = Row {
        values: json!({
            "FirstSeen": "2026-04-08T09:00:00.0000000Z", "LastSeen": "2026-04-08T09:02:00.0000000Z", "Caller": CALLER,
            "CallerAddresses": [ADDRESS], "Operation": WRITE.to_lowercase(), "LastDay": 3, "DaysBefore": 3,
            "DailyMeanBefore": 1.0, "Created": [0, 0, 0, 1, 1, 1, 3], "PublicAddresses": ["192.0.2.9"], "FlowRows": 1,
        }),
        entities: json!([{"FullName": CALLER, "Name": "mira.holt", "UPNSuffix": "tide.example", "Type": "account"}]),
        sources: vec!["activity/0", "activity/1", "activity/2", "activity/3", "activity/4", "activity/5", "flows/0"],
        severity: "Medium",
        title: "mira.holt@tide.example created 3 resources in a day: microsoft.network/networksecuritygroups/write",
    };
    let dropped = |breaks| silent(breaks, 0, |s| s.remove("activity/0"));
    prove(&Proof {
        rule: built_in("rising-resource-creation"),
        now: NOW,
        bases: vec![base(created(), vec![row])],
        found: vec![
            no_flows("SubType_s =~ \"FlowLog\"", |s| s.set("flows/0/SubType_s", json!("Topology"))),
            no_flows("isnotempty(NSGList_s)", |s| s.set("flows/0/NSGList_s", json!(""))),
            no_flows("isnotempty(DestPublicIPs_s)", |s| s.set("flows/0/DestPublicIPs_s", json!(""))),
            no_flows("join on NsgName", |s| s.set("flows/0/NSGList_s", json!("6a1d7a52/rg-edge/nsg-third"))),
            found("names in another case", 0, json!({"FlowRows": 1}), |s| {
                s.set("flows/0/NSGList_s", json!("6A1D7A52/RG-EDGE/NSG-EDGE"));
            }),
            found("the other dialect", 0, json!({"LastDay": 3}), |s| {
                s.set_all("activity", "status/value", &json!("Success"))
            }),
        ],
        silent: vec![
            silent("OperationNameValue endswith \"/write\"", 0, |s| {
                s.set_all(
                    "activity",
                    "operationName/value",
                    &json!("Microsoft.Network/networkSecurityGroups/join/action"),
                );
            }),
            silent("ActivityStatusValue in~ (\"Succeeded\", \"Success\")", 0, |s| {
                s.set_all("activity", "status/value", &json!("Failed"));
            }),
            silent("isnotempty(Caller)", 0, |s| {
                s.set_all("activity", "caller", &json!(""));
                s.set_all("activity", "claims", &json!({}));
            }),
            silent("TimeGenerated from ago(7d)", 0, |s| moved(s, &[0], "eventTimestamp", "2026-04-01T17:59:59Z")),
            silent("TimeGenerated to now()", 0, |s| moved(s, &[5], "eventTimestamp", "2026-04-08T18:00:00Z")),
            dropped("Count > 0"),
            dropped("DaysBefore >= 3"),
            silent("expand array_slice(Created, 0, -2)", 0, |s| {
                // Nothing before the last day.
                moved(s, &[0, 1, 2], "eventTimestamp", "2026-04-08T08:00:00Z");
            }),
            silent("Slope > 0.2", 0, |s| {
                // Three at the beginning of the week make the line fall.
                for place in ["activity/3", "activity/4", "activity/5"] {
                    s.repeat(place, |copy| copy["eventTimestamp"] = json!("2026-04-02T09:00:00Z"));
                }
            }),
            silent("LastDay >= 3", 0, |s| s.remove("activity/5")),
            silent("LastDay > 1.5 * DailyMeanBefore", 0, |s| {
                // Two on each day before.
                for time in ["2026-04-05T10:00:00Z", "2026-04-06T10:00:00Z", "2026-04-07T10:00:00Z"] {
                    s.repeat("activity/4", |copy| copy["eventTimestamp"] = json!(time));
                }
            }),
            silent("TimeGenerated > ago(1d)", 0, |s| moved(s, &[3, 4, 5], "eventTimestamp", "2026-04-07T18:00:00Z")),
            silent("group: Caller", 0, |s| set_some(s, &[4, 5], "caller", &json!("other@tide.example"))),
            silent("group: Operation", 0, |s| {
                set_some(s, &[4, 5], "operationName/value", &json!("Microsoft.Network/routeTables/write"));
            }),
            silent("window: before it", 0, |s| moved(s, &[0], "eventTimestamp", "2026-04-01T17:59:59Z")),
            silent("window: after the clock", 0, |s| moved(s, &[5], "eventTimestamp", "2026-04-08T18:00:01Z")),
        ],
        lists: vec![List {
            condition: "ActivityStatusValue in~ (\"Succeeded\", \"Success\")",
            base: 0,
            put: |s, member| s.set_all("activity", "status/value", &json!(member)),
            values: Some(json!({"LastDay": 3})),
        }],
        implied: vec![
            ("expand Names", "a caller's last day has names of resources"),
            ("join on Caller", "the last day of a caller and operation that rise is there"),
            ("join on Operation", "the last day of a caller and operation that rise is there"),
            ("join on Caller #2", "traffic is of the same caller and operation"),
            ("join on Operation #2", "traffic is of the same caller and operation"),
        ],
    });
}

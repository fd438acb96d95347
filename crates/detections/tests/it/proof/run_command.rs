//! A command is run on a machine near a rare sign-in: the published detection and the built-in one.

use serde_json::json;

use super::harness::{List, NearMiss, Proof, Row, base, built_in, found, prove, published, silent};
use super::raw::{self, Operation};
use super::scene::{Form, Scene};

const NOW: &str = "2026-04-02T18:00:00Z";
const CALLER: &str = "Mira.Holt@tide.example";
const ADDRESS: &str = "198.51.100.90";

fn command() -> Operation<'static> {
    Operation {
        id: 1,
        time: "2026-04-02T10:00:00Z",
        caller: CALLER,
        address: ADDRESS,
        name: "Microsoft.Compute/virtualMachines/runCommand/action",
        group: "rg-core",
        resource: "Microsoft.Compute/virtualMachines/vm-core-1",
        substatus: "",
    }
}

/// The events of a command, and a rare sign-in of its caller two hours before.
fn scene(events: [(&'static str, &'static str); 3], form: Form) -> Scene {
    let mut scene = Scene::new();
    for (number, (time, status)) in (1..).zip(events) {
        let event = Operation { time, ..command() };
        let record = if form == Form::Array { event.rest(number, status) } else { event.diagnostic(number, status) };
        scene.push("activity", form, record);
    }
    let other = Operation { id: 9, name: "Microsoft.Compute/virtualMachines/start/action", ..command() };
    let other = if form == Form::Array { other.rest(1, "Succeeded") } else { other.diagnostic(1, "Success") };
    scene
        .with("other", form, other)
        .with("behavior", Form::Lines, raw::behavior("2026-04-02T08:00:00Z", "mira.holt@tide.example", ADDRESS))
        .with("behavior", Form::Lines, raw::behavior("2026-04-02T08:00:00Z", "nobody@tide.example", ADDRESS))
}

fn rest() -> Scene {
    let events = [
        ("2026-04-02T10:00:00Z", "Started"),
        ("2026-04-02T10:00:02Z", "Accepted"),
        ("2026-04-02T10:00:40Z", "Succeeded"),
    ];
    scene(events, Form::Array)
}

fn diagnostic() -> Scene {
    let events =
        [("2026-04-02T10:00:00Z", "Start"), ("2026-04-02T10:00:02Z", "Accept"), ("2026-04-02T10:00:40Z", "Success")];
    scene(events, Form::Lines)
}

fn sign_in(scene: &mut Scene, time: &str) {
    scene.set("behavior/0/TimeGenerated", json!(time));
}

const SOURCES: [&str; 4] = ["activity/0", "activity/1", "activity/2", "behavior/0"];

/// Near misses of one of the rules, and those of both. The operation and the span of time are conditions of both, each in
/// its own words.
fn near_misses(operation: &'static str, between: &'static str, own: Vec<NearMiss>) -> Vec<NearMiss> {
    let both = [
        silent(operation, 0, |s| {
            let restart = json!("Microsoft.Compute/virtualMachines/restart/action");
            s.set_all("activity", "operationName/value", &restart);
        }),
        silent(between, 0, |s| sign_in(s, "2026-04-02T11:00:01Z")),
        silent(between, 0, |s| sign_in(s, "2026-04-02T03:59:59Z")),
        silent("EventSource == \"Azure AD\"", 0, |s| s.set("behavior/0/EventSource", json!("Azure Activity"))),
        silent("isnotempty(UserPrincipalName)", 0, |s| s.set("behavior/0/UserPrincipalName", json!(""))),
        silent("window: before it", 0, |s| {
            // Command and sign-in of two days before, an hour apart.
            s.set_all("activity", "eventTimestamp", &json!("2026-03-31T17:59:59Z"));
            sign_in(s, "2026-03-31T18:30:00Z");
        }),
        silent("window: after the clock", 0, |s| {
            s.set_all("activity", "eventTimestamp", &json!("2026-04-02T18:00:01Z"));
            sign_in(s, "2026-04-02T17:00:00Z");
        }),
        silent("group: CorrelationId", 0, |s| {
            // What succeeded is another command, seven hours later.
            s.set("activity/2/correlationId", json!("30000000-0000-4000-8000-000000000077"));
            s.set("activity/2/eventTimestamp", json!("2026-04-02T17:00:00Z"));
        }),
        silent("group: Caller", 0, |s| s.set("activity/2/caller", json!("other@tide.example"))),
    ];
    own.into_iter().chain(both).collect()
}

#[test]
fn published_run_command() {
    let row = Row {
        values: json!({
            "StartTime": "2026-04-02T10:00:00.0000000Z", "EndTime": "2026-04-02T10:00:40.0000000Z",
            "Subscription": raw::SUBSCRIPTION, "VirtualMachineName": "vm-core-1", "Caller": CALLER, "CallerIpAddress": ADDRESS,
            "UEBAEventTime": "2026-04-02T08:00:00.0000000Z", "UEBAActionType": "Sign-in", "UEBASourceIPLocation": "Atlantis",
            "UEBAUsersInsights": {"BlastRadius": "High"}, "AccountName": "Mira.Holt", "AccountUPNSuffix": "tide.example",
        }),
        entities: json!([
            {"FullName": CALLER, "Name": "Mira.Holt", "UPNSuffix": "tide.example", "Type": "account"},
            {"Address": ADDRESS, "Type": "ip"},
        ]),
        sources: SOURCES.to_vec(),
        severity: "High",
        title: "Azure VM Run Command operation executed during suspicious login window",
    };
    prove(&Proof {
        rule: published("run-command-ueba"),
        now: NOW,
        bases: vec![base(rest(), vec![row.clone()]), base(diagnostic(), vec![row])],
        found: vec![
            found("an hour after the command", 0, json!({}), |s| sign_in(s, "2026-04-02T11:00:00Z")),
            found("six hours before the command", 0, json!({}), |s| sign_in(s, "2026-04-02T04:00:00Z")),
        ],
        silent: near_misses(
            "OperationNameValue =~ \"MICROSOFT.COMPUTE/VIRTUALMACHINES/RUNCOMMAND/ACTION\"",
            "StartTime between (UEBAWindowStart .. UEBAWindowEnd)",
            vec![
                silent("Authorization has \"virtualMachines\"", 0, |s| {
                    let elsewhere =
                        json!({"scope": "/subscriptions/s/x", "action": "Microsoft.Compute/runCommand/action"});
                    s.set_all("activity", "authorization", &elsewhere);
                }),
                silent("list_ActivityStatusValue has_any (\"Success\", \"Succeeded\")", 0, |s| {
                    s.set("activity/2/status/value", json!("Failed"));
                }),
                silent("list_ActivityStatusValue has_any (\"Success\", \"Succeeded\")", 1, |s| {
                    s.set("activity/2/resultType", json!("Failure"));
                }),
                silent("ActivityInsights.ActionUncommonlyPerformedByUser == \"True\"", 0, |s| {
                    s.set("behavior/0/ActivityInsights/ActionUncommonlyPerformedByUser", json!("False"));
                }),
                silent("isnotempty(UEBASourceIPLocation)", 0, |s| s.set("behavior/0/SourceIPLocation", json!(""))),
                silent("join on joinkey", 0, |s| {
                    s.set("behavior/0/UserPrincipalName", json!("mira.holt@other.example"))
                }),
            ],
        ),
        lists: vec![List {
            condition: "list_ActivityStatusValue has_any (\"Success\", \"Succeeded\")",
            base: 0,
            put: |s, member| s.set("activity/2/status/value", json!(member)),
            values: Some(json!({"VirtualMachineName": "vm-core-1"})),
        }],
        implied: vec![],
    });
}

const OPERATIONS: &str = "OperationNameValue in~ (\"Microsoft.Compute/virtualMachines/runCommand/action\", \"Microsoft.Compute/virtualMachines/runCommands/write\", \"Microsoft.Compute/virtualMachineScaleSets/virtualMachines/runCommand/action\")";
const RARE_ACTION: &str = "tostring(ActivityInsights.ActionUncommonlyPerformedByUser) =~ \"True\"";
const RARE_COUNTRY: &str = "tostring(ActivityInsights.CountryUncommonlyConnectedFromByUser) =~ \"True\"";

#[test]
fn built_in_run_command() {
    let row = Row {
        values: json!({
            "StartTime": "2026-04-02T10:00:00.0000000Z", "EndTime": "2026-04-02T10:00:40.0000000Z",
            "Subscription": raw::SUBSCRIPTION, "VirtualMachineName": "vm-core-1", "Caller": CALLER, "CallerIpAddress": ADDRESS,
            "SameAddress": true, "SignInTime": "2026-04-02T08:00:00.0000000Z", "SignInLocation": "Atlantis",
            "InvestigationPriority": 7, "AccountName": "Mira.Holt", "AccountUPNSuffix": "tide.example",
        }),
        entities: json!([
            {"Name": "Mira.Holt", "UPNSuffix": "tide.example", "Type": "account"},
            {"Address": ADDRESS, "Type": "ip"},
            {"HostName": "vm-core-1", "Type": "host"},
        ]),
        sources: SOURCES.to_vec(),
        severity: "High",
        title: "Command on vm-core-1 by Mira.Holt@tide.example near a rare sign-in from Atlantis",
    };
    prove(&Proof {
        rule: built_in("run-command-after-rare-sign-in"),
        now: NOW,
        bases: vec![base(rest(), vec![row.clone()]), base(diagnostic(), vec![row])],
        found: vec![
            found("an hour after the command", 0, json!({}), |s| sign_in(s, "2026-04-02T11:00:00Z")),
            found("six hours before the command", 0, json!({}), |s| sign_in(s, "2026-04-02T04:00:00Z")),
            found("from elsewhere", 0, json!({"SameAddress": false}), |s| {
                s.set("behavior/0/SourceIPAddress", json!("203.0.113.5"));
            }),
            found("only the country is rare", 0, json!({}), |s| {
                s.set("behavior/0/ActivityInsights/ActionUncommonlyPerformedByUser", json!("False"));
                s.set("behavior/0/ActivityInsights/CountryUncommonlyConnectedFromByUser", json!("True"));
            }),
            found("insights as booleans", 0, json!({}), |s| {
                s.set("behavior/0/ActivityInsights/ActionUncommonlyPerformedByUser", json!(true));
            }),
        ],
        silent: near_misses(
            OPERATIONS,
            "StartTime between ((SignInTime - 1h) .. (SignInTime + 6h))",
            vec![
                silent("ActivityStatusValue in~ (\"Success\", \"Succeeded\")", 0, |s| {
                    s.set("activity/2/status/value", json!("Failed"));
                }),
                silent("Succeeded > 0", 1, |s| s.set("activity/2/resultType", json!("Failure"))),
                silent("isnotempty(Caller)", 0, |s| {
                    s.set_all("activity", "caller", &json!(""));
                    s.set_all("activity", "claims", &json!({}));
                    s.set("behavior/0/UserPrincipalName", json!(""));
                }),
                silent(RARE_ACTION, 0, |s| {
                    s.set("behavior/0/ActivityInsights/ActionUncommonlyPerformedByUser", json!("False"));
                }),
                silent(RARE_COUNTRY, 0, |s| {
                    let insights = json!({"ActionUncommonlyPerformedByUser": "False", "CountryUncommonlyConnectedFromByUser": "no"});
                    s.set("behavior/0/ActivityInsights", insights);
                }),
                silent("join on JoinKey", 0, |s| {
                    s.set("behavior/0/UserPrincipalName", json!("mira.holt@other.example"))
                }),
            ],
        ),
        lists: vec![
            List {
                condition: OPERATIONS,
                base: 0,
                put: |s, member| s.set_all("activity", "operationName/value", &json!(member)),
                values: Some(json!({"VirtualMachineName": "vm-core-1"})),
            },
            List {
                condition: "ActivityStatusValue in~ (\"Success\", \"Succeeded\")",
                base: 0,
                put: |s, member| s.set("activity/2/status/value", json!(member)),
                values: Some(json!({"VirtualMachineName": "vm-core-1"})),
            },
        ],
        implied: vec![],
    });
}

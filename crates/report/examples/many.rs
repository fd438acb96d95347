//! Writes the page of a made-up hunt with so many alerts, hostile text among them, to standard output: something to look
//! at in a browser, and to measure. `cargo run -p report --example many -- 5000 > many.html`

#![allow(clippy::print_stdout, clippy::expect_used)]

use std::collections::BTreeMap;

use report::model::{
    Alert, AlertRow, Event, Incident, Report, Rule, RuleName, Source, SourceRecord, Span, Sparkline, Table, TableRead,
};
use report::{changes, coverage, entities, html, next, timeline};
use serde_json::json;

const NAMES: [&str; 6] = [
    "Instance launched by a new key",
    "Sign-in from an unfamiliar country",
    "Disk snapshot shared with another account",
    "<script>alert(1)</script> as a user agent",
    "Network rule opened to the internet",
    "Key created and used \u{202e}txt.exe",
];
const SEVERITIES: [&str; 4] = ["Medium", "High", "Low", "Informational"];
const STATES: [&str; 6] = ["fired", "silent", "partial", "no-data", "unsupported", "invalid"];

fn time(index: usize) -> String {
    format!(
        "2026-03-{:02}T{:02}:{:02}:{:02}.0000000Z",
        1 + index / 360 % 28,
        index / 15 % 24,
        index * 4 % 60,
        index % 60
    )
}

fn rule(index: usize) -> Rule {
    let state =
        if index < NAMES.len() { "fired" } else { STATES.get(index % STATES.len()).copied().unwrap_or_default() };
    Rule {
        id: format!("rule-{index}"),
        name: NAMES.get(index).map_or_else(|| format!("Rule number {index}"), |name| name.to_string()),
        file: format!("rules/folder-{}/rule-{index}.yaml", index % 7),
        kind: Some("Scheduled".into()),
        severity: SEVERITIES.get(index % 4).map(|severity| severity.to_string()),
        techniques: vec![["T1578.002", "T1078.004", "T1537", "T1059", "T1562.007", "T1098.001"][index % 6].into()],
        state: state.into(),
        reason: if state == "partial" { "SigninLogs had no rows".into() } else { String::new() },
        tables: vec![TableRead { name: "AWSCloudTrail".into(), rows: 120_000, rows_in_windows: true }],
        description: "Finds what nobody should do, in words that a reader understands at three in the morning.".into(),
        query: Some("AWSCloudTrail\n| where EventName == \"RunInstances\"\n| where isempty(ErrorCode)".repeat(4)),
        guidance: BTreeMap::from([
            ("falsePositives".into(), "- Pipelines and infrastructure as code.\n- Recovery drills.".into()),
            ("response".into(), "- Find what else `AWSCloudTrail | where UserIdentityArn == \"ACTOR\"` did.".into()),
        ]),
        has_tests: index.is_multiple_of(2),
        ..Rule::default()
    }
}

fn alert(index: usize) -> Alert {
    let rule = rule(index % NAMES.len());
    let actor = format!("arn:aws:iam::111122223333:user/actor-{}", index % 41);
    let address = format!("203.0.113.{}", index % 60);
    let values = json!({"TimeGenerated": time(index), "Actor": actor, "SourceIP": address,
        "UserAgent": "curl/8 <img src=x onerror=alert(2)>", "Instances": [format!("i-{index:08x}")], "Count": index});
    let record = SourceRecord {
        path: format!("logs/AWSLogs/111122223333/CloudTrail/eu-south-2/2026/03/part-{}.json.gz", index % 400),
        member: None,
        record: index as u64,
        table: Some("AWSCloudTrail".into()),
        item_id: Some(format!("00000000-0000-4000-8000-{index:012x}")),
    };
    let mut alert = Alert {
        id: format!("10000000-0000-4000-8000-{index:012x}"),
        name: format!("{} {}", rule.name, index % 41),
        rule: RuleName { id: rule.id, name: rule.name, file: Some(rule.file) },
        description: rule.description,
        severity: SEVERITIES.get(index % 4).copied().unwrap_or_default().into(),
        tactics: vec!["DefenseEvasion".into()],
        techniques: rule.techniques,
        start: time(index),
        end: time(index),
        query_now: time(index),
        runs: 4,
        entities: serde_json::from_value(json!([
            {"FullName": actor, "Name": actor, "Type": "account"}, {"Address": address, "Type": "ip"}
        ]))
        .expect("entities are objects"),
        incident: Some(index as u32 / 3 + 1),
        columns: values.as_object().into_iter().flatten().map(|(name, _)| (name.clone(), "string".into())).collect(),
        rows: vec![AlertRow {
            values: values.as_object().cloned().unwrap_or_default(),
            sources: vec![Some(record)],
            sources_truncated: false,
        }],
        guidance: Some(rule.guidance),
        ..Alert::default()
    };
    alert.next = next::queries(&alert, &["AWSCloudTrail", "AzureActivity", "GCPAuditLogs", "SigninLogs"]);
    alert
}

fn main() {
    let count = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(5_000);
    let alerts: Vec<Alert> = (0..count).rev().map(alert).collect();
    let rules: Vec<Rule> = (0..500).map(rule).collect();
    let incidents = alerts.chunks(3).enumerate().map(|(index, group)| Incident {
        number: index as u32 + 1,
        title: group.first().map(|alert| alert.name.clone()).unwrap_or_default(),
        severity: group.first().map(|alert| alert.severity.clone()).unwrap_or_default(),
        status: "New".into(),
        alerts: group.iter().rev().map(|alert| alert.id.clone()).collect(),
        first_activity: group.last().map(|alert| alert.start.clone()).unwrap_or_default(),
        last_activity: group.first().map(|alert| alert.end.clone()).unwrap_or_default(),
        created: group.last().map(|alert| alert.start.clone()).unwrap_or_default(),
        ..Incident::default()
    });
    let mut pages = entities::pages(&alerts);
    for page in &mut pages {
        page.events_total = 400;
        page.events = (0..40)
            .map(|index| Event {
                time: time(index * 9),
                table: "AWSCloudTrail".into(),
                role: "actor".into(),
                actor: page.label.clone(),
                address: "203.0.113.9".into(),
                action: "RunInstances".into(),
                target: format!("i-{index:08x}"),
                outcome: "Success".into(),
                ..Event::default()
            })
            .collect();
    }
    let states =
        STATES.map(|state| (state.to_string(), json!(rules.iter().filter(|rule| rule.state == state).count())));
    let severities =
        SEVERITIES.map(|name| (name.to_string(), json!(alerts.iter().filter(|a| a.severity == name).count())));
    let table = Table {
        rows: 120_000,
        first: Some(time(0)),
        last: Some(time(9_999)),
        sparkline: Some(Sparkline { from: time(0), hours_each: 12, rows: (0..56).map(|n| n * 37 % 101).collect() }),
        seen: Some(BTreeMap::from([(
            "AWSRegion".into(),
            BTreeMap::from([("eu-south-2".into(), 900), ("us-east-1".into(), 80)]),
        )])),
        ..Table::default()
    };
    let file = |index: usize| Source {
        path: format!("logs/AWSLogs/111122223333/CloudTrail/eu-south-2/2026/03/part-{index}.json.gz"),
        format: "json, gzip".into(),
        records: 300,
        rows: 300,
        sha256: "0".repeat(64),
        first: Some(time(index)),
        last: Some(time(index + 40)),
        ..Source::default()
    };
    let earlier = Report { alerts: (3..count + 3).map(alert).collect(), rules: rules.clone(), ..Report::default() };
    let lookup = |id: &str| Some((format!("Name of {id}"), vec!["Defense Evasion".to_string()]));
    let mut report = Report {
        version: "0.1.0".into(),
        command_line: vec!["hunt".into(), "--logs".into(), "logs".into(), "--format".into(), "html".into()],
        attack_version: "16".into(),
        span: Some(Span { first: time(0), last: time(10_079) }),
        reference_tables: "visible in every window".into(),
        incidents: incidents.collect(),
        entities: pages,
        timeline: timeline::of(&alerts),
        coverage: coverage::of(&rules, &alerts, &lookup),
        sources: (0..400).map(file).collect(),
        tables: BTreeMap::from([("AWSCloudTrail".into(), table.clone()), ("AzureActivity".into(), table)]),
        rules,
        alerts,
        ..Report::default()
    };
    report.summary.states = states.into_iter().collect();
    report.summary.alerts_by_severity = severities.into_iter().collect();
    report.changes = Some(changes::between(&earlier, &report));
    print!("{}", html::page(&report));
}

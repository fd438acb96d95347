//! Rules from one form to another and back: equal on every field.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::Read;

use proptest::prelude::*;
use rule_forms::fields::{Residue, normal};
use rule_forms::yaml::{self, Node, NodeKind};
use rule_forms::{arm, sentinel, terraform};

/// YAML, ARM, Terraform and back to the same fields.
fn goes_round(rule: &Node) {
    let text = sentinel::write(rule).unwrap();
    let read = yaml::parse(&text).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
    assert_eq!(normal(&read), normal(rule), "YAML\n{text}");
    let written = arm::write(std::slice::from_ref(rule));
    let back = arm::read(&written.text).unwrap().remove(0).rule;
    assert_eq!(normal(&back), normal(rule), "ARM\n{}", written.text);
    let written = terraform::write(std::slice::from_ref(rule));
    let back = terraform::read(&written.text).unwrap_or_else(|e| panic!("{e}\n{}", written.text)).remove(0).rule;
    assert_eq!(normal(&back), normal(rule), "Terraform\n{}", written.text);
}

fn rule_of(text: &str) -> Node {
    yaml::parse(text).unwrap()
}

const FULL: &str = "id: 0d1f2e3c-0000-4000-8000-000000000001
name: Keys of a user from two countries
description: |
  'One key, two countries.
  Second line with \"quotes\" and ${dollar}.'
severity: High
status: Available
requiredDataConnectors:
  - connectorId: AWS
    dataTypes: [AWSCloudTrail]
queryFrequency: 70m
queryPeriod: 25h
triggerOperator: gt
triggerThreshold: 3
tactics: [InitialAccess, Persistence]
relevantTechniques: [T1078.004, T1098]
tags: [Example, 5]
query: |
  // comment
  AWSCloudTrail
  | where UserAgent matches regex @'^%{x}\\d+'

  | summarize n = count() by bin(TimeGenerated, 1h)
entityMappings:
  - entityType: IP
    fieldMappings:
      - identifier: Address
        columnName: SourceIpAddress
  - entityType: Account
    fieldMappings:
      - {identifier: Name, columnName: A}
      - {identifier: UPNSuffix, columnName: B}
sentinelEntitiesMappings:
  - columnName: Entities
customDetails:
  Region: AWSRegion
alertDetailsOverride:
  alertDisplayNameFormat: 'Keys of {{A}}'
  alertDescriptionFormat: '{{B}} at {{C}}'
  alertTacticsColumnName: T
  alertSeverityColumnName: S
  alertDynamicProperties:
    - {alertProperty: AlertLink, value: L}
eventGroupingSettings:
  aggregationKind: AlertPerResult
incidentConfiguration:
  createIncident: true
  groupingConfiguration:
    enabled: true
    reopenClosedIncident: false
    lookbackDuration: 3d
    matchingMethod: Selected
    groupByEntities: [IP]
    groupByAlertDetails: [DisplayName]
    groupByCustomDetails: [Region]
suppressionEnabled: true
suppressionDuration: 5h
enabled: false
version: 1.10
kind: Scheduled
metadata:
  source: {kind: Community}
somethingNew: {a: [1, two, null]}
";

#[test]
fn a_rule_with_every_field_comes_back() {
    goes_round(&rule_of(FULL));
    let arm = arm::write(&[rule_of(FULL)]);
    for kept in ["requiredDataConnectors", "status", "tags", "metadata", "somethingNew"] {
        assert!(
            arm.notes.iter().any(|note| note.contains(&format!("`{kept}` has no place"))),
            "{kept}: {:?}",
            arm.notes
        );
    }
    assert!(
        !arm.notes.iter().any(|note| note.contains("`query`") || note.contains("`incidentConfiguration`")),
        "{:?}",
        arm.notes
    );
    let terraform = terraform::write(&[rule_of(FULL)]);
    for said in [
        "query",
        "entityMappings",
        "alertDetailsOverride",
        "customDetails",
        "incidentConfiguration",
        "suppressionDuration",
        "enabled",
    ] {
        assert!(
            !terraform.notes.iter().any(|note| note.contains(&format!("`{said}`"))),
            "{said}: {:?}",
            terraform.notes
        );
    }
    assert!(
        terraform.notes.iter().any(|note| note.contains("`relevantTechniques`")),
        "sub-techniques have no argument"
    );
}

#[test]
fn near_real_time_and_hunting_rules_come_back() {
    goes_round(&rule_of("id: i\nname: n\nkind: NRT\nseverity: Low\nquery: T\nversion: 1.0.0\n"));
    goes_round(&rule_of(
        "id: i\nname: n\ndescription: d\nquery: |\n  T\n  | take 1\ntactics: [Impact]\nrelevantTechniques: [T1485]\nrequiredDataConnectors: []\n",
    ));
    goes_round(&rule_of("id: i\nname: '[x'\nseverity: Medium\nqueryFrequency: 01:00:00\nquery: '[parameters(1)]'\n"));
    goes_round(&rule_of("name: no id\nqueryPeriod: 14d\nquery: ''\n"));
}

#[test]
fn several_rules_share_a_file() {
    let rules = [
        rule_of(FULL),
        rule_of("id: j\nname: Keys of a user from two countries\nkind: NRT\nquery: T\nseverity: Low\n"),
    ];
    let back = terraform::read(&terraform::write(&rules).text).unwrap();
    assert_eq!(back.iter().map(|r| normal(&r.rule)).collect::<Vec<_>>(), rules.iter().map(normal).collect::<Vec<_>>());
    let back = arm::read(&arm::write(&rules).text).unwrap();
    assert_eq!(back.iter().map(|r| normal(&r.rule)).collect::<Vec<_>>(), rules.iter().map(normal).collect::<Vec<_>>());
}

/// Public queries with fields of every kind around them.
#[test]
fn the_published_queries_come_back() {
    let Some(path) = testing::shared("corpus/sentinel-open.jsonl.gz") else { return };
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let full = rule_of(FULL);
    let mut rules = 0;
    for (number, line) in text.lines().enumerate() {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| Node::of_text(json[key].as_str().unwrap_or_default());
        let mut rule = Node::of_map([("id", text("id")), ("name", text("name")), ("query", text("query"))]);
        match json["kind"].as_str() {
            Some("nrt") => rule.set("kind", Node::of_text("NRT")),
            Some("scheduled") => {
                // A different half of the other fields each time.
                for (index, entry) in full.entries().iter().enumerate() {
                    if !["id", "name", "query"].contains(&entry.key.as_str()) && (number >> (index % 8)) & 1 == 0 {
                        rule.set(&entry.key, entry.value.clone());
                    }
                }
            }
            _ => {}
        }
        goes_round(&rule);
        rules += 1;
    }
    assert!(rules > 3_000, "{rules}");
}

fn scalar() -> impl Strategy<Value = Node> {
    prop_oneof![
        // Texts as people write them, and any others.
        "[ -~]{0,12}".prop_map(Node::of_text),
        "[a-z\\n\\t ${}%\"'\\\\:#\\[\\]|>-]{0,24}".prop_map(Node::of_text),
        "\\PC{0,8}".prop_map(Node::of_text),
        any::<i64>().prop_map(|n| Node::made(NodeKind::Number(n.to_string()))),
        any::<bool>().prop_map(|b| Node::made(NodeKind::Bool(b))),
        (1_u32..400, prop::sample::select(vec!["m", "h", "d"]))
            .prop_map(|(n, unit)| Node::of_text(format!("{n}{unit}"))),
    ]
}

fn value() -> impl Strategy<Value = Node> {
    scalar().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Node::of_list),
            prop::collection::btree_map("[A-Za-z]{1,6}", inner, 0..4).prop_map(Node::of_map),
        ]
    })
}

fn field() -> impl Strategy<Value = String> {
    let known: Vec<String> = rule_of(FULL).entries().iter().map(|entry| entry.key.clone()).collect();
    prop_oneof![4 => prop::sample::select(known), 1 => "[a-z]{1,8}".prop_map(|name| format!("x{name}"))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Any fields with any values: what a form cannot say it keeps.
    #[test]
    fn any_fields_come_back(fields in prop::collection::btree_map(field(), value(), 0..8), base in any::<bool>()) {
        let mut rule = if base { rule_of(FULL) } else { Node::of_map([("id", Node::of_text("i"))]) };
        for (key, value) in fields {
            rule.set(&key, value);
        }
        goes_round(&rule);
    }
}

#[test]
fn nothing_is_kept_that_was_said() {
    let plain = rule_of(
        "id: i\nname: n\ndescription: d\nseverity: Low\nkind: Scheduled\nqueryFrequency: 1h\nqueryPeriod: 1h\ntriggerOperator: gt\ntriggerThreshold: 0\ntactics: [Impact]\nrelevantTechniques: [T1485]\nquery: T\n",
    );
    assert_eq!(terraform::write(std::slice::from_ref(&plain)).notes, Vec::<String>::new());
    let back = arm::read(&arm::write(std::slice::from_ref(&plain)).text).unwrap().remove(0).rule;
    assert!(Residue::between(&plain, &back).is_empty());
}

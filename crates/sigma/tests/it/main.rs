//! KQL as Sigma, and Sigma as KQL again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::Read;

use rule_forms::yaml::{self, Node};
use sigma::Collection;
use sigma::reverse::to_sigma;
use sigma::rule::Outcome;

fn rule_of(query: &str) -> Node {
    Node::of_map([
        ("id", Node::of_text("0d1f2e3c-0000-4000-8000-000000000001")),
        ("name", Node::of_text("N")),
        ("severity", Node::of_text("High")),
        ("tactics", Node::of_list([Node::of_text("InitialAccess")])),
        ("relevantTechniques", Node::of_list([Node::of_text("T1078.004")])),
        ("query", Node::of_text(query)),
    ])
}

/// The Sigma documents of a query as YAML, one behind another.
fn sigma_of(query: &str) -> String {
    let found = to_sigma(&rule_of(query)).unwrap_or_else(|error| panic!("{query}\n{error}"));
    let texts: Vec<String> =
        found.documents.iter().map(|document| rule_forms::sentinel::text_of(document).unwrap()).collect();
    texts.join("---\n")
}

/// A query's conditions after a way through Sigma.
fn back(query: &str) -> String {
    let text = sigma_of(query);
    let mut collection = Collection::default();
    let broken = collection.add("a.yml", &text).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
    assert!(broken.is_empty(), "{broken:?}\n{text}");
    match collection.convert().remove(0) {
        Outcome::Rule(rule) => rule.query.split_whitespace().collect::<Vec<_>>().join(" "),
        Outcome::Impossible(impossible) => panic!("{impossible:?}\n{text}"),
    }
}

#[test]
fn filters_come_back_as_they_were() {
    for query in [
        "AWSCloudTrail | where EventName =~ \"RunInstances\"",
        "AWSCloudTrail | where EventName == \"RunInstances\"",
        "AWSCloudTrail | where EventName in~ (\"A\", \"B\")",
        "AWSCloudTrail | where EventName in (\"A\", \"B\")",
        "AWSCloudTrail | where EventName startswith \"Run\" | where EventSource endswith \".com\"",
        "AWSCloudTrail | where UserAgent contains \"a*b\"",
        "AWSCloudTrail | where UserAgent contains_cs @\"C:\\x\"",
        "AWSCloudTrail | where UserAgent matches regex \"^a+$\"",
        "AWSCloudTrail | where UserAgent matches regex \"(?i)^a+$\"",
        "AWSCloudTrail | where isempty(ErrorCode)",
        "AWSCloudTrail | where isnotempty(ErrorCode)",
        "AWSCloudTrail | where not(EventName =~ \"A\")",
        "AWSCloudTrail | where ReadOnly == false",
        "AWSCloudTrail | where ipv4_is_in_range(SourceIpAddress, \"10.0.0.0/8\")",
        "AWSCloudTrail | where tostring(parse_json(RequestParameters).a.b) =~ \"x\"",
        "AWSCloudTrail | where EventName =~ \"A\" or (ErrorCode =~ \"B\" and UserAgent =~ \"C\")",
        "SecurityEvent | where EventID == 4688",
        "SecurityEvent | where EventID in (4624, 4625) | where TargetUserName endswith \"$\"",
        "SigninLogs | where ResultType =~ \"50126\"",
        "AzureActivity | where OperationNameValue =~ \"Microsoft.Compute/virtualMachines/write\"",
    ] {
        let target = back(query);
        // Tables whose log source is several tables, or shows columns for entities, have more around it.
        let conditions: Vec<&str> = query.split(" | ").skip(1).collect();
        for condition in conditions {
            assert!(target.contains(condition), "{condition}\n{target}\n{}", sigma_of(query));
        }
    }
}

#[test]
fn what_is_no_operator_of_sigma_is_said_in_others() {
    assert!(
        back("AWSCloudTrail | where EventName != \"A\" | where EventName !in~ (\"B\", \"C\")")
            .contains("not(EventName")
    );
    let has = back("AWSCloudTrail | where UserAgent has \"a.b\"");
    assert!(has.contains(r#"UserAgent matches regex @"(?i)(^|[^A-Za-z0-9])a\.b($|[^A-Za-z0-9])""#), "{has}");
    let lets = back("let names = dynamic([\"A\", \"B\"]);\nlet big = 5;\nAWSCloudTrail\n| where EventName in~ (names) and todouble(1) < 2 or EventName =~ \"x\"".replace(" and todouble(1) < 2", "").as_str());
    assert!(lets.contains("EventName in~ (\"A\", \"B\", \"x\")"), "{lets}");
}

#[test]
fn counts_by_group_and_time_are_correlations() {
    let text = sigma_of(
        "AWSCloudTrail\n| where ErrorCode =~ \"AccessDenied\"\n| summarize Failures = count(), First = min(TimeGenerated) by UserIdentityArn, bin(TimeGenerated, 10m)\n| where Failures >= 20\n| project UserIdentityArn",
    );
    let documents = yaml::parse_all(&text).unwrap();
    let correlation = documents[0].get("correlation").unwrap();
    assert_eq!(correlation.get("type").unwrap().text().unwrap(), "event_count");
    assert_eq!(correlation.get("group-by").unwrap().items()[0].text().unwrap(), "userIdentity.arn");
    assert_eq!(correlation.get("timespan").unwrap().text().unwrap(), "10m");
    assert_eq!(correlation.get("condition").unwrap().get("gte").unwrap().text().unwrap(), "20");
    let distinct = sigma_of(
        "SigninLogs | where ResultType != \"0\" | summarize Users = dcount(UserPrincipalName) by IPAddress, bin(TimeGenerated, 1h) | where Users > 10",
    );
    assert!(distinct.contains("value_count") && distinct.contains("gt: 10"), "{distinct}");
    let mut rule = rule_of("AWSCloudTrail | where EventName == \"X\"");
    for (key, value) in
        [("kind", "Scheduled"), ("queryPeriod", "2h"), ("triggerOperator", "gt"), ("triggerThreshold", "5")]
    {
        rule.set(key, Node::of_text(value));
    }
    let found = to_sigma(&rule).unwrap();
    let correlation = found.documents[0].get("correlation").unwrap();
    assert_eq!(correlation.get("timespan").unwrap().text().unwrap(), "2h");
    assert_eq!(correlation.get("condition").unwrap().get("gt").unwrap().text().unwrap(), "5");
}

#[test]
fn what_sigma_cannot_say_has_its_place() {
    for (query, said) in [
        (
            "SigninLogs\n| join kind=inner (AuditLogs) on CorrelationId",
            "not expressible in Sigma because of `join` at 2:3",
        ),
        ("union SigninLogs, AuditLogs", "not expressible in Sigma because of `union` at 1:1"),
        (
            "SigninLogs | where strlen(UserAgent) > 5",
            "not expressible in Sigma because of `strlen`, which computes a value, at 1:20",
        ),
        ("SigninLogs | take 5", "not expressible in Sigma because of `take` at 1:14"),
        (
            "NoSuchTable | where a == 1",
            "not expressible in Sigma because of the table `NoSuchTable`, which no log source is known for, at 1:1",
        ),
        ("let f = (x:string) { x };\nSigninLogs", "not expressible in Sigma because of `let` at 1:1"),
        ("SigninLogs | where", "not expressible in Sigma because of a mistake in the query"),
        (
            "SigninLogs | extend n = 1 | where n == 1",
            "not expressible in Sigma because of `n`, which is no field of the log source, at 1:35",
        ),
    ] {
        let error = to_sigma(&rule_of(query)).unwrap_err().to_string();
        assert!(error.starts_with(said), "{query}\n{error}");
    }
}

/// No published query panics; what is expressible reads back as Sigma.
#[test]
fn published_queries_are_sigma_or_say_why_not() {
    let Some(path) = testing::shared("corpus/sentinel-open.jsonl.gz") else { return };
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let (mut all, mut said) = (0, 0);
    for line in text.lines() {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        all += 1;
        let Ok(found) = to_sigma(&rule_of(json["query"].as_str().unwrap_or_default())) else { continue };
        said += 1;
        let texts: Vec<String> = found.documents.iter().map(|d| rule_forms::sentinel::text_of(d).unwrap()).collect();
        let text = texts.join("---\n");
        let mut collection = Collection::default();
        let broken = collection.add("a.yml", &text).unwrap();
        assert!(broken.is_empty(), "{broken:?}\n{text}");
        for outcome in collection.convert() {
            match outcome {
                Outcome::Rule(rule) => {
                    let parse = kql_syntax::parse(&rule.query);
                    assert!(parse.errors.is_empty(), "{:?}\n{}", parse.errors, rule.query);
                }
                Outcome::Impossible(impossible) => panic!("{impossible:?}\n{text}"),
            }
        }
    }
    assert!(said >= 250, "{said} of {all} published queries are expressible");
}

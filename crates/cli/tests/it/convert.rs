//! `tidewatch convert`, and Sigma rules wherever a rule file is read.

use crate::run::Folder;

const RULE: &str = "id: 6f1d2c3b-0000-4000-8000-000000000001
name: Instances started
description: d
severity: Low
kind: Scheduled
requiredDataConnectors: []
queryFrequency: 1h
queryPeriod: 1h
triggerOperator: gt
triggerThreshold: 0
tactics: [Impact]
relevantTechniques: [T1496]
version: 1.0.0
query: |
  AWSCloudTrail
  | where EventName =~ \"RunInstances\"
";

const SIGMA: &str = "title: Instances started
id: 6f1d2c3b-0000-4000-8000-000000000002
level: high
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventName: RunInstances}
  condition: selection
";

#[test]
fn every_form_goes_to_every_other() {
    let folder = Folder::new();
    folder.write("rule.yaml", RULE);
    folder.write("sigma.yml", SIGMA);
    folder.write("query.kql", "AWSCloudTrail | where EventName =~ 'RunInstances'");
    for (form, ending) in [("arm", "json"), ("terraform", "tf"), ("sentinel", "yaml"), ("sigma", "yml"), ("kql", "kql")]
    {
        let run = folder.run(&["convert", "rule.yaml", "--to", form, "--out", form]);
        assert_eq!(run.code, 0, "{form}: {}{}", run.out, run.err);
        assert!(folder.path().join(format!("{form}/rule.{ending}")).exists());
        // Each form that holds the whole rule gives it back.
        if ["arm", "terraform", "sentinel"].contains(&form) {
            let back = folder.run(&["convert", &format!("{form}/rule.{ending}"), "--to", "sentinel"]);
            let straight = folder.run(&["convert", "rule.yaml", "--to", "sentinel"]);
            assert_eq!(back.out, straight.out, "{form}");
        }
        for other in ["sentinel", "arm", "terraform", "kql"] {
            let run = folder.run(&["convert", &format!("{form}/rule.{ending}"), "--to", other]);
            assert!(run.code == 0 && run.out.contains("RunInstances"), "{form} to {other}: {}{}", run.out, run.err);
        }
    }
    let all = folder.run(&["convert", ".", "--to", "kql"]);
    assert!(all.code == 0 && all.out.matches("// ").count() > 5, "{}", all.out);
}

#[test]
fn what_cannot_be_said_is() {
    let folder = Folder::new();
    folder.write("join.kql", "SigninLogs\n| join AuditLogs on CorrelationId");
    let run = folder.run(&["convert", "join.kql", "--to", "sigma"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("not expressible in Sigma because of `join` at 2:3"), "{}", run.err);
    folder.write("rule.yaml", RULE);
    let run = folder.run(&["convert", "rule.yaml", "--to", "terraform"]);
    assert!(run.code == 0 && !run.err.contains("`query`"), "{}", run.err);
    folder.write("none.yml", "title: N\nlogsource: {product: django}\ndetection: {k: [x], condition: k}\n");
    let run = folder.run(&["convert", "none.yml", "--to", "kql"]);
    assert!(run.code == 1 && run.err.contains("no table for the log source product django"), "{}", run.err);
    assert_eq!(folder.run(&["convert", "nowhere.yaml", "--to", "kql"]).code, 4);
}

#[test]
fn sigma_rules_run_as_they_are() {
    let folder = Folder::new();
    folder.write("rules/sigma.yml", SIGMA);
    folder.write("rules/none.yml", "title: N\nlogsource: {product: django}\ndetection: {k: [x], condition: k}\n");
    let event = "{\"Records\":[{\"eventVersion\":\"1.08\",\"eventTime\":\"2026-03-01T10:00:00Z\",\"eventSource\":\"ec2.amazonaws.com\",\"eventName\":\"RunInstances\",\"awsRegion\":\"us-east-1\",\"sourceIPAddress\":\"203.0.113.7\",\"userAgent\":\"x\",\"eventID\":\"e1\",\"userIdentity\":{\"type\":\"IAMUser\",\"userName\":\"ann\"}}]}";
    folder.write("logs/event.json", event);
    let run = folder.run(&["hunt", "rules", "--logs", "logs", "--format", "json", "--all"]);
    assert_eq!(run.code, 1, "{}{}", run.out, run.err);
    let report = run.json();
    let states: Vec<&str> =
        report["rules"].as_array().unwrap().iter().map(|rule| rule["state"].as_str().unwrap()).collect();
    assert!(states.contains(&"fired") && states.contains(&"unsupported"), "{states:?}");
    let check = folder.run(&["check", "rules/sigma.yml"]);
    assert!(check.code == 0 && check.out.contains("EventName:string"), "{}{}", check.out, check.err);
    let query = folder.run(&["query", "--file", "rules/sigma.yml", "--logs", "logs", "--format", "csv"]);
    assert!(query.code == 0 && query.out.contains("RunInstances"), "{}{}", query.out, query.err);
    assert!(folder.run(&["lint", "rules/sigma.yml", "--fail-on", "error"]).code == 0);
    let test = "rule: sigma.yml\nquery_now: 2026-03-02T00:00:00Z\ncases:\n  - name: a launch\n    events: [{table: AWSCloudTrail, rows: [{TimeGenerated: -10m, EventName: RunInstances}]}]\n    expect: {alerts: 1, severity: High}\n  - name: another\n    events: [{table: AWSCloudTrail, rows: [{TimeGenerated: -10m, EventName: StopInstances}]}]\n    expect: {alerts: 0}\n";
    folder.write("rules/sigma.test.yaml", test);
    let run = folder.run(&["test", "rules/sigma.yml"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    let explain = folder.run(&["explain", "rules/sigma.yml", "--logs", "logs"]);
    assert!(explain.code == 0 && explain.out.contains("where EventName"), "{}{}", explain.out, explain.err);
}

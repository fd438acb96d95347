//! CloudTrail records and rules written for these tests.

use serde_json::{Value as Json, json};

use crate::run::Folder;

/// A record of an EC2 call by a user.
pub fn record(id: u32, time: &str, event: &str, user: &str) -> Json {
    json!({
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "IAMUser", "principalId": format!("AIDA{user}"), "accountId": "111122223333",
            "arn": format!("arn:aws:iam::111122223333:user/{user}"), "userName": user, "accessKeyId": "AKIAEXAMPLE",
        },
        "eventTime": time,
        "eventSource": "ec2.amazonaws.com",
        "eventName": event,
        "awsRegion": "eu-south-2",
        "sourceIPAddress": "203.0.113.9",
        "userAgent": "aws-cli/2.15",
        "requestParameters": {"instanceType": "p4d.24xlarge"},
        "responseElements": null,
        "requestID": format!("request-{id}"),
        "eventID": format!("00000000-0000-4000-8000-{id:012}"),
        "readOnly": false,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    })
}

/// A successful launch of one instance.
pub fn launch(id: u32, time: &str, user: &str, instance: &str) -> Json {
    let mut launch = record(id, time, "RunInstances", user);
    launch["responseElements"] = json!({"instancesSet": {"items": [{"instanceId": instance, "imageId": "ami-0aaa"}]}});
    launch
}

pub fn trail(records: &[Json]) -> String {
    json!({"Records": records}).to_string()
}

/// Finds launches that succeeded.
pub const LAUNCH_RULE: &str = "id: 5a0c7e64-0000-4000-8000-000000000001
name: Instance launched
description: An instance was launched.
severity: Medium
kind: Scheduled
queryFrequency: 1d
queryPeriod: 1d
triggerOperator: gt
triggerThreshold: 0
tactics: [DefenseEvasion]
relevantTechniques: [T1578.002]
query: |
  AWSCloudTrail
  | where EventName == 'RunInstances' and isempty(ErrorCode)
  | extend Instance = tostring(parse_json(ResponseElements).instancesSet.items[0].instanceId)
  | project TimeGenerated, Actor = UserIdentityArn, SourceIP = SourceIpAddress, Instance, UserAgent
entityMappings:
  - entityType: IP
    fieldMappings:
      - identifier: Address
        columnName: SourceIP
customDetails:
  Who: Actor
";

/// A folder with two launches that succeeded, one that was refused, and noise.
pub fn folder_with_launches() -> Folder {
    let folder = Folder::new();
    let mut refused = record(2, "2026-03-01T11:00:00Z", "RunInstances", "mallory");
    refused["errorCode"] = json!("Client.UnauthorizedOperation");
    let records = [
        record(1, "2026-03-01T08:00:00Z", "DescribeInstances", "ann"),
        refused,
        launch(3, "2026-03-01T12:00:00Z", "mallory", "i-0aaa"),
        launch(4, "2026-03-04T12:30:00Z", "mallory", "i-0bbb"),
    ];
    folder.write("logs/trail.json", &trail(&records));
    folder.write("rules/launch.yaml", LAUNCH_RULE);
    folder
}

//! CloudTrail records as AWS writes them.

use kql_types::datetime;
use serde_json::{Value as Json, json};

use crate::Record;
use crate::chance::{Chance, SECOND};
use crate::people::AWS_ACCOUNT;

/// One call to the EC2 interface.
pub struct Call<'a> {
    pub ticks: i64,
    pub name: &'a str,
    pub arn: &'a str,
    pub address: &'a str,
    pub region: &'a str,
    pub error: Option<&'a str>,
    pub request: Json,
    pub response: Json,
    pub read_only: bool,
}

/// `2026-03-02T10:00:00Z`, as CloudTrail prints times.
pub fn second(ticks: i64) -> String {
    let text = datetime::format(ticks - ticks.rem_euclid(SECOND));
    format!("{}Z", text.split('.').next().unwrap_or_default())
}

pub fn record(chance: &mut Chance, call: Call<'_>) -> Record {
    let user = call.arn.rsplit('/').next().unwrap_or_default();
    let mut json = json!({
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": format!("AIDA{}", chance.hex(17).to_uppercase()),
            "arn": call.arn,
            "accountId": AWS_ACCOUNT,
            "accessKeyId": format!("AKIA{}", chance.hex(16).to_uppercase()),
            "userName": user,
        },
        "eventTime": second(call.ticks),
        "eventSource": "ec2.amazonaws.com",
        "eventName": call.name,
        "awsRegion": call.region,
        "sourceIPAddress": call.address,
        "userAgent": "aws-cli/2.17.4 md/prompt#off",
        "requestParameters": call.request,
        "responseElements": call.response,
        "requestID": chance.guid(),
        "eventID": chance.guid(),
        "readOnly": call.read_only,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": AWS_ACCOUNT,
        "eventCategory": "Management",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": format!("ec2.{}.amazonaws.com", call.region),
        },
    });
    if let (Some(error), Some(object)) = (call.error, json.as_object_mut()) {
        object.insert("errorCode".into(), json!(error));
        object.insert("errorMessage".into(), json!("The request was refused."));
    }
    Record { ticks: call.ticks, json }
}

/// `i-` and 17 digits.
pub fn instance_id(chance: &mut Chance) -> String {
    format!("i-0{}", chance.hex(16))
}

/// Request and response of RunInstances for the given instances.
pub fn run_instances(instances: &[String], instance_type: &str, snapshot: Option<&str>) -> (Json, Json) {
    let mut request = json!({
        "instancesSet": {"items": [{"imageId": "ami-0a1b2c3d4e5f60718", "minCount": 1, "maxCount": instances.len()}]},
        "instanceType": instance_type,
        "monitoring": {"enabled": false},
    });
    if let (Some(snapshot), Some(object)) = (snapshot, request.as_object_mut()) {
        let mapping = json!({"items": [{"deviceName": "/dev/sdf", "ebs": {"snapshotId": snapshot}}]});
        object.insert("blockDeviceMapping".into(), mapping);
    }
    let items: Vec<Json> = instances
        .iter()
        .map(|id| json!({"instanceId": id, "imageId": "ami-0a1b2c3d4e5f60718", "instanceType": instance_type, "instanceState": {"code": 0, "name": "pending"}}))
        .collect();
    (request, json!({"reservationId": "r-0f00f00f00f00f00f", "instancesSet": {"items": items}}))
}

//! CloudTrail records as AWS writes them.

use kql_types::datetime;
use serde_json::{Value as Json, json};

use crate::chance::{Chance, SECOND};
use crate::{Parameter, Record, parameter};

pub const PARAMETERS: &[Parameter] = &[
    parameter("actor", "attack-test", "a user's name, or the ARN of a user or a role's session"),
    parameter("ip", "203.0.113.66", "address of the caller"),
    parameter("region", "us-east-1", "region of the calls"),
    parameter("account", "111122223333", "account of the calls"),
    parameter("user_agent", "aws-cli/2.17.4 md/prompt#off", "client"),
    parameter("error", "", "error code with which every call is refused"),
];

/// Who calls: what `userIdentity` says.
#[derive(Debug, Clone, PartialEq)]
pub struct Caller {
    pub arn: String,
    pub account: String,
    identity: Json,
}

impl Caller {
    /// A caller by the ARN of a user or of a role's session, or by the name of a user of the account. Ids derive from the ARN.
    pub fn new(actor: &str, account: &str) -> Caller {
        let arn =
            if actor.starts_with("arn:") { actor.to_string() } else { format!("arn:aws:iam::{account}:user/{actor}") };
        let mut ids = Chance::of_text(&arn);
        let account = arn.split(':').nth(4).filter(|account| !account.is_empty()).unwrap_or(account).to_string();
        let resource = arn.split(':').nth(5).unwrap_or_default().to_string();
        let mut parts = resource.split('/');
        let kind = parts.next().unwrap_or_default().to_string();
        let last = resource.rsplit('/').next().unwrap_or_default().to_string();
        let id = ids.hex(17).to_uppercase();
        let key = ids.hex(16).to_uppercase();
        let identity = match kind.as_str() {
            "assumed-role" => {
                let role = parts.next().unwrap_or_default();
                json!({
                    "type": "AssumedRole",
                    "principalId": format!("AROA{id}:{last}"),
                    "arn": arn,
                    "accountId": account,
                    "accessKeyId": format!("ASIA{key}"),
                    "sessionContext": {
                        "sessionIssuer": {
                            "type": "Role",
                            "principalId": format!("AROA{id}"),
                            "arn": format!("arn:aws:iam::{account}:role/{role}"),
                            "accountId": account,
                            "userName": role,
                        },
                        "attributes": {"creationDate": "2026-01-01T00:00:00Z", "mfaAuthenticated": "false"},
                    },
                })
            }
            "root" => json!({"type": "Root", "principalId": account, "arn": arn, "accountId": account}),
            _ => json!({
                "type": "IAMUser",
                "principalId": format!("AIDA{id}"),
                "arn": arn,
                "accountId": account,
                "accessKeyId": format!("AKIA{key}"),
                "userName": last,
            }),
        };
        Caller { arn, account, identity }
    }

    /// What `userIdentity` says at a time: a session began a quarter of an hour before.
    fn at(&self, ticks: i64) -> Json {
        let mut identity = self.identity.clone();
        if let Some(date) = identity.pointer_mut("/sessionContext/attributes/creationDate") {
            *date = json!(second(ticks - 900 * SECOND));
        }
        identity
    }
}

/// One call of a service's interface.
pub struct Call<'a> {
    pub ticks: i64,
    /// `ec2`: the part before `.amazonaws.com`.
    pub service: &'a str,
    pub name: &'a str,
    pub caller: &'a Caller,
    pub address: &'a str,
    pub region: &'a str,
    pub user_agent: &'a str,
    pub error: Option<&'a str>,
    pub request: Json,
    pub response: Json,
}

/// `2026-03-02T10:00:00Z`, as CloudTrail prints times.
pub fn second(ticks: i64) -> String {
    let text = datetime::format(ticks - ticks.rem_euclid(SECOND));
    format!("{}Z", text.split('.').next().unwrap_or_default())
}

/// Calls that only read, by the way AWS names them.
fn is_read(name: &str) -> bool {
    ["Describe", "Get", "List", "BatchGet", "Lookup"].iter().any(|verb| name.starts_with(verb))
}

/// What the message of a refusal says.
fn message(error: &str, name: &str, caller: &Caller, service: &str) -> String {
    match error {
        "Client.DryRunOperation" => "Request would have succeeded, but DryRun flag is set.".to_string(),
        "Client.UnauthorizedOperation" => {
            "You are not authorized to perform this operation. Encoded authorization failure message: 7bq2".to_string()
        }
        "Client.VcpuLimitExceeded" => {
            "You have requested more vCPU capacity than your current vCPU limit of 0 allows.".to_string()
        }
        "AccessDenied" | "AccessDeniedException" => {
            format!("User: {} is not authorized to perform: {service}:{name}", caller.arn)
        }
        _ => "The request was refused.".to_string(),
    }
}

/// The record of a call. A refused call has no answer.
pub fn record(chance: &mut Chance, call: Call<'_>) -> Record {
    let host = match call.service {
        "iam" | "sts" | "organizations" => format!("{}.amazonaws.com", call.service),
        service => format!("{service}.{}.amazonaws.com", call.region),
    };
    let mut json = json!({
        "eventVersion": "1.09",
        "userIdentity": call.caller.at(call.ticks),
        "eventTime": second(call.ticks),
        "eventSource": format!("{}.amazonaws.com", call.service),
        "eventName": call.name,
        "awsRegion": call.region,
        "sourceIPAddress": call.address,
        "userAgent": call.user_agent,
        "requestParameters": call.request,
        "responseElements": if call.error.is_some() { Json::Null } else { call.response },
        "requestID": chance.guid(),
        "eventID": chance.guid(),
        "readOnly": is_read(call.name),
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": call.caller.account,
        "eventCategory": "Management",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": host,
        },
    });
    if let (Some(error), Some(object)) = (call.error, json.as_object_mut()) {
        object.insert("errorCode".into(), json!(error));
        object.insert("errorMessage".into(), json!(message(error, call.name, call.caller, call.service)));
    }
    Record { ticks: call.ticks, json }
}

/// `i-` and 17 digits.
pub fn instance_id(chance: &mut Chance) -> String {
    format!("i-0{}", chance.hex(16))
}

/// The image that launches use where none is named.
pub const IMAGE: &str = "ami-0a1b2c3d4e5f60718";

/// Request and response of RunInstances for the given instances.
pub fn run_instances(instances: &[String], instance_type: &str, image: &str, snapshot: Option<&str>) -> (Json, Json) {
    let mut request = json!({
        "instancesSet": {"items": [{"imageId": image, "minCount": 1, "maxCount": instances.len().max(1)}]},
        "instanceType": instance_type,
        "monitoring": {"enabled": false},
        "disableApiTermination": false,
    });
    if let (Some(snapshot), Some(object)) = (snapshot, request.as_object_mut()) {
        let ebs = json!({"snapshotId": snapshot, "deleteOnTermination": true});
        object.insert("blockDeviceMapping".into(), json!({"items": [{"deviceName": "/dev/sdf", "ebs": ebs}]}));
    }
    let items: Vec<Json> = instances
        .iter()
        .map(|id| {
            json!({
                "instanceId": id,
                "imageId": image,
                "instanceType": instance_type,
                "instanceState": {"code": 0, "name": "pending"},
            })
        })
        .collect();
    (request, json!({"reservationId": "r-0f00f00f00f00f00f", "instancesSet": {"items": items}}))
}

/// Request and response of TerminateInstances, StopInstances or StartInstances: the state from and to, as (code, name).
pub fn change_state(instances: &[String], from: (u32, &str), to: (u32, &str)) -> (Json, Json) {
    let asked: Vec<Json> = instances.iter().map(|id| json!({"instanceId": id})).collect();
    let done: Vec<Json> = instances
        .iter()
        .map(|id| {
            json!({
                "instanceId": id,
                "currentState": {"code": to.0, "name": to.1},
                "previousState": {"code": from.0, "name": from.1},
            })
        })
        .collect();
    (json!({"instancesSet": {"items": asked}}), json!({"instancesSet": {"items": done}}))
}

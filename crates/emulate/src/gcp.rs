//! Google Cloud audit log entries.

use kql_types::datetime;
use serde_json::{Value as Json, json};

use crate::chance::{Chance, SECOND};
use crate::{Parameter, Record, parameter};

pub const PARAMETERS: &[Parameter] = &[
    parameter("actor", "attack.test@harborline.example", "e-mail address of a user or a service account"),
    parameter("ip", "203.0.113.69", "address of the caller"),
    parameter("region", "europe-north1", "region of the resources; their zone is its zone a"),
    parameter("account", "harbor-attack-test", "project"),
    parameter("user_agent", "google-cloud-sdk gcloud/502.0.0", "client"),
    parameter("error", "", "message, such as QUOTA_EXCEEDED or PERMISSION_DENIED, with which every call is refused"),
];

/// One call of an interface.
pub struct Call<'a> {
    pub ticks: i64,
    /// `compute.googleapis.com`.
    pub service: &'a str,
    /// `v1.compute.instances.insert`.
    pub method: &'a str,
    /// The permission that is asked for.
    pub permission: &'a str,
    pub principal: &'a str,
    pub address: &'a str,
    pub user_agent: &'a str,
    pub project: &'a str,
    /// `projects/P/zones/Z/instances/I`.
    pub resource: &'a str,
    /// Type and labels of the resource that is written to.
    pub kind: (&'a str, Json),
    /// Request and response of the entry that opens an operation; None for the one that closes it.
    pub payload: Option<(Json, Json)>,
    /// The id of a long operation and whether this is its first entry.
    pub operation: Option<(&'a str, bool)>,
    /// Message of a refusal.
    pub error: Option<&'a str>,
}

/// The number that goes with the message of a refusal.
fn code(error: &str) -> i64 {
    match error {
        "PERMISSION_DENIED" => 7,
        "NOT_FOUND" => 5,
        "INVALID_ARGUMENT" => 3,
        // Quotas, stockouts.
        _ => 8,
    }
}

/// The entry of a call.
pub fn entry(chance: &mut Chance, call: Call<'_>) -> Record {
    let mut payload = json!({
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "authenticationInfo": {"principalEmail": call.principal},
        "requestMetadata": {"callerIp": call.address, "callerSuppliedUserAgent": call.user_agent},
        "serviceName": call.service,
        "methodName": call.method,
        "resourceName": call.resource,
        "authorizationInfo": [{
            "permission": call.permission,
            "granted": call.error != Some("PERMISSION_DENIED"),
            "resource": call.resource,
        }],
    });
    if let Some(object) = payload.as_object_mut() {
        if let Some((request, response)) = call.payload {
            object.insert("request".into(), request);
            if call.error.is_none() {
                object.insert("response".into(), response);
            }
        }
        if let Some(message) = call.error {
            object.insert("status".into(), json!({"code": code(message), "message": message}));
        }
    }
    let mut json = json!({
        "insertId": chance.hex(14),
        "logName": format!("projects/{}/logs/cloudaudit.googleapis.com%2Factivity", call.project),
        "timestamp": datetime::format(call.ticks),
        "receiveTimestamp": datetime::format(call.ticks + SECOND),
        "severity": if call.error.is_some() { "ERROR" } else { "NOTICE" },
        "resource": {"type": call.kind.0, "labels": call.kind.1},
        "protoPayload": payload,
    });
    if let (Some((id, first)), Some(object)) = (call.operation, json.as_object_mut()) {
        let place = if first { "first" } else { "last" };
        let operation = json!({"id": id, "producer": call.service, place: true});
        object.insert("operation".into(), operation);
    }
    Record { ticks: call.ticks, json }
}

/// Request and response of an accepted instance insert; an accelerator as (type, count).
pub fn insert(
    project: &str,
    zone: &str,
    name: &str,
    machine: &str,
    accelerator: Option<(&str, u64)>,
    snapshot: Option<&str>,
) -> (Json, Json) {
    let place = format!("projects/{project}/zones/{zone}");
    let source = match snapshot {
        None => json!({"initializeParams": {"sourceImage": "projects/debian-cloud/global/images/family/debian-12"}}),
        Some(snapshot) => {
            json!({"initializeParams": {"sourceSnapshot": format!("projects/{project}/global/snapshots/{snapshot}")}})
        }
    };
    let mut disk = json!({"boot": true, "autoDelete": true, "type": "PERSISTENT"});
    if let (Some(disk), Some(source)) = (disk.as_object_mut(), source.as_object()) {
        disk.extend(source.clone());
    }
    let mut request = json!({
        "@type": "type.googleapis.com/compute.instances.insert",
        "name": name,
        "machineType": format!("{place}/machineTypes/{machine}"),
        "disks": [disk],
    });
    if let (Some((kind, count)), Some(object)) = (accelerator, request.as_object_mut()) {
        let kind = format!("{place}/acceleratorTypes/{kind}");
        object.insert("guestAccelerators".into(), json!([{"acceleratorType": kind, "acceleratorCount": count}]));
    }
    (request, started(&format!("{place}/instances/{name}"), "insert"))
}

/// The answer to a call that begins an operation on a resource.
pub fn started(resource: &str, operation: &str) -> Json {
    json!({
        "@type": "type.googleapis.com/operation",
        "operationType": operation,
        "status": "RUNNING",
        "targetLink": format!("https://www.googleapis.com/compute/v1/{resource}"),
    })
}

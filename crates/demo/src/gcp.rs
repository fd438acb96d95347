//! Google Cloud audit log entries.

use kql_types::datetime;
use serde_json::{Value as Json, json};

use crate::Record;
use crate::chance::{Chance, SECOND};
use crate::people::GCP_PROJECT;

pub struct Call<'a> {
    pub ticks: i64,
    pub method: &'a str,
    pub principal: &'a str,
    pub address: &'a str,
    pub zone: &'a str,
    /// Name of the instance or other resource.
    pub resource: &'a str,
    /// Request and response of the entry that opens an operation; None for the one that closes it.
    pub payload: Option<(Json, Json)>,
    /// gRPC code and message of a refusal.
    pub error: Option<(i64, &'a str)>,
}

pub fn entry(chance: &mut Chance, call: Call<'_>) -> Record {
    let name = format!("projects/{GCP_PROJECT}/zones/{}/instances/{}", call.zone, call.resource);
    let mut payload = json!({
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "authenticationInfo": {"principalEmail": call.principal},
        "requestMetadata": {"callerIp": call.address, "callerSuppliedUserAgent": "google-cloud-sdk gcloud/502.0.0"},
        "serviceName": "compute.googleapis.com",
        "methodName": call.method,
        "resourceName": name,
        "authorizationInfo": [{"permission": "compute.instances.create", "granted": call.error.is_none(), "resource": name}],
    });
    if let Some(object) = payload.as_object_mut() {
        if let Some((request, response)) = call.payload {
            object.insert("request".into(), request);
            object.insert("response".into(), response);
        }
        if let Some((code, message)) = call.error {
            object.insert("status".into(), json!({"code": code, "message": message}));
        }
    }
    let json = json!({
        "insertId": chance.hex(14),
        "logName": format!("projects/{GCP_PROJECT}/logs/cloudaudit.googleapis.com%2Factivity"),
        "timestamp": datetime::format(call.ticks),
        "receiveTimestamp": datetime::format(call.ticks + SECOND),
        "severity": if call.error.is_some() { "ERROR" } else { "NOTICE" },
        "resource": {"type": "gce_instance", "labels": {"project_id": GCP_PROJECT, "zone": call.zone, "instance_id": chance.below(1 << 50).to_string()}},
        "operation": {"id": format!("operation-{}", chance.hex(12)), "producer": "compute.googleapis.com", "first": true},
        "protoPayload": payload,
    });
    Record { ticks: call.ticks, json }
}

/// Request and response of an accepted instance insert.
pub fn insert(name: &str, zone: &str, machine: &str) -> (Json, Json) {
    let request = json!({
        "@type": "type.googleapis.com/compute.instances.insert",
        "name": name,
        "machineType": format!("projects/{GCP_PROJECT}/zones/{zone}/machineTypes/{machine}"),
    });
    let response = json!({
        "@type": "type.googleapis.com/operation",
        "operationType": "insert",
        "status": "RUNNING",
        "targetLink": format!("https://www.googleapis.com/compute/v1/projects/{GCP_PROJECT}/zones/{zone}/instances/{name}"),
    });
    (request, response)
}

//! Records of Entra's audit log as diagnostic settings write them.

use kql_types::datetime;
use serde_json::{Value as Json, json};

use crate::chance::Chance;
use crate::{Parameter, Record, parameter};

pub const PARAMETERS: &[Parameter] = &[
    parameter("actor", "attack.test@harborline.example", "user principal name"),
    parameter("ip", "203.0.113.70", "address of the caller"),
    parameter("tenant", "7d0c2b1a-4f57-4c43-9e0e-3a5a6f0d9b10", "directory"),
    parameter("error", "", "reason with which every operation fails"),
];

/// One change of the directory.
pub struct Change<'a> {
    pub ticks: i64,
    pub tenant: &'a str,
    pub actor: &'a str,
    pub address: &'a str,
    /// `Add member to role`.
    pub operation: &'a str,
    /// `RoleManagement`.
    pub category: &'a str,
    /// What was changed: its type and name.
    pub target: (&'a str, &'a str),
    /// Properties that changed: name and new value.
    pub modified: &'a [(&'a str, String)],
    pub error: Option<&'a str>,
}

/// The record of a change.
pub fn record(chance: &mut Chance, change: &Change<'_>) -> Record {
    let time = datetime::format(change.ticks);
    let correlation = chance.guid();
    let modified: Vec<Json> = change
        .modified
        .iter()
        .map(|(name, value)| json!({"displayName": name, "oldValue": null, "newValue": json!([value]).to_string()}))
        .collect();
    let result = if change.error.is_some() { "failure" } else { "success" };
    let mut target = json!({
        "id": Chance::of_text(change.target.1).guid(),
        "type": change.target.0,
        "displayName": change.target.1,
        "modifiedProperties": modified,
    });
    if change.target.0 == "User"
        && let Some(object) = target.as_object_mut()
    {
        object.insert("userPrincipalName".into(), json!(change.target.1));
    }
    let json = json!({
        "time": time,
        "resourceId": format!("/tenants/{}/providers/Microsoft.aadiam", change.tenant),
        "operationName": change.operation,
        "operationVersion": "1.0",
        "category": "AuditLogs",
        "tenantId": change.tenant,
        "resultSignature": "None",
        "durationMs": 0,
        "callerIpAddress": change.address,
        "correlationId": correlation,
        "identity": change.actor,
        "level": 4,
        "properties": {
            "id": format!("Directory_{}", chance.guid()),
            "category": change.category,
            "correlationId": correlation,
            "result": result,
            "resultReason": change.error.unwrap_or_default(),
            "activityDisplayName": change.operation,
            "activityDateTime": time,
            "loggedByService": "Core Directory",
            "operationType": change.operation.split(' ').next(),
            "initiatedBy": {"user": {
                "id": Chance::of_text(change.actor).guid(),
                "userPrincipalName": change.actor,
                "ipAddress": change.address,
            }},
            "targetResources": [target],
            "additionalDetails": [],
        },
    });
    Record { ticks: change.ticks, json }
}

//! Azure Activity records in the form of diagnostic settings and in the form of the REST interface.

use kql_types::datetime;
use serde_json::{Value as Json, json};

use crate::Record;
use crate::chance::Chance;
use crate::people::{SUBSCRIPTION, TENANT};

/// One event of an operation.
pub struct Event<'a> {
    pub ticks: i64,
    pub caller: &'a str,
    pub address: &'a str,
    /// `Microsoft.Compute/virtualMachines/write`.
    pub operation: &'a str,
    pub group: &'a str,
    /// `virtualMachines/vm-1`: type and name under the provider.
    pub resource: &'a str,
    pub status: Status,
    /// `Created`, `OK` or empty.
    pub substatus: &'a str,
    pub correlation: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Start,
    Accept,
    Success,
    Failure,
}

impl Event<'_> {
    fn provider(&self) -> &str {
        self.operation.split('/').next().unwrap_or_default()
    }

    fn scope(&self) -> String {
        format!(
            "/subscriptions/{SUBSCRIPTION}/resourceGroups/{}/providers/{}/{}",
            self.group,
            self.provider(),
            self.resource
        )
    }

    fn claims(&self) -> Json {
        json!({
            "aud": "https://management.core.windows.net/",
            "appid": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
            "ipaddr": self.address,
            "name": self.caller.split('@').next(),
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": self.caller,
        })
    }

    fn authorization(&self) -> Json {
        json!({
            "scope": self.scope(),
            "action": self.operation,
            "evidence": {"role": "Contributor", "roleAssignmentScope": format!("/subscriptions/{SUBSCRIPTION}"), "principalType": "User"},
        })
    }
}

/// As a blob or Event Hub record of diagnostic settings: upper-case names, `Start`, `Accept`, `Success`, `Failure`.
pub fn diagnostic(chance: &mut Chance, event: &Event<'_>) -> Record {
    let (result, category) = match event.status {
        Status::Start => ("Start", "Action"),
        Status::Accept => ("Accept", "Action"),
        Status::Success => ("Success", "Write"),
        Status::Failure => ("Failure", "Write"),
    };
    let signature = match (event.status, event.substatus) {
        (Status::Start, _) => "Started.".to_string(),
        (Status::Accept, sub) => format!("Accepted.{sub}"),
        (Status::Success, sub) => format!("Succeeded.{sub}"),
        (Status::Failure, sub) => format!("Failed.{sub}"),
    };
    let json = json!({
        "time": datetime::format(event.ticks),
        "resourceId": event.scope().to_uppercase(),
        "operationName": event.operation.to_uppercase(),
        "category": "Administrative",
        "resultType": result,
        "resultSignature": signature,
        "durationMs": 0,
        "callerIpAddress": event.address,
        "correlationId": event.correlation,
        "identity": {"authorization": event.authorization(), "claims": event.claims()},
        "level": if event.status == Status::Failure { "Error" } else { "Information" },
        "location": "global",
        "tenantId": TENANT,
        "properties": {
            "eventCategory": "Administrative",
            "entity": event.scope(),
            "message": event.operation,
            "hierarchy": format!("{TENANT}/{SUBSCRIPTION}"),
            "eventDataId": chance.guid(),
            "operationId": event.correlation,
            "statusMessage": category,
        },
    });
    Record { ticks: event.ticks, json }
}

/// As the REST interface and the command line list it: mixed case, `Started`, `Accepted`, `Succeeded`, `Failed`.
pub fn rest(chance: &mut Chance, event: &Event<'_>) -> Record {
    let status = match event.status {
        Status::Start => "Started",
        Status::Accept => "Accepted",
        Status::Success => "Succeeded",
        Status::Failure => "Failed",
    };
    let pair = |value: &str| json!({"value": value, "localizedValue": value});
    let data_id = chance.guid();
    let json = json!({
        "authorization": event.authorization(),
        "caller": event.caller,
        "channels": "Operation",
        "claims": event.claims(),
        "correlationId": event.correlation,
        "description": "",
        "eventDataId": data_id,
        "eventName": pair("EndRequest"),
        "category": pair("Administrative"),
        "httpRequest": {"clientRequestId": chance.guid(), "clientIpAddress": event.address, "method": "PUT"},
        "id": format!("{}/events/{data_id}", event.scope()),
        "level": if event.status == Status::Failure { "Error" } else { "Informational" },
        "resourceGroupName": event.group,
        "resourceProviderName": pair(event.provider()),
        "resourceId": event.scope(),
        "resourceType": pair(&format!("{}/{}", event.provider(), event.resource.split('/').next().unwrap_or_default())),
        "operationId": event.correlation,
        "operationName": pair(event.operation),
        "properties": {"statusCode": event.substatus, "entity": event.scope(), "message": event.operation},
        "status": pair(status),
        "subStatus": pair(event.substatus),
        "eventTimestamp": datetime::format(event.ticks),
        "submissionTimestamp": datetime::format(event.ticks),
        "subscriptionId": SUBSCRIPTION,
        "tenantId": TENANT,
    });
    Record { ticks: event.ticks, json }
}

//! Azure Activity records in the form of diagnostic settings and in the form of the REST interface.

use kql_types::datetime;
use serde_json::{Value as Json, json};

use crate::chance::Chance;
use crate::{Parameter, Record, parameter};

pub const PARAMETERS: &[Parameter] = &[
    parameter("actor", "attack.test@harborline.example", "user principal name, or the id of a service principal"),
    parameter("ip", "203.0.113.67", "address of the caller"),
    parameter("region", "westeurope", "region of the resources"),
    parameter("account", "3b6f1f7e-9b1d-4a35-8f0c-52d1c0a7e001", "subscription"),
    parameter("tenant", "7d0c2b1a-4f57-4c43-9e0e-3a5a6f0d9b10", "directory"),
    parameter("group", "rg-attack-test", "resource group"),
    parameter(
        "form",
        "diagnostic",
        "`diagnostic` as diagnostic settings write it, `rest` as the command line lists it",
    ),
    parameter("error", "", "substatus, such as Conflict, with which every operation fails"),
];

/// One event of an operation.
pub struct Event<'a> {
    pub ticks: i64,
    pub tenant: &'a str,
    pub subscription: &'a str,
    /// A user principal name, or the id of a service principal.
    pub caller: &'a str,
    pub address: &'a str,
    /// `Microsoft.Compute/virtualMachines/write`.
    pub operation: &'a str,
    pub group: &'a str,
    /// `virtualMachines/vm-1`: type and name under the provider. Empty: the resource group itself, or with an empty group
    /// the subscription.
    pub resource: &'a str,
    pub status: Status,
    /// `Created`, `OK` or empty.
    pub substatus: &'a str,
    pub correlation: &'a str,
    /// Further properties, such as the text of the request.
    pub properties: &'a [(&'a str, String)],
}

/// What an event says about its operation.
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
        let subscription = format!("/subscriptions/{}", self.subscription);
        match (self.group, self.resource) {
            ("", "") => format!("{subscription}/providers/{}", self.provider()),
            ("", resource) => format!("{subscription}/providers/{}/{resource}", self.provider()),
            (group, "") => format!("{subscription}/resourceGroups/{group}"),
            (group, resource) => {
                format!("{subscription}/resourceGroups/{group}/providers/{}/{resource}", self.provider())
            }
        }
    }

    /// Whether the caller is an application: its id stands where a user has a name.
    fn is_application(&self) -> bool {
        !self.caller.contains('@')
    }

    fn claims(&self) -> Json {
        if self.is_application() {
            return json!({
                "aud": "https://management.core.windows.net/",
                "appid": self.caller,
                "appidacr": "1",
                "idtyp": "app",
            });
        }
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
            "evidence": {
                "role": "Contributor",
                "roleAssignmentScope": format!("/subscriptions/{}", self.subscription),
                "principalType": if self.is_application() { "ServicePrincipal" } else { "User" },
            },
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
    let mut json = json!({
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
        "tenantId": event.tenant,
        "properties": {
            "eventCategory": "Administrative",
            "entity": event.scope(),
            "message": event.operation,
            "hierarchy": format!("{}/{}", event.tenant, event.subscription),
            "eventDataId": chance.guid(),
            "operationId": event.correlation,
            "statusMessage": category,
        },
    });
    add_properties(&mut json, event);
    Record { ticks: event.ticks, json }
}

fn add_properties(record: &mut Json, event: &Event<'_>) {
    if let Some(properties) = record.get_mut("properties").and_then(Json::as_object_mut) {
        properties.extend(event.properties.iter().map(|(name, value)| ((*name).to_string(), json!(value))));
    }
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
    let resource_type = match event.resource.split('/').next().unwrap_or_default() {
        "" => "Microsoft.Resources/subscriptions/resourceGroups".to_string(),
        kind => format!("{}/{kind}", event.provider()),
    };
    let method = match event.operation.rsplit('/').next().unwrap_or_default().to_lowercase().as_str() {
        "write" => "PUT",
        "delete" => "DELETE",
        _ => "POST",
    };
    let mut json = json!({
        "authorization": event.authorization(),
        "caller": event.caller,
        "channels": "Operation",
        "claims": event.claims(),
        "correlationId": event.correlation,
        "description": "",
        "eventDataId": data_id,
        "eventName": pair("EndRequest"),
        "category": pair("Administrative"),
        "httpRequest": {"clientRequestId": chance.guid(), "clientIpAddress": event.address, "method": method},
        "id": format!("{}/events/{data_id}", event.scope()),
        "level": if event.status == Status::Failure { "Error" } else { "Informational" },
        "resourceGroupName": event.group,
        "resourceProviderName": pair(event.provider()),
        "resourceId": event.scope(),
        "resourceType": pair(&resource_type),
        "operationId": event.correlation,
        "operationName": pair(event.operation),
        "properties": {"statusCode": event.substatus, "entity": event.scope(), "message": event.operation},
        "status": pair(status),
        "subStatus": pair(event.substatus),
        "eventTimestamp": datetime::format(event.ticks),
        "submissionTimestamp": datetime::format(event.ticks),
        "subscriptionId": event.subscription,
        "tenantId": event.tenant,
    });
    add_properties(&mut json, event);
    Record { ticks: event.ticks, json }
}

//! Records as the clouds write them. People, ids and addresses are invented; addresses are of documentation blocks.

use serde_json::{Value as Json, json};

pub const SUBSCRIPTION: &str = "6a1d7a52-0b7c-4f0e-9c39-0a4c8a1b2c3d";
const TENANT: &str = "0f8e7d6c-5b4a-4392-8171-605f4e3d2c1b";

/// An accepted launch of the given instances.
pub fn run_instances(id: u32, time: &str, user: &str, instances: &[&str]) -> Json {
    let items: Vec<Json> = instances
        .iter()
        .map(|id| json!({"instanceId": id, "imageId": "ami-0f1e2d3c", "instanceType": "g5.xlarge"}))
        .collect();
    let mut record = ec2(id, time, user, "RunInstances");
    record["requestParameters"] = json!({
        "instanceType": "g5.xlarge",
        "instancesSet": {"items": [{"imageId": "ami-0f1e2d3c", "minCount": 1, "maxCount": instances.len()}]},
        "blockDeviceMapping": {},
    });
    record["responseElements"] = json!({"reservationId": "r-0123", "instancesSet": {"items": items}});
    record
}

/// A call to EC2 without bodies.
pub fn ec2(id: u32, time: &str, user: &str, name: &str) -> Json {
    json!({
        "eventVersion": "1.10",
        "userIdentity": {
            "type": "IAMUser", "principalId": format!("AIDA0000{user}"), "accountId": "000123456789",
            "arn": format!("arn:aws:iam::000123456789:user/{user}"), "accessKeyId": "AKIA0000EXAMPLE", "userName": user,
        },
        "eventTime": time,
        "eventSource": "ec2.amazonaws.com",
        "eventName": name,
        "awsRegion": "ap-southeast-3",
        "sourceIPAddress": "198.51.100.77",
        "userAgent": "Boto3/1.34",
        "requestParameters": null,
        "responseElements": null,
        "requestID": format!("10000000-0000-4000-8000-{id:012}"),
        "eventID": format!("20000000-0000-4000-8000-{id:012}"),
        "readOnly": false,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": "000123456789",
        "eventCategory": "Management",
    })
}

/// An Azure operation: what happens, to what, by whom.
#[derive(Clone, Copy)]
pub struct Operation<'a> {
    pub id: u32,
    pub time: &'a str,
    pub caller: &'a str,
    pub address: &'a str,
    /// `Microsoft.Compute/virtualMachines/write`.
    pub name: &'a str,
    pub group: &'a str,
    /// `Microsoft.Compute/virtualMachines/vm-1`.
    pub resource: &'a str,
    pub substatus: &'a str,
}

impl Operation<'_> {
    fn scope(&self) -> String {
        format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{}/providers/{}", self.group, self.resource)
    }

    fn correlation(&self) -> String {
        format!("30000000-0000-4000-8000-{:012}", self.id)
    }

    fn authorization(&self) -> Json {
        json!({"scope": self.scope(), "action": self.name, "evidence": {"role": "Owner", "principalType": "User"}})
    }

    fn claims(&self) -> Json {
        json!({
            "aud": "https://management.azure.com/", "ipaddr": self.address,
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": self.caller,
        })
    }

    /// One event of the operation as the REST interface lists it; `event` tells the events of an operation apart.
    pub fn rest(&self, event: u32, status: &str) -> Json {
        let pair = |value: &str| json!({"value": value, "localizedValue": value});
        let id = format!("4{event:07}-0000-4000-8000-{:012}", self.id);
        json!({
            "authorization": self.authorization(),
            "caller": self.caller,
            "channels": "Operation",
            "claims": self.claims(),
            "correlationId": self.correlation(),
            "description": "",
            "eventDataId": id,
            "eventName": pair("EndRequest"),
            "category": pair("Administrative"),
            "httpRequest": {"clientRequestId": "c", "clientIpAddress": self.address, "method": "PUT"},
            "id": format!("{}/events/{id}", self.scope()),
            "level": "Informational",
            "resourceGroupName": self.group,
            "resourceProviderName": pair(self.name.split('/').next().unwrap()),
            "resourceId": self.scope(),
            "resourceType": pair("type"),
            "operationId": self.correlation(),
            "operationName": pair(self.name),
            "properties": {"statusCode": self.substatus, "entity": self.scope()},
            "status": pair(status),
            "subStatus": pair(self.substatus),
            "eventTimestamp": self.time,
            "submissionTimestamp": self.time,
            "subscriptionId": SUBSCRIPTION,
            "tenantId": TENANT,
        })
    }

    /// The same as diagnostic settings write it: `Start`, `Accept`, `Success`, `Failure`, and names in upper case.
    pub fn diagnostic(&self, event: u32, status: &str) -> Json {
        let ended = if status == "Success" { "Succeeded" } else { status };
        json!({
            "time": self.time,
            "resourceId": self.scope().to_uppercase(),
            "operationName": self.name.to_uppercase(),
            "category": "Administrative",
            "resultType": status,
            "resultSignature": format!("{ended}.{}", self.substatus),
            "durationMs": 0,
            "callerIpAddress": self.address,
            "correlationId": self.correlation(),
            "identity": {"authorization": self.authorization(), "claims": self.claims()},
            "level": "Information",
            "location": "global",
            "tenantId": TENANT,
            "properties": {
                "eventCategory": "Administrative",
                "entity": self.scope(),
                "message": self.name,
                "hierarchy": format!("{TENANT}/{SUBSCRIPTION}"),
                "eventDataId": format!("5{event:07}-0000-4000-8000-{:012}", self.id),
                "operationId": self.correlation(),
            },
        })
    }
}

/// The entry that opens an accepted insert of a Compute Engine instance.
pub fn gcp_insert(id: u32, time: &str, principal: &str, address: &str, name: &str) -> Json {
    let resource = format!("projects/tide-lab/zones/us-west4-b/instances/{name}");
    json!({
        "insertId": format!("ins{id}"),
        "logName": "projects/tide-lab/logs/cloudaudit.googleapis.com%2Factivity",
        "timestamp": time,
        "receiveTimestamp": time,
        "severity": "NOTICE",
        "resource": {"type": "gce_instance", "labels": {"project_id": "tide-lab", "zone": "us-west4-b", "instance_id": "77"}},
        "operation": {"id": format!("operation-{id}"), "producer": "compute.googleapis.com", "first": true},
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "authenticationInfo": {"principalEmail": principal},
            "requestMetadata": {"callerIp": address, "callerSuppliedUserAgent": "gcloud/480.0.0"},
            "serviceName": "compute.googleapis.com",
            "methodName": "v1.compute.instances.insert",
            "resourceName": resource,
            "authorizationInfo": [{"permission": "compute.instances.create", "granted": true, "resource": resource}],
            "request": {
                "@type": "type.googleapis.com/compute.instances.insert",
                "name": name,
                "machineType": "projects/tide-lab/zones/us-west4-b/machineTypes/a2-highgpu-1g",
            },
            "response": {"@type": "type.googleapis.com/operation", "operationType": "insert", "status": "RUNNING"},
            "status": {"code": 0},
        },
    })
}

/// A SecurityAlert row as the workspace exports it.
pub fn security_alert(id: &str, time: &str, account: &str, address: &str) -> Json {
    let entities = json!([
        {"$id": "2", "AadUserId": account, "Name": "mira.holt", "UPNSuffix": "tide.example", "Type": "account"},
        {"$id": "3", "Address": address, "Type": "ip"},
    ]);
    json!({
        "TenantId": TENANT,
        "TimeGenerated": time,
        "DisplayName": "Atypical travel",
        "AlertName": "Atypical travel",
        "AlertSeverity": "Medium",
        "Description": "Two sign-ins far apart.",
        "ProviderName": "IPC",
        "VendorName": "Microsoft",
        "SystemAlertId": id,
        "Entities": entities.to_string(),
        "ProductName": "Azure Active Directory Identity Protection",
        "Tactics": "InitialAccess",
        "Techniques": "[\"T1078\"]",
        "Status": "New",
        "Type": "SecurityAlert",
    })
}

/// A user as Microsoft Graph lists it.
pub fn graph_user(id: &str, upn: &str, title: &str) -> Json {
    json!({
        "id": id, "userPrincipalName": upn, "displayName": "Mira Holt", "givenName": "Mira", "surname": "Holt",
        "jobTitle": title, "mail": upn, "accountEnabled": true, "userType": "Member", "department": "Lab",
    })
}

/// A BehaviorAnalytics row as the workspace exports it.
pub fn behavior(time: &str, upn: &str, address: &str) -> Json {
    json!({
        "TenantId": TENANT,
        "SourceRecordId": "60000000-0000-4000-8000-000000000001",
        "TimeGenerated": time,
        "TimeProcessed": time,
        "ActivityType": "LogOn",
        "ActionType": "Sign-in",
        "UserName": upn.split('@').next(),
        "UserPrincipalName": upn,
        "EventSource": "Azure AD",
        "SourceIPAddress": address,
        "SourceIPLocation": "Atlantis",
        "UsersInsights": {"BlastRadius": "High"},
        "DevicesInsights": {"Browser": "Firefox"},
        "ActivityInsights": {"ActionUncommonlyPerformedByUser": "True", "CountryUncommonlyConnectedFromByUser": "False"},
        "InvestigationPriority": 7,
        "Type": "BehaviorAnalytics",
    })
}

/// A flow row of Traffic Analytics, schema version 2.
pub fn flow(time: &str, nsg: &str, public: &str) -> Json {
    json!({
        "TenantId": TENANT,
        "TimeGenerated": time,
        "Type": "AzureNetworkAnalytics_CL",
        "SubType_s": "FlowLog",
        "FASchemaVersion_s": "2",
        "FlowStartTime_t": time,
        "FlowEndTime_t": time,
        "SrcIP_s": "10.8.0.4",
        "DestPublicIPs_s": format!("{public}|5|5|100|90|2000|1800"),
        "DestPort_d": 8443.0,
        "FlowDirection_s": "O",
        "NSGList_s": format!("{SUBSCRIPTION}/rg-edge/{nsg}"),
        "NSGRule_s": "0|out|O|A|1",
        "VM_s": "rg-edge/vm-9",
        "Region_s": "westeurope",
        "AzureRegion_s": "westeurope",
        "MACAddress_s": "00-0D-3A-00-00-01",
        "Subnet1_s": "rg-edge/vnet/apps",
        "Subscription1_g": SUBSCRIPTION,
    })
}

/// A topology row of Traffic Analytics: what the published query takes for schema version 1.
pub fn topology(time: &str, nsg: &str, public: &str) -> Json {
    json!({
        "TenantId": TENANT,
        "TimeGenerated": time,
        "Type": "AzureNetworkAnalytics_CL",
        "SubType_s": "Topology",
        "SchemaVersion_s": "1",
        "TimeProcessed_t": time,
        "PublicIPAddresses_s": public,
        "PublicFrontendIPs_s": "",
        "PrivateIPAddresses_s": "10.8.0.5",
        "Name_s": "nic-9",
        "NSG_s": format!("rg-edge/{nsg}"),
        "DestinationPortRange_s": "443",
        "VirtualMachine_s": "rg-edge/vm-10",
        "DiscoveryRegion_s": "westeurope",
        "Subnetwork_s": "rg-edge/vnet/apps",
        "Subscription_g": SUBSCRIPTION,
    })
}

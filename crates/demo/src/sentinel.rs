//! Records of Microsoft's security products: Graph alerts, sign-ins, and rows exported from derived tables.

use kql_types::datetime;
use serde_json::json;

use crate::people::{Person, SUBSCRIPTION, TENANT};
use emulate::Record;
use emulate::chance::{Chance, HOUR, MINUTE};

/// An alert as Microsoft Graph lists it, about an account seen from an address.
pub fn graph_alert(
    chance: &mut Chance,
    ticks: i64,
    title: &str,
    severity: &str,
    person: &Person,
    address: &str,
) -> Record {
    let id = chance.guid();
    let json = json!({
        "@odata.type": "#microsoft.graph.security.alert",
        "id": id,
        "providerAlertId": id,
        "incidentId": chance.below(900).to_string(),
        "status": "new",
        "severity": severity,
        "serviceSource": "azureAdIdentityProtection",
        "detectionSource": "azureAdIdentityProtection",
        "detectorId": "UnfamiliarLocation",
        "tenantId": TENANT,
        "title": title,
        "description": "A sign-in with properties that were not seen for this account before.",
        "recommendedActions": "",
        "category": "InitialAccess",
        "mitreTechniques": ["T1078.004"],
        "alertWebUrl": format!("https://security.microsoft.com/alerts/{id}"),
        "createdDateTime": datetime::format(ticks),
        "firstActivityDateTime": datetime::format(ticks - 5 * MINUTE),
        "lastActivityDateTime": datetime::format(ticks - MINUTE),
        "evidence": [
            {"@odata.type": "#microsoft.graph.security.ipEvidence", "ipAddress": address},
            {"@odata.type": "#microsoft.graph.security.userEvidence", "userAccount": {
                "accountName": person.name,
                "userPrincipalName": person.upn(),
                "azureAdUserId": person.object_id,
                "displayName": person.display,
            }},
        ],
    });
    Record { ticks, json }
}

/// A sign-in as diagnostic settings write it.
pub fn sign_in(chance: &mut Chance, ticks: i64, person: &Person, address: &str, error: i64) -> Record {
    let json = json!({
        "time": datetime::format(ticks),
        "resourceId": format!("/tenants/{TENANT}/providers/Microsoft.aadiam"),
        "operationName": "Sign-in activity",
        "operationVersion": "1.0",
        "category": "SignInLogs",
        "tenantId": TENANT,
        "resultType": error.to_string(),
        "resultSignature": if error == 0 { "SUCCESS" } else { "FAILURE" },
        "durationMs": 0,
        "callerIpAddress": address,
        "correlationId": chance.guid(),
        "identity": person.display,
        "level": 4,
        "location": "SE",
        "properties": {
            "id": chance.guid(),
            "createdDateTime": datetime::format(ticks),
            "userDisplayName": person.display,
            "userPrincipalName": person.upn(),
            "userId": person.object_id,
            "appDisplayName": "Azure Portal",
            "ipAddress": address,
            "status": {"errorCode": error},
            "clientAppUsed": "Browser",
            "conditionalAccessStatus": "success",
            "isInteractive": true,
            "location": {"city": "Stockholm", "countryOrRegion": "SE", "geoCoordinates": {"latitude": 59.3, "longitude": 18.1}},
        },
    });
    Record { ticks, json }
}

/// A row exported from BehaviorAnalytics; insight values are the texts `True` and `False`.
pub fn behavior(chance: &mut Chance, ticks: i64, person: &Person, address: &str, uncommon: bool) -> Record {
    let json = json!({
        "TenantId": TENANT,
        "SourceRecordId": chance.guid(),
        "TimeGenerated": datetime::format(ticks),
        "TimeProcessed": datetime::format(ticks + 10 * MINUTE),
        "ActivityType": "LogOn",
        "ActionType": "Sign-in",
        "UserName": person.name,
        "UserPrincipalName": person.upn(),
        "EventSource": "Azure AD",
        "SourceIPAddress": address,
        "SourceIPLocation": if uncommon { "Narnia" } else { "Sweden" },
        "UsersInsights": {"AccountDisplayName": person.display, "BlastRadius": "Medium", "IsDormantAccount": "False"},
        "DevicesInsights": {"Browser": "Edge", "OperatingSystem": "Windows 11"},
        "ActivityInsights": {
            "ActionUncommonlyPerformedByUser": if uncommon { "True" } else { "False" },
            "CountryUncommonlyConnectedFromByUser": if uncommon { "True" } else { "False" },
        },
        "InvestigationPriority": if uncommon { 6 } else { 0 },
        "Type": "BehaviorAnalytics",
    });
    Record { ticks, json }
}

/// A flow row exported from AzureNetworkAnalytics_CL (schema version 2), about a network security group.
pub fn flow(chance: &mut Chance, ticks: i64, group: &str, nsg: &str, public_address: &str) -> Record {
    let hour = ticks - ticks.rem_euclid(HOUR);
    let json = json!({
        "TenantId": TENANT,
        "TimeGenerated": datetime::format(ticks),
        "Type": "AzureNetworkAnalytics_CL",
        "SubType_s": "FlowLog",
        "FASchemaVersion_s": "2",
        "FlowStartTime_t": datetime::format(hour),
        "FlowEndTime_t": datetime::format(hour + 59 * MINUTE),
        "SrcIP_s": "10.4.0.7",
        "DestPublicIPs_s": format!("{public_address}|3|3|120|80|44213|2201"),
        "DestPort_d": 443.0,
        "FlowDirection_s": "O",
        "FlowStatus_s": "A",
        "FlowType_s": "ExternalPublic",
        "NSGList_s": format!("{SUBSCRIPTION}/{group}/{nsg}"),
        "NSGRule_s": "0|allow-web|O|A|3",
        "VM_s": format!("{group}/vm-{}", chance.below(9)),
        "AzureRegion_s": "swedencentral",
        "MACAddress_s": "00-22-48-AA-BB-CC",
        "Subnet1_s": format!("{group}/vnet/default"),
        "Subscription1_g": SUBSCRIPTION,
    });
    Record { ticks, json }
}

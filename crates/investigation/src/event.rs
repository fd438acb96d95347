//! Rows of any table as events: who, from where, did what to what, with which outcome.
//!
//! One list of columns serves all tables: tables name the same thing differently, but none uses another's name for
//! something else. The first column that has a value is shown; all of them decide how a subject took part. Start at
//! [`event`].

use report::model::Event;
use serde_json::{Map, Value as Json};

use crate::subject::Subject;

/// Paths to who acted. A path goes into values that are objects, or texts of objects.
const ACTORS: &[&str] = &[
    "UserIdentityArn",
    "PrincipalEmail",
    "AuthenticationInfo.principalEmail",
    "Caller",
    "UserPrincipalName",
    "InitiatedBy.user.userPrincipalName",
    "InitiatedBy.app.displayName",
    "ServicePrincipalName",
    "UserId",
    "ActorUsername",
    "AccountUpn",
    "InitiatingProcessAccountUpn",
    "InitiatingProcessAccountName",
    "AccountName",
    "SubjectUserName",
    "Account",
    "Identity",
    "identity_claim_http_schemas_microsoft_com_identity_claims_objectidentifier_g",
    "RequesterUpn",
    "User.username",
    "UserIdentityUserName",
    "UserIdentityPrincipalid",
    "UserIdentityType",
    "UserDisplayName",
    "ServicePrincipalId",
    "AccountObjectId",
    "AADUserId",
    "Actor",
];
const ADDRESSES: &[&str] = &[
    "SourceIpAddress",
    "RequestMetadata.callerIp",
    "CallerIpAddress",
    "CallerIPAddress",
    "IPAddress",
    "IpAddress",
    "ClientIP",
    "ClientIp",
    "ClientIPAddress",
    "InitiatedBy.user.ipAddress",
    "SrcIpAddr",
    "SrcAddr",
    "SrcIP_s",
    "SourceIP",
    "SourceIps",
    "RemoteIP",
    "DstAddr",
    "DstIpAddr",
    "DestIP_s",
    "DestinationIP",
];
const KEYS: &[&str] = &[
    "UserIdentityAccessKeyId",
    "AuthenticationInfo.serviceAccountKeyName",
    "ServicePrincipalCredentialKeyId",
    "ServicePrincipalCredentialThumbprint",
];
const SESSIONS: &[&str] = &[
    "SessionIssuerArn",
    "SessionId",
    "SessionId_d",
    "UniqueTokenIdentifier",
    "CorrelationId",
    "LogonId",
    "TargetLogonId",
];
const ACTIONS: &[&str] = &[
    "EventName",
    "MethodName",
    "OperationNameValue",
    "OperationName",
    "Operation",
    "ActivityDisplayName",
    "ActionType",
    "ActivityType",
    "AlertName",
    "DisplayName",
    "Title",
    "EventID",
    "Verb",
    "FlowType_s",
    "Action",
    "Category",
    "EventMessage",
    "SyslogMessage",
    "Activity",
];
const TARGETS: &[&str] = &[
    "TargetResources.0.userPrincipalName",
    "TargetResources.0.displayName",
    "ResponseElements.instancesSet.items.0.instanceId",
    "RequestParameters.instancesSet.items.0.instanceId",
    "RequestParameters.instanceId",
    "RequestParameters.volumeId",
    "RequestParameters.snapshotId",
    "RequestParameters.groupId",
    "RequestParameters.userName",
    "RequestParameters.roleArn",
    "RequestParameters.roleName",
    "RequestParameters.bucketName",
    "RequestParameters.keyId",
    "RequestParameters.functionName",
    "GCPResourceName",
    "_ResourceId",
    "ResourceId",
    "AppDisplayName",
    "OfficeObjectId",
    "ObjectId",
    "ObjectName",
    "FileName",
    "RemoteUrl",
    "Url",
    "Uri",
    "DeviceName",
    "Computer",
    "DestIP_s",
    "DstAddr",
    "Resource",
    "ResourceDisplayName",
    "CompromisedEntity",
];
const OUTCOMES: &[&str] = &[
    "ErrorCode",
    "ActivityStatusValue",
    "Status.code",
    "ResultSignature",
    "ResultType",
    "Result",
    "ResultStatus",
    "Status.errorCode",
    "StatusText",
    "ResultDescription",
    "FlowStatus_s",
    "AlertSeverity",
];
const SCOPES: &[&str] = &["RecipientAccountId", "SubscriptionId", "ProjectId", "AADTenantId", "TenantId"];
/// Columns that repeat what the row is, and say nothing about whom it names.
const OF_THE_ROW: &[&str] = &["_ItemId", "Type", "TimeGenerated"];

/// A row as an event. With a subject: how it took part; None when the row does not name it after all.
pub fn event(table: &str, row: &Map<String, Json>, subject: Option<&Subject>) -> Option<Event> {
    let role = match subject {
        Some(subject) => role(row, subject)?,
        None => "",
    };
    let first =
        |paths: &[&str]| paths.iter().map(|path| text_at(row, path)).find(|text| !text.is_empty()).unwrap_or_default();
    let mut outcome = first(OUTCOMES);
    // CloudTrail writes an error code only where there is one.
    if outcome.is_empty() && row.contains_key("ErrorCode") {
        outcome = "Success".to_string();
    }
    Some(Event {
        time: text_at(row, "TimeGenerated"),
        table: table.to_string(),
        role: role.to_string(),
        actor: first(ACTORS),
        address: first(ADDRESSES),
        action: first(ACTIONS),
        target: first(TARGETS),
        outcome,
        scope: first(SCOPES),
        source: None,
    })
}

/// The columns by which somebody acts, with the role that each gives.
const ACTING: [(&[&str], &str); 4] = [(ACTORS, "actor"), (KEYS, "key"), (SESSIONS, "session"), (ADDRESSES, "address")];

/// The paths by which somebody acts: `UserIdentityArn`, `RequestMetadata.callerIp`.
pub fn acting_paths() -> impl Iterator<Item = &'static str> {
    ACTING.into_iter().flat_map(|(paths, _)| paths.iter().copied())
}

/// Whether a column only says what the row itself is.
pub fn is_of_the_row(column: &str) -> bool {
    OF_THE_ROW.contains(&column)
}

/// Who acts in a row, to be compared with many subjects.
pub struct Acting {
    /// (text, role), in the order of the roles.
    texts: Vec<(String, &'static str)>,
}

impl Acting {
    pub fn of(row: &Map<String, Json>) -> Acting {
        let texts =
            ACTING.into_iter().flat_map(|(paths, role)| paths.iter().map(move |path| (text_at(row, path), role)));
        Acting { texts: texts.filter(|(text, _)| !text.is_empty()).collect() }
    }

    /// How a subject acts; None when it does not.
    pub fn role(&self, subject: &Subject) -> Option<&'static str> {
        self.texts.iter().find(|(text, _)| subject.is(text)).map(|(_, role)| *role)
    }
}

/// `actor`, `key`, `session`, `address`, `target` or `mentioned`.
fn role(row: &Map<String, Json>, subject: &Subject) -> Option<&'static str> {
    if let Some(role) = Acting::of(row).role(subject) {
        return Some(role);
    }
    if TARGETS.iter().any(|path| subject.is(&text_at(row, path))) {
        return Some("target");
    }
    let named = |value: &Json| match value {
        Json::String(text) => subject.is_named_in(text),
        Json::Object(_) | Json::Array(_) => subject.is_named_in(&value.to_string()),
        _ => false,
    };
    let named = row.iter().any(|(column, value)| !OF_THE_ROW.contains(&column.as_str()) && named(value));
    named.then_some("mentioned")
}

/// The text at a path; empty when there is none.
fn text_at(row: &Map<String, Json>, path: &str) -> String {
    let (column, inside) = path.split_once('.').unwrap_or((path, ""));
    let Some(value) = row.get(column) else { return String::new() };
    if inside.is_empty() {
        return text_of(value);
    }
    let pointer = format!("/{}", inside.replace('.', "/"));
    let found = match value {
        Json::String(text) if text.starts_with(['{', '[']) => {
            serde_json::from_str::<Json>(text).ok().and_then(|parsed| parsed.pointer(&pointer).map(text_of))
        }
        value => value.pointer(&pointer).map(text_of),
    };
    found.unwrap_or_default()
}

fn text_of(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        Json::Bool(flag) => flag.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(value: Json) -> Map<String, Json> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn every_cloud_in_the_same_words() {
        let aws = row(
            json!({"TimeGenerated": "t", "UserIdentityArn": "arn:aws:iam::1:user/eve", "SourceIpAddress": "203.0.113.9",
            "EventName": "RunInstances", "ErrorCode": "", "RecipientAccountId": "1",
            "ResponseElements": "{\"instancesSet\":{\"items\":[{\"instanceId\":\"i-1\"}]}}"}),
        );
        let found = event("AWSCloudTrail", &aws, None).unwrap();
        let shown = (found.actor.as_str(), found.action.as_str(), found.target.as_str(), found.outcome.as_str());
        assert_eq!(shown, ("arn:aws:iam::1:user/eve", "RunInstances", "i-1", "Success"));
        let gcp = row(json!({"PrincipalEmail": "eve@corp.example", "RequestMetadata": {"callerIp": "203.0.113.9"},
            "MethodName": "v1.compute.instances.insert", "GCPResourceName": "projects/p/instances/x", "ProjectId": "p"}));
        let found = event("GCPAuditLogs", &gcp, Some(&Subject::new("203.0.113.9"))).unwrap();
        assert_eq!((found.role.as_str(), found.scope.as_str()), ("address", "p"));
        let azure = row(json!({"Caller": "Eve@corp.example", "CallerIpAddress": "203.0.113.9:51000",
            "OperationNameValue": "Microsoft.Compute/virtualMachines/write", "ActivityStatusValue": "Success"}));
        assert_eq!(event("AzureActivity", &azure, Some(&Subject::new("eve@corp.example"))).unwrap().role, "actor");
        assert_eq!(event("AzureActivity", &azure, Some(&Subject::new("203.0.113.9"))).unwrap().role, "address");
        assert_eq!(event("AzureActivity", &azure, Some(&Subject::new("203.0.113.90"))), None);
        let acting = Acting::of(&azure);
        assert_eq!(acting.role(&Subject::new("EVE@corp.example")), Some("actor"));
        assert_eq!(
            acting.role(&Subject::new("Microsoft.Compute/virtualMachines/write")),
            None,
            "what was done does not act"
        );
    }

    #[test]
    fn what_only_a_text_names_is_mentioned() {
        let aws = row(json!({"UserIdentityArn": "arn:aws:iam::1:user/admin", "EventName": "CreateAccessKey",
            "ResponseElements": "{\"accessKey\":{\"accessKeyId\":\"AKIAEXAMPLE123456789\"}}"}));
        let found = event("AWSCloudTrail", &aws, Some(&Subject::new("AKIAEXAMPLE123456789"))).unwrap();
        assert_eq!(found.role, "mentioned");
        let used = row(json!({"UserIdentityAccessKeyId": "AKIAEXAMPLE123456789"}));
        assert_eq!(event("AWSCloudTrail", &used, Some(&Subject::new("AKIAEXAMPLE123456789"))).unwrap().role, "key");
    }
}

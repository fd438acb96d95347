//! The Azure Activity Log to `AzureActivity`, from diagnostic settings (Event Hub, storage) and from the REST API,
//! `az monitor activity-log list` and `Get-AzActivityLog`.
//!
//! The status keeps the spelling of its form (`Success` or `Succeeded`): the engine presents the one a rule asks for.
//! One event delivered more than once, even in both forms, is one row: see `key`.

use std::borrow::Cow;

use super::{ResourceId, is_operation, json_text, pair_value};
use crate::batch::key_of;
use crate::fields::{FieldList, NameCase};
use crate::row::Row;
use crate::sources::guide::Guide;
use crate::sources::{Mapped, Maps, Object, Place, Record, Source};

pub(in crate::sources) static DIAGNOSTIC: Source =
    Source { name: "azure-activity", recognise: is_diagnostic, map: map_diagnostic, guide: Some(&GUIDE) };
pub(in crate::sources) static REST: Source =
    Source { name: "azure-activity-rest", recognise: is_rest, map: map_rest, guide: Some(&GUIDE) };

const TABLE: &str = "AzureActivity";

/// The categories of the Activity Log.
const CATEGORIES: &[&str] = &[
    "Administrative",
    "Security",
    "ServiceHealth",
    "Alert",
    "Recommendation",
    "Policy",
    "Autoscale",
    "ResourceHealth",
];
/// What records written by the older export have for a category.
const VERBS: &[&str] = &["Write", "Delete", "Action"];

static GUIDE: Guide = Guide {
    page: "azure-activity",
    title: "Azure Activity Log",
    tables: &["AzureActivity"],
    exports: &[
        (
            "az monitor activity-log list --start-time 2026-03-01 --end-time 2026-03-08 --max-events 100000 > activity.json",
            "50 events and 6 hours unless --max-events and --start-time are given; 90 days back",
        ),
        (
            "Get-AzActivityLog -StartTime ... -MaxRecord 100000 | ConvertTo-Json -Depth 20",
            "1,000 events unless -MaxRecord; depth 2 unless -Depth",
        ),
        ("az storage blob download-batch -s insights-activity-logs -d activity/ --account-name NAME", ""),
        ("Portal: Activity log, Download as CSV", "names as displayed, no ids: only a part of the columns"),
    ],
    recognised: "a category of the Activity Log with an operation Provider/type/verb; eventTimestamp with operationName; the portal's header",
    fields: &[&DIAGNOSTIC_FIELDS, &REST_FIELDS],
    notes: &[
        "Status words stay as they come: Success from diagnostic settings, Succeeded from the interface. Rules choose by the words they compare.",
        "Resource, ResourceGroup, ResourceProviderValue and SubscriptionId come from the resource id, else from the scope.",
        "Of the portal's CSV OperationNameValue is the display name.",
    ],
};

/// Columns whose values need a look at the whole record are filled in `finish` and by the two `map` functions.
static DIAGNOSTIC_FIELDS: FieldList = FieldList {
    name: "azure-activity",
    named_like: &[],
    fields: &[
        ("time", "TimeGenerated"),
        ("callerIpAddress", "CallerIpAddress"),
        ("correlationId", "CorrelationId"),
        ("resourceId", "ResourceId"),
        ("category", ""),
        ("operationName", ""),
        ("operationVersion", ""),
        ("resultType", ""),
        ("resultSignature", ""),
        ("resultDescription", ""),
        ("status", ""),
        ("durationMs", ""),
        ("identity", ""),
        ("authorization", ""),
        ("claims", ""),
        ("caller", "Caller"),
        ("level", ""),
        ("Level", ""),
        ("location", ""),
        ("tenantId", ""),
        ("properties", ""),
        ("ReleaseVersion", ""),
        ("RoleLocation", ""),
        ("eventDataId", "EventDataId"),
        ("operationId", "OperationId"),
        ("subscriptionId", "SubscriptionId"),
        ("httpRequest", ""),
    ],
};

static REST_FIELDS: FieldList = FieldList {
    name: "azure-activity-rest",
    named_like: &[],
    fields: &[
        ("eventTimestamp", "TimeGenerated"),
        ("submissionTimestamp", "EventSubmissionTimestamp"),
        ("correlationId", "CorrelationId"),
        ("eventDataId", "EventDataId"),
        ("operationId", "OperationId"),
        ("resourceId", "ResourceId"),
        ("subscriptionId", "SubscriptionId"),
        ("resourceGroupName", "ResourceGroup"),
        ("caller", "Caller"),
        ("httpRequest", "HTTPRequest"),
        ("httpRequest.clientIpAddress", "CallerIpAddress"),
        ("level", ""),
        ("operationName", ""),
        ("status", ""),
        ("subStatus", ""),
        ("category", ""),
        ("eventName", ""),
        ("authorization", ""),
        ("claims", ""),
        ("properties", ""),
        ("resourceProviderName", ""),
        ("resourceType", ""),
        ("channels", ""),
        ("description", ""),
        ("eventSource", ""),
        ("id", ""),
        ("tenantId", ""),
    ],
};

fn contains(list: &[&str], name: &str) -> bool {
    list.iter().any(|item| item.eq_ignore_ascii_case(name))
}

fn is_diagnostic(record: &Record<'_>) -> bool {
    let Some(operation) = record.either("operationName").and_then(pair_value) else { return false };
    if record.has_either("eventTimestamp") {
        return false;
    }
    let beside = ["resultType", "resourceId", "callerIpAddress", "correlationId", "identity", "properties", "time"];
    let category = record.text("category").unwrap_or_default();
    if contains(CATEGORIES, &category) {
        return is_operation(&operation) || record.has_either("resourceId") && !record.has_either("statusCode");
    }
    let in_properties =
        || record.object("properties").is_some_and(|inner| inner.has("eventCategory") || inner.has("eventDataId"));
    let older = category.is_empty() || contains(VERBS, &category);
    is_operation(&operation)
        && beside.iter().any(|name| record.has_either(name))
        && (in_properties() || older && record.has_either("resultType"))
}

fn is_rest(record: &Record<'_>) -> bool {
    record.has_either("eventTimestamp")
        && record.has_either("operationName")
        && (record.has_either("status") || record.has_either("eventDataId") || record.has_either("authorization"))
}

fn map_diagnostic<'r>(record: &Record<'r>, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let Some(mut row) = start(record, maps, &DIAGNOSTIC_FIELDS) else { return Mapped::Other(TABLE.into()) };
    if let Some(operation) = record.either("operationName").and_then(pair_value) {
        row.set("OperationNameValue", operation);
    }
    let status = record.either("resultType").and_then(pair_value).filter(|status| !status.is_empty());
    if let Some(status) = status.or_else(|| record.either("status").and_then(pair_value)) {
        row.set("ActivityStatusValue", status);
    }
    if let Some(signature) = record.either("resultSignature").map(json_text) {
        row.set("ActivitySubstatusValue", after_dot(signature));
    }
    row.set("Level", level(record.text("level").unwrap_or_default()));
    let identity = record.object("identity");
    let claims = identity.as_ref().and_then(|identity| identity.raw("claims")).or_else(|| record.either("claims"));
    let authorization =
        identity.as_ref().and_then(|identity| identity.raw("authorization")).or_else(|| record.either("authorization"));
    row.fill("Caller", claims.and_then(caller).unwrap_or_default());
    if let Some(ip) = claims.and_then(Object::of).and_then(|claims| claims.text("ipaddr")) {
        row.fill("CallerIpAddress", ip);
    }
    let category = record.text("category").unwrap_or_default();
    finish(&mut row, Parts { claims, authorization, properties: record.either("properties"), category });
    if let Some(request) = record.either("httpRequest") {
        row.set("HTTPRequest", json_text(request));
    }
    copy_time(&mut row);
    identify(&mut row);
    Mapped::Row(Box::new(row))
}

fn map_rest<'r>(record: &Record<'r>, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let Some(mut row) = start(record, maps, &REST_FIELDS) else { return Mapped::Other(TABLE.into()) };
    for (name, column) in [
        ("operationName", "OperationNameValue"),
        ("status", "ActivityStatusValue"),
        ("subStatus", "ActivitySubstatusValue"),
        ("resourceProviderName", "ResourceProviderValue"),
    ] {
        if let Some(value) = record.either(name).and_then(pair_value) {
            row.set(column, value);
        }
    }
    row.set("Level", level(record.either("level").and_then(pair_value).unwrap_or_default()));
    if let Some(request) = record.either("httpRequest") {
        row.set("HTTPRequest", json_text(request));
    }
    let claims = record.either("claims");
    row.fill("Caller", claims.and_then(caller).unwrap_or_default());
    finish(
        &mut row,
        Parts {
            claims,
            authorization: record.either("authorization"),
            properties: record.either("properties"),
            category: record.either("category").and_then(pair_value).unwrap_or_default(),
        },
    );
    if let Some(id) = record.text("id").filter(|id| id.contains("/events/")) {
        let event = id.split("/events/").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default().to_owned();
        row.fill("EventDataId", event);
    }
    copy_time(&mut row);
    identify(&mut row);
    Mapped::Row(Box::new(row))
}

fn start<'r>(record: &Record<'r>, maps: &Maps, list: &FieldList) -> Option<Row<'r>> {
    let spec = maps.table(TABLE)?;
    let mut row = Row::new(&spec);
    if maps.fields(list, &spec).apply(record.text, record.members, &mut row) == NameCase::Folded {
        row.mended.push("field names in other case");
    }
    row.set("Type", TABLE);
    row.set("SourceSystem", "Azure");
    Some(row)
}

/// What both forms have, at different places.
struct Parts<'r> {
    claims: Option<&'r str>,
    authorization: Option<&'r str>,
    properties: Option<&'r str>,
    category: Cow<'r, str>,
}

fn finish<'r>(row: &mut Row<'r>, parts: Parts<'r>) {
    for (raw, text, dynamic) in [
        (parts.claims, "Claims", "Claims_d"),
        (parts.authorization, "Authorization", "Authorization_d"),
        (parts.properties, "Properties", "Properties_d"),
    ] {
        let Some(raw) = raw else { continue };
        row.set(text, json_text(raw));
        if let Some(column) = row.spec.column(dynamic) {
            row.set_json(column, raw);
        }
    }
    let properties = row.text("Properties").to_owned();
    let inner = Object::of(&properties);
    let property = |name: &str| inner.as_ref().and_then(|inner| inner.text(name)).unwrap_or_default().into_owned();
    let category = match contains(CATEGORIES, &parts.category) {
        true => parts.category.into_owned(),
        false => "Administrative".to_owned(),
    };
    let named = property("eventCategory");
    row.set("CategoryValue", if named.is_empty() { category } else { named });
    row.fill("EventDataId", property("eventDataId"));
    row.fill("OperationId", property("operationId"));
    row.fill("Hierarchy", property("hierarchy"));
    row.fill("ResourceProviderValue", property("resourceProviderValue"));
    row.fill("ResourceGroup", property("resourceGroup"));
    if let Some(request) = inner.as_ref().and_then(|inner| inner.raw("httpRequest")) {
        row.fill("HTTPRequest", json_text(request).into_owned());
    }
    fill_resource(row, parts.authorization, property("resource"), property("entity"));
}

/// Resource columns, from the resource id, else from the scope of the authorization.
fn fill_resource(row: &mut Row<'_>, authorization: Option<&str>, resource: String, entity: String) {
    let scope =
        authorization.and_then(Object::of).and_then(|object| object.text("scope").or_else(|| object.text("Scope")));
    row.fill("ResourceId", scope.map(Cow::into_owned).unwrap_or_default());
    row.fill("ResourceId", entity);
    let id = row.text("ResourceId").to_owned();
    let parts = ResourceId::parse(&id);
    row.fill("SubscriptionId", parts.subscription.to_owned());
    row.fill("ResourceGroup", parts.group.to_owned());
    row.fill("ResourceProviderValue", parts.provider.to_owned());
    row.fill("Resource", parts.name.to_owned());
    row.fill("Resource", resource);
    row.fill("_ResourceId", id.to_lowercase());
    let subscription = row.text("SubscriptionId").to_lowercase();
    row.fill("_SubscriptionId", subscription);
}

/// Fills what an exported row often lacks: the resource columns, from its hidden id and its properties.
pub(crate) fn complete(row: &mut Row<'_>) {
    let properties = row.text("Properties").to_owned();
    let properties = if properties.is_empty() { row.text("Properties_d").to_owned() } else { properties };
    let inner = Object::of(&properties);
    let property = |name: &str| inner.as_ref().and_then(|inner| inner.text(name)).unwrap_or_default().into_owned();
    let authorization = row.text("Authorization").to_owned();
    let authorization = if authorization.is_empty() { row.text("Authorization_d").to_owned() } else { authorization };
    let hidden = row.text("_ResourceId").to_owned();
    row.fill("ResourceId", hidden);
    let resource = property("resource");
    row.fill("Resource", resource);
    fill_resource(row, Some(&authorization), String::new(), property("entity"));
}

fn copy_time(row: &mut Row<'_>) {
    if let (Some(time), Some(submitted)) = (row.spec.time, row.spec.column("EventSubmissionTimestamp"))
        && row.is_empty(submitted)
        && let Some(cell) = row.cells.get(time).cloned()
    {
        row.put(submitted, cell);
    }
}

/// Who called, from the claims of the token.
fn caller(claims: &str) -> Option<Cow<'_, str>> {
    const NAMES: &[&str] = &[
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
        "upn",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
        "unique_name",
        "name",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
        "appid",
        "http://schemas.microsoft.com/identity/claims/objectidentifier",
        "oid",
    ];
    let claims = Object::of(claims)?;
    NAMES.iter().find_map(|name| claims.text(name).filter(|value| !value.is_empty()))
}

fn level(level: Cow<'_, str>) -> Cow<'_, str> {
    match level.as_ref() {
        "Information" => Cow::Borrowed("Informational"),
        _ => level,
    }
}

/// `Succeeded.Created` is `Created`, `Started.` is nothing, `403` is `403`.
fn after_dot(signature: Cow<'_, str>) -> String {
    match signature.split_once('.') {
        Some((_, status)) => status.to_owned(),
        None => signature.into_owned(),
    }
}

/// A status in one spelling for both forms.
fn plain_status(status: &str) -> String {
    match status.to_lowercase().as_str() {
        "start" | "started" => "start".to_owned(),
        "accept" | "accepted" => "accept".to_owned(),
        "success" | "succeeded" => "success".to_owned(),
        "failure" | "failed" => "failure".to_owned(),
        other => other.to_owned(),
    }
}

/// What makes two deliveries the same event.
///
/// The id of the event's data is new for each of Start, Accept and Success, and the same in both forms and for every
/// diagnostic setting that delivers the event. Time, operation, status, resource and caller guard against ids that
/// were made up. Without that id only equal content counts.
fn identify(row: &mut Row<'_>) {
    row.identified = !row.text("EventDataId").is_empty() || !row.text("CorrelationId").is_empty();
    if row.text("EventDataId").is_empty() {
        return;
    }
    let time = row.spec.time.and_then(|column| row.ticks(column)).unwrap_or_default().to_string();
    let key = key_of(&[
        TABLE,
        &row.text("EventDataId").to_lowercase(),
        &time,
        &row.text("OperationNameValue").to_lowercase(),
        &plain_status(row.text("ActivityStatusValue")),
        &row.text("ResourceId").to_lowercase(),
        &row.text("Caller").to_lowercase(),
    ]);
    row.key = Some(key);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_are_taken_in_the_order_of_what_they_say() {
        assert_eq!(caller(r#"{"appid":"a","name":"Nina","upn":"nina@x"}"#).as_deref(), Some("nina@x"));
        assert_eq!(caller(r#"{"appid":"a","upn":""}"#).as_deref(), Some("a"));
        assert_eq!(caller("{}"), None);
    }

    #[test]
    fn statuses_of_both_forms_meet() {
        for (diagnostic, rest) in
            [("Start", "Started"), ("Accept", "Accepted"), ("Success", "Succeeded"), ("Failure", "Failed")]
        {
            assert_eq!(plain_status(diagnostic), plain_status(rest));
        }
        assert_eq!(after_dot("Succeeded.Created".into()), "Created");
        assert_eq!(after_dot("Started.".into()), "");
        assert_eq!(after_dot("403".into()), "403");
    }
}

//! Entra sign-ins to `SigninLogs` and its three siblings, chosen by category.
//!
//! From diagnostic settings most of a record lies in `properties`; Graph's `signIn` is that object alone, with a few other
//! names. The tables differ in which columns are dynamic and which hold JSON text: the schema decides.

use std::borrow::Cow;

use super::{finish, is_directory};
use crate::fields::{FieldList, NameCase};
use crate::row::Row;
use crate::sources::guide::Guide;
use crate::sources::{Mapped, Maps, Object, Place, Record, Source, raw_at, string};

pub(in crate::sources) static DIAGNOSTIC: Source =
    Source { name: "entra-sign-in", recognise: is_diagnostic, map: map_diagnostic, guide: Some(&GUIDE) };
pub(in crate::sources) static GRAPH: Source =
    Source { name: "entra-sign-in-graph", recognise: is_graph, map: map_graph, guide: Some(&GUIDE) };

/// (category, table)
const TABLES: &[(&str, &str)] = &[
    ("SignInLogs", "SigninLogs"),
    ("NonInteractiveUserSignInLogs", "AADNonInteractiveUserSignInLogs"),
    ("ServicePrincipalSignInLogs", "AADServicePrincipalSignInLogs"),
    ("ManagedIdentitySignInLogs", "AADManagedIdentitySignInLogs"),
];

static GUIDE: Guide = Guide {
    page: "entra-sign-in",
    title: "Entra sign-ins",
    tables: &[
        "SigninLogs",
        "AADNonInteractiveUserSignInLogs",
        "AADServicePrincipalSignInLogs",
        "AADManagedIdentitySignInLogs",
    ],
    exports: &[
        (
            "GET https://graph.microsoft.com/v1.0/auditLogs/signIns?$filter=createdDateTime ge 2026-03-01",
            "interactive only in v1.0; 30 days, 7 without a licence",
        ),
        ("Entra portal: Sign-in logs, Download", "100,000 rows of one kind; display names"),
        ("Diagnostic settings: SignInLogs and its siblings", ""),
    ],
    recognised: "the category; Graph by createdDateTime, ipAddress, appDisplayName and status; the portal's header",
    fields: &[&DIAGNOSTIC_FIELDS, &GRAPH_FIELDS],
    notes: &[
        "Fields of properties go to the columns named like them.",
        "The category chooses the table; of Graph the event types do.",
    ],
};

static DIAGNOSTIC_FIELDS: FieldList = FieldList {
    name: "entra-sign-in",
    named_like: &["properties"],
    fields: &[
        ("time", "TimeGenerated"),
        ("resourceId", "ResourceId"),
        ("operationName", "OperationName"),
        ("operationVersion", "OperationVersion"),
        ("category", "Category"),
        ("resultType", "ResultType"),
        ("resultSignature", "ResultSignature"),
        ("resultDescription", "ResultDescription"),
        ("durationMs", "DurationMs"),
        ("callerIpAddress", "IPAddress"),
        ("correlationId", "CorrelationId"),
        ("identity", "Identity"),
        ("Level", "Level"),
        ("level", "Level"),
        ("location", "Location"),
        ("tenantId", "AADTenantId"),
        ("properties.tenantId", ""),
        ("properties.correlationId", ""),
        ("properties.location", "LocationDetails"),
        ("properties.resourceId", "ResourceIdentity"),
        ("properties.appliedConditionalAccessPolicies", "ConditionalAccessPolicies"),
        ("properties.processingTimeInMilliseconds", "ProcessingTimeInMilliseconds"),
        ("properties.processingTimeInMilliseconds", "ProcessingTimeInMs"),
        ("properties.resultType", ""),
        ("properties.createdDateTime", "CreatedDateTime"),
        ("properties.signInEventTypes", "SignInEventTypes"),
    ],
};

static GRAPH_FIELDS: FieldList = FieldList {
    name: "entra-sign-in-graph",
    named_like: &[""],
    fields: &[
        ("createdDateTime", "TimeGenerated"),
        ("createdDateTime", "CreatedDateTime"),
        ("location", "LocationDetails"),
        ("resourceId", "ResourceIdentity"),
        ("appliedConditionalAccessPolicies", "ConditionalAccessPolicies"),
        ("userDisplayName", "Identity"),
        ("userDisplayName", "UserDisplayName"),
        ("status", "Status"),
        ("processingTimeInMilliseconds", "ProcessingTimeInMilliseconds"),
        ("processingTimeInMilliseconds", "ProcessingTimeInMs"),
        ("@odata.type", ""),
    ],
};

fn table_of(category: &str) -> Option<&'static str> {
    TABLES.iter().find(|(name, _)| name.eq_ignore_ascii_case(category)).map(|(_, table)| *table)
}

fn is_diagnostic(record: &Record<'_>) -> bool {
    record.has("properties") && record.text("category").is_some_and(|category| table_of(&category).is_some())
        || is_directory(record) && record.text("operationName").is_some_and(|name| name == "Sign-in activity")
}

fn map_diagnostic<'r>(record: &Record<'r>, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let category = record.text("category").unwrap_or_default();
    let table = table_of(&category).unwrap_or("SigninLogs");
    let Some(spec) = maps.table(table) else { return Mapped::Other(format!("record of {table}").into()) };
    let mut row = Row::new(&spec);
    if maps.fields(&DIAGNOSTIC_FIELDS, &spec).apply(record.text, record.members, &mut row) == NameCase::Folded {
        row.mended.push("field names in other case");
    }
    if let Some(properties) = record.either("properties") {
        complete(&mut row, properties);
    }
    finish(&mut row, record);
    row.identified = !row.text("Id").is_empty() || !row.text("CorrelationId").is_empty();
    Mapped::Row(Box::new(row))
}

fn is_graph(record: &Record<'_>) -> bool {
    let actor = record.has("userPrincipalName") || record.has("servicePrincipalId") || record.has("userId");
    record.has("createdDateTime")
        && actor
        && record.has("ipAddress")
        && (record.has("appDisplayName") || record.has("appId"))
        && (record.raw("status").is_some_and(|raw| raw.starts_with('{')) || record.has("conditionalAccessStatus"))
}

fn map_graph<'r>(record: &Record<'r>, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let category = graph_category(record);
    let table = table_of(category).unwrap_or("SigninLogs");
    let Some(spec) = maps.table(table) else { return Mapped::Other(format!("record of {table}").into()) };
    let mut row = Row::new(&spec);
    let _ = maps.fields(&GRAPH_FIELDS, &spec).apply(record.text, record.members, &mut row);
    row.set("OperationName", "Sign-in activity");
    row.set("Category", category);
    row.fill("Level", "4");
    complete(&mut row, record.text);
    finish(&mut row, record);
    row.identified = !row.text("Id").is_empty();
    Mapped::Row(Box::new(row))
}

/// Which of the four logs a Graph record is of.
fn graph_category(record: &Record<'_>) -> &'static str {
    let types = record.raw("signInEventTypes").unwrap_or_default();
    if types.contains("managedIdentity") {
        "ManagedIdentitySignInLogs"
    } else if types.contains("servicePrincipal") {
        "ServicePrincipalSignInLogs"
    } else if types.contains("nonInteractiveUser") {
        "NonInteractiveUserSignInLogs"
    } else if record.text("userPrincipalName").is_none_or(|name| name.is_empty())
        && record.text("servicePrincipalId").is_some_and(|id| !id.is_empty())
    {
        "ServicePrincipalSignInLogs"
    } else {
        "SignInLogs"
    }
}

/// Columns that are part of another value.
fn complete<'r>(row: &mut Row<'r>, properties: &'r str) {
    let text = |path: &[&str]| raw_at(properties, path).and_then(|raw| string(raw).or(Some(Cow::Borrowed(raw))));
    let known = |value: &Cow<'_, str>| value.as_ref() != "null";
    row.fill("ResultType", text(&["status", "errorCode"]).filter(known).unwrap_or_default());
    row.fill("ResultDescription", text(&["status", "failureReason"]).filter(known).unwrap_or_default());
    row.fill("Location", text(&["location", "countryOrRegion"]).filter(known).unwrap_or_default());
    row.fill("AADTenantId", text(&["tenantId"]).filter(known).unwrap_or_default());
    row.fill("Identity", text(&["userDisplayName"]).filter(known).unwrap_or_default());
    row.fill("CorrelationId", text(&["correlationId"]).filter(known).unwrap_or_default());
    if let Some(device) = raw_at(properties, &["deviceDetail"]).and_then(Object::of) {
        row.fill("DeviceName", device.text("displayName").unwrap_or_default());
    }
}

//! Resource logs from diagnostic settings: the storage tables by name, everything else to `AzureDiagnostics`.
//!
//! `AzureDiagnostics` has a column per property with a suffix for its type (`httpStatusCode_d`); what it has no column for
//! goes to `AdditionalFields`, where the table has that, and is counted.

use super::{ResourceId, json_text};
use crate::fields::FieldList;
use crate::row::{Cell, Row};
use crate::sources::guide::Guide;
use crate::sources::{Mapped, Maps, Object, Place, Record, Source};

pub(in crate::sources) static DIAGNOSTIC: Source =
    Source { name: "azure-resource-log", recognise: is_resource_log, map: map_resource_log, guide: Some(&GUIDE) };

const DIAGNOSTICS: &str = "AzureDiagnostics";

static GUIDE: Guide = Guide {
    page: "azure-resource-log",
    title: "Azure resource logs",
    tables: &["StorageBlobLogs", "StorageFileLogs", "StorageQueueLogs", "StorageTableLogs", "AzureDiagnostics"],
    exports: &[
        (
            "az storage blob download-batch -s insights-logs-CATEGORY -d logs/ --account-name NAME",
            "the blob of the hour is still written: its last line may be torn",
        ),
        ("Event Hub capture: Avro or Parquet files", ""),
    ],
    recognised: "category and operationName in the envelope of diagnostic settings, when it is no other table's",
    fields: &[&STORAGE_FIELDS, &DIAGNOSTICS_FIELDS],
    notes: &[
        "Storage logs go to the table of their service; every other category to AzureDiagnostics, its properties to the columns of their name and type (httpStatusCode_d).",
        "What has no column goes to AdditionalFields where the table has it, and is counted.",
    ],
};

static STORAGE_FIELDS: FieldList = FieldList {
    name: "azure-storage-log",
    named_like: &["", "properties"],
    fields: &[
        ("time", "TimeGenerated"),
        ("resourceId", ""),
        ("identity.type", "AuthenticationType"),
        ("identity.tokenHash", "AuthenticationHash"),
        ("identity.authorization", "AuthorizationDetails"),
        ("identity.requester.objectId", "RequesterObjectId"),
        ("identity.requester.tenantId", "RequesterTenantId"),
        ("identity.requester.appId", "RequesterAppId"),
        ("identity.requester.audience", "RequesterAudience"),
        ("identity.requester.tokenIssuer", "RequesterTokenIssuer"),
        ("identity.requester.upn", "RequesterUpn"),
        ("resourceType", ""),
        ("tenantId", ""),
    ],
};

static DIAGNOSTICS_FIELDS: FieldList = FieldList {
    name: "azure-diagnostics",
    named_like: &[],
    fields: &[
        ("time", "TimeGenerated"),
        ("category", "Category"),
        ("operationName", "OperationName"),
        ("operationVersion", "OperationVersion"),
        ("resultType", "ResultType"),
        ("resultSignature", "ResultSignature"),
        ("resultDescription", "ResultDescription"),
        ("durationMs", "DurationMs"),
        ("callerIpAddress", "CallerIPAddress"),
        ("correlationId", "CorrelationId"),
        ("level", "Level"),
        ("Level", "Level"),
        ("resourceId", ""),
        ("properties", ""),
        ("identity", ""),
        ("tenantId", ""),
    ],
};

/// Anything in the envelope of diagnostic settings; asked after the tables that share it.
fn is_resource_log(record: &Record<'_>) -> bool {
    let has = |name| record.has_either(name);
    let operation = has("operationName") || has("category");
    operation
        && (has("resourceId") || has("resourceid"))
        && (has("properties") || has("callerIpAddress") || has("resultType") || has("time"))
        || has("category") && has("operationName") && (has("properties") || has("time"))
}

fn map_resource_log<'r>(record: &Record<'r>, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let category = record.text("category").unwrap_or_default().into_owned();
    let operation = record.text("operationName").unwrap_or_default().into_owned();
    let id = record.text("resourceId").unwrap_or_default().into_owned();
    let storage = storage_table(&category, &operation, &id);
    if let Some(spec) = storage.and_then(|table| maps.table(table)) {
        let mut row = Row::new(&spec);
        let _ = maps.fields(&STORAGE_FIELDS, &spec).apply(record.text, record.members, &mut row);
        row.set("Type", spec.name().to_owned());
        row.set("SourceSystem", "Azure");
        row.fill("AccountName", account_of(&id).to_owned());
        hidden_ids(&mut row, &id);
        row.identified = !row.text("CorrelationId").is_empty();
        return Mapped::Row(Box::new(row));
    }
    let kind = || Mapped::Other(format!("resource log of {}", storage.unwrap_or(DIAGNOSTICS)).into());
    let Some(spec) = maps.table(DIAGNOSTICS) else { return kind() };
    let mut row = Row::new(&spec);
    let _ = maps.fields(&DIAGNOSTICS_FIELDS, &spec).apply(record.text, record.members, &mut row);
    row.set("Type", DIAGNOSTICS);
    row.set("SourceSystem", "Azure");
    let upper = id.to_uppercase();
    let parts = ResourceId::parse(&upper);
    row.set("ResourceId", upper.clone());
    row.set("ResourceGroup", parts.group.to_owned());
    row.set("ResourceProvider", parts.provider.to_owned());
    row.set("ResourceType", parts.kind.clone());
    row.set("Resource", parts.name.to_owned());
    row.set("SubscriptionId", parts.subscription.to_lowercase());
    hidden_ids(&mut row, &id);
    let mut left = Vec::new();
    for (prefix, name) in [("", "properties"), ("identity", "identity")] {
        if let Some(raw) = record.either(name) {
            flatten(prefix, raw, &mut row, &mut left);
        }
    }
    put_left(left, &mut row);
    row.identified = false;
    Mapped::Row(Box::new(row))
}

/// The table of a storage account's log.
fn storage_table(category: &str, operation: &str, id: &str) -> Option<&'static str> {
    const CATEGORIES: &[&str] = &["StorageRead", "StorageWrite", "StorageDelete"];
    let id = id.to_lowercase();
    let storage = CATEGORIES.iter().any(|name| name.eq_ignore_ascii_case(category))
        || category.is_empty() && id.contains("/providers/microsoft.storage/") && !operation.contains('/');
    if !storage {
        return None;
    }
    for (service, table) in [
        ("/blobservices/", "StorageBlobLogs"),
        ("/fileservices/", "StorageFileLogs"),
        ("/queueservices/", "StorageQueueLogs"),
        ("/tableservices/", "StorageTableLogs"),
    ] {
        if id.contains(service) {
            return Some(table);
        }
    }
    let operation = operation.to_lowercase();
    let by_operation = [
        (&["queue", "message"][..], "StorageQueueLogs"),
        (&["table", "entit"][..], "StorageTableLogs"),
        (&["file", "share", "directory"][..], "StorageFileLogs"),
    ];
    let named = by_operation.iter().find(|(words, _)| words.iter().any(|word| operation.contains(word)));
    Some(named.map_or("StorageBlobLogs", |(_, table)| table))
}

fn account_of(id: &str) -> &str {
    let mut segments = id.split('/');
    match segments.any(|segment| segment.eq_ignore_ascii_case("storageaccounts")) {
        true => segments.next().unwrap_or_default(),
        false => "",
    }
}

fn hidden_ids(row: &mut Row<'_>, id: &str) {
    row.set("_ResourceId", id.to_lowercase());
    row.set("_SubscriptionId", ResourceId::parse(id).subscription.to_lowercase());
}

/// Puts the values of an object into the columns `name_suffix`, nested names joined by `_`.
fn flatten<'r>(prefix: &str, raw: &'r str, row: &mut Row<'r>, left: &mut Vec<(String, &'r str)>) {
    let Some(object) = Object::of(raw) else {
        if !prefix.is_empty() && raw != "null" {
            left.push((prefix.to_owned(), raw));
        }
        return;
    };
    for (name, value) in object.entries() {
        let name = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}_{name}") };
        if value.starts_with('{') {
            flatten(&name, value, row, left);
            continue;
        }
        match column_for(&name, value, row) {
            Some(column) => row.set_json(column, value),
            None if value == "null" => {}
            None => left.push((name, value)),
        }
    }
}

/// The column of a flattened property, by the type of its value first.
fn column_for(name: &str, value: &str, row: &Row<'_>) -> Option<usize> {
    let by_value = match value.as_bytes().first() {
        Some(b't' | b'f') => "_b",
        Some(b'-' | b'0'..=b'9') => "_d",
        _ => "_s",
    };
    let suffixes = [by_value, "_s", "_g", "_t", "_d", "_b"];
    suffixes
        .iter()
        .find_map(|suffix| row.spec.column(&format!("{name}{suffix}")))
        .filter(|column| row.is_empty(*column))
}

/// What found no column: into `AdditionalFields` when there is one, else counted as without a column.
fn put_left<'r>(left: Vec<(String, &'r str)>, row: &mut Row<'r>) {
    if left.is_empty() {
        return;
    }
    match row.spec.column("AdditionalFields") {
        Some(column) => {
            let members: Vec<String> = left
                .iter()
                .map(|(name, value)| format!("{}:{}", crate::json::text::quoted(name), json_or_text(value)))
                .collect();
            let text = format!("{{{}}}", members.join(","));
            let canonical = crate::json::canonical::canonical(&text).map(|text| text.into_owned());
            row.put(column, canonical.map_or(Cell::Missing, |text| Cell::Dynamic(text.into())));
        }
        None => row.unmapped.extend(left.into_iter().map(|(name, value)| (format!("properties.{name}").into(), value))),
    }
}

fn json_or_text(value: &str) -> String {
    match value.starts_with('"') {
        true => value.to_owned(),
        false => json_text(value).into_owned(),
    }
}

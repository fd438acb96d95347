//! Cloud Audit log entries to `GCPAuditLogs`: as `gcloud logging read` and sinks write them, as Pub/Sub delivers them
//! (base64 in `message.data`), and as BigQuery exports them (`protopayload_auditlog`).
//!
//! `TimeGenerated` is when the entry was received; an entry that lost that time has its event time instead, and is
//! counted.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::guide::Guide;
use super::{Mapped, Maps, Place, Record, Source, string};
use crate::fields::{FieldList, NameCase};
use crate::row::Row;

pub(super) static ENTRY: Source =
    Source { name: "gcp-audit", recognise: is_entry, map: map_entry, guide: Some(&GUIDE) };
pub(super) static PUBSUB: Source = Source { name: "gcp-pubsub", recognise: is_pubsub, map: unwrap, guide: None };

const TABLE: &str = "GCPAuditLogs";

static GUIDE: Guide = Guide {
    page: "gcp-audit",
    title: "Google Cloud Audit Logs",
    tables: &["GCPAuditLogs"],
    exports: &[
        (
            "gcloud logging read 'logName:\"cloudaudit.googleapis.com\"' --freshness=30d --format=json > audit.json",
            "--freshness is one day unless given; data access logs are off unless enabled",
        ),
        (
            "gcloud storage cp -r gs://SINK-BUCKET/cloudaudit.googleapis.com audit/",
            "hourly files; entries that came late are in a second file of the hour",
        ),
        (
            "BigQuery sink: bq extract to JSON, Avro or Parquet",
            "names as BigQuery has them (protopayload_auditlog); requests are text",
        ),
    ],
    recognised: "protoPayload or protopayload_auditlog; Pub/Sub messages with base64 data",
    fields: &[&FIELDS, &BIGQUERY_FIELDS],
    notes: &[
        "TimeGenerated is receiveTimestamp; without it the event's time is taken, and counted.",
        "operation, labels and the like have no column: counted.",
    ],
};

static FIELDS: FieldList = FieldList {
    name: "gcp-audit",
    named_like: &[],
    fields: &[
        ("timestamp", "Timestamp"),
        ("receiveTimestamp", "TimeGenerated"),
        ("insertId", "InsertId"),
        ("logName", "LogName"),
        ("severity", "Severity"),
        ("resource.type", "GCPResourceType"),
        ("resource.labels.project_id", "ProjectId"),
        ("protoPayload.@type", ""),
        ("protoPayload.at_sign_type", ""),
        ("protoPayload.methodName", "MethodName"),
        ("protoPayload.serviceName", "ServiceName"),
        ("protoPayload.resourceName", "GCPResourceName"),
        ("protoPayload.numResponseItems", "NumResponseItems"),
        ("protoPayload.authenticationInfo", "AuthenticationInfo"),
        ("protoPayload.authenticationInfo.principalEmail", "PrincipalEmail"),
        ("protoPayload.authorizationInfo", "AuthorizationInfo"),
        ("protoPayload.requestMetadata", "RequestMetadata"),
        ("protoPayload.request", "Request"),
        ("protoPayload.response", "Response"),
        ("protoPayload.status", "Status"),
        ("protoPayload.status.message", "StatusMessage"),
        ("protoPayload.metadata", "Metadata"),
        ("protoPayload.serviceData", "ServiceData"),
        ("protoPayload.resourceLocation", "ResourceLocation"),
        ("protoPayload.resourceOriginalState", "ResourceOriginalState"),
    ],
};

/// BigQuery's names for the same.
static BIGQUERY_FIELDS: FieldList = FieldList {
    name: "gcp-audit-bigquery",
    named_like: &[],
    fields: &[
        ("timestamp", "Timestamp"),
        ("receiveTimestamp", "TimeGenerated"),
        ("insertId", "InsertId"),
        ("logName", "LogName"),
        ("severity", "Severity"),
        ("resource.type", "GCPResourceType"),
        ("resource.labels.project_id", "ProjectId"),
        ("protopayload_auditlog.methodName", "MethodName"),
        ("protopayload_auditlog.serviceName", "ServiceName"),
        ("protopayload_auditlog.resourceName", "GCPResourceName"),
        ("protopayload_auditlog.numResponseItems", "NumResponseItems"),
        ("protopayload_auditlog.authenticationInfo", "AuthenticationInfo"),
        ("protopayload_auditlog.authenticationInfo.principalEmail", "PrincipalEmail"),
        ("protopayload_auditlog.authorizationInfo", "AuthorizationInfo"),
        ("protopayload_auditlog.requestMetadata", "RequestMetadata"),
        ("protopayload_auditlog.requestJson", "Request"),
        ("protopayload_auditlog.responseJson", "Response"),
        ("protopayload_auditlog.status", "Status"),
        ("protopayload_auditlog.status.message", "StatusMessage"),
        ("protopayload_auditlog.metadataJson", "Metadata"),
        ("protopayload_auditlog.servicedata_v1_bigquery", "ServiceData"),
        ("protopayload_auditlog.servicedata_v1_iam", "ServiceData"),
        ("protopayload_auditlog.resourceLocation", "ResourceLocation"),
        ("protopayload_auditlog.resourceOriginalState", "ResourceOriginalState"),
    ],
};

fn is_entry(record: &Record<'_>) -> bool {
    let object = |name| record.either(name).is_some_and(|raw| raw.starts_with('{'));
    object("protoPayload")
        || object("protopayload_auditlog")
        || record.has_either("logName")
            && (record.has("jsonPayload") || record.has("textPayload") || record.has_either("insertId"))
}

fn map_entry<'r>(record: &Record<'r>, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let bigquery = record.has("protopayload_auditlog");
    if !record.has_either("protoPayload") && !bigquery {
        return Mapped::Other("log entry of Google Cloud that is no audit entry".into());
    }
    let Some(spec) = maps.table(TABLE) else { return Mapped::Other(format!("record of {TABLE}").into()) };
    let mut row = Row::new(&spec);
    let list = if bigquery { &BIGQUERY_FIELDS } else { &FIELDS };
    if maps.fields(list, &spec).apply(record.text, record.members, &mut row) == NameCase::Folded {
        row.mended.push("field names in other case");
    }
    row.set("Type", TABLE);
    row.set("SourceSystem", "GCP");
    let project = record.text("logName").and_then(|name| project_of(&name).map(str::to_owned));
    row.fill("ProjectId", project.unwrap_or_default());
    received(&mut row);
    row.identified = !row.text("InsertId").is_empty();
    Mapped::Row(Box::new(row))
}

/// The time of receipt is also when the row was delivered.
fn received(row: &mut Row<'_>) {
    let (Some(time), Some(event)) = (row.spec.time, row.spec.column("Timestamp")) else { return };
    match row.ticks(time) {
        Some(received) => row.ingestion = Some(received),
        None => {
            if let Some(cell) = row.cells.get(event).cloned()
                && row.ticks(event).is_some()
            {
                row.put(time, cell);
                row.mended.push("no receiveTimestamp: timestamp taken");
            }
        }
    }
}

/// `projects/NAME/logs/...`
fn project_of(log: &str) -> Option<&str> {
    log.strip_prefix("projects/")?.split('/').next()
}

fn is_pubsub(record: &Record<'_>) -> bool {
    record.object("message").is_some_and(|message| {
        message.has("data") && (message.has("messageId") || message.has("message_id") || message.has("publishTime"))
    })
}

fn unwrap<'r>(record: &Record<'r>, _maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let data = record.object("message").and_then(|message| message.raw("data"));
    let decoded = data
        .and_then(string)
        .and_then(|data| STANDARD.decode(data.as_bytes()).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok());
    match decoded {
        Some(text) => Mapped::Inner(Cow::Owned(text)),
        None => Mapped::Other("Pub/Sub message without readable data".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_is_in_the_log_name() {
        assert_eq!(project_of("projects/acme-prod/logs/cloudaudit.googleapis.com%2Factivity"), Some("acme-prod"));
        assert_eq!(project_of("organizations/1/logs/x"), None);
    }
}

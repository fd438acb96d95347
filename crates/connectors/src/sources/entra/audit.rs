//! Entra audit records to `AuditLogs`, from diagnostic settings and as Graph's `directoryAudit`.

use super::{finish, is_directory};
use crate::fields::{FieldList, NameCase};
use crate::row::Row;
use crate::sources::guide::Guide;
use crate::sources::{Mapped, Maps, Object, Place, Record, Source};

pub(in crate::sources) static DIAGNOSTIC: Source =
    Source { name: "entra-audit", recognise: is_diagnostic, map: map_diagnostic, guide: Some(&GUIDE) };
pub(in crate::sources) static GRAPH: Source =
    Source { name: "entra-audit-graph", recognise: is_graph, map: map_graph, guide: Some(&GUIDE) };

const TABLE: &str = "AuditLogs";

static GUIDE: Guide = Guide {
    page: "entra-audit",
    title: "Entra audit (PIM among it)",
    tables: &["AuditLogs"],
    exports: &[
        (
            "GET https://graph.microsoft.com/v1.0/auditLogs/directoryAudits?$filter=activityDateTime ge 2026-03-01",
            "30 days, 7 without a licence",
        ),
        ("Entra portal: Audit logs, Download as JSON", "250,000 rows"),
        ("Diagnostic settings: AuditLogs", ""),
    ],
    recognised: "category AuditLogs; activityDisplayName with initiatedBy or targetResources",
    fields: &[&DIAGNOSTIC_FIELDS, &GRAPH_FIELDS],
    notes: &["Privileged Identity Management writes here, with LoggedByService PIM."],
};

static DIAGNOSTIC_FIELDS: FieldList = FieldList {
    name: "entra-audit",
    named_like: &[],
    fields: &[
        ("time", "TimeGenerated"),
        ("resourceId", "ResourceId"),
        ("operationName", "OperationName"),
        ("operationVersion", "OperationVersion"),
        ("category", "Category"),
        ("resultType", "ResultType"),
        ("resultSignature", "ResultSignature"),
        ("resultDescription", "ResultDescription"),
        ("result", "Result"),
        ("durationMs", "DurationMs"),
        ("callerIpAddress", ""),
        ("correlationId", "CorrelationId"),
        ("identity", "Identity"),
        ("Level", "Level"),
        ("level", "Level"),
        ("location", "Location"),
        ("tenantId", "AADTenantId"),
        ("properties.activityDateTime", "TimeGenerated"),
        ("properties.activityDateTime", "ActivityDateTime"),
        ("properties.activityDisplayName", "ActivityDisplayName"),
        ("properties.additionalDetails", "AdditionalDetails"),
        ("properties.category", "Category"),
        ("properties.correlationId", ""),
        ("properties.id", "Id"),
        ("properties.initiatedBy", "InitiatedBy"),
        ("properties.loggedByService", "LoggedByService"),
        ("properties.operationType", "AADOperationType"),
        ("properties.operationName", ""),
        ("properties.result", "Result"),
        ("properties.resultReason", "ResultReason"),
        ("properties.resultDescription", ""),
        ("properties.resultType", ""),
        ("properties.targetResources", "TargetResources"),
        ("properties.identity", ""),
        ("properties.tenantId", ""),
        ("properties.tenantGeo", ""),
    ],
};

static GRAPH_FIELDS: FieldList = FieldList {
    name: "entra-audit-graph",
    named_like: &[],
    fields: &[
        ("activityDateTime", "TimeGenerated"),
        ("activityDateTime", "ActivityDateTime"),
        ("activityDisplayName", "ActivityDisplayName"),
        ("activityDisplayName", "OperationName"),
        ("additionalDetails", "AdditionalDetails"),
        ("category", "Category"),
        ("correlationId", "CorrelationId"),
        ("id", "Id"),
        ("initiatedBy", "InitiatedBy"),
        ("loggedByService", "LoggedByService"),
        ("operationType", "AADOperationType"),
        ("result", "Result"),
        ("resultReason", "ResultReason"),
        ("targetResources", "TargetResources"),
        ("tenantId", "AADTenantId"),
        ("@odata.type", ""),
    ],
};

/// Names that only audit records have in their properties.
const TELLING: &[&str] = &["activityDisplayName", "initiatedBy", "targetResources", "loggedByService"];

fn is_diagnostic(record: &Record<'_>) -> bool {
    if record.text("category").is_some_and(|category| category.eq_ignore_ascii_case("AuditLogs")) {
        return record.has_either("properties") || record.has_either("operationName");
    }
    record.has_either("operationName")
        && (is_directory(record) || record.has_either("category"))
        && record.object("properties").is_some_and(|inner| TELLING.iter().any(|name| inner.has(name)))
}

fn map_diagnostic<'r>(record: &Record<'r>, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let Some(spec) = maps.table(TABLE) else { return Mapped::Other(format!("record of {TABLE}").into()) };
    let mut row = Row::new(&spec);
    if maps.fields(&DIAGNOSTIC_FIELDS, &spec).apply(record.text, record.members, &mut row) == NameCase::Folded {
        row.mended.push("field names in other case");
    }
    // Members come in any order: what `properties` says of itself wins over the envelope.
    if let Some(properties) = record.object("properties") {
        prefer(&mut row, "Category", &properties, "category");
        prefer(&mut row, "Result", &properties, "result");
        prefer(&mut row, "TimeGenerated", &properties, "activityDateTime");
        row.fill("OperationName", properties.text("activityDisplayName").unwrap_or_default());
        row.fill("ActivityDisplayName", properties.text("operationName").unwrap_or_default());
        row.fill("CorrelationId", properties.text("correlationId").unwrap_or_default());
        row.fill("AADTenantId", properties.text("tenantId").unwrap_or_default());
    }
    finish(&mut row, record);
    row.identified = !row.text("Id").is_empty() || !row.text("CorrelationId").is_empty();
    Mapped::Row(Box::new(row))
}

fn prefer<'r>(row: &mut Row<'r>, column: &str, properties: &Object<'r>, name: &str) {
    if let (Some(column), Some(raw)) = (row.spec.column(column), properties.raw(name))
        && raw != "null"
        && raw != "\"\""
    {
        row.set_json(column, raw);
    }
}

fn is_graph(record: &Record<'_>) -> bool {
    record.has("activityDisplayName") && (record.has("initiatedBy") || record.has("targetResources"))
}

fn map_graph<'r>(record: &Record<'r>, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let Some(spec) = maps.table(TABLE) else { return Mapped::Other(format!("record of {TABLE}").into()) };
    let mut row = Row::new(&spec);
    let _ = maps.fields(&GRAPH_FIELDS, &spec).apply(record.text, record.members, &mut row);
    finish(&mut row, record);
    row.identified = !row.text("Id").is_empty();
    Mapped::Row(Box::new(row))
}

//! Log entries of GKE clusters to `GKEAudit`, when that is asked for: their audit entries are rows of `GCPAuditLogs` else,
//! as the connector for audit logs has them.

use super::guide::Guide;
use super::{Mapped, Maps, Place, Record, Source, row_of};
use crate::fields::FieldList;

pub(super) static ENTRY: Source = Source { name: "gke-audit", recognise: |_| false, map, guide: Some(&GUIDE) };

static GUIDE: Guide = Guide {
    page: "gke-audit",
    title: "GKE audit",
    tables: &["GKEAudit"],
    exports: &[(
        "gcloud logging read 'resource.type=\"k8s_cluster\" AND logName:\"cloudaudit.googleapis.com\"' --freshness=30d --format=json > gke.json",
        "--freshness is one day unless given",
    )],
    recognised: "only with `--source gke-audit`: without it these entries are rows of GCPAuditLogs",
    fields: &[&FIELDS],
    notes: &["TimeGenerated is when the entry was received, else its own time."],
};

static FIELDS: FieldList = FieldList {
    name: "gke-audit",
    named_like: &[],
    fields: &[
        ("insertId", "InsertId"),
        ("receiveTimestamp", "ReceiveTimestamp"),
        ("timestamp", "TimeGenerated"),
        ("labels", "Labels"),
        ("protoPayload", "ProtoPayload"),
        ("jsonPayload", "JsonPayload"),
        ("operation", "Operation"),
        ("severity", "Severity"),
        ("logName", "logName"),
    ],
};

fn map<'r>(record: &Record<'r>, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let mut row = match row_of(record, maps, "GKEAudit", &FIELDS, "GCP") {
        Ok(row) => row,
        Err(other) => return other,
    };
    let log = record.text("logName").unwrap_or_default();
    row.set("LogType", log.rsplit("%2F").next().unwrap_or_default().to_owned());
    if let (Some(time), Some(received)) = (row.spec.time, row.spec.column("ReceiveTimestamp"))
        && let Some(ticks) = row.ticks(received)
    {
        row.put(time, crate::row::Cell::Long(ticks));
        row.ingestion = Some(ticks);
    }
    row.identified = !row.text("InsertId").is_empty();
    Mapped::Row(Box::new(row))
}

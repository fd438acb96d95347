//! Audit events of Kubernetes: from EKS (CloudWatch Logs) to `AWSEKSLogs`, from AKS to `AKSAudit` and `AKSAuditAdmin`.
//!
//! In the envelope of diagnostic settings they stay rows of `AzureDiagnostics`, which public rules read, unless
//! `aks-audit` is asked for.

use super::guide::Guide;
use super::{Mapped, Maps, Object, Place, Record, Source, members, raw_at, row_of, string};
use crate::fields::FieldList;
use crate::row::Row;

pub(super) static EVENT: Source =
    Source { name: "kubernetes-audit", recognise: is_event, map: map_event, guide: Some(&GUIDE) };
pub(super) static AKS: Source =
    Source { name: "aks-audit", recognise: |_| false, map: map_diagnostic, guide: Some(&GUIDE) };

static GUIDE: Guide = Guide {
    page: "kubernetes-audit",
    title: "Kubernetes audit: EKS and AKS",
    tables: &["AWSEKSLogs", "AKSAudit", "AKSAuditAdmin"],
    exports: &[
        (
            "aws logs filter-log-events --log-group-name /aws/eks/CLUSTER/cluster --log-stream-name-prefix kube-apiserver-audit > eks.json",
            "audit logs are off until the cluster's logging is set; filter-log-events ends at 1 MB unless paged",
        ),
        (
            "az monitor diagnostic-settings create --logs '[{\"category\":\"kube-audit\",\"enabled\":true}]' --storage-account ...",
            "kube-audit-admin leaves out get and list",
        ),
    ],
    recognised: "kind Event with auditID and stage; EKS by the names of AWS in the user, or by a path that says eks",
    fields: &[&AKS_FIELDS, &EKS_FIELDS],
    notes: &[
        "`--source aks-audit` sends diagnostic records of kube-audit to AKSAudit; else they are rows of AzureDiagnostics with the event in log_s.",
        "AWSEKSLogs keeps the whole event in RawEvent.",
    ],
};

static AKS_FIELDS: FieldList = FieldList {
    name: "aks-audit",
    named_like: &[],
    fields: &[
        ("kind", ""),
        ("apiVersion", ""),
        ("metadata", ""),
        ("timestamp", ""),
        ("level", "Level"),
        ("auditID", "AuditId"),
        ("stage", "Stage"),
        ("requestURI", "RequestUri"),
        ("verb", "Verb"),
        ("user", "User"),
        ("sourceIPs", "SourceIps"),
        ("userAgent", "UserAgent"),
        ("objectRef", "ObjectRef"),
        ("responseStatus", "ResponseStatus"),
        ("requestObject", "RequestObject"),
        ("responseObject", "ResponseObject"),
        ("requestReceivedTimestamp", "RequestReceivedTime"),
        ("stageTimestamp", "StageReceivedTime"),
        ("stageTimestamp", "TimeGenerated"),
        ("annotations", "Annotations"),
    ],
};

static EKS_FIELDS: FieldList = FieldList {
    name: "eks-audit",
    named_like: &[],
    fields: &[
        ("verb", "Verb"),
        ("user.username", "User"),
        ("sourceIPs", "SourceIPs"),
        ("userAgent", "UserAgent"),
        ("objectRef", "ObjectRef"),
        ("responseStatus.code", "ResponseCode"),
        ("stage", "Stage"),
        ("stageTimestamp", "TimeGenerated"),
    ],
};

fn is_event(record: &Record<'_>) -> bool {
    record.text("kind").is_some_and(|kind| kind == "Event") && record.has_either("auditID") && record.has("stage")
}

fn map_event<'r>(record: &Record<'r>, maps: &Maps, place: &Place<'_>) -> Mapped<'r> {
    let user = record.raw("user").unwrap_or_default();
    let path = place.path.to_lowercase();
    if user.contains("aws") || user.contains("eks:") || path.contains("eks") {
        return eks(record, maps);
    }
    match row_of(record, maps, "AKSAudit", &AKS_FIELDS, "Azure") {
        Ok(row) => Mapped::Row(Box::new(identified(row, record))),
        Err(other) => other,
    }
}

fn identified<'r>(mut row: Row<'r>, record: &Record<'_>) -> Row<'r> {
    if let (Some(time), Some(raw)) = (row.spec.time, record.raw("requestReceivedTimestamp"))
        && row.ticks(time).is_none()
        && let Some(text) = string(raw)
    {
        row.set_text(time, text.into_owned());
    }
    row.identified = true;
    row
}

fn eks<'r>(record: &Record<'r>, maps: &Maps) -> Mapped<'r> {
    let mut row = match row_of(record, maps, "AWSEKSLogs", &EKS_FIELDS, "AWS") {
        Ok(row) => row,
        Err(other) => return other,
    };
    // The whole event is in a column of its own: nothing is without one.
    row.unmapped.clear();
    if let Some(column) = row.spec.column("RawEvent") {
        row.set_json(column, record.text);
    }
    if let Some(decision) = raw_at(record.text, &["annotations", "authorization.k8s.io/decision"]).and_then(string) {
        row.set("AuthDecision", decision);
    }
    // arn:aws:sts::ACCOUNT:assumed-role/...
    let arn = raw_at(record.text, &["user", "extra", "arn"]).unwrap_or_default();
    if let Some(account) = arn.split(':').nth(4).filter(|account| account.len() == 12) {
        row.set("AwsAccountId", account.to_owned());
    }
    Mapped::Row(Box::new(identified(row, record)))
}

/// A diagnostic record whose `properties.log` is the event as text.
fn map_diagnostic<'r>(record: &Record<'r>, maps: &Maps, place: &Place<'_>) -> Mapped<'r> {
    let category = record.text("category").unwrap_or_default();
    let table = match category.as_ref() {
        "kube-audit" => "AKSAudit",
        "kube-audit-admin" => "AKSAuditAdmin",
        _ if is_event(record) => return map_event(record, maps, place),
        _ => return Mapped::Other("record without an audit event".into()),
    };
    let properties = record.raw("properties").and_then(Object::of);
    let Some(log) = properties.as_ref().and_then(|properties| properties.text("log")) else {
        return Mapped::Other("record without an audit event".into());
    };
    let Some(spec) = maps.table(table) else { return Mapped::Other(format!("record of {table}").into()) };
    let mut row = Row::new(&spec);
    let Some(inner) = members(&log) else { return Mapped::Other("record without an audit event".into()) };
    let map = maps.fields(&AKS_FIELDS, &spec);
    let mut event = Row::new(&spec);
    let _ = map.apply(&log, &inner, &mut event);
    for (index, cell) in event.cells.into_iter().enumerate() {
        row.put(index, cell.into_owned());
    }
    if let Some(pod) = properties.as_ref().and_then(|properties| properties.text("pod")) {
        row.set("PodName", pod);
    }
    if let (Some(time), Some(raw)) = (row.spec.time, record.text("time")) {
        row.set_text(time, raw);
    }
    let id = record.text("resourceId").unwrap_or_default().to_lowercase();
    row.set("_ResourceId", id);
    row.set("Type", table.to_owned());
    row.set("SourceSystem", "Azure");
    row.identified = true;
    Mapped::Row(Box::new(row))
}

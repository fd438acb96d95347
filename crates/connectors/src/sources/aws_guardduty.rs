//! GuardDuty findings to `AWSGuardDuty`: as exported to S3, as `get-findings` gives them (`Findings`, capitalised), and in
//! EventBridge messages.

use std::borrow::Cow;

use super::guide::Guide;
use super::{Mapped, Maps, Place, Record, Source, members, row_of};
use crate::fields::FieldList;

pub(super) static FINDING: Source =
    Source { name: "aws-guardduty", recognise: is_finding, map: map_finding, guide: Some(&GUIDE) };
pub(super) static WRAPPED: Source =
    Source { name: "aws-guardduty-wrapped", recognise: is_wrapped, map: unwrap, guide: None };

const TABLE: &str = "AWSGuardDuty";

static GUIDE: Guide = Guide {
    page: "aws-guardduty",
    title: "AWS GuardDuty findings",
    tables: &[TABLE],
    exports: &[
        (
            "aws s3 sync s3://BUCKET/AWSLogs/ACCOUNT/GuardDuty/ guardduty/",
            "findings updated within the export's interval come once",
        ),
        (
            "aws guardduty get-findings --detector-id ID --finding-ids ... > findings.json",
            "at most 50 ids a call; list-findings gives archived ones only with a criterion",
        ),
    ],
    recognised: "schemaVersion, type and severity with service or resource",
    fields: &[&FIELDS],
    notes: &["TimeGenerated is updatedAt: one row for every update of a finding."],
};

static FIELDS: FieldList = FieldList {
    name: "aws-guardduty",
    named_like: &[],
    fields: &[
        ("schemaVersion", "SchemaVersion"),
        ("accountId", "AccountId"),
        ("region", "Region"),
        ("partition", "Partition"),
        ("id", "Id"),
        ("arn", "Arn"),
        ("type", "ActivityType"),
        ("resource", "ResourceDetails"),
        ("service", "ServiceDetails"),
        ("severity", "Severity"),
        ("createdAt", "TimeCreated"),
        ("updatedAt", "TimeGenerated"),
        ("title", "Title"),
        ("description", "Description"),
        ("confidence", ""),
    ],
};

fn either<'r>(record: &Record<'r>, name: &str) -> Option<&'r str> {
    let capital = format!("{}{}", name.get(..1).unwrap_or_default().to_uppercase(), name.get(1..).unwrap_or_default());
    record.raw(name).or_else(|| record.raw(&capital))
}

fn is_finding(record: &Record<'_>) -> bool {
    let has = |name| either(record, name).is_some();
    has("schemaVersion") && has("type") && has("severity") && has("accountId") && (has("service") || has("resource"))
}

fn map_finding<'r>(record: &Record<'r>, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let mut row = match row_of(record, maps, TABLE, &FIELDS, "AWS") {
        Ok(row) => row,
        Err(other) => return other,
    };
    if record.has("SchemaVersion") {
        // The names of the API: not lost case, another form.
        row.mended.clear();
    }
    // Severity is a whole number in the table; findings have 8.5 and the like.
    if let (Some(column), Some(raw)) = (row.spec.column("Severity"), either(record, "severity"))
        && let Ok(severity) = raw.parse::<f64>()
    {
        row.misfits.retain(|(misfit, _)| *misfit != column);
        row.set_text(column, format!("{}", severity.trunc()));
    }
    if let (Some(time), Some(created)) = (row.spec.time, row.spec.column("TimeCreated"))
        && row.ticks(time).is_none()
        && let Some(cell) = row.cells.get(created).cloned()
    {
        row.put(time, cell);
    }
    row.identified = !row.text("Id").is_empty();
    Mapped::Row(Box::new(row))
}

fn is_wrapped(record: &Record<'_>) -> bool {
    record.has("detail-type")
        && record
            .raw("detail")
            .is_some_and(|raw| members(raw).is_some_and(|members| is_finding(&Record { text: raw, members: &members })))
}

fn unwrap<'r>(record: &Record<'r>, _maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    match record.raw("detail") {
        Some(detail) => Mapped::Inner(Cow::Borrowed(detail)),
        None => Mapped::Other("message without a finding".into()),
    }
}

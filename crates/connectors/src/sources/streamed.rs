//! Defender's events as the streaming API sends them: an envelope whose category names the advanced-hunting table.
//!
//! Results of hunting queries are rows whose columns name the table: see `exported`.

use super::guide::Guide;
use super::{Mapped, Maps, Place, Record, Source, row_of};
use crate::fields::FieldList;
use crate::row::Cell;

pub(super) static DEFENDER: Source = Source { name: "defender-hunting", recognise: is_event, map, guide: Some(&GUIDE) };

static GUIDE: Guide = Guide {
    page: "defender-hunting",
    title: "Defender advanced hunting (Device*, Email*, Identity*, CloudAppEvents, Url*)",
    tables: &[
        "DeviceEvents",
        "DeviceFileEvents",
        "DeviceImageLoadEvents",
        "DeviceInfo",
        "DeviceLogonEvents",
        "DeviceNetworkEvents",
        "DeviceNetworkInfo",
        "DeviceProcessEvents",
        "DeviceRegistryEvents",
        "EmailEvents",
        "EmailAttachmentInfo",
        "EmailUrlInfo",
        "EmailPostDeliveryEvents",
        "IdentityLogonEvents",
        "IdentityQueryEvents",
        "IdentityDirectoryEvents",
        "CloudAppEvents",
        "UrlClickEvents",
        "AlertInfo",
        "AlertEvidence",
    ],
    exports: &[
        (
            "Defender portal: Advanced hunting, run, Export",
            "30,000 rows and 30 days; the file has the query's columns only",
        ),
        ("POST https://graph.microsoft.com/v1.0/security/runHuntingQuery", "100,000 rows, 50 MB, 30 days"),
        ("Streaming API to a storage account or an Event Hub", ""),
    ],
    recognised: "category AdvancedHunting-TABLE; results by their columns (`Timestamp` in place of TimeGenerated), or by a file named after the table",
    fields: &[&FIELDS],
    notes: &["Fields of `properties` go to the columns named like them.", "TimeGenerated is Timestamp."],
};

static FIELDS: FieldList = FieldList {
    name: "defender-hunting",
    named_like: &["properties"],
    fields: &[
        ("time", "TimeGenerated"),
        ("tenantId", ""),
        ("operationName", ""),
        ("category", ""),
        ("Tenant", ""),
        ("_TimeReceivedBySvc", ""),
    ],
};

const PREFIX: &str = "AdvancedHunting-";

fn is_event(record: &Record<'_>) -> bool {
    record.has("properties") && record.text("category").is_some_and(|category| category.starts_with(PREFIX))
}

fn map<'r>(record: &Record<'r>, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let category = record.text("category").unwrap_or_default();
    let table = category.strip_prefix(PREFIX).unwrap_or(&category).to_owned();
    let mut row = match row_of(record, maps, &table, &FIELDS, "Microsoft 365 Defender") {
        Ok(row) => row,
        Err(other) => return other,
    };
    if let (Some(time), Some(ticks)) =
        (row.spec.time, row.spec.column("Timestamp").and_then(|column| row.ticks(column)))
    {
        row.put(time, Cell::Long(ticks));
    }
    row.identified = !row.text("ReportId").is_empty();
    Mapped::Row(Box::new(row))
}

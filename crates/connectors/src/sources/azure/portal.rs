//! The Activity Log as the portal downloads it: a file of columns with the names that the portal displays.
//!
//! Operations are display names, and there are no ids: what maps is mapped, and a better export is named.

use crate::fields::FieldList;
use crate::sources::{Mapped, Maps, Place, Record, Source, row_of};

pub(in crate::sources) static ACTIVITY: Source =
    Source { name: "azure-activity-portal", recognise: is_download, map, guide: None };

static FIELDS: FieldList = FieldList {
    name: "azure-activity-portal",
    named_like: &[],
    fields: &[
        ("Time", "TimeGenerated"),
        ("Time stamp", "TimeGenerated"),
        ("Correlation id", "CorrelationId"),
        ("Operation name", "OperationNameValue"),
        ("Status", "ActivityStatusValue"),
        ("Event category", "CategoryValue"),
        ("Level", "Level"),
        ("Subscription", "SubscriptionId"),
        ("Event initiated by", "Caller"),
        ("Resource type", "ResourceProviderValue"),
        ("Resource group", "ResourceGroup"),
        ("Resource", "Resource"),
    ],
};

fn is_download(record: &Record<'_>) -> bool {
    let has = |name| record.has_either(name) || record.has(name);
    has("Operation name") && has("Event initiated by") && (has("Event category") || has("Correlation id"))
}

fn map<'r>(record: &Record<'r>, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let mut row = match row_of(record, maps, "AzureActivity", &FIELDS, "Azure") {
        Ok(row) => row,
        Err(other) => return other,
    };
    row.mended.clear();
    row.mended
        .push("display names of the portal, without ids: `az monitor activity-log list` gives the records themselves");
    Mapped::Row(Box::new(row))
}

//! Graph `alerts_v2` to `SecurityAlert`.
//!
//! Product and provider names are those that the connectors of each service write; evidence becomes `Entities` in the
//! form of alerts in the workspace (see `entities`).

use std::borrow::Cow;

use super::entities::entities_of;
use crate::batch::key_of;
use crate::fields::FieldList;
use crate::json::{scan, text};
use crate::row::Row;
use crate::sources::guide::Guide;
use crate::sources::{Mapped, Maps, Place, Record, Source, string};

pub(in crate::sources) static ALERT: Source =
    Source { name: "graph-alert", recognise: is_alert, map, guide: Some(&GUIDE) };

const TABLE: &str = "SecurityAlert";

static GUIDE: Guide = Guide {
    page: "graph-alerts",
    title: "Microsoft Graph security alerts (alerts_v2)",
    tables: &["SecurityAlert"],
    exports: &[("GET https://graph.microsoft.com/v1.0/security/alerts_v2", "50 a page unless $top")],
    recognised: "severity, title and a service or evidence",
    fields: &[],
    notes: &["Status is New, as alerts are written. Evidence becomes Entities."],
};

static FIELDS: FieldList = FieldList {
    name: "graph-alert",
    named_like: &[],
    fields: &[
        ("createdDateTime", "TimeGenerated"),
        ("createdDateTime", "ProcessingEndTime"),
        ("firstActivityDateTime", "StartTime"),
        ("lastActivityDateTime", "EndTime"),
        ("title", "AlertName"),
        ("title", "DisplayName"),
        ("description", "Description"),
        ("alertWebUrl", "AlertLink"),
        ("recommendedActions", "RemediationSteps"),
        ("category", "Tactics"),
        ("mitreTechniques", "Techniques"),
        ("id", "VendorOriginalId"),
        ("providerAlertId", ""),
        ("severity", ""),
        ("status", ""),
        ("serviceSource", ""),
        ("productName", ""),
        ("detectionSource", ""),
        ("detectorId", ""),
        ("incidentId", ""),
        ("incidentWebUrl", ""),
        ("tenantId", ""),
        ("evidence", ""),
        ("@odata.type", ""),
    ],
};

/// (serviceSource, ProductName, ProviderName)
const SERVICES: &[(&str, &str, &str)] = &[
    ("microsoftDefenderForEndpoint", "Microsoft Defender Advanced Threat Protection", "MDATP"),
    ("azureAdIdentityProtection", "Azure Active Directory Identity Protection", "IPC"),
    ("microsoftDefenderForCloudApps", "Microsoft Cloud App Security", "MCAS"),
    ("microsoftDefenderForIdentity", "Azure Advanced Threat Protection", "Azure Advanced Threat Protection"),
    ("microsoftDefenderForOffice365", "Office 365 Advanced Threat Protection", "OATP"),
    ("microsoft365Defender", "Microsoft 365 Defender", "MicrosoftThreatProtection"),
    ("microsoftDefenderForCloud", "Azure Security Center", "Azure Security Center"),
];

fn is_alert(record: &Record<'_>) -> bool {
    record.has("severity")
        && record.has("title")
        && (record.has("serviceSource") || record.has("evidence") && record.has("createdDateTime"))
}

fn map<'r>(record: &Record<'r>, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let Some(spec) = maps.table(TABLE) else { return Mapped::Other(format!("record of {TABLE}").into()) };
    let mut row = Row::new(&spec);
    let _ = maps.fields(&FIELDS, &spec).apply(record.text, record.members, &mut row);
    row.fill("VendorOriginalId", record.text("providerAlertId").unwrap_or_default());
    row.set("AlertSeverity", capitalised(&record.text("severity").unwrap_or_default()));
    row.set("Status", "New");
    row.set("VendorName", "Microsoft");
    row.set("SourceSystem", "Detection");
    row.set("Type", TABLE);
    if let Some(column) = spec.column("IsIncident") {
        row.set_text(column, "false");
    }
    let service = record.text("serviceSource").unwrap_or_default();
    match SERVICES.iter().find(|(name, _, _)| name.eq_ignore_ascii_case(&service)) {
        Some((_, product, provider)) => {
            row.set("ProductName", *product);
            row.set("ProviderName", *provider);
        }
        None => {
            row.set("ProductName", record.text("productName").unwrap_or_else(|| service.clone()));
            row.set("ProviderName", service);
        }
    }
    row.set("AlertType", record.text("detectorId").unwrap_or_default());
    row.set("ExtendedProperties", extended(record));
    if let Some(evidence) = record.raw("evidence").and_then(|raw| scan::elements(raw, usize::MAX)) {
        row.set("Entities", entities_of(&evidence));
    }
    let id = row.text("VendorOriginalId").to_owned();
    row.identified = !id.is_empty();
    let key = key_of(&["graph-alert", record.text]);
    row.set("SystemAlertId", crate::batch::guid_text(&key));
    Mapped::Row(Box::new(row))
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

/// What has no column of its own, every value a text, as the service writes them.
fn extended(record: &Record<'_>) -> String {
    const NAMES: &[&str] = &[
        "detectorId",
        "detectionSource",
        "serviceSource",
        "incidentId",
        "incidentWebUrl",
        "determination",
        "classification",
        "assignedTo",
        "actorDisplayName",
        "threatFamilyName",
    ];
    let members: Vec<String> = NAMES
        .iter()
        .filter_map(|name| {
            let raw = record.raw(name).filter(|raw| *raw != "null")?;
            let value = string(raw).unwrap_or(Cow::Borrowed(raw));
            Some(format!("{}:{}", text::quoted(name), text::quoted(&value)))
        })
        .collect();
    format!("{{{}}}", members.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_capitalised() {
        assert_eq!(capitalised("informational"), "Informational");
        assert_eq!(capitalised(""), "");
    }
}

//! Identity Protection's detections and risky identities from Graph, to the tables that diagnostic settings fill.

use super::finish;
use crate::fields::FieldList;
use crate::sources::guide::Guide;
use crate::sources::{Mapped, Maps, Place, Record, Source, row_of};

pub(in crate::sources) static GRAPH: Source =
    Source { name: "entra-risk-graph", recognise: |record| table_of(record).is_some(), map, guide: Some(&GUIDE) };

static GUIDE: Guide = Guide {
    page: "entra-risk",
    title: "Entra ID Protection: risk detections and risky identities",
    tables: &["AADUserRiskEvents", "AADRiskyUsers", "AADServicePrincipalRiskEvents", "AADRiskyServicePrincipals"],
    exports: &[
        (
            "GET https://graph.microsoft.com/v1.0/identityProtection/riskDetections?$top=500",
            "90 days; 20 a page unless $top",
        ),
        ("GET https://graph.microsoft.com/v1.0/identityProtection/riskyUsers", "the state now, not its history"),
        ("Diagnostic settings: UserRiskEvents, RiskyUsers", "see entra-other"),
    ],
    recognised: "riskState and riskLevel with riskEventType (a detection) or riskLastUpdatedDateTime (an identity)",
    fields: &[&FIELDS],
    notes: &[
        "Fields not listed go to the column named like them.",
        "TimeGenerated is the last update, else the detection.",
    ],
};

static FIELDS: FieldList = FieldList {
    name: "entra-risk",
    named_like: &[""],
    fields: &[
        ("@odata.type", ""),
        ("@odata.context", ""),
        ("detectedDateTime", "TimeGenerated"),
        ("detectedDateTime", "DetectedDateTime"),
        ("riskLastUpdatedDateTime", "TimeGenerated"),
        ("riskLastUpdatedDateTime", "RiskLastUpdatedDateTime"),
        ("appId", "AppId"),
    ],
};

fn table_of(record: &Record<'_>) -> Option<&'static str> {
    if !record.has("riskState") || !record.has("riskLevel") {
        return None;
    }
    let service = record.has("servicePrincipalId") || record.has("servicePrincipalType");
    match (record.has("riskEventType"), record.has("riskLastUpdatedDateTime")) {
        (true, _) if service => Some("AADServicePrincipalRiskEvents"),
        (true, _) => Some("AADUserRiskEvents"),
        (false, true) if service => Some("AADRiskyServicePrincipals"),
        (false, true) => Some("AADRiskyUsers"),
        (false, false) => None,
    }
}

fn map<'r>(record: &Record<'r>, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let table = table_of(record).unwrap_or("AADUserRiskEvents");
    let mut row = match row_of(record, maps, table, &FIELDS, "Azure AD") {
        Ok(row) => row,
        Err(other) => return other,
    };
    if let (Some(time), Some(updated)) = (row.spec.time, row.spec.column("LastUpdatedDateTime"))
        && let Some(ticks) = row.ticks(updated)
    {
        row.put(time, crate::row::Cell::Long(ticks));
    }
    finish(&mut row, record);
    row.identified = !row.text("Id").is_empty();
    Mapped::Row(Box::new(row))
}

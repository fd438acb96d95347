//! Entra's other diagnostic logs (provisioning, risk, Graph activity): each column takes the property named like it.

use super::{finish, is_directory};
use crate::fields::FieldList;
use crate::row::Row;
use crate::sources::guide::Guide;
use crate::sources::{Mapped, Maps, Place, Record, Source};

pub(in crate::sources) static DIAGNOSTIC: Source =
    Source { name: "entra-other", recognise: is_diagnostic, map, guide: Some(&GUIDE) };

/// (category, table)
const TABLES: &[(&str, &str)] = &[
    ("ProvisioningLogs", "AADProvisioningLogs"),
    ("ADFSSignInLogs", "ADFSSignInLogs"),
    ("RiskyUsers", "AADRiskyUsers"),
    ("UserRiskEvents", "AADUserRiskEvents"),
    ("RiskyServicePrincipals", "AADRiskyServicePrincipals"),
    ("ServicePrincipalRiskEvents", "AADServicePrincipalRiskEvents"),
    ("MicrosoftGraphActivityLogs", "MicrosoftGraphActivityLogs"),
    ("NetworkAccessTrafficLogs", "NetworkAccessTraffic"),
    ("B2CRequestLogs", "AADB2CRequestLogs"),
];

static GUIDE: Guide = Guide {
    page: "entra-other",
    title: "Other logs of Entra: provisioning, risk, Graph activity",
    tables: &[
        "AADProvisioningLogs",
        "ADFSSignInLogs",
        "AADRiskyUsers",
        "AADUserRiskEvents",
        "AADRiskyServicePrincipals",
        "AADServicePrincipalRiskEvents",
        "MicrosoftGraphActivityLogs",
        "NetworkAccessTraffic",
        "AADB2CRequestLogs",
    ],
    exports: &[(
        "Diagnostic settings: ProvisioningLogs, UserRiskEvents, RiskyUsers, MicrosoftGraphActivityLogs...",
        "",
    )],
    recognised: "the category",
    fields: &[&FIELDS],
    notes: &["Fields of the record and of properties go to the columns named like them."],
};

static FIELDS: FieldList = FieldList {
    name: "entra-other",
    named_like: &["", "properties"],
    fields: &[
        ("time", "TimeGenerated"),
        ("tenantId", "AADTenantId"),
        ("tenantId", "AadTenantId"),
        ("callerIpAddress", "IPAddress"),
    ],
};

fn table_of(record: &Record<'_>) -> Option<&'static str> {
    let category = record.text("category")?;
    TABLES.iter().find(|(name, _)| name.eq_ignore_ascii_case(&category)).map(|(_, table)| *table)
}

fn is_diagnostic(record: &Record<'_>) -> bool {
    record.has_either("properties") && (table_of(record).is_some() || is_directory(record))
}

fn map<'r>(record: &Record<'r>, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let Some(spec) = table_of(record).and_then(|table| maps.table(table)) else {
        let category = record.text("category").unwrap_or_default();
        return Mapped::Other(format!("Entra log of category {category}").into());
    };
    let mut row = Row::new(&spec);
    let _ = maps.fields(&FIELDS, &spec).apply(record.text, record.members, &mut row);
    finish(&mut row, record);
    row.identified = !row.text("Id").is_empty() || !row.text("CorrelationId").is_empty();
    Mapped::Row(Box::new(row))
}

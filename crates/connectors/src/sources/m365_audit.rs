//! The unified audit log of Microsoft 365 to `OfficeActivity`: records of the management API, and the portal's and
//! PowerShell's exports, whose rows hold the record as text in `AuditData`.

use std::borrow::Cow;

use super::guide::Guide;
use super::{Mapped, Maps, Place, Record, Source, members, row_of, string};
use crate::fields::FieldList;
use crate::row::Row;

pub(super) static RECORD: Source =
    Source { name: "m365-audit", recognise: is_record, map: map_record, guide: Some(&GUIDE) };
pub(super) static WRAPPED: Source =
    Source { name: "m365-audit-wrapped", recognise: is_wrapped, map: unwrap, guide: None };

const TABLE: &str = "OfficeActivity";

static GUIDE: Guide = Guide {
    page: "m365-audit",
    title: "Microsoft 365 unified audit log",
    tables: &[TABLE],
    exports: &[
        ("Purview portal: Audit, search, Export", "50,000 rows a search; standard audit goes back 180 days"),
        (
            "Search-UnifiedAuditLog -StartDate ... -EndDate ... -SessionCommand ReturnLargeSet -ResultSize 5000 | Export-Csv ual.csv",
            "100 rows unless -ResultSize; 5,000 a page and 50,000 a session",
        ),
        ("Office 365 Management Activity API: content blobs as JSON", "seven days back"),
    ],
    recognised: "Operation, Workload and CreationTime; rows with AuditData",
    fields: &[&FIELDS],
    notes: &[
        "Fields not listed go to the column named like them.",
        "RecordType, UserType and Logon_Type are the names of their numbers where they are known, else the number.",
        "CreationTime has no zone: it is UTC. A workspace only keeps Exchange, SharePoint, OneDrive and Teams; here all workloads are rows.",
    ],
};

static FIELDS: FieldList = FieldList {
    name: "m365-audit",
    named_like: &[""],
    fields: &[
        ("CreationTime", "TimeGenerated"),
        ("Id", "OfficeId"),
        ("RecordType", ""),
        ("UserType", ""),
        ("LogonType", ""),
        ("Version", ""),
        ("Workload", "OfficeWorkload"),
        ("ObjectId", "OfficeObjectId"),
        ("ClientIP", "ClientIP"),
        ("ClientIPAddress", "Client_IPAddress"),
        ("SiteUrl", "Site_Url"),
        ("Site", "Site_"),
        ("SourceName", "Source_Name"),
        ("EventData", "Event_Data"),
        ("ModifiedObjectResolvedName", "ModifiedObjectResolvedName"),
        ("AzureActiveDirectoryEventType", "AzureActiveDirectory_EventType"),
        ("Target", "AADTarget"),
        ("TargetContextId", "TargetContextId"),
        ("OrganizationId", "OrganizationId"),
        ("OrganizationId", "OfficeTenantId"),
        ("StartTime", "Start_Time"),
        ("AppId", "AppId"),
        ("ClientAppId", "ClientAppId"),
        ("ItemName", "ItemName"),
    ],
};

const RECORD_TYPES: &[(&str, &str)] = &[
    ("1", "ExchangeAdmin"),
    ("2", "ExchangeItem"),
    ("3", "ExchangeItemGroup"),
    ("4", "SharePoint"),
    ("6", "SharePointFileOperation"),
    ("7", "OneDrive"),
    ("8", "AzureActiveDirectory"),
    ("9", "AzureActiveDirectoryAccountLogon"),
    ("10", "DataCenterSecurityCmdlet"),
    ("11", "ComplianceDLPSharePoint"),
    ("13", "ComplianceDLPExchange"),
    ("14", "SharePointSharingOperation"),
    ("15", "AzureActiveDirectoryStsLogon"),
    ("18", "SecurityComplianceCenterEOPCmdlet"),
    ("20", "PowerBIAudit"),
    ("21", "CRM"),
    ("22", "Yammer"),
    ("24", "Discovery"),
    ("25", "MicrosoftTeams"),
    ("28", "ThreatIntelligence"),
    ("30", "MicrosoftFlow"),
    ("31", "AeD"),
    ("32", "MicrosoftStream"),
    ("35", "Project"),
    ("36", "SharePointListOperation"),
    ("40", "SecurityComplianceAlerts"),
    ("41", "ThreatIntelligenceUrl"),
    ("47", "ThreatIntelligenceAtpContent"),
    ("50", "ExchangeItemAggregated"),
    ("54", "SharePointListItemOperation"),
    ("55", "SharePointContentTypeOperation"),
    ("56", "SharePointFieldOperation"),
    ("64", "AirInvestigation"),
];

const USER_TYPES: &[(&str, &str)] = &[
    ("0", "Regular"),
    ("1", "Reserved"),
    ("2", "Admin"),
    ("3", "DcAdmin"),
    ("4", "System"),
    ("5", "Application"),
    ("6", "ServicePrincipal"),
    ("7", "CustomPolicy"),
    ("8", "SystemPolicy"),
];

const LOGON_TYPES: &[(&str, &str)] = &[("0", "Owner"), ("1", "Admin"), ("2", "Delegated"), ("3", "Transport")];

fn is_record(record: &Record<'_>) -> bool {
    record.has("Operation")
        && record.has("Workload")
        && record.has("CreationTime")
        && (record.has("UserType") || record.has("RecordType"))
}

fn map_record<'r>(record: &Record<'r>, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let mut row = match row_of(record, maps, TABLE, &FIELDS, "OfficeActivityManager") {
        Ok(row) => row,
        Err(other) => return other,
    };
    named(record, &mut row, "RecordType", "RecordType", RECORD_TYPES);
    named(record, &mut row, "UserType", "UserType", USER_TYPES);
    named(record, &mut row, "LogonType", "Logon_Type", LOGON_TYPES);
    let address = row.text("Client_IPAddress").to_owned();
    row.fill("ClientIP", address);
    row.identified = !row.text("OfficeId").is_empty();
    Mapped::Row(Box::new(row))
}

/// A number by its name, where it has one.
fn named<'r>(record: &Record<'r>, row: &mut Row<'r>, field: &str, column: &str, names: &[(&str, &'static str)]) {
    let Some(raw) = record.raw(field).filter(|raw| *raw != "null") else { return };
    let plain = string(raw).unwrap_or(Cow::Borrowed(raw));
    match names.iter().find(|(number, _)| *number == plain) {
        Some((_, name)) => row.set(column, *name),
        None => row.set(column, plain),
    }
}

fn is_wrapped(record: &Record<'_>) -> bool {
    record.raw("AuditData").or_else(|| record.raw("auditData")).is_some_and(|raw| match raw.starts_with('"') {
        true => string(raw).is_some_and(|text| members(&text).is_some()),
        false => raw.starts_with('{'),
    })
}

fn unwrap<'r>(record: &Record<'r>, _maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    match record.raw("AuditData").or_else(|| record.raw("auditData")) {
        Some(raw) => Mapped::Inner(string(raw).unwrap_or(Cow::Borrowed(raw))),
        None => Mapped::Other("row without AuditData".into()),
    }
}

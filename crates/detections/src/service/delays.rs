//! How late the records of a source usually are, for rows that say nothing of when they arrived.
//!
//! The numbers are ours, from the middle of what the vendors document: CloudTrail 5 to 15 minutes, Azure Activity 3 to 20, Entra
//! sign-ins and audit events 2 to 15 with days of two hours, other tables of a workspace a few minutes.

use engine::ArrivalDelays;
use kql_types::datetime::TICKS_PER_SECOND;

const MINUTE: i64 = 60 * TICKS_PER_SECOND;

const KNOWN: &[(&str, i64)] = &[
    ("AWSCloudTrail", 10),
    ("AzureActivity", 10),
    ("SigninLogs", 10),
    ("AADNonInteractiveUserSignInLogs", 10),
    ("AADServicePrincipalSignInLogs", 10),
    ("AADManagedIdentitySignInLogs", 10),
    ("AuditLogs", 10),
    ("OfficeActivity", 30),
    // The service writes these itself.
    ("SecurityAlert", 0),
    ("SecurityIncident", 0),
];

/// The usual delays.
pub fn default_delays() -> ArrivalDelays {
    let by_table = KNOWN.iter().map(|(table, minutes)| (table.to_string(), minutes * MINUTE)).collect();
    ArrivalDelays { by_table, other: 3 * MINUTE }
}

//! What is known of single tables beyond their columns: reference data, and spellings rules use for a column.

use kql_types::Column;

use crate::TableRole;

/// Tables that hold the state of things rather than what happened: a rule over the last hour still needs all of them.
const REFERENCE: &[&str] = &[
    "ConfidentialWatchlist",
    "DeviceBaselineComplianceAssessmentKB",
    "DeviceTvmBrowserExtensionsKB",
    "DeviceTvmInfoGatheringKB",
    "DeviceTvmSecureConfigurationAssessmentKB",
    "DeviceTvmSoftwareVulnerabilitiesKB",
    "ExposureGraphEdges",
    "ExposureGraphNodes",
    "IdentityAccountInfo",
    "IdentityInfo",
    "QualysKB_CL",
    "ThreatIntelIndicators",
    "ThreatIntelObjects",
    "ThreatIntelligenceIndicator",
    "UserAccessAnalytics",
    "UserPeerAnalytics",
    "Watchlist",
];

/// (table, alias, column). `AWSCloudTrail | project AwsRegion` is an unknown column in the service.
const ALIASES: &[(&str, &str, &str)] = &[("AWSCloudTrail", "AwsRegion", "AWSRegion")];

pub(crate) fn role_of(table: &str) -> TableRole {
    match REFERENCE.binary_search(&table) {
        Ok(_) => TableRole::Reference,
        Err(_) => TableRole::Events,
    }
}

pub(crate) fn aliases_of(table: &str, columns: &[Column]) -> Vec<(String, String)> {
    let has = |name: &str| columns.iter().any(|column| column.name == name);
    ALIASES
        .iter()
        .filter(|(owner, alias, column)| *owner == table && has(column) && !has(alias))
        .map(|(_, alias, column)| ((*alias).to_owned(), (*column).to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_list_is_sorted_for_the_search() {
        assert!(REFERENCE.is_sorted());
        assert_eq!(role_of("IdentityInfo"), TableRole::Reference);
        assert_eq!(role_of("AWSCloudTrail"), TableRole::Events);
    }
}

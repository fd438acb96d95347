//! The entity types of the service: their identifiers, and which of them an entity needs.
//!
//! The table is that of the service's own validator; `AddressScope` is documented besides.

/// One type of entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntityType {
    /// As rules spell it.
    pub name: &'static str,
    pub identifiers: &'static [&'static str],
    /// One of these is needed, or all where [`EntityType::needs_all`] says so.
    pub required: &'static [&'static str],
    pub needs_all: bool,
    /// Any of these sets says who it is without doubt.
    pub strong: &'static [&'static [&'static str]],
}

impl EntityType {
    /// Whether the type has such an identifier.
    pub fn takes(&self, identifier: &str) -> bool {
        self.identifiers.contains(&identifier)
    }

    /// Whether these identifiers are enough for a mapping.
    pub fn is_identified_by(&self, identifiers: &[&str]) -> bool {
        let mut required = self.required.iter();
        let has = |wanted: &&str| identifiers.contains(wanted);
        if self.needs_all { required.all(has) } else { required.any(has) }
    }

    /// What a mapping needs, in words.
    pub fn needs(&self) -> String {
        let word = if self.needs_all { " and " } else { " or " };
        self.required.join(word)
    }

    /// Whether these identifiers are strong: enough to say that two entities are one.
    pub fn is_strong(&self, has: impl Fn(&str) -> bool) -> bool {
        self.strong.iter().any(|set| set.iter().all(|identifier| has(identifier)))
    }
}

/// The type of this name; case counts little.
pub fn find(name: &str) -> Option<&'static EntityType> {
    ENTITY_TYPES.iter().find(|known| known.name.eq_ignore_ascii_case(name))
}

/// Columns of the old way to map entities, with the type each stands for.
pub const CUSTOM_COLUMNS: &[(&str, &str)] = &[
    ("AccountCustomEntity", "Account"),
    ("FileHashCustomEntity", "FileHash"),
    ("HostCustomEntity", "Host"),
    ("IPCustomEntity", "IP"),
    ("ProcessCustomEntity", "Process"),
    ("URLCustomEntity", "URL"),
];

const fn any(
    name: &'static str,
    identifiers: &'static [&'static str],
    required: &'static [&'static str],
    strong: &'static [&'static [&'static str]],
) -> EntityType {
    EntityType { name, identifiers, required, needs_all: false, strong }
}

const fn all(
    name: &'static str,
    identifiers: &'static [&'static str],
    required: &'static [&'static str],
    strong: &'static [&'static [&'static str]],
) -> EntityType {
    EntityType { name, identifiers, required, needs_all: true, strong }
}

/// All types.
pub const ENTITY_TYPES: &[EntityType] = &[
    any(
        "Account",
        &[
            "Name",
            "FullName",
            "NTDomain",
            "DnsDomain",
            "UPNSuffix",
            "Sid",
            "AadTenantId",
            "AadUserId",
            "PUID",
            "IsDomainJoined",
            "DisplayName",
            "ObjectGuid",
        ],
        &["FullName", "Sid", "Name", "AadUserId", "PUID", "ObjectGuid"],
        &[
            &["AadUserId"],
            &["Sid"],
            &["PUID"],
            &["ObjectGuid"],
            &["Name", "UPNSuffix"],
            &["Name", "NTDomain"],
            &["Name", "DnsDomain"],
        ],
    ),
    any("AzureResource", &["ResourceId"], &["ResourceId"], &[&["ResourceId"]]),
    any(
        "CloudApplication",
        &["AppId", "Name", "InstanceName"],
        &["AppId", "Name"],
        &[&["AppId"], &["Name", "InstanceName"]],
    ),
    any("DNS", &["DomainName"], &["DomainName"], &[&["DomainName"]]),
    any("File", &["Directory", "Name"], &["Name"], &[&["Name", "Directory"]]),
    all("FileHash", &["Algorithm", "Value"], &["Algorithm", "Value"], &[&["Algorithm", "Value"]]),
    any(
        "Host",
        &[
            "DnsDomain",
            "NTDomain",
            "HostName",
            "FullName",
            "NetBiosName",
            "AzureID",
            "OMSAgentID",
            "OSFamily",
            "OSVersion",
            "IsDomainJoined",
        ],
        &["FullName", "HostName", "NetBiosName", "AzureID", "OMSAgentID"],
        &[
            &["HostName", "DnsDomain"],
            &["HostName", "NTDomain"],
            &["NetBiosName", "DnsDomain"],
            &["NetBiosName", "NTDomain"],
            &["AzureID"],
            &["OMSAgentID"],
        ],
    ),
    any(
        "IoTDevice",
        &[
            "DeviceId",
            "DeviceName",
            "DeviceType",
            "DeviceSubType",
            "Edge",
            "FirmwareVersion",
            "Importance",
            "IoTHub",
            "IoTSecurityAgentId",
            "IpAddress",
            "MacAddress",
            "Manufacturer",
            "Model",
            "NicAddresses",
            "OperatingSystem",
            "Owners",
            "Protocols",
            "PurdueLayer",
            "Scanner",
            "Sensor",
            "SerialNumber",
            "Site",
            "Source",
            "VLANs",
            "Zone",
        ],
        &["DeviceId"],
        &[&["DeviceId", "IoTHub"]],
    ),
    any("IP", &["Address", "AddressScope"], &["Address"], &[&["Address"]]),
    any(
        "Mailbox",
        &["MailboxPrimaryAddress", "DisplayName", "Upn", "ExternalDirectoryObjectId", "RiskLevel"],
        &["MailboxPrimaryAddress"],
        &[&["MailboxPrimaryAddress"]],
    ),
    all(
        "MailCluster",
        &[
            "NetworkMessageIds",
            "CountByDeliveryStatus",
            "CountByThreatType",
            "CountByProtectionStatus",
            "Threats",
            "Query",
            "QueryTime",
            "MailCount",
            "IsVolumeAnomaly",
            "Source",
            "ClusterSourceIdentifier",
            "ClusterSourceType",
            "ClusterQueryStartTime",
            "ClusterQueryEndTime",
            "ClusterGroup",
        ],
        &["Query", "Source"],
        &[&["Query", "Source"]],
    ),
    all(
        "MailMessage",
        &[
            "Recipient",
            "Urls",
            "Threats",
            "Sender",
            "P1Sender",
            "P1SenderDisplayName",
            "P1SenderDomain",
            "SenderIP",
            "P2Sender",
            "P2SenderDisplayName",
            "P2SenderDomain",
            "ReceivedDate",
            "NetworkMessageId",
            "InternetMessageId",
            "Subject",
            "BodyFingerprintBin1",
            "BodyFingerprintBin2",
            "BodyFingerprintBin3",
            "BodyFingerprintBin4",
            "BodyFingerprintBin5",
            "AntispamDirection",
            "DeliveryAction",
            "DeliveryLocation",
            "Language",
            "ThreatDetectionMethods",
        ],
        &["NetworkMessageId", "Recipient"],
        &[&["NetworkMessageId", "Recipient"]],
    ),
    any("Malware", &["Name", "Category"], &["Name"], &[&["Name", "Category"]]),
    any(
        "Process",
        &["ProcessId", "CommandLine", "ElevationToken", "CreationTimeUtc"],
        &["CommandLine", "ProcessId"],
        &[&["ProcessId", "CreationTimeUtc"]],
    ),
    all("RegistryKey", &["Hive", "Key"], &["Hive", "Key"], &[&["Hive", "Key"]]),
    any("RegistryValue", &["Name", "Value", "ValueType"], &["Name"], &[&["Name"]]),
    any(
        "SecurityGroup",
        &["DistinguishedName", "SID", "ObjectGuid"],
        &["DistinguishedName", "SID", "ObjectGuid"],
        &[&["DistinguishedName"], &["SID"], &["ObjectGuid"]],
    ),
    any(
        "SubmissionMail",
        &[
            "SubmissionId",
            "SubmissionDate",
            "Submitter",
            "NetworkMessageId",
            "Timestamp",
            "Recipient",
            "Sender",
            "SenderIp",
            "Subject",
            "ReportType",
        ],
        &["SubmissionId", "NetworkMessageId", "Recipient", "Submitter"],
        &[&["SubmissionId", "NetworkMessageId", "Recipient", "Submitter"]],
    ),
    any("URL", &["Url"], &["Url"], &[&["Url"]]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a5_nineteen_types_with_their_identifiers() {
        assert_eq!(ENTITY_TYPES.len(), 19);
        for kind in ENTITY_TYPES {
            let mentioned = kind.required.iter().chain(kind.strong.iter().copied().flatten());
            assert!(mentioned.clone().all(|id| kind.takes(id)), "{}", kind.name);
        }
        let counts: Vec<(&str, usize)> = ENTITY_TYPES.iter().map(|t| (t.name, t.identifiers.len())).collect();
        for few in [("Account", 12), ("Host", 10), ("FileHash", 2), ("IP", 2), ("Mailbox", 5), ("SecurityGroup", 3)] {
            assert!(counts.contains(&few), "{few:?}");
        }
        let hash = find("filehash").unwrap();
        assert!(!hash.is_identified_by(&["Value"]) && hash.is_identified_by(&["Value", "Algorithm"]));
        let account = find("Account").unwrap();
        assert!(!account.is_strong(|id| id == "Name") && account.is_strong(|id| id == "Name" || id == "UPNSuffix"));
    }
}

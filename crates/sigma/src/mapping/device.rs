//! What Defender for Endpoint records on Windows, Linux and macOS.

use super::Place::{Column, Json, Kql};
use super::{Entity, Place, Rest, Target};

const HOST: Entity = ("Host", "FullName", "DeviceName");

const HASHES: &str = "strcat(\"MD5=\", MD5, \",SHA1=\", SHA1, \",SHA256=\", SHA256)";

const PROCESS_FIELDS: &[(&str, Place)] = &[
    ("Image", Column("FolderPath")),
    ("CommandLine", Column("ProcessCommandLine")),
    ("ParentImage", Column("InitiatingProcessFolderPath")),
    ("ParentCommandLine", Column("InitiatingProcessCommandLine")),
    ("User", Kql("strcat(AccountDomain, \"\\\\\", AccountName)")),
    ("ParentUser", Kql("strcat(InitiatingProcessAccountDomain, \"\\\\\", InitiatingProcessAccountName)")),
    ("OriginalFileName", Column("ProcessVersionInfoOriginalFileName")),
    ("Product", Column("ProcessVersionInfoProductName")),
    ("Company", Column("ProcessVersionInfoCompanyName")),
    ("Description", Column("ProcessVersionInfoFileDescription")),
    ("FileVersion", Column("ProcessVersionInfoProductVersion")),
    ("IntegrityLevel", Column("ProcessIntegrityLevel")),
    ("ProcessId", Column("ProcessId")),
    ("ParentProcessId", Column("InitiatingProcessId")),
    ("LogonId", Column("LogonId")),
    ("md5", Column("MD5")),
    ("sha1", Column("SHA1")),
    ("sha256", Column("SHA256")),
    ("Hashes", Kql(HASHES)),
    ("ComputerName", Column("DeviceName")),
];

/// The fields of an event of a table: who did it, and what the table has besides.
macro_rules! by_actor_fields {
    ($($more:expr),* $(,)?) => {
        &[
            ("Image", Column("InitiatingProcessFolderPath")),
            ("SourceImage", Column("InitiatingProcessFolderPath")),
            ("CommandLine", Column("InitiatingProcessCommandLine")),
            ("ParentImage", Column("InitiatingProcessParentFileName")),
            ("User", Kql("strcat(InitiatingProcessAccountDomain, \"\\\\\", InitiatingProcessAccountName)")),
            ("ProcessId", Column("InitiatingProcessId")),
            ("ComputerName", Column("DeviceName")),
            $($more),*
        ]
    };
}

const NETWORK_FIELDS: &[(&str, Place)] = by_actor_fields![
    ("DestinationIp", Column("RemoteIP")),
    ("DestinationPort", Column("RemotePort")),
    ("DestinationHostname", Column("RemoteUrl")),
    ("SourceIp", Column("LocalIP")),
    ("SourcePort", Column("LocalPort")),
    ("Protocol", Column("Protocol")),
    ("Initiated", Kql("iff(ActionType == \"InboundConnectionAccepted\", \"false\", \"true\")")),
];

const FILE_FIELDS: &[(&str, Place)] = by_actor_fields![
    ("TargetFilename", Column("FolderPath")),
    ("SourceFilename", Column("PreviousFolderPath")),
    ("md5", Column("MD5")),
    ("sha1", Column("SHA1")),
    ("sha256", Column("SHA256")),
    ("Hashes", Kql(HASHES)),
];

const REGISTRY_FIELDS: &[(&str, Place)] = by_actor_fields![
    (
        "TargetObject",
        Kql("iff(isempty(RegistryValueName), RegistryKey, strcat(RegistryKey, \"\\\\\", RegistryValueName))")
    ),
    ("Details", Column("RegistryValueData")),
    ("NewName", Column("RegistryKey")),
    (
        "EventType",
        Kql(
            "case(ActionType == \"RegistryValueSet\", \"SetValue\", ActionType == \"RegistryKeyCreated\", \"CreateKey\", ActionType == \"RegistryKeyDeleted\", \"DeleteKey\", ActionType == \"RegistryValueDeleted\", \"DeleteValue\", ActionType == \"RegistryKeyRenamed\", \"RenameKey\", ActionType)"
        )
    ),
];

const IMAGE_FIELDS: &[(&str, Place)] = by_actor_fields![
    ("ImageLoaded", Column("FolderPath")),
    ("md5", Column("MD5")),
    ("sha1", Column("SHA1")),
    ("sha256", Column("SHA256")),
    ("Hashes", Kql(HASHES)),
];

const OTHER_FIELDS: &[(&str, Place)] = by_actor_fields![
    ("ImageLoaded", Column("FolderPath")),
    ("TargetImage", Column("FolderPath")),
    ("Filename", Column("FolderPath")),
    ("ScriptBlockText", Json("AdditionalFields", "Command")),
    ("PipeName", Json("AdditionalFields", "PipeName")),
    ("QueryName", Json("AdditionalFields", "DnsQueryString")),
    ("QueryResults", Json("AdditionalFields", "DnsQueryResult")),
    ("Signature", Json("AdditionalFields", "ThreatName")),
    ("DestinationIp", Column("RemoteIP")),
    ("md5", Column("MD5")),
    ("sha1", Column("SHA1")),
    ("sha256", Column("SHA256")),
    ("Hashes", Kql(HASHES)),
];

const fn process() -> Target {
    Target {
        table: "DeviceProcessEvents",
        rows: "",
        fields: PROCESS_FIELDS,
        rest: Rest::Nothing,
        keywords: &["ProcessCommandLine", "FolderPath"],
        entities: &[HOST, ("Account", "Name", "AccountName"), ("Process", "CommandLine", "ProcessCommandLine")],
        shown: "",
        connector: "MicrosoftThreatProtection",
    }
}

const fn by_actor(table: &'static str, rows: &'static str, fields: &'static [(&'static str, Place)]) -> Target {
    Target {
        table,
        rows,
        fields,
        rest: Rest::Nothing,
        keywords: &[],
        entities: &[
            HOST,
            ("Account", "Name", "InitiatingProcessAccountName"),
            ("Process", "CommandLine", "InitiatingProcessCommandLine"),
        ],
        shown: "",
        connector: "MicrosoftThreatProtection",
    }
}

pub(super) static PROCESS: Target = process();
pub(super) static NETWORK: Target = by_actor("DeviceNetworkEvents", "", NETWORK_FIELDS);
pub(super) static FILE: Target =
    by_actor("DeviceFileEvents", "ActionType in (\"FileCreated\", \"FileModified\", \"FileRenamed\")", FILE_FIELDS);
pub(super) static FILE_DELETE: Target = by_actor("DeviceFileEvents", "ActionType == \"FileDeleted\"", FILE_FIELDS);
pub(super) static FILE_RENAME: Target = by_actor("DeviceFileEvents", "ActionType == \"FileRenamed\"", FILE_FIELDS);
pub(super) static REGISTRY: Target = by_actor("DeviceRegistryEvents", "", REGISTRY_FIELDS);
pub(super) static REGISTRY_ADD: Target =
    by_actor("DeviceRegistryEvents", "ActionType == \"RegistryKeyCreated\"", REGISTRY_FIELDS);
pub(super) static REGISTRY_DELETE: Target = by_actor(
    "DeviceRegistryEvents",
    "ActionType in (\"RegistryKeyDeleted\", \"RegistryValueDeleted\")",
    REGISTRY_FIELDS,
);
pub(super) static REGISTRY_SET: Target =
    by_actor("DeviceRegistryEvents", "ActionType == \"RegistryValueSet\"", REGISTRY_FIELDS);
pub(super) static REGISTRY_RENAME: Target =
    by_actor("DeviceRegistryEvents", "ActionType == \"RegistryKeyRenamed\"", REGISTRY_FIELDS);
pub(super) static IMAGE: Target = by_actor("DeviceImageLoadEvents", "", IMAGE_FIELDS);
pub(super) static DRIVER: Target = by_actor("DeviceEvents", "ActionType == \"DriverLoad\"", OTHER_FIELDS);
pub(super) static THREAD: Target =
    by_actor("DeviceEvents", "ActionType == \"CreateRemoteThreadApiCall\"", OTHER_FIELDS);
pub(super) static PIPE: Target = by_actor("DeviceEvents", "ActionType == \"NamedPipeEvent\"", OTHER_FIELDS);
pub(super) static DNS: Target = by_actor("DeviceEvents", "ActionType == \"DnsQueryResponse\"", OTHER_FIELDS);
pub(super) static SCRIPT: Target = by_actor("DeviceEvents", "ActionType == \"PowerShellCommand\"", OTHER_FIELDS);
pub(super) static ANTIVIRUS: Target = by_actor("DeviceEvents", "ActionType == \"AntivirusDetection\"", OTHER_FIELDS);

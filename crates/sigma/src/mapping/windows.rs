//! Windows: the Security log, Sysmon and the other event logs, beside what Defender for Endpoint records of the same.
//!
//! A category is what any of its tables says: SecurityEvent or a Device table, Event and WindowsEvent for Sysmon.

use super::Place::{Column, Json, Kql};
use super::device;
use super::{Entity, Place, Rest, Source, Target};

const EVENT_FIELDS: &[(&str, Place)] = &[
    ("EventID", Column("EventID")),
    ("Provider_Name", Column("Source")),
    ("ProviderName", Column("Source")),
    ("Source", Column("Source")),
    ("Channel", Column("EventLog")),
    ("EventLog", Column("EventLog")),
    ("ComputerName", Column("Computer")),
    ("Computer", Column("Computer")),
    ("Level", Column("EventLevel")),
    ("Message", Column("RenderedDescription")),
];
const EVENT_ENTITIES: &[Entity] = &[("Host", "FullName", "Computer")];

/// The agent's table of event logs, values as XML.
const fn event(rows: &'static str) -> Target {
    Target {
        table: "Event",
        rows,
        fields: EVENT_FIELDS,
        rest: Rest::Xml("EventData"),
        keywords: &["EventData", "RenderedDescription", "ParameterXml"],
        entities: EVENT_ENTITIES,
        shown: "",
        connector: "WindowsEvents",
    }
}

const FORWARDED_FIELDS: &[(&str, Place)] = &[
    ("EventID", Column("EventID")),
    ("Provider_Name", Column("Provider")),
    ("ProviderName", Column("Provider")),
    ("Channel", Column("Channel")),
    ("ComputerName", Column("Computer")),
    ("Computer", Column("Computer")),
    ("Level", Column("EventLevel")),
    // Values that are system columns in other tables are the event's own here.
    ("Data", Column("EventData")),
    ("User", Json("EventData", "User")),
];

/// The collector's table of event logs, values as an object.
const fn forwarded(rows: &'static str) -> Target {
    Target {
        table: "WindowsEvent",
        rows,
        fields: FORWARDED_FIELDS,
        rest: Rest::Member("EventData"),
        keywords: &["EventData"],
        entities: EVENT_ENTITIES,
        shown: "",
        connector: "WindowsForwardedEvents",
    }
}

static SECURITY: Target = Target {
    table: "SecurityEvent",
    rows: "",
    fields: &[
        ("Provider_Name", Column("EventSourceName")),
        ("ComputerName", Column("Computer")),
        ("Workstation", Column("WorkstationName")),
        ("SourceIp", Column("IpAddress")),
        ("SourcePort", Column("IpPort")),
        ("User", Column("SubjectUserName")),
        ("LogonId", Column("SubjectLogonId")),
        ("ServiceFileName", Column("ServiceFileName")),
        ("ProcessCommandLine", Column("CommandLine")),
    ],
    rest: Rest::Xml("EventData"),
    keywords: &[],
    entities: &[("Host", "FullName", "Computer"), ("Account", "FullName", "Account"), ("IP", "Address", "IpAddress")],
    shown: "",
    connector: "SecurityEvents",
};

static SECURITY_FORWARDED: Target = forwarded("Channel == \"Security\"");

/// Processes of the Security log.
static CREATION: Target = Target {
    table: "SecurityEvent",
    rows: "EventID == 4688",
    fields: &[
        ("Image", Column("NewProcessName")),
        ("ParentImage", Column("ParentProcessName")),
        ("CommandLine", Column("CommandLine")),
        ("User", Kql("strcat(SubjectDomainName, \"\\\\\", SubjectUserName)")),
        ("LogonId", Column("SubjectLogonId")),
        ("ProcessId", Column("NewProcessId")),
        ("ParentProcessId", Column("ProcessId")),
        (
            "IntegrityLevel",
            Kql(
                "case(MandatoryLabel endswith \"-16384\", \"System\", MandatoryLabel endswith \"-12288\", \"High\", MandatoryLabel endswith \"-8192\", \"Medium\", MandatoryLabel endswith \"-4096\", \"Low\", MandatoryLabel)",
            ),
        ),
        ("ComputerName", Column("Computer")),
        ("EventID", Column("EventID")),
    ],
    rest: Rest::Nothing,
    keywords: &["CommandLine", "NewProcessName"],
    entities: &[
        ("Host", "FullName", "Computer"),
        ("Account", "FullName", "Account"),
        ("Process", "CommandLine", "CommandLine"),
    ],
    shown: "",
    connector: "SecurityEvents",
};

static PROCESS_CREATION: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 1");
static PROCESS_CREATION_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 1");
static FILE_CHANGE: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 2");
static FILE_CHANGE_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 2");
static NETWORK_CONNECTION: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 3");
static NETWORK_CONNECTION_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 3");
static SYSMON_STATUS: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID in (4, 16)");
static SYSMON_STATUS_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID in (4, 16)");
static PROCESS_TERMINATION: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 5");
static PROCESS_TERMINATION_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 5");
static DRIVER_LOAD: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 6");
static DRIVER_LOAD_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 6");
static IMAGE_LOAD: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 7");
static IMAGE_LOAD_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 7");
static CREATE_REMOTE_THREAD: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 8");
static CREATE_REMOTE_THREAD_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 8");
static RAW_ACCESS_THREAD: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 9");
static RAW_ACCESS_THREAD_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 9");
static PROCESS_ACCESS: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 10");
static PROCESS_ACCESS_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 10");
static FILE_EVENT: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 11");
static FILE_EVENT_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 11");
static REGISTRY_EVENT: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID in (12, 13, 14)");
static REGISTRY_EVENT_FORWARDED: Target =
    forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID in (12, 13, 14)");
static REGISTRY_ADD: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 12");
static REGISTRY_ADD_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 12");
static REGISTRY_DELETE: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 12");
static REGISTRY_DELETE_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 12");
static REGISTRY_SET: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 13");
static REGISTRY_SET_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 13");
static REGISTRY_RENAME: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 14");
static REGISTRY_RENAME_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 14");
static CREATE_STREAM_HASH: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 15");
static CREATE_STREAM_HASH_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 15");
static PIPE_CREATED: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID in (17, 18)");
static PIPE_CREATED_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID in (17, 18)");
static WMI_EVENT: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID in (19, 20, 21)");
static WMI_EVENT_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID in (19, 20, 21)");
static DNS_QUERY: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 22");
static DNS_QUERY_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 22");
static FILE_DELETE: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID in (23, 26)");
static FILE_DELETE_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID in (23, 26)");
static CLIPBOARD_CAPTURE: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 24");
static CLIPBOARD_CAPTURE_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 24");
static PROCESS_TAMPERING: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 25");
static PROCESS_TAMPERING_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 25");
static FILE_DELETE_DETECTED: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 26");
static FILE_DELETE_DETECTED_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 26");
static FILE_BLOCK_EXECUTABLE: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 27");
static FILE_BLOCK_EXECUTABLE_FORWARDED: Target =
    forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 27");
static FILE_BLOCK_SHREDDING: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 28");
static FILE_BLOCK_SHREDDING_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 28");
static FILE_EXECUTABLE_DETECTED: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 29");
static FILE_EXECUTABLE_DETECTED_FORWARDED: Target =
    forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 29");
static SYSMON_ERROR: Target = event("Source == \"Microsoft-Windows-Sysmon\" and EventID == 255");
static SYSMON_ERROR_FORWARDED: Target = forwarded("Provider == \"Microsoft-Windows-Sysmon\" and EventID == 255");
static PS_CLASSIC_START: Target = event("EventLog == \"Windows PowerShell\" and EventID == 400");
static PS_CLASSIC_START_FORWARDED: Target = forwarded("Channel == \"Windows PowerShell\" and EventID == 400");
static PS_CLASSIC_PROVIDER_START: Target = event("EventLog == \"Windows PowerShell\" and EventID == 600");
static PS_CLASSIC_PROVIDER_START_FORWARDED: Target = forwarded("Channel == \"Windows PowerShell\" and EventID == 600");
static PS_CLASSIC_SCRIPT: Target = event("EventLog == \"Windows PowerShell\" and EventID == 800");
static PS_CLASSIC_SCRIPT_FORWARDED: Target = forwarded("Channel == \"Windows PowerShell\" and EventID == 800");
static PS_MODULE: Target = event(
    "EventLog in (\"Microsoft-Windows-PowerShell/Operational\", \"PowerShellCore/Operational\") and EventID == 4103",
);
static PS_MODULE_FORWARDED: Target = forwarded(
    "Channel in (\"Microsoft-Windows-PowerShell/Operational\", \"PowerShellCore/Operational\") and EventID == 4103",
);
static PS_SCRIPT: Target = event(
    "EventLog in (\"Microsoft-Windows-PowerShell/Operational\", \"PowerShellCore/Operational\") and EventID == 4104",
);
static PS_SCRIPT_FORWARDED: Target = forwarded(
    "Channel in (\"Microsoft-Windows-PowerShell/Operational\", \"PowerShellCore/Operational\") and EventID == 4104",
);
static LOG_APPLICATION: Target = event("EventLog == \"Application\"");
static LOG_APPLICATION_FORWARDED: Target = forwarded("Channel == \"Application\"");
static LOG_APPLICATION_EXPERIENCE: Target = event(
    "EventLog in (\"Microsoft-Windows-Application-Experience/Program-Telemetry\", \"Microsoft-Windows-Application-Experience/Program-Compatibility-Assistant\")",
);
static LOG_APPLICATION_EXPERIENCE_FORWARDED: Target = forwarded(
    "Channel in (\"Microsoft-Windows-Application-Experience/Program-Telemetry\", \"Microsoft-Windows-Application-Experience/Program-Compatibility-Assistant\")",
);
static LOG_APPLOCKER: Target = event(
    "EventLog in (\"Microsoft-Windows-AppLocker/MSI and Script\", \"Microsoft-Windows-AppLocker/EXE and DLL\", \"Microsoft-Windows-AppLocker/Packaged app-Deployment\", \"Microsoft-Windows-AppLocker/Packaged app-Execution\")",
);
static LOG_APPLOCKER_FORWARDED: Target = forwarded(
    "Channel in (\"Microsoft-Windows-AppLocker/MSI and Script\", \"Microsoft-Windows-AppLocker/EXE and DLL\", \"Microsoft-Windows-AppLocker/Packaged app-Deployment\", \"Microsoft-Windows-AppLocker/Packaged app-Execution\")",
);
static LOG_APPMODEL_RUNTIME: Target = event("EventLog == \"Microsoft-Windows-AppModel-Runtime/Admin\"");
static LOG_APPMODEL_RUNTIME_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-AppModel-Runtime/Admin\"");
static LOG_APPXDEPLOYMENT_SERVER: Target = event("EventLog == \"Microsoft-Windows-AppXDeploymentServer/Operational\"");
static LOG_APPXDEPLOYMENT_SERVER_FORWARDED: Target =
    forwarded("Channel == \"Microsoft-Windows-AppXDeploymentServer/Operational\"");
static LOG_APPXPACKAGING_OM: Target = event("EventLog == \"Microsoft-Windows-AppxPackaging/Operational\"");
static LOG_APPXPACKAGING_OM_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-AppxPackaging/Operational\"");
static LOG_BITLOCKER: Target = event("EventLog == \"Microsoft-Windows-BitLocker/BitLocker Management\"");
static LOG_BITLOCKER_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-BitLocker/BitLocker Management\"");
static LOG_BITS_CLIENT: Target = event("EventLog == \"Microsoft-Windows-Bits-Client/Operational\"");
static LOG_BITS_CLIENT_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-Bits-Client/Operational\"");
static LOG_CAPI2: Target = event("EventLog == \"Microsoft-Windows-CAPI2/Operational\"");
static LOG_CAPI2_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-CAPI2/Operational\"");
static LOG_CERTIFICATESERVICESCLIENT_LIFECYCLE_SYSTEM: Target =
    event("EventLog == \"Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational\"");
static LOG_CERTIFICATESERVICESCLIENT_LIFECYCLE_SYSTEM_FORWARDED: Target =
    forwarded("Channel == \"Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational\"");
static LOG_CODEINTEGRITY_OPERATIONAL: Target = event("EventLog == \"Microsoft-Windows-CodeIntegrity/Operational\"");
static LOG_CODEINTEGRITY_OPERATIONAL_FORWARDED: Target =
    forwarded("Channel == \"Microsoft-Windows-CodeIntegrity/Operational\"");
static LOG_DHCP: Target = event("EventLog == \"Microsoft-Windows-DHCP-Server/Operational\"");
static LOG_DHCP_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-DHCP-Server/Operational\"");
static LOG_DIAGNOSIS_SCRIPTED: Target = event("EventLog == \"Microsoft-Windows-Diagnosis-Scripted/Operational\"");
static LOG_DIAGNOSIS_SCRIPTED_FORWARDED: Target =
    forwarded("Channel == \"Microsoft-Windows-Diagnosis-Scripted/Operational\"");
static LOG_DNS_CLIENT: Target = event("EventLog == \"Microsoft-Windows-DNS Client Events/Operational\"");
static LOG_DNS_CLIENT_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-DNS Client Events/Operational\"");
static LOG_DNS_SERVER: Target = event("EventLog == \"DNS Server\"");
static LOG_DNS_SERVER_FORWARDED: Target = forwarded("Channel == \"DNS Server\"");
static LOG_DNS_SERVER_ANALYTIC: Target = event("EventLog == \"Microsoft-Windows-DNS-Server/Analytical\"");
static LOG_DNS_SERVER_ANALYTIC_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-DNS-Server/Analytical\"");
static LOG_DNS_SERVER_AUDIT: Target = event("EventLog == \"Microsoft-Windows-DNS-Server/Audit\"");
static LOG_DNS_SERVER_AUDIT_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-DNS-Server/Audit\"");
static LOG_DRIVER_FRAMEWORK: Target = event("EventLog == \"Microsoft-Windows-DriverFrameworks-UserMode/Operational\"");
static LOG_DRIVER_FRAMEWORK_FORWARDED: Target =
    forwarded("Channel == \"Microsoft-Windows-DriverFrameworks-UserMode/Operational\"");
static LOG_FIREWALL_AS: Target =
    event("EventLog == \"Microsoft-Windows-Windows Firewall With Advanced Security/Firewall\"");
static LOG_FIREWALL_AS_FORWARDED: Target =
    forwarded("Channel == \"Microsoft-Windows-Windows Firewall With Advanced Security/Firewall\"");
static LOG_HYPER_V_WORKER: Target = event("EventLog == \"Microsoft-Windows-Hyper-V-Worker\"");
static LOG_HYPER_V_WORKER_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-Hyper-V-Worker\"");
static LOG_IIS_CONFIGURATION: Target = event("EventLog == \"Microsoft-IIS-Configuration/Operational\"");
static LOG_IIS_CONFIGURATION_FORWARDED: Target = forwarded("Channel == \"Microsoft-IIS-Configuration/Operational\"");
static LOG_KERNEL_EVENT_TRACING: Target = event("EventLog == \"Microsoft-Windows-Kernel-EventTracing\"");
static LOG_KERNEL_EVENT_TRACING_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-Kernel-EventTracing\"");
static LOG_KERNEL_SHIMENGINE: Target = event(
    "EventLog in (\"Microsoft-Windows-Kernel-ShimEngine/Operational\", \"Microsoft-Windows-Kernel-ShimEngine/Diagnostic\")",
);
static LOG_KERNEL_SHIMENGINE_FORWARDED: Target = forwarded(
    "Channel in (\"Microsoft-Windows-Kernel-ShimEngine/Operational\", \"Microsoft-Windows-Kernel-ShimEngine/Diagnostic\")",
);
static LOG_LDAP: Target = event("EventLog == \"Microsoft-Windows-LDAP-Client/Debug\"");
static LOG_LDAP_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-LDAP-Client/Debug\"");
static LOG_LSA_SERVER: Target = event("EventLog == \"Microsoft-Windows-LSA/Operational\"");
static LOG_LSA_SERVER_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-LSA/Operational\"");
static LOG_MSEXCHANGE_MANAGEMENT: Target = event("EventLog == \"MSExchange Management\"");
static LOG_MSEXCHANGE_MANAGEMENT_FORWARDED: Target = forwarded("Channel == \"MSExchange Management\"");
static LOG_NTFS: Target = event("EventLog == \"Microsoft-Windows-Ntfs/Operational\"");
static LOG_NTFS_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-Ntfs/Operational\"");
static LOG_NTLM: Target = event("EventLog == \"Microsoft-Windows-NTLM/Operational\"");
static LOG_NTLM_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-NTLM/Operational\"");
static LOG_OPENSSH: Target = event("EventLog == \"OpenSSH/Operational\"");
static LOG_OPENSSH_FORWARDED: Target = forwarded("Channel == \"OpenSSH/Operational\"");
static LOG_POWERSHELL: Target =
    event("EventLog in (\"Microsoft-Windows-PowerShell/Operational\", \"PowerShellCore/Operational\")");
static LOG_POWERSHELL_FORWARDED: Target =
    forwarded("Channel in (\"Microsoft-Windows-PowerShell/Operational\", \"PowerShellCore/Operational\")");
static LOG_POWERSHELL_CLASSIC: Target = event("EventLog == \"Windows PowerShell\"");
static LOG_POWERSHELL_CLASSIC_FORWARDED: Target = forwarded("Channel == \"Windows PowerShell\"");
static LOG_PRINTSERVICE_ADMIN: Target = event("EventLog == \"Microsoft-Windows-PrintService/Admin\"");
static LOG_PRINTSERVICE_ADMIN_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-PrintService/Admin\"");
static LOG_PRINTSERVICE_OPERATIONAL: Target = event("EventLog == \"Microsoft-Windows-PrintService/Operational\"");
static LOG_PRINTSERVICE_OPERATIONAL_FORWARDED: Target =
    forwarded("Channel == \"Microsoft-Windows-PrintService/Operational\"");
static LOG_SECURITY_MITIGATIONS: Target = event(
    "EventLog in (\"Microsoft-Windows-Security-Mitigations/Kernel Mode\", \"Microsoft-Windows-Security-Mitigations/User Mode\")",
);
static LOG_SECURITY_MITIGATIONS_FORWARDED: Target = forwarded(
    "Channel in (\"Microsoft-Windows-Security-Mitigations/Kernel Mode\", \"Microsoft-Windows-Security-Mitigations/User Mode\")",
);
static LOG_SENSE: Target = event("EventLog == \"Microsoft-Windows-SENSE/Operational\"");
static LOG_SENSE_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-SENSE/Operational\"");
static LOG_SERVICEBUS_CLIENT: Target =
    event("EventLog in (\"Microsoft-ServiceBus-Client/Operational\", \"Microsoft-ServiceBus-Client/Admin\")");
static LOG_SERVICEBUS_CLIENT_FORWARDED: Target =
    forwarded("Channel in (\"Microsoft-ServiceBus-Client/Operational\", \"Microsoft-ServiceBus-Client/Admin\")");
static LOG_SHELL_CORE: Target = event("EventLog == \"Microsoft-Windows-Shell-Core/Operational\"");
static LOG_SHELL_CORE_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-Shell-Core/Operational\"");
static LOG_SMBCLIENT_SECURITY: Target = event("EventLog == \"Microsoft-Windows-SmbClient/Security\"");
static LOG_SMBCLIENT_SECURITY_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-SmbClient/Security\"");
static LOG_SMBCLIENT_CONNECTIVITY: Target = event("EventLog == \"Microsoft-Windows-SmbClient/Connectivity\"");
static LOG_SMBCLIENT_CONNECTIVITY_FORWARDED: Target =
    forwarded("Channel == \"Microsoft-Windows-SmbClient/Connectivity\"");
static LOG_SYSMON: Target = event("EventLog == \"Microsoft-Windows-Sysmon/Operational\"");
static LOG_SYSMON_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-Sysmon/Operational\"");
static LOG_SYSTEM: Target = event("EventLog == \"System\"");
static LOG_SYSTEM_FORWARDED: Target = forwarded("Channel == \"System\"");
static LOG_TASKSCHEDULER: Target = event("EventLog == \"Microsoft-Windows-TaskScheduler/Operational\"");
static LOG_TASKSCHEDULER_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-TaskScheduler/Operational\"");
static LOG_TERMINALSERVICES_LOCALSESSIONMANAGER: Target =
    event("EventLog == \"Microsoft-Windows-TerminalServices-LocalSessionManager/Operational\"");
static LOG_TERMINALSERVICES_LOCALSESSIONMANAGER_FORWARDED: Target =
    forwarded("Channel == \"Microsoft-Windows-TerminalServices-LocalSessionManager/Operational\"");
static LOG_VHDMP: Target = event("EventLog == \"Microsoft-Windows-VHDMP/Operational\"");
static LOG_VHDMP_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-VHDMP/Operational\"");
static LOG_WINDEFEND: Target = event("EventLog == \"Microsoft-Windows-Windows Defender/Operational\"");
static LOG_WINDEFEND_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-Windows Defender/Operational\"");
static LOG_WMI: Target = event("EventLog == \"Microsoft-Windows-WMI-Activity/Operational\"");
static LOG_WMI_FORWARDED: Target = forwarded("Channel == \"Microsoft-Windows-WMI-Activity/Operational\"");
static ANY: Target = event("");
static ANY_FORWARDED: Target = forwarded("");

const fn category(category: &'static str, targets: &'static [&'static Target]) -> Source {
    Source { product: "windows", category, service: "", targets, note: "" }
}

const fn service(service: &'static str, targets: &'static [&'static Target]) -> Source {
    Source { product: "windows", category: "", service, targets, note: "" }
}

pub(super) static SOURCES: &[Source] = &[
    category("process_creation", &[&CREATION, &device::PROCESS, &PROCESS_CREATION, &PROCESS_CREATION_FORWARDED]),
    category("file_change", &[&FILE_CHANGE, &FILE_CHANGE_FORWARDED]),
    category("network_connection", &[&device::NETWORK, &NETWORK_CONNECTION, &NETWORK_CONNECTION_FORWARDED]),
    category("sysmon_status", &[&SYSMON_STATUS, &SYSMON_STATUS_FORWARDED]),
    category("process_termination", &[&PROCESS_TERMINATION, &PROCESS_TERMINATION_FORWARDED]),
    category("driver_load", &[&device::DRIVER, &DRIVER_LOAD, &DRIVER_LOAD_FORWARDED]),
    category("image_load", &[&device::IMAGE, &IMAGE_LOAD, &IMAGE_LOAD_FORWARDED]),
    category("create_remote_thread", &[&device::THREAD, &CREATE_REMOTE_THREAD, &CREATE_REMOTE_THREAD_FORWARDED]),
    category("raw_access_thread", &[&RAW_ACCESS_THREAD, &RAW_ACCESS_THREAD_FORWARDED]),
    category("process_access", &[&PROCESS_ACCESS, &PROCESS_ACCESS_FORWARDED]),
    category("file_event", &[&device::FILE, &FILE_EVENT, &FILE_EVENT_FORWARDED]),
    category("registry_event", &[&device::REGISTRY, &REGISTRY_EVENT, &REGISTRY_EVENT_FORWARDED]),
    category("registry_add", &[&device::REGISTRY_ADD, &REGISTRY_ADD, &REGISTRY_ADD_FORWARDED]),
    category("registry_delete", &[&device::REGISTRY_DELETE, &REGISTRY_DELETE, &REGISTRY_DELETE_FORWARDED]),
    category("registry_set", &[&device::REGISTRY_SET, &REGISTRY_SET, &REGISTRY_SET_FORWARDED]),
    category("registry_rename", &[&device::REGISTRY_RENAME, &REGISTRY_RENAME, &REGISTRY_RENAME_FORWARDED]),
    category("create_stream_hash", &[&CREATE_STREAM_HASH, &CREATE_STREAM_HASH_FORWARDED]),
    category("pipe_created", &[&device::PIPE, &PIPE_CREATED, &PIPE_CREATED_FORWARDED]),
    category("wmi_event", &[&WMI_EVENT, &WMI_EVENT_FORWARDED]),
    category("dns_query", &[&device::DNS, &DNS_QUERY, &DNS_QUERY_FORWARDED]),
    category("file_delete", &[&device::FILE_DELETE, &FILE_DELETE, &FILE_DELETE_FORWARDED]),
    category("clipboard_capture", &[&CLIPBOARD_CAPTURE, &CLIPBOARD_CAPTURE_FORWARDED]),
    category("process_tampering", &[&PROCESS_TAMPERING, &PROCESS_TAMPERING_FORWARDED]),
    category("file_delete_detected", &[&device::FILE_DELETE, &FILE_DELETE_DETECTED, &FILE_DELETE_DETECTED_FORWARDED]),
    category("file_block_executable", &[&FILE_BLOCK_EXECUTABLE, &FILE_BLOCK_EXECUTABLE_FORWARDED]),
    category("file_block_shredding", &[&FILE_BLOCK_SHREDDING, &FILE_BLOCK_SHREDDING_FORWARDED]),
    category("file_executable_detected", &[&FILE_EXECUTABLE_DETECTED, &FILE_EXECUTABLE_DETECTED_FORWARDED]),
    category("sysmon_error", &[&SYSMON_ERROR, &SYSMON_ERROR_FORWARDED]),
    category("ps_classic_start", &[&PS_CLASSIC_START, &PS_CLASSIC_START_FORWARDED]),
    category("ps_classic_provider_start", &[&PS_CLASSIC_PROVIDER_START, &PS_CLASSIC_PROVIDER_START_FORWARDED]),
    category("ps_classic_script", &[&PS_CLASSIC_SCRIPT, &PS_CLASSIC_SCRIPT_FORWARDED]),
    category("ps_module", &[&PS_MODULE, &PS_MODULE_FORWARDED]),
    category("ps_script", &[&device::SCRIPT, &PS_SCRIPT, &PS_SCRIPT_FORWARDED]),
    category("file_rename", &[&device::FILE_RENAME]),
    category("antivirus", &[&device::ANTIVIRUS]),
    service("security", &[&SECURITY, &SECURITY_FORWARDED]),
    service("application", &[&LOG_APPLICATION, &LOG_APPLICATION_FORWARDED]),
    service("application-experience", &[&LOG_APPLICATION_EXPERIENCE, &LOG_APPLICATION_EXPERIENCE_FORWARDED]),
    service("applocker", &[&LOG_APPLOCKER, &LOG_APPLOCKER_FORWARDED]),
    service("appmodel-runtime", &[&LOG_APPMODEL_RUNTIME, &LOG_APPMODEL_RUNTIME_FORWARDED]),
    service("appxdeployment-server", &[&LOG_APPXDEPLOYMENT_SERVER, &LOG_APPXDEPLOYMENT_SERVER_FORWARDED]),
    service("appxpackaging-om", &[&LOG_APPXPACKAGING_OM, &LOG_APPXPACKAGING_OM_FORWARDED]),
    service("bitlocker", &[&LOG_BITLOCKER, &LOG_BITLOCKER_FORWARDED]),
    service("bits-client", &[&LOG_BITS_CLIENT, &LOG_BITS_CLIENT_FORWARDED]),
    service("capi2", &[&LOG_CAPI2, &LOG_CAPI2_FORWARDED]),
    service(
        "certificateservicesclient-lifecycle-system",
        &[&LOG_CERTIFICATESERVICESCLIENT_LIFECYCLE_SYSTEM, &LOG_CERTIFICATESERVICESCLIENT_LIFECYCLE_SYSTEM_FORWARDED],
    ),
    service("codeintegrity-operational", &[&LOG_CODEINTEGRITY_OPERATIONAL, &LOG_CODEINTEGRITY_OPERATIONAL_FORWARDED]),
    service("dhcp", &[&LOG_DHCP, &LOG_DHCP_FORWARDED]),
    service("diagnosis-scripted", &[&LOG_DIAGNOSIS_SCRIPTED, &LOG_DIAGNOSIS_SCRIPTED_FORWARDED]),
    service("dns-client", &[&LOG_DNS_CLIENT, &LOG_DNS_CLIENT_FORWARDED]),
    service("dns-server", &[&LOG_DNS_SERVER, &LOG_DNS_SERVER_FORWARDED]),
    service("dns-server-analytic", &[&LOG_DNS_SERVER_ANALYTIC, &LOG_DNS_SERVER_ANALYTIC_FORWARDED]),
    service("dns-server-audit", &[&LOG_DNS_SERVER_AUDIT, &LOG_DNS_SERVER_AUDIT_FORWARDED]),
    service("driver-framework", &[&LOG_DRIVER_FRAMEWORK, &LOG_DRIVER_FRAMEWORK_FORWARDED]),
    service("firewall-as", &[&LOG_FIREWALL_AS, &LOG_FIREWALL_AS_FORWARDED]),
    service("hyper-v-worker", &[&LOG_HYPER_V_WORKER, &LOG_HYPER_V_WORKER_FORWARDED]),
    service("iis-configuration", &[&LOG_IIS_CONFIGURATION, &LOG_IIS_CONFIGURATION_FORWARDED]),
    service("kernel-event-tracing", &[&LOG_KERNEL_EVENT_TRACING, &LOG_KERNEL_EVENT_TRACING_FORWARDED]),
    service("kernel-shimengine", &[&LOG_KERNEL_SHIMENGINE, &LOG_KERNEL_SHIMENGINE_FORWARDED]),
    service("ldap", &[&LOG_LDAP, &LOG_LDAP_FORWARDED]),
    service("lsa-server", &[&LOG_LSA_SERVER, &LOG_LSA_SERVER_FORWARDED]),
    service("msexchange-management", &[&LOG_MSEXCHANGE_MANAGEMENT, &LOG_MSEXCHANGE_MANAGEMENT_FORWARDED]),
    service("ntfs", &[&LOG_NTFS, &LOG_NTFS_FORWARDED]),
    service("ntlm", &[&LOG_NTLM, &LOG_NTLM_FORWARDED]),
    service("openssh", &[&LOG_OPENSSH, &LOG_OPENSSH_FORWARDED]),
    service("powershell", &[&LOG_POWERSHELL, &LOG_POWERSHELL_FORWARDED]),
    service("powershell-classic", &[&LOG_POWERSHELL_CLASSIC, &LOG_POWERSHELL_CLASSIC_FORWARDED]),
    service("printservice-admin", &[&LOG_PRINTSERVICE_ADMIN, &LOG_PRINTSERVICE_ADMIN_FORWARDED]),
    service("printservice-operational", &[&LOG_PRINTSERVICE_OPERATIONAL, &LOG_PRINTSERVICE_OPERATIONAL_FORWARDED]),
    service("security-mitigations", &[&LOG_SECURITY_MITIGATIONS, &LOG_SECURITY_MITIGATIONS_FORWARDED]),
    service("sense", &[&LOG_SENSE, &LOG_SENSE_FORWARDED]),
    service("servicebus-client", &[&LOG_SERVICEBUS_CLIENT, &LOG_SERVICEBUS_CLIENT_FORWARDED]),
    service("shell-core", &[&LOG_SHELL_CORE, &LOG_SHELL_CORE_FORWARDED]),
    service("smbclient-security", &[&LOG_SMBCLIENT_SECURITY, &LOG_SMBCLIENT_SECURITY_FORWARDED]),
    service("smbclient-connectivity", &[&LOG_SMBCLIENT_CONNECTIVITY, &LOG_SMBCLIENT_CONNECTIVITY_FORWARDED]),
    service("sysmon", &[&LOG_SYSMON, &LOG_SYSMON_FORWARDED]),
    service("system", &[&LOG_SYSTEM, &LOG_SYSTEM_FORWARDED]),
    service("taskscheduler", &[&LOG_TASKSCHEDULER, &LOG_TASKSCHEDULER_FORWARDED]),
    service(
        "terminalservices-localsessionmanager",
        &[&LOG_TERMINALSERVICES_LOCALSESSIONMANAGER, &LOG_TERMINALSERVICES_LOCALSESSIONMANAGER_FORWARDED],
    ),
    service("vhdmp", &[&LOG_VHDMP, &LOG_VHDMP_FORWARDED]),
    service("windefend", &[&LOG_WINDEFEND, &LOG_WINDEFEND_FORWARDED]),
    service("wmi", &[&LOG_WMI, &LOG_WMI_FORWARDED]),
    Source { product: "windows", category: "", service: "", targets: &[&SECURITY, &ANY, &ANY_FORWARDED], note: "" },
];

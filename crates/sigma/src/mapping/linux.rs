//! Linux and macOS: syslog by program, the audit daemon, Sysmon for Linux, and Defender for Endpoint.

use super::Place::{Column, Kql};
use super::device;
use super::{Entity, Place, Rest, Source, Target};

const SYSLOG_ENTITIES: &[Entity] = &[("Host", "HostName", "HostName"), ("IP", "Address", "HostIP")];

const SYSLOG_FIELDS: &[(&str, Place)] = &[
    ("Computer", Column("Computer")),
    ("hostname", Column("HostName")),
    ("facility", Column("Facility")),
    ("severity", Column("SeverityLevel")),
    ("process", Column("ProcessName")),
    ("program", Column("ProcessName")),
    ("message", Column("SyslogMessage")),
    ("msg", Column("SyslogMessage")),
];

const fn syslog(rows: &'static str, rest: Rest) -> Target {
    Target {
        table: "Syslog",
        rows,
        fields: SYSLOG_FIELDS,
        rest,
        keywords: &["SyslogMessage"],
        entities: SYSLOG_ENTITIES,
        shown: "",
        connector: "Syslog",
    }
}

const PAIRS: Rest = Rest::KeyValue("SyslogMessage");

static ANY: Target = syslog("", PAIRS);
static AUTH: Target = syslog("Facility in (\"auth\", \"authpriv\")", PAIRS);
static SSHD: Target = syslog("ProcessName startswith \"sshd\"", PAIRS);
static SUDO: Target = syslog("ProcessName =~ \"sudo\"", PAIRS);
static CRON: Target = syslog("ProcessName in~ (\"cron\", \"crond\", \"anacron\") or Facility == \"cron\"", PAIRS);
static CLAMAV: Target = syslog("ProcessName has_any (\"clamd\", \"clamav\", \"freshclam\", \"clamscan\")", PAIRS);
static GUACAMOLE: Target = syslog("ProcessName startswith \"guac\"", PAIRS);
static VSFTPD: Target = syslog("ProcessName =~ \"vsftpd\"", PAIRS);
static AUDIT_LINES: Target = syslog("ProcessName in~ (\"auditd\", \"audispd\", \"audisp-syslog\", \"audit\")", PAIRS);

/// The agent's table of audit records.
static AUDITD: Target = Target {
    table: "LinuxAuditLog",
    rows: "",
    fields: &[
        ("type", Column("RecordType")),
        ("SYSCALL", Column("syscall")),
        ("nametype", Kql("extract(@'nametype=(\\S+)', 1, RawRecord)")),
    ],
    rest: Rest::KeyValue("RawRecord"),
    keywords: &["RawRecord"],
    entities: &[("Host", "HostName", "Computer"), ("Account", "Name", "user")],
    shown: "",
    connector: "Syslog",
};

const fn sysmon(rows: &'static str) -> Target {
    syslog(rows, Rest::Xml("SyslogMessage"))
}

static PROCESS: Target = sysmon("ProcessName =~ \"sysmon\" and SyslogMessage has \"<EventID>1</EventID>\"");
static NETWORK: Target = sysmon("ProcessName =~ \"sysmon\" and SyslogMessage has \"<EventID>3</EventID>\"");
static FILE: Target = sysmon("ProcessName =~ \"sysmon\" and SyslogMessage has \"<EventID>11</EventID>\"");

const fn service(service: &'static str, targets: &'static [&'static Target]) -> Source {
    Source { product: "linux", category: "", service, targets, note: "" }
}

const fn category(product: &'static str, category: &'static str, targets: &'static [&'static Target]) -> Source {
    Source { product, category, service: "", targets, note: "" }
}

pub(super) static SOURCES: &[Source] = &[
    category("linux", "process_creation", &[&device::PROCESS, &PROCESS]),
    category("linux", "network_connection", &[&device::NETWORK, &NETWORK]),
    category("linux", "file_event", &[&device::FILE, &FILE]),
    service("auditd", &[&AUDITD, &AUDIT_LINES]),
    service("auth", &[&AUTH]),
    service("sshd", &[&SSHD]),
    service("sudo", &[&SUDO]),
    service("cron", &[&CRON]),
    service("clamav", &[&CLAMAV]),
    service("guacamole", &[&GUACAMOLE]),
    service("vsftpd", &[&VSFTPD]),
    service("syslog", &[&ANY]),
    Source { product: "linux", category: "", service: "", targets: &[&ANY], note: "" },
    category("macos", "process_creation", &[&device::PROCESS]),
    category("macos", "file_event", &[&device::FILE]),
    category("macos", "network_connection", &[&device::NETWORK]),
    // Rules for any system.
    category("", "process_creation", &[&device::PROCESS, &PROCESS]),
];

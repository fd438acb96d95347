//! Events as PowerShell lists them: `Get-WinEvent | ConvertTo-Json`.
//!
//! The values have an order and no names. For common events of the Security log the order is known; Sysmon's message gives
//! names and values. Numbers that the log itself writes in hexadecimal become so again.

use std::borrow::Cow;

use super::{Parsed, plain};
use crate::json::scan;
use crate::sources::{Object, Record};

pub(super) fn is_event(record: &Record<'_>) -> bool {
    ["Id", "ProviderName", "LogName", "RecordId"].iter().all(|name| record.has(name))
        && (record.has("Properties") || record.has("Message"))
}

pub(super) fn parsed<'r>(record: &Record<'r>) -> Parsed<'r> {
    let of = |name: &str| record.raw(name).map(value).unwrap_or_default();
    let event_id = of("Id");
    let (channel, message) = (of("LogName"), of("Message"));
    let properties = record.raw("Properties").and_then(|list| scan::elements(list, usize::MAX)).unwrap_or_default();
    let values: Vec<Cow<'r, str>> = properties
        .into_iter()
        .filter(|raw| !raw.contains("Eventing.Reader.EventProperty"))
        .map(|raw| Object::of(raw).and_then(|object| object.raw("Value")).map_or_else(|| value(raw), value))
        .collect();
    let names = match channel.eq_ignore_ascii_case("Security") {
        true => names_of(&event_id),
        false => &[],
    };
    let data = if channel.contains("Sysmon") {
        lines_of(&message)
    } else {
        let fits = values.len() <= names.len();
        let name = |index: usize| *names.get(index).filter(|_| fits).unwrap_or(&"");
        let named = |(index, value): (usize, Cow<'r, str>)| (Cow::Borrowed(name(index)), written(name(index), value));
        values.into_iter().enumerate().map(named).collect()
    };
    Parsed {
        provider: of("ProviderName"),
        computer: of("MachineName"),
        version: of("Version"),
        level: of("Level"),
        task: of("Task"),
        opcode: of("Opcode"),
        keywords: hexadecimal(of("Keywords")),
        time: of("TimeCreated"),
        record_id: of("RecordId"),
        user_id: of("UserId"),
        process_id: of("ProcessId"),
        thread_id: of("ThreadId"),
        activity_id: of("ActivityId"),
        event_id,
        channel,
        message,
        data,
    }
}

/// A value as text; of an object that stands for a value, that value: `{"BinaryLength":12,"Value":"S-1-5-18"}`.
fn value(raw: &str) -> Cow<'_, str> {
    let inner = Object::of(raw).and_then(|object| ["Value", "value"].iter().find_map(|name| object.raw(name)));
    plain(inner.unwrap_or(raw))
}

/// `Name: value` lines behind the first one.
fn lines_of(message: &str) -> Vec<(Cow<'static, str>, Cow<'static, str>)> {
    let lines = message.lines().skip(1).filter_map(|line| line.split_once(':'));
    lines.map(|(name, value)| (name.trim().to_owned().into(), value.trim().to_owned().into())).collect()
}

/// Values that the log writes in hexadecimal.
const HEXADECIMAL: &[&str] = &[
    "SubjectLogonId",
    "TargetLogonId",
    "TargetLinkedLogonId",
    "NewProcessId",
    "ProcessId",
    "Status",
    "SubStatus",
    "HandleId",
    "AccessMask",
    "TicketOptions",
    "TicketEncryptionType",
    "OldUacValue",
    "NewUacValue",
];

fn written<'r>(name: &str, value: Cow<'r, str>) -> Cow<'r, str> {
    if HEXADECIMAL.contains(&name) { hexadecimal(value) } else { value }
}

/// A whole number as `0x`; a negative one as the 32 or 64 bits that it has.
fn hexadecimal(text: Cow<'_, str>) -> Cow<'_, str> {
    match text.parse::<i128>() {
        Ok(number) if (0..=i128::from(u64::MAX)).contains(&number) => format!("0x{number:x}").into(),
        Ok(number) if number >= i128::from(i32::MIN) => format!("0x{:x}", number as i32).into(),
        Ok(number) if number >= i128::from(i64::MIN) => format!("0x{:x}", number as i64).into(),
        _ => text,
    }
}

const SUBJECT: [&str; 4] = ["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId"];

/// The names of an event's values, in their order; later versions of an event add to the end.
fn names_of(event_id: &str) -> &'static [&'static str] {
    let found = ORDERS.iter().find(|(ids, _)| ids.contains(&event_id));
    found.map_or(&[], |(_, names)| names)
}

const ORDERS: &[(&[&str], &[&str])] = &[
    (&["1102"], &SUBJECT),
    (
        &["4624"],
        &[
            SUBJECT[0],
            SUBJECT[1],
            SUBJECT[2],
            SUBJECT[3],
            "TargetUserSid",
            "TargetUserName",
            "TargetDomainName",
            "TargetLogonId",
            "LogonType",
            "LogonProcessName",
            "AuthenticationPackageName",
            "WorkstationName",
            "LogonGuid",
            "TransmittedServices",
            "LmPackageName",
            "KeyLength",
            "ProcessId",
            "ProcessName",
            "IpAddress",
            "IpPort",
            "ImpersonationLevel",
            "RestrictedAdminMode",
            "TargetOutboundUserName",
            "TargetOutboundDomainName",
            "VirtualAccount",
            "TargetLinkedLogonId",
            "ElevatedToken",
        ],
    ),
    (
        &["4625"],
        &[
            SUBJECT[0],
            SUBJECT[1],
            SUBJECT[2],
            SUBJECT[3],
            "TargetUserSid",
            "TargetUserName",
            "TargetDomainName",
            "Status",
            "FailureReason",
            "SubStatus",
            "LogonType",
            "LogonProcessName",
            "AuthenticationPackageName",
            "WorkstationName",
            "TransmittedServices",
            "LmPackageName",
            "KeyLength",
            "ProcessId",
            "ProcessName",
            "IpAddress",
            "IpPort",
        ],
    ),
    (&["4634"], &["TargetUserSid", "TargetUserName", "TargetDomainName", "TargetLogonId", "LogonType"]),
    (&["4647"], &["TargetUserSid", "TargetUserName", "TargetDomainName", "TargetLogonId"]),
    (
        &["4648"],
        &[
            SUBJECT[0],
            SUBJECT[1],
            SUBJECT[2],
            SUBJECT[3],
            "LogonGuid",
            "TargetUserName",
            "TargetDomainName",
            "TargetLogonGuid",
            "TargetServerName",
            "TargetInfo",
            "ProcessId",
            "ProcessName",
            "IpAddress",
            "IpPort",
        ],
    ),
    (
        &["4663"],
        &[
            SUBJECT[0],
            SUBJECT[1],
            SUBJECT[2],
            SUBJECT[3],
            "ObjectServer",
            "ObjectType",
            "ObjectName",
            "HandleId",
            "AccessList",
            "AccessMask",
            "ProcessId",
            "ProcessName",
            "ResourceAttributes",
        ],
    ),
    (&["4672"], &[SUBJECT[0], SUBJECT[1], SUBJECT[2], SUBJECT[3], "PrivilegeList"]),
    (
        &["4688"],
        &[
            SUBJECT[0],
            SUBJECT[1],
            SUBJECT[2],
            SUBJECT[3],
            "NewProcessId",
            "NewProcessName",
            "TokenElevationType",
            "ProcessId",
            "CommandLine",
            "TargetUserSid",
            "TargetUserName",
            "TargetDomainName",
            "TargetLogonId",
            "ParentProcessName",
            "MandatoryLabel",
        ],
    ),
    (
        &["4697"],
        &[
            SUBJECT[0],
            SUBJECT[1],
            SUBJECT[2],
            SUBJECT[3],
            "ServiceName",
            "ServiceFileName",
            "ServiceType",
            "ServiceStartType",
            "ServiceAccount",
        ],
    ),
    (&["4698", "4699", "4700", "4702"], &[SUBJECT[0], SUBJECT[1], SUBJECT[2], SUBJECT[3], "TaskName", "TaskContent"]),
    (
        &["4720"],
        &[
            "TargetUserName",
            "TargetDomainName",
            "TargetSid",
            SUBJECT[0],
            SUBJECT[1],
            SUBJECT[2],
            SUBJECT[3],
            "PrivilegeList",
            "SamAccountName",
            "DisplayName",
            "UserPrincipalName",
            "HomeDirectory",
            "HomePath",
            "ScriptPath",
            "ProfilePath",
            "UserWorkstations",
            "PasswordLastSet",
            "AccountExpires",
            "PrimaryGroupId",
            "AllowedToDelegateTo",
            "OldUacValue",
            "NewUacValue",
            "UserAccountControl",
            "UserParameters",
            "SidHistory",
            "LogonHours",
        ],
    ),
    (
        &["4722", "4723", "4724", "4725", "4726", "4740"],
        &[
            "TargetUserName",
            "TargetDomainName",
            "TargetSid",
            SUBJECT[0],
            SUBJECT[1],
            SUBJECT[2],
            SUBJECT[3],
            "PrivilegeList",
        ],
    ),
    (
        &["4728", "4729", "4732", "4733", "4756", "4757"],
        &[
            "MemberName",
            "MemberSid",
            "TargetUserName",
            "TargetDomainName",
            "TargetSid",
            SUBJECT[0],
            SUBJECT[1],
            SUBJECT[2],
            SUBJECT[3],
            "PrivilegeList",
        ],
    ),
    (
        &["4768"],
        &[
            "TargetUserName",
            "TargetDomainName",
            "TargetSid",
            "ServiceName",
            "ServiceSid",
            "TicketOptions",
            "Status",
            "TicketEncryptionType",
            "PreAuthType",
            "IpAddress",
            "IpPort",
            "CertIssuerName",
            "CertSerialNumber",
            "CertThumbprint",
        ],
    ),
    (
        &["4769"],
        &[
            "TargetUserName",
            "TargetDomainName",
            "ServiceName",
            "ServiceSid",
            "TicketOptions",
            "TicketEncryptionType",
            "IpAddress",
            "IpPort",
            "Status",
            "LogonGuid",
            "TransmittedServices",
        ],
    ),
    (
        &["4771"],
        &[
            "TargetUserName",
            "TargetSid",
            "ServiceName",
            "TicketOptions",
            "Status",
            "PreAuthType",
            "IpAddress",
            "IpPort",
            "CertIssuerName",
            "CertSerialNumber",
            "CertThumbprint",
        ],
    ),
    (&["4776"], &["PackageName", "TargetUserName", "Workstation", "Status"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_the_log_writes_them() {
        for (given, expected) in [
            ("999", "0x3e7"),
            ("-1073741715", "0xc000006d"),
            ("3221225581", "0xc000006d"),
            ("-9214364837600034816", "0x8020000000000000"),
            ("0x3e7", "0x3e7"),
            ("", ""),
        ] {
            assert_eq!(hexadecimal(given.into()), expected);
        }
    }

    #[test]
    fn every_event_is_listed_once() {
        let mut ids: Vec<&str> = ORDERS.iter().flat_map(|(ids, _)| ids.iter().copied()).collect();
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
    }
}

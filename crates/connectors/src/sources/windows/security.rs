//! Events of the Security log as rows of `SecurityEvent`.

use super::{Parsed, event_data_xml};
use crate::row::Row;
use crate::sources::Maps;

/// Values whose column has another name.
const RENAMED: &[(&str, &str)] = &[
    ("ImagePath", "ServiceFileName"),
    ("StartType", "ServiceStartType"),
    ("SubjectLogonId", "SubjectLogonId"),
    ("TargetLogonId", "TargetLogonId"),
    ("WorkstationName", "WorkstationName"),
    ("Workstation", "WorkstationName"),
    ("PackageName", "AuthenticationPackageName"),
];

/// What events are about, for the column `Activity`.
const ACTIVITIES: &[(&str, &str)] = &[
    ("1100", "The event logging service has shut down."),
    ("1102", "The audit log was cleared."),
    ("4616", "The system time was changed."),
    ("4624", "An account was successfully logged on."),
    ("4625", "An account failed to log on."),
    ("4634", "An account was logged off."),
    ("4647", "User initiated logoff."),
    ("4648", "A logon was attempted using explicit credentials."),
    ("4656", "A handle to an object was requested."),
    ("4657", "A registry value was modified."),
    ("4658", "The handle to an object was closed."),
    ("4660", "An object was deleted."),
    ("4661", "A handle to an object was requested."),
    ("4662", "An operation was performed on an object."),
    ("4663", "An attempt was made to access an object."),
    ("4670", "Permissions on an object were changed."),
    ("4672", "Special privileges assigned to new logon."),
    ("4673", "A privileged service was called."),
    ("4688", "A new process has been created."),
    ("4689", "A process has exited."),
    ("4697", "A service was installed in the system."),
    ("4698", "A scheduled task was created."),
    ("4699", "A scheduled task was deleted."),
    ("4700", "A scheduled task was enabled."),
    ("4702", "A scheduled task was updated."),
    ("4719", "System audit policy was changed."),
    ("4720", "A user account was created."),
    ("4722", "A user account was enabled."),
    ("4723", "An attempt was made to change an account's password."),
    ("4724", "An attempt was made to reset an account's password."),
    ("4725", "A user account was disabled."),
    ("4726", "A user account was deleted."),
    ("4727", "A security-enabled global group was created."),
    ("4728", "A member was added to a security-enabled global group."),
    ("4729", "A member was removed from a security-enabled global group."),
    ("4732", "A member was added to a security-enabled local group."),
    ("4733", "A member was removed from a security-enabled local group."),
    ("4738", "A user account was changed."),
    ("4740", "A user account was locked out."),
    ("4742", "A computer account was changed."),
    ("4756", "A member was added to a security-enabled universal group."),
    ("4767", "A user account was unlocked."),
    ("4768", "A Kerberos authentication ticket (TGT) was requested."),
    ("4769", "A Kerberos service ticket was requested."),
    ("4771", "Kerberos pre-authentication failed."),
    ("4776", "The domain controller attempted to validate the credentials for an account."),
    ("4798", "A user's local group membership was enumerated."),
    ("4799", "A security-enabled local group membership was enumerated."),
    ("5136", "A directory service object was modified."),
    ("5140", "A network share object was accessed."),
    ("5145", "A network share object was checked to see whether client can be granted desired access."),
    ("5156", "The Windows Filtering Platform has allowed a connection."),
];

const LOGON_TYPES: &[(&str, &str)] = &[
    ("2", "2 - Interactive"),
    ("3", "3 - Network"),
    ("4", "4 - Batch"),
    ("5", "5 - Service"),
    ("7", "7 - Unlock"),
    ("8", "8 - NetworkCleartext"),
    ("9", "9 - NewCredentials"),
    ("10", "10 - RemoteInteractive"),
    ("11", "11 - CachedInteractive"),
];

pub(super) fn row<'r>(parsed: &Parsed<'r>, maps: &Maps) -> Option<Row<'r>> {
    let spec = maps.table("SecurityEvent")?;
    let mut row = Row::new(&spec);
    let mut left = false;
    for (name, value) in parsed.data.iter().filter(|(_, value)| !matches!(value.as_ref(), "" | "-")) {
        let renamed = RENAMED.iter().find(|(known, _)| known == name).map_or(name.as_ref(), |(_, column)| column);
        match row.spec.column(renamed).or_else(|| row.spec.column_folded(renamed)) {
            Some(column) => row.set_text(column, value.clone()),
            None => left = true,
        }
    }
    if left {
        row.set("EventData", event_data_xml(parsed));
    }
    row.set("TimeGenerated", parsed.time.clone());
    row.set("EventSourceName", parsed.provider.clone());
    row.set("Channel", parsed.channel.clone());
    row.set("Computer", parsed.computer.clone());
    row.set("EventID", parsed.event_id.clone());
    row.set("Task", parsed.task.clone());
    row.set("EventRecordId", parsed.record_id.clone());
    row.set("Keywords", parsed.keywords.clone());
    row.set("Level", level(&parsed.keywords, &parsed.level).to_owned());
    row.set("SystemUserId", parsed.user_id.clone());
    row.set("SystemProcessId", parsed.process_id.clone());
    row.set("SystemThreadId", parsed.thread_id.clone());
    row.set("Version", parsed.version.clone());
    row.set("Opcode", parsed.opcode.clone());
    row.set("Correlation", parsed.activity_id.clone());
    complete(parsed, &mut row);
    row.set("SourceSystem", "OpsManager");
    row.set("Type", "SecurityEvent");
    Some(row)
}

/// Columns that are worked out.
fn complete(parsed: &Parsed<'_>, row: &mut Row<'_>) {
    let value = |name: &str| {
        let found = parsed.data.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_ref());
        found.filter(|value| *value != "-").unwrap_or_default()
    };
    // A new process is its starter's; of a logon, the account that logs on counts.
    let subject_first = matches!(
        parsed.event_id.as_ref(),
        "4688" | "4689" | "4663" | "4656" | "4657" | "4672" | "4648" | "4697" | "4698"
    );
    let target = (value("TargetDomainName"), value("TargetUserName"));
    let subject = (value("SubjectDomainName"), value("SubjectUserName"));
    let (domain, name) = match subject_first && !subject.1.is_empty() || target.1.is_empty() {
        true => subject,
        false => target,
    };
    if !name.is_empty() {
        row.set("Account", if domain.is_empty() { name.to_owned() } else { format!("{domain}\\{name}") });
        row.set("AccountType", if name.ends_with('$') { "Machine" } else { "User" });
        row.fill("AccountName", name.to_owned());
        row.fill("AccountDomain", domain.to_owned());
    }
    for (column, path) in [("TargetAccount", target), ("SubjectAccount", subject)] {
        if !path.1.is_empty() {
            let joined = if path.0.is_empty() { path.1.to_owned() } else { format!("{}\\{}", path.0, path.1) };
            row.set(column, joined);
        }
    }
    let file =
        [value("NewProcessName"), value("ProcessName")].into_iter().find(|path| !path.is_empty()).unwrap_or_default();
    row.set("Process", file.rsplit('\\').next().unwrap_or_default().to_owned());
    if let Some((_, name)) = LOGON_TYPES.iter().find(|(number, _)| *number == value("LogonType")) {
        row.set("LogonTypeName", *name);
    }
    if let Some((id, about)) = ACTIVITIES.iter().find(|(id, _)| *id == parsed.event_id) {
        row.set("Activity", format!("{id} - {about}"));
    }
}

/// Audits have the level of their outcome.
fn level<'p>(keywords: &str, level: &'p str) -> &'p str {
    match keywords.to_lowercase() {
        keywords if keywords.starts_with("0x802") || keywords.contains("audit success") => "8",
        keywords if keywords.starts_with("0x801") || keywords.contains("audit failure") => "16",
        _ => level,
    }
}

//! Graph evidence to the JSON text of `SecurityAlert.Entities`.
//!
//! Each piece of evidence is one entity with a `$id`; types are those of alerts in the workspace (`ip`, `account`, `host`,
//! ...). Evidence that has no such type keeps Graph's own fields under its type's name.

use std::borrow::Cow;

use crate::json::{compact, text};
use crate::sources::{Object, raw_at, string};

/// The entities of a list of evidence.
pub(super) fn entities_of(evidence: &[&str]) -> String {
    let entities: Vec<String> = evidence
        .iter()
        .enumerate()
        .filter_map(|(index, raw)| {
            let fields = entity_of(raw)?;
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{}:{value}", text::quoted(name))).collect();
            // The service numbers from 2.
            Some(format!("{{\"$id\":\"{}\",{}}}", index + 2, fields.join(",")))
        })
        .collect();
    format!("[{}]", entities.join(","))
}

/// Names with JSON values, `Type` last.
type Fields = Vec<(Cow<'static, str>, String)>;

fn entity_of(raw: &str) -> Option<Fields> {
    let evidence = Object::of(raw)?;
    let kind = evidence.text("@odata.type").unwrap_or_default();
    let kind = kind.rsplit('.').next().unwrap_or_default().to_owned();
    let mut fields = Fields::new();
    let mut take = |name: &'static str, path: &[&str]| {
        if let Some(value) = raw_at(raw, path).filter(|value| *value != "null" && *value != "\"\"") {
            fields.push((Cow::Borrowed(name), compact::compact(value).into_owned()));
        }
    };
    let (entity, listed): (&'static str, &[(&'static str, &[&str])]) = match kind.as_str() {
        "ipEvidence" => ("ip", &[("Address", &["ipAddress"])]),
        "userEvidence" => ("account", ACCOUNT),
        "mailboxEvidence" if evidence.has("userAccount") => ("account", ACCOUNT),
        "deviceEvidence" => ("host", HOST),
        "fileEvidence" => {
            ("file", &[("Name", &["fileDetails", "fileName"]), ("Directory", &["fileDetails", "filePath"])])
        }
        "processEvidence" => ("process", PROCESS),
        "urlEvidence" => ("url", &[("Url", &["url"])]),
        "cloudApplicationEvidence" => ("cloud-application", APPLICATION),
        "azureResourceEvidence" => ("azure-resource", &[("ResourceId", &["resourceId"])]),
        "registryKeyEvidence" => ("registry-key", &[("Hive", &["registryHive"]), ("Key", &["registryKey"])]),
        "registryValueEvidence" => ("registry-value", REGISTRY_VALUE),
        "securityGroupEvidence" => {
            ("security-group", &[("DisplayName", &["displayName"]), ("ObjectGuid", &["securityGroupId"])])
        }
        "mailboxEvidence" => {
            ("mailbox", &[("MailboxPrimaryAddress", &["primaryAddress"]), ("DisplayName", &["displayName"])])
        }
        "analyzedMessageEvidence" => ("mail-message", MESSAGE),
        "malwareEvidence" => ("malware", &[("Name", &["name"]), ("Category", &["category"])]),
        "" => return None,
        other => return Some(untyped(&evidence, other)),
    };
    for (name, path) in listed {
        take(name, path);
    }
    match entity {
        "account" => account_names(raw, &mut fields),
        "host" if !fields.iter().any(|(name, _)| name == "HostName") => host_names(&evidence, &mut fields),
        "file" => hashes(raw, &["fileDetails"], &mut fields),
        _ => {}
    }
    fields.push((Cow::Borrowed("Type"), text::quoted(entity)));
    Some(fields)
}

/// Names of an entity's fields with the paths of their values in the evidence.
type Listed = &'static [(&'static str, &'static [&'static str])];

const ACCOUNT: Listed = &[
    ("Name", &["userAccount", "accountName"]),
    ("NTDomain", &["userAccount", "domainName"]),
    ("AadUserId", &["userAccount", "azureAdUserId"]),
    ("Sid", &["userAccount", "userSid"]),
    ("DisplayName", &["userAccount", "displayName"]),
];
const HOST: Listed = &[
    ("HostName", &["hostName"]),
    ("FQDN", &["deviceDnsName"]),
    ("AadDeviceId", &["azureAdDeviceId"]),
    ("MdatpDeviceId", &["mdeDeviceId"]),
    ("OSFamily", &["osPlatform"]),
];
const PROCESS: Listed = &[
    ("ProcessId", &["processId"]),
    ("CommandLine", &["processCommandLine"]),
    ("CreationTimeUtc", &["processCreationDateTime"]),
];
const APPLICATION: Listed = &[("AppId", &["appId"]), ("Name", &["displayName"]), ("InstanceName", &["instanceName"])];
const REGISTRY_VALUE: Listed =
    &[("Name", &["registryValueName"]), ("Value", &["registryValue"]), ("ValueType", &["registryValueType"])];
const MESSAGE: Listed = &[
    ("NetworkMessageId", &["networkMessageId"]),
    ("Recipient", &["recipientEmailAddress"]),
    ("Sender", &["p1Sender", "emailAddress"]),
    ("Subject", &["subject"]),
];

/// Evidence that no entity type exists for, with its own fields.
fn untyped(evidence: &Object<'_>, kind: &str) -> Fields {
    let own = evidence.entries().filter(|(name, value)| !name.starts_with('@') && *value != "null");
    let mut fields: Fields =
        own.map(|(name, value)| (Cow::Owned(name.to_owned()), compact::compact(value).into_owned())).collect();
    let name = kind.strip_suffix("Evidence").unwrap_or(kind).to_lowercase();
    fields.push((Cow::Borrowed("Type"), text::quoted(&name)));
    fields
}

/// `Name` and `UPNSuffix` from the principal name.
fn account_names(raw: &str, fields: &mut Fields) {
    let Some(principal) = raw_at(raw, &["userAccount", "userPrincipalName"]).and_then(string) else { return };
    let (name, suffix) = principal.split_once('@').unwrap_or((&principal, ""));
    if !fields.iter().any(|(field, _)| field == "Name") && !name.is_empty() {
        fields.insert(0, (Cow::Borrowed("Name"), text::quoted(name)));
    }
    if !suffix.is_empty() {
        fields.push((Cow::Borrowed("UPNSuffix"), text::quoted(suffix)));
    }
}

/// `HostName` and `DnsDomain` from the full name.
fn host_names(evidence: &Object<'_>, fields: &mut Fields) {
    let Some(full) = evidence.text("deviceDnsName") else { return };
    let (host, domain) = full.split_once('.').unwrap_or((&full, ""));
    if !host.is_empty() {
        fields.insert(0, (Cow::Borrowed("HostName"), text::quoted(host)));
    }
    if !domain.is_empty() {
        fields.push((Cow::Borrowed("DnsDomain"), text::quoted(domain)));
    }
}

fn hashes(raw: &str, path: &[&str], fields: &mut Fields) {
    let Some(details) = raw_at(raw, path).and_then(Object::of) else { return };
    let found: Vec<String> = [("sha256", "SHA256"), ("sha1", "SHA1"), ("md5", "MD5")]
        .iter()
        .filter_map(|(name, algorithm)| {
            let value = details.text(name).filter(|value| !value.is_empty())?;
            let value = text::quoted(&value);
            Some(format!("{{\"Algorithm\":\"{algorithm}\",\"Value\":{value},\"Type\":\"filehash\"}}"))
        })
        .collect();
    if !found.is_empty() {
        fields.push((Cow::Borrowed("FileHashes"), format!("[{}]", found.join(","))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(raw: &str) -> String {
        entities_of(&[raw])
    }

    #[test]
    fn addresses_accounts_and_hosts() {
        assert_eq!(
            of(
                r##"{"@odata.type":"#microsoft.graph.security.ipEvidence","ipAddress":"203.0.113.9","countryLetterCode":"PL"}"##
            ),
            r#"[{"$id":"2","Address":"203.0.113.9","Type":"ip"}]"#
        );
        assert_eq!(
            of(
                r##"{"@odata.type":"#microsoft.graph.security.userEvidence","userAccount":{"accountName":"nina","azureAdUserId":"u1","userSid":null,"userPrincipalName":"nina@contoso.example"}}"##
            ),
            r#"[{"$id":"2","Name":"nina","AadUserId":"u1","UPNSuffix":"contoso.example","Type":"account"}]"#
        );
        assert_eq!(
            of(r##"{"@odata.type":"#microsoft.graph.security.deviceEvidence","deviceDnsName":"pc1.contoso.example"}"##),
            r#"[{"$id":"2","HostName":"pc1","FQDN":"pc1.contoso.example","DnsDomain":"contoso.example","Type":"host"}]"#
        );
    }

    #[test]
    fn files_and_what_has_no_type() {
        assert_eq!(
            of(
                r##"{"@odata.type":"#microsoft.graph.security.fileEvidence","fileDetails":{"fileName":"a.exe","sha1":"0f","md5":""}}"##
            ),
            r#"[{"$id":"2","Name":"a.exe","FileHashes":[{"Algorithm":"SHA1","Value":"0f","Type":"filehash"}],"Type":"file"}]"#
        );
        assert_eq!(
            of(r##"{"@odata.type":"#microsoft.graph.security.oauthApplicationEvidence","appId":"x","roles":[ ]}"##),
            r#"[{"$id":"2","appId":"x","roles":[],"Type":"oauthapplication"}]"#
        );
        assert_eq!(of("{}"), "[]");
    }
}

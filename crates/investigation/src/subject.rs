//! One actor, address, key, session or resource in the many ways in which logs write it.
//!
//! A role's ARN also means its sessions; a person's name also means the guest form that Entra makes of it, and the role
//! sessions that single sign-on names after the person; an address means itself with a port. Nothing is folded silently:
//! an event keeps what its row says. Start at [`Subject::new`].

use std::net::IpAddr;

use crate::address;

/// What a text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectKind {
    Address(IpAddr),
    /// `arn:aws:iam::ACCOUNT:role/PATH/NAME`: the role and all its sessions.
    Role {
        account: String,
        name: String,
    },
    /// Another ARN: a user, a session, a resource.
    Arn,
    /// An access key of AWS.
    AccessKey,
    /// `name@domain`, in lower case, without the prefixes that clouds put before it.
    Account(String),
    /// Anything else: an object id, an instance, a bare name.
    Name,
}

/// Who or what is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub text: String,
    pub kind: SubjectKind,
}

impl Subject {
    /// Reads what a user typed.
    pub fn new(text: &str) -> Subject {
        let text = text.trim().to_string();
        let kind = if let Some(address) = address::parse(&text) {
            SubjectKind::Address(address)
        } else if let Some(arn) = Arn::of(&text) {
            match arn.resource.strip_prefix("role/") {
                Some(path) => SubjectKind::Role { account: arn.account.to_string(), name: last_part(path).to_string() },
                None => SubjectKind::Arn,
            }
        } else if is_access_key(&text) {
            SubjectKind::AccessKey
        } else if let Some(account) = account(&text) {
            SubjectKind::Account(account)
        } else {
            SubjectKind::Name
        };
        Subject { text, kind }
    }

    /// What it was taken for.
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            SubjectKind::Address(_) => "address",
            SubjectKind::Role { .. } => "role and its sessions",
            SubjectKind::Arn => "ARN",
            SubjectKind::AccessKey => "access key",
            SubjectKind::Account(_) => "account",
            SubjectKind::Name => "name or id",
        }
    }

    /// Words one of which is in every row that names it, for a search by terms.
    pub fn words(&self) -> Vec<String> {
        match &self.kind {
            SubjectKind::Address(address) => address::spellings(*address),
            SubjectKind::Role { name, .. } => vec![self.text.clone(), format!("assumed-role/{name}")],
            SubjectKind::Account(account) => {
                let mut words = vec![account.clone()];
                words.extend(account.rsplit_once('@').map(|(local, domain)| format!("{local}_{domain}")));
                words
            }
            SubjectKind::Arn | SubjectKind::AccessKey | SubjectKind::Name => vec![self.text.clone()],
        }
    }

    /// Whether a value is this and nothing else.
    pub fn is(&self, value: &str) -> bool {
        let value = value.trim();
        match &self.kind {
            SubjectKind::Address(address) => address::parse(value) == Some(*address),
            SubjectKind::Role { account, name } => {
                value.eq_ignore_ascii_case(&self.text)
                    || Arn::of(value).is_some_and(|arn| {
                        let session = arn.resource.strip_prefix("assumed-role/");
                        arn.account == account
                            && session
                                .and_then(|rest| rest.split('/').next())
                                .is_some_and(|role| role.eq_ignore_ascii_case(name))
                    })
            }
            SubjectKind::Account(wanted) => {
                self::account(value).is_some_and(|account| account == *wanted)
                    || Arn::of(value)
                        .and_then(|arn| self::account(last_part(arn.resource)))
                        .is_some_and(|a| a == *wanted)
            }
            SubjectKind::Arn | SubjectKind::AccessKey => value.eq_ignore_ascii_case(&self.text),
            SubjectKind::Name => {
                let named = |value: &str| value.eq_ignore_ascii_case(&self.text);
                named(value)
                    || (value.contains(['/', '\\', ':'])
                        && named(value.rsplit(['/', '\\', ':']).next().unwrap_or_default()))
            }
        }
    }

    /// Whether a text names it among other things.
    pub fn is_named_in(&self, text: &str) -> bool {
        match &self.kind {
            SubjectKind::Address(address) => address::named_in(text).any(|found| found == *address),
            _ => self.words().iter().any(|word| holds_word(text, word)),
        }
    }
}

/// Whether a text holds a word, in any case, that nothing continues.
pub fn holds_word(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_lowercase(), word.to_lowercase());
    if word.is_empty() {
        return false;
    }
    let continues = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    text.match_indices(&word).any(|(at, found)| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        let after = text.get(at + found.len()..).and_then(|tail| tail.chars().next());
        !before.is_some_and(continues) && !after.is_some_and(continues)
    })
}

/// The parts of an ARN that tell whose it is.
struct Arn<'a> {
    account: &'a str,
    resource: &'a str,
}

impl<'a> Arn<'a> {
    fn of(text: &'a str) -> Option<Arn<'a>> {
        let mut parts = text.splitn(6, ':');
        if !parts.next()?.eq_ignore_ascii_case("arn") {
            return None;
        }
        let (_partition, _service, _region) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Arn { account: parts.next()?, resource: parts.next()? })
    }
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// `AKIA…` and `ASIA…` with sixteen more.
fn is_access_key(text: &str) -> bool {
    let prefix = text.get(..4).unwrap_or_default();
    matches!(prefix, "AKIA" | "ASIA") && text.len() >= 16 && text.chars().all(|c| c.is_ascii_alphanumeric())
}

/// `name@domain` of a person or a service account: without what a cloud puts before it (`user:`, `live.com#`), and brought
/// back from the form that Entra gives guests (`name_domain#EXT#@tenant`).
fn account(text: &str) -> Option<String> {
    let mut text = text.trim().to_lowercase();
    for prefix in ["user:", "serviceaccount:", "group:", "live.com#", "mail#"] {
        if let Some(rest) = text.strip_prefix(prefix) {
            text = rest.to_string();
        }
    }
    if let Some((guest, _)) = text.split_once("#ext#") {
        let (local, domain) = guest.rsplit_once('_')?;
        text = format!("{local}@{domain}");
    }
    let (local, domain) = text.rsplit_once('@')?;
    let plain =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || matches!(c, '/' | ':' | '@'));
    (plain(local) && plain(domain)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_means_itself_with_a_port() {
        let subject = Subject::new("203.0.113.9:443");
        for same in ["203.0.113.9", "203.0.113.9:51812", "::ffff:203.0.113.9"] {
            assert!(subject.is(same), "{same}");
        }
        assert!(subject.is_named_in("{\"callerIp\":\"203.0.113.9\"}"));
        for other in ["203.0.113.90", "1203.0.113.9", "203.0.113.9.1"] {
            assert!(!subject.is(other) && !subject.is_named_in(other), "{other}");
        }
    }

    #[test]
    fn a_role_means_its_sessions_and_a_session_only_itself() {
        let role = Subject::new("arn:aws:iam::111122223333:role/ops/Deploy");
        let session = "arn:aws:sts::111122223333:assumed-role/Deploy/ci-42";
        assert!(role.is("arn:aws:iam::111122223333:role/ops/Deploy") && role.is(session));
        assert!(!role.is("arn:aws:sts::999999999999:assumed-role/Deploy/ci-42"), "another account");
        assert!(!role.is("arn:aws:sts::111122223333:assumed-role/DeployX/ci-42"));
        let one = Subject::new(session);
        assert!(one.is(session) && !one.is("arn:aws:sts::111122223333:assumed-role/Deploy/ci-43"));
        assert!(role.is_named_in(&format!("assumed {session} again")));
    }

    #[test]
    fn a_person_is_one_in_every_cloud() {
        let subject = Subject::new("Eve@Corp.Example");
        for same in [
            "eve@corp.example",
            "EVE@CORP.EXAMPLE",
            "user:eve@corp.example",
            "live.com#eve@corp.example",
            "eve_corp.example#EXT#@tenant.onmicrosoft.com",
            "arn:aws:sts::1:assumed-role/AWSReservedSSO_Admin_0a/eve@corp.example",
        ] {
            assert!(subject.is(same), "{same}");
        }
        for other in ["steve@corp.example", "eve@corp.example.org", "eve", "eve_corp.example"] {
            assert!(!subject.is(other), "{other}");
        }
        assert!(subject.is_named_in("granted to eve@corp.example;") && !subject.is_named_in("steve@corp.example"));
    }

    #[test]
    fn names_and_keys() {
        let key = Subject::new("AKIAEXAMPLE123456789");
        assert_eq!(key.kind, SubjectKind::AccessKey);
        assert!(key.is_named_in("{\"accessKeyId\":\"AKIAEXAMPLE123456789\"}"));
        let name = Subject::new("mallory");
        assert!(name.is("arn:aws:iam::1:user/mallory") && name.is("CORP\\Mallory"));
        assert!(!name.is("mallory2") && !name.is_named_in("mallory2 mallory-x"));
        assert!(Subject::new("i-0abc").is_named_in("[{\"instanceId\":\"i-0abc\"}]"));
    }
}

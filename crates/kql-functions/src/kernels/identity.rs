//! Addresses and identities in one form: see the entries of `scalar::identity`.

use std::borrow::Cow;
use std::fmt::Write;
use std::net::IpAddr;

use super::{Args, KernelResult};

/// `client_ip(address)`
pub fn client_ip(args: &Args<'_>) -> KernelResult {
    let text = args.text(0)?;
    args.to_texts(|row, out| {
        if let Some(address) = address(text.at(row)) {
            // Writing to a string cannot fail.
            let _ = write!(out, "{address}");
        }
    })
}

/// `actor(identity, ...)`
pub fn actor(args: &Args<'_>) -> KernelResult {
    let identities = (0..args.count()).map(|index| args.text(index)).collect::<Result<Vec<_>, _>>()?;
    args.to_texts(|row, out| {
        let mut given = identities.iter().map(|identity| identity.at(row).trim());
        if let Some(first) = given.find(|identity| !matches!(*identity, "" | "-")) {
            out.push_str(&identity(first));
        }
    })
}

/// The address in a text that may have a port, brackets, a zone.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let plain = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => match text.split_once(':') {
            Some((before, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => before,
            _ => text,
        },
    };
    let plain = plain.split_once('%').map_or(plain, |(address, _)| address);
    let address = plain.parse::<IpAddr>().ok()?.to_canonical();
    (!address.is_unspecified()).then_some(address)
}

fn identity(text: &str) -> Cow<'_, str> {
    const LIVE: &str = "live.com#";
    let text = match text.get(..LIVE.len()) {
        Some(start) if start.eq_ignore_ascii_case(LIVE) => text.get(LIVE.len()..).unwrap_or_default(),
        _ => text,
    };
    if let Some(rest) = text.strip_prefix("arn:") {
        return role(rest).map_or(Cow::Borrowed(text), Cow::Owned);
    }
    let lower = text.to_ascii_lowercase();
    if let Some(home) = lower.split_once("#ext#").map(|(home, _)| home) {
        return match home.rsplit_once('_') {
            Some((name, domain)) => Cow::Owned(format!("{name}@{domain}")),
            None => Cow::Owned(home.to_owned()),
        };
    }
    if let Some((id, _)) = text.split_once(':').filter(|(id, _)| is_principal(id)) {
        return Cow::Borrowed(id);
    }
    match text.contains(['@', '\\']) || is_guid(text) {
        true => Cow::Owned(lower),
        false => Cow::Borrowed(text),
    }
}

/// The role of a session, of what follows `arn:`.
fn role(rest: &str) -> Option<String> {
    let mut parts = rest.splitn(5, ':');
    let (partition, service, _, account, resource) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let role = resource.strip_prefix("assumed-role/")?.split('/').next()?;
    (service == "sts").then(|| format!("arn:{partition}:iam::{account}:role/{role}"))
}

/// An id that AWS gives to a role or a user.
fn is_principal(id: &str) -> bool {
    id.len() >= 16
        && ["AROA", "AIDA", "ASIA", "AKIA"].iter().any(|kind| id.starts_with(kind))
        && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_all_forms() {
        for (text, expected) in [
            ("203.0.113.9", Some("203.0.113.9")),
            (" 203.0.113.9:52111", Some("203.0.113.9")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            ("2001:DB8:0:0::1", Some("2001:db8::1")),
            ("fe80::1%eth0", Some("fe80::1")),
            ("::ffff:203.0.113.9", Some("203.0.113.9")),
            ("[::ffff:203.0.113.9]:1", Some("203.0.113.9")),
            ("0.0.0.0", None),
            ("::", None),
            ("AWS Internal", None),
            ("ec2.amazonaws.com", None),
            ("203.0.113.9:x", None),
            ("", None),
        ] {
            assert_eq!(address(text).map(|address| address.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn identities_of_all_forms() {
        for (text, expected) in [
            ("Nina@Contoso.COM", "nina@contoso.com"),
            ("live.com#Nina@example.com", "nina@example.com"),
            ("nina_vega_example.com#EXT#@contoso.onmicrosoft.com", "nina_vega@example.com"),
            ("arn:aws:sts::123456789012:assumed-role/Deploy/i-0abc", "arn:aws:iam::123456789012:role/Deploy"),
            ("arn:aws-us-gov:sts::1:assumed-role/R/s", "arn:aws-us-gov:iam::1:role/R"),
            ("arn:aws:iam::123456789012:user/Nina", "arn:aws:iam::123456789012:user/Nina"),
            ("AROAEXAMPLE00000000AB:session", "AROAEXAMPLE00000000AB"),
            ("CONTOSO\\Nina", "contoso\\nina"),
            ("8A0F6C1E-0000-4000-8000-0123456789AB", "8a0f6c1e-0000-4000-8000-0123456789ab"),
            ("Nina Vega", "Nina Vega"),
        ] {
            assert_eq!(identity(text), expected, "{text}");
        }
    }
}

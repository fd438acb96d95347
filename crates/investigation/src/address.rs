//! Addresses of the network in the spellings of logs.

use std::net::{IpAddr, Ipv6Addr};

/// An address without port, zone and IPv4-in-IPv6 form; text that cannot be an address (`AWS Internal`,
/// `ec2.amazonaws.com`) is none. Impossible numbers stay as they are: anonymised logs have them.
pub fn canonical(text: &str) -> Option<String> {
    let bare = without_port(text.trim());
    if let Some(address) = parsed(bare) {
        return Some(address.to_string());
    }
    let looks_numeric =
        bare.contains(['.', ':']) && bare.chars().all(|c| c.is_ascii_hexdigit() || c == '.' || c == ':');
    looks_numeric.then(|| bare.to_string())
}

/// An address, when the text is a possible one.
pub fn parse(text: &str) -> Option<IpAddr> {
    parsed(without_port(text.trim()))
}

fn without_port(text: &str) -> &str {
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None if text.matches(':').count() == 1 => text.split(':').next().unwrap_or(text),
        None => text,
    };
    bare.split('%').next().unwrap_or(bare)
}

fn parsed(bare: &str) -> Option<IpAddr> {
    bare.parse::<IpAddr>().ok().map(|address| match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4),
        v4 => v4,
    })
}

/// The spellings that logs use for one address.
pub fn spellings(address: IpAddr) -> Vec<String> {
    match address {
        IpAddr::V4(v4) => vec![v4.to_string()],
        IpAddr::V6(v6) => {
            let plain: Vec<String> = v6.segments().iter().map(|part| format!("{part:x}")).collect();
            let padded: Vec<String> = v6.segments().iter().map(|part| format!("{part:04x}")).collect();
            let mut all = vec![v6.to_string(), plain.join(":"), padded.join(":")];
            all.dedup();
            all
        }
    }
}

/// Every address that a text names, in canonical form.
pub fn named_in(text: &str) -> impl Iterator<Item = IpAddr> + '_ {
    let part = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':');
    text.split(move |c| !part(c)).filter(|token| token.len() >= 3).filter_map(|token| {
        let token = token.trim_matches('.');
        parse(token).or_else(|| parse(token.trim_end_matches(':'))).filter(|address| !is_time(token, *address))
    })
}

/// `12:34::` and the like are rather times than addresses.
fn is_time(token: &str, address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6 == Ipv6Addr::UNSPECIFIED) && token != "::"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_in_many_spellings() {
        for text in ["203.0.113.9", " 203.0.113.9:443", "::ffff:203.0.113.9", "[::ffff:203.0.113.9]:443"] {
            assert_eq!(canonical(text).as_deref(), Some("203.0.113.9"), "{text}");
        }
        assert_eq!(canonical("[2001:DB8:0::1%eth0]:1").as_deref(), Some("2001:db8::1"));
        assert_eq!(canonical("AWS Internal"), None);
        assert_eq!(canonical("ec2.amazonaws.com"), None);
        assert_eq!(canonical("300.1.1.1").as_deref(), Some("300.1.1.1"), "anonymised");
        let found: Vec<String> =
            named_in("{\"ip\":\"203.0.113.9:80\",\"v6\":\"2001:db8:0:0:0:0:0:1\",\"t\":\"10:15:30\"}")
                .map(|a| a.to_string())
                .collect();
        assert_eq!(found, ["203.0.113.9", "2001:db8::1"]);
    }
}

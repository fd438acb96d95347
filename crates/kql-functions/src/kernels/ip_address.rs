//! IP addresses and networks as Kusto reads them.

use std::net::Ipv6Addr;

/// An IPv4 address with a prefix length: 32 for a plain address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ipv4 {
    pub bits: u32,
    pub prefix: u8,
}

/// An IPv6 address with a prefix length: 128 for a plain address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ipv6 {
    pub bits: u128,
    pub prefix: u8,
}

/// The mask that keeps the first `prefix` bits of 32.
pub fn mask4(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0)
}

/// The mask that keeps the first `prefix` bits of 128.
pub fn mask6(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0)
}

/// A prefix length within a limit.
pub fn prefix_within(value: i64, max: u8) -> Option<u8> {
    u8::try_from(value).ok().filter(|prefix| *prefix <= max)
}

/// Splits `address/prefix`; without a slash the prefix is the longest.
fn split_prefix(text: &str, max: u8) -> Option<(&str, u8)> {
    let Some((address, prefix)) = text.split_once('/') else { return Some((text, max)) };
    if prefix.is_empty() || prefix.len() > 3 || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((address, prefix.parse().ok().filter(|prefix| *prefix <= max)?))
}

/// Four numbers from 0 to 255 at the start of the text, and where they end.
pub fn dotted_at(bytes: &[u8]) -> Option<(u32, usize)> {
    let mut bits = 0u32;
    let mut at = 0;
    for part in 0..4 {
        if part > 0 {
            if bytes.get(at) != Some(&b'.') {
                return None;
            }
            at += 1;
        }
        let mut octet = 0u32;
        let start = at;
        while let Some(digit) = bytes.get(at).filter(|byte| byte.is_ascii_digit()) {
            octet = octet * 10 + u32::from(digit - b'0');
            at += 1;
            if at - start > 3 {
                return None;
            }
        }
        if at == start || octet > 255 {
            return None;
        }
        bits = bits << 8 | octet;
    }
    Some((bits, at))
}

impl Ipv4 {
    /// Reads `a.b.c.d` or `a.b.c.d/prefix`.
    pub fn parse(text: &str) -> Option<Ipv4> {
        let (address, prefix) = split_prefix(text, 32)?;
        let (bits, end) = dotted_at(address.as_bytes())?;
        (end == address.len()).then_some(Ipv4 { bits, prefix })
    }

    /// The first address of the network.
    pub fn network(self) -> u32 {
        self.bits & mask4(self.prefix)
    }

    /// The last address of the network.
    pub fn last(self) -> u32 {
        self.bits | !mask4(self.prefix)
    }

    /// With a prefix length that is not longer than `prefix`.
    pub fn shortened(self, prefix: u8) -> Ipv4 {
        Ipv4 { bits: self.bits, prefix: self.prefix.min(prefix) }
    }

    /// Whether all addresses of the network are in another one.
    pub fn within(self, range: Ipv4) -> bool {
        self.prefix >= range.prefix && (self.bits ^ range.bits) & mask4(range.prefix) == 0
    }

    pub fn write(bits: u32, out: &mut String) {
        use std::fmt::Write;
        let [a, b, c, d] = bits.to_be_bytes();
        let _ = write!(out, "{a}.{b}.{c}.{d}");
    }
}

impl Ipv6 {
    /// Reads an IPv6 or IPv4 address with an optional prefix length. An IPv4 address, also written `::a.b.c.d`, is
    /// `::ffff:a.b.c.d`, and its prefix length grows by 96.
    pub fn parse(text: &str) -> Option<Ipv6> {
        if let Some(v4) = Ipv4::parse(text.strip_prefix("::").unwrap_or(text)) {
            return Some(Ipv6 { bits: 0xffff_0000_0000 | u128::from(v4.bits), prefix: v4.prefix + 96 });
        }
        let (address, prefix) = split_prefix(text, 128)?;
        let address: Ipv6Addr = address.parse().ok()?;
        Some(Ipv6 { bits: u128::from(address), prefix })
    }

    /// The first address of the network.
    pub fn network(self) -> u128 {
        self.bits & mask6(self.prefix)
    }

    pub fn shortened(self, prefix: u8) -> Ipv6 {
        Ipv6 { bits: self.bits, prefix: self.prefix.min(prefix) }
    }

    /// Whether all addresses of the network are in another one.
    pub fn within(self, range: Ipv6) -> bool {
        self.prefix >= range.prefix && (self.bits ^ range.bits) & mask6(range.prefix) == 0
    }

    /// Eight groups of four digits.
    pub fn write(bits: u128, out: &mut String) {
        use std::fmt::Write;
        for group in 0..8 {
            let _ = write!(out, "{}{:04x}", if group == 0 { "" } else { ":" }, (bits >> (112 - 16 * group)) as u16);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_ipv4() {
        assert_eq!(Ipv4::parse("1.2.3.4"), Some(Ipv4 { bits: 0x0102_0304, prefix: 32 }));
        assert_eq!(Ipv4::parse("1.2.3.4/0").map(Ipv4::network), Some(0));
        for wrong in
            ["", "1.2.3", "1.2.3.256", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4 ", "1.2.3.4.5", "a.b.c.d", "1.2.3.4/-1"]
        {
            assert_eq!(Ipv4::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn reading_ipv6() {
        let mapped = Ipv6::parse("192.168.1.1/24").unwrap();
        assert_eq!(mapped, Ipv6 { bits: 0xffff_c0a8_0101, prefix: 120 });
        assert_eq!(Ipv6::parse("::192.168.1.1/24"), Some(mapped));
        assert_eq!(Ipv6::parse("::ffff:c0a8:0101").map(|ip| ip.bits), Some(0xffff_c0a8_0101));
        assert_eq!(Ipv6::parse("::").map(|ip| ip.bits), Some(0));
        for wrong in ["", "fe80:::1", "fe80::1/129", "g::1", "fe80::1%eth0"] {
            assert_eq!(Ipv6::parse(wrong), None, "{wrong}");
        }
    }
}

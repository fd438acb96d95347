//! IP addresses: reading, comparing, ranges, looking for them in text.

use std::fmt::Write;

use kql_types::ScalarType;

use super::access::Text;
use super::ip_address::{Ipv4, Ipv6, dotted_at, mask4, prefix_within};
use super::text_list::TextList;
use super::text_match::{term_after, term_before};
use super::{Args, KernelError, KernelResult};

/// `parse_ipv4(ip)`
pub fn parse_ipv4(args: &Args<'_>) -> KernelResult {
    let ip = args.text(0)?;
    args.to_longs(|row| Ipv4::parse(ip.at(row)).map(|ip| i64::from(ip.network())))
}

/// `parse_ipv4_mask(ip, prefix)`
pub fn parse_ipv4_mask(args: &Args<'_>) -> KernelResult {
    let (ip, prefix) = (args.text(0)?, args.long(1)?);
    args.to_longs(|row| {
        let prefix = prefix_within(prefix.opt(row)?, 32)?;
        Ipv4::parse(ip.at(row)).map(|ip| i64::from(ip.shortened(prefix).network()))
    })
}

/// `parse_ipv6(ip)`
pub fn parse_ipv6(args: &Args<'_>) -> KernelResult {
    let ip = args.text(0)?;
    args.to_texts(|row, out| {
        if let Some(ip) = Ipv6::parse(ip.at(row)) {
            Ipv6::write(ip.network(), out);
        }
    })
}

/// `parse_ipv6_mask(ip, prefix)`
pub fn parse_ipv6_mask(args: &Args<'_>) -> KernelResult {
    let (ip, prefix) = (args.text(0)?, args.long(1)?);
    args.to_texts(|row, out| {
        let prefix = prefix.opt(row).and_then(|prefix| prefix_within(prefix, 128));
        if let (Some(ip), Some(prefix)) = (Ipv6::parse(ip.at(row)), prefix) {
            Ipv6::write(ip.shortened(prefix).network(), out);
        }
    })
}

/// `format_ipv4(ip [, prefix])`
pub fn format_ipv4(args: &Args<'_>) -> KernelResult {
    let network = network_of_any(args)?;
    args.to_texts(|row, out| {
        if let Some(network) = network(row) {
            Ipv4::write(network.network(), out);
        }
    })
}

/// `format_ipv4_mask(ip [, prefix])`
pub fn format_ipv4_mask(args: &Args<'_>) -> KernelResult {
    let network = network_of_any(args)?;
    args.to_texts(|row, out| {
        if let Some(network) = network(row) {
            Ipv4::write(network.network(), out);
            let _ = write!(out, "/{}", network.prefix);
        }
    })
}

/// Reads the first argument, a text or a number, with the prefix length of the second.
fn network_of_any<'a>(args: &Args<'a>) -> Result<impl Fn(usize) -> Option<Ipv4> + 'a, KernelError> {
    let prefix = args.long_or(1, 32)?;
    let ip = args.printed(0)?;
    let is_text = matches!(args.ty(0), ScalarType::String | ScalarType::Dynamic);
    Ok(move |row| {
        let prefix = prefix_within(prefix.opt(row)?, 32)?;
        let mut buffer = String::new();
        let text = ip.at(row, &mut buffer);
        let ip = match (is_text, text.parse::<u32>()) {
            (_, Ok(bits)) => Ipv4 { bits, prefix: 32 },
            (true, _) => Ipv4::parse(text)?,
            _ => return None,
        };
        Some(ip.shortened(prefix))
    })
}

/// `ipv4_compare(a, b [, prefix])`
pub fn ipv4_compare(args: &Args<'_>) -> KernelResult {
    let compared = compared4(args)?;
    args.to_longs(|row| compared(row).map(|(a, b)| a.cmp(&b) as i64))
}

/// `ipv4_is_match(a, b [, prefix])`
pub fn ipv4_is_match(args: &Args<'_>) -> KernelResult {
    let compared = compared4(args)?;
    args.to_bools(|row| compared(row).map(|(a, b)| a == b))
}

/// Both addresses, cut to the shortest prefix length.
fn compared4<'a>(args: &Args<'a>) -> Result<impl Fn(usize) -> Option<(u32, u32)> + 'a, KernelError> {
    let (left, right, prefix) = (args.text(0)?, args.text(1)?, args.long_or(2, 32)?);
    Ok(move |row| {
        let (a, b) = (Ipv4::parse(left.at(row))?, Ipv4::parse(right.at(row))?);
        let mask = mask4(prefix_within(prefix.opt(row)?, 32)?.min(a.prefix).min(b.prefix));
        Some((a.bits & mask, b.bits & mask))
    })
}

/// `ipv6_compare(a, b [, prefix])`
pub fn ipv6_compare(args: &Args<'_>) -> KernelResult {
    let compared = compared6(args)?;
    args.to_longs(|row| compared(row).map(|(a, b)| a.cmp(&b) as i64))
}

/// `ipv6_is_match(a, b [, prefix])`
pub fn ipv6_is_match(args: &Args<'_>) -> KernelResult {
    let compared = compared6(args)?;
    args.to_bools(|row| compared(row).map(|(a, b)| a == b))
}

fn compared6<'a>(args: &Args<'a>) -> Result<impl Fn(usize) -> Option<(u128, u128)> + 'a, KernelError> {
    let (left, right, prefix) = (args.text(0)?, args.text(1)?, args.long_or(2, 128)?);
    Ok(move |row| {
        let (a, b) = (Ipv6::parse(left.at(row))?, Ipv6::parse(right.at(row))?);
        let prefix = prefix_within(prefix.opt(row)?, 128)?.min(a.prefix).min(b.prefix);
        Some((a.shortened(prefix).network(), b.shortened(prefix).network()))
    })
}

/// `ipv4_is_in_range(ip, range)`
pub fn ipv4_is_in_range(args: &Args<'_>) -> KernelResult {
    let (ip, range) = (args.text(0)?, args.text(1)?);
    let constant = range.constant().map(Ipv4::parse);
    args.to_bools(|row| {
        let range = constant.unwrap_or_else(|| Ipv4::parse(range.at(row)))?;
        Some(Ipv4::parse(ip.at(row))?.within(range))
    })
}

/// `ipv6_is_in_range(ip, range)`
pub fn ipv6_is_in_range(args: &Args<'_>) -> KernelResult {
    let (ip, range) = (args.text(0)?, args.text(1)?);
    args.to_bools(|row| Some(Ipv6::parse(ip.at(row))?.within(Ipv6::parse(range.at(row))?)))
}

/// `ipv4_is_in_any_range(ip, ranges...)`
pub fn ipv4_is_in_any_range(args: &Args<'_>) -> KernelResult {
    let ip = args.text(0)?;
    let lists = Lists::of(args, Ranges4::new)?;
    args.to_bools(|row| {
        let ip = Ipv4::parse(ip.at(row))?;
        Some(lists.with(row, |ranges| ranges.contain(ip)))
    })
}

/// `ipv6_is_in_any_range(ip, ranges...)`
pub fn ipv6_is_in_any_range(args: &Args<'_>) -> KernelResult {
    let ip = args.text(0)?;
    let lists = Lists::of(args, |ranges| ranges.iter().filter_map(|range| Ipv6::parse(range)).collect::<Vec<_>>())?;
    args.to_bools(|row| {
        let ip = Ipv6::parse(ip.at(row))?;
        Some(lists.with(row, |ranges| ranges.iter().any(|range| ip.within(*range))))
    })
}

/// A prepared list: once when it is constant, else per row.
struct Lists<'a, L, F> {
    lists: Vec<TextList<'a>>,
    constant: Option<L>,
    prepare: F,
}

impl<'a, L, F: Fn(&[String]) -> L> Lists<'a, L, F> {
    /// The arguments from the second on.
    fn of(args: &Args<'a>, prepare: F) -> Result<Lists<'a, L, F>, KernelError> {
        let mut lists = Lists { lists: args.text_lists(1)?, constant: None, prepare };
        if args.all_constant(1) {
            lists.constant = Some(lists.at(0));
        }
        Ok(lists)
    }

    fn at(&self, row: usize) -> L {
        let mut texts = Vec::new();
        self.lists.iter().for_each(|list| list.gather(row, &mut texts));
        (self.prepare)(&texts)
    }

    fn with<R>(&self, row: usize, ask: impl FnOnce(&L) -> R) -> R {
        match &self.constant {
            Some(list) => ask(list),
            None => ask(&self.at(row)),
        }
    }
}

/// Ranges of addresses: sorted, none within another or touching the next.
struct Ranges4(Vec<(u32, u32)>);

impl Ranges4 {
    fn new(texts: &[String]) -> Ranges4 {
        let mut ranges: Vec<(u32, u32)> =
            texts.iter().filter_map(|text| Ipv4::parse(text)).map(|range| (range.network(), range.last())).collect();
        ranges.sort_unstable();
        let mut joined: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match joined.last_mut() {
                Some(before) if first <= before.1 => before.1 = before.1.max(last),
                _ => joined.push((first, last)),
            }
        }
        Ranges4(joined)
    }

    fn contain(&self, ip: Ipv4) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= ip.network());
        after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|(_, last)| ip.last() <= *last)
    }
}

/// `ipv4_is_private(ip)`
pub fn ipv4_is_private(args: &Args<'_>) -> KernelResult {
    const PRIVATE: [Ipv4; 3] = [
        Ipv4 { bits: 0x0a00_0000, prefix: 8 },
        Ipv4 { bits: 0xac10_0000, prefix: 12 },
        Ipv4 { bits: 0xc0a8_0000, prefix: 16 },
    ];
    let ip = args.text(0)?;
    args.to_bools(|row| {
        let ip = Ipv4::parse(ip.at(row))?;
        Some(PRIVATE.iter().any(|range| ip.within(*range)))
    })
}

/// `ipv4_netmask_suffix(ip)`
pub fn ipv4_netmask_suffix(args: &Args<'_>) -> KernelResult {
    let ip = args.text(0)?;
    args.to_longs(|row| Ipv4::parse(ip.at(row)).map(|ip| i64::from(ip.prefix)))
}

/// `ipv4_range_to_cidr_list(start, end)`
pub fn ipv4_range_to_cidr_list(args: &Args<'_>) -> KernelResult {
    let (start, end) = (args.text(0)?, args.text(1)?);
    args.to_dynamics(|row, out| {
        let (first, last) = (Ipv4::parse(start.at(row))?.bits, Ipv4::parse(end.at(row))?.bits);
        if first > last {
            return None;
        }
        let mut at = u64::from(first);
        out.push('[');
        while at <= u64::from(last) {
            // The largest network that starts here and does not go beyond the end.
            let left = u64::from(last) - at + 1;
            let size = (if at == 0 { 32 } else { at.trailing_zeros().min(32) }).min(63 - left.leading_zeros());
            if out.len() > 1 {
                out.push(',');
            }
            out.push('"');
            Ipv4::write(at as u32, out);
            let _ = write!(out, "/{}\"", 32 - size);
            at += 1 << size;
        }
        out.push(']');
        Some(())
    })
}

/// `has_ipv4(source, ip)`
pub fn has_ipv4(args: &Args<'_>) -> KernelResult {
    has_addresses(args, Wanted::addresses)
}

/// `has_any_ipv4(source, ips...)`
pub fn has_any_ipv4(args: &Args<'_>) -> KernelResult {
    has_addresses(args, Wanted::addresses)
}

/// `has_ipv4_prefix(source, prefix)`
pub fn has_ipv4_prefix(args: &Args<'_>) -> KernelResult {
    has_addresses(args, Wanted::prefixes)
}

/// `has_any_ipv4_prefix(source, prefixes...)`
pub fn has_any_ipv4_prefix(args: &Args<'_>) -> KernelResult {
    has_addresses(args, Wanted::prefixes)
}

fn has_addresses(args: &Args<'_>, prepare: fn(&[String]) -> Wanted) -> KernelResult {
    let source: Text<'_> = args.text(0)?;
    let lists = Lists::of(args, prepare)?;
    match &lists.constant {
        Some(wanted) => args.to_flags_of(&source, |text| wanted.found_in(text)),
        None => args.to_flags(|row| lists.with(row, |wanted| wanted.found_in(source.at(row)))),
    }
}

/// Networks looked for in text, sorted; one list for each number of leading octets.
struct Wanted([Vec<u32>; 4]);

impl Wanted {
    /// Whole addresses; what is none is left out.
    fn addresses(texts: &[String]) -> Wanted {
        Wanted::new(texts, |text| {
            let (bits, end) = dotted_at(text.as_bytes())?;
            (end == text.len()).then_some((4, bits))
        })
    }

    /// Whole addresses, and prefixes that end with a point.
    fn prefixes(texts: &[String]) -> Wanted {
        Wanted::new(texts, |text| {
            let octets = text.bytes().filter(|byte| *byte == b'.').count() + usize::from(!text.ends_with('.'));
            if octets < 4 && !text.ends_with('.') {
                return None;
            }
            let octets = octets.min(4);
            let whole = if text.ends_with('.') {
                format!("{text}{}", ["", "0.0.0", "0.0", "0"][octets & 3])
            } else {
                text.to_owned()
            };
            let (bits, end) = dotted_at(whole.as_bytes())?;
            (end == whole.len()).then_some((octets, bits))
        })
    }

    fn new(texts: &[String], read: impl Fn(&str) -> Option<(usize, u32)>) -> Wanted {
        let mut lists: [Vec<u32>; 4] = Default::default();
        for (octets, bits) in texts.iter().filter_map(|text| read(text)) {
            if let Some(list) = octets.checked_sub(1).and_then(|at| lists.get_mut(at)) {
                list.push(bits);
            }
        }
        lists.iter_mut().for_each(|list| list.sort_unstable());
        Wanted(lists)
    }

    /// Whether the text has a wanted address that no letter or digit touches.
    fn found_in(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let mut from = 0;
        while let Some(dot) = bytes.get(from..).and_then(|rest| memchr::memchr(b'.', rest)).map(|at| from + at) {
            from = dot + 1;
            let digits = bytes.iter().take(dot).rev().take_while(|byte| byte.is_ascii_digit()).count();
            let start = dot - digits;
            if digits == 0 || digits > 3 || term_before(text, start) {
                continue;
            }
            let Some((bits, length)) = bytes.get(start..).and_then(dotted_at) else { continue };
            if !term_after(text, start + length) && self.has(bits) {
                return true;
            }
        }
        false
    }

    fn has(&self, bits: u32) -> bool {
        self.0.iter().zip(1u8..).any(|(list, octets)| list.binary_search(&(bits & mask4(octets * 8))).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::KernelFn;
    use crate::kernels::testing::{Cell, call};
    use proptest::prelude::*;

    fn bool(kernel: KernelFn, cells: &[Cell]) -> Cell {
        call(kernel, cells, ScalarType::Bool)
    }

    #[test]
    fn private_networks() {
        let private = |ip: &str| bool(ipv4_is_private, &[ip.into()]);
        assert_eq!(private("172.31.255.255"), Cell::Bool(true));
        assert_eq!(private("172.32.0.0"), Cell::Bool(false));
        assert_eq!(private("192.168.1.1/24"), Cell::Bool(true));
        assert_eq!(private("192.168.1.1/8"), Cell::Bool(false));
        assert_eq!(private("::1"), Cell::Null);
    }

    #[test]
    fn comparing_with_prefixes() {
        let compare = |a: &str, b: &str| call(ipv4_compare, &[a.into(), b.into()], ScalarType::Long);
        assert_eq!(compare("10.0.0.2", "10.0.0.10"), Cell::Long(-1), "by number, not by text");
        assert_eq!(compare("10.0.0.1/24", "10.0.0.2/30"), Cell::Long(0));
        assert_eq!(compare("10.0.0.1", "host"), Cell::Null);
        let with = |a: &str, b: &str, prefix: i64| bool(ipv4_is_match, &[a.into(), b.into(), prefix.into()]);
        assert_eq!(with("192.168.1.1", "192.168.1.0", 31), Cell::Bool(true));
        assert_eq!(with("192.168.1.1", "192.168.1.0", 33), Cell::Null);
        let six =
            |a: &str, b: &str, prefix: i64| call(ipv6_compare, &[a.into(), b.into(), prefix.into()], ScalarType::Long);
        assert_eq!(six("192.168.1.1/24", "::ffff:c0a8:01ff", 127), Cell::Long(0));
        assert_eq!(six("fe80::1", "fe80::2", 128), Cell::Long(-1));
    }

    #[test]
    fn formatting() {
        let mask = |ip: Cell, prefix: i64| call(format_ipv4_mask, &[ip, prefix.into()], ScalarType::String);
        assert_eq!(mask("192.168.1.1/24".into(), 32), Cell::Text("192.168.1.0/24".into()));
        assert_eq!(mask(Cell::Long(3_232_236_031), 32), Cell::Text("192.168.1.255/32".into()));
        assert_eq!(mask("192.168.1.1".into(), -1), Cell::Text(String::new()));
        let six = |ip: &str| call(parse_ipv6, &[ip.into()], ScalarType::String);
        assert_eq!(six("::192.168.255.255/24"), Cell::Text("0000:0000:0000:0000:0000:ffff:c0a8:ff00".into()));
        assert_eq!(six("x"), Cell::Text(String::new()));
    }

    #[test]
    fn ranges_to_networks() {
        let list = |a: &str, b: &str| call(ipv4_range_to_cidr_list, &[a.into(), b.into()], ScalarType::Dynamic);
        let want = r#"["1.1.128.0/21","1.1.136.0/22","1.1.140.0/24"]"#;
        assert_eq!(list("1.1.128.0", "1.1.140.255"), Cell::Text(want.into()));
        assert_eq!(list("0.0.0.0", "255.255.255.255"), Cell::Text(r#"["0.0.0.0/0"]"#.into()));
        assert_eq!(list("255.255.255.255", "255.255.255.255"), Cell::Text(r#"["255.255.255.255/32"]"#.into()));
        assert_eq!(list("1.1.1.2", "1.1.1.1"), Cell::Null);
    }

    #[test]
    fn addresses_in_text() {
        let has = |text: &str, ip: &str| bool(has_ipv4, &[text.into(), ip.into()]) == Cell::Bool(true);
        assert!(has("a [10.0.0.1]:443", "10.0.0.1"));
        assert!(!has("v10.0.0.1", "10.0.0.1") && !has("10.0.0.12", "10.0.0.1") && !has("110.0.0.1", "10.0.0.1"));
        assert!(!has("127.0.0.256", "127.0.0.256"));
        assert!(has("5.5.5.5, 10.0.0.1.", "10.0.0.1"));
        let prefix = |text: &str, ip: &str| bool(has_ipv4_prefix, &[text.into(), ip.into()]) == Cell::Bool(true);
        assert!(prefix("GET 127.0.0.1 ", "127.0.") && prefix("GET 127.0.0.1 ", "127.0.0.1"));
        assert!(!prefix("GET 127.0.0.1 ", "127.0") && !prefix("GET 127.0.0.256 ", "127.0."));
        let list = Cell::dynamic(r#"["1.1.", "10.0.0."]"#);
        assert_eq!(bool(has_any_ipv4_prefix, &["x 10.0.0.7 y".into(), "9.".into(), list]), Cell::Bool(true));
    }

    proptest! {
        #[test]
        fn any_range_agrees_with_each_range(
            ip in 0u32..64,
            ranges in prop::collection::vec((0u32..64, 26u8..33), 0..6),
        ) {
            let texts: Vec<String> = ranges.iter().map(|(bits, prefix)| format!("0.0.0.{bits}/{prefix}")).collect();
            let address = Ipv4 { bits: ip, prefix: 32 };
            let expected = texts.iter().any(|range| address.within(Ipv4::parse(range).unwrap()));
            prop_assert_eq!(Ranges4::new(&texts).contain(address), expected);
        }

        #[test]
        fn networks_cover_exactly_the_range(a in 0u32..5000, b in 0u32..5000) {
            let (first, last) = (a.min(b), a.max(b));
            let print = |bits| { let mut out = String::new(); Ipv4::write(bits, &mut out); out };
            let cells = [Cell::Text(print(first)), Cell::Text(print(last))];
            let Cell::Text(json) = call(ipv4_range_to_cidr_list, &cells, ScalarType::Dynamic) else { panic!() };
            let networks: Vec<Ipv4> = json.trim_matches(['[', ']']).split(',').map(|n| Ipv4::parse(n.trim_matches('"')).unwrap()).collect();
            let mut next = u64::from(first);
            for network in networks {
                prop_assert_eq!(u64::from(network.network()), next);
                prop_assert_eq!(network.network(), network.bits);
                next = u64::from(network.last()) + 1;
            }
            prop_assert_eq!(next, u64::from(last) + 1);
        }
    }
}

//! A small database of places in MaxMind's format, for tests: networks, and what is known of each.
//!
//! The format: a binary tree over the bits of addresses, whose leaves point into a section of records. IPv4 stands below
//! `::/96`.

use std::net::IpAddr;

/// What a database says of a network. An empty text is left out.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub country: &'static str,
    pub state: &'static str,
    pub city: &'static str,
    pub location: Option<(f64, f64)>,
}

/// The bytes of a database; None for a network that can't be read. Networks are written `203.0.113.0/24`, and do not
/// overlap.
pub fn mmdb(places: &[(&str, Place)]) -> Option<Vec<u8>> {
    // Nodes of two records: another node, or a record of the data by its offset.
    let mut nodes: Vec<[Record; 2]> = vec![[Record::Nothing; 2]];
    let mut data = Vec::new();
    for (network, place) in places {
        let offset = data.len();
        encode_place(place, &mut data);
        let bits = bits(network)?;
        let mut node = 0;
        for (depth, bit) in bits.iter().enumerate() {
            let last = depth + 1 == bits.len();
            let record = nodes[node][usize::from(*bit)];
            match record {
                _ if last => nodes[node][usize::from(*bit)] = Record::Data(offset),
                Record::Node(next) => node = next,
                _ => {
                    nodes.push([Record::Nothing; 2]);
                    let next = nodes.len() - 1;
                    nodes[node][usize::from(*bit)] = Record::Node(next);
                    node = next;
                }
            }
        }
    }
    let count = nodes.len();
    let mut out = Vec::new();
    for record in nodes.iter().flatten() {
        let value = match record {
            Record::Nothing => count,
            Record::Node(node) => *node,
            Record::Data(offset) => count + 16 + offset,
        };
        out.extend_from_slice(&(value as u32).to_be_bytes()[1..]);
    }
    out.extend_from_slice(&[0; 16]);
    out.extend_from_slice(&data);
    out.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
    map(9, &mut out);
    for (key, number) in [("node_count", count as u32), ("record_size", 24), ("ip_version", 6)] {
        text(key, &mut out);
        let width = if key == "node_count" { 6 << 5 | 4 } else { 5 << 5 | 2 };
        out.push(width);
        out.extend_from_slice(&number.to_be_bytes()[if key == "node_count" { 0 } else { 2 }..]);
    }
    for (key, number) in [("binary_format_major_version", 2_u16), ("binary_format_minor_version", 0)] {
        text(key, &mut out);
        out.push(5 << 5 | 2);
        out.extend_from_slice(&number.to_be_bytes());
    }
    text("build_epoch", &mut out);
    out.extend_from_slice(&[8, 2]);
    out.extend_from_slice(&1_700_000_000_u64.to_be_bytes());
    text("database_type", &mut out);
    text("Test-City", &mut out);
    text("languages", &mut out);
    out.extend_from_slice(&[1, 4]);
    text("en", &mut out);
    text("description", &mut out);
    map(1, &mut out);
    text("en", &mut out);
    text("Places for tests", &mut out);
    Some(out)
}

#[derive(Debug, Clone, Copy)]
enum Record {
    Nothing,
    Node(usize),
    Data(usize),
}

fn bits(network: &str) -> Option<Vec<bool>> {
    let (address, length) = network.split_once('/')?;
    let length: usize = length.parse().ok()?;
    let (address, length) = match address.parse().ok()? {
        IpAddr::V4(address) => (u128::from(u32::from(address)), length + 96),
        IpAddr::V6(address) => (u128::from(address), length),
    };
    Some((0..length).map(|bit| address >> (127 - bit) & 1 == 1).collect())
}

fn encode_place(place: &Place, out: &mut Vec<u8>) {
    let named = |name: &str, out: &mut Vec<u8>| {
        map(1, out);
        text("names", out);
        map(1, out);
        text("en", out);
        text(name, out);
    };
    let fields = [!place.country.is_empty(), !place.state.is_empty(), !place.city.is_empty(), place.location.is_some()];
    map(fields.iter().filter(|there| **there).count() as u8, out);
    if !place.country.is_empty() {
        text("country", out);
        named(place.country, out);
    }
    if !place.state.is_empty() {
        text("subdivisions", out);
        out.extend_from_slice(&[1, 4]);
        named(place.state, out);
    }
    if !place.city.is_empty() {
        text("city", out);
        named(place.city, out);
    }
    if let Some((latitude, longitude)) = place.location {
        text("location", out);
        map(2, out);
        for (name, degrees) in [("latitude", latitude), ("longitude", longitude)] {
            text(name, out);
            out.push(3 << 5 | 8);
            out.extend_from_slice(&degrees.to_be_bytes());
        }
    }
}

fn map(entries: u8, out: &mut Vec<u8>) {
    out.push(7 << 5 | entries);
}

/// A text of less than 285 bytes.
fn text(value: &str, out: &mut Vec<u8>) {
    match value.len() {
        short @ ..29 => out.push(2 << 5 | short as u8),
        long => out.extend_from_slice(&[2 << 5 | 29, (long - 29) as u8]),
    }
    out.extend_from_slice(value.as_bytes());
}

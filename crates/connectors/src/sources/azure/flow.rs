//! Flow logs of network security groups and of virtual networks, to the rows that Traffic Analytics makes of them:
//! `AzureNetworkAnalytics_CL` and `NTANetAnalytics`.
//!
//! Tuples of a record are grouped by rule, addresses, destination port, protocol, direction and status, and summed. The
//! interval is the record's (a minute), where the service gathers 10 or 60 minutes. What needs the network's topology
//! (subnets, machines, regions, whose public address it is) stays empty.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use kql_types::datetime::{self, TICKS_PER_MINUTE};

use super::ResourceId;
use crate::json::scan::elements;
use crate::row::{Cell, Row, TableSpec};
use crate::sources::guide::Guide;
use crate::sources::{Mapped, Maps, Object, Place, Record, Source, string};
use crate::time;

pub(in crate::sources) static NSG: Source =
    Source { name: "azure-nsg-flow", recognise: is_nsg, map: map_nsg, guide: Some(&GUIDE) };
pub(in crate::sources) static VNET: Source =
    Source { name: "azure-vnet-flow", recognise: is_vnet, map: map_vnet, guide: Some(&GUIDE) };

static GUIDE: Guide = Guide {
    page: "azure-flow",
    title: "Azure NSG and VNet flow logs",
    tables: &["AzureNetworkAnalytics_CL", "NTANetAnalytics"],
    exports: &[
        (
            "az storage blob download-batch -s insights-logs-networksecuritygroupflowevent -d flow/ --account-name NAME",
            "the blob of the hour is rewritten every minute: its end may be torn",
        ),
        ("az storage blob download-batch -s insights-logs-flowlogflowevent -d flow/ --account-name NAME", ""),
    ],
    recognised: "category NetworkSecurityGroupFlowEvent with properties.flows; category FlowLogFlowEvent with flowRecords",
    fields: &[],
    notes: &[
        "One row for each rule, pair of addresses, destination port, protocol, direction and status of a record; flows, packets and bytes are sums. Each row counts as a record.",
        "The interval is one record's: a minute, not the 10 or 60 minutes of the service.",
        "SrcIP_s (SrcIp) is empty when the source is public, and the address stands in SrcPublicIPs_s (SrcPublicIps); the same for the destination.",
        "FlowType is ExternalPublic when one side is public, else UnknownPrivate: the log does not say more. Columns of the topology stay empty.",
    ],
};

fn is_nsg(record: &Record<'_>) -> bool {
    record.text("category").is_some_and(|category| category.eq_ignore_ascii_case("NetworkSecurityGroupFlowEvent"))
        && record.object("properties").is_some_and(|properties| properties.has("flows"))
}

fn is_vnet(record: &Record<'_>) -> bool {
    record.has("flowRecords")
        && record.text("category").is_some_and(|category| category.eq_ignore_ascii_case("FlowLogFlowEvent"))
}

/// What flows have in common that are one row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    group: String,
    rule: String,
    source: String,
    destination: String,
    port: u32,
    protocol: &'static str,
    inbound: bool,
    allowed: bool,
}

/// Sums over the tuples of a group.
#[derive(Debug, Default, Clone)]
struct Sums {
    first: i64,
    last: i64,
    tuples: u64,
    begun: u64,
    ended: u64,
    packets_out: u64,
    bytes_out: u64,
    packets_in: u64,
    bytes_in: u64,
}

/// Groups in the order in which they were met.
#[derive(Default)]
struct Groups {
    places: HashMap<Key, usize>,
    rows: Vec<(Key, Sums)>,
    broken: u64,
}

impl Groups {
    fn add(&mut self, group: &str, rule: &str, tuple: Option<Tuple<'_>>) {
        let Some(tuple) = tuple else {
            self.broken += 1;
            return;
        };
        let key = Key {
            group: group.to_owned(),
            rule: rule.to_owned(),
            source: tuple.source.to_owned(),
            destination: tuple.destination.to_owned(),
            port: tuple.port,
            protocol: tuple.protocol,
            inbound: tuple.inbound,
            allowed: tuple.allowed,
        };
        let next = self.rows.len();
        let place = *self.places.entry(key.clone()).or_insert(next);
        if place == next {
            self.rows.push((key, Sums { first: tuple.ticks, last: tuple.ticks, ..Sums::default() }));
        }
        let Some((_, sums)) = self.rows.get_mut(place) else { return };
        sums.first = sums.first.min(tuple.ticks);
        sums.last = sums.last.max(tuple.ticks);
        sums.tuples += 1;
        // The first version has no state: every tuple is a flow that began.
        sums.begun += u64::from(matches!(tuple.state, "B" | "" | "D"));
        sums.ended += u64::from(tuple.state == "E");
        let [packets_out, bytes_out, packets_in, bytes_in] = tuple.counts;
        sums.packets_out = sums.packets_out.saturating_add(packets_out);
        sums.bytes_out = sums.bytes_out.saturating_add(bytes_out);
        sums.packets_in = sums.packets_in.saturating_add(packets_in);
        sums.bytes_in = sums.bytes_in.saturating_add(bytes_in);
    }
}

#[derive(Debug, PartialEq)]
struct Tuple<'t> {
    ticks: i64,
    source: &'t str,
    destination: &'t str,
    port: u32,
    protocol: &'static str,
    inbound: bool,
    allowed: bool,
    state: &'t str,
    /// Packets and bytes of the source, packets and bytes of the destination.
    counts: [u64; 4],
}

fn protocol(text: &str) -> &'static str {
    match text {
        "T" | "6" => "T",
        "U" | "17" => "U",
        "1" => "I",
        _ => "O",
    }
}

/// `epoch,src,dst,srcPort,dstPort,T|U,I|O,A|D[,B|C|E,packets,bytes,packets,bytes]`
fn nsg_tuple(text: &str) -> Option<Tuple<'_>> {
    tuple(text, |decision, state| (decision == "A", state))
}

/// `epochms,src,dst,srcPort,dstPort,protocol,I|O,B|C|E|D,encryption,packets,bytes,packets,bytes`
fn vnet_tuple(text: &str) -> Option<Tuple<'_>> {
    tuple(text, |state, _encryption| (state != "D", state))
}

/// A tuple of either version: `judge` tells from the eighth and the ninth field whether the flow was allowed, and its state.
fn tuple<'t>(text: &'t str, judge: fn(&'t str, &'t str) -> (bool, &'t str)) -> Option<Tuple<'t>> {
    let parts: Vec<&str> = text.split(',').collect();
    let [epoch, source, destination, _, port, wire, direction, eighth, rest @ ..] = parts.as_slice() else {
        return None;
    };
    let (allowed, state) = judge(eighth, rest.first().copied().unwrap_or_default());
    Some(Tuple {
        ticks: time::from_epoch(epoch)?,
        source,
        destination,
        port: port.parse().ok()?,
        protocol: protocol(wire),
        inbound: *direction == "I",
        allowed,
        state,
        counts: counts(rest.get(1..).unwrap_or_default()),
    })
}

fn counts(texts: &[&str]) -> [u64; 4] {
    [0, 1, 2, 3].map(|index| texts.get(index).and_then(|text| text.parse().ok()).unwrap_or_default())
}

/// Calls back with every text of the list of tuples in an object.
fn tuples<'r>(flow: &Object<'r>, visit: &mut dyn FnMut(&str)) {
    for raw in flow.raw("flowTuples").and_then(|raw| elements(raw, usize::MAX)).unwrap_or_default() {
        if let Some(text) = string(raw) {
            visit(&text);
        }
    }
}

fn objects<'r>(object: &Object<'r>, name: &str) -> Vec<Object<'r>> {
    let items = object.raw(name).and_then(|raw| elements(raw, usize::MAX)).unwrap_or_default();
    items.into_iter().filter_map(Object::of).collect()
}

fn map_nsg<'r>(record: &Record<'r>, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let Some(spec) = maps.table("AzureNetworkAnalytics_CL") else { return Mapped::Other("NSG flow log".into()) };
    let id = record.text("resourceId").unwrap_or_default().to_lowercase();
    let mut groups = Groups::default();
    let properties = record.object("properties");
    for rule in properties.iter().flat_map(|properties| objects(properties, "flows")) {
        let name = rule.text("rule").unwrap_or_default();
        for flow in objects(&rule, "flows") {
            tuples(&flow, &mut |text| groups.add(&id, &name, nsg_tuple(text)));
        }
    }
    rows(record, &spec, &groups, &LEGACY)
}

fn map_vnet<'r>(record: &Record<'r>, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let Some(spec) = maps.table("NTANetAnalytics") else { return Mapped::Other("VNet flow log".into()) };
    let mut groups = Groups::default();
    let flows = record.object("flowRecords");
    for flow in flows.iter().flat_map(|flows| objects(flows, "flows")) {
        let acl = flow.text("aclID").unwrap_or_default().to_lowercase();
        for group in objects(&flow, "flowGroups") {
            let rule = group.text("rule").unwrap_or_default();
            tuples(&group, &mut |text| groups.add(&acl, &rule, vnet_tuple(text)));
        }
    }
    rows(record, &spec, &groups, &CURRENT)
}

/// Names of columns and words for values, by table.
struct Form {
    current: bool,
    subtype: &'static str,
    version: (&'static str, &'static str),
    interval: [&'static str; 2],
    span: [&'static str; 2],
    addresses: [(&'static str, &'static str); 2],
    port: &'static str,
    protocol: &'static str,
    direction: &'static str,
    status: &'static str,
    kind: &'static str,
    group: &'static str,
    rule: &'static str,
    mac: &'static str,
    /// Allowed in, denied in, allowed out, denied out.
    flows: [&'static str; 4],
    completed: &'static str,
    /// Packets and bytes of the source, then of the destination.
    traffic: [&'static str; 4],
}

static LEGACY: Form = Form {
    current: false,
    subtype: "SubType_s",
    version: ("FASchemaVersion_s", "2"),
    interval: ["FlowIntervalStartTime_t", "FlowIntervalEndTime_t"],
    span: ["FlowStartTime_t", "FlowEndTime_t"],
    addresses: [("SrcIP_s", "SrcPublicIPs_s"), ("DestIP_s", "DestPublicIPs_s")],
    port: "DestPort_d",
    protocol: "L4Protocol_s",
    direction: "FlowDirection_s",
    status: "FlowStatus_s",
    kind: "FlowType_s",
    group: "NSGList_s",
    rule: "NSGRule_s",
    mac: "MACAddress_s",
    flows: ["AllowedInFlows_d", "DeniedInFlows_d", "AllowedOutFlows_d", "DeniedOutFlows_d"],
    completed: "CompletedFlows_d",
    traffic: ["OutboundPackets_d", "OutboundBytes_d", "InboundPackets_d", "InboundBytes_d"],
};

static CURRENT: Form = Form {
    current: true,
    subtype: "SubType",
    version: ("FaSchemaVersion", "3"),
    interval: ["FlowIntervalStartTime", "FlowIntervalEndTime"],
    span: ["FlowStartTime", "FlowEndTime"],
    addresses: [("SrcIp", "SrcPublicIps"), ("DestIp", "DestPublicIps")],
    port: "DestPort",
    protocol: "L4Protocol",
    direction: "FlowDirection",
    status: "FlowStatus",
    kind: "FlowType",
    group: "AclGroup",
    rule: "AclRule",
    mac: "MacAddress",
    flows: ["AllowedInFlows", "DeniedInFlows", "AllowedOutFlows", "DeniedOutFlows"],
    completed: "CompletedFlows",
    traffic: ["PacketsSrcToDest", "BytesSrcToDest", "PacketsDestToSrc", "BytesDestToSrc"],
};

fn rows<'r>(record: &Record<'r>, spec: &Arc<TableSpec>, groups: &Groups, form: &Form) -> Mapped<'r> {
    if groups.rows.is_empty() {
        let kind =
            if groups.broken > 0 { "flow log without a tuple that can be read" } else { "flow log without flows" };
        return Mapped::Other(kind.into());
    }
    let mut rows: Vec<Row<'r>> = groups.rows.iter().map(|(key, sums)| row(record, spec, key, sums, form)).collect();
    if groups.broken > 0
        && let Some(first) = rows.first_mut()
    {
        first.mended.push("flow tuples that cannot be read: left out");
    }
    Mapped::Rows(rows)
}

fn row<'r>(record: &Record<'r>, spec: &Arc<TableSpec>, key: &Key, sums: &Sums, form: &Form) -> Row<'r> {
    let mut row = Row::new(spec);
    let mut set_time = |names: &[&str], ticks: Option<i64>| {
        for column in names.iter().filter_map(|name| spec.column(name)) {
            row.put(column, ticks.map_or(Cell::Missing, Cell::Long));
        }
    };
    let written = record.text("time").and_then(|text| time::parse(&text));
    let start = written.unwrap_or(sums.first);
    let [interval_start, interval_end] = form.interval;
    set_time(&["TimeGenerated", interval_start], Some(start));
    set_time(&[interval_end], datetime::checked(start.saturating_add(TICKS_PER_MINUTE)));
    let [first, last] = form.span;
    set_time(&[first], Some(sums.first));
    set_time(&[last], Some(sums.last));
    row.set(form.subtype, "FlowLog");
    row.set(form.version.0, form.version.1);
    let public = [is_public(&key.source), is_public(&key.destination)];
    let flows = if sums.begun > 0 { sums.begun } else { sums.tuples };
    for (((private, listed), address), public) in form.addresses.iter().zip([&key.source, &key.destination]).zip(public)
    {
        match public {
            false => row.set(private, address.clone()),
            true => row.set(
                listed,
                format!(
                    "{address}|{}|{}|{}|{}|{}|{}",
                    sums.begun, sums.ended, sums.packets_out, sums.packets_in, sums.bytes_out, sums.bytes_in
                ),
            ),
        }
    }
    row.set(form.port, key.port.to_string());
    row.set(form.protocol, key.protocol);
    row.set(form.direction, if key.inbound { "I" } else { "O" });
    row.set(
        form.status,
        match (form.current, key.allowed) {
            (true, true) => "Allowed",
            (true, false) => "Denied",
            (false, true) => "A",
            (false, false) => "D",
        },
    );
    row.set(form.kind, if public.contains(&true) { "ExternalPublic" } else { "UnknownPrivate" });
    row.set(form.group, if form.current { key.group.clone() } else { short_id(&key.group) });
    row.set(form.rule, key.rule.clone());
    let mac = record.text("macAddress").unwrap_or_default().into_owned();
    row.set(form.mac, mac);
    let place = usize::from(!key.inbound) * 2 + usize::from(!key.allowed);
    for (index, column) in form.flows.iter().enumerate() {
        row.set(column, if index == place { flows.to_string() } else { "0".to_owned() });
    }
    row.set(form.completed, sums.ended.to_string());
    // An inbound flow's source is outside: what it sends comes in.
    let traffic = [sums.packets_out, sums.bytes_out, sums.packets_in, sums.bytes_in];
    for (column, index) in
        form.traffic.iter().zip(if key.inbound && !form.current { [2, 3, 0, 1] } else { [0, 1, 2, 3] })
    {
        row.set(column, traffic.get(index).copied().unwrap_or_default().to_string());
    }
    if form.current {
        row.set(
            "NsgList",
            if key.group.contains("networksecuritygroups") { short_id(&key.group) } else { String::new() },
        );
        row.set("NsgRule", key.rule.clone());
        let target = record.text("targetResourceID").unwrap_or_default().into_owned();
        row.set("TargetResourceId", short_id(&target));
        let log = record.text("flowLogResourceID").unwrap_or_default().into_owned();
        row.set("FlowLogResourceId", log);
    }
    row.set("SourceSystem", "Azure");
    row.set("Type", spec.name().to_owned());
    row
}

/// `SUBSCRIPTION/GROUP/NAME` of a resource id.
fn short_id(id: &str) -> String {
    let lower = id.to_lowercase();
    let parts = ResourceId::parse(&lower);
    match parts.group.is_empty() {
        true => lower,
        false => format!("{}/{}/{}", parts.subscription, parts.group, parts.name),
    }
}

/// An address that is routed on the internet.
fn is_public(address: &str) -> bool {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(v4)) => {
            let [a, b, ..] = v4.octets();
            let shared = a == 100 && (64..128).contains(&b);
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast()
                || shared)
        }
        Ok(IpAddr::V6(v6)) => {
            let first = v6.segments()[0];
            !(v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || first & 0xFE00 == 0xFC00
                || first & 0xFFC0 == 0xFE80)
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tuples_of_all_versions() {
        let first = nsg_tuple("1542110377,10.0.0.4,13.67.143.118,44931,443,T,O,A").unwrap();
        assert_eq!(
            (first.protocol, first.inbound, first.allowed, first.state, first.counts),
            ("T", false, true, "", [0; 4])
        );
        let second = nsg_tuple("1542110437,125.5.61.130,10.5.16.4,2481,443,U,I,D,B,,,,").unwrap();
        assert_eq!((second.protocol, second.inbound, second.allowed, second.counts), ("U", true, false, [0; 4]));
        let third = vnet_tuple("1663146003599,10.0.0.6,192.0.2.180,23956,443,6,O,E,NX,3,767,2,1580").unwrap();
        assert_eq!((third.protocol, third.state, third.counts), ("T", "E", [3, 767, 2, 1580]));
        assert_eq!(datetime::format(third.ticks), "2022-09-14T09:00:03.5990000Z");
        assert_eq!(nsg_tuple("1,2"), None);
    }

    #[test]
    fn public_addresses() {
        assert!(is_public("8.8.8.8") && is_public("2001:4860::1"));
        for address in
            ["10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "fe80::1", "fd00::1", "x"]
        {
            assert!(!is_public(address), "{address}");
        }
    }
}

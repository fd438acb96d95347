//! Common Event Format to `CommonSecurityLog`, with or without a syslog header in front.
//!
//! `CEF:0|vendor|product|version|class|name|severity|key=value ...`; a value ends where the next key begins. Keys without a
//! column of their own are kept in `AdditionalExtensions`.

use super::guide::Guide;
use super::syslog;
use super::{LineSource, Mapped, Maps, Place};
use crate::fields::FieldList;
use crate::row::{Cell, Row};
use crate::time;

pub(super) static LINE: LineSource = LineSource { name: "cef", recognise, map, guide: Some(&GUIDE) };

const TABLE: &str = "CommonSecurityLog";

static GUIDE: Guide = Guide {
    page: "cef",
    title: "Common Event Format (CEF)",
    tables: &[TABLE],
    exports: &[("cp /var/log/cef.log logs/", "a relay that cuts lines at 1,024 bytes cuts extensions")],
    recognised: "lines with `CEF:0|` or `CEF:1|` and seven more bars, at their beginning or behind a syslog header",
    fields: &[&FIELDS],
    notes: &[
        "TimeGenerated is the syslog header's time, else rt, end or start of the event.",
        "Keys without a column are in AdditionalExtensions as key=value;key=value.",
        "Custom numbers fill DeviceCustomNumberN when they fit 32 bits and FieldDeviceCustomNumberN always.",
    ],
};

/// Keys of the extension.
static FIELDS: FieldList = FieldList {
    name: "cef",
    named_like: &[],
    fields: &[
        ("act", "DeviceAction"),
        ("app", "ApplicationProtocol"),
        ("cat", "DeviceEventCategory"),
        ("cnt", "EventCount"),
        ("cfp1", "DeviceCustomFloatingPoint1"),
        ("cfp1Label", "DeviceCustomFloatingPoint1Label"),
        ("cfp2", "DeviceCustomFloatingPoint2"),
        ("cfp2Label", "DeviceCustomFloatingPoint2Label"),
        ("cfp3", "DeviceCustomFloatingPoint3"),
        ("cfp3Label", "DeviceCustomFloatingPoint3Label"),
        ("cfp4", "DeviceCustomFloatingPoint4"),
        ("cfp4Label", "DeviceCustomFloatingPoint4Label"),
        ("cn1", "FieldDeviceCustomNumber1"),
        ("cn1Label", "DeviceCustomNumber1Label"),
        ("cn2", "FieldDeviceCustomNumber2"),
        ("cn2Label", "DeviceCustomNumber2Label"),
        ("cn3", "FieldDeviceCustomNumber3"),
        ("cn3Label", "DeviceCustomNumber3Label"),
        ("cs1", "DeviceCustomString1"),
        ("cs1Label", "DeviceCustomString1Label"),
        ("cs2", "DeviceCustomString2"),
        ("cs2Label", "DeviceCustomString2Label"),
        ("cs3", "DeviceCustomString3"),
        ("cs3Label", "DeviceCustomString3Label"),
        ("cs4", "DeviceCustomString4"),
        ("cs4Label", "DeviceCustomString4Label"),
        ("cs5", "DeviceCustomString5"),
        ("cs5Label", "DeviceCustomString5Label"),
        ("cs6", "DeviceCustomString6"),
        ("cs6Label", "DeviceCustomString6Label"),
        ("c6a1", "DeviceCustomIPv6Address1"),
        ("c6a1Label", "DeviceCustomIPv6Address1Label"),
        ("c6a2", "DeviceCustomIPv6Address2"),
        ("c6a2Label", "DeviceCustomIPv6Address2Label"),
        ("c6a3", "DeviceCustomIPv6Address3"),
        ("c6a3Label", "DeviceCustomIPv6Address3Label"),
        ("c6a4", "DeviceCustomIPv6Address4"),
        ("c6a4Label", "DeviceCustomIPv6Address4Label"),
        ("destinationDnsDomain", "DestinationDnsDomain"),
        ("destinationServiceName", "DestinationServiceName"),
        ("destinationTranslatedAddress", "DestinationTranslatedAddress"),
        ("destinationTranslatedPort", "DestinationTranslatedPort"),
        ("deviceCustomDate1", "DeviceCustomDate1"),
        ("deviceCustomDate1Label", "DeviceCustomDate1Label"),
        ("deviceCustomDate2", "DeviceCustomDate2"),
        ("deviceCustomDate2Label", "DeviceCustomDate2Label"),
        ("deviceDirection", "CommunicationDirection"),
        ("deviceDnsDomain", "DeviceDnsDomain"),
        ("deviceExternalId", "DeviceExternalID"),
        ("deviceFacility", "DeviceFacility"),
        ("deviceInboundInterface", "DeviceInboundInterface"),
        ("deviceNtDomain", "DeviceNtDomain"),
        ("deviceOutboundInterface", "DeviceOutboundInterface"),
        ("devicePayloadId", "DevicePayloadId"),
        ("deviceProcessName", "ProcessName"),
        ("deviceTranslatedAddress", "DeviceTranslatedAddress"),
        ("dhost", "DestinationHostName"),
        ("dmac", "DestinationMACAddress"),
        ("dntdom", "DestinationNTDomain"),
        ("dpid", "DestinationProcessId"),
        ("dpriv", "DestinationUserPrivileges"),
        ("dproc", "DestinationProcessName"),
        ("dpt", "DestinationPort"),
        ("dst", "DestinationIP"),
        ("dtz", "DeviceTimeZone"),
        ("duid", "DestinationUserID"),
        ("duser", "DestinationUserName"),
        ("dvc", "DeviceAddress"),
        ("dvchost", "DeviceName"),
        ("dvcmac", "DeviceMacAddress"),
        ("dvcpid", "ProcessID"),
        ("end", "EndTime"),
        ("externalId", "ExtID"),
        ("fileCreateTime", "FileCreateTime"),
        ("fileHash", "FileHash"),
        ("fileId", "FileID"),
        ("fileModificationTime", "FileModificationTime"),
        ("filePath", "FilePath"),
        ("filePermission", "FilePermission"),
        ("fileType", "FileType"),
        ("flexDate1", "FlexDate1"),
        ("flexDate1Label", "FlexDate1Label"),
        ("flexNumber1", "FlexNumber1"),
        ("flexNumber1Label", "FlexNumber1Label"),
        ("flexNumber2", "FlexNumber2"),
        ("flexNumber2Label", "FlexNumber2Label"),
        ("flexString1", "FlexString1"),
        ("flexString1Label", "FlexString1Label"),
        ("flexString2", "FlexString2"),
        ("flexString2Label", "FlexString2Label"),
        ("fname", "FileName"),
        ("fsize", "FileSize"),
        ("in", "ReceivedBytes"),
        ("msg", "Message"),
        ("oldFileCreateTime", "OldFileCreateTime"),
        ("oldFileHash", "OldFileHash"),
        ("oldFileId", "OldFileID"),
        ("oldFileModificationTime", "OldFileModificationTime"),
        ("oldFileName", "OldFileName"),
        ("oldFilePath", "OldFilePath"),
        ("oldFilePermission", "OldFilePermission"),
        ("oldFileSize", "OldFileSize"),
        ("oldFileType", "OldFileType"),
        ("out", "SentBytes"),
        ("outcome", "EventOutcome"),
        ("proto", "Protocol"),
        ("reason", "Reason"),
        ("request", "RequestURL"),
        ("requestClientApplication", "RequestClientApplication"),
        ("requestContext", "RequestContext"),
        ("requestCookies", "RequestCookies"),
        ("requestMethod", "RequestMethod"),
        ("rt", "ReceiptTime"),
        ("shost", "SourceHostName"),
        ("smac", "SourceMACAddress"),
        ("sntdom", "SourceNTDomain"),
        ("sourceDnsDomain", "SourceDnsDomain"),
        ("sourceServiceName", "SourceServiceName"),
        ("sourceTranslatedAddress", "SourceTranslatedAddress"),
        ("sourceTranslatedPort", "SourceTranslatedPort"),
        ("spid", "SourceProcessId"),
        ("spriv", "SourceUserPrivileges"),
        ("sproc", "SourceProcessName"),
        ("spt", "SourcePort"),
        ("src", "SourceIP"),
        ("start", "StartTime"),
        ("suid", "SourceUserID"),
        ("suser", "SourceUserName"),
        ("type", "EventType"),
    ],
};

/// Where the event begins, and whether the line looks like one.
fn start(line: &str) -> Option<usize> {
    let at = line.find("CEF:")?;
    let rest = line.get(at + 4..)?.trim_start();
    let version = rest.starts_with("0|") || rest.starts_with("1|");
    let before = line.get(..at)?;
    (version
        && bars(rest).count() >= 7
        && (before.is_empty() || before.ends_with([' ', ':', '"']) && before.len() < 256))
        .then_some(at)
}

/// The places of bars that separate, not those behind a backslash.
fn bars(text: &str) -> impl Iterator<Item = usize> + '_ {
    let mut escaped = false;
    text.char_indices().filter_map(move |(at, character)| {
        let bar = character == '|' && !escaped;
        escaped = character == '\\' && !escaped;
        bar.then_some(at)
    })
}

fn recognise(line: &str) -> bool {
    start(line).is_some()
}

fn map<'r>(line: &'r str, maps: &Maps, place: &Place<'_>) -> Mapped<'r> {
    let (Some(spec), Some(at)) = (maps.table(TABLE), start(line)) else {
        return Mapped::Other("line that is no CEF".into());
    };
    let mut row = Row::new(&spec);
    let event = line.get(at + 4..).unwrap_or_default().trim_start();
    let (mut from, mut parts) = (0, Vec::with_capacity(7));
    for bar in bars(event).take(7) {
        parts.push(event.get(from..bar).unwrap_or_default());
        from = bar + 1;
    }
    const HEADER: &[&str] =
        &["", "DeviceVendor", "DeviceProduct", "DeviceVersion", "DeviceEventClassID", "Activity", "LogSeverity"];
    for (column, value) in HEADER.iter().zip(parts).filter(|(column, _)| !column.is_empty()) {
        row.set(column, unescaped(value));
    }
    let severity = row.text("LogSeverity").to_owned();
    row.set("OriginalLogSeverity", severity);
    let extension = event.get(from..).unwrap_or_default();
    let mut additional = Vec::new();
    for (key, value) in pairs(extension) {
        put(key, value, &mut row, &mut additional);
    }
    row.set("AdditionalExtensions", additional.join(";"));
    times(line.get(..at).unwrap_or_default(), &mut row, place);
    row.set("SourceSystem", "OpsManager");
    row.set("Type", TABLE);
    Mapped::Row(Box::new(row))
}

fn put<'r>(key: &'r str, value: &'r str, row: &mut Row<'r>, additional: &mut Vec<String>) {
    let value = unescaped(value);
    let column = FIELDS.fields.iter().find(|(name, _)| *name == key).map(|(_, column)| *column);
    match column.and_then(|column| row.spec.column(column)) {
        Some(column) => row.set_text(column, value.clone()),
        None => additional.push(format!("{key}={value}")),
    }
    match key {
        "cn1" | "cn2" | "cn3" if value.trim().parse::<i32>().is_ok() => {
            row.set(&format!("DeviceCustomNumber{}", key.get(2..).unwrap_or_default()), value);
        }
        "externalId" if value.trim().parse::<i32>().is_ok() => row.set("ExternalID", value),
        "deviceDirection" => {
            let direction = match value.as_str() {
                "0" => "Inbound",
                "1" => "Outbound",
                other => other,
            };
            row.set("CommunicationDirection", direction.to_owned());
        }
        _ => {}
    }
}

/// Characters of a key.
const KEY_MAX: usize = 100;

/// Keys and values of an extension.
fn pairs(text: &str) -> Vec<(&str, &str)> {
    let mut found: Vec<(&str, usize, usize)> = Vec::new();
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        if byte == b'=' && !escaped {
            // A key is short: no more is looked back, however often the sign comes.
            let near = at.saturating_sub(KEY_MAX + 1);
            let before = text.as_bytes().get(near..at).unwrap_or_default();
            let start =
                before.iter().rposition(|byte| matches!(byte, b' ' | b'|')).map_or(near, |space| near + space + 1);
            let key = text.get(start..at).unwrap_or_default();
            let is_key = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.' | b'-' | b'[' | b']');
            if !key.is_empty() && key.len() <= KEY_MAX && key.bytes().all(is_key) {
                found.push((key, start, at + 1));
            }
        }
        escaped = byte == b'\\' && !escaped;
    }
    let ends = found.iter().skip(1).map(|(_, start, _)| *start).chain([text.len()]);
    found
        .iter()
        .zip(ends)
        .map(|((key, _, value), end)| (*key, text.get(*value..end).unwrap_or_default().trim_end()))
        .collect()
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some(other @ ('\\' | '|' | '=')) => out.push(other),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            other => out.push(other),
        }
    }
    out
}

/// When it happened: by the header in front, else by the event's own times.
fn times(before: &str, row: &mut Row<'_>, place: &Place<'_>) {
    let marked = format!("{before}CEF:");
    let header = syslog::header(&marked);
    if let Some(header) = &header {
        row.set("Computer", header.host.to_owned());
    }
    let by_header = header.and_then(|header| header.time).and_then(|when| when.ticks(place));
    let by_event = || {
        let own = ["EndTime", "StartTime"].iter().find_map(|name| row.ticks(row.spec.column(name)?));
        event_time(row.text("ReceiptTime")).or(own)
    };
    if let (Some(column), Some(ticks)) = (row.spec.time, by_header.or_else(by_event)) {
        row.put(column, Cell::Long(ticks));
    }
}

/// `1772323200000`, or `Mar 01 2026 10:00:00`.
fn event_time(text: &str) -> Option<i64> {
    time::parse(text).or_else(|| {
        let mut parts = text.split_whitespace();
        let (month, day, year, clock) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        time::parse(&format!("{day} {month} {year} {clock}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_keys_begin() {
        let text = r"src=10.0.0.1 msg=a b c\=d e request=https://x/?q\=1 cs1Label=Rule Name cs1=all = fine";
        assert_eq!(
            pairs(text),
            [
                ("src", "10.0.0.1"),
                ("msg", r"a b c\=d e"),
                ("request", r"https://x/?q\=1"),
                ("cs1Label", "Rule Name"),
                ("cs1", "all = fine")
            ]
        );
        assert_eq!(unescaped(r"a\=b\\c\|d\nE"), "a=b\\c|d\nE");
        // Once quadratic.
        let many = "a=".repeat(4 << 20);
        assert_eq!(pairs(&many).len(), 1);
    }

    #[test]
    fn lines_with_and_without_a_header() {
        assert!(recognise("CEF:0|V|P|1|2|n|5|src=1.2.3.4"));
        assert!(recognise("Mar  1 10:00:00 fw1 CEF:0|V|P|1|2|n\\|m|5|"));
        assert!(!recognise("CEF:0|V|P|1|2|n") && !recognise("about CEF: it is a format"));
        assert_eq!(event_time("Mar 01 2026 10:00:00"), time::parse("2026-03-01T10:00:00Z"));
        assert_eq!(event_time("1772323200000"), time::parse("2026-03-01T00:00:00Z"));
    }
}

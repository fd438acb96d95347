//! Windows events: the Security log to `SecurityEvent`, forwarded events to `WindowsEvent`, every other log (Sysmon among
//! them) to `Event`.
//!
//! Four forms of JSON are read into one [`Parsed`] event: the XML's shape, as event log files and converters give it; the
//! flat one of collectors; the one that shippers nest under `winlog`; and what PowerShell lists.

mod event;
mod listed;
mod security;

use std::borrow::Cow;

use super::guide::Guide;
use super::{Mapped, Maps, Object, Place, Record, Source, string};
use crate::json::compact;

pub(super) static RENDERED: Source =
    Source { name: "windows-event", recognise: is_rendered, map: map_rendered, guide: Some(&GUIDE) };
pub(super) static FLAT: Source =
    Source { name: "windows-event-flat", recognise: is_flat, map: map_flat, guide: Some(&GUIDE) };
pub(super) static SHIPPED: Source =
    Source { name: "windows-event-shipped", recognise: is_shipped, map: map_shipped, guide: Some(&GUIDE) };

pub(super) static LISTED: Source = Source {
    name: "windows-event-listed",
    recognise: listed::is_event,
    map: |record, maps, place| mapped(listed::parsed(record), maps, place),
    guide: Some(&GUIDE),
};

static GUIDE: Guide = Guide {
    page: "windows-event",
    title: "Windows Security, Sysmon and other event logs",
    tables: &["SecurityEvent", "Event", "WindowsEvent"],
    exports: &[
        (
            "wevtutil epl Security security.evtx",
            "the log itself holds only its newest events: its size decides (20 MB unless set)",
        ),
        ("wevtutil epl Microsoft-Windows-Sysmon/Operational sysmon.evtx", ""),
        (
            "Get-WinEvent ... | ConvertTo-Json -Depth 3",
            "names of the event's values are lost: those of common security events are known by their order, Sysmon's by the message; without -Depth 3 values are lost too",
        ),
    ],
    recognised: "event log files by their first bytes; JSON with Event.System, with EventID and Channel, with winlog.event_id, or with Id, ProviderName, LogName and RecordId",
    fields: &[],
    notes: &[
        "Channel Security goes to SecurityEvent, a file named ForwardedEvents to WindowsEvent, all else to Event.",
        "SecurityEvent: values of EventData go to the columns named like them; EventData holds them as XML when some have no column. Account, AccountType, Activity, Process and LogonTypeName are worked out.",
        "Event: EventData is XML in the form of the agent (DataItem), ParameterXml the values alone. RenderedDescription is empty when the export has no message.",
        "WindowsEvent: EventData is dynamic.",
    ],
};

/// An event, whatever form it came in.
#[derive(Debug, Default)]
struct Parsed<'r> {
    provider: Cow<'r, str>,
    channel: Cow<'r, str>,
    computer: Cow<'r, str>,
    event_id: Cow<'r, str>,
    version: Cow<'r, str>,
    level: Cow<'r, str>,
    task: Cow<'r, str>,
    opcode: Cow<'r, str>,
    keywords: Cow<'r, str>,
    time: Cow<'r, str>,
    record_id: Cow<'r, str>,
    user_id: Cow<'r, str>,
    process_id: Cow<'r, str>,
    thread_id: Cow<'r, str>,
    activity_id: Cow<'r, str>,
    message: Cow<'r, str>,
    /// Names and values of `EventData`, or of what stands in its place.
    data: Vec<(Cow<'r, str>, Cow<'r, str>)>,
}

/// A value as text: strings as they are, null as nothing, anything else as compact JSON.
fn plain(raw: &str) -> Cow<'_, str> {
    match string(raw) {
        Some(text) => text,
        None if raw == "null" => Cow::Borrowed(""),
        None => compact::compact(raw),
    }
}

/// The attributes of an element, under one of the names that converters give them.
fn attribute<'r>(element: &'r str, name: &str) -> Option<Cow<'r, str>> {
    let object = Object::of(element)?;
    for key in ["#attributes", "@attributes", "$"] {
        if let Some(value) = object.raw(key).and_then(Object::of).and_then(|inner| inner.raw(name)) {
            return Some(plain(value));
        }
    }
    let marked = object.raw(&format!("@{name}")).or_else(|| object.raw(&format!("@_{name}")));
    marked.or_else(|| object.raw(name)).map(plain)
}

/// The text of an element that may have attributes.
fn text_of(element: &str) -> Cow<'_, str> {
    match Object::of(element) {
        Some(object) => ["#text", "_", "text"].iter().find_map(|key| object.raw(key)).map(plain).unwrap_or_default(),
        None => plain(element),
    }
}

fn is_rendered(record: &Record<'_>) -> bool {
    record
        .raw("Event")
        .and_then(Object::of)
        .and_then(|event| Object::of(event.raw("System")?))
        .is_some_and(|system| system.has("EventID") && (system.has("Channel") || system.has("Provider")))
}

fn map_rendered<'r>(record: &Record<'r>, maps: &Maps, place: &Place<'_>) -> Mapped<'r> {
    let event = record.raw("Event").and_then(Object::of);
    let Some((event, system)) =
        event.and_then(|event| Some((Object::of(event.raw("System")?)?, event)).map(|(s, e)| (e, s)))
    else {
        return Mapped::Other("Windows event without a System part".into());
    };
    let text = |name: &str| system.raw(name).map(text_of).unwrap_or_default();
    let of = |name: &str, key: &str| system.raw(name).and_then(|raw| attribute(raw, key)).unwrap_or_default();
    let parsed = Parsed {
        provider: of("Provider", "Name"),
        channel: text("Channel"),
        computer: text("Computer"),
        event_id: text("EventID"),
        version: text("Version"),
        level: text("Level"),
        task: text("Task"),
        opcode: text("Opcode"),
        keywords: text("Keywords"),
        time: of("TimeCreated", "SystemTime"),
        record_id: text("EventRecordID"),
        user_id: of("Security", "UserID"),
        process_id: of("Execution", "ProcessID"),
        thread_id: of("Execution", "ThreadID"),
        activity_id: of("Correlation", "ActivityID"),
        message: event
            .raw("RenderingInfo")
            .and_then(Object::of)
            .and_then(|info| info.text("Message"))
            .unwrap_or_default(),
        data: ["EventData", "UserData"].iter().filter_map(|name| event.raw(name)).flat_map(data_of).collect(),
    };
    mapped(parsed, maps, place)
}

/// Names and values of an `EventData` element: `{"Name":value}`, or `{"Data":[{"@Name":..,"#text":..}]}`, or values alone.
fn data_of(raw: &str) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    let mut found = Vec::new();
    let Some(object) = Object::of(raw) else { return found };
    for (name, value) in object.entries() {
        if name.starts_with(['#', '@', '$']) {
            continue;
        }
        let items = crate::json::scan::elements(value, usize::MAX);
        match (name, items) {
            ("Data", Some(items)) => found.extend(items.into_iter().map(named_value)),
            ("Data", None) if value.starts_with('{') => match Object::of(value).and_then(|data| {
                let items = crate::json::scan::elements(data.raw("#text")?, usize::MAX)?;
                Some(items.into_iter().map(|item| (Cow::Borrowed(""), plain(item))).collect::<Vec<_>>())
            }) {
                Some(values) => found.extend(values),
                None => found.push(named_value(value)),
            },
            ("Data", None) => found.push((Cow::Borrowed(""), plain(value))),
            // What stands in the place of EventData: one element that holds the values.
            _ if value.starts_with('{') => found.extend(data_of(value)),
            _ => found.push((Cow::Borrowed(name), plain(value))),
        }
    }
    found
}

fn named_value(raw: &str) -> (Cow<'_, str>, Cow<'_, str>) {
    (attribute(raw, "Name").unwrap_or_default(), text_of(raw))
}

const COMPUTER: &[&str] = &["Computer", "Hostname", "ComputerName", "host", "MachineName"];
const PROVIDER: &[&str] = &["SourceName", "ProviderName", "Provider_Name", "Provider"];
/// The last is local time for some collectors, and says so nowhere.
const TIME: &[&str] = &["UtcTime", "TimeCreated", "SystemTime", "@timestamp", "EventTime"];

fn is_flat(record: &Record<'_>) -> bool {
    record.has("EventID")
        && (record.has("Channel") || record.has("LogName"))
        && COMPUTER.iter().any(|name| record.has(name))
        && (PROVIDER.iter().any(|name| record.has(name)) || TIME.iter().any(|name| record.has(name)))
}

fn map_flat<'r>(record: &Record<'r>, maps: &Maps, place: &Place<'_>) -> Mapped<'r> {
    const SYSTEM: &[&str] = &[
        "EventID",
        "Channel",
        "LogName",
        "Version",
        "Level",
        "LevelDisplayName",
        "Task",
        "Opcode",
        "OpcodeValue",
        "Keywords",
        "Severity",
        "SeverityValue",
        "RecordNumber",
        "EventRecordID",
        "RecordId",
        "ProviderGuid",
        "Message",
        "EventReceivedTime",
        "SourceModuleName",
        "SourceModuleType",
        "ExecutionProcessID",
        "ExecutionThreadID",
        "ThreadID",
        "ActivityID",
        "EventType",
        "EventTypeOrignal",
        "@version",
        "tags",
        "port",
        "Category",
        "Domain",
        "AccountName",
        "AccountType",
        "UserID",
        "index",
        "type",
    ];
    let first = |names: &[&str]| names.iter().find_map(|name| record.raw(name)).map(plain).unwrap_or_default();
    let channel = first(&["Channel", "LogName"]);
    let sysmon = channel.contains("Sysmon");
    let parsed = Parsed {
        provider: first(PROVIDER),
        computer: first(COMPUTER),
        event_id: first(&["EventID"]),
        version: first(&["Version"]),
        level: first(&["Level", "SeverityValue"]),
        task: first(&["Task"]),
        opcode: first(&["OpcodeValue", "Opcode"]),
        keywords: first(&["Keywords"]),
        time: match sysmon {
            true => first(TIME),
            false => first(TIME.get(1..).unwrap_or_default()),
        },
        record_id: first(&["EventRecordID", "RecordNumber", "RecordId"]),
        user_id: first(&["UserID"]),
        process_id: first(&["ExecutionProcessID"]),
        thread_id: first(&["ExecutionThreadID", "ThreadID"]),
        activity_id: first(&["ActivityID"]),
        message: first(&["Message"]),
        data: record
            .names()
            .zip(record.members)
            .filter(|(name, _)| {
                // Sysmon's time is a value of the event; a name may stand for several things.
                !SYSTEM.contains(name)
                    && !COMPUTER.contains(name)
                    && !PROVIDER.contains(name)
                    && (!TIME.contains(name) || sysmon && *name == "UtcTime")
            })
            .filter_map(|(name, member)| Some((Cow::Borrowed(name), plain(record.text.get(member.value.clone())?))))
            .collect(),
        channel,
    };
    mapped(parsed, maps, place)
}

fn is_shipped(record: &Record<'_>) -> bool {
    record
        .object("winlog")
        .is_some_and(|winlog| winlog.has("event_id") && (winlog.has("channel") || winlog.has("provider_name")))
}

fn map_shipped<'r>(record: &Record<'r>, maps: &Maps, place: &Place<'_>) -> Mapped<'r> {
    let Some(winlog) = record.object("winlog") else { return Mapped::Other("event without winlog".into()) };
    let of = |name: &str| winlog.raw(name).map(plain).unwrap_or_default();
    let inner = |name: &str, key: &str| {
        winlog.raw(name).and_then(Object::of).and_then(|object| object.raw(key)).map(plain).unwrap_or_default()
    };
    let parsed = Parsed {
        provider: of("provider_name"),
        channel: of("channel"),
        computer: of("computer_name"),
        event_id: of("event_id"),
        version: of("version"),
        level: record
            .raw("log")
            .and_then(Object::of)
            .and_then(|log| log.text("level"))
            .map(level_number)
            .unwrap_or_default()
            .into(),
        task: Cow::Borrowed(""),
        opcode: Cow::Borrowed(""),
        keywords: of("keywords"),
        time: record.text("@timestamp").unwrap_or_default(),
        record_id: of("record_id"),
        user_id: inner("user", "identifier"),
        process_id: winlog
            .raw("process")
            .and_then(Object::of)
            .and_then(|p| p.raw("pid"))
            .map(plain)
            .unwrap_or_default(),
        thread_id: Cow::Borrowed(""),
        activity_id: of("activity_id"),
        message: record.text("message").unwrap_or_default(),
        data: ["event_data", "user_data"].iter().filter_map(|name| winlog.raw(name)).flat_map(data_of).collect(),
    };
    mapped(parsed, maps, place)
}

fn level_number(name: Cow<'_, str>) -> &'static str {
    match name.to_lowercase().as_str() {
        "critical" => "1",
        "error" => "2",
        "warning" => "3",
        "verbose" => "5",
        _ => "4",
    }
}

fn mapped<'r>(parsed: Parsed<'r>, maps: &Maps, place: &Place<'_>) -> Mapped<'r> {
    let file = place.path.rsplit('/').next().unwrap_or_default().to_lowercase();
    let row = if file.starts_with("forwardedevents") || maps.is_forced("windows-event-forwarded") {
        event::windows_event(&parsed, maps)
    } else if parsed.channel.eq_ignore_ascii_case("Security") {
        security::row(&parsed, maps)
    } else {
        event::event(&parsed, maps)
    };
    match row {
        Some(mut row) => {
            row.identified = !parsed.record_id.is_empty();
            Mapped::Row(Box::new(row))
        }
        None => Mapped::Other("Windows event of a table that is not known".into()),
    }
}

/// The text inside an XML element.
fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '>', '&', '"']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

/// `<EventData>` with its values.
fn event_data_xml(parsed: &Parsed<'_>) -> String {
    let mut out = String::from(r#"<EventData xmlns="http://schemas.microsoft.com/win/2004/08/events/event">"#);
    for (name, value) in &parsed.data {
        match name.is_empty() {
            true => out.push_str("<Data>"),
            false => out.push_str(&format!("<Data Name=\"{}\">", escaped(name))),
        }
        out.push_str(&escaped(value));
        out.push_str("</Data>");
    }
    out.push_str("</EventData>");
    out
}

fn level_name(level: &str) -> &'static str {
    match level {
        "1" => "Critical",
        "2" => "Error",
        "3" => "Warning",
        "5" => "Verbose",
        _ => "Information",
    }
}

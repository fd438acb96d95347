//! Okta's system log to `Okta_CL`, with names as the collector makes them: `actor_alternateId_s`, lists as JSON text.

use super::guide::Guide;
use super::{Mapped, Maps, Object, Place, Record, Source, string};
use crate::custom;
use crate::json::text::quoted;
use crate::time;

pub(super) static EVENT: Source = Source { name: "okta", recognise: is_event, map, guide: Some(&GUIDE) };

const TABLE: &str = "Okta_CL";

static GUIDE: Guide = Guide {
    page: "okta",
    title: "Okta system log",
    tables: &[TABLE],
    exports: &[(
        "curl -H 'Authorization: SSWS TOKEN' 'https://ORG.okta.com/api/v1/logs?since=2026-03-01T00:00:00Z&limit=1000' > okta.json",
        "100 events unless limit is given, 1,000 a page: follow the link header; 90 days back",
    )],
    recognised: "eventType, published and uuid with actor",
    fields: &[],
    notes: &[
        "Every field becomes a column: names joined by _, with _s, _d, _b, _t or _g for its type; lists are JSON text.",
        "TimeGenerated is published.",
    ],
};

fn is_event(record: &Record<'_>) -> bool {
    record.has("eventType") && record.has("published") && record.has("uuid") && record.has("actor")
}

fn map<'r>(record: &Record<'r>, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let mut members = Vec::new();
    if let Some(published) = record.raw("published") {
        members.push(format!("\"TimeGenerated\":{published}"));
    }
    for (name, member) in record.names().zip(record.members) {
        if let Some(raw) = record.text.get(member.value.clone()) {
            flatten(name, raw, &mut members);
        }
    }
    let spec = maps.custom(TABLE);
    let mut row = custom::draft_of(format!("{{{}}}", members.join(",")), &spec);
    row.identified = true;
    Mapped::Row(Box::new(row))
}

fn flatten(name: &str, raw: &str, members: &mut Vec<String>) {
    if let Some(object) = Object::of(raw) {
        for (inner, value) in object.entries() {
            flatten(&format!("{name}_{inner}"), value, members);
        }
        return;
    }
    let (suffix, value) = match raw.as_bytes().first() {
        Some(b'n') | None => return,
        Some(b't' | b'f') => ("_b", raw.to_owned()),
        Some(b'[') => ("_s", quoted(raw)),
        Some(b'"') => match string(raw) {
            Some(text) if text.is_empty() => return,
            Some(text) if text.len() >= 20 && text.ends_with('Z') && time::parse(&text).is_some() => {
                ("_t", raw.to_owned())
            }
            Some(text) if kql_types::guid::parse(&text).is_some() => ("_g", raw.to_owned()),
            _ => ("_s", raw.to_owned()),
        },
        Some(_) => ("_d", raw.to_owned()),
    };
    members.push(format!("{}:{value}", quoted(&format!("{name}{suffix}"))));
}

//! The sources: each recognises records of its kind by content and maps them to rows.
//!
//! [`SOURCES`] and [`LINE_SOURCES`] are the lists, in the order in which they are asked. Adding a source is a file here and
//! a line there; its page in the documentation is made from its [`Guide`].

mod aws_beside;
mod aws_cloudtrail;
mod aws_cloudwatch;
mod aws_guardduty;
mod aws_vpc_flow;
mod azure;
mod cef;
pub(crate) mod entra;
pub(crate) mod exported;
mod gcp_audit;
mod gke_audit;
mod graph;
pub(crate) mod guide;
mod kubernetes_audit;
mod m365_audit;
mod ocsf;
mod okta;
mod streamed;
mod syslog;
mod windows;

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use tables::SchemaSet;

use crate::fields::{FieldList, FieldMap, NameCase};
use crate::json::{Member, scan, text};
use crate::report::Gap;
use crate::row::{Row, TableSpec};
use guide::Guide;

/// An object of a log, with the places of its members.
#[derive(Clone, Copy)]
pub(crate) struct Record<'r> {
    pub(crate) text: &'r str,
    pub(crate) members: &'r [Member],
}

impl<'r> Record<'r> {
    /// The raw value of a member: the last of equal names.
    pub(crate) fn raw(&self, name: &str) -> Option<&'r str> {
        let member = self.members.iter().rev().find(|member| self.is_called(member, name))?;
        self.text.get(member.value.clone())
    }

    fn is_called(&self, member: &Member, name: &str) -> bool {
        member.key.len() == name.len() && self.text.as_bytes().get(member.key.clone()) == Some(name.as_bytes())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|member| self.is_called(member, name))
    }

    /// The raw value of a member of this name, or of this name in lower case.
    pub(crate) fn either(&self, name: &str) -> Option<&'r str> {
        self.raw(name).or_else(|| {
            let mut members = self.members.iter().rev();
            let member = members.find(|member| {
                member.key.len() == name.len()
                    && self
                        .text
                        .as_bytes()
                        .get(member.key.clone())
                        .is_some_and(|key| key.iter().zip(name.bytes()).all(|(a, b)| *a == b.to_ascii_lowercase()))
            })?;
            self.text.get(member.value.clone())
        })
    }

    /// True for a member of this name, or of this name in lower case.
    pub(crate) fn has_either(&self, name: &str) -> bool {
        self.has(name) || self.either(name).is_some()
    }

    /// The text of a member that is a string, its name as given or in lower case.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'r, str>> {
        string(self.either(name)?)
    }

    /// The member of this name as a record, when it is an object.
    pub(crate) fn object(&self, name: &str) -> Option<Object<'r>> {
        Object::of(self.either(name)?)
    }

    /// All names, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'r str> {
        let text = self.text;
        self.members.iter().filter_map(move |member| text.get(member.key.clone()))
    }
}

/// An object inside a record.
pub(crate) struct Object<'r> {
    text: &'r str,
    members: Vec<Member>,
}

impl<'r> Object<'r> {
    pub(crate) fn of(raw: &'r str) -> Option<Object<'r>> {
        Some(Object { text: raw, members: members(raw)? })
    }

    /// The raw value of a member: the last of equal names.
    pub(crate) fn raw(&self, name: &str) -> Option<&'r str> {
        let member = self.members.iter().rev().find(|member| self.text.get(member.key.clone()) == Some(name))?;
        self.text.get(member.value.clone())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// The text of a member that is a string.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'r, str>> {
        string(self.raw(name)?)
    }

    /// Names and raw values, in order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'r str, &'r str)> {
        let text = self.text;
        self.members
            .iter()
            .filter_map(move |member| Some((text.get(member.key.clone())?, text.get(member.value.clone())?)))
    }
}

/// The text of a raw JSON string; None for any other value.
pub(crate) fn string(raw: &str) -> Option<Cow<'_, str>> {
    raw.strip_prefix('"')?.strip_suffix('"').map(text::unescape)
}

/// True for a text that is one JSON value.
pub(crate) fn is_json(text: &str) -> bool {
    let bytes = text.as_bytes();
    let end = scan::skip_value(bytes, scan::skip_space(bytes, 0), DEPTH_MAX);
    end.is_ok_and(|end| scan::skip_space(bytes, end) == bytes.len())
}

/// JSON inside strings may be nested this deep.
const DEPTH_MAX: usize = 1_000;

/// The members of a raw object; None for any other value.
pub(crate) fn members(raw: &str) -> Option<Vec<Member>> {
    let mut members = Vec::with_capacity(16);
    scan::object(raw.as_bytes(), 0, usize::MAX, &mut members).ok()?;
    Some(members)
}

/// The raw value at a path of names inside a raw object.
pub(crate) fn raw_at<'r>(raw: &'r str, path: &[&str]) -> Option<&'r str> {
    let mut value = raw;
    for name in path {
        let members = members(value)?;
        let member = members.iter().rev().find(|member| value.get(member.key.clone()) == Some(name))?;
        value = value.get(member.value.clone())?;
    }
    Some(value)
}

/// What a record is to a source.
pub(crate) enum Mapped<'r> {
    Row(Box<Row<'r>>),
    /// Events that one record holds together: at least one.
    Rows(Vec<Row<'r>>),
    /// A digest: nobody's row, of this kind, but it covers a time of somebody's logs.
    Covers {
        kind: &'static str,
        whose: String,
        span: Gap,
    },
    /// A line of text that the record carries: read it in place of this one.
    Line(Cow<'r, str>),
    /// Nobody's row, of this kind.
    Other(Cow<'static, str>),
    /// The record in the envelope that this one is: read it in place of this one.
    Inner(Cow<'r, str>),
}

/// One source.
pub(crate) struct Source {
    /// As reports name it.
    pub(crate) name: &'static str,
    /// True when the record is of this kind.
    pub(crate) recognise: fn(&Record<'_>) -> bool,
    pub(crate) map: for<'r> fn(&Record<'r>, &Maps, &Place<'_>) -> Mapped<'r>,
    /// None for envelopes and for what shares another one's page.
    pub(crate) guide: Option<&'static Guide>,
}

/// A source of lines of text.
pub(crate) struct LineSource {
    pub(crate) name: &'static str,
    pub(crate) recognise: fn(&str) -> bool,
    pub(crate) map: for<'r> fn(&'r str, &Maps, &Place<'_>) -> Mapped<'r>,
    pub(crate) guide: Option<&'static Guide>,
}

/// The start of most maps: a row of the table with the listed fields in their columns, or what the record is when the
/// table is not known.
pub(crate) fn row_of<'r>(
    record: &Record<'r>,
    maps: &Maps,
    table: &str,
    list: &FieldList,
    system: &'static str,
) -> Result<Row<'r>, Mapped<'r>> {
    let Some(spec) = maps.table(table) else { return Err(Mapped::Other(format!("record of {table}").into())) };
    let mut row = Row::new(&spec);
    if maps.fields(list, &spec).apply(record.text, record.members, &mut row) == NameCase::Folded {
        row.mended.push("field names in other case");
    }
    row.set("Type", table.to_owned());
    row.set("SourceSystem", system);
    Ok(row)
}

/// Where the record lies: evidence for when it was delivered.
pub(crate) struct Place<'a> {
    /// With forward slashes.
    pub(crate) path: &'a str,
    /// Ticks at which the file was last written.
    pub(crate) modified: Option<i64>,
    /// The minute that the name of a CloudTrail object gives.
    pub(crate) delivered: Option<i64>,
}

impl<'a> Place<'a> {
    pub(crate) fn new(path: &'a str, modified: Option<i64>) -> Place<'a> {
        Place { path, modified, delivered: aws_cloudtrail::delivered(path) }
    }
}

pub(crate) static SOURCES: &[&Source] = &[
    &aws_cloudtrail::RECORD,
    &aws_cloudtrail::WRAPPED,
    &gcp_audit::ENTRY,
    &gcp_audit::PUBSUB,
    &gke_audit::ENTRY,
    &streamed::DEFENDER,
    &entra::sign_in::DIAGNOSTIC,
    &entra::audit::DIAGNOSTIC,
    &entra::other::DIAGNOSTIC,
    &azure::flow::NSG,
    &azure::flow::VNET,
    &azure::activity::DIAGNOSTIC,
    &azure::activity::REST,
    &azure::portal::ACTIVITY,
    &kubernetes_audit::AKS,
    &azure::resource_logs::DIAGNOSTIC,
    &m365_audit::RECORD,
    &m365_audit::WRAPPED,
    &aws_beside::CONFIG,
    &entra::portal::DETAILS,
    &aws_guardduty::FINDING,
    &aws_guardduty::WRAPPED,
    &aws_vpc_flow::RECORD,
    &aws_cloudwatch::EVENT,
    &kubernetes_audit::EVENT,
    &ocsf::EVENT,
    &okta::EVENT,
    &windows::RENDERED,
    &windows::FLAT,
    &windows::SHIPPED,
    &windows::LISTED,
    &graph::alerts::ALERT,
    &entra::sign_in::GRAPH,
    &entra::audit::GRAPH,
    &entra::risk::GRAPH,
    &graph::users::USER,
];

pub(crate) static LINE_SOURCES: &[&LineSource] =
    &[&cef::LINE, &aws_vpc_flow::LINE, &aws_beside::LOAD_BALANCER, &aws_beside::BUCKET, &syslog::LINE];

/// The source that a record is of: the one that was asked for, unless the record is an envelope.
pub(crate) fn recognise(record: &Record<'_>, maps: &Maps) -> Option<&'static Source> {
    let mut sources = SOURCES.iter().copied();
    match maps.forced {
        None => sources.find(|source| (source.recognise)(record)),
        Some(forced) => {
            let envelope = sources.find(|source| is_envelope(source) && (source.recognise)(record));
            envelope.or_else(|| SOURCES.iter().copied().find(|source| source.name == forced))
        }
    }
}

fn is_envelope(source: &Source) -> bool {
    const ENVELOPES: &[&str] =
        &["aws-cloudtrail-wrapped", "gcp-pubsub", "aws-cloudwatch", "aws-guardduty-wrapped", "m365-audit-wrapped"];
    ENVELOPES.contains(&source.name)
}

/// The source that a line of text is of.
pub(crate) fn recognise_line(line: &str, maps: &Maps) -> Option<&'static LineSource> {
    match maps.forced {
        None => LINE_SOURCES.iter().copied().find(|source| (source.recognise)(line)),
        Some(forced) => LINE_SOURCES.iter().copied().find(|source| source.name == forced),
    }
}

/// The name as the lists have it, when it is one of a source.
pub(crate) fn known_name(name: &str) -> Option<&'static str> {
    names().find(|known| known.eq_ignore_ascii_case(name))
}

/// All names, in the order in which sources are asked.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    SOURCES.iter().map(|source| source.name).chain(LINE_SOURCES.iter().map(|source| source.name))
}

/// Tables and field maps, made when first needed and shared by all threads.
pub(crate) struct Maps {
    schemas: SchemaSet,
    /// The source that every record is of.
    forced: Option<&'static str>,
    /// The zone of times whose own cannot be told.
    pub(crate) zone: Option<chrono_tz::Tz>,
    /// Tables by the names of columns, as recognised.
    shapes: Mutex<HashMap<u64, Option<Arc<TableSpec>>>>,
    drafts: Mutex<HashMap<String, Arc<TableSpec>>>,
    specs: Mutex<HashMap<String, Arc<TableSpec>>>,
    fields: Mutex<HashMap<String, HashMap<&'static str, Arc<FieldMap>>>>,
}

impl Maps {
    pub(crate) fn new(schemas: SchemaSet, forced: Option<&'static str>, zone: Option<chrono_tz::Tz>) -> Maps {
        Maps {
            schemas,
            forced,
            zone,
            shapes: Mutex::default(),
            drafts: Mutex::default(),
            specs: Mutex::default(),
            fields: Mutex::default(),
        }
    }

    /// True when this source was asked for.
    pub(crate) fn is_forced(&self, name: &str) -> bool {
        self.forced == Some(name)
    }

    /// A table by name; None when no schema is known.
    pub(crate) fn table(&self, name: &str) -> Option<Arc<TableSpec>> {
        let mut specs = self.specs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(spec) = specs.get(name) {
            return Some(Arc::clone(spec));
        }
        // Names come from logs: only those of tables are remembered.
        let spec = self.schemas.get(name).map(TableSpec::new)?;
        specs.insert(name.to_owned(), Arc::clone(&spec));
        Some(spec)
    }

    /// The table whose columns these are, when one fits clearly.
    pub(crate) fn recognise(&self, names: &[&str]) -> Option<Arc<TableSpec>> {
        let mut hasher = DefaultHasher::new();
        names.hash(&mut hasher);
        let shape = hasher.finish();
        if let Some(known) = self.shapes.lock().unwrap_or_else(PoisonError::into_inner).get(&shape) {
            return known.clone();
        }
        let found = self.schemas.recognise(names).map(|found| found.table.name.clone());
        let spec = found.and_then(|name| self.table(&name));
        let mut shapes = self.shapes.lock().unwrap_or_else(PoisonError::into_inner);
        if shapes.len() > 100_000 {
            shapes.clear();
        }
        shapes.insert(shape, spec.clone());
        spec
    }

    /// A custom table that no schema is known for.
    pub(crate) fn custom(&self, name: &str) -> Arc<TableSpec> {
        let mut drafts = self.drafts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(drafts.entry(name.to_owned()).or_insert_with(|| TableSpec::draft(name)))
    }

    /// A source's list of fields as a map onto a table.
    pub(crate) fn fields(&self, list: &FieldList, spec: &TableSpec) -> Arc<FieldMap> {
        let mut maps = self.fields.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(map) = maps.get(spec.name()).and_then(|maps| maps.get(list.name)) {
            return Arc::clone(map);
        }
        let map = Arc::new(FieldMap::new(list, spec));
        maps.entry(spec.name().to_owned()).or_default().insert(list.name, Arc::clone(&map));
        map
    }
}

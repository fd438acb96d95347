//! The sources: each recognises records of its kind by content and maps them to rows.
//!
//! [`SOURCES`] is the list, in the order in which they are asked. Adding a source is a file here and a line there.

mod aws_cloudtrail;
mod azure;
pub(crate) mod entra;
pub(crate) mod exported;
mod gcp_audit;
mod graph;

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use tables::SchemaSet;

use crate::fields::{FieldList, FieldMap};
use crate::json::{Member, scan, text};
use crate::row::{Row, TableSpec};

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
    &entra::sign_in::DIAGNOSTIC,
    &entra::audit::DIAGNOSTIC,
    &entra::other::DIAGNOSTIC,
    &azure::activity::DIAGNOSTIC,
    &azure::activity::REST,
    &azure::resource_logs::DIAGNOSTIC,
    &graph::alerts::ALERT,
    &entra::sign_in::GRAPH,
    &entra::audit::GRAPH,
    &graph::users::USER,
];

/// The source that a record is of.
pub(crate) fn recognise(record: &Record<'_>) -> Option<&'static Source> {
    SOURCES.iter().copied().find(|source| (source.recognise)(record))
}

/// Tables and field maps, made when first needed and shared by all threads.
pub(crate) struct Maps {
    schemas: SchemaSet,
    /// Tables by the names of columns, as recognised.
    shapes: Mutex<HashMap<u64, Option<Arc<TableSpec>>>>,
    drafts: Mutex<HashMap<String, Arc<TableSpec>>>,
    specs: Mutex<HashMap<String, Option<Arc<TableSpec>>>>,
    fields: Mutex<HashMap<String, HashMap<&'static str, Arc<FieldMap>>>>,
}

impl Maps {
    pub(crate) fn new(schemas: SchemaSet) -> Maps {
        Maps {
            schemas,
            shapes: Mutex::default(),
            drafts: Mutex::default(),
            specs: Mutex::default(),
            fields: Mutex::default(),
        }
    }

    /// A table by name; None when no schema is known.
    pub(crate) fn table(&self, name: &str) -> Option<Arc<TableSpec>> {
        let mut specs = self.specs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(spec) = specs.get(name) {
            return spec.clone();
        }
        let spec = self.schemas.get(name).map(TableSpec::new);
        specs.insert(name.to_owned(), spec.clone());
        spec
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

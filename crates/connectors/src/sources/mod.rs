//! The sources: each recognises records of its kind by content and maps them to rows.
//!
//! [`SOURCES`] is the list, in the order in which they are asked. Adding a source is a file here and a line there.

mod aws_cloudtrail;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tables::SchemaSet;

use crate::fields::{Field, FieldMap};
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
        let member = self.members.iter().rev().find(|member| self.text.get(member.key.clone()) == Some(name))?;
        self.text.get(member.value.clone())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// True when a member has this name in any case.
    pub(crate) fn has_folded(&self, name: &str) -> bool {
        self.names().any(|key| key.eq_ignore_ascii_case(name))
    }

    /// The text of a member that is a string.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'r, str>> {
        string(self.raw(name)?)
    }

    /// All names, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'r str> {
        let text = self.text;
        self.members.iter().filter_map(move |member| text.get(member.key.clone()))
    }
}

/// The text of a raw JSON string; None for any other value.
pub(crate) fn string(raw: &str) -> Option<Cow<'_, str>> {
    raw.strip_prefix('"')?.strip_suffix('"').map(text::unescape)
}

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
}

pub(crate) static SOURCES: &[&Source] = &[&aws_cloudtrail::RECORD, &aws_cloudtrail::WRAPPED];

/// The source that a record is of.
pub(crate) fn recognise(record: &Record<'_>) -> Option<&'static Source> {
    SOURCES.iter().copied().find(|source| (source.recognise)(record))
}

/// Tables and field maps, made when first needed and shared by all threads.
pub(crate) struct Maps {
    schemas: SchemaSet,
    specs: Mutex<HashMap<String, Option<Arc<TableSpec>>>>,
    fields: Mutex<HashMap<(&'static str, String), Arc<FieldMap>>>,
}

impl Maps {
    pub(crate) fn new(schemas: SchemaSet) -> Maps {
        Maps { schemas, specs: Mutex::default(), fields: Mutex::default() }
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

    /// A source's list of fields as a map onto a table.
    pub(crate) fn fields(&self, source: &'static str, list: &[Field], spec: &TableSpec) -> Arc<FieldMap> {
        let mut maps = self.fields.lock().unwrap_or_else(PoisonError::into_inner);
        let map = maps.entry((source, spec.name().to_owned())).or_insert_with(|| Arc::new(FieldMap::new(list, spec)));
        Arc::clone(map)
    }
}

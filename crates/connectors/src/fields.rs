//! Which field of a record goes into which column: the declarative part of a source.
//!
//! A source lists `(path, column)`; [`FieldMap`] is that list as a tree over the names of a table's columns. Fields under a
//! path that has a column of its own are in that column, and are looked into only when they are listed as well.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::json::{Member, scan, text};
use crate::row::{Row, TableSpec};

/// One line of a source's map. An empty column means: known, and on purpose in no column.
pub(crate) type Field = (&'static str, &'static str);

#[derive(Debug, Default)]
pub(crate) struct FieldMap {
    fields: HashMap<String, Target, BuildHasherDefault<KeyHasher>>,
    /// The same names in lower case, for records whose names lost their case.
    folded: HashMap<String, String>,
    /// Columns by their name in lower case, where a field that is not listed goes to the column named like it.
    named_like: HashMap<String, Target>,
}

/// A source's list of fields.
pub(crate) struct FieldList {
    /// Of the source, to tell lists apart.
    pub(crate) name: &'static str,
    pub(crate) fields: &'static [Field],
    /// Paths under which a field that is not listed goes to the column of the same name, whatever its case: `""` is the
    /// record itself.
    pub(crate) named_like: &'static [&'static str],
}

/// Columns that no field fills by being named like them.
const OWN_COLUMNS: &[&str] = &["TimeGenerated", "TenantId", "Type", "SourceSystem"];

#[derive(Debug, Default)]
struct Target {
    columns: Vec<usize>,
    /// Fields of the object that stands here.
    inner: Option<Box<FieldMap>>,
}

/// What a record's names looked like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameCase {
    Exact,
    Folded,
}

impl FieldMap {
    pub(crate) fn new(list: &FieldList, spec: &TableSpec) -> FieldMap {
        let mut map = FieldMap::default();
        for (path, column) in list.fields {
            map.target_at(path).columns.extend(spec.column(column));
        }
        for path in list.named_like {
            let inner = if path.is_empty() { &mut map } else { map.target_at(path).inner.get_or_insert_default() };
            for column in &spec.schema.columns {
                if !column.name.starts_with('_') && !OWN_COLUMNS.contains(&column.name.as_str()) {
                    let columns = spec.column(&column.name).into_iter().collect();
                    inner.named_like.insert(column.name.to_lowercase(), Target { columns, inner: None });
                }
            }
        }
        map
    }

    fn target_at(&mut self, path: &str) -> &mut Target {
        let (head, rest) = match path.split_once('.') {
            Some((head, rest)) => (head, Some(rest)),
            None => (path, None),
        };
        self.folded.insert(head.to_lowercase(), head.to_owned());
        let target = self.fields.entry(head.to_owned()).or_default();
        match rest {
            Some(rest) => target.inner.get_or_insert_default().target_at(rest),
            None => target,
        }
    }

    /// Fills a row from the members of an object. Names that the map lacks are noted in the row under their path.
    pub(crate) fn apply<'r>(&self, object: &'r str, members: &[Member], row: &mut Row<'r>) -> NameCase {
        self.apply_under(None, object, members, row)
    }

    fn apply_under<'r>(
        &self,
        path: Option<&Path<'_, 'r>>,
        object: &'r str,
        members: &[Member],
        row: &mut Row<'r>,
    ) -> NameCase {
        let mut case = NameCase::Exact;
        for member in members {
            let (Some(key), Some(raw)) = (object.get(member.key.clone()), object.get(member.value.clone())) else {
                continue;
            };
            let (target, found) = self.target(key);
            if found == NameCase::Folded {
                case = found;
            }
            let Some(target) = target else {
                row.unmapped.push((join(path, key), raw));
                continue;
            };
            for column in &target.columns {
                row.set_json(*column, raw);
            }
            if let Some(inner) = &target.inner {
                let noted = row.unmapped.len();
                if inner.apply_raw(path, key, raw, row) == NameCase::Folded {
                    case = NameCase::Folded;
                }
                if !target.columns.is_empty() {
                    // The whole object is in a column: nothing in it is lost.
                    row.unmapped.truncate(noted);
                }
            }
        }
        case
    }

    fn apply_raw<'r>(&self, path: Option<&Path<'_, 'r>>, key: &'r str, raw: &'r str, row: &mut Row<'r>) -> NameCase {
        let mut members = Vec::with_capacity(if raw.starts_with('{') { 16 } else { 0 });
        if raw.starts_with('{') && scan::object(raw.as_bytes(), 0, usize::MAX, &mut members).is_ok() {
            return self.apply_under(Some(&Path { above: path, key }), raw, &members, row);
        }
        if raw != "null" && raw != "\"\"" {
            row.unmapped.push((join(path, key), raw));
        }
        NameCase::Exact
    }

    fn target(&self, key: &str) -> (Option<&Target>, NameCase) {
        if let Some(target) = self.fields.get(key) {
            return (Some(target), NameCase::Exact);
        }
        let plain: Cow<'_, str> = if key.contains('\\') { text::unescape(key) } else { Cow::Borrowed(key) };
        let lower = plain.to_lowercase();
        if let Some(target) = self.named_like.get(&lower).filter(|_| !self.folded.contains_key(&lower)) {
            return (Some(target), NameCase::Exact);
        }
        match self.folded.get(&lower) {
            Some(name) => (self.fields.get(name), NameCase::Folded),
            None => (None, NameCase::Exact),
        }
    }
}

/// Where an object lies in its record.
struct Path<'p, 'r> {
    above: Option<&'p Path<'p, 'r>>,
    key: &'r str,
}

fn join<'r>(path: Option<&Path<'_, 'r>>, key: &'r str) -> Cow<'r, str> {
    match path {
        None => Cow::Borrowed(key),
        Some(path) => Cow::Owned(format!("{}.{key}", join(path.above, path.key))),
    }
}

/// A quick hash for short names; the maps are built from lists of fields and columns, so that no log can fill them with
/// colliding keys.
#[derive(Debug, Default, Clone)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut mix = |word: u64| self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            mix(u64::from_le_bytes(*word));
        }
        let tail = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        mix(tail << 8 | bytes.len() as u64);
    }

    /// What ends a text: its length was mixed in.
    fn write_u8(&mut self, _end: u8) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Cell;

    const LIST: FieldList = FieldList {
        name: "test",
        fields: &[("eventName", "EventName"), ("userIdentity.arn", "UserIdentityArn"), ("tlsDetails", "")],
        named_like: &["properties"],
    };

    fn filled(text: &str) -> (Vec<String>, NameCase) {
        let spec = TableSpec::new(tables::SchemaSet::builtin().get("AWSCloudTrail").unwrap());
        let map = FieldMap::new(&LIST, &spec);
        let mut members = Vec::new();
        scan::object(text.as_bytes(), 0, 100, &mut members).unwrap();
        let mut row = Row::new(&spec);
        let case = map.apply(text, &members, &mut row);
        let mut found: Vec<String> = row
            .cells
            .iter()
            .enumerate()
            .filter(|(_, cell)| **cell != Cell::Missing)
            .map(|(index, cell)| format!("{}={cell:?}", spec.arrow.field(index).name()))
            .collect();
        found.extend(row.unmapped.iter().map(|(path, raw)| format!("?{path}={raw}")));
        (found, case)
    }

    #[test]
    fn fields_reach_their_columns_and_the_rest_is_named() {
        let (found, case) =
            filled(r#"{"eventName":"X","userIdentity":{"arn":"a","odd":1},"tlsDetails":{"v":1},"more":[2]}"#);
        assert_eq!(found, ["EventName=Text(\"X\")", "UserIdentityArn=Text(\"a\")", "?userIdentity.odd=1", "?more=[2]"]);
        assert_eq!(case, NameCase::Exact);
    }

    #[test]
    fn where_a_list_says_so_fields_go_to_the_column_named_like_them() {
        let (found, case) = filled(r#"{"properties":{"errorcode":"E","TYPE":"x","other":1},"errorCode":"no"}"#);
        assert_eq!(
            found,
            ["ErrorCode=Text(\"E\")", "?properties.TYPE=\"x\"", "?properties.other=1", "?errorCode=\"no\""]
        );
        assert_eq!(case, NameCase::Exact);
    }

    #[test]
    fn names_that_lost_their_case_are_found() {
        let (found, case) = filled(r#"{"eventname":"X"}"#);
        assert_eq!(found, ["EventName=Text(\"X\")"]);
        assert_eq!(case, NameCase::Folded);
    }
}

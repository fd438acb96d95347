//! A row on its way: cells typed by their columns, not yet in Arrow.
//!
//! Values that do not fit a column's type leave the cell empty and are counted; they never fail a record.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use kql_types::{Column, Dynamic, ScalarType, guid, number, timespan};
use tables::{INGESTION_COLUMN, ITEM_ID_COLUMN, SOURCE_COLUMN, TableSchema};

use crate::fields::KeyHasher;
use crate::json::{canonical, compact, text};
use crate::time::{self, Zone};

/// The column of a draft that holds the whole row as JSON.
pub(crate) const DRAFT_COLUMN: &str = "raw";

/// A table with what filling it needs.
#[derive(Debug, Clone)]
pub(crate) struct TableSpec {
    pub(crate) schema: TableSchema,
    /// All columns in the order of `tables::arrow_schema`.
    pub(crate) arrow: SchemaRef,
    /// The types of the columns up to the hidden ones.
    pub(crate) types: Vec<ScalarType>,
    by_name: HashMap<String, usize, BuildHasherDefault<KeyHasher>>,
    /// Names in lower case; of columns that differ in case alone the first.
    by_folded_name: HashMap<String, usize, BuildHasherDefault<KeyHasher>>,
    /// Rows of a custom table whose columns are not known yet: see `crate::custom`.
    pub(crate) draft: bool,
    pub(crate) time: Option<usize>,
    pub(crate) item_id: usize,
    /// Eight bytes that stand for each column's name in the hash of a row's content.
    pub(crate) marks: Vec<[u8; 8]>,
}

impl TableSpec {
    pub(crate) fn new(schema: &TableSchema) -> Arc<TableSpec> {
        let arrow = tables::arrow_schema(schema);
        let mut types: Vec<ScalarType> = schema.columns.iter().map(|column| column.ty).collect();
        let mut by_name: HashMap<String, usize, _> = HashMap::default();
        let mut by_folded_name: HashMap<String, usize, _> = HashMap::default();
        for (index, field) in arrow.fields().iter().enumerate() {
            let name = field.name();
            if name == INGESTION_COLUMN || name == SOURCE_COLUMN {
                continue;
            }
            if index >= types.len() {
                types.push(ScalarType::String);
            }
            by_name.entry(name.clone()).or_insert(index);
            by_folded_name.entry(name.to_lowercase()).or_insert(index);
        }
        let marks = arrow.fields().iter().map(|field| mark(field.name())).collect();
        let item_id = by_name.get(ITEM_ID_COLUMN).copied().unwrap_or_default();
        let time =
            by_name.get("TimeGenerated").copied().filter(|index| types.get(*index) == Some(&ScalarType::DateTime));
        let schema = schema.clone();
        Arc::new(TableSpec { schema, arrow, types, by_name, by_folded_name, draft: false, time, item_id, marks })
    }

    /// The rows of a custom table before its columns are known.
    pub(crate) fn draft(name: &str) -> Arc<TableSpec> {
        let columns = vec![
            Column::new("TimeGenerated", ScalarType::DateTime),
            Column::new(DRAFT_COLUMN, ScalarType::String),
            Column::new(tables::ITEM_ID_COLUMN, ScalarType::String),
        ];
        let spec = TableSpec::new(&TableSchema::new(name, columns));
        Arc::new(TableSpec { draft: true, ..Arc::unwrap_or_clone(spec) })
    }

    pub(crate) fn name(&self) -> &str {
        &self.schema.name
    }

    /// The index of the column of this name in any case.
    pub(crate) fn column_folded(&self, name: &str) -> Option<usize> {
        self.by_folded_name.get(&name.to_lowercase()).copied()
    }

    /// The index of a column, or of the column that this name is an alias for.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        match self.by_name.get(name) {
            Some(index) => Some(*index),
            None => self.by_name.get(self.schema.resolve_alias(name)?).copied(),
        }
    }
}

/// FNV-1a: the same in every version and on every machine.
fn mark(name: &str) -> [u8; 8] {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in name.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash.to_le_bytes()
}

/// The value of one column.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Cell<'r> {
    #[default]
    Missing,
    /// string and guid.
    Text(Cow<'r, str>),
    /// Canonical dynamic text.
    Dynamic(Cow<'r, str>),
    Bool(bool),
    /// int, long, and ticks of datetime and timespan.
    Long(i64),
    Real(f64),
    /// Plain decimal text.
    Decimal(String),
}

impl Cell<'_> {
    /// The same value, borrowed from nowhere.
    pub(crate) fn into_owned(self) -> Cell<'static> {
        match self {
            Cell::Missing => Cell::Missing,
            Cell::Text(text) => Cell::Text(Cow::Owned(text.into_owned())),
            Cell::Dynamic(text) => Cell::Dynamic(Cow::Owned(text.into_owned())),
            Cell::Bool(value) => Cell::Bool(value),
            Cell::Long(value) => Cell::Long(value),
            Cell::Real(value) => Cell::Real(value),
            Cell::Decimal(text) => Cell::Decimal(text),
        }
    }
}

/// A row of one table.
#[derive(Debug)]
pub(crate) struct Row<'r> {
    pub(crate) spec: Arc<TableSpec>,
    pub(crate) cells: Vec<Cell<'r>>,
    /// Fields without a column: path and raw JSON, or text.
    pub(crate) unmapped: Vec<(Cow<'r, str>, &'r str)>,
    /// Columns whose value did not fit, with the value.
    pub(crate) misfits: Vec<(usize, Cow<'r, str>)>,
    /// Ticks at which the record was delivered, when there is evidence.
    pub(crate) ingestion: Option<i64>,
    /// The record carries an id of its own: an equal row is the same event wherever it lies.
    pub(crate) identified: bool,
    /// What tells this row from others when its own content does not (see `crate::batch::RowKey`).
    pub(crate) key: Option<[u8; 16]>,
    /// Ticks for a row without a time of its own; no part of its identity.
    pub(crate) stamp: Option<i64>,
    /// What was mended on the way.
    pub(crate) mended: Vec<&'static str>,
}

impl<'r> Row<'r> {
    pub(crate) fn new(spec: &Arc<TableSpec>) -> Row<'r> {
        let mut cells = Vec::with_capacity(spec.types.len());
        cells.resize(spec.types.len(), Cell::Missing);
        Row {
            spec: Arc::clone(spec),
            cells,
            unmapped: Vec::new(),
            misfits: Vec::new(),
            ingestion: None,
            identified: false,
            key: None,
            stamp: None,
            mended: Vec::new(),
        }
    }

    /// Puts a raw JSON value into a column by the column's type.
    pub(crate) fn set_json(&mut self, column: usize, raw: &'r str) {
        let Some(ty) = self.spec.types.get(column).copied() else { return };
        match cell_of_json(ty, raw) {
            Ok(cell) => self.put(column, cell),
            Err(Misfit) => self.misfits.push((column, Cow::Borrowed(raw))),
        }
    }

    /// Puts plain text into a column by the column's type.
    pub(crate) fn set_text(&mut self, column: usize, value: impl Into<Cow<'r, str>>) {
        let Some(ty) = self.spec.types.get(column).copied() else { return };
        let value = value.into();
        if matches!(ty, ScalarType::String | ScalarType::Dynamic) {
            if let Ok(cell) = cell_of_text(ty, value) {
                self.put(column, cell);
            }
            return;
        }
        match cell_of_text(ty, value.clone()) {
            Ok(cell) => self.put(column, cell),
            Err(Misfit) => self.misfits.push((column, value)),
        }
    }

    /// As [`Row::set_json`], with the zone of the column's times.
    pub(crate) fn set_json_in(&mut self, column: usize, raw: &'r str, zone: Zone) {
        let inner = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        match (zone, inner) {
            (Zone::Utc, _) | (_, None) => self.set_json(column, raw),
            (zone, Some(inner)) => self.set_text_in(column, text::unescape(inner), zone),
        }
    }

    /// As [`Row::set_text`], with the zone of the column's times.
    pub(crate) fn set_text_in(&mut self, column: usize, value: Cow<'r, str>, zone: Zone) {
        let is_time = self.spec.types.get(column) == Some(&ScalarType::DateTime);
        match zone {
            _ if !is_time || value.is_empty() => self.set_text(column, value),
            Zone::Utc => self.set_text(column, value),
            Zone::Unknown => self.mended.push("time in a zone that is not known: left empty (--tz gives it)"),
            Zone::Named(zone) => match time::parse_in(&value, zone) {
                Some((ticks, twice)) => {
                    self.put(column, Cell::Long(ticks));
                    if twice {
                        self.mended.push("local hour that comes twice: the earlier taken");
                    }
                }
                None => self.misfits.push((column, value)),
            },
        }
    }

    pub(crate) fn put(&mut self, column: usize, cell: Cell<'r>) {
        if let Some(place) = self.cells.get_mut(column) {
            *place = cell;
        }
    }

    /// Puts plain text into the column of this name, when the table has it.
    pub(crate) fn set(&mut self, column: &str, value: impl Into<Cow<'r, str>>) {
        if let Some(index) = self.spec.column(column) {
            self.set_text(index, value);
        }
    }

    /// Puts plain text into the column of this name when it is empty so far.
    pub(crate) fn fill(&mut self, column: &str, value: impl Into<Cow<'r, str>>) {
        if let Some(index) = self.spec.column(column)
            && self.is_empty(index)
        {
            self.set_text(index, value);
        }
    }

    pub(crate) fn is_empty(&self, column: usize) -> bool {
        match self.cells.get(column) {
            None | Some(Cell::Missing) => true,
            Some(Cell::Text(text)) => text.is_empty(),
            Some(_) => false,
        }
    }

    /// The text in the column of this name; empty when there is none.
    pub(crate) fn text(&self, column: &str) -> &str {
        match self.spec.column(column).and_then(|index| self.cells.get(index)) {
            Some(Cell::Text(text) | Cell::Dynamic(text)) => text,
            _ => "",
        }
    }

    pub(crate) fn ticks(&self, column: usize) -> Option<i64> {
        match self.cells.get(column) {
            Some(Cell::Long(ticks)) => Some(*ticks),
            _ => None,
        }
    }
}

/// A value that does not fit its column.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misfit;

/// A raw JSON value as a cell of this type.
pub(crate) fn cell_of_json(ty: ScalarType, raw: &str) -> Result<Cell<'_>, Misfit> {
    let inner = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match (ty, inner) {
        (_, None) if raw == "null" => Ok(Cell::Missing),
        (ScalarType::String | ScalarType::Unknown, Some(inner)) => Ok(Cell::Text(text::unescape(inner))),
        (ScalarType::String | ScalarType::Unknown, None) => Ok(Cell::Text(compact::compact(raw))),
        (ScalarType::Dynamic, None) => Ok(canonical::canonical(raw).map_or(Cell::Missing, Cell::Dynamic)),
        (ScalarType::Dynamic, Some(inner)) => {
            let holds_json = inner.starts_with(['{', '[', ' ', '\\']);
            match text::unescape(inner) {
                plain if plain.is_empty() => Ok(Cell::Missing),
                plain if holds_json => Ok(dynamic_of_text(plain)),
                _ => Ok(canonical::canonical(raw).map_or(Cell::Missing, Cell::Dynamic)),
            }
        }
        (ScalarType::DateTime, None) => time::from_epoch(raw).map(Cell::Long).ok_or(Misfit),
        (_, None) => cell_of_text(ty, Cow::Borrowed(raw)),
        (_, Some(inner)) => cell_of_text(ty, text::unescape(inner)),
    }
}

/// Text as a dynamic: JSON objects and lists are read, anything else is a string.
fn dynamic_of_text(plain: Cow<'_, str>) -> Cell<'_> {
    let trimmed = plain.trim();
    if trimmed.starts_with(['{', '['])
        && let Some(value) = Dynamic::parse_json(trimmed)
    {
        return Cell::Dynamic(Cow::Owned(value.to_canonical()));
    }
    Cell::Dynamic(Cow::Owned(Dynamic::String(plain.into_owned()).to_canonical()))
}

/// Plain text as a cell of this type; empty text is no value.
pub(crate) fn cell_of_text(ty: ScalarType, plain: Cow<'_, str>) -> Result<Cell<'_>, Misfit> {
    if plain.is_empty() {
        return Ok(Cell::Missing);
    }
    let cell = match ty {
        ScalarType::String | ScalarType::Unknown => return Ok(Cell::Text(plain)),
        // How some exports write what is missing.
        _ if plain.as_ref() == "null" => return Ok(Cell::Missing),
        ScalarType::Dynamic => return Ok(dynamic_of_csv(plain)),
        ScalarType::Bool => bool_of(plain.trim()).map(Cell::Bool),
        ScalarType::Int => integer_of(plain.trim()).filter(|value| i32::try_from(*value).is_ok()).map(Cell::Long),
        ScalarType::Long => integer_of(plain.trim()).map(Cell::Long),
        ScalarType::Real => number::parse_real(plain.trim()).map(Cell::Real),
        ScalarType::Decimal => number::parse_decimal(plain.trim()).map(Cell::Decimal),
        ScalarType::DateTime => time::parse(&plain).map(Cell::Long),
        ScalarType::TimeSpan => timespan::parse(plain.trim()).map(Cell::Long),
        ScalarType::Guid => guid::parse(plain.trim()).map(|text| Cell::Text(Cow::Owned(text))),
    };
    cell.ok_or(Misfit)
}

/// Text of a file of columns as a dynamic: whatever JSON it is, else a string.
fn dynamic_of_csv(plain: Cow<'_, str>) -> Cell<'_> {
    match Dynamic::parse_json(plain.trim()) {
        Some(Dynamic::Null) => Cell::Missing,
        Some(value) => Cell::Dynamic(Cow::Owned(value.to_canonical())),
        None => Cell::Dynamic(Cow::Owned(Dynamic::String(plain.into_owned()).to_canonical())),
    }
}

fn bool_of(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        other if other.eq_ignore_ascii_case("true") => Some(true),
        other if other.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn integer_of(text: &str) -> Option<i64> {
    if let Some(value) = number::parse_long(text) {
        return Some(value);
    }
    let real = number::parse_real(text)?;
    (real.fract() == 0.0 && real.abs() < 9e15).then_some(real as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(ty: ScalarType, raw: &str) -> Result<Cell<'_>, Misfit> {
        cell_of_json(ty, raw)
    }

    fn text(value: &str) -> Result<Cell<'static>, Misfit> {
        Ok(Cell::Text(Cow::Owned(value.to_owned())))
    }

    fn dynamic(value: &str) -> Result<Cell<'static>, Misfit> {
        Ok(Cell::Dynamic(Cow::Owned(value.to_owned())))
    }

    #[test]
    fn json_values_by_type() {
        use ScalarType::{Bool, DateTime, Dynamic, Int, Long, Real, String};
        assert_eq!(json(String, r#""a\u0026b""#), text("a&b"));
        assert_eq!(json(String, "null"), Ok(Cell::Missing));
        assert_eq!(json(String, "1.50"), text("1.50"));
        assert_eq!(json(String, "{ \"b\": 1 }"), text(r#"{"b":1}"#));
        assert_eq!(json(Bool, r#""True""#), Ok(Cell::Bool(true)));
        assert_eq!(json(Bool, "false"), Ok(Cell::Bool(false)));
        assert_eq!(json(Bool, r#""maybe""#), Err(Misfit));
        assert_eq!(json(Long, r#""12""#), Ok(Cell::Long(12)));
        assert_eq!(json(Long, "12.0"), Ok(Cell::Long(12)));
        assert_eq!(json(Int, "3000000000"), Err(Misfit));
        assert_eq!(json(Real, "1"), Ok(Cell::Real(1.0)));
        assert_eq!(json(DateTime, "1600000000"), json(DateTime, r#""2020-09-13T12:26:40Z""#));
        assert_eq!(json(Dynamic, r#"{ "a": 1.0 }"#), dynamic(r#"{"a":1.0}"#));
        assert_eq!(json(Dynamic, r#""{\"a\":[1]}""#), dynamic(r#"{"a":[1]}"#));
        assert_eq!(json(Dynamic, r#""plain""#), dynamic(r#""plain""#));
        assert_eq!(json(Dynamic, r#""{broken""#), dynamic(r#""{broken""#));
        assert_eq!(json(Dynamic, "\"\""), Ok(Cell::Missing));
    }

    #[test]
    fn aliases_lead_to_their_column() {
        let spec = TableSpec::new(tables::SchemaSet::builtin().get("AWSCloudTrail").unwrap());
        assert_eq!(spec.column("AwsRegion"), spec.column("AWSRegion"));
        assert!(spec.time.is_some());
        assert_eq!(spec.arrow.field(spec.item_id).name(), "_ItemId");
    }
}

//! Custom tables that no schema is known for: their rows wait as JSON until all were seen, then get columns.
//!
//! A column's type is what its suffix says (`_s`, `_d`, `_b`, `_t`, `_g`), else what all its values have in common.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, Int64Array, StringViewArray, new_null_array};
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use kql_types::{Column, ScalarType};
use tables::{INGESTION_COLUMN, ITEM_ID_COLUMN, SOURCE_COLUMN, TableSchema};

use crate::batch::BatchBuilder;
use crate::json::{compact, text};
use crate::row::{Cell, DRAFT_COLUMN, Row, TableSpec};
use crate::sources::exported::{SUFFIXES, is_time_column, split_zone};
use crate::sources::{Record, members};
use crate::time;

/// A row as a draft: its time, and the whole of it as JSON.
pub(crate) fn draft<'r>(record: &Record<'r>, spec: &Arc<TableSpec>) -> Row<'r> {
    let mut row = Row::new(spec);
    let name = record.names().find(|name| is_time_column(name));
    if let (Some(name), Some(column)) = (name, spec.time)
        && let Some(raw) = record.raw(name)
    {
        row.set_json_in(column, raw, split_zone(name).1);
    }
    if let Some(column) = spec.column(DRAFT_COLUMN) {
        row.put(column, Cell::Text(compact::compact(record.text)));
    }
    if let Some(id) = record.text(ITEM_ID_COLUMN).filter(|id| !id.is_empty()) {
        row.set(ITEM_ID_COLUMN, id);
        row.identified = true;
    }
    row
}

/// A row as a draft whose text was made on the way.
pub(crate) fn draft_of(text: String, spec: &Arc<TableSpec>) -> Row<'static> {
    let mut row = Row::new(spec);
    let time = crate::sources::raw_at(&text, &["TimeGenerated"]).and_then(crate::sources::string);
    if let (Some(column), Some(time)) = (spec.time, time) {
        row.set_text(column, time.into_owned());
    }
    if let Some(column) = spec.column(DRAFT_COLUMN) {
        row.put(column, Cell::Text(text.into()));
    }
    row
}

/// Rows of drafts as rows of their table, whose columns are known by now.
pub(crate) fn filled(spec: &Arc<TableSpec>, draft: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let mut builder = BatchBuilder::new(spec);
    let mut ids = texts(draft, ITEM_ID_COLUMN);
    for (index, raw) in texts(draft, DRAFT_COLUMN).enumerate() {
        let mut row = Row::new(spec);
        fill(raw, &mut row);
        if let Some(column) = spec.time {
            let ticks = times(draft).filter(|times| !times.is_null(index));
            row.put(column, ticks.map_or(Cell::Missing, |times| Cell::Long(times.value(index))));
        }
        if let Some(id) = ids.next() {
            row.put(spec.item_id, Cell::Text(id.to_owned().into()));
        }
        builder.push(row, index as u64);
    }
    let mut columns = builder.take().columns;
    columns.pop();
    for hidden in [INGESTION_COLUMN, SOURCE_COLUMN] {
        columns.extend(draft.column_by_name(hidden).cloned());
    }
    RecordBatch::try_new(Arc::clone(&spec.arrow), columns)
}

/// Batches of the known schema with the columns that the table has besides, empty.
pub(crate) fn widened(batches: &[RecordBatch], schema: &TableSchema) -> Result<Vec<RecordBatch>, ArrowError> {
    let arrow = tables::arrow_schema(schema);
    let widen = |batch: &RecordBatch| {
        let columns = arrow.fields().iter().map(|field| match batch.column_by_name(field.name()) {
            Some(column) => Arc::clone(column),
            None if !field.is_nullable() => Arc::new(StringViewArray::from(vec![""; batch.num_rows()])),
            None => new_null_array(field.data_type(), batch.num_rows()),
        });
        RecordBatch::try_new(Arc::clone(&arrow), columns.collect())
    };
    batches.iter().map(widen).collect()
}

fn texts<'b>(batch: &'b RecordBatch, column: &str) -> impl Iterator<Item = &'b str> {
    let values = batch.column_by_name(column).and_then(|column| column.as_string_view_opt());
    values.into_iter().flat_map(|values| values.iter().map(|value| value.unwrap_or_default()))
}

fn times(batch: &RecordBatch) -> Option<&Int64Array> {
    batch.column_by_name("TimeGenerated")?.as_primitive_opt::<Int64Type>()
}

fn fill<'r>(raw: &'r str, row: &mut Row<'r>) {
    for member in members(raw).unwrap_or_default() {
        let (Some(name), Some(value)) = (raw.get(member.key), raw.get(member.value)) else { continue };
        let name = text::unescape(name);
        let (plain, zone) = split_zone(&name);
        let suffixed = || SUFFIXES.iter().find_map(|suffix| row.spec.column(&format!("{plain}{suffix}")));
        if let Some(column) = row.spec.column(plain).or_else(suffixed) {
            row.set_json_in(column, value, zone);
        }
    }
}

/// Columns that a custom table can have; a workspace allows 500.
const COLUMNS_MAX: usize = 2_000;

/// What the values of a column have in common so far.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Common {
    Nothing,
    Bool,
    Long,
    Real,
    Time,
    Text,
    Dynamic,
}

/// The columns of a custom table as its rows come: those known, then those that the rows have besides.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    known: Vec<Column>,
    order: Vec<String>,
    found: HashMap<String, Common>,
}

impl Shape {
    pub(crate) fn new(known: Option<&TableSchema>) -> Shape {
        let mut shape = Shape { known: known.map_or_else(Vec::new, |known| known.columns.clone()), ..Shape::default() };
        if !shape.has("TimeGenerated") {
            shape.order.push("TimeGenerated".to_owned());
            shape.found.insert("TimeGenerated".to_owned(), Common::Time);
        }
        shape
    }

    fn has(&self, name: &str) -> bool {
        self.known.iter().any(|column| column.name == name)
    }

    /// Takes note of the names and values of drafts.
    pub(crate) fn see(&mut self, drafts: &RecordBatch) {
        for raw in texts(drafts, DRAFT_COLUMN) {
            for member in members(raw).unwrap_or_default() {
                if let (Some(name), Some(value)) = (raw.get(member.key), raw.get(member.value)) {
                    self.see_member(name, value);
                }
            }
        }
    }

    fn see_member(&mut self, name: &str, value: &str) {
        let name = text::unescape(name);
        let (plain, _) = split_zone(&name);
        if let Some(common) = self.found.get_mut(plain) {
            *common = with(*common, value);
            return;
        }
        let suffixed = || SUFFIXES.iter().any(|suffix| self.has(&format!("{plain}{suffix}")));
        let other = plain.is_empty() || plain == "$table" || plain.starts_with("__");
        if other || self.has(plain) || suffixed() || self.order.len() >= COLUMNS_MAX {
            return;
        }
        self.order.push(plain.to_owned());
        self.found.insert(plain.to_owned(), with(Common::Nothing, value));
    }

    /// The schema as far as rows were seen.
    pub(crate) fn schema(mut self, name: &str) -> TableSchema {
        // Hidden columns stand at the end.
        self.order.sort_by_key(|name| name.starts_with('_'));
        let found = self.found;
        let columns = self.order.into_iter().map(|name| {
            let ty = suffix_type(&name).unwrap_or(match found.get(&name) {
                Some(Common::Bool) => ScalarType::Bool,
                Some(Common::Long) => ScalarType::Long,
                Some(Common::Real) => ScalarType::Real,
                Some(Common::Time) => ScalarType::DateTime,
                Some(Common::Dynamic) => ScalarType::Dynamic,
                _ => ScalarType::String,
            });
            Column::new(name, ty)
        });
        TableSchema::new(name, self.known.into_iter().chain(columns).collect())
    }
}

fn suffix_type(name: &str) -> Option<ScalarType> {
    match name {
        "TimeGenerated" => return Some(ScalarType::DateTime),
        "TenantId" | "SourceSystem" | "Type" | "Computer" | "RawData" => return Some(ScalarType::String),
        _ if name.starts_with('_') => return Some(ScalarType::String),
        _ => {}
    }
    Some(match name.get(name.len().checked_sub(2)?..)? {
        "_s" | "_g" => ScalarType::String,
        "_d" => ScalarType::Real,
        "_b" => ScalarType::Bool,
        "_t" => ScalarType::DateTime,
        _ => return None,
    })
}

fn with(common: Common, value: &str) -> Common {
    let this = match value.as_bytes().first() {
        Some(b'n') => return common,
        Some(b't' | b'f') => Common::Bool,
        Some(b'{' | b'[') => Common::Dynamic,
        Some(b'"') if value.len() == 2 => return common,
        Some(b'"') if is_time(value.trim_matches('"')) => Common::Time,
        Some(b'"') => Common::Text,
        _ if value.contains(['.', 'e', 'E']) => Common::Real,
        _ => Common::Long,
    };
    match (common, this) {
        (Common::Nothing, this) => this,
        (common, this) if common == this => common,
        (Common::Long | Common::Real, Common::Long | Common::Real) => Common::Real,
        (Common::Dynamic, _) | (_, Common::Dynamic) => Common::Dynamic,
        _ => Common::Text,
    }
}

/// A full ISO time; anything less may be a text that looks like one.
fn is_time(text: &str) -> bool {
    text.len() >= 19 && text.as_bytes().get(10) == Some(&b'T') && time::parse(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn common(values: &[&str]) -> Common {
        values.iter().fold(Common::Nothing, |common, value| with(common, value))
    }

    #[test]
    fn types_are_what_values_have_in_common() {
        assert_eq!(common(&["1", "null", "2"]), Common::Long);
        assert_eq!(common(&["1", "2.5"]), Common::Real);
        assert_eq!(common(&["1", "\"x\""]), Common::Text);
        assert_eq!(common(&["\"\"", "true"]), Common::Bool);
        assert_eq!(common(&["{}", "\"x\""]), Common::Dynamic);
        assert_eq!(common(&["\"2026-03-01T00:00:00Z\""]), Common::Time);
        assert_eq!(common(&["\"2026-03-01\""]), Common::Text);
        assert_eq!(suffix_type("x_d"), Some(ScalarType::Real));
        assert_eq!(suffix_type("d"), None);
    }
}

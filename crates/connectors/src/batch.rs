//! Rows to Arrow columns, with the identity of each row.
//!
//! A row's key says which rows are the same event: a hash of its content. For a record without an id of its own the
//! merger also counts how often that content came before in the same source (two equal lines of one file are two
//! events; the same file delivered twice is not). `_ItemId` is the content's hash as a GUID, so it is the same in every
//! run.

use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BooleanBuilder, Decimal256Builder, Float64Builder, Int32Builder, Int64Builder,
    StringViewArray, StringViewBuilder,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::i256;
use kql_types::ScalarType;
use sha2::{Digest, Sha256};

use crate::row::{Cell, Row, TableSpec};

/// Tells equal rows: see the module.
pub(crate) type RowKey = [u8; 16];

/// A batch is given on when it holds this many bytes of text.
const BATCH_BYTES: usize = 16 << 20;

/// Columns of one table from one source, in record order.
pub(crate) struct RowBatch {
    pub(crate) spec: Arc<TableSpec>,
    /// As `tables::arrow_schema`, without the last one (the place).
    pub(crate) columns: Vec<ArrayRef>,
    pub(crate) records: Vec<u64>,
    pub(crate) keys: Vec<RowKey>,
    pub(crate) identities: Vec<Identity>,
    /// About what the columns take.
    pub(crate) bytes: usize,
}

/// What tells a row from an equal one of the same source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    /// An id of its own: an equal row is the same event.
    Own,
    /// Its content, of which its `_ItemId` is made.
    Content,
    /// Its content; its `_ItemId` stays what it is.
    Place,
}

/// The columns of one table while they grow.
pub(crate) struct BatchBuilder {
    pub(crate) spec: Arc<TableSpec>,
    columns: Vec<ColumnBuilder>,
    ingestion: Int64Builder,
    records: Vec<u64>,
    keys: Vec<RowKey>,
    identities: Vec<Identity>,
    bytes: usize,
    scratch: Vec<u8>,
}

enum ColumnBuilder {
    Text(Texts),
    Dynamic(Texts),
    Bool(BooleanBuilder),
    Int(Int32Builder),
    Long(Int64Builder),
    Real(Float64Builder),
    Decimal(Decimal256Builder),
}

/// Texts of which many are missing in a row: most columns of a table are empty in most logs.
struct Texts {
    builder: StringViewBuilder,
    /// Cells without a value since the last one that had one.
    missing: usize,
    /// What stands for a missing one: null, or the empty text.
    nullable: bool,
}

impl Texts {
    fn new(nullable: bool) -> Texts {
        Texts { builder: StringViewBuilder::with_capacity(0), missing: 0, nullable }
    }

    fn push(&mut self, text: &str) {
        if self.missing > 0 {
            self.catch_up();
        }
        self.builder.append_value(text);
    }

    fn catch_up(&mut self) {
        for _ in 0..std::mem::take(&mut self.missing) {
            match self.nullable {
                true => self.builder.append_null(),
                false => self.builder.append_value(""),
            }
        }
    }

    fn finish(&mut self) -> ArrayRef {
        if self.builder.is_empty() {
            let count = std::mem::take(&mut self.missing);
            let nulls = self.nullable.then(|| NullBuffer::new_null(count));
            // A view of zeros is the empty text.
            if let Ok(array) = StringViewArray::try_new(vec![0_u128; count].into(), Vec::new(), nulls) {
                return Arc::new(array);
            }
            self.missing = count;
        }
        self.catch_up();
        Arc::new(self.builder.finish())
    }
}

impl BatchBuilder {
    pub(crate) fn new(spec: &Arc<TableSpec>) -> BatchBuilder {
        BatchBuilder {
            spec: Arc::clone(spec),
            columns: spec.types.iter().map(|ty| ColumnBuilder::new(*ty)).collect(),
            ingestion: Int64Builder::new(),
            records: Vec::new(),
            keys: Vec::new(),
            identities: Vec::new(),
            bytes: 0,
            scratch: Vec::new(),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn is_full(&self, rows_max: usize) -> bool {
        self.records.len() >= rows_max || self.bytes >= BATCH_BYTES
    }

    /// Appends a row that the record with this number gave.
    pub(crate) fn push(&mut self, mut row: Row<'_>, record: u64) {
        let content = self.content_key(&mut row);
        let key = row.key.unwrap_or(content);
        let own_id = !row.is_empty(self.spec.item_id);
        if !own_id {
            row.put(self.spec.item_id, Cell::Text(guid_text(&content).into()));
        }
        self.identities.push(match row.identified {
            true => Identity::Own,
            false if own_id || row.key.is_some() => Identity::Place,
            false => Identity::Content,
        });
        if let (Some(stamp), Some(time)) = (row.stamp, self.spec.time)
            && row.is_empty(time)
        {
            row.put(time, Cell::Long(stamp));
        }
        for (column, cell) in self.columns.iter_mut().zip(row.cells) {
            self.bytes += column.push(cell);
        }
        self.ingestion.append_option(row.ingestion);
        self.records.push(record);
        self.keys.push(key);
    }

    fn content_key(&mut self, row: &mut Row<'_>) -> RowKey {
        let scratch = &mut self.scratch;
        scratch.clear();
        scratch.extend_from_slice(self.spec.name().as_bytes());
        for (cell, mark) in row.cells.iter().zip(&self.spec.marks) {
            let number;
            let bytes: &[u8] = match cell {
                Cell::Missing => continue,
                Cell::Text(text) | Cell::Dynamic(text) => text.as_bytes(),
                Cell::Decimal(text) => text.as_bytes(),
                Cell::Bool(value) => {
                    if *value {
                        b"t"
                    } else {
                        b"f"
                    }
                }
                Cell::Long(value) => {
                    number = value.to_le_bytes();
                    &number
                }
                Cell::Real(value) => {
                    number = value.to_bits().to_le_bytes();
                    &number
                }
            };
            scratch.extend_from_slice(mark);
            scratch.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            scratch.extend_from_slice(bytes);
        }
        row.unmapped.sort_unstable();
        for (path, raw) in &row.unmapped {
            for part in [path.as_ref(), raw] {
                scratch.extend_from_slice(&(part.len() as u32).to_le_bytes());
                scratch.extend_from_slice(part.as_bytes());
            }
        }
        first_half(&Sha256::digest(&*scratch))
    }

    /// What was gathered since the last call.
    pub(crate) fn take(&mut self) -> RowBatch {
        let mut columns: Vec<ArrayRef> = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        columns.push(Arc::new(self.ingestion.finish()));
        RowBatch {
            spec: Arc::clone(&self.spec),
            columns,
            records: std::mem::take(&mut self.records),
            keys: std::mem::take(&mut self.keys),
            identities: std::mem::take(&mut self.identities),
            bytes: std::mem::take(&mut self.bytes),
        }
    }
}

impl ColumnBuilder {
    fn new(ty: ScalarType) -> ColumnBuilder {
        match ty {
            ScalarType::Bool => ColumnBuilder::Bool(BooleanBuilder::new()),
            ScalarType::Int => ColumnBuilder::Int(Int32Builder::new()),
            ScalarType::Long | ScalarType::DateTime | ScalarType::TimeSpan => ColumnBuilder::Long(Int64Builder::new()),
            ScalarType::Real => ColumnBuilder::Real(Float64Builder::new()),
            ScalarType::Decimal => {
                ColumnBuilder::Decimal(Decimal256Builder::new().with_data_type(tables::arrow_type(ty)))
            }
            ScalarType::String | ScalarType::Unknown => ColumnBuilder::Text(Texts::new(false)),
            ScalarType::Guid | ScalarType::Dynamic => ColumnBuilder::Dynamic(Texts::new(true)),
        }
    }

    /// Appends a cell and gives the bytes it took.
    fn push(&mut self, cell: Cell<'_>) -> usize {
        match (self, cell) {
            (ColumnBuilder::Text(texts), Cell::Text(text))
            | (ColumnBuilder::Dynamic(texts), Cell::Dynamic(text) | Cell::Text(text)) => {
                texts.push(&text);
                return text.len() + 16;
            }
            (ColumnBuilder::Text(texts) | ColumnBuilder::Dynamic(texts), _) => {
                texts.missing += 1;
                return 16;
            }
            (ColumnBuilder::Bool(builder), Cell::Bool(value)) => builder.append_value(value),
            (ColumnBuilder::Bool(builder), _) => builder.append_null(),
            (ColumnBuilder::Int(builder), Cell::Long(value)) => builder.append_option(i32::try_from(value).ok()),
            (ColumnBuilder::Int(builder), _) => builder.append_null(),
            (ColumnBuilder::Long(builder), Cell::Long(value)) => builder.append_value(value),
            (ColumnBuilder::Long(builder), _) => builder.append_null(),
            (ColumnBuilder::Real(builder), Cell::Real(value)) => builder.append_value(value),
            (ColumnBuilder::Real(builder), _) => builder.append_null(),
            (ColumnBuilder::Decimal(builder), Cell::Decimal(text)) => builder.append_option(scaled(&text)),
            (ColumnBuilder::Decimal(builder), _) => builder.append_null(),
        }
        8
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            ColumnBuilder::Text(texts) | ColumnBuilder::Dynamic(texts) => texts.finish(),
            ColumnBuilder::Bool(builder) => Arc::new(builder.finish()),
            ColumnBuilder::Int(builder) => Arc::new(builder.finish()),
            ColumnBuilder::Long(builder) => Arc::new(builder.finish()),
            ColumnBuilder::Real(builder) => Arc::new(builder.finish()),
            ColumnBuilder::Decimal(builder) => Arc::new(builder.finish()),
        }
    }
}

/// Plain decimal text with 38 digits behind the point; None when it does not fit.
fn scaled(text: &str) -> Option<i256> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.get(..fraction.len().min(38))?;
    i256::from_string(&format!("{whole}{fraction:0<38}"))
}

fn first_half(digest: &[u8]) -> RowKey {
    let mut key = [0; 16];
    for (place, byte) in key.iter_mut().zip(digest) {
        *place = *byte;
    }
    key
}

/// The key of the nth repetition.
pub(crate) fn repeated(key: RowKey, count: u32) -> RowKey {
    let mut bytes = [0; 20];
    bytes[..16].copy_from_slice(&key);
    bytes[16..].copy_from_slice(&count.to_le_bytes());
    first_half(&Sha256::digest(bytes))
}

/// A key as GUID text, marked as made from content (version 8, variant 1).
pub(crate) fn guid_text(key: &RowKey) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut key = *key;
    key[6] = (key[6] & 0x0F) | 0x80;
    key[8] = (key[8] & 0x3F) | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in key.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push(DIGITS[usize::from(byte >> 4)] as char);
        text.push(DIGITS[usize::from(byte & 0x0F)] as char);
    }
    text
}

/// A key from parts that are never mixed up with one another.
pub(crate) fn key_of(parts: &[&str]) -> RowKey {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u32).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    first_half(&hasher.finalize())
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};

    use super::*;

    fn rows(texts: &[(&str, bool)]) -> RowBatch {
        let spec = TableSpec::new(tables::SchemaSet::builtin().get("AWSCloudTrail").unwrap());
        let mut builder = BatchBuilder::new(&spec);
        for (index, (name, identified)) in texts.iter().enumerate() {
            let mut row = Row::new(&spec);
            row.set("EventName", *name);
            row.identified = *identified;
            builder.push(row, index as u64);
        }
        builder.take()
    }

    #[test]
    fn equal_records_with_an_id_share_their_key() {
        let batch = rows(&[("A", true), ("A", true), ("B", true)]);
        assert_eq!(batch.keys[0], batch.keys[1]);
        assert_ne!(batch.keys[0], batch.keys[2]);
    }

    #[test]
    fn records_without_an_id_say_so() {
        let batch = rows(&[("A", true), ("A", false)]);
        assert_eq!(batch.identities, [Identity::Own, Identity::Content]);
        let first = RowKey::default();
        assert!(first != repeated(first, 1) && repeated(first, 1) != repeated(first, 2));
    }

    #[test]
    fn columns_have_the_layout_of_the_table() {
        let batch = rows(&[("A", true)]);
        let spec = &batch.spec;
        assert_eq!(batch.columns.len() + 1, spec.arrow.fields().len());
        for (column, field) in batch.columns.iter().zip(spec.arrow.fields()) {
            assert_eq!(column.data_type(), field.data_type(), "{}", field.name());
            assert!(field.is_nullable() || column.null_count() == 0, "{}", field.name());
        }
        let id = batch.columns[spec.item_id].as_string_view().value(0).to_owned();
        assert_eq!(kql_types::guid::parse(&id).as_deref(), Some(id.as_str()));
    }

    #[test]
    fn decimals_are_scaled() {
        assert_eq!(scaled("-1.5"), i256::from_string(&format!("-15{}", "0".repeat(37))));
        assert_eq!(scaled("0"), Some(i256::ZERO));
    }
}

//! Decoded rows as bytes and back: what a stretch of a source gave, before duplicates are looked for.
//!
//! Most columns of most rows are empty: of those only that fact is kept. The others are an Arrow IPC stream. All of it is
//! compressed together. Reading checks every length; what does not fit is damage, never a panic.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray, new_null_array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

use crate::batch::{Identity, RowBatch};
use crate::decode::Decoded;
use crate::report::SourceReport;
use crate::sources::Maps;
use crate::suspicions::Spreadsheet;

/// Bytes that a stretch may take when inflated.
const STRETCH_MAX: usize = 1 << 30;
const ZSTD_LEVEL: i32 = 1;

/// What is kept of a column.
const STORED: u8 = 0;
const ALL_NULL: u8 = 1;
const ALL_EMPTY: u8 = 2;

/// None when the rows cannot be written, which no rows of a log are known to bring about.
pub(super) fn written(decoded: &Decoded) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    put(&mut out, &serde_json::to_vec(&decoded.report).ok()?);
    put(&mut out, &serde_json::to_vec(&decoded.damage.counts()).ok()?);
    out.extend_from_slice(&u32::try_from(decoded.batches.len()).ok()?.to_le_bytes());
    for batch in &decoded.batches {
        write_batch(batch, &mut out)?;
    }
    if out.len() > STRETCH_MAX {
        return None;
    }
    zstd::bulk::compress(&out, ZSTD_LEVEL).ok()
}

fn write_batch(batch: &RowBatch, out: &mut Vec<u8>) -> Option<()> {
    put(out, batch.spec.name().as_bytes());
    out.push(u8::from(batch.spec.draft));
    out.extend_from_slice(&(batch.bytes as u64).to_le_bytes());
    let numbers: Vec<u8> = batch.records.iter().flat_map(|record| record.to_le_bytes()).collect();
    put(out, &numbers);
    put(out, batch.keys.as_flattened());
    let identities: Vec<u8> = batch.identities.iter().map(|identity| *identity as u8).collect();
    put(out, &identities);
    let kinds: Vec<u8> = batch.columns.iter().map(kind).collect();
    put(out, &kinds);
    let stored = || batch.columns.iter().zip(&kinds).filter(|(_, kind)| **kind == STORED).map(|(column, _)| column);
    let fields: Vec<Field> = stored().map(|column| Field::new("", column.data_type().clone(), true)).collect();
    let mut stream = Vec::new();
    if !fields.is_empty() {
        let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), stored().cloned().collect()).ok()?;
        let mut writer = StreamWriter::try_new(&mut stream, &rows.schema()).ok()?;
        writer.write(&rows).ok()?;
        writer.finish().ok()?;
    }
    put(out, &stream);
    Some(())
}

fn kind(column: &ArrayRef) -> u8 {
    if column.null_count() == column.len() {
        return ALL_NULL;
    }
    match column.as_string_view_opt() {
        // The lower half of a view is the text's length.
        Some(texts) if texts.null_count() == 0 && texts.views().iter().all(|view| *view as u32 == 0) => ALL_EMPTY,
        _ => STORED,
    }
}

/// A length and as many bytes.
fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

/// What [`written`] was given; None when the bytes are none of its.
pub(super) fn read(bytes: &[u8], maps: &Maps) -> Option<Decoded> {
    let size =
        zstd::zstd_safe::get_frame_content_size(bytes).ok().flatten().and_then(|size| usize::try_from(size).ok());
    let whole = zstd::bulk::decompress(bytes, size.filter(|size| *size <= STRETCH_MAX)?).ok()?;
    let mut rest = Rest(&whole);
    let report: SourceReport = serde_json::from_slice(rest.part()?).ok()?;
    let damage = Spreadsheet::of(serde_json::from_slice(rest.part()?).ok()?);
    let count = u32::from_le_bytes(rest.array()?);
    let batches = (0..count).map(|_| read_batch(&mut rest, maps)).collect::<Option<Vec<RowBatch>>>()?;
    rest.0.is_empty().then_some(Decoded { report, batches, damage, kept: None })
}

fn read_batch(rest: &mut Rest<'_>, maps: &Maps) -> Option<RowBatch> {
    let name = std::str::from_utf8(rest.part()?).ok()?;
    let [draft] = rest.array()?;
    let spec = if draft == 1 { maps.custom(name) } else { maps.table(name)? };
    let bytes = usize::try_from(u64::from_le_bytes(rest.array()?)).ok()?;
    let (records, odd) = rest.part()?.as_chunks::<8>();
    let records: Vec<u64> = records.iter().map(|record| u64::from_le_bytes(*record)).collect();
    let (keys, odd_keys) = rest.part()?.as_chunks::<16>();
    let identities = rest.part()?.iter().map(|byte| identity(*byte)).collect::<Option<Vec<Identity>>>()?;
    let kinds = rest.part()?;
    let stream = rest.part()?;
    let rows = records.len();
    // The last column of the layout, the place, is made when sources are put together.
    let fits = odd.is_empty() && odd_keys.is_empty() && keys.len() == rows && identities.len() == rows;
    if !fits || kinds.len() + 1 != spec.arrow.fields().len() {
        return None;
    }
    let mut stored = Vec::new();
    if !stream.is_empty() {
        let mut reader = StreamReader::try_new(Cursor::new(stream), None).ok()?;
        stored = reader.next()?.ok()?.columns().to_vec();
    }
    let mut stored = stored.into_iter();
    let columns = kinds.iter().zip(spec.arrow.fields()).map(|(kind, field)| match *kind {
        ALL_NULL if field.is_nullable() => Some(new_null_array(field.data_type(), rows)),
        ALL_EMPTY if *field.data_type() == DataType::Utf8View => {
            let empty = StringViewArray::try_new(vec![0_u128; rows].into(), Vec::new(), None).ok()?;
            Some(Arc::new(empty) as ArrayRef)
        }
        STORED => stored.next().filter(|column| column.len() == rows && column.data_type() == field.data_type()),
        _ => None,
    });
    let columns = columns.collect::<Option<Vec<ArrayRef>>>()?;
    Some(RowBatch { columns, records, keys: keys.to_vec(), identities, bytes, spec })
}

fn identity(byte: u8) -> Option<Identity> {
    [Identity::Own, Identity::Content, Identity::Place].into_iter().find(|identity| *identity as u8 == byte)
}

/// Bytes not read yet.
pub(super) struct Rest<'b>(pub(super) &'b [u8]);

impl<'b> Rest<'b> {
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }

    pub(super) fn part(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(u64::from_le_bytes(self.array()?)).ok()?;
        let (head, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        Some(head)
    }
}

#[cfg(test)]
mod tests {
    use tables::SchemaSet;

    use super::*;
    use crate::batch::BatchBuilder;
    use crate::row::{Cell, Row};

    fn decoded(maps: &Maps) -> Decoded {
        let spec = maps.table("AWSCloudTrail").unwrap();
        let mut builder = BatchBuilder::new(&spec);
        for number in 0..3 {
            let mut row = Row::new(&spec);
            row.set("EventName", format!("Event of a name that no view holds {number}"));
            row.put(spec.time.unwrap(), if number == 1 { Cell::Missing } else { Cell::Long(number) });
            row.identified = number == 0;
            builder.push(row, number as u64 * 2);
        }
        let mut drafts = BatchBuilder::new(&maps.custom("Own_CL"));
        drafts.push(Row::new(&maps.custom("Own_CL")), 9);
        let report = SourceReport { records: 4, rows: 4, ..SourceReport::default() };
        Decoded { report, batches: vec![builder.take(), drafts.take()], damage: Spreadsheet::default(), kept: None }
    }

    #[test]
    fn rows_come_back_as_they_were() {
        let maps = Maps::new(SchemaSet::builtin(), None, None);
        let before = decoded(&maps);
        let after = read(&written(&before).unwrap(), &maps).unwrap();
        assert_eq!(after.report, before.report);
        for (after, before) in after.batches.iter().zip(&before.batches) {
            assert!(Arc::ptr_eq(&after.spec, &before.spec));
            assert_eq!((&after.records, &after.keys, after.bytes), (&before.records, &before.keys, before.bytes));
            assert_eq!(after.identities, before.identities);
            assert_eq!(after.columns, before.columns);
        }
        assert_eq!(after.batches.len(), 2);
    }

    #[test]
    fn damage_is_no_rows_and_no_panic() {
        let maps = Maps::new(SchemaSet::builtin(), None, None);
        let bytes = written(&decoded(&maps)).unwrap();
        for at in 0..bytes.len() {
            assert!(read(&bytes[..at], &maps).is_none(), "{at}");
        }
        // A schema that has another number of columns now.
        let mut schemas = SchemaSet::builtin();
        schemas.add_json(r#"{"AWSCloudTrail": {"TimeGenerated": "datetime"}}"#).unwrap();
        assert!(read(&bytes, &Maps::new(schemas, None, None)).is_none());
    }
}

//! One table as a Parquet file that grows while logs are read: row group by row group, columns encoded side by side.
//!
//! Memory holds the encoded pages of one row group and a few thousand rows that wait. What is written depends on the
//! rows alone, never on the number of threads.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, StringViewArray, new_null_array};
use arrow::array::{TimestampMicrosecondArray, TimestampNanosecondArray};
use arrow::buffer::NullBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use kql_types::ScalarType;
use kql_types::datetime::UNIX_EPOCH;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use rayon::ThreadPool;
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
use tables::{INGESTION_COLUMN, TableSchema};

use crate::LoadError;

/// Rows that wait before they are encoded together.
const WAITING_ROWS: usize = 16 << 10;
/// Bytes that wait before they are encoded together.
const WAITING_BYTES: usize = 24 << 20;
/// A row group ends with the rows that bring it to this many.
const GROUP_ROWS: usize = 128 << 10;
/// A row group ends when its pages take this much memory.
const GROUP_BYTES: usize = 96 << 20;
/// Bytes of a page before it is compressed.
const PAGE_BYTES: usize = 256 << 10;
/// Values looked at to decide whether a column repeats itself enough for a dictionary.
const SAMPLE: usize = 2_000;

/// A file being written.
pub(crate) struct TableFile {
    path: PathBuf,
    form: Form,
    /// The layout of the rows.
    layout: SchemaRef,
    /// The types of the columns, by position.
    types: Vec<ScalarType>,
    waiting: Vec<RecordBatch>,
    waiting_rows: usize,
    waiting_bytes: usize,
    open: Option<Open>,
    rows: u64,
    /// Rows with a time that nanoseconds cannot hold are written to a file of their own.
    odd: Option<Box<TableFile>>,
}

/// How values lie in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Times as timestamps in nanoseconds, which hold every tick of the years 1678 to 2262.
    Shared,
    /// Times as timestamps in microseconds, for the times beyond.
    Distant,
    /// Rows as they are in memory: a file that only this load reads.
    Own,
}

struct Open {
    writer: SerializedFileWriter<File>,
    factory: ArrowRowGroupWriterFactory,
    written: SchemaRef,
    columns: Vec<ArrowColumnWriter>,
    groups: usize,
    group_rows: usize,
}

/// A file that was written to its end.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) path: PathBuf,
    pub(crate) rows: u64,
}

impl TableFile {
    /// A file of a table's rows for every reader. Nothing is written before the first rows come.
    pub(crate) fn new(path: PathBuf, schema: &TableSchema) -> TableFile {
        let layout = tables::arrow_schema(schema);
        let types = layout.fields().iter().map(|field| match schema.column(field.name()) {
            Some(column) => column.ty,
            None if *field.data_type() == DataType::Utf8View => ScalarType::String,
            None if field.name() == INGESTION_COLUMN => ScalarType::DateTime,
            None => ScalarType::Long,
        });
        let types = types.collect();
        TableFile::of(path, Form::Shared, layout, types)
    }

    /// A file of rows that is read back by the same load.
    pub(crate) fn own(path: PathBuf, layout: SchemaRef) -> TableFile {
        TableFile::of(path, Form::Own, layout, Vec::new())
    }

    fn of(path: PathBuf, form: Form, layout: SchemaRef, types: Vec<ScalarType>) -> TableFile {
        let (waiting, odd, open) = (Vec::new(), None, None);
        TableFile { path, form, layout, types, waiting, waiting_rows: 0, waiting_bytes: 0, open, rows: 0, odd }
    }

    /// Bytes of memory that the rows not yet on disk take.
    pub(crate) fn memory(&self) -> usize {
        let pages: usize = self.open.iter().flat_map(|open| &open.columns).map(ArrowColumnWriter::memory_size).sum();
        self.waiting_bytes + pages + self.odd.as_ref().map_or(0, |odd| odd.memory())
    }

    /// Appends rows.
    pub(crate) fn push(&mut self, batch: RecordBatch, bytes: usize, pool: &ThreadPool) -> Result<(), LoadError> {
        if self.form == Form::Shared
            && let Some(distant) = self.distant(&batch)
        {
            let near: BooleanArray = distant.iter().map(|distant| Some(distant != Some(true))).collect();
            let odd = filter_record_batch(&batch, &distant).map_err(|error| self.bug(&error))?;
            let batch = filter_record_batch(&batch, &near).map_err(|error| self.bug(&error))?;
            self.odd_file().push_near(odd, 0, pool)?;
            return self.push_near(batch, bytes, pool);
        }
        self.push_near(batch, bytes, pool)
    }

    fn odd_file(&mut self) -> &mut TableFile {
        let (path, layout, types) = (&self.path, &self.layout, &self.types);
        self.odd.get_or_insert_with(|| {
            let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let path = path.with_file_name(format!("{stem}-distant.parquet"));
            Box::new(TableFile::of(path, Form::Distant, Arc::clone(layout), types.clone()))
        })
    }

    fn push_near(&mut self, batch: RecordBatch, bytes: usize, pool: &ThreadPool) -> Result<(), LoadError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.rows += batch.num_rows() as u64;
        self.waiting_rows += batch.num_rows();
        self.waiting_bytes += bytes;
        self.waiting.push(batch);
        if self.waiting_rows >= WAITING_ROWS || self.waiting_bytes >= WAITING_BYTES {
            self.encode(pool)?;
        }
        Ok(())
    }

    /// Which rows have a time beyond what nanoseconds hold; None when none has.
    fn distant(&self, batch: &RecordBatch) -> Option<BooleanArray> {
        let near = |ticks: i64| (ticks - UNIX_EPOCH).checked_mul(100).is_some();
        let typed = batch.columns().iter().zip(&self.types).filter(|(_, ty)| **ty == ScalarType::DateTime);
        let times: Vec<&Int64Array> = typed.filter_map(|(column, _)| column.as_primitive_opt::<Int64Type>()).collect();
        if times.iter().all(|times| times.iter().flatten().all(near)) {
            return None;
        }
        let row_is_distant = |row: usize| times.iter().any(|times| times.is_valid(row) && !near(times.value(row)));
        Some((0..batch.num_rows()).map(|row| Some(row_is_distant(row))).collect())
    }

    /// Encodes the rows that wait.
    fn encode(&mut self, pool: &ThreadPool) -> Result<(), LoadError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let waiting = std::mem::take(&mut self.waiting);
        (self.waiting_rows, self.waiting_bytes) = (0, 0);
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.create(&waiting)?,
        };
        if open.columns.is_empty() {
            open.columns = open.factory.create_column_writers(open.groups).map_err(|error| self.bug(&error))?;
        }
        let fields = open.written.fields();
        let encode = |index: usize, writer: &mut ArrowColumnWriter| -> Result<(), parquet::errors::ParquetError> {
            let Some(field) = fields.get(index) else { return Ok(()) };
            for column in waiting.iter().filter_map(|batch| batch.columns().get(index)) {
                for leaf in compute_leaves(field, &as_written(column, field))? {
                    writer.write(&leaf)?;
                }
            }
            Ok(())
        };
        pool.install(|| {
            let columns = open.columns.par_iter_mut().enumerate().with_max_len(1);
            columns.map(|(index, writer)| encode(index, writer)).collect::<Result<(), _>>()
        })
        .map_err(|error| self.bug(&error))?;
        open.group_rows += waiting.iter().map(RecordBatch::num_rows).sum::<usize>();
        let bytes: usize = open.columns.iter().map(ArrowColumnWriter::memory_size).sum();
        let full = open.group_rows >= GROUP_ROWS || bytes >= GROUP_BYTES;
        self.open = Some(open);
        if full { self.end_group(pool) } else { Ok(()) }
    }

    /// Ends the row group with the rows it has, which leaves next to nothing in memory.
    pub(crate) fn end_group(&mut self, pool: &ThreadPool) -> Result<(), LoadError> {
        if !self.waiting.is_empty() {
            self.encode(pool)?;
        }
        let Some(mut open) = self.open.take() else { return Ok(()) };
        let columns = std::mem::take(&mut open.columns);
        if !columns.is_empty() {
            let chunks = pool.install(|| {
                let columns = columns.into_par_iter().with_max_len(1);
                columns.map(ArrowColumnWriter::close).collect::<Result<Vec<_>, _>>()
            });
            let chunks = chunks.map_err(|error| self.bug(&error))?;
            let mut group = open.writer.next_row_group().map_err(|error| self.bug(&error))?;
            for chunk in chunks {
                chunk.append_to_row_group(&mut group).map_err(|error| self.bug(&error))?;
            }
            group.close().map_err(|error| self.bug(&error))?;
            open.groups += 1;
            open.group_rows = 0;
        }
        self.open = Some(open);
        Ok(())
    }

    /// Writes what is left; the files that came to be, none when there were no rows.
    pub(crate) fn finish(mut self, pool: &ThreadPool) -> Result<Vec<Finished>, LoadError> {
        self.end_group(pool)?;
        let mut finished = Vec::new();
        if let Some(open) = self.open.take() {
            open.writer.close().map_err(|error| self.bug(&error))?;
            let rows = self.rows;
            finished.push(Finished { path: self.path.clone(), rows });
        }
        if let Some(odd) = self.odd.take() {
            finished.extend(odd.finish(pool)?);
        }
        Ok(finished)
    }

    fn create(&self, first: &[RecordBatch]) -> Result<Open, LoadError> {
        let uses = self.layout.fields().iter().enumerate().map(|(index, field)| match self.form {
            Form::Own => Use::Repeats,
            _ => use_of(field, first.iter().filter_map(|batch| batch.columns().get(index))),
        });
        let uses: Vec<Use> = uses.collect();
        let written = self.written_schema(&uses);
        let file = File::create(&self.path).map_err(|source| LoadError::Io { path: self.path.clone(), source })?;
        let level = ZstdLevel::try_new(1).map_err(|error| self.bug(&error))?;
        let mut properties =
            WriterProperties::builder().set_compression(Compression::ZSTD(level)).set_data_page_size_limit(PAGE_BYTES);
        for (field, _) in written.fields().iter().zip(&uses).filter(|(_, of)| **of == Use::Differs) {
            // Neither a dictionary nor the least and greatest of a row group says anything of ids and documents.
            let path = ColumnPath::new(vec![field.name().clone()]);
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_statistics_enabled(path, EnabledStatistics::None);
        }
        let writer = ArrowWriter::try_new(file, Arc::clone(&written), Some(properties.build()));
        let writer = writer.map_err(|error| self.bug(&error))?;
        let (writer, factory) = writer.into_serialized_writer().map_err(|error| self.bug(&error))?;
        Ok(Open { writer, factory, written, columns: Vec::new(), groups: 0, group_rows: 0 })
    }

    /// The columns as the file holds them.
    fn written_schema(&self, uses: &[Use]) -> SchemaRef {
        let unit = match self.form {
            Form::Own => return Arc::clone(&self.layout),
            Form::Shared => TimeUnit::Nanosecond,
            Form::Distant => TimeUnit::Microsecond,
        };
        let columns = self.layout.fields().iter().zip(&self.types).zip(uses);
        let fields = columns.map(|((field, ty), of)| {
            let data_type = match ty {
                ScalarType::DateTime => DataType::Timestamp(unit, Some(Arc::from("UTC"))),
                _ => field.data_type().clone(),
            };
            let metadata = [("kql.type".to_owned(), ty.name().to_owned())].into();
            Field::new(field.name(), data_type, field.is_nullable() || *of == Use::Empty).with_metadata(metadata)
        });
        Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
    }

    /// Failing to write is told apart from the rest, which cannot happen.
    fn bug(&self, error: &(dyn std::error::Error + 'static)) -> LoadError {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(error) = cause {
            if let Some(io) = error.downcast_ref::<std::io::Error>() {
                let source = std::io::Error::new(io.kind(), io.to_string());
                return LoadError::Io { path: self.path.clone(), source };
            }
            cause = error.source();
        }
        LoadError::Bug(format!("{}: {error}", self.path.display()))
    }
}

/// A file name for a table: names come from logs, so only what is harmless stays.
pub(crate) fn file_name(table: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '-' };
    table.chars().take(100).map(plain).collect()
}

/// A name that no file of the folder has yet: `TABLE.parquet`, `TABLE-2.parquet`...
pub(crate) fn free_path(folder: &Path, table: &str, taken: &mut std::collections::HashSet<String>) -> PathBuf {
    let stem = file_name(table);
    let mut name = stem.clone();
    let mut number = 1;
    // Some file systems ignore case.
    while !taken.insert(name.to_ascii_lowercase()) {
        number += 1;
        name = format!("{stem}-{number}");
    }
    folder.join(format!("{name}.parquet"))
}

/// What a column's first values say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Values come again often enough for a dictionary. Columns that are no text count as such.
    Repeats,
    /// Nearly every value is another: ids, documents.
    Differs,
    /// All texts are empty so far: they are written as nulls, which cost nothing and are read as empty texts.
    Empty,
}

fn use_of<'a>(field: &Field, columns: impl Iterator<Item = &'a ArrayRef>) -> Use {
    let mut seen = std::collections::HashSet::new();
    let mut values = 0;
    for column in columns {
        let Some(texts): Option<&StringViewArray> = column.as_string_view_opt() else { return Use::Repeats };
        for text in texts.iter().flatten().filter(|text| !text.is_empty()) {
            values += 1;
            seen.insert(text);
            if values >= SAMPLE {
                return if seen.len() * 2 <= values { Use::Repeats } else { Use::Differs };
            }
        }
    }
    match values {
        0 if !field.is_nullable() => Use::Empty,
        0..50 => Use::Repeats,
        _ if seen.len() * 2 <= values => Use::Repeats,
        _ => Use::Differs,
    }
}

/// A column of texts that is nullable in the file only because all its texts were empty at first.
fn with_nulls(texts: &StringViewArray) -> ArrayRef {
    let present = NullBuffer::from_iter(texts.views().iter().map(|view| *view as u32 != 0));
    if present.null_count() == texts.len() {
        return new_null_array(&DataType::Utf8View, texts.len());
    }
    let (views, buffers, _) = texts.clone().into_parts();
    match StringViewArray::try_new(views, buffers, Some(present)) {
        Ok(array) => Arc::new(array),
        Err(_) => Arc::new(texts.clone()),
    }
}

fn as_written(column: &ArrayRef, field: &Field) -> ArrayRef {
    if field.is_nullable()
        && column.null_count() == 0
        && field.metadata().get("kql.type").is_some_and(|ty| ty == ScalarType::String.name())
        && let Some(texts) = column.as_string_view_opt()
    {
        return with_nulls(texts);
    }
    let DataType::Timestamp(unit, zone) = field.data_type() else { return Arc::clone(column) };
    let Some(ticks) = column.as_primitive_opt::<Int64Type>() else { return Arc::clone(column) };
    match unit {
        TimeUnit::Nanosecond => {
            let values: TimestampNanosecondArray = ticks.unary(|ticks| (ticks - UNIX_EPOCH).wrapping_mul(100));
            Arc::new(values.with_timezone_opt(zone.clone()))
        }
        _ => {
            let values: TimestampMicrosecondArray = ticks.unary(|ticks| (ticks - UNIX_EPOCH).div_euclid(10));
            Arc::new(values.with_timezone_opt(zone.clone()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_names_become_harmless_file_names() {
        assert_eq!(file_name("../../etc/x y"), "------etc-x-y");
        assert_eq!(file_name("AWSCloudTrail"), "AWSCloudTrail");
        let mut taken = std::collections::HashSet::new();
        let mut free = |table| free_path(Path::new("f"), table, &mut taken).to_string_lossy().replace('\\', "/");
        assert_eq!(
            (free("A"), free("a"), free("A-2")),
            ("f/A.parquet".into(), "f/a-2.parquet".into(), "f/A-2-2.parquet".into())
        );
    }

    #[test]
    fn columns_of_ids_get_no_dictionary() {
        let ids: ArrayRef = Arc::new((0..1000).map(|id| Some(id.to_string())).collect::<StringViewArray>());
        let names: ArrayRef = Arc::new((0..1000).map(|id| Some((id % 7).to_string())).collect::<StringViewArray>());
        let empty: ArrayRef = Arc::new(StringViewArray::from(vec![""; 1000]));
        let field = Field::new("x", DataType::Utf8View, false);
        let of = |column: &ArrayRef| use_of(&field, [column].into_iter());
        assert_eq!([of(&ids), of(&names), of(&empty)], [Use::Differs, Use::Repeats, Use::Empty]);
    }

    #[test]
    fn empty_texts_become_nulls_where_the_file_has_them() {
        let field = Field::new("x", DataType::Utf8View, true)
            .with_metadata([("kql.type".to_owned(), "string".to_owned())].into());
        let texts: ArrayRef = Arc::new(StringViewArray::from(vec!["", "a", "", "longer than twelve bytes"]));
        let written = as_written(&texts, &field);
        assert_eq!(
            written.as_string_view().iter().collect::<Vec<_>>(),
            [None, Some("a"), None, Some("longer than twelve bytes")]
        );
    }
}

//! Puts together what the workers give, in the order of the sources: removes duplicates, numbers places, keeps the
//! account of tables.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, StringViewArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use kql_types::datetime::TICKS_PER_HOUR;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tables::{SchemaSet, TableSchema};

use crate::batch::{Identity, RowBatch, RowKey, guid_text, repeated};
use crate::custom::{self, Shape};
use crate::decode::Decoded;
use crate::report::{Gap, LoadReport, SourceReport, TableReport};
use crate::row::TableSpec;
use crate::seen::Seen;
use crate::store::{Keep, Kept, Rows, Store};
use crate::suspicions::{self, Spreadsheet};
use crate::time::PLAUSIBLE_MIN;
use crate::{LoadError, Loaded, ParquetFile};

/// Columns whose values say whose logs these are.
const SEEN_COLUMNS: &[&str] = &[
    "RecipientAccountId",
    "UserIdentityAccountId",
    "AWSRegion",
    "SubscriptionId",
    "AADTenantId",
    "ProjectId",
    "AccountTenantId",
];
/// Values kept for each of them.
const SEEN_MAX: usize = 10_000;

/// Bytes of rows between two looks at the limits of memory.
const SETTLE_BYTES: usize = 16 << 20;

pub(crate) struct Merge {
    store: Store,
    keys: Seen,
    repeats: Repeats,
    /// By name, and whether the rows are drafts.
    tables: BTreeMap<(String, bool), Table>,
    schemas_known: SchemaSet,
    report: LoadReport,
    parquet: Vec<ParquetFile>,
    schemas: BTreeMap<String, TableSchema>,
    /// Of the source being merged.
    plausible_max: i64,
    current: Current,
    unsettled: usize,
}

/// How often content without an id came in the source being merged.
struct Repeats {
    once: Seen,
    more: HashMap<RowKey, u32>,
    used: bool,
}

/// What is known of the source being merged.
#[derive(Default)]
struct Current {
    report: SourceReport,
    damage: Spreadsheet,
    duplicates: u64,
    undated: u64,
    implausible: u64,
    first: Option<i64>,
    last: Option<i64>,
}

struct Table {
    spec: Arc<TableSpec>,
    rows: Rows,
    /// Of drafts: the columns as far as rows were seen.
    shape: Option<Shape>,
    report: TableReport,
    /// First and last row of every hour with rows.
    hours: BTreeMap<i64, (i64, i64)>,
}

impl Merge {
    /// Continues what an earlier load found.
    pub(crate) fn new(keep: Keep, batch_rows: usize, threads: usize, schemas: &SchemaSet, base: Loaded) -> Merge {
        let store = Store::new(keep, batch_rows, threads);
        let once = Seen::new(store.folder(), "source");
        Merge {
            keys: Seen::new(store.folder(), "rows"),
            repeats: Repeats { once, more: HashMap::new(), used: false },
            store,
            tables: BTreeMap::new(),
            schemas_known: schemas.clone(),
            report: base.report,
            parquet: base.parquet,
            schemas: base.schemas,
            plausible_max: 0,
            current: Current::default(),
            unsettled: 0,
        }
    }

    pub(crate) fn start(&mut self, plausible_max: i64) {
        self.plausible_max = plausible_max;
        self.current = Current::default();
        self.repeats.clear();
    }

    /// Takes what was decoded next of the source being merged.
    pub(crate) fn decoded(&mut self, decoded: Decoded) -> Result<(), LoadError> {
        self.current.report.absorb(decoded.report);
        self.current.damage.add(decoded.damage);
        decoded.batches.into_iter().try_for_each(|batch| self.rows(batch))
    }

    fn rows(&mut self, mut batch: RowBatch) -> Result<(), LoadError> {
        let source = self.report.sources.len() as u32;
        let new = self.new_rows(&mut batch)?;
        let places: ArrayRef =
            Arc::new(batch.records.iter().map(|record| tables::pack_source(source, *record)).collect::<Int64Array>());
        let mut columns = batch.columns;
        columns.push(places);
        let mut rows = RecordBatch::try_new(Arc::clone(&batch.spec.arrow), columns).map_err(bug)?;
        let repeated = new.iter().filter(|new| !**new).count();
        if repeated > 0 {
            self.current.duplicates += repeated as u64;
            rows = filter_record_batch(&rows, &BooleanArray::from(new)).map_err(bug)?;
        }
        let key = (batch.spec.name().to_owned(), batch.spec.draft);
        if !self.tables.contains_key(&key) {
            let made = Table::new(batch.spec, &mut self.store, &self.schemas_known);
            self.tables.insert(key.clone(), made);
        }
        let Some(table) = self.tables.get_mut(&key) else { return Ok(()) };
        table.account(&rows, self.plausible_max, &mut self.current);
        if let Some(shape) = &mut table.shape {
            shape.see(&rows);
        }
        self.store.push(&mut table.rows, rows, batch.bytes)?;
        self.unsettled += batch.bytes;
        if self.unsettled >= SETTLE_BYTES {
            self.unsettled = 0;
            self.store.settle(self.tables.values_mut().map(|table| &mut table.rows))?;
        }
        Ok(())
    }

    /// Which rows were not seen before. Content without an id that came before in this source is another event, with an
    /// id of its own.
    fn new_rows(&mut self, batch: &mut RowBatch) -> Result<Vec<bool>, LoadError> {
        let mut new = Vec::with_capacity(batch.keys.len());
        let mut ids: Vec<(usize, RowKey)> = Vec::new();
        for (index, (key, identity)) in batch.keys.iter().zip(&batch.identities).enumerate() {
            let mut key = *key;
            if *identity != Identity::Own {
                let before = self.repeats.before(key)?;
                if before > 0 {
                    key = repeated(key, before);
                    if *identity == Identity::Content {
                        ids.push((index, key));
                    }
                }
            }
            new.push(self.keys.insert(key)?);
        }
        if let Some(column) = batch.columns.get_mut(batch.spec.item_id).filter(|_| !ids.is_empty())
            && let Some(texts) = column.as_string_view_opt()
        {
            let mut ids = ids.into_iter().peekable();
            let texts = texts.iter().enumerate().map(|(index, text)| match ids.next_if(|(at, _)| *at == index) {
                Some((_, key)) => Some(guid_text(&key)),
                None => text.map(str::to_owned),
            });
            *column = Arc::new(texts.collect::<StringViewArray>());
        }
        Ok(new)
    }

    /// Notes a Parquet file whose rows stay where they are.
    pub(crate) fn in_place(&mut self, table: String, path: PathBuf, rows: u64) {
        self.report.tables.entry(table.clone()).or_default().rows += rows;
        let source = u32::try_from(self.report.sources.len()).ok();
        self.parquet.push(ParquetFile { table, path, rows, source });
    }

    /// Ends the source; gives its records and bytes.
    pub(crate) fn end(&mut self, report: SourceReport) -> (u64, u64) {
        let current = std::mem::take(&mut self.current);
        let mut whole = current.report;
        whole.absorb(report);
        whole.rows -= current.duplicates;
        whole.duplicates = current.duplicates;
        whole.undated = current.undated;
        whole.implausible = current.implausible;
        whole.first = current.first;
        whole.last = current.last;
        whole.notes.extend(current.damage.notes());
        whole.notes.extend(suspicions::of(&whole));
        self.report.bytes += whole.bytes;
        self.report.outside += whole.outside;
        let sums = (whole.records, whole.bytes);
        self.report.sources.push(whole);
        sums
    }

    pub(crate) fn finish(mut self) -> Result<Loaded, LoadError> {
        self.store.settle(self.tables.values_mut().map(|table| &mut table.rows))?;
        let mut loaded = Loaded { parquet: self.parquet, schemas: self.schemas, ..Loaded::default() };
        for ((name, _), mut table) in self.tables {
            let report = table.report();
            match self.report.tables.get_mut(&name) {
                None => {
                    self.report.tables.insert(name.clone(), report);
                }
                Some(before) => before.add(report),
            }
            let (schema, kept) = match table.shape.take() {
                None => (table.spec.schema.clone(), self.store.finish(table.rows)?),
                Some(shape) => shaped(&name, shape, table.rows, &mut self.store)?,
            };
            if let Some(before) = loaded.tables.get_mut(&name) {
                *before = custom::widened(before, &schema).map_err(bug)?;
            }
            loaded.schemas.insert(name.clone(), schema);
            match kept {
                Kept::Memory(batches) => loaded.tables.entry(name).or_default().extend(batches),
                Kept::Files(files) => loaded.parquet.extend(files.into_iter().map(|file| ParquetFile {
                    table: name.clone(),
                    path: file.path,
                    rows: file.rows,
                    source: None,
                })),
            }
        }
        for file in &loaded.parquet {
            if let (false, Some(schema)) =
                (loaded.schemas.contains_key(&file.table), self.schemas_known.get(&file.table))
            {
                loaded.schemas.insert(file.table.clone(), schema.clone());
            }
        }
        loaded.report = self.report;
        Ok(loaded)
    }
}

/// Drafts as rows of their table, whose columns are known now that all were seen.
fn shaped(name: &str, shape: Shape, drafts: Rows, store: &mut Store) -> Result<(TableSchema, Kept), LoadError> {
    let schema = shape.schema(name);
    let spec = TableSpec::new(&schema);
    let mut rows = store.rows(name, &schema, &spec.arrow);
    let mut fill = |store: &mut Store, draft: &RecordBatch| {
        let batch = custom::filled(&spec, draft).map_err(bug)?;
        let bytes = batch.get_array_memory_size();
        store.push(&mut rows, batch, bytes)?;
        store.settle(std::iter::once(&mut rows))
    };
    match store.finish(drafts)? {
        Kept::Memory(batches) => batches.iter().try_for_each(|draft| fill(store, draft))?,
        Kept::Files(files) => {
            for file in files {
                let failed = |source| LoadError::Io { path: file.path.clone(), source };
                let input = std::fs::File::open(&file.path).map_err(failed)?;
                let reader = ParquetRecordBatchReaderBuilder::try_new(input).and_then(|reader| reader.build());
                for draft in reader.map_err(|error| LoadError::Bug(error.to_string()))? {
                    fill(store, &draft.map_err(bug)?)?;
                }
                std::fs::remove_file(&file.path).map_err(failed)?;
            }
        }
    }
    let kept = store.finish(rows)?;
    Ok((schema, kept))
}

impl Repeats {
    /// How often the content came before.
    fn before(&mut self, key: RowKey) -> Result<u32, LoadError> {
        self.used = true;
        if self.once.insert(key)? {
            return Ok(0);
        }
        let count = self.more.entry(key).or_default();
        *count += 1;
        Ok(*count)
    }

    fn clear(&mut self) {
        if self.used {
            self.once.clear();
            self.more.clear();
            self.used = false;
        }
    }
}

fn bug(error: arrow::error::ArrowError) -> LoadError {
    LoadError::Bug(error.to_string())
}

impl Table {
    fn new(spec: Arc<TableSpec>, store: &mut Store, known: &SchemaSet) -> Table {
        let name = spec.name();
        let (rows, shape) = match spec.draft {
            true => (store.drafts(name, &spec.arrow), Some(Shape::new(known.get(name)))),
            false => (store.rows(name, &spec.schema, &spec.arrow), None),
        };
        Table { rows, shape, spec, report: TableReport::default(), hours: BTreeMap::new() }
    }

    /// The account of the rows, with the gaps between them.
    fn report(&mut self) -> TableReport {
        let spans: Vec<&(i64, i64)> = self.hours.values().collect();
        for pair in spans.windows(2) {
            if let [(_, from), (to, _)] = pair
                && to - from > TICKS_PER_HOUR
            {
                self.report.gaps.push(Gap { from: *from, to: *to });
            }
        }
        std::mem::take(&mut self.report)
    }

    fn account(&mut self, rows: &RecordBatch, plausible_max: i64, current: &mut Current) {
        self.report.rows += rows.num_rows() as u64;
        if let Some(times) = self.spec.time.and_then(|index| rows.columns().get(index)) {
            self.account_times(times.as_primitive::<Int64Type>(), plausible_max, current);
        } else {
            self.report.undated += rows.num_rows() as u64;
            current.undated += rows.num_rows() as u64;
        }
        for name in SEEN_COLUMNS {
            let Some(values) = rows.column_by_name(name).and_then(|column| column.as_string_view_opt()) else {
                continue;
            };
            let mut run = ("", 0_u64);
            for value in values.iter().flatten() {
                if value != run.0 {
                    saw(&mut self.report.seen, name, run);
                    run = (value, 0);
                }
                run.1 += 1;
            }
            saw(&mut self.report.seen, name, run);
        }
    }

    fn account_times(&mut self, times: &Int64Array, plausible_max: i64, current: &mut Current) {
        for time in times {
            let Some(time) = time else {
                self.report.undated += 1;
                current.undated += 1;
                continue;
            };
            if !(PLAUSIBLE_MIN..=plausible_max).contains(&time) {
                self.report.implausible += 1;
                current.implausible += 1;
                continue;
            }
            for (first, last) in
                [(&mut self.report.first, &mut self.report.last), (&mut current.first, &mut current.last)]
            {
                *first = Some(first.map_or(time, |first| first.min(time)));
                *last = Some(last.map_or(time, |last| last.max(time)));
            }
            let hour = time - time.rem_euclid(TICKS_PER_HOUR);
            *self.report.hours.entry(hour).or_default() += 1;
            let span = self.hours.entry(hour).or_insert((time, time));
            *span = (span.0.min(time), span.1.max(time));
        }
    }
}

fn saw(seen: &mut BTreeMap<String, BTreeMap<String, u64>>, column: &str, (value, count): (&str, u64)) {
    if count == 0 || value.is_empty() {
        return;
    }
    let values = seen.entry(column.to_owned()).or_default();
    match values.get_mut(value) {
        Some(sum) => *sum += count,
        None => {
            let name = if values.len() < SEEN_MAX { value } else { "…" };
            *values.entry(name.to_owned()).or_default() += count;
        }
    }
}

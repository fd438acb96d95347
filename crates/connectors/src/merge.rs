//! Puts together what the workers give, in the order of the sources: removes duplicates, numbers places, keeps the
//! account of tables.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array};
use arrow::compute::{BatchCoalescer, filter_record_batch};
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use kql_types::datetime::TICKS_PER_HOUR;
use tables::{SchemaSet, TableSchema};

use crate::batch::{RowBatch, RowKey};
use crate::custom;
use crate::report::{Gap, LoadReport, SourceReport, TableReport};
use crate::row::TableSpec;
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

/// Keys are hashes already: their first bytes serve.
#[derive(Default, Clone)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(Ok(first)) = bytes.get(..8).map(<[u8; 8]>::try_from) {
            self.0 = u64::from_le_bytes(first);
        }
    }

    fn write_usize(&mut self, _length: usize) {}
}

pub(crate) struct Merge {
    batch_rows: usize,
    keys: HashSet<RowKey, BuildHasherDefault<FirstBytes>>,
    /// By name, and whether the rows are drafts.
    tables: BTreeMap<(String, bool), Table>,
    report: LoadReport,
    parquet: Vec<ParquetFile>,
    schemas: BTreeMap<String, TableSchema>,
    /// Of the source being merged.
    plausible_max: i64,
    current: Current,
}

/// What the merger alone knows of the source being merged.
#[derive(Default)]
struct Current {
    duplicates: u64,
    undated: u64,
    implausible: u64,
    first: Option<i64>,
    last: Option<i64>,
}

struct Table {
    spec: Arc<TableSpec>,
    coalescer: BatchCoalescer,
    batches: Vec<RecordBatch>,
    report: TableReport,
    /// First and last row of every hour with rows.
    hours: BTreeMap<i64, (i64, i64)>,
}

impl Merge {
    /// Continues what an earlier load found.
    pub(crate) fn new(batch_rows: usize, base: Loaded) -> Merge {
        Merge {
            batch_rows,
            keys: HashSet::default(),
            tables: BTreeMap::new(),
            report: base.report,
            parquet: base.parquet,
            schemas: base.schemas,
            plausible_max: 0,
            current: Current::default(),
        }
    }

    pub(crate) fn start(&mut self, plausible_max: i64) {
        self.plausible_max = plausible_max;
        self.current = Current::default();
    }

    pub(crate) fn rows(&mut self, batch: RowBatch) -> Result<(), LoadError> {
        let source = self.report.sources.len() as u32;
        let places: ArrayRef =
            Arc::new(batch.records.iter().map(|record| tables::pack_source(source, *record)).collect::<Int64Array>());
        let mut columns = batch.columns;
        columns.push(places);
        let mut rows = RecordBatch::try_new(Arc::clone(&batch.spec.arrow), columns).map_err(bug)?;
        let new: Vec<bool> = batch.keys.iter().map(|key| self.keys.insert(*key)).collect();
        let repeated = new.iter().filter(|new| !**new).count();
        if repeated > 0 {
            self.current.duplicates += repeated as u64;
            rows = filter_record_batch(&rows, &BooleanArray::from(new)).map_err(bug)?;
        }
        let batch_rows = self.batch_rows;
        let table = self.tables.entry((batch.spec.name().to_owned(), batch.spec.draft)).or_insert_with(|| Table {
            coalescer: BatchCoalescer::new(Arc::clone(&batch.spec.arrow), batch_rows),
            spec: batch.spec,
            batches: Vec::new(),
            report: TableReport::default(),
            hours: BTreeMap::new(),
        });
        table.account(&rows, self.plausible_max, &mut self.current);
        table.coalescer.push_batch(rows).map_err(bug)?;
        while let Some(full) = table.coalescer.next_completed_batch() {
            table.batches.push(full);
        }
        Ok(())
    }

    /// Notes a Parquet file whose rows stay where they are.
    pub(crate) fn in_place(&mut self, table: String, path: PathBuf, rows: u64) {
        self.report.tables.entry(table.clone()).or_default().rows += rows;
        let source = u32::try_from(self.report.sources.len()).ok();
        self.parquet.push(ParquetFile { table, path, rows, source });
    }

    pub(crate) fn end(&mut self, mut report: SourceReport) {
        let current = std::mem::take(&mut self.current);
        report.rows -= current.duplicates;
        report.duplicates = current.duplicates;
        report.undated = current.undated;
        report.implausible = current.implausible;
        report.first = current.first;
        report.last = current.last;
        self.report.bytes += report.bytes;
        self.report.sources.push(report);
    }

    pub(crate) fn finish(mut self, schemas: &SchemaSet) -> Result<Loaded, LoadError> {
        let mut loaded = Loaded { parquet: self.parquet, schemas: self.schemas, ..Loaded::default() };
        for ((name, _), table) in self.tables {
            let draft = table.spec.draft;
            let known = table.spec.schema.clone();
            let (batches, report) = table.finish()?;
            match self.report.tables.get_mut(&name) {
                None => {
                    self.report.tables.insert(name.clone(), report);
                }
                Some(before) => before.add(report),
            }
            if draft {
                let (schema, mut all) = custom::finished(&name, &batches, schemas.get(&name)).map_err(bug)?;
                if let Some(before) = loaded.tables.remove(&name) {
                    all.extend(custom::widened(&before, &schema).map_err(bug)?);
                }
                loaded.schemas.insert(name.clone(), schema);
                loaded.tables.insert(name, all);
            } else {
                loaded.schemas.insert(name.clone(), known);
                loaded.tables.insert(name, batches);
            }
        }
        for file in &loaded.parquet {
            if let (false, Some(schema)) = (loaded.schemas.contains_key(&file.table), schemas.get(&file.table)) {
                loaded.schemas.insert(file.table.clone(), schema.clone());
            }
        }
        loaded.report = self.report;
        Ok(loaded)
    }
}

fn bug(error: arrow::error::ArrowError) -> LoadError {
    LoadError::Bug(error.to_string())
}

impl Table {
    fn finish(mut self) -> Result<(Vec<RecordBatch>, TableReport), LoadError> {
        self.coalescer.finish_buffered_batch().map_err(bug)?;
        while let Some(rest) = self.coalescer.next_completed_batch() {
            self.batches.push(rest);
        }
        let spans: Vec<&(i64, i64)> = self.hours.values().collect();
        for pair in spans.windows(2) {
            if let [(_, from), (to, _)] = pair
                && to - from > TICKS_PER_HOUR
            {
                self.report.gaps.push(Gap { from: *from, to: *to });
            }
        }
        Ok((self.batches, self.report))
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

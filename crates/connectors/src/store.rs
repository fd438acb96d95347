//! Where the rows of a load go: they stay in memory, or are written to Parquet files while reading goes on.
//!
//! A load that may use a folder holds rows in memory up to a limit; beyond it the largest table moves to a file and
//! grows there. Which table moves when depends on the rows alone, so every run of the same logs gives the same files.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use arrow::compute::BatchCoalescer;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use rayon::ThreadPool;
use tables::TableSchema;

use crate::LoadError;
use crate::table_file::{Finished, TableFile, free_path};

/// What the files being written may hold in memory together.
const FILES_MEMORY_MAX: usize = 256 << 20;

/// Where rows may go.
#[derive(Debug, Clone)]
pub(crate) enum Keep {
    Memory,
    /// In memory up to this many bytes, then in files of this folder.
    Spill {
        bytes: usize,
        folder: PathBuf,
    },
    /// In files of this folder.
    Files(PathBuf),
}

/// Makes files and knows the limits.
pub(crate) struct Store {
    keep: Keep,
    batch_rows: usize,
    threads: usize,
    pool: OnceLock<ThreadPool>,
    names: HashSet<String>,
}

/// The rows of one table so far.
pub(crate) struct Rows {
    name: String,
    /// None for rows that only this load reads again.
    schema: Option<TableSchema>,
    layout: SchemaRef,
    place: RowsPlace,
}

enum RowsPlace {
    Memory { coalescer: Box<BatchCoalescer>, batches: Vec<RecordBatch>, bytes: usize },
    File(Box<TableFile>),
}

/// All rows of one table.
pub(crate) enum Kept {
    Memory(Vec<RecordBatch>),
    Files(Vec<Finished>),
}

impl Store {
    pub(crate) fn new(keep: Keep, batch_rows: usize, threads: usize) -> Store {
        Store { keep, batch_rows, threads, pool: OnceLock::new(), names: HashSet::new() }
    }

    /// The threads that encode columns.
    pub(crate) fn pool(&self) -> Result<&ThreadPool, LoadError> {
        if let Some(pool) = self.pool.get() {
            return Ok(pool);
        }
        let made = rayon::ThreadPoolBuilder::new().num_threads(self.threads).build();
        let made = made.map_err(|error| LoadError::Bug(error.to_string()))?;
        Ok(self.pool.get_or_init(|| made))
    }

    /// The folder for what memory cannot hold.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match &self.keep {
            Keep::Memory => None,
            Keep::Spill { folder, .. } | Keep::Files(folder) => Some(folder),
        }
    }

    /// Room for the rows of a table that queries will read.
    pub(crate) fn rows(&mut self, name: &str, schema: &TableSchema, layout: &SchemaRef) -> Rows {
        self.made(name, Some(schema.clone()), layout)
    }

    /// Room for rows that are read once more before the load ends.
    pub(crate) fn drafts(&mut self, name: &str, layout: &SchemaRef) -> Rows {
        self.made(name, None, layout)
    }

    fn made(&mut self, name: &str, schema: Option<TableSchema>, layout: &SchemaRef) -> Rows {
        let coalescer = Box::new(BatchCoalescer::new(Arc::clone(layout), self.batch_rows));
        let place = RowsPlace::Memory { coalescer, batches: Vec::new(), bytes: 0 };
        let mut rows = Rows { name: name.to_owned(), schema, layout: Arc::clone(layout), place };
        if let Keep::Files(folder) = &self.keep {
            rows.place = RowsPlace::File(Box::new(rows.file(&folder.clone(), self)));
        }
        rows
    }

    /// Appends rows that take about so many bytes.
    pub(crate) fn push(&self, rows: &mut Rows, batch: RecordBatch, bytes: usize) -> Result<(), LoadError> {
        match &mut rows.place {
            RowsPlace::File(file) => file.push(batch, bytes, self.pool()?),
            RowsPlace::Memory { coalescer, batches, bytes: held } => {
                *held += bytes;
                coalescer.push_batch(batch).map_err(bug)?;
                while let Some(full) = coalescer.next_completed_batch() {
                    batches.push(full);
                }
                Ok(())
            }
        }
    }

    /// Keeps the tables together under the limits.
    pub(crate) fn settle<'a>(&mut self, all: impl Iterator<Item = &'a mut Rows>) -> Result<(), LoadError> {
        let mut all: Vec<&mut Rows> = all.collect();
        if let Keep::Spill { bytes, folder } = self.keep.clone() {
            while all.iter().map(|rows| rows.held()).sum::<usize>() > bytes
                && let Some(largest) = all.iter_mut().max_by_key(|rows| rows.held()).filter(|rows| rows.held() > 0)
            {
                self.spill(largest, &folder)?;
            }
        }
        while all.iter().map(|rows| rows.pages()).sum::<usize>() > FILES_MEMORY_MAX
            && let Some(largest) = all.iter_mut().max_by_key(|rows| rows.pages())
            && let RowsPlace::File(file) = &mut largest.place
        {
            file.end_group(self.pool()?)?;
        }
        Ok(())
    }

    fn spill(&mut self, rows: &mut Rows, folder: &Path) -> Result<(), LoadError> {
        let mut file = rows.file(folder, self);
        let empty = Box::new(BatchCoalescer::new(Arc::clone(&rows.layout), self.batch_rows));
        let before = RowsPlace::Memory { coalescer: empty, batches: Vec::new(), bytes: 0 };
        if let RowsPlace::Memory { coalescer, batches, .. } = std::mem::replace(&mut rows.place, before) {
            for batch in whole(*coalescer, batches)? {
                let bytes = batch.get_array_memory_size();
                file.push(batch, bytes, self.pool()?)?;
            }
        }
        rows.place = RowsPlace::File(Box::new(file));
        Ok(())
    }

    /// All rows, and whether they are in files.
    pub(crate) fn finish(&self, rows: Rows) -> Result<Kept, LoadError> {
        match rows.place {
            RowsPlace::Memory { coalescer, batches, .. } => Ok(Kept::Memory(whole(*coalescer, batches)?)),
            RowsPlace::File(file) => Ok(Kept::Files(file.finish(self.pool()?)?)),
        }
    }
}

impl Rows {
    fn file(&self, folder: &Path, store: &mut Store) -> TableFile {
        match &self.schema {
            Some(schema) => TableFile::new(free_path(folder, &self.name, &mut store.names), schema),
            None => {
                let path = free_path(folder, &format!("draft-{}", self.name), &mut store.names);
                TableFile::own(path, Arc::clone(&self.layout))
            }
        }
    }

    /// Bytes of rows in memory.
    fn held(&self) -> usize {
        match &self.place {
            RowsPlace::Memory { bytes, .. } => *bytes,
            RowsPlace::File(_) => 0,
        }
    }

    /// Bytes of a file that are not on disk yet.
    fn pages(&self) -> usize {
        match &self.place {
            RowsPlace::Memory { .. } => 0,
            RowsPlace::File(file) => file.memory(),
        }
    }
}

fn whole(mut coalescer: BatchCoalescer, mut batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>, LoadError> {
    coalescer.finish_buffered_batch().map_err(bug)?;
    while let Some(rest) = coalescer.next_completed_batch() {
        batches.push(rest);
    }
    Ok(batches)
}

fn bug(error: arrow::error::ArrowError) -> LoadError {
    LoadError::Bug(error.to_string())
}

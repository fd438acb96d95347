//! Raw logs to table rows: one file or folder per source that recognises, decodes and maps, with provenance.
//!
//! Files, folder trees, globs and standard input; plain, gzip and zstd; recognised by content. Nothing is dropped in
//! silence: every record is a row, or counted with its reason. Start at [`load`].
//!
//! ```no_run
//! let loaded = connectors::load(&["logs/".into()], &connectors::LoadOptions::default())?;
//! for (table, batches) in &loaded.tables {
//!     println!("{table}: {} rows", batches.iter().map(|batch| batch.num_rows()).sum::<usize>());
//! }
//! # Ok::<(), connectors::LoadError>(())
//! ```
//!
//! The way of a record: `input` opens files and inflates, `frames` cuts the text into records, `sources` recognises and
//! maps each to a `row`, `batch` turns rows into columns, `pipeline` runs files in parallel, and `merge` puts what
//! they give in the order of the paths, removes duplicates and numbers the places.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod batch;
mod blocks;
mod cache;
mod custom;
mod decode;
mod delimited;
mod error;
mod fields;
mod found;
mod frames;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod in_place;
mod input;
mod json;
mod lines;
mod merge;
mod options;
mod pipeline;
mod raw;
mod report;
mod result_table;
mod row;
mod schedule;
mod seen;
mod sources;
mod store;
mod suspicions;
mod table_file;
mod time;
mod written;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use store::Keep;
use tables::TableSchema;
use tempfile::TempDir;

pub use cache::{CacheOptions, CacheState, CacheUse, cache_state, clear_cache};
pub use error::LoadError;
pub use found::FoundRow;
pub use options::{CloudSettings, LoadOptions, Progress, ProgressCallback, SizeLimits};
pub use raw::{raw_record, raw_records};
pub use report::{Example, Gap, LoadReport, SourceReport, TableReport, Tally};
pub use sources::guide::{Export, SourceGuide};

/// Rows of the tables found, in the layout of `tables::arrow_schema`, and what became of every record.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// By table name; batches in the order of the sources' paths and of the records in them.
    pub tables: BTreeMap<String, Vec<RecordBatch>>,
    /// The schemas of these tables, and of those in `parquet` that are known.
    pub schemas: BTreeMap<String, TableSchema>,
    /// Parquet files that hold rows of a table: to be read in place.
    pub parquet: Vec<ParquetFile>,
    pub report: LoadReport,
    /// What was made of `LoadOptions::cache`; no part of the report, which is the same without one.
    pub cache: Option<CacheUse>,
    /// Opens the stores that the objects lie in once more.
    cloud: CloudSettings,
    /// Keeps the files of `parquet` that this load made because memory could not hold the rows.
    spilled: Option<Arc<TempDir>>,
}

/// A Parquet file whose name or columns say which table it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParquetFile {
    pub table: String,
    pub path: PathBuf,
    /// From the file's footer.
    pub rows: u64,
    /// The number of the source that the file itself is, for packed places; None when its rows have places of their own.
    pub source: Option<u32>,
}

impl Loaded {
    /// The raw record at a packed place (`tables::pack_source`), read again from where it lies.
    ///
    /// # Errors
    /// When the place is none of this load, the file is gone, or the record came from standard input or a Parquet file.
    pub fn raw_record(&self, place: i64) -> Result<String, LoadError> {
        let (source, record) = tables::unpack_source(place);
        let missing = LoadError::Place { source, record };
        match self.report.sources.get(source as usize) {
            Some(report) => raw::raw_record_with(report, record, &self.cloud).map_err(|error| match error {
                LoadError::Place { .. } => missing,
                other => other,
            }),
            None => Err(missing),
        }
    }

    /// Writes the tables as Parquet files with a manifest, so that loading the folder later needs no parsing and keeps
    /// the places of the records.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), LoadError> {
        written::save(self, folder)
    }
}

/// A time zone by its IANA name, or by its city alone; `None` for a name that is none.
pub fn zone(name: &str) -> Option<chrono_tz::Tz> {
    match time::Zone::named(name) {
        time::Zone::Utc => Some(chrono_tz::UTC),
        time::Zone::Named(zone) => Some(zone),
        time::Zone::Unknown => None,
    }
}

/// The names that `LoadOptions::source` may have.
pub fn source_names() -> Vec<&'static str> {
    sources::names().collect()
}

/// What is to be said of every source, in the order of the pages' names.
pub fn source_guides() -> Vec<SourceGuide> {
    sources::guide::all()
}

/// Reads everything under these paths (a file, a folder tree, a glob, `-` for standard input, and with the feature `cloud`
/// the address of objects in S3, Azure Blob Storage or Google Cloud Storage).
///
/// Only a path that does not exist, or a glob that matches nothing, is an error; a file that cannot be read is counted
/// in the report. Rows beyond `LoadOptions::memory_bytes` are written to files in a folder of their own, which is removed
/// with the last copy of what is returned.
///
/// # Errors
/// A path that does not exist, a store that cannot be listed, and failing to write what memory cannot hold.
pub fn load(paths: &[PathBuf], options: &LoadOptions) -> Result<Loaded, LoadError> {
    let Some(folder) = &options.spill_folder else {
        return pipeline::load(paths, options, Keep::Memory);
    };
    let made = tempfile::Builder::new().prefix("tidewatch-").tempdir_in(folder);
    let made = made.map_err(|source| LoadError::Io { path: folder.clone(), source })?;
    let keep = Keep::Spill { bytes: options.memory_bytes, folder: made.path().to_path_buf() };
    let mut loaded = pipeline::load(paths, options, keep)?;
    if loaded.parquet.iter().any(|file| file.path.starts_with(made.path())) {
        loaded.spilled = Some(Arc::new(made));
    }
    Ok(loaded)
}

/// As [`load`], but the rows go to a folder as they are read, in the form that [`Loaded::save`] writes; the memory used
/// does not grow with the logs. What is returned lists the files written.
///
/// # Errors
/// As [`load`], and when the folder cannot be written.
pub fn load_into(paths: &[PathBuf], options: &LoadOptions, folder: &Path) -> Result<Loaded, LoadError> {
    written::load_into(paths, options, folder)
}

//! Raw logs to table rows: one folder per source that recognises, decodes and maps, with provenance.
//!
//! Files, folder trees, globs and standard input; plain, gzip and zstd; recognised by content. Nothing is dropped in
//! silence: every record is a row, or counted with its reason. Start at [`load`].

use std::collections::BTreeMap;

use arrow::record_batch::RecordBatch;

/// Rows of one table, in the layout of `tables`: all schema columns, then `_ItemId`, `__ingestion`, `__source`.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    pub tables: BTreeMap<String, Vec<RecordBatch>>,
    pub report: LoadReport,
}

/// What was in the logs and what became of it.
#[derive(Debug, Clone, Default)]
pub struct LoadReport {
    /// Indexed by the source number in `tables::unpack_source`.
    pub sources: Vec<SourceReport>,
}

/// One file or archive member. `records` = rows + duplicates + undated + other + unreadable.
#[derive(Debug, Clone, Default)]
pub struct SourceReport {
    pub path: String,
    pub member: Option<String>,
    pub format: String,
    pub records: u64,
}

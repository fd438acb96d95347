//! What a load may use and how large things may be.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use chrono_tz::Tz;
use tables::SchemaSet;

use crate::cache::CacheOptions;

/// Told how far a load has come.
pub type ProgressCallback = Arc<dyn Fn(&Progress) + Send + Sync>;

/// How to load.
#[derive(Clone)]
pub struct LoadOptions {
    /// Threads that read and decode; None: the number of cores. The result does not depend on it.
    pub threads: Option<usize>,
    /// Tables to recognise and to give rows the columns of.
    pub schemas: SchemaSet,
    /// The source that every record is of, by name (see [`crate::source_names`]); None: told by content.
    pub source: Option<String>,
    /// The table that every record is a row of; one without a known schema gets the columns its rows have.
    pub table: Option<String>,
    /// The zone of times for which the log gives none that can be told; None: such times stay empty.
    pub zone: Option<Tz>,
    /// Ticks: files whose path gives a date outside these are not opened.
    pub from: Option<i64>,
    pub to: Option<i64>,
    pub limits: SizeLimits,
    /// Rows a batch has at most.
    pub batch_rows: usize,
    /// Rows take at most about so many bytes of memory when there is a `spill_folder`.
    pub memory_bytes: usize,
    /// Where a folder for rows beyond that may be made; None: all rows stay in memory.
    pub spill_folder: Option<PathBuf>,
    /// Where rows are kept so that files are not parsed again; None: nowhere.
    pub cache: Option<CacheOptions>,
    /// How object stores are reached.
    pub cloud: CloudSettings,
    /// Called after each source, from the thread that merges.
    pub progress: Option<ProgressCallback>,
}

/// Names and values as the clouds' own programs take them from the environment: `AWS_REGION`, `AZURE_STORAGE_ACCOUNT_KEY`,
/// `GOOGLE_APPLICATION_CREDENTIALS`... Values are secrets, and never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CloudSettings(Vec<(String, String)>);

impl CloudSettings {
    /// Those of the variables that speak of object stores.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> CloudSettings {
        const PREFIXES: &[&str] = &["AWS_", "AZURE_", "GOOGLE_", "STORAGE_EMULATOR_HOST"];
        let meant = |name: &str| PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        CloudSettings(variables.into_iter().filter(|(name, value)| meant(name) && !value.is_empty()).collect())
    }

    #[cfg(feature = "cloud")]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter()
    }
}

impl fmt::Debug for CloudSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Limits on what attackers could make large. All count bytes after inflating.
#[derive(Debug, Clone, Copy)]
pub struct SizeLimits {
    /// Of one file or archive member.
    pub source_bytes: u64,
    /// Of one record; a larger one is counted as unreadable.
    pub record_bytes: usize,
    /// Nesting of JSON.
    pub depth: usize,
    /// Members of one archive.
    pub archive_members: usize,
    /// How many times its size a file or an archive may inflate to, beyond `inflated_free` bytes.
    pub inflation: u64,
    /// Bytes that every file may inflate to.
    pub inflated_free: u64,
    /// Memory of what a decompressor looks back at; half of it inside another compression or an archive.
    pub dictionary: u64,
}

impl SizeLimits {
    /// For what lies inside: a compression, an archive.
    pub(crate) fn inside(&self) -> SizeLimits {
        SizeLimits { dictionary: self.dictionary / 2, ..*self }
    }

    /// What something of so many bytes may inflate to.
    pub(crate) fn inflated(&self, bytes: u64) -> u64 {
        bytes.saturating_mul(self.inflation).max(self.inflated_free).min(self.source_bytes)
    }
}

impl LoadOptions {
    /// True when content says what records are.
    pub(crate) fn is_open(&self) -> bool {
        self.source.is_none() && self.table.is_none()
    }
}

/// How far a load has come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    pub files_done: usize,
    pub files_total: usize,
    pub records: u64,
    pub bytes: u64,
}

impl Default for SizeLimits {
    fn default() -> SizeLimits {
        SizeLimits {
            source_bytes: 1 << 40,
            record_bytes: 16 << 20,
            depth: 1_000,
            archive_members: 100_000,
            inflation: 1_000,
            inflated_free: 1 << 30,
            dictionary: 128 << 20,
        }
    }
}

impl Default for LoadOptions {
    fn default() -> LoadOptions {
        LoadOptions {
            threads: None,
            schemas: SchemaSet::builtin(),
            source: None,
            table: None,
            zone: None,
            from: None,
            to: None,
            limits: SizeLimits::default(),
            batch_rows: 8_192,
            memory_bytes: 512 << 20,
            spill_folder: None,
            cache: None,
            cloud: CloudSettings::default(),
            progress: None,
        }
    }
}

impl fmt::Debug for LoadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadOptions")
            .field("threads", &self.threads)
            .field("source", &self.source)
            .field("table", &self.table)
            .field("from", &self.from)
            .field("to", &self.to)
            .field("limits", &self.limits)
            .field("batch_rows", &self.batch_rows)
            .field("memory_bytes", &self.memory_bytes)
            .field("spill_folder", &self.spill_folder)
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

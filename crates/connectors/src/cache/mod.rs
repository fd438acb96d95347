//! Rows of files read before: a second load of the same folder parses only what is new.
//!
//! An entry holds what one file gave before duplicates were looked for, so that putting the files together gives the
//! same rows and the same account as reading them would. It is found by everything that decides what a file gives
//! (this program, the options, the path) and taken only while the file's size and times are those it had. Writers put
//! whole files in place, so that several processes may share a folder; an entry that does not add up is remade.

mod entry;
mod folder;
mod rows;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use crate::decode::Decoded;
use crate::input::{Input, path_date};
use crate::options::LoadOptions;
use crate::report::SourceReport;
use crate::sources::Maps;
use entry::{Opened, Writer};

pub(crate) use entry::Kept;
pub use folder::{CacheState, cache_state, clear_cache};

/// Of the code and data that decide what a log gives; made when the program is built.
const PROGRAM: &str = env!("TIDEWATCH_ROWS");
/// Ends the names of entries.
const EXTENSION: &str = ".tidewatch-rows";
/// Begins the names of entries being written.
const GROWING: &str = ".growing-";
/// A file that was written this long before the load began is told from a later state by its times.
const SETTLED: Duration = Duration::from_secs(2);
/// An entry is marked as used once in this time.
const MARKED_EVERY: Duration = Duration::from_secs(3_600);

/// Where rows are kept between loads.
#[derive(Debug, Clone)]
pub struct CacheOptions {
    /// Made, for its owner alone, when it does not exist.
    pub folder: PathBuf,
    /// Bytes that all entries may take together; the oldest go first.
    pub bytes_max: u64,
    /// Keep everything until the load is over, so that it can be resumed whatever its size; the limit holds at the end.
    pub keep_all: bool,
    /// When the load begins. Files written in the two seconds before are read but not kept: a change in the same moment
    /// could not be told.
    pub now: SystemTime,
}

/// What a load made of its cache.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheUse {
    pub folder: PathBuf,
    /// Files whose rows were there.
    pub reused: u64,
    /// Files that were read and kept.
    pub kept: u64,
    /// Entries that were damaged, and made again.
    pub damaged: u64,
    /// Why nothing (more) could be kept.
    pub failed: Option<String>,
}

/// The cache during one load.
pub(crate) struct Cache {
    options: CacheOptions,
    /// Of everything but the file that decides what a file gives.
    how: Sha256,
    /// True when times asked for decide which members of an archive are opened.
    has_times: bool,
    reused: AtomicU64,
    kept: AtomicU64,
    kept_bytes: AtomicU64,
    damaged: AtomicU64,
    stopped: AtomicBool,
    failed: std::sync::Mutex<Option<String>>,
}

/// A file that may have an entry.
pub(crate) struct Known {
    input: Input,
    path: PathBuf,
    identity: String,
}

/// An entry being made while its file is read.
pub(crate) struct Keeping {
    known: Known,
    writer: Writer,
    has_dates: bool,
}

impl Cache {
    pub(crate) fn new(options: &CacheOptions, load: &LoadOptions) -> Cache {
        let cache = Cache {
            options: options.clone(),
            how: how(load),
            has_times: load.from.is_some() || load.to.is_some(),
            reused: AtomicU64::new(0),
            kept: AtomicU64::new(0),
            kept_bytes: AtomicU64::new(0),
            damaged: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            failed: std::sync::Mutex::default(),
        };
        if let Err(error) = folder::make(&options.folder) {
            cache.fail(&error);
        }
        cache
    }

    /// Keeps nothing more: disks fill up, and no load fails for that.
    fn fail(&self, error: &std::io::Error) {
        self.stopped.store(true, Ordering::Relaxed);
        let mut failed = self.failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        failed.get_or_insert_with(|| error.to_string());
    }

    /// The place and the identity of a file; None for what has no lasting one.
    pub(crate) fn known(&self, input: &Input) -> Option<Known> {
        let identity = identity(input)?;
        let mut name = self.how.clone();
        for part in [input.name().as_bytes(), input.real_name()?.as_bytes()] {
            name.update((part.len() as u64).to_le_bytes());
            name.update(part);
        }
        let name = name.finalize().iter().take(16).fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        let (shard, rest) = name.split_at(2);
        let path = self.options.folder.join(shard).join(format!("{rest}{EXTENSION}"));
        Some(Known { input: input.clone(), path, identity })
    }

    /// The entry of the file as it is now.
    pub(crate) fn open(&self, known: &Known) -> Option<Entry> {
        let reader = match entry::open(&known.path, &known.identity) {
            Opened::Entry(reader) if !(reader.has_dates && self.has_times) => reader,
            Opened::Damaged => {
                self.damaged.fetch_add(1, Ordering::Relaxed);
                // What stays is found damaged again.
                let _ = fs::remove_file(&known.path);
                return None;
            }
            Opened::Entry(_) | Opened::Nothing => return None,
        };
        self.reused.fetch_add(1, Ordering::Relaxed);
        self.mark(&known.path);
        Some(Entry(reader))
    }

    /// Notes that the entry was used.
    fn mark(&self, path: &Path) {
        let modified = path.metadata().and_then(|metadata| metadata.modified());
        if modified.is_ok_and(|modified| modified + MARKED_EVERY < self.options.now)
            && let Ok(file) = fs::File::options().append(true).open(path)
        {
            // An entry that cannot be marked goes earlier.
            let _ = file.set_modified(self.options.now);
        }
    }

    /// Begins an entry; None when there is to be none.
    pub(crate) fn keep(&self, known: Known) -> Option<Keeping> {
        let settled = known.input.modified().is_none_or(|modified| modified + SETTLED <= self.options.now);
        if self.stopped.load(Ordering::Relaxed) || !settled || self.is_full(0) {
            return None;
        }
        let folder = known.path.parent()?;
        let made = fs::create_dir_all(folder).and_then(|()| Writer::new(folder, &known.identity));
        match made {
            Ok(writer) => Some(Keeping { known, writer, has_dates: false }),
            Err(error) => {
                self.fail(&error);
                None
            }
        }
    }

    /// True when so many bytes more would be beyond the limit.
    fn is_full(&self, more: u64) -> bool {
        !self.options.keep_all && self.kept_bytes.load(Ordering::Relaxed) + more >= self.options.bytes_max
    }

    /// Goes on with an entry: what `write` says of one message. None ends the entry.
    pub(crate) fn message(
        &self,
        keeping: Option<Keeping>,
        write: impl FnOnce(&mut Keeping) -> Option<std::io::Result<()>>,
    ) -> Option<Keeping> {
        let mut keeping = keeping?;
        match write(&mut keeping)? {
            Ok(()) if self.is_full(keeping.writer.bytes) => None,
            Ok(()) => Some(keeping),
            Err(error) => {
                self.fail(&error);
                None
            }
        }
    }

    /// Ends an entry: it is there from now on, unless the file has changed since it was opened.
    pub(crate) fn end(&self, keeping: Keeping) {
        let Keeping { known, writer, has_dates } = keeping;
        if identity(&known.input).as_deref() != Some(&known.identity) {
            return;
        }
        match writer.finish(&known.path, has_dates) {
            Ok(bytes) => {
                self.kept.fetch_add(1, Ordering::Relaxed);
                self.kept_bytes.fetch_add(bytes, Ordering::Relaxed);
            }
            Err(error) => self.fail(&error),
        }
    }

    /// Brings the folder under its limit.
    pub(crate) fn finish(self) -> CacheUse {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        if count(&self.kept) > 0 || self.options.keep_all {
            folder::shrink(&self.options);
        }
        CacheUse {
            reused: count(&self.reused),
            kept: count(&self.kept),
            damaged: count(&self.damaged),
            failed: self.failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner),
            folder: self.options.folder,
        }
    }
}

impl Keeping {
    pub(crate) fn start(&mut self, plausible_max: i64) -> Option<std::io::Result<()>> {
        Some(self.writer.start(plausible_max))
    }

    /// Rows in the form that [`written`] gives.
    pub(crate) fn rows(&mut self, written: Option<&[u8]>) -> Option<std::io::Result<()>> {
        Some(self.writer.rows(written?))
    }

    /// A source that was not read to its end is tried again; so is an archive of which members were left out.
    pub(crate) fn source(&mut self, report: &SourceReport) -> Option<std::io::Result<()>> {
        if report.stopped.is_some() || report.outside > 0 {
            return None;
        }
        self.has_dates |= report.member.as_deref().is_some_and(|member| path_date::of(member).is_some());
        Some(self.writer.end(report))
    }
}

/// What was kept of a file.
pub(crate) struct Entry(Box<entry::Reader>);

impl Entry {
    /// The next message; None after the last.
    ///
    /// # Errors
    /// When the entry was changed after it was checked.
    pub(crate) fn next(&mut self, maps: &Maps) -> std::io::Result<Option<Kept>> {
        self.0.next(maps)
    }
}

/// Rows as an entry keeps them.
pub(crate) fn written(decoded: &Decoded) -> Option<Vec<u8>> {
    rows::written(decoded)
}

/// Everything but the file that decides what a file gives.
fn how(load: &LoadOptions) -> Sha256 {
    let LoadOptions { schemas, source, table, zone, limits, batch_rows, .. } = load;
    let mut hash = Sha256::new();
    hash.update(PROGRAM);
    hash.update(format!("{source:?} {table:?} {zone:?} {limits:?} {batch_rows} {schemas:?}"));
    hash
}

/// What changes when the file does.
fn identity(input: &Input) -> Option<String> {
    let path = match input {
        Input::File(path) => path,
        Input::Standard => return None,
        #[cfg(feature = "cloud")]
        Input::Object(object) => {
            return Some(format!("{} bytes, tag {}, written {:?}", object.size, object.tag, object.modified));
        }
    };
    let metadata = path.metadata().ok().filter(fs::Metadata::is_file)?;
    let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let mut identity =
        format!("{} bytes, written {}.{:09}", metadata.len(), modified.as_secs(), modified.subsec_nanos());
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        // Nobody can set this one.
        let _ = write!(identity, ", changed {}.{:09}", metadata.ctime(), metadata.ctime_nsec());
    }
    Some(identity)
}

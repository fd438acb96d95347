//! The folder of a cache: made for its owner alone, measured, emptied, kept under its limit.
//!
//! Only files that a cache wrote are ever counted or removed, whatever else lies in the folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{CacheOptions, EXTENSION, GROWING};
use crate::LoadError;

/// An entry that grows belongs to a load that was ended by force when it is older than this.
const GROWING_MAX: Duration = Duration::from_secs(24 * 3_600);
/// What backup programs look for.
const TAG: &str = "CACHEDIR.TAG";
const TAG_TEXT: &str = "Signature: 8a477f597d28d172789f06886806bc55\n# Rows of logs, kept by tidewatch so that they need not be parsed again.\n";

/// What a cache takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheState {
    /// Files whose rows are kept.
    pub entries: u64,
    pub bytes: u64,
}

struct Found {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
    growing: bool,
}

/// Makes the folder.
pub(super) fn make(folder: &Path) -> io::Result<()> {
    if !folder.is_dir() {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt;
            builder.mode(0o700);
        }
        builder.create(folder)?;
    }
    let tag = folder.join(TAG);
    if !tag.exists() {
        fs::write(tag, TAG_TEXT)?;
    }
    Ok(())
}

/// How much a cache holds; nothing when there is no such folder.
pub fn cache_state(folder: &Path) -> CacheState {
    let found = found(folder);
    CacheState {
        entries: found.iter().filter(|found| !found.growing).count() as u64,
        bytes: found.iter().map(|found| found.bytes).sum(),
    }
}

/// Removes everything that a cache holds; gives what it held.
///
/// # Errors
/// When a file cannot be removed.
pub fn clear_cache(folder: &Path) -> Result<CacheState, LoadError> {
    let state = cache_state(folder);
    for found in found(folder) {
        remove(&found.path).map_err(|source| LoadError::Io { path: found.path.clone(), source })?;
        if let Some(shard) = found.path.parent() {
            // It stays while anything else lies in it.
            let _ = fs::remove_dir(shard);
        }
    }
    Ok(state)
}

/// Another process may have been there first.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Removes what was not used for longest until the rest is under the limit, and what loads left that were ended by force.
pub(super) fn shrink(options: &CacheOptions) {
    let (growing, mut whole): (Vec<Found>, Vec<Found>) =
        found(&options.folder).into_iter().partition(|found| found.growing);
    for left in growing.iter().filter(|found| found.used + GROWING_MAX < options.now) {
        let _ = remove(&left.path);
    }
    whole.sort_by(|a, b| (a.used, &a.path).cmp(&(b.used, &b.path)));
    let mut bytes: u64 = whole.iter().map(|found| found.bytes).sum();
    for oldest in whole {
        if bytes <= options.bytes_max {
            break;
        }
        if remove(&oldest.path).is_ok() {
            bytes -= oldest.bytes;
        }
    }
}

/// The entries, in folders named by two hexadecimal digits.
fn found(folder: &Path) -> Vec<Found> {
    let names = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().collect::<Vec<_>>();
    let mut all = Vec::new();
    for shard in names(folder) {
        let name = shard.file_name();
        let is_shard = name.len() == 2 && name.to_string_lossy().bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_shard {
            continue;
        }
        for entry in names(&shard.path()) {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let (true, Ok(metadata)) = (name.ends_with(EXTENSION), entry.metadata())
                && metadata.is_file()
            {
                all.push(Found {
                    path: entry.path(),
                    bytes: metadata.len(),
                    used: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                    growing: name.starts_with(GROWING),
                });
            }
        }
    }
    all
}

//! Where rows of logs are kept between runs, and what is said of it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Result;
use connectors::{CacheOptions, Loaded, cache_state};
use indicatif::HumanBytes;

use crate::args::LogArgs;
use crate::session;
use crate::terminal::counted;

/// Names a folder, or says `off`.
const VARIABLE: &str = "TIDEWATCH_CACHE";

/// The cache that a command line asks for.
///
/// # Errors
/// A limit that is no size.
pub fn of_args(args: &LogArgs) -> Result<Option<CacheOptions>> {
    let bytes_max = session::parse_size("--cache-limit", &args.cache_limit)? as u64;
    Ok(folder(args.cache.as_deref()).map(|folder| options(folder, bytes_max)))
}

fn options(folder: PathBuf, bytes_max: u64) -> CacheOptions {
    CacheOptions { folder, bytes_max, keep_all: false, now: SystemTime::now() }
}

/// The folder asked for by name, by the variable, or the usual one; None when it is off.
pub fn folder(asked: Option<&Path>) -> Option<PathBuf> {
    let asked = asked.map(|path| path.as_os_str().to_owned()).or_else(|| set(VARIABLE));
    match asked {
        Some(asked) if asked == "off" => None,
        Some(asked) => Some(PathBuf::from(asked)),
        None => usual(),
    }
}

/// The value of a variable that is set and not empty.
fn set(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// What the platform's programs use.
fn usual() -> Option<PathBuf> {
    let in_home = |path: &str| set("HOME").map(|home| Path::new(&home).join(path));
    if cfg!(windows) {
        return set("LOCALAPPDATA").map(|folder| Path::new(&folder).join("tidewatch").join("cache"));
    }
    if cfg!(target_os = "macos") {
        return in_home("Library/Caches/tidewatch");
    }
    // A relative path is to be ignored, says the XDG base directory specification.
    let xdg = set("XDG_CACHE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    xdg.map(|folder| folder.join("tidewatch")).or_else(|| in_home(".cache/tidewatch"))
}

/// `cache: 10 of 12 files not parsed again; /home/ann/.cache/tidewatch holds 3 MB`; None when nothing is kept.
pub fn line(loaded: &Loaded) -> Option<String> {
    let used = loaded.cache.as_ref()?;
    let state = cache_state(&used.folder);
    let mut parts = vec![format!("{} taken from it, {} added", counted(used.reused, "file"), used.kept)];
    if used.damaged > 0 {
        parts.push(format!("{} damaged and made again", used.damaged));
    }
    if let Some(reason) = &used.failed {
        parts.push(format!("nothing could be kept: {reason}"));
    }
    let held = format!("{} holds {}", used.folder.display(), HumanBytes(state.bytes));
    Some(format!("cache: {}; {held} (--cache off does without)", parts.join(", ")))
}

/// What an interrupted run left to this one.
pub fn resumed(loaded: &Loaded) -> String {
    match loaded.cache.as_ref().map_or(0, |used| used.reused) {
        0 => "resumed: nothing had been read before".to_owned(),
        files => format!("resumed: {} had been read before", counted(files, "file")),
    }
}

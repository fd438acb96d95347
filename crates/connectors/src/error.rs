//! Why a load could not be done at all. What is wrong with single files and records is in the report instead.

use std::fmt;
use std::path::PathBuf;

#[derive(Debug)]
pub enum LoadError {
    /// A path or glob that names nothing.
    NotFound(PathBuf),
    /// A glob that cannot be read as one.
    Pattern { pattern: String, reason: String },
    /// Reading or writing failed.
    Io { path: PathBuf, source: std::io::Error },
    /// A written form that this version cannot read.
    Written { path: PathBuf, reason: String },
    /// `LoadOptions::source` names none.
    Source(String),
    /// `LoadOptions::table` is no name of a table.
    Table(String),
    /// A place that no loaded record has.
    Place { source: u32, record: u64 },
    /// An address of an object store that says too little, or a store that cannot be listed.
    Cloud(String),
    /// An invariant broke: to be reported.
    Bug(String),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::NotFound(path) => write!(f, "no such file or folder: {}", path.display()),
            LoadError::Pattern { pattern, reason } => write!(f, "not a pattern of paths: {pattern}: {reason}"),
            LoadError::Io { path, source } => write!(f, "{}: {source}", path.display()),
            LoadError::Written { path, reason } => {
                write!(f, "{}: not a folder of loaded tables: {reason}", path.display())
            }
            LoadError::Source(name) => write!(f, "no such source: {name}; known: {}", crate::source_names().join(", ")),
            LoadError::Table(name) => {
                write!(f, "not a name of a table: {name}; a known table, or letters, digits and _ ending in _CL")
            }
            LoadError::Place { source, record } => write!(f, "no record {record} in source {source}"),
            LoadError::Cloud(reason) => f.write_str(reason),
            LoadError::Bug(what) => write!(f, "internal error, please report: {what}"),
        }
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LoadError::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

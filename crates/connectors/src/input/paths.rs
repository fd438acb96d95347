//! The files under the given paths, each once, in an order that depends on their names alone.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
#[cfg(feature = "cloud")]
use std::sync::Arc;
use std::time::SystemTime;

#[cfg(feature = "cloud")]
use super::object::Object;
use super::url::{self, ObjectUrl};
use crate::LoadError;
use crate::options::CloudSettings;

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    File(PathBuf),
    /// `-`
    Standard,
    /// In S3, Azure Blob Storage or Google Cloud Storage.
    #[cfg(feature = "cloud")]
    Object(Arc<Object>),
}

impl Input {
    /// As reports name it, with forward slashes.
    pub(crate) fn name(&self) -> String {
        match self {
            Input::File(path) => path.to_string_lossy().replace('\\', "/"),
            Input::Standard => "-".to_owned(),
            #[cfg(feature = "cloud")]
            Input::Object(object) => object.name.clone(),
        }
    }

    /// The one name that the file has from everywhere; None for what has none.
    pub(crate) fn real_name(&self) -> Option<String> {
        match self {
            Input::File(path) => path.canonicalize().ok().map(|path| path.to_string_lossy().into_owned()),
            Input::Standard => None,
            #[cfg(feature = "cloud")]
            Input::Object(object) => Some(object.name.clone()),
        }
    }

    /// When it was last written.
    pub(crate) fn modified(&self) -> Option<SystemTime> {
        match self {
            Input::File(path) => path.metadata().and_then(|metadata| metadata.modified()).ok(),
            Input::Standard => None,
            #[cfg(feature = "cloud")]
            Input::Object(object) => Some(object.modified),
        }
    }

    /// Bytes, as far as they are known before reading.
    pub(crate) fn size(&self) -> Option<u64> {
        match self {
            Input::File(path) => path.metadata().ok().map(|metadata| metadata.len()),
            Input::Standard => None,
            #[cfg(feature = "cloud")]
            Input::Object(object) => Some(object.size),
        }
    }

    /// The bytes from the beginning.
    pub(crate) fn read(&self) -> io::Result<Box<dyn Read>> {
        Ok(match self {
            Input::File(path) => Box::new(File::open(path)?),
            Input::Standard => Box::new(io::stdin()),
            #[cfg(feature = "cloud")]
            Input::Object(object) => Box::new(super::object::ObjectReader::open(object)?),
        })
    }
}

/// Files, trees and globs to files: in the order of the arguments, sorted by name within each.
///
/// Names that begin with a dot are left out of trees (a file given by name is always read). A file reached twice is
/// read once.
pub(crate) fn expand(paths: &[PathBuf], settings: &CloudSettings) -> Result<Vec<Input>, LoadError> {
    let mut walk = Walk::default();
    for path in paths {
        if let Some(url) = path.to_str().and_then(url::parse) {
            walk.objects(&url.map_err(LoadError::Cloud)?, settings)?;
        } else if path.as_os_str() == "-" {
            if !walk.inputs.contains(&Input::Standard) {
                walk.inputs.push(Input::Standard);
            }
        } else if path.is_dir() {
            walk.tree(path)?;
        } else if path.exists() {
            walk.file(path);
        } else {
            walk.pattern(path)?;
        }
    }
    Ok(walk.inputs)
}

/// What a report names so, to be read again.
pub(crate) fn of_name(name: &str, settings: &CloudSettings) -> Result<Input, LoadError> {
    match url::parse(name) {
        None => Ok(Input::File(PathBuf::from(name))),
        Some(url) => {
            let mut walk = Walk::default();
            walk.objects(&url.map_err(LoadError::Cloud)?, settings)?;
            walk.inputs.pop().ok_or_else(|| LoadError::NotFound(name.into()))
        }
    }
}

#[derive(Default)]
struct Walk {
    inputs: Vec<Input>,
    seen: HashSet<PathBuf>,
}

impl Walk {
    /// False when the real place was seen before, under whatever name.
    fn enter(&mut self, path: &Path) -> bool {
        let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        self.seen.insert(real)
    }

    #[cfg(feature = "cloud")]
    fn objects(&mut self, url: &ObjectUrl, settings: &CloudSettings) -> Result<(), LoadError> {
        for object in super::object::list(url, settings)? {
            if self.seen.insert(PathBuf::from(&object.name)) {
                self.inputs.push(Input::Object(Arc::new(object)));
            }
        }
        Ok(())
    }

    #[cfg(not(feature = "cloud"))]
    #[expect(clippy::unused_self, reason = "as in builds that read object stores")]
    fn objects(&mut self, url: &ObjectUrl, _settings: &CloudSettings) -> Result<(), LoadError> {
        Err(LoadError::Cloud(format!(
            "{}: this build reads no object stores; build one that does with `cargo build --release --features cloud`",
            url.bucket.address(&url.key)
        )))
    }

    fn file(&mut self, path: &Path) {
        if self.enter(path) {
            self.inputs.push(Input::File(path.to_path_buf()));
        }
    }

    fn tree(&mut self, folder: &Path) -> Result<(), LoadError> {
        let failed = |source| LoadError::Io { path: folder.to_path_buf(), source };
        // Links may lead back up: a folder is entered once.
        let mut open = vec![folder.to_path_buf()];
        let mut entered = HashSet::new();
        let mut first = true;
        let mut files = Vec::new();
        while let Some(folder) = open.pop() {
            if !entered.insert(folder.canonicalize().unwrap_or_else(|_| folder.clone())) {
                continue;
            }
            let entries = match std::fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if first => return Err(failed(error)),
                Err(_) => {
                    files.push(folder);
                    continue;
                }
            };
            first = false;
            for entry in entries.flatten() {
                let path = entry.path();
                if entry.file_name().to_string_lossy().starts_with('.') {
                    continue;
                }
                if path.is_dir() { open.push(path) } else { files.push(path) }
            }
        }
        files.sort();
        for file in files {
            self.file(&file);
        }
        Ok(())
    }

    fn pattern(&mut self, path: &Path) -> Result<(), LoadError> {
        let pattern = path.to_string_lossy();
        if !pattern.contains(['*', '?', '[']) {
            return Err(LoadError::NotFound(path.to_path_buf()));
        }
        let dots = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
        let matches = glob::glob_with(&pattern, dots)
            .map_err(|error| LoadError::Pattern { pattern: pattern.clone().into_owned(), reason: error.to_string() })?;
        let mut any = false;
        for found in matches.flatten() {
            any = true;
            if found.is_dir() { self.tree(&found)? } else { self.file(&found) }
        }
        if any { Ok(()) } else { Err(LoadError::NotFound(path.to_path_buf())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_sorted_and_files_come_once() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["b/2.json", "b/1.json", "a.json", ".hidden/x.json", "c/.x"] {
            std::fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            std::fs::write(root.join(name), "").unwrap();
        }
        let names = |paths: &[PathBuf]| -> Vec<String> {
            let found = expand(paths, &CloudSettings::default()).unwrap();
            found.iter().map(|input| input.name().trim_start_matches(root.to_str().unwrap()).to_owned()).collect()
        };
        assert_eq!(names(&[root.to_path_buf()]), ["/a.json", "/b/1.json", "/b/2.json"]);
        assert_eq!(names(&[root.join("b/2.json"), root.join("b")]), ["/b/2.json", "/b/1.json"]);
        assert_eq!(names(&[root.join("*/?.json")]), ["/b/1.json", "/b/2.json"]);
        assert_eq!(names(&["-".into()]), ["-"]);
        let refused = |path: PathBuf| expand(&[path], &CloudSettings::default()).unwrap_err();
        assert!(matches!(refused(root.join("none")), LoadError::NotFound(_)));
        assert!(matches!(refused(root.join("*.csv")), LoadError::NotFound(_)));
        assert!(matches!(refused(root.join("[")), LoadError::Pattern { .. }));
        assert!(refused("s3://".into()).to_string().contains("expected s3://BUCKET/PREFIX"));
        if cfg!(not(feature = "cloud")) {
            let said = refused("s3://bucket/x".into()).to_string();
            assert!(said.starts_with("s3://bucket/x: ") && said.contains("--features cloud"), "{said}");
        }
    }
}

//! The files under the given paths, each once, in an order that depends on their names alone.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::LoadError;

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    File(PathBuf),
    /// `-`
    Standard,
}

impl Input {
    /// As reports name it, with forward slashes.
    pub(crate) fn name(&self) -> String {
        match self {
            Input::File(path) => path.to_string_lossy().replace('\\', "/"),
            Input::Standard => "-".to_owned(),
        }
    }
}

/// Files, trees and globs to files: in the order of the arguments, sorted by name within each.
///
/// Names that begin with a dot are left out of trees (a file given by name is always read). A file reached twice is
/// read once.
pub(crate) fn expand(paths: &[PathBuf]) -> Result<Vec<Input>, LoadError> {
    let mut walk = Walk::default();
    for path in paths {
        if path.as_os_str() == "-" {
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
            let found = expand(paths).unwrap();
            found.iter().map(|input| input.name().trim_start_matches(root.to_str().unwrap()).to_owned()).collect()
        };
        assert_eq!(names(&[root.to_path_buf()]), ["/a.json", "/b/1.json", "/b/2.json"]);
        assert_eq!(names(&[root.join("b/2.json"), root.join("b")]), ["/b/2.json", "/b/1.json"]);
        assert_eq!(names(&[root.join("*/?.json")]), ["/b/1.json", "/b/2.json"]);
        assert_eq!(names(&["-".into()]), ["-"]);
        assert!(matches!(expand(&[root.join("none")]), Err(LoadError::NotFound(_))));
        assert!(matches!(expand(&[root.join("*.csv")]), Err(LoadError::NotFound(_))));
        assert!(matches!(expand(&[root.join("[")]), Err(LoadError::Pattern { .. })));
    }
}

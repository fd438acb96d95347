//! Style as a test: what can be said of the layout of the sources without compiling them.
//!
//! [`source`] checks Rust files, [`manifest`] who may depend on whom, [`pages`] the Markdown. A file that is only data says
//! so with `tidy: data` in its module comment and may be as long as it likes.

mod manifest;
mod pages;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Checks all rules and prints every breach.
pub fn run() -> anyhow::Result<()> {
    let breaches = breaches(&root())?;
    for breach in &breaches {
        println!("tidy: {breach}");
    }
    if !breaches.is_empty() {
        bail!("{} tidy breaches", breaches.len());
    }
    println!("tidy: ok");
    Ok(())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn breaches(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut breaches = Vec::new();
    for (shown, text) in texts(root, &["crates", "fuzz", "xtask"], "rs")? {
        breaches.extend(source::breaches(&shown, &text));
    }
    breaches.extend(manifest::breaches(root)?);
    breaches.extend(pages::breaches(root)?);
    Ok(breaches)
}

/// Files below these folders with this extension: path from the root, and text.
fn texts(root: &Path, folders: &[&str], extension: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    let mut pending: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                if path.file_name().is_none_or(|name| name != "target") {
                    pending.push(path);
                }
            } else if path.extension().is_some_and(|own| own == extension) {
                let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
                let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
                files.push((shown, text));
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_is_tidy() {
        assert_eq!(breaches(&root()).map_err(|error| error.to_string()), Ok(Vec::new()));
    }
}

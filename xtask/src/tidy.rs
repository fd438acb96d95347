//! Style as a test: sizes of files and functions, module comments, forbidden module names, dependencies that only
//! point upwards.
//!
//! Limits: a file has at most 1,000 lines without its tests, a function at most 100. Files that are only data say so
//! with `tidy: data` in their module comment.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

const FILE_LINES_MAX: usize = 1_000;
const FUNCTION_LINES_MAX: usize = 100;
const FORBIDDEN_NAMES: [&str; 6] = ["utils", "helpers", "common", "misc", "manager", "base"];

/// The crates from the lowest layer to the highest: a crate may depend only on earlier ones.
const LAYERS: [&str; 14] = [
    "kql-syntax",
    "kql-types",
    "kql-functions",
    "kql-semantics",
    "kql-plan",
    "kql-exec",
    "tables",
    "scan",
    "engine",
    "connectors",
    "detections",
    "demo",
    "cli",
    "xtask",
];

/// Crates that must not see these libraries, directly.
const BLIND: [(&str, &[&str]); 3] = [
    ("kql-syntax", &["arrow", "datafusion", "parquet"]),
    ("kql-types", &["arrow", "datafusion", "parquet"]),
    ("kql-semantics", &["arrow", "datafusion", "parquet"]),
];

/// Checks all rules and prints every breach.
pub fn run() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut breaches = Vec::new();
    for file in sources(&root)? {
        let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        let shown = file.strip_prefix(&root).unwrap_or(&file).display().to_string();
        breaches.extend(file_breaches(&shown, &text));
    }
    breaches.extend(dependency_breaches(&root)?);
    for breach in &breaches {
        println!("tidy: {breach}");
    }
    if !breaches.is_empty() {
        bail!("{} tidy breaches", breaches.len());
    }
    println!("tidy: ok");
    Ok(())
}

fn sources(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut pending = vec![root.join("crates"), root.join("xtask")];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                if path.file_name().is_none_or(|name| name != "target") {
                    pending.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn file_breaches(shown: &str, text: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    if !lines.first().is_some_and(|line| line.starts_with("//!") || line.starts_with("#![")) {
        breaches.push(format!("{shown}: does not open with a module comment (`//!`)"));
    }
    let stem = Path::new(shown).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if FORBIDDEN_NAMES.contains(&stem) {
        breaches.push(format!("{shown}: name the module for the thing it holds, not `{stem}`"));
    }
    let is_data = lines.iter().take(12).any(|line| line.contains("tidy: data"));
    let is_test = shown.contains("/tests/");
    let code_end = lines.iter().position(|line| line.trim() == "mod tests {").unwrap_or(lines.len());
    if !is_data && !is_test && code_end > FILE_LINES_MAX {
        breaches.push(format!("{shown}: {code_end} lines without tests (at most {FILE_LINES_MAX})"));
    }
    if !is_data && !is_test {
        breaches.extend(function_breaches(shown, &lines[..code_end]));
    }
    breaches
}

/// Finds functions by rustfmt's layout: `fn` at some indent, its closing brace alone at the same indent.
fn function_breaches(shown: &str, lines: &[&str]) -> Vec<String> {
    let mut breaches = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let indent = line.len() - trimmed.len();
        let Some(name) = function_name(trimmed) else { continue };
        let close = format!("{}}}", " ".repeat(indent));
        let Some(length) = lines[start..].iter().position(|candidate| *candidate == close) else { continue };
        if length + 1 > FUNCTION_LINES_MAX && !lines[start].ends_with(';') {
            breaches.push(format!(
                "{shown}:{}: function `{name}` has {} lines (at most {FUNCTION_LINES_MAX})",
                start + 1,
                length + 1
            ));
        }
    }
    breaches
}

fn function_name(line: &str) -> Option<&str> {
    let mut rest = line;
    for prefix in ["pub(crate) ", "pub(super) ", "pub ", "const ", "async ", "unsafe "] {
        rest = rest.strip_prefix(prefix).unwrap_or(rest);
    }
    let rest = rest.strip_prefix("fn ")?;
    Some(rest.split(['(', '<']).next().unwrap_or(rest))
}

fn dependency_breaches(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut breaches = Vec::new();
    for (layer, name) in LAYERS.iter().enumerate() {
        let folder = if *name == "xtask" { root.join("xtask") } else { root.join("crates").join(name) };
        let manifest = folder.join("Cargo.toml");
        let text = fs::read_to_string(&manifest).with_context(|| format!("reading {}", manifest.display()))?;
        for dependency in dependencies(&text) {
            if let Some(other) = LAYERS.iter().position(|candidate| *candidate == dependency)
                && other >= layer
            {
                breaches.push(format!("{name} depends on {dependency}, which is not below it"));
            }
            for (blind, hidden) in BLIND {
                if blind == *name && hidden.contains(&dependency.as_str()) {
                    breaches.push(format!("{name} must not know {dependency}"));
                }
            }
        }
    }
    Ok(breaches)
}

/// Names under `[dependencies]` of a manifest.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut inside = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.trim() == "[dependencies]";
        } else if inside && let Some(name) = line.split(['.', '=', ' ']).next().filter(|name| !name.is_empty()) {
            names.push(name.to_string());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_functions_and_missing_comments_are_found() {
        let body = "    let x = 1;\n".repeat(120);
        let text = format!("fn long() {{\n{body}}}\n");
        let breaches = file_breaches("crates/a/src/utils.rs", &text);
        assert_eq!(breaches.len(), 3, "{breaches:?}");
        assert!(file_breaches("crates/a/src/b.rs", "//! Says.\nfn short() {\n}\n").is_empty());
    }

    #[test]
    fn dependencies_are_read_from_their_table_alone() {
        let manifest = "[package]\nname = \"a\"\n[dependencies]\narrow.workspace = true\nserde = \"1\"\n[dev-dependencies]\nx = \"1\"\n";
        assert_eq!(dependencies(manifest), ["arrow", "serde"]);
    }

    #[test]
    fn the_project_is_tidy_in_its_dependencies() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let breaches = dependency_breaches(&root).map_err(|error| error.to_string());
        assert_eq!(breaches, Ok(Vec::new()));
    }
}

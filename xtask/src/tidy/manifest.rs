//! Who may depend on whom: dependencies only point up the list of layers, and some crates must not see some libraries.

use std::fs;
use std::path::Path;

use anyhow::Context;

/// The crates from the lowest layer to the highest: a crate may depend only on earlier ones.
const LAYERS: [&str; 23] = [
    "kql-syntax",
    "kql-types",
    "kql-functions",
    "kql-semantics",
    "kql-editor",
    "witness",
    "naive",
    "kql-plan",
    "kql-exec",
    "tables",
    "rule-forms",
    "sigma",
    "scan",
    "engine",
    "connectors",
    "report",
    "investigation",
    "emulate",
    "coverage",
    "detections",
    "demo",
    "cli",
    "xtask",
];

/// Crates that must not see these libraries, directly.
const BLIND: [(&str, &[&str]); 8] = [
    ("kql-syntax", &["arrow", "datafusion", "parquet"]),
    ("kql-types", &["arrow", "datafusion", "parquet"]),
    ("kql-semantics", &["arrow", "datafusion", "parquet"]),
    ("kql-editor", &["arrow", "datafusion", "parquet"]),
    ("witness", &["arrow", "datafusion", "parquet"]),
    ("naive", &["arrow", "datafusion", "parquet"]),
    ("emulate", &["arrow", "datafusion", "parquet"]),
    ("coverage", &["arrow", "datafusion", "parquet"]),
];

/// Libraries of terminals, command lines and errors without types.
const EDGES_ONLY: [&str; 6] = ["anyhow", "clap", "comfy-table", "indicatif", "annotate-snippets", "rustyline"];

/// What breaks the rules in the manifests.
pub fn breaches(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut breaches = unlisted(root)?;
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
            if EDGES_ONLY.contains(&dependency.as_str()) && !matches!(*name, "cli" | "xtask") {
                breaches.push(format!("{name} must not know {dependency}: only the edges print and parse arguments"));
            }
            if dependency == "testing" && *name != "xtask" {
                breaches.push(format!("{name} depends on testing outside of its tests"));
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

/// Crates that are in no layer, or have more than one binary of integration tests: each is another link.
fn unlisted(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut breaches = Vec::new();
    let architecture = fs::read_to_string(root.join("ARCHITECTURE.md")).context("reading ARCHITECTURE.md")?;
    for entry in fs::read_dir(root.join("crates")).context("listing crates")? {
        let folder = entry?.path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name != "testing" && !LAYERS.contains(&name.as_str()) {
            breaches.push(format!("{name} is in no layer"));
        }
        if !architecture.contains(&format!("`{name}`")) {
            breaches.push(format!("ARCHITECTURE.md does not say what {name} is"));
        }
        let Ok(tests) = fs::read_dir(folder.join("tests")) else { continue };
        for test in tests {
            if test?.file_name() != "it" {
                breaches.push(format!("{name}: integration tests are one binary, tests/it/main.rs"));
            }
        }
    }
    breaches.sort();
    Ok(breaches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_read_from_their_table_alone() {
        let manifest = "[package]\nname = \"a\"\n[dependencies]\narrow.workspace = true\nserde = \"1\"\n[dev-dependencies]\nx = \"1\"\n";
        assert_eq!(dependencies(manifest), ["arrow", "serde"]);
    }
}

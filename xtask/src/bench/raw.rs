//! Raw logs of Azure and Google to tables, against peers that parse the same files and map nothing.
//!
//! The files are those that `--make` leaves below `raw/`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, bail};
use connectors::LoadOptions;
use serde_json::{Value as Json, json};

use super::{Options, cpu_seconds, last_json, report};

/// By name: the files below the folder with the data.
pub(super) const KINDS: [(&str, &str); 2] = [
    ("ingest_azure", "raw/*/logs/azure/insights-activity-logs/**/PT1H.json"),
    ("ingest_gcp", "raw/*/logs/gcp/*.ndjson"),
];

pub(super) fn pattern(name: &str) -> Option<&'static str> {
    KINDS.iter().find(|(known, _)| *known == name).map(|(_, pattern)| *pattern)
}

/// The files that a pattern names, in order.
fn files(options: &Options, pattern: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let parts: Vec<&str> = pattern.split('/').collect();
    walk(&options.data, &parts, &mut files)?;
    files.sort();
    if files.is_empty() {
        bail!("no files {pattern} below {}: `bench --make` writes them", options.data.display());
    }
    Ok(files)
}

fn walk(folder: &Path, parts: &[&str], files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let Some((first, rest)) = parts.split_first() else { return Ok(()) };
    if *first == "**" {
        walk(folder, rest, files)?;
    }
    for entry in std::fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (start, end) = first.split_once('*').unwrap_or((first, ""));
        let fits = if first.contains('*') { name.starts_with(start) && name.ends_with(end) } else { name == *first };
        match (path.is_dir(), *first == "**") {
            (true, true) => walk(&path, parts, files)?,
            (true, false) if fits => walk(&path, rest, files)?,
            (false, false) if fits && rest.is_empty() => files.push(path),
            _ => {}
        }
    }
    Ok(())
}

/// Ours, to a folder of tables.
pub(super) fn measure(options: &Options, name: &str) -> anyhow::Result<Json> {
    let files = files(options, pattern(name).context("no such kind of raw logs")?)?;
    let bytes: u64 = files.iter().filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum();
    let out = std::env::temp_dir().join(format!("tidewatch-bench-{}", std::process::id()));
    let (mut times, mut cpus, mut rows) = (Vec::new(), Vec::new(), 0);
    for _ in 0..options.runs.clamp(1, 3) {
        let (started, cpu) = (Instant::now(), cpu_seconds());
        let load = LoadOptions { threads: Some(options.threads), ..LoadOptions::default() };
        let loaded = connectors::load_into(&files, &load, &out).map_err(|error| anyhow::anyhow!("{error}"))?;
        times.push(started.elapsed().as_secs_f64());
        cpus.push(cpu_seconds() - cpu);
        rows = loaded.parquet.iter().map(|file| file.rows).sum();
        std::fs::remove_dir_all(&out).context("removing the written tables")?;
    }
    Ok(with_speed(report(name, &mut times, &mut cpus, usize::try_from(rows)?, ""), bytes))
}

/// A peer's, by the script beside this file.
pub(super) fn peer(options: &Options, name: &str, peer: &str) -> anyhow::Result<Json> {
    let pattern = pattern(name).context("no such kind of raw logs")?;
    let bytes: u64 =
        files(options, pattern)?.iter().filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum();
    let mut command = Command::new(&options.python);
    command.args(["-c", include_str!("raw_peers.py"), peer]).arg(options.data.join(pattern));
    command.args([options.threads.to_string(), options.runs.clamp(1, 3).to_string()]);
    command.env("POLARS_MAX_THREADS", options.threads.to_string());
    Ok(with_speed(last_json(command)?, bytes))
}

fn with_speed(mut row: Json, bytes: u64) -> Json {
    let median = row["median"].as_f64().unwrap_or(f64::NAN);
    row["check"] = json!(format!("{:.0} MB/s of JSON, {} MB", bytes as f64 / 1e6 / median, bytes / 1_000_000));
    row
}

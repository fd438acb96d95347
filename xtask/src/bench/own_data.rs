//! A folder to measure on, made by the project's own generator: its raw logs loaded to one Parquet file a table, the
//! CloudTrail files side by side, and a `truth.json` with what the measured queries and the peers' harness look up.
//!
//! Begin at [`make`]. The same options give the same logs.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use demo::Company;
use flate2::read::GzDecoder;
use kql_types::datetime;
use serde_json::{Value as Json, json};

/// The end of the made-up logs.
const END: &str = "2026-03-02T18:00:00Z";

/// Writes `events` background events of `days` days to `folder` (raw below `raw/`), and loads them there with `threads`.
pub fn make(folder: &Path, days: u32, events: u32, threads: usize) -> anyhow::Result<()> {
    if folder.exists() && fs::read_dir(folder)?.next().is_some() {
        bail!("{} is not empty: choose another --data", folder.display());
    }
    let end = datetime::parse(END).context("the end of the logs")?;
    let generated = folder.join("raw");
    fs::create_dir_all(&generated).with_context(|| format!("making {}", generated.display()))?;
    let options = demo::Options { end, days, events, seed: 1 };
    let written = Company::build(&options).write(&generated).context("writing the raw logs")?;
    let rows = crate::host::ingest(&generated.join("logs"), folder, threads)?;

    let flat = folder.join("cloudtrail_raw");
    fs::create_dir_all(&flat)?;
    let mut raw = Raw::default();
    for path in gzip_files(&generated.join("logs/aws"))? {
        let name = path.file_name().context("a file without a name")?;
        raw.add(&path)?;
        fs::rename(&path, flat.join(name)).with_context(|| format!("moving {}", path.display()))?;
    }
    let needle = raw.needle.context("no access key in the made-up CloudTrail files")?;
    let truth = json!({
        "now": END, "rows": rows, "needle": needle,
        "raw": { "files": raw.files, "records": raw.records, "json_bytes": raw.json_bytes, "gz_bytes": raw.gz_bytes },
    });
    fs::write(folder.join("truth.json"), serde_json::to_string_pretty(&truth)? + "\n")?;
    println!("{}: {} raw records in {} files, {rows} rows in tables", folder.display(), written.records, written.files);
    Ok(())
}

/// What the peers' harness wants to know of the raw files, and an access key that a record in the middle carries.
#[derive(Default)]
struct Raw {
    files: usize,
    records: usize,
    json_bytes: usize,
    gz_bytes: u64,
    needle: Option<String>,
}

impl Raw {
    fn add(&mut self, path: &Path) -> anyhow::Result<()> {
        let mut text = String::new();
        let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
        self.gz_bytes += file.metadata()?.len();
        GzDecoder::new(file).read_to_string(&mut text).with_context(|| format!("reading {}", path.display()))?;
        self.json_bytes += text.len();
        self.files += 1;
        let json: Json = serde_json::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
        let records = json["Records"].as_array().map(Vec::as_slice).unwrap_or_default();
        self.records += records.len();
        let keys = records.iter().filter_map(|record| record["userIdentity"]["accessKeyId"].as_str());
        self.needle = keys.last().map(str::to_string).or(self.needle.take());
        Ok(())
    }
}

fn gzip_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (mut folders, mut files) = (vec![folder.to_path_buf()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "gz") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

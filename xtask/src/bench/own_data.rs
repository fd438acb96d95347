//! A folder to measure on, made by the project's own generator: its raw logs loaded to one Parquet file a table, the
//! CloudTrail files side by side, and a `truth.json` with what the measured queries and the peers' harness look up.
//!
//! Begin at [`make`]. The same options give the same logs. The peers' queries name columns, compare times in
//! microseconds and spell Azure's states as the reference generator does, so the tables are written in those forms; ours
//! would read either.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use datafusion::arrow::array::{ArrayRef, AsArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchReader};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use demo::Company;
use flate2::read::GzDecoder;
use kql_types::datetime;
use serde_json::{Value as Json, json};

/// The end of the made-up logs.
const END: &str = "2026-03-02T18:00:00Z";

/// Background events that are held in memory at a time; each part has other random choices.
const PART: u32 = 500_000;

/// Rows of a row group, as the peers write them by default.
const ROW_GROUP: usize = 122_880;

/// Writes `events` background events of `days` days to `folder` (raw below `raw/`), and loads them there with `threads`.
pub fn make(folder: &Path, days: u32, events: u32, threads: usize) -> anyhow::Result<()> {
    if folder.exists() && fs::read_dir(folder)?.next().is_some() {
        bail!("{} is not empty: choose another --data", folder.display());
    }
    let end = datetime::parse(END).context("the end of the logs")?;
    let generated = folder.join("raw");
    fs::create_dir_all(&generated).with_context(|| format!("making {}", generated.display()))?;
    let mut records = 0;
    for part in 0..events.div_ceil(PART) {
        let part_events = PART.min(events - part * PART);
        let options = demo::Options { end, days, events: part_events, seed: u64::from(part) + 1 };
        let written = Company::build(&options).write(&generated.join(part.to_string()));
        records += written.context("writing the raw logs")?.records;
    }
    let loaded = folder.join("loaded");
    let rows = crate::host::ingest(&generated, &loaded, threads)?;
    for entry in fs::read_dir(&loaded)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "parquet") {
            rewrite(&path, &folder.join(path.file_name().context("a file without a name")?))?;
        }
    }

    let flat = folder.join("cloudtrail_raw");
    fs::create_dir_all(&flat)?;
    let mut raw = Raw::default();
    for path in gzip_files(&generated)? {
        raw.add(&path)?;
        let name = format!("{:06}.json.gz", raw.files);
        fs::rename(&path, flat.join(name)).with_context(|| format!("moving {}", path.display()))?;
    }
    let needle = raw.needle.context("no access key in the made-up CloudTrail files")?;
    let truth = json!({
        "now": END, "rows": rows, "needle": needle,
        "raw": { "files": raw.files, "records": raw.records, "json_bytes": raw.json_bytes, "gz_bytes": raw.gz_bytes },
    });
    fs::write(folder.join("truth.json"), serde_json::to_string_pretty(&truth)? + "\n")?;
    println!("{}: {records} raw records, {rows} rows in tables", folder.display());
    Ok(())
}

/// Writes a table in the forms that the peers' queries know.
fn rewrite(from: &Path, to: &Path) -> anyhow::Result<()> {
    let file = File::open(from).with_context(|| format!("opening {}", from.display()))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)?.with_batch_size(8192).build()?;
    let schema =
        Arc::new(Schema::new(reader.schema().fields().iter().map(|field| peers_field(field)).collect::<Vec<_>>()));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .build();
    let mut writer = ArrowWriter::try_new(File::create(to)?, Arc::clone(&schema), Some(properties))?;
    for batch in reader {
        let batch = batch?;
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(batch.num_columns());
        for (field, column) in schema.fields().iter().zip(batch.columns()) {
            columns.push(match field.name().as_str() {
                "ActivityStatusValue" => older_states(&cast(column, &DataType::Utf8)?, field.data_type())?,
                _ => cast(column, field.data_type())?,
            });
        }
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns)?)?;
    }
    writer.close().with_context(|| format!("writing {}", to.display()))?;
    Ok(())
}

fn peers_field(field: &Field) -> Field {
    let name = if field.name() == "AWSRegion" { "AwsRegion" } else { field.name() };
    let ty = match field.data_type() {
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        other => other.clone(),
    };
    Field::new(name, ty, field.is_nullable())
}

/// Azure's states in the spelling of the older diagnostic settings.
fn older_states(column: &ArrayRef, ty: &DataType) -> anyhow::Result<ArrayRef> {
    let older = |state: &str| match state {
        "Success" => "Succeeded".to_string(),
        "Start" => "Started".to_string(),
        "Failure" => "Failed".to_string(),
        "Accept" => "Accepted".to_string(),
        other => other.to_string(),
    };
    let renamed: StringArray = column.as_string::<i32>().iter().map(|state| state.map(older)).collect();
    Ok(cast(&renamed, ty)?)
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
        let mut keys = records.iter().filter_map(|record| record["userIdentity"]["accessKeyId"].as_str());
        self.needle = keys.next_back().map(str::to_string).or(self.needle.take());
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

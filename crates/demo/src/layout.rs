//! Lays the records out as the clouds export them: S3 keys, blob paths, command-line output, exported rows.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use kql_types::datetime;
use serde_json::{Value as Json, json};

use crate::people::{AWS_ACCOUNT, SUBSCRIPTION};
use crate::{Company, Written};
use emulate::Record;

pub fn write(company: &Company, folder: &Path) -> std::io::Result<Written> {
    let mut writer = Writer { folder, written: Written::default() };
    for ((region, day, hour), records) in cloudtrail_files(&company.cloudtrail) {
        let slashed = day.replace('-', "/");
        let compact = day.replace('-', "");
        let path = format!(
            "aws/AWSLogs/{AWS_ACCOUNT}/CloudTrail/{region}/{slashed}/{AWS_ACCOUNT}_CloudTrail_{region}_{compact}T{hour}00Z_harborline.json.gz"
        );
        writer.gzip(&path, &json!({ "Records": records }).to_string(), records.len())?;
    }
    for ((day, hour), records) in by_hour(&company.activity) {
        let mut parts = day.split('-');
        let mut part = || parts.next().unwrap_or_default();
        let path = format!(
            "azure/insights-activity-logs/resourceId=/SUBSCRIPTIONS/{}/y={}/m={}/d={}/h={hour}/m=00/PT1H.json",
            SUBSCRIPTION.to_uppercase(),
            part(),
            part(),
            part()
        );
        writer.lines(&path, &records)?;
    }
    writer.array("azure/activity-log-list.json", &jsons(&company.activity_rest))?;
    for (day, records) in by_day(&company.gcp) {
        writer.lines(&format!("gcp/cloudaudit-activity-{day}.ndjson"), &records)?;
    }
    for (day, records) in by_day(&company.signins) {
        writer.lines(&format!("entra/signins-{day}.ndjson"), &records)?;
    }
    writer.text("entra/users.json", &json!({ "value": company.users }).to_string(), company.users.len())?;
    let alerts = jsons(&company.alerts);
    writer.text("defender/alerts.json", &json!({ "value": alerts }).to_string(), alerts.len())?;
    writer.lines("sentinel/BehaviorAnalytics.ndjson", &jsons(&company.behavior))?;
    writer.lines("sentinel/AzureNetworkAnalytics_CL.ndjson", &jsons(&company.traffic))?;
    let truth = serde_json::to_string_pretty(&company.truth).map_err(std::io::Error::other)?;
    fs::write(folder.join("truth.json"), truth + "\n")?;
    Ok(writer.written)
}

struct Writer<'a> {
    folder: &'a Path,
    written: Written,
}

impl Writer<'_> {
    fn bytes(&mut self, path: &str, bytes: &[u8], records: usize) -> std::io::Result<()> {
        let path = self.folder.join("logs").join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        File::create(&path)?.write_all(bytes)?;
        self.written.files += 1;
        self.written.records += records;
        self.written.bytes += bytes.len() as u64;
        Ok(())
    }

    fn text(&mut self, path: &str, text: &str, records: usize) -> std::io::Result<()> {
        self.bytes(path, text.as_bytes(), records)
    }

    fn gzip(&mut self, path: &str, text: &str, records: usize) -> std::io::Result<()> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes())?;
        let bytes = encoder.finish()?;
        self.bytes(path, &bytes, records)
    }

    fn lines(&mut self, path: &str, records: &[Json]) -> std::io::Result<()> {
        let text: String = records.iter().map(|record| format!("{record}\n")).collect();
        self.text(path, &text, records.len())
    }

    fn array(&mut self, path: &str, records: &[Json]) -> std::io::Result<()> {
        let text = serde_json::to_string_pretty(records).map_err(std::io::Error::other)?;
        self.text(path, &text, records.len())
    }
}

fn jsons(records: &[Record]) -> Vec<Json> {
    records.iter().map(|record| record.json.clone()).collect()
}

fn day_and_hour(ticks: i64) -> (String, String) {
    let text = datetime::format(ticks);
    let day = text.get(..10).unwrap_or_default().to_string();
    let hour = text.get(11..13).unwrap_or_default().to_string();
    (day, hour)
}

fn by_day(records: &[Record]) -> BTreeMap<String, Vec<Json>> {
    let mut files: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for record in records {
        files.entry(day_and_hour(record.ticks).0).or_default().push(record.json.clone());
    }
    files
}

fn by_hour(records: &[Record]) -> BTreeMap<(String, String), Vec<Json>> {
    let mut files: BTreeMap<(String, String), Vec<Json>> = BTreeMap::new();
    for record in records {
        files.entry(day_and_hour(record.ticks)).or_default().push(record.json.clone());
    }
    files
}

fn cloudtrail_files(records: &[Record]) -> BTreeMap<(String, String, String), Vec<Json>> {
    let mut files: BTreeMap<(String, String, String), Vec<Json>> = BTreeMap::new();
    for record in records {
        let (day, hour) = day_and_hour(record.ticks);
        let region = record.json["awsRegion"].as_str().unwrap_or_default().to_string();
        files.entry((region, day, hour)).or_default().push(record.json.clone());
    }
    files
}

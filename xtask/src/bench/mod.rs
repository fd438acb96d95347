//! `cargo xtask bench`: nine queries and the ingest of raw CloudTrail, ours and the peers' in one run.
//!
//! Every measurement is a process of its own, so that peak memory is that query's; within it the engine is built and the
//! query warmed up once, then timed, which is how the peers are timed. Needs a folder made by the reference generator
//! (`truth.json` and Parquet files beside it), one that `--make` fills by the project's own generator, or any folder of
//! Parquet files named after tables with `--now`.
//! `--planning` measures planning instead and needs no data.

mod own_data;
mod raw;
mod replay;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;
use engine::{Engine, QueryOptions, TableCatalog};
use kql_types::{Value, datetime};
use scan::DataSet;
use serde_json::{Value as Json, json};
use tables::SchemaSet;

#[derive(Args, Clone)]
pub struct Options {
    /// Folder with the Parquet files, and `truth.json` where the reference generator made it.
    #[arg(long, default_value = ".")]
    data: PathBuf,
    /// Make the folder first, by the project's own generator.
    #[arg(long)]
    make: bool,
    /// Background events to make, over all clouds.
    #[arg(long, default_value_t = 1_000_000, requires = "make")]
    events: u32,
    /// Days to make them for.
    #[arg(long, default_value_t = 30, requires = "make")]
    days: u32,
    /// Measure planning: generated queries, and the rules of the reference collection beside the project.
    #[arg(long)]
    planning: bool,
    /// Peers to run beside ours, by the names of the reference harness; empty for none.
    #[arg(long, default_value = "duckdb,chdb,polars", value_delimiter = ',')]
    peers: Vec<String>,
    /// The Python that has the peers installed.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Measure fifty filters over one table, by fifty scans and by one.
    #[arg(long)]
    shared_scan: bool,
    /// Measure replays over the last thirty days: five hundred rules that judge rows on their own, and joins stepped hourly.
    #[arg(long)]
    replay: bool,
    #[arg(long, value_delimiter = ',')]
    queries: Vec<String>,
    #[arg(long, default_value_t = 5)]
    runs: u32,
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// The clock, when the folder has no `truth.json`.
    #[arg(long)]
    now: Option<String>,
    /// Measure the ingest of `cloudtrail_raw` as well, and of Azure's and Google's raw logs below `raw`.
    #[arg(long)]
    ingest: bool,
    /// Turn things off, to see what they give: `memo`, `lazy` (paths) and `late` (reading) are on.
    #[arg(long, value_delimiter = ',')]
    toggle: Vec<String>,
    /// Print the plans of our queries, with what each operator did, instead of measuring.
    #[arg(long)]
    explain: bool,
    /// Internal: measure one query in this process.
    #[arg(long, hide = true)]
    one: Option<String>,
}

const SEED_QUERIES: [(&str, &str); 3] = [
    ("seed2", "seeds/create-cloud-instance.kql"),
    ("seed3", "seeds/modify-cloud-compute.kql"),
    ("seed3_14d", "seeds/modify-cloud-compute.kql"),
];

const QUERIES: [(&str, &str); 6] = [
    (
        "needle_cs",
        r#"AWSCloudTrail
| where RequestParameters contains_cs "{needle}" or ResponseElements contains_cs "{needle}"
    or UserIdentityAccessKeyId contains_cs "{needle}"
| project TimeGenerated, EventName, UserIdentityArn"#,
    ),
    (
        "needle_ci",
        r#"AWSCloudTrail
| where RequestParameters has "{needle}" or ResponseElements has "{needle}" or UserIdentityAccessKeyId has "{needle}"
| project TimeGenerated, EventName, UserIdentityArn"#,
    ),
    (
        "groupby",
        "AWSCloudTrail
| summarize n = count(), users = dcount(UserIdentityArn), regions = make_set(AwsRegion), f = min(TimeGenerated),
    l = max(TimeGenerated) by EventName, ErrorCode
| where n > 100",
    ),
    (
        "jsonpath_sel",
        r#"AWSCloudTrail
| where EventName == "RunInstances"
| extend id = tostring(parse_json(ResponseElements).instancesSet.items[0].instanceId)
| where isnotempty(id)
| summarize n = count(), d = dcount(id)"#,
    ),
    (
        "jsonpath_all",
        "AWSCloudTrail
| extend id = tostring(parse_json(ResponseElements).instancesSet.items[0].instanceId)
| where isnotempty(id)
| summarize n = count(), d = dcount(id)",
    ),
    (
        "mvexpand_join",
        r#"SecurityAlert
| extend Entities = parse_json(Entities)
| mv-expand Entity = Entities
| where Entity.Type == "account"
| extend AccountObjectId = tostring(Entity.AadUserId)
| join kind=inner (IdentityInfo | distinct AccountObjectId, AccountUPN, JobTitle) on AccountObjectId
| summarize n = count(), u = dcount(AccountObjectId) by JobTitle, AlertSeverity"#,
    ),
];

/// Runs ours and the peers, prints one table row for each measurement.
pub fn run(options: &Options) -> anyhow::Result<()> {
    if cfg!(debug_assertions) {
        return rerun_optimised();
    }
    if options.planning {
        return crate::planning::run(options.runs);
    }
    if options.make {
        own_data::make(&options.data, options.days, options.events, options.threads)?;
    }
    let toggled = |name: &str| options.toggle.iter().any(|toggle| toggle == name);
    kql_functions::kernels::switches::set(!toggled("memo"), !toggled("lazy"));
    scan::set_late_reading(!toggled("late"));
    if options.shared_scan {
        let (engine, query) = engine_over(options)?;
        return crate::shared_scan::run(&engine, &query);
    }
    if options.replay {
        let (engine, query) = engine_over(options)?;
        return replay::run(&engine, &query, options.threads);
    }
    if let Some(name) = &options.one {
        let measured = match name.as_str() {
            "ingest" => ingest(options)?,
            raw if raw::pattern(raw).is_some() => raw::measure(options, raw)?,
            query => measure(options, query)?,
        };
        println!("{measured}");
        return Ok(());
    }
    let mut names: Vec<String> = options.queries.clone();
    if names.is_empty() {
        names = SEED_QUERIES.iter().chain(&QUERIES).map(|(name, _)| (*name).to_string()).collect();
        if options.ingest {
            names.push("ingest".into());
            names.extend(raw::KINDS.iter().map(|(name, _)| (*name).to_owned()));
        }
    }
    if options.explain {
        return names.iter().try_for_each(|name| explain(options, name));
    }
    println!("| query | engine | median | min | CPU | peak memory | rows | check |");
    println!("|---|---|---|---|---|---|---|---|");
    for name in &names {
        print_row(name, "tidewatch", own(options, name));
        for peer in options.peers.iter().filter(|peer| !peer.is_empty()) {
            print_row(name, peer, peer_row(options, name, peer));
        }
    }
    Ok(())
}

fn rerun_optimised() -> anyhow::Result<()> {
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["run", "--release", "--quiet", "--package", "xtask", "--"])
        .args(std::env::args_os().skip(1))
        .status()
        .context("starting the optimised build")?;
    if !status.success() {
        bail!("the optimised run failed");
    }
    Ok(())
}

fn print_row(name: &str, engine: &str, row: anyhow::Result<Json>) {
    match row {
        Ok(row) => {
            let number = |key: &str| row[key].as_f64().unwrap_or(f64::NAN);
            let check: String = row["check"].as_str().unwrap_or_default().chars().take(60).collect();
            println!(
                "| {name} | {engine} | {:.3} s | {:.3} s | {:.3} s | {:.0} MB | {} | {check} |",
                number("median"),
                number("min"),
                number("cpu"),
                number("rss_mb"),
                row["rows"]
            );
        }
        Err(error) => println!("| {name} | {engine} | failed: {error:#} | | | | | |"),
    }
}

fn own(options: &Options, name: &str) -> anyhow::Result<Json> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("bench").arg("--data").arg(&options.data).args(["--one", name]);
    command.args(["--runs", &options.runs.to_string(), "--threads", &options.threads.to_string()]);
    if let Some(now) = &options.now {
        command.args(["--now", now]);
    }
    if !options.toggle.is_empty() {
        command.args(["--toggle", &options.toggle.join(",")]);
    }
    last_json(command)
}

fn peer_row(options: &Options, name: &str, peer: &str) -> anyhow::Result<Json> {
    if raw::pattern(name).is_some() {
        return raw::peer(options, name, peer);
    }
    let script = testing::shared("bench/peer_bench.py").context("the reference harness is not beside the project")?;
    let mut command = Command::new(&options.python);
    command.arg(script).arg("--data").arg(&options.data).args(["--one", peer]);
    command.args(["--runs", &options.runs.to_string(), "--threads", &options.threads.to_string()]);
    if name == "ingest" {
        command.arg("--ingest");
    } else {
        command.args(["--queries", name]);
    }
    let threads = options.threads.to_string();
    command.env("POLARS_MAX_THREADS", &threads).env("OMP_NUM_THREADS", &threads);
    last_json(command)
}

fn last_json(mut command: Command) -> anyhow::Result<Json> {
    let output = command.output().context("starting a measurement")?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().last().map(serde_json::from_str) {
        Some(Ok(row)) => Ok(row),
        _ => {
            let errors = String::from_utf8_lossy(&output.stderr);
            bail!("{}", errors.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no output"))
        }
    }
}

struct Clock {
    now: i64,
    needle: String,
}

fn clock(options: &Options) -> anyhow::Result<Clock> {
    let truth: Json = match std::fs::read_to_string(options.data.join("truth.json")) {
        Ok(text) => serde_json::from_str(&text).context("reading truth.json")?,
        Err(_) => Json::Null,
    };
    let text = options.now.as_deref().or(truth["now"].as_str()).context("no truth.json and no --now")?;
    let now = datetime::parse(text).with_context(|| format!("not a time: {text}"))?;
    Ok(Clock { now, needle: truth["needle"].as_str().unwrap_or("needle").to_string() })
}

fn query_text(name: &str, needle: &str) -> anyhow::Result<String> {
    if let Some((_, path)) = SEED_QUERIES.iter().find(|(known, _)| *known == name) {
        let path = testing::shared(path).context("the published queries are not beside the project")?;
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        return Ok(if name == "seed3_14d" { text.replace("ago(1d)", "ago(15d)") } else { text });
    }
    let (_, text) =
        QUERIES.iter().find(|(known, _)| *known == name).with_context(|| format!("no query named {name}"))?;
    Ok(text.replace("{needle}", needle))
}

fn parquet_data(folder: &Path) -> anyhow::Result<DataSet> {
    let mut data = DataSet::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "parquet")
            && let Some(table) = path.file_stem().and_then(|stem| stem.to_str())
        {
            data.add_parquet(table, &path)?;
        }
    }
    Ok(data)
}

fn engine_over(options: &Options) -> anyhow::Result<(Engine, QueryOptions)> {
    let data = Arc::new(parquet_data(&options.data)?);
    let schemas = SchemaSet::builtin();
    let known = schemas.names().into_iter().filter_map(|table| schemas.get(table).cloned());
    let catalog = TableCatalog::new().with_schemas(known).with_data(&data);
    let engine = Engine::new(Arc::new(catalog), data);
    Ok((engine, QueryOptions { partitions: Some(options.threads), ..QueryOptions::at(clock(options)?.now) }))
}

fn explain(options: &Options, name: &str) -> anyhow::Result<()> {
    let text = query_text(name, &clock(options)?.needle)?;
    let (engine, query) = engine_over(options)?;
    let query = QueryOptions { explain: true, ..query };
    let output = engine.run_blocking(&text, &query).map_err(|error| anyhow::anyhow!("{error}"))?;
    println!("{name}: {:.3} s", output.statistics.elapsed.as_secs_f64());
    output.statistics.plans.iter().for_each(|plan| println!("{plan}"));
    Ok(())
}

fn measure(options: &Options, name: &str) -> anyhow::Result<Json> {
    let text = query_text(name, &clock(options)?.needle)?;
    let (engine, query) = engine_over(options)?;
    let answer = || engine.run_blocking(&text, &query).map_err(|error| anyhow::anyhow!("{error}"));
    let output = answer()?;
    let table = output.tables.first().context("no result")?;
    let rows = table.rows();
    let (mut times, mut cpus) = (Vec::new(), Vec::new());
    let spent = Instant::now();
    for run in 0..options.runs.max(1) {
        if run >= 3 && spent.elapsed() > Duration::from_secs(60) {
            break;
        }
        let (started, cpu) = (Instant::now(), cpu_seconds());
        let rows = answer()?.tables.first().map(engine::ResultTable::rows).unwrap_or_default();
        std::hint::black_box(rows);
        times.push(started.elapsed().as_secs_f64());
        cpus.push(cpu_seconds() - cpu);
    }
    Ok(report(name, &mut times, &mut cpus, rows.len(), &check(name, &rows)))
}

fn check(name: &str, rows: &[Vec<Value>]) -> String {
    let long = |value: &Value| if let Value::Long(number) = value { *number } else { 0 };
    if name.starts_with("jsonpath") {
        return format!("{:?}", rows.first().map(|row| row.iter().map(long).collect::<Vec<_>>()).unwrap_or_default());
    }
    if name == "groupby" || name == "mvexpand_join" {
        return rows.iter().filter_map(|row| row.get(2)).map(long).sum::<i64>().to_string();
    }
    rows.len().to_string()
}

fn report(name: &str, times: &mut [f64], cpus: &mut [f64], rows: usize, check: &str) -> Json {
    let middle = |values: &mut [f64]| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    json!({
        "engine": "tidewatch", "query": name, "median": middle(times), "min": times.first(), "cpu": middle(cpus),
        "runs": times.len(), "rows": rows, "check": check, "rss_mb": peak_memory_megabytes(),
    })
}

fn ingest(options: &Options) -> anyhow::Result<Json> {
    let raw = options.data.join("cloudtrail_raw");
    let out = std::env::temp_dir().join(format!("tidewatch-bench-{}", std::process::id()));
    let truth: Json = serde_json::from_str(&std::fs::read_to_string(options.data.join("truth.json"))?)?;
    let bytes = truth["raw"]["json_bytes"].as_f64().unwrap_or(f64::NAN);
    let (mut times, mut cpus, mut rows) = (Vec::new(), Vec::new(), 0);
    for _ in 0..options.runs.clamp(1, 3) {
        let (started, cpu) = (Instant::now(), cpu_seconds());
        rows = crate::host::ingest(&raw, &out, options.threads)?;
        times.push(started.elapsed().as_secs_f64());
        cpus.push(cpu_seconds() - cpu);
        std::fs::remove_dir_all(&out).context("removing the written tables")?;
    }
    let mut row = report("ingest", &mut times, &mut cpus, rows, "");
    let median = row["median"].as_f64().unwrap_or(f64::NAN);
    row["check"] = json!(format!("{:.0} MB/s of JSON", bytes / 1e6 / median));
    Ok(row)
}

/// User and system time of this process, from the kernel's clock ticks (100 a second).
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn peak_memory_megabytes() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|field| field.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
}

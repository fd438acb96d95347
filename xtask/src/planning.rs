//! `cargo xtask bench --planning`: what it costs to come from a query's text to a plan that can run.
//!
//! Two hundred queries are generated in the shapes of published rules, over tables of 23 and 501 columns in Parquet files
//! and unions of 30 tables; the rules of the reference collection are planned over empty tables when they are there.
//! Everything runs on one thread; queries also run, over few rows or none, as their parts may depend on one another.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use datafusion::arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use engine::{Engine, PlanTimes, QueryOptions, TableCatalog};
use kql_semantics::BindOptions;
use kql_types::datetime;
use scan::DataSet;

use crate::{corpus, host};

const QUERIES: usize = 200;
const UNION_TABLES: usize = 30;

/// One line of the report: what was planned, and the stages of each query.
struct Group {
    name: String,
    times: Vec<PlanTimes>,
    /// The beginnings of the queries that took longest.
    slowest: Vec<(PlanTimes, String)>,
}

/// Plans the generated queries and the collection, prints milliseconds by stage.
pub fn run(repeat: u32) -> anyhow::Result<()> {
    let now = datetime::parse("2026-03-02T12:00:00Z").context("the clock")?;
    let options = QueryOptions { partitions: Some(2), ..QueryOptions::at(now) };
    let folder = std::env::temp_dir().join(format!("tidewatch-planning-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let made = generated_data(&folder);
    let mut groups = Vec::new();
    if let Ok(engine) = &made {
        groups = generated(engine, &options, repeat)?;
    }
    std::fs::remove_dir_all(&folder).context("removing the made tables")?;
    made?;
    groups.extend(collection(&options)?);
    println!("| queries | number | stage | mean | median | 95 % | most | all |");
    println!("|---|---|---|---|---|---|---|---|");
    groups.iter().for_each(print);
    for group in groups.iter().filter(|group| !group.slowest.is_empty()) {
        let front: Duration = group.times.iter().map(|times| times.parse + times.bind + times.lower).sum();
        println!("\n{}: parsed, bound and lowered in {:.2} s; the slowest:", group.name, front.as_secs_f64());
        for (times, text) in &group.slowest {
            let ms = |time: Duration| time.as_secs_f64() * 1e3;
            println!(
                "  {:.0} + {:.0} + {:.0} + {:.0} + {:.0} ms  {text}",
                ms(times.parse),
                ms(times.bind),
                ms(times.lower),
                ms(times.optimize),
                ms(times.physical)
            );
        }
    }
    Ok(())
}

fn print(group: &Group) {
    type Stage = fn(&PlanTimes) -> Duration;
    let stages: [(&str, Stage); 6] = [
        ("parse", |times| times.parse),
        ("bind", |times| times.bind),
        ("lower", |times| times.lower),
        ("optimize", |times| times.optimize),
        ("physical", |times| times.physical),
        ("all", PlanTimes::total),
    ];
    for (name, stage) in stages {
        let mut spent: Vec<f64> = group.times.iter().map(|times| stage(times).as_secs_f64() * 1e3).collect();
        spent.sort_by(f64::total_cmp);
        let at = |share: f64| spent.get(((spent.len() as f64 * share) as usize).min(spent.len().saturating_sub(1)));
        let all: f64 = spent.iter().sum();
        println!(
            "| {} | {} | {name} | {:.2} ms | {:.2} ms | {:.2} ms | {:.1} ms | {:.2} s |",
            group.name,
            spent.len(),
            all / spent.len().max(1) as f64,
            at(0.5).unwrap_or(&0.0),
            at(0.95).unwrap_or(&0.0),
            spent.last().unwrap_or(&0.0),
            all / 1e3
        );
    }
}

/// The least of several runs of each query, since the first one warms caches.
fn measured(engine: &Engine, options: &QueryOptions, text: &str, repeat: u32) -> anyhow::Result<PlanTimes> {
    let mut best: Option<PlanTimes> = None;
    for _ in 0..repeat.max(1) {
        let output = engine.run_blocking(text, options).map_err(|error| anyhow::anyhow!("{error}\n{text}"))?;
        let times = output.statistics.planning;
        if best.is_none_or(|best| times.total() < best.total()) {
            best = Some(times);
        }
    }
    best.context("no run")
}

fn generated(engine: &Engine, options: &QueryOptions, repeat: u32) -> anyhow::Result<Vec<Group>> {
    let mut groups: Vec<Group> = Vec::new();
    for index in 0..QUERIES {
        let (name, text) = query(index);
        let times = measured(engine, options, &text, repeat)?;
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.times.push(times),
            None => groups.push(Group { name: name.to_string(), times: vec![times], slowest: Vec::new() }),
        }
    }
    Ok(groups)
}

/// The rules of the reference collection that run, over empty tables; also what they take together.
fn collection(options: &QueryOptions) -> anyhow::Result<Option<Group>> {
    let Some(path) = testing::shared("corpus/sentinel-open.jsonl.gz") else { return Ok(None) };
    let queries = corpus::judged(&path, true)?;
    let engine = host::engine(&host::catalog()?, None);
    let options = QueryOptions { partitions: Some(1), ..options.clone() };
    let mut times = Vec::with_capacity(queries.len());
    let mut slowest: Vec<(PlanTimes, String)> = Vec::new();
    let (mut failed, started) = (0, Instant::now());
    for text in &queries {
        match engine.run_blocking(text, &options) {
            Ok(output) => {
                let spent = output.statistics.planning;
                times.push(spent);
                slowest.push((spent, text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(90).collect()));
            }
            Err(_) => failed += 1,
        }
    }
    refused(&path)?;
    let name = format!("public rules ({failed} do not run, {:.1} s with running)", started.elapsed().as_secs_f64());
    slowest.sort_by_key(|(times, _)| std::cmp::Reverse(times.total()));
    slowest.truncate(8);
    Ok(Some(Group { name, times, slowest }))
}

/// The rules that the official parser refuses are bound as far as that goes; a hunt meets them as well.
fn refused(path: &Path) -> anyhow::Result<()> {
    let (queries, catalog) = (corpus::judged(path, false)?, host::catalog()?);
    let started = Instant::now();
    let diagnosed = queries.iter().filter(|text| {
        let bound = kql_semantics::bind(&kql_syntax::parse(text).query, catalog.as_ref(), &BindOptions::default());
        !bound.diagnostics.is_empty()
    });
    let diagnosed = diagnosed.count();
    println!(
        "{} refused rules, {diagnosed} of them with diagnostics: parsed and bound in {:.2} s\n",
        queries.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

/// A table of 23 columns, one of 501, and thirty small ones, a hundred rows each.
fn generated_data(folder: &Path) -> anyhow::Result<Engine> {
    let mut data = DataSet::new();
    let mut add = |table: &str, columns: usize| -> anyhow::Result<()> {
        let path = folder.join(format!("{table}.parquet"));
        let batch = made_batch(columns)?;
        let mut writer = ArrowWriter::try_new(std::fs::File::create(&path)?, batch.schema(), None)?;
        writer.write(&batch)?;
        writer.close()?;
        data.add_parquet(table, &path)?;
        Ok(())
    };
    add("Narrow", 23)?;
    add("Wide", 501)?;
    for number in 0..UNION_TABLES {
        add(&format!("Part{number}"), 23)?;
    }
    Ok(Engine::new(Arc::new(TableCatalog::new().with_data(&data)), Arc::new(data)))
}

fn made_batch(columns: usize) -> anyhow::Result<RecordBatch> {
    let rows = 0..100_i64;
    let times = rows.clone().map(|row| 1_772_366_400_000_000 + row * 60_000_000);
    let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"));
    let mut made = vec![("TimeGenerated".to_string(), times)];
    for number in 1..columns {
        let values: ArrayRef = match number % 4 {
            0 => Arc::new(Int64Array::from_iter_values(rows.clone().map(|row| row * number as i64 % 17))),
            _ => Arc::new(StringArray::from_iter_values(rows.clone().map(|row| format!("v{}", row % 9)))),
        };
        made.push((format!("c{number}"), values));
    }
    Ok(RecordBatch::try_from_iter(made)?)
}

/// A query in the shape of a published rule, and the kind of table it reads.
fn query(index: usize) -> (&'static str, String) {
    let (kind, table, columns) = match index % 5 {
        0..=1 => ("23 columns", "Narrow".to_string(), 23),
        2..=3 => ("501 columns", "Wide".to_string(), 501),
        _ => {
            let parts: Vec<String> = (0..UNION_TABLES).map(|number| format!("Part{number}")).collect();
            ("union of 30", format!("(union {})", parts.join(", ")), 23)
        }
    };
    // Columns whose number is a multiple of four are numbers, the others texts.
    let text = |salt: usize| format!("c{}", (index * 7 + salt * 11) % (columns / 4 - 1) * 4 + 1);
    let number = |salt: usize| format!("c{}", (index * 5 + salt * 3) % (columns / 4 - 1) * 4 + 4);
    let (a, b, c, d, n) = (text(0), text(1), text(2), text(3), number(0));
    let filtered = format!(
        "{table}\n| where TimeGenerated > ago(1d)\n| where {a} in~ (\"v1\", \"v2\", \"v3\") and {b} !has \"x\"\n"
    );
    let body = match (index / 5) % 8 {
        0 => format!("| project TimeGenerated, {c}, {d}, {n}"),
        1 => format!(
            "| extend sort_of = case({c} startswith \"v1\", \"one\", {c} has \"v2\", \"two\", \"other\"), \
             p = parse_json({d})\n| extend account = tostring(p.user.name), address = tostring(p.ip)\n\
             | summarize n = count(), earliest = min(TimeGenerated), latest = max(TimeGenerated), \
             seen = make_set({d}, 100) by sort_of, account, bin(TimeGenerated, 1h)\n| where n > 5"
        ),
        2 => format!(
            "| summarize arg_max(TimeGenerated, *) by {c}\n| extend name = tostring(split({d}, \"@\")[0])\n\
             | project TimeGenerated, {c}, name, {n}"
        ),
        3 => format!(
            "| join kind=inner (Narrow | where TimeGenerated > ago(14d) | summarize by c1, c2) on $left.{c} == $right.c1\n\
             | extend gap = TimeGenerated - ago(1h)\n| where gap > 1m\n| summarize count() by {c}, c2"
        ),
        4 => format!(
            "| join kind=leftanti (Narrow | where TimeGenerated between (ago(14d) .. ago(1d)) | distinct c1) \
             on $left.{c} == $right.c1\n| summarize n = dcount({d}), make_list({n}) by {c}\n| top 10 by n desc"
        ),
        5 => format!(
            "| extend items = parse_json({c})\n| mv-expand items\n| extend item = tostring(items.name)\n\
             | where isnotempty(item) or {n} > 3\n| summarize make_set(item) by {d}"
        ),
        6 => format!(
            "| make-series n = count() default = 0 on TimeGenerated from ago(14d) to now() step 1d by {c}\n\
             | extend (anomalies, score, baseline) = series_decompose_anomalies(n)\n\
             | mv-expand TimeGenerated to typeof(datetime), anomalies to typeof(long)\n| where anomalies > 0"
        ),
        _ => format!(
            "| parse {c} with user \"@\" domain\n| extend address = extract(@\"(\\d+)\", 1, {d})\n\
             | summarize n = count() by user, domain, address\n| sort by n desc\n\
             | extend row = row_number(), before = prev(n)\n| project-away before"
        ),
    };
    if index % 10 == 7 {
        let limit = "let limit = toscalar(Narrow | summarize count());\nlet known = dynamic([\"a\", \"b\"]);\n";
        return (kind, format!("{limit}{filtered}| where {n} < limit and {c} !in (known)\n{body}"));
    }
    (kind, filtered + &body)
}

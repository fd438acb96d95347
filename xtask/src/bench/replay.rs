//! `cargo xtask bench --replay --data FOLDER`: what it costs to run rules as the service would have, for thirty days.
//!
//! Five hundred rules that judge each row on its own, hourly, against one pass over the columns that they read; and joins over
//! fourteen days, stepped hourly, against one run of each.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::Context;
use detections::hunt::{HuntInput, HuntOptions};
use detections::library::{self, RuleLibrary};
use detections::profile::DataProfile;
use detections::schedule::{Mode, TimeSpan};
use detections::selection::Selection;
use detections::service::{self, Method, Replay, ReplayOptions};
use engine::{Engine, Limits, QueryOptions, Window};
use kql_types::Value;
use kql_types::datetime::TICKS_PER_DAY;
use tables::SchemaSet;

const RULES: usize = 500;
const DAYS: i64 = 30;
/// Repetitions of what is fast; the median counts.
const RUNS: usize = 3;

/// Measures and prints.
pub fn run(engine: &Engine, options: &QueryOptions, threads: usize) -> anyhow::Result<()> {
    let span = TimeSpan { first: options.query_now - DAYS * TICKS_PER_DAY, last: options.query_now };
    println!("| what | seconds | queries | runs | alerts | times the one |");
    println!("|---|---|---|---|---|---|");
    let filters = crate::shared_scan::filters(engine, options, RULES)?;
    let rules = filters.iter().map(|filter| {
        format!("AWSCloudTrail\n| where {filter}\n| project TimeGenerated, EventName, UserIdentityArn, SourceIpAddress")
    });
    let hourly = library_of("1h", rules);
    let window = Some(Window { from: span.first, to: span.last, fidelity: false });
    let pass = QueryOptions { window, ..options.clone() };
    let columns = ["EventName", "ErrorCode", "UserIdentityType", "SourceIpAddress", "UserIdentityArn"];
    let counts: Vec<String> = columns.iter().map(|column| format!("countif(isnotempty({column}))")).collect();
    let one_pass = median(|| timed(engine, &format!("AWSCloudTrail | summarize {}", counts.join(", ")), &pass))?;
    println!("| one pass over the {} columns of the rules | {one_pass:.2} | 1 | | | |", columns.len());
    let (seconds, replay) = replayed(engine, &hourly, span, threads);
    print_replay(&format!("{RULES} rules, hourly"), seconds, &replay, one_pass);
    let (before, after) = two_names(engine, options)?;
    for (name, query) in [
        (
            "inner join",
            format!(
                "AWSCloudTrail | where EventName == \"{after}\"\n| join kind=inner (AWSCloudTrail | where EventName == \"{before}\" \
                 | project SourceIpAddress, Before = TimeGenerated) on SourceIpAddress\n| where Before < TimeGenerated \
                 | project TimeGenerated, Before, SourceIpAddress, UserIdentityArn"
            ),
        ),
        (
            "leftanti join",
            format!(
                "AWSCloudTrail | where EventName == \"{after}\" and TimeGenerated > ago(1d)\n| join kind=leftanti (AWSCloudTrail \
                 | where EventName == \"{before}\" and TimeGenerated < ago(1d)) on SourceIpAddress\n\
                 | project TimeGenerated, SourceIpAddress, UserIdentityArn"
            ),
        ),
    ] {
        let window = Some(Window { from: span.last - 14 * TICKS_PER_DAY, to: span.last, fidelity: false });
        let once = QueryOptions { window, provenance: true, ..options.clone() };
        let one = median(|| timed(engine, &query, &once))?;
        println!("| {name} over 14 days, one run | {one:.3} | 1 | 1 | | |");
        let (seconds, replay) = replayed(engine, &library_of("14d", std::iter::once(query)), span, threads);
        print_replay(&format!("{name}, stepped hourly"), seconds, &replay, one);
    }
    Ok(())
}

fn library_of(period: &str, queries: impl Iterator<Item = String>) -> RuleLibrary {
    let texts: Vec<(String, String)> = queries
        .enumerate()
        .map(|(number, query)| {
            let query: String = query.lines().map(|line| format!("  {line}\n")).collect();
            let rule = format!(
                "id: r{number}\nname: r{number}\nseverity: Low\nqueryFrequency: 1h\nqueryPeriod: {period}\nquery: |\n{query}"
            );
            (format!("r{number}.yaml"), rule)
        })
        .collect();
    library::from_texts(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())))
}

fn replayed(engine: &Engine, library: &RuleLibrary, span: TimeSpan, threads: usize) -> (f64, Replay) {
    let options = HuntOptions {
        mode: Mode::Sweep { from: None, to: None },
        range: TICKS_PER_DAY,
        fidelity: false,
        strict: false,
        threads,
        limits: Limits::default(),
        rule_time: None,
        selection: Selection::default(),
    };
    let input = HuntInput {
        engine,
        library,
        profile: &DataProfile::default(),
        is_reference: &|table| table == "IdentityInfo",
        options: &options,
        interrupted: &AtomicBool::new(false),
    };
    let started = Instant::now();
    let replay = service::replay(input, &SchemaSet::builtin(), &ReplayOptions::over(span));
    (started.elapsed().as_secs_f64(), replay)
}

fn print_replay(name: &str, seconds: f64, replay: &Replay, one: f64) {
    let sum = |part: fn(&service::ReplayedRule) -> u64| replay.rules.iter().map(part).sum::<u64>();
    let methods: Vec<String> = Method::ALL
        .into_iter()
        .map(|method| (method, replay.rules.iter().filter(|rule| rule.method == method).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(method, count)| format!("{count} {}", method.name()))
        .collect();
    println!(
        "| {name} ({}) | {seconds:.2} | {} | {} | {} | {:.1} |",
        methods.join(", "),
        sum(|rule| rule.executed),
        sum(|rule| rule.runs),
        sum(|rule| rule.alerts),
        seconds / one
    );
}

fn timed(engine: &Engine, query: &str, options: &QueryOptions) -> anyhow::Result<f64> {
    let started = Instant::now();
    engine.run_blocking(query, options).map_err(|error| anyhow::anyhow!("{error}\n{query}"))?;
    Ok(started.elapsed().as_secs_f64())
}

fn median(mut once: impl FnMut() -> anyhow::Result<f64>) -> anyhow::Result<f64> {
    let mut seconds = (0..RUNS).map(|_| once()).collect::<anyhow::Result<Vec<f64>>>()?;
    seconds.sort_by(f64::total_cmp);
    seconds.get(RUNS / 2).copied().context("no run")
}

/// Two names of events that are neither rare nor common.
fn two_names(engine: &Engine, options: &QueryOptions) -> anyhow::Result<(String, String)> {
    let query = "AWSCloudTrail | summarize n = count() by EventName | where n between (500 .. 5000) \
        | sort by n desc, EventName asc | project EventName | take 2";
    let output = engine.run_blocking(query, options).map_err(|error| anyhow::anyhow!("{error}"))?;
    let rows = output.tables.first().map(engine::ResultTable::rows).unwrap_or_default();
    let mut names = rows.into_iter().filter_map(|row| match row.into_iter().next() {
        Some(Value::String(name)) => Some(name),
        _ => None,
    });
    names.next().zip(names.next()).context("no two events of a middling number")
}

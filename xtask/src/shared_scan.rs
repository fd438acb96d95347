//! `cargo xtask bench --shared-scan --data FOLDER`: fifty filters over `AWSCloudTrail`, by fifty scans and by one.
//!
//! Three ways to the same answers: each query by itself; one pass that counts what each filter lets through, which is as
//! little as a shared scan can cost; and the engine's own `run_many`.

use std::time::Instant;

use anyhow::Context;
use engine::{Engine, QueryOptions};
use kql_types::Value;

const FILTERS: usize = 50;

/// Runs the three ways, prints their times.
pub fn run(engine: &Engine, options: &QueryOptions) -> anyhow::Result<()> {
    let filters = filters(engine, options, FILTERS)?;
    let answer = |text: &str| engine.run_blocking(text, options).map_err(|error| anyhow::anyhow!("{error}\n{text}"));
    let texts: Vec<String> = filters
        .iter()
        .map(|filter| format!("AWSCloudTrail\n| where {filter}\n| summarize n = count() by UserIdentityArn, SourceIpAddress\n| where n >= 1"))
        .collect();
    let started = Instant::now();
    let mut apart = Vec::with_capacity(texts.len());
    for text in &texts {
        apart.push(answer(text)?.tables.first().map(engine::ResultTable::rows).unwrap_or_default());
    }
    let separate = started.elapsed().as_secs_f64();
    let counts: Vec<String> = filters.iter().map(|filter| format!("countif({filter})")).collect();
    let started = Instant::now();
    answer(&format!("AWSCloudTrail | summarize {}", counts.join(", ")))?;
    let by_hand = started.elapsed().as_secs_f64();
    let mut queries = Vec::with_capacity(texts.len());
    for text in &texts {
        let bound = engine.check(text, options).bound.context("a query that does not bind")?;
        queries.push((bound, options.clone()));
    }
    let started = Instant::now();
    let outputs = engine.run_many_blocking(&queries);
    let many = started.elapsed().as_secs_f64();
    let (mut rows, mut equal) = (0, true);
    for (output, expected) in outputs.into_iter().zip(&apart) {
        let found = output.map_err(|error| anyhow::anyhow!("{error}"))?;
        let found = found.tables.first().map(engine::ResultTable::rows).unwrap_or_default();
        rows += found.len();
        equal &= found == *expected;
    }
    println!("| {FILTERS} filters | seconds |");
    println!("|---|---|");
    println!("| separate scans | {separate:.2} |");
    println!("| one pass that counts, by hand | {by_hand:.2} |");
    println!("| run_many | {many:.2} |");
    println!("\n{rows} rows; the same: {equal}");
    Ok(())
}

/// Filters in the shapes of published rules over the event names that the data has.
pub fn filters(engine: &Engine, options: &QueryOptions, count: usize) -> anyhow::Result<Vec<String>> {
    let query = "AWSCloudTrail | summarize n = count() by EventName | sort by n asc, EventName asc | project EventName";
    let output = engine.run_blocking(query, options).map_err(|error| anyhow::anyhow!("{error}"))?;
    let rows = output.tables.first().map(engine::ResultTable::rows).unwrap_or_default();
    let names: Vec<String> = rows
        .into_iter()
        .filter_map(|row| match row.into_iter().next() {
            Some(Value::String(name)) => Some(name),
            _ => None,
        })
        .collect();
    let rare = names.len().div_ceil(2).max(1);
    let name = |index: usize| names.get(index % rare).map(String::as_str).unwrap_or_default();
    Ok((0..count)
        .map(|index| match index % 5 {
            0 => format!("EventName == \"{}\" and isempty(ErrorCode)", name(index)),
            1 => format!(
                "EventName in~ (\"{}\", \"{}\") and UserIdentityType != \"Service\"",
                name(index),
                name(index + 7)
            ),
            2 => format!("EventName startswith \"{}\" and ErrorCode has \"Denied\"", name(index)),
            3 => format!("EventName =~ \"{}\" and SourceIpAddress !startswith \"10.\"", name(index)),
            _ => format!("EventName == \"{}\" and UserIdentityArn has_any (\"root\", \"admin{index}\")", name(index)),
        })
        .collect())
}

//! `cargo xtask conformance`: runs recorded KQL cases and compares the rows.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use engine::{Engine, EngineError, Limits, QueryOptions, TableCatalog};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::compare::{self, Rules};
use crate::ratchet;

#[derive(Args)]
pub struct Options {
    /// File of cases; the reference collection beside the project when left out.
    #[arg(long)]
    cases: Option<PathBuf>,
    /// Print the whole outcome as JSON.
    #[arg(long)]
    json: bool,
    /// Only cases whose id, category or a feature has this text.
    #[arg(long)]
    only: Option<String>,
    /// List each failing case: at most this many.
    #[arg(long, default_value_t = 0)]
    failures: usize,
    /// Fail when a count is below `ratchets.json`.
    #[arg(long)]
    ratchet: bool,
    /// Raise `ratchets.json` to the counts of this run.
    #[arg(long)]
    raise: bool,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    trust: String,
    category: String,
    features: Vec<String>,
    query: String,
    expect: String,
    columns: Option<Vec<(String, String)>>,
    rows: Option<Vec<Vec<Json>>>,
    #[serde(default)]
    ordered: bool,
    order_by: Option<Vec<(String, String)>>,
    check: String,
    tolerance: Option<f64>,
    #[serde(default)]
    tags: Vec<String>,
}

/// What became of a case, worst kinds first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    Bug,
    WrongRows,
    WrongColumns,
    Limit,
    /// The engine refuses a query that the reference runs.
    Refused,
    Unsupported,
    /// The engine runs a query that the reference refuses.
    Accepted,
    Pass,
}

#[derive(Serialize)]
struct Outcome {
    id: String,
    trust: String,
    category: String,
    features: Vec<String>,
    expect_error: bool,
    verdict: Verdict,
    reason: String,
}

/// Runs the cases, prints the summary and keeps the ratchet.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let path = match &options.cases {
        Some(path) => path.clone(),
        None => match testing::shared("conformance/kql-open.jsonl") {
            Some(path) => path,
            None => return Ok(()),
        },
    };
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let engine = Engine::new(Arc::new(TableCatalog::new()), Arc::default());
    let mut outcomes = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let case: Case =
            serde_json::from_str(line).with_context(|| format!("{} line {}", path.display(), number + 1))?;
        if options.only.as_ref().is_none_or(|only| selected(&case, only)) {
            outcomes.push(judge(&engine, &case));
        }
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&outcomes)?);
    } else {
        print_summary(&outcomes, options.failures);
    }
    let counts = counts(&outcomes);
    if options.raise {
        ratchet::raise("conformance", &counts)?;
    }
    if options.ratchet {
        ratchet::enforce("conformance", &counts)?;
    }
    Ok(())
}

fn selected(case: &Case, only: &str) -> bool {
    case.id == only || case.category == only || case.features.iter().any(|feature| feature == only)
}

fn judge(engine: &Engine, case: &Case) -> Outcome {
    let (verdict, reason) = verdict(engine, case);
    Outcome {
        id: case.id.clone(),
        trust: case.trust.clone(),
        category: case.category.clone(),
        features: case.features.clone(),
        expect_error: case.expect == "error",
        verdict,
        reason,
    }
}

fn verdict(engine: &Engine, case: &Case) -> (Verdict, String) {
    let options = QueryOptions {
        limits: Limits { time: Some(Duration::from_secs(20)), memory: Some(2 << 30), result_rows: Some(1_000_000) },
        ..QueryOptions::default()
    };
    let result = engine.run_blocking(&case.query, &options);
    if case.expect == "error" {
        return match result {
            Err(EngineError::Diagnostics(_) | EngineError::Data(_)) => (Verdict::Pass, String::new()),
            Err(error) => failed(&error),
            Ok(_) => (Verdict::Accepted, "the reference refuses this query".into()),
        };
    }
    let output = match result {
        Ok(output) => output,
        Err(error) => return failed(&error),
    };
    let Some(table) = output.tables.first() else {
        return (Verdict::WrongRows, "no result".into());
    };
    let rules = Rules {
        tolerance: case.tolerance,
        ordered: case.ordered,
        order_by: case.order_by.as_ref().map(|keys| keys.iter().map(|(name, _)| name.clone()).collect()),
        tags: &case.tags,
    };
    let columns = case.columns.as_deref().unwrap_or_default();
    if let Some(reason) = compare::columns_differ(columns, &table.columns, &rules) {
        return (Verdict::WrongColumns, reason);
    }
    let rows = table.rows();
    let expected = case.rows.as_deref().unwrap_or_default();
    let reason = if case.check == "count" {
        (expected.len() != rows.len()).then(|| format!("{} rows, got {}", expected.len(), rows.len()))
    } else {
        let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
        compare::rows_differ(&names, expected, &table.columns, &rows, &rules)
    };
    reason.map_or((Verdict::Pass, String::new()), |reason| (Verdict::WrongRows, reason))
}

fn failed(error: &EngineError) -> (Verdict, String) {
    let verdict = match error {
        EngineError::Diagnostics(_) | EngineError::Data(_) => Verdict::Refused,
        EngineError::Unsupported { .. } => Verdict::Unsupported,
        EngineError::Limit(_) => Verdict::Limit,
        EngineError::Bug(_) => Verdict::Bug,
    };
    let reason = match error {
        EngineError::Diagnostics(diagnostics) => diagnostics
            .iter()
            .find(|diagnostic| diagnostic.severity == kql_types::Severity::Error)
            .map(|diagnostic| format!("{} {}", diagnostic.code, diagnostic.message))
            .unwrap_or_default(),
        other => other.to_string(),
    };
    (verdict, reason)
}

/// Passes by trust, the official measure, and by category for trust `engine`.
fn counts(outcomes: &[Outcome]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for outcome in outcomes {
        let passed = u64::from(outcome.verdict == Verdict::Pass);
        let group = if outcome.expect_error { "refusals".to_string() } else { outcome.trust.clone() };
        *counts.entry(group).or_default() += passed;
        if outcome.trust == "engine" && !outcome.expect_error {
            *counts.entry(format!("engine.{}", outcome.category)).or_default() += passed;
        }
    }
    counts
}

fn print_summary(outcomes: &[Outcome], failures: usize) {
    let mut groups: BTreeMap<String, BTreeMap<Verdict, usize>> = BTreeMap::new();
    for outcome in outcomes {
        let trust = if outcome.expect_error { "refusals" } else { &outcome.trust };
        for group in [format!("= {trust}"), format!("{trust}: {}", outcome.category)] {
            *groups.entry(group).or_default().entry(outcome.verdict).or_default() += 1;
        }
    }
    for (group, verdicts) in &groups {
        let total: usize = verdicts.values().sum();
        let passed = verdicts.get(&Verdict::Pass).copied().unwrap_or(0);
        let rest: Vec<String> = verdicts
            .iter()
            .filter(|(verdict, _)| **verdict != Verdict::Pass)
            .map(|(verdict, count)| format!("{verdict:?} {count}"))
            .collect();
        let percent = 100.0 * passed as f64 / total as f64;
        println!("{group:34} {passed:5} of {total:5}  {percent:5.1} %  {}", rest.join(", "));
    }
    print_reasons(outcomes);
    for outcome in outcomes.iter().filter(|outcome| outcome.verdict != Verdict::Pass).take(failures) {
        println!("{} {:?} [{}] {}", outcome.id, outcome.verdict, outcome.category, outcome.reason);
    }
}

fn print_reasons(outcomes: &[Outcome]) {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.verdict != Verdict::Pass) {
        let reason = match outcome.verdict {
            Verdict::WrongRows | Verdict::WrongColumns => outcome.features.first().cloned().unwrap_or_default(),
            _ => outcome.reason.chars().take(90).collect(),
        };
        *reasons.entry(format!("{:?}: {reason}", outcome.verdict)).or_default() += 1;
    }
    let mut sorted: Vec<(usize, String)> = reasons.into_iter().map(|(reason, count)| (count, reason)).collect();
    sorted.sort_by(|left, right| right.cmp(left));
    println!("first reasons:");
    for (count, reason) in sorted.iter().take(40) {
        println!("{count:5}  {reason}");
    }
}

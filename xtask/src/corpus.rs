//! `cargo xtask corpus`: real rules through every stage: parse, bind, run on empty tables, run on synthetic rows.
//!
//! Verdicts are compared with the official parser's where the collection has them. Counts per stage and reason, and how
//! many queries return rows; each count has its ratchet.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use clap::Args;
use engine::{EngineError, QueryOptions, QueryOutput, ResultTable};
use kql_types::Severity;
use serde::Deserialize;

use crate::made::{self, Made};
use crate::{host, ratchet, second_opinion, silence};

const STACK_BYTES: usize = 256 << 20;

#[derive(Args)]
pub struct Options {
    /// File of queries (JSON lines, plain or gzip); the reference collection beside the project when left out.
    #[arg(long)]
    queries: Option<PathBuf>,
    /// Stop after this stage: parse, bind, empty or synthetic.
    #[arg(long, default_value = "synthetic")]
    until: String,
    /// Only every n-th query.
    #[arg(long, default_value_t = 1)]
    every: usize,
    /// Of every n queries, this one (counted from 0).
    #[arg(long, default_value_t = 0)]
    offset: usize,
    /// For a query that returns nothing on synthetic rows, find the operator that loses them.
    #[arg(long)]
    losses: bool,
    /// Compare the rows with those of the row-by-row evaluator.
    #[arg(long)]
    second_opinion: bool,
    /// List the ids of this many queries that return rows, drawn by the hash of their ids.
    #[arg(long, default_value_t = 0)]
    sample: usize,
    /// Only queries whose source or id has this text.
    #[arg(long)]
    only: Option<String>,
    /// List at most this many failures per stage.
    #[arg(long, default_value_t = 0)]
    failures: usize,
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Fail when a count is below `ratchets.json`, under the name of this selection.
    #[arg(long)]
    ratchet: bool,
    /// Raise `ratchets.json` to the counts of this run.
    #[arg(long)]
    raise: bool,
    /// Print counts and failures as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
pub struct Entry {
    #[serde(default)]
    pub id: String,
    #[serde(default)]
    source: String,
    pub query: String,
    #[serde(default)]
    pub params: Option<String>,
    oracle: Option<Oracle>,
}

#[derive(Deserialize)]
struct Oracle {
    ok: bool,
    parse_ok: bool,
    diagnostics: Vec<OracleDiagnostic>,
    result: Option<Vec<(String, String)>>,
    #[serde(default)]
    open: bool,
}

#[derive(Deserialize)]
struct OracleDiagnostic {
    code: String,
    severity: String,
}

/// Passes and failures of all stages.
#[derive(Default)]
struct Tally {
    passed: BTreeMap<&'static str, u64>,
    tried: BTreeMap<&'static str, u64>,
    failures: BTreeMap<&'static str, Vec<(String, String)>>,
    /// Ids of queries that return rows.
    returned: Vec<String>,
}

impl Tally {
    fn note(&mut self, stage: &'static str, entry: &Entry, failure: Option<String>) {
        *self.tried.entry(stage).or_default() += 1;
        match failure {
            None => *self.passed.entry(stage).or_default() += 1,
            Some(reason) => {
                self.failures.entry(stage).or_default().push((format!("{} {}", entry.id, entry.source), reason));
            }
        }
    }
}

/// Runs the queries, prints counts by stage and reason, and keeps the ratchet.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let path = match &options.queries {
        Some(path) => path.clone(),
        None => match testing::shared("corpus/sentinel-open.jsonl.gz") {
            Some(path) => path,
            None => return Ok(()),
        },
    };
    let mut entries = read(&path, options.every, options.offset, options.only.as_deref())?;
    if options.sample > 0 {
        // The first ones in the order of the draw: more than half of the queries return rows.
        entries.sort_by_key(|entry| second_opinion::draw(&entry.id));
        entries.truncate(2 * options.sample);
    }
    let catalog = host::catalog()?;
    let tally = Mutex::new(Tally::default());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            // The row-by-row evaluator walks deep queries on the stack.
            let worker = std::thread::Builder::new().stack_size(STACK_BYTES);
            let spawned = worker.spawn_scoped(scope, || {
                while let Some(entry) = entries.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut own = Tally::default();
                    stages(entry, &catalog, options, &mut own);
                    merge(&tally, own);
                }
            });
            spawned.context("starting a thread")?;
        }
        anyhow::Ok(())
    })?;
    let tally = tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    print(&tally, options);
    for id in second_opinion::drawn(&tally.returned, options.sample) {
        println!("{id}");
    }
    let counts = tally.passed.iter().map(|(stage, count)| ((*stage).to_string(), *count)).collect();
    let group = format!("corpus until {}, one of {}", options.until, options.every.max(1));
    if options.raise {
        ratchet::raise(&group, &counts)?;
    }
    if options.ratchet {
        ratchet::enforce(&group, &counts)?;
    }
    Ok(())
}

pub fn read(path: &Path, every: usize, offset: usize, only: Option<&str>) -> anyhow::Result<Vec<Entry>> {
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let reader: Box<dyn Read> = if path.extension().is_some_and(|extension| extension == "gz") {
        Box::new(flate2::read::GzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let mut entries = Vec::new();
    for (number, line) in BufReader::new(reader).lines().enumerate() {
        let line = line.with_context(|| format!("reading {}", path.display()))?;
        if line.trim().is_empty() || number % every.max(1) != offset {
            continue;
        }
        let entry: Entry =
            serde_json::from_str(&line).with_context(|| format!("{} line {}", path.display(), number + 1))?;
        if only.is_none_or(|only| entry.id.contains(only) || entry.source.contains(only)) {
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// The queries of a collection that the official parser accepts, or those that it refuses.
pub fn judged(path: &Path, accepted: bool) -> anyhow::Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in read(path, 1, 0, None)? {
        if entry.oracle.as_ref().is_some_and(|oracle| oracle.ok == accepted) {
            texts.push(host::with_parameters(&entry.query, entry.params.as_deref()));
        }
    }
    Ok(texts)
}

fn merge(into: &Mutex<Tally>, own: Tally) {
    let mut tally = into.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for (stage, count) in own.tried {
        *tally.tried.entry(stage).or_default() += count;
    }
    for (stage, count) in own.passed {
        *tally.passed.entry(stage).or_default() += count;
    }
    tally.returned.extend(own.returned);
    for (stage, failures) in own.failures {
        tally.failures.entry(stage).or_default().extend(failures);
    }
}

fn stages(entry: &Entry, catalog: &host::SharedCatalog, options: &Options, tally: &mut Tally) {
    let until = options.until.as_str();
    let text = host::with_parameters(&entry.query, entry.params.as_deref());
    let parse_ok = kql_syntax::parse(&text).errors.is_empty();
    if let Some(oracle) = &entry.oracle {
        let differs = parse_ok != oracle.parse_ok;
        tally.note("parse", entry, differs.then(|| format!("parsed: {parse_ok}, reference: {}", oracle.parse_ok)));
    }
    if until == "parse" {
        return;
    }
    let engine = host::engine(catalog, None);
    let query_options = made::query_options();
    let checked = engine.check(&text, &query_options);
    let verdict = |strict: bool| {
        let options = QueryOptions { strict, ..query_options.clone() };
        match entry.params.as_deref().filter(|params| !params.trim().is_empty()) {
            Some(params) => engine.check_function(params, &entry.query, &options),
            None => engine.check(&entry.query, &options),
        }
    };
    let refused = checked.diagnostics.iter().find(|diagnostic| diagnostic.severity == Severity::Error);
    if let Some(oracle) = &entry.oracle {
        bind_stage(entry, oracle, &verdict, tally);
        if !oracle.ok {
            return;
        }
    }
    if until == "bind" || refused.is_some() {
        return;
    }
    let plain = text;
    let text = made::filled(plain.clone());
    let checked = if text == plain { checked } else { engine.check(&text, &query_options) };
    let empty = engine.run_blocking(&text, &query_options);
    tally.note("runs-empty", entry, empty.as_ref().err().map(reason));
    let Some(bound) = checked.bound.filter(|_| until == "synthetic") else { return };
    let made = match Made::new(&text, bound, catalog) {
        Ok(made) => made,
        Err(error) => return tally.note("runs-synthetic", entry, Some(error.to_string())),
    };
    match made.run() {
        Ok(output) => {
            tally.note("runs-synthetic", entry, None);
            let count: usize = output.tables.iter().map(ResultTable::row_count).sum();
            if count > 0 {
                tally.returned.push(entry.id.clone());
            }
            let lost = || match options.losses {
                true => silence::loss(&made.engine, &made.bound, &text, &query_options),
                false => "no rows".to_string(),
            };
            tally.note("returns-rows", entry, (count == 0).then(lost));
            if options.second_opinion {
                second_opinion(entry, &made, &output, tally);
            }
        }
        Err(error) => tally.note("runs-synthetic", entry, Some(reason(&error))),
    }
}

/// Compares the rows with those of the other evaluator, where it knows the query.
fn second_opinion(entry: &Entry, made: &Made, output: &QueryOutput, tally: &mut Tally) {
    match second_opinion::difference(&made.bound, &made.rows, &output.tables) {
        Err(unknown) => tally.note("evaluated", entry, Some(unknown.to_string())),
        Ok(difference) => {
            tally.note("evaluated", entry, None);
            tally.note("agrees", entry, difference);
        }
    }
}

/// Compares the engine's verdict (also that with kindnesses off) with the official parser's.
fn bind_stage(entry: &Entry, oracle: &Oracle, verdict: &dyn Fn(bool) -> engine::Checked, tally: &mut Tally) {
    let checked = verdict(false);
    let errors = errors_of(&checked);
    if oracle.ok {
        let failure = errors.first().map(|error| format!("{} {}", error.code, error.message));
        let accepted = failure.is_none();
        tally.note("accepts", entry, failure);
        if let (true, false, Some(expected)) = (accepted, oracle.open, &oracle.result) {
            let got: Vec<(String, String)> =
                checked.columns.iter().map(|column| (column.name.clone(), column.ty.name().to_string())).collect();
            let failure = (got != *expected).then(|| first_difference(expected, &got));
            tally.note("columns", entry, failure);
        }
        return;
    }
    let strict = verdict(true);
    let failure = errors_of(&strict).is_empty().then(|| format!("accepted; reference says {}", codes(oracle)));
    tally.note("refuses-strict", entry, failure);
    let same = same_code(&strict, oracle);
    let failure =
        format!("reference {}, ours {}", codes(oracle), strict.diagnostics.first().map_or("none", |d| d.code));
    tally.note("same-code-strict", entry, (!same).then_some(failure));
    tally.note("refuses", entry, errors.is_empty().then(|| format!("accepted; reference says {}", codes(oracle))));
    let same = same_code(&checked, oracle);
    let failure = format!("reference {}, ours {}", codes(oracle), errors.first().map_or("none", |error| error.code));
    tally.note("same-code", entry, (!same).then_some(failure));
}

fn errors_of(checked: &engine::Checked) -> Vec<&kql_types::Diagnostic> {
    checked.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).collect()
}

/// Whether an error has the code of one of the official parser's errors.
fn same_code(checked: &engine::Checked, oracle: &Oracle) -> bool {
    errors_of(checked).iter().any(|error| {
        oracle.diagnostics.iter().any(|official| official.severity == "Error" && official.code == error.code)
    })
}

fn codes(oracle: &Oracle) -> String {
    let mut codes: Vec<&str> = oracle.diagnostics.iter().map(|diagnostic| diagnostic.code.as_str()).collect();
    codes.dedup();
    codes.join(",")
}

fn first_difference(expected: &[(String, String)], got: &[(String, String)]) -> String {
    let place = expected.iter().zip(got).position(|(left, right)| left != right);
    match place {
        Some(index) => format!("column {index}: {:?}, got {:?}", expected[index], got[index]),
        None => format!("{} columns, got {}", expected.len(), got.len()),
    }
}

fn reason(error: &EngineError) -> String {
    error.to_string().lines().next().unwrap_or_default().chars().take(110).collect()
}

fn print(tally: &Tally, options: &Options) {
    if options.json {
        let failures: Vec<_> = tally
            .failures
            .iter()
            .flat_map(|(stage, failures)| {
                failures
                    .iter()
                    .map(move |(entry, reason)| serde_json::json!({"stage": stage, "entry": entry, "reason": reason}))
            })
            .collect();
        println!("{:#}", serde_json::json!({"passed": tally.passed, "tried": tally.tried, "failures": failures}));
        return;
    }
    for (stage, tried) in &tally.tried {
        let passed = tally.passed.get(stage).copied().unwrap_or(0);
        println!("{stage:16} {passed:5} of {tried:5}  {:5.1} %", 100.0 * passed as f64 / (*tried).max(1) as f64);
        let failures = tally.failures.get(stage).map(Vec::as_slice).unwrap_or_default();
        if *stage != "returns-rows" {
            let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
            failures.iter().for_each(|(_, reason)| *reasons.entry(reason).or_default() += 1);
            let mut sorted: Vec<_> = reasons.into_iter().map(|(reason, count)| (count, reason)).collect();
            sorted.sort_by(|left, right| right.cmp(left));
            for (count, reason) in sorted.iter().take(12) {
                println!("  {count:5}  {reason}");
            }
        }
        for (entry, reason) in failures.iter().take(options.failures) {
            println!("    {entry}: {reason}");
        }
    }
}

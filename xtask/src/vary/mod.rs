//! `cargo xtask vary`: queries made by chance must run without internal errors, and give the same rows however they run:
//! with the optimizer's rules and without, on one partition and on two, in batches of odd sizes, from memory and from
//! Parquet.
//!
//! A query that fails is printed with its seed; `--seed SEED --count 1` makes it again. Queries that the engine refuses (a
//! constant that can never work) are counted and replaced. Begin at [`run`].

mod aggregates;
mod chance;
mod conditions;
mod data;
mod grammar;
mod judge;
mod literals;
mod operators;
mod values;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{bail, ensure};
use clap::Args;

use data::{Way, ways};
use grammar::{Decided, Grammar, Made};
use judge::{Judgement, judge};

#[derive(Args)]
pub struct Options {
    /// How many queries that run.
    #[arg(long, default_value_t = 2_000)]
    count: u64,
    /// The first seed; every query has the next one.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Run each query in every way, not in the first and two others that its seed chooses.
    #[arg(long)]
    every_way: bool,
    /// Only queries whose text has this in it; may be given several times.
    #[arg(long, value_name = "TEXT")]
    containing: Vec<String>,
    /// Run this query over the two tables in every way, instead of queries made by chance.
    #[arg(long, value_name = "QUERY")]
    query: Option<String>,
    /// Print the queries instead of running them.
    #[arg(long)]
    show: bool,
    /// Print what was refused and why.
    #[arg(long)]
    refused: bool,
}

/// Of so many queries at most one may be refused: otherwise the grammar makes no valid queries.
const REFUSED_SHARE: u64 = 4;
/// Of so many queries at least one must give rows, or nothing is compared.
const ROWS_SHARE: u64 = 3;

#[derive(Default)]
struct Counts {
    outcomes: BTreeMap<&'static str, u64>,
    reasons: BTreeMap<String, u64>,
}

/// Runs the queries; an error when any of them fails or differs.
pub fn run(options: &Options) -> anyhow::Result<()> {
    if options.show {
        for seed in options.seed..options.seed + options.count {
            println!("// seed {seed}\n{}\n", Grammar::new(seed).query().text);
        }
        return Ok(());
    }
    let started = Instant::now();
    let folder = tempfile::tempdir()?;
    let ways = ways(folder.path())?;
    if let Some(text) = &options.query {
        return match judge(&Made { text: text.clone(), decided: Decided::Rows }, &ways.iter().collect::<Vec<_>>()) {
            Judgement::Equal { .. } => Ok(()),
            Judgement::Refused(reason)
            | Judgement::Failed(reason)
            | Judgement::Internal(reason)
            | Judgement::Differs(reason) => {
                bail!(reason)
            }
        };
    }
    let (next, ran) = (AtomicU64::new(options.seed), AtomicU64::new(0));
    let counts: Mutex<Counts> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            scope.spawn(|| {
                while ran.load(Ordering::Relaxed) < options.count {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let made = Grammar::new(seed).query();
                    if !options.containing.iter().all(|text| made.text.contains(text)) {
                        continue;
                    }
                    let chosen = chosen(&ways, seed, options.every_way);
                    let judgement = judge(&made, &chosen);
                    if !matches!(judgement, Judgement::Refused(_)) {
                        ran.fetch_add(1, Ordering::Relaxed);
                    }
                    note(&counts, options, seed, &made.text, judgement);
                }
            });
        }
    });
    let counts = counts.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    report(options, &counts, started.elapsed().as_secs_f64(), next.into_inner())
}

/// The ways of one query: the first, and the others or two of them.
fn chosen(ways: &[Way], seed: u64, every_way: bool) -> Vec<&Way> {
    let others = ways.len() - 1;
    let mut chosen = vec![&ways[0]];
    if every_way {
        chosen.extend(&ways[1..]);
    } else {
        let first = seed as usize % others;
        chosen.extend([&ways[1 + first], &ways[1 + (first + 1 + (seed as usize / others) % (others - 1)) % others]]);
    }
    chosen
}

fn note(counts: &Mutex<Counts>, options: &Options, seed: u64, query: &str, judgement: Judgement) {
    let mut counts = counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let outcome = judgement.name();
    match judgement {
        Judgement::Equal { .. } => {}
        Judgement::Refused(reason) => {
            if options.refused {
                println!("// seed {seed}: refused: {reason}\n{query}\n");
            }
            *counts.reasons.entry(reason.chars().take(60).collect()).or_default() += 1;
        }
        Judgement::Failed(reason) | Judgement::Internal(reason) | Judgement::Differs(reason) => {
            println!("// seed {seed}: {outcome}: {reason}\n{query}\n");
        }
    }
    *counts.outcomes.entry(outcome).or_default() += 1;
}

fn report(options: &Options, counts: &Counts, seconds: f64, next: u64) -> anyhow::Result<()> {
    let of = |outcome: &str| counts.outcomes.get(outcome).copied().unwrap_or(0);
    for (outcome, count) in &counts.outcomes {
        println!("{outcome:16} {count}");
    }
    let mut reasons: Vec<(&String, &u64)> = counts.reasons.iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    for (reason, count) in reasons.iter().take(8) {
        println!("  refused {count:6}  {reason}");
    }
    let (first, last) = (options.seed, next.saturating_sub(1));
    println!("seeds {first} to {last}, {} functions called, {seconds:.0} s", values::callable());
    let (equal, rows, refused) = (of("equal") + of("equal, with rows"), of("equal, with rows"), of("refused"));
    let bad = of("failed") + of("internal error") + of("differs");
    ensure!(bad == 0, "{bad} of {} queries fail or differ", equal + bad);
    ensure!(refused <= (equal + refused) / REFUSED_SHARE, "{refused} queries are refused: the grammar has gone wrong");
    ensure!(rows >= equal / ROWS_SHARE, "only {rows} of {equal} queries give rows");
    Ok(())
}

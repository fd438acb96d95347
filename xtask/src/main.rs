//! Developer commands: `cargo xtask check | conformance | corpus | vary | bench | docs | hostile | fuzz`.
//!
//! `check` is what a change must pass; the runners measure the engine against recorded answers and real rules and keep
//! their pass counts in `ratchets.json`, below which continuous integration fails.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod bench;
mod check;
mod compare;
mod conformance;
mod corpus;
mod docs;
mod fuzz;
mod host;
mod hostile;
mod made;
mod planning;
mod ratchet;
mod second_opinion;
mod shared_scan;
mod silence;
mod tidy;
mod vary;

use clap::{Parser, Subcommand};

/// The allocator that the program has, so that measurements are of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "xtask", about = "Developer commands of Tidewatch")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Format, clippy with warnings denied, tidy rules, direction of dependencies, freshness of the reference.
    Check,
    /// Tidy rules and direction of dependencies alone.
    Tidy,
    /// Runs recorded KQL cases and compares rows.
    Conformance(conformance::Options),
    /// Runs real rules through every stage and counts.
    Corpus(corpus::Options),
    /// Makes queries by chance, and runs each in several ways.
    Vary(vary::Options),
    /// Times the engine and its peers on the same Parquet files.
    Bench(bench::Options),
    /// Writes the reference from the registries, or checks that it is fresh.
    Docs(docs::Options),
    /// Reads malformed variants of every log format, thousands of each.
    Hostile(hostile::Options),
    /// Every decoder of logs under a fuzzer.
    Fuzz(fuzz::Options),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Check => check::run(),
        Command::Tidy => tidy::run(),
        Command::Conformance(options) => conformance::run(&options),
        Command::Corpus(options) => corpus::run(&options),
        Command::Vary(options) => vary::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Docs(options) => docs::run(&options),
        Command::Hostile(options) => hostile::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
    }
}

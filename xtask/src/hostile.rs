//! `cargo xtask hostile`: malformed variants of every log format, many more than the tests make, and what became of them.
//!
//! The variants are those of the test `hostile::malformed_variants_of_every_format`, which fails on a panic, a hang, a lost
//! neighbour or sums that do not add up; this runs it with a larger number and prints its account.

use std::process::Command;

use anyhow::{Context, bail};
use clap::Args;

#[derive(Args)]
pub struct Options {
    /// Variants of each format
    #[arg(long, default_value_t = 2_000)]
    variants: u32,
}

/// Runs the campaign; fails when the test does.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["test", "--package", "connectors", "--test", "it", "hostile::malformed", "--", "--nocapture"])
        .env("HOSTILE_VARIANTS", options.variants.to_string())
        .output()
        .context("running the test")?;
    let text = String::from_utf8_lossy(&output.stdout);
    println!("| format | variants | records | rows | time |\n|---|---|---|---|---|");
    for line in text.lines().filter_map(|line| line.strip_prefix("hostile | ")) {
        println!("| {line} |");
    }
    if !output.status.success() {
        bail!("the campaign failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

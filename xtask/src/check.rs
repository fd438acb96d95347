//! `cargo xtask check`: everything a change must pass besides its tests.

use std::process::Command;

use anyhow::{Context, bail};

use crate::{docs, tidy};

/// Runs format, clippy, the tidy rules and the check of the reference; fails on the first that does not pass.
pub fn run() -> anyhow::Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])?;
    tidy::run()?;
    docs::check()
}

fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    println!("cargo {}", arguments.join(" "));
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments)
        .status()
        .with_context(|| format!("starting cargo {}", arguments.join(" ")))?;
    if !status.success() {
        bail!("cargo {} failed", arguments.join(" "));
    }
    Ok(())
}

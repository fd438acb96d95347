//! The program `tidewatch`: arguments in, text or JSON out.
//!
//! The only crate that knows terminals and clocks. Each command is a file under `commands`; what users type is declared
//! in [`args`], which the reference is made from. Start at [`run`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod args;
mod builtin;
mod cache;
mod commands;
mod diagnostics;
mod events;
mod exit;
mod git;
mod lsp;
mod output;
mod progress;
mod project;
mod report;
mod session;
mod shell;
mod terminal;
mod watchlists;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

/// The page of every lint code, for the reference: (code, title, page in Markdown).
pub fn lint_pages() -> Vec<(&'static str, &'static str, String)> {
    detections::lint::codes::CODES.iter().map(|code| (code.code, code.title, report::lint::page(code))).collect()
}

/// The log sources of Sigma rules with their tables and fields, for its page: Markdown.
pub fn sigma_tables() -> String {
    report::sigma::tables()
}

/// Reads the command line of the process, does what it says, and tells how it ended.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let result = match &cli.command {
        Command::Hunt(args) => commands::hunt::run(args),
        Command::Query(args) => commands::query::run(args),
        Command::Check(args) => commands::check::run(args),
        Command::Sources(args) => commands::sources::run(args),
        Command::Load(args) => commands::load::run(args),
        Command::Fmt(args) => commands::fmt::run(args),
        Command::Test(args) => commands::test::run(args),
        Command::Lint(args) => commands::lint::run(args),
        Command::Pivot(args) => commands::pivot::pivot(args),
        Command::Timeline(args) => commands::pivot::timeline(args),
        Command::Iocs(args) => commands::iocs::run(args),
        Command::Convert(args) => commands::convert::run(args),
        Command::Explain(args) => commands::explain::run(args),
        Command::Shell(args) => commands::shell::run(args),
        Command::Lsp(args) => commands::lsp::run(args),
        Command::Coverage(args) => commands::coverage::run(args),
        Command::Catalog(args) => commands::catalog::run(args),
        Command::Emulate(args) => commands::emulate::run(args),
        Command::Demo(args) => commands::demo::run(args),
        Command::Cache(args) => commands::cache::run(args),
    };
    match result {
        Ok(exit) => exit.code(),
        // The reader of a pipe went away: nothing is wrong.
        Err(error) if is_closed_pipe(&error) => exit::Exit::Clean.code(),
        Err(error) => {
            let label = terminal::paint("error", terminal::Tone::Alarm, terminal::stderr_has_colour());
            let _ = writeln!(io::stderr(), "{label}: {}", terminal::safe_lines(&format!("{error:#}")));
            exit::of_error(&error).code()
        }
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let kind = if let Some(error) = cause.downcast_ref::<io::Error>() {
            Some(error.kind())
        } else if let Some(error) = cause.downcast_ref::<serde_json::Error>() {
            error.io_error_kind()
        } else if let Some(error) = cause.downcast_ref::<csv::Error>() {
            match error.kind() {
                csv::ErrorKind::Io(error) => Some(error.kind()),
                _ => None,
            }
        } else {
            None
        };
        kind == Some(io::ErrorKind::BrokenPipe)
    })
}

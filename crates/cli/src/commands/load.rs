//! `tidewatch load`: the tables found in logs, written as Parquet.

use std::io::{self, Write};

use anyhow::Result;

use crate::args::LoadArgs;
use crate::exit::{Exit, Failure};
use crate::session;
use crate::terminal::safe;

/// Loads and writes.
pub fn run(args: &LoadArgs) -> Result<Exit> {
    let schemas = session::read_schemas(&args.schemas)?;
    let loaded = session::load(&args.paths, &schemas, args.threads.map(usize::from))?;
    let written = connectors::write(&loaded, &args.output).map_err(|e| Failure::input(e.to_string()))?;
    let mut out = io::stdout().lock();
    for file in &written {
        writeln!(out, "{}: {} rows", safe(&file.path.display().to_string()), file.rows)?;
    }
    let sources = &loaded.report.sources;
    let unreadable: u64 = sources.iter().map(|source| source.unreadable_count()).sum();
    let duplicates: u64 = sources.iter().map(|source| source.duplicates).sum();
    let other: u64 = sources.iter().map(|source| source.other_count()).sum();
    writeln!(out, "{} files read; {duplicates} duplicates, {other} records of other kinds, {unreadable} unreadable", sources.len())?;
    Ok(Exit::Clean)
}

//! `tidewatch load`: the tables found in logs, written as Parquet.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::Result;

use crate::args::LoadArgs;
use crate::cache;
use crate::exit::Exit;
use crate::session;
use crate::terminal::{counted, safe};

/// Loads and writes.
pub fn run(args: &LoadArgs) -> Result<Exit> {
    let schemas = session::read_schemas(&args.schemas)?;
    let reading = session::Reading::new(&args.reading, &args.files)?.resumed(args.resume)?;
    let loaded = session::load_into(&args.paths, &reading, &schemas, args.threads.map(usize::from), &args.output)?;
    let mut out = io::stdout().lock();
    let mut tables: BTreeMap<&str, u64> = BTreeMap::new();
    for file in &loaded.parquet {
        *tables.entry(&file.table).or_default() += file.rows;
    }
    for (table, rows) in tables {
        writeln!(out, "{}: {}", safe(table), counted(rows, "row"))?;
    }
    let sources = &loaded.report.sources;
    let unreadable: u64 = sources.iter().map(|source| source.unreadable_count()).sum();
    let duplicates: u64 = sources.iter().map(|source| source.duplicates).sum();
    let other: u64 = sources.iter().map(|source| source.other_count()).sum();
    let left_out = format!(
        "{}, {} of other kinds, {unreadable} unreadable",
        counted(duplicates, "duplicate"),
        counted(other, "record")
    );
    writeln!(out, "{} read; {left_out}", counted(sources.len() as u64, "file"))?;
    if args.resume {
        writeln!(out, "{}", cache::resumed(&loaded))?;
    }
    if let Some(line) = cache::line(&loaded) {
        writeln!(out, "{}", safe(&line))?;
    }
    writeln!(out, "use them with --logs {}", safe(&args.output.display().to_string()))?;
    let unread = sources.iter().any(|source| source.stopped.is_some() && source.records == 0);
    Ok(if unread { Exit::Input } else { Exit::Clean })
}

//! The interactive prompt: queries one after the other over the same logs.
//!
//! On a terminal with editing, history and completion ([`prompt`]); from a pipe, queries separated by blank lines.
//! Lines that begin with a dot are commands. Start at [`Shell::run`].

mod prompt;

use std::fs::File;
use std::io::{self, BufRead, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use clap::ValueEnum;
use engine::{EngineError, QueryOptions, ResultTable};
use kql_types::Diagnostic;

use crate::args::QueryFormat;
use crate::diagnostics::{self, Source};
use crate::output;
use crate::session::Session;
use crate::terminal::{self, safe, safe_lines};

const HELP: &str = "A query ends with a blank line, or with Enter when it is one whole line.\n\
  .tables            tables with rows\n\
  .schema TABLE      columns of a table\n\
  .export FILE       the last result as csv, json, ndjson, parquet or kusto, by the file's ending\n\
  .help              this\n\
  .quit              leave\n";

/// Queries over one session.
pub struct Shell {
    session: Session,
    options: QueryOptions,
    last: Vec<ResultTable>,
}

/// Whether the shell goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Go,
    Quit,
}

impl Shell {
    pub fn new(session: Session, options: QueryOptions) -> Shell {
        Shell { session, options, last: Vec::new() }
    }

    /// Reads and answers until the end of the input.
    ///
    /// # Errors
    /// A terminal or a pipe that cannot be used.
    pub fn run(&mut self, history: Option<&Path>) -> Result<()> {
        if !io::stdin().is_terminal() {
            return self.run_piped();
        }
        let catalog = Arc::clone(self.session.engine.catalog());
        let mut prompt = prompt::Prompt::open(catalog, history)?;
        writeln!(io::stdout(), "Tidewatch {}: .help tells the commands", env!("CARGO_PKG_VERSION"))?;
        while let Some(text) = prompt.read()? {
            if self.answer(text.trim())? == Next::Quit {
                break;
            }
        }
        prompt.save();
        Ok(())
    }

    /// From a pipe: a blank line ends a query, a command is a line.
    fn run_piped(&mut self) -> Result<()> {
        let mut query = String::new();
        for line in io::stdin().lock().lines() {
            let line = line?;
            let is_command = query.is_empty() && line.starts_with('.');
            if !line.trim().is_empty() && !is_command {
                query.push_str(&line);
                query.push('\n');
                continue;
            }
            let text = if is_command { line } else { std::mem::take(&mut query) };
            if self.answer(text.trim())? == Next::Quit {
                return Ok(());
            }
        }
        self.answer(query.trim())?;
        Ok(())
    }

    fn answer(&mut self, text: &str) -> Result<Next> {
        if text.is_empty() {
            return Ok(Next::Go);
        }
        if let Some(command) = text.strip_prefix('.') {
            let (name, argument) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
            return self.command(name, argument.trim());
        }
        match self.session.engine.run_blocking(text, &self.options) {
            Ok(output) => {
                self.explain(&output.diagnostics, text)?;
                show(&output.tables)?;
                self.last = output.tables;
            }
            Err(EngineError::Diagnostics(list)) => self.explain(&list, text)?,
            Err(error) => writeln!(io::stderr(), "error: {}", safe_lines(&error.to_string()))?,
        }
        Ok(Next::Go)
    }

    fn explain(&self, list: &[Diagnostic], text: &str) -> Result<()> {
        let shown = diagnostics::render(list, &Source::of_query("query", text), terminal::stderr_has_colour());
        write!(io::stderr(), "{shown}")?;
        Ok(())
    }

    fn command(&mut self, name: &str, argument: &str) -> Result<Next> {
        let mut out = io::stdout().lock();
        match name {
            "quit" | "exit" => return Ok(Next::Quit),
            "help" => write!(out, "{HELP}")?,
            "tables" => {
                for (table, profile) in &self.session.profile.tables {
                    writeln!(out, "{}: {}", safe(table), terminal::counted(profile.rows, "row"))?;
                }
            }
            "schema" => match self.session.engine.catalog().table(argument) {
                Some(table) => {
                    for column in &table.columns {
                        writeln!(out, "{}: {}", safe(&column.name), column.ty)?;
                    }
                }
                None => writeln!(io::stderr(), "error: there is no table `{}`", safe(argument))?,
            },
            "export" => {
                if let Err(error) = self.export(argument) {
                    writeln!(io::stderr(), "error: {}", safe_lines(&format!("{error:#}")))?;
                }
            }
            other => writeln!(io::stderr(), "error: there is no command `.{}`: .help tells them", safe(other))?,
        }
        Ok(Next::Go)
    }

    /// Writes the last result to a file, in the form that its ending names.
    fn export(&self, file: &str) -> Result<()> {
        let path = Path::new(file);
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
        let format = QueryFormat::from_str(&ending, true).ok().filter(|format| *format != QueryFormat::Table);
        let Some(format) = format else {
            anyhow::bail!("`{file}` should end with .csv, .json, .ndjson, .parquet or .kusto");
        };
        if self.last.is_empty() {
            anyhow::bail!("there is no result yet");
        }
        let mut out = BufWriter::new(File::create(path)?);
        output::write(&self.last, format, &mut out)?;
        out.flush()?;
        Ok(())
    }
}

/// Charts where `render` asks for them, tables else; longer than the screen goes through the user's pager.
fn show(tables: &[ResultTable]) -> Result<()> {
    let mut text = Vec::new();
    for table in tables {
        match output::chart(table, terminal::width().min(120)) {
            Some(chart) => write!(text, "{chart}")?,
            None => output::write(std::slice::from_ref(table), QueryFormat::Table, &mut text)?,
        }
    }
    let lines = text.iter().filter(|byte| **byte == b'\n').count();
    if io::stdout().is_terminal() && lines > SCREEN_LINES && page(&text) {
        return Ok(());
    }
    io::stdout().lock().write_all(&text)?;
    Ok(())
}

/// Longer results are paged.
const SCREEN_LINES: usize = 60;

/// Shows a text in the user's pager; false when that does not work.
fn page(text: &[u8]) -> bool {
    let pager = std::env::var("PAGER").ok().filter(|pager| !pager.trim().is_empty());
    let pager = pager.unwrap_or_else(|| "less -FSX".to_owned());
    let mut words = pager.split_whitespace();
    let Some(program) = words.next() else { return false };
    let child = std::process::Command::new(program).args(words).stdin(std::process::Stdio::piped()).spawn();
    let Ok(mut child) = child else { return false };
    if let Some(mut stdin) = child.stdin.take() {
        // The reader may leave early.
        let _ = stdin.write_all(text);
    }
    child.wait().is_ok_and(|status| status.success())
}

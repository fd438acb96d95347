//! `tidewatch query`: one query over logs.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use anyhow::{Context, Result};
use detections::placeholders;
use engine::{EngineError, QueryOptions, QueryOutput};
use kql_types::{Diagnostic, Severity, Value};

use crate::args::{QueryArgs, QueryFormat};
use crate::diagnostics::{self, Source};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::session::{self, Session, SessionInput};
use crate::terminal;

/// Runs the query and writes its result.
pub fn run(args: &QueryArgs) -> Result<Exit> {
    let (name, text) = query_text(args)?;
    let session = Session::open(SessionInput {
        logs: &args.logs,
        names: &args.names,
        functions: Vec::new(),
        watchlists: Vec::new(),
        threads: args.threads.map(usize::from),
    })?;
    warn_of_logs(&session);
    let now = match &args.as_of {
        Some(time) => session::parse_time("--as-of", time)?,
        None => session.default_now(),
    };
    let range = session::parse_length("--range", &args.range)?;
    let options = QueryOptions {
        parameters: parameters(&args.param)?,
        strict: args.strict,
        partitions: args.threads.map(usize::from),
        ..QueryOptions::at(now)
    };
    let filled = placeholders::fill(&text, now.saturating_sub(range).max(0), now);
    match session.engine.run_blocking(&filled.text, &options) {
        Ok(output) => {
            show_diagnostics(&output.diagnostics, &filled, &name, &text);
            write_result(args, &output)?;
            Ok(Exit::Clean)
        }
        Err(error) => report_error(args.format, error, &filled, &name, &text),
    }
}

/// The query and what to call it in messages.
fn query_text(args: &QueryArgs) -> Result<(String, String)> {
    match (&args.query, &args.file) {
        (Some(query), _) => Ok(("query".to_string(), query.clone())),
        (None, Some(path)) if path == Path::new("-") => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).context("reading the query from standard input")?;
            Ok(("standard input".to_string(), text))
        }
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path).map_err(|e| Failure::input(format!("{}: {e}", path.display())))?;
            let text = text.strip_prefix('\u{feff}').map(str::to_string).unwrap_or(text);
            Ok((path.display().to_string(), text))
        }
        (None, None) => Err(Failure::usage("no query given")),
    }
}

/// `NAME=VALUE` pairs. The binder reads a text as the declared type of the parameter.
fn parameters(list: &[String]) -> Result<Vec<(String, Value)>> {
    list.iter()
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                Ok((name.trim().to_string(), Value::String(value.to_string())))
            }
            _ => Err(Failure::usage(format!("--param: `{pair}` is not NAME=VALUE"))),
        })
        .collect()
}

/// Files that gave nothing are told even when only a query's result is asked for.
fn warn_of_logs(session: &Session) {
    for source in &session.loaded.report.sources {
        if let Some(reason) = &source.stopped {
            warn(&format!("{}: read only in part: {}", source.path, reason));
        }
        let unreadable = source.unreadable_count();
        if unreadable > 0 {
            warn(&format!("{}: {unreadable} records could not be read", source.path));
        }
    }
}

/// A warning on standard error.
pub fn warn(message: &str) {
    let label = terminal::paint("warning", terminal::Tone::Warning, terminal::stderr_has_colour());
    let _ = writeln!(io::stderr(), "{label}: {}", terminal::safe(message));
}

fn show_diagnostics(diagnostics: &[Diagnostic], filled: &placeholders::FilledQuery, name: &str, text: &str) {
    let shown: Vec<Diagnostic> = diagnostics
        .iter()
        .filter(|d| d.severity >= Severity::Warning)
        .map(|d| Diagnostic { span: filled.original_span(d.span), ..d.clone() })
        .collect();
    let rendered = diagnostics::render(&shown, &Source::of_query(name, text), terminal::stderr_has_colour());
    let _ = write!(io::stderr(), "{rendered}");
}

fn write_result(args: &QueryArgs, output: &QueryOutput) -> Result<()> {
    if let Some(path) = &args.output {
        let file = File::create(path).with_context(|| format!("writing {}", path.display()))?;
        let mut out = BufWriter::new(file);
        output::write(&output.tables, args.format, &mut out)?;
        out.flush()?;
        return Ok(());
    }
    if args.format == QueryFormat::Parquet && io::IsTerminal::is_terminal(&io::stdout()) {
        return Err(Failure::usage("Parquet is not for terminals: give --output FILE"));
    }
    let mut out = BufWriter::new(io::stdout().lock());
    output::write(&output.tables, args.format, &mut out)?;
    out.flush()?;
    Ok(())
}

/// Shows an error: on standard error for people, as JSON in place of the result for programs.
fn report_error(
    format: QueryFormat,
    error: EngineError,
    filled: &placeholders::FilledQuery,
    name: &str,
    text: &str,
) -> Result<Exit> {
    let to_text = |d: Diagnostic| Diagnostic { span: filled.original_span(d.span), ..d };
    let (code, mut diagnostics) = match &error {
        EngineError::Diagnostics(list) => ("General_BadRequest", list.iter().cloned().map(to_text).collect()),
        EngineError::Unsupported { name, span: Some(span) } => {
            let message = format!("unsupported: {name}");
            ("General_BadRequest", vec![to_text(Diagnostic::error("TW900", *span, message))])
        }
        EngineError::Unsupported { .. } => ("General_BadRequest", Vec::new()),
        EngineError::Limit(_) => ("LimitsExceeded", Vec::new()),
        EngineError::Data(_) | EngineError::Bug(_) => ("Internal service error", Vec::new()),
    };
    // The mistakes first: a warning in front of them would stand for the whole.
    diagnostics.sort_by_key(|d| std::cmp::Reverse(d.severity == Severity::Error));
    let first = diagnostics.iter().find(|d| d.severity == Severity::Error);
    let message = match first {
        Some(first) => format!("{}: {}", first.code, first.message),
        None => output::error_line(&error),
    };
    if matches!(format, QueryFormat::Kusto | QueryFormat::Json | QueryFormat::Ndjson) {
        let body = output::error_body(code, &message, &diagnostics, text);
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, &body)?;
        writeln!(out)?;
    }
    let colour = terminal::stderr_has_colour();
    if diagnostics.is_empty() {
        let label = terminal::paint("error", terminal::Tone::Alarm, colour);
        writeln!(io::stderr(), "{label}: {}", terminal::safe_lines(&message))?;
    } else {
        let rendered = diagnostics::render(&diagnostics, &Source::of_query(name, text), colour);
        write!(io::stderr(), "{rendered}")?;
    }
    Ok(match error {
        EngineError::Diagnostics(_) | EngineError::Unsupported { .. } => Exit::Rules,
        EngineError::Data(_) => Exit::Input,
        EngineError::Limit(_) | EngineError::Bug(_) => Exit::Limit,
    })
}

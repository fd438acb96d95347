//! `tidewatch check`: diagnostics and result columns, without data.

use std::io::{self, BufRead, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use detections::library::{self, RuleLibrary};
use detections::placeholders;
use detections::rule::AnalyticsRule;
use engine::{Checked, Engine, QueryOptions};
use kql_types::{Diagnostic, Severity, Value, datetime};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::args::{CheckArgs, CheckFormat, NameArgs};
use crate::diagnostics::{Source, render, utf16_offset};
use crate::exit::Exit;
use crate::session::{Reading, Session, SessionInput};
use crate::terminal::{self, Tone, paint, safe};

/// Checks what was asked for.
pub fn run(args: &CheckArgs) -> Result<Exit> {
    if args.jsonl {
        return check_lines(args);
    }
    if args.files == [Path::new("-")] {
        return check_standard_input(args);
    }
    check_files(args)
}

/// An engine without data that knows these names.
pub fn engine_for(names: &NameArgs, library: &RuleLibrary) -> Result<Engine> {
    let input = SessionInput {
        reading: Reading::default(),
        logs: &[],
        names,
        functions: library.functions.clone(),
        watchlists: library.watchlist_files.clone(),
        threads: None,
    };
    Ok(Session::open(input)?.engine)
}

/// A fixed clock: without data no moment is better than another, and the verdict must not change from day to day.
fn clock() -> i64 {
    datetime::parse("2026-01-01").unwrap_or(datetime::UNIX_EPOCH)
}

/// What is wrong with a query, placeholders filled; and the text that was checked.
pub fn check_text(engine: &Engine, text: &str, strict: bool, parameters: Vec<(String, Value)>) -> (Checked, String) {
    let now = clock();
    let filled = placeholders::fill(text, now - datetime::TICKS_PER_DAY, now);
    let options = QueryOptions { strict, parameters, ..QueryOptions::at(now) };
    let mut checked = engine.check(&filled.text, &options);
    for diagnostic in &mut checked.diagnostics {
        diagnostic.span = filled.original_span(diagnostic.span);
    }
    (checked, filled.text)
}

/// A line of `--jsonl`.
#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    id: Json,
    query: String,
    /// Parameters of a function whose body the query is, as KQL writes them (`x:long, y:string='a'`), or values by
    /// name for declared query parameters.
    #[serde(default)]
    params: Option<Json>,
}

/// One verdict a line, in the order of the lines; lines are checked side by side in blocks.
fn check_lines(args: &CheckArgs) -> Result<Exit> {
    const BLOCK: usize = 512;
    let engine = engine_for(&args.names, &RuleLibrary::default())?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut lines = io::stdin().lock().lines();
    loop {
        let mut block = Vec::with_capacity(BLOCK);
        for line in lines.by_ref().take(BLOCK) {
            let line = line.context("reading standard input")?;
            if !line.trim().is_empty() {
                block.push(line);
            }
        }
        if block.is_empty() {
            break;
        }
        for verdict in in_parallel(&block, |line| verdict_of_line(&engine, line, args.strict)) {
            serde_json::to_writer(&mut out, &verdict)?;
            out.write_all(b"\n")?;
        }
        out.flush()?;
    }
    Ok(Exit::Clean)
}

/// Applies a function to each item on all cores; results in the order of the items.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(items.len().max(1));
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<R>>> = items.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(item), Some(slot)) = (items.get(index), results.get(index)) else { return };
                    let result = work(item);
                    *slot.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(result);
                }
            });
        }
    });
    results.into_iter().filter_map(|slot| slot.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())).collect()
}

fn verdict_of_line(engine: &Engine, line: &str, strict: bool) -> Json {
    let request: Request = match serde_json::from_str(line) {
        Ok(request) => request,
        Err(error) => return json!({"id": null, "error": format!("not a request: {error}")}),
    };
    let (declared, values) = match &request.params {
        Some(Json::String(text)) if !text.trim().is_empty() => (Some(text.clone()), Vec::new()),
        Some(Json::Object(map)) => (None, map.iter().map(|(name, value)| (name.clone(), value_of(value))).collect()),
        _ => (None, Vec::new()),
    };
    let checked = match declared {
        Some(params) => check_function(engine, &params, &request.query, strict),
        None => check_text(engine, &request.query, strict, values).0,
    };
    verdict(&request.id, &checked, &request.query)
}

/// A function's body, over parameters that are known by their types alone.
fn check_function(engine: &Engine, params: &str, body: &str, strict: bool) -> Checked {
    let now = clock();
    let filled = placeholders::fill(body, now - datetime::TICKS_PER_DAY, now);
    let options = QueryOptions { strict, ..QueryOptions::at(now) };
    let mut checked = engine.check_function(params, &filled.text, &options);
    for diagnostic in &mut checked.diagnostics {
        diagnostic.span = filled.original_span(diagnostic.span);
    }
    checked
}

fn value_of(json: &Json) -> Value {
    match json {
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(value) => Value::Long(value),
            None => Value::Real(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::String(text.clone()),
        other => Value::String(other.to_string()),
    }
}

/// The machine-readable verdict; places count as the official parser does. What is rarely there is written only then:
/// `open` (more columns, known at run time), `unsupported` (parts that cannot run), a diagnostic's `help`.
fn verdict(id: &Json, checked: &Checked, text: &str) -> Json {
    let diagnostics: Vec<Json> = checked.diagnostics.iter().map(|d| diagnostic_json(d, text)).collect();
    let result: Vec<Json> = checked.columns.iter().map(|c| json!([c.name, c.ty.name()])).collect();
    let unsupported: Vec<&str> =
        checked.bound.iter().flat_map(|bound| &bound.unsupported).map(|part| part.name.as_str()).collect();
    let mut verdict = Map::new();
    verdict.insert("id".to_string(), id.clone());
    verdict.insert("parse_ok".to_string(), Json::from(checked.parse_ok));
    verdict.insert("diagnostics".to_string(), Json::from(diagnostics));
    verdict.insert("result".to_string(), Json::from(result));
    if checked.open {
        verdict.insert("open".to_string(), Json::from(true));
    }
    if !unsupported.is_empty() {
        verdict.insert("unsupported".to_string(), json!(unsupported));
    }
    Json::Object(verdict)
}

fn diagnostic_json(diagnostic: &Diagnostic, text: &str) -> Json {
    let mut json = json!({
        "code": diagnostic.code,
        "severity": diagnostic.severity.name(),
        "message": diagnostic.message,
        "start": utf16_offset(text, diagnostic.span.start as usize),
        "end": utf16_offset(text, diagnostic.span.end as usize),
    });
    if let (Some(help), Some(object)) = (&diagnostic.help, json.as_object_mut()) {
        object.insert("help".to_string(), Json::from(help.clone()));
    }
    json
}

fn has_error(checked: &Checked) -> bool {
    checked.diagnostics.iter().any(|d| d.severity == Severity::Error)
}

fn check_standard_input(args: &CheckArgs) -> Result<Exit> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).context("reading the query from standard input")?;
    let engine = engine_for(&args.names, &RuleLibrary::default())?;
    let (checked, _) = check_text(&engine, &text, args.strict, Vec::new());
    let mut out = io::stdout().lock();
    if args.format == CheckFormat::Json {
        serde_json::to_writer(&mut out, &verdict(&Json::Null, &checked, &text))?;
        writeln!(out)?;
    } else {
        show(&mut out, &checked, &Source::of_query("standard input", &text), args.quiet)?;
    }
    Ok(if has_error(&checked) { Exit::Found } else { Exit::Clean })
}

fn check_files(args: &CheckArgs) -> Result<Exit> {
    let paths: Vec<PathBuf> = args.files.clone();
    let library = library::load(&paths);
    let engine = engine_for(&args.names, &library)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut wrong = 0_usize;
    let results = in_parallel(&library.rules, |rule| check_text(&engine, &rule.query, args.strict, Vec::new()).0);
    for (rule, checked) in library.rules.iter().zip(&results) {
        wrong += usize::from(has_error(checked));
        if args.format == CheckFormat::Json {
            let mut verdict = verdict(&Json::from(rule.id.clone()), checked, &rule.query);
            if let Some(object) = verdict.as_object_mut() {
                object.insert("file".to_string(), Json::from(rule.place.file.clone()));
                object.insert("notes".to_string(), json!(notes_of(rule)));
            }
            serde_json::to_writer(&mut out, &verdict)?;
            writeln!(out)?;
        } else {
            show_rule(&mut out, rule, checked, args)?;
        }
    }
    out.flush()?;
    drop(out);
    let exit = show_files_that_are_no_rules(&library, args)?;
    if args.format == CheckFormat::Text {
        let checked = library.rules.len();
        let colour = terminal::stdout_has_colour();
        let summary = match wrong {
            0 => paint("no mistakes", Tone::Good, colour),
            n => paint(&format!("{n} with mistakes"), Tone::Alarm, colour),
        };
        writeln!(io::stdout(), "{checked} {} checked: {summary}", if checked == 1 { "query" } else { "queries" })?;
    }
    Ok(exit.max(if wrong > 0 { Exit::Found } else { Exit::Clean }))
}

fn notes_of(rule: &AnalyticsRule) -> Vec<String> {
    let unknown =
        rule.unknown_fields.iter().map(|field| format!("unknown field `{}` at {}", field.name, field.position));
    rule.notes.iter().cloned().chain(unknown).collect()
}

fn show_rule(out: &mut dyn Write, rule: &AnalyticsRule, checked: &Checked, args: &CheckArgs) -> Result<()> {
    let notes = notes_of(rule);
    let worth_showing = !args.quiet || !checked.diagnostics.is_empty() || !notes.is_empty();
    if !worth_showing {
        return Ok(());
    }
    let colour = terminal::stdout_has_colour();
    writeln!(out, "{}", paint(&format!("{} ({})", safe(&rule.place.file), safe(&rule.name)), Tone::Strong, colour))?;
    for note in notes {
        writeln!(out, "{} {}", paint("note:", Tone::Quiet, colour), safe(&note))?;
    }
    show(out, checked, &Source::of_rule(rule), args.quiet)
}

/// Diagnostics, then the columns of the result.
fn show(out: &mut dyn Write, checked: &Checked, source: &Source<'_>, quiet: bool) -> Result<()> {
    write!(out, "{}", render(&checked.diagnostics, source, terminal::stdout_has_colour()))?;
    for part in checked.bound.iter().flat_map(|bound| &bound.unsupported) {
        writeln!(out, "unsupported: {}", safe(&part.name))?;
    }
    if !quiet && !has_error(checked) {
        let columns: Vec<String> =
            checked.columns.iter().map(|column| format!("{}:{}", safe(&column.name), column.ty)).collect();
        let more = if checked.open { ", and columns known only at run time" } else { "" };
        writeln!(out, "columns: {}{more}", columns.join(", "))?;
    }
    Ok(())
}

fn show_files_that_are_no_rules(library: &RuleLibrary, args: &CheckArgs) -> Result<Exit> {
    let mut exit = Exit::Clean;
    let mut out = io::stdout().lock();
    for broken in &library.broken {
        exit = exit.max(Exit::Found);
        if args.format == CheckFormat::Json {
            let position = broken.position.unwrap_or_default();
            let line = json!({
                "file": broken.file, "error": broken.message, "line": position.line, "column": position.column
            });
            writeln!(out, "{line}")?;
        } else {
            let place = broken.position.map(|p| format!(":{p}")).unwrap_or_default();
            let label = paint("error", Tone::Alarm, terminal::stdout_has_colour());
            writeln!(out, "{label}: {}{place}: {}", safe(&broken.file), safe(&broken.message))?;
        }
    }
    for (path, reason) in &library.unreadable {
        exit = exit.max(Exit::Input);
        crate::terminal::warn(&format!("{path}: {reason}"));
    }
    Ok(exit)
}

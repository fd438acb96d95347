//! `tidewatch query`: one query over logs.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use anyhow::{Context, Result};
use clap::ValueEnum;
use detections::{library, placeholders};
use engine::{EngineError, Limits, QueryOptions, QueryOutput};
use kql_syntax::ast::{ParamType, StatementKind};
use kql_types::{Diagnostic, Dynamic, ScalarType, Severity, Value, datetime, guid, number, timespan};

use crate::args::{QueryArgs, QueryFormat};
use crate::diagnostics::{self, Source};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::session::{self, Reading, Session};
use crate::terminal::{self, warn};

/// Runs the query and writes its result.
pub fn run(args: &QueryArgs) -> Result<Exit> {
    let (name, text) = query_text(args)?;
    let limits = Limits {
        time: args.time_limit.as_deref().map(|text| session::parse_time_limit("--time-limit", text)).transpose()?,
        memory: args.memory_limit.as_deref().map(|text| session::parse_size("--memory-limit", text)).transpose()?,
        result_rows: None,
    };
    let reading = Reading::new(&args.reading, &args.files)?;
    let (session, options) =
        Session::for_queries(&args.logs, reading, &args.names, args.as_of.as_deref(), args.threads)?;
    let range = session::parse_length("--range", &args.range)?;
    let options = QueryOptions { parameters: parameters(&args.param, &text)?, strict: args.strict, limits, ..options };
    let filled = placeholders::fill(&text, options.query_now.saturating_sub(range).max(0), options.query_now);
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
            let is_rule =
                path.extension().is_some_and(|e| e.eq_ignore_ascii_case("yml") || e.eq_ignore_ascii_case("yaml"));
            let text = if is_rule { query_of_rule(path, &text)? } else { text };
            Ok((path.display().to_string(), text))
        }
        (None, None) => Err(Failure::usage("no query given")),
    }
}

/// The query of the one rule in a file. Of a Sigma correlation it is the one over any span, not that of a scheduled run.
fn query_of_rule(path: &Path, text: &str) -> Result<String> {
    let name = path.display().to_string();
    let wrong = |why: &str| Failure::usage(format!("{name}: {why}"));
    if sigma::document::looks_like_sigma(text) {
        let mut collection = sigma::Collection::default();
        let broken = collection.add(&name, text).map_err(|error| wrong(&error.message))?;
        if let Some(broken) = broken.first() {
            return Err(wrong(&broken.error.to_string()));
        }
        return match collection.convert().as_slice() {
            [sigma::rule::Outcome::Rule(rule)] => Ok(rule.query.clone()),
            [sigma::rule::Outcome::Impossible(rule)] => Err(wrong(&rule.reasons.join("; "))),
            _ => Err(wrong("not exactly one rule there")),
        };
    }
    match library::load(&[path.to_path_buf()]).rules.as_slice() {
        [rule] => Ok(rule.query.clone()),
        _ => Err(wrong("not exactly one rule there")),
    }
}

/// The values of `NAME=VALUE` pairs for the parameters that the query declares, as their types.
///
/// # Errors
/// A pair that is none, a name that the query does not declare, a text that is no value of the type, a parameter without
/// a value.
fn parameters(pairs: &[String], query: &str) -> Result<Vec<(String, Value)>> {
    let declared = declared_parameters(query);
    let mut values: Vec<(String, Value)> = Vec::new();
    for pair in pairs {
        let Some((name, text)) = pair.split_once('=').filter(|(name, _)| !name.trim().is_empty()) else {
            return Err(Failure::usage(format!("--param: `{pair}` is not NAME=VALUE")));
        };
        let name = name.trim();
        let Some(param) = declared.iter().find(|param| param.name.text == name) else {
            let names: Vec<&str> = declared.iter().map(|param| param.name.text.as_str()).collect();
            let known = if names.is_empty() { "none".to_string() } else { names.join(", ") };
            return Err(Failure::usage(format!(
                "--param: the query declares no parameter `{name}` (declare query_parameters: {known})"
            )));
        };
        let ty = match &param.ty {
            ParamType::Scalar(ty) => ScalarType::parse(&ty.text),
            ParamType::Tabular { .. } => None,
        };
        let value = ty.map_or_else(|| Some(Value::String(text.to_string())), |ty| value_of_type(text, ty));
        let Some(value) = value else {
            let ty = ty.map_or("value", ScalarType::name);
            return Err(Failure::usage(format!("--param {name}: `{text}` is not a {ty}")));
        };
        values.push((name.to_string(), value));
    }
    for param in &declared {
        let name = &param.name.text;
        if param.default.is_none() && !values.iter().any(|(given, _)| given == name) {
            return Err(Failure::usage(format!(
                "the parameter `{name}` of the query has no value: give --param {name}=VALUE"
            )));
        }
    }
    Ok(values)
}

fn declared_parameters(query: &str) -> Vec<kql_syntax::ast::Param> {
    let statements = kql_syntax::parse(query).query.statements;
    let lists = statements.into_iter().filter_map(|statement| match statement.kind {
        StatementKind::QueryParameters(params) => Some(params),
        _ => None,
    });
    lists.flatten().collect()
}

/// A text of the command line as a value; None when it is none of this type.
fn value_of_type(text: &str, ty: ScalarType) -> Option<Value> {
    let plain = text.trim();
    match ty {
        ScalarType::Bool => match plain.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(Value::Bool(true)),
            "false" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        ScalarType::Int => plain.parse().ok().map(Value::Int),
        ScalarType::Long => plain.parse().ok().map(Value::Long),
        ScalarType::Real => number::parse_real(plain).map(Value::Real),
        ScalarType::DateTime => datetime::parse(plain).map(Value::DateTime),
        ScalarType::TimeSpan => {
            timespan::parse(plain).or_else(|| detections::duration::parse(plain)).map(Value::TimeSpan)
        }
        ScalarType::Guid => guid::parse(plain).map(Value::Guid),
        ScalarType::Dynamic => Dynamic::parse_json(plain).map(Value::Dynamic),
        // The binder reads the text.
        ScalarType::Decimal | ScalarType::String | ScalarType::Unknown => Some(Value::String(text.to_string())),
    }
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
    let (results, form) = (output.tables.len(), args.format);
    if results > 1 && !matches!(form, QueryFormat::Table | QueryFormat::Kusto) {
        let form = form.to_possible_value().map(|value| value.get_name().to_string()).unwrap_or_default();
        warn(&format!("the query has {results} results, {form} holds the first: use kusto for all"));
    }
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

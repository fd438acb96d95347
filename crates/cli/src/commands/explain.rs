//! `tidewatch explain`: where a rule's rows get lost.

use std::io::{self, Write};

use anyhow::Result;
use detections::library;
use detections::placeholders;
use detections::rule::RuleKind;
use detections::steps::{self, Step};
use engine::{QueryOptions, Window};
use kql_types::datetime;
use serde_json::{Value as Json, json};

use crate::args::{ExplainArgs, FileArgs, SourcesFormat};
use crate::diagnostics::{Source, render};
use crate::exit::{Exit, Failure};
use crate::project::Project;
use crate::session::{Reading, Session, SessionInput, parse_time};
use crate::terminal::{safe, stdout_has_colour};

/// Counts the steps of one rule over logs, as of one moment.
pub fn run(args: &ExplainArgs) -> Result<Exit> {
    let mut library = library::load(std::slice::from_ref(&args.rule));
    let mut project = Project::of(std::slice::from_ref(&args.rule))?;
    project.apply(&mut library);
    project.warn_of_expired();
    if library.rules.is_empty() {
        let reason =
            library.broken.first().map_or_else(|| "no rule there".to_string(), |broken| broken.message.clone());
        return Err(Failure::input(format!("{}: {reason}", args.rule.display())));
    }
    let session = Session::open(SessionInput {
        logs: &args.logs,
        reading: Reading::new(&args.reading, &FileArgs::default())?,
        names: &args.names,
        functions: library.functions.clone(),
        watchlists: library.watchlist_files.clone(),
        threads: args.threads.map(usize::from),
    })?;
    project.check(&session, &mut library);
    let Some(rule) = library.rules.first() else { return Ok(Exit::Clean) };
    let now = match &args.as_of {
        Some(text) => parse_time("--as-of", text)?,
        None => session.default_now(),
    };
    let filled = placeholders::fill(&rule.filtered_query(), now.saturating_sub(datetime::TICKS_PER_DAY), now);
    let mut options = QueryOptions::at(now);
    let whole = args.whole || rule.kind == RuleKind::Hunting;
    let from = if whole { 0 } else { now.saturating_sub(rule.query_period) };
    options.window = Some(Window { from, to: now, fidelity: false });
    let mut checked = session.engine.check(&filled.text, &options);
    let mut out = io::stdout().lock();
    let Some(bound) = checked.bound.take() else {
        checked.diagnostics.iter_mut().for_each(|d| d.span = filled.original_span(d.span));
        write!(out, "{}", render(&checked.diagnostics, &Source::of_rule(rule), stdout_has_colour()))?;
        return Ok(Exit::Rules);
    };
    let found = steps::steps(&session.engine, &filled.text, &bound, &options)
        .map_err(|error| Failure::input(error.to_string()))?;
    match args.format {
        SourcesFormat::Table => {
            let span = if whole { "all events before" } else { "the period before" };
            writeln!(out, "{} over {span} {}", safe(&rule.name), datetime::format(now))?;
            writeln!(out, "{:>10}    {:<10} step", "rows in", "rows out")?;
            for line in steps::lines(&found) {
                writeln!(out, "{}", safe(&line))?;
            }
        }
        SourcesFormat::Json => {
            let document = json!({
                "schema": "tidewatch-explain/1",
                "rule": {"id": rule.id, "name": rule.name, "file": rule.place.file},
                "query_now": datetime::format(now),
                "steps": found.iter().map(step_json).collect::<Vec<_>>(),
            });
            serde_json::to_writer_pretty(&mut out, &document)?;
            writeln!(out)?;
        }
    }
    Ok(Exit::Clean)
}

fn step_json(step: &Step) -> Json {
    let nearest = step.nearest.as_ref().map(|nearest| {
        let values: serde_json::Map<String, Json> =
            nearest.values.iter().map(|(name, value)| (name.clone(), Json::from(value.clone()))).collect();
        json!({"condition": nearest.condition, "values": values})
    });
    json!({
        "depth": step.depth,
        "step": step.text,
        "rows_in": step.rows_in,
        "rows_out": step.rows_out,
        "nearest_row": nearest,
    })
}

//! `tidewatch hunt`: the main job.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use ::report::{Report, changes, html, model};
use anyhow::Result;
use detections::alert::Alert;
use detections::hunt::{Hunt, HuntInput, HuntOptions, Watcher, hunt};
use detections::library::{self, RuleLibrary};
use detections::outcome::{RuleOutcome, RuleState};
use detections::rule::AlertSeverity;
use detections::schedule::Mode;
use detections::selection::Selection;
use engine::Limits;

use crate::args::{FileArgs, HuntArgs, HuntFormat, SeverityArg};
use crate::builtin;
use crate::cache;
use crate::commands::replay;
use crate::exit::{Exit, Failure};
use crate::git;
use crate::progress::Hunting;
use crate::project::Project;
use crate::report::lines::LineStream;
use crate::report::places::Places;
use crate::report::{ReportInput, json, lines, terminal};
use crate::session::{self, Reading, Session, SessionInput};
use crate::terminal::note;

/// Rows of one run of a rule; the service refuses larger results as well.
const RESULT_ROWS_MAX: usize = 500_000;

/// Loads, hunts, reports.
pub fn run(args: &HuntArgs) -> Result<Exit> {
    let started = Instant::now();
    let mode = mode(args)?;
    let range = session::parse_length("--range", &args.range)?;
    let rule_time = session::parse_time_limit("--time-limit", &args.time_limit)?;
    let memory = args.memory_limit.as_deref().map(|size| session::parse_size("--memory-limit", size)).transpose()?;
    let earlier = earlier_report(args)?;
    let mut project = Project::of(&args.rules)?;
    let sources = if args.rules.is_empty() { &project.tuning.sources } else { &args.rules };
    let builtin = sources.is_empty();
    let mut library = if builtin { builtin::library() } else { library::load(sources) };
    project.apply(&mut library);
    refuse_nothing(args, &library)?;
    let threads = args.threads.map_or_else(cores, usize::from);
    // Nothing later than the last run is looked at; what is earlier may be look-back.
    let to = args.to.as_deref().map(|text| session::parse_time("--to", text)).transpose()?;
    let as_of = args.as_of.as_deref().map(|text| session::parse_time("--as-of", text)).transpose()?;
    let from = args.since.as_deref().map(|text| session::parse_since(text, to.or(as_of))).transpose()?;
    let reading = Reading::new(&args.reading, &FileArgs::default())?.resumed(args.resume)?;
    let reading = Reading { from, to, ..reading };
    let session = Session::open(SessionInput {
        logs: &args.logs,
        reading,
        names: &args.names,
        functions: library.functions.clone(),
        watchlists: library.watchlist_files.clone(),
        threads: Some(threads),
    })?;
    if args.resume {
        note(&cache::resumed(&session.loaded));
    }
    project.check(&session, &mut library);
    let options = HuntOptions {
        mode,
        range,
        fidelity: args.fidelity,
        strict: args.strict,
        threads,
        limits: Limits { time: Some(rule_time), memory, result_rows: Some(RESULT_ROWS_MAX) },
        rule_time: Some(rule_time),
        selection: project.selection(selection(args)),
    };
    let interrupted = interrupt_flag();
    if args.format == HuntFormat::Ndjson && !args.replay {
        let out = Box::new(BufWriter::new(io::stdout()));
        let lines = LineStream::new(&library, &session, builtin, args.times, out);
        let found = run_rules(&session, &library, &options, &interrupted, Some(&lines));
        lines.finish()?;
        return Ok(exit(args, &session, &library, &found, interrupted.load(Ordering::Relaxed)));
    }
    let mut found = run_rules(&session, &library, &options, &interrupted, None);
    project.count(&found);
    let replayed = match args.replay {
        true => Some(replay::run(args, &session, &library, &options, &interrupted, &mut found)?),
        false => None,
    };
    let places = Places::of_alerts(&found.alerts, &session.loaded)?;
    let input = ReportInput {
        hunt: &found,
        library: &library,
        session: &session,
        places: &places,
        mode,
        builtin,
        project: &project,
        replay: replayed.as_ref(),
        fidelity: args.fidelity,
        command_line: command_line(),
        rule_set_commit: args.rules.first().and_then(|path| git::commit(&git::folder_of(path))),
        seconds: (args.times || args.format == HuntFormat::Table).then(|| started.elapsed().as_secs_f64()),
    };
    let mut out = BufWriter::new(io::stdout().lock());
    match args.format {
        HuntFormat::Ndjson => lines::write_all(&input, args.times, &mut out)?,
        HuntFormat::Table => {
            terminal::write(&input, args.all, &mut out)?;
            if let Some(earlier) = &earlier {
                let report = json::document(&input);
                terminal::write_changes(&changes::between(earlier, &report), &report, &mut out)?;
            }
        }
        HuntFormat::Json | HuntFormat::Html => {
            let mut report = json::document(&input);
            json::add_events(&mut report, &session)?;
            report.changes = earlier.as_ref().map(|earlier| changes::between(earlier, &report));
            if args.format == HuntFormat::Html {
                out.write_all(html::page(&report).as_bytes())?;
            } else {
                serde_json::to_writer_pretty(&mut out, &report)?;
                writeln!(out)?;
            }
        }
        HuntFormat::Csv => lines::write_csv(&input, &mut out)?,
    }
    out.flush()?;
    Ok(exit(args, &session, &library, &found, interrupted.load(Ordering::Relaxed)))
}

/// The report of `--baseline`.
fn earlier_report(args: &HuntArgs) -> Result<Option<Report>> {
    let Some(path) = &args.baseline else { return Ok(None) };
    if matches!(args.format, HuntFormat::Ndjson | HuntFormat::Csv) {
        return Err(Failure::usage("--baseline: only with --format table, json or html"));
    }
    let fail = |reason: String| Failure::input(format!("{}: {reason}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
    let report: Report = serde_json::from_str(&text).map_err(|error| fail(format!("no report in JSON: {error}")))?;
    if report.schema != model::SCHEMA {
        return Err(fail(format!("its form is `{}`, expected `{}`", report.schema, model::SCHEMA)));
    }
    Ok(Some(report))
}

/// Runs the rules with a display, and writes lines as they are done.
pub(super) fn run_rules(
    session: &Session,
    library: &RuleLibrary,
    options: &HuntOptions,
    interrupted: &AtomicBool,
    lines: Option<&LineStream<'_>>,
) -> Hunt {
    let is_reference = |table: &str| session.is_reference(table);
    let input = HuntInput {
        engine: &session.engine,
        library,
        profile: &session.profile,
        is_reference: &is_reference,
        options,
        interrupted,
    };
    let watcher = Watching { display: Hunting::start(library.rules.len()), lines, interrupted };
    let found = hunt(input, &watcher);
    watcher.display.finish();
    found
}

/// Shows how far the hunt is, and writes what is done.
struct Watching<'a> {
    display: Hunting,
    lines: Option<&'a LineStream<'a>>,
    interrupted: &'a AtomicBool,
}

impl Watcher for Watching<'_> {
    fn done(&self, outcome: &RuleOutcome) {
        self.display.done(outcome.alerts);
    }

    fn next(&self, outcome: &RuleOutcome, alerts: &[Alert]) {
        let Some(lines) = self.lines else { return };
        // Nobody reads on, as after `| head`: the rest of the hunt would be for nothing.
        if !self.display.beside(|| lines.write(outcome, alerts)) {
            self.interrupted.store(true, Ordering::Relaxed);
        }
    }
}

pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn mode(args: &HuntArgs) -> Result<Mode> {
    let time =
        |option: &str, text: &Option<String>| text.as_ref().map(|text| session::parse_time(option, text)).transpose();
    if args.once {
        return Ok(Mode::Once { as_of: time("--as-of", &args.as_of)? });
    }
    let (from, to) = (time("--from", &args.from)?, time("--to", &args.to)?);
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        return Err(Failure::usage("--from is later than --to"));
    }
    Ok(Mode::Sweep { from, to })
}

/// A path that holds no rule at all is a mistake of the command line, not a silent hunt.
fn refuse_nothing(args: &HuntArgs, library: &RuleLibrary) -> Result<()> {
    if library.rules.is_empty() && library.broken.is_empty() {
        let paths: Vec<String> = args.rules.iter().map(|path| path.display().to_string()).collect();
        let reasons: Vec<String> =
            library.unreadable.iter().map(|(path, reason)| format!("{path}: {reason}")).collect();
        let why = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) };
        return Err(Failure::input(format!("no rules in {}{why}", paths.join(", "))));
    }
    Ok(())
}

pub fn severity(arg: SeverityArg) -> AlertSeverity {
    match arg {
        SeverityArg::Informational => AlertSeverity::Informational,
        SeverityArg::Low => AlertSeverity::Low,
        SeverityArg::Medium => AlertSeverity::Medium,
        SeverityArg::High => AlertSeverity::High,
    }
}

fn selection(args: &HuntArgs) -> Selection {
    Selection {
        severities: args.severity.iter().copied().map(severity).collect(),
        techniques: args.technique.clone(),
        tables: args.table.clone(),
        ids: args.id.clone(),
        excluded: args.exclude.clone(),
        ..Selection::default()
    }
}

/// Set by the first Ctrl-C; the second ends the program.
fn interrupt_flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                if set.swap(true, Ordering::Relaxed) {
                    std::process::exit(i32::from(Exit::Limit as u8));
                }
            }
        });
    });
    flag
}

fn exit(args: &HuntArgs, session: &Session, library: &RuleLibrary, found: &Hunt, interrupted: bool) -> Exit {
    let mut exit = Exit::Clean;
    let least = args.fail_on.map_or(AlertSeverity::Informational, severity);
    if found.alerts.iter().any(|alert| alert.severity >= least) {
        exit = exit.max(Exit::Found);
    }
    let has = |state: RuleState| found.outcomes.iter().any(|outcome| outcome.state == state);
    if args.strict && (has(RuleState::Invalid) || has(RuleState::Unsupported)) {
        exit = exit.max(Exit::Rules);
    }
    let nothing_read = |source: &connectors::SourceReport| source.stopped.is_some() && source.records == 0;
    if session.loaded.report.sources.iter().any(nothing_read) || !library.unreadable.is_empty() {
        exit = exit.max(Exit::Input);
    }
    if interrupted || has(RuleState::Failed) {
        exit = exit.max(Exit::Limit);
    }
    exit
}

/// The arguments of the process. The number of threads changes nothing in a report, and is left out.
fn command_line() -> Vec<String> {
    let mut line = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--threads" {
            arguments.next();
        } else if !argument.starts_with("--threads=") {
            line.push(argument);
        }
    }
    line
}

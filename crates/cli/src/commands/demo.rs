//! `tidewatch demo`: a made-up company's logs, hunted with the built-in rules and compared with what was planted.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use demo::{Company, Truth};
use detections::hunt::{Hunt, HuntOptions};
use detections::library::RuleLibrary;
use detections::schedule::Mode;
use detections::selection::Selection;
use engine::Limits;
use kql_types::datetime;

use super::hunt;
use crate::args::{DemoArgs, NameArgs};
use crate::builtin;
use crate::exit::Exit;
use crate::project::Project;
use crate::report::places::Places;
use crate::report::{ReportInput, terminal};
use crate::session::{self, Session, SessionInput};
use crate::terminal::{Tone, paint, stdout_has_colour};

/// The end of the made-up logs: fixed, so that the same options give the same bytes.
const END: &str = "2026-03-02T18:00:00Z";

/// Writes the logs, hunts them, compares.
pub fn run(args: &DemoArgs) -> Result<Exit> {
    let started = Instant::now();
    let end = session::parse_time("the end of the demo", END)?;
    let options = demo::Options { end, days: args.days, events: args.events, seed: args.seed };
    let company = Company::build(&options);
    std::fs::create_dir_all(&args.out).with_context(|| format!("making {}", args.out.display()))?;
    let logs = args.out.join("logs");
    refuse_foreign_folder(&args.out, &logs)?;
    let written = company.write(&args.out).with_context(|| format!("writing under {}", args.out.display()))?;
    let mut out = BufWriter::new(io::stdout().lock());
    writeln!(
        out,
        "Harborline, a company that does not exist: {} records of three clouds in {} files under {}",
        written.records,
        written.files,
        logs.display()
    )?;
    writeln!(
        out,
        "Behavior analytics and flow rows are written as their exports; Tidewatch does not compute them yet.\n"
    )?;
    let library = builtin::library();
    let session = open(&logs, &library)?;
    let hunt_options = HuntOptions {
        rule_time: None,
        mode: Mode::Sweep { from: None, to: None },
        range: datetime::TICKS_PER_DAY,
        fidelity: false,
        strict: false,
        threads: hunt::cores(),
        limits: Limits { time: Some(Duration::from_secs(600)), memory: None, result_rows: None },
        selection: Selection::default(),
    };
    let found = hunt::run_rules(&session, &library, &hunt_options, &AtomicBool::new(false), None);
    let places = Places::of_alerts(&found.alerts, &session.loaded)?;
    let report = ReportInput {
        hunt: &found,
        library: &library,
        session: &session,
        places: &places,
        mode: hunt_options.mode,
        builtin: true,
        project: &Project::default(),
        replay: None,
        fidelity: false,
        command_line: Vec::new(),
        rule_set_commit: None,
        seconds: Some(started.elapsed().as_secs_f64()),
    };
    terminal::write(&report, true, &mut out)?;
    let right = compare(&company.truth, &found, &library, &mut out)?;
    writeln!(out, "\nHunt them yourself: tidewatch hunt --logs {}", logs.display())?;
    out.flush()?;
    Ok(if right { Exit::Clean } else { Exit::Found })
}

fn open(logs: &Path, library: &RuleLibrary) -> Result<Session> {
    Session::open(SessionInput {
        logs: &[PathBuf::from(logs)],
        reading: session::Reading::default(),
        names: &NameArgs::default(),
        functions: library.functions.clone(),
        watchlists: library.watchlist_files.clone(),
        threads: None,
    })
}

/// Logs of an earlier demo are replaced; anything else is left alone.
fn refuse_foreign_folder(out: &Path, logs: &Path) -> Result<()> {
    if !logs.exists() {
        return Ok(());
    }
    if !out.join("truth.json").exists() {
        anyhow::bail!("{} exists and was not made by a demo: choose another --out", logs.display());
    }
    std::fs::remove_dir_all(logs).with_context(|| format!("removing the logs of an earlier demo in {}", logs.display()))
}

/// Says of each planted attack whether it was found, and of each near miss whether it stayed silent.
fn compare(truth: &Truth, found: &Hunt, library: &RuleLibrary, out: &mut dyn Write) -> Result<bool> {
    let colour = stdout_has_colour();
    let rows = |detection: &str| -> Vec<String> {
        let of_detection = |rule: usize| {
            library.rules.get(rule).is_some_and(|rule| rule.place.file.split(['/', '\\']).any(|part| part == detection))
        };
        let alerts = found.alerts.iter().filter(|alert| of_detection(alert.rule));
        alerts.flat_map(|alert| &alert.rows).map(|row| format!("{:?}", row.values).to_lowercase()).collect()
    };
    writeln!(out, "\n{}", paint("Compared with what was planted", Tone::Strong, colour))?;
    let (mut missed, mut wrong) = (0, 0);
    for planted in &truth.planted {
        let rows = rows(&planted.detection);
        let seen = planted.markers.iter().all(|marker| rows.iter().any(|row| row.contains(&marker.to_lowercase())));
        missed += usize::from(!seen);
        let verdict = if seen { paint("found ", Tone::Strong, colour) } else { paint("MISSED", Tone::Alarm, colour) };
        writeln!(out, "  {verdict} {}: {}", planted.detection, planted.story)?;
    }
    for near in &truth.near_misses {
        let silent = !rows(&near.detection).iter().any(|row| row.contains(&near.marker.to_lowercase()));
        wrong += usize::from(!silent);
        let verdict = if silent { paint("silent", Tone::Quiet, colour) } else { paint("ALERT ", Tone::Alarm, colour) };
        writeln!(out, "  {verdict} {}: {} ({})", near.detection, near.because, near.marker)?;
    }
    writeln!(
        out,
        "{} of {} attacks found, {} of {} near misses silent",
        truth.planted.len() - missed,
        truth.planted.len(),
        truth.near_misses.len() - wrong,
        truth.near_misses.len()
    )?;
    Ok(missed + wrong == 0)
}

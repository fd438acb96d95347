//! `tidewatch hunt --replay`: what the service would have raised, and what it would have missed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use detections::hunt::{Hunt, HuntInput, HuntOptions};
use detections::library::RuleLibrary;
use detections::outcome::RuleState;
use detections::rule::RuleKind;
use detections::schedule::{Mode, TimeSpan, clock_after};
use detections::service::{self, ReplayOptions};
use engine::{ArrivalDelays, QueryOptions};
use kql_types::Value;
use kql_types::datetime::TICKS_PER_DAY;

use crate::args::HuntArgs;
use crate::exit::Failure;
use crate::report::replay::{Arrival, Replayed};
use crate::session::{self, Session};

/// Rules go on after the last event for at most so long, until what was late is read.
const SETTLE_MAX: i64 = 2 * TICKS_PER_DAY;

/// Replays the rules; the alerts of the sweep in `found` give way to those of the replay. Alerts of hunting queries stay: the
/// service does not run them.
pub fn run(
    args: &HuntArgs,
    session: &Session,
    library: &RuleLibrary,
    options: &HuntOptions,
    interrupted: &AtomicBool,
    found: &mut Hunt,
) -> Result<Replayed> {
    let delays = delays(args)?;
    let arrivals = arrivals(session, &delays);
    let (from, to) = match options.mode {
        Mode::Sweep { from, to } => (from, to),
        Mode::Once { .. } => (None, None),
    };
    let data = found.span.unwrap_or(TimeSpan { first: session::present(), last: session::present() });
    let span = TimeSpan {
        first: from.unwrap_or(data.first).max(data.first),
        last: to.unwrap_or_else(|| clock_after(data.last)),
    };
    let late = arrivals.iter().filter_map(|arrival| arrival.last).max().unwrap_or(data.last) - data.last;
    let settle = to.is_none().then_some(late.clamp(0, SETTLE_MAX));
    let is_reference = |table: &str| session.is_reference(table);
    let input = HuntInput {
        engine: &session.engine,
        library,
        profile: &session.profile,
        is_reference: &is_reference,
        options,
        interrupted,
    };
    let replay_options = ReplayOptions { span, settle, delays: Arc::new(delays), rerun_all: false };
    let replay = service::replay(input, &session.schemas, &replay_options);
    let missed = replay.rules.iter().map(|rule| replay.missed(rule.rule, found.alerts.iter())).collect();
    let mut replayed = Replayed { replay, missed, arrivals, span };
    take_over(&mut replayed, library, found);
    Ok(replayed)
}

/// The alerts of the replay stand in the report instead of those of the sweep.
fn take_over(replayed: &mut Replayed, library: &RuleLibrary, found: &mut Hunt) {
    let is_hunting = |rule: usize| library.rules.get(rule).is_some_and(|rule| rule.kind == RuleKind::Hunting);
    found.alerts.retain(|alert| is_hunting(alert.rule));
    found.alerts.append(&mut replayed.replay.alerts);
    found.alerts.sort_by(|a, b| {
        let key = |alert: &detections::alert::Alert| (alert.made.unwrap_or(alert.end_time), alert.severity);
        key(b).cmp(&key(a)).then_with(|| a.rule.cmp(&b.rule)).then_with(|| a.id.cmp(&b.id))
    });
    for (rule, missed) in replayed.replay.rules.iter().zip(&replayed.missed) {
        let Some(outcome) = found.outcomes.iter_mut().find(|outcome| outcome.rule == Some(rule.rule)) else { continue };
        outcome.alerts = usize::try_from(rule.alerts).unwrap_or(usize::MAX);
        let judged = matches!(outcome.state, RuleState::Fired | RuleState::Silent | RuleState::Partial);
        if judged && rule.alerts > 0 {
            outcome.state = RuleState::Fired;
        } else if judged {
            let empty = outcome.empty_tables().next().is_some();
            outcome.state = if empty { RuleState::Partial } else { RuleState::Silent };
        }
        if rule.alerts == 0 && *missed > 0 {
            outcome.reason = format!("{missed} rows of a sweep were raised by no run of the service");
        }
        if rule.disabled {
            outcome.reason = format!("the service would have disabled it: {}", rule.reason);
        }
    }
}

fn delays(args: &HuntArgs) -> Result<ArrivalDelays> {
    let mut delays = service::default_delays();
    for text in &args.arrival {
        let (table, length) = text.split_once('=').ok_or_else(|| {
            Failure::usage(format!("--arrival: `{text}`, expected TABLE=LENGTH such as SigninLogs=2h"))
        })?;
        let ticks = detections::duration::parse(length)
            .filter(|ticks| *ticks >= 0)
            .ok_or_else(|| Failure::usage(format!("--arrival: `{length}` is not a length of time")))?;
        delays.by_table.insert(table.trim().to_string(), ticks);
    }
    Ok(delays)
}

/// When the rows of each table arrived, and how that is known.
fn arrivals(session: &Session, delays: &ArrivalDelays) -> Vec<Arrival> {
    let events: BTreeMap<&String, u64> = session
        .profile
        .tables
        .iter()
        .filter(|(table, _)| !session.is_reference(table))
        .map(|(table, profile)| (table, profile.rows))
        .collect();
    let mut arrivals = Vec::new();
    for (table, rows) in events {
        let quoted = format!("['{}']", table.replace('\\', "\\\\").replace('\'', "\\'"));
        let query = format!(
            "{quoted} | summarize countif(isnotnull(ingestion_time())), max(ingestion_time()), max(TimeGenerated)"
        );
        let mut arrival = Arrival { table: table.clone(), rows, known: 0, delay: delays.of(table), last: None };
        if let Ok(output) = session.engine.run_blocking(&query, &QueryOptions::at(0)) {
            let values = output.tables.first().map(engine::ResultTable::rows).unwrap_or_default();
            if let Some([Value::Long(known), last, generated]) = values.first().map(Vec::as_slice) {
                arrival.known = u64::try_from(*known).unwrap_or(0);
                let moment = |value: &Value| match value {
                    Value::DateTime(ticks) => Some(*ticks),
                    _ => None,
                };
                let by_delay = moment(generated).filter(|_| arrival.known < rows).map(|last| last + arrival.delay);
                arrival.last = moment(last).max(by_delay);
            }
        }
        arrivals.push(arrival);
    }
    arrivals
}

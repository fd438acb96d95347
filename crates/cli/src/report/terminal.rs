//! The report for people: alerts first, then what the rules could not judge, then what was wrong with the logs.
//!
//! Short by design: everything is in the JSON form. All text of logs and rules is made harmless.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;

use ::report::Report;
use ::report::model::{self, Changes};
use anyhow::Result;
use detections::alert::Alert;
use detections::cell;
use detections::outcome::{RuleOutcome, RuleState};
use detections::rule::AlertSeverity;
use detections::schedule::Mode;
use kql_types::datetime;

use super::ReportInput;
use crate::terminal::{Tone, paint, safe, short, stdout_has_colour, width};

/// Alerts shown in full; the rest is counted by rule.
const ALERTS_MAX: usize = 40;
/// Rules listed under one state.
const RULES_MAX: usize = 20;

/// Writes the report. `all` lists every rule.
pub fn write(input: &ReportInput<'_>, all: bool, out: &mut dyn Write) -> Result<()> {
    let colour = stdout_has_colour();
    head(input, colour, out)?;
    alerts(input, colour, out)?;
    if let Some(replayed) = input.replay {
        replayed.write(input.library, all, colour, out)?;
    }
    super::tuning::write(input.project, all, colour, out)?;
    rules(input, all, colour, out)?;
    logs(input, colour, out)?;
    if let Some(seconds) = input.seconds {
        writeln!(out, "{}", paint(&format!("{seconds:.1} s"), Tone::Quiet, colour))?;
    }
    Ok(())
}

/// `2026-03-02 10:15:00Z`.
fn minute(ticks: i64) -> String {
    let text = datetime::format(ticks);
    format!("{}Z", text.get(..19).unwrap_or(&text).replace('T', " "))
}

fn plural(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

fn head(input: &ReportInput<'_>, colour: bool, out: &mut dyn Write) -> Result<()> {
    let rules = plural(input.library.rules.len(), "rule", "rules");
    let origin = if input.builtin { format!("{rules}, built in (none were given)") } else { rules };
    let rows: u64 = input.session.profile.tables.values().map(|table| table.rows).sum();
    let files = plural(input.session.loaded.report.sources.len(), "file", "files");
    let tables = plural(input.session.profile.tables.len(), "table", "tables");
    writeln!(out, "{}", paint(&format!("{origin}; {rows} rows in {tables} from {files}"), Tone::Strong, colour))?;
    let span = match input.hunt.span {
        Some(span) => format!("events from {} to {}", minute(span.first), minute(span.last)),
        None => "no event with a time".to_string(),
    };
    let mode = match input.mode {
        Mode::Sweep { .. } if input.replay.is_some() => "each rule replayed as the service runs it".to_string(),
        Mode::Sweep { from: None, to: None } => "each rule swept over the whole span".to_string(),
        Mode::Sweep { from, to } => {
            let end = |time: Option<i64>, otherwise: &str| time.map_or_else(|| otherwise.to_string(), minute);
            format!("each rule swept from {} to {}", end(from, "the first event"), end(to, "the last"))
        }
        Mode::Once { as_of: None } => "each rule run once, at the end of the data".to_string(),
        Mode::Once { as_of: Some(time) } => format!("each rule run once, as of {}", minute(time)),
    };
    let reference = if input.fidelity { "; reference tables clipped as the service does" } else { "" };
    writeln!(out, "{span}; {mode}{reference}\n")?;
    Ok(())
}

fn tone_of(severity: AlertSeverity) -> Tone {
    match severity {
        AlertSeverity::High => Tone::Alarm,
        AlertSeverity::Medium => Tone::Warning,
        AlertSeverity::Low | AlertSeverity::Informational => Tone::Strong,
    }
}

fn alerts(input: &ReportInput<'_>, colour: bool, out: &mut dyn Write) -> Result<()> {
    let alerts = &input.hunt.alerts;
    if alerts.is_empty() {
        writeln!(out, "No alerts.\n")?;
        return Ok(());
    }
    let by_severity: Vec<String> = AlertSeverity::ALL
        .iter()
        .rev()
        .map(|severity| (severity, alerts.iter().filter(|alert| alert.severity == *severity).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{count} {}", severity.name()))
        .collect();
    let count = plural(alerts.len(), "alert", "alerts");
    writeln!(out, "{} ({})\n", paint(&count, Tone::Strong, colour), by_severity.join(", "))?;
    for alert in alerts.iter().take(ALERTS_MAX) {
        one_alert(input, alert, colour, out)?;
    }
    if alerts.len() > ALERTS_MAX {
        let mut more: BTreeMap<&str, usize> = BTreeMap::new();
        for alert in alerts.iter().skip(ALERTS_MAX) {
            *more.entry(&alert.rule_name).or_default() += 1;
        }
        writeln!(out, "and {} older ones (all of them with --format json):", alerts.len() - ALERTS_MAX)?;
        for (rule, count) in more {
            writeln!(out, "  {count:>6}  {}", safe(rule))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn one_alert(input: &ReportInput<'_>, alert: &Alert, colour: bool, out: &mut dyn Write) -> Result<()> {
    let severity = paint(&format!("{:<13}", alert.severity.name()), tone_of(alert.severity), colour);
    let name = paint(&safe(&alert.display_name), Tone::Strong, colour);
    writeln!(out, "{severity} {name}")?;
    let line = |out: &mut dyn Write, label: &str, text: &str| -> Result<()> {
        if !text.is_empty() {
            let label = paint(&format!("{label:<9}"), Tone::Quiet, colour);
            writeln!(out, "    {label} {}", short(&safe(text), width().saturating_sub(15)))?;
        }
        Ok(())
    };
    // The records say when it happened; a result without times has only its window.
    let (first, last) = input.places.times(alert).unwrap_or((alert.start_time, alert.end_time));
    let when =
        if minute(first) == minute(last) { minute(first) } else { format!("{} to {}", minute(first), minute(last)) };
    let runs = if alert.runs > 1 { format!(", seen by {} runs", alert.runs) } else { String::new() };
    line(out, "when", &format!("{when}{runs}"))?;
    if let Some(made) = alert.made {
        let incident = alert.incident.map(|number| format!(", incident {number}")).unwrap_or_default();
        line(out, "made", &format!("{}{incident}", minute(made)))?;
    }
    let mut what = alert.tactics.clone();
    what.extend(alert.techniques.iter().cloned());
    line(out, "ATT&CK", &what.join(", "))?;
    if alert.display_name != alert.rule_name {
        line(out, "rule", &alert.rule_name)?;
    }
    let entities: Vec<String> =
        alert.entities.iter().take(8).map(|entity| format!("{} {}", entity.kind, entity.label())).collect();
    let more = alert.entities.len().saturating_sub(8);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    line(out, "entities", &format!("{}{more}", entities.join(", ")))?;
    for (index, row) in alert.rows.iter().take(3).enumerate() {
        let cells = alert.columns.iter().zip(&row.values).filter(|(column, value)| {
            !cell::is_empty(value) && column.name != "TimeGenerated" && column.name != "TenantId"
        });
        let text: Vec<String> =
            cells.map(|(column, value)| format!("{}={}", column.name, short(&cell::text(value), 60))).collect();
        line(out, if index == 0 { "why" } else { "" }, &text.join("  "))?;
    }
    if alert.rows.len() > 3 {
        line(out, "", &format!("and {} more rows", alert.rows.len() - 3))?;
    }
    line(out, "records", &records(input, alert))?;
    for note in &alert.notes {
        line(out, "note", note)?;
    }
    writeln!(out)?;
    Ok(())
}

/// Says what differs from an earlier report: the counts, what is new, what is gone and why it may be.
pub fn write_changes(changes: &Changes, report: &Report, out: &mut dyn Write) -> Result<()> {
    let colour = stdout_has_colour();
    let counts = format!("{} new, {} still, {} gone", changes.new.len(), changes.still.len(), changes.gone.len());
    writeln!(out, "\n{}: {counts}", paint("Since the baseline", Tone::Strong, colour))?;
    let by_id: HashMap<&str, &model::Alert> = report.alerts.iter().map(|alert| (alert.id.as_str(), alert)).collect();
    let cut = |text: String| short(&safe(&text), width().saturating_sub(2));
    for alert in changes.new.iter().filter_map(|id| by_id.get(id.as_str())).take(ALERTS_MAX) {
        let text = cut(format!("{:<13} {} ({})", alert.severity, alert.name, alert.ends()));
        writeln!(out, "  {} {text}", paint("new  ", Tone::Alarm, colour))?;
    }
    for gone in changes.gone.iter().take(ALERTS_MAX) {
        let why =
            gone.rule_state.as_deref().map_or("its rule did not run".to_string(), |now| format!("its rule is {now}"));
        let text = cut(format!("{:<13} {} ({}); {why}", gone.severity, gone.name, gone.time));
        writeln!(out, "  {} {text}", paint("gone ", Tone::Good, colour))?;
    }
    for change in changes.rule_states.iter().take(RULES_MAX) {
        let state = |state: &Option<String>| state.clone().unwrap_or_else(|| "not there".to_string());
        let text = cut(format!("{}: {} before, {} now", change.rule.name, state(&change.before), state(&change.after)));
        writeln!(out, "  {} {text}", paint("rule ", Tone::Warning, colour))?;
    }
    Ok(())
}

/// The first source records of an alert, and how many more there are.
fn records(input: &ReportInput<'_>, alert: &Alert) -> String {
    let mut places: Vec<i64> = alert.rows.iter().flat_map(|row| row.sources.places.iter().copied()).collect();
    places.sort_unstable();
    places.dedup();
    let shown: Vec<String> =
        places.iter().take(3).filter_map(|packed| input.places.get(*packed)).map(|place| place.label()).collect();
    let more = places.len().saturating_sub(3);
    let truncated = alert.rows.iter().any(|row| row.sources.truncated);
    match (more, truncated) {
        (0, false) => shown.join(", "),
        (more, false) => format!("{} and {more} more", shown.join(", ")),
        (more, true) => format!("{} and more than {more} more", shown.join(", ")),
    }
}

fn rules(input: &ReportInput<'_>, all: bool, colour: bool, out: &mut dyn Write) -> Result<()> {
    let outcomes = &input.hunt.outcomes;
    let counts: Vec<String> = RuleState::ALL
        .iter()
        .map(|state| (state, outcomes.iter().filter(|outcome| outcome.state == *state).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(state, count)| format!("{count} {}", state.name()))
        .collect();
    writeln!(out, "{}: {}", paint("Rules", Tone::Strong, colour), counts.join(", "))?;
    for state in RuleState::ALL {
        let of_state: Vec<&RuleOutcome> = outcomes.iter().filter(|outcome| outcome.state == state).collect();
        let quiet = matches!(state, RuleState::Fired | RuleState::Silent | RuleState::Skipped);
        if of_state.is_empty() || (quiet && !all) {
            continue;
        }
        let is_tableless = matches!(state, RuleState::NoData | RuleState::OutOfWindow);
        if is_tableless && !all && of_state.len() > RULES_MAX / 2 {
            tables_without_rows(&of_state, state, colour, out)?;
            continue;
        }
        let shown = if all { of_state.len() } else { RULES_MAX };
        for outcome in of_state.iter().take(shown) {
            one_rule(outcome, colour, out)?;
        }
        if of_state.len() > shown {
            writeln!(out, "  {:<13} and {} more rules", state.name(), of_state.len() - shown)?;
        }
    }
    for duplicate in input.library.duplicates.iter().filter(|d| !d.same_query).take(RULES_MAX) {
        let file = |index: usize| input.library.rules.get(index).map(|r| r.place.file.clone()).unwrap_or_default();
        let text = format!(
            "the id {} is in {} and in {}: both ran",
            duplicate.id,
            file(duplicate.first),
            file(duplicate.second)
        );
        writeln!(out, "  {} {}", paint("note", Tone::Warning, colour), safe(&text))?;
    }
    for (path, reason) in &input.library.unreadable {
        writeln!(out, "  {} {}: {}", paint("unreadable", Tone::Warning, colour), safe(path), safe(reason))?;
    }
    writeln!(out)?;
    Ok(())
}

fn one_rule(outcome: &RuleOutcome, colour: bool, out: &mut dyn Write) -> Result<()> {
    let tone = match outcome.state {
        RuleState::Fired => Tone::Alarm,
        RuleState::Silent => Tone::Good,
        RuleState::Skipped => Tone::Quiet,
        _ => Tone::Warning,
    };
    let state = paint(&format!("{:<13}", outcome.state.name()), tone, colour);
    let reason = match (outcome.state, outcome.reason.is_empty()) {
        (RuleState::Fired, true) => format!(": {}", plural(outcome.alerts, "alert", "alerts")),
        (RuleState::Fired, false) => format!(": {}; {}", plural(outcome.alerts, "alert", "alerts"), outcome.reason),
        (_, true) => String::new(),
        (_, false) => format!(": {}", outcome.reason),
    };
    let file = if outcome.state == RuleState::Invalid { format!(" ({})", outcome.file) } else { String::new() };
    let text = short(&safe(&format!("{}{file}{reason}", outcome.name)), width().saturating_sub(17));
    writeln!(out, "  {state} {text}")?;
    Ok(())
}

/// Many rules without data: which tables they lack, the most wanted first.
fn tables_without_rows(outcomes: &[&RuleOutcome], state: RuleState, colour: bool, out: &mut dyn Write) -> Result<()> {
    let mut wanted: BTreeMap<&str, usize> = BTreeMap::new();
    for table in outcomes.iter().flat_map(|outcome| outcome.empty_tables()) {
        *wanted.entry(&table.name).or_default() += 1;
    }
    let mut by_count: Vec<(&str, usize)> = wanted.into_iter().collect();
    by_count.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let shown: Vec<String> = by_count.iter().take(8).map(|(table, count)| format!("{table} ({count})")).collect();
    let more = by_count.len().saturating_sub(8);
    let more = if more > 0 { format!(" and {more} more tables") } else { String::new() };
    let state_text = paint(&format!("{:<13}", state.name()), Tone::Warning, colour);
    let text = format!("{} rules, for want of rows in {}{more}", outcomes.len(), shown.join(", "));
    writeln!(out, "  {state_text} {}", safe(&text))?;
    Ok(())
}

/// What was wrong with the logs, so that silence can be judged.
fn logs(input: &ReportInput<'_>, colour: bool, out: &mut dyn Write) -> Result<()> {
    let sources = &input.session.loaded.report.sources;
    let count = |part: fn(&connectors::SourceReport) -> u64| sources.iter().map(part).sum::<u64>();
    let facts = [
        (count(|s| s.duplicates), "duplicate records removed"),
        (count(|s| s.undated), "rows without a time, in no window"),
        (count(|s| s.implausible), "rows with an impossible time"),
        (count(|s| s.other_count()), "records of kinds no table takes"),
        (count(|s| s.unreadable_count()), "unreadable records"),
    ];
    let facts: Vec<String> =
        facts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let stopped: Vec<&connectors::SourceReport> = sources.iter().filter(|s| s.stopped.is_some()).collect();
    if facts.is_empty() && stopped.is_empty() {
        return Ok(());
    }
    if !facts.is_empty() {
        writeln!(out, "{}: {} (details: tidewatch sources)", paint("Logs", Tone::Strong, colour), facts.join(", "))?;
    }
    for source in stopped.iter().take(RULES_MAX) {
        let reason = source.stopped.as_deref().unwrap_or_default();
        let label = paint("read in part", Tone::Warning, colour);
        writeln!(out, "  {label} {}: {}", safe(&source.path), safe(reason))?;
    }
    Ok(())
}

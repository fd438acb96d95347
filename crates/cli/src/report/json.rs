//! The report's form filled from a hunt. The form itself is in the crate `report` and described in `docs/report.md`.

use ::report::model::{
    self, AlertRow, BrokenFile, DuplicateId, Library, Report, RuleName, RunTotals, SCHEMA, Span, Summary, TableRead,
    UnreadablePath, Window,
};
use ::report::{coverage, entities, next, timeline};
use anyhow::Result;
use detections::alert::Alert;
use detections::attack;
use detections::cell;
use detections::entity;
use detections::library::RuleLibrary;
use detections::outcome::{RuleOutcome, RuleState};
use detections::rule::{AlertSeverity, AnalyticsRule};
use detections::schedule::Mode;
use detections::security_alert;
use detections::service::IncidentBook;
use engine::QueryOptions;
use investigation::subject::Subject;
use kql_types::{Diagnostic, datetime};
use serde_json::{Map, Value as Json};

use super::ReportInput;
use super::places::Places;
use super::sources;
use crate::diagnostics::line_and_column;
use crate::events::{self, Search};
use crate::session::Session;

/// A scheduled run is finished five minutes after its nominal time.
const RUN_TAKES: i64 = 5 * 60 * datetime::TICKS_PER_SECOND;

/// The whole report.
pub fn document(input: &ReportInput<'_>) -> Report {
    let tables = input.tables();
    let (book, incident_of) = incidents(input);
    let alerts: Vec<model::Alert> = input
        .hunt
        .alerts
        .iter()
        .zip(&incident_of)
        .map(|(one, incident)| model::Alert { incident: *incident, ..alert(input.library, input.places, &tables, one) })
        .collect();
    let rules: Vec<model::Rule> = input
        .hunt
        .outcomes
        .iter()
        .map(|outcome| rule(input.library, input.builtin, input.seconds.is_some(), outcome))
        .collect();
    let mut report = Report {
        schema: SCHEMA.to_string(),
        version: env!("CARGO_PKG_VERSION").to_string(),
        command_line: input.command_line.clone(),
        rule_set_commit: input.rule_set_commit.clone(),
        attack_version: attack::Version::default().number().to_string(),
        mode: mode(input),
        span: input.hunt.span.map(|span| Span { first: time(span.first), last: time(span.last) }),
        rules_from: if input.builtin { "built-in" } else { "files" }.to_string(),
        reference_tables: if input.fidelity { "clipped to the window" } else { "visible in every window" }.to_string(),
        summary: summary(input),
        sources: sources::sources(&input.session.loaded.report),
        tables: sources::tables(input.session),
        incidents: book.incidents.iter().rev().map(incident).collect(),
        entities: entities::pages(&alerts),
        timeline: timeline::of(&alerts),
        coverage: coverage::of(&rules, &alerts, &technique),
        rules,
        alerts,
        changes: None,
        library: library(input),
        tuning: super::tuning::json(input.project),
        replay: input.replay.map(|replayed| replayed.json(input.library)),
        seconds: input.seconds,
    };
    report.incidents.sort_by(|a, b| (&b.last_activity, b.number).cmp(&(&a.last_activity, a.number)));
    report
}

/// Entities whose events are looked up, the most wanted first, and events of each.
const ENTITIES_MAX: usize = 50;
const EVENTS_MAX: usize = 500;

/// Looks up what the entities did, in all tables.
///
/// # Errors
/// As [`events::find`].
pub fn add_events(report: &mut Report, session: &Session) -> Result<()> {
    let subjects: Vec<Subject> =
        report.entities.iter().take(ENTITIES_MAX).map(|page| Subject::new(&page.label)).collect();
    if subjects.is_empty() {
        return Ok(());
    }
    let search = Search { subjects: &subjects, tables: &[], span: None, acting: true };
    let found = events::find(session, &QueryOptions::at(session.default_now()), &search)?;
    for (subject, event) in found.events {
        let Some(page) = report.entities.get_mut(subject) else { continue };
        page.events_total += 1;
        if page.events.len() < EVENTS_MAX {
            page.events.push(event);
        }
    }
    Ok(())
}

fn time(ticks: i64) -> String {
    datetime::format(ticks)
}

fn mode(input: &ReportInput<'_>) -> model::Mode {
    match input.mode {
        Mode::Sweep { from, to } if input.replay.is_some() => {
            model::Mode::Replay { from: from.map(time), to: to.map(time) }
        }
        Mode::Sweep { from, to } => model::Mode::Sweep { from: from.map(time), to: to.map(time) },
        Mode::Once { as_of } => model::Mode::Once { as_of: as_of.map(time) },
    }
}

/// The name and the tactics of a technique.
fn technique(id: &str) -> Option<(String, Vec<String>)> {
    let known = attack::technique(id)?;
    let version = attack::Version::default();
    let name_of = |short: &str| version.tactics().iter().find(|t| t.short == short).map(|t| t.name.to_string());
    Some((known.name.to_string(), known.tactics.iter().filter_map(|short| name_of(short)).collect()))
}

fn summary(input: &ReportInput<'_>) -> Summary {
    let outcomes = &input.hunt.outcomes;
    let states: Map<String, Json> = RuleState::ALL
        .iter()
        .map(|state| (state.name().to_string(), Json::from(outcomes.iter().filter(|o| o.state == *state).count())))
        .collect();
    let severities: Map<String, Json> = AlertSeverity::ALL
        .iter()
        .rev()
        .map(|severity| {
            let count = input.hunt.alerts.iter().filter(|alert| alert.severity == *severity).count();
            (severity.name().to_string(), Json::from(count))
        })
        .collect();
    let sum = |part: fn(&RuleOutcome) -> u64| outcomes.iter().map(part).sum::<u64>();
    Summary {
        rules: outcomes.len(),
        states,
        alerts: input.hunt.alerts.len(),
        alerts_by_severity: severities,
        runs: RunTotals {
            scheduled: sum(|o| o.runs.scheduled),
            executed: sum(|o| o.runs.executed),
            shared: sum(|o| o.runs.shared),
            empty: sum(|o| o.runs.empty),
        },
    }
}

/// The alerts grouped as their rules say, in the order of the runs that raised them; with the number of each alert's
/// incident.
fn incidents(input: &ReportInput<'_>) -> (IncidentBook, Vec<Option<u32>>) {
    let alerts = &input.hunt.alerts;
    if let Some(replayed) = input.replay {
        let numbers = alerts.iter().map(|alert| alert.incident).collect();
        return (replayed.replay.incidents.clone(), numbers);
    }
    let mut order: Vec<(usize, &Alert)> = alerts.iter().enumerate().collect();
    order.sort_by_key(|(index, alert)| (alert.run.query_now, alert.rule, alert.start_time, *index));
    let mut book = IncidentBook::default();
    let mut numbers = vec![None; alerts.len()];
    for (index, alert) in order {
        let Some(rule) = input.library.rules.get(alert.rule) else { continue };
        let finished = alert.run.query_now.saturating_add(RUN_TAKES);
        let taken = book.take(rule, std::slice::from_ref(alert), finished);
        if let (Some(slot), Some(number)) = (numbers.get_mut(index), taken.first()) {
            *slot = Some(*number);
        }
    }
    (book, numbers)
}

fn incident(incident: &detections::service::Incident) -> model::Incident {
    model::Incident {
        number: incident.number,
        name: incident.name.clone(),
        title: incident.title.clone(),
        severity: incident.severity.name().to_string(),
        status: incident.status.name().to_string(),
        rule_id: incident.rule_id.clone(),
        tactics: incident.tactics.clone(),
        alerts: incident.alert_ids.clone(),
        first_activity: time(incident.first_activity),
        last_activity: time(incident.last_activity),
        created: time(incident.created),
    }
}

/// One rule with its state; with the time it took when `times`.
pub fn rule(library: &RuleLibrary, builtin: bool, times: bool, outcome: &RuleOutcome) -> model::Rule {
    let rule = outcome.rule.and_then(|index| library.rules.get(index));
    let tables = outcome.tables.iter().map(|table| TableRead {
        name: table.name.clone(),
        rows: table.rows,
        rows_in_windows: table.in_windows,
    });
    model::Rule {
        id: outcome.id.clone(),
        name: outcome.name.clone(),
        file: outcome.file.clone(),
        kind: outcome.kind.map(|kind| kind.name().to_string()),
        severity: outcome.severity.map(|severity| severity.name().to_string()),
        techniques: outcome.techniques.clone(),
        state: outcome.state.name().to_string(),
        reason: outcome.reason.clone(),
        runs: model::RunCounts {
            scheduled: outcome.runs.scheduled,
            executed: outcome.runs.executed,
            shared: outcome.runs.shared,
            empty: outcome.runs.empty,
            single_pass: outcome.runs.single_pass,
        },
        tables: tables.collect(),
        rows: outcome.rows,
        suppressed_rows: outcome.excluded,
        alerts: outcome.alerts,
        azure_status_dialect: outcome.azure_dialect.map(str::to_string),
        diagnostics: outcome.diagnostics.iter().map(|d| diagnostic(d, rule)).collect(),
        notes: outcome.notes.clone(),
        description: rule.map(|rule| rule.description.clone()).unwrap_or_default(),
        query: rule.map(|rule| rule.query.clone()),
        guidance: rule.map(|rule| rule.guidance.iter().cloned().collect()).unwrap_or_default(),
        // The built-in rules are tested before they are built in.
        has_tests: rule.is_some() && (builtin || has_tests(&outcome.file)),
        seconds: times.then_some(outcome.elapsed.as_secs_f64()),
    }
}

/// `a/b.yaml` has its tests in `a/b.test.yaml`.
fn has_tests(file: &str) -> bool {
    let file = std::path::Path::new(file);
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    stem.is_some_and(|stem| file.with_file_name(format!("{stem}.test.yaml")).is_file())
}

/// A diagnostic with its place in the rule's file, or in the query where the file does not keep its lines.
fn diagnostic(diagnostic: &Diagnostic, rule: Option<&AnalyticsRule>) -> model::Diagnostic {
    let in_file = rule.and_then(|rule| {
        let range = rule.place.span_in_file(&rule.query, diagnostic.span)?;
        Some(line_and_column(&rule.place.text, range.start))
    });
    let (line, column) = in_file
        .or_else(|| rule.map(|rule| line_and_column(&rule.query, diagnostic.span.start as usize)))
        .unwrap_or_default();
    model::Diagnostic {
        code: diagnostic.code.to_string(),
        severity: diagnostic.severity.name().to_string(),
        message: diagnostic.message.clone(),
        help: diagnostic.help.clone(),
        line,
        column,
        of: if in_file.is_some() { "file" } else { "query" }.to_string(),
    }
}

/// One alert with everything behind it; `tables` are those that have rows.
pub fn alert(library: &RuleLibrary, places: &Places, tables: &[&str], alert: &Alert) -> model::Alert {
    let rule = library.rules.get(alert.rule);
    let rows = alert.rows.iter().map(|row| AlertRow {
        values: alert.columns.iter().zip(&row.values).map(|(c, v)| (c.name.clone(), cell::json(v))).collect(),
        sources: row.sources.places.iter().map(|packed| places.record(*packed)).collect(),
        sources_truncated: row.sources.truncated,
    });
    let entities = match entity::entities_json(&alert.entities) {
        Json::Array(items) => items.into_iter().filter_map(without_reference_id).collect(),
        _ => Vec::new(),
    };
    let mut filled = model::Alert {
        id: alert.id.clone(),
        rule: RuleName {
            id: alert.rule_id.clone(),
            name: alert.rule_name.clone(),
            file: rule.map(|rule| rule.place.file.clone()),
        },
        kind: alert.kind.name().to_string(),
        name: alert.display_name.clone(),
        description: alert.description.clone(),
        severity: alert.severity.name().to_string(),
        tactics: alert.tactics.clone(),
        techniques: alert.techniques.clone(),
        start: time(alert.start_time),
        end: time(alert.end_time),
        query_now: time(alert.run.query_now),
        window: Window { from: time(alert.run.window_from), to: time(alert.run.query_now) },
        runs: alert.runs,
        last_query_now: time(alert.last_query_now),
        first_record: places.times(alert).map(|(first, _)| time(first)),
        last_record: places.times(alert).map(|(_, last)| time(last)),
        entities,
        incident: alert.incident,
        made: alert.made.map(time),
        custom_details: alert.custom_details.iter().cloned().collect(),
        properties: alert.properties.iter().cloned().collect(),
        columns: alert.columns.iter().map(|column| (column.name.clone(), column.ty.name().to_string())).collect(),
        rows: rows.collect(),
        rows_repeated: alert.rows_repeated,
        notes: alert.notes.clone(),
        query: rule.map(|rule| security_alert::query_text(alert, rule)),
        next: Vec::new(),
        guidance: rule.map(|rule| rule.guidance.iter().cloned().collect()),
        security_alert: rule.map(|rule| match alert.made {
            Some(made) => security_alert::row_at(alert, rule, made),
            None => security_alert::row(alert, rule),
        }),
    };
    filled.next = next::queries(&filled, tables);
    filled
}

fn without_reference_id(entity: Json) -> Option<Map<String, Json>> {
    let Json::Object(mut object) = entity else { return None };
    object.shift_remove("$id");
    Some(object)
}

fn library(input: &ReportInput<'_>) -> Library {
    let rules = &input.library.rules;
    let file = |index: usize| rules.get(index).map(|rule| rule.place.file.clone());
    let broken = input.library.broken.iter().map(|broken| BrokenFile {
        file: broken.file.clone(),
        line: broken.position.map(|p| p.line),
        column: broken.position.map(|p| p.column),
        message: broken.message.clone(),
    });
    let duplicates = input.library.duplicates.iter().map(|d| DuplicateId {
        id: d.id.clone(),
        first: file(d.first),
        second: file(d.second),
        same_query: d.same_query,
    });
    let unreadable = input.library.unreadable.iter();
    Library {
        rules: rules.len(),
        functions: input.library.functions.len(),
        watchlists: input.library.watchlist_files.len(),
        broken: broken.collect(),
        duplicates: duplicates.collect(),
        passed_over: input.library.passed_over,
        unreadable: unreadable
            .map(|(path, reason)| UnreadablePath { path: path.clone(), reason: reason.clone() })
            .collect(),
    }
}

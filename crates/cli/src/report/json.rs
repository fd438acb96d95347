//! The report as one JSON document. Its form is versioned and described in `docs/report.md`.

use std::collections::BTreeMap;

use detections::alert::Alert;
use detections::cell;
use detections::entity;
use detections::library::RuleLibrary;
use detections::outcome::{RuleOutcome, RuleState};
use detections::rule::{AlertSeverity, AnalyticsRule};
use detections::schedule::Mode;
use detections::security_alert;
use kql_types::{Diagnostic, datetime};
use serde_json::{Map, Value as Json, json};

use super::ReportInput;
use super::places::Places;
use crate::diagnostics::line_and_column;

/// The version of the form: it changes when a field changes its meaning or goes away.
pub const SCHEMA: &str = "tidewatch-hunt/1";

/// The whole document.
pub fn document(input: &ReportInput<'_>) -> Json {
    let mut document = json!({
        "schema": SCHEMA,
        "version": env!("CARGO_PKG_VERSION"),
        "command_line": input.command_line,
        "rule_set_commit": input.rule_set_commit,
        "attack_version": detections::attack::Version::default().number(),
        "mode": mode(input.mode),
        "span": input.hunt.span.map(|span| json!({"first": time(span.first), "last": time(span.last)})),
        "rules_from": if input.builtin { "built-in" } else { "files" },
        "reference_tables": if input.fidelity { "clipped to the window" } else { "visible in every window" },
        "summary": summary(input),
        "sources": crate::commands::sources::sources_json(&input.session.loaded.report),
        "tables": crate::commands::sources::tables_json(input.session),
        "rules": input.hunt.outcomes.iter().map(|outcome| rule(input.library, input.seconds.is_some(), outcome)).collect::<Vec<_>>(),
        "alerts": input.hunt.alerts.iter().map(|one| alert(input.library, input.places, one)).collect::<Vec<_>>(),
        "library": library(input),
    });
    if let (Some(seconds), Some(object)) = (input.seconds, document.as_object_mut()) {
        object.insert("seconds".to_string(), json!(seconds));
    }
    document
}

fn time(ticks: i64) -> String {
    datetime::format(ticks)
}

fn mode(mode: Mode) -> Json {
    match mode {
        Mode::Sweep { from, to } => json!({"kind": "sweep", "from": from.map(time), "to": to.map(time)}),
        Mode::Once { as_of } => json!({"kind": "once", "as_of": as_of.map(time)}),
    }
}

fn summary(input: &ReportInput<'_>) -> Json {
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
    json!({
        "rules": outcomes.len(),
        "states": states,
        "alerts": input.hunt.alerts.len(),
        "alerts_by_severity": severities,
        "runs": {
            "scheduled": sum(|o| o.runs.scheduled),
            "executed": sum(|o| o.runs.executed),
            "shared": sum(|o| o.runs.shared),
            "empty": sum(|o| o.runs.empty),
        },
    })
}

/// One rule with its state; with the time it took when `times`.
pub fn rule(library: &RuleLibrary, times: bool, outcome: &RuleOutcome) -> Json {
    let rule = outcome.rule.and_then(|index| library.rules.get(index));
    let tables: Vec<Json> = outcome
        .tables
        .iter()
        .map(|table| json!({"name": table.name, "rows": table.rows, "rows_in_windows": table.in_windows}))
        .collect();
    let diagnostics: Vec<Json> = outcome.diagnostics.iter().map(|d| diagnostic(d, rule)).collect();
    let mut line = json!({
        "id": outcome.id,
        "name": outcome.name,
        "file": outcome.file,
        "kind": outcome.kind.map(|kind| kind.name()),
        "severity": outcome.severity.map(|severity| severity.name()),
        "techniques": outcome.techniques,
        "state": outcome.state.name(),
        "reason": outcome.reason,
        "runs": {
            "scheduled": outcome.runs.scheduled,
            "executed": outcome.runs.executed,
            "shared": outcome.runs.shared,
            "empty": outcome.runs.empty,
            "single_pass": outcome.runs.single_pass,
        },
        "tables": tables,
        "rows": outcome.rows,
        "alerts": outcome.alerts,
        "azure_status_dialect": outcome.azure_dialect,
        "diagnostics": diagnostics,
        "notes": outcome.notes,
    });
    if let (true, Some(object)) = (times, line.as_object_mut()) {
        object.insert("seconds".to_string(), json!(outcome.elapsed.as_secs_f64()));
    }
    line
}

/// A diagnostic with its place in the rule's file, or in the query where the file does not keep its lines.
fn diagnostic(diagnostic: &Diagnostic, rule: Option<&AnalyticsRule>) -> Json {
    let in_file = rule.and_then(|rule| {
        let range = rule.place.span_in_file(&rule.query, diagnostic.span)?;
        Some(line_and_column(&rule.place.text, range.start))
    });
    let (line, column) = in_file
        .or_else(|| rule.map(|rule| line_and_column(&rule.query, diagnostic.span.start as usize)))
        .unwrap_or_default();
    json!({
        "code": diagnostic.code,
        "severity": diagnostic.severity.name(),
        "message": diagnostic.message,
        "help": diagnostic.help,
        "line": line,
        "column": column,
        "of": if in_file.is_some() { "file" } else { "query" },
    })
}

/// One alert with everything behind it.
pub fn alert(library: &RuleLibrary, places: &Places, alert: &Alert) -> Json {
    let rule = library.rules.get(alert.rule);
    let rows: Vec<Json> = alert
        .rows
        .iter()
        .map(|row| {
            let values: Map<String, Json> =
                alert.columns.iter().zip(&row.values).map(|(c, v)| (c.name.clone(), cell::json(v))).collect();
            let sources: Vec<Json> = row.sources.places.iter().map(|packed| places.json(*packed)).collect();
            json!({"values": values, "sources": sources, "sources_truncated": row.sources.truncated})
        })
        .collect();
    let details: BTreeMap<&str, &Vec<String>> =
        alert.custom_details.iter().map(|(key, values)| (key.as_str(), values)).collect();
    let entities: Vec<Json> = match entity::entities_json(&alert.entities) {
        Json::Array(items) => items.into_iter().map(without_reference_id).collect(),
        _ => Vec::new(),
    };
    json!({
        "id": alert.id,
        "rule": {"id": alert.rule_id, "name": alert.rule_name, "file": rule.map(|rule| rule.place.file.clone())},
        "kind": alert.kind.name(),
        "name": alert.display_name,
        "description": alert.description,
        "severity": alert.severity.name(),
        "tactics": alert.tactics,
        "techniques": alert.techniques,
        "start": time(alert.start_time),
        "end": time(alert.end_time),
        "query_now": time(alert.run.query_now),
        "window": {"from": time(alert.run.window_from), "to": time(alert.run.query_now)},
        "runs": alert.runs,
        "last_query_now": time(alert.last_query_now),
        "first_record": places.times(alert).map(|(first, _)| time(first)),
        "last_record": places.times(alert).map(|(_, last)| time(last)),
        "entities": entities,
        "custom_details": details,
        "properties": alert.properties.iter().cloned().collect::<BTreeMap<String, String>>(),
        "columns": alert.columns.iter().map(|column| json!([column.name, column.ty.name()])).collect::<Vec<_>>(),
        "rows": rows,
        "rows_repeated": alert.rows_repeated,
        "notes": alert.notes,
        "query": rule.map(|rule| security_alert::query_text(alert, rule)),
        "guidance": rule.map(|rule| rule.guidance.iter().cloned().collect::<BTreeMap<String, String>>()),
        "security_alert": rule.map(|rule| security_alert::row(alert, rule)),
    })
}

fn without_reference_id(mut entity: Json) -> Json {
    if let Some(object) = entity.as_object_mut() {
        object.shift_remove("$id");
    }
    entity
}

fn library(input: &ReportInput<'_>) -> Json {
    let rules = &input.library.rules;
    let file = |index: usize| rules.get(index).map(|rule| rule.place.file.clone());
    let broken: Vec<Json> = input
        .library
        .broken
        .iter()
        .map(|broken| {
            json!({
                "file": broken.file,
                "line": broken.position.map(|p| p.line),
                "column": broken.position.map(|p| p.column),
                "message": broken.message,
            })
        })
        .collect();
    let duplicates: Vec<Json> = input
        .library
        .duplicates
        .iter()
        .map(|d| json!({"id": d.id, "first": file(d.first), "second": file(d.second), "same_query": d.same_query}))
        .collect();
    json!({
        "rules": rules.len(),
        "functions": input.library.functions.len(),
        "watchlists": input.library.watchlist_files.len(),
        "broken": broken,
        "duplicates": duplicates,
        "passed_over": input.library.passed_over,
        "unreadable": input.library.unreadable.iter().map(|(p, r)| json!({"path": p, "reason": r})).collect::<Vec<_>>(),
    })
}

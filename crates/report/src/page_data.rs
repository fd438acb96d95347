//! What the page needs of a report, in less room: texts that repeat are said once, long things are cut and counted.
//!
//! Every text is made harmless here ([`harmless::shown_json`]), so that the page shows nothing it was not meant to. The
//! whole is in the JSON form.

use std::collections::HashMap;

use serde_json::{Value as Json, json};

use crate::entities;
use crate::harmless;
use crate::model::{Alert, AlertRow, Report};

/// Of one alert.
const ROWS_MAX: usize = 25;
const RECORDS_MAX: usize = 25;
/// Characters of one cell.
const CELL_MAX: usize = 1_500;
/// Of one entity.
const EVENTS_MAX: usize = 300;

/// The data of the page.
pub fn of(report: &Report) -> Json {
    let mut paths = Paths::default();
    let rules: HashMap<(&str, &str), usize> =
        report.rules.iter().enumerate().map(|(index, rule)| ((rule.id.as_str(), rule.file.as_str()), index)).collect();
    let changed: HashMap<&str, &str> = report
        .changes
        .iter()
        .flat_map(|changes| {
            let new = changes.new.iter().map(|id| (id.as_str(), "new"));
            new.chain(changes.still.iter().map(|id| (id.as_str(), "still")))
        })
        .collect();
    let alerts: Vec<Json> = report
        .alerts
        .iter()
        .map(|alert| {
            let rule = rules.get(&(alert.rule.id.as_str(), alert.rule.file.as_deref().unwrap_or_default())).copied();
            let own_description = rule
                .and_then(|index| report.rules.get(index))
                .filter(|rule| rule.description != alert.description)
                .map(|_| &alert.description);
            let mut data = alert_data(alert, &mut paths);
            if let Some(data) = data.as_object_mut() {
                data.insert("rule".into(), json!(rule));
                data.insert("description".into(), json!(own_description));
                data.insert("change".into(), json!(changed.get(alert.id.as_str())));
            }
            data
        })
        .collect();
    let entities: Vec<Json> = report.entities.iter().map(|page| entity_data(page, &mut paths)).collect();
    let data = json!({
        "run": {
            "version": report.version,
            "attack": report.attack_version,
            "command": report.command_line,
            "commit": report.rule_set_commit,
            "mode": report.mode,
            "span": report.span,
            "rules_from": report.rules_from,
            "reference_tables": report.reference_tables,
            "seconds": report.seconds,
            "runs": report.summary.runs,
        },
        "states": report.summary.states,
        "severities": report.summary.alerts_by_severity,
        "rules": report.rules,
        "alerts": alerts,
        "incidents": report.incidents,
        "entities": entities,
        "coverage": report.coverage,
        "sources": report.sources,
        "tables": report.tables,
        "changes": report.changes,
        "library": report.library,
        "paths": paths.all,
    });
    harmless::shown_json(&data)
}

/// Files and archive members, each named once.
#[derive(Default)]
struct Paths {
    all: Vec<String>,
    index: HashMap<String, usize>,
}

impl Paths {
    fn of(&mut self, path: &str, member: Option<&str>) -> usize {
        let name = member.map_or_else(|| path.to_string(), |member| format!("{path} › {member}"));
        *self.index.entry(name.clone()).or_insert_with(|| {
            self.all.push(name);
            self.all.len() - 1
        })
    }
}

fn alert_data(alert: &Alert, paths: &mut Paths) -> Json {
    let rows: Vec<Vec<Json>> = alert.rows.iter().take(ROWS_MAX).map(|row| cells(alert, row)).collect();
    let mut records: Vec<Json> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for record in alert.rows.iter().flat_map(|row| row.sources.iter().flatten()) {
        let path = paths.of(&record.path, record.member.as_deref());
        if seen.insert((path, record.record)) && records.len() < RECORDS_MAX {
            records.push(json!([path, record.record, record.table, record.item_id]));
        }
    }
    let entities: Vec<(&str, String)> = alert
        .entities
        .iter()
        .map(|entity| (entities::kind(entity), entities::label(entity)))
        .filter(|(_, label)| !label.is_empty())
        .collect();
    json!({
        "id": alert.id,
        "name": alert.name,
        "severity": alert.severity,
        "tactics": alert.tactics,
        "techniques": alert.techniques,
        "time": alert.begins(),
        "until": alert.ends(),
        "window": [alert.window.from, alert.window.to],
        "runs": alert.runs,
        "incident": alert.incident,
        "entities": entities,
        "details": alert.custom_details,
        "columns": alert.columns.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "rows": rows,
        "rows_total": alert.rows.len(),
        "records": records,
        "records_total": seen.len(),
        "records_cut": alert.rows.iter().any(|row| row.sources_truncated),
        "next": alert.next,
        "clock": alert.query_now,
        "notes": alert.notes,
    })
}

fn cells(alert: &Alert, row: &AlertRow) -> Vec<Json> {
    let cell = |value: &Json| match value {
        Json::String(text) => Json::String(cut(text)),
        Json::Array(_) | Json::Object(_) => Json::String(cut(&value.to_string())),
        other => other.clone(),
    };
    alert.columns.iter().map(|(name, _)| row.values.get(name).map_or(Json::Null, cell)).collect()
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(CELL_MAX) {
        None => text.to_string(),
        Some((end, _)) => format!("{}… ({} characters)", text.get(..end).unwrap_or(text), text.chars().count()),
    }
}

fn entity_data(page: &crate::model::EntityPage, paths: &mut Paths) -> Json {
    let events: Vec<Json> = page
        .events
        .iter()
        .take(EVENTS_MAX)
        .map(|event| {
            let place = event.source.as_ref().map(|source| {
                let path = paths.of(&source.path, source.member.as_deref());
                (path, source.record)
            });
            json!([
                event.time,
                event.table,
                event.role,
                event.actor,
                event.address,
                event.action,
                event.target,
                event.outcome,
                place
            ])
        })
        .collect();
    json!({
        "kind": page.kind,
        "label": page.label,
        "identifiers": page.identifiers,
        "severity": page.severity,
        "first": page.first,
        "last": page.last,
        "alerts": page.alerts,
        "events": events,
        "events_total": page.events_total,
    })
}

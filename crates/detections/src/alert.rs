//! Alerts: what the rows of one run become, by the rule's grouping, mappings and overrides.
//!
//! Pure: rows in, alerts out. Ids are derived from the rule and the rows, so the same data gives the same alerts.
//! Start at [`alerts_of_run`].

use engine::RowSources;
use kql_types::{Column, ScalarType, Value};
use sha2::{Digest, Sha256};

use crate::cell;
use crate::entity::{self, Entity};
use crate::rule::{AggregationKind, AlertSeverity, AnalyticsRule, RuleKind};
use crate::schedule::Run;

/// Alerts a run may raise with one alert per result; the last stands for all rows.
const ALERTS_PER_RUN_MAX: usize = 150;
const NRT_ALERTS_PER_RUN_MAX: usize = 30;
/// Values of one custom detail or overridden field.
const VALUES_MAX: usize = 50;
const CUSTOM_DETAILS_MAX: usize = 20;
const CUSTOM_DETAILS_BYTES_MAX: usize = 2 << 10;
const NAME_BYTES_MAX: usize = 256;
const DESCRIPTION_BYTES_MAX: usize = 5 << 10;

/// A result row with the places of the records behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRow {
    pub values: Vec<Value>,
    pub sources: RowSources,
}

/// One alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// A GUID made from the rule and the rows.
    pub id: String,
    /// Index of the rule in its library; set by the hunt.
    pub rule: usize,
    pub rule_id: String,
    pub rule_name: String,
    pub kind: RuleKind,
    /// The rule's name, or the overridden one.
    pub display_name: String,
    pub description: String,
    pub severity: AlertSeverity,
    pub tactics: Vec<String>,
    pub techniques: Vec<String>,
    pub entities: Vec<Entity>,
    pub custom_details: Vec<(String, Vec<String>)>,
    /// Further overridden properties: (property, value).
    pub properties: Vec<(String, String)>,
    /// First and last `TimeGenerated` of the rows; the window where the result has no such column.
    pub start_time: i64,
    pub end_time: i64,
    /// The run that raised it first.
    pub run: Run,
    /// How many runs saw the same rows, and when the last of them was.
    pub runs: u64,
    pub last_query_now: i64,
    pub columns: Vec<Column>,
    pub rows: Vec<AlertRow>,
    /// Rows of the run that earlier runs had already raised; not in `rows`.
    pub rows_repeated: u64,
    pub aggregation_kind: AggregationKind,
    /// Limits that were hit, mappings without a column.
    pub notes: Vec<String>,
}

/// The alerts of one run that fires. `rows` are the rows not raised before, `rows_repeated` counts the others.
pub fn alerts_of_run(
    rule: &AnalyticsRule,
    columns: &[Column],
    rows: Vec<AlertRow>,
    rows_repeated: u64,
    run: Run,
) -> Vec<Alert> {
    if rule.aggregation_kind == AggregationKind::SingleAlert || rows.is_empty() {
        return vec![build(rule, columns, rows, rows_repeated, run)];
    }
    let cap = if rule.kind == RuleKind::Nrt { NRT_ALERTS_PER_RUN_MAX } else { ALERTS_PER_RUN_MAX };
    if rows.len() <= cap {
        return rows.into_iter().map(|row| build(rule, columns, vec![row], 0, run)).collect();
    }
    let mut alerts: Vec<Alert> =
        rows.iter().take(cap - 1).map(|row| build(rule, columns, vec![row.clone()], 0, run)).collect();
    let mut last = build(rule, columns, rows, rows_repeated, run);
    last.notes.push(format!("more than {cap} results: this alert stands for all of them"));
    alerts.push(last);
    alerts
}

fn build(rule: &AnalyticsRule, columns: &[Column], rows: Vec<AlertRow>, rows_repeated: u64, run: Run) -> Alert {
    let values: Vec<&[Value]> = rows.iter().map(|row| row.values.as_slice()).collect();
    let (entities, mut notes) = entity::map_entities(rule, columns, &values);
    let (start_time, end_time) =
        event_times(columns, &values).unwrap_or((run.window_from.max(run.shown_from), run.query_now));
    let overridden = Overridden::of(rule, columns, &values, &mut notes);
    Alert {
        id: alert_id(rule, &values, run),
        rule: 0,
        rule_id: rule.id.clone(),
        rule_name: rule.name.clone(),
        kind: rule.kind,
        display_name: overridden.name.unwrap_or_else(|| rule.name.clone()),
        description: overridden.description.unwrap_or_else(|| rule.description.clone()),
        severity: overridden.severity.or(rule.severity).unwrap_or(AlertSeverity::Informational),
        tactics: overridden.tactics.unwrap_or_else(|| rule.tactics.clone()),
        techniques: overridden.techniques.unwrap_or_else(|| rule.relevant_techniques.clone()),
        entities,
        custom_details: custom_details(rule, columns, &values, &mut notes),
        properties: overridden.properties,
        start_time,
        end_time,
        run,
        runs: 1,
        last_query_now: run.query_now,
        columns: columns.to_vec(),
        rows,
        rows_repeated,
        aggregation_kind: rule.aggregation_kind,
        notes,
    }
}

/// First and last `TimeGenerated` of the rows.
fn event_times(columns: &[Column], rows: &[&[Value]]) -> Option<(i64, i64)> {
    let index = columns.iter().position(|c| c.name == "TimeGenerated" && c.ty == ScalarType::DateTime)?;
    let times = rows.iter().filter_map(|row| match row.get(index) {
        Some(Value::DateTime(ticks)) => Some(*ticks),
        _ => None,
    });
    times.fold(None, |span, time| match span {
        None => Some((time, time)),
        Some((first, last)) => Some((time.min(first), time.max(last))),
    })
}

/// A text that equal rows share and different rows do not.
pub fn row_key(values: &[Value]) -> String {
    let mut key = String::new();
    for value in values {
        let text = cell::text(value);
        // The length in front keeps ("a", "b") apart from ("ab", "").
        key.push_str(&format!("{}{}:{text}", u8::from(matches!(value, Value::Null(_))), text.len()));
    }
    key
}

fn alert_id(rule: &AnalyticsRule, rows: &[&[Value]], run: Run) -> String {
    let mut hash = Sha256::new();
    hash.update(rule.id.as_bytes());
    if rows.is_empty() {
        hash.update(run.query_now.to_le_bytes());
    }
    for row in rows {
        hash.update(row_key(row).as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default().to_string();
    format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}

/// The distinct texts of a column, in order; None when the column is absent.
fn column_texts(columns: &[Column], rows: &[&[Value]], name: &str) -> Option<Vec<String>> {
    let index = columns.iter().position(|column| column.name == name)?;
    let mut texts: Vec<String> = Vec::new();
    for row in rows {
        let Some(value) = row.get(index).filter(|value| !cell::is_empty(value)) else { continue };
        let text = cell::text(value);
        if !texts.contains(&text) {
            texts.push(text);
        }
        if texts.len() > VALUES_MAX {
            break;
        }
    }
    Some(texts)
}

fn custom_details(
    rule: &AnalyticsRule,
    columns: &[Column],
    rows: &[&[Value]],
    notes: &mut Vec<String>,
) -> Vec<(String, Vec<String>)> {
    let mut details = Vec::new();
    let mut bytes = 0;
    for (key, column) in rule.custom_details.iter().take(CUSTOM_DETAILS_MAX) {
        let Some(mut values) = column_texts(columns, rows, column) else {
            notes.push(format!("custom detail {key}: no column {column} in the result"));
            continue;
        };
        values.truncate(VALUES_MAX);
        bytes += key.len() + values.iter().map(String::len).sum::<usize>();
        if bytes > CUSTOM_DETAILS_BYTES_MAX {
            notes.push(format!("custom details: cut at {key}, over 2 KB"));
            break;
        }
        if !values.is_empty() {
            details.push((key.clone(), values));
        }
    }
    details
}

/// What the rule's overrides take from the rows; None keeps the rule's own value.
struct Overridden {
    name: Option<String>,
    description: Option<String>,
    severity: Option<AlertSeverity>,
    tactics: Option<Vec<String>>,
    techniques: Option<Vec<String>>,
    properties: Vec<(String, String)>,
}

impl Overridden {
    fn of(rule: &AnalyticsRule, columns: &[Column], rows: &[&[Value]], notes: &mut Vec<String>) -> Overridden {
        let overrides = &rule.alert_details_override;
        let mut format = |text: &Option<String>, bytes: usize| {
            text.as_ref().and_then(|text| fill_format(text, columns, rows, notes)).map(|text| cut(text, bytes))
        };
        let name = format(&overrides.alert_display_name_format, NAME_BYTES_MAX);
        let description = format(&overrides.alert_description_format, DESCRIPTION_BYTES_MAX);
        let first = |column: &Option<String>| {
            column.as_ref().and_then(|name| column_texts(columns, rows, name)).unwrap_or_default()
        };
        let severities = first(&overrides.alert_severity_column_name);
        let severity = severities.iter().filter_map(|text| AlertSeverity::parse(text)).max();
        let tactics = list_of(first(&overrides.alert_tactics_column_name));
        let mut techniques = Vec::new();
        let mut properties = Vec::new();
        for (property, column) in &overrides.alert_dynamic_properties {
            let values = first(&Some(column.clone()));
            if values.is_empty() || values.len() > VALUES_MAX {
                continue;
            }
            if property == "Techniques" || property == "SubTechniques" {
                techniques.extend(list_of(values).into_iter().flatten());
            } else {
                properties.push((property.clone(), values.join(", ")));
            }
        }
        let techniques = (!techniques.is_empty()).then_some(techniques);
        Overridden { name, description, severity, tactics, techniques, properties }
    }
}

/// Texts that may themselves be lists: JSON arrays or comma lists.
fn list_of(texts: Vec<String>) -> Option<Vec<String>> {
    let mut items: Vec<String> = Vec::new();
    for text in texts {
        let parsed: Vec<String> = serde_json::from_str(&text)
            .unwrap_or_else(|_| text.split(',').map(|item| item.trim().to_string()).collect());
        for item in parsed {
            if !item.is_empty() && !items.contains(&item) {
                items.push(item);
            }
        }
    }
    (!items.is_empty()).then_some(items)
}

/// Fills `{{Column}}`; None when any column has no value, so that the rule's own text stays.
fn fill_format(format: &str, columns: &[Column], rows: &[&[Value]], notes: &mut Vec<String>) -> Option<String> {
    let mut text = String::new();
    let mut rest = format;
    while let Some(open) = rest.find("{{") {
        let after = rest.get(open + 2..)?;
        let close = after.find("}}")?;
        let name = after.get(..close)?.trim();
        let Some(values) = column_texts(columns, rows, name) else {
            notes.push(format!("alert details: no column {name} in the result"));
            return None;
        };
        if values.is_empty() || values.len() > VALUES_MAX {
            return None;
        }
        text.push_str(rest.get(..open)?);
        text.push_str(&values.join(", "));
        rest = after.get(close + 2..)?;
    }
    text.push_str(rest);
    Some(text)
}

fn cut(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        let mut end = bytes;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule_file::{Expectation, FileContent, read};

    fn rule(extra: &str) -> AnalyticsRule {
        let text =
            format!("id: a\nname: Odd key\nseverity: Low\nqueryFrequency: 1h\nquery: T\ntactics: [Impact]\n{extra}");
        match read("a.yaml", &text, Expectation::Rule) {
            FileContent::Rule(rule) => *rule,
            other => panic!("{other:?}"),
        }
    }

    fn row(time: i64, who: &str, severity: &str) -> AlertRow {
        let values = vec![Value::DateTime(time), Value::String(who.into()), Value::String(severity.into())];
        AlertRow { values, sources: RowSources::default() }
    }

    fn columns() -> Vec<Column> {
        vec![
            Column::new("TimeGenerated", ScalarType::DateTime),
            Column::new("Who", ScalarType::String),
            Column::new("Sev", ScalarType::String),
        ]
    }

    const RUN: Run = Run { query_now: 1000, window_from: 100, shown_from: 100 };

    #[test]
    fn one_alert_for_all_rows_with_their_times() {
        let rows = vec![row(300, "eve", ""), row(200, "mallory", "")];
        let alerts = alerts_of_run(&rule("customDetails:\n  Actor: Who\n  Gone: Nope\n"), &columns(), rows, 0, RUN);
        assert_eq!(alerts.len(), 1);
        let alert = &alerts[0];
        assert_eq!((alert.start_time, alert.end_time), (200, 300));
        assert_eq!(alert.custom_details, [("Actor".to_string(), vec!["eve".to_string(), "mallory".to_string()])]);
        assert_eq!(alert.notes, ["custom detail Gone: no column Nope in the result"]);
        assert_eq!(alert.severity, AlertSeverity::Low);
        assert_eq!(alert.id.len(), 36);
    }

    #[test]
    fn without_rows_the_window_stands_for_the_times() {
        let alerts = alerts_of_run(&rule(""), &columns(), Vec::new(), 0, RUN);
        assert_eq!((alerts[0].start_time, alerts[0].end_time), (100, 1000));
    }

    #[test]
    fn the_cap_of_alerts_per_result() {
        let rule = rule("eventGroupingSettings: {aggregationKind: AlertPerResult}\n");
        let rows = |n: i64| (0..n).map(|i| row(i, &format!("u{i}"), "")).collect::<Vec<_>>();
        assert_eq!(alerts_of_run(&rule, &columns(), rows(150), 0, RUN).len(), 150);
        let alerts = alerts_of_run(&rule, &columns(), rows(151), 0, RUN);
        assert_eq!(alerts.len(), 150);
        assert_eq!(alerts[149].rows.len(), 151);
        assert_eq!(alerts[148].rows.len(), 1);
    }

    #[test]
    fn overrides_take_values_and_fall_back() {
        let extra = "alertDetailsOverride:\n  alertDisplayNameFormat: 'Key of {{Who}} abused'\n  \
            alertDescriptionFormat: '{{Missing}}'\n  alertSeverityColumnName: Sev\n";
        let alerts = alerts_of_run(&rule(extra), &columns(), vec![row(1, "eve", "High")], 0, RUN);
        assert_eq!(alerts[0].display_name, "Key of eve abused");
        assert_eq!(alerts[0].severity, AlertSeverity::High);
        assert_eq!(alerts[0].description, "");
        let alerts = alerts_of_run(&rule(extra), &columns(), vec![row(1, "", "Dire")], 0, RUN);
        assert_eq!(alerts[0].display_name, "Odd key", "no value: the rule's name");
        assert_eq!(alerts[0].severity, AlertSeverity::Low, "no severity: the rule's");
    }

    #[test]
    fn keys_of_rows_do_not_run_together() {
        let s = |t: &str| Value::String(t.to_string());
        assert_ne!(row_key(&[s("a"), s("b")]), row_key(&[s("ab"), s("")]));
        assert_ne!(row_key(&[Value::Null(ScalarType::Guid)]), row_key(&[s("")]));
    }
}

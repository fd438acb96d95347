//! Alerts: what the rows of one run become, by the rule's grouping, mappings and overrides.
//!
//! Pure: rows in, alerts out. Ids are derived from the rule and the rows, so the same data gives the same alerts.
//! Start at [`alerts_of_run`].

use engine::RowSources;
use kql_types::{Column, ScalarType, Value};
use sha2::{Digest, Sha256};

use crate::alert_details::{Overridden, Overrides, custom_details};
use crate::cell;
use crate::entity::{self, Entity};
use crate::rule::{AggregationKind, AlertSeverity, AnalyticsRule, RuleKind};
use crate::schedule::Run;

/// Alerts a run may raise with one alert per result; the last stands for all rows.
const ALERTS_PER_RUN_MAX: usize = 150;
const NRT_ALERTS_PER_RUN_MAX: usize = 30;

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
    /// When it was made; None: it was found by a sweep, which makes none.
    pub made: Option<i64>,
    /// The number of the incident it went to.
    pub incident: Option<u32>,
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
    let values: Vec<&[Value]> = rows.iter().map(|row| row.values.as_slice()).collect();
    let overrides = Overrides::of_run(rule, columns, &values);
    let build = |rows: Vec<AlertRow>, repeated: u64| build(&overrides, rows, repeated, run);
    if rule.aggregation_kind == AggregationKind::SingleAlert || rows.is_empty() {
        return vec![build(rows, rows_repeated)];
    }
    let cap = if rule.kind == RuleKind::Nrt { NRT_ALERTS_PER_RUN_MAX } else { ALERTS_PER_RUN_MAX };
    if rows.len() <= cap {
        return rows.into_iter().map(|row| build(vec![row], 0)).collect();
    }
    let mut alerts: Vec<Alert> = rows.iter().take(cap - 1).map(|row| build(vec![row.clone()], 0)).collect();
    let mut last = build(rows, rows_repeated);
    last.notes.push(format!("more than {cap} results: this alert stands for all of them"));
    alerts.push(last);
    alerts
}

fn build(overrides: &Overrides<'_>, rows: Vec<AlertRow>, rows_repeated: u64, run: Run) -> Alert {
    let (rule, columns) = (overrides.rule, overrides.columns);
    let values: Vec<&[Value]> = rows.iter().map(|row| row.values.as_slice()).collect();
    let (entities, mut notes) = entity::map_entities(rule, columns, &values);
    let (start_time, end_time) =
        event_times(columns, &values).unwrap_or((run.window_from.max(run.shown_from), run.query_now));
    let overridden = Overridden::of(overrides, &values, &mut notes);
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
        techniques: overridden.techniques,
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
        made: None,
        incident: None,
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
    fn a3_a_single_alert_has_all_rows_and_the_first_and_last_of_their_times() {
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
    fn a3_without_rows_the_window_stands_for_the_times() {
        let alerts = alerts_of_run(&rule(""), &columns(), Vec::new(), 0, RUN);
        assert_eq!((alerts[0].start_time, alerts[0].end_time), (100, 1000));
    }

    #[test]
    fn a3_alert_per_result_makes_150_alerts_and_the_last_stands_for_all() {
        let rule = rule("eventGroupingSettings: {aggregationKind: AlertPerResult}\n");
        let rows = |n: i64| (0..n).map(|i| row(i, &format!("u{i}"), "")).collect::<Vec<_>>();
        assert_eq!(alerts_of_run(&rule, &columns(), rows(150), 0, RUN).len(), 150);
        let alerts = alerts_of_run(&rule, &columns(), rows(151), 0, RUN);
        assert_eq!(alerts.len(), 150);
        assert_eq!(alerts[149].rows.len(), 151);
        assert_eq!(alerts[148].rows.len(), 1);
    }

    #[test]
    fn a7_a_near_real_time_run_makes_30_alerts() {
        let text = "id: a\nname: n\nkind: NRT\nquery: T\neventGroupingSettings: {aggregationKind: AlertPerResult}\n";
        let FileContent::Rule(rule) = read("a.yaml", text, Expectation::Rule) else { panic!() };
        let rows = (0..31).map(|i| row(i, &format!("u{i}"), "")).collect::<Vec<_>>();
        let alerts = alerts_of_run(&rule, &columns(), rows, 0, RUN);
        let sizes: Vec<usize> = alerts.iter().map(|alert| alert.rows.len()).collect();
        assert_eq!((sizes.len(), sizes[28], sizes[29]), (30, 1, 31));
    }

    #[test]
    fn keys_of_rows_do_not_run_together() {
        let s = |t: &str| Value::String(t.to_string());
        assert_ne!(row_key(&[s("a"), s("b")]), row_key(&[s("ab"), s("")]));
        assert_ne!(row_key(&[Value::Null(ScalarType::Guid)]), row_key(&[s("")]));
    }
}

//! Alerts as rows of the `SecurityAlert` table, as a scheduled rule of the service writes them.

use std::io::Write;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use kql_types::{datetime, timespan};
use serde_json::{Map, Value as Json, json};

use crate::alert::Alert;
use crate::cell;
use crate::entity;
use crate::rule::{AggregationKind, AnalyticsRule, RuleKind};

/// The run is finished five minutes after its nominal time.
const DELAY: i64 = 5 * 60 * datetime::TICKS_PER_SECOND;
const NO_WORKSPACE: &str = "00000000-0000-0000-0000-000000000000";

/// One row, column by column in the order of the table's schema, of a scheduled run.
pub fn row(alert: &Alert, rule: &AnalyticsRule) -> Json {
    row_at(alert, rule, alert.run.query_now.saturating_add(DELAY))
}

/// One row of an alert that was made at a moment, in ticks.
pub fn row_at(alert: &Alert, rule: &AnalyticsRule, made: i64) -> Json {
    let time = datetime::format(made);
    let property = |name: &str| {
        alert.properties.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let property_or = |name: &str, default: &str| match property(name) {
        value if value.is_empty() => default.to_string(),
        value => value,
    };
    let entities = match alert.entities.is_empty() {
        true => String::new(),
        false => entity::entities_json(&alert.entities).to_string(),
    };
    let (techniques, sub_techniques) = split_techniques(&alert.techniques);
    let component = if rule.kind == RuleKind::Nrt { "NRT Alerts" } else { "Scheduled Alerts" };
    json!({
        "TenantId": NO_WORKSPACE,
        "TimeGenerated": time,
        "DisplayName": alert.display_name,
        "AlertName": alert.display_name,
        "AlertSeverity": alert.severity.name(),
        "Description": alert.description,
        "ProviderName": property_or("ProviderName", "ASI Scheduled Alerts"),
        "VendorName": "Microsoft",
        "VendorOriginalId": alert.id,
        "SystemAlertId": alert.id,
        "ResourceId": "",
        "SourceComputerId": "",
        "AlertType": format!("{NO_WORKSPACE}_{}", alert.rule_id),
        "ConfidenceLevel": property("ConfidenceLevel"),
        "ConfidenceScore": property("ConfidenceScore").parse::<f64>().ok(),
        "IsIncident": false,
        "StartTime": datetime::format(alert.start_time),
        "EndTime": datetime::format(alert.end_time),
        "ProcessingEndTime": time,
        "RemediationSteps": property("RemediationSteps"),
        "ExtendedProperties": extended_properties(alert, rule).to_string(),
        "Entities": entities,
        "SourceSystem": "Detection",
        "WorkspaceSubscriptionId": "",
        "WorkspaceResourceGroup": "",
        "ExtendedLinks": property("ExtendedLinks"),
        "ProductName": property_or("ProductName", "Azure Sentinel"),
        "ProductComponentName": property_or("ProductComponentName", component),
        "AlertLink": property("AlertLink"),
        "Status": "New",
        "CompromisedEntity": "",
        "Tactics": if alert.tactics.is_empty() { "Unknown".to_string() } else { alert.tactics.join(", ") },
        "Techniques": json_list(&techniques),
        "SubTechniques": json_list(&sub_techniques),
        "Type": "SecurityAlert",
    })
}

fn split_techniques(all: &[String]) -> (Vec<String>, Vec<String>) {
    let mut techniques: Vec<String> = Vec::new();
    let mut sub_techniques = Vec::new();
    for technique in all {
        let parent = technique.split('.').next().unwrap_or(technique).to_string();
        if parent != *technique {
            sub_techniques.push(technique.clone());
        }
        if !techniques.contains(&parent) {
            techniques.push(parent);
        }
    }
    (techniques, sub_techniques)
}

/// A JSON array as text; nothing when empty.
fn json_list(items: &[String]) -> String {
    if items.is_empty() { String::new() } else { json!(items).to_string() }
}

fn extended_properties(alert: &Alert, rule: &AnalyticsRule) -> Json {
    let mut properties = Map::new();
    let mut add = |key: &str, value: String| {
        properties.insert(key.to_string(), Json::String(value));
    };
    add("Query Period", timespan::format(rule.query_period));
    add("Trigger Operator", rule.trigger_operator.name().to_string());
    add("Trigger Threshold", rule.trigger_threshold.to_string());
    add("Correlation Id", alert.id.clone());
    add("Search Query Results Overall Count", (alert.rows.len() as u64 + alert.rows_repeated).to_string());
    add("Data Sources", "[]".to_string());
    match of_one_result(alert) {
        Some(event) => {
            add("Query", event);
            add("OriginalQuery", run_text(alert, rule));
        }
        None => add("Query", run_text(alert, rule)),
    }
    add("Query Start Time UTC", to_second(alert.run.window_from, Rounding::Down));
    add("Query End Time UTC", to_second(alert.run.query_now, Rounding::Up));
    add("Analytic Rule Ids", json!([alert.rule_id]).to_string());
    let grouping = match alert.aggregation_kind {
        AggregationKind::SingleAlert => "SingleAlert",
        AggregationKind::AlertPerResult => "AlertPerEvent",
    };
    add("Event Grouping", grouping.to_string());
    add("Analytic Rule Name", alert.rule_name.clone());
    add("ProcessedBySentinel", "True".to_string());
    add("Alert generation status", "Full alert created".to_string());
    if !alert.custom_details.is_empty() {
        let details: Map<String, Json> =
            alert.custom_details.iter().map(|(key, values)| (key.clone(), json!(values))).collect();
        add("Custom Details", Json::Object(details).to_string());
    }
    Json::Object(properties)
}

/// The rule's query with the clock of the run in front: pasted as it is, it runs as of that moment.
pub fn query_text(alert: &Alert, rule: &AnalyticsRule) -> String {
    format!("set query_now = datetime({});\n{}", datetime::format(alert.run.query_now), rule.query)
}

/// The query as the service keeps it: what the clock means, the clock, the rule's text unchanged.
fn run_text(alert: &Alert, rule: &AnalyticsRule) -> String {
    format!("// query_now is the time (UTC) as of which the rule ran\n{}", query_text(alert, rule))
}

/// Bytes of a query that holds a row.
const RESULT_BYTES_MAX: usize = 10 << 10;

/// An alert for one result holds the row itself, as a query that gives it back; None for an alert that stands for all rows of
/// its run, and for a row that is too large.
fn of_one_result(alert: &Alert) -> Option<String> {
    let [row] = alert.rows.as_slice() else { return None };
    if alert.aggregation_kind != AggregationKind::AlertPerResult {
        return None;
    }
    let values: Map<String, Json> =
        alert.columns.iter().zip(&row.values).map(|(column, value)| (column.name.clone(), cell::json(value))).collect();
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::best());
    packer.write_all(Json::Object(values).to_string().as_bytes()).ok()?;
    let packed = BASE64_STANDARD.encode(packer.finish().ok()?);
    let query = format!(
        "let alertedEvent = datatable(compressedRec: string) [\"{packed}\"]\n\
         | extend raw = todynamic(zlib_decompress_from_base64_string(compressedRec))\n\
         | evaluate bag_unpack(raw)\n\
         | project-away compressedRec;\n\
         alertedEvent"
    );
    (query.len() <= RESULT_BYTES_MAX).then_some(query)
}

enum Rounding {
    Down,
    Up,
}

/// `2023-07-24 15:23:59Z`.
fn to_second(ticks: i64, rounding: Rounding) -> String {
    let second = datetime::TICKS_PER_SECOND;
    let rounded = match rounding {
        Rounding::Down => ticks,
        Rounding::Up => ticks.saturating_add(second - 1).min(datetime::MAX),
    };
    let text = datetime::format(rounded);
    let seconds = text.get(..19).unwrap_or(&text).replace('T', " ");
    format!("{seconds}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::alerts_of_run;
    use crate::rule_file::{Expectation, FileContent, read};
    use crate::schedule::Run;

    #[test]
    fn a_row_has_what_the_service_writes() {
        let text = "id: 0f\nname: Odd key\nseverity: High\nqueryFrequency: 5h\nqueryPeriod: 5h\nquery: T\n\
            tactics: [Impact, Execution]\nrelevantTechniques: [T1578.002, T1496]\n";
        let FileContent::Rule(rule) = read("a.yaml", text, Expectation::Rule) else { panic!() };
        let now = datetime::parse("2023-07-24T20:23:59.1070000Z").unwrap();
        let from = now - rule.query_period;
        let run = Run { query_now: now, window_from: from, shown_from: from };
        let alert = &alerts_of_run(&rule, &[], Vec::new(), 0, run)[0];
        let row = row(alert, &rule);
        assert_eq!(row["TimeGenerated"], "2023-07-24T20:28:59.1070000Z");
        assert_eq!(row["Techniques"], r#"["T1578","T1496"]"#);
        assert_eq!(row["SubTechniques"], r#"["T1578.002"]"#);
        assert_eq!(row["Tactics"], "Impact, Execution");
        assert_eq!(row["Entities"], "");
        let extended: Json = serde_json::from_str(row["ExtendedProperties"].as_str().unwrap()).unwrap();
        assert_eq!(extended["Query Start Time UTC"], "2023-07-24 15:23:59Z");
        assert_eq!(extended["Query End Time UTC"], "2023-07-24 20:24:00Z");
        assert_eq!(extended["Query Period"], "05:00:00");
        assert!(
            extended["Query"]
                .as_str()
                .unwrap()
                .ends_with("\nset query_now = datetime(2023-07-24T20:23:59.1070000Z);\nT")
        );
        assert!(extended["Query"].as_str().unwrap().starts_with("// "), "a comment says what the clock is");
    }

    #[test]
    fn a3_an_alert_for_one_result_keeps_the_rule_text_apart() {
        let text =
            "id: 0f\nname: n\nqueryFrequency: 5h\nquery: T\neventGroupingSettings: {aggregationKind: AlertPerResult}\n";
        let FileContent::Rule(rule) = read("a.yaml", text, Expectation::Rule) else { panic!() };
        let columns = [kql_types::Column::new("A", kql_types::ScalarType::String)];
        let run = Run { query_now: datetime::UNIX_EPOCH, window_from: 0, shown_from: 0 };
        let properties = |texts: &[&str]| -> Vec<Json> {
            let rows = texts.iter().map(|text| crate::alert::AlertRow {
                values: vec![kql_types::Value::String(text.to_string())],
                sources: engine::RowSources::default(),
            });
            let alerts = alerts_of_run(&rule, &columns, rows.collect(), 0, run);
            let texts =
                alerts.iter().map(|alert| row(alert, &rule)["ExtendedProperties"].as_str().unwrap().to_string());
            texts.map(|text| serde_json::from_str(&text).unwrap()).collect()
        };
        let each = properties(&["x", "y"]);
        for one in &each {
            assert_eq!(one["Event Grouping"], "AlertPerEvent");
            let query = one["Query"].as_str().unwrap();
            assert!(query.contains("zlib_decompress_from_base64_string") && query.ends_with("alertedEvent"), "{query}");
            assert!(one["OriginalQuery"].as_str().unwrap().ends_with(";\nT"));
        }
        assert_ne!(each[0]["Query"], each[1]["Query"]);
        // What hardly packs: too large, so that the rule's text stays.
        let noise: String = (0..9_000_u64).map(|n| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
        let large = properties(&[&noise]);
        assert!(large[0]["OriginalQuery"].is_null() && large[0]["Query"].as_str().unwrap().ends_with(";\nT"));
        let all = properties(&(0..151).map(|_| "x").collect::<Vec<_>>());
        assert!(all[149]["OriginalQuery"].is_null(), "the last stands for all rows");
    }
}

//! The report as lines: NDJSON with one object for each rule and alert, CSV with one line for each alert.

use std::io::Write;

use anyhow::Result;
use detections::cell;
use kql_types::datetime;
use serde_json::Value as Json;

use super::{ReportInput, json};
use crate::output::without_formula;

/// Rules first, then alerts; each line says what it is in `type`.
pub fn write_ndjson(input: &ReportInput<'_>, out: &mut dyn Write) -> Result<()> {
    for outcome in &input.hunt.outcomes {
        write_line("rule", json::rule(input, outcome), out)?;
    }
    for alert in &input.hunt.alerts {
        write_line("alert", json::alert(input, alert), out)?;
    }
    Ok(())
}

fn write_line(kind: &str, value: Json, out: &mut dyn Write) -> Result<()> {
    let mut line = serde_json::Map::new();
    line.insert("type".to_string(), Json::from(kind));
    if let Json::Object(object) = value {
        line.extend(object);
    }
    serde_json::to_writer(&mut *out, &Json::Object(line))?;
    out.write_all(b"\n")?;
    Ok(())
}

/// One line for each alert.
pub fn write_csv(input: &ReportInput<'_>, out: &mut dyn Write) -> Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record([
        "start",
        "end",
        "severity",
        "name",
        "rule_id",
        "rule",
        "tactics",
        "techniques",
        "entities",
        "rows",
        "runs",
        "first_row",
        "sources",
        "id",
    ])?;
    for alert in &input.hunt.alerts {
        let entities: Vec<String> = alert.entities.iter().map(|e| format!("{} {}", e.kind, e.label())).collect();
        let first_row: Vec<String> = alert
            .rows
            .first()
            .map(|row| {
                let cells = alert.columns.iter().zip(&row.values).filter(|(_, value)| !cell::is_empty(value));
                cells.map(|(column, value)| format!("{}={}", column.name, cell::text(value))).collect()
            })
            .unwrap_or_default();
        let mut sources: Vec<String> = alert
            .rows
            .iter()
            .flat_map(|row| &row.sources.places)
            .filter_map(|packed| input.places.get(*packed))
            .map(|place| place.label())
            .collect();
        sources.dedup();
        let record = [
            datetime::format(alert.start_time),
            datetime::format(alert.end_time),
            alert.severity.name().to_string(),
            alert.display_name.clone(),
            alert.rule_id.clone(),
            alert.rule_name.clone(),
            alert.tactics.join(", "),
            alert.techniques.join(", "),
            entities.join("; "),
            alert.rows.len().to_string(),
            alert.runs.to_string(),
            first_row.join("; "),
            sources.join("; "),
            alert.id.clone(),
        ];
        writer.write_record(record.iter().map(|field| without_formula(field)))?;
    }
    writer.flush()?;
    Ok(())
}

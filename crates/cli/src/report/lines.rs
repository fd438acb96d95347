//! The report as lines: NDJSON with one object for each rule and alert, CSV with one line for each alert.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use detections::alert::Alert;
use detections::cell;
use detections::library::RuleLibrary;
use detections::outcome::RuleOutcome;
use kql_types::datetime;
use serde::Serialize;
use serde_json::Value as Json;

use super::places::Places;
use super::{ReportInput, json, tables_with_times};
use crate::output::without_formula;
use crate::session::Session;

/// Rules and their alerts as lines, written as soon as they are known: each rule in the order of the report, then its
/// alerts, newest first. Each line says what it is in `type`.
pub struct LineStream<'a> {
    library: &'a RuleLibrary,
    session: &'a Session,
    builtin: bool,
    times: bool,
    /// Where the lines go; nowhere after an error, which is kept.
    out: Mutex<Result<Box<dyn Write + Send>>>,
}

impl<'a> LineStream<'a> {
    pub fn new(
        library: &'a RuleLibrary,
        session: &'a Session,
        builtin: bool,
        times: bool,
        out: Box<dyn Write + Send>,
    ) -> Self {
        LineStream { library, session, builtin, times, out: Mutex::new(Ok(out)) }
    }

    /// Writes a rule with its alerts. False when lines can no longer be written: [`LineStream::finish`] says why.
    pub fn write(&self, outcome: &RuleOutcome, alerts: &[Alert]) -> bool {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let written = out.as_mut().ok().map(|out| self.write_rule(outcome, alerts, out));
        match written {
            Some(Ok(())) => true,
            Some(Err(error)) => {
                *out = Err(error);
                false
            }
            None => false,
        }
    }

    fn write_rule(&self, outcome: &RuleOutcome, alerts: &[Alert], out: &mut dyn Write) -> Result<()> {
        write_line("rule", &json::rule(self.library, self.builtin, self.times, outcome), out)?;
        if !alerts.is_empty() {
            let reads = |table: &str| outcome.tables.iter().any(|read| read.name == table);
            let places = Places::in_tables(alerts, &self.session.loaded, &reads)?;
            let tables = tables_with_times(self.session);
            for alert in alerts {
                write_line("alert", &json::alert(self.library, &places, &tables, alert), out)?;
            }
        }
        out.flush()?;
        Ok(())
    }

    /// # Errors
    /// When a line could not be written, or a file with source records could not be read.
    pub fn finish(self) -> Result<()> {
        self.out.into_inner().unwrap_or_else(PoisonError::into_inner).map(|_| ())
    }
}

/// A replay as lines: each rule with its alerts, newest first, then what the replay says of the rules, and the incidents.
pub fn write_all(input: &ReportInput<'_>, times: bool, out: &mut dyn Write) -> Result<()> {
    let tables = input.tables();
    for outcome in &input.hunt.outcomes {
        write_line("rule", &json::rule(input.library, input.builtin, times, outcome), out)?;
        for alert in input.hunt.alerts.iter().filter(|alert| Some(alert.rule) == outcome.rule) {
            write_line("alert", &json::alert(input.library, input.places, &tables, alert), out)?;
        }
    }
    for (kind, line) in input.replay.iter().flat_map(|replayed| replayed.lines(input.library)) {
        write_line(kind, &line, out)?;
    }
    Ok(())
}

fn write_line(kind: &str, value: &impl Serialize, out: &mut dyn Write) -> Result<()> {
    let mut line = serde_json::Map::new();
    line.insert("type".to_string(), Json::from(kind));
    if let Json::Object(object) = serde_json::to_value(value)? {
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

//! What a replay says besides its alerts: how each rule fared, the incidents over time, when rows arrived.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Result;
use detections::library::RuleLibrary;
use detections::rule::AnalyticsRule;
use detections::schedule::TimeSpan;
use detections::service::{Method, Replay, ReplayedRule};
use kql_types::{datetime, timespan};
use serde_json::{Value as Json, json};

use crate::terminal::{Tone, paint, safe, short, width};

/// Incidents and rules listed on a terminal.
const LISTED_MAX: usize = 20;

/// When the rows of a table arrived.
#[derive(Debug)]
pub struct Arrival {
    pub table: String,
    pub rows: u64,
    /// Rows whose arrival the logs tell.
    pub known: u64,
    /// Ticks after `TimeGenerated` at which the others are taken to have arrived.
    pub delay: i64,
    /// The last arrival, in ticks.
    pub last: Option<i64>,
}

/// A replay, with what a sweep found besides. Its alerts are in the report's own list.
pub struct Replayed {
    pub replay: Replay,
    /// For each rule of the replay: rows that a sweep raised and no run did.
    pub missed: Vec<u64>,
    pub arrivals: Vec<Arrival>,
    pub span: TimeSpan,
}

impl Replayed {
    fn rules<'a>(
        &'a self,
        library: &'a RuleLibrary,
    ) -> impl Iterator<Item = (&'a AnalyticsRule, &'a ReplayedRule, u64)> {
        let rules = self.replay.rules.iter().zip(&self.missed);
        rules.filter_map(|(replayed, missed)| Some((library.rules.get(replayed.rule)?, replayed, *missed)))
    }

    /// Rules by the way their runs were answered.
    fn methods(&self) -> BTreeMap<&'static str, usize> {
        let count = |method: Method| self.replay.rules.iter().filter(|rule| rule.method == method).count();
        Method::ALL.into_iter().map(|method| (method.name(), count(method))).collect()
    }

    /// The part of the report.
    pub fn json(&self, library: &RuleLibrary) -> Json {
        let of = |kind: &str| -> Vec<Json> {
            let lines = self.lines(library).into_iter().filter(|(of, _)| *of == kind);
            lines.map(|(_, line)| line).collect()
        };
        json!({
            "from": datetime::format(self.span.first),
            "to": datetime::format(self.span.last),
            "methods": self.methods(),
            "arrivals": of("arrival"),
            "rules": of("replay"),
            "incidents": of("incident"),
        })
    }

    /// The same as lines, each with its kind.
    pub fn lines(&self, library: &RuleLibrary) -> Vec<(&'static str, Json)> {
        let arrivals = self.arrivals.iter().map(|arrival| {
            let line = json!({
                "table": arrival.table,
                "rows": arrival.rows,
                "from_evidence": arrival.known,
                "by_delay": arrival.rows.saturating_sub(arrival.known),
                "delay": timespan::format(arrival.delay),
                "last": arrival.last.map(datetime::format),
            });
            ("arrival", line)
        });
        let rules = self.rules(library).map(|(rule, replayed, missed)| {
            let line = json!({
                "id": rule.id,
                "name": rule.name,
                "file": rule.place.file,
                "method": replayed.method.name(),
                "runs": replayed.runs,
                "queries": replayed.executed,
                "empty": replayed.empty,
                "suppressed": replayed.suppressed,
                "failures": replayed.failures,
                "disabled": replayed.disabled,
                "reason": replayed.reason,
                "alerts": replayed.alerts,
                "rows": replayed.raised,
                "doubled": replayed.doubled,
                "missed": missed,
                "period_equals_frequency": rule.query_period == rule.query_frequency,
            });
            ("replay", line)
        });
        let incidents = self.replay.incidents.rows.iter().map(|row| ("incident", row.clone()));
        arrivals.chain(rules).chain(incidents).collect()
    }

    /// The part of the report for people.
    pub fn write(&self, library: &RuleLibrary, all: bool, colour: bool, out: &mut dyn Write) -> Result<()> {
        let methods: Vec<String> = self
            .methods()
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(method, count)| format!("{count} {method}"))
            .collect();
        let runs: u64 = self.replay.rules.iter().map(|rule| rule.runs).sum();
        let queries: u64 = self.replay.rules.iter().map(|rule| rule.executed).sum();
        let head = paint("Replay", Tone::Strong, colour);
        writeln!(
            out,
            "{head}: {runs} runs of {} rules by {queries} queries ({})",
            self.replay.rules.len(),
            methods.join(", ")
        )?;
        let line =
            |out: &mut dyn Write, text: &str| writeln!(out, "  {}", short(&safe(text), width().saturating_sub(3)));
        for arrival in &self.arrivals {
            let delayed = arrival.rows.saturating_sub(arrival.known);
            let how = match (arrival.known, delayed) {
                (_, 0) => "as the logs say".to_string(),
                (0, _) => format!("{} after they happened, by default", timespan::format(arrival.delay)),
                (known, delayed) => format!(
                    "{known} as the logs say, {delayed} {} after they happened, by default",
                    timespan::format(arrival.delay)
                ),
            };
            line(out, &format!("{}: rows arrived {how}", arrival.table))?;
        }
        self.write_rules(library, all, &mut |text| line(out, text))?;
        self.write_incidents(all, &mut |text| line(out, text))?;
        writeln!(out)?;
        Ok(())
    }

    fn write_rules(
        &self,
        library: &RuleLibrary,
        all: bool,
        line: &mut dyn FnMut(&str) -> std::io::Result<()>,
    ) -> Result<()> {
        let told = self.rules(library).filter(|(_, replayed, missed)| {
            *missed > 0 || replayed.doubled > 0 || replayed.suppressed > 0 || replayed.failures > 0
        });
        let told: Vec<_> = told.collect();
        for (rule, replayed, missed) in told.iter().take(if all { told.len() } else { LISTED_MAX }) {
            let mut parts = Vec::new();
            if *missed > 0 {
                let why = match rule.query_period == rule.query_frequency {
                    true => " (period = frequency: a late row has no second run)",
                    false => "",
                };
                parts.push(format!("missed {missed} rows that a sweep raises{why}"));
            }
            if replayed.doubled > 0 {
                parts.push(format!("raised {} of {} rows more than once", replayed.doubled, replayed.raised));
            }
            if replayed.suppressed > 0 {
                parts.push(format!("{} runs left out by suppression", replayed.suppressed));
            }
            if replayed.failures > 0 {
                let disabled = if replayed.disabled { ", then disabled" } else { "" };
                parts.push(format!("{} runs failed{disabled}", replayed.failures));
            }
            for part in parts {
                line(&format!("{}: {part}", rule.name))?;
            }
        }
        if !all && told.len() > LISTED_MAX {
            line(&format!("and {} more rules (with --all)", told.len() - LISTED_MAX))?;
        }
        Ok(())
    }

    fn write_incidents(&self, all: bool, line: &mut dyn FnMut(&str) -> std::io::Result<()>) -> Result<()> {
        let incidents = &self.replay.incidents.incidents;
        if incidents.is_empty() {
            return Ok(());
        }
        line(&format!("{} incidents, newest first:", incidents.len()))?;
        for incident in incidents.iter().rev().take(if all { incidents.len() } else { LISTED_MAX }) {
            let made = datetime::format(incident.created);
            let made = made.get(..19).unwrap_or(&made).replace('T', " ");
            let alerts = incident.alert_ids.len();
            let count = if alerts == 1 { "1 alert".to_string() } else { format!("{alerts} alerts") };
            line(&format!("#{} {made}Z {}: {} ({count})", incident.number, incident.severity.name(), incident.title))?;
        }
        if !all && incidents.len() > LISTED_MAX {
            line(&format!("and {} older ones (with --all)", incidents.len() - LISTED_MAX))?;
        }
        Ok(())
    }
}

//! A replay: every rule of a library run after run through a span of time, as the service would have run it.
//!
//! Runs of all rules are taken in the order in which they start. Each sees only what had arrived by then; its alerts become
//! rows of `SecurityAlert`, its incidents rows of `SecurityIncident`, and rules that read these tables see them from then on.
//! The result depends on the data, the rules and the span alone. Start at [`replay`].

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::sync::Arc;

use connectors::LoadOptions;
use engine::{Engine, EngineError, QueryOptions, Window};
use serde_json::Value as Json;
use tables::SchemaSet;

use super::clock::{Ended, FailureKind, RuleClock, Seen, ServiceRun};
use super::incident::IncidentBook;
use crate::alert::{self, Alert, AlertRow};
use crate::hunt::HuntInput;
use crate::library::RuleLibrary;
use crate::loaded_data;
use crate::placeholders;
use crate::rule::{AnalyticsRule, RuleKind};
use crate::schedule::{Run, TimeSpan};
use crate::security_alert;

/// The tables that runs themselves write.
const WRITTEN: [&str; 2] = ["SecurityAlert", "SecurityIncident"];

/// How one rule fared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplayedRule {
    /// Index into the library's rules.
    pub rule: usize,
    /// Runs whose query was run.
    pub executed: u64,
    /// Runs that saw no row of any of their tables, and whose query gives nothing then.
    pub empty: u64,
    pub suppressed: u64,
    pub alerts: u64,
    /// Result rows that more than one run raised, counted once each.
    pub doubled: u64,
    /// Distinct result rows that were raised.
    pub raised: u64,
    pub failures: u64,
    pub disabled: bool,
    /// Why the last failed run failed.
    pub reason: String,
}

/// What a replay gave.
#[derive(Debug, Clone, Default)]
pub struct Replay {
    pub rules: Vec<ReplayedRule>,
    /// In the order in which they were made, each with the moment.
    pub alerts: Vec<(i64, Alert)>,
    /// The numbers of the incidents that the alerts went to; None where a rule makes none.
    pub incident_of: Vec<Option<u32>>,
    pub incidents: IncidentBook,
    /// Keys of all rows raised, by rule: what a sweep found besides was missed.
    raised: HashMap<usize, BTreeMap<String, u64>>,
}

impl Replay {
    /// The rows of these alerts that no run of the rule raised.
    pub fn missed<'a>(&self, rule: usize, swept: impl Iterator<Item = &'a Alert>) -> u64 {
        let raised = self.raised.get(&rule);
        let rows = swept.filter(|alert| alert.rule == rule).flat_map(|alert| &alert.rows);
        let lost = rows.filter(|row| !raised.is_some_and(|raised| raised.contains_key(&alert::row_key(&row.values))));
        lost.count() as u64
    }
}

/// Runs the scheduled and near-real-time rules from the first to the last moment of the span.
pub fn replay(input: HuntInput<'_>, schemas: &SchemaSet, span: TimeSpan) -> Replay {
    let mut service = Service::new(input, schemas, span);
    while let Some(Reverse((_, index))) = service.due.pop() {
        service.step(index);
    }
    service.finish()
}

/// A rule with its clock.
struct Running {
    rule: usize,
    clock: RuleClock,
    tables: Vec<String>,
    /// It gives nothing when its tables show nothing.
    may_skip: bool,
    result: ReplayedRule,
}

struct Service<'a> {
    input: HuntInput<'a>,
    schemas: &'a SchemaSet,
    span: TimeSpan,
    running: Vec<Running>,
    /// (when the next run starts, index into `running`), earliest first.
    due: BinaryHeap<Reverse<(i64, usize)>>,
    replay: Replay,
    /// The data with the rows written so far, made when a rule that reads them runs.
    written: Engine,
    /// Rows of the alerts; those of incidents are in the book.
    alert_rows: Vec<Json>,
    /// How many rows `written` has.
    shown: usize,
}

impl<'a> Service<'a> {
    fn new(input: HuntInput<'a>, schemas: &'a SchemaSet, span: TimeSpan) -> Service<'a> {
        let mut service = Service {
            input,
            schemas,
            span,
            running: Vec::new(),
            due: BinaryHeap::new(),
            replay: Replay::default(),
            written: input.engine.clone(),
            alert_rows: Vec::new(),
            shown: 0,
        };
        let library: &RuleLibrary = input.library;
        for (index, rule) in library.rules.iter().enumerate() {
            let skipped = rule.retired().is_some() || input.options.selection.leaves_out(rule).is_some();
            let copy = library.duplicates.iter().any(|d| d.second == index && d.same_query);
            if rule.kind == RuleKind::Hunting || skipped || copy {
                continue;
            }
            service.start(index, rule);
        }
        service
    }

    fn start(&mut self, index: usize, rule: &AnalyticsRule) {
        let filled = placeholders::fill(&rule.query, self.span.last - self.input.options.range, self.span.last);
        let checked = self.input.engine.check(&filled.text, &QueryOptions::at(self.span.last));
        let Some(bound) = checked.bound.filter(|bound| bound.unsupported.is_empty()) else { return };
        let tables: Vec<String> = bound.tables.iter().map(|table| table.name.clone()).collect();
        let events_only = tables.iter().all(|table| !self.input.engine.catalog().is_reference(table));
        let empty = bound.results.first().is_some_and(|result| {
            crate::query_shape::empty_without_rows(&result.rel, &|table| table.starts_with("_GetWatchlist("))
        });
        let may_skip =
            events_only && empty && !tables.is_empty() && !rule.fires_on_nothing() && rule.kind != RuleKind::Nrt;
        let clock = RuleClock::new(rule, self.span.first, None);
        let result = ReplayedRule { rule: index, ..ReplayedRule::default() };
        self.running.push(Running { rule: index, clock, tables, may_skip, result });
        self.schedule(self.running.len() - 1);
    }

    fn schedule(&mut self, index: usize) {
        let next = self.running.get(index).and_then(|running| running.clock.next_run());
        if let Some(next) = next.filter(|next| next.query_now <= self.span.last) {
            self.due.push(Reverse((next.starts_at, index)));
        }
    }

    fn step(&mut self, index: usize) {
        let Some(running) = self.running.get(index) else { return };
        let Some(run) = running.clock.next_run() else { return };
        let Some(rule) = self.input.library.rules.get(running.rule) else { return };
        let ended = if running.may_skip && self.sees_nothing(running, run) {
            self.note(index, |result| result.empty += 1);
            Ended::Silent
        } else {
            if running.tables.iter().any(|table| WRITTEN.contains(&table.as_str())) {
                self.show_written();
            }
            self.note(index, |result| result.executed += 1);
            self.run(index, rule, run)
        };
        if let Some(running) = self.running.get_mut(index) {
            running.clock.ended(ended);
        }
        self.schedule(index);
    }

    fn note(&mut self, index: usize, change: impl FnOnce(&mut ReplayedRule)) {
        if let Some(running) = self.running.get_mut(index) {
            change(&mut running.result);
        }
    }

    fn sees_nothing(&self, running: &Running, run: ServiceRun) -> bool {
        let Seen::Generated { from, to } = run.seen else { return false };
        let seen = TimeSpan { first: from, last: to };
        let written = self.alert_rows.len() + self.replay.incidents.rows.len() > 0;
        let shows = |table: &String| {
            self.input.profile.has_rows_in(table, seen) || written && WRITTEN.contains(&table.as_str())
        };
        !running.tables.iter().any(shows)
    }

    fn run(&mut self, index: usize, rule: &AnalyticsRule, run: ServiceRun) -> Ended {
        let range = self.input.options.range;
        let filled = placeholders::fill(&rule.query, run.query_now.saturating_sub(range), run.query_now);
        let fidelity = self.input.options.fidelity;
        let (window, arrived, window_from) = match run.seen {
            Seen::Generated { from, to } => (Some(Window { from, to, fidelity }), (0, run.starts_at), from),
            Seen::Arrived { from, to } => (None, (from, to), from),
        };
        let options = QueryOptions {
            window,
            arrived: Some(arrived),
            limits: self.input.options.limits.clone(),
            partitions: Some(1),
            provenance: true,
            ..QueryOptions::at(run.query_now)
        };
        let output = match self.written.run_blocking(&filled.text, &options) {
            Ok(output) => output,
            Err(error) => {
                let kind = kind_of(&error);
                self.note(index, |result| {
                    result.failures += 1;
                    result.reason = error.to_string();
                });
                return Ended::Failed(kind);
            }
        };
        let Some(table) = output.tables.into_iter().next() else { return Ended::Silent };
        let sources =
            table.sources.clone().unwrap_or_default().into_iter().chain(std::iter::repeat_with(Default::default));
        let rows: Vec<AlertRow> =
            table.rows().into_iter().zip(sources).map(|(values, sources)| AlertRow { values, sources }).collect();
        if !rule.fires(rows.len() as u64) {
            return Ended::Silent;
        }
        self.count_rows(index, &rows);
        let run_shown = Run { query_now: run.query_now, window_from, shown_from: window_from };
        let alerts = alert::alerts_of_run(rule, &table.columns, rows, 0, run_shown);
        self.take(index, rule, alerts, run);
        Ended::Alerted
    }

    fn count_rows(&mut self, index: usize, rows: &[AlertRow]) {
        let Some(running) = self.running.get_mut(index) else { return };
        let raised = self.replay.raised.entry(running.rule).or_default();
        let mut keys: Vec<String> = rows.iter().map(|row| alert::row_key(&row.values)).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let times = raised.entry(key).or_insert(0);
            *times += 1;
            match *times {
                1 => running.result.raised += 1,
                2 => running.result.doubled += 1,
                _ => {}
            }
        }
    }

    /// Alerts and incidents of a run that is finished.
    fn take(&mut self, index: usize, rule: &AnalyticsRule, mut alerts: Vec<Alert>, run: ServiceRun) {
        let Some(rule_index) = self.running.get(index).map(|running| running.rule) else { return };
        for (number, alert) in alerts.iter_mut().enumerate() {
            alert.rule = rule_index;
            // Another run with the same rows is another alert.
            alert.id = super::incident::guid_of(&[&alert.id, &run.query_now.to_string(), &number.to_string()]);
        }
        self.note(index, |result| result.alerts += alerts.len() as u64);
        let numbers = self.replay.incidents.take(rule, &alerts, run.starts_at);
        let mut numbers = numbers.into_iter().map(Some).chain(std::iter::repeat(None));
        for alert in alerts {
            self.alert_rows.push(security_alert::row_at(&alert, rule, run.starts_at));
            self.replay.incident_of.push(numbers.next().flatten());
            self.replay.alerts.push((run.starts_at, alert));
        }
    }

    /// Makes the rows written so far visible to queries.
    fn show_written(&mut self) {
        let count = self.alert_rows.len() + self.replay.incidents.rows.len();
        if count == self.shown {
            return;
        }
        // Without the rows the rule sees less; it still runs.
        if let Ok(engine) = with_rows(self.input.engine, self.schemas, &[&self.alert_rows, &self.replay.incidents.rows])
        {
            self.written = engine;
            self.shown = count;
        }
    }

    fn finish(mut self) -> Replay {
        for running in self.running {
            let result = ReplayedRule {
                suppressed: running.clock.suppressed,
                disabled: running.clock.is_disabled(),
                ..running.result
            };
            self.replay.rules.push(result);
        }
        self.replay
    }
}

fn kind_of(error: &EngineError) -> FailureKind {
    match error {
        EngineError::Diagnostics(diagnostics) if diagnostics.iter().any(|d| matches!(d.code, "KS204" | "KS211")) => {
            FailureKind::Missing
        }
        EngineError::Diagnostics(_) | EngineError::Unsupported { .. } | EngineError::Limit(_) => FailureKind::Query,
        EngineError::Data(_) | EngineError::Bug(_) => FailureKind::Transient,
    }
}

/// An engine over the same data with further rows, as the connectors read them.
fn with_rows(engine: &Engine, schemas: &SchemaSet, rows: &[&Vec<Json>]) -> Result<Engine, String> {
    let folder = crate::scratch::Folder::new().map_err(|e| e.to_string())?;
    for (name, rows) in WRITTEN.iter().zip(rows) {
        let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
        if !lines.is_empty() {
            std::fs::write(folder.path().join(format!("{name}.ndjson")), lines).map_err(|e| e.to_string())?;
        }
    }
    let options = LoadOptions { threads: Some(1), schemas: schemas.clone(), ..LoadOptions::default() };
    let loaded = connectors::load(&[folder.path().to_path_buf()], &options).map_err(|e| e.to_string())?;
    let mut data = engine.data().as_ref().clone();
    loaded_data::add_loaded(&mut data, &loaded, schemas).map_err(|e| e.to_string())?;
    Ok(engine.with_data(Arc::new(data)))
}

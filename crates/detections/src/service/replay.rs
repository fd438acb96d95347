//! A replay: every rule of a library run after run through a span of time, as the service would have run it.
//!
//! Runs of all rules are taken in the order in which they start. Each sees only what had arrived by then; its alerts become
//! rows of `SecurityAlert`, its incidents rows of `SecurityIncident`, and rules that read these tables see them from then on.
//! What a run sees is often known without running it, see [`super::answers`]. The result depends on the data, the rules and the
//! span alone, not on the number of threads. Start at [`replay`].

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use connectors::LoadOptions;
use engine::{ArrivalDelays, Engine, EngineError, QueryOptions, Window};
use kql_semantics::bound::BoundQuery;
use serde_json::Value as Json;
use tables::SchemaSet;

use super::answers::{Answer, Answers, Method};
use super::clock::{Ended, FailureKind, RuleClock, Seen, ServiceRun};
use super::incident::IncidentBook;
use crate::alert::{self, Alert, AlertRow};
use crate::focus;
use crate::hunt::HuntInput;
use crate::loaded_data;
use crate::placeholders;
use crate::rule::{AnalyticsRule, RuleKind};
use crate::rule_run::{RunRows, is_excluded, rows_of, take_excluding};
use crate::schedule::{Run, TimeSpan};
use crate::security_alert;

/// The tables that runs themselves write.
const WRITTEN: [&str; 2] = ["SecurityAlert", "SecurityIncident"];

/// How one rule fared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplayedRule {
    /// Index into the library's rules.
    pub rule: usize,
    pub method: Method,
    /// Runs that took place.
    pub runs: u64,
    /// Queries that were really run for them, those that find out what the runs see among them.
    pub executed: u64,
    /// Runs that are known to give nothing.
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
    /// In the order in which they were made.
    pub alerts: Vec<Alert>,
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

/// How to replay.
#[derive(Debug, Clone)]
pub struct ReplayOptions {
    /// The rules are created at its start; the last run is not after its end.
    pub span: TimeSpan,
    /// How long after the end rules go on until all is read, with one run at or after that moment; rules that fire on nothing
    /// do not. None: the end is the end.
    pub settle: Option<i64>,
    /// When rows without an ingestion time arrive.
    pub delays: Arc<ArrivalDelays>,
    /// Every run is run, whatever is known: to compare with.
    pub rerun_all: bool,
}

impl ReplayOptions {
    /// A replay of a span, with rows arriving at once where nothing is known.
    pub fn over(span: TimeSpan) -> ReplayOptions {
        ReplayOptions { span, settle: None, delays: Arc::default(), rerun_all: false }
    }
}

/// Runs the scheduled and near-real-time rules from the first to the last moment of the span.
pub fn replay(input: HuntInput<'_>, schemas: &SchemaSet, options: &ReplayOptions) -> Replay {
    let runs = |index: usize| input.library.rules.get(index).is_some_and(|rule| is_replayed(input, index, rule));
    // Each rule has many runs.
    const READINGS: usize = 3;
    let focused = focus::focused(input, &runs, READINGS);
    let input = HuntInput { engine: focused.as_ref().unwrap_or(input.engine), ..input };
    let mut service = Service::new(input, schemas, options);
    while let Some(Reverse((_, index))) = service.due.pop() {
        service.step(index);
    }
    service.finish()
}

/// Whether the service runs a rule on its own.
fn is_replayed(input: HuntInput<'_>, index: usize, rule: &AnalyticsRule) -> bool {
    let skipped =
        rule.retired().is_some() || rule.switched_off.is_some() || input.options.selection.leaves_out(rule).is_some();
    let copy = input.library.duplicates.iter().any(|d| d.second == index && d.same_query);
    rule.kind != RuleKind::Hunting && !skipped && !copy
}

/// A rule with its clock.
struct Running {
    rule: usize,
    clock: RuleClock,
    /// It reads what runs write.
    reads_written: bool,
    answers: Answers,
    result: ReplayedRule,
}

/// A rule that binds, and what is known of its runs.
fn prepared(input: HuntInput<'_>, options: &ReplayOptions, index: usize) -> Option<Running> {
    let rule = input.library.rules.get(index)?;
    let now = options.span.last;
    let filled = placeholders::fill(&rule.run_query(), now.saturating_sub(input.options.range).max(0), now);
    let checked = input.engine.check(&filled.text, &QueryOptions::at(now));
    let bound: BoundQuery = checked.bound.filter(|bound| bound.unsupported.is_empty())?;
    let tables: Vec<String> = bound.tables.iter().map(|table| table.name.clone()).collect();
    if input.options.selection.leaves_out_tables(&tables).is_some() {
        return None;
    }
    let reads_written = tables.iter().any(|table| WRITTEN.contains(&table.as_str()));
    let (answers, executed) = match reads_written || options.rerun_all {
        true => (Answers::ReRun, 0),
        false => Answers::prepare(input, rule, &bound, options.span, &options.delays),
    };
    let result = ReplayedRule { rule: index, method: answers.method(), executed, ..ReplayedRule::default() };
    let clock = RuleClock::new(rule, options.span.first, None);
    Some(Running { rule: index, clock, reads_written, answers, result })
}

/// Stack of a worker: deep queries are walked by recursion.
const STACK_BYTES: usize = 64 << 20;

/// All rules that run, prepared side by side, in their order.
fn prepare_all(input: HuntInput<'_>, options: &ReplayOptions) -> Vec<Running> {
    let rules = input.library.rules.iter().enumerate();
    let wanted: Vec<usize> =
        rules.filter(|(index, rule)| is_replayed(input, *index, rule)).map(|(index, _)| index).collect();
    let slots: Vec<Mutex<Option<Running>>> = wanted.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let (Some(index), Some(slot)) = (wanted.get(at), slots.get(at)) else { return };
            if input.interrupted.load(Ordering::Relaxed) {
                return;
            }
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = prepared(input, options, *index);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..input.options.threads.max(1) {
            // Without another thread the rules are prepared by those there are.
            drop(std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work));
        }
    });
    work();
    slots.into_iter().filter_map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

struct Service<'a> {
    input: HuntInput<'a>,
    schemas: &'a SchemaSet,
    options: &'a ReplayOptions,
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
    fn new(input: HuntInput<'a>, schemas: &'a SchemaSet, options: &'a ReplayOptions) -> Service<'a> {
        let mut service = Service {
            input,
            schemas,
            options,
            running: prepare_all(input, options),
            due: BinaryHeap::new(),
            replay: Replay::default(),
            written: input.engine.clone(),
            alert_rows: Vec::new(),
            shown: 0,
        };
        for index in 0..service.running.len() {
            service.schedule(index, None);
        }
        service
    }

    /// Puts the next run of a rule in line, unless the one before it was the last.
    fn schedule(&mut self, index: usize, before: Option<i64>) {
        let Some(running) = self.running.get(index) else { return };
        let Some(next) = running.clock.next_run() else { return };
        let on_nothing = self.input.library.rules.get(running.rule).is_some_and(AnalyticsRule::fires_on_nothing);
        let last = self.options.span.last;
        let settled = match self.options.settle {
            Some(settle) if !on_nothing => before.is_none_or(|before| before < last.saturating_add(settle)),
            _ => false,
        };
        if next.query_now <= last || settled {
            self.due.push(Reverse((next.starts_at, index)));
        }
    }

    fn step(&mut self, index: usize) {
        if self.input.interrupted.load(Ordering::Relaxed) {
            return;
        }
        let Some(running) = self.running.get_mut(index) else { return };
        let Some(run) = running.clock.next_run() else { return };
        let Some(rule) = self.input.library.rules.get(running.rule) else { return };
        running.result.runs += 1;
        let ended = match running.answers.of(&run) {
            Answer::Empty => {
                running.result.empty += 1;
                Ended::Silent
            }
            Answer::Known(rows) if !rule.fires(rows) => {
                running.result.empty += u64::from(rows == 0);
                Ended::Silent
            }
            Answer::Known(_) => {
                let rows = running.answers.rows();
                self.fired(index, rule, rows, run)
            }
            Answer::Run => self.run(index, rule, run),
        };
        if let Some(running) = self.running.get_mut(index) {
            running.clock.ended(ended);
        }
        self.schedule(index, Some(run.query_now));
    }

    fn note(&mut self, index: usize, change: impl FnOnce(&mut ReplayedRule)) {
        if let Some(running) = self.running.get_mut(index) {
            change(&mut running.result);
        }
    }

    /// Runs the query, which is not known to give what the run before gave.
    fn run(&mut self, index: usize, rule: &AnalyticsRule, run: ServiceRun) -> Ended {
        if self.running.get(index).is_some_and(|running| running.reads_written) {
            self.show_written();
        }
        self.note(index, |result| result.executed += 1);
        let range = self.input.options.range;
        let filled = placeholders::fill(&rule.run_query(), run.query_now.saturating_sub(range), run.query_now);
        let fidelity = self.input.options.fidelity;
        let (window, arrived) = match run.seen {
            Seen::Generated { from, to } => (Some(Window { from, to, fidelity }), (0, run.starts_at)),
            Seen::Arrived { from, to } => (None, (from, to)),
        };
        let options = QueryOptions {
            window,
            arrived: Some(arrived),
            arrival_delays: Some(Arc::clone(&self.options.delays)),
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
        let mut result = rows_of(output);
        let excluding = take_excluding(&mut result.columns);
        result.rows.retain_mut(|row| !is_excluded(excluding, row));
        if let Some(running) = self.running.get_mut(index) {
            running.answers.keep(&result);
        }
        if !rule.fires(result.rows.len() as u64) {
            return Ended::Silent;
        }
        self.fired(index, rule, result, run)
    }

    fn fired(&mut self, index: usize, rule: &AnalyticsRule, result: RunRows, run: ServiceRun) -> Ended {
        self.count_rows(index, &result.rows);
        let (Seen::Generated { from, .. } | Seen::Arrived { from, .. }) = run.seen;
        let run_shown = Run { query_now: run.query_now, window_from: from, shown_from: from };
        let alerts = alert::alerts_of_run(rule, &result.columns, result.rows, 0, run_shown);
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
        for mut alert in alerts {
            alert.made = Some(run.starts_at);
            alert.incident = numbers.next().flatten();
            self.alert_rows.push(security_alert::row_at(&alert, rule, run.starts_at));
            self.replay.alerts.push(alert);
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

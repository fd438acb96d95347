//! One rule over the whole span of the data: its schedule, its runs, its alerts, its state.
//!
//! A run that provably gives what another gave is not run again; a run that sees no row that matters is not run at all.
//! Start at [`run`].

use std::collections::HashSet;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Instant;

use engine::{AzureDialect, Checked, EngineError, QueryOptions, QueryOutput, Window};
use kql_semantics::bound::{BoundQuery, Rel, RelKind};
use kql_semantics::walk;
use kql_types::{Column, Diagnostic, Severity, Value};

use crate::alert::{self, Alert, AlertRow};
use crate::hunt::{HuntInput, outcome_of};
use crate::outcome::{RuleOutcome, RuleState, TableRead};
use crate::placeholders::{self, FilledQuery};
use crate::query_shape::{CARRIED, CLOCK_DISTANCE, Leaf, QueryShape, SinglePass, TwoClocks, Wanted};
use crate::raised::{Raised, TablesLoaded};
use crate::rule::{AnalyticsRule, EXCLUDED_COLUMN};
use crate::run_groups::{self, RowTimes, RunGroup, Stretch};
use crate::schedule::{Mode, Run, Schedule, TimeSpan, clock_after};

/// Rows a probe may list; beyond, every run is run.
const PROBE_ROWS_MAX: usize = 4_000_000;

/// Runs a rule and says how it ended.
pub(crate) fn run(
    input: HuntInput<'_>,
    span: Option<TimeSpan>,
    index: usize,
    rule: &AnalyticsRule,
) -> (RuleOutcome, Vec<Alert>) {
    let mut outcome = outcome_of(index, rule, RuleState::Silent, String::new());
    let end = match input.options.mode {
        Mode::Once { as_of } => as_of,
        Mode::Sweep { to, .. } => to,
    };
    let end = end.or(span.map(|span| clock_after(span.last))).unwrap_or(kql_types::datetime::UNIX_EPOCH);
    let mut runner = RuleRunner {
        input,
        rule,
        alerts: Vec::new(),
        started: Instant::now(),
        outcome: &mut outcome,
        excluded: HashSet::new(),
    };
    let result = runner.run(end, span);
    let mut alerts = runner.alerts;
    alerts.iter_mut().for_each(|alert| alert.rule = index);
    if let Err(stop) = result {
        outcome.state = stop.state;
        outcome.reason = stop.reason;
        outcome.diagnostics.extend(stop.diagnostics);
    }
    outcome.alerts = alerts.len();
    (outcome, alerts)
}

/// Why a rule did not get to its end.
struct Stop {
    state: RuleState,
    reason: String,
    diagnostics: Vec<Diagnostic>,
}

impl Stop {
    fn new(state: RuleState, reason: impl Into<String>) -> Stop {
        Stop { state, reason: reason.into(), diagnostics: Vec::new() }
    }

    fn of_error(error: EngineError, filled: &FilledQuery) -> Stop {
        match error {
            EngineError::Diagnostics(diagnostics) => Stop::of_diagnostics(diagnostics, filled),
            EngineError::Unsupported { name, .. } => Stop::new(RuleState::Unsupported, name),
            other => Stop::new(RuleState::Failed, other.to_string()),
        }
    }

    fn of_diagnostics(diagnostics: Vec<Diagnostic>, filled: &FilledQuery) -> Stop {
        let diagnostics = in_file(diagnostics, filled);
        let first = diagnostics.iter().find(|d| d.severity == Severity::Error).or_else(|| diagnostics.first());
        let reason = first.map(|d| format!("{}: {}", d.code, d.message)).unwrap_or_default();
        Stop { state: RuleState::Invalid, reason, diagnostics }
    }
}

/// Diagnostics with their places in the query as the file has it.
fn in_file(diagnostics: Vec<Diagnostic>, filled: &FilledQuery) -> Vec<Diagnostic> {
    diagnostics.into_iter().map(|d| Diagnostic { span: filled.original_span(d.span), ..d }).collect()
}

struct RuleRunner<'a> {
    input: HuntInput<'a>,
    rule: &'a AnalyticsRule,
    alerts: Vec<Alert>,
    started: Instant,
    outcome: &'a mut RuleOutcome,
    /// Keys of the rows that the project file excludes.
    excluded: HashSet<String>,
}

/// The result of one run.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunRows {
    pub columns: Vec<Column>,
    pub rows: Vec<AlertRow>,
}

impl RuleRunner<'_> {
    fn run(&mut self, end: i64, span: Option<TimeSpan>) -> Result<(), Stop> {
        let filled = self.fill(end);
        let (checked, bound) = self.bind(&filled, end)?;
        let tables: Vec<String> = bound.tables.iter().map(|table| table.name.clone()).collect();
        if let Some(reason) = self.input.options.selection.leaves_out_tables(&tables) {
            return Err(Stop::new(RuleState::Skipped, reason));
        }
        if tables.iter().any(|table| table == "AzureActivity") {
            self.outcome.azure_dialect = Some(dialect_name(checked.azure_dialect));
        }
        self.outcome.tables = tables
            .iter()
            .map(|name| TableRead { name: name.clone(), rows: self.input.profile.rows(name), in_windows: false })
            .collect();
        let watchlists = self.watchlists(&bound);
        self.outcome.tables.extend(watchlists);
        let all_loaded = self.outcome.tables.iter().all(|table| table.rows > 0);
        let no_rows_at_all = !tables.is_empty() && self.outcome.tables.iter().all(|table| table.rows == 0);
        let Some(span) = span.or(tables.is_empty().then_some(TimeSpan { first: end, last: end })) else {
            return Err(self.without_rows());
        };
        if no_rows_at_all {
            return Err(self.without_rows());
        }
        let shape = self.shape(&bound, end)?;
        let own_time_filter = shape.own_time_filter || placeholders::has_time_placeholder(&self.rule.query);
        let options = self.input.options;
        // What reads no table gives the same at every moment but for the clock: one run says it.
        let mode = if self.outcome.tables.is_empty() { Mode::Once { as_of: Some(end) } } else { options.mode };
        let schedule = Schedule::new(self.rule, mode, span, options.range, own_time_filter);
        self.outcome.runs.scheduled = schedule.count;
        self.mark_tables(&schedule);
        if !tables.is_empty() && !self.outcome.tables.iter().any(|table| table.in_windows) {
            return Err(self.without_rows());
        }
        let loaded = if all_loaded { TablesLoaded::All } else { TablesLoaded::NotAll };
        let mut raised = Raised::new(self.rule, schedule, loaded);
        let result = self.sweep(&mut raised, &shape);
        self.alerts = raised.alerts;
        self.outcome.rows = raised.rows;
        result?;
        self.outcome.state = self.final_state();
        self.outcome.reason = self.table_reason();
        Ok(())
    }

    fn fill(&self, query_now: i64) -> FilledQuery {
        let start = query_now.saturating_sub(self.input.options.range).max(0);
        placeholders::fill(&self.rule.run_query(), start, query_now)
    }

    fn options(&self, query_now: i64) -> QueryOptions {
        QueryOptions {
            strict: self.input.options.strict,
            limits: self.input.options.limits.clone(),
            // Rules run side by side already, and one partition keeps the order of rows.
            partitions: Some(1),
            ..QueryOptions::at(query_now)
        }
    }

    /// Binds the query at a clock; mistakes and what is not done yet end the rule.
    fn bind(&mut self, filled: &FilledQuery, query_now: i64) -> Result<(Checked, BoundQuery), Stop> {
        let checked = self.input.engine.check(&filled.text, &self.options(query_now));
        let Some(bound) = checked.bound.clone() else {
            return Err(Stop::of_diagnostics(checked.diagnostics, filled));
        };
        if let Some(first) = bound.unsupported.first() {
            let mut names: Vec<&str> = bound.unsupported.iter().map(|u| u.name.as_str()).collect();
            names.dedup();
            let mut stop = Stop::new(RuleState::Unsupported, names.join(", "));
            let message = format!("unsupported: {}", first.name);
            stop.diagnostics = in_file(vec![Diagnostic::error("TW900", first.span, message)], filled);
            return Err(stop);
        }
        self.outcome.diagnostics = in_file(checked.diagnostics.clone(), filled);
        Ok((checked, bound))
    }

    fn shape(&mut self, bound: &BoundQuery, end: i64) -> Result<QueryShape, Stop> {
        let later = end.saturating_add(CLOCK_DISTANCE);
        let filled = self.fill(later);
        let checked = self.input.engine.check(&filled.text, &self.options(later));
        let second = checked.bound.as_ref().unwrap_or(bound);
        let clocks = TwoClocks { first: bound, first_now: end, second, second_now: later };
        let always_visible = |table: &str| self.is_always_visible(table);
        Ok(QueryShape::of(clocks, self.input.engine.catalog().as_ref(), &always_visible, Wanted::default()))
    }

    /// The watchlists and external files that the query reads, and the calls that nobody answers.
    fn watchlists(&self, bound: &BoundQuery) -> Vec<TableRead> {
        let unanswered = |call: &String| TableRead { name: call.clone(), rows: 0, in_windows: false };
        let mut found: Vec<TableRead> = bound.absent.iter().map(unanswered).collect();
        let mut note = |rel: &Rel| {
            if let RelKind::ExternalData { uris, .. } = rel.kind.as_ref() {
                for uri in uris {
                    let name = format!("externaldata({uri})");
                    let rows = u64::from(self.input.engine.external().find(uri).is_some());
                    if !found.iter().any(|known| known.name == name) {
                        found.push(TableRead { name, rows, in_windows: rows > 0 });
                    }
                }
            }
            if let RelKind::HostTable { name, args } = rel.kind.as_ref()
                && let Some(Value::String(watchlist)) = args.first()
            {
                let name = format!("{name}({watchlist})");
                let rows = u64::from(self.input.engine.data().columns(&name).is_some());
                if !found.iter().any(|known| known.name == name) {
                    found.push(TableRead { name, rows, in_windows: rows > 0 });
                }
            }
        };
        bound.results.iter().for_each(|result| walk::for_each_rel(&result.rel, &mut note));
        found
    }

    fn is_always_visible(&self, table: &str) -> bool {
        let outside = table.starts_with("_GetWatchlist(") || table.starts_with("externaldata(");
        outside || !self.input.options.fidelity && (self.input.is_reference)(table)
    }

    fn mark_tables(&mut self, schedule: &Schedule) {
        let Some(seen) = schedule.seen() else { return };
        let marks: Vec<bool> = self
            .outcome
            .tables
            .iter()
            .map(|table| {
                if self.is_always_visible(&table.name) {
                    table.rows > 0
                } else {
                    self.input.profile.has_rows_in(&table.name, seen)
                }
            })
            .collect();
        for (table, in_windows) in self.outcome.tables.iter_mut().zip(marks) {
            table.in_windows = in_windows;
        }
    }

    /// No table has a row in any window.
    fn without_rows(&self) -> Stop {
        let loaded = self.outcome.tables.iter().any(|table| table.rows > 0);
        let state = if loaded { RuleState::OutOfWindow } else { RuleState::NoData };
        Stop::new(state, self.table_reason())
    }

    fn final_state(&self) -> RuleState {
        if !self.alerts.is_empty() {
            RuleState::Fired
        } else if self.outcome.empty_tables().next().is_some() {
            RuleState::Partial
        } else {
            RuleState::Silent
        }
    }

    /// Names the tables without rows.
    fn table_reason(&self) -> String {
        let never: Vec<&str> = self.outcome.tables.iter().filter(|t| t.rows == 0).map(|t| t.name.as_str()).collect();
        let outside: Vec<&str> = self.outcome.empty_tables().filter(|t| t.rows > 0).map(|t| t.name.as_str()).collect();
        let mut parts = Vec::new();
        if !never.is_empty() {
            parts.push(format!("{} had no rows", named(&never)));
        }
        if !outside.is_empty() {
            parts.push(format!("{} had rows only outside the windows", named(&outside)));
        }
        parts.join("; ")
    }

    /// Answers every run of the schedule.
    fn sweep(&mut self, raised: &mut Raised<'_>, shape: &QueryShape) -> Result<(), Stop> {
        let schedule = raised.schedule;
        if schedule.count > 1
            && let Some(pass) = &shape.single_pass
            && self.single_pass(raised, pass)
        {
            return Ok(());
        }
        // The answer without any row of events, at any clock that shows this reference data.
        let mut base: Option<(u64, RunRows)> = None;
        for group in self.groups(&schedule, shape) {
            let length = group.runs.end - group.runs.start;
            if group.visible == 0 && shape.empty_without_rows {
                self.outcome.runs.empty += length;
                self.take(raised, group.runs, &RunRows { columns: Vec::new(), rows: Vec::new() });
            } else if shape.clock_elsewhere {
                for index in group.runs {
                    let rows = self.execute(schedule.run(index), Sources::Leave)?;
                    self.take(raised, index..index + 1, &rows);
                }
            } else if group.visible == 0 {
                if base.as_ref().is_none_or(|(epoch, _)| *epoch != group.epoch) {
                    base = Some((group.epoch, self.execute(schedule.run(group.runs.start), Sources::Leave)?));
                    self.outcome.runs.shared += length - 1;
                } else {
                    self.outcome.runs.shared += length;
                }
                if let Some((_, rows)) = &base {
                    self.take(raised, group.runs, rows);
                }
            } else {
                let rows = self.execute(schedule.run(group.runs.start), Sources::Leave)?;
                self.outcome.runs.shared += length - 1;
                self.take(raised, group.runs, &rows);
            }
        }
        Ok(())
    }

    /// The runs in groups that see the same rows; where that cannot be found out, each run by itself.
    fn groups(&self, schedule: &Schedule, shape: &QueryShape) -> Vec<RunGroup> {
        let each = |visible: u64| -> Vec<RunGroup> {
            (0..schedule.count).map(|index| RunGroup { runs: index..index + 1, visible, epoch: index }).collect()
        };
        if schedule.count <= 1 {
            return each(1);
        }
        match self.probe(schedule, shape) {
            Some(stretches) => run_groups::group(schedule, stretches.into_iter()),
            None => each(1),
        }
    }

    /// The runs that see each row of the leaves; None when the probes cannot be run.
    fn probe(&self, schedule: &Schedule, shape: &QueryShape) -> Option<Vec<Stretch>> {
        let mut stretches = Vec::new();
        let seen = schedule.seen()?;
        for probe in &shape.probes {
            let mut options = self.options(schedule.end);
            options.window = Some(self.window(seen.first, seen.last));
            options.limits.result_rows = Some(PROBE_ROWS_MAX);
            let output = self.input.engine.run_bound_blocking(&probe.query, &options).ok()?;
            for row in output.tables.first()?.rows() {
                let found = stretch_of(schedule, &shape.leaves, &row);
                stretches.extend(found.map(|(runs, leaf)| Stretch { runs, counts: !leaf.always_visible }));
            }
        }
        Some(stretches)
    }

    fn window(&self, from: i64, to: i64) -> Window {
        Window { from, to, fidelity: self.input.options.fidelity }
    }

    /// Runs the query as of one run.
    fn execute(&mut self, run: Run, sources: Sources) -> Result<RunRows, Stop> {
        if self.input.interrupted.load(Ordering::Relaxed) {
            return Err(Stop::new(RuleState::Failed, "interrupted"));
        }
        let spent = self.started.elapsed();
        let left = self.input.options.rule_time.map(|limit| limit.saturating_sub(spent));
        if left.is_some_and(|left| left.is_zero()) {
            let runs = self.outcome.runs;
            let reason =
                format!("time limit: {} of {} runs done", runs.executed + runs.shared + runs.empty, runs.scheduled);
            return Err(Stop::new(RuleState::Failed, reason));
        }
        let filled = self.fill(run.query_now);
        let mut options = self.options(run.query_now);
        options.window = Some(self.window(run.window_from, run.query_now));
        options.provenance = sources == Sources::Collect;
        if sources == Sources::Leave {
            self.outcome.runs.executed += 1;
        }
        let output = self.input.engine.run_blocking(&filled.text, &options);
        let output = output.map_err(|error| Stop::of_error(error, &filled))?;
        let mut result = rows_of(output);
        let excluding = take_excluding(&mut result.columns);
        result.rows.retain_mut(|row| !self.excludes(excluding, row));
        Ok(result)
    }

    /// What a result means for a stretch of runs that all have it.
    fn take(&mut self, raised: &mut Raised<'_>, runs: Range<u64>, result: &RunRows) {
        if runs.is_empty() || !raised.fires(result.rows.len() as u64) {
            return;
        }
        let first = raised.schedule.run(runs.start);
        let rows = if raised.wants_sources(first, &result.rows) {
            self.with_sources(first, result)
        } else {
            result.rows.clone()
        };
        raised.take(runs, &result.columns, rows);
    }

    /// The same rows with the places of the records behind them, when running again gives the same rows.
    fn with_sources(&mut self, run: Run, result: &RunRows) -> Vec<AlertRow> {
        match self.execute(run, Sources::Collect) {
            Ok(again) if same_values(&again.rows, &result.rows) => again.rows,
            Ok(_) => {
                self.note("source records: running again gave other rows");
                result.rows.clone()
            }
            Err(stop) => {
                self.note(&format!("source records: {}", stop.reason));
                result.rows.clone()
            }
        }
    }

    /// Takes the mark from a row; counts it when the row is excluded.
    fn excludes(&mut self, mark: Option<usize>, row: &mut AlertRow) -> bool {
        let excluded = is_excluded(mark, row);
        if excluded && self.excluded.insert(alert::row_key(&row.values)) {
            self.outcome.excluded += 1;
        }
        excluded
    }

    fn note(&mut self, text: &str) {
        if !self.outcome.notes.iter().any(|known| known == text) {
            self.outcome.notes.push(text.to_string());
        }
    }

    /// Answers all runs with one query over the whole span; false when that cannot be done and each run must be run.
    fn single_pass(&mut self, raised: &mut Raised<'_>, pass: &SinglePass) -> bool {
        let schedule = raised.schedule;
        let Some(seen) = schedule.seen() else { return true };
        let mut options = self.options(schedule.end);
        options.window = Some(self.window(seen.first, seen.last));
        options.provenance = true;
        let output = match self.input.engine.run_bound_blocking(&pass.query, &options) {
            Ok(output) => output,
            // A limit that the whole span hits, a single run may keep.
            Err(_) => return false,
        };
        self.outcome.runs.single_pass = true;
        self.outcome.runs.executed += 1;
        let mut result = rows_of(output);
        let visible_columns = result.columns.len().saturating_sub(CARRIED);
        result.columns.truncate(visible_columns);
        let excluding = take_excluding(&mut result.columns);
        let mut rows: Vec<(Range<u64>, AlertRow)> = Vec::new();
        for mut row in result.rows {
            let mark = row.values.split_off(visible_columns.min(row.values.len()));
            if let Some((stretch, _)) = stretch_of(&schedule, &pass.leaves, &mark)
                && !self.excludes(excluding, &mut row)
            {
                rows.push((stretch, row));
            }
        }
        let (shared, empty) = raised.take_single_pass(&result.columns, &rows);
        self.outcome.runs.shared += shared;
        self.outcome.runs.empty += empty;
        true
    }
}

/// The runs that see the row behind a result row, and its leaf, from the columns of [`CARRIED`]; None where no run does.
fn stretch_of<'s>(schedule: &Schedule, leaves: &'s [Leaf], carried: &[Value]) -> Option<(Range<u64>, &'s Leaf)> {
    let [Value::DateTime(time), Value::Long(leaf), from, until, _] = carried else { return None };
    let moment = |value: &Value, otherwise: i64| match value {
        Value::DateTime(ticks) => *ticks,
        _ => otherwise,
    };
    let leaf = leaves.get(usize::try_from(*leaf).ok()?)?;
    let row = RowTimes { time: *time, from: moment(from, i64::MIN), until: moment(until, i64::MAX) };
    let stretch = run_groups::runs_seeing(schedule, leaf, row);
    (!stretch.is_empty()).then_some((stretch, leaf))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sources {
    Leave,
    Collect,
}

pub(crate) fn rows_of(output: QueryOutput) -> RunRows {
    let Some(table) = output.tables.into_iter().next() else {
        return RunRows { columns: Vec::new(), rows: Vec::new() };
    };
    let values = table.rows();
    let mut sources = table.sources.unwrap_or_default().into_iter();
    let rows =
        values.into_iter().map(|values| AlertRow { values, sources: sources.next().unwrap_or_default() }).collect();
    RunRows { columns: table.columns, rows }
}

/// Takes the column that marks excluded rows from a result: its place.
pub(crate) fn take_excluding(columns: &mut Vec<Column>) -> Option<usize> {
    let place = columns.iter().rposition(|column| column.name == EXCLUDED_COLUMN)?;
    columns.remove(place);
    Some(place)
}

/// Takes the mark at a place from a row: whether the row is excluded.
pub(crate) fn is_excluded(mark: Option<usize>, row: &mut AlertRow) -> bool {
    let marked = mark.filter(|place| *place < row.values.len()).map(|place| row.values.remove(place));
    matches!(marked, Some(Value::Bool(true)))
}

/// The same rows, in whatever order.
fn same_values(a: &[AlertRow], b: &[AlertRow]) -> bool {
    let keys = |rows: &[AlertRow]| {
        let mut keys: Vec<String> = rows.iter().map(|row| alert::row_key(&row.values)).collect();
        keys.sort_unstable();
        keys
    };
    a.len() == b.len() && keys(a) == keys(b)
}

/// The first names of a list, and how many more there are.
fn named(names: &[&str]) -> String {
    const SHOWN: usize = 4;
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn dialect_name(dialect: AzureDialect) -> &'static str {
    match dialect {
        AzureDialect::Raw => "raw",
        AzureDialect::Diagnostic => "diagnostic",
        AzureDialect::Rest => "rest",
    }
}

//! How the runs of a rule get their rows without each being run: one pass over all data, or only where the rows change.
//!
//! A rule that judges each row (or each joined pair of rows) on its own is asked once; each run takes the result rows it sees. Of
//! another rule, the rows that its filters let through are listed once, and a run that sees the same of them as the run before has
//! its result. Where neither is proven to be the same, every run is run. Start at [`Answers::prepare`].

use std::sync::Arc;

use engine::{ArrivalDelays, QueryOptions, Window};
use kql_semantics::bound::BoundQuery;

use super::clock::ServiceRun;
use super::visibility::{Sliding, Visible};
use crate::alert::AlertRow;
use crate::hunt::HuntInput;
use crate::placeholders;
use crate::query_shape::{CARRIED, CLOCK_DISTANCE, QueryShape, SinglePass, TwoClocks, Wanted};
use crate::rule::{AnalyticsRule, RuleKind};
use crate::rule_run::{RunRows, is_excluded, rows_of, take_excluding};
use crate::schedule::TimeSpan;

/// Rows that may be listed for one rule. With more of them, hardly two runs see the same.
const LISTED_ROWS_MAX: usize = 200_000;

/// How the runs of a rule are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Method {
    /// One query over all data.
    OnePass,
    /// A run is run when the rows it sees differ from those of the run before.
    Incremental,
    /// Every run is run.
    #[default]
    ReRun,
}

impl Method {
    pub const ALL: [Method; 3] = [Method::OnePass, Method::Incremental, Method::ReRun];

    pub fn name(self) -> &'static str {
        match self {
            Method::OnePass => "one-pass",
            Method::Incremental => "incremental",
            Method::ReRun => "re-run",
        }
    }
}

/// What is known of the rows of the runs to come.
#[derive(Debug, Default)]
pub(crate) enum Answers {
    OnePass {
        result: RunRows,
        sliding: Sliding,
    },
    Incremental {
        sliding: Sliding,
        /// For each row: it is an event, not reference data.
        events: Vec<bool>,
        /// Events that the last run saw.
        events_visible: u64,
        empty_without_rows: bool,
        /// The result depends on the rows alone. Otherwise every run that sees any is run.
        steady: bool,
        /// The result of the last run, until a row comes or goes.
        last: Option<RunRows>,
    },
    #[default]
    ReRun,
}

/// The rows of a run.
pub(crate) enum Answer {
    /// So many rows, which [`Answers::rows`] gives.
    Known(u64),
    /// It sees nothing, and its query gives nothing then.
    Empty,
    /// The query must be run; its result is handed to [`Answers::keep`].
    Run,
}

impl Answers {
    /// Looks at a rule and asks what can be asked beforehand. Gives how many queries were run for it.
    pub fn prepare(
        input: HuntInput<'_>,
        rule: &AnalyticsRule,
        bound: &BoundQuery,
        span: TimeSpan,
        delays: &Arc<ArrivalDelays>,
    ) -> (Answers, u64) {
        let shape = shape(input, rule, bound, span.last);
        // What lies before the window of the first run is seen by none.
        let from = match rule.kind {
            RuleKind::Nrt => 0,
            RuleKind::Scheduled | RuleKind::Hunting => span.first.saturating_sub(rule.query_period).max(0),
        };
        let options = QueryOptions {
            window: Some(Window { from, to: kql_types::datetime::MAX, fidelity: input.options.fidelity }),
            arrival_delays: Some(Arc::clone(delays)),
            limits: input.options.limits.clone(),
            strict: input.options.strict,
            partitions: Some(1),
            ..QueryOptions::at(span.last)
        };
        if let Some(pass) = shape.single_pass.as_ref().filter(|pass| pays(pass, rule, span))
            && let Some(answers) = one_pass(input, rule, pass, &options)
        {
            return (answers, 1);
        }
        let probes = shape.probes.len() as u64;
        (incremental(input, rule, &shape, options).unwrap_or_default(), probes)
    }

    pub fn method(&self) -> Method {
        match self {
            Answers::OnePass { .. } => Method::OnePass,
            Answers::Incremental { steady: true, .. } => Method::Incremental,
            Answers::Incremental { .. } | Answers::ReRun => Method::ReRun,
        }
    }

    /// What is known of the rows of a run that is not before the last.
    pub fn of(&mut self, run: &ServiceRun) -> Answer {
        match self {
            Answers::OnePass { sliding, .. } => {
                sliding.advance(run, |_, _| {});
                Answer::Known(sliding.visible().len() as u64)
            }
            Answers::Incremental { sliding, events, events_visible, empty_without_rows, last, .. } => {
                let changed = sliding.advance(run, |row, enters| {
                    let weight = u64::from(events.get(row).copied().unwrap_or(true));
                    *events_visible =
                        if enters { *events_visible + weight } else { events_visible.saturating_sub(weight) };
                });
                if changed {
                    *last = None;
                }
                match last {
                    _ if *events_visible == 0 && *empty_without_rows => Answer::Empty,
                    Some(last) => Answer::Known(last.rows.len() as u64),
                    None => Answer::Run,
                }
            }
            Answers::ReRun => Answer::Run,
        }
    }

    /// The rows of the run of the last [`Answers::of`] that said they are known.
    pub fn rows(&self) -> RunRows {
        match self {
            Answers::OnePass { result, sliding } => RunRows {
                columns: result.columns.clone(),
                rows: sliding.visible().filter_map(|row| result.rows.get(row).cloned()).collect(),
            },
            Answers::Incremental { last, .. } => last.clone().unwrap_or_default(),
            Answers::ReRun => RunRows::default(),
        }
    }

    /// Takes the result of the run that was run.
    pub fn keep(&mut self, result: &RunRows) {
        if let Answers::Incremental { last, steady: true, .. } = self {
            *last = Some(result.clone());
        }
    }
}

fn shape(input: HuntInput<'_>, rule: &AnalyticsRule, first: &BoundQuery, now: i64) -> QueryShape {
    let later = now.saturating_add(CLOCK_DISTANCE);
    let filled = placeholders::fill(&rule.run_query(), later.saturating_sub(input.options.range).max(0), later);
    let options = QueryOptions { strict: input.options.strict, ..QueryOptions::at(later) };
    let checked = input.engine.check(&filled.text, &options);
    let second = checked.bound.as_ref().unwrap_or(first);
    let clocks = TwoClocks { first, first_now: now, second, second_now: later };
    let always_visible = |table: &str| {
        let outside = table.starts_with("_GetWatchlist(") || table.starts_with("externaldata(");
        outside || !input.options.fidelity && (input.is_reference)(table)
    };
    let wanted = Wanted { arrivals: true, joins: true };
    QueryShape::of(clocks, input.engine.catalog().as_ref(), &always_visible, wanted)
}

/// A join over all data compares more pairs than the joins of the runs do once the data is much longer than the period.
fn pays(pass: &SinglePass, rule: &AnalyticsRule, span: TimeSpan) -> bool {
    if pass.sources < 2 {
        return true;
    }
    if rule.kind == RuleKind::Nrt {
        return false;
    }
    let periods = (span.last - span.first) as f64 / rule.query_period.max(1) as f64 + 1.0;
    let runs = (span.last - span.first) as f64 / rule.query_frequency.max(1) as f64;
    periods * periods * 2.0 <= runs
}

fn one_pass(input: HuntInput<'_>, rule: &AnalyticsRule, pass: &SinglePass, options: &QueryOptions) -> Option<Answers> {
    let options = QueryOptions { provenance: true, ..options.clone() };
    // A limit that the whole span hits, a single run may keep.
    let output = input.engine.run_bound_blocking(&pass.query, &options).ok()?;
    let mut result = rows_of(output);
    let own_columns = result.columns.len().saturating_sub(CARRIED * pass.sources);
    result.columns.truncate(own_columns);
    let excluding = take_excluding(&mut result.columns);
    let mut visible = Vec::new();
    let mut rows: Vec<AlertRow> = Vec::new();
    for mut row in result.rows {
        let carried = row.values.split_off(own_columns.min(row.values.len()));
        if let Some((seen, _)) = Visible::of_carried(rule, &pass.leaves, &carried)
            && !is_excluded(excluding, &mut row)
        {
            visible.push(seen);
            rows.push(row);
        }
    }
    result.rows = rows;
    Some(Answers::OnePass { result, sliding: Sliding::new(visible) })
}

fn incremental(
    input: HuntInput<'_>,
    rule: &AnalyticsRule,
    shape: &QueryShape,
    mut options: QueryOptions,
) -> Option<Answers> {
    options.limits.result_rows = Some(LISTED_ROWS_MAX);
    let (mut visible, mut events) = (Vec::new(), Vec::new());
    for probe in &shape.probes {
        let output = input.engine.run_bound_blocking(&probe.query, &options).ok()?;
        for row in output.tables.first()?.rows() {
            if let Some((seen, is_event)) = Visible::of_carried(rule, &shape.leaves, &row) {
                visible.push(seen);
                events.push(is_event);
            }
        }
    }
    Some(Answers::Incremental {
        sliding: Sliding::new(visible),
        events,
        events_visible: 0,
        empty_without_rows: shape.empty_without_rows && !rule.fires_on_nothing(),
        steady: !shape.clock_elsewhere,
        last: None,
    })
}

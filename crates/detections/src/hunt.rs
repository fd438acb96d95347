//! A hunt: every rule of a library over the whole span of the data, in parallel, each ending in exactly one state.
//!
//! The result depends on the data, the rules and the options alone, not on the number of threads. Start at [`hunt`].

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use engine::{Engine, Limits};

use crate::alert::Alert;
use crate::focus;
use crate::library::RuleLibrary;
use crate::outcome::{RuleOutcome, RuleState, RunCounts};
use crate::profile::DataProfile;
use crate::rule::AnalyticsRule;
use crate::rule_run;
use crate::schedule::{Mode, TimeSpan};
use crate::selection::Selection;

/// How to hunt.
#[derive(Debug, Clone)]
pub struct HuntOptions {
    pub mode: Mode,
    /// Ticks of a hunting query's range.
    pub range: i64,
    /// Reference tables are clipped to the window as the service does.
    pub fidelity: bool,
    /// Kindnesses of the binder are errors.
    pub strict: bool,
    pub threads: usize,
    /// Of each run.
    pub limits: Limits,
    /// Of all runs of a rule together.
    pub rule_time: Option<std::time::Duration>,
    pub selection: Selection,
}

/// What a hunt works with.
#[derive(Clone, Copy)]
pub struct HuntInput<'a> {
    pub engine: &'a Engine,
    pub library: &'a RuleLibrary,
    pub profile: &'a DataProfile,
    /// Tables that are visible in every window unless fidelity is asked for.
    pub is_reference: &'a (dyn Fn(&str) -> bool + Sync),
    pub options: &'a HuntOptions,
    /// Set by the caller to end early: rules not done yet are `failed`.
    pub interrupted: &'a AtomicBool,
}

/// What a hunt found.
#[derive(Debug, Clone, Default)]
pub struct Hunt {
    /// One for each rule of the library and one for each broken file, in the order of the files.
    pub outcomes: Vec<RuleOutcome>,
    /// Newest first.
    pub alerts: Vec<Alert>,
    /// First and last plausible time of the event tables.
    pub span: Option<TimeSpan>,
}

/// Where a worker leaves what it found.
type Slot = Mutex<Option<(RuleOutcome, Vec<Alert>)>>;

/// Stack of a worker: deep queries are walked by recursion.
const STACK_BYTES: usize = 64 << 20;

/// Runs the rules. `done` is called after each, from any thread.
pub fn hunt(input: HuntInput<'_>, done: &(dyn Fn(&RuleOutcome) + Sync)) -> Hunt {
    let span = input.profile.span(|table| !(input.is_reference)(table)).or_else(|| input.profile.span(|_| true));
    let rules = &input.library.rules;
    let runs = |index: usize| rules.get(index).is_some_and(|rule| skip_reason(input, index, rule).is_none());
    let focused = focus::focused(input, &runs);
    let input = HuntInput { engine: focused.as_ref().unwrap_or(input.engine), ..input };
    let results: Vec<Slot> = rules.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let (Some(rule), Some(slot)) = (rules.get(index), results.get(index)) else { return };
            let result = one_rule(input, span, index, rule);
            done(&result.0);
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..input.options.threads.max(1) {
            let spawned = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
            // Without another thread the rules are run by those there are.
            drop(spawned);
        }
        let last = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        if last.is_err() {
            work();
        }
    });
    let mut hunt = Hunt { span, ..Hunt::default() };
    for (index, slot) in results.into_iter().enumerate() {
        let result = slot.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Some(rule) = rules.get(index) else { continue };
        let (outcome, alerts) = result
            .unwrap_or_else(|| (outcome_of(index, rule, RuleState::Failed, "internal error".to_string()), Vec::new()));
        hunt.outcomes.push(outcome);
        hunt.alerts.extend(alerts);
    }
    for broken in &input.library.broken {
        hunt.outcomes.push(broken_outcome(broken));
    }
    hunt.outcomes.sort_by(|a, b| (&a.file, a.rule).cmp(&(&b.file, b.rule)));
    hunt.alerts.sort_by(|a, b| {
        let key = |alert: &Alert| (std::cmp::Reverse(alert.end_time), std::cmp::Reverse(alert.severity));
        key(a).cmp(&key(b)).then_with(|| a.rule.cmp(&b.rule)).then_with(|| a.id.cmp(&b.id))
    });
    hunt
}

fn one_rule(
    input: HuntInput<'_>,
    span: Option<TimeSpan>,
    index: usize,
    rule: &AnalyticsRule,
) -> (RuleOutcome, Vec<Alert>) {
    if let Some(reason) = skip_reason(input, index, rule) {
        return (outcome_of(index, rule, RuleState::Skipped, reason), Vec::new());
    }
    if input.interrupted.load(Ordering::Relaxed) {
        return (outcome_of(index, rule, RuleState::Failed, "interrupted".to_string()), Vec::new());
    }
    let started = std::time::Instant::now();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| rule_run::run(input, span, index, rule)));
    let mut result = caught.unwrap_or_else(|panic| {
        let what = panic.downcast_ref::<&str>().map(|s| s.to_string());
        let what = what.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        let reason = format!("internal error, please report: {}", what.lines().next().unwrap_or_default());
        (outcome_of(index, rule, RuleState::Failed, reason), Vec::new())
    });
    result.0.elapsed = started.elapsed();
    result
}

fn skip_reason(input: HuntInput<'_>, index: usize, rule: &AnalyticsRule) -> Option<String> {
    if let Some(reason) = rule.retired() {
        return Some(reason.to_string());
    }
    if let Some(copy) = input.library.duplicates.iter().find(|d| d.second == index && d.same_query) {
        let file = input.library.rules.get(copy.first).map(|first| first.place.file.clone()).unwrap_or_default();
        return Some(format!("a copy of {file}"));
    }
    input.options.selection.leaves_out(rule)
}

/// An outcome with what the rule's file says, to be filled in.
pub(crate) fn outcome_of(index: usize, rule: &AnalyticsRule, state: RuleState, reason: String) -> RuleOutcome {
    let unknown =
        rule.unknown_fields.iter().map(|field| format!("unknown field `{}` at {}", field.name, field.position));
    RuleOutcome {
        rule: Some(index),
        id: rule.id.clone(),
        name: rule.name.clone(),
        file: rule.place.file.clone(),
        kind: Some(rule.kind),
        severity: rule.severity,
        techniques: rule.relevant_techniques.clone(),
        state,
        reason,
        runs: RunCounts::default(),
        tables: Vec::new(),
        rows: 0,
        alerts: 0,
        diagnostics: Vec::new(),
        azure_dialect: None,
        elapsed: std::time::Duration::ZERO,
        notes: rule.notes.iter().cloned().chain(unknown).collect(),
    }
}

fn broken_outcome(broken: &crate::rule_file::BrokenFile) -> RuleOutcome {
    let place = broken.position.map(|position| format!("{position}: ")).unwrap_or_default();
    RuleOutcome {
        rule: None,
        id: String::new(),
        name: crate::rule_file::stem(&broken.file),
        file: broken.file.clone(),
        kind: None,
        severity: None,
        techniques: Vec::new(),
        state: RuleState::Invalid,
        reason: format!("{place}{}", broken.message),
        runs: RunCounts::default(),
        tables: Vec::new(),
        rows: 0,
        alerts: 0,
        diagnostics: Vec::new(),
        azure_dialect: None,
        elapsed: std::time::Duration::ZERO,
        notes: Vec::new(),
    }
}

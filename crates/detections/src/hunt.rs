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

/// Who is told how a hunt goes on. `()` is told nothing.
pub trait Watcher: Sync {
    /// A rule is done: called from any thread, in any order.
    fn done(&self, _outcome: &RuleOutcome) {}
    /// The next rule of [`Hunt::outcomes`] is done, in that order, with its alerts, newest first. Never called from two
    /// threads at once.
    fn next(&self, _outcome: &RuleOutcome, _alerts: &[Alert]) {}
}

impl Watcher for () {}

/// What a rule gave.
type Found = (RuleOutcome, Vec<Alert>);

/// Results in the order of the report, filled by workers and told on as soon as all before them are there.
struct InOrder<'a> {
    slots: Vec<Mutex<Option<Found>>>,
    told: Mutex<usize>,
    watcher: &'a dyn Watcher,
}

impl InOrder<'_> {
    fn put(&self, position: usize, mut found: Found) {
        found.1.sort_by(newest_first);
        self.watcher.done(&found.0);
        if let Some(slot) = self.slots.get(position) {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        }
        self.tell();
    }

    /// Whether nothing was put there.
    fn is_open(&self, position: usize) -> bool {
        let slot = self.slots.get(position).map(|slot| slot.lock().unwrap_or_else(PoisonError::into_inner));
        slot.is_some_and(|found| found.is_none())
    }

    /// Tells of all that is there in order and was not told of.
    fn tell(&self) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(slot) = self.slots.get(*told) {
            let found = slot.lock().unwrap_or_else(PoisonError::into_inner);
            let Some((outcome, alerts)) = found.as_ref() else { return };
            self.watcher.next(outcome, alerts);
            *told += 1;
        }
    }
}

/// An entry of the report: a rule or a broken file of the library, by index.
#[derive(Debug, Clone, Copy)]
enum Entry {
    Rule(usize),
    Broken(usize),
}

/// The entries of the report: by file, a broken one first, rules as their file has them.
fn report_order(library: &RuleLibrary) -> Vec<Entry> {
    let rules = library.rules.iter().enumerate().map(|(index, rule)| {
        let key = (rule.place.file.as_str(), Some(index));
        (key, Entry::Rule(index))
    });
    let broken = library.broken.iter().enumerate().map(|(index, broken)| {
        let key = (broken.file.as_str(), None);
        (key, Entry::Broken(index))
    });
    let mut order: Vec<_> = rules.chain(broken).collect();
    order.sort_by_key(|(key, _)| *key);
    order.into_iter().map(|(_, entry)| entry).collect()
}

fn newest_first(a: &Alert, b: &Alert) -> std::cmp::Ordering {
    let key = |alert: &Alert| (std::cmp::Reverse(alert.end_time), std::cmp::Reverse(alert.severity));
    key(a).cmp(&key(b)).then_with(|| a.rule.cmp(&b.rule)).then_with(|| a.id.cmp(&b.id))
}

/// Stack of a worker: deep queries are walked by recursion.
const STACK_BYTES: usize = 64 << 20;

/// Runs the rules. The watcher is told of each when it is done.
pub fn hunt(input: HuntInput<'_>, watcher: &dyn Watcher) -> Hunt {
    let span = input.profile.span(|table| !(input.is_reference)(table)).or_else(|| input.profile.span(|_| true));
    let rules = &input.library.rules;
    let runs = |index: usize| rules.get(index).is_some_and(|rule| skip_reason(input, index, rule).is_none());
    let focused = focus::focused(input, &runs, 1);
    let input = HuntInput { engine: focused.as_ref().unwrap_or(input.engine), ..input };
    let order = report_order(input.library);
    let rule_at = |(position, entry): (usize, &Entry)| match entry {
        Entry::Rule(index) => Some((position, *index, rules.get(*index)?)),
        Entry::Broken(_) => None,
    };
    let to_run: Vec<(usize, usize, &AnalyticsRule)> = order.iter().enumerate().filter_map(rule_at).collect();
    let slot = |entry: &Entry| match entry {
        Entry::Rule(_) => None,
        Entry::Broken(index) => input.library.broken.get(*index).map(|broken| (broken_outcome(broken), Vec::new())),
    };
    let slots = order.iter().map(|entry| Mutex::new(slot(entry))).collect();
    let results = InOrder { slots, told: Mutex::new(0), watcher };
    results.tell();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((position, index, rule)) = to_run.get(next.fetch_add(1, Ordering::Relaxed)) {
            results.put(*position, one_rule(input, span, *index, rule));
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
    for (position, index, rule) in &to_run {
        if results.is_open(*position) {
            let lost = outcome_of(*index, rule, RuleState::Failed, "internal error".to_string());
            results.put(*position, (lost, Vec::new()));
        }
    }
    let mut hunt = Hunt { span, ..Hunt::default() };
    for slot in results.slots {
        let Some((outcome, alerts)) = slot.into_inner().unwrap_or_else(PoisonError::into_inner) else { continue };
        hunt.outcomes.push(outcome);
        hunt.alerts.extend(alerts);
    }
    hunt.alerts.sort_by(newest_first);
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
    if let Some(reason) = rule.switched_off.clone().or_else(|| rule.retired().map(str::to_string)) {
        return Some(reason);
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
        excluded: 0,
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
        state: if broken.unsupported { RuleState::Unsupported } else { RuleState::Invalid },
        reason: format!("{place}{}", broken.message),
        runs: RunCounts::default(),
        tables: Vec::new(),
        rows: 0,
        excluded: 0,
        alerts: 0,
        diagnostics: Vec::new(),
        azure_dialect: None,
        elapsed: std::time::Duration::ZERO,
        notes: Vec::new(),
    }
}

//! The lint: what is probably wrong with a rule, found without running it (and, with logs, by looking at them).
//!
//! The codes are data ([`codes`]); each family of checks is one small file that reads a [`Subject`] and gives findings.
//! A check never panics and never guesses from a name alone. Start at [`lint`].

mod alerts;
pub mod baseline;
pub mod codes;
mod columns;
mod cost;
mod data;
mod facts;
mod files;
pub mod fix;
mod guidance;
mod language;
mod silence;
mod subject;
mod time;
mod values;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::Engine;

use crate::attack::Version;

pub use codes::{Example, Level, LintCode, Needs};
pub use data::DataFacts;
pub use silence::Allowance;
pub use subject::{Finding, Fix};

use crate::library::RuleLibrary;
use crate::rule::AnalyticsRule;
use crate::yaml::Position;
use subject::Subject;

/// Which findings count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    #[default]
    All,
    /// Only what the checks of Microsoft's own repository refuse, with its stricter limits.
    Sentinel,
}

/// The tests that stand beside a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TestsBeside {
    pub positive: bool,
    pub negative: bool,
}

/// The text of a file at an earlier revision, by its path.
pub type Earlier<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);
/// The tests beside a rule, if there are any.
pub type Tests<'a> = &'a (dyn Fn(&AnalyticsRule) -> Option<TestsBeside> + Sync);

/// What rules are judged by.
pub struct LintContext<'a> {
    /// Knows the tables and functions that queries may name.
    pub engine: &'a Engine,
    pub profile: Profile,
    pub attack: Version,
    /// The present in ticks: silences expire by it.
    pub today: i64,
    pub earlier: Option<Earlier<'a>>,
    pub tests: Option<Tests<'a>>,
    pub data: Option<&'a DataFacts>,
    /// Silences of the project file.
    pub allowed: &'a [Allowance],
}

/// Lints every rule of a library, files that hold no rule included. The findings are in the order of files and places.
pub fn lint(library: &RuleLibrary, context: &LintContext<'_>) -> Vec<Finding> {
    let mut found = on_deep_threads(&library.rules, |rule| lint_rule(rule, context));
    let mut of_set: Vec<Finding> = Vec::new();
    of_set.extend(files::of_library(library));
    of_set.extend(cost::of_library(library, context));
    for finding in of_set {
        let silenced = library
            .rules
            .iter()
            .position(|rule| rule.place.file == finding.file && rule.id == finding.rule_id)
            .is_some_and(|index| {
                library
                    .rules
                    .get(index)
                    .is_some_and(|rule| silence::of_rule(rule).any(|a| a.silences(&finding, context.today)))
            });
        if !silenced && !context.allowed.iter().any(|a| a.silences(&finding, context.today)) {
            found.push(finding);
        }
    }
    if context.profile == Profile::Sentinel {
        found.retain(|finding| finding.code.sentinel);
    }
    found.sort_by(|a, b| (&a.file, a.start, a.code.code, &a.message).cmp(&(&b.file, b.start, b.code.code, &b.message)));
    found.dedup();
    found
}

/// Lints one rule; what its comments and the project file silence is left out.
pub fn lint_rule(rule: &AnalyticsRule, context: &LintContext<'_>) -> Vec<Finding> {
    // A check that breaks on one query must not hide the findings of all others.
    let found = catch_unwind(AssertUnwindSafe(|| {
        let subject = Subject::of(rule, context);
        let mut found = Vec::new();
        files::check(&subject, &mut found);
        language::check(&subject, &mut found);
        alerts::check(&subject, &mut found);
        guidance::check(&subject, &mut found);
        if let Some(facts) = subject.facts() {
            time::check(&subject, &facts, &mut found);
            values::check(&subject, &facts, &mut found);
            columns::check(&subject, &facts, &mut found);
            cost::check(&subject, &facts, &mut found);
        }
        silence::apply(&subject, &mut found);
        found
    }));
    found.unwrap_or_else(|_| vec![broken_check(rule)])
}

fn broken_check(rule: &AnalyticsRule) -> Finding {
    let code = codes::find("TW109").unwrap_or(&codes::CODES[0]);
    let message = "internal error while linting this rule, please report".to_string();
    Finding::of_rule(code, rule, (Position::START, Position::START), message, String::new())
}

/// Stack of each thread in bytes, reserved and not used: a query is a tree as deep as its pipeline is long.
const STACK_BYTES: usize = 512 << 20;

/// Applies a function to each item on all cores, on threads with deep stacks; results in the order of the items.
fn on_deep_threads<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> Vec<R> + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(items.len().max(1));
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Vec<R>>> = items.iter().map(|_| Mutex::new(Vec::new())).collect();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let run = || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(item), Some(slot)) = (items.get(index), results.get(index)) else { return };
                    let result = work(item);
                    *slot.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = result;
                }
            };
            // Without a thread of its own the work is done below.
            let _ = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, run);
        }
    });
    for (item, slot) in items.iter().zip(&results).skip(next.load(Ordering::Relaxed)) {
        *slot.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = work(item);
    }
    results.into_iter().flat_map(|slot| slot.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())).collect()
}

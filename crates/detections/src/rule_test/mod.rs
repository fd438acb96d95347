//! Unit tests of rules: a YAML file beside the rule, or `tests:` in its own, with events and what must come of them.
//!
//! A case loads its events with the ordinary connectors and runs the rule with a fixed clock, so it tests what a hunt
//! does. Start at [`read`] and [`run`].

mod case;
mod equivalence;
mod events;
mod mutation;
mod run;
mod update;

pub use case::{AlertCount, Case, Event, Expect, RuleTest, TestError, Watchlist, has_own, read, read_own};
pub use mutation::{Mutant, Mutants, Mutation, mutants, survivors};
pub use run::{CaseResult, Names, Prepared, Verdict, prepare, run};
pub use update::updated;

/// Whether a file is named as a test of a rule.
pub fn is_test_file(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with(".test.yaml") || name.ends_with(".test.yml")
}

//! One pass over large files for all rules of a hunt.
//!
//! Every rule's query is bound at two clocks; what its filters say at both holds in every run. Files of which the rules
//! together need few rows are read once, before the first rule runs. Tables in memory are left alone. Start at [`focused`].

use engine::{Clocks, Engine, ROWS_MIN};
use kql_semantics::bound::BoundQuery;
use kql_types::datetime;

use crate::hunt::HuntInput;
use crate::placeholders;
use crate::query_shape::CLOCK_DISTANCE;

/// An engine that gives the rules of a hunt what `input.engine` gives; None when no table is large enough to share.
/// `times` says how often each rule reads its tables, at least.
pub(crate) fn focused(input: HuntInput<'_>, runs: &dyn Fn(usize) -> bool, times: usize) -> Option<Engine> {
    let data = input.engine.data();
    if !data.table_names().iter().any(|table| data.rows_in_files(table) >= ROWS_MIN) {
        return None;
    }
    let mut bound: Vec<(BoundQuery, BoundQuery)> = Vec::new();
    for (index, rule) in input.library.rules.iter().enumerate().filter(|(index, _)| runs(*index)) {
        let at = |now: i64| {
            let filled = placeholders::fill(&rule.run_query(), now.saturating_sub(input.options.range).max(0), now);
            let options = engine::QueryOptions { strict: input.options.strict, ..engine::QueryOptions::at(now) };
            input.engine.check(&filled.text, &options).bound
        };
        let now = datetime::UNIX_EPOCH.saturating_add(index as i64);
        // A rule that does not bind reads nothing.
        if let (Some(first), Some(second)) = (at(now), at(now.saturating_add(CLOCK_DISTANCE))) {
            bound.push((first, second));
        }
    }
    let clocks = bound.iter().map(|(first, second)| Clocks { first, second });
    let clocks: Vec<Clocks<'_>> = clocks.flat_map(|clocks| std::iter::repeat_n(clocks, times)).collect();
    Some(input.engine.focused_blocking(&clocks, true, ROWS_MIN, input.options.limits.memory))
}

//! Changes of a rule that change nothing: no case can tell them from the rule, and no near miss is missing.
//!
//! A change that every case survives is equivalent when its query gives the same rows as the rule's over the data of every case,
//! over logs that the user names, and over rows made so that either query finds something, or that what was left out does not
//! hold. That is evidence, not proof; a single different row makes it a survivor. Start at [`is_equivalent`].

use engine::{Engine, QueryOptions, Window};
use kql_types::datetime;
use witness::Rows;

use crate::alert::row_key;
use crate::rule::{AnalyticsRule, RuleKind};
use crate::{placeholders, scratch};

/// Whether two rules that differ in their query give the same rows over all of these, and over rows made for each of
/// `probes`.
pub(super) fn is_equivalent(
    rule: &AnalyticsRule,
    changed: &AnalyticsRule,
    probes: &[AnalyticsRule],
    over: &[(&Engine, i64)],
) -> bool {
    let same = |engine: &Engine, now: i64| match (rows(engine, rule, now), rows(engine, changed, now)) {
        (Some(left), Some(right)) => left == right,
        _ => false,
    };
    let Some((engine, now)) = over.first() else { return false };
    over.iter().all(|(engine, now)| same(engine, *now))
        && probes.iter().all(|made_for| {
            let Ok(folder) = scratch::Folder::new() else { return false };
            with_witnesses(engine, made_for, *now, &folder).is_some_and(|engine| same(&engine, *now))
        })
}

fn text_and_options(rule: &AnalyticsRule, now: i64) -> (String, QueryOptions) {
    let filled = placeholders::fill(&rule.query, now - datetime::TICKS_PER_DAY, now);
    let mut options = QueryOptions::at(now);
    if rule.kind != RuleKind::Hunting {
        options.window = Some(Window { from: now - rule.query_period, to: now, fidelity: false });
    }
    (filled.text, options)
}

fn with_witnesses(engine: &Engine, rule: &AnalyticsRule, now: i64, folder: &scratch::Folder) -> Option<Engine> {
    let (text, options) = text_and_options(rule, now);
    let bound = engine.check(&text, &options).bound?;
    engine.with_witnesses(&bound, &Rows::of(&bound, now), folder.path()).ok()
}

/// The rows of a rule's query as sorted texts; None when it does not run.
fn rows(engine: &Engine, rule: &AnalyticsRule, now: i64) -> Option<Vec<String>> {
    let (text, options) = text_and_options(rule, now);
    let output = engine.run_blocking(&text, &options).ok()?;
    let mut rows: Vec<String> = output.tables.iter().flat_map(|table| table.rows()).map(|row| row_key(&row)).collect();
    rows.sort();
    Some(rows)
}

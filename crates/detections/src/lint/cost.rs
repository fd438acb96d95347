//! TW601 to TW603: what a rule costs, told from its query and schedule.

use kql_semantics::bound::{RelKind, SummarizeItem};

use super::LintContext;
use super::codes;
use super::facts::Facts;
use super::subject::{Finding, Subject};
use crate::library::RuleLibrary;
use crate::rule::{AnalyticsRule, RuleKind};
use crate::yaml::Position;

/// Columns of JSON text or the like: most bytes of their table.
const WIDE: &[&str] = &[
    "AdditionalDetails",
    "AdditionalEventData",
    "AdditionalFields",
    "Authorization",
    "Authorization_d",
    "Claims",
    "Claims_d",
    "EventData",
    "ExtendedProperties",
    "Properties",
    "Properties_d",
    "Request",
    "RequestParameters",
    "Resources",
    "Response",
    "ResponseElements",
    "TargetResources",
];

pub(super) fn check(subject: &Subject<'_>, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for rel in &facts.rels {
        let RelKind::Summarize { items, .. } = rel.kind.as_ref() else { continue };
        for item in items {
            let SummarizeItem::Aggregate { call, .. } = item else { continue };
            let counts = matches!(call.aggregate.name, "dcount" | "count_distinct" | "hll");
            let wide = call
                .args
                .first()
                .map(|arg| facts.origins_of(arg))
                .and_then(|origins| origins.iter().find(|(_, column)| WIDE.contains(&column.as_str())));
            if let Some((table, column)) = wide.filter(|_| counts) {
                let message = format!("{table}.{column} is wide and only counted: count a narrow column");
                found.extend(subject.at_bound("TW601", call.span, message));
            }
        }
    }
}

/// Rules below this number say nothing about the usual.
const RULES_MIN: usize = 8;
/// This many times the median is far more.
const FACTOR: f64 = 20.0;

/// TW603: days of tables read in a day, against the median of the rules at hand.
pub(super) fn of_library(library: &RuleLibrary, context: &LintContext<'_>) -> Vec<Finding> {
    let costs: Vec<(usize, f64)> = library
        .rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| rule.kind == RuleKind::Scheduled)
        .map(|(index, rule)| (index, cost_of(rule, context)))
        .collect();
    if costs.len() < RULES_MIN {
        return Vec::new();
    }
    let mut sorted: Vec<f64> = costs.iter().map(|(_, cost)| *cost).collect();
    sorted.sort_by(f64::total_cmp);
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(1.0);
    let far = |cost: f64| cost > FACTOR * median;
    let Some(code) = codes::find("TW603") else { return Vec::new() };
    costs
        .into_iter()
        .filter(|(_, cost)| far(*cost))
        .filter_map(|(index, cost)| Some((library.rules.get(index)?, cost)))
        .map(|(rule, cost)| {
            let message = format!("reads {cost:.0} days of tables in a day, the median rule {median:.0}");
            Finding::of_rule(code, rule, (Position::START, Position::START), message, "cost".to_string())
        })
        .collect()
}

/// Readings of tables times the period over the frequency. Names of tables are counted in the text: cheap, and the same
/// for all rules.
fn cost_of(rule: &AnalyticsRule, context: &LintContext<'_>) -> f64 {
    let (tokens, _) = kql_syntax::lex(&rule.query);
    let catalog = context.engine.catalog();
    let readings = tokens
        .iter()
        .filter(|token| {
            token.kind == kql_syntax::SyntaxKind::Identifier && catalog.table(token.text(&rule.query)).is_some()
        })
        .count()
        .max(1);
    readings as f64 * rule.query_period as f64 / rule.query_frequency.max(1) as f64
}

//! TW201 to TW207: windows, baselines, differences of times.

use kql_semantics::bound::{Expr, ExprKind, JoinKind, Rel, RelKind};
use kql_types::datetime::TICKS_PER_DAY;
use kql_types::{ScalarType, Value};

use super::facts::{Facts, Join, Reading, readings};
use super::subject::{Finding, Subject};
use crate::duration::format_short;
use crate::placeholders;
use crate::rule::RuleKind;
use kql_semantics::walk::{any_expr, expressions, for_each_rel, for_each_subquery};

/// Tables whose rows come late, and how late they may, in minutes: what the connectors' documents and published records show.
const LATE: &[(&str, i64)] = &[
    ("AADManagedIdentitySignInLogs", 120),
    ("AADNonInteractiveUserSignInLogs", 120),
    ("AADServicePrincipalSignInLogs", 120),
    ("AuditLogs", 30),
    ("AWSCloudTrail", 15),
    ("AzureActivity", 20),
    ("OfficeActivity", 90),
    ("SigninLogs", 120),
];

const MINUTE: i64 = TICKS_PER_DAY / 1_440;

pub(super) fn check(subject: &Subject<'_>, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let all: Vec<Reading> = subject
        .checked
        .bound
        .iter()
        .flat_map(|bound| &bound.results)
        .flat_map(|result| of_tree(&result.rel, facts))
        .collect();
    look_back(subject, &all, found);
    late_sources(subject, found);
    unbounded_sides(subject, facts, found);
    two_clocks(subject, found);
    overlapping_baselines(subject, facts, found);
    cut_times(subject, facts, found);
    clipped_references(subject, found);
}

/// Readings of a tree and of the queries inside its expressions.
fn of_tree(rel: &Rel, facts: &Facts<'_>) -> Vec<Reading> {
    let mut found = readings(rel, facts);
    for_each_rel(rel, &mut |rel| {
        for expr in expressions(rel) {
            for_each_subquery(expr, &mut |inner| found.extend(readings(inner, facts)));
        }
    });
    found
}

fn is_reference(subject: &Subject<'_>, table: &str) -> bool {
    subject.context.engine.catalog().is_reference(table)
}

/// TW201.
fn look_back(subject: &Subject<'_>, all: &[Reading], found: &mut Vec<Finding>) {
    let rule = subject.rule;
    if rule.kind != RuleKind::Scheduled {
        return;
    }
    let deepest = all.iter().filter(|reading| !is_reference(subject, &reading.table)).filter_map(|r| Some((r.low?, r)));
    let Some((low, reading)) = deepest.min_by_key(|(low, _)| *low) else { return };
    // A second of slack: rules ask for a day and a bit to be safe.
    if -low > rule.query_period + MINUTE {
        let message = format!(
            "{} is read {} back, and the period is {}: the service cuts it there",
            reading.table,
            format_short(-low),
            format_short(rule.query_period)
        );
        found.extend(subject.at_field("TW201", "queryPeriod", message));
    }
}

/// TW202.
fn late_sources(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let rule = subject.rule;
    if rule.kind != RuleKind::Scheduled || rule.query_period != rule.query_frequency {
        return;
    }
    // A query that reads by ingestion time does what the service's documents advise.
    if subject.tokens.iter().any(|token| subject.text(*token) == "ingestion_time") {
        return;
    }
    let tables = subject.checked.bound.iter().flat_map(|bound| &bound.tables);
    let late: Vec<String> = tables
        .filter_map(|table| LATE.iter().find(|(name, _)| *name == table.name))
        .map(|(name, minutes)| format!("{name} (up to {minutes} minutes)"))
        .collect();
    if !late.is_empty() {
        let message = format!(
            "period and frequency are both {}, and {} arrives late",
            format_short(rule.query_period),
            late.join(", ")
        );
        found.extend(subject.at_field("TW202", "queryPeriod", message));
    }
}

/// TW203.
fn unbounded_sides(subject: &Subject<'_>, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let rule = subject.rule;
    // The window bounds what a rule that reads one frequency's worth leaves open.
    if rule.kind == RuleKind::Nrt || rule.kind == RuleKind::Scheduled && rule.query_period <= rule.query_frequency {
        return;
    }
    for Join { rel, left, right, .. } in facts.joins() {
        let events = |side: &Rel| -> Vec<Reading> {
            readings(side, facts).into_iter().filter(|reading| !is_reference(subject, &reading.table)).collect()
        };
        let (left, right) = (events(left), events(right));
        let bounded = |side: &[Reading]| !side.is_empty() && side.iter().all(|reading| reading.bounded);
        let open = if bounded(&left) {
            right.iter().find(|reading| !reading.bounded)
        } else if bounded(&right) {
            left.iter().find(|reading| !reading.bounded)
        } else {
            None
        };
        if let Some(open) = open.filter(|open| !is_bounded_above(rel, &open.table, facts)) {
            let message = format!("{} has no bound on time, the other side of the join has one", open.table);
            found.extend(subject.at_bound("TW203", head(rel), message));
        }
    }
}

/// Whether a filter above a join tests a time that one of its tables brought.
fn is_bounded_above(join: &Rel, table: &str, facts: &Facts<'_>) -> bool {
    let stands_above = |filter: &Rel| {
        let mut inside = false;
        for_each_rel(filter, &mut |rel| inside |= std::ptr::eq(rel, join));
        inside
    };
    let is_its_time = |e: &Expr| e.ty == ScalarType::DateTime && facts.origins_of(e).iter().any(|(of, _)| of == table);
    facts.filters().any(|(filter, predicate)| any_expr(predicate, &is_its_time) && stands_above(filter))
}

/// The first bytes of an operator: enough to show where it is.
fn head(rel: &Rel) -> kql_types::Span {
    kql_types::Span::new(rel.span.start, rel.span.start.max(rel.span.end.min(rel.span.start + 40)))
}

/// TW204.
fn two_clocks(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    if !placeholders::has_time_placeholder(&subject.rule.query) {
        return;
    }
    let mut tokens = subject.tokens.iter().zip(subject.tokens.iter().skip(1));
    let call = tokens.find(|(name, open)| matches!(subject.text(**name), "ago" | "now") && subject.text(**open) == "(");
    if let Some((name, _)) = call {
        let message =
            format!("`{}()` follows the present, the placeholders follow the range of the hunt", subject.text(*name));
        found.extend(subject.at_query("TW204", name.span, message));
    }
}

/// TW205: the left side of an anti join is looked up in rows that contain its own.
fn overlapping_baselines(subject: &Subject<'_>, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for Join { rel, left, right, kind, .. } in facts.joins() {
        let (detection, baseline) = match kind {
            JoinKind::LeftAnti => (left, right),
            JoinKind::RightAnti => (right, left),
            _ => continue,
        };
        // What a baseline is only joined with is no baseline itself.
        let mut has_join = false;
        for_each_rel(baseline, &mut |inner| has_join |= matches!(inner.kind.as_ref(), RelKind::Join { .. }));
        if has_join {
            continue;
        }
        let of = |side: &Rel| readings(side, facts);
        let clash = of(baseline).into_iter().find(|base| {
            let same = |new: &&Reading| new.table == base.table;
            of(detection).iter().filter(same).any(|new| new.low.is_some() && contains(base, new))
        });
        // The same filters on both sides are another way to say "none at all"; only a longer baseline is one.
        if let Some(base) =
            clash.filter(|base| of(detection).iter().all(|new| (new.low, new.high) != (base.low, base.high)))
        {
            let message = format!("the baseline of {} reaches into the time that is compared with it", base.table);
            found.extend(subject.at_bound("TW205", head(rel), message));
        }
    }
}

fn contains(base: &Reading, new: &Reading) -> bool {
    let low = base.low.is_none_or(|low| new.low.is_some_and(|new| low <= new));
    let high = match (base.high, new.high) {
        (None, _) => true,
        (Some(high), Some(new)) => high >= new,
        (Some(high), None) => high >= 0,
    };
    low && high
}

/// TW206.
fn cut_times(subject: &Subject<'_>, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for rel in &facts.rels {
        for expr in expressions(rel) {
            let mut differences = Vec::new();
            differences_in(expr, &mut differences);
            for (difference, [a, b]) in differences {
                if is_cut(a, facts) != is_cut(b, facts) || is_cut(a, facts) && limit_is_short(expr) {
                    let message = "one of the times is cut to its day: the difference counts midnights";
                    found.extend(subject.at_bound("TW206", difference.span, message));
                }
            }
        }
    }
}

/// `a - b` over two times, at any depth.
fn differences_in<'e>(expr: &'e Expr, found: &mut Vec<(&'e Expr, [&'e Expr; 2])>) {
    if let ExprKind::Call { function, args } = &expr.kind
        && function.name == "-"
        && let [a, b] = args.as_slice()
        && a.ty == ScalarType::DateTime
        && b.ty == ScalarType::DateTime
    {
        found.push((expr, [a, b]));
    }
    kql_semantics::walk::operands(expr).into_iter().for_each(|operand| differences_in(operand, found));
}

/// Whether a time was cut to its day.
fn is_cut(expr: &Expr, facts: &Facts<'_>) -> bool {
    let expr = facts.resolved(expr);
    let ExprKind::Call { function, args } = &expr.kind else { return false };
    match (function.name, args.as_slice()) {
        ("startofday" | "endofday", _) => args.first().is_some_and(|arg| !matches!(arg.kind, ExprKind::Literal(_))),
        ("bin" | "floor", [value, size]) => {
            !matches!(value.kind, ExprKind::Literal(_))
                && any_expr(
                    size,
                    &|e| matches!(e.kind, ExprKind::Literal(Value::TimeSpan(ticks)) if ticks >= TICKS_PER_DAY),
                )
        }
        _ => false,
    }
}

/// Whether an expression compares with a length of two days or less.
fn limit_is_short(expr: &Expr) -> bool {
    any_expr(expr, &|e| matches!(e.kind, ExprKind::Literal(Value::TimeSpan(ticks)) if ticks <= 2 * TICKS_PER_DAY))
}

/// TW207.
fn clipped_references(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let rule = subject.rule;
    if rule.kind == RuleKind::Hunting || rule.query_period >= 14 * TICKS_PER_DAY {
        return;
    }
    for table in subject.checked.bound.iter().flat_map(|bound| &bound.tables) {
        if is_reference(subject, &table.name) {
            let message = format!(
                "{} is written in full every 14 days, and the rule sees {} of it",
                table.name,
                format_short(rule.query_period)
            );
            found.extend(subject.at_field("TW207", "queryPeriod", message));
        }
    }
}

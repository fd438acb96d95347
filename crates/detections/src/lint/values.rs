//! TW301 to TW310: comparisons with values, and what is counted.

use kql_semantics::bound::{Expr, ExprKind, PathStep, Rel, RelKind, SummarizeItem};
use kql_types::{ScalarType, Value};

use super::columns::case_varies;
use super::facts::{Comparison, Facts, Origin, for_each_comparison};
use super::subject::{Finding, Subject};
use crate::rule::{RuleKind, TriggerOperator};
use kql_semantics::walk::{any_expr, expressions, inputs};

/// Columns with a closed set of values, as records have them.
const VALUES: &[(&str, &str, &[&str])] = &[
    ("AuditLogs", "Result", &["success", "failure", "timeout", "unknownFutureValue"]),
    (
        "AWSCloudTrail",
        "EventTypeName",
        &[
            "AwsApiCall",
            "AwsServiceEvent",
            "AwsConsoleAction",
            "AwsConsoleSignIn",
            "AwsVpceEvent",
            "AwsCloudTrailInsight",
        ],
    ),
    (
        "AWSCloudTrail",
        "UserIdentityType",
        &[
            "Root",
            "IAMUser",
            "AssumedRole",
            "Role",
            "FederatedUser",
            "Directory",
            "AWSAccount",
            "AWSService",
            "IdentityCenterUser",
            "SAMLUser",
            "WebIdentityUser",
            "Unknown",
        ],
    ),
    (
        "AzureActivity",
        "ActivityStatusValue",
        &[
            "Start",
            "Started",
            "Accept",
            "Accepted",
            "Success",
            "Succeeded",
            "Failure",
            "Failed",
            "Active",
            "Resolved",
            "In Progress",
            "Updated",
        ],
    ),
    ("AzureActivity", "Level", &["Critical", "Error", "Warning", "Informational", "Information", "Verbose"]),
    ("SecurityAlert", "AlertSeverity", &["Informational", "Low", "Medium", "High"]),
    ("SecurityIncident", "Severity", &["Informational", "Low", "Medium", "High"]),
    ("SecurityIncident", "Status", &["New", "Active", "Closed"]),
    ("SigninLogs", "ConditionalAccessStatus", &["success", "failure", "notApplied", "unknownFutureValue"]),
    ("SigninLogs", "RiskLevelDuringSignIn", &["none", "low", "medium", "high", "hidden", "unknownFutureValue"]),
];

/// Columns whose values are one term: letters and digits only.
const ONE_TERM: &[(&str, &str)] = &[("AWSCloudTrail", "EventName")];

pub(super) fn check(subject: &Subject<'_>, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for (_, predicate) in facts.filters() {
        for_each_comparison(predicate, &mut |comparison| {
            known_values(subject, facts, &comparison, found);
            varying_case(subject, facts, &comparison, found);
            parts_of_terms(subject, facts, &comparison, found);
        });
    }
    for rel in &facts.rels {
        for expr in expressions(rel) {
            first_elements(subject, facts, expr, found);
        }
    }
    console_logins(subject, facts, found);
    thresholds(subject, facts, found);
    counted_twice(subject, facts, found);
    super::data::check(subject, facts, found);
}

/// TW301: a literal outside a closed set of values, near one inside it.
fn known_values(subject: &Subject<'_>, facts: &Facts<'_>, comparison: &Comparison<'_>, found: &mut Vec<Finding>) {
    if !matches!(comparison.operator, "==" | "!=" | "in" | "!in") {
        return;
    }
    let origins = facts.origins_of(comparison.value);
    let Some((table, column)) = origins.first() else { return };
    let all_known =
        |(t, c): &Origin| VALUES.iter().find(|(vt, vc, _)| vt == t && vc == c).map(|(_, _, values)| *values);
    let sets: Option<Vec<&[&str]>> = origins.iter().map(all_known).collect();
    let of_data = |literal: &str| match (origins, subject.context.data) {
        ([origin], Some(data)) => data.near_value(subject.context.engine, origin, literal),
        _ => None,
    };
    for literal in &comparison.literals {
        let near = match &sets {
            Some(sets) => near_of(sets, literal).map(str::to_string),
            None => of_data(literal),
        };
        if let Some(near) = near {
            let message = format!("{table}.{column} never holds `{literal}`, it holds `{near}`");
            found.extend(subject.at_bound("TW301", comparison.expr.span, message));
        }
    }
}

/// The value of the sets that a literal outside them was meant to be.
fn near_of<'v>(sets: &[&'v [&'v str]], literal: &str) -> Option<&'v str> {
    let all = || sets.iter().flat_map(|set| set.iter().copied());
    if literal.is_empty() || all().any(|value| value == literal) {
        return None;
    }
    all().find(|value| is_sibling(value, literal))
}

/// Equal but for case, or one continues the other.
pub(super) fn is_sibling(value: &str, literal: &str) -> bool {
    let (value, literal) = (value.to_lowercase(), literal.to_lowercase());
    let shared = value.chars().zip(literal.chars()).take_while(|(a, b)| a == b).count();
    value == literal || shared >= 5 && shared * 10 >= 7 * value.chars().count().min(literal.chars().count())
}

/// TW302.
fn varying_case(subject: &Subject<'_>, facts: &Facts<'_>, comparison: &Comparison<'_>, found: &mut Vec<Finding>) {
    if !matches!(comparison.operator, "==" | "!=" | "in" | "!in") {
        return;
    }
    let has_letters = comparison.literals.iter().any(|literal| literal.chars().any(char::is_alphabetic));
    if let Some((table, column)) = case_varies(facts.origins_of(comparison.value)).filter(|_| has_letters) {
        let better = if comparison.operator.contains("in") { "in~" } else { "=~" };
        let message = format!("the case of {table}.{column} varies by source: use {better}");
        found.extend(subject.at_bound("TW302", comparison.expr.span, message));
    }
}

/// TW303.
fn parts_of_terms(subject: &Subject<'_>, facts: &Facts<'_>, comparison: &Comparison<'_>, found: &mut Vec<Finding>) {
    if !matches!(comparison.operator, "has" | "has_cs" | "!has" | "!has_cs" | "hasprefix" | "hassuffix") {
        return;
    }
    for literal in &comparison.literals {
        let terms: Vec<&str> = literal.split(|c: char| !c.is_alphanumeric()).filter(|term| !term.is_empty()).collect();
        if !terms.is_empty() && terms.iter().all(|term| term.chars().count() < 3) {
            let message = format!("`{literal}` has no term of three characters: every value is scanned");
            found.extend(subject.at_bound("TW303", comparison.expr.span, message));
            continue;
        }
        let origins = facts.origins_of(comparison.value);
        let one_term = |(t, c): &Origin| ONE_TERM.iter().any(|(table, column)| table == t && column == c);
        let is_has =
            comparison.operator.trim_start_matches('!').starts_with("has") && !comparison.operator.contains("fix");
        let camel = literal.chars().all(char::is_alphanumeric) && literal.chars().skip(1).all(char::is_lowercase);
        if is_has && camel && !origins.is_empty() && origins.iter().all(one_term) {
            let message = format!(
                "values such as `{literal}...` are one term: `has \"{literal}\"` never finds its beginning, use startswith or contains"
            );
            found.extend(subject.at_bound("TW303", comparison.expr.span, message));
        } else if let ([origin], Some(data), true) = (origins, subject.context.data, is_has)
            && let Some(value) = data.value_with_part(subject.context.engine, origin, literal)
        {
            let message = format!("`{literal}` is only a part of a term, as in `{value}`: has finds no row");
            found.extend(subject.at_bound("TW303", comparison.expr.span, message));
        }
    }
}

/// TW306: an element by its place, out of an array that a record holds.
fn first_elements(subject: &Subject<'_>, facts: &Facts<'_>, expr: &Expr, found: &mut Vec<Finding>) {
    if let ExprKind::Path { base, steps } = &expr.kind
        && steps.iter().any(|step| matches!(step, PathStep::Index(0)))
        && !is_positional(facts.resolved(base))
        // The binder reads elements of its own making as well.
        && let Some(text) = subject.filled.text.get(expr.span.start as usize..expr.span.end as usize)
        && let Some((array, _)) = text.split_once("[0]")
        && !is_read_elsewhere(subject, array)
    {
        found.extend(subject.at_bound("TW306", expr.span, "only the first element of the array is read"));
    }
    kql_semantics::walk::operands(expr).into_iter().for_each(|operand| first_elements(subject, facts, operand, found));
}

/// Whether the query reads other elements of the same array: then the places have meanings.
fn is_read_elsewhere(subject: &Subject<'_>, array: &str) -> bool {
    let text = &subject.filled.text;
    let other = |n: i32| text.contains(&format!("{array}[{n}]")) || text.contains(&format!("{array}[0][{n}]"));
    !array.is_empty() && (other(-1) || (1..10).any(other))
}

/// Arrays in which the place has a meaning, or that were made to have one element.
fn is_positional(base: &Expr) -> bool {
    let made = |e: &Expr| match &e.kind {
        ExprKind::Call { function, .. } => {
            matches!(
                function.name,
                "split"
                    | "extract_all"
                    | "extractall"
                    | "parse_path"
                    | "pack_array"
                    | "make_list"
                    | "array_sort_asc"
                    | "array_sort_desc"
                    | "array_slice"
                    | "series_fit_line"
                    | "series_fit_2lines"
                    | "series_stats"
                    | "series_decompose_anomalies"
                    | "regex_quote"
            ) || function.name.starts_with("series_")
                || function.name.starts_with("array_")
        }
        ExprKind::Literal(_) => true,
        _ => false,
    };
    any_expr(base, &made)
}

/// TW307.
fn console_logins(subject: &Subject<'_>, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let tests_outcome = |(table, column): &&Origin| {
        table == "AWSCloudTrail" && matches!(column.as_str(), "ResponseElements" | "ErrorMessage")
    };
    if facts.mentioned().iter().any(tests_outcome) {
        return;
    }
    let mut login = false;
    let mut success = None;
    for (_, predicate) in facts.filters() {
        for_each_comparison(predicate, &mut |c| {
            login |= c.literals.iter().any(|l| l.eq_ignore_ascii_case("ConsoleLogin")) && !c.operator.starts_with('!');
            let no_code = matches!(c.operator, "==" | "=~") && c.literals == [""];
            if no_code && is_error_code(facts.origins_of(c.value)) {
                success = Some(c.expr.span);
            }
        });
        let mut pending = vec![predicate];
        while let Some(expr) = pending.pop() {
            if let ExprKind::Call { function, args } = &expr.kind
                && function.name == "isempty"
                && args.first().is_some_and(|arg| is_error_code(facts.origins_of(arg)))
            {
                success = Some(expr.span);
            }
            pending.extend(kql_semantics::walk::operands(expr));
        }
    }
    if let (true, Some(span)) = (login, success) {
        let message = "a failed console login has an empty ErrorCode as well: test ResponseElements or ErrorMessage";
        found.extend(subject.at_bound("TW307", span, message));
    }
}

fn is_error_code(origins: &[Origin]) -> bool {
    origins.iter().any(|(table, column)| table == "AWSCloudTrail" && column == "ErrorCode")
}

/// TW309.
fn thresholds(subject: &Subject<'_>, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let rule = subject.rule;
    if rule.kind == RuleKind::Scheduled
        && let Some(result) = subject.checked.bound.as_ref().and_then(|bound| bound.results.last())
        && let Some((most, exact)) = rows_at_most(&result.rel)
    {
        let threshold = rule.trigger_threshold;
        let unreachable = rule.trigger_operator == TriggerOperator::GreaterThan && threshold >= most;
        let always = exact && rule.trigger_operator.fires(most, threshold);
        if unreachable {
            let message = format!("the result has at most {most} rows and never exceeds {threshold}");
            found.extend(subject.at_field("TW309", "triggerThreshold", message));
        } else if always {
            let message = format!("the result always has {most} row, and {most} row fires: every run is an alert");
            found.extend(subject.at_field("TW309", "triggerThreshold", message));
        }
    }
    for rel in &facts.rels {
        let RelKind::MakeSeries { from: Some(from), to: Some(to), step, .. } = rel.kind.as_ref() else { continue };
        let points = points_of(from, to, step);
        let fitted = facts.rels.iter().any(|rel| {
            expressions(rel).into_iter().any(|expr| {
                any_expr(expr, &|e| matches!(&e.kind, ExprKind::Call { function, .. } if function.name.starts_with("series_fit") || function.name.starts_with("series_decompose")))
            })
        });
        if let Some(points) = points.filter(|points| *points <= 2 && fitted) {
            let message = format!("the series has {points} points: no slope or anomaly can be told from it");
            found.extend(subject.at_bound("TW309", rel.span, message));
        }
    }
}

/// The most rows an operator gives, and whether it always gives as many.
fn rows_at_most(rel: &Rel) -> Option<(u64, bool)> {
    match rel.kind.as_ref() {
        RelKind::Summarize { keys, .. } if keys.is_empty() => Some((1, true)),
        RelKind::Take { count, .. } => match &count.kind {
            ExprKind::Literal(Value::Long(n)) => Some((u64::try_from(*n).ok()?, false)),
            ExprKind::Literal(Value::Int(n)) => Some((u64::try_from(*n).ok()?, false)),
            _ => None,
        },
        RelKind::Project { input, .. } | RelKind::Sort { input, .. } | RelKind::Serialize { input } => {
            rows_at_most(input)
        }
        RelKind::Filter { input, .. } => rows_at_most(input).map(|(most, _)| (most, false)),
        _ => None,
    }
}

fn points_of(from: &Expr, to: &Expr, step: &Expr) -> Option<i64> {
    let moment = crate::time_bound::moment_of;
    let ExprKind::Literal(Value::TimeSpan(step)) = &step.kind else { return None };
    let span = moment(to)?.checked_sub(moment(from)?)?;
    (*step > 0 && span >= 0).then(|| (span + step - 1) / step)
}

/// TW310.
fn counted_twice(subject: &Subject<'_>, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let Some(activity) = subject.checked.bound.iter().flat_map(|b| &b.tables).find(|t| t.name == "AzureActivity")
    else {
        return;
    };
    let telling = [
        "ActivityStatusValue",
        "ActivitySubstatusValue",
        "ActivityStatus",
        "CorrelationId",
        "OperationId",
        "EventDataId",
    ];
    if telling.iter().any(|column| activity.columns.iter().any(|used| used == column)) {
        return;
    }
    for rel in &facts.rels {
        let RelKind::Summarize { input, items, .. } = rel.kind.as_ref() else { continue };
        let counts = items.iter().find_map(|item| match item {
            SummarizeItem::Aggregate { out, call } if matches!(call.aggregate.name, "count" | "countif") => {
                Some((*out, call.span))
            }
            _ => None,
        });
        let Some((out, span)) = counts.filter(|_| reads_only(input, "AzureActivity")) else { continue };
        // A count that nobody compares is there to be read.
        let compared = facts.filters().any(|(_, predicate)| {
            any_expr(predicate, &|e| {
                matches!(&e.kind, ExprKind::Column(id) if *id == out) && e.ty != ScalarType::String
            })
        });
        if compared {
            let message = "AzureActivity has a row for the start and one for the end of an operation: both are counted";
            found.extend(subject.at_bound("TW310", span, message));
        }
    }
}

fn reads_only(rel: &Rel, table: &str) -> bool {
    match rel.kind.as_ref() {
        RelKind::Table { name, .. } => name == table,
        RelKind::Filter { .. } | RelKind::Project { .. } | RelKind::Sort { .. } => {
            inputs(rel).into_iter().all(|input| reads_only(input, table))
        }
        _ => false,
    }
}

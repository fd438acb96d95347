//! What is known of columns of well-known tables, and the checks on joins that use it: TW304, TW305, TW311.
//!
//! The tables below hold facts about logs, each seen in real records: extend them, never guess.

use kql_semantics::bound::{Expr, ExprKind, JoinKind, Rel, RelKind};
use kql_types::ScalarType;

use super::facts::{Facts, Join, Origin, carried, for_each_comparison};
use super::subject::{Finding, Subject};
use kql_semantics::walk::{any_expr, conjuncts, inputs};

/// What kind of value a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A user's sign-in name.
    Upn,
    /// An id of the directory.
    ObjectId,
    /// A full path of a resource.
    ResourceId,
    /// A resource's bare name.
    ResourceName,
    Address,
    Arn,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Form::Upn => "a user's sign-in name",
            Form::ObjectId => "an object id",
            Form::ResourceId => "a full resource id",
            Form::ResourceName => "a resource's bare name",
            Form::Address => "an address",
            Form::Arn => "an ARN",
        }
    }
}

/// (table, column, form). AzureActivity.Caller holds a sign-in name for people; ids of applications come beside it.
const FORMS: &[(&str, &str, Form)] = &[
    ("AADNonInteractiveUserSignInLogs", "IPAddress", Form::Address),
    ("AADNonInteractiveUserSignInLogs", "UserId", Form::ObjectId),
    ("AADNonInteractiveUserSignInLogs", "UserPrincipalName", Form::Upn),
    ("AWSCloudTrail", "SourceIpAddress", Form::Address),
    ("AWSCloudTrail", "UserIdentityArn", Form::Arn),
    ("AzureActivity", "Caller", Form::Upn),
    ("AzureActivity", "CallerIpAddress", Form::Address),
    ("AzureActivity", "Resource", Form::ResourceName),
    ("AzureActivity", "ResourceId", Form::ResourceId),
    ("AzureActivity", "_ResourceId", Form::ResourceId),
    ("BehaviorAnalytics", "SourceIPAddress", Form::Address),
    ("BehaviorAnalytics", "UserPrincipalName", Form::Upn),
    ("IdentityInfo", "AccountObjectId", Form::ObjectId),
    ("IdentityInfo", "AccountUPN", Form::Upn),
    ("OfficeActivity", "UserId", Form::Upn),
    ("SigninLogs", "IPAddress", Form::Address),
    ("SigninLogs", "ResourceId", Form::ResourceId),
    ("SigninLogs", "UserId", Form::ObjectId),
    ("SigninLogs", "UserPrincipalName", Form::Upn),
];

/// Columns whose values come in different case from different exporters.
const CASE_VARIES: &[(&str, &str)] = &[
    ("AzureActivity", "Caller"),
    ("AzureActivity", "OperationNameValue"),
    ("AzureActivity", "Resource"),
    ("AzureActivity", "ResourceGroup"),
    ("AzureActivity", "ResourceId"),
    ("AzureActivity", "ResourceProviderValue"),
    ("AzureActivity", "_ResourceId"),
    ("AzureDiagnostics", "ResourceId"),
    ("IdentityInfo", "AccountUPN"),
    ("OfficeActivity", "UserId"),
    ("SigninLogs", "UserPrincipalName"),
];

/// Columns that rows of their table may leave empty.
const OFTEN_EMPTY: &[(&str, &str)] = &[
    ("AWSCloudTrail", "SessionIssuerUserName"),
    ("AWSCloudTrail", "SharedEventId"),
    ("AWSCloudTrail", "UserIdentityAccessKeyId"),
    ("AWSCloudTrail", "UserIdentityUserName"),
    ("AzureActivity", "CallerIpAddress"),
    ("AuditLogs", "Identity"),
    ("SecurityEvent", "TargetUserName"),
    ("SecurityEvent", "IpAddress"),
];

/// Columns that hold an address in other forms too: (table, column, which).
const MIXED_ADDRESSES: &[(&str, &str, &str)] = &[
    ("AWSCloudTrail", "SourceIpAddress", "names of services and IPv6"),
    ("AzureActivity", "CallerIpAddress", "addresses with a port"),
];

pub(super) fn form(origins: &[Origin]) -> Option<Form> {
    let mut forms = origins
        .iter()
        .map(|(table, column)| FORMS.iter().find(|(t, c, _)| t == table && c == column).map(|(_, _, form)| *form));
    let first = forms.next()??;
    forms.all(|form| form == Some(first)).then_some(first)
}

pub(super) fn case_varies(origins: &[Origin]) -> Option<&Origin> {
    origins.iter().find(|(table, column)| CASE_VARIES.iter().any(|(t, c)| t == table && c == column))
}

pub(super) fn check(subject: &Subject<'_>, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for join in facts.joins() {
        for (left, right) in join.keys {
            forms_of_keys(subject, facts, left, right, found);
            empty_keys(subject, facts, &join, (left, right), found);
        }
    }
    addresses(subject, facts, found);
}

/// TW304.
fn forms_of_keys(subject: &Subject<'_>, facts: &Facts<'_>, left: &Expr, right: &Expr, found: &mut Vec<Finding>) {
    let (a, b) = (facts.origins_of(left), facts.origins_of(right));
    if let (Some(x), Some(y)) = (form(a), form(b))
        && x != y
    {
        let message = format!("{} is {}, {} is {}", shown(a), x.name(), shown(b), y.name());
        found.extend(subject.at_bound("TW304", left.span, message));
        return;
    }
    // One table's column written twice varies in the same way on both sides of one log only by chance.
    if let (Some(column), false) = (case_varies(a).or(case_varies(b)), a.is_empty() || b.is_empty())
        && a != b
    {
        let message = format!("the case of {}.{} varies: compare tolower() of both sides", column.0, column.1);
        found.extend(subject.at_bound("TW304", left.span, message));
    }
    let (Some(data), [one], [other]) = (subject.context.data, a, b) else { return };
    if let Some(value) = data.equal_but_for_case(subject.context.engine, one, other) {
        let message = format!("{} and {} share `{value}` only when case is ignored", shown(a), shown(b));
        found.extend(subject.at_bound("TW304", left.span, message));
    }
}

fn shown(origins: &[Origin]) -> String {
    origins.first().map(|(table, column)| format!("{table}.{column}")).unwrap_or_default()
}

/// TW305: both keys are taken out of JSON, or are columns that are often empty, and nothing asks for a value.
fn empty_keys(
    subject: &Subject<'_>,
    facts: &Facts<'_>,
    join: &Join<'_>,
    (left, right): (&Expr, &Expr),
    found: &mut Vec<Finding>,
) {
    let matches = matches!(
        join.kind,
        JoinKind::Inner | JoinKind::InnerUnique | JoinKind::LeftOuter | JoinKind::RightOuter | JoinKind::FullOuter
    );
    // Several keys: all would have to be empty.
    if !matches || join.keys.len() != 1 || left.ty != ScalarType::String {
        return;
    }
    if may_be_empty(left, facts)
        && may_be_empty(right, facts)
        && !asks_for_value(join.left, left, facts)
        && !asks_for_value(join.right, right, facts)
    {
        found.extend(subject.at_bound(
            "TW305",
            left.span,
            "the key may be empty on both sides, and empty equals empty",
        ));
    }
}

fn may_be_empty(key: &Expr, facts: &Facts<'_>) -> bool {
    let origins = facts.origins_of(key);
    if !origins.is_empty() {
        return origins.iter().any(|(table, column)| OFTEN_EMPTY.iter().any(|(t, c)| t == table && c == column));
    }
    let made = facts.resolved(key);
    let from_json = |e: &Expr| match &e.kind {
        ExprKind::Path { .. } => true,
        ExprKind::Call { function, .. } => {
            matches!(function.name, "extract" | "extract_json" | "extractjson" | "parse_url")
        }
        _ => false,
    };
    // A value chosen among several has a fallback.
    let chosen = |e: &Expr| matches!(e.kind, ExprKind::Case { .. } | ExprKind::Coalesce(_));
    any_expr(made, &from_json) && !any_expr(made, &chosen)
}

/// Whether a filter below keeps only rows that have the key.
fn asks_for_value(side: &Rel, key: &Expr, facts: &Facts<'_>) -> bool {
    let Some(id) = carried(key) else { return false };
    let made = format!("{:?}", facts.definitions.get(&id).map(|e| &e.kind));
    let mut pending = vec![side];
    while let Some(rel) = pending.pop() {
        match rel.kind.as_ref() {
            RelKind::Filter { predicate, .. } => {
                let asks = conjuncts(predicate).into_iter().any(|condition| {
                    let mentions = any_expr(condition, &|e| {
                        matches!(&e.kind, ExprKind::Column(other) if *other == id)
                            || facts.definitions.contains_key(&id) && format!("{:?}", Some(&e.kind)) == made
                    });
                    mentions && !is_negative(condition)
                });
                if asks {
                    return true;
                }
            }
            RelKind::MvExpand { .. } | RelKind::MvApply { .. } | RelKind::Parse { filter: true, .. } => {}
            _ => {}
        }
        pending.extend(inputs(rel));
    }
    false
}

/// `x != 'a'` and the like keep empty values; `x != ''` does not.
fn is_negative(condition: &Expr) -> bool {
    let mut negative = false;
    for_each_comparison(condition, &mut |comparison| {
        let denies = comparison.operator.starts_with('!');
        negative |= denies && comparison.literals.iter().all(|literal| !literal.is_empty());
    });
    let isempty = |e: &Expr| matches!(&e.kind, ExprKind::Call { function, .. } if function.name == "isempty");
    negative || matches!(&condition.kind, ExprKind::Call { function, .. } if function.name == "isempty") || {
        matches!(condition.kind, ExprKind::Or(_)) && any_expr(condition, &isempty)
    }
}

/// TW311.
fn addresses(subject: &Subject<'_>, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let mixed = |expr: &Expr| {
        let known = |(table, column): &Origin| MIXED_ADDRESSES.iter().find(|(t, c, _)| t == table && c == column);
        facts.origins_of(expr).iter().find_map(known)
    };
    for (_, predicate) in facts.filters() {
        for_each_comparison(predicate, &mut |comparison| {
            let equality = matches!(comparison.operator, "==" | "!=" | "in" | "!in" | "=~" | "!~" | "in~" | "!in~");
            let is_address = |text: &&str| text.parse::<std::net::IpAddr>().is_ok();
            if let Some((table, column, which)) = mixed(comparison.value)
                && equality
                && comparison.literals.iter().any(is_address)
            {
                let message = format!("{table}.{column} also holds {which}, which never equal a plain address");
                found.extend(subject.at_bound("TW311", comparison.expr.span, message));
            }
        });
    }
    for Join { keys, .. } in facts.joins() {
        for (left, right) in keys {
            // The same column on both sides has the same forms.
            if facts.origins_of(left) == facts.origins_of(right) {
                continue;
            }
            let other_is_address = |expr: &Expr| form(facts.origins_of(expr)) == Some(Form::Address);
            let hit =
                mixed(left).filter(|_| other_is_address(right)).or(mixed(right).filter(|_| other_is_address(left)));
            if let Some((table, column, which)) = hit {
                let message = format!("{table}.{column} also holds {which}, which never equal a plain address");
                found.extend(subject.at_bound("TW311", left.span, message));
            }
        }
    }
}

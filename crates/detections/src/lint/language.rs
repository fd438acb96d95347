//! TW101 to TW109: what the language and the service say of the query.

use kql_syntax::{SyntaxKind, Token};
use kql_types::{Diagnostic, Severity, Span};

use super::subject::{Finding, Subject};
use crate::rule::RuleKind;

/// Characters that the service takes as the query of an analytics rule.
const QUERY_CHARACTERS_MAX: usize = 10_000;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    diagnostics(subject, found);
    if subject.rule.kind != RuleKind::Hunting {
        refused(subject, found);
    }
    old_spellings(subject, found);
    joins_without_kind(subject, found);
}

fn diagnostics(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let syntax = kql_syntax::parse(&subject.filled.text).errors;
    for error in &syntax {
        found.extend(subject.at_bound("TW101", error.span, format!("{}: {}", error.code, error.message)));
    }
    let is_error = |d: &&Diagnostic| d.severity == Severity::Error;
    for diagnostic in subject.checked.diagnostics.iter().filter(is_error) {
        let is_syntax = |e: &kql_syntax::SyntaxError| e.code == diagnostic.code && e.span == diagnostic.span;
        // After a syntax error the names behind it say little.
        if syntax.iter().any(is_syntax) || !syntax.is_empty() {
            continue;
        }
        found.extend(of_diagnostic(subject, diagnostic));
    }
}

fn of_diagnostic(subject: &Subject<'_>, diagnostic: &Diagnostic) -> Option<Finding> {
    let span = subject.filled.original_span(diagnostic.span);
    let written = subject.rule.query.get(span.start as usize..span.end as usize).unwrap_or_default();
    let near = diagnostic.help.as_deref().and_then(|help| help.strip_prefix("did you mean '")?.strip_suffix("'?"));
    let is_called = subject.rule.query.get(span.end as usize..).is_some_and(|rest| rest.trim_start().starts_with('('));
    let unpacked = subject.rule.query.contains("bag_unpack") && subject.rule.kind != RuleKind::Hunting;
    let code = match diagnostic.code {
        "KS204" if is_called => "TW105",
        "KS204" => "TW102",
        "KS211" => "TW105",
        "KS142" if near.is_some_and(|near| near != written && near.eq_ignore_ascii_case(written)) => "TW104",
        "KS142" if unpacked => "TW106",
        "KS142" => "TW103",
        _ => "TW109",
    };
    let help = diagnostic.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    let finding = subject.at_query(code, span, format!("{}: {}{help}", diagnostic.code, diagnostic.message))?;
    let fix = if code == "TW104" { near.and_then(|near| subject.fix(span, near)) } else { None };
    Some(finding.with_fix(fix))
}

/// What parses and binds and is refused all the same.
fn refused(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let length = subject.rule.query.chars().count();
    if length > QUERY_CHARACTERS_MAX {
        let message = format!("the query has {length} characters, the service takes {QUERY_CHARACTERS_MAX}");
        found.extend(subject.at_query("TW106", Span::new(0, 0), message));
    }
    let mut operator: Option<Token> = None;
    for token in &subject.tokens {
        match subject.text(*token) {
            "search" | "union" => operator = Some(*token),
            "*" => {
                if let Some(start) = operator.take() {
                    let message = format!("`{} *` is refused in an analytics rule", subject.text(start));
                    found.extend(subject.at_query("TW106", start.span.to(token.span), message));
                }
            }
            // `union isfuzzy=true *`, `search in (T) *`: parameters stand between.
            "kind" | "isfuzzy" | "withsource" | "=" | "true" | "false" | "inner" | "outer" => {}
            _ => operator = None,
        }
    }
    let columns = unguarded_unpacked(subject);
    if let Some((span, name)) = columns.first() {
        let message = format!("`{name}` comes from bag_unpack: read it with column_ifexists(\"{name}\", ...)");
        found.extend(subject.at_query("TW106", *span, message));
    }
}

/// Columns that only `bag_unpack` can have made, named bare in a later `project`.
fn unguarded_unpacked(subject: &Subject<'_>) -> Vec<(Span, String)> {
    let mut found = Vec::new();
    let Some(unpack) = subject.tokens.iter().position(|token| subject.text(*token) == "bag_unpack") else {
        return found;
    };
    let bound = subject.checked.bound.as_ref();
    let Some(facts) = bound.map(super::facts::Facts::of) else { return found };
    let start = subject.tokens.get(unpack).map_or(0, |token| token.span.end);
    for rel in &facts.rels {
        let kql_semantics::bound::RelKind::Project { exprs, .. } = rel.kind.as_ref() else { continue };
        for (_, expr) in exprs {
            let unknown = matches!(expr.kind, kql_semantics::bound::ExprKind::Column(_))
                && expr.ty == kql_types::ScalarType::Unknown
                && expr.span.start > start;
            let text = subject.filled.text.get(expr.span.start as usize..expr.span.end as usize);
            if let Some(text) =
                text.filter(|text| unknown && !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_'))
            {
                found.push((subject.filled.original_span(expr.span), text.to_string()));
            }
        }
    }
    found
}

/// (old spelling, new spelling, what the old one does).
const OLD_SPELLINGS: &[(&str, &str, &str)] = &[
    ("makeset", "make_set", "keeps 128 values"),
    ("makelist", "make_list", "keeps 128 values"),
    ("mvexpand", "mv-expand", "keeps 128 rows"),
];

fn old_spellings(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for token in &subject.tokens {
        let text = subject.text(*token);
        let Some((old, new, limit)) = OLD_SPELLINGS.iter().find(|(old, _, _)| *old == text) else { continue };
        let message = format!("`{old}` {limit} where `{new}` keeps all");
        let finding = subject.at_query("TW107", token.span, message);
        found.extend(finding.map(|finding| finding.with_fix(subject.fix(token.span, new))));
    }
}

fn joins_without_kind(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for (index, token) in subject.tokens.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| subject.tokens.get(before));
        let is_operator = subject.text(*token) == "join" && before.is_some_and(|before| before.kind == SyntaxKind::Bar);
        if !is_operator || has_kind(subject, index + 1) {
            continue;
        }
        let message = "join without kind: innerunique keeps one left row of each key";
        let finding = subject.at_query("TW108", token.span, message);
        // Writing the default out changes nothing, and shows what happens.
        let fix = subject.fix(token.span, "join kind=innerunique");
        found.extend(finding.map(|finding| finding.with_fix(fix)));
    }
}

/// Whether `kind=` stands among the parameters that begin here: names with a value each.
fn has_kind(subject: &Subject<'_>, mut index: usize) -> bool {
    while let (Some(name), Some(equal)) = (subject.tokens.get(index), subject.tokens.get(index + 1)) {
        if subject.text(*name) == "kind" && equal.kind == SyntaxKind::Equal {
            return true;
        }
        if equal.kind != SyntaxKind::Equal {
            return false;
        }
        index += 3;
    }
    false
}

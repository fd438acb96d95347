//! TW001 to TW008: the file around the query.

use super::Profile;
use super::codes;
use super::subject::{Finding, Fix, Subject};
use crate::duration;
use crate::library::RuleLibrary;
use crate::rule::{AnalyticsRule, RuleKind, TriggerOperator};
use crate::rule_file::{self, Expectation, FileContent};
use crate::yaml::{Node, Position};
use kql_types::datetime::{TICKS_PER_DAY, TICKS_PER_SECOND};

const MINUTE: i64 = 60 * TICKS_PER_SECOND;
const HOUR: i64 = 60 * MINUTE;

/// Findings that belong to no single rule: files that cannot be read, ids used twice.
pub(super) fn of_library(library: &RuleLibrary) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |code: &str, file: &str, (id, name): (&str, &str), position: Position, message: String| {
        let Some(code) = codes::find(code) else { return };
        found.push(Finding {
            code,
            file: file.to_string(),
            rule_id: id.to_string(),
            rule_name: name.to_string(),
            start: position,
            end: position,
            excerpt: message.clone(),
            message,
            fix: None,
        });
    };
    for broken in &library.broken {
        add("TW001", &broken.file, ("", ""), broken.position.unwrap_or(Position::START), broken.message.clone());
    }
    for (path, reason) in &library.unreadable {
        add("TW001", path, ("", ""), Position::START, reason.clone());
    }
    for duplicate in &library.duplicates {
        let (Some(first), Some(second)) = (library.rules.get(duplicate.first), library.rules.get(duplicate.second))
        else {
            continue;
        };
        let message = format!("the id {} is that of {} as well", duplicate.id, first.place.file);
        add("TW004", &second.place.file, (&second.id, &second.name), Position::START, message);
    }
    found
}

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    unknown_fields(subject, found);
    if let Some(document) = &subject.document {
        required_fields(subject, document, found);
        schedule_fields(subject, document, found);
    }
    against_earlier(subject, found);
    if let Some(reason) = subject.rule.retired().filter(|reason| *reason == "deprecated") {
        found.extend(subject.at_field("TW008", "name", format!("the rule is {reason}")));
    }
    if subject.context.profile == Profile::Sentinel {
        outside_ascii(subject, found);
        if !subject.rule.place.file.ends_with(".yaml") && subject.document.is_some() {
            let message = "the repository reads files named .yaml".to_string();
            found.extend(subject.at_position("TW002", Position::START, message));
        }
    }
}

fn unknown_fields(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for field in &subject.rule.unknown_fields {
        let near = rule_file::known_fields()
            .filter(|known| near_names(known, &field.name))
            .min_by_key(|known| known.len().abs_diff(field.name.len()));
        let hint = near.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default();
        found.extend(subject.at_position("TW003", field.position, format!("unknown field `{}`{hint}", field.name)));
    }
}

/// Whether two names differ by case, or by at most two letters.
fn near_names(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let prefix = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
    let suffix = a.chars().rev().zip(b.chars().rev()).take_while(|(x, y)| x == y).count();
    let longest = a.chars().count().max(b.chars().count());
    longest > 3 && longest.saturating_sub(prefix + suffix) <= 2
}

fn text(document: &Node, field: &str) -> Option<String> {
    document.get(field)?.text().filter(|text| !text.trim().is_empty())
}

/// The fields of a rule's kind. A file that names no kind and no schedule is a hunting query: little is asked of it.
fn required_fields(subject: &Subject<'_>, document: &Node, found: &mut Vec<Finding>) {
    let mut ill = |field: &str, message: String| found.extend(subject.at_field("TW002", field, message));
    match text(document, "id") {
        None => ill("id", "`id` is missing".to_string()),
        Some(id) if !is_guid(id.trim()) => ill("id", format!("`id: {id}` is not a GUID")),
        Some(_) => {}
    }
    for (field, most) in [("name", 256), ("description", 5_000)] {
        match text(document, field) {
            None if field == "description" && subject.rule.description.is_empty() => {
                ill(field, format!("`{field}` is missing"));
            }
            None if field == "name" => ill(field, format!("`{field}` is missing")),
            Some(value) if value.chars().count() > most => {
                ill(field, format!("`{field}` has {} characters, at most {most} are taken", value.chars().count()));
            }
            _ => {}
        }
    }
    if subject.rule.kind == RuleKind::Hunting {
        return;
    }
    let mut required = vec!["severity"];
    if subject.rule.kind == RuleKind::Scheduled {
        required.extend([
            "queryFrequency",
            "queryPeriod",
            "triggerOperator",
            "triggerThreshold",
            "requiredDataConnectors",
        ]);
    }
    for field in required {
        if document.get(field).is_none() {
            ill(field, format!("`{field}` is missing"));
        }
    }
    if let Some(version) = text(document, "version") {
        let parts: Vec<&str> = version.trim().split('.').collect();
        let numbers = parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
        if parts.len() != 3 || !numbers || version.len() > 20 {
            ill("version", format!("`version: {version}` is not three numbers with dots"));
        }
    }
    for note in &subject.rule.notes {
        let field = note.strip_prefix('`').and_then(|rest| rest.split([':', '`']).next());
        if let Some(field) = field.filter(|_| note.contains("is not")) {
            ill(field, note.clone());
        }
    }
}

/// 8-4-4-4-12 hexadecimal digits.
fn is_guid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == lengths.len()
        && parts
            .iter()
            .zip(lengths)
            .all(|(part, length)| part.len() == length && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn schedule_fields(subject: &Subject<'_>, document: &Node, found: &mut Vec<Finding>) {
    let rule = subject.rule;
    let mut ill = |field: &str, message: String| found.extend(subject.at_field("TW002", field, message));
    if rule.kind == RuleKind::Nrt {
        for field in ["queryFrequency", "queryPeriod", "triggerOperator", "triggerThreshold"] {
            if document.get(field).is_some() {
                ill(field, format!("an NRT rule has no `{field}`: it runs every minute and any row fires"));
            }
        }
    }
    if rule.kind != RuleKind::Scheduled {
        return;
    }
    let ticks = |field: &str| text(document, field).and_then(|value| duration::parse(&value));
    let (frequency, period) = (ticks("queryFrequency"), ticks("queryPeriod"));
    for (field, value) in [("queryFrequency", frequency), ("queryPeriod", period)] {
        if value.is_some_and(|value| !(5 * MINUTE..=14 * TICKS_PER_DAY).contains(&value)) {
            ill(field, format!("`{field}` is outside 5 minutes to 14 days"));
        }
    }
    if let (Some(frequency), Some(period)) = (frequency, period) {
        if period < frequency {
            ill(
                "queryPeriod",
                "`queryPeriod` is shorter than `queryFrequency`: events between the runs are never read".to_string(),
            );
        }
        if period >= 2 * TICKS_PER_DAY && frequency < HOUR {
            ill("queryFrequency", "a period of two days or more needs a frequency of at least one hour".to_string());
        }
    }
    if let Some(threshold) = text(document, "triggerThreshold").and_then(|t| t.trim().parse::<i64>().ok())
        && !(0..=10_000).contains(&threshold)
    {
        ill("triggerThreshold", "`triggerThreshold` is outside 0 to 10,000".to_string());
    }
    if let Some(operator) = text(document, "triggerOperator")
        && TriggerOperator::parse(&operator).is_some()
        && !matches!(operator.trim(), "gt" | "lt" | "eq" | "ne")
        && subject.context.profile == Profile::Sentinel
    {
        ill("triggerOperator", format!("`triggerOperator: {operator}`: the repository takes gt, lt, eq and ne"));
    }
    if rule.suppression_enabled && !(5 * MINUTE..=TICKS_PER_DAY).contains(&rule.suppression_duration) {
        ill("suppressionDuration", "`suppressionDuration` is outside 5 minutes to 24 hours".to_string());
    }
}

/// What changed since the earlier revision of the file.
fn against_earlier(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(earlier) = subject.context.earlier else { return };
    let rule = subject.rule;
    let Some(text) = earlier(&rule.place.file) else { return };
    let FileContent::Rule(before) = rule_file::read(&rule.place.file, &text, Expectation::Rule) else { return };
    if !before.id.eq_ignore_ascii_case(&rule.id) {
        found.extend(subject.at_field("TW005", "id", format!("the id was {}", before.id)));
    }
    let same = before.query.split_whitespace().eq(rule.query.split_whitespace());
    if !same && !raised(before.version.as_deref(), rule.version.as_deref()) {
        let was = before.version.as_deref().unwrap_or("none");
        let finding = subject.at_field("TW006", "version", format!("the query changed and the version is still {was}"));
        found.extend(finding.map(|finding| finding.with_fix(next_version(subject, rule))));
    }
}

fn numbers(version: &str) -> Option<Vec<u64>> {
    version.trim().split('.').map(|part| part.parse().ok()).collect()
}

fn raised(before: Option<&str>, after: Option<&str>) -> bool {
    match (before.and_then(numbers), after.and_then(numbers)) {
        (Some(before), Some(after)) => after > before,
        (None, after) => after.is_some(),
        (Some(_), None) => false,
    }
}

fn next_version(subject: &Subject<'_>, rule: &AnalyticsRule) -> Option<Fix> {
    let node = subject.document.as_ref()?.get("version")?;
    let mut parts = numbers(rule.version.as_deref()?)?;
    *parts.last_mut()? += 1;
    let text = parts.iter().map(u64::to_string).collect::<Vec<_>>().join(".");
    let start = node.offset?;
    let written = rule.version.as_deref()?;
    let at = start + rule.place.text.get(start..)?.find(written)?;
    Some(Fix { edits: vec![(at..at + written.len(), text)] })
}

fn outside_ascii(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let file = &subject.rule.place.text;
    let Some((offset, c)) = file.char_indices().find(|(_, c)| !c.is_ascii()) else { return };
    let more = file.chars().filter(|c| !c.is_ascii()).count() - 1;
    let message = match more {
        0 => format!("U+{:04X} is outside ASCII", u32::from(c)),
        more => format!("U+{:04X} is outside ASCII, and {more} more", u32::from(c)),
    };
    found.extend(subject.at_position("TW007", super::subject::position_of(file, offset), message));
}

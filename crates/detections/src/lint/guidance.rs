//! TW501 to TW505: labels, connectors, promises, guidance, tests. TW506 is found by a mutation run.

use super::Profile;
use super::subject::{Finding, Subject};
use crate::attack;
use crate::rule::RuleKind;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    techniques(subject, found);
    connectors(subject, found);
    claims(subject, found);
    if subject.rule.kind != RuleKind::Hunting && subject.document.is_some() {
        missing_guidance(subject, found);
    }
    tests(subject, found);
}

/// TW501.
fn techniques(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let rule = subject.rule;
    for tactic in &rule.tactics {
        if !attack::is_tactic(tactic) {
            found.extend(subject.at_field("TW501", "tactics", format!("`{tactic}` is no tactic")));
        }
    }
    for id in &rule.relevant_techniques {
        // Techniques of industrial control systems have a matrix of their own.
        if id.starts_with("T0") {
            continue;
        }
        let mut add = |message: String| found.extend(subject.at_field("TW501", "relevantTechniques", message));
        // The repository's own check cuts a sub-technique at its dot.
        let parent = id.split('.').next().unwrap_or(id);
        let cut = (subject.context.profile == Profile::Sentinel).then(|| attack::technique(parent)).flatten();
        let Some(technique) = attack::technique(id).or(cut) else {
            add(format!("`{id}` is no technique of ATT&CK {}", subject.context.attack.number()));
            continue;
        };
        if technique.gone {
            add(format!("{id} ({}) is gone from ATT&CK", technique.name));
            continue;
        }
        let judged = cut.unwrap_or(technique);
        let listed = rule.tactics.iter().any(|tactic| attack::is_under(judged, tactic));
        if !rule.tactics.is_empty() && !listed {
            add(format!(
                "{id} ({}) is under {}, and the rule lists {}",
                technique.name,
                judged.tactics.join(", "),
                rule.tactics.join(", ")
            ));
        }
    }
}

/// TW502, both ways.
fn connectors(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let rule = subject.rule;
    let Some(bound) = &subject.checked.bound else { return };
    let declared: Vec<&str> = rule
        .required_data_connectors
        .iter()
        .flat_map(|connector| &connector.data_types)
        // `SecurityAlert (IPC)` names the table and the product that fills it.
        .map(|name| name.split(['(', ' ']).next().unwrap_or(name))
        .filter(|name| !name.is_empty())
        .collect();
    if declared.is_empty() {
        return;
    }
    let read: Vec<&str> = bound.tables.iter().map(|table| table.name.as_str()).collect();
    let catalog = subject.context.engine.catalog();
    // What a parser reads is the parser's business; the rule declares the parser or its tables.
    let calls_parser = declared.iter().any(|name| catalog.function(name).is_some())
        || subject.tokens.iter().any(|token| catalog.function(subject.text(*token)).is_some());
    for name in &declared {
        let is_table = catalog.table(name).is_some();
        if is_table && !read.contains(name) && !calls_parser {
            found.extend(subject.at_field(
                "TW502",
                "requiredDataConnectors",
                format!("{name} is declared and not read"),
            ));
        }
    }
    for name in &read {
        if !declared.contains(name) && !calls_parser && !catalog.is_reference(name) {
            found.extend(subject.at_field(
                "TW502",
                "requiredDataConnectors",
                format!("{name} is read and not declared"),
            ));
        }
    }
}

/// TW503: `claims:` maps words of the description to text of the query.
fn claims(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(claims) = subject.document.as_ref().and_then(|document| document.get("claims")) else { return };
    let folded = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let query = folded(&subject.rule.query);
    for entry in claims.entries() {
        let steps: Vec<String> = entry.value.items().into_iter().filter_map(|node| node.text()).collect();
        if steps.is_empty() {
            let message = format!("the promise `{}` has no step", entry.key);
            found.extend(subject.at_position("TW503", entry.key_position, message));
        }
        for step in steps.iter().filter(|step| !query.contains(&folded(step))) {
            let message = format!("the promise `{}` rests on `{step}`, which the query does not have", entry.key);
            found.extend(subject.at_position("TW503", entry.value.position, message));
        }
    }
}

/// TW504.
fn missing_guidance(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let has = |heading: &str| subject.rule.guidance.iter().any(|(key, text)| key == heading && !text.trim().is_empty());
    let missing: Vec<&str> = [("falsePositives", "false positives"), ("response", "the response")]
        .into_iter()
        .filter(|(key, _)| !has(key))
        .map(|(_, words)| words)
        .collect();
    if !missing.is_empty() {
        found.extend(subject.at_field("TW504", "description", format!("no guidance on {}", missing.join(" and "))));
    }
}

/// TW505: judged only where the rule has tests, or where its neighbours have.
fn tests(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(beside) = subject.context.tests.and_then(|tests| tests(subject.rule)) else { return };
    let missing = match (beside.positive, beside.negative) {
        (true, true) => return,
        (false, false) => "no tests",
        (false, true) => "no test that it fires",
        (true, false) => "no test that it stays silent",
    };
    found.extend(subject.at_field("TW505", "id", missing));
}

//! What differs between two reports: new alerts, those that are gone, those that are still there.
//!
//! An alert is the same when its id is, which is derived from its rule and its rows. What is left over on both sides is the
//! same when rule, name and entities are, and their times overlap: the rows of one alert grow when more logs are read.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::entities;
use crate::model::{Alert, Changes, GoneAlert, Report, Rule, RuleName, StateChange};

/// What a rule and its alert are known by when the rows differ.
type Likeness<'a> = (&'a str, &'a str, BTreeSet<(String, String)>);

fn likeness(alert: &Alert) -> Likeness<'_> {
    let entity = |entity| (entities::kind(entity).to_string(), entities::label(entity).to_lowercase());
    (&alert.rule.id, &alert.name, alert.entities.iter().map(entity).collect())
}

/// Compares a report with an earlier one.
pub fn between(earlier: &Report, now: &Report) -> Changes {
    let mut changes = Changes {
        baseline_span: earlier.span.clone(),
        baseline_rule_set_commit: earlier.rule_set_commit.clone(),
        rule_states: state_changes(&earlier.rules, &now.rules),
        ..Changes::default()
    };
    let mut before: HashMap<&str, usize> = HashMap::new();
    for alert in &earlier.alerts {
        *before.entry(&alert.id).or_default() += 1;
    }
    let mut is_still: Vec<bool> = now.alerts.iter().map(|alert| take(&mut before, &alert.id.as_str())).collect();
    let unmatched: Vec<&Alert> = earlier.alerts.iter().filter(|alert| take(&mut before, &alert.id.as_str())).collect();
    let mut left: HashMap<Likeness<'_>, Vec<&Alert>> = HashMap::new();
    for alert in &unmatched {
        left.entry(likeness(alert)).or_default().push(alert);
    }
    for (alert, still) in now.alerts.iter().zip(&mut is_still).filter(|(_, still)| !**still) {
        let Some(alike) = left.get_mut(&likeness(alert)) else { continue };
        if let Some(at) = alike.iter().position(|old| old.begins() <= alert.ends() && alert.begins() <= old.ends()) {
            alike.remove(at);
            *still = true;
        }
    }
    for (alert, still) in now.alerts.iter().zip(is_still) {
        if still { &mut changes.still } else { &mut changes.new }.push(alert.id.clone());
    }
    let states: BTreeMap<&str, &str> = now.rules.iter().map(|rule| (rule.id.as_str(), rule.state.as_str())).collect();
    let is_left = |alert: &&Alert| {
        left.get(&likeness(alert)).is_some_and(|alike| alike.iter().any(|one| std::ptr::eq(*one, *alert)))
    };
    for alert in unmatched.iter().copied().filter(is_left) {
        changes.gone.push(GoneAlert {
            id: alert.id.clone(),
            name: alert.name.clone(),
            severity: alert.severity.clone(),
            time: alert.begins().to_string(),
            rule: alert.rule.clone(),
            rule_state: states.get(alert.rule.id.as_str()).map(|state| state.to_string()),
        });
    }
    changes
}

/// Takes one of so many; false when none is left.
fn take<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) -> bool {
    match counts.get_mut(key) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    }
}

fn state_changes(earlier: &[Rule], now: &[Rule]) -> Vec<StateChange> {
    let key = |rule: &Rule| if rule.id.is_empty() { rule.file.clone() } else { rule.id.clone() };
    let name = |rule: &Rule| RuleName { id: rule.id.clone(), name: rule.name.clone(), file: Some(rule.file.clone()) };
    let mut before: BTreeMap<String, &Rule> = earlier.iter().map(|rule| (key(rule), rule)).collect();
    let mut found = Vec::new();
    for rule in now {
        let old = before.remove(&key(rule)).map(|old| old.state.clone());
        if old.as_deref() != Some(&rule.state) {
            found.push(StateChange { rule: name(rule), before: old, after: Some(rule.state.clone()) });
        }
    }
    let lost = before.into_values().map(|rule| StateChange {
        rule: name(rule),
        before: Some(rule.state.clone()),
        after: None,
    });
    found.extend(lost);
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn alert(id: &str, name: &str, ip: &str) -> Alert {
        let entities = serde_json::from_value(json!([{"Address": ip, "Type": "ip"}])).unwrap();
        let rule = RuleName { id: "r".into(), name: "R".into(), file: None };
        Alert { id: id.into(), name: name.into(), rule, entities, ..Alert::default() }
    }

    #[test]
    fn the_same_again_at_another_time_is_new() {
        let at = |id: &str, day: &str| Alert { start: day.into(), end: day.into(), ..alert(id, "a", "10.0.0.1") };
        let earlier = Report { alerts: vec![at("1", "2026-03-01")], ..Report::default() };
        let now = Report { alerts: vec![at("2", "2026-03-05")], ..Report::default() };
        let changes = between(&earlier, &now);
        assert_eq!((changes.new.len(), changes.still.len(), changes.gone.len()), (1, 0, 1));
    }

    fn rule(id: &str, state: &str) -> Rule {
        Rule { id: id.into(), state: state.into(), ..Rule::default() }
    }

    #[test]
    fn new_gone_and_still() {
        let earlier = Report {
            alerts: vec![alert("1", "a", "10.0.0.1"), alert("2", "a", "10.0.0.2"), alert("3", "b", "10.0.0.3")],
            rules: vec![rule("r", "fired"), rule("old", "silent"), rule("same", "silent")],
            ..Report::default()
        };
        // 2 has more rows now, so another id; 3 is gone; 5 is new although its name is known.
        let now = Report {
            alerts: vec![alert("1", "a", "10.0.0.1"), alert("4", "a", "10.0.0.2"), alert("5", "a", "10.0.0.9")],
            rules: vec![rule("r", "partial"), rule("young", "silent"), rule("same", "silent")],
            ..Report::default()
        };
        let changes = between(&earlier, &now);
        assert_eq!((changes.new, changes.still), (vec!["5".to_string()], vec!["1".to_string(), "4".to_string()]));
        let gone: Vec<(&str, Option<&str>)> =
            changes.gone.iter().map(|gone| (gone.id.as_str(), gone.rule_state.as_deref())).collect();
        assert_eq!(gone, [("3", Some("partial"))]);
        let states: Vec<(&str, Option<&str>, Option<&str>)> = changes
            .rule_states
            .iter()
            .map(|change| (change.rule.id.as_str(), change.before.as_deref(), change.after.as_deref()))
            .collect();
        assert_eq!(
            states,
            [("r", Some("fired"), Some("partial")), ("young", None, Some("silent")), ("old", Some("silent"), None)]
        );
    }

    #[test]
    fn nothing_changed_is_all_still() {
        let report = Report { alerts: vec![alert("1", "a", "::1"), alert("1", "a", "::1")], ..Report::default() };
        let changes = between(&report, &report);
        assert_eq!((changes.new.len(), changes.still.len(), changes.gone.len()), (0, 2, 0));
    }
}

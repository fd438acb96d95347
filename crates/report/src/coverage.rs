//! Which ATT&CK techniques the rules of a hunt stand for, and how these rules ended.

use std::collections::BTreeMap;

use crate::model::{Alert, Rule, TechniqueCoverage};

/// What a version of ATT&CK says of a technique: its name and tactics; None for one that it does not know.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<(String, Vec<String>)>;

/// The techniques that rules name, by id.
pub fn of(rules: &[Rule], alerts: &[Alert], lookup: Lookup<'_>) -> Vec<TechniqueCoverage> {
    let mut found: BTreeMap<&str, TechniqueCoverage> = BTreeMap::new();
    let entry = |technique: &str| {
        let (name, tactics) = lookup(technique).unwrap_or_default();
        TechniqueCoverage { technique: technique.to_string(), name, tactics, ..TechniqueCoverage::default() }
    };
    for rule in rules {
        for technique in &rule.techniques {
            let known = found.entry(technique).or_insert_with(|| entry(technique));
            known.rules += 1;
            known.rules_with_tests += usize::from(rule.has_tests);
            *known.states.entry(rule.state.clone()).or_default() += 1;
        }
    }
    for alert in alerts {
        for technique in &alert.techniques {
            found.entry(technique).or_insert_with(|| entry(technique)).alerts += 1;
        }
    }
    found.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_tests_are_counted_by_technique() {
        let rule = |state: &str, has_tests| Rule {
            state: state.into(),
            techniques: vec!["T1578.002".into()],
            has_tests,
            ..Rule::default()
        };
        let alert = Alert { techniques: vec!["T1578.002".into(), "T1".into()], ..Alert::default() };
        let lookup = |id: &str| (id == "T1578.002").then(|| ("Create".to_string(), vec!["Stealth".to_string()]));
        let found = of(&[rule("fired", true), rule("silent", false), rule("silent", true)], &[alert], &lookup);
        assert_eq!(found[1].states, BTreeMap::from([("fired".to_string(), 1), ("silent".to_string(), 2)]));
        assert_eq!((found[1].rules, found[1].rules_with_tests, found[1].alerts), (3, 2, 1));
        assert_eq!((found[0].technique.as_str(), found[0].rules, found[0].alerts), ("T1", 0, 1), "of an override");
    }
}

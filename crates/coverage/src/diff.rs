//! What changed between two sets of rules: techniques that came and went, and the rules behind them.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Value as Json, json};

use crate::markdown::cell;
use crate::{Coverage, attack};

/// The difference of one technique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub id: String,
    /// Names of rules that cover it now and did not before, and the other way round.
    pub came: Vec<String>,
    pub went: Vec<String>,
    /// How many rules covered it before, and how many do now.
    pub before: usize,
    pub after: usize,
}

impl Change {
    /// `new`, `gone`, `more`, `less`, or `other` rules in the same number.
    pub fn kind(&self) -> &'static str {
        match (self.before, self.after) {
            (0, _) => "new",
            (_, 0) => "gone",
            (before, after) if after > before => "more",
            (before, after) if after < before => "less",
            _ => "other",
        }
    }
}

/// The techniques whose rules differ, by id. Rules are the same when their ids are.
pub fn changes(before: &Coverage, after: &Coverage) -> Vec<Change> {
    let ids: BTreeSet<&str> =
        before.techniques.iter().chain(&after.techniques).map(|covered| covered.id.as_str()).collect();
    let rules = |coverage: &Coverage, id: &str| -> Vec<(String, String)> {
        let covered = coverage.techniques.iter().find(|covered| covered.id == id);
        let places = covered.map(|covered| covered.rules.clone()).unwrap_or_default();
        let rules = places.iter().filter_map(|index| coverage.rules.get(*index));
        rules.map(|rule| (rule.id.to_ascii_lowercase(), rule.name.clone())).collect()
    };
    let missing = |from: &[(String, String)], other: &[(String, String)]| -> Vec<String> {
        let gone = from.iter().filter(|(id, _)| !other.iter().any(|(known, _)| known == id));
        gone.map(|(_, name)| name.clone()).collect()
    };
    ids.into_iter()
        .filter_map(|id| {
            let (old, new) = (rules(before, id), rules(after, id));
            let (came, went) = (missing(&new, &old), missing(&old, &new));
            let changed = !came.is_empty() || !went.is_empty();
            changed.then(|| Change { id: id.to_string(), came, went, before: old.len(), after: new.len() })
        })
        .collect()
}

fn name(id: &str) -> &'static str {
    attack::technique(id).map_or("", |technique| technique.name)
}

/// The changes as Markdown.
pub fn markdown(changes: &[Change], from: &str, to: &str) -> String {
    let mut out = format!("# Coverage from {} to {}\n\n", cell(from), cell(to));
    if changes.is_empty() {
        out.push_str("No technique has other rules than before.\n");
        return out;
    }
    out.push_str("| technique | change | rules | which |\n|---|---|---|---|\n");
    for change in changes {
        let came = change.came.iter().map(|name| format!("+ {}", cell(name)));
        let which: Vec<String> = came.chain(change.went.iter().map(|name| format!("- {}", cell(name)))).collect();
        let _ = writeln!(
            out,
            "| {} {} | {} | {} to {} | {} |",
            cell(&change.id),
            cell(name(&change.id)),
            change.kind(),
            change.before,
            change.after,
            which.join("<br>")
        );
    }
    out
}

/// The changes as one document.
pub fn json(changes: &[Change], from: &str, to: &str) -> Json {
    let changes: Vec<Json> = changes
        .iter()
        .map(|change| {
            json!({
                "id": change.id, "name": name(&change.id), "change": change.kind(),
                "before": change.before, "after": change.after, "came": change.came, "went": change.went,
            })
        })
        .collect();
    json!({"schema": "tidewatch-coverage-diff/1", "from": from, "to": to, "changes": changes})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack::Version;
    use crate::tests::{rule, some};
    use crate::{Data, Tests};

    #[test]
    fn techniques_come_and_go_with_their_rules() {
        let before = Coverage::of(some(), Version::V16);
        let mut rules = some();
        rules.remove(2);
        rules.push(rule("five", &["T1578.002", "T1537"], Data::Unknown, Tests::Unknown));
        let after = Coverage::of(rules, Version::V16);
        let found = changes(&before, &after);
        let shown: Vec<(&str, &str)> = found.iter().map(|change| (change.id.as_str(), change.kind())).collect();
        assert_eq!(shown, [("T1496", "gone"), ("T1537", "new"), ("T1578.002", "more"), ("T9999", "gone")]);
        let page = markdown(&found, "v1", "v2");
        assert!(page.contains("| T1578.002 Create Cloud Instance | more | 2 to 3 | + five |"), "{page}");
        assert!(markdown(&changes(&after, &after), "a", "b").contains("No technique"));
        assert_eq!(json(&found, "a", "b")["changes"][0]["went"][0], "three");
    }
}

//! What rules cover: ATT&CK as data, three layers of coverage, catalogs and feeds of rules, as text.
//!
//! Everything here is made from [`RuleFacts`], so nothing is read, bound or run. A layer is never more than the one before it: a
//! technique counts as covered by rules, by rules whose tables have rows, by rules whose tests pass. Start at [`Coverage::of`].

pub mod attack;
pub mod diff;
pub mod feed;
mod html;
mod markdown;
mod navigator;

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use attack::{Tactic, Technique, Version};

pub use html::write as html;
pub use markdown::write as markdown;
pub use navigator::layer as navigator;

/// Whether the tables of a rule have rows in the logs at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// Nobody looked.
    Unknown,
    None,
    /// Some of its tables.
    Some,
    All,
}

/// Whether the tests of a rule pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tests {
    /// Nobody ran them.
    Unknown,
    /// There are none.
    None,
    Failed,
    Passed,
}

/// What is known of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleFacts {
    pub id: String,
    pub name: String,
    pub description: String,
    /// `Scheduled`, `NRT`, `Hunting`.
    pub kind: String,
    /// Empty where the file says none.
    pub severity: String,
    pub tactics: Vec<String>,
    pub techniques: Vec<String>,
    pub tables: Vec<String>,
    pub version: String,
    pub file: String,
    /// When its file last changed, in ticks.
    pub changed: Option<i64>,
    pub data: Data,
    pub tests: Tests,
}

/// One of the three layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Rules name the technique.
    Rules,
    /// At least one of them reads a table that has rows.
    Data,
    /// At least one of them has tests that pass.
    Tested,
}

impl Layer {
    pub const ALL: [Layer; 3] = [Layer::Rules, Layer::Data, Layer::Tested];

    pub fn name(self) -> &'static str {
        match self {
            Layer::Rules => "rules",
            Layer::Data => "rules with data",
            Layer::Tested => "rules with passing tests",
        }
    }

    /// Whether a rule counts in this layer.
    pub fn holds(self, rule: &RuleFacts) -> bool {
        match self {
            Layer::Rules => true,
            Layer::Data => matches!(rule.data, Data::Some | Data::All),
            Layer::Tested => rule.tests == Tests::Passed,
        }
    }
}

/// A technique and the rules that name it, by their places in the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Covered {
    pub id: String,
    /// None for an id that the version at hand does not have.
    pub technique: Option<&'static Technique>,
    pub rules: Vec<usize>,
}

/// Which techniques a set of rules covers.
#[derive(Debug, Clone, PartialEq)]
pub struct Coverage {
    pub version: Version,
    pub rules: Vec<RuleFacts>,
    /// By id.
    pub techniques: Vec<Covered>,
    /// Rules that name no technique.
    pub without: Vec<usize>,
}

impl Coverage {
    /// Sorts rules by the techniques that they name.
    pub fn of(rules: Vec<RuleFacts>, version: Version) -> Coverage {
        let mut by_id: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut without = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            if rule.techniques.is_empty() {
                without.push(index);
            }
            for id in &rule.techniques {
                let known = by_id.entry(id.trim().to_ascii_uppercase()).or_default();
                if known.last() != Some(&index) {
                    known.push(index);
                }
            }
        }
        let techniques = by_id
            .into_iter()
            .map(|(id, rules)| Covered { technique: attack::technique(&id).filter(|t| t.is_in(version)), id, rules })
            .collect();
        Coverage { version, rules, techniques, without }
    }

    /// How many rules of a technique count in a layer.
    pub fn count(&self, covered: &Covered, layer: Layer) -> usize {
        let rules = covered.rules.iter().filter_map(|index| self.rules.get(*index));
        rules.filter(|rule| layer.holds(rule)).count()
    }

    /// How many layers hold for a technique: 0 where no rule names it, 3 where rules have data and passing tests.
    pub fn depth(&self, covered: &Covered) -> usize {
        Layer::ALL.into_iter().filter(|layer| self.count(covered, *layer) > 0).count()
    }

    /// How many techniques of the version a layer covers, and how many there are.
    pub fn totals(&self, layer: Layer) -> (usize, usize) {
        let known = self.techniques.iter().filter(|covered| covered.technique.is_some());
        let covered = known.filter(|covered| self.count(covered, layer) > 0).count();
        (covered, attack::all().filter(|technique| technique.is_in(self.version)).count())
    }

    /// The techniques of a column of the matrix, each with its place among the covered ones: parents first, their
    /// sub-techniques behind them.
    fn column(&self, tactic: &Tactic) -> Vec<(&'static Technique, Option<&Covered>)> {
        let find = |id: &str| self.techniques.iter().find(|covered| covered.id == id);
        attack::all()
            .filter(|technique| technique.is_in(self.version) && technique.tactics_in(self.version).contains(tactic))
            .map(|technique| (technique, find(technique.id)))
            .collect()
    }

    /// Whether anybody looked at the data, and whether anybody ran the tests.
    pub fn looked(&self) -> (bool, bool) {
        let data = self.rules.iter().any(|rule| rule.data != Data::Unknown);
        (data, self.rules.iter().any(|rule| rule.tests != Tests::Unknown))
    }

    /// One document with everything.
    pub fn json(&self) -> Json {
        let rule = |index: &usize| self.rules.get(*index).map(|rule| json!({"id": rule.id, "name": rule.name}));
        let techniques: Vec<Json> = self
            .techniques
            .iter()
            .map(|covered| {
                json!({
                    "id": covered.id,
                    "name": covered.technique.map(|technique| technique.name),
                    "tactics": covered.technique.map(|t| t.tactics_in(self.version).iter().map(|t| t.short).collect::<Vec<_>>()),
                    "known": covered.technique.is_some(),
                    "rules": covered.rules.iter().filter_map(rule).collect::<Vec<_>>(),
                    "layers": {
                        "rules": self.count(covered, Layer::Rules),
                        "data": self.count(covered, Layer::Data),
                        "tested": self.count(covered, Layer::Tested),
                    },
                })
            })
            .collect();
        let (data, tests) = self.looked();
        json!({
            "schema": "tidewatch-coverage/1",
            "attack_version": self.version.number(),
            "rules": self.rules.len(),
            "techniques_of_version": self.totals(Layer::Rules).1,
            "covered": {
                "rules": self.totals(Layer::Rules).0,
                "data": data.then(|| self.totals(Layer::Data).0),
                "tested": tests.then(|| self.totals(Layer::Tested).0),
            },
            "techniques": techniques,
            "without_technique": self.without.iter().filter_map(rule).collect::<Vec<_>>(),
        })
    }
}

/// Text for HTML and XML: markup is escaped, characters that XML cannot hold are replaced.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(character),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

    use super::*;

    pub fn rule(name: &str, techniques: &[&str], data: Data, tests: Tests) -> RuleFacts {
        RuleFacts {
            id: format!("id-{name}"),
            name: name.to_string(),
            description: format!("About {name} <b>&"),
            kind: "Scheduled".to_string(),
            severity: "High".to_string(),
            tactics: vec!["DefenseEvasion".to_string()],
            techniques: techniques.iter().map(|id| (*id).to_string()).collect(),
            tables: vec!["AWSCloudTrail".to_string()],
            version: "1.0.0".to_string(),
            file: format!("rules/{name}.yaml"),
            changed: kql_types::datetime::parse("2026-03-02T10:00:00Z"),
            data,
            tests,
        }
    }

    pub fn some() -> Vec<RuleFacts> {
        vec![
            rule("one", &["T1578.002", "T1578.002"], Data::All, Tests::Passed),
            rule("two", &["t1578.002", "T1562.008"], Data::Some, Tests::Failed),
            rule("three", &["T1496", "T9999"], Data::None, Tests::None),
            rule("four", &[], Data::Unknown, Tests::Unknown),
        ]
    }

    #[test]
    fn layers_count_what_holds() {
        let coverage = Coverage::of(some(), Version::V16);
        let of = |id: &str| coverage.techniques.iter().find(|covered| covered.id == id).unwrap();
        assert_eq!(of("T1578.002").rules, [0, 1]);
        assert_eq!(Layer::ALL.map(|layer| coverage.count(of("T1578.002"), layer)), [2, 2, 1]);
        let depths = ["T1578.002", "T1562.008", "T1496"].map(|id| coverage.depth(of(id)));
        assert_eq!(depths, [3, 2, 1]);
        assert_eq!(Layer::ALL.map(|layer| coverage.totals(layer).0), [3, 2, 1]);
        assert!(of("T9999").technique.is_none());
        assert_eq!(coverage.without, [3]);
        let json = coverage.json();
        assert_eq!((&json["covered"]["tested"], &json["attack_version"]), (&json!(1), &json!("16")));
    }

    #[test]
    fn every_technique_stands_in_a_column_of_each_version() {
        for version in [Version::V16, Version::V19] {
            let coverage = Coverage::of(some(), version);
            let shown: Vec<&str> = version
                .tactics()
                .iter()
                .flat_map(|tactic| coverage.column(tactic).into_iter().map(|(technique, _)| technique.id))
                .collect();
            for technique in attack::all().filter(|technique| technique.is_in(version)) {
                assert!(shown.contains(&technique.id), "{} in {}", technique.id, version.number());
            }
        }
    }
}

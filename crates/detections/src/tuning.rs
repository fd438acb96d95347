//! The project file `tidewatch.yaml`: which rules run and how, without a change to the rules themselves.
//!
//! `sources` names rule files and folders, `select` and `ignore` choose among their rules, `rules` changes single ones: off or on,
//! another severity or threshold, result rows that are excluded. Every entry ends as applied, unused, expired or invalid, and none
//! goes unsaid. Start at [`Tuning::read`].

use std::path::{Path, PathBuf};

use kql_types::datetime;

use crate::library::RuleLibrary;
use crate::rule::{AlertSeverity, AnalyticsRule};
use crate::selection::{is_named, is_technique};
use crate::yaml::{Node, Position};

/// What the project file says of rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tuning {
    /// Files and folders of rules.
    pub sources: Vec<PathBuf>,
    /// Only these rules; empty: all.
    pub select: Choice,
    /// Not these.
    pub ignore: Choice,
    pub rules: Vec<RuleTuning>,
}

/// Rules, by what they have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Ids or names.
    pub ids: Vec<String>,
    /// Parts of the path of the file.
    pub paths: Vec<String>,
    pub tags: Vec<String>,
    pub tables: Vec<String>,
    /// `T1578` takes its sub-techniques as well.
    pub techniques: Vec<String>,
    pub severities: Vec<AlertSeverity>,
}

/// What is changed about a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleTuning {
    /// The id or the name of the rule.
    pub rule: String,
    pub enabled: Option<bool>,
    pub severity: Option<AlertSeverity>,
    pub threshold: Option<u64>,
    /// A condition over the columns of the result: rows that meet it raise nothing.
    pub exclude: Option<String>,
    pub reason: String,
    /// Ticks: the entry holds until the end of this day.
    pub until: Option<i64>,
}

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Applied,
    /// No rule has the name, or the exclusion met no row of a rule that ran.
    Unused,
    /// Its day is over: the rule runs as its file says.
    Expired,
    /// The exclusion is no condition over the rule's result.
    Invalid(String),
}

impl Standing {
    pub fn name(&self) -> &'static str {
        match self {
            Standing::Applied => "applied",
            Standing::Unused => "unused",
            Standing::Expired => "expired",
            Standing::Invalid(_) => "invalid",
        }
    }
}

/// One entry of `rules`, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TuningEntry {
    pub tuning: RuleTuning,
    /// Index of its rule in the library.
    pub rule: Option<usize>,
    pub standing: Standing,
    /// Result rows that the exclusion kept from alerts, each counted once.
    pub excluded: u64,
}

impl Tuning {
    /// Reads a project file; paths are relative to `folder`.
    ///
    /// # Errors
    /// The first thing that is not what it should be, with its place: a misspelled entry would go unnoticed otherwise.
    pub fn read(document: &Node, folder: &Path) -> Result<Tuning, String> {
        only(document, &["sources", "select", "ignore", "rules", "lint"])?;
        let mut tuning = Tuning::default();
        tuning.sources.extend(texts(document.get("sources")).into_iter().map(|path| folder.join(path)));
        for (key, choice) in [("select", &mut tuning.select), ("ignore", &mut tuning.ignore)] {
            if let Some(node) = document.get(key) {
                *choice = Choice::read(node)?;
            }
        }
        for entry in document.get("rules").map(Node::entries).unwrap_or_default() {
            tuning.rules.push(RuleTuning::read(&entry.key, &entry.value)?);
        }
        Ok(tuning)
    }

    /// Changes the rules of a library. `today` is the present, in ticks.
    pub fn apply(&self, library: &mut RuleLibrary, today: i64) -> Vec<TuningEntry> {
        let mut entries = Vec::new();
        for tuning in &self.rules {
            let is_meant = |rule: &AnalyticsRule| {
                rule.id.eq_ignore_ascii_case(&tuning.rule) || rule.name.eq_ignore_ascii_case(&tuning.rule)
            };
            let rule = library.rules.iter().position(is_meant);
            let standing = match rule {
                None => Standing::Unused,
                Some(_) if tuning.is_over(today) => Standing::Expired,
                Some(_) => Standing::Applied,
            };
            if standing == Standing::Applied {
                // An id that two files have is meant in both.
                library.rules.iter_mut().filter(|rule| is_meant(rule)).for_each(|rule| tuning.change(rule));
            }
            entries.push(TuningEntry { tuning: tuning.clone(), rule, standing, excluded: 0 });
        }
        entries
    }
}

/// Takes out the exclusions that are no condition over the result of their rule. `message` gives what is wrong with a
/// query, if anything is.
pub fn check_exclusions(
    library: &mut RuleLibrary,
    entries: &mut [TuningEntry],
    message: &dyn Fn(&AnalyticsRule, &str) -> Option<String>,
) {
    for entry in entries.iter_mut().filter(|entry| entry.tuning.exclude.is_some()) {
        let Some(rule) = entry.rule.and_then(|index| library.rules.get_mut(index)) else { continue };
        // A query that is wrong in itself is the rule's own mistake.
        if rule.exclusion.is_none() || message(rule, &rule.query).is_some() {
            continue;
        }
        let wrong = message(rule, &rule.run_query());
        if let Some(message) = wrong {
            rule.exclusion = None;
            entry.standing = Standing::Invalid(message);
        }
    }
}

impl RuleTuning {
    fn read(rule: &str, node: &Node) -> Result<RuleTuning, String> {
        only(node, &["enabled", "severity", "threshold", "exclude", "reason", "until"])?;
        let wrong = |field: &str, text: &str, expected: &str| {
            let place = node.get(field).map_or(node.position, |node| node.position);
            format!("{place}: `{field}: {text}` is not {expected}")
        };
        let text = |field: &str| node.get(field).and_then(Node::text);
        let mut tuning = RuleTuning { rule: rule.to_string(), ..RuleTuning::default() };
        if let Some(node) = node.get("enabled") {
            let value = node.boolean();
            tuning.enabled =
                Some(value.ok_or_else(|| wrong("enabled", &node.text().unwrap_or_default(), "true or false"))?);
        }
        if let Some(text) = text("severity") {
            let expected = "Informational, Low, Medium or High";
            tuning.severity = Some(AlertSeverity::parse(&text).ok_or_else(|| wrong("severity", &text, expected))?);
        }
        if let Some(text) = text("threshold") {
            tuning.threshold = Some(text.trim().parse().map_err(|_| wrong("threshold", &text, "a number"))?);
        }
        if let Some(text) = text("until") {
            tuning.until = Some(datetime::parse(&text).ok_or_else(|| wrong("until", &text, "a date"))?);
        }
        let conditions = texts(node.get("exclude"));
        tuning.exclude = match conditions.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            many => Some(many.iter().map(|one| format!("({one}\n)")).collect::<Vec<_>>().join(" or ")),
        };
        tuning.reason = text("reason").unwrap_or_default();
        Ok(tuning)
    }

    fn is_over(&self, today: i64) -> bool {
        self.until.is_some_and(|until| today >= until.saturating_add(datetime::TICKS_PER_DAY))
    }

    fn change(&self, rule: &mut AnalyticsRule) {
        match self.enabled {
            Some(true) => rule.enabled = true,
            Some(false) => {
                let reason = if self.reason.is_empty() { String::new() } else { format!(": {}", self.reason) };
                rule.switched_off = Some(format!("switched off by tidewatch.yaml{reason}"));
            }
            None => {}
        }
        if let Some(severity) = self.severity {
            rule.severity = Some(severity);
            // What the rule computes would win otherwise.
            rule.alert_details_override.alert_severity_column_name = None;
        }
        if let Some(threshold) = self.threshold {
            rule.trigger_threshold = threshold;
        }
        if let Some(condition) = &self.exclude {
            rule.exclusion = Some(condition.clone());
        }
    }

    /// What the entry changes, in words.
    pub fn what(&self) -> String {
        let parts = [
            self.enabled.map(|on| if on { "on".to_string() } else { "off".to_string() }),
            self.severity.map(|severity| format!("severity {}", severity.name())),
            self.threshold.map(|threshold| format!("threshold {threshold}")),
            self.exclude.as_ref().map(|condition| format!("without rows where {condition}")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl Choice {
    fn read(node: &Node) -> Result<Choice, String> {
        only(node, &["id", "path", "tag", "table", "technique", "severity"])?;
        let mut severities = Vec::new();
        for text in texts(node.get("severity")) {
            let known = AlertSeverity::parse(&text);
            severities.push(known.ok_or_else(|| format!("{}: `{text}` is no severity", node.position))?);
        }
        let list = |key: &str| texts(node.get(key));
        Ok(Choice {
            ids: list("id"),
            paths: list("path"),
            tags: list("tag"),
            tables: list("table"),
            techniques: list("technique"),
            severities,
        })
    }

    /// For each criterion that is given, whether a rule meets it: all but tables, which take a bound query to know.
    fn criteria(&self, rule: &AnalyticsRule) -> Vec<(&'static str, bool)> {
        let path = rule.place.file.replace('\\', "/").to_ascii_lowercase();
        let in_path = |part: &String| path.contains(&part.to_ascii_lowercase());
        let has_tag = |tag: &String| rule.tags.iter().any(|own| own.eq_ignore_ascii_case(tag));
        let has_technique = |asked: &String| rule.relevant_techniques.iter().any(|own| is_technique(own, asked));
        let all = [
            ("id", self.ids.is_empty(), self.ids.iter().any(|name| is_named(rule, name))),
            ("path", self.paths.is_empty(), self.paths.iter().any(in_path)),
            ("tag", self.tags.is_empty(), self.tags.iter().any(has_tag)),
            ("technique", self.techniques.is_empty(), self.techniques.iter().any(has_technique)),
            (
                "severity",
                self.severities.is_empty(),
                rule.severity.is_some_and(|severity| self.severities.contains(&severity)),
            ),
        ];
        all.into_iter().filter(|(_, absent, _)| !absent).map(|(name, _, meets)| (name, meets)).collect()
    }

    /// The first criterion that a rule does not meet: it is not selected.
    pub fn misses(&self, rule: &AnalyticsRule) -> Option<&'static str> {
        self.criteria(rule).into_iter().find(|(_, meets)| !meets).map(|(name, _)| name)
    }

    /// The first criterion that a rule meets: it is ignored.
    pub fn hits(&self, rule: &AnalyticsRule) -> Option<&'static str> {
        self.criteria(rule).into_iter().find(|(_, meets)| *meets).map(|(name, _)| name)
    }

    /// Whether any of these tables is named.
    pub fn names_table(&self, tables: &[String]) -> bool {
        tables.iter().any(|table| self.tables.iter().any(|named| named.eq_ignore_ascii_case(table)))
    }
}

fn texts(node: Option<&Node>) -> Vec<String> {
    node.map(Node::items).unwrap_or_default().into_iter().filter_map(Node::text).collect()
}

fn only(node: &Node, known: &[&str]) -> Result<(), String> {
    let strange = |position: Position, key: &str| {
        format!("{position}: `{key}` is not known here, expected one of {}", known.join(", "))
    };
    match node.entries().iter().find(|entry| !known.contains(&entry.key.as_str())) {
        Some(entry) => Err(strange(entry.key_position, &entry.key)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::from_texts;
    use crate::selection::Selection;
    use crate::yaml;

    const RULE: &str = "id: 6f1d2c3b-0000-4000-8000-000000000001\nname: Odd key\nseverity: Low\nqueryFrequency: 1h\n\
        tags: [Cloud]\nrelevantTechniques: [T1578.002]\nquery: T | project A;\n";

    fn read(text: &str) -> Result<Tuning, String> {
        Tuning::read(&yaml::parse(text).unwrap(), Path::new("/rules"))
    }

    fn day(text: &str) -> i64 {
        datetime::parse(text).unwrap()
    }

    #[test]
    fn entries_change_their_rules_until_their_day_is_over() {
        let text = "rules:\n  6F1D2C3B-0000-4000-8000-000000000001:\n    severity: high\n    threshold: 5\n    \
            exclude: Caller in (_GetWatchlist(\"ci\"))\n    reason: builds\n    until: 2026-03-31\n  nobody: {enabled: false}\n";
        let tuning = read(text).unwrap();
        let mut library = from_texts([("a.yaml", RULE)]);
        let entries = tuning.apply(&mut library, day("2026-03-31T23:59:59Z"));
        let standings: Vec<&str> = entries.iter().map(|entry| entry.standing.name()).collect();
        assert_eq!(standings, ["applied", "unused"]);
        let rule = &library.rules[0];
        assert_eq!((rule.severity, rule.trigger_threshold), (Some(AlertSeverity::High), 5));
        assert!(rule.run_query().starts_with("T | project A\n| extend "), "{}", rule.run_query());
        assert_eq!(rule.query, "T | project A;", "the rule's own text stays");
        assert_eq!(
            entries[0].tuning.what(),
            "severity High, threshold 5, without rows where Caller in (_GetWatchlist(\"ci\"))"
        );
        let mut later = from_texts([("a.yaml", RULE)]);
        let entries = tuning.apply(&mut later, day("2026-04-01"));
        assert_eq!(entries[0].standing, Standing::Expired);
        assert_eq!((later.rules[0].severity, &later.rules[0].exclusion), (Some(AlertSeverity::Low), &None));
    }

    #[test]
    fn a_rule_is_switched_off_with_a_reason_and_on_again() {
        let mut library = from_texts([("a.yaml", RULE)]);
        read("rules: {Odd key: {enabled: false, reason: noisy}}").unwrap().apply(&mut library, 0);
        assert_eq!(library.rules[0].switched_off.as_deref(), Some("switched off by tidewatch.yaml: noisy"));
        let off = format!("{RULE}enabled: false\n");
        let mut library = from_texts([("a.yaml", off.as_str())]);
        read("rules: {Odd key: {enabled: true}}").unwrap().apply(&mut library, 0);
        assert_eq!(library.rules[0].retired(), None);
    }

    #[test]
    fn rules_are_selected_by_all_criteria_and_ignored_by_any() {
        let library = from_texts([("rules/aws/odd.yaml", RULE)]);
        let left_out = |text: &str| {
            let Tuning { select, ignore, .. } = read(text).unwrap();
            let selection = Selection { select, ignore, ..Selection::default() };
            let tables = ["AWSCloudTrail".to_string()];
            selection.leaves_out(&library.rules[0]).or_else(|| selection.leaves_out_tables(&tables))
        };
        for kept in [
            "select: {tag: cloud, technique: [T1578], severity: [Low, High], path: aws/}",
            "select: {table: [AWSCloudTrail, SigninLogs]}",
            "ignore: {tag: [other], table: SigninLogs, id: nobody, severity: High}",
        ] {
            assert_eq!(left_out(kept), None, "{kept}");
        }
        for out in [
            "select: {tag: cloud, severity: High}",
            "select: {table: SigninLogs}",
            "ignore: {tag: [other], technique: T1578.002}",
            "ignore: {table: awscloudtrail}",
            "ignore: {path: rules/AWS}",
            "ignore: {id: Odd key}",
        ] {
            assert!(left_out(out).is_some_and(|why| why.contains("tidewatch.yaml")), "{out}");
        }
    }

    #[test]
    fn what_is_misspelled_is_told_with_its_place() {
        for (text, part) in [
            ("rule: {}", "1:1: `rule`"),
            ("rules:\n  a: {treshold: 5}", "`treshold`"),
            ("rules:\n  a: {threshold: many}", "`threshold: many` is not a number"),
            ("rules:\n  a: {severity: dire}", "`severity: dire`"),
            ("rules:\n  a: {until: soon}", "`until: soon` is not a date"),
            ("rules:\n  a: {enabled: perhaps}", "`enabled: perhaps`"),
            ("select: {severity: dire}", "`dire` is no severity"),
            ("ignore: {tactic: Impact}", "`tactic`"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.contains(part), "{text}: {message}");
        }
        let tuning = read("sources: [a, /b]\nlint: {allow: []}").unwrap();
        assert_eq!(tuning.sources, [PathBuf::from("/rules/a"), PathBuf::from("/b")]);
    }
}

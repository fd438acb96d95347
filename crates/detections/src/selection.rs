//! Which rules of a library a hunt runs: by severity, technique, table, id.

use crate::rule::{AlertSeverity, AnalyticsRule};
use crate::tuning::Choice;

/// What the user asked for; an empty list asks for nothing in particular.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    pub severities: Vec<AlertSeverity>,
    /// `T1578` takes its sub-techniques as well.
    pub techniques: Vec<String>,
    /// Only rules that read one of these tables.
    pub tables: Vec<String>,
    /// Ids, names, or parts of the path of the file.
    pub ids: Vec<String>,
    pub excluded: Vec<String>,
    /// What the project file says.
    pub select: Choice,
    pub ignore: Choice,
}

impl Selection {
    /// Why a rule is left out, before its query is looked at; None: it stays.
    pub fn leaves_out(&self, rule: &AnalyticsRule) -> Option<String> {
        if let Some(name) = self.excluded.iter().find(|name| is_named(rule, name)) {
            return Some(format!("excluded by `{name}`"));
        }
        if !self.ids.is_empty() && !self.ids.iter().any(|name| is_named(rule, name)) {
            return Some("not among the ids asked for".to_string());
        }
        if !self.severities.is_empty() && !rule.severity.is_some_and(|severity| self.severities.contains(&severity)) {
            return Some("severity not asked for".to_string());
        }
        let asked = |technique: &String| self.techniques.iter().any(|asked| is_technique(technique, asked));
        if !self.techniques.is_empty() && !rule.relevant_techniques.iter().any(asked) {
            return Some("technique not asked for".to_string());
        }
        if let Some(what) = self.ignore.hits(rule) {
            return Some(format!("ignored by tidewatch.yaml, by its {what}"));
        }
        self.select.misses(rule).map(|what| format!("not selected by tidewatch.yaml, by its {what}"))
    }

    /// Why a rule that reads these tables is left out.
    pub fn leaves_out_tables(&self, tables: &[String]) -> Option<String> {
        let asked = |table: &String| self.tables.iter().any(|asked| asked.eq_ignore_ascii_case(table));
        if !self.tables.is_empty() && !tables.iter().any(asked) {
            return Some("reads none of the tables asked for".to_string());
        }
        if self.ignore.names_table(tables) {
            return Some("ignored by tidewatch.yaml, by its tables".to_string());
        }
        let selected = self.select.tables.is_empty() || self.select.names_table(tables);
        (!selected).then(|| "not selected by tidewatch.yaml, by its tables".to_string())
    }
}

pub(crate) fn is_technique(technique: &str, asked: &str) -> bool {
    let (technique, asked) = (technique.to_ascii_uppercase(), asked.to_ascii_uppercase());
    technique == asked || technique.strip_prefix(&asked).is_some_and(|rest| rest.starts_with('.'))
}

/// An id or a name in full, or a part of the file's path.
pub(crate) fn is_named(rule: &AnalyticsRule, name: &str) -> bool {
    let name = name.trim();
    !name.is_empty()
        && (rule.id.eq_ignore_ascii_case(name)
            || rule.name.eq_ignore_ascii_case(name)
            || rule.place.file.to_ascii_lowercase().contains(&name.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule_file::{Expectation, FileContent, read};

    #[test]
    fn every_filter_and_all_together() {
        let text = "id: R1\nname: Odd key\nseverity: High\nrelevantTechniques: [T1578.002]\nquery: T\n";
        let FileContent::Rule(rule) = read("rules/aws/odd.yaml", text, Expectation::Rule) else { panic!() };
        let left_out = |selection: Selection| selection.leaves_out(&rule).is_some();
        let list = |text: &str| vec![text.to_string()];
        assert!(!left_out(Selection::default()));
        assert!(!left_out(Selection { techniques: list("t1578"), ..Selection::default() }));
        assert!(left_out(Selection { techniques: list("T157"), ..Selection::default() }));
        assert!(!left_out(Selection { ids: list("r1"), ..Selection::default() }));
        assert!(left_out(Selection { ids: list("r1"), excluded: list("rules/aws"), ..Selection::default() }));
        assert!(left_out(Selection { severities: vec![AlertSeverity::Low], ..Selection::default() }));
        let by_table = Selection { tables: list("awscloudtrail"), ..Selection::default() };
        assert_eq!(by_table.leaves_out_tables(&list("AWSCloudTrail")), None);
        assert!(by_table.leaves_out_tables(&list("SigninLogs")).is_some());
    }
}

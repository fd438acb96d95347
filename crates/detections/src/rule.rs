//! A detection rule with the vendor's field names, whatever file it came from.
//!
//! The invariant: a rule always has a query, a kind and a place in a file; every default that was filled in is told in
//! [`AnalyticsRule::notes`]. `rule_file` reads these from YAML, `library` from folders. Start at [`AnalyticsRule`].

use std::borrow::Cow;
use std::sync::Arc;

use kql_types::Span;
use kql_types::datetime::TICKS_PER_DAY;

use crate::yaml::Position;

/// What kind of thing asks the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RuleKind {
    /// Runs on a schedule, compares the number of rows with a threshold.
    Scheduled,
    /// Near real time: every minute, any row fires.
    Nrt,
    /// A question of a hunter: no schedule, every row is of interest.
    Hunting,
}

impl RuleKind {
    pub fn name(self) -> &'static str {
        match self {
            RuleKind::Scheduled => "Scheduled",
            RuleKind::Nrt => "NRT",
            RuleKind::Hunting => "Hunting",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AlertSeverity {
    Informational,
    Low,
    Medium,
    High,
}

impl AlertSeverity {
    pub const ALL: [AlertSeverity; 4] =
        [AlertSeverity::Informational, AlertSeverity::Low, AlertSeverity::Medium, AlertSeverity::High];

    pub fn name(self) -> &'static str {
        match self {
            AlertSeverity::Informational => "Informational",
            AlertSeverity::Low => "Low",
            AlertSeverity::Medium => "Medium",
            AlertSeverity::High => "High",
        }
    }

    /// Reads a severity in any case.
    pub fn parse(text: &str) -> Option<AlertSeverity> {
        AlertSeverity::ALL.into_iter().find(|severity| severity.name().eq_ignore_ascii_case(text.trim()))
    }
}

/// How the number of result rows is compared with the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerOperator {
    GreaterThan,
    LessThan,
    Equal,
    NotEqual,
}

impl TriggerOperator {
    /// Reads the short form of YAML (`gt`) and the long one of ARM (`GreaterThan`).
    pub fn parse(text: &str) -> Option<TriggerOperator> {
        Some(match text.trim().to_ascii_lowercase().as_str() {
            "gt" | "greaterthan" => TriggerOperator::GreaterThan,
            "lt" | "lessthan" => TriggerOperator::LessThan,
            "eq" | "equal" => TriggerOperator::Equal,
            "ne" | "notequal" => TriggerOperator::NotEqual,
            _ => return None,
        })
    }

    /// The long form, as alerts show it.
    pub fn name(self) -> &'static str {
        match self {
            TriggerOperator::GreaterThan => "GreaterThan",
            TriggerOperator::LessThan => "LessThan",
            TriggerOperator::Equal => "Equal",
            TriggerOperator::NotEqual => "NotEqual",
        }
    }

    /// Whether a run with so many rows fires.
    pub fn fires(self, rows: u64, threshold: u64) -> bool {
        match self {
            TriggerOperator::GreaterThan => rows > threshold,
            TriggerOperator::LessThan => rows < threshold,
            TriggerOperator::Equal => rows == threshold,
            TriggerOperator::NotEqual => rows != threshold,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AggregationKind {
    SingleAlert,
    AlertPerResult,
}

/// Which alerts of a rule share an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchingMethod {
    /// All mapped entities are equal.
    AllEntities,
    /// All alerts of the rule.
    AnyAlert,
    /// Equal in every entity type, detail and custom detail that is listed.
    Selected,
}

impl MatchingMethod {
    /// Reads the method in any case; `AllEntities` has an older name in templates.
    pub fn parse(text: &str) -> Option<MatchingMethod> {
        Some(match text.trim().to_ascii_lowercase().as_str() {
            "allentities" | "all" => MatchingMethod::AllEntities,
            "anyalert" | "none" => MatchingMethod::AnyAlert,
            "selected" | "custom" => MatchingMethod::Selected,
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            MatchingMethod::AllEntities => "AllEntities",
            MatchingMethod::AnyAlert => "AnyAlert",
            MatchingMethod::Selected => "Selected",
        }
    }
}

/// How alerts become incidents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupingConfiguration {
    pub enabled: bool,
    pub reopen_closed_incident: bool,
    /// Ticks, counted from the first alert of the incident.
    pub lookback_duration: i64,
    pub matching_method: MatchingMethod,
    pub group_by_entities: Vec<String>,
    /// `DisplayName`, `Severity`.
    pub group_by_alert_details: Vec<String>,
    pub group_by_custom_details: Vec<String>,
}

impl Default for GroupingConfiguration {
    /// Off, with the portal's defaults.
    fn default() -> GroupingConfiguration {
        GroupingConfiguration {
            enabled: false,
            reopen_closed_incident: false,
            lookback_duration: 5 * TICKS_PER_DAY / 24,
            matching_method: MatchingMethod::AllEntities,
            group_by_entities: Vec::new(),
            group_by_alert_details: Vec::new(),
            group_by_custom_details: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldMapping {
    pub identifier: String,
    pub column_name: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityMapping {
    pub entity_type: String,
    pub field_mappings: Vec<FieldMapping>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlertDetailsOverride {
    pub alert_display_name_format: Option<String>,
    pub alert_description_format: Option<String>,
    pub alert_tactics_column_name: Option<String>,
    pub alert_severity_column_name: Option<String>,
    /// (alertProperty, column).
    pub alert_dynamic_properties: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredDataConnector {
    pub connector_id: String,
    pub data_types: Vec<String>,
}

/// Where a rule's query stands in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryPlace {
    /// The file, as it was given or found.
    pub file: String,
    /// The whole text of the file, to show lines of.
    pub text: Arc<str>,
    /// Line and column of the query's first character.
    pub start: Position,
    /// Byte offset in `text` of the query's first character.
    pub offset: Option<usize>,
}

impl QueryPlace {
    /// Where a part of the query stands in the file, as bytes; None where the file's form (a folded or quoted text)
    /// does not keep the query's lines.
    pub fn span_in_file(&self, query: &str, span: Span) -> Option<std::ops::Range<usize>> {
        let start = self.offset_in_file(query, span.start as usize)?;
        let end = self.offset_in_file(query, span.end.max(span.start) as usize)?;
        Some(start..end.max(start))
    }

    fn offset_in_file(&self, query: &str, offset: usize) -> Option<usize> {
        let mut in_query = 0;
        let mut in_file = self.offset?;
        for (index, line) in query.split_inclusive('\n').enumerate() {
            let rest = self.text.get(in_file..)?;
            // Behind the first line, a block's indentation is in the file and not in the query.
            let content = line.trim_end_matches(['\n', '\r']);
            let indent = if index == 0 { 0 } else { indentation(rest, content)? };
            if !rest.get(indent..)?.starts_with(content) {
                return None;
            }
            if offset < in_query + line.len() || offset == query.len() && in_query + line.len() == offset {
                return Some(in_file + indent + (offset - in_query).min(content.len()));
            }
            in_query += line.len();
            in_file += rest.find('\n').map_or(rest.len(), |at| at + 1);
        }
        (offset == 0).then_some(in_file)
    }
}

/// The blanks in front of a line's content: a line of the query may start with blanks of its own.
fn indentation(rest: &str, content: &str) -> Option<usize> {
    let line = rest.split('\n').next()?;
    let line = line.trim_end_matches('\r');
    if content.trim().is_empty() {
        return Some(line.len().saturating_sub(content.len()));
    }
    line.len().checked_sub(content.len())
}

/// Something a rule file has that nothing here reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownField {
    pub name: String,
    pub position: Position,
}

/// The column that marks result rows which the project file excludes; no alert has it.
pub const EXCLUDED_COLUMN: &str = "excluded by tidewatch.yaml";

/// A rule: analytic (scheduled, near real time) or a hunting query.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalyticsRule {
    /// The rule's id; for files without one, made from the name.
    pub id: String,
    pub name: String,
    pub description: String,
    pub kind: RuleKind,
    /// None: the file gives none (hunting queries).
    pub severity: Option<AlertSeverity>,
    pub enabled: bool,
    pub required_data_connectors: Vec<RequiredDataConnector>,
    /// Ticks.
    pub query_frequency: i64,
    /// Ticks.
    pub query_period: i64,
    pub trigger_operator: TriggerOperator,
    pub trigger_threshold: u64,
    pub tactics: Vec<String>,
    /// `T1578`, `T1578.002`.
    pub relevant_techniques: Vec<String>,
    pub query: String,
    pub entity_mappings: Vec<EntityMapping>,
    /// Columns that hold a whole `Entities` text.
    pub sentinel_entities_mappings: Vec<String>,
    /// (key, column).
    pub custom_details: Vec<(String, String)>,
    pub alert_details_override: AlertDetailsOverride,
    pub aggregation_kind: AggregationKind,
    pub create_incident: bool,
    pub grouping: GroupingConfiguration,
    pub suppression_enabled: bool,
    /// Ticks.
    pub suppression_duration: i64,
    pub version: Option<String>,
    pub status: Option<String>,
    pub tags: Vec<String>,
    /// Guidance that built-in rules carry: (heading, text), e.g. false positives, response.
    pub guidance: Vec<(String, String)>,
    /// Why the project file does not let it run.
    pub switched_off: Option<String>,
    /// A condition of the project file: result rows that meet it raise nothing.
    pub exclusion: Option<String>,
    pub place: QueryPlace,
    pub unknown_fields: Vec<UnknownField>,
    /// Defaults that were filled in and values that were not understood.
    pub notes: Vec<String>,
}

impl AnalyticsRule {
    /// A rule with every default, as a bare query file gives.
    pub fn bare(id: String, name: String, query: String, place: QueryPlace) -> AnalyticsRule {
        AnalyticsRule {
            id,
            name,
            description: String::new(),
            kind: RuleKind::Hunting,
            severity: None,
            enabled: true,
            required_data_connectors: Vec::new(),
            query_frequency: TICKS_PER_DAY,
            query_period: TICKS_PER_DAY,
            trigger_operator: TriggerOperator::GreaterThan,
            trigger_threshold: 0,
            tactics: Vec::new(),
            relevant_techniques: Vec::new(),
            query,
            entity_mappings: Vec::new(),
            sentinel_entities_mappings: Vec::new(),
            custom_details: Vec::new(),
            alert_details_override: AlertDetailsOverride::default(),
            aggregation_kind: AggregationKind::SingleAlert,
            create_incident: true,
            grouping: GroupingConfiguration::default(),
            suppression_enabled: false,
            suppression_duration: 0,
            version: None,
            status: None,
            tags: Vec::new(),
            guidance: Vec::new(),
            switched_off: None,
            exclusion: None,
            place,
            unknown_fields: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Why the rule's own file says not to run it.
    pub fn retired(&self) -> Option<&'static str> {
        if !self.enabled {
            return Some("disabled in its file");
        }
        let deprecated = |text: &str| text.to_ascii_lowercase().contains("deprecated");
        let marked = deprecated(&self.name)
            || self.status.as_deref().is_some_and(deprecated)
            || self.tags.iter().any(|tag| deprecated(tag));
        marked.then_some("deprecated")
    }

    /// The query that runs: where the project file excludes rows, a last column [`EXCLUDED_COLUMN`] says which.
    pub fn run_query(&self) -> Cow<'_, str> {
        match &self.exclusion {
            None => Cow::Borrowed(&self.query),
            Some(condition) => {
                let query = self.query.trim_end().trim_end_matches(';');
                // A comment may end either text.
                Cow::Owned(format!("{query}\n| extend ['{EXCLUDED_COLUMN}'] = ({condition}\n)"))
            }
        }
    }

    /// The query with a last step that leaves out what the project file excludes, to be shown step by step.
    pub fn filtered_query(&self) -> Cow<'_, str> {
        match &self.exclusion {
            None => Cow::Borrowed(&self.query),
            Some(condition) => {
                let query = self.query.trim_end().trim_end_matches(';');
                Cow::Owned(format!("{query}\n| where not(iff(({condition}\n), true, false))"))
            }
        }
    }

    /// Whether a run without any result row fires (`eq 0`, `lt n`).
    pub fn fires_on_nothing(&self) -> bool {
        self.kind == RuleKind::Scheduled && self.trigger_operator.fires(0, self.trigger_threshold)
    }

    /// Whether a run with so many rows fires.
    pub fn fires(&self, rows: u64) -> bool {
        match self.kind {
            RuleKind::Scheduled => self.trigger_operator.fires(rows, self.trigger_threshold),
            RuleKind::Nrt | RuleKind::Hunting => rows > 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule_file::{Expectation, FileContent, read};

    #[test]
    fn places_in_the_query_are_places_in_the_file() {
        let text = "id: a\nname: b\nquery: |\n    T\n\n      | where Foo == 1\n    | take 1\nkind: NRT\n";
        let FileContent::Rule(rule) = read("a.yaml", text, Expectation::Rule) else { panic!() };
        for word in ["T", "Foo", "take"] {
            let at = rule.query.find(word).unwrap() as u32;
            let range = rule.place.span_in_file(&rule.query, Span::new(at, at + word.len() as u32)).unwrap();
            assert_eq!(&text[range.clone()], word, "{range:?}");
        }
        let end = rule.query.len() as u32;
        let range = rule.place.span_in_file(&rule.query, Span::new(end, end)).unwrap();
        assert!(text[..range.start].ends_with("take 1"), "{range:?}");
    }

    #[test]
    fn a_folded_query_has_no_place_of_its_own() {
        let text = "id: a\nname: b\nquery: >\n    T\n    | take 1\n";
        let FileContent::Rule(rule) = read("a.yaml", text, Expectation::Rule) else { panic!() };
        assert_eq!(rule.query, "T | take 1\n");
        assert_eq!(rule.place.span_in_file(&rule.query, Span::new(4, 8)), None);
    }
}

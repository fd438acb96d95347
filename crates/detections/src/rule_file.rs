//! From the text of one file to what it holds: a rule, a stored function, or nothing of ours.
//!
//! Unknown fields are reported, missing ones take the vendor's defaults and say so; only a rule without a query, or a
//! text that is not YAML, is broken. Start at [`read`].

use std::path::Path;
use std::sync::Arc;

use kql_semantics::StoredFunction;

use crate::duration;
use crate::function_file;
use crate::rule::{
    AggregationKind, AlertDetailsOverride, AlertSeverity, AnalyticsRule, EntityMapping, FieldMapping,
    GroupingConfiguration, MatchingMethod, QueryPlace, RequiredDataConnector, RuleKind, TriggerOperator, UnknownField,
};
use crate::yaml::{self, Node, Position};

/// What one file holds.
#[derive(Debug, Clone, PartialEq)]
pub enum FileContent {
    Rule(Box<AnalyticsRule>),
    Functions(Vec<StoredFunction>),
    /// Sigma documents, which become rules together with those of other files.
    Sigma(SigmaFile),
    /// A test beside a rule, a document about something else, a list: quietly passed over.
    Other,
    Broken(BrokenFile),
}

/// The Sigma documents of one file.
#[derive(Debug, Clone, PartialEq)]
pub struct SigmaFile {
    pub text: Arc<str>,
    pub documents: Vec<sigma::document::Document>,
    pub broken: Vec<BrokenFile>,
}

/// A file that should hold a rule and does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenFile {
    pub file: String,
    pub position: Option<Position>,
    pub message: String,
    /// Nothing is wrong with it: no table holds what the rule asks for.
    pub unsupported: bool,
}

/// Whether a text that is not a rule is a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expectation {
    /// The file was named by the user: it must hold a rule.
    Rule,
    /// The file was found in a folder: it may be anything.
    Anything,
}

/// Reads the text of a file by its extension: `.kql` and the like are bare queries, the rest is YAML.
pub fn read(file: &str, text: &str, expectation: Expectation) -> FileContent {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let extension = Path::new(file).extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    match extension.as_str() {
        "kql" | "csl" | "kusto" => read_query(file, text, expectation),
        _ => read_yaml(file, text, expectation),
    }
}

fn read_query(file: &str, text: &str, expectation: Expectation) -> FileContent {
    if let Some(functions) = function_file::from_commands(text) {
        return FileContent::Functions(functions);
    }
    let only_comments = text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with("//"));
    if only_comments {
        return match expectation {
            Expectation::Rule => broken(file, None, "the file holds no query"),
            Expectation::Anything => FileContent::Other,
        };
    }
    let name = stem(file);
    let place = QueryPlace { file: file.to_string(), text: Arc::from(text), start: Position::START, offset: Some(0) };
    FileContent::Rule(Box::new(AnalyticsRule::bare(name.clone(), name, text.to_string(), place)))
}

fn read_yaml(file: &str, text: &str, expectation: Expectation) -> FileContent {
    if sigma::document::looks_like_sigma(text)
        && let Some(found) = read_sigma(file, text)
    {
        return found;
    }
    if expectation == Expectation::Anything && !looks_like_ours(text) {
        return FileContent::Other;
    }
    let document = match yaml::parse(text) {
        Ok(document) => document,
        Err(error) => return broken(file, error.position, &format!("not valid YAML: {}", error.message)),
    };
    if let Some(functions) = function_file::from_yaml(&document) {
        return FileContent::Functions(functions);
    }
    let is_test = document.get("cases").is_some() && document.get("query").is_none();
    let has_rule_field =
        ["query", "kind", "queryFrequency", "triggerOperator"].iter().any(|k| document.get(k).is_some());
    if is_test || !has_rule_field {
        return match expectation {
            Expectation::Anything => FileContent::Other,
            Expectation::Rule => broken(file, Some(document.position), "not a rule: it has no field `query`"),
        };
    }
    match RuleReader::new(file, text, &document).read() {
        Ok(rule) => FileContent::Rule(Box::new(rule)),
        Err((position, message)) => broken(file, Some(position), &message),
    }
}

/// A cheap look before a folder's file is parsed at all: a line that starts with a key that only our files have.
fn looks_like_ours(text: &str) -> bool {
    let mut has_query = false;
    let mut has_name = false;
    for line in text.lines() {
        let Some((key, _)) = line.split_once(':') else { continue };
        match key.trim_matches(['"', '\'']) {
            "query" => has_query = true,
            "id" | "name" | "kind" | "tactics" => has_name = true,
            "FunctionQuery" | "ParserQuery" | "queryFrequency" | "triggerOperator" => return true,
            _ => {}
        }
    }
    // Parsers keep their fields one level down in some files; a query alone is some other tool's file.
    has_query && has_name
}

fn broken(file: &str, position: Option<Position>, message: &str) -> FileContent {
    let message = message.to_string();
    FileContent::Broken(BrokenFile { file: file.to_string(), position, message, unsupported: false })
}

/// The Sigma documents of a text; None where it has none.
fn read_sigma(file: &str, text: &str) -> Option<FileContent> {
    let mut found = SigmaFile { text: Arc::from(text), documents: Vec::new(), broken: Vec::new() };
    match sigma::document::read(file, text) {
        Ok(documents) => {
            for document in documents {
                match document {
                    Ok(document) => found.documents.push(document),
                    Err(broken) => found.broken.push(BrokenFile {
                        file: file.to_string(),
                        position: Some(broken.error.position),
                        message: format!("the Sigma rule `{}`: {}", broken.title, broken.error.message),
                        unsupported: false,
                    }),
                }
            }
        }
        Err(error) => return Some(broken(file, error.position, &format!("not valid YAML: {}", error.message))),
    }
    (!found.documents.is_empty() || !found.broken.is_empty()).then_some(FileContent::Sigma(found))
}

/// A converted Sigma rule as a rule of its file. Its query stands nowhere in the file.
pub(crate) fn of_sigma(converted: &sigma::Converted, text: Arc<str>) -> Option<AnalyticsRule> {
    let mut rule = RuleReader::new(&converted.file, &text, &converted.fields).read().ok()?;
    rule.place = QueryPlace { file: converted.file.clone(), text, start: converted.position, offset: None };
    rule.notes.extend(converted.notes.iter().cloned());
    Some(rule)
}

/// The file's name without folder and extension.
pub(crate) fn stem(file: &str) -> String {
    Path::new(file).file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_else(|| file.to_string())
}

/// Fields that exist in published rules and that running a rule does not need.
const KNOWN_BUT_UNUSED: &[&str] = &[
    "additionalQueries",
    "alertRuleTemplateName",
    "author",
    "claims",
    "description-detailed",
    "lastUpdatedDateUTC",
    "metadata",
    "requiredTechniques",
    "source",
    "subTechniques",
    "tests",
    "triggerCondition",
];

/// Fields that a rule is made from.
const USED: &[&str] = &[
    "id",
    "name",
    "description",
    "description_detailed",
    "kind",
    "severity",
    "enabled",
    "requiredDataConnectors",
    "queryFrequency",
    "queryPeriod",
    "triggerOperator",
    "triggerThreshold",
    "tactics",
    "relevantTechniques",
    "techniques",
    "query",
    "entityMappings",
    "sentinelEntitiesMappings",
    "customDetails",
    "alertDetailsOverride",
    "eventGroupingSettings",
    "incidentConfiguration",
    "suppressionEnabled",
    "suppressionDuration",
    "version",
    "status",
    "tags",
];

/// Every field that a rule file may have.
pub(crate) fn known_fields() -> impl Iterator<Item = &'static str> {
    USED.iter().chain(KNOWN_BUT_UNUSED).chain(GUIDANCE).copied()
}

/// Headings that our own rules carry as guidance.
const GUIDANCE: &[&str] = &[
    "hypothesis",
    "falsePositives",
    "tuning",
    "response",
    "investigation",
    "hunting",
    "sigma",
    "related",
    "dataSources",
    "references",
    "limits",
];

struct RuleReader<'a> {
    file: &'a str,
    text: &'a str,
    document: &'a Node,
    notes: Vec<String>,
    unknown: Vec<UnknownField>,
}

type Failure = (Position, String);

impl<'a> RuleReader<'a> {
    fn new(file: &'a str, text: &'a str, document: &'a Node) -> RuleReader<'a> {
        RuleReader { file, text, document, notes: Vec::new(), unknown: Vec::new() }
    }

    fn read(mut self) -> Result<AnalyticsRule, Failure> {
        let query_node = self
            .document
            .get("query")
            .ok_or_else(|| (self.document.position, "the field `query` is missing".to_string()))?;
        let query = query_node.text().filter(|q| !q.trim().is_empty()).ok_or_else(|| {
            (query_node.position, format!("the field `query` is {}, expected text", query_node.kind_name()))
        })?;
        let place = QueryPlace {
            file: self.file.to_string(),
            text: Arc::from(self.text),
            start: query_node.position,
            offset: query_node.offset,
        };
        let name = self.text_of("name").unwrap_or_else(|| stem(self.file));
        let id = self.text_of("id").unwrap_or_else(|| {
            self.notes.push("no id: the file's name stands for it".to_string());
            stem(self.file)
        });
        let mut rule = AnalyticsRule::bare(id, name, query, place);
        self.read_schedule(&mut rule);
        self.read_labels(&mut rule);
        self.read_alert_settings(&mut rule);
        self.find_unknown_fields();
        rule.notes = self.notes;
        rule.unknown_fields = self.unknown;
        Ok(rule)
    }

    fn text_of(&self, key: &str) -> Option<String> {
        self.document.get(key).and_then(Node::text).map(|t| t.trim().to_string()).filter(|t| !t.is_empty())
    }

    fn texts_of(&self, key: &str) -> Vec<String> {
        let Some(node) = self.document.get(key) else { return Vec::new() };
        // Some files write a list as one text: `tactics: Impact, Execution`.
        let whole = node.items().into_iter().filter_map(Node::text).collect::<Vec<_>>();
        whole.iter().flat_map(|t| t.split(',')).map(|t| t.trim().to_string()).filter(|t| !t.is_empty()).collect()
    }

    fn ticks_of(&mut self, key: &str) -> Option<i64> {
        let text = self.text_of(key)?;
        let ticks = duration::parse(&text);
        if ticks.is_none_or(|t| t == 0) {
            self.notes.push(format!("`{key}: {text}` is not a length of time"));
            return None;
        }
        ticks
    }

    fn read_schedule(&mut self, rule: &mut AnalyticsRule) {
        let frequency = self.ticks_of("queryFrequency");
        let period = self.ticks_of("queryPeriod");
        let scheduled = frequency.or(period).is_some() || self.document.get("triggerOperator").is_some();
        rule.kind = match self.text_of("kind").as_deref() {
            Some(kind) if kind.eq_ignore_ascii_case("scheduled") => RuleKind::Scheduled,
            Some(kind) if kind.eq_ignore_ascii_case("nrt") => RuleKind::Nrt,
            Some(kind) if kind.eq_ignore_ascii_case("hunting") => RuleKind::Hunting,
            Some(other) => {
                self.notes.push(format!("`kind: {other}` is not known: read as Scheduled"));
                RuleKind::Scheduled
            }
            // Old rules lack the kind; a hunting query has no schedule.
            None if scheduled => RuleKind::Scheduled,
            None => RuleKind::Hunting,
        };
        if rule.kind == RuleKind::Nrt {
            rule.query_frequency = duration::parse("1m").unwrap_or(rule.query_frequency);
            rule.query_period = rule.query_frequency;
        } else if rule.kind == RuleKind::Scheduled {
            if frequency.is_none() && period.is_none() {
                self.notes.push("neither queryFrequency nor queryPeriod: 5h, the portal's default".to_string());
            }
            let fallback = duration::parse("5h").unwrap_or(rule.query_frequency);
            rule.query_frequency = frequency.or(period).unwrap_or(fallback);
            rule.query_period = period.or(frequency).unwrap_or(fallback);
            if rule.query_period < rule.query_frequency {
                self.notes.push(
                    "queryPeriod is shorter than queryFrequency: events between the runs are never read".to_string(),
                );
            }
        }
        if let Some(text) = self.text_of("triggerOperator") {
            match TriggerOperator::parse(&text) {
                Some(operator) => rule.trigger_operator = operator,
                None => self.notes.push(format!("`triggerOperator: {text}` is not known: read as gt")),
            }
        }
        if let Some(text) = self.text_of("triggerThreshold") {
            match text.parse::<u64>() {
                Ok(threshold) => rule.trigger_threshold = threshold,
                Err(_) => self.notes.push(format!("`triggerThreshold: {text}` is not a number: read as 0")),
            }
        }
        rule.suppression_duration = self.ticks_of("suppressionDuration").unwrap_or(0);
        rule.suppression_enabled = self.document.get("suppressionEnabled").and_then(Node::boolean).unwrap_or(false);
    }

    fn read_labels(&mut self, rule: &mut AnalyticsRule) {
        rule.description = unquoted_block(self.text_of("description").unwrap_or_default());
        if let Some(detailed) = self.text_of("description_detailed").or_else(|| self.text_of("description-detailed")) {
            rule.description = unquoted_block(detailed);
        }
        if let Some(text) = self.text_of("severity") {
            rule.severity = AlertSeverity::parse(&text);
            if rule.severity.is_none() {
                self.notes.push(format!("`severity: {text}` is not known"));
            }
        }
        rule.enabled = self.document.get("enabled").and_then(Node::boolean).unwrap_or(true);
        rule.tactics = self.texts_of("tactics");
        rule.relevant_techniques = self.texts_of("relevantTechniques");
        if rule.relevant_techniques.is_empty() {
            rule.relevant_techniques = self.texts_of("techniques");
        }
        rule.version = self.text_of("version");
        rule.status = self.text_of("status");
        rule.tags = match self.document.get("tags") {
            Some(node) => node.items().into_iter().filter_map(Node::text).collect(),
            None => Vec::new(),
        };
        rule.guidance = GUIDANCE
            .iter()
            .filter_map(|key| Some((key.to_string(), guidance_text(self.document.get(key)?)?)))
            .collect();
        for node in self.document.get("requiredDataConnectors").map(Node::items).unwrap_or_default() {
            let Some(connector_id) = node.get("connectorId").and_then(Node::text) else { continue };
            let types = node.get("dataTypes").map(Node::items).unwrap_or_default();
            let data_types = types.into_iter().filter_map(Node::text).collect();
            rule.required_data_connectors.push(RequiredDataConnector { connector_id, data_types });
        }
    }

    fn read_alert_settings(&mut self, rule: &mut AnalyticsRule) {
        for node in self.document.get("entityMappings").map(Node::items).unwrap_or_default() {
            let Some(entity_type) = node.get("entityType").and_then(Node::text) else {
                self.notes.push("an entity mapping has no entityType".to_string());
                continue;
            };
            let fields = node.get("fieldMappings").map(Node::items).unwrap_or_default();
            let field_mappings = fields
                .into_iter()
                .filter_map(|field| {
                    Some(FieldMapping {
                        identifier: field.get("identifier")?.text()?,
                        column_name: field.get("columnName")?.text()?,
                    })
                })
                .collect();
            rule.entity_mappings.push(EntityMapping { entity_type, field_mappings });
        }
        for node in self.document.get("sentinelEntitiesMappings").map(Node::items).unwrap_or_default() {
            rule.sentinel_entities_mappings.extend(node.get("columnName").and_then(Node::text));
        }
        for entry in self.document.get("customDetails").map(Node::entries).unwrap_or_default() {
            if let Some(column) = entry.value.text() {
                rule.custom_details.push((entry.key.clone(), column));
            }
        }
        if let Some(node) = self.document.get("alertDetailsOverride") {
            rule.alert_details_override = read_override(node);
        }
        let grouping =
            self.document.get("eventGroupingSettings").and_then(|n| n.get("aggregationKind")).and_then(Node::text);
        rule.aggregation_kind = match grouping.as_deref() {
            Some(kind) if kind.eq_ignore_ascii_case("AlertPerResult") => AggregationKind::AlertPerResult,
            Some(kind) if kind.eq_ignore_ascii_case("SingleAlert") => AggregationKind::SingleAlert,
            Some(other) => {
                self.notes.push(format!("`aggregationKind: {other}` is not known: read as SingleAlert"));
                AggregationKind::SingleAlert
            }
            None => AggregationKind::SingleAlert,
        };
        let incident = self.document.get("incidentConfiguration").and_then(|n| n.get("createIncident"));
        rule.create_incident = incident.and_then(Node::boolean).unwrap_or(true);
        let grouping = self.document.get("incidentConfiguration").and_then(|n| n.get("groupingConfiguration"));
        if let Some(node) = grouping {
            rule.grouping = self.read_grouping(node);
        }
    }

    fn read_grouping(&mut self, node: &Node) -> GroupingConfiguration {
        let flag = |key: &str| node.get(key).and_then(Node::boolean).unwrap_or(false);
        let mut grouping = GroupingConfiguration {
            enabled: flag("enabled"),
            reopen_closed_incident: flag("reopenClosedIncident"),
            ..GroupingConfiguration::default()
        };
        if let Some(text) = node.get("lookbackDuration").and_then(Node::text) {
            match duration::parse(&text).filter(|ticks| *ticks > 0) {
                Some(ticks) => grouping.lookback_duration = ticks,
                None => self.notes.push(format!("`lookbackDuration: {text}` is not a length of time")),
            }
        }
        // Older rules spell it `entitiesMatchingMethod`.
        let method = node.get("matchingMethod").or_else(|| node.get("entitiesMatchingMethod")).and_then(Node::text);
        if let Some(text) = method {
            match MatchingMethod::parse(&text) {
                Some(method) => grouping.matching_method = method,
                None => self.notes.push(format!("`matchingMethod: {text}` is not known: read as AllEntities")),
            }
        }
        let list =
            |key: &str| node.get(key).map(Node::items).unwrap_or_default().into_iter().filter_map(Node::text).collect();
        grouping.group_by_entities = list("groupByEntities");
        grouping.group_by_alert_details = list("groupByAlertDetails");
        grouping.group_by_custom_details = list("groupByCustomDetails");
        grouping
    }

    fn find_unknown_fields(&mut self) {
        for entry in self.document.entries() {
            let key = entry.key.as_str();
            if !known_fields().any(|known| known == key) {
                self.unknown.push(UnknownField { name: entry.key.clone(), position: entry.key_position });
            }
        }
        for (path, known) in NESTED {
            for node in nodes_at(self.document, path) {
                let strange = node.entries().iter().filter(|entry| !known.contains(&entry.key.as_str()));
                self.unknown.extend(
                    strange.map(|entry| UnknownField { name: entry.key.clone(), position: entry.key_position }),
                );
            }
        }
    }
}

/// The fields below a rule's fields: where they stand, and their names.
const NESTED: &[(&[&str], &[&str])] = &[
    (&["requiredDataConnectors"], &["connectorId", "dataTypes"]),
    (&["entityMappings"], &["entityType", "fieldMappings"]),
    (&["entityMappings", "fieldMappings"], &["identifier", "columnName"]),
    (&["sentinelEntitiesMappings"], &["columnName"]),
    (&["eventGroupingSettings"], &["aggregationKind"]),
    (&["incidentConfiguration"], &["createIncident", "groupingConfiguration"]),
    (
        &["incidentConfiguration", "groupingConfiguration"],
        &[
            "enabled",
            "reopenClosedIncident",
            "lookbackDuration",
            "matchingMethod",
            "entitiesMatchingMethod",
            "groupByEntities",
            "groupByAlertDetails",
            "groupByCustomDetails",
        ],
    ),
    (
        &["alertDetailsOverride"],
        &[
            "alertDisplayNameFormat",
            "alertDescriptionFormat",
            "alertTacticsColumnName",
            "alertSeverityColumnName",
            "alertDynamicProperties",
        ],
    ),
    (&["alertDetailsOverride", "alertDynamicProperties"], &["alertProperty", "value"]),
];

/// The maps at a path, through lists.
fn nodes_at<'n>(node: &'n Node, path: &[&str]) -> Vec<&'n Node> {
    let mut found = vec![node];
    for key in path {
        found = found.into_iter().filter_map(|node| node.get(key)).flat_map(Node::items_of_maps).collect();
    }
    found
}

fn read_override(node: &Node) -> AlertDetailsOverride {
    let text = |key: &str| node.get(key).and_then(Node::text).filter(|t| !t.trim().is_empty());
    let properties = node.get("alertDynamicProperties").map(Node::items).unwrap_or_default();
    AlertDetailsOverride {
        alert_display_name_format: text("alertDisplayNameFormat"),
        alert_description_format: text("alertDescriptionFormat"),
        alert_tactics_column_name: text("alertTacticsColumnName"),
        alert_severity_column_name: text("alertSeverityColumnName"),
        alert_dynamic_properties: properties
            .into_iter()
            .filter_map(|p| Some((p.get("alertProperty")?.text()?, p.get("value")?.text()?)))
            .collect(),
    }
}

/// Repository files quote descriptions inside the block text: `'...'`.
fn unquoted_block(text: String) -> String {
    let inner = text.trim().strip_prefix('\'').and_then(|t| t.strip_suffix('\''));
    inner.map(|t| t.trim().to_string()).unwrap_or(text)
}

fn guidance_text(node: &Node) -> Option<String> {
    if let Some(text) = node.text() {
        return Some(text.trim().to_string());
    }
    let items: Vec<String> =
        node.items().into_iter().filter_map(Node::text).map(|t| format!("- {}", t.trim())).collect();
    (!items.is_empty()).then(|| items.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "id: 11111111-2222-3333-4444-555555555555\nname: Key used from two countries\n\
        description: |\n  'Finds a key that\n  travels.'\nseverity: high\nqueryFrequency: 01:00:00\nqueryPeriod: P14D\n\
        triggerOperator: GreaterThan\ntriggerThreshold: '3'\ntactics: [InitialAccess]\nrelevantTechniques:\n  - T1078.004\n\
        query: |\n  AWSCloudTrail\n  | where EventName == 'X'\nentityMappings:\n  - entityType: IP\n    fieldMappings:\n\
        \x20     - identifier: Address\n        columnName: SourceIpAddress\ncustomDetails:\n  Region: AWSRegion\n\
        eventGroupingSettings:\n  aggregationKind: AlertPerResult\nversion: 1.10\nqueryPeriodd: 1h\n";

    fn rule(text: &str) -> AnalyticsRule {
        match read("folder/key.yaml", text, Expectation::Rule) {
            FileContent::Rule(rule) => *rule,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_field_is_read_in_either_spelling() {
        let rule = rule(RULE);
        assert_eq!(rule.kind, RuleKind::Scheduled, "a schedule without a kind is a scheduled rule");
        assert_eq!(rule.severity, Some(AlertSeverity::High));
        assert_eq!(rule.query_frequency, duration::parse("1h").unwrap());
        assert_eq!(rule.query_period, duration::parse("14d").unwrap());
        assert_eq!((rule.trigger_operator, rule.trigger_threshold), (TriggerOperator::GreaterThan, 3));
        assert_eq!(rule.description, "Finds a key that\n  travels.".replace("\n  ", "\n"));
        assert_eq!(rule.version.as_deref(), Some("1.10"));
        assert_eq!(rule.aggregation_kind, AggregationKind::AlertPerResult);
        assert_eq!(rule.custom_details, [("Region".to_string(), "AWSRegion".to_string())]);
        assert_eq!(rule.entity_mappings[0].field_mappings[0].column_name, "SourceIpAddress");
        assert_eq!(rule.unknown_fields[0].name, "queryPeriodd");
        assert_eq!(rule.place.start.line, 15);
    }

    #[test]
    fn a9_every_field_of_the_yaml_is_read() {
        let text = "id: 6f1d2c3b-0000-4000-8000-000000000001\nname: n\ndescription: |\n  'quoted text'\nkind: Scheduled\nseverity: Medium\n\
            requiredDataConnectors:\n  - connectorId: AWS\n    dataTypes: [AWSCloudTrail]\nstatus: Available\nqueryFrequency: 25h\n\
            queryPeriod: 2.01:10:00\ntriggerOperator: ne\ntriggerThreshold: 7\ntactics: [Impact]\nrelevantTechniques: [T1496]\n\
            query: T\nentityMappings:\n  - entityType: IP\n    fieldMappings:\n      - identifier: Address\n        columnName: Ip\n\
            sentinelEntitiesMappings:\n  - columnName: Entities\ncustomDetails:\n  Who: Caller\nalertDetailsOverride:\n  \
            alertDisplayNameFormat: a {{A}}\n  alertDescriptionFormat: b {{B}}\n  alertTacticsColumnName: C\n  alertSeverityColumnName: D\n  \
            alertDynamicProperties:\n    - alertProperty: AlertLink\n      value: E\neventGroupingSettings:\n  aggregationKind: AlertPerResult\n\
            incidentConfiguration:\n  createIncident: false\n  groupingConfiguration:\n    enabled: true\n    reopenClosedIncident: true\n    \
            lookbackDuration: PT6H\n    matchingMethod: Selected\n    groupByEntities: [IP]\n    groupByAlertDetails: [Severity]\n    \
            groupByCustomDetails: [Who]\nsuppressionEnabled: true\nsuppressionDuration: 5h\nversion: 1.2.3\ntags: [x]\nmetadata: {}\n\
            enabled: true\nalertRuleTemplateName: t\n";
        let rule = rule(text);
        let ticks = |text: &str| duration::parse(text).unwrap();
        assert_eq!((rule.id.as_str(), rule.name.as_str()), ("6f1d2c3b-0000-4000-8000-000000000001", "n"));
        assert_eq!((rule.description.as_str(), rule.kind), ("quoted text", RuleKind::Scheduled));
        assert_eq!((rule.severity, rule.enabled), (Some(AlertSeverity::Medium), true));
        assert_eq!(rule.required_data_connectors[0].data_types, ["AWSCloudTrail"]);
        assert_eq!((rule.query_frequency, rule.query_period), (ticks("25h"), ticks("2d") + ticks("70m")));
        assert_eq!((rule.trigger_operator, rule.trigger_threshold), (TriggerOperator::NotEqual, 7));
        assert_eq!(
            (rule.tactics.as_slice(), rule.relevant_techniques.as_slice()),
            (&["Impact".to_string()][..], &["T1496".to_string()][..])
        );
        assert_eq!(rule.entity_mappings[0].field_mappings[0].identifier, "Address");
        assert_eq!(rule.sentinel_entities_mappings, ["Entities"]);
        assert_eq!(rule.custom_details, [("Who".to_string(), "Caller".to_string())]);
        let overrides = &rule.alert_details_override;
        assert_eq!(overrides.alert_display_name_format.as_deref(), Some("a {{A}}"));
        assert_eq!(overrides.alert_description_format.as_deref(), Some("b {{B}}"));
        assert_eq!(overrides.alert_tactics_column_name.as_deref(), Some("C"));
        assert_eq!(overrides.alert_severity_column_name.as_deref(), Some("D"));
        assert_eq!(overrides.alert_dynamic_properties, [("AlertLink".to_string(), "E".to_string())]);
        assert_eq!((rule.aggregation_kind, rule.create_incident), (AggregationKind::AlertPerResult, false));
        let grouping = GroupingConfiguration {
            enabled: true,
            reopen_closed_incident: true,
            lookback_duration: ticks("6h"),
            matching_method: MatchingMethod::Selected,
            group_by_entities: vec!["IP".to_string()],
            group_by_alert_details: vec!["Severity".to_string()],
            group_by_custom_details: vec!["Who".to_string()],
        };
        assert_eq!(rule.grouping, grouping);
        assert_eq!((rule.suppression_enabled, rule.suppression_duration), (true, ticks("5h")));
        assert_eq!((rule.version.as_deref(), rule.status.as_deref()), (Some("1.2.3"), Some("Available")));
        assert_eq!(rule.tags, ["x"]);
        assert!(rule.unknown_fields.is_empty() && rule.notes.is_empty(), "{:?} {:?}", rule.unknown_fields, rule.notes);
    }

    #[test]
    fn a9_a_rule_without_a_kind_is_scheduled_and_old_spellings_are_read() {
        assert_eq!(rule("name: b\nqueryFrequency: 1h\nquery: T\n").kind, RuleKind::Scheduled);
        let old = rule("name: b\ntriggerOperator: GreaterThan\ntechniques: [T1496]\nquery: T\n");
        assert_eq!((old.kind, old.trigger_operator), (RuleKind::Scheduled, TriggerOperator::GreaterThan));
        assert_eq!(old.relevant_techniques, ["T1496"]);
        let hunting = rule("name: b\ndescription_detailed: long\ntags: [x]\nquery: T\n");
        assert_eq!((hunting.kind, hunting.description.as_str()), (RuleKind::Hunting, "long"));
        for (text, expected) in [("70m", "70m"), ("6m", "6m"), ("01:00:00", "1h"), ("14.00:00:00", "14d")] {
            assert_eq!(
                rule(&format!("queryPeriod: {text}\nquery: T\n")).query_period,
                duration::parse(expected).unwrap()
            );
        }
    }

    #[test]
    fn a9_unknown_fields_are_read_over_and_reported_at_any_depth() {
        let rule = rule(
            "name: b\nqueryFrequency: 1h\nquery: T\nseverty: High\nentityMappings:\n  - entityType: IP\n    fieldMapping: []\n\
             incidentConfiguration:\n  groupingConfiguration:\n    enable: true\nalertDetailsOverride:\n  alertDynamicProperties:\n    - property: x\n",
        );
        let found: Vec<(&str, u32)> =
            rule.unknown_fields.iter().map(|field| (field.name.as_str(), field.position.line)).collect();
        assert_eq!(found, [("severty", 4), ("fieldMapping", 7), ("enable", 10), ("property", 13)]);
    }

    #[test]
    fn a7_near_real_time_rules_have_no_schedule_and_any_row_fires() {
        let rule = rule("name: b\nkind: NRT\nsuppressionEnabled: true\nsuppressionDuration: 1h\nquery: T\n");
        assert!(rule.fires(1) && rule.fires(100) && !rule.fires(0) && !rule.fires_on_nothing());
        assert!(rule.suppression_enabled, "the suppression fields remain");
    }

    #[test]
    fn without_a_schedule_it_is_a_hunting_query() {
        let rule = rule("id: a\nname: b\nquery: |\n  T\n");
        assert_eq!(rule.kind, RuleKind::Hunting);
        assert!(!rule.fires_on_nothing());
    }

    #[test]
    fn broken_rules_have_a_place_and_others_are_passed_over() {
        let missing = read("a.yaml", "id: a\nname: b\nkind: Scheduled\nqueryFrequency: 1h\n", Expectation::Anything);
        assert!(matches!(&missing, FileContent::Broken(b) if b.message.contains("`query`")), "{missing:?}");
        let torn = read("a.yaml", "id: a\nname: [\nquery: |\n  T\n", Expectation::Anything);
        assert!(matches!(&torn, FileContent::Broken(b) if b.position.is_some()), "{torn:?}");
        let workflow = read("ci.yml", "name: build\non: push\njobs: {}\n", Expectation::Anything);
        assert_eq!(workflow, FileContent::Other);
        let named = read("ci.yml", "name: build\non: push\n", Expectation::Rule);
        assert!(matches!(named, FileContent::Broken(_)));
    }

    #[test]
    fn a_bare_query_file_is_a_hunting_query_named_after_the_file() {
        let FileContent::Rule(rule) = read("x/Odd logins.kql", "// hello\nSigninLogs | take 1", Expectation::Anything)
        else {
            panic!("no rule");
        };
        assert_eq!((rule.id.as_str(), rule.kind), ("Odd logins", RuleKind::Hunting));
        assert_eq!(read("x/notes.kql", "// nothing yet\n", Expectation::Anything), FileContent::Other);
    }

    #[test]
    fn a1_thresholds_compare_as_named() {
        use TriggerOperator::{Equal, GreaterThan, LessThan, NotEqual};
        assert!(GreaterThan.fires(1, 0) && !GreaterThan.fires(0, 0) && !GreaterThan.fires(5, 5));
        assert!(LessThan.fires(4, 5) && !LessThan.fires(5, 5));
        assert!(Equal.fires(0, 0) && !Equal.fires(1, 0));
        assert!(NotEqual.fires(1, 0) && !NotEqual.fires(0, 0));
    }
}

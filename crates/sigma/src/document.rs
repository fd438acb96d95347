//! One YAML document: a rule, a correlation or a filter, and the collections that files hold.
//!
//! Reading keeps what was not understood: unknown fields become notes, a mistake makes the document broken with its place. Start
//! at [`read`]; [`looks_like_sigma`] is the cheap look before.

use rule_forms::yaml::{self, Node, NodeKind, Position};

use crate::SigmaError;
use crate::condition::{self, Condition};
use crate::modifier;
use crate::search::{Order, Test};

/// What all documents have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Meta {
    pub title: String,
    pub id: Option<String>,
    pub name: Option<String>,
    pub description: String,
    pub status: Option<String>,
    pub level: Option<String>,
    pub author: Option<String>,
    pub date: Option<String>,
    pub modified: Option<String>,
    pub references: Vec<String>,
    pub false_positives: Vec<String>,
    pub tags: Vec<String>,
}

/// Where events come from; empty texts are not given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogSource {
    pub product: String,
    pub category: String,
    pub service: String,
}

/// The searches of a detection with the conditions over them, any of which is enough.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    pub searches: Vec<(String, Test)>,
    pub conditions: Vec<Condition>,
    pub position: Position,
}

/// Which rules a filter is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterScope {
    /// All of the filter's log source.
    Every,
    /// By id, name or title.
    Named(Vec<String>),
}

/// How events of rules belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CorrelationKind {
    EventCount,
    ValueCount,
    Temporal,
    TemporalOrdered,
    ValueSum,
    ValueAvg,
    ValuePercentile,
    ValueMedian,
}

/// Every kind of correlation by its name.
pub const CORRELATION_KINDS: &[(&str, CorrelationKind)] = &[
    ("event_count", CorrelationKind::EventCount),
    ("value_count", CorrelationKind::ValueCount),
    ("temporal", CorrelationKind::Temporal),
    ("temporal_ordered", CorrelationKind::TemporalOrdered),
    ("value_sum", CorrelationKind::ValueSum),
    ("value_avg", CorrelationKind::ValueAvg),
    ("value_percentile", CorrelationKind::ValuePercentile),
    ("value_median", CorrelationKind::ValueMedian),
];

/// When a correlation matches.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CorrelationCondition {
    /// All of these.
    pub bounds: Vec<(Order, String)>,
    pub fields: Vec<String>,
    pub percentile: Option<String>,
    /// `rule_a and not rule_b`, the longer form of temporal correlations.
    pub expression: Option<Condition>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Correlation {
    pub kind: CorrelationKind,
    pub rules: Vec<String>,
    pub group_by: Vec<String>,
    /// In KQL's form.
    pub timespan: String,
    /// In seconds.
    pub seconds: u64,
    pub condition: CorrelationCondition,
    /// (alias, [(rule, field)]).
    pub aliases: Vec<(String, Vec<(String, String)>)>,
    /// The rules are rules of their own as well.
    pub generate: bool,
    pub position: Position,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    Rule { source: LogSource, detection: Detection },
    Correlation(Correlation),
    Filter { source: LogSource, scope: FilterScope, detection: Detection },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub file: String,
    pub meta: Meta,
    pub body: Body,
    /// Unknown fields and values that were passed over.
    pub notes: Vec<String>,
    pub position: Position,
}

/// A document that should be one of Sigma's and is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub file: String,
    pub title: String,
    pub error: SigmaError,
}

/// Whether a text may hold Sigma documents: the keys that make them one start a line.
pub fn looks_like_sigma(text: &str) -> bool {
    let mut body = false;
    let mut head = false;
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        match key.trim_end() {
            "detection" | "correlation" | "filter" => body = true,
            "title" | "logsource" => head = true,
            "action" if matches!(value.trim(), "global" | "reset" | "repeat" | "correlation") => head = true,
            // Ours, and never theirs.
            "query" | "cases" => return false,
            _ => {}
        }
    }
    body && head
}

/// Whether a YAML document is one of Sigma's.
pub fn is_sigma(node: &Node) -> bool {
    let has = |key: &str| node.get(key).is_some();
    let map = |key: &str| node.get(key).is_some_and(|value| !value.entries().is_empty());
    !has("query")
        && (map("detection") && (has("logsource") || has("title"))
            || map("correlation") && has("title")
            || map("filter") && has("logsource")
            || has("action") && (has("logsource") || has("title")))
}

/// Reads all Sigma documents of a text; others in it are passed over.
///
/// # Errors
/// A text that is not YAML.
pub fn read(file: &str, text: &str) -> Result<Vec<Result<Document, Broken>>, yaml::YamlError> {
    let documents = yaml::parse_all(text)?;
    let expanded = expand_actions(documents);
    Ok(expanded.iter().filter(|node| is_sigma(node)).map(|node| read_document(file, node)).collect())
}

/// Puts the shared fields of `action: global` (until `reset`) and of `repeat` into the documents that follow.
fn expand_actions(documents: Vec<Node>) -> Vec<Node> {
    let mut global: Option<Node> = None;
    let mut previous: Option<Node> = None;
    let mut out = Vec::new();
    for mut node in documents {
        let action = node.get("action").and_then(Node::text).unwrap_or_default();
        if let NodeKind::Map(entries) = &mut node.kind {
            entries.retain(|entry| entry.key != "action");
        }
        match action.as_str() {
            "global" => {
                global = Some(match global.take() {
                    Some(before) => merged(&before, &node),
                    None => node,
                });
                continue;
            }
            "reset" => global = None,
            "repeat" => {
                if let Some(before) = &previous {
                    node = merged(before, &node);
                }
            }
            _ => {}
        }
        let whole = global.as_ref().map_or_else(|| node.clone(), |global| merged(global, &node));
        previous = Some(whole.clone());
        out.push(whole);
    }
    out
}

/// A document over another one: maps are put together, all else is replaced.
fn merged(under: &Node, over: &Node) -> Node {
    if under.entries().is_empty() || over.entries().is_empty() {
        return over.clone();
    }
    let mut whole = under.clone();
    whole.position = over.position;
    for entry in over.entries() {
        let value = match whole.get(&entry.key) {
            Some(before) => merged(before, &entry.value),
            None => entry.value.clone(),
        };
        whole.set(&entry.key, value);
    }
    whole
}

/// Fields of documents that are read, or that say nothing about what is detected.
const KNOWN: &[&str] = &[
    "title",
    "id",
    "name",
    "related",
    "taxonomy",
    "status",
    "description",
    "license",
    "references",
    "reference",
    "author",
    "date",
    "modified",
    "logsource",
    "detection",
    "correlation",
    "filter",
    "fields",
    "falsepositives",
    "level",
    "tags",
    "scope",
    "generate",
    "regression_tests_path",
    "simulation",
    "sigma-version",
];

fn read_document(file: &str, node: &Node) -> Result<Document, Broken> {
    let meta = read_meta(node);
    let title = meta.title.clone();
    let broken = |error| Broken { file: file.to_string(), title: title.clone(), error };
    let mut notes: Vec<String> = node
        .entries()
        .iter()
        .filter(|entry| !KNOWN.contains(&entry.key.as_str()))
        .map(|entry| format!("unknown field `{}` at {}", entry.key, entry.key_position))
        .collect();
    if let Some(taxonomy) = node.get("taxonomy").and_then(Node::text).filter(|t| t != "sigma") {
        notes.push(format!("`taxonomy: {taxonomy}`: fields are read as Sigma's own"));
    }
    let body = if let Some(correlation) = node.get("correlation") {
        Body::Correlation(read_correlation(correlation, node).map_err(broken)?)
    } else if let Some(filter) = node.get("filter") {
        let detection = read_detection(filter, &["rules"]).map_err(broken)?;
        Body::Filter { source: read_source(node), scope: read_scope(filter), detection }
    } else {
        let detection = node
            .get("detection")
            .ok_or_else(|| SigmaError::at(node.position, "the field `detection` is missing".to_string()))
            .and_then(|detection| read_detection(detection, &["timeframe"]))
            .map_err(broken)?;
        if node.get("logsource").is_none() {
            return Err(broken(SigmaError::at(node.position, "the field `logsource` is missing".to_string())));
        }
        Body::Rule { source: read_source(node), detection }
    };
    Ok(Document { file: file.to_string(), meta, body, notes, position: node.position })
}

fn read_meta(node: &Node) -> Meta {
    let text = |key: &str| node.get(key).and_then(Node::text).map(|t| t.trim().to_string()).filter(|t| !t.is_empty());
    let list = |key: &str| texts(node.get(key));
    Meta {
        title: text("title").unwrap_or_default(),
        id: text("id"),
        name: text("name"),
        description: text("description").unwrap_or_default(),
        status: text("status"),
        level: text("level"),
        author: text("author"),
        date: text("date"),
        modified: text("modified"),
        references: if node.get("references").is_some() { list("references") } else { list("reference") },
        false_positives: list("falsepositives"),
        tags: list("tags"),
    }
}

fn texts(node: Option<&Node>) -> Vec<String> {
    node.map(Node::items).unwrap_or_default().into_iter().filter_map(Node::text).collect()
}

fn read_source(node: &Node) -> LogSource {
    let source = node.get("logsource");
    let text = |key: &str| {
        let text = source.and_then(|source| source.get(key)).and_then(Node::text).unwrap_or_default();
        text.trim().to_ascii_lowercase()
    };
    LogSource { product: text("product"), category: text("category"), service: text("service") }
}

fn read_scope(filter: &Node) -> FilterScope {
    let rules = texts(filter.get("rules"));
    let every = rules.is_empty() || rules.len() == 1 && rules.iter().any(|r| r == "any" || r == "all");
    if every { FilterScope::Every } else { FilterScope::Named(rules) }
}

fn read_detection(node: &Node, besides: &[&str]) -> Result<Detection, SigmaError> {
    let mut searches = Vec::new();
    for entry in node.entries() {
        let key = entry.key.as_str();
        if key != "condition" && !besides.contains(&key) {
            searches.push((entry.key.clone(), search(&entry.value)?));
        }
    }
    let missing = || SigmaError::at(node.position, "the condition is missing".to_string());
    let node = node.get("condition").ok_or_else(missing)?;
    let conditions = texts(Some(node))
        .iter()
        .map(|text| condition::parse(text, node.position))
        .collect::<Result<Vec<Condition>, SigmaError>>()?;
    if conditions.is_empty() {
        return Err(missing());
    }
    for condition in &conditions {
        condition::resolve(condition, &searches, node.position)?;
    }
    Ok(Detection { searches, conditions, position: node.position })
}

/// A search: a map (all of it), a list of maps (any), a list of texts or one text (anywhere in the event).
fn search(node: &Node) -> Result<Test, SigmaError> {
    match &node.kind {
        NodeKind::Map(entries) => {
            let tests = entries.iter().map(|entry| modifier::item(&entry.key, entry.key_position, &entry.value));
            Ok(Test::all(tests.collect::<Result<Vec<_>, _>>()?))
        }
        NodeKind::List(items) => Ok(Test::any(items.iter().map(search).collect::<Result<Vec<_>, _>>()?)),
        _ => modifier::item("", node.position, node),
    }
}

impl Detection {
    /// What is asked of an event.
    ///
    /// # Errors
    /// None after reading: names were looked up then.
    pub fn test(&self) -> Result<Test, SigmaError> {
        let all = self.conditions.iter().map(|c| condition::resolve(c, &self.searches, self.position));
        Ok(Test::any(all.collect::<Result<Vec<_>, _>>()?))
    }
}

fn read_correlation(node: &Node, document: &Node) -> Result<Correlation, SigmaError> {
    let wrong = |at: Position, message: String| Err(SigmaError::at(at, message));
    let kind_text = node.get("type").and_then(Node::text).unwrap_or_default();
    let Some((_, kind)) = CORRELATION_KINDS.iter().find(|(name, _)| *name == kind_text) else {
        return wrong(node.position, format!("`type: {kind_text}` is no kind of correlation"));
    };
    let rules = texts(node.get("rules"));
    if rules.is_empty() {
        return wrong(node.position, "the correlation names no rules".to_string());
    }
    let span = node.get("timespan").and_then(Node::text).unwrap_or_default();
    let Some((timespan, seconds)) = read_timespan(&span) else {
        return wrong(node.position, format!("`timespan: {span}` is not a length of time such as 10m"));
    };
    let condition = read_condition(*kind, node.get("condition"), node.position)?;
    let aliases = node.get("aliases").map(Node::entries).unwrap_or_default();
    let generate = node.get("generate").or_else(|| document.get("generate"));
    Ok(Correlation {
        kind: *kind,
        rules,
        group_by: texts(node.get("group-by")),
        timespan,
        seconds,
        condition,
        aliases: aliases
            .iter()
            .map(|alias| {
                let fields = alias.value.entries().iter();
                (alias.key.clone(), fields.filter_map(|f| Some((f.key.clone(), f.value.text()?))).collect())
            })
            .collect(),
        generate: generate.and_then(Node::boolean).unwrap_or(false),
        position: node.position,
    })
}

/// `10m` as KQL writes it, and in seconds. Months and years are of the usual mean length.
fn read_timespan(text: &str) -> Option<(String, u64)> {
    let unit = text.chars().next_back()?;
    let count: u64 = text.strip_suffix(unit)?.parse().ok().filter(|n| *n > 0)?;
    let (size, written) = match unit {
        's' => (1, 's'),
        'm' => (60, 'm'),
        'h' => (3600, 'h'),
        'd' => (86_400, 'd'),
        'w' => (604_800, 'w'),
        'M' => (2_629_746, 'M'),
        'y' => (31_556_952, 'y'),
        _ => return None,
    };
    let seconds = count.checked_mul(size)?;
    let kql = match written {
        's' | 'm' | 'h' | 'd' => text.to_string(),
        'w' => format!("{}d", count.checked_mul(7)?),
        _ => format!("{seconds}s"),
    };
    Some((kql, seconds))
}

fn read_condition(
    kind: CorrelationKind,
    node: Option<&Node>,
    at: Position,
) -> Result<CorrelationCondition, SigmaError> {
    use CorrelationKind::{EventCount, Temporal, TemporalOrdered};
    let temporal = matches!(kind, Temporal | TemporalOrdered);
    let mut condition = CorrelationCondition::default();
    let Some(node) = node else {
        return if temporal {
            Ok(condition)
        } else {
            Err(SigmaError::at(at, "the correlation's condition is missing".to_string()))
        };
    };
    if let Some(text) = node.text() {
        if !temporal {
            return Err(SigmaError::at(
                node.position,
                "only temporal correlations take a condition of names".to_string(),
            ));
        }
        condition.expression = Some(condition::parse(&text, node.position)?);
        return Ok(condition);
    }
    for entry in node.entries() {
        match entry.key.as_str() {
            "field" => condition.fields = texts(Some(&entry.value)),
            "percentile" => condition.percentile = entry.value.text(),
            key => {
                let number = entry.value.text().filter(|text| text.trim().parse::<f64>().is_ok());
                match (Order::parse(key), number) {
                    (Some(order), Some(number)) => condition.bounds.push((order, number.trim().to_string())),
                    _ => {
                        return Err(SigmaError::at(
                            entry.key_position,
                            format!("`{key}` is no bound of a correlation"),
                        ));
                    }
                }
            }
        }
    }
    if condition.bounds.is_empty() && !temporal {
        return Err(SigmaError::at(node.position, "the correlation's condition has no bound".to_string()));
    }
    if condition.fields.is_empty() && !temporal && kind != EventCount {
        return Err(SigmaError::at(node.position, "the correlation's condition names no `field`".to_string()));
    }
    Ok(condition)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "title: T\nid: i\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n  sel:\n    eventName: X\n  condition: sel\n";

    fn documents(text: &str) -> Vec<Document> {
        read("a.yml", text).unwrap().into_iter().map(|document| document.unwrap()).collect()
    }

    #[test]
    fn documents_are_told_apart_by_content() {
        assert!(looks_like_sigma(RULE));
        assert!(!looks_like_sigma("id: a\nname: b\nquery: |\n  detection: x\n"));
        assert!(!looks_like_sigma("name: build\non: push\n"));
        let found = documents(&format!("{RULE}falsepositives: [admins]\nfoo: 1\n---\njobs: {{}}\n"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].notes, ["unknown field `foo` at 9:1"]);
        assert_eq!(found[0].meta.false_positives, ["admins"]);
    }

    #[test]
    fn shared_fields_reach_the_documents_behind() {
        let text = "action: global\ntitle: G\nlevel: high\ndetection:\n  condition: sel\n---\nlogsource: {product: windows}\n\
            detection:\n  sel: {EventID: 1}\n---\naction: repeat\ntitle: H\n---\naction: reset\ntitle: R\n\
            logsource: {product: linux}\ndetection: {k: [x], condition: k}\n";
        let found = documents(text);
        let heads: Vec<_> = found.iter().map(|d| (d.meta.title.as_str(), d.meta.level.as_deref())).collect();
        assert_eq!(heads, [("G", Some("high")), ("H", Some("high")), ("R", None)]);
    }

    #[test]
    fn correlations_have_every_part() {
        let text = "title: C\ncorrelation:\n  type: value_percentile\n  rules: a\n  group-by: [User]\n  timespan: 2w\n  generate: true\n\
            \x20 aliases: {ip: {a: src}}\n  condition: {field: size, percentile: 95, gt: 10, lte: 20.5}\n";
        let Body::Correlation(found) = documents(text)[0].body.clone() else { panic!() };
        assert_eq!((found.timespan.as_str(), found.seconds, found.generate), ("14d", 1_209_600, true));
        assert_eq!(found.condition.bounds, [(Order::Gt, "10".to_string()), (Order::Lte, "20.5".to_string())]);
        assert_eq!(found.aliases, [("ip".to_string(), vec![("a".to_string(), "src".to_string())])]);
    }

    #[test]
    fn mistakes_have_places() {
        let error = |text: &str| read("a.yml", text).unwrap()[0].clone().unwrap_err().error.to_string();
        assert!(
            error("title: T\nlogsource: {}\ndetection:\n  sel:\n    a|nope: 1\n  condition: sel\n")
                .starts_with("5:5: ")
        );
        assert!(error("title: T\nlogsource: {}\ndetection:\n  sel: {a: 1}\n").contains("condition is missing"));
        assert!(error("title: T\nlogsource: {}\ndetection: {sel: {a: 1}, condition: other}\n").contains("`other`"));
        assert!(error("title: T\ncorrelation: {type: nope, rules: a, timespan: 1h}\n").contains("`type: nope`"));
        assert!(
            error("title: T\ncorrelation: {type: event_count, rules: a, timespan: 1x}\n").contains("`timespan: 1x`")
        );
    }
}

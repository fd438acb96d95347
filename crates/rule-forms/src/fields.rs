//! The fields of a rule, whatever form it came from: a map with the names of Sentinel's YAML.
//!
//! [`normal`] makes spellings of one value equal, so that two forms can be compared; [`Residue`] is what a form could not
//! hold, found by reading back what was written.

use serde_json::{Map, Number, Value as Json};

use crate::duration;
use crate::yaml::{Entry, Node, NodeKind};

/// A rule that was read, with what was not understood.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadRule {
    pub rule: Node,
    pub notes: Vec<String>,
}

/// A text that was written, with what it could not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub text: String,
    /// One line for each field that the form lacks, and for each value that had to be filled in.
    pub notes: Vec<String>,
}

/// What kind of rule a map of fields is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Scheduled,
    Nrt,
    Hunting,
}

/// The kind a rule says, or that its fields tell.
pub fn kind_of(rule: &Node) -> Kind {
    let said = rule.get("kind").and_then(Node::text).unwrap_or_default().to_ascii_lowercase();
    match said.as_str() {
        "nrt" => Kind::Nrt,
        "hunting" => Kind::Hunting,
        "" if !["queryFrequency", "queryPeriod", "triggerOperator"].iter().any(|key| rule.get(key).is_some()) => {
            Kind::Hunting
        }
        _ => Kind::Scheduled,
    }
}

/// Fields that are lengths of time.
const DURATIONS: &[&str] = &["queryFrequency", "queryPeriod", "suppressionDuration", "lookbackDuration"];

/// Short and long names of the comparisons with a threshold.
pub(crate) const OPERATORS: &[(&str, &str)] =
    &[("gt", "GreaterThan"), ("lt", "LessThan"), ("eq", "Equal"), ("ne", "NotEqual")];

/// The long name of a comparison, in any spelling.
pub(crate) fn long_operator(text: &str) -> Option<&'static str> {
    let same = |(short, long): &&(&str, &str)| short.eq_ignore_ascii_case(text) || long.eq_ignore_ascii_case(text);
    OPERATORS.iter().find(same).map(|(_, long)| *long)
}

/// The rule with one spelling for each value: lengths of time in ticks, comparisons by their short names, every scalar a text.
/// What is empty is as good as absent, but not an empty text.
pub fn normal(rule: &Node) -> Node {
    normal_field("", rule)
}

fn normal_field(key: &str, node: &Node) -> Node {
    match &node.kind {
        NodeKind::Map(entries) => {
            let kept = entries.iter().filter(|entry| !is_nothing(&entry.value));
            let mut all: Vec<(String, Node)> =
                kept.map(|entry| (entry.key.clone(), normal_field(&entry.key, &entry.value))).collect();
            all.sort_by(|a, b| a.0.cmp(&b.0));
            Node::of_map(all)
        }
        NodeKind::List(items) => Node::of_list(items.iter().map(|item| normal_field("", item))),
        NodeKind::Null => Node::made(NodeKind::Null),
        _ => {
            let text = node.text().unwrap_or_default();
            let text = match key {
                key if DURATIONS.contains(&key) => {
                    duration::parse(&text).map_or(text, |ticks| format!("{ticks} ticks"))
                }
                "triggerOperator" => match long_operator(&text) {
                    Some(long) => long.to_string(),
                    None => text,
                },
                "kind" => text.to_ascii_lowercase(),
                _ => text,
            };
            Node::of_text(text)
        }
    }
}

fn is_nothing(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Null => true,
        NodeKind::List(items) => items.is_empty(),
        NodeKind::Map(entries) => entries.is_empty(),
        _ => false,
    }
}

/// Whether two values of a field mean the same.
pub fn same(key: &str, a: Option<&Node>, b: Option<&Node>) -> bool {
    let normal = |node: Option<&Node>| node.filter(|n| !is_nothing(n)).map(|n| normal_field(key, n).kind);
    normal(a) == normal(b)
}

/// What a form does not hold of a rule.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Residue {
    /// Fields with the values that the form lost.
    pub fields: Vec<(String, Node)>,
    /// Fields that the form had to fill in.
    pub filled: Vec<String>,
}

impl Residue {
    /// The difference between a rule and what came back of it.
    pub fn between(rule: &Node, back: &Node) -> Residue {
        let mut residue = Residue::default();
        for Entry { key, value, .. } in rule.entries() {
            let emptied = value.kind != NodeKind::Null && is_nothing(value) && back.get(key).is_none();
            if emptied || !same(key, Some(value), back.get(key)) {
                residue.fields.push((key.clone(), value.clone()));
            }
        }
        for Entry { key, value, .. } in back.entries() {
            if rule.get(key).is_none_or(|before| is_nothing(before) && !is_nothing(value)) {
                residue.filled.push(key.clone());
            }
        }
        residue
    }

    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.filled.is_empty()
    }

    /// As a value of the other form.
    pub fn node(&self) -> Node {
        let mut node = Node::made(NodeKind::Map(Vec::new()));
        if !self.fields.is_empty() {
            node.set("fields", Node::of_map(self.fields.iter().cloned()));
        }
        if !self.filled.is_empty() {
            node.set("filled", Node::of_list(self.filled.iter().map(Node::of_text)));
        }
        node
    }

    /// Reads what [`Residue::node`] wrote.
    pub fn of_node(node: &Node) -> Residue {
        let fields = node.get("fields").map(Node::entries).unwrap_or_default();
        let filled = node.get("filled").map(Node::items).unwrap_or_default();
        Residue {
            fields: fields.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect(),
            filled: filled.into_iter().filter_map(Node::text).collect(),
        }
    }

    /// Gives a rule back what its form did not hold.
    pub fn restore(&self, rule: &mut Node) {
        if let NodeKind::Map(entries) = &mut rule.kind {
            entries.retain(|entry| !self.filled.contains(&entry.key));
        }
        for (key, value) in &self.fields {
            rule.set(key, value.clone());
        }
    }

    /// A line for each field, for people.
    pub fn notes(&self, name: &str, form: &str, kept_in: &str) -> Vec<String> {
        let lost =
            self.fields.iter().map(|(key, _)| format!("{name}: `{key}` has no place in {form}: kept in {kept_in}"));
        let filled = self.filled.iter().map(|key| format!("{name}: `{key}` is required in {form}: filled in"));
        lost.chain(filled).collect()
    }
}

/// A value as JSON. A number keeps its text: what JSON would print otherwise becomes a text.
pub fn to_json(node: &Node) -> Json {
    match &node.kind {
        NodeKind::Null => Json::Null,
        NodeKind::Bool(value) => Json::Bool(*value),
        NodeKind::Number(text) => match serde_json::from_str::<Number>(text) {
            Ok(number) if number.to_string() == *text => Json::Number(number),
            _ => Json::String(text.clone()),
        },
        NodeKind::Text(text) => Json::String(text.clone()),
        NodeKind::List(items) => Json::Array(items.iter().map(to_json).collect()),
        NodeKind::Map(entries) => {
            let members: Map<String, Json> = entries.iter().map(|e| (e.key.clone(), to_json(&e.value))).collect();
            Json::Object(members)
        }
    }
}

/// JSON as a value.
pub fn of_json(json: &Json) -> Node {
    match json {
        Json::Null => Node::made(NodeKind::Null),
        Json::Bool(value) => Node::made(NodeKind::Bool(*value)),
        Json::Number(number) => Node::made(NodeKind::Number(number.to_string())),
        Json::String(text) => Node::of_text(text.clone()),
        Json::Array(items) => Node::of_list(items.iter().map(of_json)),
        Json::Object(members) => Node::of_map(members.iter().map(|(key, value)| (key.clone(), of_json(value)))),
    }
}

/// A length of time as ARM and Terraform write it; None for what is none.
pub(crate) fn iso_duration(text: &str) -> Option<String> {
    const SECOND: i64 = 10_000_000;
    let ticks = duration::parse(text)?;
    let seconds = ticks / SECOND;
    if ticks % SECOND != 0 {
        return None;
    }
    let units = [(86_400, "P", "D"), (3600, "PT", "H"), (60, "PT", "M")];
    let (size, before, unit) =
        units.into_iter().find(|(size, ..)| seconds != 0 && seconds % size == 0).unwrap_or((1, "PT", "S"));
    // Hours as the rule has them: 24h is a day either way, 25h is not.
    Some(format!("{before}{}{unit}", seconds / size))
}

/// A length of time as rule files write it.
pub(crate) fn short_duration(text: &str) -> Option<String> {
    duration::parse(text).map(duration::format_short)
}

/// Techniques without and with their sub-techniques apart.
pub(crate) fn split_techniques(all: &[String]) -> (Vec<String>, Vec<String>) {
    let mut main: Vec<String> = Vec::new();
    for technique in all {
        let parent = technique.split('.').next().unwrap_or(technique).to_string();
        if !main.contains(&parent) {
            main.push(parent);
        }
    }
    (main, all.iter().filter(|technique| technique.contains('.')).cloned().collect())
}

/// Techniques and sub-techniques as one list: a technique that is only there for its sub-techniques falls away.
pub(crate) fn joined_techniques(main: Vec<String>, sub: Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for technique in main {
        let prefix = format!("{technique}.");
        let mut children: Vec<String> = sub.iter().filter(|sub| sub.starts_with(&prefix)).cloned().collect();
        match children.is_empty() {
            true => all.push(technique),
            false => all.append(&mut children),
        }
    }
    let missing: Vec<String> = sub.into_iter().filter(|sub| !all.contains(sub)).collect();
    all.extend(missing);
    all
}

/// The texts of a list.
pub(crate) fn texts(node: Option<&Node>) -> Vec<String> {
    node.map(Node::items).unwrap_or_default().into_iter().filter_map(Node::text).collect()
}

/// A list of texts.
pub(crate) fn list(texts: impl IntoIterator<Item = String>) -> Node {
    Node::of_list(texts.into_iter().map(Node::of_text))
}

/// What a rule is called in messages.
pub fn name_of(rule: &Node) -> String {
    let text = |key: &str| rule.get(key).and_then(Node::text).filter(|text| !text.is_empty());
    text("name").or_else(|| text("id")).unwrap_or_else(|| "a rule without a name".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_value_are_equal() {
        let a = crate::yaml::parse("queryPeriod: 1h\ntriggerOperator: gt\nversion: 1.10\ntags: []\n").unwrap();
        let b = crate::yaml::parse("version: '1.10'\ntriggerOperator: GreaterThan\nqueryPeriod: PT60M\n").unwrap();
        assert_eq!(normal(&a), normal(&b));
        let c = crate::yaml::parse("version: '1.1'\ntriggerOperator: GreaterThan\nqueryPeriod: PT60M\n").unwrap();
        assert_ne!(normal(&a), normal(&c));
    }

    #[test]
    fn residue_restores_what_was_lost_and_takes_away_what_was_filled() {
        let rule = crate::yaml::parse("a: 1\nb: [x]\n").unwrap();
        let back = crate::yaml::parse("a: 2\nc: 3\n").unwrap();
        let residue = Residue::between(&rule, &back);
        let again = Residue::of_node(&residue.node());
        assert_eq!(again, residue);
        let mut restored = back;
        residue.restore(&mut restored);
        assert_eq!(normal(&restored), normal(&rule));
    }

    #[test]
    fn techniques_part_and_join() {
        let all = ["T1078.004".to_string(), "T1098".to_string()];
        let (main, sub) = split_techniques(&all);
        assert_eq!(
            (main.as_slice(), sub.as_slice()),
            (["T1078".to_string(), "T1098".to_string()].as_slice(), &all[..1])
        );
        assert_eq!(joined_techniques(main, sub), all);
    }

    #[test]
    fn lengths_of_time_are_those_of_the_service() {
        for (short, iso) in
            [("5m", "PT5M"), ("70m", "PT70M"), ("25h", "PT25H"), ("24h", "P1D"), ("14d", "P14D"), ("01:00:00", "PT1H")]
        {
            assert_eq!(iso_duration(short).as_deref(), Some(iso));
        }
        assert_eq!(short_duration("P14D").as_deref(), Some("14d"));
    }
}

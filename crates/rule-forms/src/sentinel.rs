//! Rules as Sentinel YAML: fields in the order that the public repository has them, texts of several lines as blocks.
//!
//! What is written reads back as it was: a text that a block cannot hold is quoted. Start at [`write`].

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_saphyr::LitStr;

use crate::yaml::{Node, NodeKind};

/// The order of fields; others follow.
const ORDER: &[&str] = &[
    "id",
    "name",
    "description",
    "description_detailed",
    "severity",
    "status",
    "requiredDataConnectors",
    "queryFrequency",
    "queryPeriod",
    "triggerOperator",
    "triggerThreshold",
    "tactics",
    "relevantTechniques",
    "tags",
    "query",
    "entityMappings",
    "sentinelEntitiesMappings",
    "customDetails",
    "alertDetailsOverride",
    "eventGroupingSettings",
    "incidentConfiguration",
    "suppressionEnabled",
    "suppressionDuration",
    "enabled",
    "falsePositives",
    "references",
    "metadata",
    "version",
    "kind",
];

/// The text of a rule file.
///
/// # Errors
/// What YAML cannot hold: characters that it has no way to write.
pub fn write(rule: &Node) -> Result<String, String> {
    let mut entries: Vec<_> = rule.entries().iter().collect();
    let rank = |key: &str| ORDER.iter().position(|known| *known == key).unwrap_or(ORDER.len());
    entries.sort_by_key(|entry| rank(&entry.key));
    text_of(&Node::of_map(entries.into_iter().map(|entry| (entry.key.clone(), entry.value.clone()))))
}

/// Any value as YAML, keys in their order.
///
/// # Errors
/// What YAML cannot hold.
pub fn text_of(node: &Node) -> Result<String, String> {
    let options = serde_saphyr::ser_options! { compact_list_indent: true, prefer_block_scalars: false };
    let mut text = String::new();
    serde_saphyr::to_fmt_writer_with_options(&mut text, &Written(node), options).map_err(|e| e.to_string())?;
    Ok(text)
}

struct Written<'a>(&'a Node);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0.kind {
            NodeKind::Null => serializer.serialize_unit(),
            NodeKind::Bool(value) => serializer.serialize_bool(*value),
            NodeKind::Number(text) => match text.parse::<i64>() {
                Ok(number) if number.to_string() == *text => serializer.serialize_i64(number),
                _ => serializer.serialize_str(text),
            },
            NodeKind::Text(text) if is_block(text) => LitStr(text).serialize(serializer),
            NodeKind::Text(text) => serializer.serialize_str(text),
            NodeKind::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Written(item))?;
                }
                list.end()
            }
            NodeKind::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for entry in entries {
                    map.serialize_entry(&entry.key, &Written(&entry.value))?;
                }
                map.end()
            }
        }
    }
}

/// A text that a literal block gives back byte for byte.
fn is_block(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.contains('\n')
        && !body.ends_with('\n')
        && !text.starts_with([' ', '\t', '\n'])
        && !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t')
        && !text.lines().any(|line| line.ends_with([' ', '\t']) && line.trim().is_empty())
        && !text.contains(['\u{85}', '\u{2028}', '\u{2029}', '\u{feff}'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::normal;

    #[test]
    fn what_is_written_reads_back() {
        for text in [
            "one",
            "a\n| b\n",
            "a\nb",
            " a\n b\n",
            "a\n\n\nb\n\n",
            "tab\there\n\tb\n",
            "x: y # z",
            "- a",
            "'q'",
            "\"",
            "a \nb\n",
            "1.10",
            "true",
            "",
            "cr\r\nx\n",
            "# c\nT\n",
            "null",
            "~",
            "a\n \nb\n",
        ] {
            let rule = Node::of_map([("query", Node::of_text(text)), ("name", Node::of_text("rule"))]);
            let written = write(&rule).unwrap();
            let back = crate::yaml::parse(&written).unwrap_or_else(|e| panic!("{text:?} {e:?}\n{written}"));
            assert_eq!(back.get("query").and_then(Node::text).as_deref(), Some(text), "{written}");
            assert_eq!(normal(&back), normal(&rule));
            assert!(written.starts_with("name: rule\n"), "{written}");
        }
        let query = write(&Node::of_map([("query", Node::of_text("T\n| take 1\n"))])).unwrap();
        assert_eq!(query, "query: |\n  T\n  | take 1\n");
    }
}

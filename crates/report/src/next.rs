//! What to ask next of an alert: the queries of its rule's guidance filled from its entities, and everything around it.
//!
//! Guidance writes queries between backquotes, with `"ACTOR"`, `"ADDRESS"` and `"INSTANCE"` for what the alert names. A query with a word that the alert cannot fill is left out.

use serde_json::{Map, Value as Json};

use crate::entities;
use crate::harmless::kql_literal;
use crate::model::{Alert, NextQuery};

/// What stands for what: (word of the guidance, types of entities, identifiers in order of preference).
const WORDS: [(&str, &[&str], &[&str]); 3] = [
    ("ACTOR", &["account", "cloud-application"], &["FullName", "AadUserId", "AppId", "ObjectGuid"]),
    ("ADDRESS", &["ip"], &["Address"]),
    ("INSTANCE", &["host", "azure-resource"], &["ResourceId", "FullName", "HostName"]),
];
/// Entities that get a query of their own.
const ENTITIES_MAX: usize = 4;

/// The queries for one alert, over the tables that have rows.
pub fn queries(alert: &Alert, tables: &[&str]) -> Vec<NextQuery> {
    let mut found: Vec<NextQuery> = Vec::new();
    let guidance = alert.guidance.iter().flatten().filter(|(heading, _)| *heading == "response");
    for (sentence, query) in guidance.flat_map(|(_, text)| quoted_queries(text)) {
        if let Some(query) = filled(&query, &alert.entities) {
            found.push(NextQuery { title: sentence, query });
        }
    }
    for entity in alert.entities.iter().take(ENTITIES_MAX) {
        let label = entities::label(entity);
        if label.len() >= 3 && !tables.is_empty() {
            let title = format!("Everything that names {} {label} within the hour around", entities::kind(entity));
            found.push(NextQuery { title, query: around(alert, &label, tables) });
        }
    }
    found
}

/// (the words before it, query) for each text between backquotes that is a query.
fn quoted_queries(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for item in text.split("\n- ") {
        let mut lead = "";
        for (index, part) in item.trim_start_matches("- ").split('`').enumerate() {
            if index % 2 == 0 {
                lead = if part.trim().len() > 3 { part } else { lead };
            } else if part.contains('|') {
                let lead = lead.trim().trim_end_matches([',', ':']).trim_end_matches(" with");
                let words: Vec<&str> = part.split_whitespace().collect();
                found.push((lead.trim_end_matches(',').to_string(), one_operator_a_line(&words.join(" "))));
            }
        }
    }
    found
}

/// Breaks a query of one line before its pipes, outside of brackets and texts.
fn one_operator_a_line(query: &str) -> String {
    let mut out = String::with_capacity(query.len() + 16);
    let (mut depth, mut quote) = (0_i32, None);
    for c in query.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, '|') if depth == 0 => {
                out.truncate(out.trim_end().len());
                out.push('\n');
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

fn filled(query: &str, entities: &[Map<String, Json>]) -> Option<String> {
    let mut query = query.to_string();
    for (word, kinds, identifiers) in WORDS {
        let quoted = format!("\"{word}\"");
        if !query.contains(&quoted) {
            continue;
        }
        let entity = entities.iter().find(|entity| kinds.contains(&entities::kind(entity)))?;
        let named = identifiers.iter().find_map(|name| entity.get(*name).and_then(Json::as_str));
        let value = named.map_or_else(|| entities::label(entity), str::to_string);
        query = query.replace(&quoted, &kql_literal(&value));
    }
    Some(query)
}

fn around(alert: &Alert, label: &str, tables: &[&str]) -> String {
    let tables = tables.join(", ");
    let literal = kql_literal(label);
    format!(
        "union withsource=SourceTable isfuzzy=true {tables}\n| where TimeGenerated between (datetime({}) - 1h .. \
         datetime({}) + 1h)\n| where * has {literal}\n| sort by TimeGenerated asc",
        alert.begins(),
        alert.ends()
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[test]
    fn guidance_is_filled_from_the_alert() {
        let response = "- Find what the actor did, with `T\n    | where Caller =~ \"ACTOR\" | sort by TimeGenerated asc`,\n  \
            `U | where A == \"ACTOR\"`.\n- Find the address with `T | where (a == \"ADDRESS\" | x)`.\n- Look at `Foo`.";
        let actor = "arn:aws:sts::1:assumed-role/Admin/eve\"x";
        let alert = Alert {
            start: "2026-03-02T00:00:00.0000000Z".into(),
            end: "2026-03-02T01:00:00.0000000Z".into(),
            guidance: Some(BTreeMap::from([("response".to_string(), response.to_string())])),
            entities: serde_json::from_value(json!([{"FullName": actor, "Name": "eve", "Type": "account"}])).unwrap(),
            ..Alert::default()
        };
        let found = queries(&alert, &["AWSCloudTrail"]);
        let texts: Vec<(&str, &str)> = found.iter().map(|next| (next.title.as_str(), next.query.as_str())).collect();
        let literal = "\"arn:aws:sts::1:assumed-role/Admin/eve\\\"x\"";
        assert_eq!(texts[0].0, "Find what the actor did");
        assert_eq!(texts[0].1, format!("T\n| where Caller =~ {literal}\n| sort by TimeGenerated asc"));
        assert_eq!(texts[1].1, format!("U\n| where A == {literal}"));
        assert!(texts[2].1.contains(&format!("where * has {literal}")), "{}", texts[2].1);
        assert_eq!(texts.len(), 3, "no address, no query for one: {texts:?}");
    }
}

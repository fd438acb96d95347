//! What alerts are about, gathered over all alerts: one page for each actor, address, key or resource.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use crate::model::{Alert, EntityPage, severity_rank};

/// The type of an entity as alerts write it: `ip`, `account`.
pub fn kind(entity: &Map<String, Json>) -> &str {
    entity.get("Type").and_then(Json::as_str).unwrap_or_default()
}

/// The one value of an entity that a reader wants to see.
pub fn label(entity: &Map<String, Json>) -> String {
    let text = |key: &str| entity.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
    if let Some(full) = text("FullName") {
        return full.to_string();
    }
    if let (Some(name), Some(suffix)) = (text("Name"), text("UPNSuffix")) {
        return format!("{name}@{suffix}");
    }
    let preferred = ["Address", "ResourceId", "HostName", "Url", "AadUserId", "Name"];
    let found = preferred.iter().find_map(|key| text(key));
    let first = || entity.iter().filter(|(key, _)| *key != "Type").find_map(|(_, value)| value.as_str());
    found.or_else(first).unwrap_or_default().to_string()
}

/// One page for each entity of these alerts: the highest severity first, then the most alerts.
pub fn pages(alerts: &[Alert]) -> Vec<EntityPage> {
    let mut index: HashMap<(String, String), usize> = HashMap::new();
    let mut pages: Vec<EntityPage> = Vec::new();
    let mut oldest_first: Vec<&Alert> = alerts.iter().collect();
    oldest_first.sort_by(|a, b| (a.begins(), &a.id).cmp(&(b.begins(), &b.id)));
    for alert in oldest_first {
        for entity in &alert.entities {
            let label = label(entity);
            if label.is_empty() {
                continue;
            }
            let key = (kind(entity).to_string(), label.to_lowercase());
            let at = *index.entry(key).or_insert_with(|| {
                pages.push(EntityPage {
                    kind: kind(entity).to_string(),
                    label,
                    first: alert.begins().to_string(),
                    last: alert.ends().to_string(),
                    ..EntityPage::default()
                });
                pages.len() - 1
            });
            if let Some(page) = pages.get_mut(at) {
                add(page, alert, entity);
            }
        }
    }
    pages.sort_by(|a, b| {
        let key = |page: &EntityPage| (severity_rank(&page.severity), page.alerts.len());
        key(b).cmp(&key(a)).then_with(|| (&a.kind, &a.label).cmp(&(&b.kind, &b.label)))
    });
    pages
}

fn add(page: &mut EntityPage, alert: &Alert, entity: &Map<String, Json>) {
    if page.alerts.last() != Some(&alert.id) {
        page.alerts.push(alert.id.clone());
    }
    if severity_rank(&alert.severity) > severity_rank(&page.severity) {
        page.severity.clone_from(&alert.severity);
    }
    if alert.ends() > page.last.as_str() {
        page.last = alert.ends().to_string();
    }
    for (name, value) in entity.iter().filter(|(name, _)| *name != "Type") {
        let Some(value) = value.as_str() else { continue };
        let values: &mut Vec<String> = page.identifiers.entry(name.clone()).or_default();
        if !values.iter().any(|known| known == value) {
            values.push(value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn alert(id: &str, severity: &str, time: &str, entities: Json) -> Alert {
        Alert {
            id: id.into(),
            severity: severity.into(),
            start: time.into(),
            end: time.into(),
            entities: serde_json::from_value(entities).unwrap(),
            ..Alert::default()
        }
    }

    #[test]
    fn one_page_for_each_thing_in_any_case() {
        let eve = json!({"Name": "eve", "UPNSuffix": "corp.example", "Type": "account"});
        let shout = json!({"Name": "EVE", "UPNSuffix": "corp.example", "AadUserId": "7", "Type": "account"});
        let ip = json!({"Address": "203.0.113.9", "Type": "ip"});
        let alerts = [
            alert("b", "High", "2026-03-02T00:00:00Z", json!([shout])),
            alert("a", "Low", "2026-03-01T00:00:00Z", json!([eve, ip])),
            alert("c", "Low", "2026-03-03T00:00:00Z", json!([{"Type": "ip"}])),
        ];
        let pages = pages(&alerts);
        let seen: Vec<(&str, &str, usize)> =
            pages.iter().map(|p| (p.label.as_str(), p.severity.as_str(), p.alerts.len())).collect();
        assert_eq!(seen, [("eve@corp.example", "High", 2), ("203.0.113.9", "Low", 1)]);
        assert_eq!(pages[0].alerts, ["a", "b"], "oldest first");
        assert_eq!(pages[0].identifiers["Name"], ["eve", "EVE"]);
        assert_eq!((pages[0].first.as_str(), pages[0].last.as_str()), ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"));
    }
}

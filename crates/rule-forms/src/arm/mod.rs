//! Rules in ARM templates: as the portal exports them, as packaged solutions hold them, nested and with expressions.
//!
//! Analytic rules are resources of a type that ends in `alertRules` or `AlertRuleTemplates`, hunting queries saved searches of the
//! category Hunting Queries. What an alert rule has no property for is kept in the template's `metadata`. Start at [`read`] and
//! [`write`].

mod expression;

use serde_json::{Map, Value as Json, json};

use crate::fields::{
    Kind, ReadRule, Residue, Written, iso_duration, joined_techniques, kind_of, list, long_operator, name_of, of_json,
    short_duration, split_techniques, texts, to_json,
};
use crate::yaml::{Node, NodeKind};
use expression::Scope;

/// The API version that has every property that is written.
const API_VERSION: &str = "2023-12-01-preview";
const SAVED_SEARCH_VERSION: &str = "2022-10-01";
const SCHEMA: &str = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";

/// Templates are followed into each other so far.
const DEPTH_MAX: usize = 12;

/// Whether a JSON text is a template.
pub fn looks_like_arm(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
        && (text.contains("deploymentTemplate.json") || text.contains("\"resources\""))
}

/// The rules of a template.
///
/// # Errors
/// A text that is not JSON.
pub fn read(text: &str) -> Result<Vec<ReadRule>, String> {
    let text = text.trim_start_matches('\u{feff}');
    let template: Json = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    let mut found = Vec::new();
    read_template(&template, None, None, 0, &mut found);
    let kept = template.pointer("/metadata/tidewatch").and_then(Json::as_object);
    for read in &mut found {
        let id = read.rule.get("id").and_then(Node::text).unwrap_or_default();
        if let Some(residue) = kept.and_then(|kept| kept.get(&id)) {
            Residue::of_node(&of_json(residue)).restore(&mut read.rule);
        }
    }
    Ok(found)
}

fn read_template(
    template: &Json,
    outer: Option<&Scope<'_>>,
    version: Option<&str>,
    depth: usize,
    found: &mut Vec<ReadRule>,
) {
    if depth > DEPTH_MAX {
        return;
    }
    let scope = Scope { template, outer, blank: false };
    let resources: Vec<&Json> = match template.get("resources") {
        Some(Json::Array(items)) => items.iter().collect(),
        Some(Json::Object(named)) => named.values().collect(),
        _ => Vec::new(),
    };
    for resource in resources {
        read_resource(resource, &scope, version, depth, found);
    }
}

fn read_resource(resource: &Json, scope: &Scope<'_>, version: Option<&str>, depth: usize, found: &mut Vec<ReadRule>) {
    let kind = resource.get("type").and_then(Json::as_str).unwrap_or_default().to_ascii_lowercase();
    let last = kind.rsplit('/').next().unwrap_or_default();
    let search = last == "savedsearches" && resource.pointer("/properties/query").is_some();
    if last == "alertrules" || last == "alertruletemplates" {
        found.extend(read_rule(resource, scope, version, last == "alertruletemplates"));
    } else if search {
        found.extend(read_search(resource, scope, version));
    }
    // A packaged template has the version of what it holds.
    let own = resource.pointer("/properties/version").map(|version| scope.value(version));
    let own = own.and_then(Result::ok).and_then(|version| version.as_str().map(str::to_string));
    for nested in ["mainTemplate", "template"] {
        if let Some(template) = resource.get("properties").and_then(|properties| properties.get(nested)) {
            read_template(template, Some(scope), own.as_deref().or(version), depth + 1, found);
        }
    }
    if let Some(children) = resource.get("resources").and_then(Json::as_array).filter(|_| depth < DEPTH_MAX) {
        children.iter().for_each(|child| read_resource(child, scope, version, depth + 1, found));
    }
}

/// A property, evaluated; an expression that cannot be is kept as it is and noted.
fn property(properties: &Json, name: &str, scope: &Scope<'_>, notes: &mut Vec<String>) -> Option<Json> {
    let json = properties.get(name).filter(|json| !json.is_null())?;
    match scope.value(json) {
        Ok(value) => Some(value).filter(|value| !value.is_null()),
        Err(expression) => {
            notes.push(format!("`{name}`: {expression} has no value without a deployment"));
            Some(json.clone())
        }
    }
}

/// The id of a rule: the last part of the resource's name.
fn id_of(resource: &Json, scope: &Scope<'_>) -> Option<String> {
    let scope = Scope { template: scope.template, outer: scope.outer, blank: true };
    let name = scope.value(resource.get("name")?).ok()?.as_str()?.to_string();
    let last = name.rsplit('/').next().unwrap_or(&name).trim();
    (!last.is_empty()).then(|| last.to_string())
}

/// The id where the name cannot be evaluated: a GUID in its text.
fn id_in_text(resource: &Json) -> Option<String> {
    let name = resource.get("name")?.as_str()?;
    let is_id = |part: &&str| {
        part.len() == 36
            && part.bytes().filter(|b| *b == b'-').count() == 4
            && part.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
    };
    name.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').find(is_id).map(str::to_string)
}

/// Properties of alert rules in the order of rule files: (property, field).
const PROPERTIES: &[(&str, &str)] = &[
    ("displayName", "name"),
    ("description", "description"),
    ("severity", "severity"),
    ("status", "status"),
    ("requiredDataConnectors", "requiredDataConnectors"),
    ("queryFrequency", "queryFrequency"),
    ("queryPeriod", "queryPeriod"),
    ("triggerOperator", "triggerOperator"),
    ("triggerThreshold", "triggerThreshold"),
    ("tactics", "tactics"),
    ("query", "query"),
    ("entityMappings", "entityMappings"),
    ("sentinelEntitiesMappings", "sentinelEntitiesMappings"),
    ("customDetails", "customDetails"),
    ("alertDetailsOverride", "alertDetailsOverride"),
    ("eventGroupingSettings", "eventGroupingSettings"),
    ("incidentConfiguration", "incidentConfiguration"),
    ("suppressionEnabled", "suppressionEnabled"),
    ("suppressionDuration", "suppressionDuration"),
    ("enabled", "enabled"),
    ("templateVersion", "version"),
    ("alertRuleTemplateName", "alertRuleTemplateName"),
];

/// Properties of alert rules that only templates in the gallery have.
const TEMPLATES_ONLY: &[&str] = &["requiredDataConnectors", "status"];

fn read_rule(resource: &Json, scope: &Scope<'_>, version: Option<&str>, packaged: bool) -> Option<ReadRule> {
    let mut notes = Vec::new();
    let properties = resource.get("properties")?;
    let kind = scope.value(resource.get("kind").unwrap_or(&Json::Null)).ok()?;
    let kind = kind.as_str().unwrap_or("Scheduled").to_string();
    let id = id_of(resource, scope).or_else(|| id_in_text(resource));
    let mut rule = Node::made(NodeKind::Map(Vec::new()));
    if !kind.eq_ignore_ascii_case("scheduled") && !kind.eq_ignore_ascii_case("nrt") {
        rule.set("kind", Node::of_text(kind.clone()));
        rule.set("id", Node::of_text(id.unwrap_or_default()));
        notes.push(format!("a rule of kind {kind} has no query: not converted"));
        return Some(ReadRule { rule, notes });
    }
    let text = |name: &str| properties.get(name).and_then(Json::as_str).map(str::to_string);
    match id.or_else(|| text("alertRuleTemplateName")) {
        Some(id) => rule.set("id", Node::of_text(id)),
        None => notes.push("the resource's name has no value without a deployment: the rule has no id".to_string()),
    }
    rule.set("kind", Node::of_text(if kind.eq_ignore_ascii_case("nrt") { "NRT" } else { "Scheduled" }));
    for (property_name, field) in PROPERTIES {
        if let Some(value) = property(properties, property_name, scope, &mut notes) {
            rule.set(field, from_arm(field, &value));
        }
    }
    let names = |name: &str, notes: &mut Vec<String>| {
        texts(property(properties, name, scope, notes).map(|json| of_json(&json)).as_ref())
    };
    let techniques = joined_techniques(names("techniques", &mut notes), names("subTechniques", &mut notes));
    if !techniques.is_empty() {
        rule.set("relevantTechniques", list(techniques));
    }
    let template = rule.get("alertRuleTemplateName").and_then(Node::text);
    if template.is_some() && template == rule.get("id").and_then(Node::text) {
        remove(&mut rule, "alertRuleTemplateName");
    }
    if packaged {
        // The gallery's own: rules made from a template start disabled, and are not suppressed.
        remove(&mut rule, "enabled");
        if rule.get("suppressionEnabled").and_then(Node::boolean) == Some(false) {
            remove(&mut rule, "suppressionEnabled");
            remove(&mut rule, "suppressionDuration");
        }
    }
    if let (None, Some(version)) = (rule.get("version"), version) {
        rule.set("version", Node::of_text(version));
    }
    let known = |name: &str| {
        PROPERTIES.iter().any(|(property, _)| *property == name)
            || ["techniques", "subTechniques", "lastModifiedUtc", "lastUpdatedDateUTC", "createdDateUTC", "etag"]
                .contains(&name)
    };
    for name in properties.as_object()?.keys().filter(|name| !known(name)) {
        notes.push(format!("the property `{name}` is not known: kept"));
        if let Some(value) = property(properties, name, scope, &mut notes) {
            rule.set(name, of_json(&value));
        }
    }
    Some(ReadRule { rule, notes })
}

fn remove(rule: &mut Node, key: &str) {
    if let NodeKind::Map(entries) = &mut rule.kind {
        entries.retain(|entry| entry.key != key);
    }
}

/// A property's value as a rule file has it.
fn from_arm(field: &str, value: &Json) -> Node {
    let text = value.as_str();
    match field {
        "queryFrequency" | "queryPeriod" | "suppressionDuration" => {
            text.and_then(short_duration).map_or_else(|| of_json(value), Node::of_text)
        }
        "triggerOperator" => {
            let short =
                text.and_then(|text| crate::fields::OPERATORS.iter().find(|(_, long)| long.eq_ignore_ascii_case(text)));
            short.map_or_else(|| of_json(value), |(short, _)| Node::of_text(*short))
        }
        "incidentConfiguration" => {
            let mut node = of_json(value);
            change_lookback(&mut node, &short_duration);
            node
        }
        _ => of_json(value),
    }
}

/// A field's value as a property.
fn to_arm(field: &str, value: &Node) -> Json {
    let text = value.text();
    match field {
        "queryFrequency" | "queryPeriod" | "suppressionDuration" => {
            text.as_deref().and_then(iso_duration).map_or_else(|| to_json(value), Json::String)
        }
        "triggerOperator" => text.as_deref().and_then(long_operator).map_or_else(|| to_json(value), Json::from),
        "triggerThreshold" => {
            text.and_then(|t| t.trim().parse::<i64>().ok()).map_or_else(|| to_json(value), Json::from)
        }
        "enabled" | "suppressionEnabled" => value.boolean().map_or_else(|| to_json(value), Json::Bool),
        "name" | "version" | "description" | "severity" | "query" => Json::String(text.unwrap_or_default()),
        "tactics" => Json::Array(texts(Some(value)).into_iter().map(Json::String).collect()),
        "incidentConfiguration" => {
            let mut node = value.clone();
            change_lookback(&mut node, &iso_duration);
            to_json(&node)
        }
        _ => to_json(value),
    }
}

fn change_lookback(node: &mut Node, change: &dyn Fn(&str) -> Option<String>) {
    let mut grouping = match node.get("groupingConfiguration") {
        Some(grouping) => grouping.clone(),
        None => return,
    };
    if let Some(changed) = grouping.get("lookbackDuration").and_then(Node::text).and_then(|text| change(&text)) {
        grouping.set("lookbackDuration", Node::of_text(changed));
        node.set("groupingConfiguration", grouping);
    }
}

fn read_search(resource: &Json, scope: &Scope<'_>, version: Option<&str>) -> Option<ReadRule> {
    let mut notes = Vec::new();
    let properties = resource.get("properties")?;
    let category = property(properties, "category", scope, &mut notes)?;
    if !category.as_str()?.eq_ignore_ascii_case("hunting queries") {
        return None;
    }
    let mut rule = Node::made(NodeKind::Map(Vec::new()));
    if let Some(id) = id_of(resource, scope).or_else(|| id_in_text(resource)) {
        rule.set("id", Node::of_text(id));
    }
    let tags = properties.get("tags").and_then(Json::as_array).cloned().unwrap_or_default();
    let tag = |wanted: &str| {
        let found = tags.iter().find(|tag| tag.get("name").and_then(Json::as_str) == Some(wanted))?;
        scope.value(found.get("value")?).ok()?.as_str().map(str::to_string)
    };
    let names = |wanted: &str| -> Vec<String> {
        let all = tag(wanted).unwrap_or_default();
        all.split(',').map(|name| name.trim().to_string()).filter(|name| !name.is_empty()).collect()
    };
    for (name, field) in [("displayName", "name"), ("query", "query")] {
        if let Some(value) = property(properties, name, scope, &mut notes) {
            rule.set(field, of_json(&value));
        }
        if field == "name"
            && let Some(description) = tag("description")
        {
            rule.set("description", Node::of_text(description));
        }
    }
    for (name, field) in [("tactics", "tactics"), ("techniques", "relevantTechniques")] {
        let found = names(name);
        if !found.is_empty() {
            rule.set(field, list(found));
        }
    }
    if let Some(version) = version {
        rule.set("version", Node::of_text(version));
    }
    Some(ReadRule { rule, notes })
}

/// A template with these rules, as the portal exports and imports them.
pub fn write(rules: &[Node]) -> Written {
    let mut notes = Vec::new();
    let mut kept = Map::new();
    let mut resources = Vec::new();
    for rule in rules {
        let resource = resource_of(rule);
        let alone = template_of(vec![resource.clone()], Map::new());
        let back = read(&alone.to_string()).ok().and_then(|mut read| (!read.is_empty()).then(|| read.remove(0).rule));
        let residue = Residue::between(rule, &back.unwrap_or_else(|| Node::made(NodeKind::Map(Vec::new()))));
        if !residue.is_empty() {
            notes.extend(residue.notes(&name_of(rule), "an ARM alert rule", "the template's metadata"));
            kept.insert(resource_id(rule), to_json(&residue.node()));
        }
        resources.push(resource);
    }
    let template = template_of(resources, kept);
    let text = serde_json::to_string_pretty(&template).unwrap_or_default();
    Written { text: format!("{text}\n"), notes }
}

/// The id, or what stands for it.
fn resource_id(rule: &Node) -> String {
    let id = rule.get("id").and_then(Node::text).filter(|id| !id.is_empty());
    id.unwrap_or_else(|| name_of(rule)).replace('/', "-")
}

fn template_of(resources: Vec<Json>, kept: Map<String, Json>) -> Json {
    let mut template = json!({
        "$schema": SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": {"workspace": {"type": "String"}},
        "resources": resources,
    });
    if !kept.is_empty()
        && let Some(members) = template.as_object_mut()
    {
        members.insert("metadata".to_string(), json!({"tidewatch": kept}));
    }
    template
}

/// A text as a value of a template: one that starts with `[` would be an expression.
fn escaped(json: Json) -> Json {
    match json {
        Json::String(text) if text.starts_with('[') => Json::String(format!("[{text}")),
        Json::Array(items) => Json::Array(items.into_iter().map(escaped).collect()),
        Json::Object(members) => Json::Object(members.into_iter().map(|(key, value)| (key, escaped(value))).collect()),
        other => other,
    }
}

fn resource_of(rule: &Node) -> Json {
    let kind = kind_of(rule);
    let id = resource_id(rule).replace('\'', "''");
    if kind == Kind::Hunting {
        return search_of(rule, &id);
    }
    let mut properties = Map::new();
    for (property, field) in PROPERTIES {
        let scheduled_only = ["queryFrequency", "queryPeriod", "triggerOperator", "triggerThreshold"].contains(field);
        if TEMPLATES_ONLY.contains(field) || kind == Kind::Nrt && scheduled_only {
            continue;
        }
        if let Some(value) = rule.get(field).filter(|value| value.kind != NodeKind::Null) {
            properties.insert(property.to_string(), escaped(to_arm(field, value)));
        }
    }
    let (main, sub) = split_techniques(&texts(rule.get("relevantTechniques")));
    for (name, techniques) in [("techniques", main), ("subTechniques", sub)] {
        if !techniques.is_empty() {
            properties.insert(name.to_string(), json!(techniques));
        }
    }
    properties.entry("alertRuleTemplateName").or_insert_with(|| escaped(Json::String(resource_id(rule))));
    let required: &[(&str, Json)] = &[
        ("displayName", Json::String(name_of(rule))),
        ("enabled", Json::Bool(true)),
        ("severity", json!("Medium")),
        ("suppressionEnabled", Json::Bool(false)),
        ("suppressionDuration", json!("PT5H")),
        ("queryFrequency", json!("PT5H")),
        ("queryPeriod", json!("PT5H")),
        ("triggerOperator", json!("GreaterThan")),
        ("triggerThreshold", json!(0)),
    ];
    for (name, value) in required {
        let scheduled_only = name.starts_with("query") || name.starts_with("trigger");
        if kind == Kind::Scheduled || !scheduled_only {
            properties.entry(*name).or_insert_with(|| value.clone());
        }
    }
    json!({
        "type": "Microsoft.OperationalInsights/workspaces/providers/alertRules",
        "apiVersion": API_VERSION,
        "name": format!("[concat(parameters('workspace'), '/Microsoft.SecurityInsights/{id}')]"),
        "id": format!("[concat(resourceId('Microsoft.OperationalInsights/workspaces/providers', parameters('workspace'), 'Microsoft.SecurityInsights'), '/alertRules/{id}')]"),
        "kind": if kind == Kind::Nrt { "NRT" } else { "Scheduled" },
        "properties": properties,
    })
}

fn search_of(rule: &Node, id: &str) -> Json {
    let text = |key: &str| rule.get(key).and_then(Node::text);
    let mut tags = Vec::new();
    for (name, value) in [
        ("description", text("description")),
        ("tactics", Some(texts(rule.get("tactics")).join(",")).filter(|t| !t.is_empty())),
        ("techniques", Some(texts(rule.get("relevantTechniques")).join(",")).filter(|t| !t.is_empty())),
    ] {
        if let Some(value) = value {
            tags.push(json!({"name": name, "value": escaped(Json::String(value))}));
        }
    }
    json!({
        "type": "Microsoft.OperationalInsights/workspaces/savedSearches",
        "apiVersion": SAVED_SEARCH_VERSION,
        "name": format!("[concat(parameters('workspace'), '/{id}')]"),
        "properties": {
            "eTag": "*",
            "displayName": escaped(Json::String(name_of(rule))),
            "category": "Hunting Queries",
            "query": escaped(Json::String(text("query").unwrap_or_default())),
            "version": 2,
            "tags": tags,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::normal;

    #[test]
    fn a_packaged_solution_is_read_through_its_templates() {
        let template = json!({
            "$schema": SCHEMA,
            "parameters": {"workspace": {"defaultValue": ""}},
            "variables": {"rule1": {"version1": "1.0.3", "_contentId1": "11111111-2222-3333-4444-555555555555"}},
            "resources": [{
                "type": "Microsoft.OperationalInsights/workspaces/providers/contentTemplates",
                "properties": {
                    "contentKind": "AnalyticsRule",
                    "version": "[variables('rule1').version1]",
                    "mainTemplate": {
                        "parameters": {},
                        "variables": {},
                        "resources": [{
                            "type": "Microsoft.SecurityInsights/AlertRuleTemplates",
                            "name": "[variables('rule1')._contentId1]",
                            "kind": "Scheduled",
                            "properties": {
                                "displayName": "A", "enabled": false, "query": "T", "queryFrequency": "PT1H", "queryPeriod": "P14D",
                                "triggerOperator": "GreaterThan", "triggerThreshold": 3, "severity": "High",
                                "suppressionDuration": "PT1H", "suppressionEnabled": false, "status": "Available",
                                "requiredDataConnectors": [{"connectorId": "AWS", "dataTypes": ["AWSCloudTrail"]}],
                                "techniques": ["T1078", "T1098"], "subTechniques": ["T1078.004"], "newThing": 1,
                                "incidentConfiguration": {"createIncident": true, "groupingConfiguration": {"lookbackDuration": "PT5H"}}
                            }
                        }]
                    }
                }
            }]
        });
        let read = read(&template.to_string()).unwrap().remove(0);
        let wanted = "id: 11111111-2222-3333-4444-555555555555\nkind: Scheduled\nname: A\nseverity: High\nstatus: Available\n\
            requiredDataConnectors:\n- connectorId: AWS\n  dataTypes: [AWSCloudTrail]\nqueryFrequency: 1h\nqueryPeriod: 14d\n\
            triggerOperator: gt\ntriggerThreshold: 3\nquery: T\nrelevantTechniques: [T1078.004, T1098]\nversion: 1.0.3\nnewThing: 1\n\
            incidentConfiguration: {createIncident: true, groupingConfiguration: {lookbackDuration: 5h}}\n";
        assert_eq!(normal(&read.rule), normal(&crate::yaml::parse(wanted).unwrap()));
        assert_eq!(read.notes, ["the property `newThing` is not known: kept"]);
    }

    #[test]
    fn other_kinds_and_expressions_without_value_are_said() {
        let template = json!({"resources": [
            {"type": "Microsoft.SecurityInsights/alertRules", "kind": "Fusion", "name": "x", "properties": {}},
            {"type": "a/alertRules", "kind": "NRT", "name": "[concat(parameters('w'), '/Microsoft.SecurityInsights/11111111-2222-3333-4444-555555555555')]",
             "properties": {"displayName": "[parameters('n')]", "query": "T"}},
            {"type": "Microsoft.Logic/workflows", "properties": {}}
        ]});
        let found = read(&template.to_string()).unwrap();
        assert_eq!(found.len(), 2);
        assert!(found[0].notes[0].contains("kind Fusion"));
        assert!(found[1].notes[0].contains("[parameters('n')]"), "{:?}", found[1].notes);
        assert_eq!(found[1].rule.get("id").unwrap().text().unwrap(), "11111111-2222-3333-4444-555555555555");
    }
}

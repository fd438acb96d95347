//! Entities of an alert: what a rule's mappings make of its result rows.
//!
//! The limits are the service's: 10 mappings, 3 identifiers each, 500 entities an alert divided equally among the
//! mappings, 64 KB of `Entities` text. Equal entities of several rows are one. Start at [`map_entities`].

use std::net::IpAddr;

pub use investigation::address::canonical as address;
use kql_types::{Column, Value};
use serde_json::{Map, Value as Json};

use crate::cell;
use crate::entity_types::{self, EntityType};
use crate::rule::{AnalyticsRule, EntityMapping};

const MAPPINGS_MAX: usize = 10;
const IDENTIFIERS_MAX: usize = 3;
const ENTITIES_MAX: usize = 500;
const ENTITIES_BYTES_MAX: usize = 64 << 10;

/// One thing an alert is about: an account, an address, a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// As the alert's JSON spells it: `ip`, `account`, `azure-resource`.
    pub kind: String,
    /// (identifier, value), in the order of the mapping.
    pub identifiers: Vec<(String, String)>,
}

impl Entity {
    pub fn get(&self, identifier: &str) -> Option<&str> {
        self.identifiers.iter().find(|(name, _)| name == identifier).map(|(_, value)| value.as_str())
    }

    /// Whether two entities are one thing: they share a strong identifier, or are equal in all they say. Case counts little.
    pub fn is_same_as(&self, other: &Entity) -> bool {
        if self.kind != other.kind {
            return false;
        }
        let equal = |identifier: &str| match (self.get(identifier), other.get(identifier)) {
            (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
            _ => false,
        };
        // An address of a private network is one thing in one network and another in the next.
        let decides = self.kind != "ip" || self.get("Address").is_some_and(is_global);
        if decides && type_of(&self.kind).is_some_and(|known| known.is_strong(equal)) {
            return true;
        }
        self.identifiers.len() == other.identifiers.len() && self.identifiers.iter().all(|(name, _)| equal(name))
    }

    /// The one value a reader wants to see.
    pub fn label(&self) -> String {
        if let (Some(name), Some(suffix)) = (self.get("Name"), self.get("UPNSuffix")) {
            return format!("{name}@{suffix}");
        }
        let preferred = ["FullName", "Address", "ResourceId", "HostName", "Url", "AadUserId", "Name"];
        let found = preferred.iter().find_map(|identifier| self.get(identifier));
        found.or_else(|| self.identifiers.first().map(|(_, value)| value.as_str())).unwrap_or_default().to_string()
    }
}

/// The entities of an alert over these rows, and a note for each limit that was hit.
pub fn map_entities(rule: &AnalyticsRule, columns: &[Column], rows: &[&[Value]]) -> (Vec<Entity>, Vec<String>) {
    let mut notes = Vec::new();
    let mappings = rule.entity_mappings.len() + rule.sentinel_entities_mappings.len();
    if mappings > MAPPINGS_MAX {
        notes.push(format!("{mappings} entity mappings: only the first {MAPPINGS_MAX} count"));
    }
    let share = ENTITIES_MAX / mappings.clamp(1, MAPPINGS_MAX);
    let mut all: Vec<Entity> = Vec::new();
    for mapping in rule.entity_mappings.iter().take(MAPPINGS_MAX) {
        let missing: Vec<&str> = mapping
            .field_mappings
            .iter()
            .filter(|field| !columns.iter().any(|column| column.name == field.column_name))
            .map(|field| field.column_name.as_str())
            .collect();
        if !missing.is_empty() {
            notes.push(format!("entity {}: no column {} in the result", mapping.entity_type, missing.join(", ")));
        }
        let found = rows.iter().flat_map(|row| entities_of_row(mapping, columns, row));
        add_share(&mut all, found, share, &mapping.entity_type, &mut notes);
    }
    let left = MAPPINGS_MAX.saturating_sub(rule.entity_mappings.len());
    for name in rule.sentinel_entities_mappings.iter().take(left) {
        let Some(index) = columns.iter().position(|column| column.name == *name) else {
            notes.push(format!("entities: no column {name} in the result"));
            continue;
        };
        let found = rows.iter().filter_map(|row| row.get(index)).flat_map(entities_of_text);
        add_share(&mut all, found, share, name, &mut notes);
    }
    cut_to_size(&mut all, &mut notes);
    (all, notes)
}

fn add_share(
    all: &mut Vec<Entity>,
    found: impl Iterator<Item = Entity>,
    share: usize,
    name: &str,
    notes: &mut Vec<String>,
) {
    let mut added = 0;
    for entity in found {
        if all.contains(&entity) {
            continue;
        }
        if added == share {
            notes.push(format!("entity {name}: more than {share} values, the rest is left out"));
            return;
        }
        all.push(entity);
        added += 1;
    }
}

fn cut_to_size(all: &mut Vec<Entity>, notes: &mut Vec<String>) {
    let before = all.len();
    // The brackets, and a comma behind each but the last.
    let mut bytes = 1;
    let mut keep = 0;
    for (index, entity) in all.iter().enumerate() {
        bytes += entity_json(index, entity).to_string().len() + 1;
        if bytes > ENTITIES_BYTES_MAX {
            break;
        }
        keep += 1;
    }
    if keep < before {
        all.truncate(keep);
        notes.push(format!("entities: {} left out, over 64 KB", before - keep));
    }
}

/// The entities one mapping finds in one row: one, or one per item where a column holds a list.
fn entities_of_row(mapping: &EntityMapping, columns: &[Column], row: &[Value]) -> Vec<Entity> {
    let kind = kind_text(&mapping.entity_type);
    let mut fields: Vec<(&str, Vec<String>)> = Vec::new();
    for field in mapping.field_mappings.iter().take(IDENTIFIERS_MAX) {
        let index = columns.iter().position(|column| column.name == field.column_name);
        let values = index.and_then(|i| row.get(i)).map(cell::texts).unwrap_or_default();
        if !values.is_empty() {
            fields.push((field.identifier.as_str(), values));
        }
    }
    let count = fields.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    let mut entities = Vec::new();
    for index in 0..count {
        let mut identifiers = Vec::new();
        for (identifier, values) in &fields {
            // A list beside a single value: the single value belongs to every item.
            let value = if values.len() == 1 { values.first() } else { values.get(index) };
            identifiers.extend(value.map(|value| (identifier.to_string(), value.trim().to_string())));
        }
        entities.extend(canonical(&kind, identifiers));
    }
    entities
}

/// Brings an entity into the form in which equal things are equal; None when nothing of it identifies anything.
fn canonical(kind: &str, mut identifiers: Vec<(String, String)>) -> Option<Entity> {
    match kind {
        "ip" => {
            for (name, value) in identifiers.iter_mut().filter(|(name, _)| name == "Address") {
                let _ = name;
                *value = address(value)?;
            }
        }
        "account" => complete_account(&mut identifiers)?,
        "host" => complete_host(&mut identifiers),
        _ => {}
    }
    let names: Vec<&str> = identifiers.iter().map(|(name, _)| name.as_str()).collect();
    let identified = match type_of(kind) {
        Some(known) => known.is_identified_by(&names),
        None => !identifiers.is_empty(),
    };
    identified.then(|| Entity { kind: kind.to_string(), identifiers })
}

fn type_of(kind: &str) -> Option<&'static EntityType> {
    entity_types::ENTITY_TYPES.iter().find(|known| kind_text(known.name) == kind)
}

/// Whether an address says the same thing everywhere.
fn is_global(text: &str) -> bool {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(v4)) => {
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            !(v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified() || shared)
        }
        Ok(IpAddr::V6(v6)) => {
            !(v6.is_loopback() || v6.is_unspecified() || v6.is_unique_local() || v6.is_unicast_link_local())
        }
        // Anonymised logs have impossible addresses: they name what they name.
        Err(_) => true,
    }
}

/// Names that say nothing about who acted; an account known by such a name alone is dropped.
const NOBODY: &[&str] = &[
    "ADMIN",
    "ADMINISTRATOR",
    "SYSTEM",
    "ROOT",
    "ANONYMOUS",
    "AUTHENTICATED USER",
    "NETWORK",
    "NULL",
    "LOCAL SYSTEM",
    "LOCALSYSTEM",
    "NETWORK SERVICE",
];

/// Splits `FullName` and an address-like `Name` into name and domain, as the service does.
fn complete_account(identifiers: &mut Vec<(String, String)>) -> Option<()> {
    let find = |identifiers: &[(String, String)], key: &str| {
        identifiers.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone())
    };
    let full = find(identifiers, "FullName").or_else(|| find(identifiers, "Name"));
    if let Some(full) = full {
        let parts = if let Some((name, suffix)) = full.split_once('@') {
            Some((name.to_string(), "UPNSuffix", suffix.to_string()))
        } else {
            full.split_once('\\').map(|(domain, name)| (name.to_string(), "NTDomain", domain.to_string()))
        };
        if let Some((name, domain_key, domain)) = parts {
            match identifiers.iter_mut().find(|(key, _)| key == "Name") {
                Some((_, value)) => *value = name,
                None => identifiers.push(("Name".to_string(), name)),
            }
            let known = ["UPNSuffix", "NTDomain", "DnsDomain"].iter().any(|key| find(identifiers, key).is_some());
            if !known && !domain.is_empty() {
                identifiers.push((domain_key.to_string(), domain));
            }
        }
    }
    let only_name = identifiers.iter().all(|(key, _)| key == "Name");
    let nobody = find(identifiers, "Name").is_some_and(|name| NOBODY.contains(&name.to_ascii_uppercase().as_str()));
    if only_name && nobody { None } else { Some(()) }
}

fn complete_host(identifiers: &mut Vec<(String, String)>) {
    let has = |key: &str| identifiers.iter().any(|(name, _)| name == key);
    if has("HostName") {
        return;
    }
    let Some(full) = identifiers.iter().find(|(name, _)| name == "FullName").map(|(_, value)| value.clone()) else {
        return;
    };
    let (host, domain) = full.split_once('.').unwrap_or((&full, ""));
    identifiers.push(("HostName".to_string(), host.to_string()));
    if !domain.is_empty() && !identifiers.iter().any(|(name, _)| name == "DnsDomain") {
        identifiers.push(("DnsDomain".to_string(), domain.to_string()));
    }
}

/// A column that already holds an `Entities` text.
fn entities_of_text(value: &Value) -> Vec<Entity> {
    let parsed = match value {
        Value::Dynamic(_) => cell::json(value),
        other => serde_json::from_str(&cell::text(other)).unwrap_or(Json::Null),
    };
    let items = match parsed {
        Json::Array(items) => items,
        item @ Json::Object(_) => vec![item],
        _ => Vec::new(),
    };
    items.iter().filter_map(entity_of_json).collect()
}

fn entity_of_json(item: &Json) -> Option<Entity> {
    let object = item.as_object()?;
    let kind = object.get("Type").and_then(Json::as_str)?.to_string();
    let identifiers = object
        .iter()
        .filter(|(key, value)| *key != "Type" && !key.starts_with('$') && !value.is_null())
        .map(|(key, value)| (key.clone(), value.as_str().map(str::to_string).unwrap_or_else(|| value.to_string())))
        .collect::<Vec<_>>();
    (!identifiers.is_empty()).then_some(Entity { kind, identifiers })
}

/// The spelling of a type in `Entities`: `AzureResource` is `azure-resource`, `IP` is `ip`.
pub(crate) fn kind_text(entity_type: &str) -> String {
    match entity_type.to_ascii_lowercase().as_str() {
        "azureresource" => "azure-resource".to_string(),
        "cloudapplication" => "cloud-application".to_string(),
        "registrykey" => "registry-key".to_string(),
        "registryvalue" => "registry-value".to_string(),
        "securitygroup" => "security-group".to_string(),
        "mailcluster" => "mail-cluster".to_string(),
        "mailmessage" => "mail-message".to_string(),
        "submissionmail" => "SubmissionMail".to_string(),
        other => other.to_string(),
    }
}

/// The entities as JSON objects with the service's reference ids: `{"$id":"2","Address":"...","Type":"ip"}`.
pub fn entities_json(entities: &[Entity]) -> Json {
    Json::Array(entities.iter().enumerate().map(|(index, entity)| entity_json(index, entity)).collect())
}

fn entity_json(index: usize, entity: &Entity) -> Json {
    let mut object = Map::new();
    object.insert("$id".to_string(), Json::String((index + 2).to_string()));
    for (identifier, value) in &entity.identifiers {
        // The number of an application in the catalogue of cloud applications.
        let number = (identifier == "AppId").then(|| value.parse::<i64>().ok()).flatten();
        object.insert(identifier.clone(), number.map_or_else(|| Json::String(value.clone()), Json::from));
    }
    object.insert("Type".to_string(), Json::String(entity.kind.clone()));
    Json::Object(object)
}

#[cfg(test)]
mod tests {
    use kql_types::{Dynamic, ScalarType};

    use super::*;
    use crate::rule::FieldMapping;

    fn mapping(entity_type: &str, fields: &[(&str, &str)]) -> EntityMapping {
        EntityMapping {
            entity_type: entity_type.to_string(),
            field_mappings: fields
                .iter()
                .map(|(i, c)| FieldMapping { identifier: i.to_string(), column_name: c.to_string() })
                .collect(),
        }
    }

    fn rule(mappings: Vec<EntityMapping>) -> AnalyticsRule {
        let text = "id: a\nname: a\nquery: T\n";
        let crate::rule_file::FileContent::Rule(mut rule) =
            crate::rule_file::read("a.yaml", text, crate::rule_file::Expectation::Rule)
        else {
            panic!()
        };
        rule.entity_mappings = mappings;
        *rule
    }

    fn string(text: &str) -> Value {
        Value::String(text.to_string())
    }

    #[test]
    fn addresses_lose_port_zone_and_mapping() {
        let cases = [
            ("203.0.113.9", "203.0.113.9"),
            ("203.0.113.9:51000", "203.0.113.9"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("fe80::1%eth0", "fe80::1"),
            ("06.237.252.245", "06.237.252.245"),
        ];
        for (text, expected) in cases {
            assert_eq!(address(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["AWS Internal", "ec2.amazonaws.com", "", "private"] {
            assert_eq!(address(text), None, "{text}");
        }
    }

    #[test]
    fn equal_entities_of_several_rows_are_one() {
        let rule = rule(vec![mapping("IP", &[("Address", "Ip")]), mapping("Account", &[("FullName", "Who")])]);
        let columns = [Column::new("Ip", ScalarType::String), Column::new("Who", ScalarType::String)];
        let rows = [
            [string("203.0.113.9:1"), string("eve@corp.example")],
            [string("203.0.113.9"), string("CORP\\eve")],
            [string(""), string("root")],
        ];
        let rows: Vec<&[Value]> = rows.iter().map(|r| r.as_slice()).collect();
        let (entities, notes) = map_entities(&rule, &columns, &rows);
        assert!(notes.is_empty(), "{notes:?}");
        let labels: Vec<_> = entities.iter().map(|e| (e.kind.as_str(), e.label())).collect();
        assert_eq!(labels[0], ("ip", "203.0.113.9".to_string()));
        assert_eq!(labels[1], ("account", "eve@corp.example".to_string()));
        assert_eq!(entities[2].get("NTDomain"), Some("CORP"));
        assert_eq!(entities.len(), 4, "a full name of root is an identifier, an empty address is nothing: {labels:?}");
        let json = entities_json(&entities).to_string();
        assert!(json.starts_with(r#"[{"$id":"2","Address":"203.0.113.9","Type":"ip"}"#), "{json}");
    }

    #[test]
    fn a5_a_bare_name_of_nobody_is_dropped_and_a_name_ends_at_the_at() {
        let rule = rule(vec![mapping("Account", &[("Name", "Who")])]);
        let columns = [Column::new("Who", ScalarType::String)];
        let (entities, _) = map_entities(&rule, &columns, &[&[string("root")], &[string("eve@corp.example")]]);
        assert_eq!(entities.len(), 1);
        assert_eq!(entities[0].get("Name"), Some("eve"));
        assert_eq!(entities[0].get("UPNSuffix"), Some("corp.example"));
        let names = ["ADMIN", "administrator", "System", "ROOT", "anonymous", "Authenticated User", "network", "NULL"];
        for name in names.into_iter().chain(["local system", "LocalSystem", "network service"]) {
            assert!(map_entities(&rule, &columns, &[&[string(name)]]).0.is_empty(), "{name}");
        }
    }

    #[test]
    fn a5_500_entities_are_divided_equally_among_the_mappings() {
        let rule = rule(vec![mapping("IP", &[("Address", "Ips")]), mapping("Host", &[("FullName", "Missing")])]);
        let columns = [Column::new("Ips", ScalarType::Dynamic)];
        let items = (0..300).map(|n| Dynamic::String(format!("10.0.{}.{}", n / 256, n % 256))).collect();
        let row = [Value::Dynamic(Dynamic::Array(items))];
        let (entities, notes) = map_entities(&rule, &columns, &[&row]);
        assert_eq!(entities.len(), 250, "500 divided among two mappings");
        assert_eq!(notes.len(), 2, "{notes:?}");
    }

    #[test]
    fn a5_a_column_of_entities_is_taken_over() {
        let mut rule = rule(vec![]);
        rule.sentinel_entities_mappings = vec!["E".to_string()];
        let columns = [Column::new("E", ScalarType::String)];
        let row = [string(r#"[{"$id":"1","Address":"10.0.0.1","Type":"ip"},{"$ref":"1"}]"#)];
        let (entities, _) = map_entities(&rule, &columns, &[&row]);
        assert_eq!(entities.len(), 1);
        assert_eq!(entities[0].get("Address"), Some("10.0.0.1"));
    }

    /// One row of a column for each name.
    fn columns_of(names: &[String]) -> Vec<Column> {
        names.iter().map(|name| Column::new(name, ScalarType::String)).collect()
    }

    #[test]
    fn a5_ten_mappings_count_and_columns_of_entities_share_them() {
        let names: Vec<String> = (0..12).map(|n| format!("C{n}")).collect();
        let columns = columns_of(&names);
        let row: Vec<Value> = (0..12).map(|n| string(&format!("203.0.113.{n}"))).collect();
        let mappings = names.iter().map(|name| mapping("IP", &[("Address", name)])).collect();
        let (entities, notes) = map_entities(&rule(mappings), &columns, &[&row]);
        assert_eq!((entities.len(), notes.len()), (10, 1), "{notes:?}");
        let mut shared = rule(names.iter().take(9).map(|name| mapping("IP", &[("Address", name)])).collect());
        shared.sentinel_entities_mappings = vec!["C9".to_string(), "C10".to_string()];
        let mut row = row;
        row[9] = string(r#"[{"Address":"198.51.100.9","Type":"ip"}]"#);
        row[10] = string(r#"[{"Address":"198.51.100.10","Type":"ip"}]"#);
        let (entities, _) = map_entities(&shared, &columns, &[&row]);
        assert_eq!(entities.len(), 10);
        assert_eq!(entities[9].get("Address"), Some("198.51.100.9"));
    }

    #[test]
    fn a5_two_mappings_of_one_type_count_as_two() {
        let columns = columns_of(&["A".to_string(), "B".to_string()]);
        let rows: Vec<[Value; 2]> = (0..300)
            .map(|n| {
                [string(&format!("10.0.{}.{}", n / 256, n % 256)), string(&format!("10.1.{}.{}", n / 256, n % 256))]
            })
            .collect();
        let rows: Vec<&[Value]> = rows.iter().map(|row| row.as_slice()).collect();
        let rule = rule(vec![mapping("IP", &[("Address", "A")]), mapping("IP", &[("Address", "B")])]);
        let (entities, _) = map_entities(&rule, &columns, &rows);
        let of = |start: &str| entities.iter().filter(|e| e.get("Address").unwrap().starts_with(start)).count();
        assert_eq!((of("10.0."), of("10.1.")), (250, 250));
    }

    #[test]
    fn a5_three_identifiers_of_a_mapping_count() {
        let names = ["Sid", "PUID", "ObjectGuid", "AadUserId"].map(str::to_string);
        let fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
        let row = names.clone().map(|name| string(&name));
        let (entities, _) = map_entities(&rule(vec![mapping("Account", &fields)]), &columns_of(&names), &[&row]);
        assert_eq!(entities[0].identifiers.len(), 3);
        assert_eq!(entities[0].get("AadUserId"), None);
    }

    #[test]
    fn a5_the_entities_text_has_64_kb() {
        let columns = columns_of(&["A".to_string()]);
        // Quotes grow when they are written as JSON.
        let rows: Vec<[Value; 1]> =
            (0..400).map(|n| [string(&format!("https://x/{n}/{}", "\"".repeat(200)))]).collect();
        let rows: Vec<&[Value]> = rows.iter().map(|row| row.as_slice()).collect();
        let (entities, notes) = map_entities(&rule(vec![mapping("URL", &[("Url", "A")])]), &columns, &rows);
        let text = entities_json(&entities).to_string();
        assert!(text.len() <= 64 * 1024 && text.len() > 63 * 1024, "{}", text.len());
        assert!(notes[0].contains("left out"), "{notes:?}");
    }

    #[test]
    fn a5_an_entity_needs_the_identifiers_of_its_type() {
        for known in entity_types::ENTITY_TYPES {
            // What identifies in itself: addresses and names of the right form.
            let value = |id: &str| string(if id == "Address" { "203.0.113.9" } else { "some value" });
            let mapped = |ids: &[&str]| {
                let names: Vec<String> = ids.iter().map(|id| id.to_string()).collect();
                let fields: Vec<(&str, &str)> = ids.iter().map(|id| (*id, *id)).collect();
                let row: Vec<Value> = ids.iter().map(|id| value(id)).collect();
                map_entities(&rule(vec![mapping(known.name, &fields)]), &columns_of(&names), &[&row]).0
            };
            let (each, all) = (mapped(&known.required[..1]), mapped(known.required));
            assert_eq!(each.len(), usize::from(!known.needs_all || known.required.len() == 1), "{}", known.name);
            assert_eq!(all.len(), 1, "{}", known.name);
            assert_eq!(all[0].kind, kind_text(known.name));
            let others: Vec<&str> =
                known.identifiers.iter().filter(|id| !known.required.contains(id)).copied().collect();
            if let Some(other) = others.first() {
                assert!(mapped(&[other]).is_empty(), "{} by {other} alone", known.name);
            }
        }
    }

    #[test]
    fn a5_strong_identifiers_say_that_two_are_one_and_weak_ones_do_not() {
        let entity = |kind: &str, ids: &[(&str, &str)]| Entity {
            kind: kind.to_string(),
            identifiers: ids.iter().map(|(id, value)| (id.to_string(), value.to_string())).collect(),
        };
        let same = |kind: &str, a: &[(&str, &str)], b: &[(&str, &str)]| entity(kind, a).is_same_as(&entity(kind, b));
        for id in ["AadUserId", "Sid", "PUID", "ObjectGuid"] {
            assert!(same("account", &[(id, "1"), ("Name", "a")], &[(id, "1"), ("Name", "b")]), "{id}");
        }
        for domain in ["UPNSuffix", "NTDomain", "DnsDomain"] {
            let both = [("Name", "ann"), (domain, "corp")];
            assert!(same("account", &both, &[("Name", "ANN"), (domain, "Corp"), ("Sid", "1")]), "{domain}");
            assert!(!same("account", &both, &[("Name", "ann"), (domain, "other")]), "{domain}");
        }
        assert!(!same("account", &[("Name", "ann"), ("Sid", "1")], &[("Name", "ann"), ("Sid", "2")]));
        let host = [("HostName", "web"), ("DnsDomain", "corp.example")];
        assert!(same("host", &host, &[("HostName", "web"), ("DnsDomain", "corp.example"), ("OSFamily", "Linux")]));
        assert!(!same("host", &[("HostName", "web"), ("OSFamily", "Linux")], &[("HostName", "web")]));
        assert!(same("host", &[("AzureID", "x"), ("HostName", "a")], &[("AzureID", "x"), ("HostName", "b")]));
        let scoped = |address: &'static str, scope: &'static str| [("Address", address), ("AddressScope", scope)];
        assert!(same("ip", &scoped("203.0.113.9", "a"), &scoped("203.0.113.9", "b")), "a global address");
        assert!(!same("ip", &scoped("10.0.0.9", "a"), &scoped("10.0.0.9", "b")), "a private one");
        let resource = |id: &'static str| [("ResourceId", id)];
        assert!(same("azure-resource", &resource("/subscriptions/A"), &resource("/SUBSCRIPTIONS/a")));
    }

    #[test]
    fn a5_the_number_of_a_cloud_application_is_a_number() {
        let columns = columns_of(&["A".to_string()]);
        let rule = rule(vec![mapping("CloudApplication", &[("AppId", "A")])]);
        let (entities, _) = map_entities(&rule, &columns, &[&[string("11161")]]);
        let text = entities_json(&entities).to_string();
        assert_eq!(text, r#"[{"$id":"2","AppId":11161,"Type":"cloud-application"}]"#);
    }
}

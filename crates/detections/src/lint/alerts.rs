//! TW401 to TW407: what alerts carry. The identifiers of each entity type are data, as the service documents them.

use kql_types::{Column, ScalarType};

use super::Profile;
use super::subject::{Finding, Subject};
use crate::entity_types;
use crate::rule::{AnalyticsRule, RuleKind};

const MAPPINGS_MAX: usize = 10;
/// What Microsoft's repository takes.
const MAPPINGS_MAX_REPOSITORY: usize = 5;
const IDENTIFIERS_MAX: usize = 3;
const DETAILS_MAX: usize = 20;
const COLUMN_CHARACTERS_MAX: usize = 500;
const PLACEHOLDERS_MAX: usize = 3;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    if subject.rule.kind == RuleKind::Hunting && subject.rule.entity_mappings.is_empty() {
        return;
    }
    mappings(subject, found);
    custom_entity_columns(subject, found);
    details(subject, found);
    overrides(subject, found);
    if subject.rule.kind != RuleKind::Hunting {
        let rule = subject.rule;
        let nothing = rule.entity_mappings.is_empty() && rule.sentinel_entities_mappings.is_empty();
        if nothing && !entity_types::CUSTOM_COLUMNS.iter().any(|(column, _)| rule.query.contains(column)) {
            found.extend(subject.at_field("TW402", "entityMappings", "no entity is mapped"));
        }
        if let Some(columns) = result(subject)
            && !columns.iter().any(|column| column.name == "TimeGenerated")
        {
            found.extend(subject.at_field(
                "TW407",
                "query",
                "the result has no TimeGenerated: the alert's times are those of the window",
            ));
        }
    }
}

/// The columns of the result, where they are all known.
fn result<'s>(subject: &'s Subject<'_>) -> Option<&'s [Column]> {
    let complete = subject.checked.bound.is_some() && !subject.checked.open;
    complete.then_some(subject.checked.columns.as_slice())
}

fn column<'s>(subject: &'s Subject<'_>, name: &str) -> Option<&'s Column> {
    subject.checked.columns.iter().find(|column| column.name == name)
}

fn mappings(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let rule = subject.rule;
    let mut add = |code: &str, message: String| found.extend(subject.at_field(code, "entityMappings", message));
    let most = if subject.context.profile == Profile::Sentinel { MAPPINGS_MAX_REPOSITORY } else { MAPPINGS_MAX };
    let count = rule.entity_mappings.len() + rule.sentinel_entities_mappings.len();
    if count > most {
        add("TW403", format!("{count} entity mappings, at most {most} are taken"));
    }
    for mapping in &rule.entity_mappings {
        let kind = mapping.entity_type.as_str();
        let fields: Vec<&str> = mapping.field_mappings.iter().map(|field| field.identifier.as_str()).collect();
        if fields.len() > IDENTIFIERS_MAX {
            add("TW403", format!("entity {kind}: {} identifiers, at most {IDENTIFIERS_MAX} are taken", fields.len()));
        }
        match entity_types::find(kind) {
            None => add("TW403", format!("`{kind}` is no entity type")),
            Some(known) => {
                for field in fields.iter().filter(|field| !known.takes(field)) {
                    let near = known.identifiers.iter().find(|id| id.eq_ignore_ascii_case(field));
                    let hint = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
                    add("TW403", format!("entity {kind} has no identifier `{field}`{hint}"));
                }
                if !known.is_identified_by(&fields) {
                    add("TW403", format!("entity {kind} needs {}", known.needs()));
                }
            }
        }
        let mut seen: Vec<&str> = Vec::new();
        for field in &fields {
            if seen.contains(field) {
                add("TW403", format!("entity {kind}: the identifier `{field}` stands twice"));
            }
            seen.push(field);
        }
        if kind == "Account" && fields == ["Name"] {
            add("TW404", "Account is known by its Name alone: add UPNSuffix, NTDomain, Sid or AadUserId".to_string());
        }
        if subject.context.profile == Profile::Sentinel {
            for field in mapping.field_mappings.iter().filter(|field| !is_column_name(&field.column_name)) {
                add("TW403", format!("entity {kind}: `{}` is no name of a column", field.column_name));
            }
        }
        for field in &mapping.field_mappings {
            match (column(subject, &field.column_name), result(subject)) {
                (None, Some(_)) => {
                    add("TW401", format!("entity {kind}: no column `{}` in the result", field.column_name))
                }
                (Some(column), _) if column.ty == ScalarType::Dynamic => {
                    add("TW405", format!("entity {kind}: column `{}` is dynamic", column.name));
                }
                _ => {}
            }
        }
    }
    for name in &rule.sentinel_entities_mappings {
        if result(subject).is_some() && column(subject, name).is_none() {
            add("TW401", format!("entities: no column `{name}` in the result"));
        }
    }
}

/// What Microsoft's repository takes for a column: letters, digits and `_`, not a digit first.
fn is_column_name(name: &str) -> bool {
    name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The old way to map entities: columns with fixed names, which need a mapping onto them.
fn custom_entity_columns(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let rule = subject.rule;
    if subject.context.profile != Profile::Sentinel || rule.kind == RuleKind::Hunting {
        return;
    }
    for (name, _) in entity_types::CUSTOM_COLUMNS {
        let mapped =
            rule.entity_mappings.iter().flat_map(|m| &m.field_mappings).any(|field| field.column_name == *name);
        if rule.query.contains(name) && !mapped {
            found.extend(subject.at_field(
                "TW403",
                "entityMappings",
                format!("the query makes {name}, and no mapping reads it"),
            ));
        }
    }
}

fn details(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let rule = subject.rule;
    let mut add = |message: String| found.extend(subject.at_field("TW406", "customDetails", message));
    if rule.custom_details.len() > DETAILS_MAX {
        add(format!("{} custom details, at most {DETAILS_MAX} are taken", rule.custom_details.len()));
    }
    for (key, name) in &rule.custom_details {
        let starts = key.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
        let well_formed = starts && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && key.len() <= 20;
        if !well_formed {
            add(format!("`{key}` is no name of a custom detail: at most 20 letters, digits and _"));
        }
        if subject.context.profile == Profile::Sentinel && (!is_column_name(name) || name.len() > COLUMN_CHARACTERS_MAX)
        {
            add(format!("custom detail {key}: `{name}` is no name of a column"));
        }
        if result(subject).is_some() && column(subject, name).is_none() {
            add(format!("custom detail {key}: no column `{name}` in the result"));
        }
    }
}

fn overrides(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let settings = &subject.rule.alert_details_override;
    let mut add = |message: String| found.extend(subject.at_field("TW406", "alertDetailsOverride", message));
    let formats = [
        ("alertDisplayNameFormat", &settings.alert_display_name_format, 256),
        ("alertDescriptionFormat", &settings.alert_description_format, 5_000),
    ];
    let mut named: Vec<(&str, String)> = Vec::new();
    for (field, format, most) in formats {
        let Some(format) = format else { continue };
        let columns = placeholders(format);
        if columns.len() > PLACEHOLDERS_MAX {
            add(format!("{field} has {} columns, at most {PLACEHOLDERS_MAX} are taken", columns.len()));
        }
        if format.chars().count() > most {
            add(format!("{field} has {} characters, at most {most} are taken", format.chars().count()));
        }
        named.extend(columns.into_iter().map(|column| (field, column)));
    }
    named.extend(settings.alert_tactics_column_name.iter().map(|c| ("alertTacticsColumnName", c.clone())));
    named.extend(settings.alert_severity_column_name.iter().map(|c| ("alertSeverityColumnName", c.clone())));
    for (property, value) in &settings.alert_dynamic_properties {
        if !DYNAMIC_PROPERTIES.contains(&property.as_str()) {
            add(format!("`{property}` is no dynamic property"));
        }
        named.push(("alertDynamicProperties", value.clone()));
    }
    for (field, name) in named {
        if result(subject).is_some() && column(subject, &name).is_none() {
            add(format!("{field}: no column `{name}` in the result"));
        }
    }
}

const DYNAMIC_PROPERTIES: &[&str] = &[
    "AlertLink",
    "ConfidenceLevel",
    "ConfidenceScore",
    "ExtendedLinks",
    "ProductComponentName",
    "ProductName",
    "ProviderName",
    "RemediationSteps",
    "SubTechniques",
    "Techniques",
];

/// The columns named in double braces.
fn placeholders(format: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = format;
    while let Some((_, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        found.push(name.trim().to_string());
        rest = behind;
    }
    found
}

/// Distinct entities of one mapping that a SingleAlert has room for.
pub(super) fn room_per_mapping(rule: &AnalyticsRule) -> usize {
    500 / rule.entity_mappings.len().clamp(1, MAPPINGS_MAX)
}

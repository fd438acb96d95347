//! Rules as Terraform resources of the azurerm provider: scheduled, near real time, and hunting queries as saved searches.
//!
//! Reading evaluates variables with defaults, locals and a few functions; writing is plain text with the query as a heredoc.
//! What a resource has no argument for is kept in `locals`. Start at [`read`] and [`write`].

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hcl::eval::{Context, Evaluate, FuncArgs, FuncDef, ParamType};
use hcl::{Block, Body, Expression, Value};

use crate::fields::{
    Kind, ReadRule, Residue, Written, iso_duration, kind_of, list, long_operator, name_of, short_duration,
    split_techniques, texts,
};
use crate::yaml::{Node, NodeKind};

const SCHEDULED: &str = "azurerm_sentinel_alert_rule_scheduled";
const NRT: &str = "azurerm_sentinel_alert_rule_nrt";
const SEARCH: &str = "azurerm_log_analytics_saved_search";
const KEPT: &str = "tidewatch";

/// Arguments that are fields: (argument, field).
const ARGUMENTS: &[(&str, &str)] = &[
    ("name", "id"),
    ("display_name", "name"),
    ("description", "description"),
    ("severity", "severity"),
    ("enabled", "enabled"),
    ("query_frequency", "queryFrequency"),
    ("query_period", "queryPeriod"),
    ("trigger_operator", "triggerOperator"),
    ("trigger_threshold", "triggerThreshold"),
    ("suppression_enabled", "suppressionEnabled"),
    ("suppression_duration", "suppressionDuration"),
    ("tactics", "tactics"),
    ("techniques", "relevantTechniques"),
    ("alert_rule_template_guid", "alertRuleTemplateName"),
    ("alert_rule_template_version", "version"),
    ("custom_details", "customDetails"),
    ("query", "query"),
];

/// Arguments of every resource that say nothing about a rule.
const OTHER_ARGUMENTS: &[&str] = &[
    "log_analytics_workspace_id",
    "depends_on",
    "count",
    "for_each",
    "provider",
    "category",
    "tags",
    "function_alias",
];

/// Names inside blocks: (argument, field).
const INNER: &[(&str, &str)] = &[
    ("entity_type", "entityType"),
    ("identifier", "identifier"),
    ("column_name", "columnName"),
    ("aggregation_method", "aggregationKind"),
    ("create_incident_enabled", "createIncident"),
    ("create_incident", "createIncident"),
    ("enabled", "enabled"),
    ("lookback_duration", "lookbackDuration"),
    ("reopen_closed_incidents", "reopenClosedIncident"),
    ("entity_matching_method", "matchingMethod"),
    ("by_entities", "groupByEntities"),
    ("by_alert_details", "groupByAlertDetails"),
    ("by_custom_details", "groupByCustomDetails"),
    ("group_by_entities", "groupByEntities"),
    ("display_name_format", "alertDisplayNameFormat"),
    ("description_format", "alertDescriptionFormat"),
    ("tactics_column_name", "alertTacticsColumnName"),
    ("severity_column_name", "alertSeverityColumnName"),
    ("name", "alertProperty"),
    ("value", "value"),
];

/// Blocks: (block, field, it is one of a list).
const BLOCKS: &[(&str, &str, bool)] = &[
    ("entity_mapping", "entityMappings", true),
    ("field_mapping", "fieldMappings", true),
    ("sentinel_entity_mapping", "sentinelEntitiesMappings", true),
    ("event_grouping", "eventGroupingSettings", false),
    ("incident", "incidentConfiguration", false),
    ("incident_configuration", "incidentConfiguration", false),
    ("grouping", "groupingConfiguration", false),
    ("alert_details_override", "alertDetailsOverride", false),
    ("dynamic_property", "alertDynamicProperties", true),
];

/// Whether a text holds rules of this form.
pub fn looks_like_terraform(text: &str) -> bool {
    [SCHEDULED, NRT, SEARCH].iter().any(|kind| text.contains(&format!("\"{kind}\"")))
}

/// The rules of a Terraform file.
///
/// # Errors
/// A text that is not HCL, with the place.
pub fn read(text: &str) -> Result<Vec<ReadRule>, String> {
    let body = hcl::parse(text).map_err(|error| format!("not HCL: {error}"))?;
    let (context, kept) = context_of(&body);
    let mut found = Vec::new();
    for block in body.blocks().filter(|block| block.identifier() == "resource") {
        let labels: Vec<&str> = block.labels().iter().map(hcl::BlockLabel::as_str).collect();
        let read = match labels.as_slice() {
            [SCHEDULED, _] => read_rule(block, "Scheduled", &context),
            [NRT, _] => read_rule(block, "NRT", &context),
            [SEARCH, _] => match read_search(block, &context) {
                Some(read) => read,
                None => continue,
            },
            _ => continue,
        };
        let mut read = read;
        if let Some(residue) = labels.get(1).and_then(|name| kept.get(*name)) {
            residue.restore(&mut read.rule);
        }
        found.push(read);
    }
    Ok(found)
}

/// The names that expressions may use, and what was kept of rules by the names of their resources.
fn context_of(body: &Body) -> (Context<'static>, BTreeMap<String, Residue>) {
    let mut context = Context::new();
    declare_functions(&mut context);
    let mut variables = hcl::Map::new();
    for block in body.blocks().filter(|block| block.identifier() == "variable") {
        let default = block.body().attributes().find(|attribute| attribute.key() == "default");
        if let (Some(label), Some(default)) = (block.labels().first(), default)
            && let Ok(value) = default.expr().evaluate(&context)
        {
            variables.insert(label.as_str().to_string(), value);
        }
    }
    context.declare_var("var", Value::Object(variables));
    let mut locals = hcl::Map::new();
    let mut kept = BTreeMap::new();
    for block in body.blocks().filter(|block| block.identifier() == "locals") {
        for attribute in block.body().attributes() {
            // A local may name those before it.
            context.declare_var("local", Value::Object(locals.clone()));
            let Ok(value) = attribute.expr().evaluate(&context) else { continue };
            if attribute.key() == KEPT {
                let node = of_hcl(&value);
                kept.extend(node.entries().iter().map(|entry| (entry.key.clone(), Residue::of_node(&entry.value))));
            }
            locals.insert(attribute.key().to_string(), value);
        }
    }
    context.declare_var("local", Value::Object(locals));
    (context, kept)
}

fn declare_functions(context: &mut Context<'_>) {
    fn one(args: &FuncArgs, change: impl Fn(&str) -> String) -> Result<Value, String> {
        match args.first() {
            Some(Value::String(text)) => Ok(Value::String(change(text))),
            _ => Err("expected a text".to_string()),
        }
    }
    let text = || vec![ParamType::String];
    context.declare_func(
        "chomp",
        FuncDef::new(|args: FuncArgs| one(&args, |t| t.trim_end_matches(['\n', '\r']).to_string()), text()),
    );
    context.declare_func("trimspace", FuncDef::new(|args: FuncArgs| one(&args, |t| t.trim().to_string()), text()));
    context.declare_func("lower", FuncDef::new(|args: FuncArgs| one(&args, str::to_lowercase), text()));
    context.declare_func("upper", FuncDef::new(|args: FuncArgs| one(&args, str::to_uppercase), text()));
    context.declare_func(
        "join",
        FuncDef::new(
            |args: FuncArgs| match (args.first(), args.get(1)) {
                (Some(Value::String(between)), Some(Value::Array(items))) => {
                    let texts: Vec<String> = items.iter().filter_map(|item| of_hcl(item).text()).collect();
                    Ok(Value::String(texts.join(between)))
                }
                _ => Err("expected a text and a list".to_string()),
            },
            vec![ParamType::String, ParamType::Any],
        ),
    );
}

fn of_hcl(value: &Value) -> Node {
    match value {
        Value::Null => Node::made(NodeKind::Null),
        Value::Bool(value) => Node::made(NodeKind::Bool(*value)),
        Value::Number(number) => Node::made(NodeKind::Number(number.to_string())),
        Value::String(text) => Node::of_text(text.clone()),
        Value::Array(items) => Node::of_list(items.iter().map(of_hcl)),
        Value::Object(members) => Node::of_map(members.iter().map(|(key, value)| (key.clone(), of_hcl(value)))),
    }
}

/// The value of an argument; what cannot be evaluated is noted.
fn evaluated(name: &str, expression: &Expression, context: &Context<'_>, notes: &mut Vec<String>) -> Option<Node> {
    match expression.evaluate(context) {
        Ok(value) => Some(of_hcl(&value)).filter(|node| node.kind != NodeKind::Null),
        Err(_) => {
            let text = hcl::format::to_string(expression).unwrap_or_default();
            notes.push(format!("`{name}`: {} has no value without a plan", text.trim()));
            None
        }
    }
}

fn read_rule(block: &Block, kind: &str, context: &Context<'_>) -> ReadRule {
    let mut notes = Vec::new();
    let mut rule = Node::of_map([("kind", Node::of_text(kind))]);
    for attribute in block.body().attributes() {
        let name = attribute.key();
        if OTHER_ARGUMENTS.contains(&name) {
            continue;
        }
        let Some(value) = evaluated(name, attribute.expr(), context, &mut notes) else { continue };
        match ARGUMENTS.iter().find(|(argument, _)| *argument == name) {
            Some((_, field)) => rule.set(field, from_terraform(field, value)),
            None => {
                notes.push(format!("the argument `{name}` is not known: kept"));
                rule.set(name, value);
            }
        }
    }
    read_blocks(block.body(), &mut rule, context, &mut notes);
    let template = rule.get("alertRuleTemplateName").and_then(Node::text);
    if template.is_some()
        && template == rule.get("id").and_then(Node::text)
        && let NodeKind::Map(entries) = &mut rule.kind
    {
        entries.retain(|entry| entry.key != "alertRuleTemplateName");
    }
    ReadRule { rule, notes }
}

fn read_blocks(body: &Body, node: &mut Node, context: &Context<'_>, notes: &mut Vec<String>) {
    for block in body.blocks() {
        let Some((_, field, listed)) = BLOCKS.iter().find(|(name, ..)| *name == block.identifier()) else {
            if !["lifecycle", "timeouts"].contains(&block.identifier()) {
                let label = block.labels().first().map(|label| format!(" {}", label.as_str())).unwrap_or_default();
                notes.push(format!("the block `{}{label}` is not read", block.identifier()));
            }
            continue;
        };
        let mut inner = Node::made(NodeKind::Map(Vec::new()));
        for attribute in block.body().attributes() {
            let Some(value) = evaluated(attribute.key(), attribute.expr(), context, notes) else { continue };
            match INNER.iter().find(|(argument, _)| *argument == attribute.key()) {
                Some((_, name)) => inner.set(name, from_terraform(name, value)),
                None => inner.set(attribute.key(), value),
            }
        }
        read_blocks(block.body(), &mut inner, context, notes);
        if *listed {
            let before = node.get(field).map(Node::items_of_maps).unwrap_or_default();
            let all: Vec<Node> = before.into_iter().cloned().chain([inner]).collect();
            node.set(field, Node::of_list(all));
        } else {
            node.set(field, inner);
        }
    }
}

fn from_terraform(field: &str, value: Node) -> Node {
    let text = value.text();
    match field {
        "queryFrequency" | "queryPeriod" | "suppressionDuration" | "lookbackDuration" => {
            text.as_deref().and_then(short_duration).map_or(value, Node::of_text)
        }
        "triggerOperator" => {
            let operators = crate::fields::OPERATORS;
            let short =
                operators.iter().find(|(_, long)| text.as_deref().is_some_and(|t| long.eq_ignore_ascii_case(t)));
            short.map_or(value, |(short, _)| Node::of_text(*short))
        }
        _ => value,
    }
}

fn read_search(block: &Block, context: &Context<'_>) -> Option<ReadRule> {
    let mut notes = Vec::new();
    let mut rule = Node::made(NodeKind::Map(Vec::new()));
    let mut category = None;
    let mut tags = None;
    for attribute in block.body().attributes() {
        let name = attribute.key();
        match name {
            "category" => category = evaluated(name, attribute.expr(), context, &mut notes).and_then(|n| n.text()),
            "tags" => tags = evaluated(name, attribute.expr(), context, &mut notes),
            "name" | "display_name" | "query" => {
                let value = evaluated(name, attribute.expr(), context, &mut notes);
                let field = ARGUMENTS.iter().find(|(argument, _)| *argument == name).map(|(_, field)| *field);
                if let (Some(value), Some(field)) = (value, field) {
                    rule.set(field, value);
                }
            }
            _ => {}
        }
    }
    if !category.is_some_and(|category| category.eq_ignore_ascii_case("hunting queries")) {
        return None;
    }
    let tag = |name: &str| tags.as_ref().and_then(|tags| tags.get(name)).and_then(Node::text);
    if let Some(description) = tag("description") {
        rule.set("description", Node::of_text(description));
    }
    for (name, field) in [("tactics", "tactics"), ("techniques", "relevantTechniques")] {
        if let Some(all) = tag(name) {
            rule.set(field, list(all.split(',').map(|name| name.trim().to_string())));
        }
    }
    Some(ReadRule { rule, notes })
}

/// A file with these rules as resources. The workspace is a variable.
pub fn write(rules: &[Node]) -> Written {
    let mut text = String::from("variable \"log_analytics_workspace_id\" {\n  type = string\n}\n");
    let mut notes = Vec::new();
    let mut kept: Vec<(String, Node)> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for rule in rules {
        let mut label = label_of(rule);
        while names.contains(&label) {
            label.push('_');
        }
        names.push(label.clone());
        let resource = resource_of(rule, &label);
        let back = read(&resource).ok().and_then(|mut read| (!read.is_empty()).then(|| read.remove(0).rule));
        let residue = Residue::between(rule, &back.unwrap_or_else(|| Node::made(NodeKind::Map(Vec::new()))));
        if !residue.is_empty() {
            notes.extend(residue.notes(&name_of(rule), "a Terraform resource", "the file's locals"));
            kept.push((label, residue.node()));
        }
        let _ = write!(text, "\n{resource}");
    }
    if !kept.is_empty() {
        let _ = write!(text, "\nlocals {{\n  # What the resources above have no argument for.\n  {KEPT} = ");
        write_value(&mut text, &Node::of_map(kept), 2);
        text.push_str("\n}\n");
    }
    Written { text, notes }
}

/// A name for a resource: letters, digits and underscores.
fn label_of(rule: &Node) -> String {
    let name = name_of(rule);
    let words: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let label = words.join("_");
    if label.starts_with(|c: char| c.is_ascii_alphabetic()) { label } else { format!("rule_{label}") }
}

fn resource_of(rule: &Node, label: &str) -> String {
    let kind = kind_of(rule);
    if kind == Kind::Hunting {
        return search_of(rule, label);
    }
    let mut out = format!("resource \"{}\" \"{label}\" {{\n", if kind == Kind::Nrt { NRT } else { SCHEDULED });
    let id = rule.get("id").and_then(Node::text).unwrap_or_else(|| label.to_string());
    let _ = writeln!(out, "  name = {}", quoted(&id));
    out.push_str("  log_analytics_workspace_id = var.log_analytics_workspace_id\n");
    if rule.get("name").is_none() {
        let _ = writeln!(out, "  display_name = {}", quoted(&name_of(rule)));
    }
    if rule.get("severity").is_none() {
        out.push_str("  severity = \"Medium\"\n");
    }
    for (argument, field) in ARGUMENTS.iter().filter(|(argument, _)| *argument != "name") {
        let scheduled_only = argument.starts_with("query_") || argument.starts_with("trigger_");
        if kind == Kind::Nrt && scheduled_only {
            continue;
        }
        let Some(value) = rule.get(field).filter(|value| value.kind != NodeKind::Null) else { continue };
        let value = match *field {
            "relevantTechniques" => list(split_techniques(&texts(Some(value))).0),
            field => to_terraform(field, value),
        };
        let _ = write!(out, "  {argument} = ");
        write_value(&mut out, &value, 2);
        out.push('\n');
    }
    // A version has to name its template.
    if rule.get("version").is_some() && rule.get("alertRuleTemplateName").is_none() {
        let _ = writeln!(out, "  alert_rule_template_guid = {}", quoted(&id));
    }
    if kind == Kind::Nrt && rule.get("eventGroupingSettings").is_none() {
        out.push_str("\n  event_grouping {\n    aggregation_method = \"SingleAlert\"\n  }\n");
    }
    for field in [
        "entityMappings",
        "sentinelEntitiesMappings",
        "eventGroupingSettings",
        "incidentConfiguration",
        "alertDetailsOverride",
    ] {
        if let Some(value) = rule.get(field) {
            write_block(&mut out, field, value, 2);
        }
    }
    out.push_str("}\n");
    out
}

fn to_terraform(field: &str, value: &Node) -> Node {
    let text = value.text();
    match field {
        "queryFrequency" | "queryPeriod" | "suppressionDuration" | "lookbackDuration" => {
            text.as_deref().and_then(iso_duration).map_or_else(|| value.clone(), Node::of_text)
        }
        "triggerOperator" => text.as_deref().and_then(long_operator).map_or_else(|| value.clone(), Node::of_text),
        "triggerThreshold" => match text.filter(|text| text.trim().parse::<i64>().is_ok()) {
            Some(number) => Node::made(NodeKind::Number(number.trim().to_string())),
            None => value.clone(),
        },
        "enabled" | "suppressionEnabled" | "createIncident" | "reopenClosedIncident" => {
            value.boolean().map_or_else(|| value.clone(), |value| Node::made(NodeKind::Bool(value)))
        }
        "name" | "description" | "severity" | "query" | "version" => Node::of_text(text.unwrap_or_default()),
        "tactics" => list(texts(Some(value))),
        _ => value.clone(),
    }
}

/// A field that is a block, or a list of them; members that no argument is known for are left to the residue.
fn write_block(out: &mut String, field: &str, value: &Node, indent: usize) {
    let Some((name, _, listed)) = BLOCKS.iter().find(|(_, known, _)| *known == field) else { return };
    let items: Vec<&Node> = if *listed { value.items_of_maps() } else { vec![value] };
    let blanks = " ".repeat(indent);
    for item in items.into_iter().filter(|item| !item.entries().is_empty()) {
        let _ = write!(out, "\n{blanks}{name} {{\n");
        for entry in item.entries() {
            if let Some((argument, _)) = INNER.iter().find(|(_, known)| *known == entry.key) {
                let _ = write!(out, "{blanks}  {argument} = ");
                write_value(out, &to_terraform(&entry.key, &entry.value), indent + 2);
                out.push('\n');
            }
        }
        for entry in item.entries() {
            write_block(out, &entry.key, &entry.value, indent + 2);
        }
        let _ = writeln!(out, "{blanks}}}");
    }
}

fn search_of(rule: &Node, label: &str) -> String {
    let text = |key: &str| rule.get(key).and_then(Node::text);
    let id = text("id").unwrap_or_else(|| label.to_string());
    let mut out = format!("resource \"{SEARCH}\" \"{label}\" {{\n  name = {}\n", quoted(&id));
    out.push_str("  log_analytics_workspace_id = var.log_analytics_workspace_id\n  category = \"Hunting Queries\"\n");
    let _ = writeln!(out, "  display_name = {}", quoted(&name_of(rule)));
    let mut tags = Node::made(NodeKind::Map(Vec::new()));
    for (name, value) in [
        ("description", text("description")),
        ("tactics", Some(texts(rule.get("tactics")).join(",")).filter(|t| !t.is_empty())),
        ("techniques", Some(texts(rule.get("relevantTechniques")).join(",")).filter(|t| !t.is_empty())),
    ] {
        if let Some(value) = value {
            tags.set(name, Node::of_text(value));
        }
    }
    if !tags.entries().is_empty() {
        out.push_str("  tags = ");
        write_value(&mut out, &tags, 2);
        out.push('\n');
    }
    out.push_str("  query = ");
    write_value(&mut out, &Node::of_text(text("query").unwrap_or_default()), 2);
    out.push_str("\n}\n");
    out
}

fn write_value(out: &mut String, node: &Node, indent: usize) {
    let blanks = " ".repeat(indent);
    match &node.kind {
        NodeKind::Null => out.push_str("null"),
        NodeKind::Bool(value) => {
            let _ = write!(out, "{value}");
        }
        // What Terraform would print otherwise is a text.
        NodeKind::Number(text) => match text.parse::<i64>() {
            Ok(number) if number.to_string() == *text => out.push_str(text),
            _ => out.push_str(&quoted(text)),
        },
        NodeKind::Text(text) => match heredoc(text) {
            Some(heredoc) => out.push_str(&heredoc),
            None => out.push_str(&quoted(text)),
        },
        NodeKind::List(items) => {
            let flat = items.iter().all(|item| item.text().is_some_and(|text| !text.contains('\n')));
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if flat {
                    out.push_str(if index == 0 { "" } else { ", " });
                } else {
                    let _ = write!(out, "{}\n{blanks}  ", if index == 0 { "" } else { "," });
                }
                // A heredoc would swallow the comma behind it.
                match &item.kind {
                    NodeKind::Text(text) => out.push_str(&quoted(text)),
                    _ => write_value(out, item, indent + 2),
                }
            }
            if !flat {
                let _ = write!(out, "\n{blanks}");
            }
            out.push(']');
        }
        NodeKind::Map(entries) => {
            out.push_str("{\n");
            for entry in entries {
                let _ = write!(out, "{blanks}  {} = ", quoted(&entry.key));
                write_value(out, &entry.value, indent + 2);
                out.push('\n');
            }
            let _ = write!(out, "{blanks}}}");
        }
    }
}

/// A text of several lines as it is; None for one line, and for what a heredoc would change.
fn heredoc(text: &str) -> Option<String> {
    let (body, chomped) = match text.strip_suffix('\n') {
        Some(body) => (body, false),
        None => (text, true),
    };
    let plain = !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
    if !body.contains('\n') || !plain || chomped && body.ends_with('\n') {
        return None;
    }
    let mut mark = "QUERY".to_string();
    while body.lines().any(|line| line.trim() == mark) {
        mark.push('_');
    }
    let body = markers_escaped(body);
    Some(if chomped { format!("chomp(<<{mark}\n{body}\n{mark}\n  )") } else { format!("<<{mark}\n{body}\n{mark}") })
}

/// A text with `${` and `%{` that start no template: the sign is doubled. More signs in front are a literal of their own, for
/// readers that take any number of them for one.
fn markers_escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['$', '%']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let sign = if from.starts_with('$') { '$' } else { '%' };
        let run = from.len() - from.trim_start_matches(sign).len();
        let signs = from.get(..run).unwrap_or_default();
        rest = from.get(run..).unwrap_or_default();
        if !rest.starts_with('{') {
            out.push_str(signs);
            continue;
        }
        let more = signs.get(1..).unwrap_or_default();
        if !more.is_empty() {
            let _ = write!(out, "${{\"{more}\"}}");
        }
        out.push(sign);
        out.push(sign);
    }
    out.push_str(rest);
    out
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    format!("\"{}\"", markers_escaped(&out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::normal;

    #[test]
    fn variables_locals_and_heredocs_are_read() {
        let text = "variable \"sev\" {\n  default = \"High\"\n}\nvariable \"ws\" {}\nlocals {\n  prefix = \"Cloud\"\n  name = \"${local.prefix}: x\"\n}\n\
            resource \"azurerm_sentinel_alert_rule_scheduled\" \"x\" {\n  name = \"guid\"\n  log_analytics_workspace_id = var.ws\n  display_name = local.name\n\
            severity = var.sev\n  query_frequency = \"PT1H\"\n  query = <<-QUERY\n    T\n    | take 1\n  QUERY\n  trigger_operator = \"LessThan\"\n  trigger_threshold = 3\n\
            tactics = [\"Impact\"]\n  description = file(\"x.md\")\n  incident {\n    create_incident_enabled = true\n    grouping {\n      lookback_duration = \"PT5M\"\n      by_entities = [\"IP\"]\n    }\n  }\n\
            entity_mapping {\n    entity_type = \"IP\"\n    field_mapping {\n      identifier = \"Address\"\n      column_name = \"A\"\n    }\n  }\n}\n";
        let read = read(text).unwrap().remove(0);
        let wanted = "id: guid\nkind: Scheduled\nname: 'Cloud: x'\nseverity: High\nqueryFrequency: 1h\nquery: |\n  T\n  | take 1\ntriggerOperator: lt\ntriggerThreshold: 3\n\
            tactics: [Impact]\nincidentConfiguration: {createIncident: true, groupingConfiguration: {lookbackDuration: 5m, groupByEntities: [IP]}}\n\
            entityMappings:\n- entityType: IP\n  fieldMappings:\n  - {identifier: Address, columnName: A}\n";
        assert_eq!(normal(&read.rule), normal(&crate::yaml::parse(wanted).unwrap()));
        assert_eq!(read.notes.len(), 1);
        assert!(read.notes[0].contains("file(\"x.md\")"), "{:?}", read.notes);
    }

    #[test]
    fn texts_of_any_kind_come_back() {
        for text in [
            "a",
            "a\nb\n",
            "a\nb",
            "a\n\nb\n\n",
            "x ${y} %{z}\n$${q}\n",
            "tab\tback\\slash \"q\"\nQUERY\n",
            "cr\r\nlf\n",
            "",
            "\n",
            " lead\n  in\n",
            "$",
            "100%",
        ] {
            let rule = Node::of_map([
                ("id", Node::of_text("i")),
                ("name", Node::of_text("n")),
                ("kind", Node::of_text("NRT")),
                ("severity", Node::of_text("Low")),
                ("query", Node::of_text(text)),
            ]);
            let written = write(std::slice::from_ref(&rule));
            let back = read(&written.text).unwrap().remove(0).rule;
            assert_eq!(back.get("query").and_then(Node::text).as_deref(), Some(text), "{}", written.text);
            assert!(!written.notes.iter().any(|note| note.contains("`query`")), "{:?}", written.notes);
        }
    }
}

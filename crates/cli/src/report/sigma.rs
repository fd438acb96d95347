//! The tables of Sigma's log sources as Markdown, made from the registry.

use std::fmt::Write as _;

use sigma::mapping::{Place, Rest, Source, Target, sources};
use sigma::modifier::MODIFIERS;

/// Modifiers, log sources, and the fields of each table.
pub fn tables() -> String {
    let mut out = String::from("## Modifiers\n\n| modifier | what |\n|---|---|\n");
    for (name, what) in MODIFIERS {
        let _ = writeln!(out, "| `{name}` | {what} |");
    }
    out.push_str("\n## Log sources\n\nSeveral tables are read together: an event in any of them counts.\n\n| log source | tables | note |\n|---|---|---|\n");
    for source in sources() {
        let _ = writeln!(out, "| {} | {} | {} |", named(source), shown(source), source.note);
    }
    out.push_str("\n## Fields\n\nA field that is not listed is the column of its name, case and underscores aside; then what the last column says.\n\n| table | field | is |\n|---|---|---|\n");
    let mut seen: Vec<(&str, *const (&str, Place))> = Vec::new();
    for target in sources().flat_map(|source| source.targets) {
        let key = (target.table, target.fields.as_ptr());
        if seen.contains(&key) {
            continue;
        }
        seen.push(key);
        for (field, place) in target.fields {
            let _ = writeln!(out, "| {} | `{field}` | {} |", target.table, place_text(*place));
        }
        let _ = writeln!(out, "| {} | any other | {} |", target.table, rest_text(target.rest));
    }
    out
}

fn named(source: &Source) -> String {
    let parts = [("product", source.product), ("category", source.category), ("service", source.service)];
    let said: Vec<String> =
        parts.iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| format!("{name} `{text}`")).collect();
    said.join(", ")
}

fn shown(source: &Source) -> String {
    let one = |target: &&'static Target| {
        if target.rows.is_empty() {
            target.table.to_string()
        } else {
            format!("{} where `{}`", target.table, target.rows.replace('|', "\\|"))
        }
    };
    source.targets.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn place_text(place: Place) -> String {
    match place {
        Place::Column(column) => column.to_string(),
        Place::Optional(column) => format!("{column}, where the export has it"),
        Place::Json(column, path) => format!("`{path}` in {column}"),
        Place::Under(column) => format!("that path in {column}"),
        Place::InList(column, name) => format!("`{name}` of any object in {column}"),
        Place::UnderList(column) => format!("the last name, of any object in {column}"),
        Place::Kql(kql) => format!("`{}`", kql.replace('|', "\\|")),
    }
}

fn rest_text(rest: Rest) -> String {
    match rest {
        Rest::Nothing => "not there".to_string(),
        Rest::Xml(column) => format!("`<Data Name=\"...\">` in {column}"),
        Rest::Member(column) => format!("that member of {column}"),
        Rest::KeyValue(column) => format!("`name=value` in {column}"),
        Rest::Suffixed => "a column of that name with `_s`".to_string(),
        Rest::NamedValue(column) => format!("the parameter of that name in {column}"),
    }
}

//! The page of an entry, and the index.

use std::fmt::Write;

use engine::ResultTable;
use kql_syntax::FormatOptions;
use kql_types::{Value, datetime, number, timespan};

use crate::docs::entry::{Entry, Folder, Outcome};

/// Queries that are longer are shown formatted, an operator a line.
const LINE_CHARACTERS_MAX: usize = 90;

/// The page of one entry.
pub fn of(entry: &Entry) -> String {
    let mut page = format!("# `{}`\n\n", entry.name);
    let _ = writeln!(page, "{}\n", entry.summary);
    page.push_str("```\n");
    for signature in &entry.signatures {
        let _ = writeln!(page, "{signature}");
    }
    page.push_str("```\n\n");
    if !entry.details.is_empty() {
        let _ = writeln!(page, "{}\n", entry.details);
    }
    if let Some(successor) = entry.obsolete {
        let _ = writeln!(page, "An old name: write `{successor}`.\n");
    }
    if let Some(naming) = &entry.naming {
        let _ = writeln!(page, "An unnamed column of it is called: {naming}.\n");
    }
    match &entry.outcome {
        Outcome::Works(shown) => {
            page.push_str(if shown.len() == 1 { "## Example\n\n" } else { "## Examples\n\n" });
            for example in shown {
                let _ = writeln!(page, "```kql\n{}\n```\n", query(example.query));
                for result in &example.tables {
                    page.push_str(&table(result));
                    page.push('\n');
                }
            }
        }
        Outcome::Missing(reason) => {
            let _ = writeln!(page, "**Not done yet.** A query with it fails: {reason}.\n");
        }
    }
    let folder = entry.folder.title();
    let _ = writeln!(page, "{folder}, {} · [Reference](../README.md)", lower_first(entry.family));
    page
}

/// The index: every entry with its summary, by folder and family.
pub fn index(entries: &[Entry]) -> String {
    let mut page = String::from(
        "# Reference\n\nWritten by `cargo xtask docs` from the registries of the engine; the results under the examples are \
         what the engine gives.\n\n- [Commands](commands.md) of the program `tidewatch`\n- [Lint codes](lint/README.md)\n- [Sigma](sigma.md): modifiers, log sources, fields\n- [Coverage](coverage.md): what of \
         Kusto's language works, deviates, or is missing\n",
    );
    for folder in Folder::ALL {
        let _ = write!(page, "\n## {}\n", folder.title());
        let mut family = "";
        for entry in entries.iter().filter(|entry| entry.folder == folder) {
            if entry.family != family {
                family = entry.family;
                let _ = write!(page, "\n### {family}\n\n");
            }
            let missing = if matches!(entry.outcome, Outcome::Missing(_)) { " *(not done)*" } else { "" };
            let _ = writeln!(page, "- {}{missing}: {}", link(entry, ""), entry.summary);
        }
    }
    page
}

/// A link to an entry's page; `root` leads to the reference's folder.
pub fn link(entry: &Entry, root: &str) -> String {
    format!("[`{}`]({root}{}/{}.md)", entry.name, entry.folder.name(), entry.slug())
}

fn lower_first(title: &str) -> String {
    if title.chars().nth(1).is_some_and(char::is_uppercase) {
        return title.to_owned();
    }
    let mut chars = title.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

fn query(text: &str) -> String {
    if text.chars().count() <= LINE_CHARACTERS_MAX {
        return text.to_owned();
    }
    kql_syntax::format(text, &FormatOptions::default()).trim_end().to_owned()
}

fn table(result: &ResultTable) -> String {
    let head: Vec<String> =
        result.columns.iter().map(|column| format!("{}: {}", code(&column.name), column.ty)).collect();
    let mut out = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len()));
    for row in result.rows() {
        let cells: Vec<String> = row.iter().map(value).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
}

/// A value in a table: nulls and empty texts can be told apart.
fn value(value: &Value) -> String {
    match value {
        Value::Null(_) => "*null*".to_owned(),
        Value::String(text) if text.is_empty() => "`\"\"`".to_owned(),
        Value::String(text) => code(text),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Long(value) => value.to_string(),
        Value::Real(value) => number::format_real(rounded(*value)),
        Value::Decimal(text) | Value::Guid(text) => text.clone(),
        Value::DateTime(ticks) => datetime::format(*ticks),
        Value::TimeSpan(ticks) => timespan::format(*ticks),
        Value::Dynamic(value) => code(&value.to_text()),
    }
}

/// Twelve digits: the last bits of a sum may differ between processors.
fn rounded(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}

fn code(text: &str) -> String {
    let text = text.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t").replace('|', "\\|");
    if text.contains('`') || text.trim() != text { format!("`` {text} ``") } else { format!("`{text}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_keep_the_table_whole() {
        assert_eq!(value(&Value::String("a|b\nc".into())), "`a\\|b\\nc`");
        assert_eq!(value(&Value::String(String::new())), "`\"\"`");
        assert_eq!(value(&Value::Null(kql_types::ScalarType::Long)), "*null*");
        assert_eq!(value(&Value::Real(0.1 + 0.2)), "0.3");
    }
}

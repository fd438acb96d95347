//! The examples of the registry: each query is run and gives what the reference will say.

use std::sync::Arc;

use engine::{DataSet, Engine, EngineError, QueryOptions, ResultTable, TableCatalog};
use kql_functions::{Example, aggregates, forms, functions, operators};
use kql_types::{Dynamic, ScalarType, Value, datetime, number, timespan};

/// Known names whose examples cannot run yet. One that begins to work has to leave this list.
const UNSUPPORTED: &[&str] = &["current_node_id", "row_id", "rowstore_ordinal_range"];

/// One value of an example's row, and the rest of the line.
fn take_value(line: &str, ty: ScalarType) -> (String, &str) {
    if ty == ScalarType::String {
        if let Some(verbatim) = line.strip_prefix("@\"") {
            let (text, rest) = take_quoted(verbatim, false);
            return (text, rest.strip_prefix(',').unwrap_or(rest));
        }
        if let Some(quoted) = line.strip_prefix('"') {
            let (text, rest) = take_quoted(quoted, true);
            return (text, rest.strip_prefix(',').unwrap_or(rest));
        }
    }
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    for (index, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '[' | '{' if !quoted => depth += 1,
            ']' | '}' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => return (line[..index].to_owned(), &line[index + 1..]),
            _ => {}
        }
    }
    (line.to_owned(), "")
}

/// The text up to the closing quote; a doubled quote is one.
fn take_quoted(text: &str, escapes: bool) -> (String, &str) {
    let mut out = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((index, c)) = chars.next() {
        match c {
            '"' if chars.peek().is_some_and(|(_, next)| *next == '"') => {
                chars.next();
                out.push('"');
            }
            '"' => return (out, &text[index + 1..]),
            '\\' if escapes => match chars.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                Some((_, other)) => out.push(other),
                None => {}
            },
            other => out.push(other),
        }
    }
    panic!("no closing quote in {text}")
}

fn equals(value: &Value, expected: &str) -> bool {
    match value {
        Value::Null(_) => expected == "null",
        Value::String(text) => text == expected,
        Value::Bool(value) => value.to_string() == expected,
        Value::Int(value) => value.to_string() == expected,
        Value::Long(value) => value.to_string() == expected,
        Value::Decimal(text) | Value::Guid(text) => text == expected,
        Value::DateTime(ticks) => datetime::format(*ticks) == expected,
        Value::TimeSpan(ticks) => timespan::format(*ticks) == expected,
        Value::Real(value) => {
            let near =
                number::parse_real(expected).is_some_and(|real| (real - value).abs() <= 1e-9 * real.abs().max(1.0));
            number::format_real(*value) == expected || near
        }
        Value::Dynamic(value) => {
            Dynamic::parse_json(expected).is_some_and(|json| json.same(value)) || value.to_text() == expected
        }
    }
}

/// Whether a table is what the text says, row by row.
pub(crate) fn check(table: &ResultTable, expected: &str) -> Result<(), String> {
    let mut lines = expected.split('\n');
    let header: Vec<String> = table.columns.iter().map(|column| format!("{}:{}", column.name, column.ty)).collect();
    if lines.next() != Some(header.join(",").as_str()) {
        return Err(format!("the columns are {}", header.join(",")));
    }
    let rows = table.rows();
    let lines: Vec<&str> = lines.collect();
    if lines.len() != rows.len() {
        return Err(format!("{} rows: {rows:?}", rows.len()));
    }
    for (row, line) in rows.iter().zip(lines) {
        let mut rest = line;
        for (value, column) in row.iter().zip(&table.columns) {
            let (expected, next) = take_value(rest, column.ty);
            if !equals(value, &expected) {
                return Err(format!("{}: {value:?}, expected {expected}", column.name));
            }
            rest = next;
        }
    }
    Ok(())
}

/// As [`check`], with the rows in any order: each side is sorted by its text.
pub(crate) fn check_unordered(table: &ResultTable, expected: &str) -> Result<(), String> {
    let mut lines: Vec<&str> = expected.split('\n').collect();
    let header = lines.remove(0);
    let mut orders = permutations(lines.len());
    let matching = orders.find(|order| {
        let text: Vec<&str> = std::iter::once(header).chain(order.iter().map(|index| lines[*index])).collect();
        check(table, &text.join("\n")).is_ok()
    });
    match matching {
        Some(_) => Ok(()),
        None => check(table, expected),
    }
}

/// All orders of a few rows.
fn permutations(count: usize) -> Box<dyn Iterator<Item = Vec<usize>>> {
    assert!(count <= 7, "too many rows to try all orders");
    if count == 0 {
        return Box::new(std::iter::once(Vec::new()));
    }
    Box::new(permutations(count - 1).flat_map(move |shorter| {
        (0..count).map(move |place| {
            let mut order = shorter.clone();
            order.insert(place, count - 1);
            order
        })
    }))
}

#[test]
fn every_example_gives_what_it_says() {
    let known = tables::SchemaSet::builtin();
    let known = known.names().into_iter().filter_map(|name| known.get(name).cloned());
    let engine = Engine::new(Arc::new(TableCatalog::new().with_schemas(known)), Arc::new(DataSet::new()));
    let options = QueryOptions::at(datetime::parse("2026-01-02 03:04:05").unwrap());
    let entries = functions().chain(operators()).map(|entry| (entry.name, entry.examples));
    let entries = entries.chain(aggregates().map(|entry| (entry.name, entry.examples)));
    let entries = entries.chain(forms().map(|entry| (entry.name, entry.examples)));
    let (mut wrong, mut unsupported) = (Vec::new(), Vec::new());
    for (name, examples) in entries {
        for Example { query, result } in examples {
            match engine.run_blocking(query, &options) {
                Ok(output) => {
                    if let Err(reason) = check(output.tables.last().expect("a result"), result) {
                        wrong.push(format!("{name}: {query}\n  {reason}"));
                    }
                }
                Err(EngineError::Unsupported { .. }) => unsupported.push(name),
                Err(error) => wrong.push(format!("{name}: {query}\n  {error}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{} examples are wrong:\n{}", wrong.len(), wrong.join("\n"));
    unsupported.sort_unstable();
    unsupported.dedup();
    assert_eq!(unsupported, UNSUPPORTED);
}

//! Events of a case as files that the connectors read.

use std::fs;
use std::path::Path;

use kql_types::{ScalarType, datetime};
use serde_json::{Map, Value as Json};
use tables::SchemaSet;

use super::case::{Event, distance};

/// Fields that say when a record happened, in the order in which they are looked for.
const TIME_FIELDS: [&str; 6] = ["eventTime", "time", "eventTimestamp", "timestamp", "TimeGenerated", "createdDateTime"];

/// Fields that hold the records of a file.
const LISTS: [&str; 3] = ["Records", "records", "value"];

/// Writes an event below a folder of its own. `beside` is the folder of the test file.
pub(super) fn write(
    event: &Event,
    query_now: i64,
    beside: &Path,
    folder: &Path,
    schemas: &SchemaSet,
) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let (name, text) = match event {
        Event::Records { file, at, set, .. } => {
            let path = beside.join(file);
            let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            (name, records(&text, at.map(|at| query_now.saturating_add(at)), set).map_err(|e| format!("{file}: {e}"))?)
        }
        Event::Emulation { name, with, at, set, .. } => {
            let emulation = emulate::find(name).ok_or_else(|| format!("no emulation is named `{name}`"))?;
            let played = emulation
                .play(query_now.saturating_add(*at), &with.iter().cloned().collect())
                .map_err(|e| format!("{name}: {e}"))?;
            (format!("{name}.json"), records(&emulation.file(&played), None, set)?)
        }
        Event::Rows { table, rows, .. } => (format!("{table}.ndjson"), table_rows(table, rows, query_now, schemas)?),
    };
    let path = folder.join(name);
    fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))
}

/// The text of a file of raw records, moved so that the first is at a moment, with values set in each.
fn records(text: &str, at: Option<i64>, set_values: &[(String, Json)]) -> Result<String, String> {
    let mut documents: Vec<Json> = match serde_json::from_str(text) {
        Ok(document) => vec![document],
        Err(_) => text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()
            .map_err(|e| format!("not JSON: {e}"))?,
    };
    let mut all: Vec<&mut Json> = documents.iter_mut().flat_map(records_of).collect();
    if let Some(at) = at {
        let first = all.iter().find_map(|record| time_of(record)).ok_or("no record with a time to move")?;
        let moved = at.saturating_sub(first);
        all.iter_mut().for_each(|record| shift(record, moved));
    }
    for record in all {
        set_values.iter().for_each(|(path, value)| set(record, path, value.clone()));
    }
    Ok(documents.iter().map(|document| format!("{document}\n")).collect())
}

fn records_of(document: &mut Json) -> Vec<&mut Json> {
    let list = document
        .as_object()
        .and_then(|object| LISTS.into_iter().find(|name| object.get(*name).is_some_and(Json::is_array)));
    let list = match list {
        Some(name) => document.get_mut(name),
        None => Some(document),
    };
    match list {
        Some(Json::Array(items)) => items.iter_mut().collect(),
        Some(record) => vec![record],
        None => Vec::new(),
    }
}

fn time_of(record: &Json) -> Option<i64> {
    TIME_FIELDS.iter().find_map(|name| moment(record.get(name)?.as_str()?))
}

/// A text that is a moment and nothing else.
fn moment(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let iso = bytes.len() >= 19 && bytes.get(4) == Some(&b'-') && bytes.get(10) == Some(&b'T');
    iso.then(|| datetime::parse(text)).flatten()
}

/// Moves every moment in a record, so that they keep their distances.
fn shift(value: &mut Json, by: i64) {
    match value {
        Json::String(text) => {
            if let Some(time) = moment(text) {
                // Sources write whole seconds without a fraction; both forms are read.
                let moved = datetime::format(time.saturating_add(by));
                *text = moved.replace(".0000000Z", "Z");
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| shift(item, by)),
        Json::Object(fields) => fields.values_mut().for_each(|field| shift(field, by)),
        _ => {}
    }
}

/// Sets a value at a path of names and indexes with dots; what is missing on the way is made.
pub(super) fn set(record: &mut Json, path: &str, value: Json) {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    let place = match record {
        Json::Array(items) => match head.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
            Some(item) => item,
            None => return,
        },
        other => {
            if !other.is_object() {
                *other = Json::Object(Map::new());
            }
            match other.as_object_mut() {
                Some(fields) => fields.entry(head.to_string()).or_insert(Json::Null),
                None => return,
            }
        }
    };
    match rest {
        Some(rest) => set(place, rest, value),
        None => *place = value,
    }
}

/// Rows as an export of their table.
fn table_rows(table: &str, rows: &[Map<String, Json>], query_now: i64, schemas: &SchemaSet) -> Result<String, String> {
    let schema = schemas.get(table).ok_or_else(|| format!("unknown table {table}"))?;
    let mut text = String::new();
    for row in rows {
        let mut written = Map::new();
        for (name, value) in row {
            let column = schema.column(name).ok_or_else(|| format!("{table} has no column {name}"))?;
            let relative = (column.ty == ScalarType::DateTime).then(|| value.as_str().and_then(distance)).flatten();
            let value = match relative {
                Some(offset) => Json::String(datetime::format(query_now.saturating_add(offset))),
                None => value.clone(),
            };
            written.insert(name.clone(), value);
        }
        written.entry("Type").or_insert_with(|| Json::String(table.to_string()));
        text.push_str(&Json::Object(written).to_string());
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn records_move_as_one_and_keep_their_wrapping() {
        let text = json!({"Records": [{"eventTime": "2020-01-01T00:00:00Z", "a": {"end": "2020-01-01T00:00:05Z"}}, {"x": "2020"}]});
        let at = datetime::parse("2026-03-02T01:00:00Z").unwrap();
        let moved =
            records(&text.to_string(), Some(at), &[("a.b".into(), json!(1)), ("x".into(), json!("y"))]).unwrap();
        let moved: Json = serde_json::from_str(&moved).unwrap();
        let expected =
            json!({"eventTime": "2026-03-02T01:00:00Z", "a": {"end": "2026-03-02T01:00:05Z", "b": 1}, "x": "y"});
        assert_eq!(moved["Records"][0], expected);
        assert_eq!(moved["Records"][1], json!({"x": "y", "a": {"b": 1}}));
    }

    #[test]
    fn rows_of_a_table_may_be_relative_and_must_be_its_own() {
        let schemas = SchemaSet::builtin();
        let row = |value: Json| value.as_object().unwrap().clone();
        let now = datetime::parse("2026-03-02T10:00:00Z").unwrap();
        let text = table_rows("SigninLogs", &[row(json!({"TimeGenerated": "-3h", "Identity": "-3h"}))], now, &schemas)
            .unwrap();
        assert!(text.contains("2026-03-02T07:00:00") && text.contains("\"-3h\""), "{text}");
        assert!(table_rows("SigninLogs", &[row(json!({"Nope": 1}))], now, &schemas).unwrap_err().contains("Nope"));
    }
}

//! Rows of all tables as events on one line of time, for some subjects or for all.
//!
//! Each table is asked once; the engine leaves out the rows that cannot matter, and each row that is left is judged by the
//! spellings of [`investigation::subject`]. Start at [`find`].

use std::collections::BTreeMap;

use ::report::harmless::kql_literal;
use ::report::model::{Event, SourceRecord};
use anyhow::Result;
use connectors::Loaded;
use detections::cell;
use engine::QueryOptions;
use investigation::event::{self, Acting};
use investigation::subject::Subject;
use kql_types::{ScalarType, datetime};
use serde_json::{Map, Value as Json};
use tables::unpack_source;

use crate::exit::Failure;
use crate::session::Session;

/// What to look for.
pub struct Search<'a> {
    pub subjects: &'a [Subject],
    /// Only these tables; all when empty.
    pub tables: &'a [String],
    /// First and last moment, in ticks.
    pub span: Option<(i64, i64)>,
    /// Only rows in which a subject acts, not those that name it elsewhere.
    pub acting: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// (subject, event), oldest first; events without a time at the end.
    pub events: Vec<(usize, Event)>,
    /// Tables that could not be asked, with reasons.
    pub failed: BTreeMap<String, String>,
    pub tables_asked: usize,
}

/// A row as JSON, with the record behind it.
pub type FoundRow = (Map<String, Json>, Option<SourceRecord>);

/// Looks through the tables that have rows.
///
/// # Errors
/// A table was named that has no rows.
pub fn find(session: &Session, options: &QueryOptions, search: &Search<'_>) -> Result<Found> {
    let with_rows: Vec<&String> =
        session.profile.tables.iter().filter(|(_, table)| table.rows > 0).map(|(name, _)| name).collect();
    if let Some(unknown) = search.tables.iter().find(|name| !with_rows.contains(name)) {
        return Err(Failure::usage(format!("--table: no rows of `{unknown}` in the logs")));
    }
    let mut found = Found::default();
    for table in with_rows.into_iter().filter(|name| search.tables.is_empty() || search.tables.contains(name)) {
        let Some(query) = query(session, table, search) else { continue };
        found.tables_asked += 1;
        match rows(session, options, &query) {
            Ok(rows) => {
                found.events.extend(rows.iter().flat_map(|(row, source)| events_of(table, row, source, search)))
            }
            Err(reason) => {
                found.failed.insert(table.clone(), reason);
            }
        }
    }
    let key = |event: &Event| {
        (
            event.time.is_empty(),
            event.time.clone(),
            event.table.clone(),
            event.source.clone().map(|s| (s.path, s.member, s.record)),
        )
    };
    found.events.sort_by_cached_key(|(subject, event)| (key(event), *subject));
    Ok(found)
}

fn events_of(
    table: &str,
    row: &Map<String, Json>,
    source: &Option<SourceRecord>,
    search: &Search<'_>,
) -> Vec<(usize, Event)> {
    let with_source = |event: Event| Event { source: source.clone(), ..event };
    if search.subjects.is_empty() {
        return event::event(table, row, None).into_iter().map(|event| (0, with_source(event))).collect();
    }
    if search.acting {
        let acting = Acting::of(row);
        let roles =
            search.subjects.iter().enumerate().filter_map(|(index, subject)| Some((index, acting.role(subject)?)));
        let event = |role: &str| {
            event::event(table, row, None).map(|event| Event { role: role.to_string(), ..with_source(event) })
        };
        return roles.filter_map(|(index, role)| Some((index, event(role)?))).collect();
    }
    let events = search
        .subjects
        .iter()
        .enumerate()
        .filter_map(|(index, subject)| Some((index, event::event(table, row, Some(subject))?)));
    events.map(|(index, event)| (index, with_source(event))).collect()
}

/// The rows of a table that may matter; None when the table has no column that could.
fn query(session: &Session, table: &str, search: &Search<'_>) -> Option<String> {
    let schema = session.loaded.schemas.get(table).or_else(|| session.schemas.get(table));
    let name = format!("['{}']", table.replace('\\', "\\\\").replace('\'', "\\'"));
    let has_time = schema.is_some_and(|schema| schema.columns.iter().any(|column| column.name == "TimeGenerated"));
    let mut query = name;
    if let Some((from, to)) = search.span {
        if !has_time {
            return None;
        }
        let time = datetime::format;
        query.push_str(&format!(
            "\n| where TimeGenerated between (datetime({}) .. datetime({}))",
            time(from),
            time(to)
        ));
    }
    let words: Vec<String> = search.subjects.iter().flat_map(Subject::words).map(|word| kql_literal(&word)).collect();
    if words.is_empty() {
        return Some(query);
    }
    let conditions: Vec<String> = if search.acting {
        let type_of =
            |column: &str| schema.and_then(|schema| schema.columns.iter().find(|c| c.name == column)).map(|c| c.ty);
        let list = words.join(",");
        let condition = |path: &str| {
            let (column, inside) = path.split_once('.').unwrap_or((path, ""));
            let value = match (type_of(column)?, inside.is_empty()) {
                (ScalarType::String, true) => column.to_string(),
                (ScalarType::Dynamic, false) => format!("tostring({path})"),
                _ => return None,
            };
            Some(format!("{value} has_any ({list})"))
        };
        event::acting_paths().filter_map(condition).collect()
    } else {
        words.iter().map(|word| format!("* has {word}")).collect()
    };
    if conditions.is_empty() {
        return None;
    }
    query.push_str(&format!("\n| where {}", conditions.join("\n    or ")));
    Some(query)
}

/// Rows as JSON with the records behind them.
pub fn rows(session: &Session, options: &QueryOptions, query: &str) -> Result<Vec<FoundRow>, String> {
    let options = QueryOptions { provenance: true, ..options.clone() };
    let output = session.engine.run_blocking(query, &options).map_err(|error| error.to_string())?;
    let Some(table) = output.tables.into_iter().next() else { return Ok(Vec::new()) };
    let values = table.rows();
    let mut sources = table.sources.unwrap_or_default().into_iter();
    let row = |values: Vec<kql_types::Value>| -> FoundRow {
        let row: Map<String, Json> =
            table.columns.iter().zip(&values).map(|(c, v)| (c.name.clone(), cell::json(v))).collect();
        let place = sources.next().and_then(|sources| sources.places.first().copied());
        let source = place.and_then(|place| record(&session.loaded, place, &row));
        (row, source)
    };
    Ok(values.into_iter().map(row).collect())
}

fn record(loaded: &Loaded, packed: i64, row: &Map<String, Json>) -> Option<SourceRecord> {
    let (source, record) = unpack_source(packed);
    let report = loaded.report.sources.get(source as usize)?;
    let text = |column: &str| row.get(column).and_then(Json::as_str).map(str::to_string);
    Some(SourceRecord {
        path: report.path.clone(),
        member: report.member.clone(),
        record,
        table: text("Type"),
        item_id: text("_ItemId").filter(|id| !id.is_empty()),
    })
}

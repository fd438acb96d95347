//! What was in the logs, in the form of the report.

use std::collections::BTreeMap;

use ::report::model::{Example, Source, Sparkline, Table, Tally, Window};
use connectors::LoadReport;
use kql_types::datetime;
use serde_json::{Map, Value as Json};

use crate::session::Session;

/// Bars of a table's rows over time.
const BARS_MAX: i64 = 60;
const HOUR: i64 = 3600 * datetime::TICKS_PER_SECOND;

fn tallies(map: &BTreeMap<String, connectors::Tally>) -> BTreeMap<String, Tally> {
    let tally = |tally: &connectors::Tally| Tally {
        count: tally.count,
        first: Example {
            record: tally.first.record,
            offset: tally.first.offset,
            line: tally.first.line,
            text: tally.first.text.clone(),
        },
    };
    map.iter().map(|(kind, count)| (kind.clone(), tally(count))).collect()
}

/// Every file and archive member.
pub fn sources(report: &LoadReport) -> Vec<Source> {
    let source = |source: &connectors::SourceReport| Source {
        path: source.path.clone(),
        member: source.member.clone(),
        format: source.format.clone(),
        kinds: source.kinds.clone(),
        tables: source.tables.clone(),
        records: source.records,
        rows: source.rows,
        duplicates: source.duplicates,
        undated: source.undated,
        implausible: source.implausible,
        other: tallies(&source.other),
        unreadable: tallies(&source.unreadable),
        mended: tallies(&source.mended),
        unmapped: source.unmapped.clone(),
        misfits: tallies(&source.misfits),
        outside: source.outside,
        stopped: source.stopped.clone(),
        notes: source.notes.clone(),
        sha256: source.sha256.clone(),
        bytes: source.bytes,
        first: source.first.map(datetime::format),
        last: source.last.map(datetime::format),
    };
    report.sources.iter().map(source).collect()
}

/// Every table that has rows.
pub fn tables(session: &Session) -> BTreeMap<String, Table> {
    let tables = session.profile.tables.iter().map(|(name, profile)| {
        let report = session.loaded.report.tables.get(name);
        let gaps = report.iter().flat_map(|report| &report.gaps);
        let table = Table {
            rows: profile.rows,
            undated: report.map_or(0, |report| report.undated),
            implausible: report.map_or(0, |report| report.implausible),
            first: profile.span.map(|span| datetime::format(span.first)),
            last: profile.span.map(|span| datetime::format(span.last)),
            gaps: gaps.map(|gap| Window { from: datetime::format(gap.from), to: datetime::format(gap.to) }).collect(),
            sparkline: sparkline(&profile.hours),
            seen: report.map(|report| report.seen.clone()),
            columns: found_columns(session, name),
        };
        (name.clone(), table)
    });
    tables.collect()
}

/// The columns of a table that no schema was known for, as its rows gave them, with their types.
pub fn found_columns(session: &Session, table: &str) -> Option<Map<String, Json>> {
    let found = session.loaded.schemas.get(table).filter(|_| table.ends_with("_CL"))?;
    let known = session.schemas.get(table).map_or(0, |known| known.columns.len());
    if found.columns.len() == known {
        return None;
    }
    Some(found.columns.iter().map(|column| (column.name.clone(), Json::from(column.ty.name()))).collect())
}

/// Rows over time, in at most [`BARS_MAX`] stretches; None where hours were not counted.
pub fn sparkline(hours: &BTreeMap<i64, u64>) -> Option<Sparkline> {
    let (first, last) = (hours.keys().next()?, hours.keys().next_back()?);
    let count = (last - first) / HOUR + 1;
    let per_bar = (count + BARS_MAX - 1) / BARS_MAX;
    let mut rows = vec![0_u64; ((count + per_bar - 1) / per_bar).clamp(1, BARS_MAX) as usize];
    for (start, of_hour) in hours {
        if let Some(bar) = rows.get_mut(((start - first) / HOUR / per_bar) as usize) {
            *bar += of_hour;
        }
    }
    Some(Sparkline { from: datetime::format(*first), hours_each: per_bar as u64, rows })
}

//! `tidewatch iocs`: which indicators of a list are in the logs, and in which records.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Read, Write};

use ::report::harmless::kql_literal;
use ::report::model::Event;
use anyhow::Result;
use investigation::address;
use investigation::event;
use investigation::indicator::{self, Indicator, IndicatorKind, Matcher};
use kql_types::ScalarType;
use serde_json::{Map, Value as Json, json};

use crate::args::{EventFormat, IocsArgs};
use crate::events;
use crate::exit::{Exit, Failure};
use crate::output::without_formula;
use crate::session::{Reading, Session};
use crate::terminal::{Tone, counted, line_width, paint, safe, short, stdout_has_colour, warn};

/// Indicators whose words one query looks for.
const WORDS_MAX: usize = 2_000;
/// Matches of one indicator that people are shown; programs get all.
const SHOWN_MAX: usize = 5;

/// A row that names an indicator.
struct Match {
    indicator: usize,
    /// The columns that name it.
    columns: Vec<String>,
    event: Event,
}

/// Reads the list, looks through all tables.
pub fn run(args: &IocsArgs) -> Result<Exit> {
    let list = indicator::read(&list_text(args)?);
    for reason in &list.passed_over {
        warn(&format!("{}: {reason}", args.file.display()));
    }
    let Some(matcher) = Matcher::new(list.indicators) else {
        return Err(Failure::input(format!("{}: no indicators in it", args.file.display())));
    };
    let reading = Reading::new(&args.reading, &args.files)?;
    let (session, options) = Session::for_queries(&args.logs, reading, &args.names, None, args.threads)?;
    let mut matches: Vec<Match> = Vec::new();
    let mut tables = 0;
    for (table, profile) in &session.profile.tables {
        if profile.rows == 0 {
            continue;
        }
        tables += 1;
        for query in queries(&session, table, matcher.indicators()) {
            match events::rows(&session, &options, &query) {
                Ok(rows) => {
                    for (row, source) in rows {
                        let shown = event::event(table, &row, None).unwrap_or_default();
                        for (indicator, columns) in named_in(&matcher, &row) {
                            let event = Event { source: source.clone(), ..shown.clone() };
                            matches.push(Match { indicator, columns, event });
                        }
                    }
                }
                Err(reason) => warn(&format!("{table}: {reason}")),
            }
        }
    }
    let key = |found: &Match| {
        let source = found.event.source.clone().map(|source| (source.path, source.member, source.record));
        (found.indicator, found.event.time.clone(), found.event.table.clone(), source)
    };
    matches.sort_by_cached_key(key);
    matches.dedup_by_key(|found| key(found));
    write(args.format, matcher.indicators(), &matches, tables)?;
    Ok(if matches.is_empty() { Exit::Clean } else { Exit::Found })
}

fn list_text(args: &IocsArgs) -> Result<String> {
    let failure = |error: io::Error| Failure::input(format!("{}: {error}", args.file.display()));
    let mut bytes = Vec::new();
    if args.file.as_os_str() == "-" {
        io::stdin().read_to_end(&mut bytes).map_err(failure)?;
    } else {
        bytes = std::fs::read(&args.file).map_err(failure)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Queries for the rows that hold a word of an indicator; each row that comes is judged again.
fn queries(session: &Session, table: &str, indicators: &[Indicator]) -> Vec<String> {
    let Some(schema) = session.loaded.schemas.get(table).or_else(|| session.schemas.get(table)) else {
        return Vec::new();
    };
    let columns: Vec<String> = schema
        .columns
        .iter()
        .filter(|column| !event::is_of_the_row(&column.name))
        .filter_map(|column| match column.ty {
            ScalarType::String => Some(format!("['{}']", column.name)),
            ScalarType::Dynamic => Some(format!("tostring(['{}'])", column.name)),
            _ => None,
        })
        .collect();
    let words: BTreeSet<String> = indicators.iter().flat_map(words).collect();
    let words: Vec<String> = words.iter().map(|word| kql_literal(word)).collect();
    let name = format!("['{}']", table.replace('\\', "\\\\").replace('\'', "\\'"));
    let query = |words: &[String]| {
        let list = words.join(",");
        let conditions: Vec<String> = columns.iter().map(|column| format!("{column} has_any (words)")).collect();
        format!("let words = dynamic([{list}]);\n{name}\n| where {}", conditions.join("\n    or "))
    };
    if columns.is_empty() { Vec::new() } else { words.chunks(WORDS_MAX).map(query).collect() }
}

/// The terms by which rows are found.
fn words(indicator: &Indicator) -> Vec<String> {
    match address::parse(&indicator.value).filter(|_| indicator.kind == IndicatorKind::Address) {
        Some(address) => address::spellings(address),
        None => vec![indicator.value.clone()],
    }
}

/// The indicators that a row names, each with the columns that do.
fn named_in(matcher: &Matcher, row: &Map<String, Json>) -> BTreeMap<usize, Vec<String>> {
    let mut found: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (column, value) in row.iter().filter(|(column, _)| !event::is_of_the_row(column)) {
        let indexes = match value {
            Json::String(text) => matcher.found_in(text),
            Json::Object(_) | Json::Array(_) => matcher.found_in(&value.to_string()),
            _ => continue,
        };
        for index in indexes {
            found.entry(index).or_default().push(column.clone());
        }
    }
    found
}

fn write(format: EventFormat, indicators: &[Indicator], matches: &[Match], tables: usize) -> Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let of = |found: &Match| indicators.get(found.indicator);
    let line = |found: &Match| {
        let indicator = of(found);
        json!({
            "indicator": indicator.map(|i| &i.value),
            "kind": indicator.map(|i| i.kind.name()),
            "note": indicator.map(|i| &i.note),
            "columns": found.columns,
            "event": found.event,
        })
    };
    match format {
        EventFormat::Table => show(indicators, matches, tables, &mut out)?,
        EventFormat::Json => {
            let found: BTreeSet<usize> = matches.iter().map(|found| found.indicator).collect();
            let missing = indicators.iter().enumerate().filter(|(index, _)| !found.contains(index));
            let document = json!({
                "schema": "tidewatch-iocs/1",
                "indicators": indicators.len(),
                "tables_asked": tables,
                "not_found": missing.map(|(_, indicator)| &indicator.value).collect::<Vec<_>>(),
                "matches": matches.iter().map(line).collect::<Vec<_>>(),
            });
            serde_json::to_writer_pretty(&mut out, &document)?;
            writeln!(out)?;
        }
        EventFormat::Ndjson => {
            for found in matches {
                serde_json::to_writer(&mut out, &line(found))?;
                writeln!(out)?;
            }
        }
        EventFormat::Csv => write_csv(indicators, matches, &mut out)?,
    }
    out.flush()?;
    Ok(())
}

fn write_csv(indicators: &[Indicator], matches: &[Match], out: &mut dyn Write) -> Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record([
        "indicator",
        "kind",
        "note",
        "time",
        "table",
        "columns",
        "actor",
        "address",
        "action",
        "target",
        "path",
        "member",
        "record",
    ])?;
    for found in matches {
        let Some(indicator) = indicators.get(found.indicator) else { continue };
        let source = found.event.source.clone().unwrap_or_default();
        let record = found.event.source.as_ref().map(|source| source.record.to_string()).unwrap_or_default();
        let columns = found.columns.join(" ");
        let cells: [&str; 13] = [
            &indicator.value,
            indicator.kind.name(),
            &indicator.note,
            &found.event.time,
            &found.event.table,
            &columns,
            &found.event.actor,
            &found.event.address,
            &found.event.action,
            &found.event.target,
            &source.path,
            source.member.as_deref().unwrap_or_default(),
            &record,
        ];
        writer.write_record(cells.map(without_formula))?;
    }
    writer.flush()?;
    Ok(())
}

fn show(indicators: &[Indicator], matches: &[Match], tables: usize, out: &mut dyn Write) -> Result<()> {
    let colour = stdout_has_colour();
    let mut by_indicator: BTreeMap<usize, Vec<&Match>> = BTreeMap::new();
    for found in matches {
        by_indicator.entry(found.indicator).or_default().push(found);
    }
    let summary = format!(
        "{} of {} found in {}, {}",
        by_indicator.len(),
        counted(indicators.len() as u64, "indicator"),
        counted(matches.len() as u64, "row"),
        counted(tables as u64, "table")
    );
    writeln!(out, "{}", paint(&summary, Tone::Strong, colour))?;
    for (index, found) in by_indicator {
        let Some(indicator) = indicators.get(index) else { continue };
        let note = if indicator.note.is_empty() { String::new() } else { format!(" ({})", indicator.note) };
        let head =
            format!("{} {}{note}: {}", indicator.kind.name(), indicator.value, counted(found.len() as u64, "row"));
        writeln!(out, "\n{}", paint(&safe(&head), Tone::Alarm, colour))?;
        for one in found.iter().take(SHOWN_MAX) {
            let event = &one.event;
            let place = event.source.as_ref().map(|source| {
                let member = source.member.as_ref().map(|member| format!(" in {member}")).unwrap_or_default();
                format!("; {}{member} record {}", source.path, source.record)
            });
            let by = if event.actor.is_empty() { String::new() } else { format!(" by {}", event.actor) };
            let text = format!(
                "  {}  {} {}{by}, in {}{}",
                event.time.get(..19).unwrap_or("without a time     ").replace('T', " "),
                event.table,
                event.action,
                one.columns.join(", "),
                place.unwrap_or_default()
            );
            writeln!(out, "{}", short(&safe(&text), line_width()))?;
        }
        if found.len() > SHOWN_MAX {
            writeln!(out, "  and {} more (all of them with --format json)", found.len() - SHOWN_MAX)?;
        }
    }
    Ok(())
}

//! `tidewatch pivot` and `tidewatch timeline`: what happened, in one order over all clouds.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use ::report::model::Event;
use anyhow::Result;
use investigation::subject::Subject;
use kql_types::datetime;
use serde_json::json;

use crate::args::{EventFormat, PivotArgs, TimelineArgs};
use crate::events::{self, Found, Search};
use crate::exit::{Exit, Failure};
use crate::output::without_formula;
use crate::session::{Reading, Session, parse_length, parse_time};
use crate::terminal::{Tone, counted, line_width, paint, safe, short, stdout_has_colour, warn};

/// Shows what one actor, address, key, session or resource did, and who did something to it.
pub fn pivot(args: &PivotArgs) -> Result<Exit> {
    let subject = Subject::new(&args.entity);
    if subject.text.chars().count() < 3 {
        return Err(Failure::usage(format!("`{}` is too short to look for", args.entity)));
    }
    let reading = Reading::new(&args.over.reading, &args.over.files)?;
    let (session, options) = Session::for_queries(&args.over.logs, reading, &args.over.names, None, args.over.threads)?;
    let around = args.around.as_deref().map(|length| parse_length("--around", length)).transpose()?;
    let at = args.at.as_deref().map(|time| parse_time("--at", time)).transpose()?;
    let subjects = std::slice::from_ref(&subject);
    let span = at.map(|at| {
        let around = around.unwrap_or(datetime::TICKS_PER_SECOND * 3600);
        (at.saturating_sub(around), at.saturating_add(around))
    });
    let search = Search { subjects, tables: &args.over.tables, span, acting: false };
    let mut found = events::find(&session, &options, &search)?;
    if let (None, Some(around)) = (at, around) {
        keep_around_the_last(&mut found, around);
    }
    let events: Vec<Event> = found.events.into_iter().map(|(_, event)| event).collect();
    let title = format!("{} ({})", subject.text, subject.kind_name());
    write(&title, Some(&subject), &events, found.tables_asked, &found.failed, args.over.format)
}

/// Shows everything that happened, or what names one of some texts.
pub fn timeline(args: &TimelineArgs) -> Result<Exit> {
    let reading = Reading::new(&args.over.reading, &args.over.files)?;
    let (from, to) = (reading.from, reading.to);
    let (session, options) = Session::for_queries(&args.over.logs, reading, &args.over.names, None, args.over.threads)?;
    let subjects: Vec<Subject> = args.entity.iter().map(|text| Subject::new(text)).collect();
    let span = (from.is_some() || to.is_some()).then(|| (from.unwrap_or(0), to.unwrap_or(datetime::MAX)));
    let search = Search { subjects: &subjects, tables: &args.over.tables, span, acting: false };
    let mut found = events::find(&session, &options, &search)?;
    // A row that names two of them is one event.
    found.events.dedup_by(|(_, b), (_, a)| a.source.is_some() && a.source == b.source && a.table == b.table);
    let events: Vec<Event> = found.events.into_iter().map(|(_, event)| event).collect();
    let title = match args.entity.is_empty() {
        true => "Timeline".to_string(),
        false => args.entity.join(", "),
    };
    write(&title, None, &events, found.tables_asked, &found.failed, args.over.format)
}

/// Leaves the events within a length of time before the last one with a time.
fn keep_around_the_last(found: &mut Found, around: i64) {
    let ticks = |event: &Event| datetime::parse(&event.time);
    let Some(last) = found.events.iter().rev().find_map(|(_, event)| ticks(event)) else { return };
    found.events.retain(|(_, event)| ticks(event).is_some_and(|time| time >= last.saturating_sub(around)));
}

fn write(
    title: &str,
    subject: Option<&Subject>,
    events: &[Event],
    tables: usize,
    failed: &BTreeMap<String, String>,
    format: EventFormat,
) -> Result<Exit> {
    for (table, reason) in failed {
        warn(&format!("{table}: {reason}"));
    }
    let mut out = BufWriter::new(io::stdout().lock());
    match format {
        EventFormat::Table => show(title, events, tables, &mut out)?,
        EventFormat::Json => {
            let document = json!({
                "schema": "tidewatch-events/1",
                "entity": subject.map(|subject| json!({"text": subject.text, "kind": subject.kind_name()})),
                "tables_asked": tables,
                "tables_failed": failed,
                "events": events,
            });
            serde_json::to_writer_pretty(&mut out, &document)?;
            writeln!(out)?;
        }
        EventFormat::Ndjson => {
            for event in events {
                serde_json::to_writer(&mut out, event)?;
                writeln!(out)?;
            }
        }
        EventFormat::Csv => write_csv(events, &mut out)?,
    }
    out.flush()?;
    Ok(Exit::Clean)
}

fn show(title: &str, events: &[Event], tables: usize, out: &mut dyn Write) -> Result<()> {
    let colour = stdout_has_colour();
    let mut by_table: BTreeMap<&str, u64> = BTreeMap::new();
    for event in events {
        *by_table.entry(&event.table).or_default() += 1;
    }
    let counts: Vec<String> = by_table.iter().map(|(table, count)| format!("{table} {count}")).collect();
    let summary = match events.is_empty() {
        true => format!("nothing in {}", counted(tables as u64, "table")),
        false => format!("{} ({})", counted(events.len() as u64, "event"), counts.join(", ")),
    };
    writeln!(out, "{}: {}", paint(&safe(title), Tone::Strong, colour), safe(&summary))?;
    let mut day = "";
    for event in events {
        let date = event.time.get(..10).unwrap_or("without a time");
        if date != day {
            writeln!(out, "\n{}", paint(&safe(date), Tone::Strong, colour))?;
            day = date;
        }
        writeln!(out, "{}", short(&safe(&line(event)), line_width()))?;
    }
    Ok(())
}

/// `10:15:00  AWSCloudTrail  actor  RunInstances i-1, Success; by ARN from ADDRESS; logs/a.json record 3`.
fn line(event: &Event) -> String {
    let time = event.time.get(11..19).unwrap_or("        ");
    let mut text = format!("  {time}  {:<16} ", event.table);
    if !event.role.is_empty() {
        text.push_str(&format!("{:<10}", event.role));
    }
    text.push_str(if event.action.is_empty() { "?" } else { &event.action });
    for (lead, value) in
        [(" ", &event.target), (", ", &event.outcome), ("; by ", &event.actor), (" from ", &event.address)]
    {
        if !value.is_empty() {
            text.push_str(&format!("{lead}{value}"));
        }
    }
    if let Some(source) = &event.source {
        let member = source.member.as_ref().map(|member| format!(" in {member}")).unwrap_or_default();
        text.push_str(&format!("; {}{member} record {}", source.path, source.record));
    }
    text
}

fn write_csv(events: &[Event], out: &mut dyn Write) -> Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record([
        "time", "table", "role", "actor", "address", "action", "target", "outcome", "scope", "path", "member", "record",
    ])?;
    for event in events {
        let source = event.source.clone().unwrap_or_default();
        let record = event.source.as_ref().map(|source| source.record.to_string()).unwrap_or_default();
        let cells: [&str; 12] = [
            &event.time,
            &event.table,
            &event.role,
            &event.actor,
            &event.address,
            &event.action,
            &event.target,
            &event.outcome,
            &event.scope,
            &source.path,
            source.member.as_deref().unwrap_or_default(),
            &record,
        ];
        writer.write_record(cells.map(without_formula))?;
    }
    writer.flush()?;
    Ok(())
}

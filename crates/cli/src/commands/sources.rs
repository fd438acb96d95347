//! `tidewatch sources`: what is in logs, before any rule is judged by them.

use std::io::{self, BufWriter, Write};

use anyhow::Result;
use connectors::{LoadReport, SourceReport};
use kql_types::datetime;
use serde_json::{Value as Json, json};

use crate::args::{NameArgs, SourcesArgs, SourcesFormat};
use crate::cache;
use crate::exit::Exit;
use crate::report::sources;
use crate::session::{Reading, Session, SessionInput};
use crate::terminal::{Tone, counted, paint, safe, short, stdout_has_colour};

/// Reads the logs and reports on them.
pub fn run(args: &SourcesArgs) -> Result<Exit> {
    let names = NameArgs { schemas: args.schemas.clone(), ..NameArgs::default() };
    let session = Session::open(SessionInput {
        logs: &args.paths,
        reading: Reading::new(&args.reading, &args.files)?,
        names: &names,
        functions: Vec::new(),
        watchlists: Vec::new(),
        threads: args.threads.map(usize::from),
    })?;
    let mut out = BufWriter::new(io::stdout().lock());
    match args.format {
        SourcesFormat::Json => {
            let document = json!({
                "schema": "tidewatch-sources/1",
                "version": env!("CARGO_PKG_VERSION"),
                "uncovered": uncovered_json(&session.loaded.report),
                "outside": session.loaded.report.outside,
                "sources": sources::sources(&session.loaded.report),
                "tables": sources::tables(&session),
            });
            serde_json::to_writer_pretty(&mut out, &document)?;
            writeln!(out)?;
        }
        SourcesFormat::Table => show(&session, args.all, &mut out)?,
    }
    out.flush()?;
    let unreadable = session.loaded.report.sources.iter().any(|s| s.stopped.is_some() && s.records == 0);
    Ok(if unreadable { Exit::Input } else { Exit::Clean })
}

fn time(ticks: Option<i64>) -> Json {
    ticks.map_or(Json::Null, |ticks| Json::from(datetime::format(ticks)))
}

/// Times that no digest covers, by whose logs they are.
fn uncovered_json(report: &LoadReport) -> Json {
    let spans = |gaps: Vec<connectors::Gap>| -> Vec<Json> {
        gaps.iter().map(|gap| json!({"from": time(Some(gap.from)), "to": time(Some(gap.to))})).collect()
    };
    Json::Object(report.uncovered().into_iter().map(|(whose, gaps)| (whose, spans(gaps).into())).collect())
}

/// `2026-03-02 10:15Z`.
fn minute(ticks: i64) -> String {
    let text = datetime::format(ticks);
    format!("{}Z", text.get(..16).unwrap_or(&text).replace('T', " "))
}

fn show(session: &Session, all: bool, out: &mut dyn Write) -> Result<()> {
    let colour = stdout_has_colour();
    show_tables(session, colour, out)?;
    for (whose, gaps) in session.loaded.report.uncovered().into_iter().filter(|(_, gaps)| !gaps.is_empty()) {
        let shown: Vec<String> =
            gaps.iter().take(5).map(|gap| format!("{} to {}", minute(gap.from), minute(gap.to))).collect();
        let text = format!("{whose}: no CloudTrail digest covers {}", shown.join(", "));
        writeln!(out, "{} {}\n", paint("gap", Tone::Warning, colour), safe(&text))?;
    }
    let sources = &session.loaded.report.sources;
    let worth: Vec<&SourceReport> = sources.iter().filter(|source| all || has_something_to_say(source)).collect();
    writeln!(out, "{}", paint(&counted(sources.len() as u64, "file"), Tone::Strong, colour))?;
    let members: u64 = sources.iter().map(|source| source.outside).sum();
    let files = session.loaded.report.outside.saturating_sub(members);
    for (count, noun) in [(files, "file"), (members, "archive member")].into_iter().filter(|(count, _)| *count > 0) {
        writeln!(out, "  {} not opened: outside the times by the date in the path", counted(count, noun))?;
    }
    for source in &worth {
        show_source(source, colour, out)?;
    }
    if worth.len() < sources.len() {
        let quiet = counted((sources.len() - worth.len()) as u64, "file");
        writeln!(out, "  {quiet} without anything to note (--all shows them)")?;
    }
    if let Some(line) = cache::line(&session.loaded) {
        writeln!(out, "{}", safe(&line))?;
    }
    Ok(())
}

fn show_tables(session: &Session, colour: bool, out: &mut dyn Write) -> Result<()> {
    if session.profile.tables.is_empty() {
        writeln!(out, "No rows of any table.\n")?;
    }
    for (name, profile) in &session.profile.tables {
        let span = profile.span.map(|span| format!(", {} to {}", minute(span.first), minute(span.last)));
        let title = paint(&safe(name), Tone::Strong, colour);
        writeln!(out, "{title}: {}{}", counted(profile.rows, "row"), span.unwrap_or_default())?;
        if let Some(columns) = sources::found_columns(session, name) {
            let typed = columns.iter().map(|(column, ty)| format!("{column} {}", ty.as_str().unwrap_or_default()));
            writeln!(out, "  columns   {}", safe(&typed.collect::<Vec<String>>().join(", ")))?;
        }
        let Some(report) = session.loaded.report.tables.get(name) else { continue };
        if !profile.hours.is_empty() {
            writeln!(out, "  by hour   {}", sparkline(&profile.hours))?;
        }
        for gap in report.gaps.iter().take(5) {
            let hours = (gap.to - gap.from) / (3600 * datetime::TICKS_PER_SECOND);
            writeln!(
                out,
                "  {}       {} to {} ({hours} h)",
                paint("gap", Tone::Warning, colour),
                minute(gap.from),
                minute(gap.to)
            )?;
        }
        if report.gaps.len() > 5 {
            writeln!(out, "            and {} more gaps of over an hour", report.gaps.len() - 5)?;
        }
        for (column, values) in &report.seen {
            let mut by_count: Vec<(&String, &u64)> = values.iter().collect();
            by_count.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
            let shown: Vec<String> =
                by_count.iter().take(6).map(|(value, count)| format!("{value} ({count})")).collect();
            let more = values.len().saturating_sub(6);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            writeln!(out, "  {:<9} {}{more}", short(column, 24), safe(&shown.join(", ")))?;
        }
        if report.undated > 0 {
            writeln!(out, "  {} without a time: in queries, in no window", counted(report.undated, "row"))?;
        }
        if report.implausible > 0 {
            writeln!(out, "  {} with an impossible time, not in the span", counted(report.implausible, "row"))?;
        }
    }
    writeln!(out)?;
    Ok(())
}

/// Rows over time.
fn sparkline(hours: &std::collections::BTreeMap<i64, u64>) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let Some(bars) = sources::sparkline(hours) else { return String::new() };
    let top = bars.rows.iter().copied().max().unwrap_or(1).max(1);
    let bar = |rows: &u64| match rows {
        0 => ' ',
        rows => BARS.get(((rows * 7).div_ceil(top)).min(7) as usize).copied().unwrap_or('█'),
    };
    format!("{}  ({} h a bar)", bars.rows.iter().map(bar).collect::<String>(), bars.hours_each)
}

fn has_something_to_say(source: &SourceReport) -> bool {
    source.stopped.is_some()
        || source.unreadable_count() > 0
        || source.other_count() > 0
        || source.duplicates > 0
        || source.undated > 0
        || source.implausible > 0
        || !source.notes.is_empty()
        || !source.misfits.is_empty()
}

fn show_source(source: &SourceReport, colour: bool, out: &mut dyn Write) -> Result<()> {
    let member = source.member.as_ref().map(|member| format!(" in {member}")).unwrap_or_default();
    let kinds: Vec<String> = source.kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    writeln!(
        out,
        "  {}{}: {}, {}, {}{}",
        safe(&source.path),
        safe(&member),
        safe(&source.format),
        counted(source.records, "record"),
        counted(source.rows, "row"),
        if kinds.is_empty() { String::new() } else { format!(" ({})", safe(&kinds.join(", "))) }
    )?;
    let counts = [
        (source.duplicates, "duplicate", "removed"),
        (source.undated, "row", "without a time"),
        (source.implausible, "row", "with an impossible time"),
    ];
    for (count, noun, what) in counts.into_iter().filter(|(count, ..)| *count > 0) {
        writeln!(out, "    {} {what}", counted(count, noun))?;
    }
    for (title, map, tone) in [
        ("unreadable", &source.unreadable, Tone::Warning),
        ("other", &source.other, Tone::Quiet),
        ("mended", &source.mended, Tone::Quiet),
        ("misfit", &source.misfits, Tone::Quiet),
    ] {
        for (kind, tally) in map {
            let place = format!("first: record {}, line {}", tally.first.record, tally.first.line);
            let text = format!("{} × {kind} ({place}: {})", tally.count, short(&tally.first.text, 60));
            writeln!(out, "    {} {}", paint(title, tone, colour), safe(&text))?;
        }
    }
    if !source.unmapped.is_empty() {
        let fields: Vec<String> =
            source.unmapped.iter().take(8).map(|(field, count)| format!("{field} ({count})")).collect();
        let more = source.unmapped.len().saturating_sub(8);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        writeln!(out, "    fields without a column: {}{more}", safe(&fields.join(", ")))?;
    }
    if let Some(reason) = &source.stopped {
        writeln!(out, "    {} {}", paint("read in part:", Tone::Warning, colour), safe(reason))?;
    }
    for note in &source.notes {
        writeln!(out, "    {} {}", paint("note:", Tone::Warning, colour), safe(note))?;
    }
    Ok(())
}

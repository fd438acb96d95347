//! One source's records to rows: recognises each, maps it, counts what becomes of it.
//!
//! Whatever a record is, it is counted exactly once: as a row, as something else, or as unreadable.

mod columns;
mod lines;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use crate::batch::{BatchBuilder, RowBatch};
use crate::blocks::{Block, Stretch};
use crate::custom;
use crate::frames::{Broken, Content, Frames};
use crate::json::{Member, mend, scan};
use crate::options::LoadOptions;
use crate::report::{Example, NAMES_MAX, SourceReport, excerpt, tally};
use crate::result_table;
use crate::row::Row;
use crate::sources::exported::{self, Plans, Target, Values};
use crate::sources::{self, Mapped, Maps, Place, Record};
use crate::suspicions::Spreadsheet;

pub(crate) use columns::Header;

/// How many envelopes may lie in one another.
const ENVELOPES_MAX: usize = 4;

/// What a stretch of a source gave.
pub(crate) struct Decoded {
    pub(crate) report: SourceReport,
    pub(crate) batches: Vec<RowBatch>,
    /// Both in the form that the cache keeps; None when nothing is kept.
    pub(crate) kept: Option<Vec<u8>>,
    pub(crate) damage: Spreadsheet,
}

impl Decoded {
    /// About what it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.batches.iter().map(|batch| batch.bytes).sum()
    }
}

/// Rows and counts of one source, or of a stretch of it.
pub(crate) struct Decoder<'a> {
    maps: &'a Maps,
    options: &'a LoadOptions,
    place: Place<'a>,
    /// One for each table, and one for its drafts.
    builders: Vec<BatchBuilder>,
    /// Records by kind, to be added to the report.
    kinds: Vec<(&'static str, u64)>,
    report: SourceReport,
    full: Vec<RowBatch>,
    plans: Plans,
    /// What the record at hand gave cause to count.
    events: Vec<Event>,
    damage: Spreadsheet,
}

/// Something to count of which the first is kept as an example.
enum Event {
    Other(Cow<'static, str>),
    Unreadable(String),
    Mended(&'static str),
    /// `table.column`, and the value.
    Misfit(String, String),
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(maps: &'a Maps, options: &'a LoadOptions, place: Place<'a>) -> Decoder<'a> {
        Decoder {
            maps,
            options,
            place,
            builders: Vec::new(),
            kinds: Vec::new(),
            report: SourceReport::default(),
            full: Vec::new(),
            plans: Plans::default(),
            events: Vec::new(),
            damage: Spreadsheet::default(),
        }
    }

    /// Reads JSON text for about so many bytes, or to its end; false at the end.
    pub(crate) fn json(&mut self, frames: &mut Frames<impl Read>, bytes: u64) -> bool {
        let until = frames.consumed() + bytes;
        while let Some(frame) = frames.next() {
            let (record, offset) = (frame.record, frame.offset);
            self.frame(record, frame.bytes, frame.content);
            if !self.events.is_empty() {
                let text = excerpt(frame.bytes);
                let line = frames.line_of(offset);
                self.count_events(&Example { record, offset, line, text });
            }
            if frames.consumed() >= until {
                return true;
            }
        }
        false
    }

    /// Reads a stretch of a source, whatever it holds.
    pub(crate) fn stretch(&mut self, stretch: &Stretch) {
        match stretch {
            Stretch::Json(block) => self.block(block),
            Stretch::Columns(header, rows) => self.columns(header, rows),
            Stretch::Lines(lines) => self.lines(lines),
        }
    }

    /// Reads the records of a block.
    fn block(&mut self, block: &Block) {
        for frame in block.frames() {
            let (record, offset) = (frame.record, frame.offset);
            self.frame(record, frame.bytes, frame.content);
            if !self.events.is_empty() {
                let text = excerpt(frame.bytes);
                self.count_events(&Example { record, offset, line: frame.line, text });
            }
        }
    }

    /// What was gathered since the last call.
    pub(crate) fn take(&mut self) -> Decoded {
        for builder in self.builders.iter_mut().filter(|builder| builder.rows() > 0) {
            self.full.push(builder.take());
        }
        // In an order that does not depend on which table came first.
        self.full.sort_by(|a, b| (a.spec.name(), a.spec.draft).cmp(&(b.spec.name(), b.spec.draft)));
        for batch in &self.full {
            *self.report.tables.entry(batch.spec.name().to_owned()).or_default() += batch.records.len() as u64;
        }
        for (kind, count) in self.kinds.drain(..) {
            *self.report.kinds.entry(kind.to_owned()).or_default() += count;
        }
        Decoded {
            report: std::mem::take(&mut self.report),
            batches: std::mem::take(&mut self.full),
            damage: std::mem::take(&mut self.damage),
            kept: None,
        }
    }

    fn frame(&mut self, record: u64, bytes: &[u8], content: Content<'_>) {
        self.report.records += 1;
        match content {
            Content::Object(members) => self.object(record, bytes, members),
            Content::Row(names) => {
                let row = std::str::from_utf8(bytes).ok();
                match row.and_then(|row| result_table::as_object(&names, row, self.options.limits.depth)) {
                    Some(text) => self.text(record, &text),
                    None => self.events.push(Event::Unreadable("row that does not fit its columns".to_owned())),
                }
            }
            Content::Broken(Broken::NotJson)
                if std::str::from_utf8(bytes)
                    .is_ok_and(|line| sources::recognise_line(line.trim(), self.maps).is_some()) =>
            {
                self.line(record, bytes.trim_ascii());
            }
            Content::Broken(why) => match mend::mended(bytes, self.options.limits.depth) {
                Some((text, what)) => {
                    self.events.push(Event::Mended(what));
                    self.text(record, &text);
                }
                None => self.events.push(Event::Unreadable(why.reason())),
            },
        }
    }

    fn object(&mut self, record: u64, bytes: &[u8], members: &[Member]) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.record(record, Record { text, members }, 0),
            Err(_) => {
                self.events.push(Event::Mended("invalid UTF-8"));
                self.text(record, &String::from_utf8_lossy(bytes));
            }
        }
    }

    /// A record that is at hand as text.
    fn text(&mut self, record: u64, text: &str) {
        match sources::members(text) {
            Some(members) => self.record(record, Record { text, members: &members }, 0),
            None => self.events.push(Event::Unreadable("broken JSON".to_owned())),
        }
    }

    fn record(&mut self, number: u64, record: Record<'_>, envelopes: usize) {
        if let Some(table) = &self.options.table {
            return self.row_of_table(number, &record, table);
        }
        let exported = self.options.source.is_none() && exported::is_exported(&record);
        let source = if exported { None } else { sources::recognise(&record, self.maps) };
        match source {
            Some(source) => {
                let mapped = (source.map)(&record, self.maps, &self.place);
                self.mapped(number, source.name, mapped, envelopes);
            }
            None => self.exported(number, &record),
        }
    }

    /// A record as a row of the table that was asked for.
    fn row_of_table(&mut self, number: u64, record: &Record<'_>, table: &str) {
        match self.maps.table(table).filter(|_| !exported::is_custom(table)) {
            Some(spec) => {
                let plan = self.plans.of_table(record, &spec, self.maps);
                self.count_kind("exported rows");
                let row = exported::row(&plan, &spec, &[], Values::Json(record));
                self.row(number, row);
            }
            None => {
                self.count_kind("custom rows");
                let spec = self.maps.custom(table);
                self.row(number, custom::draft(record, &spec));
            }
        }
    }

    fn mapped(&mut self, number: u64, kind: &'static str, mapped: Mapped<'_>, envelopes: usize) {
        match mapped {
            Mapped::Row(row) => {
                self.count_kind(kind);
                self.row(number, *row);
            }
            Mapped::Rows(rows) => {
                // Each event that a record holds counts as a record of its own.
                self.report.records += (rows.len() as u64).saturating_sub(1);
                for row in rows {
                    self.count_kind(kind);
                    self.row(number, row);
                }
            }
            Mapped::Covers { kind, whose, span } => {
                self.events.push(Event::Other(kind.into()));
                self.report.covered.entry(whose).or_default().push(span);
            }
            Mapped::Line(text) => match sources::recognise_line(&text, self.maps) {
                Some(source) => {
                    let mapped = (source.map)(&text, self.maps, &self.place);
                    self.mapped(number, source.name, mapped, envelopes + 1);
                }
                None => self.events.push(Event::Other("log message of no known format".into())),
            },
            Mapped::Other(kind) => self.events.push(Event::Other(kind)),
            Mapped::Inner(_) if envelopes >= ENVELOPES_MAX => {
                self.events.push(Event::Unreadable("too many envelopes in one another".to_owned()));
            }
            Mapped::Inner(text) => {
                let mut members = Vec::with_capacity(32);
                match scan::object(text.as_bytes(), 0, self.options.limits.depth, &mut members) {
                    Ok(_) => self.record(number, Record { text: &text, members: &members }, envelopes + 1),
                    Err(_) => self.events.push(Event::Unreadable("broken JSON inside an envelope".to_owned())),
                }
            }
        }
    }

    /// A record that is no source's: perhaps a row of a table.
    fn exported(&mut self, number: u64, record: &Record<'_>) {
        let plan = self.plans.of(record, self.place.path, self.maps);
        match &plan.target {
            Target::Known(spec) => {
                self.count_kind("exported rows");
                let row = exported::row(&plan, spec, &[], Values::Json(record));
                self.row(number, row);
            }
            Target::Custom(spec) => {
                self.count_kind("custom rows");
                self.row(number, custom::draft(record, spec));
            }
            Target::None if exported::is_exported(record) => {
                self.events.push(Event::Other("row of no known table".into()))
            }
            Target::None => self.events.push(Event::Other("record of no known kind".into())),
        }
    }

    fn row(&mut self, number: u64, row: Row<'_>) {
        for what in &row.mended {
            self.events.push(Event::Mended(what));
        }
        for (column, value) in &row.misfits {
            let name = row.spec.arrow.fields().get(*column).map_or("", |field| field.name());
            self.events.push(Event::Misfit(format!("{}.{name}", row.spec.name()), excerpt(value.as_bytes())));
        }
        for (path, _) in &row.unmapped {
            let unmapped = &mut self.report.unmapped;
            let known = unmapped.contains_key(path.as_ref()) || unmapped.len() < NAMES_MAX;
            bump(unmapped, if known { path } else { "…" });
        }
        self.report.rows += 1;
        let same = |builder: &BatchBuilder| Arc::ptr_eq(&builder.spec, &row.spec);
        let index = match self.builders.iter().position(same) {
            Some(index) => index,
            None => {
                self.builders.push(BatchBuilder::new(&row.spec));
                self.builders.len() - 1
            }
        };
        if let Some(builder) = self.builders.get_mut(index) {
            builder.push(row, number);
            if builder.is_full(self.options.batch_rows) {
                self.full.push(builder.take());
            }
        }
    }

    fn count_kind(&mut self, kind: &'static str) {
        match self.kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => self.kinds.push((kind, 1)),
        }
    }

    fn count_events(&mut self, example: &Example) {
        for event in std::mem::take(&mut self.events) {
            let report = &mut self.report;
            match event {
                Event::Other(kind) => tally(&mut report.other, &kind, || example.clone()),
                Event::Unreadable(reason) => tally(&mut report.unreadable, &reason, || example.clone()),
                Event::Mended(what) => tally(&mut report.mended, what, || example.clone()),
                Event::Misfit(column, value) => {
                    tally(&mut report.misfits, &column, || Example { text: value, ..example.clone() });
                }
            }
        }
    }
}

fn bump(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => {
            counts.insert(name.to_owned(), 1);
        }
    }
}

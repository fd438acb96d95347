//! One source's records to rows: recognises each, maps it, counts what becomes of it.
//!
//! Whatever a record is, it is counted exactly once: as a row, as something else, or as unreadable.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;

use crate::batch::{BatchBuilder, RowBatch};
use crate::frames::{Content, Frames};
use crate::json::{Member, mend, scan};
use crate::options::LoadOptions;
use crate::report::{Example, SourceReport, excerpt, tally};
use crate::row::Row;
use crate::sources::{self, Mapped, Maps, Place, Record, Source};

/// How many envelopes may lie in one another.
const ENVELOPES_MAX: usize = 4;
/// Names of fields without a column that are counted one by one.
const UNMAPPED_MAX: usize = 1_000;

/// Rows and counts of one source.
pub(crate) struct Decoder<'a> {
    maps: &'a Maps,
    options: &'a LoadOptions,
    place: Place<'a>,
    builders: BTreeMap<String, BatchBuilder>,
    pub(crate) report: SourceReport,
    give: &'a mut dyn FnMut(RowBatch),
    /// The source of the record before: asked first.
    last: Option<&'static Source>,
    /// What the record at hand gave cause to count.
    events: Vec<Event>,
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
    pub(crate) fn new(
        maps: &'a Maps,
        options: &'a LoadOptions,
        path: &'a str,
        report: SourceReport,
        give: &'a mut dyn FnMut(RowBatch),
    ) -> Decoder<'a> {
        let place = Place { path };
        Decoder { maps, options, place, builders: BTreeMap::new(), report, give, last: None, events: Vec::new() }
    }

    /// Reads JSON text to its end.
    pub(crate) fn json(&mut self, reader: impl Read) {
        let mut frames = Frames::new(reader, self.options.limits);
        while let Some(frame) = frames.next() {
            let (record, offset) = (frame.record, frame.offset);
            match frame.content {
                Content::Object(members) => self.object(record, frame.bytes, members),
                Content::Broken(why) => match mend::mended(frame.bytes, self.options.limits.depth) {
                    Some((text, what)) => {
                        self.events.push(Event::Mended(what));
                        self.text(record, &text);
                    }
                    None => self.events.push(Event::Unreadable(why.reason())),
                },
            }
            if !self.events.is_empty() {
                let text = excerpt(frame.bytes);
                let line = frames.line_of(offset);
                self.count_events(&Example { record, offset, line, text });
            }
        }
        self.report.records = frames.records();
        self.report.bytes = frames.bytes();
        self.report.stopped = frames.stopped().map(str::to_owned);
    }

    /// Gives on what is left. To be called once, at the end.
    pub(crate) fn finish(mut self) -> SourceReport {
        for builder in self.builders.values_mut().filter(|builder| builder.rows() > 0) {
            (self.give)(builder.take());
        }
        self.report
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
        let source = match self.last {
            Some(last) if (last.recognise)(&record) => Some(last),
            _ => sources::recognise(&record),
        };
        let Some(source) = source else {
            self.events.push(Event::Other("record of no known kind".into()));
            return;
        };
        self.last = Some(source);
        match (source.map)(&record, self.maps, &self.place) {
            Mapped::Row(row) => {
                bump(&mut self.report.kinds, source.name);
                self.row(number, *row);
            }
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
            let known = unmapped.contains_key(path.as_ref()) || unmapped.len() < UNMAPPED_MAX;
            bump(unmapped, if known { path } else { "…" });
        }
        self.report.rows += 1;
        bump(&mut self.report.tables, row.spec.name());
        if !self.builders.contains_key(row.spec.name()) {
            self.builders.insert(row.spec.name().to_owned(), BatchBuilder::new(&row.spec));
        }
        let name = row.spec.schema.name.clone();
        if let Some(builder) = self.builders.get_mut(&name) {
            builder.push(row, number);
            if builder.is_full(self.options.batch_rows) {
                (self.give)(builder.take());
            }
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

//! Lines of text, each a record, to rows of tables.

use std::borrow::Cow;

use super::{Decoder, Event};
use crate::lines::Lines;
use crate::report::{Example, excerpt};
use crate::sources;

impl Decoder<'_> {
    pub(super) fn lines(&mut self, lines: &Lines) {
        for (record, line) in lines.iter() {
            self.report.records += 1;
            match line.cut {
                true => self.events.push(Event::Unreadable("record too large".to_owned())),
                false => self.line(record, line.bytes.trim_ascii()),
            }
            if !self.events.is_empty() {
                let text = excerpt(line.bytes.trim_ascii());
                self.count_events(&Example { record, offset: line.offset, line: line.number, text });
            }
        }
    }

    /// A line of text as a record.
    pub(super) fn line(&mut self, record: u64, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        if matches!(text, Cow::Owned(_)) {
            self.events.push(Event::Mended("invalid UTF-8"));
        }
        match sources::recognise_line(&text, self.maps) {
            Some(source) => self.mapped(record, source.name, (source.map)(&text, self.maps, &self.place), 0),
            None => self.events.push(Event::Unreadable("line of no known format".to_owned())),
        }
    }
}

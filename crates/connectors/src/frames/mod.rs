//! Cuts a stream of JSON text into records, whatever envelope they lie in, with bounded memory.
//!
//! Accepts single objects, NDJSON, concatenated and pretty-printed documents, lists, and lists inside the known
//! envelopes (`{"Records":[...]}`), nested. A broken record is given as such and reading goes on at the next one.
//! The same bytes always give the same records with the same numbers: places of rows depend on it.

mod search;

use std::io::Read;

use crate::json::scan::{self, BracketWalk};
use crate::json::{Member, ScanError};
use crate::options::SizeLimits;
use crate::result_table::{self, Names};
use search::Search;

/// Bytes read at a time.
const CHUNK: usize = 256 << 10;
/// How far an object is looked into for the list of an envelope.
const ENVELOPE_LOOK: usize = 64 << 10;
/// Blanks before a record that tell where its lines begin.
const INDENT_MAX: usize = 1_024;

/// A record, or what stands where one should be.
pub(crate) struct Frame<'a> {
    /// From 0, counting everything the source holds.
    pub(crate) record: u64,
    /// Of the first byte, after inflating.
    pub(crate) offset: u64,
    pub(crate) bytes: &'a [u8],
    pub(crate) content: Content<'a>,
}

pub(crate) enum Content<'a> {
    /// A valid object; the ranges are of `bytes`.
    Object(&'a [Member]),
    /// A valid list: a row of a query's result, with the names of its values.
    Row(Names),
    Broken(Broken),
}

/// Why a record could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    Json(&'static str),
    TooDeep,
    TooLarge,
    /// The text ends inside it.
    Torn,
    /// A number, a text, a list where an object should be.
    NotAnObject,
    /// No JSON at all.
    NotJson,
}

impl Broken {
    pub(crate) fn reason(self) -> String {
        match self {
            Broken::Json(what) => format!("broken JSON: {what}"),
            Broken::TooDeep => "nested too deep".to_owned(),
            Broken::TooLarge => "record too large".to_owned(),
            Broken::Torn => "incomplete: the text ends inside the record".to_owned(),
            Broken::NotAnObject => "not an object".to_owned(),
            Broken::NotJson => "not JSON".to_owned(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    List,
    /// An object whose list of records is being read.
    Envelope,
}

/// The keys under which envelopes hold their list.
const ENVELOPE_KEYS: &[&[u8]] = &[
    b"Records",
    b"records",
    b"value",
    b"Events",
    b"events",
    b"entries",
    b"logEvents",
    b"Findings",
    b"Results",
    b"results",
    b"tables",
    b"Tables",
];
/// Keys that may stand before that list.
const BESIDE_KEYS: &[&[u8]] = &[
    b"NextToken",
    b"nextToken",
    b"nextPageToken",
    b"nextLink",
    b"count",
    b"messageType",
    b"owner",
    b"logGroup",
    b"logStream",
    b"subscriptionFilters",
    b"searchedLogStreams",
    b"Schema",
    b"schema",
    b"Stats",
];

pub(crate) struct Frames<R> {
    reader: R,
    limits: SizeLimits,
    buffer: Vec<u8>,
    /// Start of what has not been given out yet.
    at: usize,
    /// End of what was read.
    filled: usize,
    ended: bool,
    /// Offset in the text of `buffer[0]`.
    base: u64,
    /// Line (from 1) of `counted`, which is never behind `base`.
    line: u64,
    counted: u64,
    /// The blanks with which the line of `buffer[0]` begins, when nothing else stands before it.
    indent: Option<Vec<u8>>,
    levels: Vec<Level>,
    members: Vec<Member>,
    record: u64,
    /// Why reading stopped early.
    stopped: Option<String>,
    /// The first key of the last object that was read: the next one likely begins with it too.
    last_key: Vec<u8>,
    /// Offset and line of a record too large to be held.
    large: Option<(u64, u64)>,
    /// Of the result whose rows are being read: its columns, and how many levels enclose a row.
    result: Option<(Names, usize)>,
}

/// What to give out, found before the buffer is borrowed.
enum Found {
    Object { end: usize },
    Row { end: usize, names: Names },
    Broken { end: usize, why: Broken },
}

impl<R: Read> Frames<R> {
    pub(crate) fn new(reader: R, limits: SizeLimits) -> Frames<R> {
        Frames::with_buffer(reader, limits, Vec::new())
    }

    /// With memory that an earlier one gave back.
    pub(crate) fn with_buffer(reader: R, limits: SizeLimits, buffer: Vec<u8>) -> Frames<R> {
        Frames {
            reader,
            limits,
            buffer,
            at: 0,
            filled: 0,
            ended: false,
            base: 0,
            line: 1,
            counted: 0,
            indent: Some(Vec::new()),
            levels: Vec::new(),
            members: Vec::new(),
            record: 0,
            stopped: None,
            last_key: Vec::new(),
            large: None,
            result: None,
        }
    }

    /// Bytes of text up to the end of the last frame.
    pub(crate) fn consumed(&self) -> u64 {
        self.base + self.at as u64
    }

    /// The memory, to be used again.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// Bytes of text read so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.base + self.filled as u64
    }

    /// Why reading ended before the text did.
    pub(crate) fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    /// The line (from 1) of an offset inside the last frame or after it.
    pub(crate) fn line_of(&mut self, offset: u64) -> u64 {
        if let Some((large, line)) = self.large
            && large == offset
        {
            return line;
        }
        self.count_lines(offset.saturating_sub(self.base) as usize);
        self.line
    }

    fn count_lines(&mut self, to: usize) {
        let from = self.counted.saturating_sub(self.base) as usize;
        if let Some(passed) = self.buffer.get(from..to.min(self.filled)) {
            self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
            self.counted = self.base + to.min(self.filled) as u64;
        }
    }

    /// Reads on; false at the end of the text. Keeps everything from `at`.
    fn fill(&mut self) -> bool {
        if self.ended {
            return false;
        }
        if self.at > 0 && (self.at == self.filled || self.at >= self.buffer.len() / 2) {
            self.count_lines(self.at);
            self.indent = self.indent_at(self.at);
            self.buffer.copy_within(self.at..self.filled, 0);
            self.base += self.at as u64;
            self.filled -= self.at;
            self.at = 0;
        }
        if self.buffer.len() - self.filled < CHUNK {
            let length = (self.filled + CHUNK).next_power_of_two().max(2 * CHUNK);
            self.buffer.resize(length, 0);
        }
        let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
        match self.reader.read(room) {
            Ok(0) => self.ended = true,
            Ok(read) => self.filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => {
                self.stopped = Some(error.to_string());
                self.ended = true;
            }
        }
        !self.ended
    }

    /// The blanks before `at` in its line; None when something else stands there.
    fn indent_at(&self, at: usize) -> Option<Vec<u8>> {
        let before = self.buffer.get(..at)?;
        let (mut indent, rest) = match memchr::memrchr(b'\n', before) {
            Some(line) => (Vec::new(), before.get(line + 1..)?),
            None => (self.indent.clone()?, before),
        };
        let blank = rest.iter().all(|byte| matches!(byte, b' ' | b'\t'));
        if !blank || indent.len() + rest.len() > INDENT_MAX {
            return None;
        }
        indent.extend_from_slice(rest);
        Some(indent)
    }

    fn text(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    fn byte(&mut self) -> Option<u8> {
        while self.at >= self.filled {
            if !self.fill() {
                return None;
            }
        }
        self.buffer.get(self.at).copied()
    }

    /// The next record; None at the end.
    pub(crate) fn next(&mut self) -> Option<Frame<'_>> {
        let (start, found) = self.find()?;
        let record = self.record;
        self.record += 1;
        let (end, content) = match found {
            Found::Object { end } => (end, Content::Object(&self.members)),
            Found::Row { end, names } => (end, Content::Row(names)),
            Found::Broken { end, why } => (end, Content::Broken(why)),
        };
        self.at = end;
        let bytes = self.buffer.get(start..end.min(self.filled)).unwrap_or_default();
        let offset = match self.large {
            Some((offset, _)) if matches!(content, Content::Broken(Broken::TooLarge)) => offset,
            _ => self.base + start as u64,
        };
        Some(Frame { record, offset, bytes, content })
    }

    fn find(&mut self) -> Option<(usize, Found)> {
        loop {
            let byte = self.byte()?;
            match byte {
                b' ' | b'\n' | b'\r' | b'\t' | b',' | 0x1E | 0 => self.at += 1,
                0xEF if self.at_byte_order_mark() => self.at += 3,
                b'{' => match self.envelope() {
                    Some(list) => {
                        self.levels.push(Level::Envelope);
                        self.levels.push(Level::List);
                        self.at = list + 1;
                    }
                    None => match self.result_table() {
                        Some((names, list)) => {
                            self.levels.push(Level::Envelope);
                            self.levels.push(Level::List);
                            self.result = Some((names, self.levels.len()));
                            self.at = list + 1;
                        }
                        None => return Some(self.object()),
                    },
                },
                b'[' if self.result.as_ref().is_some_and(|(_, depth)| *depth == self.levels.len()) => {
                    return Some(self.row());
                }
                b'[' if self.levels.len() < 16 => {
                    self.levels.push(Level::List);
                    self.at += 1;
                }
                b']' if self.levels.last() == Some(&Level::List) => {
                    self.levels.pop();
                    if self.result.as_ref().is_some_and(|(_, depth)| *depth > self.levels.len()) {
                        self.result = None;
                    }
                    self.at += 1;
                    if self.levels.last() == Some(&Level::Envelope) {
                        self.levels.pop();
                        self.leave_envelope();
                    }
                }
                _ => return Some(self.foreign()),
            }
        }
    }

    fn at_byte_order_mark(&mut self) -> bool {
        while self.filled - self.at < 3 && self.fill() {}
        self.text().get(self.at..self.at + 3) == Some(b"\xEF\xBB\xBF")
    }

    /// The place of the list when the object at `at` is an envelope.
    fn envelope(&mut self) -> Option<usize> {
        loop {
            match find_envelope(self.text(), self.at) {
                Ok(list) => return list,
                Err(()) if self.filled - self.at > ENVELOPE_LOOK => return None,
                Err(()) => {
                    if !self.fill() {
                        return None;
                    }
                }
            }
        }
    }

    /// The columns and the place of the rows when the object at `at` is a table of a query's result. Such objects lie in
    /// the list of an envelope.
    fn result_table(&mut self) -> Option<(Names, usize)> {
        if self.levels.last() != Some(&Level::List) || self.levels.len() > 14 {
            return None;
        }
        loop {
            match result_table::find(self.text(), self.at) {
                Ok(found) => return found,
                Err(()) if self.filled - self.at > ENVELOPE_LOOK => return None,
                Err(()) => {
                    if !self.fill() {
                        return None;
                    }
                }
            }
        }
    }

    /// The row of a query's result at `at`.
    fn row(&mut self) -> (usize, Found) {
        loop {
            match (scan::skip_value(self.text(), self.at, self.limits.depth), &self.result) {
                (Ok(end), Some((names, _))) if end - self.at <= self.limits.record_bytes => {
                    return (self.at, Found::Row { end, names: Names::clone(names) });
                }
                (Err(ScanError::Incomplete), _) if self.filled - self.at > self.limits.record_bytes => {
                    return self.skip_large();
                }
                (Err(ScanError::Incomplete), _) => {
                    if !self.fill() {
                        return (self.at, Found::Broken { end: self.filled, why: Broken::Torn });
                    }
                }
                (Err(ScanError::TooDeep { .. }), _) => return self.skip_deep(),
                (Ok(end), _) => return (self.at, Found::Broken { end, why: Broken::TooLarge }),
                (Err(ScanError::Invalid { what, .. }), _) => {
                    // The row ends where its brackets do.
                    let end = scan::skip_brackets(self.text(), self.at);
                    let full = self.filled - self.at > self.limits.record_bytes;
                    if end.is_some() || full || !self.fill() {
                        let end = end.unwrap_or(self.filled);
                        return (self.at, Found::Broken { end, why: Broken::Json(what) });
                    }
                }
            }
        }
    }

    /// Skips what stands behind an envelope's list, to the end of the envelope.
    fn leave_envelope(&mut self) {
        let mut walk = BracketWalk::inside();
        loop {
            let rest = self.text().get(self.at..).unwrap_or_default();
            match walk.advance(rest) {
                Some(length) => {
                    self.at += length;
                    return;
                }
                None => self.at = self.filled,
            }
            if !self.fill() {
                return;
            }
        }
    }

    /// The object at `at`.
    fn object(&mut self) -> (usize, Found) {
        loop {
            let text = self.buffer.get(..self.filled).unwrap_or_default();
            match scan::object(text, self.at, self.limits.depth, &mut self.members) {
                Ok(end) if end - self.at > self.limits.record_bytes => {
                    self.note_large();
                    return (self.at, Found::Broken { end, why: Broken::TooLarge });
                }
                Ok(end) => {
                    let start = self.at;
                    if let Some(key) = self.members.first().and_then(|member| text.get(member.key.clone()))
                        && *key != *self.last_key
                    {
                        self.last_key = key.to_vec();
                    }
                    for member in &mut self.members {
                        member.key = member.key.start - start..member.key.end - start;
                        member.value = member.value.start - start..member.value.end - start;
                    }
                    return (start, Found::Object { end });
                }
                Err(ScanError::Incomplete) if self.filled - self.at > self.limits.record_bytes => {
                    return self.skip_large();
                }
                Err(ScanError::Incomplete) => {
                    if !self.fill() {
                        return self.resync(Broken::Torn);
                    }
                }
                Err(ScanError::TooDeep { .. }) => return self.skip_deep(),
                Err(ScanError::Invalid { what, .. }) => return self.resync(Broken::Json(what)),
            }
        }
    }

    /// A record over the limit: passed over without being held.
    fn skip_large(&mut self) -> (usize, Found) {
        self.note_large();
        let mut walk = BracketWalk::default();
        loop {
            let rest = self.text().get(self.at..).unwrap_or_default();
            match walk.advance(rest) {
                Some(length) => {
                    let end = self.at + length;
                    return (self.at, Found::Broken { end, why: Broken::TooLarge });
                }
                None => self.at = self.filled,
            }
            if !self.fill() {
                return (self.at, Found::Broken { end: self.filled, why: Broken::TooLarge });
            }
        }
    }

    fn note_large(&mut self) {
        self.count_lines(self.at);
        self.large = Some((self.base + self.at as u64, self.line));
    }

    /// A record nested too deep: passed over by its brackets.
    fn skip_deep(&mut self) -> (usize, Found) {
        loop {
            if let Some(end) = scan::skip_brackets(self.text(), self.at) {
                return (self.at, Found::Broken { end, why: Broken::TooDeep });
            }
            if self.filled - self.at > self.limits.record_bytes {
                return self.skip_large();
            }
            if !self.fill() {
                return self.resync(Broken::TooDeep);
            }
        }
    }

    /// Something that is no object: a number, a text, a line of another format.
    fn foreign(&mut self) -> (usize, Found) {
        let in_list = self.levels.last() == Some(&Level::List);
        let mut search = Search::new(self.indent_at(self.at));
        loop {
            let end = match (in_list, scan::skip_value(self.text(), self.at, self.limits.depth)) {
                (true, Ok(end)) if ends_value(self.text(), end) => Some((end, Broken::NotAnObject)),
                // What follows the value is not yet there.
                (true, Ok(end)) if !self.ended && scan::skip_space(self.text(), end) >= self.filled => None,
                (true, Err(ScanError::Incomplete)) if !self.ended => None,
                // In a list a record may follow in the same line.
                (true, _) => {
                    let line = line_end(self.text(), self.at).map(|end| end - self.at);
                    let found = self.searched(&mut search, line);
                    found.or(line.filter(|_| self.ended)).map(|length| (self.at + length, Broken::NotJson))
                }
                (false, _) => line_end(self.text(), self.at).map(|end| (end, Broken::NotJson)),
            };
            match end {
                Some((end, why)) => return (self.at, Found::Broken { end: end.max(self.at + 1), why }),
                None if self.filled - self.at > self.limits.record_bytes => {
                    self.note_large();
                    return (self.at, Found::Broken { end: self.filled, why: Broken::TooLarge });
                }
                None if self.ended => return (self.at, Found::Broken { end: self.filled, why: Broken::NotJson }),
                None => {
                    self.fill();
                }
            }
        }
    }

    fn searched(&self, search: &mut Search, limit: Option<usize>) -> Option<usize> {
        let text = self.text().get(self.at..).unwrap_or_default();
        search.advance(text, limit, self.limits.depth, self.ended, &self.last_key)
    }

    /// The broken record at `at`: it ends where the next one that can be read begins.
    fn resync(&mut self, why: Broken) -> (usize, Found) {
        let mut search = Search::new(self.indent_at(self.at));
        loop {
            if let Some(length) = self.searched(&mut search, None) {
                return (self.at, Found::Broken { end: self.at + length, why });
            }
            if self.ended || self.filled - self.at > self.limits.record_bytes {
                return (self.at, Found::Broken { end: self.filled, why });
            }
            self.fill();
        }
    }
}

/// The end of the line that `at` lies in, when it is there.
fn line_end(text: &[u8], at: usize) -> Option<usize> {
    memchr::memchr(b'\n', text.get(at..)?).map(|index| at + index)
}

/// Whether the object at `start` is an envelope, and where its list begins; Err when the text ends too early to say.
fn find_envelope(text: &[u8], start: usize) -> Result<Option<usize>, ()> {
    let mut at = scan::skip_space(text, start + 1);
    loop {
        match text.get(at) {
            None => return Err(()),
            Some(b'"') => {}
            Some(_) => return Ok(None),
        }
        let Some(length) = text.get(at + 1..).and_then(|rest| memchr::memchr(b'"', rest)) else { return Err(()) };
        let key = text.get(at + 1..at + 1 + length).unwrap_or_default();
        let holds = ENVELOPE_KEYS.contains(&key);
        if !holds && !BESIDE_KEYS.contains(&key) && !key.starts_with(b"@odata") {
            return Ok(None);
        }
        at = scan::skip_space(text, at + length + 2);
        match text.get(at) {
            None => return Err(()),
            Some(b':') => at = scan::skip_space(text, at + 1),
            Some(_) => return Ok(None),
        }
        if holds {
            return match text.get(at) {
                None => Err(()),
                Some(b'[') => match text.get(scan::skip_space(text, at + 1)) {
                    None => Err(()),
                    Some(b'{' | b']') => Ok(Some(at)),
                    Some(_) => Ok(None),
                },
                Some(_) => Ok(None),
            };
        }
        at = match scan::skip_value(text, at, 8) {
            Ok(end) => scan::skip_space(text, end),
            Err(ScanError::Incomplete) => return Err(()),
            Err(_) => return Ok(None),
        };
        match text.get(at) {
            None => return Err(()),
            Some(b',') => at = scan::skip_space(text, at + 1),
            Some(_) => return Ok(None),
        }
    }
}

/// True when what stands at `at` follows a value in a list.
fn ends_value(text: &[u8], at: usize) -> bool {
    matches!(text.get(scan::skip_space(text, at)), Some(b',' | b']'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time, so that everything straddles reads.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn frames_with(text: &[u8], step: usize, limits: SizeLimits) -> Vec<String> {
        let mut frames = Frames::new(Dribble(text, step), limits);
        let mut found = Vec::new();
        while let Some(frame) = frames.next() {
            assert_eq!(frame.record as usize, found.len());
            let shown = String::from_utf8_lossy(frame.bytes).into_owned();
            let (offset, broken) = (
                frame.offset,
                match frame.content {
                    Content::Object(_) | Content::Row(_) => None,
                    Content::Broken(why) => Some(why.reason()),
                },
            );
            let line = frames.line_of(offset);
            found.push(match broken {
                None => format!("{line}: {shown}"),
                Some(why) => format!("{line}: ! {why}: {shown}"),
            });
        }
        found
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        for step in [1, 7, 1 << 20] {
            assert_eq!(frames_with(text.as_bytes(), step, SizeLimits::default()), expected, "{step} bytes at a time");
        }
    }

    #[test]
    fn envelopes_lists_and_lines() {
        check(r#"{"Records":[{"a":1},{"a":2}]}"#, &[r#"1: {"a":1}"#, r#"1: {"a":2}"#]);
        check("[{\"a\":1},\n{\"a\":2}]", &[r#"1: {"a":1}"#, r#"2: {"a":2}"#]);
        check("{\"a\":1}\n\n{\"a\":2}\r\n", &[r#"1: {"a":1}"#, r#"3: {"a":2}"#]);
        check(r#"{"a":1}{"a":2} {"a":3}"#, &[r#"1: {"a":1}"#, r#"1: {"a":2}"#, r#"1: {"a":3}"#]);
        check("\u{feff}[\n  {\n    \"a\": [1]\n  }\n]\n", &["2: {\n    \"a\": [1]\n  }"]);
        check(
            "{\"@odata.context\":\"x\",\"value\":[{\"id\":\"1\"}],\"@odata.nextLink\":\"y\"}\n{\"records\":[{\"b\":{}}]}",
            &[r#"1: {"id":"1"}"#, r#"2: {"b":{}}"#],
        );
        check(r#"[{"records":[{"a":1}]},{"records":[{"a":2}]}]"#, &[r#"1: {"a":1}"#, r#"1: {"a":2}"#]);
        check(r#"{"Records":[]}"#, &[]);
        check("", &[]);
        check("[{\"a\":1},]\0\0\0", &[r#"1: {"a":1}"#]);
    }

    #[test]
    fn rows_of_query_results() {
        check(
            r#"{"tables":[{"name":"P","columns":[{"name":"a"},{"name":"b"}],"rows":[["x",1],["y",[2]]]},{"name":"Q","columns":[{"name":"c"}],"rows":[[3]]}]}
{"a":1}"#,
            &[r#"1: ["x",1]"#, r#"1: ["y",[2]]"#, "1: [3]", r#"2: {"a":1}"#],
        );
        check(
            r#"{"tables":[{"name":"P","columns":[{"name":"a"}],"rows":[["x"],["y"#,
            &[r#"1: ["x"]"#, r#"1: ! incomplete: the text ends inside the record: ["y"#],
        );
    }

    #[test]
    fn a_field_that_is_called_like_an_envelope_is_a_field() {
        check(r#"{"name":"x","value":[{"a":1}]}"#, &[r#"1: {"name":"x","value":[{"a":1}]}"#]);
        check(r#"{"value":[1,2]}"#, &[r#"1: {"value":[1,2]}"#]);
        check(r#"{"value":"x"}"#, &[r#"1: {"value":"x"}"#]);
    }

    #[test]
    fn broken_records_leave_their_neighbours_alone() {
        check(
            "{\"a\":1}\n{\"a\":2,\"b\":\"x\n{\"a\":3}\n",
            &[
                r#"1: {"a":1}"#,
                "2: ! broken JSON: control character in a string: {\"a\":2,\"b\":\"x\n",
                r#"3: {"a":3}"#,
            ],
        );
        check(
            r#"{"Records":[{"a":1},{"a":2,"l":[{"q":1},{"q":2}],"b":"x"y"},{"a":3},{"a":4}]}"#,
            &[
                r#"1: {"a":1}"#,
                r#"1: ! broken JSON: expected , or }: {"a":2,"l":[{"q":1},{"q":2}],"b":"x"y"},"#,
                r#"1: {"a":3}"#,
                r#"1: {"a":4}"#,
            ],
        );
        check(
            "[\n {\n  \"a\": {\n   \"b\": 1,\n  }\n },\n {\n  \"a\": 2\n }\n]",
            &[
                "2: ! broken JSON: expected a name in quotes: {\n  \"a\": {\n   \"b\": 1,\n  }\n },\n ",
                "7: {\n  \"a\": 2\n }",
            ],
        );
        check("garbage\n{\"a\":1}\n", &["1: ! not JSON: garbage", r#"2: {"a":1}"#]);
        check("[1,\"x\",{\"a\":1}]", &["1: ! not an object: 1", "1: ! not an object: \"x\"", r#"1: {"a":1}"#]);
    }

    #[test]
    fn a_torn_end_is_one_incomplete_record() {
        check(
            r#"{"Records":[{"a":1},{"a":"#,
            &[r#"1: {"a":1}"#, r#"1: ! incomplete: the text ends inside the record: {"a":"#],
        );
        check(r#"{"Records":[{"a":1},"#, &[r#"1: {"a":1}"#]);
    }

    #[test]
    fn records_do_not_depend_on_how_the_text_comes() {
        for text in [
            // A broken record that does not begin its line: lines that begin like it are looked for.
            "{\"a\":1} {\"a\":2,\"b\":\"x\n{\"a\":3}\nnoise\n{\"a\":4}\n",
            "  {\"a\":1,,}\n  {\"a\":2}\n{\"a\":3,,}\n  {\"a\":4}\n",
            // A broken row, whose end comes later.
            r#"{"tables":[{"name":"P","columns":[{"name":"a"},{"name":"b"}],"rows":[["x",1],["y" [2]],["z",3]]}]}"#,
            // Names that are not yet all there.
            "{\"ab\":1}\n{\"ab\":2,,\"x\":[1],{\"ab\":3},{\"cd\":4},{\"ab\":5}",
            // Values in a list, and what follows them.
            "[0 {\"a\":1}, 12 , 3]\n[\n 4 \n, {\"a\":2}\n5\n]",
        ] {
            let whole = frames_with(text.as_bytes(), 1 << 20, SizeLimits::default());
            assert!(whole.len() > 1 || text.starts_with('['), "{whole:?}");
            for step in 1..20 {
                assert_eq!(frames_with(text.as_bytes(), step, SizeLimits::default()), whole, "{step} bytes at a time");
            }
        }
    }

    /// Each of these took minutes when what was read was looked at again and again.
    #[test]
    fn long_damage_is_passed_over_in_one_go() {
        let filler = "x".repeat(2 << 20);
        for text in [
            format!("{{\"a\":\"\u{1}{filler}{}", "{".repeat(100_000)),
            format!("{{\"a\":\"\u{1}{filler}{}", ",{\"a\":[".repeat(40_000)),
            format!("{{\"a\":1,,{}", ",{\"a\":[".repeat(100_000)),
            format!("[{}", "garbage\n".repeat(50_000)),
            format!("[1,{}", "\"\u{1} {\n".repeat(50_000)),
        ] {
            let started = std::time::Instant::now();
            let mut frames = Frames::new(Dribble(text.as_bytes(), 64 << 10), SizeLimits::default());
            let mut end = 0;
            while let Some(frame) = frames.next() {
                end = frame.offset as usize + frame.bytes.len();
            }
            assert!(text.len() - end < 10, "{end} of {}", text.len());
            assert!(started.elapsed().as_secs() < 20, "{:?} for {}", started.elapsed(), &text[..20]);
        }
    }

    #[test]
    fn depth_and_size_are_limited() {
        let limits = SizeLimits { depth: 5, record_bytes: 64, ..SizeLimits::default() };
        let text = format!(
            "{}\n{}\n{}\n",
            r#"{"a":[[[[[[1]]]]]]}"#,
            format_args!("{{\"a\":\"{}\"}}", "x".repeat(1 << 20)),
            r#"{"a":1}"#
        );
        for step in [7, 4096, 1 << 22] {
            let found = frames_with(text.as_bytes(), step, limits);
            assert_eq!(found.len(), 3, "{step}");
            assert_eq!(found[0], "1: ! nested too deep: {\"a\":[[[[[[1]]]]]]}");
            assert!(found[1].starts_with("2: ! record too large"), "{}", found[1].get(..60).unwrap_or_default());
            assert_eq!(found[2], r#"3: {"a":1}"#);
        }
    }
}

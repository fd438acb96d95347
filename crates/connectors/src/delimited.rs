//! Files of columns: CSV as the portal, spreadsheets and `Export-Csv` write it, with commas, semicolons or tabs.
//!
//! The first row names the columns. A row is a record; one with another number of cells than there are names cannot be
//! read, except that empty cells may be missing or in excess at its end.

use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;

use crate::json::text;
use crate::report::excerpt;

/// Bytes read at a time.
const CHUNK: usize = 256 << 10;
/// Rows looked at to find the separator.
const SNIFF_ROWS: usize = 20;

/// What separates cells, when the first bytes of a text look like a file of columns.
pub(crate) fn separator(head: &[u8]) -> Option<u8> {
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    [b',', b'\t', b';', b' '].into_iter().find(|separator| {
        let mut cells = Vec::new();
        let (mut at, mut names, mut same, mut rows) = (0, 0, 0, 0);
        while rows <= SNIFF_ROWS {
            let Some(end) = row_end(text, at, *separator, true, &mut cells) else { break };
            if rows == 0 {
                names = cells.len();
                let spaced = *separator == b' ' && !cells.iter().any(|cell| cell_text(text, cell) == "srcaddr");
                if spaced || names < 2 || !cells.iter().all(|cell| is_name(&cell_text(text, cell))) {
                    return false;
                }
            } else if end < text.len() || rows < 2 {
                // The last row may be cut off where the look ahead ends.
                same += usize::from(cells.len() == names);
            } else {
                break;
            }
            rows += 1;
            at = end;
            if at >= text.len() {
                break;
            }
        }
        rows >= 1 && same * 2 >= rows - 1
    })
}

/// A name of a column, as opposed to a value or a part of a line of text.
fn is_name(text: &str) -> bool {
    let text = text.trim();
    text.len() <= 128
        && text.starts_with(|first: char| first.is_alphabetic() || matches!(first, '_' | '$' | '@'))
        && text.chars().all(|c| c.is_alphanumeric() || " _-.$@[]()/:#?%".contains(c))
        && !text.contains(": ")
}

/// A cell of a row: where it lies, and whether it stands in quotes.
#[derive(Debug, Clone, PartialEq)]
struct Cell {
    place: Range<usize>,
    quoted: bool,
}

/// Finds the cells of the row at `start` and gives the end of the row, its line end included; None when the row does not
/// end in the text (`ended` says that nothing follows it).
fn row_end(text: &[u8], start: usize, separator: u8, ended: bool, cells: &mut Vec<Cell>) -> Option<usize> {
    cells.clear();
    let mut at = start;
    loop {
        let from = at;
        let quoted = text.get(at) == Some(&b'"');
        if quoted {
            at += 1;
            loop {
                at += memchr::memchr(b'"', text.get(at..)?)?;
                match text.get(at + 1) {
                    Some(b'"') => at += 2,
                    None if !ended => return None,
                    _ => break,
                }
            }
        }
        let rest = text.get(at..)?;
        let Some(length) = memchr::memchr3(separator, b'\n', b'\r', rest) else {
            if !ended {
                return None;
            }
            cells.push(Cell { place: from..text.len(), quoted });
            return Some(text.len());
        };
        at += length;
        cells.push(Cell { place: from..at, quoted });
        match (text.get(at), text.get(at + 1)) {
            (Some(b'\r'), Some(b'\n')) => return Some(at + 2),
            (Some(b'\r'), None) if !ended => return None,
            (Some(b'\r' | b'\n'), _) => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// The text of a cell; what stands behind its closing quote belongs to it.
fn cell_text<'t>(text: &'t [u8], cell: &Cell) -> Cow<'t, str> {
    let raw = text.get(cell.place.clone()).unwrap_or_default();
    if !cell.quoted {
        return String::from_utf8_lossy(raw);
    }
    let inner = raw.get(1..).unwrap_or_default();
    match inner.strip_suffix(b"\"").filter(|inner| !inner.contains(&b'"')) {
        Some(inner) => String::from_utf8_lossy(inner),
        None => {
            let inner = String::from_utf8_lossy(inner).replace("\"\"", "\u{0}").replace('"', "").replace('\u{0}', "\"");
            Cow::Owned(inner)
        }
    }
}

/// One row.
pub(crate) struct Line<'a> {
    pub(crate) offset: u64,
    /// From 1.
    pub(crate) line: u64,
    pub(crate) bytes: &'a [u8],
    pub(crate) content: Result<Vec<Cow<'a, str>>, String>,
    /// Bytes that were no UTF-8 were replaced.
    pub(crate) lossy: bool,
}

/// A file of columns, read row by row with bounded memory.
pub(crate) struct Delimited<R> {
    reader: R,
    separator: u8,
    record_bytes_max: usize,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    ended: bool,
    /// Offset of `buffer[0]`.
    base: u64,
    /// Line of `at`, from 1.
    line: u64,
    cells: Vec<Cell>,
    /// Rows given out as stretches.
    record: u64,
    pub(crate) names: Vec<Cow<'static, str>>,
    pub(crate) stopped: Option<String>,
}

impl<R: Read> Delimited<R> {
    pub(crate) fn new(reader: R, separator: u8, record_bytes_max: usize) -> Delimited<R> {
        let mut file = Delimited {
            reader,
            separator,
            record_bytes_max,
            buffer: Vec::new(),
            at: 0,
            filled: 0,
            ended: false,
            base: 0,
            line: 1,
            cells: Vec::new(),
            record: 0,
            names: Vec::new(),
            stopped: None,
        };
        while file.filled < 3 && file.fill() {}
        if file.text().starts_with(b"\xEF\xBB\xBF") {
            file.at = 3;
        }
        if let Some((start, end)) = file.find() {
            let text = file.buffer.get(..file.filled).unwrap_or_default();
            file.names = file.cells.iter().map(|cell| Cow::Owned(cell_text(text, cell).trim().to_owned())).collect();
            file.pass(start, end);
        }
        file
    }

    fn text(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    /// Bytes of text read so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.base + self.filled as u64
    }

    fn fill(&mut self) -> bool {
        if self.ended {
            return false;
        }
        if self.at > 0 {
            self.buffer.copy_within(self.at..self.filled, 0);
            self.base += self.at as u64;
            self.filled -= self.at;
            self.at = 0;
        }
        if self.buffer.len() - self.filled < CHUNK {
            self.buffer.resize((self.filled + CHUNK).next_power_of_two(), 0);
        }
        match self.reader.read(self.buffer.get_mut(self.filled..).unwrap_or_default()) {
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

    /// The next row that is not blank: its start and end; its cells are in `cells`. None at the end, or (with no cells)
    /// for a quote that is never closed.
    fn find(&mut self) -> Option<(usize, usize)> {
        loop {
            while let Some(b'\n' | b'\r') = self.buffer.get(self.at).filter(|_| self.at < self.filled) {
                let (at, end) = (self.at, self.at + 1);
                self.pass(at, end);
            }
            if self.at >= self.filled {
                if !self.fill() && self.at >= self.filled {
                    return None;
                }
                continue;
            }
            let text = self.buffer.get(..self.filled).unwrap_or_default();
            if let Some(end) = row_end(text, self.at, self.separator, self.ended, &mut self.cells) {
                return Some((self.at, end));
            }
            if self.ended || self.filled - self.at > self.record_bytes_max {
                self.cells.clear();
                let rest = self.text().get(self.at..).unwrap_or_default();
                let end = memchr::memchr(b'\n', rest).map_or(self.filled, |length| self.at + length + 1);
                return Some((self.at, end));
            }
            self.fill();
        }
    }

    fn pass(&mut self, start: usize, end: usize) {
        let passed = self.buffer.get(start..end).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.at = end;
    }

    /// Finds the next row that is not blank: its start and end, and its line; its cells are in `cells`.
    fn advance(&mut self) -> Option<(usize, usize, u64)> {
        loop {
            let (start, end) = self.find()?;
            let line = self.line;
            self.pass(start, end);
            if self.cells.is_empty() || self.cells.iter().any(|cell| !cell.place.is_empty()) {
                return Some((start, end, line));
            }
        }
    }

    /// The next row; blank ones are passed over.
    pub(crate) fn next(&mut self) -> Option<Line<'_>> {
        let (start, end, line) = self.advance()?;
        let text = self.buffer.get(..self.filled).unwrap_or_default();
        let place = Place { text: start..end, offset: self.base + start as u64, line };
        Some(place.line(text, &self.cells, self.names.len(), self.record_bytes_max))
    }

    /// The next rows, about so many bytes, for whoever decodes them; None at the end.
    pub(crate) fn rows(&mut self, bytes: u64) -> Option<Rows> {
        let mut rows = Rows { first: self.record, ..Rows::default() };
        let until = self.base + self.at as u64 + bytes;
        while let Some((start, end, line)) = self.advance() {
            let shift = rows.text.len();
            rows.text.extend_from_slice(self.buffer.get(start..end).unwrap_or_default());
            rows.cells.extend(self.cells.iter().map(|cell| Cell {
                place: cell.place.start - start + shift..cell.place.end - start + shift,
                quoted: cell.quoted,
            }));
            let place = Place { text: shift..rows.text.len(), offset: self.base + start as u64, line };
            rows.places.push((place, rows.cells.len()));
            self.record += 1;
            if self.base + self.at as u64 >= until {
                break;
            }
        }
        (!rows.places.is_empty()).then_some(rows)
    }
}

/// Where a row lies: in a text at hand, and in the file.
struct Place {
    text: Range<usize>,
    offset: u64,
    line: u64,
}

impl Place {
    fn line<'t>(&self, text: &'t [u8], cells: &[Cell], names: usize, record_bytes_max: usize) -> Line<'t> {
        let bytes = text.get(self.text.clone()).unwrap_or_default();
        let cells = cells.iter().map(|cell| cell_text(text, cell)).collect();
        let content = checked(cells, names, bytes.len() > record_bytes_max);
        let lossy = std::str::from_utf8(bytes).is_err();
        Line { offset: self.offset, line: self.line, bytes, content, lossy }
    }
}

/// The cells of a row, as many as there are names; the reason when they do not fit.
fn checked(mut cells: Vec<Cow<'_, str>>, names: usize, too_large: bool) -> Result<Vec<Cow<'_, str>>, String> {
    if cells.is_empty() {
        return Err("a quote that is never closed".to_owned());
    }
    if too_large {
        return Err("record too large".to_owned());
    }
    let excess = cells.iter().skip(names).any(|cell| !cell.is_empty());
    if excess || cells.len() * 2 < names {
        return Err(format!("{} cells where the first row names {names}", cells.len()));
    }
    cells.truncate(names);
    Ok(cells)
}

/// Rows with their text.
#[derive(Default)]
pub(crate) struct Rows {
    /// The record's number of the first.
    first: u64,
    text: Vec<u8>,
    cells: Vec<Cell>,
    /// Each with the end of its cells.
    places: Vec<(Place, usize)>,
}

impl Rows {
    /// The rows with their records' numbers.
    pub(crate) fn lines(&self, names: usize, record_bytes_max: usize) -> impl Iterator<Item = (u64, Line<'_>)> {
        let mut from = 0;
        (self.first..).zip(&self.places).map(move |(record, (place, to))| {
            let cells = self.cells.get(from..*to).unwrap_or_default();
            from = *to;
            (record, place.line(&self.text, cells, names, record_bytes_max))
        })
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len() + self.cells.len() * size_of::<Cell>() + self.places.len() * size_of::<(Place, usize)>()
    }
}

/// The reason and text of a row that cannot be read, for the report.
pub(crate) fn shown(line: &Line<'_>) -> String {
    excerpt(line.bytes.trim_ascii_end())
}

/// What a row of a file of columns becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellTypes {
    /// Cells are texts: what they stand for is known by their name.
    Texts,
    /// Cells that are written as JSON writes numbers and booleans are such.
    ByForm,
}

/// A row as a JSON object: cells that hold JSON objects or lists as such, others as texts, empty ones left out.
pub(crate) fn as_json(names: &[Cow<'_, str>], cells: &[Cow<'_, str>], types: CellTypes) -> String {
    let mut out = String::from("{");
    for (name, cell) in names.iter().zip(cells) {
        if cell.is_empty() {
            continue;
        }
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(&text::quoted(name));
        out.push(':');
        let trimmed = cell.trim();
        let typed = types == CellTypes::ByForm && (is_plain_number(cell) || is_boolean(cell));
        match trimmed.starts_with(['{', '[']) && crate::sources::is_json(trimmed) {
            true => out.push_str(trimmed),
            false if typed => out.push_str(&cell.to_ascii_lowercase()),
            false => out.push_str(&text::quoted(cell)),
        }
    }
    out.push('}');
    out
}

fn is_boolean(cell: &str) -> bool {
    cell.eq_ignore_ascii_case("true") || cell.eq_ignore_ascii_case("false")
}

/// A number that loses nothing by being one: no zeros in front, no more digits than a number keeps.
fn is_plain_number(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let all = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = whole == "0" || !whole.starts_with('0');
    all(whole) && plain && fraction.is_none_or(all) && digits.len() <= 15
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_columns_are_told_from_lines_of_text() {
        assert_eq!(separator(b"\xEF\xBB\xBFTenantId,\"TimeGenerated [UTC]\"\r\n1,\"a,b\"\r\n"), Some(b','));
        assert_eq!(separator(b"a;b;c\n1;2;3\n"), Some(b';'));
        assert_eq!(separator(b"a\tb\n1\t2\n"), Some(b'\t'));
        assert_eq!(separator(b"version account-id srcaddr dstaddr\n2 1 a b\n"), Some(b' '));
        assert_eq!(separator(b"words of a text\nand more of it\n"), None);
        assert_eq!(separator(b"Jun 21 11:17:33 host sshd: Failed, for root\nJun 21 11:17:34 x\n"), None);
        assert_eq!(separator(b"CEF:0|a|b|c=d, e\n"), None);
        assert_eq!(separator(b"one\ntwo\n"), None);
    }

    struct OneByte<'a>(&'a [u8]);

    impl Read for OneByte<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            buffer[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    type Row = (u64, u64, Result<String, String>);

    fn rows(reader: impl Read, record_bytes_max: usize) -> (Vec<Cow<'static, str>>, Vec<Row>) {
        let mut file = Delimited::new(reader, b',', record_bytes_max);
        let names = file.names.clone();
        let mut found = Vec::new();
        while let Some(line) = file.next() {
            found.push((line.line, line.offset, line.content.map(|cells| cells.join("|"))));
        }
        (names, found)
    }

    #[test]
    fn rows_keep_their_place_and_broken_ones_their_neighbours() {
        let text = "\u{feff}\"a\",b\r\n1,\"x\ny\"\r\n1,2,3\r\n\r\n,\r\n3,4,\r\n5\r\n\"a\"\"b\",\"c\"d\r\n6,\"7\r\n8,9";
        let expected: Vec<Row> = vec![
            (2, 10, Ok("1|x\ny".into())),
            (4, 19, Err("3 cells where the first row names 2".into())),
            (7, 31, Ok("3|4".into())),
            (8, 37, Ok("5".into())),
            (9, 40, Ok("a\"b|cd".into())),
            (10, 53, Err("a quote that is never closed".into())),
            (11, 59, Ok("8|9".into())),
        ];
        for (names, found) in [rows(text.as_bytes(), 1000), rows(OneByte(text.as_bytes()), 1000)] {
            assert_eq!(names, ["a", "b"]);
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_takes_one_line_with_it() {
        let text = format!("a,b\n1,\"2\n{}", "3,4\n".repeat(1000));
        let (_, found) = rows(text.as_bytes(), 100);
        assert_eq!(found.len(), 1001);
        assert_eq!(found.iter().filter(|(_, _, row)| row.is_err()).count(), 1);
    }

    #[test]
    fn a_row_as_json() {
        let names = ["a".into(), "b".into(), "c".into()];
        let cells = ["x\"y".into(), "{ \"k\": 1 }".into(), "".into()];
        assert_eq!(as_json(&names, &cells, CellTypes::Texts), r#"{"a":"x\"y","b":{ "k": 1 }}"#);
        let cells = ["-1.50".into(), "TRUE".into(), "007".into()];
        assert_eq!(as_json(&names, &cells, CellTypes::ByForm), r#"{"a":-1.50,"b":true,"c":"007"}"#);
        assert_eq!(as_json(&names, &cells, CellTypes::Texts), r#"{"a":"-1.50","b":"TRUE","c":"007"}"#);
        assert!(!is_plain_number("1234567890123456") && !is_plain_number("1e5") && !is_plain_number("-"));
    }
}

//! The raw record behind a row, read again from where it lies.

use std::io::Read;

use crate::frames::{Content, Frames};
use crate::input::{self, Input, Opened};
use crate::lines::TextLines;
use crate::options::{CloudSettings, SizeLimits};
use crate::report::SourceReport;
use crate::{LoadError, delimited};

/// The text of one record of a source, as it lies in the file; bytes that are no UTF-8 are replaced.
///
/// Reads the file up to the record. Records of standard input are gone, and rows of Parquet files have no text.
pub fn raw_record(source: &SourceReport, record: u64) -> Result<String, LoadError> {
    raw_record_with(source, record, &CloudSettings::default())
}

/// As [`raw_record`], of an object in a store that these settings open.
pub(crate) fn raw_record_with(
    source: &SourceReport,
    record: u64,
    settings: &CloudSettings,
) -> Result<String, LoadError> {
    let mut found = records_with(source, &[record], settings)?;
    found.pop().ok_or(LoadError::Place { source: 0, record })
}

/// Several records of one source in one pass; in the order asked for.
pub fn raw_records(source: &SourceReport, records: &[u64]) -> Result<Vec<String>, LoadError> {
    records_with(source, records, &CloudSettings::default())
}

fn records_with(source: &SourceReport, records: &[u64], settings: &CloudSettings) -> Result<Vec<String>, LoadError> {
    let missing = || LoadError::Place { source: 0, record: records.first().copied().unwrap_or_default() };
    if source.path == "-" {
        return Err(missing());
    }
    let path = std::path::PathBuf::from(&source.path);
    let limits = SizeLimits::default();
    let input = input::of_name(&source.path, settings)?;
    let opened = input::open(&input, &limits).map_err(|error| LoadError::Io { path, source: error })?;
    let last = records.iter().copied().max().unwrap_or_default();
    let mut found: Vec<Option<String>> = vec![None; records.len()];
    let mut keep = |record: u64, bytes: &[u8]| {
        for (place, wanted) in found.iter_mut().zip(records) {
            if *wanted == record {
                *place = Some(String::from_utf8_lossy(bytes.trim_ascii_end()).into_owned());
            }
        }
        record < last
    };
    match &source.member {
        None => records_of(opened, limits, &mut keep),
        Some(member) => {
            let in_place = opened.wrappings.is_empty().then_some(&input);
            let _ = in_member(opened.content, opened.reader, in_place, member, &limits, &mut keep);
        }
    }
    found.into_iter().collect::<Option<Vec<String>>>().ok_or_else(missing)
}

/// Finds the member of this name, perhaps in an archive inside this one; true when it was found.
fn in_member(
    content: input::Content,
    reader: Box<dyn Read + '_>,
    in_place: Option<&Input>,
    wanted: &str,
    limits: &SizeLimits,
    keep: &mut dyn FnMut(u64, &[u8]) -> bool,
) -> bool {
    let mut found = false;
    // What cannot be read of the archive leaves the record missing.
    let _ = input::archive::members(content, reader, in_place, limits, &|_| true, &mut |name, bytes| {
        let inner = wanted.strip_prefix(name);
        let Some(opened) = inner.and_then(|_| input::open_member(bytes.ok()?, limits).ok()) else { return true };
        match inner.map(|rest| rest.strip_prefix('/')) {
            Some(None) if wanted == name => {
                records_of(opened, *limits, keep);
                found = true;
            }
            Some(Some(inner)) => found = in_member(opened.content, opened.reader, None, inner, limits, keep),
            _ => {}
        }
        !found
    });
    found
}

fn records_of(opened: Opened<'_>, limits: SizeLimits, keep: &mut dyn FnMut(u64, &[u8]) -> bool) {
    let separator = delimited::separator(&opened.head);
    match (opened.content, separator) {
        (input::Content::Json | input::Content::Avro | input::Content::Evtx | input::Content::Parquet, _) => {
            if let Ok(reader) = input::transcode::json_text(opened.content, opened.reader, None, &opened.hash, &limits)
            {
                json_records(reader, limits, keep);
            }
        }
        (input::Content::Text, Some(separator)) => {
            let mut file = delimited::Delimited::new(opened.reader, separator, limits.record_bytes);
            let mut record = 0;
            while let Some(line) = file.next() {
                if !keep(record, line.bytes) {
                    break;
                }
                record += 1;
            }
        }
        (input::Content::Text, None) => {
            let mut lines = TextLines::new(opened.reader, limits.record_bytes);
            while let Some((record, line)) = lines.next() {
                if !keep(record, line.bytes) {
                    break;
                }
            }
        }
        _ => {}
    }
}

fn json_records(reader: impl Read, limits: SizeLimits, keep: &mut dyn FnMut(u64, &[u8]) -> bool) {
    let mut frames = Frames::new(reader, limits);
    while let Some(frame) = frames.next() {
        let bytes = match frame.content {
            Content::Object(_) | Content::Row(_) | Content::Broken(_) => frame.bytes,
        };
        if !keep(frame.record, bytes) {
            return;
        }
    }
}

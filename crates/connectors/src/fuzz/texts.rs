//! Text decoders: framing, JSON values, results of queries, files of columns, times.

use std::borrow::Cow;
use std::io::Read;

use kql_types::datetime;
use serde::de::IgnoredAny;

use crate::delimited::{self, CellTypes, Delimited};
use crate::frames::{Content, Frames};
use crate::json::{canonical, compact, mend, row_text, scan, text};
use crate::options::SizeLimits;
use crate::{result_table, time};

pub(super) const JSON: &[&str] = &[
    r#"{"Records":[{"a":1,"b":"x\u00e9\ud83d\ude00"},{"a":2,"l":[{"q":1},{"q":-2.5e-3}],"b":"x"y"},{"a":3}]}"#,
    "{\"a\":1}\n{\"a\":2,\"b\":\"x\n{\"a\":3}\nnoise\n{\"a\":[[[[]]]]} {\"b\":null}{\"c\":true}",
    "[\n {\n  \"a\": {\n   \"b\": 1,\n  }\n },\n {\n  \"a\": 2\n }\n]",
    "{\"@odata.context\":\"x\",\"value\":[{\"id\":\"1\"}],\"@odata.nextLink\":\"y\"}\n{\"records\":[{\"b\":{}}]}",
    r#"{"tables":[{"name":"P","columns":[{"name":"a"},{"name":"b"}],"rows":[["x",1],["y",[2]]]}]}"#,
    r#"[{"records":[{"a":1}]},{"records":[{"a":2}]}]"#,
    r#"{type=IAMUser, arn=x, sessioncontext={attributes={a=b}, n=null}}"#,
    r#"{"a":1e400,"b":-0.0,"c":"\ud800","d":123456789012345678901234567890}"#,
    "\u{feff}[{\"a\":1},]\0\0\0",
];

pub(super) const RESULTS: &[&str] = &[
    r#"{"name":"PrimaryResult","columns":[{"name":"a","type":"string"},{"name":"b"}],"rows":[["x",1]]}"#,
    r#"{"TableName":"T","Columns":[{"ColumnName":"a","DataType":"String"}],"Rows":[["x"],[null]]}"#,
];

pub(super) const COLUMNS: &[&str] = &[
    "\u{feff}TenantId,\"TimeGenerated [UTC]\",$table\r\n1,\"3/1/2026, 10:00:00.000 AM\",Own_CL\r\n\r\n,\r\n2,\"a\"\"b\",\"c\"d\r\n",
    "a;b;c\n1;2;3\n\"x\ny\";;\n4;5;6;\n",
    "a\tb\n{\"k\":1}\t[1,2]\n007\ttrue\n",
    "version account-id srcaddr dstaddr\n2 1 a b\n- - - -\n",
    "eventname,eventsource,awsregion,useridentity\nA,s,r,\"{type=x, sessioncontext={attributes={a=b}}}\"\n",
    "a,b\n1,\"2\n3,4\n",
];

pub(super) const TIMES: &[&str] = &[
    "2023-07-10T11:42:36Z",
    "2025-12-22T08:46:29.678707399+02:00",
    "4/28/2021, 2:32:14.029 PM",
    "4/28/2021, 2:32:14\u{202f}PM",
    "/Date(1600000000000)/",
    "/Date(1600000000000+0200)/",
    "1600000000123456",
    "1.6e9",
    "-62135596800",
    "Mar  1 10:00:00",
    "America/New_York",
];

/// Gives a few bytes at a time, so that everything straddles reads.
struct Dribble<'a>(&'a [u8], usize);

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(self.0.len()).min(buffer.len());
        let (now, later) = self.0.split_at(count);
        if let Some(to) = buffer.get_mut(..count) {
            to.copy_from_slice(now);
        }
        self.0 = later;
        Ok(count)
    }
}

/// The steps of a reader that are compared: all at once, and a few bytes that the input sets.
fn steps(data: &[u8]) -> [usize; 2] {
    [usize::MAX, 1 + data.len() % 7]
}

/// Records are the same however the text comes, lie in it in order, and those said to be valid are.
pub(super) fn json_records(data: &[u8]) {
    let [whole, dribbled] = steps(data).map(|step| frames(data, step, SizeLimits::default()));
    assert_eq!(whole, dribbled);
    let mut end = 0;
    for (number, frame) in whole.iter().enumerate() {
        assert!(frame.0 == number as u64 && frame.1 >= end, "{whole:?}");
        end = frame.1 + frame.3.len() as u64;
    }
    assert!(end <= data.len() as u64);
    // Tight limits decide by what was read, so that only their effects can be compared.
    let tight = SizeLimits { depth: 4, record_bytes: 64, ..SizeLimits::default() };
    for step in steps(data) {
        for frame in frames(data, step, tight) {
            assert!(frame.4.is_some() || frame.3.len() <= 64, "{frame:?}");
        }
    }
}

/// Number, offset, line, bytes, and the reason of one that is broken.
type Shown = (u64, u64, u64, Vec<u8>, Option<String>);

fn frames(data: &[u8], step: usize, limits: SizeLimits) -> Vec<Shown> {
    let mut frames = Frames::new(Dribble(data, step), limits);
    let mut found = Vec::new();
    while let Some(frame) = frames.next() {
        let (record, offset, bytes) = (frame.record, frame.offset, frame.bytes.to_vec());
        let broken = match frame.content {
            Content::Object(members) => {
                for member in members {
                    assert!(bytes.get(member.key.clone()).is_some(), "a name outside its record");
                    let value = bytes.get(member.value.clone()).unwrap_or_default();
                    assert_eq!(scan::skip_value(value, 0, limits.depth), Ok(value.len()));
                }
                None
            }
            Content::Row(_) => None,
            Content::Broken(why) => Some(why.reason()),
        };
        found.push((record, offset, frames.line_of(offset), bytes, broken));
        assert!(found.len() <= data.len() + 1, "records of nothing");
    }
    assert_eq!(frames.bytes(), data.len() as u64);
    found
}

/// Values are valid for the scan exactly when they are for `serde_json`; what is made of them is JSON, and stays what it is.
pub(super) fn json_value(data: &[u8]) {
    let json = |text: &str| serde_json::from_str::<IgnoredAny>(text).is_ok();
    let value = data.trim_ascii();
    if let Some((made, _)) = mend::mended(value, 1_000) {
        assert!(json(&made), "mended: {made}");
    }
    let Ok(value) = std::str::from_utf8(value) else { return };
    let bare = value.trim_matches([' ', '\t', '\n', '\r']);
    let valid = scan::skip_value(bare.as_bytes(), 0, 10_000) == Ok(bare.len());
    assert_eq!(valid, json(bare), "{bare}");
    let quoted = text::quoted(value);
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    assert_eq!(inner.map(text::unescape).as_deref(), Some(value));
    if let Some(made) = row_text::as_json(value) {
        assert!(json(&made), "{made}");
    }
    if valid {
        let compacted = compact::compact(bare);
        assert!(json(&compacted), "{compacted}");
        assert_eq!(compact::compact(&compacted), compacted);
        if let Some(made) = canonical::canonical(bare) {
            assert!(json(&made), "{made}");
            // The prefix of Kusto's own scalars would be escaped once more.
            if !made.contains('\u{e000}') {
                assert_eq!(canonical::canonical(&made).as_deref(), Some(made.as_ref()), "of {bare}");
            }
        }
    }
}

/// A table of a result is found or not whatever was read of it, and its rows become objects.
pub(super) fn query_result(data: &[u8]) {
    let whole = result_table::find(data, 0);
    if let Ok(found) = &whole {
        for cut in (1..data.len()).step_by(1 + data.len() / 64) {
            if let Ok(early) = result_table::find(data.get(..cut).unwrap_or_default(), 0) {
                assert_eq!(&early, found, "cut at {cut}");
            }
        }
    }
    let names: Vec<String> = String::from_utf8_lossy(data).split(',').take(3).map(str::to_owned).collect();
    let row = std::str::from_utf8(data).unwrap_or_default();
    for row in [row, "[1,null,\"x\"]"] {
        if let Some(object) = result_table::as_object(&names, row, 100) {
            assert!(serde_json::from_str::<IgnoredAny>(&object).is_ok(), "{object}");
        }
    }
}

/// Rows are the same however the text comes, and every one becomes valid JSON.
pub(super) fn columns(data: &[u8]) {
    let separator = delimited::separator(data).unwrap_or(b',');
    let [whole, dribbled] = steps(data).map(|step| {
        let mut file = Delimited::new(Dribble(data, step), separator, 1 << 20);
        let names: Vec<Cow<'static, str>> = file.names.clone();
        let mut rows = Vec::new();
        while let Some(line) = file.next() {
            let shown = delimited::shown(&line);
            let made = line.content.map(|cells| {
                assert!(cells.len() <= names.len());
                [CellTypes::Texts, CellTypes::ByForm].map(|types| delimited::as_json(&names, &cells, types))
            });
            if let Ok(made) = &made {
                let json = made.iter().all(|made| serde_json::from_str::<IgnoredAny>(made).is_ok());
                assert!(json, "{made:?}");
            }
            rows.push((line.offset, line.line, line.bytes.to_vec(), made, shown));
            assert!(rows.len() <= data.len(), "rows of nothing");
        }
        assert_eq!(file.bytes(), data.len() as u64);
        (names, rows)
    });
    assert_eq!(whole, dribbled);
}

/// What is read as a time is one, and is read back from what it is written as.
pub(super) fn times(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let check = |ticks: i64| {
        assert_eq!(datetime::checked(ticks), Some(ticks), "{text}");
        let written = datetime::format(ticks);
        assert_eq!(time::parse(&written), Some(ticks), "{text} is {written}");
    };
    time::parse(&text).into_iter().for_each(check);
    time::from_epoch(&text).into_iter().for_each(check);
    let _ = time::Zone::named(&text);
    for zone in [chrono_tz::America::New_York, chrono_tz::Asia::Kathmandu, chrono_tz::Pacific::Apia] {
        if let Some((ticks, _)) = time::parse_in(&text, zone) {
            check(ticks);
        }
    }
}

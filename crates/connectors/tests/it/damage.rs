//! Damaged input: nothing panics, neighbours survive, everything is counted, and threads change nothing.

use connectors::{LoadOptions, Loaded, SizeLimits, load};

use crate::packed::gzip;
use crate::support::{column, load_files, load_files_with, load_text, rows, write_files};

fn record(name: &str) -> String {
    format!(
        r#"{{"eventID":"{name}","eventTime":"2026-03-01T00:00:00Z","eventName":"{name}","eventSource":"s","awsRegion":"r","requestParameters":{{"a":[1,{{"b":"ż\u00e9"}}]}}}}"#
    )
}

#[test]
fn every_truncation_is_counted_and_whole_records_survive() {
    let text = format!("{{\"Records\":[{},{},{}]}}", record("A"), record("B"), record("C"));
    for cut in 0..text.len() {
        let loaded = load_files(&[("x.json", &text.as_bytes()[..cut])]);
        let whole =
            ["A", "B", "C"].iter().filter(|name| text[..text.floor_char_boundary(cut)].contains(&record(name))).count();
        assert_eq!(rows(&loaded, "AWSCloudTrail").len(), whole, "cut at {cut}");
    }
    let packed = gzip(text.as_bytes());
    for cut in 0..packed.len() {
        let loaded = load_files(&[("x.json.gz", &packed[..cut])]);
        assert!(cut < 18 || loaded.report.sources[0].stopped.is_some(), "cut at {cut}: {:?}", loaded.report.sources[0]);
    }
}

#[test]
fn every_changed_byte_leaves_the_neighbours_alone() {
    let (before, middle, after) = (record("A"), record("B"), record("C"));
    for (open, between, close) in [("", "\n", "\n"), ("{\"Records\":[", ",", "]}"), ("[\n  ", ",\n  ", "\n]\n")] {
        let start = open.len() + before.len() + between.len();
        let text = format!("{open}{before}{between}{middle}{between}{after}{close}");
        for place in (start..start + middle.len()).step_by(2) {
            for byte in [b'"', b'{', b'}', b'\\', 0xFF, b'\n'] {
                let mut bytes = text.clone().into_bytes();
                bytes[place] = byte;
                let loaded = load_files(&[("x.json", &bytes)]);
                let names = column(&loaded, "AWSCloudTrail", "EventName");
                let shown = || String::from_utf8_lossy(&bytes).into_owned();
                assert!(names.contains(&"A".to_owned()), "{}", shown());
                assert!(names.contains(&"C".to_owned()), "{}: {:#?}", shown(), loaded.report.sources[0]);
            }
        }
    }
}

#[test]
fn damage_of_all_kinds_in_one_file() {
    let mut text = Vec::new();
    for line in [
        record("A").into_bytes(),
        b"not json at all".to_vec(),
        record("B").replace("}}", ",}}").into_bytes(),
        format!("{{\"eventName\":\"D\",\"x\":{}1{}}}", "[".repeat(1100), "]".repeat(1100)).into_bytes(),
        [b"{\"eventName\":\"E\",\"eventSource\":\"s\",\"awsRegion\":\"\xFF\xFE\"}".to_vec()].concat(),
        b"[]".to_vec(),
        b"\0\0\0".to_vec(),
        format!("{{\"eventName\":\"big\",\"x\":\"{}\"}}", "x".repeat(200_000)).into_bytes(),
        record("F").into_bytes(),
        b"{\"eventName\":\"torn\"".to_vec(),
    ] {
        text.extend_from_slice(&line);
        text.push(b'\n');
    }
    let limits = SizeLimits { record_bytes: 100_000, ..SizeLimits::default() };
    let options = LoadOptions { limits, ..LoadOptions::default() };
    let loaded = load_files_with(&[("x.json", &text)], &options);
    assert_eq!(column(&loaded, "AWSCloudTrail", "EventName"), ["A", "B", "E", "F"]);
    let source = &loaded.report.sources[0];
    let bad: Vec<_> =
        source.unreadable.iter().map(|(reason, tally)| (reason.as_str(), tally.count, tally.first.line)).collect();
    assert_eq!(
        bad,
        [
            ("incomplete: the text ends inside the record", 1, 10),
            ("nested too deep", 1, 4),
            ("not JSON", 1, 2),
            ("record too large", 1, 8)
        ]
    );
    let mended: Vec<_> = source.mended.iter().map(|(what, tally)| (what.as_str(), tally.first.line)).collect();
    assert_eq!(mended, [("comma before a closing bracket", 3), ("invalid UTF-8", 5)]);
}

#[test]
fn absurd_times_are_kept_and_flagged() {
    let with = |id: u32, time: &str| {
        format!(r#"{{"eventID":"{id}","eventTime":{time},"eventName":"A","eventSource":"s","awsRegion":"r"}}"#)
    };
    let times =
        [r#""2026-03-01T00:00:00Z""#, r#""1601-01-01T00:00:00Z""#, r#""9998-01-01T00:00:00Z""#, r#""soon""#, "null"];
    let text: Vec<String> = times.iter().enumerate().map(|(id, time)| with(id as u32, time)).collect();
    let loaded = load_text(&text.join("\n"));
    let source = &loaded.report.sources[0];
    assert_eq!((source.rows, source.undated, source.implausible), (5, 2, 2));
    assert_eq!(source.misfits["AWSCloudTrail.TimeGenerated"].first.text, "\"soon\"");
    let span = (source.first, source.last);
    assert_eq!(span, (span.1, span.0), "only the plausible time counts");
}

#[test]
fn nesting_inside_strings_is_no_way_in() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let quoted = serde_json::to_string(&deep).unwrap();
    let loaded = load_text(&format!(
        r#"{{"protoPayload":{{"methodName":"m","request":{quoted}}}}}
           {{"Events":[{{"CloudTrailEvent":{quoted}}}]}}
           {{"time":"2026-03-01T00:00:00Z","operationName":"A.B/c/write","category":"Administrative","resourceId":"x","properties":{quoted}}}"#
    ));
    assert_eq!(loaded.report.sources[0].records, 3);
    assert_eq!(column(&loaded, "GCPAuditLogs", "MethodName"), ["m"]);
}

fn comparable(loaded: &Loaded) -> (Vec<Vec<Vec<String>>>, connectors::LoadReport) {
    let all = loaded.tables.keys().map(|table| rows(loaded, table)).collect();
    (all, loaded.report.clone())
}

#[test]
fn threads_change_nothing() {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for index in 0..40 {
        let records: Vec<String> = (0..300).map(|n| record(&format!("{}", (index * 200 + n) % 5000))).collect();
        let text = format!("{{\"Records\":[{}]}}", records.join(","));
        let bytes = if index % 3 == 0 { gzip(text.as_bytes()) } else { text.into_bytes() };
        files.push((format!("{}/{index}.json", index % 4), bytes));
    }
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let folder = write_files(&files);
    let with = |threads| {
        let options = LoadOptions { threads: Some(threads), batch_rows: 1000, ..LoadOptions::default() };
        load(&[folder.path().to_path_buf()], &options).unwrap()
    };
    let (one, four) = (with(1), with(4));
    assert_eq!(comparable(&one), comparable(&four));
    assert_eq!(one.tables, four.tables);
    assert!(one.report.sources.iter().map(|source| source.duplicates).sum::<u64>() > 1000);
}

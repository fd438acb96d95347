//! Malformed variants of every format: nothing panics, nothing hangs, neighbours survive, every record is accounted for.
//!
//! The variants are the same in every run. `HOSTILE_VARIANTS` sets their number for each format (60 unless set).

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, StringArray};
use connectors::{LoadOptions, SizeLimits, load};

use crate::binary::{avro_capture, parquet_bytes, parquet_capture, record, seven_zip};
use crate::evtx_file;
use crate::packed::{gzip, tarred, zipped};
use crate::support::{check_account, column, load_files_with, write_files};

/// A generator that is the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides.max(1) as u64) as usize
    }
}

/// A well-formed file of each format.
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let records = format!("{{\"Records\":[{},{}]}}", record("A"), record("B"));
    let activity = r#"{"records":[{"time":"2026-03-01T10:00:00Z","operationName":"A.B/C/WRITE","category":"Administrative","resultType":"Success","resourceId":"/SUBSCRIPTIONS/S/X","properties":"{\"eventDataId\":\"e\"}"}]}"#;
    let sign_in = r#"{"time":"2026-03-01T10:00:05Z","category":"SignInLogs","operationName":"Sign-in activity","properties":{"id":"1","status":{"errorCode":0},"location":{"city":"x"}}}"#;
    let flow = r#"{"time":"2026-03-01T10:00:00Z","category":"NetworkSecurityGroupFlowEvent","resourceId":"/S","properties":{"Version":2,"flows":[{"rule":"r","flows":[{"mac":"m","flowTuples":["1772359200,1.2.3.4,10.0.0.4,1,22,T,I,A,B,,,,"]}]}]}}"#;
    let google =
        r#"{"insertId":"i","timestamp":"2026-03-01T10:00:00Z","protoPayload":{"methodName":"m","request":{"a":[1]}}}"#;
    let pubsub = r#"{"message":{"data":"eyJwcm90b1BheWxvYWQiOnt9fQ==","messageId":"1"}}"#;
    let office = r#"[{"AuditData":"{\"CreationTime\":\"2026-03-01T10:00:00\",\"Operation\":\"o\",\"Workload\":\"Exchange\",\"UserType\":0}"}]"#;
    let result = r#"{"tables":[{"name":"PrimaryResult","columns":[{"name":"TimeGenerated","type":"datetime"},{"name":"Type","type":"string"},{"name":"EventName"}],"rows":[["2026-03-01T00:00:00Z","AWSCloudTrail","x"]]}]}"#;
    let custom = "TimeGenerated [UTC],Type,value_s\n\"3/1/2026, 10:00:00.000 AM\",Own_CL,\"a\nb\"\n";
    let event = r##"{"Event":{"System":{"Provider":{"@Name":"p"},"EventID":1,"Channel":"Security","Computer":"c"},"EventData":{"Data":[{"@Name":"a","#text":"b"}]}}}"##;
    let okta =
        r#"{"uuid":"u","published":"2026-03-01T10:00:00.000Z","eventType":"e","actor":{"id":"1"},"target":[{}]}"#;
    let athena =
        "eventname,eventsource,awsregion,useridentity\nA,s,r,\"{type=x, sessioncontext={attributes={a=b}}}\"\n";
    let syslog = "<34>Mar  1 10:00:00 web1 sshd[812]: Failed\n<165>1 2026-03-01T10:00:01Z web2 app 99 ID47 - x\n";
    let cef = "Mar  1 10:00:00 fw CEF:0|V|P|1|2|n|5|src=1.2.3.4 msg=a b cs1=x\n";
    let vpc = "version account-id interface-id srcaddr dstaddr start end\n2 123456789012 eni-1 1.2.3.4 5.6.7.8 1772359200 1772359260\n";
    let utf16: Vec<u8> = "\u{feff}".encode_utf16().chain(records.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let table: Vec<(&str, ArrayRef)> = vec![
        ("EventName", Arc::new(StringArray::from(vec!["A", "B"]))),
        ("awsRegion", Arc::new(StringArray::from(vec!["r", "r"]))),
        ("eventSource", Arc::new(StringArray::from(vec!["s", "s"]))),
    ];
    let windows = evtx_file::event("Security", "p", "4624", "2026-03-01T10:00:00Z", &[("TargetUserName", "nina")]);
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("cloudtrail.json", text(&records)),
        ("ndjson.json", format!("{}\n{}\n", record("A"), record("B")).into_bytes()),
        ("activity.json", text(activity)),
        ("sign-in.json", text(sign_in)),
        ("nsg-flow.json", text(flow)),
        ("google.json", text(google)),
        ("pubsub.json", text(pubsub)),
        ("office.json", text(office)),
        ("query-result.json", text(result)),
        ("windows.json", text(event)),
        ("okta.json", text(okta)),
        ("portal.csv", text(custom)),
        ("athena.csv", text(athena)),
        ("syslog.log", text(syslog)),
        ("cef.log", text(cef)),
        ("vpc-flow.log", text(vpc)),
        ("utf16.json", utf16),
        ("gzip.json.gz", gzip(records.as_bytes())),
        ("zstd.json.zst", zstd::encode_all(records.as_bytes(), 1).unwrap()),
        ("archive.zip", zipped(&[("a.json", records.as_bytes()), ("b.csv", custom.as_bytes())])),
        ("archive.tar", tarred(&[("a.json", records.as_bytes()), ("b.csv", custom.as_bytes())])),
        ("archive.tar.gz", gzip(&tarred(&[("a.json", records.as_bytes()), ("b.log", syslog.as_bytes())]))),
        ("archive.7z", seven_zip(&[("a.json", records.as_bytes())])),
        ("capture.avro", avro_capture(&[&records])),
        ("capture.parquet", parquet_capture(&[&records])),
        ("rows.parquet", parquet_bytes(table)),
        ("events.evtx", evtx_file::file(&[windows])),
    ]
}

/// The variant of this number: one to three changes.
fn variant(seed: &[u8], others: &[(&'static str, Vec<u8>)], number: usize, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for change in 0..=number % 3 {
        let kind = if change == 0 { number % 16 } else { dice.roll(16) };
        bytes = changed(bytes, kind, others, dice);
    }
    bytes
}

fn changed(mut bytes: Vec<u8>, kind: usize, others: &[(&'static str, Vec<u8>)], dice: &mut Dice) -> Vec<u8> {
    let at = dice.roll(bytes.len() + 1);
    let insert = |bytes: &mut Vec<u8>, at: usize, text: &[u8]| {
        let at = at.min(bytes.len());
        bytes.splice(at..at, text.iter().copied());
    };
    match kind {
        0 => bytes.truncate(at),
        1 => bytes.extend_from_within(..),
        2 => insert(&mut bytes, at, &[0; 3]),
        3 => insert(&mut bytes, at, b"\xFF\xFE\xC3\x28\xED\xA0\x80"),
        4 => bytes = bytes.iter().flat_map(|byte| [*byte, 0]).collect(),
        5 => {
            let other = &others[dice.roll(others.len())].1;
            insert(&mut bytes, at, other);
        }
        6 => {
            for _ in 0..8 {
                let place = dice.roll(bytes.len());
                if let Some(byte) = bytes.get_mut(place) {
                    *byte = dice.roll(256) as u8;
                }
            }
        }
        7 => {
            let end = (at + dice.roll(64)).min(bytes.len());
            bytes.drain(at..end);
        }
        8 => {
            // Numbers of 400 digits, years 0 and 10000.
            let digits: Vec<u8> = std::iter::repeat_n(b'9', 400).collect();
            let text =
                String::from_utf8_lossy(&bytes).replace("2026-03-01", ["0000-01-01", "10000-01-01"][dice.roll(2)]);
            bytes = text.replacen('1', &String::from_utf8(digits).unwrap(), 1).into_bytes();
        }
        9 => {
            // The same names twice.
            let text = String::from_utf8_lossy(&bytes).replacen(
                '{',
                "{\"eventName\":{\"eventName\":1},\"eventName\":null,",
                2,
            );
            bytes = text.into_bytes();
        }
        10 => insert(&mut bytes, at, "x".repeat(1 << 16).as_bytes()),
        11 => insert(&mut bytes, at, "[".repeat(3000).as_bytes()),
        12 => insert(&mut bytes, at, "{\"a\":".repeat(2000).as_bytes()),
        13 => insert(&mut bytes, at, b"\"\\ud800\\u0000\n\r\"\"\\"),
        14 => {
            let half = bytes.split_off(at.min(bytes.len()));
            bytes = [half, bytes].concat();
        }
        _ => bytes = gzip(&bytes)[..].to_vec(),
    }
    bytes
}

/// `HOSTILE_SEEDS` names a folder to write them to: fuzzers begin with them.
#[test]
fn a_well_formed_file_of_every_format_is_read() {
    let folder = std::env::var_os("HOSTILE_SEEDS").map(std::path::PathBuf::from);
    for (name, bytes) in seeds() {
        let loaded = load_files_with(&[(name, &bytes)], &LoadOptions::default());
        let sources = &loaded.report.sources;
        let read = sources.iter().any(|source| source.records > 0) && sources.iter().all(|s| s.unreadable_count() == 0);
        assert!(read, "{name}: {sources:#?}");
        if let Some(folder) = &folder {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
    }
}

#[test]
fn malformed_variants_of_every_format() {
    let asked = std::env::var("HOSTILE_VARIANTS").ok().and_then(|text| text.parse::<usize>().ok());
    let count = asked.unwrap_or(60);
    let seeds = seeds();
    assert!(seeds.len() >= 20);
    let neighbour = record("Neighbour");
    let limits = SizeLimits { record_bytes: 4 << 20, ..SizeLimits::default() };
    let options = LoadOptions { threads: Some(2), limits, ..LoadOptions::default() };
    for (index, (name, seed)) in seeds.iter().enumerate() {
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15 ^ (index as u64 + 1));
        let started = Instant::now();
        let (mut records, mut rows) = (0, 0);
        // Several files a load, all of one format: a name that lies comes for nothing.
        for group in 0..count.div_ceil(10) {
            let files: Vec<(String, Vec<u8>)> = (group * 10..(group * 10 + 10).min(count))
                .map(|number| {
                    let end = if number % 5 == 0 { "bin" } else { name.rsplit('.').next().unwrap_or_default() };
                    (format!("{number:05}.{end}"), variant(seed, &seeds, number, &mut dice))
                })
                .collect();
            let mut all: Vec<(&str, &[u8])> =
                files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
            all.push(("zz-neighbour.json", neighbour.as_bytes()));
            let folder = write_files(&all);
            let loaded = load(&[folder.path().to_path_buf()], &options).unwrap();
            check_account(&loaded);
            assert!(
                column(&loaded, "AWSCloudTrail", "EventName").contains(&"Neighbour".to_owned()),
                "{name}, from {}",
                group * 10
            );
            records += loaded.report.sources.iter().map(|source| source.records).sum::<u64>();
            rows += loaded.report.sources.iter().map(|source| source.rows).sum::<u64>();
        }
        let took = started.elapsed();
        assert!(took < Duration::from_secs(5) * count as u32, "{name} took {took:?}");
        if asked.is_some() {
            let mut out = std::io::stdout();
            writeln!(out, "hostile | {name} | {count} | {records} | {rows} | {:.1} s", took.as_secs_f64()).unwrap();
        }
    }
}

#[test]
fn a_line_of_many_megabytes_is_no_record_and_leaves_its_neighbours() {
    let long = "x".repeat(100 << 20);
    for (name, text) in [
        ("x.json", format!("{}\n{{\"eventName\":\"{long}\"}}\n{}\n", record("A"), record("B"))),
        ("x.log", format!("<34>Mar  1 10:00:00 h t: {long}\n<34>Mar  1 10:00:00 h t: b\n")),
    ] {
        let loaded = load_files_with(&[(name, text.as_bytes())], &LoadOptions::default());
        let source = &loaded.report.sources[0];
        assert_eq!(source.unreadable["record too large"].count, 1, "{name}: {source:#?}");
        assert_eq!(source.rows, if name == "x.json" { 2 } else { 1 }, "{name}");
    }
}

#[test]
fn json_a_million_deep_is_refused_at_a_thousand() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{{\"eventName\":\"D\",\"x\":{}1{}}}", open.repeat(1_000_000), close.repeat(1_000_000));
        let text = format!("{}\n{deep}\n{}\n", record("A"), record("B"));
        let loaded = load_files_with(&[("x.json", text.as_bytes())], &LoadOptions::default());
        assert_eq!(column(&loaded, "AWSCloudTrail", "EventName"), ["A", "B"]);
        assert_eq!(loaded.report.sources[0].unreadable["nested too deep"].count, 1);
    }
    let just = format!(
        "{{\"eventName\":\"C\",\"eventSource\":\"s\",\"awsRegion\":\"r\",\"requestParameters\":{}1{}}}",
        "[".repeat(998),
        "]".repeat(998)
    );
    let loaded = load_files_with(&[("x.json", just.as_bytes())], &LoadOptions::default());
    assert_eq!(column(&loaded, "AWSCloudTrail", "EventName"), ["C"]);
}

#[test]
fn bombs_are_stopped_by_what_they_inflate_to() {
    let limits = SizeLimits { inflated_free: 1 << 18, inflation: 100, ..SizeLimits::default() };
    let options = LoadOptions { limits, ..LoadOptions::default() };
    let zeros = vec![b' '; 4 << 20];
    let zeros_zipped = zipped(&[("0", &zeros)]);
    // Many members that are one and the same in the archive: each entry of the directory points at the first.
    let many: Vec<(String, &[u8])> = (0..20).map(|index| (format!("{index}.json"), &zeros[..1 << 18])).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    let large: Vec<(&str, ArrayRef)> = vec![("x", Arc::new(StringArray::from(vec!["y".repeat(1 << 16); 300])))];
    for (name, bytes) in [
        ("bomb.gz", gzip(&zeros)),
        ("bomb.gz.gz", gzip(&gzip(&zeros))),
        ("bomb.zst", zstd::encode_all(&zeros[..], 1).unwrap()),
        ("bomb.zip", zeros_zipped.clone()),
        ("nested.zip", zipped(&[("inner.zip", &zeros_zipped)])),
        ("many.zip", zipped(&many)),
        ("bomb.tar.gz", gzip(&tarred(&[("0", &zeros)]))),
        ("bomb.7z", seven_zip(&[("0", &zeros)])),
        ("dictionary.parquet", parquet_bytes(large)),
        ("inside.zip", zipped(&[("bomb.gz", &gzip(&zeros))])),
    ] {
        let started = Instant::now();
        let loaded = load_files_with(&[(name, &bytes), ("y.json", record("A").as_bytes())], &options);
        let stopped: Vec<&str> = loaded.report.sources.iter().filter_map(|source| source.stopped.as_deref()).collect();
        assert!(
            stopped.iter().any(|reason| reason.contains("after inflating") || reason.contains("times its size")),
            "{name}: {stopped:?}"
        );
        assert_eq!(column(&loaded, "AWSCloudTrail", "EventName"), ["A"], "{name}");
        assert!(started.elapsed() < Duration::from_secs(60), "{name}");
    }
}

#[test]
fn sparse_members_and_packed_text_in_records_inflate_to_nothing() {
    let mut header = tar::Header::new_gnu();
    header.set_path("sparse.json").unwrap();
    header.set_entry_type(tar::EntryType::GNUSparse);
    header.set_size(0);
    header.set_cksum();
    let mut archive = tar::Builder::new(Vec::new());
    archive.append(&header, std::io::empty()).unwrap();
    let sparse = archive.into_inner().unwrap();
    let packed = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, gzip(&vec![b' '; 8 << 20]));
    let message = format!(r#"{{"message":{{"data":"{packed}","messageId":"1"}}}}"#);
    let loaded = load_files_with(
        &[("x.tar", &sparse), ("y.json", message.as_bytes()), ("z.json", record("A").as_bytes())],
        &LoadOptions::default(),
    );
    assert_eq!(loaded.report.sources.iter().filter(|source| source.stopped.is_some()).count(), 1);
    let other: Vec<&String> = loaded.report.sources.iter().flat_map(|source| source.other.keys()).collect();
    assert_eq!(other, ["Pub/Sub message without readable data"]);
    assert_eq!(column(&loaded, "AWSCloudTrail", "EventName"), ["A"]);
}

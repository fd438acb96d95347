//! Binary formats: their records are read like those of text, with places and hashes.

use std::sync::Arc;

use apache_avro::types::Value;
use apache_avro::{Schema, Writer};
use arrow::array::{ArrayRef, BinaryArray, Int64Array, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, Fields, Schema as ArrowSchema};
use arrow::record_batch::RecordBatch;
use connectors::{LoadOptions, load};
use parquet::arrow::ArrowWriter;

use crate::evtx_file;
use crate::support::{column, load_files, write_files};

pub fn record(name: &str) -> String {
    format!(
        r#"{{"eventID":"{name}","eventTime":"2026-03-01T00:00:00Z","eventName":"{name}","eventSource":"s","awsRegion":"r"}}"#
    )
}

/// What Event Hubs writes: bodies that are single records and batches.
pub fn avro_capture(bodies: &[&str]) -> Vec<u8> {
    let schema = r#"{"type":"record","name":"EventData","namespace":"x","fields":[{"name":"SequenceNumber","type":"long"},
        {"name":"Offset","type":"string"},{"name":"EnqueuedTimeUtc","type":"string"},
        {"name":"SystemProperties","type":{"type":"map","values":["long","double","string","bytes"]}},
        {"name":"Properties","type":{"type":"map","values":["long","double","string","bytes","null"]}},{"name":"Body","type":["null","bytes"]}]}"#;
    let schema = Schema::parse_str(schema).unwrap();
    let mut writer = Writer::new(&schema, Vec::new()).unwrap();
    for (index, body) in bodies.iter().enumerate() {
        let value = Value::Record(vec![
            ("SequenceNumber".into(), Value::Long(index as i64)),
            ("Offset".into(), Value::String("0".into())),
            ("EnqueuedTimeUtc".into(), Value::String("3/1/2026 12:00:00 AM".into())),
            (
                "SystemProperties".into(),
                Value::Map([("x".to_owned(), Value::Union(0, Box::new(Value::Long(1))))].into()),
            ),
            ("Properties".into(), Value::Map([].into())),
            ("Body".into(), Value::Union(1, Box::new(Value::Bytes(body.as_bytes().to_vec())))),
        ]);
        writer.append_value(value).unwrap();
    }
    writer.into_inner().unwrap()
}

pub fn parquet_bytes(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut out = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut out, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    out
}

pub fn parquet_capture(bodies: &[&str]) -> Vec<u8> {
    let count = bodies.len();
    parquet_bytes(vec![
        ("SequenceNumber", Arc::new(Int64Array::from(vec![1; count])) as ArrayRef),
        ("Offset", Arc::new(StringArray::from(vec!["0"; count]))),
        ("EnqueuedTimeUtc", Arc::new(StringArray::from(vec!["x"; count]))),
        ("Body", Arc::new(BinaryArray::from(bodies.iter().map(|body| body.as_bytes()).collect::<Vec<_>>()))),
    ])
}

pub fn seven_zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = sevenz_rust2::ArchiveWriter::new(std::io::Cursor::new(Vec::new())).unwrap();
    for (name, bytes) in members {
        writer.push_archive_entry(sevenz_rust2::ArchiveEntry::new_file(name), Some(*bytes)).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn event_hub_capture_in_avro_and_parquet() {
    let batch = format!("{{\"records\":[{},{}]}}", record("A"), record("B"));
    let single = record("C");
    let bodies = [batch.as_str(), single.as_str(), "no json"];
    for (name, bytes) in [("1.avro", avro_capture(&bodies)), ("1.parquet", parquet_capture(&bodies))] {
        let folder = write_files(&[(name, &bytes)]);
        let loaded = load(&[folder.path().to_path_buf()], &LoadOptions::default()).unwrap();
        assert_eq!(column(&loaded, "AWSCloudTrail", "EventName"), ["A", "B", "C"], "{name}");
        let source = &loaded.report.sources[0];
        assert_eq!((source.records, source.rows, source.unreadable["not JSON"].count), (4, 3, 1), "{name}");
        assert!(source.adds_up() && source.sha256.len() == 64, "{name}");
        assert_eq!(source.format, name.split_once('.').unwrap().1);
        assert_eq!(loaded.raw_record(tables::pack_source(0, 2)).unwrap(), single, "{name}");
    }
}

#[test]
fn avro_of_other_kinds_is_read_as_records() {
    let schema = r#"{"type":"record","name":"r","fields":[{"name":"insertId","type":"string"},
        {"name":"timestamp","type":{"type":"long","logicalType":"timestamp-micros"}},
        {"name":"protopayload_auditlog","type":{"type":"record","name":"p","fields":[{"name":"methodName","type":["null","string"]}]}}]}"#;
    let schema = Schema::parse_str(schema).unwrap();
    let mut writer = Writer::new(&schema, Vec::new()).unwrap();
    let method = Value::Union(1, Box::new(Value::String("m1".into())));
    writer
        .append_value(Value::Record(vec![
            ("insertId".into(), Value::String("i1".into())),
            ("timestamp".into(), Value::TimestampMicros(1_772_323_200_000_000)),
            ("protopayload_auditlog".into(), Value::Record(vec![("methodName".into(), method)])),
        ]))
        .unwrap();
    let loaded = load_files(&[("bq.avro", &writer.into_inner().unwrap())]);
    assert_eq!(column(&loaded, "GCPAuditLogs", "MethodName"), ["m1"]);
    assert_eq!(column(&loaded, "GCPAuditLogs", "TimeGenerated"), ["2026-03-01T00:00:00.0000000Z"]);
}

#[test]
fn an_avro_schema_that_contains_itself_is_refused() {
    let schema = r#"{"type":"record","name":"n","fields":[{"name":"next","type":["null","n"]}]}"#;
    let schema = Schema::parse_str(schema).unwrap();
    let mut writer = Writer::new(&schema, Vec::new()).unwrap();
    let end = Value::Record(vec![("next".into(), Value::Union(0, Box::new(Value::Null)))]);
    writer.append_value(end).unwrap();
    let loaded = load_files(&[("x.avro", &writer.into_inner().unwrap()), ("y.json", record("A").as_bytes())]);
    let reasons: Vec<&String> = loaded.report.sources[0].unreadable.keys().collect();
    assert_eq!(reasons, ["unsupported: Avro schema that contains itself"]);
    assert_eq!(column(&loaded, "AWSCloudTrail", "EventName"), ["A"]);
}

#[test]
fn parquet_that_holds_no_tables_rows_is_read_as_records() {
    let user = StructArray::new(
        Fields::from(vec![Field::new("arn", DataType::Utf8, true)]),
        vec![Arc::new(StringArray::from(vec!["arn:nina"])) as ArrayRef],
        None,
    );
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("eventname", Arc::new(StringArray::from(vec!["A"]))),
        ("eventsource", Arc::new(StringArray::from(vec!["s"]))),
        ("eventtime", Arc::new(StringArray::from(vec!["2026-03-01T00:00:00Z"]))),
        ("useridentity", Arc::new(user)),
        ("awsregion", Arc::new(StringArray::from(vec!["r"]))),
    ];
    let bytes = parquet_bytes(columns);
    let zipped = seven_zip(&[("athena/x.parquet", &bytes)]);
    for (name, bytes) in [("x.parquet", &bytes), ("x.7z", &zipped)] {
        let loaded = load_files(&[(name, bytes)]);
        assert_eq!(column(&loaded, "AWSCloudTrail", "EventName"), ["A"], "{name}");
        assert_eq!(column(&loaded, "AWSCloudTrail", "UserIdentityArn"), ["arn:nina"], "{name}");
        assert_eq!(loaded.report.sources[0].sha256.len(), 64, "{name}");
    }
}

#[test]
fn rows_of_a_table_in_parquet_inside_an_archive() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("TimeGenerated", Arc::new(StringArray::from(vec!["2026-03-01T00:00:00Z"]))),
        ("EventName", Arc::new(StringArray::from(vec!["A"]))),
        ("EventSource", Arc::new(StringArray::from(vec!["s"]))),
        ("AWSRegion", Arc::new(StringArray::from(vec!["r"]))),
    ];
    let loaded = load_files(&[("x.7z", &seven_zip(&[("AWSCloudTrail.parquet", &parquet_bytes(columns))]))]);
    assert_eq!(column(&loaded, "AWSCloudTrail", "AWSRegion"), ["r"]);
    assert_eq!(loaded.report.sources[0].format, "parquet");
}

#[test]
fn members_of_7z_archives_are_sources() {
    let (a, b) = (record("A"), record("B"));
    let bytes = seven_zip(&[("logs/a.json", a.as_bytes()), (".hidden", b"x"), ("logs/b.json", b.as_bytes())]);
    let folder = write_files(&[("x.7z", &bytes)]);
    let loaded = load(&[folder.path().to_path_buf()], &LoadOptions::default()).unwrap();
    assert_eq!(column(&loaded, "AWSCloudTrail", "EventName"), ["A", "B"]);
    let members: Vec<_> = loaded.report.sources.iter().map(|source| source.member.as_deref()).collect();
    assert_eq!(members, [Some("logs/a.json"), Some("logs/b.json"), None]);
    assert_eq!(loaded.report.sources[2].format, "7z");
    assert_eq!(loaded.raw_record(tables::pack_source(1, 0)).unwrap(), b);
    for cut in (6..bytes.len()).step_by(7) {
        let loaded = load_files(&[("x.7z", &bytes[..cut]), ("y.json", record("C").as_bytes())]);
        assert!(column(&loaded, "AWSCloudTrail", "EventName").contains(&"C".to_owned()), "cut at {cut}");
        assert!(loaded.report.sources.iter().any(|source| source.stopped.is_some()), "cut at {cut}");
    }
}

#[test]
fn event_log_files_of_windows() {
    let logon = evtx_file::event(
        "Security",
        "Microsoft-Windows-Security-Auditing",
        "4624",
        "2026-03-01T10:00:00.123Z",
        &[
            ("SubjectUserName", "-"),
            ("TargetUserName", "nina"),
            ("TargetDomainName", "CONTOSO"),
            ("LogonType", "3"),
            ("IpAddress", "203.0.113.9"),
        ],
    );
    let sysmon = evtx_file::event(
        "Microsoft-Windows-Sysmon/Operational",
        "Microsoft-Windows-Sysmon",
        "1",
        "2026-03-01T10:00:01Z",
        &[("Image", r"C:\x.exe"), ("CommandLine", "x <a> & b")],
    );
    let bytes = evtx_file::file(&[logon, sysmon]);
    let folder = write_files(&[("logs.evtx", &bytes)]);
    let loaded = load(&[folder.path().to_path_buf()], &LoadOptions::default()).unwrap();
    let source = &loaded.report.sources[0];
    assert_eq!((source.format.as_str(), source.records, source.rows), ("evtx", 2, 2), "{source:#?}");
    for (name, value) in [
        ("TimeGenerated", "2026-03-01T10:00:00.1230000Z"),
        ("EventID", "4624"),
        ("Account", r"CONTOSO\nina"),
        ("AccountType", "User"),
        ("TargetUserName", "nina"),
        ("LogonType", "3"),
        ("LogonTypeName", "3 - Network"),
        ("IpAddress", "203.0.113.9"),
        ("Computer", "dc1.contoso.example"),
        ("Activity", "4624 - An account was successfully logged on."),
        ("Level", "8"),
        ("EventSourceName", "Microsoft-Windows-Security-Auditing"),
        ("SubjectUserName", ""),
        ("EventData", ""),
    ] {
        assert_eq!(column(&loaded, "SecurityEvent", name), [value], "{name}");
    }
    assert_eq!(column(&loaded, "Event", "Source"), ["Microsoft-Windows-Sysmon"]);
    assert_eq!(
        column(&loaded, "Event", "EventData"),
        [concat!(
            r#"<DataItem type="System.XmlData" time="2026-03-01T10:00:01Z"><EventData xmlns="http://schemas.microsoft.com/win/2004/08/events/event">"#,
            r#"<Data Name="Image">C:\x.exe</Data><Data Name="CommandLine">x &lt;a&gt; &amp; b</Data></EventData></DataItem>"#
        )]
    );
    let forwarded = load_files(&[("ForwardedEvents.evtx", &bytes)]);
    assert_eq!(column(&forwarded, "WindowsEvent", "EventID"), ["4624", "1"]);
    assert!(column(&forwarded, "WindowsEvent", "EventData")[1].contains(r#""CommandLine":"x <a> & b""#));
    // A chunk that is damaged is counted; what follows is read.
    let mut two = bytes.clone();
    two.extend_from_slice(&bytes[4096..]);
    two[4096 + 600..4096 + 700].fill(0xFF);
    let loaded = load_files(&[("x.evtx", &two)]);
    let source = &loaded.report.sources[0];
    assert!(source.unreadable_count() > 0 && source.rows + source.duplicates >= 2, "{source:#?}");
}

#[test]
fn columns_of_bytes_that_are_no_text_are_left_out() {
    let schema = ArrowSchema::new(vec![Field::new("b", DataType::Binary, true)]);
    let column_of_bytes: ArrayRef = Arc::new(BinaryArray::from(vec![&[0xFF_u8, 0xFE][..]]));
    let batch = RecordBatch::try_new(Arc::new(schema), vec![column_of_bytes]).unwrap();
    let mut out = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut out, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let loaded = load_files(&[("x.parquet", &out)]);
    assert_eq!(loaded.report.sources[0].other["record of no known kind"].count, 1);
}

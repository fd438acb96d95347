//! Records and lines to rows, in every way that they can come: all are accounted for, and rows do not depend on the way.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::batch::RowKey;
use crate::blocks::{Block, Stretch};
use crate::decode::{Decoded, Decoder, Header};
use crate::delimited::Delimited;
use crate::frames::Frames;
use crate::json::text::quoted;
use crate::lines::{Lines, TextLines};
use crate::options::LoadOptions;
use crate::sources::{Maps, Place};
use crate::{Loaded, load};

pub(super) const RECORDS: &[&str] = &[
    r#"{"Records":[{"eventID":"1","eventTime":"2026-03-01T10:00:00Z","eventName":"A","eventSource":"s","awsRegion":"r","userIdentity":{"type":"Root","sessionContext":{"attributes":{"mfaAuthenticated":"false"}}},"requestParameters":{"a":[1]}}]}"#,
    r#"{"records":[{"time":"2026-03-01T10:00:00Z","operationName":"A.B/C/WRITE","category":"Administrative","resultType":"Success","resourceId":"/SUBSCRIPTIONS/S/RESOURCEGROUPS/G/PROVIDERS/A.B/C/D","identity":{"claims":{"name":"x"}},"properties":"{\"eventDataId\":\"e\"}"}]}"#,
    r#"{"time":"2026-03-01T10:00:05Z","category":"SignInLogs","operationName":"Sign-in activity","properties":{"id":"1","createdDateTime":"2026-03-01T10:00:05Z","status":{"errorCode":0},"location":{"city":"x"}}}"#,
    r#"{"insertId":"i","timestamp":"2026-03-01T10:00:00Z","protoPayload":{"methodName":"m","authenticationInfo":{"principalEmail":"a@b"},"request":{"a":[1]}}}"#,
    r#"{"uuid":"u","published":"2026-03-01T10:00:00.000Z","eventType":"e","actor":{"id":"1"},"target":[{}]}"#,
    r##"{"Event":{"System":{"Provider":{"@Name":"p"},"EventID":1,"Channel":"Security","Computer":"c"},"EventData":{"Data":[{"@Name":"a","#text":"b"}]}}}"##,
    r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a","verb":"get","user":{"username":"u"},"stageTimestamp":"2026-03-01T10:00:00.000000Z"}"#,
    r#"{"metadata":{"version":"1.1.0","product":{"name":"CloudTrail"}},"class_uid":6003,"time":1772359200000,"api":{"operation":"o","service":{"name":"s"}}}"#,
    r#"{"schemaVersion":"2.0","accountId":"1","region":"r","id":"i","type":"t","severity":5,"createdAt":"2026-03-01T10:00:00Z","service":{"serviceName":"guardduty"}}"#,
    r#"{"TimeGenerated":"2026-03-01T10:00:00Z","Type":"Own_CL","a":1,"b":{"c":[true]}}"#,
    r#"{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logStream":"s","logEvents":[{"id":"1","timestamp":1772359200000,"message":"2 123456789012 eni-1 1.2.3.4 5.6.7.8 1 2 6 1 1 1772359200 1772359260 ACCEPT OK"}]}"#,
    r#"{"CreationTime":"2026-03-01T10:00:00","Operation":"o","Workload":"Exchange","UserType":0,"UserId":"u"}"#,
];

pub(super) const NESTED: &[&str] = &[
    r#"{"eventTime":"2026-03-01T10:00:00Z","eventName":"A","eventSource":"s","awsRegion":"r"}"#,
    r#"{"CreationTime":"2026-03-01T10:00:00","Operation":"o","Workload":"Exchange","UserType":0}"#,
    r#"{"statusCode":"Created","responseBody":"{\"properties\":{\"a\":\"{\\\"b\\\":1}\"}}"}"#,
    r#"{"insertId":"i","timestamp":"2026-03-01T10:00:00Z","protoPayload":{"methodName":"m"}}"#,
];

pub(super) const FLOWS: &[&str] = &[
    "1772359200,1.2.3.4,10.0.0.4,1,22,T,I,A,B,,,,",
    "1772359200,1.2.3.4,10.0.0.4,1,22,T,I,D",
    "1772359200,1.2.3.4,10.0.0.4,1,22,U,O,A,E,1,2,3,4",
    "1772359200000,1.2.3.4,10.0.0.4,1,22,6,I,B,NX,0,0,0,0",
    "2 123456789012 eni-1 1.2.3.4 5.6.7.8 1 2 6 1 1 1772359200 1772359260 ACCEPT OK",
    "2 123456789012 eni-1 - - - - - - - 1772359200 1772359260 - NODATA",
];

pub(super) const SYSLOG: &[&str] = &[
    "<34>Mar  1 10:00:00 web1 sshd[812]: Failed\n<165>1 2026-03-01T10:00:01Z web2 app 99 ID47 - x\n",
    "<165>1 2026-03-01T10:00:01.003Z h app 99 ID47 [a@1 b=\"c\\\"d\"] \u{feff}x\nMar 11 10:00:00 h t: b\n",
];

pub(super) const CEF: &[&str] = &[
    "Mar  1 10:00:00 fw CEF:0|V|P|1|2|n|5|src=1.2.3.4 msg=a b cs1=x cs1Label=y\n",
    "CEF:0|V\\|W|P|1|2|n\\\\|High|rt=1772359200000 start=Mar 01 2026 10:00:00 act=a\\=b ad.x=y\\nz\n",
];

/// Tables' maps cost much to make, and remember names: they are made anew now and then.
fn maps() -> Rc<Maps> {
    thread_local! {
        static MAPS: RefCell<Option<(usize, Rc<Maps>)>> = const { RefCell::new(None) };
    }
    MAPS.with_borrow_mut(|kept| {
        let (left, maps) = match kept.take() {
            Some((left, maps)) if left > 0 => (left - 1, maps),
            _ => (2_000, Rc::new(Maps::new(tables::SchemaSet::builtin(), None, None))),
        };
        *kept = Some((left, Rc::clone(&maps)));
        maps
    })
}

fn decoded(run: impl FnOnce(&mut Decoder<'_>) -> Vec<Decoded>) -> Vec<Decoded> {
    let (maps, options) = (maps(), LoadOptions::default());
    let mut decoder = Decoder::new(&maps, &options, Place::new("logs/x.json", Some(kql_types::datetime::UNIX_EPOCH)));
    let mut all = run(&mut decoder);
    all.push(decoder.take());
    let sum = |count: fn(&crate::SourceReport) -> u64| all.iter().map(|part| count(&part.report)).sum::<u64>();
    assert_eq!(
        sum(|report| report.records),
        sum(|report| report.rows + report.other_count() + report.unreadable_count())
    );
    let rows: usize = all.iter().flat_map(|part| &part.batches).map(|batch| batch.records.len()).sum();
    assert_eq!(rows as u64, sum(|report| report.rows));
    for batch in all.iter().flat_map(|part| &part.batches) {
        assert!(batch.columns.iter().all(|column| column.len() == batch.records.len()), "{}", batch.spec.name());
    }
    all
}

/// JSON text record by record, and as a stretch that another thread decodes: the same rows.
pub(super) fn records(data: &[u8]) {
    let limits = LoadOptions::default().limits;
    let here = decoded(|decoder| {
        decoder.json(&mut Frames::new(data, limits), u64::MAX / 2);
        Vec::new()
    });
    let there = decoded(|decoder| {
        if let Some(block) = Block::read(&mut Frames::new(data, limits)) {
            decoder.stretch(&Stretch::Json(block));
        }
        Vec::new()
    });
    let shown = |all: &[Decoded]| -> Vec<_> {
        let part = |part: &Decoded| {
            let batches: Vec<_> =
                part.batches.iter().map(|batch| (batch.records.clone(), batch.keys.clone())).collect();
            (part.report.clone(), batches)
        };
        all.iter().map(part).collect()
    };
    assert_eq!(shown(&here), shown(&there));
}

/// Text inside a record: in a string, in base64, in a cell.
pub(super) fn nested(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (once, base64) = (quoted(&text), STANDARD.encode(data));
    let twice = quoted(&format!("{{\"properties\":{once}}}"));
    for record in [
        format!("{{\"CloudTrailEvent\":{once},\"EventId\":\"1\",\"EventName\":\"x\"}}"),
        format!("{{\"AuditData\":{once},\"Operation\":\"o\",\"RecordType\":1}}"),
        format!("{{\"message\":{{\"data\":\"{base64}\",\"messageId\":\"1\"}}}}"),
        format!(
            "{{\"category\":\"Administrative\",\"time\":\"2026-03-01T10:00:00Z\",\"operationName\":\"a/b/write\",\"resourceId\":\"/x\",\"properties\":{{\"responseBody\":{twice},\"requestbody\":{once}}}}}"
        ),
        format!(
            "{{\"messageType\":\"DATA_MESSAGE\",\"logGroup\":\"g\",\"logEvents\":[{{\"id\":\"1\",\"timestamp\":1,\"message\":{once}}}]}}"
        ),
        format!(
            "{{\"insertId\":\"i\",\"timestamp\":\"2026-03-01T10:00:00Z\",\"protoPayload\":{{\"request\":{once},\"requestMetadata\":{twice}}}}}"
        ),
    ] {
        records(record.as_bytes());
    }
    let cell = text.replace('"', "\"\"");
    decode_columns(format!("eventJson,x\n\"{cell}\",1\n").as_bytes(), b',');
    let rows = format!("TimeGenerated [UTC],Type,Properties_d\n\"{cell}\",AzureActivity,\"{cell}\"\n");
    decode_columns(rows.as_bytes(), b',');
}

/// Rows do not depend on where the file is cut into stretches.
fn decode_columns(data: &[u8], separator: u8) {
    let rows = [1, 64, u64::MAX / 2].map(|bytes| {
        let mut file = Delimited::new(data, separator, 1 << 20);
        let header = Arc::new(Header::new(&file.names, "logs/x.csv"));
        in_stretches(|| file.rows(bytes).map(|rows| Stretch::Columns(Arc::clone(&header), rows)))
    });
    assert!(rows.windows(2).all(|pair| pair[0] == pair[1]), "{rows:?}");
}

/// The rows of stretches, each with its record's number and its key.
fn in_stretches(mut read: impl FnMut() -> Option<Stretch>) -> Vec<(u64, RowKey)> {
    let all = decoded(|decoder| {
        let mut parts = Vec::new();
        while let Some(stretch) = read() {
            decoder.stretch(&stretch);
            parts.push(decoder.take());
        }
        parts
    });
    let batches = all.iter().flat_map(|part| &part.batches);
    let mut rows: Vec<(u64, RowKey)> =
        batches.flat_map(|batch| batch.records.iter().copied().zip(batch.keys.iter().copied())).collect();
    rows.sort_unstable();
    rows
}

/// Tuples of flow logs in each of their envelopes, and lines.
pub(super) fn flow_tuples(data: &[u8]) {
    let tuple = quoted(&String::from_utf8_lossy(data));
    for version in ["1", "2"] {
        records(
            format!(
                "{{\"time\":\"2026-03-01T10:00:00Z\",\"category\":\"NetworkSecurityGroupFlowEvent\",\"resourceId\":\"/S\",\"properties\":{{\"Version\":{version},\"flows\":[{{\"rule\":\"r\",\"flows\":[{{\"mac\":\"m\",\"flowTuples\":[{tuple},{tuple}]}}]}}]}}}}"
            )
            .as_bytes(),
        );
    }
    records(
        format!(
            "{{\"time\":\"2026-03-01T10:00:00Z\",\"flowLogVersion\":4,\"category\":\"FlowLogFlowEvent\",\"macAddress\":\"m\",\"flowLogResourceID\":\"/S\",\"targetResourceID\":\"/T\",\"flowRecords\":{{\"flows\":[{{\"aclID\":\"a\",\"flowGroups\":[{{\"rule\":\"r\",\"flowTuples\":[{tuple}]}}]}}]}}}}"
        )
        .as_bytes(),
    );
    lines(data);
    let header = b"version account-id interface-id srcaddr dstaddr start end\n";
    decode_columns(&[header, data].concat(), b' ');
}

/// Lines of text: syslog, CEF, flow logs, others.
pub(super) fn lines(data: &[u8]) {
    let rows = [1, u64::MAX / 2].map(|bytes| {
        let mut lines = TextLines::new(data, 1 << 20);
        in_stretches(|| Lines::read(&mut lines, bytes).map(Stretch::Lines))
    });
    assert_eq!(rows[0], rows[1]);
}

/// As [`lines`], behind what makes a line CEF.
pub(super) fn cef(data: &[u8]) {
    lines(data);
    lines(&[b"<134>Mar  1 10:00:00 fw CEF:0|V|P|1|2|n|5|", data].concat());
}

/// Bytes as a file, and beside a healthy neighbour: everything is accounted for, on any number of threads.
pub(super) fn file(data: &[u8]) {
    const NEIGHBOUR: &str =
        r#"{"eventID":"n","eventTime":"2026-03-01T00:00:00Z","eventName":"N","eventSource":"s","awsRegion":"r"}"#;
    let Ok(folder) = tempfile::tempdir() else { return };
    let written = std::fs::write(folder.path().join("a.bin"), data);
    if written.and_then(|()| std::fs::write(folder.path().join("b.json"), NEIGHBOUR)).is_err() {
        return;
    }
    let with = |threads| {
        let options = LoadOptions { threads: Some(threads), ..LoadOptions::default() };
        let loaded = load(&[folder.path().to_path_buf()], &options);
        assert!(loaded.is_ok(), "{loaded:?}");
        loaded.unwrap_or_default()
    };
    let one = with(1);
    adds_up(&one);
    if data.len().is_multiple_of(8) {
        let two = with(2);
        assert!(one.report == two.report && one.tables == two.tables, "{:?} and {:?}", one.report, two.report);
    }
}

fn adds_up(loaded: &Loaded) {
    let sources = &loaded.report.sources;
    for source in sources {
        assert!(source.adds_up(), "{source:?}");
        let kept = source.rows + source.duplicates;
        assert_eq!(
            (source.tables.values().sum::<u64>(), source.kinds.values().sum::<u64>()),
            (kept, kept),
            "{source:?}"
        );
    }
    let held: usize = loaded.tables.values().flatten().map(|batch| batch.num_rows()).sum();
    let in_place: u64 = loaded.parquet.iter().map(|file| file.rows).sum();
    assert_eq!(sources.iter().map(|source| source.rows).sum::<u64>(), held as u64 + in_place);
    let neighbour = sources.last().map(|source| source.rows + source.duplicates);
    assert_eq!(neighbour, Some(1), "{sources:?}");
}

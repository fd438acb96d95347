//! Rows as a workspace exports them, in JSON and CSV, known tables and custom ones; Parquet files in place; the written form.

use std::sync::Arc;

use arrow::array::{Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use connectors::{LoadOptions, Loaded, load};
use parquet::arrow::ArrowWriter;

use crate::support::{column, load_files, load_text, rows, write_files};

#[test]
fn portal_csv() {
    let text = "\u{feff}TenantId,\"TimeGenerated [UTC]\",AlertName,IsIncident,Entities,\"$table\"\r\n\
        w1,\"4/28/2021, 2:32:14.029 PM\",\"Odd, \"\"quoted\"\"\nname\",TRUE,\"[{\"\"Type\"\":\"\"ip\"\"}]\",SecurityAlert\r\n";
    let loaded = load_files(&[("query_data.csv", text.as_bytes())]);
    let cells = [
        ("TenantId", "w1"),
        ("TimeGenerated", "2021-04-28T14:32:14.0290000Z"),
        ("AlertName", "Odd, \"quoted\"\nname"),
        ("IsIncident", "true"),
        ("Entities", r#"[{"Type":"ip"}]"#),
        ("Type", "SecurityAlert"),
    ];
    for (name, value) in cells {
        assert_eq!(column(&loaded, "SecurityAlert", name), [value], "{name}");
    }
}

#[test]
fn zones_in_headers() {
    let text = "\"TimeGenerated [Jerusalem]\",EventName,EventSource,AWSRegion,UserIdentityArn\n\"7/1/2021, 2:00:00.000 PM\",A,s,r,x\n";
    let loaded = load_files(&[("x.csv", text.as_bytes())]);
    assert_eq!(column(&loaded, "AWSCloudTrail", "TimeGenerated"), ["2021-07-01T11:00:00.0000000Z"]);
    let loaded = load_files(&[("x.csv", text.replace("Jerusalem", "Local Time").as_bytes())]);
    assert_eq!(column(&loaded, "AWSCloudTrail", "TimeGenerated"), [""]);
    assert_eq!(loaded.report.sources[0].undated, 1);
}

#[test]
fn json_rows_are_recognised_by_type_and_by_columns() {
    let loaded = load_text(
        r#"[{"TimeGenerated":"2026-03-01T00:00:00Z","Type":"BehaviorAnalytics","UserName":"nina","ActivityInsights":"{\"FirstTimeUserPerformedAction\":\"True\"}"},
           {"TimeGenerated":"2026-03-01T00:00:00Z","AccountUPN":"nina@x","AccountObjectId":"u1","BlastRadius":"High","RiskLevel":"Low"},
           {"TimeGenerated":"2026-03-01T00:00:00Z","OperationNameValue":"A.B/c/write","ActivityStatusValue":"Succeeded","CallerIpAddress":"1.2.3.4",
            "_ResourceId":"/subscriptions/s/resourcegroups/g/providers/a.b/c/d"},
           {"TimeGenerated":"2026-03-01T00:00:00Z","whatever":1}]"#,
    );
    assert_eq!(
        column(&loaded, "BehaviorAnalytics", "ActivityInsights"),
        [r#"{"FirstTimeUserPerformedAction":"True"}"#]
    );
    assert_eq!(column(&loaded, "IdentityInfo", "BlastRadius"), ["High"]);
    assert_eq!(column(&loaded, "AzureActivity", "Resource"), ["d"]);
    assert_eq!(column(&loaded, "AzureActivity", "ResourceGroup"), ["g"]);
    assert_eq!(loaded.report.sources[0].other["row of no known table"].count, 1);
}

#[test]
fn custom_tables_get_the_columns_their_rows_have() {
    let one = r#"[{"TimeGenerated":"2026-03-01T00:00:00Z","n":1,"name_s":"x","amount_d":"2.5","when":"2026-03-01T00:00:00Z","bag":{"a":1}},{"n":2.5}]"#;
    let two = "TimeGenerated,extra,ok_b\n2026-03-02T00:00:00Z,e,true\n";
    let loaded = load_files(&[("Own_CL.json", one.as_bytes()), ("more/Own_CL/part.csv", two.as_bytes())]);
    let types: Vec<_> = loaded.schemas["Own_CL"].columns.iter().map(|c| format!("{}:{}", c.name, c.ty)).collect();
    assert_eq!(
        types,
        [
            "TimeGenerated:datetime",
            "n:real",
            "name_s:string",
            "amount_d:real",
            "when:datetime",
            "bag:dynamic",
            "extra:string",
            "ok_b:bool"
        ]
    );
    assert_eq!(
        rows(&loaded, "Own_CL"),
        [
            vec![
                "TimeGenerated=2026-03-01T00:00:00.0000000Z",
                "n=1",
                "name_s=x",
                "amount_d=2.5",
                "when=2026-03-01T00:00:00.0000000Z",
                r#"bag={"a":1}"#
            ],
            vec!["n=2.5"],
            vec!["TimeGenerated=2026-03-02T00:00:00.0000000Z", "extra=e", "ok_b=true"],
        ]
    );
}

#[test]
fn equal_rows_without_an_id_stay_within_a_file_and_go_across_files() {
    let text = "TimeGenerated,EventName,EventSource,AWSRegion,UserIdentityArn\n2026-03-01T00:00:00Z,A,s,r,x\n2026-03-01T00:00:00Z,A,s,r,x\n";
    let loaded = load_files(&[("1.csv", text.as_bytes()), ("2.csv", text.as_bytes())]);
    assert_eq!(column(&loaded, "AWSCloudTrail", "EventName"), ["A", "A"]);
    let ids = column(&loaded, "AWSCloudTrail", "_ItemId");
    assert_ne!(ids[0], ids[1]);
    assert_eq!(loaded.report.sources[1].duplicates, 2);
}

fn parquet_file(path: &std::path::Path) {
    let schema = Arc::new(Schema::new(vec![
        Field::new("EventName", DataType::Utf8, true),
        Field::new("n", DataType::Int64, true),
    ]));
    let columns: Vec<arrow::array::ArrayRef> =
        vec![Arc::new(StringArray::from(vec!["A", "B"])), Arc::new(Int64Array::from(vec![1, 2]))];
    let mut writer = ArrowWriter::try_new(std::fs::File::create(path).unwrap(), Arc::clone(&schema), None).unwrap();
    writer.write(&RecordBatch::try_new(schema, columns).unwrap()).unwrap();
    writer.close().unwrap();
}

#[test]
fn parquet_files_are_listed_for_reading_in_place() {
    let folder = write_files(&[("broken.parquet", b"PAR1 no footer PAR1"), ("x.json", b"{\"a\":1}")]);
    parquet_file(&folder.path().join("AWSCloudTrail.parquet"));
    parquet_file(&folder.path().join("nobody.parquet"));
    let loaded = load(&[folder.path().to_path_buf()], &LoadOptions::default()).unwrap();
    let listed: Vec<_> = loaded.parquet.iter().map(|file| (file.table.as_str(), file.rows, file.source)).collect();
    assert_eq!(listed, [("AWSCloudTrail", 2, Some(0))]);
    assert!(loaded.report.sources.iter().all(connectors::SourceReport::adds_up));
    assert_eq!(loaded.report.sources[1].unreadable_count(), 1);
    assert_eq!(loaded.report.sources[2].other_count(), 2);
}

#[test]
fn raw_records_are_found_again() {
    let json = r#"{"Records":[{"eventName":"A","eventSource":"s","awsRegion":"r"},{"eventName":"B","eventSource":"s","awsRegion":"r"}]}"#;
    let csv = "TimeGenerated,EventName,EventSource,AWSRegion,UserIdentityArn\n2026-03-01T00:00:00Z,C,s,r,x\n";
    let folder = write_files(&[("1.json", json.as_bytes()), ("2.csv", csv.as_bytes())]);
    let loaded = load(&[folder.path().to_path_buf()], &LoadOptions::default()).unwrap();
    let places: Vec<i64> =
        column(&loaded, "AWSCloudTrail", "__source").iter().map(|place| place.parse().unwrap()).collect();
    let raw: Vec<String> = places.iter().map(|place| loaded.raw_record(*place).unwrap()).collect();
    assert_eq!(
        raw,
        [
            r#"{"eventName":"A","eventSource":"s","awsRegion":"r"}"#,
            r#"{"eventName":"B","eventSource":"s","awsRegion":"r"}"#,
            "2026-03-01T00:00:00Z,C,s,r,x"
        ]
    );
    assert!(loaded.raw_record(tables::pack_source(0, 99)).is_err());
    assert!(loaded.raw_record(tables::pack_source(9, 0)).is_err());
}

#[test]
fn the_written_form_keeps_rows_places_and_the_account() {
    let text = r#"{"Records":[{"eventID":"1","eventTime":"2026-03-01T00:00:00.1234567Z","eventName":"A","eventSource":"s","awsRegion":"r","readOnly":true},
        {"eventID":"2","eventName":"B","eventSource":"s","awsRegion":"r"}, 7]}"#;
    let folder = write_files(&[("1.json", text.as_bytes()), ("Own_CL.json", b"[{\"a\":{\"b\":1}}]")]);
    let first = load(&[folder.path().to_path_buf()], &LoadOptions::default()).unwrap();
    let written = tempfile::tempdir().unwrap();
    first.save(written.path()).unwrap();
    let second: Loaded = load(&[written.path().to_path_buf()], &LoadOptions::default()).unwrap();
    assert_eq!(second.report, first.report);
    assert_eq!(second.schemas, first.schemas);
    let tables: Vec<_> = second.parquet.iter().map(|file| (file.table.as_str(), file.rows, file.source)).collect();
    assert_eq!(tables, [("AWSCloudTrail", 2, None), ("Own_CL", 1, None)]);
    let file = std::fs::File::open(&second.parquet[0].path).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let batch = reader.map(Result::unwrap).next().unwrap();
    let times = batch.column_by_name("TimeGenerated").unwrap();
    assert_eq!(times.data_type(), &DataType::Timestamp(arrow::datatypes::TimeUnit::Nanosecond, Some("UTC".into())));
    assert_eq!(times.null_count(), 1);
    assert_eq!(batch.column_by_name("__source").unwrap().null_count(), 0);
    assert_eq!(
        second.raw_record(tables::pack_source(0, 1)).unwrap(),
        first.raw_record(tables::pack_source(0, 1)).unwrap()
    );
}

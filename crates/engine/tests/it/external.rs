//! `externaldata` over files that stand for its addresses.

use std::sync::Arc;

use engine::{DataSet, Engine, ExternalFiles, QueryOptions, QueryOutput, TableCatalog};
use kql_types::Value;

fn run(folder: &std::path::Path, query: &str) -> QueryOutput {
    let engine = Engine::new(Arc::new(TableCatalog::new()), Arc::new(DataSet::default()))
        .with_external(ExternalFiles::new().with_folder(folder));
    engine.run_blocking(query, &QueryOptions::at(0)).unwrap_or_else(|error| panic!("{query}: {error}"))
}

fn rows(folder: &std::path::Path, query: &str) -> Vec<Vec<Value>> {
    run(folder, query).tables[0].rows()
}

fn text(value: &str) -> Value {
    Value::String(value.to_owned())
}

#[test]
fn delimited_text_goes_by_position() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("feed.csv"), "ip,score,seen\n1.2.3.4,7,2024-01-02\n\"a,b\",x\n").unwrap();
    let feed = "externaldata(ip:string, score:long, seen:datetime)[@'https://example.org/feed.csv?key=1'] \
                with (format='csv', ignoreFirstRecord=true)";
    assert_eq!(
        rows(folder.path(), &format!("{feed} | project ip, score, year=getyear(seen)")),
        vec![
            vec![text("1.2.3.4"), Value::Long(7), Value::Int(2024)],
            vec![text("a,b"), Value::Null(kql_types::ScalarType::Long), Value::Null(kql_types::ScalarType::Int)],
        ]
    );
    assert_eq!(
        rows(folder.path(), &format!("let f = {feed}; print x='1.2.3.4' | where x in ((f | project ip)) | count")),
        vec![vec![Value::Long(1)]]
    );
}

#[test]
fn lines_and_json_are_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("list.txt"), "# head\r\nfirst, one\r\n\r\nsecond\r\n").unwrap();
    std::fs::write(folder.path().join("x.json"), "[{\"a\":1,\"b\":{\"c\":\"q\"}},{\"a\":2.5}]\n{\"b\":null}").unwrap();
    assert_eq!(
        rows(folder.path(), "externaldata(l:string)['https://h/list.txt'] with (format='txt', ignoreFirstRecord=True)"),
        vec![vec![text("first, one")], vec![text("second")]]
    );
    assert_eq!(
        rows(
            folder.path(),
            "externaldata(a:real, b:dynamic)['https://h/x.json'] with (format='multijson') | project a, c=tostring(b.c)"
        ),
        vec![
            vec![Value::Real(1.0), text("q")],
            vec![Value::Real(2.5), text("")],
            vec![Value::Null(kql_types::ScalarType::Real), text("")],
        ]
    );
    assert_eq!(
        rows(
            folder.path(),
            "externaldata(c:string)['https://h/x.json'] \
             with (format='multijson', ingestionMapping='[{\"Column\":\"c\",\"Properties\":{\"Path\":\"$.b.c\"}}]')"
        ),
        vec![vec![text("q")], vec![text("")], vec![text("")]]
    );
}

#[test]
fn an_address_without_a_file_has_no_rows_and_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), "externaldata(a:string)['https://example.org/none.csv'] | summarize n=count()");
    assert_eq!(output.tables[0].rows(), vec![vec![Value::Long(0)]]);
    let warning = output.diagnostics.iter().find(|diagnostic| diagnostic.code == "TW012").expect("a warning");
    assert!(warning.message.contains("https://example.org/none.csv"), "{}", warning.message);
}

#[test]
fn archives_and_parquet_are_read() {
    use datafusion::arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
    use datafusion::arrow::record_batch::RecordBatch;
    use std::io::Write;

    let folder = tempfile::tempdir().unwrap();
    let mut archive = zip::ZipWriter::new(std::fs::File::create(folder.path().join("feed.csv.zip")).unwrap());
    archive.start_file("feed.csv", zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(b"a,1\nb,2\n").unwrap();
    archive.finish().unwrap();
    assert_eq!(
        rows(folder.path(), "externaldata(k:string, n:long)['https://h/feed.csv.zip'] | where n == 2"),
        vec![vec![text("b"), Value::Long(2)]]
    );

    let columns: Vec<(&str, ArrayRef)> = vec![
        ("n", Arc::new(Int64Array::from(vec![Some(5), None]))),
        ("name", Arc::new(StringArray::from(vec![Some("x"), None]))),
        ("at", Arc::new(TimestampMicrosecondArray::from(vec![Some(1_704_164_645_000_000), None]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = std::fs::File::create(folder.path().join("t.parquet")).unwrap();
    let mut writer = datafusion::parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    assert_eq!(
        rows(
            folder.path(),
            "externaldata(name:string, n:long, at:datetime, other:string)['https://h/t.parquet'] \
             | project name, n, at = tostring(at), other"
        ),
        vec![
            vec![text("x"), Value::Long(5), text("2024-01-02T03:04:05.0000000Z"), text("")],
            vec![text(""), Value::Null(kql_types::ScalarType::Long), text(""), text("")],
        ]
    );
}

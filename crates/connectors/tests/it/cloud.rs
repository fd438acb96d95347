//! Logs in object stores: the same rows as from a folder, read from real servers when they are installed.
//!
//! `TIDEWATCH_STORES` names a folder with `bin/moto_server` (a Python environment with `moto[server]`) and
//! `node_modules/.bin/azurite-blob`; without them these tests say so and pass. Google's store is reached by its XML
//! interface, in which the requests made here are those of S3, so moto stands for it as well.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use connectors::{CacheOptions, CloudSettings, LoadError, LoadOptions, Loaded, load};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::binary::parquet_bytes;
use crate::packed::{gzip, zipped};
use crate::support::{check_account, column, rows, write_files};

fn record(name: &str, day: &str) -> String {
    format!(
        r#"{{"eventID":"{name}","eventTime":"2026-{day}T00:00:00Z","eventName":"{name}","eventSource":"s","awsRegion":"r"}}"#
    )
}

/// A key and its content.
type Content = (String, Vec<u8>);

/// One is larger than what is fetched at once.
fn logs() -> Vec<Content> {
    let filler = "x".repeat(2_000);
    let large =
        (0..6_000).map(|n| record(&format!("Large{n}"), "03-03").replace("\"s\"", &format!("\"{filler}\"")) + "\n");
    let names: arrow::array::ArrayRef = Arc::new(arrow::array::StringArray::from(vec!["Columnar"]));
    [
        ("AWSLogs/1/CloudTrail/r/2026/03/01/a.json.gz", gzip(record("A", "03-01").as_bytes())),
        ("AWSLogs/1/CloudTrail/r/2026/03/02/b c+d=%.json", record("B", "03-02").into_bytes()),
        ("AWSLogs/1/CloudTrail/r/2026/04/20/late.json", record("Late", "04-20").into_bytes()),
        ("AWSLogs/export/x.zip", zipped(&[("in/z.json", record("Z", "03-01").as_bytes())])),
        ("AWSLogs/export/AWSCloudTrail.parquet", parquet_bytes(vec![("EventName", names)])),
        ("AWSLogs/large.json", large.collect::<String>().into_bytes()),
        ("AWSLogs/notes.bin", vec![0, 1, 2, 3, 4, 5, 6]),
    ]
    .map(|(key, bytes)| (key.to_owned(), bytes))
    .into()
}

/// A server that ends with the test.
struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// None, with a note, when the program is not installed.
fn started(program: &str, arguments: &dyn Fn(u16) -> Vec<String>, variables: &[(&str, &str)]) -> Option<Server> {
    let program = std::env::var_os("TIDEWATCH_STORES").map(|folder| PathBuf::from(folder).join(program));
    let Some(program) = program.filter(|program| program.exists()) else {
        let _ = writeln!(std::io::stderr(), "skipped: TIDEWATCH_STORES names no folder with this server");
        return None;
    };
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new(program);
    command.args(arguments(port)).envs(variables.iter().copied()).stdout(Stdio::null()).stderr(Stdio::null());
    let server = Server { child: command.spawn().unwrap(), port };
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < Duration::from_secs(60), "the server does not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    Some(server)
}

fn moto() -> Option<Server> {
    started("bin/moto_server", &|port| vec!["-H".into(), "127.0.0.1".into(), "-p".into(), port.to_string()], &[])
}

/// Sends a request and gives the first line of the answer.
fn request(port: u16, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let length = body.len();
    let rest = format!("Host: 127.0.0.1:{port}\r\nContent-Length: {length}\r\nConnection: close");
    write!(stream, "{head}\r\n{rest}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

fn put(store: &dyn ObjectStore, objects: &[Content]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (key, bytes) in objects {
        runtime.block_on(store.put(&Path::parse(key).unwrap(), bytes.clone().into())).unwrap();
    }
}

fn options(settings: &[(&str, String)]) -> LoadOptions {
    let cloud = CloudSettings::of(settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    LoadOptions { cloud, ..LoadOptions::default() }
}

/// What does not depend on where the logs lie.
fn account(loaded: &Loaded, root: &str) -> Vec<(String, Option<String>, String, u64, u64, String)> {
    let sources = loaded.report.sources.iter();
    let told = sources.map(|s| {
        let path = s.path.strip_prefix(root).unwrap_or_else(|| panic!("{} is not under {root}", s.path));
        (path.to_owned(), s.member.clone(), s.format.clone(), s.records, s.rows, s.sha256.clone())
    });
    told.collect()
}

/// Everything under an address is as it is in a folder, and single keys, patterns, times and places work.
fn check(address: &str, options: &LoadOptions) {
    let objects = logs();
    let files: Vec<(&str, &[u8])> = objects.iter().map(|(key, bytes)| (key.as_str(), bytes.as_slice())).collect();
    let folder = write_files(&files);
    // A folder's Parquet file stays where it is; an object's rows are read, as those of an archive's member are.
    let parquet = folder.path().join("AWSLogs/export/AWSCloudTrail.parquet");
    std::fs::remove_file(parquet).unwrap();
    let local = load(&[folder.path().to_path_buf()], &LoadOptions::default()).unwrap();
    let of = |url: String, options: &LoadOptions| load(&[url.into()], options);
    let remote = of(format!("{address}/AWSLogs/"), options).unwrap();
    check_account(&remote);
    let mut found = account(&remote, &format!("{address}/"));
    let columnar = found.iter().position(|source| source.0.ends_with(".parquet")).unwrap();
    assert_eq!((found[columnar].2.as_str(), found[columnar].4), ("parquet", 1), "{:#?}", remote.report.sources);
    found.remove(columnar);
    assert_eq!(found, account(&local, &format!("{}/", folder.path().display())));
    let mut names = column(&remote, "AWSCloudTrail", "EventName");
    assert!(names.contains(&"Columnar".to_owned()));
    names.retain(|name| name != "Columnar");
    assert_eq!(names, column(&local, "AWSCloudTrail", "EventName"));
    assert_eq!(rows(&remote, "AWSCloudTrail").len(), 6_005);

    // The raw record is fetched again.
    let places = column(&remote, "AWSCloudTrail", "__source");
    let raw = remote.raw_record(places[1].parse().unwrap()).unwrap();
    assert_eq!(raw, record("B", "03-02"));

    // One key, patterns, the whole bucket, and times.
    let names = |url: &str, options: &LoadOptions| {
        let loaded = of(format!("{address}/{url}"), options).unwrap();
        check_account(&loaded);
        (column(&loaded, "AWSCloudTrail", "EventName"), loaded.report.outside)
    };
    let only = |names: &[&str]| (names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), 0);
    assert_eq!(names("AWSLogs/1/CloudTrail/r/2026/03/02/b c+d=%.json", options), only(&["B"]));
    assert_eq!(names("AWSLogs/1/*/r/2026/0?/*/*.json", options), only(&["B", "Late"]));
    assert_eq!(names("AWSLogs/1/CloudTrail/r/2026/03", options), only(&["A", "B"]));
    assert_eq!(of(address.to_owned(), options).unwrap().report.sources.len(), remote.report.sources.len());
    let march = LoadOptions { to: kql_types::datetime::parse("2026-03-31"), ..options.clone() };
    let (found, outside) = names("AWSLogs/1", &march);
    assert_eq!((found, outside), (only(&["A", "B"]).0, 1));
    let nothing = of(format!("{address}/none/"), options).unwrap_err();
    assert!(matches!(nothing, LoadError::NotFound(_)), "{nothing}");
}

/// A second load fetches nothing but what changed.
fn check_cache(address: &str, options: &LoadOptions, change: &dyn Fn(&[Content])) {
    let folder = tempfile::tempdir().unwrap();
    let now = SystemTime::now() + Duration::from_secs(60);
    let cache = CacheOptions { folder: folder.path().to_path_buf(), bytes_max: 1 << 30, keep_all: false, now };
    let options = LoadOptions { cache: Some(cache), ..options.clone() };
    let url = [PathBuf::from(format!("{address}/AWSLogs/"))];
    let first = load(&url, &options).unwrap();
    let second = load(&url, &options).unwrap();
    let used = second.cache.as_ref().unwrap();
    assert_eq!((used.reused, used.kept), (7, 0));
    assert_eq!((&second.report, &second.tables), (&first.report, &first.tables));
    change(&[("AWSLogs/1/CloudTrail/r/2026/03/02/b c+d=%.json".to_owned(), record("C", "03-02").into_bytes())]);
    let third = load(&url, &options).unwrap();
    let used = third.cache.as_ref().unwrap();
    assert_eq!((used.reused, used.kept), (6, 1));
    assert_eq!(column(&third, "AWSCloudTrail", "EventName")[..2], ["A", "C"]);
}

/// The logs in a bucket of moto.
fn filled(server: &Server) -> impl ObjectStore + use<> {
    assert!(request(server.port, "PUT /logs HTTP/1.1", "").contains("200"));
    let store = object_store::aws::AmazonS3Builder::new().with_allow_http(true).with_bucket_name("logs");
    let store = store.with_endpoint(format!("http://127.0.0.1:{}", server.port));
    let store = store.with_access_key_id("id").with_secret_access_key("secret").build().unwrap();
    put(&store, &logs());
    store
}

#[test]
fn s3_gives_what_a_folder_gives() {
    let Some(server) = moto() else { return };
    let endpoint = format!("http://127.0.0.1:{}", server.port);
    let store = filled(&server);
    // What consoles make for a folder, and what is no log.
    assert!(request(server.port, "PUT /logs/AWSLogs/1/ HTTP/1.1", "").contains("200"));
    put(&store, &[("AWSLogs/.trash/x.json".to_owned(), b"junk".to_vec())]);
    let options = options(&[
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "id".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
    ]);
    check("s3://logs", &options);
    check_cache("s3://logs", &options, &|objects| put(&store, objects));
    let missing = load(&["s3://elsewhere/x/".into()], &options).unwrap_err();
    assert!(missing.to_string().starts_with("s3://elsewhere/x/: "), "{missing}");
    // Lists come in pages of a thousand.
    let many: Vec<_> =
        (0..1_100).map(|n| (format!("many/{n:04}.json"), record(&format!("N{n}"), "03-01").into_bytes())).collect();
    put(&store, &many);
    assert_eq!(load(&["s3://logs/many".into()], &options).unwrap().report.sources.len(), 1_100);
}

#[test]
fn google_cloud_storage_gives_what_a_folder_gives() {
    let Some(server) = moto() else { return };
    let store = filled(&server);
    // An emulator knows no accounts: everybody may read.
    let policy =
        r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::logs/*"}]}"#;
    assert!(request(server.port, "PUT /logs?policy HTTP/1.1", policy).contains("20"));
    let options = options(&[("STORAGE_EMULATOR_HOST", format!("127.0.0.1:{}", server.port))]);
    check("gs://logs", &options);
    check_cache("gs://logs", &options, &|objects| put(&store, objects));
}

/// Of an account that exists in these tests alone.
const KEY: &str = "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMA==";

#[test]
fn azure_gives_what_a_folder_gives() {
    let arguments = |port: u16| {
        let text =
            format!("--silent --inMemoryPersistence --skipApiVersionCheck --blobHost 127.0.0.1 --blobPort {port}");
        text.split(' ').map(str::to_owned).collect()
    };
    let accounts = format!("testlogs:{KEY}");
    let variables = [("AZURITE_ACCOUNTS", accounts.as_str())];
    let Some(server) = started("node_modules/.bin/azurite-blob", &arguments, &variables) else { return };
    create_container(server.port);
    let endpoint = format!("http://127.0.0.1:{}/testlogs", server.port);
    let store = object_store::azure::MicrosoftAzureBuilder::new().with_endpoint(endpoint.clone()).with_allow_http(true);
    let store = store.with_account("testlogs").with_access_key(KEY).with_container_name("logs").build().unwrap();
    put(&store, &logs());
    let options = options(&[("AZURE_STORAGE_ENDPOINT", endpoint), ("AZURE_STORAGE_ACCOUNT_KEY", KEY.to_owned())]);
    check("az://testlogs/logs", &options);
    check_cache("az://testlogs/logs", &options, &|objects| put(&store, objects));
    for address in [
        "https://testlogs.blob.core.windows.net/logs/AWSLogs/1",
        "abfss://logs@testlogs.dfs.core.windows.net/AWSLogs/1",
    ] {
        let loaded = load(&[address.into()], &options).unwrap();
        assert_eq!(loaded.report.sources.len(), 3);
        assert!(loaded.report.sources[0].path.starts_with("az://testlogs/logs/AWSLogs/1/"));
    }
}

/// Signs the one request that the library does not make.
fn create_container(port: u16) {
    use base64::Engine;
    let base64 = base64::engine::general_purpose::STANDARD;
    let date = "Fri, 20 Nov 2026 12:00:00 GMT";
    let signed = format!(
        "PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:2021-08-06\n/testlogs/testlogs/logs\nrestype:container"
    );
    let signature = base64.encode(hmac(&base64.decode(KEY).unwrap(), signed.as_bytes()));
    let head = format!(
        "PUT /testlogs/logs?restype=container HTTP/1.1\r\nx-ms-date: {date}\r\nx-ms-version: 2021-08-06\r\n\
         Authorization: SharedKey testlogs:{signature}"
    );
    let answer = request(port, &head, "");
    assert!(answer.contains("201"), "{answer}");
}

/// HMAC-SHA256 of a key of one block.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    assert_eq!(key.len(), 64);
    let padded = |pad: u8| key.iter().map(|byte| byte ^ pad).collect::<Vec<u8>>();
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().to_vec()
}

/// Answers as S3 would, with the troubles that the key's name asks for.
fn troubled_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let asked = Arc::clone(&asked);
            std::thread::spawn(move || answer(stream.unwrap(), &asked));
        }
    });
    port
}

fn answer(mut stream: TcpStream, asked: &AtomicUsize) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default();
    let body = record("Fine", "03-01");
    let fine = |extra: &str, body: &str| {
        format!(
            "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes 0-{}/{}\r\nETag: \"e\"\r\n\
             Last-Modified: Wed, 11 Nov 2026 10:00:00 GMT\r\n{extra}Connection: close\r\n\r\n{body}",
            body.len(),
            body.len() - 1,
            body.len()
        )
    };
    let first = || asked.fetch_add(1, Ordering::Relaxed) == 0;
    let reply = if path.contains("list-type") {
        let keys = ["broken", "denied", "fine", "gone"].map(|key| {
            format!(
                "<Contents><Key>{key}.json</Key><Size>{}</Size><ETag>\"e\"</ETag>\
                 <LastModified>2026-11-11T10:00:00.000Z</LastModified></Contents>",
                body.len()
            )
        });
        let list = format!("<ListBucketResult>{}</ListBucketResult>", keys.concat());
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{list}", list.len())
    } else if path.contains("denied") {
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()
    } else if path.contains("gone") {
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()
    } else if path.contains("broken") && first() {
        // The connection breaks off in the middle of the body.
        fine("", &body).get(..fine("", &body).len() - 40).unwrap_or_default().to_owned()
    } else {
        fine("", &body)
    };
    let _ = stream.write_all(reply.as_bytes());
}

#[test]
fn an_object_that_cannot_be_read_stops_no_other() {
    let options = options(&[
        ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", troubled_server())),
        ("AWS_ACCESS_KEY_ID", "id".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
    ]);
    let loaded = load(&["s3://logs".into()], &options).unwrap();
    let told: Vec<(&str, u64, bool)> =
        loaded.report.sources.iter().map(|s| (s.path.as_str(), s.records, s.stopped.is_some())).collect();
    let expected = [
        ("s3://logs/broken.json", 1, false),
        ("s3://logs/denied.json", 0, true),
        ("s3://logs/fine.json", 1, false),
        ("s3://logs/gone.json", 0, true),
    ];
    assert_eq!(told, expected, "{:#?}", loaded.report.sources);
    assert_eq!(loaded.report.sources[0].sha256, loaded.report.sources[2].sha256, "asked for again, it came whole");
    check_account(&loaded);
}

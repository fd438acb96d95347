//! What hostile files take of memory: each is loaded by a process of its own, whose peak is read.
//!
//! Every bomb here inflates to more than what a load may take, so that one that held it would be found out.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow::record_batch::RecordBatch;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connectors::{LoadOptions, load};
use flate2::{Compress, Compression, FlushCompress};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

/// Of the load of a bomb, above that of a small log.
const EXTRA_MAX: u64 = 256 << 20;
/// Bytes of a stretch of a bomb, and how often it is repeated: 320 MB.
const STRETCH: usize = 4 << 20;
const STRETCHES: usize = 80;

const HEALTHY: &str =
    r#"{"eventID":"n","eventTime":"2026-03-01T00:00:00Z","eventName":"N","eventSource":"s","awsRegion":"r"}"#;

/// Deflate blocks of these bytes, whole ones, without the last.
fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 1_000);
    let status = Compress::new(Compression::fast(), false).compress_vec(bytes, &mut out, FlushCompress::Sync);
    assert!(status.is_ok() && out.len() < out.capacity());
    out
}

/// A deflate stream: a beginning, a stretch again and again, an end.
fn stream(begin: &[u8], stretch: u8, end: &[u8]) -> Vec<u8> {
    let repeated = deflated(&vec![stretch; STRETCH]);
    let mut out = deflated(begin);
    for _ in 0..STRETCHES {
        out.extend_from_slice(&repeated);
    }
    out.extend(deflated(end));
    // An empty last block.
    out.extend([1, 0, 0, 0xFF, 0xFF]);
    out
}

/// Without the right checksum, which comes too late to help.
fn gzip(stream: &[u8]) -> Vec<u8> {
    [&[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF][..], stream, &[0; 8]].concat()
}

fn zip_header(mark: u32, name: &str, method: u16, packed: usize, size: usize) -> Vec<u8> {
    let local = mark == 0x0403_4B50;
    let mut out = mark.to_le_bytes().to_vec();
    if !local {
        out.extend(20_u16.to_le_bytes());
    }
    for part in [20, 0, method, 0, 0] {
        out.extend(part.to_le_bytes());
    }
    for part in [0, packed as u32, size as u32] {
        out.extend(part.to_le_bytes());
    }
    out.extend((name.len() as u16).to_le_bytes());
    out.extend(0_u16.to_le_bytes());
    if !local {
        // Comment, disk, attributes; the member is the first of the archive.
        out.extend([0; 14]);
    }
    out.extend(name.as_bytes());
    out
}

/// What stands before and behind the bytes of a member that every name of the archive points at.
fn zip_frame(names: &[String], method: u16, packed: usize, size: usize) -> (Vec<u8>, Vec<u8>) {
    let before = zip_header(0x0403_4B50, &names[0], method, packed, size);
    let mut behind: Vec<u8> =
        names.iter().flat_map(|name| zip_header(0x0201_4B50, name, method, packed, size)).collect();
    let length = behind.len() as u32;
    behind.extend(0x0605_4B50_u32.to_le_bytes());
    behind.extend([0; 4]);
    behind.extend([(names.len() as u16).to_le_bytes(); 2].concat());
    behind.extend(length.to_le_bytes());
    behind.extend(((before.len() + packed) as u32).to_le_bytes());
    behind.extend([0; 2]);
    (before, behind)
}

fn zip(names: &[String], method: u16, packed: &[u8], size: usize) -> Vec<u8> {
    let (before, behind) = zip_frame(names, method, packed.len(), size);
    [&before, packed, &behind].concat()
}

/// A zip archive whose only member is a zip archive of zeros as they are: packed small, and large to hold.
fn zip_in_zip() -> Vec<u8> {
    let size = STRETCH * STRETCHES;
    let (before, behind) = zip_frame(&["zeros.json".to_owned()], 0, size, size);
    zip(&["inner.zip".to_owned()], 8, &stream(&before, 0, &behind), before.len() + size + behind.len())
}

/// Rows that all show one large value.
fn dictionary() -> Vec<u8> {
    let value: ArrayRef = Arc::new(StringArray::from(vec!["y".repeat(8 << 20)]));
    let column: ArrayRef = Arc::new(DictionaryArray::new(Int32Array::from(vec![0; 40]), value));
    let batch = RecordBatch::try_from_iter([("x", column)]).unwrap();
    let properties = WriterProperties::builder().set_dictionary_page_size_limit(64 << 20).build();
    let mut out = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut out, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    out
}

fn tar_header(name: &str, size: u64, kind: tar::EntryType) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_path(name).unwrap();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// Claims a file of 2 GB in a sparse member without any bytes.
fn sparse_tar() -> Vec<u8> {
    let mut header = tar_header("sparse.json", 0, tar::EntryType::GNUSparse);
    header[483..495].copy_from_slice(b"20000000000\0");
    let sum: u32 =
        header.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) }).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    [header, vec![0; 1024]].concat()
}

fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let size = STRETCH * STRETCHES;
    let record = stream(b"{\"eventName\":\"", b'x', b"\"}\n");
    let frame = zstd::encode_all(&vec![b'x'; STRETCH][..], 1).unwrap();
    let mut window = zstd::Encoder::new(Vec::new(), 1).unwrap();
    window.window_log(27).unwrap();
    (0..STRETCHES).for_each(|_| window.write_all(&vec![b' '; STRETCH]).unwrap());
    let member = tar_header("a.json", size as u64, tar::EntryType::Regular);
    let names: Vec<String> = (0..STRETCHES).map(|number| format!("{number}.json")).collect();
    let overlapping = [deflated(&vec![b'x'; STRETCH]), vec![1, 0, 0, 0xFF, 0xFF]].concat();
    let packed = STANDARD.encode(gzip(&record));
    vec![
        ("record.json.gz", gzip(&record)),
        ("blanks.gz", gzip(&stream(b"", b' ', b""))),
        ("quote.csv.gz", gzip(&stream(b"a,b\n1,\"", b'x', b""))),
        ("line.log.gz", gzip(&stream(b"<34>Mar  1 10:00:00 h t: ", b'x', b"\n"))),
        ("depth.json.gz", gzip(&stream(b"", b'[', b""))),
        ("gzip.gz", gzip(&[deflated(&gzip(&record)), vec![1, 0, 0, 0xFF, 0xFF]].concat())),
        ("frames.zst", [zstd::encode_all(&b"{\"a\":\""[..], 1).unwrap(), frame.repeat(STRETCHES)].concat()),
        ("window.zst", window.finish().unwrap()),
        ("member.zip", zip(&["a.json".to_owned()], 8, &record, size + 17)),
        ("overlapping.zip", zip(&names, 8, &overlapping, STRETCH)),
        ("nested.zip", zip_in_zip()),
        ("member.tar.gz", gzip(&stream(&member, b'x', &[0; 1024]))),
        ("sparse.tar", sparse_tar()),
        ("base64.json", format!(r#"{{"message":{{"data":"{packed}","messageId":"1"}}}}"#).into_bytes()),
        ("dictionary.parquet", dictionary()),
    ]
}

/// The most memory that this process ever had, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() << 10
}

/// In a process of its own: prints what the load of a folder takes above that of a small log.
fn measured(folder: &Path) {
    let options = LoadOptions { threads: Some(2), ..LoadOptions::default() };
    let small = tempfile::tempdir().unwrap();
    fs::write(small.path().join("a.json"), HEALTHY).unwrap();
    load(&[small.path().to_path_buf()], &options).unwrap();
    let before = peak();
    let loaded = load(&[folder.to_path_buf()], &options).unwrap();
    assert!(loaded.report.sources.iter().all(|source| source.adds_up()));
    assert_eq!(loaded.report.tables["AWSCloudTrail"].rows, 1, "the neighbour: {:#?}", loaded.report.sources);
    let mut out = std::io::stdout();
    writeln!(out, "\nextra {}", peak() - before).unwrap();
}

#[test]
fn bombs_take_little_memory() {
    if let Some(folder) = std::env::var_os("MEMORY_OF") {
        return measured(Path::new(&folder));
    }
    let bombs = bombs();
    // Two at a time.
    let (one, other) = bombs.split_at(bombs.len() / 2);
    std::thread::scope(|scope| {
        scope.spawn(|| one.iter().for_each(|(name, bytes)| takes_little(name, bytes)));
        other.iter().for_each(|(name, bytes)| takes_little(name, bytes));
    });
}

fn takes_little(name: &str, bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), bytes).unwrap();
    fs::write(folder.path().join("zz.json"), HEALTHY).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["memory::bombs_take_little_memory", "--exact", "--nocapture"])
        .env("MEMORY_OF", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{name}: {said}{}", String::from_utf8_lossy(&output.stderr));
    let extra = said.lines().find_map(|line| line.strip_prefix("extra ")).unwrap().parse::<u64>().unwrap();
    assert!(extra <= EXTRA_MAX, "{name} took {} MB", extra >> 20);
    if std::env::var_os("MEMORY_SHOW").is_some() {
        let mut out = std::io::stdout();
        writeln!(out, "memory | {name} | {} KB | {} MB", bytes.len() >> 10, extra >> 20).unwrap();
    }
}

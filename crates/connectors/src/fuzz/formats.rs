//! Compressions, archives and binary formats: they end, within their limits, whatever they hold.

use std::io::{self, Read};

use crate::input::{self, Content, archive, transcode};
use crate::options::SizeLimits;

/// Bytes that may come of one input.
const LIMITS: SizeLimits = SizeLimits {
    source_bytes: 4 << 20,
    record_bytes: 1 << 20,
    depth: 1_000,
    archive_members: 100,
    inflation: 100,
    inflated_free: 1 << 20,
    dictionary: 1 << 20,
};

/// Reads to the end, or to the error that ends it; the number of bytes.
fn drained(reader: impl Read) -> u64 {
    let mut counted = Counted { inner: reader, bytes: 0 };
    let _ = io::copy(&mut counted, &mut io::sink());
    counted.bytes
}

struct Counted<R> {
    inner: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bytes += count as u64;
        Ok(count)
    }
}

/// gzip, zstd, xz, bzip2 and UTF-16, in one another.
pub(super) fn compressed(data: &[u8]) {
    let Ok(opened) = input::open_member(data, &LIMITS) else { return };
    let bytes = drained(opened.reader);
    assert!(bytes <= LIMITS.source_bytes + (64 << 10), "{bytes} bytes");
}

fn members(content: Content, data: &[u8]) {
    let mut count = 0;
    let _ = archive::members(content, Box::new(data), None, &LIMITS, &|_| true, &mut |_, bytes| {
        count += 1;
        if let Ok(bytes) = bytes {
            drained(bytes.take(LIMITS.source_bytes));
        }
        true
    });
    assert!(count <= LIMITS.archive_members);
}

pub(super) fn zip(data: &[u8]) {
    members(Content::Zip, data);
}

pub(super) fn tar(data: &[u8]) {
    members(Content::Tar, data);
}

pub(super) fn seven_zip(data: &[u8]) {
    members(Content::SevenZip, data);
}

fn text(content: Content, data: &[u8]) {
    let Ok(opened) = input::open_member(data, &LIMITS) else { return };
    let hash = opened.hash.clone();
    let Ok(lines) = transcode::json_text(content, Box::new(data), None, &hash, &LIMITS) else { return };
    let mut given = Vec::new();
    let _ = lines.take(LIMITS.source_bytes * 4).read_to_end(&mut given);
    assert!((given.len() as u64) < LIMITS.source_bytes * 4, "{} bytes of text", given.len());
}

pub(super) fn avro(data: &[u8]) {
    text(Content::Avro, data);
}

pub(super) fn parquet(data: &[u8]) {
    text(Content::Parquet, data);
}

pub(super) fn evtx(data: &[u8]) {
    text(Content::Evtx, data);
}

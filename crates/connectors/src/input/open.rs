//! Opens a file, an object or standard input and takes compression and encoding away, within the limits.
//!
//! The SHA-256 is of the bytes as they lie on disk, computed while they are read.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;
use sha2::{Digest, Sha256};

use super::paths::Input;
use super::sniff::{self, Content, SNIFF_BYTES, Wrapping};
use super::utf16::Utf16Reader;
use crate::options::SizeLimits;

/// How many compressions may lie in one another (a `.gz` downloaded as gzip twice has two).
const WRAPPINGS_MAX: usize = 4;

/// A file ready to be read as text or by a reader of its own.
pub(crate) struct Opened<'r> {
    pub(crate) reader: Box<dyn Read + 'r>,
    pub(crate) content: Content,
    /// `gzip`, `utf-16`..., outermost first.
    pub(crate) wrappings: Vec<&'static str>,
    /// The first bytes of the content.
    pub(crate) head: Vec<u8>,
    pub(crate) hash: HashHandle,
}

/// Gives the hash of the raw bytes once they were read.
#[derive(Clone)]
pub(crate) struct HashHandle(Arc<Mutex<(Sha256, u64)>>);

impl HashHandle {
    /// In hexadecimal. What the decoders left unread of a file is read now.
    pub(crate) fn finish(&self, input: &Input) -> String {
        let (hasher, length) = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if input.size().is_some_and(|size| size != length) {
            return input.read().and_then(rehash).unwrap_or_default();
        }
        hex(&hasher.finalize())
    }

    /// Raw bytes read so far.
    pub(crate) fn length(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    /// In hexadecimal, of what was read and of the rest, which is read now; empty when it cannot be read.
    pub(crate) fn with_rest(&self, rest: impl Read) -> String {
        let mut rest = Hashing { inner: rest, handle: self.clone() };
        if io::copy(&mut rest, &mut io::sink()).is_err() {
            return String::new();
        }
        hex(&self.0.lock().unwrap_or_else(PoisonError::into_inner).0.clone().finalize())
    }
}

fn rehash(mut file: impl Read) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hasher.finalize())),
            count => hasher.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Hashing<R> {
    inner: R,
    handle: HashHandle,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let mut state = self.handle.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.update(buffer.get(..count).unwrap_or_default());
        state.1 += count as u64;
        Ok(count)
    }
}

/// Fails when more than the allowed bytes come, or more than the bytes they were inflated from allow.
struct Limited<R> {
    inner: R,
    given: u64,
    limits: SizeLimits,
    raw: Option<HashHandle>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.given += count as u64;
        if self.given > self.limits.source_bytes {
            return Err(io::Error::other(format!("more than {} bytes after inflating", self.limits.source_bytes)));
        }
        if self.given > self.limits.inflated_free
            && let Some(raw) = &self.raw
            && self.given > self.limits.inflated(raw.length())
        {
            return Err(io::Error::other(format!(
                "more than {} times its size after inflating",
                self.limits.inflation
            )));
        }
        Ok(count)
    }
}

/// Reads `head` again, then the rest.
struct Rejoined<'r> {
    head: Vec<u8>,
    at: usize,
    rest: Box<dyn Read + 'r>,
    /// An error met while looking ahead, given once the head is read.
    error: Option<io::Error>,
}

impl Read for Rejoined<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = self.head.get(self.at..).unwrap_or_default();
        if ready.is_empty() {
            return match self.error.take() {
                Some(error) => Err(error),
                None => self.rest.read(buffer),
            };
        }
        let count = ready.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), ready.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}

pub(crate) fn open(input: &Input, limits: &SizeLimits) -> io::Result<Opened<'static>> {
    open_reader(input.read()?, limits)
}

/// As [`open`], of the bytes of an archive's member.
pub(crate) fn open_member<'r>(bytes: impl Read + 'r, limits: &SizeLimits) -> io::Result<Opened<'r>> {
    open_reader(Box::new(Limited { inner: bytes, given: 0, limits: *limits, raw: None }), limits)
}

fn open_reader<'r>(raw: Box<dyn Read + 'r>, limits: &SizeLimits) -> io::Result<Opened<'r>> {
    let handle = HashHandle(Arc::default());
    let hashed = Box::new(Hashing { inner: raw, handle: handle.clone() });
    unwrap(hashed, handle, limits)
}

fn unwrap<'r>(reader: Box<dyn Read + 'r>, hash: HashHandle, limits: &SizeLimits) -> io::Result<Opened<'r>> {
    let (mut reader, mut limits) = (reader, *limits);
    let mut wrappings = Vec::new();
    loop {
        let mut head = Vec::new();
        let error = look_ahead(&mut reader, &mut head);
        let wrapping = sniff::wrapping(&head).filter(|_| wrappings.len() < WRAPPINGS_MAX);
        let Some(wrapping) = wrapping else {
            let content = sniff::content(&head);
            if content == Content::Empty
                && let Some(error) = error
            {
                // Nothing will be read that could tell of it.
                return Err(error);
            }
            let whole = Rejoined { head: head.clone(), at: 0, rest: reader, error };
            return Ok(Opened { reader: Box::new(whole), content, wrappings, head, hash });
        };
        let whole = Rejoined { head, at: 0, rest: reader, error };
        let inner: Box<dyn Read + 'r> = match wrapping {
            Wrapping::Gzip => {
                wrappings.push("gzip");
                Box::new(MultiGzDecoder::new(io::BufReader::with_capacity(256 << 10, whole)))
            }
            Wrapping::Zstd => {
                wrappings.push("zstd");
                let mut decoder = zstd::stream::read::Decoder::new(whole)?;
                decoder.window_log_max(limits.dictionary.max(1 << 10).ilog2())?;
                Box::new(decoder)
            }
            Wrapping::Xz => {
                wrappings.push("xz");
                let kilobytes = u32::try_from(limits.dictionary >> 10).unwrap_or(u32::MAX);
                // What the decoder needs besides the dictionary.
                let beside = 1 << 10;
                Box::new(XzReader::new_mem_limit(whole, true, kilobytes.saturating_add(beside)))
            }
            Wrapping::Bzip2 => {
                wrappings.push("bzip2");
                Box::new(MultiBzDecoder::new(whole))
            }
            Wrapping::Utf16 { big_endian } => {
                wrappings.push("utf-16");
                Box::new(Utf16Reader::new(whole, big_endian))
            }
        };
        reader = Box::new(Limited { inner, given: 0, limits, raw: Some(hash.clone()) });
        limits = limits.inside();
    }
}

fn look_ahead(reader: &mut dyn Read, head: &mut Vec<u8>) -> Option<io::Error> {
    let mut buffer = [0; 16 << 10];
    while head.len() < SNIFF_BYTES {
        match reader.read(&mut buffer) {
            Ok(0) => return None,
            Ok(count) => head.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Some(error),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn opened(bytes: &[u8]) -> (Opened<'static>, Input, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        std::fs::write(&path, bytes).unwrap();
        let input = Input::File(path);
        (open(&input, &SizeLimits::default()).unwrap(), input, folder)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn compressions_are_taken_away_whatever_the_name() {
        let text = b"{\"a\":1}";
        let zstd = zstd::encode_all(&text[..], 1).unwrap();
        let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bzip2.write_all(text).unwrap();
        let bzip2 = bzip2.finish().unwrap();
        for (bytes, wrappings) in [
            (text.to_vec(), vec![]),
            (gzip(text), vec!["gzip"]),
            (zstd, vec!["zstd"]),
            (gzip(&gzip(text)), vec!["gzip", "gzip"]),
            (bzip2.clone(), vec!["bzip2"]),
            (gzip(&bzip2), vec!["gzip", "bzip2"]),
            (XZ.to_vec(), vec!["xz"]),
        ] {
            let (mut file, input, _folder) = opened(&bytes);
            let mut read = Vec::new();
            file.reader.read_to_end(&mut read).unwrap();
            assert_eq!((read.as_slice(), file.content, file.wrappings), (&text[..], Content::Json, wrappings));
            assert_eq!(file.hash.finish(&input), hex(&Sha256::digest(&bytes)));
        }
    }

    /// `{"a":1}`.
    const XZ: &[u8] = &[
        0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00, 0x00, 0x04, 0xE6, 0xD6, 0xB4, 0x46, 0x02, 0x00, 0x21, 0x01, 0x16, 0x00,
        0x00, 0x00, 0x74, 0x2F, 0xE5, 0xA3, 0x01, 0x00, 0x06, 0x7B, 0x22, 0x61, 0x22, 0x3A, 0x31, 0x7D, 0x00, 0x00,
        0x74, 0x93, 0x19, 0xB1, 0x97, 0x7E, 0x1F, 0xAD, 0x00, 0x01, 0x1F, 0x07, 0x16, 0x2E, 0xB8, 0x73, 0x1F, 0xB6,
        0xF3, 0x7D, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5A,
    ];

    #[test]
    fn a_dictionary_beyond_the_limit_is_refused() {
        let inner = SizeLimits { dictionary: 1 << 20, ..SizeLimits::default() };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, XZ).unwrap();
        let read = |limits: &SizeLimits| {
            let mut text = String::new();
            open(&Input::File(path.clone()), limits)
                .and_then(|mut file| file.reader.read_to_string(&mut text))
                .map(|_| text)
        };
        assert_eq!(read(&SizeLimits::default()).unwrap(), "{\"a\":1}");
        assert!(read(&inner).unwrap_err().to_string().contains("mem_limit"), "the file asks for 8 MB");
        let mut long = zstd::Encoder::new(Vec::new(), 1).unwrap();
        long.window_log(24).unwrap();
        long.write_all(&vec![b' '; 20 << 20]).unwrap();
        std::fs::write(&path, long.finish().unwrap()).unwrap();
        assert!(read(&SizeLimits::default()).is_ok());
        assert!(read(&inner).is_err());
    }

    #[test]
    fn a_torn_gzip_gives_what_it_holds_and_then_an_error() {
        let text = "{\"a\":\"0123456789\"}\n".repeat(5000);
        let bytes = gzip(text.as_bytes());
        let (mut file, input, _folder) = opened(&bytes[..bytes.len() / 2]);
        let mut read = Vec::new();
        assert!(file.reader.read_to_end(&mut read).is_err());
        assert!(!read.is_empty() && text.as_bytes().starts_with(&read));
        assert_eq!(file.hash.finish(&input), hex(&Sha256::digest(&bytes[..bytes.len() / 2])));
    }

    #[test]
    fn inflated_bytes_are_limited() {
        let bytes = gzip(&vec![b' '; 1 << 20]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bomb");
        std::fs::write(&path, bytes).unwrap();
        let limits = SizeLimits { source_bytes: 100_000, ..SizeLimits::default() };
        let mut file = open(&Input::File(path), &limits).unwrap();
        let error = io::copy(&mut file.reader, &mut io::sink()).unwrap_err();
        assert_eq!(error.to_string(), "more than 100000 bytes after inflating");
    }

    #[test]
    fn what_inflates_beyond_measure_is_stopped() {
        let once = gzip(&vec![b' '; 8 << 20]);
        let limits = SizeLimits { inflated_free: 1 << 20, inflation: 100, ..SizeLimits::default() };
        for bytes in [once.clone(), gzip(&once), zstd::encode_all(&vec![b' '; 8 << 20][..], 1).unwrap()] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("bomb");
            std::fs::write(&path, bytes).unwrap();
            let error = match open(&Input::File(path), &limits) {
                Ok(mut file) => io::copy(&mut file.reader, &mut io::sink()).unwrap_err(),
                Err(error) => error,
            };
            assert_eq!(error.to_string(), "more than 100 times its size after inflating");
        }
    }
}

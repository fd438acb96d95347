//! Hashes.
//!
//! xxHash64 takes the bytes of a value (text as UTF-8, numbers and times little-endian); MD5, SHA-1 and SHA-256 take the text
//! that `tostring` prints: `hash_md5(datetime(2020-01-01))` is that of `2020-01-01T00:00:00.0000000Z`.

use md5::Digest;
use twox_hash::XxHash64;

use super::printed::Printed;
use super::{Args, KernelResult};

/// `hash(source [, mod])`, `hash_xxhash64(source [, mod])`
pub fn xxhash64(args: &Args<'_>) -> KernelResult {
    let source = args.printed(0)?;
    let modulus = if args.count() > 1 { Some(args.long(1)?) } else { None };
    let mut buffer = String::new();
    args.to_longs(|row| {
        let hash = bits(&source, row, &mut buffer);
        match &modulus {
            None => Some(hash as i64),
            Some(modulus) => {
                let modulus = u64::try_from(modulus.opt(row)?).ok().filter(|modulus| *modulus > 0)?;
                Some((hash % modulus) as i64)
            }
        }
    })
}

fn bits(source: &Printed<'_>, row: usize, buffer: &mut String) -> u64 {
    let number = match source {
        Printed::Long(values) | Printed::DateTime(values) | Printed::TimeSpan(values) => {
            values.opt(row).map(i64::to_le_bytes)
        }
        Printed::Int(values) => values.opt(row).map(|value| i64::from(value).to_le_bytes()),
        Printed::Real(values) => values.opt(row).map(f64::to_le_bytes),
        Printed::Bool(values) => return values.opt(row).map_or(0, |value| XxHash64::oneshot(0, &[u8::from(value)])),
        _ => return XxHash64::oneshot(0, source.at(row, buffer).as_bytes()),
    };
    number.map_or(0, |bytes| XxHash64::oneshot(0, &bytes))
}

/// `hash_combine(h1, h2, ...)`: our own combination of hashes; the service's is not published. A null counts as zero.
pub fn combine(args: &Args<'_>) -> KernelResult {
    let hashes = (0..args.count()).map(|index| args.long(index)).collect::<Result<Vec<_>, _>>()?;
    args.to_longs(|row| Some(combined(hashes.iter().map(|hash| hash.opt(row).unwrap_or(0) as u64))))
}

/// `hash_many(s1, s2, ...)`: `hash_combine` of the hashes.
pub fn many(args: &Args<'_>) -> KernelResult {
    let sources = (0..args.count()).map(|index| args.printed(index)).collect::<Result<Vec<_>, _>>()?;
    let mut buffer = String::new();
    args.to_longs(|row| Some(combined(sources.iter().map(|source| bits(source, row, &mut buffer)))))
}

/// xxHash64 of hashes one after another.
fn combined(hashes: impl Iterator<Item = u64>) -> i64 {
    let bytes: Vec<u8> = hashes.flat_map(u64::to_le_bytes).collect();
    XxHash64::oneshot(0, &bytes) as i64
}

/// `hash_md5(source)`
pub fn md5(args: &Args<'_>) -> KernelResult {
    digest::<md5::Md5>(args)
}

/// `hash_sha1(source)`
pub fn sha1(args: &Args<'_>) -> KernelResult {
    digest::<sha1::Sha1>(args)
}

/// `hash_sha256(source)`
pub fn sha256(args: &Args<'_>) -> KernelResult {
    digest::<sha2::Sha256>(args)
}

fn digest<D: Digest>(args: &Args<'_>) -> KernelResult {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let source = args.printed(0)?;
    let mut buffer = String::new();
    args.to_texts(|row, out| {
        for byte in D::digest(source.at(row, &mut buffer).as_bytes()) {
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use kql_types::{ScalarType, datetime};

    #[test]
    fn known_hashes() {
        let hash = |cells: &[Cell]| call(xxhash64, cells, ScalarType::Long);
        assert_eq!(hash(&["World".into()]), Cell::Long(1_846_988_464_401_551_951));
        assert_eq!(hash(&["World".into(), 100.into()]), Cell::Long(51));
        let day = Cell::DateTime(datetime::parse("2015-01-01").unwrap());
        assert_eq!(hash(&[day]), Cell::Long(1_380_966_698_541_616_202));
        assert_eq!(hash(&["a".into(), 0.into()]), Cell::Null);
        let combined = |kernel, cells: &[Cell]| call(kernel, cells, ScalarType::Long);
        let (hello, world) = (hash(&["Hello".into()]), hash(&["World".into()]));
        let both = combined(many, &["Hello".into(), "World".into()]);
        assert_eq!(combined(combine, &[hello.clone(), world.clone()]), both);
        assert_ne!(combined(combine, &[world, hello]), both, "the order matters");
        let text = |kernel, cell: Cell| call(kernel, &[cell], ScalarType::String);
        assert_eq!(text(md5, "".into()), Cell::Text("d41d8cd98f00b204e9800998ecf8427e".into()));
        assert_eq!(text(sha1, "abc".into()), Cell::Text("a9993e364706816aba3e25717850c26c9cd0d89d".into()));
        let year = Cell::DateTime(datetime::parse("2020-01-01").unwrap());
        assert_eq!(text(md5, year), Cell::Text("786c530672d1f8db31fee25ea8a9390b".into()));
    }
}

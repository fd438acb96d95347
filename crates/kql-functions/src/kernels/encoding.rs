//! Encodings of text and bytes: URL, Base64, compression, code points, Punycode.

use std::fmt::Write as _;
use std::io::{Read, Write as _};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kql_types::Dynamic;

use super::access::Rewrite;
use super::{Args, KernelResult, punycode};

/// Bytes that a packed text may unfold to; more counts as damaged.
const UNPACKED_BYTES_MAX: u64 = 64 << 20;
/// Texts up to this length are stored, not packed: packing would not pay.
const STORED_BYTES_MAX: usize = 51;

/// `url_encode(url)`: a blank is `+`.
pub fn url_encode(args: &Args<'_>) -> KernelResult {
    percent_encode(args, "+")
}

/// `url_encode_component(url)`: a blank is `%20`.
pub fn url_encode_component(args: &Args<'_>) -> KernelResult {
    percent_encode(args, "%20")
}

fn percent_encode(args: &Args<'_>, blank: &str) -> KernelResult {
    let source = args.text(0)?;
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!*()".contains(&byte);
    args.to_rewrites(&source, |_, text, out| {
        if text.bytes().all(safe) {
            return Rewrite::Part(text);
        }
        for byte in text.bytes() {
            match byte {
                b' ' => out.push_str(blank),
                byte if safe(byte) => out.push(char::from(byte)),
                byte => {
                    let _ = write!(out, "%{byte:02x}");
                }
            }
        }
        Rewrite::Written
    })
}

/// `url_decode(text)`
pub fn url_decode(args: &Args<'_>) -> KernelResult {
    let source = args.text(0)?;
    let mut bytes = Vec::new();
    args.to_rewrites(&source, |_, text, out| {
        if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
            return Rewrite::Part(text);
        }
        bytes.clear();
        percent_decode(text, &mut bytes);
        out.push_str(&String::from_utf8_lossy(&bytes));
        Rewrite::Written
    })
}

/// Decodes `%xx` and `+`; a `%` without two digits stays.
fn percent_decode(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = |at: usize| after.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        (rest, _) = match (first, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => (after.get(2..).unwrap_or_default(), out.push((high * 16 + low) as u8)),
            (b'+', ..) => (after, out.push(b' ')),
            _ => (after, out.push(*first)),
        };
    }
}

/// `base64_encode_tostring(text)`
pub fn base64_encode(args: &Args<'_>) -> KernelResult {
    let source = args.text(0)?;
    args.to_texts(|row, out| STANDARD.encode_string(source.at(row), out))
}

/// `base64_decode_tostring(text)`
pub fn base64_decode(args: &Args<'_>) -> KernelResult {
    decoded(args, Some)
}

/// Decodes Base64, transforms the bytes and gives them as text; `""` where a step fails.
fn decoded(args: &Args<'_>, transform: impl Fn(Vec<u8>) -> Option<Vec<u8>>) -> KernelResult {
    let source = args.text(0)?;
    args.to_texts(|row, out| {
        let bytes = STANDARD.decode(source.at(row)).ok().and_then(&transform);
        if let Some(text) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
            out.push_str(&text);
        }
    })
}

/// `base64_decode_toarray(text)`
pub fn base64_decode_toarray(args: &Args<'_>) -> KernelResult {
    let source = args.text(0)?;
    args.to_dynamics(|row, out| {
        let bytes = STANDARD.decode(source.at(row)).ok()?;
        push_numbers(bytes.into_iter().map(u32::from), out);
        Some(())
    })
}

fn push_numbers(numbers: impl Iterator<Item = u32>, out: &mut String) {
    out.push('[');
    for (index, number) in numbers.enumerate() {
        let _ = write!(out, "{}{number}", if index > 0 { "," } else { "" });
    }
    out.push(']');
}

/// `base64_encode_fromarray(array)`
pub fn base64_encode_fromarray(args: &Args<'_>) -> KernelResult {
    let source = args.text(0)?;
    args.to_texts(|row, out| {
        let Some(Dynamic::Array(items)) = source.opt(row).and_then(Dynamic::parse) else { return };
        let byte = |item: &Dynamic| if let Dynamic::Long(number) = item { u8::try_from(*number).ok() } else { None };
        if let Some(bytes) = items.iter().map(byte).collect::<Option<Vec<u8>>>() {
            STANDARD.encode_string(bytes, out);
        }
    })
}

/// The order of a guid's bytes in memory: the first three groups are little-endian.
const GUID_ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

/// `base64_decode_toguid(text)`
pub fn base64_decode_toguid(args: &Args<'_>) -> KernelResult {
    let source = args.text(0)?;
    args.to_dynamics(|row, out| {
        let bytes: [u8; 16] = STANDARD.decode(source.at(row)).ok()?.try_into().ok()?;
        for (index, at) in GUID_ORDER.into_iter().enumerate() {
            let _ = write!(out, "{}{:02x}", if matches!(index, 4 | 6 | 8 | 10) { "-" } else { "" }, bytes[at]);
        }
        Some(())
    })
}

/// `base64_encode_fromguid(guid)`
pub fn base64_encode_fromguid(args: &Args<'_>) -> KernelResult {
    let source = args.text(0)?;
    args.to_texts(|row, out| {
        let digits: Vec<u8> = source.at(row).chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
        if let Ok(digits) = <[u8; 32]>::try_from(digits) {
            let bytes = GUID_ORDER.map(|at| digits[2 * at] << 4 | digits[2 * at + 1]);
            STANDARD.encode_string(bytes, out);
        }
    })
}

/// `zlib_decompress_from_base64_string(text)`
pub fn zlib_decompress(args: &Args<'_>) -> KernelResult {
    decoded(args, |bytes| unpacked(flate2::read::ZlibDecoder::new(bytes.as_slice())))
}

/// `gzip_decompress_from_base64_string(text)`
pub fn gzip_decompress(args: &Args<'_>) -> KernelResult {
    decoded(args, |bytes| unpacked(flate2::read::GzDecoder::new(bytes.as_slice())))
}

fn unpacked(reader: impl Read) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    reader.take(UNPACKED_BYTES_MAX + 1).read_to_end(&mut out).ok()?;
    (out.len() as u64 <= UNPACKED_BYTES_MAX).then_some(out)
}

fn level(text: &str) -> flate2::Compression {
    if text.len() <= STORED_BYTES_MAX { flate2::Compression::none() } else { flate2::Compression::default() }
}

/// `zlib_compress_to_base64_string(text)`
pub fn zlib_compress(args: &Args<'_>) -> KernelResult {
    let source = args.text(0)?;
    args.to_texts(|row, out| {
        let text = source.at(row);
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level(text));
        if let Ok(packed) = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()) {
            STANDARD.encode_string(packed, out);
        }
    })
}

/// `gzip_compress_to_base64_string(text)`
pub fn gzip_compress(args: &Args<'_>) -> KernelResult {
    let source = args.text(0)?;
    args.to_texts(|row, out| {
        let text = source.at(row);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level(text));
        if let Ok(mut packed) = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()) {
            // Kusto does not say how hard it packed.
            if let Some(effort) = packed.get_mut(8) {
                *effort = 0;
            }
            STANDARD.encode_string(packed, out);
        }
    })
}

/// `unicode_codepoints_from_string(text)`
pub fn codepoints_from_string(args: &Args<'_>) -> KernelResult {
    let source = args.text(0)?;
    args.to_dynamics(|row, out| {
        push_numbers(source.at(row).chars().map(u32::from), out);
        Some(())
    })
}

/// `unicode_codepoints_to_string(codepoints...)`
pub fn codepoints_to_string(args: &Args<'_>) -> KernelResult {
    let lists = args.text_lists(0)?;
    let mut numbers = Vec::new();
    args.to_texts(|row, out| {
        numbers.clear();
        lists.iter().for_each(|list| list.gather(row, &mut numbers));
        out.extend(numbers.iter().filter_map(|number| char::from_u32(number.parse().ok()?)));
    })
}

/// `punycode_from_string(text)`
pub fn punycode_from_string(args: &Args<'_>) -> KernelResult {
    let source = args.text(0)?;
    args.to_texts(|row, out| out.push_str(&punycode::encode(source.at(row)).unwrap_or_default()))
}

/// `punycode_to_string(text)`
pub fn punycode_to_string(args: &Args<'_>) -> KernelResult {
    let source = args.text(0)?;
    args.to_texts(|row, out| out.push_str(&punycode::decode(source.at(row)).unwrap_or_default()))
}

/// `punycode_domain_from_string(domain)`
pub fn punycode_domain_from_string(args: &Args<'_>) -> KernelResult {
    by_label(args, |label| {
        if label.is_ascii() { Some(label.to_owned()) } else { Some(format!("xn--{}", punycode::encode(label)?)) }
    })
}

/// `punycode_domain_to_string(domain)`
pub fn punycode_domain_to_string(args: &Args<'_>) -> KernelResult {
    by_label(args, |label| match label.strip_prefix("xn--") {
        Some(encoded) => punycode::decode(encoded),
        None => Some(label.to_owned()),
    })
}

fn by_label(args: &Args<'_>, convert: impl Fn(&str) -> Option<String>) -> KernelResult {
    let source = args.text(0)?;
    args.to_texts(|row, out| {
        if let Some(labels) = source.at(row).split('.').map(&convert).collect::<Option<Vec<String>>>() {
            out.push_str(&labels.join("."));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::KernelFn;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType;
    use proptest::prelude::*;

    fn text(kernel: KernelFn, arg: impl Into<Cell>) -> String {
        match call(kernel, &[arg.into()], ScalarType::String) {
            Cell::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn urls() {
        assert_eq!(text(url_encode, "https://a.b/c d"), "https%3a%2f%2fa.b%2fc+d");
        assert_eq!(text(url_encode_component, "ż "), "%c5%bc%20");
        assert_eq!(text(url_decode, "a+b%2Fc%c5%bc%"), "a b/cż%");
    }

    #[test]
    fn base64_is_strict() {
        assert_eq!(text(base64_decode, "VGlkZQ=="), "Tide");
        assert_eq!(text(base64_decode, "VGlkZQ"), "", "padding is required");
        assert_eq!(text(base64_decode, "U3RyaW5n0KHR0tGA0L7Rh9C60LA="), "", "not UTF-8");
        assert_eq!(text(base64_encode_fromarray, Cell::dynamic("[84,105]")), "VGk=");
        assert_eq!(text(base64_encode_fromarray, Cell::dynamic("[84,256]")), "");
        assert_eq!(text(base64_encode_fromarray, Cell::Dynamic(None)), "");
    }

    #[test]
    fn guids_change_their_byte_order() {
        let guid = "ae3133f2-6e22-49ae-b06a-16e6a9b212eb";
        assert_eq!(text(base64_encode_fromguid, Cell::Guid(guid.into())), "8jMxriJurkmwahbmqbIS6w==");
        let back = call(base64_decode_toguid, &["8jMxriJurkmwahbmqbIS6w==".into()], ScalarType::Guid);
        assert_eq!(back, Cell::Text(guid.into()));
        assert_eq!(call(base64_decode_toguid, &["8jMx".into()], ScalarType::Guid), Cell::Null);
    }

    #[test]
    fn packed_text() {
        assert_eq!(text(zlib_decompress, "eJwLSS0uUSguKcrMS1cwNDIGACxqBQ4="), "Test string 123");
        assert_eq!(text(zlib_decompress, "x0x0x0"), "");
        assert_eq!(
            text(gzip_compress, "1234567890qwertyuiop"),
            "H4sIAAAAAAAA/wEUAOv/MTIzNDU2Nzg5MHF3ZXJ0eXVpb3A6m7f2FAAAAA=="
        );
    }

    #[test]
    fn domains() {
        assert_eq!(text(punycode_domain_from_string, "艺术.com"), "xn--cqv902d.com");
        assert_eq!(text(punycode_domain_to_string, "www.xn--cqv902d.com"), "www.艺术.com");
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes(s in "\\PC{0,40}") {
            prop_assert_eq!(text(url_decode, text(url_encode, s.as_str()).as_str()), s.clone());
            prop_assert_eq!(text(base64_decode, text(base64_encode, s.as_str()).as_str()), s.clone());
            prop_assert_eq!(text(zlib_decompress, text(zlib_compress, s.as_str()).as_str()), s.clone());
            prop_assert_eq!(text(gzip_decompress, text(gzip_compress, s.as_str()).as_str()), s.clone());
            prop_assert_eq!(text(punycode_to_string, text(punycode_from_string, s.as_str()).as_str()), s.clone());
        }
    }
}

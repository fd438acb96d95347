//! Encodings of text and bytes: URL, Base64, compression, code points, Punycode.
//!
//! What cannot be decoded gives `""`, or null for other types.

use kql_types::ResultName;
use kql_types::ScalarType::{Dynamic, Guid, String};

use crate::entry::{Entry, Function, any, dynamic, ex, guid, string, takes};
use crate::kernel;

/// A function from a string to a string.
macro_rules! text_to_text {
    ($name:literal, $summary:literal, $details:literal, $query:literal, $result:literal, $kernel:ident) => {
        Function::new(Entry {
            name: $name,
            summary: $summary,
            details: $details,
            overloads: &[takes(&[string("text")], String)],
            result_name: ResultName::None,
            examples: &[ex($query, $result)],
            kernel: kernel!(crate::kernels::encoding::$kernel),
        })
    };
}

pub static FAMILY: &[Function] = &[
    text_to_text!(
        "url_encode",
        "Encodes text for a URL, blanks as `+`.",
        "Letters, digits and `-_.!*()` stay; hexadecimal digits are lower case.",
        "print s = url_encode('a b/c')",
        "s:string\n\"a+b%2fc\"",
        url_encode
    ),
    text_to_text!(
        "url_encode_component",
        "Encodes text for a part of a URL, blanks as `%20`.",
        "As `url_encode` but for blanks.",
        "print s = url_encode_component('a b')",
        "s:string\n\"a%20b\"",
        url_encode_component
    ),
    text_to_text!(
        "url_decode",
        "Decodes `%` sequences and `+`.",
        "",
        "print s = url_decode('a%20b%2fc')",
        "s:string\n\"a b/c\"",
        url_decode
    ),
    text_to_text!(
        "base64_encode_tostring",
        "Encodes text in Base64.",
        "",
        "print s = base64_encode_tostring('Tide')",
        "s:string\n\"VGlkZQ==\"",
        base64_encode
    ),
    text_to_text!(
        "base64_encodestring",
        "Encodes text in Base64: the old name of `base64_encode_tostring`.",
        "",
        "print s = base64_encodestring('Tide')",
        "s:string\n\"VGlkZQ==\"",
        base64_encode
    )
    .obsolete("base64_encode_tostring"),
    text_to_text!(
        "base64_decode_tostring",
        "Decodes Base64 to text.",
        "What is not Base64, or not UTF-8 after decoding, gives `\"\"`.",
        "print s = base64_decode_tostring('VGlkZQ==')",
        "s:string\n\"Tide\"",
        base64_decode
    ),
    text_to_text!(
        "base64_decodestring",
        "Decodes Base64 to text: the old name of `base64_decode_tostring`.",
        "",
        "print s = base64_decodestring('VGlkZQ==')",
        "s:string\n\"Tide\"",
        base64_decode
    )
    .obsolete("base64_decode_tostring"),
    Function::new(Entry {
        name: "base64_decode_toarray",
        summary: "Decodes Base64 to a dynamic array of bytes.",
        details: "",
        overloads: &[takes(&[string("text")], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("print a = base64_decode_toarray('VGk=')", "a:dynamic\n[84,105]")],
        kernel: kernel!(crate::kernels::encoding::base64_decode_toarray),
    }),
    Function::new(Entry {
        name: "base64_encode_fromarray",
        summary: "Encodes a dynamic array of bytes in Base64.",
        details: "What is no array of numbers from 0 to 255 gives `\"\"`.",
        overloads: &[takes(&[dynamic("array")], String)],
        result_name: ResultName::None,
        examples: &[ex("print s = base64_encode_fromarray(dynamic([84, 105]))", "s:string\n\"VGk=\"")],
        kernel: kernel!(crate::kernels::encoding::base64_encode_fromarray),
    }),
    Function::new(Entry {
        name: "base64_decode_toguid",
        summary: "Decodes Base64 of 16 bytes to a guid.",
        details: "",
        overloads: &[takes(&[string("text")], Guid)],
        result_name: ResultName::None,
        examples: &[ex(
            "print g = base64_decode_toguid('8jMxriJurkmwahbmqbIS6w==')",
            "g:guid\nae3133f2-6e22-49ae-b06a-16e6a9b212eb",
        )],
        kernel: kernel!(crate::kernels::encoding::base64_decode_toguid),
    }),
    Function::new(Entry {
        name: "base64_encode_fromguid",
        summary: "Encodes the 16 bytes of a guid in Base64.",
        details: "",
        overloads: &[takes(&[guid("guid")], String)],
        result_name: ResultName::None,
        examples: &[ex(
            "print s = base64_encode_fromguid(toguid('ae3133f2-6e22-49ae-b06a-16e6a9b212eb'))",
            "s:string\n\"8jMxriJurkmwahbmqbIS6w==\"",
        )],
        kernel: kernel!(crate::kernels::encoding::base64_encode_fromguid),
    }),
    text_to_text!(
        "zlib_decompress_from_base64_string",
        "Decodes Base64 and unpacks it with zlib.",
        "",
        "print s = zlib_decompress_from_base64_string('eJwLSS0uUSguKcrMS1cwNDIGACxqBQ4=')",
        "s:string\n\"Test string 123\"",
        zlib_decompress
    ),
    text_to_text!(
        "zlib_compress_to_base64_string",
        "Packs text with zlib and encodes it in Base64.",
        "Short text is stored as it is, so that the result is the same everywhere.",
        "print s = zlib_decompress_from_base64_string(zlib_compress_to_base64_string('abc'))",
        "s:string\n\"abc\"",
        zlib_compress
    ),
    text_to_text!(
        "gzip_decompress_from_base64_string",
        "Decodes Base64 and unpacks it with gzip.",
        "",
        "print s = gzip_decompress_from_base64_string('H4sIAAAAAAAA/wEUAOv/MTIzNDU2Nzg5MHF3ZXJ0eXVpb3A6m7f2FAAAAA==')",
        "s:string\n\"1234567890qwertyuiop\"",
        gzip_decompress
    ),
    text_to_text!(
        "gzip_compress_to_base64_string",
        "Packs text with gzip and encodes it in Base64.",
        "",
        "print s = gzip_decompress_from_base64_string(gzip_compress_to_base64_string('abc'))",
        "s:string\n\"abc\"",
        gzip_compress
    ),
    Function::new(Entry {
        name: "unicode_codepoints_from_string",
        summary: "Lists the code points of a string.",
        details: "",
        overloads: &[takes(&[string("text")], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("print a = unicode_codepoints_from_string('ża')", "a:dynamic\n[380,97]")],
        kernel: kernel!(crate::kernels::encoding::codepoints_from_string),
    }),
    Function::new(Entry {
        name: "to_utf8",
        summary: "Lists the code points of a string: the old name of `unicode_codepoints_from_string`.",
        details: "",
        overloads: &[takes(&[string("text")], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("print a = to_utf8('ab')", "a:dynamic\n[97,98]")],
        kernel: kernel!(crate::kernels::encoding::codepoints_from_string),
    })
    .obsolete("unicode_codepoints_from_string"),
    Function::new(Entry {
        name: "unicode_codepoints_to_string",
        summary: "Makes a string of code points, given one by one or as dynamic arrays.",
        details: "",
        overloads: &[takes(&[any("codepoint"), any("codepoint").repeat()], String)],
        result_name: ResultName::None,
        examples: &[ex("print s = unicode_codepoints_to_string(75, dynamic([81, 76]))", "s:string\n\"KQL\"")],
        kernel: kernel!(crate::kernels::encoding::codepoints_to_string),
    }),
    Function::new(Entry {
        name: "make_string",
        summary: "Makes a string of code points: the old name of `unicode_codepoints_to_string`.",
        details: "",
        overloads: &[takes(&[any("codepoint"), any("codepoint").repeat()], String)],
        result_name: ResultName::None,
        examples: &[ex("print s = make_string(dynamic([75, 81, 76]))", "s:string\n\"KQL\"")],
        kernel: kernel!(crate::kernels::encoding::codepoints_to_string),
    })
    .obsolete("unicode_codepoints_to_string"),
    text_to_text!(
        "punycode_from_string",
        "Encodes text in Punycode, without the prefix `xn--`.",
        "",
        "print s = punycode_from_string('bücher')",
        "s:string\n\"bcher-kva\"",
        punycode_from_string
    ),
    text_to_text!(
        "punycode_to_string",
        "Decodes Punycode, without the prefix `xn--`.",
        "",
        "print s = punycode_to_string('bcher-kva')",
        "s:string\n\"bücher\"",
        punycode_to_string
    ),
    text_to_text!(
        "punycode_domain_from_string",
        "Encodes an internationalised domain name: each label that needs it gets `xn--` and Punycode.",
        "",
        "print s = punycode_domain_from_string('bücher.example')",
        "s:string\n\"xn--bcher-kva.example\"",
        punycode_domain_from_string
    ),
    text_to_text!(
        "punycode_domain_to_string",
        "Decodes the labels with `xn--` of a domain name.",
        "",
        "print s = punycode_domain_to_string('xn--bcher-kva.example')",
        "s:string\n\"bücher.example\"",
        punycode_domain_to_string
    ),
];

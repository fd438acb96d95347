//! guid: kept as lower-case text with hyphens.

/// Reads a guid with or without hyphens, braces or parentheses, in any case.
pub fn parse(text: &str) -> Option<String> {
    let text = text.trim();
    let inner = match (text.as_bytes().first()?, text.as_bytes().last()?) {
        (b'{', b'}') | (b'(', b')') => text.get(1..text.len() - 1)?,
        _ => text,
    };
    let hyphenated = match inner.len() {
        36 => true,
        32 => false,
        _ => return None,
    };
    let mut out = String::with_capacity(36);
    for (index, byte) in inner.bytes().enumerate() {
        if hyphenated && matches!(index, 8 | 13 | 18 | 23) {
            if byte != b'-' {
                return None;
            }
            continue;
        }
        if !byte.is_ascii_hexdigit() {
            return None;
        }
        if matches!(out.len(), 8 | 13 | 18 | 23) {
            out.push('-');
        }
        out.push(char::from(byte.to_ascii_lowercase()));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::parse;
    use proptest::prelude::*;

    #[test]
    fn forms() {
        let expected = Some("0f8fad5b-d9cb-469f-a165-70867728950e".to_owned());
        for text in [
            "0f8fad5b-d9cb-469f-a165-70867728950e",
            "0F8FAD5BD9CB469FA16570867728950E",
            "{0F8FAD5B-D9CB-469F-A165-70867728950E}",
            " (0f8fad5b-d9cb-469f-a165-70867728950e) ",
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        for text in
            ["", "{", "xyz", "0f8fad5b-d9cb-469f-a165-70867728950", "0f8fad5bxd9cb-469f-a165-70867728950e", "{}"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_reads_the_same(text in "[0-9a-fA-F]{32}") {
            let once = parse(&text);
            prop_assert_eq!(once.as_deref().and_then(parse), once);
        }

        #[test]
        fn any_text_is_safe(text in ".{0,40}") {
            let _ = parse(&text);
        }
    }
}

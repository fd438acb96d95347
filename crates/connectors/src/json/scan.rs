//! One strict pass over a JSON value: where it ends, and where the members of an object lie.
//!
//! The grammar is RFC 8259's, with a limit on depth. UTF-8 is not checked here (a record is checked as a whole). Nothing
//! recurses, so no depth of input can overflow the stack.

use std::ops::Range;

/// One member of an object, as byte ranges of the text it was found in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// Between the quotes.
    pub(crate) key: Range<usize>,
    pub(crate) value: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScanError {
    /// The text ends inside the value.
    Incomplete,
    Invalid {
        at: usize,
        what: &'static str,
    },
    TooDeep {
        at: usize,
    },
}

fn invalid(at: usize, what: &'static str) -> ScanError {
    ScanError::Invalid { at, what }
}

/// Skips spaces, tabs and line ends.
pub(crate) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\t' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The index of the first quote, backslash or control character at or after `at`; the length if there is none.
fn next_special(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..at + 8) {
        let word = u64::from_le_bytes(chunk.try_into().unwrap_or([0; 8]));
        let quote = word ^ (ONES * 0x22);
        let slash = word ^ (ONES * 0x5C);
        let found = (quote.wrapping_sub(ONES) & !quote)
            | (slash.wrapping_sub(ONES) & !slash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let found = found & HIGH;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' || byte == b'\\' || byte < 0x20 {
            return at;
        }
        at += 1;
    }
    at
}

/// From the byte after the opening quote to the byte after the closing one.
fn skip_string(bytes: &[u8], mut at: usize) -> Result<usize, ScanError> {
    loop {
        at = next_special(bytes, at);
        match bytes.get(at) {
            None => return Err(ScanError::Incomplete),
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => match bytes.get(at + 1) {
                None => return Err(ScanError::Incomplete),
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => at += 2,
                Some(b'u') => {
                    for digit in at + 2..at + 6 {
                        match bytes.get(digit) {
                            None => return Err(ScanError::Incomplete),
                            Some(byte) if byte.is_ascii_hexdigit() => {}
                            Some(_) => return Err(invalid(digit, "bad \\u escape")),
                        }
                    }
                    at += 6;
                }
                Some(_) => return Err(invalid(at, "bad escape")),
            },
            Some(_) => return Err(invalid(at, "control character in a string")),
        }
    }
}

fn skip_digits(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

/// A number; one that touches the end of the text is complete only for a caller that knows the text is.
fn skip_number(bytes: &[u8], start: usize) -> Result<usize, ScanError> {
    let mut at = start;
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    match bytes.get(at) {
        None => return Err(ScanError::Incomplete),
        Some(b'0') => at += 1,
        Some(b'1'..=b'9') => at = skip_digits(bytes, at),
        Some(_) => return Err(invalid(at, "bad number")),
    }
    if bytes.get(at) == Some(&b'.') {
        let from = at + 1;
        at = skip_digits(bytes, from);
        if at == from {
            return Err(if at == bytes.len() { ScanError::Incomplete } else { invalid(at, "bad number") });
        }
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        let from = at;
        at = skip_digits(bytes, from);
        if at == from {
            return Err(if at == bytes.len() { ScanError::Incomplete } else { invalid(at, "bad number") });
        }
    }
    Ok(at)
}

fn skip_word(bytes: &[u8], at: usize, word: &'static [u8]) -> Result<usize, ScanError> {
    for (index, expected) in word.iter().enumerate() {
        match bytes.get(at + index) {
            None => return Err(ScanError::Incomplete),
            Some(byte) if byte == expected => {}
            Some(_) => return Err(invalid(at, "not a JSON value")),
        }
    }
    Ok(at + word.len())
}

fn skip_scalar(bytes: &[u8], at: usize) -> Result<usize, ScanError> {
    match bytes.get(at) {
        None => Err(ScanError::Incomplete),
        Some(b'"') => skip_string(bytes, at + 1),
        Some(b't') => skip_word(bytes, at, b"true"),
        Some(b'f') => skip_word(bytes, at, b"false"),
        Some(b'n') => skip_word(bytes, at, b"null"),
        Some(b'-' | b'0'..=b'9') => skip_number(bytes, at),
        Some(_) => Err(invalid(at, "not a JSON value")),
    }
}

/// A key with its colon, from its opening quote: the key's range and the start of the value.
fn key(bytes: &[u8], at: usize) -> Result<(Range<usize>, usize), ScanError> {
    match bytes.get(at) {
        None => return Err(ScanError::Incomplete),
        Some(b'"') => {}
        Some(_) => return Err(invalid(at, "expected a name in quotes")),
    }
    let end = skip_string(bytes, at + 1)?;
    let colon = skip_space(bytes, end);
    match bytes.get(colon) {
        None => Err(ScanError::Incomplete),
        Some(b':') => Ok((at + 1..end - 1, skip_space(bytes, colon + 1))),
        Some(_) => Err(invalid(colon, "expected a colon")),
    }
}

/// The end of the value that starts at `at`, which may be an object or a list, nested at most `depth_max` deep.
pub(crate) fn skip_value(bytes: &[u8], start: usize, depth_max: usize) -> Result<usize, ScanError> {
    // One bit a level: set for an object. Depth is small nearly always; the vector is made only for deep values.
    let mut levels: u64 = 0;
    let mut deep: Vec<u64> = Vec::new();
    let mut depth = 0_usize;
    let mut at = start;
    loop {
        match bytes.get(at) {
            Some(&open @ (b'{' | b'[')) => {
                if depth >= depth_max {
                    return Err(ScanError::TooDeep { at });
                }
                if depth % 64 == 63 {
                    deep.push(levels);
                    levels = 0;
                }
                depth += 1;
                levels = (levels << 1) | u64::from(open == b'{');
                at = skip_space(bytes, at + 1);
                match (open, bytes.get(at)) {
                    (_, None) => return Err(ScanError::Incomplete),
                    (b'{', Some(b'}')) | (b'[', Some(b']')) => {}
                    (b'{', Some(_)) => {
                        at = key(bytes, at)?.1;
                        continue;
                    }
                    _ => continue,
                }
            }
            _ => {
                at = skip_scalar(bytes, at)?;
                if depth == 0 {
                    return Ok(at);
                }
                at = skip_space(bytes, at);
            }
        }
        // After a value inside a container: the next member, or the ends of as many containers as close here.
        loop {
            let object = levels & 1 == 1;
            match bytes.get(at) {
                None => return Err(ScanError::Incomplete),
                Some(b',') => {
                    at = skip_space(bytes, at + 1);
                    if object {
                        at = key(bytes, at)?.1;
                    }
                    break;
                }
                Some(b'}') if object => {}
                Some(b']') if !object => {}
                Some(_) => return Err(invalid(at, if object { "expected , or }" } else { "expected , or ]" })),
            }
            at += 1;
            depth -= 1;
            if depth == 0 {
                return Ok(at);
            }
            levels >>= 1;
            if depth % 64 == 63 {
                levels = deep.pop().unwrap_or(0);
            }
            at = skip_space(bytes, at);
        }
    }
}

/// The members of the object that starts at `start` (a `{`), into `members`; gives the end of the object.
pub(crate) fn object(
    bytes: &[u8],
    start: usize,
    depth_max: usize,
    members: &mut Vec<Member>,
) -> Result<usize, ScanError> {
    members.clear();
    let mut at = match bytes.get(start) {
        None => return Err(ScanError::Incomplete),
        Some(b'{') => skip_space(bytes, start + 1),
        Some(_) => return Err(invalid(start, "not an object")),
    };
    match bytes.get(at) {
        None => return Err(ScanError::Incomplete),
        Some(b'}') => return Ok(at + 1),
        Some(_) => {}
    }
    loop {
        let (key, value) = key(bytes, at)?;
        let end = skip_value(bytes, value, depth_max.saturating_sub(1))?;
        members.push(Member { key, value: value..end });
        at = skip_space(bytes, end);
        match bytes.get(at) {
            None => return Err(ScanError::Incomplete),
            Some(b',') => at = skip_space(bytes, at + 1),
            Some(b'}') => return Ok(at + 1),
            Some(_) => return Err(invalid(at, "expected , or }")),
        }
    }
}

/// The ranges of the elements of the list that `text` is; None when it is no valid list.
pub(crate) fn elements(text: &str, depth_max: usize) -> Option<Vec<&str>> {
    let bytes = text.as_bytes();
    let mut at = skip_space(bytes, 0);
    if bytes.get(at) != Some(&b'[') {
        return None;
    }
    at = skip_space(bytes, at + 1);
    let mut found = Vec::new();
    if bytes.get(at) == Some(&b']') {
        return Some(found);
    }
    loop {
        let end = skip_value(bytes, at, depth_max).ok()?;
        found.push(text.get(at..end)?);
        at = skip_space(bytes, end);
        match bytes.get(at) {
            Some(b',') => at = skip_space(bytes, at + 1),
            Some(b']') => return Some(found),
            _ => return None,
        }
    }
}

/// The end of the container that starts at `start`, by its brackets alone and at any depth; None when it does not end.
pub(crate) fn skip_brackets(bytes: &[u8], start: usize) -> Option<usize> {
    let mut walk = BracketWalk::default();
    walk.advance(bytes.get(start..)?).map(|length| start + length)
}

/// Follows brackets over text that comes in pieces, without holding it.
#[derive(Debug, Default, Clone)]
pub(crate) struct BracketWalk {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl BracketWalk {
    /// A walk that starts inside a container.
    pub(crate) fn inside() -> BracketWalk {
        BracketWalk { depth: 1, ..BracketWalk::default() }
    }

    /// The length up to the end of the outermost container, if that lies in this piece.
    pub(crate) fn advance(&mut self, piece: &[u8]) -> Option<usize> {
        for (index, byte) in piece.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(index + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Result<usize, ScanError> {
        skip_value(text.as_bytes(), 0, 1000)
    }

    #[test]
    fn valid_values_end_where_they_end() {
        for text in [
            "{}",
            "[]",
            "null",
            "true",
            "-0.5e+10",
            "\"\"",
            r#""a\"b\u00e9""#,
            r#"{"a":[1,{"b":[]}],"c":{}}"#,
            "[ 1 , [ ] , { \"k\" : \"v\" } ]",
            "\"long enough to cross several words of eight bytes\"",
        ] {
            assert_eq!(whole(text), Ok(text.len()), "{text}");
            assert_eq!(whole(&format!("{text} ,x")), Ok(text.len()), "{text}");
        }
    }

    #[test]
    fn every_proper_prefix_of_a_container_is_incomplete() {
        let text = r#"{"a":[1.5,{"b":["x\u0041",true,false,null]}],"c":{"d":-1e5}}"#;
        for cut in 1..text.len() {
            assert_eq!(whole(&text[..cut]), Err(ScanError::Incomplete), "{}", &text[..cut]);
        }
    }

    #[test]
    fn broken_values_are_refused() {
        for text in [
            "{a:1}",
            r#"{"a" 1}"#,
            r#"{"a":1,}"#,
            "[1,]",
            "[1 2]",
            "{]",
            "01x]",
            "tru!",
            r#""\x""#,
            "\"a\nb\"",
            "[1}",
            r#"{"a":}"#,
            "-x",
            "1.x",
            "'a'",
            "NaN",
        ] {
            let text = format!("[{text}]");
            assert!(matches!(whole(&text), Err(ScanError::Invalid { .. })), "{text}: {:?}", whole(&text));
        }
    }

    #[test]
    fn depth_is_limited_and_deep_values_are_followed_exactly() {
        let nested = |depth: usize| format!("{}{}", r#"[{"a":"#.repeat(depth / 2) + "1", "}]".repeat(depth / 2));
        assert!(whole(&nested(1000)).is_ok());
        assert!(matches!(whole(&nested(1002)), Err(ScanError::TooDeep { .. })));
        assert_eq!(skip_brackets(nested(100_000).as_bytes(), 0), Some(nested(100_000).len()));
        let mut broken = nested(200);
        broken.replace_range(broken.len() - 1.., "}");
        assert!(matches!(whole(&broken), Err(ScanError::Invalid { .. })));
    }

    #[test]
    fn members_are_found_with_their_places() {
        let text = r#" {"a" : 1, "b\"c":[ {} ] ,"d":"x"} rest"#;
        let mut members = Vec::new();
        let end = object(text.as_bytes(), 1, 1000, &mut members).unwrap();
        assert_eq!(&text[end..], " rest");
        let found: Vec<_> = members.iter().map(|m| (&text[m.key.clone()], &text[m.value.clone()])).collect();
        assert_eq!(found, [("a", "1"), (r#"b\"c"#, "[ {} ]"), ("d", r#""x""#)]);
    }
}

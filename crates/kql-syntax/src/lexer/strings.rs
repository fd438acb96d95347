//! String literals: `'a'`, `"a"`, with `@` verbatim, with `h` hidden, and ```` ``` ```` or `~~~` over several lines.
//!
//! [`scan`] finds where a literal ends; [`value`] resolves it to the text that it means.

use super::is_line_break;

pub(super) struct Scanned {
    pub(super) length: usize,
    /// The quote that should have closed the literal.
    pub(super) unclosed: Option<&'static str>,
}

const MULTI_LINE_QUOTES: [&str; 2] = ["```", "~~~"];

/// The parts before the content: hidden, verbatim, the quote, and how long they are together.
struct Opening {
    hidden: bool,
    verbatim: bool,
    quote: &'static str,
    length: usize,
}

fn opening(text: &str) -> Option<Opening> {
    let hidden = text.starts_with(['h', 'H']);
    let mut rest = text.get(usize::from(hidden)..)?;
    let verbatim = rest.starts_with('@');
    rest = rest.get(usize::from(verbatim)..)?;
    let quote = match rest.as_bytes().first()? {
        b'\'' => "'",
        b'"' => "\"",
        _ => MULTI_LINE_QUOTES.into_iter().find(|q| rest.starts_with(q))?,
    };
    let length = usize::from(hidden) + usize::from(verbatim) + quote.len();
    Some(Opening { hidden, verbatim, quote, length })
}

/// The string literal at the start of the text.
pub(super) fn scan(text: &str) -> Option<Scanned> {
    let opening = opening(text)?;
    let content = text.get(opening.length..)?;
    let content_length = if opening.quote.len() > 1 {
        content.find(opening.quote).unwrap_or(content.len())
    } else {
        line_content(content, opening.quote, opening.verbatim)
    };
    let closed = content.get(content_length..).is_some_and(|c| c.starts_with(opening.quote));
    let close = if closed { opening.quote.len() } else { 0 };
    Some(Scanned { length: opening.length + content_length + close, unclosed: (!closed).then_some(opening.quote) })
}

/// Length of the content up to the quote, the end of the line or an escape that means nothing.
fn line_content(content: &str, quote: &str, verbatim: bool) -> usize {
    let quote = quote.as_bytes().first().copied().unwrap_or(b'"');
    let bytes = content.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == quote {
            if verbatim && bytes.get(at + 1) == Some(&quote) {
                at += 2;
                continue;
            }
            break;
        }
        match byte {
            b'\\' if !verbatim => match escape(bytes.get(at..).unwrap_or(&[])) {
                Some((_, length)) => at += length,
                None => break,
            },
            b'\r' | b'\n' => break,
            0xE2 if content.get(at..).is_some_and(|c| c.starts_with(is_line_break)) => break,
            _ => at += 1,
        }
    }
    at
}

/// The character (as a UTF-16 unit or a code point) that an escape means, and the length of the escape.
fn escape(bytes: &[u8]) -> Option<(u32, usize)> {
    let hex = |from: usize, count: usize| {
        let digits = bytes.get(from..from + count)?;
        let text = std::str::from_utf8(digits).ok()?;
        digits.iter().all(u8::is_ascii_hexdigit).then(|| u32::from_str_radix(text, 16).ok()).flatten()
    };
    Some(match bytes.get(1)? {
        b'\\' => (0x5C, 2),
        b'\'' => (0x27, 2),
        b'"' => (0x22, 2),
        b'a' => (0x07, 2),
        b'b' => (0x08, 2),
        b'f' => (0x0C, 2),
        b'n' => (0x0A, 2),
        b'r' => (0x0D, 2),
        b't' => (0x09, 2),
        b'v' => (0x0B, 2),
        b'x' => (hex(2, 2)?, 4),
        b'u' => (hex(2, 4)?, 6),
        b'U' => (hex(2, 8)?, 10),
        first @ b'0'..=b'7' => {
            // One to three octal digits; three only up to \377.
            let octal = |i: usize| bytes.get(i).filter(|b| (b'0'..=b'7').contains(*b)).map(|b| u32::from(b - b'0'));
            let first_value = u32::from(first - b'0');
            match (octal(2), octal(3)) {
                (Some(second), Some(third)) if first_value <= 3 => (first_value * 64 + second * 8 + third, 4),
                (Some(second), _) => (first_value * 8 + second, 3),
                _ => (first_value, 2),
            }
        }
        _ => return None,
    })
}

/// What a string literal means, with quotes and escapes resolved, and whether it is hidden (`h"..."`).
pub(crate) fn value(literal: &str) -> (String, bool) {
    let Some(opening) = opening(literal) else { return (literal.to_owned(), false) };
    let content = literal.get(opening.length..).unwrap_or("");
    let content = content.strip_suffix(opening.quote).unwrap_or(content);
    let text = if opening.quote.len() > 1 {
        content.to_owned()
    } else if opening.verbatim {
        content.replace(&opening.quote.repeat(2), opening.quote)
    } else if content.contains('\\') {
        unescape(content)
    } else {
        content.to_owned()
    };
    (text, opening.hidden)
}

fn unescape(content: &str) -> String {
    let mut out = String::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = rest.find('\\') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let Some((code, length)) = escape(tail.as_bytes()) else {
            out.push('\\');
            rest = tail.get(1..).unwrap_or("");
            continue;
        };
        let (character, length) = surrogate_pair(code, length, tail);
        out.push(character);
        rest = tail.get(length..).unwrap_or("");
    }
    out.push_str(rest);
    out
}

/// Joins `\uD83D\uDE00` to one character; a lone half cannot stand in UTF-8 and becomes U+FFFD.
fn surrogate_pair(code: u32, length: usize, tail: &str) -> (char, usize) {
    if (0xD800..0xDC00).contains(&code)
        && let Some((low, low_length)) = tail
            .as_bytes()
            .get(length..)
            .and_then(|b| b.first().and_then(|f| (*f == b'\\').then(|| escape(b)).flatten()))
        && (0xDC00..0xE000).contains(&low)
    {
        let joined = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        return (char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER), length + low_length);
    }
    (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), length)
}

//! Numbers without a type around them: `42`, `0x2A`, `1.5e3`, `2.5h`, and a bare GUID.
//!
//! Each function gives the length of its literal at the start of the text, or None; a literal never ends in the middle
//! of a word.

use super::is_word_byte;

/// Spellings of the units of a timespan.
pub(crate) const TIMESPAN_UNITS: &[&str] = &[
    "d",
    "day",
    "days",
    "h",
    "hr",
    "hrs",
    "hour",
    "hours",
    "m",
    "min",
    "minute",
    "minutes",
    "s",
    "sec",
    "second",
    "seconds",
    "ms",
    "milli",
    "millis",
    "millisec",
    "millisecond",
    "milliseconds",
    "micro",
    "micros",
    "microsec",
    "microsecond",
    "microseconds",
    "nano",
    "nanos",
    "nanosec",
    "nanosecond",
    "nanoseconds",
    "tick",
    "ticks",
];

fn digits(bytes: &[u8], from: usize) -> usize {
    bytes.get(from..).map_or(0, |b| b.iter().take_while(|b| b.is_ascii_digit()).count())
}

fn ends(bytes: &[u8], at: usize) -> bool {
    !bytes.get(at).is_some_and(|b| is_word_byte(*b))
}

pub(super) fn long(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if let [b'0', b'x' | b'X', rest @ ..] = bytes {
        let length = rest.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        return (length > 0 && ends(bytes, length + 2)).then_some(length + 2);
    }
    let length = digits(bytes, 0);
    (length > 0 && ends(bytes, length)).then_some(length)
}

/// `1.5`, `1.`, `1e10`, `1.5E-3`. `1..2` is a range of two longs, not `1.` and `.2`.
pub(super) fn real(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = digits(bytes, 0);
    if at == 0 {
        return None;
    }
    let byte = |i: usize| bytes.get(i).copied().unwrap_or(0);
    if byte(at) == b'.' && (byte(at + 1) != b'.' || byte(at + 2) == b'.') {
        at += 1;
        at += digits(bytes, at);
        at += exponent(bytes, at).unwrap_or(0);
    } else {
        at += exponent(bytes, at)?;
    }
    ends(bytes, at).then_some(at)
}

fn exponent(bytes: &[u8], from: usize) -> Option<usize> {
    if !matches!(bytes.get(from), Some(b'e' | b'E')) {
        return None;
    }
    let sign = usize::from(matches!(bytes.get(from + 1), Some(b'+' | b'-')));
    let length = digits(bytes, from + 1 + sign);
    (length > 0).then_some(1 + sign + length)
}

pub(super) fn timespan(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = digits(bytes, 0);
    if at == 0 {
        return None;
    }
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(bytes, at + 1);
        if fraction > 0 {
            at += 1 + fraction;
        }
    }
    let unit = bytes.get(at..)?.iter().take_while(|b| is_word_byte(**b)).count();
    TIMESPAN_UNITS.contains(&text.get(at..at + unit)?).then_some(at + unit)
}

/// Eight, four, four, four and twelve hexadecimal digits with hyphens.
pub(super) fn raw_guid(text: &str) -> bool {
    let Some(bytes) = text.as_bytes().get(..36) else { return false };
    bytes.iter().enumerate().all(|(i, b)| match i {
        8 | 13 | 18 | 23 => *b == b'-',
        _ => b.is_ascii_hexdigit(),
    })
}

//! The texts that `todatetime` and `datetime(...)` read.
//!
//! ISO 8601 takes the fast way, a scan of fixed places. Everything else (RFC 822 and 850, `1/31/2020 1:05 PM`,
//! `Jan 31 2020`, `2025, 6, 14`) is cut into words and numbers first. No zone means UTC.

use super::{Civil, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND, checked};

/// Longer texts are no datetime.
const TEXT_BYTES_MAX: usize = 64;

/// Reads any text form `todatetime` accepts (ISO 8601 with or without zone, RFC 822/850, `1/31/2020 ...`,
/// ...); no zone means UTC. Digits beyond the seventh of a second are cut off.
pub fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.is_empty() || text.len() > TEXT_BYTES_MAX {
        return None;
    }
    parse_iso(text.as_bytes()).or_else(|| parse_words(text))
}

/// `yyyy-MM-dd`, optionally with `T` or blank and `HH:mm[:ss[.f...]]`, optionally with a zone.
fn parse_iso(bytes: &[u8]) -> Option<i64> {
    let date = Civil { year: number(bytes, 0, 4)?, month: number(bytes, 5, 2)?, day: number(bytes, 8, 2)? };
    if bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    let midnight = date.ticks()?;
    if bytes.len() == 10 {
        return Some(midnight);
    }
    if !matches!(bytes.get(10), Some(b'T' | b't' | b' ')) || bytes.get(13) != Some(&b':') {
        return None;
    }
    let mut time = Time { hour: number(bytes, 11, 2)?, minute: number(bytes, 14, 2)?, second: 0, fraction: 0 };
    let mut at = 16;
    if bytes.get(at) == Some(&b':') {
        time.second = number(bytes, 17, 2)?;
        at = 19;
        if bytes.get(at) == Some(&b'.') {
            (time.fraction, at) = fraction(bytes, at + 1)?;
        }
    }
    let rest = std::str::from_utf8(bytes.get(at..)?).ok()?;
    checked(midnight.checked_add(time.ticks()?)?.checked_sub(zone(rest.trim())?)?)
}

/// The number in `count` digits at `start`.
fn number(bytes: &[u8], start: usize, count: usize) -> Option<i64> {
    let digits = bytes.get(start..start + count)?;
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
}

/// Digits of a second from `start`, in ticks, and where they end.
fn fraction(bytes: &[u8], start: usize) -> Option<(i64, usize)> {
    let digits = bytes.get(start..)?.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 {
        return None;
    }
    let kept = digits.min(7);
    let value = number(bytes, start, kept)?;
    Some((value * 10_i64.pow(7 - kept as u32), start + digits))
}

struct Time {
    hour: i64,
    minute: i64,
    second: i64,
    /// Ticks.
    fraction: i64,
}

impl Time {
    fn ticks(&self) -> Option<i64> {
        if self.hour > 23 || self.minute > 59 || self.second > 59 {
            return None;
        }
        Some(
            self.hour * TICKS_PER_HOUR
                + self.minute * TICKS_PER_MINUTE
                + self.second * TICKS_PER_SECOND
                + self.fraction,
        )
    }
}

/// The offset of a zone in ticks: nothing, `Z`, `GMT`, `UTC`, `+02:00`, `-0700`, `+05`.
fn zone(text: &str) -> Option<i64> {
    if text.is_empty() || ["z", "gmt", "utc"].iter().any(|name| text.eq_ignore_ascii_case(name)) {
        return Some(0);
    }
    let text = text.strip_prefix("GMT").or_else(|| text.strip_prefix("UTC")).unwrap_or(text);
    let (sign, digits) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let bytes = digits.as_bytes();
    let (hour, minute) = match bytes.len() {
        1 => (number(bytes, 0, 1)?, 0),
        2 => (number(bytes, 0, 2)?, 0),
        4 if bytes[1] == b':' => (number(bytes, 0, 1)?, number(bytes, 2, 2)?),
        4 => (number(bytes, 0, 2)?, number(bytes, 2, 2)?),
        5 if bytes[2] == b':' => (number(bytes, 0, 2)?, number(bytes, 3, 2)?),
        _ => return None,
    };
    if hour > 14 || minute > 59 {
        return None;
    }
    Some(sign * (hour * TICKS_PER_HOUR + minute * TICKS_PER_MINUTE))
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The place of a name, or of its first three letters, in a list.
fn named(names: &[&str], word: &str) -> Option<usize> {
    let word = word.to_ascii_lowercase();
    let word = word.trim_end_matches('.');
    names.iter().position(|name| *name == word || (word.len() >= 3 && word.len() <= 4 && name.starts_with(word)))
}

/// A number of the date with its digits, which tell a year from a day.
#[derive(Clone, Copy)]
struct Part {
    value: i64,
    digits: usize,
}

impl Part {
    fn read(text: &str) -> Option<Part> {
        if text.is_empty() || text.len() > 4 {
            return None;
        }
        Some(Part { value: number(text.as_bytes(), 0, text.len())?, digits: text.len() })
    }

    /// Two digits are of this century up to 49.
    fn year(self) -> i64 {
        match self.digits {
            1 | 2 if self.value < 50 => 2000 + self.value,
            1 | 2 => 1900 + self.value,
            _ => self.value,
        }
    }
}

/// The forms with names of months and days, and numeric dates in other orders.
fn parse_words(text: &str) -> Option<i64> {
    let (date_text, time_text) = split_time(text);
    let (time, offset) = match time_text {
        Some(time_text) => parse_time(time_text)?,
        None => (0, 0),
    };
    let mut month = None;
    let mut parts: Vec<Part> = Vec::with_capacity(3);
    // A year may follow the time: `Mon Jan  5 10:00:00 2020`.
    let (date_text, trailing_year) = match time_text.and_then(|t| t.rsplit_once(' ')) {
        Some((_, year)) if year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit()) => (date_text, Part::read(year)),
        _ => (date_text, None),
    };
    for word in date_text.split([' ', ',', '-', '/', '.', 'T']).filter(|word| !word.is_empty()) {
        if let Some(part) = Part::read(word) {
            parts.push(part);
        } else if let Some(found) = named(&MONTHS, word) {
            if month.replace(found as i64 + 1).is_some() {
                return None;
            }
        } else if named(&DAYS, word).is_none() {
            return parse_month_with_t(date_text, time, offset);
        }
    }
    parts.extend(trailing_year);
    let civil = date_of(&parts, month)?;
    checked(civil.ticks()?.checked_add(time)?.checked_sub(offset)?)
}

/// `T` separates date and time, but also begins names (`Tue`, `Thursday`): second try without it.
fn parse_month_with_t(date_text: &str, time: i64, offset: i64) -> Option<i64> {
    let mut month = None;
    let mut parts = Vec::with_capacity(3);
    for word in date_text.split([' ', ',', '-', '/']).filter(|word| !word.is_empty()) {
        if let Some(part) = Part::read(word) {
            parts.push(part);
        } else if let Some(found) = named(&MONTHS, word) {
            month = Some(found as i64 + 1);
        } else {
            named(&DAYS, word)?;
        }
    }
    checked(date_of(&parts, month)?.ticks()?.checked_add(time)?.checked_sub(offset)?)
}

/// Year, month and day from numbers in the order written.
fn date_of(parts: &[Part], month: Option<i64>) -> Option<Civil> {
    match (month, parts) {
        // `8 Nov 14`, `08-Nov-2014`; `Nov 8, 2014`; `2014 Nov 8`.
        (Some(month), [first, second]) if first.digits == 4 => {
            Some(Civil { year: first.value, month, day: second.value })
        }
        (Some(month), [day, year]) => Some(Civil { year: year.year(), month, day: day.value }),
        (None, [year, month, day]) if year.digits == 4 => {
            Some(Civil { year: year.value, month: month.value, day: day.value })
        }
        (None, [month, day, year]) => Some(Civil { year: year.year(), month: month.value, day: day.value }),
        (None, [year, month]) if year.digits == 4 => Some(Civil { year: year.value, month: month.value, day: 1 }),
        (None, [month, year]) if year.digits == 4 => Some(Civil { year: year.value, month: month.value, day: 1 }),
        (None, [year]) if year.digits == 4 => Some(Civil { year: year.value, month: 1, day: 1 }),
        _ => None,
    }
}

/// Cuts before the hour: the number in front of the first colon.
fn split_time(text: &str) -> (&str, Option<&str>) {
    let Some(colon) = text.find(':') else { return (text, None) };
    let digits = text[..colon].bytes().rev().take_while(u8::is_ascii_digit).count();
    let start = colon - digits;
    (text[..start].trim_end_matches(['T', 't', ' ', ',']), Some(&text[start..]))
}

/// `15:05[:02[.5]] [AM|PM] [zone] [year]` to ticks of the day and the zone's offset.
fn parse_time(text: &str) -> Option<(i64, i64)> {
    let bytes = text.as_bytes();
    let mut values = [0_i64; 3];
    let mut fraction_ticks = 0;
    let mut at = 0;
    for (index, value) in values.iter_mut().enumerate() {
        let digits = bytes.get(at..)?.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 || digits > 2 {
            return None;
        }
        *value = number(bytes, at, digits)?;
        at += digits;
        if index == 2 && bytes.get(at) == Some(&b'.') {
            (fraction_ticks, at) = fraction(bytes, at + 1)?;
        }
        if index == 2 || bytes.get(at) != Some(&b':') {
            break;
        }
        at += 1;
    }
    let mut rest = text.get(at..)?.trim();
    if let Some((before, year)) = rest.rsplit_once(' ')
        && year.len() == 4
        && year.bytes().all(|b| b.is_ascii_digit())
    {
        rest = before.trim();
    } else if rest.len() == 4 && rest.bytes().all(|b| b.is_ascii_digit()) {
        rest = "";
    }
    let [mut hour, minute, second] = values;
    for (half, shift) in [("am", 0), ("pm", 12)] {
        if rest.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(half)) {
            if !(1..=12).contains(&hour) {
                return None;
            }
            hour = hour % 12 + shift;
            rest = rest[2..].trim_start();
            break;
        }
    }
    let ticks = Time { hour, minute, second, fraction: fraction_ticks }.ticks()?;
    debug_assert!(ticks < TICKS_PER_DAY);
    Some((ticks, zone(rest)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::parse;
    use crate::datetime::format;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(parse(text).map(format).as_deref(), Some(expected), "{text}");
    }

    #[test]
    fn iso() {
        check("2014-05-25T08:20:03.123456Z", "2014-05-25T08:20:03.1234560Z");
        check("2014-05-25T08:20", "2014-05-25T08:20:00.0000000Z");
        check("2014-11-08 15:55:55", "2014-11-08T15:55:55.0000000Z");
        check("2014-11-08", "2014-11-08T00:00:00.0000000Z");
        check(" 2014-11-08T15:55:55+02:00 ", "2014-11-08T13:55:55.0000000Z");
        check("2014-11-08T15:55:55.123456789-0730", "2014-11-08T23:25:55.1234567Z");
        check("2014-11-08 15:05:25 GMT", "2014-11-08T15:05:25.0000000Z");
    }

    #[test]
    fn rfc_822_and_850() {
        for text in [
            "Sat, 8 Nov 14 15:05:00 GMT",
            "Sat, 8 Nov 14 15:05",
            "8 Nov 14 15:05:00",
            "8 Nov 2014 15:05 GMT",
            "Saturday, 08-Nov-14 15:05:00 GMT",
            "08-Nov-14 15:05",
            "Sat Nov  8 15:05:00 2014",
            "November 8, 2014 3:05 PM",
        ] {
            check(text, "2014-11-08T15:05:00.0000000Z");
        }
        check("Tue, 1 Oct 2024 10:00:00 +0200", "2024-10-01T08:00:00.0000000Z");
    }

    #[test]
    fn numeric() {
        check("1/31/2020", "2020-01-31T00:00:00.0000000Z");
        check("1/31/2020 10:00:00 PM", "2020-01-31T22:00:00.0000000Z");
        check("12/31/2020 12:00:00.5 AM", "2020-12-31T00:00:00.5000000Z");
        check("12-02-2022", "2022-12-02T00:00:00.0000000Z");
        check("2024/01/15 12:35:35", "2024-01-15T12:35:35.0000000Z");
        check("2025, 6, 14", "2025-06-14T00:00:00.0000000Z");
        check("1970-5-12", "1970-05-12T00:00:00.0000000Z");
        check("2016-12-31T6:00", "2016-12-31T06:00:00.0000000Z");
        check("2020", "2020-01-01T00:00:00.0000000Z");
    }

    #[test]
    fn not_a_datetime() {
        for text in
            ["", "not a date", "2020-13-01", "2020-02-30", "2020-01-01T25:00", "12", "1.5", "a:b", "::", "T", "€:1"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_safe(text in ".{0,40}") {
            let _ = parse(&text);
        }

        #[test]
        fn any_datelike_text_is_safe(text in "[0-9TZ:. /,+-]{0,30}") {
            let _ = parse(&text);
        }
    }
}

//! Times as logs write them, to ticks.
//!
//! What no zone is given for is UTC. Digits beyond 100 ns are cut off.

use kql_types::datetime::{self, TICKS_PER_SECOND, UNIX_EPOCH};

/// Earlier times are implausible: no cloud wrote logs then.
pub(crate) const PLAUSIBLE_MIN: i64 = UNIX_EPOCH + 1_136_073_600 * TICKS_PER_SECOND;

/// A time written as text.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    let first = *text.as_bytes().first()?;
    if let Some(inner) = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")) {
        let digits = inner.get(1..).and_then(|rest| rest.find(['+', '-'])).map_or(inner, |at| &inner[..=at]);
        return from_epoch(digits);
    }
    if first.is_ascii_digit() && text.len() >= 9 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        // 20230710 is a date for somebody, but logs that write only digits write epochs.
        return from_epoch(text);
    }
    match text.contains('\u{202f}') {
        true => datetime::parse(&text.replace('\u{202f}', " ")),
        false => datetime::parse(text),
    }
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by size.
pub(crate) fn from_epoch(number: &str) -> Option<i64> {
    let ticks = match number.parse::<i64>() {
        Ok(whole) => match whole.unsigned_abs() {
            0..100_000_000_000 => whole.checked_mul(TICKS_PER_SECOND)?,
            100_000_000_000..100_000_000_000_000 => whole.checked_mul(10_000)?,
            100_000_000_000_000..100_000_000_000_000_000 => whole.checked_mul(10)?,
            _ => whole / 100,
        },
        Err(_) => {
            let real: f64 = number.parse().ok()?;
            let factor = if real.abs() < 1e11 { 1e7 } else { 1e4 };
            let ticks = real * factor;
            if !ticks.is_finite() || ticks.abs() > 4e18 {
                return None;
            }
            ticks.round() as i64
        }
    };
    datetime::checked(UNIX_EPOCH.checked_add(ticks)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        parse(text).map(datetime::format)
    }

    #[test]
    fn texts_of_logs() {
        for (text, expected) in [
            ("2023-07-10T11:42:36Z", "2023-07-10T11:42:36.0000000Z"),
            ("2025-12-22T08:46:29.678707399Z", "2025-12-22T08:46:29.6787073Z"),
            ("2024-12-10 14:33:09.049661100", "2024-12-10T14:33:09.0496611Z"),
            ("2021-03-02T10:00:00+02:00", "2021-03-02T08:00:00.0000000Z"),
            ("4/28/2021, 2:32:14.029 PM", "2021-04-28T14:32:14.0290000Z"),
            ("4/28/2021, 2:32:14\u{202f}PM", "2021-04-28T14:32:14.0000000Z"),
            ("/Date(1600000000000)/", "2020-09-13T12:26:40.0000000Z"),
            ("1600000000", "2020-09-13T12:26:40.0000000Z"),
            ("1600000000123", "2020-09-13T12:26:40.1230000Z"),
            ("1600000000123456", "2020-09-13T12:26:40.1234560Z"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time() {
        for text in ["", "-", "now", "2023-13-45T00:00:00Z", "99999999999999999999999", "12"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

//! Times as logs write them, to ticks.
//!
//! What no zone is given for is UTC. Digits beyond 100 ns are cut off.

use chrono::offset::LocalResult;
use chrono::{DateTime, Datelike, NaiveDate, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};
use kql_types::datetime::{self, TICKS_PER_SECOND, UNIX_EPOCH};

/// Earlier times are implausible: no cloud wrote logs then.
pub(crate) const PLAUSIBLE_MIN: i64 = UNIX_EPOCH + 1_136_073_600 * TICKS_PER_SECOND;

/// A time written as text.
pub(crate) fn parse(text: &str) -> Option<i64> {
    if let Some(ticks) = whole_second(text.as_bytes()) {
        return Some(ticks);
    }
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

/// `2026-03-01T10:00:00Z`, the form of most logs, without the detour that takes every form.
fn whole_second(text: &[u8]) -> Option<i64> {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', i0, i1, b':', s0, s1, b'Z'] = text else {
        return None;
    };
    let number =
        |digits: &[&u8]| digits.iter().try_fold(0_u32, |sum, digit| Some(sum * 10 + char::from(**digit).to_digit(10)?));
    let date = NaiveDate::from_ymd_opt(number(&[y0, y1, y2, y3])? as i32, number(&[m0, m1])?, number(&[d0, d1])?)?;
    let (hour, minute, second) = (number(&[h0, h1])?, number(&[i0, i1])?, number(&[s0, s1])?);
    if date.year() < 1 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = i64::from(date.num_days_from_ce()) - 1;
    let seconds = days * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
    seconds.checked_mul(TICKS_PER_SECOND)
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

/// The zone of a column's times, where the column's name gives one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    Utc,
    Named(Tz),
    /// One that cannot be told from its name: `[Local Time]`.
    Unknown,
}

impl Zone {
    /// A zone as the portal names it: `UTC`, an IANA name, or only its city (`Jerusalem`, `New York`).
    pub(crate) fn named(name: &str) -> Zone {
        let name = name.trim();
        if name.is_empty() || matches!(name.to_ascii_uppercase().as_str(), "UTC" | "GMT" | "Z" | "ETC/UTC") {
            return Zone::Utc;
        }
        let city = name.replace(' ', "_");
        let found = TZ_VARIANTS.iter().find(|zone| {
            let full = zone.name();
            full.eq_ignore_ascii_case(&city)
                || full.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(&city))
        });
        found.map_or(Zone::Unknown, |zone| Zone::Named(*zone))
    }
}

/// A time in a zone, and whether the hour came twice there (the earlier one is taken).
pub(crate) fn parse_in(text: &str, zone: Tz) -> Option<(i64, bool)> {
    let text = text.trim();
    let ticks = parse(text)?;
    let tail = text.get(10..).unwrap_or_default();
    if tail.ends_with('Z') || tail.contains('+') || text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some((ticks, false));
    }
    let seconds = (ticks - UNIX_EPOCH).div_euclid(TICKS_PER_SECOND);
    let rest = (ticks - UNIX_EPOCH).rem_euclid(TICKS_PER_SECOND);
    let local = DateTime::from_timestamp(seconds, 0)?.naive_utc();
    let (moment, twice) = match zone.from_local_datetime(&local) {
        LocalResult::Single(moment) => (moment, false),
        LocalResult::Ambiguous(earlier, _) => (earlier, true),
        // The hour that clocks skip: read with the offset before the change.
        LocalResult::None => {
            let before = zone.from_local_datetime(&(local - chrono::Duration::hours(1))).earliest()?;
            (before + chrono::Duration::hours(1), false)
        }
    };
    let ticks = UNIX_EPOCH.checked_add(moment.timestamp().checked_mul(TICKS_PER_SECOND)?)?.checked_add(rest)?;
    Some((datetime::checked(ticks)?, twice))
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
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.0000000Z"),
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.0000000Z"),
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

    #[test]
    fn local_times_become_utc() {
        let Zone::Named(jerusalem) = Zone::named("Jerusalem") else { panic!("a city") };
        let at = |text: &str| parse_in(text, jerusalem).map(|(ticks, twice)| (datetime::format(ticks), twice));
        let utc = |text: &str, twice| Some((text.to_owned(), twice));
        assert_eq!(at("7/1/2021, 2:32:14.029 PM"), utc("2021-07-01T11:32:14.0290000Z", false));
        assert_eq!(at("1/1/2021, 12:00:00 AM"), utc("2020-12-31T22:00:00.0000000Z", false));
        assert_eq!(at("2021-10-31T01:30:00"), utc("2021-10-30T22:30:00.0000000Z", true), "the hour that comes twice");
        assert_eq!(at("2021-03-26T02:30:00"), utc("2021-03-26T00:30:00.0000000Z", false), "the hour that is skipped");
        assert_eq!(at("2021-07-01T14:00:00Z"), utc("2021-07-01T14:00:00.0000000Z", false));
    }

    #[test]
    fn zones_by_name() {
        assert_eq!(Zone::named("UTC"), Zone::Utc);
        assert_eq!(Zone::named("New York"), Zone::Named(Tz::America__New_York));
        assert_eq!(Zone::named("Europe/Warsaw"), Zone::Named(Tz::Europe__Warsaw));
        assert_eq!(Zone::named("Local Time"), Zone::Unknown);
    }
}

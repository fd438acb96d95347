//! Dates in the paths of exports: what a file is about, before it is opened.
//!
//! `2026/03/01`, with an hour behind it or not; `y=2026/m=03/d=01/h=10`; `year=2026/month=03/day=01`; `20260301` or
//! `2026-03-01` in a name that is otherwise none.

use chrono::{Datelike, NaiveDate};
use kql_types::datetime::{TICKS_PER_DAY, TICKS_PER_HOUR};

/// First and last moment, in ticks, of the day or hour that a path names; None when it names none, or several.
pub(crate) fn of(path: &str) -> Option<(i64, i64)> {
    let segments: Vec<&str> = path.split('/').collect();
    let mut found = Vec::new();
    for (at, segment) in segments.iter().enumerate() {
        let next = |index: usize| segments.get(at + index).copied().unwrap_or_default();
        let parts = [
            number(segment, &["y=", "year="], 4),
            number(next(1), &["m=", "month="], 2),
            number(next(2), &["d=", "day="], 2),
        ];
        if let [Some(year), Some(month), Some(day)] = parts
            && let Some(day) = start_of_day(year, month, day)
        {
            let hour = number(next(3), &["h=", "hour="], 2).filter(|hour| *hour < 24);
            let (first, length) = match hour {
                Some(hour) => (day + i64::from(hour) * TICKS_PER_HOUR, TICKS_PER_HOUR),
                None => (day, TICKS_PER_DAY),
            };
            found.push((first, first + length - 1));
        }
    }
    if found.is_empty() {
        found.extend(segments.iter().filter_map(|part| named_day(part)).map(|day| (day, day + TICKS_PER_DAY - 1)));
    }
    match found.as_slice() {
        [one] => Some(*one),
        [first, rest @ ..] if rest.iter().all(|other| other == first) => Some(*first),
        _ => None,
    }
}

/// False when the path names a time that lies, by more than a day, outside these ticks: what was written on one day may be
/// stored on the next.
pub(crate) fn is_within(path: &str, from: Option<i64>, to: Option<i64>) -> bool {
    of(path).is_none_or(|(first, last)| {
        from.is_none_or(|from| last.saturating_add(TICKS_PER_DAY) >= from)
            && to.is_none_or(|to| first.saturating_sub(TICKS_PER_DAY) <= to)
    })
}

fn number(segment: &str, prefixes: &[&str], digits: usize) -> Option<u32> {
    let plain = prefixes.iter().find_map(|prefix| segment.strip_prefix(prefix)).unwrap_or(segment);
    let all = plain.len() == digits && plain.bytes().all(|byte| byte.is_ascii_digit());
    plain.parse().ok().filter(|_| all)
}

fn start_of_day(year: u32, month: u32, day: u32) -> Option<i64> {
    let year = i32::try_from(year).ok().filter(|year| (2000..2200).contains(year))?;
    let date = NaiveDate::from_ymd_opt(year, month, day)?;
    Some((i64::from(date.num_days_from_ce()) - 1) * TICKS_PER_DAY)
}

/// The one day that a name gives: `x_20260301T1000Z_y.json.gz`, `2026-03-01.csv`.
fn named_day(segment: &str) -> Option<i64> {
    let mut found = Vec::new();
    for run in segment.split(|c: char| !c.is_ascii_digit() && c != '-') {
        let digits: String = run.chars().filter(char::is_ascii_digit).collect();
        let dashed = run.len() == 10 && run.as_bytes().get(4) == Some(&b'-') && run.as_bytes().get(7) == Some(&b'-');
        let plain = run.len() == 8 && digits.len() == 8;
        if !(dashed || plain) {
            continue;
        }
        let part = |range: std::ops::Range<usize>| digits.get(range).and_then(|text| text.parse().ok());
        if let (Some(year), Some(month), Some(day)) = (part(0..4), part(4..6), part(6..8)) {
            found.extend(start_of_day(year, month, day));
        }
    }
    match found.as_slice() {
        [day] => Some(*day),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time;

    #[test]
    fn dates_of_trees_and_names() {
        let day = |text: &str| time::parse(text);
        for (path, first, hours) in [
            (
                "AWSLogs/1/CloudTrail/eu-west-1/2026/03/01/1_CloudTrail_x_20260301T1005Z_x.json.gz",
                "2026-03-01T00:00:00Z",
                24,
            ),
            ("insights/resourceId=/SUBSCRIPTIONS/S/y=2026/m=03/d=01/h=10/m=00/PT1H.json", "2026-03-01T10:00:00Z", 1),
            ("cloudaudit.googleapis.com/activity/2026/03/01/10:00:00_10:59:59_S0.json", "2026-03-01T00:00:00Z", 24),
            ("InteractiveSignIns_2026-03-01.csv", "2026-03-01T00:00:00Z", 24),
            ("lake/year=2026/month=03/day=01/x.parquet", "2026-03-01T00:00:00Z", 24),
        ] {
            let (start, end) = of(path).unwrap();
            assert_eq!(Some(start), day(first), "{path}");
            assert_eq!(end - start + 1, hours * TICKS_PER_HOUR, "{path}");
        }
        for path in
            ["x.json", "2026-03-01_2026-03-31.csv", "12345678.json", "a/2026/13/01/x", "1772323200.json", "2026/03"]
        {
            assert_eq!(of(path), None, "{path}");
        }
    }
}

//! `format_datetime` and `format_timespan`: a format is a row of letters, each run of one letter a field.

use std::fmt::Write;

use kql_types::datetime::{Civil, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND};

use super::{Args, KernelResult};

/// `format_datetime(date, format)`
pub fn format_datetime(args: &Args<'_>) -> KernelResult {
    let (date, format) = (args.long(0)?, args.text(1)?);
    args.to_texts(|row, out| {
        let Some(ticks) = date.opt(row) else { return };
        if write_datetime(ticks, format.at(row), out).is_none() {
            out.clear();
        }
    })
}

/// `format_timespan(timespan, format)`
pub fn format_timespan(args: &Args<'_>) -> KernelResult {
    let (span, format) = (args.long(0)?, args.text(1)?);
    args.to_texts(|row, out| {
        let Some(ticks) = span.opt(row) else { return };
        if write_timespan(ticks, format.at(row), out).is_none() {
            out.clear();
        }
    })
}

/// Runs of the same field letter, and all else one by one.
fn fields(format: &str) -> impl Iterator<Item = (char, usize)> {
    let mut rest = format;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let count = if is_field(first) { rest.chars().take_while(|c| *c == first).count() } else { 1 };
        rest = &rest[count * first.len_utf8()..];
        Some((first, count))
    })
}

fn number(out: &mut String, value: i64, width: usize) {
    let _ = write!(out, "{value:0width$}");
}

/// The time of day: hours, minutes, seconds and their fraction.
fn write_time(of_day: i64, letter: char, count: usize, out: &mut String) -> Option<()> {
    let hour = of_day / TICKS_PER_HOUR;
    match (letter, count) {
        ('H', 1 | 2) => number(out, hour, count),
        ('m', 1 | 2) => number(out, of_day / TICKS_PER_MINUTE % 60, count),
        ('s', 1 | 2) => number(out, of_day / TICKS_PER_SECOND % 60, count),
        ('f' | 'F', 1..=7) => {
            let digits = format!("{:07}", of_day % TICKS_PER_SECOND);
            let digits = digits.get(..count)?;
            out.push_str(if letter == 'F' { digits.trim_end_matches('0') } else { digits });
        }
        _ => return None,
    }
    Some(())
}

/// Letters that name no field stand for themselves: `yyyy-MM-ddTHH:mm:ssZ`.
fn is_field(letter: char) -> bool {
    "yMdHhmsfFt".contains(letter)
}

fn write_datetime(ticks: i64, format: &str, out: &mut String) -> Option<()> {
    let civil = Civil::of(ticks);
    let of_day = ticks.rem_euclid(TICKS_PER_DAY);
    let hour = of_day / TICKS_PER_HOUR;
    for (letter, count) in fields(format) {
        match (letter, count) {
            ('y', 1 | 2) => number(out, civil.year % 100, count),
            ('y', 3..) => number(out, civil.year, count),
            ('M', 1 | 2) => number(out, civil.month, count),
            ('d', 1 | 2) => number(out, civil.day, count),
            ('h', 1 | 2) => number(out, (hour + 11) % 12 + 1, count),
            ('t', 1) => out.push(if hour < 12 { 'A' } else { 'P' }),
            ('t', 2) => out.push_str(if hour < 12 { "AM" } else { "PM" }),
            (c, _) if is_field(c) => write_time(of_day, letter, count, out)?,
            (c, _) => out.push(c),
        }
    }
    Some(())
}

fn write_timespan(ticks: i64, format: &str, out: &mut String) -> Option<()> {
    if ticks < 0 {
        out.push('-');
    }
    let magnitude = ticks.unsigned_abs();
    let day = TICKS_PER_DAY as u64;
    let (days, of_day) = ((magnitude / day) as i64, (magnitude % day) as i64);
    for (letter, count) in fields(format) {
        match (letter, count) {
            ('d', 1..=8) => number(out, days, count),
            ('h', 1 | 2) => write_time(of_day, 'H', count, out)?,
            (c, _) if is_field(c) => write_time(of_day, letter, count, out)?,
            (c, _) => out.push(c),
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datetime(text: &str, format: &str) -> Option<String> {
        let mut out = String::new();
        write_datetime(kql_types::datetime::parse(text)?, format, &mut out).map(|()| out)
    }

    fn timespan(text: &str, format: &str) -> Option<String> {
        let mut out = String::new();
        write_timespan(kql_types::timespan::parse(text)?, format, &mut out).map(|()| out)
    }

    #[test]
    fn datetimes() {
        assert_eq!(datetime("2017-01-29 09:00:05", "yy-MM-dd [HH:mm:ss]").as_deref(), Some("17-01-29 [09:00:05]"));
        assert_eq!(datetime("2020-06-15 13:45:09", "M/d/yyyy h:mm:ss tt").as_deref(), Some("6/15/2020 1:45:09 PM"));
        assert_eq!(datetime("2020-06-15 00:45:09.05", "h ss.ff").as_deref(), Some("12 09.05"));
        assert_eq!(datetime("2020-06-15", "yyyyMMddHHmmss").as_deref(), Some("20200615000000"));
        assert_eq!(datetime("2020-06-15 01:02:03", "yyyy-MM-ddTHH:mm:ssZ").as_deref(), Some("2020-06-15T01:02:03Z"));
        assert_eq!(datetime("2020-06-15", "HHHH"), None);
    }

    #[test]
    fn timespans() {
        assert_eq!(timespan("29.09:00:05.12345", "dd.hh:mm:ss:FF").as_deref(), Some("29.09:00:05:12"));
        assert_eq!(timespan("29.09:00:05.12345", "ddd.h:mm:ss [fffffff]").as_deref(), Some("029.9:00:05 [1234500]"));
        assert_eq!(timespan("-02:30:00", "hh:mm").as_deref(), Some("-02:30"));
        assert_eq!(timespan("1d", "dddd").as_deref(), Some("0001"));
    }
}

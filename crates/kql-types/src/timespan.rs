//! timespan: ticks of 100 ns, signed.
//!
//! Two ways to write one: the literal (`1.5h`) and the clock form (`1.02:03:04.5`). [`parse`] reads both,
//! [`format`] writes the clock form.

use crate::datetime::{TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND, push_digits};

/// Units of a literal in ticks; a nanosecond is a hundredth of a tick, so it stands apart.
const UNITS: &[(&[&str], f64)] = &[
    (&["d", "day", "days"], TICKS_PER_DAY as f64),
    (&["h", "hr", "hrs", "hour", "hours"], TICKS_PER_HOUR as f64),
    (&["m", "min", "mins", "minute", "minutes"], TICKS_PER_MINUTE as f64),
    (&["s", "sec", "secs", "second", "seconds"], TICKS_PER_SECOND as f64),
    (&["ms", "milli", "millis", "millisec", "millisecond", "milliseconds"], 10_000.0),
    (&["us", "micro", "micros", "microsec", "microsecond", "microseconds"], 10.0),
    (&["ns", "nano", "nanos", "nanosec", "nanosecond", "nanoseconds"], 0.01),
    (&["tick", "ticks"], 1.0),
];

/// Reads `[-][d.]hh:mm[:ss[.fffffff]]`, a bare number of days, and the literal forms `1d`, `2.5h`, `100ms`, `1tick`.
///
/// A bare number with a fraction is refused, as in Kusto: `totimespan("1.5")` is null.
pub fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, body) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if body.contains(':') {
        return parse_clock(body, negative);
    }
    let unit_at = body.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(body.len());
    let (number, unit) = body.split_at(unit_at);
    let unit = unit.trim();
    if unit.is_empty() {
        let days: i64 = number.parse().ok()?;
        let days = if negative { -days } else { days };
        return days.checked_mul(TICKS_PER_DAY);
    }
    let (_, factor) = UNITS.iter().find(|(names, _)| names.contains(&unit))?;
    let sign = if negative { -1.0 } else { 1.0 };
    if let Ok(whole) = number.parse::<i64>()
        && *factor >= 1.0
    {
        let ticks = whole.checked_mul(*factor as i64)?;
        return Some(if negative { -ticks } else { ticks });
    }
    let ticks = (number.parse::<f64>().ok()? * factor * sign).round();
    (ticks.abs() < i64::MAX as f64).then_some(ticks as i64)
}

/// `[d.]hh:mm[:ss[.fffffff]]`; the minus is taken into account from the start, so that the least value can be read.
fn parse_clock(body: &str, negative: bool) -> Option<i64> {
    let mut fields = body.splitn(4, ':');
    let (first, second) = (fields.next()?, fields.next()?);
    let (third, fourth) = (fields.next(), fields.next());
    let (days, hours, minutes, seconds) = match (first.split_once('.'), fourth) {
        (Some((days, hours)), None) => (days, hours, second, third),
        (Some(_), Some(_)) => return None,
        (None, None) => ("0", first, second, third),
        // `d:hh:mm:ss`.
        (None, Some(fourth)) => (first, second, third?, Some(fourth)),
    };
    let (seconds, fraction) = match seconds {
        None => ("0", 0),
        Some(text) => match text.split_once('.') {
            None => (text, 0),
            Some((seconds, digits)) => (seconds, fraction_ticks(digits)?),
        },
    };
    let limited = |text: &str, max: i64| digits(text).filter(|value| *value <= max);
    let parts = [
        (digits(days)?, TICKS_PER_DAY),
        (limited(hours, 23)?, TICKS_PER_HOUR),
        (limited(minutes, 59)?, TICKS_PER_MINUTE),
        (limited(seconds, 59)?, TICKS_PER_SECOND),
        (fraction, 1),
    ];
    let sign = if negative { -1 } else { 1 };
    parts.iter().try_fold(0_i64, |sum, (value, unit)| sum.checked_add(value.checked_mul(unit * sign)?))
}

fn digits(text: &str) -> Option<i64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn fraction_ticks(text: &str) -> Option<i64> {
    digits(text)?;
    let kept = text.get(..text.len().min(7))?;
    Some(digits(kept)? * 10_i64.pow(7 - kept.len() as u32))
}

/// `[-][d.]hh:mm:ss[.fffffff]`.
pub fn format(ticks: i64) -> String {
    let mut out = String::with_capacity(26);
    format_into(ticks, &mut out);
    out
}

/// Appends what [`format()`] gives.
pub fn format_into(ticks: i64, out: &mut String) {
    if ticks < 0 {
        out.push('-');
    }
    let ticks = ticks.unsigned_abs();
    let day = TICKS_PER_DAY as u64;
    let of_day = (ticks % day) as i64;
    if ticks >= day {
        push_digits(out, (ticks / day) as i64, 1);
        out.push('.');
    }
    push_digits(out, of_day / TICKS_PER_HOUR, 2);
    out.push(':');
    push_digits(out, of_day / TICKS_PER_MINUTE % 60, 2);
    out.push(':');
    push_digits(out, of_day / TICKS_PER_SECOND % 60, 2);
    if of_day % TICKS_PER_SECOND != 0 {
        out.push('.');
        push_digits(out, of_day % TICKS_PER_SECOND, 7);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(parse(text).map(format).as_deref(), Some(expected), "{text}");
    }

    #[test]
    fn clock() {
        check("0.00:03:00", "00:03:00");
        check("1.02:03:04.5", "1.02:03:04.5000000");
        check("-1.02:03:04.5", "-1.02:03:04.5000000");
        check("0:0:0.001", "00:00:00.0010000");
        check("100.00:00:00", "100.00:00:00");
        check("01:30", "01:30:00");
        check("1:02:03:04", "1.02:03:04");
        check("29.09:00:05.12345", "29.09:00:05.1234500");
        check("5", "5.00:00:00");
    }

    #[test]
    fn literals() {
        check("1d", "1.00:00:00");
        check("-1d", "-1.00:00:00");
        check("1.5h", "01:30:00");
        check("25min", "00:25:00");
        check("100ms", "00:00:00.1000000");
        check("1tick", "00:00:00.0000001");
        check("10 microseconds", "00:00:00.0000100");
    }

    #[test]
    fn not_a_timespan() {
        for text in ["", "-", "abc", "1.5", "25:00:00", "1:60:00", "1x", "1..2:00", ":", "1.2:3:4:5", "999999999d"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn extremes() {
        assert_eq!(format(i64::MAX), "10675199.02:48:05.4775807");
        assert_eq!(format(i64::MIN), "-10675199.02:48:05.4775808");
        assert_eq!(parse("-10675199.02:48:05.4775808"), Some(i64::MIN));
    }

    proptest! {
        #[test]
        fn round_trip(ticks: i64) {
            prop_assert_eq!(parse(&format(ticks)), Some(ticks));
        }

        #[test]
        fn any_text_is_safe(text in ".{0,30}") {
            let _ = parse(&text);
        }
    }
}

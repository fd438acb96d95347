//! Lengths of time as rule files write them: `1h`, `14d`, `PT5H`, `1.00:00:00`.
//!
//! The unit everywhere is the Kusto tick of 100 ns. Start at [`parse`].

use kql_types::datetime::{TICKS_PER_DAY, TICKS_PER_SECOND};

const TICKS_PER_MINUTE: i64 = 60 * TICKS_PER_SECOND;
const TICKS_PER_HOUR: i64 = 60 * TICKS_PER_MINUTE;

/// Reads a length of time in any of the three forms; None for anything else and for negative lengths.
pub fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    parse_short(text).or_else(|| parse_iso8601(text)).or_else(|| parse_clock(text)).filter(|ticks| *ticks >= 0)
}

/// `90s`, `5m`, `25h`, `14d`, `2w`: the form of the rule repositories.
fn parse_short(text: &str) -> Option<i64> {
    let unit = text.chars().next_back()?;
    let number = text.get(..text.len() - unit.len_utf8())?.trim();
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    number.parse::<i64>().ok()?.checked_mul(unit_ticks(unit)?)
}

fn unit_ticks(unit: char) -> Option<i64> {
    Some(match unit.to_ascii_lowercase() {
        's' => TICKS_PER_SECOND,
        'm' => TICKS_PER_MINUTE,
        'h' => TICKS_PER_HOUR,
        'd' => TICKS_PER_DAY,
        'w' => 7 * TICKS_PER_DAY,
        _ => return None,
    })
}

/// `PT1H30M`, `P14D`: the form of ARM templates.
fn parse_iso8601(text: &str) -> Option<i64> {
    let rest = text.strip_prefix(['P', 'p'])?;
    let (days, clock) = match rest.split_once(['T', 't']) {
        Some((days, clock)) => (days, Some(clock)),
        None => (rest, None),
    };
    if days.is_empty() && clock.is_none_or(str::is_empty) {
        return None;
    }
    let days = sum_of_parts(days, "WD")?;
    let clock = clock.map_or(Some(0), |clock| sum_of_parts(clock, "HMS"))?;
    days.checked_add(clock)
}

fn sum_of_parts(text: &str, units: &str) -> Option<i64> {
    let mut total = 0_i64;
    let mut number = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        if !units.contains(c.to_ascii_uppercase()) {
            return None;
        }
        let part = number.parse::<i64>().ok()?.checked_mul(unit_ticks(c)?)?;
        total = total.checked_add(part)?;
        number.clear();
    }
    number.is_empty().then_some(total)
}

/// `[d.]hh:mm:ss[.fffffff]`: the form of .NET.
fn parse_clock(text: &str) -> Option<i64> {
    text.contains(':').then(|| kql_types::timespan::parse(text)).flatten()
}

/// The short form, in the largest unit that divides the length: `36000000000` is `1h`.
pub fn format_short(ticks: i64) -> String {
    let units = [(TICKS_PER_DAY, 'd'), (TICKS_PER_HOUR, 'h'), (TICKS_PER_MINUTE, 'm'), (TICKS_PER_SECOND, 's')];
    for (size, name) in units {
        if ticks != 0 && ticks % size == 0 {
            return format!("{}{name}", ticks / size);
        }
    }
    if ticks == 0 { "0s".to_string() } else { kql_types::timespan::format(ticks) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_gives_the_same_hour() {
        for text in ["1h", "60m", "3600s", " 1H ", "PT1H", "PT60M", "P0DT1H", "pt1h"] {
            assert_eq!(parse(text), Some(TICKS_PER_HOUR), "{text}");
        }
        assert_eq!(parse("14d"), Some(14 * TICKS_PER_DAY));
        assert_eq!(parse("P14D"), Some(14 * TICKS_PER_DAY));
        assert_eq!(parse("P2W"), Some(14 * TICKS_PER_DAY));
    }

    #[test]
    fn what_is_no_length_is_refused() {
        for text in ["", "h", "1", "P", "PT", "1x", "-1h", "one hour", "PT1X", "99999999999999999999d"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_short_form_reads_back() {
        for text in ["5m", "1h", "14d", "70m", "25h", "90s"] {
            let ticks = parse(text).unwrap();
            assert_eq!(parse(&format_short(ticks)), Some(ticks), "{text}");
        }
        assert_eq!(format_short(48 * TICKS_PER_HOUR), "2d");
    }
}

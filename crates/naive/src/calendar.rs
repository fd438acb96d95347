//! Datetimes by the calendar.

use kql_types::datetime::{self, Civil};

/// The first tick of the period of a name (`day`, `month`, ...) that a time is in, moved by a number of periods.
pub fn start_of(period: &str, ticks: i64, offset: i64) -> Option<i64> {
    let day = datetime::TICKS_PER_DAY;
    let midnight = ticks.div_euclid(day) * day;
    let civil = Civil::of(ticks);
    let month = |civil: Civil, months: i64| {
        let first = Civil { day: 1, ..civil };
        first.add_months(months)?.ticks()
    };
    match period {
        "hour" => Some(ticks.div_euclid(day / 24) * (day / 24) + offset * (day / 24)),
        "day" => Some(midnight + offset * day),
        "week" => Some(midnight - datetime::day_of_week(ticks) * day + offset * 7 * day),
        "month" => month(civil, offset),
        "year" => month(Civil { month: 1, ..civil }, offset * 12),
        _ => None,
    }
}

/// How many borders of a period lie between two times.
pub fn difference(period: &str, later: i64, earlier: i64) -> Option<i64> {
    let second = datetime::TICKS_PER_SECOND;
    let borders = |ticks: i64| later.div_euclid(ticks) - earlier.div_euclid(ticks);
    let months = |ticks: i64| {
        let civil = Civil::of(ticks);
        civil.year * 12 + civil.month
    };
    Some(match period.to_lowercase().as_str() {
        "nanosecond" => (later - earlier) * 100,
        "microsecond" => borders(10),
        "millisecond" => borders(10_000),
        "second" => borders(second),
        "minute" => borders(60 * second),
        "hour" => borders(3_600 * second),
        "day" => borders(datetime::TICKS_PER_DAY),
        "month" => months(later) - months(earlier),
        "year" => Civil::of(later).year - Civil::of(earlier).year,
        _ => return None,
    })
}

/// A part of a time (`hour`, `month`, ...).
pub fn part(name: &str, ticks: i64) -> Option<i64> {
    let civil = Civil::of(ticks);
    let second_of_day = ticks.rem_euclid(datetime::TICKS_PER_DAY) / datetime::TICKS_PER_SECOND;
    Some(match name.to_lowercase().as_str() {
        "year" => civil.year,
        "month" => civil.month,
        "day" => civil.day,
        "hour" => second_of_day / 3_600,
        "minute" => second_of_day / 60 % 60,
        "second" => second_of_day % 60,
        "dayofyear" | "day_of_year" => civil.day_of_year(),
        _ => return None,
    })
}

/// `format_datetime` with the letters of a pattern one run at a time; None for a letter that is not known here.
pub fn format(ticks: i64, pattern: &str) -> Option<String> {
    let civil = Civil::of(ticks);
    let get = |name| part(name, ticks);
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(letter) = rest.chars().next() {
        let run: String = rest.chars().take_while(|c| *c == letter).collect();
        rest = rest.get(run.len()..)?;
        let count = run.chars().count();
        let number = |value: i64| format!("{value:0width$}", width = count.min(2));
        match letter {
            'y' if count == 4 => out.push_str(&format!("{:04}", civil.year)),
            'y' if count == 2 => out.push_str(&format!("{:02}", civil.year % 100)),
            'M' if count <= 2 => out.push_str(&number(civil.month)),
            'd' if count <= 2 => out.push_str(&number(civil.day)),
            'H' => out.push_str(&number(get("hour")?)),
            'h' => out.push_str(&number((get("hour")? + 11) % 12 + 1)),
            'm' => out.push_str(&number(get("minute")?)),
            's' => out.push_str(&number(get("second")?)),
            'f' => {
                let fraction = format!("{:07}", ticks.rem_euclid(datetime::TICKS_PER_SECOND));
                out.push_str(fraction.get(..count)?);
            }
            't' if count == 2 => out.push_str(if get("hour")? < 12 { "AM" } else { "PM" }),
            '/' | '-' | ':' | ' ' | '.' | ',' | '_' | '[' | ']' => out.push_str(&run),
            _ => return None,
        }
    }
    Some(out)
}

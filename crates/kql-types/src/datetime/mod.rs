//! datetime: ticks of 100 ns since 0001-01-01T00:00:00Z, years 1 to 9999.
//!
//! The proleptic Gregorian calendar without leap seconds. Everything here is arithmetic on ticks; what text
//! `todatetime` reads is in [`text`]. Begin at [`Civil`].

mod text;

pub use text::parse;

pub const TICKS_PER_MILLISECOND: i64 = 10_000;
pub const TICKS_PER_SECOND: i64 = 10_000_000;
pub const TICKS_PER_MINUTE: i64 = 60 * TICKS_PER_SECOND;
pub const TICKS_PER_HOUR: i64 = 3_600 * TICKS_PER_SECOND;
pub const TICKS_PER_DAY: i64 = 86_400 * TICKS_PER_SECOND;
/// 1970-01-01 in ticks.
pub const UNIX_EPOCH: i64 = 621_355_968_000_000_000;
pub const MIN: i64 = 0;
/// 9999-12-31T23:59:59.9999999Z.
pub const MAX: i64 = 3_155_378_975_999_999_999;

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Civil {
    /// 1 to 9999.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
}

impl Civil {
    /// The day of a moment (ticks).
    pub fn of(ticks: i64) -> Civil {
        // Days since 0000-03-01, so that the leap day ends a year of the cycle.
        let z = ticks.div_euclid(TICKS_PER_DAY) + 306;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = doy - (153 * mp + 2) / 5 + 1;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        Civil { year: yoe + era * 400 + i64::from(month <= 2), month, day }
    }

    /// Midnight of the day in ticks; None when there is no such day or the year is not 1 to 9999.
    pub fn ticks(self) -> Option<i64> {
        let in_year = (1..=9999).contains(&self.year) && (1..=12).contains(&self.month);
        if !in_year || !(1..=days_in_month(self.year, self.month)).contains(&self.day) {
            return None;
        }
        Some(days_before(self.year, self.month, self.day) * TICKS_PER_DAY)
    }

    /// 1 to 366.
    pub fn day_of_year(self) -> i64 {
        days_before(self.year, self.month, self.day) - days_before(self.year, 1, 1) + 1
    }

    /// The same day `months` later, or the last day of that month where it has no such day.
    pub fn add_months(self, months: i64) -> Option<Civil> {
        let total = (self.year * 12 + self.month - 1).checked_add(months)?;
        let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
        if !(1..=9999).contains(&year) {
            return None;
        }
        Some(Civil { year, month, day: self.day.min(days_in_month(year, month)) })
    }
}

/// Days from 0001-01-01 to the given day of the proleptic Gregorian calendar.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = if month > 2 { month - 3 } else { month + 9 };
    let doy = (153 * mp + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 306
}

pub fn is_leap_year(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of a month from 1 to 12.
pub fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap_year(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// 0 for Sunday to 6 for Saturday.
pub fn day_of_week(ticks: i64) -> i64 {
    // 0001-01-01 was a Monday.
    (ticks.div_euclid(TICKS_PER_DAY) + 1).rem_euclid(7)
}

/// The ISO 8601 week: 1 to 53, the week of the year's first Thursday is 1.
pub fn week_of_year(ticks: i64) -> i64 {
    let weekday = (day_of_week(ticks) + 6) % 7;
    let civil = Civil::of(ticks);
    let week = (civil.day_of_year() - 1 - weekday + 10) / 7;
    if week == 0 {
        return weeks_in_year(civil.year - 1);
    }
    if week == 53 && weeks_in_year(civil.year) == 52 { 1 } else { week }
}

fn weeks_in_year(year: i64) -> i64 {
    // 0 for Monday to 6 for Sunday.
    let weekday = |y| days_before(y, 1, 1).rem_euclid(7);
    if weekday(year) == 3 || (is_leap_year(year) && weekday(year) == 2) { 53 } else { 52 }
}

/// None when the moment is outside years 1 to 9999.
pub fn checked(ticks: i64) -> Option<i64> {
    (MIN..=MAX).contains(&ticks).then_some(ticks)
}

/// `2020-01-31T10:00:00.1234567Z`, always seven digits.
pub fn format(ticks: i64) -> String {
    let mut out = String::with_capacity(28);
    format_into(ticks, &mut out);
    out
}

/// Appends what [`format()`] gives.
pub fn format_into(ticks: i64, out: &mut String) {
    let civil = Civil::of(ticks);
    let of_day = ticks.rem_euclid(TICKS_PER_DAY);
    let seconds = of_day / TICKS_PER_SECOND;
    push_digits(out, civil.year, 4);
    out.push('-');
    push_digits(out, civil.month, 2);
    out.push('-');
    push_digits(out, civil.day, 2);
    out.push('T');
    push_digits(out, seconds / 3_600, 2);
    out.push(':');
    push_digits(out, seconds / 60 % 60, 2);
    out.push(':');
    push_digits(out, seconds % 60, 2);
    out.push('.');
    push_digits(out, of_day % TICKS_PER_SECOND, 7);
    out.push('Z');
}

/// Appends a number that is not negative, with at least `width` digits.
pub(crate) fn push_digits(out: &mut String, value: i64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    while rest > 0 || digits.len() - at < width.min(20) {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend(digits[at..].iter().map(|&digit| char::from(digit)));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn calendar() {
        assert_eq!(Civil::of(0), Civil { year: 1, month: 1, day: 1 });
        assert_eq!(Civil::of(MAX), Civil { year: 9999, month: 12, day: 31 });
        assert_eq!(Civil { year: 1970, month: 1, day: 1 }.ticks(), Some(UNIX_EPOCH));
        assert_eq!(Civil { year: 2021, month: 2, day: 29 }.ticks(), None);
        assert_eq!(Civil { year: 2020, month: 12, day: 31 }.day_of_year(), 366);
    }

    #[test]
    fn weeks() {
        let week = |text| week_of_year(parse(text).unwrap());
        assert_eq!(week("2016-01-01"), 53);
        assert_eq!(week("2017-01-01"), 52);
        assert_eq!(week("2020-12-31"), 53);
        assert_eq!(week("0001-01-01"), 1);
        assert_eq!(week("9999-12-31"), 52);
    }

    #[test]
    fn extremes() {
        assert_eq!(format(MIN), "0001-01-01T00:00:00.0000000Z");
        assert_eq!(format(MAX), "9999-12-31T23:59:59.9999999Z");
        assert_eq!(checked(MAX + 1), None);
    }

    proptest! {
        #[test]
        fn text_round_trip(ticks in MIN..=MAX) {
            prop_assert_eq!(parse(&format(ticks)), Some(ticks));
        }

        #[test]
        fn days_round_trip(day in 0i64..3_652_059) {
            let ticks = day * TICKS_PER_DAY;
            prop_assert_eq!(Civil::of(ticks).ticks(), Some(ticks));
        }
    }
}

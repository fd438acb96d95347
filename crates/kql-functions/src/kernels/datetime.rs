//! Datetimes by the calendar: borders of periods, parts, adding and counting periods, making.

use kql_types::ScalarType;
use kql_types::datetime::{
    Civil, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MILLISECOND, TICKS_PER_MINUTE, TICKS_PER_SECOND, UNIX_EPOCH,
    checked, day_of_week, week_of_year as iso_week,
};

use super::access::Numbers;
use super::conversion::{convert, real_at};
use super::dynamic_args::Dynamics;
use super::{Args, KernelError, KernelResult};
use arrow::datatypes::Int64Type;

/// A stretch of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Period {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    /// Of fixed length in ticks.
    Ticks(i64),
    /// A hundredth of a tick.
    Nanosecond,
}

impl Period {
    fn parse(name: &str) -> Option<Period> {
        Some(match name.to_ascii_lowercase().as_str() {
            "year" => Period::Year,
            "quarter" => Period::Quarter,
            "month" => Period::Month,
            "week" => Period::Week,
            "day" => Period::Day,
            "hour" => Period::Ticks(TICKS_PER_HOUR),
            "minute" => Period::Ticks(TICKS_PER_MINUTE),
            "second" => Period::Ticks(TICKS_PER_SECOND),
            "millisecond" => Period::Ticks(TICKS_PER_MILLISECOND),
            "microsecond" => Period::Ticks(10),
            "nanosecond" => Period::Nanosecond,
            _ => return None,
        })
    }

    /// The first moment of the period that holds `ticks`, moved by `offset` periods.
    fn start(self, ticks: i64, offset: i64) -> Option<i64> {
        let day = ticks - ticks.rem_euclid(TICKS_PER_DAY);
        let civil = Civil::of(ticks);
        match self {
            Period::Year => Civil { year: civil.year.checked_add(offset)?, month: 1, day: 1 }.ticks(),
            Period::Quarter => Civil { month: (civil.month - 1) / 3 * 3 + 1, day: 1, ..civil }
                .add_months(offset.checked_mul(3)?)?
                .ticks(),
            Period::Month => Civil { day: 1, ..civil }.add_months(offset)?.ticks(),
            Period::Week => checked(
                day.checked_sub(day_of_week(ticks) * TICKS_PER_DAY)?
                    .checked_add(offset.checked_mul(7)?.checked_mul(TICKS_PER_DAY)?)?,
            ),
            Period::Day => checked(day.checked_add(offset.checked_mul(TICKS_PER_DAY)?)?),
            Period::Ticks(length) => {
                checked((ticks - ticks.rem_euclid(length)).checked_add(offset.checked_mul(length)?)?)
            }
            Period::Nanosecond => None,
        }
    }

    /// The last tick of the period that holds `ticks`, moved by `offset` periods.
    fn end(self, ticks: i64, offset: i64) -> Option<i64> {
        let start = self.start(ticks, offset)?;
        let length = match self {
            Period::Year | Period::Month | Period::Quarter => {
                let months = match self {
                    Period::Year => 12,
                    Period::Quarter => 3,
                    _ => 1,
                };
                // The calendar ends with a year.
                let next = Civil::of(start).add_months(months).and_then(Civil::ticks);
                return Some(next.unwrap_or(kql_types::datetime::MAX + 1) - 1);
            }
            Period::Week => 7 * TICKS_PER_DAY,
            Period::Day => TICKS_PER_DAY,
            Period::Ticks(length) => length,
            Period::Nanosecond => return None,
        };
        checked(start + length - 1)
    }

    fn add(self, amount: i64, ticks: i64) -> Option<i64> {
        let months = match self {
            Period::Year => amount.checked_mul(12)?,
            Period::Quarter => amount.checked_mul(3)?,
            Period::Month => amount,
            Period::Week => return checked(ticks.checked_add(amount.checked_mul(7 * TICKS_PER_DAY)?)?),
            Period::Day => return checked(ticks.checked_add(amount.checked_mul(TICKS_PER_DAY)?)?),
            Period::Ticks(length) => return checked(ticks.checked_add(amount.checked_mul(length)?)?),
            Period::Nanosecond => return checked(ticks.checked_add(amount / 100)?),
        };
        let day = Civil::of(ticks).add_months(months)?.ticks()?;
        checked(day + ticks.rem_euclid(TICKS_PER_DAY))
    }

    /// Period borders between two moments. Weeks begin on Sunday.
    fn difference(self, left: i64, right: i64) -> i64 {
        let months = |ticks| {
            let civil = Civil::of(ticks);
            civil.year * 12 + civil.month - 1
        };
        let count = |ticks: i64| match self {
            Period::Year => Civil::of(ticks).year,
            Period::Quarter => months(ticks) / 3,
            Period::Month => months(ticks),
            // 0001-01-01 was a Monday.
            Period::Week => (ticks.div_euclid(TICKS_PER_DAY) + 1).div_euclid(7),
            Period::Day => ticks.div_euclid(TICKS_PER_DAY),
            Period::Ticks(length) => ticks.div_euclid(length),
            Period::Nanosecond => ticks,
        };
        let difference = count(left) - count(right);
        if self == Period::Nanosecond { difference.wrapping_mul(100) } else { difference }
    }
}

fn starts(period: Period, args: &Args<'_>) -> KernelResult {
    let (date, offset) = (args.long(0)?, args.long_or(1, 0)?);
    args.to_longs(|row| period.start(date.opt(row)?, offset.opt(row)?))
}

fn ends(period: Period, args: &Args<'_>) -> KernelResult {
    let (date, offset) = (args.long(0)?, args.long_or(1, 0)?);
    args.to_longs(|row| period.end(date.opt(row)?, offset.opt(row)?))
}

pub fn startofday(args: &Args<'_>) -> KernelResult {
    starts(Period::Day, args)
}

pub fn startofweek(args: &Args<'_>) -> KernelResult {
    starts(Period::Week, args)
}

pub fn startofmonth(args: &Args<'_>) -> KernelResult {
    starts(Period::Month, args)
}

pub fn startofyear(args: &Args<'_>) -> KernelResult {
    starts(Period::Year, args)
}

pub fn endofday(args: &Args<'_>) -> KernelResult {
    ends(Period::Day, args)
}

pub fn endofweek(args: &Args<'_>) -> KernelResult {
    ends(Period::Week, args)
}

pub fn endofmonth(args: &Args<'_>) -> KernelResult {
    ends(Period::Month, args)
}

pub fn endofyear(args: &Args<'_>) -> KernelResult {
    ends(Period::Year, args)
}

/// `dayofweek(date)`: null in the week that the calendar does not finish
/// (`print dayofweek(datetime(9999-12-31))`).
pub fn dayofweek(args: &Args<'_>) -> KernelResult {
    let date = args.long(0)?;
    args.to_longs(|row| {
        let ticks = date.opt(row)?;
        let day = day_of_week(ticks);
        checked(ticks + (7 - day) * TICKS_PER_DAY).map(|_| day * TICKS_PER_DAY)
    })
}

fn ints(args: &Args<'_>, f: impl Fn(i64) -> i64) -> KernelResult {
    let date = args.long(0)?;
    args.to_ints(|row| date.opt(row).map(|ticks| f(ticks) as i32))
}

pub fn dayofmonth(args: &Args<'_>) -> KernelResult {
    ints(args, |ticks| Civil::of(ticks).day)
}

pub fn dayofyear(args: &Args<'_>) -> KernelResult {
    ints(args, |ticks| Civil::of(ticks).day_of_year())
}

pub fn hourofday(args: &Args<'_>) -> KernelResult {
    ints(args, |ticks| ticks.rem_euclid(TICKS_PER_DAY) / TICKS_PER_HOUR)
}

pub fn week_of_year(args: &Args<'_>) -> KernelResult {
    ints(args, iso_week)
}

pub fn monthofyear(args: &Args<'_>) -> KernelResult {
    ints(args, |ticks| Civil::of(ticks).month)
}

pub fn getyear(args: &Args<'_>) -> KernelResult {
    ints(args, |ticks| Civil::of(ticks).year)
}

/// `datetime_part(part, date)`
pub fn datetime_part(args: &Args<'_>) -> KernelResult {
    let (part, date) = (args.text(0)?, args.long(1)?);
    let name = part.at(0).to_ascii_lowercase();
    let take: fn(i64) -> i64 = match name.as_str() {
        "year" => |ticks| Civil::of(ticks).year,
        "quarter" => |ticks| (Civil::of(ticks).month - 1) / 3 + 1,
        "month" => |ticks| Civil::of(ticks).month,
        "week_of_year" | "weekofyear" | "week" => iso_week,
        "day" => |ticks| Civil::of(ticks).day,
        "dayofyear" => |ticks| Civil::of(ticks).day_of_year(),
        "hour" => |ticks| ticks.rem_euclid(TICKS_PER_DAY) / TICKS_PER_HOUR,
        "minute" => |ticks| ticks.rem_euclid(TICKS_PER_HOUR) / TICKS_PER_MINUTE,
        "second" => |ticks| ticks.rem_euclid(TICKS_PER_MINUTE) / TICKS_PER_SECOND,
        "millisecond" => |ticks| ticks.rem_euclid(TICKS_PER_SECOND) / TICKS_PER_MILLISECOND,
        "microsecond" => |ticks| ticks.rem_euclid(TICKS_PER_SECOND) / 10,
        "nanosecond" => |ticks| ticks.rem_euclid(TICKS_PER_SECOND) * 100,
        _ => return Err(KernelError(format!("'{}' is no part of a datetime", part.at(0)))),
    };
    args.to_ints(|row| date.opt(row).map(|ticks| take(ticks) as i32))
}

/// `datetime_add(period, amount, date)`
pub fn datetime_add(args: &Args<'_>) -> KernelResult {
    let (period, amount, date) = (args.text(0)?, args.long(1)?, args.long(2)?);
    args.to_longs(|row| Period::parse(period.at(row))?.add(amount.opt(row)?, date.opt(row)?))
}

/// `datetime_diff(period, date1, date2)`: weeks are a real, all other periods a long.
pub fn datetime_diff(args: &Args<'_>) -> KernelResult {
    let (period, left, right) = (args.text(0)?, args.long(1)?, args.long(2)?);
    let count = |row| Some(Period::parse(period.at(row))?.difference(left.opt(row)?, right.opt(row)?));
    if args.returns == ScalarType::Real {
        return args.to_reals(|row| count(row).map(|weeks| weeks as f64));
    }
    args.to_longs(count)
}

/// Ticks of a second with a fraction, 0 up to 60.
fn second_ticks(seconds: f64) -> Option<i64> {
    let ticks = (seconds * TICKS_PER_SECOND as f64).round();
    (0.0..60.0 * TICKS_PER_SECOND as f64).contains(&ticks).then_some(ticks as i64)
}

/// `make_datetime(year, month, day[, hour, minute[, second]])`; with one argument as `todatetime`.
pub fn make_datetime(args: &Args<'_>) -> KernelResult {
    if args.count() == 1 {
        return convert(args);
    }
    let (year, month, day) = (args.long(0)?, args.long(1)?, args.long(2)?);
    let (hour, minute, second) = (args.long_or(3, 0)?, args.long_or(4, 0)?, args.real_or(5, 0.0)?);
    args.to_longs(|row| {
        let date = Civil { year: year.opt(row)?, month: month.opt(row)?, day: day.opt(row)? }.ticks()?;
        let (hour, minute) = (hour.opt(row)?, minute.opt(row)?);
        if !(0..24).contains(&hour) || !(0..60).contains(&minute) {
            return None;
        }
        let second = second_ticks(second.opt(row)?)?;
        checked(date + hour * TICKS_PER_HOUR + minute * TICKS_PER_MINUTE + second)
    })
}

/// `make_timespan(hour, minute[, second])`, `make_timespan(day, hour, minute, second)`; with one argument as `totimespan`.
pub fn make_timespan(args: &Args<'_>) -> KernelResult {
    if args.count() == 1 {
        return convert(args);
    }
    let days = if args.count() == 4 { Some(args.long(0)?) } else { None };
    let first = usize::from(days.is_some());
    let (hour, minute) = (args.long(first)?, args.long(first + 1)?);
    let second = args.real_or(first + 2, 0.0)?;
    let day_at = |days: &Option<Numbers<'_, Int64Type>>, row| match days {
        Some(days) => days.opt(row),
        None => Some(0),
    };
    args.to_longs(|row| {
        let (hour, minute) = (hour.opt(row)?, minute.opt(row)?);
        if !(0..24).contains(&hour) || !(0..60).contains(&minute) {
            return None;
        }
        let time = hour * TICKS_PER_HOUR + minute * TICKS_PER_MINUTE + second_ticks(second.opt(row)?)?;
        day_at(&days, row)?.checked_mul(TICKS_PER_DAY)?.checked_add(time)
    })
}

/// A number of units since 1970; `per_tick` units are a tick, or a unit is `ticks`.
fn from_unix(args: &Args<'_>, ticks: i64, per_tick: i64) -> KernelResult {
    if args.ty(0) == ScalarType::Long {
        let value = args.long(0)?;
        return args.to_longs(|row| {
            checked(value.opt(row)?.checked_mul(ticks)?.div_euclid(per_tick).checked_add(UNIX_EPOCH)?)
        });
    }
    let value = Dynamics::of(args, 0)?;
    args.to_longs(|row| {
        let since = (real_at(&value, row)? * ticks as f64 / per_tick as f64).round();
        if since.abs() < i64::MAX as f64 { checked((since as i64).checked_add(UNIX_EPOCH)?) } else { None }
    })
}

pub fn unixtime_seconds_todatetime(args: &Args<'_>) -> KernelResult {
    from_unix(args, TICKS_PER_SECOND, 1)
}

pub fn unixtime_milliseconds_todatetime(args: &Args<'_>) -> KernelResult {
    from_unix(args, TICKS_PER_MILLISECOND, 1)
}

pub fn unixtime_microseconds_todatetime(args: &Args<'_>) -> KernelResult {
    from_unix(args, 10, 1)
}

pub fn unixtime_nanoseconds_todatetime(args: &Args<'_>) -> KernelResult {
    from_unix(args, 1, 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::KernelFn;
    use crate::kernels::testing::{Cell, call};
    use kql_types::datetime;

    fn at(text: &str) -> Cell {
        Cell::DateTime(datetime::parse(text).unwrap())
    }

    #[track_caller]
    fn check(kernel: KernelFn, cells: &[Cell], expected: &str) {
        let found = match call(kernel, cells, ScalarType::DateTime) {
            Cell::Long(ticks) => datetime::format(ticks),
            _ => "null".to_owned(),
        };
        assert!(found.starts_with(expected), "{found} {expected}");
    }

    #[test]
    fn borders() {
        let t = at("2020-06-15 13:45:00");
        check(startofweek, &[t.clone(), (-2).into()], "2020-05-31T00:00:00.0");
        check(startofmonth, &[t.clone(), (-13).into()], "2019-05-01T00:00:00.0");
        check(startofyear, std::slice::from_ref(&t), "2020-01-01T00:00:00.0");
        check(endofweek, std::slice::from_ref(&t), "2020-06-20T23:59:59.9999999");
        check(endofmonth, &[at("2020-02-29")], "2020-02-29T23:59:59.9999999");
        check(endofyear, &[at("9999-12-31")], "9999-12-31T23:59:59.9999999");
        check(startofday, &[t, i64::MAX.into()], "null");
    }

    #[test]
    fn adding() {
        let add = |period: &str, amount: i64, t: &str, expected: &str| {
            check(datetime_add, &[period.into(), amount.into(), at(t)], expected);
        };
        add("month", 1, "2020-01-31", "2020-02-29T");
        add("quarter", -5, "2020-05-31", "2019-02-28T");
        add("year", 1, "2020-02-29", "2021-02-28T");
        add("week", -53, "2021-03-15 12:00:00", "2020-03-09T12:00:00");
        add("day", -1, "0001-01-01 12:00:00", "null");
        add("eon", 1, "2020-01-01", "null");
    }

    #[test]
    fn counting() {
        let count =
            |period: &str, a: &str, b: &str| call(datetime_diff, &[period.into(), at(a), at(b)], ScalarType::Long);
        assert_eq!(count("year", "2017-01-01", "2000-12-31"), Cell::Long(17));
        assert_eq!(count("quarter", "2017-07-01", "2017-03-30"), Cell::Long(2));
        assert_eq!(count("month", "2017-01-01", "2015-12-30"), Cell::Long(13));
        assert_eq!(count("week", "2017-10-29 00:00", "2017-09-30 23:59"), Cell::Long(5));
        assert_eq!(count("hour", "2017-10-31 01:00", "2017-10-30 23:59"), Cell::Long(2));
        assert_eq!(count("nanosecond", "2020-01-01 00:00:00.0000002", "2020-01-01"), Cell::Long(200));
    }

    #[test]
    fn parts_and_making() {
        let part = |name: &str| call(datetime_part, &[name.into(), at("2017-10-30 01:02:03.7654321")], ScalarType::Int);
        let parts =
            ["Year", "quarter", "month", "week_of_year", "dayOfYear", "millisecond", "microsecond", "nanosecond"];
        assert_eq!(parts.map(part), [2017, 4, 10, 44, 303, 765, 765_432, 765_432_100].map(Cell::Int));
        check(
            make_datetime,
            &[2020.into(), 2.into(), 29.into(), 23.into(), 59.into(), 1.5.into()],
            "2020-02-29T23:59:01.5",
        );
        check(make_datetime, &[2020.into(), 13.into(), 1.into()], "null");
        check(unixtime_milliseconds_todatetime, &[1_546_300_800_123_i64.into()], "2019-01-01T00:00:00.123");
        check(unixtime_seconds_todatetime, &[1_546_300_800.5.into()], "2019-01-01T00:00:00.5");
        check(unixtime_seconds_todatetime, &[i64::MAX.into()], "null");
        assert_eq!(call(dayofweek, &[at("9999-12-31")], ScalarType::TimeSpan), Cell::Null);
    }
}

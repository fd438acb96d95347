//! Wall-clock times of zones, from the IANA database.

use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;
use kql_types::Dynamic;
use kql_types::datetime::{TICKS_PER_SECOND, UNIX_EPOCH, checked};

use super::{Args, KernelResult};

/// `datetime_utc_to_local(from, timezone)`
pub fn datetime_utc_to_local(args: &Args<'_>) -> KernelResult {
    shifted(args, |zone, ticks| ticks.checked_add(utc_offset(zone, ticks)?))
}

/// `datetime_local_to_utc(from, timezone)`: a time that comes twice counts as the first, one that the clock skips
/// with the offset of after the change.
pub fn datetime_local_to_utc(args: &Args<'_>) -> KernelResult {
    shifted(args, |zone, ticks| ticks.checked_sub(local_offset(zone, ticks)?))
}

fn shifted(args: &Args<'_>, shift: fn(Tz, i64) -> Option<i64>) -> KernelResult {
    let (date, zone) = (args.long(0)?, args.text(1)?);
    let constant: Option<Option<Tz>> = zone.constant().map(parse_zone);
    args.to_longs(|row| {
        let zone = match constant {
            Some(zone) => zone,
            None => parse_zone(zone.at(row)),
        };
        checked(shift(zone?, date.opt(row)?)?)
    })
}

fn parse_zone(name: &str) -> Option<Tz> {
    name.parse().ok().or_else(|| Tz::from_str_insensitive(name).ok())
}

fn naive(ticks: i64) -> Option<NaiveDateTime> {
    let since = ticks - UNIX_EPOCH;
    let nanoseconds = since.rem_euclid(TICKS_PER_SECOND) * 100;
    DateTime::from_timestamp(since.div_euclid(TICKS_PER_SECOND), nanoseconds as u32).map(|moment| moment.naive_utc())
}

fn utc_offset(zone: Tz, ticks: i64) -> Option<i64> {
    let offset = zone.offset_from_utc_datetime(&naive(ticks)?).fix();
    Some(i64::from(offset.local_minus_utc()) * TICKS_PER_SECOND)
}

fn local_offset(zone: Tz, ticks: i64) -> Option<i64> {
    let local = naive(ticks)?;
    let offset = match zone.offset_from_local_datetime(&local) {
        LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => offset,
        LocalResult::None => zone.offset_from_utc_datetime(&local.checked_add_signed(Duration::days(1))?),
    };
    Some(i64::from(offset.fix().local_minus_utc()) * TICKS_PER_SECOND)
}

/// `datetime_list_timezones()`
pub fn datetime_list_timezones(args: &Args<'_>) -> KernelResult {
    let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| Dynamic::String(zone.name().to_owned())).collect();
    let text = Dynamic::Array(names).to_canonical();
    args.to_dynamics(|_, out| {
        out.push_str(&text);
        Some(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType;
    use kql_types::datetime::parse;

    fn shift(kernel: crate::kernels::KernelFn, text: &str, zone: &str) -> Cell {
        call(kernel, &[Cell::DateTime(parse(text).unwrap()), zone.into()], ScalarType::DateTime)
    }

    #[test]
    fn zones() {
        let at = |text| Cell::Long(parse(text).unwrap());
        assert_eq!(shift(datetime_utc_to_local, "2024-07-01 12:00", "Europe/Zurich"), at("2024-07-01 14:00"));
        assert_eq!(shift(datetime_local_to_utc, "2020-02-02 20:02:20", "US/Pacific"), at("2020-02-03 04:02:20"));
        // The clock skips this hour.
        assert_eq!(shift(datetime_local_to_utc, "2022-03-27 02:00", "Europe/Brussels"), at("2022-03-27 00:00"));
        assert_eq!(shift(datetime_utc_to_local, "2024-07-01", "Nowhere/Land"), Cell::Null);
    }
}

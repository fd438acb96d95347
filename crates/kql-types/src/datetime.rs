//! datetime: ticks of 100 ns since 0001-01-01T00:00:00Z, years 1 to 9999.

pub const TICKS_PER_SECOND: i64 = 10_000_000;
pub const TICKS_PER_DAY: i64 = 86_400 * TICKS_PER_SECOND;
/// 1970-01-01 in ticks.
pub const UNIX_EPOCH: i64 = 621_355_968_000_000_000;
pub const MIN: i64 = 0;
/// 9999-12-31T23:59:59.9999999Z.
pub const MAX: i64 = 3_155_378_975_999_999_999;

/// Reads any text form `todatetime` accepts (ISO 8601 with or without zone, RFC 822/850, `1/31/2020 ...`,
/// ...); no zone means UTC.
pub fn parse(_text: &str) -> Option<i64> {
    None
}

/// `2020-01-31T10:00:00.1234567Z`, always seven digits.
pub fn format(_ticks: i64) -> String {
    String::new()
}

//! timespan: ticks of 100 ns, signed.

/// Reads `[-][d.]hh:mm[:ss[.fffffff]]`, a bare number of days, and the literal forms `1d`, `2.5h`, `100ms`, `1tick`.
pub fn parse(_text: &str) -> Option<i64> {
    None
}

/// `[-][d.]hh:mm:ss[.fffffff]`.
pub fn format(_ticks: i64) -> String {
    String::new()
}

//! Numbers as text: how `tostring(real)` prints, how `toint`, `tolong`, `todouble`, `todecimal` read.

/// The shortest round-trip form Kusto prints for a real (`1.0`, `1e+20`, `NaN`, `Infinity`).
pub fn format_real(_value: f64) -> String {
    String::new()
}

/// Reads a long: decimal or `0x` hexadecimal, sign, surrounding blanks.
pub fn parse_long(_text: &str) -> Option<i64> {
    None
}

/// Reads a real, `nan`, `+inf`, `-inf`.
pub fn parse_real(_text: &str) -> Option<f64> {
    None
}

/// Reads a decimal, with exponent, into plain digits.
pub fn parse_decimal(_text: &str) -> Option<String> {
    None
}

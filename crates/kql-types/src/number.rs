//! Numbers as text: how `tostring(real)` prints, how `toint`, `tolong`, `todouble`, `todecimal` read.

/// How Kusto prints a real: `1.0`, `0.30000000000000007`, `1e+21`, `NaN`, `inf`.
///
/// Kusto prints the fewest digits that read back the same, and of these the greatest value:
/// `print tostring(0.1 + 0.2)` is `0.30000000000000007`, where the nearest decimal would end in 4.
pub fn format_real(value: f64) -> String {
    let mut out = String::with_capacity(24);
    format_real_into(value, &mut out);
    out
}

/// Appends what [`format_real`] gives.
pub fn format_real_into(value: f64, out: &mut String) {
    if value.is_nan() {
        return out.push_str("NaN");
    }
    if value.is_sign_negative() {
        out.push('-');
    }
    let value = value.abs();
    if value.is_infinite() {
        return out.push_str("inf");
    }
    if value == 0.0 {
        return out.push_str("0.0");
    }
    let (digits, exponent) = shortest_digits(value);
    place_point(&digits, exponent, out);
}

/// Digits without leading or trailing zeros, and the power of ten of the first one.
fn shortest_digits(value: f64) -> (Vec<u8>, i32) {
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let mut digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    // Up to 15 digits there is only one decimal that reads back.
    if digits.len() >= 16 {
        while let Some(next) = next_decimal(&digits) {
            if read_digits(&next, exponent) != Some(value) {
                break;
            }
            digits = next;
        }
    }
    while digits.len() > 1 && digits.last() == Some(&b'0') {
        digits.pop();
    }
    (digits, exponent)
}

/// The next decimal with as many digits; None after 99...9.
fn next_decimal(digits: &[u8]) -> Option<Vec<u8>> {
    let mut next = digits.to_vec();
    for digit in next.iter_mut().rev() {
        if *digit == b'9' {
            *digit = b'0';
        } else {
            *digit += 1;
            return Some(next);
        }
    }
    None
}

fn read_digits(digits: &[u8], exponent: i32) -> Option<f64> {
    let digits = std::str::from_utf8(digits).ok()?;
    let (first, rest) = digits.split_at(1);
    format!("{first}.{rest}e{exponent}").parse().ok()
}

/// Plain notation from 1e-6 up to 21 digits before the point, else one digit before the point and an exponent.
fn place_point(digits: &[u8], exponent: i32, out: &mut String) {
    let push = |out: &mut String, digits: &[u8]| out.extend(digits.iter().map(|&digit| char::from(digit)));
    let zeros = |out: &mut String, count: i32| (0..count).for_each(|_| out.push('0'));
    let before_point = exponent + 1;
    if before_point > 21 || before_point <= -6 {
        push(out, &digits[..1]);
        if digits.len() > 1 {
            out.push('.');
            push(out, &digits[1..]);
        }
        out.push('e');
        out.push(if exponent < 0 { '-' } else { '+' });
        let exponent = exponent.unsigned_abs();
        if exponent < 10 {
            out.push('0');
        }
        out.push_str(&exponent.to_string());
        return;
    }
    if before_point <= 0 {
        out.push_str("0.");
        zeros(out, -before_point);
        return push(out, digits);
    }
    let split = digits.len().min(before_point as usize);
    push(out, &digits[..split]);
    zeros(out, before_point - split as i32);
    out.push('.');
    if split < digits.len() {
        push(out, &digits[split..]);
    } else {
        out.push('0');
    }
}

/// Reads a long: decimal or `0x` hexadecimal (up to 64 bits, two's complement), sign, surrounding blanks.
pub fn parse_long(text: &str) -> Option<i64> {
    let text = text.trim_ascii();
    match hexadecimal(text) {
        Some(digits) => u64::from_str_radix(digits, 16).ok().map(|bits| bits as i64),
        None => text.parse().ok(),
    }
}

/// Reads an int as [`parse_long`] reads a long.
pub fn parse_int(text: &str) -> Option<i32> {
    let text = text.trim_ascii();
    match hexadecimal(text) {
        Some(digits) => u32::from_str_radix(digits, 16).ok().map(|bits| bits as i32),
        None => text.parse().ok(),
    }
}

/// The digits after `0x`; a sign in front makes it no number, as in Kusto.
fn hexadecimal(text: &str) -> Option<&str> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then_some(digits)
}

/// Reads a real; of words only `NaN`, `nan`, `Inf`, `inf`, `Infinity`, `infinity` with an optional sign, as in Kusto,
/// where `todouble("INF")` is null.
pub fn parse_real(text: &str) -> Option<f64> {
    let text = text.trim_ascii();
    if text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
        return text.parse().ok();
    }
    let (sign, word) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    match word {
        "NaN" | "nan" => Some(f64::NAN),
        "Inf" | "inf" | "Infinity" | "infinity" => Some(sign * f64::INFINITY),
        _ => None,
    }
}

/// Digits kept after the point of a decimal.
pub const DECIMAL_SCALE: usize = 38;
/// Digits of a decimal in all.
pub const DECIMAL_PRECISION: usize = 76;

/// Reads a decimal, with exponent, into plain digits: optional minus, digits, and a point with digits that do not
/// end in zero. More than 38 digits after the point are cut off; more than 38 before it are no decimal.
pub fn parse_decimal(text: &str) -> Option<String> {
    let text = text.trim_ascii();
    let (negative, body) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (body, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() || !(-500..=500).contains(&exponent) || mantissa.len() > 1_000 {
        return None;
    }
    if !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits: String = [whole, fraction].concat();
    let point = whole.len() as i32 + exponent;
    let (before, after) = if point <= 0 {
        (String::new(), "0".repeat(point.unsigned_abs() as usize) + &digits)
    } else if point as usize >= digits.len() {
        (digits.clone() + &"0".repeat(point as usize - digits.len()), String::new())
    } else {
        (digits[..point as usize].to_owned(), digits[point as usize..].to_owned())
    };
    let before = before.trim_start_matches('0');
    let after = after.get(..after.len().min(DECIMAL_SCALE))?.trim_end_matches('0');
    if before.len() > DECIMAL_PRECISION - DECIMAL_SCALE {
        return None;
    }
    let mut out = String::with_capacity(before.len() + after.len() + 3);
    if negative && !(before.is_empty() && after.is_empty()) {
        out.push('-');
    }
    out.push_str(if before.is_empty() { "0" } else { before });
    if !after.is_empty() {
        out.push('.');
        out.push_str(after);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    #[allow(clippy::excessive_precision)]
    fn reals_print_as_kusto_prints() {
        for (value, expected) in [
            (1.0, "1.0"),
            (1.5, "1.5"),
            (-0.0, "-0.0"),
            (0.1 + 0.2, "0.30000000000000007"),
            (1.0 / 3.0, "0.3333333333333333"),
            (100_000_000_000.0, "100000000000.0"),
            (9.999999999999998, "9.999999999999999"),
            (40.764_323_000_000_005, "40.764323000000008"),
            (40.764_226_000_000_01, "40.76422600000001"),
            (0.000_001, "0.000001"),
            (1e-7, "1e-07"),
            (1.25e-10, "1.25e-10"),
            (1e20, "100000000000000000000.0"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(format_real(value), expected);
        }
    }

    #[test]
    fn longs() {
        for (text, expected) in [
            (" 123 ", Some(123)),
            ("\t456\t", Some(456)),
            ("00789", Some(789)),
            ("+0", Some(0)),
            ("0X1f", Some(31)),
            ("0xFFFFFFFFFFFFFFFF", Some(-1)),
            ("-0x10", None),
            ("0x", None),
            ("0b101", None),
            ("12.5", None),
            ("", None),
            ("9223372036854775808", None),
            ("-9223372036854775808", Some(i64::MIN)),
        ] {
            assert_eq!(parse_long(text), expected, "{text}");
        }
        assert_eq!(parse_int("0x7FFFFFFF"), Some(i32::MAX));
        assert_eq!(parse_int("2147483648"), None);
    }

    #[test]
    fn reals() {
        for (text, expected) in [
            ("1.5e10", Some(1.5e10)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            (" 3.25 ", Some(3.25)),
            ("1e400", Some(f64::INFINITY)),
            ("Infinity", Some(f64::INFINITY)),
            ("+Infinity", Some(f64::INFINITY)),
            ("-inf", Some(f64::NEG_INFINITY)),
            ("INF", None),
            ("1_000", None),
            ("0x10", None),
            ("1,234", None),
            ("1 000", None),
            ("", None),
        ] {
            assert_eq!(parse_real(text), expected, "{text}");
        }
        assert!(parse_real(" NaN ").is_some_and(f64::is_nan));
    }

    #[test]
    fn decimals() {
        for (text, expected) in [
            ("1.50", Some("1.5")),
            ("-0.0", Some("0")),
            ("1e3", Some("1000")),
            ("1.25e-3", Some("0.00125")),
            (".5", Some("0.5")),
            ("12.", Some("12")),
            ("1e38", None),
            ("", None),
            (".", None),
            ("1x", None),
            ("1e99999999999", None),
        ] {
            assert_eq!(parse_decimal(text).as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_real_reads_back(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let text = format_real(value);
            prop_assert_eq!(parse_real(&text).map(f64::to_bits), Some(bits), "{}", text);
        }

        #[test]
        fn a_short_real_prints_as_written(whole in 0u32..1_000_000, cents in 1u32..100) {
            let value = f64::from(whole) + f64::from(cents) / 100.0;
            let expected = format!("{value}");
            prop_assert_eq!(format_real(value), expected);
        }

        #[test]
        fn a_long_reads_back(value: i64) {
            prop_assert_eq!(parse_long(&value.to_string()), Some(value));
        }

        #[test]
        fn a_decimal_is_stable(text in "-?[0-9]{1,38}(\\.[0-9]{1,38})?") {
            let once = parse_decimal(&text);
            prop_assert_eq!(once.as_deref().and_then(parse_decimal), once);
        }

        #[test]
        fn any_text_is_safe(text in ".{0,30}") {
            let _ = (parse_long(&text), parse_real(&text), parse_decimal(&text), parse_int(&text));
        }
    }
}

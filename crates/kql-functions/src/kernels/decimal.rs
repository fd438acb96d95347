//! Decimal arithmetic on integers in units of 1e-38.
//!
//! Kusto's decimals keep 34 significant digits: every result is rounded to these, halves to the even digit. What
//! does not fit is None.

use arrow::datatypes::i256;
use kql_types::number::DECIMAL_SCALE;

pub use super::printed::{parse_decimal as parse, write_decimal as write};

/// Significant digits of a result.
const DIGITS: u32 = 34;

/// One, in units.
pub fn one() -> i256 {
    power_of_ten(DECIMAL_SCALE as u32)
}

fn power_of_ten(exponent: u32) -> i256 {
    i256::from_i128(10).wrapping_pow(exponent)
}

pub fn from_long(value: i64) -> i256 {
    // 19 digits and 38 more fit into 76.
    i256::from_i128(i128::from(value)).wrapping_mul(one())
}

/// The decimal of the shortest text of a real; None for NaN, infinities and what is too large.
pub fn from_real(value: f64) -> Option<i256> {
    if value.is_finite() { parse(&format!("{value:e}")) } else { None }
}

pub fn to_real(value: i256) -> f64 {
    let mut text = String::new();
    write(value, &mut text);
    text.parse().unwrap_or(f64::NAN)
}

/// Cuts towards zero; the low 64 bits of what is larger.
pub fn to_long(value: i256) -> i64 {
    let whole = value.wrapping_div(one());
    whole.to_i128().map_or(0, |whole| whole as i64)
}

pub fn add(a: i256, b: i256) -> Option<i256> {
    rounded(a.checked_add(b)?)
}

pub fn subtract(a: i256, b: i256) -> Option<i256> {
    rounded(a.checked_sub(b)?)
}

pub fn multiply(a: i256, b: i256) -> Option<i256> {
    // (a1 + a0) * (b1 + b0), whole and broken parts apart: no product but the first can be too large.
    let one = one();
    let (a1, a0) = (a.wrapping_div(one), a.wrapping_rem(one));
    let (b1, b0) = (b.wrapping_div(one), b.wrapping_rem(one));
    let whole = a1.checked_mul(b1)?.checked_mul(one)?;
    let cross = a1.checked_mul(b0)?.checked_add(a0.checked_mul(b1)?)?;
    let broken = a0.checked_mul(b0)?.wrapping_div(one);
    rounded(whole.checked_add(cross)?.checked_add(broken)?)
}

/// None for a division by zero.
pub fn divide(a: i256, b: i256) -> Option<i256> {
    if b == i256::ZERO {
        return None;
    }
    let ten = i256::from_i128(10);
    let mut quotient = a.checked_div(b)?;
    let mut rest = a.checked_rem(b)?;
    let mut divisor = b;
    for _ in 0..DECIMAL_SCALE {
        let next = match rest.checked_mul(ten) {
            Some(next) => next,
            None => {
                divisor = divisor.wrapping_div(ten);
                rest
            }
        };
        quotient = quotient.checked_mul(ten)?.checked_add(next.checked_div(divisor)?)?;
        rest = next.checked_rem(divisor)?;
    }
    rounded(quotient)
}

/// Never negative; None for a division by zero.
pub fn modulo(a: i256, b: i256) -> Option<i256> {
    let rest = a.checked_rem(b)?;
    if rest.is_negative() { rest.checked_add(if b.is_negative() { b.checked_neg()? } else { b }) } else { Some(rest) }
}

/// Rounds to a number of digits after the point, halves away from zero.
pub fn round(value: i256, digits: i64) -> Option<i256> {
    let cut = DECIMAL_SCALE as i64 - digits;
    if cut <= 0 {
        return Some(value);
    }
    let Ok(cut) = u32::try_from(cut) else { return Some(i256::ZERO) };
    if cut > 76 {
        return Some(i256::ZERO);
    }
    let unit = power_of_ten(cut);
    let half = unit.wrapping_div(i256::from_i128(2));
    let shifted = if value.is_negative() { value.checked_sub(half)? } else { value.checked_add(half)? };
    Some(shifted.wrapping_div(unit).wrapping_mul(unit))
}

/// The least whole number that is not less.
pub fn ceiling(value: i256) -> Option<i256> {
    let rest = value.checked_rem(one())?;
    let whole = value.checked_sub(rest)?;
    if rest.is_positive() { whole.checked_add(one()) } else { Some(whole) }
}

/// To [`DIGITS`] significant digits, halves to even.
fn rounded(value: i256) -> Option<i256> {
    let limit = power_of_ten(DIGITS);
    let magnitude = value.checked_abs()?;
    if magnitude < limit {
        return Some(value);
    }
    let digits = magnitude.to_string().len() as u32;
    let unit = power_of_ten(digits - DIGITS);
    let (mut kept, rest) = (magnitude.wrapping_div(unit), magnitude.wrapping_rem(unit));
    let twice = rest.checked_mul(i256::from_i128(2))?;
    let odd = kept.wrapping_rem(i256::from_i128(2)) != i256::ZERO;
    if twice > unit || (twice == unit && odd) {
        kept = kept.wrapping_add(i256::ONE);
    }
    let result = kept.checked_mul(unit)?;
    if value.is_negative() { result.checked_neg() } else { Some(result) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn text(value: Option<i256>) -> String {
        let mut out = String::new();
        write(value.unwrap(), &mut out);
        out
    }

    fn d(text: &str) -> i256 {
        parse(text).unwrap()
    }

    #[test]
    fn exact() {
        assert_eq!(text(add(d("0.1"), d("0.2"))), "0.3");
        assert_eq!(text(subtract(d("5.5"), d("2.2"))), "3.3");
        assert_eq!(text(multiply(d("1.5"), d("2.0"))), "3");
        assert_eq!(text(multiply(d("-123456789.5"), d("1000000000000.25"))), "-123456789500030864197.375");
        assert_eq!(text(divide(d("1"), d("3"))), "0.3333333333333333333333333333333333");
        assert_eq!(text(divide(d("-7"), d("2"))), "-3.5");
        assert_eq!(
            text(divide(d("2"), d("12345678901234567890123456789012345678"))),
            "0.00000000000000000000000000000000000016"
        );
        assert_eq!(divide(d("1"), d("0")), None);
        assert_eq!(text(modulo(d("-7.5"), d("2"))), "0.5");
        assert_eq!(modulo(d("1"), d("0")), None);
    }

    #[test]
    fn conversions() {
        assert_eq!(text(Some(from_long(i64::MIN))), "-9223372036854775808");
        assert_eq!(text(from_real(0.1)), "0.1");
        assert_eq!(from_real(f64::NAN), None);
        assert_eq!(to_long(d("-2.9")), -2);
        assert_eq!(to_real(d("1.25")), 1.25);
    }

    #[test]
    fn rounding() {
        assert_eq!(text(round(d("2.345"), 2)), "2.35");
        assert_eq!(text(round(d("-2.5"), 0)), "-3");
        assert_eq!(text(round(d("1234"), -2)), "1200");
        assert_eq!(text(ceiling(d("-1.5"))), "-1");
        assert_eq!(text(ceiling(d("1.01"))), "2");
    }
}

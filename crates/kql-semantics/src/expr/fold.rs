//! Arithmetic over literals, as the engine computes it: wrapping integers, truncating division, `%` never negative.

use kql_syntax::ast::BinaryOp;
use kql_types::{ScalarType, Value};

use super::literal::converted;

/// The value of `-x`.
pub(super) fn negative(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Int(n) => Value::Int(n.wrapping_neg()),
        Value::Long(n) => Value::Long(n.wrapping_neg()),
        Value::Real(x) => Value::Real(-x),
        Value::TimeSpan(ticks) => Value::TimeSpan(ticks.checked_neg()?),
        Value::Decimal(text) => Value::Decimal(match text.strip_prefix('-') {
            Some(positive) => positive.to_string(),
            None => format!("-{text}"),
        }),
        Value::Null(ty) => Value::Null(*ty),
        _ => return None,
    })
}

/// The value of an operator over two literals, of type `ty`; None where it is left to the engine.
pub(super) fn arithmetic(op: BinaryOp, left: &Value, right: &Value, ty: ScalarType) -> Option<Value> {
    use Value::{DateTime, Long, Real, TimeSpan};
    if matches!(left, Value::Null(_)) || matches!(right, Value::Null(_)) {
        return Some(Value::Null(ty));
    }
    if left.ty().is_number() && right.ty().is_number() {
        return match (converted(left, ty)?, converted(right, ty)?) {
            (Long(a), Long(b)) => Some(long(op, a, b)),
            (Real(a), Real(b)) => real(op, a, b).map(Real),
            _ => None,
        };
    }
    let number = |value: &Value| match converted(value, ScalarType::Real) {
        Some(Real(x)) => Some(x),
        _ => None,
    };
    let date = |ticks: i64| {
        Some(if (0..=kql_types::datetime::MAX).contains(&ticks) { DateTime(ticks) } else { Value::Null(ty) })
    };
    Some(match (left, op, right) {
        (TimeSpan(a), BinaryOp::Add, TimeSpan(b)) => TimeSpan(a.checked_add(*b)?),
        (TimeSpan(a), BinaryOp::Sub, TimeSpan(b)) => TimeSpan(a.checked_sub(*b)?),
        (TimeSpan(a), BinaryOp::Div, TimeSpan(b)) => Real(*a as f64 / *b as f64),
        (TimeSpan(a), BinaryOp::Mul, Long(n)) | (Long(n), BinaryOp::Mul, TimeSpan(a)) => TimeSpan(a.checked_mul(*n)?),
        (TimeSpan(a), BinaryOp::Div, Long(n)) if *n != 0 => TimeSpan(a / n),
        (TimeSpan(a), BinaryOp::Mul, other) | (other, BinaryOp::Mul, TimeSpan(a)) => ticks(*a as f64 * number(other)?)?,
        (TimeSpan(a), BinaryOp::Div, other) => ticks(*a as f64 / number(other)?)?,
        (DateTime(a), BinaryOp::Add, TimeSpan(b)) | (TimeSpan(b), BinaryOp::Add, DateTime(a)) => {
            date(a.checked_add(*b)?)?
        }
        (DateTime(a), BinaryOp::Sub, TimeSpan(b)) => date(a.checked_sub(*b)?)?,
        (DateTime(a), BinaryOp::Sub, DateTime(b)) => TimeSpan(a - b),
        _ => return None,
    })
}

fn ticks(value: f64) -> Option<Value> {
    (value.is_finite() && value.abs() < 9.2e18).then_some(Value::TimeSpan(value as i64))
}

fn long(op: BinaryOp, a: i64, b: i64) -> Value {
    match op {
        BinaryOp::Add => Value::Long(a.wrapping_add(b)),
        BinaryOp::Sub => Value::Long(a.wrapping_sub(b)),
        BinaryOp::Mul => Value::Long(a.wrapping_mul(b)),
        BinaryOp::Div if b != 0 => Value::Long(a.wrapping_div(b)),
        BinaryOp::Mod if b != 0 => Value::Long(a.wrapping_rem_euclid(b)),
        _ => Value::Null(ScalarType::Long),
    }
}

fn real(op: BinaryOp, a: f64, b: f64) -> Option<f64> {
    Some(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div => a / b,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_wrap_and_divide_as_the_engine_does() {
        let fold = |op, a, b| arithmetic(op, &Value::Long(a), &Value::Long(b), ScalarType::Long);
        assert_eq!(fold(BinaryOp::Add, i64::MAX, 1), Some(Value::Long(i64::MIN)));
        assert_eq!(fold(BinaryOp::Div, 7, 2), Some(Value::Long(3)));
        assert_eq!(fold(BinaryOp::Mod, -7, 3), Some(Value::Long(2)));
        assert_eq!(fold(BinaryOp::Div, 1, 0), Some(Value::Null(ScalarType::Long)));
    }

    #[test]
    fn times_fold() {
        let day = Value::TimeSpan(864_000_000_000);
        assert_eq!(
            arithmetic(BinaryOp::Mul, &day, &Value::Long(7), ScalarType::TimeSpan),
            Some(Value::TimeSpan(6_048_000_000_000))
        );
        assert_eq!(
            arithmetic(BinaryOp::Sub, &Value::DateTime(0), &day, ScalarType::DateTime),
            Some(Value::Null(ScalarType::DateTime))
        );
    }
}

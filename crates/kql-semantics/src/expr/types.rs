//! Which operators are defined for which types, and what they give: Kusto's own tables.
//!
//! `T | extend x = long + timespan` is refused here, before any kernel is chosen. [`ScalarType::Unknown`] goes with
//! everything, so that one mistake is reported once.

use kql_syntax::ast::BinaryOp;
use kql_types::ScalarType::{self, *};

/// How wide a number type is: each holds the values of those before it.
fn width(ty: ScalarType) -> Option<u8> {
    Some(match ty {
        Int => 0,
        Long => 1,
        Real => 2,
        Decimal => 3,
        _ => return None,
    })
}

/// Whether a value of `from` becomes one of `to` without a word.
pub(crate) fn promotes(from: ScalarType, to: ScalarType) -> bool {
    from == to || matches!((width(from), width(to)), (Some(a), Some(b)) if a < b)
}

/// The wider of two number types.
pub(crate) fn widest(a: ScalarType, b: ScalarType) -> ScalarType {
    if width(a) >= width(b) { a } else { b }
}

/// A number, timespan or datetime.
pub(crate) fn is_summable(ty: ScalarType) -> bool {
    ty.is_number() || matches!(ty, DateTime | TimeSpan)
}

/// Everything with an order: all but dynamic.
pub(crate) fn is_orderable(ty: ScalarType) -> bool {
    ty != Dynamic
}

/// The type that all given ones become silently: the widest number, dynamic when one of them is.
pub(crate) fn common(types: impl IntoIterator<Item = ScalarType>) -> Option<ScalarType> {
    let mut found: Option<ScalarType> = None;
    for ty in types {
        found = Some(match found {
            None => ty,
            Some(other) if other == ty => ty,
            Some(Unknown) => Unknown,
            Some(_) if ty == Unknown => Unknown,
            Some(Dynamic) => Dynamic,
            Some(_) if ty == Dynamic => Dynamic,
            Some(other) if promotes(other, ty) => ty,
            Some(other) if promotes(ty, other) => other,
            Some(_) => return None,
        });
    }
    found
}

/// As [`common`], but dynamic gives way: `iff(c, dynamic_value, "x")` is a string. Types with nothing in common
/// meet in dynamic.
pub(crate) fn common_value(types: &[ScalarType]) -> ScalarType {
    match common(types.iter().copied().filter(|ty| *ty != Dynamic)) {
        Some(ty) => ty,
        None => Dynamic,
    }
}

/// The type of `+ - * / %` over two types; None where it is not defined.
pub(crate) fn arithmetic(op: BinaryOp, left: ScalarType, right: ScalarType) -> Option<ScalarType> {
    use BinaryOp::*;
    Some(match (left, right) {
        (Unknown, _) | (_, Unknown) => Unknown,
        (l, r) if l.is_number() && r.is_number() => widest(widest(l, r), Long),
        (Dynamic, Dynamic) => Dynamic,
        (Dynamic, other) | (other, Dynamic)
            if other.is_number() || (matches!(op, Add | Sub) && matches!(other, DateTime | TimeSpan)) =>
        {
            if other == Int { Long } else { other }
        }
        (TimeSpan, TimeSpan) => match op {
            Div => Real,
            _ => TimeSpan,
        },
        (DateTime, TimeSpan) => match op {
            Add | Sub => DateTime,
            Div => Real,
            Mod => TimeSpan,
            _ => return None,
        },
        (TimeSpan, DateTime) if matches!(op, Add | Sub) => DateTime,
        (DateTime, DateTime) => match op {
            Add => DateTime,
            Sub | Mod => TimeSpan,
            Div => Real,
            _ => return None,
        },
        (TimeSpan, r) if r.is_number() && matches!(op, Mul | Div | Mod) => TimeSpan,
        (l, TimeSpan) if l.is_number() && op == Mul => TimeSpan,
        (DateTime, r) if r.is_number() && matches!(op, Mul | Div | Mod) => DateTime,
        (l, DateTime) if l.is_number() && op == Mul => DateTime,
        _ => return None,
    })
}

/// Whether `< <= > >=` is defined.
pub(crate) fn ordered(left: ScalarType, right: ScalarType) -> bool {
    match (left, right) {
        (Unknown, _) | (_, Unknown) => true,
        (Bool, r) => r.is_number() || r == Bool,
        (l, Bool) => l.is_number(),
        (TimeSpan, TimeSpan) | (DateTime, DateTime) | (Dynamic, Dynamic) => true,
        (Dynamic, other) | (other, Dynamic) => other.is_number(),
        (l, r) => l.is_number() && r.is_number(),
    }
}

/// Whether `value between (low .. high)` is defined.
pub(crate) fn between(value: ScalarType, low: ScalarType, high: ScalarType) -> bool {
    if [value, low, high].contains(&Unknown) {
        return true;
    }
    let number = |ty: ScalarType| ty.is_number();
    (number(value) && number(low) && number(high))
        || (is_summable(value) && low == value && high == value)
        || (value == DateTime && low == DateTime && high == TimeSpan)
        || (number(value) && low == Dynamic && high == Dynamic)
        || (value == Dynamic && number(low) && number(high))
}

pub(crate) fn is_text(ty: ScalarType) -> bool {
    matches!(ty, String | Dynamic | Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_widen_to_long_and_meet_in_the_wider_type() {
        assert_eq!(arithmetic(BinaryOp::Add, Int, Int), Some(Long));
        assert_eq!(arithmetic(BinaryOp::Div, Long, Real), Some(Real));
        assert_eq!(arithmetic(BinaryOp::Mul, Real, Decimal), Some(Decimal));
    }

    #[test]
    fn times() {
        assert_eq!(arithmetic(BinaryOp::Sub, DateTime, DateTime), Some(TimeSpan));
        assert_eq!(arithmetic(BinaryOp::Div, TimeSpan, TimeSpan), Some(Real));
        assert_eq!(arithmetic(BinaryOp::Mul, Long, TimeSpan), Some(TimeSpan));
        assert_eq!(arithmetic(BinaryOp::Add, Long, TimeSpan), None);
        assert_eq!(arithmetic(BinaryOp::Add, String, String), None);
    }

    #[test]
    fn dynamic_takes_the_type_of_the_other_side() {
        assert_eq!(arithmetic(BinaryOp::Add, Dynamic, Long), Some(Long));
        assert_eq!(arithmetic(BinaryOp::Add, DateTime, Dynamic), Some(DateTime));
        assert_eq!(arithmetic(BinaryOp::Add, Dynamic, Dynamic), Some(Dynamic));
        assert_eq!(arithmetic(BinaryOp::Mul, Dynamic, TimeSpan), None);
    }

    #[test]
    fn common_types() {
        assert_eq!(common([Int, Real, Long]), Some(Real));
        assert_eq!(common([String, Dynamic]), Some(Dynamic));
        assert_eq!(common([String, Long]), None);
        assert_eq!(common_value(&[Dynamic, String]), String);
        assert_eq!(common_value(&[Long, String]), Dynamic);
        assert_eq!(common_value(&[Dynamic, Dynamic]), Dynamic);
    }
}

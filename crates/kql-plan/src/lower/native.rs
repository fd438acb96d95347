//! Operators that DataFusion's own do exactly right, and faster: comparisons, tests for empty and null, arithmetic of
//! longs.
//!
//! Where Kusto differs, the kernel stays: reals (`nan == nan` is false, NaN is greater than nothing), a null against a
//! null as a value (null, where DataFusion's `IS NOT DISTINCT FROM` says true), dynamic.

use datafusion_common::ScalarValue;
use datafusion_expr::{Expr as PlanExpr, Operator, binary_expr, lit};
use kql_functions::Function;
use kql_semantics::bound::{Expr, ExprKind};
use kql_types::ScalarType;
use kql_types::datetime::TICKS_PER_DAY;

use crate::error::LowerResult;
use crate::lower::{Lowered, Lowering};

/// A call in a place where null counts as false.
pub(super) fn condition(
    lowering: &mut Lowering<'_>,
    input: &Lowered,
    function: &'static Function,
    args: &[Expr],
) -> LowerResult<Option<PlanExpr>> {
    let [left, right] = args else { return value(lowering, input, function, args) };
    if function.name == "=="
        && let Some(condition) = equal_bin(lowering, input, left, right)?
    {
        return Ok(Some(condition));
    }
    if left.ty != right.ty || !compares_natively(left.ty) {
        return value(lowering, input, function, args);
    }
    let op = match function.name {
        "==" => Operator::Eq,
        "!=" | "<>" if left.ty == ScalarType::String => Operator::NotEq,
        "!=" | "<>" => Operator::IsDistinctFrom,
        "<" if is_number(left.ty) => Operator::Lt,
        "<=" if is_number(left.ty) => Operator::LtEq,
        ">" if is_number(left.ty) => Operator::Gt,
        ">=" if is_number(left.ty) => Operator::GtEq,
        _ => return value(lowering, input, function, args),
    };
    let (left, right) = (lowering.expr(input, left)?, lowering.expr(input, right)?);
    if let (PlanExpr::Literal(..), PlanExpr::Literal(..)) = (&left, &right) {
        return Ok(None);
    }
    Ok(Some(binary_expr(left, op, right)))
}

/// `bin(t, 1h) == x` and `startofday(t) == x` as the span of times that they mean, by which files are pruned.
fn equal_bin(lowering: &mut Lowering<'_>, input: &Lowered, left: &Expr, right: &Expr) -> LowerResult<Option<PlanExpr>> {
    let (call, constant) = if matches!(left.kind, ExprKind::Call { .. }) { (left, right) } else { (right, left) };
    let ExprKind::Call { function, args } = &call.kind else { return Ok(None) };
    let length = match (function.name, args.as_slice()) {
        ("bin" | "floor", [_, step]) => match lowering.expr(input, step)? {
            PlanExpr::Literal(ScalarValue::Int64(Some(length)), _) if step.ty == ScalarType::TimeSpan => length,
            _ => return Ok(None),
        },
        ("startofday", [_]) => TICKS_PER_DAY,
        _ => return Ok(None),
    };
    let Some(time) = args.first().filter(|time| time.ty == ScalarType::DateTime) else { return Ok(None) };
    let PlanExpr::Literal(ScalarValue::Int64(Some(start)), _) = lowering.expr(input, constant)? else {
        return Ok(None);
    };
    if constant.ty != ScalarType::DateTime || length <= 0 {
        return Ok(None);
    }
    // A time that is no start of a bin equals none.
    if start.rem_euclid(length) != 0 {
        return Ok(Some(lit(false)));
    }
    let time = lowering.expr(input, time)?;
    Ok(Some(time.clone().gt_eq(lit(start)).and(time.lt(lit(start.saturating_add(length))))))
}

/// A call as a value.
pub(super) fn value(
    lowering: &mut Lowering<'_>,
    input: &Lowered,
    function: &'static Function,
    args: &[Expr],
) -> LowerResult<Option<PlanExpr>> {
    match args {
        [only] => one(lowering, input, function.name, only),
        [left, right] => two(lowering, input, function.name, left, right),
        _ => Ok(None),
    }
}

fn one(lowering: &mut Lowering<'_>, input: &Lowered, name: &str, only: &Expr) -> LowerResult<Option<PlanExpr>> {
    let text = only.ty == ScalarType::String;
    let op = match (name, text) {
        ("isempty", true) => Operator::Eq,
        ("isnotempty" | "notempty", true) => Operator::NotEq,
        ("isnull" | "isnotnull" | "notnull", true) => {
            return Ok(Some(lit(name != "isnull")));
        }
        ("isnull" | "isempty", false) if only.ty != ScalarType::Dynamic || name == "isnull" => {
            let only = lowering.expr(input, only)?;
            return Ok(Some(null_test(only, true)));
        }
        ("isnotnull" | "notnull" | "isnotempty" | "notempty", false)
            if only.ty != ScalarType::Dynamic || matches!(name, "isnotnull" | "notnull") =>
        {
            let only = lowering.expr(input, only)?;
            return Ok(Some(null_test(only, false)));
        }
        _ => return Ok(None),
    };
    let only = lowering.expr(input, only)?;
    if let PlanExpr::Literal(ScalarValue::Utf8View(Some(text)), _) = &only {
        return Ok(Some(lit(text.is_empty() == (op == Operator::Eq))));
    }
    Ok(Some(binary_expr(only, op, lit(ScalarValue::Utf8View(Some(String::new()))))))
}

fn null_test(expr: PlanExpr, null: bool) -> PlanExpr {
    match &expr {
        PlanExpr::Literal(value, _) => lit(value.is_null() == null),
        _ if null => PlanExpr::IsNull(Box::new(expr)),
        _ => PlanExpr::IsNotNull(Box::new(expr)),
    }
}

fn two(
    lowering: &mut Lowering<'_>,
    input: &Lowered,
    name: &str,
    left: &Expr,
    right: &Expr,
) -> LowerResult<Option<PlanExpr>> {
    let op = match name {
        "==" if left.ty == ScalarType::String && right.ty == ScalarType::String => Operator::Eq,
        "!=" | "<>" if left.ty == ScalarType::String && right.ty == ScalarType::String => Operator::NotEq,
        "+" if long(left, right) => Operator::Plus,
        "-" if long(left, right) => Operator::Minus,
        "*" if long(left, right) => Operator::Multiply,
        _ => return Ok(None),
    };
    let (left, right) = (lowering.expr(input, left)?, lowering.expr(input, right)?);
    match (&left, &right) {
        (
            PlanExpr::Literal(ScalarValue::Utf8View(Some(a)), _),
            PlanExpr::Literal(ScalarValue::Utf8View(Some(b)), _),
        ) => Ok(Some(lit((a == b) == (op == Operator::Eq)))),
        (PlanExpr::Literal(ScalarValue::Int64(Some(a)), _), PlanExpr::Literal(ScalarValue::Int64(Some(b)), _)) => {
            Ok(Some(lit(match op {
                Operator::Plus => a.wrapping_add(*b),
                Operator::Minus => a.wrapping_sub(*b),
                _ => a.wrapping_mul(*b),
            })))
        }
        _ => Ok(Some(binary_expr(left, op, right))),
    }
}

fn long(left: &Expr, right: &Expr) -> bool {
    left.ty == ScalarType::Long && right.ty == ScalarType::Long
}

fn is_number(ty: ScalarType) -> bool {
    matches!(ty, ScalarType::Int | ScalarType::Long | ScalarType::DateTime | ScalarType::TimeSpan)
}

fn compares_natively(ty: ScalarType) -> bool {
    is_number(ty) || matches!(ty, ScalarType::Bool | ScalarType::String | ScalarType::Guid)
}

//! Bounds on the times of rows that move with the clock, and the constant moments that queries write.

use kql_semantics::bound::{Expr, ExprKind};
use kql_types::{Value, datetime};

use crate::query_shape::Leaf;

/// A time lies in `[now + low, now + high]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    pub low: Option<i64>,
    pub high: Option<i64>,
}

impl Bound {
    /// Tightens what a leaf has.
    pub fn narrow(self, leaf: &mut Leaf) {
        if let Some(low) = self.low {
            leaf.low = Some(leaf.low.map_or(low, |known| known.max(low)));
        }
        if let Some(high) = self.high {
            leaf.high = Some(leaf.high.map_or(high, |known| known.min(high)));
        }
    }
}

/// The comparison with its sides changed.
pub(crate) fn mirrored(operator: &str) -> Option<&'static str> {
    Some(match operator {
        ">" => "<",
        ">=" => "<=",
        "<" => ">",
        "<=" => ">=",
        "==" => "==",
        _ => return None,
    })
}

/// The moment a constant expression stands for: a literal, `todatetime('...')`, or one of these and a length of time.
pub(crate) fn moment_of(expr: &Expr) -> Option<i64> {
    match &expr.kind {
        ExprKind::Literal(Value::DateTime(ticks)) => Some(*ticks),
        ExprKind::Convert(inner) => moment_of(inner),
        ExprKind::Call { function, args } => match (function.name, args.as_slice()) {
            ("todatetime", [text]) => match &text.kind {
                ExprKind::Literal(Value::String(text)) => datetime::parse(text),
                _ => moment_of(text),
            },
            ("+", [a, b]) => moment_of(a).zip(length_of(b)).and_then(|(a, b)| a.checked_add(b)),
            ("-", [a, b]) => moment_of(a).zip(length_of(b)).and_then(|(a, b)| a.checked_sub(b)),
            _ => None,
        },
        _ => None,
    }
}

fn length_of(expr: &Expr) -> Option<i64> {
    match &expr.kind {
        ExprKind::Literal(Value::TimeSpan(ticks)) => Some(*ticks),
        ExprKind::Convert(inner) => length_of(inner),
        ExprKind::Call { function, args } => match (function.name, args.as_slice()) {
            ("totimespan", [inner]) => length_of(inner),
            ("-", [a, b]) => match moment_of(a).zip(moment_of(b)) {
                Some((a, b)) => a.checked_sub(b),
                None => length_of(a).zip(length_of(b)).and_then(|(a, b)| a.checked_sub(b)),
            },
            ("+", [a, b]) => length_of(a).zip(length_of(b)).and_then(|(a, b)| a.checked_add(b)),
            ("*", [a, b]) => {
                let (length, factor) = if length_of(a).is_some() { (a, b) } else { (b, a) };
                let ExprKind::Literal(Value::Long(factor)) = &factor.kind else { return None };
                length_of(length)?.checked_mul(*factor)
            }
            _ => None,
        },
        _ => None,
    }
}

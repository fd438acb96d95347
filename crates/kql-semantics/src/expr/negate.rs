//! `not` goes to the leaves: `not(a == b or c has "x")` is `a != b and c !has "x"`.
//!
//! The engine itself answers `not(x == y)` as `x != y`, nulls included. `<` and its kin keep their `not`: `>=` differs
//! for NaN.

use crate::binder::{Binder, bool_expr};
use crate::bound::{Expr, ExprKind};

/// Operators and their exact opposites.
const OPPOSITES: &[(&str, &str)] = &[
    ("==", "!="),
    ("=~", "!~"),
    ("has", "!has"),
    ("has_cs", "!has_cs"),
    ("hasprefix", "!hasprefix"),
    ("hasprefix_cs", "!hasprefix_cs"),
    ("hassuffix", "!hassuffix"),
    ("hassuffix_cs", "!hassuffix_cs"),
    ("contains", "!contains"),
    ("contains_cs", "!contains_cs"),
    ("startswith", "!startswith"),
    ("startswith_cs", "!startswith_cs"),
    ("endswith", "!endswith"),
    ("endswith_cs", "!endswith_cs"),
    ("like", "notlike"),
    ("likecs", "notlikecs"),
];

fn opposite(symbol: &str) -> Option<&'static str> {
    OPPOSITES.iter().find_map(|(a, b)| match symbol {
        s if s == *a => Some(*b),
        s if s == *b => Some(*a),
        _ => None,
    })
}

impl Binder<'_> {
    /// The negation of a condition.
    pub(crate) fn negate(&mut self, expr: Expr) -> Expr {
        let span = expr.span;
        match expr.kind {
            ExprKind::And(list) => bool_expr(ExprKind::Or(list.into_iter().map(|e| self.negate(e)).collect()), span),
            ExprKind::Or(list) => bool_expr(ExprKind::And(list.into_iter().map(|e| self.negate(e)).collect()), span),
            ExprKind::Not(inner) => *inner,
            ExprKind::In { value, items, case_insensitive, negated } => {
                bool_expr(ExprKind::In { value, items, case_insensitive, negated: !negated }, span)
            }
            ExprKind::InRel { value, rel, case_insensitive, negated } => {
                bool_expr(ExprKind::InRel { value, rel, case_insensitive, negated: !negated }, span)
            }
            ExprKind::Call { function, args } => {
                let kind = match opposite(function.name).and_then(kql_functions::operator) {
                    Some(function) if kql_functions::operator(function.name).is_some() => {
                        ExprKind::Call { function, args }
                    }
                    _ => ExprKind::Not(Box::new(bool_expr(ExprKind::Call { function, args }, span))),
                };
                bool_expr(kind, span)
            }
            ExprKind::Error => expr,
            _ => bool_expr(ExprKind::Not(Box::new(expr)), span),
        }
    }
}

//! One filter for what any of many filters lets through.
//!
//! Hundreds of rules ask for one value of the same column and then for something more. All their values are looked up at once, and
//! only the rows that have one of them are asked for the rest. Begin at [`any_of`].

use std::collections::{BTreeMap, BTreeSet};

use kql_semantics::bound::{ColumnId, Expr, ExprKind};
use kql_types::{ScalarType, Span, Value};

/// Fewer alternatives are asked as fast one by one.
const SHARED_MIN: usize = 3;

/// What any of these lets through, each a list of conditions that must all hold.
pub(crate) fn any_of(alternatives: Vec<Vec<Expr>>) -> Expr {
    let wanted: Vec<Vec<(ColumnId, Vec<String>)>> =
        alternatives.iter().map(|all| all.iter().filter_map(values_of_column).collect()).collect();
    let mut readers: BTreeMap<ColumnId, usize> = BTreeMap::new();
    for columns in &wanted {
        let own: BTreeSet<ColumnId> = columns.iter().map(|(id, _)| *id).collect();
        own.into_iter().for_each(|id| *readers.entry(id).or_default() += 1);
    }
    let shared = readers.into_iter().max_by_key(|(_, count)| *count).filter(|(_, count)| *count >= SHARED_MIN);
    let is_in = shared.and_then(|(column, _)| Some((column, kql_functions::operator("in~")?)));
    let Some((column, is_in)) = is_in else {
        return boolean(ExprKind::Or(alternatives.into_iter().map(all_of).collect()));
    };
    let mut values = BTreeSet::new();
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for (all, columns) in alternatives.into_iter().zip(wanted) {
        match columns.into_iter().find(|(id, _)| *id == column) {
            Some((_, own)) => {
                values.extend(own.into_iter().map(|value| value.to_lowercase()));
                with.push(all_of(all));
            }
            None => without.push(all_of(all)),
        }
    }
    let expr = |kind: ExprKind, ty: ScalarType| Expr { kind, ty, span: Span::default() };
    let mut args = vec![expr(ExprKind::Column(column), ScalarType::String)];
    args.extend(values.into_iter().map(|v| expr(ExprKind::Literal(Value::String(v)), ScalarType::String)));
    let among = boolean(ExprKind::Call { function: is_in, args });
    let rest = boolean(ExprKind::Or(with));
    without.insert(0, boolean(ExprKind::And(vec![among, rest])));
    boolean(ExprKind::Or(without))
}

/// The values of a column of texts without which a condition cannot hold, in any case.
fn values_of_column(condition: &Expr) -> Option<(ColumnId, Vec<String>)> {
    let ExprKind::Call { function, args } = &condition.kind else { return None };
    let column = |expr: &Expr| match expr.kind {
        ExprKind::Column(id) if expr.ty == ScalarType::String => Some(id),
        _ => None,
    };
    let text = |expr: &Expr| match &expr.kind {
        // Folding case must not change which texts are equal beyond what the operators themselves fold.
        ExprKind::Literal(Value::String(text)) if text.is_ascii() => Some(text.clone()),
        _ => None,
    };
    match (function.name, args.as_slice()) {
        ("==" | "=~", [a, b]) => {
            let (id, text) = column(a).zip(text(b)).or_else(|| column(b).zip(text(a)))?;
            Some((id, vec![text]))
        }
        ("in" | "in~", [subject, items @ ..]) if !items.is_empty() => {
            Some((column(subject)?, items.iter().map(text).collect::<Option<_>>()?))
        }
        _ => None,
    }
}

fn all_of(conditions: Vec<Expr>) -> Expr {
    boolean(ExprKind::And(conditions))
}

fn boolean(kind: ExprKind) -> Expr {
    Expr { kind, ty: ScalarType::Bool, span: Span::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, column: u32, texts: &[&str]) -> Expr {
        let expr = |kind: ExprKind| Expr { kind, ty: ScalarType::String, span: Span::default() };
        let mut args = vec![expr(ExprKind::Column(ColumnId(column)))];
        args.extend(texts.iter().map(|text| expr(ExprKind::Literal(Value::String(text.to_string())))));
        boolean(ExprKind::Call { function: kql_functions::operator(name).unwrap(), args })
    }

    #[test]
    fn the_values_of_the_column_that_most_ask_for_are_looked_up_at_once() {
        let alternatives = vec![
            vec![call("==", 1, &["A"]), call("has", 2, &["x"])],
            vec![call("in~", 1, &["b", "C"]), call("==", 3, &["y"])],
            vec![call("=~", 1, &["a"])],
            vec![call("startswith", 1, &["d"])],
        ];
        let ExprKind::Or(parts) = any_of(alternatives).kind else { panic!() };
        assert_eq!(parts.len(), 2, "what asks for values, and the rest");
        let ExprKind::And(both) = &parts[0].kind else { panic!() };
        let ExprKind::Call { function, args } = &both[0].kind else { panic!() };
        assert_eq!(function.name, "in~");
        let texts: Vec<String> = args[1..].iter().map(|arg| format!("{:?}", arg.kind)).collect();
        assert_eq!(texts.len(), 3, "{texts:?}");
        let ExprKind::Or(with) = &both[1].kind else { panic!() };
        assert_eq!(with.len(), 3);
    }

    #[test]
    fn few_alternatives_stay_as_they_are() {
        let alternatives = vec![vec![call("==", 1, &["A"])], vec![call("==", 1, &["B"])]];
        let ExprKind::Or(parts) = any_of(alternatives).kind else { panic!() };
        assert_eq!(parts.len(), 2);
    }
}

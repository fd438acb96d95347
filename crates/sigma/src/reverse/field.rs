//! Columns and members of columns as the fields of a log source.

use kql_syntax::ast::{Expr, ExprKind, Literal};

use crate::mapping::Target;

/// Functions that do not change what a value is compared as.
const SAME: &[&str] = &["tostring", "tolower", "toupper", "trim_whitespace"];

/// The field that an expression is; None for what is computed.
pub(super) fn name_of(target: &Target, expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Paren(inner) => name_of(target, inner),
        ExprKind::Call { name, args } if SAME.contains(&name.text.as_str()) && args.len() == 1 => {
            name_of(target, args.first()?)
        }
        ExprKind::Name(name) => of_column(target, &name.text),
        ExprKind::Member { .. } | ExprKind::Index { .. } => {
            let (column, path) = member(expr)?;
            let field = match target.prefix_of(&column) {
                Some(prefix) => format!("{prefix}{path}"),
                None => return None,
            };
            target.resolve(&field).is_some().then_some(field)
        }
        _ => None,
    }
}

fn of_column(target: &Target, column: &str) -> Option<String> {
    let field = target.field_of(column).unwrap_or(column);
    // The name has to lead back to the column.
    (target.column_of(field).as_deref() == Some(column) || is_whole(target, field, column)).then(|| field.to_string())
}

/// A dynamic column is compared as text.
fn is_whole(target: &Target, field: &str, column: &str) -> bool {
    target
        .resolve(field)
        .is_some_and(|resolved| resolved.expr == format!("tostring({column})") && resolved.member.is_none())
}

/// The column and the path of a member.
fn member(expr: &Expr) -> Option<(String, String)> {
    match &expr.kind {
        ExprKind::Paren(inner) => member(inner),
        ExprKind::Name(name) => Some((name.text.clone(), String::new())),
        ExprKind::Call { name, args } if matches!(name.text.as_str(), "parse_json" | "todynamic" | "toobject") => {
            member(args.first()?)
        }
        ExprKind::Member { base, member: name } => {
            let (column, path) = member(base)?;
            Some((column, joined(&path, &name.text)))
        }
        ExprKind::Index { base, index } => {
            let ExprKind::Literal(Literal::String { value, .. }) = &index.kind else { return None };
            let (column, path) = member(base)?;
            (!value.contains('.')).then(|| (column, joined(&path, value)))
        }
        _ => None,
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}.{name}") }
}

//! `parse`, `parse-where`, `parse-kv`.

use std::sync::Arc;

use kql_syntax::ast::{self, ColumnDecl, Operator};
use kql_types::{ScalarType, Span};

use crate::binder::Binder;
use crate::bound::{BoundColumn, ColumnId, Expr, ExprKind, ParseMode, ParsePart, Rel, RelKind};
use crate::projection::Projection;
use crate::scope::Table;

impl Binder<'_> {
    pub(super) fn parse(
        &mut self,
        input: Table,
        expr: &ast::Expr,
        parts: &[ast::ParsePart],
        filter: bool,
        operator: &Operator,
    ) -> Table {
        let span = operator.span;
        let (input, value) = self.with_row(input, |b, _| b.scalar(expr));
        let value = self.convert_text(value);
        let mode = match self.op_text(operator, "kind").as_deref() {
            Some("regex") => ParseMode::Regex,
            Some("relaxed") => ParseMode::Relaxed,
            _ => ParseMode::Simple,
        };
        let flags = self.op_text(operator, "flags").unwrap_or_default();
        self.check_pattern(parts, mode, span);
        let mut outputs = Vec::new();
        let mut bound_parts = Vec::new();
        let mut added: Vec<BoundColumn> = Vec::new();
        for part in parts {
            bound_parts.push(match part {
                ast::ParsePart::Star => ParsePart::Star,
                ast::ParsePart::Text(text, _) => ParsePart::Text(text.clone()),
                ast::ParsePart::Column { name, ty } => {
                    let ty = ty.as_ref().map_or(ScalarType::String, |ty| self.type_of_name(ty));
                    if added.iter().any(|known| *known.name == *name.text) {
                        self.duplicate_column(&name.text, name.span);
                        ParsePart::Star
                    } else {
                        let column = self.new_column(name.text.as_str(), ty);
                        outputs.push((column.id, ty));
                        added.push(column);
                        ParsePart::Column(outputs.len() - 1)
                    }
                }
            });
        }
        let replaced: Vec<(BoundColumn, BoundColumn)> = added
            .iter()
            .filter_map(|new| Some((input.rel.columns.iter().find(|old| old.name == new.name)?.clone(), new.clone())))
            .collect();
        let columns = with_added(&input.rel.columns, &added, span);
        let serialized = input.rel.serialized;
        let open = input.open;
        let kind = RelKind::Parse { input: input.rel, expr: value, mode, flags, parts: bound_parts, outputs, filter };
        let rel = self.rel(kind, columns, serialized, span);
        Table { open, ..Table::new(self.with_shown_twice(rel, &added, &replaced, span)) }
    }

    /// A column that takes the place of one of its name stands once more among the new ones, with a number: `parse a
    /// with * "x" a` has `a` and `a1`, as the official parser says.
    fn with_shown_twice(
        &mut self,
        rel: Rel,
        added: &[BoundColumn],
        replaced: &[(BoundColumn, BoundColumn)],
        span: Span,
    ) -> Rel {
        if replaced.is_empty() {
            return rel;
        }
        let mut projection = Projection::new();
        for column in &rel.columns {
            if !added.iter().any(|new| new.id == column.id) || replaced.iter().any(|(_, new)| new.id == column.id) {
                projection.add_column(column, span);
            }
        }
        for new in added {
            let place = crate::binder::column_expr(new, span);
            if replaced.iter().any(|(_, replacing)| replacing.id == new.id) {
                projection.add(&new.name, None, place, false, None);
            } else {
                projection.add_column(new, span);
            }
        }
        let rel = self.projected(rel, projection, span);
        // The column in the old place is shown with its old type, the one with a number with its own.
        for (old, new) in replaced {
            if old.ty != new.ty {
                self.official_types.insert(new.id, old.ty);
            }
        }
        rel
    }

    fn convert_text(&mut self, value: Expr) -> Expr {
        self.convert(value, ScalarType::String)
    }

    /// A name must follow a text, and a text must follow a star.
    fn check_pattern(&mut self, parts: &[ast::ParsePart], mode: ParseMode, span: Span) {
        for pair in parts.windows(2) {
            match pair {
                [ast::ParsePart::Star, next] if !matches!(next, ast::ParsePart::Text(..)) => {
                    self.error("KS102", span, "A string literal must follow a *");
                }
                [ast::ParsePart::Column { ty, .. }, ast::ParsePart::Star] if mode != ParseMode::Regex => {
                    let text = ty.as_ref().is_none_or(|ty| ScalarType::parse(&ty.text) == Some(ScalarType::String));
                    if text {
                        self.error("KS103", span, "Using * after parsing a string column is ambiguous.");
                    }
                }
                [ast::ParsePart::Column { .. }, ast::ParsePart::Column { name, .. }] => {
                    self.error("KS101", name.span, "The column name must follow a string literal");
                }
                _ => {}
            }
        }
    }

    pub(super) fn parse_kv(
        &mut self,
        input: Table,
        expr: &ast::Expr,
        columns: &[ColumnDecl],
        with: &[ast::OpParam],
        span: Span,
    ) -> Table {
        let (input, value) = self.with_row(input, |b, _| b.scalar(expr));
        let value = self.convert_text(value);
        let declared = self.declared_columns(columns);
        let options = self.constant_options(with);
        let outputs: Vec<(ColumnId, String, ScalarType)> =
            declared.iter().map(|column| (column.id, column.name.to_string(), column.ty)).collect();
        let columns = with_added(&input.rel.columns, &declared, span);
        let serialized = input.rel.serialized;
        let kind = RelKind::ParseKv { input: input.rel, expr: value, options, outputs };
        Table { open: input.open, ..Table::new(self.rel(kind, columns, serialized, span)) }
    }
}

/// The columns of the input, with new ones in the place of those of the same name or at the end.
fn with_added(columns: &[BoundColumn], added: &[BoundColumn], span: Span) -> Vec<BoundColumn> {
    let mut projection = Projection::of_columns(columns, span);
    for column in added {
        let name: Arc<str> = column.name.clone();
        projection.add(&name, None, crate::binder::column_expr(column, span), true, None);
    }
    projection
        .columns
        .into_iter()
        .filter_map(|column| match column.expr.kind {
            ExprKind::Column(id) => Some(BoundColumn { id, name: column.name, ty: column.ty }),
            _ => None,
        })
        .collect()
}

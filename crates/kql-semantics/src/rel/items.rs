//! Lists of items (`project a, x = b + 1, tolower(c)`): names and the rules for adding, replacing and clashing.

use std::sync::Arc;

use kql_syntax::ast::{self, Name};
use kql_types::{ScalarType, Span};

use crate::binder::{Binder, column_expr};
use crate::bound::{ColumnId, Expr, ExprKind};
use crate::expr::{Bound, Tuple, unknown_name, unwrapped};
use crate::projection::Projection;
use crate::scope::matches_wildcard;

/// How items join the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `project`, `distinct`, grouping keys, aggregates.
    Project,
    /// `extend`: a name replaces the column of that name.
    Extend,
    /// `print`: the place of the item names it.
    Print(usize),
    /// `mv-expand` and `mv-apply`: a column is replaced by its expansion.
    Replace,
}

impl Style {
    fn replaces(self) -> bool {
        matches!(self, Style::Extend | Style::Replace)
    }
}

impl Binder<'_> {
    pub(crate) fn add_items(&mut self, items: &[ast::Expr], projection: &mut Projection, style: Style) {
        for item in items {
            self.add_item(item, projection, style, None);
        }
    }

    /// Adds one item; `ty` overrides the type of its column (`make-series`).
    pub(crate) fn add_item(
        &mut self,
        item: &ast::Expr,
        projection: &mut Projection,
        style: Style,
        ty: Option<ScalarType>,
    ) {
        match &item.kind {
            ast::ExprKind::Missing => {}
            ast::ExprKind::Named { names, tuple, value } => {
                let bound = self.bind(value);
                self.add_named(names, *tuple, value, bound, projection, style);
            }
            ast::ExprKind::Star => {
                for column in self.row.as_ref().map(|row| row.columns.clone()).unwrap_or_default() {
                    let expr = column_expr(&column, item.span);
                    projection.add(&column.name, None, expr, true, Some(column.id));
                }
            }
            ast::ExprKind::Wildcard(pattern) => self.add_wildcard(pattern, item.span, projection),
            _ => {
                let bound = self.bind(item);
                self.add_bound(item, bound, projection, style, ty);
            }
        }
    }

    /// `a*` in `project`: allowed when it matches one column.
    fn add_wildcard(&mut self, pattern: &str, span: Span, projection: &mut Projection) {
        let columns = self.row.as_ref().map(|row| row.columns.clone()).unwrap_or_default();
        let matching: Vec<_> = columns.iter().filter(|column| matches_wildcard(pattern, &column.name)).collect();
        match matching.as_slice() {
            [] => self.error("KS142", span, unknown_name(pattern)),
            [column] => projection.add_column(column, span),
            _ => self.error("KS184", span, "The expression refers to more than one column."),
        }
    }

    pub(crate) fn add_bound(
        &mut self,
        item: &ast::Expr,
        bound: Bound,
        projection: &mut Projection,
        style: Style,
        ty: Option<ScalarType>,
    ) {
        let expr = match bound {
            Bound::Scalar(expr) => expr,
            Bound::Tuple(tuple) => return self.add_tuple(tuple, 0, projection),
            Bound::Table(_) | Bound::Entity(_) | Bound::Side(_) | Bound::Step(_) => {
                self.error("KS108", item.span, "Scalar value expected.");
                self.error_expr(item.span)
            }
        };
        if let Some((name, id)) = self.result_column(item, &expr) {
            let kept = typed(expr, ty);
            if !projection.declare(&name, kept, style == Style::Replace, Some(id)) {
                self.duplicate_column(&name, item.span);
            }
            return;
        }
        let expr = typed(expr, ty);
        if let Style::Print(index) = style {
            let name: Arc<str> = format!("print_{index}").into();
            projection.add(&name, Some(&name), expr, false, None);
            return;
        }
        let name = match &unwrapped(item).kind {
            ast::ExprKind::Member { member, .. } if matches!(expr.kind, ExprKind::Error) => Some(member.text.clone()),
            _ => self.name_of(item),
        };
        match name.filter(|name| !name.is_empty()) {
            Some(name) => {
                let name: Arc<str> = name.into();
                projection.add(&name, Some(&name), expr, style.replaces(), None);
            }
            None => {
                let input = self.row.as_ref().map(|row| row.columns.clone()).unwrap_or_default();
                projection.add_unnamed(expr, style.replaces(), &input);
            }
        }
    }

    /// The column that an item plainly is: a name, or a conversion to the type it has already.
    pub(crate) fn result_column(&self, item: &ast::Expr, expr: &Expr) -> Option<(Arc<str>, ColumnId)> {
        let ExprKind::Column(id) = expr.kind else { return None };
        let in_scope =
            [&self.row, &self.right_row].into_iter().flatten().any(|row| row.all().any(|column| column.id == id));
        if !in_scope {
            return None;
        }
        match &unwrapped(item).kind {
            ast::ExprKind::Name(name) => Some((name.text.as_str().into(), id)),
            ast::ExprKind::Member { member, .. } => Some((member.text.as_str().into(), id)),
            ast::ExprKind::Call { name, args } if is_conversion(&name.text) => match args.as_slice() {
                [arg] => self.result_column(arg, expr),
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn add_named(
        &mut self,
        names: &[Name],
        tuple: bool,
        value: &ast::Expr,
        bound: Bound,
        projection: &mut Projection,
        style: Style,
    ) {
        let Some(name) = names.first() else { return };
        match bound {
            Bound::Tuple(values) if tuple => self.add_named_tuple(names, values, projection, style),
            Bound::Tuple(values) => self.add_named_tuple(std::slice::from_ref(name), values, projection, style),
            Bound::Scalar(_) if tuple && names.len() > 1 => {
                let last = names.last().map(|n| n.span).unwrap_or_default();
                let message = "The expression does not have multiple named values.";
                self.error("KS149", name.span.to(last), message);
            }
            Bound::Scalar(expr) => {
                let plain = self.result_column(value, &expr).is_some()
                    && !matches!(unwrapped(value).kind, ast::ExprKind::Call { .. });
                self.declare_item(name, expr, plain || style.replaces(), projection);
            }
            Bound::Table(_) | Bound::Entity(_) | Bound::Side(_) | Bound::Step(_) => {
                self.error("KS108", value.span, "Scalar value expected.");
                let error = self.error_expr(value.span);
                self.declare_item(name, error, style.replaces(), projection);
            }
        }
    }

    fn declare_item(&mut self, name: &Name, expr: Expr, replace: bool, projection: &mut Projection) {
        let text: Arc<str> = name.text.as_str().into();
        if !projection.declare(&text, expr, replace, None) {
            self.duplicate_column(&name.text, name.span);
        }
    }

    fn add_named_tuple(&mut self, names: &[Name], tuple: Tuple, projection: &mut Projection, style: Style) {
        let single = names.len() == 1;
        for (name, value) in names.iter().zip(&tuple.values) {
            self.declare_item(name, value.expr.clone(), single || style.replaces(), projection);
            if let Some(source) = value.source {
                projection.skip(source);
            }
        }
        for name in names.iter().skip(tuple.values.len()) {
            self.error("KS150", name.span, "The name does not have a corresponding expression.");
        }
        // `extend fit = series_fit_line(s)` adds the first value alone; `project` adds the others too.
        if !matches!(style, Style::Print(_) | Style::Extend) {
            self.add_tuple(tuple, names.len(), projection);
        }
    }

    /// Adds the values of a tuple after the first `skip` under their own names.
    fn add_tuple(&mut self, tuple: Tuple, skip: usize, projection: &mut Projection) {
        for value in tuple.values.into_iter().skip(skip) {
            let name: Arc<str> = value.name.into();
            projection.add(&name, None, value.expr, false, value.source);
        }
    }
}

fn typed(expr: Expr, ty: Option<ScalarType>) -> Expr {
    match ty {
        Some(ty) => Expr { ty, ..expr },
        None => expr,
    }
}

/// Functions that only change the type: over a value that has it already they are no more than the value.
fn is_conversion(name: &str) -> bool {
    matches!(
        name,
        "tobool"
            | "todatetime"
            | "todecimal"
            | "todouble"
            | "todynamic"
            | "toguid"
            | "toint"
            | "tolong"
            | "toreal"
            | "tostring"
            | "totime"
            | "totimespan"
    )
}

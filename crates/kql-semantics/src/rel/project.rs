//! `project` and its kin, `extend`, `distinct`.

use foldhash::HashSet;
use std::sync::Arc;

use kql_syntax::ast::{self, Name, OrderKey};
use kql_types::{Dynamic, ScalarType, Span, Value};

use super::items::Style;
use crate::binder::{Binder, column_expr};
use crate::bound::{BoundColumn, ExprKind, RelKind};
use crate::expr::{unknown_name, unwrapped};
use crate::projection::Projection;
use crate::scope::{Table, matches_wildcard};

impl Binder<'_> {
    pub(super) fn project(&mut self, input: Table, items: &[ast::Expr], span: Span) -> Table {
        let (input, projection) = self.with_row(input, |b, _| {
            let mut projection = Projection::new();
            b.add_items(items, &mut projection, Style::Project);
            projection
        });
        // What is projected is known, but names of an open input stay possible for what follows.
        let open = input.open;
        Table { open, ..Table::new(self.projected(input.rel, projection, span)) }
    }

    pub(super) fn extend(&mut self, input: Table, items: &[ast::Expr], span: Span) -> Table {
        // Columns that an open input was found to have come before the new ones.
        let (input, projection) = self.with_row(input, |b, input| {
            let mut added = Vec::new();
            for item in items {
                match &item.kind {
                    ast::ExprKind::Named { value, .. } => added.push(b.bind(value)),
                    ast::ExprKind::Missing | ast::ExprKind::Star | ast::ExprKind::Wildcard(_) => {
                        let error = b.error_expr(item.span);
                        added.push(crate::expr::Bound::Scalar(error));
                    }
                    _ => added.push(b.bind(item)),
                }
            }
            let inferred = b.row.as_ref().map(|row| row.inferred.clone()).unwrap_or_default();
            let mut projection = Projection::with_capacity(input.rel.columns.len() + items.len());
            for column in input.rel.columns.iter().chain(&inferred) {
                projection.add_column(column, span);
                projection.skip(column.id);
            }
            for (item, bound) in items.iter().zip(added) {
                match &item.kind {
                    ast::ExprKind::Named { names, tuple, value } => {
                        b.add_named(names, *tuple, value, bound, &mut projection, Style::Extend);
                    }
                    ast::ExprKind::Missing => {}
                    ast::ExprKind::Star | ast::ExprKind::Wildcard(_) => {
                        b.add_item(item, &mut projection, Style::Extend, None);
                    }
                    _ => b.add_bound(item, bound, &mut projection, Style::Extend, None),
                }
            }
            projection
        });
        let open = input.open;
        Table { open, ..Table::new(self.projected(input.rel, projection, span)) }
    }

    /// The columns that a list of names and patterns means. What names no column is KS109 (and KS142 when unknown).
    fn listed_columns<'e>(
        &mut self,
        input: &Table,
        items: impl Iterator<Item = &'e ast::Expr>,
    ) -> Vec<Vec<BoundColumn>> {
        let mut listed = Vec::new();
        for item in items {
            listed.push(match &unwrapped(item).kind {
                ast::ExprKind::Star => input.rel.columns.clone(),
                ast::ExprKind::Wildcard(pattern) => {
                    let matching: Vec<BoundColumn> =
                        input.rel.columns.iter().filter(|c| matches_wildcard(pattern, &c.name)).cloned().collect();
                    if matching.is_empty() && !input.open {
                        self.error("KS142", item.span, unknown_name(pattern));
                    }
                    matching
                }
                ast::ExprKind::Name(name) => self.listed_column(name).into_iter().collect(),
                ast::ExprKind::Missing => Vec::new(),
                _ => {
                    let bound = self.scalar(item);
                    match bound.kind {
                        ExprKind::Column(id) => {
                            input.rel.columns.iter().filter(|column| column.id == id).cloned().collect()
                        }
                        _ => {
                            self.error("KS109", item.span, "Column name expected.");
                            Vec::new()
                        }
                    }
                }
            });
        }
        listed
    }

    /// A column by its name; anything else is KS109, an unknown name also KS142.
    pub(crate) fn listed_column(&mut self, name: &Name) -> Option<BoundColumn> {
        if let Some(column) = self.known_column(name).or_else(|| self.inferred_column(name)) {
            return Some(column);
        }
        self.error("KS109", name.span, "Column name expected.");
        if self.scope.find(&name.text).is_none() {
            if kql_functions::function(&name.text).is_some() {
                self.error("KS117", name.span, format!("The function '{}' requires an argument list.", name.text));
            } else if self.catalog.table(&name.text).is_none() {
                self.report_unknown_name(name);
            }
        }
        None
    }

    pub(super) fn project_away(&mut self, input: Table, items: &[ast::Expr], span: Span) -> Table {
        let (input, listed) = self.with_row(input, |b, input| b.listed_columns(input, items.iter()));
        let away: HashSet<_> = listed.into_iter().flatten().map(|column| column.id).collect();
        self.kept(input, |column| !away.contains(&column.id), span)
    }

    pub(super) fn project_keep(&mut self, input: Table, items: &[ast::Expr], span: Span) -> Table {
        let (input, listed) = self.with_row(input, |b, input| b.listed_columns(input, items.iter()));
        let keep: HashSet<_> = listed.into_iter().flatten().map(|column| column.id).collect();
        self.kept(input, |column| keep.contains(&column.id), span)
    }

    /// Names as texts, patterns and dynamic arrays of these; a name that is no column is left out.
    pub(super) fn project_by_names(&mut self, input: Table, items: &[ast::Expr], span: Span) -> Table {
        let mut patterns = Vec::new();
        for item in items {
            let bound = self.without_row(|b| b.scalar(item));
            match crate::constant::value(&bound) {
                Some(Value::String(text)) => patterns.push(text),
                Some(Value::Dynamic(Dynamic::Array(names))) => {
                    patterns.extend(names.iter().filter_map(|name| match name {
                        Dynamic::String(text) => Some(text.clone()),
                        _ => None,
                    }));
                }
                _ if self.declaring || bound.ty == ScalarType::Unknown => {}
                _ => self.unsupported("project-by-names with computed names", item.span),
            }
        }
        let mut columns: Vec<BoundColumn> = Vec::new();
        for pattern in &patterns {
            for column in input.rel.columns.iter().filter(|column| matches_wildcard(pattern, &column.name)) {
                if !columns.iter().any(|known| known.id == column.id) {
                    columns.push(column.clone());
                }
            }
        }
        self.columns_only(input, columns, span)
    }

    /// The columns of a table that pass a test, in their order.
    pub(crate) fn kept(&mut self, input: Table, keep: impl Fn(&BoundColumn) -> bool, span: Span) -> Table {
        let columns: Vec<BoundColumn> = input.rel.columns.iter().filter(|column| keep(column)).cloned().collect();
        self.columns_only(input, columns, span)
    }

    /// A table reduced to the given columns of it.
    pub(crate) fn columns_only(&mut self, input: Table, columns: Vec<BoundColumn>, span: Span) -> Table {
        let exprs = columns.iter().map(|column| (column.id, column_expr(column, span))).collect();
        let serialized = input.rel.serialized;
        let rel = self.rel(RelKind::Project { input: input.rel, exprs }, columns, serialized, span);
        Table { open: input.open, ..Table::new(rel) }
    }

    pub(super) fn project_rename(&mut self, input: Table, items: &[ast::Expr], span: Span) -> Table {
        let (input, projection) = self.with_row(input, |b, input| {
            let mut projection = Projection::of_columns(&input.rel.columns, span);
            projection.declare_all();
            for item in items {
                b.rename_item(item, &mut projection, span);
            }
            projection
        });
        let open = input.open;
        Table { open, ..Table::new(self.projected(input.rel, projection, span)) }
    }

    fn rename_item(&mut self, item: &ast::Expr, projection: &mut Projection, span: Span) {
        let ast::ExprKind::Named { names, value, .. } = &item.kind else {
            if !matches!(item.kind, ast::ExprKind::Missing) {
                self.error("KS110", item.span, "Column rename assignment expected.");
                if let ast::ExprKind::Name(name) = &unwrapped(item).kind
                    && self.known_column(name).is_none()
                {
                    self.report_unknown_name(name);
                }
            }
            return;
        };
        let Some(new) = names.first() else { return };
        let old = match &unwrapped(value).kind {
            ast::ExprKind::Name(name) => self.listed_column(name),
            _ => {
                self.scalar(value);
                self.error("KS109", value.span, "Column name expected.");
                None
            }
        };
        let Some(old) = old else { return };
        if projection.find(&old.name).is_none() {
            projection.add_column(&old, span);
        }
        let text: Arc<str> = new.text.as_str().into();
        if !projection.rename(&old.name, &text) {
            self.duplicate_column(&new.text, new.span);
        }
    }

    pub(super) fn project_reorder(&mut self, input: Table, keys: &[OrderKey], span: Span) -> Table {
        let (input, columns) = self.with_row(input, |b, input| {
            let listed = b.listed_columns(input, keys.iter().map(|key| &key.expr));
            let mut seen = HashSet::default();
            let mut columns: Vec<BoundColumn> = Vec::new();
            for (key, mut group) in keys.iter().zip(listed) {
                match key.descending {
                    Some(true) => group.sort_by(|a, b| b.name.cmp(&a.name)),
                    Some(false) => group.sort_by(|a, b| a.name.cmp(&b.name)),
                    None => {}
                }
                columns.extend(group.into_iter().filter(|column| seen.insert(column.id)));
            }
            let rest: Vec<BoundColumn> =
                input.rel.columns.iter().filter(|column| !seen.contains(&column.id)).cloned().collect();
            columns.extend(rest);
            columns
        });
        self.columns_only(input, columns, span)
    }

    /// `distinct a, b` groups by its columns; `distinct *` by all.
    pub(super) fn distinct(&mut self, input: Table, items: &[ast::Expr], span: Span) -> Table {
        self.summarize(input, &[], items, span)
    }
}

//! `summarize`, and everything that groups: `distinct`, `top-hitters`.

use foldhash::{HashMap, HashSet};

use kql_syntax::ast;
use kql_types::{ScalarType, Span};

use super::items::Style;
use crate::binder::{Binder, Context};
use crate::bound::{BoundColumn, ColumnId, Expr, ExprKind, RelKind, SummarizeItem};
use crate::projection::Projection;
use crate::scope::Table;

/// Keys and aggregates before they become a node.
pub(crate) struct Grouping {
    pub keys: Vec<(ColumnId, Expr)>,
    pub items: Vec<SummarizeItem>,
    /// The outputs in order, over the ids of keys and items.
    pub projection: Projection,
}

impl Binder<'_> {
    pub(super) fn summarize(&mut self, input: Table, aggregates: &[ast::Expr], by: &[ast::Expr], span: Span) -> Table {
        let (input, grouping) = self.with_row(input, |b, _| {
            let mut grouping = b.group_keys(by);
            for (_, key) in &grouping.keys {
                b.no_dynamic(key, key.span);
            }
            b.group_aggregates(&mut grouping, aggregates);
            grouping
        });
        self.grouped(input, grouping, span)
    }

    /// Binds grouping keys: a plain column keeps its id.
    pub(crate) fn group_keys(&mut self, by: &[ast::Expr]) -> Grouping {
        let mut projection = Projection::new();
        self.add_items(by, &mut projection, Style::Project);
        let mut keys = Vec::new();
        let mut used = HashSet::default();
        for column in &mut projection.columns {
            let plain = match column.expr.kind {
                ExprKind::Column(id) => Some(id),
                _ => None,
            };
            let id = match plain {
                Some(id) if used.insert(id) => id,
                _ => {
                    let id = self.new_id();
                    if let Some(source) = crate::expr::plain_column(&column.expr) {
                        self.origins.pass_on(source, id);
                    }
                    id
                }
            };
            let span = column.expr.span;
            let ty = column.ty;
            let key = std::mem::replace(&mut column.expr, Expr { kind: ExprKind::Column(id), ty, span });
            keys.push((id, key));
        }
        // A column that is a key is not repeated by `arg_max(t, *)`.
        for (id, key) in &keys {
            if matches!(key.kind, ExprKind::Column(source) if source == *id) {
                projection.skip(*id);
            }
        }
        Grouping { keys, items: Vec::new(), projection }
    }

    pub(crate) fn group_aggregates(&mut self, grouping: &mut Grouping, aggregates: &[ast::Expr]) {
        let outer = std::mem::take(&mut self.aggregates);
        self.in_context(Context::Aggregate, |b| {
            b.add_items(aggregates, &mut grouping.projection, Style::Project);
        });
        grouping.items = std::mem::replace(&mut self.aggregates, outer);
    }

    /// The node of a grouping, with a projection over it where the outputs are not just its columns.
    pub(crate) fn grouped(&mut self, input: Table, grouping: Grouping, span: Span) -> Table {
        let Grouping { keys, mut items, projection } = grouping;
        let mut needed = HashSet::default();
        for column in &projection.columns {
            crate::walk::columns_of(&column.expr, &mut needed);
        }
        prune(&mut items, &needed);
        let names: HashMap<ColumnId, std::sync::Arc<str>> = projection
            .columns
            .iter()
            .filter_map(|column| match column.expr.kind {
                ExprKind::Column(id) => Some((id, column.name.clone())),
                _ => None,
            })
            .collect();
        self.keep_official_types(&keys, &items);
        let mut columns: Vec<BoundColumn> = Vec::new();
        let mut output = |id: ColumnId, ty: ScalarType| {
            let name = names.get(&id).cloned().unwrap_or_else(|| format!("${}", id.0).into());
            columns.push(BoundColumn { id, name, ty });
        };
        keys.iter().for_each(|(id, key)| output(*id, key.ty));
        for item in &items {
            match item {
                SummarizeItem::Aggregate { out, call } => output(*out, call.ty),
                SummarizeItem::ArgExtreme { by, by_out, values, .. } => {
                    output(*by_out, by.ty);
                    values.iter().for_each(|(id, value)| output(*id, value.ty));
                }
                SummarizeItem::TakeAny { values } => values.iter().for_each(|(id, value)| output(*id, value.ty)),
            }
        }
        let open = input.open;
        let plain = projection.columns.len() == columns.len()
            && projection
                .columns
                .iter()
                .zip(&columns)
                .all(|(projected, column)| matches!(projected.expr.kind, ExprKind::Column(id) if id == column.id));
        let rel = self.rel(RelKind::Summarize { input: input.rel, keys, items }, columns, false, span);
        let rel = if plain { rel } else { self.projected(rel, projection, span) };
        Table { open, ..Table::new(rel) }
    }
}

impl Binder<'_> {
    /// What passes through a grouping unchanged is shown with the type that it was shown with before.
    fn keep_official_types(&mut self, keys: &[(ColumnId, Expr)], items: &[SummarizeItem]) {
        let passed = items.iter().flat_map(|item| match item {
            SummarizeItem::Aggregate { .. } => &[][..],
            SummarizeItem::ArgExtreme { values, .. } | SummarizeItem::TakeAny { values } => values.as_slice(),
        });
        for (id, expr) in keys.iter().chain(passed) {
            let official = self.official_type(expr);
            if official != expr.ty {
                self.official_types.insert(*id, official);
            }
        }
    }
}

/// Leaves out values of `arg_max` and `take_any` that nobody sees.
fn prune(items: &mut [SummarizeItem], needed: &HashSet<ColumnId>) {
    for item in items {
        match item {
            SummarizeItem::ArgExtreme { values, .. } | SummarizeItem::TakeAny { values } => {
                values.retain(|(id, _)| needed.contains(id));
            }
            SummarizeItem::Aggregate { .. } => {}
        }
    }
}

//! `mv-expand` and `mv-apply`.

use foldhash::HashSet;
use std::sync::Arc;

use kql_syntax::ast::{self, MvItem, Name, Operator, SubPipeline};
use kql_types::{ScalarType, Span, Value};

use crate::binder::Binder;
use crate::bound::{BoundColumn, ColumnId, Expr, ExprKind, MvExpandItem, RelKind};
use crate::projection::Projection;
use crate::scope::Table;

/// Items expanded side by side over an input.
struct Expansion {
    items: Vec<MvExpandItem>,
    index: Option<ColumnId>,
    /// The input's columns with the items in place, and the index.
    columns: Vec<BoundColumn>,
    /// Columns of the input that an item replaces.
    replaced: HashSet<ColumnId>,
    limit: Option<u64>,
}

impl Binder<'_> {
    pub(super) fn mv_expand(
        &mut self,
        input: Table,
        items: &[MvItem],
        limit: Option<&ast::Expr>,
        operator: &Operator,
    ) -> Table {
        let span = operator.span;
        let (input, expansion) = self.with_row(input, |b, input| b.expansion(input, items, limit, operator));
        let Expansion { items, index, columns, limit, .. } = expansion;
        let bag_as_array = self.bag_as_array(operator);
        let serialized = input.rel.serialized;
        let kind = RelKind::MvExpand { input: input.rel, items, index, limit, bag_as_array };
        Table { open: input.open, ..Table::new(self.rel(kind, columns, serialized, span)) }
    }

    fn bag_as_array(&self, operator: &Operator) -> bool {
        ["kind", "bagexpansion"]
            .iter()
            .any(|name| self.op_text(operator, name).is_some_and(|value| value.eq_ignore_ascii_case("array")))
    }

    fn expansion(
        &mut self,
        input: &Table,
        items: &[MvItem],
        limit: Option<&ast::Expr>,
        operator: &Operator,
    ) -> Expansion {
        let span = operator.span;
        let mut projection = Projection::new();
        for column in &input.rel.columns {
            projection.add_column(column, span);
            projection.skip(column.id);
        }
        let mut expanded = Vec::new();
        let mut replaced = HashSet::default();
        for item in items {
            self.expand_item(item, &mut projection, &mut expanded, &mut replaced);
        }
        let index = self.op_text(operator, "with_itemindex").map(|name| {
            let name: Arc<str> = name.into();
            let column = self.new_column(name.clone(), ScalarType::Long);
            projection.add(&name, None, crate::binder::column_expr(&column, span), false, None);
            column.id
        });
        let columns = projection
            .columns
            .iter()
            .filter_map(|column| match column.expr.kind {
                ExprKind::Column(id) => Some(BoundColumn { id, name: column.name.clone(), ty: column.ty }),
                _ => None,
            })
            .collect();
        let limit = limit.and_then(|limit| match self.row_count(limit).kind {
            ExprKind::Literal(Value::Long(n)) => u64::try_from(n).ok(),
            _ => None,
        });
        Expansion { items: expanded, index, columns, replaced, limit }
    }

    fn expand_item(
        &mut self,
        item: &MvItem,
        projection: &mut Projection,
        expanded: &mut Vec<MvExpandItem>,
        replaced: &mut HashSet<ColumnId>,
    ) {
        let (name, value) = match &item.expr.kind {
            ast::ExprKind::Missing => return,
            ast::ExprKind::Named { names, value, .. } => (names.first().cloned(), &**value),
            _ => (None, &item.expr),
        };
        let expr = self.scalar(value);
        if !matches!(expr.ty, ScalarType::Dynamic | ScalarType::Unknown) {
            self.error("KS141", value.span, "The expression must have the type dynamic.");
        }
        let ty = match &item.to_type {
            Some(ty) => self.type_of_name(ty),
            None => ScalarType::Dynamic,
        };
        // An expansion of something else than dynamic was refused: its column keeps its type.
        let ty = if matches!(expr.ty, ScalarType::Dynamic | ScalarType::Unknown) { ty } else { expr.ty };
        let out = self.new_id();
        let place = Expr { kind: ExprKind::Column(out), ty, span: item.expr.span };
        match (&name, self.result_column(value, &expr)) {
            (Some(name), plain) => {
                let text: Arc<str> = name.text.as_str().into();
                if let Some((source_name, id)) = &plain
                    && *source_name == text
                {
                    replaced.insert(*id);
                }
                if !projection.declare(&text, place, true, None) {
                    self.duplicate_column(&name.text, name.span);
                }
            }
            (None, Some((column, id))) => {
                replaced.insert(id);
                if !projection.declare(&column, place, true, None) {
                    self.duplicate_column(&column, value.span);
                }
            }
            (None, None) => {
                let name: Arc<str> = self.name_of(value).unwrap_or_else(|| "Column1".to_string()).into();
                projection.add(&name, Some(&name), place, true, None);
            }
        }
        expanded.push(MvExpandItem { expr, out, ty });
    }

    pub(super) fn mv_apply(
        &mut self,
        input: Table,
        items: &[MvItem],
        limit: Option<&ast::Expr>,
        context_id: Option<&Name>,
        subquery: &SubPipeline,
        operator: &Operator,
    ) -> Table {
        let span = operator.span;
        let (input, expansion) = self.with_row(input, |b, input| b.expansion(input, items, limit, operator));
        let Expansion { items, index, mut columns, replaced, limit } = expansion;
        let context = context_id.map(|name| self.new_column(name.text.as_str(), ScalarType::Long));
        columns.extend(context.clone());
        let scope = self.new_scope();
        let serialized = input.rel.serialized;
        let leaf = self.rel(RelKind::ApplyInput { scope }, columns, true, span);
        let inner = self.sub_pipeline(Table { open: input.open, ..Table::new(leaf) }, subquery);
        let mut projection = Projection::new();
        for column in input.rel.columns.iter().filter(|column| !replaced.contains(&column.id)) {
            projection.add_column(column, span);
            projection.skip(column.id);
        }
        let open = input.open || inner.open;
        for column in &inner.rel.columns {
            let expr = crate::binder::column_expr(column, span);
            projection.add(&column.name, None, expr, true, Some(column.id));
        }
        let columns = projection
            .columns
            .iter()
            .filter_map(|column| match column.expr.kind {
                ExprKind::Column(id) => Some(BoundColumn { id, name: column.name.clone(), ty: column.ty }),
                _ => None,
            })
            .collect();
        let kind = RelKind::MvApply {
            input: input.rel,
            scope,
            items,
            index,
            limit,
            context: context.map(|column| column.id),
            subquery: inner.rel,
        };
        Table { open, ..Table::new(self.rel(kind, columns, serialized, span)) }
    }

    /// Operators of a sub-pipeline over its implicit input.
    pub(crate) fn sub_pipeline(&mut self, input: Table, operators: &[Operator]) -> Table {
        let span: Span = input.rel.span;
        self.deeper(
            span,
            |b| b.no_table(span),
            |b| {
                b.without_row(|b| {
                    let mut table = input;
                    for operator in operators {
                        table = b.apply(table, operator);
                    }
                    table
                })
            },
        )
    }
}

//! Operators that choose or order rows: `where`, `take`, `sample`, `sort`, `serialize`, `count`.

use kql_syntax::ast::{self, Name, OrderKey};
use kql_types::{ScalarType, Span};

use super::items::Style;
use crate::binder::Binder;
use crate::bound::{AggregateCall, Expr, RelKind, SortKey, SummarizeItem};
use crate::projection::Projection;
use crate::scope::Table;

impl Binder<'_> {
    pub(super) fn filter(&mut self, input: Table, predicate: &ast::Expr, span: Span) -> Table {
        let (input, predicate) = self.with_row(input, |b, _| b.condition(predicate));
        self.filtered(input, predicate, span)
    }

    pub(crate) fn filtered(&mut self, input: Table, predicate: Expr, span: Span) -> Table {
        let columns = input.rel.columns.clone();
        let serialized = input.rel.serialized;
        let rel = self.rel(RelKind::Filter { input: input.rel, predicate }, columns, serialized, span);
        Table { open: input.open, ..Table::new(rel) }
    }

    pub(super) fn take(&mut self, input: Table, count: &ast::Expr, span: Span) -> Table {
        let count = self.row_count(count);
        self.taken(input, count, span)
    }

    pub(crate) fn taken(&mut self, input: Table, count: Expr, span: Span) -> Table {
        let columns = input.rel.columns.clone();
        let serialized = input.rel.serialized;
        let rel = self.rel(RelKind::Take { input: input.rel, count }, columns, serialized, span);
        Table { open: input.open, ..Table::new(rel) }
    }

    pub(super) fn sample(&mut self, input: Table, count: &ast::Expr, span: Span) -> Table {
        let count = self.row_count(count);
        let columns = input.rel.columns.clone();
        let rel = self.rel(RelKind::Sample { input: input.rel, count }, columns, false, span);
        Table { open: input.open, ..Table::new(rel) }
    }

    pub(super) fn sort(&mut self, input: Table, keys: &[OrderKey], span: Span) -> Table {
        let (input, keys) = self.with_row(input, |b, _| b.sort_keys(keys));
        self.sorted(input, keys, span)
    }

    pub(crate) fn sorted(&mut self, input: Table, keys: Vec<SortKey>, span: Span) -> Table {
        let columns = input.rel.columns.clone();
        let rel = self.rel(RelKind::Sort { input: input.rel, keys }, columns, true, span);
        Table { open: input.open, ..Table::new(rel) }
    }

    pub(crate) fn sort_keys(&mut self, keys: &[OrderKey]) -> Vec<SortKey> {
        keys.iter()
            .filter(|key| !matches!(key.expr.kind, ast::ExprKind::Missing))
            .map(|key| self.sort_key(key))
            .collect()
    }

    /// Descending unless told otherwise; nulls come last when descending and first when ascending.
    pub(crate) fn sort_key(&mut self, key: &OrderKey) -> SortKey {
        let expr = self.scalar(&key.expr);
        self.no_dynamic(&expr, key.expr.span);
        let descending = key.descending.unwrap_or(true);
        SortKey { expr, descending, nulls_first: key.nulls_first.unwrap_or(!descending) }
    }

    /// KS116: dynamic values have no order and no equality to group by.
    pub(crate) fn no_dynamic(&mut self, expr: &Expr, span: Span) {
        if expr.ty == ScalarType::Dynamic {
            let message = "The value of type 'dynamic' is not allowed in this context.";
            self.error("KS116", span, message);
        }
    }

    pub(super) fn serialize(&mut self, input: Table, items: &[ast::Expr], span: Span) -> Table {
        let columns = input.rel.columns.clone();
        let open = input.open;
        let rel = self.rel(RelKind::Serialize { input: input.rel }, columns, true, span);
        let input = Table { open, ..Table::new(rel) };
        if items.is_empty() {
            return input;
        }
        let (input, projection) = self.with_row(input, |b, input| {
            let mut projection = Projection::of_columns(&input.rel.columns, span);
            input.rel.columns.iter().for_each(|column| projection.skip(column.id));
            b.add_items(items, &mut projection, Style::Extend);
            projection
        });
        let open = input.open;
        Table { open, ..Table::new(self.projected(input.rel, projection, span)) }
    }

    /// `count`: a summarize without keys.
    pub(super) fn count(&mut self, input: Table, name: Option<&Name>, span: Span) -> Table {
        let name = name.map_or("Count", |name| name.text.as_str());
        let column = self.new_column(name, ScalarType::Long);
        let Some(aggregate) = kql_functions::aggregate("count") else {
            self.unsupported("count", span);
            return Table::new(self.empty_rel(vec![column], span));
        };
        let call = AggregateCall { aggregate, args: Vec::new(), ty: ScalarType::Long, span };
        let items = vec![SummarizeItem::Aggregate { out: column.id, call }];
        let kind = RelKind::Summarize { input: input.rel, keys: Vec::new(), items };
        Table::new(self.rel(kind, vec![column], false, span))
    }
}

/// A column in its own order, as `top-hitters` and the like sort.
pub(crate) fn key_of(expr: Expr, descending: bool) -> SortKey {
    SortKey { expr, descending, nulls_first: !descending }
}

//! Operators with several results or sub-pipelines: `fork`, `facet`, `partition`.

use kql_syntax::ast::{self, Name, Operator, SubPipeline};
use kql_types::{ScalarType, Span};

use crate::binder::{Binder, column_expr};
use crate::bound::{AggregateCall, Expr, JoinKind, RelKind, SummarizeItem};
use crate::expr::{Bound, unwrapped};
use crate::scope::{Table, Variable};

impl Binder<'_> {
    /// Each branch runs over the input, which is computed once; all but the last operator see the first branch.
    pub(super) fn fork(&mut self, input: Table, branches: &[(Option<Name>, SubPipeline)], span: Span) -> Table {
        let shared = self.materialized(input, span);
        let mut first = None;
        for (name, operators) in branches {
            let input = self.copy_table(&shared, span);
            let table = self.sub_pipeline(input, operators);
            first.get_or_insert_with(|| table.clone());
            self.add_result(name.as_ref().map(|name| name.text.clone()), table);
        }
        first.unwrap_or(shared)
    }

    fn add_result(&mut self, name: Option<String>, table: Table) {
        if self.quiet == 0 && !self.declaring {
            self.extra_results.push((name, table));
        }
    }

    /// A table of counts for each column, and the rows behind `with`.
    pub(super) fn facet(&mut self, input: Table, by: &[ast::Expr], with: Option<&Vec<Operator>>, span: Span) -> Table {
        let shared = self.materialized(input, span);
        let mut first = None;
        if let Some(operators) = with {
            let input = self.copy_table(&shared, span);
            let table = self.sub_pipeline(input, operators);
            first = Some(table.clone());
            self.add_result(None, table);
        }
        for column in by {
            let input = self.copy_table(&shared, span);
            let table = self.facet_of(input, column, span);
            first.get_or_insert_with(|| table.clone());
            self.add_result(None, table);
        }
        first.unwrap_or(shared)
    }

    fn facet_of(&mut self, input: Table, column: &ast::Expr, span: Span) -> Table {
        let (input, grouping) = self.with_row(input, |b, _| {
            let mut grouping = b.group_keys(std::slice::from_ref(column));
            let out = b.new_column(format!("count_{}", b.name_of(column).unwrap_or_default()), ScalarType::Long);
            if let Some(aggregate) = kql_functions::aggregate("count") {
                let call = AggregateCall { aggregate, args: Vec::new(), ty: ScalarType::Long, span };
                grouping.items.push(SummarizeItem::Aggregate { out: out.id, call });
                grouping.projection.add_column(&out, span);
            }
            grouping
        });
        self.grouped(input, grouping, span)
    }

    pub(super) fn partition(
        &mut self,
        input: Table,
        by: &ast::Expr,
        scope: Option<&ast::Expr>,
        subquery: &SubPipeline,
        legacy: Option<&ast::Expr>,
        span: Span,
    ) -> Table {
        let (input, key) = self.with_row(input, |b, _| b.scalar(by));
        self.no_dynamic(&key, by.span);
        if let Some(legacy) = legacy {
            return self.partition_query(input, key, by, legacy, span);
        }
        if let Some(scope) = scope {
            self.without_row(|b| b.bind(scope));
        }
        let id = self.new_scope();
        let leaf = self.rel(RelKind::ApplyInput { scope: id }, input.rel.columns.clone(), input.rel.serialized, span);
        let inner = self.sub_pipeline(Table { open: input.open, ..Table::new(leaf) }, subquery);
        let open = inner.open;
        let columns = inner.rel.columns.clone();
        let kind = RelKind::Partition { input: input.rel, by: key, scope: id, subquery: inner.rel };
        Table { open, ..Table::new(self.rel(kind, columns, false, span)) }
    }

    /// `partition by Key { T | ... toscalar(Key) ... }`: a query of its own for each key, which sees the key as a constant. Its
    /// rows are those of its table with each key.
    fn partition_query(&mut self, input: Table, key: Expr, by: &ast::Expr, query: &ast::Expr, span: Span) -> Table {
        let ast::ExprKind::Name(name) = &unwrapped(by).kind else {
            self.unsupported("partition by a computed key with a query in braces", by.span);
            return self.without_row(|b| b.table(query));
        };
        let column = self.new_column(name.text.as_str(), key.ty);
        let kind = RelKind::Summarize { input: input.rel, keys: vec![(column.id, key)], items: Vec::new() };
        let keys = self.rel(kind, vec![column.clone()], false, span);
        let id = self.new_scope();
        let leaf = self.rel(RelKind::ApplyInput { scope: id }, vec![column.clone()], false, span);
        let constant = column_expr(&column, name.span);
        let outer = self.scope.clone();
        self.level += 1;
        self.declare(&name.text, Variable::Scalar(constant.clone()));
        let (base, operators): (&ast::Expr, &[Operator]) = match &unwrapped(query).kind {
            ast::ExprKind::Pipe { input, operators } => (input, operators),
            _ => (query, &[]),
        };
        let inner = self.without_row(|b| {
            let base = b.table(base);
            let columns = base.rel.columns.clone();
            let kind =
                RelKind::Join { left: leaf, right: base.rel, kind: JoinKind::Inner, keys: Vec::new(), condition: None };
            let mut table = Table { open: base.open, ..Table::new(b.rel(kind, columns, false, span)) };
            for operator in operators {
                table = b.apply(table, operator);
            }
            table
        });
        self.level -= 1;
        self.scope = outer;
        let columns = inner.rel.columns.clone();
        let kind = RelKind::Partition { input: keys, by: constant, scope: id, subquery: inner.rel };
        Table { open: inner.open, ..Table::new(self.rel(kind, columns, false, span)) }
    }

    /// `macro-expand entity_group [a, b] as x (x.T | ...)`: the union of the query over each entity.
    pub(super) fn macro_expand(&mut self, scope: &ast::Expr, body: &[ast::Statement], span: Span) -> Table {
        let (name, group) = match &scope.kind {
            ast::ExprKind::Named { names, value, .. } => (names.first(), &**value),
            _ => (None, scope),
        };
        let entities = match &unwrapped(group).kind {
            ast::ExprKind::Call { name, args } if name.text == "entity_group" => args.as_slice(),
            _ => std::slice::from_ref(group),
        };
        let mut tables = Vec::with_capacity(entities.len());
        for entity in entities {
            let Bound::Entity(bound) = self.bind(entity) else {
                self.unsupported("macro-expand over a stored entity group", entity.span);
                return self.no_table(span);
            };
            let outer = self.scope.clone();
            self.level += 1;
            if let Some(name) = name {
                self.declare(&name.text, Variable::Entity(bound));
            }
            let result = self.without_row(|b| b.bind_function_body(body, span));
            self.level -= 1;
            self.scope = outer;
            let table = self.table_of(result, span);
            tables.push(Table { name: None, ..table });
        }
        self.unified(tables, false, None, span)
    }
}

//! `top`, `top-hitters`, `top-nested`, `sample-distinct`, `reduce`.

use foldhash::HashSet;
use std::sync::Arc;

use kql_syntax::ast::{self, OrderKey, TopNestedClause};
use kql_types::{ScalarType, Span};

use super::rows::key_of;
use crate::binder::{Binder, Context};
use crate::bound::{AggregateCall, BoundColumn, ColumnId, ExprKind, RelKind, SummarizeItem, TopNestedLevel};
use crate::expr::types::is_summable;
use crate::expr::unwrapped;
use crate::scope::Table;

impl Binder<'_> {
    /// `top n by key`: a sort and a take.
    pub(super) fn top(&mut self, input: Table, count: &ast::Expr, by: &OrderKey, span: Span) -> Table {
        let count = self.row_count(count);
        let (input, key) = self.with_row(input, |b, _| b.sort_key(by));
        let sorted = self.sorted(input, vec![key], span);
        self.taken(sorted, count, span)
    }

    /// The groups with the greatest counts or sums.
    pub(super) fn top_hitters(
        &mut self,
        input: Table,
        count: &ast::Expr,
        of: &ast::Expr,
        by: Option<&ast::Expr>,
        span: Span,
    ) -> Table {
        let count = self.row_count(count);
        let (input, (grouping, rank)) = self.with_row(input, |b, _| {
            let mut grouping = b.group_keys(std::slice::from_ref(of));
            let of_name = b.name_of(of).unwrap_or_default();
            let (aggregate, args, name) = match by {
                Some(by) => {
                    let value = b.scalar(by);
                    if !is_summable(value.ty) && value.ty != ScalarType::Unknown {
                        b.error("KS137", by.span, "The expression value must be a number.");
                    }
                    let name = format!("approximate_sum_{}", b.name_of(by).unwrap_or_default());
                    ("sum", vec![value], name)
                }
                None => ("count", Vec::new(), format!("approximate_count_{of_name}")),
            };
            let outer = std::mem::take(&mut b.aggregates);
            let written = ast::Name { text: aggregate.to_string(), span, bracketed: false };
            let rank = match kql_functions::aggregate(aggregate) {
                Some(entry) => b.aggregate_call(entry, &written, args, span),
                None => b.error_expr(span),
            };
            grouping.items = std::mem::replace(&mut b.aggregates, outer);
            let name: Arc<str> = name.into();
            grouping.projection.add(&name, None, rank.clone(), false, None);
            (grouping, rank)
        });
        let grouped = self.grouped(input, grouping, span);
        let sorted = self.sorted(grouped, vec![key_of(rank, true)], span);
        self.taken(sorted, count, span)
    }

    pub(super) fn sample_distinct(&mut self, input: Table, count: &ast::Expr, of: &ast::Expr, span: Span) -> Table {
        let count = self.row_count(count);
        let distinct = self.summarize(input, &[], std::slice::from_ref(of), span);
        self.taken(distinct, count, span)
    }

    pub(super) fn top_nested(&mut self, input: Table, clauses: &[TopNestedClause], span: Span) -> Table {
        let mut columns: Vec<BoundColumn> = Vec::new();
        let (input, levels) = self.with_row(input, |b, _| {
            let mut used = HashSet::default();
            let mut levels = Vec::new();
            for clause in clauses {
                if let Some(level) = b.top_nested_level(clause, &mut columns, &mut used, span) {
                    levels.push(level);
                }
            }
            levels
        });
        if levels.iter().any(|level| level.others.is_some()) {
            return self.top_nested_with_others(input, &levels, columns, span);
        }
        let kind = RelKind::TopNested { input: input.rel, levels };
        Table { open: input.open, ..Table::new(self.rel(kind, columns, true, span)) }
    }

    fn top_nested_level(
        &mut self,
        clause: &TopNestedClause,
        columns: &mut Vec<BoundColumn>,
        used: &mut HashSet<String>,
        span: Span,
    ) -> Option<TopNestedLevel> {
        let count = clause.count.as_ref().map(|count| self.row_count(count));
        let of = match &clause.expr.kind {
            ast::ExprKind::Named { value, .. } => value,
            _ => &clause.expr,
        };
        let expr = self.scalar(of);
        let others = clause.with_others.as_ref().map(|others| {
            let bound = self.scalar(others);
            self.convert(bound, expr.ty)
        });
        let outer = std::mem::take(&mut self.aggregates);
        let by = match &clause.by.expr.kind {
            ast::ExprKind::Named { value, .. } => value,
            _ => &clause.by.expr,
        };
        let rank = self.in_context(Context::Aggregate, |b| b.scalar(by));
        let items = std::mem::replace(&mut self.aggregates, outer);
        let of_name = self.name_of(&clause.expr).unwrap_or_default();
        let by_name = match &clause.by.expr.kind {
            ast::ExprKind::Named { names, .. } => names.first().map(|name| name.text.clone()),
            _ => None,
        };
        let by_name = by_name.unwrap_or_else(|| format!("aggregated_{of_name}"));
        let out = self.new_column(unique(used, &of_name), expr.ty);
        let aggregate_out = self.new_column(unique(used, &by_name), rank.ty);
        columns.push(out.clone());
        columns.push(aggregate_out.clone());
        let mut calls: Vec<(ColumnId, AggregateCall)> = Vec::with_capacity(items.len());
        for item in items {
            match item {
                SummarizeItem::Aggregate { out, call } => calls.push((out, call)),
                SummarizeItem::ArgExtreme { .. } | SummarizeItem::TakeAny { .. } => {
                    self.unsupported("top-nested by values of other columns", span);
                    return None;
                }
            }
        }
        if matches!(rank.kind, ExprKind::Error) {
            return None;
        }
        Some(TopNestedLevel {
            count,
            out: out.id,
            expr,
            others,
            aggregate_out: aggregate_out.id,
            rank,
            calls,
            descending: clause.by.descending.unwrap_or(true),
        })
    }

    pub(super) fn reduce(
        &mut self,
        input: Table,
        by: &ast::Expr,
        with: &[ast::OpParam],
        operator: &ast::Operator,
    ) -> Table {
        let span = operator.span;
        let (input, bound) = self.with_row(input, |b, _| b.scalar(unwrapped(by)));
        if !matches!(bound.ty, ScalarType::String | ScalarType::Unknown) {
            self.error("KS107", by.span, "A value of type string expected.");
        }
        let mut options = self.constant_options(with);
        options.extend(self.constant_options(&operator.params));
        let source = self.op_text(operator, "kind").as_deref() == Some("source");
        options.retain(|(name, _)| name != "kind");
        if source {
            options.push(("kind".to_string(), kql_types::Value::String("source".to_string())));
        }
        let columns = if source {
            let mut columns = input.rel.columns.clone();
            columns.push(self.new_column("Pattern", ScalarType::String));
            columns
        } else {
            vec![
                self.new_column("Pattern", ScalarType::String),
                self.new_column("Count", ScalarType::Long),
                self.new_column("Representative", ScalarType::String),
            ]
        };
        let kind = RelKind::Reduce { input: input.rel, by: bound, options };
        Table::new(self.rel(kind, columns, false, span))
    }
}

fn unique(used: &mut HashSet<String>, name: &str) -> String {
    let mut unique = name.to_string();
    let mut number = 1;
    while !used.insert(unique.clone()) {
        unique = format!("{name}{number}");
        number += 1;
    }
    unique
}

//! Visits every column id of a bound tree: copies with fresh ids, counting, liveness.
//!
//! One traversal knows the shape of [`RelKind`] and [`ExprKind`]; what is done with the ids is up to the caller.
//! Start at [`renumber`].

use std::collections::HashMap;

use crate::bound::{AggregateCall, ColumnId, Expr, ExprKind, PathStep, PluginArg, Rel, RelKind, SummarizeItem};

/// What a visitor is shown: each id (definition or use), and each node once for counting.
pub(crate) trait Visitor {
    fn id(&mut self, id: &mut ColumnId);
    fn scope(&mut self, _scope: &mut u32) {}
    fn node(&mut self) {}
    fn error(&mut self, _span: kql_types::Span) {}
    /// An input of the node at hand: go into it with [`visit_rel`], or not.
    fn rel(&mut self, rel: &mut Rel);
    /// A table inside an expression.
    fn nested(&mut self, rel: &mut Rel) {
        self.rel(rel);
    }
}

/// Gives every column id of a copied table a fresh one, so that a table used twice has two sets of ids. The inputs of
/// [`RelKind::Materialize`] stay as they are (they are shared), only its outputs are renumbered. Returns the number of
/// nodes and what the ids were renumbered to.
pub(crate) fn renumber(rel: &mut Rel, next_id: &mut u32, next_scope: &mut u32) -> (usize, HashMap<ColumnId, ColumnId>) {
    struct Renumber<'a> {
        next_id: &'a mut u32,
        next_scope: &'a mut u32,
        ids: HashMap<ColumnId, ColumnId>,
        scopes: HashMap<u32, u32>,
        nodes: usize,
    }
    impl Visitor for Renumber<'_> {
        fn id(&mut self, id: &mut ColumnId) {
            let next = &mut *self.next_id;
            *id = *self.ids.entry(*id).or_insert_with(|| {
                *next += 1;
                ColumnId(*next - 1)
            });
        }
        fn scope(&mut self, scope: &mut u32) {
            let next = &mut *self.next_scope;
            *scope = *self.scopes.entry(*scope).or_insert_with(|| {
                *next += 1;
                *next - 1
            });
        }
        fn node(&mut self) {
            self.nodes += 1;
        }
        fn rel(&mut self, rel: &mut Rel) {
            visit_rel(rel, self);
        }
    }
    let mut visitor = Renumber { next_id, next_scope, ids: HashMap::new(), scopes: HashMap::new(), nodes: 0 };
    visit_rel(rel, &mut visitor);
    (visitor.nodes, visitor.ids)
}

/// The first expression that did not bind.
pub(crate) fn first_error(rel: &mut Rel) -> Option<kql_types::Span> {
    struct Find(Option<kql_types::Span>);
    impl Visitor for Find {
        fn id(&mut self, _: &mut ColumnId) {}
        fn error(&mut self, span: kql_types::Span) {
            self.0.get_or_insert(span);
        }
        fn rel(&mut self, rel: &mut Rel) {
            visit_rel(rel, self);
        }
    }
    let mut find = Find(None);
    visit_rel(rel, &mut find);
    find.0
}

/// The number of nodes of an expression.
pub(crate) fn expr_size(expr: &mut Expr) -> usize {
    struct Count(usize);
    impl Visitor for Count {
        fn id(&mut self, _: &mut ColumnId) {}
        fn node(&mut self) {
            self.0 += 1;
        }
        fn rel(&mut self, rel: &mut Rel) {
            visit_rel(rel, self);
        }
    }
    let mut count = Count(0);
    visit_expr(expr, &mut count);
    count.0
}

pub(crate) fn visit_rel(rel: &mut Rel, visitor: &mut dyn Visitor) {
    visitor.node();
    match &mut *rel.kind {
        RelKind::OneRow
        | RelKind::Empty
        | RelKind::Table { .. }
        | RelKind::Datatable { .. }
        | RelKind::ExternalData { .. }
        | RelKind::HostTable { .. }
        | RelKind::Materialize { .. } => {}
        RelKind::ApplyInput { scope } => visitor.scope(scope),
        RelKind::Range { from, to, step } => {
            for expr in [from, to, step] {
                visit_expr(expr, visitor);
            }
        }
        RelKind::Filter { input, predicate } => {
            visitor.rel(input);
            visit_expr(predicate, visitor);
        }
        RelKind::Project { input, exprs } => {
            visitor.rel(input);
            visit_pairs(exprs, visitor);
        }
        RelKind::Summarize { input, keys, items } => {
            visitor.rel(input);
            visit_pairs(keys, visitor);
            items.iter_mut().for_each(|item| visit_item(item, visitor));
        }
        RelKind::Sort { input, keys } => {
            visitor.rel(input);
            keys.iter_mut().for_each(|key| visit_expr(&mut key.expr, visitor));
        }
        RelKind::Take { input, count } | RelKind::Sample { input, count } => {
            visitor.rel(input);
            visit_expr(count, visitor);
        }
        RelKind::Serialize { input } => visitor.rel(input),
        RelKind::Union { inputs } => inputs.iter_mut().for_each(|input| visitor.rel(input)),
        RelKind::Join { left, right, keys, condition, .. } => {
            visitor.rel(left);
            visitor.rel(right);
            for (a, b) in keys {
                visit_expr(a, visitor);
                visit_expr(b, visitor);
            }
            if let Some(condition) = condition {
                visit_expr(condition, visitor);
            }
        }
        other => visit_wide(other, visitor),
    }
    rel.columns.iter_mut().for_each(|column| visitor.id(&mut column.id));
}

/// The operators with many parts.
fn visit_wide(kind: &mut RelKind, visitor: &mut dyn Visitor) {
    match kind {
        RelKind::MvExpand { input, items, index, .. } => {
            visitor.rel(input);
            for item in items {
                visit_expr(&mut item.expr, visitor);
                visitor.id(&mut item.out);
            }
            index.iter_mut().for_each(|id| visitor.id(id));
        }
        RelKind::MvApply { input, scope, items, index, context, subquery, .. } => {
            visitor.rel(input);
            visitor.scope(scope);
            for item in items {
                visit_expr(&mut item.expr, visitor);
                visitor.id(&mut item.out);
            }
            index.iter_mut().chain(context).for_each(|id| visitor.id(id));
            visitor.rel(subquery);
        }
        RelKind::Partition { input, by, scope, subquery } => {
            visitor.rel(input);
            visitor.scope(scope);
            visit_expr(by, visitor);
            visitor.rel(subquery);
        }
        RelKind::MakeSeries { input, keys, aggregates, axis, axis_out, from, to, step, .. } => {
            visitor.rel(input);
            visit_pairs(keys, visitor);
            for (id, call, default) in aggregates {
                visitor.id(id);
                visit_call(call, visitor);
                visit_expr(default, visitor);
            }
            visit_expr(axis, visitor);
            visitor.id(axis_out);
            from.iter_mut().chain(to).for_each(|expr| visit_expr(expr, visitor));
            visit_expr(step, visitor);
        }
        RelKind::Parse { input, expr, outputs, .. } => {
            visitor.rel(input);
            visit_expr(expr, visitor);
            outputs.iter_mut().for_each(|(id, _)| visitor.id(id));
        }
        RelKind::ParseKv { input, expr, outputs, .. } => {
            visitor.rel(input);
            visit_expr(expr, visitor);
            outputs.iter_mut().for_each(|(id, _, _)| visitor.id(id));
        }
        RelKind::TopNested { input, levels } => {
            visitor.rel(input);
            for level in levels {
                level.count.iter_mut().chain(&mut level.others).for_each(|expr| visit_expr(expr, visitor));
                visit_expr(&mut level.expr, visitor);
                visit_call(&mut level.aggregate, visitor);
                visitor.id(&mut level.out);
                visitor.id(&mut level.aggregate_out);
            }
        }
        RelKind::Scan { input, partition_by, order_by, declared, steps, match_id } => {
            visitor.rel(input);
            partition_by.iter_mut().for_each(|expr| visit_expr(expr, visitor));
            order_by.iter_mut().for_each(|key| visit_expr(&mut key.expr, visitor));
            visit_pairs(declared, visitor);
            for step in steps {
                visit_expr(&mut step.condition, visitor);
                step.assignments.iter_mut().for_each(|(_, expr)| visit_expr(expr, visitor));
            }
            match_id.iter_mut().for_each(|id| visitor.id(id));
        }
        RelKind::Plugin { input, args, .. } => {
            input.iter_mut().for_each(|input| visitor.rel(input));
            args.iter_mut().for_each(|arg| visit_plugin_arg(arg, visitor));
        }
        RelKind::Reduce { input, by, .. } => {
            visitor.rel(input);
            visit_expr(by, visitor);
        }
        _ => {}
    }
}

fn visit_pairs(pairs: &mut [(ColumnId, Expr)], visitor: &mut dyn Visitor) {
    for (id, expr) in pairs {
        visitor.id(id);
        visit_expr(expr, visitor);
    }
}

fn visit_call(call: &mut AggregateCall, visitor: &mut dyn Visitor) {
    call.args.iter_mut().for_each(|arg| visit_expr(arg, visitor));
}

fn visit_item(item: &mut SummarizeItem, visitor: &mut dyn Visitor) {
    match item {
        SummarizeItem::Aggregate { out, call } => {
            visitor.id(out);
            visit_call(call, visitor);
        }
        SummarizeItem::ArgExtreme { by, by_out, values, .. } => {
            visit_expr(by, visitor);
            visitor.id(by_out);
            visit_pairs(values, visitor);
        }
        SummarizeItem::TakeAny { values } => visit_pairs(values, visitor),
    }
}

fn visit_plugin_arg(arg: &mut PluginArg, visitor: &mut dyn Visitor) {
    match arg {
        PluginArg::Value(_) => {}
        PluginArg::Expr(expr) => visit_expr(expr, visitor),
        PluginArg::Rel(rel) => visitor.nested(rel),
        PluginArg::Named(_, arg) => visit_plugin_arg(arg, visitor),
    }
}

pub(crate) fn visit_expr(expr: &mut Expr, visitor: &mut dyn Visitor) {
    visitor.node();
    match &mut expr.kind {
        ExprKind::Literal(_) | ExprKind::IngestionTime => {}
        ExprKind::Error => visitor.error(expr.span),
        ExprKind::Column(id) | ExprKind::ScanState { column: id, .. } => visitor.id(id),
        ExprKind::Call { args, .. }
        | ExprKind::Window { args, .. }
        | ExprKind::And(args)
        | ExprKind::Or(args)
        | ExprKind::Coalesce(args) => args.iter_mut().for_each(|arg| visit_expr(arg, visitor)),
        ExprKind::Not(inner) | ExprKind::Convert(inner) => visit_expr(inner, visitor),
        ExprKind::Case { branches, otherwise } => {
            for (condition, value) in branches {
                visit_expr(condition, visitor);
                visit_expr(value, visitor);
            }
            visit_expr(otherwise, visitor);
        }
        ExprKind::Path { base, steps } => {
            visit_expr(base, visitor);
            for step in steps {
                if let PathStep::Computed(expr) = step {
                    visit_expr(expr, visitor);
                }
            }
        }
        ExprKind::In { value, items, .. } => {
            visit_expr(value, visitor);
            items.iter_mut().for_each(|item| visit_expr(item, visitor));
        }
        ExprKind::InRel { value, rel, .. } | ExprKind::HasRel { value, rel, .. } => {
            visit_expr(value, visitor);
            visitor.nested(rel);
        }
        ExprKind::Scalar(rel) => visitor.nested(rel),
    }
}

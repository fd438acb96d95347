//! Walking bound queries: the columns an expression uses, the expressions and relations inside a relation.

use std::collections::HashSet;

use kql_semantics::bound::{ColumnId, Expr, ExprKind, PathStep, PluginArg, Rel, RelKind, SummarizeItem};

/// A set of columns.
pub type ColumnSet = HashSet<ColumnId>;

/// Adds the columns that `expr` reads from its own rows. Subqueries read their own.
pub fn columns_of(expr: &Expr, into: &mut ColumnSet) {
    match &expr.kind {
        ExprKind::Column(id) => {
            into.insert(*id);
        }
        ExprKind::ScanState { column, .. } => {
            into.insert(*column);
        }
        _ => {}
    }
    for_each_child(expr, &mut |child| columns_of(child, into));
}

/// Calls `f` on the direct operands of an expression.
pub fn for_each_child<'a>(expr: &'a Expr, f: &mut dyn FnMut(&'a Expr)) {
    match &expr.kind {
        ExprKind::Call { args, .. } | ExprKind::Window { args, .. } => args.iter().for_each(f),
        ExprKind::And(items) | ExprKind::Or(items) | ExprKind::Coalesce(items) => items.iter().for_each(f),
        ExprKind::Not(inner) | ExprKind::Convert(inner) => f(inner),
        ExprKind::Case { branches, otherwise } => {
            for (condition, value) in branches {
                f(condition);
                f(value);
            }
            f(otherwise);
        }
        ExprKind::Path { base, steps } => {
            f(base);
            for step in steps {
                if let PathStep::Computed(inner) = step {
                    f(inner);
                }
            }
        }
        ExprKind::In { value, items, .. } => {
            f(value);
            items.iter().for_each(f);
        }
        ExprKind::InRel { value, .. } | ExprKind::HasRel { value, .. } => f(value),
        _ => {}
    }
}

/// As [`for_each_child`], to change them.
pub fn for_each_child_mut<'a>(expr: &'a mut Expr, f: &mut dyn FnMut(&'a mut Expr)) {
    match &mut expr.kind {
        ExprKind::Call { args, .. } | ExprKind::Window { args, .. } => args.iter_mut().for_each(f),
        ExprKind::And(items) | ExprKind::Or(items) | ExprKind::Coalesce(items) => items.iter_mut().for_each(f),
        ExprKind::Not(inner) | ExprKind::Convert(inner) => f(inner),
        ExprKind::Case { branches, otherwise } => {
            for (condition, value) in branches {
                f(condition);
                f(value);
            }
            f(otherwise);
        }
        ExprKind::Path { base, steps } => {
            f(base);
            for step in steps {
                if let PathStep::Computed(inner) = step {
                    f(inner);
                }
            }
        }
        ExprKind::In { value, items, .. } => {
            f(value);
            items.iter_mut().for_each(f);
        }
        ExprKind::InRel { value, .. } | ExprKind::HasRel { value, .. } => f(value),
        _ => {}
    }
}

/// Whether an expression or an operand of it satisfies the test.
pub fn any_expr(expr: &Expr, test: &dyn Fn(&Expr) -> bool) -> bool {
    if test(expr) {
        return true;
    }
    let mut found = false;
    for_each_child(expr, &mut |child| found |= any_expr(child, test));
    found
}

/// Calls `f` on the relations that a relation reads directly. Subqueries in expressions are not among them.
pub fn for_each_input<'a>(rel: &'a Rel, f: &mut dyn FnMut(&'a Rel)) {
    match rel.kind.as_ref() {
        RelKind::OneRow
        | RelKind::Empty
        | RelKind::Table { .. }
        | RelKind::Datatable { .. }
        | RelKind::Range { .. }
        | RelKind::ApplyInput { .. }
        | RelKind::ExternalData { .. }
        | RelKind::HostTable { .. } => {}
        RelKind::Filter { input, .. }
        | RelKind::Project { input, .. }
        | RelKind::Summarize { input, .. }
        | RelKind::Sort { input, .. }
        | RelKind::Take { input, .. }
        | RelKind::Serialize { input }
        | RelKind::Sample { input, .. }
        | RelKind::MvExpand { input, .. }
        | RelKind::MakeSeries { input, .. }
        | RelKind::Parse { input, .. }
        | RelKind::ParseKv { input, .. }
        | RelKind::TopNested { input, .. }
        | RelKind::Scan { input, .. }
        | RelKind::Reduce { input, .. }
        | RelKind::Materialize { input, .. } => f(input),
        RelKind::Union { inputs } => inputs.iter().for_each(f),
        RelKind::Join { left, right, .. } => {
            f(left);
            f(right);
        }
        RelKind::MvApply { input, subquery, .. } | RelKind::Partition { input, subquery, .. } => {
            f(input);
            f(subquery);
        }
        RelKind::Plugin { input, args, .. } => {
            input.iter().for_each(&mut *f);
            for arg in args {
                if let PluginArg::Rel(rel) = unnamed(arg) {
                    f(rel);
                }
            }
        }
    }
}

/// As [`for_each_input`], to change them.
pub fn for_each_input_mut<'a>(rel: &'a mut Rel, f: &mut dyn FnMut(&'a mut Rel)) {
    match rel.kind.as_mut() {
        RelKind::OneRow
        | RelKind::Empty
        | RelKind::Table { .. }
        | RelKind::Datatable { .. }
        | RelKind::Range { .. }
        | RelKind::ApplyInput { .. }
        | RelKind::ExternalData { .. }
        | RelKind::HostTable { .. } => {}
        RelKind::Filter { input, .. }
        | RelKind::Project { input, .. }
        | RelKind::Summarize { input, .. }
        | RelKind::Sort { input, .. }
        | RelKind::Take { input, .. }
        | RelKind::Serialize { input }
        | RelKind::Sample { input, .. }
        | RelKind::MvExpand { input, .. }
        | RelKind::MakeSeries { input, .. }
        | RelKind::Parse { input, .. }
        | RelKind::ParseKv { input, .. }
        | RelKind::TopNested { input, .. }
        | RelKind::Scan { input, .. }
        | RelKind::Reduce { input, .. }
        | RelKind::Materialize { input, .. } => f(input),
        RelKind::Union { inputs } => inputs.iter_mut().for_each(f),
        RelKind::Join { left, right, .. } => {
            f(left);
            f(right);
        }
        RelKind::MvApply { input, subquery, .. } | RelKind::Partition { input, subquery, .. } => {
            f(input);
            f(subquery);
        }
        RelKind::Plugin { input, args, .. } => {
            input.iter_mut().for_each(&mut *f);
            for arg in args {
                if let PluginArg::Rel(rel) = unnamed_mut(arg) {
                    f(rel);
                }
            }
        }
    }
}

fn unnamed(arg: &PluginArg) -> &PluginArg {
    match arg {
        PluginArg::Named(_, inner) => unnamed(inner),
        other => other,
    }
}

fn unnamed_mut(arg: &mut PluginArg) -> &mut PluginArg {
    match arg {
        PluginArg::Named(_, inner) => unnamed_mut(inner),
        other => other,
    }
}

/// Calls `f` on the expressions that a relation holds itself, outermost ones only.
pub fn for_each_expr<'a>(rel: &'a Rel, f: &mut dyn FnMut(&'a Expr)) {
    match rel.kind.as_ref() {
        RelKind::Range { from, to, step } => {
            f(from);
            f(to);
            f(step);
        }
        RelKind::Filter { predicate, .. } => f(predicate),
        RelKind::Project { exprs, .. } => exprs.iter().for_each(|(_, expr)| f(expr)),
        RelKind::Summarize { keys, items, .. } => {
            keys.iter().for_each(|(_, expr)| f(expr));
            for item in items {
                match item {
                    SummarizeItem::Aggregate { call, .. } => call.args.iter().for_each(&mut *f),
                    SummarizeItem::ArgExtreme { by, values, .. } => {
                        f(by);
                        values.iter().for_each(|(_, expr)| f(expr));
                    }
                    SummarizeItem::TakeAny { values } => values.iter().for_each(|(_, expr)| f(expr)),
                }
            }
        }
        RelKind::Sort { keys, .. } => keys.iter().for_each(|key| f(&key.expr)),
        RelKind::Take { count, .. } | RelKind::Sample { count, .. } => f(count),
        RelKind::Join { keys, condition, .. } => {
            for (left, right) in keys {
                f(left);
                f(right);
            }
            condition.iter().for_each(f);
        }
        RelKind::MvExpand { items, .. } | RelKind::MvApply { items, .. } => {
            items.iter().for_each(|item| f(&item.expr));
        }
        RelKind::Partition { by, .. } => f(by),
        RelKind::MakeSeries { keys, aggregates, axis, from, to, step, .. } => {
            keys.iter().for_each(|(_, expr)| f(expr));
            for (_, call, default) in aggregates {
                call.args.iter().for_each(&mut *f);
                f(default);
            }
            f(axis);
            from.iter().for_each(&mut *f);
            to.iter().for_each(&mut *f);
            f(step);
        }
        RelKind::Parse { expr, .. } | RelKind::ParseKv { expr, .. } => f(expr),
        RelKind::TopNested { levels, .. } => {
            for level in levels {
                level.count.iter().for_each(&mut *f);
                f(&level.expr);
                level.others.iter().for_each(&mut *f);
                level.aggregate.args.iter().for_each(&mut *f);
            }
        }
        RelKind::Scan { partition_by, order_by, declared, steps, .. } => {
            partition_by.iter().for_each(&mut *f);
            order_by.iter().for_each(|key| f(&key.expr));
            declared.iter().for_each(|(_, expr)| f(expr));
            for step in steps {
                f(&step.condition);
                step.assignments.iter().for_each(|(_, expr)| f(expr));
            }
        }
        RelKind::Plugin { args, .. } => {
            for arg in args {
                if let PluginArg::Expr(expr) = unnamed(arg) {
                    f(expr);
                }
            }
        }
        RelKind::Reduce { by, .. } => f(by),
        RelKind::OneRow
        | RelKind::Empty
        | RelKind::Table { .. }
        | RelKind::Datatable { .. }
        | RelKind::Serialize { .. }
        | RelKind::Union { .. }
        | RelKind::ApplyInput { .. }
        | RelKind::Materialize { .. }
        | RelKind::ExternalData { .. }
        | RelKind::HostTable { .. } => {}
    }
}

/// Calls `f` on the relations inside the expressions that a relation holds itself: `toscalar`, `in (tabular)` and the like.
pub fn for_each_nested<'a>(rel: &'a Rel, f: &mut dyn FnMut(&'a Rel)) {
    for_each_expr(rel, &mut |expr| nested_in(expr, f));
}

fn nested_in<'a>(expr: &'a Expr, f: &mut dyn FnMut(&'a Rel)) {
    match &expr.kind {
        ExprKind::Scalar(rel) | ExprKind::InRel { rel, .. } | ExprKind::HasRel { rel, .. } => f(rel),
        _ => {}
    }
    for_each_child(expr, &mut |child| nested_in(child, f));
}

/// As [`for_each_expr`], to change them.
pub fn for_each_expr_mut<'a>(rel: &'a mut Rel, f: &mut dyn FnMut(&'a mut Expr)) {
    match rel.kind.as_mut() {
        RelKind::Range { from, to, step } => {
            f(from);
            f(to);
            f(step);
        }
        RelKind::Filter { predicate, .. } => f(predicate),
        RelKind::Project { exprs, .. } => exprs.iter_mut().for_each(|(_, expr)| f(expr)),
        RelKind::Summarize { keys, items, .. } => {
            keys.iter_mut().for_each(|(_, expr)| f(expr));
            for item in items {
                match item {
                    SummarizeItem::Aggregate { call, .. } => call.args.iter_mut().for_each(&mut *f),
                    SummarizeItem::ArgExtreme { by, values, .. } => {
                        f(by);
                        values.iter_mut().for_each(|(_, expr)| f(expr));
                    }
                    SummarizeItem::TakeAny { values } => values.iter_mut().for_each(|(_, expr)| f(expr)),
                }
            }
        }
        RelKind::Sort { keys, .. } => keys.iter_mut().for_each(|key| f(&mut key.expr)),
        RelKind::Take { count, .. } | RelKind::Sample { count, .. } => f(count),
        RelKind::Join { keys, condition, .. } => {
            for (left, right) in keys {
                f(left);
                f(right);
            }
            condition.iter_mut().for_each(f);
        }
        RelKind::MvExpand { items, .. } | RelKind::MvApply { items, .. } => {
            items.iter_mut().for_each(|item| f(&mut item.expr));
        }
        RelKind::Partition { by, .. } => f(by),
        RelKind::MakeSeries { keys, aggregates, axis, from, to, step, .. } => {
            keys.iter_mut().for_each(|(_, expr)| f(expr));
            for (_, call, default) in aggregates {
                call.args.iter_mut().for_each(&mut *f);
                f(default);
            }
            f(axis);
            from.iter_mut().for_each(&mut *f);
            to.iter_mut().for_each(&mut *f);
            f(step);
        }
        RelKind::Parse { expr, .. } | RelKind::ParseKv { expr, .. } => f(expr),
        RelKind::TopNested { levels, .. } => {
            for level in levels {
                level.count.iter_mut().for_each(&mut *f);
                f(&mut level.expr);
                level.others.iter_mut().for_each(&mut *f);
                level.aggregate.args.iter_mut().for_each(&mut *f);
            }
        }
        RelKind::Scan { partition_by, order_by, declared, steps, .. } => {
            partition_by.iter_mut().for_each(&mut *f);
            order_by.iter_mut().for_each(|key| f(&mut key.expr));
            declared.iter_mut().for_each(|(_, expr)| f(expr));
            for step in steps {
                f(&mut step.condition);
                step.assignments.iter_mut().for_each(|(_, expr)| f(expr));
            }
        }
        RelKind::Plugin { args, .. } => {
            for arg in args {
                if let PluginArg::Expr(expr) = unnamed_mut(arg) {
                    f(expr);
                }
            }
        }
        RelKind::Reduce { by, .. } => f(by),
        RelKind::OneRow
        | RelKind::Empty
        | RelKind::Table { .. }
        | RelKind::Datatable { .. }
        | RelKind::Serialize { .. }
        | RelKind::Union { .. }
        | RelKind::ApplyInput { .. }
        | RelKind::Materialize { .. }
        | RelKind::ExternalData { .. }
        | RelKind::HostTable { .. } => {}
    }
}

/// The outermost subqueries inside an expression: `toscalar`, `in (tabular)`, `has_any (tabular)`.
pub fn subqueries_mut<'a>(expr: &'a mut Expr, into: &mut Vec<&'a mut Expr>) {
    if matches!(expr.kind, ExprKind::Scalar(_) | ExprKind::InRel { .. } | ExprKind::HasRel { .. }) {
        into.push(expr);
    } else {
        for_each_child_mut(expr, &mut |child| subqueries_mut(child, into));
    }
}

/// Whether a relation, or a subquery in it, asks for `ingestion_time()`.
pub fn uses_ingestion_time(rel: &Rel) -> bool {
    fn in_expr(expr: &Expr) -> bool {
        any_expr(expr, &|expr| match &expr.kind {
            ExprKind::IngestionTime => true,
            ExprKind::Scalar(rel) | ExprKind::InRel { rel, .. } | ExprKind::HasRel { rel, .. } => {
                uses_ingestion_time(rel)
            }
            _ => false,
        })
    }
    let mut found = false;
    for_each_expr(rel, &mut |expr| found = found || in_expr(expr));
    for_each_input(rel, &mut |input| found = found || uses_ingestion_time(input));
    found
}

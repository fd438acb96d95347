//! The parts of every operator and expression, listed once for reading and for changing.
//!
//! Whoever adds a field to a [`RelKind`] or [`ExprKind`] lists it here and nowhere else: walks, copies with fresh ids,
//! liveness, lowering and the analysis of rules all see it. Start at [`of_rel`] and [`of_expr`].

use crate::bound::{ColumnId, Expr, ExprKind, PathStep, PluginArg, Rel, RelKind, SummarizeItem};

/// Something an operator or an expression is made of.
#[derive(Debug, Clone, Copy)]
pub enum Part<'a> {
    /// A table that an operator reads, sub-pipelines included.
    Input(&'a Rel),
    /// A table given to a plugin beside its input.
    Argument(&'a Rel),
    /// A query inside an expression: `toscalar(...)`, `in (tabular)`.
    Subquery(&'a Rel),
    Expr(&'a Expr),
    /// A column that is read or made.
    Column(&'a ColumnId),
    /// What ties a sub-pipeline to its [`RelKind::ApplyInput`].
    Scope(&'a u32),
}

/// [`Part`], to be changed.
#[derive(Debug)]
pub enum PartMut<'a> {
    Input(&'a mut Rel),
    Argument(&'a mut Rel),
    Subquery(&'a mut Rel),
    Expr(&'a mut Expr),
    Column(&'a mut ColumnId),
    Scope(&'a mut u32),
}

/// Writes the lists; `$mutable` is empty or `mut`.
macro_rules! lists {
    ($Part:ident, $rel:ident, $wide:ident, $widest:ident, $scan:ident, $expr:ident, $argument:ident $(, $mutable:tt)?) => {
        /// Calls `f` on what an operator itself is made of, outermost expressions only.
        /// Its visible columns (`Rel::columns`) are not among them.
        pub fn $rel<'a>(rel: &'a $($mutable)? Rel, f: &mut dyn FnMut($Part<'a>)) {
            match &$($mutable)? *rel.kind {
                RelKind::OneRow
                | RelKind::Empty
                | RelKind::Table { .. }
                | RelKind::Datatable { .. }
                | RelKind::ExternalData { .. }
                | RelKind::HostTable { .. } => {}
                RelKind::ApplyInput { scope } => f($Part::Scope(scope)),
                RelKind::Range { from, to, step } => {
                    for expr in [from, to, step] {
                        f($Part::Expr(expr));
                    }
                }
                RelKind::Filter { input, predicate } => {
                    f($Part::Input(input));
                    f($Part::Expr(predicate));
                }
                RelKind::Project { input, exprs } => {
                    f($Part::Input(input));
                    for (id, expr) in exprs {
                        f($Part::Column(id));
                        f($Part::Expr(expr));
                    }
                }
                RelKind::Sort { input, keys } => {
                    f($Part::Input(input));
                    for key in keys {
                        f($Part::Expr(&$($mutable)? key.expr));
                    }
                }
                RelKind::Take { input, count } | RelKind::Sample { input, count } => {
                    f($Part::Input(input));
                    f($Part::Expr(count));
                }
                RelKind::Serialize { input } | RelKind::Materialize { input, .. } => f($Part::Input(input)),
                RelKind::Union { inputs } => {
                    for input in inputs {
                        f($Part::Input(input));
                    }
                }
                RelKind::Join { left, right, keys, condition, .. } => {
                    f($Part::Input(left));
                    f($Part::Input(right));
                    for (left, right) in keys {
                        f($Part::Expr(left));
                        f($Part::Expr(right));
                    }
                    if let Some(condition) = condition {
                        f($Part::Expr(condition));
                    }
                }
                RelKind::Plugin { input, args, .. } => {
                    if let Some(input) = input {
                        f($Part::Input(input));
                    }
                    for arg in args {
                        $argument(arg, f);
                    }
                }
                other => $wide(other, f),
            }
        }

        /// The operators with many parts.
        fn $wide<'a>(kind: &'a $($mutable)? RelKind, f: &mut dyn FnMut($Part<'a>)) {
            match kind {
                RelKind::Summarize { input, keys, items } => {
                    f($Part::Input(input));
                    for (id, expr) in keys {
                        f($Part::Column(id));
                        f($Part::Expr(expr));
                    }
                    for item in items {
                        match item {
                            SummarizeItem::Aggregate { out, call } => {
                                f($Part::Column(out));
                                for arg in &$($mutable)? call.args {
                                    f($Part::Expr(arg));
                                }
                            }
                            SummarizeItem::ArgExtreme { by, by_out, values, .. } => {
                                f($Part::Expr(by));
                                f($Part::Column(by_out));
                                for (id, expr) in values {
                                    f($Part::Column(id));
                                    f($Part::Expr(expr));
                                }
                            }
                            SummarizeItem::TakeAny { values } => {
                                for (id, expr) in values {
                                    f($Part::Column(id));
                                    f($Part::Expr(expr));
                                }
                            }
                        }
                    }
                }
                RelKind::MvExpand { input, items, index, .. } => {
                    f($Part::Input(input));
                    for item in items {
                        f($Part::Expr(&$($mutable)? item.expr));
                        f($Part::Column(&$($mutable)? item.out));
                    }
                    if let Some(id) = index {
                        f($Part::Column(id));
                    }
                }
                RelKind::MvApply { input, scope, items, index, context, subquery, .. } => {
                    f($Part::Input(input));
                    f($Part::Scope(scope));
                    for item in items {
                        f($Part::Expr(&$($mutable)? item.expr));
                        f($Part::Column(&$($mutable)? item.out));
                    }
                    if let Some(id) = index {
                        f($Part::Column(id));
                    }
                    if let Some(id) = context {
                        f($Part::Column(id));
                    }
                    f($Part::Input(subquery));
                }
                RelKind::Partition { input, by, scope, subquery } => {
                    f($Part::Input(input));
                    f($Part::Scope(scope));
                    f($Part::Expr(by));
                    f($Part::Input(subquery));
                }
                other => $widest(other, f),
            }
        }

        fn $widest<'a>(kind: &'a $($mutable)? RelKind, f: &mut dyn FnMut($Part<'a>)) {
            match kind {
                RelKind::MakeSeries { input, keys, aggregates, axis, axis_out, from, to, step, .. } => {
                    f($Part::Input(input));
                    for (id, expr) in keys {
                        f($Part::Column(id));
                        f($Part::Expr(expr));
                    }
                    for (id, call, default) in aggregates {
                        f($Part::Column(id));
                        for arg in &$($mutable)? call.args {
                            f($Part::Expr(arg));
                        }
                        f($Part::Expr(default));
                    }
                    f($Part::Expr(axis));
                    f($Part::Column(axis_out));
                    for end in from.into_iter().chain(to) {
                        f($Part::Expr(end));
                    }
                    f($Part::Expr(step));
                }
                RelKind::Parse { input, expr, outputs, .. } => {
                    f($Part::Input(input));
                    f($Part::Expr(expr));
                    for (id, _) in outputs {
                        f($Part::Column(id));
                    }
                }
                RelKind::ParseKv { input, expr, outputs, .. } => {
                    f($Part::Input(input));
                    f($Part::Expr(expr));
                    for (id, _, _) in outputs {
                        f($Part::Column(id));
                    }
                }
                RelKind::TopNested { input, levels } => {
                    f($Part::Input(input));
                    for level in levels {
                        let ends = (&$($mutable)? level.count).into_iter().chain(&$($mutable)? level.others);
                        for expr in ends {
                            f($Part::Expr(expr));
                        }
                        f($Part::Expr(&$($mutable)? level.expr));
                        for (id, call) in &$($mutable)? level.calls {
                            f($Part::Column(id));
                            for arg in &$($mutable)? call.args {
                                f($Part::Expr(arg));
                            }
                        }
                        f($Part::Expr(&$($mutable)? level.rank));
                        f($Part::Column(&$($mutable)? level.out));
                        f($Part::Column(&$($mutable)? level.aggregate_out));
                    }
                }
                RelKind::Scan { .. } => $scan(kind, f),
                RelKind::Reduce { input, by, .. } => {
                    f($Part::Input(input));
                    f($Part::Expr(by));
                }
                // Listed above; named here so that the compiler asks about a new one.
                RelKind::OneRow
                | RelKind::Empty
                | RelKind::Table { .. }
                | RelKind::Datatable { .. }
                | RelKind::ExternalData { .. }
                | RelKind::HostTable { .. }
                | RelKind::ApplyInput { .. }
                | RelKind::Range { .. }
                | RelKind::Filter { .. }
                | RelKind::Project { .. }
                | RelKind::Sort { .. }
                | RelKind::Take { .. }
                | RelKind::Sample { .. }
                | RelKind::Serialize { .. }
                | RelKind::Materialize { .. }
                | RelKind::Union { .. }
                | RelKind::Join { .. }
                | RelKind::Plugin { .. }
                | RelKind::Summarize { .. }
                | RelKind::MvExpand { .. }
                | RelKind::MvApply { .. }
                | RelKind::Partition { .. } => {}
            }
        }

        fn $scan<'a>(kind: &'a $($mutable)? RelKind, f: &mut dyn FnMut($Part<'a>)) {
            let RelKind::Scan { input, partition_by, order_by, declared, steps, match_id } = kind else { return };
            f($Part::Input(input));
            for expr in partition_by {
                f($Part::Expr(expr));
            }
            for key in order_by {
                f($Part::Expr(&$($mutable)? key.expr));
            }
            for (id, expr) in declared {
                f($Part::Column(id));
                f($Part::Expr(expr));
            }
            for step in steps {
                f($Part::Expr(&$($mutable)? step.condition));
                for (_, expr) in &$($mutable)? step.assignments {
                    f($Part::Expr(expr));
                }
            }
            if let Some(id) = match_id {
                f($Part::Column(id));
            }
        }

        fn $argument<'a>(arg: &'a $($mutable)? PluginArg, f: &mut dyn FnMut($Part<'a>)) {
            match arg {
                PluginArg::Value(_) => {}
                PluginArg::Expr(expr) => f($Part::Expr(expr)),
                PluginArg::Rel(rel) => f($Part::Argument(rel)),
                PluginArg::Named(_, inner) => $argument(inner, f),
            }
        }

        /// Calls `f` on what an expression itself is made of: its operands, a query inside it, its column.
        pub fn $expr<'a>(expr: &'a $($mutable)? Expr, f: &mut dyn FnMut($Part<'a>)) {
            match &$($mutable)? expr.kind {
                ExprKind::Literal(_) | ExprKind::IngestionTime | ExprKind::Error => {}
                ExprKind::Column(id) | ExprKind::ScanState { column: id, .. } => f($Part::Column(id)),
                ExprKind::Call { args, .. }
                | ExprKind::Window { args, .. }
                | ExprKind::And(args)
                | ExprKind::Or(args)
                | ExprKind::Coalesce(args) => {
                    for arg in args {
                        f($Part::Expr(arg));
                    }
                }
                ExprKind::Not(inner) | ExprKind::Convert(inner) => f($Part::Expr(inner)),
                ExprKind::Case { branches, otherwise } => {
                    for (condition, value) in branches {
                        f($Part::Expr(condition));
                        f($Part::Expr(value));
                    }
                    f($Part::Expr(otherwise));
                }
                ExprKind::Path { base, steps } => {
                    f($Part::Expr(base));
                    for step in steps {
                        if let PathStep::Computed(expr) = step {
                            f($Part::Expr(expr));
                        }
                    }
                }
                ExprKind::In { value, items, .. } => {
                    f($Part::Expr(value));
                    for item in items {
                        f($Part::Expr(item));
                    }
                }
                ExprKind::InRel { value, rel, .. } | ExprKind::HasRel { value, rel, .. } => {
                    f($Part::Expr(value));
                    f($Part::Subquery(rel));
                }
                ExprKind::Scalar(rel) => f($Part::Subquery(rel)),
            }
        }
    };
}

lists!(Part, of_rel, of_wide, of_widest, of_scan, of_expr, of_argument);
lists!(PartMut, of_rel_mut, of_wide_mut, of_widest_mut, of_scan_mut, of_expr_mut, of_argument_mut, mut);

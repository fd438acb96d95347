//! Walks over a bound query: the tables below an operator, the expressions in it, the queries inside expressions.
//!
//! One place knows which parts an operator has. Start at [`inputs`] and [`expressions`].

use kql_semantics::bound::{Expr, ExprKind, PathStep, PluginArg, Rel, RelKind, SummarizeItem, TopNestedLevel};

/// The tabular inputs of an operator, sub-pipelines included.
pub fn inputs(rel: &Rel) -> Vec<&Rel> {
    match rel.kind.as_ref() {
        RelKind::OneRow
        | RelKind::Empty
        | RelKind::Table { .. }
        | RelKind::Datatable { .. }
        | RelKind::Range { .. }
        | RelKind::ApplyInput { .. }
        | RelKind::ExternalData { .. }
        | RelKind::HostTable { .. } => Vec::new(),
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
        | RelKind::Materialize { input, .. }
        | RelKind::Reduce { input, .. } => vec![input],
        RelKind::Union { inputs } => inputs.iter().collect(),
        RelKind::Join { left, right, .. } => vec![left, right],
        RelKind::MvApply { input, subquery, .. } | RelKind::Partition { input, subquery, .. } => vec![input, subquery],
        RelKind::Plugin { input, args, .. } => {
            let mut all: Vec<&Rel> = input.iter().collect();
            all.extend(args.iter().filter_map(argument_rel));
            all
        }
    }
}

fn argument_rel(arg: &PluginArg) -> Option<&Rel> {
    match arg {
        PluginArg::Rel(rel) => Some(rel),
        PluginArg::Named(_, inner) => argument_rel(inner),
        PluginArg::Value(_) | PluginArg::Expr(_) => None,
    }
}

fn argument_expr(arg: &PluginArg) -> Option<&Expr> {
    match arg {
        PluginArg::Expr(expr) => Some(expr),
        PluginArg::Named(_, inner) => argument_expr(inner),
        PluginArg::Value(_) | PluginArg::Rel(_) => None,
    }
}

/// The expressions of an operator itself, those of its inputs not included.
pub fn expressions(rel: &Rel) -> Vec<&Expr> {
    let mut all: Vec<&Expr> = Vec::new();
    match rel.kind.as_ref() {
        RelKind::Range { from, to, step } => all.extend([from, to, step]),
        RelKind::Filter { predicate, .. } => all.push(predicate),
        RelKind::Project { exprs, .. } => all.extend(exprs.iter().map(|(_, expr)| expr)),
        RelKind::Summarize { keys, items, .. } => {
            all.extend(keys.iter().map(|(_, expr)| expr));
            items.iter().for_each(|item| add_item(item, &mut all));
        }
        RelKind::Sort { keys, .. } => all.extend(keys.iter().map(|key| &key.expr)),
        RelKind::Take { count, .. } | RelKind::Sample { count, .. } => all.push(count),
        RelKind::Join { keys, condition, .. } => {
            all.extend(keys.iter().flat_map(|(left, right)| [left, right]));
            all.extend(condition);
        }
        RelKind::MvExpand { items, .. } | RelKind::MvApply { items, .. } => {
            all.extend(items.iter().map(|item| &item.expr));
        }
        RelKind::Partition { by, .. } | RelKind::Reduce { by, .. } => all.push(by),
        RelKind::MakeSeries { keys, aggregates, axis, from, to, step, .. } => {
            all.extend(keys.iter().map(|(_, expr)| expr));
            for (_, call, default) in aggregates {
                all.extend(&call.args);
                all.push(default);
            }
            all.push(axis);
            all.extend(from.iter().chain(to));
            all.push(step);
        }
        RelKind::Parse { expr, .. } | RelKind::ParseKv { expr, .. } => all.push(expr),
        RelKind::TopNested { levels, .. } => levels.iter().for_each(|level| add_level(level, &mut all)),
        RelKind::Scan { partition_by, order_by, declared, steps, .. } => {
            all.extend(partition_by);
            all.extend(order_by.iter().map(|key| &key.expr));
            all.extend(declared.iter().map(|(_, expr)| expr));
            for step in steps {
                all.push(&step.condition);
                all.extend(step.assignments.iter().map(|(_, expr)| expr));
            }
        }
        RelKind::Plugin { args, .. } => all.extend(args.iter().filter_map(argument_expr)),
        RelKind::OneRow
        | RelKind::Empty
        | RelKind::Table { .. }
        | RelKind::Datatable { .. }
        | RelKind::ApplyInput { .. }
        | RelKind::ExternalData { .. }
        | RelKind::HostTable { .. }
        | RelKind::Serialize { .. }
        | RelKind::Union { .. }
        | RelKind::Materialize { .. } => {}
    }
    all
}

fn add_item<'a>(item: &'a SummarizeItem, all: &mut Vec<&'a Expr>) {
    match item {
        SummarizeItem::Aggregate { call, .. } => all.extend(&call.args),
        SummarizeItem::ArgExtreme { by, values, .. } => {
            all.push(by);
            all.extend(values.iter().map(|(_, expr)| expr));
        }
        SummarizeItem::TakeAny { values } => all.extend(values.iter().map(|(_, expr)| expr)),
    }
}

fn add_level<'a>(level: &'a TopNestedLevel, all: &mut Vec<&'a Expr>) {
    all.extend(level.count.iter().chain(&level.others));
    all.push(&level.expr);
    all.extend(&level.aggregate.args);
}

/// The expressions directly below an expression.
pub fn operands(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Literal(_)
        | ExprKind::Column(_)
        | ExprKind::IngestionTime
        | ExprKind::ScanState { .. }
        | ExprKind::Scalar(_)
        | ExprKind::Error => Vec::new(),
        ExprKind::Call { args, .. }
        | ExprKind::Window { args, .. }
        | ExprKind::And(args)
        | ExprKind::Or(args)
        | ExprKind::Coalesce(args) => args.iter().collect(),
        ExprKind::Not(inner) | ExprKind::Convert(inner) => vec![inner],
        ExprKind::Case { branches, otherwise } => {
            let mut all: Vec<&Expr> = branches.iter().flat_map(|(condition, value)| [condition, value]).collect();
            all.push(otherwise);
            all
        }
        ExprKind::Path { base, steps } => {
            let mut all: Vec<&Expr> = vec![base];
            all.extend(steps.iter().filter_map(|step| match step {
                PathStep::Computed(expr) => Some(expr),
                PathStep::Key(_) | PathStep::Index(_) => None,
            }));
            all
        }
        ExprKind::In { value, items, .. } => std::iter::once(value.as_ref()).chain(items).collect(),
        ExprKind::InRel { value, .. } | ExprKind::HasRel { value, .. } => vec![value],
    }
}

/// The query inside this expression itself, if it has one.
pub fn subquery(expr: &Expr) -> Option<&Rel> {
    match &expr.kind {
        ExprKind::InRel { rel, .. } | ExprKind::HasRel { rel, .. } | ExprKind::Scalar(rel) => Some(rel),
        _ => None,
    }
}

/// Calls a function with an operator and everything below it, the queries inside expressions included.
pub fn for_each_rel<'a>(rel: &'a Rel, visit: &mut dyn FnMut(&'a Rel)) {
    visit(rel);
    for expr in expressions(rel) {
        let mut inner = Vec::new();
        for_each_subquery(expr, &mut |rel| inner.push(rel));
        inner.into_iter().for_each(|rel| for_each_rel(rel, visit));
    }
    for input in inputs(rel) {
        for_each_rel(input, visit);
    }
}

/// Whether anything in an expression, at any depth, satisfies a condition; queries inside it are not entered.
pub fn any(expr: &Expr, condition: &dyn Fn(&Expr) -> bool) -> bool {
    condition(expr) || operands(expr).into_iter().any(|operand| any(operand, condition))
}

/// Calls a function with every query inside an expression, at any depth of the expression.
pub fn for_each_subquery<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a Rel)) {
    if let Some(rel) = subquery(expr) {
        visit(rel);
    }
    for operand in operands(expr) {
        for_each_subquery(operand, visit);
    }
}

/// The conditions that must all hold, nested `and`s flattened.
pub fn conjuncts(predicate: &Expr) -> Vec<&Expr> {
    match &predicate.kind {
        ExprKind::And(parts) => parts.iter().flat_map(conjuncts).collect(),
        _ => vec![predicate],
    }
}

//! Calls of aggregates in the list of `summarize`, `make-series` and `top-nested`.
//!
//! Each becomes an item of the grouping with outputs of its own; the expression around it sees these as columns, so
//! `round(avg(a) / 2)` is a projection over `avg(a)`.

use kql_functions::Aggregate;
use kql_syntax::ast::{self, Name};
use kql_types::{ResultName, Return, ScalarType, Span};

use crate::binder::{Binder, Context, column_expr};
use crate::bound::{AggregateCall, ColumnId, Expr, ExprKind, SummarizeItem};
use crate::expr::{Bound, Tuple, TupleValue, unwrapped};
use crate::naming::value_name;

impl Binder<'_> {
    pub(crate) fn bind_aggregate(
        &mut self,
        aggregate: &'static Aggregate,
        name: &Name,
        args: &[ast::Expr],
        span: Span,
    ) -> Bound {
        self.in_context(Context::Scalar, |b| match aggregate.name {
            "arg_max" | "argmax" => b.bind_extreme(aggregate, name, true, args, span),
            "arg_min" | "argmin" => b.bind_extreme(aggregate, name, false, args, span),
            "take_any" | "any" => b.bind_take_any(aggregate, name, args, span),
            _ => match aggregate.result_name {
                ResultName::PrefixFirstArgumentAndValue(prefix) => {
                    b.bind_per_value(aggregate, prefix, name, args, span)
                }
                _ => b.bind_plain_aggregate(aggregate, name, args, span),
            },
        })
    }

    fn bind_plain_aggregate(
        &mut self,
        aggregate: &'static Aggregate,
        name: &Name,
        args: &[ast::Expr],
        span: Span,
    ) -> Bound {
        // `count(*)` and `dcount(*)` of old texts count rows.
        let bound: Vec<Expr> =
            args.iter().filter(|arg| !is_star(arg)).map(|arg| self.aggregate_argument(arg)).collect();
        if aggregate.name == "count"
            && let Some(arg) = bound.first().filter(|a| !matches!(a.ty, ScalarType::Bool | ScalarType::Unknown))
        {
            let help = "'count' counts rows whatever its argument holds: leave it out, or use countif";
            self.kindness("KS107", arg.span, "A value of type bool expected.", help);
        }
        Bound::Scalar(self.aggregate_call(aggregate, name, bound, span))
    }

    fn aggregate_argument(&mut self, arg: &ast::Expr) -> Expr {
        match &unwrapped(arg).kind {
            ast::ExprKind::TypeOf(items) => self.bind_typeof(items, arg.span),
            ast::ExprKind::Named { value, .. } => self.scalar(value),
            _ => self.scalar(arg),
        }
    }

    /// Adds a call to the items at hand; its value is a column.
    pub(crate) fn aggregate_call(
        &mut self,
        aggregate: &'static Aggregate,
        name: &Name,
        args: Vec<Expr>,
        span: Span,
    ) -> Expr {
        let Some(resolved) = self.resolve_call(aggregate.name, name.span, aggregate.overloads, args) else {
            let ty = match aggregate.overloads.first().map(|overload| overload.returns) {
                Some(Return::Type(ty)) => ty,
                _ => ScalarType::Unknown,
            };
            return Expr { kind: ExprKind::Error, ty, span };
        };
        let out = self.new_id();
        let call = AggregateCall { aggregate, args: resolved.args, ty: resolved.ty, span };
        let ty = resolved.ty;
        self.aggregates.push(SummarizeItem::Aggregate { out, call });
        Expr { kind: ExprKind::Column(out), ty, span }
    }

    /// `percentiles(a, 5, 50)`: one call and one column for each value.
    fn bind_per_value(
        &mut self,
        aggregate: &'static Aggregate,
        prefix: &str,
        name: &Name,
        args: &[ast::Expr],
        span: Span,
    ) -> Bound {
        let fixed =
            if aggregate.name.contains("percentilew") || aggregate.name.contains("percentilesw") { 2 } else { 1 };
        if args.len() <= fixed {
            self.report_argument_count(aggregate.name, name.span, fixed + 1, None);
            return Bound::Scalar(self.error_expr(span));
        }
        let common: Vec<Expr> = args[..fixed].iter().map(|arg| self.scalar(arg)).collect();
        let of = self.name_of(&args[0]).unwrap_or_default();
        let mut values = Vec::new();
        for arg in &args[fixed..] {
            let mut call_args = common.clone();
            call_args.push(self.scalar(arg));
            let expr = self.aggregate_call(aggregate, name, call_args, span);
            let value = value_name(arg).unwrap_or_default();
            values.push(TupleValue { name: format!("{prefix}_{of}_{value}"), expr, source: None });
        }
        Bound::Tuple(Tuple { values })
    }

    /// `arg_max(by, a, b, *)`.
    fn bind_extreme(
        &mut self,
        aggregate: &'static Aggregate,
        name: &Name,
        max: bool,
        args: &[ast::Expr],
        span: Span,
    ) -> Bound {
        let Some((by, rest)) = args.split_first() else {
            self.report_argument_count(aggregate.name, name.span, 1, None);
            return Bound::Scalar(self.error_expr(span));
        };
        let prefix = prefix_of(aggregate);
        let (mut by_value, by_expr) = self.output_of(by, prefix);
        by_value.source = None;
        if by_value.name.is_empty() {
            by_value.name = if max { "max_" } else { "min_" }.to_string();
        }
        self.no_dynamic(&by_expr, by.span);
        let by_out = output_id(&by_value);
        // The old `argmax(a, b)` names the others after the first: `max_a`, `max_a_b`.
        let rest_prefix = prefix.map(|_| by_value.name.clone());
        let mut outputs = vec![by_value];
        let values = self.row_outputs(rest, rest_prefix.as_deref(), Some(&by_expr), &mut outputs);
        self.aggregates.push(SummarizeItem::ArgExtreme { max, by: by_expr, by_out, values });
        Bound::Tuple(Tuple { values: outputs })
    }

    /// `take_any(a, b)`, `take_any(*)`: all from one row.
    fn bind_take_any(&mut self, aggregate: &'static Aggregate, name: &Name, args: &[ast::Expr], span: Span) -> Bound {
        if args.is_empty() {
            self.report_argument_count(aggregate.name, name.span, 1, None);
            return Bound::Scalar(self.error_expr(span));
        }
        let mut outputs = Vec::new();
        let values = self.row_outputs(args, prefix_of(aggregate), None, &mut outputs);
        self.aggregates.push(SummarizeItem::TakeAny { values });
        if args.len() == 1
            && !is_star(&args[0])
            && let Some(only) = outputs.pop()
        {
            return Bound::Scalar(only.expr);
        }
        Bound::Tuple(Tuple { values: outputs })
    }

    /// Values taken from one row: written ones, and with `*` all other columns.
    fn row_outputs(
        &mut self,
        args: &[ast::Expr],
        prefix: Option<&str>,
        by: Option<&Expr>,
        outputs: &mut Vec<TupleValue>,
    ) -> Vec<(ColumnId, Expr)> {
        let mut values = Vec::new();
        let mut taken: Vec<ColumnId> = by.and_then(column_of).into_iter().collect();
        for arg in args {
            if is_star(arg) {
                for column in self.row.as_ref().map(|row| row.columns.clone()).unwrap_or_default() {
                    if taken.contains(&column.id) {
                        continue;
                    }
                    let expr = column_expr(&column, arg.span);
                    let value = self.output(prefixed(prefix, &column.name), &expr, Some(column.id));
                    values.push((output_id(&value), expr));
                    outputs.push(value);
                }
                continue;
            }
            let (mut value, expr) = self.output_of(arg, prefix);
            value.source = None;
            taken.extend(column_of(&expr));
            values.push((output_id(&value), expr));
            outputs.push(value);
        }
        values
    }

    /// The output that an argument becomes: its own name, or the one it is given.
    fn output_of(&mut self, arg: &ast::Expr, prefix: Option<&str>) -> (TupleValue, Expr) {
        let (expr, named) = match &arg.kind {
            ast::ExprKind::Named { value, .. } => (self.scalar(value), true),
            _ => (self.scalar(arg), false),
        };
        let name = self.name_of(arg).unwrap_or_default();
        let name = prefixed(prefix, &name);
        let source = if named || prefix.is_some() { None } else { self.result_column(arg, &expr).map(|(_, id)| id) };
        (self.output(name, &expr, source), expr)
    }

    fn output(&mut self, name: String, expr: &Expr, source: Option<ColumnId>) -> TupleValue {
        let id = self.new_id();
        if let Some(source) = column_of(expr) {
            self.origins.pass_on(source, id);
        }
        TupleValue { name, expr: Expr { kind: ExprKind::Column(id), ty: expr.ty, span: expr.span }, source }
    }
}

fn output_id(value: &TupleValue) -> ColumnId {
    match value.expr.kind {
        ExprKind::Column(id) => id,
        _ => ColumnId(u32::MAX),
    }
}

fn column_of(expr: &Expr) -> Option<ColumnId> {
    match expr.kind {
        ExprKind::Column(id) => Some(id),
        _ => None,
    }
}

/// `argmax` and `any` put a word before the names of their outputs.
fn prefix_of(aggregate: &Aggregate) -> Option<&'static str> {
    match aggregate.result_name {
        ResultName::PrefixAndFirstArgument(prefix) => Some(prefix),
        _ => None,
    }
}

fn prefixed(prefix: Option<&str>, name: &str) -> String {
    match prefix {
        Some(prefix) => format!("{prefix}_{name}"),
        None => name.to_string(),
    }
}

fn is_star(arg: &ast::Expr) -> bool {
    matches!(unwrapped(arg).kind, ast::ExprKind::Star)
}

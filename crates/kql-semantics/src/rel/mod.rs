//! Tabular expressions: sources and pipelines of operators, each desugared to the forms of [`crate::bound`].
//!
//! [`Binder::table`] binds any tabular expression; [`Binder::apply`] one operator over its input.

mod aggregate;
mod apply;
mod file_profile;
mod fork;
mod graph;
mod graph_match;
mod items;
mod join;
mod parse;
mod plugin;
mod project;
mod rows;
mod scan;
mod search;
mod series;
mod source;
mod summarize;
mod top;
mod top_others;
mod union;

use kql_syntax::ast::{self, Operator, OperatorKind};
use kql_types::{ScalarType, Span, Value};

use crate::binder::Binder;
use crate::bound::{BoundColumn, ExprKind, Rel, RelKind};
use crate::expr::unwrapped;
use crate::scope::{Table, Variable};

pub(crate) use graph_match::GraphScope;
pub(crate) use plugin::is_plugin;
pub(crate) use union::Official;

impl Binder<'_> {
    /// Binds an expression that must be a table.
    pub(crate) fn table(&mut self, expr: &ast::Expr) -> Table {
        let span = expr.span;
        self.deeper(span, |b| b.no_table(span), |b| b.table_kind(expr))
    }

    fn table_kind(&mut self, expr: &ast::Expr) -> Table {
        match &expr.kind {
            ast::ExprKind::Name(name) => self.without_row(|b| b.named_table(name)),
            ast::ExprKind::Paren(inner) => self.table(inner),
            ast::ExprKind::Named { value, .. } => self.table(value),
            ast::ExprKind::Source(operator) => self.source(operator),
            ast::ExprKind::Pipe { input, operators } => {
                let mut table = match &unwrapped(input).kind {
                    ast::ExprKind::Missing => self.no_table(input.span),
                    _ => self.table(input),
                };
                for operator in operators {
                    table = self.apply(table, operator);
                    if !self.count_columns(table.rel.columns.len(), operator.span) {
                        return self.no_table(operator.span);
                    }
                }
                table
            }
            ast::ExprKind::Missing => self.no_table(expr.span),
            ast::ExprKind::Call { name, .. } if self.fuzzy && self.is_unknown_call(&name.text) => {
                let name = &name.text;
                let message =
                    format!("The fuzzy name '{name}' does not refer to any known or currently accessible function.");
                self.report(kql_types::Diagnostic::warning("KS205", expr.span, message));
                self.missing.push(None);
                self.no_table(expr.span)
            }
            _ => {
                let bound = self.without_row(|b| b.bind(expr));
                self.table_of(bound, expr.span)
            }
        }
    }

    fn is_unknown_call(&mut self, name: &str) -> bool {
        self.scope.find(name).is_none()
            && kql_functions::function(name).is_none()
            && self.catalog.function(name).is_none()
            && !matches!(name, "table" | "materialize" | "database" | "cluster" | "workspace" | "_GetWatchlist")
    }

    /// One operator over its input.
    pub(crate) fn apply(&mut self, input: Table, operator: &Operator) -> Table {
        let span = operator.span;
        match &operator.kind {
            OperatorKind::Where(predicate) => self.filter(input, predicate, span),
            OperatorKind::Project(items) => self.project(input, items, span),
            OperatorKind::Extend(items) => self.extend(input, items, span),
            OperatorKind::ProjectAway(items) => self.project_away(input, items, span),
            OperatorKind::ProjectKeep(items) => self.project_keep(input, items, span),
            OperatorKind::ProjectByNames(items) => self.project_by_names(input, items, span),
            OperatorKind::ProjectRename(items) => self.project_rename(input, items, span),
            OperatorKind::ProjectReorder(items) => self.project_reorder(input, items, span),
            OperatorKind::Summarize { aggregates, by } => self.summarize(input, aggregates, by, span),
            OperatorKind::Distinct(items) => self.distinct(input, items, span),
            OperatorKind::Count { as_name } => self.count(input, as_name.as_ref(), span),
            OperatorKind::Take(count) => self.take(input, count, span),
            OperatorKind::Sample(count) => self.sample(input, count, span),
            OperatorKind::SampleDistinct { count, of } => self.sample_distinct(input, count, of, span),
            OperatorKind::Sort(keys) => self.sort(input, keys, span),
            OperatorKind::Top { count, by } => self.top(input, count, by, span),
            OperatorKind::TopHitters { count, of, by } => self.top_hitters(input, count, of, by.as_ref(), span),
            OperatorKind::TopNested(clauses) => self.top_nested(input, clauses, span),
            OperatorKind::Join(clause) => self.join(input, clause, operator),
            OperatorKind::Lookup(clause) => self.lookup(input, clause, operator),
            OperatorKind::Union(operands) => self.union(Some(input), operands, operator),
            OperatorKind::MvExpand { items, limit } => self.mv_expand(input, items, limit.as_ref(), operator),
            OperatorKind::MvApply { items, limit, context_id, subquery } => {
                self.mv_apply(input, items, limit.as_ref(), context_id.as_ref(), subquery, operator)
            }
            OperatorKind::MakeSeries(clause) => self.make_series(input, clause, span),
            OperatorKind::Parse { expr, parts, filter } => self.parse(input, expr, parts, *filter, operator),
            OperatorKind::ParseKv { expr, columns, with } => self.parse_kv(input, expr, columns, with, span),
            OperatorKind::Search { tables, predicate } => self.search(Some(input), tables, predicate, span),
            OperatorKind::Partition { by, scope, subquery, legacy_query } => {
                self.partition(input, by, scope.as_ref(), subquery, legacy_query.as_ref(), span)
            }
            OperatorKind::Fork(branches) => self.fork(input, branches, span),
            OperatorKind::Facet { by, with } => self.facet(input, by, with.as_ref(), span),
            OperatorKind::Serialize(items) => self.serialize(input, items, span),
            OperatorKind::GetSchema => self.getschema(input, operator),
            OperatorKind::As(name) => self.as_name(input, name),
            OperatorKind::Render { kind, with } => self.render_operator(input, kind, with),
            OperatorKind::Invoke(call) => self.invoke(input, call, span),
            OperatorKind::Evaluate { call, schema, schema_open } => {
                self.evaluate(Some(input), call, schema.as_deref(), *schema_open, span)
            }
            OperatorKind::Reduce { by, with } => self.reduce(input, by, with, operator),
            OperatorKind::Scan { order_by, partition_by, declare, steps } => {
                self.scan(input, order_by, partition_by, declare, steps, operator)
            }
            OperatorKind::AssertSchema(_) => input,
            OperatorKind::Consume => self.filter_all(input, span),
            OperatorKind::MakeGraph(_)
            | OperatorKind::GraphMatch(_)
            | OperatorKind::GraphShortestPaths(_)
            | OperatorKind::GraphMarkComponents
            | OperatorKind::GraphToTable(_)
            | OperatorKind::GraphWhereNodes(_)
            | OperatorKind::GraphWhereEdges(_) => self.graph_operator(input, operator),
            OperatorKind::Print(_)
            | OperatorKind::Range { .. }
            | OperatorKind::Datatable { .. }
            | OperatorKind::ExternalData { .. }
            | OperatorKind::Find(_)
            | OperatorKind::MacroExpand { .. } => {
                let message = "The operator must be the first operator in the query.";
                self.error("KS175", operator.keyword.span, message);
                self.source(operator)
            }
            OperatorKind::Other => {
                self.unsupported(operator.keyword.text.clone(), operator.keyword.span);
                input
            }
        }
    }

    /// An operator at the start of a pipeline.
    fn source(&mut self, operator: &Operator) -> Table {
        let span = operator.span;
        match &operator.kind {
            OperatorKind::Print(items) => self.print(items, span),
            OperatorKind::Range { name, from, to, step } => self.range(name, from, to, step, span),
            OperatorKind::Datatable { columns, values } => self.datatable(columns, values, span),
            OperatorKind::ExternalData { columns, uris, with } => self.external_data(columns, uris, with, span),
            OperatorKind::Union(operands) => self.union(None, operands, operator),
            OperatorKind::Search { tables, predicate } => self.search(None, tables, predicate, span),
            OperatorKind::Find(clause) => self.find(clause, operator),
            OperatorKind::Evaluate { call, schema, schema_open } => {
                self.evaluate(None, call, schema.as_deref(), *schema_open, span)
            }
            OperatorKind::MacroExpand { scope, body } => self.macro_expand(scope, body, span),
            OperatorKind::Other => {
                self.unsupported(operator.keyword.text.clone(), operator.keyword.span);
                self.no_table(span)
            }
            _ => {
                let message = "The operator cannot be the first operator in a query.";
                self.error("KS174", operator.keyword.span, message);
                let empty = self.no_table(span);
                self.apply(empty, operator)
            }
        }
    }

    /// The value of an operator's parameter, by name.
    pub(crate) fn op_param<'o>(&self, operator: &'o Operator, name: &str) -> Option<&'o ast::Expr> {
        operator.params.iter().find(|param| param.name == name).map(|param| &param.value)
    }

    /// An operator's parameter that is a word or a literal, as text.
    pub(crate) fn op_text(&self, operator: &Operator, name: &str) -> Option<String> {
        param_text(self.op_param(operator, name)?)
    }

    /// Options written as `name = value` lists, as constants.
    pub(crate) fn constant_options(&mut self, params: &[ast::OpParam]) -> Vec<(String, Value)> {
        let mut options = Vec::new();
        for param in params {
            let value = match &unwrapped(&param.value).kind {
                ast::ExprKind::Name(name) if self.scope.find(&name.text).is_none() => Value::String(name.text.clone()),
                _ => match self.plain_scalar(&param.value).kind {
                    ExprKind::Literal(value) => value,
                    _ => continue,
                },
            };
            options.push((param.name.clone(), value));
        }
        options
    }

    /// A constant number of rows.
    pub(crate) fn row_count(&mut self, count: &ast::Expr) -> crate::bound::Expr {
        let bound = self.plain_scalar(count);
        if !bound.ty.is_integer() && bound.ty != ScalarType::Unknown {
            self.error("KS134", count.span, "The expression value must be an integer.");
        }
        self.convert(bound, ScalarType::Long)
    }

    fn filter_all(&mut self, input: Table, span: Span) -> Table {
        let columns = input.rel.columns.clone();
        Table { open: input.open, ..Table::new(self.empty_rel(columns, span)) }
    }

    fn as_name(&mut self, input: Table, name: &ast::Name) -> Table {
        let named = Table { name: Some(name.text.as_str().into()), ..input };
        self.declare(&name.text, Variable::Table(std::rc::Rc::new(named.clone())));
        named
    }

    fn render_operator(&mut self, input: Table, kind: &ast::Name, with: &[ast::OpParam]) -> Table {
        let mut properties = Vec::new();
        for param in with {
            if let Some(text) = param_text(&param.value) {
                properties.push((param.name.clone(), Value::String(text)));
            }
        }
        if self.quiet == 0 && !self.declaring {
            self.render = Some(crate::bound::Render { kind: kind.text.clone(), properties });
        }
        input
    }

    /// `invoke f(x)`: the input is the first argument.
    fn invoke(&mut self, input: Table, call: &ast::Expr, span: Span) -> Table {
        let (name, args): (&ast::Name, &[ast::Expr]) = match &unwrapped(call).kind {
            ast::ExprKind::Call { name, args } => (name, args),
            ast::ExprKind::MethodCall { name, args, .. } => (name, args),
            ast::ExprKind::Name(name) => (name, &[]),
            _ => {
                self.error("KS128", call.span, "A function is expected.");
                return self.no_table(span);
            }
        };
        let function = match self.scope.find(&name.text).cloned() {
            Some(Variable::Function(function)) => Some(function),
            _ => self.stored_function(&name.text),
        };
        let Some(function) = function else {
            if name.text == "FileProfile" {
                return self.file_profile(input, args, span);
            }
            self.report_unknown_function(name);
            return self.no_table(span);
        };
        let (_, bound) =
            self.with_row(input, |b, input| b.expand(&function, Some(input.clone()), args, name.span, span));
        self.table_of(bound, span)
    }

    /// A node with its columns.
    pub(crate) fn rel(&self, kind: RelKind, columns: Vec<BoundColumn>, serialized: bool, span: Span) -> Rel {
        Rel { kind: Box::new(kind), columns, serialized, span }
    }
}

/// The text of a word or literal.
pub(crate) fn param_text(value: &ast::Expr) -> Option<String> {
    match &unwrapped(value).kind {
        ast::ExprKind::Name(name) => Some(name.text.clone()),
        ast::ExprKind::Literal(ast::Literal::String { value, .. }) => Some(value.clone()),
        ast::ExprKind::Literal(ast::Literal::Bool(text) | ast::Literal::Long(text) | ast::Literal::Real(text)) => {
            Some(text.clone())
        }
        ast::ExprKind::Literal(ast::Literal::TimeSpan(text)) => Some(text.clone()),
        ast::ExprKind::Unary { op: ast::UnaryOp::Minus, expr } => param_text(expr).map(|text| format!("-{text}")),
        _ => None,
    }
}

/// Whether a parameter says yes.
pub(crate) fn is_true(text: Option<String>) -> bool {
    text.is_some_and(|text| matches!(text.to_ascii_lowercase().as_str(), "true" | "1"))
}

//! Statements: declarations put names in scope, expressions give results.

use std::rc::Rc;

use kql_syntax::ast::{self, Name, ParamType, StatementKind};
use kql_types::{Column, ScalarType, Severity, Value};

use crate::binder::{Binder, literal};
use crate::bound::{BoundColumn, BoundQuery, BoundResult, ExprKind, Rel, RelKind};
use crate::expr::{Bound, unwrapped};
use crate::rel::Official;
use crate::scope::{Table, Variable};

impl Binder<'_> {
    /// Binds all statements of a query.
    pub(crate) fn bind_query(mut self, query: &ast::Query) -> crate::Bound {
        let mut results: Vec<(BoundResult, bool)> = Vec::new();
        for statement in &query.statements {
            match &statement.kind {
                StatementKind::Expression(expr) => self.bind_result(expr, &mut results),
                _ => self.bind_declaration(statement),
            }
        }
        self.excuse_missing_tables();
        let (columns, open) = match results.last() {
            Some((result, open)) => (self.official_columns(&result.rel.columns), *open),
            None => (Vec::new(), false),
        };
        let failed = self.diagnostics.iter().any(|d| d.severity == Severity::Error);
        let query = (!failed).then(|| {
            let results: Vec<BoundResult> = results.into_iter().map(|(result, _)| result).collect();
            let tables = crate::usage::tables(&results);
            for result in &results {
                if let Some(span) = crate::walk::first_error(&result.rel) {
                    self.unsupported("a part of the query that did not bind", span);
                }
            }
            BoundQuery {
                results,
                tables,
                compared: std::mem::take(&mut self.compared),
                options: std::mem::take(&mut self.set_options),
                unsupported: std::mem::take(&mut self.unsupported),
            }
        });
        crate::Bound { query, diagnostics: self.diagnostics, columns, open }
    }

    /// The columns of a result as the official parser shows them.
    pub(crate) fn official_columns(&self, columns: &[BoundColumn]) -> Vec<Column> {
        let mut shown = Vec::with_capacity(columns.len());
        for column in columns {
            let name = match self.official.get(&column.id) {
                Some((name, official)) if *name == column.name => match official {
                    Official::Hidden(_) => continue,
                    Official::Named(shown) => shown,
                    Official::Same => name,
                },
                _ => &column.name,
            };
            let ty = self.official_types.get(&column.id).copied().unwrap_or(column.ty);
            shown.push(Column::new(name.to_string(), ty));
        }
        shown
    }

    /// A missing table that is only read behind `union isfuzzy=true` is a warning, also through a `let`.
    pub(crate) fn excuse_missing_tables(&mut self) {
        if self.strict {
            return;
        }
        for index in self.excused.difference(&self.needed) {
            if let Some(diagnostic) = self.diagnostics.get_mut(*index) {
                diagnostic.severity = Severity::Warning;
            }
        }
    }

    fn bind_result(&mut self, expr: &ast::Expr, results: &mut Vec<(BoundResult, bool)>) {
        self.missing.clear();
        let bound = self.bind_value(expr);
        let needed = std::mem::take(&mut self.missing);
        self.needed.extend(needed.into_iter().flatten());
        let render = self.render.take();
        match bound {
            Bound::Table(table) => {
                let extra = std::mem::take(&mut self.extra_results);
                if extra.is_empty() {
                    results.push((BoundResult { name: None, rel: table.rel, render: render.clone() }, table.open));
                }
                for (name, table) in extra {
                    results.push((BoundResult { name, rel: table.rel, render: render.clone() }, table.open));
                }
            }
            Bound::Scalar(expr) if !matches!(expr.kind, ExprKind::Error) => {
                let column = self.new_column("print_0", expr.ty);
                let span = expr.span;
                let input = Rel { kind: Box::new(RelKind::OneRow), columns: Vec::new(), serialized: false, span };
                let exprs = vec![(column.id, expr)];
                let kind = Box::new(RelKind::Project { input, exprs });
                let rel = Rel { kind, columns: vec![column], serialized: false, span };
                results.push((BoundResult { name: None, rel, render }, false));
            }
            _ => {}
        }
    }

    /// The value of a `let` or of a body: a table or a scalar, whichever it is.
    pub(crate) fn bind_value(&mut self, expr: &ast::Expr) -> Bound {
        match &unwrapped(expr).kind {
            ast::ExprKind::Pipe { .. } | ast::ExprKind::Source(_) => Bound::Table(self.table(expr)),
            _ => self.bind(expr),
        }
    }

    /// Every statement but an expression.
    pub(crate) fn bind_declaration(&mut self, statement: &ast::Statement) {
        match &statement.kind {
            StatementKind::Let { name, value } => {
                self.check_new_variable(name);
                self.missing.clear();
                let variable = match self.bind_value(value) {
                    Bound::Scalar(expr) => Variable::Scalar(expr),
                    Bound::Table(mut table) => {
                        table.missing = std::mem::take(&mut self.missing);
                        table.name = None;
                        Variable::Table(Rc::new(table))
                    }
                    Bound::Entity(entity) => Variable::Entity(entity),
                    Bound::Tuple(_) => {
                        let message = "The multi-valued expression cannot be assigned to a variable.";
                        self.error("KS139", value.span, message);
                        Variable::Error
                    }
                    Bound::Side(_) | Bound::Step(_) => Variable::Error,
                };
                self.declare(&name.text, variable);
            }
            StatementKind::LetFunction { name, function } => {
                self.check_new_variable(name);
                self.declare_function(name, function);
            }
            StatementKind::Set { name, value } => {
                let value = value.as_ref().map(|value| self.option_value(value));
                self.set_options.push((name.text.clone(), value));
            }
            StatementKind::Alias { name, value } => {
                if let Bound::Entity(entity) = self.bind(value) {
                    self.declare(&name.text, Variable::Entity(entity));
                }
            }
            StatementKind::QueryParameters(params) => params.iter().for_each(|param| self.declare_parameter(param)),
            StatementKind::Pattern(clause) => {
                self.declare(&clause.name.text, Variable::Pattern(Rc::new(clause.clone())))
            }
            StatementKind::Directive(name) => {
                if !matches!(name.text.as_str(), "connect" | "crp" | "database" | "cluster") {
                    self.error("KS250", name.span, format!("Unknown directive '{}'.", name.text));
                }
            }
            StatementKind::Command(name) => self.unsupported(format!(".{}", name.text), name.span),
            StatementKind::Restrict(_) => self.unsupported("restrict access", statement.span),
            StatementKind::Expression(expr) => {
                self.bind_value(expr);
            }
        }
    }

    fn check_new_variable(&mut self, name: &Name) {
        if self.scope.declares(&name.text, self.level) {
            let message = format!("A variable with the name '{}' has already been declared.", name.text);
            self.error("KS201", name.span, message);
        }
    }

    fn option_value(&mut self, value: &ast::Expr) -> Value {
        match &unwrapped(value).kind {
            ast::ExprKind::Name(name) => Value::String(name.text.clone()),
            _ => match self.scalar(value).kind {
                ExprKind::Literal(value) => value,
                _ => {
                    self.error("KS131", value.span, "The expression must be a literal.");
                    Value::Null(ScalarType::Unknown)
                }
            },
        }
    }

    /// A parameter of the query: its value from outside, else its default.
    fn declare_parameter(&mut self, param: &ast::Param) {
        let span = param.name.span;
        let ParamType::Scalar(ty) = &param.ty else {
            let table = Table::new(self.empty_rel(Vec::new(), span));
            self.declare(&param.name.text, Variable::Table(Rc::new(table)));
            return;
        };
        let ty = self.type_of_name(ty);
        let given = self.options.parameters.iter().find(|(name, _)| *name == param.name.text).map(|(_, v)| v.clone());
        let value = match (given, &param.default) {
            (Some(value), _) => literal(value, span),
            (None, Some(default)) => self.scalar(default),
            (None, None) => literal(Value::missing(ty), span),
        };
        let value = self.convert(value, ty);
        self.declare(&param.name.text, Variable::Scalar(value));
    }
}

//! Statements: declarations put names in scope, expressions give results.

use std::rc::Rc;

use kql_syntax::ast::{self, Name, ParamType, StatementKind};
use kql_types::{Column, ScalarType, Severity, Span, Value};

use crate::binder::{Binder, literal};
use crate::bound::{BoundColumn, BoundQuery, BoundResult, ExprKind, Rel, RelKind};
use crate::expr::{Bound, unwrapped};
use crate::rel::Official;
use crate::scope::{Table, Variable, matches_wildcard};

/// What an entity of `restrict` lets through: a name or pattern of names; a table of a database goes by its own name.
fn entity_pattern(entity: &ast::Expr) -> Option<String> {
    match &unwrapped(entity).kind {
        ast::ExprKind::Name(name) => Some(name.text.clone()),
        ast::ExprKind::Member { member, .. } => Some(member.text.clone()),
        ast::ExprKind::Wildcard(pattern) => Some(pattern.clone()),
        ast::ExprKind::Star => Some("*".to_string()),
        ast::ExprKind::Call { name, .. } if matches!(name.text.as_str(), "database" | "cluster" | "workspace") => {
            Some("*".to_string())
        }
        ast::ExprKind::MethodCall { name, .. } if name.text == "database" => Some("*".to_string()),
        _ => None,
    }
}

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
                absent: std::mem::take(&mut self.absent),
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
                let table = self.at_most(table, expr.span);
                let extra = std::mem::take(&mut self.extra_results);
                if extra.is_empty() {
                    results.push((BoundResult { name: None, rel: table.rel, render: render.clone() }, table.open));
                }
                for (name, table) in extra {
                    let table = self.at_most(table, expr.span);
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

    /// A result with no more rows than `set query_take_max_records` says.
    fn at_most(&mut self, table: Table, span: Span) -> Table {
        match self.set_option("query_take_max_records") {
            Some(Value::Long(_) | Value::Int(_)) if table.graph.is_none() => {
                let rows = self.set_option("query_take_max_records").cloned().unwrap_or(Value::Long(0));
                let rows = self.convert(literal(rows, span), ScalarType::Long);
                self.taken(table, rows, span)
            }
            _ => table,
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
                if name.text == "query_now" {
                    match value.as_ref().and_then(|value| crate::constant::converted(value, ScalarType::DateTime)) {
                        Some(Value::DateTime(now)) => self.query_now = now,
                        _ => self.error("KS107", name.span, "A value of type datetime expected."),
                    }
                }
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
            StatementKind::Restrict(entities) => self.restrict(entities),
            StatementKind::Expression(expr) => {
                self.bind_value(expr);
            }
        }
    }

    /// `restrict access to (T, View, database('d').*)`: what follows sees no other tables, views or functions. Constants stay
    /// visible, and a table that was read before keeps what it reads.
    fn restrict(&mut self, entities: &[ast::Expr]) {
        let mut patterns = Vec::with_capacity(entities.len());
        for entity in entities {
            match entity_pattern(entity) {
                Some(pattern) => patterns.push(pattern),
                None => self.error("KS109", entity.span, "The name of a table, a view or a database expected."),
            }
        }
        let kept: Vec<(String, Variable)> = self
            .scope
            .names()
            .into_iter()
            .filter(|(name, variable)| match variable {
                Variable::Table(_) | Variable::Function(_) | Variable::Piped(_) | Variable::Pattern(_) => {
                    patterns.iter().any(|pattern| matches_wildcard(pattern, name))
                }
                Variable::Scalar(_) | Variable::Entity(_) | Variable::Error => true,
            })
            .map(|(name, variable)| (name.to_string(), variable.clone()))
            .collect();
        self.scope = crate::scope::Scope::default();
        for (name, variable) in kept.into_iter().rev() {
            self.declare(&name, variable);
        }
        if let Some(outer) = self.restricted.take() {
            patterns.retain(|pattern| outer.iter().any(|outer| matches_wildcard(outer, pattern)));
        }
        self.restricted = Some(patterns.into());
    }

    /// Whether `restrict access to` leaves a table or function of the catalog to be named here. What stored functions and
    /// views read is their own affair.
    pub(crate) fn is_restricted(&self, name: &str) -> bool {
        let hidden = |patterns: &Rc<[String]>| !patterns.iter().any(|pattern| matches_wildcard(pattern, name));
        self.level == 0 && !self.in_stored && self.restricted.as_ref().is_some_and(hidden)
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

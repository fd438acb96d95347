//! Tables by name: variables, stored functions, the catalog, `table("T")`, `database("d").T`, watchlists.
//!
//! There is one catalog: whatever cluster, database or workspace a query names, its tables are looked up there.

use std::rc::Rc;

use kql_syntax::ast::{self, Name};
use kql_types::{Diagnostic, ScalarType, Span, Value};

use crate::binder::Binder;
use crate::bound::{BoundColumn, ExprKind, Rel, RelKind};
use crate::expr::Bound;
use crate::scope::{Entity, Table, Variable, matches_wildcard};
use crate::suggest::nearest;

/// Columns that every watchlist has, before its own.
const WATCHLIST_COLUMNS: &[(&str, ScalarType)] = &[
    ("_DTItemId", ScalarType::String),
    ("LastUpdatedTimeUTC", ScalarType::DateTime),
    ("SearchKey", ScalarType::String),
    ("WatchlistItem", ScalarType::Dynamic),
];

/// Functions of the platform that have no text: the host answers them, or nobody.
const HOST_FUNCTIONS: &[(&str, &[(&str, ScalarType)])] = &[
    ("_GetWatchlistAlias", &[("WatchlistAlias", ScalarType::String)]),
    (
        "AssignedIPAddresses",
        &[
            ("Timestamp", ScalarType::DateTime),
            ("IPAddress", ScalarType::String),
            ("IPType", ScalarType::String),
            ("NetworkAdapterType", ScalarType::String),
            ("ConnectedNetworks", ScalarType::Int),
        ],
    ),
    ("SeenBy", &[("DeviceId", ScalarType::String), ("SeenBy", ScalarType::Dynamic)]),
];

impl Binder<'_> {
    /// The table that a bare name means in a tabular place.
    pub(crate) fn named_table(&mut self, name: &Name) -> Table {
        match self.scope.find(&name.text).cloned() {
            Some(Variable::Table(table)) => {
                return self.copy_table(&table, name.span);
            }
            Some(Variable::Piped(piped)) => return self.piped_table(&piped, name.span),
            Some(Variable::Function(function)) => {
                let bound = if function.required() == 0 {
                    self.call_user_function(&function, &[], name.span, name.span)
                } else {
                    let message = format!("The function '{}' requires an argument list.", name.text);
                    self.error("KS117", name.span, message);
                    return self.no_table(name.span);
                };
                let table = self.table_of(bound, name.span);
                // `union withsource=` names a view, and no other function.
                let view = function.declaration.view.then(|| name.text.as_str().into());
                return Table { name: view.or(table.name), ..table };
            }
            Some(Variable::Scalar(expr)) if expr.ty == ScalarType::Unknown => return self.no_table(name.span),
            Some(Variable::Scalar(_) | Variable::Entity(_) | Variable::Pattern(_)) => {
                self.error("KS111", name.span, "Table expected.");
                return self.no_table(name.span);
            }
            Some(Variable::Error) => return self.no_table(name.span),
            None => {}
        }
        if let Some(function) = self.stored_function(&name.text)
            && function.required() == 0
            && !self.table_hides(&function)
        {
            let bound = self.call_user_function(&function, &[], name.span, name.span);
            return self.table_of(bound, name.span);
        }
        if let Some(table) = self.catalog_table(&name.text, name.span) {
            return table;
        }
        if kql_functions::function(&name.text).is_some() {
            self.error("KS117", name.span, format!("The function '{}' requires an argument list.", name.text));
            return self.no_table(name.span);
        }
        self.missing_table(&name.text, name.span)
    }

    /// The input of `invoke`.
    pub(crate) fn piped_table(&mut self, piped: &crate::scope::Piped, span: Span) -> Table {
        if piped.used.replace(true) { self.copy_table(&piped.table, span) } else { piped.table.clone() }
    }

    /// A table of the catalog, read afresh.
    pub(crate) fn catalog_table(&mut self, name: &str, span: Span) -> Option<Table> {
        if self.is_restricted(name) {
            return None;
        }
        let info = self.catalog.table(name)?;
        let shared = info.shared();
        let mut columns = Vec::with_capacity(info.columns.len());
        for ((column, name), origins) in info.columns.iter().zip(&shared.names).zip(&shared.origins) {
            let bound = BoundColumn { id: self.new_id(), name: name.clone(), ty: column.ty };
            self.origins.insert(bound.id, origins.clone());
            columns.push(bound);
        }
        let kind = Box::new(RelKind::Table { name: info.name.clone(), source: shared.source.clone() });
        let rel = Rel { kind, columns, serialized: false, span };
        let rel = self.in_time_scope(rel, span);
        Some(Table { name: Some(shared.name.clone()), ..Table::new(rel) })
    }

    /// `set query_datetimescope_column = 'TimeGenerated'` with `query_datetimescope_from` and `_to`: a filter on each table
    /// that has the column.
    fn in_time_scope(&mut self, table: Rel, span: Span) -> Rel {
        let Some(Value::String(name)) = self.set_option("query_datetimescope_column").cloned() else { return table };
        let scope = table.columns.iter().find(|column| *column.name == *name && column.ty == ScalarType::DateTime);
        let Some(column) = scope.cloned() else { return table };
        let mut conditions = Vec::new();
        for (option, symbol) in [("query_datetimescope_from", ">="), ("query_datetimescope_to", "<=")] {
            let bound =
                self.set_option(option).and_then(|value| crate::constant::converted(value, ScalarType::DateTime));
            if let Some(bound @ Value::DateTime(_)) = bound {
                let args = vec![crate::binder::column_expr(&column, span), crate::binder::literal(bound, span)];
                conditions.push(self.operator_call(symbol, args, ScalarType::Bool, span));
            }
        }
        if conditions.is_empty() {
            return table;
        }
        let columns = table.columns.clone();
        let predicate = crate::binder::bool_expr(ExprKind::And(conditions), span);
        self.rel(RelKind::Filter { input: table, predicate }, columns, false, span)
    }

    /// KS204, or a warning behind `isfuzzy`.
    fn missing_table(&mut self, name: &str, span: Span) -> Table {
        if self.fuzzy {
            self.missing.push(None);
            let message = format!("The fuzzy name '{name}' does not refer to any known or currently accessible table.");
            self.report(Diagnostic::warning("KS205", span, message));
        } else {
            let message = format!("The name '{name}' does not refer to any known table, tabular variable or function.");
            let tables = self.catalog.table_names();
            let functions = self.catalog.function_names();
            let variables: Vec<String> = self.scope.names().into_iter().map(|(name, _)| name.to_string()).collect();
            let known = variables.iter().chain(&tables).chain(&functions).map(String::as_str);
            let mut diagnostic = Diagnostic::error("KS204", span, message);
            if let Some(near) = nearest(name, known) {
                diagnostic = diagnostic.with_help(format!("did you mean '{near}'?"));
            }
            self.report(diagnostic);
            let report = self.diagnostics.iter().position(|d| d.code == "KS204" && d.span == span);
            self.missing.push(report);
        }
        self.no_table(span)
    }

    /// Wants a table of what was bound.
    pub(crate) fn table_of(&mut self, bound: Bound, span: Span) -> Table {
        match bound {
            Bound::Table(table) => table,
            Bound::Scalar(expr) if expr.ty == ScalarType::Unknown => self.no_table(span),
            _ => {
                self.error("KS111", span, "Table expected.");
                self.no_table(span)
            }
        }
    }

    /// The tables (and functions and variables) that a pattern like `Sec*` matches.
    pub(crate) fn tables_matching(&mut self, pattern: &str, span: Span) -> Vec<Table> {
        let mut names: Vec<String> = self
            .scope
            .names()
            .into_iter()
            .filter(|(_, variable)| match variable {
                Variable::Table(_) => true,
                Variable::Function(function) => function.required() == 0,
                _ => false,
            })
            .map(|(name, _)| name.to_string())
            .filter(|name| matches_wildcard(pattern, name))
            .collect();
        for name in self.catalog.table_names() {
            if matches_wildcard(pattern, &name) && !names.contains(&name) && !self.is_restricted(&name) {
                names.push(name);
            }
        }
        let mut tables = Vec::new();
        for text in names {
            let absent = self.scope.find(&text).is_none() && !self.catalog.has_rows(&text);
            let name = Name { text, span, bracketed: false };
            let table = self.without_row(|b| b.named_table(&name));
            tables.push(Table { name: Some(name.text.as_str().into()), absent, ..table });
        }
        tables
    }

    /// `table("T")`, `database("d")`, `materialize(T)`, `_GetWatchlist("w")`, ...
    pub(crate) fn bind_tabular_call(&mut self, name: &Name, args: &[ast::Expr], span: Span) -> Option<Bound> {
        Some(match name.text.as_str() {
            "cluster" => {
                self.bind_entity_arguments(args);
                Bound::Entity(Entity::Cluster)
            }
            "database" | "workspace" | "app" | "resource" => {
                self.bind_entity_arguments(args);
                Bound::Entity(Entity::Database)
            }
            "table" => Bound::Table(self.bind_table_function(args, span)),
            "materialize" | "totable" | "view" => Bound::Table(self.bind_materialize(name, args, span)),
            "external_table" | "materialized_view" | "stored_query_result" => {
                Bound::Table(self.bind_table_function(args, span))
            }
            "_GetWatchlist" if self.stored_function(&name.text).is_none() => {
                Bound::Table(self.bind_watchlist(name, args, span))
            }
            _ => match self.bind_stored_call(name, args, span) {
                Some(bound) => bound,
                None => return self.bind_host_function(name, args, span),
            },
        })
    }

    fn bind_host_function(&mut self, name: &Name, args: &[ast::Expr], span: Span) -> Option<Bound> {
        let (_, columns) = HOST_FUNCTIONS.iter().find(|(known, _)| *known == name.text)?;
        let values = self.constant_arguments(name, args);
        let columns = columns.iter().map(|(column, ty)| self.new_column(*column, *ty)).collect();
        let kind = Box::new(RelKind::HostTable { name: name.text.clone(), args: values });
        let rel = Rel { kind, columns, serialized: false, span };
        Some(Bound::Table(Table { open: name.text == "SeenBy", ..Table::new(rel) }))
    }

    /// Arguments that the host must know before the run.
    fn constant_arguments(&mut self, name: &Name, args: &[ast::Expr]) -> Vec<Value> {
        let mut values = Vec::new();
        for arg in args {
            let bound = self.plain_scalar(arg);
            match crate::constant::value(&bound) {
                Some(value) => values.push(value),
                None if bound.ty == ScalarType::Unknown || self.declaring => {}
                None => self.unsupported(format!("{} with a computed argument", name.text), arg.span),
            }
        }
        values
    }

    fn bind_stored_call(&mut self, name: &Name, args: &[ast::Expr], span: Span) -> Option<Bound> {
        let function = self.stored_function(&name.text)?;
        Some(self.call_user_function(&function, args, name.span, span))
    }

    fn bind_entity_arguments(&mut self, args: &[ast::Expr]) {
        for arg in args {
            let bound = self.plain_scalar(arg);
            if !matches!(bound.ty, ScalarType::String | ScalarType::Unknown) {
                self.error("KS107", arg.span, "A value of type string expected.");
            }
        }
    }

    fn bind_table_function(&mut self, args: &[ast::Expr], span: Span) -> Table {
        let Some(arg) = args.first() else {
            self.report_argument_count("table", span, 1, Some(2));
            return self.no_table(span);
        };
        let bound = self.plain_scalar(arg);
        match crate::constant::value(&bound) {
            Some(Value::String(text)) => {
                let name = Name { text: text.clone(), span: arg.span, bracketed: false };
                match self.scope.find(&text) {
                    Some(Variable::Table(_)) => self.named_table(&name),
                    _ => match self.catalog_table(&text, span) {
                        Some(table) => table,
                        None => self.missing_table(&text, arg.span),
                    },
                }
            }
            _ => {
                if !matches!(bound.ty, ScalarType::String | ScalarType::Unknown) {
                    self.error("KS107", arg.span, "A value of type string expected.");
                }
                if self.quiet == 0 && !matches!(bound.kind, ExprKind::Error) && !self.declaring {
                    self.unsupported("table() with a computed name", span);
                }
                self.no_table(span)
            }
        }
    }

    fn bind_materialize(&mut self, name: &Name, args: &[ast::Expr], span: Span) -> Table {
        let Some(arg) = args.first() else {
            self.report_argument_count(&name.text, name.span, 1, Some(1));
            return self.no_table(span);
        };
        let table = self.without_row(|b| b.table(arg));
        if name.text != "materialize" {
            return table;
        }
        self.materialized(table, span)
    }

    /// Wraps a table so that its uses share one evaluation.
    pub(crate) fn materialized(&mut self, mut table: Table, span: Span) -> Table {
        let id = self.next_materialize;
        self.next_materialize += 1;
        let mut columns = Vec::with_capacity(table.rel.columns.len());
        for column in &table.rel.columns {
            let id = self.new_id();
            self.same_source(column.id, id);
            columns.push(BoundColumn { id, name: column.name.clone(), ty: column.ty });
        }
        let serialized = table.rel.serialized;
        let kind = Box::new(RelKind::Materialize {
            id,
            input: std::mem::replace(&mut table.rel, self.empty_rel(Vec::new(), span)),
        });
        Table { rel: Rel { kind, columns, serialized, span }, ..table }
    }

    fn bind_watchlist(&mut self, name: &Name, args: &[ast::Expr], span: Span) -> Table {
        let values = self.constant_arguments(name, args);
        let own = match values.first() {
            Some(Value::String(watchlist)) => self.catalog.watchlist_columns(watchlist),
            _ => Vec::new(),
        };
        let mut columns: Vec<BoundColumn> =
            WATCHLIST_COLUMNS.iter().map(|(name, ty)| self.new_column(*name, *ty)).collect();
        let open = own.is_empty();
        for column in own {
            if !columns.iter().any(|known| *known.name == *column) {
                columns.push(self.new_column(column.as_str(), ScalarType::String));
            }
        }
        let kind = Box::new(RelKind::HostTable { name: name.text.clone(), args: values });
        let rel = Rel { kind, columns, serialized: false, span };
        Table { open, name: Some(name.text.as_str().into()), ..Table::new(rel) }
    }

    /// `database("d").T`, `cluster("c").database("d")`.
    pub(crate) fn member_of_entity(&mut self, entity: &Entity, member: &Name) -> Bound {
        match entity {
            Entity::Pattern(pattern, values) => self.match_pattern(pattern, values, Some(member), member.span),
            Entity::Cluster => {
                self.report_unknown_name(member);
                Bound::Scalar(self.error_expr(member.span))
            }
            Entity::Elsewhere => {
                if let Some(table) = self.catalog_table(&member.text, member.span) {
                    return Bound::Table(table);
                }
                self.unsupported("a table of another service", member.span);
                Bound::Table(self.no_table(member.span))
            }
            Entity::Database => {
                let row = self.row.take();
                let table = match self.stored_function(&member.text) {
                    Some(function) if function.required() == 0 => {
                        let bound = self.call_user_function(&function, &[], member.span, member.span);
                        self.table_of(bound, member.span)
                    }
                    _ => match self.catalog_table(&member.text, member.span) {
                        Some(table) => table,
                        None => self.missing_table(&member.text, member.span),
                    },
                };
                self.row = row;
                Bound::Table(table)
            }
        }
    }

    /// A call of a pattern: the query for its constants, or with a path what is still to be chosen by it.
    pub(crate) fn call_pattern(&mut self, pattern: &Rc<ast::PatternClause>, args: &[ast::Expr], span: Span) -> Bound {
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            let bound = self.plain_scalar(arg);
            match bound.kind {
                ExprKind::Literal(Value::String(text)) => values.push(text),
                _ => {
                    self.error("KS131", arg.span, "The expression must be a literal.");
                    return Bound::Table(self.no_table(span));
                }
            }
        }
        match pattern.path {
            Some(_) => Bound::Entity(Entity::Pattern(Rc::clone(pattern), values)),
            None => self.match_pattern(pattern, &values, None, span),
        }
    }

    fn match_pattern(
        &mut self,
        pattern: &Rc<ast::PatternClause>,
        values: &[String],
        path: Option<&Name>,
        span: Span,
    ) -> Bound {
        let text = |expr: &ast::Expr| match &expr.kind {
            ast::ExprKind::Literal(ast::Literal::String { value, .. }) => Some(value.clone()),
            _ => None,
        };
        let chosen = pattern.matches.iter().find(|case| {
            let same = case.values.len() == values.len()
                && case.values.iter().zip(values).all(|(case, value)| text(case).as_ref() == Some(value));
            same && case.path.as_ref().and_then(text).as_deref() == path.map(|path| path.text.as_str())
        });
        match chosen {
            Some(case) => {
                let table = self.deeper(
                    span,
                    |b| Bound::Table(b.no_table(span)),
                    |b| b.without_row(|b| b.bind_function_body(&case.body, span)),
                );
                Bound::Table(self.table_of(table, span))
            }
            None => {
                let message = format!("The pattern '{}' has no query for these values.", pattern.name.text);
                self.error("TW013", span, message);
                Bound::Table(self.no_table(span))
            }
        }
    }

    /// `cluster("c").database("d")`, `database("d").f(x)`, `database("d").table("T")`.
    pub(crate) fn bind_method(&mut self, base: &ast::Expr, name: &Name, args: &[ast::Expr], span: Span) -> Bound {
        match self.bind(base) {
            Bound::Entity(_) => match name.text.as_str() {
                "database" | "table" | "external_table" | "materialized_view" | "cluster" => {
                    self.bind_tabular_call(name, args, span).unwrap_or(Bound::Entity(Entity::Database))
                }
                _ => match self.stored_function(&name.text) {
                    Some(function) => self.call_user_function(&function, args, name.span, span),
                    None => {
                        self.report_unknown_function(name);
                        Bound::Table(self.no_table(span))
                    }
                },
            },
            Bound::Scalar(expr) if expr.ty == ScalarType::Unknown => Bound::Scalar(self.error_expr(span)),
            _ => {
                self.report_unknown_function(name);
                Bound::Scalar(self.error_expr(span))
            }
        }
    }
}

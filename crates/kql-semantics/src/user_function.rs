//! Functions of the query and stored functions: declared once, expanded at each call.
//!
//! A declaration is bound once over parameters of the declared types, for its diagnostics. A call binds the body again
//! over the arguments; what is wrong only there is reported at the call (`KS200`).

use std::rc::Rc;
use std::sync::Arc;

use kql_syntax::ast::{self, Name, ParamType};
use kql_types::{Diagnostic, ScalarType, Span};

use crate::binder::{Binder, Context, column_expr};
use crate::bound::Expr;
use crate::expr::Bound;
use crate::scope::{Piped, Scope, Table, UserFunction, Variable};

/// Calls of user functions inside each other beyond which binding stops.
const MAX_CALLS: usize = 64;

/// The arguments of a call, one for each parameter; None where the default stands.
type Assigned<'e> = Vec<Option<&'e ast::Expr>>;

impl Binder<'_> {
    /// A stored function of the catalog, parsed on first use.
    pub(crate) fn stored_function(&mut self, name: &str) -> Option<Rc<UserFunction>> {
        if let Some(function) = self.stored_functions.get(name) {
            return Some(function.clone());
        }
        if self.is_restricted(name) {
            return None;
        }
        let stored = self.catalog.function(name)?;
        let declaration = crate::stored::parsed(&stored);
        let function =
            Rc::new(UserFunction { name: name.to_string(), declaration, scope: Scope::default(), stored: true });
        self.stored_functions.insert(name.to_string(), function.clone());
        Some(function)
    }

    /// Whether a table of the same name stands for a stored function: always inside the body of a stored function,
    /// and everywhere when the function's own text does not bind (it could never have been saved).
    pub(crate) fn table_hides(&mut self, function: &Rc<UserFunction>) -> bool {
        if self.catalog.table(&function.name).is_none() {
            return false;
        }
        if self.in_stored {
            if self.judging.as_ref() == Some(&function.name) {
                self.error(
                    "TW004",
                    function.declaration.span,
                    format!("The function '{}' calls itself.", function.name),
                );
            }
            return true;
        }
        if let Some(sound) = self.known_sound(&function.name) {
            return !sound;
        }
        let strict = std::mem::replace(&mut self.strict, true);
        let missing = self.missing.len();
        let extra = self.extra_results.len();
        let render = self.render.take();
        let judging = self.judging.replace(function.name.clone());
        let (_, errors) = self.quietly(|b| b.check_declaration(function));
        self.judging = judging;
        self.render = render;
        self.extra_results.truncate(extra);
        self.missing.truncate(missing);
        self.strict = strict;
        let sound = errors.is_empty();
        self.sound_functions.insert(function.name.clone(), sound);
        if let Some(mut memo) = self.catalog.memo().and_then(|memo| memo.sound.lock().ok()) {
            memo.insert(function.name.clone(), sound);
        }
        !sound
    }

    /// What this query or another over the same catalog has found out.
    fn known_sound(&self, name: &str) -> Option<bool> {
        let own = self.sound_functions.get(name).copied();
        own.or_else(|| self.catalog.memo()?.sound.lock().ok()?.get(name).copied())
    }

    /// Binds without reports; the errors are handed back.
    fn quietly<T>(&mut self, body: impl FnOnce(&mut Self) -> T) -> (T, Vec<Diagnostic>) {
        self.quiet += 1;
        let before = self.quiet_errors.len();
        let result = body(self);
        let errors = self.quiet_errors.drain(before..).collect();
        self.quiet -= 1;
        (result, errors)
    }

    /// `let f = (params) { body }`.
    pub(crate) fn declare_function(&mut self, name: &Name, declaration: &ast::Function) {
        let function = Rc::new(UserFunction {
            name: name.text.clone(),
            declaration: Arc::new(declaration.clone()),
            scope: self.scope.clone(),
            stored: false,
        });
        // Inside an expansion nothing would be reported, and binding each level twice would double with depth.
        if self.quiet == 0 || self.judging.is_some() {
            self.check_declaration(&function);
        }
        self.declare(&name.text, Variable::Function(function));
    }

    /// Binds a stored function's body for its diagnostics and columns.
    pub(crate) fn bind_declared(mut self, declaration: &ast::Function) -> crate::Bound {
        let function = UserFunction {
            name: String::new(),
            declaration: Arc::new(declaration.clone()),
            scope: Scope::default(),
            stored: true,
        };
        let bound = self.check_declaration(&function);
        self.excuse_missing_tables();
        let (columns, open) = match &bound {
            Bound::Table(table) => (self.official_columns(&table.rel.columns), table.open),
            _ => (Vec::new(), false),
        };
        crate::Bound { query: None, diagnostics: self.diagnostics, columns, open }
    }

    /// Binds the body over parameters that are only known by their types.
    fn check_declaration(&mut self, function: &UserFunction) -> Bound {
        let span = function.declaration.span;
        let mut scope = function.scope.clone();
        let level = self.level + 1;
        let mut tables_may_follow = true;
        for param in &function.declaration.params {
            let variable = match &param.ty {
                ParamType::Scalar(ty) => {
                    tables_may_follow = false;
                    let ty = self.type_of_name(ty);
                    if let Some(default) = &param.default {
                        self.check_default(default, ty);
                    }
                    let column = self.new_column(param.name.text.as_str(), ty);
                    Variable::Scalar(column_expr(&column, param.name.span))
                }
                ParamType::Tabular { columns, open } => {
                    if !tables_may_follow {
                        self.error("KS226", param.name.span, "Tabular parameters must be declared first.");
                    }
                    let mut bound = Vec::new();
                    for column in columns {
                        let ty = self.type_of_name(&column.ty);
                        bound.push(self.new_column(column.name.text.as_str(), ty));
                    }
                    let rel = self.empty_rel(bound, param.name.span);
                    Variable::Table(Rc::new(Table { open: *open, ..Table::new(rel) }))
                }
            };
            scope = scope.with(param.name.text.as_str(), variable, level);
        }
        let compared = self.compared.len();
        let unsupported = self.unsupported.len();
        let declaring = std::mem::replace(&mut self.declaring, true);
        let bound = self.bind_body(function, scope, span);
        self.declaring = declaring;
        for entry in self.compared.drain(compared..) {
            self.known_compared.remove(&entry);
        }
        self.unsupported.truncate(unsupported);
        bound
    }

    fn check_default(&mut self, default: &ast::Expr, ty: ScalarType) {
        let bound = self.without_row(|b| b.scalar(default));
        if bound.ty != ty && bound.ty != ScalarType::Unknown && !compatible(bound.ty, ty) {
            self.error("KS107", default.span, format!("A value of type {ty} expected."));
        }
    }

    /// Expands a call.
    pub(crate) fn call_user_function(
        &mut self,
        function: &Rc<UserFunction>,
        args: &[ast::Expr],
        name_span: Span,
        span: Span,
    ) -> Bound {
        self.expand(function, None, args, name_span, span)
    }

    /// Expands a call; `first` is the table that `invoke` passes.
    pub(crate) fn expand(
        &mut self,
        function: &Rc<UserFunction>,
        first: Option<Table>,
        args: &[ast::Expr],
        name_span: Span,
        span: Span,
    ) -> Bound {
        let address = Arc::as_ptr(&function.declaration) as usize;
        if self.expanding.contains(&address) || self.expanding.len() >= MAX_CALLS {
            let message = format!("The function '{}' calls itself.", function.name);
            self.error("TW004", name_span, message);
            return Bound::Scalar(self.error_expr(span));
        }
        let implicit = usize::from(first.is_some());
        let Some(assigned) = self.assign_arguments(function, implicit, args, name_span) else {
            for arg in args {
                self.bind(value_of(arg));
            }
            return self.result_after_error(function, span);
        };
        let scope = self.bind_parameters(function, first, &assigned);
        self.expanding.push(address);
        let judging = self.judging.take();
        let (bound, errors) = self.quietly(|b| b.bind_body(function, scope, span));
        self.judging = judging;
        self.expanding.pop();
        if let Some(error) = errors.first() {
            self.report_expansion(function, error, name_span);
        }
        bound
    }

    /// What a call is after its arguments could not be assigned: a table without rows and with the columns that the
    /// declaration gives, or what the last statement plainly is.
    fn result_after_error(&mut self, function: &UserFunction, span: Span) -> Bound {
        if self.expanding.len() < MAX_CALLS {
            let address = Arc::as_ptr(&function.declaration) as usize;
            self.expanding.push(address);
            let (declared, _) = self.quietly(|b| b.check_declaration(function));
            self.expanding.pop();
            if let Bound::Table(table) = declared {
                let columns = table.rel.columns.clone();
                return Bound::Table(Table { open: table.open, ..Table::new(self.empty_rel(columns, span)) });
            }
        }
        let tabular = matches!(
            function.declaration.body.last().map(|s| &s.kind),
            Some(ast::StatementKind::Expression(ast::Expr {
                kind: ast::ExprKind::Pipe { .. } | ast::ExprKind::Source(_),
                ..
            }))
        );
        if tabular { Bound::Table(self.no_table(span)) } else { Bound::Scalar(self.error_expr(span)) }
    }

    fn report_expansion(&mut self, function: &UserFunction, error: &Diagnostic, span: Span) {
        let message = format!("Failure in expansion of '{}': {}", function.name, error.message);
        let mut report = Diagnostic::warning("KS200", span, message);
        report.help = error.help.clone();
        self.report(report);
    }

    /// Which argument each parameter gets. None after a report.
    fn assign_arguments<'e>(
        &mut self,
        function: &UserFunction,
        implicit: usize,
        args: &'e [ast::Expr],
        name_span: Span,
    ) -> Option<Assigned<'e>> {
        let params = &function.declaration.params;
        let mut assigned: Assigned<'e> = vec![None; params.len()];
        if args.len() + implicit > params.len() {
            self.report_argument_count(&function.name, name_span, function.required(), Some(params.len()));
            return None;
        }
        let mut ok = true;
        let mut named = false;
        for (index, arg) in args.iter().enumerate() {
            if let ast::ExprKind::Named { names, tuple: false, value } = &arg.kind
                && let [name] = names.as_slice()
            {
                match params.iter().position(|param| param.name.text == name.text) {
                    Some(at) => {
                        named |= at != index + implicit;
                        assigned[at] = Some(value);
                    }
                    None => {
                        let message = "The argument name does not refer to a declared parameter.";
                        self.error("KS196", name.span, message);
                        ok = false;
                    }
                }
            } else if named {
                let message = "All arguments after an unordered named argument must be named.";
                self.error("KS195", arg.span, message);
                ok = false;
            } else if let Some(slot) = assigned.get_mut(index + implicit) {
                *slot = Some(arg);
            }
        }
        if !ok {
            return None;
        }
        let missing = params
            .iter()
            .enumerate()
            .skip(implicit)
            .find(|(i, param)| param.default.is_none() && assigned[*i].is_none())
            .map(|(_, param)| param.name.text.clone());
        if let Some(missing) = missing {
            if args.iter().any(|arg| matches!(arg.kind, ast::ExprKind::Named { .. })) {
                let message = format!("The argument for parameter '{missing}' is missing.");
                self.error("KS197", name_span, message);
            } else {
                self.report_argument_count(&function.name, name_span, function.required(), Some(params.len()));
            }
            return None;
        }
        Some(assigned)
    }

    /// The scope of a body: the declaration's, then the parameters with their arguments.
    fn bind_parameters(&mut self, function: &UserFunction, first: Option<Table>, assigned: &Assigned<'_>) -> Scope {
        let mut scope = function.scope.clone();
        let level = self.level + 1;
        let mut first = first;
        for (index, param) in function.declaration.params.iter().enumerate() {
            let variable = match (&param.ty, assigned.get(index).copied().flatten()) {
                (ParamType::Tabular { .. }, None) => {
                    let table = first.take().unwrap_or_else(|| self.no_table(param.name.span));
                    Variable::Piped(Rc::new(Piped { table, used: std::cell::Cell::new(false) }))
                }
                (ParamType::Tabular { .. }, Some(arg)) => {
                    let table = self.without_row(|b| b.table(arg));
                    Variable::Table(Rc::new(table))
                }
                (ParamType::Scalar(ty), Some(arg)) => {
                    let ty = ScalarType::parse(&ty.text).unwrap_or(ScalarType::Unknown);
                    Variable::Scalar(self.bind_argument(arg, ty))
                }
                (ParamType::Scalar(ty), None) => {
                    let ty = ScalarType::parse(&ty.text).unwrap_or(ScalarType::Unknown);
                    let value = match &param.default {
                        Some(default) => {
                            self.quiet += 1;
                            let bound = self.without_row(|b| b.scalar(default));
                            self.quiet -= 1;
                            self.convert(bound, ty)
                        }
                        None => self.error_expr(param.name.span),
                    };
                    Variable::Scalar(value)
                }
            };
            scope = scope.with(param.name.text.as_str(), variable, level);
        }
        scope
    }

    fn bind_argument(&mut self, arg: &ast::Expr, ty: ScalarType) -> Expr {
        let bound = self.plain_scalar(arg);
        if bound.ty == ty || bound.ty == ScalarType::Unknown || ty == ScalarType::Unknown {
            return bound;
        }
        // Whatever its type, the argument becomes the parameter's: `f("1d")` for `f(x:timespan)` is accepted.
        self.convert(bound, ty)
    }

    /// Binds the statements of a body; its value is that of the last one.
    fn bind_body(&mut self, function: &UserFunction, scope: Scope, span: Span) -> Bound {
        let outer_scope = std::mem::replace(&mut self.scope, scope);
        let outer_stored = self.in_stored;
        self.in_stored |= function.stored;
        let outer_fuzzy = std::mem::replace(&mut self.fuzzy, false);
        self.level += 1;
        let bound = self.deeper(
            span,
            |b| Bound::Scalar(b.error_expr(span)),
            |b| {
                b.without_row(|b| {
                    b.in_context(Context::Scalar, |b| b.bind_function_body(&function.declaration.body, span))
                })
            },
        );
        self.level -= 1;
        self.fuzzy = outer_fuzzy;
        self.in_stored = outer_stored;
        self.scope = outer_scope;
        bound
    }

    pub(crate) fn bind_function_body(&mut self, body: &[ast::Statement], span: Span) -> Bound {
        let mut result = None;
        for statement in body {
            match &statement.kind {
                ast::StatementKind::Expression(expr) => result = Some(self.bind_value(expr)),
                _ => self.bind_declaration(statement),
            }
        }
        result.unwrap_or_else(|| Bound::Scalar(self.error_expr(span)))
    }
}

/// Strips the name of a named argument.
fn value_of(arg: &ast::Expr) -> &ast::Expr {
    match &arg.kind {
        ast::ExprKind::Named { value, .. } => value,
        _ => arg,
    }
}

/// Conversions that an argument of a user function may need: between numbers, and from dynamic.
fn compatible(from: ScalarType, to: ScalarType) -> bool {
    from == to || (from.is_number() && to.is_number()) || from == ScalarType::Dynamic || to == ScalarType::Dynamic
}

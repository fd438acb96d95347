//! Function calls: which function a name means where it stands, its arguments, and its result.

use kql_functions::{Kind, function};
use kql_syntax::ast::{self, Name, TypeOfItem};
use kql_types::{Diagnostic, Return, ScalarType, Span, Value};

use super::tuple::{Tuple, TupleValue};
use super::{Bound, unwrapped};
use crate::binder::{Binder, Context, literal};
use crate::bound::{Expr, ExprKind};
use crate::naming::Naming;
use crate::scope::Variable;
use crate::suggest::nearest;

impl Binder<'_> {
    pub(super) fn bind_call(&mut self, name: &Name, args: &[ast::Expr], span: Span) -> Bound {
        if self.context == Context::Aggregate
            && let Some(aggregate) = kql_functions::aggregate(&name.text)
            && !(matches!(name.text.as_str(), "any" | "all") && self.row.is_none())
        {
            return self.bind_aggregate(aggregate, name, args, span);
        }
        match self.scope.find(&name.text).cloned() {
            Some(Variable::Function(function)) => return self.call_user_function(&function, args, name.span, span),
            Some(Variable::Table(table)) if args.is_empty() => {
                self.report_unknown_function(name);
                return Bound::Table(self.copy_table(&table, span));
            }
            Some(Variable::Pattern(pattern)) => return self.call_pattern(&pattern, args, span),
            Some(Variable::Error) => return Bound::Scalar(self.error_expr(span)),
            _ => {}
        }
        if let Some(bound) = self.bind_special(name, args, span) {
            return bound;
        }
        if function(&name.text).is_some() {
            let bound_args = self.bind_arguments(name, args);
            return self.named_call(name, args, bound_args, span);
        }
        if let Some(function) = self.stored_function(&name.text) {
            return self.call_user_function(&function, args, name.span, span);
        }
        self.unknown_function(name, args, span)
    }

    fn unknown_function(&mut self, name: &Name, args: &[ast::Expr], span: Span) -> Bound {
        if kql_functions::aggregate(&name.text).is_some() {
            let message = format!("The aggregate function '{}' is not allowed in this context.", name.text);
            self.error("KS144", name.span, message);
        } else if crate::rel::is_plugin(&name.text) {
            let message = format!("The plug-in function '{}' is not allowed in this context.", name.text);
            self.error("KS126", name.span, message);
        } else if name.text.starts_with("__") {
            for arg in args {
                self.bind(arg);
            }
            self.unsupported(name.text.clone(), name.span);
        } else {
            self.report_unknown_function(name);
        }
        Bound::Scalar(self.error_expr(span))
    }

    pub(crate) fn report_unknown_function(&mut self, name: &Name) {
        let message = format!("The name '{}' does not refer to any known function.", name.text);
        let mut diagnostic = Diagnostic::error("KS211", name.span, message);
        let stored = self.catalog.function_names();
        let known = kql_functions::functions()
            .map(|f| f.name)
            .chain(kql_functions::aggregates().map(|a| a.name))
            .chain(stored.iter().map(String::as_str));
        if let Some(near) = nearest(&name.text, known) {
            diagnostic = diagnostic.with_help(format!("did you mean '{near}'?"));
        }
        self.report(diagnostic);
    }

    /// The arguments of a built-in function.
    fn bind_arguments(&mut self, name: &Name, args: &[ast::Expr]) -> Vec<Expr> {
        let mut bound = Vec::with_capacity(args.len());
        for arg in args {
            match &unwrapped(arg).kind {
                ast::ExprKind::TypeOf(items) => bound.push(self.bind_typeof(items, arg.span)),
                ast::ExprKind::Star => {
                    let row = self.row.as_ref().map(|row| row.columns.clone()).unwrap_or_default();
                    bound.extend(row.iter().map(|column| crate::binder::column_expr(column, arg.span)));
                }
                // A name before an argument of a built-in function says nothing.
                ast::ExprKind::Named { value, .. } => bound.push(self.scalar(value)),
                _ => bound.push(self.scalar(arg)),
            }
        }
        let _ = name;
        bound
    }

    /// `typeof(long)` as an argument: a null of that type.
    pub(crate) fn bind_typeof(&mut self, items: &[TypeOfItem], span: Span) -> Expr {
        match items {
            [TypeOfItem::Type(name)] => {
                let ty = self.type_of_name(name);
                literal(Value::missing(ty), span)
            }
            _ => {
                self.error("KS172", span, "The syntax is not a valid type expression.");
                self.error_expr(span)
            }
        }
    }

    /// A call of a registered function over bound arguments.
    pub(crate) fn call_registered(&mut self, name: &Name, args: Vec<Expr>, span: Span) -> Bound {
        self.named_call(name, &[], args, span)
    }

    fn named_call(&mut self, name: &Name, written: &[ast::Expr], args: Vec<Expr>, span: Span) -> Bound {
        let Some(function) = function(&name.text) else {
            self.report_unknown_function(name);
            return Bound::Scalar(self.error_expr(span));
        };
        let Some(resolved) = self.resolve_call(function.name, name.span, function.overloads, args) else {
            let ty = fixed_return(function.overloads);
            return Bound::Scalar(Expr { kind: ExprKind::Error, ty, span });
        };
        if function.kind == Kind::Window && self.row.as_ref().is_some_and(|row| !row.serialized && !row.open) {
            let message = format!("The function '{}' needs serialized rows: sort them before.", function.name);
            self.error("TW003", name.span, message);
        }
        let (ty, args) = (resolved.ty, resolved.args);
        let kind = match function.kind {
            Kind::Window => ExprKind::Window { function, args },
            _ => ExprKind::Call { function, args },
        };
        let call = Expr { kind, ty, span };
        match resolved.overload.returns {
            Return::Columns(columns) => {
                let prefix = match written.first().and_then(|arg| self.name_of(arg)) {
                    Some(argument) => format!("{}_{argument}", function.name),
                    None => function.name.to_string(),
                };
                let names: Vec<(String, ScalarType)> =
                    columns.iter().map(|(column, ty)| (format!("{prefix}_{column}"), *ty)).collect();
                Bound::Tuple(Tuple::of_array(self, &call, names))
            }
            Return::SortedArguments if written.len() > 1 => self.sorted_arguments(call, written, span),
            _ => Bound::Scalar(call),
        }
    }

    /// `array_sort_asc(a, b)`: as many arrays as were given.
    fn sorted_arguments(&mut self, call: Expr, written: &[ast::Expr], span: Span) -> Bound {
        let ExprKind::Call { args, .. } = &call.kind else { return Bound::Scalar(call) };
        let names: Vec<String> = written
            .iter()
            .zip(args)
            .filter(|(_, arg)| arg.ty == ScalarType::Dynamic)
            .map(|(arg, _)| format!("{}_sorted", self.name_of(arg).unwrap_or_default()))
            .collect();
        if names.len() < 2 {
            return Bound::Scalar(call);
        }
        let mut values = Vec::new();
        for (index, name) in names.into_iter().enumerate() {
            let step = crate::bound::PathStep::Index(index as i64);
            values.push(TupleValue { name, expr: super::path::with_step(call.clone(), step, span), source: None });
        }
        Bound::Tuple(Tuple { values })
    }

    /// The automatic name of an expression in the current context.
    pub(crate) fn name_of(&self, expr: &ast::Expr) -> Option<String> {
        let row = self.row.as_ref();
        Naming {
            context: self.context,
            has_column: &|name| row.is_some_and(|row| row.find(name).is_some()),
            is_user_function: &|name| matches!(self.scope.find(name), Some(Variable::Function(_))),
        }
        .of(expr)
    }
}

/// The type a function returns whatever its arguments, for what follows an error.
fn fixed_return(overloads: &[kql_types::Overload]) -> ScalarType {
    let mut found = None;
    for overload in overloads {
        match overload.returns {
            Return::Type(ty) if found.is_none_or(|f| f == ty) => found = Some(ty),
            _ => return ScalarType::Unknown,
        }
    }
    found.unwrap_or(ScalarType::Unknown)
}

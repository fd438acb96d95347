//! Automatic column names: what an unnamed expression is called as a column.
//!
//! The one place that decides it, from the syntax and [`ResultName`] of the registry: `tostring(a)` is `a`,
//! `d.x[0]` is `d_x_0`, `count()` is `count_`, `a + 1` has no name (the caller makes it `Column1` or `print_0`).

use kql_functions::{aggregate, function};
use kql_syntax::ast::{self, Literal, UnaryOp};
use kql_types::ResultName;

use crate::binder::Context;

/// What naming must know of the surroundings.
#[derive(Clone, Copy)]
pub(crate) struct Naming<'a> {
    /// In a list of aggregates, a call names an aggregate first.
    pub context: Context,
    /// Whether the row has a column of this name.
    pub has_column: &'a dyn Fn(&str) -> bool,
    /// Whether a name is a user's function: these give no name.
    pub is_user_function: &'a dyn Fn(&str) -> bool,
}

impl Naming<'_> {
    /// The name of an expression; None when it has none of its own.
    pub fn of(&self, expr: &ast::Expr) -> Option<String> {
        match &expr.kind {
            ast::ExprKind::Paren(inner) => self.of(inner),
            ast::ExprKind::Name(name) => Some(name.text.clone()),
            ast::ExprKind::Named { names, .. } => names.first().map(|name| name.text.clone()),
            ast::ExprKind::Member { base, member } => Some(self.under(base, member.text.clone())),
            ast::ExprKind::Index { base, index } => Some(self.under(base, index_name(index).unwrap_or_default())),
            ast::ExprKind::Call { name, args } => self.of_call(&name.text, args),
            ast::ExprKind::MethodCall { name, args, .. } => self.of_call(&name.text, args),
            _ => None,
        }
    }

    /// `base_part`; the part alone where the base is no value (`$left.x`) or has no name.
    fn under(&self, base: &ast::Expr, part: String) -> String {
        if let ast::ExprKind::Name(name) = &base.kind
            && name.text.starts_with('$')
        {
            return part;
        }
        let scalar = Naming { context: Context::Scalar, ..*self };
        match scalar.of(base) {
            Some(left) if !left.trim().is_empty() => format!("{left}_{part}"),
            _ => part,
        }
    }

    fn of_call(&self, name: &str, args: &[ast::Expr]) -> Option<String> {
        if (self.is_user_function)(name) {
            return None;
        }
        let rule = match self.context {
            Context::Aggregate if aggregate(name).is_some() => aggregate(name).map(|a| a.result_name),
            _ => function(name).map(|f| f.result_name),
        };
        // Arguments of an aggregate are plain scalars.
        let inner = if self.context == Context::Aggregate && aggregate(name).is_some() {
            Naming { context: Context::Scalar, ..*self }
        } else {
            *self
        };
        let argument = |index: usize| args.get(index).map(|arg| inner.of(arg).unwrap_or_default());
        match rule? {
            ResultName::None => None,
            ResultName::FirstArgument => args.first().and_then(|arg| inner.of(arg)),
            ResultName::OnlyArgument => match args {
                [only] => inner.of(only),
                _ => None,
            },
            ResultName::NameAndFirstArgument => Some(format!("{name}_{}", argument(0).unwrap_or_default())),
            ResultName::PrefixAndFirstArgument(prefix) => Some(format!("{prefix}_{}", argument(0).unwrap_or_default())),
            ResultName::PrefixAndTwoArguments(prefix) => {
                Some(format!("{prefix}_{}_{}", argument(0).unwrap_or_default(), argument(1).unwrap_or_default()))
            }
            ResultName::PrefixFirstArgumentAndValue(prefix) => {
                let value = args.last().and_then(value_name).unwrap_or_default();
                Some(format!("{prefix}_{}_{value}", argument(0).unwrap_or_default()))
            }
            ResultName::PrefixOnly(prefix) => Some(prefix.to_string()),
            ResultName::FirstArgumentValueIfColumn => match args.first().map(|arg| &arg.kind) {
                Some(ast::ExprKind::Literal(Literal::String { value, .. })) if (self.has_column)(value) => {
                    Some(value.clone())
                }
                _ => None,
            },
        }
    }
}

/// What an index adds to a name: the literal itself.
fn index_name(index: &ast::Expr) -> Option<String> {
    match &index.kind {
        ast::ExprKind::Literal(Literal::String { value, .. }) => Some(value.clone()),
        ast::ExprKind::Literal(Literal::Long(text)) => Some(text.clone()),
        ast::ExprKind::Literal(Literal::Typed { text, .. }) => Some(text.clone()),
        ast::ExprKind::Paren(inner) => index_name(inner),
        _ => None,
    }
}

/// How a number appears in the name of a percentile: `99.9` as `99_9`.
pub(crate) fn value_name(expr: &ast::Expr) -> Option<String> {
    match &expr.kind {
        ast::ExprKind::Literal(Literal::Long(text) | Literal::Real(text)) => Some(text.replace('.', "_")),
        ast::ExprKind::Literal(Literal::Typed { text, .. }) => Some(text.replace('.', "_")),
        ast::ExprKind::Unary { op: UnaryOp::Minus, expr } => value_name(expr).map(|text| format!("_{text}")),
        ast::ExprKind::Paren(inner) => value_name(inner),
        ast::ExprKind::Name(name) => Some(name.text.clone()),
        _ => None,
    }
}

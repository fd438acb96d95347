//! Scalar expressions: syntax in, typed [`Expr`] out.
//!
//! [`Binder::bind`] says what an expression is (a scalar, a table, several values, an entity);
//! [`Binder::scalar`] wants a scalar and reports anything else.

mod call;
mod compare;
mod conditional;
mod fold;
mod list;
mod literal;
mod names;
mod negate;
mod operator;
pub(crate) mod overload;
mod path;
mod surroundings;
mod tuple;
pub(crate) mod types;

use kql_syntax::ast;
use kql_types::{ScalarType, Span};

use crate::binder::{Binder, Context};
use crate::bound::{Expr, ExprKind};
use crate::scope::{Entity, Table};

pub(crate) use compare::plain_column;
pub(crate) use literal::{as_dynamic, from_dynamic};
pub(crate) use names::unknown_name;
pub(crate) use tuple::{Tuple, TupleValue};

/// What an expression turned out to be.
#[derive(Debug)]
pub(crate) enum Bound {
    Scalar(Expr),
    /// Several named values at once: `series_fit_line(x)`, `percentiles(x, 5, 95)`.
    Tuple(Tuple),
    Table(Table),
    Entity(Entity),
    /// `$left` or `$right` before a dot.
    Side(Side),
    /// The name of a step of `scan` before a dot.
    Step(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

impl Binder<'_> {
    /// Binds an expression that must be a scalar.
    pub(crate) fn scalar(&mut self, expr: &ast::Expr) -> Expr {
        match self.bind(expr) {
            Bound::Scalar(bound) => bound,
            Bound::Tuple(tuple) => tuple.first(self, expr.span),
            Bound::Table(_) | Bound::Entity(_) | Bound::Side(_) | Bound::Step(_) => {
                self.error("KS108", expr.span, "Scalar value expected.");
                self.error_expr(expr.span)
            }
        }
    }

    /// A scalar outside any list of aggregates: arguments and keys.
    pub(crate) fn plain_scalar(&mut self, expr: &ast::Expr) -> Expr {
        self.in_context(Context::Scalar, |b| b.scalar(expr))
    }

    /// A scalar that must be a bool, for `where` and the like.
    pub(crate) fn condition(&mut self, expr: &ast::Expr) -> Expr {
        let bound = self.scalar(expr);
        match bound.ty {
            ScalarType::Bool | ScalarType::Unknown => bound,
            _ => {
                self.error("KS107", expr.span, "A value of type bool expected.");
                self.error_expr(expr.span)
            }
        }
    }

    pub(crate) fn bind(&mut self, expr: &ast::Expr) -> Bound {
        let span = expr.span;
        self.deeper(span, |b| Bound::Scalar(b.error_expr(span)), |b| b.bind_kind(expr))
    }

    fn bind_kind(&mut self, expr: &ast::Expr) -> Bound {
        let span = expr.span;
        if self.graph.is_some()
            && let Some(bound) = self.bind_in_graph(expr)
        {
            return bound;
        }
        Bound::Scalar(match &expr.kind {
            ast::ExprKind::Missing => self.error_expr(span),
            ast::ExprKind::Name(name) => return self.bind_name(name),
            ast::ExprKind::Literal(written) => self.bind_literal(written, span),
            ast::ExprKind::Paren(inner) => return self.bind(inner),
            ast::ExprKind::Named { value, .. } => return self.bind(value),
            ast::ExprKind::Call { name, args } => return self.bind_call(name, args, span),
            ast::ExprKind::Member { base, member } => return self.bind_member(base, member, span),
            ast::ExprKind::MethodCall { base, name, args } => return self.bind_method(base, name, args, span),
            ast::ExprKind::Index { base, index } => return self.bind_index(base, index, span),
            ast::ExprKind::Unary { op, expr: inner } => self.bind_unary(*op, inner, span),
            ast::ExprKind::Binary { op, op_span, left, right } => self.bind_binary(*op, *op_span, left, right, span),
            ast::ExprKind::In { op, op_span, left, items } => self.bind_in(*op, *op_span, left, items, span),
            ast::ExprKind::Between { negated, op_span, left, low, high } => {
                self.bind_between(*negated, *op_span, left, low, high, span)
            }
            ast::ExprKind::Pipe { .. } | ast::ExprKind::Source(_) => {
                return Bound::Table(self.without_row(|b| b.table(expr)));
            }
            ast::ExprKind::Star | ast::ExprKind::Wildcard(_) => {
                self.error("KS191", span, "The * syntax is not allowed here.");
                self.error_expr(span)
            }
            ast::ExprKind::TypeOf(_) | ast::ExprKind::Lambda(_) => {
                self.error("KS108", span, "Scalar value expected.");
                self.error_expr(span)
            }
        })
    }

    /// Names that mean something in the pattern of a graph only.
    fn bind_in_graph(&mut self, expr: &ast::Expr) -> Option<Bound> {
        match &expr.kind {
            ast::ExprKind::Name(name) => self.graph_name(name),
            ast::ExprKind::Member { base, member } => self.graph_member(base, member, expr.span),
            ast::ExprKind::Call { name, args } => self.graph_call(name, args, expr.span),
            _ => None,
        }
    }

    /// A value as one of another type, folding literals.
    pub(crate) fn convert(&mut self, expr: Expr, to: ScalarType) -> Expr {
        if expr.ty == to || expr.ty == ScalarType::Unknown || to == ScalarType::Unknown {
            return expr;
        }
        if let ExprKind::Literal(value) = &expr.kind
            && let Some(value) = literal::converted(value, to)
        {
            return crate::binder::literal(value, expr.span);
        }
        let span: Span = expr.span;
        Expr { kind: ExprKind::Convert(Box::new(expr)), ty: to, span }
    }
}

/// Strips parentheses.
pub(crate) fn unwrapped(expr: &ast::Expr) -> &ast::Expr {
    let mut expr = expr;
    while let ast::ExprKind::Paren(inner) = &expr.kind {
        expr = inner;
    }
    expr
}

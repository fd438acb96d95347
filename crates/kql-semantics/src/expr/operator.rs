//! Unary and binary operators and `between`.

use kql_syntax::ast::{self, BinaryOp, UnaryOp};
use kql_types::{ScalarType, Span, Value};

use super::fold;
use super::types;
use crate::binder::{Binder, bool_expr, literal};
use crate::bound::{Expr, ExprKind};

impl Binder<'_> {
    pub(super) fn bind_unary(&mut self, op: UnaryOp, inner: &ast::Expr, span: Span) -> Expr {
        let operand = self.scalar(inner);
        let symbol = match op {
            UnaryOp::Minus => "-",
            UnaryOp::Plus => "+",
        };
        if operand.ty != ScalarType::Dynamic && operand.ty != ScalarType::Unknown && !types::is_summable(operand.ty) {
            let message = format!("The operator '{symbol}' is not defined for the operand type {}.", operand.ty);
            self.error("KS106", Span::new(span.start, span.start + 1), message);
            return self.error_expr(span);
        }
        if op == UnaryOp::Plus {
            return Expr { span, ..operand };
        }
        if let ExprKind::Literal(value) = &operand.kind
            && let Some(value) = fold::negative(value)
        {
            return literal(value, span);
        }
        let operand = if operand.ty == ScalarType::Int { self.convert(operand, ScalarType::Long) } else { operand };
        let ty = operand.ty;
        if let Some(function) = kql_functions::operator("unary -") {
            return Expr { kind: ExprKind::Call { function, args: vec![operand] }, ty, span };
        }
        let minus_one = literal(Value::Long(-1), span);
        self.operator_call(BinaryOp::Mul.symbol(), vec![operand, minus_one], ty, span)
    }

    pub(super) fn bind_binary(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
    ) -> Expr {
        if matches!(op, BinaryOp::And | BinaryOp::Or) {
            return self.bind_logic(op, op_span, left, right, span);
        }
        if matches!(super::unwrapped(left).kind, ast::ExprKind::Star) {
            return self.bind_any_column(op, op_span, right, span);
        }
        let left = self.scalar(left);
        let right = self.scalar(right);
        self.combine(op, op_span, left, right, span)
    }

    /// Checks the types of a binary operator over bound operands and builds it.
    pub(crate) fn combine(&mut self, op: BinaryOp, op_span: Span, left: Expr, right: Expr, span: Span) -> Expr {
        use BinaryOp::*;
        let text = match op {
            Add | Sub | Mul | Div | Mod => return self.bind_arithmetic(op, op_span, left, right, span),
            Lt | Le | Gt | Ge => {
                if !types::ordered(left.ty, right.ty) {
                    return self.undefined(op.symbol(), op_span, &[left.ty, right.ty], ScalarType::Bool, span);
                }
                false
            }
            Eq | Ne => false,
            _ => true,
        };
        if text {
            let dynamic_right = !matches!(
                op,
                Has | NotHas
                    | HasCs
                    | NotHasCs
                    | HasPrefix
                    | NotHasPrefix
                    | HasPrefixCs
                    | NotHasPrefixCs
                    | HasSuffix
                    | NotHasSuffix
                    | HasSuffixCs
                    | NotHasSuffixCs
            );
            if !types::is_text(left.ty) {
                return self.undefined(op.symbol(), op_span, &[left.ty, right.ty], ScalarType::Bool, span);
            }
            if !types::is_text(right.ty) {
                let wanted = if dynamic_right { "string or dynamic" } else { "string" };
                self.error("KS107", right.span, format!("A value of type {wanted} expected."));
                return Expr { ty: ScalarType::Bool, ..self.error_expr(span) };
            }
            if right.ty == ScalarType::Dynamic && !dynamic_right {
                let help = format!("the dynamic value is read as text; for one of several use '{}_any'", op.symbol());
                self.kindness("KS107", right.span, "A value of type string expected.", help);
            }
        }
        self.record_comparison(op.symbol(), &left, std::slice::from_ref(&right));
        let (left, right) = self.same_number(left, right);
        self.operator_call(op.symbol(), vec![left, right], ScalarType::Bool, span)
    }

    fn bind_arithmetic(&mut self, op: BinaryOp, op_span: Span, left: Expr, right: Expr, span: Span) -> Expr {
        let Some(ty) = types::arithmetic(op, left.ty, right.ty) else {
            return self.undefined(op.symbol(), op_span, &[left.ty, right.ty], ScalarType::Unknown, span);
        };
        if ty == ScalarType::Unknown {
            return self.error_or_unknown(op.symbol(), left, right, span);
        }
        if let (ExprKind::Literal(a), ExprKind::Literal(b)) = (&left.kind, &right.kind)
            && let Some(value) = fold::arithmetic(op, a, b, ty)
        {
            return literal(value, span);
        }
        let (left, right) = if ty.is_number() && left.ty.is_number() && right.ty.is_number() {
            (self.convert(left, ty), self.convert(right, ty))
        } else {
            (left, right)
        };
        self.operator_call(op.symbol(), vec![left, right], ty, span)
    }

    /// Arithmetic over something of unknown type: an error stays one, a column known only at run time stays unknown.
    fn error_or_unknown(&mut self, symbol: &str, left: Expr, right: Expr, span: Span) -> Expr {
        if matches!(left.kind, ExprKind::Error) || matches!(right.kind, ExprKind::Error) {
            return self.error_expr(span);
        }
        self.operator_call(symbol, vec![left, right], ScalarType::Unknown, span)
    }

    /// Two numbers as one type, so that they compare as such.
    pub(crate) fn same_number(&mut self, left: Expr, right: Expr) -> (Expr, Expr) {
        if left.ty != right.ty && left.ty.is_number() && right.ty.is_number() {
            let ty = types::widest(left.ty, right.ty);
            return (self.convert(left, ty), self.convert(right, ty));
        }
        (left, right)
    }

    /// A call of an operator's registry entry, with the conversions that its overloads ask for.
    pub(crate) fn operator_call(&mut self, symbol: &str, args: Vec<Expr>, ty: ScalarType, span: Span) -> Expr {
        let Some(function) = kql_functions::operator(symbol) else {
            self.unsupported(symbol, span);
            return Expr { kind: ExprKind::Error, ty, span };
        };
        let args = self.converted_if_fitting(function.overloads, args);
        Expr { kind: ExprKind::Call { function, args }, ty, span }
    }

    /// KS106.
    fn undefined(&mut self, symbol: &str, op_span: Span, types: &[ScalarType], result: ScalarType, span: Span) -> Expr {
        if !types.contains(&ScalarType::Unknown) {
            let names: Vec<&str> = types.iter().map(|ty| ty.name()).collect();
            let list = match names.split_last() {
                Some((last, [])) => (*last).to_string(),
                Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
                None => String::new(),
            };
            let message = format!("The operator '{symbol}' is not defined for the operand types {list}.");
            self.error("KS106", op_span, message);
        }
        Expr { ty: result, ..self.error_expr(span) }
    }

    /// `a and b and c` as one flat list, without recursion along the chain.
    fn bind_logic(&mut self, op: BinaryOp, op_span: Span, left: &ast::Expr, right: &ast::Expr, span: Span) -> Expr {
        let mut written = vec![(right, op_span)];
        let mut rest = left;
        while let ast::ExprKind::Binary { op: inner, op_span, left, right } = &rest.kind
            && *inner == op
        {
            written.push((right, *op_span));
            rest = left;
        }
        written.push((rest, op_span));
        let mut operands = Vec::new();
        let mut previous = ScalarType::Bool;
        for (expr, op_span) in written.into_iter().rev() {
            let bound = self.scalar(expr);
            match bound.ty {
                ScalarType::Bool | ScalarType::Unknown => {}
                ScalarType::Dynamic => {}
                other => {
                    self.undefined(op.symbol(), op_span, &[previous, other], ScalarType::Bool, span);
                    continue;
                }
            }
            previous = ScalarType::Bool;
            match (op, self.convert(bound, ScalarType::Bool)) {
                (BinaryOp::And, Expr { kind: ExprKind::And(inner), .. })
                | (BinaryOp::Or, Expr { kind: ExprKind::Or(inner), .. }) => operands.extend(inner),
                (_, other) => operands.push(other),
            }
        }
        let kind = if op == BinaryOp::And { ExprKind::And(operands) } else { ExprKind::Or(operands) };
        bool_expr(kind, span)
    }

    /// `* has "x"`: any column that holds text.
    fn bind_any_column(&mut self, op: BinaryOp, op_span: Span, right: &ast::Expr, span: Span) -> Expr {
        let right = self.scalar(right);
        let columns = self.row.as_ref().map(|row| row.columns.clone()).unwrap_or_default();
        let text = !matches!(op, BinaryOp::Eq | BinaryOp::Ne);
        let mut any = Vec::new();
        for column in columns {
            let fits =
                matches!(column.ty, ScalarType::String | ScalarType::Dynamic) || (!text && column.ty == right.ty);
            if fits {
                let left = crate::binder::column_expr(&column, span);
                any.push(self.combine(op, op_span, left, right.clone(), span));
            }
        }
        bool_expr(ExprKind::Or(any), span)
    }

    pub(super) fn bind_between(
        &mut self,
        negated: bool,
        op_span: Span,
        value: &ast::Expr,
        low: &ast::Expr,
        high: &ast::Expr,
        span: Span,
    ) -> Expr {
        let value = self.scalar(value);
        let low = self.scalar(low);
        let high = self.scalar(high);
        let symbol = if negated { "!between" } else { "between" };
        if !types::between(value.ty, low.ty, high.ty) {
            return self.undefined(symbol, op_span, &[value.ty, low.ty, high.ty], ScalarType::Bool, span);
        }
        // `t between (a .. 1h)` ends 1h after a.
        let high = if value.ty == ScalarType::DateTime && high.ty == ScalarType::TimeSpan {
            self.bind_arithmetic(BinaryOp::Add, op_span, low.clone(), high, span)
        } else {
            high
        };
        let at_least = self.combine(BinaryOp::Ge, op_span, value.clone(), low, span);
        let at_most = self.combine(BinaryOp::Le, op_span, value, high, span);
        let inside = bool_expr(ExprKind::And(vec![at_least, at_most]), span);
        if negated { self.negate(inside) } else { inside }
    }
}

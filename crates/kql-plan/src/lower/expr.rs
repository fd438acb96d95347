//! Scalar expressions.
//!
//! Every value follows Kusto's null rules: registry kernels give them, and DataFusion's own operators are used only
//! where they agree (see `native`). A condition may treat null as false, which allows more of them.

use datafusion_common::ScalarValue;
use datafusion_expr::expr::{Case, Cast, InList};
use datafusion_expr::{Expr as PlanExpr, Operator, binary_expr, lit};
use kql_functions::{Function, Kind};
use kql_semantics::bound::{Expr, ExprKind, PathStep};
use kql_types::{ScalarType, Span, Value};

use crate::error::{KernelFailure, LowerError, LowerResult};
use crate::function::internal::non_null;
use crate::function::scalar::{KqlFunction, fold};
use crate::lower::{Lowered, Lowering, column, column_name, native};
use crate::value::{arrow_type, scalar};

/// More literals than this on the right of `in` are looked up in one set.
const OR_CHAIN_MAX: usize = 3;

impl Lowering<'_> {
    /// An expression as a value.
    pub(crate) fn expr(&mut self, input: &Lowered, expr: &Expr) -> LowerResult<PlanExpr> {
        match &expr.kind {
            ExprKind::Literal(value) => Ok(literal(value, expr.ty)),
            ExprKind::Column(id) => Ok(column(&column_name(*id))),
            ExprKind::Call { function, args } => {
                if let Some(native) = native::value(self, input, function, args)? {
                    return Ok(native);
                }
                if let (true, [only]) = (converts(function.name, expr.ty), args.as_slice())
                    && let ExprKind::Path { base, steps } = &only.kind
                {
                    return self.path(input, base, steps, expr.ty, expr.span);
                }
                self.call(input, function, args, expr.ty, expr.span)
            }
            ExprKind::And(items) => self.junction(input, items, Operator::And, Lowering::expr),
            ExprKind::Or(items) => self.junction(input, items, Operator::Or, Lowering::expr),
            ExprKind::Not(inner) => Ok(negated(self.expr(input, inner)?)),
            ExprKind::Case { branches, otherwise } => self.case(input, branches, otherwise, expr.ty),
            ExprKind::Coalesce(items) => self.coalesce(input, items, expr.ty),
            ExprKind::Convert(inner) => self.convert(input, inner, expr.ty, expr.span),
            ExprKind::Path { base, steps } => self.path(input, base, steps, ScalarType::Dynamic, expr.span),
            ExprKind::In { value, items, case_insensitive, negated } => {
                let found = self.in_list(input, value, items, *case_insensitive, *negated, expr.span)?;
                // A null is in no list, where DataFusion would answer null.
                Ok(match found {
                    PlanExpr::InList(_) if value.ty != ScalarType::String => PlanExpr::IsTrue(Box::new(found)),
                    _ => found,
                })
            }
            ExprKind::IngestionTime => match &input.hidden.ingestion {
                Some(name) => Ok(column(name)),
                None => Ok(literal(&Value::Null(ScalarType::DateTime), ScalarType::DateTime)),
            },
            ExprKind::InRel { .. } | ExprKind::HasRel { .. } | ExprKind::Scalar(_) => {
                Err(LowerError::bug("a subquery was not evaluated before its query"))
            }
            ExprKind::Window { function, .. } => {
                Err(LowerError::unsupported(format!("{} in this place", function.name), expr.span))
            }
            ExprKind::ScanState { .. } => Err(LowerError::bug("the state of a scan step outside scan")),
            ExprKind::Error => Err(LowerError::bug("an erroneous expression was not reported")),
        }
    }

    /// An expression that only decides whether a row stays: null counts as false.
    pub(crate) fn condition(&mut self, input: &Lowered, expr: &Expr) -> LowerResult<PlanExpr> {
        match &expr.kind {
            ExprKind::And(items) => self.junction(input, items, Operator::And, Lowering::condition),
            ExprKind::Or(items) => self.junction(input, items, Operator::Or, Lowering::condition),
            ExprKind::Call { function, args } => match native::condition(self, input, function, args)? {
                Some(native) => Ok(native),
                None => self.expr(input, expr),
            },
            ExprKind::In { value, items, case_insensitive, negated } => {
                self.in_list(input, value, items, *case_insensitive, *negated, expr.span)
            }
            _ => self.expr(input, expr),
        }
    }

    /// `and` and `or` of many operands as a balanced tree: a chain of thousands stays shallow.
    fn junction(
        &mut self,
        input: &Lowered,
        items: &[Expr],
        op: Operator,
        each: fn(&mut Self, &Lowered, &Expr) -> LowerResult<PlanExpr>,
    ) -> LowerResult<PlanExpr> {
        let absorbing = op == Operator::Or;
        let mut operands = Vec::with_capacity(items.len());
        for item in items {
            match each(self, input, item)? {
                PlanExpr::Literal(ScalarValue::Boolean(Some(value)), _) if value == absorbing => {
                    return Ok(lit(absorbing));
                }
                PlanExpr::Literal(ScalarValue::Boolean(Some(_)), _) => {}
                operand => operands.push(operand),
            }
        }
        Ok(balanced(operands, op).unwrap_or_else(|| lit(!absorbing)))
    }

    /// A call through the registry's kernel, at once when all arguments are constant.
    pub(crate) fn call(
        &mut self,
        input: &Lowered,
        function: &'static Function,
        args: &[Expr],
        returns: ScalarType,
        span: Span,
    ) -> LowerResult<PlanExpr> {
        let types = args.iter().map(|arg| arg.ty).collect();
        let args = args.iter().map(|arg| self.expr(input, arg)).collect::<LowerResult<Vec<_>>>()?;
        self.call_lowered(function, args, types, returns, span)
    }

    /// As [`Lowering::call`] with arguments that are lowered already.
    pub(crate) fn call_lowered(
        &mut self,
        function: &'static Function,
        args: Vec<PlanExpr>,
        types: Vec<ScalarType>,
        returns: ScalarType,
        span: Span,
    ) -> LowerResult<PlanExpr> {
        if function.kernel.is_none() {
            return Err(LowerError::unsupported(function.name, span));
        }
        let call = KqlFunction::new(function, types, returns);
        let constants: Option<Vec<ScalarValue>> = args
            .iter()
            .map(|arg| match arg {
                PlanExpr::Literal(value, _) => Some(value.clone()),
                _ => None,
            })
            .collect();
        match constants {
            Some(constants) if function.kind != Kind::Volatile => {
                let value = fold(&call, &constants).map_err(|error| constant_error(error, span))?;
                Ok(PlanExpr::Literal(value, None))
            }
            _ => Ok(call.call(args)),
        }
    }

    /// A registry function by name, for conversions and the like.
    pub(crate) fn call_named(
        &mut self,
        name: &str,
        args: Vec<PlanExpr>,
        types: Vec<ScalarType>,
        returns: ScalarType,
        span: Span,
    ) -> LowerResult<PlanExpr> {
        let function = kql_functions::function(name).or_else(|| kql_functions::operator(name));
        let Some(function) = function else { return Err(LowerError::unsupported(name, span)) };
        self.call_lowered(function, args, types, returns, span)
    }

    fn case(
        &mut self,
        input: &Lowered,
        branches: &[(Expr, Expr)],
        otherwise: &Expr,
        ty: ScalarType,
    ) -> LowerResult<PlanExpr> {
        let mut when = Vec::with_capacity(branches.len());
        let mut last = None;
        for (condition, value) in branches {
            match self.condition(input, condition)? {
                PlanExpr::Literal(ScalarValue::Boolean(Some(true)), _) => {
                    last = Some(self.expr(input, value)?);
                    break;
                }
                PlanExpr::Literal(ScalarValue::Boolean(_), _) => {}
                condition => when.push((Box::new(condition), Box::new(self.expr(input, value)?))),
            }
        }
        let otherwise = match last {
            Some(value) => value,
            None => self.expr(input, otherwise)?,
        };
        if when.is_empty() {
            return Ok(otherwise);
        }
        let otherwise = typed(otherwise, ty);
        let when = when.into_iter().map(|(c, v)| (c, Box::new(typed(*v, ty)))).collect();
        Ok(PlanExpr::Case(Case { expr: None, when_then_expr: when, else_expr: Some(Box::new(otherwise)) }))
    }

    /// The first value that is not null, for strings not empty.
    fn coalesce(&mut self, input: &Lowered, items: &[Expr], ty: ScalarType) -> LowerResult<PlanExpr> {
        let mut values = items.iter().map(|item| self.expr(input, item)).collect::<LowerResult<Vec<_>>>()?;
        let Some(otherwise) = values.pop() else { return Ok(literal(&Value::missing(ty), ty)) };
        let mut when: Vec<(Box<PlanExpr>, Box<PlanExpr>)> = Vec::new();
        for value in values {
            if let PlanExpr::Literal(constant, _) = &value {
                let missing = constant.is_null()
                    || matches!(constant, ScalarValue::Utf8View(Some(s)) if ty == ScalarType::String && s.is_empty());
                if missing {
                    continue;
                }
                return Ok(chosen(when, value));
            }
            let present = if ty == ScalarType::String {
                binary_expr(value.clone(), Operator::NotEq, lit(ScalarValue::Utf8View(Some(String::new()))))
            } else {
                PlanExpr::IsNotNull(Box::new(value.clone()))
            };
            when.push((Box::new(present), Box::new(value)));
        }
        Ok(chosen(when, otherwise))
    }

    fn convert(&mut self, input: &Lowered, inner: &Expr, to: ScalarType, span: Span) -> LowerResult<PlanExpr> {
        use ScalarType::*;
        if let (ExprKind::Path { base, steps }, Bool | Int | Long | Real | DateTime | TimeSpan | String) =
            (&inner.kind, to)
        {
            return self.path(input, base, steps, to, span);
        }
        let value = self.expr(input, inner)?;
        if inner.ty == to {
            return Ok(value);
        }
        match (inner.ty, to) {
            // A column known only at run time, or nothing at all.
            (Unknown, _) if matches!(&value, PlanExpr::Literal(constant, _) if constant.is_null()) => {
                return Ok(literal(&Value::missing(to), to));
            }
            (Int, Long | Real) | (Long, Real) => {
                if let PlanExpr::Literal(constant, _) = &value {
                    return Ok(PlanExpr::Literal(constant.cast_to(&arrow_type(to))?, None));
                }
                return Ok(PlanExpr::Cast(Cast::new(Box::new(value), arrow_type(to))));
            }
            (Guid, Dynamic) | (_, Unknown) => {}
            _ => {}
        }
        let name = match to {
            Bool => "tobool",
            Int => "toint",
            Long => "tolong",
            Real => "toreal",
            Decimal => "todecimal",
            DateTime => "todatetime",
            TimeSpan => "totimespan",
            Guid => "toguid",
            String => "tostring",
            // Not `todynamic`, which reads JSON.
            Dynamic => "convert",
            Unknown => return Ok(value),
        };
        self.call_named(name, vec![value], vec![inner.ty], to, span)
    }

    /// A path, read straight as the type that is asked for. `parse_json(text).a` reads the text without parsing it.
    fn path(
        &mut self,
        input: &Lowered,
        base: &Expr,
        steps: &[PathStep],
        returns: ScalarType,
        span: Span,
    ) -> LowerResult<PlanExpr> {
        let base = match &base.kind {
            ExprKind::Call { function, args } if matches!(function.name, "parse_json" | "todynamic" | "parsejson") => {
                match args.as_slice() {
                    [text] if text.ty == ScalarType::String => text,
                    _ => base,
                }
            }
            _ => base,
        };
        let mut types = vec![base.ty];
        let mut args = vec![self.expr(input, base)?];
        for step in steps {
            let (arg, ty) = match step {
                PathStep::Key(key) => (literal(&Value::String(key.clone()), ScalarType::String), ScalarType::String),
                PathStep::Index(index) => (lit(*index), ScalarType::Long),
                PathStep::Computed(inner) => (self.expr(input, inner)?, inner.ty),
            };
            args.push(arg);
            types.push(ty);
        }
        self.call_named("path", args, types, returns, span)
    }

    fn in_list(
        &mut self,
        input: &Lowered,
        value: &Expr,
        items: &[Expr],
        case_insensitive: bool,
        negate: bool,
        span: Span,
    ) -> LowerResult<PlanExpr> {
        if items.is_empty() {
            return Ok(lit(negate));
        }
        let lowered = self.expr(input, value)?;
        let list = items.iter().map(|item| self.expr(input, item)).collect::<LowerResult<Vec<_>>>()?;
        let same = items.iter().all(|item| item.ty == value.ty);
        // A null is in no list: `print long(null) in (1, 2)` is false.
        let found = if case_insensitive {
            self.in_ignoring_case(lowered, list, items, value.ty, span)?
        } else if same && !matches!(value.ty, ScalarType::Real | ScalarType::Dynamic) {
            let list: Vec<PlanExpr> = list.into_iter().filter(|item| !is_null(item)).collect();
            if list.is_empty() {
                return Ok(lit(negate));
            }
            if let PlanExpr::Literal(constant, _) = &lowered {
                let found = list.iter().any(|item| matches!(item, PlanExpr::Literal(item, _) if item == constant));
                return Ok(lit(found != negate));
            }
            PlanExpr::InList(InList { expr: Box::new(lowered), list, negated: false })
        } else {
            let mut any = Vec::with_capacity(list.len());
            for (item, bound) in list.into_iter().zip(items) {
                let types = vec![value.ty, bound.ty];
                any.push(self.call_named("==", vec![lowered.clone(), item], types, ScalarType::Bool, span)?);
            }
            balanced(any, Operator::Or).unwrap_or_else(|| lit(false))
        };
        if !negate {
            return Ok(found);
        }
        Ok(match found {
            PlanExpr::InList(list) if value.ty == ScalarType::String => {
                PlanExpr::InList(InList { negated: true, ..list })
            }
            other => PlanExpr::IsNotTrue(Box::new(other)),
        })
    }

    fn in_ignoring_case(
        &mut self,
        value: PlanExpr,
        list: Vec<PlanExpr>,
        items: &[Expr],
        ty: ScalarType,
        span: Span,
    ) -> LowerResult<PlanExpr> {
        // Only `in~` itself reads a dynamic value as text.
        let dynamic = ty == ScalarType::Dynamic || items.iter().any(|item| item.ty == ScalarType::Dynamic);
        if list.len() > OR_CHAIN_MAX || dynamic {
            let types = std::iter::once(ty).chain(items.iter().map(|item| item.ty)).collect();
            let args = std::iter::once(value).chain(list).collect();
            return self.call_named("in~", args, types, ScalarType::Bool, span);
        }
        let mut any = Vec::with_capacity(list.len());
        for (item, bound) in list.into_iter().zip(items) {
            any.push(self.call_named("=~", vec![value.clone(), item], vec![ty, bound.ty], ScalarType::Bool, span)?);
        }
        Ok(balanced(any, Operator::Or).unwrap_or_else(|| lit(false)))
    }
}

/// Whether a call of one argument reads a dynamic value as `returns`, as a path can do by itself.
fn converts(name: &str, returns: ScalarType) -> bool {
    match returns {
        ScalarType::String => name == "tostring",
        ScalarType::Long => name == "tolong",
        ScalarType::Int => name == "toint",
        ScalarType::Real => matches!(name, "todouble" | "toreal"),
        ScalarType::Bool => matches!(name, "tobool" | "toboolean"),
        ScalarType::DateTime => name == "todatetime",
        ScalarType::TimeSpan => name == "totimespan",
        _ => false,
    }
}

/// A Kusto literal; a null of an unknown type takes the layout of `ty`.
pub(crate) fn literal(value: &Value, ty: ScalarType) -> PlanExpr {
    let value = match value {
        Value::Null(ScalarType::Unknown) => scalar(&Value::missing(ty)),
        other => scalar(other),
    };
    PlanExpr::Literal(value, None)
}

fn is_null(expr: &PlanExpr) -> bool {
    matches!(expr, PlanExpr::Literal(value, _) if value.is_null())
}

/// A null literal in the layout of the type; anything else as it is.
fn typed(expr: PlanExpr, ty: ScalarType) -> PlanExpr {
    match &expr {
        PlanExpr::Literal(value, _) if value.is_null() => literal(&Value::missing(ty), ty),
        PlanExpr::Literal(_, _) | PlanExpr::Column(_) => expr,
        _ => expr,
    }
}

fn chosen(when: Vec<(Box<PlanExpr>, Box<PlanExpr>)>, otherwise: PlanExpr) -> PlanExpr {
    if when.is_empty() {
        return otherwise;
    }
    PlanExpr::Case(Case { expr: None, when_then_expr: when, else_expr: Some(Box::new(otherwise)) })
}

fn negated(expr: PlanExpr) -> PlanExpr {
    match expr {
        PlanExpr::Literal(ScalarValue::Boolean(value), _) => lit(ScalarValue::Boolean(value.map(|value| !value))),
        other => PlanExpr::Not(Box::new(other)),
    }
}

/// Operands joined by `op` as a balanced tree; None without operands.
pub(crate) fn balanced(mut operands: Vec<PlanExpr>, op: Operator) -> Option<PlanExpr> {
    while operands.len() > 1 {
        let mut next = Vec::with_capacity(operands.len().div_ceil(2));
        let mut rest = operands.into_iter();
        while let Some(left) = rest.next() {
            next.push(match rest.next() {
                Some(right) => binary_expr(left, op, right),
                None => left,
            });
        }
        operands = next;
    }
    operands.pop()
}

/// A column that an outer join or another step may have made null, as Kusto shows it.
pub(crate) fn present(expr: PlanExpr, ty: ScalarType) -> PlanExpr {
    if ty == ScalarType::String { non_null(expr) } else { expr }
}

fn constant_error(error: datafusion_common::DataFusionError, span: Span) -> LowerError {
    match &error {
        datafusion_common::DataFusionError::External(inner) => match inner.downcast_ref::<KernelFailure>() {
            Some(failure) if failure.limit().is_none() => LowerError::Constant { message: failure.0.clone(), span },
            _ => LowerError::Plan(error),
        },
        _ => LowerError::Plan(error),
    }
}

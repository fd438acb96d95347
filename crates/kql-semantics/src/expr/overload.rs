//! Chooses the overload of a call and converts its arguments, from the signatures of the registry alone.
//!
//! The first overload that fits without conversions wins, then the first that fits with silent ones. When none fits,
//! the diagnostic is the official one for the parameter that refuses. Start at [`Binder::resolve_call`].

use kql_types::{Overload, Param, ParamType, Return, ScalarType, Span, Value};

use super::types::{common, common_value, is_orderable, is_summable, promotes};
use crate::binder::Binder;
use crate::bound::{Expr, ExprKind};

/// How well an argument suits a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Exact,
    /// Passed or converted silently.
    Converts,
    No,
}

fn fit(param: &Param, ty: ScalarType) -> Fit {
    use ScalarType::*;
    if ty == Unknown {
        return Fit::Exact;
    }
    let when = |yes: bool| if yes { Fit::Exact } else { Fit::No };
    match param.ty {
        ParamType::Any => Fit::Exact,
        ParamType::Type(wanted) if wanted == ty => Fit::Exact,
        ParamType::Type(wanted) if promotes(ty, wanted) => Fit::Converts,
        ParamType::Type(_) => Fit::No,
        ParamType::StringOrDynamic => when(matches!(ty, String | Dynamic)),
        ParamType::TextLike => match ty {
            String => Fit::Exact,
            Dynamic => Fit::Converts,
            _ => Fit::No,
        },
        ParamType::Integer => match ty {
            Long => Fit::Exact,
            Int => Fit::Converts,
            _ => Fit::No,
        },
        ParamType::Number => when(ty.is_number()),
        ParamType::Summable => when(is_summable(ty)),
        ParamType::Orderable => when(is_orderable(ty)),
        ParamType::Common => Fit::Exact,
        ParamType::Dynamic => when(ty == Dynamic),
        ParamType::Table => Fit::No,
    }
}

/// The parameter of each argument; None when there are too many or too few.
pub(crate) fn assign(params: &'static [Param], count: usize) -> Option<Vec<&'static Param>> {
    let required = params.iter().filter(|p| !p.optional).count();
    if count < required {
        return None;
    }
    let repeated: Vec<&Param> = params.iter().filter(|p| p.repeat).collect();
    let fixed = params.len() - repeated.len();
    if count > fixed && repeated.is_empty() {
        return None;
    }
    Some(
        (0..count)
            .map(|i| if i < fixed || repeated.is_empty() { &params[i] } else { repeated[(i - fixed) % repeated.len()] })
            .collect(),
    )
}

/// The greatest number of arguments; None when there is no bound.
fn most(overload: &Overload) -> Option<usize> {
    if overload.params.iter().any(|p| p.repeat) { None } else { Some(overload.params.len()) }
}

fn least(overload: &Overload) -> usize {
    overload.params.iter().filter(|p| !p.optional).count()
}

/// An overload with its arguments converted.
pub(crate) struct Resolved {
    pub overload: &'static Overload,
    pub args: Vec<Expr>,
    pub ty: ScalarType,
}

/// The best overload with the parameter of each argument.
fn choose(overloads: &'static [Overload], args: &[Expr]) -> Option<(&'static Overload, Vec<&'static Param>)> {
    let mut best: Option<(Fit, &'static Overload, Vec<&'static Param>)> = None;
    for overload in overloads {
        let Some(params) = assign(overload.params, args.len()) else { continue };
        let mut worst = params.iter().zip(args).map(|(param, arg)| fit(param, arg.ty)).max().unwrap_or(Fit::Exact);
        if worst != Fit::No && common_of(&params, args).is_none() {
            worst = Fit::No;
        }
        if worst != Fit::No && best.as_ref().is_none_or(|(fit, _, _)| worst < *fit) {
            best = Some((worst, overload, params));
        }
    }
    best.map(|(_, overload, params)| (overload, params))
}

impl Binder<'_> {
    /// Chooses an overload for bound arguments. None after a report (or when an argument was already reported and no
    /// choice is possible).
    pub(crate) fn resolve_call(
        &mut self,
        name: &str,
        name_span: Span,
        overloads: &'static [Overload],
        args: Vec<Expr>,
    ) -> Option<Resolved> {
        let Some((overload, params)) = choose(overloads, &args) else {
            self.report_misfit(name, name_span, overloads, &args);
            return None;
        };
        for (param, arg) in params.iter().zip(&args) {
            if param.constant {
                self.check_constant(arg);
            }
        }
        let converted = self.convert_args(&params, args);
        let ty = return_type(&overload.returns, &params, &converted);
        Some(Resolved { overload, args: converted, ty })
    }

    /// Converts arguments to the overload that fits; leaves them alone where none does.
    pub(crate) fn converted_if_fitting(&mut self, overloads: &'static [Overload], args: Vec<Expr>) -> Vec<Expr> {
        match choose(overloads, &args) {
            Some((_, params)) => self.convert_args(&params, args),
            None => args,
        }
    }

    fn convert_args(&mut self, params: &[&'static Param], args: Vec<Expr>) -> Vec<Expr> {
        let target = common_of(params, &args).flatten();
        let mut converted = Vec::with_capacity(args.len());
        for (param, arg) in params.iter().zip(args) {
            converted.push(match param.ty {
                ParamType::Type(ty) => self.convert(arg, ty),
                ParamType::TextLike => self.convert(arg, ScalarType::String),
                ParamType::Integer => self.convert(arg, ScalarType::Long),
                ParamType::Common => match target {
                    Some(ty) => self.convert(arg, ty),
                    None => arg,
                },
                _ => arg,
            });
        }
        converted
    }

    /// A constant parameter takes anything that does not depend on the row.
    fn check_constant(&mut self, arg: &Expr) {
        if !self.declaring && !is_constant(arg) {
            self.error("KS129", arg.span, "The expression must be a constant.");
        }
    }

    fn report_misfit(&mut self, name: &str, name_span: Span, overloads: &'static [Overload], args: &[Expr]) {
        let by_count: Vec<&Overload> =
            overloads.iter().filter(|overload| assign(overload.params, args.len()).is_some()).collect();
        match by_count.as_slice() {
            [] => self.report_count(name, name_span, overloads),
            [only] => {
                let params = assign(only.params, args.len()).unwrap_or_default();
                let mut found = false;
                for (param, arg) in params.iter().zip(args) {
                    if fit(param, arg.ty) == Fit::No {
                        let (code, message) = refusal(param);
                        self.error(code, arg.span, message);
                        found = true;
                    }
                }
                if !found {
                    self.report_incompatible(name, name_span, args);
                }
            }
            _ if args.iter().any(|arg| arg.ty == ScalarType::Unknown) => {}
            _ => self.report_incompatible(name, name_span, args),
        }
    }

    fn report_incompatible(&mut self, name: &str, name_span: Span, args: &[Expr]) {
        let types: Vec<&str> = args.iter().map(|arg| arg.ty.name()).collect();
        let message = format!("The function '{name}' is not compatible with arguments ({})", types.join(", "));
        self.error("KS127", name_span, message);
    }

    fn report_count(&mut self, name: &str, name_span: Span, overloads: &'static [Overload]) {
        let least = overloads.iter().map(least).min().unwrap_or(0);
        let most = overloads.iter().map(most).max_by_key(|m| m.unwrap_or(usize::MAX)).flatten();
        self.report_argument_count(name, name_span, least, most);
    }

    /// KS119 or KS120, by the numbers of arguments a function takes.
    pub(crate) fn report_argument_count(&mut self, name: &str, span: Span, least: usize, most: Option<usize>) {
        match most {
            Some(0) => self.error("KS119", span, format!("The function '{name}' expects no arguments.")),
            Some(1) if least == 1 => self.error("KS119", span, format!("The function '{name}' expects 1 argument.")),
            Some(most) if least == most => {
                self.error("KS119", span, format!("The function '{name}' expects {most} arguments."));
            }
            _ => {
                let most = most.map_or("any number of".to_string(), |most| most.to_string());
                let message = format!("The function '{name}' expects between {least} and {most} arguments.");
                self.error("KS120", span, message);
            }
        }
    }
}

/// The common type of the arguments that must share one: None when there is none, `Some(None)` when no parameter asks.
fn common_of(params: &[&Param], args: &[Expr]) -> Option<Option<ScalarType>> {
    let mut types =
        params.iter().zip(args).filter(|(param, _)| param.ty == ParamType::Common).map(|(_, arg)| arg.ty).peekable();
    if types.peek().is_none() {
        return Some(None);
    }
    common(types).map(Some)
}

fn return_type(returns: &Return, params: &[&Param], args: &[Expr]) -> ScalarType {
    let types: Vec<ScalarType> = args.iter().map(|arg| arg.ty).collect();
    let marked: Vec<ScalarType> = {
        let marked: Vec<ScalarType> =
            params.iter().zip(&types).filter(|(p, _)| p.ty == ParamType::Common).map(|(_, ty)| *ty).collect();
        if marked.is_empty() { types.clone() } else { marked }
    };
    match returns {
        Return::Type(ty) => *ty,
        Return::Argument(index) => types.get(*index).copied().unwrap_or(ScalarType::Unknown),
        Return::Widened(index) => match types.get(*index).copied().unwrap_or(ScalarType::Unknown) {
            ScalarType::Int => ScalarType::Long,
            other => other,
        },
        Return::Common => common(marked).unwrap_or(ScalarType::Unknown),
        Return::CommonNonDynamic => common_value(&marked),
        Return::Custom(f) => f(&types),
        Return::FromConstants(f) => {
            let constants: Vec<Option<&Value>> = args
                .iter()
                .map(|arg| match &arg.kind {
                    ExprKind::Literal(value) => Some(value),
                    _ => None,
                })
                .collect();
            f(&types, &constants)
        }
        Return::Columns(_) | Return::SortedArguments => ScalarType::Dynamic,
    }
}

/// The official refusal of an argument by a parameter.
fn refusal(param: &Param) -> (&'static str, String) {
    match param.ty {
        ParamType::Type(ty) => ("KS107", format!("A value of type {ty} expected.")),
        ParamType::TextLike => ("KS107", "A value of type string expected.".to_string()),
        ParamType::StringOrDynamic => ("KS107", "A value of type string or dynamic expected.".to_string()),
        ParamType::Dynamic => ("KS107", "A value of type dynamic expected.".to_string()),
        ParamType::Integer => ("KS134", "The expression value must be an integer.".to_string()),
        ParamType::Number => ("KS137", "The expression value must be a number.".to_string()),
        ParamType::Summable => {
            ("KS138", "The argument value must be summable: a number, timespan or datetime.".to_string())
        }
        ParamType::Orderable => (
            "KS206",
            "The argument value must be orderable: a number, timespan, datetime, string or boolean.".to_string(),
        ),
        ParamType::Any | ParamType::Common => ("KS108", "Scalar value expected.".to_string()),
        ParamType::Table => ("KS111", "Table expected.".to_string()),
    }
}

/// Whether the value is the same for all rows.
pub(crate) fn is_constant(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Scalar(_) | ExprKind::Error => true,
        ExprKind::Column(_) | ExprKind::IngestionTime | ExprKind::ScanState { .. } | ExprKind::Window { .. } => false,
        ExprKind::Call { args, .. } | ExprKind::And(args) | ExprKind::Or(args) | ExprKind::Coalesce(args) => {
            args.iter().all(is_constant)
        }
        ExprKind::Not(inner) | ExprKind::Convert(inner) => is_constant(inner),
        ExprKind::Case { branches, otherwise } => {
            branches.iter().all(|(c, v)| is_constant(c) && is_constant(v)) && is_constant(otherwise)
        }
        ExprKind::Path { base, .. } => is_constant(base),
        ExprKind::In { value, items, .. } => is_constant(value) && items.iter().all(is_constant),
        ExprKind::InRel { value, .. } | ExprKind::HasRel { value, .. } => is_constant(value),
    }
}

//! Calls that the binder replaces: `iff`, `case`, `coalesce`, `not`, `now`, `ago`, `toscalar`, `column_ifexists`, ...

use kql_syntax::ast::{self, Name};
use kql_types::{ScalarType, Span, Value, datetime};

use super::types::{common, common_value};
use super::{Bound, unwrapped};
use crate::binder::{Binder, Context, bool_expr, column_expr, literal};
use crate::bound::{Expr, ExprKind};

impl Binder<'_> {
    /// The bound form of a call that has one of its own; None for every other function.
    pub(super) fn bind_special(&mut self, name: &Name, args: &[ast::Expr], span: Span) -> Option<Bound> {
        Some(Bound::Scalar(match name.text.as_str() {
            "iff" | "iif" => self.bind_iff(name, args, span),
            "case" => self.bind_case(name, args, span),
            "coalesce" => self.bind_coalesce(name, args, span),
            "not" if args.len() == 1 => {
                let inner = self.condition_or_dynamic(&args[0]);
                let negated = self.negate(inner);
                Expr { span, ..negated }
            }
            "now" | "ago" => self.bind_clock(name, args, span),
            "column_ifexists" | "columnifexists" => self.bind_column_ifexists(name, args, span),
            "arg" | "adx" if !args.is_empty() => {
                args.iter().for_each(|arg| {
                    self.plain_scalar(arg);
                });
                return Some(Bound::Entity(crate::scope::Entity::Elsewhere));
            }
            "iscolumnexists" => self.bind_column_exists(args, span),
            "toscalar" => self.bind_toscalar(args, span),
            "ingestion_time" if args.is_empty() => {
                Expr { kind: ExprKind::IngestionTime, ty: ScalarType::DateTime, span }
            }
            "pack_all" => self.bind_pack_all(args, span),
            "column_names_of" => self.bind_column_names(args, span),
            "todynamic" | "parse_json" | "parsejson" | "toobject" if args.len() == 1 => {
                return self.bind_todynamic(name, args, span);
            }
            "materialize"
            | "table"
            | "database"
            | "cluster"
            | "workspace"
            | "app"
            | "resource"
            | "totable"
            | "external_table"
            | "materialized_view"
            | "view"
            | "stored_query_result"
            | "_GetWatchlist"
            | "_GetWatchlistAlias"
            | "AssignedIPAddresses"
            | "SeenBy" => return self.bind_tabular_call(name, args, span),
            _ => return self.bind_surroundings(name, args, span),
        }))
    }

    fn wrong_count(&mut self, name: &Name, least: usize, most: Option<usize>, span: Span) -> Expr {
        self.report_argument_count(&name.text, name.span, least, most);
        self.error_expr(span)
    }

    /// A bool, or a dynamic read as one.
    fn condition_or_dynamic(&mut self, expr: &ast::Expr) -> Expr {
        let bound = self.scalar(expr);
        match bound.ty {
            ScalarType::Bool | ScalarType::Unknown => bound,
            ScalarType::Dynamic => self.convert(bound, ScalarType::Bool),
            _ => {
                self.error("KS107", expr.span, "A value of type bool expected.");
                Expr { ty: ScalarType::Bool, ..self.error_expr(expr.span) }
            }
        }
    }

    fn bind_iff(&mut self, name: &Name, args: &[ast::Expr], span: Span) -> Expr {
        let [condition, yes, no] = args else { return self.wrong_count(name, 3, Some(3), span) };
        let condition = self.condition_or_dynamic(condition);
        let values = vec![self.scalar(yes), self.scalar(no)];
        self.case_of(vec![condition], values, span)
    }

    fn bind_case(&mut self, name: &Name, args: &[ast::Expr], span: Span) -> Expr {
        if args.len() < 3 || args.len().is_multiple_of(2) {
            return self.wrong_count(name, 3, None, span);
        }
        let mut conditions = Vec::new();
        let mut values = Vec::new();
        for pair in args.chunks(2) {
            match pair {
                [condition, value] => {
                    conditions.push(self.condition_or_dynamic(condition));
                    values.push(self.scalar(value));
                }
                [otherwise] => values.push(self.scalar(otherwise)),
                _ => {}
            }
        }
        self.case_of(conditions, values, span)
    }

    /// One value more than conditions; all become their common type.
    fn case_of(&mut self, conditions: Vec<Expr>, values: Vec<Expr>, span: Span) -> Expr {
        let types: Vec<ScalarType> = values.iter().map(|value| value.ty).collect();
        let ty = common_value(&types);
        let official: Vec<ScalarType> = values.iter().map(|value| self.official_type(value)).collect();
        self.note_official(span, ty, common_value(&official));
        let mut values: Vec<Expr> = values.into_iter().map(|value| self.convert(value, ty)).collect();
        let Some(otherwise) = values.pop() else { return self.error_expr(span) };
        let branches = conditions.into_iter().zip(values).collect();
        Expr { kind: ExprKind::Case { branches, otherwise: Box::new(otherwise) }, ty, span }
    }

    fn bind_coalesce(&mut self, name: &Name, args: &[ast::Expr], span: Span) -> Expr {
        if args.is_empty() {
            return self.wrong_count(name, 1, None, span);
        }
        let values: Vec<Expr> = args.iter().map(|arg| self.scalar(arg)).collect();
        let types: Vec<ScalarType> = values.iter().map(|value| value.ty).collect();
        let Some(shared) = common(types.iter().copied()) else {
            let types: Vec<&str> = values.iter().map(|value| value.ty.name()).collect();
            let message = format!("The function 'coalesce' is not compatible with arguments ({})", types.join(", "));
            self.error("KS127", name.span, message);
            return self.error_expr(span);
        };
        // The official parser wants all dynamic or none; deployed parsers mix them with strings, and mean strings.
        let ty = if shared == ScalarType::Dynamic { common_value(&types) } else { shared };
        if shared == ScalarType::Dynamic && ty != ScalarType::Dynamic {
            for value in values.iter().filter(|value| value.ty != ScalarType::Dynamic) {
                let help = format!("the dynamic arguments are read as {ty}");
                self.kindness("KS141", value.span, "The expression must have the type dynamic.", help);
            }
        }
        let official = common(values.iter().map(|value| self.official_type(value)));
        self.note_official(span, ty, official.unwrap_or(ty));
        let values = values.into_iter().map(|value| self.convert(value, ty)).collect();
        Expr { kind: ExprKind::Coalesce(values), ty, span }
    }

    /// Remembers that the official parser shows the number at hand with another type.
    fn note_official(&mut self, span: Span, ty: ScalarType, official: ScalarType) {
        if ty.is_number() && official.is_number() && official != ty {
            self.retyped.insert(span, official);
        }
    }

    /// `now()`, `now(-1d)`, `ago(1d)`: literals when the offset is one.
    fn bind_clock(&mut self, name: &Name, args: &[ast::Expr], span: Span) -> Expr {
        let ago = name.text == "ago";
        let now = literal(Value::DateTime(self.query_now), span);
        let arg = match args {
            [] if !ago => return now,
            [arg] => self.scalar(arg),
            _ => return self.wrong_count(name, usize::from(ago), Some(1), span),
        };
        match (arg.ty, &arg.kind) {
            (ScalarType::TimeSpan, ExprKind::Literal(Value::TimeSpan(offset))) => {
                let offset = if ago { offset.checked_neg() } else { Some(*offset) };
                let ticks = offset.and_then(|offset| self.query_now.checked_add(offset));
                let value = match ticks {
                    Some(ticks) if (datetime::MIN..=datetime::MAX).contains(&ticks) => Value::DateTime(ticks),
                    _ => Value::Null(ScalarType::DateTime),
                };
                literal(value, span)
            }
            (ScalarType::TimeSpan, _) => {
                let op = if ago { "-" } else { "+" };
                self.operator_call(op, vec![now, arg], ScalarType::DateTime, span)
            }
            (ScalarType::Unknown, _) => Expr { ty: ScalarType::DateTime, ..self.error_expr(span) },
            (ScalarType::Dynamic, _) => {
                let arg = self.convert(arg, ScalarType::TimeSpan);
                let op = if ago { "-" } else { "+" };
                self.operator_call(op, vec![now, arg], ScalarType::DateTime, span)
            }
            _ => {
                self.error("KS107", arg.span, "A value of type timespan expected.");
                Expr { ty: ScalarType::DateTime, ..self.error_expr(span) }
            }
        }
    }

    fn bind_column_ifexists(&mut self, name: &Name, args: &[ast::Expr], span: Span) -> Expr {
        let [column, default] = args else { return self.wrong_count(name, 2, Some(2), span) };
        let column = self.scalar(column);
        let default = self.scalar(default);
        let Some(Value::String(wanted)) = crate::constant::value(&column) else {
            if column.ty != ScalarType::Unknown && !self.declaring {
                self.unsupported("column_ifexists of a computed name", column.span);
            }
            return default;
        };
        match self.row.as_ref().and_then(|row| row.columns.iter().find(|c| *c.name == *wanted)).cloned() {
            // The default decides the type, so that the rest of the query reads the same with and without the column.
            Some(found) => match default.ty {
                ScalarType::String | ScalarType::Dynamic => self.convert(column_expr(&found, span), default.ty),
                ty if ty == found.ty || ty == ScalarType::Unknown => column_expr(&found, span),
                // A number or time stays as it is, lest it lose digits; the official parser shows the default's type.
                ty => {
                    self.retyped.insert(span, ty);
                    let column = column_expr(&found, span);
                    Expr { ty: found.ty, kind: ExprKind::Coalesce(vec![column]), span }
                }
            },
            None => Expr { span, ..default },
        }
    }

    fn bind_column_exists(&mut self, args: &[ast::Expr], span: Span) -> Expr {
        let exists = args.first().is_some_and(|arg| {
            let column = self.scalar(arg);
            matches!(&column.kind, ExprKind::Literal(Value::String(wanted))
                if self.row.as_ref().is_some_and(|row| row.find(wanted).is_some()))
        });
        literal(Value::Bool(exists), span)
    }

    fn bind_toscalar(&mut self, args: &[ast::Expr], span: Span) -> Expr {
        let [arg] = args else {
            self.report_argument_count("toscalar", span, 1, Some(1));
            return self.error_expr(span);
        };
        let bound = self.in_context(Context::Scalar, |b| {
            let row = b.row.take();
            let bound = match &unwrapped(arg).kind {
                ast::ExprKind::Pipe { .. } | ast::ExprKind::Source(_) => Bound::Table(b.table(arg)),
                _ => b.bind(arg),
            };
            b.row = row;
            bound
        });
        match bound {
            Bound::Scalar(expr) => expr,
            Bound::Table(table) => match table.rel.columns.first() {
                Some(column) => Expr { ty: column.ty, kind: ExprKind::Scalar(Box::new(table.rel)), span },
                None => {
                    if !table.open {
                        self.error("KS190", arg.span, "The table has no columns");
                    }
                    self.error_expr(span)
                }
            },
            Bound::Tuple(tuple) => tuple.first(self, span),
            _ => {
                self.error("KS112", arg.span, "A table or scalar value expected.");
                self.error_expr(span)
            }
        }
    }

    /// `pack_all()` is `bag_pack` of every column; `pack_all(true)` leaves out nulls and empty values.
    fn bind_pack_all(&mut self, args: &[ast::Expr], span: Span) -> Expr {
        let row = self.row.as_ref().map(|row| row.columns.clone()).unwrap_or_default();
        let mut packed = Vec::new();
        for column in &row {
            packed.push(literal(Value::String(column.name.to_string()), span));
            packed.push(column_expr(column, span));
        }
        if let Some(arg) = args.first() {
            let ignore = self.plain_scalar(arg);
            match ignore.kind {
                ExprKind::Literal(Value::Bool(false)) => {}
                _ => {
                    if kql_functions::function("pack_all").is_none() {
                        self.unsupported("pack_all(true)", span);
                    }
                    let mut all = vec![ignore];
                    all.append(&mut packed);
                    return self.function_call("pack_all", all, ScalarType::Dynamic, span);
                }
            }
        }
        self.function_call("bag_pack", packed, ScalarType::Dynamic, span)
    }

    fn bind_column_names(&mut self, args: &[ast::Expr], span: Span) -> Expr {
        let Some(arg) = args.first() else {
            self.report_argument_count("column_names_of", span, 1, Some(1));
            return self.error_expr(span);
        };
        let table = self.without_row(|b| b.table(arg));
        let names =
            table.rel.columns.iter().map(|column| kql_types::Dynamic::String(column.name.to_string())).collect();
        literal(Value::Dynamic(kql_types::Dynamic::Array(names)), span)
    }

    /// `todynamic(dynamic)`: the official parser refuses it, the engine passes the value through.
    fn bind_todynamic(&mut self, name: &Name, args: &[ast::Expr], span: Span) -> Option<Bound> {
        let bound = match self.bind(&args[0]) {
            Bound::Scalar(expr) => expr,
            Bound::Tuple(tuple) => tuple.first(self, span),
            _ => return None,
        };
        if bound.ty == ScalarType::Dynamic {
            let refused = self.refuses_dynamic(&name.text);
            if refused {
                self.kindness(
                    "KS107",
                    bound.span,
                    "A value of type string expected.",
                    format!("the value is dynamic already: leave out '{}'", name.text),
                );
            }
            return Some(Bound::Scalar(Expr { span, ..bound }));
        }
        Some(self.call_registered(name, vec![bound], span))
    }

    fn refuses_dynamic(&self, name: &str) -> bool {
        matches!(name, "todynamic" | "toobject")
    }

    pub(crate) fn function_call(&mut self, name: &str, args: Vec<Expr>, ty: ScalarType, span: Span) -> Expr {
        match kql_functions::function(name) {
            Some(function) => Expr { kind: ExprKind::Call { function, args }, ty, span },
            None => {
                self.unsupported(name, span);
                Expr { kind: ExprKind::Error, ty, span }
            }
        }
    }

    /// The type that the official parser has for an expression.
    pub(crate) fn official_type(&self, expr: &Expr) -> ScalarType {
        match &expr.kind {
            ExprKind::Column(id) => self.official_types.get(id).copied().unwrap_or(expr.ty),
            ExprKind::Coalesce(_) | ExprKind::Case { .. } => self.retyped.get(&expr.span).copied().unwrap_or(expr.ty),
            ExprKind::Convert(inner) if inner.ty.is_number() && expr.ty.is_number() => self.official_type(inner),
            // The engine gives a real; the official parser says otherwise of both.
            ExprKind::Call { function, .. } if function.name == "jaccard_index" => ScalarType::Dynamic,
            ExprKind::Call { function, args } if function.name == "round" => match args.first().map(|arg| &arg.kind) {
                Some(ExprKind::Convert(inner)) if matches!(inner.ty, ScalarType::Int | ScalarType::Long) => inner.ty,
                _ => expr.ty,
            },
            _ => expr.ty,
        }
    }

    /// True as an expression.
    pub(crate) fn always(&self, span: Span) -> Expr {
        bool_expr(ExprKind::And(Vec::new()), span)
    }
}

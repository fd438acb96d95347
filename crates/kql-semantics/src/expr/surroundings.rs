//! Calls that ask for the surroundings of a query: its options, its database, its principal, the file of places of
//! addresses; and `bag_pack_columns`, which asks for the names of its arguments.

use kql_syntax::ast::{self, Name};
use kql_types::{ScalarType, Span, Value, datetime};

use super::Bound;
use crate::binder::{Binder, literal};
use crate::bound::{Expr, ExprKind};

/// The name of the one database, and of what stands for its cluster.
const HERE: &str = "tidewatch";

impl Binder<'_> {
    /// The bound form of such a call; None for every other function.
    pub(super) fn bind_surroundings(&mut self, name: &Name, args: &[ast::Expr], span: Span) -> Option<Bound> {
        let value = match (name.text.as_str(), args) {
            ("current_database" | "current_cluster_endpoint", []) => Value::String(HERE.to_string()),
            ("cursor_current" | "current_cursor", []) => Value::String(datetime::format(self.query_now)),
            ("cursor_after" | "cursor_before_or_at", [cursor]) => {
                return Some(Bound::Scalar(self.bind_cursor(name, cursor, span)));
            }
            ("current_principal", []) => Value::String(String::new()),
            ("current_principal_details" | "extent_tags", []) => Value::Null(ScalarType::Dynamic),
            // Rows that are of no extent.
            ("extent_id" | "extentid", []) => Value::Guid("00000000-0000-0000-0000-000000000000".to_string()),
            ("bin_auto", [value]) => return Some(self.bind_bin_auto(name, value, span)),
            ("bag_pack_columns", [_, ..]) => return Some(Bound::Scalar(self.bind_pack_columns(args, span))),
            ("geo_info_from_ip_address", [address]) => return Some(self.bind_geo_info(name, address, span)),
            _ => return None,
        };
        Some(Bound::Scalar(literal(value, span)))
    }

    /// A cursor is a time of ingestion here; the empty one is before all rows.
    fn bind_cursor(&mut self, name: &Name, cursor: &ast::Expr, span: Span) -> Expr {
        let after = name.text == "cursor_after";
        let cursor = self.scalar(cursor);
        if matches!(&cursor.kind, ExprKind::Literal(Value::String(text)) if text.is_empty()) {
            return literal(Value::Bool(after), span);
        }
        let reached = self.convert(cursor, ScalarType::DateTime);
        let taken_in = Expr { kind: ExprKind::IngestionTime, ty: ScalarType::DateTime, span };
        self.operator_call(if after { ">" } else { "<=" }, vec![taken_in, reached], ScalarType::Bool, span)
    }

    /// The last value that the query has set for an option.
    pub(crate) fn set_option(&self, name: &str) -> Option<&Value> {
        self.set_options.iter().rev().find(|(own, _)| own == name).and_then(|(_, value)| value.as_ref())
    }

    /// `bin_auto(x)`: `bin` or `bin_at` with what the options say.
    fn bind_bin_auto(&mut self, name: &Name, value: &ast::Expr, span: Span) -> Bound {
        let value = self.scalar(value);
        let Some(size) = self.set_option("query_bin_auto_size").cloned() else {
            let message = "bin_auto needs a size: 'set query_bin_auto_size = 1h;' before the query.";
            self.error("TW014", span, message);
            return Bound::Scalar(Expr { ty: value.ty, ..self.error_expr(span) });
        };
        let mut args = vec![value, literal(size, span)];
        let function = match self.set_option("query_bin_auto_at").cloned() {
            Some(at) => {
                args.push(literal(at, span));
                "bin_at"
            }
            None => "bin",
        };
        self.call_registered(&Name { text: function.to_string(), ..name.clone() }, args, span)
    }

    /// `bag_pack_columns(a, b)` is `bag_pack('a', a, 'b', b)`.
    fn bind_pack_columns(&mut self, args: &[ast::Expr], span: Span) -> Expr {
        let mut packed = Vec::with_capacity(args.len() * 2);
        for arg in args {
            if matches!(arg.kind, ast::ExprKind::Star) {
                for column in self.row.as_ref().map(|row| row.columns.clone()).unwrap_or_default() {
                    packed.push(literal(Value::String(column.name.to_string()), arg.span));
                    packed.push(crate::binder::column_expr(&column, arg.span));
                }
                continue;
            }
            let value = self.scalar(arg);
            match self.name_of(arg) {
                Some(name) if matches!(value.kind, ExprKind::Column(_)) => {
                    packed.push(literal(Value::String(name), arg.span));
                    packed.push(value);
                }
                _ if matches!(value.kind, ExprKind::Error) => {}
                _ => self.error("KS109", arg.span, "Column name expected."),
            }
        }
        self.function_call("bag_pack", packed, ScalarType::Dynamic, span)
    }

    /// The call with the file of places as a further argument, where there is one.
    fn bind_geo_info(&mut self, name: &Name, address: &ast::Expr, span: Span) -> Bound {
        if self.options.geoip.is_none() {
            self.note_absent("geo_info_from_ip_address()");
        }
        let address = self.scalar(address);
        let mut bound = self.call_registered(name, vec![address], span);
        if let (Some(path), Bound::Scalar(Expr { kind: ExprKind::Call { args, .. }, .. })) =
            (&self.options.geoip, &mut bound)
        {
            args.push(literal(Value::String(path.clone()), span));
        }
        bound
    }
}

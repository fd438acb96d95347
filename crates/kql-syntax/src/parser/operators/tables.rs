//! Tables written in the query: `datatable`, `externaldata`, and sources that the view only names.

use super::super::lists::ListRules;
use super::super::parameters::{Equals, Value};
use super::super::{Parsed, Parser, expr};
use super::{Body, plain};
use crate::ast::{Expr, ExprKind, OperatorKind};
use crate::diagnostics;
use crate::kind::SyntaxKind::*;

impl Parser<'_> {
    /// The source whose keyword stands here.
    pub(in super::super) fn table_source(&mut self) -> Parsed<Expr> {
        let parse: fn(&mut Self) -> Body = match self.kind() {
            DatatableKw => Self::datatable,
            ExternaldataKw | ExternalDataOldKw => Self::externaldata,
            InternalContextualDatatableKw => Self::contextual_datatable,
            MaterializedViewCombineKw => Self::materialized_view_combine,
            InlineExternalTableKw => Self::inline_external_table,
            _ => return None,
        };
        let start = self.position;
        let keyword = self.bump_as_name();
        let (kind, params) = parse(self);
        let operator = self.operator_node(start, keyword, kind, params);
        let span = operator.span;
        Some(self.raise(expr(ExprKind::Source(Box::new(operator)), span)))
    }

    fn datatable(&mut self) -> Body {
        let params = self.parameters(&[], Equals::Required);
        let columns = self.row_schema();
        self.expect(OpenBracket);
        // A comma is allowed at both ends.
        self.eat(Comma);
        let rules = ListRules::COMMON.trailing_comma();
        let values = self.comma_list(rules, Self::literal, Self::missing_value);
        self.expect(CloseBracket);
        (OperatorKind::Datatable { columns, values }, params)
    }

    fn externaldata(&mut self) -> Body {
        let params = self.parameters(&[], Equals::Required);
        let columns = self.row_schema();
        self.expect(OpenBracket);
        let rules = ListRules::COMMON.trailing_comma();
        let uris = self.comma_list(rules, Self::expression, Self::missing_value);
        self.expect(CloseBracket);
        let with = self.with_properties();
        (OperatorKind::ExternalData { columns, uris, with }, params)
    }

    fn contextual_datatable(&mut self) -> Body {
        if self.literal().is_none() {
            let _ = self.unnamed_or_missing();
        }
        self.row_schema();
        plain(OperatorKind::Other)
    }

    /// `materialized-view-combine (name) base (q) delta (q) aggregations (summarize ...)`.
    fn materialized_view_combine(&mut self) -> Body {
        self.expect(OpenParen);
        let _ = self.expression_or_missing();
        self.expect(CloseParen);
        for clause in ["base", "delta", "aggregations"] {
            if self.nth_text(0) != clause {
                self.missing(&format!("{clause} clause"));
                continue;
            }
            self.bump();
            self.expect(OpenParen);
            let _ = self.expression_or_missing();
            self.expect(CloseParen);
        }
        plain(OperatorKind::Other)
    }

    /// `inline_external_table` is also a name; a schema or a kind after it makes it a source.
    pub(in super::super) fn is_inline_external_table(&self) -> bool {
        match self.nth(1) {
            KindKw => self.nth(2) == Equal,
            OpenParen => {
                let inside = (2..).map(|ahead| self.nth(ahead)).find(|k| matches!(k, Colon | CloseParen | End));
                inside == Some(Colon)
            }
            _ => false,
        }
    }

    /// `inline_external_table (schema) kind=storage dataformat=csv (connections) with (...)`: read over, not modelled.
    /// A table that describes itself (`kind=delta`) needs neither a schema nor a format.
    fn inline_external_table(&mut self) -> Body {
        if self.at(OpenParen) {
            self.row_schema();
        }
        let kind = self.parameter_named("kind", Value::Word(&["storage"]));
        let stored = kind.as_ref().is_none_or(|k| matches!(&k.value.kind, ExprKind::Name(n) if n.text == "storage"));
        if kind.is_none() {
            let span = self.missing_node_span();
            self.errors.push(diagnostics::missing_external_table_kind(span));
        }
        if self.eat(PartitionKw).is_some() {
            self.expect(ByKw);
            self.skip_parentheses();
        }
        if self.eat(PathformatKw).is_some() {
            self.expect(Equal);
            self.skip_parentheses();
        }
        if self.eat(DataformatKw).is_some() {
            self.expect(Equal);
            if self.name().is_none() {
                self.missing("name");
            }
        } else if stored {
            let span = self.missing_node_span();
            self.errors.push(diagnostics::missing_data_format(span));
        }
        if self.eat(OpenParen).is_some() {
            let rules = ListRules::COMMON.trailing_comma();
            self.comma_list(rules, Self::expression, Self::missing_value);
            self.expect(CloseParen);
        } else {
            let span = self.missing_node_span();
            self.errors.push(diagnostics::missing_connection_strings(span));
        }
        let params = self.with_properties();
        (OperatorKind::Other, params)
    }

    fn skip_parentheses(&mut self) {
        if self.expect(OpenParen).is_some() {
            self.skip_to_closing_bracket();
            self.expect(CloseParen);
        }
    }
}

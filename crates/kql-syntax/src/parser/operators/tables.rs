//! Tables written in the query: `datatable`, `externaldata`, and sources that the view only names.

use super::super::lists::ListRules;
use super::super::parameters::Equals;
use super::super::{Parsed, Parser, expr};
use super::{Body, plain};
use crate::ast::{Expr, ExprKind, OperatorKind};
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
        let (kind, params) = self.nested(parse, |_| plain(OperatorKind::Other));
        let operator = self.operator_node(start, keyword, kind, params);
        let span = operator.span;
        Some(self.raise(expr(ExprKind::Source(Box::new(operator)), span)))
    }

    fn datatable(&mut self) -> Body {
        let params = self.parameters(&[], Equals::Required);
        let columns = self.row_schema();
        let values = self.bracketed_literals(true);
        (OperatorKind::Datatable { columns, values }, params)
    }

    /// `[literal, literal, ...]`, with a comma allowed at both ends.
    fn bracketed_literals(&mut self, leading_comma: bool) -> Vec<Expr> {
        self.expect(OpenBracket);
        if leading_comma {
            self.eat(Comma);
        }
        let rules = ListRules::COMMON.trailing_comma();
        let values = self.comma_list(rules, |p| p.apart(Self::literal), Self::missing_value);
        self.expect(CloseBracket);
        values
    }

    fn externaldata(&mut self) -> Body {
        let params = self.parameters(&[], Equals::Required);
        let columns = self.row_schema();
        let uris = self.bracketed_literals(false);
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

    /// `inline_external_table (schema) kind=storage ... dataformat=csv (connections) with (...)`: read over, not
    /// modelled.
    fn inline_external_table(&mut self) -> Body {
        self.row_schema();
        self.parameter_named("kind");
        if self.at(PartitionKw) {
            self.bump();
            self.expect(ByKw);
            self.skip_parentheses();
        }
        if self.at(PathformatKw) {
            self.bump();
            self.expect(Equal);
            self.skip_parentheses();
        }
        if self.eat(DataformatKw).is_some() {
            self.expect(Equal);
            if self.name().is_none() {
                self.missing("name");
            }
        } else {
            self.missing("data format");
        }
        if self.at(OpenParen) {
            self.bump();
            let rules = ListRules::COMMON.trailing_comma();
            self.comma_list(rules, |p| p.apart(Self::expression), Self::missing_value);
            self.expect(CloseParen);
        } else {
            self.missing("connection strings");
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

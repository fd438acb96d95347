//! `render`: the chart, and its properties in the new and the old form.

use super::super::Parser;
use super::{Body, plain};
use crate::ast::{Expr, ExprKind, Name, OpParam, OperatorKind};
use crate::kind::SyntaxKind::*;

const CHARTS: &[&str] = &[
    "table",
    "list",
    "barchart",
    "piechart",
    "ladderchart",
    "timechart",
    "linechart",
    "anomalychart",
    "pivotchart",
    "areachart",
    "stackedareachart",
    "scatterchart",
    "timepivot",
    "columnchart",
    "timeline",
    "3Dchart",
    "card",
    "treemap",
    "plotly",
    "graph",
    "sankey",
];

impl Parser<'_> {
    pub(super) fn render(&mut self) -> Body {
        let kind = if self.at(Identifier) || CHARTS.contains(&self.nth_text(0)) {
            self.bump_as_name()
        } else {
            self.expected(CHARTS);
            let at = self.nth_span(0).start;
            Name { text: String::new(), span: crate::ast::Span::new(at, at), bracketed: false }
        };
        let mut with = Vec::new();
        while let Some(property) = self.old_render_property() {
            with.push(property);
        }
        with.extend(self.with_properties());
        plain(OperatorKind::Render { kind, with })
    }

    /// `kind=stacked`, `title="x"`, `accumulate=true`, `by a, b`, `with x` without parentheses.
    fn old_render_property(&mut self) -> Option<OpParam> {
        for name in ["kind", "title", "accumulate"] {
            if self.nth_text(0) == name && self.nth(1) == Equal {
                return self.property();
            }
        }
        let start = self.position;
        let is_by = self.at(ByKw);
        if !is_by && !(self.at(WithKw) && self.nth(1) != OpenParen) {
            return None;
        }
        let name = self.bump_as_name().text;
        let value = if is_by { self.render_columns() } else { self.named_or_missing() };
        self.node(OperatorParameter, start);
        Some(OpParam { name, value, span: self.span_from(start) })
    }

    /// The columns after `by`: one name, or several as the arguments of an unnamed call.
    fn render_columns(&mut self) -> Expr {
        let start = self.position;
        let mut names = Vec::new();
        while let Some(name) = self.declared_name_expression() {
            names.push(name);
            if self.eat(Comma).is_none() {
                break;
            }
        }
        if names.len() == 1
            && let Some(name) = names.pop()
        {
            return name;
        }
        if names.is_empty() {
            return self.missing_name_expression();
        }
        let span = self.span_from(start);
        let name = Name { text: String::new(), span, bracketed: false };
        Expr { kind: ExprKind::Call { name, args: names }, span }
    }
}

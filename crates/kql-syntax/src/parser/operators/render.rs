//! `render`: the chart, and its properties in the new and the old form.

use super::super::Parser;
use super::super::parameters::{Parameter, Value};
use super::{Body, plain};
use crate::ast::{Name, OpParam, OperatorKind, Span};
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

const KINDS: Value = Value::Word(&["default", "unstacked", "stacked", "stacked100", "map"]);

/// The properties of `with (...)`.
const PROPERTIES: &[Parameter] = &[
    ("kind", KINDS),
    ("title", Value::Text),
    ("accumulate", Value::Any("boolean")),
    ("xcolumn", Value::Column),
    ("ycolumns", Value::Columns),
    ("anomalycolumns", Value::Columns),
    ("series", Value::Columns),
    ("xtitle", Value::Text),
    ("ytitle", Value::Text),
    ("xaxis", Value::Word(&["linear", "log"])),
    ("yaxis", Value::Word(&["linear", "log"])),
    ("legend", Value::Word(&["visible", "hidden"])),
    ("ysplit", Value::Word(&["none", "axes", "panels"])),
    ("ymin", Value::Any("number")),
    ("ymax", Value::Any("number")),
    ("xmin", Value::Any("value")),
    ("xmax", Value::Any("value")),
];

impl Parser<'_> {
    pub(super) fn is_chart(&self, ahead: usize) -> bool {
        CHARTS.contains(&self.nth_text(ahead))
    }

    pub(super) fn render(&mut self) -> Body {
        let kind = if self.at(Identifier) || self.is_chart(0) {
            self.bump_as_name()
        } else {
            self.expected(CHARTS);
            let at = self.nth_span(0).start;
            Name { text: String::new(), span: Span::new(at, at), bracketed: false }
        };
        let mut with = Vec::new();
        while let Some(property) = self.old_render_property() {
            with.push(property);
        }
        with.extend(self.with_own_properties(PROPERTIES));
        plain(OperatorKind::Render { kind, with })
    }

    /// Before there was `with (...)`: `kind=stacked`, `title="x"`, `accumulate=true`, `with "x"`, `by a, b`.
    fn old_render_property(&mut self) -> Option<OpParam> {
        for (name, value) in [("kind", KINDS), ("title", Value::Text), ("accumulate", Value::Any("boolean"))] {
            if let Some(property) = self.parameter_named(name, value) {
                return Some(property);
            }
        }
        let start = self.position;
        let is_by = self.at(ByKw);
        let is_with = self.at(WithKw) && self.nth(1) != OpenParen;
        if !is_by && !is_with {
            return None;
        }
        let name = self.bump_as_name().text;
        let value = if is_by {
            // The names end at a word that starts the next property, or where no comma follows.
            self.column_names(|p| !p.at(Comma) || matches!(p.nth_text(0), "kind" | "title" | "accumulate"), &[])
        } else {
            self.parameter_value(Value::Any("string"), &[])
        };
        self.node(OperatorParameter, start);
        Some(OpParam { name, value, span: self.span_from(start) })
    }
}

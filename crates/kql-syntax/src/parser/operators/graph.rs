//! The graph operators: building, matching and turning back into tables.

use super::super::lists::ListRules;
use super::super::parameters::Value;
use super::super::{Parsed, Parser};
use super::{Body, plain};
use crate::ast::{Expr, GraphDirection, GraphMatchClause, GraphPart, MakeGraphClause, Name, OperatorKind};
use crate::kind::SyntaxKind::*;

impl Parser<'_> {
    /// `make-graph a --> b with Nodes on id`.
    pub(super) fn make_graph(&mut self) -> Body {
        let params = self.named_parameters(&[]);
        let source = self.graph_column();
        let direction = if self.take_spelled("-->") {
            GraphDirection::Forward
        } else if self.take_spelled("--") {
            GraphDirection::Any
        } else {
            self.expected(&["-->", "--"]);
            GraphDirection::Forward
        };
        let target = self.graph_column();
        let mut clause =
            MakeGraphClause { source, target, direction, nodes: Vec::new(), with_node_id: None, partitioned_by: None };
        let start = self.position;
        if self.at(WithNodeIdKw) {
            clause.with_node_id = self.node_id();
        } else if self.eat(WithKw).is_some() {
            let rules = ListRules::until(|p| p.at(PartitionedByKw)).one_or_more();
            clause.nodes = self.comma_list(rules, Self::graph_table, |p| {
                let table = p.missing_expression();
                (table, Name { text: String::new(), span: p.missing_here().span, bracketed: false })
            });
            self.node(WithClause, start);
        }
        let start = self.position;
        if self.eat(PartitionedByKw).is_some() {
            let key = match self.entity_reference() {
                Some(key) => key,
                None => self.missing_name_expression(),
            };
            clause.partitioned_by = Some((key, self.parenthesised_subquery()));
            self.node(ByClause, start);
        }
        (OperatorKind::MakeGraph(clause), params)
    }

    fn node_id(&mut self) -> Option<Name> {
        self.bump();
        self.expect(Equal);
        Some(self.name_or_missing())
    }

    fn graph_column(&mut self) -> Expr {
        match self.name_expression() {
            Some(column) => column,
            None => self.missing_name_expression(),
        }
    }

    /// `Table on key`.
    fn graph_table(&mut self) -> Parsed<(Expr, Name)> {
        let start = self.position;
        let table = self.unary()?;
        self.expect(OnKw);
        let key = self.name_or_missing();
        self.node(GraphTable, start);
        Some((table, key))
    }

    fn take_spelled(&mut self, text: &str) -> bool {
        let Some(count) = self.spelled(0, text) else { return false };
        self.position += count;
        true
    }

    pub(super) fn graph_match(&mut self) -> Body {
        let params = self.named_parameters(&[]);
        (OperatorKind::GraphMatch(self.graph_pattern_clause()), params)
    }

    pub(super) fn graph_shortest_paths(&mut self) -> Body {
        let params = self.named_parameters(&[("output", Value::Word(&["any", "all"]))]);
        (OperatorKind::GraphShortestPaths(self.graph_pattern_clause()), params)
    }

    fn graph_pattern_clause(&mut self) -> GraphMatchClause {
        let rules = ListRules::OPEN;
        let patterns = self.comma_list(rules, Self::graph_pattern, |p| {
            let span = p.missing_node_span();
            p.errors.push(crate::diagnostics::missing_graph_pattern(span));
            Vec::new()
        });
        let mut clause = GraphMatchClause { patterns, condition: None, project: Vec::new(), output: None };
        let start = self.position;
        if self.eat(WhereKw).is_some() {
            clause.condition = Some(self.expression_or_missing());
            self.node(WhereClause, start);
        }
        let start = self.position;
        if self.eat(ProjectKw).is_some() {
            clause.project = self.named_list(ListRules::COMMON.one_or_more());
            self.node(ProjectClause, start);
        }
        clause
    }

    /// `(a)-[e*1..3]->(b)--(c)`.
    fn graph_pattern(&mut self) -> Parsed<Vec<GraphPart>> {
        let mut parts = Vec::new();
        while let Some(part) = self.graph_node().or_else(|| self.graph_edge()) {
            parts.push(part);
        }
        (!parts.is_empty()).then_some(parts)
    }

    fn graph_node(&mut self) -> Parsed<GraphPart> {
        let start = self.position;
        self.eat(OpenParen)?;
        let name = self.name();
        self.expect(CloseParen);
        self.node(GraphNode, start);
        Some(GraphPart::Node { name })
    }

    fn graph_edge(&mut self) -> Parsed<GraphPart> {
        let start = self.position;
        for (text, direction) in
            [("-->", GraphDirection::Forward), ("<--", GraphDirection::Backward), ("--", GraphDirection::Any)]
        {
            if self.take_spelled(text) {
                self.node(GraphEdge, start);
                return Some(GraphPart::Edge { name: None, direction, range: None });
            }
        }
        let backward = self.take_spelled("<-[");
        if !backward && !self.take_spelled("-[") {
            return None;
        }
        let name = self.name();
        let range = self.eat(Star).map(|_| {
            let low = self.edge_bound();
            self.expect(DotDot);
            (low, self.edge_bound())
        });
        let direction = if self.take_spelled("]->") {
            GraphDirection::Forward
        } else if self.take_spelled("]-") {
            if backward { GraphDirection::Backward } else { GraphDirection::Any }
        } else {
            self.expected(&["]->", "]-"]);
            GraphDirection::Any
        };
        self.node(GraphEdge, start);
        Some(GraphPart::Edge { name, direction, range })
    }

    fn edge_bound(&mut self) -> Expr {
        match self.unary() {
            Some(bound) => bound,
            None => self.missing_value(),
        }
    }

    pub(super) fn graph_mark_components(&mut self) -> Body {
        let params =
            self.named_parameters(&[("kind", Value::Word(&["weak", "strong"])), ("with_component_id", Value::NewName)]);
        (OperatorKind::GraphMarkComponents, params)
    }

    /// `graph-to-table nodes as N with_node_id=id, edges as E`.
    pub(super) fn graph_to_table(&mut self) -> Body {
        let mut params = Vec::new();
        let outputs = self.comma_list(
            ListRules::OPEN,
            |p| {
                let start = p.position;
                let entity = matches!(p.kind(), NodesKw | EdgesKw).then(|| p.name_expression()).flatten()?;
                let name = p.eat(AsKw).map(|_| p.name_or_missing());
                params.extend(p.named_parameters(&[
                    ("with_source_id", Value::NewName),
                    ("with_target_id", Value::NewName),
                    ("with_node_id", Value::NewName),
                ]));
                let Some(name) = name else { return Some(entity) };
                let kind = crate::ast::ExprKind::Named { names: vec![name], tuple: false, value: Box::new(entity) };
                Some(p.finish(NamedExpression, start, kind))
            },
            |p| {
                let span = p.missing_node_span();
                p.errors.push(crate::diagnostics::graph_to_table_entities(span));
                p.missing_here()
            },
        );
        (OperatorKind::GraphToTable(outputs), params)
    }

    pub(super) fn graph_where_nodes(&mut self) -> Body {
        plain(OperatorKind::GraphWhereNodes(self.unnamed_or_missing()))
    }

    pub(super) fn graph_where_edges(&mut self) -> Body {
        plain(OperatorKind::GraphWhereEdges(self.unnamed_or_missing()))
    }
}

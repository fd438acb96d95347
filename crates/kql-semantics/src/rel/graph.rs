//! Graph operators: a graph is two tables, its nodes and its edges, and what is found in it is a table again.
//!
//! `make-graph` makes both with plain operators. `graph-match` and `graph-shortest-paths` become a plugin over these
//! tables, with the pattern as data: what it gives has a column for each property that the query names, and the filter and
//! the projection over these are plain operators as well. Conditions on one element go to the tables, so that the search
//! meets fewer elements.

use std::rc::Rc;

use kql_syntax::ast::{self, MakeGraphClause, Operator, OperatorKind};
use kql_types::{Dynamic, ScalarType, Span, Value};

use crate::binder::{Binder, column_expr, literal};
use crate::bound::{BoundColumn, Expr, ExprKind, JoinKind, PluginArg, Rel, RelKind, SummarizeItem};
use crate::expr::unwrapped;
use crate::scope::{Graph, Table, Variable};

/// The hidden column of nodes by which edges name them, always the first.
const NODE_ID: &str = "$id";

impl Binder<'_> {
    pub(super) fn graph_operator(&mut self, input: Table, operator: &Operator) -> Table {
        let span = operator.span;
        if let OperatorKind::MakeGraph(clause) = &operator.kind {
            return self.make_graph(input, clause, span);
        }
        let Some(graph) = input.graph.clone() else {
            if !input.open {
                self.error("KS111", operator.keyword.span, "Graph expected.");
            }
            return self.no_table(span);
        };
        match &operator.kind {
            OperatorKind::GraphMatch(clause) => {
                let cycles = self.op_text(operator, "cycles").unwrap_or_else(|| "unique_edges".to_string());
                self.graph_match(&graph, clause, &cycles, None, span)
            }
            OperatorKind::GraphShortestPaths(clause) => {
                let all = self.op_text(operator, "output").is_some_and(|output| output == "all");
                let paths = if all { "all" } else { "any" };
                self.graph_match(&graph, clause, "none", Some(paths), span)
            }
            OperatorKind::GraphMarkComponents => {
                let name = self.op_text(operator, "with_component_id").unwrap_or_else(|| "ComponentId".to_string());
                let strong = self.op_text(operator, "kind").is_some_and(|kind| kind == "strong");
                self.graph_mark_components(&graph, &name, strong, span)
            }
            OperatorKind::GraphToTable(outputs) => self.graph_to_table(&graph, outputs, operator),
            OperatorKind::GraphWhereNodes(condition) => {
                let nodes = self.filter(graph.nodes.clone(), condition, span);
                let nodes = self.materialized(nodes, span);
                let edges = self.edges_between(&graph, &nodes, span);
                self.graph_table(Graph { nodes, edges, ..(*graph).clone() }, span)
            }
            OperatorKind::GraphWhereEdges(condition) => {
                let edges = self.filter(graph.edges.clone(), condition, span);
                let edges = self.materialized(edges, span);
                self.graph_table(Graph { edges, ..(*graph).clone() }, span)
            }
            _ => self.no_table(span),
        }
    }

    /// What stands for a graph between operators.
    fn graph_table(&mut self, graph: Graph, span: Span) -> Table {
        Table { graph: Some(Rc::new(graph)), ..Table::new(self.empty_rel(Vec::new(), span)) }
    }

    fn make_graph(&mut self, input: Table, clause: &MakeGraphClause, span: Span) -> Table {
        let partition = clause.partitioned_by.as_ref().map(|(key, _)| key);
        if let (Some(partition), Some(_)) = (partition, &clause.with_node_id) {
            self.unsupported("make-graph partitioned-by with with_node_id", partition.span);
        }
        let input = match partition {
            Some(partition) => self.with_partition_ends(input, clause, partition, span),
            None => input,
        };
        let edges = self.materialized(input, span);
        let (source_at, target_at) = match partition {
            Some(_) => (edges.rel.columns.len().saturating_sub(2), edges.rel.columns.len().saturating_sub(1)),
            None => {
                let (_, (source, target)) =
                    self.with_row(edges.clone(), |b, _| (b.scalar(&clause.source), b.scalar(&clause.target)));
                let place = |expr: &Expr| match expr.kind {
                    ExprKind::Column(id) => edges.rel.columns.iter().position(|column| column.id == id),
                    _ => None,
                };
                match (place(&source), place(&target)) {
                    (Some(source), Some(target)) => (source, target),
                    _ => return self.no_table(span),
                }
            }
        };
        let mut parts = Vec::new();
        for (table, key) in &clause.nodes {
            let table = self.without_row(|b| b.table(table));
            let key_expr = ast::Expr { kind: ast::ExprKind::Name(key.clone()), span: key.span };
            let (table, key) = self.with_row(table, |b, _| {
                let key = b.scalar(&key_expr);
                match partition {
                    Some(partition) => b.partition_id(partition, key, span),
                    None => key,
                }
            });
            parts.push(self.identified(table, key, 1, true, span));
        }
        for at in [source_at, target_at] {
            let table = self.copy_table(&edges, span);
            let Some(column) = table.rel.columns.get(at).cloned() else { continue };
            parts.push(self.identified(table, column_expr(&column, span), 0, false, span));
        }
        let all = self.unified(parts, false, None, span);
        let nodes = self.one_row_each(all, clause.with_node_id.as_ref(), span);
        let nodes = self.materialized(nodes, span);
        let directed = clause.direction != ast::GraphDirection::Any;
        let partitioned = partition.is_some();
        let graph = Graph { nodes, edges, source: source_at, target: target_at, directed, partitioned };
        let graph = self.graph_table(graph, span);
        match &clause.partitioned_by {
            Some((_, operators)) => self.sub_pipeline(graph, operators),
            None => graph,
        }
    }

    /// The id of a node within its part: no id of another part is the same.
    fn partition_id(&mut self, partition: &ast::Expr, id: Expr, span: Span) -> Expr {
        let partition = self.scalar(partition);
        let between = literal(Value::String("\u{1}".to_string()), span);
        self.function_call("strcat", vec![partition, between, id], ScalarType::String, span)
    }

    /// Edges with the ids of their ends within their part, as the last columns.
    fn with_partition_ends(
        &mut self,
        input: Table,
        clause: &MakeGraphClause,
        partition: &ast::Expr,
        span: Span,
    ) -> Table {
        let (input, ends) = self.with_row(input, |b, _| {
            [&clause.source, &clause.target].map(|end| {
                let end = b.scalar(end);
                b.partition_id(partition, end, span)
            })
        });
        let mut columns = input.rel.columns.clone();
        let mut exprs: Vec<_> = columns.iter().map(|column| (column.id, column_expr(column, span))).collect();
        for (name, end) in ["$source", "$target"].into_iter().zip(ends) {
            let column = self.new_column(name, ScalarType::String);
            exprs.push((column.id, end));
            columns.push(column);
        }
        Table::new(self.rel(RelKind::Project { input: input.rel, exprs }, columns, false, span))
    }

    /// A table with its key as the node's id and a mark, and its own columns if they are the node's properties.
    fn identified(&mut self, table: Table, key: Expr, known: i64, properties: bool, span: Span) -> Table {
        let id = self.new_column(NODE_ID, key.ty);
        let mark = self.new_column("$known", ScalarType::Long);
        let mut columns = vec![id.clone(), mark.clone()];
        let mut exprs = vec![(id.id, key), (mark.id, literal(Value::Long(known), span))];
        if properties {
            for column in &table.rel.columns {
                let own = self.new_column(column.name.clone(), column.ty);
                exprs.push((own.id, column_expr(column, span)));
                columns.push(own);
            }
        }
        Table::new(self.rel(RelKind::Project { input: table.rel, exprs }, columns, false, span))
    }

    /// One row for each id: that of a node table where there is one.
    fn one_row_each(&mut self, all: Table, node_id: Option<&ast::Name>, span: Span) -> Table {
        let mut columns = all.rel.columns.clone();
        if columns.len() < 2 {
            return all;
        }
        let (id, known) = (columns.remove(0), columns.remove(0));
        let key = self.new_column(NODE_ID, id.ty);
        let mut outputs = vec![key.clone()];
        let best = self.new_column("$known", known.ty);
        outputs.push(best.clone());
        let mut values = Vec::new();
        for column in &columns {
            let own = self.new_column(column.name.clone(), column.ty);
            values.push((own.id, column_expr(column, span)));
            outputs.push(own);
        }
        let item = SummarizeItem::ArgExtreme { max: true, by: column_expr(&known, span), by_out: best.id, values };
        let kind =
            RelKind::Summarize { input: all.rel, keys: vec![(key.id, column_expr(&id, span))], items: vec![item] };
        let grouped = self.rel(kind, outputs.clone(), false, span);
        outputs.retain(|column| column.id != best.id);
        let mut exprs: Vec<_> = outputs.iter().map(|column| (column.id, column_expr(column, span))).collect();
        if let Some(name) = node_id {
            let named = self.new_column(name.text.as_str(), key.ty);
            exprs.push((named.id, column_expr(&key, span)));
            outputs.push(named);
        }
        Table::new(self.rel(RelKind::Project { input: grouped, exprs }, outputs, false, span))
    }

    /// The edges of a graph whose ends are among these nodes.
    fn edges_between(&mut self, graph: &Graph, nodes: &Table, span: Span) -> Table {
        let mut edges = graph.edges.clone();
        for at in [graph.source, graph.target] {
            let nodes = self.copy_table(nodes, span);
            let (Some(end), Some(id)) = (edges.rel.columns.get(at).cloned(), nodes.rel.columns.first().cloned()) else {
                continue;
            };
            let columns = edges.rel.columns.clone();
            let kind = RelKind::Join {
                left: edges.rel,
                right: nodes.rel,
                kind: JoinKind::LeftSemi,
                keys: vec![(column_expr(&end, span), column_expr(&id, span))],
                condition: None,
            };
            edges = Table::new(self.rel(kind, columns, false, span));
        }
        self.materialized(edges, span)
    }

    fn graph_mark_components(&mut self, graph: &Graph, name: &str, strong: bool, span: Span) -> Table {
        if graph.partitioned {
            self.unsupported("graph-mark-components of a partitioned graph", span);
        }
        let column = self.new_column(name, ScalarType::Long);
        let spec = bag(vec![
            ("source", number(graph.source)),
            ("target", number(graph.target)),
            ("strong", Dynamic::Bool(strong)),
        ]);
        let nodes = self.over_graph("graph-mark-components", graph, spec, vec![column], span);
        let nodes = self.materialized(nodes, span);
        self.graph_table(Graph { nodes, ..graph.clone() }, span)
    }

    /// The nodes of a graph with columns that a search over the whole graph adds.
    pub(super) fn over_graph(
        &mut self,
        name: &str,
        graph: &Graph,
        spec: Dynamic,
        added: Vec<BoundColumn>,
        span: Span,
    ) -> Table {
        let edges = self.copy_table(&graph.edges, span);
        let nodes = self.copy_table(&graph.nodes, span);
        let mut columns = nodes.rel.columns.clone();
        columns.extend(added);
        let args = vec![PluginArg::Rel(nodes.rel), PluginArg::Value(Value::Dynamic(spec))];
        // The outputs are new columns: the plugin reads the nodes, it does not pass them on.
        let columns = columns.into_iter().map(|column| self.renamed(column)).collect();
        let kind = RelKind::Plugin { name: name.to_string(), input: Some(edges.rel), args };
        Table::new(self.rel(kind, columns, false, span))
    }

    fn renamed(&mut self, column: BoundColumn) -> BoundColumn {
        self.new_column(column.name, column.ty)
    }

    /// `graph-to-table nodes as N with_node_id=id, edges as E`.
    fn graph_to_table(&mut self, graph: &Graph, outputs: &[ast::Expr], operator: &Operator) -> Table {
        let span = operator.span;
        let mut first = None;
        for output in outputs {
            let (value, name) = match &output.kind {
                ast::ExprKind::Named { names, value, .. } => (&**value, names.first()),
                _ => (output, None),
            };
            let is_nodes = matches!(&unwrapped(value).kind, ast::ExprKind::Name(name) if name.text == "nodes");
            let table = self.copy_table(if is_nodes { &graph.nodes } else { &graph.edges }, span);
            let ends: &[(&str, usize)] = match is_nodes {
                true => &[("with_node_id", 0)],
                false => &[("with_source_id", graph.source), ("with_target_id", graph.target)],
            };
            let hidden = |column: &&BoundColumn| !column.name.starts_with('$');
            let mut shown: Vec<BoundColumn> = table.rel.columns.iter().filter(hidden).cloned().collect();
            let mut exprs: Vec<_> = shown.iter().map(|column| (column.id, column_expr(column, span))).collect();
            for (param, at) in ends {
                let (Some(name), Some(column)) = (self.op_text(operator, param), table.rel.columns.get(*at)) else {
                    continue;
                };
                let value = self.hashed(column, span);
                let column = self.new_column(name.as_str(), ScalarType::Long);
                exprs.push((column.id, value));
                shown.push(column);
            }
            let table = Table::new(self.rel(RelKind::Project { input: table.rel, exprs }, shown, false, span));
            if let Some(name) = name {
                let shared = self.materialized(table.clone(), span);
                self.declare(&name.text, Variable::Table(Rc::new(shared)));
            }
            first.get_or_insert(table);
        }
        first.unwrap_or_else(|| self.no_table(span))
    }

    fn hashed(&mut self, column: &BoundColumn, span: Span) -> Expr {
        let value = column_expr(column, span);
        match kql_functions::function("hash") {
            Some(function) => Expr { kind: ExprKind::Call { function, args: vec![value] }, ty: ScalarType::Long, span },
            None => self.error_expr(span),
        }
    }

    /// A plugin over edges and nodes, each with columns of its own added.
    pub(super) fn graph_plugin(
        &mut self,
        name: &str,
        edges: Rel,
        nodes: Rel,
        spec: Dynamic,
        columns: Vec<BoundColumn>,
        span: Span,
    ) -> Table {
        let args = vec![PluginArg::Rel(nodes), PluginArg::Value(Value::Dynamic(spec))];
        let kind = RelKind::Plugin { name: name.to_string(), input: Some(edges), args };
        Table::new(self.rel(kind, columns, false, span))
    }
}

/// A bag of these entries.
pub(super) fn bag(entries: Vec<(&str, Dynamic)>) -> Dynamic {
    Dynamic::Bag(entries.into_iter().map(|(key, value)| (key.to_string(), value)).collect())
}

pub(super) fn number(value: usize) -> Dynamic {
    Dynamic::Long(value as i64)
}

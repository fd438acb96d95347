//! `graph-match` and `graph-shortest-paths`: the elements of the pattern, and what the query says of them.

use kql_syntax::ast::{self, GraphDirection, GraphMatchClause, GraphPart, Name};
use kql_types::{Dynamic, ScalarType, Span};

use super::graph::{bag, number};
use super::items::Style;
use crate::binder::{Binder, bool_expr, column_expr};
use crate::bound::{BoundColumn, ColumnId, Expr, ExprKind, RelKind};
use crate::expr::{Bound, unwrapped};
use crate::projection::Projection;
use crate::scope::{Graph, Row, Table};

/// Hops that a path may have when the pattern says nothing.
const ONE_HOP: (i64, i64) = (1, 1);

/// The pattern at hand while its condition and projection are bound.
pub(crate) struct GraphScope {
    elements: Vec<Element>,
    nodes: Side,
    edges: Side,
    /// Degrees of a node: in and out.
    degrees: [BoundColumn; 2],
    degrees_used: bool,
    outputs: Vec<Output>,
    partitioned: bool,
    /// Inside `all`, `any` and `map`: names are those of an edge, or of a node.
    lambda: Option<Of>,
}

/// The table of nodes or edges: its columns, and those that are computed for the search.
struct Side {
    columns: Vec<BoundColumn>,
    computed: Vec<(BoundColumn, Expr)>,
}

struct Element {
    name: Option<String>,
    part: Part,
    /// Column of its table that must be true.
    filters: Vec<ColumnId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Node,
    Edge { from: usize, to: usize, direction: GraphDirection, hops: (i64, i64), path: bool },
}

/// An edge of which the second end is still to come.
struct WrittenEdge {
    name: Option<String>,
    direction: GraphDirection,
    hops: (i64, i64),
    path: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Edges,
    InnerNodes,
}

/// A column of the result of the search.
struct Output {
    column: BoundColumn,
    element: usize,
    mode: Mode,
    source: ColumnId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The value of the node or the single edge.
    Single,
    List(Of),
    All(Of),
    Any(Of),
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Mode::Single => "single",
            Mode::List(Of::Edges) => "list",
            Mode::All(Of::Edges) => "all",
            Mode::Any(Of::Edges) => "any",
            Mode::List(Of::InnerNodes) => "inner_list",
            Mode::All(Of::InnerNodes) => "inner_all",
            Mode::Any(Of::InnerNodes) => "inner_any",
        }
    }
}

impl Binder<'_> {
    pub(super) fn graph_match(
        &mut self,
        graph: &Graph,
        clause: &GraphMatchClause,
        cycles: &str,
        paths: Option<&str>,
        span: Span,
    ) -> Table {
        let edges = self.copy_table(&graph.edges, span);
        let nodes = self.copy_table(&graph.nodes, span);
        let degrees = [self.new_column("$in", ScalarType::Long), self.new_column("$out", ScalarType::Long)];
        let (elements, starts) = self.pattern_elements(clause);
        if graph.partitioned && starts.len() > 1 {
            self.unsupported("patterns that begin apart in a partitioned graph", span);
        }
        let side = |table: &Table| Side { columns: table.rel.columns.clone(), computed: Vec::new() };
        let scope = GraphScope {
            elements,
            nodes: side(&nodes),
            edges: side(&edges),
            degrees,
            degrees_used: false,
            outputs: Vec::new(),
            partitioned: graph.partitioned,
            lambda: None,
        };
        let outer = self.graph.replace(Box::new(scope));
        let outer_row = self.row.replace(Row::default());
        let condition = clause.condition.as_ref().map(|condition| self.condition(condition));
        let mut projection = Projection::new();
        for (index, item) in clause.project.iter().enumerate() {
            self.graph_item(index, item, &mut projection);
        }
        self.row = outer_row;
        let Some(mut scope) = std::mem::replace(&mut self.graph, outer) else { return self.no_table(span) };
        let residual = condition.and_then(|condition| self.pushed(&mut scope, condition));
        let directed = graph.directed;
        let spec = vec![
            ("source", number(graph.source)),
            ("target", number(graph.target)),
            ("directed", Dynamic::Bool(directed)),
            ("cycles", Dynamic::String(cycles.to_string())),
            ("paths", paths.map_or(Dynamic::Null, |paths| Dynamic::String(paths.to_string()))),
            ("starts", Dynamic::Array(starts.into_iter().map(number).collect())),
        ];
        let nodes = self.with_degrees(graph, nodes, &scope, span);
        let found = self.searched(*scope, edges, nodes, spec, span);
        let columns = found.rel.columns.clone();
        let found = match residual {
            Some(predicate) => {
                Table::new(self.rel(RelKind::Filter { input: found.rel, predicate }, columns, false, span))
            }
            None => found,
        };
        if clause.project.is_empty() { found } else { Table::new(self.projected(found.rel, projection, span)) }
    }

    /// An item of `project`: a property shows as `variable_property`.
    fn graph_item(&mut self, index: usize, item: &ast::Expr, projection: &mut Projection) {
        if let ast::ExprKind::Named { .. } = &item.kind {
            self.add_item(item, projection, Style::Project, None);
            return;
        }
        let value = self.scalar(item);
        let name = match &unwrapped(item).kind {
            ast::ExprKind::Member { base, member } => match &unwrapped(base).kind {
                ast::ExprKind::Name(variable) => Some(format!("{}_{}", variable.text, member.text)),
                _ => None,
            },
            ast::ExprKind::Name(name) => Some(name.text.clone()),
            _ => self.name_of(item),
        };
        let name: std::sync::Arc<str> =
            name.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("Column{}", index + 1)).into();
        projection.add(&name, Some(&name), value, false, None);
    }

    /// Elements of all patterns, a name that stands twice once; and the elements where patterns begin.
    fn pattern_elements(&mut self, clause: &GraphMatchClause) -> (Vec<Element>, Vec<usize>) {
        let mut elements: Vec<Element> = Vec::new();
        let mut starts = Vec::new();
        for pattern in &clause.patterns {
            let mut last: Option<usize> = None;
            let mut edge: Option<WrittenEdge> = None;
            for part in pattern {
                match part {
                    GraphPart::Node { name } => {
                        let name = name.as_ref().map(|name| name.text.clone());
                        let known = name.as_ref().and_then(|name| {
                            elements.iter().position(|e| e.part == Part::Node && e.name.as_ref() == Some(name))
                        });
                        let node = known.unwrap_or_else(|| {
                            elements.push(Element { name, part: Part::Node, filters: Vec::new() });
                            elements.len() - 1
                        });
                        match (last, edge.take()) {
                            (Some(from), Some(WrittenEdge { name, direction, hops, path })) => {
                                let part = Part::Edge { from, to: node, direction, hops, path };
                                elements.push(Element { name, part, filters: Vec::new() });
                            }
                            _ => starts.push(node),
                        }
                        last = Some(node);
                    }
                    GraphPart::Edge { name, direction, range } => {
                        let hops = range.as_ref().map(|(low, high)| (self.hops(low, 1), self.hops(high, 1)));
                        let name = name.as_ref().map(|name| name.text.clone());
                        let (path, hops) = (hops.is_some(), hops.unwrap_or(ONE_HOP));
                        edge = Some(WrittenEdge { name, direction: *direction, hops, path });
                    }
                }
            }
        }
        (elements, starts)
    }

    fn hops(&mut self, bound: &ast::Expr, otherwise: i64) -> i64 {
        match crate::constant::value(&self.plain_scalar(bound)) {
            Some(kql_types::Value::Long(hops)) => hops,
            Some(kql_types::Value::Int(hops)) => hops.into(),
            _ => otherwise,
        }
    }

    /// The nodes with their degrees, if the query asks for these.
    fn with_degrees(&mut self, graph: &Graph, nodes: Table, scope: &GraphScope, span: Span) -> Table {
        if !scope.degrees_used {
            return nodes;
        }
        let edges = self.copy_table(&graph.edges, span);
        let spec = bag(vec![("source", number(graph.source)), ("target", number(graph.target))]);
        let input = self.copy_table(&graph.nodes, span);
        // The columns are those that the search names already.
        let mut columns = nodes.rel.columns.clone();
        columns.extend(scope.degrees.clone());
        self.graph_plugin("graph-degrees", edges.rel, input.rel, spec, columns, span)
    }

    /// The search over the tables with their computed columns.
    fn searched(
        &mut self,
        scope: GraphScope,
        edges: Table,
        nodes: Table,
        mut spec: Vec<(&str, Dynamic)>,
        span: Span,
    ) -> Table {
        let GraphScope { elements, nodes: node_side, edges: edge_side, outputs, .. } = scope;
        let (edges, nodes) = (self.computed(edges, edge_side, span), self.computed(nodes, node_side, span));
        let place = |id: ColumnId, of_nodes: bool| {
            let columns = if of_nodes { &nodes.columns } else { &edges.columns };
            number(columns.iter().position(|column| column.id == id).unwrap_or(0))
        };
        let element = |element: &Element| {
            let is_node = element.part == Part::Node;
            let filters = element.filters.iter().map(|id| place(*id, is_node)).collect();
            let mut entries = vec![("filters", Dynamic::Array(filters))];
            if let Part::Edge { from, to, direction, hops, .. } = element.part {
                let direction = match direction {
                    GraphDirection::Forward => "forward",
                    GraphDirection::Backward => "backward",
                    GraphDirection::Any => "any",
                };
                entries.extend([
                    ("from", number(from)),
                    ("to", number(to)),
                    ("direction", Dynamic::String(direction.to_string())),
                    ("least", Dynamic::Long(hops.0)),
                    ("most", Dynamic::Long(hops.1)),
                ]);
            }
            bag(entries)
        };
        let output = |output: &Output| {
            let single = elements.get(output.element).is_some_and(|element| element.part == Part::Node);
            let of_nodes = match output.mode {
                Mode::Single => single,
                Mode::List(of) | Mode::All(of) | Mode::Any(of) => of == Of::InnerNodes,
            };
            bag(vec![
                ("element", number(output.element)),
                ("mode", Dynamic::String(output.mode.name().to_string())),
                ("column", place(output.source, of_nodes)),
            ])
        };
        spec.push(("elements", Dynamic::Array(elements.iter().map(element).collect())));
        spec.push(("outputs", Dynamic::Array(outputs.iter().map(output).collect())));
        let columns = outputs.iter().map(|output| output.column.clone()).collect();
        self.graph_plugin("graph-match", edges, nodes, bag(spec), columns, span)
    }

    fn computed(&mut self, table: Table, side: Side, span: Span) -> crate::bound::Rel {
        if side.computed.is_empty() {
            return table.rel;
        }
        let mut columns = table.rel.columns.clone();
        let mut exprs: Vec<(ColumnId, Expr)> =
            columns.iter().map(|column| (column.id, column_expr(column, span))).collect();
        for (column, expr) in side.computed {
            exprs.push((column.id, expr));
            columns.push(column);
        }
        self.rel(RelKind::Project { input: table.rel, exprs }, columns, false, span)
    }

    /// Gives conditions on one element to the search; what is left.
    fn pushed(&mut self, scope: &mut GraphScope, condition: Expr) -> Option<Expr> {
        let span = condition.span;
        let parts = match condition.kind {
            ExprKind::And(parts) => parts,
            kind => vec![Expr { kind, ty: condition.ty, span }],
        };
        let mut left = Vec::new();
        for part in parts {
            if let Some(part) = self.pushed_part(scope, part) {
                left.push(part);
            }
        }
        (!left.is_empty()).then(|| bool_expr(ExprKind::And(left), span))
    }

    fn pushed_part(&mut self, scope: &mut GraphScope, mut part: Expr) -> Option<Expr> {
        let mut read = foldhash::HashSet::default();
        crate::walk::columns_of(&part, &mut read);
        let used: Vec<&Output> = scope.outputs.iter().filter(|output| read.contains(&output.column.id)).collect();
        let Some(first) = used.first() else { return Some(part) };
        let element = first.element;
        // `all(path, condition)` holds when every edge satisfies it.
        if let (ExprKind::Column(id), Mode::All(Of::Edges)) = (&part.kind, first.mode)
            && *id == first.column.id
        {
            let source = first.source;
            scope.elements.get_mut(element)?.filters.push(source);
            return None;
        }
        if used.iter().any(|output| output.element != element || output.mode != Mode::Single) {
            return Some(part);
        }
        let sources: foldhash::HashMap<ColumnId, ColumnId> =
            used.iter().map(|output| (output.column.id, output.source)).collect();
        crate::walk::rename(&mut part, &sources);
        let column = self.new_column("$filter", ScalarType::Bool);
        let element = scope.elements.get_mut(element)?;
        element.filters.push(column.id);
        let side = if element.part == Part::Node { &mut scope.nodes } else { &mut scope.edges };
        side.computed.push((column, part));
        None
    }

    // --- names inside the condition and the projection ---

    /// `variable.property`.
    pub(crate) fn graph_member(&mut self, base: &ast::Expr, member: &Name, span: Span) -> Option<Bound> {
        let ast::ExprKind::Name(variable) = &unwrapped(base).kind else { return None };
        let (element, part) = self.graph_variable(variable)?;
        let scope = self.graph.as_ref()?;
        let side = if part == Part::Node { &scope.nodes } else { &scope.edges };
        let Some(column) = side.columns.iter().find(|column| *column.name == *member.text).cloned() else {
            self.report_unknown_name(member);
            return Some(Bound::Scalar(self.error_expr(span)));
        };
        let expr = match part {
            Part::Edge { path: true, .. } => self.graph_list(element, Of::Edges, column_expr(&column, span), span),
            _ => self.graph_output(element, Mode::Single, column.id, column.ty, span),
        };
        Some(Bound::Scalar(expr))
    }

    /// A variable alone: its properties as a bag, or a list of bags for a path.
    pub(crate) fn graph_name(&mut self, name: &Name) -> Option<Bound> {
        let (element, part) = self.graph_variable(name)?;
        let span = name.span;
        let of_nodes = part == Part::Node;
        let packed = self.packed(of_nodes, span);
        Some(Bound::Scalar(match part {
            Part::Edge { path: true, .. } => self.graph_list(element, Of::Edges, packed, span),
            _ => {
                let source = self.compute(of_nodes, packed)?;
                self.graph_output(element, Mode::Single, source, ScalarType::Dynamic, span)
            }
        }))
    }

    fn graph_variable(&self, name: &Name) -> Option<(usize, Part)> {
        let scope = self.graph.as_ref().filter(|scope| scope.lambda.is_none())?;
        let named = |element: &Element| element.name.as_deref() == Some(name.text.as_str());
        let at = scope.elements.iter().position(named)?;
        scope.elements.get(at).map(|element| (at, element.part))
    }

    /// `all`, `any`, `map`, `inner_nodes`, `node_degree_in`, `node_degree_out`, `node_id`, `labels`.
    pub(crate) fn graph_call(&mut self, name: &Name, args: &[ast::Expr], span: Span) -> Option<Bound> {
        match (name.text.as_str(), args) {
            ("node_degree_in" | "node_degree_out", _) => {
                let which = usize::from(name.text == "node_degree_out");
                let scope = self.graph.as_mut()?;
                scope.degrees_used = true;
                let degree = scope.degrees.get(which)?.clone();
                match args.first().map(|arg| &unwrapped(arg).kind) {
                    Some(ast::ExprKind::Name(variable)) => {
                        let (element, _) = self.graph_variable(variable)?;
                        let expr = self.graph_output(element, Mode::Single, degree.id, ScalarType::Long, span);
                        Some(Bound::Scalar(expr))
                    }
                    _ => Some(Bound::Scalar(column_expr(&degree, span))),
                }
            }
            ("all" | "any" | "map", [target, body]) => {
                let (element, of) = self.graph_target(target)?;
                let value = self.graph_lambda(of, body);
                let mode = match name.text.as_str() {
                    "map" => return Some(Bound::Scalar(self.graph_list(element, of, value, span))),
                    "all" => Mode::All(of),
                    _ => Mode::Any(of),
                };
                let source = self.compute(of == Of::InnerNodes, value)?;
                Some(Bound::Scalar(self.graph_output(element, mode, source, ScalarType::Bool, span)))
            }
            ("inner_nodes", [target]) => {
                let ast::ExprKind::Name(variable) = &unwrapped(target).kind else { return None };
                let (element, _) = self.graph_variable(variable)?;
                let packed = self.packed(true, span);
                Some(Bound::Scalar(self.graph_list(element, Of::InnerNodes, packed, span)))
            }
            // Only stored graph models have labels.
            ("labels", _) => {
                let none = kql_types::Value::Dynamic(Dynamic::Array(Vec::new()));
                Some(Bound::Scalar(crate::binder::literal(none, span)))
            }
            ("node_id", _) => {
                if self.graph.as_ref()?.partitioned {
                    self.unsupported("node_id in a partitioned graph", span);
                }
                let id = self.graph.as_ref()?.nodes.columns.first()?.clone();
                let text = self.function_call("tostring", vec![column_expr(&id, span)], ScalarType::String, span);
                match args.first().map(|arg| &unwrapped(arg).kind) {
                    Some(ast::ExprKind::Name(variable)) => {
                        let (element, _) = self.graph_variable(variable)?;
                        let source = self.compute(true, text)?;
                        let expr = self.graph_output(element, Mode::Single, source, ScalarType::String, span);
                        Some(Bound::Scalar(expr))
                    }
                    _ => Some(Bound::Scalar(text)),
                }
            }
            _ => None,
        }
    }

    /// `path` or `inner_nodes(path)` as the first argument of `all`, `any` and `map`.
    fn graph_target(&self, target: &ast::Expr) -> Option<(usize, Of)> {
        match &unwrapped(target).kind {
            ast::ExprKind::Name(variable) => self.graph_variable(variable).map(|(element, _)| (element, Of::Edges)),
            ast::ExprKind::Call { name, args } if name.text == "inner_nodes" => {
                let ast::ExprKind::Name(variable) = &unwrapped(args.first()?).kind else { return None };
                self.graph_variable(variable).map(|(element, _)| (element, Of::InnerNodes))
            }
            _ => None,
        }
    }

    /// An expression over one edge, or one node.
    fn graph_lambda(&mut self, of: Of, body: &ast::Expr) -> Expr {
        let Some(scope) = self.graph.as_mut() else { return self.error_expr(body.span) };
        let side = if of == Of::Edges { &scope.edges } else { &scope.nodes };
        let row = Row { columns: side.columns.clone(), ..Row::default() };
        let outer_lambda = scope.lambda.replace(of);
        let outer_row = self.row.replace(row);
        let value = self.scalar(body);
        self.row = outer_row;
        if let Some(scope) = self.graph.as_mut() {
            scope.lambda = outer_lambda;
        }
        value
    }

    /// The values of all elements of a path as an array.
    fn graph_list(&mut self, element: usize, of: Of, value: Expr, span: Span) -> Expr {
        // Each value as an array of one: the search puts these together.
        let one = match kql_functions::function("pack_array") {
            Some(function) => {
                Expr { kind: ExprKind::Call { function, args: vec![value] }, ty: ScalarType::Dynamic, span }
            }
            None => value,
        };
        match self.compute(of == Of::InnerNodes, one) {
            Some(source) => self.graph_output(element, Mode::List(of), source, ScalarType::Dynamic, span),
            None => self.error_expr(span),
        }
    }

    /// All properties of a node or an edge as a bag.
    fn packed(&mut self, of_nodes: bool, span: Span) -> Expr {
        let Some(scope) = self.graph.as_ref() else { return self.error_expr(span) };
        let side = if of_nodes { &scope.nodes } else { &scope.edges };
        let mut args = Vec::new();
        for column in side.columns.iter().filter(|column| !column.name.starts_with('$')) {
            args.push(crate::binder::literal(kql_types::Value::String(column.name.to_string()), span));
            args.push(column_expr(column, span));
        }
        match kql_functions::function("bag_pack") {
            Some(function) => Expr { kind: ExprKind::Call { function, args }, ty: ScalarType::Dynamic, span },
            None => self.error_expr(span),
        }
    }

    /// A computed column of the nodes or the edges.
    fn compute(&mut self, of_nodes: bool, expr: Expr) -> Option<ColumnId> {
        let column = self.new_column("$computed", expr.ty);
        let scope = self.graph.as_mut()?;
        let side = if of_nodes { &mut scope.nodes } else { &mut scope.edges };
        let id = column.id;
        side.computed.push((column, expr));
        Some(id)
    }

    fn graph_output(&mut self, element: usize, mode: Mode, source: ColumnId, ty: ScalarType, span: Span) -> Expr {
        let known = self.graph.as_ref().and_then(|scope| {
            let same = |o: &&Output| o.element == element && o.mode == mode && o.source == source;
            scope.outputs.iter().find(same).map(|output| output.column.clone())
        });
        let column = known.unwrap_or_else(|| {
            let column = self.new_column("$found", ty);
            if let Some(scope) = self.graph.as_mut() {
                scope.outputs.push(Output { column: column.clone(), element, mode, source });
            }
            column
        });
        column_expr(&column, span)
    }
}

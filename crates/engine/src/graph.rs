//! Searches in graphs: `graph-match`, `graph-shortest-paths`, `graph-mark-components`, degrees.
//!
//! Edges and nodes are evaluated, searched here, and what is found stands in the plan as rows in memory. What is looked for
//! comes as data with the query: which columns name the ends, which elements the pattern has, which columns to give.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, StringViewArray, UInt32Array};
use datafusion::arrow::compute::{concat_batches, take};
use datafusion::arrow::datatypes::{Field, Fields, Schema};
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use kql_functions::kernels::KernelError;
use kql_functions::kernels::tabular::graph::{Cycles, Direction, Element, Found, Graph, Pattern};
use kql_plan::lower::Materialized;
use kql_semantics::bound::{BoundColumn, PluginArg, Rel, RelKind};
use kql_types::{Dynamic, ScalarType, Value};

use crate::EngineError;
use crate::execute::Execution;

/// Whether a plugin is a search in a graph.
pub(crate) fn is_graph(name: &str) -> bool {
    matches!(name, "graph-match" | "graph-mark-components" | "graph-degrees")
}

impl Execution {
    /// Puts what a search gives in its place. Its tables are resolved already.
    pub(crate) async fn resolve_graph(&mut self, rel: &mut Rel) -> Result<(), EngineError> {
        let RelKind::Plugin { name, input: Some(edges), args } = rel.kind.as_ref() else { return Ok(()) };
        let (Some(PluginArg::Rel(nodes)), Some(PluginArg::Value(Value::Dynamic(spec)))) = (args.first(), args.get(1))
        else {
            return Err(EngineError::Bug(format!("{name} without nodes or a pattern")));
        };
        let tables = Tables { edges: self.whole(edges).await?, nodes: self.whole(nodes).await? };
        let columns = match name.as_str() {
            "graph-match" => tables.matched(spec, &rel.columns),
            _ => tables.nodes_with(spec, name == "graph-degrees"),
        };
        let (columns, rows) = columns.map_err(failure)?;
        let batch = batch(&rel.columns, columns, rows)?;
        let batches = if rows > 0 { vec![batch] } else { Vec::new() };
        let id = self.new_rows(Materialized { batches, places: None, ordered: true });
        let columns = rel.columns.clone();
        let input = Rel { kind: Box::new(RelKind::Empty), columns, serialized: true, span: rel.span };
        *rel.kind = RelKind::Materialize { id, input };
        Ok(())
    }

    /// All rows of a relation as one batch of its columns.
    async fn whole(&self, rel: &Rel) -> Result<RecordBatch, EngineError> {
        let collected = self.collect(rel, None).await?;
        let bug = |error: datafusion::arrow::error::ArrowError| EngineError::Bug(error.to_string());
        let Some(first) = collected.batches.first() else {
            let columns = rel
                .columns
                .iter()
                .map(|bound| datafusion::arrow::array::new_empty_array(&kql_plan::value::arrow_type(bound.ty)));
            return batch(&rel.columns, columns.collect(), 0);
        };
        let whole = concat_batches(&first.schema(), &collected.batches).map_err(bug)?;
        let columns = whole.columns().get(..rel.columns.len()).unwrap_or_default().to_vec();
        batch(&rel.columns, columns, whole.num_rows())
    }
}

fn failure(error: KernelError) -> EngineError {
    EngineError::Limit(error.0)
}

/// Columns by position: names may repeat.
fn batch(bound: &[BoundColumn], columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, EngineError> {
    let fields: Fields = bound
        .iter()
        .enumerate()
        .map(|(index, bound)| Field::new(format!("g{index}"), kql_plan::value::arrow_type(bound.ty), true))
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
        .map_err(|error| EngineError::Bug(error.to_string()))
}

struct Tables {
    edges: RecordBatch,
    nodes: RecordBatch,
}

fn whole_number(spec: &Dynamic, key: &str) -> usize {
    match spec.get(key) {
        Some(Dynamic::Long(value)) => usize::try_from(*value).unwrap_or(0),
        _ => 0,
    }
}

fn text<'s>(spec: &'s Dynamic, key: &str) -> &'s str {
    match spec.get(key) {
        Some(Dynamic::String(text)) => text,
        _ => "",
    }
}

fn list<'s>(spec: &'s Dynamic, key: &str) -> &'s [Dynamic] {
    spec.get(key).and_then(Dynamic::as_array).unwrap_or_default()
}

fn numbers(items: &[Dynamic]) -> Vec<usize> {
    let whole = |item: &Dynamic| match item {
        Dynamic::Long(value) => usize::try_from(*value).ok(),
        _ => None,
    };
    items.iter().filter_map(whole).collect()
}

impl Tables {
    fn graph(&self, spec: &Dynamic) -> Result<Graph, KernelError> {
        let edge = |key: &str| self.edges.columns().get(whole_number(spec, key));
        let (Some(id), Some(source), Some(target)) = (self.nodes.columns().first(), edge("source"), edge("target"))
        else {
            return Err(KernelError("a graph without ids".to_owned()));
        };
        Graph::of(id, source, target, !matches!(spec.get("directed"), Some(Dynamic::Bool(false))))
    }

    /// The columns of the nodes, and what is found of each.
    fn nodes_with(&self, spec: &Dynamic, degrees: bool) -> Result<(Vec<ArrayRef>, usize), KernelError> {
        let graph = self.graph(spec)?;
        let mut columns = self.nodes.columns().to_vec();
        if degrees {
            let (into, out) = graph.degrees();
            columns.push(Arc::new(Int64Array::from(into)));
            columns.push(Arc::new(Int64Array::from(out)));
        } else {
            let strong = matches!(spec.get("strong"), Some(Dynamic::Bool(true)));
            columns.push(Arc::new(Int64Array::from(graph.components(strong))));
        }
        Ok((columns, self.nodes.num_rows()))
    }

    fn matched(&self, spec: &Dynamic, bound: &[BoundColumn]) -> Result<(Vec<ArrayRef>, usize), KernelError> {
        let graph = self.graph(spec)?;
        let pattern = self.pattern(spec);
        let found = match text(spec, "paths") {
            "" => graph.matches(&pattern)?,
            paths => graph.shortest(&pattern, paths == "all")?,
        };
        let mut columns = Vec::with_capacity(bound.len());
        for (output, bound) in list(spec, "outputs").iter().zip(bound) {
            columns.push(self.output(output, &found, &pattern, bound.ty)?);
        }
        Ok((columns, found.len()))
    }

    fn pattern(&self, spec: &Dynamic) -> Pattern {
        let mut elements = Vec::new();
        let mut allowed = Vec::new();
        for element in list(spec, "elements") {
            let is_node = element.get("from").is_none();
            let table = if is_node { &self.nodes } else { &self.edges };
            let filters: Vec<&BooleanArray> = numbers(list(element, "filters"))
                .into_iter()
                .filter_map(|place| table.columns().get(place).and_then(|column| column.as_boolean_opt()))
                .collect();
            let holds = |row: usize| filters.iter().all(|filter| filter.is_valid(row) && filter.value(row));
            allowed.push(match filters.is_empty() {
                true => Vec::new(),
                false => (0..table.num_rows()).map(holds).collect(),
            });
            elements.push(if is_node {
                Element::Node
            } else {
                Element::Edges {
                    from: whole_number(element, "from"),
                    to: whole_number(element, "to"),
                    direction: match text(element, "direction") {
                        "forward" => Direction::Forward,
                        "backward" => Direction::Backward,
                        _ => Direction::Any,
                    },
                    least: whole_number(element, "least"),
                    most: whole_number(element, "most"),
                }
            });
        }
        let cycles = match text(spec, "cycles") {
            "all" => Cycles::All,
            "none" => Cycles::None,
            _ => Cycles::UniqueEdges,
        };
        Pattern { elements, allowed, starts: numbers(list(spec, "starts")), cycles }
    }

    /// One column of the result.
    fn output(
        &self,
        output: &Dynamic,
        found: &[Vec<Found>],
        pattern: &Pattern,
        ty: ScalarType,
    ) -> Result<ArrayRef, KernelError> {
        let element = whole_number(output, "element");
        let mode = text(output, "mode");
        let is_node = matches!(pattern.elements.get(element), Some(Element::Node));
        let of_nodes = mode.starts_with("inner_") || (mode == "single" && is_node);
        let table = if of_nodes { &self.nodes } else { &self.edges };
        let Some(column) = table.columns().get(whole_number(output, "column")) else {
            return Err(KernelError("bug: a graph lacks a column".to_owned()));
        };
        let items = |found: &Vec<Found>| -> Vec<u32> {
            let item = found.get(element).cloned().unwrap_or_default();
            if mode.starts_with("inner_") { item.inner } else { item.items }
        };
        match mode.trim_start_matches("inner_") {
            "single" => {
                let rows: UInt32Array = found.iter().map(|found| items(found).first().copied()).collect();
                let taken = take(column, &rows, None).map_err(|error| KernelError(format!("bug: {error}")))?;
                Ok(match taken.as_string_view_opt() {
                    Some(texts) if ty == ScalarType::String && texts.null_count() > 0 => {
                        let filled = texts.iter().map(|text| Some(text.unwrap_or_default()));
                        Arc::new(filled.collect::<StringViewArray>())
                    }
                    _ => taken,
                })
            }
            "list" => {
                // Each value is an array of one element.
                let values = column.as_string_view_opt();
                let joined = found.iter().map(|found| {
                    let rows = items(found);
                    let each: Vec<&str> = rows
                        .iter()
                        .filter_map(|row| values.map(|values| values.value(*row as usize)))
                        .map(|text| text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or("null"))
                        .collect();
                    format!("[{}]", each.join(","))
                });
                Ok(Arc::new(StringViewArray::from_iter_values(joined)))
            }
            all_or_any => {
                let values = column.as_boolean_opt();
                let holds = |row: &u32| {
                    values.is_some_and(|values| values.is_valid(*row as usize) && values.value(*row as usize))
                };
                let shown = found.iter().map(|found| {
                    let rows = items(found);
                    Some(if all_or_any == "all" { rows.iter().all(holds) } else { rows.iter().any(holds) })
                });
                Ok(Arc::new(shown.collect::<BooleanArray>()))
            }
        }
    }
}

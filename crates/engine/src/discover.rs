//! Columns that depend on the data: `bag_unpack` and `pivot`.
//!
//! Before such a query can be bound for running, what the plugin reads is run by itself, the innermost plugin first, and
//! the query is bound again with the columns that were found.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use kql_functions::kernels::tabular::bag_unpack::BagKeys;
use kql_plan::lower::plugin::{BagUnpack, Conflict, Pivot};
use kql_plan::value_at;
use kql_semantics::bound::{BoundColumn, BoundQuery, BoundResult, Expr, ExprKind, PluginArg, Rel, RelKind};
use kql_semantics::walk::{for_each_expr_mut, for_each_input_mut, subqueries_mut};
use kql_semantics::{Catalog, CatalogMemo, StoredFunction, TableInfo};
use kql_types::{Column, Diagnostic, ScalarType, Span, Value};
use scan::DataSet;

use crate::{EngineError, ResultTable};

/// Plugins in one query at most.
pub(crate) const PLUGINS_MAX: usize = 16;
/// Columns that a plugin gives at most.
const COLUMNS_MAX: usize = 2_000;

/// The columns found so far, by the span of the operator.
pub(crate) type Found = Vec<(Span, Vec<Column>)>;

/// A catalog that knows what was found, and which tables have data.
pub(crate) struct Discovered {
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) data: Arc<DataSet>,
    pub(crate) found: Found,
}

impl Catalog for Discovered {
    fn table(&self, name: &str) -> Option<Arc<TableInfo>> {
        self.catalog.table(name)
    }

    fn table_names(&self) -> Vec<String> {
        self.catalog.table_names()
    }

    fn function(&self, name: &str) -> Option<Arc<StoredFunction>> {
        self.catalog.function(name)
    }

    fn function_names(&self) -> Vec<String> {
        self.catalog.function_names()
    }

    /// A pattern over names (`union *`, `search`) reads only what is there.
    fn has_rows(&self, table: &str) -> bool {
        self.catalog.has_rows(table) && self.data.row_count(table).is_some_and(|rows| rows > 0)
    }

    fn memo(&self) -> Option<&CatalogMemo> {
        self.catalog.memo()
    }

    fn watchlist_columns(&self, name: &str) -> Vec<String> {
        self.catalog.watchlist_columns(name)
    }

    fn is_reference(&self, table: &str) -> bool {
        self.catalog.is_reference(table)
    }

    fn open_columns(&self, operator: Span) -> Option<Vec<Column>> {
        let found = self.found.iter().find(|(span, _)| *span == operator);
        found.map(|(_, columns)| columns.clone()).or_else(|| self.catalog.open_columns(operator))
    }
}

/// A plugin whose columns are to be found, and the query that finds them.
pub(crate) struct Search {
    pub(crate) span: Span,
    pub(crate) query: BoundQuery,
    plugin: Plugin,
    input: Vec<BoundColumn>,
}

enum Plugin {
    BagUnpack(BagUnpack),
    Pivot(Pivot),
}

/// The innermost plugin of a query that nothing is known of.
pub(crate) fn next_search(query: &BoundQuery, found: &Found) -> Option<Search> {
    let mut query = query.clone();
    let (span, plugin, input) = query.results.iter_mut().find_map(|result| innermost(&mut result.rel, found))?;
    let columns = input.columns.clone();
    let rel = match &plugin {
        Plugin::BagUnpack(unpack) => {
            let bag = columns.iter().find(|column| column.id == unpack.bag)?.clone();
            let value = Expr { kind: ExprKind::Column(bag.id), ty: bag.ty, span };
            let kind = RelKind::Project { input, exprs: vec![(bag.id, value)] };
            Rel { kind: Box::new(kind), columns: vec![bag], serialized: false, span }
        }
        Plugin::Pivot(pivot) => {
            let by = columns.iter().find(|column| column.id == pivot.by)?.clone();
            let value = Expr { kind: ExprKind::Column(by.id), ty: by.ty, span };
            let kind = RelKind::Summarize { input, keys: vec![(by.id, value)], items: Vec::new() };
            Rel { kind: Box::new(kind), columns: vec![by], serialized: false, span }
        }
    };
    query.results = vec![BoundResult { name: None, rel, render: None }];
    Some(Search { span, query, plugin, input: columns })
}

fn innermost(rel: &mut Rel, found: &Found) -> Option<(Span, Plugin, Rel)> {
    let mut inputs: Vec<&mut Rel> = Vec::new();
    for_each_input_mut(rel, &mut |input| inputs.push(input));
    if let Some(inner) = inputs.into_iter().find_map(|input| innermost(input, found)) {
        return Some(inner);
    }
    let mut subqueries: Vec<&mut Expr> = Vec::new();
    for_each_expr_mut(rel, &mut |expr| subqueries_mut(expr, &mut subqueries));
    for expr in subqueries {
        if let ExprKind::Scalar(rel) | ExprKind::InRel { rel, .. } | ExprKind::HasRel { rel, .. } = &mut expr.kind
            && let Some(inner) = innermost(rel, found)
        {
            return Some(inner);
        }
    }
    let span = rel.span;
    let RelKind::Plugin { name, input: Some(input), args } = rel.kind.as_ref() else { return None };
    // Inside a sub-pipeline the rows can't be run by themselves.
    if found.iter().any(|(known, _)| *known == span) || reads_scope(input) {
        return None;
    }
    let plugin = plugin_of(name, args, input)?;
    Some((span, plugin, input.clone()))
}

fn plugin_of(name: &str, args: &[PluginArg], input: &Rel) -> Option<Plugin> {
    match name {
        "bag_unpack" => BagUnpack::of(args).map(Plugin::BagUnpack),
        "pivot" => Pivot::of(args, &input.columns).map(Plugin::Pivot),
        _ => None,
    }
}

fn reads_scope(rel: &Rel) -> bool {
    let mut found = matches!(rel.kind.as_ref(), RelKind::ApplyInput { .. });
    kql_semantics::walk::for_each_input(rel, &mut |input| found = found || reads_scope(input));
    found
}

impl Search {
    /// The plugin's columns, from the result of the search.
    pub(crate) fn columns(&self, result: Option<&ResultTable>) -> Result<Vec<Column>, EngineError> {
        let columns = match &self.plugin {
            Plugin::BagUnpack(unpack) => self.bag_columns(unpack, result)?,
            Plugin::Pivot(pivot) => self.pivot_columns(pivot, result),
        };
        if columns.len() > COLUMNS_MAX {
            return Err(EngineError::Limit(format!("more than {COLUMNS_MAX} columns in a result")));
        }
        Ok(columns)
    }

    fn bag_columns(&self, unpack: &BagUnpack, result: Option<&ResultTable>) -> Result<Vec<Column>, EngineError> {
        let mut keys = BagKeys::default();
        for batch in result.iter().flat_map(|result| &result.batches) {
            if let Some(bags) = batch.columns().first().and_then(|column| column.as_string_view_opt()) {
                keys.add(bags);
            }
        }
        let input = self.input.iter().filter(|column| column.id != unpack.bag);
        let mut columns: Vec<Column> = input.map(|column| Column::new(column.name.as_ref(), column.ty)).collect();
        for (key, ty) in keys.finish() {
            if unpack.ignored.contains(&key) {
                continue;
            }
            let name = format!("{}{key}", unpack.prefix);
            match (columns.iter_mut().find(|column| column.name == name), unpack.conflict) {
                (None, _) => columns.push(Column::new(name, ty)),
                (Some(known), Conflict::ReplaceSource) => known.ty = ty,
                (Some(_), Conflict::KeepSource) => {}
                (Some(_), Conflict::Error) => {
                    let message = format!("bag_unpack gives a column '{name}' that the input has already");
                    let help = "columnsConflict='replace_source' or 'keep_source' says which one to keep";
                    let diagnostic = Diagnostic::error("TW011", self.span, message).with_help(help);
                    return Err(EngineError::Diagnostics(vec![diagnostic]));
                }
            }
        }
        Ok(columns)
    }

    fn pivot_columns(&self, pivot: &Pivot, result: Option<&ResultTable>) -> Vec<Column> {
        let mut columns: Vec<Column> =
            pivot.keys.iter().map(|column| Column::new(column.name.as_ref(), column.ty)).collect();
        let taken: HashSet<String> = columns.iter().map(|column| column.name.clone()).collect();
        let mut names: Vec<String> = Vec::new();
        for batch in result.iter().flat_map(|result| &result.batches) {
            let Some(values) = batch.columns().first() else { continue };
            let ty = self.query.results.first().and_then(|result| result.rel.columns.first());
            let ty = ty.map_or(ScalarType::Unknown, |column| column.ty);
            names.extend((0..batch.num_rows()).map(|row| text_of(&value_at(values, ty, row))));
        }
        names.retain(|name| !name.is_empty() && !taken.contains(name));
        names.sort();
        names.dedup();
        columns.extend(names.into_iter().map(|name| Column::new(name, pivot.returns())));
        columns
    }
}

/// What `tostring` gives.
fn text_of(value: &Value) -> String {
    match value {
        Value::Null(_) => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Long(value) => value.to_string(),
        Value::Real(value) => kql_types::number::format_real(*value),
        Value::Decimal(text) | Value::Guid(text) | Value::String(text) => text.clone(),
        Value::DateTime(ticks) => kql_types::datetime::format(*ticks),
        Value::TimeSpan(ticks) => kql_types::timespan::format(*ticks),
        Value::Dynamic(value) => value.to_text(),
    }
}

//! What must be known before a query can be planned: `toscalar`, `in (tabular)`, `has_any (tabular)`, `materialize`.
//!
//! Each is evaluated once, innermost first, and put in its place as a constant or as rows in memory.

use std::collections::HashMap;

use datafusion::arrow::compute::{filter_record_batch, is_not_null};
use datafusion::arrow::record_batch::RecordBatch;
use futures::future::BoxFuture;
use kql_plan::lower::Materialized;
use kql_plan::value_at;
use kql_semantics::bound::{BoundColumn, BoundQuery, ColumnId, Expr, ExprKind, JoinKind, Rel, RelKind};
use kql_semantics::walk::{for_each_expr_mut, for_each_input, for_each_input_mut, subqueries_mut};
use kql_types::{Diagnostic, Dynamic, ScalarType, Span, Value};

use crate::EngineError;
use crate::execute::Execution;
use crate::external;

/// Rows of a list beyond which it is joined.
const LIST_MAX: usize = 5_000;
/// How far the ids of joined columns lie below those of rows that are made here.
const JOINED: u32 = 1_000_000_000;
/// The code of an address that no file stands for.
const NO_FILE: &str = "TW012";

impl Execution {
    /// Replaces all subqueries of a query by their values.
    pub(crate) async fn resolve_query(&mut self, query: &mut BoundQuery) -> Result<(), EngineError> {
        let mut uses = HashMap::new();
        for result in &query.results {
            count_materialized(&result.rel, &mut uses);
        }
        for result in &mut query.results {
            self.resolve(&mut result.rel, &uses).await?;
        }
        Ok(())
    }

    fn resolve<'a>(
        &'a mut self,
        rel: &'a mut Rel,
        uses: &'a HashMap<u32, usize>,
    ) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(async move {
            if let RelKind::Materialize { id, .. } = rel.kind.as_ref()
                && self.materialized.contains_key(id)
            {
                return Ok(());
            }
            if matches!(rel.kind.as_ref(), RelKind::ExternalData { .. }) {
                return self.resolve_external(rel);
            }
            let mut inputs: Vec<&mut Rel> = Vec::new();
            for_each_input_mut(rel, &mut |input| inputs.push(input));
            for input in inputs {
                self.resolve(input, uses).await?;
            }
            if matches!(rel.kind.as_ref(), RelKind::Filter { .. }) {
                self.long_lists(rel, uses).await?;
            }
            let mut subqueries: Vec<&mut Expr> = Vec::new();
            for_each_expr_mut(rel, &mut |expr| subqueries_mut(expr, &mut subqueries));
            for expr in subqueries {
                self.resolve_expr(expr, uses).await?;
            }
            if matches!(rel.kind.as_ref(), RelKind::Plugin { name, .. } if crate::graph::is_graph(name)) {
                return self.resolve_graph(rel).await;
            }
            if let RelKind::Materialize { id, input } = rel.kind.as_ref()
                && uses.get(id).copied().unwrap_or(0) > 1
            {
                let collected = self.collect(input, None).await?;
                let rows =
                    Materialized { batches: collected.batches, places: collected.places, ordered: input.serialized };
                self.materialized.insert(*id, rows);
            }
            Ok(())
        })
    }

    /// Keeps rows that are no `materialize` of the query. Their ids count down from the top, where those of the query never
    /// come.
    pub(crate) fn new_rows(&mut self, rows: Materialized) -> u32 {
        self.made_rows += 1;
        let id = u32::MAX - self.made_rows;
        self.materialized.insert(id, rows);
        id
    }

    /// Puts the rows of the files in the place of `externaldata`. An address that no file stands for has no rows.
    fn resolve_external(&mut self, rel: &mut Rel) -> Result<(), EngineError> {
        let RelKind::ExternalData { uris, options } = rel.kind.as_ref() else { return Ok(()) };
        let columns: Vec<(&str, ScalarType)> =
            rel.columns.iter().map(|bound| (bound.name.as_ref(), bound.ty)).collect();
        let key = format!("{uris:?} {options:?} {columns:?}");
        let id = match self.external_rows.get(&key) {
            Some(id) => *id,
            None => {
                let mut batches = Vec::new();
                for uri in uris {
                    match self.external.find(uri) {
                        Some(file) => batches.push(external::read(&file, uri, options, &rel.columns)?),
                        None => self.warnings.push(
                            Diagnostic::warning(NO_FILE, rel.span, format!("externaldata has no rows of {uri}."))
                                .with_help("nothing is fetched: allow a folder with a file of that name"),
                        ),
                    }
                }
                batches.retain(|batch| batch.num_rows() > 0);
                let id = self.new_rows(Materialized { batches, places: None, ordered: true });
                self.external_rows.insert(key, id);
                id
            }
        };
        let columns = rel.columns.clone();
        let input = Rel { kind: Box::new(RelKind::Empty), columns, serialized: true, span: rel.span };
        *rel.kind = RelKind::Materialize { id, input };
        Ok(())
    }

    fn resolve_expr<'a>(
        &'a mut self,
        expr: &'a mut Expr,
        uses: &'a HashMap<u32, usize>,
    ) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(async move {
            let span = expr.span;
            let kind = std::mem::replace(&mut expr.kind, ExprKind::Error);
            expr.kind = match kind {
                ExprKind::Scalar(mut rel) => {
                    self.resolve(&mut rel, uses).await?;
                    let values = self.first_column(&rel, Some(1)).await?;
                    ExprKind::Literal(values.into_iter().next().unwrap_or(Value::missing(expr.ty)))
                }
                ExprKind::InRel { mut value, mut rel, case_insensitive, negated } => {
                    self.resolve_inside(&mut value, uses).await?;
                    self.resolve(&mut rel, uses).await?;
                    let items = self.literals(&rel, span).await?;
                    ExprKind::In { value, items, case_insensitive, negated }
                }
                ExprKind::HasRel { mut value, mut rel, all } => {
                    self.resolve_inside(&mut value, uses).await?;
                    self.resolve(&mut rel, uses).await?;
                    let name = if all { "has_all" } else { "has_any" };
                    let Some(function) = kql_functions::operator(name) else {
                        return Err(EngineError::Unsupported { name: name.to_owned(), span: Some(span) });
                    };
                    let mut args = vec![*value];
                    args.extend(self.literals(&rel, span).await?);
                    ExprKind::Call { function, args }
                }
                other => other,
            };
            Ok(())
        })
    }

    /// `where x in (table)`: a table of many rows is joined instead of becoming a list of literals.
    async fn long_lists(&mut self, rel: &mut Rel, uses: &HashMap<u32, usize>) -> Result<(), EngineError> {
        let span = rel.span;
        let RelKind::Filter { input, predicate } = rel.kind.as_mut() else { return Ok(()) };
        if input.serialized {
            return Ok(());
        }
        let whole = std::mem::replace(&mut predicate.kind, ExprKind::And(Vec::new()));
        let parts = match whole {
            ExprKind::And(parts) => parts,
            kind => vec![Expr { kind, ty: predicate.ty, span: predicate.span }],
        };
        let mut kept = Vec::with_capacity(parts.len());
        for mut part in parts {
            if let ExprKind::InRel { value, rel: list, case_insensitive: false, negated: false } = &mut part.kind
                && is_joinable(value, list)
            {
                self.resolve(list, uses).await?;
                let column = self.collect(list, None).await?.batches;
                if column.iter().map(RecordBatch::num_rows).sum::<usize>() > LIST_MAX {
                    let rows = Materialized { batches: without_nulls(&column)?, places: None, ordered: false };
                    let right = self.rows_of(rows, list, span);
                    let key = right.columns.first().map(|bound| (bound.id, bound.ty));
                    let Some((id, ty)) = key else { continue };
                    let keys = vec![(value.as_ref().clone(), Expr { kind: ExprKind::Column(id), ty, span })];
                    let columns = input.columns.clone();
                    let empty = Rel { kind: Box::new(RelKind::Empty), columns: Vec::new(), serialized: false, span };
                    let left = std::mem::replace(input, empty);
                    let kind = RelKind::Join { left, right, kind: JoinKind::LeftSemi, keys, condition: None };
                    *input = Rel { kind: Box::new(kind), columns, serialized: false, span };
                    continue;
                }
                let values =
                    values_of(&column, list.columns.first().map_or(ScalarType::Unknown, |bound| bound.ty), None);
                let value = Box::new(std::mem::replace(value.as_mut(), literal_of(Value::Bool(true), span)));
                part.kind =
                    ExprKind::In { value, items: distinct(values, span), case_insensitive: false, negated: false };
            }
            kept.push(part);
        }
        let RelKind::Filter { predicate, .. } = rel.kind.as_mut() else { return Ok(()) };
        predicate.kind = ExprKind::And(kept);
        Ok(())
    }

    /// Rows in memory as a relation with the first column of `like`, under an id that no column of a query has.
    fn rows_of(&mut self, rows: Materialized, like: &Rel, span: Span) -> Rel {
        let id = self.new_rows(rows);
        let column = like.columns.first().map(|bound| BoundColumn { id: ColumnId(id - JOINED), ..bound.clone() });
        let columns: Vec<BoundColumn> = column.into_iter().collect();
        let input = Rel { kind: Box::new(RelKind::Empty), columns: columns.clone(), serialized: false, span };
        Rel { kind: Box::new(RelKind::Materialize { id, input }), columns, serialized: false, span }
    }

    async fn resolve_inside(&mut self, expr: &mut Expr, uses: &HashMap<u32, usize>) -> Result<(), EngineError> {
        let mut subqueries: Vec<&mut Expr> = Vec::new();
        subqueries_mut(expr, &mut subqueries);
        for inner in subqueries {
            self.resolve_expr(inner, uses).await?;
        }
        Ok(())
    }

    /// The distinct values of the first column, in order of appearance.
    async fn literals(&mut self, rel: &Rel, span: Span) -> Result<Vec<Expr>, EngineError> {
        Ok(distinct(self.first_column(rel, None).await?, span))
    }

    async fn first_column(&mut self, rel: &Rel, rows: Option<usize>) -> Result<Vec<Value>, EngineError> {
        let ty = rel.columns.first().map_or(ScalarType::Unknown, |bound| bound.ty);
        let collected = self.collect(rel, None).await?;
        Ok(values_of(&collected.batches, ty, rows))
    }
}

/// The first values of the first column.
fn values_of(batches: &[RecordBatch], ty: ScalarType, rows: Option<usize>) -> Vec<Value> {
    let mut values = Vec::new();
    for batch in batches {
        let Some(column) = batch.columns().first() else { continue };
        for row in 0..batch.num_rows() {
            if rows.is_some_and(|rows| values.len() >= rows) {
                return values;
            }
            values.push(value_at(column, ty, row));
        }
    }
    values
}

/// Values as literals, each once. An array stands for its elements, as in a list that is written out:
/// `where User in ((T | summarize make_set(User)))`.
fn distinct(values: Vec<Value>, span: Span) -> Vec<Expr> {
    let mut seen = std::collections::HashSet::new();
    let mut flat = Vec::with_capacity(values.len());
    for value in values {
        match value {
            Value::Dynamic(Dynamic::Array(items)) => flat.extend(items.into_iter().map(|item| match item {
                Dynamic::String(text) => Value::String(text),
                Dynamic::Long(number) => Value::Long(number),
                other => Value::Dynamic(other),
            })),
            other => flat.push(other),
        }
    }
    let values = flat.into_iter().filter(|value| seen.insert(format!("{value:?}")));
    values.map(|value| literal_of(value, span)).collect()
}

fn literal_of(value: Value, span: Span) -> Expr {
    Expr { ty: value.ty(), kind: ExprKind::Literal(value), span }
}

/// The first column without nulls, which no value equals.
fn without_nulls(batches: &[RecordBatch]) -> Result<Vec<RecordBatch>, EngineError> {
    let bug = |error: datafusion::arrow::error::ArrowError| EngineError::Bug(error.to_string());
    let mut column = Vec::with_capacity(batches.len());
    for batch in batches {
        let first = batch.project(&[0]).map_err(bug)?;
        let there = is_not_null(first.column(0)).map_err(bug)?;
        column.push(filter_record_batch(&first, &there).map_err(bug)?);
    }
    Ok(column)
}

/// Whether a value can be matched with the rows of a list by a join: equal types, and types where equal values are equal
/// in memory.
fn is_joinable(value: &Expr, list: &Rel) -> bool {
    use ScalarType::{DateTime, Guid, Int, Long, String, TimeSpan};
    let plain = matches!(value.ty, Int | Long | DateTime | TimeSpan | Guid | String);
    let mut inner = Vec::new();
    let mut copy = value.clone();
    subqueries_mut(&mut copy, &mut inner);
    plain && inner.is_empty() && list.columns.first().is_some_and(|bound| bound.ty == value.ty)
}

fn count_materialized(rel: &Rel, uses: &mut HashMap<u32, usize>) {
    if let RelKind::Materialize { id, .. } = rel.kind.as_ref() {
        let count = uses.entry(*id).or_insert(0);
        *count += 1;
        if *count > 1 {
            return;
        }
    }
    for_each_input(rel, &mut |input| count_materialized(input, uses));
}

//! What must be known before a query can be planned: `toscalar`, `in (tabular)`, `has_any (tabular)`, `materialize`.
//!
//! Each is evaluated once, innermost first, and put in its place as a constant or as rows in memory.

use std::collections::HashMap;

use futures::future::BoxFuture;
use kql_plan::lower::Materialized;
use kql_plan::value_at;
use kql_plan::walk::{for_each_expr_mut, for_each_input, for_each_input_mut, subqueries_mut};
use kql_semantics::bound::{BoundQuery, Expr, ExprKind, Rel, RelKind};
use kql_types::{Diagnostic, ScalarType, Value};

use crate::EngineError;
use crate::execute::Execution;
use crate::external;

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

    async fn resolve_inside(&mut self, expr: &mut Expr, uses: &HashMap<u32, usize>) -> Result<(), EngineError> {
        let mut subqueries: Vec<&mut Expr> = Vec::new();
        subqueries_mut(expr, &mut subqueries);
        for inner in subqueries {
            self.resolve_expr(inner, uses).await?;
        }
        Ok(())
    }

    /// The distinct values of the first column, in order of appearance.
    async fn literals(&mut self, rel: &Rel, span: kql_types::Span) -> Result<Vec<Expr>, EngineError> {
        let mut seen = std::collections::HashSet::new();
        let values = self.first_column(rel, None).await?;
        let distinct = values.into_iter().filter(|value| seen.insert(format!("{value:?}")));
        Ok(distinct.map(|value| Expr { ty: value.ty(), kind: ExprKind::Literal(value), span }).collect())
    }

    async fn first_column(&mut self, rel: &Rel, rows: Option<usize>) -> Result<Vec<Value>, EngineError> {
        let ty = rel.columns.first().map_or(ScalarType::Unknown, |bound| bound.ty);
        let collected = self.collect(rel, None).await?;
        let mut values = Vec::new();
        for batch in &collected.batches {
            let Some(column) = batch.columns().first() else { continue };
            for row in 0..batch.num_rows() {
                if rows.is_some_and(|rows| values.len() >= rows) {
                    return Ok(values);
                }
                values.push(value_at(column, ty, row));
            }
        }
        Ok(values)
    }
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

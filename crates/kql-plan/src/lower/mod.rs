//! Lowering: one function per operator, each in its own file.
//!
//! Lowering goes down with the set of columns that are needed above, so that a table is read with these alone, and
//! comes back with a [`Lowered`]: a plan, the order its rows have in Kusto, and columns carried along unseen.

mod activity;
mod apply;
mod expr;
mod join;
mod mv_expand;
mod native;
mod parse;
pub mod plugin;
mod rows;
mod scan;
mod series;
mod sort;
mod summarize;
mod top_nested;
mod union;
mod whole;
mod window;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion_common::arrow::datatypes::{DataType, Field, Fields, Schema};
use datafusion_common::arrow::record_batch::RecordBatch;
use datafusion_common::{DFSchema, DFSchemaRef, DataFusionError, ScalarValue};
use datafusion_expr::logical_plan::{EmptyRelation, Filter, Projection};
use datafusion_expr::{Expr as PlanExpr, ExprSchemable, LogicalPlan, TableSource};
use kql_semantics::bound::{ColumnId, Expr, ExprKind, Rel, RelKind};
use kql_types::{ScalarType, Value};

use crate::error::{LowerError, LowerResult};
use crate::function::internal::Internal;
use crate::lower::mv_expand::Expansion;
use crate::lower::scan::ScanParts;
use crate::node::OrderKey;
use crate::value::arrow_type;
use kql_semantics::walk::{ColumnSet, any_expr, columns_of};

/// A column that a plan reads from a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceColumn {
    /// Name in the table.
    pub name: String,
    /// Name in the plan.
    pub plan_name: String,
    pub ty: ScalarType,
}

/// The tables a query reads.
pub trait Tables {
    /// Rows of a table: a source with exactly these columns under their plan names. None when there are no rows.
    ///
    /// # Errors
    /// When the table's data can't be read.
    fn source(&self, table: &str, columns: &[SourceColumn]) -> Result<Option<Arc<dyn TableSource>>, DataFusionError>;

    /// Whether the window clips the table.
    fn clipped(&self, table: &str) -> bool;

    /// A time such that the first `count` rows of a whole source, in the order of the key's column, are not before it
    /// (not after it when the order ascends). None where that is not known without reading.
    fn bound_of_first(&self, _source: &Arc<dyn TableSource>, _key: &OrderKey, _count: u64) -> Option<i64> {
        None
    }
}

/// A span of ticks, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowClip {
    pub from: i64,
    pub to: i64,
}

/// How long after their `TimeGenerated` rows arrive that have no ingestion time of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArrivalDelays {
    /// Ticks, by the name of the table.
    pub by_table: BTreeMap<String, i64>,
    /// Ticks, for every other table.
    pub other: i64,
}

impl ArrivalDelays {
    /// Ticks for a table.
    pub fn of(&self, table: &str) -> i64 {
        self.by_table.get(table).copied().unwrap_or(self.other)
    }
}

/// What lowering is told besides the query.
#[derive(Debug, Clone, Default)]
pub struct LowerOptions {
    pub window: Option<WindowClip>,
    /// Only rows that arrived in this span, by their ingestion time; rows without one count as arrived.
    pub arrived: Option<WindowClip>,
    /// When rows without an ingestion time are taken to have arrived; None: not known.
    pub arrival_delays: Option<Arc<ArrivalDelays>>,
    /// Carry the places of source records.
    pub provenance: bool,
    /// How status values of `AzureActivity` are shown; None: as they are.
    pub azure_status: Option<Internal>,
}

/// The rows of a `materialize` that has been evaluated: columns in the order of its input's.
#[derive(Debug, Clone)]
pub struct Materialized {
    pub batches: Vec<RecordBatch>,
    /// The name in the batches of the column with the places of source records.
    pub places: Option<String>,
    /// The rows are in a meaningful order.
    pub ordered: bool,
}

/// A relation as a plan.
#[derive(Debug, Clone)]
pub struct Lowered {
    pub plan: LogicalPlan,
    /// The order the rows have in Kusto, over columns of the plan; the plan itself need not deliver it.
    pub order: Vec<OrderKey>,
    pub hidden: Hidden,
}

/// Columns of a plan that the query does not see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hidden {
    /// Places of source records (Binary, see [`crate::places`]).
    pub places: Option<String>,
    /// Ingestion time of the row (Int64 ticks).
    pub ingestion: Option<String>,
    /// The sub-pipeline these rows belong to.
    pub scope: Option<Scope>,
}

/// Inside `mv-apply` and `partition`, all sub-pipelines run as one: every row says which it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Int64: equal for the rows of one sub-pipeline.
    pub row: String,
    /// Boolean: false marks a row that is there only so that an aggregate over no rows gives its one row.
    pub live: Option<String>,
    /// Columns that every row of one sub-pipeline has equal.
    pub carried: Vec<String>,
}

impl Hidden {
    fn names(&self) -> impl Iterator<Item = &String> {
        let scope = self
            .scope
            .iter()
            .flat_map(|scope| std::iter::once(&scope.row).chain(scope.live.iter()).chain(scope.carried.iter()));
        self.places.iter().chain(self.ingestion.iter()).chain(scope)
    }
}

impl Lowered {
    fn new(plan: LogicalPlan) -> Lowered {
        Lowered { plan, order: Vec::new(), hidden: Hidden::default() }
    }

    /// The columns that must stay although the query does not see them, without repeats.
    fn carried(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in self.order.iter().map(|key| &key.column).chain(self.hidden.names()) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// The Arrow type of a column of the plan.
    fn type_of(&self, name: &str) -> LowerResult<DataType> {
        let field = self.plan.schema().field_with_unqualified_name(name)?;
        Ok(field.data_type().clone())
    }
}

/// Lowers the relations of one query.
pub struct Lowering<'a> {
    pub(crate) tables: &'a dyn Tables,
    pub(crate) options: &'a LowerOptions,
    pub(crate) materialized: &'a HashMap<u32, Materialized>,
    /// The query asks for `ingestion_time()`.
    ingestion: bool,
    /// Numbers of hidden columns.
    next: u32,
    /// Input rows of the sub-pipelines being lowered.
    scopes: HashMap<u32, Lowered>,
}

/// The name of a bound column in plans.
pub fn column_name(id: ColumnId) -> String {
    format!("c{}", id.0)
}

pub(crate) fn column(name: &str) -> PlanExpr {
    PlanExpr::Column(datafusion_common::Column::new_unqualified(name))
}

impl<'a> Lowering<'a> {
    pub fn new(
        tables: &'a dyn Tables,
        options: &'a LowerOptions,
        materialized: &'a HashMap<u32, Materialized>,
        ingestion: bool,
    ) -> Lowering<'a> {
        Lowering { tables, options, materialized, ingestion, next: 0, scopes: HashMap::new() }
    }

    /// Lowers a result: the plan's first columns are the visible ones in order, hidden ones follow; rows come in the
    /// order they have in Kusto.
    ///
    /// # Errors
    /// See [`LowerError`].
    pub fn lower_result(&mut self, rel: &Rel) -> LowerResult<Lowered> {
        let needed = rel.columns.iter().map(|column| column.id).collect();
        let lowered = self.lower(rel, &needed)?;
        let lowered = self.sorted(lowered, None)?;
        let mut exprs: Vec<PlanExpr> = Vec::new();
        // A result may show one column twice.
        for (index, bound) in rel.columns.iter().enumerate() {
            exprs.push(column(&column_name(bound.id)).alias(format!("r{index}")));
        }
        exprs.extend(lowered.hidden.places.iter().map(|name| column(name)));
        let hidden = Hidden { places: lowered.hidden.places.clone(), ..Hidden::default() };
        let plan = if exprs.is_empty() { lowered.plan } else { project_plan(lowered.plan, exprs)? };
        Ok(Lowered { plan, order: Vec::new(), hidden })
    }

    /// A fresh name for a hidden column.
    pub(crate) fn fresh(&mut self, prefix: &str) -> String {
        self.next += 1;
        format!("{prefix}{}", self.next)
    }

    /// Lowers a relation of which the `needed` columns are used above.
    pub(crate) fn lower(&mut self, rel: &Rel, needed: &ColumnSet) -> LowerResult<Lowered> {
        match rel.kind.as_ref() {
            RelKind::OneRow => Ok(Lowered::new(one_row())),
            RelKind::Empty => self.lower_empty(rel, needed),
            RelKind::Table { name, source } => self.lower_table(rel, name, source, needed),
            RelKind::Datatable { rows } => self.lower_datatable(rel, rows, needed),
            RelKind::Range { from, to, step } => self.lower_range(rel, from, to, step),
            RelKind::Filter { input, predicate } => self.lower_filter(input, predicate, needed),
            RelKind::Project { input, exprs } => self.lower_project(input, exprs, needed),
            RelKind::Summarize { input, keys, items } => self.lower_summarize(input, keys, items, needed),
            RelKind::Sort { input, keys } => self.lower_sort(input, keys, needed),
            RelKind::Take { input, count } => self.lower_take(input, count, needed),
            RelKind::Sample { input, count } => self.lower_take(input, count, needed),
            RelKind::Serialize { input } => self.lower(input, needed),
            RelKind::Union { inputs } => self.lower_union(rel, inputs, needed),
            RelKind::Join { left, right, kind, keys, condition } => {
                self.lower_join(left, right, *kind, keys, condition.as_ref(), needed)
            }
            RelKind::Materialize { id, input } => self.lower_materialized(rel, *id, input, needed),
            RelKind::ApplyInput { scope } => self.lower_apply_input(rel, *scope),
            RelKind::Partition { input, by, scope, subquery } => {
                self.lower_partition(input, by, *scope, subquery, needed)
            }
            RelKind::MvExpand { input, items, index, limit, bag_as_array } => {
                let (index, limit, bag_as_array) = (*index, *limit, *bag_as_array);
                let expansion = Expansion { items, index, limit, bag_as_array, live: None };
                self.lower_mv_expand(input, &expansion, needed)
            }
            RelKind::MvApply { input, scope, items, index, limit, context: _, subquery } => {
                let (index, limit) = (*index, *limit);
                let expansion = Expansion { items, index, limit, bag_as_array: false, live: None };
                self.lower_mv_apply(input, *scope, expansion, subquery, needed)
            }
            RelKind::MakeSeries { input, keys, aggregates, axis, axis_out, from, to, step, stop_inclusive } => {
                let series = series::Series {
                    keys,
                    aggregates,
                    axis,
                    axis_out: *axis_out,
                    from: from.as_ref(),
                    to: to.as_ref(),
                    step,
                    stop_inclusive: *stop_inclusive,
                    span: rel.span,
                };
                self.lower_series(input, &series)
            }
            RelKind::Parse { input, expr, mode, flags, parts, outputs, filter } => {
                let parse = parse::Parse { expr, mode: *mode, flags, parts, outputs, filter: *filter };
                self.lower_parse(input, &parse, needed)
            }
            RelKind::ParseKv { input, expr, options, outputs } => {
                self.lower_parse_kv(input, expr, options, outputs, needed)
            }
            RelKind::TopNested { input, levels } => self.lower_top_nested(input, levels),
            RelKind::Scan { input, partition_by, order_by, declared, steps, match_id } => {
                let parts = ScanParts { input, partition_by, order_by, declared, steps, match_id: *match_id };
                self.lower_scan(rel, &parts, needed)
            }
            RelKind::Plugin { name, input, args } => self.lower_plugin(rel, name, input.as_ref(), args, needed),
            RelKind::ExternalData { .. } => Err(LowerError::unsupported("externaldata", rel.span)),
            RelKind::Reduce { input, by, options } => self.lower_reduce(rel, input, by, options),
            // The rows of a watchlist, and of any other table of the host, lie in the data under a name of their own; one
            // that was not loaded is empty.
            RelKind::HostTable { name, args } => {
                // A watchlist is known by its name; what else `_GetWatchlist` is given only narrows it.
                let known = if name == "_GetWatchlist" { args.get(..1).unwrap_or_default() } else { args };
                let mut texts = Vec::with_capacity(known.len());
                for arg in known {
                    match arg {
                        Value::String(text) => texts.push(text.clone()),
                        other => texts.push(format!("{other:?}")),
                    }
                }
                let source: Vec<String> = rel.columns.iter().map(|column| column.name.to_string()).collect();
                self.lower_table(rel, &format!("{name}({})", texts.join(",")), &source, needed)
            }
        }
    }

    fn lower_filter(&mut self, input: &Rel, predicate: &Expr, needed: &ColumnSet) -> LowerResult<Lowered> {
        // Filters one after another are one: a rule may have hundreds of them.
        let is_window = |expr: &Expr| matches!(expr.kind, ExprKind::Window { .. });
        let mut predicates = vec![predicate];
        let mut input = input;
        while let (RelKind::Filter { input: below, predicate }, false) =
            (input.kind.as_ref(), predicates.iter().any(|predicate| any_expr(predicate, &is_window)))
        {
            predicates.push(predicate);
            input = below;
        }
        let predicate = match predicates.as_slice() {
            [only] => Expr::clone(only),
            all => Expr {
                kind: ExprKind::And(all.iter().rev().map(|predicate| Expr::clone(predicate)).collect()),
                ty: ScalarType::Bool,
                span: predicate.span,
            },
        };
        let mut wanted = needed.clone();
        columns_of(&predicate, &mut wanted);
        let lowered = self.lower(input, &wanted)?;
        let (lowered, mut exprs) = self.lower_windows(lowered, vec![predicate])?;
        let Some(predicate) = exprs.pop() else { return Err(LowerError::bug("a filter without a predicate")) };
        let condition = self.condition(&lowered, &predicate)?;
        self.filtered(lowered, condition)
    }

    /// Keeps the rows where `condition` holds. Where an aggregate over no rows must still give a row, the others stay
    /// as marked rows.
    pub(crate) fn filtered(&mut self, mut lowered: Lowered, condition: PlanExpr) -> LowerResult<Lowered> {
        if let Some(Scope { live: Some(live), .. }) = &mut lowered.hidden.scope {
            let fresh = format!("{live}f{}", self.next);
            self.next += 1;
            let still = column(live).and(datafusion_expr::Expr::IsTrue(Box::new(condition)));
            let mut exprs: Vec<PlanExpr> = Vec::new();
            for field in lowered.plan.schema().fields() {
                if field.name() != live {
                    exprs.push(column(field.name()));
                }
            }
            exprs.push(still.alias(&fresh));
            *live = fresh;
            lowered.plan = project_plan(lowered.plan, exprs)?;
            return Ok(lowered);
        }
        if let PlanExpr::Literal(ScalarValue::Boolean(Some(true)), _) = condition {
            return Ok(lowered);
        }
        if has_no_rows(&lowered.plan) {
            return Ok(lowered);
        }
        lowered.plan = LogicalPlan::Filter(Filter::try_new(condition, Arc::new(lowered.plan))?);
        Ok(lowered)
    }

    fn lower_project(&mut self, input: &Rel, exprs: &[(ColumnId, Expr)], needed: &ColumnSet) -> LowerResult<Lowered> {
        let kept: Vec<&(ColumnId, Expr)> = exprs.iter().filter(|(id, _)| needed.contains(id)).collect();
        let mut wanted = ColumnSet::default();
        kept.iter().for_each(|(_, expr)| columns_of(expr, &mut wanted));
        let lowered = self.lower(input, &wanted)?;
        let passes = |(id, expr): &(ColumnId, Expr)| matches!(expr.kind, ExprKind::Column(from) if from == *id);
        if kept.iter().all(|item| passes(item)) {
            return Ok(lowered);
        }
        let values: Vec<Expr> = kept.iter().map(|(_, expr)| expr.clone()).collect();
        let (lowered, values) = self.lower_windows(lowered, values)?;
        let mut outputs: Vec<PlanExpr> = Vec::with_capacity(kept.len());
        let mut names: Vec<String> = Vec::with_capacity(kept.len());
        let mut shown = ColumnSet::default();
        for ((id, _), expr) in kept.iter().zip(&values) {
            if !shown.insert(*id) {
                continue;
            }
            let name = column_name(*id);
            let value = self.expr(&lowered, expr)?;
            outputs.push(named(value, &name));
            names.push(name);
        }
        self.project(lowered, outputs, &names)
    }

    /// Projects to `outputs` (named `names`) and what must be carried along.
    pub(crate) fn project(
        &mut self,
        lowered: Lowered,
        mut outputs: Vec<PlanExpr>,
        names: &[String],
    ) -> LowerResult<Lowered> {
        for name in lowered.carried() {
            if !names.contains(&name) {
                outputs.push(column(&name));
            }
        }
        if outputs.is_empty() {
            return Ok(lowered);
        }
        let Lowered { plan, order, hidden } = lowered;
        Ok(Lowered { plan: project_plan(plan, outputs)?, order, hidden })
    }

    fn lower_empty(&mut self, rel: &Rel, needed: &ColumnSet) -> LowerResult<Lowered> {
        let columns: Vec<(String, ScalarType)> = self.used_columns(rel, needed);
        self.no_rows(&columns)
    }

    /// No rows of these columns, with the hidden columns a table would have.
    pub(crate) fn no_rows(&mut self, columns: &[(String, ScalarType)]) -> LowerResult<Lowered> {
        let mut fields: Vec<Field> = columns.iter().map(|(name, ty)| Field::new(name, arrow_type(*ty), true)).collect();
        let mut hidden = Hidden::default();
        if self.options.provenance {
            let name = self.fresh("p");
            fields.push(Field::new(&name, DataType::Binary, true));
            hidden.places = Some(name);
        }
        if self.ingestion {
            let name = self.fresh("g");
            fields.push(Field::new(&name, DataType::Int64, true));
            hidden.ingestion = Some(name);
        }
        let schema = DFSchema::try_from(Schema::new(Fields::from(fields)))?;
        let empty = EmptyRelation { produce_one_row: false, schema: Arc::new(schema) };
        Ok(Lowered { plan: LogicalPlan::EmptyRelation(empty), order: Vec::new(), hidden })
    }

    /// The needed columns of a leaf in its order; one column when none is needed, so that rows can be counted.
    pub(crate) fn used_columns(&self, rel: &Rel, needed: &ColumnSet) -> Vec<(String, ScalarType)> {
        let mut used: Vec<(String, ScalarType)> = Vec::new();
        for bound in &rel.columns {
            if needed.contains(&bound.id) {
                used.push((column_name(bound.id), bound.ty));
            }
        }
        if used.is_empty() {
            used.extend(rel.columns.first().map(|bound| (column_name(bound.id), bound.ty)));
        }
        used
    }
}

/// An expression under a name; a column of that name stays as it is.
pub(crate) fn named(expr: PlanExpr, name: &str) -> PlanExpr {
    match &expr {
        PlanExpr::Column(c) if c.name == name => expr,
        _ => expr.alias(name),
    }
}

/// A projection. Its schema is made here: DataFusion would look each column up by going through all of them.
pub(crate) fn project_plan(input: LogicalPlan, exprs: Vec<PlanExpr>) -> LowerResult<LogicalPlan> {
    let types: HashMap<&str, &DataType> =
        input.schema().fields().iter().map(|field| (field.name().as_str(), field.data_type())).collect();
    let mut fields: Vec<Field> = Vec::with_capacity(exprs.len());
    for expr in &exprs {
        let ty = match type_in(expr, &types) {
            Some(ty) => ty,
            None => expr.get_type(input.schema().as_ref())?,
        };
        let name = match expr {
            PlanExpr::Column(column) => column.name.clone(),
            PlanExpr::Alias(alias) => alias.name.clone(),
            other => other.schema_name().to_string(),
        };
        fields.push(Field::new(name, ty, true));
    }
    let schema = Arc::new(DFSchema::try_from(Schema::new(Fields::from(fields)))?);
    if has_no_rows(&input) {
        return Ok(no_rows_of(schema));
    }
    Ok(LogicalPlan::Projection(Projection::try_new_with_schema(exprs, Arc::new(input), schema)?))
}

/// The type of the commonest expressions; functions of ours know theirs without their arguments.
fn type_in(expr: &PlanExpr, types: &HashMap<&str, &DataType>) -> Option<DataType> {
    match expr {
        PlanExpr::Column(column) => types.get(column.name.as_str()).map(|ty| (*ty).clone()),
        PlanExpr::Alias(alias) => type_in(&alias.expr, types),
        PlanExpr::Literal(value, _) => Some(value.data_type()),
        PlanExpr::ScalarFunction(call) => call.func.inner().return_type(&[]).ok(),
        _ => None,
    }
}

/// Whether a plan is known to give no rows: what follows from a table without data. Such parts of a query are lowered, so
/// that their mistakes are found, but not planned.
pub(crate) fn has_no_rows(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: false, .. }))
}

pub(crate) fn no_rows_of(schema: DFSchemaRef) -> LogicalPlan {
    LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: false, schema })
}

fn one_row() -> LogicalPlan {
    LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: true, schema: Arc::new(DFSchema::empty()) })
}

//! Leaves: tables of the catalog, `datatable`, `range`, and rows that were evaluated before.

use std::sync::Arc;

use datafusion_common::arrow::array::{ArrayRef, Int64Array};
use datafusion_common::arrow::datatypes::{DataType, Field, Fields, Schema};
use datafusion_common::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion_common::{DataFusionError, ScalarValue};
use datafusion_expr::logical_plan::TableScanBuilder;
use datafusion_expr::{Expr as PlanExpr, LogicalPlan, lit, when};
use kql_semantics::bound::{Expr, Rel};
use kql_types::{ScalarType, Value};

use crate::error::{LowerError, LowerResult};
use crate::function::internal::Internal;
use crate::lower::{Lowered, Lowering, SourceColumn, column, column_name, project_plan};
use crate::node::{Bound, KqlNode, Op, OrderKey};
use crate::value::{array, arrow_type};
use kql_semantics::walk::ColumnSet;

/// The column that says when something happened.
const TIME_COLUMN: &str = "TimeGenerated";
/// The table and columns whose spelling depends on the way the records came.
const AZURE_TABLE: &str = "AzureActivity";
const AZURE_STATUS: [&str; 2] = ["ActivityStatusValue", "ActivityStatus"];
/// Names of hidden columns of tables; `tables` defines them for those who write rows.
const SOURCE_COLUMN: &str = "__source";
const INGESTION_COLUMN: &str = "__ingestion";

/// Fills ingestion times that are not known: so long after `TimeGenerated`.
fn with_arrivals(plan: LogicalPlan, arrives: &str, time: &str, delay: i64) -> LowerResult<LogicalPlan> {
    let filled = when(column(arrives).is_null(), column(time) + lit(delay)).otherwise(column(arrives))?;
    let outputs: Vec<PlanExpr> = plan
        .schema()
        .fields()
        .iter()
        .map(|field| if field.name() == arrives { filled.clone().alias(arrives) } else { column(field.name()) })
        .collect();
    project_plan(plan, outputs)
}

impl Lowering<'_> {
    pub(super) fn lower_table(
        &mut self,
        rel: &Rel,
        table: &str,
        source: &[String],
        needed: &ColumnSet,
    ) -> LowerResult<Lowered> {
        let mut columns: Vec<SourceColumn> = Vec::new();
        for (bound, name) in rel.columns.iter().zip(source) {
            let plan_name = column_name(bound.id);
            if needed.contains(&bound.id) && !columns.iter().any(|known| known.plan_name == plan_name) {
                columns.push(SourceColumn { name: name.clone(), plan_name, ty: bound.ty });
            }
        }
        if columns.is_empty() {
            columns.extend(self.cheapest(rel, source));
        }
        let visible: Vec<(String, ScalarType)> =
            columns.iter().map(|column| (column.plan_name.clone(), column.ty)).collect();
        let clip = self.options.window.filter(|_| self.tables.clipped(table));
        let arrived = self.options.arrived.filter(|_| self.tables.clipped(table));
        let asked = self.tables.clipped(table) && (self.ingestion || arrived.is_some());
        let delay = self.options.arrival_delays.as_ref().filter(|_| asked).map(|delays| delays.of(table));
        let mut time = None;
        if clip.is_some() || delay.is_some() {
            time = columns.iter().find(|column| column.name == TIME_COLUMN).map(|column| column.plan_name.clone());
            if time.is_none() {
                time = Some(self.add_hidden(&mut columns, TIME_COLUMN, ScalarType::DateTime, "t"));
            }
        }
        let place =
            self.options.provenance.then(|| self.add_hidden(&mut columns, SOURCE_COLUMN, ScalarType::Long, "s"));
        let ingestion =
            self.ingestion.then(|| self.add_hidden(&mut columns, INGESTION_COLUMN, ScalarType::DateTime, "g"));
        let arrival = arrived.map(|span| {
            let name = ingestion.clone();
            (span, name.unwrap_or_else(|| self.add_hidden(&mut columns, INGESTION_COLUMN, ScalarType::DateTime, "g")))
        });
        let Some(provider) = self.tables.source(table, &columns)? else { return self.no_rows(&visible) };
        let scan = TableScanBuilder::new(table.replace('.', "_"), provider).build()?;
        let mut lowered = Lowered::new(LogicalPlan::TableScan(scan));
        let arrives = ingestion.as_ref().or(arrival.as_ref().map(|(_, name)| name));
        if let (Some(delay), Some(time), Some(arrives)) = (delay, &time, arrives) {
            lowered.plan = with_arrivals(lowered.plan, arrives, time, delay)?;
        }
        lowered.hidden.ingestion = ingestion;
        if let (Some(clip), Some(time)) = (clip, time) {
            let time = column(&time);
            let within = time.clone().gt_eq(lit(clip.from)).and(time.lt_eq(lit(clip.to)));
            lowered = self.filtered(lowered, within)?;
        }
        if let Some((span, arrival)) = arrival {
            let time = column(&arrival);
            let within = time.clone().gt_eq(lit(span.from)).and(time.clone().lt_eq(lit(span.to)));
            lowered = self.filtered(lowered, within.or(time.is_null()))?;
        }
        self.presented(lowered, table, &columns, &visible, place)
    }

    /// Status values in the chosen dialect, and the place of each row as a set.
    fn presented(
        &mut self,
        mut lowered: Lowered,
        table: &str,
        columns: &[SourceColumn],
        visible: &[(String, ScalarType)],
        place: Option<String>,
    ) -> LowerResult<Lowered> {
        let dialect = self.options.azure_status.filter(|_| table == AZURE_TABLE);
        let is_status = |name: &str| {
            columns.iter().any(|column| column.plan_name == name && AZURE_STATUS.contains(&column.name.as_str()))
        };
        if place.is_none() && !(dialect.is_some() && visible.iter().any(|(name, _)| is_status(name))) {
            return Ok(lowered);
        }
        let mut outputs: Vec<PlanExpr> = Vec::new();
        for (name, _) in visible {
            outputs.push(match dialect {
                Some(map) if is_status(name) => map.call(vec![column(name)]).alias(name),
                _ => column(name),
            });
        }
        outputs.extend(lowered.hidden.ingestion.iter().map(|name| column(name)));
        if let Some(place) = place {
            let name = self.fresh("p");
            outputs.push(Internal::Place.call(vec![column(&place)]).alias(&name));
            lowered.hidden.places = Some(name);
        }
        lowered.plan = project_plan(lowered.plan, outputs)?;
        Ok(lowered)
    }

    fn add_hidden(&mut self, columns: &mut Vec<SourceColumn>, name: &str, ty: ScalarType, prefix: &str) -> String {
        let plan_name = self.fresh(prefix);
        columns.push(SourceColumn { name: name.to_owned(), plan_name: plan_name.clone(), ty });
        plan_name
    }

    /// The column that costs least to read, for counting rows.
    fn cheapest(&self, rel: &Rel, source: &[String]) -> Option<SourceColumn> {
        let cost = |ty: ScalarType| match ty {
            ScalarType::DateTime => 0,
            ScalarType::Bool | ScalarType::Int => 1,
            ScalarType::Long | ScalarType::TimeSpan | ScalarType::Real => 2,
            ScalarType::Guid => 3,
            ScalarType::String | ScalarType::Decimal => 4,
            ScalarType::Dynamic | ScalarType::Unknown => 5,
        };
        let pairs = rel.columns.iter().zip(source);
        pairs.min_by_key(|(bound, _)| cost(bound.ty)).map(|(bound, name)| SourceColumn {
            name: name.clone(),
            plan_name: column_name(bound.id),
            ty: bound.ty,
        })
    }

    pub(super) fn lower_datatable(
        &mut self,
        rel: &Rel,
        rows: &[Vec<Value>],
        needed: &ColumnSet,
    ) -> LowerResult<Lowered> {
        let mut arrays: Vec<(String, ScalarType, ArrayRef)> = Vec::new();
        for (index, bound) in rel.columns.iter().enumerate() {
            if !needed.contains(&bound.id) {
                continue;
            }
            let missing = Value::missing(bound.ty);
            let values: Vec<&Value> = rows.iter().map(|row| row.get(index).unwrap_or(&missing)).collect();
            arrays.push((column_name(bound.id), bound.ty, array(bound.ty, &values)?));
        }
        let ordinal = self.fresh("o");
        let positions: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows.len() as i64));
        let mut fields: Vec<(String, DataType)> =
            arrays.iter().map(|(name, ty, _)| (name.clone(), arrow_type(*ty))).collect();
        fields.push((ordinal.clone(), DataType::Int64));
        let mut columns: Vec<ArrayRef> = arrays.into_iter().map(|(_, _, array)| array).collect();
        columns.push(positions);
        let mut lowered = Lowered::new(self.rows_plan(fields, columns, rows.len())?);
        lowered.order = vec![ascending(ordinal)];
        self.with_no_places(lowered)
    }

    /// Rows in memory as a plan.
    pub(crate) fn rows_plan(
        &self,
        fields: Vec<(String, DataType)>,
        columns: Vec<ArrayRef>,
        rows: usize,
    ) -> LowerResult<LogicalPlan> {
        let schema: Fields = fields.iter().map(|(name, ty)| Field::new(name, ty.clone(), true)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(schema)), columns, &options)
            .map_err(DataFusionError::from)?;
        Ok(KqlNode::plan(Op::Rows { batches: vec![batch] }, None, Vec::new(), Vec::new(), fields)?)
    }

    /// Rows that no record stands behind still have the columns that records would have, when these are carried.
    fn with_no_places(&mut self, mut lowered: Lowered) -> LowerResult<Lowered> {
        if !self.options.provenance && !self.ingestion {
            return Ok(lowered);
        }
        let mut outputs: Vec<PlanExpr> =
            lowered.plan.schema().fields().iter().map(|field| column(field.name())).collect();
        if self.options.provenance {
            let name = self.fresh("p");
            let none = PlanExpr::Literal(ScalarValue::Binary(Some(vec![0])), None);
            outputs.push(none.alias(&name));
            lowered.hidden.places = Some(name);
        }
        if self.ingestion {
            let name = self.fresh("g");
            outputs.push(PlanExpr::Literal(ScalarValue::Int64(None), None).alias(&name));
            lowered.hidden.ingestion = Some(name);
        }
        lowered.plan = project_plan(lowered.plan, outputs)?;
        Ok(lowered)
    }

    pub(super) fn lower_range(&mut self, rel: &Rel, from: &Expr, to: &Expr, step: &Expr) -> LowerResult<Lowered> {
        let Some(bound) = rel.columns.first() else { return Err(LowerError::bug("range without a column")) };
        let name = column_name(bound.id);
        let bounds = (self.bound(from)?, self.bound(to)?, self.bound(step)?);
        let (Some(from), Some(to), Some(step)) = bounds else {
            return self.no_rows(&[(name, bound.ty)]);
        };
        let op = Op::Range { ty: bound.ty, from, to, step };
        let plan = KqlNode::plan(op, None, Vec::new(), Vec::new(), vec![(name.clone(), arrow_type(bound.ty))])?;
        let descending = match step {
            Bound::Long(step) => step < 0,
            Bound::Real(step) => step < 0.0,
        };
        let mut lowered = Lowered::new(plan);
        lowered.order = vec![OrderKey { column: name, descending, nulls_first: !descending }];
        self.with_no_places(lowered)
    }

    fn bound(&mut self, expr: &Expr) -> LowerResult<Option<Bound>> {
        match self.constant(expr)? {
            ScalarValue::Int64(value) => Ok(value.map(Bound::Long)),
            ScalarValue::Int32(value) => Ok(value.map(|value| Bound::Long(i64::from(value)))),
            ScalarValue::Float64(value) => Ok(value.map(Bound::Real)),
            other => {
                Err(LowerError::Constant { message: format!("range over {}", other.data_type()), span: expr.span })
            }
        }
    }

    pub(super) fn lower_materialized(
        &mut self,
        rel: &Rel,
        id: u32,
        input: &Rel,
        needed: &ColumnSet,
    ) -> LowerResult<Lowered> {
        let Some(rows) = self.materialized.get(&id) else {
            return self.lower_once(rel, input, needed);
        };
        let Some(first) = rows.batches.first() else {
            return self.no_rows(&self.used_columns(rel, needed));
        };
        // Columns of the batches: the input's in order, then hidden ones.
        let mut wanted: Vec<usize> = Vec::new();
        let mut fields: Vec<(String, DataType)> = Vec::new();
        for (index, bound) in rel.columns.iter().enumerate() {
            if needed.contains(&bound.id) {
                wanted.push(index);
                fields.push((column_name(bound.id), arrow_type(bound.ty)));
            }
        }
        let mut places = None;
        if let Some(index) = rows.places.as_ref().and_then(|name| first.schema().index_of(name).ok()) {
            let name = self.fresh("p");
            wanted.push(index);
            fields.push((name.clone(), DataType::Binary));
            places = Some(name);
        }
        let ordinal = rows.ordered.then(|| self.fresh("o"));
        if let Some(name) = &ordinal {
            fields.push((name.clone(), DataType::Int64));
        }
        let schema: Fields = fields.iter().map(|(name, ty)| Field::new(name, ty.clone(), true)).collect();
        let schema = Arc::new(Schema::new(schema));
        let mut batches = Vec::with_capacity(rows.batches.len());
        let mut start = 0;
        for batch in &rows.batches {
            let mut columns: Vec<ArrayRef> = batch.project(&wanted).map_err(DataFusionError::from)?.columns().to_vec();
            let end = start + batch.num_rows() as i64;
            if ordinal.is_some() {
                columns.push(Arc::new(Int64Array::from_iter_values(start..end)));
            }
            start = end;
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            batches.push(
                RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options)
                    .map_err(DataFusionError::from)?,
            );
        }
        let plan = KqlNode::plan(Op::Rows { batches }, None, Vec::new(), Vec::new(), fields)?;
        let mut lowered = Lowered::new(plan);
        lowered.hidden.places = places;
        lowered.order = ordinal.map(ascending).into_iter().collect();
        if lowered.hidden.places.is_none() { self.with_no_places(lowered) } else { Ok(lowered) }
    }

    /// A `materialize` that is read in one place only: its input, under the ids of this node.
    fn lower_once(&mut self, rel: &Rel, input: &Rel, needed: &ColumnSet) -> LowerResult<Lowered> {
        let pairs: Vec<_> =
            rel.columns.iter().zip(&input.columns).filter(|(out, _)| needed.contains(&out.id)).collect();
        let wanted: ColumnSet = pairs.iter().map(|(_, from)| from.id).collect();
        let lowered = self.lower(input, &wanted)?;
        let names: Vec<String> = pairs.iter().map(|(out, _)| column_name(out.id)).collect();
        let outputs = pairs
            .iter()
            .zip(&names)
            .map(|((_, from), name)| crate::lower::named(column(&column_name(from.id)), name))
            .collect();
        self.project(lowered, outputs, &names)
    }
}

pub(crate) fn ascending(column: String) -> OrderKey {
    OrderKey { column, descending: false, nulls_first: true }
}

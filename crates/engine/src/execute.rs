//! One result of a query: lowered, planned, run, collected.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{Field, Fields, Schema};
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::catalog::TableProvider;
use datafusion::common::DataFusionError;
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::TableSource;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;
use kql_plan::lower::{Materialized, SourceColumn};
use kql_plan::node::OrderKey;
use kql_plan::places::PlacesRef;
use kql_plan::{KernelFailure, LowerError, LowerOptions, Lowered, Lowering, Tables};
use kql_semantics::bound::Rel;
use kql_types::{Column, Diagnostic, Span};
use scan::{DataSet, ScanColumn};

use crate::bounded::{Bounds, bounded};
use crate::held::Held;
use crate::session::Planner;
use crate::{EngineError, ExternalFiles, Limits, PlanTimes, ResultTable, RowSources};

/// The code of a constant that a function can't work with.
const BAD_CONSTANT: &str = "TW010";

/// All that the parts of one query share.
pub(crate) struct Execution {
    pub(crate) data: Arc<DataSet>,
    pub(crate) clipped: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    pub(crate) options: LowerOptions,
    pub(crate) limits: Limits,
    pub(crate) planner: Arc<Planner>,
    pub(crate) task: Arc<TaskContext>,
    pub(crate) deadline: Option<Instant>,
    /// Rows collected so far.
    pub(crate) held: Mutex<Held>,
    pub(crate) ingestion: bool,
    pub(crate) materialized: HashMap<u32, Materialized>,
    /// Rows read from files so far, by table.
    pub(crate) rows_read: Mutex<BTreeMap<String, u64>>,
    pub(crate) external: Arc<ExternalFiles>,
    /// What was read of `externaldata`: the id in `materialized` by addresses, options and columns.
    pub(crate) external_rows: HashMap<String, u32>,
    /// Rows that were made while the query was resolved.
    pub(crate) made_rows: u32,
    pub(crate) warnings: Vec<Diagnostic>,
    pub(crate) planning: Mutex<PlanTimes>,
    /// The plans that ran, when they are asked for.
    pub(crate) plans: Option<Mutex<Vec<String>>>,
}

/// Rows of one plan.
pub(crate) struct Collected {
    pub(crate) batches: Vec<RecordBatch>,
    /// Name of the column with the places of source records.
    pub(crate) places: Option<String>,
}

impl Execution {
    /// A task context with the query's own memory pool.
    pub(crate) fn task(planner: &Planner, limits: &Limits) -> Result<Arc<TaskContext>, EngineError> {
        let mut runtime = RuntimeEnvBuilder::new();
        if let Some(memory) = limits.memory {
            runtime = runtime.with_memory_pool(Arc::new(FairSpillPool::new(memory)));
        }
        let runtime = runtime.build_arc().map_err(|error| plan_error(error, None))?;
        Ok(Arc::new(TaskContext::new(
            None,
            "query".to_owned(),
            planner.state().config().clone(),
            HashMap::new(),
            HashMap::new(),
            HashMap::new(),
            HashMap::new(),
            runtime,
        )))
    }

    fn lower(&self, rel: &Rel) -> Result<Lowered, EngineError> {
        let tables = QueryTables { data: &self.data, clipped: self.clipped.as_ref() };
        let mut lowering = Lowering::new(&tables, &self.options, &self.materialized, self.ingestion);
        lowering.lower_result(rel).map_err(lower_error)
    }

    /// The rows of a relation, in order: its columns by position, then hidden ones.
    pub(crate) async fn collect(&self, rel: &Rel, limit: Option<usize>) -> Result<Collected, EngineError> {
        let span = Some(rel.span);
        // Planning computes without waiting; other queries get another thread meanwhile.
        let bounds = Bounds { deadline: self.deadline, memory: self.limits.memory };
        let pool = self.task.memory_pool().as_ref();
        let (plan, places) = tokio::task::block_in_place(|| bounds.within(pool, || self.planned(rel)))?;
        if self.is_over() {
            return Err(self.over());
        }
        let plan = bounded(&plan, bounds).map_err(|error| plan_error(error, span))?;
        let running = Arc::clone(&plan);
        let mut stream = execute_stream(running, Arc::clone(&self.task)).map_err(|error| plan_error(error, span))?;
        let mut batches = Vec::new();
        let mut rows = 0;
        while let Some(batch) = self.in_time(stream.next()).await? {
            let batch = batch.map_err(|error| if self.is_over() { self.over() } else { plan_error(error, span) })?;
            rows += batch.num_rows();
            if let Some(limit) = limit.filter(|limit| rows > *limit) {
                return Err(EngineError::Limit(format!("more than {limit} rows in a result")));
            }
            if batch.num_rows() > 0 {
                self.hold(&batch).map_err(|error| plan_error(error, span))?;
                batches.push(batch);
            }
        }
        drop(stream);
        self.note_rows_read(&plan);
        if let Some(Ok(mut plans)) = self.plans.as_ref().map(Mutex::lock) {
            plans.push(DisplayableExecutionPlan::with_metrics(plan.as_ref()).indent(false).to_string());
        }
        Ok(Collected { batches, places })
    }

    /// Reserves the memory of rows that are kept.
    fn hold(&self, batch: &RecordBatch) -> Result<(), DataFusionError> {
        match (self.limits.memory, self.held.lock()) {
            (Some(_), Ok(mut held)) => held.add(batch),
            _ => Ok(()),
        }
    }

    /// The plan of a relation, and the name of the column with the places of source records.
    fn planned(&self, rel: &Rel) -> Result<(Arc<dyn ExecutionPlan>, Option<String>), EngineError> {
        let span = Some(rel.span);
        let started = Instant::now();
        let lowered = self.lower(rel)?;
        let lower = started.elapsed();
        let plan = self.planner.optimize(lowered.plan).map_err(|error| plan_error(error, span))?;
        let optimize = started.elapsed() - lower;
        let physical = tokio::runtime::Handle::current().block_on(self.planner.physical(&plan));
        let plan = physical.map_err(|error| plan_error(error, span))?;
        let physical = started.elapsed() - lower - optimize;
        if let Ok(mut total) = self.planning.lock() {
            total.add(&PlanTimes { lower, optimize, physical, ..PlanTimes::default() });
        }
        Ok((plan, lowered.hidden.places))
    }

    fn note_rows_read(&self, plan: &Arc<dyn ExecutionPlan>) {
        let Ok(mut total) = self.rows_read.lock() else { return };
        for (table, rows) in scan::rows_read(plan) {
            *total.entry(table).or_insert(0) += rows;
        }
    }

    async fn in_time<T>(&self, work: impl Future<Output = T>) -> Result<T, EngineError> {
        match self.deadline {
            None => Ok(work.await),
            Some(deadline) => match tokio::time::timeout_at(deadline.into(), work).await {
                Ok(value) => Ok(value),
                Err(_) => Err(self.over()),
            },
        }
    }

    /// Whether the query's time is over.
    fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    fn over(&self) -> EngineError {
        EngineError::Limit(overtime(self.limits.time.unwrap_or_default()))
    }

    /// A result as the caller sees it.
    pub(crate) async fn table(&self, rel: &Rel) -> Result<ResultTable, EngineError> {
        let collected = self.collect(rel, self.limits.result_rows).await?;
        let columns: Vec<Column> = rel.columns.iter().map(|bound| Column::new(bound.name.as_ref(), bound.ty)).collect();
        let fields: Fields = columns
            .iter()
            .map(|column| Field::new(&column.name, kql_plan::value::arrow_type(column.ty), true))
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let mut batches = Vec::with_capacity(collected.batches.len());
        let mut sources = collected.places.is_some().then(Vec::new);
        for batch in &collected.batches {
            let visible = batch.columns().get(..columns.len()).unwrap_or_default().to_vec();
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            let shown = RecordBatch::try_new_with_options(Arc::clone(&schema), visible, &options)
                .map_err(|error| EngineError::Bug(error.to_string()))?;
            batches.push(shown);
            if let (Some(sources), Some(name)) = (&mut sources, &collected.places) {
                row_sources(batch, name, sources);
            }
        }
        Ok(ResultTable { name: None, columns, batches, render: None, sources })
    }
}

fn row_sources(batch: &RecordBatch, name: &str, into: &mut Vec<RowSources>) {
    let column = batch.column_by_name(name).and_then(|column| column.as_binary_opt::<i32>());
    for row in 0..batch.num_rows() {
        into.push(match column {
            Some(column) if !column.is_null(row) => {
                let (places, truncated) = PlacesRef::new(column.value(row)).to_places().into_parts();
                RowSources { places, truncated }
            }
            _ => RowSources::default(),
        });
    }
}

/// The tables of a query over its data.
struct QueryTables<'a> {
    data: &'a DataSet,
    clipped: &'a (dyn Fn(&str) -> bool + Send + Sync),
}

impl Tables for QueryTables<'_> {
    fn source(&self, table: &str, columns: &[SourceColumn]) -> Result<Option<Arc<dyn TableSource>>, DataFusionError> {
        let columns: Vec<ScanColumn> = columns
            .iter()
            .map(|column| ScanColumn { name: column.name.clone(), plan_name: column.plan_name.clone(), ty: column.ty })
            .collect();
        let provider: Option<Arc<dyn TableProvider>> = self.data.provider(table, &columns);
        Ok(provider.map(provider_as_source))
    }

    fn clipped(&self, table: &str) -> bool {
        (self.clipped)(table)
    }

    fn bound_of_first(&self, source: &Arc<dyn TableSource>, key: &OrderKey, count: u64) -> Option<i64> {
        let provider = source_as_provider(source).ok()?;
        scan::bound_of_first(provider.as_ref(), &key.column, count, !key.descending, key.nulls_first)
    }
}

/// What is said when the time is over.
pub(crate) fn overtime(limit: Duration) -> String {
    format!("the query ran longer than {} s", limit.as_secs_f64())
}

pub(crate) fn lower_error(error: LowerError) -> EngineError {
    match error {
        LowerError::Unsupported { name, span } => EngineError::Unsupported { name, span },
        LowerError::Constant { message, span } => {
            EngineError::Diagnostics(vec![Diagnostic::error(BAD_CONSTANT, span, message)])
        }
        LowerError::Plan(error) => plan_error(error, None),
        LowerError::Bug(message) => EngineError::Bug(message),
    }
}

/// What a failure of DataFusion means to the caller.
pub(crate) fn plan_error(error: DataFusionError, span: Option<Span>) -> EngineError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(message) => EngineError::Limit(format!("memory: {message}")),
        DataFusionError::External(inner) => match inner.downcast_ref::<KernelFailure>() {
            Some(failure) if failure.limit().is_some() => {
                EngineError::Limit(failure.limit().unwrap_or_default().to_owned())
            }
            Some(failure) if failure.0.starts_with("bug") => EngineError::Bug(failure.0.clone()),
            Some(failure) => EngineError::Diagnostics(vec![Diagnostic::error(
                BAD_CONSTANT,
                span.unwrap_or_default(),
                failure.0.clone(),
            )]),
            None => EngineError::Data(inner.to_string()),
        },
        DataFusionError::ParquetError(inner) => EngineError::Data(inner.to_string()),
        DataFusionError::IoError(inner) => EngineError::Data(inner.to_string()),
        DataFusionError::ObjectStore(inner) => EngineError::Data(inner.to_string()),
        other => EngineError::Bug(other.strip_backtrace()),
    }
}

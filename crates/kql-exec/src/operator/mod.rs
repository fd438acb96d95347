//! [`OperatorExec`]: one execution plan for all of our row operators.
//!
//! The node evaluates the expressions that pass through and the operator's own, and hands both to a [`Stage`], one for
//! each partition. A stage takes a batch, then gives batches of bounded size until it has no more for now. Its memory
//! is reserved from the query's pool after each step.

mod first_rows;
mod mv_expand;
mod parse;
mod row_id;
mod scan;
mod whole;
mod window;

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::equivalence::ProjectionMapping;
use datafusion::physical_expr::{
    Distribution, EquivalenceProperties, LexRequirement, OrderingRequirements, Partitioning, PhysicalExpr,
    PhysicalSortRequirement,
};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::expressions::Column;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};
use futures::StreamExt;
use kql_plan::node::{Op, OrderKey};

/// Rows of an output batch at most, unless one input row alone gives more.
pub const BATCH_ROWS: usize = 8_192;

/// Input of a stage: one batch's worth of evaluated expressions.
#[derive(Debug, Clone)]
pub struct StageInput {
    /// Columns that pass through.
    pub pass: Vec<ArrayRef>,
    /// The operator's own expressions; constant ones as scalars.
    pub own: Vec<ColumnarValue>,
    pub rows: usize,
}

impl StageInput {
    /// An own expression as an array of all rows.
    ///
    /// # Errors
    /// When the operator has fewer expressions.
    pub fn own_array(&self, index: usize) -> Result<ArrayRef> {
        match self.own.get(index) {
            Some(value) => value.to_array(self.rows),
            None => datafusion::common::internal_err!("an operator lacks expression {index}"),
        }
    }
}

/// The state of an operator over one partition.
pub trait Stage: Send {
    /// Takes a batch. [`Stage::pull`] is called until it gives None before the next one.
    fn push(&mut self, input: StageInput) -> Result<()>;

    /// There is no more input.
    fn finish(&mut self) -> Result<()> {
        Ok(())
    }

    /// The next columns of output and their number of rows, if any are ready.
    fn pull(&mut self) -> Result<Option<(Vec<ArrayRef>, usize)>>;

    /// Bytes held.
    fn size(&self) -> usize {
        0
    }
}

type Expression = Arc<dyn PhysicalExpr>;

/// What an operator asks of its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// Any partitions.
    Any,
    /// One partition.
    Single,
}

/// A row operator over its input.
#[derive(Debug)]
pub struct OperatorExec {
    op: Arc<Op>,
    input: Arc<dyn ExecutionPlan>,
    pass: Vec<Arc<dyn PhysicalExpr>>,
    own: Vec<Arc<dyn PhysicalExpr>>,
    /// For [`Op::Scan`]: the expressions of its steps, over the schema it has for them.
    steps: Vec<Arc<dyn PhysicalExpr>>,
    /// For [`Op::Pin`]: the order asked of the input.
    required: Option<OrderingRequirements>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl OperatorExec {
    /// An operator whose output has this schema.
    ///
    /// # Errors
    /// When an order is over a column that the input does not have.
    pub fn try_new(
        op: Arc<Op>,
        input: Arc<dyn ExecutionPlan>,
        pass: Vec<Arc<dyn PhysicalExpr>>,
        own: Vec<Arc<dyn PhysicalExpr>>,
        steps: Vec<Arc<dyn PhysicalExpr>>,
        schema: SchemaRef,
    ) -> Result<OperatorExec> {
        let required = match op.as_ref() {
            Op::Pin { keys } => Some(requirement(keys, &input)?),
            _ => None,
        };
        let properties = Arc::new(Self::compute_properties(&op, &input, &pass, &schema)?);
        let metrics = ExecutionPlanMetricsSet::new();
        Ok(OperatorExec { op, input, pass, own, steps, required, schema, properties, metrics })
    }

    /// The operator this runs.
    pub fn op(&self) -> &Arc<Op> {
        &self.op
    }

    /// The expressions that pass through, the operator's own, and those of the steps of a scan.
    pub(crate) fn expressions(&self) -> (&[Expression], &[Expression], &[Expression]) {
        (&self.pass, &self.own, &self.steps)
    }

    fn compute_properties(
        op: &Op,
        input: &Arc<dyn ExecutionPlan>,
        pass: &[Arc<dyn PhysicalExpr>],
        schema: &SchemaRef,
    ) -> Result<PlanProperties> {
        let mut equivalence = EquivalenceProperties::new(Arc::clone(schema));
        if keeps_order(op) {
            let pairs = pass.iter().zip(schema.fields()).map(|(expr, field)| (Arc::clone(expr), field.name().clone()));
            let mapping = ProjectionMapping::try_new(pairs, &input.schema())?;
            equivalence = input.equivalence_properties().project(&mapping, Arc::clone(schema));
        }
        let partitions = match needs(op) {
            Needs::Single => 1,
            Needs::Any => input.output_partitioning().partition_count(),
        };
        Ok(PlanProperties::new(
            equivalence,
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        ))
    }

    fn stage(&self, partition: usize) -> Result<Box<dyn Stage>> {
        Ok(match self.op.as_ref() {
            Op::RowId => Box::new(row_id::RowIds::new(partition)),
            Op::FirstRows { count, .. } => Box::new(first_rows::FirstRows::new(*count)),
            Op::Pin { .. } => Box::new(PassStage::default()),
            Op::MvExpand(expand) => Box::new(mv_expand::MvExpand::new(expand)),
            Op::Parse(spec) => Box::new(parse::ParseStage::new(spec)?),
            Op::ParseKv(spec) => Box::new(parse::ParseKvStage::new(spec)?),
            Op::Window(windows) => Box::new(window::WindowStage::new(windows)?),
            Op::Whole(whole) => Box::new(whole::WholeStage::new(whole)),
            Op::Scan(scan) => {
                let columns: Vec<String> = self.schema.fields().iter().map(|field| field.name().clone()).collect();
                Box::new(scan::ScanStage::new(scan, self.steps.clone(), &columns)?)
            }
            other => return datafusion::common::internal_err!("{} has no stage", other.name()),
        })
    }
}

fn needs(op: &Op) -> Needs {
    match op {
        Op::RowId | Op::MvExpand(_) | Op::Parse(_) | Op::ParseKv(_) => Needs::Any,
        _ => Needs::Single,
    }
}

fn keeps_order(op: &Op) -> bool {
    match op {
        Op::MvExpand(expand) => !expand.ghosts,
        Op::Whole(_) => false,
        _ => true,
    }
}

fn requirement(keys: &[OrderKey], input: &Arc<dyn ExecutionPlan>) -> Result<OrderingRequirements> {
    let schema = input.schema();
    let mut sorts = Vec::with_capacity(keys.len());
    for key in keys {
        let column = Column::new_with_schema(&key.column, &schema)?;
        let options =
            datafusion::arrow::compute::SortOptions { descending: key.descending, nulls_first: key.nulls_first };
        sorts.push(PhysicalSortRequirement::new(Arc::new(column), Some(options)));
    }
    match LexRequirement::new(sorts) {
        Some(requirement) => Ok(OrderingRequirements::new(requirement)),
        None => datafusion::common::internal_err!("an order without keys"),
    }
}

impl DisplayAs for OperatorExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}Exec", self.op.name())?;
        if !self.own.is_empty() {
            let own: Vec<String> = self.own.iter().map(ToString::to_string).collect();
            write!(f, ": [{}]", own.join(", "))?;
        }
        Ok(())
    }
}

impl ExecutionPlan for OperatorExec {
    fn name(&self) -> &str {
        self.op.name()
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        vec![match needs(&self.op) {
            Needs::Any => Distribution::UnspecifiedDistribution,
            Needs::Single => Distribution::SinglePartition,
        }]
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        vec![self.required.clone()]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        // True would let a sort above be done below instead, by the positions that its keys have above; and what an
        // operator gives that looks at rows one after another would change.
        vec![false]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for expr in self.pass.iter().chain(&self.own) {
            if f(expr)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(input) = children.pop() else {
            return datafusion::common::internal_err!("{} without an input", self.op.name());
        };
        Ok(Arc::new(OperatorExec::try_new(
            Arc::clone(&self.op),
            input,
            self.pass.clone(),
            self.own.clone(),
            self.steps.clone(),
            Arc::clone(&self.schema),
        )?))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, Arc::clone(&context))?;
        let reservation =
            MemoryConsumer::new(format!("{}[{partition}]", self.op.name())).register(context.memory_pool());
        let run = Run {
            input,
            stage: self.stage(partition)?,
            pass: self.pass.clone(),
            own: self.own.clone(),
            schema: Arc::clone(&self.schema),
            reservation,
            metrics: BaselineMetrics::new(&self.metrics, partition),
            ended: false,
        };
        let stream = futures::stream::try_unfold(run, |mut run| async move {
            let batch = run.next().await?;
            Ok(batch.map(|batch| (batch, run)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// One partition at work.
struct Run {
    input: SendableRecordBatchStream,
    stage: Box<dyn Stage>,
    pass: Vec<Arc<dyn PhysicalExpr>>,
    own: Vec<Arc<dyn PhysicalExpr>>,
    schema: SchemaRef,
    reservation: MemoryReservation,
    metrics: BaselineMetrics,
    ended: bool,
}

impl Run {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some((columns, rows)) = self.stage.pull()? {
                if rows == 0 {
                    continue;
                }
                let options = RecordBatchOptions::new().with_row_count(Some(rows));
                let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?;
                self.metrics.record_output(rows);
                return Ok(Some(batch));
            }
            if self.ended {
                return Ok(None);
            }
            match self.input.next().await.transpose()? {
                Some(batch) => {
                    let input = self.evaluate(&batch)?;
                    self.stage.push(input)?;
                }
                None => {
                    self.ended = true;
                    self.stage.finish()?;
                }
            }
            self.reservation.try_resize(self.stage.size())?;
        }
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<StageInput> {
        let rows = batch.num_rows();
        let pass = self.pass.iter().map(|expr| expr.evaluate(batch)?.into_array(rows)).collect::<Result<Vec<_>>>()?;
        let own = self.own.iter().map(|expr| expr.evaluate(batch)).collect::<Result<Vec<_>>>()?;
        Ok(StageInput { pass, own, rows })
    }
}

/// Gives every batch as it came.
#[derive(Default)]
struct PassStage {
    ready: Option<(Vec<ArrayRef>, usize)>,
}

impl Stage for PassStage {
    fn push(&mut self, input: StageInput) -> Result<()> {
        self.ready = Some((input.pass, input.rows));
        Ok(())
    }

    fn pull(&mut self) -> Result<Option<(Vec<ArrayRef>, usize)>> {
        Ok(self.ready.take())
    }
}

//! Keeps queries within the caller's limits where nothing else does: in plans that compute without waiting, and in
//! expressions whose texts grow without rows growing.
//!
//! A join may give batches for hours without once handing control back: where rows can multiply, a node that looks at the
//! clock before each batch is put in. With a limit on memory one is put behind every node, and says what room a single call
//! of a function has while the node below computes: what of the limit no operator holds. Begin at [`bounded`].

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{Stream, StreamExt};
use kql_exec::operator::OperatorExec;
use kql_functions::kernels::budget;

/// What a plan may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) deadline: Option<Instant>,
    /// Bytes.
    pub(crate) memory: Option<usize>,
}

/// A call may always fill so much: with less, a query that holds nearly all of its memory could not show a row.
const ROOM_MIN: usize = 1 << 20;

impl Bounds {
    /// Runs work in which no call fills more than what of the limit is not held.
    pub(crate) fn within<T>(&self, pool: &dyn MemoryPool, work: impl FnOnce() -> T) -> T {
        match self.memory {
            Some(memory) => budget::within(memory.saturating_sub(pool.reserved()).max(ROOM_MIN), work),
            None => work(),
        }
    }
}

/// The plan with its bounds: a look at the clock behind every join, union and operator of ours, the room for calls behind
/// every node.
///
/// # Errors
/// When a node refuses its own children, which none does.
pub(crate) fn bounded(plan: &Arc<dyn ExecutionPlan>, bounds: Bounds) -> Result<Arc<dyn ExecutionPlan>> {
    let below: Vec<Arc<dyn ExecutionPlan>> = plan.children().into_iter().cloned().collect();
    if below.is_empty() {
        return Ok(Arc::clone(plan));
    }
    let inputs = below.iter().map(|input| bounded(input, bounds)).collect::<Result<Vec<_>>>()?;
    let same = replace_children_if_necessary(Arc::clone(plan), inputs)?;
    let multiplies = below.len() > 1 || same.downcast_ref::<OperatorExec>().is_some();
    let needed = bounds.memory.is_some() || bounds.deadline.is_some() && multiplies;
    Ok(if needed { Arc::new(BoundedExec { input: same, bounds }) } else { same })
}

/// Passes batches on until the time is over.
#[derive(Debug)]
struct BoundedExec {
    input: Arc<dyn ExecutionPlan>,
    bounds: Bounds,
}

impl DisplayAs for BoundedExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("BoundedExec")
    }
}

impl ExecutionPlan for BoundedExec {
    fn name(&self) -> &str {
        "BoundedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match children.into_iter().next() {
            Some(input) => Ok(Arc::new(BoundedExec { input, bounds: self.bounds })),
            None => internal_err!("BoundedExec without an input"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let pool = Arc::clone(context.memory_pool());
        let batches = self.input.execute(partition, context)?;
        Ok(Box::pin(BoundedStream { batches, bounds: self.bounds, pool }))
    }
}

struct BoundedStream {
    batches: SendableRecordBatchStream,
    bounds: Bounds,
    pool: Arc<dyn MemoryPool>,
}

impl Stream for BoundedStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let batches = &mut this.batches;
        let polled = this.bounds.within(this.pool.as_ref(), || batches.poll_next_unpin(context));
        match polled {
            Poll::Ready(Some(_)) if this.bounds.deadline.is_some_and(|deadline| Instant::now() >= deadline) => {
                Poll::Ready(Some(Err(DataFusionError::Execution("out of time".to_owned()))))
            }
            polled => polled,
        }
    }
}

impl RecordBatchStream for BoundedStream {
    fn schema(&self) -> SchemaRef {
        self.batches.schema()
    }
}

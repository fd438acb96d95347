//! Ends queries that never wait: a join may give batches for hours without once handing control back.
//!
//! Where rows can multiply, a node that looks at the clock before each batch is put in. Start at [`within`].

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::StreamExt;
use kql_exec::operator::OperatorExec;

/// The plan with a look at the clock behind every join, union and operator of ours.
///
/// # Errors
/// When a node refuses its own children, which none does.
pub(crate) fn within(plan: &Arc<dyn ExecutionPlan>, deadline: Instant) -> Result<Arc<dyn ExecutionPlan>> {
    let below: Vec<Arc<dyn ExecutionPlan>> = plan.children().into_iter().cloned().collect();
    if below.is_empty() {
        return Ok(Arc::clone(plan));
    }
    let inputs = below.iter().map(|input| within(input, deadline)).collect::<Result<Vec<_>>>()?;
    let same = replace_children_if_necessary(Arc::clone(plan), inputs)?;
    let multiplies = below.len() > 1 || same.downcast_ref::<OperatorExec>().is_some();
    Ok(if multiplies { Arc::new(DeadlineExec { input: same, deadline }) } else { same })
}

/// Passes batches on until the time is over.
#[derive(Debug)]
struct DeadlineExec {
    input: Arc<dyn ExecutionPlan>,
    deadline: Instant,
}

impl DisplayAs for DeadlineExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("DeadlineExec")
    }
}

impl ExecutionPlan for DeadlineExec {
    fn name(&self) -> &str {
        "DeadlineExec"
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
            Some(input) => Ok(Arc::new(DeadlineExec { input, deadline: self.deadline })),
            None => internal_err!("DeadlineExec without an input"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let deadline = self.deadline;
        let batches = self.input.execute(partition, context)?.map(move |batch| {
            if Instant::now() >= deadline {
                return Err(DataFusionError::Execution("out of time".to_owned()));
            }
            batch
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.input.schema(), batches)))
    }
}

//! [`in_order`]: a plan whose rows do not depend on how many partitions it has.
//!
//! Scans split their rows into partitions that follow one another. [`InOrderExec`] runs them side by side and gives their
//! rows one partition after another, so what reads it sees the rows as one partition would give them. Merges of sorted
//! partitions take the first of equal rows, and a join that gives rows of its first side at the end has one partition on
//! the other. With that, one thread and several give the same rows in the same order.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, Result, internal_err};
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
    ReplaceChildrenOptions,
};
use futures::StreamExt;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

/// Kilobytes that partitions may hold which are not read yet, when memory has no limit.
const WAITING_KB: usize = 256 << 10;

/// The plan with one partition, giving its rows in the order that one partition would give them.
///
/// # Errors
/// When a node refuses its new inputs.
pub fn in_order(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let plan = plan.transform_up(ordered_node)?.data;
    Ok(single(plan))
}

/// One partition: the rows of all, one after another.
fn single(plan: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    if plan.output_partitioning().partition_count() > 1 { Arc::new(InOrderExec::new(plan, None)) } else { plan }
}

fn ordered_node(plan: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    if let Some(merge) = plan.downcast_ref::<CoalescePartitionsExec>() {
        return Ok(Transformed::yes(Arc::new(InOrderExec::new(Arc::clone(merge.input()), merge.fetch()))));
    }
    if let Some(merge) = plan.downcast_ref::<SortPreservingMergeExec>() {
        return Ok(Transformed::yes(Arc::new(merge.clone().with_round_robin_repartition(false))));
    }
    let join_type = match (plan.downcast_ref::<HashJoinExec>(), plan.downcast_ref::<NestedLoopJoinExec>()) {
        (Some(join), _) => *join.join_type(),
        (_, Some(join)) => *join.join_type(),
        _ => return Ok(Transformed::no(plan)),
    };
    // Whichever partition ends last gives the rows of the first side that are left.
    let gives_first_side = matches!(
        join_type,
        JoinType::Left | JoinType::Full | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark
    );
    match plan.children().as_slice() {
        [first, second] if gives_first_side && second.output_partitioning().partition_count() > 1 => {
            let children = vec![Arc::clone(first), single(Arc::clone(second))];
            Ok(Transformed::yes(
                plan.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))?,
            ))
        }
        _ => Ok(Transformed::no(plan)),
    }
}

/// The partitions of a plan one after another, computed side by side.
#[derive(Debug)]
pub struct InOrderExec {
    input: Arc<dyn ExecutionPlan>,
    /// Rows to give at most.
    fetch: Option<usize>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl InOrderExec {
    pub fn new(input: Arc<dyn ExecutionPlan>, fetch: Option<usize>) -> InOrderExec {
        let properties = Arc::clone(CoalescePartitionsExec::new(Arc::clone(&input)).properties());
        InOrderExec { input, fetch, properties, metrics: ExecutionPlanMetricsSet::new() }
    }

    /// Rows to give at most.
    pub fn rows_max(&self) -> Option<usize> {
        self.fetch
    }
}

impl DisplayAs for InOrderExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        match self.fetch {
            Some(fetch) => write!(f, "InOrderExec: fetch={fetch}"),
            None => write!(f, "InOrderExec"),
        }
    }
}

impl ExecutionPlan for InOrderExec {
    fn name(&self) -> &str {
        "InOrderExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match children.pop() {
            Some(input) => Ok(Arc::new(InOrderExec::new(input, self.fetch))),
            None => internal_err!("InOrderExec without an input"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("InOrderExec has no partition {partition}");
        }
        let schema = self.input.schema();
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let run = Run {
            partitions: Partitions::start(&self.input, &context)?,
            left: self.fetch.unwrap_or(usize::MAX),
            metrics,
        };
        let stream = futures::stream::try_unfold(run, |mut run| async move {
            let batch = run.next().await?;
            Ok(batch.map(|batch| (batch, run)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, stream)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// A batch and the kilobytes it was given room for.
type Held = (Result<RecordBatch>, u32);

/// The partitions at work.
struct Partitions {
    receivers: std::vec::IntoIter<mpsc::UnboundedReceiver<Held>>,
    current: Option<mpsc::UnboundedReceiver<Held>>,
    /// Which partition is read; it never waits for room.
    turn: watch::Sender<usize>,
    room: Arc<Semaphore>,
    /// Ends the tasks when dropped.
    _tasks: JoinSet<()>,
}

impl Partitions {
    fn start(input: &Arc<dyn ExecutionPlan>, context: &Arc<TaskContext>) -> Result<Partitions> {
        let most = match context.memory_pool().memory_limit() {
            MemoryLimit::Finite(bytes) => (bytes >> 12).clamp(1, WAITING_KB),
            _ => WAITING_KB,
        };
        let room = Arc::new(Semaphore::new(most));
        let (turn, _) = watch::channel(0);
        let mut tasks = JoinSet::new();
        let mut receivers = Vec::new();
        for partition in 0..input.output_partitioning().partition_count() {
            let stream = input.execute(partition, Arc::clone(context))?;
            let (sender, receiver) = mpsc::unbounded_channel();
            receivers.push(receiver);
            tasks.spawn(forward(stream, sender, partition, turn.subscribe(), Arc::clone(&room), most));
        }
        let mut receivers = receivers.into_iter();
        let current = receivers.next();
        Ok(Partitions { receivers, current, turn, room, _tasks: tasks })
    }

    async fn next(&mut self) -> Option<Result<RecordBatch>> {
        while let Some(current) = &mut self.current {
            if let Some((batch, held)) = current.recv().await {
                self.room.add_permits(held as usize);
                return Some(batch);
            }
            self.current = self.receivers.next();
            self.turn.send_modify(|turn| *turn += 1);
        }
        None
    }
}

/// Sends the batches of a partition; one that is not read yet waits for room.
async fn forward(
    mut stream: SendableRecordBatchStream,
    sender: mpsc::UnboundedSender<Held>,
    partition: usize,
    mut turn: watch::Receiver<usize>,
    room: Arc<Semaphore>,
    most: usize,
) {
    while let Some(batch) = stream.next().await {
        let bytes = batch.as_ref().map_or(0, RecordBatch::get_array_memory_size);
        let kilobytes = u32::try_from((bytes >> 10).min(most)).unwrap_or(0);
        let held = tokio::select! {
            biased;
            _ = turn.wait_for(|turn| *turn >= partition) => 0,
            permit = room.acquire_many(kilobytes) => match permit {
                Ok(permit) => {
                    permit.forget();
                    kilobytes
                }
                Err(_) => 0,
            },
        };
        let failed = batch.is_err();
        if sender.send((batch, held)).is_err() || failed {
            return;
        }
    }
}

struct Run {
    partitions: Partitions,
    left: usize,
    metrics: BaselineMetrics,
}

impl Run {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        if self.left == 0 {
            return Ok(None);
        }
        let Some(batch) = self.partitions.next().await.transpose()? else { return Ok(None) };
        let rows = batch.num_rows().min(self.left);
        self.left -= rows;
        self.metrics.record_output(rows);
        Ok(Some(if rows < batch.num_rows() { batch.slice(0, rows) } else { batch }))
    }
}

/// Batches as at most `count` runs of about equally many rows that follow one another.
pub fn contiguous(batches: &[RecordBatch], schema: &SchemaRef, count: usize) -> Vec<Vec<RecordBatch>> {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let share = rows.div_ceil(count.clamp(1, rows.div_ceil(SPLIT_ROWS).max(1))).max(1);
    let mut parts: Vec<Vec<RecordBatch>> = vec![Vec::new()];
    let mut filled = 0;
    for batch in batches {
        let mut start = 0;
        while start < batch.num_rows() {
            if filled == share {
                parts.push(Vec::new());
                filled = 0;
            }
            let length = (batch.num_rows() - start).min(share - filled);
            if let Some(part) = parts.last_mut() {
                part.push(batch.slice(start, length));
            }
            start += length;
            filled += length;
        }
    }
    if rows == 0 {
        parts = vec![vec![RecordBatch::new_empty(Arc::clone(schema))]];
    }
    parts
}

/// Fewer rows are not split.
const SPLIT_ROWS: usize = 32_768;

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{AsArray, Int64Array};
    use datafusion::arrow::datatypes::Int64Type;
    use datafusion::datasource::memory::MemorySourceConfig;

    use super::*;

    fn batch(values: std::ops::Range<i64>) -> RecordBatch {
        RecordBatch::try_from_iter([("x", Arc::new(Int64Array::from_iter_values(values)) as _)]).unwrap()
    }

    fn values(batches: &[RecordBatch]) -> Vec<i64> {
        batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
    }

    #[test]
    fn parts_follow_one_another() {
        let batches = [batch(0..50_000), batch(50_000..50_001), batch(50_001..200_000)];
        let parts = contiguous(&batches, &batches[0].schema(), 3);
        assert_eq!(parts.len(), 3);
        assert_eq!(values(&parts.concat()), (0..200_000).collect::<Vec<_>>());
        let few = contiguous(&batches[..1], &batches[0].schema(), 8);
        assert_eq!(few.len(), 2);
        assert_eq!(contiguous(&[], &batches[0].schema(), 1).len(), 1);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn partitions_are_given_in_order_whatever_room_there_is() {
        let parts: Vec<Vec<RecordBatch>> = (0..4)
            .map(|part| (0..50).map(|n| batch(part * 50_000 + n * 1_000..part * 50_000 + (n + 1) * 1_000)).collect())
            .collect();
        let plan = MemorySourceConfig::try_new_exec(&parts, batch(0..0).schema(), None).unwrap();
        for fetch in [None, Some(77_777)] {
            for memory in [None, Some(64 << 10)] {
                let mut runtime = datafusion::execution::runtime_env::RuntimeEnvBuilder::new();
                if let Some(bytes) = memory {
                    runtime = runtime.with_memory_limit(bytes, 1.0);
                }
                let context = TaskContext::default().with_runtime(runtime.build_arc().unwrap());
                let stream = InOrderExec::new(Arc::clone(&plan) as _, fetch).execute(0, Arc::new(context)).unwrap();
                let batches: Vec<RecordBatch> = stream.map(|batch| batch.unwrap()).collect().await;
                let expected = fetch.unwrap_or(200_000) as i64;
                assert_eq!(values(&batches), (0..expected).collect::<Vec<_>>());
            }
        }
    }
}

//! [`OuterSides`]: what is constant on one side of an outer join is not constant above it.
//!
//! A column that a filter has fixed (`where Ok == true`) is null in the rows that the join fills, but DataFusion's joins hand
//! the side's constants on whatever their kind is. An aggregate by such a column then takes its input for sorted and gives a
//! group each time that the value changes. The rule puts an [`OuterSideExec`] on each such side, which gives the same rows
//! and says nothing of them. It must run first, as rules and nodes above decide by what a join says.

use std::fmt;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
    ReplaceChildrenOptions,
};

/// The rule.
#[derive(Debug, Default)]
pub struct OuterSides;

impl PhysicalOptimizerRule for OuterSides {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(plan.transform_up(covered)?.data)
    }

    fn name(&self) -> &str {
        "OuterSides"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn covered(plan: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    let join_type = match (plan.downcast_ref::<HashJoinExec>(), plan.downcast_ref::<NestedLoopJoinExec>()) {
        (Some(join), _) => *join.join_type(),
        (_, Some(join)) => *join.join_type(),
        _ => return Ok(Transformed::no(plan)),
    };
    let filled = match join_type {
        JoinType::Left => [false, true],
        JoinType::Right => [true, false],
        JoinType::Full => [true, true],
        _ => return Ok(Transformed::no(plan)),
    };
    let says_much = |side: &Arc<dyn ExecutionPlan>| !side.equivalence_properties().constants().is_empty();
    let children = plan.children();
    if !children.iter().zip(filled).any(|(side, filled)| filled && says_much(side)) {
        return Ok(Transformed::no(plan));
    }
    let sides = children.into_iter().zip(filled).map(|(side, filled)| {
        let side = Arc::clone(side);
        if filled && says_much(&side) { Arc::new(OuterSideExec::new(side)) as _ } else { side }
    });
    let sides = sides.collect();
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    Ok(Transformed::yes(plan.replace_children(sides, options)?))
}

/// The rows of its input, of which nothing is known.
#[derive(Debug)]
pub struct OuterSideExec {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl OuterSideExec {
    pub fn new(input: Arc<dyn ExecutionPlan>) -> OuterSideExec {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            input.output_partitioning().clone(),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        OuterSideExec { input, properties: Arc::new(properties) }
    }
}

impl DisplayAs for OuterSideExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "OuterSideExec")
    }
}

impl ExecutionPlan for OuterSideExec {
    fn name(&self) -> &str {
        "OuterSideExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false]
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
            Some(input) => Ok(Arc::new(OuterSideExec::new(input))),
            None => internal_err!("OuterSideExec without an input"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }
}

//! [`KqlPlanner`]: extension nodes to execution plans.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, Result, internal_err};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::LoweredAggregateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use kql_plan::node::{KqlNode, Op};

use crate::in_order::contiguous;
use crate::operator::OperatorExec;
use crate::range::RangeExec;

/// Plans the nodes of `kql-plan`.
#[derive(Debug, Default)]
pub struct KqlPlanner;

#[async_trait]
impl ExtensionPlanner for KqlPlanner {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        planning: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(node) = node.as_any().downcast_ref::<KqlNode>() else { return Ok(None) };
        let schema = Arc::clone(UserDefinedLogicalNode::schema(node).inner());
        let plan: Arc<dyn ExecutionPlan> = match (node.op.as_ref(), logical_inputs, physical_inputs) {
            (Op::Rows { batches }, _, _) => {
                let parts = contiguous(batches, &schema, session.config().target_partitions());
                MemorySourceConfig::try_new_exec(&parts, schema, None)?
            }
            (Op::Range { .. }, _, _) => Arc::new(RangeExec::try_new(Arc::clone(&node.op), schema)?),
            (Op::OrderedAggregate { groups }, [logical], [input]) => {
                ordered_aggregate(*groups, node, logical.schema(), input, planner, session, planning)?
            }
            (_, [logical], [input]) => {
                let lower = |expr: &Expr| planner.create_physical_expr(expr, logical.schema(), session, planning);
                let exprs = node.exprs.iter().map(lower).collect::<Result<Vec<Arc<dyn PhysicalExpr>>>>()?;
                let (pass, own) = exprs.split_at(node.pass.min(exprs.len()));
                let op = Arc::clone(&node.op);
                let mut steps = Vec::new();
                if let Op::Scan(scan) = op.as_ref() {
                    let lower = |expr: &Expr| planner.create_physical_expr(expr, &scan.schema, session, planning);
                    for step in &scan.steps {
                        steps.push(lower(&step.condition)?);
                        for (_, value) in &step.assignments {
                            steps.push(lower(value)?);
                        }
                    }
                }
                Arc::new(OperatorExec::try_new(op, Arc::clone(input), pass.to_vec(), own.to_vec(), steps, schema)?)
            }
            (op, _, _) => return internal_err!("{} with {} inputs", op.name(), physical_inputs.len()),
        };
        Ok(Some(plan))
    }
}

/// One aggregation over the single, ordered partition that its input is.
fn ordered_aggregate(
    groups: usize,
    node: &KqlNode,
    logical: &DFSchema,
    input: &Arc<dyn ExecutionPlan>,
    planner: &dyn PhysicalPlanner,
    session: &dyn Session,
    planning: &PhysicalPlanningContext,
) -> Result<Arc<dyn ExecutionPlan>> {
    let (group, aggregates) = node.exprs.split_at(groups.min(node.exprs.len()));
    let mut keys = Vec::with_capacity(group.len());
    for (expr, field) in group.iter().zip(UserDefinedLogicalNode::schema(node).fields()) {
        let expr = expr.clone().unalias();
        keys.push((planner.create_physical_expr(&expr, logical, session, planning)?, field.name().clone()));
    }
    let physical = input.schema();
    let mut exprs = Vec::with_capacity(aggregates.len());
    let mut filters = Vec::with_capacity(aggregates.len());
    for aggregate in aggregates {
        let lowered =
            LoweredAggregateBuilder::new(aggregate, logical, &physical, session.execution_props(), planning).build()?;
        exprs.push(lowered.aggregate);
        filters.push(lowered.filter);
    }
    let group = PhysicalGroupBy::new_single(keys);
    Ok(Arc::new(AggregateExec::try_new(AggregateMode::Single, group, exprs, filters, Arc::clone(input), physical)?))
}

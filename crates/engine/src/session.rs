//! Planning: which rules of DataFusion run, and under which settings.
//!
//! The lists are explicit. The binder has decided all types, so nothing coerces; constants are folded in lowering;
//! rules for shapes that lowering never makes (SQL subqueries, DISTINCT, grouping sets) would only cost time.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::common_subexpr_eliminate::CommonSubexprEliminate;
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::push_down_limit::PushDownLimit;
use datafusion::optimizer::{Optimizer, OptimizerContext, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use datafusion::prelude::SessionConfig;
use kql_exec::planner::KqlPlanner;

use crate::growing::push_filters;

type Rule = Arc<dyn OptimizerRule + Send + Sync>;

/// The logical rules run in this order: limits, filters, the others. One pass suffices: nothing a later rule does gives an
/// earlier one new work.
fn limits() -> Vec<Rule> {
    vec![Arc::new(PushDownLimit::new())]
}

fn filters() -> Vec<Rule> {
    vec![Arc::new(PushDownFilter::new())]
}

fn others() -> Vec<Rule> {
    vec![Arc::new(CommonSubexprEliminate::new()), Arc::new(OptimizeProjections::new())]
}

/// The physical rules, by their names. Those left out would find nothing: filters reach scans before (and a scan cannot
/// use the moving filters of joins and top-k on its ticks), aggregates are ours, windows are operators of ours.
const PHYSICAL_RULES: [&str; 7] = [
    "OutputRequirements",
    "join_selection",
    "LimitedDistinctAggregation",
    "EnsureRequirements",
    "CombinePartialFinalAggregate",
    "ProjectionPushdown",
    "LimitPushdown",
];

fn physical_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let wanted = |name: &str| {
        // The plan is checked where it is tested; without the other a query could not be ended.
        PHYSICAL_RULES.contains(&name)
            || name == "EnsureCooperative"
            || name == "SanityCheckPlan" && cfg!(debug_assertions)
    };
    PhysicalOptimizer::new().rules.into_iter().filter(|rule| wanted(rule.name())).collect()
}

/// Deeper plans run as they were lowered: pushing a filter below a projection writes what it computes into the filter,
/// and through hundreds of them the filter, and the time to plan, would grow with the square. So would that of merging
/// projections.
const DEPTH_MAX: usize = 100;

fn depth(plan: &LogicalPlan) -> usize {
    1 + plan.inputs().into_iter().map(depth).max().unwrap_or(0)
}

/// Plans for a number of partitions.
pub(crate) struct Planner {
    limits: Optimizer,
    filters: Optimizer,
    others: Optimizer,
    state: SessionState,
    /// The same without the rules that deep plans are spared.
    deep: SessionState,
    physical: DefaultPhysicalPlanner,
}

impl Planner {
    pub(crate) fn new(partitions: usize) -> Planner {
        let mut config = SessionConfig::new().with_target_partitions(partitions.max(1));
        let options = config.options_mut();
        options.optimizer.max_passes = 1;
        options.execution.collect_statistics = false;
        // Partitions are runs of rows that follow one another and stay so: groups and joined rows then come in one
        // order, however many there are.
        options.optimizer.enable_round_robin_repartition = false;
        options.optimizer.repartition_aggregations = false;
        options.optimizer.repartition_joins = false;
        options.optimizer.repartition_windows = false;
        // Scans deal out their row groups themselves, knowing which of them a filter leaves.
        options.optimizer.repartition_file_scans = false;
        options.execution.enable_file_stream_work_stealing = false;
        // All columns are nullable to us; which of them an expression happens to make non-null says nothing.
        options.execution.skip_physical_aggregate_schema_check = true;
        let all = physical_rules();
        let spared = ["ProjectionPushdown", "SanityCheckPlan"];
        let few = all.iter().filter(|rule| !spared.contains(&rule.name())).cloned().collect();
        let state = |rules| {
            SessionStateBuilder::new()
                .with_config(config.clone())
                .with_runtime_env(Arc::new(RuntimeEnv::default()))
                .with_physical_optimizer_rules(rules)
                .build()
        };
        let (state, deep) = (state(all), state(few));
        let physical = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(KqlPlanner)]);
        let [limits, filters, others] = [limits(), filters(), others()].map(Optimizer::with_rules);
        Planner { limits, filters, others, state, deep, physical }
    }

    pub(crate) fn state(&self) -> &SessionState {
        &self.state
    }

    pub(crate) fn optimize(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        if depth(&plan) > DEPTH_MAX {
            return Ok(plan);
        }
        let context = OptimizerContext::new().with_max_passes(1);
        let run = |optimizer: &Optimizer, plan| optimizer.optimize(plan, &context, |_, _| {});
        let plan = run(&self.limits, plan)?;
        let plan = push_filters(plan, &|plan| run(&self.filters, plan))?;
        run(&self.others, plan)
    }

    pub(crate) async fn physical(&self, plan: &LogicalPlan) -> Result<Arc<dyn ExecutionPlan>> {
        let state = if depth(plan) > DEPTH_MAX { &self.deep } else { &self.state };
        kql_exec::in_order::in_order(self.physical.create_physical_plan(plan, state).await?)
    }
}

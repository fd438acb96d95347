//! Planning: which rules of DataFusion run, and under which settings.
//!
//! The lists are explicit. The binder has decided all types, so nothing coerces; constants are folded in lowering;
//! rules for shapes that lowering never makes (SQL subqueries, DISTINCT, grouping sets) would only cost time.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, Filter, LogicalPlan, Operator, lit};
use datafusion::optimizer::common_subexpr_eliminate::CommonSubexprEliminate;
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::push_down_limit::PushDownLimit;
use datafusion::optimizer::{ApplyOrder, Optimizer, OptimizerConfig, OptimizerContext, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use datafusion::prelude::SessionConfig;
use kql_exec::outer_side::OuterSides;
use kql_exec::planner::KqlPlanner;
use kql_plan::node::{KqlNode, Op};

use crate::growing::push_filters;

type Rule = Arc<dyn OptimizerRule + Send + Sync>;

/// The logical rules run in this order: limits, filters, the others. One pass suffices: nothing a later rule does gives an
/// earlier one new work.
fn limits() -> Vec<Rule> {
    vec![Arc::new(PushDownLimit::new())]
}

fn filters() -> Vec<Rule> {
    vec![Arc::new(PushDownFilters(PushDownFilter::new()))]
}

fn others() -> Vec<Rule> {
    vec![Arc::new(CommonSubexprEliminate::new()), Arc::new(OptimizeProjections::new())]
}

/// DataFusion's rule with two exceptions. A filter stays above an aggregate without groups: that rule pushes down a predicate
/// whose columns are all keys, which one without columns always is, and the aggregate of no rows would then be a row. And a
/// comparison with null is false at once: of `x > 3 and x >= null` the rule would keep the first alone.
#[derive(Debug)]
struct PushDownFilters(PushDownFilter);

impl OptimizerRule for PushDownFilters {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match plan {
            plan if filters_totals(&plan) => Ok(Transformed::no(plan)),
            LogicalPlan::Filter(filter) if is_never_true(&filter) => {
                self.0.rewrite(LogicalPlan::Filter(Filter::new(lit(false), filter.input)), config)
            }
            plan => self.0.rewrite(plan, config),
        }
    }
}

/// Whether a plan filters an aggregate without groups, DataFusion's or ours.
fn filters_totals(plan: &LogicalPlan) -> bool {
    let LogicalPlan::Filter(filter) = plan else { return false };
    let mut input = filter.input.as_ref();
    while let LogicalPlan::Filter(filter) = input {
        input = filter.input.as_ref();
    }
    match input {
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::Extension(extension) => extension
            .node
            .as_any()
            .downcast_ref::<KqlNode>()
            .is_some_and(|node| matches!(*node.op, Op::OrderedAggregate { groups: 0 })),
        _ => false,
    }
}

/// Whether a filter, or one right below it, compares something with a literal null.
fn is_never_true(filter: &Filter) -> bool {
    let is_null = |expr: &Expr| matches!(expr, Expr::Literal(value, _) if value.is_null());
    let never = |expr: &&Expr| match expr {
        Expr::BinaryExpr(binary) => {
            matches!(binary.op, Operator::Eq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq)
                && (is_null(&binary.left) || is_null(&binary.right))
        }
        _ => false,
    };
    split_conjunction(&filter.predicate).iter().any(never)
        || matches!(filter.input.as_ref(), LogicalPlan::Filter(below) if is_never_true(below))
}

/// The physical rules of DataFusion that run after [`OuterSides`], by their names. Those left out would find nothing: filters reach scans before (and a scan cannot
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
    let first: Arc<dyn PhysicalOptimizerRule + Send + Sync> = Arc::new(OuterSides);
    std::iter::once(first)
        .chain(PhysicalOptimizer::new().rules.into_iter().filter(|rule| wanted(rule.name())))
        .collect()
}

/// Deeper plans run as they were lowered: pushing a filter below a projection writes what it computes into the filter,
/// and through hundreds of them the filter, and the time to plan, would grow with the square. So would that of merging
/// projections.
const DEPTH_MAX: usize = 100;

fn depth(plan: &LogicalPlan) -> usize {
    1 + plan.inputs().into_iter().map(depth).max().unwrap_or(0)
}

/// The physical rules without which a plan does not run, or gives other rows or another order.
const NEEDED_RULES: [&str; 4] = ["OuterSides", "OutputRequirements", "EnsureRequirements", "EnsureCooperative"];

/// What plans are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PlanShape {
    pub(crate) partitions: usize,
    pub(crate) batch_rows: Option<usize>,
    pub(crate) as_lowered: bool,
}

/// Plans of one shape.
pub(crate) struct Planner {
    as_lowered: bool,
    limits: Optimizer,
    filters: Optimizer,
    others: Optimizer,
    state: SessionState,
    /// The same without the rules that deep plans are spared.
    deep: SessionState,
    physical: DefaultPhysicalPlanner,
}

impl Planner {
    pub(crate) fn new(shape: PlanShape) -> Planner {
        let mut config = SessionConfig::new().with_target_partitions(shape.partitions.max(1));
        if let Some(rows) = shape.batch_rows {
            config = config.with_batch_size(rows.max(1));
        }
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
        let mut all = physical_rules();
        if shape.as_lowered {
            all.retain(|rule| NEEDED_RULES.contains(&rule.name()));
        }
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
        Planner { as_lowered: shape.as_lowered, limits, filters, others, state, deep, physical }
    }

    pub(crate) fn state(&self) -> &SessionState {
        &self.state
    }

    pub(crate) fn optimize(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        if self.as_lowered || depth(&plan) > DEPTH_MAX {
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

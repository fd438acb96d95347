//! Plans whose operators went through their bytes give the rows they gave before.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::TableSource;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, collect};
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use datafusion::prelude::SessionConfig;
use kql_exec::codec::{decode, encode};
use kql_exec::in_order::in_order;
use kql_exec::outer_side::OuterSides;
use kql_exec::planner::KqlPlanner;
use kql_plan::lower::SourceColumn;
use kql_plan::{LowerOptions, Lowering, Tables};
use kql_semantics::{BindOptions, Catalog, StoredFunction, TableInfo, bind};

struct Nothing;

impl Catalog for Nothing {
    fn table(&self, _: &str) -> Option<Arc<TableInfo>> {
        None
    }
    fn table_names(&self) -> Vec<String> {
        Vec::new()
    }
    fn function(&self, _: &str) -> Option<Arc<StoredFunction>> {
        None
    }
    fn function_names(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Tables for Nothing {
    fn source(&self, _: &str, _: &[SourceColumn]) -> Result<Option<Arc<dyn TableSource>>, DataFusionError> {
        Ok(None)
    }
    fn clipped(&self, _: &str) -> bool {
        false
    }
}

const ROWS: &str = "datatable(k:string, n:long, r:real, t:datetime, d:dynamic)[\
    'a', 1, 0.5, datetime(2026-01-01), dynamic([1, 'x', {'y': 2}]), \
    'b', 2, real(nan), datetime(2026-01-02), dynamic([]), \
    'a', 3, real(null), datetime(null), dynamic({'p': 1, 'q': 'z'}), \
    '', long(null), -1.5, datetime(2026-01-03 04:05:06.0000007), dynamic(null)]";

const PIPELINES: [&str; 16] = [
    "mv-expand d | project k, d",
    "mv-expand with_itemindex=i d to typeof(string) limit 2 | where i < 2",
    "mv-expand kind=array bagexpansion=array d | project n, d",
    "mv-apply d on (summarize c = count(), l = make_list(d)) | project k, c, l",
    "sort by n desc | extend row = row_number(), before = prev(k, 1, 'none'), after = next(n), s = row_cumsum(n, k != prev(k))",
    "sort by r asc | summarize make_list(n, 2), take_any(k) by bin(n, 2)",
    "top 2 by k asc | project k, n",
    "partition by k (top 1 by n desc) | sort by k asc",
    "join kind=innerunique (range n from 1 to 3 step 1) on n | project k, n",
    "parse k with head:string 'x' rest | extend e = strcat(head, '-', rest)",
    "extend text = strcat(k, ' id=', n, ' of 5') | parse kind=regex text with a '[a-z]d=' num:long ' of' * | where isnotnull(num)",
    "extend text = strcat('user=', k, ';n=\"', n, '\"') | parse-kv text as (user:string, n1:long) with (pair_delimiter=';', kv_delimiter='=', quote='\"')",
    "where isnotnull(n) | sort by n asc | scan with_match_id=m declare (total:long=0) with (step s: true => total = s.total + n;)",
    "sort by n asc | scan partition by k declare (c:long=0) with (step a output=last: n > 0 => c = 1; step b: n > a.n and k != 'q' => c = a.c + 1;)",
    "where k == 'q' | join kind=rightouter (range n from 1 to 9 step 1) on n | summarize c = count() by k",
    "union (range n from 5 to 1 step -2), (range r from 0.5 to 2.0 step 0.5) | project n, r",
];

fn planner_of(partitions: usize) -> (DefaultPhysicalPlanner, SessionState) {
    let mut config = SessionConfig::new().with_target_partitions(partitions);
    let options = config.options_mut();
    options.execution.skip_physical_aggregate_schema_check = true;
    options.optimizer.repartition_aggregations = false;
    options.optimizer.repartition_joins = false;
    let state = SessionStateBuilder::new().with_config(config).with_default_features().build();
    (DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(KqlPlanner)]), state)
}

async fn plan(query: &str, partitions: usize) -> (Arc<dyn ExecutionPlan>, SessionState) {
    let parsed = kql_syntax::parse(query);
    let bound = bind(&parsed.query, &Nothing, &BindOptions::default());
    let bound = bound.query.unwrap_or_else(|| panic!("{query}\n  {:?}", bound.diagnostics));
    let options = LowerOptions::default();
    let materialized = HashMap::new();
    let lowered = Lowering::new(&Nothing, &options, &materialized, false)
        .lower_result(&bound.results[0].rel)
        .unwrap_or_else(|error| panic!("{query}\n  {error:?}"));
    let (planner, state) = planner_of(partitions);
    let plan = planner.create_physical_plan(&lowered.plan, &state).await.unwrap();
    let plan = OuterSides.optimize(plan, state.config_options()).unwrap();
    (in_order(plan).unwrap(), state)
}

/// The plan with each of our nodes made again from its bytes; their names are noted.
fn again(plan: Arc<dyn ExecutionPlan>, seen: &mut BTreeSet<String>) -> Arc<dyn ExecutionPlan> {
    let remade = plan.transform_up(|node| {
        let Some(bytes) = encode(&node)? else { return Ok(Transformed::no(node)) };
        seen.insert(node.name().to_owned());
        let inputs: Vec<_> = node.children().into_iter().cloned().collect();
        let made = decode(&bytes, &inputs)?;
        assert_eq!(encode(&made)?.unwrap(), bytes);
        assert_eq!(made.schema(), node.schema());
        assert_eq!(made.output_ordering(), node.output_ordering());
        Ok(Transformed::yes(made))
    });
    remade.unwrap().data
}

#[tokio::test]
async fn every_operator_gives_the_same_rows_after_its_bytes() {
    let mut seen = BTreeSet::new();
    for pipeline in PIPELINES {
        for partitions in [1, 3] {
            let query = format!("{ROWS} | {pipeline}");
            let (before, state) = plan(&query, partitions).await;
            // Made afresh: a plan runs once.
            let after = again(plan(&query, partitions).await.0, &mut seen);
            let expected: Vec<RecordBatch> = collect(before, state.task_ctx()).await.unwrap();
            let found: Vec<RecordBatch> = collect(after, state.task_ctx()).await.unwrap();
            assert_eq!(found, expected, "{query}");
            assert!(expected.iter().any(|batch| batch.num_rows() > 0), "{query} gives nothing");
        }
    }
    let all = [
        "FirstRows",
        "InOrderExec",
        "MvExpand",
        "OuterSideExec",
        "Parse",
        "ParseKv",
        "Pin",
        "RangeExec",
        "RowId",
        "Scan",
        "Window",
    ];
    for name in all {
        assert!(seen.contains(name), "no plan has {name}: {seen:?}");
    }
}

#[test]
fn bytes_that_are_no_node_are_refused() {
    for bytes in
        ["", "{}", "[1]", r#"{"node": "operator"}"#, r#"{"node": "range", "op": {"is": "range"}, "schema": []}"#]
    {
        assert!(decode(bytes.as_bytes(), &[]).is_err(), "{bytes}");
    }
}

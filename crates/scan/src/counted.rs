//! How many rows a plan has read from files, by table.

use std::sync::Arc;

use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::MetricsSet;

use crate::file::FilePart;

/// The rows that the file scans of a plan gave, by table: rows of row groups and pages that were left out are not among
/// them. Zero before the plan has run.
pub fn rows_read(plan: &Arc<dyn ExecutionPlan>) -> Vec<(String, u64)> {
    let mut read = Vec::new();
    add(plan, &mut read);
    read
}

fn add(plan: &Arc<dyn ExecutionPlan>, into: &mut Vec<(String, u64)>) {
    if let Some(table) = table_of(plan) {
        let metrics = plan.metrics();
        let given = metrics.as_ref().and_then(MetricsSet::output_rows).unwrap_or(0);
        // Rows of which only the columns of a filter were decoded have been read as well.
        let dropped = metrics.as_ref().and_then(|metrics| metrics.sum_by_name("pushdown_rows_pruned"));
        let rows = (given + dropped.map_or(0, |dropped| dropped.as_usize())) as u64;
        match into.iter_mut().find(|(known, _)| *known == table) {
            Some((_, total)) => *total += rows,
            None => into.push((table, rows)),
        }
    }
    plan.children().into_iter().for_each(|child| add(child, into));
}

fn table_of(plan: &Arc<dyn ExecutionPlan>) -> Option<String> {
    let source = plan.downcast_ref::<DataSourceExec>()?;
    let config = source.data_source().downcast_ref::<FileScanConfig>()?;
    let file = config.file_groups.iter().flat_map(|group| group.files()).next()?;
    file.extensions.get::<FilePart>().map(|part| part.table.clone())
}

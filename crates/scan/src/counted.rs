//! How many rows a plan has read from files, by table.

use std::sync::Arc;

use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;

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
        let rows = plan.metrics().and_then(|metrics| metrics.output_rows()).unwrap_or(0) as u64;
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

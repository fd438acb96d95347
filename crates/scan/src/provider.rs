//! [`TableScan`]: the parts of one table as a DataFusion table.
//!
//! Files with the same columns are read by one Parquet source, whose output is shown in the table's layout by a
//! projection; parts are put one after another. Filters prune files, row groups and pages, and run again above.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::common::stats::Precision;
use datafusion::common::{Result, Statistics};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, Operator, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::{PhysicalExpr, conjunction_opt};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::expressions::{BinaryExpr, Column, Literal};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::union::UnionExec;

use kql_exec::in_order::contiguous;

use crate::ScanColumn;
use crate::dataset::MemoryPart;
use crate::file::FilePart;
use crate::late::{Late, may_run_late, shown_as};
use crate::memory::{scan_schema, shown};
use crate::pruning::{excludes, is_useful, predicate_of_all};
use crate::reader::LocalReaders;
use crate::split::Share;

static LATE_READING: AtomicBool = AtomicBool::new(true);

/// For measurements: whether scans read wide columns only of rows that pass a filter on narrow ones. It is on.
pub fn set_late_reading(on: bool) {
    LATE_READING.store(on, Ordering::Relaxed);
}

/// Name of the column with a row's number in its file; no real column is called so.
const ROW_NUMBER: &str = "\u{1}row";

/// The rows of a table with some of its columns.
#[derive(Debug)]
pub(crate) struct TableScan {
    pub(crate) columns: Vec<ScanColumn>,
    pub(crate) memory: Vec<MemoryPart>,
    pub(crate) files: Vec<Arc<FilePart>>,
    pub(crate) schema: SchemaRef,
}

impl TableScan {
    pub(crate) fn new(columns: &[ScanColumn], memory: Vec<MemoryPart>, files: Vec<Arc<FilePart>>) -> TableScan {
        TableScan { columns: columns.to_vec(), memory, files, schema: scan_schema(columns) }
    }

    /// A time that the first `count` rows by a time column are not before, or not after when `ascending`; None where
    /// footers do not say.
    pub(crate) fn bound_of_first(&self, column: &str, count: u64, ascending: bool, nulls_first: bool) -> Option<i64> {
        let column = self.columns.iter().find(|known| known.plan_name == column)?;
        if !self.memory.is_empty() || column.ty != kql_types::ScalarType::DateTime || count == 0 {
            return None;
        }
        // Each group as the worst time it may have, and how many rows are no worse.
        let mut groups: Vec<(i64, u64)> = Vec::new();
        for file in &self.files {
            for group in file.group_times(&column.name)? {
                if nulls_first && group.nulls > 0 {
                    return None;
                }
                let worst = if ascending { group.most } else { group.least };
                groups.push((worst, group.rows.saturating_sub(group.nulls)));
            }
        }
        groups.sort_unstable();
        if !ascending {
            groups.reverse();
        }
        let mut rows = 0_u64;
        for (worst, more) in groups {
            rows = rows.saturating_add(more);
            if rows >= count {
                return Some(worst);
            }
        }
        None
    }

    fn memory_plan(&self, columns: &[ScanColumn], partitions: usize) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let schema = scan_schema(columns);
        let mut batches = Vec::new();
        for part in &self.memory {
            for batch in &part.batches {
                batches.push(shown(batch, &part.columns, columns, &schema)?);
            }
        }
        if batches.is_empty() {
            return Ok(None);
        }
        let parts = contiguous(&batches, &schema, partitions);
        Ok(Some(MemorySourceConfig::try_new_exec(&parts, schema, None)?))
    }

    /// Files whose columns, as far as they are asked for, have the same types.
    fn file_plans(
        &self,
        session: &dyn Session,
        columns: &[ScanColumn],
        filters: &[Expr],
    ) -> Result<Vec<Arc<dyn ExecutionPlan>>> {
        let mut groups: Vec<(SchemaRef, Vec<Arc<FilePart>>)> = Vec::new();
        for file in &self.files {
            if filters.iter().any(|filter| excludes(filter, &self.columns, &|column| file.span(column))) {
                continue;
            }
            let schema = self.read_schema(file, columns);
            match groups.iter_mut().find(|(known, files)| {
                *known == schema && files.first().is_some_and(|first| first.source.is_some() == file.source.is_some())
            }) {
                Some((_, files)) => files.push(Arc::clone(file)),
                None => groups.push((schema, vec![Arc::clone(file)])),
            }
        }
        groups.into_iter().map(|(schema, files)| self.file_plan(session, columns, filters, &schema, &files)).collect()
    }

    /// The columns of a file that are read: those asked for, and those that filters prune by.
    fn read_schema(&self, file: &FilePart, columns: &[ScanColumn]) -> SchemaRef {
        let wanted = |name: &str| columns.iter().chain(&self.columns).any(|column| column.name == name);
        let mut fields: Vec<_> = file.schema.fields().iter().filter(|field| wanted(field.name())).cloned().collect();
        if fields.is_empty() {
            // The file has none of them, but its rows count: a narrow column is read in their stead.
            let narrow = file.schema.fields().iter().find(|field| field.data_type().is_primitive());
            fields.extend(narrow.or(file.schema.fields().first()).cloned());
        }
        Arc::new(Schema::new(fields))
    }

    fn file_plan(
        &self,
        session: &dyn Session,
        columns: &[ScanColumn],
        filters: &[Expr],
        schema: &SchemaRef,
        files: &[Arc<FilePart>],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(first) = files.first() else { return Ok(Arc::new(EmptyExec::new(scan_schema(columns)))) };
        let numbered = first.source.is_some()
            && columns.iter().any(|column| column.name == tables::SOURCE_COLUMN)
            && schema.index_of(tables::SOURCE_COLUMN).is_err();
        let mut table = TableSchema::builder(Arc::clone(schema));
        if numbered {
            let number = Field::new(ROW_NUMBER, datafusion::arrow::datatypes::DataType::Int64, false)
                .with_extension_type(datafusion::parquet::arrow::RowNumber);
            table = table.with_virtual_columns(vec![Arc::new(number)]);
            let source = Field::new(SOURCE_PARTITION, datafusion::arrow::datatypes::DataType::Int64, false);
            table = table.with_table_partition_cols(vec![Arc::new(source)]);
        }
        let table = table.build();
        let full = Arc::clone(table.table_schema());
        let mut source = ParquetSource::new(table)
            .with_parquet_file_reader_factory(Arc::new(LocalReaders))
            .with_enable_page_index(true)
            .with_bloom_filter_on_read(true);
        // What is read of each file, then how it is shown.
        let mut read: Vec<usize> = Vec::new();
        let mut exprs: Vec<ProjectionExpr> = Vec::new();
        for column in columns {
            let expr = self.shown_column(session, column, first, &full, numbered, &mut read)?;
            exprs.push(ProjectionExpr { expr, alias: column.plan_name.clone() });
        }
        if read.is_empty() {
            read.push(0);
        }
        let names: HashSet<&str> =
            read.iter().filter_map(|index| full.fields().get(*index)).map(|field| field.name().as_str()).collect();
        let late = Late { filters, columns: &self.columns, schema: &self.schema, read: &names };
        let late = if numbered || !LATE_READING.load(Ordering::Relaxed) {
            None
        } else {
            late.predicate(session, first, schema)?
        };
        source = source.with_pushdown_filters(late.is_some());
        let pruning = predicate_of_all(filters, &self.columns, first, schema);
        if let Some(predicate) = conjunction_opt(pruning.into_iter().chain(late)) {
            source = source.with_predicate(predicate);
        }
        let share = Share { files, read: names, filters, columns: &self.columns, numbered };
        let shares = share.deal(session.config().target_partitions());
        if shares.groups.is_empty() {
            return Ok(Arc::new(EmptyExec::new(scan_schema(columns))));
        }
        let mut statistics = Statistics::new_unknown(&full);
        statistics.num_rows = Precision::Inexact(usize::try_from(shares.rows).unwrap_or(usize::MAX));
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
            .with_file_groups(shares.groups)
            .with_statistics(statistics)
            .with_projection_indices(Some(read))?
            .build();
        let plan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
        Ok(Arc::new(ProjectionExec::try_new(exprs, plan)?))
    }

    /// An expression over the columns read that shows one column; notes which columns of the file it reads.
    fn shown_column(
        &self,
        session: &dyn Session,
        column: &ScanColumn,
        file: &FilePart,
        full: &SchemaRef,
        numbered: bool,
        read: &mut Vec<usize>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let mut position = |name: &str| -> Option<Arc<dyn PhysicalExpr>> {
            let index = full.index_of(name).ok()?;
            let at = match read.iter().position(|known| *known == index) {
                Some(at) => at,
                None => {
                    read.push(index);
                    read.len() - 1
                }
            };
            Some(Arc::new(Column::new(name, at)))
        };
        if numbered
            && column.name == tables::SOURCE_COLUMN
            && let (Some(number), Some(source)) = (position(ROW_NUMBER), position(SOURCE_PARTITION))
        {
            return Ok(Arc::new(BinaryExpr::new(source, Operator::Plus, number)));
        }
        let known = file.columns.iter().find(|known| known.name == column.name);
        let Some((known, read)) = known.and_then(|known| Some((known, position(&column.name)?))) else {
            let missing = crate::memory::missing(column.ty, 1);
            return Ok(Arc::new(Literal::new(ScalarValue::try_from_array(&missing, 0)?)));
        };
        Ok(shown_as(session, known.ty, column.ty, &column.plan_name, read))
    }
}

/// A time that the first `count` rows of a table made by [`crate::DataSet::provider`] are not before (not after it when
/// `ascending`), in the order of a column by its plan name. None where that is not known without reading.
pub fn bound_of_first(
    table: &dyn TableProvider,
    column: &str,
    count: u64,
    ascending: bool,
    nulls_first: bool,
) -> Option<i64> {
    table.downcast_ref::<TableScan>()?.bound_of_first(column, count, ascending, nulls_first)
}

/// Name of the column with the high bits of a row's place.
const SOURCE_PARTITION: &str = "\u{1}source";

#[async_trait]
impl TableProvider for TableScan {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let columns: Vec<ScanColumn> = match projection {
            Some(indices) => indices.iter().filter_map(|index| self.columns.get(*index)).cloned().collect(),
            None => self.columns.clone(),
        };
        let mut plans: Vec<Arc<dyn ExecutionPlan>> =
            self.memory_plan(&columns, session.config().target_partitions())?.into_iter().collect();
        plans.extend(self.file_plans(session, &columns, filters)?);
        match plans.len() {
            0 => Ok(Arc::new(EmptyExec::new(scan_schema(&columns)))),
            1 => Ok(plans.swap_remove(0)),
            _ => UnionExec::try_new(plans),
        }
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let useful = |filter: &Expr| {
            !self.files.is_empty() && (is_useful(filter, &self.columns) || may_run_late(filter, &self.columns))
        };
        Ok(filters
            .iter()
            .map(|filter| match useful(filter) {
                true => TableProviderFilterPushDown::Inexact,
                false => TableProviderFilterPushDown::Unsupported,
            })
            .collect())
    }
}

//! [`DataSet`]: which tables there are, and where the rows of each lie.
//!
//! A table may have several parts; each part has its own columns and is shown in the table's layout when it is read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::common::Result as PlanResult;
use datafusion::datasource::MemTable;
use kql_types::{Column, ScalarType};

use crate::memory::{scan_schema, shown};

/// Why data could not be added or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataError(pub String);

impl std::fmt::Display for DataError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DataError {}

/// A column that a scan shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanColumn {
    /// Name in the table.
    pub name: String,
    /// Name in the plan.
    pub plan_name: String,
    pub ty: ScalarType,
}

/// Tables by name, each with rows in memory, in Parquet files, or both.
#[derive(Debug, Clone, Default)]
pub struct DataSet {
    tables: BTreeMap<String, TableData>,
}

#[derive(Debug, Clone, Default)]
struct TableData {
    memory: Vec<MemoryPart>,
    files: Vec<FilePart>,
}

/// Rows in memory with the Kusto types of their columns.
#[derive(Debug, Clone)]
struct MemoryPart {
    columns: Vec<Column>,
    batches: Vec<RecordBatch>,
}

#[derive(Debug, Clone)]
struct FilePart {
    path: PathBuf,
    columns: Vec<Column>,
}

impl DataSet {
    pub fn new() -> DataSet {
        DataSet::default()
    }

    /// Adds rows to a table. `batches` have one column for each of `columns`, same names and order, in the layout of
    /// [`tables::arrow_type`]; the hidden columns (`_ItemId`, [`tables::SOURCE_COLUMN`], [`tables::INGESTION_COLUMN`])
    /// may be among them.
    ///
    /// # Errors
    /// When a batch does not have these columns in this layout.
    pub fn add_batches(
        &mut self,
        table: &str,
        columns: Vec<Column>,
        batches: Vec<RecordBatch>,
    ) -> Result<(), DataError> {
        for batch in &batches {
            if batch.num_columns() != columns.len() {
                return Err(DataError(format!(
                    "table {table}: a batch has {} columns where {} were named",
                    batch.num_columns(),
                    columns.len()
                )));
            }
            for (column, array) in columns.iter().zip(batch.columns()) {
                if *array.data_type() != tables::arrow_type(column.ty) {
                    return Err(DataError(format!(
                        "table {table}: column {} is {} where {} was expected for {}",
                        column.name,
                        array.data_type(),
                        tables::arrow_type(column.ty),
                        column.ty
                    )));
                }
            }
        }
        self.tables.entry(table.to_owned()).or_default().memory.push(MemoryPart { columns, batches });
        Ok(())
    }

    /// Adds a Parquet file to a table; it is read in place when a query needs it.
    ///
    /// # Errors
    /// When the file can't be opened or is not Parquet.
    pub fn add_parquet(&mut self, table: &str, path: &Path) -> Result<(), DataError> {
        let columns = Vec::new();
        self.tables.entry(table.to_owned()).or_default().files.push(FilePart { path: path.to_owned(), columns });
        Ok(())
    }

    /// Names of the tables that have data, sorted.
    pub fn table_names(&self) -> Vec<String> {
        self.tables.keys().cloned().collect()
    }

    /// The columns found in the data of a table, in order of appearance; None when the table has no data.
    pub fn columns(&self, table: &str) -> Option<Vec<Column>> {
        let data = self.tables.get(table)?;
        let mut columns: Vec<Column> = Vec::new();
        let parts = data.memory.iter().map(|part| &part.columns).chain(data.files.iter().map(|part| &part.columns));
        for column in parts.flatten() {
            if !columns.iter().any(|known| known.name == column.name) {
                columns.push(column.clone());
            }
        }
        Some(columns)
    }

    /// Rows of a table, all of them, with these columns; a column that the data lacks is null. None without data.
    ///
    /// # Errors
    /// When rows can't be shown in the table's layout.
    pub fn provider(&self, table: &str, columns: &[ScanColumn]) -> PlanResult<Option<Arc<dyn TableProvider>>> {
        let Some(data) = self.tables.get(table) else { return Ok(None) };
        let schema = scan_schema(columns);
        let mut batches = Vec::new();
        for part in &data.memory {
            for batch in &part.batches {
                batches.push(shown(batch, &part.columns, columns, &schema)?);
            }
        }
        Ok(Some(Arc::new(MemTable::try_new(schema, vec![batches])?)))
    }
}

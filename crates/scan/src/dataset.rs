//! [`DataSet`]: which tables there are, and where the rows of each lie.
//!
//! A table may have several parts; each part has its own columns and is shown in the table's layout when it is read.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::TableProvider;
use kql_types::{Column, ScalarType};

use crate::file::FilePart;
use crate::provider::TableScan;

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
    files: Vec<Arc<FilePart>>,
    /// The rows in memory are some of those of files that somebody else wrote.
    kept_of_stored: bool,
}

/// Rows in memory with the Kusto types of their columns.
#[derive(Debug, Clone)]
pub(crate) struct MemoryPart {
    pub(crate) columns: Vec<Column>,
    pub(crate) batches: Vec<RecordBatch>,
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
        let file = FilePart::open(table, path, None)?;
        self.tables.entry(table.to_owned()).or_default().files.push(Arc::new(file));
        Ok(())
    }

    /// As [`DataSet::add_parquet`], where the file is itself the source of its records: row `n` is at the place
    /// `tables::pack_source(source, n)`, unless the file has places of its own.
    ///
    /// # Errors
    /// As [`DataSet::add_parquet`].
    pub fn add_parquet_source(&mut self, table: &str, path: &Path, source: u32) -> Result<(), DataError> {
        let file = FilePart::open(table, path, Some(source))?;
        self.tables.entry(table.to_owned()).or_default().files.push(Arc::new(file));
        Ok(())
    }

    /// Rows of a table; None when it has no data.
    pub fn row_count(&self, table: &str) -> Option<u64> {
        let data = self.tables.get(table)?;
        let memory = data.memory.iter().flat_map(|part| &part.batches).map(|batch| batch.num_rows() as u64);
        let files = data.files.iter().map(|file| file.rows);
        Some(memory.chain(files).sum())
    }

    /// Bytes of the files of a table as they are stored, packed.
    pub fn file_bytes(&self, table: &str) -> u64 {
        self.tables.get(table).map_or(0, |data| data.files.iter().map(|file| file.bytes).sum())
    }

    /// Whether all rows of a table lie in Parquet files that somebody else wrote: rows of a table as it was stored, not
    /// records that a loader mapped.
    pub fn is_stored_elsewhere(&self, table: &str) -> bool {
        self.tables.get(table).is_some_and(|data| {
            data.kept_of_stored
                || data.memory.is_empty()
                    && data.files.iter().all(|file| file.schema.index_of(tables::SOURCE_COLUMN).is_err())
        })
    }

    /// Rows of a table that are held in memory.
    pub fn rows_in_memory(&self, table: &str) -> u64 {
        let parts = self.tables.get(table).map(|data| data.memory.iter()).into_iter().flatten();
        parts.flat_map(|part| &part.batches).map(|batch| batch.num_rows() as u64).sum()
    }

    /// Rows of a table that lie in files.
    pub fn rows_in_files(&self, table: &str) -> u64 {
        self.tables.get(table).map_or(0, |data| data.files.iter().map(|file| file.rows).sum())
    }

    /// Puts rows in the place of all that a table has: some of its rows, as a query gave them, for queries that need no
    /// others.
    ///
    /// # Errors
    /// As [`DataSet::add_batches`].
    pub fn keep_only(&mut self, table: &str, columns: Vec<Column>, batches: Vec<RecordBatch>) -> Result<(), DataError> {
        let stored_elsewhere = self.is_stored_elsewhere(table);
        self.tables.insert(table.to_owned(), TableData::default());
        self.add_batches(table, columns, batches)?;
        if let Some(data) = self.tables.get_mut(table) {
            data.kept_of_stored = stored_elsewhere;
        }
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

    /// Rows of a table with these columns; a column that the data lacks is null. None without data.
    pub fn provider(&self, table: &str, columns: &[ScanColumn]) -> Option<Arc<dyn TableProvider>> {
        let data = self.tables.get(table)?;
        Some(Arc::new(TableScan::new(columns, data.memory.clone(), data.files.clone())))
    }
}

//! Results as values.

use kql_types::Value;

use crate::ResultTable;

impl ResultTable {
    pub fn row_count(&self) -> usize {
        self.batches.iter().map(|batch| batch.num_rows()).sum()
    }

    /// All rows as values, in order. For edges and tests: it copies everything.
    pub fn rows(&self) -> Vec<Vec<Value>> {
        let mut rows = Vec::with_capacity(self.row_count());
        for batch in &self.batches {
            for row in 0..batch.num_rows() {
                let values = self.columns.iter().zip(batch.columns());
                rows.push(values.map(|(column, array)| kql_plan::value_at(array, column.ty, row)).collect());
            }
        }
        rows
    }
}

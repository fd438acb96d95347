//! Operators that see a whole part of a table at once: the rows are kept until there are no more.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, UInt32Array};
use datafusion::arrow::compute::{concat, take};
use datafusion::common::Result;
use kql_functions::kernels::tabular::whole::WholeTable;
use kql_functions::kernels::tabular::window::part_starts;
use kql_plan::error::kernel_failure;
use kql_plan::node::Whole;

use super::{BATCH_ROWS, Stage, StageInput};

pub(super) struct WholeStage {
    keys: usize,
    table: Arc<dyn WholeTable>,
    held: Vec<StageInput>,
    bytes: usize,
    /// Output, and the row from which it is still to be given.
    ready: Vec<(Vec<ArrayRef>, usize)>,
    given: usize,
}

impl WholeStage {
    pub(super) fn new(whole: &Whole) -> WholeStage {
        let table = Arc::clone(&whole.table);
        WholeStage { keys: whole.keys, table, held: Vec::new(), bytes: 0, ready: Vec::new(), given: 0 }
    }

    /// One column of all rows held.
    fn whole_column(&self, column: impl Fn(&StageInput) -> Result<ArrayRef>) -> Result<ArrayRef> {
        let parts = self.held.iter().map(column).collect::<Result<Vec<ArrayRef>>>()?;
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        Ok(concat(&parts)?)
    }

    /// Where parts begin, and the end of the last one.
    fn bounds(&self, keys: &[ArrayRef], rows: usize) -> Result<Vec<usize>> {
        let mut bounds = Vec::new();
        if keys.is_empty() {
            bounds.push(0);
        } else {
            let starts = part_starts(keys, &mut Vec::new(), rows).map_err(kernel_failure)?;
            bounds.extend((0..rows).filter(|row| *row == 0 || starts.value(*row)));
        }
        bounds.push(rows);
        Ok(bounds)
    }
}

impl Stage for WholeStage {
    fn push(&mut self, input: StageInput) -> Result<()> {
        if input.rows > 0 {
            let arrays = input.pass.iter().map(|array| array.get_array_memory_size()).sum::<usize>();
            let own = (0..input.own.len()).map(|index| input.own_array(index)).collect::<Result<Vec<ArrayRef>>>()?;
            self.bytes += arrays + own.iter().map(|array| array.get_array_memory_size()).sum::<usize>();
            self.held.push(input);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        let Some(first) = self.held.first() else { return Ok(()) };
        let rows: usize = self.held.iter().map(|input| input.rows).sum();
        let (passed, given) = (first.pass.len(), first.own.len());
        let mut pass = Vec::with_capacity(passed);
        for index in 0..passed {
            pass.push(self.whole_column(|input| match input.pass.get(index) {
                Some(column) => Ok(Arc::clone(column)),
                None => datafusion::common::internal_err!("an operator lacks column {index}"),
            })?);
        }
        let own = (0..given)
            .map(|index| self.whole_column(|input| input.own_array(index)))
            .collect::<Result<Vec<ArrayRef>>>()?;
        self.held.clear();
        let (keys, own) = own.split_at(self.keys.min(own.len()));
        let bounds = self.bounds(keys, rows)?;
        for (from, to) in bounds.iter().zip(bounds.iter().skip(1)) {
            let part: Vec<ArrayRef> = own.iter().map(|column| column.slice(*from, to - from)).collect();
            let made = self.table.make(&part, to - from).map_err(kernel_failure)?;
            let indices: UInt32Array = made.rows.iter().map(|row| Some(row + *from as u32)).collect();
            let mut columns =
                pass.iter().map(|column| Ok(take(column, &indices, None)?)).collect::<Result<Vec<ArrayRef>>>()?;
            columns.extend(made.columns);
            self.ready.push((columns, made.rows.len()));
        }
        self.ready.reverse();
        Ok(())
    }

    fn pull(&mut self) -> Result<Option<(Vec<ArrayRef>, usize)>> {
        let Some((columns, rows)) = self.ready.last() else { return Ok(None) };
        let length = (rows - self.given).min(BATCH_ROWS);
        let slice = columns.iter().map(|column| column.slice(self.given, length)).collect();
        self.given += length;
        if self.given >= *rows {
            self.ready.pop();
            self.given = 0;
        }
        Ok(Some((slice, length)))
    }

    fn size(&self) -> usize {
        self.bytes
    }
}

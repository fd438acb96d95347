//! Numbers rows: the partition in the high bits, a counter in the low ones.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array};
use datafusion::common::Result;

use super::{Stage, StageInput};

pub(super) struct RowIds {
    next: i64,
    ready: Option<(Vec<ArrayRef>, usize)>,
}

impl RowIds {
    pub(super) fn new(partition: usize) -> RowIds {
        RowIds { next: (partition as i64) << 40, ready: None }
    }
}

impl Stage for RowIds {
    fn push(&mut self, mut input: StageInput) -> Result<()> {
        let end = self.next + input.rows as i64;
        input.pass.push(Arc::new(Int64Array::from_iter_values(self.next..end)));
        self.next = end;
        self.ready = Some((input.pass, input.rows));
        Ok(())
    }

    fn pull(&mut self) -> Result<Option<(Vec<ArrayRef>, usize)>> {
        Ok(self.ready.take())
    }
}

//! The first rows of each key, in the order they come.

use std::collections::HashMap;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::arrow::compute::filter;
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::Result;

use super::{Stage, StageInput};

pub(super) struct FirstRows {
    count: u64,
    converter: Option<RowConverter>,
    seen: HashMap<Box<[u8]>, u64>,
    key_bytes: usize,
    ready: Option<(Vec<ArrayRef>, usize)>,
}

impl FirstRows {
    pub(super) fn new(count: u64) -> FirstRows {
        FirstRows { count, converter: None, seen: HashMap::new(), key_bytes: 0, ready: None }
    }

    fn keys(&mut self, input: &StageInput) -> Result<datafusion::arrow::row::Rows> {
        let keys = (0..input.own.len()).map(|index| input.own_array(index)).collect::<Result<Vec<_>>>()?;
        let converter = match &mut self.converter {
            Some(converter) => converter,
            None => {
                let fields = keys.iter().map(|key| SortField::new(key.data_type().clone())).collect();
                self.converter.insert(RowConverter::new(fields)?)
            }
        };
        Ok(converter.convert_columns(&keys)?)
    }

    /// Whether a row with this key is still among the first.
    fn admit(&mut self, key: &[u8]) -> bool {
        if let Some(seen) = self.seen.get_mut(key) {
            *seen += 1;
            return *seen <= self.count;
        }
        self.key_bytes += key.len();
        self.seen.insert(key.into(), 1);
        self.count > 0
    }
}

impl Stage for FirstRows {
    fn push(&mut self, input: StageInput) -> Result<()> {
        let keep: BooleanArray = if input.own.is_empty() {
            (0..input.rows).map(|_| Some(self.admit(&[]))).collect()
        } else {
            let keys = self.keys(&input)?;
            (0..input.rows).map(|row| Some(self.admit(keys.row(row).as_ref()))).collect()
        };
        let rows = keep.true_count();
        let columns = input.pass.iter().map(|column| Ok(filter(column, &keep)?)).collect::<Result<Vec<_>>>()?;
        self.ready = Some((columns, rows));
        Ok(())
    }

    fn pull(&mut self) -> Result<Option<(Vec<ArrayRef>, usize)>> {
        Ok(self.ready.take())
    }

    fn size(&self) -> usize {
        self.key_bytes + self.seen.capacity() * size_of::<(Box<[u8]>, u64)>()
    }
}

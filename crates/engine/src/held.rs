//! Rows that a query has collected: results, and parts of it that are computed once.
//!
//! Operators reserve what they hold from the query's pool; rows that were collected are held beside them, to the query's
//! end, and are reserved here. Texts are often shared between rows and batches: each buffer counts once, and no more than
//! the rows use of it. Begin at [`Held::add`].

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};

/// Texts up to this length lie in their view.
const INLINE_BYTES: u32 = 12;

pub(crate) struct Held {
    reservation: MemoryReservation,
    /// Addresses of the buffers that have been counted.
    buffers: HashSet<usize>,
}

impl Held {
    pub(crate) fn new(pool: &Arc<dyn MemoryPool>) -> Held {
        Held { reservation: MemoryConsumer::new("rows of results").register(pool), buffers: HashSet::new() }
    }

    /// Counts a batch that is kept.
    ///
    /// # Errors
    /// When the query may not hold so much.
    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let bytes = batch.columns().iter().map(|column| self.bytes(column)).sum();
        self.reservation.try_grow(bytes)
    }

    fn bytes(&mut self, column: &ArrayRef) -> usize {
        match column.data_type() {
            DataType::Utf8View => {
                let array = column.as_string_view();
                self.views(array.views(), array.data_buffers().iter().map(|b| (b.as_ptr() as usize, b.len())))
            }
            DataType::BinaryView => {
                let array = column.as_binary_view();
                self.views(array.views(), array.data_buffers().iter().map(|b| (b.as_ptr() as usize, b.len())))
            }
            _ => column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size()),
        }
    }

    fn views(&mut self, views: &[u128], buffers: impl Iterator<Item = (usize, usize)>) -> usize {
        let used: usize = views.iter().map(|view| *view as u32).filter(|n| *n > INLINE_BYTES).map(|n| n as usize).sum();
        let new: usize = buffers.filter(|(at, _)| self.buffers.insert(*at)).map(|(_, length)| length).sum();
        size_of_val(views) + used.min(new)
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Int64Array, StringViewArray};
    use datafusion::execution::memory_pool::GreedyMemoryPool;

    use super::*;

    fn batch(text: &str, rows: usize) -> RecordBatch {
        let texts: ArrayRef = Arc::new(StringViewArray::from(vec![text; rows]));
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![7; rows]));
        RecordBatch::try_from_iter([("s", texts), ("n", numbers)]).unwrap()
    }

    #[test]
    fn rows_count_once_and_what_is_too_much_is_refused() {
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(100_000));
        let mut held = Held::new(&pool);
        let long = batch(&"x".repeat(100), 100);
        held.add(&long.slice(0, 50)).unwrap();
        assert_eq!(pool.reserved(), 50 * (16 + 8 + 100));
        // The same texts again: their buffer has been counted.
        held.add(&long.slice(50, 50)).unwrap();
        assert_eq!(pool.reserved(), 100 * (16 + 8) + 50 * 100);
        assert!(held.add(&batch(&"y".repeat(2_000), 100)).is_err());
        drop(held);
        assert_eq!(pool.reserved(), 0);
    }
}

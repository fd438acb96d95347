//! `make_bag`, `make_bag_if`, `make_dictionary`.
//!
//! The first value of a key is kept: `make_bag` over `{"a":1}` and `{"a":3,"c":4}` is `{"a":1,"c":4}`.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringViewArray, StringViewBuilder};
use arrow::datatypes::DataType;

use super::aggregate_list::{SIZE_MAX, size_max};
use super::aggregate_state::{HeapEstimate, bug, downcast, each_text, filtered, grow_with, partial, take_first};
use super::canonical::bag_entries;
use super::{AggregateCall, Args, GroupState, KernelError, KernelResult};

/// `make_bag(expr, maxSize)`.
pub fn make_bag(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    Ok(Box::new(Bags { size_max: size_max(call, SIZE_MAX), bags: Vec::new(), heap: HeapEstimate::default() }))
}

/// `make_bag_if(expr, predicate, maxSize)`.
pub fn make_bag_if(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    filtered(call, 1, make_bag)
}

/// Entries separated by commas, and their keys as they stand in the text.
#[derive(Debug, Default)]
struct Bag {
    text: String,
    keys: HashSet<Box<str>>,
}

impl Bag {
    fn add(&mut self, bag: &str, size_max: usize) {
        for (key, value) in bag_entries(bag).into_iter().flatten() {
            if self.keys.contains(key) || self.keys.len() >= size_max {
                continue;
            }
            self.keys.insert(key.into());
            if !self.text.is_empty() {
                self.text.push(',');
            }
            self.text.push_str(key);
            self.text.push(':');
            self.text.push_str(value);
        }
    }
}

#[derive(Debug)]
struct Bags {
    size_max: usize,
    bags: Vec<Bag>,
    heap: HeapEstimate,
}

impl Bags {
    fn note(&mut self, rows: usize) {
        // The keys are in the text as well; a table entry is about 24 bytes.
        self.heap.note(rows, &self.bags, |bag| bag.text.capacity() * 3 / 2 + bag.keys.capacity() * 24);
    }

    fn take(&mut self, count: usize) -> KernelResult {
        grow_with(&mut self.bags, count, Bag::default);
        let mut builder = StringViewBuilder::with_capacity(count);
        for bag in take_first(&mut self.bags, count) {
            builder.try_append_value(format!("{{{}}}", bag.text)).map_err(bug)?;
        }
        self.note(usize::MAX);
        Ok(Arc::new(builder.finish()))
    }
}

impl GroupState for Bags {
    fn update(&mut self, args: &Args<'_>, groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow_with(&mut self.bags, total, Bag::default);
        each_text(args, 0, groups, |group, bag| {
            self.bags[group].add(bag, self.size_max);
            Ok(())
        })?;
        self.note(groups.len());
        Ok(())
    }

    fn take_partial(&mut self, count: usize) -> Result<Vec<ArrayRef>, KernelError> {
        Ok(vec![self.take(count)?])
    }

    fn partial_types(&self) -> Vec<DataType> {
        vec![DataType::Utf8View]
    }

    fn merge(&mut self, columns: &[ArrayRef], groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow_with(&mut self.bags, total, Bag::default);
        for (group, bag) in groups.iter().zip(downcast::<StringViewArray>(partial(columns, 0)?)?) {
            self.bags[*group].add(bag.unwrap_or_default(), self.size_max);
        }
        self.note(groups.len());
        Ok(())
    }

    fn take_final(&mut self, count: usize) -> KernelResult {
        self.take(count)
    }

    fn size(&self) -> usize {
        self.heap.bytes() + self.bags.capacity() * size_of::<Bag>()
    }
}

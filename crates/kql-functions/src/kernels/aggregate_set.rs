//! `make_set`, `make_set_if`, `makeset`.
//!
//! Every group holds its array as text in the making and the keys of what is in it. Few keys are searched one by one, so
//! that many small groups stay small.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringViewArray, StringViewBuilder};
use arrow::datatypes::DataType;
use kql_types::ScalarType;

use super::aggregate_distinct::KeySet;
use super::aggregate_list::{OLD_SIZE_MAX, SIZE_MAX, size_max};
use super::aggregate_state::{HeapEstimate, bug, column, downcast, filtered, grow, grow_with, partial, take_first};
use super::canonical::array_items;
use super::elements::{Elements, item_key};
use super::view_memo::ViewMemo;
use super::{AggregateCall, Args, GroupState, KernelError, KernelResult};

/// Up to so many keys are searched one by one.
const LINEAR_MAX: usize = 12;

/// `make_set(expr, maxSize)`.
pub fn make_set(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    Ok(Box::new(Sets::new(call, SIZE_MAX)))
}

/// `make_set_if(expr, predicate, maxSize)`.
pub fn make_set_if(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    filtered(call, 1, make_set)
}

/// `makeset(expr, maxSize)`.
pub fn makeset(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    Ok(Box::new(Sets::new(call, OLD_SIZE_MAX)))
}

#[derive(Debug)]
enum Keys {
    Few(Vec<u128>),
    Many(KeySet),
}

impl Keys {
    fn len(&self) -> usize {
        match self {
            Keys::Few(keys) => keys.len(),
            Keys::Many(keys) => keys.len(),
        }
    }

    /// Whether the key is new.
    fn insert(&mut self, key: u128) -> bool {
        match self {
            Keys::Many(keys) => keys.insert(key),
            Keys::Few(keys) if keys.contains(&key) => false,
            Keys::Few(keys) => {
                keys.push(key);
                if keys.len() > LINEAR_MAX {
                    *self = Keys::Many(keys.drain(..).collect());
                }
                true
            }
        }
    }

    fn heap(&self) -> usize {
        match self {
            Keys::Few(keys) => keys.capacity() * size_of::<u128>(),
            Keys::Many(keys) => keys.capacity() * 8 / 7 * (size_of::<u128>() + 1),
        }
    }
}

#[derive(Debug)]
struct Set {
    text: String,
    keys: Keys,
}

impl Set {
    fn new() -> Set {
        Set { text: String::new(), keys: Keys::Few(Vec::new()) }
    }

    /// Adds an element that `write` appends, unless it is there or the set is full.
    #[inline]
    fn add(&mut self, key: u128, size_max: usize, write: impl FnOnce(&mut String)) {
        if self.keys.len() < size_max && self.keys.insert(key) {
            if !self.text.is_empty() {
                self.text.push(',');
            }
            write(&mut self.text);
        }
    }

    /// Adds the elements of an array, which were made from values of type `ty`.
    fn add_items(&mut self, array: &str, ty: ScalarType, size_max: usize) {
        for item in array_items(array).into_iter().flatten().filter(|item| *item != "null") {
            self.add(item_key(item, ty), size_max, |text| text.push_str(item));
        }
    }
}

/// Values with a number of their own, at most.
const NUMBERED_MAX: u8 = 64;
/// Numbers of so many texts are remembered, as a power of two.
const NUMBER_MEMO_BITS: u32 = 10;

/// The first texts to come are numbered, and each group knows by number which of them it has been offered: most columns
/// that sets are made of have few values, and then a row costs a look at one bit.
#[derive(Debug)]
struct Numbered {
    numbers: HashMap<u128, u8>,
    memo: ViewMemo<u8>,
    /// Per group, one bit for each number.
    offered: Vec<u64>,
}

impl Numbered {
    fn new() -> Numbered {
        Numbered { numbers: HashMap::new(), memo: ViewMemo::new(NUMBER_MEMO_BITS), offered: Vec::new() }
    }

    /// Whether the group has been offered the text before; notes that it has.
    #[inline]
    fn again(&mut self, view: u128, text: impl FnOnce() -> u128, group: usize) -> bool {
        let numbers = &mut self.numbers;
        let number = self.memo.get(view, || {
            let key = text();
            let next = numbers.len().min(NUMBERED_MAX.into()) as u8;
            match numbers.get(&key) {
                Some(number) => *number,
                None if next < NUMBERED_MAX => {
                    numbers.insert(key, next);
                    next
                }
                None => NUMBERED_MAX,
            }
        });
        if number >= NUMBERED_MAX {
            return false;
        }
        let bit = 1 << number;
        let again = self.offered[group] & bit != 0;
        self.offered[group] |= bit;
        again
    }
}

#[derive(Debug)]
struct Sets {
    size_max: usize,
    ty: ScalarType,
    sets: Vec<Set>,
    numbered: Numbered,
    heap: HeapEstimate,
}

impl Sets {
    fn new(call: &AggregateCall<'_>, default: usize) -> Sets {
        let ty = call.types.first().copied().unwrap_or(ScalarType::Unknown);
        let (numbered, heap) = (Numbered::new(), HeapEstimate::default());
        Sets { size_max: size_max(call, default), ty, sets: Vec::new(), numbered, heap }
    }

    fn note(&mut self, rows: usize) {
        self.heap.note(rows, &self.sets, |set| set.text.capacity() + set.keys.heap());
    }

    fn take(&mut self, count: usize) -> KernelResult {
        grow_with(&mut self.sets, count, Set::new);
        grow(&mut self.numbered.offered, count, 0);
        drop(take_first(&mut self.numbered.offered, count));
        let mut builder = StringViewBuilder::with_capacity(count);
        let mut text = String::new();
        for set in take_first(&mut self.sets, count) {
            text.clear();
            text.push('[');
            text.push_str(&set.text);
            text.push(']');
            builder.try_append_value(&text).map_err(bug)?;
        }
        self.note(usize::MAX);
        Ok(Arc::new(builder.finish()))
    }
}

impl GroupState for Sets {
    fn update(&mut self, args: &Args<'_>, groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow_with(&mut self.sets, total, Set::new);
        let (values, constant) = column(args, 0)?;
        let elements = Elements::new(values, args.ty(0))?;
        if let Elements::Text(array) = elements
            && !constant
            && array.null_count() == 0
        {
            grow(&mut self.numbered.offered, total, 0);
            self.numbered.memo.start(array);
            for ((row, view), group) in array.views().iter().enumerate().zip(groups) {
                if !self.numbered.again(*view, || elements.key(row), *group) {
                    let add = |text: &mut String| elements.write(row, text);
                    self.sets[*group].add(elements.key(row), self.size_max, add);
                }
            }
            self.note(groups.len());
            return Ok(());
        }
        for (row, group) in groups.iter().enumerate() {
            let row = if constant { 0 } else { row };
            if elements.is_null(row) {
                continue;
            }
            let set = &mut self.sets[*group];
            match elements.dynamic(row) {
                Some(array) if array.starts_with('[') => set.add_items(array, self.ty, self.size_max),
                _ => set.add(elements.key(row), self.size_max, |text| elements.write(row, text)),
            }
        }
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
        grow_with(&mut self.sets, total, Set::new);
        for (group, array) in groups.iter().zip(downcast::<StringViewArray>(partial(columns, 0)?)?) {
            self.sets[*group].add_items(array.unwrap_or_default(), self.ty, self.size_max);
        }
        self.note(groups.len());
        Ok(())
    }

    fn take_final(&mut self, count: usize) -> KernelResult {
        self.take(count)
    }

    fn size(&self) -> usize {
        let numbered = self.numbered.memo.size() + self.numbered.offered.capacity() * size_of::<u64>();
        self.heap.bytes() + self.sets.capacity() * size_of::<Set>() + numbered
    }
}

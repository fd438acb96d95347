//! `make_list`, `make_list_if`, `make_list_with_nulls`, `makelist`.
//!
//! Every group holds its array as text in the making. The elements of a dynamic array are added one by one:
//! `make_list(d)` over `1` and `[2,3]` is `[1,2,3]`.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringViewArray, StringViewBuilder};
use arrow::datatypes::{DataType, Int64Type};

use super::aggregate_state::{
    HeapEstimate, column, constant_long, downcast, filtered, grow_with, numbers, partial, take_first,
};
use super::canonical::array_items;
use super::elements::Elements;
use super::{AggregateCall, Args, GroupState, KernelError, KernelResult};

/// Elements that a list or set holds unless told fewer, and at most.
pub(super) const SIZE_MAX: usize = 1_048_576;
/// The default limit of `makelist` and `makeset`.
pub(super) const OLD_SIZE_MAX: usize = 128;

/// `make_list(expr, maxSize)`.
pub fn make_list(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    Ok(Box::new(Lists::new(call, SIZE_MAX, Nulls::Skip)))
}

/// `make_list_if(expr, predicate, maxSize)`.
pub fn make_list_if(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    filtered(call, 1, make_list)
}

/// `make_list_with_nulls(expr)`.
pub fn make_list_with_nulls(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    Ok(Box::new(Lists::new(call, SIZE_MAX, Nulls::Keep)))
}

/// `makelist(expr, maxSize)`.
pub fn makelist(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    Ok(Box::new(Lists::new(call, OLD_SIZE_MAX, Nulls::Skip)))
}

/// The limit of elements: the constant second argument up to [`SIZE_MAX`]; a limit below one means the default.
pub(super) fn size_max(call: &AggregateCall<'_>, default: usize) -> usize {
    match constant_long(call, 1).and_then(|limit| usize::try_from(limit).ok()) {
        None | Some(0) => default,
        Some(limit) => limit.min(SIZE_MAX),
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Nulls {
    Skip,
    Keep,
}

#[derive(Debug)]
struct Lists {
    size_max: usize,
    nulls: Nulls,
    lists: Vec<List>,
    heap: HeapEstimate,
}

/// Elements separated by commas, and their number.
#[derive(Debug, Default)]
struct List {
    text: String,
    count: usize,
}

impl List {
    fn begin_element(&mut self) -> &mut String {
        if self.count > 0 {
            self.text.push(',');
        }
        self.count += 1;
        &mut self.text
    }
}

impl Lists {
    fn new(call: &AggregateCall<'_>, default: usize, nulls: Nulls) -> Lists {
        Lists { size_max: size_max(call, default), nulls, lists: Vec::new(), heap: HeapEstimate::default() }
    }

    fn note(&mut self, rows: usize) {
        self.heap.note(rows, &self.lists, |list| list.text.capacity());
    }
}

impl GroupState for Lists {
    fn update(&mut self, args: &Args<'_>, groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow_with(&mut self.lists, total, List::default);
        let (values, constant) = column(args, 0)?;
        let elements = Elements::new(values, args.ty(0))?;
        for (row, group) in groups.iter().enumerate() {
            let row = if constant { 0 } else { row };
            let list = &mut self.lists[*group];
            if list.count >= self.size_max || (self.nulls == Nulls::Skip && elements.is_null(row)) {
                continue;
            }
            match elements.dynamic(row).filter(|_| self.nulls == Nulls::Skip).and_then(array_items) {
                None => elements.write(row, list.begin_element()),
                Some(items) => {
                    for item in items.filter(|item| *item != "null").take(self.size_max - list.count) {
                        list.begin_element().push_str(item);
                    }
                }
            }
        }
        self.note(groups.len());
        Ok(())
    }

    fn take_partial(&mut self, count: usize) -> Result<Vec<ArrayRef>, KernelError> {
        grow_with(&mut self.lists, count, List::default);
        let lists = take_first(&mut self.lists, count);
        let texts = StringViewArray::from_iter_values(lists.iter().map(|list| &list.text));
        let counts = numbers::<Int64Type>(lists.iter().map(|list| list.count as i64).collect(), None);
        self.note(usize::MAX);
        Ok(vec![Arc::new(texts), counts])
    }

    fn partial_types(&self) -> Vec<DataType> {
        vec![DataType::Utf8View, DataType::Int64]
    }

    fn merge(&mut self, columns: &[ArrayRef], groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow_with(&mut self.lists, total, List::default);
        let texts = downcast::<StringViewArray>(partial(columns, 0)?)?;
        let counts = partial(columns, 1)?.as_primitive::<Int64Type>().values();
        for ((group, text), count) in groups.iter().zip(texts).zip(counts) {
            let (Some(text), Ok(count)) = (text, usize::try_from(*count)) else { continue };
            let list = &mut self.lists[*group];
            let room = self.size_max - list.count.min(self.size_max);
            if count == 0 || room == 0 {
                continue;
            }
            if count <= room {
                list.begin_element().push_str(text);
                list.count += count - 1;
            } else if let Some(items) = array_items(&format!("[{text}]")) {
                items.take(room).for_each(|item| list.begin_element().push_str(item));
            }
        }
        self.note(groups.len());
        Ok(())
    }

    fn take_final(&mut self, count: usize) -> KernelResult {
        grow_with(&mut self.lists, count, List::default);
        let mut builder = StringViewBuilder::with_capacity(count);
        let mut text = String::new();
        for list in take_first(&mut self.lists, count) {
            text.clear();
            text.push('[');
            text.push_str(&list.text);
            text.push(']');
            builder.try_append_value(&text).map_err(super::aggregate_state::bug)?;
        }
        self.note(usize::MAX);
        Ok(Arc::new(builder.finish()))
    }

    fn size(&self) -> usize {
        self.heap.bytes() + self.lists.capacity() * size_of::<List>()
    }
}

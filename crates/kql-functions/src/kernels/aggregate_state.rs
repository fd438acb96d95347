//! What the aggregates share: reading arguments row by row with their groups, group slots, and predicates.
//!
//! A state keeps one slot per group in a vector. Rows come with their group; `total` tells how many groups exist, so
//! that groups without any row that counts still give the value of an empty group.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray, StringViewArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::compute::{FilterBuilder, prep_null_mask_filter};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Decimal256Type};
use std::sync::Arc;

use super::{AggregateCall, AggregateFn, Args, GroupState, KernelError, KernelResult};

/// The Arrow type of Kusto's decimal.
pub(super) const DECIMAL: DataType = DataType::Decimal256(76, 38);

/// A broken promise between the engine and an aggregate.
pub(super) fn bug(what: impl std::fmt::Display) -> KernelError {
    KernelError(format!("bug: {what}"))
}

/// The column of an argument and whether it is constant.
pub(super) fn column<'a>(args: &Args<'a>, index: usize) -> Result<(&'a ArrayRef, bool), KernelError> {
    let column = args.columns.get(index).ok_or_else(|| bug(format!("an aggregate asked for argument {index}")))?;
    let constant = args.constant.get(index).copied().unwrap_or(false);
    if column.len() < if constant { 1.min(args.rows) } else { args.rows } {
        return Err(bug(format!("argument {index} has {} rows of {}", column.len(), args.rows)));
    }
    Ok((column, constant))
}

/// A column as the Arrow type an aggregate was made for.
pub(super) fn downcast<T: Array + 'static>(column: &ArrayRef) -> Result<&T, KernelError> {
    let found = column.data_type();
    column
        .as_any()
        .downcast_ref::<T>()
        .ok_or_else(|| bug(format!("{found} where an aggregate expected {}", std::any::type_name::<T>())))
}

/// Calls `f(group, value)` for every row whose value is not null, in the order of the rows.
#[inline]
pub(super) fn each_number<T: ArrowPrimitiveType>(
    args: &Args<'_>,
    index: usize,
    groups: &[usize],
    mut f: impl FnMut(usize, T::Native),
) -> Result<(), KernelError> {
    let (column, constant) = column(args, index)?;
    let array = downcast::<PrimitiveArray<T>>(column)?;
    if constant {
        if args.rows > 0 && array.is_valid(0) {
            let value = array.value(0);
            groups.iter().for_each(|group| f(*group, value));
        }
        return Ok(());
    }
    match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => groups.iter().zip(array.values()).for_each(|(group, value)| f(*group, *value)),
        Some(nulls) => {
            for ((group, value), valid) in groups.iter().zip(array.values()).zip(nulls) {
                if valid {
                    f(*group, *value);
                }
            }
        }
    }
    Ok(())
}

/// Calls `f(row, group)` for every row whose value is not null.
pub(super) fn each_row(
    args: &Args<'_>,
    index: usize,
    groups: &[usize],
    mut f: impl FnMut(usize, usize) -> Result<(), KernelError>,
) -> Result<(), KernelError> {
    let (column, constant) = column(args, index)?;
    for (row, group) in groups.iter().enumerate() {
        let row = if constant { 0 } else { row };
        if column.is_valid(row) {
            f(row, *group)?;
        }
    }
    Ok(())
}

/// Calls `f(group, text)` for every row that is not null, in the order of the rows.
pub(super) fn each_text<'a>(
    args: &Args<'a>,
    index: usize,
    groups: &[usize],
    mut f: impl FnMut(usize, &'a str) -> Result<(), KernelError>,
) -> Result<(), KernelError> {
    let (column, _) = column(args, index)?;
    let array = downcast::<StringViewArray>(column)?;
    each_row(args, index, groups, |row, group| f(group, array.value(row)))
}

/// Makes a result column, with the precision of Kusto's decimal where it is one.
pub(super) fn numbers<T: ArrowPrimitiveType>(values: Vec<T::Native>, nulls: Option<NullBuffer>) -> ArrayRef {
    let array = PrimitiveArray::<T>::new(ScalarBuffer::from(values), nulls);
    if T::DATA_TYPE == Decimal256Type::DATA_TYPE { Arc::new(array.with_data_type(DECIMAL)) } else { Arc::new(array) }
}

/// Makes a result column; None is null.
pub(super) fn optional_numbers<T: ArrowPrimitiveType>(values: Vec<Option<T::Native>>) -> ArrayRef {
    let nulls = NullBuffer::from_iter(values.iter().map(Option::is_some));
    let nulls = Some(nulls).filter(|nulls| nulls.null_count() > 0);
    numbers::<T>(values.into_iter().map(Option::unwrap_or_default).collect(), nulls)
}

/// The type [`numbers`] gives.
pub(super) fn number_type<T: ArrowPrimitiveType>() -> DataType {
    if T::DATA_TYPE == Decimal256Type::DATA_TYPE { DECIMAL } else { T::DATA_TYPE }
}

/// Makes room for all groups.
pub(super) fn grow<T: Clone>(slots: &mut Vec<T>, total: usize, empty: T) {
    if slots.len() < total {
        slots.resize(total, empty);
    }
}

/// As [`grow`], for slots that cannot be cloned.
pub(super) fn grow_with<T>(slots: &mut Vec<T>, total: usize, empty: impl FnMut() -> T) {
    if slots.len() < total {
        slots.resize_with(total, empty);
    }
}

/// Removes the first slots; the rest shifts down.
pub(super) fn take_first<T>(slots: &mut Vec<T>, count: usize) -> Vec<T> {
    if count >= slots.len() {
        return std::mem::take(slots);
    }
    let rest = slots.split_off(count);
    std::mem::replace(slots, rest)
}

/// Bytes held by the slots on the heap, counted again only after as many rows as there are slots: counting costs a
/// constant per row, however many groups there are.
#[derive(Debug, Default)]
pub(super) struct HeapEstimate {
    bytes: usize,
    rows: usize,
}

impl HeapEstimate {
    /// Notes that `rows` rows came in (`usize::MAX`: that slots went out).
    pub(super) fn note<T>(&mut self, rows: usize, slots: &[T], heap: impl Fn(&T) -> usize) {
        self.rows = self.rows.saturating_add(rows);
        if self.rows >= slots.len() {
            self.bytes = slots.iter().map(heap).sum();
            self.rows = 0;
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The partial column with this index.
pub(super) fn partial(columns: &[ArrayRef], index: usize) -> Result<&ArrayRef, KernelError> {
    columns.get(index).ok_or_else(|| bug(format!("partial column {index} is missing")))
}

/// A constant integer argument.
pub(super) fn constant_long(call: &AggregateCall<'_>, index: usize) -> Option<i64> {
    let array = call.constants.get(index)?.as_ref()?;
    if array.is_empty() || array.is_null(0) {
        return None;
    }
    match array.data_type() {
        DataType::Int64 => Some(array.as_primitive::<arrow::datatypes::Int64Type>().value(0)),
        DataType::Int32 => Some(array.as_primitive::<arrow::datatypes::Int32Type>().value(0).into()),
        _ => None,
    }
}

/// Makes the state of an `if` form: the state of `inner` fed with the rows where argument `predicate` is true.
pub(super) fn filtered(
    call: &AggregateCall<'_>,
    predicate: usize,
    inner: AggregateFn,
) -> Result<Box<dyn GroupState>, KernelError> {
    let types = without(call.types, predicate);
    let constants = without(call.constants, predicate);
    let inner = inner(&AggregateCall { types: &types, returns: call.returns, constants: &constants })?;
    Ok(Box::new(Filtered { inner, predicate }))
}

fn without<T: Clone>(items: &[T], index: usize) -> Vec<T> {
    items.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, item)| item.clone()).collect()
}

#[derive(Debug)]
struct Filtered {
    inner: Box<dyn GroupState>,
    predicate: usize,
}

impl GroupState for Filtered {
    fn update(&mut self, args: &Args<'_>, groups: &[usize], total: usize) -> Result<(), KernelError> {
        let (condition, constant) = column(args, self.predicate)?;
        let condition = downcast::<BooleanArray>(condition)?;
        let types = without(args.types, self.predicate);
        let constants = without(args.constant, self.predicate);
        let mut columns = without(args.columns, self.predicate);
        let all = if constant {
            args.rows == 0 || (condition.is_valid(0) && condition.value(0))
        } else {
            condition.null_count() == 0 && condition.true_count() == args.rows
        };
        let narrowed;
        let mut groups = groups;
        if !all {
            let selection = match constant {
                true => BooleanArray::from(vec![false; args.rows]),
                false if condition.null_count() > 0 => prep_null_mask_filter(condition),
                false => condition.clone(),
            };
            let filter = FilterBuilder::new(&selection).optimize().build();
            for (column, constant) in columns.iter_mut().zip(&constants) {
                if !constant {
                    *column = filter.filter(column).map_err(bug)?;
                }
            }
            narrowed = selection.values().set_indices().filter_map(|row| groups.get(row).copied()).collect::<Vec<_>>();
            groups = &narrowed;
        }
        let args =
            Args { columns: &columns, constant: &constants, types: &types, returns: args.returns, rows: groups.len() };
        self.inner.update(&args, groups, total)
    }

    fn take_partial(&mut self, count: usize) -> Result<Vec<ArrayRef>, KernelError> {
        self.inner.take_partial(count)
    }

    fn partial_types(&self) -> Vec<DataType> {
        self.inner.partial_types()
    }

    fn merge(&mut self, partial: &[ArrayRef], groups: &[usize], total: usize) -> Result<(), KernelError> {
        self.inner.merge(partial, groups, total)
    }

    fn take_final(&mut self, count: usize) -> KernelResult {
        self.inner.take_final(count)
    }

    fn size(&self) -> usize {
        self.inner.size()
    }
}

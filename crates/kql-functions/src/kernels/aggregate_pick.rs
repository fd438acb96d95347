//! `arg_max`, `arg_min`, `take_any`, `take_anyif`: aggregates that pick a row.
//!
//! With several arguments the result is one struct column with a field for each (`0`, `1`, ...), all from the picked row; with
//! one it is that column. Only rows that were best when they came are kept, in small batches that are gathered again when
//! most of them have been beaten.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray, StringViewArray, StructArray, UInt32Array, new_empty_array,
    new_null_array,
};
use arrow::compute::{interleave, take};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal256Type, Field, Fields, Float64Type, Int32Type, Int64Type,
};
use kql_types::ScalarType;

use super::aggregate_extreme::{Direction, Greatest, Least, Ranked};
use super::aggregate_state::{DECIMAL, bug, downcast, filtered, grow_with, partial, take_first};
use super::{AggregateCall, Args, GroupState, KernelError, KernelResult};

type State = Result<Box<dyn GroupState>, KernelError>;

/// `arg_max(by, value...)`.
pub fn arg_max(call: &AggregateCall<'_>) -> State {
    extreme::<Greatest>(call)
}

/// `arg_min(by, value...)`.
pub fn arg_min(call: &AggregateCall<'_>) -> State {
    extreme::<Least>(call)
}

/// `take_any(value...)`: a single argument is taken from the first row where it is neither null nor `""`, several from the
/// first row.
pub fn take_any(call: &AggregateCall<'_>) -> State {
    let first_kept = if call.types.len() == 1 { Kept::Value } else { Kept::Row };
    Ok(Box::new(Picks::new(call, First { kept: first_kept, found: Vec::new() })))
}

/// `take_anyif(value, predicate)`.
pub fn take_anyif(call: &AggregateCall<'_>) -> State {
    filtered(call, 1, take_any)
}

fn extreme<D: Direction>(call: &AggregateCall<'_>) -> State {
    Ok(match call.types.first() {
        Some(ScalarType::Int) => Box::new(Picks::new(call, NumberRank::<Int32Type, D>::default())),
        Some(ScalarType::Long | ScalarType::DateTime | ScalarType::TimeSpan) => {
            Box::new(Picks::new(call, NumberRank::<Int64Type, D>::default()))
        }
        Some(ScalarType::Real) => Box::new(Picks::new(call, NumberRank::<Float64Type, D>::default())),
        Some(ScalarType::Decimal) => Box::new(Picks::new(call, NumberRank::<Decimal256Type, D>::default())),
        Some(ScalarType::Bool) => Box::new(Picks::new(call, BoolRank::<D>::default())),
        Some(ScalarType::String | ScalarType::Guid | ScalarType::Dynamic) => {
            Box::new(Picks::new(call, TextRank::<D>::default()))
        }
        other => return Err(bug(format!("arg_max by {other:?}"))),
    })
}

/// The Arrow type of a Kusto type.
pub(super) fn arrow_type(ty: ScalarType) -> DataType {
    match ty {
        ScalarType::Bool => DataType::Boolean,
        ScalarType::Int => DataType::Int32,
        ScalarType::Long | ScalarType::DateTime | ScalarType::TimeSpan => DataType::Int64,
        ScalarType::Real => DataType::Float64,
        ScalarType::Decimal => DECIMAL,
        ScalarType::Guid | ScalarType::String | ScalarType::Dynamic | ScalarType::Unknown => DataType::Utf8View,
    }
}

/// The struct that the pick aggregates give for arguments of these types.
pub fn pick_fields(types: &[ScalarType]) -> Fields {
    let field = |(index, ty): (usize, &ScalarType)| Field::new(index.to_string(), arrow_type(*ty), true);
    types.iter().enumerate().map(field).collect()
}

/// Decides which rows are better than those before in their groups.
trait Rank: Debug + Send + Sync {
    fn grow(&mut self, total: usize);
    /// Calls `pick(row, group)` for each row better than all before it in its group.
    fn offer(&mut self, column: &ArrayRef, groups: &[usize], pick: impl FnMut(usize, usize))
    -> Result<(), KernelError>;
    fn forget(&mut self, count: usize);
    fn size(&self) -> usize;
}

/// The best value of each group: nothing yet, a null, or a value.
#[derive(Debug, Clone, PartialEq)]
enum Best<N> {
    Nothing,
    Null,
    Value(N),
}

impl<N> Best<N> {
    /// Takes the value if it is better: anything beats nothing, a value beats null.
    #[inline]
    fn offer(&mut self, value: Option<N>, better: impl FnOnce(&N, &N) -> bool) -> bool {
        let better = match (&*self, &value) {
            (Best::Nothing, _) | (Best::Null, Some(_)) => true,
            (Best::Null, None) | (Best::Value(_), None) => false,
            (Best::Value(best), Some(value)) => better(value, best),
        };
        if better {
            *self = value.map_or(Best::Null, Best::Value);
        }
        better
    }
}

#[derive(Debug)]
struct NumberRank<T: ArrowPrimitiveType, D> {
    best: Vec<Best<T::Native>>,
    direction: PhantomData<D>,
}

impl<T: ArrowPrimitiveType, D> Default for NumberRank<T, D> {
    fn default() -> Self {
        NumberRank { best: Vec::new(), direction: PhantomData }
    }
}

impl<T: Ranked + Debug, D: Direction> Rank for NumberRank<T, D> {
    fn grow(&mut self, total: usize) {
        grow_with(&mut self.best, total, || Best::Nothing);
    }

    fn offer(
        &mut self,
        column: &ArrayRef,
        groups: &[usize],
        mut pick: impl FnMut(usize, usize),
    ) -> Result<(), KernelError> {
        let array = downcast::<PrimitiveArray<T>>(column)?;
        for (row, group) in groups.iter().enumerate() {
            let value = array.is_valid(row).then(|| array.value(row));
            if self.best[*group].offer(value, |value, best| T::better::<D>(*value, *best)) {
                pick(row, *group);
            }
        }
        Ok(())
    }

    fn forget(&mut self, count: usize) {
        take_first(&mut self.best, count);
    }

    fn size(&self) -> usize {
        self.best.capacity() * size_of::<Best<T::Native>>()
    }
}

#[derive(Debug)]
struct BoolRank<D> {
    best: Vec<Best<bool>>,
    direction: PhantomData<D>,
}

impl<D> Default for BoolRank<D> {
    fn default() -> Self {
        BoolRank { best: Vec::new(), direction: PhantomData }
    }
}

impl<D: Direction> Rank for BoolRank<D> {
    fn grow(&mut self, total: usize) {
        grow_with(&mut self.best, total, || Best::Nothing);
    }

    fn offer(
        &mut self,
        column: &ArrayRef,
        groups: &[usize],
        mut pick: impl FnMut(usize, usize),
    ) -> Result<(), KernelError> {
        let array = downcast::<BooleanArray>(column)?;
        for (row, group) in groups.iter().enumerate() {
            let value = array.is_valid(row).then(|| array.value(row));
            if self.best[*group].offer(value, |value, best| value.cmp(best) == D::BETTER) {
                pick(row, *group);
            }
        }
        Ok(())
    }

    fn forget(&mut self, count: usize) {
        take_first(&mut self.best, count);
    }

    fn size(&self) -> usize {
        self.best.capacity() * size_of::<Best<bool>>()
    }
}

#[derive(Debug)]
struct TextRank<D> {
    best: Vec<Best<Box<str>>>,
    bytes: usize,
    direction: PhantomData<D>,
}

impl<D> Default for TextRank<D> {
    fn default() -> Self {
        TextRank { best: Vec::new(), bytes: 0, direction: PhantomData }
    }
}

impl<D: Direction> Rank for TextRank<D> {
    fn grow(&mut self, total: usize) {
        grow_with(&mut self.best, total, || Best::Nothing);
    }

    fn offer(
        &mut self,
        column: &ArrayRef,
        groups: &[usize],
        mut pick: impl FnMut(usize, usize),
    ) -> Result<(), KernelError> {
        let array = downcast::<StringViewArray>(column)?;
        for (row, group) in groups.iter().enumerate() {
            let text = array.is_valid(row).then(|| array.value(row));
            let slot = &mut self.best[*group];
            let (better, old) = match (&*slot, text) {
                (Best::Nothing, _) | (Best::Null, Some(_)) => (true, 0),
                (Best::Null, None) | (Best::Value(_), None) => (false, 0),
                (Best::Value(best), Some(text)) => (text.cmp(&**best) == D::BETTER, best.len()),
            };
            if better {
                self.bytes = self.bytes + text.map_or(0, str::len) - old;
                *slot = text.map_or(Best::Null, |text| Best::Value(text.into()));
                pick(row, *group);
            }
        }
        Ok(())
    }

    fn forget(&mut self, count: usize) {
        for best in take_first(&mut self.best, count) {
            if let Best::Value(text) = best {
                self.bytes -= text.len();
            }
        }
    }

    fn size(&self) -> usize {
        self.best.capacity() * size_of::<Best<Box<str>>>() + self.bytes
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kept {
    /// The first row where the value is there; else the first row.
    Value,
    /// The first row.
    Row,
}

/// The first row.
#[derive(Debug)]
struct First {
    kept: Kept,
    /// Whether the group has a row, and whether that row will do for good.
    found: Vec<(bool, bool)>,
}

impl Rank for First {
    fn grow(&mut self, total: usize) {
        grow_with(&mut self.found, total, || (false, false));
    }

    fn offer(
        &mut self,
        column: &ArrayRef,
        groups: &[usize],
        mut pick: impl FnMut(usize, usize),
    ) -> Result<(), KernelError> {
        let texts = column.as_string_view_opt();
        for (row, group) in groups.iter().enumerate() {
            let slot = &mut self.found[*group];
            if slot.1 {
                continue;
            }
            let there = self.kept == Kept::Row
                || (column.is_valid(row) && texts.is_none_or(|texts| !texts.value(row).is_empty()));
            if there || !slot.0 {
                *slot = (true, there);
                pick(row, *group);
            }
        }
        Ok(())
    }

    fn forget(&mut self, count: usize) {
        take_first(&mut self.found, count);
    }

    fn size(&self) -> usize {
        self.found.capacity() * 2
    }
}

/// Where the picked row of a group is.
#[derive(Debug, Clone, Copy)]
struct Place {
    batch: u32,
    row: u32,
}

/// No row yet.
const NOWHERE: Place = Place { batch: u32::MAX, row: 0 };

#[derive(Debug)]
struct Picks<R> {
    rank: R,
    types: Vec<ScalarType>,
    places: Vec<Place>,
    /// Rows picked, by batch: the columns of all arguments.
    batches: Vec<Vec<ArrayRef>>,
    rows: usize,
    bytes: usize,
}

/// Kept rows are gathered again when there are more than this and more than twice the groups.
const GATHER_MIN: usize = 8192;
/// And when there are so many batches.
const BATCHES_MAX: usize = 256;

impl<R: Rank> Picks<R> {
    fn new(call: &AggregateCall<'_>, rank: R) -> Picks<R> {
        let types = call.types.to_vec();
        Picks { rank, types, places: Vec::new(), batches: Vec::new(), rows: 0, bytes: 0 }
    }

    fn grow(&mut self, total: usize) {
        self.rank.grow(total);
        grow_with(&mut self.places, total, || NOWHERE);
    }

    /// Offers the rows of whole columns.
    fn offer(&mut self, columns: &[ArrayRef], groups: &[usize]) -> Result<(), KernelError> {
        let by = columns.first().ok_or_else(|| bug("a pick without arguments"))?;
        let batch = u32::try_from(self.batches.len()).map_err(bug)?;
        let mut rows: Vec<u32> = Vec::new();
        let places = &mut self.places;
        self.rank.offer(by, groups, |row, group| {
            let place = &mut places[group];
            if place.batch == batch {
                // The row before it of this batch is beaten.
                if let Some(kept) = rows.get_mut(place.row as usize) {
                    *kept = row as u32;
                }
            } else {
                *place = Place { batch, row: rows.len() as u32 };
                rows.push(row as u32);
            }
        })?;
        if rows.is_empty() {
            return Ok(());
        }
        let rows = UInt32Array::from(rows);
        let kept = columns.iter().map(|column| gather(column, &rows)).collect::<Result<Vec<_>, _>>()?;
        self.rows += rows.len();
        self.bytes += kept.iter().map(|column| column.get_array_memory_size()).sum::<usize>();
        self.batches.push(kept);
        if self.rows > GATHER_MIN.max(self.places.len() * 2) || self.batches.len() > BATCHES_MAX {
            self.gather_live()?;
        }
        Ok(())
    }

    /// Copies the rows that are still picked into one batch.
    fn gather_live(&mut self) -> Result<(), KernelError> {
        let (live, _) = self.rows_of(0..self.places.len())?;
        let mut row = 0;
        for place in self.places.iter_mut().filter(|place| place.batch != u32::MAX) {
            *place = Place { batch: 0, row };
            row += 1;
        }
        self.rows = row as usize;
        self.bytes = live.iter().map(|column| column.get_array_memory_size()).sum();
        self.batches = vec![live];
        Ok(())
    }

    /// The picked rows of some groups, without the groups that have none; and which groups have one.
    fn rows_of(&self, groups: std::ops::Range<usize>) -> Result<(Vec<ArrayRef>, Vec<bool>), KernelError> {
        let places = self.places.get(groups).unwrap_or_default();
        let found = places.iter().map(|place| place.batch != u32::MAX).collect();
        let indices: Vec<(usize, usize)> = places
            .iter()
            .filter(|place| place.batch != u32::MAX)
            .map(|place| (place.batch as usize, place.row as usize))
            .collect();
        let mut columns = Vec::with_capacity(self.types.len());
        for (index, ty) in self.types.iter().enumerate() {
            let parts: Vec<&dyn Array> = self
                .batches
                .iter()
                .filter_map(|batch| batch.get(index))
                .map(|column| &**column as &dyn Array)
                .collect();
            columns.push(if indices.is_empty() {
                new_empty_array(&arrow_type(*ty))
            } else {
                interleave(&parts, &indices).map_err(bug)?
            });
        }
        Ok((columns, found))
    }

    fn take(&mut self, count: usize, missing: Missing) -> KernelResult {
        self.grow(count);
        let (columns, found) = self.rows_of(0..count)?;
        take_first(&mut self.places, count);
        self.rank.forget(count);
        if self.places.is_empty() {
            self.batches.clear();
            (self.rows, self.bytes) = (0, 0);
        }
        let present = arrow::buffer::NullBuffer::from(found);
        let mut fields = Vec::with_capacity(columns.len());
        for (column, ty) in columns.into_iter().zip(&self.types) {
            fields.push(match missing {
                Missing::Struct => spread_out(&column, &present)?,
                Missing::Fields => without_null_texts(spread_out(&column, &present)?, *ty),
            });
        }
        if let (Missing::Fields, [_]) = (missing, fields.as_slice()) {
            return fields.pop().ok_or_else(|| bug("a pick without arguments"));
        }
        let nulls = (missing == Missing::Struct && present.null_count() > 0).then_some(present);
        Ok(Arc::new(StructArray::try_new(pick_fields(&self.types), fields, nulls).map_err(bug)?))
    }
}

/// What a group without rows gives.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Missing {
    /// A null struct: partial states.
    Struct,
    /// The missing value of each type: results.
    Fields,
}

/// The rows of a column, copied so that a few rows do not hold on to the buffers of a whole batch.
fn gather(column: &ArrayRef, rows: &UInt32Array) -> KernelResult {
    let taken = take(column, rows, None).map_err(bug)?;
    Ok(match taken.as_string_view_opt() {
        Some(texts) => Arc::new(texts.gc()),
        None => taken,
    })
}

/// Puts rows in the places of the groups that have one, null in the others.
fn spread_out(column: &ArrayRef, present: &arrow::buffer::NullBuffer) -> KernelResult {
    if present.null_count() == 0 {
        return Ok(column.clone());
    }
    let mut next = 0;
    let indices: UInt32Array = present
        .iter()
        .map(|present| {
            present.then(|| {
                next += 1;
                next - 1
            })
        })
        .collect();
    if column.is_empty() {
        return Ok(new_null_array(column.data_type(), indices.len()));
    }
    take(column, &indices, None).map_err(bug)
}

/// A string is never null.
fn without_null_texts(column: ArrayRef, ty: ScalarType) -> ArrayRef {
    match column.as_string_view_opt() {
        Some(texts) if ty == ScalarType::String && texts.null_count() > 0 => {
            Arc::new(super::parts::without_nulls(texts))
        }
        _ => column,
    }
}

impl<R: Rank> GroupState for Picks<R> {
    fn update(&mut self, args: &Args<'_>, groups: &[usize], total: usize) -> Result<(), KernelError> {
        self.grow(total);
        if groups.is_empty() {
            return Ok(());
        }
        let whole = |(index, column): (usize, &ArrayRef)| match args.constant.get(index) {
            Some(true) => take(column, &UInt32Array::from(vec![0; groups.len()]), None).map_err(bug),
            _ => Ok(column.clone()),
        };
        let columns = args.columns.iter().enumerate().map(whole).collect::<Result<Vec<_>, _>>()?;
        self.offer(&columns, groups)
    }

    fn take_partial(&mut self, count: usize) -> Result<Vec<ArrayRef>, KernelError> {
        Ok(vec![self.take(count, Missing::Struct)?])
    }

    fn partial_types(&self) -> Vec<DataType> {
        vec![DataType::Struct(pick_fields(&self.types))]
    }

    fn merge(&mut self, columns: &[ArrayRef], groups: &[usize], total: usize) -> Result<(), KernelError> {
        self.grow(total);
        let rows = downcast::<StructArray>(partial(columns, 0)?)?;
        if rows.null_count() == 0 {
            return self.offer(rows.columns(), groups);
        }
        let valid: UInt32Array =
            (0..rows.len() as u32).filter(|row| rows.is_valid(*row as usize)).collect::<Vec<_>>().into();
        let columns = rows.columns().iter().map(|column| take(column, &valid, None)).collect::<Result<Vec<_>, _>>();
        let groups: Vec<usize> = valid.values().iter().filter_map(|row| groups.get(*row as usize).copied()).collect();
        self.offer(&columns.map_err(bug)?, &groups)
    }

    fn take_final(&mut self, count: usize) -> KernelResult {
        self.take(count, Missing::Fields)
    }

    fn size(&self) -> usize {
        self.rank.size() + self.places.capacity() * size_of::<Place>() + self.bytes
    }
}

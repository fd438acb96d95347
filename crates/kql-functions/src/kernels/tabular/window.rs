//! Window functions over rows in order: `row_number`, `row_cumsum`, `row_rank_dense`, `row_rank_min`,
//! `row_window_session`, `prev`, `next`.
//!
//! A [`WindowState`] takes the rows batch by batch and gives results in the same order, all but `next` at once. Where a
//! new part begins (a sub-query of `partition`) nothing is seen of the rows before it.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray, UInt32Array, new_empty_array};
use arrow::compute::kernels::cmp::not_distinct;
use arrow::compute::{concat, take};
use arrow::datatypes::{ArrowPrimitiveType, Decimal256Type, Float64Type, Int32Type, Int64Type};
use kql_types::ScalarType;

use super::super::aggregate_pick::arrow_type;
use super::super::aggregate_state::{bug, column, constant_long, downcast, numbers, optional_numbers};
use super::super::{AggregateCall, Args, KernelError, KernelResult};

/// One window function over rows in order.
pub trait WindowState: Send + Debug {
    /// Adds a batch. `starts` tells where a new part begins. The result holds the values of all rows that are known now
    /// and were not given before; that is the whole batch for all functions but `next`.
    fn push(&mut self, args: &Args<'_>, starts: Option<&BooleanArray>) -> KernelResult;

    /// The values of the rows that are left after the last batch.
    fn finish(&mut self) -> KernelResult;

    /// Bytes held.
    fn size(&self) -> usize;
}

/// Makes the state of the window function `name`; None when there is no such function.
pub fn window_state(name: &str, call: &AggregateCall<'_>) -> Result<Option<Box<dyn WindowState>>, KernelError> {
    let returns = call.returns;
    let restart = |index: usize| (call.types.len() > index).then_some(index);
    Ok(Some(match name {
        "row_number" => {
            let start = constant_long(call, 0).unwrap_or(1);
            Box::new(Now { returns, run: RowNumber { start, next: start, restart: restart(1) } })
        }
        "row_rank_dense" | "row_rank" => Box::new(Now { returns, run: Rank::new(RankKind::Dense, restart(1)) }),
        "row_rank_min" => Box::new(Now { returns, run: Rank::new(RankKind::Min, restart(1)) }),
        "row_cumsum" => {
            let restart = restart(1);
            match call.types.first() {
                Some(ScalarType::Real) => Box::new(Now { returns, run: CumulativeSum { sum: 0.0, restart } }),
                Some(ScalarType::Decimal) => {
                    Box::new(Now { returns, run: CumulativeSum { sum: arrow::datatypes::i256::ZERO, restart } })
                }
                _ => Box::new(Now { returns, run: CumulativeSum { sum: 0i64, restart } }),
            }
        }
        "row_window_session" => Box::new(Now { returns, run: Session { open: None, restart: restart(3) } }),
        "prev" | "next" => {
            let offset = constant_long(call, 1).unwrap_or(1);
            let Ok(offset) = usize::try_from(offset) else {
                return Err(KernelError(format!("the offset of {name} is {offset}, less than 0")));
            };
            let default = call.constants.get(2).cloned().flatten();
            let shift = Shift { returns, offset, default, rows: None, parts: Vec::new(), start: 0 };
            if name == "prev" { Box::new(Previous(shift)) } else { Box::new(Next(shift)) }
        }
        _ => return Ok(None),
    }))
}

/// A function whose values are known with their rows.
trait Run: Send + Debug {
    fn begin(&mut self);
    fn run(&mut self, args: &Args<'_>, starts: Option<&BooleanArray>) -> KernelResult;
}

#[derive(Debug)]
struct Now<R> {
    returns: ScalarType,
    run: R,
}

impl<R: Run> WindowState for Now<R> {
    fn push(&mut self, args: &Args<'_>, starts: Option<&BooleanArray>) -> KernelResult {
        self.run.run(args, starts)
    }

    fn finish(&mut self) -> KernelResult {
        self.run.begin();
        Ok(new_empty_array(&arrow_type(self.returns)))
    }

    fn size(&self) -> usize {
        size_of::<R>()
    }
}

/// A bool argument, false where it is null or not given; or'ed with the part starts.
struct Restarts<'a> {
    flags: Option<(&'a BooleanArray, bool)>,
    starts: Option<&'a BooleanArray>,
}

impl<'a> Restarts<'a> {
    fn new(
        args: &Args<'a>,
        index: Option<usize>,
        starts: Option<&'a BooleanArray>,
    ) -> Result<Restarts<'a>, KernelError> {
        let flags = match index {
            Some(index) => {
                let (flags, constant) = column(args, index)?;
                Some((downcast::<BooleanArray>(flags)?, constant))
            }
            None => None,
        };
        Ok(Restarts { flags, starts })
    }

    fn part(&self, row: usize) -> bool {
        self.starts.is_some_and(|starts| starts.is_valid(row) && starts.value(row))
    }

    fn at(&self, row: usize) -> bool {
        let flag = self.flags.is_some_and(|(flags, constant)| {
            let row = if constant { 0 } else { row };
            flags.is_valid(row) && flags.value(row)
        });
        flag || self.part(row)
    }
}

#[derive(Debug)]
struct RowNumber {
    start: i64,
    next: i64,
    restart: Option<usize>,
}

impl Run for RowNumber {
    fn begin(&mut self) {
        self.next = self.start;
    }

    fn run(&mut self, args: &Args<'_>, starts: Option<&BooleanArray>) -> KernelResult {
        let restarts = Restarts::new(args, self.restart, starts)?;
        let number = |row| {
            if restarts.at(row) {
                self.next = self.start;
            }
            let number = self.next;
            self.next = self.next.wrapping_add(1);
            number
        };
        Ok(numbers::<Int64Type>((0..args.rows).map(number).collect(), None))
    }
}

/// Adds up values of an argument type.
trait Addend: Copy + Default + Send + Sync + Debug {
    type Arrow: ArrowPrimitiveType<Native = Self>;
    fn plus(self, other: Self) -> Self;
}

impl Addend for i64 {
    type Arrow = Int64Type;
    fn plus(self, other: i64) -> i64 {
        self.wrapping_add(other)
    }
}

impl Addend for f64 {
    type Arrow = Float64Type;
    fn plus(self, other: f64) -> f64 {
        self + other
    }
}

impl Addend for arrow::datatypes::i256 {
    type Arrow = Decimal256Type;
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

#[derive(Debug)]
struct CumulativeSum<N> {
    sum: N,
    restart: Option<usize>,
}

impl<N: Addend> Run for CumulativeSum<N> {
    fn begin(&mut self) {
        self.sum = N::default();
    }

    fn run(&mut self, args: &Args<'_>, starts: Option<&BooleanArray>) -> KernelResult {
        let restarts = Restarts::new(args, self.restart, starts)?;
        let (values, constant) = column(args, 0)?;
        let widened;
        let values = match args.ty(0) {
            ScalarType::Int => {
                let ints = downcast::<PrimitiveArray<Int32Type>>(values)?;
                widened =
                    numbers::<Int64Type>(ints.values().iter().map(|v| (*v).into()).collect(), ints.nulls().cloned());
                downcast::<PrimitiveArray<N::Arrow>>(&widened)?
            }
            _ => downcast::<PrimitiveArray<N::Arrow>>(values)?,
        };
        let sum = |row| {
            if restarts.at(row) {
                self.sum = N::default();
            }
            let at = if constant { 0 } else { row };
            if values.is_valid(at) {
                self.sum = self.sum.plus(values.value(at));
            }
            self.sum
        };
        Ok(numbers::<N::Arrow>((0..args.rows).map(sum).collect(), None))
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum RankKind {
    Dense,
    Min,
}

#[derive(Debug)]
struct Rank {
    kind: RankKind,
    restart: Option<usize>,
    /// The last row's value, one row long.
    last: Option<ArrayRef>,
    rank: i64,
    /// Number of the row since the last restart.
    number: i64,
}

impl Rank {
    fn new(kind: RankKind, restart: Option<usize>) -> Rank {
        Rank { kind, restart, last: None, rank: 0, number: 0 }
    }
}

/// Which rows have the value of the row before; `last` is the row before the first.
fn repeats(values: &ArrayRef, constant: bool, rows: usize, last: Option<&ArrayRef>) -> Result<Vec<bool>, KernelError> {
    let mut same = vec![constant; rows];
    if rows == 0 {
        return Ok(same);
    }
    let same_as = |left: &dyn Array, right: &dyn Array| not_distinct(&left, &right).map_err(bug);
    same[0] = match last {
        Some(last) => same_as(&values.slice(0, 1), last)?.value(0),
        None => false,
    };
    if !constant && rows > 1 {
        let equal = same_as(&values.slice(1, rows - 1), &values.slice(0, rows - 1))?;
        same.iter_mut().skip(1).zip(equal.values()).for_each(|(same, equal)| *same = equal);
    }
    Ok(same)
}

impl Run for Rank {
    fn begin(&mut self) {
        *self = Rank::new(self.kind, self.restart);
    }

    fn run(&mut self, args: &Args<'_>, starts: Option<&BooleanArray>) -> KernelResult {
        let restarts = Restarts::new(args, self.restart, starts)?;
        let (values, constant) = column(args, 0)?;
        let same = repeats(values, constant, args.rows, self.last.as_ref())?;
        let ranks = (0..args.rows).map(|row| {
            if restarts.at(row) {
                (self.rank, self.number) = (1, 1);
            } else {
                self.number += 1;
                if !same[row] {
                    self.rank = if self.kind == RankKind::Dense { self.rank + 1 } else { self.number };
                }
            }
            self.rank
        });
        let ranks = numbers::<Int64Type>(ranks.collect(), None);
        if args.rows > 0 {
            let last = if constant { 0 } else { args.rows - 1 };
            self.last = Some(take(values, &UInt32Array::from(vec![last as u32]), None).map_err(bug)?);
        }
        Ok(ranks)
    }
}

/// `row_window_session(expr, maxDistanceFromFirst, maxDistanceBetweenNeighbors, restart)`: a session ends where the value
/// equals or exceeds the first one plus the first distance, or the row before plus the second.
#[derive(Debug)]
struct Session {
    /// First and last value of the open session.
    open: Option<(i64, i64)>,
    restart: Option<usize>,
}

impl Run for Session {
    fn begin(&mut self) {
        self.open = None;
    }

    fn run(&mut self, args: &Args<'_>, starts: Option<&BooleanArray>) -> KernelResult {
        let restarts = Restarts::new(args, self.restart, starts)?;
        let (times, from_first, between) = (args.long(0)?, args.long(1)?, args.long(2)?);
        let first = |row| {
            if restarts.at(row) {
                self.open = None;
            }
            // A row without a time has no session and ends none.
            let time = times.opt(row)?;
            let within = |start: i64, distance: Option<i64>| {
                distance.is_none_or(|distance| time.saturating_sub(start) < distance)
            };
            let first = match self.open {
                Some((first, last)) if within(first, from_first.opt(row)) && within(last, between.opt(row)) => first,
                _ => time,
            };
            self.open = Some((first, time));
            Some(first)
        };
        Ok(optional_numbers::<Int64Type>((0..args.rows).map(first).collect()))
    }
}

/// Rows of a column held for `prev` and `next`.
#[derive(Debug)]
struct Shift {
    returns: ScalarType,
    offset: usize,
    default: Option<ArrayRef>,
    rows: Option<ArrayRef>,
    /// The number of its part for each held row.
    parts: Vec<u64>,
    /// Number of the current part.
    start: u64,
}

impl Shift {
    /// Adds a batch to the held rows.
    fn add(&mut self, args: &Args<'_>, starts: Option<&BooleanArray>) -> Result<(), KernelError> {
        let restarts = Restarts::new(args, None, starts)?;
        let (values, constant) = column(args, 0)?;
        let values = match constant {
            true => take(values, &UInt32Array::from(vec![0; args.rows]), None).map_err(bug)?,
            false => Arc::clone(values),
        };
        self.rows = Some(match self.rows.take() {
            Some(held) if !held.is_empty() => concat(&[&held, &values]).map_err(bug)?,
            _ => values,
        });
        for row in 0..args.rows {
            self.start += u64::from(restarts.part(row));
            self.parts.push(self.start);
        }
        Ok(())
    }

    /// Values of the held rows from `from` up to `to`, each taken from the row that `source` says.
    fn values(&self, from: usize, to: usize, source: impl Fn(usize) -> Option<usize>) -> KernelResult {
        let Some(rows) = self.rows.as_ref().filter(|_| to > from) else {
            return Ok(new_empty_array(&arrow_type(self.returns)));
        };
        let default = self.default_row(rows)?;
        let pool = match &default {
            Some(default) => concat(&[rows, default]).map_err(bug)?,
            None => Arc::clone(rows),
        };
        let missing = default.is_some().then_some(rows.len() as u32);
        let index = |row: usize| {
            let there = source(row).filter(|other| self.parts.get(*other) == self.parts.get(row));
            there.map(|row| row as u32).or(missing)
        };
        let indices: UInt32Array = (from..to).map(index).collect();
        take(&pool, &indices, None).map_err(bug)
    }

    /// The value of a row that is not there, when it is not null: the default, or `""` for a string.
    fn default_row(&self, rows: &ArrayRef) -> Result<Option<ArrayRef>, KernelError> {
        match &self.default {
            Some(default) if default.data_type() == rows.data_type() && default.len() == 1 => {
                Ok(Some(Arc::clone(default)))
            }
            Some(default) => Err(bug(format!("a default of {} for {}", default.data_type(), rows.data_type()))),
            None if self.returns == ScalarType::String => {
                Ok(Some(Arc::new(arrow::array::StringViewArray::from_iter_values([""]))))
            }
            None => Ok(None),
        }
    }

    /// Forgets the first held rows.
    fn forget(&mut self, count: usize) {
        if let Some(rows) = &mut self.rows {
            let count = count.min(rows.len());
            *rows = rows.slice(count, rows.len() - count);
            if let Some(texts) = rows.as_string_view_opt() {
                *rows = Arc::new(texts.gc());
            }
            self.parts.drain(..count);
        }
    }

    fn held(&self) -> usize {
        self.rows.as_ref().map_or(0, |rows| rows.len())
    }

    fn size(&self) -> usize {
        self.rows.as_ref().map_or(0, |rows| rows.get_array_memory_size()) + self.parts.capacity() * size_of::<u64>()
    }
}

/// Holds the last `offset` rows.
#[derive(Debug)]
struct Previous(Shift);

impl WindowState for Previous {
    fn push(&mut self, args: &Args<'_>, starts: Option<&BooleanArray>) -> KernelResult {
        let before = self.0.held();
        self.0.add(args, starts)?;
        let offset = self.0.offset;
        let values = self.0.values(before, self.0.held(), |row| row.checked_sub(offset))?;
        self.0.forget(self.0.held().saturating_sub(offset));
        Ok(values)
    }

    fn finish(&mut self) -> KernelResult {
        Ok(new_empty_array(&arrow_type(self.0.returns)))
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}

/// Holds the rows whose `offset`th next row has not come.
#[derive(Debug)]
struct Next(Shift);

impl Next {
    fn give(&mut self, count: usize) -> KernelResult {
        let offset = self.0.offset;
        let held = self.0.held();
        let values = self.0.values(0, count, |row| Some(row + offset).filter(|row| *row < held))?;
        self.0.forget(count);
        Ok(values)
    }
}

impl WindowState for Next {
    fn push(&mut self, args: &Args<'_>, starts: Option<&BooleanArray>) -> KernelResult {
        self.0.add(args, starts)?;
        self.give(self.0.held().saturating_sub(self.0.offset))
    }

    fn finish(&mut self) -> KernelResult {
        self.give(self.0.held())
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}

/// Marks the rows where a value of `keys` differs from the row before; `last` is the row before the first.
pub fn part_starts(keys: &[ArrayRef], last: &mut Vec<ArrayRef>, rows: usize) -> Result<BooleanArray, KernelError> {
    let mut starts = vec![false; rows];
    for (index, key) in keys.iter().enumerate() {
        let same = repeats(key, false, rows, last.get(index))?;
        starts.iter_mut().zip(same).for_each(|(start, same)| *start |= !same);
    }
    if rows > 0 {
        *last = keys.iter().map(|key| key.slice(rows - 1, 1)).collect();
    }
    Ok(BooleanArray::from(starts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, StringViewArray};
    use proptest::prelude::*;

    /// Runs a function over columns cut into batches of the given size; constants are one row long.
    fn run(name: &str, columns: &[(ArrayRef, ScalarType, bool)], starts: Option<&[bool]>, size: usize) -> ArrayRef {
        let types: Vec<ScalarType> = columns.iter().map(|column| column.1).collect();
        let constant: Vec<bool> = columns.iter().map(|column| column.2).collect();
        let constants: Vec<Option<ArrayRef>> =
            columns.iter().map(|column| column.2.then(|| column.0.clone())).collect();
        let returns = match name {
            "prev" | "next" | "row_cumsum" | "row_window_session" => types[0],
            _ => ScalarType::Long,
        };
        let call = AggregateCall { types: &types, returns, constants: &constants };
        let mut state = window_state(name, &call).unwrap().unwrap();
        let rows = columns.iter().find(|column| !column.2).map_or(0, |column| column.0.len());
        let mut out = Vec::new();
        for from in (0..rows).step_by(size) {
            let len = size.min(rows - from);
            let batch: Vec<ArrayRef> = columns
                .iter()
                .map(|column| if column.2 { column.0.clone() } else { column.0.slice(from, len) })
                .collect();
            let args = Args { columns: &batch, constant: &constant, types: &types, returns, rows: len };
            let starts = starts.map(|starts| BooleanArray::from(starts[from..from + len].to_vec()));
            out.push(state.push(&args, starts.as_ref()).unwrap());
            assert!(state.size() < 100_000);
        }
        out.push(state.finish().unwrap());
        let parts: Vec<&dyn Array> = out.iter().map(|part| part.as_ref()).collect();
        concat(&parts).unwrap()
    }

    fn longs(values: &[Option<i64>]) -> (ArrayRef, ScalarType, bool) {
        (Arc::new(Int64Array::from(values.to_vec())), ScalarType::Long, false)
    }

    fn constant(value: i64) -> (ArrayRef, ScalarType, bool) {
        (Arc::new(Int64Array::from(vec![value])), ScalarType::Long, true)
    }

    fn flags(values: &[bool]) -> (ArrayRef, ScalarType, bool) {
        (Arc::new(BooleanArray::from(values.to_vec())), ScalarType::Bool, false)
    }

    #[track_caller]
    fn gives(name: &str, columns: &[(ArrayRef, ScalarType, bool)], expected: &[Option<i64>]) {
        for size in 1..=expected.len() {
            let got = run(name, columns, None, size);
            assert_eq!(
                got.as_primitive::<Int64Type>(),
                &Int64Array::from(expected.to_vec()),
                "{name} in batches of {size}"
            );
        }
    }

    #[test]
    fn numbers_sums_and_ranks() {
        let v = longs(&[Some(5), Some(5), Some(3), None, None, Some(8)]);
        let f = flags(&[false, false, true, false, false, true]);
        let some = |values: &[i64]| values.iter().copied().map(Some).collect::<Vec<_>>();
        gives("row_number", &[constant(5), f.clone()], &some(&[5, 6, 5, 6, 7, 5]));
        gives("row_cumsum", std::slice::from_ref(&v), &some(&[5, 10, 13, 13, 13, 21]));
        gives("row_cumsum", &[v.clone(), f.clone()], &some(&[5, 10, 3, 3, 3, 8]));
        gives("row_rank_dense", std::slice::from_ref(&v), &some(&[1, 1, 2, 3, 3, 4]));
        gives("row_rank_min", std::slice::from_ref(&v), &some(&[1, 1, 3, 4, 4, 6]));
        gives("row_rank_min", &[v.clone(), f.clone()], &some(&[1, 1, 1, 2, 2, 1]));
        gives("row_rank_dense", &[v, f], &some(&[1, 1, 1, 2, 2, 1]));
        assert!(
            window_state("strlen", &AggregateCall { types: &[], returns: ScalarType::Long, constants: &[] })
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn neighbours() {
        let v = longs(&[Some(1), None, Some(3), Some(4)]);
        gives("prev", std::slice::from_ref(&v), &[None, Some(1), None, Some(3)]);
        gives("next", std::slice::from_ref(&v), &[None, Some(3), Some(4), None]);
        gives("prev", &[v.clone(), constant(2), constant(-1)], &[Some(-1), Some(-1), Some(1), None]);
        gives("next", &[v.clone(), constant(2), constant(-1)], &[Some(3), Some(4), Some(-1), Some(-1)]);
        gives("next", &[v.clone(), constant(9)], &[None; 4]);
        gives("prev", &[v.clone(), constant(0)], &[Some(1), None, Some(3), Some(4)]);
        let call = AggregateCall {
            types: &[ScalarType::Long; 2],
            returns: ScalarType::Long,
            constants: &[None, Some(constant(-1).0)],
        };
        assert!(window_state("prev", &call).is_err());
        let texts: ArrayRef = Arc::new(StringViewArray::from_iter_values(["a", "a text that is not inline"]));
        let out = run("prev", &[(texts, ScalarType::String, false)], None, 1);
        assert_eq!(out.as_string_view().iter().collect::<Vec<_>>(), [Some(""), Some("a")]);
    }

    #[test]
    fn sessions() {
        let t = longs(&[Some(0), Some(4), Some(9), None, Some(13), Some(14), Some(30)]);
        let t = (t.0, ScalarType::DateTime, false);
        let span = |value| (constant(value).0, ScalarType::TimeSpan, true);
        gives(
            "row_window_session",
            &[t.clone(), span(100), span(5)],
            &[Some(0), Some(0), Some(9), None, Some(9), Some(9), Some(30)],
        );
        gives(
            "row_window_session",
            &[t, span(9), span(100)],
            &[Some(0), Some(0), Some(9), None, Some(9), Some(9), Some(30)],
        );
    }

    #[test]
    fn parts_are_kept_apart() {
        let v = longs(&[Some(1), Some(2), Some(3), Some(4)]);
        let starts = [true, false, true, false];
        for size in 1..5 {
            let check = |name, expected: [Option<i64>; 4]| {
                let got = run(name, std::slice::from_ref(&v), Some(&starts), size);
                assert_eq!(got.as_primitive::<Int64Type>(), &Int64Array::from(expected.to_vec()), "{name}");
            };
            check("prev", [None, Some(1), None, Some(3)]);
            check("next", [Some(2), None, Some(4), None]);
            check("row_cumsum", [Some(1), Some(3), Some(3), Some(7)]);
            check("row_rank_dense", [Some(1), Some(2), Some(1), Some(2)]);
        }
    }

    #[test]
    fn starts_of_parts_are_found_across_batches() {
        let keys = longs(&[Some(1), Some(1), None, None, Some(2)]).0;
        let mut last = Vec::new();
        let mut found = Vec::new();
        for (from, len) in [(0, 1), (1, 2), (3, 2)] {
            let starts = part_starts(&[keys.slice(from, len)], &mut last, len).unwrap();
            found.extend(starts.iter().flatten());
        }
        assert_eq!(found, [true, false, true, false, true]);
    }

    proptest! {
        /// Against the plain definitions over the whole column.
        #[test]
        fn batches_change_nothing(
            rows in prop::collection::vec((prop::option::of(0i64..4), any::<bool>()), 1..30),
            offset in 0usize..4,
            size in 1usize..8,
        ) {
            let values: Vec<Option<i64>> = rows.iter().map(|row| row.0).collect();
            let restarts: Vec<bool> = rows.iter().map(|row| row.1).collect();
            let column = longs(&values);
            let naive_prev: Vec<_> = (0..rows.len()).map(|i| i.checked_sub(offset).and_then(|i| values[i])).collect();
            let naive_next: Vec<_> = (0..rows.len()).map(|i| values.get(i + offset).copied().flatten()).collect();
            let k = constant(offset as i64);
            let got = run("prev", &[column.clone(), k.clone()], None, size);
            prop_assert_eq!(got.as_primitive::<Int64Type>(), &Int64Array::from(naive_prev));
            let got = run("next", &[column.clone(), k], None, size);
            prop_assert_eq!(got.as_primitive::<Int64Type>(), &Int64Array::from(naive_next));
            let begin = |i: usize| (0..=i).rev().find(|j| restarts[*j]).unwrap_or(0);
            let sums: Vec<_> = (0..rows.len()).map(|i| Some((begin(i)..=i).filter_map(|j| values[j]).sum::<i64>())).collect();
            let got = run("row_cumsum", &[column.clone(), flags(&restarts)], None, size);
            prop_assert_eq!(got.as_primitive::<Int64Type>(), &Int64Array::from(sums));
            let dense: Vec<_> = (0..rows.len())
                .map(|i| Some(1 + (begin(i) + 1..=i).filter(|j| values[*j] != values[*j - 1]).count() as i64))
                .collect();
            let got = run("row_rank_dense", &[column, flags(&restarts)], None, size);
            prop_assert_eq!(got.as_primitive::<Int64Type>(), &Int64Array::from(dense));
        }
    }
}

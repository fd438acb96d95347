//! `dcount`, `count_distinct`, `hll`, `hll_merge` and their `if` forms.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use arrow::array::builder::make_view;
use arrow::array::{ArrayRef, BinaryViewArray, BinaryViewBuilder, BooleanArray, StringViewArray, StringViewBuilder};
use arrow::datatypes::{DataType, Decimal256Type, Float64Type, Int32Type, Int64Type};
use kql_types::{Dynamic, ScalarType};

use super::aggregate_state::{
    HeapEstimate, bug, column, constant_long, downcast, each_number, each_row, each_text, filtered, grow_with, numbers,
    partial, take_first,
};
use super::elements::Elements;
use super::hyperloglog::{HyperLogLog, bits_of, hash_bytes, hash_long};
use super::view_memo::ViewMemo;
use super::{AggregateCall, Args, GroupState, KernelError, KernelResult};

/// `dcount(expr, accuracy)`.
pub fn dcount(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    sketches(call, Output::Count, Input::Values)
}

/// `dcountif(expr, predicate, accuracy)`.
pub fn dcountif(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    filtered(call, 1, dcount)
}

/// `hll(expr, accuracy)`.
pub fn hll(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    sketches(call, Output::Sketch, Input::Values)
}

/// `hll_if(expr, predicate, accuracy)`.
pub fn hll_if(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    filtered(call, 1, hll)
}

/// `hll_merge(hll)`.
pub fn hll_merge(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    sketches(call, Output::Sketch, Input::Sketches)
}

/// `count_distinct(expr)`.
pub fn count_distinct(_call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    Ok(Box::new(Distinct::default()))
}

/// `count_distinctif(expr, predicate)`.
pub fn count_distinctif(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    filtered(call, 1, count_distinct)
}

fn sketches(call: &AggregateCall<'_>, output: Output, input: Input) -> Result<Box<dyn GroupState>, KernelError> {
    let accuracy = constant_long(call, 1).unwrap_or(1);
    let bits = match input {
        Input::Values => bits_of(accuracy).ok_or_else(|| KernelError(format!("accuracy {accuracy} is not in 0..4")))?,
        // The finest; merging a coarser sketch folds it.
        Input::Sketches => 18,
    };
    let (hashes, heap) = (ViewMemo::new(HASH_MEMO_BITS), HeapEstimate::default());
    Ok(Box::new(Sketches { bits, output, input, sketches: Vec::new(), hashes, heap }))
}

/// Hashes of so many texts are remembered, as a power of two.
const HASH_MEMO_BITS: u32 = 13;

/// Calls `f(group, hash)` for every row that is not null. `""` is a value.
#[inline]
fn each_hash(
    args: &Args<'_>,
    groups: &[usize],
    memo: &mut ViewMemo<u64>,
    mut f: impl FnMut(usize, u64),
) -> Result<(), KernelError> {
    match args.types.first() {
        Some(ScalarType::Int) => each_number::<Int32Type>(args, 0, groups, |group, v| f(group, hash_long(v.into()))),
        Some(ScalarType::Long | ScalarType::DateTime | ScalarType::TimeSpan) => {
            each_number::<Int64Type>(args, 0, groups, |group, v| f(group, hash_long(v)))
        }
        Some(ScalarType::Real) => {
            each_number::<Float64Type>(args, 0, groups, |group, v| f(group, hash_long(real_key(v))))
        }
        Some(ScalarType::Decimal) => {
            each_number::<Decimal256Type>(args, 0, groups, |group, v| f(group, hash_bytes(&v.to_le_bytes())))
        }
        Some(ScalarType::Bool) => {
            let array = downcast::<BooleanArray>(column(args, 0)?.0)?;
            each_row(args, 0, groups, |row, group| {
                f(group, hash_long(array.value(row).into()));
                Ok(())
            })
        }
        Some(ScalarType::Dynamic) => each_text(args, 0, groups, |group, text| {
            f(group, with_sorted_keys(text, |text| hash_bytes(text.as_bytes())));
            Ok(())
        }),
        _ => {
            let array = downcast::<StringViewArray>(column(args, 0)?.0)?;
            memo.start(array);
            each_row(args, 0, groups, |row, group| {
                f(group, memo.get(array.views()[row], || hash_bytes(array.value(row).as_bytes())));
                Ok(())
            })
        }
    }
}

/// One pattern for all zeros and one for all NaNs.
fn real_key(value: f64) -> i64 {
    if value == 0.0 {
        0
    } else if value.is_nan() {
        f64::NAN.to_bits() as i64
    } else {
        value.to_bits() as i64
    }
}

/// Canonical text whose bags have sorted keys, so that the order of keys makes no difference.
pub(super) fn with_sorted_keys<R>(text: &str, f: impl FnOnce(&str) -> R) -> R {
    if !text.contains('{') {
        return f(text);
    }
    match Dynamic::parse(text) {
        Some(value) => f(&value.to_sorted_text()),
        None => f(text),
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Output {
    Count,
    Sketch,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Input {
    Values,
    Sketches,
}

#[derive(Debug)]
struct Sketches {
    bits: u8,
    output: Output,
    input: Input,
    sketches: Vec<HyperLogLog>,
    /// Hashes of texts.
    hashes: ViewMemo<u64>,
    heap: HeapEstimate,
}

impl Sketches {
    fn grow(&mut self, total: usize) {
        grow_with(&mut self.sketches, total, || HyperLogLog::new(self.bits));
    }

    fn note(&mut self, rows: usize) {
        self.heap.note(rows, &self.sketches, HyperLogLog::heap);
    }
}

impl GroupState for Sketches {
    fn update(&mut self, args: &Args<'_>, groups: &[usize], total: usize) -> Result<(), KernelError> {
        self.grow(total);
        match self.input {
            Input::Values => {
                let Sketches { sketches, hashes, .. } = self;
                each_hash(args, groups, hashes, |group, hash| sketches[group].add(hash))?;
            }
            Input::Sketches => each_text(args, 0, groups, |group, text| {
                if let Some(other) = HyperLogLog::from_dynamic(text) {
                    self.sketches[group].merge(&other);
                }
                Ok(())
            })?,
        }
        self.note(groups.len());
        Ok(())
    }

    fn take_partial(&mut self, count: usize) -> Result<Vec<ArrayRef>, KernelError> {
        self.grow(count);
        let mut builder = BinaryViewBuilder::with_capacity(count);
        let mut bytes = Vec::new();
        let sketches = take_first(&mut self.sketches, count);
        self.note(usize::MAX);
        for sketch in sketches {
            bytes.clear();
            sketch.to_bytes(&mut bytes);
            builder.append_value(&bytes);
        }
        Ok(vec![Arc::new(builder.finish())])
    }

    fn partial_types(&self) -> Vec<DataType> {
        vec![DataType::BinaryView]
    }

    fn merge(&mut self, columns: &[ArrayRef], groups: &[usize], total: usize) -> Result<(), KernelError> {
        self.grow(total);
        for (group, bytes) in groups.iter().zip(downcast::<BinaryViewArray>(partial(columns, 0)?)?) {
            let sketch = bytes.and_then(HyperLogLog::from_bytes).ok_or_else(|| bug("broken partial sketch"))?;
            self.sketches[*group].merge(&sketch);
        }
        self.note(groups.len());
        Ok(())
    }

    fn take_final(&mut self, count: usize) -> KernelResult {
        self.grow(count);
        let sketches = take_first(&mut self.sketches, count);
        self.note(usize::MAX);
        if self.output == Output::Count {
            return Ok(numbers::<Int64Type>(sketches.iter().map(HyperLogLog::count).collect(), None));
        }
        let mut builder = StringViewBuilder::with_capacity(count);
        let mut text = String::new();
        for sketch in sketches {
            if sketch.is_empty() {
                builder.append_null();
                continue;
            }
            text.clear();
            sketch.write_dynamic(&mut text);
            builder.append_value(&text);
        }
        Ok(Arc::new(builder.finish()))
    }

    fn size(&self) -> usize {
        self.sketches.capacity() * size_of::<HyperLogLog>() + self.heap.bytes() + self.hashes.size()
    }
}

/// Hashes the keys of a [`KeySet`] with one multiplication.
#[derive(Debug, Default)]
pub(super) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= hash_bytes(bytes);
    }

    fn write_u128(&mut self, key: u128) {
        let (low, high) = (key as u64, (key >> 64) as u64);
        let product = u128::from(low ^ 0x2D35_8DCC_AA6C_78A5) * u128::from(high ^ 0x8BB8_4B93_962E_ACC9);
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }
}

/// A set of 128-bit keys of values.
pub(super) type KeySet = HashSet<u128, BuildHasherDefault<KeyHasher>>;

/// A key of a text: the text itself when it is short, else 128 bits of hash, so that no two of any number of texts in
/// memory share one.
#[inline]
pub(super) fn text_key(text: &[u8]) -> u128 {
    if text.len() <= 12 { make_view(text, 0, 0) } else { twox_hash::XxHash3_128::oneshot(text) }
}

/// A key of a fixed-size value.
#[inline]
pub(super) fn long_key(value: i64) -> u128 {
    u128::from(value as u64) | (1 << 64)
}

#[derive(Debug, Default)]
struct Distinct {
    sets: Vec<KeySet>,
    heap: HeapEstimate,
}

impl Distinct {
    fn note(&mut self, rows: usize) {
        self.heap.note(rows, &self.sets, |set| set.capacity() * 8 / 7 * (size_of::<u128>() + 1));
    }
}

impl GroupState for Distinct {
    fn update(&mut self, args: &Args<'_>, groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow_with(&mut self.sets, total, KeySet::default);
        let (values, _) = column(args, 0)?;
        let elements = Elements::new(values, args.ty(0))?;
        each_row(args, 0, groups, |row, group| {
            self.sets[group].insert(elements.key(row));
            Ok(())
        })?;
        self.note(groups.len());
        Ok(())
    }

    fn take_partial(&mut self, count: usize) -> Result<Vec<ArrayRef>, KernelError> {
        grow_with(&mut self.sets, count, KeySet::default);
        let mut builder = BinaryViewBuilder::with_capacity(count);
        for set in take_first(&mut self.sets, count) {
            let bytes: Vec<u8> = set.iter().flat_map(|key| key.to_le_bytes()).collect();
            builder.try_append_value(bytes).map_err(bug)?;
        }
        self.note(usize::MAX);
        Ok(vec![Arc::new(builder.finish())])
    }

    fn partial_types(&self) -> Vec<DataType> {
        vec![DataType::BinaryView]
    }

    fn merge(&mut self, columns: &[ArrayRef], groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow_with(&mut self.sets, total, KeySet::default);
        for (group, keys) in groups.iter().zip(downcast::<BinaryViewArray>(partial(columns, 0)?)?) {
            let keys = keys.unwrap_or_default().as_chunks::<16>().0;
            self.sets[*group].extend(keys.iter().map(|key| u128::from_le_bytes(*key)));
        }
        self.note(groups.len());
        Ok(())
    }

    fn take_final(&mut self, count: usize) -> KernelResult {
        grow_with(&mut self.sets, count, KeySet::default);
        let counts = take_first(&mut self.sets, count).iter().map(|set| set.len() as i64).collect();
        self.note(usize::MAX);
        Ok(numbers::<Int64Type>(counts, None))
    }

    fn size(&self) -> usize {
        self.sets.capacity() * size_of::<KeySet>() + self.heap.bytes()
    }
}

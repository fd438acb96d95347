//! `percentile`, `percentiles_array`, their weighted forms, `tdigest`, `tdigest_merge`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryViewBuilder, PrimitiveArray, StringViewArray, StringViewBuilder};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Decimal256Type, Float64Type, Int32Type, Int64Type};
use kql_types::{Dynamic, ScalarType};

use super::aggregate_state::{
    HeapEstimate, bug, column, downcast, each_text, grow_with, optional_numbers, partial, take_first,
};
use super::digest::{DIGEST_SIZE, Digest};
use super::elements::Elements;
use super::samples::{Sample, Samples};
use super::{AggregateCall, Args, GroupState, KernelError, KernelResult};

/// Values of a group that are kept as they are; more are merged to [`SAMPLES_LEFT`].
const SAMPLES_MAX: usize = 1 << 24;
const SAMPLES_LEFT: usize = 1 << 20;

type State = Result<Box<dyn GroupState>, KernelError>;

/// `percentile(expr, percentile)`: one percentile.
pub fn percentile(call: &AggregateCall<'_>) -> State {
    percentiles(call, None)
}

/// `percentilew(expr, weight, percentile)`.
pub fn percentilew(call: &AggregateCall<'_>) -> State {
    percentiles(call, Some(1))
}

/// `percentiles_array(expr, percentile...)`, or with a dynamic array of percentiles.
pub fn percentiles_array(call: &AggregateCall<'_>) -> State {
    percentiles(call, None)
}

/// `percentilesw_array(expr, weight, percentile...)`, or with a dynamic array of percentiles.
pub fn percentilesw_array(call: &AggregateCall<'_>) -> State {
    percentiles(call, Some(1))
}

fn percentiles(call: &AggregateCall<'_>, weight: Option<usize>) -> State {
    let first = weight.map_or(1, |weight| weight + 1);
    let asked = asked_percentiles(call, first)?;
    let output = if call.returns == ScalarType::Dynamic { Output::Array } else { Output::Value };
    Ok(match call.types.first() {
        Some(ScalarType::Int) => Box::new(Percentiles::<Int32Type, Int64Type>::new(call, weight, asked, output)),
        Some(ScalarType::Long | ScalarType::DateTime | ScalarType::TimeSpan) => {
            Box::new(Percentiles::<Int64Type, Int64Type>::new(call, weight, asked, output))
        }
        Some(ScalarType::Real) => Box::new(Percentiles::<Float64Type, Float64Type>::new(call, weight, asked, output)),
        Some(ScalarType::Decimal) => {
            Box::new(Percentiles::<Decimal256Type, Decimal256Type>::new(call, weight, asked, output))
        }
        other => return Err(bug(format!("percentile of {other:?}"))),
    })
}

/// The constant percentiles from argument `first` on.
fn asked_percentiles(call: &AggregateCall<'_>, first: usize) -> Result<Vec<f64>, KernelError> {
    let mut asked = Vec::new();
    for (index, ty) in call.types.iter().enumerate().skip(first) {
        let wrong = || KernelError("percentiles are constants from 0 to 100".to_owned());
        let constant = call.constants.get(index).and_then(Option::as_ref).ok_or_else(wrong)?;
        if constant.is_empty() || constant.is_null(0) {
            return Err(wrong());
        }
        let mut text = String::new();
        Elements::new(constant, *ty)?.write(0, &mut text);
        match Dynamic::parse(&text) {
            Some(Dynamic::Array(items)) => asked.extend(items.iter().filter_map(Dynamic::as_real)),
            Some(value) => asked.push(value.as_real().ok_or_else(wrong)?),
            None => return Err(wrong()),
        }
        if !asked.iter().all(|percent| (0.0..=100.0).contains(percent)) {
            return Err(wrong());
        }
    }
    Ok(asked)
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Output {
    Value,
    Array,
}

/// Calls `f(group, value, weight)` for every row where value and weight are not null.
fn each_weighted<V: ArrowPrimitiveType>(
    args: &Args<'_>,
    weight: Option<usize>,
    groups: &[usize],
    mut f: impl FnMut(usize, V::Native, i64),
) -> Result<(), KernelError> {
    let (values, values_constant) = column(args, 0)?;
    let values = downcast::<PrimitiveArray<V>>(values)?;
    let weights = match weight {
        Some(index) => {
            let (weights, constant) = column(args, index)?;
            let weights = match args.ty(index) {
                ScalarType::Int => downcast::<PrimitiveArray<Int32Type>>(weights)?.unary(i64::from),
                _ => downcast::<PrimitiveArray<Int64Type>>(weights)?.clone(),
            };
            Some((weights, constant))
        }
        None => None,
    };
    for (row, group) in groups.iter().enumerate() {
        let at = if values_constant { 0 } else { row };
        if values.is_null(at) {
            continue;
        }
        match &weights {
            None => f(*group, values.value(at), 1),
            Some((weights, constant)) => {
                let row = if *constant { 0 } else { row };
                if weights.is_valid(row) {
                    f(*group, values.value(at), weights.value(row));
                }
            }
        }
    }
    Ok(())
}

/// Percentiles of values of type `V`, held and given as `T`.
#[derive(Debug)]
struct Percentiles<V, T: ArrowPrimitiveType> {
    /// The Kusto type of the elements.
    ty: ScalarType,
    weight: Option<usize>,
    asked: Vec<f64>,
    output: Output,
    groups: Vec<Samples<T::Native>>,
    heap: HeapEstimate,
    values: std::marker::PhantomData<fn() -> V>,
}

impl<V, T> Percentiles<V, T>
where
    T: ArrowPrimitiveType,
    T::Native: Sample,
{
    fn new(call: &AggregateCall<'_>, weight: Option<usize>, asked: Vec<f64>, output: Output) -> Self {
        let ty = match call.types.first() {
            Some(ScalarType::Int) | None => ScalarType::Long,
            Some(other) => *other,
        };
        let (groups, heap) = (Vec::new(), HeapEstimate::default());
        Percentiles { ty, weight, asked, output, groups, heap, values: std::marker::PhantomData }
    }

    fn note(&mut self, rows: usize) {
        self.heap.note(rows, &self.groups, Samples::heap);
    }

    fn take(&mut self, count: usize) -> Vec<Samples<T::Native>> {
        grow_with(&mut self.groups, count, Samples::default);
        let taken = take_first(&mut self.groups, count);
        self.note(usize::MAX);
        taken
    }
}

/// Widens what a column holds to what the samples hold.
trait Widen<T: ArrowPrimitiveType>: ArrowPrimitiveType {
    fn widen(value: Self::Native) -> T::Native;
}

impl<T: ArrowPrimitiveType> Widen<T> for T {
    fn widen(value: T::Native) -> T::Native {
        value
    }
}

impl Widen<Int64Type> for Int32Type {
    fn widen(value: i32) -> i64 {
        value.into()
    }
}

impl<V, T> GroupState for Percentiles<V, T>
where
    V: Widen<T> + std::fmt::Debug,
    T: ArrowPrimitiveType + std::fmt::Debug,
    T::Native: Sample,
{
    fn update(&mut self, args: &Args<'_>, groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow_with(&mut self.groups, total, Samples::default);
        each_weighted::<V>(args, self.weight, groups, |group, value, weight| {
            let samples = &mut self.groups[group];
            samples.add_weighted(V::widen(value), weight);
            if samples.len() > SAMPLES_MAX {
                samples.compress(SAMPLES_LEFT);
            }
        })?;
        self.note(groups.len());
        Ok(())
    }

    fn take_partial(&mut self, count: usize) -> Result<Vec<ArrayRef>, KernelError> {
        let mut builder = BinaryViewBuilder::with_capacity(count);
        let mut bytes = Vec::new();
        for samples in self.take(count) {
            bytes.clear();
            samples.to_bytes(&mut bytes);
            builder.try_append_value(&bytes).map_err(bug)?;
        }
        Ok(vec![Arc::new(builder.finish())])
    }

    fn partial_types(&self) -> Vec<DataType> {
        vec![DataType::BinaryView]
    }

    fn merge(&mut self, columns: &[ArrayRef], groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow_with(&mut self.groups, total, Samples::default);
        for (group, bytes) in groups.iter().zip(partial(columns, 0)?.as_binary_view()) {
            let samples = bytes.and_then(Samples::from_bytes).ok_or_else(|| bug("broken partial samples"))?;
            let mine = &mut self.groups[*group];
            mine.merge(samples);
            if mine.len() > SAMPLES_MAX {
                mine.compress(SAMPLES_LEFT);
            }
        }
        self.note(groups.len());
        Ok(())
    }

    fn take_final(&mut self, count: usize) -> KernelResult {
        let groups = self.take(count);
        if self.output == Output::Value {
            let percent = self.asked.first().copied().ok_or_else(|| bug("no percentile"))?;
            return Ok(optional_numbers::<T>(groups.into_iter().map(|mut samples| samples.select(percent)).collect()));
        }
        let mut builder = StringViewBuilder::with_capacity(count);
        for mut samples in groups {
            if samples.is_empty() {
                builder.append_null();
                continue;
            }
            samples.sort();
            let values = self.asked.iter().map(|percent| samples.percentile(*percent)).collect();
            let values = optional_numbers::<T>(values);
            let elements = Elements::new(&values, self.ty)?;
            let mut text = String::from("[");
            for row in 0..values.len() {
                if row > 0 {
                    text.push(',');
                }
                elements.write(row, &mut text);
            }
            text.push(']');
            builder.append_value(text);
        }
        Ok(Arc::new(builder.finish()))
    }

    fn size(&self) -> usize {
        self.groups.capacity() * size_of::<Samples<T::Native>>() + self.heap.bytes()
    }
}

/// `tdigest(expr, weight)`.
pub fn tdigest(call: &AggregateCall<'_>) -> State {
    let weight = (call.types.len() > 1).then_some(1);
    let empty = match call.types.first() {
        Some(ScalarType::Real | ScalarType::Decimal) => Digest::Real(Samples::default()),
        Some(ScalarType::DateTime) => Digest::Whole(ScalarType::DateTime, Samples::default()),
        Some(ScalarType::TimeSpan) => Digest::Whole(ScalarType::TimeSpan, Samples::default()),
        _ => Digest::Whole(ScalarType::Long, Samples::default()),
    };
    Ok(Box::new(Digests { weight, empty: Some(empty), digests: Vec::new(), heap: HeapEstimate::default() }))
}

/// `tdigest_merge(tdigest)`.
pub fn tdigest_merge(_call: &AggregateCall<'_>) -> State {
    Ok(Box::new(Digests { weight: None, empty: None, digests: Vec::new(), heap: HeapEstimate::default() }))
}

#[derive(Debug)]
struct Digests {
    weight: Option<usize>,
    /// The digest of no values; None when the argument is a digest itself.
    empty: Option<Digest>,
    digests: Vec<Option<Digest>>,
    heap: HeapEstimate,
}

/// Digests are compressed when they hold so many samples.
const DIGEST_BUFFER: usize = DIGEST_SIZE * 8;

impl Digests {
    fn note(&mut self, rows: usize) {
        self.heap.note(rows, &self.digests, |digest| digest.as_ref().map_or(0, Digest::heap));
    }

    fn add_text(&mut self, group: usize, text: &str) {
        let Some(other) = Digest::parse(text) else { return };
        match &mut self.digests[group] {
            Some(digest) => {
                digest.merge(other);
                if digest.len() > DIGEST_BUFFER {
                    digest.compress();
                }
            }
            empty => *empty = Some(other),
        }
    }

    fn add_values(&mut self, empty: &Digest, args: &Args<'_>, groups: &[usize]) -> Result<(), KernelError> {
        let slots = &mut self.digests;
        let mut add = |group: usize, value: i64, real: f64, weight: i64| {
            let digest = slots[group].get_or_insert_with(|| empty.clone());
            match digest {
                Digest::Whole(_, samples) => samples.add_weighted(value, weight),
                Digest::Real(samples) => samples.add_weighted(real, weight),
            }
            if digest.len() > DIGEST_BUFFER {
                digest.compress();
            }
        };
        let weight = self.weight;
        match args.ty(0) {
            ScalarType::Int => {
                each_weighted::<Int32Type>(args, weight, groups, |group, v, w| add(group, v.into(), 0.0, w))
            }
            ScalarType::Real => each_weighted::<Float64Type>(args, weight, groups, |group, v, w| add(group, 0, v, w)),
            ScalarType::Decimal => each_weighted::<Decimal256Type>(args, weight, groups, |group, v, w| {
                add(group, 0, super::aggregate_spread::decimal_to_real(v), w);
            }),
            _ => each_weighted::<Int64Type>(args, weight, groups, |group, v, w| add(group, v, 0.0, w)),
        }
    }

    fn take(&mut self, count: usize) -> KernelResult {
        grow_with(&mut self.digests, count, || None);
        let mut builder = StringViewBuilder::with_capacity(count);
        let mut text = String::new();
        for digest in take_first(&mut self.digests, count) {
            text.clear();
            match digest.and_then(|mut digest| digest.write(&mut text)) {
                Some(()) => builder.append_value(&text),
                None => builder.append_null(),
            }
        }
        self.note(usize::MAX);
        Ok(Arc::new(builder.finish()))
    }
}

impl GroupState for Digests {
    fn update(&mut self, args: &Args<'_>, groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow_with(&mut self.digests, total, || None);
        match self.empty.clone() {
            Some(empty) => self.add_values(&empty, args, groups)?,
            None => each_text(args, 0, groups, |group, text| {
                self.add_text(group, text);
                Ok(())
            })?,
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
        grow_with(&mut self.digests, total, || None);
        for (group, text) in groups.iter().zip(downcast::<StringViewArray>(partial(columns, 0)?)?) {
            self.add_text(*group, text.unwrap_or_default());
        }
        self.note(groups.len());
        Ok(())
    }

    fn take_final(&mut self, count: usize) -> KernelResult {
        self.take(count)
    }

    fn size(&self) -> usize {
        self.digests.capacity() * size_of::<Option<Digest>>() + self.heap.bytes()
    }
}

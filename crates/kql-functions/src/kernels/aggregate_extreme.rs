//! `min`, `max` and their `if` forms.
//!
//! Nulls are passed over. A NaN beats every number in both directions, as recorded: over 1.0, 2.0 and NaN both `min`
//! and `max` give NaN.

use std::cmp::Ordering;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray, StringViewArray, StringViewBuilder};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Decimal256Type, Float64Type, Int32Type, Int64Type};
use kql_types::ScalarType;

use super::aggregate_state::{
    bug, column, downcast, each_number, each_row, each_text, filtered, grow, number_type, numbers, partial, take_first,
};
use super::{AggregateCall, Args, GroupState, KernelError, KernelResult};

/// `min(expr)`.
pub fn min(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    extreme::<Least>(call)
}

/// `max(expr)`.
pub fn max(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    extreme::<Greatest>(call)
}

/// `minif(expr, predicate)`.
pub fn minif(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    filtered(call, 1, min)
}

/// `maxif(expr, predicate)`.
pub fn maxif(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    filtered(call, 1, max)
}

fn extreme<D: Direction>(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    Ok(match call.types.first() {
        Some(ScalarType::Int) => Box::new(NumberExtreme::<Int32Type, D>::default()),
        Some(ScalarType::Long | ScalarType::DateTime | ScalarType::TimeSpan) => {
            Box::new(NumberExtreme::<Int64Type, D>::default())
        }
        Some(ScalarType::Real) => Box::new(NumberExtreme::<Float64Type, D>::default()),
        Some(ScalarType::Decimal) => Box::new(NumberExtreme::<Decimal256Type, D>::default()),
        Some(ScalarType::Bool) => Box::new(BoolExtreme::<D>::default()),
        Some(ScalarType::String) => Box::new(TextExtreme::<D>::new(Some(""))),
        Some(ScalarType::Guid) => Box::new(TextExtreme::<D>::new(None)),
        other => return Err(bug(format!("extreme of {other:?}"))),
    })
}

/// Which end is looked for.
pub(super) trait Direction: Debug + Send + Sync + 'static {
    /// The order of a new value against the best so far when it is better.
    const BETTER: Ordering;
}

#[derive(Debug)]
pub(super) struct Least;
#[derive(Debug)]
pub(super) struct Greatest;

impl Direction for Least {
    const BETTER: Ordering = Ordering::Less;
}

impl Direction for Greatest {
    const BETTER: Ordering = Ordering::Greater;
}

/// Numbers with the order of `min`, `max`, `arg_min` and `arg_max`.
pub(super) trait Ranked: ArrowPrimitiveType {
    fn better<D: Direction>(value: Self::Native, best: Self::Native) -> bool;
}

macro_rules! ranked {
    ($($ty:ty),*) => {
        $(impl Ranked for $ty {
            #[inline]
            fn better<D: Direction>(value: Self::Native, best: Self::Native) -> bool {
                value.cmp(&best) == D::BETTER
            }
        })*
    };
}
ranked!(Int32Type, Int64Type, Decimal256Type);

impl Ranked for Float64Type {
    #[inline]
    fn better<D: Direction>(value: f64, best: f64) -> bool {
        match value.partial_cmp(&best) {
            Some(order) => order == D::BETTER,
            None => !best.is_nan(),
        }
    }
}

#[derive(Debug)]
struct NumberExtreme<T: ArrowPrimitiveType, D> {
    best: Vec<T::Native>,
    seen: Vec<bool>,
    direction: PhantomData<D>,
}

impl<T: ArrowPrimitiveType, D> Default for NumberExtreme<T, D> {
    fn default() -> Self {
        NumberExtreme { best: Vec::new(), seen: Vec::new(), direction: PhantomData }
    }
}

impl<T: Ranked, D: Direction> NumberExtreme<T, D> {
    fn grow(&mut self, total: usize) {
        grow(&mut self.best, total, T::Native::default());
        grow(&mut self.seen, total, false);
    }

    #[inline]
    fn offer(&mut self, group: usize, value: T::Native) {
        if !self.seen[group] || T::better::<D>(value, self.best[group]) {
            self.seen[group] = true;
            self.best[group] = value;
        }
    }
}

impl<T: Ranked + Debug, D: Direction> GroupState for NumberExtreme<T, D> {
    fn update(&mut self, args: &Args<'_>, groups: &[usize], total: usize) -> Result<(), KernelError> {
        self.grow(total);
        let (values, constant) = column(args, 0)?;
        if total == 1 && !constant {
            // One group: find the best of the batch in a register.
            let array = downcast::<PrimitiveArray<T>>(values)?;
            let better = |best, value| if T::better::<D>(value, best) { value } else { best };
            let best = match array.null_count() {
                0 => array.values().iter().copied().reduce(better),
                _ => array.iter().flatten().reduce(better),
            };
            best.into_iter().for_each(|best| self.offer(0, best));
            return Ok(());
        }
        each_number::<T>(args, 0, groups, |group, value| self.offer(group, value))
    }

    fn take_partial(&mut self, count: usize) -> Result<Vec<ArrayRef>, KernelError> {
        Ok(vec![self.take_final(count)?])
    }

    fn partial_types(&self) -> Vec<DataType> {
        vec![number_type::<T>()]
    }

    fn merge(&mut self, columns: &[ArrayRef], groups: &[usize], total: usize) -> Result<(), KernelError> {
        self.grow(total);
        let values = downcast::<PrimitiveArray<T>>(partial(columns, 0)?)?;
        for (group, value) in groups.iter().zip(values) {
            value.into_iter().for_each(|value| self.offer(*group, value));
        }
        Ok(())
    }

    fn take_final(&mut self, count: usize) -> KernelResult {
        self.grow(count);
        let seen = BooleanArray::from(take_first(&mut self.seen, count));
        let nulls = arrow::buffer::NullBuffer::new(seen.values().clone());
        let nulls = Some(nulls).filter(|nulls| nulls.null_count() > 0);
        Ok(numbers::<T>(take_first(&mut self.best, count), nulls))
    }

    fn size(&self) -> usize {
        self.best.capacity() * size_of::<T::Native>() + self.seen.capacity()
    }
}

#[derive(Debug)]
struct BoolExtreme<D> {
    best: Vec<Option<bool>>,
    direction: PhantomData<D>,
}

impl<D> Default for BoolExtreme<D> {
    fn default() -> Self {
        BoolExtreme { best: Vec::new(), direction: PhantomData }
    }
}

impl<D: Direction> BoolExtreme<D> {
    fn offer(&mut self, group: usize, value: bool) {
        let best = &mut self.best[group];
        if best.is_none_or(|best| value.cmp(&best) == D::BETTER) {
            *best = Some(value);
        }
    }
}

impl<D: Direction> GroupState for BoolExtreme<D> {
    fn update(&mut self, args: &Args<'_>, groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow(&mut self.best, total, None);
        let array = downcast::<BooleanArray>(column(args, 0)?.0)?;
        each_row(args, 0, groups, |row, group| {
            self.offer(group, array.value(row));
            Ok(())
        })
    }

    fn take_partial(&mut self, count: usize) -> Result<Vec<ArrayRef>, KernelError> {
        Ok(vec![self.take_final(count)?])
    }

    fn partial_types(&self) -> Vec<DataType> {
        vec![DataType::Boolean]
    }

    fn merge(&mut self, columns: &[ArrayRef], groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow(&mut self.best, total, None);
        for (group, value) in groups.iter().zip(partial(columns, 0)?.as_boolean()) {
            value.into_iter().for_each(|value| self.offer(*group, value));
        }
        Ok(())
    }

    fn take_final(&mut self, count: usize) -> KernelResult {
        grow(&mut self.best, count, None);
        Ok(Arc::new(BooleanArray::from(take_first(&mut self.best, count))))
    }

    fn size(&self) -> usize {
        self.best.capacity()
    }
}

#[derive(Debug)]
struct TextExtreme<D> {
    best: Vec<Option<String>>,
    /// Bytes of the texts held.
    bytes: usize,
    /// What no values give.
    missing: Option<&'static str>,
    direction: PhantomData<D>,
}

impl<D: Direction> TextExtreme<D> {
    fn new(missing: Option<&'static str>) -> TextExtreme<D> {
        TextExtreme { best: Vec::new(), bytes: 0, missing, direction: PhantomData }
    }

    fn offer(&mut self, group: usize, text: &str) {
        match &mut self.best[group] {
            Some(best) if text.cmp(best.as_str()) != D::BETTER => {}
            Some(best) => {
                self.bytes = self.bytes + text.len() - best.len();
                best.clear();
                best.push_str(text);
            }
            empty => {
                self.bytes += text.len();
                *empty = Some(text.to_owned());
            }
        }
    }

    fn take(&mut self, count: usize, missing: Option<&str>) -> ArrayRef {
        grow(&mut self.best, count, None);
        let mut builder = StringViewBuilder::with_capacity(count);
        for best in take_first(&mut self.best, count) {
            self.bytes -= best.as_ref().map_or(0, String::len);
            builder.append_option(best.as_deref().or(missing));
        }
        Arc::new(builder.finish())
    }
}

impl<D: Direction> GroupState for TextExtreme<D> {
    fn update(&mut self, args: &Args<'_>, groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow(&mut self.best, total, None);
        each_text(args, 0, groups, |group, text| {
            self.offer(group, text);
            Ok(())
        })
    }

    fn take_partial(&mut self, count: usize) -> Result<Vec<ArrayRef>, KernelError> {
        Ok(vec![self.take(count, None)])
    }

    fn partial_types(&self) -> Vec<DataType> {
        vec![DataType::Utf8View]
    }

    fn merge(&mut self, columns: &[ArrayRef], groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow(&mut self.best, total, None);
        for (group, text) in groups.iter().zip(downcast::<StringViewArray>(partial(columns, 0)?)?) {
            text.into_iter().for_each(|text| self.offer(*group, text));
        }
        Ok(())
    }

    fn take_final(&mut self, count: usize) -> KernelResult {
        Ok(self.take(count, self.missing))
    }

    fn size(&self) -> usize {
        self.best.capacity() * size_of::<Option<String>>() + self.bytes
    }
}

//! `sum`, `avg` and their `if` forms.
//!
//! Integers are summed as long and wrap around; `avg` of integers divides that wrapped sum, as the recorded engine
//! does. Means of datetime and timespan are summed in 128 bits.

use std::fmt::Debug;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, Decimal256Type, Float64Type, Int32Type, Int64Type, i256,
};
use kql_types::ScalarType;

use super::aggregate_state::{
    bug, column, downcast, each_number, filtered, grow, number_type, numbers, optional_numbers, partial, take_first,
};
use super::{AggregateCall, Args, GroupState, KernelError, KernelResult};

/// `sum(expr)`.
pub fn sum(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    Ok(match call.types.first() {
        Some(ScalarType::Int) => Box::new(Sum::<Int32Type, Int64Type>::default()),
        Some(ScalarType::Long | ScalarType::DateTime | ScalarType::TimeSpan) => {
            Box::new(Sum::<Int64Type, Int64Type>::default())
        }
        Some(ScalarType::Real) => Box::new(Sum::<Float64Type, Float64Type>::default()),
        Some(ScalarType::Decimal) => Box::new(Sum::<Decimal256Type, Decimal256Type>::default()),
        other => return Err(bug(format!("sum of {other:?}"))),
    })
}

/// `sumif(expr, predicate)`.
pub fn sumif(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    filtered(call, 1, sum)
}

/// `avg(expr)`.
pub fn avg(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    Ok(match call.types.first() {
        Some(ScalarType::Int) => Box::new(Mean::<Int32Type, Int64Type, Float64Type>::default()),
        Some(ScalarType::Long) => Box::new(Mean::<Int64Type, Int64Type, Float64Type>::default()),
        Some(ScalarType::DateTime | ScalarType::TimeSpan) => {
            Box::new(Mean::<Int64Type, Decimal128Type, Int64Type>::default())
        }
        Some(ScalarType::Real) => Box::new(Mean::<Float64Type, Float64Type, Float64Type>::default()),
        Some(ScalarType::Decimal) => Box::new(Mean::<Decimal256Type, Decimal256Type, Decimal256Type>::default()),
        other => return Err(bug(format!("avg of {other:?}"))),
    })
}

/// `avgif(expr, predicate)`.
pub fn avgif(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    filtered(call, 1, avg)
}

/// Adds values of type `Self` up in `T`.
trait AddTo<T: ArrowPrimitiveType>: ArrowPrimitiveType + Sized {
    fn add(total: &mut T::Native, value: Self::Native);

    /// Adds a whole column at once.
    fn add_all(total: &mut T::Native, array: &PrimitiveArray<Self>)
    where
        Self: Sized,
    {
        array.iter().flatten().for_each(|value| Self::add(total, value));
    }
}

impl AddTo<Int64Type> for Int32Type {
    fn add(total: &mut i64, value: i32) {
        *total = total.wrapping_add(value.into());
    }
}

impl AddTo<Int64Type> for Int64Type {
    fn add(total: &mut i64, value: i64) {
        *total = total.wrapping_add(value);
    }

    fn add_all(total: &mut i64, array: &PrimitiveArray<Int64Type>) {
        *total = total.wrapping_add(arrow::compute::sum(array).unwrap_or(0));
    }
}

impl AddTo<Decimal128Type> for Int64Type {
    fn add(total: &mut i128, value: i64) {
        *total = total.wrapping_add(value.into());
    }
}

impl AddTo<Float64Type> for Float64Type {
    fn add(total: &mut f64, value: f64) {
        *total += value;
    }

    fn add_all(total: &mut f64, array: &PrimitiveArray<Float64Type>) {
        *total += arrow::compute::sum(array).unwrap_or(0.0);
    }
}

impl AddTo<Decimal256Type> for Decimal256Type {
    fn add(total: &mut i256, value: i256) {
        *total = total.wrapping_add(value);
    }
}

/// Adds the argument's values to the totals, and counts them where a counter is given.
fn add_rows<V: AddTo<T>, T: ArrowPrimitiveType>(
    totals: &mut [T::Native],
    mut counts: Option<&mut [i64]>,
    args: &Args<'_>,
    groups: &[usize],
) -> Result<(), KernelError> {
    let (values, constant) = column(args, 0)?;
    if let ([total], false) = (&mut *totals, constant) {
        let array = downcast::<PrimitiveArray<V>>(values)?;
        V::add_all(total, array);
        if let Some([count]) = counts {
            *count += (array.len() - array.null_count()) as i64;
        }
        return Ok(());
    }
    match &mut counts {
        None => each_number::<V>(args, 0, groups, |group, value| V::add(&mut totals[group], value)),
        Some(counts) => each_number::<V>(args, 0, groups, |group, value| {
            V::add(&mut totals[group], value);
            counts[group] += 1;
        }),
    }
}

/// Sums of `V` kept in `T`.
#[derive(Debug)]
struct Sum<V, T: ArrowPrimitiveType> {
    totals: Vec<T::Native>,
    values: std::marker::PhantomData<fn() -> V>,
}

impl<V, T: ArrowPrimitiveType> Default for Sum<V, T> {
    fn default() -> Self {
        Sum { totals: Vec::new(), values: std::marker::PhantomData }
    }
}

impl<V: AddTo<T> + Debug + Send + Sync, T: AddTo<T> + Debug> GroupState for Sum<V, T> {
    fn update(&mut self, args: &Args<'_>, groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow(&mut self.totals, total, T::Native::default());
        add_rows::<V, T>(&mut self.totals, None, args, groups)
    }

    fn take_partial(&mut self, count: usize) -> Result<Vec<ArrayRef>, KernelError> {
        Ok(vec![self.take_final(count)?])
    }

    fn partial_types(&self) -> Vec<DataType> {
        vec![number_type::<T>()]
    }

    fn merge(&mut self, columns: &[ArrayRef], groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow(&mut self.totals, total, T::Native::default());
        let sums = downcast::<PrimitiveArray<T>>(partial(columns, 0)?)?;
        groups.iter().zip(sums.values()).for_each(|(group, sum)| T::add(&mut self.totals[*group], *sum));
        Ok(())
    }

    fn take_final(&mut self, count: usize) -> KernelResult {
        grow(&mut self.totals, count, T::Native::default());
        Ok(numbers::<T>(take_first(&mut self.totals, count), None))
    }

    fn size(&self) -> usize {
        self.totals.capacity() * size_of::<T::Native>()
    }
}

/// Divides a total of type `Self` by the number of values; None for no values where the type has no NaN.
trait DivideInto<R: ArrowPrimitiveType>: ArrowPrimitiveType {
    fn divide(total: Self::Native, count: i64) -> Option<R::Native>;
}

impl DivideInto<Float64Type> for Int64Type {
    fn divide(total: i64, count: i64) -> Option<f64> {
        Some(total as f64 / count as f64)
    }
}

impl DivideInto<Float64Type> for Float64Type {
    fn divide(total: f64, count: i64) -> Option<f64> {
        Some(total / count as f64)
    }
}

impl DivideInto<Int64Type> for Decimal128Type {
    fn divide(total: i128, count: i64) -> Option<i64> {
        i64::try_from(total.checked_div(count.into())?).ok()
    }
}

impl DivideInto<Decimal256Type> for Decimal256Type {
    fn divide(total: i256, count: i64) -> Option<i256> {
        total.checked_div(i256::from(count))
    }
}

/// Means of `V`, summed in `T`, given as `R`.
#[derive(Debug)]
struct Mean<V, T: ArrowPrimitiveType, R> {
    totals: Vec<T::Native>,
    counts: Vec<i64>,
    types: std::marker::PhantomData<fn() -> (V, R)>,
}

impl<V, T: ArrowPrimitiveType, R> Default for Mean<V, T, R> {
    fn default() -> Self {
        Mean { totals: Vec::new(), counts: Vec::new(), types: std::marker::PhantomData }
    }
}

impl<V, T: ArrowPrimitiveType, R> Mean<V, T, R> {
    fn grow(&mut self, total: usize) {
        grow(&mut self.totals, total, T::Native::default());
        grow(&mut self.counts, total, 0);
    }
}

/// i128 totals travel with this type.
fn total_type<T: ArrowPrimitiveType>() -> DataType {
    if T::DATA_TYPE == Decimal128Type::DATA_TYPE { DataType::Decimal128(38, 0) } else { number_type::<T>() }
}

impl<V, T, R> GroupState for Mean<V, T, R>
where
    V: AddTo<T> + Debug + Send + Sync,
    T: TotalAdd + DivideInto<R> + Debug,
    R: ArrowPrimitiveType + Debug,
{
    fn update(&mut self, args: &Args<'_>, groups: &[usize], total: usize) -> Result<(), KernelError> {
        self.grow(total);
        add_rows::<V, T>(&mut self.totals, Some(&mut self.counts), args, groups)
    }

    fn take_partial(&mut self, count: usize) -> Result<Vec<ArrayRef>, KernelError> {
        self.grow(count);
        let totals = PrimitiveArray::<T>::new(take_first(&mut self.totals, count).into(), None);
        let totals: ArrayRef = std::sync::Arc::new(totals.with_data_type(total_type::<T>()));
        Ok(vec![totals, numbers::<Int64Type>(take_first(&mut self.counts, count), None)])
    }

    fn partial_types(&self) -> Vec<DataType> {
        vec![total_type::<T>(), DataType::Int64]
    }

    fn merge(&mut self, columns: &[ArrayRef], groups: &[usize], total: usize) -> Result<(), KernelError> {
        self.grow(total);
        let totals = downcast::<PrimitiveArray<T>>(partial(columns, 0)?)?.values();
        let counts = partial(columns, 1)?.as_primitive::<Int64Type>().values();
        for ((group, total), count) in groups.iter().zip(totals).zip(counts) {
            T::add_total(&mut self.totals[*group], *total);
            self.counts[*group] += count;
        }
        Ok(())
    }

    fn take_final(&mut self, count: usize) -> KernelResult {
        self.grow(count);
        let totals = take_first(&mut self.totals, count);
        let counts = take_first(&mut self.counts, count);
        Ok(optional_numbers::<R>(totals.into_iter().zip(counts).map(|(total, n)| T::divide(total, n)).collect()))
    }

    fn size(&self) -> usize {
        self.totals.capacity() * size_of::<T::Native>() + self.counts.capacity() * size_of::<i64>()
    }
}

/// Adds two totals.
trait TotalAdd: ArrowPrimitiveType {
    fn add_total(total: &mut Self::Native, other: Self::Native);
}

impl TotalAdd for Int64Type {
    fn add_total(total: &mut i64, other: i64) {
        *total = total.wrapping_add(other);
    }
}

impl TotalAdd for Decimal128Type {
    fn add_total(total: &mut i128, other: i128) {
        *total = total.wrapping_add(other);
    }
}

impl TotalAdd for Float64Type {
    fn add_total(total: &mut f64, other: f64) {
        *total += other;
    }
}

impl TotalAdd for Decimal256Type {
    fn add_total(total: &mut i256, other: i256) {
        *total = total.wrapping_add(other);
    }
}

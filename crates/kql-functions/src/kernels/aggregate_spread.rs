//! `stdev`, `variance`, `covariance`, in their forms for samples and populations and with a predicate.
//!
//! Means and moments are updated value by value and merged pairwise (Welford, Chan), which loses no digits where the
//! mean is large against the spread. Fewer values than the divisor needs give 0.

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{DataType, Decimal256Type, Float64Type, Int32Type, Int64Type, i256};
use kql_types::ScalarType;

use super::aggregate_state::{bug, column, downcast, filtered, grow, numbers, partial, take_first};
use super::{AggregateCall, Args, GroupState, KernelError, KernelResult};

type State = Result<Box<dyn GroupState>, KernelError>;

/// `stdev(expr)`.
pub fn stdev(_call: &AggregateCall<'_>) -> State {
    spread(Form { sample: true, root: true, second: 0 })
}

/// `stdevif(expr, predicate)`.
pub fn stdevif(call: &AggregateCall<'_>) -> State {
    filtered(call, 1, stdev)
}

/// `stdevp(expr)`.
pub fn stdevp(_call: &AggregateCall<'_>) -> State {
    spread(Form { sample: false, root: true, second: 0 })
}

/// `variance(expr)`.
pub fn variance(_call: &AggregateCall<'_>) -> State {
    spread(Form { sample: true, root: false, second: 0 })
}

/// `varianceif(expr, predicate)`.
pub fn varianceif(call: &AggregateCall<'_>) -> State {
    filtered(call, 1, variance)
}

/// `variancep(expr)`.
pub fn variancep(_call: &AggregateCall<'_>) -> State {
    spread(Form { sample: false, root: false, second: 0 })
}

/// `variancepif(expr, predicate)`.
pub fn variancepif(call: &AggregateCall<'_>) -> State {
    filtered(call, 1, variancep)
}

/// `covariance(x, y)`.
pub fn covariance(_call: &AggregateCall<'_>) -> State {
    spread(Form { sample: true, root: false, second: 1 })
}

/// `covarianceif(x, y, predicate)`.
pub fn covarianceif(call: &AggregateCall<'_>) -> State {
    filtered(call, 2, covariance)
}

/// `covariancep(x, y)`.
pub fn covariancep(_call: &AggregateCall<'_>) -> State {
    spread(Form { sample: false, root: false, second: 1 })
}

/// `covariancepif(x, y, predicate)`.
pub fn covariancepif(call: &AggregateCall<'_>) -> State {
    filtered(call, 2, covariancep)
}

fn spread(form: Form) -> State {
    Ok(Box::new(Spread { form, moments: Vec::new() }))
}

#[derive(Debug, Clone, Copy)]
struct Form {
    /// Divide by n - 1 instead of n.
    sample: bool,
    root: bool,
    /// Index of the second argument; the first itself gives the variance.
    second: usize,
}

/// Number of pairs, their means, and the sum of the products of their distances from the means.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Moments {
    count: i64,
    mean_x: f64,
    mean_y: f64,
    products: f64,
}

impl Moments {
    #[inline]
    fn add(&mut self, x: f64, y: f64) {
        self.count += 1;
        let n = self.count as f64;
        let distance = x - self.mean_x;
        self.mean_x += distance / n;
        self.mean_y += (y - self.mean_y) / n;
        self.products += distance * (y - self.mean_y);
    }

    fn merge(&mut self, other: &Moments) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let (a, b) = (self.count as f64, other.count as f64);
        let n = a + b;
        let (dx, dy) = (other.mean_x - self.mean_x, other.mean_y - self.mean_y);
        self.products += other.products + dx * dy * a * b / n;
        self.mean_x += dx * b / n;
        self.mean_y += dy * b / n;
        self.count += other.count;
    }

    fn result(&self, form: Form) -> f64 {
        let divisor = self.count - i64::from(form.sample);
        if divisor <= 0 {
            return 0.0;
        }
        let variance = self.products / divisor as f64;
        if form.root { variance.sqrt() } else { variance }
    }
}

#[derive(Debug)]
struct Spread {
    form: Form,
    moments: Vec<Moments>,
}

/// A summable argument as reals.
fn reals(args: &Args<'_>, index: usize) -> Result<PrimitiveArray<Float64Type>, KernelError> {
    let (values, _) = column(args, index)?;
    Ok(match args.ty(index) {
        ScalarType::Int => downcast::<PrimitiveArray<Int32Type>>(values)?.unary(f64::from),
        ScalarType::Long | ScalarType::DateTime | ScalarType::TimeSpan => {
            downcast::<PrimitiveArray<Int64Type>>(values)?.unary(|value| value as f64)
        }
        ScalarType::Real => downcast::<PrimitiveArray<Float64Type>>(values)?.clone(),
        ScalarType::Decimal => downcast::<PrimitiveArray<Decimal256Type>>(values)?.unary(decimal_to_real),
        other => return Err(bug(format!("spread of {other}"))),
    })
}

/// A decimal held in units of 1e-38 as a real.
pub(super) fn decimal_to_real(value: i256) -> f64 {
    let (low, high) = value.to_parts();
    (high as f64 * 2f64.powi(128) + low as f64) / 1e38
}

impl GroupState for Spread {
    fn update(&mut self, args: &Args<'_>, groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow(&mut self.moments, total, Moments::default());
        let x = reals(args, 0)?;
        let y = if self.form.second == 0 { x.clone() } else { reals(args, self.form.second)? };
        let row_of = |index: usize, row: usize| if args.constant.get(index) == Some(&true) { 0 } else { row };
        for (row, group) in groups.iter().enumerate() {
            let (row_x, row_y) = (row_of(0, row), row_of(self.form.second, row));
            if x.is_valid(row_x) && y.is_valid(row_y) {
                self.moments[*group].add(x.value(row_x), y.value(row_y));
            }
        }
        Ok(())
    }

    fn take_partial(&mut self, count: usize) -> Result<Vec<ArrayRef>, KernelError> {
        grow(&mut self.moments, count, Moments::default());
        let moments = take_first(&mut self.moments, count);
        let real = |of: fn(&Moments) -> f64| numbers::<Float64Type>(moments.iter().map(of).collect(), None);
        Ok(vec![
            numbers::<Int64Type>(moments.iter().map(|moments| moments.count).collect(), None),
            real(|moments| moments.mean_x),
            real(|moments| moments.mean_y),
            real(|moments| moments.products),
        ])
    }

    fn partial_types(&self) -> Vec<DataType> {
        vec![DataType::Int64, DataType::Float64, DataType::Float64, DataType::Float64]
    }

    fn merge(&mut self, columns: &[ArrayRef], groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow(&mut self.moments, total, Moments::default());
        let counts = partial(columns, 0)?.as_primitive::<Int64Type>();
        let real = |index| partial(columns, index).map(|column| column.as_primitive::<Float64Type>());
        let (mean_x, mean_y, products) = (real(1)?, real(2)?, real(3)?);
        for (row, group) in groups.iter().enumerate() {
            self.moments[*group].merge(&Moments {
                count: counts.value(row),
                mean_x: mean_x.value(row),
                mean_y: mean_y.value(row),
                products: products.value(row),
            });
        }
        Ok(())
    }

    fn take_final(&mut self, count: usize) -> KernelResult {
        grow(&mut self.moments, count, Moments::default());
        let moments = take_first(&mut self.moments, count);
        Ok(numbers::<Float64Type>(moments.iter().map(|moments| moments.result(self.form)).collect(), None))
    }

    fn size(&self) -> usize {
        self.moments.capacity() * size_of::<Moments>()
    }
}

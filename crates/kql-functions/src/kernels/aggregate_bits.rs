//! `binary_all_and`, `binary_all_or`, `binary_all_xor`.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use kql_types::ScalarType;

use super::aggregate_state::{each_number, grow, optional_numbers, partial, take_first};
use super::{AggregateCall, Args, GroupState, KernelError, KernelResult};

/// `binary_all_and(expr)`.
pub fn all_and(_call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    Ok(Box::new(Bits { combine: |a, b| a & b, values: Vec::new() }))
}

/// `binary_all_or(expr)`.
pub fn all_or(_call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    Ok(Box::new(Bits { combine: |a, b| a | b, values: Vec::new() }))
}

/// `binary_all_xor(expr)`.
pub fn all_xor(_call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    Ok(Box::new(Bits { combine: |a, b| a ^ b, values: Vec::new() }))
}

#[derive(Debug)]
struct Bits {
    combine: fn(i64, i64) -> i64,
    values: Vec<Option<i64>>,
}

impl Bits {
    fn add(&mut self, group: usize, value: i64) {
        let slot = &mut self.values[group];
        *slot = Some(slot.map_or(value, |before| (self.combine)(before, value)));
    }
}

impl GroupState for Bits {
    fn update(&mut self, args: &Args<'_>, groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow(&mut self.values, total, None);
        match args.ty(0) {
            ScalarType::Int => each_number::<Int32Type>(args, 0, groups, |group, value| self.add(group, value.into())),
            _ => each_number::<Int64Type>(args, 0, groups, |group, value| self.add(group, value)),
        }
    }

    fn take_partial(&mut self, count: usize) -> Result<Vec<ArrayRef>, KernelError> {
        Ok(vec![self.take_final(count)?])
    }

    fn partial_types(&self) -> Vec<DataType> {
        vec![DataType::Int64]
    }

    fn merge(&mut self, columns: &[ArrayRef], groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow(&mut self.values, total, None);
        for (group, value) in groups.iter().zip(partial(columns, 0)?.as_primitive::<Int64Type>()) {
            value.into_iter().for_each(|value| self.add(*group, value));
        }
        Ok(())
    }

    fn take_final(&mut self, count: usize) -> KernelResult {
        grow(&mut self.values, count, None);
        Ok(optional_numbers::<Int64Type>(take_first(&mut self.values, count)))
    }

    fn size(&self) -> usize {
        self.values.capacity() * size_of::<Option<i64>>()
    }
}

//! `count`, `countif`.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::{DataType, Int64Type};

use super::aggregate_state::{column, downcast, grow, numbers, partial, take_first};
use super::{AggregateCall, Args, GroupState, KernelError, KernelResult};

/// `count()`, `count(expr)`: all rows, whatever they hold.
pub fn count(_call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    Ok(Box::new(Count { counts: Vec::new(), predicate: None }))
}

/// `countif(predicate)`.
pub fn countif(_call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    Ok(Box::new(Count { counts: Vec::new(), predicate: Some(0) }))
}

#[derive(Debug)]
struct Count {
    counts: Vec<i64>,
    predicate: Option<usize>,
}

impl GroupState for Count {
    fn update(&mut self, args: &Args<'_>, groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow(&mut self.counts, total, 0);
        let Some(predicate) = self.predicate else {
            return self.add(groups, total);
        };
        let (condition, constant) = column(args, predicate)?;
        let condition = downcast::<BooleanArray>(condition)?;
        if constant {
            let holds = args.rows > 0 && condition.is_valid(0) && condition.value(0);
            return if holds { self.add(groups, total) } else { Ok(()) };
        }
        let holds = match condition.nulls().filter(|nulls| nulls.null_count() > 0) {
            Some(nulls) => condition.values() & nulls.inner(),
            None => condition.values().clone(),
        };
        if total == 1 {
            self.counts[0] += holds.count_set_bits() as i64;
        } else {
            holds.set_indices().for_each(|row| self.counts[groups[row]] += 1);
        }
        Ok(())
    }

    fn take_partial(&mut self, count: usize) -> Result<Vec<ArrayRef>, KernelError> {
        Ok(vec![self.take_final(count)?])
    }

    fn partial_types(&self) -> Vec<DataType> {
        vec![DataType::Int64]
    }

    fn merge(&mut self, columns: &[ArrayRef], groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow(&mut self.counts, total, 0);
        let counts = partial(columns, 0)?.as_primitive::<Int64Type>();
        groups.iter().zip(counts.values()).for_each(|(group, count)| self.counts[*group] += count);
        Ok(())
    }

    fn take_final(&mut self, count: usize) -> KernelResult {
        grow(&mut self.counts, count, 0);
        Ok(numbers::<Int64Type>(take_first(&mut self.counts, count), None))
    }

    fn size(&self) -> usize {
        self.counts.capacity() * size_of::<i64>()
    }
}

impl Count {
    fn add(&mut self, groups: &[usize], total: usize) -> Result<(), KernelError> {
        if total == 1 {
            self.counts[0] += groups.len() as i64;
        } else {
            groups.iter().for_each(|group| self.counts[*group] += 1);
        }
        Ok(())
    }
}

//! Window functions over rows in order.
//!
//! `next` knows the value of a row only rows later, so rows wait until every call has theirs.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, new_empty_array};
use datafusion::arrow::compute::concat;
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::ColumnarValue;
use kql_functions::kernels::tabular::window::{WindowState, part_starts, window_state};
use kql_functions::kernels::{AggregateCall, Args};
use kql_plan::error::kernel_failure;
use kql_plan::function::internal::non_null_strings;
use kql_plan::node::{WindowCall, Windows};
use kql_plan::value::arrow_type;
use kql_types::ScalarType;

use super::{Stage, StageInput};

/// The state of a window function with its constant arguments.
type RunningCall = (Box<dyn WindowState>, Vec<Option<ArrayRef>>);

pub(super) struct WindowStage {
    windows: Windows,
    calls: Vec<RunningCall>,
    /// The partition keys of the last row.
    last: Vec<ArrayRef>,
    /// Rows without all their values yet, and the values that they have.
    pass: Vec<ArrayRef>,
    values: Vec<ArrayRef>,
    waiting: usize,
    ready: Option<(Vec<ArrayRef>, usize)>,
}

impl WindowStage {
    pub(super) fn new(windows: &Windows) -> Result<WindowStage> {
        let mut calls = Vec::with_capacity(windows.calls.len());
        let mut values = Vec::with_capacity(windows.calls.len());
        for call in &windows.calls {
            let constants = call
                .constants
                .iter()
                .map(|value| value.as_ref().map(|value| value.to_array()).transpose())
                .collect::<Result<Vec<_>>>()?;
            let described = AggregateCall { types: &call.types, returns: call.returns, constants: &constants };
            let Some(state) = window_state(&call.name, &described).map_err(kernel_failure)? else {
                return internal_err!("no window function {}", call.name);
            };
            calls.push((state, constants));
            values.push(new_empty_array(&arrow_type(call.returns)));
        }
        Ok(WindowStage {
            windows: windows.clone(),
            calls,
            last: Vec::new(),
            pass: Vec::new(),
            values,
            waiting: 0,
            ready: None,
        })
    }

    /// Gives the rows that have all their values.
    fn release(&mut self) -> Result<()> {
        let count = self.values.iter().map(|values| values.len()).min().unwrap_or(self.waiting);
        let rest = self.waiting - count;
        let mut columns: Vec<ArrayRef> = self.pass.iter().map(|column| column.slice(0, count)).collect();
        columns.extend(self.values.iter().map(|values| values.slice(0, count)));
        self.pass = self.pass.iter().map(|column| column.slice(count, rest)).collect();
        self.values = self.values.iter().map(|values| values.slice(count, values.len() - count)).collect();
        self.waiting = rest;
        if count > 0 {
            self.ready = Some((columns, count));
        }
        Ok(())
    }

    fn keep(&mut self, index: usize, call: ScalarType, given: ArrayRef) -> Result<()> {
        let given = if call == ScalarType::String { non_null_strings(given) } else { given };
        if let Some(values) = self.values.get_mut(index) {
            *values = joined(values, &given)?;
        }
        Ok(())
    }
}

fn joined(left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef> {
    if left.is_empty() {
        return Ok(Arc::clone(right));
    }
    if right.is_empty() {
        return Ok(Arc::clone(left));
    }
    Ok(concat(&[left.as_ref(), right.as_ref()])?)
}

/// The arguments of a call: constants as one row, the others from the input.
fn arguments(
    call: &WindowCall,
    constants: &[Option<ArrayRef>],
    given: &mut impl Iterator<Item = ColumnarValue>,
    rows: usize,
) -> Result<(Vec<ArrayRef>, Vec<bool>)> {
    let mut columns = Vec::with_capacity(call.types.len());
    let mut constant = Vec::with_capacity(call.types.len());
    for fixed in constants {
        match fixed {
            Some(value) => columns.push(Arc::clone(value)),
            None => match given.next() {
                Some(value) => columns.push(value.into_array(rows)?),
                None => return internal_err!("{} lacks an argument", call.name),
            },
        }
        constant.push(fixed.is_some());
    }
    Ok((columns, constant))
}

impl Stage for WindowStage {
    fn push(&mut self, input: StageInput) -> Result<()> {
        let rows = input.rows;
        let mut own = input.own.into_iter();
        let keys =
            own.by_ref().take(self.windows.keys).map(|key| key.into_array(rows)).collect::<Result<Vec<ArrayRef>>>()?;
        let starts = match keys.is_empty() {
            true => None,
            false => Some(part_starts(&keys, &mut self.last, rows).map_err(kernel_failure)?),
        };
        for index in 0..self.calls.len() {
            let Some(call) = self.windows.calls.get(index).cloned() else { continue };
            let Some((state, constants)) = self.calls.get_mut(index) else { continue };
            let (columns, constant) = arguments(&call, constants, &mut own, rows)?;
            let args = Args { columns: &columns, constant: &constant, types: &call.types, returns: call.returns, rows };
            let given = state.push(&args, starts.as_ref()).map_err(kernel_failure)?;
            self.keep(index, call.returns, given)?;
        }
        self.pass = if self.pass.is_empty() {
            input.pass
        } else {
            self.pass.iter().zip(&input.pass).map(|(left, right)| joined(left, right)).collect::<Result<Vec<_>>>()?
        };
        self.waiting += rows;
        self.release()
    }

    fn finish(&mut self) -> Result<()> {
        for index in 0..self.calls.len() {
            let Some((state, _)) = self.calls.get_mut(index) else { continue };
            let given = state.finish().map_err(kernel_failure)?;
            let returns = self.windows.calls.get(index).map_or(ScalarType::Unknown, |call| call.returns);
            self.keep(index, returns, given)?;
        }
        self.release()
    }

    fn pull(&mut self) -> Result<Option<(Vec<ArrayRef>, usize)>> {
        Ok(self.ready.take())
    }

    fn size(&self) -> usize {
        let states: usize = self.calls.iter().map(|(state, _)| state.size()).sum();
        states + self.pass.iter().map(|column| column.get_array_memory_size()).sum::<usize>()
    }
}

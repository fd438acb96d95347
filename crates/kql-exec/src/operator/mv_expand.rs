//! `mv-expand`: a row for every element.
//!
//! With ghosts, an input row that gives no element gives one row whose last column, `live`, is false: `mv-apply` over
//! nothing still has a sub-pipeline.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Int64Array, UInt32Array, new_null_array};
use datafusion::arrow::compute::take;
use datafusion::common::Result;
use kql_functions::kernels::tabular::mv_expand::{Expander, Spec};
use kql_plan::error::kernel_failure;
use kql_plan::node::Expand;
use kql_plan::value::{arrow_type, null_scalar};
use kql_types::ScalarType;

use super::{BATCH_ROWS, Stage, StageInput};

pub(super) struct MvExpand {
    expand: Expand,
    spec: Spec,
    open: Option<Open>,
}

/// The batch being expanded.
struct Open {
    pass: Vec<ArrayRef>,
    expander: Expander,
    /// Rows that have given an element, when ghosts are asked for.
    given: Option<Vec<bool>>,
}

impl MvExpand {
    pub(super) fn new(expand: &Expand) -> MvExpand {
        let spec = Spec { types: expand.types.clone(), limit: expand.limit, bag_as_array: expand.bag_as_array };
        MvExpand { expand: expand.clone(), spec, open: None }
    }

    fn ghosts(&self, open: &Open) -> Result<Option<(Vec<ArrayRef>, usize)>> {
        let Some(given) = &open.given else { return Ok(None) };
        let rows: Vec<u32> =
            given.iter().enumerate().filter(|(_, given)| !**given).map(|(row, _)| row as u32).collect();
        if rows.is_empty() {
            return Ok(None);
        }
        let count = rows.len();
        let indices = UInt32Array::from(rows);
        let mut columns =
            open.pass.iter().map(|column| Ok(take(column, &indices, None)?)).collect::<Result<Vec<_>>>()?;
        for ty in &self.spec.types {
            columns.push(match ty {
                ScalarType::String => null_scalar(*ty).to_array_of_size(count)?,
                _ => new_null_array(&arrow_type(*ty), count),
            });
        }
        if self.expand.index {
            columns.push(Arc::new(Int64Array::from(vec![0; count])));
        }
        columns.push(Arc::new(BooleanArray::from(vec![false; count])));
        Ok(Some((columns, count)))
    }
}

impl Stage for MvExpand {
    fn push(&mut self, input: StageInput) -> Result<()> {
        let columns = (0..input.own.len()).map(|index| input.own_array(index)).collect::<Result<Vec<_>>>()?;
        let expander = Expander::new(&self.spec, &columns, input.rows).map_err(kernel_failure)?;
        let given = self.expand.ghosts.then(|| vec![false; input.rows]);
        self.open = Some(Open { pass: input.pass, expander, given });
        Ok(())
    }

    fn pull(&mut self) -> Result<Option<(Vec<ArrayRef>, usize)>> {
        let Some(open) = &mut self.open else { return Ok(None) };
        let Some(expanded) = open.expander.next_batch(BATCH_ROWS).map_err(kernel_failure)? else {
            let Some(open) = self.open.take() else { return Ok(None) };
            return self.ghosts(&open);
        };
        if let Some(given) = &mut open.given {
            for row in expanded.rows.values() {
                if let Some(given) = given.get_mut(*row as usize) {
                    *given = true;
                }
            }
        }
        let count = expanded.rows.len();
        let mut columns =
            open.pass.iter().map(|column| Ok(take(column, &expanded.rows, None)?)).collect::<Result<Vec<_>>>()?;
        columns.extend(expanded.columns);
        if self.expand.index {
            columns.push(Arc::new(expanded.index));
        }
        if self.expand.ghosts {
            columns.push(Arc::new(BooleanArray::from(vec![true; count])));
        }
        Ok(Some((columns, count)))
    }
}

//! `range`: values one after another, made as they are read.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::expressions::Column;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use kql_plan::node::{Bound, Op};
use kql_types::ScalarType;

use crate::operator::BATCH_ROWS;

/// The rows of an [`Op::Range`].
#[derive(Debug)]
pub struct RangeExec {
    op: Arc<Op>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl RangeExec {
    /// The rows of a range.
    ///
    /// # Errors
    /// When `op` is not a range.
    pub fn try_new(op: Arc<Op>, schema: SchemaRef) -> Result<RangeExec> {
        let Op::Range { step, .. } = op.as_ref() else { return internal_err!("{} is not a range", op.name()) };
        let descending = match step {
            Bound::Long(step) => *step < 0,
            Bound::Real(step) => *step < 0.0,
        };
        let mut equivalence = EquivalenceProperties::new(Arc::clone(&schema));
        if let Some(field) = schema.fields().first() {
            let options = SortOptions { descending, nulls_first: !descending };
            equivalence.add_ordering([PhysicalSortExpr::new(Arc::new(Column::new(field.name(), 0)), options)]);
        }
        let properties = PlanProperties::new(
            equivalence,
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(RangeExec { op, schema, properties: Arc::new(properties) })
    }
}

impl RangeExec {
    /// The range.
    pub fn op(&self) -> &Arc<Op> {
        &self.op
    }
}

impl DisplayAs for RangeExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        match self.op.as_ref() {
            Op::Range { from, to, step, .. } => write!(f, "RangeExec: {from:?}..{to:?} by {step:?}"),
            other => write!(f, "{}", other.name()),
        }
    }
}

impl ExecutionPlan for RangeExec {
    fn name(&self) -> &str {
        "RangeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, _children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, _partition: usize, _context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Op::Range { ty, from, to, step } = *self.op else { return internal_err!("not a range") };
        let schema = Arc::clone(&self.schema);
        let mut values = Values::new(from, to, step);
        let batches = std::iter::from_fn(move || {
            let array = values.next_array(ty)?;
            Some(RecordBatch::try_new(Arc::clone(&schema), vec![array]).map_err(Into::into))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), futures::stream::iter(batches))))
    }
}

/// The values that are still to come.
enum Values {
    Longs { next: Option<i64>, to: i64, step: i64 },
    Reals { from: f64, to: f64, step: f64, index: u64 },
}

impl Values {
    fn new(from: Bound, to: Bound, step: Bound) -> Values {
        match (from, to, step) {
            (Bound::Long(from), Bound::Long(to), Bound::Long(step)) => {
                let any = if step > 0 { from <= to } else { step < 0 && from >= to };
                Values::Longs { next: any.then_some(from), to, step }
            }
            _ => {
                let real = |bound| match bound {
                    Bound::Long(value) => value as f64,
                    Bound::Real(value) => value,
                };
                Values::Reals { from: real(from), to: real(to), step: real(step), index: 0 }
            }
        }
    }

    fn next_array(&mut self, ty: ScalarType) -> Option<ArrayRef> {
        match self {
            Values::Longs { next, to, step } => {
                let mut values = Vec::new();
                while let (Some(value), true) = (*next, values.len() < BATCH_ROWS) {
                    values.push(value);
                    let following = value.checked_add(*step);
                    *next = following.filter(|following| if *step > 0 { following <= to } else { following >= to });
                }
                if values.is_empty() {
                    return None;
                }
                Some(match ty {
                    ScalarType::Int => {
                        Arc::new(values.iter().map(|value| i32::try_from(*value).ok()).collect::<Int32Array>())
                    }
                    ScalarType::Real => {
                        Arc::new(values.iter().map(|value| Some(*value as f64)).collect::<Float64Array>())
                    }
                    _ => Arc::new(Int64Array::from(values)),
                })
            }
            Values::Reals { from, to, step, index } => {
                let mut values = Vec::new();
                while values.len() < BATCH_ROWS {
                    let value = *from + *step * *index as f64;
                    let inside = if *step > 0.0 { value <= *to } else { *step < 0.0 && value >= *to };
                    if !inside {
                        break;
                    }
                    values.push(value);
                    *index += 1;
                }
                if values.is_empty() { None } else { Some(Arc::new(Float64Array::from(values))) }
            }
        }
    }
}

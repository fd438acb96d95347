//! [`KqlAggregate`]: an aggregate of the registry as a DataFusion aggregate.
//!
//! Constant arguments are part of its identity and its name, and never become columns; the others are its DataFusion arguments. A
//! call with constants only (`count()`) is given one placeholder argument, since an update must know its rows.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion_common::arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use datafusion_common::arrow::compute::filter;
use datafusion_common::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Result, ScalarValue, internal_err};
use datafusion_expr::expr::AggregateFunctionParams;
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, Expr, GroupsAccumulator, Signature, Volatility, lit,
};
use kql_functions::Aggregate;
use kql_functions::kernels::{AggregateCall, Args, GroupState};
use kql_types::ScalarType;

use crate::error::kernel_failure;
use crate::function::by_name::constant_text;
use crate::function::internal::non_null_strings;
use crate::value::arrow_type;

/// An aggregate of the registry, called with arguments of fixed Kusto types and fixed constants.
#[derive(Debug, Clone)]
pub struct KqlAggregate {
    aggregate: &'static Aggregate,
    types: Vec<ScalarType>,
    constants: Vec<Option<ScalarValue>>,
    returns: ScalarType,
    name: String,
    signature: Signature,
}

impl KqlAggregate {
    /// `constants` has an entry for each argument: its value when it is constant.
    pub fn new(
        aggregate: &'static Aggregate,
        types: Vec<ScalarType>,
        constants: Vec<Option<ScalarValue>>,
        returns: ScalarType,
    ) -> KqlAggregate {
        let argument = |(index, ty): (usize, &ScalarType)| match constants.get(index) {
            Some(Some(value)) => format!("{}={}", ty.name(), constant_text(value)),
            _ => ty.name().to_owned(),
        };
        let list: Vec<String> = types.iter().enumerate().map(argument).collect();
        let name = format!("{}({}):{}", aggregate.name, list.join(","), returns.name());
        let signature = Signature::user_defined(Volatility::Immutable);
        KqlAggregate { aggregate, types, constants, returns, name, signature }
    }

    /// A call over the arguments that are not constant, in order; only rows where `filter` holds count.
    pub fn call(self, mut args: Vec<Expr>, filter: Option<Expr>) -> Expr {
        if args.is_empty() {
            args.push(lit(true));
        }
        let function = Arc::new(AggregateUDF::new_from_impl(self));
        Expr::AggregateFunction(datafusion_expr::expr::AggregateFunction {
            func: function,
            params: AggregateFunctionParams {
                args,
                distinct: false,
                filter: filter.map(Box::new),
                order_by: Vec::new(),
                null_treatment: None,
            },
        })
    }

    /// The value of a group without rows.
    pub fn empty_value(&self) -> Result<ScalarValue> {
        let mut state = Groups::new(self)?;
        let result = state.finish(1)?;
        ScalarValue::try_from_array(&result, 0)
    }

    fn state(&self, constants: &[Option<ArrayRef>]) -> Result<Box<dyn GroupState>> {
        let Some(kernel) = self.aggregate.kernel else {
            return internal_err!("{} has no kernel", self.aggregate.name);
        };
        let call = AggregateCall { types: &self.types, returns: self.returns, constants };
        kernel(&call).map_err(kernel_failure)
    }

    fn constant_arrays(&self) -> Result<Vec<Option<ArrayRef>>> {
        self.constants.iter().map(|value| value.as_ref().map(ScalarValue::to_array).transpose()).collect()
    }
}

impl PartialEq for KqlAggregate {
    fn eq(&self, other: &KqlAggregate) -> bool {
        self.name == other.name && self.returns == other.returns && self.constants == other.constants
    }
}

impl Eq for KqlAggregate {}

impl Hash for KqlAggregate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.constants.hash(state);
    }
}

impl AggregateUDFImpl for KqlAggregate {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(arrow_type(self.returns))
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arg_types.to_vec())
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Groups::new(self)?))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let state = self.state(&self.constant_arrays()?)?;
        let types = state.partial_types().into_iter().enumerate();
        Ok(types
            .map(|(index, ty)| Arc::new(Field::new(format_state_name(args.name, &format!("state{index}")), ty, true)))
            .collect())
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups::new(self)?))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// The state of one aggregate on its way through DataFusion.
#[derive(Debug)]
struct Groups {
    call: KqlAggregate,
    constants: Vec<Option<ArrayRef>>,
    state: Box<dyn GroupState>,
    /// Groups that exist.
    total: usize,
}

impl Groups {
    fn new(call: &KqlAggregate) -> Result<Groups> {
        let constants = call.constant_arrays()?;
        let state = call.state(&constants)?;
        Ok(Groups { call: call.clone(), constants, state, total: 0 })
    }

    fn add(&mut self, values: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.total = self.total.max(total);
        let mut columns = Vec::with_capacity(self.constants.len());
        let mut constant = Vec::with_capacity(self.constants.len());
        let mut given = values.iter();
        for fixed in &self.constants {
            match fixed {
                Some(value) => columns.push(Arc::clone(value)),
                None => match given.next() {
                    Some(column) => columns.push(Arc::clone(column)),
                    None => return internal_err!("{} lacks an argument", self.call.name),
                },
            }
            constant.push(fixed.is_some());
        }
        let args = Args {
            columns: &columns,
            constant: &constant,
            types: &self.call.types,
            returns: self.call.returns,
            rows: groups.len(),
        };
        self.state.update(&args, groups, total).map_err(kernel_failure)
    }

    fn finish(&mut self, count: usize) -> Result<ArrayRef> {
        if self.total < count {
            self.state.merge_nothing(count)?;
        }
        let result = self.state.take_final(count).map_err(kernel_failure)?;
        self.total = self.total.saturating_sub(count);
        // A pick over one value gives a row of one field.
        let result = match result.as_struct_opt().map(|row| row.columns()) {
            Some([only]) => Arc::clone(only),
            _ => result,
        };
        if *result.data_type() != arrow_type(self.call.returns) || result.len() != count {
            return internal_err!(
                "{} gave {} rows of {} for {count} of {}",
                self.call.name,
                result.len(),
                result.data_type(),
                self.call.returns
            );
        }
        Ok(if self.call.returns == ScalarType::String { non_null_strings(result) } else { result })
    }

    fn partial(&mut self, count: usize) -> Result<Vec<ArrayRef>> {
        if self.total < count {
            self.state.merge_nothing(count)?;
        }
        let columns = self.state.take_partial(count).map_err(kernel_failure)?;
        self.total = self.total.saturating_sub(count);
        Ok(columns)
    }

    fn count(&self, emit_to: EmitTo) -> usize {
        match emit_to {
            EmitTo::All => self.total,
            EmitTo::First(count) => count,
        }
    }
}

/// Makes groups known that no row belongs to.
trait MergeNothing {
    fn merge_nothing(&mut self, total: usize) -> Result<()>;
}

impl MergeNothing for Box<dyn GroupState> {
    fn merge_nothing(&mut self, total: usize) -> Result<()> {
        let empty: Vec<ArrayRef> =
            self.partial_types().iter().map(datafusion_common::arrow::array::new_empty_array).collect();
        self.merge(&empty, &[], total).map_err(kernel_failure)
    }
}

/// The rows of an update that its filter keeps.
fn filtered(
    values: &[ArrayRef],
    groups: &[usize],
    keep: Option<&BooleanArray>,
) -> Result<Option<(Vec<ArrayRef>, Vec<usize>)>> {
    let Some(keep) = keep else { return Ok(None) };
    let values = values.iter().map(|array| Ok(filter(array, keep)?)).collect::<Result<Vec<_>>>()?;
    let kept = groups.iter().zip(keep.iter()).filter(|(_, keep)| *keep == Some(true));
    Ok(Some((values, kept.map(|(group, _)| *group).collect())))
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        keep: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        match filtered(values, groups, keep)? {
            Some((values, groups)) => self.add(&values, &groups, total),
            None => self.add(values, groups, total),
        }
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.finish(self.count(emit_to))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.partial(self.count(emit_to))
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.total = self.total.max(total);
        self.state.merge(values, groups, total).map_err(kernel_failure)
    }

    fn convert_to_state(&self, values: &[ArrayRef], keep: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |array| array.len());
        let mut fresh = Groups::new(&self.call)?;
        let groups: Vec<usize> = (0..rows).collect();
        GroupsAccumulator::update_batch(&mut fresh, values, &groups, keep, rows)?;
        fresh.partial(rows)
    }

    fn size(&self) -> usize {
        self.state.size()
    }
}

impl Accumulator for Groups {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, |array| array.len());
        self.add(values, &vec![0; rows], 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let result = self.finish(1)?;
        ScalarValue::try_from_array(&result, 0)
    }

    fn size(&self) -> usize {
        self.state.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.partial(1)?.iter().map(|array| ScalarValue::try_from_array(array, 0)).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let rows = states.first().map_or(0, |array| array.len());
        self.total = 1;
        self.state.merge(states, &vec![0; rows], 1).map_err(kernel_failure)
    }
}

//! [`PlaceUnion`]: the places of the source records behind each group.

use std::sync::Arc;

use datafusion_common::arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, BooleanArray};
use datafusion_common::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Result, ScalarValue, internal_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, Expr, GroupsAccumulator, Signature, Volatility,
};

use crate::places::{Places, PlacesRef};

/// The union of sets of places (see [`crate::places`]).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PlaceUnion {
    signature: Signature,
}

impl PlaceUnion {
    pub(crate) const NAME: &str = "place_union";

    pub(crate) fn new() -> PlaceUnion {
        PlaceUnion { signature: Signature::user_defined(Volatility::Immutable) }
    }

    pub fn call(places: Expr) -> Expr {
        Arc::new(AggregateUDF::new_from_impl(PlaceUnion::new())).call(vec![places])
    }
}

impl AggregateUDFImpl for PlaceUnion {
    fn name(&self) -> &str {
        PlaceUnion::NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arg_types.to_vec())
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(PlaceSets::default()))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "places"), DataType::Binary, true))])
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(PlaceSets::default()))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

#[derive(Debug, Default)]
struct PlaceSets {
    sets: Vec<Places>,
    bytes: usize,
}

impl PlaceSets {
    fn add(&mut self, values: &[ArrayRef], groups: impl Iterator<Item = usize>, total: usize) -> Result<()> {
        if self.sets.len() < total {
            self.sets.resize_with(total, Places::default);
        }
        let Some(sets) = values.first().and_then(|array| array.as_binary_opt::<i32>()) else {
            return internal_err!("places are not Binary");
        };
        for (row, group) in groups.enumerate() {
            if let (false, Some(set)) = (sets.is_null(row), self.sets.get_mut(group)) {
                let before = set.size();
                set.add(PlacesRef::new(sets.value(row)));
                self.bytes += set.size() - before;
            }
        }
        Ok(())
    }

    fn emit(&mut self, count: usize) -> ArrayRef {
        if self.sets.len() < count {
            self.sets.resize_with(count, Places::default);
        }
        let rest = self.sets.split_off(count);
        let emitted = std::mem::replace(&mut self.sets, rest);
        self.bytes = self.sets.iter().map(Places::size).sum();
        let mut builder = BinaryBuilder::new();
        emitted.iter().for_each(|set| builder.append_value(set.encode()));
        Arc::new(builder.finish())
    }

    fn count(&self, emit_to: EmitTo) -> usize {
        match emit_to {
            EmitTo::All => self.sets.len(),
            EmitTo::First(count) => count,
        }
    }
}

impl GroupsAccumulator for PlaceSets {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        _keep: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.add(values, groups.iter().copied(), total)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(self.emit(self.count(emit_to)))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.emit(self.count(emit_to))])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.add(values, groups.iter().copied(), total)
    }

    fn convert_to_state(&self, values: &[ArrayRef], _keep: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        Ok(values.to_vec())
    }

    fn size(&self) -> usize {
        self.bytes + self.sets.capacity() * size_of::<Places>()
    }
}

impl Accumulator for PlaceSets {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, |array| array.len());
        self.add(values, std::iter::repeat_n(0, rows), 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&self.emit(1), 0)
    }

    fn size(&self) -> usize {
        GroupsAccumulator::size(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::try_from_array(&self.emit(1), 0)?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let rows = states.first().map_or(0, |array| array.len());
        self.add(states, std::iter::repeat_n(0, rows), 1)
    }
}

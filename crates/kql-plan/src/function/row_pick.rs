//! [`RowPick`]: `arg_max`, `arg_min` and `take_any` over several columns: one row of each group gives all outputs.
//!
//! The kept rows lie in columns, the winners of each batch appended; when most of them have been replaced since, the
//! live ones are copied together. Ties keep the first row that came.

use std::sync::Arc;

use datafusion_common::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, StructArray, UInt64Array, new_null_array,
};
use datafusion_common::arrow::compute::{concat, filter, take};
use datafusion_common::arrow::datatypes::{DataType, Field, FieldRef, Fields, Float64Type, Int32Type, Int64Type};
use datafusion_common::arrow::row::{RowConverter, SortField};
use datafusion_common::{Result, ScalarValue, internal_err};
use datafusion_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, EmitTo, Expr, GroupsAccumulator, ScalarFunctionArgs,
    ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use kql_types::ScalarType;

use crate::value::arrow_type;

/// Which row of a group is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pick {
    /// The greatest first argument.
    Max,
    /// The least first argument.
    Min,
    /// The first row that comes.
    Any,
}

impl Pick {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Pick::Max => "row_of_max",
            Pick::Min => "row_of_min",
            Pick::Any => "row_of_any",
        }
    }
}

/// The aggregate: its result is a struct of all its arguments in the kept row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RowPick {
    pick: Pick,
    types: Vec<ScalarType>,
    name: String,
    signature: Signature,
}

impl RowPick {
    pub fn new(pick: Pick, types: Vec<ScalarType>) -> RowPick {
        let list: Vec<&str> = types.iter().map(|ty| ty.name()).collect();
        let name = format!("{}({})", pick.name(), list.join(","));
        RowPick { pick, types, name, signature: Signature::user_defined(Volatility::Immutable) }
    }

    pub fn call(self, args: Vec<Expr>, filter: Option<Expr>) -> Expr {
        Expr::AggregateFunction(AggregateFunction {
            func: Arc::new(AggregateUDF::new_from_impl(self)),
            params: AggregateFunctionParams {
                args,
                distinct: false,
                filter: filter.map(Box::new),
                order_by: Vec::new(),
                null_treatment: None,
            },
        })
    }

    fn fields(&self) -> Fields {
        let fields = self.types.iter().enumerate();
        fields.map(|(index, ty)| Field::new(format!("f{index}"), arrow_type(*ty), true)).collect()
    }
}

impl AggregateUDFImpl for RowPick {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(self.fields()))
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arg_types.to_vec())
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(PickedRows::new(self)))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let kept = Field::new(format_state_name(args.name, "kept"), DataType::Boolean, true);
        let values =
            self.types.iter().enumerate().map(|(index, ty)| {
                Field::new(format_state_name(args.name, &format!("f{index}")), arrow_type(*ty), true)
            });
        Ok(std::iter::once(kept).chain(values).map(Arc::new).collect())
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(PickedRows::new(self)))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// A comparable form of the first argument; None for null.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Number(i64),
    Bytes(Box<[u8]>),
}

#[derive(Debug, Clone)]
struct Kept {
    key: Option<Key>,
    /// Row in the kept columns.
    row: u64,
}

#[derive(Debug)]
struct PickedRows {
    call: RowPick,
    groups: Vec<Option<Kept>>,
    /// Pieces of the kept rows, each with all columns.
    pieces: Vec<Vec<ArrayRef>>,
    rows: u64,
}

impl PickedRows {
    fn new(call: &RowPick) -> PickedRows {
        PickedRows { call: call.clone(), groups: Vec::new(), pieces: Vec::new(), rows: 0 }
    }

    /// Whether a row with `new` replaces a kept one with `old`. A null never replaces.
    fn wins(&self, new: Option<&Key>, old: Option<&Key>) -> bool {
        match (self.call.pick, new, old) {
            (Pick::Any, _, _) | (_, None, _) => false,
            (_, Some(_), None) => true,
            (Pick::Max, Some(new), Some(old)) => new > old,
            (Pick::Min, Some(new), Some(old)) => new < old,
        }
    }

    fn add(&mut self, values: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        if self.groups.len() < total {
            self.groups.resize(total, None);
        }
        let Some(by) = values.first() else { return internal_err!("a row pick without arguments") };
        let keys = if self.call.pick == Pick::Any { None } else { Some(Keys::of(by, self.call.pick)?) };
        // Winners of this batch: the group's row in `values`, filled in once per group at the end.
        let mut winners: Vec<u64> = Vec::new();
        let mut touched: Vec<usize> = Vec::new();
        for (row, &group) in groups.iter().enumerate() {
            let Some(slot) = self.groups.get(group) else { return internal_err!("group {group} of {total}") };
            let replaces = match slot {
                None => true,
                Some(kept) => keys.as_ref().is_some_and(|keys| keys.wins(self, row, kept.key.as_ref())),
            };
            if !replaces {
                continue;
            }
            let key = keys.as_ref().and_then(|keys| keys.at(row));
            let position = match slot {
                // Replaces a winner of this same batch: its row moves.
                Some(kept) if kept.row >= self.rows => kept.row,
                _ => {
                    winners.push(0);
                    touched.push(group);
                    self.rows + winners.len() as u64 - 1
                }
            };
            if let Some(winner) = winners.get_mut((position - self.rows) as usize) {
                *winner = row as u64;
            }
            if let Some(slot) = self.groups.get_mut(group) {
                *slot = Some(Kept { key, row: position });
            }
        }
        if !winners.is_empty() {
            let count = winners.len() as u64;
            let indices = UInt64Array::from(winners);
            let piece = values.iter().map(|array| Ok(take(array, &indices, None)?)).collect::<Result<Vec<_>>>()?;
            self.pieces.push(piece);
            self.rows += count;
            let live = self.groups.len() as u64;
            if self.rows > 8_192 && self.rows > live * 3 {
                self.compact()?;
            }
        }
        Ok(())
    }

    /// The kept columns of the given groups; a group without a row gives nulls.
    fn gather(&self, groups: &[Option<Kept>]) -> Result<Vec<ArrayRef>> {
        let indices: UInt64Array = groups.iter().map(|kept| kept.as_ref().map(|kept| kept.row)).collect();
        let mut columns = Vec::with_capacity(self.call.types.len());
        for (index, ty) in self.call.types.iter().enumerate() {
            let parts: Vec<&dyn Array> =
                self.pieces.iter().filter_map(|piece| piece.get(index)).map(|array| array.as_ref()).collect();
            if parts.is_empty() {
                columns.push(new_null_array(&arrow_type(*ty), groups.len()));
                continue;
            }
            let taken = take(&concat(&parts)?, &indices, None)?;
            columns.push(match taken.as_string_view_opt() {
                // Without this the buffers of every batch read would stay alive.
                Some(strings) => Arc::new(strings.gc()) as ArrayRef,
                None => taken,
            });
        }
        Ok(columns)
    }

    fn compact(&mut self) -> Result<()> {
        let columns = self.gather(&self.groups)?;
        for (row, kept) in self.groups.iter_mut().enumerate() {
            if let Some(kept) = kept {
                kept.row = row as u64;
            }
        }
        self.rows = self.groups.len() as u64;
        self.pieces = vec![columns];
        Ok(())
    }

    fn emit(&mut self, count: usize) -> Result<(Vec<ArrayRef>, BooleanArray)> {
        if self.groups.len() < count {
            self.groups.resize(count, None);
        }
        let rest = self.groups.split_off(count);
        let emitted = std::mem::replace(&mut self.groups, rest);
        let columns = self.gather(&emitted)?;
        let kept = emitted.iter().map(|kept| Some(kept.is_some())).collect();
        if self.groups.is_empty() {
            self.pieces.clear();
            self.rows = 0;
        } else {
            self.compact()?;
        }
        Ok((columns, kept))
    }

    fn result(&mut self, count: usize) -> Result<ArrayRef> {
        let (columns, _) = self.emit(count)?;
        Ok(Arc::new(StructArray::try_new(self.call.fields(), columns, None)?))
    }

    fn partial(&mut self, count: usize) -> Result<Vec<ArrayRef>> {
        let (columns, kept) = self.emit(count)?;
        Ok(std::iter::once(Arc::new(kept) as ArrayRef).chain(columns).collect())
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        let Some((kept, values)) = states.split_first() else { return internal_err!("a row pick without state") };
        let kept = kept.as_boolean();
        let values = values.iter().map(|array| Ok(filter(array, kept)?)).collect::<Result<Vec<_>>>()?;
        let rows = groups.iter().zip(kept.iter()).filter(|(_, kept)| *kept == Some(true));
        let groups: Vec<usize> = rows.map(|(group, _)| *group).collect();
        self.add(&values, &groups, total)
    }

    fn bytes(&self) -> usize {
        let pieces: usize = self.pieces.iter().flatten().map(|array| array.get_array_memory_size()).sum();
        pieces + self.groups.capacity() * size_of::<Option<Kept>>()
    }

    fn count(&self, emit_to: EmitTo) -> usize {
        match emit_to {
            EmitTo::All => self.groups.len(),
            EmitTo::First(count) => count,
        }
    }
}

/// The first argument of a batch in comparable form.
enum Keys {
    Numbers(Vec<Option<i64>>),
    Rows { rows: datafusion_common::arrow::row::Rows, nulls: ArrayRef },
}

impl Keys {
    fn of(by: &ArrayRef, pick: Pick) -> Result<Keys> {
        Ok(match by.data_type() {
            DataType::Int64 => Keys::Numbers(by.as_primitive::<Int64Type>().iter().collect()),
            DataType::Int32 => Keys::Numbers(by.as_primitive::<Int32Type>().iter().map(|v| v.map(i64::from)).collect()),
            DataType::Boolean => Keys::Numbers(by.as_boolean().iter().map(|v| v.map(i64::from)).collect()),
            DataType::Float64 => {
                // A NaN beats every number in both directions, as recorded of `max` and `min`.
                let nan = if pick == Pick::Min { i64::MIN } else { i64::MAX };
                let order = |value: f64| {
                    let bits = (value + 0.0).to_bits() as i64;
                    if value.is_nan() { nan } else { bits ^ (((bits >> 63) as u64) >> 1) as i64 }
                };
                Keys::Numbers(by.as_primitive::<Float64Type>().iter().map(|v| v.map(order)).collect())
            }
            other => {
                let converter = RowConverter::new(vec![SortField::new(other.clone())])?;
                Keys::Rows { rows: converter.convert_columns(&[Arc::clone(by)])?, nulls: Arc::clone(by) }
            }
        })
    }

    fn at(&self, row: usize) -> Option<Key> {
        match self {
            Keys::Numbers(values) => values.get(row).copied().flatten().map(Key::Number),
            Keys::Rows { nulls, .. } if nulls.is_null(row) => None,
            Keys::Rows { rows, .. } => Some(Key::Bytes(rows.row(row).as_ref().into())),
        }
    }

    fn wins(&self, state: &PickedRows, row: usize, old: Option<&Key>) -> bool {
        match (self, old) {
            (Keys::Rows { rows, nulls }, Some(Key::Bytes(old))) => {
                if nulls.is_null(row) {
                    return false;
                }
                let new = rows.row(row);
                let new: &[u8] = new.as_ref();
                match state.call.pick {
                    Pick::Max => new > old.as_ref(),
                    Pick::Min => new < old.as_ref(),
                    Pick::Any => false,
                }
            }
            _ => state.wins(self.at(row).as_ref(), old),
        }
    }
}

impl GroupsAccumulator for PickedRows {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        keep: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        let Some(keep) = keep else { return self.add(values, groups, total) };
        let values = values.iter().map(|array| Ok(filter(array, keep)?)).collect::<Result<Vec<_>>>()?;
        let rows = groups.iter().zip(keep.iter()).filter(|(_, keep)| *keep == Some(true));
        let groups: Vec<usize> = rows.map(|(group, _)| *group).collect();
        self.add(&values, &groups, total)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.result(self.count(emit_to))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.partial(self.count(emit_to))
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.merge(values, groups, total)
    }

    fn convert_to_state(&self, values: &[ArrayRef], keep: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |array| array.len());
        let kept = match keep {
            Some(keep) => keep.iter().map(|keep| Some(keep == Some(true))).collect(),
            None => BooleanArray::from(vec![true; rows]),
        };
        Ok(std::iter::once(Arc::new(kept) as ArrayRef).chain(values.iter().cloned()).collect())
    }

    fn size(&self) -> usize {
        self.bytes()
    }
}

impl Accumulator for PickedRows {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, |array| array.len());
        self.add(values, &vec![0; rows], 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let result = self.result(1)?;
        ScalarValue::try_from_array(&result, 0)
    }

    fn size(&self) -> usize {
        self.bytes()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.partial(1)?.iter().map(|array| ScalarValue::try_from_array(array, 0)).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let rows = states.first().map_or(0, |array| array.len());
        self.merge(states, &vec![0; rows], 1)
    }
}

/// Takes one argument of a [`RowPick`] out of its result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Picked {
    index: usize,
    ty: ScalarType,
    name: String,
    signature: Signature,
}

impl Picked {
    pub(crate) fn new(index: usize, ty: ScalarType) -> Picked {
        let name = format!("picked({index}):{}", ty.name());
        Picked { index, ty, name, signature: Signature::user_defined(Volatility::Immutable) }
    }

    /// The argument with this index, of this type, of the row kept in `row`.
    pub fn call(index: usize, ty: ScalarType, row: Expr) -> Expr {
        Arc::new(ScalarUDF::new_from_impl(Picked::new(index, ty))).call(vec![row])
    }
}

impl ScalarUDFImpl for Picked {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(arrow_type(self.ty))
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arg_types.to_vec())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(row) = args.args.first() else { return internal_err!("picked without a row") };
        let row = row.to_array(args.number_rows)?;
        let Some(column) = row.as_struct_opt().and_then(|row| row.columns().get(self.index)) else {
            return internal_err!("picked field {} of {}", self.index, row.data_type());
        };
        let column = Arc::clone(column);
        let text = self.ty == ScalarType::String;
        Ok(ColumnarValue::Array(if text { super::internal::non_null_strings(column) } else { column }))
    }
}

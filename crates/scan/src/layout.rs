//! [`Shown`]: a column of a file in the layout of a Kusto type, as a function over columns.
//!
//! Times become ticks, text becomes strings without nulls, lists and structs become JSON text. Nothing is ever cast by
//! the reader: a timestamp cast to Int64 would silently be microseconds since 1970.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringViewBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use kql_types::datetime::{TICKS_PER_DAY, TICKS_PER_SECOND, UNIX_EPOCH};
use kql_types::{Dynamic, ScalarType};

use crate::memory::{converted, non_null_strings};

/// A column of a file, whose Kusto type is `from`, shown as `to`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Shown {
    from: ScalarType,
    to: ScalarType,
    name: String,
    signature: Signature,
}

impl Shown {
    pub(crate) fn new(from: ScalarType, to: ScalarType) -> Shown {
        let name = format!("shown({from},{to})");
        Shown { from, to, name, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Shown {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(tables::arrow_type(self.to))
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arg_types.to_vec())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [column] = args.args.as_slice() else { return exec_err!("shown needs one column") };
        let column = column.to_array(args.number_rows)?;
        Ok(ColumnarValue::Array(shown(&column, self.from, self.to)?))
    }
}

/// A column as a reader gives it, shown as a Kusto type.
pub(crate) fn shown(column: &ArrayRef, from: ScalarType, to: ScalarType) -> Result<ArrayRef> {
    let rows = column.len();
    let known = in_layout(column, from)?;
    let array = converted(known, from, to, rows)?;
    Ok(if to == ScalarType::String { non_null_strings(array) } else { array })
}

/// The layout of the column's own Kusto type.
fn in_layout(column: &ArrayRef, ty: ScalarType) -> Result<ArrayRef> {
    let wanted = tables::arrow_type(ty);
    match column.data_type() {
        DataType::Dictionary(_, value) => {
            let plain = cast(column, value)?;
            in_layout(&plain, ty)
        }
        DataType::Timestamp(unit, _) => Ok(Arc::new(ticks_of(column, *unit)?)),
        DataType::Date32 | DataType::Date64 => {
            let days = cast(&cast(column, &DataType::Date32)?, &DataType::Int32)?;
            let days = cast(&days, &DataType::Int64)?;
            Ok(Arc::new(scaled(days.as_primitive::<Int64Type>(), TICKS_PER_DAY, 1, UNIX_EPOCH)))
        }
        DataType::Duration(unit) | DataType::Time64(unit) | DataType::Time32(unit) => {
            let (times, over) = tick_ratio(*unit);
            let numbers = match column.data_type() {
                DataType::Time32(_) => cast(&cast(column, &DataType::Int32)?, &DataType::Int64)?,
                _ => cast(column, &DataType::Int64)?,
            };
            Ok(Arc::new(scaled(numbers.as_primitive::<Int64Type>(), times, over, 0)))
        }
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(_, _)
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::Struct(_)
        | DataType::Map(_, _) => json_text(column),
        same if *same == wanted => Ok(Arc::clone(column)),
        DataType::FixedSizeBinary(16) => Ok(uuids(column)),
        DataType::BinaryView | DataType::Binary | DataType::LargeBinary | DataType::FixedSizeBinary(_) => {
            Ok(text_of_bytes(column)?)
        }
        DataType::Null => Ok(datafusion::arrow::array::new_null_array(&wanted, column.len())),
        _ => Ok(cast(column, &wanted)?),
    }
}

/// A unit of time in ticks: times the first, divided by the second.
pub(crate) fn tick_ratio(unit: TimeUnit) -> (i64, i64) {
    match unit {
        TimeUnit::Second => (TICKS_PER_SECOND, 1),
        TimeUnit::Millisecond => (10_000, 1),
        TimeUnit::Microsecond => (10, 1),
        TimeUnit::Nanosecond => (1, 100),
    }
}

/// Timestamps as ticks since year 1; what is outside of Kusto's years is null.
pub(crate) fn ticks_of(column: &ArrayRef, unit: TimeUnit) -> Result<Int64Array> {
    let (times, over) = tick_ratio(unit);
    let numbers: Int64Array = match unit {
        TimeUnit::Second => column.as_primitive::<TimestampSecondType>().reinterpret_cast(),
        TimeUnit::Millisecond => column.as_primitive::<TimestampMillisecondType>().reinterpret_cast(),
        TimeUnit::Microsecond => column.as_primitive::<TimestampMicrosecondType>().reinterpret_cast(),
        TimeUnit::Nanosecond => column.as_primitive::<TimestampNanosecondType>().reinterpret_cast(),
    };
    Ok(scaled(&numbers, times, over, UNIX_EPOCH))
}

fn scaled(numbers: &Int64Array, times: i64, over: i64, origin: i64) -> Int64Array {
    let max = kql_types::datetime::MAX;
    // Most columns fit as a whole, and a plain loop over all values is the fastest way to know. A null's value may be
    // anything; it then only takes the slow way.
    let (least, most) = match origin {
        0 => (-(i64::MAX / times / 2), i64::MAX / times / 2),
        _ => ((-origin).div_euclid(times) + 1, (max - origin).div_euclid(times) - 1),
    };
    let fits = |values: &[i64]| values.iter().fold(true, |fits, value| fits & (*value >= least) & (*value <= most));
    if over == 1 && fits(numbers.values()) {
        return numbers.unary(|value| value * times + origin);
    }
    numbers.unary_opt(|value| {
        let ticks = value.checked_mul(times)?.div_euclid(over).checked_add(origin)?;
        (origin == 0 || (0..=max).contains(&ticks)).then_some(ticks)
    })
}

fn uuids(column: &ArrayRef) -> ArrayRef {
    let bytes = column.as_fixed_size_binary();
    let mut builder = StringViewBuilder::with_capacity(bytes.len());
    for row in 0..bytes.len() {
        if bytes.is_null(row) {
            builder.append_null();
            continue;
        }
        let hex: String = bytes.value(row).iter().map(|byte| format!("{byte:02x}")).collect();
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
        builder.append_value([part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-"));
    }
    Arc::new(builder.finish())
}

fn text_of_bytes(column: &ArrayRef) -> Result<ArrayRef> {
    let bytes = cast(column, &DataType::Binary)?;
    let bytes = bytes.as_binary::<i32>();
    let mut builder = StringViewBuilder::with_capacity(bytes.len());
    for row in 0..bytes.len() {
        if bytes.is_null(row) {
            builder.append_null();
        } else {
            builder.append_value(String::from_utf8_lossy(bytes.value(row)));
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// Nested values as canonical JSON text.
fn json_text(column: &ArrayRef) -> Result<ArrayRef> {
    let mut builder = StringViewBuilder::with_capacity(column.len());
    for row in 0..column.len() {
        match dynamic_at(column, row)? {
            Dynamic::Null => builder.append_null(),
            value => builder.append_value(value.to_canonical()),
        }
    }
    Ok(Arc::new(builder.finish()))
}

fn dynamic_at(column: &ArrayRef, row: usize) -> Result<Dynamic> {
    if column.is_null(row) {
        return Ok(Dynamic::Null);
    }
    Ok(match column.data_type() {
        DataType::Struct(fields) => {
            let parts = column.as_struct();
            let mut bag = Vec::with_capacity(fields.len());
            for (field, values) in fields.iter().zip(parts.columns()) {
                bag.push((field.name().clone(), dynamic_at(values, row)?));
            }
            Dynamic::Bag(bag)
        }
        DataType::List(_) => items(&column.as_list::<i32>().value(row))?,
        DataType::LargeList(_) => items(&column.as_list::<i64>().value(row))?,
        DataType::FixedSizeList(_, _) => items(&column.as_fixed_size_list().value(row))?,
        DataType::Map(_, _) => {
            let entries = column.as_map().value(row);
            let (Some(keys), Some(values)) = (entries.columns().first(), entries.columns().get(1)) else {
                return Ok(Dynamic::Null);
            };
            let keys = cast(keys, &DataType::Utf8View)?;
            let keys = keys.as_string_view();
            let mut bag = Vec::with_capacity(keys.len());
            for entry in 0..keys.len() {
                bag.push((keys.value(entry).to_owned(), dynamic_at(values, entry)?));
            }
            Dynamic::Bag(bag)
        }
        _ => {
            let field = datafusion::arrow::datatypes::Field::new("value", column.data_type().clone(), true);
            scalar_at(column, crate::file::kusto_type(&field), row)?
        }
    })
}

fn items(values: &ArrayRef) -> Result<Dynamic> {
    let items = (0..values.len()).map(|row| dynamic_at(values, row)).collect::<Result<Vec<_>>>()?;
    Ok(Dynamic::Array(items))
}

fn scalar_at(column: &ArrayRef, ty: ScalarType, row: usize) -> Result<Dynamic> {
    let one = shown(&column.slice(row, 1), ty, ty)?;
    Ok(match ty {
        ScalarType::Bool => Dynamic::Bool(one.as_boolean().value(0)),
        ScalarType::Int => {
            Dynamic::Long(i64::from(one.as_primitive::<datafusion::arrow::datatypes::Int32Type>().value(0)))
        }
        ScalarType::Long => Dynamic::Long(one.as_primitive::<Int64Type>().value(0)),
        ScalarType::DateTime => Dynamic::DateTime(one.as_primitive::<Int64Type>().value(0)),
        ScalarType::TimeSpan => Dynamic::TimeSpan(one.as_primitive::<Int64Type>().value(0)),
        ScalarType::Real => Dynamic::Real(one.as_primitive::<datafusion::arrow::datatypes::Float64Type>().value(0)),
        ScalarType::Decimal => {
            let real = cast(&one, &DataType::Float64)?;
            Dynamic::Real(real.as_primitive::<datafusion::arrow::datatypes::Float64Type>().value(0))
        }
        _ => Dynamic::String(one.as_string_view().value(0).to_owned()),
    })
}

//! Functions of plans again from the names they gave themselves, for plans that come from another process.
//!
//! A name holds all that a function is: the function of the registry, the Kusto types of its arguments, and of an
//! aggregate the arguments that are constant (`make_list(long,long=10):dynamic`). Texts in a name are in hexadecimal.

use std::sync::Arc;

use datafusion_common::ScalarValue;
use datafusion_common::arrow::datatypes::{DataType, i256};
use datafusion_expr::{AggregateUDF, ScalarUDF};
use kql_types::ScalarType;

use crate::function::aggregate::KqlAggregate;
use crate::function::internal::{Internal, InternalFunction};
use crate::function::place_union::PlaceUnion;
use crate::function::row_pick::{Pick, Picked, RowPick};
use crate::function::scalar::KqlFunction;
use crate::value::arrow_type;

/// The scalar function of a name; None when no function of ours has it.
pub fn scalar_by_name(name: &str) -> Option<Arc<ScalarUDF>> {
    if let Some(internal) = Internal::ALL.into_iter().find(|internal| internal.name() == name) {
        return Some(Arc::new(ScalarUDF::new_from_impl(InternalFunction::from(internal))));
    }
    if let Some(rest) = name.strip_prefix("picked(") {
        let (index, ty) = rest.split_once("):")?;
        return Some(Arc::new(ScalarUDF::new_from_impl(Picked::new(index.parse().ok()?, type_of(ty)?))));
    }
    Some(Arc::new(ScalarUDF::new_from_impl(KqlFunction::from_name(name)?)))
}

/// The aggregate of a name; None when no aggregate of ours has it.
pub fn aggregate_by_name(name: &str) -> Option<Arc<AggregateUDF>> {
    if name == PlaceUnion::NAME {
        return Some(Arc::new(AggregateUDF::new_from_impl(PlaceUnion::new())));
    }
    let (call, returns) = name.rsplit_once(')')?;
    let (base, list) = call.split_once('(')?;
    let picks = [Pick::Max, Pick::Min, Pick::Any];
    if let Some(pick) = picks.into_iter().find(|pick| pick.name() == base) {
        let types = list.split(',').map(type_of).collect::<Option<Vec<_>>>()?;
        return Some(Arc::new(AggregateUDF::new_from_impl(RowPick::new(pick, types))));
    }
    let (mut types, mut constants) = (Vec::new(), Vec::new());
    for argument in list.split(',').filter(|argument| !argument.is_empty()) {
        let (ty, constant) = match argument.split_once('=') {
            Some((ty, text)) => (type_of(ty)?, Some(constant(type_of(ty)?, text)?)),
            None => (type_of(argument)?, None),
        };
        types.push(ty);
        constants.push(constant);
    }
    let returns = type_of(returns.strip_prefix(':')?)?;
    let aggregate = KqlAggregate::new(kql_functions::aggregate(base)?, types, constants, returns);
    Some(Arc::new(AggregateUDF::new_from_impl(aggregate)))
}

pub(crate) fn type_of(name: &str) -> Option<ScalarType> {
    if name == ScalarType::Unknown.name() { Some(ScalarType::Unknown) } else { ScalarType::parse(name) }
}

/// A constant as it stands in a name: no comma, no parenthesis.
pub(crate) fn constant_text(value: &ScalarValue) -> String {
    match value {
        ScalarValue::Boolean(Some(value)) => value.to_string(),
        ScalarValue::Int32(Some(value)) => value.to_string(),
        ScalarValue::Int64(Some(value)) => value.to_string(),
        ScalarValue::Float64(Some(value)) => format!("{:x}", value.to_bits()),
        ScalarValue::Decimal256(Some(value), _, _) => value.to_string(),
        ScalarValue::Utf8View(Some(text)) => format!("x{}", hex(text.as_bytes())),
        _ => "-".to_owned(),
    }
}

fn constant(ty: ScalarType, text: &str) -> Option<ScalarValue> {
    let layout = arrow_type(ty);
    if text == "-" {
        return ScalarValue::try_from(&layout).ok();
    }
    Some(match layout {
        DataType::Boolean => ScalarValue::Boolean(Some(text.parse().ok()?)),
        DataType::Int32 => ScalarValue::Int32(Some(text.parse().ok()?)),
        DataType::Int64 => ScalarValue::Int64(Some(text.parse().ok()?)),
        DataType::Float64 => ScalarValue::Float64(Some(f64::from_bits(u64::from_str_radix(text, 16).ok()?))),
        DataType::Decimal256(precision, scale) => {
            ScalarValue::Decimal256(Some(i256::from_string(text)?), precision, scale)
        }
        DataType::Utf8View => ScalarValue::Utf8View(Some(String::from_utf8(from_hex(text.strip_prefix('x')?)?).ok()?)),
        _ => return None,
    })
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The bytes of hexadecimal digits.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let pair = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    digits.chunks_exact(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scalar_function_is_made_again_from_its_name() {
        for internal in Internal::ALL {
            assert_eq!(scalar_by_name(internal.name()).unwrap().name(), internal.name());
        }
        let mut made = 0;
        for function in kql_functions::functions().chain(kql_functions::operators()) {
            let types = vec![ScalarType::DateTime, ScalarType::TimeSpan, ScalarType::Dynamic];
            let original = ScalarUDF::new_from_impl(KqlFunction::new(function, types, ScalarType::Real));
            assert_eq!(*scalar_by_name(original.name()).unwrap(), original, "{}", original.name());
            made += 1;
        }
        assert!(made > 300);
        let picked = ScalarUDF::new_from_impl(Picked::new(3, ScalarType::Guid));
        assert_eq!(*scalar_by_name(picked.name()).unwrap(), picked);
        assert!(scalar_by_name("nonsense(long):long").is_none());
        assert!(scalar_by_name("picked(x):long").is_none());
    }

    #[test]
    fn every_aggregate_is_made_again_from_its_name() {
        let constants = [
            (ScalarType::Bool, ScalarValue::Boolean(Some(true))),
            (ScalarType::Int, ScalarValue::Int32(Some(-7))),
            (ScalarType::Long, ScalarValue::Int64(Some(i64::MIN))),
            (ScalarType::Real, ScalarValue::Float64(Some(-0.1))),
            (ScalarType::Real, ScalarValue::Float64(None)),
            (ScalarType::Decimal, ScalarValue::Decimal256(Some(i256::from_i128(-5)), 76, 38)),
            (ScalarType::String, ScalarValue::Utf8View(Some("a,(b)=ü\"".to_owned()))),
            (ScalarType::String, ScalarValue::Utf8View(Some(String::new()))),
            (ScalarType::TimeSpan, ScalarValue::Int64(Some(36_000_000_000))),
        ];
        let (types, values): (Vec<_>, Vec<_>) = constants.into_iter().unzip();
        let types: Vec<_> = std::iter::once(ScalarType::Dynamic).chain(types).collect();
        let values: Vec<_> = std::iter::once(None).chain(values.into_iter().map(Some)).collect();
        for aggregate in kql_functions::aggregates() {
            let original = KqlAggregate::new(aggregate, types.clone(), values.clone(), ScalarType::Dynamic);
            let original = AggregateUDF::new_from_impl(original);
            assert_eq!(*aggregate_by_name(original.name()).unwrap(), original, "{}", original.name());
            let plain = KqlAggregate::new(aggregate, Vec::new(), Vec::new(), ScalarType::Long);
            let plain = AggregateUDF::new_from_impl(plain);
            assert_eq!(*aggregate_by_name(plain.name()).unwrap(), plain);
        }
        for pick in [Pick::Max, Pick::Min, Pick::Any] {
            let original = RowPick::new(pick, vec![ScalarType::DateTime, ScalarType::Unknown]);
            let original = AggregateUDF::new_from_impl(original);
            assert_eq!(*aggregate_by_name(original.name()).unwrap(), original);
        }
        assert!(aggregate_by_name(PlaceUnion::NAME).is_some());
        assert!(aggregate_by_name("count(long=x):long").is_none());
        assert!(aggregate_by_name("nonsense():long").is_none());
    }
}

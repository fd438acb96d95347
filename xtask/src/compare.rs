//! Compares a result with recorded rows by the rules of the conformance collection.

use kql_types::{Column, Dynamic, Value, datetime, timespan};
use serde_json::Value as Json;

/// How one case is to be compared.
pub struct Rules<'a> {
    pub tolerance: Option<f64>,
    pub ordered: bool,
    /// Sort keys by name when the ordering is by output columns.
    pub order_by: Option<Vec<String>>,
    pub tags: &'a [String],
}

impl Rules<'_> {
    pub fn tag(&self, name: &str) -> bool {
        self.tags.iter().any(|tag| tag == name)
    }
}

/// Says how columns differ, or None when they are equal under the rules.
pub fn columns_differ(expected: &[(String, String)], actual: &[Column], rules: &Rules<'_>) -> Option<String> {
    if rules.tag("data-dependent-schema") {
        let mut left: Vec<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
        let mut right: Vec<&str> = actual.iter().map(|column| column.name.as_str()).collect();
        left.sort_unstable();
        right.sort_unstable();
        return (left != right).then(|| format!("columns {left:?}, got {right:?}"));
    }
    let same_type = |expected: &str, actual: &str| {
        expected == actual
            || (rules.tag("int-or-long") && ["int", "long"].contains(&expected) && ["int", "long"].contains(&actual))
    };
    let equal = expected.len() == actual.len()
        && expected
            .iter()
            .zip(actual)
            .all(|((name, ty), column)| *name == column.name && same_type(ty, column.ty.name()));
    (!equal).then(|| {
        let show = |items: Vec<String>| items.join(", ");
        format!(
            "columns ({}), got ({})",
            show(expected.iter().map(|(name, ty)| format!("{name}:{ty}")).collect()),
            show(actual.iter().map(|column| format!("{}:{}", column.name, column.ty)).collect())
        )
    })
}

/// Says how rows differ, or None when they are equal under the rules. `columns` are the actual ones; expected rows are
/// first brought into their order when the schema depends on data.
pub fn rows_differ(
    names: &[String],
    expected: &[Vec<Json>],
    columns: &[Column],
    actual: &[Vec<Value>],
    rules: &Rules<'_>,
) -> Option<String> {
    if expected.len() != actual.len() {
        return Some(format!("{} rows, got {}", expected.len(), actual.len()));
    }
    let order: Vec<usize> =
        columns.iter().filter_map(|column| names.iter().position(|name| *name == column.name)).collect();
    let order = if order.len() == columns.len() { order } else { (0..columns.len()).collect() };
    let equal_row = |left: &[Json], right: &[Value]| {
        order.iter().zip(right).all(|(index, value)| left.get(*index).is_some_and(|cell| equal(cell, value, rules)))
    };
    if rules.ordered {
        let keys: Option<Vec<usize>> = rules
            .order_by
            .as_ref()
            .map(|keys| keys.iter().filter_map(|key| columns.iter().position(|column| column.name == *key)).collect());
        for (number, (left, right)) in expected.iter().zip(actual).enumerate() {
            let same = match &keys {
                Some(keys) => keys.iter().all(|key| equal(&left[order[*key]], &right[*key], rules)),
                None => equal_row(left, right),
            };
            if !same {
                return Some(format!("row {number} {}, got {}", show(left), show_values(right)));
            }
        }
    }
    let mut free: Vec<&Vec<Value>> = actual.iter().collect();
    for left in expected {
        match free.iter().position(|right| equal_row(left, right)) {
            Some(index) => {
                free.swap_remove(index);
            }
            None => {
                let near = free.first().map(|right| show_values(right)).unwrap_or_default();
                return Some(format!("row {} is missing; an unmatched row is {near}", show(left)));
            }
        }
    }
    None
}

fn show(row: &[Json]) -> String {
    clip(&serde_json::to_string(row).unwrap_or_default())
}

fn show_values(row: &[Value]) -> String {
    clip(&format!("{row:?}"))
}

fn clip(text: &str) -> String {
    text.chars().take(300).collect()
}

fn equal(expected: &Json, actual: &Value, rules: &Rules<'_>) -> bool {
    match actual {
        Value::Null(_) => expected.is_null(),
        Value::Dynamic(Dynamic::Null) => expected.is_null(),
        Value::Bool(value) => expected.as_bool() == Some(*value),
        Value::Int(value) => integer(expected, i64::from(*value), rules),
        Value::Long(value) => integer(expected, *value, rules),
        Value::Real(value) => real(expected).is_some_and(|expected| reals_equal(expected, *value, rules)),
        Value::Decimal(value) => decimal_equal(expected, value, rules),
        Value::DateTime(ticks) => expected.as_str() == Some(datetime::format(*ticks).as_str()),
        Value::TimeSpan(ticks) => expected.as_str() == Some(timespan::format(*ticks).as_str()),
        Value::Guid(value) | Value::String(value) => expected.as_str() == Some(value.as_str()),
        Value::Dynamic(value) => dynamic_equal(expected, value, rules),
    }
}

fn integer(expected: &Json, actual: i64, rules: &Rules<'_>) -> bool {
    match (expected.as_i64(), rules.tolerance) {
        (Some(expected), _) if expected == actual => true,
        (Some(expected), Some(tolerance)) => {
            let (left, right) = (expected as f64, actual as f64);
            (left - right).abs() <= tolerance * left.abs().max(right.abs())
        }
        _ => false,
    }
}

fn real(value: &Json) -> Option<f64> {
    match value {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

fn reals_equal(left: f64, right: f64, rules: &Rules<'_>) -> bool {
    if left.is_nan() || right.is_nan() {
        return left.is_nan() && right.is_nan();
    }
    let tolerance = rules.tolerance.unwrap_or(1e-9);
    left == right || (left - right).abs() <= tolerance * left.abs().max(right.abs()) || (left - right).abs() <= 1e-12
}

/// Compares as numbers: `1.50` equals `1.5`.
fn decimal_equal(expected: &Json, actual: &str, rules: &Rules<'_>) -> bool {
    let text = match expected {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => return false,
    };
    let plain = |text: &str| {
        let text = kql_types::number::parse_decimal(text).unwrap_or_else(|| text.to_string());
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
    };
    plain(&text) == plain(actual)
        || rules.tolerance.is_some_and(|_| match (text.parse(), actual.parse()) {
            (Ok(left), Ok(right)) => reals_equal(left, right, rules),
            _ => false,
        })
}

fn dynamic_equal(expected: &Json, actual: &Dynamic, rules: &Rules<'_>) -> bool {
    match actual {
        Dynamic::Null => expected.is_null(),
        Dynamic::Bool(value) => expected.as_bool() == Some(*value),
        Dynamic::Long(value) => {
            expected.as_i64() == Some(*value)
                || real(expected).is_some_and(|expected| reals_equal(expected, *value as f64, rules))
        }
        Dynamic::Real(value) => real(expected).is_some_and(|expected| reals_equal(expected, *value, rules)),
        Dynamic::Decimal(value) => decimal_equal(expected, value, rules),
        Dynamic::DateTime(ticks) => expected.as_str() == Some(datetime::format(*ticks).as_str()),
        Dynamic::TimeSpan(ticks) => expected.as_str() == Some(timespan::format(*ticks).as_str()),
        Dynamic::Guid(value) | Dynamic::String(value) => expected.as_str() == Some(value.as_str()),
        Dynamic::Array(items) => expected.as_array().is_some_and(|expected| arrays_equal(expected, items, rules)),
        Dynamic::Bag(items) => expected.as_object().is_some_and(|expected| {
            expected.len() == items.len()
                && items
                    .iter()
                    .all(|(key, value)| expected.get(key).is_some_and(|expected| dynamic_equal(expected, value, rules)))
        }),
    }
}

fn arrays_equal(expected: &[Json], actual: &[Dynamic], rules: &Rules<'_>) -> bool {
    if expected.len() != actual.len() {
        return false;
    }
    if expected.iter().zip(actual).all(|(left, right)| dynamic_equal(left, right, rules)) {
        return true;
    }
    if rules.tag("geometry") && rings_equal(expected, actual, rules) {
        return true;
    }
    if rules.tag("array-order-free") {
        let mut free: Vec<&Dynamic> = actual.iter().collect();
        return expected.iter().all(|left| {
            free.iter()
                .position(|right| dynamic_equal(left, right, rules))
                .map(|index| free.swap_remove(index))
                .is_some()
        });
    }
    false
}

/// A closed ring may start at another vertex; a collection may list its parts in another order.
fn rings_equal(expected: &[Json], actual: &[Dynamic], rules: &Rules<'_>) -> bool {
    let count = expected.len();
    let is_ring = count > 3 && expected.first() == expected.last() && expected[0].is_array();
    if is_ring {
        let open = count - 1;
        return (0..open).any(|shift| {
            (0..open).all(|index| dynamic_equal(&expected[index], &actual[(index + shift) % open], rules))
        });
    }
    let mut free: Vec<&Dynamic> = actual.iter().collect();
    expected.iter().all(|left| {
        left.is_array()
            && free
                .iter()
                .position(|right| dynamic_equal(left, right, rules))
                .map(|index| free.swap_remove(index))
                .is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const PLAIN: Rules<'static> = Rules { tolerance: None, ordered: false, order_by: None, tags: &[] };

    #[test]
    fn null_empty_and_nan_are_three_things() {
        assert!(equal(&Json::Null, &Value::Null(kql_types::ScalarType::Long), &PLAIN));
        assert!(!equal(&Json::Null, &Value::String(String::new()), &PLAIN));
        assert!(!equal(&Json::Null, &Value::Real(f64::NAN), &PLAIN));
        assert!(equal(&json!("NaN"), &Value::Real(f64::NAN), &PLAIN));
    }

    #[test]
    fn dynamic_numbers_compare_by_value_and_bags_without_order() {
        let bag = Dynamic::Bag(vec![("b".into(), Dynamic::Long(1)), ("a".into(), Dynamic::Array(vec![]))]);
        assert!(dynamic_equal(&json!({"a": [], "b": 1.0}), &bag, &PLAIN));
        assert!(!dynamic_equal(&json!({"a": []}), &bag, &PLAIN));
    }

    #[test]
    fn rows_are_a_multiset_unless_ordered() {
        let columns = [Column::new("x", kql_types::ScalarType::Long)];
        let names = ["x".to_string()];
        let expected = [vec![json!(1)], vec![json!(2)]];
        let actual = [vec![Value::Long(2)], vec![Value::Long(1)]];
        assert_eq!(rows_differ(&names, &expected, &columns, &actual, &PLAIN), None);
        let ordered = Rules { ordered: true, ..PLAIN };
        assert!(rows_differ(&names, &expected, &columns, &actual, &ordered).is_some());
        let doubled = [vec![Value::Long(1)], vec![Value::Long(1)]];
        assert!(rows_differ(&names, &expected, &columns, &doubled, &PLAIN).is_some());
    }
}

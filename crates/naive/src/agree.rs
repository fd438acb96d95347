//! Whether two results are the same, where Kusto does not leave it open.
//!
//! Rows are compared without their order, and so are the elements of arrays, since `make_list` and `make_set` promise
//! none; reals agree to nine digits. Begin at [`difference`].

use kql_types::{Dynamic, Value};

/// The first rows that only one side has; None when both have the same rows equally often.
pub fn difference(left: &[Vec<Value>], right: &[Vec<Value>]) -> Option<String> {
    let mut left: Vec<String> = left.iter().map(|row| line(row)).collect();
    let mut right: Vec<String> = right.iter().map(|row| line(row)).collect();
    left.sort();
    right.sort();
    if left == right {
        return None;
    }
    let only = |these: &[String], those: &[String]| {
        let mut rest = those.to_vec();
        let found = these.iter().find(|row| match rest.iter().position(|other| other == *row) {
            Some(place) => {
                rest.swap_remove(place);
                false
            }
            None => true,
        });
        found.cloned().unwrap_or_default()
    };
    let counts = format!("{} rows and {} rows", left.len(), right.len());
    Some(format!("{counts}; only left: {}; only right: {}", only(&left, &right), only(&right, &left)))
}

/// A row as text that says no more than what must agree.
pub fn line(row: &[Value]) -> String {
    row.iter().map(cell).collect::<Vec<_>>().join(" | ")
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null(_) => "null".to_string(),
        Value::Dynamic(value) => sorted(value),
        Value::Real(value) => real(*value),
        other => crate::value::text(other),
    }
}

fn real(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e12 { format!("{value:.0}") } else { format!("{value:.9e}") }
}

fn sorted(value: &Dynamic) -> String {
    match value {
        Dynamic::Array(items) => {
            let mut items: Vec<String> = items.iter().map(sorted).collect();
            items.sort();
            format!("[{}]", items.join(","))
        }
        Dynamic::Bag(entries) => {
            let mut entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{key}:{}", sorted(value))).collect();
            entries.sort();
            format!("{{{}}}", entries.join(","))
        }
        Dynamic::Null => "null".to_string(),
        Dynamic::Real(value) => real(*value),
        Dynamic::String(text) => format!("{text:?}"),
        other => other.to_text(),
    }
}

#[cfg(test)]
mod tests {
    use kql_types::{Dynamic, Value};

    use super::difference;

    #[test]
    fn order_is_open_and_how_often_is_not() {
        let row = |number: i64| vec![Value::Long(number)];
        assert_eq!(difference(&[row(1), row(2)], &[row(2), row(1)]), None);
        assert!(difference(&[row(1), row(1), row(2)], &[row(1), row(2), row(2)]).is_some());
        let list = |items: &[i64]| {
            vec![Value::Dynamic(Dynamic::Array(items.iter().map(|item| Dynamic::Long(*item)).collect()))]
        };
        assert_eq!(difference(&[list(&[1, 2])], &[list(&[2, 1])]), None);
        assert!(difference(&[list(&[1, 2])], &[list(&[1])]).is_some());
    }
}

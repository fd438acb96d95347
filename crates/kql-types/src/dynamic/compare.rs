//! Equality, order and hash text of dynamic values.
//!
//! Three notions: `PartialEq` (same value and same type), [`Dynamic::same`] (JSON equality: 1 equals 1.0, keys in
//! any order) and [`Dynamic::order`] (a total order for sorting arrays).

use std::cmp::Ordering;

use super::Dynamic;

impl Dynamic {
    /// Equal as values: numbers by value, bags without regard to the order of keys. NaN equals NaN.
    pub fn same(&self, other: &Dynamic) -> bool {
        match (self, other) {
            (Dynamic::Array(a), Dynamic::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b)),
            (Dynamic::Bag(a), Dynamic::Bag(b)) => {
                a.len() == b.len() && a.iter().all(|(key, value)| other.get(key).is_some_and(|found| value.same(found)))
            }
            (Dynamic::Long(a), Dynamic::Long(b)) => a == b,
            (Dynamic::Real(a), Dynamic::Real(b)) if a.is_nan() && b.is_nan() => true,
            (Dynamic::Long(a), Dynamic::Real(b)) | (Dynamic::Real(b), Dynamic::Long(a)) => {
                long_with_real(*a, *b) == Ordering::Equal
            }
            _ => match (self.as_real(), other.as_real()) {
                (Some(a), Some(b)) => a == b,
                _ => self == other,
            },
        }
    }

    /// A total order: null, bool, numbers, datetime, timespan, guid, string, array, bag; within a kind by value.
    pub fn order(&self, other: &Dynamic) -> Ordering {
        let rank = self.rank().cmp(&other.rank());
        if rank != Ordering::Equal {
            return rank;
        }
        match (self, other) {
            (Dynamic::Bool(a), Dynamic::Bool(b)) => a.cmp(b),
            (Dynamic::Long(a), Dynamic::Long(b)) => a.cmp(b),
            (Dynamic::DateTime(a), Dynamic::DateTime(b)) | (Dynamic::TimeSpan(a), Dynamic::TimeSpan(b)) => a.cmp(b),
            (Dynamic::Guid(a), Dynamic::Guid(b)) | (Dynamic::String(a), Dynamic::String(b)) => a.cmp(b),
            (Dynamic::Array(a), Dynamic::Array(b)) => {
                let first = a.iter().zip(b).map(|(a, b)| a.order(b)).find(|order| *order != Ordering::Equal);
                first.unwrap_or_else(|| a.len().cmp(&b.len()))
            }
            (Dynamic::Bag(_), Dynamic::Bag(_)) => self.to_sorted_text().cmp(&other.to_sorted_text()),
            (Dynamic::Long(a), Dynamic::Real(b)) => long_with_real(*a, *b),
            (Dynamic::Real(a), Dynamic::Long(b)) => long_with_real(*b, *a).reverse(),
            _ => match (self.as_real(), other.as_real()) {
                (Some(a), Some(b)) => real_with_real(a, b),
                _ => Ordering::Equal,
            },
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Dynamic::Null => 0,
            Dynamic::Bool(_) => 1,
            Dynamic::Long(_) | Dynamic::Real(_) | Dynamic::Decimal(_) => 2,
            Dynamic::DateTime(_) => 3,
            Dynamic::TimeSpan(_) => 4,
            Dynamic::Guid(_) => 5,
            Dynamic::String(_) => 6,
            Dynamic::Array(_) => 7,
            Dynamic::Bag(_) => 8,
        }
    }

    /// The value with the keys of all bags in order.
    pub fn sorted_keys(&self) -> Dynamic {
        match self {
            Dynamic::Array(items) => Dynamic::Array(items.iter().map(Dynamic::sorted_keys).collect()),
            Dynamic::Bag(entries) => {
                let mut entries: Vec<_> =
                    entries.iter().map(|(key, value)| (key.clone(), value.sorted_keys())).collect();
                entries.sort_by(|(a, _), (b, _)| a.cmp(b));
                Dynamic::Bag(entries)
            }
            other => other.clone(),
        }
    }

    /// Canonical text with sorted keys: equal for values that differ only in the order of keys, so that sets and
    /// distinct counts can hash it.
    pub fn to_sorted_text(&self) -> String {
        match self {
            Dynamic::Array(_) | Dynamic::Bag(_) => self.sorted_keys().to_canonical(),
            other => other.to_canonical(),
        }
    }
}

/// NaN after all numbers.
fn real_with_real(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// Compares without the rounding of a conversion; NaN after all numbers.
fn long_with_real(long: i64, real: f64) -> Ordering {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if real.is_nan() || real >= LIMIT {
        return Ordering::Less;
    }
    if real < -LIMIT {
        return Ordering::Greater;
    }
    let whole = real.trunc();
    long.cmp(&(whole as i64)).then_with(|| real_with_real(whole, real))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dynamic::arbitrary;
    use proptest::prelude::*;

    #[test]
    fn sameness() {
        let same = |a: &str, b: &str| Dynamic::parse_json(a).unwrap().same(&Dynamic::parse_json(b).unwrap());
        assert!(same(r#"{"a":1,"b":[1]}"#, r#"{"b":[1.0],"a":1.0}"#));
        assert!(!same("[1,2]", "[2,1]"));
        assert!(!same("1", "\"1\""));
        assert!(!same(r#"{"a":1}"#, r#"{"a":1,"b":null}"#));
        assert!(!same("9007199254740993", "9007199254740992"));
    }

    #[test]
    fn sorted_text() {
        let text = |a: &str| Dynamic::parse_json(a).unwrap().to_sorted_text();
        assert_eq!(text(r#"{"b":{"z":1,"y":2},"a":0}"#), r#"{"a":0,"b":{"y":2,"z":1}}"#);
    }

    proptest! {
        #[test]
        fn order_is_total(a in arbitrary::value(), b in arbitrary::value(), c in arbitrary::value()) {
            prop_assert_eq!(a.order(&b), b.order(&a).reverse());
            prop_assert_eq!(a.order(&a), Ordering::Equal);
            if a.order(&b).is_le() && b.order(&c).is_le() {
                prop_assert!(a.order(&c).is_le());
            }
        }

        #[test]
        fn sorted_keys_are_the_same(value in arbitrary::value()) {
            prop_assert!(value.same(&value.sorted_keys()));
        }
    }
}

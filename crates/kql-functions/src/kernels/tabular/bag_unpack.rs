//! The columns that `bag_unpack` finds: the keys of the bags, each with the type that holds all its values.

use std::collections::HashMap;

use arrow::array::{Array, StringViewArray};
use kql_types::{Dynamic, ScalarType};

use super::super::canonical::bag_entries;

/// Collects keys in the order of first appearance.
#[derive(Debug, Default)]
pub struct BagKeys {
    keys: Vec<(String, Option<ScalarType>)>,
    /// Places by the key as it stands in the text.
    places: HashMap<String, usize>,
}

impl BagKeys {
    /// Looks at a column of canonical bags; values that are no bags have no keys.
    pub fn add(&mut self, bags: &StringViewArray) {
        for row in 0..bags.len() {
            let text = if bags.is_null(row) { "" } else { bags.value(row) };
            for (key, value) in bag_entries(text).into_iter().flatten() {
                let place = match self.places.get(key) {
                    Some(place) => *place,
                    None => {
                        let Some(Dynamic::String(name)) = Dynamic::parse(key) else { continue };
                        self.keys.push((name, None));
                        self.places.insert(key.to_owned(), self.keys.len() - 1);
                        self.keys.len() - 1
                    }
                };
                if let (Some((_, ty)), Some(found)) = (self.keys.get_mut(place), value_type(value)) {
                    *ty = Some(ty.map_or(found, |known| common(known, found)));
                }
            }
        }
    }

    /// Names and types. A key that has only nulls is dynamic.
    pub fn finish(self) -> Vec<(String, ScalarType)> {
        self.keys.into_iter().map(|(name, ty)| (name, ty.unwrap_or(ScalarType::Dynamic))).collect()
    }
}

/// The type of a value given as canonical text; None for null.
fn value_type(text: &str) -> Option<ScalarType> {
    match text.as_bytes().first()? {
        b'n' => None,
        b't' | b'f' => Some(ScalarType::Bool),
        b'{' | b'[' => Some(ScalarType::Dynamic),
        b'"' => Some(match Dynamic::parse(text) {
            Some(Dynamic::DateTime(_)) => ScalarType::DateTime,
            Some(Dynamic::TimeSpan(_)) => ScalarType::TimeSpan,
            Some(Dynamic::Guid(_)) => ScalarType::Guid,
            Some(Dynamic::Decimal(_)) => ScalarType::Decimal,
            Some(Dynamic::Real(_)) => ScalarType::Real,
            _ => ScalarType::String,
        }),
        _ => Some(if text.parse::<i64>().is_ok() { ScalarType::Long } else { ScalarType::Real }),
    }
}

fn common(a: ScalarType, b: ScalarType) -> ScalarType {
    match (a, b) {
        (a, b) if a == b => a,
        (ScalarType::Long, ScalarType::Real) | (ScalarType::Real, ScalarType::Long) => ScalarType::Real,
        _ => ScalarType::Dynamic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_type_of_all_their_values() {
        let mut keys = BagKeys::default();
        let bags = [
            Some(r#"{"a":1,"b":"x","c":[1],"d":null}"#),
            None,
            Some("[1]"),
            Some(r#"{"a":1.5,"b":2,"e":true,"f\"":"y","t":"d0001-01-01T00:00:00.0000000Z"}"#),
        ];
        keys.add(&bags.into_iter().map(|bag| bag.map(|bag| bag.replace("\"d0001", "\"\u{E000}d0001"))).collect());
        let expected = [
            ("a", ScalarType::Real),
            ("b", ScalarType::Dynamic),
            ("c", ScalarType::Dynamic),
            ("d", ScalarType::Dynamic),
            ("e", ScalarType::Bool),
            ("f\"", ScalarType::String),
            ("t", ScalarType::DateTime),
        ];
        assert_eq!(keys.finish(), expected.map(|(name, ty)| (name.to_owned(), ty)));
    }
}

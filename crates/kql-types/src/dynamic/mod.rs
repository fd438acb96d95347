//! dynamic: a JSON value plus Kusto's scalars.
//!
//! In columns it travels as text: canonical JSON, compact, keys in order of first appearance, last
//! duplicate wins, longs and reals lexically apart (`1` and `1.0`). datetime, timespan, guid, decimal, NaN and
//! infinities inside are JSON strings with the private prefix U+E000 and a letter; a U+E000 at the start of real
//! data is doubled. The dynamic null at top level is an Arrow null, never the text `null`.
//!
//! [`Dynamic::parse`] reads canonical text, [`Dynamic::parse_json`] reads what users and logs write,
//! [`Dynamic::parse_literal`] the inside of a `dynamic(...)`. Begin at [`Dynamic`].

mod compact;
mod compare;
mod json;
mod literal;
mod print;

pub use compact::{is_canonical_json, plain_len};
pub use json::{DEPTH_MAX, JsonError};
pub use print::{push_display_string, push_json_string};

/// Starts a string in canonical text that is not a plain string.
pub const PRIVATE_PREFIX: char = '\u{E000}';

/// A parsed dynamic value.
#[derive(Debug, Clone, PartialEq)]
pub enum Dynamic {
    Null,
    Bool(bool),
    Long(i64),
    Real(f64),
    /// Plain decimal text, as [`crate::number::parse_decimal`] gives.
    Decimal(String),
    DateTime(i64),
    TimeSpan(i64),
    /// Lower case with hyphens.
    Guid(String),
    String(String),
    Array(Vec<Dynamic>),
    /// Keys in order of first appearance, unique.
    Bag(Vec<(String, Dynamic)>),
}

impl Dynamic {
    /// What `gettype` says of a dynamic value. A real is `double` here, while `gettype(1.0)` is `real`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Dynamic::Null => "null",
            Dynamic::Bool(_) => "bool",
            Dynamic::Long(_) => "long",
            Dynamic::Real(_) => "double",
            Dynamic::Decimal(_) => "decimal",
            Dynamic::DateTime(_) => "datetime",
            Dynamic::TimeSpan(_) => "timespan",
            Dynamic::Guid(_) => "guid",
            Dynamic::String(_) => "string",
            Dynamic::Array(_) => "array",
            Dynamic::Bag(_) => "dictionary",
        }
    }

    /// The value of a key of a bag; None for anything else and for a key that is not there.
    pub fn get(&self, key: &str) -> Option<&Dynamic> {
        match self {
            Dynamic::Bag(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The element of an array, counted from the end when negative.
    pub fn at(&self, index: i64) -> Option<&Dynamic> {
        let Dynamic::Array(items) = self else { return None };
        let index = if index < 0 { index + items.len() as i64 } else { index };
        usize::try_from(index).ok().and_then(|index| items.get(index))
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Dynamic::Null)
    }

    pub fn as_array(&self) -> Option<&[Dynamic]> {
        match self {
            Dynamic::Array(items) => Some(items),
            _ => None,
        }
    }

    pub fn as_bag(&self) -> Option<&[(String, Dynamic)]> {
        match self {
            Dynamic::Bag(entries) => Some(entries),
            _ => None,
        }
    }

    /// A long, or a real as it is; None for other values.
    pub fn as_real(&self) -> Option<f64> {
        match self {
            Dynamic::Long(value) => Some(*value as f64),
            Dynamic::Real(value) => Some(*value),
            Dynamic::Decimal(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// What the private prefix and `body` after it stand for; None when that is no such value.
    fn from_private(body: &str) -> Option<Dynamic> {
        let mut chars = body.chars();
        let letter = chars.next()?;
        let text = chars.as_str();
        Some(match letter {
            PRIVATE_PREFIX => Dynamic::String(body.to_owned()),
            'd' => Dynamic::DateTime(crate::datetime::parse(text)?),
            't' => Dynamic::TimeSpan(crate::timespan::parse(text)?),
            'g' => Dynamic::Guid(text.to_owned()),
            'm' => Dynamic::Decimal(text.to_owned()),
            'r' => Dynamic::Real(crate::number::parse_real(text)?),
            _ => return None,
        })
    }
}

/// The parts of a string as it stands in canonical text: what a reader without a tree needs to tell scalars.
#[derive(Debug, Clone, PartialEq)]
pub enum CanonicalString<'a> {
    Plain(&'a str),
    Scalar(Dynamic),
}

/// Tells a plain string of canonical text (unescaped) from a Kusto scalar in disguise.
pub fn read_canonical_string(text: &str) -> CanonicalString<'_> {
    match text.strip_prefix(PRIVATE_PREFIX) {
        None => CanonicalString::Plain(text),
        Some(body) if body.starts_with(PRIVATE_PREFIX) => CanonicalString::Plain(body),
        Some(body) => match Dynamic::from_private(body) {
            Some(value) => CanonicalString::Scalar(value),
            None => CanonicalString::Plain(text),
        },
    }
}

#[cfg(test)]
pub(crate) mod arbitrary {
    //! Any dynamic value, for property tests.

    use super::Dynamic;
    use proptest::prelude::*;

    pub fn scalar() -> impl Strategy<Value = Dynamic> {
        prop_oneof![
            Just(Dynamic::Null),
            any::<bool>().prop_map(Dynamic::Bool),
            any::<i64>().prop_map(Dynamic::Long),
            any::<f64>().prop_filter("NaN is not equal to itself", |v| !v.is_nan()).prop_map(Dynamic::Real),
            (0i64..=crate::datetime::MAX).prop_map(Dynamic::DateTime),
            any::<i64>().prop_map(Dynamic::TimeSpan),
            Just(Dynamic::Decimal("1.5".to_owned())),
            Just(Dynamic::Guid("0f8fad5b-d9cb-469f-a165-70867728950e".to_owned())),
            ".{0,8}".prop_map(Dynamic::String),
            "\u{E000}{1,2}[a-z]{0,3}".prop_map(Dynamic::String),
        ]
    }

    pub fn value() -> impl Strategy<Value = Dynamic> {
        scalar().prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Dynamic::Array),
                prop::collection::btree_map("[a-z\"\\\\é]{0,4}", inner, 0..6)
                    .prop_map(|map| Dynamic::Bag(map.into_iter().collect())),
            ]
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn access() {
        let value = Dynamic::parse_json(r#"{"a":[1,2.5,null]}"#).unwrap();
        assert_eq!(value.get("a").and_then(|a| a.at(-2)), Some(&Dynamic::Real(2.5)));
        assert_eq!(value.get("a").and_then(|a| a.at(3)), None);
        assert_eq!(value.get("a").and_then(|a| a.at(-4)), None);
        assert_eq!(value.type_name(), "dictionary");
        assert_eq!(value.get("b"), None);
    }
}

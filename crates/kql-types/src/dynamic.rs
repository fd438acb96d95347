//! dynamic: a JSON value plus Kusto's scalars.
//!
//! In columns it travels as text: canonical JSON, compact, keys in order of first appearance, last
//! duplicate wins, longs and reals lexically apart (`1` and `1.0`). datetime, timespan, guid, decimal, NaN and
//! infinities inside are JSON strings with the private prefix U+E000 and a letter; a U+E000 at the start of real data is doubled.
//! The dynamic null at top level is an Arrow null, never the text `null`.

/// A parsed dynamic value.
#[derive(Debug, Clone, PartialEq)]
pub enum Dynamic {
    Null,
    Bool(bool),
    Long(i64),
    Real(f64),
    Decimal(String),
    DateTime(i64),
    TimeSpan(i64),
    Guid(String),
    String(String),
    Array(Vec<Dynamic>),
    /// Keys in order of first appearance, unique.
    Bag(Vec<(String, Dynamic)>),
}

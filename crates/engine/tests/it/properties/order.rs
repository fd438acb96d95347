//! Comparing and sorting: nulls, NaN, infinities, the first and last ticks, numbers of different types.

use std::cmp::Ordering;

use kql_types::{ScalarType, Value, datetime};
use proptest::prelude::*;

use super::{Row, Table, ask, cases, engine, shown};

const TICKS_MAX: i64 = 3_155_378_975_999_999_999;

fn real() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => prop::sample::select(vec![
            f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 0.5, -1.25, 1e300, -1e300, f64::MIN_POSITIVE,
            9_223_372_036_854_775_807.0, -9_223_372_036_854_775_808.0, 3.0,
        ]),
        1 => any::<f64>(),
    ]
}

fn long() -> impl Strategy<Value = i64> {
    prop_oneof![
        3 => prop::sample::select(vec![0, 1, -1, 3, i64::MAX, i64::MIN, i64::MAX - 1, i64::MIN + 1, 1 << 53, (1 << 53) + 1]),
        1 => any::<i64>(),
    ]
}

/// Values of one type, nulls among them.
fn values(ty: ScalarType) -> BoxedStrategy<Value> {
    let some = match ty {
        ScalarType::Real => real().prop_map(Value::Real).boxed(),
        ScalarType::Long => long().prop_map(Value::Long).boxed(),
        ScalarType::Int => prop::sample::select(vec![0, 3, -1, i32::MAX, i32::MIN]).prop_map(Value::Int).boxed(),
        ScalarType::DateTime => prop_oneof![
            prop::sample::select(vec![0, 1, TICKS_MAX, TICKS_MAX - 1, datetime::UNIX_EPOCH, datetime::UNIX_EPOCH - 1]),
            0..=TICKS_MAX,
        ]
        .prop_map(Value::DateTime)
        .boxed(),
        ScalarType::TimeSpan => long().prop_map(Value::TimeSpan).boxed(),
        ScalarType::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        ScalarType::String => {
            prop::sample::select(vec!["", "a", "A", "aa", "b", "é", "z", "\u{10000}", "\u{ffff}", " "])
                .prop_map(|text| Value::String(text.to_owned()))
                .boxed()
        }
        other => panic!("no values of {other:?}"),
    };
    if ty == ScalarType::String {
        return some;
    }
    prop_oneof![1 => Just(Value::Null(ty)), 5 => some].boxed()
}

const TYPES: [ScalarType; 7] = [
    ScalarType::Real,
    ScalarType::Long,
    ScalarType::Int,
    ScalarType::DateTime,
    ScalarType::TimeSpan,
    ScalarType::Bool,
    ScalarType::String,
];

/// Pairs of types that `==` and `<` compare.
fn pair() -> impl Strategy<Value = (ScalarType, ScalarType)> {
    let same = prop::sample::select(TYPES.to_vec()).prop_map(|ty| (ty, ty));
    let numbers = prop::sample::select(vec![ScalarType::Real, ScalarType::Long, ScalarType::Int]);
    prop_oneof![same, (numbers.clone(), numbers)]
}

/// The order of two values that are there; None beside NaN.
fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    let whole = |value: &Value| match value {
        Value::Int(number) => Some(i64::from(*number)),
        Value::Long(number) | Value::DateTime(number) | Value::TimeSpan(number) => Some(*number),
        _ => None,
    };
    match (a, b, whole(a), whole(b)) {
        (_, _, Some(a), Some(b)) => Some(a.cmp(&b)),
        (Value::Real(a), Value::Real(b), ..) => a.partial_cmp(b),
        // The common type of a long and a real is real.
        (_, Value::Real(b), Some(a), _) => (a as f64).partial_cmp(b),
        (Value::Real(a), _, _, Some(b)) => a.partial_cmp(&(b as f64)),
        (Value::Bool(a), Value::Bool(b), ..) => Some(a.cmp(b)),
        (Value::String(a), Value::String(b), ..) => Some(a.as_bytes().cmp(b.as_bytes())),
        other => panic!("{other:?}"),
    }
}

const OPERATORS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

/// A comparison of `a` and `b` as the language has it: texts are ordered by `strcmp`, bools as numbers.
fn written(ty: ScalarType, operator: &str) -> String {
    match ty {
        _ if matches!(operator, "==" | "!=") => format!("a {operator} b"),
        ScalarType::String => format!("strcmp(a, b) {operator} 0"),
        ScalarType::Bool => format!("tolong(a) {operator} tolong(b)"),
        _ => format!("a {operator} b"),
    }
}

fn is_null(value: &Value) -> bool {
    matches!(value, Value::Null(_))
}

/// `==`, `!=`, `<`, `<=`, `>`, `>=` of two values.
fn expected(a: &Value, b: &Value) -> Row {
    let null = Value::Null(ScalarType::Bool);
    let equality = match (is_null(a), is_null(b)) {
        (true, true) => [null.clone(), null.clone()],
        (false, false) => {
            let equal = compare(a, b) == Some(Ordering::Equal);
            [Value::Bool(equal), Value::Bool(!equal)]
        }
        _ => [Value::Bool(false), Value::Bool(true)],
    };
    let ordered = |test: fn(Ordering) -> bool| {
        if is_null(a) || is_null(b) { null.clone() } else { Value::Bool(compare(a, b).is_some_and(test)) }
    };
    let mut row = equality.to_vec();
    row.extend([Ordering::is_lt, Ordering::is_le, Ordering::is_gt, Ordering::is_ge].map(ordered));
    row
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn comparing((types, rows) in pair().prop_flat_map(|types| {
        (Just(types), prop::collection::vec((values(types.0), values(types.1)), 1..30))
    })) {
        let columns = [("a", types.0), ("b", types.1)];
        let engine = engine(vec![Table("T", &columns, rows.iter().map(|(a, b)| vec![a.clone(), b.clone()]).collect())]);
        let operators = OPERATORS.map(|operator| written(types.0, operator));
        let found = ask(&engine, &format!("T | project {}", operators.join(", ")));
        let expected: Vec<Row> = rows.iter().map(|(a, b)| expected(a, b)).collect();
        prop_assert_eq!(shown(&found), shown(&expected), "{:?}", rows);
        let column = rows.len() % OPERATORS.len();
        let kept = expected.iter().filter(|row| row[column] == Value::Bool(true)).count() as i64;
        let count = ask(&engine, &format!("T | where {} | count", operators[column]));
        prop_assert_eq!(&count, &[[Value::Long(kept)]], "{} of {:?}", operators[column], rows);
    }

    #[test]
    fn sorting(
        (ty, rows) in prop::sample::select(TYPES.to_vec()).prop_flat_map(|ty| {
            (Just(ty), prop::collection::vec(values(ty), 1..30))
        }),
        descending in any::<bool>(),
        nulls in prop::sample::select(vec![None, Some(true), Some(false)]),
    ) {
        // Zeros of both signs are apart in a sort (`docs/differences.md`).
        let plain = |value: Value| match value {
            Value::Real(number) => Value::Real(number + 0.0),
            other => other,
        };
        let rows: Vec<Value> = rows.into_iter().map(plain).collect();
        let table = rows.iter().zip(0..).map(|(value, id)| vec![value.clone(), Value::Long(id)]).collect();
        let engine = engine(vec![Table("T", &[("v", ty), ("id", ScalarType::Long)], table)]);
        let way = if descending { "desc" } else { "asc" };
        let nulls_first = nulls.unwrap_or(!descending);
        let places = nulls.map_or("", |first| if first { " nulls first" } else { " nulls last" });
        let found = ask(&engine, &format!("T | sort by v {way}{places}, id asc | project id"));
        let mut ids: Vec<usize> = (0..rows.len()).collect();
        // NaN stands between null and the numbers, on whichever side null is.
        let is_nan = |value: &Value| matches!(value, Value::Real(number) if number.is_nan());
        ids.sort_by(|a, b| {
            let (a, b) = (&rows[*a], &rows[*b]);
            match (is_null(a), is_null(b)) {
                (true, true) => Ordering::Equal,
                (true, false) => if nulls_first { Ordering::Less } else { Ordering::Greater },
                (false, true) => if nulls_first { Ordering::Greater } else { Ordering::Less },
                (false, false) => {
                    match compare(a, b) {
                        Some(order) if descending => order.reverse(),
                        Some(order) => order,
                        None if nulls_first => is_nan(b).cmp(&is_nan(a)),
                        None => is_nan(a).cmp(&is_nan(b)),
                    }
                }
            }
        });
        let expected: Vec<Row> = ids.iter().map(|id| vec![Value::Long(*id as i64)]).collect();
        prop_assert_eq!(shown(&found), shown(&expected), "{} of {:?}", way, rows);
        let first = ask(&engine, &format!("T | sort by v {way}{places}, id asc | take 3 | project id"));
        prop_assert_eq!(shown(&first), shown(&expected[..expected.len().min(3)]), "the first of {:?}", rows);
    }
}

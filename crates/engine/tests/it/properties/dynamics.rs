//! Values inside of dynamic ones compare as they do outside; arrays that are empty, null or no arrays are expanded.

use kql_types::{Dynamic, ScalarType, Value};
use proptest::prelude::*;

use super::{Row, Table, ask, assert_same_rows, cases, engine, shown};

const TICKS_MAX: i64 = 3_155_378_975_999_999_999;

fn scalar(ty: ScalarType) -> BoxedStrategy<Value> {
    let some = match ty {
        ScalarType::Long => prop::sample::select(vec![0, 3, -1, i64::MAX, i64::MIN]).prop_map(Value::Long).boxed(),
        ScalarType::Real => {
            prop::sample::select(vec![0.5, 3.0, -1e300, f64::MIN_POSITIVE]).prop_map(Value::Real).boxed()
        }
        ScalarType::DateTime => prop::sample::select(vec![0, 1, TICKS_MAX]).prop_map(Value::DateTime).boxed(),
        ScalarType::TimeSpan => {
            prop::sample::select(vec![0, 1, -1, i64::MAX, i64::MIN]).prop_map(Value::TimeSpan).boxed()
        }
        _ => any::<bool>().prop_map(Value::Bool).boxed(),
    };
    prop_oneof![1 => Just(Value::Null(ty)), 5 => some].boxed()
}

const TYPES: [ScalarType; 5] =
    [ScalarType::Long, ScalarType::Real, ScalarType::DateTime, ScalarType::TimeSpan, ScalarType::Bool];

fn element() -> impl Strategy<Value = Dynamic> {
    prop_oneof![
        4 => (-5..20_i64).prop_map(Dynamic::Long),
        1 => Just(Dynamic::Null),
        1 => prop::sample::select(vec!["", "a", "7"]).prop_map(|s| Dynamic::String(s.to_owned())),
    ]
}

fn document() -> impl Strategy<Value = Dynamic> {
    prop_oneof![
        5 => prop::collection::vec(element(), 0..5).prop_map(Dynamic::Array),
        2 => Just(Dynamic::Array(Vec::new())),
        1 => Just(Dynamic::Null),
        1 => Just(Dynamic::Bag(Vec::new())),
        1 => element().prop_map(|value| Dynamic::Bag(vec![("k".into(), value)])),
        1 => element(),
    ]
}

/// What `mv-expand` makes of a value: an empty array or bag gives nothing, null one null, any other value itself.
fn elements(value: &Dynamic) -> Vec<Dynamic> {
    match value {
        Dynamic::Array(items) => items.clone(),
        Dynamic::Bag(items) => items.iter().map(|item| Dynamic::Bag(vec![item.clone()])).collect(),
        other => vec![other.clone()],
    }
}

fn dynamic(value: Dynamic) -> Value {
    if value.is_null() { Value::Null(ScalarType::Dynamic) } else { Value::Dynamic(value) }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn a_value_compares_inside_as_outside((ty, rows) in prop::sample::select(TYPES.to_vec())
        .prop_flat_map(|ty| (Just(ty), prop::collection::vec((scalar(ty), scalar(ty)), 1..20))))
    {
        let table = rows.iter().map(|(a, b)| vec![a.clone(), b.clone()]).collect();
        let engine = engine(vec![Table("T", &[("a", ty), ("b", ty)], table)]);
        let operators = ["==", "!=", "<", "<=", ">", ">="];
        // Only numbers have an order inside.
        let ordered = matches!(ty, ScalarType::Long | ScalarType::Real);
        let operators = if ordered { &operators[..] } else { &operators[..2] };
        let list = |left: &str| operators.iter().map(|o| format!("{left} {o} b")).collect::<Vec<_>>().join(", ");
        let outside = ask(&engine, &format!("T | project {}", list("a")));
        let inside = ask(&engine, &format!("T | extend d = pack_array(a)[0] | project {}", list("d")));
        prop_assert_eq!(shown(&inside), shown(&outside), "{:?}", rows);
        let same = ask(&engine, "T | extend d = pack_array(a, b) | project tostring(d[0]) == tostring(d[1]), tostring(a) == tostring(b)");
        prop_assert!(same.iter().all(|row| row[0] == row[1]), "{rows:?}");
    }

    #[test]
    fn arrays_sort_both_ways(values in prop::collection::vec(element(), 0..8)) {
        let rows = vec![vec![Value::Dynamic(Dynamic::Array(values.clone()))]];
        let engine = engine(vec![Table("T", &[("d", ScalarType::Dynamic)], rows)]);
        let query = "T | extend up = array_sort_asc(d), down = array_sort_desc(d) \
            | project array_length(up), tostring(array_sort_asc(down)) == tostring(up), tostring(array_sort_asc(up)) == tostring(up)";
        let expected = vec![Value::Long(values.len() as i64), Value::Bool(true), Value::Bool(true)];
        prop_assert_eq!(ask(&engine, query), vec![expected], "{:?}", values);
    }

    #[test]
    fn empty_arrays_are_expanded_and_applied_to(values in prop::collection::vec(document(), 1..16)) {
        let rows: Vec<Row> = values.iter().zip(0..).map(|(d, id)| vec![Value::Long(id), dynamic(d.clone())]).collect();
        let engine = engine(vec![Table("T", &[("id", ScalarType::Long), ("d", ScalarType::Dynamic)], rows)]);
        let all = || values.iter().zip(0..).flat_map(|(d, id)| elements(d).into_iter().map(move |e| (id, e)));
        let number = |e: &Dynamic| match e {
            Dynamic::Long(number) => Some(*number),
            Dynamic::String(text) => text.parse().ok(),
            _ => None,
        };
        let expanded: Vec<Row> = all().map(|(id, e)| vec![Value::Long(id), dynamic(e)]).collect();
        assert_same_rows(&ask(&engine, "T | mv-expand d"), &expanded, &format!("{values:?}"));
        // A filter keeps elements; what keeps none drops the row.
        let kept: Vec<Row> = all()
            .filter_map(|(id, e)| number(&e).filter(|n| *n > 4).map(|n| vec![Value::Long(id), Value::Long(n)]))
            .collect();
        let found = ask(&engine, "T | mv-apply e = d to typeof(long) on (where e > 4) | project id, e");
        assert_same_rows(&found, &kept, &format!("{values:?}"));
        // An aggregate without keys gives a row for every row, also over nothing.
        let counted: Vec<Row> = values
            .iter()
            .zip(0..)
            .map(|(d, id)| {
                let numbers: Vec<i64> = elements(d).iter().filter_map(number).collect();
                let sum = numbers.iter().sum();
                vec![Value::Long(id), Value::Long(elements(d).len() as i64), Value::Long(sum)]
            })
            .collect();
        let query = "T | mv-apply e = d to typeof(long) on (summarize n = count(), s = sum(e)) | project id, n, s";
        assert_same_rows(&ask(&engine, query), &counted, &format!("{values:?}"));
        // With keys, nothing gives nothing.
        let query = "T | mv-apply e = d to typeof(long) on (summarize n = count() by e) | summarize sum(n)";
        prop_assert_eq!(ask(&engine, query), vec![vec![Value::Long(all().count() as i64)]]);
    }
}

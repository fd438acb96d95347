//! Every kind of join, over keys with nulls, NaN, empty texts and duplicates: two loops, in which null meets null.

use kql_types::{ScalarType, Value};
use proptest::prelude::*;

use super::{Row, Table, ask, assert_same_rows, cases, engine, shown};

fn key(ty: ScalarType) -> BoxedStrategy<Value> {
    match ty {
        ScalarType::Long => {
            prop_oneof![Just(Value::Null(ty)), (0..4_i64).prop_map(Value::Long), Just(Value::Long(i64::MIN))].boxed()
        }
        ScalarType::Real => {
            let some = prop::sample::select(vec![f64::NAN, 0.5, 1.0, f64::INFINITY]).prop_map(Value::Real);
            prop_oneof![1 => Just(Value::Null(ty)), 5 => some].boxed()
        }
        _ => prop::sample::select(vec!["", "a", "A", "é"]).prop_map(|s| Value::String(s.to_owned())).boxed(),
    }
}

fn side(ty: ScalarType) -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(key(ty), 0..12)
}

/// Whether two keys meet: nulls do, and so does NaN with itself.
fn meet(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Real(a), Value::Real(b)) => a == b || a.is_nan() && b.is_nan(),
        _ => a == b,
    }
}

fn missing(ty: ScalarType) -> Vec<Value> {
    let key = if ty == ScalarType::String { Value::String(String::new()) } else { Value::Null(ty) };
    vec![key, Value::Null(ScalarType::Long)]
}

/// The rows of each kind, with all columns of the sides that it has.
fn expected(left: &[Row], right: &[Row], ty: ScalarType) -> Vec<(&'static str, Vec<Row>)> {
    let both = |a: &[Value], b: &[Value]| [a, b].concat();
    let met = |row: &Row, others: &[Row]| others.iter().any(|other| meet(&row[0], &other[0]));
    let mut inner = Vec::new();
    for a in left {
        inner.extend(right.iter().filter(|b| meet(&a[0], &b[0])).map(|b| both(a, b)));
    }
    let alone_left: Vec<Row> = left.iter().filter(|row| !met(row, right)).map(|row| both(row, &missing(ty))).collect();
    let alone_right: Vec<Row> = right.iter().filter(|row| !met(row, left)).map(|row| both(&missing(ty), row)).collect();
    let some = |rows: &[Row], others: &[Row], wanted: bool| -> Vec<Row> {
        rows.iter().filter(|row| met(row, others) == wanted).cloned().collect()
    };
    vec![
        ("inner", inner.clone()),
        ("leftouter", [inner.clone(), alone_left.clone()].concat()),
        ("rightouter", [inner.clone(), alone_right.clone()].concat()),
        ("fullouter", [inner, alone_left, alone_right].concat()),
        ("leftsemi", some(left, right, true)),
        ("leftanti", some(left, right, false)),
        ("anti", some(left, right, false)),
        ("rightsemi", some(right, left, true)),
        ("rightanti", some(right, left, false)),
    ]
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn joins_are_two_loops((ty, left, right) in prop::sample::select(vec![ScalarType::Long, ScalarType::String, ScalarType::Real])
        .prop_flat_map(|ty| (Just(ty), side(ty), side(ty))))
    {
        let columns = [("k", ty), ("v", ScalarType::Long)];
        let rows = |keys: &[Value]| -> Vec<Row> {
            keys.iter().zip(0..).map(|(key, id)| vec![key.clone(), Value::Long(id)]).collect()
        };
        let (left, right) = (rows(&left), rows(&right));
        let engine = engine(vec![Table("L", &columns, left.clone()), Table("R", &columns, right.clone())]);
        for (kind, expected) in expected(&left, &right, ty) {
            assert_same_rows(&ask(&engine, &format!("L | join kind={kind} R on k")), &expected, kind);
        }
        // `lookup` is a join whose right key is left out.
        let found = ask(&engine, "L | lookup kind=leftouter (R | project k, w = v) on k");
        let outer: Vec<Row> = ask(&engine, "L | join kind=leftouter R on k").into_iter().map(|row| vec![row[0].clone(), row[1].clone(), row[3].clone()]).collect();
        assert_same_rows(&found, &outer, "lookup");
        unique(&engine, &left, &right)?;
    }
}

/// The default kind: of the left rows with one key any one, which every right row of the key meets.
fn unique(engine: &engine::Engine, left: &[Row], right: &[Row]) -> Result<(), TestCaseError> {
    let mut firsts: Vec<&Row> = Vec::new();
    for row in left {
        if !firsts.iter().any(|first| meet(&first[0], &row[0])) {
            firsts.push(row);
        }
    }
    let mut expected = Vec::new();
    for first in firsts {
        expected.extend(right.iter().filter(|b| meet(&first[0], &b[0])).cloned());
    }
    let found = ask(engine, "L | join R on k");
    let rights: Vec<Row> = found.iter().map(|row| row[2..].to_vec()).collect();
    assert_same_rows(&rights, &expected, "the default join");
    for row in &found {
        let known = left.iter().any(|known| shown(std::slice::from_ref(known)) == shown(&[row[..2].to_vec()]));
        prop_assert!(known && meet(&row[0], &row[2]), "{row:?}");
    }
    Ok(())
}

//! Arithmetic that wraps, bins of negative numbers, instants and spans, and how near `dcount` comes.

use std::collections::HashSet;

use kql_types::{ScalarType, Value};
use proptest::prelude::*;

use super::{Row, Table, ask, cases, cell, engine, shown};

const TICKS_MAX: i64 = 3_155_378_975_999_999_999;

fn long() -> impl Strategy<Value = i64> {
    prop_oneof![
        prop::sample::select(vec![0, 1, -1, 2, 7, -7, 13, i64::MAX, i64::MIN, i64::MIN + 1, 1 << 40, -(1 << 62)]),
        any::<i64>(),
        -100..100_i64,
    ]
}

fn wrapped(value: i128) -> i64 {
    value as i64
}

/// The greatest multiple of `size` that is not above; None beyond the longs.
fn floor(value: i64, size: i64) -> Option<i64> {
    let (value, size) = (i128::from(value), i128::from(size));
    let mut times = value / size;
    if times * size > value {
        times -= 1;
    }
    i64::try_from(times * size).ok()
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn longs_wrap(rows in prop::collection::vec((prop::option::weighted(0.9, long()), prop::option::weighted(0.9, long())), 1..30)) {
        let ty = ScalarType::Long;
        let table = rows.iter().map(|(a, b)| vec![cell(*a, ty, Value::Long), cell(*b, ty, Value::Long)]).collect();
        let engine = engine(vec![Table("T", &[("a", ty), ("b", ty)], table)]);
        let found = ask(&engine, "T | project a + b, a - b, a * b, a / b, a % b, -a");
        let expected: Vec<Row> = rows.iter().map(|(a, b)| {
            let with = |f: &dyn Fn(i128, i128) -> Option<i128>| {
                let value = a.zip(*b).and_then(|(a, b)| f(i128::from(a), i128::from(b))).map(wrapped);
                cell(value, ty, Value::Long)
            };
            vec![
                with(&|a, b| Some(a + b)),
                with(&|a, b| Some(a - b)),
                with(&|a, b| Some(a * b)),
                with(&|a, b| if b == 0 { None } else { Some(a / b) }),
                // The rest is never negative.
                with(&|a, b| if b == 0 { None } else { Some(((a % b) + b.abs()) % b.abs()) }),
                cell(a.map(|a| wrapped(-i128::from(a))), ty, Value::Long),
            ]
        }).collect();
        prop_assert_eq!(shown(&found), shown(&expected), "{:?}", rows);
        let sum = rows.iter().filter_map(|(a, _)| *a).map(i128::from).sum::<i128>();
        let found = ask(&engine, "T | summarize sum(a), sumif(a, b > 0)");
        let some = rows.iter().filter(|(_, b)| b.is_some_and(|b| b > 0)).filter_map(|(a, _)| *a).map(i128::from);
        prop_assert_eq!(&found, &[[Value::Long(wrapped(sum)), Value::Long(wrapped(some.sum::<i128>()))]], "{:?}", rows);
    }

    #[test]
    fn bins_are_floors(
        rows in prop::collection::vec(prop::option::weighted(0.9, long()), 1..30),
        times in prop::collection::vec(0..=TICKS_MAX, 1..10),
        size in prop_oneof![1..50_i64, Just(i64::MAX), any::<i64>().prop_map(|n| (n >> 1).abs().max(1))],
    ) {
        let ty = ScalarType::Long;
        let table: Vec<Row> = rows.iter().map(|a| vec![cell(*a, ty, Value::Long), cell(*a, ScalarType::TimeSpan, Value::TimeSpan)]).collect();
        let moments = times.iter().map(|t| vec![Value::DateTime(*t)]).collect();
        let engine = engine(vec![
            Table("T", &[("a", ty), ("s", ScalarType::TimeSpan)], table),
            Table("M", &[("t", ScalarType::DateTime)], moments),
        ]);
        let query = format!("T | project bin(a, {size}), bin(s, {size} * 1tick), bin_at(a, {size}, 3), floor(a, {size})");
        let expected: Vec<Row> = rows.iter().map(|a| {
            let bin = a.and_then(|a| floor(a, size));
            let at = a.and_then(|a| floor(a.checked_sub(3)?, size)?.checked_add(3));
            vec![cell(bin, ty, Value::Long), cell(bin, ScalarType::TimeSpan, Value::TimeSpan), cell(at, ty, Value::Long), cell(bin, ty, Value::Long)]
        }).collect();
        prop_assert_eq!(shown(&ask(&engine, &query)), shown(&expected), "{} of {:?}", size, rows);
        let expected: Vec<Row> = times.iter().map(|t| vec![cell(floor(*t, size), ScalarType::DateTime, Value::DateTime)]).collect();
        let found = ask(&engine, &format!("M | project bin(t, {size} * 1tick)"));
        prop_assert_eq!(shown(&found), shown(&expected), "{} of {:?}", size, times);
        // Groups are the bins.
        let bins: HashSet<Option<i64>> = rows.iter().map(|a| a.and_then(|a| floor(a, size))).collect();
        let found = ask(&engine, &format!("T | summarize by bin(a, {size}) | count"));
        prop_assert_eq!(&found, &[[Value::Long(bins.len() as i64)]]);
    }

    #[test]
    fn bins_of_reals_are_floors(rows in prop::collection::vec(-1e6..1e6_f64, 1..30), size in prop::sample::select(vec![0.5, 0.25, 2.0, 3.0, 1e3])) {
        let ty = ScalarType::Real;
        let engine = engine(vec![Table("T", &[("r", ty)], rows.iter().map(|r| vec![Value::Real(*r)]).collect())]);
        let found = ask(&engine, &format!("T | project bin(r, {size})"));
        for (found, real) in found.iter().zip(&rows) {
            let Value::Real(bin) = found[0] else { panic!("{found:?}") };
            prop_assert!(bin <= *real && real - bin < size && (bin / size).fract() == 0.0, "{bin} of {real} by {size}");
        }
    }
}

proptest! {
    #![proptest_config(cases(24))]

    /// Within four times the error that the documentation gives for each accuracy.
    #[test]
    fn dcount_is_near(count in 1..20_000_usize, salt in any::<i64>(), accuracy in 0..=4_usize) {
        let allowed: f64 = 4.0 * [0.016, 0.008, 0.004, 0.0028, 0.002][accuracy];
        let values: Vec<i64> = (0..count as i64).map(|n| (n ^ salt).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64)).collect();
        let distinct = values.iter().collect::<HashSet<_>>().len() as f64;
        let rows = values.iter().chain(values.iter().take(100)).map(|n| vec![Value::Long(*n)]).collect();
        let engine = engine(vec![Table("T", &[("a", ScalarType::Long)], rows)]);
        let query = format!("T | summarize dcount(a, {accuracy}), dcount(tostring(a), {accuracy}), dcount_hll(hll(a, {accuracy}))");
        let found = ask(&engine, &query);
        for value in &found[0] {
            let Value::Long(estimate) = value else { panic!("{value:?}") };
            let error = (*estimate as f64 - distinct).abs() / distinct;
            prop_assert!(error <= allowed.max(1.0 / distinct), "{estimate} of {distinct} at accuracy {accuracy}");
        }
    }
}

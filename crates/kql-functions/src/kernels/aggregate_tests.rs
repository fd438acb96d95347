//! Tests of all aggregates through one harness: whole input, split input, and partial states merged must agree.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal256Array, Float64Array, Int32Array, Int64Array, StringViewArray,
};
use arrow::datatypes::i256;
use kql_types::ScalarType::{self, *};
use kql_types::{Overload, Return};
use proptest::prelude::*;

use super::elements::Elements;
use super::{AggregateCall, Args, GroupState, aggregate_state::DECIMAL};

fn longs(values: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<Int64Array>())
}

fn ints(values: &[Option<i32>]) -> ArrayRef {
    Arc::new(Int32Array::from(values.to_vec()))
}

fn reals(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringViewArray::from_iter_values(values))
}

fn dynamics(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(values.iter().collect::<StringViewArray>())
}

fn bools(values: &[Option<bool>]) -> ArrayRef {
    Arc::new(BooleanArray::from(values.to_vec()))
}

/// A call of an aggregate in a test.
struct Call {
    name: &'static str,
    columns: Vec<(ArrayRef, ScalarType)>,
    constants: Vec<bool>,
    groups: Vec<usize>,
    total: usize,
}

fn call(name: &'static str, columns: &[(ArrayRef, ScalarType)]) -> Call {
    let rows = columns.first().map_or(0, |column| column.0.len());
    let constants = vec![false; columns.len()];
    Call { name, columns: columns.to_vec(), constants, groups: vec![0; rows], total: 1 }
}

impl Call {
    fn by(mut self, groups: &[usize]) -> Call {
        self.groups = groups.to_vec();
        self.total = groups.iter().max().map_or(0, |most| most + 1);
        self
    }

    fn constant(mut self, column: ArrayRef, ty: ScalarType) -> Call {
        self.columns.push((column, ty));
        self.constants.push(true);
        self
    }

    fn types(&self) -> Vec<ScalarType> {
        self.columns.iter().map(|column| column.1).collect()
    }

    fn returns(&self) -> ScalarType {
        let aggregate = crate::aggregate(self.name).unwrap();
        let types = self.types();
        let fits = |overload: &&Overload| {
            let required = overload.params.iter().filter(|param| !param.optional).count();
            let repeats = overload.params.iter().any(|param| param.repeat);
            types.len() >= required && (repeats || types.len() <= overload.params.len())
        };
        match aggregate.overloads.iter().find(fits).unwrap().returns {
            Return::Type(ty) => ty,
            Return::Argument(index) => types[index],
            Return::Widened(index) if types[index] == Int => Long,
            Return::Widened(index) => types[index],
            Return::Custom(f) => f(&types),
            other => panic!("{other:?}"),
        }
    }

    fn state(&self) -> Box<dyn GroupState> {
        let constants: Vec<Option<ArrayRef>> = self
            .columns
            .iter()
            .zip(&self.constants)
            .map(|(column, constant)| constant.then(|| column.0.clone()))
            .collect();
        let call = AggregateCall { types: &self.types(), returns: self.returns(), constants: &constants };
        crate::aggregate(self.name).unwrap().kernel.unwrap()(&call).unwrap()
    }

    fn update(&self, state: &mut dyn GroupState, rows: std::ops::Range<usize>) {
        let columns: Vec<ArrayRef> = self
            .columns
            .iter()
            .zip(&self.constants)
            .map(|(column, constant)| if *constant { column.0.clone() } else { column.0.slice(rows.start, rows.len()) })
            .collect();
        let args = Args {
            columns: &columns,
            constant: &self.constants,
            types: &self.types(),
            returns: self.returns(),
            rows: rows.len(),
        };
        state.update(&args, &self.groups[rows], self.total).unwrap();
        assert!(state.size() < 100_000_000);
    }

    /// All rows at once.
    fn whole(&self) -> ArrayRef {
        let mut state = self.state();
        self.update(&mut *state, 0..self.groups.len());
        let out = state.take_final(self.total).unwrap();
        assert_eq!(out.len(), self.total);
        out
    }

    /// Row by row, and the groups taken out in two steps.
    fn split(&self) -> ArrayRef {
        let mut state = self.state();
        (0..self.groups.len()).for_each(|row| self.update(&mut *state, row..row + 1));
        let first = state.take_final(self.total / 2).unwrap();
        let rest = state.take_final(self.total - self.total / 2).unwrap();
        arrow::compute::concat(&[&first, &rest]).unwrap()
    }

    /// Two partial states merged by a third.
    fn merged(&self) -> ArrayRef {
        let middle = self.groups.len() / 2;
        let mut last = self.state();
        for rows in [0..middle, middle..self.groups.len()] {
            let mut part = self.state();
            self.update(&mut *part, rows);
            let partial = part.take_partial(self.total).unwrap();
            let types: Vec<_> = partial.iter().map(|column| column.data_type().clone()).collect();
            assert_eq!(types, part.partial_types(), "{}", self.name);
            last.merge(&partial, &(0..self.total).collect::<Vec<_>>(), self.total).unwrap();
        }
        last.take_final(self.total).unwrap()
    }

    /// The results as canonical text; the three ways agree.
    fn results(&self) -> Vec<std::string::String> {
        let (whole, split, merged) = (self.whole(), self.split(), self.merged());
        let whole = written(&whole, self.returns());
        assert_eq!(whole, written(&split, self.returns()), "{} split", self.name);
        assert_eq!(whole, written(&merged, self.returns()), "{} merged", self.name);
        whole
    }

    #[track_caller]
    fn gives(&self, expected: &[&str]) {
        assert_eq!(self.results(), expected, "{}", self.name);
    }
}

fn written(column: &ArrayRef, ty: ScalarType) -> Vec<std::string::String> {
    if let Some(rows) = column.as_struct_opt() {
        let fields: Vec<Vec<std::string::String>> = rows
            .columns()
            .iter()
            .map(|column| {
                let ty = match column.data_type() {
                    arrow::datatypes::DataType::Utf8View => String,
                    arrow::datatypes::DataType::Float64 => Real,
                    arrow::datatypes::DataType::Boolean => Bool,
                    _ => Long,
                };
                written(column, ty)
            })
            .collect();
        return (0..rows.len())
            .map(|row| fields.iter().map(|field| field[row].as_str()).collect::<Vec<_>>().join("|"))
            .collect();
    }
    let elements = Elements::new(column, ty).unwrap();
    let write = |row| {
        let mut out = std::string::String::new();
        elements.write(row, &mut out);
        out
    };
    (0..column.len()).map(write).collect()
}

const NAN: &str = "\"\u{E000}rNaN\"";

#[test]
fn counts() {
    let rows = (longs([Some(1), None, Some(3), None]), Long);
    let flags = (bools(&[Some(true), None, Some(false), Some(true)]), Bool);
    call("count", std::slice::from_ref(&rows)).by(&[0, 0, 2, 2]).gives(&["2", "0", "2"]);
    call("count", &[rows]).gives(&["4"]);
    call("countif", std::slice::from_ref(&flags)).by(&[0, 0, 2, 2]).gives(&["1", "0", "1"]);
    call("countif", &[flags]).gives(&["2"]);
}

#[test]
fn sums_skip_nulls_wrap_and_start_at_zero() {
    let groups = [0, 0, 1, 2];
    call("sum", &[(longs([Some(i64::MAX), Some(2), None, Some(5)]), Long)]).by(&groups).gives(&[
        "-9223372036854775807",
        "0",
        "5",
    ]);
    call("sum", &[(ints(&[Some(i32::MAX), Some(1), None, None]), Int)]).by(&groups).gives(&["2147483648", "0", "0"]);
    call("sum", &[(reals(&[1.5, 2.5, f64::NAN, -1.0]), Real)]).by(&groups).gives(&["4.0", NAN, "-1.0"]);
    call("sum", &[(longs([Some(10_000_000), Some(20_000_000)]), TimeSpan)]).gives(&["\"\u{E000}t00:00:03\""]);
    let flags = (bools(&[Some(true), Some(false), None, Some(true)]), Bool);
    call("sumif", &[(longs([Some(1), Some(2), Some(4), Some(8)]), Long), flags.clone()]).gives(&["9"]);
    call("sumif", &[(longs([Some(1), Some(2), Some(4), Some(8)]), Long), flags]).by(&groups).gives(&["1", "0", "8"]);
}

#[test]
fn means() {
    let groups = [0, 0, 0, 2];
    let values = longs([Some(i64::MAX - 1), Some(1), Some(i64::MAX), None]);
    call("avg", &[(values, Long)]).by(&groups).gives(&["-0.6666666666666666", NAN, NAN]);
    call("avg", &[(ints(&[Some(1), Some(2), None, Some(7)]), Int)]).by(&groups).gives(&["1.5", NAN, "7.0"]);
    // Two datetimes whose sum does not fit 64 bits... and the empty mean of a datetime is null.
    let late = 3_000_000_000_000_000_000;
    let times = longs([Some(late), Some(late + 2), Some(late + 4), None]);
    let mean = call("avg", &[(times, DateTime)]).by(&groups).results();
    assert_eq!((mean[1].as_str(), mean[2].as_str()), ("null", "null"));
    assert_eq!(mean[0], written(&longs([Some(late + 2)]), DateTime)[0]);
    call("avg", &[(longs([Some(3), Some(4)]), TimeSpan)]).gives(&["\"\u{E000}t00:00:00.0000003\""]);
    let flags = (bools(&[Some(true), Some(false), Some(true), None]), Bool);
    call("avgif", &[(longs([Some(1), Some(2), Some(4), Some(9)]), Long), flags]).gives(&["2.5"]);
}

#[test]
fn decimals() {
    let unit = i256::from_string(&format!("1{}", "0".repeat(38))).unwrap();
    let tenth = unit.checked_div(i256::from(10)).unwrap();
    let values = [11, 22, 33].map(|n| Some(tenth * i256::from(n)));
    let column: ArrayRef = Arc::new(Decimal256Array::from(values.to_vec()).with_data_type(DECIMAL));
    call("sum", &[(column.clone(), Decimal)]).gives(&["\"\u{E000}m6.6\""]);
    call("avg", &[(column.clone(), Decimal)]).gives(&["\"\u{E000}m2.2\""]);
    call("max", &[(column.clone(), Decimal)]).gives(&["\"\u{E000}m3.3\""]);
    call("dcount", &[(column.clone(), Decimal)]).gives(&["3"]);
    call("make_set", &[(column.clone(), Decimal)]).gives(&["[\"\u{E000}m1.1\",\"\u{E000}m2.2\",\"\u{E000}m3.3\"]"]);
    call("percentile", &[(column.clone(), Decimal)]).constant(reals(&[50.0]), Real).gives(&["\"\u{E000}m2.2\""]);
    let variance = call("variance", &[(column, Decimal)]).whole();
    assert!((variance.as_primitive::<arrow::datatypes::Float64Type>().value(0) - 1.21).abs() < 1e-12);
}

#[test]
fn extremes() {
    let groups = [0, 0, 1, 3];
    call("min", &[(longs([Some(3), Some(2), None, Some(9)]), Long)]).by(&groups).gives(&["2", "null", "null", "9"]);
    call("max", &[(longs([Some(3), Some(2), None, Some(9)]), Long)]).by(&groups).gives(&["3", "null", "null", "9"]);
    call("max", &[(longs([Some(3), None]), Long)]).gives(&["3"]);
    call("min", &[(texts(&["b", "a", "", "é"]), String)]).by(&groups).gives(&["\"a\"", "\"\"", "\"\"", "\"é\""]);
    call("max", &[(texts(&["b", "a", "ab", "é"]), String)]).by(&groups).gives(&["\"b\"", "\"ab\"", "\"\"", "\"é\""]);
    call("max", &[(bools(&[Some(false), Some(true), None, None]), Bool)])
        .by(&groups)
        .gives(&["true", "null", "null", "null"]);
    call("min", &[(bools(&[Some(false), Some(true), None, None]), Bool)])
        .by(&groups)
        .gives(&["false", "null", "null", "null"]);
    let flags = (bools(&[Some(true), Some(false), Some(true), None]), Bool);
    call("minif", &[(longs([Some(5), Some(2), Some(4), Some(1)]), Long), flags.clone()]).gives(&["4"]);
    call("maxif", &[(longs([Some(5), Some(2), Some(4), Some(9)]), Long), flags]).gives(&["5"]);
}

#[test]
fn a_nan_beats_every_number() {
    for name in ["min", "max"] {
        call(name, &[(reals(&[1.0, f64::NAN, 2.0]), Real)]).gives(&[NAN]);
        call(name, &[(reals(&[f64::NAN, 1.0]), Real)]).gives(&[NAN]);
    }
    call("min", &[(reals(&[f64::INFINITY, -1.0, f64::NEG_INFINITY]), Real)]).gives(&["\"\u{E000}r-Infinity\""]);
}

#[test]
fn distinct_counts() {
    let groups = [0, 0, 0, 1, 3, 3];
    let values = longs([Some(1), Some(1), Some(2), None, Some(1), Some(5)]);
    for name in ["dcount", "count_distinct"] {
        call(name, &[(values.clone(), Long)]).by(&groups).gives(&["2", "0", "0", "2"]);
        call(name, &[(texts(&["", "a", "", "b", "c", "c"]), String)]).by(&groups).gives(&["2", "1", "0", "1"]);
        call(name, &[(reals(&[0.0, -0.0, f64::NAN, f64::NAN]), Real)]).gives(&["2"]);
        call(name, &[(bools(&[Some(true), None, Some(true)]), Bool)]).gives(&["1"]);
        call(name, &[(ints(&[Some(1), Some(2), Some(1)]), Int)]).gives(&["2"]);
        call(name, &[(dynamics(&[Some(r#"{"a":1,"b":2}"#), Some(r#"{"b":2,"a":1}"#), None]), Dynamic)]).gives(&["1"]);
    }
    let flags = (bools(&[Some(true), Some(true), Some(false), None, Some(true), Some(false)]), Bool);
    call("dcountif", &[(values.clone(), Long), flags.clone()]).by(&groups).gives(&["1", "0", "0", "1"]);
    call("count_distinctif", &[(values.clone(), Long), flags]).gives(&["1"]);
    let many = longs((0..5000).map(|n| Some(n % 2500)));
    let counted: i64 =
        call("dcount", &[(many.clone(), Long)]).constant(longs([Some(4)]), Long).results()[0].parse().unwrap();
    assert!((counted - 2500).abs() < 20, "{counted}");
    call("count_distinct", &[(many, Long)]).gives(&["2500"]);
}

#[test]
fn hll_values() {
    let empty = call("hll", &[(longs([None, Some(0)]), Long)]).by(&[0, 1]).results();
    assert_eq!(empty, ["null", "[[1024,14],[\"3803688792395291579\"],[]]"]);
    let merged =
        call("hll_merge", &[(dynamics(&[Some(&empty[1]), None, Some("[1]"), Some(&empty[1])]), Dynamic)]).results();
    assert_eq!(merged, empty[1..]);
}

#[test]
fn lists() {
    let groups = [0, 0, 2, 2, 2];
    let values = longs([Some(3), None, Some(1), Some(1), Some(2)]);
    call("make_list", &[(values.clone(), Long)]).by(&groups).gives(&["[3]", "[]", "[1,1,2]"]);
    call("make_list", &[(values.clone(), Long)])
        .by(&groups)
        .constant(longs([Some(2)]), Long)
        .gives(&["[3]", "[]", "[1,1]"]);
    call("make_list_with_nulls", &[(values.clone(), Long)]).by(&groups).gives(&["[3,null]", "[]", "[1,1,2]"]);
    let flags = (bools(&[Some(true), Some(true), Some(false), Some(true), None]), Bool);
    call("make_list_if", &[(values, Long), flags]).by(&groups).gives(&["[3]", "[]", "[1]"]);
    call("make_list", &[(texts(&["a\"", "", "b"]), String)]).gives(&[r#"["a\"","","b"]"#]);
    call("make_list", &[(dynamics(&[Some(r#"{"a":1}"#), None, Some("[1,[2],null]"), Some("3")]), Dynamic)])
        .gives(&[r#"[{"a":1},1,[2],3]"#]);
    call("makelist", &[(longs((0..200).map(Some)), Long)]).results()[0].ends_with("127]").then_some(()).unwrap();
}

#[test]
fn sets() {
    let groups = [0, 0, 2, 2, 2];
    let values = longs([Some(3), None, Some(1), Some(1), Some(2)]);
    call("make_set", &[(values.clone(), Long)]).by(&groups).gives(&["[3]", "[]", "[1,2]"]);
    call("make_set", &[(values.clone(), Long)])
        .by(&groups)
        .constant(longs([Some(1)]), Long)
        .gives(&["[3]", "[]", "[1]"]);
    let flags = (bools(&[Some(true), Some(true), Some(false), Some(true), None]), Bool);
    call("make_set_if", &[(values, Long), flags]).by(&groups).gives(&["[3]", "[]", "[1]"]);
    call("make_set", &[(texts(&["b", "a\"", "b", "a\"", ""]), String)]).gives(&[r#"["b","a\"",""]"#]);
    call("make_set", &[(dynamics(&[Some("[\"A1\",\"A2\"]"), Some("\"A2\""), Some("[\"C1\",\"A1\"]"), None]), Dynamic)])
        .gives(&[r#"["A1","A2","C1"]"#]);
    call("make_set", &[(dynamics(&[Some(r#"{"a":1,"b":2}"#), Some(r#"{"b":2,"a":1}"#)]), Dynamic)])
        .gives(&[r#"[{"a":1,"b":2}]"#]);
    let many = call("make_set", &[(longs((0..300).map(|n| Some(n % 100))), Long)]).results();
    assert_eq!(many[0].split(',').count(), 100);
    let old = call("makeset", &[(longs((0..300).map(Some)), Long)]).results();
    assert_eq!(old[0].split(',').count(), 128);
}

#[test]
fn bags() {
    let groups = [0, 0, 0, 2];
    let values =
        dynamics(&[Some(r#"{"a":1,"b":2}"#), Some(r#"{"a":3,"c":null}"#), Some("[1]"), Some(r#"{"x":{"y":1}}"#)]);
    for name in ["make_bag", "make_dictionary"] {
        call(name, &[(values.clone(), Dynamic)]).by(&groups).gives(&[
            r#"{"a":1,"b":2,"c":null}"#,
            "{}",
            r#"{"x":{"y":1}}"#,
        ]);
    }
    let flags = (bools(&[Some(false), Some(true), Some(true), Some(true)]), Bool);
    call("make_bag_if", &[(values.clone(), Dynamic), flags]).gives(&[r#"{"a":3,"c":null,"x":{"y":1}}"#]);
    call("make_bag", &[(values, Dynamic)]).constant(longs([Some(2)]), Long).gives(&[r#"{"a":1,"b":2}"#]);
}

#[test]
fn schemas() {
    let values = dynamics(&[
        Some(r#"{"x":1,"y":3.5}"#),
        Some(r#"{"x":"somevalue","z":[1,2,3]}"#),
        Some(r#"{"y":{"w":"zzz"},"t":["aa","bb"],"z":["foo"]}"#),
    ]);
    call("buildschema", &[(values, Dynamic)]).gives(&[
        r#"{"x":["long","string"],"y":[{"w":"string"},"double"],"z":{"`indexer`":["long","string"]},"t":{"`indexer`":"string"}}"#,
    ]);
    call("buildschema", &[(dynamics(&[None, Some("1")]), Dynamic)]).by(&[0, 1]).gives(&["null", "\"long\""]);
}

#[test]
fn bits() {
    let values = longs([Some(12), Some(10), None, Some(7)]);
    let groups = [0, 0, 1, 2];
    call("binary_all_and", &[(values.clone(), Long)]).by(&groups).gives(&["8", "null", "7"]);
    call("binary_all_or", &[(values.clone(), Long)]).by(&groups).gives(&["14", "null", "7"]);
    call("binary_all_xor", &[(values, Long)]).by(&groups).gives(&["6", "null", "7"]);
    call("binary_all_or", &[(ints(&[Some(1), Some(2)]), Int)]).gives(&["3"]);
}

#[test]
fn spreads() {
    let number = |call: Call| -> Vec<f64> {
        [call.whole(), call.split(), call.merged()]
            .iter()
            .map(|out| out.as_primitive::<arrow::datatypes::Float64Type>().value(0))
            .collect()
    };
    let close = |call: Call, expected: f64| {
        for got in number(call) {
            assert!((got - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{got} for {expected}");
        }
    };
    let values = (longs([Some(1), Some(2), Some(3), Some(4), Some(5), None]), Long);
    close(call("stdev", std::slice::from_ref(&values)), 2.5f64.sqrt());
    close(call("stdevp", std::slice::from_ref(&values)), 2f64.sqrt());
    close(call("variance", std::slice::from_ref(&values)), 2.5);
    close(call("variancep", std::slice::from_ref(&values)), 2.0);
    let flags = (bools(&[Some(true), None, Some(true), Some(false), Some(false), None]), Bool);
    close(call("stdevif", &[values.clone(), flags.clone()]), 2f64.sqrt());
    close(call("varianceif", &[values.clone(), flags.clone()]), 2.0);
    close(call("variancepif", &[values, flags.clone()]), 1.0);
    let x = (reals(&[1.0, 2.0, 3.0, 4.0, 5.0]), Real);
    let y = (reals(&[14.0, 10.0, 17.0, 20.0, 50.0]), Real);
    close(call("covariance", &[x.clone(), y.clone()]), 20.5);
    close(call("covariancep", &[x.clone(), y.clone()]), 16.4);
    let flags = (bools(&[Some(true), Some(true), None, None, None]), Bool);
    close(call("covarianceif", &[x.clone(), y.clone(), flags.clone()]), -2.0);
    close(call("covariancepif", &[x, y, flags]), -1.0);
    call("stdev", &[(longs([Some(7), None]), Long)]).by(&[0, 1]).gives(&["0.0", "0.0"]);
    call("variance", &[(reals(&[f64::INFINITY, 1.0, 2.0]), Real)]).gives(&[NAN]);
    // A large mean against a small spread.
    close(call("variance", &[(reals(&[1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0]), Real)]), 1.0);
}

#[test]
fn percentiles() {
    let values = (longs((0..10).rev().map(Some).chain([None])), Long);
    for (percent, expected) in [(0.0, "0"), (50.0, "4"), (90.0, "8"), (99.0, "9"), (100.0, "9")] {
        call("percentile", std::slice::from_ref(&values)).constant(reals(&[percent]), Real).gives(&[expected]);
    }
    call("percentile", &[(ints(&[Some(1), Some(2), Some(3)]), Int)])
        .by(&[0, 0, 2])
        .constant(longs([Some(50)]), Long)
        .gives(&["1", "null", "3"]);
    let buckets = (longs([10, 20, 30, 40].map(Some)), Long);
    let weights = (longs([8, 6, 3, 1].map(Some)), Long);
    call("percentilew", &[buckets.clone(), weights.clone()]).constant(longs([Some(75)]), Long).gives(&["20"]);
    call("percentilesw_array", &[buckets.clone(), weights.clone()])
        .constant(longs([Some(50)]), Long)
        .constant(longs([Some(75)]), Long)
        .constant(reals(&[99.9]), Real)
        .gives(&["[20,20,40]"]);
    call("percentilesw_array", &[buckets, weights])
        .constant(dynamics(&[Some("[50,75,99.9]")]), Dynamic)
        .gives(&["[20,20,40]"]);
    call("percentiles_array", &[(reals(&[1.5, 2.5]), Real)])
        .by(&[1, 1])
        .constant(dynamics(&[Some("[0,100]")]), Dynamic)
        .gives(&["null", "[1.5,2.5]"]);
    call("percentile", &[(longs([Some(5), Some(7)]), TimeSpan)])
        .constant(longs([Some(100)]), Long)
        .gives(&["\"\u{E000}t00:00:00.0000007\""]);
}

#[test]
fn a_percentile_out_of_range_is_refused() {
    let call = call("percentile", &[(longs([Some(1)]), Long)]).constant(longs([Some(101)]), Long);
    let constants = [None, Some(longs([Some(101)]))];
    let made = AggregateCall { types: &call.types(), returns: Long, constants: &constants };
    assert!(crate::aggregate("percentile").unwrap().kernel.unwrap()(&made).is_err());
}

#[test]
fn digests() {
    call("tdigest", &[(longs([Some(3), Some(1), None]), Long)]).by(&[0, 0, 1]).gives(&["[[1000],[1,3],[1,1]]", "null"]);
    call("tdigest", &[(reals(&[2.0, 1.0]), Real), (longs([Some(2), Some(1)]), Long)])
        .gives(&["[[1000],[1.0,2.0],[1,2]]"]);
    for name in ["tdigest_merge", "merge_tdigest"] {
        call(name, &[(dynamics(&[Some("[[1000],[1],[1]]"), None, Some("[[1000],[2,3],[5,1]]"), Some("{}")]), Dynamic)])
            .gives(&["[[1000],[1,2,3],[1,5,1]]"]);
    }
}

#[test]
fn picks() {
    let groups = [0, 0, 0, 1, 1, 3];
    let by = (longs([Some(5), Some(5), Some(3), None, None, Some(1)]), Long);
    let names = (texts(&["a", "b", "c", "d", "e", "f, a long name that is not inline"]), String);
    call("arg_max", &[by.clone(), names.clone()]).by(&groups).gives(&[
        "5|\"a\"",
        "null|\"d\"",
        "null|\"\"",
        "1|\"f, a long name that is not inline\"",
    ]);
    call("arg_min", &[by.clone(), names.clone()]).by(&groups).gives(&[
        "3|\"c\"",
        "null|\"d\"",
        "null|\"\"",
        "1|\"f, a long name that is not inline\"",
    ]);
    call("arg_max", &[names.clone(), by.clone()]).by(&[0; 6]).gives(&["\"f, a long name that is not inline\"|1"]);
    call("arg_min", &[(reals(&[f64::NAN, 1.0]), Real), (longs([Some(1), Some(2)]), Long)])
        .gives(&[&format!("{NAN}|1")]);
    call("arg_max", &[(reals(&[1.0, f64::NAN]), Real), (longs([Some(1), Some(2)]), Long)])
        .gives(&[&format!("{NAN}|2")]);
    call("take_any", &[(texts(&["", "x", "y"]), String)]).gives(&["\"x\""]);
    call("take_any", &[(longs([None, None]), Long)]).gives(&["null"]);
    call("any", &[(longs([None, Some(2)]), Long), (texts(&["first", "second"]), String)]).gives(&["null|\"first\""]);
    let flags = (bools(&[Some(false), Some(true), Some(true)]), Bool);
    for name in ["take_anyif", "anyif"] {
        call(name, &[(longs([Some(1), Some(2), Some(3)]), Long), flags.clone()]).gives(&["2"]);
    }
}

#[test]
fn picks_of_many_groups_gather_what_is_kept() {
    let n = 40_000i64;
    let by = (longs((0..n).map(Some)), Long);
    let groups: Vec<usize> = (0..n as usize).map(|row| row % 7).collect();
    let call = call("arg_max", &[by]).by(&groups);
    let mut state = call.state();
    for start in (0..n as usize).step_by(8) {
        call.update(&mut *state, start..start + 8);
    }
    assert!(state.size() < 100_000, "{}", state.size());
    let out = written(&state.take_final(7).unwrap(), Long);
    let expected: Vec<_> = (0..7).map(|group| ((n - 1) - ((n - 1 - group) % 7)).to_string()).collect();
    assert_eq!(out, expected);
}

#[test]
fn constants_count_for_every_row() {
    let value = (longs([Some(3)]), Long);
    for (name, expected) in
        [("sum", "6"), ("max", "3"), ("make_list", "[3,3]"), ("make_set", "[3]"), ("dcount", "1"), ("arg_max", "3")]
    {
        let call = Call { name, columns: vec![value.clone()], constants: vec![true], groups: vec![0, 0], total: 1 };
        call.gives(&[expected]);
    }
}

#[test]
fn every_aggregate_has_a_kernel_and_an_empty_result() {
    for aggregate in crate::aggregates() {
        assert!(aggregate.kernel.is_some(), "{}", aggregate.name);
    }
    for name in
        ["count", "sum", "avg", "min", "max", "dcount", "make_set", "make_list", "stdev", "hll", "arg_max", "take_any"]
    {
        let call = call(name, &[(longs([]), Long)]);
        call.results();
    }
}

proptest! {
    /// Sums, counts, extremes, lists and sets against the plain loop over the rows of each group.
    #[test]
    fn groups_are_kept_apart(rows in prop::collection::vec((0usize..5, prop::option::of(-20i64..20)), 0..60)) {
        let groups: Vec<usize> = rows.iter().map(|row| row.0).collect();
        let column = (longs(rows.iter().map(|row| row.1)), Long);
        let of = |group: usize| rows.iter().filter(move |row| row.0 == group).filter_map(|row| row.1);
        let total = groups.iter().max().map_or(0, |most| most + 1);
        let check = |name, expected: &dyn Fn(usize) -> std::string::String| {
            let call = call(name, std::slice::from_ref(&column)).by(&groups);
            prop_assert_eq!(call.results(), (0..total).map(expected).collect::<Vec<_>>(), "{}", name);
            Ok(())
        };
        let null = || "null".to_owned();
        check("sum", &|group| of(group).sum::<i64>().to_string())?;
        check("min", &|group| of(group).min().map_or_else(null, |v| v.to_string()))?;
        check("max", &|group| of(group).max().map_or_else(null, |v| v.to_string()))?;
        check("take_any", &|group| of(group).next().map_or_else(null, |v| v.to_string()))?;
        check("arg_max", &|group| of(group).max().map_or_else(null, |v| v.to_string()))?;
        let list = |values: Vec<i64>| format!("[{}]", values.iter().map(i64::to_string).collect::<Vec<_>>().join(","));
        check("make_list", &|group| list(of(group).collect()))?;
        let distinct = |group| {
            let mut seen = Vec::new();
            of(group).for_each(|v| if !seen.contains(&v) { seen.push(v) });
            seen
        };
        check("make_set", &|group| list(distinct(group)))?;
        check("dcount", &|group| distinct(group).len().to_string())?;
        check("count_distinct", &|group| distinct(group).len().to_string())?;
    }
}

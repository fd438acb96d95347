//! Dynamic arrays as sets: elements are the same when their JSON is, keys of bags in any order.

use kql_types::ResultName;
use kql_types::ScalarType::{Bool, Dynamic, Real};

use crate::entry::{Entry, Function, any, dynamic, ex, takes};
use crate::kernel;

pub static FAMILY: &[Function] = &[
    Function::new(Entry {
        name: "set_union",
        summary: "Gives the distinct elements of all arrays.",
        details: "In order of first appearance.",
        overloads: &[takes(&[dynamic("set"), dynamic("set").repeat()], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("print s = set_union(dynamic([1, 2]), dynamic([2, 3]))", "s:dynamic\n[1,2,3]")],
        kernel: kernel!(crate::kernels::sets::set_union),
    }),
    Function::new(Entry {
        name: "set_intersect",
        summary: "Gives the distinct elements that all arrays have.",
        details: "",
        overloads: &[takes(&[dynamic("set"), dynamic("set").repeat()], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("print s = set_intersect(dynamic([1, 2]), dynamic([2, 3]))", "s:dynamic\n[2]")],
        kernel: kernel!(crate::kernels::sets::set_intersect),
    }),
    Function::new(Entry {
        name: "set_difference",
        summary: "Gives the distinct elements of the first array that no other has.",
        details: "",
        overloads: &[takes(&[dynamic("set"), dynamic("set").repeat()], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("print s = set_difference(dynamic([1, 2]), dynamic([2, 3]))", "s:dynamic\n[1]")],
        kernel: kernel!(crate::kernels::sets::set_difference),
    }),
    Function::new(Entry {
        name: "set_has_element",
        summary: "Tells whether an array has a value.",
        details: "",
        overloads: &[takes(&[dynamic("set"), any("value")], Bool)],
        result_name: ResultName::None,
        examples: &[ex("print b = set_has_element(dynamic([\"a\", \"b\"]), \"b\")", "b:bool\ntrue")],
        kernel: kernel!(crate::kernels::sets::set_has_element),
    }),
    Function::new(Entry {
        name: "set_equals",
        summary: "Tells whether arrays have the same distinct elements.",
        details: "",
        overloads: &[takes(&[dynamic("set"), dynamic("set")], Bool)],
        result_name: ResultName::None,
        examples: &[ex("print b = set_equals(dynamic([1, 2]), dynamic([2, 1, 1]))", "b:bool\ntrue")],
        kernel: kernel!(crate::kernels::sets::set_equals),
    }),
    Function::new(Entry {
        name: "jaccard_index",
        summary: "Gives the number of common elements divided by that of all distinct elements.",
        details: "NaN when both are empty.",
        overloads: &[takes(&[dynamic("set1"), dynamic("set2")], Real)],
        result_name: ResultName::None,
        examples: &[ex("print j = jaccard_index(dynamic([1, 2, 3]), dynamic([1, 2, 3, 4]))", "j:real\n0.75")],
        kernel: kernel!(crate::kernels::sets::jaccard_index),
    }),
];

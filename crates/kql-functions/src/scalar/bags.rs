//! Dynamic bags: making, joining, keys.
//!
//! What is no bag gives null, unless an entry says otherwise.

use kql_types::ResultName;
use kql_types::ScalarType::{Bool, Dynamic};

use crate::entry::{Entry, Function, any, boolean, dynamic, ex, string, takes, text};
use crate::kernel;

pub static FAMILY: &[Function] = &[
    Function::new(Entry {
        name: "bag_pack",
        summary: "Makes a bag of keys and values.",
        details: "Of equal keys the last value counts.",
        overloads: &[takes(&[text("key"), any("value"), text("key").repeat(), any("value").repeat()], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex(
            "print b = bag_pack(\"level\", \"high\", \"score\", 7)",
            "b:dynamic\n{\"level\":\"high\",\"score\":7}",
        )],
        kernel: kernel!(crate::kernels::bags::bag_pack),
    }),
    Function::new(Entry {
        name: "pack",
        summary: "Makes a bag of keys and values: an old name of `bag_pack`.",
        details: "",
        overloads: &[takes(&[text("key"), any("value"), text("key").repeat(), any("value").repeat()], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("print b = pack(\"a\", 1)", "b:dynamic\n{\"a\":1}")],
        kernel: kernel!(crate::kernels::bags::bag_pack),
    })
    .obsolete("bag_pack"),
    Function::new(Entry {
        name: "pack_dictionary",
        summary: "Makes a bag of keys and values: an old name of `bag_pack`.",
        details: "",
        overloads: &[takes(&[text("key"), any("value"), text("key").repeat(), any("value").repeat()], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("print b = pack_dictionary(\"a\", 1)", "b:dynamic\n{\"a\":1}")],
        kernel: kernel!(crate::kernels::bags::bag_pack),
    })
    .obsolete("bag_pack"),
    Function::new(Entry {
        name: "bag_pack_columns",
        summary: "Makes a bag of columns, with their names as keys.",
        details: "",
        overloads: &[takes(&[any("column"), any("column").repeat()], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex(
            "datatable(a:long, b:string)[1, \"x\"] | project c = bag_pack_columns(a, b)",
            "c:dynamic\n{\"a\":1,\"b\":\"x\"}",
        )],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "pack_all",
        summary: "Makes a bag of all columns, with their names as keys.",
        details: "With `true` nulls and empty strings are left out.",
        overloads: &[takes(&[boolean("ignoreNullEmpty").optional()], Dynamic)],
        result_name: ResultName::None,
        examples: &[
            ex("datatable(a:long, b:string)[1, \"\"] | project c = pack_all()", "c:dynamic\n{\"a\":1,\"b\":\"\"}"),
            ex("datatable(a:long, b:string)[1, \"\"] | project c = pack_all(true)", "c:dynamic\n{\"a\":1}"),
        ],
        kernel: kernel!(crate::kernels::bags::pack_all),
    }),
    Function::new(Entry {
        name: "bag_keys",
        summary: "Lists the keys of a bag.",
        details: "Null for what is no bag.",
        overloads: &[takes(&[dynamic("object")], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("print k = bag_keys(dynamic({\"a\": 1, \"b\": {\"c\": 2}}))", "k:dynamic\n[\"a\",\"b\"]")],
        kernel: kernel!(crate::kernels::bags::bag_keys),
    }),
    Function::new(Entry {
        name: "bag_has_key",
        summary: "Tells whether a bag has a key.",
        details: "A key that begins with `$` is a path.",
        overloads: &[takes(&[dynamic("bag"), string("key")], Bool)],
        result_name: ResultName::None,
        examples: &[ex("print b = bag_has_key(dynamic({\"a\": {\"b\": 1}}), \"$.a.b\")", "b:bool\ntrue")],
        kernel: kernel!(crate::kernels::bags::bag_has_key),
    }),
    Function::new(Entry {
        name: "bag_merge",
        summary: "Joins bags to one.",
        details: "Of equal keys the first value counts. What is no bag is left out.",
        overloads: &[takes(&[dynamic("bag1"), dynamic("bag2"), dynamic("bag").repeat()], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex(
            "print b = bag_merge(dynamic({\"a\": 1}), dynamic({\"a\": 2, \"b\": 3}))",
            "b:dynamic\n{\"a\":1,\"b\":3}",
        )],
        kernel: kernel!(crate::kernels::bags::bag_merge),
    }),
    Function::new(Entry {
        name: "bag_remove_keys",
        summary: "Takes keys out of a bag.",
        details: "A key that begins with `$` is a path.",
        overloads: &[takes(&[dynamic("bag"), dynamic("keys")], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex(
            "print b = bag_remove_keys(dynamic({\"a\": 1, \"b\": {\"c\": 2, \"d\": 3}}), dynamic([\"a\", \"$.b.c\"]))",
            "b:dynamic\n{\"b\":{\"d\":3}}",
        )],
        kernel: kernel!(crate::kernels::bags::bag_remove_keys),
    }),
    Function::new(Entry {
        name: "bag_set_key",
        summary: "Puts a value into a bag.",
        details: "A key that begins with `$` is a path; bags on the way are made.",
        overloads: &[takes(&[dynamic("bag"), string("key"), any("value")], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex(
            "print b = bag_set_key(dynamic({\"a\": 1}), \"$.b.c\", 2)",
            "b:dynamic\n{\"a\":1,\"b\":{\"c\":2}}",
        )],
        kernel: kernel!(crate::kernels::bags::bag_set_key),
    }),
    Function::new(Entry {
        name: "bag_zip",
        summary: "Makes a bag of an array of keys and an array of values.",
        details: "Keys that are no strings are left out with their values; null when the keys are no array.",
        overloads: &[takes(&[dynamic("keysArray"), dynamic("valuesArray")], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("print b = bag_zip(dynamic([\"a\", \"b\"]), dynamic([1]))", "b:dynamic\n{\"a\":1,\"b\":null}")],
        kernel: kernel!(crate::kernels::bags::bag_zip),
    }),
    Function::new(Entry {
        name: "treepath",
        summary: "Lists the paths of all parts of a value.",
        details: "",
        overloads: &[takes(&[dynamic("object")], Dynamic)],
        result_name: ResultName::PrefixAndFirstArgument("tree"),
        examples: &[ex("print t = treepath(dynamic({\"a\": {\"b\": 1}}))", "t:dynamic\n[\"['a']\",\"['a']['b']\"]")],
        kernel: kernel!(crate::kernels::bags::treepath),
    }),
];

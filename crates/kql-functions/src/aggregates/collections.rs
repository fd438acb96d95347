//! Lists, sets, bags and schemas gathered from rows.

use kql_types::{Overload, Param, ParamType, ResultName, Return, ScalarType};

use super::{ANY, MAX_SIZE, PREDICATE};
use crate::{Aggregate, Example, kernel};

const DYNAMIC: Return = Return::Type(ScalarType::Dynamic);
const DYNAMIC_EXPR: Param = Param::new("expr", ParamType::Type(ScalarType::Dynamic));
const LIST_DETAILS: &str = "In the order of the rows, without nulls, up to maxSize (default and most: 1048576) elements. \
                            The elements of a dynamic array are added one by one.";
const SET_DETAILS: &str = "In the order of first appearance, without nulls, up to maxSize (default and most: 1048576) \
                           elements. The elements of a dynamic array are added one by one.";
const OLD_DETAILS: &str = "The old name has a default limit of 128 elements.";
const BAG_DETAILS: &str = "The first value of a key is kept. Values that are not bags are passed over.";

pub static FAMILY: &[Aggregate] = &[
    Aggregate {
        name: "make_list",
        summary: "Gathers the values of each group in a dynamic array.",
        details: LIST_DETAILS,
        overloads: &[Overload::new(&[ANY, MAX_SIZE], DYNAMIC)],
        result_name: ResultName::PrefixAndFirstArgument("list"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:long)[3, 1, 3] | summarize l = make_list(a) | project s = strcat_array(l, \"-\")",
            result: "s:string\n\"3-1-3\"",
        }],
        kernel: kernel!(crate::kernels::aggregate_list::make_list),
    },
    Aggregate {
        name: "make_list_if",
        summary: "Gathers the values of each group for which the predicate is true in a dynamic array.",
        details: LIST_DETAILS,
        overloads: &[Overload::new(&[ANY, PREDICATE, MAX_SIZE], DYNAMIC)],
        result_name: ResultName::PrefixAndFirstArgument("list"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:long)[3, 1, 3] | summarize l = make_list_if(a, a > 1) | project s = strcat_array(l, \"-\")",
            result: "s:string\n\"3-3\"",
        }],
        kernel: kernel!(crate::kernels::aggregate_list::make_list_if),
    },
    Aggregate {
        name: "make_list_with_nulls",
        summary: "Gathers the values of each group in a dynamic array, nulls included.",
        details: "In the order of the rows, so that several lists of one group stay aligned.",
        overloads: &[Overload::new(&[ANY, MAX_SIZE], DYNAMIC)],
        result_name: ResultName::PrefixAndFirstArgument("list"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:long)[3, long(null)] | summarize l = make_list_with_nulls(a) | project n = array_length(l)",
            result: "n:long\n2",
        }],
        kernel: kernel!(crate::kernels::aggregate_list::make_list_with_nulls),
    },
    Aggregate {
        name: "makelist",
        summary: "Gathers the values of each group in a dynamic array: the old name of `make_list`.",
        details: OLD_DETAILS,
        overloads: &[Overload::new(&[ANY, MAX_SIZE], DYNAMIC)],
        result_name: ResultName::PrefixAndFirstArgument("list"),
        obsolete: Some("make_list"),
        examples: &[Example {
            query: "range x from 1 to 200 step 1 | summarize l = makelist(x) | project n = array_length(l)",
            result: "n:long\n128",
        }],
        kernel: kernel!(crate::kernels::aggregate_list::makelist),
    },
    Aggregate {
        name: "make_set",
        summary: "Gathers the distinct values of each group in a dynamic array.",
        details: SET_DETAILS,
        overloads: &[Overload::new(&[ANY, MAX_SIZE], DYNAMIC)],
        result_name: ResultName::PrefixAndFirstArgument("set"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:long)[3, 1, 3] | summarize l = make_set(a) | project s = strcat_array(l, \"-\")",
            result: "s:string\n\"3-1\"",
        }],
        kernel: kernel!(crate::kernels::aggregate_set::make_set),
    },
    Aggregate {
        name: "make_set_if",
        summary: "Gathers the distinct values of each group for which the predicate is true in a dynamic array.",
        details: SET_DETAILS,
        overloads: &[Overload::new(&[ANY, PREDICATE, MAX_SIZE], DYNAMIC)],
        result_name: ResultName::PrefixAndFirstArgument("set"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:long)[3, 1, 3] | summarize l = make_set_if(a, a > 1) | project s = strcat_array(l, \"-\")",
            result: "s:string\n\"3\"",
        }],
        kernel: kernel!(crate::kernels::aggregate_set::make_set_if),
    },
    Aggregate {
        name: "makeset",
        summary: "Gathers the distinct values of each group in a dynamic array: the old name of `make_set`.",
        details: OLD_DETAILS,
        overloads: &[Overload::new(&[ANY, MAX_SIZE], DYNAMIC)],
        result_name: ResultName::PrefixAndFirstArgument("set"),
        obsolete: Some("make_set"),
        examples: &[Example {
            query: "range x from 1 to 200 step 1 | summarize l = makeset(x) | project n = array_length(l)",
            result: "n:long\n128",
        }],
        kernel: kernel!(crate::kernels::aggregate_set::makeset),
    },
    Aggregate {
        name: "make_bag",
        summary: "Merges the property bags of each group into one.",
        details: BAG_DETAILS,
        overloads: &[Overload::new(&[DYNAMIC_EXPR, MAX_SIZE], DYNAMIC)],
        result_name: ResultName::PrefixAndFirstArgument("bag"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:long)[1, 2] | summarize b = make_bag(bag_pack(tostring(a), a)) | project n = array_length(bag_keys(b))",
            result: "n:long\n2",
        }],
        kernel: kernel!(crate::kernels::aggregate_bag::make_bag),
    },
    Aggregate {
        name: "make_bag_if",
        summary: "Merges the property bags of each group for which the predicate is true into one.",
        details: BAG_DETAILS,
        overloads: &[Overload::new(&[DYNAMIC_EXPR, PREDICATE, MAX_SIZE], DYNAMIC)],
        result_name: ResultName::PrefixAndFirstArgument("bag"),
        obsolete: None,
        examples: &[Example {
            query: "datatable(a:long)[1, 2] | summarize b = make_bag_if(bag_pack(tostring(a), a), a > 1) \
                    | project n = array_length(bag_keys(b))",
            result: "n:long\n1",
        }],
        kernel: kernel!(crate::kernels::aggregate_bag::make_bag_if),
    },
    Aggregate {
        name: "make_dictionary",
        summary: "Merges the property bags of each group into one: the old name of `make_bag`.",
        details: BAG_DETAILS,
        overloads: &[Overload::new(&[DYNAMIC_EXPR, MAX_SIZE], DYNAMIC)],
        result_name: ResultName::PrefixAndFirstArgument("dictionary"),
        obsolete: Some("make_bag"),
        examples: &[Example {
            query: "datatable(a:long)[1, 2] | summarize b = make_dictionary(bag_pack(tostring(a), a)) \
                    | project n = array_length(bag_keys(b))",
            result: "n:long\n2",
        }],
        kernel: kernel!(crate::kernels::aggregate_bag::make_bag),
    },
    Aggregate {
        name: "buildschema",
        summary: "Gives the least schema that covers all dynamic values of each group.",
        details: "A bag is described by the schemas of its keys, an array by ``{\"`indexer`\": ...}``, other values by \
                  their type; several possibilities stand in an array.",
        overloads: &[Overload::new(&[DYNAMIC_EXPR], DYNAMIC)],
        result_name: ResultName::PrefixAndFirstArgument("schema"),
        obsolete: None,
        examples: &[Example {
            query: "print d = dynamic({\"a\": 1}) | summarize s = buildschema(d) | project t = tostring(s.a)",
            result: "t:string\n\"long\"",
        }],
        kernel: kernel!(crate::kernels::aggregate_schema::buildschema),
    },
];

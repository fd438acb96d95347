//! What a query may ask of its surroundings: cluster, database, principal, extents, cursors; new guids; graph parts.
//!
//! Most of these mean a Kusto cluster. They have fixed answers here, or none.

use kql_types::ResultName;
use kql_types::ScalarType::{Bool, DateTime, Dynamic, Guid, Long, String};
use kql_types::{Param, ParamType};

use crate::entry::{Entry, Function, any, boolean, ex, string, takes};
use crate::kernel;

const TABULAR: Param = Param::new("source", ParamType::Table);

pub static FAMILY: &[Function] = &[
    Function::new(Entry {
        name: "new_guid",
        summary: "Makes a new random guid, another one in every row.",
        details: "",
        overloads: &[takes(&[], Guid)],
        result_name: ResultName::None,
        examples: &[ex("print n = strlen(tostring(new_guid()))", "n:long\n36")],
        kernel: kernel!(crate::kernels::context::new_guid),
    })
    .volatile(),
    Function::new(Entry {
        name: "assert",
        summary: "Gives true when the condition holds, and fails the query with a message when it does not.",
        details: "",
        overloads: &[takes(&[boolean("condition"), string("message")], Bool)],
        result_name: ResultName::None,
        examples: &[ex("print r = assert(1 < 2, 'order of numbers')", "r:bool\ntrue")],
        kernel: kernel!(crate::kernels::context::assert),
    }),
    Function::new(Entry {
        name: "estimate_data_size",
        summary: "Estimates the bytes that the values of a row take.",
        details: "",
        overloads: &[takes(&[any("value"), any("value").repeat()], Long)],
        result_name: ResultName::None,
        examples: &[ex("print n = estimate_data_size('abc') > 0", "n:bool\ntrue")],
        kernel: kernel!(crate::kernels::context::estimate_data_size),
    }),
    Function::new(Entry {
        name: "column_names_of",
        summary: "Lists the column names of a table.",
        details: "",
        overloads: &[takes(&[TABULAR], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("let T = datatable(A:string, B:int)[]; print c = column_names_of(T)", "c:dynamic\n[\"A\",\"B\"]")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "ingestion_time",
        summary: "The time at which a row was taken in.",
        details: "",
        overloads: &[takes(&[], DateTime)],
        result_name: ResultName::PrefixOnly("$IngestionTime"),
        examples: &[ex("datatable(a:long)[1] | project t = isnull(ingestion_time())", "t:bool\ntrue")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "current_cluster_endpoint",
        summary: "The address of the cluster that runs the query.",
        details: "There is no cluster here: always `tidewatch`.",
        overloads: &[takes(&[], String)],
        result_name: ResultName::None,
        examples: &[ex("print c = current_cluster_endpoint()", "c:string\n\"tidewatch\"")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "current_database",
        summary: "The name of the database in scope.",
        details: "There is one database here, and its name is `tidewatch`.",
        overloads: &[takes(&[], String)],
        result_name: ResultName::None,
        examples: &[ex("print d = current_database()", "d:string\n\"tidewatch\"")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "current_principal",
        summary: "The name of the principal that runs the query.",
        details: "There are no principals here: always empty.",
        overloads: &[takes(&[], String)],
        result_name: ResultName::None,
        examples: &[ex("print p = current_principal()", "p:string\n\"\"")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "current_principal_details",
        summary: "What is known of the principal that runs the query.",
        details: "There are no principals here: always null.",
        overloads: &[takes(&[], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("print p = current_principal_details()", "p:dynamic\nnull")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "current_principal_is_member_of",
        summary: "Whether the principal that runs the query belongs to one of several groups.",
        details: "There are no principals here: always false.",
        overloads: &[takes(&[any("group"), any("group").repeat()], Bool)],
        result_name: ResultName::None,
        examples: &[ex("print m = current_principal_is_member_of('aadgroup=analysts@example.org')", "m:bool\nfalse")],
        kernel: kernel!(crate::kernels::context::no_member),
    }),
    Function::new(Entry {
        name: "current_node_id",
        summary: "The node of the cluster that works on a row.",
        details: "",
        overloads: &[takes(&[], String)],
        result_name: ResultName::None,
        examples: &[ex("print t = gettype(current_node_id())", "t:string\n\"string\"")],
        kernel: None,
    }),
    Function::new(Entry {
        name: "extent_id",
        summary: "The identity of the extent that holds a row.",
        details: "There are no extents here, and so it is the empty guid, as the service gives it for rows of no extent.",
        overloads: &[takes(&[], Guid)],
        result_name: ResultName::None,
        examples: &[ex("datatable(a:long)[1] | project e = extent_id()", "e:guid\n00000000-0000-0000-0000-000000000000")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "extentid",
        summary: "The identity of the extent that holds a row: the old name of `extent_id`.",
        details: "",
        overloads: &[takes(&[], Guid)],
        result_name: ResultName::None,
        examples: &[ex("datatable(a:long)[1] | project e = extentid()", "e:guid\n00000000-0000-0000-0000-000000000000")],
        kernel: None,
    })
    .by_binder()
    .obsolete("extent_id"),
    Function::new(Entry {
        name: "extent_tags",
        summary: "The tags of the extent that holds a row.",
        details: "There are no extents here: always null.",
        overloads: &[takes(&[], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("datatable(a:long)[1] | project t = extent_tags()", "t:dynamic\nnull")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "row_id",
        summary: "The identity of a row within its extent.",
        details: "",
        overloads: &[takes(&[], Long)],
        result_name: ResultName::None,
        examples: &[ex("print t = gettype(row_id())", "t:string\n\"long\"")],
        kernel: None,
    }),
    Function::new(Entry {
        name: "rowstore_ordinal_range",
        summary: "The place of a row in the row store.",
        details: "",
        overloads: &[takes(&[], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("print t = gettype(rowstore_ordinal_range())", "t:string\n\"dynamic\"")],
        kernel: None,
    }),
    Function::new(Entry {
        name: "cursor_after",
        summary: "Whether a row was taken in after a cursor.",
        details: "A cursor is a time of ingestion here, and the empty one is before all rows.",
        overloads: &[takes(&[string("cursor")], Bool)],
        result_name: ResultName::None,
        examples: &[ex("print everything = cursor_after('')", "everything:bool\ntrue")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "cursor_before_or_at",
        summary: "Whether a row was taken in before or at a cursor.",
        details: "A cursor is a time of ingestion here, and the empty one is before all rows.",
        overloads: &[takes(&[string("cursor")], Bool)],
        result_name: ResultName::None,
        examples: &[ex("print nothing = cursor_before_or_at('')", "nothing:bool\nfalse")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "cursor_current",
        summary: "The current cursor of the database.",
        details: "A cursor is a time of ingestion here, and the empty one is before all rows.",
        overloads: &[takes(&[], String)],
        result_name: ResultName::None,
        examples: &[ex("print t = gettype(cursor_current())", "t:string\n\"string\"")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "current_cursor",
        summary: "The current cursor of the database: the old name of `cursor_current`.",
        details: "A cursor is a time of ingestion here, and the empty one is before all rows.",
        overloads: &[takes(&[], String)],
        result_name: ResultName::None,
        examples: &[ex("print t = gettype(current_cursor())", "t:string\n\"string\"")],
        kernel: None,
    })
    .by_binder()
    .obsolete("cursor_current"),
    Function::new(Entry {
        name: "all",
        summary: "Whether a condition holds for every edge or node of a variable-length path.",
        details: "Within `graph-match`.",
        overloads: &[takes(&[any("edge"), any("condition")], Bool)],
        result_name: ResultName::None,
        examples: &[ex("let e = datatable(s:string, t:string, weight:long)['x', 'y', 2]; e | make-graph s --> t with_node_id=name | graph-match (a)-[path*1..2]->(b) where all(path, weight > 1) project n = b.name", "n:string\n\"y\"")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "any",
        summary: "Whether a condition holds for some edge or node of a variable-length path.",
        details: "Within `graph-match`.",
        overloads: &[takes(&[any("edge"), any("condition")], Bool)],
        result_name: ResultName::None,
        examples: &[ex("let e = datatable(s:string, t:string, weight:long)['x', 'y', 2]; e | make-graph s --> t with_node_id=name | graph-match (a)-[path*1..2]->(b) where any(path, weight > 1) project n = b.name", "n:string\n\"y\"")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "map",
        summary: "Lists the values of an expression for every edge or node of a variable-length path.",
        details: "Within `graph-match`.",
        overloads: &[takes(&[any("edge"), any("expression")], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("let e = datatable(s:string, t:string, weight:long)['x', 'y', 2]; e | make-graph s --> t with_node_id=name | graph-match (a)-[path*1..2]->(b) project n = map(path, weight)", "n:dynamic\n[2]")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "inner_nodes",
        summary: "The nodes between the ends of a variable-length path.",
        details: "Within `graph-match`, as the first argument of `all`, `any` and `map`.",
        overloads: &[takes(&[any("edge")], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("let e = datatable(s:string, t:string, weight:long)['x', 'y', 2]; e | make-graph s --> t with_node_id=name | graph-match (a)-[path*1..2]->(b) project n = map(inner_nodes(path), name)", "n:dynamic\n[]")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "node_id",
        summary: "The identity of a node in `graph-match`.",
        details: "As text. Within `graph-match`; without an argument inside `all`, `any` and `map` over `inner_nodes`.",
        overloads: &[takes(&[any("node").optional()], String)],
        result_name: ResultName::None,
        examples: &[ex("let e = datatable(s:string, t:string, weight:long)['x', 'y', 2]; e | make-graph s --> t with_node_id=name | graph-match (a)-[path*1..2]->(b) project n = node_id(a)", "n:string\n\"x\"")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "node_degree_in",
        summary: "The number of edges that lead to a node.",
        details: "",
        overloads: &[takes(&[any("node").optional()], Long)],
        result_name: ResultName::None,
        examples: &[ex("let e = datatable(s:string, t:string, weight:long)['x', 'y', 2]; e | make-graph s --> t with_node_id=name | graph-match (a)-[path*1..2]->(b) project n = node_degree_in(b)", "n:long\n1")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "node_degree_out",
        summary: "The number of edges that leave a node.",
        details: "",
        overloads: &[takes(&[any("node").optional()], Long)],
        result_name: ResultName::None,
        examples: &[ex("let e = datatable(s:string, t:string, weight:long)['x', 'y', 2]; e | make-graph s --> t with_node_id=name | graph-match (a)-[path*1..2]->(b) project n = node_degree_out(a)", "n:long\n1")],
        kernel: None,
    })
    .by_binder(),
    Function::new(Entry {
        name: "labels",
        summary: "The labels of a node or an edge.",
        details: "Only stored graph models have labels: of a graph that `make-graph` makes, always an empty array.",
        overloads: &[takes(&[any("element").optional()], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("let e = datatable(s:string, t:string, weight:long)['x', 'y', 2]; e | make-graph s --> t with_node_id=name | graph-match (a)-[path*1..2]->(b) project n = labels(a)", "n:dynamic\n[]")],
        kernel: None,
    })
    .by_binder(),
];

//! Functions over serialized rows: they look at other rows than their own.
//!
//! `Kind::Window`: the engine runs them over whole ordered inputs (`kql-exec`, `sequence`), not through a kernel here.

use kql_types::{Overload, Param, ParamType, ResultName, Return, ScalarType};

use crate::{Example, Function, Kind};

const LONG: Return = Return::Type(ScalarType::Long);
const RESTART: Param = Param::new("restart", ParamType::Type(ScalarType::Bool)).optional();
const COLUMN: Param = Param::new("column", ParamType::Any);
const OFFSET: Param = Param::new("offset", ParamType::Integer).optional().constant();
const DEFAULT: Param = Param::new("default", ParamType::Any).optional().constant();
const TIME: Param = Param::new("expr", ParamType::Type(ScalarType::DateTime));
const FROM_FIRST: Param = Param::new("maxDistanceFromFirst", ParamType::Type(ScalarType::TimeSpan));
const BETWEEN: Param = Param::new("maxDistanceBetweenNeighbors", ParamType::Type(ScalarType::TimeSpan));

/// A window function: never a kernel.
const fn window(
    name: &'static str,
    summary: &'static str,
    details: &'static str,
    overloads: &'static [Overload],
    examples: &'static [Example],
) -> Function {
    Function {
        name,
        summary,
        details,
        overloads,
        result_name: ResultName::None,
        kind: Kind::Window,
        obsolete: None,
        examples,
        kernel: None,
    }
}

pub static FAMILY: &[Function] = &[
    window(
        "row_number",
        "Numbers the rows.",
        "From the starting index (default 1), again from it where restart is true.",
        &[Overload::new(&[Param::new("startingIndex", ParamType::Integer).optional().constant(), RESTART], LONG)],
        &[Example { query: "range x from 5 to 6 step 1 | extend n = row_number()", result: "x:long,n:long\n5,1\n6,2" }],
    ),
    window(
        "row_cumsum",
        "Gives the running sum of a column.",
        "A null adds nothing. The sum starts again at a row where restart is true.",
        &[Overload::new(&[Param::new("term", ParamType::Summable), RESTART], Return::Widened(0))],
        &[Example {
            query: "range x from 1 to 3 step 1 | extend s = row_cumsum(x)",
            result: "x:long,s:long\n1,1\n2,3\n3,6",
        }],
    ),
    window(
        "row_rank_dense",
        "Ranks the rows of an ordered column without gaps.",
        "The rank rises by one where the value changes, and starts again at a row where restart is true.",
        &[Overload::new(&[COLUMN, RESTART], LONG)],
        &[Example {
            query: "datatable(a:long)[7, 7, 9] | sort by a asc | extend r = row_rank_dense(a)",
            result: "a:long,r:long\n7,1\n7,1\n9,2",
        }],
    ),
    window(
        "row_rank_min",
        "Ranks the rows of an ordered column; equals share the least rank.",
        "The rank of a new value is the row's number, and starts again at a row where restart is true.",
        &[Overload::new(&[COLUMN, RESTART], LONG)],
        &[Example {
            query: "datatable(a:long)[7, 7, 9] | sort by a asc | extend r = row_rank_min(a)",
            result: "a:long,r:long\n7,1\n7,1\n9,3",
        }],
    ),
    Function {
        obsolete: Some("row_rank_dense"),
        ..window(
            "row_rank",
            "Ranks the rows of an ordered column without gaps: the old name of `row_rank_dense`.",
            "",
            &[Overload::new(&[COLUMN, RESTART], LONG)],
            &[Example {
                query: "datatable(a:long)[7, 7, 9] | sort by a asc | extend r = row_rank(a)",
                result: "a:long,r:long\n7,1\n7,1\n9,2",
            }],
        )
    },
    window(
        "row_window_session",
        "Gives the start of the session that a row belongs to.",
        "A session ends where the time is further than maxDistanceFromFirst from its first row or further than \
         maxDistanceBetweenNeighbors from the row before, or where restart is true.",
        &[Overload::new(&[TIME, FROM_FIRST, BETWEEN, RESTART], Return::Type(ScalarType::DateTime))],
        &[Example {
            query: "datatable(t:datetime)[datetime(2024-01-01 00:00), datetime(2024-01-01 00:01), datetime(2024-01-01 01:00)] \
                    | sort by t asc | extend s = row_window_session(t, 1h, 5m) | summarize n = count() by s | project n | sort by n asc",
            result: "n:long\n1\n2",
        }],
    ),
    window(
        "prev",
        "Gives the value of a column some rows before.",
        "offset is 1 if not given; before the first row the default, or null.",
        &[Overload::new(&[COLUMN, OFFSET, DEFAULT], Return::Argument(0))],
        &[Example {
            query: "range x from 1 to 3 step 1 | extend p = prev(x, 1, -1)",
            result: "x:long,p:long\n1,-1\n2,1\n3,2",
        }],
    ),
    window(
        "next",
        "Gives the value of a column some rows after.",
        "offset is 1 if not given; after the last row the default, or null.",
        &[Overload::new(&[COLUMN, OFFSET, DEFAULT], Return::Argument(0))],
        &[Example {
            query: "range x from 1 to 3 step 1 | extend p = next(x, 1, -1)",
            result: "x:long,p:long\n1,2\n2,3\n3,-1",
        }],
    ),
];

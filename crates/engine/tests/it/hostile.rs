//! Hostile text: an answer or a clear error within the caller's limits, never a crash.
//!
//! Every query runs with a limit on time and memory. What comes back must be an answer, a diagnostic, a limit or
//! `unsupported`; an internal error or a call that takes much longer than its limit fails the test.

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::{Engine, EngineError, Limits, QueryOptions, QueryOutput, TableCatalog};
use kql_types::{Value, datetime};

/// The limits on time that queries are given: one that must answer, one that never would, and others.
const TIME: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_secs(2);
const ENOUGH: Duration = Duration::from_secs(6);
/// A call may take this much longer: an unoptimised build on a busy machine notices the end late.
const GRACE: Duration = Duration::from_secs(60);

fn engine() -> Engine {
    let schemas = tables::SchemaSet::builtin();
    let known: Vec<_> = schemas.names().into_iter().filter_map(|name| schemas.get(name).cloned()).collect();
    Engine::new(Arc::new(TableCatalog::new().with_schemas(known)), Arc::default())
}

fn options(time: Duration) -> QueryOptions {
    let limits = Limits { time: Some(time), memory: Some(256 << 20), result_rows: Some(100_000) };
    QueryOptions { limits, ..QueryOptions::at(datetime::parse("2026-01-07").unwrap()) }
}

/// What came of a query: `answer`, or the kind of error.
#[allow(clippy::print_stdout)]
fn outcome(name: &str, query: &str, time: Duration) -> (&'static str, Result<QueryOutput, EngineError>) {
    let started = Instant::now();
    let result = engine().run_blocking(query, &options(time));
    let spent = started.elapsed();
    let kind = match &result {
        Ok(_) => "answer",
        Err(EngineError::Diagnostics(_)) => "diagnostic",
        Err(EngineError::Limit(_)) => "limit",
        Err(EngineError::Unsupported { .. }) => "unsupported",
        Err(other) => panic!("{name}: {other}"),
    };
    println!("{name}: {kind} after {:.1} s", spent.as_secs_f64());
    assert!(spent < time + GRACE, "{name} took {:.1} s", spent.as_secs_f64());
    (kind, result)
}

/// Any outcome will do.
fn ends(name: &str, query: &str) {
    let _ = outcome(name, query, ENOUGH);
}

fn answers(name: &str, query: &str, expected: Value) {
    let (_, result) = outcome(name, query, TIME);
    let output = result.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(output.tables[0].rows(), [[expected]], "{name}");
}

fn refuses(name: &str, query: &str) {
    let (kind, _) = outcome(name, query, SHORT);
    assert!(matches!(kind, "diagnostic" | "limit"), "{name} is {kind}");
}

fn repeated(text: &str, times: usize, between: &str) -> String {
    vec![text; times].join(between)
}

#[test]
fn parentheses() {
    let nested = |depth: usize| format!("print {}1{}", "(".repeat(depth), ")".repeat(depth));
    answers("100 parentheses", &nested(100), Value::Long(1));
    ends("100,000 parentheses", &nested(100_000));
    refuses("100,000 open parentheses", &format!("print {}", "(".repeat(100_000)));
    refuses("100,000 closed parentheses", &format!("print 1{}", ")".repeat(100_000)));
    ends("50,000 calls", &format!("print {}1{}", "abs(".repeat(50_000), ")".repeat(50_000)));
    ends("50,000 brackets", &format!("print dynamic({}{})", "[".repeat(50_000), "]".repeat(50_000)));
    ends("20,000 minus signs", &format!("print {}1", "-".repeat(20_000)));
    ends("20,000 nots", &format!("print {}true{}", "not(".repeat(20_000), ")".repeat(20_000)));
}

#[test]
fn alternatives() {
    let count = "| summarize count()";
    let terms: Vec<String> = (0..100_000).map(|number| format!("x == {number}")).collect();
    ends("100,000 or", &format!("range x from 1 to 10 step 1 | where {} {count}", terms.join(" or ")));
    ends(
        "100,000 and",
        &format!("range x from 1 to 10 step 1 | where {} {count}", repeated("x > 0", 100_000, " and ")),
    );
    ends("20,000 plus", &format!("print {}", repeated("1", 20_000, " + ")));
    let items: Vec<String> = (0..100_000).map(|number| number.to_string()).collect();
    let query = format!("range x from 1 to 10 step 1 | where x in ({}) {count}", items.join(", "));
    answers("100,000 items", &query, Value::Long(10));
    let texts: Vec<String> = (0..100_000).map(|number| format!("'v{number}'")).collect();
    let query = format!("print a = 'v7' | where a in~ ({}) {count}", texts.join(", "));
    answers("100,000 texts", &query, Value::Long(1));
    let query = format!("print a = 'x v7 y' | where a has_any ({}) {count}", texts.join(", "));
    ends("100,000 needles", &query);
}

#[test]
fn pipelines() {
    let filters = repeated("| where x > 0", 10_000, "\n");
    ends("10,000 filters", &format!("range x from 1 to 3 step 1 {filters} | summarize count()"));
    let columns: String = (0..10_000).map(|number| format!("| extend c{} = x + {number}\n", number % 50)).collect();
    ends("10,000 extends", &format!("range x from 1 to 3 step 1 {columns} | summarize count()"));
    let chain: String = (1..10_000).map(|number| format!("| extend c{number} = c{} + 1\n", number - 1)).collect();
    ends("10,000 columns", &format!("print c0 = 0 {chain} | project c9999"));
    let growth = repeated("| extend a = strcat(a, a)", 60, "\n");
    ends("a text that doubles", &format!("print a = 'xxxxxxxx' {growth} | project strlen(a)"));
    let lets: String = (1..200).map(|n| format!("let f{n} = () {{ f{0}() + f{0}() }};\n", n - 1)).collect();
    ends("functions that double", &format!("let f0 = () {{ 1 }};\n{lets} print f199()"));
}

#[test]
fn unions_and_cases() {
    let tables = repeated("(print x = 1)", 5_000, ", ");
    ends("a union of 5,000", &format!("union {tables} | summarize sum(x)"));
    let tables = repeated("SigninLogs", 5_000, ", ");
    ends("a union of 5,000 tables", &format!("union {tables} | summarize count()"));
    let nested = format!("{}1{}", "case(x == 1, ".repeat(1_000), ", 2)".repeat(1_000));
    ends("1,000 nested case", &format!("print x = 1 | project {nested}"));
    let deep = format!("{}2{}", "iff(x == 1, 1, ".repeat(1_000), ")".repeat(1_000));
    ends("1,000 nested iff", &format!("print x = 1 | project {deep}"));
    let inner = format!("{}T{}", "(union ".repeat(500), ")".repeat(500));
    ends("500 nested unions", &format!("let T = print x = 1; {inner} | count"));
    let joins = repeated("| join kind=inner (print x = 1) on x | project x", 200, " ");
    ends("200 joins", &format!("print x = 1 {joins} | summarize count()"));
}

/// Each column is read twice by the next: a filter on the last that held what it is made of would be a million nodes.
#[test]
fn columns_that_double() {
    let steps: String = (0..40).map(|step| format!("| extend a = iff(x > {step}, a + {step}, a)\n")).collect();
    let query = format!("range x from 1 to 50 step 1\n| extend a = x\n{steps}| where a > 0 | summarize sum(a)");
    let by_hand = (1..=50_i64).map(|x| x + (0..40).filter(|step| x > *step).sum::<i64>()).sum();
    answers("forty columns, each from the one before twice", &query, Value::Long(by_hand));
}

#[test]
fn patterns() {
    let text = "a".repeat(50_000);
    answers("a regex that backtracks elsewhere", &format!("print '{text}' matches regex '(a+)+$'"), Value::Bool(true));
    let huge = "(((a{1,100}){1,100}){1,100}){1,100}";
    refuses("a huge extract", &format!("print extract('{huge}', 0, 'aaaa')"));
    refuses("a huge replace_regex", &format!("print replace_regex('aaaa', '{huge}', 'b')"));
    for (name, pattern) in [
        ("a regex with a huge repetition", "(((a{1,100}){1,100}){1,100}){1,100}".to_owned()),
        ("a regex of nested groups", format!("{}a{}", "(".repeat(20_000), ")".repeat(20_000))),
        ("a regex of classes", r"\\pL{1000}".repeat(1_000)),
        ("a regex of alternatives", repeated("abc[a-z]*d", 20_000, "|")),
    ] {
        ends(name, &format!("print 'aaaa' matches regex '{pattern}'"));
    }
}

#[test]
fn rows_without_end() {
    refuses("a range to 1e18", "range x from 1 to 1000000000000000000 step 1");
    refuses("a range to 1e18, counted", "range x from 1 to 1000000000000000000 step 1 | summarize count() by x % 5");
    refuses("a range to 1e18, sorted", "range x from 1 to 1000000000000000000 step 1 | sort by x desc | take 3");
    answers("the start of a range to 1e18", "range x from 1 to 1000000000000000000 step 1 | take 1", Value::Long(1));
    refuses(
        "a cross join",
        "let a = range x from 1 to 1000000 step 1; a | extend k = 1 | join kind=inner (a | extend k = 1) on k | count",
    );
    refuses(
        "rows of a cross join",
        "let a = range x from 1 to 100000 step 1; a | extend k = 1 | join kind=inner (a | extend k = 1) on k",
    );
    refuses("an unbounded list", "range x from 1 to 100000000 step 1 | summarize l = make_list(x, 100000000)");
    refuses(
        "unbounded lists by key",
        "range x from 1 to 100000000 step 1 | summarize l = make_list(strcat('some text of a row ', x), 100000000) by x % 3",
    );
    refuses("groups without end", "range x from 1 to 1000000000 step 1 | summarize make_set(x) by x | count");
    ends("a series without end", "print range(1, 1000000000000, 1) | mv-expand print_0 | count");
    ends("a text without end", "print strlen(strrep('abcdefgh', 1000000000))");
    refuses(
        "elements without end",
        "range x from 1 to 10000000 step 1 | extend d = range(1, 1000, 1) | mv-expand d | mv-expand e = d | summarize count() by tolong(e) % 7",
    );
    ends(
        "a series of instants",
        "range x from 1 to 3 step 1 | make-series n = count() on x from 0 to 1000000000000 step 1",
    );
}

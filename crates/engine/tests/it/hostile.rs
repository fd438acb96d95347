//! Hostile text: an answer or a clear error within the caller's limits, never a crash.
//!
//! Queries that could run for ever have a limit on time, all have one on memory. What comes back must be an answer, a
//! diagnostic, a limit or `unsupported`; an internal error fails the test. Nothing here is timed: a query that must answer
//! has all the time it needs.

use std::sync::Arc;
use std::time::Duration;

use engine::{Engine, EngineError, Limits, QueryOptions, QueryOutput, TableCatalog};
use kql_types::{Value, datetime};

/// For what may answer and what may never end.
const ENOUGH: Option<Duration> = Some(Duration::from_secs(3));
/// For what never ends.
const SHORT: Option<Duration> = Some(Duration::from_secs(2));
const MEMORY: usize = 256 << 20;

fn engine() -> Engine {
    let schemas = tables::SchemaSet::builtin();
    let known: Vec<_> = schemas.names().into_iter().filter_map(|name| schemas.get(name).cloned()).collect();
    Engine::new(Arc::new(TableCatalog::new().with_schemas(known)), Arc::default())
}

fn options(time: Option<Duration>, memory: usize) -> QueryOptions {
    let limits = Limits { time, memory: Some(memory), result_rows: Some(100_000) };
    QueryOptions { limits, ..QueryOptions::at(datetime::parse("2026-01-07").unwrap()) }
}

/// What came of a query: `answer`, or the kind of error.
fn outcome(name: &str, query: &str, time: Option<Duration>) -> (&'static str, Result<QueryOutput, EngineError>) {
    let result = engine().run_blocking(query, &options(time, MEMORY));
    let kind = match &result {
        Ok(_) => "answer",
        Err(EngineError::Diagnostics(_)) => "diagnostic",
        Err(EngineError::Limit(_)) => "limit",
        Err(EngineError::Unsupported { .. }) => "unsupported",
        Err(other) => panic!("{name}: {other}"),
    };
    (kind, result)
}

/// Any outcome will do.
fn ends(name: &str, query: &str) {
    let _ = outcome(name, query, ENOUGH);
}

fn answers(name: &str, query: &str, expected: Value) {
    let (_, result) = outcome(name, query, None);
    let output = result.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(output.tables[0].rows(), [[expected]], "{name}");
}

fn refuses(name: &str, query: &str) {
    let (kind, _) = outcome(name, query, SHORT);
    assert!(matches!(kind, "diagnostic" | "limit"), "{name} is {kind}");
}

/// A query that ends, and needs far more memory than it may use.
fn needs_memory(name: &str, query: &str) {
    let limits = Limits { time: None, memory: Some(12 << 20), result_rows: None };
    let options = QueryOptions { limits, ..options(None, 0) };
    match engine().run_blocking(query, &options) {
        Err(EngineError::Limit(message)) => assert!(message.contains("memory"), "{name}: {message}"),
        Err(other) => panic!("{name}: {other}"),
        Ok(output) => panic!("{name}: {} rows", output.tables[0].row_count()),
    }
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

/// A row that a scan holds for later must not hold the text of all rows with it.
#[test]
fn a_scan_behind_a_scan_holds_each_text_once() {
    let scan =
        |name: &str, from: &str| format!("scan declare ({name}: string = '') with (step s: true => {name} = {from};)");
    let query = format!(
        "range x from 1 to 3000 step 1 | extend t = strcat(x, strcat_array(repeat('abcd', 60), '')) | {} | {} | summarize sum(strlen(d))",
        scan("c", "t"),
        scan("d", "c")
    );
    let digits = 9 + 2 * 90 + 3 * 900 + 4 * 2001;
    answers("a scan behind a scan", &query, Value::Long(3000 * 240 + digits));
}

/// What grows without end is stopped by the limit on memory alone, whoever holds the memory.
#[test]
fn memory_ends() {
    let rows = "range x from 1 to 600000 step 1 | extend s = strcat('some text of a row ', x)";
    needs_memory("a sort and its rows", &format!("{rows} | sort by s asc"));
    needs_memory(
        "a join",
        &format!("let a = {rows}; a | join kind=inner (a | project s, t = strcat(s, x)) on s | summarize max(t)"),
    );
    needs_memory("lists", &format!("{rows} | summarize l = make_list(s) by x % 10 | summarize max(array_length(l))"));
    needs_memory("sets", &format!("{rows} | summarize l = make_set(s) by x % 10 | summarize max(array_length(l))"));
    needs_memory("elements", "range x from 1 to 10 step 1 | mv-expand d = range(x, 1000000, 1) to typeof(long)");
    let groups = "range x from 1 to 100000 step 1 | extend s = strcat('some text of a row ', x) | summarize count() by s | count";
    answers("many groups", groups, Value::Long(100_000));
}

/// So are texts that grow while rows do not.
#[test]
fn texts_end() {
    let doubled = |function: &str, start: &str| {
        let growth = repeated(&format!("| extend a = {function}"), 40, "\n");
        format!("range x from 1 to 3 step 1 | extend a = {start} {growth} | project strlen(tostring(a))")
    };
    needs_memory("strcat", &doubled("strcat(a, a)", "'xxxxxxxx'"));
    needs_memory(
        "a constant strcat",
        &doubled("strcat(a, a)", "'xxxxxxxx'").replace("range x from 1 to 3 step 1 | extend", "print"),
    );
    needs_memory("strcat_delim", &doubled("strcat_delim(a, a, a)", "'xxxxxxxx'"));
    needs_memory("replace_string", &doubled("replace_string(a, 'x', a)", "strcat('xxxx', x)"));
    needs_memory("replace_regex", &doubled("replace_regex(a, 'x', a)", "strcat('xxxx', x)"));
    needs_memory("strrep", &doubled("strrep(a, 1000)", "strcat('xxxx', x)"));
    needs_memory("array_concat", &doubled("array_concat(a, a)", "pack_array(x, 1)"));
    needs_memory("pack_array", &doubled("pack_array(a, a)", "pack_array(x)"));
    needs_memory("bag_pack", &doubled("bag_pack('a', a, 'b', a)", "bag_pack('x', x)"));
    needs_memory("strcat_array", &doubled("strcat_array(repeat(a, 100), a)", "strcat('xxxx', x)"));
    needs_memory(
        "series",
        "range x from 1 to 1000 step 1 | extend d = range(x, 1000000, 1) | summarize max(array_length(d))",
    );
    needs_memory(
        "repeated values",
        "range x from 1 to 9 step 1 | extend d = repeat(strcat(strrep('y', 1000), x), 1000000) | summarize max(array_length(d))",
    );
}

/// Texts of unusual size and number: each is answered, or refused as what it is.
#[test]
fn sizes() {
    let text = "x".repeat(10_000_000);
    answers("a text of 10 MB", &format!("print strlen('{text}')"), Value::Long(10_000_000));
    answers("a name of 1 MB", &format!("print {} = 1", "n".repeat(1 << 20)), Value::Long(1));
    let lets: String = (0..100_000).map(|n| format!("let a{n} = {n};\n")).collect();
    ends("100,000 lets", &format!("{lets} print a99999"));
    let chain: String = (1..5_000).map(|n| format!("let a{n} = a{} + 1;\n", n - 1)).collect();
    ends("a chain of 5,000 lets", &format!("let a0 = 0;\n{chain} print a4999"));
    let calls: String = (1..500).map(|n| format!("let f{n} = (x:long) {{ f{}(x) + 1 }};\n", n - 1)).collect();
    ends("a chain of 500 functions", &format!("let f0 = (x:long) {{ x }};\n{calls} print f499(1)"));
    refuses("a function that calls itself", "let f = (x:long) { f(x) }; print f(1)");
    refuses("a variable of itself", "let a = a + 1; print a");
    let columns: Vec<String> = (0..10_000).map(|n| format!("c{n} = {n}")).collect();
    ends("10,000 columns", &format!("print {}", columns.join(", ")));
    ends("10,000 columns of rows", &format!("range x from 1 to 3 step 1 | project {} | count", columns.join(", ")));
    ends("10,000 aggregates", &format!("range x from 1 to 3 step 1 | summarize {}", repeated("sum(x)", 10_000, ", ")));
    let keys: Vec<String> = (0..1_000).map(|n| format!("k{n} = x % {}", n + 1)).collect();
    ends("1,000 keys", &format!("range x from 1 to 30 step 1 | summarize count() by {}", keys.join(", ")));
    let values = repeated("1, 'a'", 50_000, ", ");
    answers("a table of 50,000 rows", &format!("datatable(x:long, s:string)[{values}] | count"), Value::Long(50_000));
    ends("10,000 arguments", &format!("print strcat({})", repeated("'a'", 10_000, ", ")));
    ends("10,000 branches", &format!("print case({}, 0)", repeated("1 == 2, 3", 10_000, ", ")));
    let object: Vec<String> = (0..20_000).map(|n| format!("\"k{n}\": {n}")).collect();
    ends("a bag of 20,000 columns", &format!("print d = dynamic({{{}}}) | evaluate bag_unpack(d)", object.join(", ")));
    ends(
        "a pivot of 20,000 columns",
        "range x from 1 to 20000 step 1 | extend k = tostring(x) | evaluate pivot(k, sum(x))",
    );
    ends("a pattern of 5,000 parts", &format!("print s = 'a' | parse s with {}", repeated("* 'a' x", 5_000, " ")));
    let subqueries = format!("{}print 1{}", "print toscalar(".repeat(60), ")".repeat(60));
    ends("60 nested subqueries", &subqueries);
    let applied = format!("{}take 1{}", "mv-apply x on (".repeat(60), ")".repeat(60));
    ends("60 nested mv-apply", &format!("print x = dynamic([1]) | {applied}"));
    let steps: String = (0..1_000).map(|n| format!("step s{n}: x > {n}; ")).collect();
    ends("a scan of 1,000 steps", &format!("range x from 1 to 100 step 1 | scan with ({steps})"));
}

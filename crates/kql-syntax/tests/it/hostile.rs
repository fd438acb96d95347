//! Text that means harm, or was cut or damaged: every answer is quick, and none is a panic.

use std::time::{Duration, Instant};

use proptest::prelude::*;

/// Parses, prints and formats; the tree must hold every byte whatever the text.
fn survives(text: &str) {
    let parse = kql_syntax::parse(text);
    for error in &parse.errors {
        assert!(error.span.start <= error.span.end && error.span.end as usize <= text.len(), "{error:?}");
        assert!(text.get(error.span.start as usize..error.span.end as usize).is_some(), "{error:?}");
    }
    // Whoever walks, copies or shows the view needs no more stack than the test has.
    drop(parse.query.clone());
    let tree = kql_syntax::parse_tree(text);
    assert!(tree.text() == text);
    assert_eq!(tree.errors().len(), parse.errors.len());
    let formatted = kql_syntax::format(text, &kql_syntax::FormatOptions::default());
    assert!(parse.errors.is_empty() || formatted == text);
}

fn survives_quickly(name: &str, text: &str) {
    let start = Instant::now();
    survives(text);
    let elapsed = start.elapsed();
    assert!(elapsed < Duration::from_secs(20), "{name} took {elapsed:?}");
}

fn too_deep(text: &str) -> bool {
    kql_syntax::parse(text).errors.iter().any(|e| e.code == "KS245")
}

#[test]
fn deep_nesting_is_reported_once() {
    let nested = |open: &str, close: &str, n: usize| format!("print {}1{}", open.repeat(n), close.repeat(n));
    for (name, text) in [
        ("parentheses", nested("(", ")", 100_000)),
        ("case", nested("case(true, 1, ", ")", 1_000)),
        ("calls", nested("f(", ")", 100_000)),
        ("lists", nested("1 in (", ")", 50_000)),
        ("indexes", nested("a[", "]", 50_000)),
        ("arrays", format!("print dynamic({}1{})", "[".repeat(100_000), "]".repeat(100_000))),
        ("objects", format!("print dynamic({}1{})", "{\"a\":".repeat(50_000), "}".repeat(50_000))),
        ("subqueries", format!("T | where x in ({}", "T | where x in (".repeat(20_000))),
        ("functions", "let f = () { ".repeat(20_000)),
        ("joins", "T | join (".repeat(20_000)),
        ("mv-apply", format!("T{}", " | mv-apply x on (take 1".repeat(20_000))),
        ("forks", format!("T{}", " | fork (take 1".repeat(20_000))),
        ("scopes", "macro-expand g as x (".repeat(20_000)),
        ("datatables", "datatable(a:long)[".repeat(20_000)),
        ("unclosed", "(".repeat(100_000)),
        ("brackets", "[".repeat(100_000)),
        ("braces", "{".repeat(100_000)),
    ] {
        survives_quickly(name, &text);
        let reports = kql_syntax::parse(&text).errors.iter().filter(|e| e.code == "KS245").count();
        assert!(reports <= 1, "{name}: {reports} reports");
    }
    assert!(too_deep(&nested("(", ")", 100_000)));
    assert!(too_deep(&nested("case(true, 1, ", ")", 1_000)));
}

#[test]
fn reasonable_nesting_is_accepted() {
    for depth in [10, 60] {
        let text = format!("print {}1{}", "iff(true, 1 + 2 * ".repeat(depth), ", 3)".repeat(depth));
        assert_eq!(kql_syntax::parse(&text).errors, [], "{depth} levels");
    }
}

#[test]
fn long_chains_are_accepted() {
    let chain = |operand: &str, operator: &str, n: usize| vec![operand; n].join(operator);
    for (name, text) in [
        ("or", format!("T | where {}", chain("x == 1", " or ", 100_000))),
        ("and", format!("T | where {}", chain("x == 1", " and ", 20_000))),
        ("mixed", format!("T | where {}", chain("x == 1", " or y == 2 and ", 20_000))),
        ("pipes", format!("T{}", " | where x".repeat(10_000))),
        ("items", format!("print {}", chain("1", ", ", 20_000))),
        ("statements", "let x = 1; ".repeat(20_000)),
        ("strings", format!("print {}", chain("'a'", " ", 20_000))),
        ("in", format!("T | where x in ({})", chain("'a'", ", ", 20_000))),
        ("dynamic", format!("print dynamic([{}])", chain("1", ", ", 20_000))),
        ("sum", format!("print {}", chain("1", " + ", 400))),
        ("path", format!("print {}", chain("a", ".", 400))),
    ] {
        survives_quickly(name, &text);
        assert_eq!(kql_syntax::parse(&text).errors, [], "{name}");
    }
}

/// Chains that no one writes and that no balanced tree can hold are refused, not followed.
#[test]
fn endless_left_leaning_chains_are_refused() {
    let chain = |operand: &str, operator: &str, n: usize| vec![operand; n].join(operator);
    for (name, text) in [
        ("sum", format!("print {}", chain("1", " + ", 30_000))),
        ("product", format!("print {}", chain("1", " * ", 30_000))),
        ("path", format!("print {}", chain("a", ".", 30_000))),
        ("calls", format!("print a{}", ".f()".repeat(30_000))),
        ("indexes", format!("print a{}", "[0]".repeat(30_000))),
        ("minus", format!("print {}1", "- ".repeat(30_000))),
    ] {
        survives_quickly(name, &text);
        assert!(!kql_syntax::parse(&text).errors.is_empty(), "{name}");
    }
}

/// Where the parser has to look ahead, it must not read the rest of the text again from each place.
#[test]
fn looking_ahead_does_not_add_up() {
    let n = 50_000;
    for (name, text) in [
        ("in", format!("print {}", "x in (a, ".repeat(n))),
        ("tuple", format!("print {}", "(a, ".repeat(n))),
        ("wildcard", format!("T | project-away {}", "a*".repeat(n))),
        ("inline", format!("print {}", "inline_external_table(".repeat(n))),
        ("names", format!("print {}", "['a'".repeat(n))),
        ("graph", format!("G | graph-match {}", "(a)-[b]->".repeat(n))),
        ("words", "x ".repeat(n)),
    ] {
        survives_quickly(name, &text);
    }
}

#[test]
fn odd_bytes_survive() {
    for text in [
        "",
        " ",
        "\n",
        "\0",
        "\u{feff}T",
        "T\u{a0}| take 1",
        "'",
        "\"",
        "@'",
        "h@\"",
        "```",
        "~~~",
        "datetime(",
        "datetime(\n)",
        "long(1",
        "//",
        "#",
        "#x",
        ".",
        "..",
        ".x",
        "!",
        "!!",
        "\\",
        "^",
        "é",
        "print 'é",
        "print \"\\u12\"",
        "print 1e",
        "0x",
        "1.",
        "1..",
        "1..2",
        "1...2",
        "{a}",
        "{a[",
        "['a'",
        "[a*",
        "let",
        "let x",
        "let x=",
        "T |",
        "T | |",
        "| |",
        "set",
        "$left",
        "hint.",
        "hint.strategy",
        "12345678-1234-1234-1234-123456789012",
        "\u{2028}",
        "print '\u{2028}'",
        "(a,b)=",
        "a-b=1",
    ] {
        survives(text);
    }
}

fn seeds() -> Vec<String> {
    let mut seeds: Vec<String> = [
        "let a = datatable(x:long, y:dynamic)[1, dynamic({\"k\":[1,2]}), 2, dynamic(null)];\na | where x in (1, 2) // c\n| summarize n=count(), (t, v)=arg_max(x, *) by bin(x, 5) | order by n desc nulls last",
        "T | join kind=leftouter (U | where t between (ago(1d) .. now())) on $left.a == $right.b, c | mv-apply e=x to typeof(string) on (where e has \"a\" | take 1)",
        "T | parse kind=regex s with * 'a' b:long \"c\" d | make-series c=count() default=0 on t from a to b step 1h by k | render timechart with (title='x', ycolumns=a, b)",
        "let f = view (T:(*), x:long = 5) { let y = x; T | scan declare (s:long) with (step q output=all: true => s = q.s + 1;) };\nf(T) | evaluate bag_unpack(d) : (a:long, *)",
        "G | make-graph a --> b with N on id | graph-match (x)-[e*1..3]->(y)<--(z) where x.a == 1 project x.a, path = e",
        "union isfuzzy=true withsource=s T*, (U | take 1), database('d').V* | search kind=case_sensitive in (T) a:\"b\" and * has 'c'",
        "declare query_parameters(a:long = 1); set q = true; alias database d = cluster('c').database('d'); d.T | find in (T) where x project y:long, pack(*)",
        "print h@\"a\"\"b\", ```x\ny```, -1.5e3, 0x1F, 2.5h, time(1.00:00:00), guid(12345678-1234-1234-1234-123456789012), x.['a b'].[0][-1].c(1)",
    ]
    .map(str::to_owned)
    .into();
    if let Some(path) = testing::shared("conformance/kql-open.jsonl") {
        let text = std::fs::read_to_string(path).unwrap();
        seeds.extend(text.lines().step_by(7).map(|line| {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            record["query"].as_str().unwrap().to_owned()
        }));
    }
    seeds
}

#[test]
fn truncated_queries_survive() {
    for seed in seeds().iter().filter(|s| s.len() < 1_500) {
        // Every cut of a long seed would take too long.
        let step = (seed.len() / 60).max(1);
        for end in (0..seed.len()).step_by(step).filter(|i| seed.is_char_boundary(*i)) {
            survives(&seed[..end]);
            survives(&seed[end..]);
        }
    }
}

const PIECES: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "|",
    ";",
    ",",
    ".",
    "..",
    "=",
    "==",
    "=>",
    "*",
    "-",
    "+",
    ":",
    "'",
    "\"",
    "```",
    "//",
    "\n",
    " ",
    "let",
    "where",
    "by",
    "on",
    "in",
    "between",
    "and",
    "not",
    "1",
    "x",
    "dynamic(",
    "datetime(",
    "typeof(",
    "with",
    "\u{1F600}",
    "\0",
    "@",
    "#",
    "h'",
    "hint.strategy=",
    "kind=",
    "as",
    "to",
    "of",
    "step",
    "project",
    "materialize(",
    "toscalar(",
    "$",
    "~",
    "!",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_queries_survive(
        seed in prop::sample::select(seeds()),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0usize..4), 1..6),
    ) {
        let mut text = seed;
        for (place, piece, length) in edits {
            let places: Vec<usize> = (0..=text.len()).filter(|i| text.is_char_boundary(*i)).collect();
            let from = places[place.index(places.len())];
            let to = places.iter().copied().find(|i| *i >= from + length).unwrap_or(text.len());
            text.replace_range(from..to, PIECES[piece.index(PIECES.len())]);
        }
        survives(&text);
    }

    #[test]
    fn random_pieces_survive(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60)) {
        survives(&pieces.concat());
        survives(&pieces.join(" "));
    }

    #[test]
    fn random_text_survives(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn random_bytes_survive(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survives(&String::from_utf8_lossy(&bytes));
    }
}

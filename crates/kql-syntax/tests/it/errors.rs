//! Syntax errors: code, wording and place as the official parser has them, and recovery that goes on behind them.

/// `code message @start+length` of each error, a line each.
fn errors(text: &str) -> String {
    let line = |e: &kql_syntax::SyntaxError| {
        format!("{} {} @{}+{}", e.code, e.message, e.span.start, e.span.end - e.span.start)
    };
    kql_syntax::parse(text).errors.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(errors(text), *expected, "{text}");
    }
}

#[test]
fn missing_tokens() {
    check(&[
        ("print (1", "KS005 Expected: ) @8+0"),
        ("print (1\n| take 1", "KS005 Expected: ) @17+0"),
        ("T | sort a", "KS005 Expected: by @9+1"),
        ("T | sort   a", "KS005 Expected: by @8+0"),
        ("T | sort\na", "KS005 Expected: by @8+0"),
        ("T | top 5 a", "KS005 Expected: by @10+1"),
        ("T | project a b", "KS005 Expected: , @14+1"),
        ("let a = 1 T", "KS005 Expected: ; @10+1"),
        ("T U V", "KS005 Expected: ; @2+1\nKS005 Expected: ; @4+1"),
        ("let f = (a:long) 1; f", "KS005 Expected: { @17+1\nKS005 Expected: } @17+1\nKS005 Expected: ; @17+1"),
    ]);
}

#[test]
fn missing_elements() {
    check(&[
        ("print", "KS006 Missing expression @5+0"),
        ("print x =", "KS006 Missing expression @9+0"),
        ("print 1 +", "KS006 Missing expression @9+0"),
        ("print f(1,", "KS006 Missing expression @10+0\nKS005 Expected: ) @10+0"),
        ("T | where", "KS006 Missing expression @9+0"),
        ("T |", "KS176 Query operator expected. @3+0"),
        ("T | foo", "KS176 Query operator expected. @4+3"),
        ("T | | take 1", "KS176 Query operator expected. @3+0"),
        ("datatable(a:)[1]", "KS006 Missing type name @12+0"),
        ("datatable(a:strin)['x']", "KS160 The name 'strin' is not a valid type name that can be used here. @12+5"),
        ("print dynamic()", "KS006 Missing json value @14+0"),
        ("T | lookup U", "KS006 Missing join on condition clause @12+0"),
        ("T | sort by a nulls", "KS006 Missing first or last @19+0"),
        ("T | evaluate", "KS006 Missing function call @12+0"),
    ]);
}

/// Operators without strength among themselves do not chain.
#[test]
fn comparisons_do_not_chain() {
    check(&[
        ("print a == b == c", "KS198 The incomplete fragment is unexpected. @13+2"),
        ("print a < b < c", "KS198 The incomplete fragment is unexpected. @12+1"),
        ("print a has b has c", "KS198 The incomplete fragment is unexpected. @14+3"),
    ]);
}

#[test]
fn keywords_in_place_of_names() {
    check(&[
        (
            "T | extend first = 1",
            "KS228 The name 'first' needs to be bracketed as ['first'] to be used in this context. @11+5",
        ),
        (
            "T | project has, b",
            "KS228 The name 'has' needs to be bracketed as ['has'] to be used in this context. @12+3",
        ),
        (
            "T | extend a-b = 1",
            "KS228 The name 'a-b' needs to be bracketed as ['a-b'] to be used in this context. @11+3",
        ),
        (
            "print x = has",
            "KS006 Missing expression: If the keyword 'has' is intended to be part of an expression it needs to be \
             bracketted as ['has']. @9+0\nKS198 The incomplete fragment is unexpected. @10+3",
        ),
        (
            "T | as union",
            "KS006 Missing name: If the keyword 'union' is intended be used as the name, it needs to be bracketted as \
             ['union']. @6+0\nKS005 Expected: ; @7+5\nKS006 Missing expression @12+0",
        ),
    ]);
}

#[test]
fn lexical_errors() {
    check(&[
        ("print 'abc", "KS001 Missing: ' @10+0"),
        (
            "print \"a\\qb\"",
            "KS001 Missing: \" @8+0\nKS002 Unexpected: \\ @8+1\nKS198 The incomplete fragment is unexpected. @8+1\n\
             KS001 Missing: \" @12+0",
        ),
        ("print 1 ^ 2", "KS002 Unexpected: ^ @8+1\nKS198 The incomplete fragment is unexpected. @8+1"),
        (
            "print 12345678-1234-1234-1234-123456789012",
            "KS214 Raw guid literals are not allowed in this context, use guid(...) instead. @6+36",
        ),
        ("print datetime(2020-01-01", "KS001 Missing: ) @25+0"),
    ]);
}

#[test]
fn what_cannot_be_read_is_skipped() {
    check(&[
        (")", "KS198 The incomplete fragment is unexpected. @0+1"),
        ("T | take 1) | count", "KS198 The incomplete fragment is unexpected. @10+1"),
        ("| take 1", "KS198 The incomplete fragment is unexpected. @0+1"),
    ]);
}

#[test]
fn parameters_say_what_they_may_be() {
    check(&[(
        "A | join kind=(B) on x",
        "KS005 Expected one of: inner, fullouter, innerunique, leftanti, leftantisemi, anti, leftouter, leftsemi, \
         rightanti, rightantisemi, rightouter, rightsemi @14+0",
    )]);
}

#[test]
fn parsing_goes_on_behind_an_error() {
    let parse = kql_syntax::parse("T | where | project a | foo | summarize count() by b");
    assert_eq!(parse.errors.len(), 2);
    let text = crate::sexp::statement(&parse.query.statements[0]);
    assert_eq!(text, "T | where ? | project a | foo | summarize [count()] by [b]");
}

//! Layout of formatted queries.

use kql_syntax::{FormatOptions, format};

#[track_caller]
fn formats(text: &str, expected: &str) {
    let options = FormatOptions::default();
    let formatted = format(text, &options);
    assert_eq!(formatted, expected, "\n{formatted}");
    assert_eq!(format(&formatted, &options), formatted, "is stable");
}

#[test]
fn pipes_stand_on_lines_of_their_own() {
    formats("T|where a==1 and b<2|take 5", "T\n| where a == 1 and b < 2\n| take 5\n");
    formats("let x=T|where a;x|count", "let x =\n    T\n    | where a;\nx\n| count\n");
    formats("print toscalar(T|count)", "print toscalar(T | count)\n");
    formats(
        "T|join kind=inner(U|where a|take 1)on k",
        "T\n| join kind=inner (\n    U\n    | where a\n    | take 1\n) on k\n",
    );
}

#[test]
fn lists_break_where_they_do_not_fit() {
    let columns = ["AlphaAlphaAlpha", "BetaBetaBetaBeta", "GammaGammaGamma", "DeltaDeltaDelta", "EpsilonEpsilon"];
    formats(&format!("T | project {}", columns[..3].join(",")), &format!("T\n| project {}\n", columns[..3].join(", ")));
    let all = [columns, columns].concat();
    formats(&format!("T | project {}", all.join(",")), &format!("T\n| project\n    {}\n", all.join(",\n    ")));
    let tests: Vec<String> = all.iter().map(|column| format!("{column} has 'x'")).collect();
    formats(&format!("T | where {}", tests.join(" and ")), &format!("T\n| where {}\n", tests.join("\n    and ")));
}

#[test]
fn long_lists_of_values_fill_lines() {
    let values = |n: usize| vec!["'0123456789'"; n].join(", ");
    formats(
        &format!("T | where a in ({})", values(14)),
        &format!("T\n| where a in (\n    {},\n    {},\n    {}\n)\n", values(6), values(6), values(2)),
    );
}

#[test]
fn tables_have_a_row_a_line() {
    formats(
        "datatable(a:long,b:string)[1,'x',2,'y',]",
        "datatable (a:long, b:string) [\n    1, 'x',\n    2, 'y',\n]\n",
    );
    formats("datatable(a:long)[1,2,3]", "datatable (a:long) [1, 2, 3]\n");
}

#[test]
fn functions_and_statements() {
    formats("let f=(a:long,b:string='x'){a+1};f(1)", "let f = (a:long, b:string = 'x') { a + 1 };\nf(1)\n");
    formats(
        "let f=(T:(*)){let x=1;T|take x};f(A)",
        "let f = (T:(*)) {\n    let x = 1;\n    T\n    | take x\n};\nf(A)\n",
    );
    formats("let a=1;\n\n\n\nlet b=2;\nT", "let a = 1;\n\nlet b = 2;\nT\n");
}

#[test]
fn comments_stay() {
    formats(
        "// top\n\nT // source\n// own\n| where a // why\n\n| take 1 // end\n// last",
        "// top\n\nT // source\n// own\n| where a // why\n| take 1 // end\n// last\n",
    );
    formats("print a = 1 // one\n, b = 2 // two", "print\n    a = 1 // one\n    , b = 2 // two\n");
    formats("T | project a, // first\n b", "T\n| project\n    a, // first\n    b\n");
    formats("T | where f(// in\n)", "T\n| where f( // in\n)\n");
}

#[test]
fn spaces_follow_the_construct() {
    formats("print -1,a-1,- a , f ( x ) , a . b [ 0 ]", "print -1, a - 1, -a, f(x), a.b[0]\n");
    formats("print a:b", "print a:b\n");
    formats("T|where a between(1..2)and b !in~('x')", "T\n| where a between (1 .. 2) and b !in~ ('x')\n");
    formats("T|mv-expand a to typeof( long )limit 5", "T\n| mv-expand a to typeof(long) limit 5\n");
    formats("E|make-graph a-->b with N on id", "E\n| make-graph a --> b with N on id\n");
    formats("union  T* , U*", "union T*, U*\n");
}

#[test]
fn what_has_a_meaning_in_its_spaces_is_left_alone() {
    // A multi-line string, JSON, a pattern, a command.
    formats("print ```a\n  b```", "print ```a\n  b```\n");
    formats("print dynamic({ \"a\" :1 })", "print dynamic({ \"a\" :1 })\n");
    formats(".show tables|take 1", ".show tables|take 1\n");
}

#[test]
fn texts_with_errors_come_back_unchanged() {
    for text in ["T|where", "T | where a)", "print 'x", "T  |  foo"] {
        assert_eq!(format(text, &FormatOptions::default()), text);
    }
    assert_eq!(format("", &FormatOptions::default()), "");
}

#[test]
fn width_and_indent_are_options() {
    let options = FormatOptions { indent: 2, width: 20 };
    assert_eq!(format("T|project aaaaaaaa,bbbbbbbb,c", &options), "T\n| project\n  aaaaaaaa,\n  bbbbbbbb,\n  c\n");
}

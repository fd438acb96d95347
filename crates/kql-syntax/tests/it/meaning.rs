//! What queries mean: the typed view of every construct of the language, written as text.

use crate::sexp::{query, scalar};

#[track_caller]
fn scalars(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(scalar(text), *expected, "{text}");
    }
}

#[track_caller]
fn queries(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(query(text), *expected, "{text}");
    }
}

#[test]
fn strength_of_operators() {
    scalars(&[
        ("a or b and c", "(or a (and b c))"),
        ("a and b or c", "(or (and a b) c)"),
        ("a == 1 and b != 2", "(and (== a 1) (!= b 2))"),
        ("a < b == c", "(== (< a b) c)"),
        ("a + b * c - d", "(- (+ a (* b c)) d)"),
        ("a - b - c", "(- (- a b) c)"),
        ("a + 1 < b * 2", "(< (+ a 1) (* b 2))"),
        ("a % 2 == 0", "(== (% a 2) 0)"),
        ("-a + b", "(+ (neg a) b)"),
        ("a - -1", "(- a (neg 1))"),
        ("a -1", "(- a 1)"),
        ("-1", "(neg 1)"),
        ("+a.b", "(pos a.b)"),
        ("(a or b) and c", "(and (paren (or a b)) c)"),
        ("not(a) and b", "(and not(a) b)"),
        ("a <> b", "(!= a b)"),
        // String operators bind their operands before arithmetic does.
        ("a has 'x' + 'y'", "(+ (has a \"x\") \"y\")"),
        ("a =~ b and c !~ d", "(and (=~ a b) (!~ c d))"),
        ("a startswith_cs b or c matches regex d", "(or (startswith_cs a b) (matches regex c d))"),
    ]);
}

#[test]
fn every_string_operator() {
    for operator in [
        "has",
        "!has",
        "has_cs",
        "!has_cs",
        "hasprefix",
        "!hasprefix",
        "hasprefix_cs",
        "!hasprefix_cs",
        "hassuffix",
        "!hassuffix",
        "hassuffix_cs",
        "!hassuffix_cs",
        "contains",
        "!contains",
        "contains_cs",
        "!contains_cs",
        "startswith",
        "!startswith",
        "startswith_cs",
        "!startswith_cs",
        "endswith",
        "!endswith",
        "endswith_cs",
        "!endswith_cs",
        "matches regex",
        "like",
        "notlike",
        "likecs",
        "notlikecs",
        "=~",
        "!~",
    ] {
        assert_eq!(scalar(&format!("a {operator} b")), format!("({operator} a b)"));
    }
    // Old spellings.
    scalars(&[
        ("a notcontains b", "(!contains a b)"),
        ("a containscs b", "(contains_cs a b)"),
        ("a notcontainscs b", "(!contains_cs a b)"),
    ]);
}

#[test]
fn long_conditions_keep_their_operands() {
    let text = (0..1_000).map(|i| format!("x{i}")).collect::<Vec<_>>();
    let shape = scalar(&text.join(" or "));
    let names: Vec<&str> = shape.split(['(', ')', ' ']).filter(|w| w.starts_with('x')).collect();
    assert_eq!(names, text);
    assert_eq!(shape.matches("(or ").count(), 999);
}

#[test]
fn lists_and_ranges() {
    scalars(&[
        ("a in (1, 2)", "(in a [1 2])"),
        ("a !in~ ('x')", "(!in~ a [\"x\"])"),
        ("a in~ (b)", "(in~ a [b])"),
        ("a has_any ('x', y) and b has_all (z)", "(and (has_any a [\"x\" y]) (has_all b [z]))"),
        ("a in (T | project x)", "(in a [T | project x])"),
        ("a in ((T | project x))", "(in a [(paren T | project x)])"),
        ("a between (1 .. 2)", "(between a 1 2)"),
        ("a !between (ago(1d) .. now())", "(!between a ago(span:1d) now())"),
        ("a between (b - 1d .. b + 1d)", "(between a (- b span:1d) (+ b span:1d))"),
        ("a between (1..2)", "(between a 1 2)"),
    ]);
}

#[test]
fn literals() {
    scalars(&[
        ("1, 0x1F, 1.5, 2.5h, true, 'a'", "1 0x1F real:1.5 span:2.5h bool:true \"a\""),
        ("int(5), long(null), real(nan), decimal(1.5)", "int:5 long:null real:nan decimal:1.5"),
        ("datetime(2020-01-01 10:00), datetime('2020-01-01')", "datetime:2020-01-01 10:00 datetime:2020-01-01"),
        ("date( null ), time(1.00:00:00), timespan('1d')", "date:null time:1.00:00:00 timespan:1d"),
        ("bool(false), bool(1)", "bool:false bool:1"),
        ("guid(74be27de-1e4e-49d9-b579-fe0b331d3642)", "guid:74be27de-1e4e-49d9-b579-fe0b331d3642"),
        ("dynamic( {\"a\": [1, -2.5, null]} )", "dynamic:{\"a\": [1, -2.5, null]}"),
        ("dynamic(null), dynamic('x')", "dynamic:null dynamic:'x'"),
        (r#"'a\'b\\\n\x41\u00e9', "q\"", @'c:\d', @"e""f""#, r#""a'b\\\nAé" "q\"" "c:\\d" "e\"f""#),
        ("h'secret', H@\"s\", ```a\nb```", "h\"secret\" h\"s\" \"a\\nb\""),
        ("'a' \"b\" @'c'", "\"abc\""),
        (r"'\ud83d\ude00'", "\"😀\""),
        ("typeof(long), typeof(a:long, b:string)", "typeof(long) typeof(a:long b:string)"),
    ]);
}

#[test]
fn names_and_paths() {
    scalars(&[
        ("['a b'], [\"c\"], a.['d e'].f", "['a b'] ['c'] a.['d e'].f"),
        ("a[0], a['k'], a.b[-1].c, a.[0].['#text']", "a[0] a[\"k\"] a.b[(neg 1)].c a[0].['#text']"),
        ("f(x).y[0].g(1)", "f(x).y[0].g(1)"),
        ("$left.a == $right.b", "(== $left.a $right.b)"),
        ("kind, take, order, a.kind, count()", "kind take order a.kind count()"),
        ("x = 1, (a, b) = f(), to = 2", "(x = 1) ([a b] = f()) (to = 2)"),
        ("f(a, k = 1, *)", "f(a (k = 1) *)"),
        ("{param}, a.{p}", "param a.p"),
        ("toscalar(T | count), materialize(T)", "toscalar(T | count) materialize(T)"),
    ]);
}

#[test]
fn sources() {
    queries(&[
        ("T", "T"),
        ("T | count", "T | count"),
        ("['a b'] | take 1", "['a b'] | take 1"),
        ("cluster('c').database('d').T | take 1", "cluster(\"c\").database(\"d\").T | take 1"),
        ("(T | take 1) | take 2", "(paren T | take 1) | take 2"),
        ("f(1) | where a", "f(1) | where a"),
        ("print 1", "print 1"),
        ("range x from 1 to 10 step 2", "range x 1 10 2"),
        ("range from from 1 to 2 step 1", "range from 1 2 1"),
        ("range(1, 2)", "range(1 2)"),
        ("datatable(a:long, ['b c']:string)[1, 'x', -2, 'y',]", "datatable (a:long b c:string) [1 \"x\" -2 \"y\"]"),
        (
            "externaldata(a:long)[@'u', h'v'] with (format='csv', ignoreFirstRecord=true)",
            "externaldata (a:long) [\"u\" h\"v\"] format=\"csv\" ignoreFirstRecord=bool:true",
        ),
        ("external_data(a:long)['u']", "external_data (a:long) [\"u\"]"),
        ("union A, B*, (C | take 1), database('d').E*", "union A <B*> (paren C | take 1) database(\"d\").E*"),
        ("union kind=outer withsource=S isfuzzy=true A", "union kind=outer withsource=S isfuzzy=bool:true A"),
        ("T | union U", "T | union U"),
        ("search 'x'", "search in [] \"x\""),
        (
            "search kind=case_sensitive in (A, B*) a:'x' and * has 'y'",
            "search kind=case_sensitive in [A <B*>] (and (: a \"x\") (has * \"y\"))",
        ),
        ("search * and (a > 1)", "search in [] (and * (paren (> a 1)))"),
        (
            "find withsource=S in (A, B) where x == 1 project a, b:long, pack(*)",
            "find withsource=S in [A B] where (== x 1) project [a (: b long) pack(*)]",
        ),
        ("find x has 'y' project-smart", "find in [] where (has x \"y\") project [] smart"),
        ("evaluate p(T, 1)", "evaluate p(T 1)"),
    ]);
}

#[test]
fn operators_on_rows_and_columns() {
    queries(&[
        ("T | where a | filter b", "T | where a | filter b"),
        ("T | take 5 | limit 6", "T | take 5 | limit 6"),
        (
            "T | project a, b = c + 1 | project-away a*, *b | project-keep c",
            "T | project a (b = (+ c 1)) | project-away <a*> <*b> | project-keep c",
        ),
        (
            "T | project-rename a = b | project-reorder a desc, b* asc, c",
            "T | project-rename (a = b) | project-reorder a desc, <b*> asc, c",
        ),
        ("T | project-by-names dynamic(['a']), 'b'", "T | project-by-names dynamic:['a'] \"b\""),
        ("T | extend a = 1, f(b)", "T | extend (a = 1) f(b)"),
        ("T | distinct * | distinct a, b", "T | distinct * | distinct a b"),
        (
            "T | sort by a, b desc nulls first, c asc nulls last | order by d",
            "T | sort a, b desc nulls-first, c asc nulls-last | order d",
        ),
        ("T | top 5 by a desc nulls last", "T | top 5 by a desc nulls-last"),
        ("T | top-hitters 3 of a by b", "T | top-hitters 3 of a by b"),
        (
            "T | top-nested 2 of a with others = 'o' by sum(x) desc, top-nested of b by max(y)",
            "T | top-nested 2 of a others \"o\" by sum(x) desc, - of b others - by max(y)",
        ),
        ("T | sample 3 | sample-distinct 4 of a", "T | sample 3 | sample-distinct 4 of a"),
        ("T | serialize | serialize r = row_number()", "T | serialize | serialize (r = row_number())"),
        (
            "T | as hint.materialized=true X | consume | getschema",
            "T | as hint.materialized=bool:true X | consume | getschema",
        ),
        ("T | count as N", "T | count as N"),
        ("T | invoke f(1)", "T | invoke f(1)"),
        ("T | assert-schema (a:long)", "T | assert-schema a:long"),
        ("T | render timechart", "T | render timechart"),
        (
            "T | render barchart with (title='x', ycolumns=a, b, series=c, xmin=1)",
            "T | render barchart title=\"x\" ycolumns=(a b) series=c xmin=1",
        ),
        ("T | render piechart kind=default title='t'", "T | render piechart kind=default title=\"t\""),
        ("T | summarize", "T | summarize [] by []"),
        ("T | summarize by a", "T | summarize [] by [a]"),
        (
            "T | summarize hint.strategy=shuffle c = count(), (t, x) = arg_max(y, *) by k, bin(t, 1h)",
            "T | summarize hint.strategy=shuffle [(c = count()) ([t x] = arg_max(y *))] by [k bin(t span:1h)]",
        ),
        ("T | summarize makeset(a) by b bin=1h", "T | summarize [makeset(a)] by [b (bin = span:1h)]"),
        ("T | reduce by a with threshold=0.5, characters='x'", "T | reduce a threshold=real:0.5 characters=\"x\""),
        (
            "T | evaluate hint.distribution=per_node bag_unpack(d, 'p_') : (*, x:long)",
            "T | evaluate hint.distribution=per_node bag_unpack(d \"p_\") : (* x:long)",
        ),
    ]);
}

#[test]
fn joins() {
    queries(&[
        ("A | join B on k", "A | join B on [k]"),
        (
            "A | join kind=leftouter (B | where x) on a, $left.b == $right.c",
            "A | join kind=leftouter (paren B | where x) on [a (== $left.b $right.c)]",
        ),
        (
            "A | join hint.strategy=broadcast kind=inner B on a and b",
            "A | join hint.strategy=broadcast kind=inner B on [(and a b)]",
        ),
        ("A | join B where x == y", "A | join B on [] where (== x y)"),
        ("A | join B", "A | join B on []"),
        ("A | lookup kind=leftouter B on k", "A | lookup kind=leftouter B on [k]"),
    ]);
}

#[test]
fn expansion() {
    queries(&[
        ("T | mv-expand a", "T | mv-expand a limit -"),
        ("T | mvexpand bagexpansion=array a limit 5", "T | mvexpand bagexpansion=array a limit 5"),
        (
            "T | mv-expand with_itemindex=i x = a to typeof(long), b",
            "T | mv-expand with_itemindex=i (x = a):long b limit -",
        ),
        (
            "T | mv-apply x = a to typeof(string) limit 3 on (where x | take 1)",
            "T | mv-apply (x = a):string limit 3 id - (where x | take 1)",
        ),
        ("T | mvapply a on (summarize max(a))", "T | mvapply a limit - id - (summarize [max(a)] by [])"),
        ("T | mv-apply id, limit = x on (take 1)", "T | mv-apply id (limit = x) limit - id - (take 1)"),
    ]);
}

#[test]
fn parsing_text() {
    queries(&[
        ("T | parse a with * 'x' b:long 'y' c", "T | parse a with * \"x\" b:long \"y\" c"),
        ("T | parse kind=regex flags=Ui a with @'\\d' b *", "T | parse kind=regex flags=Ui a with \"\\\\d\" b *"),
        ("T | parse-where kind=relaxed f(a) with 'x' b", "T | parse-where kind=relaxed filter f(a) with \"x\" b"),
        (
            "T | parse-kv a as (x:long, y:string) with (pair_delimiter=';', greedy=true)",
            "T | parse-kv a as (x:long y:string) pair_delimiter=\";\" greedy=bool:true",
        ),
    ]);
}

#[test]
fn series() {
    queries(&[
        (
            "T | make-series c = count() default=0, avg(x) on t from a to b step 1h by k",
            "T | make-series [(c = count()) default 0 avg(x)] on t from a to b step span:1h by [k]",
        ),
        ("T | make-series count() on t step 1d", "T | make-series [count()] on t from - to - step span:1d by []"),
        (
            "T | make-series count() on t in range(a, b, 1d)",
            "T | make-series [count()] on t in range from a to b step span:1d by []",
        ),
    ]);
}

#[test]
fn scanning() {
    assert_eq!(
        query(
            "T | scan with_match_id=m order by t asc partition by k declare (s:long = 0) with (step a output=none: x == 1 => s = 1; step b optional: true;)"
        ),
        "T | scan with_match_id=m order [t asc] partition [k] declare [s:long=0] steps <a output=none: (== x 1) => (s = 1)> <b optional: bool:true => >"
    );
}

#[test]
fn subqueries() {
    queries(&[
        ("T | partition by k (top 1 by x)", "T | partition by k in - (top 1 by x) {-}"),
        (
            "T | partition hint.strategy=native by k { U | where a == k }",
            "T | partition hint.strategy=native by k in - () {U | where (== a k)}",
        ),
        ("T | fork a=(where x | take 1) (count)", "T | fork a=(where x | take 1) (count)"),
        ("T | facet by a, b with (where x | take 1)", "T | facet a b with (where x | take 1)"),
        ("T | facet by a with count", "T | facet a with (count)"),
        ("macro-expand entity_group [A, B] as X (X.T | count)", "macro-expand (X = entity_group(A B)) (X.T | count)"),
    ]);
}

#[test]
fn graphs() {
    queries(&[
        ("E | make-graph a --> b with N on id", "E | make-graph a Forward b with [N on id] id - partitioned -"),
        ("E | make-graph a -- b with_node_id=n", "E | make-graph a Any b with [] id n partitioned -"),
        (
            "G | graph-match cycles=none (a)-[e*1..3]->(b)<-[f]-(c)--(d), (a)-->() where a.x == 1 project p = a.x, e",
            "G | graph-match cycles=none (a)-[e*1..3]->(b)<-[f]-(c)-[]-(d), (a)-[]->() where (== a.x 1) project [(p = a.x) e]",
        ),
        (
            "G | graph-shortest-paths output=all (a)-[e*1..5]->(b) project a.x",
            "G | graph-shortest-paths output=all (a)-[e*1..5]->(b) where - project [a.x]",
        ),
        ("G | graph-to-table nodes as N with_node_id=i, edges", "G | graph-to-table with_node_id=i (N = nodes) edges"),
        (
            "G | graph-mark-components kind=weak with_component_id=c",
            "G | graph-mark-components kind=weak with_component_id=c",
        ),
        ("G | graph-where-nodes a > 1 | graph-where-edges b", "G | graph-where-nodes (> a 1) | graph-where-edges b"),
    ]);
}

#[test]
fn statements() {
    queries(&[
        ("let a = 1; let b = T | where x; b", "(let a 1); (let b T | where x); b"),
        ("let f = (a:long, b:string = 'x') { a + 1 }; f(1)", "(let f (fn [a:long b:string=\"x\"] (+ a 1))); f(1)"),
        ("let f = view () { T }; f", "(let f (fn view [] T)); f"),
        (
            "let f = (T:(a:long), U:(*)) { let x = 1; T | take x }; f(A, B)",
            "(let f (fn [T:(a:long) U:(*)] (let x 1) T | take x)); f(A B)",
        ),
        ("let f = (a:long) { a; }; f(1)", "(let f (fn [a:long] a)); f(1)"),
        ("let m = materialize(T | take 1); m", "(let m materialize(T | take 1)); m"),
        ("set a; set b = 5; T", "(set a -); (set b 5); T"),
        ("declare query_parameters(a:long = 1, b:string); T", "(declare a:long=1 b:string); T"),
        ("alias database d = cluster('c').database('x'); d.T", "(alias d cluster(\"c\").database(\"x\")); d.T"),
        ("restrict access to (T, U*); T", "(restrict T <U*>); T"),
        ("declare pattern p = (a:string)[b:string] { ('x').['y'] = { T }; }; p('x').y", "(pattern); p(\"x\").y"),
        ("let where1 = 1; let ['a b'] = 2; T", "(let where1 1); (let a b 2); T"),
        ("#connect x\nT", "(directive connect); T"),
        (".show tables | take 1", "(command show)"),
        (".create-or-alter function with (folder='f') g(a:long) { T | take a }", "(command create-or-alter)"),
        ("T;", "T"),
        ("", ""),
    ]);
}

#[test]
fn stored_functions() {
    let (function, errors) = kql_syntax::parse_function("(a:long, T:(*))", "{ let b = a; T | take b }");
    assert_eq!(errors, []);
    assert_eq!(crate::sexp::function(&function), "(fn [a:long T:(*)] (let b a) T | take b)");
    let (function, errors) = kql_syntax::parse_function("a:long=1", "print a");
    assert_eq!(errors, []);
    assert_eq!(crate::sexp::function(&function), "(fn [a:long=1] print a)");
    let (function, errors) = kql_syntax::parse_function("", "T | take 1; ");
    assert_eq!(errors, []);
    assert_eq!(crate::sexp::function(&function), "(fn [] T | take 1)");
    assert!(!kql_syntax::parse_function("a", "T").1.is_empty());
    assert!(!kql_syntax::parse_function("", "T | where").1.is_empty());
}

#[test]
fn spans_cover_what_they_stand_for() {
    use kql_syntax::ast::{ExprKind, StatementKind};
    let text = "let a = b + c; T | where x has 'y' // end";
    let parse = kql_syntax::parse(text);
    let slice = |span: kql_syntax::Span| &text[span.start as usize..span.end as usize];
    let [first, second] = &parse.query.statements[..] else { panic!("two statements") };
    assert_eq!((slice(first.span), slice(second.span)), ("let a = b + c", "T | where x has 'y'"));
    let StatementKind::Let { name, value } = &first.kind else { panic!("let") };
    assert_eq!((slice(name.span), slice(value.span)), ("a", "b + c"));
    let StatementKind::Expression(pipe) = &second.kind else { panic!("expression") };
    let ExprKind::Pipe { input, operators } = &pipe.kind else { panic!("pipe") };
    assert_eq!((slice(input.span), slice(operators[0].span)), ("T", "where x has 'y'"));
    assert_eq!(slice(operators[0].keyword.span), "where");
}

//! Tokens: every form of literal and name, and what is not one.

use kql_syntax::SyntaxKind::{self, *};

/// Kinds and texts of the tokens that are not white space.
fn tokens(text: &str) -> Vec<(SyntaxKind, &str)> {
    let (tokens, _) = kql_syntax::lex(text);
    let joined: String = tokens.iter().map(|t| t.text(text)).collect();
    assert_eq!(joined, text, "tokens cover the text");
    tokens.iter().map(|t| (t.kind, t.text(text))).filter(|t| t.0 != Whitespace).collect()
}

fn is_one(text: &str, kind: SyntaxKind) {
    assert_eq!(tokens(text), [(kind, text)]);
    assert_eq!(kql_syntax::lex(text).1, [], "{text}");
}

#[test]
fn strings() {
    for text in [
        "''",
        "\"\"",
        "'a\"b'",
        "\"a'b\"",
        r"'a\'b'",
        r#""a\"b\\""#,
        r"'\n\t\r\a\b\f\v'",
        r"'\x41\u0041\U00000041\101'",
        "@'a\\'",
        "@\"a\"\"b\"",
        "@'it''s'",
        "h'x'",
        "H\"x\"",
        "h@'x'",
        "H@\"x\"\"\"",
        "```a\nb```",
        "~~~a\nb'\"~~~",
        "h```x```",
        "``````",
    ] {
        is_one(text, StringLiteral);
    }
}

#[test]
fn unclosed_strings_end_with_the_line_or_at_a_wrong_escape() {
    let (tokens, errors) = kql_syntax::lex("'abc\nx");
    assert_eq!((tokens[0].kind, tokens[0].text("'abc\nx")), (StringLiteral, "'abc"));
    assert_eq!((errors[0].code, errors[0].message.as_str()), ("KS001", "Missing: '"));
    let text = r"'a\q'";
    assert_eq!(kql_syntax::lex(text).0[0].text(text), "'a");
    assert_eq!(kql_syntax::lex("```a").1[0].message, "Missing: ```");
}

#[test]
fn numbers() {
    for text in ["0", "42", "0x2A", "0Xff"] {
        is_one(text, LongLiteral);
    }
    for text in ["1.5", "1.", "1e10", "1.5E-3", "1e+2", "0.0"] {
        is_one(text, RealLiteral);
    }
    for unit in [
        "d",
        "day",
        "days",
        "h",
        "hr",
        "hrs",
        "hour",
        "hours",
        "m",
        "min",
        "minute",
        "minutes",
        "s",
        "sec",
        "second",
        "seconds",
        "ms",
        "milli",
        "millis",
        "millisec",
        "millisecond",
        "milliseconds",
        "micro",
        "micros",
        "microsec",
        "microsecond",
        "microseconds",
        "nano",
        "nanos",
        "nanosec",
        "nanosecond",
        "nanoseconds",
        "tick",
        "ticks",
    ] {
        is_one(&format!("3{unit}"), TimeSpanLiteral);
        is_one(&format!("2.5{unit}"), TimeSpanLiteral);
    }
    // No units of timespans: names that start with a digit.
    for text in ["1us", "1week", "3x", "1_000", "0xg"] {
        is_one(text, Identifier);
    }
    assert_eq!(tokens("1..2"), [(LongLiteral, "1"), (DotDot, ".."), (LongLiteral, "2")]);
    assert_eq!(tokens("-1"), [(Minus, "-"), (LongLiteral, "1")]);
}

#[test]
fn typed_literals_are_one_token_without_a_space() {
    for (text, kind) in [
        ("long(42)", LongLiteral),
        ("int64(null)", LongLiteral),
        ("int(5)", IntLiteral),
        ("int32(5)", IntLiteral),
        ("real(nan)", RealLiteral),
        ("double(1)", RealLiteral),
        ("decimal(1.5)", DecimalLiteral),
        ("bool(true)", BoolLiteral),
        ("datetime(2020-01-01 10:00)", DateTimeLiteral),
        ("date(2020-01-01)", DateTimeLiteral),
        ("time(1.00:00:00)", TimeSpanLiteral),
        ("timespan(1d)", TimeSpanLiteral),
        ("guid(74be27de-1e4e-49d9-b579-fe0b331d3642)", GuidLiteral),
        ("74be27de-1e4e-49d9-b579-fe0b331d3642", RawGuid),
        ("true", BoolLiteral),
        ("FALSE", BoolLiteral),
    ] {
        is_one(text, kind);
    }
    assert_eq!(tokens("datetime (x)")[0], (DatetimeKw, "datetime"));
    assert_eq!(kql_syntax::lex("long(4\n)").1[0].message, "Missing: )");
}

#[test]
fn words() {
    for text in ["a", "_a1", "$left", "x_y_z", "where1", "Where", "tRue"] {
        is_one(text, Identifier);
    }
    for (text, kind) in [
        ("where", WhereKw),
        ("mv-expand", MvExpandKw),
        ("project-away", ProjectAwayKw),
        ("in~", InCiKw),
        ("!in~", NotInCiKw),
        ("!has_cs", NotHasCsKw),
        ("matches regex", MatchesRegexKw),
        ("3Dchart", ThreeDChartKw),
        ("hint.strategy", HintName),
        ("hint.pass_filters_column", HintName),
    ] {
        is_one(text, kind);
    }
    assert_eq!(tokens("project-x"), [(ProjectKw, "project"), (Minus, "-"), (Identifier, "x")]);
    assert_eq!(tokens("hint.x"), [(Identifier, "hint"), (Dot, "."), (Identifier, "x")]);
    assert_eq!(tokens("a-b"), [(Identifier, "a"), (Minus, "-"), (Identifier, "b")]);
}

#[test]
fn comments_directives_and_foreign_characters() {
    assert_eq!(tokens("a // b\nc"), [(Identifier, "a"), (Comment, "// b"), (Identifier, "c")]);
    assert_eq!(tokens("#connect x\nT"), [(Directive, "#connect x"), (Identifier, "T")]);
    assert_eq!(tokens("a\u{a0}\u{200b}b"), [(Identifier, "a"), (Identifier, "b")]);
    let (bad, errors) = kql_syntax::lex("é^");
    assert!(bad.iter().all(|t| t.kind == Bad));
    assert_eq!(errors.iter().map(|e| e.message.as_str()).collect::<Vec<_>>(), ["Unexpected: é", "Unexpected: ^"]);
}

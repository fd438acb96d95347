//! The parser against the reference data: public queries and conformance cases with the official parser's verdict.
//! Without the data beside the project the tests say so and pass.

use std::collections::HashSet;
use std::io::Read;

use serde_json::Value;

struct Case {
    id: String,
    query: String,
    record: Value,
}

fn cases(path: &str) -> Option<Vec<Case>> {
    let path = testing::shared(path)?;
    let file = std::fs::File::open(&path).unwrap();
    let mut text = String::new();
    if path.extension().is_some_and(|e| e == "gz") {
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    } else {
        std::io::BufReader::new(file).read_to_string(&mut text).unwrap();
    }
    let case = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        Case {
            id: record["id"].as_str().unwrap().to_owned(),
            query: record["query"].as_str().unwrap().to_owned(),
            record,
        }
    };
    Some(text.lines().map(case).collect())
}

fn corpus() -> Option<Vec<Case>> {
    cases("corpus/sentinel-open.jsonl.gz")
}

fn every_query() -> Option<Vec<Case>> {
    let mut all = corpus()?;
    all.extend(cases("conformance/kql-syntax-open.jsonl")?);
    all.extend(cases("conformance/kql-open.jsonl")?);
    Some(all)
}

#[test]
fn corpus_verdicts_agree() {
    let Some(cases) = corpus() else { return };
    let wrong: Vec<&str> = cases
        .iter()
        .filter(|c| kql_syntax::parse(&c.query).errors.is_empty() != c.record["oracle"]["parse_ok"].as_bool().unwrap())
        .map(|c| c.id.as_str())
        .collect();
    assert_eq!(wrong, [""; 0], "of {} queries", cases.len());
}

/// Codes that the official parser, not its binder, reports.
const SYNTAX_CODES: &[&str] = &["KS001", "KS002", "KS005", "KS006", "KS160", "KS176", "KS198", "KS214", "KS228"];

#[test]
fn corpus_syntax_errors_agree_in_code_wording_and_place() {
    let Some(cases) = corpus() else { return };
    let mut compared = 0;
    for case in cases.iter().filter(|c| !c.record["oracle"]["parse_ok"].as_bool().unwrap()) {
        let expected: Vec<_> = case.record["oracle"]["diagnostics"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|d| SYNTAX_CODES.contains(&d["code"].as_str().unwrap()))
            .map(|d| {
                let (start, length) = (d["start"].as_u64().unwrap(), d["length"].as_u64().unwrap());
                (d["code"].as_str().unwrap().to_owned(), d["message"].as_str().unwrap().to_owned(), start, length)
            })
            .collect();
        // The record counts UTF-16 units.
        let units = |at: u32| case.query[..at as usize].encode_utf16().count() as u64;
        let found: Vec<_> = kql_syntax::parse(&case.query)
            .errors
            .into_iter()
            .map(|e| (e.code.to_owned(), e.message, units(e.span.start), units(e.span.end) - units(e.span.start)))
            .collect();
        assert_eq!(found, expected, "{}", case.id);
        compared += found.len();
    }
    assert!(compared >= 40, "only {compared} errors compared");
}

/// Cases where the record cannot be met by a parser of queries: a crash of the official program, and the grammar of a
/// single management command.
const BEYOND_SYNTAX: &[&str] = &["sy-97ec1bb167", "sy-fadfc61081"];

#[test]
fn conformance_verdicts_agree() {
    let Some(cases) = cases("conformance/kql-syntax-open.jsonl") else { return };
    let beyond: HashSet<&str> = BEYOND_SYNTAX.iter().copied().collect();
    let mut wrong = Vec::new();
    for case in &cases {
        let errors = kql_syntax::parse(&case.query).errors;
        let expected = case.record["syntax_ok"].as_bool().unwrap();
        if errors.is_empty() != expected {
            wrong.push(case.id.as_str());
        } else if let Some(first) = errors.first() {
            assert_eq!(first.message, case.record["first_error"].as_str().unwrap(), "{}", case.id);
        }
    }
    wrong.retain(|id| !beyond.contains(id));
    assert_eq!(wrong, [""; 0], "of {} cases", cases.len());
}

#[test]
fn conformance_queries_parse_or_are_expected_to_fail() {
    let Some(cases) = cases("conformance/kql-open.jsonl") else { return };
    let wrong: Vec<&str> = cases
        .iter()
        .filter(|c| c.record["expect"] != "error" && !kql_syntax::parse(&c.query).errors.is_empty())
        .map(|c| c.id.as_str())
        .collect();
    assert_eq!(wrong, [""; 0], "of {} cases", cases.len());
}

#[test]
fn stored_functions_parse() {
    let Some(path) = testing::shared("corpus/functions.json") else { return };
    let functions: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut parsed = 0;
    for (name, function) in functions.as_object().unwrap() {
        let (Some(params), Some(body)) = (function["params"].as_str(), function["body"].as_str()) else { continue };
        let (parsed_function, errors) = kql_syntax::parse_function(params, body);
        assert_eq!(parsed_function.params.is_empty(), params.trim().is_empty(), "{name}");
        if function["ok"].as_bool().unwrap() {
            assert_eq!(errors, [], "{name}");
            assert!(!parsed_function.body.is_empty(), "{name}");
            parsed += 1;
        }
    }
    assert!(parsed > 300, "only {parsed} functions");
}

#[test]
fn trees_give_back_every_byte() {
    let Some(cases) = every_query() else { return };
    for case in &cases {
        let tree = kql_syntax::parse_tree(&case.query);
        assert!(tree.text() == case.query, "{}", case.id);
        assert_eq!(tree.errors(), kql_syntax::parse(&case.query).errors, "{}", case.id);
    }
}

/// The tree without white space: kinds of nodes and texts of tokens and comments in order.
fn outline(text: &str) -> Vec<String> {
    use rowan::{NodeOrToken, WalkEvent};
    let root = kql_syntax::parse_tree(text).root();
    let mut lines = Vec::new();
    for event in root.preorder_with_tokens() {
        match event {
            WalkEvent::Enter(NodeOrToken::Node(node)) => lines.push(format!("{:?} {{", node.kind())),
            WalkEvent::Leave(NodeOrToken::Node(_)) => lines.push("}".to_owned()),
            WalkEvent::Enter(NodeOrToken::Token(token)) if token.kind() != kql_syntax::SyntaxKind::Whitespace => {
                lines.push(token.text().trim_end().to_owned());
            }
            _ => {}
        }
    }
    lines
}

/// Comments may change the node that holds them, as they belong to the space between tokens.
fn without_comments(outline: &[String]) -> Vec<&String> {
    outline.iter().filter(|line| !line.starts_with("//")).collect()
}

#[test]
fn formatting_keeps_the_tree_and_is_stable() {
    let Some(cases) = every_query() else { return };
    let options = kql_syntax::FormatOptions::default();
    for case in &cases {
        let formatted = kql_syntax::format(&case.query, &options);
        assert!(kql_syntax::format(&formatted, &options) == formatted, "{} is not stable", case.id);
        if !kql_syntax::parse(&case.query).errors.is_empty() {
            assert!(formatted == case.query, "{} has errors and was changed", case.id);
            continue;
        }
        let (before, after) = (outline(&case.query), outline(&formatted));
        assert_eq!(without_comments(&before), without_comments(&after), "{}", case.id);
        let comments = |o: &[String]| o.iter().filter(|l| l.starts_with("//")).cloned().collect::<Vec<_>>();
        assert_eq!(comments(&before), comments(&after), "{}", case.id);
        // A text that came back as it was would be one that no rule could lay out.
        assert!(formatted.ends_with('\n'), "{} was not laid out", case.id);
    }
}

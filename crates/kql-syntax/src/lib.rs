//! The syntax of KQL: lexer, lossless tree, typed view, formatter.
//!
//! First stage of the pipeline: text in, [`Parse`] out. Parsing never fails; mistakes are a side
//! list. Nothing here knows names, types or Arrow.
//!
//! ```
//! let parse = kql_syntax::parse("SigninLogs | where ResultType == 0 | take 10");
//! assert!(parse.errors.is_empty());
//! assert_eq!(parse.query.statements.len(), 1);
//! ```

pub mod ast;
mod diagnostics;
mod format;
mod kind;
mod lexer;
mod parser;
mod tree;

pub use ast::Span;
pub use format::{FormatOptions, format};
pub use kind::{NameUse, SyntaxKind};
pub use lexer::{Token, lex};
pub use tree::{Kql, SyntaxNode, SyntaxToken, SyntaxTree};

/// A mistake in the text, with the official parser's code where it has one (`KS001`...).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    pub code: &'static str,
    pub message: String,
    pub span: Span,
}

/// What parsing gives: always a query, and what was wrong with the text.
#[derive(Debug, Clone)]
pub struct Parse {
    pub query: ast::Query,
    /// In the order of their places.
    pub errors: Vec<SyntaxError>,
}

/// Parses a query text. Never fails and never panics.
pub fn parse(text: &str) -> Parse {
    let (mut parser, _) = parser::Parser::new(text);
    let query = parser.query();
    Parse { query, errors: in_order(parser.errors) }
}

/// Parses a query text to its lossless tree. Never fails and never panics.
pub fn parse_tree(text: &str) -> SyntaxTree {
    SyntaxTree::new(text)
}

/// Parses a stored function: `params` with or without its parentheses, `body` with or without its braces.
///
/// Spans are offsets into the text that they come from: parameters into `params`, all else into `body`. So are the
/// errors: those of the parameters come first.
pub fn parse_function(params: &str, body: &str) -> (ast::Function, Vec<SyntaxError>) {
    let (mut parser, _) = parser::Parser::new(params);
    let parameters = parser.stored_parameters();
    let mut errors = in_order(parser.errors);
    let (mut parser, _) = parser::Parser::new(body);
    let statements = parser.stored_body();
    errors.extend(in_order(parser.errors));
    let end = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let function = ast::Function { view: false, params: parameters, body: statements, span: Span::new(0, end) };
    (function, errors)
}

/// By place; at one place the unclosed token that ends there comes first, then what is missing before the next token,
/// then that token's own mistake, then the report that the rest cannot be read. Two levels that miss the same token at
/// the same place, as in `f(g(x`, are one report.
fn in_order(mut errors: Vec<SyntaxError>) -> Vec<SyntaxError> {
    let rank = |code: &str| match code {
        "KS001" => 0,
        "KS002" => 2,
        "KS198" => 3,
        _ => 1,
    };
    errors.sort_by_key(|e| (e.span.start, rank(e.code)));
    errors.dedup();
    errors
}

//! The syntax of KQL: lexer, lossless tree, typed view, formatter.
//!
//! First stage of the pipeline: text in, [`Parse`] out. Parsing never fails; mistakes are a side
//! list. Nothing here knows names, types or Arrow.

pub mod ast;

pub use ast::Span;

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
    pub errors: Vec<SyntaxError>,
}

/// Parses a query text. Never fails and never panics.
pub fn parse(_text: &str) -> Parse {
    Parse { query: ast::Query { statements: Vec::new() }, errors: Vec::new() }
}

/// Parses `(params) { body }` or a bare body, as a stored function is written.
pub fn parse_function(_params: &str, _body: &str) -> (ast::Function, Vec<SyntaxError>) {
    (ast::Function { view: false, params: Vec::new(), body: Vec::new(), span: Span::default() }, Vec::new())
}

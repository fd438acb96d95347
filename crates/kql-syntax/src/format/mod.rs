//! The formatter: one layout for every query, with the same tokens and comments in the same order.
//!
//! Each pipe of a query starts a line; lists and conditions that do not fit the width are broken one element a line.
//! What was white space in the text does not count, except one blank line between statements or beside a comment, and
//! whether a comment stands behind code or on its own line; so formatting twice is formatting once. Texts with syntax errors, and any
//! text whose layout would read differently, come back as they are. Start at [`format`].

mod layout;
mod printer;
mod shape;

use crate::kind::SyntaxKind;
use crate::lexer::Token;
use crate::parser::{NodeRecord, Parser};

/// How a formatted query looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormatOptions {
    /// Spaces for each level of indentation.
    pub indent: usize,
    /// Lines are broken to stay within so many characters where there is a place to break.
    pub width: usize,
}

impl Default for FormatOptions {
    fn default() -> FormatOptions {
        FormatOptions { indent: 4, width: 100 }
    }
}

/// What a text reads as: its tokens and comments by text, and the nodes over them.
#[derive(PartialEq, Eq)]
struct Reading<'a> {
    tokens: Vec<(SyntaxKind, &'a str)>,
    nodes: Vec<NodeRecord>,
}

/// Formats a query. See the module for what is kept.
///
/// ```
/// let text = "T|where a==1 and b<2|take 5";
/// let formatted = kql_syntax::format(text, &kql_syntax::FormatOptions::default());
/// assert_eq!(formatted, "T\n| where a == 1 and b < 2\n| take 5\n");
/// ```
pub fn format(text: &str, options: &FormatOptions) -> String {
    let Some((reading, tokens)) = read(text) else { return text.to_owned() };
    let shape = shape::shape(&tokens, &reading.nodes);
    let items = layout::lay_out(text, &tokens, &shape);
    let formatted = printer::print(&items, options);
    // The layout rules keep all tokens apart that must be; a rule that fails to must not change what a query means.
    match read(&formatted) {
        Some((again, _)) if again == reading => formatted,
        _ => text.to_owned(),
    }
}

/// None for a text with syntax errors.
fn read(text: &str) -> Option<(Reading<'_>, Vec<Token>)> {
    let (mut parser, tokens) = Parser::new(text);
    parser.query();
    if !parser.errors.is_empty() {
        return None;
    }
    let texts = tokens
        .iter()
        .filter(|t| t.kind != SyntaxKind::Whitespace)
        .map(|t| match t.kind {
            // Spaces behind a comment are white space.
            SyntaxKind::Comment => (t.kind, t.text(text).trim_end_matches(crate::lexer::is_space)),
            kind => (kind, t.text(text)),
        })
        .collect();
    Some((Reading { tokens: texts, nodes: parser.nodes }, tokens))
}

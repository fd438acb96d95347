//! Recursive descent over the significant tokens of a query, with recovery: always a query, never a panic.
//!
//! One pass gives two results that agree: the typed view (`ast`), returned by the functions, and the shape of the
//! lossless tree, recorded as spans of tokens ([`NodeRecord`]) in the order in which nodes end. The parser knows nothing
//! of the tree library. Grammar decisions, recovery included, follow the official parser, so that verdicts and error
//! positions agree with it.
//!
//! Depth is bounded twice: by how deep the grammar may call itself ([`MAX_NESTING`]), and by how deep the typed view may
//! become ([`MAX_HEIGHT`]), so that whoever walks or drops a result needs little stack. Start at [`Parser::query`].

mod commands;
mod expressions;
mod infix;
mod lists;
mod literals;
mod names;
mod operators;
mod parameters;
mod schemas;
mod statements;

use crate::SyntaxError;
use crate::ast::{Expr, ExprKind, Name, Span};
use crate::diagnostics;
use crate::kind::SyntaxKind;
use crate::lexer::{self, Token};

/// How deep parentheses, calls, subqueries, function bodies and JSON values may stand inside each other.
pub(crate) const MAX_NESTING: u32 = 128;

/// How many expressions the typed view may hold inside each other. Higher than [`MAX_NESTING`] because an infix
/// operator adds a level without nesting.
pub(crate) const MAX_HEIGHT: u32 = 500;

/// A node of the lossless tree: its kind and the significant tokens that it covers (`end` is exclusive).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeRecord {
    pub(crate) kind: SyntaxKind,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

pub(crate) struct Parser<'a> {
    text: &'a str,
    /// Without trivia; the end of the text is [`SyntaxKind::End`] for ever.
    tokens: Vec<Token>,
    position: usize,
    pub(crate) nodes: Vec<NodeRecord>,
    pub(crate) errors: Vec<SyntaxError>,
    nesting: u32,
    /// Height of the highest expression finished so far inside the one being parsed.
    height: u32,
    depth_reported: bool,
}

/// What an operator of the grammar gives back when nothing of its kind stands here.
type Parsed<T> = Option<T>;

impl<'a> Parser<'a> {
    /// A parser at the start of the text, together with all tokens of the text (trivia included).
    pub(crate) fn new(text: &'a str) -> (Parser<'a>, Vec<Token>) {
        let (all, errors) = lexer::lex(text);
        let tokens = all.iter().filter(|t| !t.kind.is_trivia()).copied().collect();
        let parser = Parser {
            text,
            tokens,
            position: 0,
            nodes: Vec::new(),
            errors,
            nesting: 0,
            height: 0,
            depth_reported: false,
        };
        (parser, all)
    }

    // Looking at tokens.

    fn kind(&self) -> SyntaxKind {
        self.nth(0)
    }

    fn nth(&self, ahead: usize) -> SyntaxKind {
        self.tokens.get(self.position + ahead).map_or(SyntaxKind::End, |t| t.kind)
    }

    fn at(&self, kind: SyntaxKind) -> bool {
        self.kind() == kind
    }

    fn at_end(&self) -> bool {
        self.position >= self.tokens.len()
    }

    /// The span of a token ahead; empty at the end of the text.
    fn nth_span(&self, ahead: usize) -> Span {
        self.tokens.get(self.position + ahead).map_or_else(
            || {
                let end = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
                Span::new(end, end)
            },
            |t| t.span,
        )
    }

    fn nth_text(&self, ahead: usize) -> &'a str {
        self.slice(self.nth_span(ahead))
    }

    fn slice(&self, span: Span) -> &'a str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Whether the token ahead follows the one before it without white space or comment.
    fn joined(&self, ahead: usize) -> bool {
        let Some(index) = (self.position + ahead).checked_sub(1) else { return false };
        match (self.tokens.get(index), self.tokens.get(index + 1)) {
            (Some(before), Some(token)) => before.span.end == token.span.start,
            _ => false,
        }
    }

    /// How many adjoining tokens from here spell `text`.
    fn spelled(&self, ahead: usize, text: &str) -> Option<usize> {
        let mut rest = text;
        let mut count = 0;
        loop {
            if count > 0 && !self.joined(ahead + count) {
                return None;
            }
            let token = self.nth_text(ahead + count);
            if token.is_empty() {
                return None;
            }
            rest = rest.strip_prefix(token)?;
            count += 1;
            if rest.is_empty() {
                return Some(count);
            }
        }
    }

    // Taking tokens.

    fn bump(&mut self) -> Span {
        let span = self.nth_span(0);
        if !self.at_end() {
            self.position += 1;
        }
        span
    }

    fn eat(&mut self, kind: SyntaxKind) -> Option<Span> {
        self.at(kind).then(|| self.bump())
    }

    /// Takes the token or reports that it was expected.
    fn expect(&mut self, kind: SyntaxKind) -> Option<Span> {
        if self.at(kind) {
            return Some(self.bump());
        }
        self.expected(&[kind.text().unwrap_or("name")]);
        None
    }

    /// A keyword or word as the name of an operator or clause.
    fn bump_as_name(&mut self) -> Name {
        let span = self.bump();
        Name { text: self.slice(span).to_owned(), span, bracketed: false }
    }

    // Errors.

    /// Where the official parser shows that an element (an expression, a name) is missing: right after the previous
    /// token.
    fn missing_node_span(&self) -> Span {
        let end = self.position.checked_sub(1).and_then(|i| self.tokens.get(i)).map_or(0, |t| t.span.end);
        Span::new(end, end)
    }

    /// Where the official parser shows that a token is missing: on the next token when that is at most one character
    /// away and on the same line, else right after the previous one.
    fn missing_token_span(&self) -> Span {
        let after = self.missing_node_span();
        let next = self.nth_span(0);
        let between = self.slice(Span::new(after.end, next.start));
        if self.at_end() || between.len() > 1 || between.contains(lexer::is_line_break) { after } else { next }
    }

    fn expected(&mut self, texts: &[&str]) {
        let span = self.missing_token_span();
        self.errors.push(diagnostics::expected(texts, span));
    }

    fn missing(&mut self, element: &str) {
        let span = self.missing_node_span();
        self.errors.push(diagnostics::missing_element(element, span));
    }

    fn missing_expression(&mut self) -> Expr {
        let span = self.missing_node_span();
        let error = if self.kind().is_keyword() {
            diagnostics::missing_expression_at_keyword(self.nth_text(0), span)
        } else {
            diagnostics::missing_element("expression", span)
        };
        self.errors.push(error);
        self.missing_here()
    }

    fn missing_value(&mut self) -> Expr {
        self.missing("value");
        self.missing_here()
    }

    /// The placeholder for something reported as missing.
    fn missing_here(&self) -> Expr {
        let at = self.nth_span(0).start;
        Expr { kind: ExprKind::Missing, span: Span::new(at, at) }
    }

    fn missing_name(&mut self) -> Name {
        let span = self.missing_node_span();
        let error = if self.kind().is_keyword() {
            diagnostics::missing_name_at_keyword(self.nth_text(0), span)
        } else {
            diagnostics::missing_element("name", span)
        };
        self.errors.push(error);
        let at = self.nth_span(0).start;
        Name { text: String::new(), span: Span::new(at, at), bracketed: false }
    }

    // Spans and nodes.

    /// From the first byte of the token at `start` to the last byte taken.
    fn span_from(&self, start: usize) -> Span {
        let first = self.tokens.get(start).map_or_else(|| self.nth_span(0), |t| t.span);
        match self.position.checked_sub(1).filter(|last| *last >= start).and_then(|last| self.tokens.get(last)) {
            Some(last) => Span::new(first.start, last.span.end),
            None => Span::new(first.start, first.start),
        }
    }

    /// Records that the tokens from `start` to here are a node of the tree.
    fn node(&mut self, kind: SyntaxKind, start: usize) {
        if self.position > start {
            let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            self.nodes.push(NodeRecord { kind, start: narrow(start), end: narrow(self.position) });
        }
    }

    /// Drops the last recorded node that begins at `start`, if it is of this kind: a wider one takes its place. Chains
    /// (`a + b + c`, `a.b.c`) stay flat in the tree that way, whatever their length.
    fn remove_node(&mut self, kind: SyntaxKind, start: usize) {
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        // What was recorded after it lies inside the part just parsed and begins later.
        if let Some(index) = self.nodes.iter().rposition(|n| n.start <= start)
            && self.nodes.get(index).is_some_and(|n| n.kind == kind && n.start == start)
        {
            self.nodes.remove(index);
        }
    }

    /// Records a node and gives the expression of the same extent, one level higher than what is inside it.
    fn finish(&mut self, node: SyntaxKind, start: usize, kind: ExprKind) -> Expr {
        self.node(node, start);
        let expr = Expr { kind, span: self.span_from(start) };
        self.raise(expr)
    }

    /// Counts one more level; an expression that became too high is given up.
    fn raise(&mut self, expr: Expr) -> Expr {
        self.height += 1;
        if self.height <= MAX_HEIGHT {
            return expr;
        }
        self.report_depth(expr.span);
        self.height = 0;
        Expr { kind: ExprKind::Missing, span: expr.span }
    }

    fn report_depth(&mut self, span: Span) {
        if !self.depth_reported {
            self.depth_reported = true;
            self.errors.push(diagnostics::too_deep(span));
        }
    }

    /// Starts a height of its own for what is parsed next, so that siblings do not add up. Gives what
    /// [`Self::end_height`] needs.
    fn start_height(&mut self) -> u32 {
        std::mem::take(&mut self.height)
    }

    fn end_height(&mut self, outer: u32) {
        self.height = self.height.max(outer);
    }

    /// Goes one level deeper; to be followed by [`Self::leave`]. Past the limit the answer is false, and everything up
    /// to the bracket that closes this level is skipped.
    ///
    /// Not a function around a closure: each would be one more frame on the stack for each level.
    fn enter(&mut self) -> bool {
        if self.nesting >= MAX_NESTING {
            self.report_depth(self.nth_span(0));
            self.skip_to_closing_bracket();
            return false;
        }
        self.nesting += 1;
        true
    }

    fn leave(&mut self) {
        self.nesting = self.nesting.saturating_sub(1);
    }

    fn skip_to_closing_bracket(&mut self) {
        let start = self.position;
        let mut open = 0u32;
        while !self.at_end() {
            match self.kind() {
                SyntaxKind::OpenParen | SyntaxKind::OpenBracket | SyntaxKind::OpenBrace => open += 1,
                SyntaxKind::CloseParen | SyntaxKind::CloseBracket | SyntaxKind::CloseBrace => {
                    let Some(fewer) = open.checked_sub(1) else { break };
                    open = fewer;
                }
                _ => {}
            }
            self.bump();
        }
        self.node(SyntaxKind::Skipped, start);
    }

    fn literal_text(&self, span: Span) -> (String, bool) {
        lexer::string_value(self.slice(span))
    }
}

/// An expression without a node of its own.
fn expr(kind: ExprKind, span: Span) -> Expr {
    Expr { kind, span }
}

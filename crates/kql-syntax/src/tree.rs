//! The lossless tree: every byte of the text, white space and comments included, under nodes of [`SyntaxKind`].
//!
//! The parser only records which tokens a node covers; this file turns the records into a `rowan` tree. The typed view
//! in [`crate::ast`] comes from the same parse, so both agree. Start at [`SyntaxTree`].

use rowan::{GreenNode, GreenToken, NodeOrToken};

use crate::SyntaxError;
use crate::kind::SyntaxKind;
use crate::lexer::Token;
use crate::parser::{NodeRecord, Parser};

/// The language tag of the tree library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kql {}

impl rowan::Language for Kql {
    type Kind = SyntaxKind;

    fn kind_from_raw(raw: rowan::SyntaxKind) -> SyntaxKind {
        SyntaxKind::from_number(raw.0).unwrap_or(SyntaxKind::Bad)
    }

    fn kind_to_raw(kind: SyntaxKind) -> rowan::SyntaxKind {
        rowan::SyntaxKind(kind as u16)
    }
}

/// A node with its place in the text and its neighbours. Not `Send`: keep the [`SyntaxTree`] instead.
pub type SyntaxNode = rowan::SyntaxNode<Kql>;
/// A token with its place in the text and its neighbours.
pub type SyntaxToken = rowan::SyntaxToken<Kql>;

/// The tree of a text and what was wrong with the text. Cheap to clone, may be sent between threads.
///
/// ```
/// let tree = kql_syntax::parse_tree("T | take 5 // few");
/// assert_eq!(tree.text(), "T | take 5 // few");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxTree {
    green: GreenNode,
    errors: Vec<SyntaxError>,
}

impl SyntaxTree {
    pub(crate) fn new(text: &str) -> SyntaxTree {
        let (mut parser, tokens) = Parser::new(text);
        parser.query();
        let green = green_tree(text, &tokens, &parser.nodes);
        SyntaxTree { green, errors: crate::in_order(parser.errors) }
    }

    /// The root, of kind [`SyntaxKind::Root`].
    pub fn root(&self) -> SyntaxNode {
        SyntaxNode::new_root(self.green.clone())
    }

    /// The whole text, byte for byte as it was parsed.
    pub fn text(&self) -> String {
        self.green.to_string()
    }

    pub fn errors(&self) -> &[SyntaxError] {
        &self.errors
    }
}

type GreenElement = NodeOrToken<GreenNode, GreenToken>;

fn green_tree(text: &str, tokens: &[Token], nodes: &[NodeRecord]) -> GreenNode {
    let raw = |kind: SyntaxKind| rowan::SyntaxKind(kind as u16);
    let elements = fold(
        tokens.len(),
        &significant_ranges(tokens, nodes),
        |index| {
            let (kind, text) = tokens.get(index).map_or((SyntaxKind::Bad, ""), |token| (token.kind, token.text(text)));
            GreenElement::Token(GreenToken::new(raw(kind), text))
        },
        |kind, children| GreenElement::Node(GreenNode::new(raw(kind), children)),
    );
    GreenNode::new(raw(SyntaxKind::Root), elements)
}

/// A node as a range of indexes into some list of tokens.
pub(crate) struct Range {
    pub(crate) kind: SyntaxKind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The parser counts only significant tokens; here its records count all tokens. A node neither begins nor ends with
/// white space.
fn significant_ranges(tokens: &[Token], nodes: &[NodeRecord]) -> Vec<Range> {
    let places: Vec<usize> =
        tokens.iter().enumerate().filter(|(_, t)| !t.kind.is_trivia()).map(|(index, _)| index).collect();
    let place = |index: u32| places.get(index as usize).copied();
    nodes
        .iter()
        .filter_map(|node| {
            let last = place(node.end.checked_sub(1)?)?;
            Some(Range { kind: node.kind, start: place(node.start)?, end: last + 1 })
        })
        .collect()
}

/// Builds elements bottom-up from nodes in the order in which they end; gives the children of the root.
pub(crate) fn fold<E>(
    count: usize,
    nodes: &[Range],
    mut token: impl FnMut(usize) -> E,
    mut node: impl FnMut(SyntaxKind, Vec<E>) -> E,
) -> Vec<E> {
    // Elements not yet inside a node, each with the index of its first token.
    let mut open: Vec<(usize, E)> = Vec::new();
    let mut next = 0;
    for range in nodes {
        while next < range.end.min(count) {
            open.push((next, token(next)));
            next += 1;
        }
        let first = open.iter().rposition(|(start, _)| *start < range.start).map_or(0, |index| index + 1);
        let children = open.drain(first..).map(|(_, element)| element).collect();
        open.push((range.start, node(range.kind, children)));
    }
    while next < count {
        open.push((next, token(next)));
        next += 1;
    }
    open.into_iter().map(|(_, element)| element).collect()
}

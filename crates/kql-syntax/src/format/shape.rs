//! The nodes of a query as nested lists of significant tokens, without white space: what the layout walks.

use crate::kind::SyntaxKind;
use crate::lexer::Token;
use crate::parser::NodeRecord;
use crate::tree::{self, Range};

/// A node or a token.
#[derive(Debug)]
pub(super) enum Shape {
    /// Index among the significant tokens, and its kind.
    Token(usize, SyntaxKind),
    Node(SyntaxKind, Vec<Shape>),
}

impl Shape {
    pub(super) fn kind(&self) -> SyntaxKind {
        match self {
            Shape::Token(_, kind) | Shape::Node(kind, _) => *kind,
        }
    }

    /// The first and last token inside.
    pub(super) fn ends(&self) -> Option<(usize, usize)> {
        match self {
            Shape::Token(index, _) => Some((*index, *index)),
            Shape::Node(_, children) => Some((children.first()?.ends()?.0, children.last()?.ends()?.1)),
        }
    }
}

/// The children of the root.
pub(super) fn shape(tokens: &[Token], nodes: &[NodeRecord]) -> Vec<Shape> {
    let kinds: Vec<SyntaxKind> = tokens.iter().map(|t| t.kind).filter(|k| !k.is_trivia()).collect();
    let ranges: Vec<Range> =
        nodes.iter().map(|n| Range { kind: n.kind, start: n.start as usize, end: n.end as usize }).collect();
    tree::fold(
        kinds.len(),
        &ranges,
        |index| Shape::Token(index, kinds.get(index).copied().unwrap_or(SyntaxKind::Bad)),
        Shape::Node,
    )
}

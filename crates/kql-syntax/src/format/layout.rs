//! From the shape of a query to a layout: where a line may break, must break, or only a space stands.
//!
//! Every significant token is written exactly once, in order, with the comments before it. Start at [`lay_out`].

use super::printer::Item;
use super::shape::Shape;
use crate::ast::Span;
use crate::kind::SyntaxKind::{self, *};
use crate::lexer::{self, Token};

/// The items of a whole query.
pub(super) fn lay_out<'a>(text: &'a str, tokens: &[Token], root: &[Shape]) -> Vec<Item<'a>> {
    let significant = tokens.iter().filter(|t| !t.kind.is_trivia()).copied().collect();
    let mut layout = Layout { text, tokens: significant, items: Vec::new(), depth: 0 };
    layout.statements(root);
    layout.comments_before(layout.tokens.len());
    layout.items
}

struct Layout<'a> {
    text: &'a str,
    /// Significant tokens only.
    tokens: Vec<Token>,
    items: Vec<Item<'a>>,
    /// How many brackets and bodies are open: blank lines are kept only outside and between statements.
    depth: usize,
}

/// What stands between two children of a node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    Nothing,
    Space,
    Line,
    /// Breaks only where the line is full.
    Fill,
    Hard,
}

/// The gap between two neighbours.
type GapRule = fn(&Layout<'_>, &Shape, &Shape) -> Gap;

impl<'a> Layout<'a> {
    fn push(&mut self, item: Item<'a>) {
        self.items.push(item);
    }

    fn gap(&mut self, gap: Gap) {
        match gap {
            Gap::Nothing => {}
            Gap::Space => self.push(Item::Space),
            Gap::Line => self.push(Item::Line),
            Gap::Fill => self.push(Item::Fill),
            Gap::Hard => self.push(Item::Hard),
        }
    }

    fn group(&mut self, write: impl FnOnce(&mut Self)) {
        self.push(Item::Open);
        write(self);
        self.push(Item::Close);
    }

    fn indented(&mut self, write: impl FnOnce(&mut Self)) {
        self.push(Item::Indent);
        write(self);
        self.push(Item::Dedent);
    }

    fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or("")
    }

    /// The text between a token and the one before it: white space and comments.
    fn trivia_before(&self, index: usize) -> &'a str {
        let from = index.checked_sub(1).and_then(|i| self.tokens.get(i)).map_or(0, |t| t.span.end as usize);
        let to = self.tokens.get(index).map_or(self.text.len(), |t| t.span.start as usize);
        self.slice(from, to)
    }

    fn has_comment_before(&self, shape: &Shape) -> bool {
        shape.ends().is_some_and(|(first, _)| self.trivia_before(first).contains("//"))
    }

    fn joined(&self, index: usize) -> bool {
        index > 0 && self.trivia_before(index).is_empty()
    }

    /// Writes the comments before a token (or before the end of the text).
    fn comments_before(&mut self, index: usize) {
        let trivia = self.trivia_before(index);
        let mut rest = trivia;
        let mut lines = usize::from(index == 0);
        let mut behind_code = false;
        while let Some(at) = rest.find("//") {
            let (space, comment) = rest.split_at(at);
            lines += line_breaks(space);
            let length = comment.find(lexer::is_line_break).unwrap_or(comment.len());
            let (comment, after) = comment.split_at(length);
            let comment = comment.trim_end_matches(lexer::is_space);
            behind_code = lines == 0;
            if behind_code {
                self.push(Item::Trailing(comment));
            } else {
                if lines > 1 && self.depth == 0 && index > 0 {
                    self.push(Item::Blank);
                }
                self.push(Item::Comment(comment));
            }
            lines = 0;
            rest = after;
            if !rest.is_empty() {
                // The line break that ends the comment.
                lines = 1;
                rest = rest.strip_prefix("\r\n").or_else(|| rest.get(first_length(rest)..)).unwrap_or("");
            }
        }
        // No blank line comes between a pipe and the operator before it, but one may close a remark of several lines.
        let inside = self.tokens.get(index).is_none_or(|t| t.kind == Bar && behind_code);
        if rest.len() < trivia.len() && lines + line_breaks(rest) > 1 && self.depth == 0 && !inside {
            self.push(Item::Blank);
        }
    }

    fn token(&mut self, index: usize) {
        self.comments_before(index);
        if let Some(token) = self.tokens.get(index) {
            let text = self.slice(token.span.start as usize, token.span.end as usize);
            self.push(Item::Text(text));
        }
    }

    /// A node as it is written, line breaks included.
    fn verbatim(&mut self, shape: &Shape) {
        let Some((first, last)) = shape.ends() else { return };
        self.comments_before(first);
        let span = |index: usize| self.tokens.get(index).map_or(Span::default(), |t| t.span);
        let text = self.slice(span(first).start as usize, span(last).end as usize);
        self.push(Item::Text(text));
    }

    /// Statements one a line, with at most one blank line between them where the text has some.
    fn statements(&mut self, list: &[Shape]) {
        let mut previous: Option<SyntaxKind> = None;
        for shape in list {
            let semicolon = shape.kind() == Semicolon;
            if let Some(before) = previous
                && (!semicolon || before == DirectiveLine)
            {
                let first = shape.ends().map_or(0, |ends| ends.0);
                let blank = self.depth == 0 && line_breaks_before_comment(self.trivia_before(first)) > 1;
                self.push(if blank { Item::Blank } else { Item::Hard });
            }
            self.shape(shape, true);
            previous = Some(shape.kind());
        }
    }

    /// Writes a node. `top` is true where a pipeline is a statement of its own, not part of an expression.
    fn shape(&mut self, shape: &Shape, top: bool) {
        let Shape::Node(kind, children) = shape else {
            if let Shape::Token(index, _) = shape {
                self.token(*index);
            }
            return;
        };
        match kind {
            Command | PatternStatement | DynamicLiteral | WildcardName | BracedName | GraphEdge | GraphNode
            | Skipped | DirectiveLine => self.verbatim(shape),
            ExpressionStatement => self.each(children, |_, _, _| Gap::Space, top),
            LetStatement => self.let_statement(children),
            FunctionDeclaration => self.each(children, |_, _, _| Gap::Space, top),
            FunctionBody => self.function_body(children),
            Pipeline => self.pipeline(children, top),
            Subquery => self.each(children, |_, _, _| Gap::Space, false),
            Operator => self.operator(children),
            ScanStep => self.group(|l| l.indented(|l| l.each(children, usual_gap, false))),
            Binary => self.binary(children),
            Path | Index | Call | ArgumentList | Unary | BracketedName | TypeOf | OperatorParameter | Column
            | DefaultClause => self.tight(*kind, children),
            Literal => self.literal(children),
            ByClause | OnClause | ProjectClause => self.clause(children),
            _ => self.each(children, usual_gap, false),
        }
    }

    /// Children in order, with `gap` between them, brackets as groups and commas after their item.
    fn each(&mut self, children: &[Shape], gap: GapRule, top: bool) {
        let mut previous: Option<&Shape> = None;
        let mut rest = children;
        while let Some((shape, tail)) = rest.split_first() {
            if let Some(before) = previous {
                let gap = self.required_gap(before, shape, gap(self, before, shape));
                // A comma that a comment has pushed to a new line leads its item.
                let leads = before.kind() == Comma && self.has_comment_before(before);
                self.gap(if leads { Gap::Space } else { gap });
            }
            previous = Some(shape);
            rest = tail;
            if let Some(close) = closing(shape.kind())
                && let Some(length) = tail.iter().position(|s| s.kind() == close)
                && let Some((inside, after)) = tail.split_at_checked(length)
            {
                self.brackets(shape, inside, after.first(), gap);
                previous = after.first();
                rest = after.get(1..).unwrap_or(&[]);
                continue;
            }
            self.shape(shape, top);
        }
    }

    /// `open inside close`: on one line when it fits, else the inside indented on lines of its own.
    fn brackets(&mut self, open: &Shape, inside: &[Shape], close: Option<&Shape>, gap: GapRule) {
        // A long list of plain values takes as few lines as it can.
        let plain = inside.len() > 10 && inside.iter().all(is_plain);
        let gap: GapRule = if plain { fill_gap } else { gap };
        self.depth += 1;
        self.group(|l| {
            l.shape(open, false);
            if !inside.is_empty() {
                l.indented(|l| {
                    l.push(Item::Soft);
                    l.each(inside, gap, false);
                });
                l.push(Item::Soft);
            }
            if let Some(close) = close {
                l.shape(close, false);
            }
        });
        self.depth -= 1;
    }

    /// A gap that cannot be left out, whatever the rules of the node say.
    fn required_gap(&self, before: &Shape, after: &Shape, gap: Gap) -> Gap {
        if gap != Gap::Nothing {
            return gap;
        }
        let kind = |index: usize| self.tokens.get(index).map_or(Bad, |t| t.kind);
        let (Some((_, left)), Some((right, _))) = (before.ends(), after.ends()) else { return gap };
        // `guid (x)` is a call, `guid(x)` a literal.
        let literal = kind(right) == OpenParen && lexer::parenthesised_literal(kind(left)).is_some();
        if literal { Gap::Space } else { gap }
    }

    fn let_statement(&mut self, children: &[Shape]) {
        let Some((value, head)) = children.split_last() else { return };
        self.each(head, usual_gap, false);
        if value.kind() == Pipeline {
            self.indented(|l| {
                l.push(Item::Hard);
                l.shape(value, true);
            });
        } else {
            self.push(Item::Space);
            self.shape(value, false);
        }
    }

    /// `{ body }`: a single expression may stay on the line.
    fn function_body(&mut self, children: &[Shape]) {
        let (Some(open), Some(close)) = (children.first(), children.last()) else { return };
        let inside = children.get(1..children.len().saturating_sub(1)).unwrap_or(&[]);
        self.depth += 1;
        self.group(|l| {
            l.shape(open, false);
            l.indented(|l| {
                l.push(Item::Line);
                l.statements(inside);
            });
            l.push(Item::Line);
            l.shape(close, false);
        });
        self.depth -= 1;
    }

    /// Each pipe on its own line; inside an expression a single pipe may stay on the line.
    fn pipeline(&mut self, children: &[Shape], top: bool) {
        let pipes = children.iter().filter(|s| s.kind() == Bar).count();
        let gap = if top || pipes > 1 { Item::Hard } else { Item::Line };
        self.group(|l| {
            for (position, shape) in children.iter().enumerate() {
                if shape.kind() == Bar {
                    l.push(gap);
                } else if position > 0 {
                    l.push(Item::Space);
                }
                l.shape(shape, false);
            }
        });
    }

    /// `a + b + c`, `a and b`: breaks before the operators; a comparison does not break.
    fn binary(&mut self, children: &[Shape]) {
        let breaks = |operator: &Shape| matches!(operator.kind(), AndKw | OrKw | Plus | Minus | Star | Slash | Percent);
        let search = children.get(1).is_some_and(|s| s.kind() == Colon);
        self.group(|l| {
            let Some((first, rest)) = children.split_first() else { return };
            l.shape(first, false);
            l.indented(|l| {
                for (position, shape) in rest.iter().enumerate() {
                    let gap = if search {
                        Gap::Nothing
                    } else if position % 2 == 0 && breaks(shape) {
                        Gap::Line
                    } else {
                        Gap::Space
                    };
                    l.gap(gap);
                    l.shape(shape, false);
                }
            });
        });
    }

    /// Nodes written without spaces: paths, calls, `name:type`, `name=value`.
    fn tight(&mut self, kind: SyntaxKind, children: &[Shape]) {
        let gap: GapRule = match kind {
            ArgumentList | TypeOf => usual_gap,
            Call => |_, before, after| match (before.kind(), after.kind()) {
                (OperatorParameter, _) | (_, OperatorParameter) => Gap::Space,
                _ => Gap::Nothing,
            },
            OperatorParameter => |_, before, after| match (before.kind(), after.kind()) {
                (Comma, _) => Gap::Line,
                (ByKw | WithKw, _) => Gap::Space,
                _ => Gap::Nothing,
            },
            _ => |_, _, _| Gap::Nothing,
        };
        self.each(children, gap, false);
    }

    /// A signed number is one piece; adjoining strings have a space between them.
    fn literal(&mut self, children: &[Shape]) {
        let strings = children.iter().all(|s| s.kind() == StringLiteral);
        self.each(children, if strings { |_, _, _| Gap::Line } else { |_, _, _| Gap::Nothing }, false);
    }

    /// `by a, b`: the keyword and a list, which moves to new lines when it does not fit.
    fn clause(&mut self, children: &[Shape]) {
        let Some((keyword, list)) = children.split_first() else { return };
        self.shape(keyword, false);
        self.list(list);
    }

    /// Items after a keyword: behind it when there is one or all fit on the line, else each on its own line.
    fn list(&mut self, list: &[Shape]) {
        if !list.iter().any(|s| s.kind() == Comma) {
            self.push(Item::Space);
            self.each(list, usual_gap, false);
            return;
        }
        self.group(|l| {
            l.indented(|l| {
                l.push(Item::Line);
                l.each(list, usual_gap, false);
            });
        });
    }

    /// An operator: keyword and parameters, a list of items, clauses.
    fn operator(&mut self, children: &[Shape]) {
        let is_table = children.first().is_some_and(|s| matches!(s.kind(), DatatableKw));
        if is_table {
            return self.datatable(children);
        }
        let head = head_length(children);
        let (head, rest) = children.split_at_checked(head).unwrap_or((children, &[]));
        let clauses = rest.iter().position(starts_clause).unwrap_or(rest.len());
        let (items, clauses) = rest.split_at_checked(clauses).unwrap_or((rest, &[]));
        self.group(|l| {
            l.each(head, usual_gap, false);
            if !items.is_empty() {
                l.list(items);
            }
            l.clauses(items.last().or(head.last()), clauses);
        });
    }

    /// The clauses of an operator, each on its own line when the operator is broken; `) on a` stays behind its
    /// parenthesis.
    fn clauses(&mut self, before: Option<&Shape>, clauses: &[Shape]) {
        let mut previous = before;
        let mut rest = clauses;
        while let Some((shape, tail)) = rest.split_first() {
            // A clause of loose tokens goes on to the next clause.
            let length = tail.iter().position(starts_clause).unwrap_or(tail.len());
            let (more, after) = tail.split_at_checked(length).unwrap_or((tail, &[]));
            let behind_bracket = previous.is_some_and(|p| {
                matches!(p.kind(), ParenExpression | CloseParen | CloseBracket | ColumnList | Subquery)
            });
            let write = |l: &mut Self| {
                l.shape(shape, false);
                if !more.is_empty() {
                    l.push(Item::Space);
                    l.each(more, usual_gap, false);
                }
            };
            if behind_bracket || matches!(shape.kind(), OnKw | WithKw) {
                self.push(Item::Space);
                write(self);
            } else {
                self.indented(|l| {
                    l.push(Item::Line);
                    write(l);
                });
            }
            previous = more.last().or(Some(shape));
            rest = after;
        }
    }

    /// `datatable (schema) [values]`: a line for each row; a single row or column stays on one line when it fits.
    fn datatable(&mut self, children: &[Shape]) {
        let columns = children.iter().find_map(|s| match s {
            Shape::Node(ColumnList, columns) => Some(columns.iter().filter(|c| c.kind() == Column).count()),
            _ => None,
        });
        let columns = columns.unwrap_or(1).max(1);
        let open = children.iter().position(|s| s.kind() == OpenBracket).unwrap_or(children.len());
        let (head, rest) = children.split_at_checked(open).unwrap_or((children, &[]));
        self.each(head, usual_gap, false);
        let Some((open, rest)) = rest.split_first() else { return };
        let (values, close) = rest.split_at_checked(rest.len().saturating_sub(1)).unwrap_or((rest, &[]));
        self.push(Item::Space);
        self.depth += 1;
        let rows = values.iter().filter(|s| s.kind() != Comma).count().div_ceil(columns);
        let between_rows = if rows > 1 && columns > 1 { Item::Hard } else { Item::Line };
        self.group(|l| {
            l.shape(open, false);
            l.indented(|l| {
                l.push(Item::Soft);
                let mut written = 0usize;
                for value in values {
                    if value.kind() != Comma {
                        if written > 0 {
                            l.push(if written.is_multiple_of(columns) { between_rows } else { Item::Space });
                        }
                        written += 1;
                    }
                    l.shape(value, false);
                }
            });
            l.push(Item::Soft);
            for shape in close {
                l.shape(shape, false);
            }
        });
        self.depth -= 1;
    }
}

/// The gap between two children of most nodes.
fn usual_gap(layout: &Layout<'_>, before: &Shape, after: &Shape) -> Gap {
    match (before.kind(), after.kind()) {
        (_, Comma | Semicolon | Colon) => Gap::Nothing,
        (Comma, _) => Gap::Line,
        (Colon, ColumnList | NameNode) => Gap::Nothing,
        (TypeofKw | RangeKw, OpenParen) => Gap::Nothing,
        (ScanStep, ScanStep) => Gap::Hard,
        (ForkBranch, ForkBranch) => Gap::Line,
        (GraphNode | GraphEdge, GraphNode | GraphEdge) => Gap::Nothing,
        // The arrows of graphs are tokens that must stay together.
        (Minus | Less | Greater | OpenBracket | CloseBracket, Minus | Greater | OpenBracket) => {
            let joined = after.ends().is_some_and(|(first, _)| layout.joined(first));
            if joined { Gap::Nothing } else { Gap::Space }
        }
        _ => Gap::Space,
    }
}

/// Between values of a list that only breaks where a line is full.
fn fill_gap(_: &Layout<'_>, before: &Shape, _: &Shape) -> Gap {
    if before.kind() == Comma { Gap::Fill } else { Gap::Nothing }
}

/// A comma, or a literal of one token.
fn is_plain(shape: &Shape) -> bool {
    match shape {
        Shape::Token(_, kind) => *kind == Comma,
        Shape::Node(kind, children) => *kind == Literal && children.len() == 1,
    }
}

/// The bracket that closes this one.
fn closing(kind: SyntaxKind) -> Option<SyntaxKind> {
    match kind {
        OpenParen => Some(CloseParen),
        OpenBracket => Some(CloseBracket),
        OpenBrace => Some(CloseBrace),
        _ => None,
    }
}

/// How many children of an operator come before its items: the keyword, its parameters and a `by`.
fn head_length(children: &[Shape]) -> usize {
    let parameters = children.iter().skip(1).take_while(|s| s.kind() == OperatorParameter).count();
    let by = usize::from(children.get(1 + parameters).is_some_and(|s| matches!(s.kind(), ByKw)));
    (1 + parameters + by).min(children.len())
}

/// A child of an operator that starts a clause: on a line of its own when the operator is broken.
fn starts_clause(shape: &Shape) -> bool {
    matches!(
        shape.kind(),
        ByClause
            | OnClause
            | WithClause
            | RangeClause
            | LimitClause
            | WhereClause
            | ProjectClause
            | OnKw
            | WithKw
            | WhereKw
    )
}

fn line_breaks(space: &str) -> usize {
    space.matches('\n').count().max(space.matches('\r').count())
}

fn line_breaks_before_comment(trivia: &str) -> usize {
    line_breaks(trivia.split("//").next().unwrap_or(""))
}

fn first_length(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

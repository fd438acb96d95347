//! Operators between two operands, from `or` (weakest) to the string operators (strongest).
//!
//! Order of strength, weakest first: `or`, `and`, equality with `in` and `between`, relational, additive,
//! multiplicative, string operators. Equality, relational and string operators do not chain: `a == b == c` is an error.

use super::lists::ListRules;
use super::{MAX_HEIGHT, Parsed, Parser, expr};
use crate::ast::{BinaryOp, Expr, ExprKind, InOp, Span, UnaryOp};
use crate::kind::SyntaxKind::{self, *};

/// Strength of an operator; a higher number binds its operands first.
type Strength = u8;

const OR: Strength = 1;
const AND: Strength = 2;
const EQUALITY: Strength = 3;
const RELATIONAL: Strength = 4;
const ADDITIVE: Strength = 5;
const MULTIPLICATIVE: Strength = 6;
const STRING: Strength = 7;

/// What an infix token does.
enum Infix {
    Binary(BinaryOp),
    In(InOp),
    Between { negated: bool },
}

fn infix(kind: SyntaxKind) -> Option<(Infix, Strength)> {
    use BinaryOp as B;
    let (operator, strength) = match kind {
        OrKw => (B::Or, OR),
        AndKw => (B::And, AND),
        EqualEqual => (B::Eq, EQUALITY),
        BangEqual | LessGreater => (B::Ne, EQUALITY),
        InKw => return Some((Infix::In(InOp::In), EQUALITY)),
        InCiKw => return Some((Infix::In(InOp::InCi), EQUALITY)),
        NotInKw => return Some((Infix::In(InOp::NotIn), EQUALITY)),
        NotInCiKw => return Some((Infix::In(InOp::NotInCi), EQUALITY)),
        HasAnyKw => return Some((Infix::In(InOp::HasAny), EQUALITY)),
        HasAllKw => return Some((Infix::In(InOp::HasAll), EQUALITY)),
        BetweenKw => return Some((Infix::Between { negated: false }, EQUALITY)),
        NotBetweenKw => return Some((Infix::Between { negated: true }, EQUALITY)),
        Less => (B::Lt, RELATIONAL),
        LessEqual => (B::Le, RELATIONAL),
        Greater => (B::Gt, RELATIONAL),
        GreaterEqual => (B::Ge, RELATIONAL),
        Plus => (B::Add, ADDITIVE),
        Minus => (B::Sub, ADDITIVE),
        Star => (B::Mul, MULTIPLICATIVE),
        Slash => (B::Div, MULTIPLICATIVE),
        Percent => (B::Mod, MULTIPLICATIVE),
        _ => (string_operator(kind)?, STRING),
    };
    Some((Infix::Binary(operator), strength))
}

fn string_operator(kind: SyntaxKind) -> Option<BinaryOp> {
    use BinaryOp as B;
    Some(match kind {
        EqualTilde => B::EqCi,
        BangTilde => B::NeCi,
        Colon => B::SearchColumn,
        HasKw => B::Has,
        NotHasKw => B::NotHas,
        HasCsKw => B::HasCs,
        NotHasCsKw => B::NotHasCs,
        HasprefixKw => B::HasPrefix,
        NotHasprefixKw => B::NotHasPrefix,
        HasprefixCsKw => B::HasPrefixCs,
        NotHasprefixCsKw => B::NotHasPrefixCs,
        HassuffixKw => B::HasSuffix,
        NotHassuffixKw => B::NotHasSuffix,
        HassuffixCsKw => B::HasSuffixCs,
        NotHassuffixCsKw => B::NotHasSuffixCs,
        ContainsKw => B::Contains,
        NotContainsKw | NotcontainsOldKw => B::NotContains,
        ContainsCsKw | ContainscsOldKw => B::ContainsCs,
        NotContainsCsKw | NotcontainscsOldKw => B::NotContainsCs,
        StartswithKw => B::StartsWith,
        NotStartswithKw => B::NotStartsWith,
        StartswithCsKw => B::StartsWithCs,
        NotStartswithCsKw => B::NotStartsWithCs,
        EndswithKw => B::EndsWith,
        NotEndswithKw => B::NotEndsWith,
        EndswithCsKw => B::EndsWithCs,
        NotEndswithCsKw => B::NotEndsWithCs,
        MatchesRegexKw => B::MatchesRegex,
        LikeKw => B::Like,
        NotlikeKw => B::NotLike,
        LikecsKw => B::LikeCs,
        NotlikecsKw => B::NotLikeCs,
        _ => return None,
    })
}

/// Infix tokens that can stand only after an operand: no sign, and no `<>`.
pub(super) fn follows_operand(kind: SyntaxKind) -> bool {
    kind != Plus && kind != Minus && kind != LessGreater && infix(kind).is_some()
}

impl Parser<'_> {
    /// An expression without a name before it and without pipes.
    pub(super) fn unnamed_expression(&mut self) -> Parsed<Expr> {
        if !self.enter() {
            return Some(self.missing_here());
        }
        let expression = self.infix_expression(OR);
        self.leave();
        expression
    }

    fn infix_expression(&mut self, weakest: Strength) -> Parsed<Expr> {
        let start = self.position;
        let outer = self.start_height();
        let Some(mut left) = self.operand(weakest) else {
            self.end_height(outer);
            return None;
        };
        // A stronger operator cannot follow a weaker one in the same chain.
        let mut strongest = STRING;
        let mut previous = None;
        while let Some((operator, strength)) = self.infix_here() {
            if strength < weakest || strength > strongest {
                break;
            }
            strongest = if chains(strength) { strength } else { strength - 1 };
            let goes_on = previous.replace(strength) == Some(strength);
            left = match operator {
                Infix::Binary(op @ (BinaryOp::And | BinaryOp::Or)) => self.logical_chain(start, left, op, strength),
                Infix::Binary(op) => self.binary(start, left, op, strength, goes_on),
                Infix::In(op) => self.in_list(start, left, op),
                Infix::Between { negated } => self.between(start, left, negated),
            };
        }
        self.end_height(outer);
        Some(left)
    }

    /// The infix operator at this place; `in range(...)` of `make-series` is none.
    fn infix_here(&self) -> Option<(Infix, Strength)> {
        let kind = self.kind();
        if kind == InKw && self.nth(1) == RangeKw {
            return None;
        }
        infix(kind)
    }

    /// The first operand; `*` stands for all columns before `==` and the string operators.
    fn operand(&mut self, weakest: Strength) -> Parsed<Expr> {
        if self.at(Star) {
            let next = self.nth(1);
            if string_operator(next).is_some() || (next == EqualEqual && weakest <= EQUALITY) {
                return self.star();
            }
        }
        self.unary()
    }

    fn operand_or_missing(&mut self, weakest: Strength) -> Expr {
        let right = if weakest > STRING { self.unary() } else { self.infix_expression(weakest) };
        match right {
            Some(right) => right,
            None => self.missing_expression(),
        }
    }

    /// One operator with its right operand. When it goes on a chain of operators of its strength, the chain's node of
    /// the tree is widened instead of wrapped, so that a chain of any length is one flat node.
    fn binary(&mut self, start: usize, left: Expr, op: BinaryOp, strength: Strength, goes_on: bool) -> Expr {
        let op_span = self.bump();
        let right = self.operand_or_missing(strength + 1);
        if goes_on {
            self.remove_node(Binary, start);
        }
        let kind = ExprKind::Binary { op, op_span, left: Box::new(left), right: Box::new(right) };
        self.finish(Binary, start, kind)
    }

    /// `a and b and c ...`: the operator is associative, so a long chain becomes a balanced tree and stays low.
    fn logical_chain(&mut self, start: usize, first: Expr, op: BinaryOp, strength: Strength) -> Expr {
        let token = if op == BinaryOp::Or { OrKw } else { AndKw };
        let mut operands = vec![first];
        let mut operators = Vec::new();
        while self.at(token) {
            operators.push(self.bump());
            let operand = self.operand_or_missing(strength + 1);
            operands.push(operand);
        }
        self.node(Binary, start);
        let levels =
            if operators.len() > LONGEST_LEFT_CHAIN { operators.len().ilog2() + 1 } else { narrow(operators.len()) };
        self.height = self.height.saturating_add(levels);
        let tree = if operators.len() > LONGEST_LEFT_CHAIN {
            balanced(&mut operands.into_iter(), &operators, op)
        } else {
            let mut operands = operands.into_iter();
            let first = operands.next();
            operands.zip(operators).fold(first, |left, (right, op_span)| Some(join(left?, right, op, op_span)))
        };
        let tree = tree.unwrap_or_else(|| self.missing_here());
        if self.height > MAX_HEIGHT {
            return self.raise(tree);
        }
        tree
    }

    /// `in (a, b)`, `has_any (list)`, `in (table | project x)`: expressions, or one query.
    fn in_list(&mut self, start: usize, left: Expr, op: InOp) -> Expr {
        let op_span = self.bump();
        self.expect(OpenParen);
        let items = if self.starts_with_operator() || self.bar_before_list_end() {
            vec![self.expression_or_missing()]
        } else {
            let rules = ListRules::COMMON.one_or_more();
            self.comma_list(rules, Self::unnamed_expression, Self::missing_expression)
        };
        self.expect(CloseParen);
        self.finish(InExpression, start, ExprKind::In { op, op_span, left: Box::new(left), items })
    }

    /// Whether a `|` comes before the comma or parenthesis that ends the first item of a list.
    fn bar_before_list_end(&self) -> bool {
        let mut open = 0usize;
        for ahead in 0.. {
            match self.nth(ahead) {
                End | Semicolon => return false,
                Comma if open == 0 => return false,
                CloseParen => match open.checked_sub(1) {
                    Some(fewer) => open = fewer,
                    None => return false,
                },
                OpenParen => open += 1,
                Bar if open == 0 => return true,
                _ => {}
            }
        }
        false
    }

    fn between(&mut self, start: usize, left: Expr, negated: bool) -> Expr {
        let op_span = self.bump();
        self.expect(OpenParen);
        let low = self.unnamed_or_missing();
        self.expect(DotDot);
        let high = self.unnamed_or_missing();
        self.expect(CloseParen);
        let kind =
            ExprKind::Between { negated, op_span, left: Box::new(left), low: Box::new(low), high: Box::new(high) };
        self.finish(BetweenExpression, start, kind)
    }

    /// An operand with at most one sign.
    pub(super) fn unary(&mut self) -> Parsed<Expr> {
        let op = match self.kind() {
            Minus => UnaryOp::Minus,
            Plus => UnaryOp::Plus,
            _ => return self.path_or_call(),
        };
        let start = self.position;
        self.bump();
        let operand = match self.path_or_call() {
            Some(operand) => operand,
            None => self.missing_expression(),
        };
        Some(self.finish(Unary, start, ExprKind::Unary { op, expr: Box::new(operand) }))
    }
}

/// Up to so many operators `and` or `or` lean to the left, as they are written.
const LONGEST_LEFT_CHAIN: usize = 32;

fn chains(strength: Strength) -> bool {
    matches!(strength, OR | AND | ADDITIVE | MULTIPLICATIVE)
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn join(left: Expr, right: Expr, op: BinaryOp, op_span: Span) -> Expr {
    let span = left.span.to(right.span);
    expr(ExprKind::Binary { op, op_span, left: Box::new(left), right: Box::new(right) }, span)
}

/// A tree of the least height over the operands, which stay in order.
fn balanced(operands: &mut impl Iterator<Item = Expr>, operators: &[Span], op: BinaryOp) -> Option<Expr> {
    let Some(op_span) = operators.get(operators.len() / 2) else { return operands.next() };
    let (before, after) = operators.split_at(operators.len() / 2);
    let left = balanced(operands, before, op)?;
    let right = balanced(operands, after.get(1..).unwrap_or(&[]), op)?;
    Some(join(left, right, op, *op_span))
}

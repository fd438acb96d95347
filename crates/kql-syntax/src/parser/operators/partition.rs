//! Operators with subqueries of their own: `partition`, `fork`, `facet`, `macro-expand`.

use super::super::lists::ListRules;
use super::super::parameters::Equals;
use super::super::{Parsed, Parser};
use super::{Body, plain};
use crate::ast::{Expr, ExprKind, Name, OperatorKind, SubPipeline};
use crate::kind::SyntaxKind::{self, *};

impl Parser<'_> {
    /// `partition by Key (subquery)`, `partition by Key { query }`.
    pub(super) fn partition(&mut self) -> Body {
        let params = self.parameters(&[], Equals::Required);
        self.expect(ByKw);
        let by = self.partition_key();
        let scope = self.partition_scope();
        let (subquery, legacy_query) = self.partition_operand();
        (OperatorKind::Partition { by, scope, subquery, legacy_query }, params)
    }

    fn partition_key(&mut self) -> Expr {
        match self.entity_reference() {
            Some(key) => key,
            None => self.missing_name_expression(),
        }
    }

    fn partition_scope(&mut self) -> Option<Expr> {
        self.eat(InKw)?;
        Some(match self.call().or_else(|| self.dynamic_literal()) {
            Some(scope) => scope,
            None => self.missing_expression(),
        })
    }

    fn partition_operand(&mut self) -> (SubPipeline, Option<Expr>) {
        if self.eat(OpenBrace).is_none() {
            return (self.parenthesised_subquery(), None);
        }
        let query = self.expression_or_missing();
        self.expect(CloseBrace);
        (Vec::new(), Some(query))
    }

    /// The internal form `__partitionby Key (subquery)`.
    pub(super) fn partition_by(&mut self) -> Body {
        let params = self.parameters(&[], Equals::Required);
        let by = self.partition_key();
        let scope = self.eat(IdKw).map(|_| match self.literal() {
            Some(id) => id,
            None => self.missing_value(),
        });
        let subquery = self.parenthesised_subquery();
        (OperatorKind::Partition { by, scope, subquery, legacy_query: None }, params)
    }

    pub(super) fn fork(&mut self) -> Body {
        let mut branches = Vec::new();
        while let Some(branch) = self.fork_branch() {
            branches.push(branch);
        }
        if branches.is_empty() {
            self.expected(&["("]);
            let _ = self.missing_expression();
            self.expected(&[")"]);
        }
        plain(OperatorKind::Fork(branches))
    }

    /// `[name =] (subquery)`.
    fn fork_branch(&mut self) -> Parsed<(Option<Name>, SubPipeline)> {
        let start = self.position;
        let named = self.name_length(0, false).is_some_and(|length| self.nth(length) == Equal);
        if !named && !self.at(OpenParen) {
            return None;
        }
        let name = if named { self.name() } else { None };
        self.eat(Equal);
        let subquery = self.parenthesised_subquery();
        self.node(ForkBranch, start);
        Some((name, subquery))
    }

    /// `facet by a, b with (subquery)`.
    pub(super) fn facet(&mut self) -> Body {
        self.expect(ByKw);
        let rules = ListRules::until(|p| p.at(WithKw)).one_or_more();
        let by = self.comma_list(rules, Self::entity_reference, Self::missing_name_expression);
        let start = self.position;
        let with = self.eat(WithKw).map(|_| {
            if self.at(OpenParen) {
                return self.parenthesised_subquery();
            }
            match self.operator() {
                Some(operator) => vec![operator],
                None => {
                    let span = self.missing_node_span();
                    self.errors.push(crate::diagnostics::operator_expected(span));
                    Vec::new()
                }
            }
        });
        self.node(WithClause, start);
        plain(OperatorKind::Facet { by, with })
    }

    /// `macro-expand group as x (statements)`: the scope is the named expression `x = group`.
    pub(super) fn macro_expand(&mut self) -> Body {
        let params = self.named_parameters(&[]);
        let start = self.position;
        let group = if self.at(EntityGroupKw) {
            self.entity_group()
        } else {
            match self.entity_pattern() {
                Some(group) => group,
                None => self.missing_expression(),
            }
        };
        let mut scope = group;
        if let Some(name) = self.name_after(AsKw) {
            let span = self.span_from(start);
            let kind = ExprKind::Named { names: vec![name], tuple: false, value: Box::new(scope) };
            scope = self.raise(Expr { kind, span });
        }
        self.expect(SyntaxKind::OpenParen);
        let mut body = Vec::new();
        if self.enter() {
            body = self.statements();
            self.leave();
        }
        self.expect(SyntaxKind::CloseParen);
        (OperatorKind::MacroExpand { scope, body }, params)
    }
}

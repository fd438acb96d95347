//! `scan`: its declarations and steps.

use super::super::lists::ListRules;
use super::super::parameters::{Equals, Value};
use super::super::{Parsed, Parser};
use super::Body;
use crate::ast::{ColumnDecl, Expr, ExprKind, OperatorKind, Param, ParamType, ScanStep, TypeName};
use crate::kind::SyntaxKind::{self, *};

/// A keyword that starts the next clause of `scan`.
fn starts_clause(p: &Parser<'_>) -> bool {
    matches!(p.kind(), PartitionKw | OrderKw | ByKw | DeclareKw | WithKw)
}

impl Parser<'_> {
    pub(super) fn scan(&mut self) -> Body {
        let params = self.parameters(&[("kind", Value::Word(&["partial", "full"]))], Equals::Required);
        let mut order_by = Vec::new();
        let mut partition_by = Vec::new();
        let start = self.position;
        if self.eat(OrderKw).is_some() {
            self.expect(ByKw);
            order_by = self.order_keys(ListRules::until(starts_clause).one_or_more());
            self.node(ByClause, start);
        }
        let start = self.position;
        if self.eat(PartitionKw).is_some() {
            self.expect(ByKw);
            let rules = ListRules::until(starts_clause).one_or_more();
            partition_by = self.comma_list(rules, Self::unnamed_expression, Self::missing_expression);
            self.node(ByClause, start);
        }
        let declare = self.scan_declare();
        self.expect(WithKw);
        self.expect(OpenParen);
        let mut steps = Vec::new();
        while let Some(step) = self.scan_step() {
            steps.push(step);
        }
        self.expect(CloseParen);
        (OperatorKind::Scan { order_by, partition_by, declare, steps }, params)
    }

    fn scan_declare(&mut self) -> Vec<(ColumnDecl, Option<Expr>)> {
        let start = self.position;
        if self.eat(DeclareKw).is_none() {
            return Vec::new();
        }
        let params = self.parameter_list();
        self.node(ScanDeclare, start);
        params.into_iter().map(|Param { name, ty, default }| (ColumnDecl { name, ty: scalar(ty) }, default)).collect()
    }

    /// `step name [optional] [output=all]: condition [=> a = 1, b = 2];`
    fn scan_step(&mut self) -> Parsed<ScanStep> {
        let start = self.position;
        self.eat(StepKw)?;
        let name = match self.declared_name() {
            Some(name) => name,
            None => self.missing_name(),
        };
        let optional = self.eat(OptionalKw).is_some();
        let output = self.step_output();
        self.expect(Colon);
        let condition = self.unnamed_or_missing();
        let mut assignments = Vec::new();
        if self.eat(FatArrow).is_some() {
            let rules = ListRules::COMMON.one_or_more();
            assignments = self.comma_list(rules, Self::assignment, Self::missing_name_expression);
        }
        self.expect(Semicolon);
        self.node(SyntaxKind::ScanStep, start);
        Some(ScanStep { name, optional, output, condition, assignments })
    }

    fn step_output(&mut self) -> Option<String> {
        self.eat(OutputKw)?;
        self.expect(Equal);
        if matches!(self.nth_text(0), "all" | "last" | "none") {
            return Some(self.bump_as_name().text);
        }
        self.expected(&["all", "last", "none"]);
        None
    }

    fn assignment(&mut self) -> Parsed<Expr> {
        let start = self.position;
        let name = self.declared_name()?;
        self.expect(Equal);
        let value = self.unnamed_or_missing();
        let kind = ExprKind::Named { names: vec![name], tuple: false, value: Box::new(value) };
        Some(self.finish(NamedExpression, start, kind))
    }
}

fn scalar(ty: ParamType) -> TypeName {
    match ty {
        ParamType::Scalar(ty) => ty,
        ParamType::Tabular { .. } => TypeName { text: String::new(), span: crate::ast::Span::default() },
    }
}

//! `search` and `find`.

use super::super::lists::ListRules;
use super::super::parameters::{Equals, Value};
use super::super::{Parsed, Parser, expr};
use super::{Body, plain};
use crate::ast::{BinaryOp, Expr, ExprKind, FindClause, Name, OperatorKind};
use crate::kind::SyntaxKind::{self, *};

impl Parser<'_> {
    pub(super) fn search(&mut self) -> Body {
        let kinds = Value::Word(&["default", "case_insensitive", "case_sensitive"]);
        let params = self.named_parameters(&[("kind", kinds)]);
        self.data_scope();
        let tables = self.tables_in().unwrap_or_default();
        let predicate = match self.search_predicate() {
            Some(predicate) => predicate,
            None => self.missing_expression(),
        };
        (OperatorKind::Search { tables, predicate }, params)
    }

    /// A condition, or `*`, or `* and condition`.
    fn search_predicate(&mut self) -> Parsed<Expr> {
        if let Some(predicate) = self.unnamed_expression() {
            return Some(predicate);
        }
        let start = self.position;
        let star = self.star()?;
        if !self.at(AndKw) {
            return Some(star);
        }
        let op_span = self.bump();
        let right = self.unnamed_or_missing();
        let (left, right) = (Box::new(star), Box::new(right));
        Some(self.finish(Binary, start, ExprKind::Binary { op: BinaryOp::And, op_span, left, right }))
    }

    /// `in (T1, T2*)`.
    fn tables_in(&mut self) -> Option<Vec<Expr>> {
        let start = self.position;
        self.eat(InKw)?;
        self.expect(OpenParen);
        let rules = ListRules::COMMON.one_or_more();
        let tables = self.comma_list(rules, Self::searched_table, Self::missing_expression);
        self.expect(CloseParen);
        self.node(InClause, start);
        Some(tables)
    }

    /// A table, a pattern of table names, or `table | as name`.
    fn searched_table(&mut self) -> Parsed<Expr> {
        let start = self.position;
        let table = self.entity_pattern()?;
        if !self.at(Bar) || !matches!(table.kind, ExprKind::Name(_) | ExprKind::Wildcard(_)) {
            return Some(table);
        }
        self.bump();
        let operator = self.piped_operator();
        Some(self.finish(Pipeline, start, ExprKind::Pipe { input: Box::new(table), operators: vec![operator] }))
    }

    pub(super) fn find(&mut self) -> Body {
        self.data_scope();
        let params = self.parameters(&[], Equals::Required);
        let tables = self.tables_in();
        let mut clause =
            FindClause { tables: Vec::new(), predicate: None, project: None, project_smart: false, project_away: None };
        if !params.is_empty() || tables.is_some() {
            self.expect(WhereKw);
        } else {
            self.eat(WhereKw);
        }
        clause.tables = tables.unwrap_or_default();
        clause.predicate = Some(self.unnamed_or_missing());
        let start = self.position;
        if self.eat(ProjectKw).is_some() {
            clause.project = Some(self.find_columns());
            self.node(ProjectClause, start);
        } else if self.eat(ProjectSmartKw).is_some() {
            clause.project_smart = true;
            self.node(ProjectClause, start);
        }
        let start = self.position;
        if self.eat(InternalProjectAwayKw).is_some() {
            clause.project_away = Some(self.find_columns());
            self.node(ProjectClause, start);
        }
        if params.is_empty() { plain(OperatorKind::Find(clause)) } else { (OperatorKind::Find(clause), params) }
    }

    fn find_columns(&mut self) -> Vec<Expr> {
        self.comma_list(ListRules::OPEN, Self::find_column, Self::missing_expression)
    }

    /// `pack(*)`, `*`, `name` or `name:type`, the last as a comparison with [`BinaryOp::SearchColumn`].
    fn find_column(&mut self) -> Parsed<Expr> {
        let start = self.position;
        if self.at(PackKw) {
            let name = self.bump_as_name();
            self.expect(OpenParen);
            let args = self.star().into_iter().collect::<Vec<_>>();
            if args.is_empty() {
                self.expected(&["*"]);
            }
            self.expect(CloseParen);
            return Some(self.finish(Call, start, ExprKind::Call { name, args }));
        }
        if let Some(star) = self.star() {
            return Some(star);
        }
        let (name, ty) = self.optionally_typed_name(false)?;
        let left = expr(ExprKind::Name(name.clone()), name.span);
        let Some(ty) = ty else { return Some(left) };
        let op_span = crate::ast::Span::new(name.span.end, ty.span.start);
        let right = Name { text: ty.text, span: ty.span, bracketed: false };
        let right = Box::new(expr(ExprKind::Name(right), ty.span));
        let kind = ExprKind::Binary { op: BinaryOp::SearchColumn, op_span, left: Box::new(left), right };
        Some(self.finish(SyntaxKind::Column, start, kind))
    }
}

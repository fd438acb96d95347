//! Expressions: pipelines, named expressions, calls, paths, parentheses.
//!
//! Start at [`Parser::expression`]: whatever may stand where a value or a table is wanted.

use super::lists::ListRules;
use super::parameters::Value;
use super::{Parsed, Parser, expr};
use crate::ast::{Expr, ExprKind, Name, Operator, OperatorKind};
use crate::kind::SyntaxKind::{self, *};

impl Parser<'_> {
    /// A pipeline or an expression.
    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        self.pipe_expression()
    }

    pub(super) fn expression_or_missing(&mut self) -> Expr {
        match self.expression() {
            Some(expression) => expression,
            None => self.missing_expression(),
        }
    }

    /// `source | operator | ...`, where the source may itself be an operator.
    pub(super) fn pipe_expression(&mut self) -> Parsed<Expr> {
        let start = self.position;
        // A word such as `take` or `summarize` at the start is a name, not an operator.
        let input = if self.starts_with_operator() {
            self.operator_source().or_else(|| self.unnamed_expression())
        } else {
            self.unnamed_expression().or_else(|| self.operator_source())
        }?;
        self.piped(start, input)
    }

    fn operator_source(&mut self) -> Parsed<Expr> {
        if !self.enter() {
            return Some(self.missing_here());
        }
        let operator = self.operator();
        self.leave();
        let operator = operator?;
        let span = operator.span;
        Some(self.raise(expr(ExprKind::Source(Box::new(operator)), span)))
    }

    /// What stands inside the parentheses of an operator's subquery: operators only.
    pub(super) fn subquery_expression(&mut self) -> Parsed<Expr> {
        if !self.enter() {
            return Some(self.missing_here());
        }
        let start = self.position;
        let operator = self.piped_operator();
        let span = operator.span;
        let input = self.raise(expr(ExprKind::Source(Box::new(operator)), span));
        let subquery = self.piped(start, input);
        self.leave();
        subquery
    }

    /// The operators after an input, if any.
    fn piped(&mut self, start: usize, input: Expr) -> Parsed<Expr> {
        if !self.at(Bar) {
            return Some(input);
        }
        let mut operators = Vec::new();
        while self.eat(Bar).is_some() {
            let outer = self.start_height();
            let operator = self.piped_operator();
            self.end_height(outer);
            operators.push(operator);
        }
        Some(self.finish(Pipeline, start, ExprKind::Pipe { input: Box::new(input), operators }))
    }

    /// The operator after a `|`, or the report that there is none.
    pub(super) fn piped_operator(&mut self) -> Operator {
        if let Some(operator) = self.operator() {
            return operator;
        }
        let start = self.position;
        let keyword = if self.at(Identifier) {
            let span = self.nth_span(0);
            self.errors.push(crate::diagnostics::operator_expected(span));
            let name = self.bump_as_name();
            self.node(SyntaxKind::Operator, start);
            name
        } else {
            let span = self.missing_node_span();
            self.errors.push(crate::diagnostics::operator_expected(span));
            Name { text: String::new(), span, bracketed: false }
        };
        Operator { kind: OperatorKind::Other, keyword, params: Vec::new(), span: self.span_from(start) }
    }

    pub(super) fn unnamed_or_missing(&mut self) -> Expr {
        match self.unnamed_expression() {
            Some(expression) => expression,
            None => self.missing_expression(),
        }
    }

    /// `name = value`, `(a, b) = value` or a value alone.
    pub(super) fn named_expression(&mut self) -> Parsed<Expr> {
        let start = self.position;
        let (names, tuple) = if let Some(length) = self.name_length(0, true)
            && self.nth(length) == Equal
        {
            (vec![self.declared_name()?], false)
        } else if let Some(length) = self.dashed_name_length() {
            (vec![self.dashed_name(length)], false)
        } else if self.is_name_tuple() {
            self.bump();
            let rules = ListRules::COMMON.one_or_more();
            let names = self.comma_list(rules, Self::declared_name, Self::missing_name);
            self.expect(CloseParen);
            (names, true)
        } else {
            return self.unnamed_expression();
        };
        self.expect(Equal);
        let value = self.unnamed_or_missing();
        let kind = ExprKind::Named { names, tuple, value: Box::new(value) };
        Some(self.finish(NamedExpression, start, kind))
    }

    pub(super) fn named_or_missing(&mut self) -> Expr {
        match self.named_expression() {
            Some(expression) => expression,
            None => self.missing_expression(),
        }
    }

    /// `(a, b) =`.
    fn is_name_tuple(&self) -> bool {
        if !self.at(OpenParen) {
            return false;
        }
        let mut at = 1;
        while let Some(length) = self.name_length(at, true) {
            at += length;
            if self.nth(at) != Comma {
                break;
            }
            at += 1;
        }
        self.nth(at) == CloseParen && self.nth(at + 1) == Equal
    }

    /// Named expressions up to the end of the list.
    pub(super) fn named_list(&mut self, rules: ListRules) -> Vec<Expr> {
        self.comma_list(rules, Self::named_expression, Self::missing_expression)
    }

    fn argument(&mut self) -> Parsed<Expr> {
        if self.at(Star) && matches!(self.nth(1), CloseParen | Comma) {
            return self.star();
        }
        self.named_expression()
    }

    fn arguments(&mut self) -> Vec<Expr> {
        let start = self.position;
        self.bump();
        let arguments = self.comma_list(ListRules::COMMON, Self::argument, Self::missing_expression);
        self.expect(CloseParen);
        self.node(ArgumentList, start);
        arguments
    }

    /// How many tokens are the name of a call that starts there.
    fn call_name_length(&self, ahead: usize) -> Option<usize> {
        self.name_length(ahead, false).filter(|length| self.nth(ahead + length) == OpenParen)
    }

    pub(super) fn call(&mut self) -> Parsed<Expr> {
        self.call_name_length(0)?;
        let start = self.position;
        let name = self.name()?;
        let args = self.arguments();
        Some(self.finish(Call, start, ExprKind::Call { name, args }))
    }

    /// A call that has to stand here, as after `evaluate`.
    pub(super) fn required_call(&mut self) -> Expr {
        let start = self.position;
        if let Some(call) = self.call() {
            return call;
        }
        let Some(name) = self.name() else {
            self.missing("function call");
            return self.missing_here();
        };
        self.expected(&["("]);
        self.expected(&[")"]);
        self.finish(Call, start, ExprKind::Call { name, args: Vec::new() })
    }

    /// `f(x).g(y)`, as after `invoke`.
    pub(super) fn call_chain(&mut self) -> Parsed<Expr> {
        let start = self.position;
        let mut base = self.call()?;
        while self.at(Dot) && self.call_name_length(1).is_some() {
            self.bump();
            base = self.method_call(start, base)?;
        }
        Some(base)
    }

    fn method_call(&mut self, start: usize, base: Expr) -> Parsed<Expr> {
        let name = self.name()?;
        let args = self.arguments();
        self.remove_node(Path, start);
        Some(self.finish(Path, start, ExprKind::MethodCall { base: Box::new(base), name, args }))
    }

    /// `toscalar(pipeline)`, `materialize(pipeline)`: calls whose argument is a whole pipeline.
    fn pipeline_call(&mut self) -> Parsed<Expr> {
        if self.nth(1) != OpenParen && !(self.nth(1) == KindKw && self.nth(2) == Equal) {
            return None;
        }
        let start = self.position;
        let name = self.bump_as_name();
        if self.at(KindKw) {
            // `kind=nooptimization` changes no result.
            self.parameter_named("kind", Value::Word(&["nooptimization"]));
        }
        self.expect(OpenParen);
        let argument = self.expression_or_missing();
        self.expect(CloseParen);
        Some(self.finish(Call, start, ExprKind::Call { name, args: vec![argument] }))
    }

    /// A primary expression with `.member`, `.f(...)` and `[index]` after it.
    pub(super) fn path_or_call(&mut self) -> Parsed<Expr> {
        let start = self.position;
        if self.at(TotableKw) {
            return self.pipeline_call();
        }
        let outer = self.start_height();
        let path = self.primary().map(|base| self.path_from(start, base));
        self.end_height(outer);
        path
    }

    /// The selectors after a base.
    fn path_from(&mut self, start: usize, mut base: Expr) -> Expr {
        loop {
            if self.eat(Dot).is_some() {
                base = self.selector(start, base);
            } else if self.at(OpenBracket) {
                let index = self.index_expression();
                self.remove_node(Path, start);
                base = self.finish(Path, start, ExprKind::Index { base: Box::new(base), index: Box::new(index) });
            } else {
                return base;
            }
        }
    }

    /// `[expression]` after a value.
    fn index_expression(&mut self) -> Expr {
        let start = self.position;
        self.bump();
        let index = match self.unnamed_expression() {
            Some(index) => index,
            None => self.missing_name_expression(),
        };
        self.expect(CloseBracket);
        self.node(Index, start);
        index
    }

    /// What follows a dot: a name, a call, `["name"]` or `[index]`.
    fn selector(&mut self, start: usize, base: Expr) -> Expr {
        if self.call_name_length(0).is_some() {
            let missing = self.missing_here();
            return self.method_call(start, base).unwrap_or(missing);
        }
        if self.at(OpenBracket) && self.name_length(0, false).is_none() && self.wildcard_length(1).is_none() {
            let index = self.index_expression();
            self.remove_node(Path, start);
            return self.finish(Path, start, ExprKind::Index { base: Box::new(base), index: Box::new(index) });
        }
        let member = self.selector_name();
        self.remove_node(Path, start);
        self.finish(Path, start, ExprKind::Member { base: Box::new(base), member })
    }

    fn selector_name(&mut self) -> Name {
        if let Some(pattern) = self.bracketed_wildcard() {
            return Name { text: wildcard_text(pattern.kind), span: pattern.span, bracketed: false };
        }
        if self.at(At) || self.is_special_name() {
            let start = self.position;
            let name = self.bump_as_name();
            self.node(NameNode, start);
            return name;
        }
        self.name_or_missing()
    }

    /// Parameter names of operators that are also common column names.
    fn is_special_name(&self) -> bool {
        matches!(self.kind(), KindKw | WithsourceKw | WithUnderscoreSourceKw)
    }

    fn primary(&mut self) -> Parsed<Expr> {
        match self.kind() {
            LongLiteral | RealLiteral | BoolLiteral | IntLiteral | DecimalLiteral | TimeSpanLiteral
            | DateTimeLiteral | GuidLiteral | RawGuid | StringLiteral | DynamicKw => self.unsigned_literal(),
            DatatableKw
            | InternalContextualDatatableKw
            | ExternaldataKw
            | ExternalDataOldKw
            | MaterializedViewCombineKw => self.table_source(),
            InlineExternalTableKw if self.is_inline_external_table() => self.table_source(),
            OpenParen => Some(self.parenthesised()),
            ToscalarKw | MaterializeKw => self.pipeline_call().or_else(|| self.name_or_keyword()),
            TypeofKw if self.nth(1) == OpenParen => self.type_of(),
            _ => self.call().or_else(|| self.name_or_keyword()),
        }
    }

    pub(super) fn parenthesised(&mut self) -> Expr {
        let start = self.position;
        self.bump();
        let inner = self.expression_or_missing();
        self.expect(CloseParen);
        self.finish(ParenExpression, start, ExprKind::Paren(Box::new(inner)))
    }

    /// `entity_group [a, b]`, as a call of that name; `entity_group("g")` is a call already.
    pub(super) fn entity_group(&mut self) -> Expr {
        if let Some(call) = self.call() {
            return call;
        }
        let start = self.position;
        let name = self.bump_as_name();
        self.expect(OpenBracket);
        let rules = ListRules::COMMON.one_or_more();
        let args = self.comma_list(rules, Self::unnamed_expression, Self::missing_expression);
        self.expect(CloseBracket);
        self.finish(Call, start, ExprKind::Call { name, args })
    }

    /// A bare name, `@`, a bracketed pattern, or a keyword that was meant as a name.
    fn name_or_keyword(&mut self) -> Parsed<Expr> {
        let start = self.position;
        let found = match self.kind() {
            OpenBracket => match self.bracketed_wildcard().or_else(|| self.name_expression()) {
                Some(name) => name,
                // `[0]` without anything before it.
                None => {
                    let base = Box::new(self.missing_here());
                    let index = Box::new(self.index_expression());
                    expr(ExprKind::Index { base, index }, self.span_from(start))
                }
            },
            At => {
                let name = self.bump_as_name();
                self.node(NameNode, start);
                expr(ExprKind::Name(name), self.span_from(start))
            }
            _ if self.is_special_name() => {
                let name = self.bump_as_name();
                self.node(NameNode, start);
                expr(ExprKind::Name(name), self.span_from(start))
            }
            _ => self.name_expression().or_else(|| self.keyword_as_name())?,
        };
        self.data_scope();
        Some(self.raise(found))
    }

    /// `T datascope=hotcache`: where the data lies, which changes no result here.
    pub(super) fn data_scope(&mut self) {
        if self.eat(DatascopeKw).is_some() {
            self.expect(Equal);
            if matches!(self.nth_text(0), "all" | "hotcache") {
                self.bump();
            } else {
                self.expected(&["all", "hotcache"]);
            }
        }
    }

    /// `a.b.c` and `a["b"]` without calls: a column or a table.
    pub(super) fn entity_reference(&mut self) -> Parsed<Expr> {
        self.entity_path(false)
    }

    /// A table, a call or a pattern of table names: `T`, `database('d').T*`.
    pub(super) fn entity_pattern(&mut self) -> Parsed<Expr> {
        self.entity_path(true)
    }

    fn entity_path(&mut self, patterns: bool) -> Parsed<Expr> {
        let start = self.position;
        if patterns && let Some(pattern) = self.wildcard() {
            return Some(pattern);
        }
        let mut base = match if patterns { self.call() } else { None } {
            Some(call) => call,
            None if self.at(OpenBracket) || Self::is_word(self.kind()) || self.at(OpenBrace) => {
                self.bracketed_wildcard().or_else(|| self.name_expression())?
            }
            None if self.at(At) || self.is_special_name() => self.name_or_keyword()?,
            None => return None,
        };
        loop {
            if self.eat(Dot).is_some() {
                if patterns && let Some(pattern) = self.wildcard() {
                    let member = Name { text: wildcard_text(pattern.kind), span: pattern.span, bracketed: false };
                    self.remove_node(Path, start);
                    return Some(self.finish(Path, start, ExprKind::Member { base: Box::new(base), member }));
                }
                base = self.selector(start, base);
            } else if self.at(OpenBracket) {
                let index = self.index_expression();
                self.remove_node(Path, start);
                base = self.finish(Path, start, ExprKind::Index { base: Box::new(base), index: Box::new(index) });
            } else {
                return Some(base);
            }
        }
    }
}

fn wildcard_text(kind: ExprKind) -> String {
    match kind {
        ExprKind::Wildcard(text) => text,
        _ => "*".to_owned(),
    }
}

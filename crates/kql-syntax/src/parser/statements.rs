//! Statements: `let`, `set`, `declare`, `alias`, `restrict`, and the query itself.

use super::lists::ListRules;
use super::{Parsed, Parser};
use crate::ast::{
    Expr, Function, Name, Param, ParamType, PatternClause, PatternMatch, Query, Span, Statement, StatementKind,
    TypeName,
};
use crate::diagnostics;
use crate::kind::SyntaxKind::{self, *};

impl Parser<'_> {
    /// A whole query text: statements up to the end; what cannot be read is skipped and reported once.
    pub(crate) fn query(&mut self) -> Query {
        let mut statements = self.directives();
        statements.extend(self.commands());
        statements.extend(self.statements());
        self.skip_rest();
        Query { statements }
    }

    /// `#name rest of the line`, before anything else.
    fn directives(&mut self) -> Vec<Statement> {
        let mut list = Vec::new();
        while self.at(Directive) {
            let start = self.position;
            let line = self.bump();
            self.node(DirectiveLine, start);
            let text = self.slice(line).trim_start_matches('#');
            let length = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
            let from = line.start.saturating_add(1);
            let to = from.saturating_add(u32::try_from(length).unwrap_or(0));
            let name = self.slice(Span::new(from, to)).to_owned();
            let name = Name { text: name, span: Span::new(from, to), bracketed: false };
            list.push(Statement { kind: StatementKind::Directive(name), span: line });
        }
        list
    }

    fn skip_rest(&mut self) {
        if self.at_end() {
            return;
        }
        let span = self.nth_span(0);
        self.errors.push(diagnostics::incomplete_fragment(span));
        let start = self.position;
        while !self.at_end() {
            self.bump();
        }
        self.node(Skipped, start);
    }

    /// Statements with `;` between them.
    pub(super) fn statements(&mut self) -> Vec<Statement> {
        let mut list = Vec::new();
        let mut separated = true;
        loop {
            let span = self.missing_token_span();
            let errors = self.errors.len();
            let before = self.position;
            let outer = self.start_height();
            let statement = self.statement().filter(|_| self.position > before);
            self.end_height(outer);
            let Some(statement) = statement else { return list };
            if !separated {
                self.errors.insert(errors.min(self.errors.len()), diagnostics::expected(&[";"], span));
            }
            list.push(statement);
            separated = self.eat(Semicolon).is_some();
        }
    }

    fn statement(&mut self) -> Parsed<Statement> {
        let start = self.position;
        let (node, kind) = match self.kind() {
            AliasKw if self.nth(1) == DatabaseKw => (AliasStatement, self.alias_statement()),
            LetKw if self.name_length(1, false).is_some() => (LetStatement, self.let_statement()),
            SetKw => (SetStatement, self.set_statement()),
            DeclareKw if self.nth(1) == PatternKw => (PatternStatement, self.pattern_statement()),
            DeclareKw if self.nth(1) == QueryParametersKw => (QueryParametersStatement, self.query_parameters()),
            RestrictKw if self.nth(1) == AccessKw => (RestrictStatement, self.restrict_statement()),
            _ => (ExpressionStatement, StatementKind::Expression(self.expression()?)),
        };
        self.node(node, start);
        Some(Statement { kind, span: self.span_from(start) })
    }

    fn alias_statement(&mut self) -> StatementKind {
        self.bump();
        self.expect(DatabaseKw);
        let name = self.name_or_missing();
        self.expect(Equal);
        StatementKind::Alias { name, value: self.unnamed_or_missing() }
    }

    fn let_statement(&mut self) -> StatementKind {
        self.bump();
        let name = self.name_or_missing();
        self.expect(Equal);
        if self.is_function_start() {
            let function = self.function();
            return StatementKind::LetFunction { name, function };
        }
        StatementKind::Let { name, value: self.expression_or_missing() }
    }

    /// `view (`, `()`, `(*`, `(name:`.
    fn is_function_start(&self) -> bool {
        match self.kind() {
            ViewKw => self.is_parameter_list(1),
            _ => self.is_parameter_list(0),
        }
    }

    fn is_parameter_list(&self, ahead: usize) -> bool {
        self.nth(ahead) == OpenParen
            && (matches!(self.nth(ahead + 1), CloseParen | Star)
                || self.name_length(ahead + 1, true).is_some_and(|length| self.nth(ahead + 1 + length) == Colon))
    }

    fn function(&mut self) -> Function {
        let start = self.position;
        let view = self.eat(ViewKw).is_some();
        let params = self.parameter_list();
        let body = self.function_body();
        self.node(FunctionDeclaration, start);
        Function { view, params, body, span: self.span_from(start) }
    }

    /// `(a:long = 1, T:(*))`.
    pub(super) fn parameter_list(&mut self) -> Vec<Param> {
        if self.expect(OpenParen).is_none() {
            self.expected(&[")"]);
            return Vec::new();
        }
        let start = self.position - 1;
        let params = self.comma_list(ListRules::COMMON, Self::parameter_declaration, Self::missing_param);
        self.expect(CloseParen);
        self.node(ParameterList, start);
        params
    }

    fn missing_param(&mut self) -> Param {
        self.missing("parameter");
        let at = self.nth_span(0).start;
        let span = Span::new(at, at);
        let name = Name { text: String::new(), span, bracketed: false };
        Param { name, ty: ParamType::Scalar(TypeName { text: "string".to_owned(), span }), default: None }
    }

    pub(super) fn parameter_declaration(&mut self) -> Parsed<Param> {
        let start = self.position;
        let (name, ty) = self.typed_name()?;
        let default = self.eat(Equal).map(|_| self.default_value());
        self.node(Parameter, start);
        Some(Param { name, ty, default })
    }

    /// Only literals and bare words; `now()` is refused.
    fn default_value(&mut self) -> Expr {
        if let Some(value) = self.literal() {
            return value;
        }
        if Self::is_word(self.kind())
            && let Some(word) = self.name_expression()
        {
            return word;
        }
        self.missing_expression()
    }

    /// `{ statements; expression }`.
    pub(super) fn function_body(&mut self) -> Vec<Statement> {
        let start = self.position;
        if self.expect(OpenBrace).is_none() {
            self.expected(&["}"]);
            return Vec::new();
        }
        let mut body = Vec::new();
        if self.enter() {
            body = self.body_statements();
            self.leave();
        }
        self.expect(CloseBrace);
        self.node(FunctionBody, start);
        body
    }

    fn body_statements(&mut self) -> Vec<Statement> {
        let mut list = Vec::new();
        loop {
            let start = self.position;
            let (node, kind) = match self.kind() {
                LetKw => (LetStatement, self.let_statement()),
                DeclareKw => (QueryParametersStatement, self.query_parameters()),
                _ => break,
            };
            self.node(node, start);
            list.push(Statement { kind, span: self.span_from(start) });
            self.expect(Semicolon);
        }
        let start = self.position;
        if let Some(expression) = self.expression() {
            self.node(ExpressionStatement, start);
            list.push(Statement { kind: StatementKind::Expression(expression), span: self.span_from(start) });
        }
        self.eat(Semicolon);
        list
    }

    fn set_statement(&mut self) -> StatementKind {
        self.bump();
        let name = self.name_or_missing();
        let value = self.eat(Equal).map(|_| self.unnamed_or_missing());
        StatementKind::Set { name, value }
    }

    fn query_parameters(&mut self) -> StatementKind {
        self.bump();
        self.expect(QueryParametersKw);
        self.expect(OpenParen);
        let rules = ListRules::COMMON.one_or_more();
        let params = self.comma_list(rules, Self::parameter_declaration, Self::missing_param);
        self.expect(CloseParen);
        StatementKind::QueryParameters(params)
    }

    fn restrict_statement(&mut self) -> StatementKind {
        self.bump();
        self.expect(AccessKw);
        self.expect(ToKw);
        self.expect(OpenParen);
        let rules = ListRules::COMMON.one_or_more();
        let entities = self.comma_list(rules, Self::entity_pattern, Self::missing_expression);
        self.expect(CloseParen);
        self.with_properties();
        StatementKind::Restrict(entities)
    }

    /// `declare pattern name [= (columns) [path] { (values).[path] = { body }; ... }]`.
    fn pattern_statement(&mut self) -> StatementKind {
        self.bump();
        self.bump();
        let name = self.name_or_missing();
        let mut clause = PatternClause { name, columns: Vec::new(), path: None, matches: Vec::new() };
        if self.eat(Equal).is_none() {
            return StatementKind::Pattern(clause);
        }
        self.expect(OpenParen);
        clause.columns = self.comma_list(ListRules::COMMON, Self::column, |p| {
            p.missing("parameter");
            p.missing_pattern_column()
        });
        self.expect(CloseParen);
        if self.eat(OpenBracket).is_some() {
            clause.path = self.column();
            if clause.path.is_none() {
                self.missing("parameter");
            }
            self.expect(CloseBracket);
        }
        self.expect(OpenBrace);
        while self.at(OpenParen) {
            let clause_match = self.pattern_match();
            clause.matches.push(clause_match);
        }
        if clause.matches.is_empty() {
            self.missing("pattern match clause");
        }
        self.expect(CloseBrace);
        StatementKind::Pattern(clause)
    }

    fn missing_pattern_column(&mut self) -> crate::ast::ColumnDecl {
        let span = self.missing_here().span;
        let name = Name { text: String::new(), span, bracketed: false };
        crate::ast::ColumnDecl { name, ty: TypeName { text: String::new(), span } }
    }

    fn pattern_match(&mut self) -> PatternMatch {
        let start = self.position;
        self.bump();
        let rules = ListRules::COMMON.one_or_more();
        let values = self.comma_list(rules, Self::unnamed_expression, |p| {
            p.missing("string");
            p.missing_here()
        });
        self.expect(CloseParen);
        let mut path = None;
        if self.eat(Dot).is_some() {
            self.expect(OpenBracket);
            path = self.literal();
            if path.is_none() {
                self.missing("string");
            }
            self.expect(CloseBracket);
        }
        self.expect(Equal);
        let body = self.function_body();
        self.expect(Semicolon);
        self.node(SyntaxKind::PatternMatch, start);
        PatternMatch { values, path, body }
    }

    /// A stored function's parameters: `(a:long, b:string)` or the same without parentheses.
    pub(crate) fn stored_parameters(&mut self) -> Vec<Param> {
        let params = if self.at(OpenParen) {
            self.parameter_list()
        } else {
            self.comma_list(ListRules::COMMON, Self::parameter_declaration, Self::missing_param)
        };
        self.skip_rest();
        params
    }

    /// A stored function's body: statements, in braces or bare.
    pub(crate) fn stored_body(&mut self) -> Vec<Statement> {
        let body = if self.at(OpenBrace) && self.name_length(0, false).is_none() {
            self.function_body()
        } else {
            self.statements()
        };
        self.skip_rest();
        body
    }
}

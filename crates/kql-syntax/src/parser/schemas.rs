//! Types and schemas: `long`, `name:type`, `(a:long, b:string)`.

use super::lists::ListRules;
use super::{Parsed, Parser};
use crate::ast::{ColumnDecl, Name, ParamType, TypeName};
use crate::kind::SyntaxKind::*;

impl Parser<'_> {
    /// Types that a column or parameter may have.
    fn is_type(&self, ahead: usize) -> bool {
        matches!(
            self.nth(ahead),
            BoolKw
                | BooleanKw
                | DateKw
                | DatetimeKw
                | DecimalKw
                | DoubleKw
                | DynamicKw
                | GuidKw
                | IntKw
                | Int64Kw
                | Int8Kw
                | LongKw
                | RealKw
                | StringKw
                | TimeKw
                | TimespanKw
                | UniqueidKw
        )
    }

    /// Types that `typeof` and the columns of `parse` may have besides.
    pub(super) fn is_extended_type(&self, ahead: usize) -> bool {
        self.is_type(ahead)
            || matches!(
                self.nth(ahead),
                FloatKw | Int16Kw | Int32Kw | UintKw | Uint16Kw | Uint32Kw | Uint64Kw | Uint8Kw | UlongKw
            )
    }

    /// A type, or a word in its place, which is reported.
    fn type_name(&mut self, extended: bool) -> Parsed<TypeName> {
        let known = if extended { self.is_extended_type(0) } else { self.is_type(0) };
        if !known {
            if !self.is_extended_type(0) && !Self::is_word(self.kind()) {
                return None;
            }
            let span = self.nth_span(0);
            self.errors.push(crate::diagnostics::invalid_type(self.slice(span), span));
        }
        Some(self.take_type())
    }

    /// The word here as a type, whatever it is.
    pub(super) fn take_type(&mut self) -> TypeName {
        let start = self.position;
        let span = self.bump();
        self.node(NameNode, start);
        TypeName { text: self.slice(span).to_owned(), span }
    }

    pub(super) fn type_name_or_missing(&mut self, extended: bool) -> TypeName {
        match self.type_name(extended) {
            Some(ty) => ty,
            None => self.missing_type(),
        }
    }

    pub(super) fn missing_type(&mut self) -> TypeName {
        self.missing("type name");
        let at = self.nth_span(0).start;
        TypeName { text: String::new(), span: crate::ast::Span::new(at, at) }
    }

    /// `name:type`.
    pub(super) fn column(&mut self) -> Parsed<ColumnDecl> {
        let start = self.position;
        let name = self.column_name()?;
        let ty = self.type_name_or_missing(false);
        self.node(Column, start);
        Some(ColumnDecl { name, ty })
    }

    /// `name:`, or a `:` alone with the name reported as missing.
    fn column_name(&mut self) -> Parsed<Name> {
        if let Some(name) = self.declared_name() {
            self.expect(Colon);
            return Some(name);
        }
        if !self.at(Colon) {
            return None;
        }
        let name = self.missing_name();
        self.bump();
        Some(name)
    }

    /// `name:type` or `name:(schema)`.
    pub(super) fn typed_name(&mut self) -> Parsed<(Name, ParamType)> {
        let name = self.column_name()?;
        let ty =
            if self.at(OpenParen) { self.tabular_type() } else { ParamType::Scalar(self.type_name_or_missing(false)) };
        Some((name, ty))
    }

    /// `(a:long, b:string)` or `(*)` as the type of a parameter.
    fn tabular_type(&mut self) -> ParamType {
        let start = self.position;
        self.bump();
        let ty = if self.at(Star) {
            self.star();
            ParamType::Tabular { columns: Vec::new(), open: true }
        } else {
            let columns = self.columns();
            ParamType::Tabular { columns, open: false }
        };
        self.expect(CloseParen);
        self.node(ColumnList, start);
        ty
    }

    fn columns(&mut self) -> Vec<ColumnDecl> {
        self.comma_list(ListRules::COMMON.trailing_comma(), Self::column, Self::missing_column)
    }

    fn missing_column(&mut self) -> ColumnDecl {
        self.missing("parameter");
        let at = self.nth_span(0).start;
        let span = crate::ast::Span::new(at, at);
        let name = Name { text: String::new(), span, bracketed: false };
        ColumnDecl { name, ty: TypeName { text: "string".to_owned(), span } }
    }

    /// The schema of a `datatable`, `externaldata`, `parse-kv`: parentheses are required.
    pub(super) fn row_schema(&mut self) -> Vec<ColumnDecl> {
        self.row_schema_with(false).0
    }

    /// As [`Self::row_schema`]; with `star`, the first entry may be `*` (second result).
    pub(super) fn row_schema_with(&mut self, star: bool) -> (Vec<ColumnDecl>, bool) {
        if !self.at(OpenParen) {
            self.missing("schema declaration");
            return (Vec::new(), false);
        }
        let start = self.position;
        self.bump();
        self.eat(Comma);
        let open = star && self.star().is_some();
        if open {
            self.eat(Comma);
        }
        let columns = self.columns();
        self.expect(CloseParen);
        self.node(ColumnList, start);
        (columns, open)
    }

    /// `name` or `name:type`, as in the patterns of `parse` and the columns of `find`.
    pub(super) fn optionally_typed_name(&mut self, declared: bool) -> Parsed<(Name, Option<TypeName>)> {
        let start = self.position;
        let name = match if declared { self.declared_name() } else { self.name() } {
            Some(name) => name,
            None if declared && self.at(Colon) => self.missing_name(),
            None => return None,
        };
        let ty = self.eat(Colon).map(|_| self.type_name_or_missing(!declared));
        if ty.is_some() {
            self.node(Column, start);
        }
        Some((name, ty))
    }
}

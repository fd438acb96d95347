//! Parameters after an operator's keyword (`kind=inner`, `hint.strategy=shuffle`) and properties in parentheses
//! (`with (title="x")`): which names are parameters, and what their values look like.
//!
//! A parameter that an operator does not use is still read, so that the binder can say so. Start at
//! [`Parser::parameters`].

use super::lists::ListRules;
use super::{Parsed, Parser};
use crate::ast::{Expr, ExprKind, Name, OpParam};
use crate::kind::SyntaxKind::*;

/// What the value of a parameter looks like.
#[derive(Clone, Copy)]
pub(super) enum Value {
    /// A literal, a word or a name; the text says what is reported when there is none.
    Any(&'static str),
    /// One of these words, or as [`Value::Any`].
    Word(&'static [&'static str]),
    /// The name of a new column or table.
    NewName,
    /// The name of a column.
    Column,
    /// Names of columns with commas between them.
    Columns,
    /// An expression for a text: a literal, a name, a call.
    Text,
}

/// A parameter's name and the form of its value.
pub(super) type Parameter = (&'static str, Value);

/// Parameters that any operator may be given; most operators have no use for most of them.
const ANYWHERE: &[Parameter] = &[
    ("bagexpansion", Value::Word(&["bag", "array"])),
    ("bin_legacy", Value::Any("value")),
    ("cycles", Value::Word(&["none", "all", "unique_edges"])),
    ("decodeblocks", Value::Any("boolean")),
    ("expandoutput", Value::Any("value")),
    ("force_remote", Value::Any("boolean")),
    ("isfuzzy", Value::Any("boolean")),
    ("kind", Value::Word(&[])),
    ("with_itemindex", Value::NewName),
    ("with_match_id", Value::NewName),
    ("with_source", Value::NewName),
    ("with_step_name", Value::NewName),
    ("withsource", Value::NewName),
    ("hint.materialized", Value::Any("boolean")),
    ("hint.num_partitions", Value::Any("number")),
    ("hint.pass_filters_column", Value::Column),
    ("hint.progressive_top", Value::Any("boolean")),
    ("hint.shufflekey", Value::Column),
    ("__crossCluster", Value::Any("value")),
    ("__crossDB", Value::Any("value")),
    ("__id", Value::Any("value")),
    ("__isFuzzy", Value::Any("boolean")),
    ("__noWithSource", Value::Any("value")),
    ("__packedColumn", Value::Column),
    ("__sourceColumnIndex", Value::Any("value")),
];

/// Whether a word that names a parameter must be followed by `=` to be one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Equals {
    /// `join kind (T)`: without `=`, `kind` is a name.
    Needed,
    /// A missing `=` is reported.
    Required,
}

/// Which names a list of properties may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Only those of the operator.
    Own,
    /// Those that may stand anywhere as well.
    Known,
}

impl Parser<'_> {
    fn own_parameter(&self, ahead: usize, own: &[Parameter]) -> Option<Value> {
        if !(self.nth(ahead) == Identifier || self.nth(ahead) == HintName || self.nth(ahead).is_keyword()) {
            return None;
        }
        own.iter().find(|p| p.0 == self.nth_text(ahead)).map(|p| p.1)
    }

    fn known_parameter(&self, ahead: usize, own: &[Parameter]) -> Option<Value> {
        let known = self.own_parameter(ahead, own).or_else(|| self.own_parameter(ahead, ANYWHERE));
        known.or_else(|| (self.nth(ahead) == HintName).then_some(Value::Word(&[])))
    }

    /// Whether the word there names a parameter that this operator or any other knows.
    pub(super) fn is_parameter_name(&self, ahead: usize, own: &[Parameter]) -> bool {
        self.known_parameter(ahead, own).is_some()
    }

    /// The parameters of an operator; `own` are names and values that this operator defines.
    pub(super) fn parameters(&mut self, own: &[Parameter], equals: Equals) -> Vec<OpParam> {
        let mut list = Vec::new();
        while let Some(value) = self.known_parameter(0, own)
            && (equals == Equals::Required || self.nth(1) == Equal)
        {
            list.push(self.parameter(value, own));
        }
        list
    }

    /// `name=value` for one name.
    pub(super) fn parameter_named(&mut self, name: &'static str, value: Value) -> Parsed<OpParam> {
        (self.nth_text(0) == name && self.nth(1) == Equal).then(|| self.parameter(value, &[]))
    }

    fn parameter(&mut self, value: Value, own: &[Parameter]) -> OpParam {
        let start = self.position;
        let name = self.bump_as_name().text;
        self.expect(Equal);
        let value = self.parameter_value(value, own);
        self.node(OperatorParameter, start);
        OpParam { name, value, span: self.span_from(start) }
    }

    pub(super) fn parameter_value(&mut self, value: Value, own: &[Parameter]) -> Expr {
        let found = match value {
            Value::Any(_) => self.any_value(),
            Value::Word(words) if words.contains(&self.nth_text(0)) => Some(self.word()),
            Value::Word(_) => self.any_value(),
            Value::NewName | Value::Column => self.name_expression().or_else(|| self.any_value()),
            Value::Columns => return self.column_names(|p| p.ends_column_names(own), own),
            Value::Text => self.path_or_call(),
        };
        if let Some(found) = found {
            return found;
        }
        match value {
            Value::Any(element) => self.missing(element),
            Value::Word([]) | Value::Text | Value::Columns => self.missing("value"),
            Value::Word(words) => {
                let span = self.missing_node_span();
                self.errors.push(crate::diagnostics::expected(words, span));
            }
            Value::NewName | Value::Column => return self.missing_name_expression(),
        }
        self.missing_here()
    }

    /// A literal, a word that may be a name anywhere, or a name.
    fn any_value(&mut self) -> Parsed<Expr> {
        self.literal().or_else(|| self.name_expression())
    }

    /// The word here as a name, whatever kind of word it is.
    fn word(&mut self) -> Expr {
        let start = self.position;
        let word = self.bump_as_name();
        self.node(NameNode, start);
        let span = word.span;
        Expr { kind: ExprKind::Name(word), span }
    }

    /// Names with commas between them: one is given as a name, several as the arguments of a call without a name.
    pub(super) fn column_names(&mut self, ends: impl Fn(&Self) -> bool, own: &[Parameter]) -> Expr {
        let start = self.position;
        let mut names = Vec::new();
        while !(self.own_parameter(0, own).is_some() && self.nth(1) == Equal) {
            let Some(name) = self.declared_name_expression() else { break };
            names.push(name);
            if ends(self) {
                break;
            }
            if self.eat(Comma).is_none() {
                self.expected(&[","]);
            }
        }
        if names.is_empty() {
            return self.missing_name_expression();
        }
        let span = self.span_from(start);
        match names.pop() {
            Some(only) if names.is_empty() => only,
            last => {
                names.extend(last);
                let name = Name { text: String::new(), span, bracketed: false };
                Expr { kind: ExprKind::Call { name, args: names }, span }
            }
        }
    }

    /// The names end before a comma that the next property follows, before a property and where every list ends.
    fn ends_column_names(&self, own: &[Parameter]) -> bool {
        if self.at(Comma) {
            return self.is_parameter_name(1, own) || self.ends_any_list_at(1);
        }
        (self.is_parameter_name(0, own) && self.nth(1) == Equal) || self.ends_any_list()
    }

    /// `with (name=value, ...)` with the names of `own`; without the clause nothing is taken.
    pub(super) fn with_own_properties(&mut self, own: &[Parameter]) -> Vec<OpParam> {
        let start = self.position;
        if self.eat(WithKw).is_none() {
            return Vec::new();
        }
        self.expect(OpenParen);
        self.eat(Comma);
        let list = self.own_properties(own, Names::Own);
        self.expect(CloseParen);
        self.node(WithClause, start);
        list
    }

    /// `name=value, name=value`.
    pub(super) fn own_properties(&mut self, own: &[Parameter], names: Names) -> Vec<OpParam> {
        self.comma_list(
            ListRules::COMMON,
            |p| {
                let value = match names {
                    Names::Own => p.own_parameter(0, own),
                    Names::Known => p.known_parameter(0, own),
                }?;
                Some(p.parameter(value, own))
            },
            Self::missing_property,
        )
    }

    /// `with (name=value, ...)` with any names; without the clause nothing is taken.
    pub(super) fn with_properties(&mut self) -> Vec<OpParam> {
        let start = self.position;
        if self.eat(WithKw).is_none() {
            return Vec::new();
        }
        self.expect(OpenParen);
        let list = self.comma_list(ListRules::COMMON, Self::property, Self::missing_property);
        self.expect(CloseParen);
        self.node(WithClause, start);
        list
    }

    fn property(&mut self) -> Parsed<OpParam> {
        let start = self.position;
        let name = self.declared_name()?;
        self.expect(Equal);
        let value = match self.literal().or_else(|| self.declared_name_expression()) {
            Some(value) => value,
            None => self.missing_value(),
        };
        self.node(OperatorParameter, start);
        Some(OpParam { name: name.text, value, span: self.span_from(start) })
    }

    fn missing_property(&mut self) -> OpParam {
        self.missing("parameter");
        let value = self.missing_here();
        OpParam { name: String::new(), span: value.span, value }
    }
}

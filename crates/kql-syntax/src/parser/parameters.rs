//! Parameters after an operator's keyword: `kind=inner`, `hint.strategy=shuffle`, `withsource=T`.

use super::lists::ListRules;
use super::{Parsed, Parser};
use crate::ast::{Expr, ExprKind, OpParam};
use crate::kind::SyntaxKind::*;

/// Parameters that any operator may be given; some mean nothing to most.
const ANYWHERE: &[&str] = &[
    "bagexpansion",
    "bin_legacy",
    "cycles",
    "decodeblocks",
    "expandoutput",
    "force_remote",
    "isfuzzy",
    "kind",
    "with_itemindex",
    "with_match_id",
    "with_source",
    "with_step_name",
    "withsource",
    "__crossCluster",
    "__crossDB",
    "__id",
    "__isFuzzy",
    "__noWithSource",
    "__packedColumn",
    "__sourceColumnIndex",
];

/// Whether a word that names a parameter must be followed by `=` to be one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Equals {
    /// `join kind (T)`: without `=`, `kind` is a name.
    Needed,
    /// A missing `=` is reported.
    Required,
}

impl Parser<'_> {
    fn is_parameter_name(&self, own: &[&str]) -> bool {
        let kind = self.kind();
        kind == HintName
            || ((kind == Identifier || kind.is_keyword())
                && (own.contains(&self.nth_text(0)) || ANYWHERE.contains(&self.nth_text(0))))
    }

    /// The parameters of an operator; `own` are names that only this operator knows.
    pub(super) fn parameters(&mut self, own: &[&str], equals: Equals) -> Vec<OpParam> {
        let mut list = Vec::new();
        while self.is_parameter_name(own) && (equals == Equals::Required || self.nth(1) == Equal) {
            list.push(self.parameter());
        }
        list
    }

    /// `name=value` for one name.
    pub(super) fn parameter_named(&mut self, name: &str) -> Parsed<OpParam> {
        (self.nth_text(0) == name && self.nth(1) == Equal).then(|| self.parameter())
    }

    fn parameter(&mut self) -> OpParam {
        let start = self.position;
        let name = self.bump_as_name().text;
        self.expect(Equal);
        let value = match self.apart(|p| p.parameter_value(&name)) {
            Some(value) => value,
            None => self.missing_parameter_value(&name),
        };
        self.node(OperatorParameter, start);
        OpParam { name, value, span: self.span_from(start) }
    }

    fn parameter_value(&mut self, name: &str) -> Parsed<Expr> {
        if let Some(value) = self.literal() {
            return Some(value);
        }
        // Words such as `kind=simple` need no brackets, whatever else they are.
        let is_word = self.at(Identifier) || self.kind().is_keyword();
        let names_value = matches!(name, "withsource" | "with_source") || name.starts_with("hint.shuffle");
        if is_word && (Self::is_word(self.kind()) || (!names_value && is_parameter_word(self.nth_text(0)))) {
            let start = self.position;
            let word = self.bump_as_name();
            self.node(NameNode, start);
            let span = word.span;
            return Some(Expr { kind: ExprKind::Name(word), span });
        }
        self.name_expression()
    }

    fn missing_parameter_value(&mut self, name: &str) -> Expr {
        match values_of(name) {
            [] if name == "isfuzzy" => self.missing("boolean"),
            [] if matches!(name, "withsource" | "with_source" | "with_itemindex") => self.missing("name"),
            [] => self.missing("value"),
            values => self.expected(values),
        }
        self.missing_here()
    }

    /// `with (name=value, ...)`; without the clause nothing is taken.
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

    /// `name=value` where any name will do.
    pub(super) fn property(&mut self) -> Parsed<OpParam> {
        let start = self.position;
        let length = self.name_length(0, true).or_else(|| self.kind().is_keyword().then_some(1))?;
        let name = if length == 1 { self.bump_as_name() } else { self.declared_name()? };
        self.expect(Equal);
        let value = match self.apart(Self::property_value) {
            Some(value) => value,
            None => self.missing_value(),
        };
        self.node(OperatorParameter, start);
        Some(OpParam { name: name.text, value, span: self.span_from(start) })
    }

    fn property_value(&mut self) -> Parsed<Expr> {
        if let Some(value) = self.literal() {
            return Some(value);
        }
        if self.kind().is_keyword() && !Self::is_declarable(self.kind()) {
            let start = self.position;
            let word = self.bump_as_name();
            self.node(NameNode, start);
            let span = word.span;
            return Some(Expr { kind: ExprKind::Name(word), span });
        }
        self.declared_name_expression()
    }

    pub(super) fn missing_property(&mut self) -> OpParam {
        self.missing("parameter");
        let value = self.missing_here();
        OpParam { name: String::new(), span: value.span, value }
    }
}

/// The words that a parameter may have, for the message when there is none.
fn values_of(name: &str) -> &'static [&'static str] {
    match name {
        "kind" => &[
            "inner",
            "fullouter",
            "innerunique",
            "leftanti",
            "leftantisemi",
            "anti",
            "leftouter",
            "leftsemi",
            "rightanti",
            "rightantisemi",
            "rightouter",
            "rightsemi",
        ],
        "bagexpansion" => &["bag", "array"],
        "hint.strategy" => &["auto", "broadcast", "centralized", "shuffle"],
        "hint.remote" => &["auto", "left", "local", "right", "unresolved"],
        _ => &[],
    }
}

/// Keywords that are values of parameters.
fn is_parameter_word(text: &str) -> bool {
    matches!(text, "simple" | "regex" | "relaxed" | "hotcache" | "shuffle" | "verbose")
}

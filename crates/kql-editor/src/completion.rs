//! Completion: the names that may stand at a place.

use std::collections::BTreeSet;

use kql_functions::{Form, FormKind, describe};
use kql_semantics::Catalog;
use kql_syntax::Span;

use crate::place::{Expects, Place, is_source};
use crate::{columns, definition};

/// What a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompletionKind {
    Table,
    Column,
    Function,
    /// Named by a `let`.
    Variable,
    /// An operator of a pipeline, a plugin, a statement.
    Operator,
    /// An operator between values, or a word of an operator.
    Word,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    pub label: String,
    pub kind: CompletionKind,
    /// A signature or a type.
    pub detail: String,
    /// What it does.
    pub summary: &'static str,
    /// What is replaced: the word that is being typed.
    pub replaces: Span,
}

/// The names that may stand at a byte offset and begin as the word there does, in the order of use: columns before
/// functions.
pub fn complete(text: &str, offset: usize, catalog: &dyn Catalog) -> Vec<Completion> {
    let place = Place::at(text, offset);
    let typed = text.get(place.word.start as usize..offset.min(text.len())).unwrap_or_default().to_lowercase();
    let mut found = Found { place: &place, catalog, typed, list: Vec::new(), seen: BTreeSet::new() };
    match place.expects {
        Expects::Nothing => {}
        Expects::Statement => {
            found.tables();
            found.forms(|form| form.kind == FormKind::Statement && !form.name.contains(' '));
        }
        Expects::Table => found.tables(),
        Expects::Operator => {
            found.forms(|form| {
                let takes_rows = !is_source(form.name) || matches!(form.name, "union" | "search");
                matches!(form.kind, FormKind::Operator | FormKind::GraphOperator) && takes_rows
            });
        }
        Expects::Plugin => found.forms(|form| form.kind == FormKind::Plugin),
        Expects::Value => found.values(),
        Expects::Infix => found.infix(),
    }
    found.list
}

/// Words of operators behind a value.
const OPERATOR_WORDS: [(&str, &[&str]); 12] = [
    ("summarize", &["by"]),
    ("make-series", &["by", "on", "from", "to", "step", "default"]),
    ("sort", &["by", "asc", "desc", "nulls"]),
    ("order", &["by", "asc", "desc", "nulls"]),
    ("top", &["by", "asc", "desc", "nulls"]),
    ("join", &["on", "kind"]),
    ("lookup", &["on", "kind"]),
    ("parse", &["with", "kind"]),
    ("parse-where", &["with", "kind"]),
    ("parse-kv", &["as", "with"]),
    ("mv-expand", &["to", "limit"]),
    ("mv-apply", &["to", "on", "limit"]),
];

struct Found<'a, 't> {
    place: &'a Place<'t>,
    catalog: &'a dyn Catalog,
    typed: String,
    list: Vec<Completion>,
    seen: BTreeSet<String>,
}

impl Found<'_, '_> {
    fn add(&mut self, label: &str, kind: CompletionKind, detail: String, summary: &'static str) {
        if label.to_lowercase().starts_with(&self.typed) && self.seen.insert(label.to_owned()) {
            let replaces = self.place.word;
            self.list.push(Completion { label: label.to_owned(), kind, detail, summary, replaces });
        }
    }

    fn forms(&mut self, wanted: impl Fn(&Form) -> bool) {
        for form in kql_functions::forms().filter(|form| wanted(form)) {
            let syntax = form.syntax.first().copied().unwrap_or_default().to_owned();
            self.add(form.name, CompletionKind::Operator, syntax, form.summary);
        }
    }

    fn variables(&mut self) {
        for name in definition::declared(self.place.text, &self.place.before) {
            self.add(&name, CompletionKind::Variable, "let".to_owned(), "");
        }
    }

    fn tables(&mut self) {
        self.variables();
        for name in self.catalog.table_names() {
            self.add(&name, CompletionKind::Table, "table".to_owned(), "");
        }
        for name in self.catalog.function_names() {
            let params = self.catalog.function(&name).map(|function| function.params.clone()).unwrap_or_default();
            let params = params.trim().trim_start_matches('(').trim_end_matches(')').to_owned();
            self.add(&name, CompletionKind::Function, format!("{name}({params})"), "");
        }
        self.forms(|form| form.kind == FormKind::Operator && is_source(form.name));
        self.forms(|form| form.kind == FormKind::TableFunction);
    }

    fn values(&mut self) {
        for column in columns::at(self.place, self.catalog) {
            self.add(&column.name, CompletionKind::Column, column.ty.to_string(), "");
        }
        self.variables();
        let aggregates = matches!(self.place.operator, Some("summarize" | "make-series" | "top-nested" | "evaluate"));
        if aggregates {
            for aggregate in kql_functions::aggregates().filter(|aggregate| aggregate.obsolete.is_none()) {
                let signature = describe::aggregate_signatures(aggregate).into_iter().next().unwrap_or_default();
                self.add(aggregate.name, CompletionKind::Function, signature, aggregate.summary);
            }
        }
        for function in kql_functions::functions().filter(|function| function.obsolete.is_none()) {
            let signature = describe::signatures(function).into_iter().next().unwrap_or_default();
            self.add(function.name, CompletionKind::Function, signature, function.summary);
        }
        self.forms(|form| form.kind == FormKind::TableFunction && matches!(form.name, "toscalar" | "materialize"));
    }

    fn infix(&mut self) {
        let own = OPERATOR_WORDS.iter().find(|(operator, _)| Some(*operator) == self.place.operator);
        for word in own.map_or(&[][..], |(_, words)| words) {
            self.add(word, CompletionKind::Word, String::new(), "");
        }
        self.forms(|form| form.kind == FormKind::ScalarOperator);
        for operator in
            kql_functions::operators().filter(|operator| !matches!(operator.name, "path" | "convert" | "<>"))
        {
            let signature = describe::operator_signatures(operator).into_iter().next().unwrap_or_default();
            self.add(operator.name, CompletionKind::Word, signature, operator.summary);
        }
    }
}

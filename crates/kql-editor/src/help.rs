//! Help on what stands at a place: signatures and summaries of the registry, types of columns, columns of tables.

use std::fmt::Write;

use kql_functions::{Example, Form, FormKind, describe};
use kql_semantics::Catalog;
use kql_syntax::{Span, Token};

use crate::columns;
use crate::definition::{self, word_at};
use crate::place::Place;

/// Columns of a table that are listed.
const COLUMNS_SHOWN: usize = 40;

/// Help in Markdown on the word that `span` covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    pub span: Span,
    pub markdown: String,
}

/// What the word at a byte offset is.
pub fn hover(text: &str, offset: usize, catalog: &dyn Catalog) -> Option<Hover> {
    let (word, tokens) = word_at(text, offset)?;
    let at = tokens.iter().position(|token| token.span == word.span)?;
    let spelled = |index: Option<usize>| index.and_then(|index| tokens.get(index)).map_or("", |token| token.text(text));
    let (before, after) = (spelled(at.checked_sub(1)), spelled(at.checked_add(1)));
    let markdown = help(text, word, before, after, catalog)?;
    Some(Hover { span: word.span, markdown })
}

fn help(text: &str, word: Token, before: &str, after: &str, catalog: &dyn Catalog) -> Option<String> {
    let name = word.text(text);
    if before == "." {
        return None;
    }
    if after == "(" {
        return call(name, before, text, word, catalog);
    }
    let of = |kind: FormKind| kql_functions::form(kind, name).map(of_form);
    if matches!(before, "|" | "" | ";" | "(") {
        let operator =
            of(FormKind::Operator).or_else(|| of(FormKind::GraphOperator)).or_else(|| of(FormKind::Statement));
        if operator.is_some() {
            return operator;
        }
    }
    // At the end of the word nothing of it is typed any more.
    let place = Place::at(text, word.span.start as usize);
    if let Some(span) = definition::definition(text, word.span.start as usize)
        && (span == word.span || definition::is_declared(&place, name))
    {
        let statement: String = definition::statement(text, span).chars().take(400).collect();
        return Some(code(&statement));
    }
    if let Some(column) = columns::at(&place, catalog).into_iter().find(|column| column.name == name) {
        return Some(code(&format!("{}: {}", column.name, column.ty)));
    }
    if let Some(table) = catalog.table(name) {
        let mut shown = code(&format!("table {name}"));
        for column in table.columns.iter().take(COLUMNS_SHOWN) {
            let _ = write!(shown, "\n- `{}`: {}", column.name, column.ty);
        }
        let more = table.columns.len().saturating_sub(COLUMNS_SHOWN);
        if more > 0 {
            let _ = write!(shown, "\n- and {more} more");
        }
        return Some(shown);
    }
    let operator = kql_functions::operator(name).map(|operator| {
        entry(&describe::operator_signatures(operator), operator.summary, operator.details, operator.examples)
    });
    operator.or_else(|| of(FormKind::ScalarOperator)).or_else(|| of(FormKind::Operator)).or_else(|| of(FormKind::Type))
}

fn call(name: &str, before: &str, text: &str, word: Token, catalog: &dyn Catalog) -> Option<String> {
    if before == "evaluate" {
        return kql_functions::form(FormKind::Plugin, name).map(of_form);
    }
    if let Some(span) = definition::definition(text, word.span.start as usize) {
        let statement: String = definition::statement(text, span).chars().take(400).collect();
        return Some(code(&statement));
    }
    let place = Place::at(text, word.span.start as usize);
    let aggregate = kql_functions::aggregate(name)
        .map(|found| entry(&describe::aggregate_signatures(found), found.summary, found.details, found.examples));
    let function = kql_functions::function(name)
        .map(|found| entry(&describe::signatures(found), found.summary, found.details, found.examples));
    let known = match place.operator {
        Some("summarize" | "make-series" | "top-nested") => aggregate.or(function),
        _ => function.or(aggregate),
    };
    let stored = || {
        let function = catalog.function(name)?;
        let params = function.params.trim().trim_start_matches('(').trim_end_matches(')').to_owned();
        let body: String = function.body.lines().take(12).map(|line| format!("{line}\n")).collect();
        Some(code(&format!("{name}({params})\n{}", body.trim_end())))
    };
    // `has (`, `in (`, `join (`: no call, but an operator before a bracket.
    let operator = || {
        kql_functions::operator(name)
            .map(|found| entry(&describe::operator_signatures(found), found.summary, found.details, found.examples))
    };
    let form = |kind: FormKind| kql_functions::form(kind, name).map(of_form);
    known
        .or_else(|| form(FormKind::TableFunction))
        .or_else(stored)
        .or_else(operator)
        .or_else(|| form(FormKind::ScalarOperator))
        .or_else(|| form(FormKind::Operator))
}

fn of_form(form: &Form) -> String {
    let syntax: Vec<String> = form.syntax.iter().map(|line| (*line).to_owned()).collect();
    entry(&syntax, form.summary, form.details, form.examples)
}

fn entry(signatures: &[String], summary: &str, details: &str, examples: &[Example]) -> String {
    let mut out = code(&signatures.join("\n"));
    let _ = write!(out, "\n{summary}");
    if !details.is_empty() {
        let _ = write!(out, "\n\n{details}");
    }
    if let Some(example) = examples.first() {
        let _ = write!(out, "\n\n{}", code(example.query));
    }
    out
}

fn code(text: &str) -> String {
    format!("```kql\n{text}\n```")
}

//! The binder against recorded verdicts of the official parser, and against its own promises.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod catalog;
mod conformance;
mod corpus;
mod functions;
mod kindness;
mod names;
mod promises;
mod seeds;

use kql_semantics::{BindOptions, Bound, Catalog};

/// 2024-01-01, so that `ago` has a meaning.
const NOW: i64 = 638_396_640_000_000_000;

/// Parses and binds; syntax errors are part of the diagnostics.
fn bind(query: &str, catalog: &dyn Catalog) -> Bound {
    bind_with(query, catalog, false)
}

fn bind_with(query: &str, catalog: &dyn Catalog, strict: bool) -> Bound {
    let parse = kql_syntax::parse(query);
    let options = BindOptions { query_now: NOW, strict, ..BindOptions::default() };
    let mut bound = kql_semantics::bind(&parse.query, catalog, &options);
    let mut diagnostics: Vec<_> = parse.errors.into_iter().map(kql_types::Diagnostic::from).collect();
    diagnostics.append(&mut bound.diagnostics);
    Bound { diagnostics, ..bound }
}

/// Parses and binds the text of a function with parameters.
fn bind_function(params: &str, body: &str, catalog: &dyn Catalog, strict: bool) -> Bound {
    let (function, errors) = kql_syntax::parse_function(params, body);
    let options = BindOptions { query_now: NOW, strict, ..BindOptions::default() };
    let mut bound = kql_semantics::bind_function(&function, catalog, &options);
    let mut diagnostics: Vec<_> = errors.into_iter().map(kql_types::Diagnostic::from).collect();
    diagnostics.append(&mut bound.diagnostics);
    Bound { diagnostics, ..bound }
}

/// The columns as `name:type` pairs.
fn columns(bound: &Bound) -> Vec<(String, String)> {
    bound.columns.iter().map(|column| (column.name.clone(), column.ty.name().to_string())).collect()
}

fn recorded_columns(value: &serde_json::Value) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_string();
    value
        .as_array()
        .map(|columns| columns.iter().map(|column| (text(&column[0]), text(&column[1]))).collect())
        .unwrap_or_default()
}

fn has_error(bound: &Bound) -> bool {
    bound.diagnostics.iter().any(|diagnostic| diagnostic.severity == kql_types::Severity::Error)
}

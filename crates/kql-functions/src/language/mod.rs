//! What belongs to the language but computes no value of a row: statements, operators of a pipeline, plugins, functions
//! that stand for tables, types.
//!
//! The grammar, the binder and the plan know how each works; what a person has to know of it is here, once: the reference
//! pages and the editor's help come from it. A form without an example is not done.

mod graph;
mod grouping;
mod logic;
mod parsing;
mod pipeline;
mod plugins_data;
mod plugins_outside;
mod plugins_time;
mod sources;
mod statements;
mod table_functions;
mod types;

use crate::Example;

/// Where a form stands in a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FormKind {
    /// Before the query, ended by `;`.
    Statement,
    /// An operator that begins a pipeline or stands behind a pipe.
    Operator,
    /// An operator over graphs.
    GraphOperator,
    /// Between values; the binder knows it by another name than its own.
    ScalarOperator,
    /// Called by `evaluate`.
    Plugin,
    /// A call that stands for a table, or takes one.
    TableFunction,
    /// A scalar type, with its literals.
    Type,
}

/// One form of the language.
#[derive(Debug)]
pub struct Form {
    pub name: &'static str,
    pub kind: FormKind,
    /// How it is written: capitals stand for what the user writes, brackets for what may be left out.
    pub syntax: &'static [&'static str],
    pub summary: &'static str,
    pub details: &'static str,
    /// Run by a test, as those of functions. Empty for what is not done.
    pub examples: &'static [Example],
}

/// One slice per family.
pub(crate) static FAMILIES: &[(&str, &[Form])] = &[
    ("Statements", statements::FAMILY),
    ("Sources of rows", sources::FAMILY),
    ("Rows and columns", pipeline::FAMILY),
    ("Groups", grouping::FAMILY),
    ("Taking texts apart", parsing::FAMILY),
    ("Graphs", graph::FAMILY),
    ("Ranges and logic", logic::FAMILY),
    ("Plugins over rows", plugins_data::FAMILY),
    ("Plugins over users and time", plugins_time::FAMILY),
    ("Plugins that reach outside", plugins_outside::FAMILY),
    ("Functions of tables", table_functions::FAMILY),
    ("Types", types::FAMILY),
];

//! What the registries hold, in one shape, with the results of the examples.

use std::sync::Arc;

use anyhow::bail;
use engine::{DataSet, Engine, EngineError, QueryOptions, ResultTable, TableCatalog};
use kql_functions::{Aggregate, Example, Form, FormKind, Function, describe};
use kql_types::datetime;
use tables::SchemaSet;

/// `now()` in all examples.
const EXAMPLES_NOW: &str = "2026-01-02 03:04:05";

/// The folders of the reference, in the order of its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folder {
    Statements,
    Tabular,
    Operators,
    Functions,
    Aggregates,
    Plugins,
    Types,
}

impl Folder {
    pub const ALL: [Folder; 7] = [
        Folder::Statements,
        Folder::Tabular,
        Folder::Operators,
        Folder::Functions,
        Folder::Aggregates,
        Folder::Plugins,
        Folder::Types,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Folder::Statements => "statements",
            Folder::Tabular => "tabular",
            Folder::Operators => "operators",
            Folder::Functions => "functions",
            Folder::Aggregates => "aggregates",
            Folder::Plugins => "plugins",
            Folder::Types => "types",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Folder::Statements => "Statements",
            Folder::Tabular => "Tabular operators",
            Folder::Operators => "Scalar operators",
            Folder::Functions => "Functions",
            Folder::Aggregates => "Aggregates",
            Folder::Plugins => "Plugins",
            Folder::Types => "Types",
        }
    }

    fn of(kind: FormKind) -> Folder {
        match kind {
            FormKind::Statement => Folder::Statements,
            FormKind::Operator | FormKind::GraphOperator => Folder::Tabular,
            FormKind::ScalarOperator => Folder::Operators,
            FormKind::Plugin => Folder::Plugins,
            FormKind::TableFunction => Folder::Functions,
            FormKind::Type => Folder::Types,
        }
    }
}

/// An example that ran.
pub struct Shown {
    pub query: &'static str,
    pub tables: Vec<ResultTable>,
}

/// Whether the examples of an entry give what the registry says.
pub enum Outcome {
    Works(Vec<Shown>),
    /// What the engine says, or that there is no example.
    Missing(String),
}

pub struct Entry {
    pub folder: Folder,
    pub family: &'static str,
    pub name: &'static str,
    pub summary: &'static str,
    pub details: &'static str,
    pub signatures: Vec<String>,
    /// The rule by which an unnamed call names its column.
    pub naming: Option<String>,
    pub obsolete: Option<&'static str>,
    pub outcome: Outcome,
}

impl Entry {
    /// The name of the page: symbols in words.
    pub fn slug(&self) -> String {
        let words = match self.name {
            "==" => "equal",
            "!=" => "not-equal",
            "<>" => "not-equal-angle",
            "=~" => "equal-ignoring-case",
            "!~" => "not-equal-ignoring-case",
            "<" => "less",
            "<=" => "less-or-equal",
            ">" => "greater",
            ">=" => "greater-or-equal",
            "+" => "plus",
            "-" => "minus",
            "*" => "times",
            "/" => "divided-by",
            "%" => "modulo",
            name => return name.replace('!', "not-").replace('~', "-ignoring-case").replace(' ', "-"),
        };
        words.to_owned()
    }
}

/// All entries, by family.
pub fn all() -> anyhow::Result<Vec<Entry>> {
    let schemas = SchemaSet::builtin();
    let known = schemas.names().into_iter().filter_map(|name| schemas.get(name).cloned());
    let engine = Engine::new(Arc::new(TableCatalog::new().with_schemas(known)), Arc::new(DataSet::new()));
    let Some(now) = datetime::parse(EXAMPLES_NOW) else { bail!("{EXAMPLES_NOW} is no time") };
    let runner = Runner { engine, options: QueryOptions::at(now) };
    let mut entries = Vec::new();
    for (family, forms) in kql_functions::form_families() {
        for form in forms {
            entries.push(of_form(family, form, runner.run(form.examples)?));
        }
    }
    for (family, operators) in kql_functions::operator_families() {
        for operator in operators {
            let signatures = describe::operator_signatures(operator);
            let outcome = runner.run(operator.examples)?;
            entries.push(of_function(Folder::Operators, family, operator, signatures, outcome));
        }
    }
    for (family, functions) in kql_functions::function_families() {
        for function in functions {
            let outcome = runner.run(function.examples)?;
            entries.push(of_function(Folder::Functions, family, function, describe::signatures(function), outcome));
        }
    }
    for (family, aggregates) in kql_functions::aggregate_families() {
        for aggregate in aggregates {
            entries.push(of_aggregate(family, aggregate, runner.run(aggregate.examples)?));
        }
    }
    Ok(entries)
}

struct Runner {
    engine: Engine,
    options: QueryOptions,
}

impl Runner {
    /// # Errors
    /// An example that is wrong as KQL, or breaks the engine.
    fn run(&self, examples: &'static [Example]) -> anyhow::Result<Outcome> {
        let mut shown = Vec::new();
        for Example { query, .. } in examples {
            match self.engine.run_blocking(query, &self.options) {
                Ok(output) => shown.push(Shown { query, tables: output.tables }),
                Err(error @ EngineError::Unsupported { .. }) => return Ok(Outcome::Missing(error.to_string())),
                Err(error) => bail!("the example `{query}`: {error}"),
            }
        }
        if shown.is_empty() {
            return Ok(Outcome::Missing("not done".to_owned()));
        }
        Ok(Outcome::Works(shown))
    }
}

fn of_form(family: &'static str, form: &Form, outcome: Outcome) -> Entry {
    Entry {
        folder: Folder::of(form.kind),
        family,
        name: form.name,
        summary: form.summary,
        details: form.details,
        signatures: form.syntax.iter().map(|line| (*line).to_owned()).collect(),
        naming: None,
        obsolete: None,
        outcome,
    }
}

fn of_function(
    folder: Folder,
    family: &'static str,
    function: &Function,
    signatures: Vec<String>,
    outcome: Outcome,
) -> Entry {
    Entry {
        folder,
        family,
        name: function.name,
        summary: function.summary,
        details: function.details,
        signatures,
        naming: describe::result_name(function.name, function.result_name),
        obsolete: function.obsolete,
        outcome,
    }
}

fn of_aggregate(family: &'static str, aggregate: &Aggregate, outcome: Outcome) -> Entry {
    Entry {
        folder: Folder::Aggregates,
        family,
        name: aggregate.name,
        summary: aggregate.summary,
        details: aggregate.details,
        signatures: describe::aggregate_signatures(aggregate),
        naming: describe::result_name(aggregate.name, aggregate.result_name),
        obsolete: aggregate.obsolete,
        outcome,
    }
}

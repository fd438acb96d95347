//! Joins the families and finds entries by name.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::{Aggregate, Form, FormKind, Function, language, scalar};

static FUNCTIONS: LazyLock<HashMap<&'static str, &'static Function>> =
    LazyLock::new(|| functions().chain(scalar::INTERNAL).map(|f| (f.name, f)).collect());
static OPERATORS: LazyLock<HashMap<&'static str, &'static Function>> =
    LazyLock::new(|| operators().map(|f| (f.name, f)).collect());
static AGGREGATES: LazyLock<HashMap<&'static str, &'static Aggregate>> =
    LazyLock::new(|| self::aggregates().chain(crate::aggregates::INTERNAL).map(|f| (f.name, f)).collect());

/// All scalar and window functions.
pub fn functions() -> impl Iterator<Item = &'static Function> {
    function_families().flat_map(|(_, family)| family.iter())
}

/// The families of functions with their titles.
pub fn function_families() -> impl Iterator<Item = (&'static str, &'static [Function])> {
    scalar::FAMILIES.iter().copied()
}

/// All operators (`==`, `has`, ...), named by symbol.
pub fn operators() -> impl Iterator<Item = &'static Function> {
    operator_families().flat_map(|(_, family)| family.iter())
}

/// The families of operators with their titles.
pub fn operator_families() -> impl Iterator<Item = (&'static str, &'static [Function])> {
    scalar::OPERATORS.iter().copied()
}

pub fn aggregates() -> impl Iterator<Item = &'static Aggregate> {
    aggregate_families().flat_map(|(_, family)| family.iter())
}

/// The families of aggregates with their titles.
pub fn aggregate_families() -> impl Iterator<Item = (&'static str, &'static [Aggregate])> {
    crate::aggregates::FAMILIES.iter().copied()
}

/// All statements, operators of a pipeline, plugins, functions of tables and types.
pub fn forms() -> impl Iterator<Item = &'static Form> {
    form_families().flat_map(|(_, family)| family.iter())
}

/// The families of forms with their titles.
pub fn form_families() -> impl Iterator<Item = (&'static str, &'static [Form])> {
    language::FAMILIES.iter().copied()
}

/// A form by its place in a query and its name.
pub fn form(kind: FormKind, name: &str) -> Option<&'static Form> {
    forms().find(|form| form.kind == kind && form.name == name)
}

/// A function by name, those that only lowering uses (`$series_bin`) included.
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.get(name).copied()
}

pub fn operator(symbol: &str) -> Option<&'static Function> {
    OPERATORS.get(symbol).copied()
}

/// An aggregate by name, those that only lowering uses (`$series`) included.
pub fn aggregate(name: &str) -> Option<&'static Aggregate> {
    AGGREGATES.get(name).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_every_entry_shows_an_example() {
        let mut seen = HashSet::new();
        for function in functions() {
            assert!(seen.insert(function.name), "{} is declared twice", function.name);
            assert!(!function.examples.is_empty(), "{} has no example", function.name);
        }
        let mut seen = HashSet::new();
        for operator in operators() {
            assert!(seen.insert(operator.name), "{} is declared twice", operator.name);
            assert!(!operator.examples.is_empty(), "{} has no example", operator.name);
        }
        let mut seen = HashSet::new();
        for aggregate in aggregates() {
            assert!(seen.insert(aggregate.name), "{} is declared twice", aggregate.name);
            assert!(!aggregate.examples.is_empty(), "{} has no example", aggregate.name);
        }
        let mut seen = HashSet::new();
        for form in forms() {
            assert!(seen.insert((form.kind, form.name)), "{} is declared twice", form.name);
            assert!(!form.syntax.is_empty(), "{} cannot be written", form.name);
            assert!(form.summary.ends_with('.'), "{} has no sentence for a summary", form.name);
        }
    }

    #[test]
    fn every_entry_can_be_read_and_called() {
        for entry in functions().chain(operators()) {
            assert!(entry.summary.ends_with('.'), "{} has no sentence for a summary", entry.name);
            assert!(!entry.overloads.is_empty(), "{} cannot be called", entry.name);
            for overload in entry.overloads {
                let optional: Vec<bool> = overload.params.iter().map(|param| param.optional).collect();
                assert!(optional.is_sorted(), "{}: a required parameter follows an optional one", entry.name);
            }
        }
    }
}

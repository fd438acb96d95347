//! Names in scope: variables of `let`, parameters and `as`, and the columns of the row at hand.
//!
//! Scopes are persistent lists, so a function keeps the scope of its declaration by holding a pointer: names declared
//! later are not visible in it and no cycle of pointers can form. Start at [`Scope::find`] and [`Row::find`].

use std::rc::Rc;
use std::sync::Arc;

use kql_syntax::ast;

use crate::bound::{BoundColumn, Expr, Rel};

/// A tabular value while it is being bound.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub rel: Rel,
    /// More columns may turn up at run time; an unknown name then is taken for such a column.
    pub open: bool,
    /// The name that `withsource=` and `$table` show.
    pub name: Option<Arc<str>>,
    /// Missing tables that it reads (see `Binder::missing`).
    pub missing: Vec<Option<usize>>,
    /// Found by a pattern and known to have no rows: its columns count, it is not read.
    pub absent: bool,
    /// What `make-graph` gave.
    pub graph: Option<Rc<Graph>>,
}

/// A graph: its nodes, whose first column is their hidden id, and its edges, which name ids in two of their columns.
#[derive(Debug, Clone)]
pub(crate) struct Graph {
    pub nodes: Table,
    pub edges: Table,
    /// Places of the columns of the edges.
    pub source: usize,
    pub target: usize,
    pub directed: bool,
    /// One graph for each value of a column of nodes and edges, side by side: their ids never meet.
    pub partitioned: bool,
}

impl Table {
    pub fn new(rel: Rel) -> Table {
        Table { rel, open: false, name: None, missing: Vec::new(), absent: false, graph: None }
    }
}

/// A table that keeps its column ids the first time it is read.
#[derive(Debug)]
pub(crate) struct Piped {
    pub table: Table,
    pub used: std::cell::Cell<bool>,
}

/// A function of the query (`let f = (...) {...}`) or a stored one.
#[derive(Debug)]
pub(crate) struct UserFunction {
    pub name: String,
    pub declaration: Arc<ast::Function>,
    /// What its body sees besides its parameters.
    pub scope: Scope,
    pub stored: bool,
}

impl UserFunction {
    /// The least number of arguments.
    pub fn required(&self) -> usize {
        self.declaration.params.iter().filter(|p| p.default.is_none()).count()
    }
}

/// `cluster('c')` and `database('d')`: whatever follows the dot is looked up in the one catalog there is.
#[derive(Debug, Clone)]
pub(crate) enum Entity {
    Cluster,
    Database,
    /// `arg("")`, `adx("...")`: another service, whose tables are not known here.
    Elsewhere,
    /// A pattern called with these constants, before the path that chooses a query.
    Pattern(Rc<ast::PatternClause>, Vec<String>),
}

#[derive(Debug, Clone)]
pub(crate) enum Variable {
    /// Put in place of the name at each use.
    Scalar(Expr),
    /// Copied with fresh column ids at each use.
    Table(Rc<Table>),
    /// The input of `invoke`: its first use is the table itself, because arguments may name its columns.
    Piped(Rc<Piped>),
    Function(Rc<UserFunction>),
    Entity(Entity),
    /// `declare pattern`.
    Pattern(Rc<ast::PatternClause>),
    /// Its declaration was wrong and reported.
    Error,
}

#[derive(Debug)]
struct Node {
    name: String,
    variable: Variable,
    /// The nesting of function bodies at the declaration.
    level: u32,
    parent: Scope,
}

/// The variables visible at one place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope(Option<Rc<Node>>);

impl Scope {
    pub fn with(&self, name: impl Into<String>, variable: Variable, level: u32) -> Scope {
        Scope(Some(Rc::new(Node { name: name.into(), variable, level, parent: self.clone() })))
    }

    pub fn find(&self, name: &str) -> Option<&Variable> {
        self.iter().find(|node| node.name == name).map(|node| &node.variable)
    }

    /// Whether the body of this level has declared the name itself.
    pub fn declares(&self, name: &str, level: u32) -> bool {
        self.iter().take_while(|node| node.level >= level).any(|node| node.level == level && node.name == name)
    }

    /// Names, innermost first, each once.
    pub fn names(&self) -> Vec<(&str, &Variable)> {
        let mut seen = std::collections::HashSet::new();
        self.iter().filter(|node| seen.insert(node.name.as_str())).map(|n| (n.name.as_str(), &n.variable)).collect()
    }

    fn iter(&self) -> impl Iterator<Item = &Node> {
        std::iter::successors(self.0.as_deref(), |node| node.parent.0.as_deref())
    }
}

impl Drop for Node {
    /// Takes the list apart in a loop: a query with very many `let`s must not overflow the stack.
    fn drop(&mut self) {
        let mut next = self.parent.0.take();
        while let Some(node) = next {
            match Rc::try_unwrap(node) {
                Ok(mut node) => next = node.parent.0.take(),
                Err(_) => break,
            }
        }
    }
}

/// The columns that an expression can name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub columns: Vec<BoundColumn>,
    pub open: bool,
    /// Columns invented for unknown names of an open row.
    pub inferred: Vec<BoundColumn>,
    pub serialized: bool,
}

impl Row {
    pub fn of(table: &Table) -> Row {
        Row {
            columns: table.rel.columns.clone(),
            open: table.open,
            inferred: Vec::new(),
            serialized: table.rel.serialized,
        }
    }

    pub fn find(&self, name: &str) -> Option<&BoundColumn> {
        self.columns.iter().chain(&self.inferred).find(|column| &*column.name == name)
    }

    pub fn all(&self) -> impl Iterator<Item = &BoundColumn> {
        self.columns.iter().chain(&self.inferred)
    }
}

/// Whether `name` matches a pattern with `*`.
pub(crate) fn matches_wildcard(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_parts_in_order() {
        assert!(matches_wildcard("Sec*", "SecurityEvent"));
        assert!(matches_wildcard("*Event", "SecurityEvent"));
        assert!(matches_wildcard("S*y*t", "SecurityEvent"));
        assert!(matches_wildcard("*", ""));
        assert!(!matches_wildcard("Sec*x", "SecurityEvent"));
        assert!(!matches_wildcard("ab*b", "ab"));
    }

    #[test]
    fn inner_declarations_hide_outer_ones() {
        let outer = Scope::default().with("x", Variable::Error, 0).with("y", Variable::Entity(Entity::Cluster), 0);
        let inner = outer.with("x", Variable::Entity(Entity::Database), 1);
        assert!(matches!(inner.find("x"), Some(Variable::Entity(Entity::Database))));
        assert!(matches!(outer.find("x"), Some(Variable::Error)));
        assert!(inner.declares("x", 1) && !inner.declares("y", 1) && outer.declares("y", 0));
        assert_eq!(inner.names().len(), 2);
    }

    #[test]
    fn a_long_chain_is_dropped_without_recursion() {
        let mut scope = Scope::default();
        for i in 0..200_000 {
            scope = scope.with(format!("v{i}"), Variable::Error, 0);
        }
        assert!(scope.find("v0").is_some());
    }
}

//! Lists of output columns under construction: names made unique as Kusto does it, declarations that clash reported.

use foldhash::{HashMap, HashSet};
use std::sync::Arc;

use kql_types::{Dynamic, ScalarType, Span, Value};

use crate::binder::Binder;
use crate::bound::{BoundColumn, ColumnId, Expr, ExprKind, Rel, RelKind};

/// One output column and where its value comes from.
#[derive(Debug, Clone)]
pub(crate) struct Projected {
    pub name: Arc<str>,
    pub ty: ScalarType,
    pub expr: Expr,
}

/// A name that is not free.
#[derive(Debug, Default)]
struct Used {
    /// The column that has it; none once that has another.
    at: Option<usize>,
    /// Written as `name = ...`, or a column written plainly: another declaration of it clashes.
    declared: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Projection {
    pub columns: Vec<Projected>,
    names: HashMap<Arc<str>, Used>,
    /// Columns of the row that are not to be added again.
    done: HashSet<ColumnId>,
    unnamed: usize,
}

impl Projection {
    pub fn new() -> Projection {
        Projection::default()
    }

    pub fn with_capacity(columns: usize) -> Projection {
        Projection {
            columns: Vec::with_capacity(columns),
            names: HashMap::with_capacity_and_hasher(columns, Default::default()),
            ..Projection::default()
        }
    }

    /// Starts with all columns of a row.
    pub fn of_columns(columns: &[BoundColumn], span: Span) -> Projection {
        let mut projection = Projection::with_capacity(columns.len());
        for column in columns {
            projection.add_column(column, span);
        }
        projection
    }

    pub fn add_column(&mut self, column: &BoundColumn, span: Span) {
        self.add(&column.name, None, crate::binder::column_expr(column, span), false, Some(column.id));
    }

    pub fn find(&self, name: &str) -> Option<usize> {
        self.names.get(name)?.at
    }

    /// Ignores later attempts to add this column of the row.
    pub fn skip(&mut self, id: ColumnId) {
        self.done.insert(id);
    }

    /// Makes `name` unique by a number after `base`: `Column1`, `Column2`.
    fn unique(&mut self, name: &Arc<str>, base: Option<&str>) -> Arc<str> {
        let mut unique = name.clone();
        let base = base.unwrap_or(name);
        let mut number = 1;
        while self.names.contains_key(&unique) {
            unique = format!("{base}{number}").into();
            number += 1;
        }
        unique
    }

    /// Adds a column whose name was not declared: it is changed when it is taken, or replaces the column of that name.
    /// `identity` is the column of the row that this plainly is; one that is done is not added again.
    pub fn add(
        &mut self,
        name: &Arc<str>,
        base: Option<&str>,
        expr: Expr,
        replace: bool,
        identity: Option<ColumnId>,
    ) -> Arc<str> {
        if identity.is_some_and(|id| self.done.contains(&id)) {
            return name.clone();
        }
        if replace && let Some(at) = self.find(name) {
            self.put(at, name.clone(), expr);
            return name.clone();
        }
        let unique = self.unique(name, base);
        self.names.insert(unique.clone(), Used { at: Some(self.columns.len()), declared: false });
        self.columns.push(Projected { name: unique.clone(), ty: expr.ty, expr });
        unique
    }

    /// Adds an expression without a name: `Column1`, `Column2`, leaving out names that the input has.
    pub fn add_unnamed(&mut self, expr: Expr, replace: bool, input: &[BoundColumn]) {
        loop {
            self.unnamed += 1;
            let name: Arc<str> = format!("Column{}", self.unnamed).into();
            if !input.iter().any(|column| column.name == name) {
                self.add(&name, Some("Column"), expr, replace, None);
                return;
            }
        }
    }

    fn put(&mut self, at: usize, name: Arc<str>, expr: Expr) {
        if let Some(slot) = self.columns.get_mut(at) {
            *slot = Projected { name, ty: expr.ty, expr };
        }
    }

    /// Adds a column whose name was declared. False when that name was declared before.
    pub fn declare(&mut self, name: &Arc<str>, expr: Expr, replace: bool, identity: Option<ColumnId>) -> bool {
        if self.is_declared(name) {
            return false;
        }
        let added = self.add(name, None, expr, replace, identity);
        self.names.entry(added).or_default().declared = true;
        true
    }

    /// Gives a column another name in place. False when the new name is taken by a declaration.
    pub fn rename(&mut self, old: &str, new: &Arc<str>) -> bool {
        if self.is_declared(new) {
            return false;
        }
        let Some(at) = self.names.get_mut(old).and_then(|used| used.at.take()) else { return true };
        if let Some(slot) = self.columns.get_mut(at) {
            slot.name = new.clone();
        }
        self.names.insert(new.clone(), Used { at: Some(at), declared: true });
        true
    }

    /// Marks the names of all columns as declared.
    pub fn declare_all(&mut self) {
        for column in &self.columns {
            self.names.entry(column.name.clone()).or_default().declared = true;
        }
    }

    fn is_declared(&self, name: &str) -> bool {
        self.names.get(name).is_some_and(|used| used.declared)
    }
}

impl Binder<'_> {
    /// KS171.
    pub(crate) fn duplicate_column(&mut self, name: &str, span: Span) {
        self.error("KS171", span, format!("A column with the name '{name}' is already declared."));
    }

    /// The table that a projection makes of its input. A column passed on keeps its id.
    pub(crate) fn projected(&mut self, input: Rel, projection: Projection, span: Span) -> Rel {
        let serialized = input.serialized;
        let mut seen = HashSet::with_capacity_and_hasher(projection.columns.len(), Default::default());
        let mut exprs = Vec::with_capacity(projection.columns.len());
        let mut columns = Vec::with_capacity(projection.columns.len());
        for projected in projection.columns {
            let source = match projected.expr.kind {
                ExprKind::Column(id) => Some(id),
                _ => None,
            };
            let id = match source {
                Some(id) if seen.insert(id) => id,
                Some(source) => {
                    let id = self.new_id();
                    self.same_source(source, id);
                    id
                }
                None => {
                    let id = self.new_id();
                    if may_be_text(&projected.expr) {
                        self.dynamic_texts.insert(id);
                    }
                    let official = self.official_type(&projected.expr);
                    if official != projected.expr.ty {
                        self.official_types.insert(id, official);
                    }
                    if let Some(plain) = crate::expr::plain_column(&projected.expr) {
                        self.origins.pass_on(plain, id);
                    }
                    id
                }
            };
            columns.push(BoundColumn { id, name: projected.name, ty: projected.ty });
            exprs.push((id, projected.expr));
        }
        Rel { kind: Box::new(RelKind::Project { input, exprs }), columns, serialized, span }
    }
}

/// Whether a dynamic value is chosen among others and one of these is written as a string: `iff(a, b, dynamic(""))`.
fn may_be_text(expr: &Expr) -> bool {
    let is_text = |value: &Expr| matches!(value.kind, ExprKind::Literal(Value::Dynamic(Dynamic::String(_))));
    match &expr.kind {
        ExprKind::Case { branches, otherwise } => {
            is_text(otherwise) || branches.iter().any(|(_, value)| is_text(value))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> Expr {
        crate::binder::literal(Value::Long(1), Span::default())
    }

    fn names(projection: &Projection) -> Vec<&str> {
        projection.columns.iter().map(|column| &*column.name).collect()
    }

    #[test]
    fn unnamed_columns_are_numbered() {
        let mut projection = Projection::new();
        for _ in 0..3 {
            projection.add(&"Column1".into(), Some("Column"), one(), false, None);
        }
        assert_eq!(names(&projection), ["Column1", "Column2", "Column3"]);
    }

    #[test]
    fn a_taken_name_gets_a_number_and_a_declared_one_clashes() {
        let mut projection = Projection::new();
        assert!(projection.declare(&"a".into(), one(), false, None));
        assert!(!projection.declare(&"a".into(), one(), true, None));
        projection.add(&"a".into(), None, one(), false, None);
        projection.add(&"a".into(), None, one(), true, None);
        assert_eq!(names(&projection), ["a", "a1"]);
    }
}

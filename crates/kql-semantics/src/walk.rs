//! Walks over a bound query: the tables below an operator, the expressions in it, the queries inside expressions; copies
//! with fresh ids.
//!
//! Which parts an operator has is known to [`crate::parts`] alone. Start at [`for_each_rel`] and [`for_each_expr`].

use foldhash::{HashMap, HashSet};

use kql_types::Span;

use crate::bound::{ColumnId, Expr, ExprKind, Rel, RelKind};
use crate::parts::{self, Part, PartMut};

/// A set of columns.
pub type ColumnSet = HashSet<ColumnId>;

/// Adds the columns that an expression reads from its own rows. Subqueries read their own.
pub fn columns_of(expr: &Expr, into: &mut ColumnSet) {
    parts::of_expr(expr, &mut |part| match part {
        Part::Column(id) => {
            into.insert(*id);
        }
        Part::Expr(operand) => columns_of(operand, into),
        _ => {}
    });
}

/// Calls `f` on the direct operands of an expression.
pub fn for_each_child<'a>(expr: &'a Expr, f: &mut dyn FnMut(&'a Expr)) {
    parts::of_expr(expr, &mut |part| {
        if let Part::Expr(operand) = part {
            f(operand);
        }
    });
}

/// As [`for_each_child`], to change them.
pub fn for_each_child_mut<'a>(expr: &'a mut Expr, f: &mut dyn FnMut(&'a mut Expr)) {
    parts::of_expr_mut(expr, &mut |part| {
        if let PartMut::Expr(operand) = part {
            f(operand);
        }
    });
}

/// The direct operands of an expression.
pub fn operands(expr: &Expr) -> Vec<&Expr> {
    let mut all = Vec::new();
    for_each_child(expr, &mut |operand| all.push(operand));
    all
}

/// Whether an expression or an operand of it, at any depth, satisfies the test; queries inside it are not entered.
pub fn any_expr(expr: &Expr, test: &dyn Fn(&Expr) -> bool) -> bool {
    let mut found = test(expr);
    for_each_child(expr, &mut |operand| found = found || any_expr(operand, test));
    found
}

/// The conditions that must all hold, nested `and`s flattened.
pub fn conjuncts(predicate: &Expr) -> Vec<&Expr> {
    match &predicate.kind {
        ExprKind::And(terms) => terms.iter().flat_map(conjuncts).collect(),
        _ => vec![predicate],
    }
}

/// Calls `f` on the relations that a relation reads directly: sub-pipelines and the tables given to a plugin included,
/// queries inside expressions not.
pub fn for_each_input<'a>(rel: &'a Rel, f: &mut dyn FnMut(&'a Rel)) {
    parts::of_rel(rel, &mut |part| {
        if let Part::Input(input) | Part::Argument(input) = part {
            f(input);
        }
    });
}

/// As [`for_each_input`], to change them.
pub fn for_each_input_mut<'a>(rel: &'a mut Rel, f: &mut dyn FnMut(&'a mut Rel)) {
    parts::of_rel_mut(rel, &mut |part| {
        if let PartMut::Input(input) | PartMut::Argument(input) = part {
            f(input);
        }
    });
}

/// The relations that [`for_each_input`] shows.
pub fn inputs(rel: &Rel) -> Vec<&Rel> {
    let mut all = Vec::new();
    for_each_input(rel, &mut |input| all.push(input));
    all
}

/// Calls `f` on the expressions that a relation holds itself, outermost ones only.
pub fn for_each_expr<'a>(rel: &'a Rel, f: &mut dyn FnMut(&'a Expr)) {
    parts::of_rel(rel, &mut |part| {
        if let Part::Expr(expr) = part {
            f(expr);
        }
    });
}

/// As [`for_each_expr`], to change them.
pub fn for_each_expr_mut<'a>(rel: &'a mut Rel, f: &mut dyn FnMut(&'a mut Expr)) {
    parts::of_rel_mut(rel, &mut |part| {
        if let PartMut::Expr(expr) = part {
            f(expr);
        }
    });
}

/// The expressions that [`for_each_expr`] shows.
pub fn expressions(rel: &Rel) -> Vec<&Expr> {
    let mut all = Vec::new();
    for_each_expr(rel, &mut |expr| all.push(expr));
    all
}

/// Calls `f` on every query inside an expression, at any depth of the expression.
pub fn for_each_subquery<'a>(expr: &'a Expr, f: &mut dyn FnMut(&'a Rel)) {
    parts::of_expr(expr, &mut |part| match part {
        Part::Subquery(rel) => f(rel),
        Part::Expr(operand) => for_each_subquery(operand, f),
        _ => {}
    });
}

/// Calls `f` on the queries inside the expressions that a relation holds itself.
pub fn for_each_nested<'a>(rel: &'a Rel, f: &mut dyn FnMut(&'a Rel)) {
    for_each_expr(rel, &mut |expr| for_each_subquery(expr, f));
}

/// Calls `f` on a relation and everything below it, the queries inside expressions included.
pub fn for_each_rel<'a>(rel: &'a Rel, f: &mut dyn FnMut(&'a Rel)) {
    f(rel);
    for_each_nested(rel, &mut |nested| for_each_rel(nested, f));
    for_each_input(rel, &mut |input| for_each_rel(input, f));
}

/// The outermost subqueries inside an expression: `toscalar`, `in (tabular)`, `has_any (tabular)`.
pub fn subqueries_mut<'a>(expr: &'a mut Expr, into: &mut Vec<&'a mut Expr>) {
    if matches!(expr.kind, ExprKind::Scalar(_) | ExprKind::InRel { .. } | ExprKind::HasRel { .. }) {
        into.push(expr);
    } else {
        for_each_child_mut(expr, &mut |operand| subqueries_mut(operand, into));
    }
}

/// Whether a relation, or a query inside it, asks for `ingestion_time()`.
pub fn uses_ingestion_time(rel: &Rel) -> bool {
    let asks = |expr: &Expr| matches!(expr.kind, ExprKind::IngestionTime);
    let mut found = false;
    for_each_rel(rel, &mut |rel| for_each_expr(rel, &mut |expr| found = found || any_expr(expr, &asks)));
    found
}

/// Gives every column id of a copied table a fresh one, so that a table used twice has two sets of ids. The inputs of
/// [`RelKind::Materialize`] stay as they are (they are shared), only its outputs are renumbered. Returns
/// the number of nodes and what the ids were renumbered to.
pub(crate) fn renumber(rel: &mut Rel, next_id: &mut u32, next_scope: &mut u32) -> (usize, HashMap<ColumnId, ColumnId>) {
    let mut renumber = Renumber { next_id, next_scope, ids: HashMap::default(), scopes: HashMap::default(), nodes: 0 };
    renumber.rel(rel);
    (renumber.nodes, renumber.ids)
}

struct Renumber<'a> {
    next_id: &'a mut u32,
    next_scope: &'a mut u32,
    ids: HashMap<ColumnId, ColumnId>,
    scopes: HashMap<u32, u32>,
    nodes: usize,
}

impl Renumber<'_> {
    fn rel(&mut self, rel: &mut Rel) {
        self.nodes += 1;
        match &mut *rel.kind {
            RelKind::Materialize { input, .. } => self.nodes += size(Part::Input(input)),
            _ => parts::of_rel_mut(rel, &mut |part| self.part(part)),
        }
        for column in &mut rel.columns {
            self.id(&mut column.id);
        }
    }

    fn part(&mut self, part: PartMut<'_>) {
        match part {
            PartMut::Input(rel) | PartMut::Argument(rel) | PartMut::Subquery(rel) => self.rel(rel),
            PartMut::Expr(expr) => {
                self.nodes += 1;
                parts::of_expr_mut(expr, &mut |part| self.part(part));
            }
            PartMut::Column(id) => self.id(id),
            PartMut::Scope(scope) => {
                let next = &mut *self.next_scope;
                *scope = *self.scopes.entry(*scope).or_insert_with(|| {
                    *next += 1;
                    *next - 1
                });
            }
        }
    }

    fn id(&mut self, id: &mut ColumnId) {
        let next = &mut *self.next_id;
        *id = *self.ids.entry(*id).or_insert_with(|| {
            *next += 1;
            ColumnId(*next - 1)
        });
    }
}

/// Puts other columns in the place of those that an expression reads from its own rows.
pub(crate) fn rename(expr: &mut Expr, with: &HashMap<ColumnId, ColumnId>) {
    parts::of_expr_mut(expr, &mut |part| match part {
        PartMut::Column(id) => {
            if let Some(renamed) = with.get(id) {
                *id = *renamed;
            }
        }
        PartMut::Expr(operand) => rename(operand, with),
        _ => {}
    });
}

/// The first expression that did not bind.
pub(crate) fn first_error(rel: &Rel) -> Option<Span> {
    let mut found = None;
    parts::of_rel(rel, &mut |part| found = found.or_else(|| error_in(part)));
    found
}

fn error_in(part: Part<'_>) -> Option<Span> {
    match part {
        Part::Input(rel) | Part::Argument(rel) | Part::Subquery(rel) => first_error(rel),
        Part::Expr(expr) if matches!(expr.kind, ExprKind::Error) => Some(expr.span),
        Part::Expr(expr) => {
            let mut found = None;
            parts::of_expr(expr, &mut |part| found = found.or_else(|| error_in(part)));
            found
        }
        Part::Column(_) | Part::Scope(_) => None,
    }
}

/// The number of nodes of an expression, those of the queries inside it included.
pub(crate) fn expr_size(expr: &Expr) -> usize {
    size(Part::Expr(expr))
}

/// The number of operators and expressions in a part.
fn size(part: Part<'_>) -> usize {
    let mut all = 1;
    let mut add = |part: Part<'_>| all += size(part);
    match part {
        Part::Input(rel) | Part::Argument(rel) | Part::Subquery(rel) => parts::of_rel(rel, &mut add),
        Part::Expr(expr) => parts::of_expr(expr, &mut add),
        Part::Column(_) | Part::Scope(_) => return 0,
    }
    all
}

//! `union`: columns unified by name and type, missing ones filled with nulls.
//!
//! A name with several types becomes one column for each (`a_long`, `a_string`). With `isfuzzy=true` an operand whose
//! table is missing has no rows.

use foldhash::{HashMap, HashSet};
use std::sync::Arc;

use kql_syntax::ast::{self, Operator};
use kql_types::{ScalarType, Span, Value};

use crate::binder::{Binder, column_expr, literal};
use crate::bound::{BoundColumn, Expr, ExprKind, RelKind};
use crate::expr::unwrapped;
use crate::scope::Table;
use crate::table_info::Origin;

/// Cells (inputs times columns) beyond which a union is not built: `search *` over everything.
const MAX_CELLS: usize = 4_000_000;

/// An output column of a union: the inputs that have it, and the place there of the column that feeds it.
struct Unified {
    name: Arc<str>,
    ty: ScalarType,
    /// By input.
    sources: Vec<(usize, usize)>,
    /// The inputs in which the official parser sees it.
    seen_in: Vec<usize>,
    official: Official,
}

impl Unified {
    /// The place among the columns of an input.
    fn source_in(&self, input: usize) -> Option<usize> {
        let first = self.sources.partition_point(|(place, _)| *place < input);
        self.sources.get(first).filter(|(place, _)| *place == input).map(|(_, at)| *at)
    }
}

/// What the official parser shows for a column of a name with several types. It splits the name when the first two
/// inputs differ; when they agree, it keeps the plain name for their type and forgets columns of other types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Official {
    Same,
    Named(Arc<str>),
    /// Not shown; the name it was split from.
    Hidden(Arc<str>),
}

impl Binder<'_> {
    pub(super) fn union(&mut self, input: Option<Table>, operands: &[ast::Expr], operator: &Operator) -> Table {
        let span = operator.span;
        let fuzzy = super::is_true(self.op_text(operator, "isfuzzy"));
        let inner = self.op_text(operator, "kind").is_some_and(|kind| kind.eq_ignore_ascii_case("inner"));
        let source_name = ["withsource", "with_source"].iter().find_map(|name| self.op_text(operator, name));
        let mut tables: Vec<Table> = input.into_iter().collect();
        for operand in operands {
            self.union_operand(operand, fuzzy, &mut tables);
        }
        self.unified(tables, inner, source_name, span)
    }

    fn union_operand(&mut self, operand: &ast::Expr, fuzzy: bool, tables: &mut Vec<Table>) {
        let outer = std::mem::replace(&mut self.fuzzy, fuzzy);
        let before = self.missing.len();
        match &unwrapped(operand).kind {
            ast::ExprKind::Star => tables.extend(self.tables_matching("*", operand.span)),
            ast::ExprKind::Wildcard(pattern) => {
                let found = self.tables_matching(pattern, operand.span);
                if found.is_empty() && !fuzzy {
                    self.error("KS142", operand.span, crate::expr::unknown_name(pattern));
                }
                tables.extend(found);
            }
            ast::ExprKind::Missing => {}
            _ => {
                let mut table = self.without_row(|b| b.table(operand));
                // `withsource` shows the name of a table written plainly or given by `as`; everything else is `union_arg0`.
                let named = match &unwrapped(operand).kind {
                    ast::ExprKind::Name(_) => true,
                    ast::ExprKind::Pipe { operators, .. } => {
                        matches!(operators.last().map(|last| &last.kind), Some(ast::OperatorKind::As(_)))
                    }
                    _ => false,
                };
                if !named {
                    table.name = None;
                }
                let unresolved = fuzzy && crate::walk::first_error(&table.rel).is_some();
                if fuzzy && (unresolved || self.missing.len() > before) {
                    // The engine leaves out an operand that it cannot resolve: one that reads a missing table, or a stored
                    // function whose body does not hold for the tables there are.
                    let excused: Vec<Option<usize>> = self.missing.drain(before..).collect();
                    self.excused.extend(excused.into_iter().flatten());
                    let columns = std::mem::take(&mut table.rel.columns);
                    table.rel = self.empty_rel(columns, operand.span);
                }
                tables.push(table);
            }
        }
        self.fuzzy = outer;
    }

    /// The union of tables, each projected to the common columns.
    pub(crate) fn unified(
        &mut self,
        mut tables: Vec<Table>,
        inner: bool,
        source_name: Option<String>,
        span: Span,
    ) -> Table {
        let open = tables.iter().any(|table| table.open);
        let unified = self.unify(&tables);
        let unified: Vec<Unified> =
            unified.into_iter().filter(|column| !inner || column.sources.len() == tables.len()).collect();
        let mut columns = Vec::new();
        if let Some(name) = &source_name {
            columns.push(self.new_column(name.as_str(), ScalarType::String));
        }
        for column in &unified {
            let bound = self.new_column(column.name.clone(), column.ty);
            if column.official != Official::Same {
                self.official.insert(bound.id, (column.name.clone(), column.official.clone()));
            }
            if let Some(origins) = self.common_origins(&tables, column) {
                self.origins.insert(bound.id, origins);
            }
            columns.push(bound);
        }
        // A pattern none of whose tables has rows still reads one, so that the query is known to read something.
        if tables.iter().all(|table| table.absent)
            && let Some(first) = tables.first_mut()
        {
            first.absent = false;
        }
        let read = tables.iter().filter(|table| !table.absent).count();
        if read * columns.len() > MAX_CELLS {
            self.unsupported(format!("a union of {read} tables with {} columns", columns.len()), span);
            return Table { open, ..Table::new(self.empty_rel(columns, span)) };
        }
        let mut inputs = Vec::with_capacity(read);
        for (index, table) in tables.into_iter().enumerate().filter(|(_, table)| !table.absent) {
            let mut exprs: Vec<Expr> = Vec::with_capacity(columns.len());
            if source_name.is_some() {
                let name = table.name.as_ref().map_or_else(|| format!("union_arg{index}"), |name| name.to_string());
                exprs.push(literal(Value::String(name), span));
            }
            for column in &unified {
                exprs.push(match column.source_in(index).and_then(|at| table.rel.columns.get(at)) {
                    Some(source) => {
                        let source = column_expr(source, span);
                        self.convert(source, column.ty)
                    }
                    None => literal(Value::missing(column.ty), span),
                });
            }
            inputs.push(self.input_of_union(table, &columns, exprs, span));
        }
        let kind = if inputs.is_empty() { RelKind::Empty } else { RelKind::Union { inputs } };
        Table { open, ..Table::new(self.rel(kind, columns, false, span)) }
    }

    fn input_of_union(
        &mut self,
        table: Table,
        like: &[BoundColumn],
        exprs: Vec<Expr>,
        span: Span,
    ) -> crate::bound::Rel {
        let mut columns = Vec::with_capacity(like.len());
        let mut pairs = Vec::with_capacity(like.len());
        let mut used = HashSet::with_capacity_and_hasher(like.len(), Default::default());
        for (column, expr) in like.iter().zip(exprs) {
            let id = match expr.kind {
                ExprKind::Column(id) if used.insert(id) => id,
                _ => self.new_id(),
            };
            columns.push(BoundColumn { id, name: column.name.clone(), ty: column.ty });
            pairs.push((id, expr));
        }
        self.rel(RelKind::Project { input: table.rel, exprs: pairs }, columns, false, span)
    }
}

impl Binder<'_> {
    /// The columns of tables that any input's column comes from, each once.
    fn common_origins(&self, tables: &[Table], column: &Unified) -> Option<Arc<[Origin]>> {
        let of_source = |(place, at): &(usize, usize)| {
            let source = tables.get(*place)?.rel.columns.get(*at)?;
            self.origins.get(source.id)
        };
        let mut all = column.sources.iter().filter_map(of_source);
        let first = all.next()?;
        let mut others = all.filter(|origins| !Arc::ptr_eq(first, origins)).peekable();
        if others.peek().is_none() {
            return Some(first.clone());
        }
        let mut seen: HashSet<&Origin> = first.iter().collect();
        let mut origins = first.to_vec();
        for origin in others.flat_map(|origins| origins.iter()) {
            if seen.insert(origin) {
                origins.push(origin.clone());
            }
        }
        Some(origins.into())
    }

    /// The name under which a column joins a union: one that an inner union split is whole again.
    fn whole_name(&self, column: &BoundColumn) -> Arc<str> {
        match self.official.get(&column.id) {
            Some((name, Official::Named(whole) | Official::Hidden(whole))) if *name == column.name => whole.clone(),
            _ => column.name.clone(),
        }
    }

    /// Whether the official parser does not show a column.
    fn is_hidden(&self, column: &BoundColumn) -> bool {
        matches!(self.official.get(&column.id), Some((name, Official::Hidden(_))) if *name == column.name)
    }

    /// Columns by name and type, in the order of first appearance; the types of one name stand together.
    fn unify(&self, tables: &[Table]) -> Vec<Unified> {
        let mut names: Vec<(Arc<str>, Vec<Unified>)> = Vec::new();
        let mut index: HashMap<Arc<str>, usize> = HashMap::default();
        for (place, table) in tables.iter().enumerate() {
            for (at_input, column) in table.rel.columns.iter().enumerate() {
                let name = self.whole_name(column);
                let hidden = self.is_hidden(column);
                let at = match index.get(&name) {
                    Some(at) => *at,
                    None => {
                        names.push((name.clone(), Vec::new()));
                        index.insert(name.clone(), names.len() - 1);
                        names.len() - 1
                    }
                };
                let Some((_, types)) = names.get_mut(at) else { continue };
                let entry = match types.iter().position(|known| known.ty == column.ty) {
                    Some(known) => &mut types[known],
                    None => {
                        types.push(Unified {
                            name: name.clone(),
                            ty: column.ty,
                            sources: Vec::new(),
                            seen_in: Vec::new(),
                            official: Official::Same,
                        });
                        let last = types.len() - 1;
                        &mut types[last]
                    }
                };
                entry.sources.push((place, at_input));
                if !hidden {
                    entry.seen_in.push(place);
                }
            }
        }
        let mut used: HashSet<Arc<str>> = HashSet::default();
        let mut unified = Vec::new();
        for (name, mut types) in names {
            merge_unknown(&mut types, tables);
            let several = types.len() > 1;
            let seen = types.iter().filter(|column| !column.seen_in.is_empty()).count();
            let quirk = several && (seen < 2 || first_two_agree(&types));
            let first_seen = types.iter().position(|column| !column.seen_in.is_empty());
            for (index, mut column) in types.into_iter().enumerate() {
                if quirk && Some(index) == first_seen {
                    column.official = Official::Named(name.clone());
                } else if quirk || column.seen_in.is_empty() {
                    column.official = Official::Hidden(name.clone());
                }
                let wanted: Arc<str> = if several { format!("{name}_{}", column.ty).into() } else { name.clone() };
                let mut unique = wanted.clone();
                let mut number = 1;
                while !used.insert(unique.clone()) {
                    unique = format!("{wanted}{number}").into();
                    number += 1;
                }
                column.name = unique;
                unified.push(column);
            }
        }
        unified
    }
}

/// Whether the first two inputs that show a name have it with one type.
fn first_two_agree(types: &[Unified]) -> bool {
    let mut shown = types.iter().filter(|column| !column.seen_in.is_empty());
    let Some(first) = shown.next() else { return false };
    let others = shown.filter_map(|column| column.seen_in.first()).min();
    match (first.seen_in.get(1), others) {
        (Some(second), Some(others)) => second < others,
        _ => false,
    }
}

/// A column that is unknown because the table of its input is missing joins the one of a known type.
fn merge_unknown(types: &mut Vec<Unified>, tables: &[Table]) {
    let Some(at) = types.iter().position(|column| column.ty == ScalarType::Unknown) else { return };
    let of_missing = |column: &Unified| {
        column.sources.iter().all(|(place, _)| {
            tables.get(*place).is_some_and(|table| matches!(*table.rel.kind, RelKind::Empty) && table.open)
        })
    };
    if types.len() < 2 || !types.get(at).is_some_and(of_missing) {
        return;
    }
    let unknown = types.remove(at);
    if let Some(known) = types.first_mut() {
        for (place, at) in unknown.sources {
            if known.source_in(place).is_none() {
                let next = known.sources.partition_point(|(taken, _)| *taken < place);
                known.sources.insert(next, (place, at));
            }
        }
    }
}

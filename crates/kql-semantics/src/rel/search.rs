//! `search` and `find`: one predicate over many tables.
//!
//! Desugared to a union of filtered projections. A bare text anywhere in the predicate means any column has it; in a
//! table without a column that the predicate names, that column is null.

use foldhash::{HashMap, HashSet};
use std::sync::Arc;

use kql_syntax::ast::{self, BinaryOp, FindClause, Literal, Operator};
use kql_types::{ScalarType, Span, Value};

use crate::binder::{Binder, bool_expr, column_expr, literal};
use crate::bound::{BoundColumn, Expr, ExprKind, RelKind};
use crate::expr::unwrapped;
use crate::scope::{Row, Table, Variable};

impl Binder<'_> {
    pub(super) fn search(
        &mut self,
        input: Option<Table>,
        tables: &[ast::Expr],
        predicate: &ast::Expr,
        span: Span,
    ) -> Table {
        let sources = match (input, tables.is_empty()) {
            (Some(input), true) => vec![input],
            _ => self.searched_tables(tables),
        };
        let names: Vec<Arc<str>> =
            sources.iter().map(|table| table.name.clone().unwrap_or_else(|| "search_arg0".into())).collect();
        let filtered = self.search_each(sources, predicate, span);
        let named = filtered.into_iter().zip(names).map(|(table, name)| Table { name: Some(name), ..table }).collect();
        self.unified(named, false, Some("$table".to_string()), span)
    }

    /// The tables that an `in (...)` list names; all tables and views without one.
    fn searched_tables(&mut self, tables: &[ast::Expr]) -> Vec<Table> {
        if tables.is_empty() {
            let mut all = Vec::new();
            for name in self.catalog.table_names() {
                if let Some(table) = self.catalog_table(&name, Span::default()) {
                    all.push(Table { absent: !self.catalog.has_rows(&name), ..table });
                }
            }
            let views: Vec<String> = self
                .scope
                .names()
                .into_iter()
                .filter(|(_, variable)| {
                    matches!(variable, Variable::Function(f) if f.declaration.view && f.required() == 0)
                })
                .map(|(name, _)| name.to_string())
                .collect();
            for name in views {
                let name = ast::Name { text: name, span: Span::default(), bracketed: false };
                let table = self.named_table(&name);
                all.push(Table { name: Some(name.text.as_str().into()), ..table });
            }
            return all;
        }
        let mut found = Vec::new();
        for table in tables {
            match &unwrapped(table).kind {
                ast::ExprKind::Wildcard(pattern) => found.extend(self.tables_matching(pattern, table.span)),
                ast::ExprKind::Star => found.extend(self.searched_tables(&[])),
                _ => {
                    let mut bound = self.without_row(|b| b.table(table));
                    if let ast::ExprKind::Name(name) = &unwrapped(table).kind {
                        bound.name = Some(name.text.as_str().into());
                    }
                    found.push(bound);
                }
            }
        }
        found
    }

    /// Filters each table by the predicate over its own columns, with nulls for columns that only others have.
    fn search_each(&mut self, tables: Vec<Table>, predicate: &ast::Expr, span: Span) -> Vec<Table> {
        let mut named = HashSet::default();
        column_names(predicate, &mut named);
        let mut known: HashMap<Arc<str>, ScalarType> = HashMap::default();
        for column in tables.iter().flat_map(|table| &table.rel.columns) {
            if named.contains(&*column.name) && !known.contains_key(&column.name) {
                known.insert(column.name.clone(), column.ty);
            }
        }
        // One table without rows stands for all of them when the predicate is checked.
        let mut checked = false;
        tables
            .into_iter()
            .map(|table| {
                if table.absent && checked {
                    return table;
                }
                checked |= table.absent;
                let own: HashSet<&str> = table.rel.columns.iter().map(|column| &*column.name).collect();
                let missing: Vec<(String, ScalarType)> = named
                    .iter()
                    .filter(|name| !own.contains(name.as_str()))
                    .filter_map(|name| known.get(name.as_str()).map(|ty| (name.clone(), *ty)))
                    .collect();
                self.search_one(table, &missing, predicate, span)
            })
            .collect()
    }

    fn search_one(
        &mut self,
        table: Table,
        missing: &[(String, ScalarType)],
        predicate: &ast::Expr,
        span: Span,
    ) -> Table {
        let mut row = Row::of(&table);
        let own: Vec<BoundColumn> = row.columns.clone();
        let mut nulls = Vec::new();
        for (name, ty) in missing {
            let column = self.new_column(name.as_str(), *ty);
            nulls.push((column.id, literal(Value::missing(*ty), span)));
            row.columns.push(column);
        }
        let outer = self.row.replace(row);
        let outer_right = self.right_row.take();
        let condition = self.search_predicate(predicate, &own);
        self.right_row = outer_right;
        self.row = outer;
        let condition = replace_columns(condition, &nulls.into_iter().collect());
        let (name, absent) = (table.name.clone(), table.absent);
        Table { name, absent, ..self.filtered(table, condition, span) }
    }

    /// A predicate where a bare text stands for `* has "text"`.
    fn search_predicate(&mut self, predicate: &ast::Expr, own: &[BoundColumn]) -> Expr {
        let span = predicate.span;
        match &predicate.kind {
            ast::ExprKind::Paren(inner) => self.search_predicate(inner, own),
            ast::ExprKind::Star => self.always(span),
            ast::ExprKind::Literal(Literal::String { value, .. }) => self.any_column_has(value, own, span),
            ast::ExprKind::Binary { op: BinaryOp::And, left, right, .. } => {
                let terms = vec![self.search_predicate(left, own), self.search_predicate(right, own)];
                bool_expr(ExprKind::And(terms), span)
            }
            ast::ExprKind::Binary { op: BinaryOp::Or, left, right, .. } => {
                let terms = vec![self.search_predicate(left, own), self.search_predicate(right, own)];
                bool_expr(ExprKind::Or(terms), span)
            }
            ast::ExprKind::Call { name, args } if name.text == "not" && args.len() == 1 => {
                let inner = self.search_predicate(&args[0], own);
                self.negate(inner)
            }
            ast::ExprKind::Binary { op: BinaryOp::SearchColumn, op_span, left, right } => {
                self.search_column(left, right, *op_span, span)
            }
            _ => self.condition(predicate),
        }
    }

    /// `Column : "text"`: a term of a text, or equality with anything else.
    fn search_column(&mut self, left: &ast::Expr, right: &ast::Expr, op_span: Span, span: Span) -> Expr {
        let value = self.scalar(left);
        let wanted = self.scalar(right);
        let text = matches!(value.ty, ScalarType::String | ScalarType::Dynamic) && wanted.ty == ScalarType::String;
        let op = if text { BinaryOp::SearchColumn } else { BinaryOp::Eq };
        self.combine(op, op_span, value, wanted, span)
    }

    fn any_column_has(&mut self, text: &str, own: &[BoundColumn], span: Span) -> Expr {
        if text == "*" {
            return self.always(span);
        }
        let mut any = Vec::new();
        for column in own {
            let value = match column.ty {
                ScalarType::String | ScalarType::Dynamic => column_expr(column, span),
                ScalarType::Guid => {
                    let column = column_expr(column, span);
                    self.convert(column, ScalarType::String)
                }
                _ => continue,
            };
            let wanted = literal(Value::String(text.to_string()), span);
            any.push(self.combine(BinaryOp::SearchColumn, span, value, wanted, span));
        }
        bool_expr(ExprKind::Or(any), span)
    }

    pub(super) fn find(&mut self, clause: &FindClause, operator: &Operator) -> Table {
        let span = operator.span;
        let tables = self.searched_tables(&clause.tables);
        let source = ["withsource", "with_source"].iter().find_map(|name| self.op_text(operator, name));
        let source = source.unwrap_or_else(|| "source_".to_string());
        let open = tables.iter().any(|table| table.open);
        let mut referenced = Vec::new();
        if let Some(predicate) = &clause.predicate {
            ordered_column_names(predicate, &mut referenced);
        }
        let all_named = |table: &Table| {
            table.open
                || referenced.is_empty()
                || referenced.iter().any(|name| table.rel.columns.iter().any(|column| *column.name == **name))
        };
        let anything = clause.predicate.as_ref().is_none_or(mentions_any_column);
        let several = tables.len() > 1;
        let tables: Vec<Table> = tables.into_iter().filter(|table| !several || anything || all_named(table)).collect();
        let (wanted, pack) = self.find_columns(clause, &tables, &referenced);
        let mut filtered = match &clause.predicate {
            Some(predicate) => self.search_each(tables, predicate, span),
            None => tables,
        };
        // What is not read does not matter but for its columns, which are those of every leg: the first stands for it.
        let all_absent = filtered.iter().all(|table| table.absent);
        let mut place = 0;
        filtered.retain(|table| {
            place += 1;
            !table.absent || all_absent && place == 1
        });
        let mut legs = Vec::new();
        for table in filtered {
            let name = table.name.clone().unwrap_or_else(|| "".into());
            let leg = self.find_leg(table, &wanted, pack, span);
            legs.push(Table { name: Some(name), ..leg });
        }
        let mut found = self.unified(legs, false, Some(source), span);
        found.open = open && clause.project.is_none();
        if let Some(away) = &clause.project_away {
            return self.find_away(found, away, span);
        }
        found
    }

    fn find_away(&mut self, found: Table, away: &[ast::Expr], span: Span) -> Table {
        let mut names = HashSet::default();
        let mut star = false;
        for item in away {
            match &unwrapped(item).kind {
                ast::ExprKind::Name(name) => {
                    names.insert(name.text.clone());
                }
                ast::ExprKind::Star => star = true,
                _ => {}
            }
        }
        let first = found.rel.columns.first().map(|column| column.id);
        self.kept(found, move |column| Some(column.id) == first || !(star || names.contains(&*column.name)), span)
    }

    /// The columns of a find's result: (name, type), and whether the rest is packed.
    fn find_columns(
        &mut self,
        clause: &FindClause,
        tables: &[Table],
        referenced: &[String],
    ) -> (Vec<(Arc<str>, ScalarType)>, bool) {
        let mut wanted: Vec<(Arc<str>, ScalarType)> = Vec::new();
        let type_of = |name: &str| {
            tables.iter().flat_map(|table| &table.rel.columns).find(|c| *c.name == *name).map(|column| column.ty)
        };
        if let Some(items) = &clause.project {
            let mut pack = false;
            for item in items {
                match &unwrapped(item).kind {
                    ast::ExprKind::Name(name) => match type_of(&name.text) {
                        Some(ty) => wanted.push((name.text.as_str().into(), ty)),
                        None => {
                            self.error("KS109", item.span, "Column name expected.");
                        }
                    },
                    ast::ExprKind::Call { name, .. } if matches!(name.text.as_str(), "pack" | "pack_all") => {
                        pack = true
                    }
                    ast::ExprKind::Named { names, value, .. } => {
                        if let (Some(name), ast::ExprKind::Name(ty)) = (names.first(), &value.kind) {
                            let ty = ScalarType::parse(&ty.text).unwrap_or(ScalarType::String);
                            wanted.push((name.text.as_str().into(), ty));
                        }
                    }
                    _ => {}
                }
            }
            return (wanted, pack);
        }
        let mut common: Vec<&BoundColumn> = tables.first().map(|t| t.rel.columns.iter().collect()).unwrap_or_default();
        for table in tables {
            let own: HashSet<&str> = table.rel.columns.iter().map(|column| &*column.name).collect();
            common.retain(|column| own.contains(&*column.name));
            if common.is_empty() {
                break;
            }
        }
        wanted.extend(common.iter().map(|column| (column.name.clone(), column.ty)));
        for name in referenced {
            if let Some(ty) = type_of(name)
                && !wanted.iter().any(|(known, _)| **known == **name)
            {
                wanted.push((name.as_str().into(), ty));
            }
        }
        let names: HashSet<&str> = wanted.iter().map(|(name, _)| &**name).collect();
        let pack = tables
            .iter()
            .any(|table| !table.open && table.rel.columns.iter().any(|column| !names.contains(&*column.name)));
        (wanted, pack)
    }

    /// One table of a find: the wanted columns it has, and the others packed.
    fn find_leg(&mut self, table: Table, wanted: &[(Arc<str>, ScalarType)], pack: bool, span: Span) -> Table {
        let mut columns = Vec::new();
        let mut exprs = Vec::new();
        for (name, ty) in wanted {
            let same = table.rel.columns.iter().find(|column| column.name == *name);
            match same {
                Some(column) if column.ty == *ty => {
                    exprs.push((column.id, column_expr(column, span)));
                    columns.push(column.clone());
                }
                Some(column) => {
                    let value = column_expr(column, span);
                    let value = self.convert(value, *ty);
                    let column = self.new_column(name.clone(), *ty);
                    exprs.push((column.id, value));
                    columns.push(column);
                }
                None => {
                    let column = self.new_column(name.clone(), *ty);
                    exprs.push((column.id, literal(Value::missing(*ty), span)));
                    columns.push(column);
                }
            }
        }
        if pack {
            let mut args = Vec::new();
            for column in &table.rel.columns {
                if !wanted.iter().any(|(name, _)| *name == column.name) {
                    args.push(literal(Value::String(column.name.to_string()), span));
                    args.push(column_expr(column, span));
                }
            }
            let packed = self.function_call("bag_pack", args, ScalarType::Dynamic, span);
            let column = self.new_column("pack_", ScalarType::Dynamic);
            exprs.push((column.id, packed));
            columns.push(column);
        }
        let (open, absent) = (table.open, table.absent);
        let rel = self.rel(RelKind::Project { input: table.rel, exprs }, columns, false, span);
        Table { open, absent, ..Table::new(rel) }
    }
}

/// Names in a predicate that may be columns.
fn column_names(expr: &ast::Expr, out: &mut HashSet<String>) {
    let mut ordered = Vec::new();
    ordered_column_names(expr, &mut ordered);
    out.extend(ordered);
}

fn ordered_column_names(expr: &ast::Expr, out: &mut Vec<String>) {
    let parts: Vec<&ast::Expr> = match &expr.kind {
        ast::ExprKind::Name(name) => {
            let known = out.contains(&name.text);
            out.extend((!known).then(|| name.text.clone()));
            return;
        }
        ast::ExprKind::Paren(inner) | ast::ExprKind::Unary { expr: inner, .. } => vec![inner],
        ast::ExprKind::Binary { left, right, .. } => vec![left, right],
        ast::ExprKind::In { left, items, .. } => std::iter::once(&**left).chain(items).collect(),
        ast::ExprKind::Between { left, low, high, .. } => vec![left, low, high],
        ast::ExprKind::Call { args, .. } => args.iter().collect(),
        ast::ExprKind::Member { base, .. } => vec![base],
        ast::ExprKind::Index { base, index } => vec![base, index],
        _ => return,
    };
    parts.into_iter().for_each(|part| ordered_column_names(part, out));
}

/// Whether a predicate has `*` or a bare text, which concern every column.
fn mentions_any_column(expr: &ast::Expr) -> bool {
    match &expr.kind {
        ast::ExprKind::Star | ast::ExprKind::Literal(Literal::String { .. }) => true,
        ast::ExprKind::Paren(inner) => mentions_any_column(inner),
        ast::ExprKind::Binary { op: BinaryOp::And | BinaryOp::Or, left, right, .. } => {
            mentions_any_column(left) || mentions_any_column(right)
        }
        ast::ExprKind::Binary { left, .. } => matches!(unwrapped(left).kind, ast::ExprKind::Star),
        _ => false,
    }
}

/// Puts expressions in the place of columns that a table does not have.
fn replace_columns(expr: Expr, with: &HashMap<crate::bound::ColumnId, Expr>) -> Expr {
    if with.is_empty() {
        return expr;
    }
    let Expr { kind, ty, span } = expr;
    let boxed = |inner: Box<Expr>| Box::new(replace_columns(*inner, with));
    let all = |list: Vec<Expr>| list.into_iter().map(|expr| replace_columns(expr, with)).collect::<Vec<_>>();
    let kind = match kind {
        ExprKind::Column(id) => match with.get(&id) {
            Some(value) => return value.clone(),
            None => ExprKind::Column(id),
        },
        ExprKind::Call { function, args } => ExprKind::Call { function, args: all(args) },
        ExprKind::And(list) => ExprKind::And(all(list)),
        ExprKind::Or(list) => ExprKind::Or(all(list)),
        ExprKind::Coalesce(list) => ExprKind::Coalesce(all(list)),
        ExprKind::Not(inner) => ExprKind::Not(boxed(inner)),
        ExprKind::Convert(inner) => ExprKind::Convert(boxed(inner)),
        ExprKind::Path { base, steps } => ExprKind::Path { base: boxed(base), steps },
        ExprKind::Case { branches, otherwise } => ExprKind::Case {
            branches: branches.into_iter().map(|(c, v)| (replace_columns(c, with), replace_columns(v, with))).collect(),
            otherwise: boxed(otherwise),
        },
        ExprKind::In { value, items, case_insensitive, negated } => {
            ExprKind::In { value: boxed(value), items: all(items), case_insensitive, negated }
        }
        ExprKind::InRel { value, rel, case_insensitive, negated } => {
            ExprKind::InRel { value: boxed(value), rel, case_insensitive, negated }
        }
        ExprKind::HasRel { value, rel, all } => ExprKind::HasRel { value: boxed(value), rel, all },
        other => other,
    };
    Expr { kind, ty, span }
}

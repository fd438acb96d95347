//! Tabular operators, one loop each.
//!
//! Begin at [`Context::table`].

use std::cmp::Ordering;
use std::collections::HashMap;
use std::rc::Rc;

use kql_semantics::bound::{
    AggregateCall, BoundColumn, ColumnId, Expr, MvExpandItem, ParseMode, ParsePart, Rel, RelKind, SortKey,
    SummarizeItem,
};
use kql_types::{Column, Dynamic, ScalarType, Value};

use crate::expr::Row;
use crate::value::{convert, is_null, key, long, order, text};
use crate::{Context, Done, Table, not_done, parse};

/// Rows beyond which a table is too much for this evaluator.
const ROWS_MAX: usize = 200_000;

impl Context<'_> {
    pub fn table(&self, rel: &Rel) -> Done<Table> {
        let table = self.table_of(rel)?;
        if table.rows.len() > ROWS_MAX {
            return not_done("a table with very many rows");
        }
        Ok(table)
    }

    fn table_of(&self, rel: &Rel) -> Done<Table> {
        match rel.kind.as_ref() {
            RelKind::OneRow => Ok(Table { columns: Vec::new(), rows: vec![Vec::new()] }),
            RelKind::Empty => Ok(made(rel, Vec::new())),
            RelKind::Table { name, source } => self.read(rel, name, source),
            RelKind::ExternalData { uris, .. } => self.read_own(rel, &format!("externaldata({})", uris.join(" "))),
            RelKind::HostTable { name, args } => match args.first() {
                Some(Value::String(watchlist)) if name == "_GetWatchlist" => {
                    self.read_own(rel, &format!("{name}({watchlist})"))
                }
                _ => not_done(name.as_str()),
            },
            RelKind::Datatable { rows } => Ok(made(rel, rows.clone())),
            RelKind::Range { from, to, step } => self.range(rel, from, to, step),
            RelKind::Filter { input, predicate } => {
                let input = self.table(input)?;
                let keep = self.each(&input, |row| self.is_true(predicate, row))?;
                let rows = input.rows.iter().zip(keep).filter(|(_, keep)| *keep).map(|(row, _)| row.clone()).collect();
                Ok(Table { rows, ..input })
            }
            RelKind::Project { input, exprs } => {
                let input = self.table(input)?;
                let hidden = input.columns.last().filter(|column| column.id == crate::INGESTION).cloned();
                let project = |row: Row<'_>| {
                    let mut cells: Vec<Value> =
                        exprs.iter().map(|(_, expr)| self.value(expr, row)).collect::<Done<_>>()?;
                    cells.extend(hidden.iter().filter_map(|_| row.rows.get(row.at)?.last().cloned()));
                    Ok(cells)
                };
                let rows = self.each(&input, project)?;
                let columns = rel.columns.iter().cloned().chain(hidden.clone()).collect();
                Ok(Table { columns, rows })
            }
            RelKind::Summarize { input, keys, items } => self.summarize(rel, input, keys, items),
            RelKind::Sort { input, keys } => self.sort(input, keys),
            RelKind::Take { input, count } => {
                let mut table = self.table(input)?;
                table.rows.truncate(usize::try_from(self.constant_long(count)?).unwrap_or(0));
                Ok(table)
            }
            RelKind::Serialize { input } => self.table(input),
            RelKind::Union { inputs } => {
                let mut rows = Vec::new();
                for input in inputs {
                    rows.extend(self.pick(self.table(input)?, input)?.rows);
                }
                Ok(made(rel, rows))
            }
            RelKind::Join { left, right, kind, keys, condition } => {
                self.join(rel, (left, right), *kind, keys, condition.as_ref())
            }
            RelKind::MvExpand { input, items, index, limit, bag_as_array } => {
                let input = self.table(input)?;
                let columns = expanded_columns(&input, items, *index);
                let rows = self.each(&input, |row| self.expand(row, items, *index, *limit, *bag_as_array))?;
                self.pick(Table { columns, rows: rows.concat() }, rel)
            }
            RelKind::MvApply { context: None, .. } => self.mv_apply(rel),
            RelKind::ApplyInput { scope } => match self.scopes.borrow().get(scope) {
                Some(table) => self.pick(Table::clone(table), rel),
                None => not_done("rows of no operator"),
            },
            RelKind::Partition { input, by, scope, subquery } => {
                let input = self.table(input)?;
                let keys = self.keys(&input, std::iter::once(by))?;
                let mut rows = Vec::new();
                for group in groups(&keys) {
                    let part = group.iter().map(|at| input.rows[*at].clone()).collect();
                    let part = Table { columns: input.columns.clone(), rows: part };
                    rows.extend(self.apply(*scope, part, subquery)?.rows);
                }
                Ok(made(rel, rows))
            }
            RelKind::MakeSeries { input, keys, aggregates, axis, axis_out, from, to, step, stop_inclusive: false } => {
                let (Some(from), Some(to)) = (from, to) else { return not_done("make-series without ends") };
                let ends = [self.constant(from)?, self.constant(to)?, self.constant(step)?];
                let [Some(from), Some(to), Some(step)] = ends.each_ref().map(long) else {
                    return not_done("make-series over something else than whole numbers and times");
                };
                self.series(rel, input, keys, aggregates, (axis, *axis_out), (from, to, step))
            }
            RelKind::Parse { flags, mode: ParseMode::Regex, .. } if !flags.is_empty() => not_done("flags of parse"),
            RelKind::Parse { input, expr, mode, parts, outputs, filter, .. } => {
                self.parse(rel, input, expr, *mode, parts, outputs, *filter)
            }
            RelKind::Materialize { id, input } => {
                let known = self.shared.borrow().get(id).cloned();
                let table = match known {
                    Some(table) => table,
                    None => {
                        let table = Rc::new(self.pick(self.table(input)?, input)?);
                        self.shared.borrow_mut().insert(*id, Rc::clone(&table));
                        table
                    }
                };
                Ok(made(rel, table.rows.clone()))
            }
            other => not_done(format!("{other:?}").split([' ', '(', '{']).next().unwrap_or_default()),
        }
    }

    /// The subquery over the rows that each row expands to, beside the row's own columns.
    fn mv_apply(&self, rel: &Rel) -> Done<Table> {
        let RelKind::MvApply { input, scope, items, index, limit, subquery, .. } = rel.kind.as_ref() else {
            return not_done("mv-apply");
        };
        let input = self.table(input)?;
        let columns = expanded_columns(&input, items, *index);
        let rows = self.each(&input, |row| {
            let rows = self.expand(row, items, *index, *limit, false)?;
            let own = input.rows.get(row.at).cloned().unwrap_or_default();
            let inner = self.apply(*scope, Table { columns: columns.clone(), rows }, subquery)?;
            let places = inner.places();
            let all = inner.rows.iter().map(|inner| {
                let cell = |id: &ColumnId| match (places.get(id), row.places.get(id)) {
                    (Some(place), _) => inner.get(*place).cloned(),
                    (None, Some(place)) => own.get(*place).cloned(),
                    _ => None,
                };
                rel.columns.iter().map(|column| cell(&column.id).unwrap_or(Value::missing(column.ty))).collect()
            });
            Ok(all.collect::<Vec<Vec<Value>>>())
        })?;
        Ok(made(rel, rows.concat()))
    }

    fn each<T>(&self, table: &Table, mut make: impl FnMut(Row<'_>) -> Done<T>) -> Done<Vec<T>> {
        let places = table.places();
        (0..table.rows.len()).map(|at| make(Row { places: &places, rows: &table.rows, at })).collect()
    }

    /// The columns of an operator that passes on what it has.
    pub fn pick(&self, table: Table, rel: &Rel) -> Done<Table> {
        let places = table.places();
        let order: Option<Vec<usize>> = rel.columns.iter().map(|column| places.get(&column.id).copied()).collect();
        let Some(order) = order else { return not_done("a column that no input has") };
        let rows = table.rows.iter().map(|row| order.iter().map(|place| row[*place].clone()).collect()).collect();
        Ok(made(rel, rows))
    }

    fn read(&self, rel: &Rel, name: &str, source: &[String]) -> Done<Table> {
        let columns = rel.columns.iter().zip(source).map(|(column, source)| Column::new(source.as_str(), column.ty));
        let ingestion = Column::new(witness::INGESTION_TIME, ScalarType::DateTime);
        let rows = self.source.rows(name, &columns.chain([ingestion]).collect::<Vec<_>>());
        let hidden = BoundColumn { id: crate::INGESTION, name: "".into(), ty: ScalarType::DateTime };
        Ok(Table { columns: rel.columns.iter().cloned().chain([hidden]).collect(), rows })
    }

    fn read_own(&self, rel: &Rel, name: &str) -> Done<Table> {
        let names: Vec<String> = rel.columns.iter().map(|column| column.name.to_string()).collect();
        self.read(rel, name, &names)
    }

    fn constant(&self, expr: &Expr) -> Done<Value> {
        self.value(expr, Row { places: &HashMap::new(), rows: &[Vec::new()], at: 0 })
    }

    fn constant_long(&self, expr: &Expr) -> Done<i64> {
        long(&self.constant(expr)?).map_or_else(|| not_done("a count that is no number"), Ok)
    }

    fn range(&self, rel: &Rel, from: &Expr, to: &Expr, step: &Expr) -> Done<Table> {
        let ty = rel.columns.first().map_or(ScalarType::Long, |column| column.ty);
        let (mut here, to, step) = (self.constant(from)?, self.constant(to)?, self.constant(step)?);
        let up = long(&step).unwrap_or(1) > 0;
        let mut rows = Vec::new();
        let beyond = if up { Ordering::Greater } else { Ordering::Less };
        while order(&here, &to)?.is_some_and(|order| order != beyond) && rows.len() <= ROWS_MAX {
            rows.push(vec![convert(&here, ty)?]);
            here = crate::function::arithmetic("+", &here, &step, ty)?;
        }
        Ok(made(rel, rows))
    }

    fn sort(&self, input: &Rel, keys: &[SortKey]) -> Done<Table> {
        let input = self.table(input)?;
        let values: Vec<Vec<Value>> =
            self.each(&input, |row| keys.iter().map(|key| self.value(&key.expr, row)).collect())?;
        let mut places: Vec<usize> = (0..input.rows.len()).collect();
        let mut failure = Ok(());
        places.sort_by(|left, right| {
            for (place, key) in keys.iter().enumerate() {
                let (left, right) = (&values[*left], &values[*right]);
                let (left, right) = (&left[place], &right[place]);
                let order = match (is_null(left), is_null(right)) {
                    (true, true) => Ordering::Equal,
                    (true, false) if key.nulls_first => Ordering::Less,
                    (true, false) => Ordering::Greater,
                    (false, true) if key.nulls_first => Ordering::Greater,
                    (false, true) => Ordering::Less,
                    _ => match order(left, right) {
                        Ok(order) => {
                            let order = order.unwrap_or(Ordering::Equal);
                            if key.descending { order.reverse() } else { order }
                        }
                        Err(error) => {
                            failure = Err(error);
                            Ordering::Equal
                        }
                    },
                };
                if order != Ordering::Equal {
                    return order;
                }
            }
            Ordering::Equal
        });
        failure?;
        let rows = places.iter().map(|place| input.rows[*place].clone()).collect();
        Ok(Table { rows, ..input })
    }

    fn summarize(&self, rel: &Rel, input: &Rel, keys: &[(ColumnId, Expr)], items: &[SummarizeItem]) -> Done<Table> {
        let input = self.table(input)?;
        let own =
            self.each(&input, |row| keys.iter().map(|(_, expr)| self.value(expr, row)).collect::<Done<Vec<_>>>())?;
        let texts: Vec<Vec<String>> = own.iter().map(|values| values.iter().map(key).collect()).collect();
        let mut grouped = groups(&texts);
        if keys.is_empty() && grouped.is_empty() {
            grouped.push(Vec::new());
        }
        let places = input.places();
        let mut rows = Vec::new();
        for group in grouped {
            let members: Vec<Vec<Value>> = group.iter().map(|at| input.rows[*at].clone()).collect();
            let mut cells: HashMap<ColumnId, Value> = HashMap::new();
            for (place, (id, _)) in keys.iter().enumerate() {
                if let Some(first) = group.first() {
                    cells.insert(*id, own[*first][place].clone());
                }
            }
            for item in items {
                self.item(item, &places, &members, &mut cells)?;
            }
            let row = rel.columns.iter().map(|column| cells.get(&column.id).cloned());
            let Some(row) = row.collect::<Option<Vec<Value>>>() else { return not_done("a column of summarize") };
            rows.push(row);
        }
        Ok(made(rel, rows))
    }

    /// `make-series`: for each group an array with a value for every step from the first to before the last moment.
    fn series(
        &self,
        rel: &Rel,
        input: &Rel,
        keys: &[(ColumnId, Expr)],
        aggregates: &[(ColumnId, AggregateCall, Expr)],
        (axis, axis_out): (&Expr, ColumnId),
        (from, to, step): (i64, i64, i64),
    ) -> Done<Table> {
        let mut input = self.table(input)?;
        let moments = self.each(&input, |row| Ok(long(&self.value(axis, row)?)))?;
        let mut bins = Vec::new();
        let mut rows = Vec::new();
        for (row, moment) in input.rows.drain(..).zip(moments) {
            if let Some(moment) = moment.filter(|moment| (from..to).contains(moment)) {
                bins.push((moment - from) / step);
                rows.push(row);
            }
        }
        input.rows = rows;
        let own =
            self.each(&input, |row| keys.iter().map(|(_, expr)| self.value(expr, row)).collect::<Done<Vec<_>>>())?;
        let texts: Vec<Vec<String>> = own.iter().map(|values| values.iter().map(key).collect()).collect();
        let (places, count) = (input.places(), (to - from + step - 1) / step);
        let at = |bin: i64| match axis.ty {
            ScalarType::DateTime => Dynamic::DateTime(from + bin * step),
            _ => Dynamic::Long(from + bin * step),
        };
        let mut made_rows = Vec::new();
        for group in groups(&texts) {
            let mut cells: HashMap<ColumnId, Value> = HashMap::new();
            for (place, (id, _)) in keys.iter().enumerate() {
                cells.insert(*id, own[group[0]][place].clone());
            }
            cells.insert(axis_out, Value::Dynamic(Dynamic::Array((0..count).map(at).collect())));
            for (id, call, default) in aggregates {
                let mut list = Vec::new();
                for bin in 0..count {
                    let of_bin = group.iter().filter(|at| bins[**at] == bin);
                    let members: Vec<Vec<Value>> = of_bin.map(|at| input.rows[*at].clone()).collect();
                    list.push(crate::value::element(&match members.is_empty() {
                        true => self.constant(default)?,
                        false => self.aggregate(call, &places, &members)?,
                    }));
                }
                cells.insert(*id, Value::Dynamic(Dynamic::Array(list)));
            }
            let row = rel.columns.iter().map(|column| cells.get(&column.id).cloned());
            let Some(row) = row.collect::<Option<Vec<Value>>>() else { return not_done("a column of make-series") };
            made_rows.push(row);
        }
        Ok(made(rel, made_rows))
    }

    /// The rows that one row becomes: items side by side, the shorter ones filled up with nulls.
    fn expand(
        &self,
        row: Row<'_>,
        items: &[MvExpandItem],
        index: Option<ColumnId>,
        limit: Option<u64>,
        bag_as_array: bool,
    ) -> Done<Vec<Vec<Value>>> {
        let mut lists = Vec::new();
        for item in items {
            lists.push(match self.value(&item.expr, row)? {
                Value::Dynamic(Dynamic::Array(elements)) => elements,
                Value::Dynamic(Dynamic::Bag(entries)) => {
                    let entry = |(key, value): (String, Dynamic)| match bag_as_array {
                        true => Dynamic::Array(vec![Dynamic::String(key), value]),
                        false => Dynamic::Bag(vec![(key, value)]),
                    };
                    entries.into_iter().map(entry).collect()
                }
                other => vec![crate::value::element(&other)],
            });
        }
        let count = lists.iter().map(Vec::len).max().unwrap_or(0);
        let count = limit.map_or(count, |limit| count.min(usize::try_from(limit).unwrap_or(usize::MAX)));
        let own = row.rows.get(row.at).cloned().unwrap_or_default();
        let mut rows = Vec::new();
        for at in 0..count {
            let mut cells = own.clone();
            for (item, list) in items.iter().zip(&lists) {
                let element = Value::Dynamic(list.get(at).cloned().unwrap_or(Dynamic::Null));
                cells.push(convert(&element, item.ty)?);
            }
            if index.is_some() {
                cells.push(Value::Long(at as i64));
            }
            rows.push(cells);
        }
        Ok(rows)
    }

    fn apply(&self, scope: u32, rows: Table, subquery: &Rel) -> Done<Table> {
        let before = self.scopes.borrow_mut().insert(scope, Rc::new(rows));
        let result = self.table(subquery);
        let mut scopes = self.scopes.borrow_mut();
        match before {
            Some(before) => scopes.insert(scope, before),
            None => scopes.remove(&scope),
        };
        result
    }

    #[allow(clippy::too_many_arguments)]
    fn parse(
        &self,
        rel: &Rel,
        input: &Rel,
        expr: &Expr,
        mode: ParseMode,
        parts: &[ParsePart],
        outputs: &[(ColumnId, ScalarType)],
        filter: bool,
    ) -> Done<Table> {
        let mut table = self.table(input)?;
        let types: Vec<ScalarType> = outputs.iter().map(|(_, ty)| *ty).collect();
        let cuts = self.each(&table, |row| {
            let text = text(&self.value(expr, row)?);
            match mode {
                ParseMode::Regex => parse::match_whole(&text, parts, &types),
                mode => parse::cut(&text, parts, &types, mode),
            }
        })?;
        let mut rows = Vec::new();
        for (row, cut) in table.rows.iter().zip(cuts) {
            if cut.is_none() && filter {
                continue;
            }
            let cut = cut.unwrap_or_else(|| types.iter().map(|ty| Value::missing(*ty)).collect());
            rows.push(row.iter().cloned().chain(cut).collect());
        }
        for (id, ty) in outputs {
            table.columns.push(BoundColumn { id: *id, name: "".into(), ty: *ty });
        }
        self.pick(Table { rows, ..table }, rel)
    }
}

fn made(rel: &Rel, rows: Vec<Vec<Value>>) -> Table {
    Table { columns: rel.columns.clone(), rows }
}

fn expanded_columns(input: &Table, items: &[MvExpandItem], index: Option<ColumnId>) -> Vec<BoundColumn> {
    let column = |id, ty| BoundColumn { id, name: "".into(), ty };
    let mut columns = input.columns.clone();
    columns.extend(items.iter().map(|item| column(item.out, item.ty)));
    columns.extend(index.map(|id| column(id, ScalarType::Long)));
    columns
}

/// Rows with the same key, in the order of first appearance.
fn groups(keys: &[Vec<String>]) -> Vec<Vec<usize>> {
    let mut places: HashMap<&[String], usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (at, key) in keys.iter().enumerate() {
        let place = *places.entry(key).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[place].push(at);
    }
    groups
}
